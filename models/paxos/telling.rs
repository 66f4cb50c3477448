//! What a node did, in the words of Paxos, for people who read a run.

use stateright::actor::Id;

use super::Paxos;
use super::message::{Message, Proposal, Value};
use super::state::{Ballot, Phase, State, Tally};
use crate::election::{Deed, Event, NodeSet, node_name, nodes_listed};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, Paxos>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let had_ballot = before.phase != Phase::Idle;
    let mut said = match &deed.step.event {
        Event::Timeout { .. } => starts(deed, before, after),
        Event::Deliver { src, msg } => receives(deed, *src, msg, before, after),
        Event::Choose { .. } | Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(leads(deed, before, after));
    said.extend(learns(deed, before, after));
    if had_ballot && after.phase == Phase::Idle {
        said.push(format!("gives up its own ballot {}", before.durable.tried));
    }
    said
}

fn comes_back(deed: &Deed<'_, Paxos>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let (old, now, why) = (&lost.durable, &after.durable, deed.found.why());
    let mut said = Vec::new();
    if now.promised < old.promised {
        said.push(format!("has forgotten its promise of ballot {}{why}", old.promised));
    }
    if now.accepted != old.accepted {
        said.push(format!("has forgotten that it accepted {}{why}", proposed(old.accepted)));
    }
    if now.tried < old.tried {
        said.push(format!("has forgotten that it tried ballot {}{why}", old.tried));
    }
    if let (Some(value), None) = (old.learned, now.learned) {
        said.push(format!("has forgotten that it learned {}{why}", named(value)));
    }
    if said.is_empty() && now.promised > Ballot::NONE {
        said.push(format!("remembers its promise of ballot {}", now.promised));
        if now.accepted != Proposal::NONE {
            said.push(format!("remembers that it accepted {}", proposed(now.accepted)));
        }
    }
    if lost.phase != Phase::Idle && after.phase == Phase::Idle {
        said.push("has no ballot under way any more".to_string());
    }
    said
}

fn starts(deed: &Deed<'_, Paxos>, before: &State, after: &State) -> Vec<String> {
    let ballot = after.durable.tried;
    let mut said = Vec::new();
    if before.phase != Phase::Idle {
        said.push(format!("gives up its own ballot {}", before.durable.tried));
    }
    said.push(format!("starts ballot {ballot}"));
    if before.durable.promised < ballot {
        said.push("promises it itself".to_string());
    } else {
        said.push("counts its earlier promise of it".to_string());
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Prepare { .. })) {
        said.push(format!("asks {to} to promise it"));
    }
    said
}

fn receives(
    deed: &Deed<'_, Paxos>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    let refuses = deed.sent_to(|msg| matches!(msg, Message::Refuse { .. })).is_some();
    let promised = before.durable.promised;
    let ignored = if before == after { ", which changes nothing" } else { "" };
    match msg {
        Message::Prepare { ballot } | Message::Accept { proposal: Proposal { ballot, .. } }
            if refuses =>
        {
            vec![format!("refuses ballot {ballot} of {from}: it has promised ballot {promised}")]
        }
        Message::Prepare { ballot } => vec![promises(deed, &from, *ballot, before, after)],
        Message::Promise { ballot, .. } if before == after => {
            vec![format!("has no use for {from}'s promise of ballot {ballot}")]
        }
        Message::Promise { ballot, accepted } => {
            let mut said = vec![format!(
                "gets {from}'s promise of ballot {ballot}, which reports {}",
                reported(*accepted)
            )];
            if *ballot != before.durable.tried {
                said.push(format!("counts it for ballot {}", before.durable.tried));
            }
            said
        }
        Message::Accept { proposal } => accepts(deed, &from, *proposal, before, after),
        Message::Accepted { proposal } => {
            vec![format!("hears that {from} has accepted {}{ignored}", proposed(*proposal))]
        }
        Message::Refuse { promised, .. } => {
            vec![format!("hears that {from} has promised ballot {promised}")]
        }
        Message::Chosen { value } => {
            vec![format!("hears from {from} that {} is chosen", named(*value))]
        }
    }
}

fn promises(
    deed: &Deed<'_, Paxos>,
    from: &str,
    ballot: Ballot,
    before: &State,
    after: &State,
) -> String {
    let promised = before.durable.promised;
    let report = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Promise { accepted, .. } => Some(reported(*accepted)),
        _ => None,
    });
    match report {
        Some(what) if promised == ballot => {
            format!("promises {from} ballot {ballot} again and reports {what}")
        }
        Some(what) if promised == Ballot::NONE => {
            format!("promises {from} ballot {ballot} and reports {what}")
        }
        Some(what) => {
            format!(
                "promises {from} ballot {ballot}, which is above {promised}, and reports {what}"
            )
        }
        // It crashes before it sends the promise.
        None if after.durable.promised != promised => {
            format!("is to promise {from} ballot {ballot}")
        }
        None => format!("ignores ballot {ballot} of {from}: it has promised ballot {promised}"),
    }
}

