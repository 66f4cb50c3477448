//! What a node did, in the words of Multi-Paxos, for people who read a run.

use stateright::actor::Id;

use super::MultiPaxos;
use super::message::{Message, Timer, Value, Vote, Votes};
use super::state::{Ballot, Role, Slot, State};
use crate::election::{Deed, Event, NodeSet, listed, node_name, nodes_listed};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, MultiPaxos>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { timer: Timer::Election } => runs(deed, before, after),
        Event::Timeout { timer: Timer::Heartbeat } => Vec::new(),
        Event::Deliver { src, msg } => receives(deed, *src, msg, before, after),
        Event::Choose { value, .. } => vec![format!("takes {} from a client", named(value))],
        Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(ends(before, after));
    said.extend(leads(deed, before, after));
    said.extend(proposes(deed, before, after));
    said.extend(commits(deed, before, after));
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
    let is_gone = |(slot, vote): &(&Slot, &Vote)| now.accepted.get(slot) != Some(vote);
    let gone: Votes =
        old.accepted.iter().filter(is_gone).map(|(slot, vote)| (*slot, *vote)).collect();
    if !gone.is_empty() {
        said.push(format!("has forgotten that it accepted {}{why}", votes(&gone)));
    }
    if said.is_empty() && now.promised > Ballot::default() {
        said.push(format!("remembers its promise of ballot {:?}", now.promised));
        if !now.accepted.is_empty() {
            said.push(format!("remembers that it accepted {}", votes(&now.accepted)));
        }
    }
    if lost.chosen > after.chosen {
        said.push("has forgotten what it had committed".to_string());
    }
    said
}

fn runs(deed: &Deed<'_, MultiPaxos>, before: &State, after: &State) -> Vec<String> {
    let ballot = after.durable.promised;
    let mut said = vec![format!("runs for ballot {ballot:?}")];
    if before.durable.promised < ballot {
        said.push("promises it itself".to_string());
    } else {
        said.push("counts its earlier promise of it".to_string());
    }
    let from = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Prepare { from, .. } => Some(*from),
        _ => None,
    });
    if let (Some(from), Some(to)) =
        (from, deed.sent_to(|msg| matches!(msg, Message::Prepare { .. })))
    {
        let only = match from {
            Slot(0 | 1) => String::new(),
            from => format!(" and to report from slot {from:?} on"),
        };
        said.push(format!("asks {to} to promise it{only}"));
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
    let from = node_name(src);
    let ignored = if before == after { ", which changes nothing" } else { "" };
    let mut said = match msg {
        Message::Prepare { ballot, .. } => {
            return vec![promises(deed, &from, *ballot, before, after)];
        }
        Message::Promise { ballot, accepted } => {
            let what = reported(accepted);
            let mut said =
                vec![format!("gets {from}'s promise of ballot {ballot:?}, which reports {what}")];
            if before == after {
                said.push("has no use for it".to_string());
            } else if *ballot != before.durable.promised {
                said.push(format!("counts it for ballot {:?}", before.durable.promised));
            }
            return said;
        }
        Message::Accept { ballot, slot, value } => {
            let vote = Vote { ballot: *ballot, value: *value };
            accepts(deed, &from, *slot, vote, before, after)
        }
        Message::Accepted { ballot, slot } => {
            return vec![format!(
                "hears that {from} has accepted its proposal in slot {slot:?} under ballot \
                 {ballot:?}{ignored}"
            )];
        }
        Message::Heartbeat { ballot, chosen } => {
            vec![format!(
                "hears from {from} under ballot {ballot:?} that {}{ignored}",
                up_to(*chosen)
            )]
        }
    };
    let (old, new) = (before.durable.promised, after.durable.promised);
    if new > old {
        said.push(format!("thus promises ballot {new:?}{}", above(old)));
    }
    said
}

