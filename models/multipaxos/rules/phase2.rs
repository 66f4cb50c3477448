//! The rules of phase 2: votes, and whose proposals are accepted.

use super::super::message::{Message, Value, Vote};
use super::super::witness::Witness;
use super::{Step, Verdict, fail, is_sent, last, leads, proposals, reached, sent_to, to_others};
use crate::election::{Event, node_name};

pub(super) fn keeps_its_promise(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    if new.promised < old.promised || new.round < old.round {
        return fail(step, format_args!("went back from {old:?} to {new:?}"));
    }
    if let Some(slot) = old.accepted.keys().find(|slot| !new.accepted.contains_key(slot)) {
        return fail(step, format_args!("removed its vote in slot {slot:?}"));
    }
    let asked = match step.event {
        Event::Deliver { src, msg: Message::Accept { ballot, slot, value } }
            if *ballot >= old.promised =>
        {
            Some((src, *slot, Vote { ballot: *ballot, value: *value }))
        }
        _ => None,
    };
    for (slot, vote) in
        new.accepted.iter().filter(|(slot, vote)| old.accepted.get(slot) != Some(vote))
    {
        let is_higher = vote.ballot >= old.promised
            && vote.ballot == new.promised
            && old.accepted.get(slot).is_none_or(|earlier| earlier.ballot <= vote.ballot);
        if !is_higher {
            return fail(
                step,
                format_args!("promised {:?} and voted {vote:?} in slot {slot:?}", old.promised),
            );
        }
        let is_asked = asked.is_some_and(|(_, at, due)| (at, due) == (*slot, *vote));
        let is_own = leads(after) == Some(vote.ballot);
        if !is_asked && !is_own {
            return fail(
                step,
                format_args!("voted {vote:?} in slot {slot:?}, and was not asked to"),
            );
        }
    }
    let said = sent_to(step, |msg| match msg {
        Message::Accepted { ballot, slot } => Some((*ballot, *slot)),
        _ => None,
    });
    let due = asked.map(|(src, slot, vote)| (src, (vote.ballot, slot)));
    if !is_sent(step, said.clone(), due.into_iter().collect()) {
        return fail(step, format_args!("said to have voted {said:?}, where {due:?} is right"));
    }
    match asked {
        Some((_, slot, vote))
            if new.accepted.get(&slot) != Some(&vote) || new.promised != vote.ballot =>
        {
            fail(step, format_args!("was asked to vote {vote:?} in slot {slot:?}, and did not"))
        }
        _ => Ok(()),
    }
}

pub(super) fn followed_has_led(past: &Witness, step: &Step<'_>) -> Verdict {
    let leads = reached(step).and_then(leads);
    for (_, msg) in step.sends {
        if let Message::Accept { ballot, .. } | Message::Heartbeat { ballot, .. } = msg
            && leads != Some(*ballot)
        {
            return fail(step, format_args!("sent {msg:?}, and does not lead {ballot:?}"));
        }
    }
    match step.event {
        Event::Deliver {
            src,
            msg: Message::Accept { ballot, .. } | Message::Heartbeat { ballot, .. },
        } => {
            if past.has_led(*ballot) && ballot.owner() == src {
                return Ok(());
            }
            fail(
                step,
                format_args!("listens to {} in {ballot:?}, which it has not led", node_name(src)),
            )
        }
        Event::Choose { value, .. } => take_input(step, *value),
        _ => Ok(()),
    }
}

/// PMS 3: a leader puts an input in the first slot that it has not used, and proposes it to all.
fn take_input(step: &Step<'_>, value: Value) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let Some(ballot) = leads(before) else { return fail(step, "took an input, and does not lead") };
    let slot = last(&before.durable.accepted).next();
    let is_proposed = is_sent(step, proposals(step), to_others(step, &[(ballot, slot, value)]));
    if !is_proposed || after.durable.accepted.get(&slot) != Some(&Vote { ballot, value }) {
        return fail(step, format_args!("took {value:?}, and did not propose it in slot {slot:?}"));
    }
    Ok(())
}
