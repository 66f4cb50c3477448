//! What a node did, in the words of Paxos, for people who read a run.

use stateright::actor::Id;

use super::Paxos;
use super::message::{Message, Proposal};
use super::state::{Ballot, Phase, State};
use crate::election::{Deed, Event, node_name};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, Paxos>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { .. } => {
            let mut said = vec![format!("starts ballot {}", after.durable.tried)];
            if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Prepare { .. })) {
                said.push(format!("asks {to} to promise it"));
            }
            said
        }
        Event::Deliver { src, msg } => receives(deed, *src, msg, before, after),
        Event::Choose { .. } | Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(leads(deed, before, after));
    if before.durable.learned.is_none()
        && let Some(value) = after.durable.learned
    {
        said.push(format!("learns that {value} is chosen"));
        if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Chosen { .. })) {
            said.push(format!("tells {to}"));
        }
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
    if said.is_empty() && now.promised > Ballot::NONE {
        said.push(format!("remembers its promise of ballot {}", now.promised));
    }
    if lost.phase != Phase::Idle && after.phase == Phase::Idle {
        said.push("has no ballot under way any more".to_string());
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
    let gives_up = before.phase != Phase::Idle && after.phase == Phase::Idle;
    let refuses = deed.sent_to(|msg| matches!(msg, Message::Refuse { .. })).is_some();
    let promised = before.durable.promised;
    let mut said = match msg {
        Message::Prepare { ballot } | Message::Accept { proposal: Proposal { ballot, .. } }
            if refuses =>
        {
            vec![format!("refuses ballot {ballot} of {from}: it has promised {promised}")]
        }
        Message::Prepare { ballot } => {
            let report = deed.step.sends.iter().find_map(|(_, msg)| match msg {
                Message::Promise { accepted, .. } => Some(proposed(*accepted)),
                _ => None,
            });
            vec![match report {
                None => format!("ignores ballot {ballot} of {from}: it has promised {promised}"),
                Some(what) => {
                    format!(
                        "promises {from} ballot {ballot} and reports that it has accepted {what}"
                    )
                }
            }]
        }
        Message::Promise { ballot, .. } if before == after => {
            vec![format!("has no use for the promise of ballot {ballot} by {from}")]
        }
        Message::Promise { ballot, accepted } => {
            let what = proposed(*accepted);
            vec![format!(
                "gets the promise of ballot {ballot} from {from}, which has accepted {what}"
            )]
        }
        Message::Accept { proposal } if after.durable.accepted == *proposal => {
            vec![format!("accepts {} from {from}", proposed(*proposal))]
        }
        Message::Accept { proposal } => {
            let what = proposed(*proposal);
            vec![format!("does not accept {what} from {from}: it has promised ballot {promised}")]
        }
        Message::Accepted { proposal } => {
            vec![format!("hears that {from} has accepted {}", proposed(*proposal))]
        }
        Message::Refuse { promised, .. } => {
            vec![format!("hears that {from} has promised ballot {promised}")]
        }
        Message::Chosen { value } => vec![format!("hears from {from} that {value} is chosen")],
    };
    if gives_up && after.durable.learned.is_none() {
        said.push(format!("gives up its own ballot {}", before.durable.tried));
    }
    said
}

fn leads(deed: &Deed<'_, Paxos>, before: &State, after: &State) -> Vec<String> {
    let begins = after.phase == Phase::Leading
        && (before.phase != Phase::Leading || before.durable.tried != after.durable.tried);
    if !begins {
        return Vec::new();
    }
    let mut said = vec![format!("leads ballot {}", after.durable.tried)];
    let proposal = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Accept { proposal } => Some(*proposal),
        _ => None,
    });
    if let (Some(proposal), Some(to)) =
        (proposal, deed.sent_to(|msg| matches!(msg, Message::Accept { .. })))
    {
        said.push(format!("asks {to} to accept {}", proposal.value));
    }
    said
}

fn proposed(proposal: Proposal) -> String {
    match proposal {
        Proposal::NONE => "nothing".to_string(),
        Proposal { ballot, value } => format!("{value} of ballot {ballot}"),
    }
}
