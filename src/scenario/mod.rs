//! What a run assumes, as data: TOML through serde, the same for the corpus beside each protocol and for a user's own
//! file. Everything is checked before anything runs; see [`Problem`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::election::{About, Election, OptionSpec, Setup, Value};
use crate::exploration::verdict::Word;
use crate::exploration::{Ended, Limits};
use crate::scenario::start::NoStart;
use crate::semantics::network::NetworkKind;
use crate::semantics::node::Clock;
use crate::semantics::topology::Topology;
use crate::semantics::world::Faults;
use crate::semantics::{Bounds, Rules, STEP_KINDS, System, Timing};
use crate::support::memory;
use crate::support::plain::{self, is_printable};

pub use crate::support::plain::among;
pub use crate::support::problem::Problem;

mod asked;
pub mod corpus;
pub mod start;

pub use asked::{Asked, asked};

/// The most nodes that a scenario may have.
pub const MAX_NODES: usize = 16;

/// How many times as often as usual a kind of step may be chosen.
const MAX_WEIGHT: u32 = 1000;

/// Why a scenario gives no system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unready {
    /// What is wrong with it.
    Wrong(Problem),
    /// A limit ended the search for where it starts, after so many states.
    Ended { ended: Ended, states: u64 },
}

/// Which suites run a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    #[serde(default = "mesh")]
    pub start: String,
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

/// What a scenario expects of a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// A word of the closed list of verdicts, see [`crate::exploration::verdict::Word`].
    pub verdict: Word,
    /// The length of a shortest counterexample, after the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Whether `holds` will do where `holds-within-bounds` is expected.
    #[serde(skip)]
    pub or_better: bool,
}

impl Expected {
    /// Whether a verdict is the one expected.
    pub fn accepts(&self, verdict: Word) -> bool {
        let is_better = self.verdict == Word::HoldsWithinBounds && verdict == Word::Holds;
        verdict == self.verdict || self.or_better && is_better
    }
}

/// How the clean twin of a scenario, the same without the planted bug, differs from it besides. See [`crate::scenario::corpus`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Twin {
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<String>,
    /// Unless told, `full`, or the scenario's own if that is larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// In the place of the scenario's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// In the place of the scenario's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers: Option<Vec<String>>,
    /// In the place of the scenario's: its own may need the bug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_steps: Option<Vec<String>>,
    /// By property, where it is not expected to hold.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, Expected>,
}

/// How to fuzz a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FuzzHints {
    /// In how many cases a violation is found, if one is expected.
    pub cases: u32,
    /// The longest schedule.
    pub steps: usize,
    /// Kinds of steps that are chosen more (or less) often; 1 is usual.
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
    pub name: String,
    /// Why the expected verdict is right.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    pub nodes: usize,
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub options: toml::Table,
    #[serde(default)]
    pub network: NetworkKind,
    #[serde(default)]
    pub timing: Timing,
    /// The length of a tick; durations of timers are whole multiples of it.
    #[serde(default = "default_tick", with = "tick")]
    pub tick: Duration,
    #[serde(default)]
    pub bounds: Bounds,
    #[serde(default)]
    pub faults: Faults,
    #[serde(default)]
    pub topologies: Topologies,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// A predicate, reached by a shortest run: `n2 leads term 1`. See [`crate::scenario::start`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_when: Option<String>,
    /// Steps by name that come before everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_steps: Vec<String>,
    /// Messages that can never again have an effect stay in flight.
    #[serde(default)]
    pub keep_dead_messages: bool,
    #[serde(default)]
    pub size: Size,
    /// Distinct states of the whole space, pinned only where two engines agree on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// Generated states of the whole space, the initial one included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuzz: Option<FuzzHints>,
    /// The protocol's goals that a run must reach, or else its verdict is `vacuous`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// Of a scenario of the corpus that plants a bug: how the same without the bug differs besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Twin>,
    /// By property; `all` stands for every property that is not named. Only what is expected is checked;
    /// without any expectation, everything is checked and expected to hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, Expected>,
}

fn default_tick() -> Duration {
    Duration::from_millis(10)
}

mod tick {
    use super::*;

