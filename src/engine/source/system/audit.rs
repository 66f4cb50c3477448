//! Audits of what the engine assumes of an actor: that dead messages have no effect, and that
//! handlers are functions of their arguments.

use stateright::actor::Envelope;

use super::{Sampled, SystemSource};
use crate::election::{Election, node_name};
use crate::engine::digest::Digest;
use crate::engine::error::EngineError;
use crate::engine::ids::{LocalId, MessageId};
use crate::engine::source::place;
use crate::semantics::names;
use crate::semantics::node::Reaction;

/// How many dead messages of each local state are delivered again in later local states.
const BURIED: usize = 2;

/// What is stored about a local state to check that messages that are dead to it stay dead.
#[derive(Clone, Debug, Default)]
pub(super) struct Buried {
    /// Some of the messages that are dead.
    messages: Vec<MessageId>,
    /// The local states that were met for the first time in a step from this one.
    followed_by: Vec<LocalId>,
}

impl<E: Election> SystemSource<'_, E> {
    /// Delivers a message that is called dead.
    ///
    /// # Errors
    /// It has an effect.
    pub(super) fn expect_no_effect(
        &self,
        local: LocalId,
        message: MessageId,
    ) -> Result<(), EngineError> {
        let reaction = self.reaction(local, message)?;
        let (i, node) = &self.nodes[local];
        if reaction.effects.is_empty() && reaction.node == **node {
            return Ok(());
        }
        let Envelope { src, msg, .. } = self.messages.envelope(message);
        let (message, src, dst) = (names::value(msg), node_name(*src), node_name(i.id()));
        Err(EngineError::IsAlive { message, src, dst })
    }

    /// Notes that a message is dead to a node from this local state on, and delivers it in the
    /// local states that have followed. Of each local state only a few such messages are kept.
    ///
    /// # Errors
    /// The message is alive again.
    pub(super) fn bury(&mut self, from: LocalId, message: MessageId) -> Result<(), EngineError> {
        let mut open = vec![from];
        while let Some(local) = open.pop() {
            if local != from && self.nodes[local].1.is_up() {
                self.expect_no_effect(local, message)?;
            }
            let Buried { messages, followed_by } = &mut self.buried[local];
            if messages.len() < BURIED && !messages.contains(&message) {
                messages.push(message);
                open.extend(followed_by.iter());
            }
        }
        Ok(())
    }

    /// Notes that a local state is met for the first time, in a step from another. Messages that
    /// were dead to the other are delivered to it.
    ///
    /// # Errors
    /// One of these messages is alive again.
    pub(super) fn follow(&mut self, before: LocalId, after: LocalId) -> Result<(), EngineError> {
        self.buried[before].followed_by.push(after);
        for message in self.buried[before].messages.clone() {
            if self.nodes[after].1.is_up() {
                self.expect_no_effect(after, message)?;
            }
            self.bury(after, message)?;
        }
        Ok(())
    }

    /// Computes a sample of the reactions once more.
    ///
    /// # Errors
    /// One came out differently: the handler is not a function of its arguments.
    pub(crate) fn audit(&self) -> Result<(), EngineError> {
        for &Sampled { local, message, digest: first } in &self.sample.kept {
            if digest(self.seed, &self.reaction(local, message)?) != first {
                let node = node_name(self.nodes[local].0.id());
                let message = names::value(&self.messages.envelope(message).msg);
                return Err(EngineError::Impure(format!(
                    "the handler of {node} is not a pure function: delivering {message} in the \
                     same state twice had two outcomes"
                )));
            }
        }
        Ok(())
    }
}

/// A digest by which a reaction is compared when it is computed again.
pub(super) fn digest<E: Election>(seed: u64, reaction: &Reaction<E>) -> Digest {
    Digest::of(seed, place::REACTION, &(&reaction.node, &reaction.effects, reaction.idle))
}
