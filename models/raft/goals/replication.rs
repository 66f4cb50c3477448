//! Goals about requests, entries and the consistency check (5.3; figure 2, AppendEntries RPC).

use super::super::Raft;
use super::super::message::{Message, Timer};
use super::super::state::State;
use super::{Step, Taken, both, fires, follower_appends, heard, leading, sends, step, taken};
use crate::election::{Event, Goal};

/// The goals, in the order in which they are listed.
pub(super) fn goals() -> Vec<Goal<Raft>> {
    vec![
        step("request-is-sent", "a leader sends at once what a client asks (5.3)", request_is_sent),
        step("second-request", "a leader takes a second request (5.3)", second_request),
        step("follower-appends", "a follower appends an entry (5.3)", follower_appends),
        step(
            "next-entry-follows",
            "an acknowledgement is answered with the next entry (5.3)",
            next_entry_follows,
        ),
        step(
            "heartbeat-brings-entry",
            "a heartbeat brings an entry again (5.3)",
            heartbeat_brings_entry,
        ),
        step(
            "entry-is-there",
            "an entry comes again, or late, and changes nothing (figure 2)",
            entry_is_there,
        ),
        step("check-fails", "a follower does not have the previous entry (5.3)", check_fails),
        step("next-index-falls", "a failed check moves nextIndex back (5.3)", next_index_falls),
        step("conflict-replaced", "a conflicting entry is replaced (5.3)", |step| {
            conflict(step) > 0
        }),
        step(
            "conflict-removes-two",
            "a conflicting entry goes, with one that follows it (5.3)",
            |step| conflict(step) > 1,
        ),
    ]
}

fn request_is_sent(step: &Step<'_>) -> bool {
    matches!(step.event, Event::Choose { .. }) && brings_entry(step)
}

fn second_request(step: &Step<'_>) -> bool {
    let is_second = |server: &State| server.persistent.log.last().term == server.persistent.term;
    matches!(step.event, Event::Choose { .. }) && step.before.is_some_and(is_second)
}

fn brings_entry(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::AppendEntries { entry: Some(_), .. }))
}

fn next_entry_follows(step: &Step<'_>) -> bool {
    brings_entry(step)
        && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::Appended { .. }))
}

fn heartbeat_brings_entry(step: &Step<'_>) -> bool {
    fires(step, Timer::Heartbeat) && brings_entry(step)
}

fn entry_is_there(step: &Step<'_>) -> bool {
    taken(step).is_some_and(|Taken { prev, entry, before, after, .. }| {
        let is_old = entry.map_or(prev, |_| prev + 1) < before.persistent.log.last_index();
        is_old
            && before.persistent.log == after.persistent.log
            && sends(step, |msg| matches!(msg, Message::Appended { .. }))
    })
}

fn check_fails(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::Mismatch { .. }))
}

fn next_index_falls(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let (Some(then), Some(now)) = (leading(before), leading(after)) else { return false };
    then.progress.iter().zip(&now.progress).any(|(then, now)| now.next < then.next)
}

/// How many of the server's entries were deleted in favour of the leader's.
fn conflict(step: &Step<'_>) -> usize {
    taken(step).map_or(0, |Taken { prev, entry, before, after, .. }| {
        let own = before
            .persistent
            .log
            .get(prev + 1)
            .filter(|own| entry.is_some_and(|entry| entry != *own));
        let is_gone = own.is_some() && after.persistent.log.get(prev + 1) == entry;
        if is_gone { before.persistent.log.last_index() - prev } else { 0 }
    })
}
