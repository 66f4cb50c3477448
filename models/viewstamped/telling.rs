//! What a replica did, in the words of Viewstamped Replication, for people who read a run.

use stateright::actor::Id;

use super::Viewstamped;
use super::message::{Log, Message, Offer, Timer};
use super::state::{State, Status, View};
use crate::election::{Deed, Election, Event, NodeSet, listed, node_name};

/// Clauses whose subject is the replica.
pub(super) fn tell(deed: &Deed<'_, Viewstamped>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    let mut said = match &deed.step.event {
        Event::Timeout { timer } => vec![times_out(deed, timer, before)],
        Event::Deliver { src, msg } => vec![receives(*src, msg, before, after)],
        Event::Choose { value, .. } => {
            let (number, view) = (after.log.len(), after.view);
            let started = deed.past.installed.keys().max().filter(|latest| **latest > view);
            let late = started.map(|latest| {
                format!(
                    "does not know that view {latest} has started, and goes on as the primary of \
                     view {view}"
                )
            });
            let taken = format!("takes op{} from a client as number {number} of its log", value.0);
            late.into_iter().chain([taken]).collect()
        }
        Event::Start | Event::Crash => Vec::new(),
    };
    said.extend(changes(deed, before, after));
    said.extend(sends(deed));
    let is_told = matches!(deed.step.event, Event::Deliver { msg: Message::Prepare { .. }, .. });
    if said.len() == 1
        && !is_told
        && before == after
        && matches!(deed.step.event, Event::Deliver { .. })
    {
        said.push("does nothing about it".to_string());
    }
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
            let asked = deed.sent_to(|msg| matches!(msg, Message::Recovery { .. }));
            let asked = asked.unwrap_or("nobody".to_string());
            said.push(format!("asks {asked} for the state that it has lost"));
            said.push(match deed.step.timers.contains_key(&Timer::Recovery) {
                true => "sets a timer with which it asks again".to_string(),
                false => "sets no timer with which it would ask again".to_string(),
            });
        }
        _ => said
            .push(format!("takes part in view {} at once, as if it had lost nothing", after.view)),
    }
    said
}

fn times_out(deed: &Deed<'_, Viewstamped>, timer: &Timer, before: &State) -> String {
    let primary = node_name(deed.step.actor.primary(before.view));
    match timer {
        Timer::Heartbeat => "lets the others hear that it is there".to_string(),
        Timer::ViewChange if before.is_normal() => {
            format!(
                "has waited too long to hear from {primary}, the primary of view {}",
                before.view
            )
        }
        Timer::ViewChange => format!("has waited too long for view {} to start", before.view),
        Timer::Recovery => "has had too few answers and asks for its state again".to_string(),
    }
}

fn receives(src: Id, msg: &Message, before: &State, after: &State) -> String {
    let from = node_name(src);
    match msg {
        Message::Prepare { op, op_number, view, .. } if after.log.len() > before.log.len() => {
            format!(
                "writes {op:?} as number {op_number} into its log, as {from} asked as primary of \
                 view {view}"
            )
        }
        Message::Prepare { op, op_number, view, .. } => {
            let why = not_prepared(*view, *op_number, before);
            format!("does not write {op:?} of {from} into its log: {why}")
        }
        Message::PrepareOk { op_number, view } => {
            format!("hears that {from} had the log of view {view} up to number {op_number}")
        }
        Message::Commit { view, .. } => {
            format!("hears what {from} sent as primary of view {view}")
        }
        Message::StartViewChange { view } => {
            format!("hears that {from} has started the change to view {view}")
        }
        Message::DoViewChange { view, offer } => {
            format!("gets {from}'s offer for view {view}: {}", offered(offer))
        }
        Message::StartView { view, log, .. } => {
            format!("hears from {from} that view {view} starts with {}", logged(log))
        }
        Message::Recovery { .. } => format!("is asked by {from} for the state that it has lost"),
        Message::RecoveryResponse { answer, .. } => match &answer.suffix {
            Some(suffix) => {
                let what = match suffix.after {
                    0 => logged(&suffix.ops),
                    after => format!("{:?} after number {after} of the log", suffix.ops),
                };
                format!("gets the answer of {from} as primary of view {}, with {what}", answer.view)
            }
            None => format!("gets the answer of {from}, given in view {}", answer.view),
        },
        Message::GetState { .. } => format!("is asked by {from} for operations that it lacks"),
        Message::NewState { suffix, .. } => {
            format!("gets the operations {:?} from {from}", suffix.ops)
        }
    }
}

