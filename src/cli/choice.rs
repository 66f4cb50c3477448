//! Decides what to run: protocols by name, scenarios of the corpus or of a file, and changes made
//! to them on the command line.
//!
//! Everything is checked here, before anything runs.

use clap::Args;
use serde::Deserialize;
use toml::{Table, Value};

use crate::cli::{output, whole};
use crate::election::{About, Catalogue, Election, Visitor};
use crate::exploration::verdict::Verdict;
use crate::judge::Chosen;
use crate::scenario::{self, Problem, Scenario, Size, Topologies, among};
use crate::semantics::world::BUDGETS;
use crate::semantics::{Bounds, PropertyId, System};
use crate::support::plain;

/// The flags that choose a scenario, change one, or make one up.
#[derive(Args, Clone, Debug, Default)]
pub struct Choice {
    /// A scenario of the corpus, or a file of scenarios
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub scenario: Option<String>,
    /// Plant this bug. Without other flags of this kind, the corpus's own scenario for the bug is
    /// run
    #[arg(long, value_name = "NAME")]
    pub bug: Option<String>,
    /// How many nodes
    #[arg(long, value_name = "N", help_heading = CHANGES, value_parser = whole::<u32>)]
    pub nodes: Option<u32>,
    /// An option of the protocol
    #[arg(long, value_name = "K=V", value_delimiter = ',', help_heading = CHANGES)]
    pub options: Vec<String>,
    /// asynchronous, timed or stabilising
    #[arg(long, value_name = "TIMING", help_heading = CHANGES)]
    pub timing: Option<String>,
    /// unordered, duplicating or ordered
    #[arg(long, value_name = "NETWORK", help_heading = CHANGES)]
    pub network: Option<String>,
    /// Budgets of faults
    #[arg(long, value_name = "K=V", value_delimiter = ',', help_heading = CHANGES, help = budgets())]
    pub faults: Vec<String>,
    /// mesh, star(n1), line(n1,n2,..), isolate(n1), cut(n1-n2), cut(n1>n2), split(n1,n2|n3). The
    /// first one is in force at the start; if the flag is repeated, the others are those that a
    /// switch may go to
    #[arg(long, value_name = "NAME", help_heading = CHANGES)]
    pub topology: Vec<String>,
    /// max_term, max_round, max_in_flight, max_copies; the value `none` removes a bound. The
    /// defaults of a made-up scenario are max_term=2, max_round=2, max_in_flight=8 and
    /// max_copies=1; a scenario of a file has only the bounds that it states
    #[arg(long, value_name = "K=V", value_delimiter = ',', help_heading = CHANGES)]
    pub bounds: Vec<String>,
}

/// The help of `--faults`.
fn budgets() -> String {
    format!("A budget: {}", BUDGETS.map(|budget| budget.name).join(", "))
}

const CHANGES: &str = "Making up a scenario, or changing one";

/// The default number of nodes of a made-up scenario.
const NODES: usize = 3;

impl Choice {
    /// Whether a scenario or a change is asked for. Otherwise the corpus runs.
    pub fn is_given(&self) -> bool {
        self.scenario.is_some() || self.bug.is_some() || !self.changes().is_empty()
    }

    /// Whether only a bug is chosen. Then its own scenario of the corpus runs without changes.
    pub fn is_bug_alone(&self) -> bool {
        self.bug.is_some() && self.scenario.is_none() && self.changes().is_empty()
    }

    /// The file of scenarios that is read, if nothing else is chosen and nothing is changed.
    pub fn file_alone(&self) -> Option<&str> {
        self.file().filter(|_| self.bug.is_none() && self.changes().is_empty())
    }

    /// The file of scenarios that is read, if one is.
    pub fn file(&self) -> Option<&str> {
        self.scenario.as_deref().filter(|scenario| is_file(scenario))
    }

