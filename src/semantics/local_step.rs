//! Steps that happen at one node: its handler is called, and what it did is put into the system.

use std::sync::Arc;

use stateright::actor::{Envelope, Id};

use crate::election::{CLIENT, Election, Event, node_name};
use crate::semantics::network::{Network, NetworkKind};
use crate::semantics::node::{self, Effect, NodeOf, Reaction};
use crate::semantics::state::SystemState;
use crate::semantics::step::{Step, StepOf, event};
use crate::semantics::system::System;
use crate::semantics::watch;
use crate::semantics::world::World;

impl<E: Election> System<E> {
    /// What the handler of a local step does; `None` if the step cannot be taken, or, where no time
    /// is kept, would change nothing. Such a message stays in flight, unless the network is
    /// ordered.
    pub fn reaction(&self, state: &SystemState<E>, step: &StepOf<E>) -> Option<Reaction<E>> {
        let reaction = self.reaction_if_any(state, step)?;
        let stays = match step {
            Step::Deliver { .. } => self.rules.network != NetworkKind::Ordered,
            Step::Timeout { .. } => true,
            _ => false,
        };
        let is_nothing = reaction.idle && stays && self.is_timeless(&state.world);
        (!is_nothing).then_some(reaction)
    }

    /// The same, even if the step changes nothing.
    pub fn reaction_if_any(&self, state: &SystemState<E>, step: &StepOf<E>) -> Option<Reaction<E>> {
        let id = step.node()?;
        let node = state.nodes.get(usize::from(id))?;
        let timeless = self.is_timeless(&state.world);
        let reaction = match step {
            Step::Deliver { src, dst, msg } => {
                let is_head = match &state.network {
                    Network::Ordered(flows) => {
                        flows.get(&(*src, *dst)).is_some_and(|q| q[0] == *msg)
                    }
                    other => {
                        other.heads().contains(&Envelope { src: *src, dst: *dst, msg: msg.clone() })
                    }
                };
                if !is_head || !self.is_deliverable(state, *src, *dst) {
                    return None;
                }
                self.react(id, node, &event(step))
            }
            Step::Timeout { timer, .. } => {
                let age = node.timers.get(timer)?;
                if !timeless && age.now < age.first {
                    return None;
                }
                self.react(id, node, &event(step))
            }
            Step::Choose { key, value, .. } => {
                if !node.choices.get(key)?.contains(value) {
                    return None;
                }
                if !self.may_choose(&state.world, key, value) {
                    return None;
                }
                self.react(id, node, &event(step))
            }
            Step::Restart { disk, .. } => {
                if node.is_up() || !state.world.left.allows(*disk) {
                    return None;
                }
                self.start_node(id, &node.found(*disk)?)
            }
            _ => return None,
        };
        Some(reaction)
    }

    /// Runs the handler for an event of a live node.
    pub fn react(&self, id: Id, node: &NodeOf<E>, event: &Event<'_, E>) -> Reaction<E> {
        watch::show::<E>(node, self.rules.clock);
        let reaction =
            node::react(&self.actors[usize::from(id)], id, node, event, self.rules.clock);
        self.note_problem(id, &reaction);
        reaction
    }

    /// Whether a value of an open choice may be taken. Client input needs a budget that is left,
    /// and numbered input must come in the order of its numbers.
    pub fn may_choose(&self, world: &World<E::Witness>, key: &str, value: &E::Random) -> bool {
        key != CLIENT
            || world.inputs_left > 0
                && E::input_number(value).is_none_or(|number| number == self.next_input(world))
    }

    /// The number of the next client input.
    pub fn next_input(&self, world: &World<E::Witness>) -> u32 {
        1 + E::inputs(&self.actors) - world.inputs_left
    }

    fn note_problem(&self, id: Id, reaction: &Reaction<E>) {
        if let Some(why) = &reaction.problem {
            let _ = self.problem.set(format!("{} of {}: {why}", node_name(id), E::about().name));
        }
    }

    /// Starts a node that is down.
    pub fn start_node(&self, id: Id, down: &NodeOf<E>) -> Reaction<E> {
        watch::show::<E>(down, self.rules.clock);
        let reaction = self.start_as(&self.actors[usize::from(id)], id, down);
        self.note_problem(id, &reaction);
        reaction
    }

    /// Starts a node that is down as if it were this actor.
    pub fn start_as(&self, actor: &E, id: Id, down: &NodeOf<E>) -> Reaction<E> {
        node::start(down, self.rules.clock, |storage, out| {
            actor.start(id, down.incarnation, storage, out)
        })
    }

    /// Removes what a local step uses up: its message, its share of a budget.
    pub(super) fn consume(&self, next: &mut SystemState<E>, step: &StepOf<E>) {
        match step {
            Step::Deliver { src, dst, msg } if self.rules.network != NetworkKind::Duplicating => {
                next.network.remove(&Envelope { src: *src, dst: *dst, msg: msg.clone() });
            }
            Step::Choose { key, .. } if key == CLIENT => {
                Arc::make_mut(&mut next.world).inputs_left -= 1;
            }
            Step::Restart { disk, .. } => Arc::make_mut(&mut next.world).left.pay_for(*disk),
            _ => {}
        }
    }

    /// Puts the outcome of a whole handler into the system.
    pub(super) fn commit(
        &self,
        next: &mut SystemState<E>,
        id: Id,
        event: Event<'_, E>,
        reaction: &Reaction<E>,
    ) {
        self.put(next, id, event, reaction.node.clone(), (&reaction.effects, None));
    }

    /// Replaces a node, sends what it sent, and takes note of the step.
    pub(super) fn put(
        &self,
        next: &mut SystemState<E>,
        id: Id,
        event: Event<'_, E>,
        node: NodeOf<E>,
        (effects, cut_short): (&[Effect<E::Msg, E::Storage>], Option<&E::State>),
    ) {
        let i = usize::from(id);
        let sends = node::sends(effects);
        if self.rules.remember {
            let step = self.node_step(id, (&next.nodes[i], event, &node), &sends, cut_short);
            if let Some(world) =
                next.world.observe(&self.invariants, &step, &self.broken_rules(&step))
            {
                next.world = Arc::new(world);
            }
        }
        for (dst, msg) in sends {
            self.send(next, Envelope { src: id, dst, msg });
        }
        next.nodes[i] = Arc::new(node);
    }
}
