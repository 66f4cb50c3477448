//! Which replica waits, for what, and from when on (§4.1 to §4.3).

use super::super::message::{Message, Timer};
use super::super::state::{State, Status};
use super::{Step, Verdict};
use crate::election::{Age, Event, node_name};

/// Each replica has the one timer of its role. It is set when the role begins, when the timer ends,
/// and at a backup with each message of its view's primary that moves it forward.
pub(crate) fn timers_of_the_role(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let is_primary = after.view % step.actor.replicas as u64 == usize::from(step.id) as u64;
    // In units of 10 ms: the shortest wait, and the width of the range of waits (the end excluded).
    let due = match &after.status {
        Status::Normal { .. } if is_primary => {
            step.actor.heartbeats.then_some((Timer::Heartbeat, 1, 1))
        }
        Status::Normal { .. } | Status::ViewChange { .. } => Some((Timer::ViewChange, 3, 3)),
        Status::Recovering { .. } => Some((Timer::Recovery, 2, 2)),
    };
    let joins =
        |before: &State| after.view > before.view || after.is_normal() && !before.is_normal();
    let is_backup = after.is_normal() && !is_primary;
    let is_brought_on = |before: &State| match &step.event {
        Event::Deliver { msg: Message::Commit { view, .. }, .. } => {
            is_backup && *view == before.view
        }
        _ => is_backup && after.log.len() > before.log.len(),
    };
    let is_anew = matches!(step.event, Event::Start | Event::Timeout { .. })
        || step.before.is_some_and(|before| joins(before) || is_brought_on(before));
    let is_right = match &due {
        None => step.timers.is_empty(),
        Some((timer, from, to)) if is_anew => {
            step.timers.len() == 1
                && step.timers.get(timer).is_some_and(|age| is_set(*age, *from, *to))
        }
        Some(_) => step.timers == step.timers_before,
    };
    is_right.then_some(()).ok_or_else(|| is_wrong(step, due.map(|(timer, ..)| timer)))
}

/// What is wrong with the timers: which one is missing, or which one should not be as it is.
fn is_wrong(step: &Step<'_>, due: Option<Timer>) -> String {
    let name = node_name(step.id);
    let purpose = |timer: &Timer| match timer {
        Timer::Heartbeat => "that makes it send its next heartbeat",
        Timer::ViewChange => "that makes it start the next view change",
        Timer::Recovery => "that makes it ask again",
    };
    let status = match step.after.map(|after| &after.status) {
        Some(Status::Recovering { .. }) => "is recovering and waits for answers",
        Some(Status::ViewChange { .. }) => "has started a view change and waits for its end",
        _ => "has status normal",
    };
    match due {
        Some(timer) if !step.timers.contains_key(&timer) => {
            format!("{name} {status}, but it has no timer {}", purpose(&timer))
        }
        _ => match step.timers.keys().find(|timer| due.as_ref() != Some(*timer)) {
            Some(timer) => {
                format!("{name} {status}, but it still has a timer {}", purpose(timer))
            }
            None => format!("{name} {status}, but its timer was not set when the rule says"),
        },
    }
}

/// Whether a timer has just been set to end `from` units after now and less than `spread` later. A
/// tick may be shorter than the unit.
fn is_set(age: Age, from: u64, spread: u64) -> bool {
    let per_unit = (u64::from(age.last) + 1 - u64::from(age.first)) / spread;
    age.is_new(per_unit * from, (per_unit * (from + spread)).saturating_sub(1))
}
