//! Votes and pre-votes in Raft's own words: why they are given or not, and who has those of a
//! quorum.

use stateright::actor::Id;

use super::super::Raft;
use super::super::message::{Message, Position};
use super::super::state::{Role, State};
use super::logs::begins_to_lead;
use super::{itself_or_name, stands};
use crate::election::{Deed, NodeSet, Term, listed, node_name};

/// A request for a vote that is not refused for its term.
pub(super) fn answers_candidate(
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
    let logs = compared(src, last, own);
    let had = old.voted_for.filter(|_| old.term == term);
    let votes = deed.sent_to(|msg| matches!(msg, Message::Vote { .. })).is_some();
    if votes || new.voted_for == Some(src) && had != Some(src) {
        let again = if had == Some(src) { " once more" } else { "" };
        let although = match had {
            Some(other) if other != src => {
                let other = itself_or_name(deed.step.id, other);
                format!(", although it has voted for {other}")
            }
            _ if is_behind => format!(", although {logs}"),
            _ if logs.is_empty() => String::new(),
            _ => format!(": {logs}"),
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
        _ => logs,
    };
    format!("does not vote for {from} in term {term}: {why}")
}

/// How the log of which a request tells compares with the server's own: first by the terms of the
/// last entries, then by length. The sender's log may have changed since. Nothing if both are
/// empty.
fn compared(src: Id, told: Position, own: Position) -> String {
    let from = node_name(src);
    match (told.index, own.index) {
        (0, 0) => String::new(),
        (_, 0) => "its own log is empty".to_string(),
        (0, _) => {
            format!("{from}'s request tells of an empty log, and its own log is not empty")
        }
        _ if told.term != own.term => format!(
            "{from}'s request names a last entry of term {}, and its own last entry is of term {}",
            told.term, own.term
        ),
        _ => format!(
            "both logs end with an entry of term {}, and that of {from}'s request has {}, its own \
             {}",
            own.term,
            entries(told.index),
            own.index
        ),
    }
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_string() } else { format!("{count} entries") }
}

/// Why a server does not answer a request for a pre-vote.
pub(super) fn no_pre_vote(src: Id, term: Term, last: Position, server: &State) -> String {
    let (own, end) = (server.persistent.term, server.persistent.log.last());
    match &server.role {
        _ if term <= own => format!("its own term is {own}"),
        _ if (last.term, last.index) < (end.term, end.index) => compared(src, last, end),
        Role::Leader(_) => format!("it leads term {own}"),
        Role::Follower { lease: true, .. } => "it has just heard from a leader".to_string(),
        _ => compared(src, last, end),
    }
}

/// An answer to a request for a pre-vote.
pub(super) fn pre_voted(
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
                said.extend(stands(deed, before, after));
            }
            said
        }
        _ => vec![format!("has no use for the pre-vote of {from} for term {term}")],
    }
}

/// Those whose votes a server has, with that of one more; and that they are a quorum.
fn voters(deed: &Deed<'_, Raft>, votes: &[Id], one_more: Id, after: &State) -> String {
    servers(deed, votes.iter().copied().chain([one_more]).collect(), after)
}

/// Servers by name, the server itself last; and that they are a quorum.
pub(super) fn servers(deed: &Deed<'_, Raft>, have: NodeSet, after: &State) -> String {
    let others = have.iter().filter(|&id| id != deed.step.id).map(node_name);
    let own = have.contains(deed.step.id).then(|| "itself".to_string());
    let names: Vec<String> = others.chain(own).collect();
    let members = deed.step.actor.members(&after.persistent.log);
    let is_quorum = members.are_carried_by(&Vec::from_iter(have.iter()), None);
    format!("{}{}", listed(&names), if is_quorum { ", a quorum" } else { "" })
}

/// A vote, or what a planted bug takes for one.
pub(super) fn counts(
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
            let mut said = begins_to_lead(deed, before, after);
            said[0] = format!("{gets} and has the votes of {got}: it {}", said[0]);
            said
        }
        _ => vec![format!("{gets} and has the votes of {got}")],
    }
}
