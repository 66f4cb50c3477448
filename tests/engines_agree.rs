//! The compiled engine is held against the reference semantics, searched by stateright, on every
//! corpus scenario: the same distinct and generated states, depth, cuts, tallies, verdicts and
//! lengths; and against itself with more threads.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use oneleader::election::{About, Election, Visitor};
use oneleader::exploration::{Ended, Exploration, Limits};
use oneleader::reference::{self, Search};
use oneleader::scenario::corpus;
use oneleader::scenario::{Scenario, Size};
use oneleader::semantics::{PropertyId, System, SystemState};
use oneleader::{engine, models};

/// As many states the reference may take; larger scenarios are compared in the deep suite.
fn most_states() -> u64 {
    std::env::var("ONELEADER_MOST_STATES").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000)
}

/// How many states of the reference semantics are at each depth.
fn levels<E: Election>(system: &System<E>) -> Vec<u64> {
    let mut seen: HashMap<u64, Vec<SystemState<E>>> = HashMap::new();
    let hasher = RandomState::new();
    let mut is_new = |state: &SystemState<E>| {
        let alike = seen.entry(hasher.hash_one(state)).or_default();
        let is_new = !alike.contains(state);
        alike.extend(is_new.then(|| state.clone()));
        is_new
    };
    let mut level = vec![system.initial()];
    is_new(&level[0]);
    let mut levels = Vec::new();
    while !level.is_empty() {
        levels.push(level.len() as u64);
        let next = level.iter().flat_map(|state| system.successors(state));
        let next = next.map(|(_, next)| next).filter(|next| system.beyond(next).is_none());
        level = next.filter(|next| is_new(next)).collect();
    }
    levels
}

struct Compare<'a>(&'a Scenario);

fn asked<E: Election>() -> Vec<PropertyId> {
    System::<E>::properties().into_iter().map(|(p, _)| p).collect()
}

fn traces<E: Election>(system: &System<E>, exploration: &Exploration<E>) -> Vec<Vec<String>> {
    let violations = exploration.violations.values();
    violations.map(|v| v.steps.iter().map(|s| system.name(s)).collect()).collect()
}

impl Visitor for Compare<'_> {
    type Output = Result<bool, String>;

    fn visit<E: Election>(self) -> Self::Output {
        let system = Arc::new(self.0.system::<E>().map_err(|e| e.to_string())?);
        let all = Limits { max_states: Some(most_states()), ..Limits::exhaustive() };
        let compiled = engine::explore(&system, &asked::<E>(), &all, &|_| ());
        if compiled.ended == Ended::MaxStates {
            return Ok(false);
        }
        let reference =
            reference::explore(Search::BreadthFirst, &system, &asked::<E>(), &all, &|_| ());
        let counts =
            |e: &Exploration<E>| (e.ended.clone(), e.distinct, e.generated, e.depth, e.cut.clone());
        let lengths = |e: &Exploration<E>| -> Vec<(PropertyId, usize)> {
            e.violations.iter().map(|(p, v)| (*p, v.steps.len())).collect()
        };
        if counts(&compiled) != counts(&reference) {
            return Err(format!(
                "compiled {:?}, reference {:?}",
                counts(&compiled),
                counts(&reference)
            ));
        }
        let expected = levels(&system);
        if compiled.levels != expected
            || compiled.levels.iter().sum::<u64>() != compiled.distinct
            || compiled.levels.len() != compiled.depth + 1
        {
            return Err(format!("levels {:?}, expected {expected:?}", compiled.levels));
        }
        if lengths(&compiled) != lengths(&reference) {
            return Err(format!(
                "compiled {:?}, reference {:?}",
                lengths(&compiled),
                lengths(&reference)
            ));
        }
        if compiled.tally != reference.tally {
            return Err(format!("compiled {:?}, reference {:?}", compiled.tally, reference.tally));
        }
        for threads in [2, 4] {
            let other = engine::explore(
                &system,
                &asked::<E>(),
                &Limits { threads, ..all.clone() },
                &|_| (),
            );
            let seen = |e: &Exploration<E>| (counts(e), traces(&system, e));
            if seen(&other) != seen(&compiled) {
                return Err(format!("{threads} threads saw something else than one"));
            }
        }
        Ok(true)
    }
}

