//! What a run of a protocol is: the reference semantics, written to be read and to be right, not to
//! be fast.
//!
//! A [`System`] is actors and [`Rules`]. Everything that can happen in it is a [`Step`].
//! [`System::successors`] lists the steps that can happen next, each with the [`SystemState`] that
//! it leads to. [`node`] defines what a step does to one node, [`world`] what is remembered of the
//! past. The compiled engine uses these two modules itself; tests compare it with the others.

pub mod facts;
mod holds;
mod local_step;
pub mod names;
pub mod network;
pub mod node;
mod property;
mod rules;
mod state;
mod step;
mod successors;
mod system;
pub mod topology;
pub mod watch;
pub mod world;

pub use property::{MAX_PROPERTIES, PropertyId, PropertySet};
pub use rules::{Bound, Bounds, Latency, Rules, Timing};
pub use state::SystemState;
pub use step::{Step, StepKind, StepOf, event};
pub use system::System;
