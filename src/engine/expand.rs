//! The steps of a row: what can happen in a system state, and the state after it, by look-ups alone.
//!
//! The meaning is that of [`crate::system`]; here it is told a second time, over numbers, and the two are held against
//! each other on every scenario.

use super::flows::{Column, EMPTY, FlowId, NO_COLUMN, NOBODY, Range, Step, StepId, WHOLE, trait_of};
use super::row::Cell;
use super::tables::*;
use crate::network::NetworkKind;
use crate::system::Bound;

/// What happens to the system as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    Tick,
    /// To this topology.
    Switch(u8),
    /// With this combination of ages.
    Stabilise(u32),
}

impl Whole {
    const STABILISE: u32 = 1 + u8::MAX as u32 + 1;

    /// What a step stands for, if it is one of the whole.
    #[inline]
    pub fn of(step: StepId) -> Option<Whole> {
        Some(match step.checked_sub(WHOLE)? {
            0 => Whole::Tick,
            topology @ 1..Self::STABILISE => Whole::Switch((topology - 1) as u8),
            combination => Whole::Stabilise(combination - Self::STABILISE),
        })
    }

    fn step(self) -> StepId {
        WHOLE
            + match self {
                Whole::Tick => 0,
                Whole::Switch(topology) => 1 + u32::from(topology),
                Whole::Stabilise(combination) => Self::STABILISE + combination,
            }
    }
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is taken; the tally counts it under this kind.
    Step(u16),
    /// The same, but the state after it is beyond a bound.
    Beyond(Bound, u16),
}

/// What a row adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    /// The fingerprint.
    pub sum: u64,
    /// The messages in flight, if their number is bounded.
    in_flight: u32,
}

/// What a row is made of, by places.
impl Tables {
    /// The numbers in a row: the world, the nodes, and as many columns as are known.
    #[inline]
    pub fn width(&self) -> usize {
        1 + self.shape.nodes + self.flows.columns.len()
    }

    #[inline]
    pub fn locals<'a, C>(&self, row: &'a [C]) -> &'a [C] {
        &row[1..=self.shape.nodes]
    }

    #[inline]
    pub fn flows<'a, C>(&self, row: &'a [C]) -> &'a [C] {
        &row[1 + self.shape.nodes..]
    }

    /// What the components of a row add up to: its fingerprint.
    pub fn sum<C: Cell>(&self, row: &[C]) -> u64 {
        let locals = self.locals(row).iter().map(|local| self.locals[local.id() as usize].share);
        let flows = self.flows.all(self.flows(row)).map(|flow| flow.share);
        locals.chain(flows).fold(self.worlds[row[0].id() as usize].share, u64::wrapping_add)
    }

    /// The total of a row whose components add up to `sum`.
    #[inline]
    pub fn total<C: Cell>(&self, row: &[C], sum: u64) -> Total {
        let in_flight = || self.flows.all(self.flows(row)).map(|flow| flow.len).sum();
        Total { sum, in_flight: if self.shape.bounds.max_in_flight.is_some() { in_flight() } else { 0 } }
    }
}

