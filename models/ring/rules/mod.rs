//! The rules of the papers, each as a property of single steps.
//!
//! A rule compares what can be observed of a step: the node's role before and after it, what
//! happened, and what the node sent. The rules are written from the papers, not from the handlers.
//! Their numbers are those of this folder's README.

pub(super) mod chang_roberts;
pub(super) mod textbook;
pub(super) mod timers;

use stateright::actor::Id;

use super::Ring;
use super::message::{Message, Timer};
use super::state::State;
use crate::election::{Event, NodeSet, NodeStep, node_name};

/// A step of a node on a ring.
pub(super) type Step<'a> = NodeStep<'a, Ring>;

/// What is wrong with a step, in a sentence.
pub(super) type Verdict = Result<(), String>;

/// The message that was delivered, and who sent it.
pub(super) fn delivered<'a>(step: &'a Step) -> Option<(Id, &'a Message)> {
    match step.event {
        Event::Deliver { src, msg } => Some((src, msg)),
        _ => None,
    }
}

/// The timer that ended.
pub(super) fn expired<'a>(step: &'a Step) -> Option<&'a Timer> {
    match step.event {
        Event::Timeout { timer } => Some(timer),
        _ => None,
    }
}

/// The node after another.
pub(super) fn after(step: &Step, id: Id) -> Id {
    if usize::from(id) + 1 == step.actor.nodes {
        Id::from(0)
    } else {
        Id::from(usize::from(id) + 1)
    }
}

/// The message that has reached this node on its way round the ring: from another node, or, if all
/// others are dead, from itself.
pub(super) fn came<'a>(step: &'a Step) -> Option<&'a Message> {
    match step.event {
        Event::Deliver { msg: Message::Ack { .. }, .. } => None,
        Event::Deliver { msg, .. } => Some(msg),
        Event::Timeout { timer: Timer::Skip { to, message } } if after(step, *to) == step.id => {
            Some(message)
        }
        _ => None,
    }
}

/// What the node sent besides acknowledgements.
pub(super) fn passed<'a>(step: &'a Step) -> impl Iterator<Item = (Id, &'a Message)> {
    let is_ack = |msg: &Message| matches!(msg, Message::Ack { .. });
    step.sends.iter().filter(move |(_, msg)| !is_ack(msg)).map(|(dst, msg)| (*dst, msg))
}

/// The node passed this on to its successor, and nothing else.
pub(super) fn passes(step: &Step, message: &Message) -> bool {
    passed(step).eq([(after(step, step.id), message)])
}

/// The node sent acknowledgements at most.
pub(super) fn passes_nothing(step: &Step) -> bool {
    passed(step).next().is_none()
}

/// The set of that node alone.
pub(super) fn one(id: Id) -> NodeSet {
    [id].into_iter().collect()
}

/// The set with one more node.
pub(super) fn plus(seen: NodeSet, id: Id) -> NodeSet {
    seen.iter().chain([id]).collect()
}

/// An error about the node, unless the rule holds.
pub(super) fn unless(holds: bool, step: &Step, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(format!("{} {what}", node_name(step.id))) }
}

/// The states before and after a step that the node took to its end while it was up.
pub(super) fn states<'a>(step: &Step<'a>) -> Option<(&'a State, &'a State)> {
    Some((step.before?, step.after?))
}

/// The node starts, and not for the first time.
pub(super) fn recovers(step: &Step) -> bool {
    matches!(step.event, Event::Start) && step.incarnation > 0
}
