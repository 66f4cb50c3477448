//! Liveness: does something good happen again and again, or for ever from some moment on?
//!
//! [`ask`] answers that for a timed [`System`](crate::semantics::System) in which a message takes a
//! tick. It makes a finite graph of all that can happen, tick by tick ([`audit_ticks`] holds that
//! against the reference semantics). Terms that grow for ever are taken out of it by canonical
//! forms, which a protocol describes and [`audit_form`] holds against its handlers.
//!
//! [`decide`] answers a question about a finite [`Graph`] of ticks, and shows runs for its answer.
//! [`confirm`] looks at answer and evidence once more, in another way, and shares no code with it.
//! What the answers mean, and why the algorithms are right, stands in `docs/liveness.md`.
//!
//! Each edge is a tick, so an infinite run lets infinitely much time pass, and every one counts.
//! Three things are chosen in a tick: nature draws which timers fire; then somebody picks the order
//! in which messages are delivered; and the environment may do what it has a budget for.

mod answer;
mod apart;
mod ask;
mod asynchronous;
mod audit;
mod audit_wide;
mod bag;
mod between;
mod canonical;
mod chain;
mod compiled;
mod components;
mod confirm;
mod decide;
mod end_components;
mod explore;
mod fairness;
mod few;
mod fixpoints;
mod graph;
mod hitting;
mod marks;
mod numbers;
mod paths;
mod report;
mod retell;
mod shapes;
mod stabilising;
mod ticking;
mod ticks;
mod time;
mod waiting;
mod walks;
mod wide;

pub use answer::{Answer, Bottom, Decision, EndComponent, Evidence, Lasso, Path, Question, Random};
pub use ask::ask;
pub use audit::{Sample, audit_form, audit_graph, audit_starts, audit_ticks};
pub use confirm::confirm;
pub use decide::decide;
pub use explore::Extent;
pub use fairness::obligations;
pub use graph::{Defect, Edge, Graph, GraphBuilder};
pub use report::{Asked, Cut, Reply, Report, Spent};
pub use retell::Told;
pub use ticks::Orders;
pub use waiting::Waiting;
pub use walks::{Average, Sampled};
pub use wide::{FALLS, RISES, decide_wide};
