//! Which properties there are, and whether one holds in a state.

use stateright::actor::Id;

use crate::election::{Check, Election, node_name};
use crate::semantics::names;
use crate::semantics::property::PropertyId;
use crate::semantics::state::SystemState;
use crate::semantics::system::System;
use crate::semantics::world::ELECTION_SAFETY;

impl<E: Election> System<E> {
    /// The names of all properties, election safety first.
    pub fn properties() -> Vec<(PropertyId, &'static str)> {
        let names =
            std::iter::once("election-safety").chain(E::invariants().into_iter().map(|i| i.name));
        names.enumerate().map(|(i, name)| (PropertyId(i as u8), name)).collect()
    }

    /// What a property says, in one sentence.
    pub fn meaning(property: PropertyId) -> &'static str {
        match (usize::from(property.0).checked_sub(1), E::about().has_terms) {
            (None, true) => {
                "no term is ever led by two different nodes, nor by one node both before and after \
                 a restart"
            }
            (None, false) => {
                "at most one live node leads whenever time passes (in every state where time is not modelled)"
            }
            (Some(i), _) => E::invariants()[i].meaning,
        }
    }

    /// Whether a property holds in a state; if not, the conflicting facts.
    pub fn holds(&self, property: PropertyId, state: &SystemState<E>) -> Result<(), String> {
        self.judge(property, state).map_err(|why| names::named(&why))
    }

    fn judge(&self, property: PropertyId, state: &SystemState<E>) -> Result<(), String> {
        if let Some(why) = state.world.broken.get(&property.0) {
            return Err(why.clone());
        }
        if property.0 == ELECTION_SAFETY {
            return if E::about().has_terms { Ok(()) } else { self.at_most_one_leads(state) };
        }
        let invariant = &self.invariants[usize::from(property.0) - 1];
        if invariant.when_time_passes && !self.is_timeless(&state.world) && !self.can_tick(state) {
            return Ok(());
        }
        let actor = |id: Id| &self.actors[usize::from(id)];
        match invariant.check {
            Check::Rule(_) | Check::Step(_) => Ok(()),
            Check::Witness(holds) => holds(&state.world.witness),
            Check::Node(holds) => {
                state.node_states().try_for_each(|(id, node)| holds(actor(id), id, node))
            }
            Check::NodeWitness(holds) => state
                .node_states()
                .try_for_each(|(id, node)| holds(actor(id), id, node, &state.world.witness)),
            Check::Pair(holds) => state.node_states().try_for_each(|(a, x)| {
                let mut later = state.node_states().filter(|(b, _)| *b > a);
                later.try_for_each(|(b, y)| holds(actor(a), (a, x), (b, y)))
            }),
        }
    }

    /// Election safety without terms: judged whenever time passes, or in every state where time is
    /// not modelled.
    fn at_most_one_leads(&self, state: &SystemState<E>) -> Result<(), String> {
        let leads =
            |(id, node): &(Id, &E::State)| self.actors[usize::from(*id)].leads(*id, node).is_some();
        let mut leaders = state.node_states().filter(leads).map(|(id, _)| node_name(id));
        match (leaders.next(), leaders.next()) {
            (Some(a), Some(b)) if self.is_timeless(&state.world) || self.can_tick(state) => {
                Err(format!("{a} and {b} both lead"))
            }
            _ => Ok(()),
        }
    }
}
