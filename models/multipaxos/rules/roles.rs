//! The rule of roles: the data that fit a role, and the messages that change it (PMS 2.2, 2.3).

use stateright::actor::Id;

use super::super::message::{Message, Timer, Votes};
use super::super::state::{Role, Slot, State};
use super::super::words::{does, kept, message, numbered, up_to};
use super::{Step, Verdict, begins_to_lead, fail, is_majority, last, leads, timers};
use crate::election::{Election, Event, NodeSet, nodes_listed};

pub(super) fn roles_fit(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    fits(step, after)?;
    timers::waits_as_its_role_does(step, after)?;
    match (step.before, &step.event) {
        (Some(before), Event::Deliver { src, msg }) => {
            does_its_part(step, before, after, *src, msg)
        }
        (Some(before), Event::Timeout { timer: Timer::Election }) => {
            begins_to_run(step, before, after)
        }
        (Some(before), Event::Choose { .. }) if leads(before) != leads(after) => {
            fail(step, "took an input, and leads no more")
        }
        _ => Ok(()),
    }
}

/// A candidate starts with its own promise, and is bound by its own votes. In a system of one node
/// this makes it leader.
fn begins_to_run(step: &Step<'_>, before: &State, after: &State) -> Verdict {
    let (old, new) = (&before.durable, &after.durable);
    let promises: NodeSet = [step.id].into_iter().collect();
    let votes = old.accepted.iter().filter(|(slot, _)| **slot > before.chosen);
    let adopted: Votes = votes.map(|(slot, vote)| (*slot, *vote)).collect();
    let is_right = match is_majority(step, promises) {
        true => leads(after).is_some(),
        false => {
            let is_same = new.accepted == old.accepted && after.chosen == before.chosen;
            is_same && after.role == Role::Candidate { promises, adopted }
        }
    };
    if is_right {
        Ok(())
    } else {
        fail(
            step,
            format_args!("runs for {}, and now {}", numbered(new.promised), does(&after.role)),
        )
    }
}

/// Whether a node has what its role needs, and nothing of an earlier one.
fn fits(step: &Step<'_>, state: &State) -> Verdict {
    let State { durable: disk, chosen, role } = state;
    let owner = disk.promised.owner();
    let follows = (disk.promised.round > 0 && owner != step.id).then_some(owner);
    if step.actor.follows(step.id, state).map(|(_, leader)| leader) != follows {
        return fail(
            step,
            format_args!("has promised {} and does not follow its owner", numbered(disk.promised)),
        );
    }
    if let Some(slot) = Slot(1).up_to(*chosen).find(|slot| !disk.accepted.contains_key(slot)) {
        return fail(
            step,
            format_args!("has committed slot {slot:?} and has accepted nothing there"),
        );
    }
    let is_own = owner == step.id && disk.round == disk.promised.round;
    let open = || chosen.next().up_to(last(&disk.accepted));
    let is_right = match role {
        Role::Follower => true,
        Role::Candidate { promises, adopted } => {
            let is_bound = |slot: Slot| {
                let own = disk.accepted.get(&slot).map(|vote| vote.ballot);
                adopted.get(&slot).map(|vote| vote.ballot) >= own
            };
            let is_earlier = adopted.values().all(|vote| vote.ballot < disk.promised);
            let is_open = promises.contains(step.id) && !is_majority(step, *promises);
            is_own && is_open && is_earlier && open().all(is_bound)
        }
        Role::Leader { acks } => {
            let is_counted = |slot: Slot| {
                let voted =
                    disk.accepted.get(&slot).is_none_or(|vote| vote.ballot == disk.promised);
                let is_gap = !disk.accepted.contains_key(&slot);
                !is_gap && voted && acks.get(&slot).is_some_and(|who| who.contains(step.id))
            };
            // With heartbeats what is chosen is repeated to those that have not answered.
            let repeats = Slot(1)
                .up_to(*chosen)
                .all(|slot| acks.contains_key(&slot) == step.actor.heartbeats);
            is_own
                && open().all(is_counted)
                && acks.keys().all(|slot| *slot <= last(&disk.accepted))
                && repeats
        }
    };
    if is_right {
        Ok(())
    } else {
        fail(
            step,
            format_args!("{}, has {}, and knows that {}", does(role), kept(disk), up_to(*chosen)),
        )
    }
}