    /// Timers are multiples of it, and none runs for days.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    use serde::{Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(tick: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&format!("{}us", tick.as_micros()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(d)?;
        let digits = text.trim_end_matches(char::is_alphabetic);
        let unit: Option<u64> = match &text[digits.len()..] {
            "us" => Some(1),
            "ms" => Some(1_000),
            "s" => Some(1_000_000),
            _ => None,
        };
        let wrong = |why: &str| D::Error::custom(format!("tick `{text}`: {why}"));
        let (Ok(n @ 1..), Some(unit)) = (digits.parse::<u64>(), unit) else {
            return Err(wrong("expected a duration above 0, in us, ms or s, such as \"10ms\""));
        };
        // So that it can be written again, whatever reads it.
        let micros = n.checked_mul(unit).filter(|micros| *micros <= LONGEST.as_micros() as u64);
        micros.map(Duration::from_micros).ok_or_else(|| wrong("expected at most a day"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    scenario: Vec<toml::Spanned<Scenario>>,
    /// Read by [`crate::scenario::corpus`].
    #[serde(default, rename = "caught_by")]
    _caught_by: BTreeMap<String, crate::scenario::corpus::CaughtBy>,
}

/// Reads all scenarios of a TOML text and checks each against the protocol.
pub fn parse(text: &str, about: &'static About) -> Result<Vec<Scenario>, Problem> {
    let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let file: File = toml::from_str(text).map_err(|e| {
        let problem = Problem::new(plain::plain(e.message()));
        match e.span() {
            Some(span) => problem.at_line(line_at(span.start)),
            None => problem,
        }
    })?;
    if file.scenario.is_empty() {
        return Err(Problem::new("expected at least one [[scenario]], found none"));
    }
    let mut names = BTreeMap::new();
    let mut scenarios = Vec::new();
    for spanned in file.scenario {
        let (span, scenario) = (spanned.span(), spanned.into_inner());
        // A table's span ends before its sub-tables, so a key is looked for from the header on.
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

/// The key at fault and what is wrong with it.
type Wrong = (&'static str, String);

impl Scenario {
    /// A scenario with nothing but nodes: asynchronous, no faults, no bounds.
    pub fn new(name: impl Into<String>, nodes: usize) -> Self {
        Scenario {
            name: name.into(),
            note: String::new(),
            nodes,
            options: toml::Table::new(),
            network: NetworkKind::default(),
            timing: Timing::default(),
            tick: default_tick(),
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

    /// Everything about a scenario that can be checked without building its actors.
    fn check(&self, about: &'static About) -> Result<(), Wrong> {
        if !(1..=MAX_NODES).contains(&self.nodes) {
            return Err(("nodes", format!("expected 1 to {MAX_NODES} nodes, found {}", self.nodes)));
        }
        self.check_texts()?;
        self.setup(about)?;
        self.topologies()?;
        self.check_hints()?;
        self.check_expected()?;
        let (f, timed) = (&self.faults, self.timing != Timing::Asynchronous);
        let wrong = |key, why: &str| Err((key, why.to_string()));
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

    /// Whatever is printed as it stands.
    fn check_texts(&self) -> Result<(), Wrong> {
        let name = &self.name;
        if name.trim().is_empty() || name.trim() != name {
            return Err(("name", format!("expected a name without spaces around it, found {name:?}")));
        }
        if name.contains(['/', '\\']) {
            let why =
                format!("expected a name without slashes, which stand in paths of files, found `{name}`");
            return Err(("name", why));
        }
        let Topologies { start, may } = &self.topologies;
        let texts = [("name", name)].into_iter();
        let texts = texts.chain(self.bug.iter().map(|bug| ("bug", bug)));
        let texts = texts.chain([start].into_iter().chain(may).map(|name| ("topologies", name)));
        let texts = texts.chain(self.start_when.iter().chain(&self.start_steps).map(|text| ("start_", text)));
        for (key, text) in texts {
            if !is_printable(text) {
                return Err((
                    key,
                    format!("expected a text on one line without control characters, found {text:?}"),
                ));
            }
        }
        // A note may have several lines.
        match self.note.split(['\n', '\t']).find(|line| !is_printable(line.trim_end_matches('\r'))) {
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
            return wrong(format!("fuzz.{which}: expected at least 1, found 0: nothing would be tried"));
        }
        for (kind, weight) in weights {
            if !STEP_KINDS.contains(&kind.as_str()) {
                let hint = among(kind, STEP_KINDS.into_iter());
                return wrong(format!("fuzz.weights: there is no kind of step `{kind}`{hint}"));
            }
            if *weight > MAX_WEIGHT {
                return wrong(format!("fuzz.weights.{kind}: expected at most {MAX_WEIGHT}, found {weight}"));
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
            if steps.is_some() && *verdict != Word::Violated {
                return wrong(format!(
                    "`steps` are those of a counterexample, which the verdict `{verdict}` does not have"
                ));
            }
        }
        Ok(())
    }

    /// The protocol's own settings, checked against what it says of itself.
    fn setup(&self, about: &'static About) -> Result<Setup, Wrong> {
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
                return Err(("bug", format!("{} has no bug `{bug}`{}", about.name, among(bug, known))));
            };
            setup = setup.with_bug(spec.name);
        }
        Ok(setup)
    }

    fn topologies(&self) -> Result<Vec<Topology>, Wrong> {
        let names = std::iter::once(&self.topologies.start).chain(&self.topologies.may);
        names.map(|name| Topology::parse(name, self.nodes).map_err(|why| ("topologies", why))).collect()
    }

    /// The system that this scenario describes, for the protocol `E`. Of limits only the [usual](memory::usual_limit) one
    /// of memory is in force while its start is looked for.
    ///
    /// # Errors
    /// A value that the protocol does not accept, a property that it does not have, a start that cannot be reached.
    pub fn system<E: Election>(&self) -> Result<System<E>, Problem> {
        let memory = self.start_when.as_ref().and_then(|_| memory::usual_limit());
        let limits = Limits { memory, ..Limits::default() };
        self.system_within(&limits).map_err(|unready| match unready {
            Unready::Wrong(problem) => problem,
            Unready::Ended { states, .. } => Problem::new(format!(
                "scenario `{}`: start_when was not reached in {states} states, for which memory is not enough",
                self.name
            )),
        })
    }

    /// The same, looking for the start within these limits.
    ///
    /// # Errors
    /// As [`Scenario::system`] has them, or a limit.
    pub fn system_within<E: Election>(&self, limits: &Limits) -> Result<System<E>, Unready> {
        let system = self.system_from_origin().map_err(Unready::Wrong)?;
        let prefix = start::prefix(&system, self.start_when.as_deref(), &self.start_steps, limits);
        let prefix = prefix.map_err(|none| match none {
            NoStart::Ended { ended, states } => Unready::Ended { ended, states },
            NoStart::Wrong(why) => Unready::Wrong(Problem::new(format!("scenario `{}`: {why}", self.name))),
        })?;
        Ok(system.starting_after(prefix).unwrap_or_else(|i| unreachable!("step {i} of a prefix just taken")))
    }

    /// The system, checked from its very first state.
    fn system_from_origin<E: Election>(&self) -> Result<System<E>, Problem> {
        let about = E::about();
        let problem = |why: String| Problem::new(format!("scenario `{}`: {why}", self.name));
        self.check(about).map_err(|(_, why)| problem(why))?;
        let setup = self.setup(about).map_err(|(_, why)| problem(why))?;
        let actors = E::build(&setup).map_err(problem)?;
        let timed = self.timing != Timing::Asynchronous;
        let rules = Rules {
            network: self.network,
            timing: self.timing,
            clock: if timed { Clock::Ticks(self.tick) } else { Clock::Absent },
            bounds: self.bounds,
            faults: self.faults,
            topologies: self.topologies().map_err(|(_, why)| problem(why))?,
            keep_dead: self.keep_dead_messages,
            remember: true,
        };
        let known = System::<E>::properties();
        for name in self.expect.keys().filter(|name| *name != "all") {
            if !known.iter().any(|(_, n)| n == name) {
                let all = known.iter().map(|(_, n)| *n);
                return Err(problem(format!("{} has no property `{name}`{}", about.name, among(name, all))));
            }
        }
        let mut system = System::new(actors, rules);
        for goal in &self.covers {
            let Some(known) = system.goals.iter().find(|known| known.name == goal) else {
                let all = system.goals.iter().map(|goal| goal.name);
                return Err(problem(format!("{} has no goal `{goal}`{}", about.name, among(goal, all))));
            };
            system.covers.push(known.name);
        }
        if self.bug.is_some() {
            // What an option needs the bug for cannot be built without it; then nothing tells which steps it changes.
            system.unplanted = E::build(&setup.without_bug()).ok();
        }
        if let Some(why) = {
            system.origin();
            system.problem()
        } {
            return Err(problem(why.to_string()));
        }
        Ok(system)
    }

    /// What is expected of a property; `None` if this scenario does not ask about it.
    pub fn expected(&self, property: &str) -> Option<&Expected> {
        self.expect.get(property).or_else(|| self.expect.get("all"))
    }
}

fn option_value(spec: &'static OptionSpec, value: &toml::Value) -> Result<Value, String> {
    match (spec.default, value) {
        (Value::Flag(_), toml::Value::Boolean(b)) => Ok(Value::Flag(*b)),
        (Value::Number(_), toml::Value::Integer(n)) if *n >= 0 => Ok(Value::Number(*n as u64)),
        (Value::Text(_), toml::Value::String(t)) => {
            let word = spec.allowed.iter().find(|word| *word == t);
            word.map(|word| Value::Text(word)).ok_or_else(|| {
                format!("option `{}` = \"{t}\"{}", spec.name, among(t, spec.allowed.iter().copied()))
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
