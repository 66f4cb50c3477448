//! What a step makes of a row. The fingerprint of the state after it is often told with less ([`super::expand`]), and held
//! against this.

use super::flows::{Column, EMPTY, FlowId, NO_COLUMN, Step, StepId, WHOLE, step_flag};
use super::row::Cell;
use super::tables::*;

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

    pub fn step(self) -> StepId {
        WHOLE
            + match self {
                Whole::Tick => 0,
                Whole::Switch(topology) => 1 + u32::from(topology),
                Whole::Stabilise(combination) => Self::STABILISE + combination,
            }
    }
}

/// One thing that a step changes.
pub enum Change {
    World(WorldId),
    Local(u8, Local),
    /// What stands in a column, before and after.
    Flow(u16, FlowId, FlowId),
}

/// What a row is made of.
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

    /// Whether a row has this fingerprint.
    #[inline(never)]
    pub fn adds_up<C: Cell>(&self, row: &[C], sum: u64) -> bool {
        self.sum(row) == sum
    }
}

/// What follows a step.
impl Tables {
    /// Tells everything that a step of one place changes, each once; whether that is known.
    #[inline]
    pub fn follow<C: Cell>(
        &self,
        row: &[C],
        id: StepId,
        misses: &mut Vec<Miss>,
        mut tell: impl FnMut(Change),
    ) -> bool {
        let before = misses.len();
        let step = &self.steps.all[id as usize];
        if step.local != NOTHING {
            tell(Change::Local(step.node, step.local));
        }
        if step.flags & (step_flag::SENDS | step_flag::BURIES) != 0 {
            self.follow_messages(row, step, misses, &mut tell);
        } else if step.column != NO_COLUMN {
            tell(Change::Flow(step.column, self.flow_in(row, step.column), step.flow));
        }
        if step.flags & step_flag::WORLD != 0
            && let Some(world) = self.world_after_step(row[0].id(), id, misses)
        {
            tell(Change::World(world));
        }
        misses.len() == before
    }

    /// What stands in a column, which may be newer than the row.
    #[inline]
    pub fn flow_in<C: Cell>(&self, row: &[C], column: u16) -> FlowId {
        self.flows(row).get(usize::from(column)).map_or(EMPTY, |flow| flow.id())
    }

    /// Tells every flow that is another after a step that sends, or of which messages may die.
    #[inline]
    fn follow_messages<C: Cell>(
        &self,
        row: &[C],
        step: &Step,
        misses: &mut Vec<Miss>,
        tell: &mut impl FnMut(Change),
    ) {
        let buries = step.flags & step_flag::BURIES != 0;
        let parcels = self.parcels_of(step);
        let is_sent_to = |column| parcels.iter().any(|parcel| parcel.column == column);
        if step.column != NO_COLUMN && !is_sent_to(step.column) {
            tell(Change::Flow(step.column, self.flow_in(row, step.column), step.flow));
        }
        for &Parcel { column, bundle, .. } in parcels {
            let before = self.flow_in(row, column);
            let rest = if column == step.column { step.flow } else { before };
            let Column { dst, .. } = self.flows.columns[usize::from(column)];
            let longer = self.steps.puts.other(rest, bundle);
            if longer == UNKNOWN {
                misses.push(Miss::Put(dst, rest, bundle));
            } else if !buries || dst == NO_NODE {
                tell(Change::Flow(column, before, longer));
            } else {
                let local = if dst == step.node { step.local } else { row[1 + usize::from(dst)].id() };
                if let Some(living) = self.bury(dst, local, longer, misses) {
                    tell(Change::Flow(column, before, living));
                }
            }
        }
        if buries && step.local != row[1 + usize::from(step.node)].id() {
            for &column in &self.flows.columns_to[usize::from(step.node)] {
                if column != step.column && !is_sent_to(column) {
                    let before = self.flow_in(row, column);
                    match self.bury(step.node, step.local, before, misses) {
                        Some(living) if living != before => tell(Change::Flow(column, before, living)),
                        _ => {}
                    }
                }
            }
        }
    }

