//! All that is listed of a protocol, as data. In JSON it is written as it stands here.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::choice::{self, Question, Questions, corpus};
use crate::cli::liveness;
use crate::election::{About, BugSpec, Catalogue, Costs, Healing, OptionSpec};
use crate::scenario::liveness::LivenessScenario;
use crate::scenario::{Expected, Problem, Scenario, Size};

/// Everything about a protocol that is listed.
#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) source: &'static str,
    pub(super) options: Vec<ListedOption>,
    pub(super) properties: Vec<ListedProperty>,
    pub(super) goals: Vec<ListedGoal>,
    pub(super) bugs: Vec<ListedBug>,
    pub(super) scenarios: Vec<ListedScenario>,
    pub(super) liveness: Vec<ListedLiveness>,
}

/// What kind of thing has a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Option,
    Property,
    Goal,
    Bug,
    Scenario,
    Liveness,
}

#[derive(Serialize)]
pub(super) struct ListedOption {
    pub(super) name: &'static str,
    pub(super) default: String,
    pub(super) allowed: &'static [&'static str],
    pub(super) help: &'static str,
}

#[derive(Serialize)]
pub(super) struct ListedProperty {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    /// Without this setting it is not asked.
    pub(super) setting: Option<&'static str>,
    /// If a run does not reach these goals, the verdict is `vacuous`.
    pub(super) needs: &'static [&'static str],
}

#[derive(Serialize)]
pub(super) struct ListedGoal {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
}

#[derive(Serialize)]
pub(super) struct ListedBug {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) rule: &'static str,
    pub(super) published: &'static str,
    pub(super) costs: Costs,
    /// For a bug that costs only the leader: whether `fuzz --heal` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) healing: Option<ListedHealing>,
    /// The scenarios of the corpus that plant it.
    pub(super) scenarios: Vec<String>,
    /// The scenarios of `oneleader liveness` that plant it.
    pub(super) liveness: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ListedHealing {
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
pub(super) struct ListedScenario {
    pub(super) name: String,
    pub(super) note: String,
    pub(super) nodes: usize,
    pub(super) size: Size,
    pub(super) bug: Option<String>,
    /// By property.
    pub(super) expect: BTreeMap<String, Expected>,
}

#[derive(Serialize)]
pub(super) struct ListedLiveness {
    pub(super) name: String,
    pub(super) note: String,
    pub(super) nodes: usize,
    pub(super) size: Size,
    pub(super) bug: Option<String>,
    /// The answers, by question.
    pub(super) expect: BTreeMap<String, String>,
}

impl Kind {
    pub(super) const ALL: [Kind; 6] =
        [Kind::Option, Kind::Property, Kind::Goal, Kind::Bug, Kind::Scenario, Kind::Liveness];
}

impl Listed {
    pub(super) fn new(catalogue: &impl Catalogue, about: &'static About) -> Result<Self, Problem> {
        let Questions { properties, goals } = choice::questions(catalogue, about);
        let corpus = corpus(about)?;
        let asked = liveness::corpus(&[about], Size::Deep)?;
        let asked: Vec<LivenessScenario> = asked.into_iter().map(|(_, asked)| asked).collect();
        Ok(Listed {
            name: about.name,
            title: about.title,
            source: about.source,
            options: about.options.iter().map(ListedOption::new).collect(),
            properties: properties.into_iter().map(ListedProperty::new).collect(),
            goals: goals.into_iter().map(|(name, meaning)| ListedGoal { name, meaning }).collect(),
            bugs: about.bugs.iter().map(|bug| ListedBug::new(bug, &corpus, &asked)).collect(),
            scenarios: corpus.into_iter().map(ListedScenario::new).collect(),
            liveness: asked.into_iter().map(ListedLiveness::new).collect(),
        })
    }

    /// Everything that has a name. Things of different kinds may have the same.
    pub(super) fn entries(&self) -> Vec<(Kind, &str)> {
        Kind::ALL
            .into_iter()
            .flat_map(|kind| self.names(kind).into_iter().map(move |name| (kind, name)))
            .collect()
    }

    /// The names of one kind.
    pub(super) fn names(&self, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Option => self.options.iter().map(|o| o.name).collect(),
            Kind::Property => self.properties.iter().map(|p| p.name).collect(),
            Kind::Goal => self.goals.iter().map(|g| g.name).collect(),
            Kind::Bug => self.bugs.iter().map(|b| b.name).collect(),
            Kind::Scenario => self.scenarios.iter().map(|s| s.name.as_str()).collect(),
            Kind::Liveness => self.liveness.iter().map(|s| s.name.as_str()).collect(),
        }
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
    fn new(bug: &'static BugSpec, corpus: &[Scenario], asked: &[LivenessScenario]) -> Self {
        let BugSpec { name, summary, rule, instead: _, published, costs } = *bug;
        let planted = corpus.iter().filter(|s| s.bug.as_deref() == Some(name));
        let scenarios = planted.map(|s| s.name.clone()).collect();
        let planted = asked.iter().filter(|s| s.bug.as_deref() == Some(name));
        let liveness = planted.map(|s| s.name.clone()).collect();
        let healing = match costs {
            Costs::Liveness(Healing::Shows { cases, options }) => {
                let options =
                    options.iter().map(|(option, value)| format!("{option}={value}")).collect();
                Some(ListedHealing::Shows { cases, options })
            }
            Costs::Liveness(Healing::Hides(why)) => Some(ListedHealing::Hides { why }),
            Costs::Safety | Costs::Nothing => None,
        };
        ListedBug { name, summary, rule, published, costs, healing, scenarios, liveness }
    }
}

impl ListedScenario {
    fn new(scenario: Scenario) -> Self {
        let Scenario { name, note, nodes, size, bug, expect, .. } = scenario;
        ListedScenario { name, note, nodes, size, bug, expect }
    }
}

impl ListedLiveness {
    fn new(scenario: LivenessScenario) -> Self {
        let LivenessScenario { name, note, nodes, size, bug, expect, .. } = scenario;
        ListedLiveness { name, note, nodes, size, bug, expect }
    }
}
