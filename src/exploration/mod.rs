//! The question that every engine gets, the answer that it gives, and what is concluded from an
//! answer.
//!
//! An engine explores a [`System`](crate::semantics::System) within [`Limits`] and returns an
//! [`Exploration`]: what it saw, what it cut, how often each kind of step happened, and a trace to
//! each violation. [`conclude`] turns that into verdicts.

use std::collections::BTreeMap;
use std::fmt;

use crate::election::Election;
use crate::semantics::{Bound, PropertyId, StepOf};

mod conclude;
mod limits;
mod tally;
pub mod verdict;

pub use conclude::{Conclusion, conclude};
pub use limits::{Limits, Until};
pub use tally::Tally;

/// Why an exploration ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every state within the bounds was seen.
    Exhausted,
    /// [`Limits::until`] came true.
    Violated,
    /// [`Limits::max_states`] was reached.
    MaxStates,
    /// States at the distance [`Limits::max_depth`] were not expanded.
    MaxDepth,
    /// [`Limits::time`] was over.
    TimeLimit,
    /// [`Limits::memory`] was used up.
    MaxMemory,
    /// [`Limits::interrupted`] was set.
    Interrupted,
    /// The engine takes samples, and the sample is complete.
    Sampled,
    /// An actor's handler panicked or is not a function of its arguments; what was seen does not
    /// count.
    Failed(String),
}

/// A violation: the steps that lead to it, and the conflicting facts.
pub struct Violation<E: Election> {
    /// From the state in which checking starts.
    pub steps: Vec<StepOf<E>>,
    /// The conflicting facts.
    pub why: String,
    /// Whether no shorter run violates the property.
    pub is_shortest: bool,
}

/// What an engine saw.
pub struct Exploration<E: Election> {
    /// The word for the engine, as on the command line.
    pub engine: &'static str,
    /// Why the exploration ended.
    pub ended: Ended,
    /// Distinct states within the bounds.
    pub distinct: u64,
    /// Generated states within the bounds, the initial one included.
    pub generated: u64,
    /// Steps from the initial state (depth 0) to the farthest state seen.
    pub depth: usize,
    /// How many of the distinct states are at each depth: so many steps from the initial state, on
    /// a shortest way. Only the compiled engine's breadth-first search counts them; else empty.
    pub levels: Vec<u64>,
    /// Generated states beyond each bound.
    pub cut: BTreeMap<Bound, u64>,
    /// How often each kind of thing happened.
    pub tally: Tally,
    /// For each property that is violated, one run that shows it.
    pub violations: BTreeMap<PropertyId, Violation<E>>,
    /// How long it took.
    pub seconds: f64,
    /// On how many threads.
    pub threads: usize,
    /// The most bytes that the exploration held, where it is known.
    pub peak_bytes: Option<u64>,
    /// The probability that two states were taken for one; above 0 only where states are told apart
    /// by their fingerprints.
    pub collision_probability: f64,
    /// The sample, if the engine took random walks.
    pub sample: Option<Sample>,
}

/// What a sample of random walks consisted of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The same seed gives the same walks.
    pub seed: u64,
    /// How many there were.
    pub walks: u64,
    /// How many walks had each length, in steps.
    pub lengths: Vec<u64>,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut walks = 0;
        let median = self.lengths.iter().position(|n| {
            walks += n;
            walks * 2 >= self.walks
        });
        let longest = self.lengths.iter().rposition(|n| *n > 0).unwrap_or(0);
        let median = median.unwrap_or(0);
        write!(
            f,
            "{} walks (seed {}), half of {median} steps or fewer, the longest {longest}",
            self.walks, self.seed
        )
    }
}

/// The progress of an exploration.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Distinct states within the bounds so far.
    pub distinct: u64,
    /// Generated states within the bounds so far.
    pub generated: u64,
    /// Steps from the initial state to the farthest state so far.
    pub depth: usize,
    /// States found and not yet expanded.
    pub frontier: u64,
    /// How many bytes the exploration holds, where that is known.
    pub bytes: Option<u64>,
    /// Seconds since it began.
    pub seconds: f64,
}
