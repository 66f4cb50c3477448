//! Everything that the engine knows about the system that it explores: components with numbers, and
//! tables of what steps do to them.
//!
//! Everything here is numbers. A [`Source`] holds the values that they stand for. A [`Program`] is
//! only read, so any number of threads may share it. If it does not know something, it returns a
//! [`Miss`]. Between two phases of reading one thread answers the misses with a [`ProgramBuilder`]:
//! it asks the source and adds the answers to the program.

mod builder;
mod change;
mod expand;
mod flows;
mod listing;
mod parts;
mod properties;
mod source;
mod steps;

use std::collections::HashMap;

use super::ids::{
    BundleId, ColumnId, CounterId, EventKey, FlowId, IdVec, LocalId, MessageId, NodeIndex, Number,
    OutcomeId, StepId, WorldEvent, WorldId, widen,
};
use super::memo::{BitmapMemo, Memo};
use super::row::Cell;
use crate::election::NodeSet;
use crate::semantics::PropertySet;

pub(crate) use builder::ProgramBuilder;
pub(crate) use expand::Taken;
pub(crate) use flows::Arrival;
use flows::Flows;
use parts::Parcel;
pub(crate) use parts::{
    Counted, LocalInfo, MessageInfo, NewOutcome, NewWorld, Outcome, OwnBehaviour, OwnStep, Shape,
    WorldInfo, flag,
};
pub(crate) use source::{Judgement, Source};
use steps::StepTable;
pub(crate) use steps::{StepDetail, StepRange};

/// Something that a program does not know yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Miss {
    /// What a message does to its receiver.
    React(LocalId, MessageId),
    /// Whether a message can never again have an effect on its receiver.
    Dead(LocalId, MessageId),
    /// Whether these nodes are enough to elect, as the node with this local state sees it.
    Quorum(LocalId, NodeSet),
    /// What a node can do by itself, and what it becomes at a tick or when the system stabilises.
    Own(LocalId),
    /// A world after something happened.
    World(WorldId, WorldEvent),
    /// Which properties a pair of nodes breaks, the lower node first.
    Pair(LocalId, LocalId),
    /// Which properties a node breaks, given the world.
    NodeWorld(LocalId, WorldId),
    /// The steps of this node by itself.
    OwnSteps(NodeIndex, LocalId),
    /// The deliveries from a flow in this column to the node at its end.
    Deliveries(ColumnId, LocalId, FlowId),
    /// The losses and duplications that a flow in this column can suffer.
    Strikes(ColumnId, FlowId),
    /// A flow to this node, or to nobody, after a bundle of messages has been added to it.
    Put(NodeIndex, FlowId, BundleId),
    /// A flow to this node without the messages that are dead to it in this local state.
    Bury(NodeIndex, LocalId, FlowId),
}

/// Everything that is known about the system that is explored.
pub(crate) struct Program {
    /// What holds for the whole run.
    pub(crate) shape: Shape,
    locals: IdVec<LocalId, LocalInfo>,
    /// For each local state what a node can do by itself, if that has been asked for.
    owns: IdVec<LocalId, Option<OwnBehaviour>>,
    messages: IdVec<MessageId, MessageInfo>,
    flows: Flows,
    worlds: IdVec<WorldId, WorldInfo>,
    outcomes: IdVec<OutcomeId, Outcome>,
    /// What all outcomes send, one after the other.
    sends: Vec<MessageId>,
    /// The same by column.
    parcels: Vec<Parcel>,
    /// Messages that are sent together in one column.
    bundles: IdVec<BundleId, Box<[MessageId]>>,
    bundle_ids: HashMap<Box<[MessageId]>, BundleId>,
    steps: StepTable,
    /// What a message does to its receiver: an outcome, or `NONE` if the receiver is down.
    reactions: Memo<LocalId, MessageId, OutcomeId>,
    dead: Memo<LocalId, MessageId, bool>,
    quorums: Memo<LocalId, NodeSet, bool>,
    /// A world after an event that is no outcome.
    after_event: Memo<WorldId, EventKey, WorldId>,
    /// A world after it took note of an outcome. Usually that is the same world.
    after_outcome: BitmapMemo<WorldId, OutcomeId, WorldId>,
    /// The properties that a pair of nodes breaks, the lower node first. Usually there are none.
    pairs: BitmapMemo<LocalId, LocalId, PropertySet>,
    /// The properties that a node breaks in a world. Usually there are none.
    node_worlds: BitmapMemo<LocalId, WorldId, PropertySet>,
    /// What each counter of the tally counts.
    counted: IdVec<CounterId, Counted>,
}

/// What sources and searches ask of single components.
impl Program {
    /// What is known of a local state.
    pub(crate) fn local(&self, local: LocalId) -> &LocalInfo {
        &self.locals[local]
    }

    /// What is known of a world.
    pub(crate) fn world(&self, world: WorldId) -> &WorldInfo {
        &self.worlds[world]
    }

    /// What is known of an outcome.
    pub(crate) fn outcome(&self, outcome: OutcomeId) -> &Outcome {
        &self.outcomes[outcome]
    }

    /// What else is known of a step of a single place.
    pub(crate) fn detail(&self, step: StepId) -> StepDetail {
        self.steps.details[step]
    }

    /// What a node can do by itself, which is known once its steps are listed.
    pub(crate) fn own(&self, local: LocalId) -> &OwnBehaviour {
        self.owns[local].as_ref().expect("it has been asked for")
    }

