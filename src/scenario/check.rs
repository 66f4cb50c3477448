//! Everything about a scenario that can be checked without building its actors.

use crate::election::{About, OptionSpec, Setup, Value};
use crate::exploration::verdict::Verdict;
use crate::scenario::{Expected, FuzzHints, MAX_NODES, Scenario, Topologies, among};
use crate::semantics::network::NetworkKind;
use crate::semantics::topology::Topology;
use crate::semantics::{Latency, StepKind, Timing};
use crate::support::plain::is_printable;

/// The largest weight of a kind of step: how many times as often as usual it is chosen.
const MAX_WEIGHT: u32 = 1000;

/// The key that is wrong, and what is wrong with it.
type Wrong = (&'static str, String);

impl Scenario {
    /// Everything about a scenario that can be checked without building its actors.
    pub(super) fn check(&self, about: &'static About) -> Result<(), Wrong> {
        if !(1..=MAX_NODES).contains(&self.nodes) {
            return Err((
                "nodes",
                format!("expected 1 to {MAX_NODES} nodes, found {}", self.nodes),
            ));
        }
        self.check_texts()?;
        self.setup(about)?;
        self.topologies()?;
        self.check_hints()?;
        self.check_expected()?;
        let (f, timed) = (&self.faults, self.timing != Timing::Asynchronous);
        let wrong = |key, why: &str| Err((key, why.to_string()));
        if self.latency != Latency::None && !timed {
            return wrong(
                "latency",
                "a latency is counted in ticks: it needs `timing = \"timed\"`, or `stabilising`",
            );
        }
        if f.restarts > f.crashes {
            return wrong(
                "faults",
                "expected at most as many restarts as crashes: only a crashed node restarts",
            );
        }
        if f.disk_losses > f.restarts {
            return wrong(
                "faults",
                "expected at most as many disk_losses as restarts: a disk is found empty at a restart",
            );
        }
        if f.disk_rollbacks > f.restarts {
            return wrong(
                "faults",
                "expected at most as many disk_rollbacks as restarts: an older disk is found at a restart",
            );
        }
        if f.torn && f.crashes == 0 {
            return wrong("faults", "`torn` needs a budget of crashes: a torn handler is a crash");
        }
        if f.duplications > 0 && self.network != NetworkKind::Unordered {
            return wrong("faults", "`duplications` need the unordered network");
        }
        if (f.switches == 0) != self.topologies.may.is_empty() {
            return wrong("topologies", "`faults.switches` and `topologies.may` need each other");
        }
        let Topologies { start, may } = &self.topologies;
        if may.len() == 1 && may[0] == *start {
            return wrong(
                "topologies",
                "`topologies.may` names only the topology that is there at the start",
            );
        }
        if timed && self.network == NetworkKind::Duplicating {
            return wrong(
                "network",
                "the duplicating network delivers for ever, so no time could pass: choose asynchronous timing or another network",
            );
        }
        if self.start_when.is_some() && !self.start_steps.is_empty() {
            return wrong("start_", "expected `start_when` or `start_steps`, found both");
        }
        Ok(())
    }

    /// Checks the texts that are later printed without escaping.
    fn check_texts(&self) -> Result<(), Wrong> {
        let name = &self.name;
        if name.trim().is_empty() || name.trim() != name {
            return Err((
                "name",
                format!("expected a name without spaces around it, found {name:?}"),
            ));
        }
        if name.contains(['/', '\\']) {
            let why = format!(
                "expected a name without slashes, which stand in paths of files, found `{name}`"
            );
            return Err(("name", why));
        }
        let Topologies { start, may } = &self.topologies;
        let texts = [("name", name)].into_iter();
        let texts = texts.chain(self.bug.iter().map(|bug| ("bug", bug)));
        let texts = texts.chain([start].into_iter().chain(may).map(|name| ("topologies", name)));
        let texts = texts
            .chain(self.start_when.iter().chain(&self.start_steps).map(|text| ("start_", text)));
        for (key, text) in texts {
            if !is_printable(text) {
                return Err((
                    key,
                    format!(
                        "expected a text on one line without control characters, found {text:?}"
                    ),
                ));
            }
        }
        // A note may have several lines.
        match self.note.split(['\n', '\t']).find(|line| !is_printable(line.trim_end_matches('\r')))
        {
            Some(line) => {
                Err(("note", format!("expected a text without control characters, found {line:?}")))
            }
            None => Ok(()),
        }
    }

    fn check_hints(&self) -> Result<(), Wrong> {
        let Some(FuzzHints { cases, steps, weights }) = &self.fuzz else { return Ok(()) };
        let wrong = |why: String| Err(("fuzz", why));
        if *cases == 0 || *steps == 0 {
            let which = if *cases == 0 { "cases" } else { "steps" };
            return wrong(format!(
                "fuzz.{which}: expected at least 1, found 0: nothing would be tried"
            ));
        }
        for (kind, weight) in weights {
            let mut known = StepKind::ALL.into_iter().map(StepKind::name);
            if !known.clone().any(|name| name == kind) {
                let hint = among(kind, &mut known);
                return wrong(format!("fuzz.weights: there is no kind of step `{kind}`{hint}"));
            }
            if *weight > MAX_WEIGHT {
                return wrong(format!(
                    "fuzz.weights.{kind}: expected at most {MAX_WEIGHT}, found {weight}"
                ));
            }
        }
        Ok(())
    }

    fn check_expected(&self) -> Result<(), Wrong> {
        for (property, Expected { verdict, steps, .. }) in &self.expect {
            let wrong = |why: String| Err(("expect", format!("expect.{property}: {why}")));
            if verdict.is_of_liveness() {
                return wrong(format!(
                    "no engine gives the verdict `{verdict}` of a property; expected holds, holds-within-bounds, \
                     violated, not-refuted or vacuous"
                ));
            }
            if steps.is_some() && *verdict != Verdict::Violated {
                return wrong(format!(
                    "`steps` are those of a counterexample, which the verdict `{verdict}` does not have"
                ));
            }
        }
        Ok(())
    }

    /// The protocol's own settings, checked against what it says of itself.
    pub(super) fn setup(&self, about: &'static About) -> Result<Setup, Wrong> {
        let mut setup = Setup::new(about, self.nodes);
        for (name, value) in &self.options {
            let Some(spec) = about.options.iter().find(|o| o.name == name) else {
                let known = about.options.iter().map(|o| o.name);
                return Err((
                    "options",
                    format!("{} has no option `{name}`{}", about.name, among(name, known)),
                ));
            };
            let value = option_value(spec, value).map_err(|why| ("options", why))?;
            setup = setup.with(spec.name, value);
        }
        if let Some(bug) = &self.bug {
            let Some(spec) = about.bugs.iter().find(|b| b.name == bug) else {
                let known = about.bugs.iter().map(|b| b.name);
                return Err((
                    "bug",
                    format!("{} has no bug `{bug}`{}", about.name, among(bug, known)),
                ));
            };
            setup = setup.with_bug(spec.name);
        }
        Ok(setup)
    }

    pub(super) fn topologies(&self) -> Result<Vec<Topology>, Wrong> {
        let names = std::iter::once(&self.topologies.start).chain(&self.topologies.may);
        names
            .map(|name| Topology::parse(name, self.nodes).map_err(|why| ("topologies", why)))
            .collect()
    }
}

fn option_value(spec: &'static OptionSpec, value: &toml::Value) -> Result<Value, String> {
    match (spec.default, value) {
        (Value::Flag(_), toml::Value::Boolean(b)) => Ok(Value::Flag(*b)),
        (Value::Number(_), toml::Value::Integer(n)) if *n >= 0 => Ok(Value::Number(*n as u64)),
        (Value::Text(_), toml::Value::String(t)) => {
            let word = spec.allowed.iter().find(|word| *word == t);
            word.map(|word| Value::Text(word)).ok_or_else(|| {
                format!(
                    "option `{}` = \"{t}\"{}",
                    spec.name,
                    among(t, spec.allowed.iter().copied())
                )
            })
        }
        (default, found) => {
            let expected = match default {
                Value::Flag(_) => "true or false",
                Value::Number(_) => "a number from 0 on",
                Value::Text(_) => "a text",
            };
            Err(format!("option `{}`: expected {expected}, found {found}", spec.name))
        }
    }
}
