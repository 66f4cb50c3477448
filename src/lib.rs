//! Model checking and property testing of leader election.

pub mod check;
pub mod cli;
pub mod corpus;
pub mod election;
pub mod engine;
pub mod facts;
pub mod fuzz;
pub mod itf;
pub mod local;
pub mod memory;
pub mod names;
pub mod network;
mod panics;
pub mod plain;
pub mod questions;
pub mod reference;
pub mod scenario;
pub mod start;
pub mod system;
pub mod topology;
pub mod trace;
pub mod verdict;
pub mod watch;
pub mod world;

#[path = "../models/mod.rs"]
pub mod models;
