//! A program while it grows.

use std::collections::HashMap;
use std::ops::{Deref, Range};

use super::flows::Flows;
use super::parts::{Outcome, Parcel};
use super::steps::{StepRange, StepTable};
use super::{
    Counted, LocalInfo, MessageInfo, Miss, NewOutcome, NewWorld, OwnBehaviour, Program, Shape,
    WorldInfo,
};
use crate::election::NodeSet;
use crate::engine::error::EngineError;
use crate::engine::ids::{
    BundleId, ColumnId, CounterId, FlowId, IdVec, Key, LocalId, MessageId, NodeIndex, OutcomeId,
    StepId, WorldEvent, WorldId, narrow,
};
use crate::engine::memo::{BitmapMemo, Memo};
use crate::engine::program::Source;
use crate::semantics::network::NetworkKind;
use crate::semantics::{PropertySet, StepKind};

/// A program that can still grow. One thread owns the builder and adds to it; all others read it as
/// a [`Program`], which cannot be changed.
pub(crate) struct ProgramBuilder {
    pub(super) program: Program,
}

impl Deref for ProgramBuilder {
    type Target = Program;
    fn deref(&self) -> &Program {
        &self.program
    }
}

impl ProgramBuilder {
    /// A program that knows only what holds for the whole run.
    pub(crate) fn new(shape: Shape) -> Self {
        let mut counted = IdVec::default();
        for (step, counter) in [
            (StepKind::Lose, CounterId::LOSE),
            (StepKind::Duplicate, CounterId::DUPLICATE),
            (StepKind::Switch, CounterId::SWITCH),
            (StepKind::Stabilise, CounterId::STABILISE),
            (StepKind::Tick, CounterId::TICK),
        ] {
            let number = counted.push(Counted::of_no_node(step));
            debug_assert_eq!(number, counter);
        }
        let program = Program {
            shape,
            locals: IdVec::default(),
            owns: IdVec::default(),
            messages: IdVec::default(),
            flows: Flows::default(),
            worlds: IdVec::default(),
            outcomes: IdVec::default(),
            sends: Vec::new(),
            parcels: Vec::new(),
            bundles: IdVec::default(),
            bundle_ids: HashMap::new(),
            steps: StepTable::default(),
            reactions: Memo::default(),
            dead: Memo::default(),
            quorums: Memo::default(),
            after_event: Memo::default(),
            after_outcome: BitmapMemo::default(),
            pairs: BitmapMemo::default(),
            node_worlds: BitmapMemo::default(),
            counted,
        };
        ProgramBuilder { program }
    }

    /// Answers a question, unless it has been answered.
    ///
    /// # Errors
    /// The exploration is invalid from now on.
    pub(crate) fn answer(
        &mut self,
        miss: Miss,
        source: &mut dyn Source,
    ) -> Result<(), EngineError> {
        if self.knows(miss) {
            return Ok(());
        }
        match miss {
            Miss::OwnSteps(node, local) => self.list_own(node, local, source),
            Miss::Deliveries(column, local, flow) => {
                self.list_deliveries(column, local, flow, source)
            }
            Miss::Strikes(column, flow) => self.list_strikes(column, flow, source),
            Miss::Put(dst, flow, bundle) => self.find_put(dst, flow, bundle),
            Miss::Bury(dst, local, flow) => self.find_buried(dst, local, flow, source),
            of_the_source => source.resolve(of_the_source, self),
        }
    }

    /// The row after a step. Asks the source for everything that is needed and not known.
    ///
    /// # Errors
    /// Those of answers.
    pub(crate) fn take(
        &mut self,
        row: &[u32],
        step: StepId,
        source: &mut dyn Source,
    ) -> Result<Vec<u32>, EngineError> {
        let mut misses = Vec::new();
        loop {
            let mut after = row.to_vec();
            after.resize(self.width(), FlowId::EMPTY.bits());
            if self.change(row, &mut after, step, &mut misses) {
                return Ok(after);
            }
            if misses.is_empty() {
                let step = step.bits();
                return Err(EngineError::Defect(format!("step {step} cannot be taken")));
            }
            misses.drain(..).try_for_each(|miss| self.answer(miss, source))?;
        }
    }

