//! The plainest search there is of an actor model: stateright's own steps, states told apart by
//! `==`, breadth first.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};

use oneleader::engine::ModelExploration;
use oneleader::exploration::Ended;
use stateright::actor::{Actor, ActorModel, ActorModelState};
use stateright::{Expectation, Model};

/// Everything there is to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    pub distinct: u64,
    pub generated: u64,
    pub depth: usize,
    /// The steps to the first example of each `sometimes`, the first counterexample of each
    /// `always`.
    pub found: BTreeMap<&'static str, usize>,
}

/// What the plain search sees, and how many states their hash tells apart; nothing if there are
/// more than `most`.
pub fn by_equality<A, C, H>(model: &ActorModel<A, C, H>, most: usize) -> Option<(Plain, usize)>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    let fingerprint = RandomState::new();
    let mut seen: HashMap<u64, Vec<ActorModelState<A, H>>> = HashMap::new();
    let mut waiting = VecDeque::new();
    for start in model.init_states() {
        seen.entry(fingerprint.hash_one(&start)).or_default().push(start.clone());
        waiting.push_back((start, 0));
    }
    let mut plain = Plain { distinct: 0, generated: 1, depth: 0, found: BTreeMap::new() };
    while let Some((state, depth)) = waiting.pop_front() {
        plain.distinct += 1;
        plain.depth = depth;
        if plain.distinct as usize > most {
            return None;
        }
        for property in &model.properties {
            if (property.condition)(model, &state)
                == (property.expectation == Expectation::Sometimes)
            {
                plain.found.entry(property.name).or_insert(depth);
            }
        }
        for (_, next) in model.next_steps(&state) {
            if !Model::within_boundary(model, &next) {
                continue;
            }
            plain.generated += 1;
            let alike = seen.entry(fingerprint.hash_one(&next)).or_default();
            if !alike.contains(&next) {
                alike.push(next.clone());
                waiting.push_back((next, depth + 1));
            }
        }
    }
    Some((plain, seen.len()))
}

/// The same, as the engine saw it.
pub fn by_engine<A: Actor>(seen: &ModelExploration<A>) -> Plain {
    assert_eq!(seen.ended, Ended::Exhausted);
    Plain {
        distinct: seen.distinct,
        generated: seen.generated,
        depth: seen.depth,
        found: seen.discoveries.iter().map(|(name, actions)| (*name, actions.len())).collect(),
    }
}
