//! Model checking and property testing of leader election.

pub mod election;

pub mod local;
#[path = "../models/mod.rs"]
pub mod models;
pub mod network;
pub mod topology;
pub mod world;
