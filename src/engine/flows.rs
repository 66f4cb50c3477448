//! Flows and steps: what is in flight on one link, and what can happen to it and to the node at its end.
//!
//! Whatever is no tick, switch or stabilisation happens at one place: a node takes a message out of a flow, or does
//! something by itself, or a message of a flow is lost or duplicated. What that does depends on the node's local state and
//! on that flow alone; the world only says whether it may happen ([`gate`]). So the steps of each local state, of each
//! local state with each flow to it, and of each flow are listed once, with what they add to the sum of a fingerprint.
//! There are few: what one node has sent another and what became of it go together.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::digest::{Identity, chain};
use super::memo::{Mostly, Value};
use super::row::Cell;
use super::tables::*;
use crate::semantics::network::NetworkKind;

/// The messages in flight from one node to another, by number among the flows to the same node.
pub type FlowId = u32;
/// An entry of [`Steps::all`]; from [`WHOLE`] on, a step of the whole system.
pub type StepId = u32;

/// See [`StepId`].
pub const WHOLE: StepId = 1 << 31;

/// The flow without messages, on every link.
pub const EMPTY: FlowId = 0;

/// A link on which something was sent: what stands in one column of rows. All that is sent to nobody shares one.
#[derive(Clone, Copy)]
pub struct Column {
    pub src: u8,
    /// [`NO_NODE`] for the column of what is sent to nobody.
    pub dst: u8,
}

pub struct Flow {
    /// What it adds to the sum of a fingerprint.
    pub share: u64,
    /// Where its messages start, and how many they are.
    at: usize,
    pub len: u32,
    /// The largest number of copies of one message.
    pub copies: u32,
    /// What can strike it, once that was asked for.
    pub strikes: Range,
}

/// All flows met.
pub struct Flows {
    /// By receiver, those to nobody last; the first of each is [`EMPTY`].
    pub to: [Vec<Flow>; NO_NODE as usize + 1],
    /// In the order in which they are met. Each has its place in rows.
    pub columns: Vec<Column>,
    /// All columns to each receiver.
    pub columns_to: [Vec<u16>; NO_NODE as usize + 1],
    messages: Vec<Message>,
    by_share: HashMap<u64, FlowId, BuildHasherDefault<Identity>>,
}

impl Default for Flows {
    fn default() -> Self {
        let empty = || Flow { share: 0, at: 0, len: 0, copies: 0, strikes: Range::UNKNOWN };
        let to = std::array::from_fn(|_| vec![empty()]);
        Flows {
            to,
            columns: Vec::new(),
            columns_to: Default::default(),
            messages: Vec::new(),
            by_share: HashMap::default(),
        }
    }
}

impl Flows {
    #[inline]
    pub fn get(&self, dst: u8, flow: FlowId) -> &Flow {
        &self.to[usize::from(dst)][flow as usize]
    }

    /// The flows of a row's columns.
    pub fn all<'a, C: Cell>(&'a self, flows: &'a [C]) -> impl Iterator<Item = &'a Flow> {
        flows.iter().zip(&self.columns).map(|(flow, column)| self.get(column.dst, flow.id()))
    }

    /// Messages by number; in the order of sending, where order is kept.
    pub fn messages(&self, flow: &Flow) -> &[Message] {
        &self.messages[flow.at..][..flow.len as usize]
    }

    fn copy(&self, dst: u8, flow: FlowId) -> Vec<Message> {
        self.messages(self.get(dst, flow)).to_vec()
    }

    /// The most flows that there are to one receiver.
    pub fn most(&self) -> usize {
        self.to.iter().map(Vec::len).max().unwrap_or(0)
    }

    pub fn bytes(&self) -> u64 {
        let flows: usize = self.to.iter().map(Vec::capacity).sum();
        (flows * size_of::<Flow>()
            + self.messages.capacity() * size_of::<Message>()
            + self.by_share.capacity() * 18) as u64
    }
}

/// A stretch of [`Steps::all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub first: StepId,
    pub len: u32,
}

impl Range {
    pub const UNKNOWN: Range = Range { first: UNKNOWN, len: 0 };

    #[inline]
    pub fn is_known(self) -> bool {
        self.first != UNKNOWN
    }
}

impl Value for Range {
    const UNKNOWN: Range = Range::UNKNOWN;
}

