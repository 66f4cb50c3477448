//! Counts of what happened in an exploration.

use std::collections::{BTreeMap, BTreeSet};

use crate::election::{Election, kind};
use crate::semantics::facts::Facts;
use crate::semantics::{Step, StepKind, StepOf, System, SystemState};

/// Counts of what happened, over all generated steps that lead to a state within the bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps by their kind ([`Step::kind`]).
    pub steps: BTreeMap<StepKind, u64>,
    /// Deliveries by kind of message.
    pub messages: BTreeMap<String, u64>,
    /// Steps after which a node leads a term that it did not lead before.
    pub elections: u64,
    /// Steps that reach each goal that speaks of steps.
    pub goals: BTreeMap<&'static str, u64>,
    /// The goals reached that speak of the past.
    pub past: BTreeSet<&'static str>,
    /// Steps in which the planted bug made a difference.
    pub changed_by_bug: u64,
}

impl Tally {
    /// Counts a step between two states.
    pub fn count<E: Election>(
        &mut self,
        system: &System<E>,
        before: &SystemState<E>,
        step: &StepOf<E>,
        after: &SystemState<E>,
    ) {
        let message = match step {
            Step::Deliver { msg, .. } => Some(kind(msg)),
            _ => None,
        };
        self.add_steps(system, step.kind(), message.as_ref(), system.facts(before, step, after), 1);
        if before.world != after.world {
            self.note_past(system, system.goals_of_past(&after.world));
        }
    }

    /// Counts several steps at once that have the same kind, the same kind of message and the same
    /// facts.
    pub fn add_steps<E: Election>(
        &mut self,
        system: &System<E>,
        kind: StepKind,
        message: Option<&String>,
        facts: Facts,
        times: u64,
    ) {
        *self.steps.entry(kind).or_default() += times;
        if let Some(message) = message {
            *self.messages.entry(message.clone()).or_default() += times;
        }
        self.elections += times * u64::from(facts.elects);
        self.changed_by_bug += times * u64::from(facts.is_changed_by_bug);
        for goal in named(system, facts.goals) {
            *self.goals.entry(goal).or_default() += times;
        }
    }

    /// Notes the goals of the past, as bits, that a state has reached.
    pub fn note_past<E: Election>(&mut self, system: &System<E>, goals: u64) {
        self.past.extend(named(system, goals));
    }

    /// Whether a goal was reached.
    pub fn has_reached(&self, goal: &str) -> bool {
        self.goals.contains_key(goal) || self.past.contains(goal)
    }

    /// Adds the counts of another tally.
    pub fn add(&mut self, other: &Tally) {
        for (kind, n) in &other.steps {
            *self.steps.entry(*kind).or_default() += n;
        }
        for (kind, n) in &other.messages {
            *self.messages.entry(kind.clone()).or_default() += n;
        }
        for (goal, n) in &other.goals {
            *self.goals.entry(goal).or_default() += n;
        }
        self.past.extend(&other.past);
        self.elections += other.elections;
        self.changed_by_bug += other.changed_by_bug;
    }

    /// How many steps there were of these kinds.
    pub(super) fn of(&self, kinds: &[StepKind]) -> u64 {
        kinds.iter().filter_map(|kind| self.steps.get(kind)).sum()
    }
}

/// The names of goals given as bits.
fn named<E: Election>(system: &System<E>, bits: u64) -> impl Iterator<Item = &'static str> {
    let goals = system.goals.iter().enumerate().filter(move |(i, _)| bits >> i & 1 == 1);
    goals.map(|(_, goal)| goal.name)
}
