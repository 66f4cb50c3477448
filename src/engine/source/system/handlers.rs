//! Calls handlers, once for each of their arguments, and stores their outcomes.

use std::sync::Arc;

use stateright::actor::{Envelope, Id};

use super::SystemSource;
use crate::election::{Election, Event, kind, node_name};
use crate::engine::error::EngineError;
use crate::engine::ids::{CounterId, LocalId, MessageId, NodeIndex, OutcomeId};
use crate::engine::program::{Counted, NewOutcome, ProgramBuilder};
use crate::engine::source::expect_few_sends;
use crate::semantics::node::{self, Disk, Effect, NodeOf, Reaction};
use crate::semantics::{Step, StepKind, StepOf, event, names};
use crate::support::panics;

/// Which step of a node an outcome belongs to: enough to tell the step again.
#[derive(Clone, Copy)]
pub(super) enum Cause {
    /// The delivery of a message.
    Deliver(MessageId),
    /// The timer at this position of the node's timers.
    Timeout(u32),
    /// The value at this position of all the node's open choices.
    Choose(u32),
    /// A restart that finds the disk in this condition.
    Restart(Disk),
    /// A crash.
    Crash,
}

/// Where an outcome comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    /// The node before the step.
    pub(super) before: LocalId,
    /// The step.
    pub(super) cause: Cause,
    /// If the step was torn after at least one effect: the node as the whole handler would have
    /// left it.
    pub(super) cut_short: Option<LocalId>,
}

/// What a handler did; if the node crashed, only what came before the crash.
struct Did<'a, E: Election> {
    origin: Origin,
    node: NodeIndex,
    before: &'a NodeOf<E>,
    step: &'a StepOf<E>,
    after: &'a NodeOf<E>,
    effects: &'a [Effect<E::Msg, E::Storage>],
    /// Without the planted bug the node would have done something else.
    is_changed_by_bug: bool,
    /// The handler changed nothing.
    is_idle: bool,
    /// Whether the node crashed in the middle.
    is_torn: bool,
    /// How many outcomes follow that are the same step torn.
    torn: u8,
}

