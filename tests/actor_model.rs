//! Where stateright has a semantics of its own, ours is the same: without faults and asynchronous, the reference
//! [`System`] has exactly the states and transitions of stateright's `ActorModel` over the same actors, network and
//! bounds, for every protocol of the catalogue.
//!
//! Not compared: the duplicating network, because an `ActorModel` keeps the last message delivered in its state.

use std::sync::Arc;

use oneleader::election::{Election, Visitor};
use oneleader::models;
use oneleader::network::NetworkKind;
use oneleader::scenario::Scenario;
use oneleader::system::Bounds;

#[path = "support/plain.rs"]
mod plain;
#[path = "support/raft_election.rs"]
mod raft_election;
use plain::{Counted, Counts, Search, actor_model, counts};
use raft_election::RaftElection;

fn compare<E: Election>(scenario: &Scenario) -> Counts {
    let mut system = scenario.system::<E>().unwrap();
    system.rules.keep_dead = true;
    system.rules.remember = false;
    let theirs = counts(actor_model(&system), Search::BreadthFirst, 1);
    let ours = counts(Counted(Arc::new(system)), Search::BreadthFirst, 1);
    let name = format!("{} on the {:?} network", E::about().name, scenario.network);
    assert_eq!(ours, theirs, "distinct and generated states of {name}");
    theirs
}

#[test]
fn the_bare_election_of_raft() {
    let mut scenario = Scenario::new("bare-election", 3);
    assert_eq!(compare::<RaftElection>(&scenario), (1_956, 3_073));
    scenario.network = NetworkKind::Ordered;
    compare::<RaftElection>(&scenario);
    scenario.bounds = Bounds { max_term: Some(1), max_in_flight: Some(3), max_copies: Some(1) };
    compare::<RaftElection>(&scenario);
    scenario.network = NetworkKind::Unordered;
    compare::<RaftElection>(&scenario);
}

/// Compares the pure election of one protocol, three nodes, on both networks.
struct PureElection;

impl Visitor for PureElection {
    type Output = Vec<Counts>;

    fn visit<E: Election>(self) -> Vec<Counts> {
        let mut scenario = Scenario::new("pure-election", 3);
        if E::about().options.iter().any(|option| option.name == "values") {
            scenario.options.insert("values".to_string(), toml::Value::Integer(0));
        }
        scenario.bounds = Bounds { max_term: Some(3), max_in_flight: Some(4), max_copies: Some(1) };
        let networks = [NetworkKind::Unordered, NetworkKind::Ordered];
        networks.map(|network| compare::<E>(&Scenario { network, ..scenario.clone() })).to_vec()
    }
}

#[test]
fn the_pure_election_of_every_protocol() {
    for about in models::all() {
        let counts = models::visit(about.name, PureElection).expect("a protocol of the catalogue");
        // Equal counts of next to nothing would say nothing.
        assert!(counts.iter().all(|(distinct, _)| *distinct > 10), "{}: {counts:?}", about.name);
    }
}
