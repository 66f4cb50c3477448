//! A verdict that speaks of what never happened is no verdict: such runs are `vacuous`, as a whole
//! or for one property. And what is counted, is counted in states that are kept.

use std::sync::Arc;

use oneleader::election::{Check, Election, Invariant};
use oneleader::engine;
use oneleader::exploration::verdict::Verdict;
use oneleader::exploration::{Conclusion, Exploration, Limits, conclude};
use oneleader::reference::{self, Search};
use oneleader::scenario::{self, Scenario};
use oneleader::semantics::{StepKind, System};

#[path = "support/herald.rs"]
mod herald;
#[path = "../examples/own_actor.rs"]
#[allow(dead_code)]
mod own_actor;
use herald::Herald;
use own_actor::Poll;

fn system<E: Election>(scenario: &str) -> Arc<System<E>> {
    let scenario: Scenario = toml::from_str(&format!("name = 'test'\n{scenario}")).unwrap();
    Arc::new(scenario.system().unwrap_or_else(|problem| panic!("{problem}")))
}

/// What both engines see of every property in this scenario. They agree about all that is counted.
fn seen<E: Election>(system: &Arc<System<E>>) -> Exploration<E> {
    let all: Vec<_> = System::<E>::properties().into_iter().map(|(property, _)| property).collect();
    let limits = Limits::exhaustive();
    let compiled = engine::explore(system, &all, &limits, &|_| ());
    let reference = reference::explore(Search::BreadthFirst, system, &all, &limits, &|_| ());
    assert_eq!(compiled.tally, reference.tally);
    assert_eq!((compiled.distinct, &compiled.cut), (reference.distinct, &reference.cut));
    compiled
}

/// What is concluded about the property at this place, election safety being at 0.
fn concluded_about<E: Election>(scenario: &str, place: usize) -> Conclusion {
    let system = system::<E>(scenario);
    conclude(&system, &seen(&system), System::<E>::properties()[place].0)
}

fn concluded<E: Election>(scenario: &str) -> Conclusion {
    concluded_about::<E>(scenario, 0)
}

fn vacuous(why: &str) -> Conclusion {
    Conclusion { verdict: Verdict::Vacuous, why: Some(why.to_string()) }
}

const TERM_1: &str = "nodes = 2\nbounds = { max_term = 1 }\n";
const TERM_2: &str = "nodes = 2\nbounds = { max_term = 2, max_copies = 1 }\n";

#[test]
fn a_poll_with_leaders_holds() {
    assert_eq!(concluded::<Poll>(TERM_1).verdict, Verdict::HoldsWithinBounds);
}

#[test]
fn a_poll_in_which_nobody_ever_leads_is_vacuous() {
    let split = "topologies = { start = 'split(n1|n2)' }";
    assert_eq!(concluded::<Poll>(&format!("{TERM_1}{split}")), vacuous("nobody ever led"));
}

#[test]
fn a_budget_of_faults_that_never_fires_is_vacuous() {
    // These nodes have no disk to lose.
    let faults = "faults = { crashes = 1, restarts = 1, disk_losses = 1 }";
    let why = "the budget for `disk_losses` never fired within the bounds";
    assert_eq!(concluded::<Poll>(&format!("{TERM_1}{faults}")), vacuous(why));
}

#[test]
fn a_fault_that_strikes_only_beyond_a_bound_never_fires() {
    let faults = "faults = { duplications = 1 }";
    let why = "the budget for `duplications` never fired within the bounds";
    assert_eq!(concluded::<Herald>(&format!("{TERM_2}{faults}")), vacuous(why));
    let two_copies = "nodes = 2\nbounds = { max_term = 1, max_copies = 2 }\n";
    assert_eq!(
        concluded::<Herald>(&format!("{two_copies}{faults}")).verdict,
        Verdict::HoldsWithinBounds
    );
}

#[test]
fn a_goal_that_is_not_reached_is_named() {
    let covers = "covers = ['greeted', 'two-terms']";
    assert_eq!(
        concluded::<Herald>(&format!("{TERM_2}{covers}")).verdict,
        Verdict::HoldsWithinBounds
    );
    let why = "the goal `two-terms` was never reached";
    assert_eq!(concluded::<Herald>(&format!("{TERM_1}{covers}")), vacuous(why));
    let cut = "topologies = { start = 'cut(n1>n2)' }";
    let why = "the goal `greeted` was never reached";
    assert_eq!(concluded::<Herald>(&format!("{TERM_2}{covers}\n{cut}")), vacuous(why));
}

