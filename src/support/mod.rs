//! Helpers that have nothing to do with elections: errors in the input in plain words, the default
//! limit of memory, catching panics, work shared by threads.

pub mod memory;
pub mod panics;
pub mod parallel;
pub mod plain;
pub mod problem;
pub mod sorted;
