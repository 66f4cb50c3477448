//! Results that were found before: what `check --json` and `liveness --json` have written.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::wait::{Time, Wait};
use crate::cli::output;
use crate::cli::provenance;
use crate::exploration::verdict::Verdict;
use crate::liveness::Asked;
use crate::scenario::liveness::LivenessScenario;
use crate::scenario::{Problem, Scenario};

/// What some files say.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) sources: Vec<Source>,
    /// Each with the file that it comes from, by its place among the sources.
    cases: HashMap<Name, (Found, usize)>,
    systems: HashMap<Name, (Answers, usize)>,
}

/// Of a protocol and of a scenario.
type Name = (String, String);

/// Where results come from.
#[derive(Debug)]
pub(super) struct Source {
    /// The file's name.
    pub(super) file: String,
    /// The day on which they were found.
    pub(super) day: String,
    /// The commit of the sources.
    pub(super) commit: Option<String>,
}

/// What was found about a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The worst of its verdicts.
    pub(super) verdict: Verdict,
    /// Distinct states.
    pub(super) states: u64,
    /// The bug that was planted, be it by the scenario or from the command line.
    bug: Option<String>,
}

/// What was found about a system.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    pub(super) states: u32,
    /// By question: what was expected, and the answer.
    told: BTreeMap<String, (Option<String>, String)>,
    pub(super) wait: Option<Wait>,
}

impl Answers {
    /// The answers to what a system is asked now, in the order of the questions. Nothing, if other
    /// questions were asked then, or other answers expected: then the system was another one.
    pub(super) fn to(&self, system: &LivenessScenario) -> Option<Vec<(&'static str, String)>> {
        let expected = self
            .told
            .iter()
            .filter_map(|(question, (expected, _))| Some((question.clone(), expected.clone()?)));
        if expected.collect::<BTreeMap<_, _>>() != system.expect {
            return None;
        }
        let answer = |asked: Asked| Some((asked.name(), self.told.get(asked.name())?.1.clone()));
        Some(Asked::ALL.into_iter().filter_map(answer).collect())
    }
}

#[derive(Deserialize)]
struct File {
    version: u32,
    /// Files of earlier versions do not say it.
    date: Option<String>,
    commit: Option<String>,
    results: Option<Vec<Row>>,
    liveness: Option<Vec<Told>>,
}

/// A row of `check --json`.
#[derive(Deserialize)]
struct Row {
    protocol: String,
    scenario: String,
    bug: Option<String>,
    verdict: Verdict,
    distinct: u64,
}

/// A row of `liveness --json`.
#[derive(Deserialize)]
struct Told {
    protocol: String,
    scenario: String,
    question: String,
    answer: String,
    expected: Option<String>,
    states: u32,
    time: Option<Time>,
}

impl Stored {
    /// What a file of somebody else says counts for more than what was read before.
    ///
    /// # Errors
    /// The file cannot be read, or holds no results.
    pub(super) fn read(&mut self, path: &str) -> Result<(), Problem> {
        let text = output::read(path)?;
        let written = fs::metadata(path).and_then(|file| file.modified());
        let written = written.map_or("an unknown day".to_string(), provenance::day);
        let name = Path::new(path).file_name().unwrap_or_default();
        let added = self.add(&name.to_string_lossy(), &text, written);
        added.map_err(|problem| problem.in_file(path))
    }

    /// Adds what a text says. `written` is the day of the results, if the text names none.
    ///
    /// # Errors
    /// The text holds no results.
    pub(super) fn add(&mut self, name: &str, text: &str, written: String) -> Result<(), Problem> {
        const EXPECTED: &str =
            "expected results as `check --json` or `liveness --json` of oneleader writes them";
        let wrong = |found: &str| Problem::new(format!("{EXPECTED}, found {found}"));
        let file: File = serde_json::from_str(text).map_err(|e| {
            let what = e.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            wrong(&format!("something else: {what}")).at_line(e.line().max(1))
        })?;
        if file.version != 1 {
            return Err(wrong(&format!("those of version {}", file.version)));
        }
        if file.results.is_none() && file.liveness.is_none() {
            return Err(wrong("neither `results` nor `liveness`"));
        }
        let source = self.sources.len();
        for Row { protocol, scenario, bug, verdict, distinct } in file.results.into_iter().flatten()
        {
            let new = (Found { verdict, states: distinct, bug }, source);
            let entry = self.cases.entry((protocol, scenario)).or_insert(new.clone());
            if entry.1 != source {
                *entry = new;
            }
            entry.0.verdict = worse(entry.0.verdict, verdict);
        }
        for told in file.liveness.into_iter().flatten() {
            let Told { protocol, scenario, question, answer, expected, states, time } = told;
            if Asked::named(&question).is_none() {
                return Err(wrong(&format!("the question `{question}`")));
            }
            let entry = self.systems.entry((protocol, scenario)).or_default();
            if entry.1 != source || entry.0.told.is_empty() {
                *entry = (Answers { states, ..Answers::default() }, source);
            }
            entry.0.told.insert(question, (expected, answer));
            entry.0.wait = entry.0.wait.or(time.and_then(Time::wait));
        }
        let (day, commit) = (file.date.unwrap_or(written), file.commit);
        self.sources.push(Source { file: name.to_string(), day, commit });
        Ok(())
    }

    /// What is said of a scenario, and the place of the file that says it.
    pub(super) fn case(&self, protocol: &str, scenario: &Scenario) -> Option<&(Found, usize)> {
        let found = self.cases.get(&(protocol.to_string(), scenario.name.clone()));
        found.filter(|(found, _)| found.bug == scenario.bug)
    }

    /// What is said of a system, and the place of the file that says it.
    pub(super) fn system(&self, protocol: &str, system: &str) -> Option<&(Answers, usize)> {
        self.systems.get(&(protocol.to_string(), system.to_string()))
    }

    /// The systems of a protocol of which something is said.
    pub(super) fn systems_of(&self, protocol: &str) -> Vec<&str> {
        let names = self.systems.keys().filter(|(other, _)| other == protocol);
        let mut names: Vec<&str> = names.map(|(_, system)| system.as_str()).collect();
        names.sort_unstable();
        names
    }
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
