//! Logs in Raft's own words: what is appended, acknowledged and committed.

use stateright::actor::Id;

use super::super::Raft;
use super::super::message::{Entry, Message};
use super::super::state::{Role, State};
use super::super::witness;
use super::clears;
use super::votes::servers;
use crate::election::{Deed, NodeSet, Term, listed, node_name, nodes_listed};

/// That a server becomes the leader, and with which log; the first clause says what it sends, too.
pub(super) fn begins_to_lead(deed: &Deed<'_, Raft>, before: &State, after: &State) -> Vec<String> {
    let (log, term) = (&before.persistent.log, after.persistent.term);
    let lacks = deed
        .past
        .committed
        .iter()
        .filter(|(index, (entry, since))| *since < term && log.get(**index) != Some(*entry));
    let lacks: Vec<String> = lacks
        .map(|(index, (entry, since))| {
            format!("lacks {entry:?} at index {index}, which was committed in term {since}")
        })
        .collect();
    let with = match log.last_index() {
        0 if lacks.is_empty() => String::new(),
        0 => " with an empty log".to_string(),
        _ => format!(" with the log {log:?}"),
    };
    let told = replicates(deed).map_or(String::new(), |said| format!(" and {said}"));
    let mut said = vec![format!("leads term {term}{with}{told}")];
    said.extend(lacks);
    said
}

/// That a server's log makes an entry committed, because those that have it are a quorum by now,
/// although no server counts it in this step.
pub(super) fn completes_quorum(deed: &Deed<'_, Raft>, after: &State) -> Option<String> {
    if deed.step.cut_short.is_some() {
        return None; // Then what is told has not all happened.
    }
    let now = witness::observe(deed.past, &deed.step)?;
    let is_new = |(index, (entry, _)): &(&usize, &(Entry, Term))| {
        let known = deed.past.committed.get(*index).is_some_and(|(old, _)| old == entry);
        !known && **index > after.commit
    };
    let (&index, &(entry, term)) = now.committed.iter().rev().find(is_new)?;
    let mut holders = deed.past.holders(term, index);
    holders.insert(deed.step.id);
    let others = nodes_listed(holders.iter().filter(|&id| id != deed.step.id));
    let with = if holders.len() == 1 {
        "is a quorum by itself that has".to_string()
    } else {
        format!("completes, with {others}, a quorum that has")
    };
    let elsewhere = "although no server has counted its copies yet";
    Some(format!("{with} {entry:?} in term {term}: {entry:?} is committed, {elsewhere}"))
}

/// A server hears from a leader.
pub(super) fn appends(
    deed: &Deed<'_, Raft>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let Message::AppendEntries { term, prev, entry, .. } = msg else { return Vec::new() };
    let (from, what) = (node_name(src), carried(src, msg));
    let (old, new) = (&before.persistent.log, &after.persistent.log);
    let own = after.persistent.term;
    if *term < own && before == after && deed.step.sends.is_empty() {
        return vec![format!("gets {what} and does not answer")];
    }
    let follows =
        |state: &State| matches!(state.role, Role::Follower { leader: Some(l), .. } if l == src);
    let is_over = if *term < own { format!(", while it is in term {own}") } else { String::new() };
    let mut said = vec![match (&before.role, &after.role) {
        (_, Role::Leader(_)) => {
            format!("gets {what}, while it leads term {own} itself")
        }
        (Role::Candidate { .. } | Role::PreCandidate { .. }, _)
            if before.persistent.term == own =>
        {
            format!("gets {what}{is_over}, and stands no longer")
        }
        _ => format!("gets {what}{is_over}"),
    }];
    if !follows(before) && follows(after) {
        said.push(format!("follows {from}"));
    }
    said.extend(clears(deed.step.id, before, after));
    if deed.sent_to(|msg| matches!(msg, Message::Mismatch { .. })).is_some() {
        said.push(format!(
            "tells {from} that its log has no entry of term {} at index {}",
            prev.term, prev.index
        ));
        return said;
    }
    let same = (1..).take_while(|&i| old.get(i).is_some() && old.get(i) == new.get(i)).count();
    let gone = named((same + 1..=old.last_index()).filter_map(|index| old.get(index)));
    if same < old.last_index() {
        said.push(format!("drops {gone} from its log"));
    }
    let at = prev.index + 1;
    match entry {
        Some(entry) if same < new.last_index() => {
            let place = new.last_index();
            let elsewhere = if place == at { "" } else { ", the next place that its log has" };
            said.push(format!("puts {entry:?} at index {place}{elsewhere}"));
        }
        Some(_) if same == old.last_index() => said.push(format!("has it at index {at} already")),
        _ => {}
    }
    said.extend(deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Appended { matched: 0, .. } => Some(format!("answers {from}")),
        Message::Appended { matched, .. } => {
            Some(format!("acknowledges to {from} that it has the log up to index {matched}"))
        }
        _ => None,
    }));
    said.extend(commits(deed, Some(src), before, after));
    said.extend(completes_quorum(deed, after));
    said
}

/// What a leader's message carries. Its sender may lead no more by now.
pub(super) fn carried(src: Id, msg: &Message) -> String {
    let Message::AppendEntries { term, entry, .. } = msg else { return String::new() };
    let what = match entry {
        Some(entry) => format!("the entry {entry:?}"),
        None => "a heartbeat".to_string(),
    };
    format!("{what} that {} sent as leader of term {term}", node_name(src))
}