fn accepts(
    deed: &Deed<'_, Paxos>,
    from: &str,
    proposal: Proposal,
    before: &State,
    after: &State,
) -> Vec<String> {
    let (old, new, what) = (&before.durable, &after.durable, proposed(proposal));
    if old.accepted == proposal {
        return vec![format!("has accepted {what} from {from} already")];
    }
    if new.accepted != proposal {
        let promised = old.promised;
        return vec![format!(
            "does not accept {what} from {from}: it has promised ballot {promised}"
        )];
    }
    let mut said = vec![format!("accepts {what} from {from}")];
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Accepted { .. })) {
        said.push(format!("tells {to} so"));
    }
    if new.promised > old.promised {
        let above = match old.promised {
            Ballot::NONE => String::new(),
            lower => format!(", which is above {lower}"),
        };
        said.push(format!("thus promises ballot {}{above}", new.promised));
    }
    said
}

fn leads(deed: &Deed<'_, Paxos>, before: &State, after: &State) -> Vec<String> {
    let begins = after.phase == Phase::Leading
        && (before.phase != Phase::Leading || before.durable.tried != after.durable.tried);
    if !begins {
        return Vec::new();
    }
    let ballot = after.durable.tried;
    let mut said = vec![match (&before.phase, &deed.step.event) {
        (Phase::Preparing { promises, .. }, Event::Deliver { src, .. }) => {
            let all = nodes_listed(promises.iter().chain([*src]).collect::<NodeSet>().iter());
            format!("has the promises of {all}: it leads ballot {ballot}")
        }
        _ => format!("needs no other promise: it leads ballot {ballot}"),
    }];
    let own = after.durable.accepted;
    let is_own = own.ballot == ballot && own != before.durable.accepted;
    if is_own {
        said.push(format!("accepts {} itself", named(own.value)));
    }
    let proposal = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Accept { proposal } => Some(*proposal),
        _ => None,
    });
    if let (Some(proposal), Some(to)) =
        (proposal, deed.sent_to(|msg| matches!(msg, Message::Accept { .. })))
    {
        let what = if is_own { "it".to_string() } else { named(proposal.value) };
        said.push(format!("asks {to} to accept {what}"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Accepted { .. })) {
        said.push(format!("tells {to} that it has accepted {}", named(own.value)));
    }
    said
}

fn learns(deed: &Deed<'_, Paxos>, before: &State, after: &State) -> Vec<String> {
    let Some(value) = after.durable.learned else { return Vec::new() };
    match before.durable.learned {
        Some(old) if old == value => return Vec::new(),
        Some(old) => return vec![format!("writes {} over {}", named(value), named(old))],
        None => {}
    }
    let what = named(value);
    let mut said = vec![match &deed.step.event {
        Event::Deliver { msg: Message::Chosen { .. }, .. } => format!("learns {what}"),
        event => {
            let (voter, ballot) = match event {
                Event::Deliver { src, msg: Message::Accepted { proposal } } => {
                    (*src, proposal.ballot)
                }
                _ => (deed.step.id, after.durable.accepted.ballot),
            };
            // With the vote that completes a quorum, the tally is emptied.
            let Tally { proposal: counted, voters: earlier } = &before.tally;
            let earlier = Some(*earlier).filter(|_| counted.value == value).unwrap_or_default();
            let all = nodes_listed(earlier.iter().chain([voter]).collect::<NodeSet>().iter());
            let is_mixed = !earlier.is_empty() && counted.ballot != ballot;
            let mixed = if is_mixed { " in different ballots" } else { "" };
            format!("has the acceptances of {all}{mixed}: it learns {what}")
        }
    }];
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Chosen { .. })) {
        said.push(format!("tells {to} that {what} is chosen"));
    }
    said
}

/// A proposal that is accepted, or to be accepted.
fn proposed(Proposal { ballot, value }: Proposal) -> String {
    format!("{} of ballot {ballot}", named(value))
}

/// What a promise reports.
fn reported(accepted: Proposal) -> String {
    match accepted {
        Proposal::NONE => "nothing accepted".to_string(),
        accepted => proposed(accepted),
    }
}

fn named(value: Value) -> String {
    match value {
        Value::EMPTY => "“empty”".to_string(),
        value => value.to_string(),
    }
}
