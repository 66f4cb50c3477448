//! Messages on their way, and what two networks have in common.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use stateright::actor::Id;

use crate::semantics::names;
use crate::semantics::network::Network;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Flight {
    /// Who sent it.
    pub src: usize,
    /// The receiver.
    pub dst: usize,
    /// The message as text.
    pub text: String,
}

/// One message to several nodes. A node is listed once for each copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Who sent it.
    pub src: usize,
    /// The message as text.
    pub text: String,
    /// The receivers.
    pub to: Vec<usize>,
}

/// The messages of one network that are not in another one, copy by copy.
pub(super) fn difference(from: &BTreeMap<Flight, u32>, to: &BTreeMap<Flight, u32>) -> Vec<Flight> {
    let more = |(flight, n): (&Flight, &u32)| {
        let known = from.get(flight).copied().unwrap_or(0);
        vec![flight.clone(); n.saturating_sub(known) as usize]
    };
    to.iter().flat_map(more).collect()
}

/// How often each message is there.
pub(super) fn counted(flights: Vec<Flight>) -> BTreeMap<Flight, u32> {
    let mut copies = BTreeMap::new();
    flights.into_iter().for_each(|flight| *copies.entry(flight).or_insert(0) += 1);
    copies
}

/// The messages that are in flight in one network and not in another one.
pub(super) fn sent<M: Ord + Clone + Debug>(before: &Network<M>, after: &Network<M>) -> Vec<Sent> {
    together(difference(&copies(before), &copies(after)))
}

/// The copies of a message together, ordered by sender, then text.
pub(super) fn together(flights: Vec<Flight>) -> Vec<Sent> {
    let mut sent: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    for Flight { src, dst, text } in flights {
        sent.entry((src, text)).or_default().push(dst);
    }
    sent.into_iter().map(|((src, text), to)| Sent { src, text, to }).collect()
}

/// The messages in flight by name, with how often each is there.
pub(super) fn copies<M: Ord + Clone + Debug>(network: &Network<M>) -> BTreeMap<Flight, u32> {
    let mut copies = BTreeMap::new();
    let mut count = |src: Id, dst: Id, msg: &M, n| {
        let flight = Flight { src: src.into(), dst: dst.into(), text: names::value(msg) };
        *copies.entry(flight).or_insert(0) += n
    };
    match network {
        Network::Unordered(bag) => bag.iter().for_each(|(e, n)| count(e.src, e.dst, &e.msg, *n)),
        Network::Duplicating(set) => set.iter().for_each(|e| count(e.src, e.dst, &e.msg, 1)),
        Network::Ordered(flows) => {
            for ((src, dst), queue) in flows {
                queue.iter().for_each(|msg| count(*src, *dst, msg, 1));
            }
        }
    }
    copies
}
