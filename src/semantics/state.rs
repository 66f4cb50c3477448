//! The state of a whole system: its nodes, what is in flight, and what is remembered.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use stateright::actor::Id;

use crate::election::{Election, NodeSet, node_name};
use crate::semantics::network::Network;
use crate::semantics::node::NodeOf;
use crate::semantics::world::World;

/// The state of a whole system. Cloning shares nodes and world.
pub struct SystemState<E: Election> {
    /// By identifier.
    pub nodes: Vec<Arc<NodeOf<E>>>,
    /// What is in flight and may arrive now.
    pub network: Network<E::Msg>,
    /// What arrives in the next tick: see [`Rules::latency`](crate::semantics::Rules::latency).
    pub later: Network<E::Msg>,
    /// Everything else: who led, what the witness saw, the budgets.
    pub world: Arc<World<E::Witness>>,
}

impl<E: Election> SystemState<E> {
    /// The nodes that are up.
    pub fn live(&self) -> NodeSet {
        (0..self.nodes.len()).filter(|&i| self.nodes[i].is_up()).map(Id::from).collect()
    }

    /// Everything in flight, whether it may arrive now or in the next tick.
    pub fn in_flight(&self) -> Network<E::Msg> {
        let mut all = self.network.clone();
        all.join(&self.later);
        all
    }

    /// The states of the nodes that are up.
    pub fn node_states(&self) -> impl Iterator<Item = (Id, &E::State)> {
        self.nodes.iter().enumerate().filter_map(|(i, n)| Some((Id::from(i), n.state.as_deref()?)))
    }
}

impl<E: Election> Clone for SystemState<E> {
    fn clone(&self) -> Self {
        SystemState {
            nodes: self.nodes.clone(),
            network: self.network.clone(),
            later: self.later.clone(),
            world: self.world.clone(),
        }
    }
}

impl<E: Election> PartialEq for SystemState<E> {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
            && self.network == other.network
            && self.later == other.later
            && self.world == other.world
    }
}

impl<E: Election> Hash for SystemState<E> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.nodes.hash(hasher);
        self.network.hash(hasher);
        self.later.hash(hasher);
        self.world.hash(hasher);
    }
}

impl<E: Election> Debug for SystemState<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.nodes.iter().enumerate().map(|(i, node)| (Named(Id::from(i)), node));
        f.debug_struct("SystemState")
            .field("nodes", &named.collect::<BTreeMap<_, _>>())
            .field("network", &self.network)
            .field("later", &self.later)
            .field("world", &self.world)
            .finish()
    }
}

/// A node that shows itself under its name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named(Id);

impl Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&node_name(self.0))
    }
}