#[test]
fn a_goal_that_the_prefix_reaches_is_reached() {
    let prefix =
        "start_steps = ['timeout n2 \"next\"', 'timeout n1 \"next\"', 'deliver n1 -> n2 Hello']";
    let alone = "nodes = 2\nbounds = { max_term = 1 }\ncovers = ['greeted']\n";
    let system = system::<Herald>(&format!("{alone}{prefix}"));
    let seen = seen(&system);
    assert_eq!(seen.distinct, 1);
    assert_eq!(
        conclude(&system, &seen, System::<Herald>::properties()[0].0).verdict,
        Verdict::HoldsWithinBounds
    );
}

#[test]
fn a_goal_that_is_unknown_is_refused() {
    let scenario: Scenario =
        toml::from_str(&format!("name = 'test'\n{TERM_1}covers = ['greted']")).unwrap();
    let problem = scenario.system::<Herald>().err().expect("a problem").to_string();
    assert!(problem.contains("herald has no goal `greted`; did you mean `greeted`?"), "{problem}");
}

#[test]
fn an_unmet_goal_does_not_hide_a_violation_or_an_unfinished_run() {
    let torn =
        "faults = { crashes = 1, restarts = 1, torn = true }\noptions = { saves_first = false }\n";
    let system = system::<Herald>(&format!("{TERM_1}{torn}covers = ['two-terms']"));
    let (safety, _) = System::<Herald>::properties()[0];
    assert_eq!(conclude(&system, &seen(&system), safety).verdict, Verdict::Violated);
    let limits = Limits { max_states: Some(1), ..Limits::default() };
    let early = engine::explore(&system, &[safety], &limits, &|_| ());
    assert_eq!(conclude(&system, &early, safety).verdict, Verdict::NotRefuted);
}

#[test]
fn a_property_whose_precondition_never_came_about_is_vacuous_by_itself() {
    let of_two_terms = |bounds| concluded_about::<Herald>(bounds, 2);
    assert_eq!(
        of_two_terms(TERM_1),
        vacuous("it needs the goal `two-terms`, which was never reached")
    );
    assert_eq!(of_two_terms(TERM_2).verdict, Verdict::HoldsWithinBounds);
    assert_eq!(concluded::<Herald>(TERM_1).verdict, Verdict::HoldsWithinBounds);
}

#[test]
fn a_property_that_the_options_leave_nothing_to_speak_of_is_not_asked() {
    let asked = |options: &str| {
        let scenario: Scenario =
            toml::from_str(&format!("name = 'test'\n{TERM_2}{options}")).unwrap();
        scenario::asked(&scenario, &scenario.system::<Herald>().unwrap())
    };
    let names = |options: &str| {
        asked(options).properties.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["election-safety", "of-two-terms"]);
    assert_eq!(asked("").not_asked, [("with-inputs", "inputs >= 1")]);
    assert_eq!(
        names("options = { inputs = 1 }"),
        ["election-safety", "with-inputs", "of-two-terms"]
    );
    let by_name = "[expect]\nwith-inputs = { verdict = 'holds' }";
    assert_eq!(names(by_name), ["with-inputs"]);
    let why = "it speaks of nothing unless inputs >= 1";
    assert_eq!(concluded_about::<Herald>(&format!("{TERM_2}{by_name}"), 1), vacuous(why));
}

#[test]
fn a_planted_bug_that_changes_no_step_is_vacuous() {
    let why = "the planted bug never made a difference";
    assert_eq!(concluded::<Herald>(&format!("{TERM_2}bug = 'does-nothing'")), vacuous(why));
}

