//! Liveness: does something good happen again and again, or for ever from some moment on?
//!
//! [`decide`] answers that for a finite [`Graph`] of ticks, made by whoever knows what the states
//! are, and shows runs for its answer. [`confirm`] looks at answer and evidence once more, in
//! another way, and shares no code with it. What the answers mean, and why the algorithms are
//! right, stands in `docs/liveness.md`.
//!
//! Each edge is a tick, so an infinite run lets infinitely much time pass, and every one counts.
//! Three things are chosen in a tick: nature draws which timers fire; then somebody picks the order
//! in which messages are delivered; and the environment may do what it has a budget for.

mod answer;
mod components;
mod confirm;
mod decide;
mod end_components;
mod fixpoints;
mod graph;
mod paths;

pub use answer::{Answer, Bottom, Decision, EndComponent, Evidence, Lasso, Path, Question, Random};
pub use confirm::confirm;
pub use decide::decide;
pub use graph::{Defect, Edge, Graph, GraphBuilder};
