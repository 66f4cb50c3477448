//! Flows: the messages in flight on one link, as one component with a number.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::steps::StepRange;
use crate::engine::digest::{Identity, later};
use crate::engine::ids::{ColumnId, FlowId, IdVec, MessageId, NodeIndex, Number, narrow, widen};
use crate::engine::row::Cell;

/// When messages may arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Now.
    Now,
    /// In the next tick.
    NextTick,
}

impl Arrival {
    /// The position of a column for such an arrival among the columns of its link.
    pub(super) fn position(self) -> usize {
        self as usize
    }

    /// What messages add to a fingerprint if they arrive then; `share` is what they add if they may
    /// arrive now.
    #[inline]
    pub(super) fn share(self, share: u64) -> u64 {
        match self {
            Arrival::Now => share,
            Arrival::NextTick => later(share),
        }
    }
}

/// A link on which something was sent has a column in rows. Where a message takes a tick it has a
/// second one, right behind the first, for what arrives in the next tick. All that is sent to
/// nobody shares the columns of one link.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    /// The sender.
    pub(super) src: NodeIndex,
    /// The receiver; `NONE` for the columns of what is sent to nobody.
    pub(super) dst: NodeIndex,
    /// When that which is in flight in this column may arrive.
    pub(super) arrival: Arrival,
    /// The node that may receive it now, or `NONE`.
    pub(super) receiver: NodeIndex,
}

/// The messages in flight in one column.
pub(crate) struct Flow {
    /// What it adds to a fingerprint in a column of what may arrive now.
    share: u64,
    /// Where its messages start in the list of all.
    at: usize,
    /// How many messages it holds, copies counted.
    pub(super) len: u32,
    /// How many copies it holds of the message with the most copies.
    pub(super) copies: u32,
    /// The losses and duplications that it can suffer, once they are listed.
    pub(super) strikes: StepRange,
}

/// A list for each receiver, and one for nobody.
type ByReceiver<T> = [T; NodeIndex::PLACES];

/// All flows that have been met.
pub(crate) struct Flows {
    /// For each receiver the flows to it. The first of each is [`FlowId::EMPTY`].
    to: ByReceiver<IdVec<FlowId, Flow>>,
    /// The columns, in the order in which something was first sent there.
    pub(super) columns: IdVec<ColumnId, Column>,
    /// For each receiver the columns to it.
    columns_to: ByReceiver<Vec<ColumnId>>,
    messages: Vec<MessageId>,
    by_share: HashMap<u64, FlowId, BuildHasherDefault<Identity>>,
}

impl Default for Flows {
    fn default() -> Self {
        let empty = Flow { share: 0, at: 0, len: 0, copies: 0, strikes: StepRange::UNKNOWN };
        let to = std::array::from_fn(|_| {
            let mut flows = IdVec::default();
            flows.push(Flow { ..empty });
            flows
        });
        Flows {
            to,
            columns: IdVec::default(),
            columns_to: Default::default(),
            messages: Vec::new(),
            by_share: HashMap::default(),
        }
    }
}

impl Flows {
    /// A flow to a receiver.
    #[inline]
    pub(super) fn get(&self, dst: NodeIndex, flow: FlowId) -> &Flow {
        &self.to[dst.position()][flow]
    }

    /// The columns to a receiver.
    #[inline]
    pub(super) fn columns_to(&self, dst: NodeIndex) -> &[ColumnId] {
        &self.columns_to[dst.position()]
    }

    /// The column of what is sent on a link and arrives then, from the first column of the link.
    pub(super) fn column_for(&self, first: ColumnId, arrival: Arrival) -> ColumnId {
        ColumnId::at(first.position() + arrival.position())
    }

    /// The column to which a tick moves what is in flight in this column, if it arrives then.
    pub(super) fn column_after_tick(&self, column: ColumnId) -> Option<ColumnId> {
        let moves = self.columns[column].arrival == Arrival::NextTick;
        moves.then(|| ColumnId::at(column.position() - Arrival::NextTick.position()))
    }

    /// The receiver of what is in flight in a column.
    #[inline]
    pub(super) fn dst(&self, column: ColumnId) -> NodeIndex {
        self.columns[column].dst
    }

