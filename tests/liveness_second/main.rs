//! Cells of the table of `docs/liveness.md`, decided by a second program.
//!
//! It is small, and shares no code with what decides them otherwise: neither the protocol
//! ([`raft`], written from the paper once more), nor how ticks are put together ([`tick`]), nor how
//! terms are numbered anew ([`form`]), nor the search ([`graph`]), nor how the answer is found
//! ([`answer`]), nor how the corpus is read ([`corpus`]). A state is the same thing in both, so
//! they must find equally many.

mod answer;
mod corpus;
mod form;
mod graph;
mod raft;
mod reference;
mod tick;

use std::collections::HashSet;

use oneleader::election::Election;
use oneleader::judge;
use oneleader::models::Shipped;
use oneleader::models::raft::Raft;
use oneleader::scenario::liveness::{self, LivenessScenario};

use answer::stable_leader;
use corpus::{Asked, Once};
use graph::Way;
use raft::Server;
use tick::{Budget, Place, State, interleaved};

/// So far may terms come apart, as for the other program.
const APART: u8 = 8;

/// What the second program says of a system: the number of states and the answer.
fn second(name: &str, way: Way, once: &mut Once) -> Result<(usize, usize, &'static str), String> {
    let asked = Asked::named(name);
    let graph = asked.graph(way, APART, once).map_err(|why| format!("{name}: {why}"))?;
    let answer = stable_leader(&graph, asked.options.servers.into());
    Ok((graph.states(), graph.edges.len(), answer))
}

/// What the first one says.
fn first(name: &str, bug: Option<&str>) -> Result<(usize, String), String> {
    let about = Raft::about();
    let all = liveness::parse(about.corpus, about).map_err(|problem| problem.to_string())?;
    let is_it = |scenario: &LivenessScenario| scenario.name == name;
    let mut scenario = all.into_iter().find(is_it).ok_or(format!("no system {name}"))?;
    scenario.bug = bug.map(str::to_string);
    let checked = judge::liveness_of(&Shipped, about, &scenario, None);
    let checked = checked.map_err(|problem| problem.to_string())?;
    let stable = checked.answers.into_iter().find(|answer| answer.question == "stable-leader");
    Ok((checked.states as usize, stable.ok_or("it is not asked who leads")?.answer))
}

/// The systems with these names, each with these options in front.
fn with_options(options: &[&str], names: &str) -> Vec<String> {
    let with = |option: &&str| {
        let option = option.to_string();
        names.split(' ').map(move |name| format!("{option}{name}"))
    };
    options.iter().flat_map(with).collect()
}

