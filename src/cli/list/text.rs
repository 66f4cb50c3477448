//! What is listed, as text.

use super::data::{
    Kind, Listed, ListedBug, ListedHealing, ListedLiveness, ListedOption, ListedProperty,
    ListedScenario,
};
use crate::election::Costs;
use crate::scenario::{Expected, Size};
use crate::tell::prose::{cut, wrap};

/// The widest line.
const WIDTH: usize = 100;

/// All protocols.
pub(super) fn overview(all: &[Listed]) -> String {
    let width = all.iter().map(|p| p.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for p in all {
        text += &format!("{:width$}  {}\n", p.name, p.title);
        text += &format!("{:width$}  {}\n", "", p.source);
        text += &format!(
            "{:width$}  {} options, {} properties, {} bugs, {} scenarios, {} of liveness\n\n",
            "",
            p.options.len(),
            p.properties.len(),
            p.bugs.len(),
            p.scenarios.len(),
            p.liveness.len()
        );
    }
    text + "`oneleader list PROTOCOL` shows the options, properties, bugs and scenarios of one.\n"
}

/// A protocol: a line for each option, property and bug, and the names of all else.
pub(super) fn in_brief(p: &Listed) -> String {
    let mut text = format!("{}: {}\n{}", p.name, p.title, wrapped(p.source, 0));
    for kind in Kind::ALL {
        let names = p.names(kind);
        let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
        let words: Vec<&str> = match kind {
            Kind::Option => p.options.iter().map(|o| o.help).collect(),
            Kind::Property => p.properties.iter().map(|q| q.meaning).collect(),
            Kind::Bug => p.bugs.iter().map(|b| b.summary).collect(),
            Kind::Goal | Kind::Scenario | Kind::Liveness => Vec::new(),
        };
        let lines = names.iter().zip(&words);
        let lines =
            lines.map(|(name, words)| cut(&format!("  {name:width$}  {words}"), WIDTH) + "\n");
        let said = if words.is_empty() { wrapped(&names.join(", "), 2) } else { lines.collect() };
        if !names.is_empty() {
            text += &format!("\n{} (all about them: {})\n{said}", title(kind), flag(kind));
        }
    }
    text += &format!("\n`oneleader list {} NAME` tells all about one.\n", p.name);
    text
}

/// All about everything of a kind.
pub(super) fn section(p: &Listed, kind: Kind) -> String {
    let entries = match kind {
        Kind::Option => p.options.iter().map(option).collect::<String>(),
        Kind::Property => p.properties.iter().map(property).collect(),
        Kind::Goal => p.goals.iter().map(|g| described(g.name, g.meaning)).collect(),
        Kind::Bug => p.bugs.iter().map(|b| bug(p, b)).collect(),
        Kind::Scenario => p.scenarios.iter().map(|s| scenario(p, s)).collect(),
        Kind::Liveness => p.liveness.iter().map(|s| liveness(p, s)).collect(),
    };
    match entries.as_str() {
        "" => format!("{}: none\n", title(kind)),
        _ => format!("{}\n{entries}", title(kind)),
    }
}

/// All about what is of this kind and has this name.
pub(super) fn entry(p: &Listed, kind: Kind, name: &str) -> String {
    let one = |all: Vec<String>| format!("{}\n{}", singular(kind), all.concat());
    match kind {
        Kind::Option => one(p.options.iter().filter(|o| o.name == name).map(option).collect()),
        Kind::Property => {
            one(p.properties.iter().filter(|q| q.name == name).map(property).collect())
        }
        Kind::Goal => {
            let goals = p.goals.iter().filter(|g| g.name == name);
            one(goals.map(|g| described(g.name, g.meaning)).collect())
        }
        Kind::Bug => one(p.bugs.iter().filter(|b| b.name == name).map(|b| bug(p, b)).collect()),
        Kind::Scenario => {
            one(p.scenarios.iter().filter(|s| s.name == name).map(|s| scenario(p, s)).collect())
        }
        Kind::Liveness => {
            one(p.liveness.iter().filter(|s| s.name == name).map(|s| liveness(p, s)).collect())
        }
    }
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Option => "Options",
        Kind::Property => "Properties",
        Kind::Goal => "Goals: events that a scenario can require",
        Kind::Bug => "Bugs",
        Kind::Scenario => "Scenarios",
        Kind::Liveness => "Liveness: scenarios of `oneleader liveness`",
    }
}

