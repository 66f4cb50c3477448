//! Which steps can be taken in a state, and where each leads.

use std::mem;
use std::sync::Arc;

use stateright::actor::{Envelope, Id};

use crate::election::{Age, Election, Event};
use crate::semantics::network::Network;
use crate::semantics::node::Disk;
use crate::semantics::rules::{Latency, Timing};
use crate::semantics::state::SystemState;
use crate::semantics::step::{Step, StepOf, event};
use crate::semantics::system::System;
use crate::semantics::world::Faults;

impl<E: Election> System<E> {
    /// All steps that can be taken, each with the state it leads to.
    pub fn successors(&self, state: &SystemState<E>) -> Vec<(StepOf<E>, SystemState<E>)> {
        let candidates = self.candidates(state).into_iter().chain(self.stabilisations(state));
        candidates.filter_map(|step| Some((step.clone(), self.apply(state, &step)?))).collect()
    }

    /// The steps that may be taken. Some of them may turn out to have no effect. Steps that
    /// stabilise are left out, as there is one for each combination of ages: see
    /// [`System::stabilisation`].
    pub fn candidates(&self, state: &SystemState<E>) -> Vec<StepOf<E>> {
        let mut steps = Vec::new();
        let (world, left) = (&*state.world, &state.world.left);
        for Envelope { src, dst, msg } in state.network.heads() {
            if self.is_deliverable(state, src, dst) {
                steps.push(Step::Deliver { src, dst, msg });
            }
        }
        for (i, node) in state.nodes.iter().enumerate() {
            let id = Id::from(i);
            for (timer, age) in &node.timers {
                if self.is_timeless(world) || age.now >= age.first {
                    steps.push(Step::Timeout { node: id, timer: timer.clone() });
                }
            }
            for (key, values) in &node.choices {
                for (k, value) in values.iter().enumerate() {
                    if !values[..k].contains(value) && self.may_choose(world, key, value) {
                        steps.push(Step::Choose {
                            node: id,
                            key: key.clone(),
                            value: value.clone(),
                        });
                    }
                }
            }
            if !node.is_up() && left.restarts > 0 {
                let disks = [Disk::Intact, Disk::Empty, Disk::Older].into_iter();
                let can_be = |disk: &Disk| left.allows(*disk) && node.found(*disk).is_some();
                steps.extend(disks.filter(can_be).map(|disk| Step::Restart { node: id, disk }));
            }
        }
        if left.torn && left.crashes > 0 {
            let whole = steps.clone();
            for step in whole {
                // A step without effect cannot be taken, let alone be interrupted.
                let Some(reaction) = self.reaction(state, &step) else { continue };
                for effects in 0..reaction.effects.len() {
                    steps.push(Step::Torn { step: Box::new(step.clone()), effects });
                }
            }
        }
        if left.crashes > 0 {
            steps.extend(state.live().iter().map(|node| Step::Crash { node }));
        }
        if left.losses > 0 {
            for Envelope { src, dst, msg } in state.network.distinct() {
                steps.push(Step::Lose { src, dst, msg });
            }
        }
        if left.duplications > 0 {
            for Envelope { src, dst, msg } in state.network.distinct() {
                steps.push(Step::Duplicate { src, dst, msg });
            }
        }
        if left.switches > 0 {
            for topology in 1..self.rules.topologies.len() as u8 {
                if topology != world.topology {
                    steps.push(Step::Switch { topology });
                }
            }
        }
        if self.can_tick(state) {
            steps.push(Step::Tick);
        }
        steps
    }

    /// The state after a step, or `None` if it cannot be taken (or, where time is not modelled,
    /// would change nothing).
    pub fn apply(&self, state: &SystemState<E>, step: &StepOf<E>) -> Option<SystemState<E>> {
        let mut next = state.clone();
        match step {
            Step::Deliver { .. }
            | Step::Timeout { .. }
            | Step::Choose { .. }
            | Step::Restart { .. } => {
                let reaction = self.reaction(state, step)?;
                self.consume(&mut next, step);
                let id = step.node().expect("a local step has a node");
                self.commit(&mut next, id, event(step), &reaction);
            }
            Step::Torn { step, effects } => self.tear(state, &mut next, step, *effects)?,
            Step::Crash { node: id } => {
                let node = state.nodes.get(usize::from(*id))?;
                if !node.is_up() || state.world.left.crashes == 0 {
                    return None;
                }
                Arc::make_mut(&mut next.world).left.crashes -= 1;
                self.put(&mut next, *id, Event::Crash, node.crashed(), (&[], None));
            }
            Step::Lose { src, dst, msg } => {
                let envelope = Envelope { src: *src, dst: *dst, msg: msg.clone() };
                if state.world.left.losses == 0 || !next.network.remove(&envelope) {
                    return None;
                }
                Arc::make_mut(&mut next.world).left.losses -= 1;
            }
            Step::Duplicate { src, dst, msg } => {
                let envelope = Envelope { src: *src, dst: *dst, msg: msg.clone() };
                let in_flight = match &state.network {
                    Network::Unordered(bag) => bag.contains_key(&envelope),
                    _ => false,
                };
                if state.world.left.duplications == 0 || !in_flight {
                    return None;
                }
                Arc::make_mut(&mut next.world).left.duplications -= 1;
                next.network.send(envelope);
            }
            Step::Switch { topology } => {
                let known = usize::from(*topology) < self.rules.topologies.len();
                if state.world.left.switches == 0 || !known || *topology == state.world.topology {
                    return None;
                }
                let world = Arc::make_mut(&mut next.world);
                world.left.switches -= 1;
                world.topology = *topology;
            }
            Step::Stabilise { ages } => self.stabilise(state, &mut next, ages)?,
            Step::Tick => {
                if !self.can_tick(state) {
                    return None;
                }
                next.nodes.iter_mut().for_each(|node| *node = Arc::new(node.aged()));
                next.network.retain(|src, dst, _| self.is_deliverable(state, src, dst));
                if self.rules.latency == Latency::OneTick {
                    // What could not arrive in its tick is lost.
                    next.network = mem::replace(&mut next.later, Network::new(self.rules.network));
                }
            }
        }
        self.bury(&mut next);
        Some(next)
    }

