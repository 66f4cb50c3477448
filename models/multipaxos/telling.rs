//! What a node did, in the words of Multi-Paxos, for people who read a run.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::MultiPaxos;
use super::message::{Message, Timer, Votes};
use super::state::{Ballot, Role, State};
use crate::election::{Deed, Event, listed, node_name};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, MultiPaxos>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let ballot = after.durable.promised;
    let mut said = match &deed.step.event {
        Event::Timeout { timer: Timer::Election } => {
            let mut said = vec![format!("runs for ballot {ballot:?}")];
            if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Prepare { .. })) {
                said.push(format!("asks {to} to promise it"));
            }
            said
        }
        Event::Timeout { timer: Timer::Heartbeat } => {
            vec!["lets its followers hear that it is alive".to_string()]
        }
        Event::Deliver { src, msg } => receives(deed, *src, msg, before, after),
        Event::Choose { value, .. } => vec![format!("takes {value:?} from a client")],
        Event::Start | Event::Crash => Vec::new(),
    };
    let led =
        |state: &State| matches!(state.role, Role::Leader { .. }).then_some(state.durable.promised);
    match (led(before), led(after)) {
        (old, Some(ballot)) if old != Some(ballot) => {
            said.push(format!("has the promises of a majority: it leads ballot {ballot:?}"));
        }
        (Some(ballot), None) => said.push(format!("no longer leads ballot {ballot:?}")),
        _ => {}
    }
    said.extend(proposes(deed));
    if after.chosen > before.chosen {
        let vote = after.durable.accepted.get(&after.chosen);
        let value = vote.map(|vote| format!("{:?} in ", vote.value)).unwrap_or_default();
        let last = format!("{value}slot {:?}", after.chosen);
        said.push(format!("counts {last}, and all before it, as chosen"));
    }
    said
}

fn comes_back(deed: &Deed<'_, MultiPaxos>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let (old, now, why) = (&lost.durable, &after.durable, deed.found.why());
    let mut said = Vec::new();
    if now.promised < old.promised {
        said.push(format!("has forgotten its promise of ballot {:?}{why}", old.promised));
    }
    if now.round < old.round {
        said.push(format!("has forgotten that it ran in round {}{why}", old.round));
    }
    if now.accepted != old.accepted {
        said.push(format!("has forgotten what it accepted: {:?}{why}", old.accepted));
    }
    if said.is_empty() && now.promised > Ballot::default() {
        said.push(format!("remembers its promise of ballot {:?}", now.promised));
    }
    if lost.chosen > after.chosen {
        said.push("no longer knows what is chosen".to_string());
    }
    said
}

fn receives(
    deed: &Deed<'_, MultiPaxos>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let (from, promised) = (node_name(src), before.durable.promised);
    let ignored = if before == after { ", which changes nothing" } else { "" };
    vec![match msg {
        Message::Prepare { ballot, .. } => {
            let report = deed.step.sends.iter().find_map(|(_, msg)| match msg {
                Message::Promise { accepted, .. } => Some(accepted),
                _ => None,
            });
            match report {
                Some(accepted) => {
                    format!("promises {from} ballot {ballot:?} and reports {}", votes(accepted))
                }
                None => {
                    format!("ignores ballot {ballot:?} of {from}: it has promised {promised:?}")
                }
            }
        }
        Message::Promise { ballot, accepted } => {
            format!(
                "gets the promise of ballot {ballot:?} from {from}, which reports {}{ignored}",
                votes(accepted)
            )
        }
        Message::Accept { ballot, slot, value } => {
            let vote = after.durable.accepted.get(slot);
            match vote.is_some_and(|vote| vote.ballot == *ballot && vote.value == *value) {
                true => format!(
                    "accepts {value:?} in slot {slot:?} from {from}, under ballot {ballot:?}"
                ),
                false => format!(
                    "does not accept {value:?} in slot {slot:?} from {from}: it has promised ballot {promised:?}"
                ),
            }
        }
        Message::Accepted { ballot, slot } => {
            format!("hears that {from} has accepted slot {slot:?} under ballot {ballot:?}{ignored}")
        }
        Message::Heartbeat { ballot, chosen } => {
            format!(
                "hears from {from}, which leads ballot {ballot:?}, that slots up to {chosen:?} are chosen{ignored}"
            )
        }
    }]
}

fn proposes(deed: &Deed<'_, MultiPaxos>) -> Option<String> {
    if matches!(deed.step.event, Event::Timeout { timer: Timer::Heartbeat }) {
        return None;
    }
    let proposal = |msg: &Message| match msg {
        Message::Accept { slot, value, .. } => Some((*slot, *value)),
        _ => None,
    };
    let proposals: BTreeMap<_, _> =
        deed.step.sends.iter().filter_map(|(_, msg)| proposal(msg)).collect();
    let asked = proposals.into_iter().filter_map(|(slot, value)| {
        let to = deed.sent_to(|msg| proposal(msg).is_some_and(|(other, _)| other == slot))?;
        Some(format!("asks {to} to accept {value:?} in slot {slot:?}"))
    });
    let asked: Vec<String> = asked.collect();
    (!asked.is_empty()).then(|| listed(&asked))
}

fn votes(votes: &Votes) -> String {
    if votes.is_empty() {
        "that it has accepted nothing".to_string()
    } else {
        format!("what it has accepted: {votes:?}")
    }
}
