//! What a replica did, in the words of Viewstamped Replication, for people who read a run.

use stateright::actor::Id;

use super::Viewstamped;
use super::message::{Log, Message, Timer};
use super::state::{State, Status};
use crate::election::{Deed, Event, NodeSet, listed, node_name, nodes_listed};

/// Clauses whose subject is the replica.
pub(super) fn tell(deed: &Deed<'_, Viewstamped>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { timer } => vec![times_out(timer, before)],
        Event::Deliver { src, msg } => vec![receives(deed, *src, msg, before, after)],
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

fn receives(
    deed: &Deed<'_, Viewstamped>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> String {
    let from = node_name(src);
    let is_idle = deed.step.sends.is_empty();
    let ignored = if before == after && is_idle { ", which changes nothing" } else { "" };
    let silent = if is_idle { ", and does not answer" } else { "" };
    match msg {
        Message::Prepare { op, op_number, view, .. } if after.log.len() > before.log.len() => {
            format!(
                "writes {op:?} as number {op_number} into its log, as {from}, primary of view {view}, asks"
            )
        }
        Message::Prepare { op, op_number, view, .. } => {
            let why = match before.log.len() {
                _ if before.is_recovering() => "it has not recovered yet".to_string(),
                _ if *view < before.view => format!("it is in view {}", before.view),
                _ if before.is_behind(*view) => format!("it has not come to view {view} yet"),
                have if *op_number <= have => format!("it has number {op_number} already"),
                _ => "it lacks what comes before".to_string(),
            };
            format!("does not write {op:?} of {from} as number {op_number} into its log: {why}")
        }
        Message::PrepareOk { op_number, .. } => {
            format!("hears that {from} has its log up to number {op_number}{ignored}")
        }
        Message::Commit { view, commit } => {
            format!("hears from {from}, primary of view {view}, that {}", committed(*commit))
        }
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
        Message::Recovery { .. } => {
            format!("is asked by {from} for the state that it has lost{silent}")
        }
        Message::RecoveryResponse { answer, .. } if answer.suffix.is_some() => {
            let ops = answer.suffix.as_ref().map(|suffix| &suffix.ops[..]).unwrap_or_default();
            format!(
                "gets the operations {ops:?} of {from}, primary of view {}{ignored}",
                answer.view
            )
        }
        Message::RecoveryResponse { answer, .. } => {
            format!("hears that {from} is in view {}{ignored}", answer.view)
        }
        Message::GetState { view, op_number } => {
            format!(
                "is asked by {from} for what comes after number {op_number} in view {view}{silent}"
            )
        }
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
                "has the logs of {}: it starts view {view} as its primary with {log}",
                offered(deed, before, after)
            ),
            false => format!("follows {} in view {view} with {log}", node_name(primary)),
        });
    }
    let is_fetched =
        matches!(deed.step.event, Event::Deliver { msg: Message::NewState { .. }, .. });
    if is_fetched && said.is_empty() && after.log != before.log {
        said.push(format!("has {} now", logged(&after.log)));
    }
    if after.commit > before.commit {
        said.push(format!("counts its log up to number {} as committed", after.commit));
    }
    said
}

/// Whose logs the new primary has to choose from.
fn offered(deed: &Deed<'_, Viewstamped>, before: &State, after: &State) -> String {
    let mut have: NodeSet = match &before.status {
        Status::ViewChange { offers, .. } if before.view == after.view => {
            offers.keys().copied().filter(|id| *id != deed.step.id).collect()
        }
        _ => NodeSet::default(),
    };
    if let Event::Deliver { src, msg: Message::DoViewChange { .. } } = &deed.step.event {
        have.insert(*src);
    }
    let others = have.iter().map(node_name);
    listed(&others.chain(["itself".to_string()]).collect::<Vec<_>>())
}

fn sends(deed: &Deed<'_, Viewstamped>) -> Vec<String> {
    let mut kinds: Vec<(String, Vec<Id>)> = Vec::new();
    for (dst, msg) in deed.step.sends {
        let Some(what) = sent(msg) else { continue };
        match kinds.iter_mut().find(|(known, _)| *known == what) {
            Some((_, to)) => to.push(*dst),
            None => kinds.push((what, vec![*dst])),
        }
    }
    kinds.into_iter().map(|(what, to)| what.replace("{}", &nodes_listed(to))).collect()
}

/// A message; `{}` stands for those who get it.
fn sent(msg: &Message) -> Option<String> {
    let text = match msg {
        Message::StartViewChange { .. } => "tells {} of it".to_string(),
        Message::DoViewChange { offer, .. } => format!(
            "offers {} to {{}}, the primary of the new view, with {} as the last view in which it was normal",
            logged(&offer.log),
            offer.last_normal
        ),
        Message::StartView { .. } => "sends this log to {}".to_string(),
        Message::Prepare { op, op_number, .. } => {
            format!("asks {{}} to write {op:?} as number {op_number}, too")
        }
        Message::PrepareOk { op_number, .. } => {
            format!("tells {{}} that it has its log up to number {op_number}")
        }
        Message::Commit { commit, .. } => format!("tells {{}} that {}", committed(*commit)),
        Message::RecoveryResponse { answer, .. } => match &answer.suffix {
            Some(suffix) => format!(
                "answers {{}} that it is the primary of view {}, with the operations {:?} after number {}",
                answer.view, suffix.ops, suffix.after
            ),
            None => format!("answers {{}} that it is in view {}", answer.view),
        },
        Message::GetState { view, op_number } => {
            format!("asks {{}} for what comes after number {op_number} in view {view}")
        }
        Message::NewState { suffix, .. } => {
            format!("sends {{}} the operations {:?}", suffix.ops)
        }
        // That it asks is told with why it asks.
        Message::Recovery { .. } => return None,
    };
    Some(text)
}

fn committed(upto: usize) -> String {
    match upto {
        0 => "nothing is committed yet".to_string(),
        number => format!("its log up to number {number} is committed"),
    }
}

fn logged(log: &Log) -> String {
    if log.is_empty() { "an empty log".to_string() } else { format!("the log {log:?}") }
}
