//! What a server did, in Raft's own words, for people who read a run.

use stateright::actor::Id;

use super::Raft;
use super::message::{Command, Message, Timer};
use super::state::{Role, State};
use crate::election::{Deed, Event, Term, node_name, nodes_listed};

/// Clauses whose subject is the server.
pub(super) fn tell(deed: &Deed<'_, Raft>) -> Vec<String> {
    let Some(after) = deed.step.after else { return Vec::new() };
    let Some(before) = deed.step.before else { return comes_back(deed, after) };
    match &deed.step.event {
        Event::Timeout { timer } => times_out(deed, **timer, before, after),
        Event::Deliver { src, msg } => {
            let mut said = match msg {
                // Its own term is a later one because it stands for election.
                Message::PreVoteGranted { .. } => Vec::new(),
                _ => Vec::from_iter(hears_of_term(*src, before, after)),
            };
            said.extend(receives(deed, *src, msg, before, after));
            said.extend(commits(before, after));
            said
        }
        Event::Choose { value, .. } => {
            let what = match value {
                Command::Value(number) => format!("v{number}"),
                Command::Members(members) => format!("the configuration {members:?}"),
            };
            let mut said = vec![format!("appends {what} to its log, as a client asks")];
            said.extend(replicates(deed));
            said.extend(commits(before, after));
            said
        }
        Event::Start | Event::Crash => Vec::new(),
    }
}

/// What a server that restarts has kept and what it has forgotten.
fn comes_back(deed: &Deed<'_, Raft>, after: &State) -> Vec<String> {
    let (now, Some(lost)) = (&after.persistent, deed.lost) else { return Vec::new() };
    let old = &lost.persistent;
    let why = match deed.step.storage {
        Some(disk) if disk.voted_for.is_some() && now.voted_for.is_none() => {
            ", although it is on its disk"
        }
        _ => deed.found.why(),
    };
    let mut said = Vec::new();
    if now.term < old.term {
        said.push(format!("has forgotten term {}{why}", old.term));
    } else if let (Some(candidate), None) = (old.voted_for, now.voted_for) {
        let candidate = itself_or_name(deed.step.id, candidate);
        said.push(format!("has forgotten its vote for {candidate} in term {}{why}", old.term));
    } else if let Some(candidate) = now.voted_for {
        let candidate = itself_or_name(deed.step.id, candidate);
        said.push(format!("remembers its vote for {candidate} in term {}", now.term));
    }
    let (kept, had) = (now.log.last_index(), old.log.last_index());
    if kept < had {
        said.push(format!("has lost what stood in its log after index {kept}"));
    }
    said
}

fn times_out(deed: &Deed<'_, Raft>, timer: Timer, before: &State, after: &State) -> Vec<String> {
    let term = after.persistent.term;
    match (timer, &after.role) {
        (Timer::Election, Role::PreCandidate { .. }) => {
            let asked = deed.sent_to(|msg| matches!(msg, Message::PreVote { .. }));
            let asked = asked.unwrap_or("nobody".to_string());
            vec![format!("asks {asked} whether they would vote for it in term {}", term.0 + 1)]
        }
        (Timer::Election, _) => stands(deed, after),
        (Timer::Heartbeat, _) => {
            replicates(deed).map_or(vec!["has nobody to send to".to_string()], |said| vec![said])
        }
        (Timer::Lease, _) => {
            vec!["has not heard from a leader for a while and would vote again".to_string()]
        }
        (Timer::Quorum, Role::Leader(_)) => {
            vec!["has heard from a quorum of its followers and leads on".to_string()]
        }
        (Timer::Quorum, _) => {
            let term = before.persistent.term;
            vec![format!(
                "has not heard from a quorum of its followers: it no longer leads term {term}"
            )]
        }
    }
}

/// A server becomes a candidate, and wins at once if its own vote is enough.
fn stands(deed: &Deed<'_, Raft>, after: &State) -> Vec<String> {
    let term = after.persistent.term;
    let mut said = vec![format!("stands for election in term {term}")];
    if after.persistent.voted_for == Some(deed.step.id) {
        said.push("votes for itself".to_string());
    }
    if let Some(asked) = deed.sent_to(|msg| matches!(msg, Message::RequestVote { .. })) {
        said.push(format!("asks {asked} to vote for it"));
    }
    if matches!(after.role, Role::Leader(_)) {
        said.push(format!("leads term {term} at once"));
    }
    said
}

fn hears_of_term(src: Id, before: &State, after: &State) -> Option<String> {
    let (old, new) = (before.persistent.term, after.persistent.term);
    let ended = match before.role {
        Role::Leader(_) if !matches!(after.role, Role::Leader(_)) => " and steps down",
        Role::Candidate { .. } if new > old => " and gives up its candidacy",
        _ => "",
    };
    (new != old).then(|| format!("hears of term {new} from {}{ended}", node_name(src)))
}

