//! The graph of everything that a timed system can do, tick by tick.

use std::sync::Arc;

use rayon::prelude::*;

use super::between::Between;
use super::compiled::{Compiled, Parts, Passed};
use super::graph::{Edge, Graph, GraphBuilder};
use super::marks::{Observer, Reigns, marks};
use super::numbers::{Known, Rows, Table};
use super::ticking::Forms;
use crate::election::Election;
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
pub(super) struct Explored<'a, E: Election> {
    pub(super) graph: Graph,
    /// Why some states have not been followed, if so.
    pub(super) cut: Option<&'static str>,
    /// The numbers of the states that were given as starts.
    pub(super) starts: Vec<u32>,
    compiled: Compiled<'a, E>,
    rows: Rows,
    states: Vec<u32>,
}

impl<E: Election> Explored<'_, E> {
    /// The state with this number.
    pub(super) fn state(&self, number: u32) -> Between<E> {
        self.compiled.state(self.rows.get(self.states[number as usize]))
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

/// A search under way. A state is known by the number of its row, be it a form or not.
struct Explorer<'a, E: Election> {
    compiled: Compiled<'a, E>,
    forms: Forms<'a, E>,
    observer: Observer<'a, E>,
    rows: Rows,
    /// By row: the row of its form, [`BEYOND`], or [`UNFORMED`].
    form: Vec<u32>,
    /// By row: who leads.
    reigns: Vec<u32>,
    all_reigns: Table<Reigns>,
    /// By row: the number of the state, if it is the form of one that is followed.
    number: Vec<u32>,
    /// By number: the row.
    states: Vec<u32>,
}

/// What is found out about a new state.
struct Formed<E: Election> {
    reigns: Known<Reigns>,
    form: Option<(Parts<E>, Known<Reigns>)>,
}

impl<'a, E: Election> Explorer<'a, E> {
    fn new(system: &'a System<E>, links: &'a Topology, spread: u64) -> Self {
        let compiled = Compiled::new(system, links);
        Explorer {
            rows: Rows::new(compiled.width()),
            compiled,
            forms: Forms::new(system, links, spread),
            observer: Observer::new(system, links),
            form: Vec::new(),
            reigns: Vec::new(),
            all_reigns: Table::new(),
            number: Vec::new(),
            states: Vec::new(),
        }
    }

    /// Makes room for what is known of each row.
    fn grow(&mut self) {
        self.form.resize(self.rows.len(), UNFORMED);
        self.reigns.resize(self.rows.len(), 0);
        self.number.resize(self.rows.len(), UNNUMBERED);
    }

    /// Finds the forms of all states from this row on.
    fn form_from(&mut self, first: usize) {
        let new: Vec<u32> = (first..self.rows.len()).map(|row| row as u32).collect();
        self.grow();
        for some in new.chunks(BATCH) {
            let formed: Vec<Formed<E>> = some.par_iter().map(|row| self.formed(*row)).collect();
            for (row, Formed { reigns, form }) in some.iter().zip(formed) {
                self.reigns[*row as usize] = self.all_reigns.add(reigns);
                self.form[*row as usize] = match form {
                    Some((parts, reigns)) => self.add_form(parts, reigns),
                    None => BEYOND,
                };
            }
        }
    }

    /// Every tick from each of these states, with the row of the state after it; and whether time
    /// stops there.
    fn ticks(&mut self, states: &[u32], narrow: bool) -> Vec<(Vec<(Passed, u32)>, bool)> {
        let known = self.rows.len();
        let mut each = |state: &u32| {
            let (row, mut ticks) = (self.rows.get(*state).to_vec(), Vec::new());
            let tick = |passed, after: &[u32]| ticks.push((passed, self.rows.put(after)));
            let stops = self.compiled.ticks(&row, narrow, tick).is_err();
            (ticks, stops)
        };
        let all = states.iter().map(&mut each).collect();
        self.form_from(known);
        all
    }

