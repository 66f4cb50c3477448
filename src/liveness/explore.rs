//! The graph of everything that a timed system can do, tick by tick.

use std::sync::Arc;

use rayon::prelude::*;

use super::apart::{Grain, Instance};
use super::between::Between;
use super::chain::Chain;
use super::compiled::{Compiled, Parts, Passed};
use super::graph::{Edge, Graph, GraphBuilder};
use super::marks::{Observer, Reigns, marks};
use super::numbers::{Known, Rows, Table};
use super::ticking::Forms;
use super::ticks::Orders;
use super::wide::change;
use crate::election::Election;
use crate::semantics::topology::Topology;
use crate::semantics::{System, Timing};

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
    grain: Grain,
    forms: Forms<'a, E>,
    rows: Rows,
    number: Vec<u32>,
    states: Vec<u32>,
}

impl<E: Election> Explored<'_, E> {
    /// The state with this number.
    pub(super) fn state(&self, number: u32) -> Between<E> {
        self.compiled.state(self.rows.get(self.states[number as usize]))
    }

    /// The numbers of the states here that are forms of the states of another graph.
    pub(super) fn forms_of(&self, other: &Explored<'_, E>) -> Vec<u32> {
        let all: Vec<u32> = (0..other.graph.states()).collect();
        let number = |state: &u32| {
            let (form, _) = self.forms.form(self.grain, other.state(*state))?;
            let row = self.rows.find(&self.compiled.row(&self.compiled.find(form))?)?;
            Some(self.number[row as usize]).filter(|number| *number != UNNUMBERED)
        };
        let mut numbers: Vec<u32> = all.par_iter().filter_map(number).collect();
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
        self.states.iter().map(|row| self.compiled.state(self.rows.get(*row)))
    }
}

/// So many states are followed at a time. Forms of new states are found by all threads.
const BATCH: usize = 1 << 12;

/// A state without a form, because a bound is in the way.
const BEYOND: u32 = u32::MAX;
/// A state whose form has not been found yet.
const UNFORMED: u32 = u32::MAX - 1;
/// A state that has no number yet.
const UNNUMBERED: u32 = u32::MAX;

/// What is looked at in a state before or after a tick.
#[derive(PartialEq, Eq, Hash)]
struct Seen {
    reigns: Reigns,
    /// What its form leaves out.
    excess: u64,
}

/// A search under way. A state is known by the number of its row, be it a form or not.
struct Explorer<'a, E: Election> {
    compiled: Compiled<'a, E>,
    grain: Grain,
    forms: Forms<'a, E>,
    observer: Observer<'a, E>,
    rows: Rows,
    /// By row: the row of its form, [`BEYOND`], or [`UNFORMED`].
    form: Vec<u32>,
    /// By row.
    seen: Vec<u32>,
    all_seen: Table<Seen>,
    /// By row: the number of the state, if it is the form of one that is followed.
    number: Vec<u32>,
    /// By number: the row.
    states: Vec<u32>,
}

/// What is found out about a new state.
struct Formed<E: Election> {
    seen: Known<Seen>,
    form: Option<(Parts<E>, Known<Seen>)>,
}

/// A tick from a state, with the row of the state after it.
type Tick = (Passed, u32);

/// What a form goes on to: the ticks from each state that it stands for, by row; and whether time
/// stops in one of them.
struct Next {
    ticks: Vec<(u32, Vec<Tick>)>,
    stops: bool,
}

/// The edges of a state; how likely each is; and whether some ticks lead beyond the bounds.
type Edges = (Vec<Edge>, Vec<f64>, bool);

impl<'a, E: Election> Explorer<'a, E> {
    fn new(system: &'a System<E>, links: &'a Topology, extent: Extent, grain: Grain) -> Self {
        let compiled = Compiled::new(system, links, extent.orders);
        Explorer {
            rows: Rows::new(compiled.width()),
            compiled,
            grain,
            forms: Forms::new(system, links, extent.spread),
            observer: Observer::new(system, links),
            form: Vec::new(),
            seen: Vec::new(),
            all_seen: Table::new(),
            number: Vec::new(),
            states: Vec::new(),
        }
    }

    /// Makes room for what is known of each row.
    fn grow(&mut self) {
        self.form.resize(self.rows.len(), UNFORMED);
        self.seen.resize(self.rows.len(), 0);
        self.number.resize(self.rows.len(), UNNUMBERED);
    }

