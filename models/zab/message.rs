//! The messages between servers, their timers, and the choices made outside the protocol.

use std::fmt::{self, Debug};

use stateright::actor::Id;

use super::state::{Epoch, Link, Txn, Zxid};
use crate::election::node_name;

/// A message between two servers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// A vote, sent to all other servers.
    Notification {
        /// The round in which it is cast.
        link: Link,
        /// The vote; `None` from a server that may not vote.
        vote: Option<Vote>,
    },
    /// The answer of a server that has left the election to a notification.
    Settled {
        /// The round of that notification.
        link: Link,
        /// Where the server went.
        settled: Settled,
    },
    /// From leader to follower.
    Packet {
        /// The connection.
        link: Link,
        /// How many packets the leader had written to it by then, this one included.
        place: u32,
        /// What it says.
        packet: Packet,
    },
    /// From follower to leader.
    Report {
        /// The connection.
        link: Link,
        /// How many reports the follower had written to it by then, this one included.
        place: u32,
        /// What it says.
        report: Report,
    },
    /// A leader says that the connection lives.
    Ping {
        /// The connection.
        link: Link,
        /// How many packets the leader has written to it.
        written: u32,
    },
    /// A follower answers a ping.
    Pong {
        /// The connection.
        link: Link,
        /// How many reports the follower has written to it.
        written: u32,
    },
}

impl Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Notification { link, vote: Some(vote) } => {
                write!(f, "Notification {{ round: {link:?}, vote: {vote:?} }}")
            }
            Message::Notification { link, vote: None } => {
                write!(f, "Notification {{ round: {link:?}, no vote }}")
            }
            Message::Settled { link, settled } => {
                write!(f, "Settled {{ to: {link:?}, on: {settled:?} }}")
            }
            Message::Packet { link, place, packet } => write!(f, "{packet:?} #{place} of {link:?}"),
            Message::Report { link, place, report } => write!(f, "{report:?} #{place} of {link:?}"),
            Message::Ping { link, written } => write!(f, "Ping #{written} of {link:?}"),
            Message::Pong { link, written } => write!(f, "Pong #{written} of {link:?}"),
        }
    }
}

/// A vote of Fast Leader Election. Its order is that of its fields: more recent first by epoch,
/// then by the last transaction; the server's number only breaks the tie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// The epoch of the history for which the vote is cast.
    pub epoch: Epoch,
    /// The last transaction of that history.
    pub zxid: Zxid,
    /// The server that has that history.
    pub leader: Id,
}

impl Debug for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} of epoch {}", node_name(self.leader), self.zxid, self.epoch)
    }
}

/// How a server that has left the election describes its result to one that has not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settled {
    /// The round in which it left the election.
    pub round: u32,
    /// Whom it follows; itself, if it leads.
    pub leader: Id,
    /// The last epoch that it has promised.
    pub epoch: Epoch,
}

impl Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in epoch {}, round {}", node_name(self.leader), self.epoch, self.round)
    }
}

/// What a leader writes to a follower.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Packet {
    /// NEWEPOCH: asks for a promise (l.1.1).
    NewEpoch {
        /// The epoch that the leader has chosen.
        epoch: Epoch,
    },
    /// NEWLEADER: brings the follower's history to the leader's (l.2.1).
    NewLeader {
        /// The leader's epoch.
        epoch: Epoch,
        /// How the follower's history becomes the leader's.
        sync: Sync,
    },
    /// UPTODATE: the acknowledgement of NEWLEADER is itself committed (COMMIT-LD in the paper).
    UpToDate {
        /// The last transaction that is committed.
        zxid: Zxid,
    },
    /// PROPOSE: asks to log a transaction (l.3.1).
    Propose {
        /// The transaction.
        txn: Txn,
    },
    /// COMMIT: a quorum has logged a transaction (l.3.2).
    Commit {
        /// The transaction's name.
        zxid: Zxid,
    },
}

/// How a follower's history becomes the leader's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sync {
    /// Append these.
    Diff(Vec<Txn>),
    /// Forget everything after this one, then append these.
    Trunc(Zxid, Vec<Txn>),
    /// Forget everything; this is the history.
    Snap(Vec<Txn>),
}

/// What a follower writes to its leader.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// FOLLOWERINFO, CEPOCH in the paper: opens the connection (f.1.1).
    FollowerInfo {
        /// The last epoch that the follower has promised.
        accepted: Epoch,
    },
    /// ACKEPOCH: promises an epoch (f.1.2).
    AckEpoch {
        /// The epoch promised.
        epoch: Epoch,
        /// The epoch of the follower's history; withheld if this cannot count as a promise.
        current: Option<Epoch>,
        /// The last transaction of the follower's history.
        last: Zxid,
    },
    /// Acknowledges NEWLEADER: the leader's history is on disk (f.2.1).
    AckNewLeader {
        /// The leader's epoch.
        epoch: Epoch,
    },
    /// Acknowledges PROPOSE: the transaction is on disk (f.3.1).
    Ack {
        /// The transaction's name.
        zxid: Zxid,
    },
}

impl Report {
    /// The epoch that it speaks of; none before the leader has chosen one.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        match self {
            Report::FollowerInfo { .. } => None,
            Report::AckEpoch { epoch, .. } | Report::AckNewLeader { epoch } => Some(*epoch),
            Report::Ack { zxid } => Some(zxid.epoch),
        }
    }
}

/// A server's timers. The names say what is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Ask again: repeat the vote, or the request to connect.
    Retry,
    /// A quorum agrees: wait a little for a better vote before the election is left.
    Finalize,
    /// Tell the followers that their leader lives.
    Ping,
    /// Nothing was heard: of the leader, or of a quorum of followers.
    Contact,
}

/// What is chosen outside the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// A client asks the primary to broadcast this value.
    Broadcast(u32),
    /// The oracle names whom to follow.
    Elect(Id),
}

impl Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Broadcast(value) => write!(f, "Broadcast {value}"),
            Choice::Elect(leader) => write!(f, "Elect {}", node_name(*leader)),
        }
    }
}
