//! One form for all states that differ only in how far their terms have grown.
//!
//! See [`Election::renumber`] for what a protocol says of its numbers. The nodes of a part of the
//! network that has no link to the rest are numbered anew by themselves: they are never compared
//! with the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stateright::actor::Id;

use super::between::Between;
use crate::election::{Counter, Counting, Election, NodeSet, Part};
use crate::semantics::node::NodeOf;
use crate::semantics::topology::Topology;

/// A number that has run too far ahead of the others: the state is beyond the bound of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooFarApart;

/// How numbers are replaced, for one kind of them.
struct Renumbering {
    /// The lowest number that still grows, as a multiple of the shift.
    base: u64,
    /// The numbers below it, 0 aside, and what takes their place: numbers in the same order, and
    /// with the same remainders, since these say whose turn it is.
    below: BTreeMap<u64, u64>,
    /// The number that takes the place of `base`.
    new_base: u64,
}

impl Renumbering {
    fn of(numbers: &[(Counter, u64)], kind: usize, counting: &Counting) -> Self {
        let mine = || numbers.iter().filter(|(counter, _)| counter.kind == kind);
        let growing = mine().filter(|(counter, _)| counter.grows).map(|(_, number)| *number);
        let all: BTreeSet<u64> = mine().map(|(_, number)| *number).collect();
        let step = counting.step.max(1);
        let base = match (growing.min(), all.last()) {
            (Some(lowest), _) => lowest / step * step,
            // Nothing grows: all are only compared.
            (None, highest) => highest.map_or(0, |highest| (highest + 1).next_multiple_of(step)),
        };
        let (mut below, mut last) = (BTreeMap::new(), 0);
        for &number in all.range(..base).filter(|number| **number > 0) {
            // The least number above the last that has the same remainder.
            last += 1 + (number % step + step - (last + 1) % step) % step;
            below.insert(number, last);
        }
        let new_base = if base == 0 { 0 } else { (last + 1).next_multiple_of(step) };
        Renumbering { base, below, new_base }
    }

    fn instead_of(&self, number: u64) -> u64 {
        match number {
            0 => 0,
            n if n >= self.base => n - self.base + self.new_base,
            n => self.below[&n],
        }
    }
}

/// The parts of a network without links between them, in either direction. Only these nodes count:
/// one that is down for good links nobody.
pub(super) fn components(links: &Topology, nodes: NodeSet) -> Vec<NodeSet> {
    let mut left: BTreeSet<Id> = nodes.iter().collect();
    let mut all = Vec::new();
    while let Some(first) = left.pop_first() {
        let (mut part, mut open) = (NodeSet::default(), vec![first]);
        while let Some(id) = open.pop() {
            part.insert(id);
            let is_near = |other: &Id| links.is_up(id, *other) || links.is_up(*other, id);
            let near: Vec<Id> = left.iter().copied().filter(is_near).collect();
            near.iter().for_each(|id| {
                left.remove(id);
            });
            open.extend(near);
        }
        all.push(part);
    }
    all
}

/// Numbers a state anew.
pub(super) fn renumber<E: Election>(
    state: &mut Between<E>,
    countings: &[Counting],
    components: &[NodeSet],
    spread: u64,
) -> Result<(), TooFarApart> {
    if countings.is_empty() {
        return Ok(());
    }
    for part in components {
        let mut numbers = Vec::new();
        each(state, *part, &mut |counter, number| {
            numbers.push((counter, number));
            number
        });
        let kinds = countings.iter().enumerate();
        let renumberings: Vec<Renumbering> =
            kinds.map(|(kind, counting)| Renumbering::of(&numbers, kind, counting)).collect();
        let is_too_far = |(counter, number): &(Counter, u64)| {
            let (step, base) = (countings[counter.kind].step, renumberings[counter.kind].base);
            counter.grows && number.saturating_sub(base) > spread.saturating_mul(step.max(1))
        };
        if numbers.iter().any(is_too_far) {
            return Err(TooFarApart);
        }
        if renumberings.iter().any(|r| r.base != r.new_base || !r.below.is_empty()) {
            each(state, *part, &mut |counter, number| {
                renumberings[counter.kind].instead_of(number)
            });
        }
    }
    Ok(())
}

/// Shows every number of a part of the system, and replaces it by the answer.
pub(super) fn each<E: Election>(
    state: &mut Between<E>,
    part: NodeSet,
    new: &mut dyn FnMut(Counter, u64) -> u64,
) {
    for id in part.iter() {
        let i = usize::from(id);
        let may_start = state.may_start(&state.nodes[i]);
        let node: &mut NodeOf<E> = Arc::make_mut(&mut state.nodes[i]);
        if let Some(memory) = &mut node.state {
            E::renumber(Part::State(Arc::make_mut(memory)), new);
        }
        if let Some(disk) = &mut node.storage {
            E::renumber(Part::Disk(Arc::make_mut(disk)), new);
        } else if may_start {
            E::renumber(Part::NoDisk, new);
        }
        let timers = std::mem::take(&mut node.timers);
        node.timers = timers
            .into_iter()
            .map(|(mut timer, age)| {
                E::renumber(Part::Timer(&mut timer), new);
                (timer, age)
            })
            .collect();
        state.due[i].change(|msg| E::renumber(Part::Message(msg), new));
    }
}