    /// Finds the forms of all states from this row on.
    fn form_from(&mut self, first: usize) {
        let new: Vec<u32> = (first..self.rows.len()).map(|row| row as u32).collect();
        self.grow();
        for some in new.chunks(BATCH) {
            let formed: Vec<Formed<E>> = some.par_iter().map(|row| self.formed(*row)).collect();
            for (row, Formed { seen, form }) in some.iter().zip(formed) {
                self.seen[*row as usize] = self.all_seen.add(seen);
                self.form[*row as usize] = match form {
                    Some((parts, seen)) => self.add_form(parts, seen),
                    None => BEYOND,
                };
            }
        }
    }

    /// Every tick from each of these states.
    fn ticks(&mut self, states: &[u32]) -> Vec<Next> {
        let instances = self.instances(states);
        let known = self.rows.len();
        let mut next = |instances: &Vec<u32>| {
            let (mut all, mut stops) = (Vec::with_capacity(instances.len()), false);
            for &instance in instances {
                let (row, mut ticks) = (self.rows.get(instance).to_vec(), Vec::new());
                let tick = |passed, after: &[u32]| ticks.push((passed, self.rows.put(after)));
                stops |= self.compiled.ticks(&row, tick).is_err();
                all.push((instance, ticks));
            }
            Next { ticks: all, stops }
        };
        let all = instances.iter().map(&mut next).collect();
        self.form_from(known);
        all
    }

    /// The states that each of these forms stands for, as far as they may go on in different ways.
    fn instances(&mut self, states: &[u32]) -> Vec<Vec<u32>> {
        if self.grain == Grain::Exact {
            return states.iter().map(|state| vec![*state]).collect();
        }
        let found = |state: &u32| {
            let form = self.compiled.state(self.rows.get(*state));
            let instances = self.forms.instances(&form).into_iter();
            let found = instances.map(|Instance { state, excess }| {
                let seen = self.seen(&state, excess);
                (self.compiled.find(state), seen)
            });
            found.collect::<Vec<_>>()
        };
        let all: Vec<Vec<(Parts<E>, Known<Seen>)>> = states.par_iter().map(found).collect();
        let mut rows = Vec::with_capacity(states.len());
        for (form, instances) in states.iter().zip(all) {
            let add = |(parts, seen)| self.add(parts, seen, *form);
            rows.push(instances.into_iter().map(add).collect());
        }
        rows
    }

    /// The ticks from a state whose marks are followed, as edges.
    fn edges(
        &mut self,
        next: &Next,
        in_flight: usize,
        is_followed: &impl Fn(u32) -> bool,
    ) -> Result<Edges, String> {
        let (mut edges, mut chances, mut is_cut) = (Vec::new(), Vec::new(), false);
        let all =
            next.ticks.iter().flat_map(|(from, ticks)| ticks.iter().map(|tick| (*from, tick)));
        for (from, (Passed { draw, has_fault, idle, chance }, after)) in all {
            let seen = |row: u32| self.all_seen.get(self.seen[row as usize]);
            let (before, then) = (seen(from), seen(*after));
            let marks = marks(&before.reigns, &then.reigns) | idle;
            let marks = marks | change(before.excess, then.excess);
            if !is_followed(marks) {
                continue;
            }
            let draw = u16::try_from(*draw).map_err(|_| "too many timers may fire in a tick")?;
            match self.form[*after as usize] {
                BEYOND => is_cut = true,
                form if self.compiled.in_flight(self.rows.get(form)) > in_flight => is_cut = true,
                form => {
                    let to = self.number(form);
                    edges.push(Edge { to, marks, draw, adversary: *has_fault });
                    chances.push(*chance);
                }
            }
        }
        Ok((edges, chances, is_cut))
    }

    fn seen(&self, state: &Between<E>, excess: u64) -> Known<Seen> {
        self.all_seen.find(Arc::new(Seen { reigns: self.observer.reigns(state), excess }))
    }

    fn formed(&self, row: u32) -> Formed<E> {
        let state = self.compiled.state(self.rows.get(row));
        let reigns = self.observer.reigns(&state);
        let formed = self.forms.form(self.grain, state);
        let excess = formed.as_ref().map_or(0, |(_, excess)| *excess);
        Formed {
            seen: self.all_seen.find(Arc::new(Seen { reigns, excess })),
            form: formed.map(|(form, _)| {
                let seen = self.seen(&form, 0);
                (self.compiled.find(form), seen)
            }),
        }
    }

