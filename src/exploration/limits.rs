//! How far an exploration may go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::semantics::PropertyId;

/// When to stop looking although there is more to see.
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
    /// Whether what was found is what was looked for: `is_violated` says it of one property, and
    /// `is_any` whether any property is violated. An empty list of properties is never found.
    pub fn is_satisfied_by(&self, is_violated: impl Fn(PropertyId) -> bool, is_any: bool) -> bool {
        match self {
            Until::FirstViolation => is_any,
            Until::Violated(all) => !all.is_empty() && all.iter().all(|&p| is_violated(p)),
            Until::Exhausted => false,
        }
    }
}

/// How far an exploration may go, and with what.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many threads may explore.
    pub threads: usize,
    /// When enough has been seen.
    pub until: Until,
    /// Distinct states.
    pub max_states: Option<u64>,
    /// How many states a run may have, the initial one counted: states that are so far away are
    /// seen, but not what follows them. Honoured by the engine's breadth-first search, whose counts
    /// are then those of stateright's `target_max_depth`.
    pub max_depth: Option<usize>,
    /// How long it may take.
    pub time: Option<Duration>,
    /// Bytes held by the exploration.
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
    /// Sees every state, past violations.
    pub fn exhaustive() -> Self {
        Limits { until: Until::Exhausted, ..Limits::default() }
    }

    /// Whether somebody wants it to end.
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
