//! Which node waits, for what, from when on, and how long (T1, T2, T3, T6, C1).

use stateright::actor::Id;

use super::super::about::Variant;
use super::super::message::{Message, Timer};
use super::super::state::{Role, State};
use super::{Step, Verdict, came, delivered, expired, passed, recovers, unless};
use crate::election::{Age, Event, node_name};

/// What happens to a timer in a step.
enum Wait {
    /// It is set for that many ticks.
    Anew(u64),
    /// It runs on if it ran, and does not begin.
    Kept,
    /// It does not run.
    Over,
}

pub(crate) fn timers_of_the_role(step: &Step) -> Verdict {
    let Some(now) = step.after else { return Ok(()) };
    let textbook = step.actor.variant == Variant::Textbook;
    let handed_on = passed(step).filter(|_| textbook);
    let skips = handed_on.map(|(to, message)| Timer::Skip { to, message: message.clone() });
    let known = step.timers_before.keys().chain(step.timers.keys()).cloned();
    for timer in skips.chain(known).chain([Timer::Monitor, Timer::Heartbeat]) {
        let wait = match &timer {
            Timer::Monitor if textbook => wait_for_a_leader(step, now),
            Timer::Monitor => wait_to_begin(step, now),
            Timer::Heartbeat => wait_to_repeat(step, now),
            Timer::Skip { to, message } => wait_for_an_acknowledgement(step, *to, message),
        };
        let before = step.timers_before.get(&timer).filter(|_| expired(step) != Some(&timer));
        let is_right = match (wait, step.timers.get(&timer)) {
            (Wait::Anew(ticks), Some(age)) => is_set(*age, ticks),
            (Wait::Anew(_), None) => false,
            (Wait::Kept, age) => age == before,
            (Wait::Over, age) => age.is_none(),
        };
        let what = match &timer {
            Timer::Monitor => "wait for a leader".to_string(),
            Timer::Heartbeat => "wait for its next announcement".to_string(),
            Timer::Skip { to, .. } => format!("wait for {}'s acknowledgement", node_name(*to)),
        };
        unless(is_right, step, &format!("does not begin or end its {what} as the rule says"))?;
    }
    Ok(())
}

/// Whether a timer has just been set for this many ticks of 10 ms. A scenario's ticks may be
/// shorter.
fn is_set(age: Age, ticks: u64) -> bool {
    let shorter = u64::from(age.last) + 1 - u64::from(age.first);
    age.is_new(shorter * ticks, shorter * (ticks + 1) - 1)
}

/// How long a node waits; a lower node waits longer.
fn patience(step: &Step) -> u64 {
    let above = step.actor.nodes - (usize::from(step.id) + 1);
    step.actor.monitor + if step.actor.staggered { above as u64 } else { 0 }
}

fn is_first_start(step: &Step) -> bool {
    matches!(step.event, Event::Start) && step.incarnation == 0
}

/// Chang and Roberts: once it has begun, a node waits for nothing (C1).
fn wait_to_begin(step: &Step, now: &State) -> Wait {
    match now.role {
        Role::Searching if is_first_start(step) => Wait::Anew(patience(step)),
        Role::Searching => Wait::Kept,
        _ => Wait::Over,
    }
}

/// Textbook: a node that does not lead waits to hear of a leader. The wait begins anew when the
/// node asks (T1), is asked while it does not stand (T3), stands (T4), or hears of a leader (T6).
/// If leaders are not watched, the first of these ends the wait for good.
fn wait_for_a_leader(step: &Step, now: &State) -> Wait {
    if is_first_start(step) {
        return Wait::Anew(patience(step));
    }
    let was = |is: fn(&Role) -> bool| step.before.is_some_and(|before| is(&before.role));
    let asks = recovers(step) || expired(step) == Some(&Timer::Monitor);
    let is_due = match came(step) {
        Some(Message::Election { seen }) if !seen.contains(step.id) => {
            was(|role| matches!(role, Role::Searching | Role::Following(_)))
        }
        Some(Message::Coordinator { leader, seen, .. }) => {
            *leader > step.id && !seen.contains(step.id)
        }
        _ => false,
    };
    let stands = now.role == Role::Elect && !was(|role| *role == Role::Elect);
    match asks || is_due || stands {
        true if step.actor.heartbeat > 0 => Wait::Anew(patience(step)),
        true => Wait::Over,
        false if now.role == Role::Leading => Wait::Over,
        false => Wait::Kept,
    }
}

/// A leader repeats its announcement at equal intervals.
fn wait_to_repeat(step: &Step, now: &State) -> Wait {
    if now.role != Role::Leading
        || step.actor.heartbeat == 0
        || step.actor.variant != Variant::Textbook
    {
        return Wait::Over;
    }
    let led = step.before.is_some_and(|before| before.role == Role::Leading);
    if led && expired(step) != Some(&Timer::Heartbeat) {
        return Wait::Kept;
    }
    Wait::Anew(step.actor.heartbeat)
}

/// An acknowledgement comes in time, or never; it ends the wait for itself alone (T2).
fn wait_for_an_acknowledgement(step: &Step, to: Id, message: &Message) -> Wait {
    if passed(step).any(|sent| sent == (to, message)) {
        return Wait::Anew(step.actor.acknowledgement);
    }
    match delivered(step) {
        Some((src, Message::Ack { of })) if src == to && **of == *message => Wait::Over,
        _ => Wait::Kept,
    }
}
