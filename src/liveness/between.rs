//! A system between two ticks.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use stateright::actor::{Envelope, Id};

use super::few::Few;
use super::ticks::{Bag, bury};
use crate::election::{Age, CLIENT, Election, NodeSet, Running, Snapshot};
use crate::semantics::network::Network;
use crate::semantics::node::NodeOf;
use crate::semantics::topology::Topology;
use crate::semantics::world::Faults;
use crate::semantics::{Rules, System, SystemState};
use crate::support::sorted::SortedMap;

/// A system between two ticks: nothing has happened yet in the tick that begins.
pub(super) struct Between<E: Election> {
    pub(super) nodes: Vec<Arc<NodeOf<E>>>,
    /// What is due at each node, by sender.
    pub(super) due: Vec<Bag<E>>,
    /// What the environment may still do.
    pub(super) left: Few,
}

impl<E: Election> Clone for Between<E> {
    fn clone(&self) -> Self {
        Between { nodes: self.nodes.clone(), due: self.due.clone(), left: self.left }
    }
}

impl<E: Election> PartialEq for Between<E> {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.due == other.due && self.left == other.left
    }
}

impl<E: Election> Eq for Between<E> {}

impl<E: Election> Hash for Between<E> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.nodes.hash(hasher);
        self.due.hash(hasher);
        self.left.hash(hasher);
    }
}

impl<E: Election> Between<E> {
    /// A state in which everything in flight is due.
    pub(super) fn of(system: &System<E>, state: &SystemState<E>) -> Self {
        let mut due = vec![Bag::<E>::new(state.network.kind()); state.nodes.len()];
        for Envelope { src, dst, msg } in state.network.all() {
            if let Some(due) = due.get_mut(usize::from(dst)) {
                due.put(src, msg);
            }
        }
        Between { nodes: state.nodes.clone(), due, left: Few::of(system, &state.world) }
    }

    /// As a state of the reference semantics.
    pub(super) fn system_state(&self, system: &System<E>) -> SystemState<E> {
        let mut state = system.initial();
        state.nodes = self.nodes.clone();
        state.network = Network::new(system.rules.network);
        for Envelope { src, dst, msg } in self.snapshot(system).messages {
            state.network.send(Envelope { src, dst, msg });
        }
        let Few { crashes, restarts, losses, inputs } = self.left;
        let world = Arc::make_mut(&mut state.world);
        world.left = Faults { crashes, restarts, losses, ..world.left };
        world.inputs_left = inputs.len();
        state
    }

    /// The nodes that are up.
    pub(super) fn live(&self) -> NodeSet {
        let up = self.nodes.iter().enumerate().filter(|(_, node)| node.is_up());
        up.map(|(i, _)| Id::from(i)).collect()
    }

    /// The nodes that are up, or may come back.
    pub(super) fn present(&self) -> NodeSet {
        let nodes = self.nodes.iter().enumerate();
        let present = nodes.filter(|(_, node)| node.is_up() || self.may_start(node));
        present.map(|(i, _)| Id::from(i)).collect()
    }

    /// Whether a node may still start: it is down, or may crash.
    pub(super) fn may_start(&self, node: &NodeOf<E>) -> bool {
        self.left.restarts > 0 && (!node.is_up() || self.left.crashes > 0)
    }

    /// Takes out what is due on links that are cut, and dead messages.
    pub(super) fn lose(&mut self, system: &System<E>, links: &Topology) {
        let is_node = |src: Id| usize::from(src) < system.actors.len();
        for (i, due) in self.due.iter_mut().enumerate() {
            due.retain(|src, _| !is_node(src) || links.is_up(src, Id::from(i)));
            bury(system, Id::from(i), &self.nodes[i], due);
        }
    }

    /// Takes out what cannot matter any more: what is due to a node that is down for good, disks
    /// that nobody will read, offers to clients that hand in nothing more, and what the protocol
    /// says.
    pub(super) fn simplify(&mut self, system: &System<E>, links: &Topology) {
        for i in 0..self.nodes.len() {
            let node = self.nodes[i].clone();
            let may_start = self.may_start(&node);
            if !may_start && !node.is_up() {
                self.due[i].clear();
            }
            if self.left.inputs.len() == 0 && node.choices.contains_key(CLIENT) {
                Arc::make_mut(&mut self.nodes[i]).choices.remove(CLIENT);
            }
            if !may_start && (node.storage.is_some() || node.incarnation > 0) {
                let node = Arc::make_mut(&mut self.nodes[i]);
                node.storage = None;
                node.incarnation = 0;
            }
        }
        let mut snapshot = self.snapshot(system);
        snapshot.hears = hears(self.nodes.len(), &system.rules, links);
        E::simplify(&mut snapshot);
        self.take_over(snapshot);
    }

