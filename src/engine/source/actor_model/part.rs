//! One actor's part of a state of an [`ActorModel`](stateright::actor::ActorModel).

use std::hash::Hash;
use std::sync::Arc;

use stateright::actor::{Actor, RandomChoices, Timers};

use crate::engine::digest::Field;
use crate::engine::ids::widen;
use crate::semantics::node::{Node, Older};

/// One actor's part of a state.
pub(super) struct Part<A: Actor> {
    pub(super) state: Arc<A::State>,
    pub(super) timers: Timers<A::Timer>,
    pub(super) choices: RandomChoices<A::Random>,
    pub(super) crashed: bool,
    pub(super) storage: Option<A::Storage>,
}

impl<A: Actor> Hash for Part<A> {
    fn hash<S: std::hash::Hasher>(&self, hasher: &mut S) {
        // The hash of stateright's sets does not say where they end.
        (Field(&self.state), Field(&self.timers), Field(&self.choices)).hash(hasher);
        (self.crashed, &self.storage).hash(hasher);
    }
}

/// Parts are equal where stateright's states are.
impl<A: Actor> PartialEq for Part<A> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
            && self.timers == other.timers
            && self.choices == other.choices
            && self.crashed == other.crashed
            && self.storage == other.storage
    }
}

/// A part as the shared definition of local steps sees it.
pub(super) type NodeOfPart<A> =
    Node<<A as Actor>::State, <A as Actor>::Timer, <A as Actor>::Storage, <A as Actor>::Random>;

impl<A: Actor> Part<A>
where
    A::Timer: Ord,
{
    /// The part as a node. Its timers and its choices are sorted, so that positions in them mean
    /// the same each time.
    pub(super) fn node(&self) -> NodeOfPart<A> {
        Node {
            state: (!self.crashed).then(|| self.state.clone()),
            timers: self.timers.iter().map(|t| (t.clone(), Default::default())).collect(),
            storage: self.storage.clone().map(Arc::new),
            older: Older::NotKept,
            incarnation: 0,
            choices: self.choices.map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        }
    }

    /// A node as a part, which was `before`.
    pub(super) fn of(node: NodeOfPart<A>, before: &Part<A>) -> Part<A> {
        let mut timers = Timers::new();
        node.timers.into_keys().for_each(|timer| {
            timers.set(timer);
        });
        let mut choices = RandomChoices::default();
        node.choices.into_iter().for_each(|(key, values)| choices.insert(key, values));
        Part {
            crashed: node.state.is_none(),
            // Stateright keeps the state of a crashed actor until it recovers.
            state: node.state.unwrap_or_else(|| before.state.clone()),
            timers,
            choices,
            storage: node.storage.map(|s| (*s).clone()),
        }
    }

    /// The timer at a position.
    pub(super) fn timer(&self, k: u32) -> A::Timer {
        self.node().timers.into_keys().nth(widen(k)).expect("counted before")
    }

    /// The choice at a position, and its key.
    pub(super) fn choice(&self, k: u32) -> (String, A::Random) {
        let choices = self.node().choices.into_iter();
        let mut all =
            choices.flat_map(|(key, values)| values.into_iter().map(move |v| (key.clone(), v)));
        all.nth(widen(k)).expect("counted before")
    }
}
