//! Everything that can happen in a run, as data.

use std::fmt;

use serde::{Serialize, Serializer};
use stateright::actor::{Actor, Id};

use crate::election::{Election, Event};
use crate::semantics::node::Disk;

/// One atomic event of a run, over an actor's messages `M`, timers `T` and choices `R`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step<M, T, R> {
    /// A message arrives.
    Deliver {
        /// Who sent it.
        src: Id,
        /// To whom it was sent.
        dst: Id,
        /// The message.
        msg: M,
    },
    /// A timer ends.
    Timeout {
        /// Where it happens.
        node: Id,
        /// Which of its timers.
        timer: T,
    },
    /// One of the values of an open choice is taken.
    Choose {
        /// Where it happens.
        node: Id,
        /// The choice.
        key: String,
        /// What is chosen.
        value: R,
    },
    /// A node that is down starts again.
    Restart {
        /// Where it happens.
        node: Id,
        /// How the node finds its disk.
        disk: Disk,
    },
    /// The node takes the step, but crashes after the first `effects` sends and saves of its
    /// handler.
    Torn {
        /// What the node was doing.
        step: Box<Step<M, T, R>>,
        /// How many sends and saves happen before the crash.
        effects: usize,
    },
    /// A node crashes.
    Crash {
        /// Where it happens.
        node: Id,
    },
    /// A message is lost.
    Lose {
        /// Who sent it.
        src: Id,
        /// To whom it was sent.
        dst: Id,
        /// The message.
        msg: M,
    },
    /// One more copy of a message is in flight.
    Duplicate {
        /// Who sent it.
        src: Id,
        /// To whom it was sent.
        dst: Id,
        /// The message.
        msg: M,
    },
    /// Another of the scenario's topologies comes into force.
    Switch {
        /// The position of the topology among those of the scenario.
        topology: u8,
    },
    /// From now on time is kept and nothing fails. Each timer that is set gets an age.
    Stabilise {
        /// One age, in ticks, for each timer that is set, ordered by node, then timer.
        ages: Vec<u16>,
    },
    /// Time passes: what could not be delivered is lost.
    Tick,
}

/// A step of the protocol `E`.
pub type StepOf<E> = Step<<E as Actor>::Msg, <E as Actor>::Timer, <E as Actor>::Random>;

/// The kinds of steps. They are ordered by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// A node makes a choice, or a client's input arrives.
    Choose,
    /// A node crashes.
    Crash,
    /// A message arrives.
    Deliver,
    /// A message is duplicated.
    Duplicate,
    /// A message is lost.
    Lose,
    /// A node restarts, and its disk is intact.
    Restart,
    /// A node restarts, and its disk is as it was before the last save.
    RestartWithOlderDisk,
    /// A node restarts, and its disk is empty.
    RestartWithoutDisk,
    /// From now on time is kept and nothing fails.
    Stabilise,
    /// The topology changes.
    Switch,
    /// Time passes.
    Tick,
    /// A timer fires.
    Timeout,
    /// A node crashes in the middle of a step.
    Torn,
}

impl StepKind {
    /// All kinds, in the order in which they are shown to people.
    pub const ALL: [StepKind; 13] = [
        StepKind::Deliver,
        StepKind::Timeout,
        StepKind::Choose,
        StepKind::Restart,
        StepKind::RestartWithoutDisk,
        StepKind::RestartWithOlderDisk,
        StepKind::Torn,
        StepKind::Crash,
        StepKind::Lose,
        StepKind::Duplicate,
        StepKind::Switch,
        StepKind::Stabilise,
        StepKind::Tick,
    ];

    /// The word for this kind.
    pub fn name(self) -> &'static str {
        match self {
            StepKind::Choose => "choose",
            StepKind::Crash => "crash",
            StepKind::Deliver => "deliver",
            StepKind::Duplicate => "duplicate",
            StepKind::Lose => "lose",
            StepKind::Restart => "restart",
            StepKind::RestartWithOlderDisk => "restart-with-older-disk",
            StepKind::RestartWithoutDisk => "restart-without-disk",
            StepKind::Stabilise => "stabilise",
            StepKind::Switch => "switch",
            StepKind::Tick => "tick",
            StepKind::Timeout => "timeout",
            StepKind::Torn => "torn",
        }
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Kinds are written as their names.
impl Serialize for StepKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<M, T, R> Step<M, T, R> {
    /// Which kind of step it is.
    pub fn kind(&self) -> StepKind {
        match self {
            Step::Deliver { .. } => StepKind::Deliver,
            Step::Timeout { .. } => StepKind::Timeout,
            Step::Choose { .. } => StepKind::Choose,
            Step::Restart { disk: Disk::Intact, .. } => StepKind::Restart,
            Step::Restart { disk: Disk::Empty, .. } => StepKind::RestartWithoutDisk,
            Step::Restart { disk: Disk::Older, .. } => StepKind::RestartWithOlderDisk,
            Step::Torn { .. } => StepKind::Torn,
            Step::Crash { .. } => StepKind::Crash,
            Step::Lose { .. } => StepKind::Lose,
            Step::Duplicate { .. } => StepKind::Duplicate,
            Step::Switch { .. } => StepKind::Switch,
            Step::Stabilise { .. } => StepKind::Stabilise,
            Step::Tick => StepKind::Tick,
        }
    }

    /// The step that a node was taking when it crashed; otherwise the step itself.
    pub fn cause(&self) -> &Self {
        match self {
            Step::Torn { step, .. } => step,
            whole => whole,
        }
    }

    /// The node at which the step happens, if it happens at one.
    pub fn node(&self) -> Option<Id> {
        match self {
            Step::Deliver { dst, .. } => Some(*dst),
            Step::Timeout { node, .. }
            | Step::Choose { node, .. }
            | Step::Restart { node, .. }
            | Step::Crash { node } => Some(*node),
            Step::Torn { step, .. } => step.node(),
            _ => None,
        }
    }
}

/// The event that a step is for its node. The step must happen at one node, and must not be torn.
pub fn event<E: Election>(step: &StepOf<E>) -> Event<'_, E> {
    match step {
        Step::Deliver { src, msg, .. } => Event::Deliver { src: *src, msg },
        Step::Timeout { timer, .. } => Event::Timeout { timer },
        Step::Choose { key, value, .. } => Event::Choose { key, value },
        Step::Restart { .. } => Event::Start,
        Step::Crash { .. } => Event::Crash,
        _ => unreachable!("not the step of one node"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_all_listed_and_ordered_by_their_names() {
        let mut kinds = StepKind::ALL;
        kinds.sort_unstable();
        let names = kinds.map(StepKind::name);
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        // One more would have to be listed, too: `Torn` is the last of them.
        assert_eq!(kinds.len(), StepKind::Torn as usize + 1);
    }
}