/// Of [`Step::flags`].
pub mod step_flag {
    /// The state after it takes more than [`super::Step::delta`] to tell; or it may be beyond a bound.
    pub const CAREFUL: u16 = 1;
    /// The world changes, or may.
    pub const WORLD: u16 = 2;
    /// Something is sent.
    pub const SENDS: u16 = 4;
    /// It leads beyond the bound of terms.
    pub const BEYOND: u16 = 8;
    /// It leads beyond the bound of rounds.
    pub const BEYOND_ROUND: u16 = 512;
    /// Messages may die of it.
    pub const BURIES: u16 = 16;
    /// The node after it breaks a property by itself.
    pub const BREAKS: u16 = 32;
    /// The world takes note of it, or may.
    pub const OBSERVED: u16 = 64;
    /// It is client input that carries a number.
    pub const NUMBERED: u16 = 256;
    /// What it adds to a sum does not depend on what else is in flight where it sends, as long as no bound is in question.
    pub const ADDS_UP: u16 = 128;
}

/// A step, as far as the search asks: half a cache line.
pub struct Step {
    /// What it adds to the sum, unless that depends on the state before it.
    pub delta: u64,
    gates: u32,
    pub kind: u16,
    /// See [`step_flag`].
    pub flags: u16,
    /// The node after it, or [`NOTHING`] if it happens at no node.
    pub local: Local,
    /// The flow after it.
    pub flow: FlowId,
    /// What is sent: see [`Tables::parcels`].
    pub parcels_at: u32,
    /// The column of the flow, or [`NO_COLUMN`] if none changes.
    pub column: u16,
    /// The node at which it happens, or [`NO_NODE`].
    pub node: u8,
    pub parcels: u8,
}

const _: () = assert!(size_of::<Step>() == 32);

impl Step {
    #[inline]
    pub fn is_open(&self, open: u32, bars: u32) -> bool {
        (self.gates & open != 0) & (self.gates & bars == 0)
    }
}

/// The rest of a step.
#[derive(Clone, Copy, Debug)]
pub struct Sequel {
    /// What the node does, or [`NOTHING`].
    pub outcome: OutcomeId,
    /// The message that is delivered, lost or duplicated, or [`NOTHING`].
    pub message: Message,
    /// What the world pays for it, or [`NOTHING`].
    pub pays: u32,
    /// 0, or one more than the number of effects after which the node crashes, which the world pays for too.
    pub torn: u8,
    /// The number of the client input, or 0 if it carries none.
    pub input: u32,
}

/// Stands for no column.
pub const NO_COLUMN: u16 = u16::MAX;

/// All steps met.
#[derive(Default)]
pub struct Steps {
    pub all: Vec<Step>,
    /// As many.
    pub sequels: Vec<Sequel>,
    /// What a node can do with a flow to it: mostly nothing.
    pub deliveries: Mostly<Range>,
    /// A flow after a bundle of messages was sent; usual is that there are no more copies then than are allowed.
    pub puts: Mostly,
    /// A flow without those messages that are dead to a receiver: mostly the same.
    pub living: Mostly,
}

impl Steps {
    #[inline]
    pub fn of(&self, range: Range) -> &[Step] {
        &self.all[range.first as usize..][..range.len as usize]
    }

    pub fn bytes(&self) -> u64 {
        self.puts.bytes()
            + self.deliveries.bytes()
            + self.living.bytes()
            + (self.all.capacity() * size_of::<Step>() + self.sequels.capacity() * size_of::<Sequel>()) as u64
    }
}

/// A step about to be listed.
struct Draft {
    node: u8,
    /// The node before it.
    local: Local,
    /// The flow before it, and its column.
    flow: Option<(u16, FlowId)>,
    /// The flow after it.
    after: FlowId,
    message: Message,
    pays: u32,
    /// See [`Sequel::input`].
    input: u32,
}

