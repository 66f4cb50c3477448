//! What a node did, in the words of elections on a ring, for people who read a run.

use stateright::actor::Id;

use super::Ring;
use super::message::{Message, Timer};
use super::state::{Role, State};
use crate::election::{Deed, Event, NodeSet, node_name, nodes_listed};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, Ring>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let mut said = match &deed.step.event {
        Event::Start => Vec::new(),
        Event::Deliver { src, msg } => vec![receives(*src, msg)],
        Event::Timeout { timer } => vec![times_out(timer)],
        Event::Choose { .. } | Event::Crash => Vec::new(),
    };
    if let Some(before) = deed.step.before {
        said.extend(becomes(before, after));
    }
    for (dst, msg) in deed.step.sends {
        let to = node_name(*dst);
        match msg {
            Message::Ack { .. } => {}
            // The word for what it is passing on has been said.
            msg if is_passed_on(deed, msg) => said.push(format!("passes it on to {to}")),
            msg => said.push(format!("sends {to} {}", what(msg))),
        }
    }
    if deed.step.before == Some(after)
        && said.len() == 1
        && !matches!(deed.step.event, Event::Start)
    {
        let is_ack = matches!(deed.step.event, Event::Deliver { msg: Message::Ack { .. }, .. });
        said.push(if is_ack { "need not send it again" } else { "lets it end here" }.to_string());
    }
    said
}

fn receives(src: Id, msg: &Message) -> String {
    let from = node_name(src);
    match msg {
        Message::Ack { of } => format!("hears that {from} has {}", what(of)),
        msg => format!("gets from {from} {}", what(msg)),
    }
}

/// A message in words.
fn what(msg: &Message) -> String {
    let by = |seen: &NodeSet| nodes_listed(seen.iter());
    match msg {
        Message::Candidate { number } => format!("the number of {}", node_name(*number)),
        Message::Elected { number } => format!("the news that {} has won", node_name(*number)),
        Message::Election { seen } => format!("the election that has collected {}", by(seen)),
        Message::Winner { leader, .. } => {
            format!("the news for {} that it has won", node_name(*leader))
        }
        Message::Coordinator { leader, .. } => {
            format!("the announcement of {}", node_name(*leader))
        }
        Message::Ack { .. } => "an acknowledgement".to_string(),
    }
}

fn is_passed_on(deed: &Deed<'_, Ring>, sent: &Message) -> bool {
    let Event::Deliver { msg, .. } = &deed.step.event else { return false };
    std::mem::discriminant(*msg) == std::mem::discriminant(sent) && *msg == sent
}

fn times_out(timer: &Timer) -> String {
    match timer {
        Timer::Monitor => "hears of no leader".to_string(),
        Timer::Heartbeat => "is due to be heard again".to_string(),
        Timer::Skip { to, .. } => {
            format!("has no acknowledgement from {}: it takes it for dead", node_name(*to))
        }
    }
}

fn becomes(before: &State, after: &State) -> Vec<String> {
    let mut said = Vec::new();
    if before.role == after.role {
        return said;
    }
    if before.role == Role::Leading {
        said.push("leads no more".to_string());
    }
    said.push(match after.role {
        Role::Leading => "leads".to_string(),
        Role::Elect => "has won and announces itself".to_string(),
        Role::Following(leader) => format!("follows {}", node_name(leader)),
        Role::Participating => "takes part in the election".to_string(),
        Role::Searching => "looks for a leader".to_string(),
    });
    said
}
