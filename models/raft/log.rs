//! The replicated log: entries, their places, and the comparisons that the paper makes between logs.

use std::fmt::{self, Debug};

use super::members::Members;
use crate::election::Term;

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
    pub term: Term,
    pub command: Command,
}

impl Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.term, self.command)
    }
}

/// The index and term of an entry; index 0, term 0 is the place before the first. Shown as `index@term`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub index: usize,
    pub term: Term,
}

impl Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index, self.term)
    }
}

/// A log. The paper's indices: the first entry has index 1.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Log(Vec<Entry>);

impl Log {
    /// The index of the last entry, 0 if there is none.
    pub fn last_index(&self) -> usize {
        self.0.len()
    }

    pub fn get(&self, index: usize) -> Option<Entry> {
        self.0.get(index.checked_sub(1)?).copied()
    }

    /// The term of the entry at `index`; term 0 before the first entry.
    pub fn term_at(&self, index: usize) -> Option<Term> {
        if index == 0 { Some(Term(0)) } else { self.get(index).map(|entry| entry.term) }
    }

    /// The place of the last entry.
    pub fn last(&self) -> Position {
        Position { index: self.last_index(), term: self.term_at(self.last_index()).unwrap_or_default() }
    }

    /// The first `count` entries, or all if there are fewer.
    pub fn prefix(&self, count: usize) -> &[Entry] {
        &self.0[..count.min(self.last_index())]
    }

    pub fn starts_with(&self, other: &Log) -> bool {
        self.0.starts_with(&other.0)
    }

    pub fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// Keeps the entries up to `index`.
    pub fn truncate(&mut self, index: usize) {
        self.0.truncate(index);
    }

    /// The last configuration in the log and its index.
    pub fn members(&self) -> Option<(usize, Members)> {
        self.0.iter().enumerate().rev().find_map(|(i, entry)| match entry.command {
            Command::Members(members) => Some((i + 1, members)),
            Command::Value(_) => None,
        })
    }
}

impl FromIterator<Entry> for Log {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Log(entries.into_iter().collect())
    }
}

impl Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
