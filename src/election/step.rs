//! One step of one node, as invariants, goals and witnesses see it.

use stateright::actor::{Actor, Id};

use super::Election;
use crate::support::sorted::SortedMap;

/// What happened at a node in one step.
pub enum Event<'a, E: Actor> {
    /// The node starts, or restarts.
    Start,
    /// A message arrives.
    Deliver {
        /// Who sent it.
        src: Id,
        /// The message.
        msg: &'a E::Msg,
    },
    /// A timer ends.
    Timeout {
        /// Which of its timers.
        timer: &'a E::Timer,
    },
    /// One of the values of an open choice is chosen.
    Choose {
        /// The choice.
        key: &'a str,
        /// What is chosen.
        value: &'a E::Random,
    },
    /// The node crashes: memory and timers are lost, the disk stays.
    Crash,
}

/// A timer's age and limits, in ticks. All zero where time is not modelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age {
    /// How many ticks ago it was set.
    pub now: u16,
    /// The first age at which the timer may fire.
    pub first: u16,
    /// The last age at which the timer may fire: time cannot pass it.
    pub last: u16,
}

impl Age {
    /// Whether the timer was set in this tick, to fire `first` to `last` ticks later. Always true
    /// where time is not modelled.
    pub fn is_new(self, first: u64, last: u64) -> bool {
        let limits = (u64::from(self.first), u64::from(self.last));
        self == Age::default() || self.now == 0 && limits == (first, last)
    }
}

/// One step of one node, as invariants and witnesses see it.
pub struct NodeStep<'a, E: Election> {
    /// The node's configuration.
    pub actor: &'a E,
    /// The node.
    pub id: Id,
    /// How many nodes the system has.
    pub nodes: usize,
    /// How often the node had been started before this start.
    pub incarnation: u32,
    /// `None` when the node was down.
    pub before: Option<&'a E::State>,
    /// What happened to it.
    pub event: Event<'a, E>,
    /// `None` when the node is down afterwards: it crashed, perhaps in the middle of the handler.
    pub after: Option<&'a E::State>,
    /// The state in which the handler would have ended, if the node crashed in the middle of it,
    /// after at least one send or save.
    pub cut_short: Option<&'a E::State>,
    /// Messages that went out, in order.
    pub sends: &'a [(Id, E::Msg)],
    /// What is on the node's disk after the step.
    pub storage: Option<&'a E::Storage>,
    /// The timers that ran before the step. If the step is a timeout, its timer is included.
    pub timers_before: &'a SortedMap<E::Timer, Age>,
    /// The timers that run after the step; none if the node is down.
    pub timers: &'a SortedMap<E::Timer, Age>,
}
