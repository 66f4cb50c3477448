//! Which message moves which role (sections 2.2 and 2.3).

use stateright::actor::Id;

use super::super::message::Message;
use super::super::state::{Phase, State};
use super::super::words::{does, kept, message};
use super::{Step, Verdict, begins_to_lead, fail};
use crate::election::{Event, NodeSet, nodes_listed};

pub(super) fn each_message_its_part(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    let Event::Deliver { src, msg } = step.event else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    // Which parts of the disk may change: tried, promised, accepted, learned.
    let has_leadership = begins_to_lead(step).is_some();
    let [tries, promises, accepts, learns] = match msg {
        Message::Prepare { .. } => [false, true, false, false],
        Message::Promise { .. } => [false, false, has_leadership, has_leadership],
        Message::Accept { .. } => [false, true, true, true],
        Message::Accepted { .. } | Message::Chosen { .. } => [false, false, false, true],
        Message::Refuse { .. } => [true, false, false, false],
    };
    let may = |allowed: bool, is_same: bool| allowed || is_same;
    let is_kept = may(tries, new.tried == old.tried)
        && may(promises, new.promised == old.promised)
        && may(accepts, new.accepted == old.accepted)
        && may(learns, new.learned == old.learned);
    if !is_kept || has_leadership && !matches!(msg, Message::Promise { .. }) {
        return fail(
            step,
            format_args!("had {}, got {}, and then had {}", kept(old), message(msg), kept(new)),
        );
    }
    let is_over = is_over(before, src, msg);
    if is_over && after != before {
        return fail(step, format_args!("got {}, which is over, and changed", message(msg)));
    }
    moves_the_proposer(step, before, after, is_over)
}

/// Whether a message is of a ballot that is over, or tells what is known.
fn is_over(before: &State, src: Id, msg: &Message) -> bool {
    let old = &before.durable;
    match msg {
        Message::Prepare { ballot } => *ballot <= old.promised,
        Message::Accept { proposal } => proposal.ballot < old.promised,
        Message::Promise { ballot, .. } => match before.phase {
            Phase::Preparing { promises, .. } => *ballot != old.tried || promises.contains(src),
            _ => true,
        },
        Message::Refuse { ballot, .. } => {
            *ballot != old.tried || before.phase == Phase::Idle || old.learned.is_some()
        }
        Message::Accepted { proposal } => {
            let is_counted =
                *proposal == before.tally.proposal && before.tally.voters.contains(src);
            proposal.ballot < before.tally.proposal.ballot || is_counted || old.learned.is_some()
        }
        Message::Chosen { .. } => old.learned.is_some(),
    }
}

/// How the proposer may change.
fn moves_the_proposer(step: &Step<'_>, before: &State, after: &State, is_over: bool) -> Verdict {
    let Event::Deliver { src, msg } = step.event else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    let has_leadership = begins_to_lead(step).is_some();
    match (msg, &before.phase, &after.phase) {
        // One more promise, and nothing else; with the last one it leads.
        (Message::Promise { accepted, .. }, Phase::Preparing { promises, bound }, phase)
            if !is_over =>
        {
            let all: NodeSet = promises.iter().chain([src]).collect();
            let binding = if accepted.ballot > bound.ballot { accepted } else { bound };
            let next = Phase::Preparing { promises: all, bound: *binding };
            let is_right =
                if all.len() >= step.actor.phase1 { has_leadership } else { *phase == next };
            if is_right {
                Ok(())
            } else {
                fail(
                    step,
                    format_args!(
                        "counts the promises of {}, and {}",
                        nodes_listed(all.iter()),
                        does(phase)
                    ),
                )
            }
        }
        (Message::Refuse { promised, .. }, _, phase) if !is_over => {
            let is_right = *phase == Phase::Idle && new.tried == *promised;
            if is_right {
                Ok(())
            } else {
                fail(
                    step,
                    format_args!(
                        "was refused in favour of ballot {promised}, and has not given way to it"
                    ),
                )
            }
        }
        // A higher ballot ends one's own; the value, once known, ends phase 1; and nothing else
        // ends anything.
        (
            Message::Prepare { .. }
            | Message::Accept { .. }
            | Message::Accepted { .. }
            | Message::Chosen { .. },
            old_phase,
            new_phase,
        ) => {
            let has_learned = old.learned.is_none() && new.learned.is_some();
            let is_higher = new.promised.max(new.accepted.ballot) > old.promised;
            let is_ended = is_higher || has_learned && *old_phase != Phase::Leading;
            let expected = if is_ended { &Phase::Idle } else { old_phase };
            if new_phase == expected {
                Ok(())
            } else {
                fail(step, format_args!("got {}, and {}", message(msg), does(new_phase)))
            }
        }
        _ => Ok(()),
    }
}
