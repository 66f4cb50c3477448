//! Verdicts from a file that `check --json` has written.

use std::collections::HashMap;
use std::fs;

use serde::Deserialize;

use super::date;
use crate::cli::output;
use crate::exploration::verdict::Verdict;
use crate::scenario::Problem;

/// The verdicts of a file.
pub(super) struct Stored {
    /// The file's name.
    pub(super) file: String,
    /// The day on which it was written last.
    pub(super) day: String,
    found: HashMap<(String, String), Found>,
}

/// What was found about a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The worst of its verdicts.
    pub(super) verdict: Verdict,
    /// Distinct states.
    pub(super) states: u64,
}

#[derive(Deserialize)]
struct File {
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    protocol: String,
    scenario: String,
    verdict: Verdict,
    distinct: u64,
}

impl Stored {
    /// What the file says about a scenario.
    pub(super) fn of(&self, protocol: &str, scenario: &str) -> Option<Found> {
        self.found.get(&(protocol.to_string(), scenario.to_string())).copied()
    }
}

/// # Errors
/// The file cannot be read, or is no such file.
pub(super) fn read(path: &str) -> Result<Stored, Problem> {
    let text = output::read(path)?;
    let file: File = serde_json::from_str(&text).map_err(|_| {
        Problem::new("expected results as `oneleader check --json` writes them").in_file(path)
    })?;
    let mut found: HashMap<(String, String), Found> = HashMap::new();
    for Row { protocol, scenario, verdict, distinct } in file.results {
        let entry = found.entry((protocol, scenario));
        let entry = entry.or_insert(Found { verdict, states: distinct });
        entry.verdict = worse(entry.verdict, verdict);
    }
    let day = fs::metadata(path).and_then(|file| file.modified()).map(date::day);
    let day = day.unwrap_or_else(|_| "an unknown day".to_string());
    let name = std::path::Path::new(path).file_name().unwrap_or_default();
    Ok(Stored { file: name.to_string_lossy().to_string(), day, found })
}

/// The one of two verdicts that says more against a protocol, or less at all.
pub(super) fn worse(a: Verdict, b: Verdict) -> Verdict {
    let rank = |verdict| match verdict {
        Verdict::Error => 5,
        Verdict::Violated => 4,
        Verdict::Vacuous => 2,
        Verdict::HoldsWithinBounds => 1,
        Verdict::Holds => 0,
        _ => 3,
    };
    if rank(b) > rank(a) { b } else { a }
}
