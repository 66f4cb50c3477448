//! What was concluded about a property: the closed list of verdicts, and which exit code follows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The closed list of verdicts. The words are a contract: they stand in scenario files and in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every reachable state was seen.
    Holds,
    /// Every state within the bounds was seen; some bound cut.
    HoldsWithinBounds,
    /// There is a trace that replays.
    Violated,
    /// Sampled, or stopped early.
    NotRefuted,
    /// It holds, but what it speaks of never happened.
    Vacuous,
    /// Liveness: no fair run avoids a stable leader.
    Guaranteed,
    /// Liveness: only with probability 0 is there none.
    AlmostSure,
    /// Liveness: some run ends where no stable leader can come about any more.
    CanBeLost,
    /// Liveness: there never is a stable leader.
    Never,
    /// Liveness: a run on which no time passes any more.
    TimeStops,
    /// Liveness: bounds cut too much.
    Unknown,
    /// Nothing was concluded.
    Error,
}

impl Verdict {
    /// Whether it answers a question of liveness, which no engine is asked yet.
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
