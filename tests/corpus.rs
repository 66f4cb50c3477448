//! The corpus against every engine: one test for each small scenario and engine, named `protocol::scenario::engine`.
//!
//! Every property gets the verdict that the scenario expects; a shortest counterexample has the length that it expects,
//! every counterexample replays to its violation; the counts of a run to exhaustion are those that it pins. A protocol
//! or an engine that joins the catalogue is tested here without a line being added.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::election::{Election, Visitor};
use oneleader::exploration::verdict::Word;
use oneleader::exploration::{Ended, Exploration, Limits, Until, conclude};
use oneleader::reference::{self, Search};
use oneleader::run::trace::{Outcome, Trace, replay};
use oneleader::scenario::corpus;
use oneleader::scenario::{self, Scenario, Size};
use oneleader::semantics::{PropertyId, System};
use oneleader::{engine, models};

#[derive(Clone, Copy, PartialEq)]
enum Engine {
    Compiled,
    Stateright(Search),
}

impl Engine {
    const ALL: [Engine; 3] =
        [Engine::Compiled, Engine::Stateright(Search::BreadthFirst), Engine::Stateright(Search::DepthFirst)];

    fn name(self) -> &'static str {
        match self {
            Engine::Compiled => "compiled",
            Engine::Stateright(search) => search.engine(),
        }
    }

    fn explore<E: Election>(
        self,
        system: &Arc<System<E>>,
        asked: &[PropertyId],
        limits: &Limits,
    ) -> Exploration<E> {
        match self {
            Engine::Compiled => engine::explore(system, asked, limits, &|_| ()),
            Engine::Stateright(search) => reference::explore(search, system, asked, limits, &|_| ()),
        }
    }
}

/// So many states stateright's searches are given; the compiled engine sees all. Where that is not enough they must not
/// contradict, and the comparison of engines in `.ci/deep` goes further.
const REACH: u64 = 20_000;

struct Checked {
    scenario: Scenario,
    engine: Engine,
}

impl Visitor for Checked {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let Checked { scenario, engine } = self;
        let system = Arc::new(scenario.system::<E>().map_err(|problem| problem.to_string())?);
        let asked = scenario::asked(&scenario, &system).properties;
        let ids: Vec<PropertyId> = asked.iter().map(|(id, _)| *id).collect();
        let mut limits = limits(&scenario, &asked);
        if engine != Engine::Compiled {
            limits.max_states = Some(REACH);
        }
        let seen = engine.explore(&system, &ids, &limits);

        let place = format!("{} `{}`, {}", E::about().name, scenario.name, engine.name());
        let mut wrong = Vec::new();
        for (property, name) in asked {
            let found = conclude(&system, &seen, property);
            let mut differs = |what: &str, expected: String, found: String| {
                wrong.push(format!("{place}: {what} of {name}: expected {expected}, found {found}"));
            };
            let expected = scenario.expected(name);
            let is_out_of_reach = engine != Engine::Compiled && seen.ended == Ended::MaxStates;
            if is_out_of_reach && found.word == Word::NotRefuted {
                continue;
            }
            let agrees = expected.map_or(found.word == Word::Holds, |e| e.accepts(found.word));
            if !agrees {
                let verdict = expected.map_or(Word::Holds, |e| e.verdict);
                let why = found.why.unwrap_or_default();
                differs("verdict", verdict.to_string(), format!("{} ({why})", found.word));
            }
            let Some(violation) = seen.violations.get(&property) else { continue };
            let steps = expected.and_then(|e| e.steps);
            if violation.is_shortest && steps.is_some_and(|n| n != violation.steps.len()) {
                differs("steps", steps.unwrap_or_default().to_string(), violation.steps.len().to_string());
            }
            let trace = Trace::new(&system, &scenario, name, &violation.why, &violation.steps);
            match replay(&system, property, &trace.steps).outcome {
                Outcome::Violated { after, .. } if after == violation.steps.len() => {}
                other => differs(
                    "replay",
                    format!("a violation after {} steps", trace.steps.len()),
                    format!("{other:?}"),
                ),
            }
        }
        if seen.ended == Ended::Exhausted {
            let counts = [
                ("distinct", scenario.distinct, seen.distinct),
                ("generated", scenario.generated, seen.generated),
            ];
            for (what, pinned, found) in counts {
                if pinned.is_some_and(|pinned| pinned != found) {
                    wrong.push(format!(
                        "{place}: {what} states: expected {}, found {found}",
                        pinned.unwrap_or(0)
                    ));
                }
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
    }
}

/// When a run has answered everything: at once where all that is asked is expected to be violated; with the whole space
/// where some of it is, or where counts are pinned; a violation that nobody expects may be told at once.
fn limits(scenario: &Scenario, asked: &[(PropertyId, &str)]) -> Limits {
    let is_violated = |name: &str| scenario.expected(name).is_some_and(|e| e.verdict == Word::Violated);
    let violated: Vec<_> = asked.iter().filter(|(_, name)| is_violated(name)).map(|(id, _)| *id).collect();
    let is_pinned = scenario.distinct.is_some() || scenario.generated.is_some();
    let until = match violated.len() {
        _ if is_pinned => Until::Exhausted,
        0 => Until::FirstViolation,
        n if n == asked.len() => Until::Violated(violated),
        _ => Until::Exhausted,
    };
    Limits { until, ..Limits::default() }
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        let corpus = corpus::of(about).unwrap_or_else(|e| panic!("corpus of {}: {e}", about.name));
        for scenario in corpus.into_iter().filter(|s| s.size == Size::Small) {
            for engine in Engine::ALL {
                let name = format!("{}::{}::{}", about.name, scenario.name, engine.name());
                let checked = Checked { scenario: scenario.clone(), engine };
                let run = move || models::visit(about.name, checked).expect("a protocol of the catalogue");
                trials.push(Trial::test(name, run));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
