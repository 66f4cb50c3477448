//! Facts about a step that a search counts, besides the step's kind: whether it elects a leader,
//! which goals it reaches, and whether a planted bug made a difference to it. The reference
//! semantics computes them for each step between two states, the compiled engine once for each
//! outcome of a handler. Both use the functions here.

use stateright::actor::Id;

use crate::election::{Check, Election, Event, Goal, Invariant, NodeStep, Reached};
use crate::semantics::node::{self, NodeOf, Reaction};
use crate::semantics::world::World;
use crate::semantics::{Step, StepOf, System, SystemState, event};

/// The facts about a step that the tally counts, besides its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// After the step a node leads a term that it did not lead before the step.
    pub elects: bool,
    /// The goals of single steps that it reaches, as bits.
    pub goals: u64,
    /// Without the planted bug the node would have done something else.
    pub is_changed_by_bug: bool,
}

impl<E: Election> System<E> {
    /// The facts about a step, from the states before and after it.
    pub fn facts(
        &self,
        before: &SystemState<E>,
        step: &StepOf<E>,
        after: &SystemState<E>,
    ) -> Facts {
        let Some(id) = step.node() else { return Facts::default() };
        let (old, new) = (&before.nodes[usize::from(id)], &after.nodes[usize::from(id)]);
        if self.goals.is_empty() && self.unplanted.is_none() {
            let elects = self.elects(id, old.state.as_deref(), new.state.as_deref());
            return Facts { elects, ..Facts::default() };
        }
        let whole = self.reaction(before, step.cause());
        let (effects, cut_short) = match (step, &whole) {
            (Step::Torn { effects, .. }, Some(whole)) => {
                (&whole.effects[..*effects], whole.node.state.as_deref().filter(|_| *effects > 0))
            }
            (_, Some(whole)) => (&whole.effects[..], None),
            (_, None) => (&[][..], None),
        };
        let is_changed_by_bug = whole
            .as_ref()
            .is_some_and(|whole| self.is_changed_by_bug(id, old, step.cause(), whole));
        let sends = node::sends(effects);
        let step = self.node_step(id, (old, event(step.cause()), new), &sends, cut_short);
        self.facts_of(&step, is_changed_by_bug)
    }

    /// The step of one node as invariants see it, given the messages that the node sent and, if it
    /// crashed in its handler, the state in which the handler would have ended.
    pub fn node_step<'a>(
        &'a self,
        id: Id,
        (before, event, after): (&'a NodeOf<E>, Event<'a, E>, &'a NodeOf<E>),
        sends: &'a [(Id, E::Msg)],
        cut_short: Option<&'a E::State>,
    ) -> NodeStep<'a, E> {
        NodeStep {
            actor: &self.actors[usize::from(id)],
            id,
            nodes: self.actors.len(),
            incarnation: after.incarnation,
            before: before.state.as_deref(),
            event,
            after: after.state.as_deref(),
            cut_short,
            sends,
            storage: after.storage.as_deref(),
            timers_before: &before.timers,
            timers: &after.timers,
        }
    }

    /// [`System::facts`] for a step at one node.
    pub fn facts_of(&self, step: &NodeStep<'_, E>, is_changed_by_bug: bool) -> Facts {
        let elects = self.elects(step.id, step.before, step.after);
        let is_reached = |goal: &Goal<E>| matches!(goal.reached, Reached::Step(is) if is(step));
        Facts { elects, goals: self.goal_bits(is_reached), is_changed_by_bug }
    }

    /// The rules that a step breaks, by their positions among the properties, each with the
    /// conflicting facts.
    pub fn broken_rules(&self, step: &NodeStep<'_, E>) -> Vec<(u8, String)> {
        let broken = |(invariant, i): (&Invariant<E>, u8)| match invariant.check {
            Check::Rule(holds) => Some((i, holds(step).err()?)),
            _ => None,
        };
        self.invariants.iter().zip(1..).filter_map(broken).collect()
    }

    /// Whether a node leads a term after a step that it did not lead before the step.
    fn elects(&self, id: Id, before: Option<&E::State>, after: Option<&E::State>) -> bool {
        let leads = |state: Option<&E::State>| self.actors[usize::from(id)].leads(id, state?);
        leads(after).is_some() && leads(before) != leads(after)
    }

    /// What the same node would have done without the planted bug, if that is something else.
    pub fn without_bug(
        &self,
        id: Id,
        node: &NodeOf<E>,
        cause: &StepOf<E>,
        did: &Reaction<E>,
    ) -> Option<Reaction<E>> {
        let actor = self.unplanted.as_ref().map(|actors| &actors[usize::from(id)])?;
        let clean = match cause {
            Step::Restart { disk, .. } => self.start_as(actor, id, &node.found(*disk)?),
            Step::Crash { .. } => return None,
            _ => node::react(actor, id, node, &event(cause), self.rules.clock),
        };
        (!clean.is_like(did)).then_some(clean)
    }

    /// Whether the same node without the planted bug would have done something else.
    pub fn is_changed_by_bug(
        &self,
        id: Id,
        node: &NodeOf<E>,
        cause: &StepOf<E>,
        did: &Reaction<E>,
    ) -> bool {
        self.without_bug(id, node, cause, did).is_some()
    }

    /// The goals of the past that this world has reached, as bits.
    pub fn goals_of_past(&self, world: &World<E::Witness>) -> u64 {
        self.goal_bits(
            |goal| matches!(goal.reached, Reached::Past(is) if is(&world.led, &world.witness)),
        )
    }

    fn goal_bits(&self, is_reached: impl Fn(&Goal<E>) -> bool) -> u64 {
        let bits = self.goals.iter().map(is_reached).enumerate();
        bits.fold(0, |bits, (i, is)| bits | u64::from(is) << i)
    }
}
