//! The rule of timers: what a node waits for, and how long (PMS 2.4).

use super::super::message::{Message, Timer};
use super::super::state::{Role, State};
use super::super::words::does;
use super::{Step, Verdict, fail};
use crate::election::Event;

/// A leader has only the timer of heartbeats, if there are any; a node that does not lead waits for
/// its leader.
pub(super) fn waits_as_its_role_does(step: &Step<'_>, after: &State) -> Verdict {
    let role = match &after.role {
        Role::Leader { .. } if step.actor.heartbeats => Some(Timer::Heartbeat),
        Role::Leader { .. } => None,
        Role::Follower | Role::Candidate { .. } => Some(Timer::Election),
    };
    let due: Vec<_> = role.into_iter().collect();
    if !step.timers.keys().eq(&due) {
        let running: Vec<_> = step.timers.keys().collect();
        let why = format_args!("{}, and has these timers: {running:?}", does(&after.role));
        return fail(step, why);
    }
    let Some((timer, age)) = step.timers.first_key_value() else { return Ok(()) };
    // From 30 to below 60 ms, and from 10 to below 20 ms. Nodes do not know how long a tick is.
    let unit = |timer: &Timer, first: u16| match timer {
        Timer::Election => u64::from(first) / 3,
        Timer::Heartbeat => u64::from(first),
    };
    let tick = step
        .timers_before
        .first_key_value()
        .map_or_else(|| unit(timer, age.first), |(timer, earlier)| unit(timer, earlier.first));
    let first = match timer {
        Timer::Election => 3 * tick,
        Timer::Heartbeat => tick,
    };
    let hears = |before: &State| match step.event {
        Event::Deliver { msg: Message::Prepare { ballot, .. }, .. } => {
            *ballot > before.durable.promised
        }
        Event::Deliver {
            msg: Message::Accept { ballot, .. } | Message::Heartbeat { ballot, .. },
            ..
        } => *ballot >= before.durable.promised,
        _ => false,
    };
    let is_anew = match step.timers_before.get(timer) {
        None => true,
        Some(_) => matches!(step.event, Event::Timeout { .. }) || step.before.is_some_and(hears),
    };
    let is_right = match step.timers_before.get(timer) {
        Some(earlier) if !is_anew => age == earlier,
        _ => age.is_new(first, (2 * first).saturating_sub(1)),
    };
    if is_right {
        Ok(())
    } else {
        fail(
            step,
            format_args!(
                "has its timer set to {} to {} ticks, {} ticks ago, and should wait anew when it \
                 hears of its leader and at no other time",
                age.first, age.last, age.now
            ),
        )
    }
}
