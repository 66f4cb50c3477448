//! The graph of everything that a timed system can do, tick by tick.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use stateright::actor::Id;

use super::between::Between;
use super::canonical::{components, renumber};
use super::graph::{Edge, Graph, GraphBuilder};
use super::marks::{Observer, idle, marks};
use super::ticks::{Bag, Ending, Endings, Few, TimeStops, endings};
use crate::election::{Counting, Election, NodeSet};
use crate::semantics::node::NodeOf;
use crate::semantics::topology::Topology;
use crate::semantics::{System, Timing};

/// How far a graph is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// So many states.
    pub states: usize,
    /// Whether of what a node can do in a tick, given which of its timers fire, only one way is
    /// followed: fewer runs, but longer ones.
    pub narrow: bool,
    /// By so much may a growing number, such as a term, be ahead of the lowest one in the same part
    /// of the network; in rounds of all nodes where a number says whose turn it is.
    pub spread: u64,
}

impl Default for Extent {
    fn default() -> Self {
        Extent { states: 500_000, narrow: false, spread: 8 }
    }
}

/// A graph with the states that its numbers stand for.
pub(super) struct Explored<E: Election> {
    pub(super) graph: Graph,
    pub(super) states: Vec<Between<E>>,
    /// Why some states have not been followed, if so.
    pub(super) cut: Option<&'static str>,
}

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
    pub(super) links: &'a Topology,
    parts: Vec<NodeSet>,
    known: HashMap<Alone<E>, Rc<Result<Endings<E>, TimeStops>>>,
    pub(super) countings: Vec<Counting>,
    spread: u64,
    /// As in [`Extent`].
    is_narrow: bool,
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
        let parts = components(links, NodeSet::first(system.actors.len()));
        let countings = E::countings(&system.actors);
        let known = HashMap::new();
        Ticking { system, links, parts, known, countings, spread, is_narrow: false }
    }

    /// What each node can do in the tick that begins.
    pub(super) fn alone(&mut self, state: &Between<E>) -> Vec<Rc<Result<Endings<E>, TimeStops>>> {
        let nodes = state.nodes.iter().zip(&state.due).enumerate();
        let each = nodes.map(|(i, (node, due))| {
            let key = Whole((i, node.clone(), due.clone(), state.left));
            let system = self.system;
            let known = self
                .known
                .entry(key)
                .or_insert_with(|| Rc::new(endings(system, Id::from(i), node, due, state.left)));
            known.clone()
        });
        each.collect()
    }

    /// Of so many ways to spend a tick, the first ones that are followed.
    fn followed(&self, ways: usize) -> usize {
        if self.is_narrow { ways.min(1) } else { ways }
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
            let sizes: Vec<usize> =
                drawn.iter().map(|endings| self.followed(endings.len())).collect();
            for picked in product(&sizes) {
                let ends = || drawn.iter().zip(&picked).map(|(endings, &p)| &endings[p]);
                let mut left = Some(state.left);
                ends().for_each(|end| left = left.and_then(|left| left.without(end.used)));
                let Some(left) = left else { continue };
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
                after.lose(self.system, self.links);
                let has_fault = left != state.left;
                let lazy = ends().enumerate().filter(|(_, end)| !end.is_fair);
                let idle = lazy.fold(0, |marks, (i, _)| marks | idle(Id::from(i)));
                let indices = product_at(&draws, draw).into_iter().zip(picked.iter().copied());
                ticks.push(Tick { after, draw, has_fault, nodes: indices.collect(), idle });
            }
        }
        Ok(ticks)
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

/// The graph of all that can be reached from these states by ticks whose marks are followed.
pub(super) fn explore<E: Election>(
    system: &System<E>,
    links: &Topology,
    starts: Vec<Between<E>>,
    extent: Extent,
    is_followed: impl Fn(u32) -> bool,
) -> Result<Explored<E>, String> {
    let mut ticking = Ticking::new(system, links, extent.spread);
    ticking.is_narrow = extent.narrow;
    let observer = Observer::new(system, links);
    let mut numbers: HashMap<Rc<Between<E>>, u32> = HashMap::new();
    let mut states: Vec<Rc<Between<E>>> = Vec::new();
    let (mut graph, mut cut) = (GraphBuilder::new(), None);
    let mut number = |state: Between<E>, states: &mut Vec<Rc<Between<E>>>| {
        let state = Rc::new(state);
        *numbers.entry(state.clone()).or_insert_with(|| {
            states.push(state);
            (states.len() - 1) as u32
        })
    };
    for start in starts {
        let start = ticking.canonical(start).ok_or("a start is beyond the bounds")?;
        graph.start(number(start, &mut states));
    }
    let mut at = 0;
    while let Some(state) = states.get(at).cloned() {
        at += 1;
        if at > extent.states || states.len() >= 2 * extent.states {
            cut = Some("states");
            let this = graph.state([]);
            graph.cut(this);
            continue;
        }
        let before = observer.reigns(&state);
        let (mut edges, mut is_cut) = (Vec::new(), false);
        let ticks = ticking.ticks(&state);
        let stops = ticks.is_err();
        for tick in ticks.unwrap_or_default() {
            let marks = marks(&before, &observer.reigns(&tick.after)) | tick.idle;
            if !is_followed(marks) {
                continue;
            }
            let draw =
                u16::try_from(tick.draw).map_err(|_| "too many timers may fire in a tick")?;
            match ticking.canonical(tick.after) {
                Some(next) => {
                    let to = number(next, &mut states);
                    edges.push(Edge { to, marks, draw, adversary: tick.has_fault });
                }
                None => is_cut = true,
            }
        }
        let this = graph.state(edges);
        if is_cut {
            cut.get_or_insert(if ticking.countings.is_empty() { "bounds" } else { "spread" });
        }
        // Without time there are runs that do not go round by round.
        if is_cut || system.rules.timing == Timing::Asynchronous {
            graph.cut(this);
        }
        if stops {
            graph.stop(this);
        }
    }
    let graph = graph.build().map_err(|defect| defect.to_string())?;
    drop(numbers);
    let states = states.into_iter().map(|state| (*state).clone()).collect();
    Ok(Explored { graph, states, cut })
}