    /// The flags that change a scenario, as written.
    fn changes(&self) -> Vec<String> {
        let Choice {
            scenario: _,
            bug: _,
            nodes,
            options,
            timing,
            network,
            faults,
            topology,
            bounds,
        } = self;
        let mut all: Vec<String> = Vec::new();
        all.extend(nodes.map(|n| format!("nodes={n}")));
        all.extend(options.iter().cloned());
        all.extend(timing.iter().chain(network).cloned());
        all.extend(faults.iter().cloned());
        all.extend(topology.iter().map(|t| format!("topology {t}")));
        all.extend(bounds.iter().cloned());
        all
    }

    /// The scenarios to run for one protocol. If nothing is given, its corpus up to `size`.
    ///
    /// # Errors
    /// Unknown names, impossible values; a scenario file that cannot be read.
    pub fn scenarios(&self, about: &'static About, size: Size) -> Result<Vec<Chosen>, Problem> {
        let corpus = corpus(about)?;
        if !self.is_given() {
            let whole = corpus.into_iter().filter(|s| s.size <= size);
            let chosen =
                whole.map(|scenario| Chosen { about, scenario, is_as_written: true, remark: None });
            return Ok(chosen.collect());
        }
        if let Some(bug) = &self.bug
            && !about.bugs.iter().any(|b| b.name == bug)
        {
            let hint = among(bug, about.bugs.iter().map(|b| b.name));
            return Err(Problem::new(format!("{} has no bug `{bug}`{hint}", about.name)));
        }
        let changes = self.changes();
        let (scenarios, mut remark) = match (&self.scenario, &self.bug) {
            (Some(path), _) if is_file(path) => (read(path, about)?, None),
            (Some(name), _) => {
                let found: Vec<Scenario> =
                    corpus.iter().filter(|s| s.name == *name).cloned().collect();
                if found.is_empty() {
                    let hint = among(name, corpus.iter().map(|s| s.name.as_str()));
                    return Err(Problem::new(format!(
                        "{} has no scenario `{name}`{hint}",
                        about.name
                    )));
                }
                (found, None)
            }
            (None, Some(bug)) => {
                let own = own_scenario(bug, corpus).ok_or_else(|| {
                    Problem::new(format!(
                        "no scenario of the corpus of {} plants the bug `{bug}`: choose one with --scenario",
                        about.name
                    ))
                })?;
                let remark =
                    format!("bug `{bug}` in its own scenario of the corpus, `{}`", own.name);
                (vec![own], Some(remark))
            }
            (None, None) => {
                let made_up =
                    Scenario { bounds: usual_bounds(), ..Scenario::new("made-up", NODES) };
                (vec![made_up], None)
            }
        };
        let mut all = Vec::new();
        for scenario in scenarios {
            let scenario = if changes.is_empty() && self.bug.is_none() {
                scenario
            } else {
                self.change(scenario)?
            };
            if !changes.is_empty() {
                let changed = format!("`{}` with {}", scenario.name, changes.join(", "));
                remark = Some(remark.map_or(changed.clone(), |r| format!("{r}, {changed}")));
            }
            let is_as_written = changes.is_empty() && self.bug.is_none();
            all.push(Chosen { about, scenario, is_as_written, remark: remark.clone() });
        }
        Ok(all)
    }

