//! The limits of an exploration: when it stops, and what it may use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::semantics::PropertyId;

/// When an exploration may stop before every state was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// Some property is violated.
    FirstViolation,
    /// All of these are violated.
    Violated(Vec<PropertyId>),
    /// Never: see every state.
    Exhausted,
}

impl Until {
    /// Whether the exploration may stop. `is_violated` says whether a property is violated,
    /// `is_any` whether any is. With an empty list of properties it never may.
    pub fn is_satisfied_by(&self, is_violated: impl Fn(PropertyId) -> bool, is_any: bool) -> bool {
        match self {
            Until::FirstViolation => is_any,
            Until::Violated(all) => !all.is_empty() && all.iter().all(|&p| is_violated(p)),
            Until::Exhausted => false,
        }
    }
}

/// The limits of an exploration.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many threads may explore.
    pub threads: usize,
    /// When enough has been seen.
    pub until: Until,
    /// The most distinct states.
    pub max_states: Option<u64>,
    /// The most states along a run, the initial one counted. States at this distance are seen but
    /// not expanded. Only the compiled engine's breadth-first search obeys it; it then counts as
    /// stateright does with `target_max_depth`.
    pub max_depth: Option<usize>,
    /// The longest time that it may take.
    pub time: Option<Duration>,
    /// The most bytes that the exploration may hold.
    pub memory: Option<u64>,
    /// Set from outside (Ctrl-C) to end the exploration with what was seen so far.
    pub interrupted: Arc<AtomicBool>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            threads: 1,
            until: Until::FirstViolation,
            max_states: None,
            max_depth: None,
            time: None,
            memory: None,
            interrupted: Arc::default(),
        }
    }
}

impl Limits {
    /// No limits: every state is seen, even if properties are violated.
    pub fn exhaustive() -> Self {
        Limits { until: Until::Exhausted, ..Limits::default() }
    }

    /// Whether the end of the exploration was requested from outside.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_of_properties_is_never_found() {
        let until = Until::Violated(Vec::new());
        assert!(!until.is_satisfied_by(|_| false, false));
        assert!(!until.is_satisfied_by(|_| true, true));
    }

    #[test]
    fn all_properties_of_a_list_must_be_violated() {
        let until = Until::Violated(vec![PropertyId(0), PropertyId(2)]);
        assert!(!until.is_satisfied_by(|p| p == PropertyId(0), true));
        assert!(until.is_satisfied_by(|p| p != PropertyId(1), true));
    }
}
