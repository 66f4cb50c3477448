//! What a server did, in Zab's own words, for people who read a run.

use stateright::actor::Id;

use super::Zab;
use super::message::{Choice, Message, Packet, Report, Sync, Timer};
use super::state::{Leading, Role, Stand, State};
use crate::election::{Deed, Event, node_name};

/// Clauses whose subject is the server.
pub(super) fn tell(deed: &Deed<'_, Zab>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { timer } => vec![times_out(**timer, before)],
        Event::Deliver { src, msg } => vec![receives(*src, msg, before, after)],
        Event::Choose { value: Choice::Broadcast(value), .. } => {
            let last = after.disk.history.last().map(|txn| txn.zxid).unwrap_or_default();
            vec![format!("logs the client's value {value} as transaction {last}")]
        }
        Event::Choose { value: Choice::Elect(leader), .. } if *leader == deed.step.id => {
            vec!["is named leader by the oracle".to_string()]
        }
        Event::Choose { value: Choice::Elect(leader), .. } => {
            vec![format!("is told by the oracle that {} is to lead", node_name(*leader))]
        }
        Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(goes_on(before, after));
    said.extend(sends(deed));
    if before.delivered < after.delivered {
        let last = after.disk.history.get(after.delivered - 1);
        let last = last.map(|txn| txn.to_string()).unwrap_or_default();
        said.push(format!("delivers all transactions up to {last}"));
    }
    said.retain(|clause| !clause.is_empty());
    said
}

fn comes_back(deed: &Deed<'_, Zab>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let (old, now, why) = (&lost.disk, &after.disk, deed.found.why());
    let mut said = Vec::new();
    if now.accepted < old.accepted {
        said.push(format!("has forgotten that it promised epoch {}{why}", old.accepted));
    }
    if now.current < old.current {
        said.push(format!(
            "has forgotten that it took over the history of epoch {}{why}",
            old.current
        ));
    }
    if now.history != old.history {
        let txns = |history: &[super::Txn]| format!("{history:?}");
        said.push(format!(
            "finds the history {} where it had {}",
            txns(&now.history),
            txns(&old.history)
        ));
    }
    if said.is_empty() {
        said.push(format!(
            "finds the history of epoch {} and its promise of epoch {}",
            now.current, now.accepted
        ));
    }
    said.push("looks for a leader".to_string());
    said
}

fn times_out(timer: Timer, before: &State) -> String {
    let text = match (timer, &before.role) {
        (Timer::Finalize, _) => "has waited long enough for a better vote",
        (Timer::Retry, Role::Looking(_)) => "has heard no agreement and repeats its vote",
        (Timer::Retry, _) => "has had no answer and asks its leader again",
        (Timer::Ping, _) => "lets its followers hear that it lives",
        (Timer::Contact, Role::Following(_)) => "no longer hears its leader",
        (Timer::Contact, Role::Leading(_)) => "looks whether a quorum of followers still answers",
        (Timer::Contact, Role::Looking(_)) => "waits no longer",
    };
    text.to_string()
}

fn receives(src: Id, msg: &Message, before: &State, after: &State) -> String {
    let from = node_name(src);
    let ignored = if before == after { " and has no use for it" } else { "" };
    match msg {
        Message::Notification { vote: Some(vote), .. } => {
            format!(
                "hears that {from} votes for {}{}",
                node_name(vote.leader),
                adopts(before, after)
            )
        }
        Message::Notification { vote: None, .. } => format!("hears that {from} may not vote"),
        Message::Settled { settled, .. } => {
            format!("hears from {from} that {} is elected", node_name(settled.leader))
        }
        Message::Packet { packet, .. } => match packet {
            Packet::NewEpoch { epoch } if after.disk.accepted == *epoch => {
                format!(
                    "promises {from} that it will acknowledge nothing of an epoch before {epoch}"
                )
            }
            Packet::NewEpoch { epoch } => {
                format!(
                    "is asked by {from} to promise epoch {epoch}, but has promised {}",
                    before.disk.accepted
                )
            }
            Packet::NewLeader { epoch, sync } => {
                let how = match sync {
                    Sync::Diff(rest) if rest.is_empty() => "which is its own already".to_string(),
                    Sync::Diff(rest) => format!("by adding {rest:?}"),
                    Sync::Trunc(at, rest) => {
                        format!("by dropping all after {at} and adding {rest:?}")
                    }
                    Sync::Snap(all) => format!("as a whole: {all:?}"),
                };
                format!("takes over the history of {from} under epoch {epoch}, {how}{ignored}")
            }
            Packet::UpToDate { zxid } => {
                format!("hears that {from} is established and all up to {zxid} committed{ignored}")
            }
            Packet::Propose { txn } => format!("logs the transaction {txn} of {from}{ignored}"),
            Packet::Commit { zxid } => format!("hears that {zxid} is committed{ignored}"),
        },
        Message::Report { report, .. } => match report {
            Report::FollowerInfo { accepted } => {
                format!("gets {from} as a follower, which has promised epoch {accepted}{ignored}")
            }
            Report::AckEpoch { epoch, current: Some(current), last } => format!(
                "gets the promise of epoch {epoch} from {from}, whose history is of epoch {current} and ends with {last}{ignored}"
            ),
            Report::AckEpoch { epoch, current: None, .. } => {
                format!(
                    "hears from {from} that epoch {epoch} was promised before, which does not count"
                )
            }
            Report::AckNewLeader { epoch } => {
                format!("hears that {from} has its history on disk under epoch {epoch}{ignored}")
            }
            Report::Ack { zxid } => format!("hears that {from} has {zxid} on disk{ignored}"),
        },
        Message::Ping { .. } => format!("hears that its leader {from} lives{ignored}"),
        Message::Pong { .. } => format!("hears that its follower {from} lives{ignored}"),
    }
}

