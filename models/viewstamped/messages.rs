//! What replicas say to each other, and what they wait for (sections 4 and 5 of the paper).

use std::fmt;

use super::{State, View};

/// A client's operation, known by the number of the request that asks for it: no two requests of a run are alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Op(pub u32);

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op{}", self.0)
    }
}

/// The log: the operation with op-number `n` is at `n - 1`, and the op-number of a replica is its log's length.
pub type Log = Vec<Op>;

/// What a replica that has fallen behind, or has forgotten, is sent: a log from some place on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suffix {
    /// The op-number of the last operation that is *not* sent.
    pub after: usize,
    pub ops: Log,
    pub commit: usize,
}

impl Suffix {
    pub(super) fn of(state: &State, after: usize) -> Self {
        let ops = state.log.get(after..).unwrap_or_default().to_vec();
        Suffix { after, ops, commit: state.commit }
    }

    /// The whole log, given the receiver's own up to `after`; `None` if the receiver has not so much.
    pub(super) fn complete(&self, own: &[Op]) -> Option<Log> {
        Some([own.get(..self.after)?, &self.ops].concat())
    }
}

/// The paper's messages. Who sent one is known from its envelope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    Prepare {
        view: View,
        op: Op,
        op_number: usize,
        commit: usize,
    },
    PrepareOk {
        view: View,
        op_number: usize,
    },
    Commit {
        view: View,
        commit: usize,
    },
    StartViewChange {
        view: View,
    },
    DoViewChange {
        view: View,
        offer: Offer,
    },
    StartView {
        view: View,
        log: Log,
        commit: usize,
    },
    /// `view` is the one on disk, `op_number` how much of the log is (§5.1); both 0 without a disk.
    Recovery {
        nonce: u32,
        view: View,
        op_number: usize,
    },
    RecoveryResponse {
        nonce: u32,
        answer: Answer,
    },
    GetState {
        view: View,
        op_number: usize,
    },
    NewState {
        view: View,
        suffix: Suffix,
    },
}

/// What a replica contributes to a view change (§4.2, step 2). The order is the order in which logs are preferred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offer {
    /// The latest view in which its status was normal.
    pub last_normal: View,
    pub log: Log,
    pub commit: usize,
}

/// What a replica tells a recovering one (§4.3, step 2): the view, and the log if it is the view's primary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Answer {
    pub view: View,
    pub suffix: Option<Suffix>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// An idle primary sends Commit.
    Heartbeat,
    /// The primary, or the view change, has taken too long.
    ViewChange,
    /// The answers to a Recovery have taken too long, or do not suffice.
    Recovery,
}

/// A client's request that has reached the primary, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(pub u32);
