//! One scenario, checked: which properties are asked, when to stop, what was concluded and whether that was expected.
//!
//! Here the protocol's type is erased: [`prepare`] goes in with a name and comes out with a [`Prepared`] run, whose
//! [`Ran`] is plain data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::election::{About, Catalogue, Election, Visitor};
use crate::engine;
use crate::exploration::verdict::Word;
use crate::exploration::{self, Conclusion, Ended, Exploration, Limits, Progress, Tally, Until};
use crate::reference::{self, Search};
use crate::run::trace::Trace;
use crate::scenario::{self, Asked, Expected, Problem, Scenario, Unready};
use crate::semantics::{Bound, PropertyId, System};
use crate::tell::story;

/// A random walk that is not over after so many steps is begun anew.
const LONGEST_WALK: usize = 1000;

/// The engines by their words on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// Exhaustive, over numbers instead of values
    Compiled,
    /// Random walks on the compiled engine's steps
    Walk,
    StaterightBfs,
    StaterightDfs,
    StaterightSimulation,
}

/// A scenario to run.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub about: &'static About,
    pub scenario: Scenario,
    /// Whether what the scenario expects and pins counts: it is as written, with nothing planted or changed by flags.
    pub is_as_written: bool,
    /// How it came to be chosen or what was changed, where that is not plain from the command line.
    pub remark: Option<String>,
}

impl Chosen {
    /// What is expected of a property, as far as that counts.
    pub fn expected(&self, property: &str) -> Option<Expected> {
        self.is_as_written.then(|| self.scenario.expected(property).cloned()).flatten()
    }

    /// Whether the scenario says how many states there are.
    pub fn pins_counts(&self) -> bool {
        self.scenario.distinct.or(self.scenario.generated).is_some()
    }
}

/// What the command line asks of every run.
#[derive(Clone, Debug)]
pub struct Request {
    pub engine: Engine,
    /// Of simulations.
    pub seed: u64,
    /// Only this property.
    pub property: Option<String>,
    /// See every state, past violations.
    pub no_stop: bool,
    /// [`Limits::until`] is chosen for each run.
    pub limits: Limits,
}

/// A scenario that has been found good and can be run.
pub trait Prepared {
    fn chosen(&self) -> &Chosen;
    /// The names of the properties that are asked.
    fn properties(&self) -> Vec<&'static str>;
    fn run(&self, progress: &dyn Fn(&Progress)) -> Ran;
}

/// What came of a run.
pub struct Ran {
    pub engine: &'static str,
    pub ended: Ended,
    pub distinct: u64,
    pub generated: u64,
    pub depth: usize,
    pub seconds: f64,
    pub threads: usize,
    pub cut: BTreeMap<Bound, u64>,
    pub tally: Tally,
    pub collision_probability: f64,
    pub answers: Vec<Answer>,
    /// Properties that the options leave nothing to speak of, each with the setting that it needs.
    pub not_asked: Vec<(&'static str, &'static str)>,
    /// How the counts of an exhausted run differ from those that the scenario pins.
    pub miscounted: Option<String>,
    /// Counts are pinned, and the run ended before it could tell.
    pub is_uncounted: bool,
}

/// What is said about one property.
pub struct Answer {
    pub property: &'static str,
    pub kind: &'static str,
    pub meaning: &'static str,
    pub conclusion: Conclusion,
    /// What the scenario as written expects.
    pub expected: Option<Expected>,
    pub agreement: Agreement,
    pub counterexample: Option<Counterexample>,
}

impl Answer {
    fn is_told_like(&self, other: &Answer) -> bool {
        self.counterexample.is_none()
            && other.counterexample.is_none()
            && self.conclusion == other.conclusion
            && self.expected == other.expected
    }
}

/// How an answer compares with what was expected; where nothing is written, that everything holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    AsExpected,
    /// Not refuted, or unknown, where something else was expected.
    Inconclusive,
    NotAsExpected,
    /// Nothing was concluded, for a reason that lies in the input.
    Error,
}

pub struct Counterexample {
    pub steps: usize,
    pub is_shortest: bool,
    pub story: String,
    pub trace: Trace,
}

/// Answers that are told as one.
pub struct Group<'a> {
    /// The property, or how many there are.
    pub label: String,
    /// The first of them.
    pub answer: &'a Answer,
}

impl Ran {
    /// Each answer with a counterexample by itself; those that agree alike together.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Vec<&Answer>> = Vec::new();
        for answer in &self.answers {
            match groups.iter_mut().find(|group| answer.is_told_like(group[0])) {
                Some(group) => group.push(answer),
                None => groups.push(vec![answer]),
            }
        }
        let label = |group: &[&Answer]| match group.len() {
            1 => group[0].property.to_string(),
            n if n == self.answers.len() => format!("all {n}"),
            n => format!("{n} others"),
        };
        groups.iter().map(|group| Group { label: label(group), answer: group[0] }).collect()
    }

    pub fn agreement(&self) -> Agreement {
        let worst = self.answers.iter().map(|a| a.agreement).max().unwrap_or(Agreement::AsExpected);
        worst.max(self.counts())
    }

    /// How the counts compare with those that the scenario pins.
    pub fn counts(&self) -> Agreement {
        match self.miscounted {
            Some(_) => Agreement::NotAsExpected,
            None if self.is_uncounted => Agreement::Inconclusive,
            None => Agreement::AsExpected,
        }
    }
}

