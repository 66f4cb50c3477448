//! Chang and Roberts' rules, C1 to C5.

use super::super::message::Message;
use super::super::state::{Role, State};
use super::{Step, Verdict, came, expired, passes, recovers, states, unless};
use crate::election::{Event, node_name};

pub(crate) fn begins_with_its_number(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    if matches!(step.event, Event::Start) && step.incarnation == 0 {
        return unless(step.sends.is_empty(), step, "speaks at its first start");
    }
    if !(recovers(step) || expired(step).is_some()) {
        return Ok(());
    }
    let takes_part = after.role == Role::Participating;
    let own = passes(step, &Message::Candidate { number: step.id });
    unless(takes_part && own, step, "does not begin with its number")
}

pub(crate) fn numbers_are_compared(step: &Step) -> Verdict {
    let (Some((before, after)), Some(Message::Candidate { number })) = (states(step), came(step))
    else {
        let leads = |state: Option<&State>| state.is_some_and(|state| state.role == Role::Leading);
        return unless(
            !leads(step.after) || leads(step.before),
            step,
            "leads though no number came round",
        );
    };
    let candidate = |number| passes(step, &Message::Candidate { number });
    let holds = if *number > step.id {
        after.role == Role::Participating && candidate(*number)
    } else if *number == step.id {
        after.role == Role::Leading && passes(step, &Message::Elected { number: step.id })
    } else if before.role == Role::Participating {
        after == before && step.sends.is_empty()
    } else {
        after.role == Role::Participating && candidate(step.id)
    };
    unless(
        holds,
        step,
        &format!("does not do with the number of {} what the rule says", node_name(*number)),
    )
}

pub(crate) fn the_elected_is_followed(step: &Step) -> Verdict {
    let (Some((before, after)), Some(Message::Elected { number })) = (states(step), came(step))
    else {
        let follows = |s: Option<&State>| s.is_some_and(|s| matches!(s.role, Role::Following(_)));
        return unless(
            !follows(step.after) || follows(step.before),
            step,
            "follows who was not elected",
        );
    };
    if *number == step.id {
        return unless(
            after == before && step.sends.is_empty(),
            step,
            "is moved by its own election",
        );
    }
    let holds = after.role == Role::Following(*number)
        && passes(step, &Message::Elected { number: *number });
    unless(holds, step, "does not follow the elected, and pass it on")
}
