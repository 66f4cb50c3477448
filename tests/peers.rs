//! The bare election of Raft has exactly the states that stateright, TLC and SPIN have counted,
//! each written by itself.

use oneleader::engine;
use oneleader::exploration::Limits;
use oneleader::scenario::Scenario;
use oneleader::semantics::System;
use stateright::{Checker, Model};

#[path = "support/raft_election.rs"]
mod raft_election;
use raft_election::RaftElection;

/// Distinct states, generated states (the initial one included), depth (the initial state being at
/// depth 1).
type Counts = (usize, usize, usize);

fn election(nodes: usize, max_term: u64) -> Scenario {
    let mut scenario = Scenario::new("bare-election", nodes);
    scenario.options.insert("max_term".into(), toml::Value::Integer(max_term as i64));
    scenario
}

fn counted(nodes: usize, max_term: u64) -> Counts {
    let system = election(nodes, max_term).system::<RaftElection>().unwrap();
    let checker = system.checker().spawn_bfs().join();
    checker.assert_properties();
    (checker.unique_state_count(), checker.state_count(), checker.max_depth())
}

#[test]
fn three_servers_up_to_term_1() {
    assert_eq!(counted(3, 1), (59, 85, 6));
}

#[test]
fn three_servers_up_to_term_2() {
    assert_eq!(counted(3, 2), (1_956, 3_073, 11));
}

#[test]
fn three_servers_up_to_term_3() {
    assert_eq!(counted(3, 3), (61_249, 97_249, 16));
}

/// The same by the compiled engine, which says depth without the initial state.
fn compiled(nodes: usize, max_term: u64) -> Counts {
    let system = election(nodes, max_term).system::<RaftElection>().unwrap();
    let safety = System::<RaftElection>::properties()[0].0;
    let seen = engine::explore(&system, &[safety], &Limits::exhaustive(), &|_| ());
    assert!(seen.violations.is_empty());
    (seen.distinct as usize, seen.generated as usize, seen.depth + 1)
}

#[test]
fn three_servers_by_the_compiled_engine() {
    assert_eq!(compiled(3, 1), (59, 85, 6));
    assert_eq!(compiled(3, 2), (1_956, 3_073, 11));
    assert_eq!(compiled(3, 3), (61_249, 97_249, 16));
    assert_eq!(compiled(3, 4), (1_907_351, 3_032_149, 21));
}

/// Seven million states.
#[test]
#[ignore = "takes half a minute; run with --ignored"]
fn five_servers_by_the_compiled_engine() {
    assert_eq!(compiled(5, 2), (7_042_998, 18_735_271, 21));
}
