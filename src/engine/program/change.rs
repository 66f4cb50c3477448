//! How a step changes a row. [`super::expand`] mostly finds the fingerprint of the state after a
//! step with less work; its results are compared with the rows made here.

use super::parts::Parcel;
use super::steps::{ListedStep, parcels_of, step_flag};
use super::{Miss, Program, cell_of, flag};
use crate::election::NodeSet;
use crate::engine::ids::{
    ColumnId, FlowId, LocalId, NodeIndex, Number, StepId, Whole, WorldEvent, WorldId, narrow, widen,
};
use crate::engine::row::Cell;

/// One thing that a step changes.
pub(super) enum Change {
    /// The world becomes this one.
    World(WorldId),
    /// The local state of a node becomes this one.
    Local(NodeIndex, LocalId),
    /// What is in flight in a column: before and after.
    Flow(ColumnId, FlowId, FlowId),
}

/// What a step of a single place changes.
impl Program {
    /// Calls a function with each change that a step of a single place makes. Returns whether all
    /// changes are known.
    #[inline]
    pub(super) fn follow<C: Cell>(
        &self,
        row: &[C],
        id: StepId,
        misses: &mut Vec<Miss>,
        mut tell: impl FnMut(Change),
    ) -> bool {
        let before = misses.len();
        let step = &self.steps.all[id];
        if step.local != LocalId::NONE {
            tell(Change::Local(step.node, step.local));
        }
        if step.has(step_flag::SENDS | step_flag::BURIES) {
            self.follow_messages(row, step, misses, &mut tell);
        } else if step.column != ColumnId::NONE {
            tell(Change::Flow(step.column, self.flow_in(row, step.column), step.flow));
        }
        if step.has(step_flag::WORLD)
            && let Some(world) = self.world_after_step(row[0].world(), id, misses)
        {
            tell(Change::World(world));
        }
        misses.len() == before
    }

