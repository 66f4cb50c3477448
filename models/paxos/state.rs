//! A node's state: what is on its disk, and what it has in memory besides.

use std::fmt::{self, Debug, Display};

use super::message::{Proposal, Value};
use crate::election::NodeSet;

/// The number of a proposal: a pair (round, node) with rounds from 1, encoded as `round * nodes +
/// node`, so that different nodes use different numbers (section 2.5).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ballot(pub(super) u64);

impl Ballot {
    /// Below every ballot.
    pub(super) const NONE: Ballot = Ballot(0);
}

impl Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Debug for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a node keeps in stable storage (section 2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// Proposer: its next ballot will be above this. The highest ballot that it has used, or was
    /// refused in favour of.
    pub tried: Ballot,
    /// Acceptor: the highest ballot that it has promised to take part in.
    pub promised: Ballot,
    /// Acceptor: the highest-numbered proposal that it has accepted.
    pub accepted: Proposal,
    /// Learner: the value that it knows to be chosen.
    pub learned: Option<Value>,
}

/// Where a proposer stands with the ballot that it tried last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It has no ballot under way.
    #[default]
    Idle,
    /// Phase 1.
    Preparing {
        /// Who has promised, itself included.
        promises: NodeSet,
        /// The proposal that its own will be bound by: of those reported, the one with the highest
        /// number (P2c).
        bound: Proposal,
    },
    /// Phase 2.
    Leading,
}

/// The votes that a learner has heard, for the highest-numbered proposal only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// That proposal.
    pub proposal: Proposal,
    /// The acceptors that have accepted it.
    pub voters: NodeSet,
}

/// A node's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// The copy in memory of what is on disk. The two are equal whenever a handler has ended.
    pub durable: Disk,
    /// The proposer.
    pub phase: Phase,
    /// The learner. Empty once a value is learned.
    pub tally: Tally,
    /// How often the node had been started before.
    pub incarnation: u32,
}