/// Builds the system of a chosen scenario and works out what is asked of it.
///
/// # Errors
/// What [`crate::scenario::Scenario::system`] refuses.
pub fn prepare(
    catalogue: &impl Catalogue,
    chosen: Chosen,
    request: &Request,
) -> Result<Box<dyn Prepared>, Problem> {
    let name = chosen.about.name;
    let prepare = Prepare { chosen, request: request.clone() };
    catalogue.visit(name, prepare).expect("a chosen protocol is in the catalogue")
}

struct Prepare {
    chosen: Chosen,
    request: Request,
}

impl Visitor for Prepare {
    type Output = Result<Box<dyn Prepared>, Problem>;

    fn visit<E: Election>(self) -> Self::Output {
        let Prepare { chosen, mut request } = self;
        let scenario = &chosen.scenario;
        let begin = Instant::now();
        let system = match scenario.system_within::<E>(&request.limits) {
            Ok(system) => Arc::new(system),
            Err(Unready::Wrong(problem)) => return Err(problem),
            Err(Unready::Ended { ended, states }) => {
                let seconds = begin.elapsed().as_secs_f64();
                let is_asked = |name: &str| match &request.property {
                    Some(only) => only == name,
                    None => scenario.expect.is_empty() || scenario.expected(name).is_some(),
                };
                let asked = System::<E>::properties().into_iter().filter(|(_, name)| is_asked(name));
                let asked = asked.map(|(property, name)| Question::of::<E>(property, name)).collect();
                return Ok(Box::new(Startless { chosen, asked, ended, states, seconds }));
            }
        };
        // Looking for the start is part of the run.
        request.limits.time = request.limits.time.map(|time| time.saturating_sub(begin.elapsed()));
        let Asked { properties: asked, not_asked } = match &request.property {
            Some(only) => {
                let one = System::<E>::properties().into_iter().filter(|(_, name)| name == only);
                Asked { properties: one.collect(), not_asked: Vec::new() }
            }
            None => scenario::asked(scenario, &system),
        };
        if !request.no_stop {
            let expected = |name: &str| scenario.expected(name).map(|e| e.verdict);
            let is_pinned = chosen.is_as_written && chosen.pins_counts();
            request.limits.until = until(&asked, chosen.is_as_written, is_pinned, expected);
        } else {
            request.limits.until = Until::Exhausted;
        }
        Ok(Box::new(Ready { system, chosen, asked, not_asked, request }))
    }
}

/// When a run has answered everything. Where nothing is expected to be violated, a violation is a surprise to be told at
/// once. Where something is, that is waited for; and if the scenario as written says that the rest holds, or how many
/// states there are, only the whole space tells.
fn until(
    asked: &[(PropertyId, &str)],
    is_as_written: bool,
    is_pinned: bool,
    expected: impl Fn(&str) -> Option<Word>,
) -> Until {
    let is_violated = |(_, name): &&(PropertyId, &str)| expected(name) == Some(Word::Violated);
    let violated: Vec<PropertyId> = asked.iter().filter(is_violated).map(|(property, _)| *property).collect();
    match violated.len() {
        0 => Until::FirstViolation,
        n if (n == asked.len() && !is_pinned) || !is_as_written => Until::Violated(violated),
        _ => Until::Exhausted,
    }
}

/// A property that is asked.
#[derive(Clone, Copy)]
struct Question {
    name: &'static str,
    kind: &'static str,
    meaning: &'static str,
}

impl Question {
    fn of<E: Election>(property: PropertyId, name: &'static str) -> Self {
        let kind =
            if property.0 == crate::semantics::world::ELECTION_SAFETY { "safety" } else { "invariant" };
        Question { name, kind, meaning: System::<E>::meaning(property) }
    }
}

/// A scenario whose start was not found within the limits, so that there is nothing to run.
struct Startless {
    chosen: Chosen,
    asked: Vec<Question>,
    ended: Ended,
    states: u64,
    seconds: f64,
}

impl Prepared for Startless {
    fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    fn properties(&self) -> Vec<&'static str> {
        self.asked.iter().map(|question| question.name).collect()
    }

    fn run(&self, _: &dyn Fn(&Progress)) -> Ran {
        let what = match self.ended {
            Ended::MaxStates => "the limit of states was reached",
            Ended::TimeLimit => "the time limit was reached",
            Ended::MaxMemory => "the memory limit was reached",
            _ => "interrupted",
        };
        let scenario = &self.chosen.scenario;
        let start = scenario.start_when.as_deref().unwrap_or_default();
        let why = format!("{what} after {} states, while looking for the start, `{start}`", self.states);
        let answer = |&Question { name, kind, meaning }: &Question| {
            let conclusion = Conclusion { word: Word::NotRefuted, why: Some(why.clone()) };
            let expected = self.chosen.expected(name);
            let agreement = compare(Word::NotRefuted, None, expected.as_ref());
            Answer { property: name, kind, meaning, conclusion, expected, agreement, counterexample: None }
        };
        Ran {
            engine: "start",
            ended: self.ended.clone(),
            distinct: 0,
            generated: 0,
            depth: 0,
            seconds: self.seconds,
            threads: 1,
            cut: BTreeMap::new(),
            tally: Tally::default(),
            collision_probability: 0.0,
            answers: self.asked.iter().map(answer).collect(),
            not_asked: Vec::new(),
            miscounted: None,
            is_uncounted: self.chosen.is_as_written && self.chosen.pins_counts(),
        }
    }
}