/// What can happen.
impl Tables {
    /// Adds to `found` every step that can be taken in `row`, bounds apart, but for those of the whole system. Returns
    /// whether everything was known.
    #[inline]
    pub fn find<C: Cell>(&self, row: &[C], found: &mut Vec<StepId>, misses: &mut Vec<Miss>) -> bool {
        let before = misses.len();
        let world = &self.worlds[row[0].id() as usize];
        let (locals, flows) = row[1..].split_at(self.shape.nodes);
        let mut idle_rows = [0; 32];
        for ((node, local), &open) in locals.iter().enumerate().zip(&world.open) {
            let local = local.id();
            idle_rows[node & 15] = self.steps.idle.row(local);
            let range = self.locals[local as usize].steps;
            if range.is_known() {
                self.add_open(range, open, world.bars, found);
            } else {
                misses.push(Miss::OwnSteps(node as u8, local));
            }
        }
        // Most flows hold nothing that their receivers could do anything with now; they are passed over without a branch for
        // each.
        let mut first = 0;
        for ends in self.flows.ends.chunks(64) {
            let flows = &flows[first.min(flows.len())..];
            let mut live = 0;
            for (i, (flow, end)) in flows.iter().zip(ends).enumerate() {
                live |= (1 ^ self.steps.idle.bit(idle_rows[usize::from(end & 31)], flow.id())) << i;
            }
            while live != 0 {
                let i = live.trailing_zeros() as usize;
                live &= live - 1;
                let end = ends[i];
                if end == NOBODY {
                    continue;
                }
                let (local, flow) = (locals[usize::from(end)].id(), flows[i].id());
                let range = self.steps.deliveries.get(local, flow);
                if range.is_known() {
                    self.add_open(range, world.open[usize::from(end & 15)], world.bars, found);
                } else {
                    misses.push(Miss::Deliveries((first + i) as u16, local, flow));
                }
            }
            first += 64;
        }
        if world.open[0] & (gate::LOSE | gate::DUPLICATE) != 0 {
            for ((flow, column), i) in flows.iter().zip(&self.flows.columns).zip(0..) {
                let range = self.flows.get(column.end, flow.id()).strikes;
                if range.is_known() {
                    self.add_open(range, world.open[0], world.bars, found);
                } else {
                    misses.push(Miss::Strikes(i, flow.id()));
                }
            }
        }
        misses.len() == before
    }

    #[inline(always)]
    fn add_open(&self, range: Range, open: u32, bars: u32, found: &mut Vec<StepId>) {
        for (step, id) in self.steps.of(range).iter().zip(range.first..) {
            if step.is_open(open, bars) {
                found.push(id);
            }
        }
    }

