//! Model checking and property testing of leader election.

pub mod election;

pub mod local;
#[path = "../models/mod.rs"]
pub mod models;
pub mod names;
pub mod network;
pub mod system;
pub mod topology;
pub mod world;
