//! How long it takes until a leader stays, or until all have learned the value.

use std::collections::HashMap;

use super::between::Between;
use super::graph::Graph;
use super::marks::Observer;
use super::report::{Asked, Report};
use super::retell::Phase;
use super::ticking::Forms;
use super::waiting::Waiting;
use super::walks::{Now, Sampled, Walk, sample};
use crate::election::Election;
use crate::semantics::world::Faults;
use crate::semantics::{Step, System, SystemState, Timing};

/// A clock that starts with the system, or, if links are cut, with the cut, which comes as soon as
/// it may.
struct Clock<'r, 'a, E: Election> {
    report: &'r Report<'a, E>,
    /// By state of the last graph: whether from there on every run stays good.
    settled: Vec<bool>,
    observer: Observer<'r, E>,
}

impl<E: Election> Report<'_, E> {
    /// How many ticks pass until a leader stays on every run that follows, or, where a value is to
    /// be learned, until all have learned it: where timers and the order of delivery are random and
    /// nothing fails. It needs the [`Extent::chances`](super::Extent). If links are cut, the cut
    /// comes as soon as it may, and ticks count from there.
    ///
    /// # Errors
    /// Not everything was followed, or something may fail, or time may begin in many states, or it
    /// takes too long to be computed.
    pub fn waiting(&self) -> Result<Waiting, String> {
        let clock = Clock::new(self)?;
        let chain = self.last().explored.chain.as_ref().ok_or(NO_CHANCES)?;
        chain.waiting(&clock.start()?, &clock.settled)
    }

    /// The same by so many random walks over the reference semantics.
    ///
    /// # Errors
    /// As of [`waiting`](Report::waiting).
    pub fn sampled(&self, walks: u32, seed: u64) -> Result<Sampled, String> {
        let clock = Clock::new(self)?;
        let ahead = Ahead::new(self, self.last(), &clock.settled)?;
        let [before, after] = &self.phases[..] else {
            return Ok(sample(self.system, walks, seed, |_| (), |state| clock.look(state, &ahead)));
        };
        let may_cut = clock.may_cut(before);
        let until_cut = Ahead::new(self, before, &may_cut)?;
        let start = |walk: &mut Walk<'_, E>| {
            loop {
                match until_cut.look(&walk.state) {
                    Now::Open => walk.tick(),
                    Now::Settled => break,
                    // The cut never comes on this run, so it does not count.
                    Now::Hopeless => walk.begin_again(),
                }
            }
            if after.links != before.links {
                walk.take(&Step::Switch { topology: 1 });
            }
        };
        Ok(sample(self.system, walks, seed, start, |state| clock.look(state, &ahead)))
    }
}

/// What may still come in a graph: whether some of its states are reached.
struct Ahead<'r, E: Election> {
    numbers: HashMap<Between<E>, usize>,
    forms: Forms<'r, E>,
    is_one: &'r [bool],
    hopeless: Vec<bool>,
}

impl<'r, E: Election> Ahead<'r, E> {
    fn new(
        report: &'r Report<'_, E>,
        phase: &'r Phase<'_, E>,
        is_one: &'r [bool],
    ) -> Result<Self, String> {
        let explored = &phase.explored;
        let chain = explored.chain.as_ref().ok_or(NO_CHANCES)?;
        Ok(Ahead {
            numbers: explored.states().zip(0..).collect(),
            forms: Forms::new(report.system, &phase.links, report.extent.spread),
            is_one,
            hopeless: chain.hopeless(is_one),
        })
    }

    fn look(&self, state: &SystemState<E>) -> Now {
        let mut now = Between::of(self.forms.system, state);
        now.lose(self.forms.system, self.forms.links);
        let form = self.forms.canonical(now);
        match form.and_then(|form| self.numbers.get(&form).copied()) {
            Some(number) if self.is_one[number] => Now::Settled,
            Some(number) if !self.hopeless[number] => Now::Open,
            _ => Now::Hopeless,
        }
    }
}

/// Where the clock starts is known but for less than a billionth of all runs. That is little among
/// those that count if they are no fewer than this.
const SELDOM: f64 = 1e-3;

/// Why there are no times.
const NO_CHANCES: &str = "it was not noted how likely each tick is";