impl Tables {
    /// The number of what is in flight in one column, in the order in which it was sent.
    ///
    /// # Errors
    /// Two flows with one digest.
    pub fn flow(&mut self, mut messages: Vec<Message>) -> Result<FlowId, String> {
        match self.shape.network {
            // Of one column only what is sent to nobody is more than one queue.
            NetworkKind::Ordered => messages.sort_by_key(|&m| self.messages[m as usize].link),
            NetworkKind::Unordered => messages.sort_unstable(),
            NetworkKind::Duplicating => {
                messages.sort_unstable();
                messages.dedup();
            }
        }
        let share = |m: Message| self.messages[m as usize].share;
        let of_queue = |queue: &[Message]| queue.iter().fold(1, |sum, &m| chain(sum, share(m)));
        let share = match self.shape.network {
            NetworkKind::Ordered => self.queues(&messages).map(of_queue).fold(0, u64::wrapping_add),
            _ => messages.iter().map(|&m| share(m)).fold(0, u64::wrapping_add),
        };
        let Some(&first) = messages.first() else { return Ok(EMPTY) };
        let column = self.messages[first as usize].column;
        let dst = self.flows.columns[usize::from(column)].dst;
        let flows = &mut self.flows;
        let next = flows.to[usize::from(dst)].len() as FlowId;
        let id = *flows.by_share.entry(share).or_insert(next);
        if id == next {
            let at = flows.messages.len();
            flows.messages.extend_from_slice(&messages);
            let copies = |message: &Message| messages.iter().filter(|other| *other == message).count();
            let copies = messages.iter().map(copies).max().unwrap_or(0) as u32;
            let flow = Flow { share, at, len: messages.len() as u32, copies, strikes: Range::UNKNOWN };
            flows.to[usize::from(dst)].push(flow);
            self.make_room();
        } else if flows.to[usize::from(dst)].get(id as usize).is_none_or(|f| flows.messages(f) != messages) {
            return Err("two different contents of the network have the same 64-bit digest".to_string());
        }
        Ok(id)
    }

    /// The queues that a column is made of, where order is kept.
    fn queues<'a>(&'a self, messages: &'a [Message]) -> impl Iterator<Item = &'a [Message]> {
        let link = |m: Message| self.messages[m as usize].link;
        messages.chunk_by(move |&a, &b| link(a) == link(b))
    }

    /// The positions of what may be delivered next: of each message once, or the head of each queue.
    fn heads(&self, messages: &[Message]) -> Vec<usize> {
        let same = |a: Message, b: Message| match self.shape.network {
            NetworkKind::Ordered => self.messages[a as usize].link == self.messages[b as usize].link,
            _ => a == b,
        };
        (0..messages.len()).filter(|&at| at == 0 || !same(messages[at - 1], messages[at])).collect()
    }

    /// The positions of what may be lost: of each message once.
    fn losable(&self, messages: &[Message]) -> Vec<usize> {
        if self.shape.network != NetworkKind::Ordered || self.shape.loses_heads_only {
            return self.heads(messages);
        }
        (0..messages.len()).filter(|&at| !messages[..at].contains(&messages[at])).collect()
    }

    /// Whether the number of messages in flight, or of copies, is bounded.
    #[inline]
    pub fn bounds_messages(&self) -> bool {
        self.shape.bounds.max_in_flight.is_some() || self.shape.bounds.max_copies.is_some()
    }

    /// What a node can do by itself, which is known once its steps are listed.
    pub fn own(&self, local: Local) -> &Own {
        self.owns[local as usize].as_ref().expect("it has been asked for")
    }

    /// Answers [`Miss::OwnSteps`].
    pub fn list_own(&mut self, node: u8, local: Local, resolver: &mut dyn Resolver) -> Result<(), String> {
        self.answer(Miss::Own(local), resolver)?;
        let first = self.steps.all.len();
        for k in 0..self.own(local).steps.len() {
            let OwnStep { kind, outcome } = self.own(local).steps[k];
            if kind.gates() & !gate::TIMED == 0 && !self.shape.keeps_time {
                // A timer that would do nothing never fires.
                continue;
            }
            let pays = kind.cost().unwrap_or(NOTHING);
            let input = match kind {
                OwnKind::Input(number) => number.unwrap_or(0),
                _ => 0,
            };
            let draft = Draft { node, local, flow: None, after: EMPTY, message: NOTHING, pays, input };
            self.list_with_torn(&draft, outcome, kind.gates(), resolver)?;
        }
        self.locals[local as usize].steps = self.close(first)?;
        Ok(())
    }

