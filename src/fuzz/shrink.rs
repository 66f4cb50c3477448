//! Shrinking: makes a failing run shorter, first by leaving steps out, then by taking shortcuts.
//!
//! Steps are left out in ever smaller groups, and what is left is carried out again: a step that
//! cannot be taken any more is skipped, or replaced by one of the same kind between the same nodes.
//! What remains is minimal in the sense that no step can be left out. It need not be shortest, so
//! from each of its states, last to first, a small breadth-first search looks for a shorter way to
//! the same failure.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use proptest::strategy::ValueTree;

use super::{Asked, Run, walk};
use crate::election::Election;
use crate::semantics::{PropertyId, StepOf, SystemState};

/// How many states one search for a shortcut may expand.
const SHORTCUT_STATES: usize = 300;

/// How many other seeds of a healed network are tried in search of a shorter run.
const RESEEDS: u64 = 16;

/// What is tried next.
#[derive(Clone, Copy, Debug)]
enum Pass {
    /// Leave out `size` steps from `at` on.
    Drop {
        size: usize,
        at: usize,
        progress: bool,
    },
    /// Replace everything after the first `from` steps.
    Shortcut {
        from: usize,
    },
    /// Let the healed network take another seed.
    Reseed {
        seed: u64,
    },
    Done,
}

/// A run and its simpler variants.
pub struct RunTree<E: Election> {
    current: Run<E>,
    /// The simplest run that is known to fail.
    failing: Run<E>,
    /// The length of the run that was found. With fewer steps before it, the healing may take more
    /// steps; the run would then be no simpler.
    found: usize,
    pass: Pass,
}

impl<E: Election> RunTree<E> {
    pub(super) fn new(run: Run<E>) -> Self {
        let (size, found) = (run.chosen.div_ceil(2), run.steps.len());
        let pass = Pass::Drop { size, at: 0, progress: false };
        RunTree { current: run.clone(), failing: run, found, pass }
    }

    /// The next variant that is worth a test, if there is one.
    fn propose(&mut self) -> bool {
        loop {
            let candidate = match self.pass {
                Pass::Drop { size, at, progress } => {
                    if at < self.failing.chosen {
                        self.pass = Pass::Drop { size, at: at + size, progress };
                        Some(self.without(at, size))
                    } else {
                        self.pass = match (size, progress) {
                            (0 | 1, false) => Pass::Shortcut { from: self.failing.chosen },
                            (0 | 1, true) => Pass::Drop { size: 1, at: 0, progress: false },
                            _ => Pass::Drop { size: size.div_ceil(2), at: 0, progress: false },
                        };
                        None
                    }
                }
                Pass::Shortcut { from: 0 } => {
                    self.pass = Pass::Reseed { seed: 0 };
                    None
                }
                Pass::Shortcut { from } => {
                    self.pass = Pass::Shortcut { from: from - 1 };
                    self.shortcut(from - 1)
                }
                Pass::Reseed { seed }
                    if seed < RESEEDS && self.failing.trial.asked != Asked::Safety =>
                {
                    self.pass = Pass::Reseed { seed: seed + 1 };
                    Some(walk::along(&self.failing.trial, self.failing.chosen_steps(), seed))
                }
                Pass::Reseed { .. } => {
                    self.pass = Pass::Done;
                    None
                }
                Pass::Done => return false,
            };
            if let Some(candidate) = candidate
                && self.is_simpler(&candidate)
            {
                self.current = candidate;
                return true;
            }
        }
    }

    fn without(&self, at: usize, size: usize) -> Run<E> {
        let steps = self.failing.chosen_steps().enumerate();
        let kept = steps.filter(|(i, _)| !(at..at + size).contains(i)).map(|(_, step)| step);
        walk::along(&self.failing.trial, kept, self.failing.healing)
    }

    /// Whether a run is simpler: fewer steps were chosen, or as many but fewer in all, and never
    /// more than were found. If the failing run breaks a property, the simpler one must break the
    /// same.
    fn is_simpler(&self, run: &Run<E>) -> bool {
        let property = |run: &Run<E>| run.failure.as_ref().map(|failure| failure.property);
        let length = |run: &Run<E>| (run.chosen, run.steps.len());
        (self.failing.failure.is_none() || property(run) == property(&self.failing))
            && length(run) < length(&self.failing)
            && run.steps.len() <= self.found
    }

    /// The run up to `from`, then a shorter way to the same failure.
    fn shortcut(&self, from: usize) -> Option<Run<E>> {
        let trial = &self.failing.trial;
        let name = self.failing.failure.as_ref()?.property;
        // Recovery is a property of whole runs, not of a state that a search could find.
        let &(property, _) =
            trial.properties.iter().find(|(_, n)| *n == name && trial.asked == Asked::Safety)?;
        let kept = self.failing.steps.get(..from)?;
        let state = kept
            .iter()
            .try_fold(trial.system.initial(), |state, step| trial.system.apply(&state, step))?;
        let most = self.failing.steps.len().checked_sub(from + 1)?;
        let detour = self.search(state, property, most)?;
        Some(walk::along(trial, kept.iter().chain(&detour), self.failing.healing))
    }

    /// A way of at most `most` steps to a violation, if a small search finds one.
    fn search(
        &self,
        state: SystemState<E>,
        property: PropertyId,
        most: usize,
    ) -> Option<Vec<StepOf<E>>> {
        let system = &self.failing.trial.system;
        let mut seen = HashSet::from([fingerprint(&state)]);
        // Each state with its depth, the position of its predecessor and the step between.
        let mut found: Vec<(SystemState<E>, usize, usize, Option<StepOf<E>>)> =
            vec![(state, 0, 0, None)];
        for at in 0..SHORTCUT_STATES {
            let (state, depth) = found.get(at).map(|(state, depth, ..)| (state.clone(), *depth))?;
            if depth == most {
                return None;
            }
            for (step, next) in system.successors(&state) {
                if system.beyond(&next).is_some() || !seen.insert(fingerprint(&next)) {
                    continue;
                }
                let is_violation = system.holds(property, &next).is_err();
                found.push((next, depth + 1, at, Some(step)));
                if is_violation {
                    let mut steps = Vec::new();
                    let mut last = found.len() - 1;
                    while let (_, _, before, Some(step)) = &found[last] {
                        steps.push(step.clone());
                        last = *before;
                    }
                    steps.reverse();
                    return Some(steps);
                }
            }
        }
        None
    }
}

fn fingerprint(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

impl<E: Election> ValueTree for RunTree<E> {
    type Value = Run<E>;

    fn current(&self) -> Run<E> {
        self.current.clone()
    }

    /// The current run fails: from now on it is the one that is made simpler.
    fn simplify(&mut self) -> bool {
        if self.is_simpler(&self.current) {
            self.pass = match self.pass {
                // The steps behind those left out have moved up.
                Pass::Drop { size, at, .. } => {
                    Pass::Drop { size, at: at.saturating_sub(size), progress: true }
                }
                Pass::Shortcut { .. } => Pass::Drop { size: 1, at: 0, progress: false },
                pass => pass,
            };
        }
        self.failing = self.current.clone();
        self.propose()
    }

    /// The current run does not fail: returns to the last one that does, and tries its next
    /// variant.
    fn complicate(&mut self) -> bool {
        self.current = self.failing.clone();
        self.propose()
    }
}
