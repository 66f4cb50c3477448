//! The rules of phase 1: candidates, promises, and what binds a new leader.

use stateright::actor::Id;

use super::super::message::{Message, Timer, Value, Vote, Votes};
use super::super::state::{Ballot, Role, Slot};
use super::super::witness::Witness;
use super::super::words::{named, numbered, reported};
use super::{
    Step, Verdict, begins_to_lead, fail, is_majority, is_sent, last, leads, proposals, reached,
    sent_to, to_others,
};
use crate::election::{Event, NodeSet, SortedMap, listed, node_name, nodes_listed};

pub(super) fn numbers_are_new(past: &Witness, step: &Step<'_>) -> Verdict {
    let asked = sent_to(step, |msg| match msg {
        Message::Prepare { ballot, from } => Some((*ballot, *from)),
        _ => None,
    });
    let Event::Timeout { timer: Timer::Election } = step.event else {
        return if asked.is_empty() {
            Ok(())
        } else {
            fail(step, "asked for promises without a timeout")
        };
    };
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let promised = before.durable.promised;
    let round = before.durable.round.max(past.round(step.id));
    let ballot = after.durable.promised;
    if let Some(led) = leads(before) {
        return fail(step, format_args!("leads ballot {led:?}, and ran for ballot {ballot:?}"));
    }
    let is_new = |ballot: Ballot| ballot.round > round && ballot > promised;
    if ballot.owner() != step.id || !is_new(ballot) || after.durable.round != ballot.round {
        return fail(
            step,
            format_args!(
                "ran for ballot {ballot:?}, having promised {} and used {round} rounds",
                numbered(promised)
            ),
        );
    }
    let lower = Ballot { round: ballot.round - 1, ..ballot };
    if is_new(lower) {
        return fail(
            step,
            format_args!("ran for ballot {ballot:?}, though ballot {lower:?} would do"),
        );
    }
    let due = to_others(step, &[(ballot, before.chosen.next())]);
    if !is_sent(step, asked.clone(), due) {
        return fail(
            step,
            format_args!("ran for ballot {ballot:?}, and did not ask all others to promise it"),
        );
    }
    Ok(())
}

pub(super) fn promises_only_upwards(step: &Step<'_>) -> Verdict {
    let promises = sent_to(step, |msg| match msg {
        Message::Promise { ballot, accepted } => Some((*ballot, accepted.clone())),
        _ => None,
    });
    let due = match (&step.event, step.before) {
        (Event::Deliver { src, msg: Message::Prepare { ballot, from } }, Some(before))
            if *ballot > before.durable.promised =>
        {
            let votes = before.durable.accepted.iter().filter(|(slot, _)| *slot >= from);
            vec![(*src, (*ballot, votes.map(|(slot, vote)| (*slot, *vote)).collect::<Votes>()))]
        }
        _ => Vec::new(),
    };
    if let (Some(before), [(_, (ballot, _))]) = (step.before, &promises[..])
        && *ballot == before.durable.promised
    {
        return fail(step, format_args!("had promised ballot {ballot:?}, and promised it again"));
    }
    if !is_sent(step, promises.clone(), due.clone()) {
        return fail(
            step,
            format_args!("{}, and should have {}", answered(&promises), answered(&due)),
        );
    }
    match (due.first(), step.after) {
        (Some((_, (ballot, _))), Some(after)) if after.durable.promised != *ballot => {
            fail(step, format_args!("does not remember its promise of ballot {ballot:?}"))
        }
        _ => Ok(()),
    }
}

/// Which promises were given, in the words that follow the node.
fn answered(promises: &[(Id, (Ballot, Votes))]) -> String {
    let promise = |(dst, (ballot, votes)): &(Id, (Ballot, Votes))| {
        let to = node_name(*dst);
        format!("promised ballot {ballot:?} to {to} and reported {}", reported(votes))
    };
    match promises {
        [] => "promised nothing".to_string(),
        _ => listed(&promises.iter().map(promise).collect::<Vec<_>>()),
    }
}

/// The nodes on whose promises a node that begins to lead relies.
fn supporters(step: &Step<'_>) -> NodeSet {
    let counted = match step.before.map(|state| &state.role) {
        Some(Role::Candidate { promises, .. }) => *promises,
        _ => NodeSet::default(),
    };
    let answer = match step.event {
        Event::Deliver { src, msg: Message::Promise { .. } } => Some(src),
        _ => None,
    };
    counted.iter().chain(answer).chain([step.id]).collect()
}

pub(super) fn leads_by_a_majority(past: &Witness, step: &Step<'_>) -> Verdict {
    let Some(ballot) = begins_to_lead(step) else { return Ok(()) };
    let given: NodeSet = match past.promises(step.id, ballot) {
        Some((_, reports)) => reports.keys().copied().collect(),
        None => [step.id].into_iter().collect(),
    };
    let supporters = supporters(step);
    let is_given = supporters.iter().all(|id| given.contains(id));
    if !is_given || !is_majority(step, supporters) || ballot.owner() != step.id {
        return fail(
            step,
            format_args!(
                "leads ballot {ballot:?} and counts the promises of {}, but since it runs for this \
                 ballot only {} promised it",
                nodes_listed(supporters.iter()),
                nodes_listed(given.iter())
            ),
        );
    }
    Ok(())
}

pub(super) fn bound_by_the_highest(past: &Witness, step: &Step<'_>) -> Verdict {
    let (Some(ballot), Some(before)) = (begins_to_lead(step), step.before) else { return Ok(()) };
    let Some((from, reports)) = past.promises(step.id, ballot) else { return Ok(()) };
    let supporters = supporters(step);
    let votes =
        reports.iter().filter(|(id, _)| supporters.contains(**id)).flat_map(|(_, votes)| votes);
    let mut highest: SortedMap<Slot, Vote> = SortedMap::new();
    for (slot, vote) in votes {
        let known = highest.get_or_insert(*slot, *vote);
        if vote.ballot > known.ballot {
            *known = *vote;
        }
    }
    let value = |slot| highest.get(&slot).map_or(Value::Noop, |vote| vote.value);
    let slots = from.up_to(last(&highest));
    let due: Vec<_> = slots.map(|slot| (ballot, slot, value(slot))).collect();
    if !is_sent(step, proposals(step), to_others(step, &due)) || from != before.chosen.next() {
        let due: Vec<String> = due
            .iter()
            .map(|(_, slot, value)| format!("{} in slot {slot:?}", named(value)))
            .collect();
        let due = if due.is_empty() { "nothing".to_string() } else { listed(&due) };
        return fail(
            step,
            format_args!(
                "leads ballot {ballot:?}, and by the reports it should propose {due}, and nothing \
                 else"
            ),
        );
    }
    let Some(after) = reached(step) else { return Ok(()) };
    for (ballot, slot, value) in due {
        if after.durable.accepted.get(&slot) != Some(&Vote { ballot, value }) {
            return fail(
                step,
                format_args!(
                    "proposes {} in slot {slot:?} and does not accept it itself",
                    named(&value)
                ),
            );
        }
    }
    Ok(())
}
