//! Numbers that grow for ever: terms, rounds, views.
//!
//! In a livelock each round has a higher term than the last, so no state ever comes again as it
//! was. But a node only compares terms and counts them up. So two states that differ by a shift of
//! all terms go on in the same way, and what decides liveness takes them for one: it numbers terms
//! anew from the lowest that counts.

use stateright::actor::{Envelope, Id};

use super::{Age, Election, NodeSet};
use crate::support::sorted::SortedMap;

/// A kind of number that grows for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// In the plural, for messages: `terms`.
    pub name: &'static str,
    /// Shifts are multiples of it: 1, or the number of nodes where a number says whose turn it is.
    pub step: u64,
}

/// What a number is to a part of the system in which it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Which of [`Election::countings`] it belongs to, by its position.
    pub kind: usize,
    /// Whether it may still be counted up. Numbers below all that may be are only compared, so of
    /// them only the order is kept, and whose turn each says it is ([`Counting::step`]). 0 stays 0
    /// in any case: it stands for "none yet".
    pub grows: bool,
}

impl Counter {
    /// A number that may still be counted up.
    pub fn growing(kind: usize) -> Self {
        Counter { kind, grows: true }
    }

    /// A number that is only compared with others.
    pub fn compared(kind: usize) -> Self {
        Counter { kind, grows: false }
    }
}

/// A part of a system in which numbers stand.
pub enum Part<'a, E: Election> {
    /// What a live node remembers.
    State(&'a mut E::State),
    /// The disk of a node that may start again.
    Disk(&'a mut E::Storage),
    /// The disk of a node that may start again, if nothing has been saved there: it starts with the
    /// numbers with which a new node starts.
    NoDisk,
    /// A timer that runs.
    Timer(&'a mut E::Timer),
    /// A message in flight.
    Message(&'a mut E::Msg),
}

/// How old a running timer is, and when it may fire. A protocol carries it along with its timer,
/// and cannot look at it: states that differ in ages only are simplified alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running(pub(crate) Age);

/// A system between two ticks, as far as it matters for what comes.
pub struct Snapshot<'a, E: Election> {
    /// The nodes' configurations.
    pub nodes: &'a [E],
    /// What each node remembers; `None`: it is down.
    pub states: Vec<Option<E::State>>,
    /// Which nodes may still start again: they are down, or may crash.
    pub may_start: NodeSet,
    /// From whom each node hears, itself included. Empty while links may still change.
    pub hears: Vec<NodeSet>,
    /// The disks, as far as some start may still read them.
    pub disks: Vec<Option<E::Storage>>,
    /// The timers that run, by node.
    pub timers: Vec<SortedMap<E::Timer, Running>>,
    /// What is in flight and may still arrive, each copy for itself. On the ordered network what
    /// one node has sent to another stands in the order in which it was sent, and must stay so.
    pub messages: Vec<Envelope<E::Msg>>,
}

impl<E: Election> Snapshot<'_, E> {
    /// Whether a node hears from no other, for ever.
    pub fn is_deaf(&self, id: Id) -> bool {
        self.hears.get(usize::from(id)).is_some_and(|heard| heard.len() == 1)
    }
}

impl<E: Election> Clone for Snapshot<'_, E> {
    fn clone(&self) -> Self {
        Snapshot {
            nodes: self.nodes,
            states: self.states.clone(),
            may_start: self.may_start,
            hears: self.hears.clone(),
            disks: self.disks.clone(),
            timers: self.timers.clone(),
            messages: self.messages.clone(),
        }
    }
}
