//! The scenarios beside a protocol, and what follows from them.
//!
//! A scenario that plants a bug and is violated says little alone: its bounds might be such that
//! everything is violated there. So each has a clean *twin*, the same scenario without the bug,
//! which must hold. Twins are made here and not written down; what must differ stands in the
//! scenario's `twin`.
//!
//! And a bug that only the scenario written for it finds would have been overlooked by whoever did
//! not know it. So each bug that costs safety names in the table `caught_by` another scenario that
//! finds it: a clean one without a prefix, or the twin of another bug's.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::election::About;
use crate::exploration::verdict::Verdict;
use crate::scenario::{self, Expected, Problem, Scenario, Size, Twin};

/// Ends the names of twins.
const TWIN: &str = "-clean";

/// Where a bug is caught besides in its own scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum CaughtBy {
    /// The scenario of this name, with the bug planted, is violated.
    Scenario(String),
    /// By none that sees less than two million states, for this reason.
    None {
        /// The reason.
        none: String,
    },
}

/// The scenarios of a protocol's corpus, twins included, each behind the scenario that it belongs
/// to.
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

/// For each bug that is caught elsewhere, where.
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

/// The same scenario without its bug; `None` if it plants none, or says why it has no twin.
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

/// What makes two scenarios explore the same states and ask the same.
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
