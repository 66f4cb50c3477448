//! Configurations of the cluster: who votes, and which votes are enough (paper section 6, thesis
//! chapter 4).

use std::fmt::{self, Debug};

use stateright::actor::Id;

use super::bugs::Bug;
use crate::election::{NodeSet, node_name};

/// How the cluster's configuration may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// Not at all.
    Fixed,
    /// By one server at a time (thesis 4.1).
    Single,
    /// From any configuration to any other through a joint one (paper section 6).
    Joint,
}

/// A configuration. With `old`, it is a joint one: C(old,new).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Members {
    old: Option<NodeSet>,
    new: NodeSet,
}

impl Members {
    /// The configuration of these servers; not a joint one.
    pub(super) fn of(set: NodeSet) -> Self {
        Members { old: None, new: set }
    }

    /// All servers that belong to it. While it is joint these are those of the old and of the new
    /// one, and all are sent the same entries.
    pub(super) fn all(self) -> NodeSet {
        self.new.iter().chain(self.old.iter().flat_map(|old| old.iter())).collect()
    }

    /// Whether a server belongs to it.
    pub(super) fn contains(self, id: Id) -> bool {
        self.all().contains(id)
    }

    /// The sets in each of which a majority must agree: one set, or two while it is joint.
    pub(super) fn groups(self) -> impl Iterator<Item = NodeSet> {
        std::iter::once(self.new).chain(self.old)
    }

    /// What follows once this one is committed: C(new) after C(old,new).
    pub(super) fn then(self) -> Option<Self> {
        self.old.map(|_| Members::of(self.new))
    }

    /// Whether these servers can decide something: agreement needs a majority of the configuration,
    /// and separate majorities of the old and the new one while it is joint.
    pub(super) fn are_carried_by(self, servers: &[Id], bug: Option<Bug>) -> bool {
        let majority = |set: NodeSet| {
            let present = servers.iter().filter(|&&id| set.contains(id)).count();
            if bug == Some(Bug::HalfQuorum) {
                return present * 2 >= set.len();
            }
            present * 2 > set.len()
        };
        if bug == Some(Bug::UnionQuorum) {
            return majority(self.all());
        }
        majority(self.new) && self.old.is_none_or(majority)
    }

    /// The configurations to which clients may change it in a cluster of `nodes`. A joint one
    /// cannot be changed by clients: its successor is already decided.
    pub(super) fn successors(self, how: Membership, nodes: usize) -> Vec<Self> {
        let all = NodeSet::first(nodes);
        if self.old.is_some() {
            return Vec::new();
        }
        match how {
            Membership::Fixed => Vec::new(),
            Membership::Single => {
                let toggled =
                    |id: Id| all.iter().filter(|&o| self.new.contains(o) != (o == id)).collect();
                all.iter()
                    .map(toggled)
                    .filter(|set: &NodeSet| !set.is_empty())
                    .map(Members::of)
                    .collect()
            }
            Membership::Joint => (1..1u32 << nodes)
                .map(|bits| all.iter().filter(|&id| bits >> usize::from(id) & 1 == 1).collect())
                .filter(|&set: &NodeSet| set != self.new)
                .map(|set| Members { old: Some(self.new), new: set })
                .collect(),
        }
    }
}

impl Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |set: NodeSet| set.iter().map(node_name).collect::<Vec<_>>().join("+");
        if let Some(old) = self.old {
            write!(f, "{{{} & {}}}", names(old), names(self.new))
        } else {
            write!(f, "{{{}}}", names(self.new))
        }
    }
}
