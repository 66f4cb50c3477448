//! Shows a run: in text, step by step, or as a file for other tools. Everything here is made from a
//! [`Scene`](scene::Scene).

mod by_the_rule;
mod debug;
pub mod diagram;
pub mod flight;
pub mod itf;
mod links;
pub mod mermaid;
pub mod moments;
mod narration;
pub mod narrative;
pub mod prose;
pub mod scene;
pub mod sheet;
pub mod story;
