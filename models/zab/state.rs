//! What a server keeps and what it says: the vocabulary of the model.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};

use stateright::actor::Id;

use crate::election::{NodeSet, node_name};

/// The number of a primary. Zero is before the first.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

impl Epoch {
    pub fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

impl Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The name of a transaction: the epoch of the primary that broadcast it, and how many it had broadcast by then.
/// `0.0` stands for the empty history.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zxid {
    pub epoch: Epoch,
    pub counter: u32,
}

impl Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.counter)
    }
}

impl Debug for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// A transaction. Its value is the number of the client's request, which are counted from 1 on: two that share a zxid
/// and are not the same differ in that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Txn {
    pub zxid: Zxid,
    pub value: u32,
}

impl Display for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.zxid, self.value)
    }
}

impl Debug for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// What survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Disk {
    /// The last epoch promised (`f.p` in the paper): no earlier one may be acknowledged any more.
    pub accepted: Epoch,
    /// The last epoch whose initial history was taken over (`f.a`).
    pub current: Epoch,
    /// Every transaction accepted (`h_f`).
    pub history: Vec<Txn>,
}

impl Disk {
    /// The zxid of the last transaction.
    pub fn last(&self) -> Zxid {
        self.history.last().map_or(Zxid::default(), |txn| txn.zxid)
    }

    /// How many transactions there are up to and including `zxid`, or `None` if it is not in the history.
    pub fn position(&self, zxid: Zxid) -> Option<usize> {
        if zxid == Zxid::default() {
            return Some(0);
        }
        self.history.iter().position(|txn| txn.zxid == zxid).map(|i| i + 1)
    }
}

/// The name of one attempt of a server to find and follow a leader, and so of the connection that it opens then.
/// A server's links only grow: its round does within a life, its incarnation from life to life.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    pub incarnation: u32,
    pub round: u32,
}

impl Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.incarnation {
            0 => write!(f, "{}", self.round),
            again => write!(f, "{}/{}", self.round, again + 1),
        }
    }
}

/// One end of a connection: what TCP remembers. The network of the model loses, repeats and reorders; numbers make of it
/// what Zab assumes, a channel that is in order and without gaps for as long as it exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    pub link: Link,
    /// How many were read from the other end.
    pub read: u32,
    /// How many were written to it.
    pub written: u32,
}

/// What TCP makes of something that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Of another connection, or read before: nobody sees it.
    Void,
    Next,
    /// Something before it was lost: the connection is broken.
    Gap,
}

impl Channel {
    pub fn arrival(&self, link: Link, place: u32) -> Arrival {
        if link != self.link || place <= self.read {
            Arrival::Void
        } else if place == self.read + 1 {
            Arrival::Next
        } else {
            Arrival::Gap
        }
    }

    /// Whether everything that the other end has written was read.
    pub fn is_whole(&self, written: u32) -> bool {
        self.read >= written
    }
}

/// A vote of Fast Leader Election. Its order is that of its fields: more recent first by epoch, then by the last
/// transaction; the server's number only breaks the tie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    pub epoch: Epoch,
    pub zxid: Zxid,
    pub leader: Id,
}

impl Debug for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} of epoch {}", node_name(self.leader), self.zxid, self.epoch)
    }
}

/// What a server that has left the election says of it to one that has not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settled {
    pub round: u32,
    pub leader: Id,
    pub epoch: Epoch,
}

impl Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in epoch {}, round {}", node_name(self.leader), self.epoch, self.round)
    }
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

/// From leader to follower.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Packet {
    NewEpoch {
        epoch: Epoch,
    },
    NewLeader {
        epoch: Epoch,
        sync: Sync,
    },
    /// The acknowledgement of NEWLEADER is itself committed (COMMIT-LD in the paper), and so is everything up to `zxid`.
    UpToDate {
        zxid: Zxid,
    },
    Propose {
        txn: Txn,
    },
    Commit {
        zxid: Zxid,
    },
}

/// From follower to leader.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// CEPOCH in the paper.
    FollowerInfo {
        accepted: Epoch,
    },
    /// `current` is withheld if this cannot count as a promise.
    AckEpoch {
        epoch: Epoch,
        current: Option<Epoch>,
        last: Zxid,
    },
    AckNewLeader {
        epoch: Epoch,
    },
    Ack {
        zxid: Zxid,
    },
}

