//! The steps of a row: what can happen in a system state, and the fingerprint of the state after it, by look-ups alone.
//!
//! The meaning is that of [`crate::semantics`]; here it is told a second time, over numbers, and the two are held against
//! each other on every scenario.

use super::change::{Change, Whole};
use super::flows::{Column, EMPTY, FlowId, NO_COLUMN, Range, Step, StepId, step_flag};
use super::row::Cell;
use super::tables::*;
use crate::semantics::Bound;

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is taken; the tally counts it under this kind.
    Step(u16),
    /// The state after it is beyond a bound.
    Beyond(Bound),
}

/// What a row adds up to.
#[derive(Clone, Copy, Debug)]
struct Total {
    /// The fingerprint.
    sum: u64,
    /// The messages in flight, if their number is bounded.
    in_flight: u32,
}

impl Tables {
    #[inline]
    fn total<C: Cell>(&self, row: &[C], sum: u64) -> Total {
        let in_flight = || self.flows.all(self.flows(row)).map(|flow| flow.len).sum();
        Total { sum, in_flight: if self.shape.bounds.max_in_flight.is_some() { in_flight() } else { 0 } }
    }

    /// Tries every step of a row with this fingerprint: `take` is told the step, the fingerprint of the state after it, and
    /// what becomes of it. Returns whether everything was known; what was not is added to the misses.
    #[inline]
    pub fn try_steps<C: Cell>(
        &self,
        row: &[C],
        sum: u64,
        misses: &mut Vec<Miss>,
        mut take: impl FnMut(StepId, u64, Taken),
    ) -> bool {
        let before = misses.len();
        let world = &self.worlds[row[0].id() as usize];
        let total = self.total(row, sum);
        let (locals, flows) = row[1..].split_at(self.shape.nodes);
        let mut idle_rows = [0; 32];
        for ((node, local), &open) in locals.iter().enumerate().zip(&world.open) {
            let local = local.id();
            idle_rows[node & 15] = self.steps.deliveries.row(local);
            let range = self.locals[local as usize].steps;
            if range.is_known() {
                self.try_open(row, total, range, (open, world.bars), misses, &mut take);
            } else {
                misses.push(Miss::OwnSteps(node as u8, local));
            }
        }
        // Most flows hold nothing that their receivers could do anything with now; they are passed over without a branch for
        // each.
        let mut first = 0;
        for columns in self.flows.columns.chunks(64) {
            let flows = &flows[first.min(flows.len())..];
            let mut live = 0;
            for (i, (flow, column)) in flows.iter().zip(columns).enumerate() {
                live |= (1 ^ self.steps.deliveries.usual(idle_rows[usize::from(column.dst & 31)], flow.id()))
                    << i;
            }
            while live != 0 {
                let i = live.trailing_zeros() as usize;
                live &= live - 1;
                let Column { dst, .. } = columns[i];
                if dst == NO_NODE {
                    continue;
                }
                let (local, flow) = (locals[usize::from(dst)].id(), flows[i].id());
                let range = self.steps.deliveries.other(local, flow);
                if range.is_known() {
                    let open = (world.open[usize::from(dst & 15)], world.bars);
                    self.try_open(row, total, range, open, misses, &mut take);
                } else {
                    misses.push(Miss::Deliveries((first + i) as u16, local, flow));
                }
            }
            first += 64;
        }
        if world.open[0] & (gate::LOSE | gate::DUPLICATE) != 0 {
            self.try_strikes(row, total, misses, &mut take);
        }
        if world.moves_as_whole && misses.len() == before {
            self.try_whole(row, misses, &mut take);
        }
        misses.len() == before
    }

