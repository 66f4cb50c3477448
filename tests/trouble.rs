//! What the compiled engine says when something goes wrong: a handler that panics, one that is not
//! a function of its arguments, limits that are reached. No hang, no panic of its own, and nothing
//! seen is lost.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use oneleader::election::{About, Election, Setup, Term};
use oneleader::engine;
use oneleader::exploration::verdict::Verdict;
use oneleader::exploration::{Ended, Exploration, Limits, conclude};
use oneleader::reference::{self, Search};
use oneleader::scenario::{Scenario, Unready};
use oneleader::semantics::{PropertyId, System};
use stateright::actor::{Actor, Id, Out};

/// Counts up to a limit, on any of the nodes; how it goes wrong is up to `fault`.
#[derive(Clone)]
struct Counter {
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Panics,
    Whims,
}

static WHIM: AtomicU64 = AtomicU64::new(0);

impl Actor for Counter {
    type Msg = u64;
    type Timer = ();
    type State = u64;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, o: &mut Out<Self>) -> u64 {
        o.set_timer((), Duration::from_millis(10)..Duration::from_millis(20));
        0
    }
    fn on_timeout(&self, id: Id, state: &mut Cow<u64>, _: &(), o: &mut Out<Self>) {
        o.set_timer((), Duration::from_millis(10)..Duration::from_millis(20));
        *state.to_mut() += 1;
        o.send(id, **state);
    }
    fn on_msg(&self, _: Id, state: &mut Cow<u64>, _: Id, msg: u64, _: &mut Out<Self>) {
        match self.fault {
            Fault::Panics if msg == 3 => panic!("three is too many"),
            Fault::Whims => *state.to_mut() += WHIM.fetch_add(1, Ordering::Relaxed) % 2,
            _ => *state.to_mut() += 1,
        }
    }
}

impl Election for Counter {
    type Witness = ();

    fn about() -> &'static About {
        static ABOUT: About = About {
            name: "counter",
            title: "A counter",
            source: "this test",
            has_terms: true,
            starts_led: false,
            notation: &[],
            options: &[],
            bugs: &[],
            corpus: "",
        };
        &ABOUT
    }
    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        Ok(vec![Counter { fault: Fault::None }; setup.nodes])
    }
    fn term(&self, state: &u64) -> Term {
        Term(*state)
    }
    fn leads(&self, _: Id, _: &u64) -> Option<Term> {
        None
    }
}

fn system(fault: Fault, max_term: u64) -> System<Counter> {
    let mut scenario = Scenario::new("trouble", 3);
    scenario.bounds.max_term = Some(max_term);
    let mut system = scenario.system::<Counter>().unwrap();
    system.actors = vec![Counter { fault }; 3];
    system
}

fn explore(system: &System<Counter>, limits: &Limits) -> Exploration<Counter> {
    engine::explore(system, &[PropertyId(0)], limits, &|_| ())
}

fn failure(fault: Fault) -> String {
    let system = system(fault, 6);
    let seen = explore(&system, &Limits::exhaustive());
    let conclusion = conclude(&system, &seen, PropertyId(0));
    assert_eq!(conclusion.verdict, Verdict::Error);
    conclusion.why.unwrap()
}

#[test]
fn a_handler_that_panics_is_named_with_what_it_was_given() {
    let why = failure(Fault::Panics);
    // All nodes do the same, and each sends to itself; which of them the search comes to first is
    // its own affair.
    let sentence =
        |node| format!("the actor of {node} panicked at 3 from {node}: three is too many");
    assert!(["n1", "n2", "n3"].map(sentence).iter().any(|said| why.starts_with(said)), "{why}");
    assert!(why.contains("tests/trouble.rs:"), "and where: {why}");
}

#[test]
fn a_handler_that_is_not_a_function_of_its_arguments_is_found_out() {
    let why = failure(Fault::Whims);
    assert!(why.contains("is not a pure function"), "{why}");
}