struct Ready<E: Election> {
    system: Arc<System<E>>,
    chosen: Chosen,
    asked: Vec<(PropertyId, &'static str)>,
    not_asked: Vec<(&'static str, &'static str)>,
    request: Request,
}

impl<E: Election> Prepared for Ready<E> {
    fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    fn properties(&self) -> Vec<&'static str> {
        self.asked.iter().map(|(_, name)| *name).collect()
    }

    fn run(&self, progress: &dyn Fn(&Progress)) -> Ran {
        let Request { engine, seed, limits, .. } = &self.request;
        let properties: Vec<PropertyId> = self.asked.iter().map(|(property, _)| *property).collect();
        let exploration = explore(*engine, *seed, &self.system, &properties, limits, progress);
        let answers = self.asked.iter().map(|(property, name)| self.answer(&exploration, *property, name));
        Ran {
            answers: answers.collect(),
            miscounted: self.miscounted(&exploration),
            not_asked: self.not_asked.clone(),
            is_uncounted: self.chosen.is_as_written
                && self.chosen.pins_counts()
                && exploration.ended != Ended::Exhausted,
            engine: exploration.engine,
            ended: exploration.ended,
            distinct: exploration.distinct,
            generated: exploration.generated,
            depth: exploration.depth,
            seconds: exploration.seconds,
            threads: exploration.threads,
            cut: exploration.cut,
            tally: exploration.tally,
            collision_probability: exploration.collision_probability,
        }
    }
}

impl<E: Election> Ready<E> {
    fn answer(&self, seen: &Exploration<E>, property: PropertyId, name: &'static str) -> Answer {
        let conclusion = exploration::conclude(&self.system, seen, property);
        let counterexample = seen.violations.get(&property).map(|violation| Counterexample {
            steps: violation.steps.len(),
            is_shortest: violation.is_shortest,
            story: story::tell(&self.system, &violation.steps),
            trace: Trace::new(&self.system, &self.chosen.scenario, name, &violation.why, &violation.steps),
        });
        let expected = self.chosen.expected(name);
        let shortest = counterexample.as_ref().filter(|c| c.is_shortest).map(|c| c.steps);
        let agreement = compare(conclusion.word, shortest, expected.as_ref());
        let Question { kind, meaning, .. } = Question::of::<E>(property, name);
        Answer { property: name, kind, meaning, conclusion, expected, agreement, counterexample }
    }

    /// Only a run that saw everything can be held against pinned counts.
    fn miscounted(&self, seen: &Exploration<E>) -> Option<String> {
        if seen.ended != Ended::Exhausted || !self.chosen.is_as_written {
            return None;
        }
        let scenario = &self.chosen.scenario;
        let counts = [
            ("distinct", scenario.distinct, seen.distinct),
            ("generated", scenario.generated, seen.generated),
        ];
        let wrong = counts.into_iter().filter_map(|(what, pinned, found)| {
            let pinned = pinned.filter(|pinned| *pinned != found)?;
            Some(format!("expected {pinned} {what} states, found {found}"))
        });
        let wrong: Vec<String> = wrong.collect();
        (!wrong.is_empty()).then(|| wrong.join(", "))
    }
}

/// Explores a system with an engine. The seed is for what is random, which are the simulation and the walks.
pub fn explore<E: Election>(
    engine: Engine,
    seed: u64,
    system: &Arc<System<E>>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Exploration<E> {
    let search = match engine {
        Engine::Compiled => return engine::explore(system, properties, limits, progress),
        Engine::Walk => return engine::walk(system, properties, limits, progress, seed, LONGEST_WALK),
        Engine::StaterightBfs => Search::BreadthFirst,
        Engine::StaterightDfs => Search::DepthFirst,
        Engine::StaterightSimulation => Search::Simulation { seed },
    };
    reference::explore(search, system, properties, limits, progress)
}

fn compare(word: Word, shortest: Option<usize>, expected: Option<&Expected>) -> Agreement {
    let agrees = match expected {
        Some(expected) => {
            let same_length = expected.steps.is_none_or(|n| shortest.is_none_or(|found| found == n));
            expected.accepts(word) && same_length
        }
        None => matches!(word, Word::Holds | Word::HoldsWithinBounds),
    };
    match word {
        _ if agrees => Agreement::AsExpected,
        Word::Error => Agreement::Error,
        Word::NotRefuted | Word::Unknown => Agreement::Inconclusive,
        _ => Agreement::NotAsExpected,
    }
}
