//! The reference engine: stateright's own breadth-first search, depth-first search and simulation
//! over a [`System`].
//!
//! It is slow beside the compiled engine, but easy to trust: the search is stateright's own. This
//! module adds a wrapper around the system, the model `Watched`, for three things that stateright's
//! checkers do not do:
//!
//! - stateright lets a later violation overwrite an earlier one, so `Watched` says after the first
//!   violation of a property that it holds. Breadth-first with one thread, the trace kept is then a
//!   shortest one;
//! - a search of stateright's ends as soon as every property is violated, and with one thread it
//!   knows no time limit. So there is one more property, which is "discovered" exactly when the
//!   search is told to stop;
//! - stateright does not count what happened and what the bounds cut off, so `Watched` counts it as
//!   steps are generated.

pub mod erased;
pub mod questions;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Property, UniformChooser};

use crate::election::Election;
use crate::exploration::{Ended, Exploration, Limits, Progress, Tally, Until, Violation};
use crate::reference::erased::{AnySystem, Erased};
use crate::reference::questions::{Questioned, always};
use crate::semantics::{Bound, PropertyId, StepOf, System};
use crate::support::panics;

/// The order in which stateright searches states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// With one thread, counterexamples are shortest ones.
    BreadthFirst,
    /// Its counterexamples are long.
    DepthFirst,
    /// Random runs, for ever: [`Limits`] must end it.
    Simulation {
        /// The same seed gives the same runs.
        seed: u64,
    },
}

impl Search {
    /// The word for the engine, as on the command line.
    pub fn engine(self) -> &'static str {
        match self {
            Search::BreadthFirst => "stateright-bfs",
            Search::DepthFirst => "stateright-dfs",
            Search::Simulation { .. } => "stateright-simulation",
        }
    }
}

