//! Where stateright has a semantics of its own, ours is the same: without faults and asynchronous,
//! the reference [`System`] has exactly the states and transitions of stateright's `ActorModel`
//! over the same actors, network and bounds, for every protocol of the catalogue.
//!
//! Not compared: the duplicating network, because an `ActorModel` keeps the last message delivered
//! in its state.

use std::sync::Arc;

use oneleader::election::{Election, Setup, Value, Visitor};
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
use stateright::actor::{ActorModel, ActorModelState, Id, Network};
use stateright::{Checker, Expectation, Model};

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

/// Three nodes, no faults, no client.
fn pure_election<E: Election>() -> Scenario {
    let mut scenario = Scenario::new("pure-election", 3);
    if E::about().options.iter().any(|option| option.name == "values") {
        scenario.options.insert("values".to_string(), toml::Value::Integer(0));
    }
    scenario
}

/// Compares the pure election of one protocol on both networks.
struct PureElection;

impl Visitor for PureElection {
    type Output = Vec<Counts>;

    fn visit<E: Election>(self) -> Vec<Counts> {
        let scenario = pure_election::<E>();
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

/// Which of two questions stateright's breadth-first search answers with a state, asked of the
/// plain actors: whether a node leads, and whether two nodes lead one term.
struct Leaders;

impl Visitor for Leaders {
    type Output = (bool, bool);

    fn visit<E: Election>(self) -> (bool, bool) {
        let scenario = Scenario { network: NetworkKind::Ordered, ..pure_election::<E>() };
        Leaders::of::<E>(&loosest::<E>(&scenario))
    }
}

impl Leaders {
    fn of<E: Election>(scenario: &Scenario) -> (bool, bool) {
        fn terms<E: Election>(actors: &[E], state: &ActorModelState<E>) -> Vec<u64> {
            let leads = |(id, state): (usize, &Arc<E::State>)| actors[id].leads(id.into(), state);
            let mut terms: Vec<u64> = state
                .actor_states
                .iter()
                .enumerate()
                .filter_map(leads)
                .map(|term| term.0)
                .collect();
            terms.sort_unstable();
            terms
        }
        let system = scenario.system::<E>().unwrap();
        let checker = actor_model(&system)
            .property(Expectation::Sometimes, "a leader", |model, state| {
                !terms(&model.actors, state).is_empty()
            })
            .property(Expectation::Sometimes, "two leaders of a term", |model, state| {
                terms(&model.actors, state).windows(2).any(|pair| pair[0] == pair[1])
            })
            .checker()
            .spawn_bfs()
            .join();
        let is_found = |name| checker.discovery(name).is_some();
        (is_found("a leader"), is_found("two leaders of a term"))
    }
}

/// Bully needs time to mean something: it takes whoever does not answer for crashed.
#[test]
fn stateright_finds_a_leader_of_every_protocol_and_a_second_one_of_bully_only() {
    for about in models::all() {
        let found = models::visit(about.name, Leaders).expect("a protocol of the catalogue");
        assert_eq!(found, (true, about.name == "bully"), "{}", about.name);
    }
}

#[cfg(feature = "zab")]
#[test]
fn stateright_finds_no_second_leader_that_an_oracle_names() {
    let text = "name = 'oracle'\nnodes = 3\nnetwork = 'ordered'\n\
                options = { election = 'oracle', values = 0, pings = false }\n\
                bounds = { max_term = 1, max_round = 1 }";
    let scenario: Scenario = toml::from_str(text).unwrap();
    assert_eq!(Leaders::of::<models::zab::Zab>(&scenario), (true, false));
}

/// Three nodes of a protocol with one option, as a plain actor model.
fn plain<E: Election>(option: &'static str, value: Value) -> ActorModel<E, ()> {
    let setup = Setup::new(E::about(), 3).with(option, value);
    ActorModel::new((), ()).actors(E::build(&setup).expect("a valid setup"))
}

/// Which nodes lead.
fn leading<E: Election>(model: &ActorModel<E, ()>, state: &ActorModelState<E>) -> Vec<usize> {
    let leads =
        |(i, state): (usize, &Arc<E::State>)| model.actors[i].leads(i.into(), state).map(|_| i);
    state.actor_states.iter().enumerate().filter_map(leads).collect()
}

/// Whom each node follows.
fn leaders<E: Election>(model: &ActorModel<E, ()>, state: &ActorModelState<E>) -> Vec<Option<Id>> {
    let follows = |(i, state): (usize, &Arc<E::State>)| {
        model.actors[i].follows(i.into(), state).map(|(_, leader)| leader)
    };
    state.actor_states.iter().enumerate().map(follows).collect()
}

#[cfg(feature = "bully")]
#[test]
fn stateright_finds_nobody_of_bully_who_follows_a_lower_node() {
    plain::<models::bully::Bully>("heartbeat", Value::Number(0))
        .init_network(Network::new_unordered_duplicating([]))
        .property(Expectation::Always, "nobody follows a lower node", |model, state| {
            let mut all = leaders(model, state).into_iter().enumerate();
            all.all(|(i, leader)| leader.is_none_or(|leader| usize::from(leader) > i))
        })
        .property(Expectation::Sometimes, "two nodes lead", |model, state| {
            leading(model, state).len() > 1
        })
        .checker()
        .spawn_bfs()
        .join()
        .assert_properties();
}

#[cfg(feature = "ring")]
#[test]
fn stateright_agrees_that_chang_and_roberts_elect_the_highest_and_nobody_else() {
    plain::<models::ring::Ring>("variant", Value::Text("chang-roberts"))
        .init_network(Network::new_unordered_nonduplicating([]))
        .property(Expectation::Sometimes, "all follow the highest", |model, state| {
            let highest = Some(Id::from(2));
            leaders(model, state)[..2] == [highest, highest] && leading(model, state) == [2]
        })
        .property(Expectation::Always, "only the highest leads", |model, state| {
            leading(model, state).iter().all(|i| *i == 2)
        })
        .checker()
        .spawn_bfs()
        .join()
        .assert_properties();
}

#[cfg(feature = "paxos")]
#[test]
fn stateright_finds_no_disagreement_of_paxos_in_two_ballots() {
    use models::paxos::Paxos;
    let text = "name = 'two-ballots'\nnodes = 3\noptions = { proposers = 2 }\n\
                bounds = { max_term = 4 }";
    let scenario: Scenario = toml::from_str(text).unwrap();
    actor_model(&scenario.system::<Paxos>().unwrap())
        .property(Expectation::Always, "learners agree", |_, state| {
            let mut learned = state.actor_states.iter().filter_map(|s| s.durable.learned);
            let first = learned.next();
            learned.all(|value| Some(value) == first)
        })
        .property(
            Expectation::Sometimes,
            "n1 tries again, then n2's value is learned by all",
            |_, state| {
                let mut learned = state.actor_states.iter().map(|s| s.durable.learned);
                learned.all(|value| value.is_some_and(|value| value.to_string() == "v2"))
                    && format!("{:?}", state.actor_states[0].durable.tried) == "3"
            },
        )
        .checker()
        .spawn_bfs()
        .join()
        .assert_properties();
}
