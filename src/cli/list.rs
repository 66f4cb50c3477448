//! `oneleader list`: the protocols; if one is named, its options, properties, scenarios and bugs.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use crate::cli::choice::{self, Question, Questions, corpus};
use crate::cli::json::{self, Versioned};
use crate::cli::{Ending, Exit, output};
use crate::election::{About, BugSpec, Catalogue, Costs, Healing, OptionSpec};
use crate::scenario::{Expected, Problem, Scenario, Size};

/// List the protocols; if one is named, its options, properties, scenarios and bugs
#[derive(Args)]
pub(super) struct List {
    #[arg(value_name = "PROTOCOL")]
    protocol: Option<String>,
    /// Write the list as JSON; `-` is standard output
    #[arg(long, value_name = "FILE|-")]
    json: Option<String>,
}

/// Everything about a protocol that is listed.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    title: &'static str,
    source: &'static str,
    options: Vec<ListedOption>,
    properties: Vec<ListedProperty>,
    goals: Vec<ListedGoal>,
    bugs: Vec<ListedBug>,
    scenarios: Vec<ListedScenario>,
}

#[derive(Serialize)]
struct ListedOption {
    name: &'static str,
    default: String,
    allowed: &'static [&'static str],
    help: &'static str,
}

#[derive(Serialize)]
struct ListedProperty {
    name: &'static str,
    meaning: &'static str,
    /// Without this setting it is not asked.
    setting: Option<&'static str>,
    /// If a run does not reach these goals, the verdict is `vacuous`.
    needs: &'static [&'static str],
}

#[derive(Serialize)]
struct ListedGoal {
    name: &'static str,
    meaning: &'static str,
}

#[derive(Serialize)]
struct ListedBug {
    name: &'static str,
    summary: &'static str,
    rule: &'static str,
    published: &'static str,
    costs: Costs,
    /// For a bug that costs only the leader: whether `fuzz --heal` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    healing: Option<ListedHealing>,
    /// The scenarios of the corpus that plant it.
    scenarios: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum ListedHealing {
    Shows {
        cases: u32,
        /// In the form that `--options` takes.
        options: Vec<String>,
    },
    Hides {
        why: &'static str,
    },
}

#[derive(Serialize)]
struct ListedScenario {
    name: String,
    note: String,
    nodes: usize,
    size: Size,
    bug: Option<String>,
    /// By property.
    expect: BTreeMap<String, Expected>,
}

impl List {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        output::plan(
            &[],
            &self.json.iter().map(|path| ("--json", path.as_str())).collect::<Vec<_>>(),
        )?;
        let names: Vec<String> = self.protocol.iter().cloned().collect();
        let abouts = choice::protocols(catalogue, &names)?;
        let listed = abouts.iter().map(|about| Listed::new(catalogue, about));
        let listed = listed.collect::<Result<Vec<_>, _>>()?;
        if let Some(path) = &self.json {
            #[derive(Serialize)]
            struct Protocols {
                protocols: Vec<Listed>,
            }
            output::write(path, &json::text(&Versioned::new(Protocols { protocols: listed })));
        } else if self.protocol.is_some() {
            listed.iter().for_each(|protocol| output::say(&whole(protocol)));
        } else {
            output::say(&overview(&listed));
        }
        Ok(Exit::Good)
    }
}

impl Listed {
    fn new(catalogue: &impl Catalogue, about: &'static About) -> Result<Self, Problem> {
        let Questions { properties, goals } = choice::questions(catalogue, about);
        let corpus = corpus(about)?;
        Ok(Listed {
            name: about.name,
            title: about.title,
            source: about.source,
            options: about.options.iter().map(ListedOption::new).collect(),
            properties: properties.into_iter().map(ListedProperty::new).collect(),
            goals: goals.into_iter().map(|(name, meaning)| ListedGoal { name, meaning }).collect(),
            bugs: about.bugs.iter().map(|bug| ListedBug::new(bug, &corpus)).collect(),
            scenarios: corpus.into_iter().map(ListedScenario::new).collect(),
        })
    }
}

impl ListedOption {
    fn new(option: &'static OptionSpec) -> Self {
        let OptionSpec { name, default, allowed, help } = option;
        ListedOption { name, default: default.to_string(), allowed, help }
    }
}

impl ListedProperty {
    fn new(question: Question) -> Self {
        let Question { name, meaning, setting, needs } = question;
        ListedProperty { name, meaning, setting, needs }
    }
}

impl ListedBug {
    fn new(bug: &'static BugSpec, corpus: &[Scenario]) -> Self {
        let BugSpec { name, summary, rule, published, costs } = *bug;
        let planted = corpus.iter().filter(|s| s.bug.as_deref() == Some(name));
        let scenarios = planted.map(|s| s.name.clone()).collect();
        let healing = match costs {
            Costs::Liveness(Healing::Shows { cases, options }) => {
                let options =
                    options.iter().map(|(option, value)| format!("{option}={value}")).collect();
                Some(ListedHealing::Shows { cases, options })
            }
            Costs::Liveness(Healing::Hides(why)) => Some(ListedHealing::Hides { why }),
            Costs::Safety | Costs::Nothing => None,
        };
        ListedBug { name, summary, rule, published, costs, healing, scenarios }
    }
}

