//! What a node did, in the words of the Bully election, for people who read a run.

use super::Bully;
use super::message::{Message, Timer};
use super::state::State;
use crate::election::{Deed, Event, node_name, nodes_listed};

/// Clauses whose subject is the node.
pub(super) fn tell(deed: &Deed<'_, Bully>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let mut said = match &deed.step.event {
        Event::Start => Vec::new(),
        Event::Deliver { src, msg } => {
            let from = node_name(*src);
            vec![match msg {
                Message::Election => {
                    format!("is asked by {from}, which is lower, whether it is alive")
                }
                Message::Answer => format!("gets the answer of {from}, which is higher"),
                Message::Coordinator => format!("gets the announcement of {from}"),
                Message::Accept => format!("is accepted by {from}"),
            }]
        }
        Event::Timeout { timer } => vec![
            match timer {
                Timer::Answer => "hears of no higher node",
                Timer::Coordinator => "hears of no leader",
                Timer::Monitor => "no longer hears its leader",
                Timer::Heartbeat => "is due to be heard again",
            }
            .to_string(),
        ],
        Event::Choose { .. } | Event::Crash => Vec::new(),
    };
    if let Some(to) = deed.sent_to(|msg| *msg == Message::Answer) {
        said.push(format!("tells {to} that it is alive"));
    }
    if let Some(to) = deed.sent_to(|msg| *msg == Message::Election) {
        said.push(format!("calls an election: it asks {to}"));
    }
    if let Some(to) = deed.sent_to(|msg| *msg == Message::Coordinator) {
        said.push(format!("announces itself to {to}"));
    }
    if let Some(to) = deed.sent_to(|msg| *msg == Message::Accept) {
        said.push(format!("accepts {to}"));
    }
    if deed.step.before != Some(after) {
        said.extend(becomes(deed.step.before, after));
    } else if said.len() == 1 {
        said.push("stays as it is".to_string());
    }
    said
}

fn becomes(before: Option<&State>, after: &State) -> Vec<String> {
    let mut said = Vec::new();
    if before == Some(&State::Leading) {
        said.push("leads no more".to_string());
    }
    match after {
        State::Leading => said.push("leads".to_string()),
        State::Following(leader) => said.push(format!("follows {}", node_name(*leader))),
        State::Waiting => said.push("waits for a leader to be announced".to_string()),
        State::Claiming(nodes) => {
            let accept = if nodes.len() == 1 { "accepts" } else { "accept" };
            let by = nodes_listed(nodes.iter());
            said.push(format!("claims to lead, but so far only {by} {accept} it"));
        }
        State::Electing => {}
        State::Idle => said.push("waits for others to be heard".to_string()),
    }
    said
}
