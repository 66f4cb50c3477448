//! What a node on a ring remembers.

use stateright::actor::Id;

use super::message::Attempt;

/// What a node knows. Nothing of it survives a crash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The node's role.
    pub(super) role: Role,
    /// The node's latest attempt to lead (textbook; not counted under Chang and Roberts).
    pub(super) attempt: Attempt,
}

/// The role of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    /// Knows of no leader.
    Searching,
    /// Chang and Roberts: has put a number on the ring, its own or a higher one.
    Participating,
    /// Follows that node.
    Following(Id),
    /// Textbook: has won, and waits for its announcement to come round.
    Elect,
    /// Leads.
    Leading,
}
