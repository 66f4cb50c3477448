//! The steps that can be taken in a state, and the fingerprint of the state after each, found by
//! look-ups alone.
//!
//! [`crate::semantics`] defines what steps mean. This module defines it a second time, over
//! numbers. Tests compare the two (`tests/engines_agree.rs`).

use super::flows::{Arrival, Column};
use super::parts::{Parcel, gate};
use super::steps::{ListedStep, StepRange, parcels_of, step_flag};
use super::{Miss, Program, WorldInfo, cell_of, flag};
use crate::election::MAX_NODES;
use crate::engine::ids::{
    ColumnId, CounterId, FlowId, LocalId, NodeIndex, Number, StepId, Whole, narrow, widen,
};
use crate::engine::memo::BitRow;
use crate::engine::program::change::Change;
use crate::engine::row::Cell;
use crate::semantics::Bound;

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is taken, and this counter of the tally counts it.
    Step(CounterId),
    /// The state after it is beyond a bound.
    Beyond(Bound),
}

/// Sums over the components of a row.
#[derive(Clone, Copy, Debug)]
struct Total {
    /// The fingerprint.
    sum: u64,
    /// The number of messages in flight; 0 unless it is bounded.
    in_flight: u32,
}

/// The gates that are open at a place, and the bars that are down.
#[derive(Clone, Copy)]
struct Gates {
    open: u32,
    bars: u32,
}

impl WorldInfo {
    /// The gates at a node.
    #[inline]
    fn gates_at(&self, node: NodeIndex) -> Gates {
        Gates { open: self.open[node.slot()], bars: self.bars }
    }
}

impl Program {
    #[inline]
    fn total<C: Cell>(&self, row: &[C], sum: u64) -> Total {
        let in_flight = || self.flows.all(self.flows_of(row)).map(|flow| flow.len).sum();
        let is_bounded = self.shape.bounds.max_in_flight.is_some();
        Total { sum, in_flight: if is_bounded { in_flight() } else { 0 } }
    }