fn promises(
    deed: &Deed<'_, MultiPaxos>,
    from: &str,
    ballot: Ballot,
    before: &State,
    after: &State,
) -> String {
    let promised = before.durable.promised;
    let report = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Promise { accepted, .. } => Some(reported(accepted)),
        _ => None,
    });
    match report {
        Some(what) if promised == ballot => {
            format!("promises {from} ballot {ballot:?} again and reports {what}")
        }
        Some(what) => match above(promised) {
            none if none.is_empty() => {
                format!("promises {from} ballot {ballot:?} and reports {what}")
            }
            above => format!("promises {from} ballot {ballot:?}{above}, and reports {what}"),
        },
        // It crashes before it sends the promise.
        None if after.durable.promised != promised => {
            format!("is to promise {from} ballot {ballot:?}")
        }
        None => {
            format!("ignores ballot {ballot:?} of {from}: it has promised ballot {promised:?}")
        }
    }
}

fn accepts(
    deed: &Deed<'_, MultiPaxos>,
    from: &str,
    slot: Slot,
    vote: Vote,
    before: &State,
    after: &State,
) -> Vec<String> {
    let (value, ballot) = (named(&vote.value), vote.ballot);
    if after.durable.accepted.get(&slot) != Some(&vote) {
        let promised = before.durable.promised;
        return vec![format!(
            "does not accept {value} in slot {slot:?} from {from}: it has promised ballot \
             {promised:?}"
        )];
    }
    let what = format!("{value} in slot {slot:?} from {from} under ballot {ballot:?}");
    let mut said = vec![match before.durable.accepted.get(&slot) == Some(&vote) {
        true => format!("has accepted {what} already"),
        false => format!("accepts {what}"),
    }];
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Accepted { .. })) {
        said.push(format!("tells {to} so"));
    }
    said
}

/// The end of what the node did under an earlier ballot.
fn ends(before: &State, after: &State) -> Option<String> {
    let old = before.durable.promised;
    if old == after.durable.promised {
        return None;
    }
    match before.role {
        Role::Follower => None,
        Role::Candidate { .. } => Some(format!("no longer runs for ballot {old:?}")),
        Role::Leader { .. } => Some(format!("no longer leads ballot {old:?}")),
    }
}

fn leads(deed: &Deed<'_, MultiPaxos>, before: &State, after: &State) -> Option<String> {
    let led =
        |state: &State| matches!(state.role, Role::Leader { .. }).then_some(state.durable.promised);
    let ballot = led(after).filter(|ballot| led(before) != Some(*ballot))?;
    let voters = match (&before.role, &deed.step.event) {
        (Role::Candidate { promises, .. }, Event::Deliver { src, .. }) => {
            promises.iter().chain([*src]).collect()
        }
        _ => NodeSet::from_iter([deed.step.id]),
    };
    let all = nodes_listed(voters.iter());
    let majority = majority(voters, deed.nodes);
    Some(format!("has the promises of {all}{majority}: it leads ballot {ballot:?}"))
}

/// What it accepts itself and asks others to accept.
fn proposes(deed: &Deed<'_, MultiPaxos>, before: &State, after: &State) -> Vec<String> {
    let proposal = |msg: &Message| match msg {
        Message::Accept { slot, ballot, value } => {
            Some((*slot, Vote { ballot: *ballot, value: *value }))
        }
        _ => None,
    };
    let asked: Votes = deed.step.sends.iter().filter_map(|(_, msg)| proposal(msg)).collect();
    let is_own = |(slot, vote): &(&Slot, &Vote)| {
        matches!(after.role, Role::Leader { .. })
            && vote.ballot == after.durable.promised
            && before.durable.accepted.get(slot) != Some(vote)
    };
    let accepted = after.durable.accepted.iter();
    let own: Votes = accepted.filter(is_own).map(|(slot, vote)| (*slot, *vote)).collect();
    let mut said = Vec::new();
    let (what, it) = match (&deed.step.event, own.first_key_value()) {
        (Event::Choose { .. }, Some((slot, _))) => (format!("it in slot {slot:?}"), "it"),
        _ if own.len() == 1 => (in_slots(&own), "it"),
        _ => (in_slots(&own), "them"),
    };
    if !own.is_empty() {
        said.push(format!("accepts {what} itself"));
    }
    if let Some(to) = deed.sent_to(|msg| proposal(msg).is_some()).filter(|_| own == asked) {
        said.push(format!("asks {to} to accept {it}"));
        return said;
    }
    let ask = |(slot, vote): (&Slot, &Vote)| {
        let to = deed.sent_to(|msg| proposal(msg).is_some_and(|(other, _)| other == *slot))?;
        Some(format!("asks {to} to accept {} in slot {slot:?}", named(&vote.value)))
    };
    said.extend(asked.iter().filter_map(ask));
    said
}

