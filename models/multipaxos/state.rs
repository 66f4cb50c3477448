//! A node's state: what is on its disk, and what it has in memory besides; ballots and slots.

use std::fmt::{self, Debug};

use stateright::actor::Id;

use super::message::{Value, Votes};
use crate::election::{NodeSet, SortedMap, node_name};

/// A ballot belongs to one node, and ballots are totally ordered: rounds first (PMMC).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ballot {
    /// From 1; 0 is below every ballot.
    pub round: u32,
    /// The number of its owner.
    pub node: u8,
}

impl Debug for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.round {
            0 => f.write_str("none"),
            round => write!(f, "{round}.{}", node_name(self.owner())),
        }
    }
}

impl Ballot {
    /// The one node that may run for this ballot.
    pub(super) fn owner(self) -> Id {
        Id::from(usize::from(self.node))
    }
}

/// A place in the log, from 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(
    /// Its number; 0 is before the first.
    pub u8,
);

impl Slot {
    /// The slot after this one.
    pub(super) fn next(self) -> Slot {
        Slot(self.0 + 1)
    }

    /// The slots from this one to `last`, both included.
    pub(super) fn up_to(self, last: Slot) -> impl Iterator<Item = Slot> {
        (self.0..=last.0).map(Slot)
    }
}

impl Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What survives a crash: saved before anything is sent that depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The promise: the node takes part in no ballot below this one.
    pub promised: Ballot,
    /// The highest round under which this node has campaigned.
    pub round: u32,
    /// The last vote in each slot.
    pub accepted: Votes,
}

impl Disk {
    /// The highest slot with a vote; 0 without any.
    pub(super) fn last(&self) -> Slot {
        self.accepted.last_key_value().map_or(Slot(0), |(slot, _)| *slot)
    }
}

/// A node's memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// A copy of what is on disk once the handler has ended.
    pub durable: Disk,
    /// Every slot up to this one is chosen, and its value is that of the node's own vote. Learned
    /// anew after a crash.
    pub chosen: Slot,
    /// The node's role, with the data of that role.
    pub role: Role,
}

/// What a node is doing for the ballot that it promised last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Waits for its leader.
    Follower,
    /// In phase 1 of the ballot that it promised last.
    Candidate {
        /// Whose promises it has, its own included.
        promises: NodeSet,
        /// Of each slot, the vote under the highest ballot among those promises.
        adopted: Votes,
    },
    /// In phase 2 of the ballot that it promised last.
    Leader {
        /// For each slot the nodes that are known to have accepted its proposal, itself included. A
        /// chosen slot is kept only as long as a heartbeat may have to repeat its proposal. In
        /// slots that were chosen before it led, its own vote remains under an earlier ballot, and
        /// no votes are counted any more.
        acks: SortedMap<Slot, NodeSet>,
    },
}

impl State {
    /// The first slot that the node does not know chosen.
    pub(super) fn first_unchosen(&self) -> Slot {
        self.chosen.next()
    }

    /// What the node believes chosen, in the order of the slots.
    pub(super) fn committed(&self) -> impl Iterator<Item = (Slot, Value)> {
        Slot(1).up_to(self.chosen).map(|slot| (slot, self.durable.accepted[&slot].value))
    }
}
