//! Whether handlers are functions of their arguments, asked of a sample when all is over.

use std::collections::HashMap;

use super::*;

/// As many reactions, spread over a run, are computed once more.
const SAMPLE: usize = 4096;

impl<A, C, H> ModelFront<'_, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    /// Whether an outcome is the same from an equal part, with an equal message.
    fn is_again(
        &self,
        outcome: OutcomeId,
        part: &Part<A>,
        msg: Option<&A::Msg>,
        tables: &Tables,
    ) -> Result<bool, String> {
        let (local, cause) = self.origins[outcome as usize];
        let known = &tables.outcomes[outcome as usize];
        let reaction = self.react(local, part, cause, msg)?;
        let src = Id::from(usize::from(self.parts[local].0));
        let first: Vec<_> = tables.sends_of(known).iter().map(|&message| self.envelope(message)).collect();
        let sends = reaction.sends();
        let again: Vec<_> = sends.iter().map(|(dst, msg)| Envelope { src, dst: *dst, msg }).collect();
        Ok(reaction.idle == (known.flags & flag::IDLE != 0)
            && (first == again || self.is_one_set(&first, &again)?)
            && Self::part_of(reaction.node, part) == *self.parts[known.after].1)
    }

    /// Whether it makes no difference which of these is sent in which order.
    fn is_one_set(&self, first: &[Envelope<&A::Msg>], again: &[Envelope<&A::Msg>]) -> Result<bool, String> {
        let (mut one, mut other) = (first.to_vec(), again.to_vec());
        one.sort_unstable();
        other.sort_unstable();
        let record = |sends: &[_]| self.record_sends(self.rests[0].history.clone(), sends.iter().copied());
        Ok(self.kind != NetworkKind::Ordered
            && one == other
            && (size_of::<H>() == 0 || record(first)? == record(again)?))
    }

    /// Computes a sample of the outcomes once more: from the same arguments, and from equal ones.
    ///
    /// # Errors
    /// One that came out differently: the handler is not a function of what is compared of its arguments.
    pub fn audit(&self, tables: &Tables) -> Result<(), String> {
        let outcomes = 0..self.origins.len() as OutcomeId;
        let handled = |outcome: &OutcomeId| !matches!(self.origins[*outcome as usize].1, Cause::Crash);
        let impure = |outcome: OutcomeId, given: &str| {
            let (local, cause) = self.origins[outcome as usize];
            let (node, told) = (self.name(local), self.told(local, cause));
            format!("the handler of {node} is not a pure function: {told} had two outcomes {given}")
        };
        let stride = self.origins.len().div_ceil(SAMPLE).max(1);
        for outcome in outcomes.clone().step_by(stride).filter(handled) {
            let part = &self.parts[self.origins[outcome as usize].0].1;
            if !self.is_again(outcome, part, None, tables)? {
                return Err(impure(outcome, "in the same state"));
            }
        }
        let mut parts: HashMap<Local, Vec<&Part<A>>> = HashMap::new();
        self.twins.iter().for_each(|(local, twin)| parts.entry(*local).or_default().push(twin));
        let mut messages: HashMap<Message, Vec<&A::Msg>> = HashMap::new();
        self.wire
            .twins()
            .iter()
            .for_each(|(message, twin)| messages.entry(*message).or_default().push(&twin.msg));
        let mut left = SAMPLE;
        for outcome in outcomes.filter(handled) {
            let (local, cause) = self.origins[outcome as usize];
            let own = &self.parts[local].1;
            let of_message = match cause {
                Cause::Deliver(message) => messages.get(&message).map_or(&[][..], Vec::as_slice),
                _ => &[],
            };
            let of_part = parts.get(&local).map_or(&[][..], Vec::as_slice);
            let twins = of_part.iter().map(|twin| (*twin, None));
            for (part, msg) in twins.chain(of_message.iter().map(|twin| (&**own, Some(*twin)))) {
                if left == 0 {
                    return Ok(());
                }
                left -= 1;
                if !self.is_again(outcome, part, msg, tables)? {
                    return Err(impure(outcome, "for arguments that are equal by `==`"));
                }
            }
        }
        Ok(())
    }
}
