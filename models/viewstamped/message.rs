//! What replicas say to each other, and what they wait for (§4 and §5 of the paper).

use std::fmt;

use super::state::{State, View};

/// A client's operation, known by the number of the request that asks for it. No two requests of a
/// run are alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Op(
    /// The number of the request.
    pub u32,
);

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op{}", self.0)
    }
}

/// The log: the operation with op-number `n` is at `n - 1`, and the op-number of a replica is its
/// log's length.
pub type Log = Vec<Op>;

/// The part of a log that is sent to a replica that has fallen behind or has lost its memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suffix {
    /// The op-number of the last operation that is *not* sent.
    pub after: usize,
    /// The operations after that one.
    pub ops: Log,
    /// The sender's commit-number.
    pub commit: usize,
}

impl Suffix {
    pub(super) fn of(state: &State, after: usize) -> Self {
        let ops = state.log.get(after..).unwrap_or_default().to_vec();
        Suffix { after, ops, commit: state.commit }
    }

    /// The whole log: the receiver's own up to `after`, then these operations. `None` if the
    /// receiver's log is shorter.
    pub(super) fn complete(&self, own: &[Op]) -> Option<Log> {
        Some([own.get(..self.after)?, &self.ops].concat())
    }
}

/// The paper's messages. Who sent one is known from its envelope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The primary asks a backup to prepare an operation (§4.1, step 3).
    Prepare {
        /// The primary's view.
        view: View,
        /// The operation.
        op: Op,
        /// Its place in the log.
        op_number: usize,
        /// The primary's commit-number.
        commit: usize,
    },
    /// A backup has prepared an operation and all earlier ones (§4.1, step 4).
    PrepareOk {
        /// The backup's view.
        view: View,
        /// The operation's place in the log.
        op_number: usize,
    },
    /// An idle primary tells what is committed (§4.1, step 6).
    Commit {
        /// The primary's view.
        view: View,
        /// The primary's commit-number.
        commit: usize,
    },
    /// A replica has started a view change (§4.2, step 1).
    StartViewChange {
        /// The new view.
        view: View,
    },
    /// A replica offers its log to the new primary (§4.2, step 2).
    DoViewChange {
        /// The new view.
        view: View,
        /// The log.
        offer: Offer,
    },
    /// The new primary starts its view (§4.2, step 4).
    StartView {
        /// The new view.
        view: View,
        /// The log with which it starts.
        log: Log,
        /// The new primary's commit-number.
        commit: usize,
    },
    /// A replica that comes back asks for the state that it has lost (§4.3, step 1).
    Recovery {
        /// Tells this recovery from earlier ones.
        nonce: u32,
        /// The view on disk; 0 without a disk.
        view: View,
        /// How much of the log is on disk (§5.1); 0 without a disk.
        op_number: usize,
    },
    /// The answer to [`Message::Recovery`] (§4.3, step 2).
    RecoveryResponse {
        /// The nonce of the recovery.
        nonce: u32,
        /// What the sender knows.
        answer: Answer,
    },
    /// A replica asks for operations that it lacks (§5.2).
    GetState {
        /// The view in which it wants them.
        view: View,
        /// The last operation that it has.
        op_number: usize,
    },
    /// The answer to [`Message::GetState`] (§5.2).
    NewState {
        /// The sender's view.
        view: View,
        /// The operations.
        suffix: Suffix,
    },
}

/// What a replica contributes to a view change (§4.2, step 2). The order is the order in which logs
/// are preferred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offer {
    /// The latest view in which its status was normal.
    pub last_normal: View,
    /// Its log.
    pub log: Log,
    /// Its commit-number.
    pub commit: usize,
}

/// What a replica tells a recovering one (§4.3, step 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Answer {
    /// The view in which it is.
    pub view: View,
    /// The log, if it is the view's primary.
    pub suffix: Option<Suffix>,
}

/// What a replica waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// An idle primary sends Commit.
    Heartbeat,
    /// The primary, or the view change, has taken too long.
    ViewChange,
    /// The answers to a Recovery have taken too long, or do not suffice.
    Recovery,
}

/// A client's request that has reached the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(
    /// Its number.
    pub u32,
);