#[test]
fn limits_end_a_search_with_all_that_was_seen() {
    let endless = system(Fault::None, 1_000_000);
    let all = Limits::exhaustive();
    let interrupted = Arc::new(AtomicBool::new(true));
    for (limits, ended) in [
        (Limits { max_states: Some(50_000), ..all.clone() }, Ended::MaxStates),
        (Limits { memory: Some(4 << 20), ..all.clone() }, Ended::MaxMemory),
        (Limits { time: Some(Duration::from_millis(50)), ..all.clone() }, Ended::TimeLimit),
        (Limits { interrupted, ..all.clone() }, Ended::Interrupted),
    ] {
        let seen = explore(&endless, &limits);
        assert_eq!(seen.ended, ended);
        assert!(seen.distinct > 1 && seen.generated >= seen.distinct);
        assert_eq!(conclude(&endless, &seen, PropertyId(0)).verdict, Verdict::NotRefuted);
    }
}

#[test]
fn random_walks_repeat_with_their_seed() {
    let system = system(Fault::None, 40);
    let limits = Limits { max_states: Some(20_000), ..Limits::exhaustive() };
    let walk = |seed| {
        let seen = engine::walk(&system, &[PropertyId(0)], &limits, &|_| (), seed, 30);
        assert_eq!(seen.ended, Ended::Sampled);
        (seen.distinct, seen.generated, seen.sample.unwrap())
    };
    assert_eq!(walk(1), walk(1));
    assert_ne!(walk(1), walk(2));
    let (distinct, steps, sample) = walk(1);
    assert!(distinct > 1000 && steps >= 20_000);
    let walked: u64 = sample.lengths.iter().enumerate().map(|(length, n)| length as u64 * n).sum();
    assert_eq!(walked, steps);
}

#[test]
fn walks_that_cannot_take_a_step_count_towards_the_limit_of_states() {
    // Whatever fires first is beyond the bound.
    let system = Arc::new(system(Fault::None, 0));
    let limits = Limits { max_states: Some(300), ..Limits::exhaustive() };
    let seen = engine::walk(&system, &[PropertyId(0)], &limits, &|_| (), 1, 30);
    assert_eq!((seen.ended, seen.generated, seen.sample.unwrap().walks), (Ended::Sampled, 0, 300));

    let simulation = Search::Simulation { seed: 1 };
    let seen = reference::explore(simulation, &system, &[PropertyId(0)], &limits, &|_| ());
    assert_eq!((seen.ended, seen.distinct), (Ended::Sampled, 1));
}

/// What comes of looking for a start within limits.
fn looking_for(start: &str, max_term: u64, limits: &Limits) -> Result<usize, Unready> {
    let mut scenario =
        Scenario { start_when: Some(start.to_string()), ..Scenario::new("start", 3) };
    scenario.bounds.max_term = Some(max_term);
    scenario.system_within::<Counter>(limits).map(|system| system.prefix.len())
}

#[test]
fn limits_end_the_search_for_a_start() {
    let all = Limits::default();
    let interrupted = Arc::new(AtomicBool::new(true));
    for (limits, ended) in [
        (Limits { max_states: Some(2_000), ..all.clone() }, Ended::MaxStates),
        (Limits { memory: Some(100_000), ..all.clone() }, Ended::MaxMemory),
        (Limits { time: Some(Duration::from_millis(50)), ..all.clone() }, Ended::TimeLimit),
        (Limits { interrupted, ..all.clone() }, Ended::Interrupted),
    ] {
        match looking_for("n1 leads", 1_000_000, &limits) {
            Err(Unready::Ended { ended: why, states }) => {
                assert_eq!(why, ended);
                // 26 bytes a state and no state whole: some thousands fit into the limit of memory.
                let least = if ended == Ended::MaxMemory { 1_000 } else { 1 };
                assert!((least..20_000_000).contains(&states), "{ended:?}: {states}");
            }
            other => panic!("{ended:?}: {other:?}"),
        }
    }
}

#[test]
fn a_start_that_bounds_cut_off_is_told_from_one_that_is_never_reached() {
    let within = looking_for("n1 in term 3", 2, &Limits::default());
    let Err(Unready::Wrong(problem)) = within else { panic!("{within:?}") };
    assert!(problem.message.contains("not reached within the bounds (max_term cut "), "{problem}");
    // Every step of a node takes it one term further.
    assert_eq!(looking_for("n1 in term 3", 3, &Limits::default()), Ok(3));
    assert_eq!(looking_for("n1 in term 0", 3, &Limits::default()), Ok(0));
}
