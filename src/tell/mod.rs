//! A run, told: step by step, or for other tools.

pub mod itf;
pub mod story;
