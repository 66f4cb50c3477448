//! What a node remembers: its role.

use stateright::actor::Id;

use crate::election::NodeSet;

/// The role of a node: what it is doing. It is all that a node knows, and nothing of it survives a
/// crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Was started for the first time and has called no election: gives the others time to be
    /// heard.
    Idle,
    /// Has asked the higher nodes, and waits for an answer.
    Electing,
    /// Was answered by a higher node, and waits for a coordinator to be announced.
    Waiting,
    /// Follows that node.
    Following(Id),
    /// With quorums: has won, but only these nodes, itself included, have accepted it, and they are
    /// no majority.
    Claiming(NodeSet),
    /// Leads.
    Leading,
}
