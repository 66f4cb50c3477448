//! Systems and actor models that are searched to the end by stateright's own checkers; shared by
//! tests and benchmarks.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use oneleader::election::Election;
use oneleader::semantics::network::NetworkKind;
use oneleader::semantics::{Bounds, System};
use stateright::actor::{ActorModel, ActorModelState, Network};
use stateright::{Checker, Expectation, Model, Property};

/// Distinct and generated states.
pub type Counts = (usize, usize);

/// One of stateright's exhaustive searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // Not every user wants both.
pub enum Search {
    BreadthFirst,
    DepthFirst,
}

/// A system whose only property never fires, so that the search sees every state.
pub struct Counted<E: Election>(pub Arc<System<E>>);

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

/// Counts by one of stateright's searches.
pub fn counts<M>(model: M, search: Search, threads: usize) -> Counts
where
    M: Model<
            State: Clone + Debug + Hash + PartialEq + Send + Sync,
            Action: Clone + Debug + PartialEq + Send + Sync,
        > + Send
        + Sync
        + 'static,
{
    let checker = model.checker().threads(threads);
    match search {
        Search::BreadthFirst => {
            let checker = checker.spawn_bfs().join();
            (checker.unique_state_count(), checker.state_count())
        }
        Search::DepthFirst => {
            let checker = checker.spawn_dfs().join();
            (checker.unique_state_count(), checker.state_count())
        }
    }
}

/// What [`System::beyond`] calls beyond a bound, said again of an actor model's state.
fn within<E: Election>((actors, bounds): &(Vec<E>, Bounds), state: &ActorModelState<E>) -> bool {
    let mut terms =
        actors.iter().zip(&state.actor_states).map(|(actor, state)| actor.term(state).0);
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
    let mut rounds =
        actors.iter().zip(&state.actor_states).map(|(actor, state)| actor.round(state));
    bounds.max_term.is_none_or(|max| terms.all(|term| term <= max))
        && bounds.max_round.is_none_or(|max| rounds.all(|round| round <= max))
        && bounds.max_in_flight.is_none_or(|max| in_flight <= max)
        && bounds.max_copies.is_none_or(|max| copies.unwrap_or(0) <= max)
}

/// The same actors, network and bounds as a plain actor model.
pub fn actor_model<E: Election>(system: &System<E>) -> ActorModel<E, (Vec<E>, Bounds)> {
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
