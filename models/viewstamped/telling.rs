//! What a replica did, in the words of Viewstamped Replication, for people who read a run.

use stateright::actor::Id;

use super::Viewstamped;
use super::message::{Log, Message, Timer};
use super::state::{State, Status};
use crate::election::{Deed, Event, node_name};

/// Clauses whose subject is the replica.
pub(super) fn tell(deed: &Deed<'_, Viewstamped>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { timer } => vec![times_out(timer, before)],
        Event::Deliver { src, msg } => vec![receives(*src, msg, before, after)],
        Event::Choose { value, .. } => {
            let number = after.log.len();
            vec![format!("takes op{} from a client as number {number} of its log", value.0)]
        }
        Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(changes(deed, before, after));
    said.extend(sends(deed));
    said
}

fn comes_back(deed: &Deed<'_, Viewstamped>, after: &State) -> Vec<String> {
    let Some(lost) = deed.lost else { return Vec::new() };
    let why = deed.found.why();
    let mut said = Vec::new();
    if after.view < lost.view {
        said.push(format!("has forgotten that it was in view {}{why}", lost.view));
    }
    if after.log.len() < lost.log.len() {
        let (kept, had) = (logged(&after.log), logged(&lost.log));
        said.push(format!("has {kept} where it had {had}"));
    }
    match after.status {
        Status::Recovering { .. } => {
            said.push("asks the others for the state that it has lost".into())
        }
        _ => said
            .push(format!("takes part in view {} at once, as if it had lost nothing", after.view)),
    }
    said
}

fn times_out(timer: &Timer, before: &State) -> String {
    match timer {
        Timer::Heartbeat => "lets the others hear that it is there".to_string(),
        Timer::ViewChange if before.is_normal() => {
            format!("has heard nothing of the primary of view {}", before.view)
        }
        Timer::ViewChange => format!("has waited too long for view {} to start", before.view),
        Timer::Recovery => "has had too few answers and asks for its state again".to_string(),
    }
}

fn receives(src: Id, msg: &Message, before: &State, after: &State) -> String {
    let from = node_name(src);
    let ignored = if before == after { ", which changes nothing" } else { "" };
    match msg {
        Message::Prepare { op, op_number, view, .. } if after.log.len() > before.log.len() => {
            format!(
                "writes {op:?} as number {op_number} into its log, as {from}, primary of view {view}, asks"
            )
        }
        Message::Prepare { op, .. } => format!("does not write {op:?} of {from} into its log"),
        Message::PrepareOk { op_number, .. } => {
            format!("hears that {from} has its log up to number {op_number}{ignored}")
        }
        Message::Commit { view, .. } => format!("hears from {from}, primary of view {view}"),
        Message::StartViewChange { view } => {
            format!("hears that {from} has started the change to view {view}{ignored}")
        }
        Message::DoViewChange { view, offer } => format!(
            "is offered {} for view {view} by {from}, which was last normal in view {}{ignored}",
            logged(&offer.log),
            offer.last_normal
        ),
        Message::StartView { view, log, .. } => {
            format!("hears from {from} that view {view} starts with {}{ignored}", logged(log))
        }
        Message::Recovery { .. } => format!("is asked by {from} for the state that it has lost"),
        Message::RecoveryResponse { answer, .. } if answer.suffix.is_some() => {
            format!("gets the log of {from}, primary of view {}{ignored}", answer.view)
        }
        Message::RecoveryResponse { answer, .. } => {
            format!("hears that {from} is in view {}{ignored}", answer.view)
        }
        Message::GetState { .. } => format!("is asked by {from} for operations that it lacks"),
        Message::NewState { suffix, .. } => {
            format!("gets the operations {:?} from {from}{ignored}", suffix.ops)
        }
    }
}

/// What changed at the replica.
fn changes(deed: &Deed<'_, Viewstamped>, before: &State, after: &State) -> Vec<String> {
    let mut said = Vec::new();
    let primary = deed.step.actor.primary(after.view);
    let began = !after.is_normal() && (before.view != after.view || before.is_normal());
    if began && matches!(after.status, Status::ViewChange { .. }) {
        said.push(format!("starts the change to view {}", after.view));
    }
    if after.is_normal() && (!before.is_normal() || before.view != after.view) {
        let (view, log) = (after.view, logged(&after.log));
        said.push(match primary == deed.step.id {
            true => format!(
                "has enough logs: it starts view {view} as its primary with the best of them, {log}"
            ),
            false => format!("follows {} in view {view} with {log}", node_name(primary)),
        });
    }
    if after.commit > before.commit {
        said.push(format!("counts its log up to number {} as committed", after.commit));
    }
    said
}

fn sends(deed: &Deed<'_, Viewstamped>) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::DoViewChange { .. })) {
        said.push(format!("offers its log to {to}, the primary of the new view"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::PrepareOk { .. })) {
        said.push(format!("tells {to} so"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::Prepare { .. })) {
        said.push(format!("asks {to} to do the same"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::RecoveryResponse { .. })) {
        said.push(format!("answers {to}"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::GetState { .. })) {
        said.push(format!("asks {to} for what it lacks"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::NewState { .. })) {
        said.push(format!("sends them to {to}"));
    }
    said
}

fn logged(log: &Log) -> String {
    if log.is_empty() { "an empty log".to_string() } else { format!("the log {log:?}") }
}