    /// Tries those steps of a place whose gates are open, none of whose bars are down.
    #[inline(always)]
    fn try_open<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        range: Range,
        (open, bars): (u32, u32),
        misses: &mut Vec<Miss>,
        take: &mut impl FnMut(StepId, u64, Taken),
    ) {
        for (step, id) in self.steps.of(range).iter().zip(range.first..) {
            if step.is_open(open, bars) {
                if step.flags & step_flag::CAREFUL == 0 {
                    take(id, total.sum.wrapping_add(step.delta), Taken::Step(step.kind));
                } else if let Some((sum, taken)) = self.weigh(row, total, id, misses) {
                    take(id, sum, taken);
                }
            }
        }
    }

    /// Tries what may happen to messages in flight.
    #[inline(never)]
    fn try_strikes<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        misses: &mut Vec<Miss>,
        take: &mut impl FnMut(StepId, u64, Taken),
    ) {
        let world = &self.worlds[row[0].id() as usize];
        for ((flow, column), i) in self.flows(row).iter().zip(&self.flows.columns).zip(0..) {
            let range = self.flows.get(column.dst, flow.id()).strikes;
            if range.is_known() {
                self.try_open(row, total, range, (world.open[0], world.bars), misses, take);
            } else {
                misses.push(Miss::Strikes(i, flow.id()));
            }
        }
    }

    /// What a careful step leads to, if that is known: the fingerprint of the state after it, which is more than a sum, and
    /// may be beyond a bound.
    #[inline(never)]
    fn weigh<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        id: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<(u64, Taken)> {
        let (step, bounds) = (&self.steps.all[id as usize], &self.shape.bounds);
        if step.flags & step_flag::NUMBERED != 0 {
            // Numbered client input comes in its order.
            let number = self.steps.sequels[id as usize].input;
            if number != self.worlds[row[0].id() as usize].next_input {
                return None;
            }
        }
        if step.flags & step_flag::BEYOND != 0 {
            return Some((0, Taken::Beyond(Bound::MaxTerm)));
        }
        if step.flags & step_flag::BEYOND_ROUND != 0 {
            return Some((0, Taken::Beyond(Bound::MaxRound)));
        }
        if step.flags & step_flag::ADDS_UP != 0 && self.fits(row, step) {
            let Total { sum, in_flight } = self.add_up(row, total, id, misses)?;
            return Some(if bounds.max_in_flight.is_some_and(|max| in_flight as usize > max) {
                (0, Taken::Beyond(Bound::MaxInFlight))
            } else {
                (sum, Taken::Step(step.kind))
            });
        }
        let Total { mut sum, mut in_flight } = total;
        let mut replace = |after: u64, before: u64| sum = sum.wrapping_add(after).wrapping_sub(before);
        let mut copies = 0;
        let is_known = self.follow(row, id, misses, |change| match change {
            Change::World(world) => {
                let share = |world: WorldId| self.worlds[world as usize].share;
                replace(share(world), share(row[0].id()));
            }
            Change::Local(node, local) => {
                let share = |local: Local| self.locals[local as usize].share;
                replace(share(local), share(row[1 + usize::from(node)].id()));
            }
            Change::Flow(column, before, after) => {
                let Column { dst, .. } = self.flows.columns[usize::from(column)];
                let (before, after) = (self.flows.get(dst, before), self.flows.get(dst, after));
                replace(after.share, before.share);
                in_flight = in_flight.wrapping_add(after.len).wrapping_sub(before.len);
                copies = copies.max(after.copies as usize);
            }
        });
        if !is_known {
            None
        } else if bounds.max_in_flight.is_some_and(|max| in_flight as usize > max) {
            Some((0, Taken::Beyond(Bound::MaxInFlight)))
        } else if bounds.max_copies.is_some_and(|max| copies > max) {
            Some((0, Taken::Beyond(Bound::MaxCopies)))
        } else {
            Some((sum, Taken::Step(step.kind)))
        }
    }

    /// Whether it is known that what a step sends makes no more copies of a message than allowed.
    #[inline]
    fn fits<C: Cell>(&self, row: &[C], step: &Step) -> bool {
        let fits = |&Parcel { column, bundle, .. }: &Parcel| {
            let rest = if column == step.column { step.flow } else { self.flow_in(row, column) };
            self.steps.puts.is_usual(rest, bundle)
        };
        self.shape.bounds.max_copies.is_none() || self.parcels_of(step).iter().all(fits)
    }

    /// What a step leads to that [adds up](step_flag::ADDS_UP), if that is known.
    #[inline]
    fn add_up<C: Cell>(&self, row: &[C], total: Total, id: StepId, misses: &mut Vec<Miss>) -> Option<Total> {
        let missing = misses.len();
        let step = &self.steps.all[id as usize];
        let Total { sum, mut in_flight } = total;
        let mut sum = sum.wrapping_add(step.delta);
        let counts = self.shape.bounds.max_in_flight.is_some();
        let parcels = self.parcels_of(step);
        if counts {
            let mut count = |column: u16, after: FlowId, before: FlowId| {
                let Column { dst, .. } = self.flows.columns[usize::from(column)];
                let len = |flow| self.flows.get(dst, flow).len;
                in_flight = in_flight.wrapping_add(len(after)).wrapping_sub(len(before));
            };
            parcels.iter().for_each(|parcel| count(parcel.column, parcel.flow, EMPTY));
            if step.column != NO_COLUMN {
                count(step.column, step.flow, self.flow_in(row, step.column));
            }
        }
        if step.flags & step_flag::BURIES != 0 {
            let mut bury = |dst: u8, local: Local, flow: FlowId| {
                if !self.steps.living.is_usual(local, flow) {
                    match self.steps.living.other(local, flow) {
                        UNKNOWN => misses.push(Miss::Bury(dst, local, flow)),
                        living => {
                            let (living, flow) = (self.flows.get(dst, living), self.flows.get(dst, flow));
                            sum = sum.wrapping_add(living.share).wrapping_sub(flow.share);
                            in_flight = in_flight.wrapping_add(living.len).wrapping_sub(flow.len);
                        }
                    }
                }
            };
            let local = |node: u8| row[1 + usize::from(node)].id();
            for &Parcel { column, flow, .. } in parcels {
                let Column { dst, .. } = self.flows.columns[usize::from(column)];
                if dst != NO_NODE {
                    bury(dst, if dst == step.node { step.local } else { local(dst) }, flow);
                }
            }
            if step.local != local(step.node) {
                for &column in &self.flows.columns_to[usize::from(step.node)] {
                    if column != step.column {
                        bury(step.node, step.local, self.flow_in(row, column));
                    }
                }
            }
        }
        if step.flags & step_flag::WORLD != 0 {
            let world = row[0].id();
            let after = self.world_after_step(world, id, misses)?;
            if after != world {
                let share = |world: WorldId| self.worlds[world as usize].share;
                sum = sum.wrapping_add(share(after)).wrapping_sub(share(world));
            }
        }
        (misses.len() == missing).then_some(Total { sum, in_flight })
    }

    /// Tries the steps of the system as a whole; all others are known.
    #[inline(never)]
    fn try_whole<C: Cell>(
        &self,
        row: &[C],
        misses: &mut Vec<Miss>,
        take: &mut impl FnMut(StepId, u64, Taken),
    ) {
        let world = &self.worlds[row[0].id() as usize];
        let mut try_step = |whole: Whole, kind: u16| {
            let mut after: Vec<u32> = vec![0; row.len()];
            if self.change_whole(row, &mut after, whole, misses) {
                take(whole.step(), self.sum(&after), Taken::Step(kind));
            }
        };
        for &topology in &world.switches {
            try_step(Whole::Switch(topology), kind::SWITCH);
        }
        if world.may_stabilise {
            let ages = |local: &C| self.own(local.id()).stabilised.len() as u32;
            let combinations = self.locals(row).iter().map(ages).product();
            for combination in 0..combinations {
                try_step(Whole::Stabilise(combination), kind::STABILISE);
            }
        }
        if self.can_tick(row) {
            try_step(Whole::Tick, kind::TICK);
        }
    }

    /// Time may pass when nothing is due.
    pub fn can_tick<C: Cell>(&self, row: &[C]) -> bool {
        let world = &self.worlds[row[0].id() as usize];
        let locals = self.locals(row);
        let has = |local: C, flag: u8| self.locals[local.id() as usize].flags & flag != 0;
        let is_due = |(flow, column): (&C, &Column)| {
            flow.id() != EMPTY
                && column.dst != NO_NODE
                && world.is_up(column.src, column.dst)
                && has(locals[usize::from(column.dst)], flag::UP)
        };
        !world.timeless
            && !locals.iter().any(|&local| has(local, flag::BLOCKS_TICK))
            && !self.flows(row).iter().zip(&self.flows.columns).any(is_due)
    }
}
