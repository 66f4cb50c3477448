//! Which properties a row breaks.

use super::flows::{StepId, WHOLE, step_flag};
use super::memo::Mostly;
use super::row::Cell;
use super::tables::*;

impl Tables {
    /// The properties that a state breaks, as bits. After a step, and where the world is as before, only those are asked of
    /// nodes, pairs of nodes, and nodes in the world, that the step can have broken.
    #[inline]
    pub fn broken<C: Cell>(
        &self,
        row: &[C],
        step: Option<StepId>,
        new_world: bool,
        misses: &mut Vec<Miss>,
    ) -> u16 {
        let whole = self.shape.asks_pairs
            | self.shape.asks_node_worlds
            | self.shape.one_leader_at_a_time
            | (self.shape.when_time_passes != 0);
        let breaks = |step| self.steps.all[step as usize].flags & step_flag::BREAKS != 0;
        match step {
            Some(step) if !new_world && !whole && (step >= WHOLE || !breaks(step)) => 0,
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
    ) -> u16 {
        let mut broken = self.worlds[row[0].id() as usize].broken;
        let (nodes, local) = (self.shape.nodes, |node: usize| row[1 + node].id());
        let node_of = |step: StepId| self.steps.all.get(step as usize).map_or(NO_NODE, |s| s.node);
        let changed = step.map(|step| Some(usize::from(node_of(step))).filter(|&node| node < nodes));
        // Whether time may pass can change although the nodes concerned have not.
        let changed = changed.filter(|_| self.shape.when_time_passes == 0);
        let asked = |node: usize| changed.is_none_or(|changed| changed == Some(node));
        let of = |local: Local| self.locals[local as usize].broken;
        match changed {
            Some(node) => broken |= node.map_or(0, |node| of(local(node))),
            None => (0..nodes).for_each(|node| broken |= of(local(node))),
        }
        if self.shape.asks_pairs {
            for a in 0..nodes {
                for b in a + 1..nodes {
                    if asked(a) || asked(b) {
                        broken |= ask(&self.pairs, local(a), local(b), misses, Miss::Pair);
                    }
                }
            }
        }
        if self.shape.asks_node_worlds {
            for node in (0..nodes).filter(|&node| new_world || asked(node)) {
                broken |= ask(&self.node_worlds, local(node), row[0].id(), misses, Miss::NodeWorld);
            }
        }
        if self.shape.one_leader_at_a_time {
            let leads = |node: &usize| self.locals[local(*node) as usize].flags & flag::LEADS != 0;
            let timeless = self.worlds[row[0].id() as usize].timeless;
            broken |= u16::from((0..nodes).filter(leads).count() > 1 && (timeless || self.can_tick(row)));
        }
        let waits = broken & self.shape.when_time_passes;
        if waits != 0 && !self.worlds[row[0].id() as usize].timeless && !self.can_tick(row) {
            broken &= !waits;
        }
        broken
    }
}

#[inline]
fn ask(known: &Mostly, a: u32, b: u32, misses: &mut Vec<Miss>, miss: fn(u32, u32) -> Miss) -> u16 {
    match known.get(a, b, 0) {
        UNKNOWN => {
            misses.push(miss(a, b));
            0
        }
        bits => bits as u16,
    }
}
