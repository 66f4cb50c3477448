//! What is asked about liveness, as data: `[[liveness]]` tables, beside the scenarios of a corpus
//! or of a user's own file.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::election::About;
use crate::scenario::file::{from_toml, line_at};
use crate::scenario::{Problem, Scenario, Size, Topologies, start};
use crate::semantics::network::NetworkKind;
use crate::semantics::world::Faults;
use crate::semantics::{Bounds, Latency, Timing};

/// A change of links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutLinks {
    /// The links from then on: see [`Topology`](crate::semantics::topology::Topology).
    pub to: String,
    /// A predicate, as of [`Scenario::start_when`]. The change may come in each state between two
    /// ticks that it is true of, and only what happens after the change counts.
    pub when: String,
}

/// One system of which it is asked whether a leader comes and stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivenessScenario {
    /// Unique within its file.
    pub name: String,
    /// Why the expected answers are right.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// How many nodes there are.
    pub nodes: usize,
    /// `timed`: time is kept, and a message takes a tick. `asynchronous`: a fair run without a
    /// leader is looked for. `stabilising`: time is not kept at first, and anything that `faults`
    /// allows may fail; then it is kept, and nothing fails.
    #[serde(default = "timed")]
    pub timing: Timing,
    /// The protocol's options, by name.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub options: toml::Table,
    /// How messages travel: `unordered` or `ordered`.
    #[serde(default)]
    pub network: NetworkKind,
    /// Crashes, restarts with the disk intact, lost messages; where time is not kept at first, also
    /// crashes within handlers and duplicates.
    #[serde(default)]
    pub faults: Faults,
    /// Which links are up.
    #[serde(default = "mesh")]
    pub topology: String,
    /// A predicate, as of [`Scenario::start_when`]. Only what happens from then on counts, from
    /// each state between two ticks that it is true of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_when: Option<String>,
    /// How the links change, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<CutLinks>,
    /// The mistake that is planted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// `max_term` and `max_round`, for a protocol that does not say how its terms grow; any, as
    /// long as time is not kept at first.
    #[serde(default)]
    pub bounds: Bounds,
    /// Which commands ask it.
    #[serde(default)]
    pub size: Size,
    /// After so many states of the graph the search ends.
    #[serde(default = "max_states", skip_serializing_if = "is_default")]
    pub max_states: usize,
    /// The answer to each question, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, String>,
}

fn mesh() -> String {
    Topologies::default().start
}

/// So many states are followed unless a scenario says otherwise.
pub const MAX_STATES: usize = 2_000_000;

fn max_states() -> usize {
    MAX_STATES
}

fn is_default(states: &usize) -> bool {
    *states == MAX_STATES
}

fn timed() -> Timing {
    Timing::Timed
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    liveness: Vec<toml::Spanned<LivenessScenario>>,
    /// Read by [`super::parse`].
    #[serde(default, rename = "scenario")]
    _scenario: Vec<IgnoredAny>,
    /// Read by [`crate::scenario::corpus`].
    #[serde(default, rename = "caught_by")]
    _caught_by: Option<IgnoredAny>,
}

/// Reads the `[[liveness]]` tables of a TOML text, and checks each against the protocol.
///
/// # Errors
/// The first mistake, with its line.
pub fn parse(text: &str, about: &'static About) -> Result<Vec<LivenessScenario>, Problem> {
    let file: File = from_toml(text)?;
    let mut all: Vec<LivenessScenario> = Vec::new();
    for spanned in file.liveness {
        let (line, scenario) = (line_at(text, spanned.span().start), spanned.into_inner());
        let name = &scenario.name;
        let wrong = |why: String| Problem::new(format!("liveness `{name}`: {why}")).at_line(line);
        if all.iter().any(|known| known.name == *name) {
            return Err(wrong("the name stands twice in this file".to_string()));
        }
        scenario.scenario().check(about).map_err(|(_, why)| wrong(why))?;
        if scenario.cut.is_some() && scenario.start_when.is_some() {
            let why = "expected `start_when` or `cut`, which has a `when` itself, found both";
            return Err(wrong(why.to_string()));
        }
        if let Some(when) = scenario.when() {
            start::expect_predicate(when, scenario.nodes).map_err(wrong)?;
        }
        all.push(scenario);
    }
    Ok(all)
}

impl LivenessScenario {
    /// The predicate of the states from which on runs count, if not from the very first one.
    pub fn when(&self) -> Option<&str> {
        self.cut.as_ref().map(|cut| cut.when.as_str()).or(self.start_when.as_deref())
    }

    /// The system that is asked about, as a scenario.
    pub fn scenario(&self) -> Scenario {
        let may = self.cut.iter().map(|cut| cut.to.clone()).collect();
        Scenario {
            note: self.note.clone(),
            options: self.options.clone(),
            timing: self.timing,
            network: self.network,
            latency: match self.timing {
                Timing::Asynchronous => Latency::default(),
                Timing::Timed | Timing::Stabilising => Latency::OneTick,
            },
            faults: Faults { switches: u32::from(self.cut.is_some()), ..self.faults },
            topologies: Topologies { start: self.topology.clone(), may },
            bounds: self.bounds,
            bug: self.bug.clone(),
            size: self.size,
            ..Scenario::new(self.name.clone(), self.nodes)
        }
    }
}
