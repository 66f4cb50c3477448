//! The graph of everything that a timed system can do, tick by tick.

use super::apart::Grain;
use super::between::Between;
use super::chain::Chain;
use super::compiled::{self, Compiled, Passed};
use super::graph::{Edge, Graph, GraphBuilder};
use super::numbers::Rows;
use super::shapes::{self, Shapes};
use super::ticks::Orders;
use crate::election::Election;
use crate::semantics::topology::Topology;
use crate::semantics::{System, Timing};
use crate::support::parallel;

/// How far a graph is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// So many states.
    pub states: usize,
    /// In which orders things happen at a node within a tick. Unless in all, some runs are left
    /// out.
    pub orders: Orders,
    /// States with more messages in flight are not followed.
    pub in_flight: usize,
    /// Whether it is noted how likely each tick is.
    pub chances: bool,
    /// By so much may a growing number, such as a term, be ahead of the lowest one in the same part
    /// of the network; in rounds of all nodes where a number says whose turn it is.
    pub spread: u64,
}

impl Default for Extent {
    fn default() -> Self {
        Extent {
            states: 500_000,
            orders: Orders::All,
            in_flight: usize::MAX,
            chances: false,
            spread: 8,
        }
    }
}

/// A graph with the states that its numbers stand for.
pub(super) struct Explored<'a, E: Election> {
    pub(super) graph: Graph,
    /// Why some states have not been followed, if so.
    pub(super) cut: Option<&'static str>,
    /// The numbers of the states that were given as starts.
    pub(super) starts: Vec<u32>,
    /// How likely each tick is, if that is asked.
    pub(super) chain: Option<Chain>,
    compiled: Compiled<'a, E>,
    shapes: Shapes<'a, E>,
    states: Rows,
}

impl<E: Election> Explored<'_, E> {
    /// The state with this number.
    pub(super) fn state(&self, number: u32) -> Between<E> {
        self.compiled.state(self.states.get(number))
    }

    /// The numbers of the states here that are forms of the states of another graph.
    pub(super) fn forms_of(&self, other: &Explored<'_, E>) -> Vec<u32> {
        let number = |state| {
            let form = self.shapes.form(other.state(state as u32))?;
            self.states.find(&self.compiled.row(form)?).ok()
        };
        let all = parallel::map(other.graph.states() as usize, number);
        let mut numbers: Vec<u32> = all.into_iter().flatten().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// In which orders things happen at a node within a tick.
    pub(super) fn orders(&self) -> Orders {
        self.compiled.orders()
    }

    /// All states, in the order of their numbers.
    pub(super) fn states(&self) -> impl Iterator<Item = Between<E>> {
        (0..self.graph.states()).map(|number| self.state(number))
    }
}

/// So many states are followed at a time, by all threads.
const BATCH: usize = 1 << 12;

/// A thread takes so many of them at a time.
const PART: usize = 1 << 6;

/// A search under way. While states are followed, all threads read its tables. What is not in them
/// yet, and the states that are new, one thread adds afterwards, in the order of the states that
/// were followed; so no number depends on the threads.
struct Explorer<'a, E: Election> {
    compiled: Compiled<'a, E>,
    shapes: Shapes<'a, E>,
    /// The states. All of them are forms.
    states: Rows,
    /// By state.
    shape: Vec<u32>,
}

/// Which ticks are followed, and what is noted of them.
struct Following<'f> {
    extent: Extent,
    is_followed: &'f (dyn Fn(u32) -> bool + Sync),
}

/// What comes after a state.
#[derive(Default)]
struct Next {
    /// The ticks, each once. Where one leads to a new state, the number of its end is that of all
    /// known states, and its position among the new ones more.
    edges: Vec<Edge>,
    /// How likely it is which state comes next, if that is asked; a state may stand there several
    /// times.
    chances: Vec<(u32, f64)>,
    /// The rows of states that are new, one after the other.
    new: Vec<u32>,
    /// Their hashes, and their shapes.
    hashes: Vec<(u64, u32)>,
    /// Whether some ticks lead beyond the bounds.
    is_cut: bool,
    /// Whether time can stop.
    stops: bool,
    /// Whether more timers may fire than draws can be told apart.
    has_many_draws: bool,
    missing: (Vec<compiled::Missing>, Vec<shapes::Missing>),
}

impl Next {
    fn is_missing(&self) -> bool {
        !self.missing.0.is_empty() || !self.missing.1.is_empty()
    }

    /// The position of a new state among those that come after this one.
    fn discover(&mut self, hash: u64, row: &[u32], shape: u32) -> usize {
        let is_it = |at: &usize| {
            self.hashes[*at].0 == hash && self.new[at * row.len()..(at + 1) * row.len()] == *row
        };
        let known = (0..self.hashes.len()).find(is_it);
        known.unwrap_or_else(|| {
            self.hashes.push((hash, shape));
            self.new.extend_from_slice(row);
            self.hashes.len() - 1
        })
    }
}