    /// Answers [`Miss::Deliveries`].
    pub fn list_deliveries(
        &mut self,
        column: u16,
        local: Local,
        flow: FlowId,
        resolver: &mut dyn Resolver,
    ) -> Result<(), String> {
        let Column { dst, .. } = self.flows.columns[usize::from(column)];
        let messages = self.flows.copy(dst, flow);
        let first = self.steps.all.len();
        let is_ordered = self.shape.network == NetworkKind::Ordered;
        for at in self.heads(&messages) {
            let message = messages[at];
            self.answer(Miss::React(local, message), resolver)?;
            let outcome = self.react.get(local, message);
            if outcome == NOTHING {
                continue;
            }
            let is_idle = self.outcomes[outcome as usize].flags & flag::IDLE != 0 && !is_ordered;
            if is_idle && !self.shape.keeps_time {
                continue;
            }
            let mut rest = messages.clone();
            if self.shape.network != NetworkKind::Duplicating {
                rest.remove(at);
            }
            let link = gate::LINK << (self.messages[message as usize].src & 15);
            let gates = link | (u32::from(is_idle) * gate::BAR_IDLE);
            let after = self.flow(rest)?;
            let draft = Draft {
                node: dst,
                local,
                flow: Some((column, flow)),
                after,
                message,
                pays: NOTHING,
                input: 0,
            };
            self.list_with_torn(&draft, outcome, gates, resolver)?;
        }
        let range = self.close(first)?;
        self.steps.deliveries.insert(local, flow, range, range.len == 0);
        Ok(())
    }

    /// Answers [`Miss::Strikes`].
    pub fn list_strikes(
        &mut self,
        column: u16,
        flow: FlowId,
        resolver: &mut dyn Resolver,
    ) -> Result<(), String> {
        let Column { dst, .. } = self.flows.columns[usize::from(column)];
        let messages = self.flows.copy(dst, flow);
        let first = self.steps.all.len();
        let struck = |after: FlowId, message: Message, pays: u32| Draft {
            node: NO_NODE,
            local: NOTHING,
            flow: Some((column, flow)),
            after,
            message,
            pays,
            input: 0,
        };
        if self.shape.loses {
            for at in self.losable(&messages) {
                let mut rest = messages.clone();
                rest.remove(at);
                let draft = struck(self.flow(rest)?, messages[at], event::LOSE);
                self.list(&draft, NOTHING, 0, gate::LOSE, resolver)?;
            }
        }
        if self.shape.duplicates && self.shape.network == NetworkKind::Unordered {
            for at in self.heads(&messages) {
                let mut more = messages.clone();
                more.push(messages[at]);
                let draft = struck(self.flow(more)?, messages[at], event::DUPLICATE);
                self.list(&draft, NOTHING, 0, gate::DUPLICATE, resolver)?;
            }
        }
        self.flows.to[usize::from(dst)][flow as usize].strikes = self.close(first)?;
        Ok(())
    }

    /// The steps listed since there were `first`.
    fn close(&self, first: usize) -> Result<Range, String> {
        let last = StepId::try_from(self.steps.all.len()).ok().filter(|&last| last < WHOLE);
        let last = last.ok_or("there are more than two billion different steps")?;
        Ok(Range { first: first as StepId, len: last - first as StepId })
    }

