//! The rules of the papers, each as a property of single steps.
//!
//! A rule compares what can be observed of a step: the node's role before and after it, what
//! happened, and what the node sent. The rules are written from the papers, not from the handlers.
//! Their numbers are those of this folder's README.

use stateright::actor::Id;

use super::Bully;
use super::message::{Message, Timer};
use super::state::State;
use crate::election::{Age, Event, NodeSet, NodeStep, node_name, nodes_listed};

/// A step of a node.
pub(super) type Step<'a> = NodeStep<'a, Bully>;

/// What is wrong with a step, in a sentence.
pub(super) type Verdict = Result<(), String>;

// ---- What a step was ----

/// What was delivered, and from whom.
pub(super) fn delivered(step: &Step) -> Option<(Id, Message)> {
    match step.event {
        Event::Deliver { src, msg } => Some((src, *msg)),
        _ => None,
    }
}

/// The timer that ended.
pub(super) fn expired(step: &Step) -> Option<Timer> {
    match step.event {
        Event::Timeout { timer } => Some(*timer),
        _ => None,
    }
}

/// The role in which the handler ended, or would have ended without a crash.
fn end<'a>(step: &Step<'a>) -> Option<&'a State> {
    step.after.or(step.cut_short)
}

/// The node leads, or claims the lead.
pub(super) fn has_won(role: &State) -> bool {
    matches!(role, State::Leading | State::Claiming(_))
}

/// The node is holding an election.
pub(super) fn is_holding_one(role: &State) -> bool {
    matches!(role, State::Electing | State::Waiting)
}

/// The node has none above it.
pub(super) fn is_highest(step: &Step) -> bool {
    usize::from(step.id) + 1 == step.actor.nodes
}

/// Whom a node sent a message, in order.
pub(super) fn receivers(step: &Step, message: Message) -> Vec<Id> {
    step.sends.iter().filter(|(_, sent)| *sent == message).map(|(dst, _)| *dst).collect()
}

/// The message went once to each node that is expected to get it, and to no other.
fn is_sent_to(step: &Step, message: Message, expected: impl Fn(Id) -> bool) -> bool {
    let all: NodeSet = (0..step.actor.nodes).map(Id::from).filter(|id| expected(*id)).collect();
    let sent = receivers(step, message);
    sent.len() == all.len() && sent.into_iter().collect::<NodeSet>() == all
}

/// Nobody was sent that message.
fn says_nothing(step: &Step, message: Message) -> bool {
    is_sent_to(step, message, |_| false)
}

/// The node did nothing.
fn is_unmoved(step: &Step) -> bool {
    step.sends.is_empty() && step.after == step.before
}

/// Rules 1 and 4: all higher nodes are asked; if there are none, the node has won, and announces
/// itself.
fn holds_an_election(step: &Step) -> bool {
    let Some(after) = step.after else { return true };
    if is_highest(step) {
        return has_won(after) && is_announced(step);
    }
    *after == State::Electing && is_sent_to(step, Message::Election, |id| id > step.id)
}

/// The winner told all whom it has to tell, once each.
pub(super) fn is_announced(step: &Step) -> bool {
    is_sent_to(step, Message::Coordinator, |id| {
        id < step.id || id > step.id && step.actor.tells_all
    })
}

/// An error about the node, unless the rule holds.
fn unless(holds: bool, step: &Step, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(format!("{} {what}", node_name(step.id))) }
}

// ---- The rules ----

pub(super) fn asks_the_higher(step: &Step) -> Verdict {
    let asked = receivers(step, Message::Election);
    if asked.iter().any(|id| *id <= step.id) {
        return unless(false, step, "asks a node that is not higher");
    }
    let Some(after) = step.after else { return Ok(()) };
    let begins = *after == State::Electing && step.before != Some(&State::Electing);
    unless(!(begins && is_highest(step)), step, "asks although it is the highest")?;
    let holds = if begins {
        is_sent_to(step, Message::Election, |id| id > step.id)
    } else {
        asked.is_empty()
    };
    unless(holds, step, "asks others than all higher nodes once")
}

