//! What belongs to Multi-Paxos in plain words. Narrations and verdicts use them.

use super::message::{Message, Value, Vote, Votes};
use super::state::{Ballot, Disk, Role, Slot};
use crate::election::{NodeSet, SortedMap, listed, nodes_listed};

/// A value.
pub(super) fn named(value: &Value) -> String {
    match value {
        Value::Noop => "a no-op".to_string(),
        Value::Input(_) => format!("{value:?}"),
    }
}

/// A ballot, or none.
pub(super) fn numbered(ballot: Ballot) -> String {
    match ballot.round {
        0 => "no ballot".to_string(),
        _ => format!("ballot {ballot:?}"),
    }
}

/// A value in its slot, with the ballot under which it was accepted.
pub(super) fn placed(slot: Slot, Vote { ballot, value }: &Vote) -> String {
    format!("{} in slot {slot:?} under ballot {ballot:?}", named(value))
}

/// The same of several slots.
pub(super) fn all_placed(votes: &Votes) -> String {
    listed(&votes.iter().map(|(slot, vote)| placed(*slot, vote)).collect::<Vec<_>>())
}

/// Values in their slots.
pub(super) fn in_slots(votes: &Votes) -> String {
    let vote = |(slot, vote): (&Slot, &Vote)| format!("{} in slot {slot:?}", named(&vote.value));
    listed(&votes.iter().map(vote).collect::<Vec<_>>())
}

/// What a promise reports, or what a node has accepted.
pub(super) fn reported(accepted: &Votes) -> String {
    if accepted.is_empty() { "nothing accepted".to_string() } else { all_placed(accepted) }
}

/// What a heartbeat says.
pub(super) fn up_to(chosen: Slot) -> String {
    match chosen {
        Slot(0) => "no slot is chosen yet".to_string(),
        Slot(1) => "slot 1 is chosen".to_string(),
        Slot(2) => "slots 1 and 2 are chosen".to_string(),
        last => format!("slots 1 to {last:?} are chosen"),
    }
}

/// How a ballot stands to a lower one.
pub(super) fn above(higher: Ballot, lower: Ballot) -> String {
    match lower.round {
        0 => String::new(),
        round if round == higher.round => {
            format!(", which is above {lower:?} (the same round of a lower node)")
        }
        _ => format!(", which is above {lower:?} (a lower round)"),
    }
}

/// A message, as something that a node gets or sends.
pub(super) fn message(msg: &Message) -> String {
    match msg {
        Message::Prepare { ballot, .. } => format!("a request to promise ballot {ballot:?}"),
        Message::Promise { ballot, .. } => format!("a promise of ballot {ballot:?}"),
        Message::Accept { ballot, slot, value } => {
            let vote = Vote { ballot: *ballot, value: *value };
            format!("a request to accept {}", placed(*slot, &vote))
        }
        Message::Accepted { ballot, slot } => {
            format!("word of its acceptance in slot {slot:?} under ballot {ballot:?}")
        }
        Message::Heartbeat { ballot, chosen } => {
            format!("word under ballot {ballot:?} that {}", up_to(*chosen))
        }
    }
}

/// What follows `it has` for what a node keeps on its disk.
pub(super) fn kept(disk: &Disk) -> String {
    format!(
        "promised {}, {} and accepted {}",
        numbered(disk.promised),
        match disk.round {
            0 => "never run".to_string(),
            round => format!("last run in round {round}"),
        },
        match disk.accepted.is_empty() {
            true => "nothing".to_string(),
            false => all_placed(&disk.accepted),
        }
    )
}

/// What a node does, in the words that follow its name.
pub(super) fn does(role: &Role) -> String {
    match role {
        Role::Follower => "waits for its leader".to_string(),
        Role::Candidate { promises, adopted } => format!(
            "runs with the promises of {}, which report {}",
            nodes_listed(promises.iter()),
            reported(adopted)
        ),
        Role::Leader { acks } => format!("leads and counts {}", counted(acks)),
    }
}

/// The acceptances that a leader counts.
pub(super) fn counted(acks: &SortedMap<Slot, NodeSet>) -> String {
    let one = |(slot, who): (&Slot, &NodeSet)| {
        format!("those of {} in slot {slot:?}", nodes_listed(who.iter()))
    };
    match acks.is_empty() {
        true => "no acceptances".to_string(),
        false => listed(&acks.iter().map(one).collect::<Vec<_>>()),
    }
}
