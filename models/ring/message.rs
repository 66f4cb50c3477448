//! What nodes on a ring say to each other, and what they wait for.

use std::fmt::{self, Debug};

use stateright::actor::Id;

use crate::election::NodeSet;

/// The messages. The first two are Chang and Roberts', the others the textbook's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Chang and Roberts: which number is the highest?
    Candidate {
        /// The highest number met so far.
        number: Id,
    },
    /// Chang and Roberts: an election is over.
    Elected {
        /// The number that came round.
        number: Id,
    },
    /// Textbook: who is alive?
    Election {
        /// The nodes that have added themselves.
        seen: NodeSet,
    },
    /// Textbook: tells the winner that it has won.
    Winner {
        /// The highest node that an election has collected.
        leader: Id,
        /// The nodes that have passed this on.
        seen: NodeSet,
    },
    /// Textbook: a node announces that it has won. When all have seen that, it leads. It repeats
    /// the announcement as its heartbeat.
    Coordinator {
        /// The node that announces itself.
        leader: Id,
        /// Which of its attempts to lead this announces.
        attempt: Attempt,
        /// The nodes that have passed this on.
        seen: NodeSet,
    },
    /// Textbook: a message has arrived.
    Ack {
        /// That message.
        of: Box<Message>,
    },
}

/// Names an attempt of a node to lead. Announcements of an earlier start, or of an earlier attempt,
/// are stale.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// The node's incarnation.
    pub(super) start: u32,
    /// How many attempts there were since that start, this one included.
    pub(super) count: u32,
}

impl Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.start, self.count)
    }
}

/// What a node waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Nothing is heard of a leader. When this ends the node calls an election.
    Monitor,
    /// Textbook: it is time for the leader to be heard again.
    Heartbeat,
    /// Textbook: a message is not acknowledged. When this ends its receiver is dead.
    Skip {
        /// The receiver.
        to: Id,
        /// The message.
        message: Message,
    },
}
