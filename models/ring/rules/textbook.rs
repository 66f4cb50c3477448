//! The textbooks' rules, T1 to T8.

use super::super::message::{Attempt, Message, Timer};
use super::super::state::{Role, State};
use super::{
    Step, Verdict, after, came, delivered, expired, one, passed, passes, passes_nothing, plus,
    recovers, states, unless,
};
use crate::election::Event;

pub(crate) fn silence_calls_an_election(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let begun = Message::Election { seen: one(step.id) };
    let begins = recovers(step) || expired(step) == Some(&Timer::Monitor);
    if begins {
        let searches = after.role == Role::Searching;
        return unless(
            searches && passes(step, &begun),
            step,
            "misses a leader and calls no election",
        );
    }
    if matches!(step.event, Event::Start) {
        return unless(step.sends.is_empty(), step, "speaks at its first start");
    }
    // An election that contains no node yet has not come round.
    let hands_on = matches!(expired(step), Some(Timer::Skip { message, .. }) if *message == begun);
    let calls = passed(step).any(|(_, msg)| *msg == begun);
    unless(!calls || hands_on, step, "calls an election without a reason")
}

pub(crate) fn acknowledged_last(step: &Step) -> Verdict {
    let acks = step.sends.iter().filter(|(_, msg)| matches!(msg, Message::Ack { .. })).count();
    match delivered(step) {
        Some((_, Message::Ack { .. })) => {
            let is_unmoved =
                step.after.is_none() || step.after == step.before && step.sends.is_empty();
            unless(is_unmoved, step, "does more than take note of an acknowledgement")
        }
        Some(_) if step.after.is_none() => Ok(()),
        Some((src, msg)) => {
            let ack = Message::Ack { of: Box::new(msg.clone()) };
            let is_last = step.sends.last() == Some(&(src, ack));
            unless(acks == 1 && is_last, step, "does not acknowledge last, once")
        }
        None => unless(acks == 0, step, "acknowledges what did not come"),
    }
}

pub(crate) fn skips_only_the_dead(step: &Step) -> Verdict {
    let Some(Timer::Skip { to, message }) = expired(step) else {
        let strays = passed(step).any(|(dst, _)| dst != after(step, step.id));
        return unless(!strays, step, "passes over its successor, which may be alive");
    };
    if after(step, *to) == step.id || step.after.is_none() {
        return Ok(());
    }
    let same = passed(step).eq([(after(step, *to), message)]) && step.after == step.before;
    unless(same, step, "does not hand the message on, past the dead node")
}

pub(crate) fn elections_collect(step: &Step) -> Verdict {
    let (Some((before, now)), Some(Message::Election { seen })) = (states(step), came(step)) else {
        return Ok(());
    };
    if !seen.contains(step.id) {
        let added = Message::Election { seen: plus(*seen, step.id) };
        return unless(
            passes(step, &added) && now == before,
            step,
            "does not add itself, and pass the election on",
        );
    }
    let highest = seen.iter().last().unwrap_or(step.id);
    if highest == step.id {
        return unless(is_told(step, before, now), step, "has won and does not stand");
    }
    let winner = Message::Winner { leader: highest, seen: one(step.id) };
    unless(passes(step, &winner) && now == before, step, "does not name the highest collected")
}

/// What a node does when it is told that it has won.
fn is_told(step: &Step, before: &State, now: &State) -> bool {
    if matches!(before.role, Role::Elect | Role::Leading) {
        return now == before && passes_nothing(step);
    }
    let attempt = Attempt { count: before.attempt.count + 1, ..before.attempt };
    let announcement = Message::Coordinator { leader: step.id, attempt, seen: one(step.id) };
    now.role == Role::Elect && now.attempt == attempt && passes(step, &announcement)
}

pub(crate) fn the_winner_stands(step: &Step) -> Verdict {
    let Some(now) = step.after else { return Ok(()) };
    let Some(before) = step.before else {
        let fresh = Attempt { start: step.incarnation, count: 0 };
        return unless(now.attempt == fresh, step, "starts with attempts of before");
    };
    match came(step) {
        Some(Message::Winner { leader, .. }) if *leader == step.id => {
            unless(is_told(step, before, now), step, "is told that it has won and does not stand")
        }
        Some(Message::Winner { leader, seen }) if *leader > step.id && !seen.contains(step.id) => {
            let told = Message::Winner { leader: *leader, seen: plus(*seen, step.id) };
            unless(passes(step, &told) && now == before, step, "does not pass on who has won")
        }
        Some(Message::Election { seen }) if seen.contains(step.id) => Ok(()),
        _ => {
            let stands = now.role == Role::Elect && before.role != Role::Elect;
            unless(!stands && now.attempt == before.attempt, step, "stands, and nobody told it to")
        }
    }
}

pub(crate) fn leads_when_announced(step: &Step) -> Verdict {
    let leads = |state: Option<&State>| state.is_some_and(|state| state.role == Role::Leading);
    let Some(now) = step.after else { return Ok(()) };
    let own = |msg: &Message, now: Attempt| match msg {
        Message::Coordinator { leader, attempt, .. } => *leader == step.id && *attempt == now,
        _ => false,
    };
    let is_round = step.before.is_some_and(|before| {
        before.role == Role::Elect && came(step).is_some_and(|msg| own(msg, before.attempt))
    });
    unless(!is_round || leads(step.after), step, "has been announced to all and does not lead")?;
    let begins = leads(step.after) && !leads(step.before);
    unless(!begins || is_round, step, "leads before its announcement has come round")?;
    if let Some(Message::Coordinator { leader, .. }) = came(step)
        && *leader == step.id
    {
        let rest = is_round || step.before == step.after;
        return unless(
            rest && passes_nothing(step),
            step,
            "does more than take its announcement off the ring",
        );
    }
    if expired(step) == Some(&Timer::Heartbeat) {
        let again =
            Message::Coordinator { leader: step.id, attempt: now.attempt, seen: one(step.id) };
        let repeats = passes(step, &again) && step.before == step.after;
        return unless(repeats, step, "does not repeat its announcement");
    }
    Ok(())
}

pub(crate) fn the_higher_is_followed(step: &Step) -> Verdict {
    let (Some(before), Some(now)) = (step.before, step.after) else { return Ok(()) };
    match came(step) {
        Some(Message::Coordinator { leader, attempt, seen })
            if *leader > step.id && !seen.contains(step.id) =>
        {
            let seen = plus(*seen, step.id);
            let on =
                passes(step, &Message::Coordinator { leader: *leader, attempt: *attempt, seen });
            let follows = now.role == Role::Following(*leader) && now.attempt == before.attempt;
            unless(
                on && follows,
                step,
                "does not follow a higher node, and pass its announcement on",
            )
        }
        _ => {
            let follows = matches!(now.role, Role::Following(_)) && now.role != before.role;
            unless(!follows, step, "follows who did not announce itself")
        }
    }
}

pub(crate) fn taken_off_the_ring(step: &Step) -> Verdict {
    let Some((before, now)) = states(step) else { return Ok(()) };
    let (leader, seen) = match came(step) {
        Some(Message::Coordinator { leader, seen, .. } | Message::Winner { leader, seen }) => {
            (*leader, *seen)
        }
        _ => return Ok(()),
    };
    let is_due = leader < step.id || leader > step.id && seen.contains(step.id);
    let taken_off = now == before && passes_nothing(step);
    unless(!is_due || taken_off, step, "does not take off the ring what should go no further")
}