    /// A flow to a node without what is dead to it, if that is known.
    #[inline]
    fn bury(&self, node: u8, local: Local, flow: FlowId, misses: &mut Vec<Miss>) -> Option<FlowId> {
        let living = self.steps.living.get(local, flow, flow);
        if living == UNKNOWN {
            misses.push(Miss::Bury(node, local, flow));
        }
        (living != UNKNOWN).then_some(living)
    }

    /// The world after a step, if it is known.
    #[inline]
    pub fn world_after_step(
        &self,
        mut world: WorldId,
        step: StepId,
        misses: &mut Vec<Miss>,
    ) -> Option<WorldId> {
        let sequel = &self.steps.sequels[step as usize];
        let is_observed = self.steps.all[step as usize].flags & step_flag::OBSERVED != 0;
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
        let after = self.world_after(world, event);
        if after == UNKNOWN {
            misses.push(Miss::World(world, event));
        }
        (after != UNKNOWN).then_some(after)
    }

    /// Makes of `after`, which is the row `before` and no narrower, what it is after a step; whether that is known, and
    /// can be.
    #[inline]
    pub fn change<F: Cell, C: Cell>(
        &self,
        before: &[F],
        after: &mut [C],
        step: StepId,
        misses: &mut Vec<Miss>,
    ) -> bool {
        if let Some(whole) = Whole::of(step) {
            return self.change_whole(before, after, whole, misses);
        }
        self.follow(before, step, misses, |change| match change {
            Change::World(world) => after[0] = C::of(world),
            Change::Local(node, local) => after[1 + usize::from(node)] = C::of(local),
            Change::Flow(column, _, flow) => {
                after[1 + self.shape.nodes + usize::from(column)] = C::of(flow);
            }
        })
    }

    /// [`Tables::change`] where the system moves as a whole.
    pub fn change_whole<F: Cell, C: Cell>(
        &self,
        before: &[F],
        after: &mut [C],
        whole: Whole,
        misses: &mut Vec<Miss>,
    ) -> bool {
        let nodes = self.shape.nodes;
        let own = |node: usize| self.own(before[1 + node].id());
        after.iter_mut().zip(before).for_each(|(to, from)| *to = C::of(from.id()));
        let event = match whole {
            Whole::Tick => {
                (0..nodes).for_each(|node| after[1 + node] = C::of(own(node).aged));
                // Nothing was deliverable, so that everything in flight is lost.
                after[1 + nodes..].fill(C::of(EMPTY));
                return true;
            }
            Whole::Switch(topology) => event::SWITCH - u32::from(topology),
            Whole::Stabilise(_) if self.is_quorum_left(before, misses) != Some(true) => return false,
            Whole::Stabilise(mut combination) => {
                for node in 0..nodes {
                    let ages = &own(node).stabilised;
                    after[1 + node] = C::of(ages[combination as usize % ages.len()]);
                    combination /= ages.len() as u32;
                }
                event::STABILISE
            }
        };
        let world = self.world_after_event(before[0].id(), event, misses);
        world.map(|world| after[0] = C::of(world)).is_some()
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

    /// The row after a step, where everything may be asked for.
    ///
    /// # Errors
    /// Those of answers.
    pub fn take(
        &mut self,
        row: &[u32],
        step: StepId,
        resolver: &mut dyn Resolver,
    ) -> Result<Vec<u32>, String> {
        let mut misses = Vec::new();
        loop {
            let mut after = row.to_vec();
            after.resize(self.width(), EMPTY);
            if self.change(row, &mut after, step, &mut misses) {
                return Ok(after);
            }
            if misses.is_empty() {
                return Err(format!("step {step} cannot be taken (a defect of oneleader)"));
            }
            misses.drain(..).try_for_each(|miss| self.answer(miss, resolver))?;
        }
    }
}