/// Asks both programs, compares, and prints what they say.
fn expect_the_same(names: Vec<String>) {
    let (mut once, mut wrong) = (None, Vec::new());
    for name in &names {
        let both = (first(name, None), second(name, Way::ByServer, &mut once));
        let ((states, answer), (own_states, edges, own_answer)) = match both {
            (Ok(first), Ok(second)) => (first, second),
            (first, second) => {
                wrong.push(format!("{name}: {:?}, {:?}", first.err(), second.err()));
                continue;
            }
        };
        println!("{name}: {own_answer}; {own_states} states, {edges} edges");
        let expected = Asked::named(name).expected;
        if own_answer != answer || own_answer != expected || own_states != states {
            wrong.push(format!(
                "{name}: expected {expected}; first {answer}, {states} states; second \
                 {own_answer}, {own_states} states"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn small_systems_have_the_same_answers_and_as_many_states() {
    let options = ["", "pre-vote-", "check-quorum-", "both-", "sticky-"];
    expect_the_same(with_options(&options, "mesh lock-step one-crash chained isolated-leader"));
    // With CheckQuorum alone terms come apart there: see below.
    expect_the_same(with_options(&["", "pre-vote-", "both-", "sticky-"], "one-way"));
    let others = "sticky-alone constrained-equal-logs pre-vote-constrained both-constrained";
    expect_the_same(with_options(&[""], others));
}

/// n1 hears nobody, and stands in one term after the other; so the distance of the others' terms
/// may grow without end. The first program decides it on another graph, in which wide gaps are
/// alike.
#[test]
fn where_terms_come_apart_the_second_program_sees_as_much_and_does_not_decide() {
    let name = "check-quorum-one-way";
    let (states, answer) = first(name, None).unwrap();
    let (own_states, _, own_answer) = second(name, Way::ByServer, &mut None).unwrap();
    assert_eq!((own_states, own_answer, answer.as_str()), (states, "unknown", "never"));
}

/// Bugs that are planted in the first program only: by each, answers or numbers of states differ.
#[test]
fn one_wrong_rule_is_noticed() {
    let planted = [
        ("mesh", "refusal-restarts-timer"),
        ("chained", "ignores-lower-terms"),
        ("pre-vote-chained", "pre-vote-without-lease"),
        ("pre-vote-mesh", "leader-grants-pre-vote"),
    ];
    for (name, bug) in planted {
        let (states, answer) = first(name, Some(bug)).unwrap();
        let (own_states, _, own_answer) = second(name, Way::ByServer, &mut None).unwrap();
        println!("{name}: {own_answer}, {own_states}; with {bug} {answer}, {states}");
        assert_ne!((states, answer.as_str()), (own_states, own_answer), "{name}, {bug}");
    }
}

#[test]
fn one_step_after_the_other_leads_to_the_same_graph() {
    let names = [
        "mesh",
        "lock-step",
        "one-crash",
        "chained",
        "one-way",
        "check-quorum-mesh",
        "check-quorum-chained",
        "pre-vote-mesh",
        "both-chained",
        "sticky-alone",
    ];
    for name in names {
        let [one_by_one, by_server] =
            [Way::OneByOne, Way::ByServer].map(|way| second(name, way, &mut None).unwrap());
        assert_eq!(one_by_one, by_server, "{name}");
    }
}

/// Without a spread all servers time out in the same tick. If a message takes a tick, each has
/// voted for itself by then, and nobody is ever elected. If it takes none, the order within the
/// tick decides: a request may come before its receiver's timeout, and that elects somebody; but an
/// order that always has all time out first keeps them from it.
const LUCK: &str = "almost-sure (timeouts-and-order)";

/// Asks what is decided if messages arrive within their tick, and prints it.
fn expect_at_once(names: &[&str]) {
    for name in names {
        let (states, edges, answer) = second(name, Way::AtOnce, &mut None).unwrap();
        println!("{name}, messages at once: {answer}; {states} states, {edges} edges");
        let expected = Asked::named(name).expected;
        let is_lock_step = name.ends_with("lock-step");
        assert_eq!(answer, if is_lock_step { LUCK } else { expected.as_str() }, "{name}");
    }
}

#[test]
fn where_messages_take_no_time_lock_step_elects_by_luck_and_all_else_is_the_same() {
    expect_at_once(&["mesh", "lock-step", "one-crash", "chained", "one-way", "isolated-leader"]);
    expect_at_once(&["check-quorum-mesh", "check-quorum-lock-step", "check-quorum-chained"]);
}

#[test]
#[ignore = "minutes: all that a tick can do, one step after the other, is much with PreVote"]
fn the_same_with_pre_vote() {
    expect_at_once(&["pre-vote-mesh", "pre-vote-lock-step", "pre-vote-chained"]);
    expect_at_once(&["both-lock-step", "sticky-lock-step"]);
}

/// The states between two ticks after so many ticks, with terms as they are.
fn layers(options: &raft::Options, latency: bool, ticks: usize) -> Vec<usize> {
    let servers = usize::from(options.servers);
    let links = vec![(1 << servers) - 1; servers];
    let place = Place { server: Some(Server::new()), due: Vec::new() };
    let start = State { places: vec![place; servers], left: Budget::default() };
    let (mut layer, mut sizes) = (HashSet::from([start]), vec![1]);
    for _ in 0..ticks {
        let next = layer.iter().flat_map(|state| interleaved(options, &links, state, latency));
        layer = next.map(|(_, state)| state).collect();
        sizes.push(layer.len());
    }
    sizes
}

#[test]
fn tick_by_tick_it_reaches_as_many_states_as_the_reference_semantics() {
    let plain = Asked::named("mesh").options;
    let lock_step = Asked::named("lock-step").options;
    let check_quorum = Asked::named("check-quorum-mesh").options;
    let pre_vote = Asked::named("pre-vote-mesh").options;
    let no_spread: (&str, i64) = ("election_spread_ms", 10);
    let same = |options, numbers: &[(&str, i64)], flags: &[&str], latency, ticks| {
        let sizes = layers(options, latency, ticks);
        println!("{flags:?} {numbers:?}, latency {}: {sizes:?}", u8::from(latency));
        assert_eq!(sizes, reference::layers(numbers, flags, latency, ticks));
    };
    same(&plain, &[], &[], true, 12);
    same(&plain, &[], &[], false, 9);
    same(&lock_step, &[no_spread], &[], true, 12);
    same(&lock_step, &[no_spread], &[], false, 12);
    same(&check_quorum, &[], &["check_quorum"], true, 12);
    same(&check_quorum, &[], &["check_quorum"], false, 8);
    same(&pre_vote, &[], &["pre_vote"], true, 9);
}

#[test]
#[ignore = "minutes, and gigabytes"]
fn five_servers_have_the_same_answers_and_as_many_states() {
    let names = "mesh quorum-loss two-bridges stale-lease stuck-pre-vote constrained";
    expect_the_same(with_options(&["five-", "five-check-quorum-"], names));
}

#[test]
#[ignore = "minutes, and gigabytes"]
fn so_have_five_servers_with_pre_vote() {
    let names = "path-end path-middle quorum-loss two-bridges stale-lease";
    expect_the_same(with_options(&["five-pre-vote-", "five-both-"], names));
}
