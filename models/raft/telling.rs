//! What a server did, in Raft's own words, for people who read a run.

mod logs;
mod votes;

use stateright::actor::Id;

use super::Raft;
use logs::{appends, begins_to_lead, carried, commits, completes_quorum, hears_of_log};
use logs::{named, replicates};
use votes::{answers_candidate, counts, no_pre_vote, pre_voted};

use super::message::{Command, Message, Timer};
use super::state::{Role, State};
use crate::election::{Deed, Event, node_name};

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
            said
        }
        Event::Choose { value, .. } => {
            let index = before.persistent.log.last_index() + 1;
            let entry = after.persistent.log.get(index);
            let entry = entry.map(|entry| format!("{entry:?}")).unwrap_or_default();
            let what = match value {
                Command::Value(number) => format!("v{number}"),
                Command::Members(members) => format!("the configuration {members:?}"),
            };
            let mut said =
                vec![format!("gets {what} from a client and appends {entry} at index {index}")];
            said.extend(replicates(deed));
            said.extend(commits(deed, None, before, after));
            said.extend(completes_quorum(deed, after));
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
        let lost = named((kept + 1..=had).filter_map(|index| old.log.get(index)));
        said.push(format!("has lost {lost} from its log{}", deed.found.why()));
    }
    said
}

fn times_out(deed: &Deed<'_, Raft>, timer: Timer, before: &State, after: &State) -> Vec<String> {
    let term = after.persistent.term;
    match (timer, &after.role) {
        (Timer::Election, Role::PreCandidate { .. }) => {
            let asked = deed.sent_to(|msg| matches!(msg, Message::PreVote { .. }));
            let asked = asked.unwrap_or("nobody".to_string());
            let mut said = Vec::from_iter(clears(deed.step.id, before, after));
            said.push(format!("asks {asked} whether it would get votes in term {}", term.0 + 1));
            said
        }
        (Timer::Election, _) => stands(deed, before, after),
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
fn stands(deed: &Deed<'_, Raft>, before: &State, after: &State) -> Vec<String> {
    let (term, log) = (after.persistent.term, &before.persistent.log);
    let with = if log.last_index() == 0 { String::new() } else { format!(" with the log {log:?}") };
    let mut said = vec![format!("stands for election in term {term}{with}")];
    if after.persistent.voted_for == Some(deed.step.id) {
        said.push("votes for itself".to_string());
    }
    if let Some(asked) = deed.sent_to(|msg| matches!(msg, Message::RequestVote { .. })) {
        said.push(format!("asks {asked} to vote for it"));
    }
    if matches!(after.role, Role::Leader(_)) {
        said.push("has a quorum of one, itself".to_string());
        said.extend(begins_to_lead(deed, before, after));
    }
    said
}

fn hears_of_term(src: Id, before: &State, after: &State) -> Option<String> {
    let (old, new) = (before.persistent.term, after.persistent.term);
    let ended = match before.role {
        Role::Leader(_) if !matches!(after.role, Role::Leader(_)) => " and steps down",
        Role::Candidate { .. } if new != old => " and gives up its candidacy",
        _ => "",
    };
    let from = node_name(src);
    match new.cmp(&old) {
        std::cmp::Ordering::Greater => Some(format!("hears of term {new} from {from}{ended}")),
        std::cmp::Ordering::Less => Some(format!(
            "hears of term {new} from {from}, and goes back to it from term {old}{ended}"
        )),
        std::cmp::Ordering::Equal => None,
    }
}

/// That a server clears its vote, although its term is the same.
fn clears(id: Id, before: &State, after: &State) -> Option<String> {
    let (old, new) = (&before.persistent, &after.persistent);
    let candidate = itself_or_name(id, old.voted_for.filter(|_| new.voted_for.is_none())?);
    (old.term == new.term).then(|| format!("clears its vote for {candidate} in term {}", new.term))
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
        Message::RequestVote { term, last } => {
            vec![answers_candidate(deed, src, (*term, *last), before, after)]
        }
        Message::Vote { term } => counts(deed, src, "vote", *term, before, after),
        Message::PreVote { term, last } => {
            vec![match deed.sent_to(|msg| matches!(msg, Message::PreVoteGranted { .. })) {
                Some(_) => format!("tells {from} that it would vote for it in term {term}"),
                None if refuses => {
                    format!("refuses {from} a pre-vote for term {term}: its own term is {own}")
                }
                None => {
                    let why = no_pre_vote(src, *term, *last, before);
                    format!("does not tell {from} that it would vote for it in term {term}: {why}")
                }
            }]
        }
        Message::PreVoteGranted { term } => pre_voted(deed, src, *term, before, after),
        Message::AppendEntries { .. } if refuses => {
            let what = carried(src, msg);
            vec![format!("refuses {what}: its own term is {own}")]
        }
        Message::AppendEntries { .. } => appends(deed, src, msg, before, after),
        Message::Appended { .. } | Message::Mismatch { .. } => {
            hears_of_log(deed, src, msg, before, after)
        }
        Message::Refused { term } if own == before.persistent.term => {
            vec![format!("is refused by {from}, with term {term}")]
        }
        Message::Refused { .. } => Vec::new(),
    }
}

fn itself_or_name(id: Id, other: Id) -> String {
    if id == other { "itself".to_string() } else { node_name(other) }
}
