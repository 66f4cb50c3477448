//! Which properties a state breaks.

use super::steps::step_flag;
use super::{Miss, Program, flag};
use crate::engine::ids::{Key, LocalId, StepId};
use crate::engine::memo::BitmapMemo;
use crate::engine::row::Cell;
use crate::semantics::world::ELECTION_SAFETY;
use crate::semantics::{PropertyId, PropertySet};

impl Program {
    /// The properties that a state breaks. If the state comes from a step, only checks whose
    /// arguments the step changed are evaluated again.
    #[inline]
    pub(crate) fn broken<C: Cell>(
        &self,
        row: &[C],
        step: Option<StepId>,
        new_world: bool,
        misses: &mut Vec<Miss>,
    ) -> PropertySet {
        let asks_more = self.shape.asks_pairs
            | self.shape.asks_node_worlds
            | self.shape.one_leader_at_a_time
            | !self.shape.when_time_passes.is_empty();
        let breaks = |step| self.steps.all[step].has(step_flag::BREAKS);
        match step {
            Some(step) if !new_world && !asks_more && (step.is_whole() || !breaks(step)) => {
                PropertySet::EMPTY
            }
            _ => self.broken_by(row, step, new_world, misses),
        }
    }

    #[inline(never)]
    fn broken_by<C: Cell>(
        &self,
        row: &[C],
        step: Option<StepId>,
        new_world: bool,
        misses: &mut Vec<Miss>,
    ) -> PropertySet {
        let world = row[0].world();
        let mut broken = self.worlds[world].broken;
        let (nodes, local) = (self.shape.nodes, |node: usize| row[1 + node].local());
        // The node that the step has changed, if it has changed only one or none.
        let node_of = |step| Some(self.steps.all.get(step)?.node.some()?.position());
        // Whether time may pass can change although the nodes concerned have not.
        let changed = step.map(node_of).filter(|_| self.shape.when_time_passes.is_empty());
        let asked = |node: usize| changed.is_none_or(|changed| changed == Some(node));
        let of = |node: usize| self.locals[local(node)].broken;
        match changed {
            Some(None) => {}
            Some(Some(node)) => broken |= of(node),
            None => (0..nodes).for_each(|node| broken |= of(node)),
        }
        if self.shape.asks_pairs {
            for a in 0..nodes {
                for b in (a + 1..nodes).filter(|&b| asked(a) || asked(b)) {
                    broken |= ask(&self.pairs, local(a), local(b), misses, Miss::Pair);
                }
            }
        }
        if self.shape.asks_node_worlds {
            for node in (0..nodes).filter(|&node| new_world || asked(node)) {
                broken |= ask(&self.node_worlds, local(node), world, misses, Miss::NodeWorld);
            }
        }
        if self.shape.one_leader_at_a_time {
            let leads = |node: &usize| self.locals[local(*node)].has(flag::LEADS);
            let are_two = (0..nodes).filter(leads).count() > 1;
            let is_broken = are_two && (self.worlds[world].timeless || self.can_tick(row));
            broken |= PropertySet::of(PropertyId(ELECTION_SAFETY), is_broken);
        }
        let waits = broken.and(self.shape.when_time_passes);
        if !waits.is_empty() && !self.worlds[world].timeless && !self.can_tick(row) {
            broken = broken.without(waits);
        }
        broken
    }
}

/// The answer for a pair; if it is not known, a miss is added.
#[inline]
fn ask<B: Key>(
    known: &BitmapMemo<LocalId, B, PropertySet>,
    a: LocalId,
    b: B,
    misses: &mut Vec<Miss>,
    miss: fn(LocalId, B) -> Miss,
) -> PropertySet {
    let answer = known.get(a, b, PropertySet::EMPTY);
    if answer.is_none() {
        misses.push(miss(a, b));
    }
    answer.unwrap_or_default()
}