    /// The same for the flows, for a step that sends something or after which messages may be dead.
    #[inline]
    fn follow_messages<C: Cell>(
        &self,
        row: &[C],
        step: &ListedStep,
        misses: &mut Vec<Miss>,
        tell: &mut impl FnMut(Change),
    ) {
        let buries = step.has(step_flag::BURIES);
        let parcels = parcels_of(&self.parcels, step);
        let is_sent_to = |column| parcels.iter().any(|parcel| parcel.column == column);
        if step.column != ColumnId::NONE && !is_sent_to(step.column) {
            tell(Change::Flow(step.column, self.flow_in(row, step.column), step.flow));
        }
        for &Parcel { column, bundle, .. } in parcels {
            let before = self.flow_in(row, column);
            let rest = if column == step.column { step.flow } else { before };
            let dst = self.flows.dst(column);
            let Some(longer) = self.steps.puts.other(rest, bundle) else {
                misses.push(Miss::Put(dst, rest, bundle));
                continue;
            };
            if !buries || dst == NodeIndex::NONE {
                tell(Change::Flow(column, before, longer));
            } else {
                let is_own = dst == step.node;
                let local = if is_own { step.local } else { row[cell_of(dst)].local() };
                if let Some(living) = self.bury(dst, local, longer, misses) {
                    tell(Change::Flow(column, before, living));
                }
            }
        }
        if buries && step.local != row[cell_of(step.node)].local() {
            for &column in self.flows.columns_to(step.node) {
                if column != step.column && !is_sent_to(column) {
                    let before = self.flow_in(row, column);
                    match self.bury(step.node, step.local, before, misses) {
                        Some(living) if living != before => {
                            tell(Change::Flow(column, before, living));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// A flow to a node without the messages that are dead to it, if that is known.
    #[inline]
    fn bury(
        &self,
        node: NodeIndex,
        local: LocalId,
        flow: FlowId,
        misses: &mut Vec<Miss>,
    ) -> Option<FlowId> {
        let living = self.steps.living.get(local, flow, flow);
        if living.is_none() {
            misses.push(Miss::Bury(node, local, flow));
        }
        living
    }

    /// The world after a step of a single place, if it is known.
    #[inline]
    pub(super) fn world_after_step(
        &self,
        mut world: WorldId,
        step: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<WorldId> {
        let detail = &self.steps.details[step];
        let is_observed = self.steps.all[step].has(step_flag::OBSERVED);
        let crashes = (detail.torn > 0).then_some(WorldEvent::Crash);
        let observes = is_observed.then_some(WorldEvent::Outcome(detail.outcome));
        for event in [detail.pays, crashes, observes].into_iter().flatten() {
            world = self.world_after_event(world, event, misses)?;
        }
        Some(world)
    }

    #[inline]
    fn world_after_event(
        &self,
        world: WorldId,
        event: WorldEvent,
        misses: &mut Vec<Miss>,
    ) -> Option<WorldId> {
        let after = self.world_after(world, event);
        if after.is_none() {
            misses.push(Miss::World(world, event));
        }
        after
    }
}

/// The row after a step.
impl Program {
    /// Changes `after`, which is a copy of the row `before` and may have more columns, into the row
    /// after a step. Returns whether that is known, and whether the step can be taken.
    #[inline]
    pub(crate) fn change<F: Cell, C: Cell>(
        &self,
        before: &[F],
        after: &mut [C],
        step: StepId,
        misses: &mut Vec<Miss>,
    ) -> bool {
        if let Some(whole) = step.whole() {
            return self.change_whole(before, after, whole, misses);
        }
        let first_column = 1 + self.shape.nodes;
        self.follow(before, step, misses, |change| match change {
            Change::World(world) => after[0] = C::of(world),
            Change::Local(node, local) => after[cell_of(node)] = C::of(local),
            Change::Flow(column, _, flow) => {
                after[first_column + column.position()] = C::of(flow);
            }
        })
    }

    /// [`Program::change`] for a step of the whole system.
    #[inline(never)]
    pub(super) fn change_whole<F: Cell, C: Cell>(
        &self,
        before: &[F],
        after: &mut [C],
        whole: Whole,
        misses: &mut Vec<Miss>,
    ) -> bool {
        let nodes = self.shape.nodes;
        let own = |node: usize| self.own(before[1 + node].local());
        after.iter_mut().zip(before).for_each(|(to, from)| *to = C::of(from.world()));
        let event = match whole {
            Whole::Tick => {
                (0..nodes).for_each(|node| after[1 + node] = C::of(own(node).aged));
                // Nothing could be delivered, so everything that might have arrived is lost.
                let flows = &mut after[1 + nodes..];
                flows.fill(C::of(FlowId::EMPTY));
                for (flow, column) in self.flows_of(before).iter().zip(ColumnId::all()) {
                    if let Some(column) = self.flows.column_after_tick(column) {
                        flows[column.position()] = C::of(flow.flow());
                    }
                }
                return true;
            }
            Whole::Switch(topology) => WorldEvent::Switch(topology),
            Whole::Stabilise(combination) => {
                if self.is_quorum_left(before, misses) != Some(true) {
                    return false;
                }
                let after_them = self.stabilised(self.locals_of(before), combination);
                after[1..].iter_mut().zip(after_them).for_each(|(to, local)| *to = C::of(local));
                WorldEvent::Stabilise
            }
        };
        let world = self.world_after_event(before[0].world(), event, misses);
        world.map(|world| after[0] = C::of(world)).is_some()
    }

    /// The local state of each node after the system has stabilised with this one of the
    /// combinations of ages that timers may take.
    pub(crate) fn stabilised<'a, C: Cell>(
        &'a self,
        locals: &'a [C],
        mut combination: u32,
    ) -> impl Iterator<Item = LocalId> {
        locals.iter().map(move |local| {
            let ages = &self.own(local.local()).stabilised;
            let n = narrow(ages.len());
            let age = ages[widen(combination % n)];
            combination /= n;
            age
        })
    }

    /// Whether a quorum is up and, unless the shape says that it need not be, connected; `None` if
    /// that is not known.
    fn is_quorum_left<C: Cell>(&self, row: &[C], misses: &mut Vec<Miss>) -> Option<bool> {
        let world = &self.worlds[row[0].world()];
        let locals = self.locals_of(row);
        let local = |node: NodeIndex| locals[node.position()].local();
        let is_up = |node: &NodeIndex| self.locals[local(*node)].has(flag::UP);
        let live: Vec<NodeIndex> = (0..locals.len()).map(NodeIndex::at).filter(is_up).collect();
        for &node in &live {
            let is_linked = |other: NodeIndex| {
                self.shape.any_topology_stabilises
                    || world.is_up(node, other) && world.is_up(other, node)
            };
            let near = live.iter().filter(|other| is_linked(**other));
            let reached: NodeSet = near.map(|other| other.id()).collect();
            match self.quorums.get(local(node), reached) {
                None => {
                    misses.push(Miss::Quorum(local(node), reached));
                    return None;
                }
                Some(true) => return Some(true),
                Some(false) => {}
            }
        }
        Some(false)
    }
}
