//! Answers a program's misses.

use std::sync::Arc;

use stateright::actor::{Actor, Envelope};

use super::handlers::Cause;
use super::told::choices;
use super::{Sampled, SystemSource};
use crate::election::{CLIENT, Check, Election, Event};
use crate::engine::error::EngineError;
use crate::engine::ids::{LocalId, MessageId, OutcomeId, StepId, WorldEvent, WorldId};
use crate::engine::program::Source;
use crate::engine::program::{Miss, OwnBehaviour, OwnStep, Program, ProgramBuilder, flag};
use crate::engine::source::Retell;
use crate::semantics::node::{Disk, NodeOf, Reaction};
use crate::semantics::{PropertySet, StepOf, SystemState, Timing};

impl<E: Election> SystemSource<'_, E> {
    /// Finds what a message does to its receiver.
    fn resolve_react(
        &mut self,
        local: LocalId,
        message: MessageId,
        program: &mut ProgramBuilder,
    ) -> Result<(), EngineError> {
        if !self.nodes[local].1.is_up() {
            program.set_reaction(local, message, OutcomeId::NONE);
            return Ok(());
        }
        let reaction = self.reaction(local, message)?;
        let (seed, of) = (self.seed, &reaction);
        self.sample.offer(|| Sampled { local, message, digest: super::audit::digest(seed, of) });
        let outcome = self.outcomes(local, Cause::Deliver(message), reaction, program)?;
        program.set_reaction(local, message, outcome);
        Ok(())
    }

    /// Finds what a node can do by itself, and how it changes as time passes.
    fn resolve_own(
        &mut self,
        local: LocalId,
        program: &mut ProgramBuilder,
    ) -> Result<(), EngineError> {
        let (i, node) = self.nodes[local].clone();
        let mut steps = Vec::new();
        for ((timer, age), k) in node.timers.iter().zip(0..) {
            let reaction = self.react(i, &node, &Event::Timeout { timer })?;
            let (due, idle) = (age.now >= age.first, reaction.idle);
            let outcome = self.outcomes(local, Cause::Timeout(k), reaction, program)?;
            steps.push(OwnStep::timeout(outcome, due, idle));
        }
        for ((key, value), k) in choices::<E>(&node).into_iter().zip(0..) {
            let reaction = self.react(i, &node, &Event::Choose { key, value })?;
            let outcome = self.outcomes(local, Cause::Choose(k), reaction, program)?;
            steps.push(match key {
                CLIENT => OwnStep::input(outcome, E::input_number(value)),
                _ => OwnStep::choice(outcome),
            });
        }
        self.resolve_faults(local, &mut steps, program)?;
        let timing = self.system.rules.timing;
        let aged = match timing {
            Timing::Asynchronous => local,
            // A node that does not let time pass has no next tick.
            _ if program.local(local).has(flag::BLOCKS_TICK) => local,
            _ => self.local(i, Arc::new(node.aged()), program),
        };
        let all = match timing {
            Timing::Stabilising => with_all_ages::<E>(&node),
            _ => Vec::new(),
        };
        let stabilised = all.into_iter().map(|node| self.local(i, Arc::new(node), program));
        let stabilised = stabilised.collect();
        program.set_own(local, OwnBehaviour { steps: steps.into(), aged, stabilised });
        Ok(())
    }

    /// Adds the steps of a node that budgets of faults pay for.
    fn resolve_faults(
        &mut self,
        local: LocalId,
        steps: &mut Vec<OwnStep>,
        program: &mut ProgramBuilder,
    ) -> Result<(), EngineError> {
        let (i, node) = self.nodes[local].clone();
        let faults = self.system.rules.faults;
        if node.is_up() && faults.crashes > 0 {
            let crash = Reaction::crash(&node);
            let outcome = self.outcomes(local, Cause::Crash, crash, program)?;
            steps.push(OwnStep::paid(outcome, WorldEvent::Crash));
        }
        if !node.is_up() && faults.restarts > 0 {
            for disk in [Disk::Intact, Disk::Empty, Disk::Older] {
                let found = node.found(disk).filter(|_| faults.allows(disk));
                let Some(down) = found else { continue };
                let start = || self.system.start_node(i.id(), &down);
                let reaction = self.guarded(i, "its restart", start)?;
                let outcome = self.outcomes(local, Cause::Restart(disk), reaction, program)?;
                steps.push(OwnStep::paid(outcome, WorldEvent::Restart(disk)));
            }
        }
        Ok(())
    }

    fn broken_pair(&self, a: LocalId, b: LocalId) -> PropertySet {
        let ((i, x), (j, y)) = (&self.nodes[a], &self.nodes[b]);
        let (Some(x), Some(y)) = (x.state.as_deref(), y.state.as_deref()) else {
            return PropertySet::EMPTY;
        };
        let actor = &self.system.actors[i.position()];
        self.broken(|check| match check {
            Check::Pair(holds) => holds(actor, (i.id(), x), (j.id(), y)),
            _ => Ok(()),
        })
    }

    fn broken_in_world(&self, local: LocalId, world: WorldId) -> PropertySet {
        let (i, node) = &self.nodes[local];
        let Some(state) = node.state.as_deref() else { return PropertySet::EMPTY };
        let actor = &self.system.actors[i.position()];
        let witness = &self.worlds[world].witness;
        self.broken(|check| match check {
            Check::NodeWitness(holds) => holds(actor, i.id(), state, witness),
            _ => Ok(()),
        })
    }

    fn is_dead(&self, local: LocalId, message: MessageId) -> bool {
        let (i, node) = &self.nodes[local];
        let Envelope { src, dst, msg } = self.messages.envelope(message);
        let actor = &self.system.actors[i.position()];
        node.state.as_deref().is_some_and(|state| actor.is_dead(*dst, state, *src, msg))
    }
}