    /// The messages that an outcome sends, in order.
    pub(crate) fn sends_of(&self, outcome: &Outcome) -> &[MessageId] {
        &self.sends[widen(outcome.sends_at)..][..usize::from(outcome.sends)]
    }

    /// What each counter of the tally counts, in the order of their numbers.
    pub(crate) fn counted(&self) -> &[Counted] {
        self.counted.as_slice()
    }

    /// How many counters the tally has.
    pub(crate) fn counters(&self) -> usize {
        self.counted.len()
    }

    /// How many local states have been met.
    pub(crate) fn locals(&self) -> usize {
        self.locals.len()
    }

    /// The world after an event, if that is known.
    #[inline]
    fn world_after(&self, world: WorldId, event: WorldEvent) -> Option<WorldId> {
        match event.key() {
            Ok(outcome) => self.after_outcome.get(world, outcome, world),
            Err(event) => self.after_event.get(world, event),
        }
    }

    /// Whether a question has been answered.
    fn knows(&self, miss: Miss) -> bool {
        match miss {
            Miss::React(local, message) => self.reactions.get(local, message).is_some(),
            Miss::Dead(local, message) => self.dead.get(local, message).is_some(),
            Miss::Quorum(local, nodes) => self.quorums.get(local, nodes).is_some(),
            Miss::Own(local) => self.owns[local].is_some(),
            Miss::World(world, event) => self.world_after(world, event).is_some(),
            Miss::Pair(a, b) => self.pairs.is_known(a, b),
            Miss::NodeWorld(local, world) => self.node_worlds.is_known(local, world),
            Miss::OwnSteps(_, local) => self.locals[local].steps.is_known(),
            Miss::Deliveries(_, local, flow) => self.steps.deliveries.is_known(local, flow),
            Miss::Strikes(column, flow) => {
                self.flows.get(self.flows.dst(column), flow).strikes.is_known()
            }
            Miss::Put(_, flow, bundle) => self.steps.puts.other(flow, bundle).is_some(),
            Miss::Bury(_, local, flow) => self.steps.living.is_known(local, flow),
        }
    }

    /// An estimate of the bytes held, without the values that the source holds.
    pub(crate) fn bytes(&self) -> u64 {
        let memos = self.reactions.bytes()
            + self.dead.bytes()
            + self.quorums.bytes()
            + self.after_event.bytes()
            + self.after_outcome.bytes()
            + self.pairs.bytes()
            + self.node_worlds.bytes();
        memos
            + self.flows.bytes()
            + self.steps.bytes()
            + (self.locals.len()
                * (size_of::<LocalInfo>() + size_of::<Option<OwnBehaviour>>() + 64)
                + self.outcomes.len() * size_of::<Outcome>()
                + self.sends.len() * size_of::<MessageId>()
                + self.parcels.len() * size_of::<Parcel>()
                + self.bundles.len() * 64
                + self.messages.len() * size_of::<MessageInfo>()
                + self.worlds.len() * size_of::<WorldInfo>()) as u64
    }
}

/// How components make up a row.
impl Program {
    /// How many cells a row has: one for the world, one for each node, and one for each column that
    /// is known so far.
    #[inline]
    pub(crate) fn width(&self) -> usize {
        1 + self.shape.nodes + self.flows.columns.len()
    }

    /// The largest number that a cell may have to hold.
    pub(crate) fn most(&self) -> usize {
        self.locals.len().max(self.worlds.len()).max(self.flows.most())
    }

    /// The cells of the nodes.
    #[inline]
    pub(crate) fn locals_of<'a, C>(&self, row: &'a [C]) -> &'a [C] {
        &row[1..=self.shape.nodes]
    }

    /// The cells of the columns.
    #[inline]
    fn flows_of<'a, C>(&self, row: &'a [C]) -> &'a [C] {
        &row[1 + self.shape.nodes..]
    }

    /// The flow in a column; empty if the column is newer than the row.
    #[inline]
    fn flow_in<C: Cell>(&self, row: &[C], column: ColumnId) -> FlowId {
        self.flows_of(row).get(column.position()).map_or(FlowId::EMPTY, |flow| flow.flow())
    }

    /// The messages in flight in a row that may arrive then, copies counted.
    pub(crate) fn messages_of<'a>(
        &'a self,
        row: &'a [u32],
        arrival: Arrival,
    ) -> impl Iterator<Item = MessageId> {
        let flows = self.flows.all(self.flows_of(row)).zip(self.flows.columns.as_slice());
        let flows = flows.filter(move |(_, column)| column.arrival == arrival);
        flows.flat_map(|(flow, _)| self.flows.messages(flow)).copied()
    }

    /// The column in which a message is in flight that may arrive then.
    pub(crate) fn column_of(&self, message: MessageId, arrival: Arrival) -> ColumnId {
        self.flows.column_for(self.messages[message].column, arrival)
    }

    /// The fingerprint of a row: the sum of what its components add to it.
    pub(crate) fn sum<C: Cell>(&self, row: &[C]) -> u64 {
        let locals = self.locals_of(row).iter().map(|local| self.locals[local.local()].share);
        let flows = self.flows.shares(self.flows_of(row));
        let world = self.worlds[row[0].world()].share;
        locals.chain(flows).fold(world, u64::wrapping_add)
    }

    /// Whether a row has this fingerprint.
    #[inline(never)]
    pub(crate) fn adds_up<C: Cell>(&self, row: &[C], sum: u64) -> bool {
        self.sum(row) == sum
    }
}

/// The place of a node's cell in a row.
#[inline]
fn cell_of(node: NodeIndex) -> usize {
    1 + node.position()
}
