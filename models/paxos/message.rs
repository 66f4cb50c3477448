//! The messages between nodes, and their contents: values, and proposals with their numbers.

use std::fmt::{self, Debug, Display};

use super::state::Ballot;

/// A message from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// Phase 1 (a): asks an acceptor to prepare for a ballot.
    Prepare {
        /// The ballot that the sender has started.
        ballot: Ballot,
    },
    /// Phase 1 (b): an acceptor promises to accept nothing below a ballot any more.
    Promise {
        /// The ballot that it was asked to prepare for.
        ballot: Ballot,
        /// The highest-numbered proposal that it has accepted.
        accepted: Proposal,
    },
    /// Phase 2 (a): asks an acceptor to accept a proposal.
    Accept {
        /// The proposal of the sender's ballot.
        proposal: Proposal,
    },
    /// Phase 2 (b): an acceptor tells a learner what it has accepted.
    Accepted {
        /// What it has accepted.
        proposal: Proposal,
    },
    /// An acceptor has ignored a request, because it has promised a higher ballot (section 2.2, at
    /// its end).
    Refuse {
        /// The ballot of the request.
        ballot: Ballot,
        /// The ballot that the acceptor has promised.
        promised: Ballot,
    },
    /// A distinguished learner tells the others what is chosen (section 2.3).
    Chosen {
        /// The chosen value.
        value: Value,
    },
}

/// A node's timers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// Time to start a ballot, or a higher one.
    Retry,
}

/// A value, named after the node that wants it, and when: `v1` is what `n1` proposes in its first
/// round if nothing binds it, `v1.2` in its second, and `v1'` in its first round after a restart.
/// So no two free proposals are alike, and properties notice a proposer that uses one ballot twice.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// Who wants it, counted from 1; 0 is nobody.
    pub(super) node: u8,
    /// The round of the ballot that proposed it first.
    pub(super) round: u8,
    /// How often the node had been started before.
    pub(super) life: u8,
}

impl Value {
    /// No value; nobody wants it.
    pub(super) const EMPTY: Value = Value { node: 0, round: 0, life: 0 };
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Value { node, round, life } = *self;
        match (node, round) {
            (0, _) => f.write_str("empty")?,
            (_, 1) => write!(f, "v{node}")?,
            _ => write!(f, "v{node}.{round}")?,
        }
        (0..life).try_for_each(|_| f.write_str("'"))
    }
}

impl Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A numbered proposal, ordered by its number. Shown as `value@ballot`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proposal {
    /// Its number.
    pub ballot: Ballot,
    /// What is proposed.
    pub value: Value,
}

impl Proposal {
    /// Stands for the accepted proposal of an acceptor that has accepted nothing.
    pub(super) const NONE: Proposal = Proposal { ballot: Ballot::NONE, value: Value::EMPTY };
}

impl Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Proposal::NONE {
            f.write_str("none")
        } else {
            write!(f, "{}@{}", self.value, self.ballot)
        }
    }
}