fn singular(kind: Kind) -> &'static str {
    match kind {
        Kind::Option => "Option",
        Kind::Property => "Property",
        Kind::Goal => "Goal",
        Kind::Bug => "Bug",
        Kind::Scenario => "Scenario",
        Kind::Liveness => "Liveness",
    }
}

fn flag(kind: Kind) -> &'static str {
    match kind {
        Kind::Option => "--options",
        Kind::Property => "--properties",
        Kind::Goal => "--goals",
        Kind::Bug => "--bugs",
        Kind::Scenario => "--scenarios",
        Kind::Liveness => "--liveness",
    }
}

fn described(name: &str, meaning: &str) -> String {
    format!("  {name}\n{}", wrapped(meaning, 6))
}

fn option(o: &ListedOption) -> String {
    let allowed = match o.allowed {
        [] => String::new(),
        words => format!(" (one of {})", words.join(", ")),
    };
    format!("  {} = {}{allowed}\n{}", o.name, o.default, wrapped(o.help, 6))
}

fn property(p: &ListedProperty) -> String {
    let mut text = described(p.name, p.meaning);
    if let Some(setting) = p.setting {
        text += &wrapped(&format!("asked only with {setting}"), 6);
    }
    if !p.needs.is_empty() {
        text += &wrapped(&format!("vacuous unless reached: {}", p.needs.join(", ")), 6);
    }
    text
}

fn bug(p: &Listed, b: &ListedBug) -> String {
    let costs = match b.costs {
        Costs::Safety => "",
        Costs::Liveness(_) => " (costs no safety, only progress)",
        Costs::Nothing => " (a control: costs nothing)",
    };
    let mut text = format!("  {}{costs}\n{}", b.name, wrapped(b.summary, 6));
    let mut line = |words: String| text += &wrapped(&words, 6);
    line(format!("rule: {}", b.rule));
    line(format!("published: {}", b.published));
    if !b.scenarios.is_empty() {
        line(format!("scenarios: {}", b.scenarios.join(", ")));
        line(format!("see it: `oneleader check {} --bug {}`", p.name, b.name));
    }
    for scenario in &b.liveness {
        line(format!("decided by: `oneleader liveness {} --scenario {scenario}`", p.name));
    }
    match &b.healing {
        Some(ListedHealing::Shows { cases, options }) => {
            let options: String =
                options.iter().map(|option| format!(" --options {option}")).collect();
            let command = format!("oneleader fuzz {} --heal --bug {}{options}", p.name, b.name);
            line(format!("healing shows it: `{command} --seed 1`, within {cases} runs"));
        }
        Some(ListedHealing::Hides { why }) => line(format!("healing hides it: {why}")),
        None => {}
    }
    text
}

fn scenario(p: &Listed, s: &ListedScenario) -> String {
    let mut text = format!("  {} ({})\n", s.name, sort(s.nodes, s.size, s.bug.as_deref()));
    text += &wrapped(&verdicts(s), 6);
    text += &wrapped(&s.note, 6);
    text + &wrapped(&format!("run it: `oneleader check {} --scenario {}`", p.name, s.name), 6)
}

fn liveness(p: &Listed, s: &ListedLiveness) -> String {
    let mut text = format!("  {} ({})\n", s.name, sort(s.nodes, s.size, s.bug.as_deref()));
    text += &wrapped(&answers(s), 6);
    text += &wrapped(&s.note, 6);
    text + &wrapped(&format!("ask it: `oneleader liveness {} --scenario {}`", p.name, s.name), 6)
}

fn sort(nodes: usize, size: Size, bug: Option<&str>) -> String {
    let size = match size {
        Size::Small => "small",
        Size::Full => "full",
        Size::Deep => "deep",
    };
    let bug = bug.map_or(String::new(), |bug| format!(", bug {bug}"));
    format!("{nodes} nodes, {size}{bug}")
}

fn verdicts(s: &ListedScenario) -> String {
    let expected = s.expect.iter().map(|(property, Expected { verdict, steps, .. })| {
        let steps = steps.map_or(String::new(), |n| format!(" in {n} steps"));
        format!("{property} {verdict}{steps}")
    });
    expected.collect::<Vec<_>>().join("; ")
}

fn answers(s: &ListedLiveness) -> String {
    let expected = s.expect.iter().map(|(question, answer)| format!("{question} {answer}"));
    expected.collect::<Vec<_>>().join("; ")
}

/// The text in lines of at most 100 characters, indented.
fn wrapped(text: &str, indent: usize) -> String {
    let lines = wrap(text, WIDTH - indent).into_iter();
    lines.map(|line| format!("{:indent$}{line}\n", "")).collect()
}