    /// Tries every step of a row with this fingerprint. `take` gets the step, the fingerprint of
    /// the state after it, and what becomes of the step. Returns whether everything was known; adds
    /// to `misses` what was not.
    #[inline]
    pub(crate) fn try_steps<C: Cell>(
        &self,
        row: &[C],
        sum: u64,
        misses: &mut Vec<Miss>,
        mut take: impl FnMut(StepId, u64, Taken),
    ) -> bool {
        let before = misses.len();
        let world = &self.worlds[row[0].world()];
        let total = self.total(row, sum);
        let (locals, flows) = row[1..].split_at(self.shape.nodes);
        let mut bits = [BitRow::default(); 2 * MAX_NODES];
        for ((node, local), &open) in locals.iter().enumerate().zip(&world.open) {
            let local = local.local();
            bits[node % MAX_NODES] = self.steps.deliveries.row(local);
            let range = self.locals[local].steps;
            if range.is_known() {
                let gates = Gates { open, bars: world.bars };
                self.try_open(row, total, range, gates, misses, &mut take);
            } else {
                misses.push(Miss::OwnSteps(NodeIndex::at(node), local));
            }
        }
        // Most flows hold nothing that their receivers could react to now. A bit for each flow says
        // so. 64 of these bits are collected without a branch, and then the loop skips such flows.
        let mut first = 0;
        for columns in self.flows.columns.as_slice().chunks(64) {
            let flows = &flows[first.min(flows.len())..];
            let mut live = 0;
            for (i, (flow, column)) in flows.iter().zip(columns).enumerate() {
                let row = bits[column.receiver.position() % (2 * MAX_NODES)];
                live |= (1 ^ self.steps.deliveries.usual(row, flow.flow())) << i;
            }
            while live != 0 {
                let i = widen(live.trailing_zeros());
                live &= live - 1;
                let dst = columns[i].receiver;
                if dst == NodeIndex::NONE {
                    continue;
                }
                let (local, flow) = (locals[dst.position()].local(), flows[i].flow());
                if let Some(range) = self.steps.deliveries.other(local, flow) {
                    self.try_open(row, total, range, world.gates_at(dst), misses, &mut take);
                } else {
                    misses.push(Miss::Deliveries(ColumnId::at(first + i), local, flow));
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

    /// Tries those steps of a place that have an open gate and no bar that is down.
    #[inline(always)]
    fn try_open<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        range: StepRange,
        Gates { open, bars }: Gates,
        misses: &mut Vec<Miss>,
        take: &mut impl FnMut(StepId, u64, Taken),
    ) {
        for (step, id) in self.steps.of(range).iter().zip(range.first.onwards()) {
            if step.is_open(open, bars) {
                if !step.has(step_flag::CAREFUL) {
                    take(id, total.sum.wrapping_add(step.delta), Taken::Step(step.counter));
                } else if let Some((sum, taken)) = self.weigh(row, total, id, misses) {
                    take(id, sum, taken);
                }
            }
        }
    }

    /// Tries the losses and duplications of messages in flight.
    #[inline(never)]
    fn try_strikes<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        misses: &mut Vec<Miss>,
        take: &mut impl FnMut(StepId, u64, Taken),
    ) {
        let world = &self.worlds[row[0].world()];
        let gates = Gates { open: world.open[0], bars: world.bars };
        let columns = self.flows.columns.as_slice().iter().zip(ColumnId::all());
        for (flow, (column, id)) in self.flows_of(row).iter().zip(columns) {
            if column.arrival != Arrival::Now {
                continue;
            }
            let range = self.flows.get(column.dst, flow.flow()).strikes;
            if range.is_known() {
                self.try_open(row, total, range, gates, misses, take);
            } else {
                misses.push(Miss::Strikes(id, flow.flow()));
            }
        }
    }

    /// The result of a careful step, if it is known. A step is careful if the fingerprint of the
    /// state after it takes more than one addition, or if that state may be beyond a bound.
    #[inline(never)]
    fn weigh<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        id: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<(u64, Taken)> {
        let step = &self.steps.all[id];
        if step.has(step_flag::NUMBERED) {
            // Client inputs that carry a number arrive in the order of their numbers.
            let number = self.steps.details[id].input;
            if number != self.worlds[row[0].world()].next_input {
                return None;
            }
        }
        if step.has(step_flag::BEYOND_TERM) {
            return Some((0, Taken::Beyond(Bound::MaxTerm)));
        }
        if step.has(step_flag::BEYOND_ROUND) {
            return Some((0, Taken::Beyond(Bound::MaxRound)));
        }
        if !(step.has(step_flag::ADDS_UP) && self.fits(row, step)) {
            return self.weigh_in_full(row, total, id, misses);
        }
        let Total { sum, in_flight } = self.add_up(row, total, id, misses)?;
        Some(match self.is_crowded(in_flight) {
            true => (0, Taken::Beyond(Bound::MaxInFlight)),
            false => (sum, Taken::Step(step.counter)),
        })
    }

    /// Whether so many messages are more than may be in flight.
    #[inline]
    fn is_crowded(&self, in_flight: u32) -> bool {
        self.shape.bounds.max_in_flight.is_some_and(|max| widen(in_flight) > max)
    }

    /// The result of a step, if it is known, computed from everything that the step changes.
    fn weigh_in_full<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        id: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<(u64, Taken)> {
        let Total { mut sum, mut in_flight } = total;
        let mut add = |difference: u64| sum = sum.wrapping_add(difference);
        let mut copies = 0;
        let is_known = self.follow(row, id, misses, |change| match change {
            Change::World(world) => {
                let before = &self.worlds[row[0].world()];
                add(self.worlds[world].share.wrapping_sub(before.share));
            }
            Change::Local(node, local) => {
                let before = row[cell_of(node)].local();
                add(self.locals[local].share.wrapping_sub(self.locals[before].share));
            }
            Change::Flow(column, before, after) => {
                let dst = self.flows.dst(column);
                let (before, after) = (self.flows.get(dst, before), self.flows.get(dst, after));
                add(self.flows.difference(column, after, before));
                in_flight = in_flight.wrapping_add(after.len).wrapping_sub(before.len);
                copies = copies.max(widen(after.copies));
            }
        });
        if !is_known {
            None
        } else if self.is_crowded(in_flight) {
            Some((0, Taken::Beyond(Bound::MaxInFlight)))
        } else if self.shape.bounds.max_copies.is_some_and(|max| copies > max) {
            Some((0, Taken::Beyond(Bound::MaxCopies)))
        } else {
            Some((sum, Taken::Step(self.steps.all[id].counter)))
        }
    }

    /// Whether it is known that the step sends no more copies of a message than allowed.
    #[inline]
    fn fits<C: Cell>(&self, row: &[C], step: &ListedStep) -> bool {
        let fits = |&Parcel { column, bundle, .. }: &Parcel| {
            let is_taken_from = column == step.column;
            let rest = if is_taken_from { step.flow } else { self.flow_in(row, column) };
            self.steps.puts.is_usual(rest, bundle)
        };
        self.shape.bounds.max_copies.is_none() || parcels_of(&self.parcels, step).iter().all(fits)
    }

    /// The result of a step that has the flag [`ADDS_UP`](step_flag::ADDS_UP), if it is known.
    #[inline]
    fn add_up<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        id: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<Total> {
        let missing = misses.len();
        let step = &self.steps.all[id];
        let mut total = Total { sum: total.sum.wrapping_add(step.delta), ..total };
        if self.shape.bounds.max_in_flight.is_some() {
            self.count_in_flight(row, step, &mut total);
        }
        if step.has(step_flag::BURIES) {
            self.subtract_dead(row, step, &mut total, misses);
        }
        if step.has(step_flag::WORLD) {
            let world = row[0].world();
            let after = self.world_after_step(world, id, misses)?;
            if after != world {
                let (after, before) = (self.worlds[after].share, self.worlds[world].share);
                total.sum = total.sum.wrapping_add(after).wrapping_sub(before);
            }
        }
        (misses.len() == missing).then_some(total)
    }

    /// Counts the messages that a step takes out of flight and sends.
    #[inline]
    fn count_in_flight<C: Cell>(&self, row: &[C], step: &ListedStep, total: &mut Total) {
        let mut count = |column: ColumnId, after: FlowId, before: FlowId| {
            let dst = self.flows.dst(column);
            let len = |flow| self.flows.get(dst, flow).len;
            total.in_flight = total.in_flight.wrapping_add(len(after)).wrapping_sub(len(before));
        };
        let parcels = parcels_of(&self.parcels, step);
        parcels.iter().for_each(|parcel| count(parcel.column, parcel.flow, FlowId::EMPTY));
        if step.column != ColumnId::NONE {
            count(step.column, step.flow, self.flow_in(row, step.column));
        }
    }

    /// Subtracts the messages that are dead after a step: of those that it sends, and of those in
    /// flight to its node, if the node changes.
    #[inline]
    fn subtract_dead<C: Cell>(
        &self,
        row: &[C],
        step: &ListedStep,
        total: &mut Total,
        misses: &mut Vec<Miss>,
    ) {
        let mut bury = |column: ColumnId, dst: NodeIndex, local: LocalId, flow: FlowId| {
            if self.steps.living.is_usual(local, flow) {
                return;
            }
            match self.steps.living.other(local, flow) {
                None => misses.push(Miss::Bury(dst, local, flow)),
                Some(living) => {
                    let (living, flow) = (self.flows.get(dst, living), self.flows.get(dst, flow));
                    let difference = self.flows.difference(column, living, flow);
                    total.sum = total.sum.wrapping_add(difference);
                    let in_flight = total.in_flight.wrapping_add(living.len);
                    total.in_flight = in_flight.wrapping_sub(flow.len);
                }
            }
        };
        let local = |node: NodeIndex| row[cell_of(node)].local();
        for &Parcel { column, flow, .. } in parcels_of(&self.parcels, step) {
            let dst = self.flows.dst(column);
            if dst != NodeIndex::NONE {
                bury(column, dst, if dst == step.node { step.local } else { local(dst) }, flow);
            }
        }
        if step.local != local(step.node) {
            for &column in self.flows.columns_to(step.node) {
                if column != step.column {
                    bury(column, step.node, step.local, self.flow_in(row, column));
                }
            }
        }
    }

    /// Tries the steps of the whole system. All steps of single places are known by now.
    #[inline(never)]
    fn try_whole<C: Cell>(
        &self,
        row: &[C],
        misses: &mut Vec<Miss>,
        take: &mut impl FnMut(StepId, u64, Taken),
    ) {
        let world = &self.worlds[row[0].world()];
        let mut try_step = |whole: Whole, counter: CounterId| {
            let mut after: Vec<u32> = vec![0; row.len()];
            if self.change_whole(row, &mut after, whole, misses) {
                take(whole.into(), self.sum(&after), Taken::Step(counter));
            }
        };
        for &topology in &world.switches {
            try_step(Whole::Switch(topology), CounterId::SWITCH);
        }
        if world.may_stabilise {
            let ages = |local: &C| narrow(self.own(local.local()).stabilised.len());
            let combinations = self.locals_of(row).iter().map(ages).product();
            for combination in 0..combinations {
                try_step(Whole::Stabilise(combination), CounterId::STABILISE);
            }
        }
        if self.can_tick(row) {
            try_step(Whole::Tick, CounterId::TICK);
        }
    }

    /// Whether time may pass: it does when nothing is due.
    pub(super) fn can_tick<C: Cell>(&self, row: &[C]) -> bool {
        let world = &self.worlds[row[0].world()];
        let locals = self.locals_of(row);
        let has = |local: C, flag: u8| self.locals[local.local()].has(flag);
        let is_due = |(flow, column): (&C, &Column)| {
            flow.flow() != FlowId::EMPTY
                && column.receiver != NodeIndex::NONE
                && world.is_up(column.src, column.receiver)
                && has(locals[column.receiver.position()], flag::UP)
        };
        !world.timeless
            && !locals.iter().any(|&local| has(local, flag::BLOCKS_TICK))
            && !self.flows_of(row).iter().zip(self.flows.columns.as_slice()).any(is_due)
    }
}
