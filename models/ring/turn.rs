//! One call of a handler, with what all handlers use.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Id, Out};

use super::Ring;
use super::bugs::Bug;
use super::message::Timer;
use super::state::State;

/// The milliseconds of a tick.
const TICK: u32 = 10;

/// One node in the middle of one step.
pub(super) struct Turn<'a, 's> {
    pub(super) node: &'a Ring,
    pub(super) id: Id,
    pub(super) state: &'a mut Cow<'s, State>,
    pub(super) out: &'a mut Out<Ring>,
}

impl Ring {
    pub(super) fn turn<'a, 's>(
        &'a self,
        id: Id,
        state: &'a mut Cow<'s, State>,
        out: &'a mut Out<Self>,
    ) -> Turn<'a, 's> {
        Turn { node: self, id, state, out }
    }

    /// The node that comes after another.
    pub(super) fn next(&self, id: Id) -> Id {
        Id::from((usize::from(id) + 1) % self.nodes)
    }

    /// How long a node's timer takes.
    fn duration(&self, id: Id, timer: &Timer) -> Range<Duration> {
        let higher = (self.nodes - 1 - usize::from(id)) as u64;
        let ticks = match timer {
            Timer::Monitor => self.monitor + if self.staggered { higher } else { 0 },
            Timer::Heartbeat => self.heartbeat,
            Timer::Skip { .. } => self.acknowledgement,
        };
        Duration::from_millis(ticks) * TICK..Duration::from_millis(ticks + 1) * TICK
    }
}

impl Turn<'_, '_> {
    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.node.bug == Some(bug)
    }

    /// Starts a timer, or starts it anew.
    pub(super) fn set(&mut self, timer: Timer) {
        let duration = self.node.duration(self.id, &timer);
        self.out.set_timer(timer, duration);
    }
}
