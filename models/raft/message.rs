//! What servers say to each other: the two remote procedure calls of figure 2 and the pre-vote of the thesis.
//!
//! Results carry what a server that has sent several requests needs to know to which of them they belong. Requests and
//! results that could not tell their receiver anything are not sent at all; the README lists them.

use std::fmt::{self, Debug};

use super::log::{Entry, Position};
use crate::election::Term;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// RequestVote RPC. The sender is the candidate.
    RequestVote { term: Term, last: Position },
    /// A RequestVote RPC's result: the vote is granted.
    Vote { term: Term },
    /// Would you vote for me in `term`, which is the one after mine? (Thesis 9.6.)
    PreVote { term: Term, last: Position },
    /// I would.
    PreVoteGranted { term: Term },
    /// AppendEntries RPC. The sender is the leader; without an entry it is a heartbeat.
    AppendEntries { term: Term, prev: Position, entry: Option<Entry>, commit: usize },
    /// An AppendEntries RPC's result `success`: my log agrees with yours up to `matched`.
    Appended { term: Term, matched: usize },
    /// An AppendEntries RPC's result: my log does not contain your entry at `prev`.
    Mismatch { term: Term, prev: usize },
    /// Any RPC's result where the receiver's term is the higher one.
    Refused { term: Term },
}

impl Message {
    /// The sender's term, where the message states it. The term of a pre-vote is one that nobody has reached.
    pub fn term(&self) -> Option<Term> {
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

/// Short, for traces: what is zero or empty is left out.
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