pub(super) fn elections_are_answered(step: &Step) -> Verdict {
    let Some((src, Message::Election)) = delivered(step) else {
        return unless(says_nothing(step, Message::Answer), step, "answers what nobody asked");
    };
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    unless(
        is_sent_to(step, Message::Answer, |id| id == src),
        step,
        "does not answer, once, who asked",
    )?;
    if is_holding_one(before) {
        let stays = after == before && step.sends.len() == 1;
        return unless(stays, step, "was holding an election and does more than answer");
    }
    unless(holds_an_election(step), step, "was asked and holds no election")
}

pub(super) fn answers_end_the_asking(step: &Step) -> Verdict {
    let Some((_, Message::Answer)) = delivered(step) else {
        let waits = |role: Option<&State>| role == Some(&State::Waiting);
        return unless(
            !waits(step.after) || waits(step.before),
            step,
            "waits though nobody answered",
        );
    };
    if step.before == Some(&State::Electing) {
        let waits =
            step.after.is_none_or(|after| *after == State::Waiting) && step.sends.is_empty();
        return unless(waits, step, "was answered and does not wait");
    }
    unless(
        step.after.is_none() || is_unmoved(step),
        step,
        "is moved by an answer, although it asks no more",
    )
}

pub(super) fn only_the_unanswered_win(step: &Step) -> Verdict {
    let (before, Some(after)) = (step.before, end(step)) else { return Ok(()) };
    let is_unanswered = before == Some(&State::Electing) && expired(step) == Some(Timer::Answer);
    unless(!is_unanswered || has_won(after), step, "was not answered and does not win")?;
    let wins = has_won(after) && !before.is_some_and(has_won);
    unless(
        !wins || is_unanswered || is_highest(step),
        step,
        "wins without having waited for an answer",
    )
}

pub(super) fn winners_announce(step: &Step) -> Verdict {
    let speaks = !says_nothing(step, Message::Coordinator);
    if speaks && !end(step).is_some_and(has_won) {
        return unless(false, step, "announces itself and has not won");
    }
    let Some(after) = step.after else { return Ok(()) };
    let wins = has_won(after) && !step.before.is_some_and(has_won);
    let repeats = expired(step) == Some(Timer::Heartbeat);
    unless(
        !(wins || repeats || speaks) || is_announced(step),
        step,
        "does not tell all of its lead, once",
    )?;
    unless(!repeats || Some(after) == step.before, step, "changes its role while it repeats itself")
}

pub(super) fn the_higher_is_followed(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let accepted = receivers(step, Message::Accept);
    match delivered(step) {
        Some((src, Message::Coordinator)) if src > step.id => {
            let accepts = if step.actor.needs_majority { vec![src] } else { vec![] };
            let says_so = accepted == accepts && step.sends.len() == accepted.len();
            unless(
                *after == State::Following(src) && says_so,
                step,
                "does not follow who announced itself",
            )
        }
        _ => {
            let keeps = !matches!(after, State::Following(_)) || Some(after) == step.before;
            unless(keeps && accepted.is_empty(), step, "follows who did not announce itself")
        }
    }
}

pub(super) fn the_lower_is_contradicted(step: &Step) -> Verdict {
    match delivered(step) {
        Some((src, Message::Coordinator)) if src < step.id && step.after.is_some() => {
            let holds_one = step.before.is_some_and(is_holding_one);
            let holds = if holds_one { is_unmoved(step) } else { holds_an_election(step) };
            unless(holds, step, "lets a lower node's announcement pass")
        }
        _ => Ok(()),
    }
}

pub(super) fn silence_ends_in_an_election(step: &Step) -> Verdict {
    let is_silence = matches!(expired(step), Some(Timer::Coordinator | Timer::Monitor));
    unless(!is_silence || holds_an_election(step), step, "hears nothing and holds no election")
}

