//! What a node did, in the words of Multi-Paxos, for people who read a run.

use stateright::actor::Id;

use super::MultiPaxos;
use super::leading::{chooses, leads};
use super::message::{Message, Timer, Value, Vote, Votes};
use super::state::{Ballot, Role, Slot, State};
use super::words::{above, all_placed, in_slots, named, placed, reported, up_to};
use crate::election::{Deed, Event, NodeSet, listed, node_name, nodes_listed};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, MultiPaxos>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { timer: Timer::Election } => runs(deed, before, after),
        Event::Timeout { timer: Timer::Heartbeat } => Vec::new(),
        Event::Deliver { src, msg } => receives(deed, *src, msg, before, after),
        Event::Choose { value, .. } => vec![takes(value, before, after)],
        Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(ends(before, after));
    said.extend(leads(deed, before, after));
    said.extend(proposes(deed, before, after));
    said.extend(chooses(deed));
    said.extend(commits(deed, before, after));
    said
}

/// An input, and the slot into which it goes.
fn takes(value: &Value, before: &State, after: &State) -> String {
    let place = after.durable.accepted.iter().find(|(_, vote)| vote.value == *value);
    let free = match place {
        Some((slot, _)) if !before.durable.accepted.contains_key(slot) => {
            format!(" for slot {slot:?} (the first slot in which it has accepted nothing)")
        }
        _ => String::new(),
    };
    format!("takes {} from a client{free}", named(value))
}

fn comes_back(deed: &Deed<'_, MultiPaxos>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let (old, now) = (&lost.durable, &after.durable);
    let mut gone = Vec::new();
    if now.promised < old.promised {
        gone.push(format!("its promise of ballot {:?}", old.promised));
    }
    if now.round < old.round {
        gone.push(format!("that it ran in round {}", old.round));
    }
    let is_gone = |(slot, vote): &(&Slot, &Vote)| now.accepted.get(slot) != Some(vote);
    let votes: Votes =
        old.accepted.iter().filter(is_gone).map(|(slot, vote)| (*slot, *vote)).collect();
    if !votes.is_empty() {
        gone.push(format!("that it accepted {}", all_placed(&votes)));
    }
    let mut said = Vec::new();
    if !gone.is_empty() {
        let is_there = deed.step.storage == Some(old);
        let though = if is_there { ", although it is on its disk" } else { "" };
        said.push(format!("has forgotten {}{though}", listed(&gone)));
    } else if now.promised > Ballot::default() {
        said.push(format!("remembers its promise of ballot {:?}", now.promised));
        if !now.accepted.is_empty() {
            said.push(format!("remembers that it accepted {}", all_placed(&now.accepted)));
        }
    }
    if lost.chosen > after.chosen {
        said.push("has forgotten what it had committed, which is on no disk".to_string());
    }
    said
}

