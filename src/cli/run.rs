//! One scenario, checked: which properties are asked, when to stop, what was concluded and whether that was expected.
//!
//! Here the protocol's type is erased: [`prepare`] goes in with a name and comes out with a [`Prepared`] run, whose
//! [`Ran`] is plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::{self, Asked, Conclusion, Ended, Exploration, Limits, Progress, Tally, Until};
use crate::cli::choice::Chosen;
use crate::cli::story;
use crate::election::{Catalogue, Election, Visitor};
use crate::engine;
use crate::reference::{self, Search};
use crate::scenario::{Expected, Problem};
use crate::system::{Bound, PropertyId, System};
use crate::trace::Trace;
use crate::verdict::Word;

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
        match self.miscounted {
            Some(_) => worst.max(Agreement::NotAsExpected),
            None => worst,
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
        let system = Arc::new(scenario.system::<E>()?);
        let Asked { properties: asked, not_asked } = match &request.property {
            Some(only) => {
                let one = System::<E>::properties().into_iter().filter(|(_, name)| name == only);
                Asked { properties: one.collect(), not_asked: Vec::new() }
            }
            None => check::asked(scenario, &system),
        };
        if !request.no_stop {
            let expected = |name: &str| scenario.expected(name).map(|e| e.verdict);
            request.limits.until = until(&asked, chosen.is_as_written, expected);
        } else {
            request.limits.until = Until::Exhausted;
        }
        Ok(Box::new(Ready { system, chosen, asked, not_asked, request }))
    }
}

/// When a run has answered everything. Where nothing is expected to be violated, a violation is a surprise to be told at
/// once. Where something is, that is waited for; and if the scenario as written says that the rest holds, only the whole
/// space tells.
fn until(
    asked: &[(PropertyId, &str)],
    is_as_written: bool,
    expected: impl Fn(&str) -> Option<Word>,
) -> Until {
    let is_violated = |(_, name): &&(PropertyId, &str)| expected(name) == Some(Word::Violated);
    let violated: Vec<PropertyId> = asked.iter().filter(is_violated).map(|(property, _)| *property).collect();
    match violated.len() {
        0 => Until::FirstViolation,
        n if n == asked.len() || !is_as_written => Until::Violated(violated),
        _ => Until::Exhausted,
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
        let conclusion = check::conclude(&self.system, seen, property);
        let counterexample = seen.violations.get(&property).map(|violation| Counterexample {
            steps: violation.steps.len(),
            is_shortest: violation.is_shortest,
            story: story::tell(&self.system, &violation.steps),
            trace: Trace::new(&self.system, &self.chosen.scenario, name, &violation.why, &violation.steps),
        });
        let scenario = &self.chosen.scenario;
        let expected = self.chosen.is_as_written.then(|| scenario.expected(name).cloned()).flatten();
        let shortest = counterexample.as_ref().filter(|c| c.is_shortest).map(|c| c.steps);
        let agreement = compare(conclusion.word, shortest, expected.as_ref());
        let kind = if property.0 == crate::world::ELECTION_SAFETY { "safety" } else { "invariant" };
        let meaning = System::<E>::meaning(property);
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
