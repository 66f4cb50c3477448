//! What a server did, in Raft's own words, for people who read a run.

use stateright::actor::Id;

use super::Raft;
use super::message::{Command, Entry, Message, Position, Timer};
use super::state::{Role, State};
use crate::election::{Deed, Event, NodeSet, Term, listed, node_name, nodes_listed};

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
            said.extend(commits(deed, before, after));
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
        Role::Candidate { .. } if new != old => " and gives up its candidacy",
        _ => "",
    };
    let from = node_name(src);
    match new.cmp(&old) {
        std::cmp::Ordering::Greater => Some(format!("hears of term {new} from {from}{ended}")),
        std::cmp::Ordering::Less => Some(format!(
            "goes back from term {old} to term {new}, of which it hears from {from}{ended}"
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
                    let why = no_pre_vote(*term, *last, before);
                    format!("does not tell {from} that it would vote for it in term {term}: {why}")
                }
            }]
        }
        Message::PreVoteGranted { term } => pre_voted(deed, src, *term, before, after),
        Message::AppendEntries { term, .. } if refuses => {
            let what = carried(msg);
            vec![format!("refuses {what} of {from}, leader of term {term}: its own term is {own}")]
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

/// A request for a vote that is not refused for its term.
fn answers_candidate(
    deed: &Deed<'_, Raft>,
    src: Id,
    (term, last): (Term, Position),
    before: &State,
    after: &State,
) -> String {
    let from = node_name(src);
    let (old, new) = (&before.persistent, &after.persistent);
    let own = new.log.last();
    let is_behind = (last.term, last.index) < (own.term, own.index);
    let had = old.voted_for.filter(|_| old.term == term);
    let votes = deed.sent_to(|msg| matches!(msg, Message::Vote { .. })).is_some();
    if votes || new.voted_for == Some(src) && had != Some(src) {
        let again = if had == Some(src) { " once more" } else { "" };
        let although = match had {
            Some(other) if other != src => {
                let other = itself_or_name(deed.step.id, other);
                format!(", although it has voted for {other}")
            }
            _ if is_behind => ", although its own log is more up-to-date".to_string(),
            _ => String::new(),
        };
        return format!("grants its vote in term {term} to {from}{again}{although}");
    }
    let why = match (new.voted_for, &before.role) {
        _ if term < new.term => format!("its own term is {}", new.term),
        (_, Role::Leader(_)) if deed.step.actor.sticky => "it leads".to_string(),
        (_, Role::Follower { lease: true, .. }) if deed.step.actor.sticky => {
            "it has just heard from a leader".to_string()
        }
        (Some(other), _) if other != src => {
            format!("it has voted for {}", itself_or_name(deed.step.id, other))
        }
        _ if is_behind => "its own log is more up-to-date".to_string(),
        _ => "its own log is longer".to_string(),
    };
    format!("does not vote for {from} in term {term}: {why}")
}

/// Why a server does not answer a request for a pre-vote.
fn no_pre_vote(term: Term, last: Position, server: &State) -> String {
    let (own, end) = (server.persistent.term, server.persistent.log.last());
    match &server.role {
        _ if term <= own => format!("its own term is {own}"),
        _ if (last.term, last.index) < (end.term, end.index) => {
            "its own log is more up-to-date".to_string()
        }
        Role::Leader(_) => format!("it leads term {own}"),
        Role::Follower { lease: true, .. } => "it has just heard from a leader".to_string(),
        _ => "its own log is longer".to_string(),
    }
}

/// An answer to a request for a pre-vote.
fn pre_voted(
    deed: &Deed<'_, Raft>,
    src: Id,
    term: Term,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    match (&before.role, &after.role) {
        (Role::Candidate { .. }, _) if before != after => {
            counts(deed, src, "pre-vote", term, before, after)
        }
        (Role::PreCandidate { votes }, role) if before != after => {
            let got = voters(deed, votes, src, after);
            let mut said =
                vec![format!("gets {from}'s pre-vote for term {term} and has those of {got}")];
            if !matches!(role, Role::PreCandidate { .. }) {
                said.extend(stands(deed, after));
            }
            said
        }
        _ => vec![format!("has no use for the pre-vote of {from} for term {term}")],
    }
}

/// Those whose votes a server has, with that of one more; and that they are a quorum.
fn voters(deed: &Deed<'_, Raft>, votes: &[Id], one_more: Id, after: &State) -> String {
    let have: NodeSet = votes.iter().copied().chain([one_more]).collect();
    let others = have.iter().filter(|&id| id != deed.step.id).map(node_name);
    let own = have.contains(deed.step.id).then(|| "itself".to_string());
    let names: Vec<String> = others.chain(own).collect();
    let members = deed.step.actor.members(&after.persistent.log);
    let is_quorum = members.are_carried_by(&Vec::from_iter(have.iter()), None);
    format!("{}{}", listed(&names), if is_quorum { ", a quorum" } else { "" })
}

/// A vote, or what a planted bug takes for one.
fn counts(
    deed: &Deed<'_, Raft>,
    src: Id,
    what: &str,
    term: Term,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    let Role::Candidate { votes } = &before.role else {
        return vec![format!("has no use for the {what} of {from} in term {term}")];
    };
    if before == after {
        return vec![format!("has no use for the {what} of {from} in term {term}")];
    }
    let again = if votes.contains(&src) { " once more, counts it again" } else { "" };
    let got = voters(deed, votes, src, after);
    let gets = format!("gets {from}'s {what} in term {term}{again}");
    match after.role {
        Role::Leader(_) => {
            let told = replicates(deed).map_or(String::new(), |said| format!(" and {said}"));
            vec![format!("{gets} and has the votes of {got}: it leads term {term}{told}")]
        }
        _ => vec![format!("{gets} and has the votes of {got}")],
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
    let (from, what) = (node_name(src), carried(msg));
    let (old, new) = (&before.persistent.log, &after.persistent.log);
    let own = after.persistent.term;
    if *term < own && before == after && deed.step.sends.is_empty() {
        return vec![format!("gets {what} of {from}, leader of term {term}, and does not answer")];
    }
    let follows =
        |state: &State| matches!(state.role, Role::Follower { leader: Some(l), .. } if l == src);
    let is_over = if *term < own { format!(", while it is in term {own}") } else { String::new() };
    let mut said = vec![match (&before.role, &after.role) {
        (_, Role::Leader(_)) => {
            format!(
                "gets {what} of {from}, leader of term {term}, while it leads term {own} itself"
            )
        }
        (Role::Candidate { .. } | Role::PreCandidate { .. }, _)
            if before.persistent.term == own =>
        {
            format!("gets {what} of {from}, leader of term {term}{is_over}, and stands no longer")
        }
        _ => format!("gets {what} of {from}, leader of term {term}{is_over}"),
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
            Some(format!("acknowledges its log up to index {matched} to {from}"))
        }
        _ => None,
    }));
    said.extend(commits(deed, before, after));
    said
}