    /// As [`apply`](System::apply), but a message whose delivery changes nothing is delivered and
    /// gone, and a timer may fire for nothing. Where no time is kept, searches leave such steps
    /// out, as others lead to the same; but in a fair run no message waits for ever.
    pub fn take(&self, state: &SystemState<E>, step: &StepOf<E>) -> Option<SystemState<E>> {
        if let Some(next) = self.apply(state, step) {
            return Some(next);
        }
        let reaction = self.reaction_if_any(state, step)?;
        let mut next = state.clone();
        self.consume(&mut next, step);
        self.commit(&mut next, step.node()?, event(step), &reaction);
        self.bury(&mut next);
        Some(next)
    }

    /// Takes a step in which the node crashes after the first `effects` sends and saves of its
    /// handler.
    fn tear(
        &self,
        state: &SystemState<E>,
        next: &mut SystemState<E>,
        step: &StepOf<E>,
        effects: usize,
    ) -> Option<()> {
        if !state.world.left.torn || state.world.left.crashes == 0 {
            return None;
        }
        let reaction = self.reaction(state, step)?;
        if effects >= reaction.effects.len() {
            return None;
        }
        self.consume(next, step);
        Arc::make_mut(&mut next.world).left.crashes -= 1;
        let id = step.node().expect("a local step has a node");
        let (node, done) = reaction.torn(effects);
        let cut_short = reaction.node.state.as_deref().filter(|_| effects > 0);
        self.put(next, id, event(step), node, (done, cut_short));
        Some(())
    }

    /// From now on time is kept: each timer that is set takes one of these ages, by node, then
    /// timer.
    fn stabilise(
        &self,
        state: &SystemState<E>,
        next: &mut SystemState<E>,
        ages: &[u16],
    ) -> Option<()> {
        if !self.can_stabilise(state) {
            return None;
        }
        let world = Arc::make_mut(&mut next.world);
        world.left = Faults::none();
        world.stabilised = true;
        let mut ages = ages.iter();
        for node in &mut next.nodes {
            for age in Arc::make_mut(node).timers.values_mut() {
                age.now = *ages.next().filter(|&&now| now < age.last)?;
            }
        }
        ages.next().is_none().then_some(())
    }

    /// Time may pass when nothing is due: no message, no urgent choice, no timer at its last age.
    pub fn can_tick(&self, state: &SystemState<E>) -> bool {
        !self.is_timeless(&state.world)
            && state.nodes.iter().all(|node| {
                !node.must_choose() && node.timers.values().all(|age| age.now < age.last)
            })
            && !state.network.heads().iter().any(|e| self.is_deliverable(state, e.src, e.dst))
    }

    /// A system may stabilise while a quorum is up and connected. The quorum need not be connected
    /// if [`System::any_topology_stabilises`].
    pub fn can_stabilise(&self, state: &SystemState<E>) -> bool {
        if self.rules.timing != Timing::Stabilising || state.world.stabilised {
            return false;
        }
        let live = state.live();
        let topology = &self.rules.topologies[usize::from(state.world.topology)];
        state.node_states().any(|(id, node)| {
            let reached =
                if self.any_topology_stabilises() { live } else { topology.neighbours(id, live) };
            self.actors[usize::from(id)].is_quorum(node, self.actors.len(), reached, reached)
        })
    }

    /// Whether a system may stabilise although no quorum is connected.
    pub fn any_topology_stabilises(&self) -> bool {
        self.rules.topologies.len() > 1 || !self.rules.topologies[0].is_mesh()
    }

    fn stabilisations(&self, state: &SystemState<E>) -> Vec<StepOf<E>> {
        if !self.can_stabilise(state) {
            return Vec::new();
        }
        let mut all = vec![Vec::new()];
        for age in state.nodes.iter().flat_map(|node| node.timers.values()) {
            let longer = |ages: &Vec<u16>| {
                let ages = ages.clone();
                (0..age.last).map(move |now| ages.iter().copied().chain([now]).collect())
            };
            all = all.iter().flat_map(longer).collect();
        }
        all.into_iter().map(|ages| Step::Stabilise { ages }).collect()
    }

    /// The step that stabilises and gives every timer that is set the age that `choose` returns,
    /// which must be below the timer's last age.
    pub fn stabilisation(
        &self,
        state: &SystemState<E>,
        choose: impl FnMut(&Age) -> u16,
    ) -> StepOf<E> {
        let ages = state.nodes.iter().flat_map(|node| node.timers.values());
        Step::Stabilise { ages: ages.map(choose).collect() }
    }
}
