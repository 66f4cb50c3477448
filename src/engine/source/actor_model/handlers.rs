//! Calls a model's handlers, and the functions that record its history, and catches their panics.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::actor::{Actor, Envelope};

use super::{Cause, ModelSource, Part, guarded};
use crate::election::{Event, node_name};
use crate::engine::error::EngineError;
use crate::engine::ids::{CounterId, LocalId, MessageId, OutcomeId};
use crate::engine::program::{NewOutcome, Program, ProgramBuilder};
use crate::engine::source::expect_few_sends;
use crate::semantics::names;
use crate::semantics::network::NetworkKind;
use crate::semantics::node::{self, Clock, Reaction};

impl<A, C, H> ModelSource<'_, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    /// The event that a handler gets, in words, for error messages.
    pub(super) fn told(&self, local: LocalId, cause: Cause) -> String {
        let part = &self.parts[local].1;
        match cause {
            Cause::Deliver(message) => {
                let Envelope { src, msg, .. } = self.envelope(message);
                format!("{} from {}", names::value(msg), node_name(src))
            }
            Cause::Timeout(k) => format!("timeout {}", names::value(&part.timer(k))),
            Cause::Choose(k) => {
                let (key, value) = part.choice(k);
                format!("choice {key} = {}", names::value(&value))
            }
            Cause::Restart => "its restart".to_string(),
            Cause::Crash => "its crash".to_string(),
        }
    }

    /// The result of a step from the part with this id, or from a part that is equal to it. The
    /// message of a delivery may be replaced by an equal one, too.
    pub(super) fn react(
        &self,
        local: LocalId,
        part: &Part<A>,
        cause: Cause,
        msg: Option<&A::Msg>,
    ) -> Result<Reaction<A>, EngineError> {
        let i = self.parts[local].0;
        let (id, actor, node) = (i.id(), &self.model.actors[i.position()], part.node());
        let react = |event: &Event<'_, A>| node::react(actor, id, &node, event, Clock::Absent);
        let run = || match cause {
            Cause::Deliver(message) => {
                let Envelope { src, msg: known, .. } = self.envelope(message);
                react(&Event::Deliver { src, msg: msg.unwrap_or(known) })
            }
            Cause::Timeout(k) => react(&Event::Timeout { timer: &part.timer(k) }),
            Cause::Choose(k) => {
                let (key, value) = part.choice(k);
                react(&Event::Choose { key: &key, value: &value })
            }
            Cause::Restart => {
                node::start(&node, Clock::Absent, |disk, out| actor.on_start(id, disk, out))
            }
            Cause::Crash => Reaction::crash(&node),
        };
        let who = || format!("the actor of {} at {}", self.name(local), self.told(local, cause));
        guarded(who, run)
    }

    /// Adds what a handler does.
    pub(super) fn outcome(
        &mut self,
        local: LocalId,
        cause: Cause,
        program: &mut ProgramBuilder,
    ) -> Result<OutcomeId, EngineError> {
        let (i, before) = self.parts[local].clone();
        let reaction = self.react(local, &before, cause, None)?;
        let sends = reaction.sends().into_iter();
        let sends = sends.map(|(dst, msg)| self.messages.id(i.id(), dst, msg, program));
        let sends: Vec<MessageId> = sends.collect();
        expect_few_sends(i, sends.len())?;
        let after = self.part(i, Part::of(reaction.node, &before), program);
        let is_delivery = matches!(cause, Cause::Deliver(_));
        let records = size_of::<H>() > 0 && (is_delivery || !sends.is_empty());
        let remembers = is_delivery && self.kind == NetworkKind::Duplicating;
        self.origins.push((local, cause));
        let outcome = program.add_outcome(NewOutcome {
            after,
            sends,
            idle: reaction.idle,
            observed: records || remembers,
            torn: 0,
            // The tally of an actor model is not used.
            counter: CounterId::LOSE,
        })?;
        if size_of::<H>() == 0 && !(reaction.idle && self.kind != NetworkKind::Ordered) {
            // The history has a single value, so there is nothing to remember. But the functions
            // that record it may panic.
            self.record(&self.model.init_history, outcome, program)?;
        }
        Ok(outcome)
    }

    /// The history after an outcome.
    pub(super) fn record(
        &self,
        history: &H,
        outcome: OutcomeId,
        program: &Program,
    ) -> Result<H, EngineError> {
        let (model, cfg) = (self.model, &self.model.cfg);
        let mut history = history.clone();
        if let (_, Cause::Deliver(message)) = self.origins[outcome] {
            let envelope = self.envelope(message);
            let told = || format!("`record_msg_in` at {}", names::value(&envelope));
            let recorded = guarded(told, || (model.record_msg_in)(cfg, &history, envelope))?;
            history = recorded.unwrap_or(history);
        }
        let sends = program.sends_of(program.outcome(outcome));
        self.record_sends(history, sends.iter().map(|&message| self.envelope(message)))
    }

    /// The history after these messages were sent.
    pub(super) fn record_sends<'m>(
        &self,
        mut history: H,
        sends: impl Iterator<Item = Envelope<&'m A::Msg>>,
    ) -> Result<H, EngineError>
    where
        A::Msg: 'm,
    {
        let (model, cfg) = (self.model, &self.model.cfg);
        for envelope in sends {
            let told = || format!("`record_msg_out` at {}", names::value(&envelope));
            let recorded = guarded(told, || (model.record_msg_out)(cfg, &history, envelope))?;
            history = recorded.unwrap_or(history);
        }
        Ok(history)
    }
}
