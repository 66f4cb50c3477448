//! Model checking and property testing of leader election.

#![warn(missing_docs, unreachable_pub)]

#[cfg(feature = "cli")]
pub mod cli;
pub mod election;
pub mod engine;
pub mod exploration;
pub mod fuzz;
pub mod judge;
pub mod reference;
pub mod run;
pub mod scenario;
pub mod semantics;
pub mod support;
pub mod tell;
pub mod testing;

#[path = "../models/mod.rs"]
pub mod models;

pub use judge::check;
pub use support::problem::Problem;
