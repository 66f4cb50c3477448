//! Goals about terms as a logical clock (5.1), and about what a restart finds on disk (figure 2,
//! State).

use super::super::Raft;
use super::super::message::Message;
use super::super::state::State;
use super::{Step, heard, heard_by, leads, refuses, stands, step};
use crate::election::{Event, Goal};

/// The goals, in the order in which they are listed.
pub(super) fn goals() -> Vec<Goal<Raft>> {
    vec![
        step(
            "leader-deposed",
            "a leader meets a request of a later term and follows (5.1)",
            leader_deposed,
        ),
        step(
            "refusal-deposes",
            "a leader is told of a later term by a refusal, and follows (5.1)",
            refusal_deposes,
        ),
        step(
            "refusal-ends-candidacy",
            "a candidate is told of a later term by a refusal (5.1)",
            refusal_ends_candidacy,
        ),
        step(
            "old-candidate-refused",
            "a request for a vote in an earlier term is refused (5.1)",
            old_candidate_refused,
        ),
        step(
            "old-leader-refused",
            "entries or a heartbeat of an earlier term are refused (5.1)",
            old_leader_refused,
        ),
        step(
            "restart-with-vote",
            "a server restarts in a term in which it has voted (figure 2, State)",
            restart_with_vote,
        ),
        step(
            "restart-with-entries",
            "a server restarts with entries in its log (figure 2, State)",
            restart_with_entries,
        ),
        step(
            "torn-after-saving",
            "a server crashes when it has saved and not yet answered",
            torn_after_saving,
        ),
    ]
}

fn leader_deposed(step: &Step<'_>) -> bool {
    let is_request =
        |msg: &Message| matches!(msg, Message::RequestVote { .. } | Message::AppendEntries { .. });
    heard_by(step).is_some_and(|(msg, b, a)| is_request(msg) && leads(b) && !leads(a))
}

fn refusal_deposes(step: &Step<'_>) -> bool {
    heard_by(step)
        .is_some_and(|(msg, b, a)| matches!(msg, Message::Refused { .. }) && leads(b) && !leads(a))
}

fn refusal_ends_candidacy(step: &Step<'_>) -> bool {
    heard_by(step).is_some_and(|(msg, b, a)| {
        matches!(msg, Message::Refused { .. }) && stands(b) && !stands(a)
    })
}

fn old_candidate_refused(step: &Step<'_>) -> bool {
    refuses(step) && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::RequestVote { .. }))
}

fn old_leader_refused(step: &Step<'_>) -> bool {
    refuses(step)
        && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::AppendEntries { .. }))
}

fn restart_with_vote(step: &Step<'_>) -> bool {
    step.incarnation > 0
        && matches!(step.event, Event::Start)
        && step.storage.is_some_and(|disk| disk.voted_for.is_some())
}

fn restart_with_entries(step: &Step<'_>) -> bool {
    step.incarnation > 0
        && matches!(step.event, Event::Start)
        && step.storage.is_some_and(|disk| disk.log.last_index() > 0)
}

fn torn_after_saving(step: &Step<'_>) -> bool {
    let saved = |server: &State| step.storage.is_some_and(|disk| *disk == server.persistent);
    step.sends.is_empty()
        && step.cut_short.is_some_and(saved)
        && step.before.is_some_and(|server| !saved(server))
}
