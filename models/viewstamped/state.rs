//! What a replica remembers (figure 2 of the paper), and what it keeps on disk.

use stateright::actor::Id;

use super::message::{Answer, Log, Offer, Op};
use crate::election::{NodeSet, SortedMap};

/// The number of a view: the term that its primary leads.
pub type View = u64;

/// What a replica knows (figure 2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The view-number.
    pub view: View,
    /// The log.
    pub log: Log,
    /// The commit-number.
    pub commit: usize,
    /// What the replica takes part in.
    pub status: Status,
}

/// What a replica takes part in (§4), with what it has to remember for that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// In the work of its view (§4.1).
    Normal {
        /// At the primary: the op-number up to which each backup is known to have prepared, where
        /// beyond the commit-number.
        prepared: SortedMap<Id, usize>,
    },
    /// In the change to its view (§4.2).
    ViewChange {
        /// The latest view in which the replica was normal.
        last_normal: View,
        /// Who else has been heard to start this view change. No longer counted once there are
        /// enough.
        started: NodeSet,
        /// At the primary of the new view: the DoViewChange messages, its own included.
        offers: SortedMap<Id, Offer>,
    },
    /// In nothing: it has come back after a crash, and waits for its state (§4.3).
    Recovering {
        /// Tells this recovery from earlier ones.
        nonce: u32,
        /// The latest answer of each other replica.
        answers: SortedMap<Id, Answer>,
    },
}

impl State {
    pub(super) fn is_normal(&self) -> bool {
        matches!(self.status, Status::Normal { .. })
    }

    pub(super) fn is_recovering(&self) -> bool {
        matches!(self.status, Status::Recovering { .. })
    }

    /// Whether a replica that is normal in `view` is ahead of this one.
    pub(super) fn is_behind(&self, view: View) -> bool {
        view > self.view || view == self.view && !self.is_normal()
    }

    /// The operations that the replica knows to be committed.
    pub(super) fn committed(&self) -> &[Op] {
        &self.log[..self.commit.min(self.log.len())]
    }
}

/// What is found on disk after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The view-number.
    pub view: View,
    /// The log; empty where only the view-number is kept.
    pub log: Log,
    /// The commit-number; 0 where only the view-number is kept.
    pub commit: usize,
}