impl<'a, E: Election> Explorer<'a, E> {
    fn new(system: &'a System<E>, links: &'a Topology, extent: Extent, grain: Grain) -> Self {
        let compiled = Compiled::new(system, links, extent.orders);
        let width = compiled.width();
        let shapes = Shapes::new(system, links, extent.spread, grain, width);
        Explorer { compiled, shapes, states: Rows::new(width), shape: Vec::new() }
    }

    /// What comes after each of these states.
    fn follow(&mut self, states: std::ops::Range<u32>, how: &Following<'_>) -> Vec<Next> {
        let first = states.start;
        let mut all = self.after_each(&states.collect::<Vec<u32>>(), how);
        loop {
            let open: Vec<u32> =
                (first..).zip(&all).filter(|(_, next)| next.is_missing()).map(|(s, _)| s).collect();
            if open.is_empty() {
                return all;
            }
            let (mut parts, mut forms) = (Vec::new(), Vec::new());
            for state in &open {
                let missing = std::mem::take(&mut all[(state - first) as usize].missing);
                parts.extend(missing.0);
                forms.extend(missing.1);
            }
            self.compiled.learn(parts);
            self.shapes.learn(&mut self.compiled, forms);
            let again = self.after_each(&open, how);
            for (state, next) in open.into_iter().zip(again) {
                all[(state - first) as usize] = next;
            }
        }
    }

    /// What comes after each of these states, as far as it is known, by all threads.
    fn after_each(&self, states: &[u32], how: &Following<'_>) -> Vec<Next> {
        let parts: Vec<&[u32]> = states.chunks(PART).collect();
        let after = |part: usize| -> Vec<Next> {
            let mut edges = Vec::new();
            parts[part].iter().map(|state| self.after(*state, how, &mut edges)).collect()
        };
        parallel::map(parts.len(), after).into_iter().flatten().collect()
    }

    /// What comes after a state, as far as it is known. Ticks are gathered in `edges`, which is
    /// used again and again: most of them lead to few states.
    fn after(&self, state: u32, how: &Following<'_>, edges: &mut Vec<Edge>) -> Next {
        let (mut next, row) = (Next::default(), self.states.get(state));
        let mut from = vec![0; row.len()];
        for instance in self.shapes.instances(self.shape[state as usize], &mut next.missing.1) {
            if self.shapes.reshape(row, *instance, &mut from, &mut next.missing.1) {
                self.ticks(&from, *instance, how, &mut next, edges);
            }
        }
        edges.sort_unstable_by_key(Edge::key);
        edges.dedup();
        next.edges = edges.clone();
        edges.clear();
        next
    }

    /// The ticks from a state of this shape.
    fn ticks(
        &self,
        from: &[u32],
        shape: u32,
        how: &Following<'_>,
        next: &mut Next,
        edges: &mut Vec<Edge>,
    ) {
        let (mut missing, known) = (Vec::new(), self.states.len());
        let (mut then, mut to) = (vec![0; from.len()], vec![0; from.len()]);
        let tick = |Passed { draw, has_fault, idle, chance }, after: &[u32]| {
            // Mostly the state after the tick is a form itself, and known.
            let end = self.states.find(after).ok();
            let then = match end {
                Some(end) => Some(self.shape[end as usize]),
                None => self.shapes.of(after, &mut then, &mut next.missing.1),
            };
            let Some(then) = then else { return };
            let marks = self.shapes.marks(shape, then) | idle;
            if !(how.is_followed)(marks) {
                return;
            }
            let Ok(draw) = u16::try_from(draw) else {
                next.has_many_draws = true;
                return;
            };
            let is_beyond = |row: &[u32]| {
                let most = how.extent.in_flight;
                most < usize::MAX && self.compiled.in_flight(row) > most
            };
            let to = match end {
                Some(_) if is_beyond(after) => {
                    next.is_cut = true;
                    return;
                }
                Some(end) => end,
                None => {
                    let Some(form) = self.shapes.form_of(then) else {
                        next.is_cut = true;
                        return;
                    };
                    if !self.shapes.reshape(after, form, &mut to, &mut next.missing.1) {
                        return;
                    }
                    if is_beyond(&to) {
                        next.is_cut = true;
                        return;
                    }
                    let new = |hash| (known + next.discover(hash, &to, form)) as u32;
                    self.states.find(&to).unwrap_or_else(new)
                }
            };
            edges.push(Edge { to, marks, draw, adversary: has_fault });
            if how.extent.chances {
                next.chances.push((to, chance));
            }
        };
        let stops = self.compiled.ticks(from, &mut missing, tick).is_err();
        next.stops |= stops;
        next.missing.0.append(&mut missing);
    }

