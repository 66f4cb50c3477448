//! A system asked about liveness: the answers, compared with what is expected, and the runs that
//! show them.

use std::time::{Duration, Instant};

use super::Agreement;
use crate::election::{About, BugSpec, Catalogue, Costs, Election, Only, Visitor};
use crate::liveness::{self, Answer, Cut, Decision, Extent, Random, Report, Sampled, Waiting};
use crate::run::trace::{Cycle, Trace};
use crate::scenario::liveness::LivenessScenario;
use crate::scenario::{Problem, Scenario, start};
use crate::semantics::node::Clock;
use crate::semantics::{StepOf, System, SystemState, Timing};
use crate::tell::scene::Scene;

/// The answer to one question.
#[derive(Clone, Debug)]
pub struct LivenessAnswer {
    /// The name of the question.
    pub question: &'static str,
    /// The answer, in a word or two.
    pub answer: String,
    /// With `almost-sure`: what must be random for it, `timeouts` or `timeouts-and-order`.
    pub random: Option<&'static str>,
    /// What the scenario expects.
    pub expected: Option<String>,
    /// Whether that is the answer. Without an expectation, `guaranteed` and `almost-sure` are.
    pub agreement: Agreement,
    /// What shows it, if it is not `guaranteed`.
    pub shown: Option<Shown>,
}

/// A run that shows an answer, by the names of its steps. The reference semantics has taken them
/// all.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the run is.
    pub what: String,
    /// The steps before the cycle; all, if time stops.
    pub prefix: Vec<String>,
    /// The first lap; the second one has the same steps with later terms.
    pub cycle: Vec<String>,
    /// Prefix and two laps, to be replayed.
    pub trace: Trace,
    /// Prefix and first lap, as data.
    pub scene: Scene,
    /// Where no time is kept: how the lap delivers each message and fires each timer that waits
    /// when it begins.
    pub fairness: Vec<String>,
}

impl Shown {
    /// Whether another run has the same steps.
    pub fn is_like(&self, other: &Shown) -> bool {
        (&self.prefix, &self.cycle) == (&other.prefix, &other.cycle)
    }
}

/// What came of a system that was asked about liveness.
#[derive(Clone, Debug)]
pub struct LivenessChecked {
    /// By name.
    pub protocol: &'static str,
    /// What was asked about.
    pub scenario: LivenessScenario,
    /// By question.
    pub answers: Vec<LivenessAnswer>,
    /// How many states there are, each between two ticks.
    pub states: u32,
    /// How many ticks lead from one of them to another.
    pub ticks: u32,
    /// What was not followed.
    pub cut: Option<&'static str>,
    /// How long it took.
    pub seconds: f64,
    /// How long it takes until a leader stays, if that was asked and makes sense.
    pub time: Option<Result<TimeToLeader, String>>,
}

/// How long it takes until a leader stays, or all have learned the value.
#[derive(Clone, Debug)]
pub struct TimeToLeader {
    /// What was waited for, by the name of the question.
    pub question: &'static str,
    /// From the graph.
    pub exact: Waiting,
    /// By random walks, if there were any.
    pub sampled: Option<Sampled>,
    /// How long a tick is.
    pub tick: Duration,
}

/// Whether it is asked how long something takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeAsked {
    /// So many random walks check what the graph says.
    pub walks: u32,
    /// What they draw.
    pub seed: u64,
}

impl LivenessChecked {
    /// The worst of its answers'.
    pub fn agreement(&self) -> Agreement {
        self.answers.iter().map(|a| a.agreement).max().unwrap_or(Agreement::AsExpected)
    }
}

/// Asks a system of a protocol about liveness.
///
/// # Errors
/// A scenario that the protocol does not accept, or a system that cannot be decided.
pub fn check_liveness<E: Election>(
    scenario: &LivenessScenario,
) -> Result<LivenessChecked, Problem> {
    liveness_of(&Only::<E>::new(), E::about(), scenario, None)
}

/// The same for a protocol by name. With `time`, it is also measured how long it takes.
///
/// # Errors
/// As of [`check_liveness`].
pub fn liveness_of(
    catalogue: &impl Catalogue,
    about: &'static About,
    scenario: &LivenessScenario,
    time: Option<TimeAsked>,
) -> Result<LivenessChecked, Problem> {
    let asking = Asking { scenario, time };
    catalogue.visit(about.name, asking).expect("a chosen protocol is in the catalogue")
}

struct Asking<'a> {
    scenario: &'a LivenessScenario,
    time: Option<TimeAsked>,
}