impl Report {
    /// The epoch that it speaks of; none before the leader has chosen one.
    pub fn epoch(&self) -> Option<Epoch> {
        match self {
            Report::FollowerInfo { .. } => None,
            Report::AckEpoch { epoch, .. } | Report::AckNewLeader { epoch } => Some(*epoch),
            Report::Ack { zxid } => Some(zxid.epoch),
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Msg {
    /// A vote cast in the round that `link` names; none by a server that may not vote.
    Notification {
        link: Link,
        vote: Option<Vote>,
    },
    /// The answer of a server that has left the election to the notification of `link`.
    Settled {
        link: Link,
        settled: Settled,
    },
    /// The `place`-th from leader to follower over the connection `link`.
    Packet {
        link: Link,
        place: u32,
        packet: Packet,
    },
    /// The `place`-th from follower to leader.
    Report {
        link: Link,
        place: u32,
        report: Report,
    },
    /// Only says that the connection lives, and how much was written to it.
    Ping {
        link: Link,
        written: u32,
    },
    Pong {
        link: Link,
        written: u32,
    },
}

impl Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Msg::Notification { link, vote: Some(vote) } => {
                write!(f, "Notification {{ round: {link:?}, vote: {vote:?} }}")
            }
            Msg::Notification { link, vote: None } => {
                write!(f, "Notification {{ round: {link:?}, no vote }}")
            }
            Msg::Settled { link, settled } => write!(f, "Settled {{ to: {link:?}, on: {settled:?} }}"),
            Msg::Packet { link, place, packet } => write!(f, "{packet:?} #{place} of {link:?}"),
            Msg::Report { link, place, report } => write!(f, "{report:?} #{place} of {link:?}"),
            Msg::Ping { link, written } => write!(f, "Ping #{written} of {link:?}"),
            Msg::Pong { link, written } => write!(f, "Pong #{written} of {link:?}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Ask again: repeat the vote, or the request to connect.
    Retry,
    /// A quorum agrees: wait a little for a better vote before the election is left.
    Finalize,
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

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// The names of its connections and rounds.
    pub link: Link,
    pub disk: Disk,
    /// How many transactions of the history were delivered since the last start.
    pub delivered: usize,
    /// False after a restart that found the disk empty, until a leader has given it a history.
    pub initialised: bool,
    pub role: Role,
}

impl Server {
    pub fn delivered(&self) -> &[Txn] {
        &self.disk.history[..self.delivered]
    }

    /// The epoch that this server leads or tries to lead, once it has chosen one.
    pub fn attempt(&self) -> Option<Epoch> {
        match &self.role {
            Role::Leading(leading) if leading.stand != Stand::Discovery => Some(self.disk.accepted),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Looking(Looking),
    Following(Following),
    Leading(Leading),
}

/// Phase 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Looking {
    /// The vote that this server casts now.
    pub vote: Option<Vote>,
    /// The votes that others cast in this round.
    pub votes: BTreeMap<Id, Vote>,
    /// What those say who have left the election.
    pub settled: BTreeMap<Id, Settled>,
}

/// A follower. From its promise on, its leader's epoch is the one that it accepted last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Following {
    pub leader: Id,
    pub phase: Phase,
    pub channel: Channel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Waits for NEWEPOCH.
    Discovery,
    /// Waits for NEWLEADER.
    Synchronisation,
    /// Has the leader's history and waits for UPTODATE.
    Synchronised,
    Broadcast,
}

/// A leader, prospective until the phase of broadcast. From its choice on, its epoch is the one that it accepted last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leading {
    pub stand: Stand,
    pub learners: BTreeMap<Id, Learner>,
    /// The last connection of those whose connection broke: it is never opened again.
    pub broken: BTreeMap<Id, Link>,
    /// Who answered a ping since a quorum last did.
    pub heard: NodeSet,
}

impl Leading {
    /// Whether a server's connection is later than all that it had with this leader.
    pub fn is_new(&self, node: Id, link: Link) -> bool {
        let last = self.learners.get(&node).map(|learner| learner.channel.link);
        last.or(self.broken.get(&node).copied()).is_none_or(|last| last < link)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stand {
    /// Waits for FOLLOWERINFO of a quorum.
    Discovery,
    /// Has chosen an epoch and waits for the promise of a quorum.
    Negotiation { promised: NodeSet },
    /// Waits for a quorum to have its history.
    Synchronisation,
    /// Leads.
    Broadcast,
}

/// A follower as its leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Learner {
    pub channel: Channel,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// FOLLOWERINFO came, no epoch is chosen yet.
    Connected { accepted: Epoch },
    /// NEWEPOCH was written.
    Invited,
    /// ACKEPOCH came, NEWLEADER was not written yet.
    Promised { last: Zxid },
    /// NEWLEADER was written with a history up to `upto`.
    Syncing { upto: Zxid },
    /// It has everything up to `acked` on disk.
    Synced { acked: Zxid },
}
