//! Goals about elections: candidates, voters, new leaders (5.2, 5.4.1).

use std::collections::BTreeMap;

use super::super::Raft;
use super::super::message::{Message, Timer};
use super::super::state::{Role, State};
use super::super::witness::Witness;
use super::{
    Step, both, fires, follows, grants_vote, heard, heard_by, leads, past, sends, stands, step,
};
use crate::election::{Goal, Reign, Term};

/// The goals, in the order in which they are listed.
pub(super) fn goals() -> Vec<Goal<Raft>> {
    vec![
        step(
            "bare-majority",
            "a candidate wins with just enough votes, its own included (5.2)",
            bare_majority,
        ),
        step("leader-announces", "a new leader sends heartbeats at once (5.2)", announces),
        step(
            "stood-before",
            "a server that stood in its term, and is now a follower without a leader, times out \
             (5.2)",
            stood_before,
        ),
        step(
            "votes-again",
            "the candidate that has a server's vote asks for it again, and is sent it again",
            votes_again,
        ),
        past("second-leader", "a leader is elected in a second term (5.2)", |led, _| led.len() > 1),
        past("leads-again", "a server that has led a term leads another one (5.2)", leads_again),
        step(
            "stands-again",
            "a candidate times out and stands in the next term (5.2)",
            stands_again,
        ),
        step(
            "candidate-follows",
            "a candidate hears from the leader of its term and follows (5.2)",
            candidate_follows,
        ),
        step(
            "vote-denied",
            "a server has voted for another in the term, and votes no more (5.2)",
            vote_denied,
        ),
        step(
            "vote-denied-to-old-log",
            "a candidate's log is behind the server's (5.4.1)",
            vote_denied_to_old_log,
        ),
        step(
            "later-term-wins",
            "a later last term wins against a longer log (5.4.1)",
            shorter_log_wins,
        ),
    ]
}

fn bare_majority(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let Role::Candidate { votes } = &before.role else { return false };
    leads(after) && votes.contains(&step.id) && votes.len() == step.actor.nodes / 2
}

fn announces(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(before, after)| !leads(before) && leads(after))
        && sends(step, |msg| matches!(msg, Message::AppendEntries { .. }))
}

fn stood_before(step: &Step<'_>) -> bool {
    let stood = |server: &State| {
        matches!(server.role, Role::Follower { leader: None, .. })
            && server.persistent.voted_for == Some(step.id)
    };
    step.before.is_some_and(stood) && fires(step, Timer::Election)
}

fn votes_again(step: &Step<'_>) -> bool {
    let Some((src, &Message::RequestVote { term, .. })) = heard(step) else { return false };
    let voted =
        |server: &State| server.persistent.term == term && server.persistent.voted_for == Some(src);
    grants_vote(step) && step.before.is_some_and(voted)
}

fn leads_again(led: &BTreeMap<Term, Reign>, _: &Witness) -> bool {
    let terms_of = |reign: &Reign| led.values().filter(|other| other.node == reign.node).count();
    led.values().any(|reign| terms_of(reign) > 1)
}

fn stands_again(step: &Step<'_>) -> bool {
    let again = |(before, after): (&State, &State)| {
        stands(before) && after.persistent.term > before.persistent.term
    };
    both(step).is_some_and(again) && fires(step, Timer::Election)
}

fn candidate_follows(step: &Step<'_>) -> bool {
    both(step)
        .is_some_and(|(b, a)| stands(b) && follows(a) && a.persistent.term == b.persistent.term)
}

fn vote_denied(step: &Step<'_>) -> bool {
    let Some((src, &Message::RequestVote { term, .. })) = heard(step) else { return false };
    let gone = |server: &State| {
        server.persistent.term == term && server.persistent.voted_for.is_some_and(|to| to != src)
    };
    !grants_vote(step) && step.before.is_some_and(gone)
}

fn vote_denied_to_old_log(step: &Step<'_>) -> bool {
    let Some((Message::RequestVote { term, last }, before, _)) = heard_by(step) else {
        return false;
    };
    let own = before.persistent.log.last();
    !grants_vote(step)
        && *term >= before.persistent.term
        && (last.term, last.index) < (own.term, own.index)
}

fn shorter_log_wins(step: &Step<'_>) -> bool {
    let Some((Message::RequestVote { last, .. }, before, _)) = heard_by(step) else { return false };
    grants_vote(step)
        && last.term > before.persistent.log.last().term
        && last.index <= before.persistent.log.last_index()
        && before.persistent.log.last_index() > 0
}