pub(super) fn recovery_begins_with_an_election(step: &Step) -> Verdict {
    match (&step.event, step.after) {
        (Event::Start, Some(after)) if step.incarnation == 0 => unless(
            *after == State::Idle && step.sends.is_empty(),
            step,
            "does more than wait at its first start",
        ),
        (Event::Start, Some(_)) => {
            unless(holds_an_election(step), step, "recovers and holds no election")
        }
        _ => Ok(()),
    }
}

pub(super) fn timers_of_the_role(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let options = step.actor;
    // Timers of waiting nodes may end a little late; heartbeats are punctual.
    let late = options.slack;
    let due = match after {
        State::Electing => Some((Timer::Answer, options.answer, late)),
        State::Idle | State::Waiting => Some((Timer::Coordinator, options.coordinator, late)),
        State::Following(_) => Some((Timer::Monitor, options.monitor, late)),
        State::Claiming(_) | State::Leading => Some((Timer::Heartbeat, options.heartbeat, 0)),
    };
    let is_watched = options.heartbeat > 0;
    let due =
        due.filter(|(timer, ..)| is_watched || matches!(timer, Timer::Answer | Timer::Coordinator));
    let is_right = match due {
        None => step.timers.is_empty(),
        Some((timer, ticks, late)) if is_set_anew(step) => {
            step.timers.len() == 1
                && step.timers.get(&timer).is_some_and(|age| is_set(*age, ticks, late))
        }
        Some(_) => step.timers == step.timers_before,
    };
    let what = match due {
        Some((timer, ..)) if !step.timers.contains_key(&timer) => {
            format!("is left without the timer {timer:?}, which belongs to its role")
        }
        _ => "has a timer that does not belong to its role, or that is not set as the rule says"
            .to_string(),
    };
    unless(is_right, step, &what)
}

/// Whether the wait that belongs to the role begins, or begins again, with this step.
fn is_set_anew(step: &Step) -> bool {
    let holds_none = !step.before.is_some_and(is_holding_one);
    let is_due = match (&step.event, delivered(step)) {
        (Event::Timeout { .. }, _) => true,
        (_, Some((_, Message::Election))) => holds_none,
        (_, Some((src, Message::Coordinator))) => src > step.id || holds_none,
        _ => false,
    };
    is_due || step.before != step.after
}

/// Whether a timer has just been set for this many ticks of 10 ms, and may be this late. A
/// scenario's ticks may be shorter.
fn is_set(age: Age, ticks: u64, late: u64) -> bool {
    let shorter = (u64::from(age.last) + 1 - u64::from(age.first)) / (late + 1);
    age.is_new(shorter * ticks, (shorter * (ticks + late + 1)).saturating_sub(1))
}

pub(super) fn majorities_accept(step: &Step) -> Verdict {
    let (before, Some(after)) = (step.before, step.after) else { return Ok(()) };
    if let (Some((_, Message::Accept)), false) =
        (delivered(step), matches!(before, Some(State::Claiming(_))))
    {
        return unless(
            is_unmoved(step),
            step,
            "is moved by the acceptance of a claim that it no longer makes",
        );
    }
    // A node that wins again has to be accepted anew.
    let is_anew =
        !says_nothing(step, Message::Coordinator) && expired(step) != Some(Timer::Heartbeat);
    let wins = has_won(after) && (is_anew || !before.is_some_and(has_won));
    let is_majority = |nodes: NodeSet| nodes.len() > step.actor.nodes / 2;
    let accepted = match (before, delivered(step)) {
        _ if wins => Some([step.id].into_iter().collect::<NodeSet>()),
        (Some(State::Claiming(nodes)), Some((src, Message::Accept))) => {
            Some(nodes.iter().chain([src]).collect())
        }
        (Some(State::Claiming(nodes)), _) if has_won(after) => Some(*nodes),
        _ => None,
    };
    let Some(accepted) = accepted else { return Ok(()) };
    let right = if is_majority(accepted) { State::Leading } else { State::Claiming(accepted) };
    let (by, is) = (
        nodes_listed(accepted.iter()),
        if *after == State::Leading { "leads" } else { "does not lead" },
    );
    unless(*after == right, step, &format!("is accepted by {by} and {is}"))
}