impl ListedScenario {
    fn new(scenario: Scenario) -> Self {
        let Scenario { name, note, nodes, size, bug, expect, .. } = scenario;
        ListedScenario { name, note, nodes, size, bug, expect }
    }
}

fn overview(all: &[Listed]) -> String {
    let width = all.iter().map(|p| p.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for p in all {
        text += &format!("{:width$}  {}\n", p.name, p.title);
        text += &format!("{:width$}  {}\n", "", p.source);
        text += &format!(
            "{:width$}  {} options, {} properties, {} bugs, {} scenarios\n\n",
            "",
            p.options.len(),
            p.properties.len(),
            p.bugs.len(),
            p.scenarios.len()
        );
    }
    text + "`oneleader list PROTOCOL` shows the options, properties, bugs and scenarios of one.\n"
}

fn whole(p: &Listed) -> String {
    let mut text = format!("{}: {}\n{}", p.name, p.title, wrapped(p.source, 0));
    let mut section = |title: &str, entries: Vec<String>| {
        if !entries.is_empty() {
            text += &format!("\n{title}\n{}", entries.concat());
        }
    };
    section("Options", p.options.iter().map(option).collect());
    section("Properties", p.properties.iter().map(property).collect());
    let goal = |g: &ListedGoal| format!("  {}\n{}", g.name, wrapped(g.meaning, 6));
    section("Goals: events that a scenario can require", p.goals.iter().map(goal).collect());
    section("Bugs", p.bugs.iter().map(bug).collect());
    section("Scenarios", p.scenarios.iter().map(scenario).collect());
    text
}

fn option(o: &ListedOption) -> String {
    let allowed = match o.allowed {
        [] => String::new(),
        words => format!(" (one of {})", words.join(", ")),
    };
    format!("  {} = {}{allowed}\n{}", o.name, o.default, wrapped(o.help, 6))
}

fn property(p: &ListedProperty) -> String {
    let mut text = format!("  {}\n{}", p.name, wrapped(p.meaning, 6));
    if let Some(setting) = p.setting {
        text += &wrapped(&format!("asked only with {setting}"), 6);
    }
    if !p.needs.is_empty() {
        text += &wrapped(&format!("vacuous unless reached: {}", p.needs.join(", ")), 6);
    }
    text
}

fn bug(b: &ListedBug) -> String {
    let costs = match b.costs {
        Costs::Safety => "",
        Costs::Liveness(_) => " (costs only the leader)",
        Costs::Nothing => " (a control: costs nothing)",
    };
    let mut text = format!("  {}{costs}\n{}", b.name, wrapped(b.summary, 6));
    text += &wrapped(&format!("rule: {}", b.rule), 6);
    text += &wrapped(&format!("published: {}", b.published), 6);
    match &b.healing {
        Some(ListedHealing::Shows { cases, options }) => {
            let options: String =
                options.iter().map(|option| format!(" --options {option}")).collect();
            let command = format!("fuzz --heal --bug {}{options}", b.name);
            text += &wrapped(
                &format!("healing shows it: `{command} --seed 1`, within {cases} runs"),
                6,
            );
        }
        Some(ListedHealing::Hides { why }) => {
            text += &wrapped(&format!("healing hides it: {why}"), 6)
        }
        None => {}
    }
    if !b.scenarios.is_empty() {
        text += &wrapped(&format!("scenarios: {}", b.scenarios.join(", ")), 6);
    }
    text
}

fn scenario(s: &ListedScenario) -> String {
    let size = match s.size {
        Size::Small => "small",
        Size::Full => "full",
        Size::Deep => "deep",
    };
    let bug = s.bug.as_ref().map_or(String::new(), |bug| format!(", bug {bug}"));
    let expected = s.expect.iter().map(|(property, Expected { verdict, steps, .. })| {
        let steps = steps.map_or(String::new(), |n| format!(" in {n} steps"));
        format!("{property} {verdict}{steps}")
    });
    let expected: Vec<String> = expected.collect();
    let mut text = format!("  {} ({} nodes, {size}{bug})\n", s.name, s.nodes);
    text += &wrapped(&expected.join("; "), 6);
    text + &wrapped(&s.note, 6)
}

/// The text in lines of at most 100 characters, indented.
fn wrapped(text: &str, indent: usize) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > 100 {
            lines += &format!("{:indent$}{line}\n", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    if !line.is_empty() {
        lines += &format!("{:indent$}{line}\n", "");
    }
    lines
}
