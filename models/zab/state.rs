//! The state of a server: its memory, its disk, and its end of each connection.

use std::fmt::{self, Debug, Display};

use stateright::actor::Id;

use super::message::{Settled, Vote};
use crate::election::{NodeSet, SortedMap};

/// The number of a primary. Zero is before the first.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch after this one.
    pub(super) fn next(self) -> Epoch {
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

/// The name of a transaction. `0.0` stands for the empty history.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zxid {
    /// The epoch of the primary that broadcast it.
    pub epoch: Epoch,
    /// How many transactions that primary had broadcast by then, this one included.
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

/// A transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Txn {
    /// Its name.
    pub zxid: Zxid,
    /// The number of the client's request, counted from 1 on. It tells apart two different
    /// transactions with the same zxid.
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
    pub(super) fn last(&self) -> Zxid {
        self.history.last().map_or(Zxid::default(), |txn| txn.zxid)
    }

    /// How many transactions there are up to and including `zxid`, or `None` if it is not in the
    /// history.
    pub(super) fn position(&self, zxid: Zxid) -> Option<usize> {
        if zxid == Zxid::default() {
            return Some(0);
        }
        self.history.iter().position(|txn| txn.zxid == zxid).map(|i| i + 1)
    }
}

/// The name of one attempt of a server to find and follow a leader, and so of the connection that
/// it opens then. A server's links only grow: the round grows within a life, the incarnation with
/// each restart.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// How often the server had been started before, this start not counted.
    pub incarnation: u32,
    /// The round of the election.
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

/// One end of a connection: what TCP remembers. The model's network loses, repeats and reorders
/// messages. These numbers make a connection what Zab assumes: a channel in order and without gaps
/// as long as it exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// The connection's name.
    pub link: Link,
    /// How many were read from the other end.
    pub read: u32,
    /// How many were written to it.
    pub written: u32,
}

/// What TCP does with something that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It belongs to another connection, or was read before: it is ignored.
    Void,
    /// It is the next to be read.
    Next,
    /// Something before it was lost: the connection is broken.
    Gap,
}

impl Channel {
    /// What TCP does with the `place`-th thing that the other end has written.
    pub(super) fn arrival(&self, link: Link, place: u32) -> Arrival {
        if link != self.link || place <= self.read {
            Arrival::Void
        } else if place == self.read + 1 {
            Arrival::Next
        } else {
            Arrival::Gap
        }
    }

    /// Whether everything that the other end has written was read.
    pub(super) fn is_whole(&self, written: u32) -> bool {
        self.read >= written
    }
}

/// A server's memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The name of its round of the election, and of the connection that it opens in it.
    pub link: Link,
    /// The copy in memory of what is on disk.
    pub disk: Disk,
    /// How many transactions of the history were delivered since the last start.
    pub delivered: usize,
    /// False after a restart that found the disk empty, until a leader has given it a history.
    pub initialised: bool,
    /// What it does.
    pub role: Role,
}

impl State {
    /// What was delivered since the last start, in order.
    pub(super) fn delivered(&self) -> &[Txn] {
        &self.disk.history[..self.delivered]
    }

    /// The epoch that this server leads or tries to lead, once it has chosen one.
    pub(super) fn attempt(&self) -> Option<Epoch> {
        match &self.role {
            Role::Leading(leading) if leading.stand != Stand::Discovery => Some(self.disk.accepted),
            _ => None,
        }
    }
}

/// What a server does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Looks for a leader: phase 0.
    Looking(Looking),
    /// Follows a leader, or tries to.
    Following(Following),
    /// Leads, or tries to.
    Leading(Leading),
}

/// A server in phase 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Looking {
    /// The vote that this server casts now.
    pub vote: Option<Vote>,
    /// The votes that others cast in this round.
    pub votes: SortedMap<Id, Vote>,
    /// What servers that have left the election say.
    pub settled: SortedMap<Id, Settled>,
}

/// A follower. From its promise on, its leader's epoch is the one that it accepted last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Following {
    /// Whom it follows.
    pub leader: Id,
    /// How far it has come.
    pub phase: Phase,
    /// Its end of the connection.
    pub channel: Channel,
}

/// How far a follower has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Waits for NEWEPOCH.
    Discovery,
    /// Waits for NEWLEADER.
    Synchronisation,
    /// Has the leader's history and waits for UPTODATE.
    Synchronised,
    /// Logs and delivers what the leader broadcasts.
    Broadcast,
}

/// A leader, prospective until the phase of broadcast. From its choice on, its epoch is the one
/// that it accepted last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leading {
    /// How far it has come.
    pub stand: Stand,
    /// The followers whose connections live.
    pub learners: SortedMap<Id, Learner>,
    /// The last connection of each follower whose connection broke. It is never opened again.
    pub broken: SortedMap<Id, Link>,
    /// The followers that have answered a ping since a quorum last did.
    pub heard: NodeSet,
}

impl Leading {
    /// Whether a server's connection is later than all that it had with this leader.
    pub(super) fn is_new(&self, node: Id, link: Link) -> bool {
        let last = self.learners.get(&node).map(|learner| learner.channel.link);
        last.or(self.broken.get(&node).copied()).is_none_or(|last| last < link)
    }
}

/// How far a leader has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stand {
    /// Waits for FOLLOWERINFO of a quorum.
    Discovery,
    /// Has chosen an epoch and waits for the promise of a quorum.
    Negotiation {
        /// Who has promised, the leader included.
        promised: NodeSet,
    },
    /// Waits for a quorum to have its history.
    Synchronisation,
    /// Leads.
    Broadcast,
}

/// A follower as its leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Learner {
    /// The leader's end of the connection.
    pub channel: Channel,
    /// How far the follower has come.
    pub stage: Stage,
}

impl Learner {
    /// Whether everything up to `zxid` is on its disk, in this epoch.
    pub(super) fn has(&self, zxid: Zxid) -> bool {
        matches!(self.stage, Stage::Synced { acked } if acked >= zxid)
    }
}

/// How far a follower has come, as its leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// FOLLOWERINFO came, no epoch is chosen yet.
    Connected {
        /// The last epoch that the follower has promised.
        accepted: Epoch,
    },
    /// NEWEPOCH was written.
    Invited,
    /// ACKEPOCH came, NEWLEADER was not written yet.
    Promised {
        /// The last transaction of the follower's history.
        last: Zxid,
    },
    /// NEWLEADER was written.
    Syncing {
        /// The last transaction of the history that NEWLEADER brought.
        upto: Zxid,
    },
    /// The leader's history is on its disk.
    Synced {
        /// The last transaction that is on its disk.
        acked: Zxid,
    },
}
