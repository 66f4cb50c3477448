//! Attempts that are counted for ever: which states of a ring go on alike. Our own argument, not
//! the textbooks'.
//!
//! A node counts its attempts to lead, and each attempt is new. Of two attempts nothing is asked
//! but whether they are the same one: the winner compares the attempt in an announcement of its
//! own with its latest (T5), and an acknowledgement stops the timer of the very message that it
//! acknowledges (T2). Nodes never compare their own attempts with another's. So for each node its
//! attempts that are still somewhere are numbered anew, in order, from 1 on, without gaps.

use std::collections::BTreeSet;

use stateright::actor::Id;

use super::Ring;
use super::message::{Attempt, Message, Timer};
use super::state::Role;
use crate::election::{Counting, Snapshot};

/// Attempts are counted up by one. [`simplify`] numbers them anew, for each node by itself.
pub(super) fn countings() -> Vec<Counting> {
    vec![Counting { name: "attempts", step: 1 }]
}

/// Numbers each node's attempts anew. The latest stays the highest, so that the next is new. A
/// later start of the node is told apart by its own count of starts, which is never 0 there.
pub(super) fn simplify(snapshot: &mut Snapshot<'_, Ring>) {
    for leader in (0..snapshot.nodes.len()).map(Id::from) {
        let mut used = BTreeSet::new();
        each_announced(snapshot, leader, &mut |attempt| {
            used.insert(*attempt);
        });
        let state = &mut snapshot.states[usize::from(leader)];
        // Who neither leads nor is about to says its latest attempt no more: it only counts on.
        if let Some(state) = state
            && matches!(state.role, Role::Elect | Role::Leading)
        {
            used.insert(state.attempt);
        }
        let new = |attempt: Attempt| {
            let earlier = used.iter().filter(|other| **other <= attempt).count();
            Attempt { start: 0, count: earlier as u32 }
        };
        if let Some(state) = state {
            state.attempt = new(state.attempt);
        }
        each_announced(snapshot, leader, &mut |attempt| *attempt = new(*attempt));
    }
}

/// Shows each attempt of this node in announcements in flight, in what acknowledges them, and in
/// timers that wait for that.
fn each_announced(
    snapshot: &mut Snapshot<'_, Ring>,
    leader: Id,
    show: &mut dyn FnMut(&mut Attempt),
) {
    for envelope in &mut snapshot.messages {
        in_message(&mut envelope.msg, leader, show);
    }
    for timers in &mut snapshot.timers {
        let old = std::mem::take(timers);
        timers.extend(old.into_iter().map(|(mut timer, age)| {
            if let Timer::Skip { message, .. } = &mut timer {
                in_message(message, leader, show);
            }
            (timer, age)
        }));
    }
}

fn in_message(message: &mut Message, leader: Id, show: &mut dyn FnMut(&mut Attempt)) {
    match message {
        Message::Coordinator { leader: who, attempt, .. } if *who == leader => show(attempt),
        Message::Ack { of } => in_message(of, leader, show),
        _ => {}
    }
}
