//! Where stateright has a semantics of its own, ours is the same: without faults and asynchronous,
//! the reference [`System`] has exactly the states and transitions of stateright's `ActorModel`
//! over the same actors, network and bounds, for every protocol of the catalogue.
//!
//! Not compared: the duplicating network, because an `ActorModel` keeps the last message delivered
//! in its state.

use std::sync::Arc;

use oneleader::election::{Election, Visitor};
use oneleader::engine;
use oneleader::exploration::{Ended, Limits};
use oneleader::models;
use oneleader::scenario::Scenario;
use oneleader::semantics::Bounds;
use oneleader::semantics::network::NetworkKind;

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
    scenario.bounds = Bounds {
        max_term: Some(1),
        max_in_flight: Some(3),
        max_copies: Some(1),
        ..Bounds::default()
    };
    compare::<RaftElection>(&scenario);
    scenario.network = NetworkKind::Unordered;
    compare::<RaftElection>(&scenario);
}

/// So few states that stateright has them in a second, and so many that equal counts say something.
const FEW: std::ops::Range<u64> = 10..20_000;

/// The scenario with the most nodes and the loosest bound on messages in flight that leave few
/// states.
fn loosest<E: Election>(scenario: &Scenario) -> Scenario {
    let sizes = [3, 2].into_iter().flat_map(|nodes| (1..=6).rev().map(move |most| (nodes, most)));
    let mut sized = sizes.map(|(nodes, most)| {
        let bounds = Bounds {
            max_term: Some(3),
            max_round: Some(3),
            max_in_flight: Some(most),
            max_copies: Some(1),
        };
        Scenario { nodes, bounds, ..scenario.clone() }
    });
    let limits = Limits { max_states: Some(FEW.end), ..Limits::exhaustive() };
    let has_few = |scenario: &Scenario| {
        let mut system = scenario.system::<E>().unwrap();
        system.rules.keep_dead = true;
        let seen = engine::explore(&system, &[], &limits, &|_| ());
        seen.ended == Ended::Exhausted && FEW.contains(&seen.distinct)
    };
    sized.find(has_few).unwrap_or_else(|| panic!("{}: too few or too many states", E::about().name))
}

/// Compares the pure election of one protocol on both networks.
struct PureElection;

impl Visitor for PureElection {
    type Output = Vec<Counts>;

    fn visit<E: Election>(self) -> Vec<Counts> {
        let mut scenario = Scenario::new("pure-election", 3);
        if E::about().options.iter().any(|option| option.name == "values") {
            scenario.options.insert("values".to_string(), toml::Value::Integer(0));
        }
        let networks = [NetworkKind::Unordered, NetworkKind::Ordered];
        networks
            .map(|network| compare::<E>(&loosest::<E>(&Scenario { network, ..scenario.clone() })))
            .to_vec()
    }
}

#[test]
fn the_pure_election_of_every_protocol() {
    for about in models::all() {
        let counts = models::visit(about.name, PureElection).expect("a protocol of the catalogue");
        assert!(counts.iter().all(|(distinct, _)| *distinct > 10), "{}: {counts:?}", about.name);
    }
}