    /// The scenario with the bug planted and the changes made. Its expected numbers of states and
    /// its goals are dropped, as they need not apply any more.
    fn change(&self, scenario: Scenario) -> Result<Scenario, Problem> {
        let name = scenario.name.clone();
        let mut table = Table::try_from(&scenario).expect("a scenario is plain data");
        for pinned in ["distinct", "generated", "covers"] {
            table.remove(pinned);
        }
        let text = |text: &String| Value::String(text.clone());
        let set = |table: &mut Table, key: &str, value: Option<Value>| {
            if let Some(value) = value {
                table.insert(key.to_string(), value);
            }
        };
        set(&mut table, "nodes", self.nodes.map(|n| Value::Integer(n.into())));
        set(&mut table, "timing", self.timing.as_ref().map(text));
        set(&mut table, "network", self.network.as_ref().map(text));
        set(&mut table, "bug", self.bug.as_ref().map(text));
        for (section, pairs) in
            [("options", &self.options), ("faults", &self.faults), ("bounds", &self.bounds)]
        {
            let mut given: Vec<(&str, &str)> = Vec::new();
            for pair in pairs {
                let (key, value) = pair.split_once('=').ok_or_else(|| {
                    Problem::new(format!(
                        "--{section} {pair}: expected key=value, such as {}",
                        example(section)
                    ))
                })?;
                if let Some((_, before)) = given.iter().find(|(known, _)| *known == key) {
                    let message =
                        format!("--{section} {key}: given twice, as {before} and as {value}");
                    return Err(Problem::new(message));
                }
                given.push((key, value));
                let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                let entry = entry.as_table_mut().expect("a section of a scenario");
                match (section, value) {
                    ("bounds", "none") => {
                        // The name is checked in the same way as that of any other bound.
                        entry.insert(key.to_string(), Value::Integer(0));
                        Bounds::deserialize(Value::Table(entry.clone())).map_err(|e| {
                            Problem::new(format!("--bounds {pair}: {}", plain::of_toml(&e)))
                        })?;
                        entry.remove(key);
                    }
                    _ => {
                        entry.insert(key.to_string(), plain_value(value));
                    }
                }
            }
        }
        if let Some((start, may)) = self.topology.split_first() {
            let mut topologies = Table::new();
            topologies.insert("start".to_string(), text(start));
            topologies.insert("may".to_string(), Value::Array(may.iter().map(text).collect()));
            table.insert("topologies".to_string(), Value::Table(topologies));
        }
        Scenario::deserialize(Value::Table(table)).map_err(|e| {
            Problem::new(format!("scenario `{name}`, changed: {}", plain::of_toml(&e)))
        })
    }
}

fn example(section: &str) -> &'static str {
    match section {
        "options" => "values=1",
        "faults" => "crashes=1",
        _ => "max_term=2",
    }
}

/// What a scenario assumes, in one line.
pub fn assumptions(scenario: &Scenario) -> String {
    let table = Table::try_from(scenario).expect("a scenario is plain data");
    let word = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let nodes = if scenario.nodes == 1 {
        "1 node".to_string()
    } else {
        format!("{} nodes", scenario.nodes)
    };
    let mut parts = vec![nodes, word("timing"), format!("{} network", word("network"))];
    let is_set = |value: &Value| !matches!(value, Value::Integer(0) | Value::Boolean(false));
    for section in ["options", "faults", "bounds"] {
        let entries = table.get(section).and_then(Value::as_table).into_iter().flatten();
        // An option is shown even if its value is 0 or false.
        let shown = entries.filter(|(_, value)| section == "options" || is_set(value));
        parts.extend(
            shown.map(|(key, value)| format!("{key}={}", value.to_string().trim_matches('"'))),
        );
    }
    if scenario.bounds == Bounds::default() {
        parts.push("no bounds".to_string());
    }
    if scenario.topologies != Topologies::default() {
        let Topologies { start, may } = &scenario.topologies;
        let may: String = may.iter().map(|name| format!(" or {name}")).collect();
        parts.push(format!("{start}{may}"));
    }
    parts.extend(scenario.bug.iter().map(|bug| format!("bug {bug}")));
    parts.extend(scenario.start_when.iter().map(|when| format!("from where {when}")));
    parts.join(", ")
}

/// A value as written on the command line, without quotes.
fn plain_value(text: &str) -> Value {
    match (text.parse::<bool>(), text.parse::<i64>()) {
        (Ok(flag), _) => Value::Boolean(flag),
        (_, Ok(number)) => Value::Integer(number),
        _ => Value::String(text.to_string()),
    }
}

/// Without bounds, an asynchronous run of most protocols never ends.
fn usual_bounds() -> Bounds {
    Bounds { max_term: Some(2), max_round: Some(2), max_in_flight: Some(8), max_copies: Some(1) }
}

pub(super) fn is_file(scenario: &str) -> bool {
    scenario.ends_with(".toml") || scenario.contains(['/', '\\'])
}

