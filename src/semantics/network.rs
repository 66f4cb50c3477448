//! The three networks of stateright, from which messages can also be removed: unordered (a
//! multiset), duplicating (a set; delivery does not remove a message), ordered (one queue for each
//! directed pair of nodes).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use stateright::actor::{Envelope, Id};

use crate::support::sorted::{SortedMap, SortedSet};

/// How messages travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// Any message in flight may be delivered next; each is delivered at most once.
    #[default]
    Unordered,
    /// Any message ever sent, and not lost, may be delivered again.
    Duplicating,
    /// First in, first out, between each pair of nodes.
    Ordered,
}

/// The messages in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Network<M> {
    /// How many copies of each message are in flight.
    Unordered(SortedMap<Envelope<M>, u32>),
    /// The messages that were ever sent. Delivery does not remove them.
    Duplicating(SortedSet<Envelope<M>>),
    /// No queue is empty.
    Ordered(SortedMap<(Id, Id), VecDeque<M>>),
}

impl<M: Ord + Clone> Network<M> {
    /// Nothing is in flight.
    pub fn new(kind: NetworkKind) -> Self {
        match kind {
            NetworkKind::Unordered => Network::Unordered(SortedMap::new()),
            NetworkKind::Duplicating => Network::Duplicating(SortedSet::new()),
            NetworkKind::Ordered => Network::Ordered(SortedMap::new()),
        }
    }

    /// Puts a message in flight.
    pub fn send(&mut self, envelope: Envelope<M>) {
        match self {
            Network::Unordered(bag) => *bag.get_or_insert(envelope, 0) += 1,
            Network::Duplicating(set) => {
                set.insert(envelope);
            }
            Network::Ordered(flows) => {
                let flow = (envelope.src, envelope.dst);
                flows.get_or_insert(flow, VecDeque::new()).push_back(envelope.msg);
            }
        }
    }

    /// Puts all that is in flight there in flight here, too, in its order.
    pub fn join(&mut self, other: &Network<M>) {
        other.all().into_iter().for_each(|envelope| self.send(envelope));
    }

    /// How messages travel here.
    pub fn kind(&self) -> NetworkKind {
        match self {
            Network::Unordered(_) => NetworkKind::Unordered,
            Network::Duplicating(_) => NetworkKind::Duplicating,
            Network::Ordered(_) => NetworkKind::Ordered,
        }
    }

    /// The messages in flight, each copy for itself, those of a queue in its order.
    pub fn all(&self) -> Vec<Envelope<M>> {
        match self {
            Network::Unordered(bag) => {
                let copies = |(e, n): (&Envelope<M>, &u32)| vec![e.clone(); *n as usize];
                bag.iter().flat_map(copies).collect()
            }
            Network::Duplicating(set) => set.iter().cloned().collect(),
            Network::Ordered(flows) => {
                let queue = |(&(src, dst), queue): (&(Id, Id), &VecDeque<M>)| {
                    let envelope = |msg: &M| Envelope { src, dst, msg: msg.clone() };
                    queue.iter().map(envelope).collect::<Vec<_>>()
                };
                flows.iter().flat_map(queue).collect()
            }
        }
    }

    /// The distinct messages that could be next to arrive: all, or the head of each queue.
    pub fn heads(&self) -> Vec<Envelope<M>> {
        match self {
            Network::Unordered(bag) => bag.keys().cloned().collect(),
            Network::Duplicating(set) => set.iter().cloned().collect(),
            Network::Ordered(flows) => flows
                .iter()
                .map(|(&(src, dst), queue)| Envelope { src, dst, msg: queue[0].clone() })
                .collect(),
        }
    }

    /// The distinct messages in flight, wherever they stand in a queue.
    pub fn distinct(&self) -> Vec<Envelope<M>> {
        match self {
            Network::Ordered(flows) => {
                let all = flows.iter().flat_map(|(&(src, dst), queue)| {
                    queue.iter().map(move |msg| Envelope { src, dst, msg: msg.clone() })
                });
                all.collect::<SortedSet<_>>().into_iter().collect()
            }
            _ => self.heads(),
        }
    }

    /// Takes out one copy (in a queue, the first). Delivery on a duplicating network must not call
    /// this.
    pub fn remove(&mut self, envelope: &Envelope<M>) -> bool {
        match self {
            Network::Unordered(bag) => match bag.get_mut(envelope) {
                Some(1) => bag.remove(envelope).is_some(),
                Some(copies) => {
                    *copies -= 1;
                    true
                }
                None => false,
            },
            Network::Duplicating(set) => set.remove(envelope),
            Network::Ordered(flows) => {
                let key = (envelope.src, envelope.dst);
                let Some(queue) = flows.get_mut(&key) else { return false };
                let Some(i) = queue.iter().position(|m| *m == envelope.msg) else { return false };
                queue.remove(i);
                if queue.is_empty() {
                    flows.remove(&key);
                }
                true
            }
        }
    }

    /// Keeps only the messages for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(Id, Id, &M) -> bool) {
        match self {
            Network::Unordered(bag) => bag.retain(|e, _| keep(e.src, e.dst, &e.msg)),
            Network::Duplicating(set) => set.retain(|e| keep(e.src, e.dst, &e.msg)),
            Network::Ordered(flows) => flows.retain(|&(src, dst), queue| {
                queue.retain(|msg| keep(src, dst, msg));
                !queue.is_empty()
            }),
        }
    }

    /// How many messages are in flight, copies counted.
    pub fn len(&self) -> usize {
        match self {
            Network::Unordered(bag) => bag.values().map(|&n| n as usize).sum(),
            Network::Duplicating(set) => set.len(),
            Network::Ordered(flows) => flows.values().map(VecDeque::len).sum(),
        }
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The largest number of copies of one message.
    pub fn most_copies(&self) -> usize {
        match self {
            Network::Unordered(bag) => bag.values().copied().max().unwrap_or(0) as usize,
            Network::Duplicating(set) => usize::from(!set.is_empty()),
            Network::Ordered(flows) => {
                let copies = |queue: &VecDeque<M>| {
                    queue
                        .iter()
                        .map(|m| queue.iter().filter(|o| *o == m).count())
                        .max()
                        .unwrap_or(0)
                };
                flows.values().map(copies).max().unwrap_or(0)
            }
        }
    }
}