    /// Gives numbers to new states, and to the ends of edges.
    fn settle(&mut self, next: &mut Next, known: u32) {
        let rows = next.new.chunks_exact(self.compiled.width());
        let mut new = Vec::with_capacity(next.hashes.len());
        for ((hash, shape), row) in next.hashes.iter().zip(rows) {
            new.push(self.states.add(*hash, row));
            if self.shape.len() < self.states.len() {
                self.shape.push(*shape);
            }
        }
        let number = |to: &mut u32| {
            if let Some(at) = to.checked_sub(known) {
                *to = new[at as usize];
            }
        };
        next.edges.iter_mut().for_each(|edge| number(&mut edge.to));
        next.chances.iter_mut().for_each(|(to, _)| number(to));
    }

    /// Finds the forms of starts, and their numbers.
    fn start(&mut self, starts: Vec<Between<E>>) -> Result<Vec<u32>, String> {
        let form = |start: usize| self.shapes.form(starts[start].clone());
        let forms = parallel::map(starts.len(), form).into_iter();
        let forms: Option<Vec<Between<E>>> = forms.collect();
        let forms = forms.ok_or("a start is beyond the bounds")?.into_iter();
        let numbers = forms.map(|form| self.states.put(&self.compiled.put(form))).collect();
        self.shapes.look_at_nodes(&self.compiled);
        let row = |number: usize| self.states.get(number as u32);
        let rows: Vec<&[u32]> = (0..self.states.len()).map(row).collect();
        self.shape = self.shapes.of_forms(&mut self.compiled, &rows);
        Ok(numbers)
    }

    /// The graph of all that can be reached from these states by ticks whose marks are followed.
    fn explore(
        mut self,
        starts: Vec<Between<E>>,
        extent: Extent,
        is_followed: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Explored<'a, E>, String> {
        let (mut graph, mut cut) = (GraphBuilder::new(), None);
        let mut chain = extent.chances.then(Chain::default);
        let starts = self.start(starts)?;
        starts.iter().for_each(|start| graph.start(*start));
        // Without time there are runs that do not go round by round.
        let is_partial = extent.orders != Orders::All
            || self.shapes.forms.system.rules.timing == Timing::Asynchronous;
        let how = Following { extent, is_followed };
        let mut at = 0;
        while at < self.states.len() {
            let known = self.states.len();
            let end = known.min(at + BATCH);
            let followed = end.min(extent.states).max(at);
            let mut all = self.follow(at as u32..followed as u32, &how).into_iter();
            for _ in at..end {
                let is_full = self.states.len() >= 2 * extent.states;
                let Some(mut next) = all.next().filter(|_| !is_full) else {
                    cut = Some("states");
                    chain.iter_mut().for_each(|chain| chain.state(Vec::new()));
                    let this = graph.state([]);
                    graph.cut(this);
                    continue;
                };
                if next.has_many_draws {
                    return Err("too many timers may fire in a tick".to_string());
                }
                self.settle(&mut next, known as u32);
                if let Some(chain) = &mut chain {
                    chain.state(next.chances);
                }
                let this = graph.state(next.edges);
                if next.is_cut {
                    cut.get_or_insert(self.shapes.forms.bound());
                }
                if next.is_cut || is_partial {
                    graph.cut(this);
                }
                if next.stops {
                    graph.stop(this);
                }
            }
            at = end;
        }
        let graph = graph.build().map_err(|defect| defect.to_string())?;
        let Explorer { compiled, shapes, states, .. } = self;
        Ok(Explored { graph, cut, starts, chain, compiled, shapes, states })
    }
}

/// The graph of all that can be reached from these states by ticks whose marks are followed.
pub(super) fn explore<'a, E: Election>(
    system: &'a System<E>,
    links: &'a Topology,
    starts: Vec<Between<E>>,
    extent: Extent,
    is_followed: &(dyn Fn(u32) -> bool + Sync),
) -> Result<Explored<'a, E>, String> {
    let explorer = Explorer::new(system, links, extent, Grain::Exact);
    explorer.explore(starts, extent, is_followed)
}

/// The graph of wide forms: see `wide.rs`.
pub(super) fn explore_wide<'a, E: Election>(
    system: &'a System<E>,
    links: &'a Topology,
    starts: Vec<Between<E>>,
    extent: Extent,
) -> Result<Explored<'a, E>, String> {
    let extent = Extent { spread: u64::MAX, ..extent };
    let explorer = Explorer::new(system, links, extent, Grain::Wide);
    explorer.explore(starts, extent, &|_| true)
}