/// Explores the system with one of stateright's searches.
pub fn explore<E: Election>(
    search: Search,
    system: &Arc<System<E>>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Exploration<E> {
    let seen = explore_any(search, system.clone(), properties, limits, progress);
    let violation = |found: Found| {
        let steps = found.steps.iter().map(|step| step.get::<StepOf<E>>().clone()).collect();
        (found.property, Violation { steps, why: found.why, is_shortest: found.is_shortest })
    };
    Exploration {
        engine: search.engine(),
        ended: seen.ended,
        distinct: seen.distinct,
        generated: seen.generated,
        depth: seen.depth,
        levels: Vec::new(),
        cut: seen.cut,
        tally: seen.tally,
        violations: seen.found.into_iter().map(violation).collect(),
        seconds: seen.seconds,
        threads: limits.threads,
        peak_bytes: seen.peak_bytes,
        collision_probability: seen.collision_probability,
        sample: None,
    }
}

/// What a search saw of a system of any protocol.
struct Seen {
    ended: Ended,
    distinct: u64,
    generated: u64,
    depth: usize,
    cut: BTreeMap<Bound, u64>,
    tally: Tally,
    found: Vec<Found>,
    seconds: f64,
    peak_bytes: Option<u64>,
    collision_probability: f64,
}

/// A violation.
struct Found {
    property: PropertyId,
    steps: Vec<Erased>,
    why: String,
    is_shortest: bool,
}

fn explore_any(
    search: Search,
    system: Arc<dyn AnySystem>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Seen {
    let watched = Watched {
        system,
        asked: properties.to_vec(),
        until: limits.until.clone(),
        is_simulation: matches!(search, Search::Simulation { .. }),
        is_searching: AtomicBool::new(true),
        ended: OnceLock::new(),
        violated: Mutex::new(BTreeSet::new()),
        tally: Mutex::new(Tally::default()),
        cut: Bound::ALL.map(|_| AtomicU64::new(0)),
        expanded: AtomicU64::new(0),
        sampled: Mutex::new(HashSet::new()),
        hasher: RandomState::new(),
    };
    let builder = watched
        .checker()
        .threads(limits.threads)
        .finish_when(HasDiscoveries::AllOf(BTreeSet::from([TOLD_TO_STOP])));
    match search {
        Search::BreadthFirst => attend(builder.spawn_bfs(), search, limits, progress),
        Search::DepthFirst => attend(builder.spawn_dfs(), search, limits, progress),
        Search::Simulation { seed } => {
            attend(builder.spawn_simulation(seed, UniformChooser), search, limits, progress)
        }
    }
}

/// The name of the property that is "discovered" when the search is to stop.
const TOLD_TO_STOP: &str = "told to stop";

/// A step together with the state it leads to, so that stateright need not compute that twice.
#[derive(Clone)]
struct Taken {
    step: Erased,
    next: Erased,
}

impl PartialEq for Taken {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step
    }
}

/// The system as stateright sees it.
struct Watched {
    system: Arc<dyn AnySystem>,
    asked: Vec<PropertyId>,
    until: Until,
    is_simulation: bool,
    /// Whether steps are counted. Not after the search, when stateright takes the steps of its
    /// counterexamples again.
    is_searching: AtomicBool,
    /// Why the search was told to stop, if it was.
    ended: OnceLock<Ended>,
    violated: Mutex<BTreeSet<PropertyId>>,
    tally: Mutex<Tally>,
    /// How many steps each bound cut off, in the order of [`Bound::ALL`].
    cut: [AtomicU64; Bound::ALL.len()],
    expanded: AtomicU64,
    /// Fingerprints of the states that a simulation has seen: stateright does not count its
    /// distinct states.
    sampled: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

impl Watched {
    fn stop(&self, why: Ended) {
        let _ = self.ended.set(why);
    }

    fn is_stopped(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Runs a function that calls the actor's handlers. If they panic, the search ends, not the
    /// program.
    fn guarded<T: Default>(&self, run: impl FnOnce() -> T) -> T {
        panics::caught(run).unwrap_or_else(|why| {
            self.stop(Ended::Failed(format!("a handler panicked: {why}")));
            T::default()
        })
    }

    /// The steps within the bounds.
    fn steps(&self, state: &Erased) -> Vec<Taken> {
        let successors = self.system.successors(state).into_iter();
        let within = successors.filter(|(_, next)| match self.system.beyond(next) {
            None => true,
            Some(bound) => {
                if self.is_searching.load(Relaxed) {
                    self.cut[bound.position()].fetch_add(1, Relaxed);
                }
                false
            }
        });
        within.map(|(step, next)| Taken { step, next }).collect()
    }

    fn count(&self, before: &Erased, step: &Erased, after: &Erased) {
        let mut counted = Tally::default();
        self.system.count(&mut counted, before, step, after);
        self.tally.lock().expect("no panic while held").add(&counted);
    }
}

impl Questioned for Watched {
    /// Whether the property holds or is known to be violated already.
    fn holds_here(&self, property: PropertyId, state: &Erased) -> bool {
        if self.is_stopped() || self.guarded(|| self.system.holds(property, state).err()).is_none()
        {
            return true;
        }
        let mut violated = self.violated.lock().expect("no panic while held");
        let is_new = violated.insert(property);
        let until = &self.until;
        if until.is_satisfied_by(|p| violated.contains(&p), !violated.is_empty()) {
            self.stop(Ended::Violated);
        }
        !is_new
    }
}

impl Model for Watched {
    type State = Erased;
    type Action = Taken;

    fn init_states(&self) -> Vec<Self::State> {
        vec![self.system.initial()]
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        if !self.is_searching.load(Relaxed) {
            actions.extend(self.steps(state));
        } else if !self.is_stopped() {
            self.expanded.fetch_add(1, Relaxed);
            if self.is_simulation {
                self.sampled
                    .lock()
                    .expect("no panic while held")
                    .insert(self.hasher.hash_one(state));
            }
            actions.extend(self.guarded(|| self.steps(state)));
        }
    }

    fn next_state(&self, state: &Self::State, taken: Self::Action) -> Option<Self::State> {
        if self.is_searching.load(Relaxed) {
            self.count(state, &taken.step, &taken.next);
        }
        Some(taken.next)
    }

    fn within_boundary(&self, state: &Self::State) -> bool {
        self.system.beyond(state).is_none()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = always(self.system.properties(), &self.asked);
        all.push(Property::sometimes(TOLD_TO_STOP, |model: &Self, _| model.is_stopped()));
        all
    }
}

/// Watches a running search: reports its progress, stops it at its limits, and returns what it saw.
fn attend(
    mut checker: impl Checker<Watched>,
    search: Search,
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Seen {
    let begin = Instant::now();
    let bytes_before = resident_bytes();
    let mut peak_bytes = None;
    let mut pause = Duration::from_micros(100);
    let mut told = begin;
    let handles = checker.handles();
    while !handles.iter().all(JoinHandle::is_finished) {
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
        let watched = checker.model();
        let seen = distinct(&checker);
        // A simulation never ends by itself, even if there are few states.
        let work = if watched.is_simulation { watched.expanded.load(Relaxed) } else { seen };
        let bytes =
            resident_bytes().zip(bytes_before).map(|(now, before)| now.saturating_sub(before));
        peak_bytes = peak_bytes.max(bytes);
        if limits.is_interrupted() {
            watched.stop(Ended::Interrupted);
        } else if limits.max_states.is_some_and(|max| work >= max) {
            watched.stop(Ended::MaxStates);
        } else if limits.time.is_some_and(|time| begin.elapsed() >= time) {
            watched.stop(Ended::TimeLimit);
        } else if limits.memory.zip(bytes).is_some_and(|(max, now)| now >= max) {
            watched.stop(Ended::MaxMemory);
        }
        if told.elapsed() >= Duration::from_millis(100) {
            told = Instant::now();
            progress(&Progress {
                distinct: seen,
                generated: checker.state_count() as u64,
                depth: checker.max_depth().saturating_sub(1),
                frontier: seen.saturating_sub(watched.expanded.load(Relaxed)),
                bytes,
                seconds: begin.elapsed().as_secs_f64(),
            });
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    if handles.into_iter().any(|handle| handle.join().is_err()) {
        checker.model().stop(Ended::Failed("a thread of the search panicked".to_string()));
    }
    let is_shortest = search == Search::BreadthFirst && limits.threads == 1;
    Seen { seconds, peak_bytes, ..taken_down(&checker, is_shortest) }
}

/// What a finished search has seen.
fn taken_down(checker: &impl Checker<Watched>, is_shortest: bool) -> Seen {
    let watched = checker.model();
    watched.is_searching.store(false, Relaxed);
    let names = watched.system.properties();
    let mut found = Vec::new();
    for (name, path) in checker.discoveries() {
        let Some((property, _)) = names.iter().find(|(_, n)| *n == name) else { continue };
        let why =
            watched.system.holds(*property, path.last_state()).expect_err("a violation stays one");
        let steps = path.into_actions().into_iter().map(|taken| taken.step).collect();
        found.push(Found { property: *property, steps, why, is_shortest });
    }
    let is_simulation = watched.is_simulation;
    let ended = match watched.ended.get().cloned().unwrap_or(Ended::Exhausted) {
        Ended::MaxStates | Ended::TimeLimit if is_simulation => Ended::Sampled,
        ended => ended,
    };
    let cut =
        Bound::ALL.into_iter().map(|bound| (bound, watched.cut[bound.position()].load(Relaxed)));
    Seen {
        ended,
        distinct: distinct(checker),
        generated: checker.state_count() as u64,
        // Except in simulations, stateright says that the initial state is at depth 1.
        depth: checker.max_depth().saturating_sub(usize::from(!is_simulation)),
        cut: cut.filter(|(_, n)| *n > 0).collect(),
        tally: watched.tally.lock().expect("no panic while held").clone(),
        found,
        seconds: 0.0,
        peak_bytes: None,
        collision_probability: collisions(checker.unique_state_count()),
    }
}

fn distinct(checker: &impl Checker<Watched>) -> u64 {
    let watched = checker.model();
    match watched.is_simulation {
        true => watched.sampled.lock().expect("no panic while held").len() as u64,
        false => checker.unique_state_count() as u64,
    }
}

/// The probability that two of `n` states share a 64-bit fingerprint.
fn collisions(n: usize) -> f64 {
    let n = n as f64;
    -f64::exp_m1(-n * (n - 1.0) / 2.0 / 2f64.powi(64))
}

/// The memory of this process in bytes, if the operating system says it.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