/// Requests change only the acceptor, promises the candidate, votes the leader, commit indices the
/// learner; and a message of a ballot that is over changes nothing.
fn does_its_part(
    step: &Step<'_>,
    before: &State,
    after: &State,
    src: Id,
    msg: &Message,
) -> Verdict {
    let leads_now = begins_to_lead(step).is_some();
    let is_for_another = leads_now && !matches!(msg, Message::Promise { .. });
    let is_round_kept = after.durable.round == before.durable.round;
    if !keeps_the_rest(step, before, after, msg) || !is_round_kept || is_for_another {
        return fail(
            step,
            format_args!(
                "got {}, and changed more than it may: it had {}, and now has {}",
                message(msg),
                kept(&before.durable),
                kept(&after.durable)
            ),
        );
    }
    if is_over(before, src, msg) {
        let is_still = after == before && step.sends.is_empty();
        return if is_still {
            Ok(())
        } else {
            fail(step, format_args!("got {}, which is over, and changed", message(msg)))
        };
    }
    moves_its_role(step, before, after, src, msg)
}

/// Whether everything is as before, except the role that the message is for.
fn keeps_the_rest(step: &Step<'_>, before: &State, after: &State, msg: &Message) -> bool {
    let (old, new) = (&before.durable, &after.durable);
    match msg {
        Message::Prepare { .. } => new.accepted == old.accepted && after.chosen == before.chosen,
        Message::Promise { .. } => {
            let leads_now = begins_to_lead(step).is_some();
            new.promised == old.promised && (leads_now || new == old)
        }
        Message::Accept { .. } => after.chosen == before.chosen,
        Message::Accepted { .. } => new == old,
        Message::Heartbeat { .. } => new.accepted == old.accepted,
    }
}

/// Whether the message is of a ballot that is over for its receiver, or was answered before.
fn is_over(before: &State, src: Id, msg: &Message) -> bool {
    let promised = before.durable.promised;
    match msg {
        Message::Prepare { ballot, .. } => *ballot <= promised,
        Message::Promise { ballot, .. } => match &before.role {
            Role::Candidate { promises, .. } => *ballot != promised || promises.contains(src),
            _ => true,
        },
        Message::Accepted { ballot, slot } => match &before.role {
            Role::Leader { acks } => {
                *ballot != promised || acks.get(slot).is_none_or(|who| who.contains(src))
            }
            _ => true,
        },
        Message::Accept { ballot, .. } | Message::Heartbeat { ballot, .. } => *ballot < promised,
    }
}

/// A promise counts towards a majority. A higher ballot ends what a node does under a lower one;
/// the same ballot ends nothing.
fn moves_its_role(
    step: &Step<'_>,
    before: &State,
    after: &State,
    src: Id,
    msg: &Message,
) -> Verdict {
    match (msg, &before.role) {
        (Message::Promise { accepted, .. }, Role::Candidate { promises, adopted }) => {
            let all: NodeSet = promises.iter().chain([src]).collect();
            let mut bound = adopted.clone();
            for (slot, vote) in accepted {
                let known = bound.get_or_insert(*slot, *vote);
                *known = if vote.ballot > known.ballot { *vote } else { *known };
            }
            let is_right = match is_majority(step, all) {
                true => begins_to_lead(step).is_some(),
                false => after.role == Role::Candidate { promises: all, adopted: bound },
            };
            if is_right {
                Ok(())
            } else {
                fail(
                    step,
                    format_args!(
                        "has the promises of {}, and {}",
                        nodes_listed(all.iter()),
                        does(&after.role)
                    ),
                )
            }
        }
        (
            Message::Prepare { ballot, .. }
            | Message::Accept { ballot, .. }
            | Message::Heartbeat { ballot, .. },
            role,
        ) => {
            let is_higher = *ballot > before.durable.promised;
            let expected = if is_higher { &Role::Follower } else { role };
            let is_right = after.role == *expected && after.durable.promised == *ballot;
            if is_right {
                Ok(())
            } else {
                fail(step, format_args!("got {}, and {}", message(msg), does(&after.role)))
            }
        }
        _ => Ok(()),
    }
}
