//! A run, told: step by step, or for other tools. Everything here is made of a
//! [`Scene`](scene::Scene).

mod debug;
pub mod itf;
pub mod scene;
pub mod story;
