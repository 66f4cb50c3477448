//! What a scenario expects.

use serde::{Deserialize, Serialize};

use crate::exploration::verdict::Verdict;

/// What a scenario expects of a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// A word of the closed list of verdicts, see [`crate::exploration::verdict::Verdict`].
    pub verdict: Verdict,
    /// The length of a shortest counterexample in steps, the prefix not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Whether `holds` is accepted, too, where `holds-within-bounds` is expected.
    #[serde(skip)]
    pub or_better: bool,
}

impl Expected {
    /// Whether a verdict is the one expected.
    pub fn accepts(&self, verdict: Verdict) -> bool {
        let is_better = self.verdict == Verdict::HoldsWithinBounds && verdict == Verdict::Holds;
        verdict == self.verdict || self.or_better && is_better
    }
}
