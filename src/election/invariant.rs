//! What must hold, and what a scenario may mean to reach.

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
    /// Which setting it speaks of, in words (`values >= 1`), and whether nodes have that setting.
    pub setting: Option<(&'static str, fn(&[E]) -> bool)>,
    /// The names of the [goals](Goal) that a run must reach, or else it says nothing about this
    /// property.
    pub needs: &'static [&'static str],
    /// Asked only in states in which time may pass, and in all where time is not modelled.
    pub when_time_passes: bool,
}

impl<E: Election> Invariant<E> {
    /// A property of every run.
    pub fn new(name: &'static str, meaning: &'static str, check: Check<E>) -> Self {
        Invariant { name, meaning, check, setting: None, needs: &[], when_time_passes: false }
    }

    /// The property speaks only of nodes with a certain setting. Where they have another it is not
    /// asked.
    pub fn with_setting(mut self, words: &'static str, has: fn(&[E]) -> bool) -> Self {
        self.setting = Some((words, has));
        self
    }

    /// A run that reaches not all of these goals says nothing about the property: its verdict is
    /// `vacuous`.
    pub fn needing(mut self, goals: &'static [&'static str]) -> Self {
        self.needs = goals;
        self
    }

    /// The property is judged as election safety without terms is: only when nothing is left to do
    /// before time passes. For properties of states; a step or a past that breaks a rule has broken
    /// it.
    pub fn when_time_passes(mut self) -> Self {
        self.when_time_passes = true;
        self
    }
}

/// A named event that a scenario may mean to reach: "an entry is committed", "the same primary
/// leads again".
///
/// A scenario lists in `covers` the goals that its note speaks of. A run that holds and did not
/// reach them has not looked at what it was written for: its verdict is `vacuous`.
pub struct Goal<E: Election> {
    /// kebab-case, unique within the protocol.
    pub name: &'static str,
    /// One sentence: what happens.
    pub meaning: &'static str,
    /// When it is reached.
    pub reached: Reached<E>,
}

/// Over what a goal speaks.
pub enum Reached<E: Election> {
    /// Of a step of one node.
    Step(fn(&NodeStep<'_, E>) -> bool),
    /// Of who has led each term first, and of the witness.
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

/// Over what an invariant speaks. `Err` carries the conflicting facts in a sentence.
///
/// Narrow forms are cheap: they are evaluated once for each combination of local states that
/// occurs, not once a state of the system. Nodes that are down are not asked.
pub enum Check<E: Election> {
    /// Of every live node.
    Node(fn(&E, Id, &E::State) -> Result<(), String>),
    /// Of every pair of live nodes, the lower identifier first.
    Pair(fn(&E, (Id, &E::State), (Id, &E::State)) -> Result<(), String>),
    /// Of every step by itself: a rule that handlers follow. Costs nothing, as handlers are called
    /// once for each of their arguments.
    Rule(fn(&NodeStep<'_, E>) -> Result<(), String>),
    /// Of every step, with the witness before it.
    Step(fn(&E::Witness, &NodeStep<'_, E>) -> Result<(), String>),
    /// Of what is remembered.
    Witness(fn(&E::Witness) -> Result<(), String>),
    /// Of every live node against what is remembered.
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
