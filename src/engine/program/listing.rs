//! Lists the steps of a place: of a local state, of a local state with a flow to its node, or of a
//! flow.

use super::flows::Arrival;
use super::parts::{Outcome, OwnStep, flag, gate};
use super::steps::{ListedStep, StepDetail, StepRange, step_flag};
use super::{Miss, Program, ProgramBuilder};
use crate::engine::digest::chain;
use crate::engine::error::EngineError;
use crate::engine::ids::{
    BundleId, ColumnId, CounterId, FlowId, LocalId, MessageId, NodeIndex, Number, OutcomeId,
    StepId, WorldEvent, narrow, widen,
};
use crate::engine::program::Source;
use crate::semantics::network::NetworkKind;

/// A step that is about to be listed.
#[derive(Clone, Copy)]
struct Draft {
    /// The node at which it happens, or `NONE`.
    node: NodeIndex,
    /// The node before it, or `NONE`.
    local: LocalId,
    /// The column of the flow that it changes, and the flow before it.
    flow: Option<(ColumnId, FlowId)>,
    /// The flow after it.
    after: FlowId,
    /// What the node does, or `NONE`.
    outcome: OutcomeId,
    /// The gates that allow it and the bars that forbid it.
    gates: u32,
    /// See [`StepDetail::message`].
    message: MessageId,
    /// See [`StepDetail::pays`].
    pays: Option<WorldEvent>,
    /// See [`StepDetail::torn`].
    torn: u8,
    /// See [`StepDetail::input`].
    input: u32,
}

/// The parts from which lists are made.
impl Program {
    /// What a flow with these messages adds to a fingerprint.
    pub(super) fn share_of_flow(&self, messages: &[MessageId]) -> u64 {
        let share = |m: &MessageId| self.messages[*m].share;
        let of_queue = |queue: &[MessageId]| queue.iter().fold(1, |sum, m| chain(sum, share(m)));
        match self.shape.network {
            NetworkKind::Ordered => self.queues(messages).map(of_queue).fold(0, u64::wrapping_add),
            _ => messages.iter().map(share).fold(0, u64::wrapping_add),
        }
    }

    /// The queues that make up a column, where order is kept.
    fn queues<'a>(&'a self, messages: &'a [MessageId]) -> impl Iterator<Item = &'a [MessageId]> {
        let link = |m: MessageId| self.messages[m].link;
        messages.chunk_by(move |&a, &b| link(a) == link(b))
    }

    /// The positions of the messages that may be delivered next: one of each distinct message, or
    /// the head of each queue.
    fn heads(&self, messages: &[MessageId]) -> Vec<usize> {
        let same = |a: MessageId, b: MessageId| match self.shape.network {
            NetworkKind::Ordered => self.messages[a].link == self.messages[b].link,
            _ => a == b,
        };
        let is_head = |&at: &usize| at == 0 || !same(messages[at - 1], messages[at]);
        (0..messages.len()).filter(is_head).collect()
    }

    /// The positions of the messages that may be lost, one of each distinct message.
    fn losable(&self, messages: &[MessageId]) -> Vec<usize> {
        if self.shape.network != NetworkKind::Ordered || self.shape.loses_heads_only {
            return self.heads(messages);
        }
        (0..messages.len()).filter(|&at| !messages[..at].contains(&messages[at])).collect()
    }

    /// Whether the number of messages in flight, or of copies, is bounded.
    fn bounds_messages(&self) -> bool {
        self.shape.bounds.max_in_flight.is_some() || self.shape.bounds.max_copies.is_some()
    }

    /// The outcome of a step, or an artificial one for a loss or a duplication.
    fn outcome_of(&self, draft: &Draft) -> Outcome {
        match draft.outcome.some() {
            Some(outcome) => self.outcomes[outcome],
            None if draft.pays == Some(WorldEvent::Lose) => Outcome::of_no_node(CounterId::LOSE),
            None => Outcome::of_no_node(CounterId::DUPLICATE),
        }
    }

    /// The [`step_flag`]s of a step: facts that do not depend on the state before it.
    fn flags_of(&self, draft: &Draft, outcome: &Outcome) -> u16 {
        let is = |what: bool, then: u16| u16::from(what) * then;
        let mut flags = is(draft.pays.is_some() || draft.torn > 0, step_flag::WORLD)
            | is(draft.input > 0, step_flag::NUMBERED);
        if draft.outcome == OutcomeId::NONE {
            return flags;
        }
        flags |= is(outcome.has(flag::OBSERVED), step_flag::WORLD | step_flag::OBSERVED)
            | is(outcome.has(flag::BEYOND_TERM), step_flag::BEYOND_TERM)
            | is(outcome.has(flag::BEYOND_ROUND), step_flag::BEYOND_ROUND)
            | is(!self.locals[outcome.after].broken.is_empty(), step_flag::BREAKS)
            | is(outcome.parcels > 0, step_flag::SENDS);
        let may_bury = draft.local != outcome.after || outcome.parcels > 0;
        flags | is(self.shape.removes_dead && may_bury, step_flag::BURIES)
    }