    /// Makes every step that is listed add up to something else, as a defect would.
    #[cfg(test)]
    pub(crate) fn falsify(&mut self) {
        self.program.steps.all.iter_mut().for_each(|step| step.delta ^= 1);
    }
}

/// New components.
impl ProgramBuilder {
    /// Adds a world.
    pub(crate) fn add_world(&mut self, world: NewWorld) {
        self.program.worlds.push(WorldInfo::new(world));
        self.make_room();
    }

    /// Adds a local state.
    pub(crate) fn add_local(&mut self, info: LocalInfo) {
        let local = self.program.locals.push(info);
        self.program.owns.push(None);
        self.make_room();
        let steps = &mut self.program.steps;
        steps.deliveries.insert(local, FlowId::EMPTY, StepRange::EMPTY, true);
        if self.program.shape.removes_dead {
            steps.living.insert(local, FlowId::EMPTY, FlowId::EMPTY, true);
        }
    }

    /// Adds a message.
    pub(crate) fn add_message(&mut self, info: MessageInfo) {
        self.program.messages.push(info);
    }

    /// The column of what is sent from one node to another, or to nobody, and may arrive now.
    pub(crate) fn column(&mut self, src: NodeIndex, dst: NodeIndex) -> ColumnId {
        let arrivals = self.program.shape.arrivals();
        self.program.flows.column(src, dst, arrivals)
    }

    /// Adds a counter to the tally.
    pub(crate) fn add_counter(&mut self, counted: Counted) -> CounterId {
        self.program.counted.push(counted)
    }

    /// Adds an outcome, which sends no more than 65,535 messages.
    ///
    /// # Errors
    /// There are too many outcomes.
    pub(crate) fn add_outcome(&mut self, new: NewOutcome) -> Result<OutcomeId, EngineError> {
        use super::flag;
        let NewOutcome { after, mut sends, idle, observed, torn, counter } = new;
        let program = &mut self.program;
        let limits = flag::BEYOND_TERM | flag::BEYOND_ROUND;
        let mut flags = program.locals[after].flags & limits;
        flags |= (u8::from(idle) * flag::IDLE) | (u8::from(observed) * flag::OBSERVED);
        let mut outcome = Outcome { after, flags, torn, ..Outcome::of_no_node(counter) };
        outcome.sends = sends.len().try_into().expect("a source has made sure of it");
        outcome.sends_at = narrow(program.sends.len());
        program.sends.extend_from_slice(&sends);
        outcome.parcels_at = narrow(program.parcels.len());
        let share = |m: &MessageId| program.messages[*m].share;
        outcome.sent = sends.iter().map(share).fold(0, u64::wrapping_add);
        let column = |m: &MessageId| program.messages[*m].column;
        // The sort is stable: what is sent in one column stays in order.
        sends.sort_by_key(column);
        let bundles: Vec<(ColumnId, Box<[MessageId]>)> = sends
            .chunk_by(|a, b| column(a) == column(b))
            .map(|sent| (column(&sent[0]), sent.into()))
            .collect();
        outcome.parcels = bundles.len().try_into().expect("one node sends in few columns");
        for &arrival in self.shape.arrivals() {
            for (first, messages) in &bundles {
                let column = self.flows.column_for(*first, arrival);
                let bundle = self.bundle(messages);
                self.program.parcels.push(Parcel { column, bundle, flow: FlowId::UNKNOWN });
            }
        }
        let id = self.program.outcomes.push(outcome);
        self.make_room();
        if self.outcomes.len() >= OutcomeId::MOST {
            return Err(EngineError::too_many_outcomes());
        }
        Ok(id)
    }

    fn bundle(&mut self, messages: &[MessageId]) -> BundleId {
        let Program { bundles, bundle_ids, .. } = &mut self.program;
        *bundle_ids.entry(messages.into()).or_insert_with(|| bundles.push(messages.into()))
    }

