//! The paper's rules, each as a property of single steps: what a replica must do, given its state
//! and an event.
//!
//! They are written from the paper's sections and share only data types with the handlers. If the
//! two differ, one of them is wrong. A property of states shows a broken rule only if it does harm
//! within the bounds; these rules show it at once.

pub(super) mod normal;
pub(super) mod recovery;
pub(super) mod state_transfer;
pub(super) mod timers;
pub(super) mod view_change;
pub(super) mod views;

use stateright::actor::Id;

use super::Viewstamped;
use super::message::{Log, Message};
use super::state::{State, Status, View};
use crate::election::{Event, NodeStep, SortedMap, kind, node_name};

/// A step of a replica.
type Step<'a> = NodeStep<'a, Viewstamped>;

/// What is wrong with a step, in a sentence.
type Verdict = Result<(), String>;

/// A step of a live replica whose handler ran to its end.
pub(super) struct Did<'a> {
    pub(super) id: Id,
    replicas: usize,
    pub(super) before: &'a State,
    pub(super) event: &'a Event<'a, Viewstamped>,
    pub(super) after: &'a State,
    pub(super) sends: &'a [(Id, Message)],
}

impl<'a> Did<'a> {
    /// The step, if its handler ran to its end.
    pub(super) fn of(step: &'a Step<'a>) -> Option<Self> {
        Some(Did {
            id: step.id,
            replicas: step.actor.replicas,
            before: step.before?,
            event: &step.event,
            after: step.after?,
            sends: step.sends,
        })
    }

    /// An error about the step, unless the rule holds.
    pub(super) fn must(&self, holds: bool, rule: &str) -> Verdict {
        if holds {
            return Ok(());
        }
        let name = node_name(self.id);
        let event = match self.event {
            Event::Start => format!("{name} starts"),
            Event::Deliver { src, msg } => {
                format!("{name} gets {} from {}", kind(msg), node_name(*src))
            }
            Event::Timeout { timer } => format!("the timer {} of {name} ends", kind(timer)),
            Event::Choose { .. } => format!("{name} is asked by a client"),
            Event::Crash => format!("{name} crashes"),
        };
        Err(format!("the last step, in which {event}, breaks a rule: {rule}"))
    }

    /// The message that was delivered, and who sent it.
    pub(super) fn heard(&self) -> Option<(Id, &'a Message)> {
        match self.event {
            Event::Deliver { src, msg } => Some((*src, msg)),
            _ => None,
        }
    }

    /// §4: the replicas take turns.
    pub(super) fn primary(&self, view: View) -> Id {
        Id::from((view % self.replicas as u64) as usize)
    }

    /// Whether the replica was a primary before the step.
    pub(super) fn led(&self) -> bool {
        self.before.is_normal() && self.primary(self.before.view) == self.id
    }

    /// Whether it is a primary after the step.
    pub(super) fn leads(&self) -> bool {
        self.after.is_normal() && self.primary(self.after.view) == self.id
    }

    /// Any two quorums meet.
    pub(super) fn is_quorum(&self, members: usize) -> bool {
        2 * members > self.replicas
    }

    /// Whether exactly these messages were sent, in any order.
    pub(super) fn sent(&self, messages: &[(Id, Message)]) -> bool {
        self.sends.len() == messages.len() && messages.iter().all(|m| self.sends.contains(m))
    }

    /// A message for each of the others.
    pub(super) fn to_others(&self, msg: Message) -> Vec<(Id, Message)> {
        let others = (0..self.replicas).map(Id::from).filter(|other| *other != self.id);
        others.map(|other| (other, msg.clone())).collect()
    }

    /// The messages sent of some kind.
    pub(super) fn sent_of(&self, is_such: impl Fn(&Message) -> bool) -> Vec<(Id, Message)> {
        self.sends.iter().filter(|(_, msg)| is_such(msg)).cloned().collect()
    }

    /// The step changed nothing, and nothing was sent.
    pub(super) fn did_nothing(&self) -> bool {
        self.before == self.after && self.sends.is_empty()
    }

    /// Whether the replica is now a replica with status normal in `view`, with that log and
    /// commit-number, and, as a backup, has acknowledged to the primary what it does not know to be
    /// committed.
    pub(super) fn follows(&self, view: View, log: &Log, commit: usize) -> bool {
        let acknowledged = match log.len() > commit {
            true => vec![(self.primary(view), Message::PrepareOk { view, op_number: log.len() })],
            false => Vec::new(),
        };
        let fresh = Status::Normal { prepared: SortedMap::new() };
        let a = self.after;
        (a.view, &a.log, a.commit, &a.status) == (view, log, commit, &fresh)
            && self.sent(&acknowledged)
    }
}
