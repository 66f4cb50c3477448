//! The messages between servers: the two remote procedure calls of figure 2 and the pre-vote of the
//! thesis; and their contents: entries of the log, with the commands of clients.
//!
//! A result carries data that say to which request it belongs. Requests and results from which the
//! receiver would learn nothing are not sent; the README lists them.

use std::fmt::{self, Debug};

use super::members::Members;
use crate::election::Term;

/// A message from one server to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// RequestVote RPC (figure 2). The sender is the candidate.
    RequestVote {
        /// The candidate's term.
        term: Term,
        /// Where the candidate's log ends: lastLogIndex and lastLogTerm.
        last: Position,
    },
    /// A RequestVote RPC's result: the vote is granted.
    Vote {
        /// The term in which it is given.
        term: Term,
    },
    /// Asks for a pre-vote (thesis 9.6): "would you vote for me in this term?"
    PreVote {
        /// The term after the sender's own.
        term: Term,
        /// Where the sender's log ends.
        last: Position,
    },
    /// The answer to [`Message::PreVote`]: "I would."
    PreVoteGranted {
        /// The term that was asked for.
        term: Term,
    },
    /// AppendEntries RPC (figure 2). The sender is the leader; without an entry it is a heartbeat.
    AppendEntries {
        /// The leader's term.
        term: Term,
        /// The place before the entry: prevLogIndex and prevLogTerm.
        prev: Position,
        /// The entry to append.
        entry: Option<Entry>,
        /// The leader's commit index: leaderCommit.
        commit: usize,
    },
    /// An AppendEntries RPC's result `success`: the follower's log agrees with the leader's.
    Appended {
        /// The follower's term.
        term: Term,
        /// The index up to which the logs agree.
        matched: usize,
    },
    /// An AppendEntries RPC's result: the follower's log does not contain the previous entry.
    Mismatch {
        /// The follower's term.
        term: Term,
        /// The index of that entry: prevLogIndex of the request.
        prev: usize,
    },
    /// Any RPC's result where the receiver's term is the higher one.
    Refused {
        /// The receiver's term.
        term: Term,
    },
}

impl Message {
    /// The sender's term, if the message states it. A pre-vote does not: its term is one that the
    /// sender has not reached.
    pub(super) fn term(&self) -> Option<Term> {
        match *self {
            Message::RequestVote { term, .. }
            | Message::Vote { term }
            | Message::AppendEntries { term, .. }
            | Message::Appended { term, .. }
            | Message::Mismatch { term, .. }
            | Message::Refused { term } => Some(term),
            Message::PreVote { .. } | Message::PreVoteGranted { .. } => None,
        }
    }
}

/// A short form for traces, which leaves out fields that are zero or empty.
impl Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, term) = match self {
            Message::RequestVote { term, .. } => ("RequestVote", term),
            Message::Vote { term } => ("Vote", term),
            Message::PreVote { term, .. } => ("PreVote", term),
            Message::PreVoteGranted { term } => ("PreVoteGranted", term),
            Message::AppendEntries { term, .. } => ("AppendEntries", term),
            Message::Appended { term, .. } => ("Appended", term),
            Message::Mismatch { term, .. } => ("Mismatch", term),
            Message::Refused { term } => ("Refused", term),
        };
        let mut shown = f.debug_struct(name);
        shown.field("term", &term.0);
        match self {
            Message::RequestVote { last, .. } | Message::PreVote { last, .. } if last.index > 0 => {
                shown.field("last", last);
            }
            Message::AppendEntries { prev, entry, commit, .. } => {
                if prev.index > 0 {
                    shown.field("prev", prev);
                }
                if let Some(entry) = entry {
                    shown.field("entry", entry);
                }
                if *commit > 0 {
                    shown.field("commit", commit);
                }
            }
            Message::Appended { matched, .. } if *matched > 0 => {
                shown.field("matched", matched);
            }
            Message::Mismatch { prev, .. } => {
                shown.field("prev", prev);
            }
            _ => {}
        }
        shown.finish()
    }
}

/// A server's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The election timeout of a server that does not lead.
    Election,
    /// The interval between a leader's heartbeats.
    Heartbeat,
    /// With PreVote: the minimum election timeout since a leader was heard.
    Lease,
    /// With CheckQuorum: the time within which a leader must hear from a quorum.
    Quorum,
}

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    /// A value. Clients number what they ask for, so that no two values are alike.
    Value(u32),
    /// Another configuration of the cluster.
    Members(Members),
}

impl Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Value(number) => write!(f, "v{number}"),
            Command::Members(members) => Debug::fmt(members, f),
        }
    }
}

/// A command with the term in which a leader received it. Shown as `term:command`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The term of the leader that received the command.
    pub term: Term,
    /// What a client has asked for.
    pub command: Command,
}

impl Entry {
    /// Makes all values one.
    pub(super) fn forget_value(&mut self) {
        if let Command::Value(number) = &mut self.command {
            *number = 0;
        }
    }
}

impl Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.term, self.command)
    }
}

/// The index and term of an entry; index 0, term 0 is the place before the first. Shown as
/// `index@term`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Counted from 1.
    pub index: usize,
    /// The term of the entry there.
    pub term: Term,
}

impl Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index, self.term)
    }
}