#[test]
fn who_crashes_while_it_tells_others_that_it_leads_has_led() {
    // n1 greets, crashes before its term is on disk, and leads the same term again.
    let faults = "faults = { crashes = 1, restarts = 1, torn = true }\n";
    let late = format!("{TERM_1}{faults}options = {{ saves_first = false }}");
    let found = seen(&system::<Herald>(&late));
    let (safety, _) = System::<Herald>::properties()[0];
    let steps = found.violations[&safety].steps.iter();
    let names: Vec<&str> = steps.map(|step| step.kind().name()).collect();
    assert_eq!(names, ["torn", "restart", "timeout"]);
    assert_eq!(
        concluded::<Herald>(&format!("{TERM_2}{faults}")).verdict,
        Verdict::HoldsWithinBounds
    );
}

#[test]
fn a_disk_found_one_save_older_leads_a_term_twice() {
    let faults =
        |faults: &str| format!("{TERM_1}faults = {{ crashes = 1, restarts = 1, {faults} }}");
    let found = seen(&system::<Herald>(&faults("disk_rollbacks = 1")));
    let (safety, _) = System::<Herald>::properties()[0];
    let steps = found.violations[&safety].steps.iter();
    let names: Vec<&str> = steps.map(|step| step.kind().name()).collect();
    assert_eq!(names, ["timeout", "crash", "restart-with-older-disk", "timeout"]);
    assert_eq!(
        concluded::<Herald>(&faults("disk_rollbacks = 0")).verdict,
        Verdict::HoldsWithinBounds
    );
}

#[test]
fn numbered_client_inputs_come_in_their_order_and_once() {
    let system = system::<Herald>(&format!("{TERM_1}options = {{ inputs = 2 }}"));
    seen(&system);
    let mut open = vec![system.initial()];
    let mut met = std::collections::BTreeSet::new();
    while let Some(state) = open.pop() {
        let inputs = |i: usize| state.nodes[i].state.as_ref().unwrap().inputs.clone();
        if met.insert((inputs(0), inputs(1))) {
            let next = system
                .successors(&state)
                .into_iter()
                .filter(|(step, _)| step.kind() == StepKind::Choose);
            open.extend(next.map(|(_, next)| next));
        }
    }
    let pairs = [
        (&[][..], &[][..]),
        (&[], &[1]),
        (&[], &[1, 2]),
        (&[1], &[]),
        (&[1], &[2]),
        (&[1, 2], &[]),
        (&[2], &[1]),
    ];
    let expected: Vec<_> = pairs.iter().map(|(a, b)| (a.to_vec(), b.to_vec())).collect();
    assert_eq!(met.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_message_that_is_called_dead_and_is_not_is_an_error() {
    for bug in ["buries-the-living", "buries-too-early"] {
        let system = system::<Herald>(&format!("{TERM_2}bug = '{bug}'"));
        let (safety, _) = System::<Herald>::properties()[0];
        let seen = engine::explore(&system, &[safety], &Limits::exhaustive(), &|_| ());
        let found = conclude(&system, &seen, safety);
        let why =
            "Hello from n1 is called dead to n2, and has an effect on it: its `is_dead` is wrong";
        assert_eq!(
            found,
            Conclusion { verdict: Verdict::Error, why: Some(why.to_string()) },
            "{bug}"
        );
    }
}

#[test]
fn what_is_asked_when_time_passes_is_not_asked_in_the_middle_of_a_tick() {
    // Every node's timer is due in every tick, so that all have one term when time passes, and not
    // in between.
    let judged = |when_time_passes, timing: &str| {
        let scenario: Scenario =
            toml::from_str(&format!("name = 'test'\n{TERM_2}timing = '{timing}'")).unwrap();
        let mut system = scenario.system::<Herald>().unwrap();
        let agree = Check::Pair(|_: &Herald, (_, a), (_, b)| {
            if a.term == b.term { Ok(()) } else { Err(format!("terms {} and {}", a.term, b.term)) }
        });
        system.invariants[0] =
            Invariant { when_time_passes, ..Invariant::new("terms-agree", "", agree) };
        let (property, system) = (System::<Herald>::properties()[1].0, Arc::new(system));
        seen(&system).violations.get(&property).map(|violation| violation.steps.len())
    };
    assert_eq!(judged(true, "timed"), None);
    assert_eq!(judged(false, "timed"), Some(2), "a tick, and one of the timeouts");
    assert_eq!(
        judged(true, "asynchronous"),
        Some(1),
        "where time is not modelled, every state counts"
    );
}