    fn add_form(&mut self, parts: Parts<E>, seen: Known<Seen>) -> u32 {
        let form = self.rows.put(&self.compiled.add(parts));
        self.note(form, seen, form);
        form
    }

    /// The row of a state with this form.
    fn add(&mut self, parts: Parts<E>, seen: Known<Seen>, form: u32) -> u32 {
        let row = self.rows.put(&self.compiled.add(parts));
        self.note(row, seen, form);
        row
    }

    fn note(&mut self, row: u32, seen: Known<Seen>, form: u32) {
        self.grow();
        let at = row as usize;
        if self.form[at] == UNFORMED {
            (self.form[at], self.seen[at]) = (form, self.all_seen.add(seen));
        }
    }

    /// The number of a state, which gets one if it has none. It is a form.
    fn number(&mut self, form: u32) -> u32 {
        let number = &mut self.number[form as usize];
        if *number == UNNUMBERED {
            *number = self.states.len() as u32;
            self.states.push(form);
        }
        *number
    }

    /// Finds the forms of starts, and their numbers.
    fn start(&mut self, starts: Vec<Between<E>>) -> Result<Vec<u32>, String> {
        let formed = |start| {
            let (form, _) = self.forms.form(self.grain, start)?;
            let seen = self.seen(&form, 0);
            Some((self.compiled.find(form), seen))
        };
        let all: Option<Vec<(Parts<E>, Known<Seen>)>> =
            starts.into_par_iter().map(formed).collect();
        let mut numbers = Vec::new();
        for (parts, seen) in all.ok_or("a start is beyond the bounds")? {
            let form = self.add_form(parts, seen);
            numbers.push(self.number(form));
        }
        Ok(numbers)
    }

    /// The graph of all that can be reached from these states by ticks whose marks are followed.
    fn explore(
        mut self,
        starts: Vec<Between<E>>,
        extent: Extent,
        is_followed: impl Fn(u32) -> bool,
    ) -> Result<Explored<'a, E>, String> {
        let (mut graph, mut cut) = (GraphBuilder::new(), None);
        let mut chain = extent.chances.then(Chain::default);
        let starts = self.start(starts)?;
        starts.iter().for_each(|start| graph.start(*start));
        // Without time there are runs that do not go round by round.
        let is_partial =
            self.forms.system.rules.timing == Timing::Asynchronous || extent.orders != Orders::All;
        let mut at = 0;
        while at < self.states.len() {
            let batch: Vec<u32> = self.states[at..].iter().copied().take(BATCH).collect();
            let followed = batch.len().min(extent.states.saturating_sub(at));
            let mut next = self.ticks(&batch[..followed]).into_iter();
            for _ in &batch {
                let is_full = self.states.len() >= 2 * extent.states;
                let Some(next) = next.next().filter(|_| !is_full) else {
                    cut = Some("states");
                    chain.iter_mut().for_each(|chain| chain.state(Vec::new()));
                    let this = graph.state([]);
                    graph.cut(this);
                    continue;
                };
                let (edges, chances, is_cut) = self.edges(&next, extent.in_flight, &is_followed)?;
                if let Some(chain) = &mut chain {
                    chain.state(edges.iter().map(|edge| edge.to).zip(chances).collect());
                }
                let this = graph.state(edges);
                if is_cut {
                    cut.get_or_insert(self.forms.bound());
                }
                if is_cut || is_partial {
                    graph.cut(this);
                }
                if next.stops {
                    graph.stop(this);
                }
            }
            at += batch.len();
        }
        let graph = graph.build().map_err(|defect| defect.to_string())?;
        let Explorer { compiled, grain, forms, rows, number, states, .. } = self;
        Ok(Explored { graph, cut, starts, chain, compiled, grain, forms, rows, number, states })
    }
}

/// The graph of all that can be reached from these states by ticks whose marks are followed.
pub(super) fn explore<'a, E: Election>(
    system: &'a System<E>,
    links: &'a Topology,
    starts: Vec<Between<E>>,
    extent: Extent,
    is_followed: impl Fn(u32) -> bool,
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
    explorer.explore(starts, extent, |_| true)
}
