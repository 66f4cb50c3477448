//! The rules of learning: how a leader counts acceptances, what it tells and repeats, and what a
//! follower commits.

use stateright::actor::Id;

use super::super::message::{Message, Timer, Vote};
use super::super::state::{Ballot, Role, Slot, State};
use super::super::words::counted;
use super::{
    Step, Verdict, fail, is_majority, is_sent, leads, others, proposals, reached, sent_to,
    to_others,
};
use crate::election::{Event, NodeSet, SortedMap, listed};

pub(super) fn committed_prefix_stable(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    if after.chosen < before.chosen {
        let (was, is) = (before.chosen, after.chosen);
        return fail(
            step,
            format_args!(
                "had committed up to slot {was:?}, and now has committed up \
                                        to slot {is:?} only"
            ),
        );
    }
    for ((slot, was), (_, is)) in before.committed().zip(after.committed()) {
        if was != is {
            return fail(
                step,
                format_args!(
                    "had committed {was:?} in slot {slot:?}, and now has \
                                            committed {is:?} there"
                ),
            );
        }
    }
    Ok(())
}

/// The acceptors that have voted under a leader's ballot, as the leader should know them for each
/// slot that still matters; and the last slot up to which everything is chosen. Chosen slots matter
/// only as long as heartbeats have to repeat their proposals.
fn votes_due(step: &Step<'_>, before: &State, after: &State) -> (SortedMap<Slot, NodeSet>, Slot) {
    let own: NodeSet = [step.id].into_iter().collect();
    let mut votes = match &before.role {
        Role::Leader { acks } => acks.clone(),
        _ => Slot(1).up_to(before.chosen).map(|slot| (slot, own)).collect(),
    };
    let is_proposed = |slot: &Slot, vote: &Vote| before.durable.accepted.get(slot) != Some(vote);
    for (slot, _) in after.durable.accepted.iter().filter(|(slot, vote)| is_proposed(slot, vote)) {
        votes.insert(*slot, own);
    }
    if let Event::Deliver { src, msg: Message::Accepted { ballot, slot } } = step.event
        && *ballot == before.durable.promised
        && let Some(voters) = votes.get_mut(slot)
    {
        voters.insert(src);
    }
    let mut chosen = before.chosen;
    while votes.get(&chosen.next()).is_some_and(|voters| is_majority(step, *voters)) {
        chosen = chosen.next();
    }
    votes.retain(|slot, _| step.actor.heartbeats || *slot > chosen);
    (votes, chosen)
}

/// The last slot that a follower commits when its leader says what is chosen: it goes as far as the
/// follower has voted under that ballot.
fn told_chosen(step: &Step<'_>, before: &State) -> Slot {
    let mut due = before.chosen;
    if let Event::Deliver { msg: Message::Heartbeat { ballot, chosen }, .. } = step.event
        && *ballot >= before.durable.promised
    {
        let vote = |slot: Slot| before.durable.accepted.get(&slot);
        while due < *chosen && vote(due.next()).is_some_and(|vote| vote.ballot == *ballot) {
            due = due.next();
        }
    }
    due
}

pub(super) fn counts_acceptances(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    if let Event::Timeout { timer: Timer::Heartbeat } = step.event {
        return repeats(step, before, after);
    }
    let due = match &after.role {
        Role::Leader { acks } => {
            let (votes, chosen) = votes_due(step, before, after);
            if *acks != votes {
                return fail(
                    step,
                    format_args!("counts {}, and should count {}", counted(acks), counted(&votes)),
                );
            }
            chosen
        }
        _ => told_chosen(step, before),
    };
    if after.chosen != due {
        return fail(
            step,
            format_args!("committed {}, and should commit {}", up_to(after.chosen), up_to(due)),
        );
    }
    let said = said_chosen(step);
    let is_notice = leads(after).is_some() && due > before.chosen;
    let notice = if is_notice { vec![(after.durable.promised, due)] } else { Vec::new() };
    if !is_sent(step, said.clone(), to_others(step, &notice)) {
        let slot = |(_, (_, chosen)): &(Id, (Ballot, Slot))| format!("{chosen:?}");
        let told: Vec<String> = said.iter().map(slot).collect();
        return fail(
            step,
            format_args!(
                "committed {}, and tells the others up to which slots all is chosen: {}",
                up_to(due),
                listed(&told)
            ),
        );
    }
    Ok(())
}

fn up_to(chosen: Slot) -> String {
    match chosen {
        Slot(0) => "nothing".to_string(),
        last => format!("up to slot {last:?}"),
    }
}

/// The commit indices that a node sent.
fn said_chosen(step: &Step<'_>) -> Vec<(Id, (Ballot, Slot))> {
    sent_to(step, |msg| match msg {
        Message::Heartbeat { ballot, chosen } => Some((*ballot, *chosen)),
        _ => None,
    })
}

/// With each heartbeat a leader tells all others what is chosen, and sends a proposal again to
/// those that have not answered it.
fn repeats(step: &Step<'_>, before: &State, after: &State) -> Verdict {
    let Role::Leader { acks } = &before.role else { return fail(step, "beats, and does not lead") };
    let is_open = |peer: Id, slot: Slot| acks.get(&slot).is_some_and(|who| !who.contains(peer));
    let again = before.durable.accepted.iter().flat_map(|(slot, vote)| {
        let peers = others(step).iter().filter(|peer| is_open(*peer, *slot)).collect::<Vec<_>>();
        peers.into_iter().map(|peer| (peer, (before.durable.promised, *slot, vote.value)))
    });
    let beat = to_others(step, &[(before.durable.promised, before.chosen)]);
    let is_repeated = is_sent(step, proposals(step), again.collect());
    if is_repeated && is_sent(step, said_chosen(step), beat) && after == before {
        Ok(())
    } else {
        fail(step, "does not repeat what it has said")
    }
}
