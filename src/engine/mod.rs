//! The compiled engine: exhaustive search in which numbers stand for values.
//!
//! An actor's handler is a function of the node, its local state and the event, and there are few
//! distinct local states: thousands, where there are hundreds of millions of system states. So
//! local states, messages and worlds become numbers (`ids`), and so does what is in flight on one
//! link. Each handler runs once for each of its arguments, and a step of the system takes a few
//! look-ups.
//!
//! A `program` is everything that the engine knows, in numbers. A `source` holds the values behind
//! them and calls the user's functions: there is one for a [`System`], and one for any
//! [`ActorModel`](stateright::actor::ActorModel). A `search` is breadth-first, by any number of
//! threads, and its result, traces included, does not depend on their number. A [`walk()`] takes
//! random steps instead.

mod actor_model;
mod digest;
mod error;
mod ids;
mod log;
mod memo;
mod pool;
mod program;
mod row;
mod search;
mod source;
pub mod visited;
mod walk;

use std::collections::BTreeMap;

use crate::election::Election;
use crate::exploration::{Ended, Exploration, Limits, Progress, Sample, Tally, Violation};
use crate::semantics::{PropertyId, StepOf, System};
use error::EngineError;
use ids::StepId;
use program::{Program, ProgramBuilder};
use search::{Assignment, Findings, search};
use source::{SystemSource, retell};

pub use actor_model::{ModelExploration, check_model};

/// The word for the exhaustive search, as on the command line.
pub const COMPILED: &str = "compiled";
/// The word for random walks.
pub const WALK: &str = "walk";

/// The default key of all digests. With another key all fingerprints change, so two states that
/// shared a fingerprint are unlikely to share one again.
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
    let asked = properties.iter().copied().collect();
    let assignment = Assignment { asked, limits, progress };
    run(system, &assignment, seed, |program, source, initial| {
        (search(program, source, initial, &assignment), None)
    })
}

/// Walks a system at random until a limit is reached, each walk with at most `longest` steps.
/// `max_states` bounds the steps taken, and the walks that cannot take any. Counterexamples are not
/// shortest ones.
pub fn walk<E: Election>(
    system: &System<E>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
    seed: u64,
    longest: usize,
) -> Exploration<E> {
    let asked = properties.iter().copied().collect();
    let assignment = Assignment { asked, limits, progress };
    run(system, &assignment, DEFAULT_SEED, |program, source, initial| {
        let walked = walk::walk(program, source, initial, &assignment, seed, longest);
        (walked.0, Some(walked.1))
    })
}

fn run<E: Election>(
    system: &System<E>,
    assignment: &Assignment<'_>,
    seed: u64,
    explore: impl FnOnce(
        &mut ProgramBuilder,
        &mut SystemSource<'_, E>,
        &[u32],
    ) -> (Findings, Option<Sample>),
) -> Exploration<E> {
    let (mut source, mut program) = SystemSource::new(system, seed);
    let initial = source.row(&system.initial(), &mut program);
    let initial = initial.expect("digests tell a few flows apart");
    let (findings, sample) = explore(&mut program, &mut source, &initial);
    let tally = tally(system, &program, &findings);
    let mut ended = findings.ended.and_then(|ended| source.audit().map(|()| ended));
    let mut violations = BTreeMap::new();
    for (property, path) in findings.broken {
        match tell(system, &mut source, &mut program, &initial, &path, property) {
            Ok((steps, why)) => {
                let is_shortest = sample.is_none();
                violations.insert(property, Violation { steps, why, is_shortest });
            }
            Err(why) => ended = Err(why),
        }
    }
    Exploration {
        engine: if sample.is_some() { WALK } else { COMPILED },
        ended: ended.unwrap_or_else(|why| Ended::Failed(why.to_string())),
        distinct: findings.distinct,
        generated: findings.generated,
        depth: findings.depth,
        levels: findings.levels,
        cut: findings.cut,
        tally,
        violations,
        seconds: findings.seconds,
        threads: if sample.is_some() { 1 } else { assignment.limits.threads },
        peak_bytes: Some(findings.peak_bytes),
        // Among n fingerprints of 64 bits, n(n-1)/2 pairs may collide.
        collision_probability: (findings.distinct as f64).powi(2) / 2f64.powi(65),
        sample,
    }
}

/// A path to a violation, as steps, and why its end violates the property.
fn tell<E: Election>(
    system: &System<E>,
    source: &mut SystemSource<'_, E>,
    program: &mut ProgramBuilder,
    initial: &[u32],
    path: &[StepId],
    property: PropertyId,
) -> Result<(Vec<StepOf<E>>, String), EngineError> {
    let (steps, last) = retell(source, program, (initial, system.initial()), path)?;
    let why = system.holds(property, &last).err().ok_or_else(|| {
        EngineError::Defect("engine and reference disagree about a violation".to_string())
    })?;
    Ok((steps, why))
}

fn tally<E: Election>(system: &System<E>, program: &Program, findings: &Findings) -> Tally {
    let mut tally = Tally::default();
    let counts = program.counted().iter().zip(&findings.counts);
    for (counted, &n) in counts.filter(|(_, n)| **n > 0) {
        tally.add_steps(system, counted.step, counted.message.as_ref(), counted.facts, n);
    }
    tally.note_past(system, findings.goals);
    tally
}

/// Explores a system, falsifies what the engine has learnt of its steps, and explores it again.
#[cfg(test)]
pub(crate) fn explore_falsified<E: Election>(
    system: &System<E>,
) -> [Result<Ended, EngineError>; 2] {
    let limits = Limits { max_states: Some(1000), ..Limits::exhaustive() };
    let asked = [PropertyId(0)].into_iter().collect();
    let assignment = Assignment { asked, limits: &limits, progress: &|_| () };
    let (mut source, mut program) = SystemSource::new(system, DEFAULT_SEED);
    let initial = source.row(&system.initial(), &mut program).expect("a state");
    let first = search(&mut program, &mut source, &initial, &assignment).ended;
    program.falsify();
    [first, search(&mut program, &mut source, &initial, &assignment).ended]
}