/// Epochs and rounds have bounds of their own, and both engines cut at them alike.
#[cfg(feature = "zab")]
#[test]
fn rounds_are_bounded_apart_from_terms() {
    for bounds in ["max_term = 1, max_round = 1", "max_term = 1, max_round = 2"] {
        let text = format!(
            "name = 'x'\nnodes = 3\nnetwork = 'ordered'\nbounds = {{ {bounds} }}\n\
             options = {{ election = 'oracle', candidates = 1, pings = false }}"
        );
        let scenario: Scenario = toml::from_str(&text).unwrap();
        let system = Arc::new(scenario.system::<models::zab::Zab>().unwrap());
        let cut = engine::explore(&system, &[], &Limits::exhaustive(), &|_| ()).cut;
        let names: Vec<&str> = cut.keys().map(|bound| bound.name()).collect();
        let terms_too = bounds.ends_with('2');
        assert_eq!(
            names,
            if terms_too { vec!["max_term", "max_round"] } else { vec!["max_round"] }
        );
        assert_eq!(models::visit("zab", Compare(&scenario)), Some(Ok(true)), "{bounds}");
    }
}

/// Where a search starts, messages may be on their way that arrive in the next tick: here those of
/// a leader that has just been elected. As long as no time is kept, they may arrive at once.
#[cfg(feature = "raft")]
#[test]
fn a_search_starts_with_messages_that_arrive_in_the_next_tick() {
    for (timing, takes_a_tick) in [("timed", true), ("stabilising", false)] {
        let scenario: Scenario = toml::from_str(&format!(
            "name = 'x'\nnodes = 3\ntiming = '{timing}'\nlatency = 1\nstart_when = 'n1 leads'\n\
             faults = {{ losses = 1 }}\nbounds = {{ max_term = 1, max_in_flight = 3 }}"
        ))
        .unwrap();
        let start = scenario.system::<models::raft::Raft>().unwrap().initial();
        assert_eq!(!start.later.is_empty(), takes_a_tick);
        assert_eq!(models::visit("raft", Compare(&scenario)), Some(Ok(true)), "{timing}");
    }
}

fn corpus(about: &'static About) -> Vec<Scenario> {
    corpus::of(about).unwrap_or_else(|e| panic!("{}: {e}", about.name))
}

/// Compares the scenarios that pass, and says what differs.
fn compare(passes: impl Fn(&Scenario) -> bool) {
    let (mut compared, mut wrong) = (0, Vec::new());
    for about in models::all() {
        for scenario in corpus(about).iter().filter(|s| passes(s)) {
            match models::visit(about.name, Compare(scenario)).expect("it is in the catalogue") {
                Ok(done) => compared += usize::from(done),
                Err(why) => wrong.push(format!("{} {}: {why}", about.name, scenario.name)),
            }
        }
    }
    println!("{compared} scenarios compared");
    assert!(wrong.is_empty(), "of {compared}:\n{}", wrong.join("\n"));
    assert!(compared > 0, "nothing was small enough to compare");
}

#[test]
fn every_small_scenario_has_the_same_states_steps_and_traces_on_both_engines() {
    compare(|s| s.size == Size::Small);
}

/// One in eight of all scenarios, another eighth for each value of `ONELEADER_SAMPLE`; or `all` of
/// them.
#[test]
#[ignore = "takes minutes; .ci/run takes a sample, .ci/deep takes all"]
fn a_sample_of_the_corpus_is_the_same_on_both_engines() {
    let sample = std::env::var("ONELEADER_SAMPLE").unwrap_or_else(|_| "0".to_string());
    let turn = |name: &str| {
        name.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)) % 8
    };
    let wanted = sample.parse::<u64>().ok().map(|day| day % 8);
    compare(|s| wanted.is_none_or(|wanted| turn(&s.name) == wanted));
}
