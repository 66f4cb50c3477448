//! The closed list of verdicts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The closed list of verdicts. The words are a contract: they stand in scenario files and in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every reachable state was seen.
    Holds,
    /// Every state within the bounds was seen; some bound cut off steps.
    HoldsWithinBounds,
    /// A run breaks the property; its trace can be replayed.
    Violated,
    /// No violation was found, but the run was sampled or stopped early.
    NotRefuted,
    /// There is no violation, but what the property or the scenario speaks of never happened.
    Vacuous,
    /// Liveness: every fair run gets a stable leader.
    Guaranteed,
    /// Liveness: a run gets a stable leader with probability 1.
    AlmostSure,
    /// Liveness: some run reaches a state after which no stable leader is possible.
    CanBeLost,
    /// Liveness: no run gets a stable leader.
    Never,
    /// Liveness: on some run no time passes any more.
    TimeStops,
    /// Liveness: the bounds cut off too much for a conclusion.
    Unknown,
    /// The run failed, so nothing was concluded.
    Error,
}

impl Verdict {
    /// Whether it is a verdict about liveness. No engine gives these yet.
    pub fn is_of_liveness(self) -> bool {
        use Verdict::*;
        matches!(self, Guaranteed | AlmostSure | CanBeLost | Never | TimeStops | Unknown)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Holds => "holds",
            Verdict::HoldsWithinBounds => "holds-within-bounds",
            Verdict::Violated => "violated",
            Verdict::NotRefuted => "not-refuted",
            Verdict::Vacuous => "vacuous",
            Verdict::Guaranteed => "guaranteed",
            Verdict::AlmostSure => "almost-sure",
            Verdict::CanBeLost => "can-be-lost",
            Verdict::Never => "never",
            Verdict::TimeStops => "time-stops",
            Verdict::Unknown => "unknown",
            Verdict::Error => "error",
        })
    }
}
