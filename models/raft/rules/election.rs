//! Votes and their answers (figure 2, RequestVote RPC; 5.4.1), and which server may become leader
//! and stay it (5.2, 6; thesis 6.2).

use stateright::actor::Id;

use super::super::message::{Message, Position, Timer};
use super::super::state::{Leadership, Role, State};
use super::{Step, Verdict, answers, are_quorum, end, granted, heard, leading};
use super::{own_configuration, wrong};
use crate::election::{Event, NodeSet, Term, node_name};

/// Whether a candidate's log is at least as up-to-date as a server's: the later last term wins,
/// then the longer log.
pub(super) fn is_up_to_date(last: Position, server: &State) -> bool {
    let own = server.persistent.log.last();
    last.term > own.term || last.term == own.term && last.index >= own.index
}

/// The vote of the term in which the server was, if that is still the term.
fn vote_left(before: &State, term: Term) -> Option<Id> {
    before.persistent.voted_for.filter(|_| before.persistent.term == term)
}

/// The answer to a request for a vote, and the vote on disk.
fn answer_to_candidate(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    let (own, term) = (before.persistent.term, after.persistent.term);
    let asked = match heard(step) {
        Some((src, &Message::RequestVote { term, last })) => Some((src, term, last)),
        _ => None,
    };
    let free = |src| vote_left(before, term).is_none_or(|candidate| candidate == src);
    let (vote, answer) = match asked {
        Some((src, of, _)) if of < own => {
            (before.persistent.voted_for, Some((src, Message::Refused { term: own })))
        }
        Some((src, of, last)) if free(src) && is_up_to_date(last, before) => {
            (Some(src), Some((src, Message::Vote { term: of })))
        }
        _ if matches!(after.role, Role::Candidate { .. } | Role::Leader(_)) && term > own => {
            (Some(step.id), None)
        }
        _ => (vote_left(before, term), None),
    };
    if after.persistent.voted_for != vote {
        let to = |vote: Option<Id>| vote.map_or("nobody".to_string(), node_name);
        let (found, right) = (to(after.persistent.voted_for), to(vote));
        let what = format!("holds a vote for {found} in term {term}, where the rule says {right}");
        return wrong(step, &what);
    }
    if asked.is_some() && !step.sends.iter().eq(&answer) {
        return wrong(step, &answers("a request for a vote", step, answer.as_ref()));
    }
    Ok(())
}

/// A vote is sent exactly when it is due, to one candidate in a term.
pub(super) fn one_vote(step: &Step<'_>) -> Verdict {
    answer_to_candidate(step)?;
    for (dst, msg) in step.sends {
        let Message::Vote { term } = *msg else { continue };
        let to = node_name(*dst);
        let (Some((src, Message::RequestVote { term: asked, last })), Some(before)) =
            (heard(step), step.before)
        else {
            return wrong(step, &format!("votes for {to} unasked"));
        };
        if src != *dst || *asked != term {
            return wrong(
                step,
                &format!("votes for {to} in term {term}, and was not asked for that"),
            );
        }
        if !step.storage.is_some_and(|disk| disk.term == term && disk.voted_for == Some(*dst)) {
            return wrong(step, &format!("votes for {to} in term {term}, and has not saved that"));
        }
        let disk = &before.persistent;
        if disk.term > term
            || disk.term == term && disk.voted_for.is_some_and(|candidate| candidate != *dst)
        {
            return wrong(
                step,
                &format!("votes for {to} in term {term}, in which it has no vote to give"),
            );
        }
        let own = disk.log.last();
        if (last.term, last.index) < (own.term, own.index) {
            return wrong(
                step,
                &format!("votes for {to}, whose log ends at {last:?}, and its own at {own:?}"),
            );
        }
    }
    Ok(())
}

/// A new leader has the votes of a majority. With CheckQuorum a leader that stays has the answers
/// of a majority.
pub(super) fn elected_by_quorum(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let term = end.persistent.term;
    let config = own_configuration(step.actor, &before.persistent.log);
    let counted = match &before.role {
        Role::Candidate { votes } if before.persistent.term == term => Some(votes),
        _ => None,
    };
    let voters = granted(step, counted, &Message::Vote { term });
    if let Role::Candidate { votes } = &end.role
        && let Some(stranger) = votes.iter().find(|&&voter| !voters.contains(voter))
    {
        return wrong(
            step,
            &format!("counts a vote of {} in term {term}, and got none", node_name(*stranger)),
        );
    }
    let Role::Leader(now) = &end.role else {
        return Ok(());
    };
    let Some(then) = leading(before).filter(|_| before.persistent.term == term) else {
        if !are_quorum(config, voters) {
            return wrong(step, &format!("leads term {term} with the votes of {voters:?}"));
        }
        if !now.heard.is_empty() {
            return wrong(step, &format!("begins to lead with answers of {:?}", now.heard));
        }
        return Ok(());
    };
    let answers = answered(step, then, term);
    let is_checked = matches!(step.event, Event::Timeout { timer: Timer::Quorum });
    let present = answers.iter().chain([step.id]).collect();
    if is_checked && !are_quorum(config, present) {
        return wrong(step, &format!("leads on in term {term} with answers of {answers:?} only"));
    }
    let is_kept = step.actor.check_quorum && !is_checked;
    let expected = if is_kept { answers } else { NodeSet::default() };
    if now.heard != expected {
        return wrong(
            step,
            &format!("counts answers of {:?}, and got those of {expected:?}", now.heard),
        );
    }
    Ok(())
}

/// The servers that have answered a leader since the quorum was last checked, with the one that
/// answers now.
fn answered(step: &Step<'_>, then: &Leadership, term: Term) -> NodeSet {
    let is_answer = |msg: &Message| match *msg {
        Message::Appended { term: of, .. } | Message::Mismatch { term: of, .. } => of == term,
        _ => false,
    };
    let now = heard(step).filter(|(_, msg)| is_answer(msg)).map(|(src, _)| src);
    then.heard.iter().chain(now).collect()
}
