//! Raft in the harness: nothing outside the actor matters to the pure election.

use oneleader::election::{Election, Setup};
use oneleader::models::raft::{Message, Raft};
use oneleader::scenario::parse;
use oneleader::system::System;
use stateright::actor::{ActorModel, ActorModelState, Network};
use stateright::{Checker, Expectation, Model};

const MAX_TERM: u64 = 2;

fn within(_: &(), state: &ActorModelState<Raft>) -> bool {
    let terms = state.actor_states.iter().all(|server| server.disk.term.0 <= MAX_TERM);
    let copies = match &state.network {
        Network::UnorderedNonDuplicating(bag) => bag.values().all(|&copies| copies <= 1),
        _ => true,
    };
    terms && copies
}

/// Without values, faults, memory and burial, the system is stateright's own actor model of the same actors.
#[test]
fn the_pure_election_equals_the_actor_model() {
    let own = ActorModel::new((), ())
        .actors(Raft::build(&Setup::new(Raft::about(), 3)).expect("nothing is wrong with the defaults"))
        .init_network(Network::<Message>::new_unordered_nonduplicating([]))
        .within_boundary(within)
        .property(Expectation::Always, "runs to its end", |_, _| true)
        .checker()
        .spawn_bfs()
        .join();
    let scenario = "[[scenario]]\nname = 'election'\nnodes = 3\nkeep_dead_messages = true\n\
                    bounds = { max_term = 2, max_copies = 1 }";
    let scenario = parse(scenario, Raft::about()).expect("a good scenario").swap_remove(0);
    let mut system: System<Raft> = scenario.system().expect("a good scenario");
    system.rules.remember = false;
    let ours = system.checker().spawn_bfs().join();
    assert_eq!(ours.unique_state_count(), own.unique_state_count());
    assert_eq!(ours.state_count(), own.state_count());
    assert_eq!((ours.unique_state_count(), ours.state_count()), (142_884, 487_012));
}