/// What it commits, why, and whom it tells.
fn commits(deed: &Deed<'_, MultiPaxos>, before: &State, after: &State) -> Vec<String> {
    let mut said = Vec::new();
    if after.chosen > before.chosen {
        let slots = before.chosen.next()..=after.chosen;
        let committed: Votes =
            after.durable.accepted.range(slots).map(|(slot, vote)| (*slot, *vote)).collect();
        let what = in_slots(&committed);
        said.push(match acceptors(deed, before, after) {
            Some(who) if who.len() == 1 => {
                format!("knows of no other acceptance: it commits {what}")
            }
            Some(who) => {
                let (all, majority) = (nodes_listed(who.iter()), majority(who, deed.nodes));
                format!("has the acceptances of {all}{majority}: it commits {what}")
            }
            None => format!("commits {what}"),
        });
    }
    let chosen = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Heartbeat { chosen, .. } => Some(*chosen),
        _ => None,
    });
    if let (Some(chosen), Some(to)) =
        (chosen, deed.sent_to(|msg| matches!(msg, Message::Heartbeat { .. })))
    {
        said.push(format!("tells {to} that {}", up_to(chosen)));
    }
    said
}

/// Who has accepted the proposal with which a leader commits, as far as it knows.
fn acceptors(deed: &Deed<'_, MultiPaxos>, before: &State, after: &State) -> Option<NodeSet> {
    let Role::Leader { .. } = after.role else { return None };
    match (&before.role, &deed.step.event) {
        (Role::Leader { acks }, Event::Deliver { src, msg: Message::Accepted { slot, .. } }) => {
            Some(acks.get(slot)?.iter().chain([*src]).collect())
        }
        _ => Some(NodeSet::from_iter([deed.step.id])),
    }
}

fn majority(who: NodeSet, nodes: usize) -> &'static str {
    if who.len() > nodes / 2 { ", a majority" } else { "" }
}

fn above(promised: Ballot) -> String {
    match promised.round {
        0 => String::new(),
        _ => format!(", which is above {promised:?}"),
    }
}

/// What a heartbeat says.
fn up_to(chosen: Slot) -> String {
    match chosen {
        Slot(0) => "no slot is chosen yet".to_string(),
        Slot(1) => "slot 1 is chosen".to_string(),
        Slot(2) => "slots 1 and 2 are chosen".to_string(),
        last => format!("slots 1 to {last:?} are chosen"),
    }
}

/// What a promise reports.
fn reported(accepted: &Votes) -> String {
    if accepted.is_empty() { "nothing accepted".to_string() } else { votes(accepted) }
}

fn votes(votes: &Votes) -> String {
    let vote = |(slot, Vote { ballot, value }): (&Slot, &Vote)| {
        format!("{} in slot {slot:?} under ballot {ballot:?}", named(value))
    };
    listed(&votes.iter().map(vote).collect::<Vec<_>>())
}

fn in_slots(votes: &Votes) -> String {
    let vote = |(slot, vote): (&Slot, &Vote)| format!("{} in slot {slot:?}", named(&vote.value));
    listed(&votes.iter().map(vote).collect::<Vec<_>>())
}

fn named(value: &Value) -> String {
    match value {
        Value::Noop => "a no-op".to_string(),
        Value::Input(_) => format!("{value:?}"),
    }
}