fn runs(deed: &Deed<'_, MultiPaxos>, before: &State, after: &State) -> Vec<String> {
    let ballot = after.durable.promised;
    let (round, owner) = (ballot.round, node_name(ballot.owner()));
    let mut said = vec![format!("runs for ballot {ballot:?} (round {round} of {owner})")];
    if before.durable.promised < ballot {
        let report = match &after.role {
            Role::Candidate { adopted, .. } if deed.step.actor.values > 0 => {
                format!(" (and reports {})", reported(adopted))
            }
            _ => String::new(),
        };
        said.push(format!("promises it itself{report}"));
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
    let mut said = match msg {
        Message::Prepare { ballot, .. } => {
            return vec![promises(deed, &from, *ballot, before, after)];
        }
        Message::Promise { ballot, accepted } => {
            let (what, since) = (reported(accepted), since(deed, src, *ballot));
            let mut said = vec![format!(
                "gets {from}'s promise of ballot {ballot:?}{since}, which reports {what}"
            )];
            if before == after {
                said.push(no_use(before, *ballot));
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
            return vec![hears(&from, (*slot, *ballot), before, after)];
        }
        Message::Heartbeat { ballot, chosen } => {
            let but = unlearned(*ballot, *chosen, before, after);
            vec![format!("hears from {from} under ballot {ballot:?} that {}{but}", up_to(*chosen))]
        }
    };
    let (old, new) = (before.durable.promised, after.durable.promised);
    if new > old {
        said.push(format!("thus promises ballot {new:?}{}", above(new, old)));
    }
    said
}

/// What has become of a promise since it was given.
fn since(deed: &Deed<'_, MultiPaxos>, acceptor: Id, ballot: Ballot) -> String {
    let state = deed.state_of(acceptor);
    match state.map(|state| state.durable.promised) {
        Some(now) if now > ballot => {
            format!(" (given before {} promised ballot {now:?})", node_name(acceptor))
        }
        Some(now) if now < ballot => format!(" (which {} has forgotten)", node_name(acceptor)),
        _ => String::new(),
    }
}

/// Why a promise changes nothing.
fn no_use(state: &State, ballot: Ballot) -> String {
    let promised = state.durable.promised;
    match state.role {
        _ if ballot != promised => {
            format!("has no use for it, as it has promised ballot {promised:?} by now")
        }
        Role::Leader { .. } => "has no use for it, as it leads already".to_string(),
        Role::Follower => "has no use for it, as it does not run for this ballot now".to_string(),
        Role::Candidate { .. } => "has counted it already".to_string(),
    }
}

/// Hears of an acceptance.
fn hears(from: &str, (slot, ballot): (Slot, Ballot), before: &State, after: &State) -> String {
    let vote = before.durable.accepted.get(&slot).filter(|vote| vote.ballot == ballot);
    let what = match vote {
        Some(vote) => placed(slot, vote),
        None => format!("its proposal in slot {slot:?} under ballot {ballot:?}"),
    };
    let heard = format!("hears that {from} has accepted {what}");
    match &before.role {
        _ if before != after => heard,
        Role::Leader { .. } if ballot == before.durable.promised => {
            format!("{heard}, which it need not count any more")
        }
        _ => format!("{heard}, and does not count it, as it does not lead this ballot now"),
    }
}

/// Why a node does not learn all that a heartbeat says.
fn unlearned(ballot: Ballot, chosen: Slot, before: &State, after: &State) -> String {
    let promised = before.durable.promised;
    if ballot < promised {
        return format!(", and ignores it, as it has promised ballot {promised:?}");
    }
    let next = after.chosen.next();
    match after.durable.accepted.get(&next) {
        _ if next > chosen && before.chosen == after.chosen && chosen > Slot(0) => {
            ", which it knows".to_string()
        }
        _ if next > chosen => String::new(),
        None => format!(", but has accepted nothing in slot {next:?}"),
        Some(vote) => format!(
            ", but has accepted {}, which need not be what is chosen there",
            placed(next, vote)
        ),
    }
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
        Message::Promise { accepted, .. } => Some(accepted),
        _ => None,
    });
    let Some(votes) = report else {
        // It crashes before it sends the promise.
        return match after.durable.promised == promised {
            true => {
                format!("ignores ballot {ballot:?} of {from}: it has promised ballot {promised:?}")
            }
            false => format!("is to promise {from} ballot {ballot:?}"),
        };
    };
    let what = format!("reports {}{}", reported(votes), left_out(deed, votes, before));
    match above(ballot, promised) {
        _ if promised == ballot => format!("promises {from} ballot {ballot:?} again and {what}"),
        none if none.is_empty() => format!("promises {from} ballot {ballot:?} and {what}"),
        above => format!("promises {from} ballot {ballot:?}{above}, and {what}"),
    }
}

/// What a promise should report and does not, or reports otherwise.
fn left_out(deed: &Deed<'_, MultiPaxos>, report: &Votes, before: &State) -> String {
    let Event::Deliver { msg: Message::Prepare { from, .. }, .. } = deed.step.event else {
        return String::new();
    };
    let asked = before.durable.accepted.range(*from..);
    let missed: Votes = asked
        .filter(|(slot, vote)| report.get(slot) != Some(vote))
        .map(|(slot, vote)| (*slot, *vote))
        .collect();
    match missed.is_empty() {
        true => String::new(),
        false => format!(", although it has accepted {}", all_placed(&missed)),
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
    let old = before.durable.accepted.get(&slot);
    let place = in_place_of(old, &vote);
    let though = match ballot < before.durable.promised {
        true => format!(", although it has promised ballot {:?}", before.durable.promised),
        false => String::new(),
    };
    let mut said = vec![match old == Some(&vote) {
        true => format!("has accepted {what} already"),
        false => format!("accepts {what}{place}{though}"),
    }];
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Accepted { .. })) {
        said.push(format!("tells {to} so"));
    }
    said
}

/// What an acceptance replaces in its slot.
fn in_place_of(old: Option<&Vote>, new: &Vote) -> String {
    match old.filter(|old| *old != new) {
        None => String::new(),
        Some(Vote { ballot, value }) => {
            let higher = if *ballot > new.ballot { ", a higher one" } else { "" };
            format!(" in place of {} under ballot {ballot:?}{higher}", named(value))
        }
    }
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
        (Event::Choose { .. }, Some((slot, vote))) => {
            let old = before.durable.accepted.get(slot);
            (format!("it in slot {slot:?}{}", in_place_of(old, vote)), "it")
        }
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
                format!("knows of the acceptances of {all}{majority}: it commits {what}")
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

pub(super) fn majority(who: NodeSet, nodes: usize) -> &'static str {
    if who.len() > nodes / 2 { ", a majority" } else { "" }
}
