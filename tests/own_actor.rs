//! An actor that is not of the catalogue, `examples/own_actor.rs`, is checked, fuzzed and explored like any protocol.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use oneleader::check::{Limits, conclude};
use oneleader::engine;
use oneleader::fuzz::Campaign;
use oneleader::reference::{self, Search};
use oneleader::scenario::Scenario;
use oneleader::system::{Bounds, System};
use oneleader::verdict::Word;
use oneleader::world::Faults;
use proptest::strategy::Just;
use stateright::{Checker, Model};

#[path = "../examples/own_actor.rs"]
#[allow(dead_code)]
mod own_actor;
use own_actor::Poll;

fn poll(nodes: usize) -> Scenario {
    Scenario { bounds: Bounds { max_term: Some(1), ..Bounds::default() }, ..Scenario::new("poll", nodes) }
}

fn with_restarts(nodes: usize) -> Scenario {
    Scenario { faults: Faults { crashes: 1, restarts: 1, ..Faults::none() }, ..poll(nodes) }
}

/// The verdict on election safety, the same from both engines, and the length of a shortest counterexample.
fn checked(scenario: &Scenario) -> (Word, Option<usize>) {
    let system = Arc::new(scenario.system::<Poll>().unwrap());
    let (safety, _) = System::<Poll>::properties()[0];
    let explorations = [
        engine::explore(&system, &[safety], &Limits::default(), &|_| ()),
        reference::explore(Search::BreadthFirst, &system, &[safety], &Limits::default(), &|_| ()),
    ];
    let [compiled, reference] = explorations.map(|seen| {
        let steps = seen.violations.get(&safety).map(|violation| violation.steps.len());
        (conclude(&system, &seen, safety).word, steps)
    });
    assert_eq!(compiled, reference);
    compiled
}

#[test]
fn is_checked_and_holds_while_nobody_restarts() {
    assert_eq!(checked(&poll(3)), (Word::HoldsWithinBounds, None));
}

#[test]
fn is_checked_and_found_to_vote_twice_once_a_voter_restarts() {
    assert_eq!(checked(&with_restarts(3)), (Word::Violated, Some(8)));
}

#[test]
fn is_checked_and_a_planted_bug_is_found() {
    let bug = Some("votes-for-everyone".to_string());
    assert_eq!(checked(&Scenario { bug, ..poll(3) }), (Word::Violated, Some(6)));
}

#[test]
fn is_fuzzed_and_a_failure_is_shrunk_to_a_shortest_run() {
    let campaign = Campaign::default();
    let outcome = campaign.run::<Poll>(Just(with_restarts(3)), |_| ()).unwrap();
    let found = outcome.found.expect("the same mistake, in a thousand runs");
    assert_eq!(found.run.steps.len(), 8, "{:?}", found.run);
    let outcome = Campaign { cases: 200, ..campaign }.run::<Poll>(Just(poll(7)), |_| ()).unwrap();
    assert!(outcome.found.is_none() && outcome.tally.elections > 0);
}

#[test]
fn is_explored_over_http() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // The server runs until the test process ends.
    std::thread::spawn(move || {
        poll(3).system::<Poll>().unwrap().checker().serve(address).unique_state_count()
    });
    let mut answer = String::new();
    for _ in 0..200 {
        if let Ok(mut stream) = TcpStream::connect(address) {
            stream.write_all(b"GET /.states/ HTTP/1.0\r\n\r\n").unwrap();
            stream.read_to_string(&mut answer).unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = answer.lines().next().unwrap_or_default();
    assert!(status.ends_with("200 OK") && answer.contains("voted: false"), "{answer}");
}
