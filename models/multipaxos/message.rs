//! The messages between nodes, in two phases (PMS 2.2) and as heartbeats; and their contents:
//! values, and votes for them.

use crate::election::SortedMap;
use std::fmt::{self, Debug};

use super::state::{Ballot, Slot};

/// A message from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Phase 1a, for every slot at or above `from`. The sender is the candidate.
    Prepare {
        /// The ballot for which the sender runs.
        ballot: Ballot,
        /// The first slot that the sender does not know chosen.
        from: Slot,
    },
    /// Phase 1b: all that the sender has accepted in those slots.
    Promise {
        /// The ballot that is promised.
        ballot: Ballot,
        /// The sender's last vote in each slot asked for.
        accepted: Votes,
    },
    /// Phase 2a. The sender is the leader.
    Accept {
        /// The ballot that the sender leads.
        ballot: Ballot,
        /// Where the value is to stand.
        slot: Slot,
        /// What is proposed there.
        value: Value,
    },
    /// Phase 2b.
    Accepted {
        /// The ballot under which the sender has voted.
        ballot: Ballot,
        /// The slot of the vote.
        slot: Slot,
    },
    /// The leader is alive, and every slot up to `chosen` is chosen. Sent at once when more is
    /// chosen (a commit notice).
    Heartbeat {
        /// The ballot that the sender leads.
        ballot: Ballot,
        /// The sender's commit index.
        chosen: Slot,
    },
}

/// A node's timers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// How long a node that does not lead waits before it runs for a ballot.
    Election,
    /// The interval between a leader's heartbeats.
    Heartbeat,
}

/// What a slot can hold. Clients choose among inputs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Fills a gap in the log.
    Noop,
    /// What a client asks for, by its number in the run: no two inputs are alike.
    Input(u8),
}

impl Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Noop => f.write_str("noop"),
            Value::Input(number) => write!(f, "v{number}"),
        }
    }
}

/// What an acceptor accepted in a slot, and under which ballot: a PMMC pvalue without its slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// The ballot of the leader that proposed the value.
    pub ballot: Ballot,
    /// What was accepted.
    pub value: Value,
}

impl Debug for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.value, self.ballot)
    }
}

/// At most one vote in each slot.
pub type Votes = SortedMap<Slot, Vote>;
