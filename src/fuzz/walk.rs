//! Makes one run: chooses steps at random, or repeats the steps of an earlier run where they can be
//! taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;
use stateright::actor::Id;

use super::{Asked, Failure, Run, Trial, recovery};
use crate::election::{CLIENT, Election, kind};
use crate::exploration::Tally;
use crate::scenario::FuzzHints;
use crate::semantics::{Step, StepKind, StepOf, SystemState, Timing};

/// The default weights with which kinds of steps are chosen among those that are enabled. Their
/// order must not change, or a seed would give other runs.
const WEIGHTS: [(StepKind, u32); StepKind::ALL.len()] = [
    (StepKind::Deliver, 40),
    (StepKind::Timeout, 12),
    (StepKind::Choose, 12),
    (StepKind::Tick, 40),
    (StepKind::Restart, 6),
    (StepKind::RestartWithoutDisk, 3),
    (StepKind::RestartWithOlderDisk, 3),
    (StepKind::Crash, 2),
    (StepKind::Torn, 6),
    (StepKind::Lose, 2),
    (StepKind::Duplicate, 2),
    (StepKind::Switch, 2),
    (StepKind::Stabilise, 1),
];

/// The weights of one run. Runs with different weights find more than runs that are all alike: one
/// run has hardly any faults, another hardly any deliveries at one node.
pub(super) struct Pace {
    kinds: BTreeMap<StepKind, u32>,
    nodes: Vec<u32>,
    /// By sender, then by receiver.
    links: Vec<u32>,
}

impl Pace {
    fn random(nodes: usize, hints: &FuzzHints, rng: &mut TestRng) -> Self {
        let mut mood = |(kind, usual): (StepKind, u32)| {
            let hint = hints.weights.get(kind.name()).copied().unwrap_or(1);
            let mood = [1, 2, 2, 2, 2, 4, 16][rng.random_range(0..7)];
            (kind, usual * hint * mood)
        };
        let kinds = WEIGHTS.into_iter().map(&mut mood).collect();
        Pace { kinds, nodes: speeds(nodes, rng), links: speeds(nodes * nodes, rng) }
    }

    /// All kinds have their default weights; all nodes are equally fast.
    pub(super) fn even(nodes: usize) -> Self {
        Pace { kinds: WEIGHTS.into(), nodes: vec![1; nodes], links: vec![1; nodes * nodes] }
    }

    /// Picks a kind by its weight, then one of its steps by the weight of the node. `None` if none
    /// may be chosen.
    fn pick<M, T, R>(&self, steps: &[Step<M, T, R>], rng: &mut TestRng) -> Option<usize> {
        let mut kinds: Vec<(StepKind, u32)> = Vec::new();
        for step in steps {
            if !kinds.iter().any(|(kind, _)| *kind == step.kind()) {
                kinds.push((step.kind(), self.kinds[&step.kind()]));
            }
        }
        let (kind, _) = kinds[weighted(kinds.iter().map(|(_, weight)| *weight), rng)?];
        let weight = |step: &Step<M, T, R>| match step.node() {
            _ if step.kind() != kind => 0,
            Some(node) => self.nodes[usize::from(node)] * self.speed(step),
            None => 1,
        };
        weighted(steps.iter().map(weight), rng)
    }

    /// The speed of the link by which a delivered message comes; 1 for other steps.
    fn speed<M, T, R>(&self, step: &Step<M, T, R>) -> u32 {
        match step {
            Step::Deliver { src, dst, .. } => {
                self.links[usize::from(*src) * self.nodes.len() + usize::from(*dst)]
            }
            Step::Torn { step, .. } => self.speed(step),
            _ => 1,
        }
    }
}

/// `n` random speeds: in half of the runs they are all the same, in the others far apart.
fn speeds(n: usize, rng: &mut TestRng) -> Vec<u32> {
    let are_even = rng.random_bool(0.5);
    (0..n).map(|_| if are_even { 1 } else { [1, 4, 16][rng.random_range(0..3)] }).collect()
}

