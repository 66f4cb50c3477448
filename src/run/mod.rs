//! A run by named steps: saved, and taken again.

pub mod trace;