impl<'r, 'a, E: Election> Clock<'r, 'a, E> {
    fn new(report: &'r Report<'a, E>) -> Result<Self, String> {
        let System { rules, actors, .. } = report.system;
        let wrong = |why: &str| Err(why.to_string());
        if rules.timing != Timing::Timed {
            return wrong("time is measured where it is kept from the start");
        }
        let Faults { crashes, losses, .. } = rules.faults;
        if crashes > 0 || losses > 0 || E::inputs(actors) > 0 {
            return wrong(
                "nobody knows how likely a crash, a loss or a client's input is: expected none",
            );
        }
        if let Some(bound) = report.phases.iter().find_map(|phase| phase.explored.cut) {
            return Err(format!("not all that can happen was followed: {bound}"));
        }
        let observer = Observer::new(report.system, &report.last().links);
        let is_good = |state: u32| observer.is_good(&report.last().explored.state(state));
        let one_of = Asked::of(report.system)[0].masks(actors.len());
        let settled = settled(report.graph(), &one_of, is_good);
        Ok(Clock { report, settled, observer })
    }

    /// Whether a walk is settled. All have learned, or a leader has a quorum, as its state says
    /// itself. What has been learned is not forgotten, so the graph is asked about leaders only:
    /// whether one stays.
    fn look(&self, state: &SystemState<E>, ahead: &Ahead<'_, E>) -> Now {
        let is_good = self.observer.is_good(&Between::of(self.report.system, state));
        match ahead.look(state) {
            _ if is_good && self.observer.learns => Now::Settled,
            Now::Settled if !is_good => Now::Open,
            now => now,
        }
    }

    /// By state before the cut: whether the cut may come.
    fn may_cut(&self, before: &Phase<'_, E>) -> Vec<bool> {
        let Report { system, when, .. } = self.report;
        before.explored.states().map(|state| when(&state.system_state(system))).collect()
    }

    /// How likely it is in which state the clock starts.
    fn start(&self) -> Result<Vec<(u32, f64)>, String> {
        let phases = &self.report.phases;
        let begin = [(phases[0].explored.starts[0], 1.0)];
        let [before, after] = &phases[..] else { return Ok(begin.to_vec()) };
        let may_cut = self.may_cut(before);
        let chain = before.explored.chain.as_ref().ok_or(NO_CHANCES)?;
        // The starts after the cut were given in the order of the states before it.
        let cuts = (0..may_cut.len()).filter(|state| may_cut[*state]);
        let start: HashMap<usize, u32> = cuts.zip(after.explored.starts.iter().copied()).collect();
        let met = chain.first_met(&begin, &may_cut)?;
        // Runs on which the cut never comes do not count.
        let all: f64 = met.iter().map(|(_, chance)| chance).sum();
        if all < SELDOM {
            return Err(format!("the cut comes too seldom: with probability {all:e}"));
        }
        Ok(met.iter().map(|(state, chance)| (start[&(*state as usize)], chance / all)).collect())
    }
}

/// The states in which it is so, and from which on every run each tick carries one of these masks,
/// always the same. A mark may speak of the state after a tick only, so ticks do not say whether it
/// is so in the first state: `is_so` does.
fn settled(graph: &Graph, one_of: &[u32], is_so: impl Fn(u32) -> bool) -> Vec<bool> {
    let mut settled = vec![false; graph.states() as usize];
    for mask in one_of {
        for (state, inside) in kept(graph, *mask).into_iter().enumerate() {
            settled[state] |= inside;
        }
    }
    settled.iter().zip(0..).map(|(inside, state)| *inside && is_so(state)).collect()
}

/// The states from which on every run each tick carries this mask.
fn kept(graph: &Graph, mask: u32) -> Vec<bool> {
    let own = |state: u32| graph.out(state).iter().filter(|edge| !edge.adversary);
    let is_whole = |state: u32| {
        !graph.is_cut(state) && !graph.is_stop(state) && own(state).all(|edge| edge.carries(mask))
    };
    let mut inside: Vec<bool> = (0..graph.states()).map(is_whole).collect();
    loop {
        let mut is_same = true;
        for state in 0..graph.states() {
            let at = state as usize;
            if inside[at] && own(state).any(|edge| !inside[edge.to as usize]) {
                (inside[at], is_same) = (false, false);
            }
        }
        if is_same {
            return inside;
        }
    }
}
