//! The numbers of the engine: one type for each kind of thing that has a number.
//!
//! All of them are as large as the integer inside. A number is made from a position in a list and
//! turned back into one by named methods, so that a number of one kind cannot be used as one of
//! another.

use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use stateright::actor::Id;

use crate::election::{MAX_NODES, NodeSet};
use crate::semantics::node::Disk;

/// A key of a table: something that fits into 32 bits.
pub(crate) trait Key: Copy {
    fn bits(self) -> u32;
}

/// The number of a component: its position in a list of all that have been met.
pub(crate) trait Number: Key + Eq + Hash + Debug {
    /// The number of the thing at a position.
    fn at(position: usize) -> Self;

    /// The number with these bits.
    fn from_bits(bits: u32) -> Self;

    /// The position of the thing with this number.
    #[inline]
    fn position(self) -> usize {
        widen(self.bits())
    }
}

/// A number as a position.
#[inline]
pub(crate) fn widen(number: u32) -> usize {
    number as usize
}

/// A position or a length as 32 bits. The caller knows that it fits.
#[inline]
pub(crate) fn narrow(position: usize) -> u32 {
    debug_assert!(u32::try_from(position).is_ok());
    position as u32
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($bits:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub(crate) struct $name($bits);

        impl Key for $name {
            #[inline]
            fn bits(self) -> u32 {
                u32::from(self.0)
            }
        }

        impl Number for $name {
            #[inline]
            fn at(position: usize) -> Self {
                debug_assert!(<$bits>::try_from(position).is_ok());
                $name(position as $bits)
            }

            #[inline]
            fn from_bits(bits: u32) -> Self {
                $name(bits as $bits)
            }
        }
    )*};
}

numbers! {
    /// A node's local state: its actor's state, its timers, its disk and its open choices. `NONE`
    /// for steps that happen at no node.
    LocalId(u32);
    /// A message with its sender and receiver.
    MessageId(u32);
    /// A world: everything besides the nodes and the messages.
    WorldId(u32);
    /// What one handler did. `NONE` where no handler runs.
    OutcomeId(u32);
    /// A flow: the messages in flight in one column. Each receiver has its own numbering.
    FlowId(u32);
    /// Messages that an outcome sends together in one column.
    BundleId(u32);
    /// A step that is listed; from [`StepId::WHOLE`] on, a step of the whole system.
    StepId(u32);
    /// A column of rows: the place of what is in flight on one link.
    ColumnId(u16);
    /// A counter of the tally: it counts the steps of one kind that deliver one kind of message and
    /// have the same facts.
    CounterId(u16);
}

/// Special values that stand for no thing.
macro_rules! sentinels {
    ($(#[$doc:meta] $sentinel:ident = $bits:expr, for $($name:ident)*;)*) => {$($(
        impl $name {
            #[$doc]
            pub(crate) const $sentinel: $name = $name($bits);
        }
    )*)*};
}

sentinels! {
    /// Stands in a table for an answer that is not known.
    UNKNOWN = u32::MAX, for WorldId OutcomeId FlowId StepId;
    /// Says that there is no such thing.
    NONE = u32::MAX - 1, for LocalId MessageId OutcomeId;
}

impl FlowId {
    /// The flow without messages, whoever receives it.
    pub(crate) const EMPTY: FlowId = FlowId(0);
}

impl OutcomeId {
    /// The number, if there is an outcome.
    #[inline]
    pub(crate) fn some(self) -> Option<OutcomeId> {
        (self != OutcomeId::NONE).then_some(self)
    }

    /// How many outcomes there may be.
    pub(crate) const MOST: usize = (u32::MAX - 512) as usize;

    /// The outcome of the same step torn. The torn outcomes follow the whole one: first the one
    /// torn before any effect, then the one torn after one effect, and so on.
    pub(crate) fn torn(self, nth: u8) -> OutcomeId {
        OutcomeId(self.0 + u32::from(nth))
    }
}

/// What happens to the system as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Time passes.
    Tick,
    /// The links change to this topology.
    Switch(u8),
    /// The system stabilises; the number says with which of the combinations of ages that its
    /// timers may take.
    Stabilise(u32),
}

