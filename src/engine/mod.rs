//! The compiled engine: exhaustive search over numbers instead of values.
//!
//! An actor's handler is a function of the node, its local state and the event, and there are few distinct local states:
//! thousands, where there are hundreds of millions of system states. So local states, messages and worlds become
//! numbers, each handler runs once for each of its arguments, and a step of the system is a few look-ups
//! ([`expand`] finds it, [`change`] says what it does). What is in flight on a link is one number too ([`flows`]).
//! [`search`] is a parallel breadth-first search over such rows whose outcome, traces included, does not depend on the
//! number of threads.

mod actor_front;
mod actor_model;
mod change;
mod crew;
mod digest;
mod expand;
mod flows;
mod log;
mod memo;
mod properties;
mod row;
mod search;
mod system;
mod tables;
pub mod visited;
mod walk;
mod wire;

use std::collections::BTreeMap;

use crate::election::Election;
use crate::exploration::{Ended, Exploration, Limits, Progress, Sample, Tally, Violation};
use crate::semantics::{PropertyId, StepOf, System};
use flows::StepId;
use search::{Goal, Report, search};
use system::SystemFront;
use tables::Tables;

pub use actor_model::{ModelExploration, check_model};

/// The key of all digests, unless another is asked for. Another key gives other fingerprints: a second opinion on
/// collisions.
pub const DEFAULT_SEED: u64 = 0x6f6e_656c_6561_6465;

/// Explores a system exhaustively, within limits. Counterexamples are shortest ones.
pub fn explore<E: Election>(
    system: &System<E>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Exploration<E> {
    explore_with_seed(system, properties, limits, progress, DEFAULT_SEED)
}

/// [`explore`] with another key for fingerprints.
pub fn explore_with_seed<E: Election>(
    system: &System<E>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
    seed: u64,
) -> Exploration<E> {
    run(system, properties, limits, progress, seed, |tables, front, initial, goal| {
        (search(tables, front, initial, goal), None)
    })
}

/// Walks a system at random, each walk of at most `longest` steps, until a limit is reached: `max_states` bounds the
/// steps taken, and the walks that cannot take any. Counterexamples are not shortest ones.
pub fn walk<E: Election>(
    system: &System<E>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
    seed: u64,
    longest: usize,
) -> Exploration<E> {
    run(system, properties, limits, progress, DEFAULT_SEED, |tables, front, initial, goal| {
        let (report, sample) = walk::walk(tables, front, initial, goal, seed, longest);
        (report, Some(sample))
    })
}

fn run<E: Election>(
    system: &System<E>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
    seed: u64,
    explore: impl FnOnce(&mut Tables, &mut SystemFront<'_, E>, &[u32], &Goal<'_>) -> (Report, Option<Sample>),
) -> Exploration<E> {
    let (mut front, mut tables) = SystemFront::new(system, seed);
    let asked = properties.iter().fold(0, |bits, p| bits | 1 << p.0);
    let goal = Goal { asked, limits, progress };
    let initial = front.row(&system.initial(), &mut tables).expect("digests tell a few flows apart");
    let (report, sample) = explore(&mut tables, &mut front, &initial, &goal);
    let mut ended = report.ended.clone();
    if let (false, Err(why)) = (matches!(ended, Ended::Failed(_)), front.audit()) {
        ended = Ended::Failed(why);
    }
    let tally = tally(system, &tables, &report);
    let mut violations = BTreeMap::new();
    for (property, path) in report.broken {
        match retell(system, &mut front, &mut tables, &initial, &path, property) {
            Ok((steps, why)) => {
                violations.insert(property, Violation { steps, why, is_shortest: sample.is_none() });
            }
            Err(why) => ended = Ended::Failed(why),
        }
    }
    Exploration {
        engine: if sample.is_some() { "walk" } else { "compiled" },
        ended,
        distinct: report.distinct,
        generated: report.generated,
        depth: report.depth,
        cut: report.cut,
        tally,
        violations,
        seconds: report.seconds,
        threads: if sample.is_some() { 1 } else { limits.threads },
        peak_bytes: Some(report.peak_bytes),
        // Of n fingerprints of 64 bits, n(n-1)/2 pairs may collide.
        collision_probability: (report.distinct as f64).powi(2) / 2f64.powi(65),
        sample,
    }
}

/// Tells a path in steps, replaying it on the reference semantics as it goes.
fn retell<E: Election>(
    system: &System<E>,
    front: &mut SystemFront<'_, E>,
    tables: &mut Tables,
    initial: &[u32],
    path: &[StepId],
    property: PropertyId,
) -> Result<(Vec<StepOf<E>>, String), String> {
    let mut row = initial.to_vec();
    let mut state = system.initial();
    let mut steps = Vec::new();
    for &id in path {
        let step = front.step(&row, id, tables);
        row = tables.take(&row, id, front)?;
        state = system.apply(&state, &step).filter(|next| *next == front.state(&row, tables)).ok_or_else(
            || {
                format!(
                    "engine and reference disagree about `{}` (a defect of oneleader)",
                    system.name(&step)
                )
            },
        )?;
        steps.push(step);
    }
    let why = system.holds(property, &state).err().ok_or_else(|| {
        "engine and reference disagree about a violation (a defect of oneleader)".to_string()
    })?;
    Ok((steps, why))
}

fn tally<E: Election>(system: &System<E>, tables: &Tables, report: &Report) -> Tally {
    let mut tally = Tally::default();
    for (kind, &n) in tables.kinds.iter().zip(&report.kinds).filter(|(_, n)| **n > 0) {
        tally.add_steps(system, kind.step, kind.message.as_ref(), kind.facts, n);
    }
    tally.note_past(system, report.goals);
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::election::Visitor;
    use crate::models;
    use crate::scenario::Scenario;

    /// Explores a protocol, falsifies what the engine has learnt of its steps, and explores it again.
    struct Falsify;

    impl Visitor for Falsify {
        type Output = Ended;

        fn visit<E: Election>(self) -> Ended {
            let system = Scenario::new("falsified", 3).system::<E>().unwrap();
            let limits = Limits { max_states: Some(1000), ..Limits::exhaustive() };
            let goal = Goal { asked: 1, limits: &limits, progress: &|_| () };
            let (mut front, mut tables) = SystemFront::new(&system, DEFAULT_SEED);
            let initial = front.row(&system.initial(), &mut tables).unwrap();
            let first = search(&mut tables, &mut front, &initial, &goal).ended;
            assert!(matches!(first, Ended::Exhausted | Ended::MaxStates), "{first:?}");
            for step in &mut tables.steps.all {
                step.delta ^= 1;
            }
            search(&mut tables, &mut front, &initial, &goal).ended
        }
    }

    #[test]
    fn a_step_that_leads_to_something_else_than_it_adds_up_to_is_found_out() {
        // Where all steps are careful, nothing was falsified.
        let ends: Vec<_> =
            models::all().iter().filter_map(|about| models::visit(about.name, Falsify)).collect();
        let is_found_out = |end: &Ended| matches!(end, Ended::Failed(why) if why.contains("adds up to"));
        assert!(ends.iter().any(is_found_out), "{ends:?}");
    }
}
