//! The acceptor's rules (section 2.2, phases 1 (b) and 2 (b)).

use stateright::actor::Id;

use super::super::Learners;
use super::super::message::{Message, Proposal};
use super::super::state::{Ballot, Disk};
use super::super::words::{accepted, kept, message, numbered, proposed, reported};
use super::{Step, Verdict, begins_to_lead, fail, is_sent_to, reached, sent_to};
use crate::election::{Event, NodeSet, nodes_listed};

pub(super) fn promises_only_upwards(step: &Step<'_>) -> Verdict {
    for (dst, msg) in step.sends {
        let Some(Disk { promised, accepted: own, .. }) = step.before.map(|state| state.durable)
        else {
            return fail(step, "spoke when it started");
        };
        let is_asked = |number: Ballot| match step.event {
            Event::Deliver { src, msg: Message::Prepare { ballot } } => {
                src == *dst && *ballot == number
            }
            _ => false,
        };
        match *msg {
            Message::Promise { ballot, .. } if !is_asked(ballot) => {
                return fail(step, format_args!("promised ballot {ballot} without being asked"));
            }
            Message::Promise { ballot, .. } if ballot == promised => {
                return fail(
                    step,
                    format_args!("had promised ballot {ballot}, and promised it again"),
                );
            }
            Message::Promise { ballot, .. } if ballot < promised => {
                return fail(
                    step,
                    format_args!("had promised ballot {promised}, and promised ballot {ballot}"),
                );
            }
            Message::Promise { ballot, accepted: report } if report != own => {
                return fail(
                    step,
                    format_args!(
                        "reported {} with its promise of ballot {ballot}, and had accepted {}",
                        reported(report),
                        accepted(own)
                    ),
                );
            }
            _ => {}
        }
    }
    refuses_what_is_below(step)?;
    match (&step.event, step.before, step.after) {
        (Event::Deliver { src, msg: Message::Prepare { ballot } }, Some(before), Some(_)) => {
            let promises =
                sent_to(step, |msg| matches!(msg, Message::Promise { .. }).then_some(()));
            let is_due = *ballot > before.durable.promised;
            if is_due && !is_sent_to(step, &promises, NodeSet::from_iter([*src])) {
                return fail(
                    step,
                    format_args!("did not answer the request to prepare for ballot {ballot}"),
                );
            }
            if is_due && step.after.is_some_and(|after| after.durable.promised != *ballot) {
                return fail(
                    step,
                    format_args!("does not remember its promise of ballot {ballot}"),
                );
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// With refusals, a request below the promise is refused, and nothing else is (section 2.2, at its
/// end).
fn refuses_what_is_below(step: &Step<'_>) -> Verdict {
    let refused = sent_to(step, |msg| match msg {
        Message::Refuse { ballot, promised } => Some((*ballot, *promised)),
        _ => None,
    });
    let promised = step.before.map(|before| before.durable.promised).unwrap_or_default();
    let due = match step.event {
        Event::Deliver { src, msg: Message::Prepare { ballot } } => Some((src, *ballot)),
        Event::Deliver { src, msg: Message::Accept { proposal } } => Some((src, proposal.ballot)),
        _ => None,
    }
    .filter(|(_, ballot)| step.actor.refusals && *ballot < promised);
    let receivers: NodeSet = due.into_iter().map(|(src, _)| src).collect();
    let is_right =
        refused.iter().all(|(_, what)| Some(*what) == due.map(|(_, ballot)| (ballot, promised)));
    if is_right && is_sent_to(step, &refused, receivers) {
        Ok(())
    } else {
        let wrong = if refused.is_empty() { "refused nothing" } else { "refused" };
        let to = match step.event {
            Event::Deliver { msg, .. } => message(msg),
            _ => "a request".to_string(),
        };
        fail(step, format_args!("got {to}, having promised {}, and {wrong}", numbered(promised)))
    }
}

pub(super) fn keeps_its_promise(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    if new.promised < old.promised
        || new.accepted.ballot < old.accepted.ballot
        || new.tried < old.tried
    {
        return fail(step, format_args!("had {}, and now has {}", kept(old), kept(new)));
    }
    if new.accepted.ballot > new.promised {
        return fail(
            step,
            format_args!(
                "accepted {}, and has promised only {}: it goes on accepting what is below",
                proposed(new.accepted),
                numbered(new.promised)
            ),
        );
    }
    if new.accepted == old.accepted { accepts_nothing(step, old) } else { accepts(step, old, new) }
}

/// To whom a step tells which acceptance.
fn told(step: &Step<'_>) -> Vec<(Id, Proposal)> {
    sent_to(step, |msg| match msg {
        Message::Accepted { proposal } => Some(*proposal),
        _ => None,
    })
}

/// Nothing is accepted where nothing is asked for, or what is below the promise.
fn accepts_nothing(step: &Step<'_>, old: &Disk) -> Verdict {
    let told = told(step);
    let Event::Deliver { msg: Message::Accept { proposal }, .. } = step.event else {
        return if told.is_empty() { Ok(()) } else { fail(step, "told what it did not accept") };
    };
    // What was accepted before need not be told again.
    let is_ignored = proposal.ballot < old.promised || *proposal == old.accepted;
    if is_ignored && told.is_empty() {
        return Ok(());
    }
    let (what, promised) = (proposed(*proposal), numbered(old.promised));
    fail(step, format_args!("did not accept {what} after promising {promised}"))
}

/// What is accepted was asked for, is not below the promise, and is told to the learners.
fn accepts(step: &Step<'_>, old: &Disk, new: &Disk) -> Verdict {
    if new.accepted.ballot < old.promised {
        return fail(
            step,
            format_args!(
                "had promised ballot {}, and accepted {}, which is below",
                old.promised,
                proposed(new.accepted)
            ),
        );
    }
    let leader = match step.event {
        Event::Deliver { src, msg: Message::Accept { proposal } } if *proposal == new.accepted => {
            src
        }
        _ if begins_to_lead(step) == Some(new.accepted.ballot) => step.id,
        _ => {
            return fail(
                step,
                format_args!("accepted {} without being asked", proposed(new.accepted)),
            );
        }
    };
    let learners = match step.actor.learners {
        Learners::Leader => NodeSet::from_iter([leader]),
        Learners::First => NodeSet::first(1),
        Learners::All => NodeSet::first(step.actor.nodes),
    };
    let learners: NodeSet = learners.iter().filter(|id| *id != step.id).collect();
    let told = told(step);
    if told.iter().any(|(_, told)| *told != new.accepted) || !is_sent_to(step, &told, learners) {
        return fail(
            step,
            format_args!(
                "accepted {} and did not tell {}",
                proposed(new.accepted),
                nodes_listed(learners.iter())
            ),
        );
    }
    Ok(())
}
