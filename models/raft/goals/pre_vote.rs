//! Goals about PreVote and its lease (thesis 9.6), candidates that are disregarded (thesis 4.2.3),
//! and CheckQuorum (thesis 6.2).

use super::super::Raft;
use super::super::message::{Message, Timer};
use super::super::state::{Role, State};
use super::{Step, both, fires, follows, heard, heard_by, leading, leads, refuses, sends, step};
use crate::election::Goal;

/// The goals, in the order in which they are listed.
pub(super) fn goals() -> Vec<Goal<Raft>> {
    vec![
        step("asks-again", "a pre-candidate times out and asks again (thesis 9.6)", asks_again),
        step(
            "pre-vote-wins",
            "a quorum of pre-votes lets a server stand (thesis 9.6)",
            pre_vote_wins,
        ),
        step(
            "pre-vote-of-voter",
            "a server that has voted in its term grants a pre-vote for the next",
            pre_vote_of_voter,
        ),
        step(
            "pre-vote-denied-by-lease",
            "a follower denies a pre-vote since it has lately heard from a leader (thesis 9.6)",
            denied_by_lease,
        ),
        step(
            "pre-vote-denied-to-old-log",
            "a pre-vote is denied to a log that is behind (thesis 9.6)",
            denied_to_old_log,
        ),
        step(
            "pre-vote-denied-by-leader",
            "a leader denies a pre-vote (thesis 9.6)",
            denied_by_leader,
        ),
        step(
            "pre-vote-refused",
            "a server refuses a pre-vote for a term that it has reached, and tells its own term",
            pre_vote_refused,
        ),
        step(
            "pre-candidate-follows",
            "a pre-candidate hears from the leader of its term",
            pre_candidate_follows,
        ),
        step(
            "lease-ends",
            "a follower has heard from no leader for the minimum election timeout (thesis 9.6)",
            lease_ends,
        ),
        step(
            "candidate-disregarded",
            "a follower disregards a request for a vote in a higher term, since there is a leader \
             (thesis 4.2.3)",
            disregarded_by_follower,
        ),
        step(
            "leader-disregards",
            "a leader disregards a request for a vote in a higher term (thesis 4.2.3)",
            disregarded_by_leader,
        ),
        step(
            "leader-without-quorum",
            "a leader steps down since no quorum answers (thesis 6.2)",
            without_quorum,
        ),
        step(
            "leader-with-quorum",
            "a leader and the servers that answer it are just a quorum, and it leads on (thesis \
             6.2)",
            with_quorum,
        ),
    ]
}

fn asks(server: &State) -> bool {
    matches!(server.role, Role::PreCandidate { .. })
}

fn asks_again(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(before, after)| asks(before) && asks(after))
        && fires(step, Timer::Election)
}

fn pre_vote_wins(step: &Step<'_>) -> bool {
    heard_by(step).is_some_and(|(msg, b, a)| {
        let Role::PreCandidate { votes } = &b.role else { return false };
        let is_grant = matches!(msg, Message::PreVoteGranted { .. });
        is_grant && votes.contains(&step.id) && a.persistent.term > b.persistent.term
    })
}

fn grants(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::PreVoteGranted { .. }))
}

fn pre_vote_of_voter(step: &Step<'_>) -> bool {
    let Some((Message::PreVote { term, .. }, before, _)) = heard_by(step) else { return false };
    grants(step) && *term > before.persistent.term && before.persistent.voted_for.is_some()
}

/// Whether a pre-vote for a later term, of a log as long, is denied.
fn denies(step: &Step<'_>) -> bool {
    let Some((Message::PreVote { term, last }, before, _)) = heard_by(step) else { return false };
    !grants(step) && *term > before.persistent.term && *last == before.persistent.log.last()
}

fn denied_by_lease(step: &Step<'_>) -> bool {
    let has_lease = |server: &State| matches!(server.role, Role::Follower { lease: true, .. });
    denies(step) && step.before.is_some_and(has_lease)
}

fn disregarded_by_follower(step: &Step<'_>) -> bool {
    is_disregarded(step, |role| matches!(role, Role::Follower { .. }))
}

fn disregarded_by_leader(step: &Step<'_>) -> bool {
    is_disregarded(step, |role| matches!(role, Role::Leader(_)))
}

fn is_disregarded(step: &Step<'_>, is_in: impl Fn(&Role) -> bool) -> bool {
    let Some((Message::RequestVote { term, .. }, before, after)) = heard_by(step) else {
        return false;
    };
    let own = before.persistent.term;
    *term > own && is_in(&before.role) && after.persistent.term == own
}

fn denied_to_old_log(step: &Step<'_>) -> bool {
    let Some((Message::PreVote { term, last }, before, _)) = heard_by(step) else { return false };
    let own = before.persistent.log.last();
    let is_free = matches!(before.role, Role::Follower { lease: false, .. });
    !grants(step)
        && *term > before.persistent.term
        && is_free
        && (last.term, last.index) < (own.term, own.index)
}

fn denied_by_leader(step: &Step<'_>) -> bool {
    denies(step) && step.before.is_some_and(leads)
}

fn pre_vote_refused(step: &Step<'_>) -> bool {
    refuses(step) && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::PreVote { .. }))
}

fn pre_candidate_follows(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, a)| asks(b) && follows(a) && a.persistent.term == b.persistent.term)
}

fn lease_ends(step: &Step<'_>) -> bool {
    let ended = |server: &State| matches!(server.role, Role::Follower { lease: false, .. });
    fires(step, Timer::Lease) && step.after.is_some_and(ended)
}

fn without_quorum(step: &Step<'_>) -> bool {
    fires(step, Timer::Quorum) && step.after.is_some_and(|server| !leads(server))
}

fn with_quorum(step: &Step<'_>) -> bool {
    let few =
        |server: &State| leading(server).is_some_and(|led| led.heard.len() * 2 < step.actor.nodes);
    fires(step, Timer::Quorum) && step.before.is_some_and(few) && step.after.is_some_and(leads)
}
