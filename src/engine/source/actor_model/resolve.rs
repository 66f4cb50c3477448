//! Answers a program's misses, and builds whole states for stateright's own semantics.

use std::cell::Cell;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::actor::{Actor, ActorModelAction, ActorModelState, Envelope};
use stateright::{Expectation, Model};

use super::{ActionOf, Cause, ModelSource, guarded};
use crate::engine::error::EngineError;
use crate::engine::ids::{LocalId, OutcomeId, StepId, WorldEvent, WorldId, narrow};
use crate::engine::program::{Judgement, Source};
use crate::engine::program::{Miss, OwnBehaviour, OwnStep, Program, ProgramBuilder, flag};
use crate::engine::source::Retell;
use crate::semantics::network::NetworkKind;
use crate::semantics::node::Disk;
use crate::semantics::{PropertyId, PropertySet, names};

impl<A, C, H> ModelSource<'_, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    fn resolve_own(
        &mut self,
        local: LocalId,
        program: &mut ProgramBuilder,
    ) -> Result<(), EngineError> {
        let part = self.parts[local].1.clone();
        let mut steps = Vec::new();
        for k in 0..narrow(part.timers.iter().count()) {
            let outcome = self.outcome(local, Cause::Timeout(k), program)?;
            let is_idle = program.outcome(outcome).has(flag::IDLE);
            steps.push(OwnStep::timeout(outcome, true, is_idle));
        }
        for k in 0..narrow(part.choices.map.values().map(Vec::len).sum()) {
            steps.push(OwnStep::choice(self.outcome(local, Cause::Choose(k), program)?));
        }
        if part.crashed {
            let outcome = self.outcome(local, Cause::Restart, program)?;
            steps.push(OwnStep::paid(outcome, WorldEvent::Restart(Disk::Intact)));
        } else if self.model.max_crashes > 0 {
            let outcome = self.outcome(local, Cause::Crash, program)?;
            steps.push(OwnStep::paid(outcome, WorldEvent::Crash));
        }
        let own = OwnBehaviour { steps: steps.into(), aged: local, stabilised: Box::default() };
        program.set_own(local, own);
        Ok(())
    }

    fn resolve_world(
        &mut self,
        world: WorldId,
        event: WorldEvent,
        program: &mut ProgramBuilder,
    ) -> Result<(), EngineError> {
        let mut rest = self.rests[world].clone();
        match event {
            WorldEvent::Crash => rest.crashed += 1,
            WorldEvent::Restart(_) => rest.crashed -= 1,
            WorldEvent::Lose => {}
            WorldEvent::Outcome(outcome) => {
                rest.history = self.record(&rest.history, outcome, program)?;
                if let (_, Cause::Deliver(message)) = self.origins[outcome]
                    && self.kind == NetworkKind::Duplicating
                {
                    rest.last = Some(self.messages.envelope(message).clone());
                }
            }
            other => unreachable!("actor models know no {other:?}"),
        }
        let after = self.rest(rest, program);
        program.set_world_after(world, event, after);
        Ok(())
    }

    fn answer(&mut self, miss: Miss, program: &mut ProgramBuilder) -> Result<(), EngineError> {
        match miss {
            Miss::React(local, message) => {
                let outcome = match self.parts[local].1.crashed {
                    true => OutcomeId::NONE,
                    false => self.outcome(local, Cause::Deliver(message), program)?,
                };
                program.set_reaction(local, message, outcome);
            }
            Miss::Own(local) => self.resolve_own(local, program)?,
            Miss::World(world, event) => self.resolve_world(world, event, program)?,
            other => unreachable!("actor models know no {other:?}"),
        }
        Ok(())
    }

    /// A step as an action of stateright's.
    fn action(&self, step: StepId, program: &Program) -> ActionOf<A> {
        let detail = program.detail(step);
        if detail.outcome == OutcomeId::NONE {
            return ActorModelAction::Drop(self.messages.envelope(detail.message).clone());
        }
        let (local, cause) = self.origins[detail.outcome];
        let (i, part) = &self.parts[local];
        let id = i.id();
        match cause {
            Cause::Deliver(message) => {
                let Envelope { src, dst, msg } = self.messages.envelope(message).clone();
                ActorModelAction::Deliver { src, dst, msg }
            }
            Cause::Timeout(k) => ActorModelAction::Timeout(id, part.timer(k)),
            Cause::Choose(k) => {
                let (key, random) = part.choice(k);
                ActorModelAction::SelectRandom { actor: id, key, random }
            }
            Cause::Restart => ActorModelAction::Recover(id),
            Cause::Crash => ActorModelAction::Crash(id),
        }
    }
}

impl<A, C, H> Source for ModelSource<'_, A, C, H>
where
    A: Actor + Sync,
    A::Msg: Ord + Send + Sync,
    A::Timer: Ord + Send + Sync,
    A::State: Send + Sync,
    A::Storage: Send + Sync,
    A::Random: Send + Sync,
    C: Sync,
    H: Clone + Debug + Hash + PartialEq + Send + Sync,
{
    fn resolve(&mut self, miss: Miss, program: &mut ProgramBuilder) -> Result<(), EngineError> {
        let who = || "what clones, compares or hashes a state, a message or a history".to_string();
        guarded(who, || self.answer(miss, program))?
    }

    fn judges(&self) -> bool {
        true
    }

    fn judge(&self, row: &[u32], program: &Program) -> Result<Judgement, EngineError> {
        let now = Cell::new(("what builds a state", ""));
        let who = || format!("{}{}", now.get().0, now.get().1);
        guarded(who, || {
            let state = self.state_of(row, program);
            now.set(("the boundary", ""));
            if !self.model.within_boundary(&state) {
                // Stateright does not evaluate properties in such a state. We must not either: a
                // property may rely on the boundary.
                return Judgement { broken: PropertySet::EMPTY, is_within: false };
            }
            let mut broken = PropertySet::EMPTY;
            for (property, p) in self.model.properties.iter().zip(0..) {
                now.set(("property ", property.name));
                let is_found = match property.expectation {
                    Expectation::Always => !(property.condition)(self.model, &state),
                    Expectation::Sometimes => (property.condition)(self.model, &state),
                    Expectation::Eventually => false,
                };
                broken |= PropertySet::of(PropertyId(p), is_found);
            }
            Judgement { broken, is_within: true }
        })
    }
}

impl<A, C, H> Retell for ModelSource<'_, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
    Self: Source,
{
    type State = ActorModelState<A, H>;
    type Step = ActionOf<A>;

    fn state(&self, row: &[u32], program: &Program) -> ActorModelState<A, H> {
        self.state_of(row, program)
    }

    fn step(&self, _: &[u32], step: StepId, program: &Program) -> ActionOf<A> {
        self.action(step, program)
    }

    /// Takes an action by stateright's own semantics: it must be possible, lead to the expected
    /// state, and not leave the boundary.
    fn take_again(
        &self,
        state: &ActorModelState<A, H>,
        action: &ActionOf<A>,
        expected: ActorModelState<A, H>,
    ) -> Result<ActorModelState<A, H>, EngineError> {
        let model = self.model;
        let told = || format!("stateright's own step {}", names::value(action));
        let next = guarded(told, || {
            let mut possible = Vec::new();
            model.actions(state, &mut possible);
            let next = possible.contains(action).then(|| model.next_state(state, action.clone()));
            next.flatten().filter(|next| *next == expected && model.within_boundary(next))
        })?;
        next.ok_or_else(|| EngineError::Disagreement(names::value(action)))
    }
}