/// A leader hears how a follower's log compares with its own.
pub(super) fn hears_of_log(
    deed: &Deed<'_, Raft>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    let leads = matches!(before.role, Role::Leader(_));
    let is_useful = leads && msg.term() == Some(before.persistent.term);
    let what = match msg {
        Message::Appended { matched: 0, .. } => format!("hears from its follower {from}"),
        Message::Appended { matched, .. } => acknowledged(src, *matched, before, after),
        Message::Mismatch { prev, .. } => {
            let entry = before.persistent.log.get(*prev).filter(|_| is_useful);
            let entry = entry.map(|entry| format!(" {entry:?}")).unwrap_or_default();
            format!("hears that {from} lacks its entry{entry} at index {prev}")
        }
        _ => return Vec::new(),
    };
    if !is_useful {
        // The higher term that it hears of is told before.
        let is_news = before.persistent.term != after.persistent.term;
        let answer = format!("has no use for {from}'s answer to what it sent in an earlier term");
        return if is_news { Vec::new() } else { vec![answer] };
    }
    let mut said = vec![what];
    said.extend(commits(deed, None, before, after));
    said.extend(does_not_commit(deed, src, before, after));
    let (old, new) = (&before.persistent.log, &after.persistent.log);
    for index in old.last_index() + 1..=new.last_index() {
        if let Some(entry) = new.get(index) {
            said.push(format!("appends {entry:?} at index {index}"));
        }
    }
    said.extend(replicates(deed));
    if !matches!(after.role, Role::Leader(_)) {
        said.push("steps down, as it is no member any more".to_string());
    }
    said
}

/// What a leader takes from an acknowledgement.
fn acknowledged(src: Id, matched: usize, before: &State, after: &State) -> String {
    let from = node_name(src);
    let known = |server: &State| match &server.role {
        Role::Leader(leading) => leading.progress[usize::from(src)].matched,
        _ => 0,
    };
    match before.persistent.log.get(matched) {
        Some(entry) if known(before) < matched => {
            format!(
                "takes it from {from}'s acknowledgement that {from} has {entry:?} at index \
                 {matched}"
            )
        }
        _ if known(before) == known(after) => {
            format!("learns nothing new from {from}'s acknowledgement of index {matched}")
        }
        _ => format!("hears that {from} acknowledges the log up to index {matched}"),
    }
}

/// The servers that have a leader's log up to an index, as far as it knows.
fn known_to_have(deed: &Deed<'_, Raft>, leader: &State, index: usize) -> NodeSet {
    let Role::Leader(leading) = &leader.role else { return NodeSet::default() };
    let has = |id: &Id| *id == deed.step.id || leading.progress[usize::from(*id)].matched >= index;
    NodeSet::first(deed.nodes).iter().filter(has).collect()
}

/// That a server counts entries as committed: a leader because of those that have them, a follower
/// because its leader does.
pub(super) fn commits(
    deed: &Deed<'_, Raft>,
    leader: Option<Id>,
    before: &State,
    after: &State,
) -> Option<String> {
    let (old, new) = (before.commit, after.commit);
    if new <= old {
        return None;
    }
    let log = &after.persistent.log;
    let entries = (old + 1..=new).filter_map(|index| log.get(index));
    let (what, at) = (named(entries), if new == old + 1 { "index" } else { "indices" });
    let places = listed(&Vec::from_iter(old + 1..=new));
    let why = match (leader, &after.role) {
        (Some(leader), _) => format!("as {} says", node_name(leader)),
        // A leader that is no member of what it has committed steps down in the same step.
        (None, Role::Leader(_)) => {
            format!(
                "because, as far as it knows, the log up to there is that of {}",
                servers(deed, known_to_have(deed, after, new), after)
            )
        }
        (None, _) => String::new(),
    };
    let comma = if why.is_empty() { "" } else { ", " };
    Some(format!("counts {what} at {at} {places} as committed{comma}{why}"))
}

/// Why a leader commits nothing although a quorum has an entry: it is of an earlier term.
fn does_not_commit(
    deed: &Deed<'_, Raft>,
    src: Id,
    before: &State,
    after: &State,
) -> Option<String> {
    let Role::Leader(leading) = &after.role else { return None };
    let index = leading.progress[usize::from(src)].matched;
    let entry = after.persistent.log.get(index)?;
    let own = after.persistent.term;
    let holders = Vec::from_iter(known_to_have(deed, after, index).iter());
    let members = deed.step.actor.members(&after.persistent.log);
    let is_held = before != after && members.are_carried_by(&holders, None);
    (is_held && after.commit < index && entry.term != own).then(|| {
        format!(
            "commits nothing yet, for {entry:?} is of term {} and its own term is {own}",
            entry.term
        )
    })
}

/// What a leader sends.
pub(super) fn replicates(deed: &Deed<'_, Raft>) -> Option<String> {
    let mut kinds: Vec<(String, Vec<Id>)> = Vec::new();
    for (dst, msg) in deed.step.sends {
        let what = match msg {
            Message::AppendEntries { prev, entry: Some(entry), .. } => {
                format!("{entry:?} for index {}", prev.index + 1)
            }
            Message::AppendEntries { entry: None, .. } => "heartbeats".to_string(),
            _ => continue,
        };
        match kinds.iter_mut().find(|(known, _)| *known == what) {
            Some((_, to)) => to.push(*dst),
            None => kinds.push((what, vec![*dst])),
        }
    }
    let kinds = kinds.into_iter().map(|(what, to)| match (&what[..], &to[..]) {
        ("heartbeats", [one]) => format!("a heartbeat to {}", node_name(*one)),
        _ => format!("{what} to {}", nodes_listed(to)),
    });
    let sent: Vec<String> = kinds.collect();
    (!sent.is_empty()).then(|| format!("sends {}", sent.join(" and ")))
}

pub(super) fn named(entries: impl Iterator<Item = Entry>) -> String {
    listed(&entries.map(|entry| format!("{entry:?}")).collect::<Vec<_>>())
}
