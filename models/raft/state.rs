//! A server's state: what is on its disk, and what it has in memory besides (figure 2, State).

use stateright::actor::Id;

use super::log::Log;
use crate::election::{NodeSet, Term};

/// Persistent state on all servers (figure 2, State): saved before anything that depends on it is
/// sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The latest term that the server has seen: currentTerm.
    pub term: Term,
    /// The candidate that has the server's vote in this term: votedFor.
    pub voted_for: Option<Id>,
    /// The entries.
    pub log: Log,
}

/// A server's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The copy in memory of what is on disk. The two are equal whenever a handler has ended. They
    /// differ in the middle of a handler, and where a planted bug forgets what was on disk.
    pub persistent: Disk,
    /// The highest index known to be committed: commitIndex. A committed entry counts as applied
    /// at once.
    pub commit: usize,
    /// The server's role, with the data of that role.
    pub role: Role,
}

/// The roles of figure 4, and the pre-candidate of the thesis (9.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Answers the requests of leaders and candidates.
    Follower {
        /// The leader of the term, if the server has heard from it.
        leader: Option<Id>,
        /// Whether it has heard from that leader within the minimum election timeout. Kept only
        /// with PreVote, or where candidates are disregarded meanwhile.
        lease: bool,
    },
    /// Asks whether it would win the next term.
    PreCandidate {
        /// Those that have said yes, itself included, in the order of servers.
        votes: Vec<Id>,
    },
    /// Asks for votes in its term.
    Candidate {
        /// Those that have voted for it, itself included, in the order of servers.
        votes: Vec<Id>,
    },
    /// Leads its term.
    Leader(Leadership),
}

/// Volatile state on leaders, reinitialised after election (figure 2, State).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// What the leader knows of each server's log, by server. The leader's own place is not used.
    pub progress: Vec<Progress>,
    /// Who has answered since the quorum was last checked. Kept only with CheckQuorum.
    pub heard: NodeSet,
}

/// What a leader knows of one server's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The index of the next entry to send: nextIndex.
    pub next: usize,
    /// The highest index known to be replicated there: matchIndex.
    pub matched: usize,
}