    /// Whether the fingerprint after a step with these flags takes more than one addition, or the
    /// state may be beyond a bound.
    fn is_careful(&self, flags: u16) -> bool {
        const BEYOND: u16 = step_flag::BEYOND_TERM | step_flag::BEYOND_ROUND;
        let sends_elsewhere =
            flags & step_flag::SENDS != 0 && self.shape.network != NetworkKind::Unordered;
        flags & (step_flag::WORLD | step_flag::BURIES) != 0
            || sends_elsewhere
            || self.bounds_messages()
            || flags & BEYOND != 0
    }

    /// What a step adds to a fingerprint: the change of its node, the change of its flow, and the
    /// messages that it sends, which arrive then, as if nothing were in flight in the columns where
    /// it sends.
    fn delta_of(&self, draft: &Draft, outcome: &Outcome, arrival: Arrival) -> u64 {
        let mut delta = 0u64;
        if draft.outcome != OutcomeId::NONE {
            let (after, before) = (&self.locals[outcome.after], &self.locals[draft.local]);
            let sent = arrival.share(outcome.sent);
            delta = after.share.wrapping_sub(before.share).wrapping_add(sent);
        }
        if let Some((column, before)) = draft.flow {
            let flow = |flow| self.flows.get(self.flows.dst(column), flow);
            let difference = self.flows.difference(column, flow(draft.after), flow(before));
            delta = delta.wrapping_add(difference);
        }
        delta
    }

    /// How many copies of one message there are at most in the flow after a step.
    fn copies_after(&self, draft: &Draft) -> usize {
        let flow =
            draft.flow.map(|(column, _)| self.flows.get(self.flows.dst(column), draft.after));
        flow.map_or(0, |flow| widen(flow.copies))
    }
}

impl ProgramBuilder {
    /// Answers [`Miss::OwnSteps`].
    pub(super) fn list_own(
        &mut self,
        node: NodeIndex,
        local: LocalId,
        source: &mut dyn Source,
    ) -> Result<(), EngineError> {
        self.answer(Miss::Own(local), source)?;
        let first = self.steps.all.next();
        for k in 0..self.own(local).steps.len() {
            let OwnStep { outcome, gates, pays, input } = self.own(local).steps[k];
            if gates & !gate::TIMED == 0 && !self.shape.keeps_time() {
                // A timer that would do nothing never fires.
                continue;
            }
            let draft = Draft {
                node,
                local,
                flow: None,
                after: FlowId::EMPTY,
                outcome,
                gates,
                message: MessageId::NONE,
                pays,
                torn: 0,
                input: input.unwrap_or(0),
            };
            self.list_with_torn(draft, source)?;
        }
        self.program.locals[local].steps = self.since(first)?;
        Ok(())
    }

    /// Answers [`Miss::Deliveries`].
    pub(super) fn list_deliveries(
        &mut self,
        column: ColumnId,
        local: LocalId,
        flow: FlowId,
        source: &mut dyn Source,
    ) -> Result<(), EngineError> {
        let node = self.flows.dst(column);
        let messages = self.flows.copy(node, flow);
        let first = self.steps.all.next();
        let is_ordered = self.shape.network == NetworkKind::Ordered;
        for at in self.heads(&messages) {
            let message = messages[at];
            self.answer(Miss::React(local, message), source)?;
            let reaction = self.reactions.get(local, message).and_then(OutcomeId::some);
            let Some(outcome) = reaction else { continue };
            let is_idle = self.outcomes[outcome].has(flag::IDLE) && !is_ordered;
            if is_idle && !self.shape.keeps_time() {
                continue;
            }
            let mut rest = messages.clone();
            if self.shape.network != NetworkKind::Duplicating {
                rest.remove(at);
            }
            let draft = Draft {
                node,
                local,
                flow: Some((column, flow)),
                after: self.flow(rest)?,
                outcome,
                gates: gate::link_from(self.messages[message].src)
                    | (u32::from(is_idle) * gate::BAR_TIMELESS),
                message,
                pays: None,
                torn: 0,
                input: 0,
            };
            self.list_with_torn(draft, source)?;
        }
        let range = self.since(first)?;
        self.program.steps.deliveries.insert(local, flow, range, range.len == 0);
        Ok(())
    }

    /// Answers [`Miss::Strikes`].
    pub(super) fn list_strikes(
        &mut self,
        column: ColumnId,
        flow: FlowId,
        source: &mut dyn Source,
    ) -> Result<(), EngineError> {
        let dst = self.flows.dst(column);
        let messages = self.flows.copy(dst, flow);
        let first = self.steps.all.next();
        let struck = |after: FlowId, message: MessageId, event: WorldEvent| Draft {
            node: NodeIndex::NONE,
            local: LocalId::NONE,
            flow: Some((column, flow)),
            after,
            outcome: OutcomeId::NONE,
            gates: gate::of(event),
            message,
            pays: Some(event),
            torn: 0,
            input: 0,
        };
        if self.shape.loses {
            for at in self.losable(&messages) {
                let mut rest = messages.clone();
                rest.remove(at);
                let draft = struck(self.flow(rest)?, messages[at], WorldEvent::Lose);
                self.list(draft, source)?;
            }
        }
        if self.shape.duplicates && self.shape.network == NetworkKind::Unordered {
            for at in self.heads(&messages) {
                let mut more = messages.clone();
                more.push(messages[at]);
                let draft = struck(self.flow(more)?, messages[at], WorldEvent::Duplicate);
                self.list(draft, source)?;
            }
        }
        let strikes = self.since(first)?;
        self.program.flows.set_strikes(dst, flow, strikes);
        Ok(())
    }