fn weighted(weights: impl Iterator<Item = u32> + Clone, rng: &mut TestRng) -> Option<usize> {
    let total: u32 = weights.clone().sum();
    let mut left = if total > 0 { rng.random_range(0..total) } else { return None };
    for (i, weight) in weights.enumerate() {
        if left < weight {
            return Some(i);
        }
        left -= weight;
    }
    unreachable!("the weights add up")
}

/// A run as it is being made.
pub(super) struct Walk<E: Election> {
    pub(super) trial: Arc<Trial<E>>,
    pub(super) state: SystemState<E>,
    steps: Vec<StepOf<E>>,
    tally: Tally,
    failure: Option<Failure>,
}

impl<E: Election> Walk<E> {
    fn new(trial: &Arc<Trial<E>>) -> Self {
        let state = trial.system.initial();
        let mut walk = Walk {
            trial: trial.clone(),
            state,
            steps: Vec::new(),
            tally: Tally::default(),
            failure: None,
        };
        walk.judge();
        walk
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub(super) fn last(&self) -> Option<&StepOf<E>> {
        self.steps.last()
    }

    pub(super) fn fail(&mut self, property: &'static str, why: String) {
        self.failure.get_or_insert(Failure { property, why });
    }

    fn judge(&mut self) {
        if self.trial.asked != Asked::Safety {
            return;
        }
        let trial = self.trial.clone();
        for &(property, name) in &trial.properties {
            if let Err(why) = trial.system.holds(property, &self.state) {
                return self.fail(name, why);
            }
        }
    }

    /// The state after a step, if a run may take it: the state must be within the bounds, and the
    /// network must still be able to heal.
    fn after(&self, step: &StepOf<E>) -> Option<SystemState<E>> {
        let Trial { system, promise, .. } = &*self.trial;
        let next = system.apply(&self.state, step)?;
        // Bounds apply before healing only: after it terms must be free to grow.
        let is_healed = promise.is_some() && next.world.stabilised;
        if !is_healed && system.beyond(&next).is_some() {
            return None;
        }
        let can_go_on = promise.is_none_or(|promise| recovery::can_heal(system, &promise, &next));
        can_go_on.then_some(next)
    }

    fn advance(&mut self, step: StepOf<E>, next: SystemState<E>) {
        self.tally.count(&self.trial.system, &self.state, &step, &next);
        self.steps.push(step);
        self.state = next;
        self.judge();
    }

    /// Takes a step if it can be taken.
    pub(super) fn take(&mut self, step: StepOf<E>) -> bool {
        let next = self.trial.system.apply(&self.state, &step);
        next.map(|next| self.advance(step, next)).is_some()
    }

    /// Takes one of the steps that are enabled; `false` if there is none.
    pub(super) fn step(&mut self, pace: &Pace, rng: &mut TestRng) -> bool {
        let system = &self.trial.system;
        let mut open = system.candidates(&self.state);
        if self.trial.asked == Asked::Safety && system.can_stabilise(&self.state) {
            open.push(system.stabilisation(&self.state, |age| rng.random_range(0..age.last)));
        }
        if let (Some(promise), true) = (self.trial.promise, self.state.world.stabilised) {
            open.retain(|step| match step {
                Step::Choose { key, value, .. } if key == CLIENT => (promise.takes)(value),
                _ => true,
            });
        }
        while let Some(i) = pace.pick(&open, rng) {
            let step = open.swap_remove(i);
            if let Some(next) = self.after(&step) {
                self.advance(step, next);
                return true;
            }
        }
        false
    }

    /// Takes the step, or one of the same kind between the same nodes. If earlier steps are left
    /// out, the later ones often differ only in a term.
    fn step_like(&mut self, step: &StepOf<E>) {
        if let Some(next) = self.after(step) {
            return self.advance(step.clone(), next);
        }
        let system = &self.trial.system;
        let mut open = system.candidates(&self.state);
        if let (Step::Stabilise { ages }, true) = (step, system.can_stabilise(&self.state)) {
            let mut ages = ages.iter().copied();
            open.push(
                system.stabilisation(&self.state, |age| ages.next().unwrap_or(0).min(age.last - 1)),
            );
        }
        let found = open.into_iter().filter(|other| is_like::<E>(step, other));
        let found = found.filter_map(|other| Some((self.after(&other)?, other))).next();
        if let Some((next, other)) = found {
            self.advance(other, next);
        }
    }

    fn finish(mut self, healing: u64) -> Run<E> {
        let chosen = self.steps.len();
        if let Asked::Recovery(recovery) = self.trial.asked {
            recovery.watch(&mut self, healing);
        }
        Run {
            trial: self.trial,
            steps: self.steps,
            failure: self.failure,
            tally: self.tally,
            chosen,
            healing,
        }
    }
}

/// Whether two steps are of the same kind, at the same nodes, with the same kind of message.
fn is_like<E: Election>(a: &StepOf<E>, b: &StepOf<E>) -> bool {
    let same = |(s, d): (&Id, &Id), (t, e): (&Id, &Id), x: &E::Msg, y: &E::Msg| {
        s == t && d == e && kind(x) == kind(y)
    };
    match (a, b) {
        (Step::Deliver { src, dst, msg }, Step::Deliver { src: s, dst: d, msg: m })
        | (Step::Lose { src, dst, msg }, Step::Lose { src: s, dst: d, msg: m })
        | (Step::Duplicate { src, dst, msg }, Step::Duplicate { src: s, dst: d, msg: m }) => {
            same((src, dst), (s, d), msg, m)
        }
        (Step::Timeout { node, timer }, Step::Timeout { node: n, timer: t }) => {
            node == n && kind(timer) == kind(t)
        }
        (Step::Choose { node, key, .. }, Step::Choose { node: n, key: k, .. }) => {
            node == n && key == k
        }
        (Step::Torn { step, effects }, Step::Torn { step: s, effects: e }) => {
            effects == e && is_like::<E>(step, s)
        }
        (Step::Stabilise { .. }, Step::Stabilise { .. }) => true,
        _ => a == b,
    }
}

/// A random run.
pub(super) fn random<E: Election>(
    trial: &Arc<Trial<E>>,
    healing: u64,
    rng: &mut TestRng,
) -> Run<E> {
    let hints = trial.scenario.fuzz.clone().unwrap_or_default();
    let pace = Pace::random(trial.scenario.nodes, &hints, rng);
    let most = match (trial.asked, trial.scenario.timing) {
        // The number of steps is random, so the network heals at any moment.
        (Asked::Recovery(_), _) => rng.random_range(0..=hints.steps),
        (Asked::Safety, Timing::Asynchronous) => hints.steps,
        // Most steps only let time pass.
        (Asked::Safety, _) => 3 * hints.steps,
    };
    let mut walk = Walk::new(trial);
    while walk.steps.len() < most && !walk.has_failed() && walk.step(&pace, rng) {}
    walk.finish(healing)
}

/// The run that takes these steps one after the other, and skips those that cannot be taken.
pub(super) fn along<'a, E: Election>(
    trial: &Arc<Trial<E>>,
    steps: impl Iterator<Item = &'a StepOf<E>>,
    healing: u64,
) -> Run<E>
where
    StepOf<E>: 'a,
{
    let mut walk = Walk::new(trial);
    for step in steps {
        if walk.has_failed() {
            break;
        }
        walk.step_like(step);
    }
    walk.finish(healing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_step_has_a_weight() {
        let mut weighed = WEIGHTS.map(|(kind, _)| kind);
        let mut known = StepKind::ALL;
        weighed.sort_unstable();
        known.sort_unstable();
        assert_eq!(weighed, known);
    }
}