impl StepId {
    /// The first of all.
    pub(crate) const FIRST: StepId = StepId(0);
    /// The first number of a step of the whole system. Smaller numbers are steps of single places.
    pub(crate) const WHOLE: StepId = StepId(1 << 31);
    const FIRST_SWITCH: u32 = 1;
    const FIRST_STABILISE: u32 = Self::FIRST_SWITCH + u8::MAX as u32 + 1;

    /// The step as one of the whole system, if it is one.
    #[inline]
    pub(crate) fn whole(self) -> Option<Whole> {
        Some(match self.0.checked_sub(Self::WHOLE.0)? {
            0 => Whole::Tick,
            n @ Self::FIRST_SWITCH..Self::FIRST_STABILISE => {
                Whole::Switch((n - Self::FIRST_SWITCH) as u8)
            }
            combination => Whole::Stabilise(combination - Self::FIRST_STABILISE),
        })
    }

    /// Whether it is a step of the whole system.
    #[inline]
    pub(crate) fn is_whole(self) -> bool {
        self >= Self::WHOLE
    }

    /// This step and all that follow it in the list.
    #[inline]
    pub(crate) fn onwards(self) -> impl Iterator<Item = StepId> {
        (self.0..).map(StepId)
    }
}

impl From<Whole> for StepId {
    fn from(whole: Whole) -> StepId {
        let offset = match whole {
            Whole::Tick => 0,
            Whole::Switch(topology) => StepId::FIRST_SWITCH + u32::from(topology),
            Whole::Stabilise(combination) => StepId::FIRST_STABILISE + combination,
        };
        StepId(StepId::WHOLE.0 + offset)
    }
}

impl ColumnId {
    /// Says that there is no such column.
    pub(crate) const NONE: ColumnId = ColumnId(u16::MAX);

    /// All columns, in their order.
    pub(crate) fn all() -> impl Iterator<Item = ColumnId> {
        (0..u16::MAX).map(ColumnId)
    }
}

/// The first counters count the steps that happen at no single node.
impl CounterId {
    pub(crate) const LOSE: CounterId = CounterId(0);
    pub(crate) const DUPLICATE: CounterId = CounterId(1);
    pub(crate) const SWITCH: CounterId = CounterId(2);
    pub(crate) const STABILISE: CounterId = CounterId(3);
    pub(crate) const TICK: CounterId = CounterId(4);
}

/// A node, by its position among the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub(crate) struct NodeIndex(u8);

impl NodeIndex {
    /// Stands for an identifier that belongs to no node of the model.
    pub(crate) const NONE: NodeIndex = NodeIndex(MAX_NODES as u8);

    /// The length of a list by receiver: one place for each node, and one for `NONE`.
    pub(crate) const PLACES: usize = MAX_NODES + 1;

    /// The node at a position.
    #[inline]
    pub(crate) fn at(position: usize) -> NodeIndex {
        debug_assert!(position < MAX_NODES);
        NodeIndex(position as u8)
    }

    /// The node with this identifier of stateright's, or `NONE` if it is not one of the first
    /// `nodes`.
    pub(crate) fn of(id: Id, nodes: usize) -> NodeIndex {
        if usize::from(id) < nodes { NodeIndex::at(usize::from(id)) } else { NodeIndex::NONE }
    }

    /// The node, if there is one.
    #[inline]
    pub(crate) fn some(self) -> Option<NodeIndex> {
        (self != NodeIndex::NONE).then_some(self)
    }

    /// Its position among the nodes; behind all of them for `NONE`.
    #[inline]
    pub(crate) fn position(self) -> usize {
        usize::from(self.0)
    }

    /// Its position in a list of [`MAX_NODES`] things, written so that the compiler can drop the
    /// check of bounds. Means nothing for `NONE`.
    #[inline]
    pub(crate) fn slot(self) -> usize {
        usize::from(self.0) % MAX_NODES
    }

    /// The identifier that stateright uses for it.
    pub(crate) fn id(self) -> Id {
        Id::from(self.position())
    }
}

impl Key for NodeSet {
    fn bits(self) -> u32 {
        NodeSet::bits(self)
    }
}