fn receives(
    deed: &Deed<'_, Raft>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let (from, own) = (node_name(src), after.persistent.term);
    let refuses = deed.sent_to(|msg| matches!(msg, Message::Refused { .. })).is_some();
    match msg {
        Message::RequestVote { term, .. } if refuses => {
            vec![format!("refuses {from} a vote in term {term}: its own term is {own}")]
        }
        Message::RequestVote { term, .. } => {
            vec![answers_candidate(deed, src, *term, before, after)]
        }
        Message::Vote { term } => vec![counts(deed, src, *term, before, after)],
        Message::PreVote { term, .. } => {
            vec![match deed.sent_to(|msg| matches!(msg, Message::PreVoteGranted { .. })) {
                Some(_) => format!("says that it would vote for {from} in term {term}"),
                None => format!("would not vote for {from} in term {term}"),
            }]
        }
        Message::PreVoteGranted { term } if matches!(after.role, Role::Candidate { .. }) => {
            let mut said = vec![format!("hears that it would win term {term}")];
            said.extend(stands(deed, after));
            said
        }
        Message::PreVoteGranted { term } => {
            vec![format!("hears that {from} would vote for it in term {term}")]
        }
        Message::AppendEntries { term, .. } if refuses => {
            vec![format!("refuses what {from} sends as leader of term {term}: its own is {own}")]
        }
        Message::AppendEntries { .. } => appends(deed, src, msg, before, after),
        Message::Appended { matched: 0, .. } => vec![format!("hears from its follower {from}")],
        Message::Appended { matched, .. } => {
            vec![format!("learns that {from} has its log up to index {matched}")]
        }
        Message::Mismatch { prev, .. } => {
            vec![format!("learns that the log of {from} differs from its own at index {prev}")]
        }
        Message::Refused { term } if own == before.persistent.term => {
            vec![format!("is refused by {from}, which is in term {term}")]
        }
        Message::Refused { .. } => Vec::new(),
    }
}

fn answers_candidate(
    deed: &Deed<'_, Raft>,
    src: Id,
    term: Term,
    before: &State,
    after: &State,
) -> String {
    let from = node_name(src);
    let old = &before.persistent;
    if deed.sent_to(|msg| matches!(msg, Message::Vote { .. })).is_some() {
        let again = if old.term == term && old.voted_for == Some(src) { " once more" } else { "" };
        let twice = match old.voted_for {
            Some(other) if other != src && old.term == term => {
                let other = itself_or_name(deed.step.id, other);
                format!(", although it has voted for {other}")
            }
            _ => String::new(),
        };
        return format!("grants its vote in term {term} to {from}{again}{twice}");
    }
    match after.persistent.voted_for {
        Some(other) if other != src => {
            let other = itself_or_name(deed.step.id, other);
            format!("does not vote for {from} in term {term}: it has voted for {other}")
        }
        _ => format!("does not vote for {from} in term {term}: its own log is more up-to-date"),
    }
}

fn counts(deed: &Deed<'_, Raft>, src: Id, term: Term, before: &State, after: &State) -> String {
    let from = node_name(src);
    match (&before.role, &after.role) {
        (Role::Candidate { votes }, Role::Leader(_)) => {
            let mut votes = votes.clone();
            votes.push(src);
            votes.sort_unstable();
            votes.dedup();
            let told = replicates(deed).map_or(String::new(), |said| format!(" and {said}"));
            format!("has the votes of {}: it leads term {term}{told}", nodes_listed(votes))
        }
        (Role::Candidate { .. }, Role::Candidate { .. }) if before != after => {
            format!("counts the vote of {from} in term {term}")
        }
        _ => format!("has no use for the vote of {from} in term {term}"),
    }
}

/// A server hears from a leader.
fn appends(
    deed: &Deed<'_, Raft>,
    src: Id,
    msg: &Message,
    before: &State,
    after: &State,
) -> Vec<String> {
    let Message::AppendEntries { term, prev, entry, .. } = msg else { return Vec::new() };
    let from = node_name(src);
    let follows =
        |state: &State| matches!(state.role, Role::Follower { leader: Some(l), .. } if l == src);
    let mut said = Vec::new();
    if !follows(before) && follows(after) {
        said.push(format!("follows {from}, the leader of term {term}"));
    }
    let (old, new) = (&before.persistent.log, &after.persistent.log);
    if deed.sent_to(|msg| matches!(msg, Message::Mismatch { .. })).is_some() {
        said.push(format!(
            "tells {from} that its own log has no such entry at index {}",
            prev.index
        ));
    } else if old != new {
        if new.last_index() < old.last_index()
            || new.get(prev.index + 1) != old.get(prev.index + 1) && old.last_index() > prev.index
        {
            said.push(format!("drops what stood in its log after index {}", prev.index));
        }
        if let Some(entry) = entry {
            said.push(format!("appends {entry:?} at index {} of its log", prev.index + 1));
        }
    }
    if said.is_empty() {
        said.push(format!("hears from {from}, the leader of term {term}"));
    }
    said
}

fn commits(before: &State, after: &State) -> Option<String> {
    let (old, new) = (before.commit, after.commit);
    let entry = after.persistent.log.get(new).map(|entry| format!(" ({entry:?})"));
    let entry = entry.unwrap_or_default();
    (new > old).then(|| format!("counts its log up to index {new}{entry} as committed"))
}

/// What a leader sends.
fn replicates(deed: &Deed<'_, Raft>) -> Option<String> {
    let entries = deed.sent_to(|msg| matches!(msg, Message::AppendEntries { entry: Some(_), .. }));
    let beats = deed.sent_to(|msg| matches!(msg, Message::AppendEntries { entry: None, .. }));
    match (entries, beats) {
        (Some(to), Some(others)) => {
            Some(format!("sends entries to {to} and heartbeats to {others}"))
        }
        (Some(to), None) => Some(format!("sends entries to {to}")),
        (None, Some(to)) => Some(format!("sends heartbeats to {to}")),
        (None, None) => None,
    }
}

fn itself_or_name(id: Id, other: Id) -> String {
    if id == other { "itself".to_string() } else { node_name(other) }
}
