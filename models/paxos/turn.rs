//! One call of a handler. The handlers are methods of [`Turn`] and stand in the files of the
//! paper's three roles; here is what they all use, and how a handler ends: the one place where the
//! disk is written, messages are sent and the timer is set.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Id, Out};

use super::Paxos;
use super::bugs::Bug;
use super::message::{Message, Timer};
use super::state::{Disk, Phase, State};

/// How long a proposer waits, since the last ballot that it heard of, for a value to be chosen.
pub(super) const RETRY: Range<Duration> = Duration::from_millis(30)..Duration::from_millis(60);

/// One node in the middle of one step.
pub(super) struct Turn<'a, 's> {
    /// The node's configuration.
    pub(super) node: &'a Paxos,
    /// The node.
    pub(super) id: Id,
    /// The node's state, copied when it is first changed.
    pub(super) state: &'a mut Cow<'s, State>,
    /// The commands of this step: sends, saves, timers, choices.
    pub(super) out: &'a mut Out<Paxos>,
    /// What will be sent at the end, in this order.
    sends: Vec<(Id, Message)>,
}

impl<'a, 's> Turn<'a, 's> {
    /// Runs a handler. Then saves, sends, and sets the timer.
    pub(super) fn run(
        node: &'a Paxos,
        id: Id,
        state: &'a mut Cow<'s, State>,
        out: &'a mut Out<Paxos>,
        handler: impl FnOnce(&mut Self),
    ) {
        let before = state.durable;
        let mut turn = Turn { node, id, state, out, sends: Vec::new() };
        handler(&mut turn);
        turn.conclude(before);
    }
}

impl Turn<'_, '_> {
    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.node.bug == Some(bug)
    }

    /// Has a message sent when the handler ends.
    pub(super) fn send(&mut self, dst: Id, msg: Message) {
        self.sends.push((dst, msg));
    }

    /// The same, to every other node.
    pub(super) fn broadcast(&mut self, msg: &Message) {
        for dst in (0..self.node.nodes).map(Id::from).filter(|&dst| dst != self.id) {
            self.sends.push((dst, msg.clone()));
        }
    }

    /// Section 2.5: what an acceptor answers, and the number that a proposer is about to use, is in
    /// stable storage before it is sent. The timer starts anew whenever a ballot of its own is
    /// started or a higher one is heard of, and stops when the value is known.
    fn conclude(&mut self, before: Disk) {
        let late = self.has(Bug::SendsBeforeSaving);
        if !late {
            self.save(before);
        }
        for (dst, msg) in std::mem::take(&mut self.sends) {
            self.out.send(dst, msg);
        }
        if late {
            self.save(before);
        }
        if self.state.durable.learned.is_some() {
            if before.learned.is_none() {
                self.out.cancel_timer(Timer::Retry);
            }
            return;
        }
        // Its own ballot is above its promise, unless a planted bug has it use one that it has
        // promised already.
        let State { durable, phase, .. } = &**self.state;
        let is_started = *phase != Phase::Idle && durable.tried > before.tried;
        let is_waiting = is_started || durable.promised > before.promised;
        if is_waiting && self.node.proposes(self.id) && !self.has(Bug::NeverRetries) {
            self.out.set_timer(Timer::Retry, RETRY);
        }
    }

    /// Writes the disk, if the handler has changed what is to be on it.
    fn save(&mut self, before: Disk) {
        if self.state.durable != before {
            self.out.save(self.state.durable);
        }
    }
}