    /// What a step leads to, if that is known: the sum of the state after it. `after` is lent.
    #[inline(always)]
    pub fn look<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        id: StepId,
        after: &mut Vec<u32>,
        misses: &mut Vec<Miss>,
    ) -> Option<(u64, Taken)> {
        let step = &self.steps.all[id as usize];
        if step.flags & trait_of::CAREFUL == 0 {
            Some((total.sum.wrapping_add(step.delta), Taken::Step(step.kind)))
        } else if step.flags & trait_of::BEYOND != 0 {
            Some((0, Taken::Beyond(Bound::MaxTerm, step.kind)))
        } else if self.shape.network == NetworkKind::Unordered {
            self.weigh(row, total, id, misses)
        } else {
            self.look_carefully(row, total, id, after, misses)
        }
    }

    /// [`Tables::look`] on unordered networks, where a step adds up to its delta but for the world and for what dies of it.
    #[inline(never)]
    fn weigh<C: Cell>(
        &self,
        row: &[C],
        mut total: Total,
        id: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<(u64, Taken)> {
        let step = &self.steps.all[id as usize];
        let (bounds, before) = (&self.shape.bounds, misses.len());
        let buries = step.flags & trait_of::BURIES != 0;
        let max_copies = bounds.max_copies.unwrap_or(usize::MAX);
        total.sum = total.sum.wrapping_add(step.delta);
        if bounds.max_in_flight.is_some() {
            total.in_flight = total.in_flight.wrapping_add_signed(self.steps.sequels[id as usize].grows);
        }
        if step.flags & trait_of::WORLD != 0
            && let Some(world) = self.world_after(row[0].id(), id, misses)
        {
            let share = |world: WorldId| self.worlds[world as usize].share;
            total.sum = total.sum.wrapping_add(share(world)).wrapping_sub(share(row[0].id()));
        }
        // What dies is in flight no more.
        let mut bury = |local: Local, end: u8, flow: FlowId, misses: &mut Vec<Miss>| {
            let living = self.steps.buried(local, flow);
            if living == UNKNOWN {
                misses.push(Miss::Bury(end, local, flow));
            } else if living != flow {
                let (all, living) = (self.flows.get(end, flow), self.flows.get(end, living));
                total.sum = total.sum.wrapping_add(living.share).wrapping_sub(all.share);
                total.in_flight = total.in_flight.wrapping_add(living.len).wrapping_sub(all.len);
            }
            living
        };
        let (locals, flows) = (self.locals(row), self.flows(row));
        let flow_in = |column: u16| flows.get(usize::from(column)).map_or(EMPTY, |flow| flow.id());
        let mut copies = 0;
        if step.local == NOTHING {
            copies = self.flows.get(self.flows.ends[usize::from(step.column)], step.flow).copies;
        }
        for &(column, bundle) in self.parcels_of(step) {
            let flow = if column == step.column { step.flow } else { flow_in(column) };
            let end = self.flows.ends[usize::from(column)];
            let mut longer = self.steps.puts.get(flow, bundle);
            if longer == UNKNOWN {
                misses.push(Miss::Put(end, flow, bundle));
                continue;
            }
            if buries && end != NOBODY {
                let local = if end == step.node { step.local } else { locals[usize::from(end)].id() };
                longer = bury(local, end, longer, misses);
            }
            if bounds.max_copies.is_some() && longer != UNKNOWN {
                copies = copies.max(self.flows.get(end, longer).copies);
            }
        }
        if buries && step.local != locals[usize::from(step.node)].id() {
            let is_sent_to = |column| self.parcels_of(step).iter().any(|(to, _)| *to == column);
            for &column in &self.flows.columns_to[usize::from(step.node)] {
                if column != step.column && !is_sent_to(column) {
                    bury(step.local, step.node, flow_in(column), misses);
                }
            }
        }
        if misses.len() > before {
            None
        } else if bounds.max_in_flight.is_some_and(|max| total.in_flight as usize > max) {
            Some((0, Taken::Beyond(Bound::MaxInFlight, step.kind)))
        } else if copies as usize > max_copies {
            Some((0, Taken::Beyond(Bound::MaxCopies, step.kind)))
        } else {
            Some((total.sum, Taken::Step(step.kind)))
        }
    }

    #[inline(never)]
    fn look_carefully<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        id: StepId,
        after: &mut Vec<u32>,
        misses: &mut Vec<Miss>,
    ) -> Option<(u64, Taken)> {
        let step = &self.steps.all[id as usize];
        self.copy(row, after);
        let total = self.change::<true, _>(after, total, id, misses)?;
        let taken = match self.beyond(after, total, step) {
            Some(bound) => Taken::Beyond(bound, step.kind),
            None => Taken::Step(step.kind),
        };
        Some((total.sum, taken))
    }

    /// Copies a row, with all columns that are known now.
    #[inline]
    fn copy<C: Cell>(&self, row: &[C], to: &mut Vec<u32>) {
        to.clear();
        to.extend(row.iter().map(|cell| cell.id()));
        to.resize(self.width(), EMPTY);
    }

    /// The bound on messages that a state is beyond, a step having led there.
    #[inline]
    fn beyond(&self, row: &[u32], total: Total, step: &Step) -> Option<Bound> {
        let bounds = &self.shape.bounds;
        let flows = self.flows(row);
        if bounds.max_in_flight.is_some_and(|max| total.in_flight as usize > max) {
            return Some(Bound::MaxInFlight);
        }
        let max = bounds.max_copies?;
        let grown = self.parcels_of(step).iter().map(|(column, _)| *column);
        let struck = (step.local == NOTHING).then_some(step.column);
        let too_many = |column: u16| {
            let column = usize::from(column);
            self.flows.get(self.flows.columns[column].end, flows[column]).copies as usize > max
        };
        grown.chain(struck).any(too_many).then_some(Bound::MaxCopies)
    }

    #[inline]
    fn parcels_of(&self, step: &Step) -> &[(u16, Bundle)] {
        &self.parcels[step.parcels_at as usize..][..usize::from(step.parcels)]
    }

    /// Tries the steps of the system as a whole, if there are any; all others are known. Returns whether everything was.
    #[inline]
    pub fn look_at_whole<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        after: &mut Vec<u32>,
        misses: &mut Vec<Miss>,
        take: &mut dyn FnMut(StepId, u64, Taken),
    ) -> bool {
        !self.worlds[row[0].id() as usize].moves_as_whole || self.try_whole(row, total, after, misses, take)
    }

    #[inline(never)]
    fn try_whole<C: Cell>(
        &self,
        row: &[C],
        total: Total,
        after: &mut Vec<u32>,
        misses: &mut Vec<Miss>,
        take: &mut dyn FnMut(StepId, u64, Taken),
    ) -> bool {
        let before = misses.len();
        let world = &self.worlds[row[0].id() as usize];
        let mut try_step = |whole: Whole, kind: u16| {
            self.copy(row, after);
            if let Some(total) = self.change_whole::<true, _>(after, total, whole, misses) {
                take(whole.step(), total.sum, Taken::Step(kind));
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
        misses.len() == before
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

    /// Whether a quorum is up and, unless the topology is the question, connected.
    fn is_quorum_left<C: Cell>(&self, row: &[C], misses: &mut Vec<Miss>) -> Option<bool> {
        let (world, locals) = (&self.worlds[row[0].id() as usize], self.locals(row));
        let is_up = |node: &usize| self.locals[locals[*node].id() as usize].flags & flag::UP != 0;
        let nodes = locals.len();
        let live = (0..nodes).filter(is_up).fold(0u32, |set, i| set | 1 << i);
        for node in (0..nodes).filter(is_up) {
            let linked = |o: &usize| world.is_up(node as u8, *o as u8) && world.is_up(*o as u8, node as u8);
            let reached = match self.shape.any_topology_stabilises {
                true => live,
                false => {
                    let near = (0..nodes).filter(|&o| live >> o & 1 == 1).filter(linked);
                    near.fold(0, |set, o| set | 1 << o)
                }
            };
            match self.quorums.get(locals[node].id(), reached) {
                UNKNOWN => {
                    misses.push(Miss::Quorum(locals[node].id(), reached));
                    return None;
                }
                1 => return Some(true),
                _ => {}
            }
        }
        Some(false)
    }
}

/// What follows.
impl Tables {
    /// Makes of a row what it is after a step that it can take, and returns what it then adds up to, if asked to; `None` if
    /// that is not known yet, or if the step cannot be taken, the row then being of no more use.
    #[inline]
    pub fn change<const SUM: bool, C: Cell>(
        &self,
        row: &mut [C],
        total: Total,
        step: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<Total> {
        if let Some(whole) = Whole::of(step) {
            return self.change_whole::<SUM, C>(row, total, whole, misses);
        }
        let step_of = &self.steps.all[step as usize];
        let mut after = After::<SUM, C> { tables: self, row, total };
        if step_of.column != NO_COLUMN {
            after.put_flow(step_of.column, step_of.flow);
        }
        let mut before = UNKNOWN;
        if step_of.local != NOTHING {
            before = after.put_local(step_of.node, step_of.local);
        }
        let what = trait_of::SENDS | trait_of::BURIES | trait_of::WORLD;
        if step_of.flags & what != 0 && !self.change_more(&mut after, before, step, misses) {
            return None;
        }
        Some(after.total)
    }

    /// What a step changes besides its node and its flow; whether that is known.
    #[inline]
    fn change_more<const SUM: bool, C: Cell>(
        &self,
        after: &mut After<'_, SUM, C>,
        local_before: Local,
        id: StepId,
        misses: &mut Vec<Miss>,
    ) -> bool {
        let before = misses.len();
        let step = &self.steps.all[id as usize];
        let buries = step.flags & trait_of::BURIES != 0;
        if step.flags & trait_of::SENDS != 0 {
            self.send(after, step, buries, misses);
        }
        if buries && step.local != local_before {
            for &column in &self.flows.columns_to[usize::from(step.node)] {
                if column != step.column {
                    after.bury(step.node, column, misses);
                }
            }
        }
        if step.flags & trait_of::WORLD != 0 {
            let world = self.world_after(after.row[0].id(), id, misses);
            if let Some(world) = world {
                after.put_world(world);
            }
        }
        misses.len() == before
    }

    /// Puts what a step sends into the columns, unless it is dead on arrival.
    #[inline]
    fn send<const SUM: bool, C: Cell>(
        &self,
        after: &mut After<'_, SUM, C>,
        step: &Step,
        buries: bool,
        misses: &mut Vec<Miss>,
    ) {
        for &(column, bundle) in self.parcels_of(step) {
            let flow = after.flow(column);
            let longer = self.steps.puts.get(flow, bundle);
            let end = self.flows.columns[usize::from(column)].end;
            if longer == UNKNOWN {
                misses.push(Miss::Put(end, flow, bundle));
                continue;
            }
            after.put_flow(column, longer);
            if buries && end != NOBODY {
                after.bury(end, column, misses);
            }
        }
    }

    /// The world after a step, if it is known.
    fn world_after(&self, mut world: WorldId, step: StepId, misses: &mut Vec<Miss>) -> Option<WorldId> {
        let sequel = &self.steps.sequels[step as usize];
        let is_observed = self.steps.all[step as usize].flags & trait_of::OBSERVED != 0;
        let pays = (sequel.pays != NOTHING).then_some(sequel.pays);
        let crashes = (sequel.torn > 0).then_some(event::CRASH);
        let observes = is_observed.then_some(sequel.outcome);
        for event in [pays, crashes, observes].into_iter().flatten() {
            world = self.world_after_event(world, event, misses)?;
        }
        Some(world)
    }

    #[inline]
    fn world_after_event(&self, world: WorldId, event: u32, misses: &mut Vec<Miss>) -> Option<WorldId> {
        let after = self.world_after.get(world, event);
        if after == UNKNOWN {
            misses.push(Miss::World(world, event));
        }
        (after != UNKNOWN).then_some(after)
    }

    fn change_whole<const SUM: bool, C: Cell>(
        &self,
        row: &mut [C],
        total: Total,
        whole: Whole,
        misses: &mut Vec<Miss>,
    ) -> Option<Total> {
        if matches!(whole, Whole::Stabilise(_)) && !self.is_quorum_left(row, misses)? {
            return None;
        }
        let nodes = self.shape.nodes as u8;
        let columns = self.flows(row).len() as u16;
        let mut after = After::<SUM, C> { tables: self, row, total };
        let is_known = match whole {
            Whole::Tick => {
                for node in 0..nodes {
                    after.put_local(node, self.own(after.local(node)).aged);
                }
                // Nothing was deliverable, so that everything in flight is lost.
                (0..columns).for_each(|column| after.put_flow(column, EMPTY));
                true
            }
            Whole::Switch(topology) => after.befall(event::SWITCH - u32::from(topology), misses),
            Whole::Stabilise(mut combination) => {
                for node in 0..nodes {
                    let ages = &self.own(after.local(node)).stabilised;
                    after.put_local(node, ages[combination as usize % ages.len()]);
                    combination /= ages.len() as u32;
                }
                after.befall(event::STABILISE, misses)
            }
        };
        is_known.then_some(after.total)
    }

    /// [`Tables::change`] where everything may be asked for.
    ///
    /// # Errors
    /// Those of answers.
    pub fn take(
        &mut self,
        row: &mut Vec<u32>,
        sum: u64,
        step: StepId,
        resolver: &mut dyn Resolver,
    ) -> Result<u64, String> {
        let mut misses = Vec::new();
        row.resize(self.width(), EMPTY);
        let before = self.total(row, sum);
        loop {
            let mut after = row.clone();
            if let Some(total) = self.change::<true, _>(&mut after[..], before, step, &mut misses) {
                *row = after;
                return Ok(total.sum);
            }
            if misses.is_empty() {
                return Err(format!("step {step} cannot be taken (a defect of oneleader)"));
            }
            misses.drain(..).try_for_each(|miss| self.answer(miss, resolver))?;
        }
    }
}

/// A row in the making, with what it adds up to, if that is asked.
struct After<'a, const SUM: bool, C> {
    tables: &'a Tables,
    row: &'a mut [C],
    total: Total,
}

impl<const SUM: bool, C: Cell> After<'_, SUM, C> {
    /// Replaces a number, and returns the one before.
    #[inline]
    fn put(&mut self, place: usize, id: u32, share: impl Fn(u32) -> u64) -> u32 {
        let before = self.row[place].id();
        if SUM {
            self.total.sum = self.total.sum.wrapping_add(share(id)).wrapping_sub(share(before));
        }
        self.row[place] = C::of(id);
        before
    }

    fn local(&self, node: u8) -> Local {
        self.row[1 + usize::from(node)].id()
    }

    #[inline]
    fn put_local(&mut self, node: u8, local: Local) -> Local {
        let tables = self.tables;
        self.put(1 + usize::from(node), local, |local| tables.locals[local as usize].share)
    }

    #[inline]
    fn place(&self, column: u16) -> usize {
        1 + self.tables.shape.nodes + usize::from(column)
    }

    #[inline]
    fn flow(&self, column: u16) -> FlowId {
        self.row[self.place(column)].id()
    }

    #[inline]
    fn put_flow(&mut self, column: u16, flow: FlowId) {
        let place = self.place(column);
        if SUM {
            let flows = &self.tables.flows;
            let end = flows.columns[usize::from(column)].end;
            let (from, to) = (flows.get(end, self.row[place].id()), flows.get(end, flow));
            self.total.sum = self.total.sum.wrapping_add(to.share).wrapping_sub(from.share);
            self.total.in_flight = self.total.in_flight.wrapping_add(to.len).wrapping_sub(from.len);
        }
        self.row[place] = C::of(flow);
    }

    /// Removes from a flow what is dead to the node at its end.
    #[inline]
    fn bury(&mut self, node: u8, column: u16, misses: &mut Vec<Miss>) {
        let (local, flow) = (self.local(node), self.flow(column));
        match self.tables.steps.buried(local, flow) {
            UNKNOWN => misses.push(Miss::Bury(node, local, flow)),
            living if living != flow => self.put_flow(column, living),
            _ => {}
        }
    }

    #[inline]
    fn put_world(&mut self, world: WorldId) {
        let tables = self.tables;
        self.put(0, world, |world| tables.worlds[world as usize].share);
    }

    /// The world becomes what it is after an event, if that is known.
    #[inline]
    fn befall(&mut self, event: u32, misses: &mut Vec<Miss>) -> bool {
        let world = self.tables.world_after_event(self.row[0].id(), event, misses);
        world.map(|world| self.put_world(world)).is_some()
    }
}

/// What is wrong.
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
        let whole = self.shape.asks_pairs | self.shape.asks_node_worlds | self.shape.one_leader_at_a_time;
        let breaks = |step| self.steps.all[step as usize].flags & trait_of::BREAKS != 0;
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
        let locals: Vec<Local> = self.locals(row).iter().map(|local| local.id()).collect();
        let nodes = locals.len();
        let node_of = |step: StepId| self.steps.all.get(step as usize).map_or(NO_NODE, |s| s.node);
        let changed = step.map(|step| Some(usize::from(node_of(step))).filter(|&node| node < nodes));
        let asked = |node: usize| changed.is_none_or(|changed| changed == Some(node));
        let of = |local: Local| self.locals[local as usize].broken;
        match changed {
            Some(node) => broken |= node.map_or(0, |node| of(locals[node])),
            None => locals.iter().for_each(|&local| broken |= of(local)),
        }
        if self.shape.asks_pairs {
            for a in 0..nodes {
                for b in a + 1..nodes {
                    if asked(a) || asked(b) {
                        broken |= ask(&self.pairs, locals[a], locals[b], misses, Miss::Pair);
                    }
                }
            }
        }
        if self.shape.asks_node_worlds {
            for node in (0..nodes).filter(|&node| new_world || asked(node)) {
                broken |= ask(&self.node_worlds, locals[node], row[0].id(), misses, Miss::NodeWorld);
            }
        }
        if self.shape.one_leader_at_a_time {
            let leads = |local: &&Local| self.locals[**local as usize].flags & flag::LEADS != 0;
            let timeless = self.worlds[row[0].id() as usize].timeless;
            broken |= u16::from(locals.iter().filter(leads).count() > 1 && (timeless || self.can_tick(row)));
        }
        broken
    }
}

fn ask(memo: &Memo, a: u32, b: u32, misses: &mut Vec<Miss>, miss: fn(u32, u32) -> Miss) -> u16 {
    match memo.get(a, b) {
        UNKNOWN => {
            misses.push(miss(a, b));
            0
        }
        bits => bits as u16,
    }
}
