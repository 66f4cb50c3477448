//! A scenario whose system has been built: which properties it asks, when its run may stop, and the
//! run itself.

use std::any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::checked::{Agreement, Answer, Checked, Counterexample};
use super::{Chosen, Prepared, Request, explore};
use crate::election::{Election, Visitor};
use crate::exploration::verdict::Verdict;
use crate::exploration::{self, Conclusion, Ended, Exploration, Progress, Tally, Until};
use crate::run::trace::{Outcome, Trace, replay};
use crate::scenario::{self, Asked, Expected, Problem, Unready};
use crate::semantics::{PropertyId, System};
use crate::tell::scene::Scene;

/// Builds the system of a chosen scenario, for any protocol.
pub(super) struct Prepare {
    pub chosen: Chosen,
    pub request: Request,
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
                let asked =
                    System::<E>::properties().into_iter().filter(|(_, name)| is_asked(name));
                let asked =
                    asked.map(|(property, name)| Question::of::<E>(property, name)).collect();
                return Ok(Box::new(Startless { chosen, asked, ended, states, seconds }));
            }
        };
        // The search for the start is part of the run.
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

/// When a run may stop. If no violation is expected, it stops at the first violation. If some are
/// expected, it stops when all of these were found. But it sees every state if the unchanged
/// scenario also expects that other properties hold, or how many states there are.
fn until(
    asked: &[(PropertyId, &str)],
    is_as_written: bool,
    is_pinned: bool,
    expected: impl Fn(&str) -> Option<Verdict>,
) -> Until {
    let is_violated = |(_, name): &&(PropertyId, &str)| expected(name) == Some(Verdict::Violated);
    let violated: Vec<PropertyId> =
        asked.iter().filter(is_violated).map(|(property, _)| *property).collect();
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
        let kind = if property.0 == crate::semantics::world::ELECTION_SAFETY {
            "safety"
        } else {
            "invariant"
        };
        Question { name, kind, meaning: System::<E>::meaning(property) }
    }
}

/// A scenario whose start was not found within the limits, so nothing can be run.
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

    fn run(&self, _: &dyn Fn(&Progress)) -> Checked {
        let what = match self.ended {
            Ended::MaxStates => "the limit of states was reached",
            Ended::TimeLimit => "the time limit was reached",
            Ended::MaxMemory => "the memory limit was reached",
            _ => "interrupted",
        };
        let scenario = &self.chosen.scenario;
        let start = scenario.start_when.as_deref().unwrap_or_default();
        let why =
            format!("{what} after {} states, while looking for the start, `{start}`", self.states);
        let answer = |&Question { name, kind, meaning }: &Question| {
            let conclusion = Conclusion { verdict: Verdict::NotRefuted, why: Some(why.clone()) };
            let expected = self.chosen.expected(name);
            let agreement = compare(Verdict::NotRefuted, None, expected.as_ref());
            Answer {
                property: name,
                kind,
                meaning,
                conclusion,
                expected,
                agreement,
                counterexample: None,
            }
        };
        Checked {
            protocol: self.chosen.about.name,
            scenario: scenario.name.clone(),
            engine: "start",
            ended: self.ended.clone(),
            distinct: 0,
            generated: 0,
            depth: 0,
            levels: Vec::new(),
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

    fn run(&self, progress: &dyn Fn(&Progress)) -> Checked {
        let Request { engine, seed, limits, .. } = &self.request;
        let properties: Vec<PropertyId> =
            self.asked.iter().map(|(property, _)| *property).collect();
        let exploration = explore(*engine, *seed, &self.system, &properties, limits, progress);
        let answers =
            self.asked.iter().map(|(property, name)| self.answer(&exploration, *property, name));
        Checked {
            protocol: self.chosen.about.name,
            scenario: self.chosen.scenario.name.clone(),
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
            levels: exploration.levels,
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
        let mut conclusion = exploration::conclude(&self.system, seen, property);
        let counterexample = seen.violations.get(&property).map(|violation| Counterexample {
            steps: violation.steps.len(),
            is_shortest: violation.is_shortest,
            scene: Scene::new(&self.system, &violation.steps),
            trace: Trace::new(
                &self.system,
                &self.chosen.scenario,
                name,
                &violation.why,
                &violation.steps,
            ),
            rust_type: any::type_name::<E>().rsplit("::").next().unwrap_or_default(),
        });
        if let Some(Err(why)) = counterexample.as_ref().map(|c| self.replays(property, &c.trace)) {
            conclusion = Conclusion { verdict: Verdict::Error, why: Some(why) };
        }
        let expected = self.chosen.expected(name);
        let shortest = counterexample.as_ref().filter(|c| c.is_shortest).map(|c| c.steps);
        let agreement = compare(conclusion.verdict, shortest, expected.as_ref());
        let Question { kind, meaning, .. } = Question::of::<E>(property, name);
        Answer { property: name, kind, meaning, conclusion, expected, agreement, counterexample }
    }

    /// Replays a counterexample by the names of its steps.
    ///
    /// # Errors
    /// The steps do not lead to the violation: the engine that found it is wrong.
    fn replays(&self, property: PropertyId, trace: &Trace) -> Result<(), String> {
        match replay(&self.system, property, &trace.steps).outcome {
            Outcome::Violated { after, .. } if after == trace.steps.len() => Ok(()),
            other => Err(format!(
                "the counterexample, {} steps long, replays as {other:?} (a defect of oneleader)",
                trace.steps.len()
            )),
        }
    }

    /// Compares the numbers of states with those that the scenario expects. Only a run that saw
    /// every state can tell.
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

fn compare(verdict: Verdict, shortest: Option<usize>, expected: Option<&Expected>) -> Agreement {
    let agrees = match expected {
        Some(expected) => {
            let same_length =
                expected.steps.is_none_or(|n| shortest.is_none_or(|found| found == n));
            expected.accepts(verdict) && same_length
        }
        None => matches!(verdict, Verdict::Holds | Verdict::HoldsWithinBounds),
    };
    match verdict {
        _ if agrees => Agreement::AsExpected,
        Verdict::Error => Agreement::Error,
        Verdict::NotRefuted | Verdict::Unknown => Agreement::Inconclusive,
        _ => Agreement::NotAsExpected,
    }
}