/// What can happen to a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum WorldEvent {
    /// A node crashes, which the budget of crashes pays for.
    Crash,
    /// A node restarts and finds its disk in this condition. The budgets of restarts and of damaged
    /// disks pay for it.
    Restart(Disk),
    /// A message is lost.
    Lose,
    /// A message is duplicated.
    Duplicate,
    /// A client's input arrives.
    Input,
    /// From now on time is kept and nothing fails.
    Stabilise,
    /// The links change to this topology.
    Switch(u8),
    /// A node did this, and the world takes note of it.
    Outcome(OutcomeId),
}

impl WorldEvent {
    /// The outcome, if the event is one that the world takes note of; otherwise the key of the
    /// event.
    #[inline]
    pub(crate) fn key(self) -> Result<OutcomeId, EventKey> {
        Err(EventKey(match self {
            WorldEvent::Outcome(outcome) => return Ok(outcome),
            WorldEvent::Crash => 0,
            WorldEvent::Restart(Disk::Intact) => 1,
            WorldEvent::Restart(Disk::Empty) => 2,
            WorldEvent::Restart(Disk::Older) => 3,
            WorldEvent::Lose => 4,
            WorldEvent::Duplicate => 5,
            WorldEvent::Input => 6,
            WorldEvent::Stabilise => 7,
            WorldEvent::Switch(topology) => 8 + u32::from(topology),
        }))
    }
}

/// An event that is no outcome, as the key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventKey(u32);

impl Key for EventKey {
    #[inline]
    fn bits(self) -> u32 {
        self.0
    }
}

/// A list of things that are known by number.
pub(crate) struct IdVec<I, T> {
    items: Vec<T>,
    by: PhantomData<fn(I)>,
}

impl<I, T> Default for IdVec<I, T> {
    fn default() -> Self {
        IdVec { items: Vec::new(), by: PhantomData }
    }
}

impl<I: Number, T> IdVec<I, T> {
    /// Adds one; its number.
    pub(crate) fn push(&mut self, item: T) -> I {
        self.items.push(item);
        I::at(self.items.len() - 1)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The number that the next one will have.
    pub(crate) fn next(&self) -> I {
        I::at(self.items.len())
    }

    #[inline]
    pub(crate) fn get(&self, number: I) -> Option<&T> {
        self.items.get(number.position())
    }

    /// All of them, in the order of their numbers.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.items
    }

    #[cfg(test)]
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut()
    }

    /// The bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>()
    }
}

impl<I: Number, T> Index<I> for IdVec<I, T> {
    type Output = T;
    #[inline]
    fn index(&self, number: I) -> &T {
        &self.items[number.position()]
    }
}

impl<I: Number, T> IndexMut<I> for IdVec<I, T> {
    #[inline]
    fn index_mut(&mut self, number: I) -> &mut T {
        &mut self.items[number.position()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_whole_is_read_as_it_was_numbered() {
        let switches = (0..=u8::MAX).map(Whole::Switch);
        let stabilisations = [0, 1, u32::MAX >> 2].map(Whole::Stabilise);
        for whole in [Whole::Tick].into_iter().chain(switches).chain(stabilisations) {
            let step = StepId::from(whole);
            assert!(step.is_whole());
            assert_eq!(step.whole(), Some(whole));
        }
        assert_eq!(StepId::at(77).whole(), None);
    }

    #[test]
    fn no_two_events_share_a_key() {
        let restarts = [Disk::Intact, Disk::Empty, Disk::Older].map(WorldEvent::Restart);
        let others = [
            WorldEvent::Crash,
            WorldEvent::Lose,
            WorldEvent::Duplicate,
            WorldEvent::Input,
            WorldEvent::Stabilise,
        ];
        let switches = (0..=u8::MAX).map(WorldEvent::Switch);
        let events = restarts.into_iter().chain(others).chain(switches);
        let mut keys: Vec<u32> = events.map(|event| event.key().unwrap_err().bits()).collect();
        let events = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), events);
        assert_eq!(WorldEvent::Outcome(OutcomeId::at(5)).key(), Ok(OutcomeId::at(5)));
    }
}
