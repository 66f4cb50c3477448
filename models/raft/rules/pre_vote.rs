//! Neither asking for a pre-vote nor granting it changes anything, and it is granted exactly when
//! it is due (thesis 9.6).

use stateright::actor::Id;

use super::super::message::{Message, Position};
use super::super::state::{Role, State};
use super::election::is_up_to_date;
use super::{Step, Verdict, answers, are_quorum, end, granted, heard};
use super::{own_configuration, wrong};
use crate::election::{Term, node_name};

/// Yes, if a vote in that term would be granted and there is no leader. Otherwise the answer is at
/// most that the receiver has reached the term.
fn answer_to_pre_candidate(server: &State, src: Id, term: Term, last: Position) -> Option<Message> {
    let own = server.persistent.term;
    let has_leader = matches!(server.role, Role::Leader(_) | Role::Follower { lease: true, .. });
    let is_free =
        term > own || term == own && server.persistent.voted_for.is_none_or(|to| to == src);
    if is_free && !has_leader && is_up_to_date(last, server) {
        return Some(Message::PreVoteGranted { term });
    }
    (term <= own).then_some(Message::Refused { term: own })
}

/// A pre-vote changes nothing, and an election needs a quorum of them.
pub(super) fn pre_votes(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    if !step.actor.pre_vote {
        return Ok(());
    }
    let term = Term(before.persistent.term.0 + 1);
    let asks = step.sends.iter().any(|(_, msg)| matches!(msg, Message::PreVote { .. }));
    let counted = match &before.role {
        Role::PreCandidate { votes } => Some(votes),
        _ => None,
    };
    let grants = granted(step, counted, &Message::PreVoteGranted { term });
    let stands =
        matches!(end.role, Role::Candidate { .. } | Role::Leader(_)) && end.persistent.term == term;
    if stands {
        let config = own_configuration(step.actor, &before.persistent.log);
        if !are_quorum(config, grants) {
            return wrong(step, &format!("stands in term {term} with pre-votes of {grants:?}"));
        }
    } else if (asks || matches!(heard(step), Some((_, Message::PreVote { .. }))))
        && end.persistent != before.persistent
    {
        return wrong(step, "changes its term, its vote or its log for a pre-vote");
    }
    if let Role::PreCandidate { votes } = &end.role
        && let Some(stranger) = votes.iter().find(|&&voter| !grants.contains(voter))
    {
        return wrong(
            step,
            &format!("counts a pre-vote of {}, and got none", node_name(*stranger)),
        );
    }
    if let (Some((src, &Message::PreVote { term: asked, last })), Some(_)) =
        (heard(step), step.after)
    {
        let answer = answer_to_pre_candidate(before, src, asked, last).map(|answer| (src, answer));
        if !step.sends.iter().eq(&answer) {
            return wrong(step, &answers("a request for a pre-vote", step, answer.as_ref()));
        }
    }
    for (dst, msg) in step.sends {
        let Message::PreVoteGranted { term: granted } = *msg else { continue };
        let asked = match heard(step) {
            Some((src, Message::PreVote { term, .. })) => src == *dst && *term == granted,
            _ => false,
        };
        let free = before.persistent.voted_for.is_none_or(|candidate| candidate == *dst);
        if !asked || granted < before.persistent.term || granted == before.persistent.term && !free
        {
            return wrong(
                step,
                &format!("grants {} a pre-vote for term {granted}", node_name(*dst)),
            );
        }
    }
    Ok(())
}