    /// Lists a step, and the same one torn after each number of effects.
    fn list_with_torn(
        &mut self,
        draft: &Draft,
        outcome: OutcomeId,
        gates: u32,
        resolver: &mut dyn Resolver,
    ) -> Result<(), String> {
        self.list(draft, outcome, 0, gates, resolver)?;
        let torn = if draft.pays == event::CRASH { 0 } else { self.outcomes[outcome as usize].torn };
        for torn in 1..=torn {
            self.list(draft, outcome + u32::from(torn), torn, gates | gate::BAR_TORN, resolver)?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        draft: &Draft,
        outcome_id: OutcomeId,
        torn: u8,
        gates: u32,
        resolver: &mut dyn Resolver,
    ) -> Result<(), String> {
        let &Draft { node, local, flow, mut after, message, pays, input } = draft;
        let mut flags = u16::from(pays != NOTHING || torn > 0) * step_flag::WORLD;
        flags |= u16::from(input > 0) * step_flag::NUMBERED;
        let mut delta = 0u64;
        let outcome = match self.outcomes.get(outcome_id as usize) {
            Some(&outcome) => {
                let share = |local: Local| self.locals[local as usize].share;
                delta = share(outcome.after).wrapping_sub(share(local)).wrapping_add(outcome.sent);
                let is = |what: bool, then: u16| u16::from(what) * then;
                flags |= is(outcome.flags & flag::OBSERVED != 0, step_flag::WORLD | step_flag::OBSERVED)
                    | is(outcome.flags & flag::BEYOND != 0, step_flag::BEYOND)
                    | is(outcome.flags & flag::BEYOND_ROUND != 0, step_flag::BEYOND_ROUND)
                    | is(self.locals[outcome.after as usize].broken != 0, step_flag::BREAKS)
                    | is(outcome.parcels > 0, step_flag::SENDS);
                if self.shape.removes_dead && (local != outcome.after || outcome.parcels > 0) {
                    flags |= step_flag::BURIES;
                    if flow.is_some() {
                        self.answer(Miss::Bury(node, outcome.after, after), resolver)?;
                        after = self.steps.living.get(outcome.after, after, after);
                    }
                }
                outcome
            }
            None => {
                let kind = if pays == event::LOSE { kind::LOSE } else { kind::DUPLICATE };
                Outcome { after: NOTHING, kind, ..Outcome::default() }
            }
        };
        let mut copies = 0;
        if let Some((column, before)) = flow {
            let dst = self.flows.columns[usize::from(column)].dst;
            let (before, after) = (self.flows.get(dst, before), self.flows.get(dst, after));
            delta = delta.wrapping_add(after.share).wrapping_sub(before.share);
            copies = after.copies as usize;
        }
        let depends = flags & (step_flag::WORLD | step_flag::BURIES) != 0
            || flags & step_flag::SENDS != 0 && self.shape.network != NetworkKind::Unordered;
        let may_be_beyond =
            self.bounds_messages() || flags & (step_flag::BEYOND | step_flag::BEYOND_ROUND) != 0;
        flags |= u16::from(depends || may_be_beyond) * step_flag::CAREFUL;
        if self.shape.network == NetworkKind::Unordered
            && self.shape.bounds.max_copies.is_none_or(|max| copies <= max)
        {
            flags |= step_flag::ADDS_UP;
            if flags & step_flag::CAREFUL != 0 {
                self.name_parcels(&outcome)?;
            }
        }
        self.steps.all.push(Step {
            delta,
            gates,
            kind: outcome.kind,
            flags,
            local: outcome.after,
            flow: after,
            parcels_at: outcome.parcels_at,
            column: flow.map_or(NO_COLUMN, |(column, _)| column),
            node,
            parcels: outcome.parcels,
        });
        self.steps.sequels.push(Sequel { outcome: outcome_id, message, pays, torn, input });
        Ok(())
    }

    /// Makes flows of what an outcome sends.
    fn name_parcels(&mut self, outcome: &Outcome) -> Result<(), String> {
        for at in (outcome.parcels_at as usize..).take(usize::from(outcome.parcels)) {
            let Parcel { bundle, flow, .. } = self.parcels[at];
            if flow == UNKNOWN {
                self.parcels[at].flow = self.flow(self.bundles[bundle as usize].to_vec())?;
            }
        }
        Ok(())
    }

    /// What a step sends.
    #[inline]
    pub fn parcels_of(&self, step: &Step) -> &[Parcel] {
        &self.parcels[step.parcels_at as usize..][..usize::from(step.parcels)]
    }

    /// Answers [`Miss::Put`].
    pub fn find_put(&mut self, dst: u8, flow: FlowId, bundle: Bundle) -> Result<(), String> {
        let mut messages = self.flows.copy(dst, flow);
        messages.extend_from_slice(&self.bundles[bundle as usize]);
        let after = self.flow(messages)?;
        self.steps.puts.set_other(flow, bundle, after);
        if self.shape.bounds.max_copies.is_some_and(|max| self.flows.get(dst, after).copies as usize <= max) {
            self.steps.puts.set_usual(flow, bundle);
        }
        Ok(())
    }

    /// Answers [`Miss::Bury`].
    pub fn find_buried(
        &mut self,
        dst: u8,
        local: Local,
        flow: FlowId,
        resolver: &mut dyn Resolver,
    ) -> Result<(), String> {
        let mut living = self.flows.copy(dst, flow);
        if self.locals[local as usize].flags & flag::UP != 0 {
            for &message in &living {
                self.answer(Miss::Dead(local, message), resolver)?;
            }
            living.retain(|&message| self.dead.get(local, message) == 0);
        }
        let after = self.flow(living)?;
        self.steps.living.insert(local, flow, after, after == flow);
        Ok(())
    }
}
