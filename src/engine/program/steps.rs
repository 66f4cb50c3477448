//! The steps of single places, each listed once.
//!
//! A step that is no tick, switch or stabilisation happens at one place: a node takes a message out
//! of a flow; or a node does something by itself; or a message of a flow is lost or duplicated.
//! What the step does depends on the node's local state and on that flow alone. The world only says
//! whether it may happen ([`gate`](super::parts::gate)). So the steps of each local state, of each
//! local state with each flow to it, and of each flow are listed once, each with what it adds to a
//! fingerprint. There are few such pairs, because what is in flight between two nodes and the
//! states of these nodes depend on each other.

use super::parts::Parcel;
use crate::engine::ids::{
    BundleId, ColumnId, CounterId, FlowId, IdVec, LocalId, MessageId, NodeIndex, Number, OutcomeId,
    StepId, WorldEvent, widen,
};
use crate::engine::memo::{Answer, BitmapMemo};

/// The steps of one place: a range in the list of all steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepRange {
    /// The first step.
    pub(super) first: StepId,
    /// How many they are.
    pub(super) len: u32,
}

impl StepRange {
    /// No step.
    pub(super) const EMPTY: StepRange = StepRange { first: StepId::FIRST, len: 0 };

    /// The steps of a place for which they have not been listed.
    pub(crate) const UNKNOWN: StepRange = StepRange { first: StepId::UNKNOWN, len: 0 };

    /// Whether the steps have been listed.
    #[inline]
    pub(super) fn is_known(self) -> bool {
        self.first != StepId::UNKNOWN
    }
}

impl Answer for StepRange {
    type Slot = StepRange;
    const UNKNOWN: StepRange = StepRange::UNKNOWN;

    #[inline]
    fn store(self) -> StepRange {
        self
    }

    #[inline]
    fn recall(slot: StepRange) -> Option<StepRange> {
        slot.is_known().then_some(slot)
    }
}

/// The bits of [`ListedStep::flags`].
pub(crate) mod step_flag {
    /// The fingerprint after the step takes more than adding [`delta`](super::ListedStep::delta),
    /// or the state may be beyond a bound.
    pub(crate) const CAREFUL: u16 = 1;
    /// The world changes, or may change.
    pub(crate) const WORLD: u16 = 2;
    /// Something is sent.
    pub(crate) const SENDS: u16 = 4;
    /// It leads beyond the bound of terms.
    pub(crate) const BEYOND_TERM: u16 = 8;
    /// It leads beyond the bound of rounds.
    pub(crate) const BEYOND_ROUND: u16 = 512;
    /// Messages may be dead after it.
    pub(crate) const BURIES: u16 = 16;
    /// The node after it breaks a property by itself.
    pub(crate) const BREAKS: u16 = 32;
    /// The world takes note of it, or may do so.
    pub(crate) const OBSERVED: u16 = 64;
    /// It is client input that carries a number.
    pub(crate) const NUMBERED: u16 = 256;
    /// What it adds to a fingerprint does not depend on what else is in flight where it sends.
    /// Bounds are not considered here.
    pub(crate) const ADDS_UP: u16 = 128;
}

/// The part of a step that is needed to expand a state. It takes half a cache line.
pub(crate) struct ListedStep {
    /// What it adds to a fingerprint, unless that depends on the state before it.
    pub(super) delta: u64,
    pub(super) gates: u32,
    /// The counter of the tally that counts it.
    pub(super) counter: CounterId,
    /// See [`step_flag`].
    pub(super) flags: u16,
    /// The node after it, or `NONE` if it happens at no node.
    pub(super) local: LocalId,
    /// The flow after it.
    pub(super) flow: FlowId,
    /// What it sends stands in `Program::parcels` from here on.
    pub(super) parcels_at: u32,
    /// The column of the flow, or `NONE` if no flow changes but those that it sends into.
    pub(super) column: ColumnId,
    /// The node at which it happens, or `NONE`.
    pub(super) node: NodeIndex,
    /// How many columns it sends in.
    pub(super) parcels: u8,
}

const _: () = assert!(size_of::<ListedStep>() == 32);

impl ListedStep {
    /// Whether it may be taken where these gates are open and these bars are down.
    #[inline]
    pub(super) fn is_open(&self, open: u32, bars: u32) -> bool {
        (self.gates & open != 0) & (self.gates & bars == 0)
    }

    /// Whether one of these [`step_flag`]s is set.
    #[inline]
    pub(super) fn has(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }
}

/// The rest of a step: what is needed to change the world and to describe the step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepDetail {
    /// What the node does, or `NONE` if it happens at no node.
    pub(crate) outcome: OutcomeId,
    /// The message that is delivered, lost or duplicated, or `NONE`.
    pub(crate) message: MessageId,
    /// What happens to the world because of the kind of step: a budget pays for it.
    pub(crate) pays: Option<WorldEvent>,
    /// 0, or one more than the number of effects after which the node crashes. The budget of
    /// crashes pays for that too.
    pub(crate) torn: u8,
    /// The number of the client input, or 0 if it carries none.
    pub(super) input: u32,
}

/// All steps that have been listed.
#[derive(Default)]
pub(crate) struct StepTable {
    pub(super) all: IdVec<StepId, ListedStep>,
    /// A detail for each step.
    pub(super) details: IdVec<StepId, StepDetail>,
    /// The deliveries from a flow to a node. Usually there are none.
    pub(super) deliveries: BitmapMemo<LocalId, FlowId, StepRange>,
    /// The flow after a bundle of messages was added to a flow. The usual bit does not speak of the
    /// answer here: it says that there are then no more copies of a message than are allowed.
    pub(super) puts: BitmapMemo<FlowId, BundleId, FlowId>,
    /// A flow without the messages that are dead to its receiver. Usually that is the same flow.
    pub(super) living: BitmapMemo<LocalId, FlowId, FlowId>,
}

impl StepTable {
    /// The steps of a range.
    #[inline]
    pub(super) fn of(&self, range: StepRange) -> &[ListedStep] {
        &self.all.as_slice()[range.first.position()..][..widen(range.len)]
    }

    /// The bytes held.
    pub(super) fn bytes(&self) -> u64 {
        self.puts.bytes()
            + self.deliveries.bytes()
            + self.living.bytes()
            + (self.all.bytes() + self.details.bytes()) as u64
    }
}

/// What a step sends.
#[inline]
pub(super) fn parcels_of<'a>(parcels: &'a [Parcel], step: &ListedStep) -> &'a [Parcel] {
    &parcels[widen(step.parcels_at)..][..usize::from(step.parcels)]
}
