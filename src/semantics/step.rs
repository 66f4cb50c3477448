//! Everything that can happen in a run, as data.

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
    /// A node that is down starts again, with the disk as it finds it.
    Restart {
        /// Where it happens.
        node: Id,
        /// How the node finds its disk.
        disk: Disk,
    },
    /// The step is taken, but its node crashes after the first `effects` sends and saves of its handler.
    Torn {
        /// What the node was doing.
        step: Box<Step<M, T, R>>,
        /// After so many sends and saves.
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
    /// A message is in flight once more.
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
        /// By its position.
        topology: u8,
    },
    /// From now on time is kept and nothing fails. Each set timer, in the order of nodes and timers, takes an age.
    Stabilise {
        /// One for each timer that is set, by node, then timer.
        ages: Vec<u16>,
    },
    /// Time passes: what could not be delivered is lost.
    Tick,
}

/// A step of the protocol `E`.
pub type StepOf<E> = Step<<E as Actor>::Msg, <E as Actor>::Timer, <E as Actor>::Random>;

/// The words for the kinds of steps, see [`Step::kind`].
pub const STEP_KINDS: [&str; 13] = [
    "deliver",
    "timeout",
    "choose",
    "restart",
    "restart-without-disk",
    "restart-with-older-disk",
    "torn",
    "crash",
    "lose",
    "duplicate",
    "switch",
    "stabilise",
    "tick",
];

impl<M, T, R> Step<M, T, R> {
    /// The word for this kind of step: one of [`STEP_KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Step::Deliver { .. } => "deliver",
            Step::Timeout { .. } => "timeout",
            Step::Choose { .. } => "choose",
            Step::Restart { disk: Disk::Intact, .. } => "restart",
            Step::Restart { disk: Disk::Empty, .. } => "restart-without-disk",
            Step::Restart { disk: Disk::Older, .. } => "restart-with-older-disk",
            Step::Torn { .. } => "torn",
            Step::Crash { .. } => "crash",
            Step::Lose { .. } => "lose",
            Step::Duplicate { .. } => "duplicate",
            Step::Switch { .. } => "switch",
            Step::Stabilise { .. } => "stabilise",
            Step::Tick => "tick",
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

/// The event that a local step, which is not torn, is to its node.
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