impl Visitor for Asking<'_> {
    type Output = Result<LivenessChecked, Problem>;

    fn visit<E: Election>(self) -> Self::Output {
        let begin = Instant::now();
        let scenario = self.scenario.scenario();
        let wrong = |why: String| Problem::new(format!("liveness `{}`: {why}", scenario.name));
        expect_forms_hold::<E>(self.scenario).map_err(wrong)?;
        let mut system = scenario.system::<E>()?;
        // Who led once says nothing about what comes.
        system.rules.remember = false;
        let predicate = self.scenario.when();
        predicate.map_or(Ok(()), |when| expect_start(&system, when)).map_err(wrong)?;
        let when = |state: &SystemState<E>| {
            predicate.is_some_and(|predicate| start::is_so(&system, state, predicate))
        };
        let to = self.scenario.cut.as_ref().map(|_| 1);
        let cut = predicate.map(|_| Cut { to, when: &when });
        let (states, chances) = (self.scenario.max_states, self.time.is_some());
        let extent = Extent { states, chances, ..Extent::default() };
        let report = liveness::ask(&system, cut, extent).map_err(wrong)?;
        let names: Vec<&str> = report.replies.iter().map(|reply| reply.asked.name()).collect();
        if let Some(other) = self.scenario.expect.keys().find(|key| !names.contains(&key.as_str()))
        {
            let hint = crate::scenario::among(other, names.into_iter());
            return Err(wrong(format!("there is no question `{other}`{hint}")));
        }
        let answers = report.replies.iter().map(|reply| {
            let mut answer = in_words(reply.decision.answer);
            if report.is_within_bounds() {
                answer += " within bounds";
            }
            let expected = self.scenario.expect.get(reply.asked.name()).cloned();
            let is_good =
                matches!(reply.decision.answer, Answer::Guaranteed | Answer::AlmostSure { .. });
            let agreement = match &expected {
                Some(expected) if *expected == answer => Agreement::AsExpected,
                None if is_good => Agreement::AsExpected,
                None if matches!(reply.decision.answer, Answer::Unknown { .. }) => {
                    Agreement::Inconclusive
                }
                _ => Agreement::NotAsExpected,
            };
            let question = reply.asked.name();
            let shown = shown(&system, &scenario, &report, &reply.decision, (question, &answer))?;
            let random = random(reply.decision.answer);
            Ok(LivenessAnswer { question, answer, random, expected, agreement, shown })
        });
        Ok(LivenessChecked {
            protocol: E::about().name,
            scenario: self.scenario.clone(),
            answers: answers.collect::<Result<_, String>>().map_err(wrong)?,
            states: report.states(),
            ticks: report.ticks(),
            cut: report.cut(),
            seconds: begin.elapsed().as_secs_f64(),
            time: self.time.map(|asked| time(&system, &report, asked)),
        })
    }
}

fn time<E: Election>(
    system: &System<E>,
    report: &Report<'_, E>,
    asked: TimeAsked,
) -> Result<TimeToLeader, String> {
    let Clock::Ticks(tick) = system.rules.clock else {
        return Err("no time is kept".to_string());
    };
    let exact = report.waiting()?;
    let walks = (asked.walks > 0).then(|| report.sampled(asked.walks, asked.seed));
    let question = report.replies[0].asked.name();
    Ok(TimeToLeader { question, exact, sampled: walks.transpose()?, tick })
}

/// Whether forms of states can stand for them with the bug that is planted.
fn expect_forms_hold<E: Election>(scenario: &LivenessScenario) -> Result<(), String> {
    let costs_safety =
        |spec: &&BugSpec| scenario.bug.as_deref() == Some(spec.name) && spec.costs == Costs::Safety;
    if let Some(bug) = E::about().bugs.iter().find(costs_safety) {
        return Err(format!(
            "liveness is decided with bugs that cost no safety: `{}` does, and canonical forms rest \
             on what it breaks",
            bug.name
        ));
    }
    Ok(())
}

/// Whether a predicate can be asked of forms of states.
fn expect_start<E: Election>(system: &System<E>, when: &str) -> Result<(), String> {
    start::expect_predicate_of(system, when)?;
    if E::about().has_terms && when.split_whitespace().any(|word| word == "term") {
        return Err(format!("`{when}`: terms are numbered anew, so none can be named"));
    }
    Ok(())
}

/// What must be random for the answer.
fn random(answer: Answer) -> Option<&'static str> {
    match answer {
        Answer::AlmostSure { random: Random::Timeouts } => Some("timeouts"),
        Answer::AlmostSure { random: Random::TimeoutsAndOrder } => Some("timeouts-and-order"),
        _ => None,
    }
}

/// An answer as it stands in tables and in scenarios.
pub fn in_words(answer: Answer) -> String {
    let more = match answer {
        Answer::CanBeLost { for_good: true } => Some("for good"),
        Answer::Unknown { refuted: true } => Some("not guaranteed"),
        _ => random(answer),
    };
    more.map_or(answer.word().to_string(), |more| format!("{} ({more})", answer.word()))
}

fn shown<E: Election>(
    system: &System<E>,
    scenario: &Scenario,
    report: &Report<'_, E>,
    decision: &Decision,
    (question, answer): (&str, &str),
) -> Result<Option<Shown>, String> {
    let names =
        |steps: &[StepOf<E>]| steps.iter().map(|step| system.name(step)).collect::<Vec<String>>();
    let evidence = &decision.evidence;
    let is_timed = system.rules.timing != Timing::Asynchronous;
    let mut fairness = Vec::new();
    let scene;
    let (what, prefix, cycle, again) = match (&evidence.lasso, &evidence.stop) {
        (_, Some(path)) => {
            let steps = report.tell_path(path)?;
            scene = Scene::new(system, &steps);
            ("a run after which time can stop".to_string(), names(&steps), vec![], vec![])
        }
        (Some(lasso), _) => {
            let told = report.tell(lasso)?;
            let (n, unit) = (lasso.cycle.len(), if is_timed { "tick" } else { "round" });
            let plural = if n == 1 { "" } else { "s" };
            let what = format!("a run that repeats for ever: {n} {unit}{plural} a lap");
            if !is_timed {
                fairness = liveness::obligations(system, &told.prefix, &told.cycle)?;
            }
            scene = Scene::repeating(
                system,
                &[&told.prefix[..], &told.cycle[..]].concat(),
                told.cycle.len(),
            );
            (what, names(&told.prefix), names(&told.cycle), names(&told.again))
        }
        _ => return Ok(None),
    };
    let steps: Vec<String> = prefix.iter().chain(&cycle).chain(&again).cloned().collect();
    let repeats = Cycle { after: prefix.len(), steps: cycle.len() };
    let trace = Trace::of_names(E::about().name, scenario, question, answer, steps)
        .repeating((!cycle.is_empty()).then_some(repeats));
    Ok(Some(Shown { what, prefix, cycle, trace, scene, fairness }))
}
