//! Checks on a sample, after the search, that handlers are functions of their arguments.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::actor::{Actor, Envelope};

use super::{Cause, ModelSource, Part};
use crate::engine::error::EngineError;
use crate::engine::ids::{LocalId, MessageId, Number, OutcomeId, WorldId};
use crate::engine::program::{Program, flag};
use crate::semantics::network::NetworkKind;

/// How many reactions, spread over a run, are computed once more.
const SAMPLE: usize = 4096;

impl<A, C, H> ModelSource<'_, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    /// Whether an outcome is the same again when it is computed from an equal part and an equal
    /// message.
    fn is_again(
        &self,
        outcome: OutcomeId,
        part: &Part<A>,
        msg: Option<&A::Msg>,
        program: &Program,
    ) -> Result<bool, EngineError> {
        let (local, cause) = self.origins[outcome];
        let known = program.outcome(outcome);
        let reaction = self.react(local, part, cause, msg)?;
        let src = self.parts[local].0.id();
        let first = program.sends_of(known).iter().map(|&message| self.envelope(message));
        let first: Vec<_> = first.collect();
        let sends = reaction.sends();
        let again = sends.iter().map(|(dst, msg)| Envelope { src, dst: *dst, msg });
        let again: Vec<_> = again.collect();
        Ok(reaction.idle == known.has(flag::IDLE)
            && (first == again || self.is_one_set(&first, &again)?)
            && Part::of(reaction.node, part) == *self.parts[known.after].1)
    }

    /// Whether it makes no difference in which order these messages are sent.
    fn is_one_set(
        &self,
        first: &[Envelope<&A::Msg>],
        again: &[Envelope<&A::Msg>],
    ) -> Result<bool, EngineError> {
        let (mut one, mut other) = (first.to_vec(), again.to_vec());
        one.sort_unstable();
        other.sort_unstable();
        let history = &self.rests[WorldId::at(0)].history;
        let record = |sends: &[_]| self.record_sends(history.clone(), sends.iter().copied());
        Ok(self.kind != NetworkKind::Ordered
            && one == other
            && (size_of::<H>() == 0 || record(first)? == record(again)?))
    }

    /// Computes a sample of the outcomes once more: from the same arguments, and from equal ones.
    ///
    /// # Errors
    /// One came out differently: the handler depends on something that `==` does not compare.
    pub(crate) fn audit(&self, program: &Program) -> Result<(), EngineError> {
        let outcomes = (0..self.origins.len()).map(OutcomeId::at);
        let handled = |outcome: &OutcomeId| !matches!(self.origins[*outcome].1, Cause::Crash);
        let impure = |outcome: OutcomeId, given: &str| {
            let (local, cause) = self.origins[outcome];
            let (node, told) = (self.name(local), self.told(local, cause));
            EngineError::Impure(format!(
                "the handler of {node} is not a pure function: {told} had two outcomes {given}"
            ))
        };
        let stride = self.origins.len().div_ceil(SAMPLE).max(1);
        for outcome in outcomes.clone().step_by(stride).filter(handled) {
            let part = &self.parts[self.origins[outcome].0].1;
            if !self.is_again(outcome, part, None, program)? {
                return Err(impure(outcome, "in the same state"));
            }
        }
        let parts = by_id(self.twins.kept.iter().map(|(local, twin)| (*local, &**twin)));
        let messages = by_id(self.messages.twins().iter().map(|(id, twin)| (*id, &twin.msg)));
        let mut left = SAMPLE;
        for outcome in outcomes.filter(handled) {
            let (local, cause) = self.origins[outcome];
            let own = &*self.parts[local].1;
            let of_message = match cause {
                Cause::Deliver(message) => equal_to::<MessageId, _>(&messages, message),
                _ => &[],
            };
            let twins = equal_to::<LocalId, _>(&parts, local).iter().map(|twin| (*twin, None));
            let twins = twins.chain(of_message.iter().map(|twin| (own, Some(*twin))));
            for (part, msg) in twins {
                if left == 0 {
                    return Ok(());
                }
                left -= 1;
                if !self.is_again(outcome, part, msg, program)? {
                    return Err(impure(outcome, "for arguments that are equal by `==`"));
                }
            }
        }
        Ok(())
    }
}

/// Things by the ids of what they are equal to.
fn by_id<I: Number, T>(twins: impl Iterator<Item = (I, T)>) -> HashMap<I, Vec<T>> {
    let mut all: HashMap<I, Vec<T>> = HashMap::new();
    twins.for_each(|(id, twin)| all.entry(id).or_default().push(twin));
    all
}

/// What is equal to the thing with an id.
fn equal_to<I: Number, T>(all: &HashMap<I, Vec<T>>, id: I) -> &[T] {
    all.get(&id).map_or(&[], Vec::as_slice)
}