/// What a leader's message carries.
fn carried(msg: &Message) -> String {
    match msg {
        Message::AppendEntries { entry: Some(entry), .. } => format!("the entry {entry:?}"),
        _ => "a heartbeat".to_string(),
    }
}

/// A leader hears how a follower's log compares with its own.
fn hears_of_log(
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
        Message::Appended { matched, .. } => {
            format!("hears that {from} acknowledges its log up to index {matched}")
        }
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
    said.extend(commits(deed, before, after));
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

fn commits(deed: &Deed<'_, Raft>, before: &State, after: &State) -> Option<String> {
    let (old, new) = (before.commit, after.commit);
    let entry = after.persistent.log.get(new).map(|entry| format!(" ({entry:?})"));
    let entry = entry.unwrap_or_default();
    let by = match &after.role {
        Role::Leader(leading) => {
            let has = |id: &Id| leading.progress[usize::from(*id)].matched >= new;
            let others: Vec<Id> = NodeSet::first(deed.nodes).iter().filter(has).collect();
            if others.is_empty() {
                String::new()
            } else {
                format!(", as {} acknowledged it", has_or_have(&others))
            }
        }
        _ => String::new(),
    };
    (new > old).then(|| format!("counts its log up to index {new}{entry} as committed{by}"))
}

fn has_or_have(nodes: &[Id]) -> String {
    let verb = if nodes.len() == 1 { "has" } else { "have" };
    format!("{} {verb}", nodes_listed(nodes.iter().copied()))
}

/// What a leader sends.
fn replicates(deed: &Deed<'_, Raft>) -> Option<String> {
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

fn named(entries: impl Iterator<Item = Entry>) -> String {
    listed(&entries.map(|entry| format!("{entry:?}")).collect::<Vec<_>>())
}

fn itself_or_name(id: Id, other: Id) -> String {
    if id == other { "itself".to_string() } else { node_name(other) }
}
