//! Numbers that come apart without bound: how far apart they are is forgotten where it is far.
//!
//! The numbers of one kind in a part of the network, from the base on, are looked at in order. A
//! *gap*, the distance between two neighbours, is *wide* if it is at least [`WIDE`]. By what it is
//! wider is its *excess*. The *wide form* of a state is the canonical form of the state without
//! excess: it stands for all states that differ from it in the excess of its wide gaps.
//!
//! In a tick a node compares numbers and counts one up by one. So all of these states but those
//! with no excess go on alike, except that the excess may fall or rise. See "Numbers that come
//! apart" in `docs/liveness.md`.

use super::between::Between;
use super::canonical::{components, each};
use super::ticking::Forms;
use crate::election::{Counter, Counting, Election, NodeSet};

/// From this on it does not count how wide a gap is. In a tick, what is below may come up by one:
/// so it stays below, and a number that is looked at from both sides is not mistaken.
pub(super) const WIDE: u64 = 3;

/// In a tick a gap becomes narrower by at most as much. What is below may come up by one, and
/// what is above may leave behind the number before its own (Multi-Paxos: the round that a node has
/// used). From 0, which is none yet, a node of Paxos goes on to a ballot of its own in the first
/// round, and that is less than two steps.
const FALL: u64 = 2;

/// Which states go on alike, so that one form stands for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    /// Those with one canonical form.
    Exact,
    /// Those with one wide form. They go on alike but for how their excess changes.
    Wide,
}

/// A wide gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    part: usize,
    kind: usize,
    /// The number at its upper end.
    upper: u64,
    /// By how many steps it is wider than [`WIDE`].
    excess: u64,
}

/// The wide gaps of a state in its parts, from below.
fn gaps<E: Election>(
    state: &mut Between<E>,
    countings: &[Counting],
    parts: &[NodeSet],
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (part, nodes) in parts.iter().enumerate() {
        let mut numbers: Vec<(Counter, u64)> = Vec::new();
        each(state, *nodes, &mut |counter, number| {
            numbers.push((counter, number));
            number
        });
        for (kind, counting) in countings.iter().enumerate() {
            let step = counting.step.max(1);
            let mine = || numbers.iter().filter(|(counter, _)| counter.kind == kind);
            let growing = mine().filter(|(counter, _)| counter.grows).map(|(_, number)| *number);
            // Where nothing grows, numbers are only compared, and their distances are not kept.
            let Some(lowest) = growing.min() else { continue };
            let base = lowest / step * step;
            let mut all: Vec<u64> =
                mine().map(|(_, number)| *number).filter(|number| *number >= base).collect();
            all.sort_unstable();
            all.dedup();
            for pair in all.windows(2) {
                let width = (pair[1] - pair[0]) / step;
                if width >= WIDE {
                    gaps.push(Gap { part, kind, upper: pair[1], excess: width - WIDE });
                }
            }
        }
    }
    gaps
}

/// Moves what is above each gap, by as many steps as `by` says.
fn shift<E: Election>(
    state: &mut Between<E>,
    countings: &[Counting],
    parts: &[NodeSet],
    gaps: &[Gap],
    by: impl Fn(usize) -> i64,
) {
    for (part, nodes) in parts.iter().enumerate() {
        each(state, *nodes, &mut |counter, number| {
            let below = |gap: &Gap| gap.part == part && gap.kind == counter.kind;
            let moved = gaps.iter().enumerate().filter(|(_, gap)| below(gap));
            let steps: i64 = moved.filter(|(_, gap)| gap.upper <= number).map(|(i, _)| by(i)).sum();
            number.saturating_add_signed(steps * countings[counter.kind].step.max(1) as i64)
        });
    }
}

/// A state of which each wide gap has some excess or none.
pub(super) struct Instance<E: Election> {
    pub(super) state: Between<E>,
    /// The sum over all wide gaps.
    pub(super) excess: u64,
}

impl<E: Election> Forms<'_, E> {
    /// The parts of the network in which numbers are compared with each other.
    fn parts_of(&self, state: &Between<E>) -> Vec<NodeSet> {
        components(self.links, state.present())
    }

    /// The form of a state, and the excess that it has lost; `None` if it is too far away.
    pub(super) fn form(&self, grain: Grain, state: Between<E>) -> Option<(Between<E>, u64)> {
        match grain {
            Grain::Exact => Some((self.canonical(state)?, 0)),
            Grain::Wide => self.wide_form(state),
        }
    }

    /// The states that a form stands for, as far as they may go on in different ways.
    pub(super) fn stands_for(&self, grain: Grain, form: &Between<E>) -> Vec<Instance<E>> {
        match grain {
            Grain::Exact => vec![Instance { state: form.clone(), excess: 0 }],
            Grain::Wide => self.instances(form),
        }
    }

    /// The wide form of a state, and the excess that it has lost; `None` if it is too far away.
    pub(super) fn wide_form(&self, mut state: Between<E>) -> Option<(Between<E>, u64)> {
        state.lose(self.system, self.links);
        state.simplify(self.system, self.links);
        let parts = self.parts_of(&state);
        let gaps = gaps(&mut state, &self.countings, &parts);
        let excess = gaps.iter().map(|gap| gap.excess).sum();
        if excess > 0 {
            let by = |i: usize| -(gaps[i].excess as i64);
            shift(&mut state, &self.countings, &parts, &gaps, by);
        }
        Some((self.canonical(state)?, excess))
    }

    /// What a wide form stands for, up to what goes on alike: each wide gap without excess, and
    /// with some.
    pub(super) fn instances(&self, form: &Between<E>) -> Vec<Instance<E>> {
        let parts = self.parts_of(form);
        let gaps = gaps(&mut form.clone(), &self.countings, &parts);
        let mut all: Vec<Vec<u64>> = vec![Vec::new()];
        for _ in &gaps {
            let longer = |by: &Vec<u64>| {
                let by = by.clone();
                (0..=FALL).map(move |excess| by.iter().copied().chain([excess]).collect())
            };
            all = all.iter().flat_map(longer).collect();
        }
        let instance = |by: Vec<u64>| {
            let mut state = form.clone();
            if by.iter().any(|by| *by > 0) {
                shift(&mut state, &self.countings, &parts, &gaps, |i| by[i] as i64);
            }
            Instance { state, excess: by.iter().sum() }
        };
        all.into_iter().map(instance).collect()
    }

    /// A wide form with so much excess in each wide gap.
    pub(super) fn wider(&self, form: &Between<E>, by: u64) -> Instance<E> {
        let parts = self.parts_of(form);
        let mut state = form.clone();
        let gaps = gaps(&mut state, &self.countings, &parts);
        shift(&mut state, &self.countings, &parts, &gaps, |_| by as i64);
        Instance { state, excess: by * gaps.len() as u64 }
    }
}