/// Why a replica does not write an operation into its log.
fn not_prepared(view: View, op_number: usize, before: &State) -> String {
    let next = before.log.len() + 1;
    match &before.status {
        _ if view != before.view => {
            format!("the message is of view {view}, and the replica is in view {}", before.view)
        }
        Status::ViewChange { .. } => "it is changing the view".to_string(),
        Status::Recovering { .. } => "it is recovering".to_string(),
        Status::Normal { .. } if op_number < next => format!("it has number {op_number} already"),
        Status::Normal { .. } => format!("number {next} is missing there"),
    }
}

/// What changed at the replica.
fn changes(deed: &Deed<'_, Viewstamped>, before: &State, after: &State) -> Vec<String> {
    let mut said = Vec::new();
    let primary = deed.step.actor.primary(after.view);
    let told = deed.sent_to(|msg| matches!(msg, Message::StartViewChange { .. }));
    if let Some(told) = told {
        said.push(format!("starts the change to view {}, and tells {told} so", after.view));
    }
    if after.is_normal() && (!before.is_normal() || before.view != after.view) {
        let (view, log) = (after.view, logged(&after.log));
        if primary == deed.step.id {
            said.extend(own_offer(deed, before).map(|own| counts_own(view, &own)));
            said.push(has_offers(deed, before));
            said.push(format!("starts view {view} as its primary with {log}"));
        } else {
            said.extend(has_answers(deed, before));
            said.push(format!("follows {} in view {view} with {log}", node_name(primary)));
        }
    } else if primary == deed.step.id {
        said.extend(own_offer(deed, before).map(|own| counts_own(after.view, &own)));
    }
    let is_told = matches!(
        deed.step.event,
        Event::Choose { .. } | Event::Deliver { msg: Message::Prepare { .. }, .. }
    );
    let is_same = before.is_normal() && after.is_normal() && before.view == after.view;
    if is_same && !is_told && before.log != after.log {
        said.push(format!("now has {} in place of {}", logged(&after.log), logged(&before.log)));
    }
    said.extend(commits(deed, before, after));
    said
}

fn counts_own(view: View, own: &Offer) -> String {
    format!("is the primary of view {view}: it counts its own log as an offer, {}", offered(own))
}

/// The offer that the new primary makes to itself in this step, if it does.
fn own_offer(deed: &Deed<'_, Viewstamped>, before: &State) -> Option<Offer> {
    let after = deed.step.after?;
    let offers = |state: &State| match &state.status {
        Status::ViewChange { offers, .. } => offers.get(&deed.step.id).cloned(),
        _ => None,
    };
    let had = offers(before).filter(|_| before.view == after.view);
    let last_normal = match &before.status {
        Status::ViewChange { last_normal, .. } => *last_normal,
        _ => before.view,
    };
    let made = offers(after).or_else(|| {
        let now = after.is_normal() && !(before.is_normal() && before.view == after.view);
        let (log, commit) = (before.log.clone(), before.commit);
        now.then_some(Offer { last_normal, log, commit })
    });
    made.filter(|_| had.is_none())
}

/// Whose offers a new primary has, and that they are enough.
fn has_offers(deed: &Deed<'_, Viewstamped>, before: &State) -> String {
    let mut from: NodeSet = match &before.status {
        Status::ViewChange { offers, .. } => offers.keys().copied().collect(),
        _ => NodeSet::default(),
    };
    if let Event::Deliver { src, msg: Message::DoViewChange { .. } } = &deed.step.event {
        from.insert(*src);
    }
    from.insert(deed.step.id);
    format!("has the offers of {}", replicas(deed, from))
}