/// The protocols of these names, or all.
///
/// # Errors
/// A name that the catalogue does not have.
pub fn protocols(
    catalogue: &impl Catalogue,
    names: &[String],
) -> Result<Vec<&'static About>, Problem> {
    let all = catalogue.all();
    if names.is_empty() {
        return Ok(all);
    }
    if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
        return Err(Problem::new(format!("protocol `{}` is named twice", names[i])));
    }
    names.iter().map(|name| protocol(catalogue, name)).collect()
}

/// The protocol of that name.
///
/// # Errors
/// The catalogue does not have it.
pub fn protocol(catalogue: &impl Catalogue, name: &str) -> Result<&'static About, Problem> {
    let all = catalogue.all();
    let found = all.iter().copied().find(|about| about.name == name);
    found.ok_or_else(|| {
        let flag = all.iter().find_map(|about| Some((about.name, flag_for(name, about)?)));
        let hint = match flag {
            Some((owner, flag)) => format!(": of {owner}, ask for it by `{flag} {name}`"),
            None => among(name, all.iter().map(|about| about.name)),
        };
        Problem::new(format!("no protocol `{name}`{hint}"))
    })
}

/// The flag that takes this name, if a protocol has a scenario or a bug called so.
fn flag_for(name: &str, about: &'static About) -> Option<&'static str> {
    let is_scenario =
        corpus(about).is_ok_and(|corpus| corpus.iter().any(|scenario| scenario.name == name));
    let is_bug = about.bugs.iter().any(|bug| bug.name == name);
    if is_bug { Some("--bug") } else { is_scenario.then_some("--scenario") }
}

/// The properties and goals of a protocol.
pub struct Questions {
    /// Election safety first.
    pub properties: Vec<Question>,
    /// The goals, each with its meaning.
    pub goals: Vec<(&'static str, &'static str)>,
}

/// A property, as it is listed.
pub struct Question {
    /// As typed on the command line.
    pub name: &'static str,
    /// In one sentence.
    pub meaning: &'static str,
    /// Without this setting it is not asked.
    pub setting: Option<&'static str>,
    /// If a run does not reach these goals, the verdict is `vacuous`.
    pub needs: &'static [&'static str],
}

/// The properties and goals of a protocol.
pub fn questions(catalogue: &impl Catalogue, about: &'static About) -> Questions {
    struct Describe;
    impl Visitor for Describe {
        type Output = Questions;
        fn visit<E: Election>(self) -> Questions {
            let invariants = E::invariants();
            let question = |(property, name): (PropertyId, &'static str)| {
                let invariant = usize::from(property.0).checked_sub(1).map(|i| &invariants[i]);
                Question {
                    name,
                    meaning: System::<E>::meaning(property),
                    setting: invariant
                        .and_then(|invariant| invariant.setting)
                        .map(|(words, _)| words),
                    needs: invariant.map_or(&[], |invariant| invariant.needs),
                }
            };
            Questions {
                properties: System::<E>::properties().into_iter().map(question).collect(),
                goals: E::goals().iter().map(|goal| (goal.name, goal.meaning)).collect(),
            }
        }
    }
    catalogue.visit(about.name, Describe).expect("a protocol of the catalogue")
}

/// The scenarios of a protocol's corpus.
///
/// # Errors
/// The protocol's own file is wrong.
pub fn corpus(about: &'static About) -> Result<Vec<Scenario>, Problem> {
    crate::scenario::corpus::of(about)
}

fn read(path: &str, about: &'static About) -> Result<Vec<Scenario>, Problem> {
    scenario::parse(&output::read(path)?, about).map_err(|problem| problem.in_file(path))
}

/// The scenario of the corpus that shows a bug. Of those that plant it: the one with the bug's
/// name, or else the first that expects a violation, or else the first.
fn own_scenario(bug: &str, corpus: Vec<Scenario>) -> Option<Scenario> {
    let mut planted: Vec<Scenario> =
        corpus.into_iter().filter(|s| s.bug.as_deref() == Some(bug)).collect();
    let shows = |s: &Scenario| s.expect.values().any(|e| e.verdict == Verdict::Violated);
    let named = planted.iter().position(|s| s.name == bug);
    let i = named.or_else(|| planted.iter().position(shows)).unwrap_or(0);
    (!planted.is_empty()).then(|| planted.swap_remove(i))
}
