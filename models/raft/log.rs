//! The replicated log, and the comparisons that the paper makes between logs.

use std::fmt::{self, Debug};

use super::members::Members;
use super::message::{Command, Entry, Position};
use crate::election::Term;

/// A log. Its first entry has index 1, as in the paper.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Log(Vec<Entry>);

impl Log {
    /// The index of the last entry, 0 if there is none.
    pub(super) fn last_index(&self) -> usize {
        self.0.len()
    }

    /// The entry at an index, if the log reaches that far. There is none at index 0.
    pub(super) fn get(&self, index: usize) -> Option<Entry> {
        self.0.get(index.checked_sub(1)?).copied()
    }

    /// The term of the entry at `index`; term 0 before the first entry.
    pub(super) fn term_at(&self, index: usize) -> Option<Term> {
        if index == 0 { Some(Term(0)) } else { self.get(index).map(|entry| entry.term) }
    }

    /// The term of each entry.
    pub(super) fn terms(&self) -> impl Iterator<Item = Term> {
        self.0.iter().map(|entry| entry.term)
    }

    /// The place of the last entry.
    pub(super) fn last(&self) -> Position {
        Position {
            index: self.last_index(),
            term: self.term_at(self.last_index()).unwrap_or_default(),
        }
    }

    /// The first `count` entries, or all if there are fewer.
    pub(super) fn prefix(&self, count: usize) -> &[Entry] {
        &self.0[..count.min(self.last_index())]
    }

    /// Whether the other log is a prefix of this one.
    pub(super) fn starts_with(&self, other: &Log) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Appends an entry.
    pub(super) fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// Keeps the entries up to `index`.
    pub(super) fn truncate(&mut self, index: usize) {
        self.0.truncate(index);
    }

    /// Replaces the term of each entry.
    pub(super) fn renumber(&mut self, new: &mut dyn FnMut(Term) -> Term) {
        self.0.iter_mut().for_each(|entry| entry.term = new(entry.term));
    }

    /// Makes all values one.
    pub(super) fn forget_values(&mut self) {
        self.0.iter_mut().for_each(Entry::forget_value);
    }

    /// The last configuration in the log and its index.
    pub(super) fn members(&self) -> Option<(usize, Members)> {
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
