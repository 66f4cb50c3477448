//! Where stateright has a semantics of its own, ours is the same: without faults and asynchronous, the reference
//! [`System`] has exactly the states and transitions of stateright's `ActorModel` over the same actors, network and
//! bounds, for every protocol of the catalogue.
//!
//! Not compared: the duplicating network, because an `ActorModel` keeps the last message delivered in its state.

use std::fmt::Debug;
use std::hash::Hash;

use oneleader::election::{Election, Visitor};
use oneleader::models;
use oneleader::network::NetworkKind;
use oneleader::scenario::Scenario;
use oneleader::system::{Bounds, System};
use stateright::actor::{ActorModel, ActorModelState, Network};
use stateright::{Checker, Expectation, Model, Property};

#[path = "support/raft_election.rs"]
mod raft_election;
use raft_election::RaftElection;

/// Distinct and generated states.
type Counts = (usize, usize);

/// A system whose only property never fires, so that the search sees every state.
struct Counted<E: Election>(System<E>);

impl<E: Election> Model for Counted<E> {
    type State = <System<E> as Model>::State;
    type Action = <System<E> as Model>::Action;

    fn init_states(&self) -> Vec<Self::State> {
        self.0.init_states()
    }
    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.0.actions(state, actions);
    }
    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        self.0.next_state(state, action)
    }
    fn within_boundary(&self, state: &Self::State) -> bool {
        self.0.within_boundary(state)
    }
    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("never fires", |_, _| true)]
    }
}

fn counts<M>(model: M) -> Counts
where
    M: Model<
            State: Clone + Debug + Hash + PartialEq + Send + Sync,
            Action: Clone + Debug + PartialEq + Send + Sync,
        > + Send
        + Sync
        + 'static,
{
    let checker = model.checker().spawn_bfs().join();
    (checker.unique_state_count(), checker.state_count())
}

/// What [`System::beyond`] calls beyond a bound, said again of an actor model's state.
fn within<E: Election>((actors, bounds): &(Vec<E>, Bounds), state: &ActorModelState<E>) -> bool {
    let mut terms = actors.iter().zip(&state.actor_states).map(|(actor, state)| actor.term(state).0);
    let (in_flight, copies): (usize, _) = match &state.network {
        Network::UnorderedNonDuplicating(bag) => (bag.values().sum(), bag.values().copied().max()),
        Network::Ordered(flows) => {
            let copies = |queue: &std::collections::VecDeque<E::Msg>| {
                queue.iter().map(|msg| queue.iter().filter(|other| *other == msg).count()).max()
            };
            (flows.values().map(|queue| queue.len()).sum(), flows.values().filter_map(copies).max())
        }
        Network::UnorderedDuplicating(..) => unreachable!("not compared"),
    };
    bounds.max_term.is_none_or(|max| terms.all(|term| term <= max))
        && bounds.max_in_flight.is_none_or(|max| in_flight <= max)
        && bounds.max_copies.is_none_or(|max| copies.unwrap_or(0) <= max)
}

fn actor_model<E: Election>(system: &System<E>) -> ActorModel<E, (Vec<E>, Bounds)> {
    let network = match system.rules.network {
        NetworkKind::Unordered => Network::new_unordered_nonduplicating([]),
        NetworkKind::Ordered => Network::new_ordered([]),
        NetworkKind::Duplicating => unreachable!("not compared"),
    };
    ActorModel::new((system.actors.clone(), system.rules.bounds), ())
        .actors(system.actors.clone())
        .init_network(network)
        .property(Expectation::Always, "never fires", |_, _| true)
        .within_boundary(within::<E>)
}

fn compare<E: Election>(scenario: &Scenario) -> Counts {
    let mut system = scenario.system::<E>().unwrap();
    system.rules.keep_dead = true;
    system.rules.remember = false;
    let theirs = counts(actor_model(&system));
    let ours = counts(Counted(system));
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
        let t = std::time::Instant::now();
        eprintln!("{} {:?} {:?}", about.name, models::visit(about.name, PureElection), t.elapsed());
    }
}