impl<E: Election> SystemSource<'_, E> {
    fn counter(&mut self, counted: Counted, program: &mut ProgramBuilder) -> CounterId {
        let add = |counted: &Counted| program.add_counter(counted.clone());
        *self.counters.entry(counted).or_insert_with_key(add)
    }

    /// Adds what a handler did: as a whole, and torn after each number of effects. Returns the
    /// first of these outcomes.
    pub(super) fn outcomes(
        &mut self,
        before: LocalId,
        cause: Cause,
        reaction: Reaction<E>,
        program: &mut ProgramBuilder,
    ) -> Result<OutcomeId, EngineError> {
        let (i, node) = self.nodes[before].clone();
        let torn = match self.system.rules.faults.torn {
            true => reaction.effects.len(),
            false => 0,
        };
        let origin = Origin { before, cause, cut_short: None };
        let step = self.told(origin);
        let is_changed_by_bug =
            panics::caught(|| self.system.is_changed_by_bug(i.id(), &node, &step, &reaction));
        let did = Did {
            origin,
            node: i,
            before: &node,
            step: &step,
            after: &reaction.node,
            effects: &reaction.effects,
            is_changed_by_bug: is_changed_by_bug.unwrap_or(true),
            is_idle: reaction.idle,
            is_torn: false,
            torn: u8::try_from(torn).map_err(|_| {
                let node = node_name(i.id());
                EngineError::TooMany(format!(
                    "the actor of {node} sends and saves more than 255 times in a handler that \
                     may be torn"
                ))
            })?,
        };
        let whole = self.outcome(&did, program)?;
        for effects in 0..torn {
            let whole_node = || Arc::new(reaction.node.clone());
            let cut_short = (effects > 0).then(|| self.local(i, whole_node(), program));
            let origin = Origin { cut_short, ..origin };
            let (after, effects) = reaction.torn(effects);
            let did = Did {
                origin,
                after: &after,
                effects,
                is_torn: true,
                is_idle: false,
                torn: 0,
                ..did
            };
            self.outcome(&did, program)?;
        }
        Ok(whole)
    }

    fn outcome(
        &mut self,
        did: &Did<'_, E>,
        program: &mut ProgramBuilder,
    ) -> Result<OutcomeId, EngineError> {
        let id = did.node.id();
        let sends = node::sends(did.effects);
        expect_few_sends(did.node, sends.len())?;
        let cut_short = did.origin.cut_short.and_then(|local| self.nodes[local].1.state.clone());
        let states = (did.before, event(did.step), did.after);
        let step = self.system.node_step(id, states, &sends, cut_short.as_deref());
        let facts = self.system.facts_of(&step, did.is_changed_by_bug);
        let cut_short_leads = step.cut_short.is_some_and(|s| step.actor.leads(id, s).is_some());
        let ends_leading = facts.elects || cut_short_leads;
        let broken_rules = self.system.broken_rules(&step);
        // If there are no witness and no properties of steps with their past, the world takes note
        // of broken rules and new leaders only.
        let observed = self.system.rules.remember
            && (size_of::<E::Witness>() > 0
                || self.has_step_invariants
                || !broken_rules.is_empty()
                || (ends_leading && E::about().has_terms));
        let counted = match did.step {
            _ if did.is_torn => Counted { step: StepKind::Torn, message: None, facts },
            Step::Deliver { msg, .. } => {
                Counted { step: StepKind::Deliver, message: Some(kind(msg)), facts }
            }
            step => Counted { step: step.kind(), message: None, facts },
        };
        let counter = self.counter(counted, program);
        let ids = sends.into_iter().map(|(dst, msg)| self.messages.id(id, dst, msg, program));
        let sends: Vec<MessageId> = ids.collect();
        let known = program.locals();
        let after = self.local(did.node, Arc::new(did.after.clone()), program);
        if program.locals() > known {
            self.follow(did.origin.before, after)?;
        }
        self.origins.push(did.origin);
        let outcome = program.add_outcome(NewOutcome {
            after,
            sends,
            idle: did.is_idle,
            observed,
            torn: did.torn,
            counter,
        })?;
        if !broken_rules.is_empty() {
            self.broken_rules.insert(outcome, broken_rules);
        }
        Ok(outcome)
    }

    /// Runs a handler, or says that it panicked.
    pub(super) fn guarded<T>(
        &self,
        node: NodeIndex,
        what: &str,
        run: impl FnOnce() -> T,
    ) -> Result<T, EngineError> {
        panics::caught(run).map_err(|why| EngineError::Panicked {
            who: format!("the actor of {}", node_name(node.id())),
            at: Some(what.to_string()),
            why,
        })
    }

    /// What a node does when it receives a message.
    pub(super) fn reaction(
        &self,
        local: LocalId,
        message: MessageId,
    ) -> Result<Reaction<E>, EngineError> {
        let (i, node) = &self.nodes[local];
        let Envelope { src, msg, .. } = self.messages.envelope(message);
        self.react(*i, node, &Event::Deliver { src: *src, msg })
    }

    /// What a node does at an event.
    pub(super) fn react(
        &self,
        i: NodeIndex,
        node: &NodeOf<E>,
        event: &Event<'_, E>,
    ) -> Result<Reaction<E>, EngineError> {
        let from = |src: &Id| node_name(*src);
        let what = match event {
            Event::Deliver { src, msg } => format!("{} from {}", names::value(msg), from(src)),
            Event::Timeout { timer } => format!("timeout {}", names::value(timer)),
            Event::Choose { key, value } => format!("choice {key} = {}", names::value(value)),
            Event::Start | Event::Crash => String::new(),
        };
        self.guarded(i, &what, || self.system.react(i.id(), node, event))
    }
}
