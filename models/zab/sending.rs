//! What a server sends, in Zab's own words, for people who read a run.

use stateright::actor::Id;

use super::Zab;
use super::message::{Message, Packet, Report, Sync, Vote};
use super::state::{Epoch, Role, Stage, State, Zxid};
use crate::election::{Deed, Event, NodeSet, listed, node_name, nodes_listed};

/// What was sent in this step. Clauses whose subject is the server.
pub(super) fn sends(deed: &Deed<'_, Zab>, after: &State) -> Vec<String> {
    let mut kinds: Vec<(String, Vec<Id>)> = Vec::new();
    for (dst, msg) in deed.step.sends {
        let Some(what) = sent(deed, after, *dst, msg) else { continue };
        match kinds.iter_mut().find(|(known, _)| *known == what) {
            Some((_, to)) => to.push(*dst),
            None => kinds.push((what, vec![*dst])),
        }
    }
    let named = |(what, to): (String, Vec<Id>)| {
        let to: NodeSet = to.into_iter().collect();
        what.replace("{}", &nodes_listed(to.iter()))
    };
    kinds.into_iter().map(named).collect()
}

/// A message; `{}` stands for those who get it. What a follower says of its history is told with
/// its promise.
fn sent(deed: &Deed<'_, Zab>, after: &State, dst: Id, msg: &Message) -> Option<String> {
    let is_reading = matches!(deed.step.event, Event::Deliver { .. });
    let text = match msg {
        Message::Notification { vote: None, .. } => "tells {} that it may not vote".to_string(),
        Message::Notification { vote: Some(Vote { leader, .. }), .. } => {
            let whom = if *leader == deed.step.id { "itself".into() } else { node_name(*leader) };
            match is_reading {
                true => format!("tells {{}} that it votes for {whom}"),
                false => format!("votes for {whom} and tells {{}}"),
            }
        }
        Message::Settled { settled, .. } => {
            let (leader, round) = (settled.leader, settled.round);
            let epoch = settled.epoch;
            let whom = if leader == deed.step.id { "itself".into() } else { node_name(leader) };
            format!(
                "answers {{}} that {whom} is elected in round {round}, and that it has promised epoch {epoch}"
            )
        }
        Message::Packet { packet, .. } => writes(deed, after, dst, packet),
        Message::Report { report: Report::FollowerInfo { accepted }, .. } => {
            let promised = match accepted {
                Epoch(0) => "nothing so far".to_string(),
                epoch => format!("epoch {epoch}"),
            };
            let later = reads_later(deed, dst);
            format!("tells {{}} that it follows and has promised {promised}{later}")
        }
        Message::Report { report: Report::Ack { zxid }, .. } => {
            format!("acknowledges {zxid} to {{}}")
        }
        Message::Report { report: Report::AckNewLeader { epoch }, .. } => {
            format!("acknowledges this as the history of {{}} for epoch {epoch}")
        }
        Message::Report { report: Report::AckEpoch { .. }, .. } => return None,
        Message::Ping { .. } => "pings {}".to_string(),
        Message::Pong { .. } if is_reading => "answers".to_string(),
        Message::Pong { .. } => return None,
    };
    Some(text)
}

/// What a leader writes to a follower.
fn writes(deed: &Deed<'_, Zab>, after: &State, dst: Id, packet: &Packet) -> String {
    match packet {
        Packet::NewEpoch { epoch } => match has_promised(deed, *epoch) {
            true => "answers with this epoch".to_string(),
            false => format!("asks {{}} for the promise of epoch {epoch}"),
        },
        Packet::NewLeader { sync, .. } => brings(deed, after, dst, sync),
        Packet::UpToDate { zxid } => {
            let epoch = after.disk.current;
            let leader = node_name(deed.step.id);
            format!("tells {{}} that {leader} leads epoch {epoch} and that {}", committed(*zxid))
        }
        Packet::Propose { txn } => format!("proposes {txn} to {{}}"),
        Packet::Commit { zxid } => format!("tells {{}} that {zxid} is committed"),
    }
}

/// That a server will read what it is sent only when it leads.
fn reads_later(deed: &Deed<'_, Zab>, dst: Id) -> String {
    let state = deed.state_of(dst);
    match state.map(|state| &state.role) {
        Some(Role::Looking(_) | Role::Following(_)) => {
            let to = node_name(dst);
            format!(" ({to} reads this when it is to lead)")
        }
        _ => String::new(),
    }
}

/// How a leader brings a follower's history to its own.
fn brings(deed: &Deed<'_, Zab>, after: &State, dst: Id, sync: &Sync) -> String {
    let (to, own) = (node_name(dst), &after.disk.history);
    let theirs = last_of(deed, dst);
    if let (Sync::Diff(rest), Some(last)) = (sync, theirs)
        && after.disk.position(last).is_none()
    {
        return format!(
            "does not bring {to} to its own history, {own:?}: it only sends {} to add, though the \
             history of {to} ends with {last}, which is not in its own",
            listed(rest)
        );
    }
    let how = match sync {
        Sync::Diff(rest) if rest.is_empty() => {
            "it tells {} that nothing is to be added".to_string()
        }
        Sync::Diff(rest) => format!("it sends {} to add", listed(rest)),
        Sync::Trunc(at, rest) if rest.is_empty() => {
            format!("it orders {{}} to drop all after {at}")
        }
        Sync::Trunc(at, rest) => {
            format!("it orders {{}} to drop all after {at} and to add {}", listed(rest))
        }
        Sync::Snap(_) => "it sends the whole of it".to_string(),
    };
    let own = match own.is_empty() {
        true => "which is empty".to_string(),
        false => format!("{own:?}"),
    };
    format!("brings {to} to its own history, {own}: {}", how.replace("{}", &to))
}

/// The last transaction of a follower, as it has told its leader.
fn last_of(deed: &Deed<'_, Zab>, dst: Id) -> Option<Zxid> {
    if let Event::Deliver { src, msg: Message::Report { report, .. } } = &deed.step.event
        && let (true, Report::AckEpoch { last, .. }) = (*src == dst, report)
    {
        return Some(*last);
    }
    let Role::Leading(leading) = &deed.step.before?.role else { return None };
    match leading.learners.get(&dst)?.stage {
        Stage::Promised { last } => Some(last),
        _ => None,
    }
}

/// Whether the leader has just heard from a follower that has promised this epoch already.
fn has_promised(deed: &Deed<'_, Zab>, epoch: Epoch) -> bool {
    let (Event::Deliver { msg: Message::Report { report, .. }, .. }, Some(before)) =
        (&deed.step.event, deed.step.before)
    else {
        return false;
    };
    matches!(before.role, Role::Leading(_))
        && before.attempt() == Some(epoch)
        && *report == Report::FollowerInfo { accepted: epoch }
}

/// A history, as votes and promises describe it.
pub(super) fn described(epoch: Epoch, last: Zxid) -> String {
    match epoch {
        Epoch(0) => ends(last),
        _ => format!("is of epoch {epoch} and {}", ends(last)),
    }
}

/// Where a history ends.
pub(super) fn ends(last: Zxid) -> String {
    if last == Zxid::default() { "is empty".to_string() } else { format!("ends with {last}") }
}

/// What is committed, as a leader says it.
pub(super) fn committed(upto: Zxid) -> String {
    match upto == Zxid::default() {
        true => "nothing is committed yet".to_string(),
        false => format!("all up to {upto} is committed"),
    }
}