    /// The flows in the columns of a row.
    pub(super) fn all<'a, C: Cell>(&'a self, flows: &'a [C]) -> impl Iterator<Item = &'a Flow> {
        let columns = self.columns.as_slice();
        flows.iter().zip(columns).map(|(flow, column)| self.get(column.dst, flow.flow()))
    }

    /// What each of the flows in the columns of a row adds to a fingerprint.
    pub(super) fn shares<'a, C: Cell>(&'a self, flows: &'a [C]) -> impl Iterator<Item = u64> + 'a {
        let columns = self.columns.as_slice();
        let share = |(flow, column): (&Flow, &Column)| column.arrival.share(flow.share);
        self.all(flows).zip(columns).map(share)
    }

    /// What one flow adds to a fingerprint if it replaces another one in a column.
    #[inline]
    pub(super) fn difference(&self, column: ColumnId, after: &Flow, before: &Flow) -> u64 {
        self.columns[column].arrival.share(after.share.wrapping_sub(before.share))
    }

    /// The messages of a flow: by their ids, or in the order of sending where order is kept.
    pub(super) fn messages(&self, flow: &Flow) -> &[MessageId] {
        &self.messages[flow.at..][..widen(flow.len)]
    }

    /// A copy of the messages of a flow to a receiver.
    pub(super) fn copy(&self, dst: NodeIndex, flow: FlowId) -> Vec<MessageId> {
        self.messages(self.get(dst, flow)).to_vec()
    }

    /// The first column of what is sent from one node to another, or to nobody. If it is new, the
    /// link gets columns for these arrivals.
    pub(super) fn column(
        &mut self,
        src: NodeIndex,
        dst: NodeIndex,
        arrivals: &[Arrival],
    ) -> ColumnId {
        let is_this = |c: &Column| c.dst == dst && (c.src == src || dst == NodeIndex::NONE);
        let known = self.columns.as_slice().iter().zip(ColumnId::all()).find(|(c, _)| is_this(c));
        known.map(|(_, column)| column).unwrap_or_else(|| {
            let first = self.columns.next();
            for &arrival in arrivals {
                let receiver = if arrival == Arrival::Now { dst } else { NodeIndex::NONE };
                let column = self.columns.push(Column { src, dst, arrival, receiver });
                self.columns_to[dst.position()].push(column);
            }
            first
        })
    }

    /// The number of the flow to a receiver with these messages, which have this share; and whether
    /// it is new. `None` if another flow has the same share.
    pub(super) fn intern(
        &mut self,
        dst: NodeIndex,
        messages: &[MessageId],
        share: u64,
    ) -> Option<(FlowId, bool)> {
        let flows = &mut self.to[dst.position()];
        let next = flows.next();
        let id = *self.by_share.entry(share).or_insert(next);
        if id == next {
            let copies = |message| messages.iter().filter(|other| *other == message).count();
            let copies = messages.iter().map(copies).max().unwrap_or(0);
            flows.push(Flow {
                share,
                at: self.messages.len(),
                len: narrow(messages.len()),
                copies: narrow(copies),
                strikes: StepRange::UNKNOWN,
            });
            self.messages.extend_from_slice(messages);
            return Some((id, true));
        }
        let flow = self.to[dst.position()].get(id)?;
        (self.messages(flow) == messages).then_some((id, false))
    }

    /// Notes the losses and duplications that a flow can suffer.
    pub(super) fn set_strikes(&mut self, dst: NodeIndex, flow: FlowId, strikes: StepRange) {
        self.to[dst.position()][flow].strikes = strikes;
    }

    /// The most flows that there are to one receiver.
    pub(super) fn most(&self) -> usize {
        self.to.iter().map(IdVec::len).max().unwrap_or(0)
    }

    /// The bytes held.
    pub(super) fn bytes(&self) -> u64 {
        let flows: usize = self.to.iter().map(IdVec::bytes).sum();
        (flows + self.messages.capacity() * size_of::<MessageId>() + self.by_share.capacity() * 18)
            as u64
    }
}