/// Whose answers a replica has that recovers in this step.
fn has_answers(deed: &Deed<'_, Viewstamped>, before: &State) -> Option<String> {
    let Status::Recovering { answers, .. } = &before.status else { return None };
    let Event::Deliver { src, .. } = &deed.step.event else { return None };
    let from: NodeSet = answers.keys().copied().chain([*src]).collect();
    Some(format!("has the answers of {}", replicas(deed, from)))
}

/// Replicas by name, the replica itself last; and that they are a quorum.
fn replicas(deed: &Deed<'_, Viewstamped>, them: NodeSet) -> String {
    let others = them.iter().filter(|&id| id != deed.step.id).map(node_name);
    let own = them.contains(deed.step.id).then(|| "itself".to_string());
    let names: Vec<String> = others.chain(own).collect();
    let is_quorum = 2 * them.len() > deed.nodes;
    format!("{}{}", listed(&names), if is_quorum { ", a quorum" } else { "" })
}

/// That a replica counts more as committed; a primary then answers the clients.
fn commits(deed: &Deed<'_, Viewstamped>, before: &State, after: &State) -> Option<String> {
    if after.commit <= before.commit {
        return None;
    }
    let ops = |from: usize| {
        let ops = after.log.get(from..after.commit.max(from)).unwrap_or_default();
        listed(&ops.iter().map(|op| format!("{op:?}")).collect::<Vec<_>>())
    };
    let what = match after.commit <= after.log.len() {
        true => format!("counts {} as committed", ops(before.commit)),
        false => format!(
            "counts its log as committed up to number {}, although it has {}",
            after.commit,
            logged(&after.log)
        ),
    };
    let is_primary = deed.step.actor.leads(deed.step.id, after).is_some();
    let client = if is_primary && after.commit > deed.past.acknowledged.len() {
        format!(" and acknowledges {} to the client", ops(deed.past.acknowledged.len()))
    } else {
        String::new()
    };
    let (Event::Deliver { src, msg: Message::PrepareOk { .. } }, Status::Normal { prepared }) =
        (&deed.step.event, &before.status)
    else {
        return Some(format!("{what}{client}"));
    };
    let known = prepared.iter().filter(|(_, number)| **number >= after.commit).map(|(id, _)| *id);
    let have = replicas(deed, known.chain([*src, deed.step.id]).collect());
    Some(format!(
        "{what}{client}, because, as far as it knows, the log up to there is that of {have}"
    ))
}

fn sends(deed: &Deed<'_, Viewstamped>) -> Vec<String> {
    let mut said = Vec::new();
    if let Some((to, offer)) = deed.step.sends.iter().find_map(|(to, msg)| match msg {
        Message::DoViewChange { offer, .. } => Some((node_name(*to), offered(offer))),
        _ => None,
    }) {
        said.push(format!("offers its log to {to}, the primary of the new view: {offer}"));
    }
    if let Some(to) = deed.sent_to(|msg| matches!(msg, Message::StartView { .. })) {
        said.push(format!("sends this log to {to}"));
    }
    if let Some((to, number)) = deed.step.sends.iter().find_map(|(to, msg)| match msg {
        Message::PrepareOk { op_number, .. } => Some((node_name(*to), op_number)),
        _ => None,
    }) {
        said.push(format!("tells {to} that it has the log up to number {number}"));
    }
    if let Some((op, number)) = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Prepare { op, op_number, .. } => Some((op, op_number)),
        _ => None,
    }) {
        let to = deed.sent_to(|msg| matches!(msg, Message::Prepare { .. })).unwrap_or_default();
        said.push(format!("asks {to} to write {op:?} as number {number} into theirs"));
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

/// What a replica offers to a new primary.
fn offered(offer: &Offer) -> String {
    format!("{}, last normal in view {}", logged(&offer.log), offer.last_normal)
}

fn logged(log: &Log) -> String {
    if log.is_empty() { "an empty log".to_string() } else { format!("the log {log:?}") }
}