fn adopts(before: &State, after: &State) -> &'static str {
    match (&before.role, &after.role) {
        (Role::Looking(old), Role::Looking(new)) if old.vote != new.vote => {
            ", the better vote, and votes so, too"
        }
        _ => "",
    }
}

/// What became of the server's role.
fn goes_on(before: &State, after: &State) -> Vec<String> {
    let stand = |state: &State| match &state.role {
        Role::Leading(Leading { stand, .. }) => Some(*stand),
        _ => None,
    };
    let mut said = Vec::new();
    let (promised, epoch) = (after.disk.accepted, after.disk.current);
    match (&before.role, &after.role) {
        (Role::Looking(_), Role::Leading(_)) => said.push("prepares to lead".to_string()),
        (Role::Looking(_), Role::Following(new)) => {
            said.push(format!("goes to follow {}", node_name(new.leader)));
        }
        (Role::Leading(old), Role::Looking(_)) if old.stand == Stand::Broadcast => {
            said.push(format!("no longer leads epoch {}", before.disk.current));
            said.push("looks for a leader".to_string());
        }
        (Role::Leading(_) | Role::Following(_), Role::Looking(_)) => {
            said.push("goes back to look for a leader".to_string());
        }
        _ => {}
    }
    let (old, new) = (stand(before), stand(after));
    let is_same = |a: Stand, b: Option<Stand>| {
        b.is_some_and(|b| std::mem::discriminant(&a) == std::mem::discriminant(&b))
    };
    match new {
        Some(new) if is_same(new, old) => {}
        Some(Stand::Negotiation { .. }) => {
            said.push(format!(
                "chooses epoch {promised}, which is later than any that a quorum has promised"
            ));
        }
        Some(Stand::Synchronisation) => {
            said.push(format!("has the promises of a quorum for epoch {epoch}"));
        }
        Some(Stand::Broadcast) => {
            said.push(format!("has a quorum with its history: it leads epoch {epoch}"));
        }
        _ => {}
    }
    said
}

fn sends(deed: &Deed<'_, Zab>) -> Vec<String> {
    let packet = |is_it: fn(&Packet) -> bool| {
        deed.sent_to(move |msg| matches!(msg, Message::Packet { packet, .. } if is_it(packet)))
    };
    let mut said = Vec::new();
    if let Some(to) = packet(|packet| matches!(packet, Packet::NewEpoch { .. })) {
        said.push(format!("asks {to} for the promise"));
    }
    if let Some(to) = packet(|packet| matches!(packet, Packet::NewLeader { .. })) {
        said.push(format!("brings its history to {to}"));
    }
    if let Some(to) = packet(|packet| matches!(packet, Packet::UpToDate { .. })) {
        said.push(format!("tells {to} that this is so"));
    }
    if let Some(to) = packet(|packet| matches!(packet, Packet::Propose { .. })) {
        said.push(format!("proposes it to {to}"));
    }
    if let Some(to) = packet(|packet| matches!(packet, Packet::Commit { .. })) {
        said.push(format!("tells {to} what is committed"));
    }
    said
}