    /// The ticks from a state whose marks are followed, as edges; and whether some lead beyond the
    /// bounds.
    fn edges(
        &mut self,
        from: u32,
        ticks: Vec<(Passed, u32)>,
        is_followed: &impl Fn(u32) -> bool,
    ) -> Result<(Vec<Edge>, bool), String> {
        let (mut edges, mut is_cut) = (Vec::new(), false);
        for (Passed { draw, has_fault, idle }, after) in ticks {
            let reigns = |row: u32| self.all_reigns.get(self.reigns[row as usize]);
            let marks = marks(reigns(from), reigns(after)) | idle;
            if !is_followed(marks) {
                continue;
            }
            let draw = u16::try_from(draw).map_err(|_| "too many timers may fire in a tick")?;
            match self.form[after as usize] {
                BEYOND => is_cut = true,
                form => {
                    let to = self.number(form);
                    edges.push(Edge { to, marks, draw, adversary: has_fault });
                }
            }
        }
        Ok((edges, is_cut))
    }

    fn formed(&self, row: u32) -> Formed<E> {
        let state = self.compiled.state(self.rows.get(row));
        let reigns =
            |state: &Between<E>| self.all_reigns.find(Arc::new(self.observer.reigns(state)));
        Formed {
            reigns: reigns(&state),
            form: self.forms.canonical(state).map(|form| {
                let reigns = reigns(&form);
                (self.compiled.find(form), reigns)
            }),
        }
    }

    fn add_form(&mut self, parts: Parts<E>, reigns: Known<Reigns>) -> u32 {
        let form = self.rows.put(&self.compiled.add(parts));
        self.grow();
        let at = form as usize;
        if self.form[at] == UNFORMED {
            (self.form[at], self.reigns[at]) = (form, self.all_reigns.add(reigns));
        }
        form
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
}

/// The graph of all that can be reached from these states by ticks whose marks are followed.
pub(super) fn explore<'a, E: Election>(
    system: &'a System<E>,
    links: &'a Topology,
    starts: Vec<Between<E>>,
    extent: Extent,
    is_followed: impl Fn(u32) -> bool,
) -> Result<Explored<'a, E>, String> {
    let mut explorer = Explorer::new(system, links, extent.spread);
    let (mut graph, mut cut) = (GraphBuilder::new(), None);
    let mut numbers = Vec::with_capacity(starts.len());
    for start in starts {
        let form = explorer.forms.canonical(start).ok_or("a start is beyond the bounds")?;
        let parts = explorer.compiled.find(form);
        let row = explorer.compiled.add(parts);
        let row = explorer.rows.put(&row);
        explorer.form_from(row as usize);
        numbers.push(explorer.number(row));
    }
    for start in &numbers {
        graph.start(*start);
    }
    let mut at = 0;
    while at < explorer.states.len() {
        let batch: Vec<u32> = explorer.states[at..].iter().copied().take(BATCH).collect();
        let followed = batch.len().min(extent.states.saturating_sub(at));
        let ticks = explorer.ticks(&batch[..followed], extent.narrow);
        let mut ticks = ticks.into_iter();
        for state in &batch {
            let is_full = explorer.states.len() >= 2 * extent.states;
            let Some((ticks, stops)) = ticks.next().filter(|_| !is_full) else {
                cut = Some("states");
                let this = graph.state([]);
                graph.cut(this);
                continue;
            };
            let (edges, is_cut) = explorer.edges(*state, ticks, &is_followed)?;
            let this = graph.state(edges);
            if is_cut {
                cut.get_or_insert(explorer.forms.bound());
            }
            // Without time there are runs that do not go round by round.
            if is_cut || system.rules.timing == Timing::Asynchronous {
                graph.cut(this);
            }
            if stops {
                graph.stop(this);
            }
        }
        at += batch.len();
    }
    let graph = graph.build().map_err(|defect| defect.to_string())?;
    let Explorer { compiled, rows, states, .. } = explorer;
    Ok(Explored { graph, cut, starts: numbers, compiled, rows, states })
}
