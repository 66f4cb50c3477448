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

/// How far an exploration may go, and with what.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many threads may explore.
    pub threads: usize,
    /// When enough has been seen.
    pub until: Until,
    /// Distinct states.
    pub max_states: Option<u64>,
    /// How many states a run may have, the initial one counted: states that are so far away are seen, but not what follows
    /// them. Honoured by the engine's breadth-first search, whose counts are then those of stateright's `target_max_depth`.
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