    /// The number of the flow with these messages, which are in flight in one column and stand in
    /// the order in which they were sent. It has the same number in all columns of the link.
    ///
    /// # Errors
    /// Another flow has the same digest.
    pub(crate) fn flow(&mut self, mut messages: Vec<MessageId>) -> Result<FlowId, EngineError> {
        let program = &mut self.program;
        match program.shape.network {
            // A column holds more than one queue only if it is that of what is sent to nobody.
            NetworkKind::Ordered => messages.sort_by_key(|&m| program.messages[m].link),
            NetworkKind::Unordered => messages.sort_unstable(),
            NetworkKind::Duplicating => {
                messages.sort_unstable();
                messages.dedup();
            }
        }
        let Some(&first) = messages.first() else { return Ok(FlowId::EMPTY) };
        let share = program.share_of_flow(&messages);
        let dst = program.flows.dst(program.messages[first].column);
        let found = program.flows.intern(dst, &messages, share);
        let (flow, is_new) = found.ok_or(EngineError::Collision)?;
        if is_new {
            self.make_room();
        }
        Ok(flow)
    }

    /// The flow of each of these parcels becomes known.
    pub(super) fn name_parcels(&mut self, parcels: Range<usize>) -> Result<(), EngineError> {
        for at in parcels {
            let Parcel { bundle, flow, .. } = self.parcels[at];
            if flow == FlowId::UNKNOWN {
                self.program.parcels[at].flow = self.flow(self.bundles[bundle].to_vec())?;
            }
        }
        Ok(())
    }

    /// Makes room for a bit for every pair that may be asked for.
    fn make_room(&mut self) {
        let program = &mut self.program;
        let (locals, worlds) = (program.locals.len(), program.worlds.len());
        let flows = program.flows.most();
        program.steps.deliveries.extend(locals, flows);
        program.after_outcome.extend(worlds, program.outcomes.len());
        program.steps.puts.extend(flows, program.bundles.len());
        if program.shape.removes_dead {
            program.steps.living.extend(locals, flows);
        }
        if program.shape.asks_pairs {
            program.pairs.extend(locals, locals);
        }
        if program.shape.asks_node_worlds {
            program.node_worlds.extend(locals, worlds);
        }
    }
}

/// The answers of sources.
impl ProgramBuilder {
    /// Answers [`Miss::React`]; `NONE` if the receiver is down.
    pub(crate) fn set_reaction(&mut self, local: LocalId, message: MessageId, to: OutcomeId) {
        self.program.reactions.insert(local, message, to);
    }

    /// Answers [`Miss::Dead`].
    pub(crate) fn set_dead(&mut self, local: LocalId, message: MessageId, is_dead: bool) {
        self.program.dead.insert(local, message, is_dead);
    }

    /// Answers [`Miss::Quorum`].
    pub(crate) fn set_quorum(&mut self, local: LocalId, nodes: NodeSet, is_enough: bool) {
        self.program.quorums.insert(local, nodes, is_enough);
    }

    /// Answers [`Miss::Own`].
    pub(crate) fn set_own(&mut self, local: LocalId, own: OwnBehaviour) {
        self.program.owns[local] = Some(own);
    }

    /// Answers [`Miss::World`].
    pub(crate) fn set_world_after(&mut self, world: WorldId, event: WorldEvent, after: WorldId) {
        match event.key() {
            Ok(outcome) => {
                self.program.after_outcome.insert(world, outcome, after, after == world);
            }
            Err(event) => self.program.after_event.insert(world, event, after),
        }
    }

    /// Answers [`Miss::Pair`].
    pub(crate) fn set_pair(&mut self, a: LocalId, b: LocalId, broken: PropertySet) {
        self.program.pairs.insert(a, b, broken, broken.is_empty());
    }

    /// Answers [`Miss::NodeWorld`].
    pub(crate) fn set_node_world(&mut self, local: LocalId, world: WorldId, broken: PropertySet) {
        self.program.node_worlds.insert(local, world, broken, broken.is_empty());
    }
}
