//! The rules of phase 2: what is accepted, and whose proposals are accepted.

use stateright::actor::Id;

use super::super::message::{Message, Value, Vote};
use super::super::state::{Ballot, Slot};
use super::super::witness::Witness;
use super::super::words::{kept, message, named, numbered, placed};
use super::{Step, Verdict, fail, is_sent, last, leads, proposals, reached, sent_to, to_others};
use crate::election::{Event, listed, node_name};

pub(super) fn keeps_its_promise(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    if new.promised < old.promised || new.round < old.round {
        return fail(step, format_args!("had {}, and now has {}", kept(old), kept(new)));
    }
    if let Some(slot) = old.accepted.keys().find(|slot| !new.accepted.contains_key(slot)) {
        return fail(step, format_args!("removed what it had accepted in slot {slot:?}"));
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
                format_args!(
                    "had promised {} and accepted {}",
                    numbered(old.promised),
                    placed(*slot, vote)
                ),
            );
        }
        let is_asked = asked.is_some_and(|(_, at, due)| (at, due) == (*slot, *vote));
        let is_own = leads(after) == Some(vote.ballot);
        if !is_asked && !is_own {
            return fail(
                step,
                format_args!("accepted {}, and was not asked to", placed(*slot, vote)),
            );
        }
    }
    let said = sent_to(step, |msg| match msg {
        Message::Accepted { ballot, slot } => Some((*ballot, *slot)),
        _ => None,
    });
    let due = asked.map(|(src, slot, vote)| (src, (vote.ballot, slot)));
    let due: Vec<_> = due.into_iter().collect();
    if !is_sent(step, said.clone(), due.clone()) {
        return fail(
            step,
            format_args!("told {}, and should have told {}", told(&said), told(&due)),
        );
    }
    match asked {
        Some((_, slot, vote))
            if new.accepted.get(&slot) != Some(&vote) || new.promised != vote.ballot =>
        {
            fail(step, format_args!("was asked to accept {}, and did not", placed(slot, &vote)))
        }
        _ => Ok(()),
    }
}

/// Whom a node told of which acceptances.
fn told(said: &[(Id, (Ballot, Slot))]) -> String {
    let one = |(dst, (ballot, slot)): &(Id, (Ballot, Slot))| {
        format!("{} of its acceptance in slot {slot:?} under {ballot:?}", node_name(*dst))
    };
    listed(&said.iter().map(one).collect::<Vec<_>>())
}

pub(super) fn followed_has_led(past: &Witness, step: &Step<'_>) -> Verdict {
    let leads = reached(step).and_then(leads);
    for (_, msg) in step.sends {
        if let Message::Accept { ballot, .. } | Message::Heartbeat { ballot, .. } = msg
            && leads != Some(*ballot)
        {
            return fail(
                step,
                format_args!("sent {}, and does not lead ballot {ballot:?}", message(msg)),
            );
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
                format_args!(
                    "listens to {0} under ballot {ballot:?}, which {0} has not led",
                    node_name(src)
                ),
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
        return fail(
            step,
            format_args!("took {}, and did not propose it in slot {slot:?}", named(&value)),
        );
    }
    Ok(())
}