/// A node with each combination of ages that its timers may take when the system stabilises.
fn with_all_ages<E: Election>(node: &NodeOf<E>) -> Vec<NodeOf<E>> {
    let mut all = vec![node.clone()];
    for (timer, age) in &node.timers {
        let with = |node: &NodeOf<E>, now| {
            let mut node = node.clone();
            node.timers.get_mut(timer).expect("it is set").now = now;
            node
        };
        all = all.iter().flat_map(|n| (0..age.last).map(move |now| with(n, now))).collect();
    }
    all
}

impl<E: Election> Source for SystemSource<'_, E>
where
    <E as Actor>::State: Send,
{
    fn resolve(&mut self, miss: Miss, program: &mut ProgramBuilder) -> Result<(), EngineError> {
        match miss {
            Miss::React(local, message) => self.resolve_react(local, message, program)?,
            Miss::Dead(local, message) => {
                let is_dead = self.is_dead(local, message);
                if is_dead {
                    self.expect_no_effect(local, message)?;
                    self.bury(local, message)?;
                }
                program.set_dead(local, message, is_dead);
            }
            Miss::Quorum(local, reached) => {
                let (i, node) = &self.nodes[local];
                let actor = &self.system.actors[i.position()];
                let nodes = self.system.actors.len();
                let state = node.state.as_deref();
                let is_enough = state.is_some_and(|s| actor.is_quorum(s, nodes, reached, reached));
                program.set_quorum(local, reached, is_enough);
            }
            Miss::Own(local) => self.resolve_own(local, program)?,
            Miss::World(world, event) => self.resolve_world(world, event, program),
            Miss::Pair(a, b) => program.set_pair(a, b, self.broken_pair(a, b)),
            Miss::NodeWorld(local, world) => {
                program.set_node_world(local, world, self.broken_in_world(local, world));
            }
            of_the_program => unreachable!("{of_the_program:?} is not for a source"),
        }
        Ok(())
    }
}

impl<E: Election> Retell for SystemSource<'_, E>
where
    <E as Actor>::State: Send,
{
    type State = SystemState<E>;
    type Step = StepOf<E>;

    fn state(&self, row: &[u32], program: &Program) -> SystemState<E> {
        self.state_of(row, program)
    }

    fn step(&self, row: &[u32], step: StepId, program: &Program) -> StepOf<E> {
        self.step_of(row, step, program)
    }

    fn take_again(
        &self,
        state: &SystemState<E>,
        step: &StepOf<E>,
        expected: SystemState<E>,
    ) -> Result<SystemState<E>, EngineError> {
        let next = self.system.apply(state, step).filter(|next| *next == expected);
        next.ok_or_else(|| {
            let name = self.system.name(step);
            EngineError::Defect(format!("engine and reference disagree about `{name}`"))
        })
    }
}
