//! One call of a handler, with what all handlers use.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Id, Out};

use super::Bully;
use super::bugs::Bug;
use super::message::{Message, Timer};
use super::state::State;

/// The milliseconds of a tick.
const TICK: u32 = 10;

/// One node in the middle of one step.
pub(super) struct Turn<'a, 's> {
    pub(super) node: &'a Bully,
    pub(super) id: Id,
    pub(super) state: &'a mut Cow<'s, State>,
    pub(super) out: &'a mut Out<Bully>,
}

impl Bully {
    pub(super) fn turn<'a, 's>(
        &'a self,
        id: Id,
        state: &'a mut Cow<'s, State>,
        out: &'a mut Out<Self>,
    ) -> Turn<'a, 's> {
        Turn { node: self, id, state, out }
    }

    /// How long a timer takes.
    fn duration(&self, timer: Timer) -> Range<Duration> {
        let (first, slack) = match timer {
            Timer::Answer => (self.answer, self.slack),
            Timer::Coordinator => (self.coordinator, self.slack),
            Timer::Monitor => (self.monitor, self.slack),
            Timer::Heartbeat => (self.heartbeat, 0),
        };
        Duration::from_millis(first) * TICK..Duration::from_millis(first + slack + 1) * TICK
    }

    /// The timer of a role.
    fn timer_of(&self, role: State) -> Option<Timer> {
        match role {
            State::Electing => Some(Timer::Answer),
            State::Idle | State::Waiting => Some(Timer::Coordinator),
            State::Following(_) => (self.heartbeat > 0).then_some(Timer::Monitor),
            State::Claiming(_) | State::Leading => (self.heartbeat > 0).then_some(Timer::Heartbeat),
        }
    }
}

impl Turn<'_, '_> {
    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.node.bug == Some(bug)
    }

    /// Takes a role: its timer starts, the timer of the role before it stops.
    pub(super) fn take(&mut self, next: State) {
        let (old, new) = (self.node.timer_of(**self.state), self.node.timer_of(next));
        if let Some(old) = old.filter(|_| old != new) {
            self.out.cancel_timer(old);
        }
        self.begin(next);
        if **self.state != next {
            *self.state.to_mut() = next;
        }
    }

    /// Starts the timer of a role.
    pub(super) fn begin(&mut self, role: State) {
        if let Some(timer) = self.node.timer_of(role) {
            self.out.set_timer(timer, self.node.duration(timer));
        }
    }

    /// The nodes with a higher identifier than this one's.
    pub(super) fn higher(&self) -> impl Iterator<Item = Id> + use<> {
        (usize::from(self.id) + 1..self.node.nodes).map(Id::from)
    }

    /// Tells all whom a winner has to tell.
    pub(super) fn announce(&mut self) {
        let lower = (0..usize::from(self.id)).map(Id::from);
        let also_higher = self.higher().filter(|_| self.node.tells_all);
        lower.chain(also_higher).for_each(|other| self.out.send(other, Message::Coordinator));
    }
}
