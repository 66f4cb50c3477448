//! Ticks of the whole system on values, and the forms of its states.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use stateright::actor::Id;

use super::between::Between;
use super::canonical::{components, renumber};
use super::few::Few;
use super::marks::idle;
use super::ticks::{Bag, Ending, Endings, Orders, TimeStops, endings};
use crate::election::{Counting, Election, NodeSet};
use crate::semantics::System;
use crate::semantics::node::NodeOf;
use crate::semantics::topology::Topology;

/// A value that equals itself. Actors' states promise no more than `PartialEq`.
struct Whole<T>(T);

impl<T: PartialEq> PartialEq for Whole<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T: PartialEq> Eq for Whole<T> {}
impl<T: Hash> Hash for Whole<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
    }
}

/// What a node does in a tick, depends on nothing but this.
type Alone<E> = Whole<(usize, Arc<NodeOf<E>>, Bag<E>, Few)>;

/// A timed system on fixed links, between its ticks.
pub(super) struct Ticking<'a, E: Election> {
    pub(super) system: &'a System<E>,
    pub(super) forms: Forms<'a, E>,
    orders: Orders,
    known: HashMap<Alone<E>, Rc<Result<Endings<E>, TimeStops>>>,
}

/// A tick of the whole system.
pub(super) struct Tick<E: Election> {
    /// The state after it, as it is.
    pub(super) after: Between<E>,
    /// Which timers fired, as a number.
    pub(super) draw: usize,
    /// Whether a fault struck.
    pub(super) has_fault: bool,
    /// How each node spent it.
    pub(super) nodes: Vec<(usize, usize)>,
    /// The nodes with a timer that ran when it began, and neither fired nor ended, as [`idle`]
    /// marks.
    pub(super) idle: u32,
}

impl<'a, E: Election> Ticking<'a, E> {
    pub(super) fn new(system: &'a System<E>, links: &'a Topology, spread: u64) -> Self {
        Ticking {
            system,
            forms: Forms::new(system, links, spread),
            orders: Orders::All,
            known: HashMap::new(),
        }
    }

    /// The same, with these orders within a tick.
    pub(super) fn in_orders(self, orders: Orders) -> Self {
        Ticking { orders, ..self }
    }

    /// What each node can do in the tick that begins.
    pub(super) fn alone(&mut self, state: &Between<E>) -> Vec<Rc<Result<Endings<E>, TimeStops>>> {
        let nodes = state.nodes.iter().zip(&state.due).enumerate();
        let each = nodes.map(|(i, (node, due))| {
            let key = Whole((i, node.clone(), due.clone(), state.left));
            let (system, orders, left) = (self.system, self.orders, state.left);
            let find = || Rc::new(endings(system, Id::from(i), node, due, left, orders));
            self.known.entry(key).or_insert_with(find).clone()
        });
        each.collect()
    }

    /// Every tick from a state.
    pub(super) fn ticks(&mut self, state: &Between<E>) -> Result<Vec<Tick<E>>, TimeStops> {
        let mut ticks = Vec::new();
        let alone = self.alone(state);
        let mut alike = Vec::new();
        for endings in &alone {
            alike.push(endings.as_ref().as_ref().map_err(|stops| stops.clone())?);
        }
        let draws: Vec<usize> = alike.iter().map(|endings| endings.len()).collect();
        for (draw, drawn) in product(&draws).into_iter().enumerate() {
            let drawn: Vec<&Vec<Ending<E>>> =
                alike.iter().zip(&drawn).map(|(endings, &d)| &endings[d]).collect();
            let sizes: Vec<usize> = drawn.iter().map(|endings| endings.len()).collect();
            for picked in product(&sizes) {
                let ends = || drawn.iter().zip(&picked).map(|(endings, &p)| &endings[p]);
                let mut left = Some(state.left);
                ends().for_each(|end| left = left.and_then(|left| left.without(end.used)));
                let Some(left) = left.filter(|left| left.is_in_order_after(state.left)) else {
                    continue;
                };
                let mut after = Between {
                    nodes: ends().map(|end| end.node.clone()).collect(),
                    due: vec![Bag::<E>::new(self.system.rules.network); state.nodes.len()],
                    left,
                };
                for (src, end) in ends().enumerate() {
                    for (dst, msg) in end.sent.iter() {
                        if let Some(due) = after.due.get_mut(usize::from(dst)) {
                            due.put(Id::from(src), msg.clone());
                        }
                    }
                }
                after.lose(self.system, self.forms.links);
                let has_fault = left != state.left;
                let lazy = ends().enumerate().filter(|(_, end)| !end.is_fair);
                let idle = lazy.fold(0, |marks, (i, _)| marks | idle(Id::from(i)));
                let indices = product_at(&draws, draw).into_iter().zip(picked.iter().copied());
                ticks.push(Tick { after, draw, has_fault, nodes: indices.collect(), idle });
            }
        }
        Ok(ticks)
    }
}

/// The forms of a system's states on fixed links.
pub(super) struct Forms<'a, E: Election> {
    pub(super) system: &'a System<E>,
    pub(super) links: &'a Topology,
    parts: Vec<NodeSet>,
    pub(super) countings: Vec<Counting>,
    spread: u64,
}

impl<'a, E: Election> Forms<'a, E> {
    /// With numbers that are at most so far apart: see [`Extent`](super::Extent).
    pub(super) fn new(system: &'a System<E>, links: &'a Topology, spread: u64) -> Self {
        let parts = components(links, NodeSet::first(system.actors.len()));
        Forms { system, links, parts, countings: E::countings(&system.actors), spread }
    }

    /// Why a state has no form, if it has none.
    pub(super) fn bound(&self) -> &'static str {
        if self.countings.is_empty() { "bounds" } else { "spread" }
    }

    /// The one form of a state and of all that go on like it; `None` if it is too far away.
    pub(super) fn canonical(&self, mut state: Between<E>) -> Option<Between<E>> {
        state.lose(self.system, self.links);
        state.simplify(self.system, self.links);
        let present = state.present();
        if present.len() == state.nodes.len() {
            renumber(&mut state, &self.countings, &self.parts, self.spread).ok()?;
        } else {
            let parts = components(self.links, present);
            renumber(&mut state, &self.countings, &parts, self.spread).ok()?;
        }
        if !self.countings.is_empty() {
            return Some(state);
        }
        let bounds = &self.system.rules.bounds;
        let is_beyond = |(node, actor): (&Arc<NodeOf<E>>, &E)| {
            node.state.as_deref().is_some_and(|memory| {
                bounds.max_term.is_some_and(|most| actor.term(memory).0 > most)
                    || bounds.max_round.is_some_and(|most| actor.round(memory) > most)
            })
        };
        let beyond = state.nodes.iter().zip(&self.system.actors).any(is_beyond);
        (!beyond).then_some(state)
    }
}

/// All choices of one number below each of these, in order.
fn product(sizes: &[usize]) -> Vec<Vec<usize>> {
    let count: usize = sizes.iter().product();
    (0..count).map(|index| product_at(sizes, index)).collect()
}

/// The choice with this number.
fn product_at(sizes: &[usize], mut index: usize) -> Vec<usize> {
    let digit = |&size: &usize| {
        let digit = index % size;
        index /= size;
        digit
    };
    sizes.iter().map(digit).collect()
}
