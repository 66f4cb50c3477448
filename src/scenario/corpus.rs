//! A protocol's own scenarios, and their clean twins.
//!
//! A scenario that plants a bug and is violated says little alone: it might be violated without the
//! bug, too. So each has a clean *twin*: the same scenario without the bug, which must hold. Twins
//! are made here and stand in no file. A scenario's `twin` says how its twin must differ.
//!
//! A bug should also be found by somebody who does not know of it. So for each bug that costs
//! safety the table `caught_by` names another scenario that finds it: a scenario without a bug and
//! without a prefix, or the twin of another bug's scenario.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::election::About;
use crate::exploration::verdict::Verdict;
use crate::scenario::{self, Expected, Problem, Scenario, Size, Twin};

/// The end of the name of a twin.
const TWIN: &str = "-clean";

/// Where a bug is caught, other than in its own scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum CaughtBy {
    /// The scenario of this name, with the bug planted, is violated.
    Scenario(String),
    /// No scenario of less than two million states catches it.
    None {
        /// The reason.
        none: String,
    },
}

/// The scenarios of a protocol's corpus. Each twin stands behind its scenario.
///
/// # Errors
/// The protocol's own file is wrong.
pub fn of(about: &'static About) -> Result<Vec<Scenario>, Problem> {
    if about.corpus.trim().is_empty() {
        return Ok(Vec::new());
    }
    let written = scenario::parse(about.corpus, about)
        .map_err(|problem| problem.in_file(&format!("corpus of {}", about.name)))?;
    let mut known: Vec<Scenario> =
        written.iter().filter(|scenario| scenario.bug.is_none()).map(essence).collect();
    let mut all = Vec::new();
    for scenario in written {
        let twin = twin(&scenario).filter(|twin| !known.contains(&essence(twin)));
        all.push(scenario);
        if let Some(twin) = twin {
            known.push(essence(&twin));
            all.push(twin);
        }
    }
    Ok(all)
}

/// For each bug that costs safety: where it is caught, other than in its own scenario.
///
/// # Errors
/// The protocol's own file is wrong.
pub fn caught_by(about: &'static About) -> Result<BTreeMap<String, CaughtBy>, Problem> {
    #[derive(Deserialize)]
    struct Table {
        #[serde(default)]
        caught_by: BTreeMap<String, CaughtBy>,
    }
    let table: Table = toml::from_str(about.corpus).map_err(|e| {
        Problem::new(e.message().to_string()).in_file(&format!("corpus of {}", about.name))
    })?;
    Ok(table.caught_by)
}

/// The same scenario without its bug. `None` if it plants no bug, or if it says why it has no twin.
fn twin(scenario: &Scenario) -> Option<Scenario> {
    let bug = scenario.bug.as_ref()?;
    let changes = scenario.twin.clone().unwrap_or_default();
    let Twin { none: None, size, bounds, covers, start_steps, mut expect } = changes else {
        return None;
    };
    let holds = Expected { verdict: Verdict::HoldsWithinBounds, steps: None, or_better: true };
    expect.entry("all".to_string()).or_insert(holds);
    Some(Scenario {
        name: format!("{}{TWIN}", scenario.name),
        note: format!("As {}, without the bug {bug}: it must hold.", scenario.name),
        bug: None,
        twin: None,
        size: size.unwrap_or(scenario.size.max(Size::Full)),
        bounds: bounds.unwrap_or(scenario.bounds),
        start_steps: start_steps.unwrap_or(scenario.start_steps.clone()),
        covers: covers.unwrap_or(scenario.covers.clone()),
        distinct: None,
        generated: None,
        fuzz: None,
        expect,
        ..scenario.clone()
    })
}

/// The parts of a scenario that decide which states are explored and which properties are asked.
fn essence(scenario: &Scenario) -> Scenario {
    Scenario {
        name: String::new(),
        note: String::new(),
        size: Size::Small,
        distinct: None,
        generated: None,
        fuzz: None,
        covers: Vec::new(),
        expect: BTreeMap::new(),
        ..scenario.clone()
    }
}
