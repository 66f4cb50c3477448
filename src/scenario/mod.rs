//! What a run assumes, as data: TOML through serde, the same for the corpus beside each protocol
//! and for a user's own file. Everything is checked before anything runs; see [`Problem`].

mod asked;
mod build;
mod check;
pub mod corpus;
mod expected;
mod file;
pub mod liveness;
pub mod start;
mod tick;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::semantics::network::NetworkKind;
use crate::semantics::world::Faults;
use crate::semantics::{Bounds, Latency, Timing};

pub use crate::election::MAX_NODES;
pub use crate::support::plain::among;
pub use crate::support::problem::Problem;
pub use asked::{Asked, asked};
pub use build::Unready;
pub use expected::Expected;
pub use file::parse;

/// Which suites run a scenario.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// `cargo test`, on every engine.
    #[default]
    Small,
    /// `oneleader check`.
    Full,
    /// `oneleader check --deep`.
    Deep,
}

/// The topology at the start, and those that a switch may go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topologies {
    /// In force at the start: see [`Topology`](crate::semantics::topology::Topology) for the names.
    #[serde(default = "mesh")]
    pub start: String,
    /// What a switch may go to.
    #[serde(default)]
    pub may: Vec<String>,
}

fn mesh() -> String {
    "mesh".to_string()
}

impl Default for Topologies {
    fn default() -> Self {
        Topologies { start: mesh(), may: Vec::new() }
    }
}

/// How the clean twin of a scenario differs from the scenario, besides that no bug is planted. See
/// [`crate::scenario::corpus`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Twin {
    /// Why there is no twin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<String>,
    /// The twin's size. The default is `full`, or the scenario's own size if that is larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// In the place of the scenario's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// In the place of the scenario's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers: Option<Vec<String>>,
    /// Replaces the scenario's, whose steps may not be possible without the bug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_steps: Option<Vec<String>>,
    /// Expectations by property, for those that are not expected to hold.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, Expected>,
}

/// How to fuzz a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FuzzHints {
    /// How many random runs there are. If a violation is expected, they must find it.
    pub cases: u32,
    /// The most steps of a run.
    pub steps: usize,
    /// How often a kind of step is chosen, compared with usual (1), by the kind's name.
    pub weights: BTreeMap<String, u32>,
}

impl Default for FuzzHints {
    fn default() -> Self {
        FuzzHints { cases: 10_000, steps: 100, weights: BTreeMap::new() }
    }
}

/// One scenario. Its keys are those of the TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// kebab-case, unique within its file.
    pub name: String,
    /// Why the expected verdict is right.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// How many nodes there are.
    pub nodes: usize,
    /// The protocol's options, by name.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub options: toml::Table,
    /// How messages travel.
    #[serde(default)]
    pub network: NetworkKind,
    /// What is assumed of time.
    #[serde(default)]
    pub timing: Timing,
    /// The length of a tick; durations of timers are whole multiples of it.
    #[serde(default = "default_tick", with = "tick")]
    pub tick: Duration,
    /// How many ticks a message takes, where time is kept: 0 or 1.
    #[serde(default, skip_serializing_if = "is_default")]
    pub latency: Latency,
    /// The bounds of the search.
    #[serde(default)]
    pub bounds: Bounds,
    /// What may fail, and how often.
    #[serde(default)]
    pub faults: Faults,
    /// Which links are up.
    #[serde(default)]
    pub topologies: Topologies,
    /// The mistake that is planted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// Checking starts in the first state in which this predicate holds, such as `n2 leads term 1`.
    /// See [`crate::scenario::start`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_when: Option<String>,
    /// The names of steps that are taken before checking starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_steps: Vec<String>,
    /// Whether dead messages, which can never again have an effect, stay in flight.
    #[serde(default)]
    pub keep_dead_messages: bool,
    /// Which suites run it.
    #[serde(default)]
    pub size: Size,
    /// The expected number of distinct states, if all are seen. Given only where two engines agree
    /// on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// The expected number of generated states, the initial one included, if all are seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<u64>,
    /// How it is fuzzed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuzz: Option<FuzzHints>,
    /// The protocol's goals that a run must reach, or else its verdict is `vacuous`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// For a scenario of the corpus that plants a bug: how its clean twin differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
    /// The expected verdicts by property; `all` stands for every property that is not named. Only
    /// the properties that appear here are checked. If this is empty, all properties are checked
    /// and expected to hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, Expected>,
}

fn is_default(latency: &Latency) -> bool {
    *latency == Latency::default()
}

fn default_tick() -> Duration {
    Duration::from_millis(10)
}

impl Scenario {
    /// A scenario with all defaults: asynchronous, without faults, without bounds.
    pub fn new(name: impl Into<String>, nodes: usize) -> Self {
        Scenario {
            name: name.into(),
            note: String::new(),
            nodes,
            options: toml::Table::new(),
            network: NetworkKind::default(),
            timing: Timing::default(),
            tick: default_tick(),
            latency: Latency::default(),
            bounds: Bounds::default(),
            faults: Faults::default(),
            topologies: Topologies::default(),
            bug: None,
            start_when: None,
            start_steps: Vec::new(),
            keep_dead_messages: false,
            size: Size::default(),
            distinct: None,
            generated: None,
            fuzz: None,
            covers: Vec::new(),
            twin: None,
            expect: BTreeMap::new(),
        }
    }

    /// What is expected of a property; `None` if this scenario does not ask about it.
    pub fn expected(&self, property: &str) -> Option<&Expected> {
        self.expect.get(property).or_else(|| self.expect.get("all"))
    }
}