    /// As the protocol sees it.
    pub(super) fn snapshot<'a>(&self, system: &'a System<E>) -> Snapshot<'a, E> {
        let mut messages = Vec::new();
        for (i, due) in self.due.iter().enumerate() {
            let envelope =
                |(src, msg): (Id, &E::Msg)| Envelope { src, dst: Id::from(i), msg: msg.clone() };
            messages.extend(due.iter().map(envelope));
        }
        let nodes = || self.nodes.iter();
        Snapshot {
            nodes: &system.actors,
            states: nodes().map(|node| node.state.as_deref().cloned()).collect(),
            may_start: (0..self.nodes.len())
                .map(Id::from)
                .filter(|id| self.may_start(&self.nodes[usize::from(*id)]))
                .collect(),
            hears: Vec::new(),
            disks: nodes().map(|node| node.storage.as_deref().cloned()).collect(),
            timers: nodes().map(|node| running(&node.timers).collect()).collect(),
            messages,
        }
    }

    /// Takes over what a protocol has made of a snapshot.
    pub(super) fn take_over(&mut self, snapshot: Snapshot<'_, E>) {
        let Snapshot { states, disks, timers, messages, .. } = snapshot;
        let parts = states.into_iter().zip(disks).zip(timers);
        for (node, ((state, disk), timers)) in self.nodes.iter_mut().zip(parts) {
            let timers: SortedMap<E::Timer, Age> =
                timers.into_iter().map(|(timer, Running(age))| (timer, age)).collect();
            let is_same = node.state.as_deref() == state.as_ref()
                && node.storage.as_deref() == disk.as_ref()
                && node.timers == timers;
            if !is_same {
                let node = Arc::make_mut(node);
                node.state = state.map(Arc::new);
                node.storage = disk.map(Arc::new);
                node.timers = timers;
            }
        }
        self.due.iter_mut().for_each(Bag::<E>::clear);
        for Envelope { src, dst, msg } in messages {
            self.due[usize::from(dst)].put(src, msg);
        }
    }
}

/// Timers as a protocol sees them.
fn running<T: Clone>(timers: &SortedMap<T, Age>) -> impl Iterator<Item = (T, Running)> {
    timers.iter().map(|(timer, age)| (timer.clone(), Running(*age)))
}

/// From whom each node hears, itself included. Nothing is said of it while links may change, as
/// they may if the first are to be cut.
fn hears(nodes: usize, rules: &Rules, links: &Topology) -> Vec<NodeSet> {
    if rules.faults.switches > 0 && *links == rules.topologies[0] {
        return Vec::new();
    }
    let ids = || (0..nodes).map(Id::from);
    ids().map(|dst| ids().filter(|src| links.is_up(*src, dst)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::network::NetworkKind;
    use crate::semantics::node::Clock;
    use crate::semantics::world::Faults;
    use crate::semantics::{Bounds, Latency, Timing};

    #[test]
    fn who_hears_whom_is_known_once_links_stay_as_they_are() {
        let links = |name| Topology::parse(name, 3).unwrap();
        let (before, after) = (links("cut(n2>n1)"), links("isolate(n1)"));
        let mut rules = Rules {
            network: NetworkKind::Unordered,
            timing: Timing::Timed,
            clock: Clock::Absent,
            latency: Latency::OneTick,
            bounds: Bounds::default(),
            faults: Faults::none(),
            topologies: vec![before.clone(), after.clone()],
            keep_dead: false,
            remember: false,
        };
        let heard = |rules: &Rules, links: &Topology| {
            hears(3, rules, links).iter().map(|set| set.len()).collect::<Vec<usize>>()
        };
        assert_eq!(heard(&rules, &before), [2, 3, 3]);
        rules.faults.switches = 1;
        assert_eq!(heard(&rules, &before), [0; 0]);
        assert_eq!(heard(&rules, &after), [1, 2, 2]);
    }
}
