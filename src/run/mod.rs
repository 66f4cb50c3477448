//! Traces: runs with named steps, which can be saved and replayed.

pub mod trace;
