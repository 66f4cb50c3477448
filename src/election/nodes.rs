//! Terms, names of nodes, sets of nodes, reigns.

use std::fmt::{self, Debug, Display};

use serde::{Deserialize, Serialize};
use stateright::actor::Id;

/// The number under which a leader leads: a Raft term, a Paxos ballot, a Zab epoch, a view.
///
/// A protocol whose ballots are pairs (round, node) encodes them as `round * nodes + node`, which
/// keeps their order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Term(pub u64);

impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The most nodes that a system may have.
pub const MAX_NODES: usize = 16;

/// The name under which people meet a node: `n1` is the node with `Id` 0.
pub fn node_name(id: Id) -> String {
    format!("n{}", usize::from(id) + 1)
}

/// A set of nodes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeSet(u32);

impl NodeSet {
    /// The nodes `0..n`.
    pub fn first(n: usize) -> Self {
        NodeSet(((1u64 << n) - 1) as u32)
    }
    /// The set as bits, the node with `Id` 0 the lowest.
    pub fn bits(self) -> u32 {
        self.0
    }
    /// Adds a node.
    pub fn insert(&mut self, id: Id) {
        self.0 |= 1 << usize::from(id);
    }
    /// Whether a node is in the set.
    pub fn contains(self, id: Id) -> bool {
        self.0 >> usize::from(id) & 1 == 1
    }
    /// How many nodes there are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }
    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// The nodes in ascending order.
    pub fn iter(self) -> impl Iterator<Item = Id> {
        (0..32).filter(move |i| self.0 >> i & 1 == 1).map(|i: usize| Id::from(i))
    }
}

impl FromIterator<Id> for NodeSet {
    fn from_iter<I: IntoIterator<Item = Id>>(ids: I) -> Self {
        let mut set = NodeSet::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

impl Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(node_name).collect();
        write!(f, "{{{}}}", names.join(", "))
    }
}

/// A leader: a node and its incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reign {
    /// Who leads.
    pub node: Id,
    /// How often that node had been started before this start.
    pub incarnation: u32,
}

impl Display for Reign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&node_name(self.node))?;
        if self.incarnation > 0 {
            write!(f, " (start {})", self.incarnation + 1)?;
        }
        Ok(())
    }
}