    /// The steps that have been listed from this one on.
    fn since(&self, first: StepId) -> Result<StepRange, EngineError> {
        let last = self.steps.all.next();
        if last.is_whole() {
            let what = "there are more than two billion different steps";
            return Err(EngineError::TooMany(what.to_string()));
        }
        Ok(StepRange { first, len: narrow(last.position() - first.position()) })
    }

    /// Lists a step, and the same step torn after each number of effects.
    fn list_with_torn(&mut self, draft: Draft, source: &mut dyn Source) -> Result<(), EngineError> {
        self.list(draft, source)?;
        let is_crash = draft.pays == Some(WorldEvent::Crash);
        let torn = if is_crash { 0 } else { self.outcomes[draft.outcome].torn };
        for torn in 1..=torn {
            let gates = draft.gates | gate::BAR_TORN;
            self.list(Draft { outcome: draft.outcome.torn(torn), torn, gates, ..draft }, source)?;
        }
        Ok(())
    }

    /// Lists a step; where what it sends may arrive at once or in the next tick, once for each.
    fn list(&mut self, mut draft: Draft, source: &mut dyn Source) -> Result<(), EngineError> {
        let outcome = self.outcome_of(&draft);
        let flags = self.flags_of(&draft, &outcome);
        if flags & step_flag::BURIES != 0 && draft.flow.is_some() {
            let (local, after) = (outcome.after, draft.after);
            self.answer(Miss::Bury(draft.node, local, after), source)?;
            draft.after = self.steps.living.get(local, after, after).expect("it was answered");
        }
        let arrivals = match outcome.parcels {
            0 => &[(Arrival::Now, 0)],
            _ => self.shape.arrivals_of_sent(),
        };
        for &(arrival, bar) in arrivals {
            let draft = Draft { gates: draft.gates | bar, ..draft };
            self.list_sending(&draft, &outcome, flags, arrival)?;
        }
        Ok(())
    }

    /// Lists a step with these [`step_flag`]s. What it sends arrives then.
    fn list_sending(
        &mut self,
        draft: &Draft,
        outcome: &Outcome,
        mut flags: u16,
        arrival: Arrival,
    ) -> Result<(), EngineError> {
        let delta = self.delta_of(draft, outcome, arrival);
        let copies = self.copies_after(draft);
        let parcels_at = outcome.parcels_for(arrival);
        if self.is_careful(flags) {
            flags |= step_flag::CAREFUL;
        }
        if self.shape.network == NetworkKind::Unordered
            && self.shape.bounds.max_copies.is_none_or(|max| copies <= max)
        {
            flags |= step_flag::ADDS_UP;
            if flags & step_flag::CAREFUL != 0 {
                let first = widen(parcels_at);
                self.name_parcels(first..first + usize::from(outcome.parcels))?;
            }
        }
        let Draft { node, flow, after, gates, message, pays, torn, input, .. } = *draft;
        self.program.steps.all.push(ListedStep {
            delta,
            gates,
            counter: outcome.counter,
            flags,
            local: outcome.after,
            flow: after,
            parcels_at,
            column: flow.map_or(ColumnId::NONE, |(column, _)| column),
            node,
            parcels: outcome.parcels,
        });
        let detail = StepDetail { outcome: draft.outcome, message, pays, torn, input };
        self.program.steps.details.push(detail);
        Ok(())
    }

    /// Answers [`Miss::Put`].
    pub(super) fn find_put(
        &mut self,
        dst: NodeIndex,
        flow: FlowId,
        bundle: BundleId,
    ) -> Result<(), EngineError> {
        let mut messages = self.flows.copy(dst, flow);
        messages.extend_from_slice(&self.bundles[bundle]);
        let after = self.flow(messages)?;
        let copies = widen(self.flows.get(dst, after).copies);
        let are_few = self.shape.bounds.max_copies.is_some_and(|max| copies <= max);
        let puts = &mut self.program.steps.puts;
        puts.set_other(flow, bundle, after);
        if are_few {
            puts.set_usual(flow, bundle);
        }
        Ok(())
    }

    /// Answers [`Miss::Bury`].
    pub(super) fn find_buried(
        &mut self,
        dst: NodeIndex,
        local: LocalId,
        flow: FlowId,
        source: &mut dyn Source,
    ) -> Result<(), EngineError> {
        let mut living = self.flows.copy(dst, flow);
        if self.locals[local].has(flag::UP) {
            for &message in &living {
                self.answer(Miss::Dead(local, message), source)?;
            }
            living.retain(|&message| self.dead.get(local, message) == Some(false));
        }
        let after = self.flow(living)?;
        self.program.steps.living.insert(local, flow, after, after == flow);
        Ok(())
    }
}
