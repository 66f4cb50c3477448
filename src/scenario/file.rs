//! Reads scenarios from TOML. Every mistake is reported with its line.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::election::About;
use crate::scenario::Scenario;
use crate::scenario::corpus::CaughtBy;
use crate::support::plain;
use crate::support::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    scenario: Vec<toml::Spanned<Scenario>>,
    /// Read by [`crate::scenario::liveness`].
    #[serde(default, rename = "liveness")]
    _liveness: Vec<IgnoredAny>,
    /// Read by [`crate::scenario::corpus`].
    #[serde(default, rename = "caught_by")]
    _caught_by: BTreeMap<String, CaughtBy>,
}

/// The line, counted from 1, in which a place in a text stands.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// Reads a file's tables; or says in plain words what is wrong with it, and in which line.
pub(super) fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|e| {
        let problem = Problem::new(plain::plain(e.message()));
        match e.span() {
            Some(span) => problem.at_line(line_at(text, span.start)),
            None => problem,
        }
    })
}

/// Reads all scenarios of a TOML text and checks each against the protocol.
pub fn parse(text: &str, about: &'static About) -> Result<Vec<Scenario>, Problem> {
    let line_at = |offset: usize| line_at(text, offset);
    let file: File = from_toml(text)?;
    if file.scenario.is_empty() {
        return Err(Problem::new("expected at least one [[scenario]], found none"));
    }
    let mut names = BTreeMap::new();
    let mut scenarios = Vec::new();
    for spanned in file.scenario {
        let (span, scenario) = (spanned.span(), spanned.into_inner());
        // The span of a table ends before its sub-tables. So the key is searched for from the
        // table's header on.
        let line_of = |key: &str| {
            let from = &text[span.start..];
            let is_key = |l: &&str| {
                let line = l.trim_start();
                line.strip_prefix("[scenario.").unwrap_or(line).starts_with(key) && !key.is_empty()
            };
            let end = from[1..].find("[[scenario]]").map_or(from.len(), |i| i + 1);
            let before = from[..end].lines().position(|l| is_key(&l)).unwrap_or(0);
            line_at(span.start) + before
        };
        if names.insert(scenario.name.clone(), ()).is_some() {
            let message = format!("scenario `{}` stands twice in this file", scenario.name);
            return Err(Problem::new(message).at_line(line_of("name")));
        }
        scenario.check(about).map_err(|(key, why)| {
            Problem::new(format!("scenario `{}`: {why}", scenario.name)).at_line(line_of(key))
        })?;
        scenarios.push(scenario);
    }
    Ok(scenarios)
}
