//! Properties (what must hold) and goals (events that a scenario can require a run to reach).

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::{Election, NodeStep, Reign, Term};

/// A named safety property of one protocol, beyond election safety.
pub struct Invariant<E: Election> {
    /// kebab-case, unique within the protocol.
    pub name: &'static str,
    /// One sentence, with the place in the paper.
    pub meaning: &'static str,
    /// What is checked.
    pub check: Check<E>,
    /// The setting without which the property says nothing: its words (`values >= 1`), and whether
    /// nodes have it.
    pub setting: Option<(&'static str, fn(&[E]) -> bool)>,
    /// The names of the [goals](Goal) that a run must reach for its verdict on this property to
    /// count.
    pub needs: &'static [&'static str],
    /// Whether the property is checked only in states in which time may pass. Where time is not
    /// modelled it is checked in all states.
    pub when_time_passes: bool,
}

impl<E: Election> Invariant<E> {
    /// A property that every run is checked for.
    pub fn new(name: &'static str, meaning: &'static str, check: Check<E>) -> Self {
        Invariant { name, meaning, check, setting: None, needs: &[], when_time_passes: false }
    }

    /// The property says something only about nodes with a certain setting. It is not asked of
    /// other nodes.
    pub fn with_setting(mut self, words: &'static str, has: fn(&[E]) -> bool) -> Self {
        self.setting = Some((words, has));
        self
    }

    /// The verdict is `vacuous` for a run that does not reach all of these goals.
    pub fn needing(mut self, goals: &'static [&'static str]) -> Self {
        self.needs = goals;
        self
    }

    /// The property is checked only in states in which time may pass, like election safety without
    /// terms. It makes no difference to [`Check::Rule`] and [`Check::Step`].
    pub fn when_time_passes(mut self) -> Self {
        self.when_time_passes = true;
        self
    }
}

/// A named event that a scenario can require a run to reach: "an entry is committed", "the same
/// primary leads again".
///
/// A scenario lists in `covers` the goals that its note speaks of. If a run holds but did not reach
/// them all, it did not test what it was written for, and its verdict is `vacuous`.
pub struct Goal<E: Election> {
    /// kebab-case, unique within the protocol.
    pub name: &'static str,
    /// One sentence: what happens.
    pub meaning: &'static str,
    /// When it is reached.
    pub reached: Reached<E>,
}

/// The data over which a goal is defined.
pub enum Reached<E: Election> {
    /// A step of one node.
    Step(fn(&NodeStep<'_, E>) -> bool),
    /// Who has led each term first, and the witness.
    Past(fn(&BTreeMap<Term, Reign>, &E::Witness) -> bool),
}

impl<E: Election> Clone for Reached<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Reached<E> {}
impl<E: Election> Clone for Goal<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Goal<E> {}

/// The data over which an invariant is defined. `Err` states the conflicting facts in a sentence.
///
/// The engine evaluates a check once for each combination of its arguments that occurs, not once
/// for each state of the system. So checks with few arguments are cheap. Nodes that are down are
/// not checked.
pub enum Check<E: Election> {
    /// Holds of every live node.
    Node(fn(&E, Id, &E::State) -> Result<(), String>),
    /// Holds of every pair of live nodes, the lower identifier first.
    Pair(fn(&E, (Id, &E::State), (Id, &E::State)) -> Result<(), String>),
    /// A rule that every step of a node obeys, whatever happened before. Nearly free, since
    /// handlers are called once for each of their arguments.
    Rule(fn(&NodeStep<'_, E>) -> Result<(), String>),
    /// Holds of every step, given the witness before it.
    Step(fn(&E::Witness, &NodeStep<'_, E>) -> Result<(), String>),
    /// Holds of the witness.
    Witness(fn(&E::Witness) -> Result<(), String>),
    /// Holds of every live node, given the witness.
    NodeWitness(fn(&E, Id, &E::State, &E::Witness) -> Result<(), String>),
}

impl<E: Election> Clone for Check<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Check<E> {}
impl<E: Election> Clone for Invariant<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Invariant<E> {}
