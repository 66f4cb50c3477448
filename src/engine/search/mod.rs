//! Breadth-first search over rows, level by level, by any number of threads and always with the
//! same result.
//!
//! The frontier is processed in batches. Each batch goes through three stages:
//! 1. *expand* ([`batch`]): every step of every row is tried; the program is only read. Each state
//!    found becomes a candidate: its fingerprint, the row that it comes from, and the step.
//! 2. *sift*: candidates are looked up in the visited set, shard by shard. The new ones are added
//!    to it, the others dropped.
//! 3. *keep* ([`keep`]): the new ones become rows of the next frontier, are checked, and are noted
//!    in the log.
//!
//! All threads wait for each other between stages. One batch is kept while the next one is
//! expanded, as neither touches what the other changes. One thread answers what the program did not
//! know while the others wait. Then the rows that needed the answers are processed again.
//!
//! Neither the order of rows nor the content of any table depends on how many threads there are.

mod batch;
mod keep;
mod state;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::error::EngineError;
use super::ids::StepId;
use super::pool::WorkerPool;
use super::program::Source;
use super::program::{Miss, ProgramBuilder};
use super::visited::{SHARDS, Shard};
use crate::exploration::{Ended, Limits, Progress};
use crate::semantics::{Bound, PropertyId, PropertySet};
use batch::{Expanded, Share, Work, expand_block};
use keep::keep_new;
use state::State;

/// About how many rows make a batch: as many as fit into a processor's second cache together with
/// their candidates.
const BATCH: usize = 1 << 14;

/// Locks a mutex, even if another thread panicked while it held it.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one thread does at a time.
enum Job<'a> {
    Keep(&'a mut Work),
    Expand(&'a mut Work),
}

/// The task of an exploration, besides the program.
pub(crate) struct Assignment<'a> {
    /// The properties asked.
    pub(crate) asked: PropertySet,
    /// The limits.
    pub(crate) limits: &'a Limits,
    /// Called with the progress now and then.
    pub(crate) progress: &'a dyn Fn(&Progress),
}

/// What an exploration found.
pub(crate) struct Findings {
    /// Why it ended, or why the other findings are invalid.
    pub(crate) ended: Result<Ended, EngineError>,
    /// Distinct states within the bounds.
    pub(crate) distinct: u64,
    /// Generated states within the bounds.
    pub(crate) generated: u64,
    /// Steps from the initial state to the farthest state seen.
    pub(crate) depth: usize,
    /// How many distinct states are at each depth; empty, if it is not a breadth-first search.
    pub(crate) levels: Vec<u64>,
    /// Generated states beyond each bound.
    pub(crate) cut: BTreeMap<Bound, u64>,
    /// For each counter of the tally, how many generated steps within the bounds it counts.
    pub(crate) counts: Vec<u64>,
    /// The goals of the past that some state has reached, as bits.
    pub(crate) goals: u64,
    /// For each property that is broken somewhere, the steps to the first state that breaks it.
    pub(crate) broken: BTreeMap<PropertyId, Vec<StepId>>,
    /// The most bytes held.
    pub(crate) peak_bytes: u64,
    /// How long it took.
    pub(crate) seconds: f64,
}

/// How many steps lead beyond each bound.
#[derive(Clone, Copy, Default)]
pub(super) struct Cuts([u64; Bound::ALL.len()]);

impl Cuts {
    /// Counts a step that leads beyond a bound.
    #[inline]
    pub(super) fn count(&mut self, bound: Bound) {
        self.0[bound.position()] += 1;
    }

    /// Takes back that a step was counted.
    fn take_back(&mut self, bound: Bound) {
        self.0[bound.position()] -= 1;
    }

    /// Adds what others have counted.
    pub(super) fn add(&mut self, other: Cuts) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, n)| *sum += n);
    }

    /// The bounds that cut something.
    pub(super) fn by_bound(self) -> BTreeMap<Bound, u64> {
        Bound::ALL.into_iter().zip(self.0).filter(|(_, n)| *n > 0).collect()
    }
}

/// Explores everything that can be reached from `initial`, within the limits.
pub(crate) fn search(
    program: &mut ProgramBuilder,
    source: &mut dyn Source,
    initial: &[u32],
    assignment: &Assignment<'_>,
) -> Findings {
    let mut search = Search {
        state: State::new(),
        sifted: Vec::new(),
        program,
        source,
        assignment,
        pool: WorkerPool::new(assignment.limits.threads),
        spare: Mutex::default(),
        started: Instant::now(),
    };
    let ended = search.enter(initial).and_then(|()| search.run());
    search.findings(ended)
}

/// A search under way: what it has seen so far, and what it works with.
struct Search<'a> {
    state: State,
    /// The batch that has been expanded and sifted, and is to be kept.
    sifted: Vec<Work>,
    program: &'a mut ProgramBuilder,
    source: &'a mut dyn Source,
    assignment: &'a Assignment<'a>,
    pool: WorkerPool,
    /// Buffers to be used again.
    spare: Mutex<Vec<Expanded>>,
    started: Instant,
}

impl Search<'_> {
    fn findings(self, ended: Result<Ended, EngineError>) -> Findings {
        let state = self.state;
        Findings {
            ended,
            distinct: state.distinct,
            generated: state.generated,
            depth: state.depth,
            levels: state.levels(),
            cut: state.cut.by_bound(),
            broken: state.paths_to_broken(),
            peak_bytes: state.peak_bytes,
            seconds: self.started.elapsed().as_secs_f64(),
            counts: state.counts,
            goals: state.goals,
        }
    }

    fn run(&mut self) -> Result<Ended, EngineError> {
        let limits = self.assignment.limits;
        loop {
            let broken = &self.state.first_broken;
            if limits.until.is_satisfied_by(|p| broken.contains_key(&p), !broken.is_empty()) {
                return Ok(Ended::Violated);
            }
            if limits.max_depth.is_some_and(|most| self.state.depth + 1 >= most) {
                return Ok(Ended::MaxDepth);
            }
            self.state.open_level();
            let mut over = None;
            while (over.is_none() && !self.state.frontier.is_empty()) || !self.sifted.is_empty() {
                // What is under way has been counted, so it is finished first.
                let batch = if over.is_none() { self.next_batch() } else { Vec::new() };
                self.turn(batch)?;
                self.report_progress();
                over = over.or_else(|| self.is_over());
            }
            if let Some(ended) = over {
                return Ok(ended);
            }
            if !self.state.go_deeper() {
                return Ok(Ended::Exhausted);
            }
        }
    }

    /// The initial state makes up the first level.
    fn enter(&mut self, initial: &[u32]) -> Result<(), EngineError> {
        let mut misses = Vec::new();
        let mut broken = self.program.broken(initial, None, true, &mut misses);
        if !misses.is_empty() {
            self.answer(std::mem::take(&mut misses))?;
            broken = self.program.broken(initial, None, true, &mut misses);
        }
        broken |= self.source.judge(initial, self.program)?.broken;
        self.state.enter(initial, self.program, broken.and(self.assignment.asked));
        Ok(())
    }

    /// Whether a limit ends the search here.
    fn is_over(&self) -> Option<Ended> {
        let limits = self.assignment.limits;
        if limits.is_interrupted() {
            return Some(Ended::Interrupted);
        }
        if limits.max_states.is_some_and(|max| self.state.distinct >= max) {
            return Some(Ended::MaxStates);
        }
        if limits.time.is_some_and(|time| self.started.elapsed() >= time) {
            return Some(Ended::TimeLimit);
        }
        if limits.memory.is_some_and(|max| self.bytes() >= max) {
            return Some(Ended::MaxMemory);
        }
        None
    }

    fn bytes(&self) -> u64 {
        self.state.bytes() + self.program.bytes()
    }

    fn report_progress(&mut self) {
        let bytes = self.bytes();
        let state = &mut self.state;
        state.peak_bytes = state.peak_bytes.max(bytes);
        (self.assignment.progress)(&Progress {
            distinct: state.distinct,
            generated: state.generated,
            depth: state.depth,
            frontier: state.waiting,
            bytes: Some(bytes),
            seconds: self.started.elapsed().as_secs_f64(),
        });
    }

    fn answer(&mut self, misses: Vec<Miss>) -> Result<(), EngineError> {
        misses.into_iter().try_for_each(|miss| self.program.answer(miss, self.source))
    }

    /// About [`BATCH`] rows of the frontier.
    fn next_batch(&mut self) -> Vec<Work> {
        let mut batch = Vec::new();
        let mut rows = 0;
        while rows < BATCH
            && let Some(block) = self.state.frontier.pop_front()
        {
            rows += block.rows.len();
            batch.push(Work::new(block));
        }
        batch
    }

    /// Expands and sifts a new batch, and keeps what the batch before it left.
    fn turn(&mut self, mut new: Vec<Work>) -> Result<(), EngineError> {
        let mut sifted = std::mem::take(&mut self.sifted);
        let is_much = new.len().max(sifted.len()) > 1;
        loop {
            let (program, source, spare) = (&**self.program, &*self.source, &self.spare);
            let keeps = sifted.iter_mut().filter(|work| work.expanded.is_some()).map(Job::Keep);
            let expands = new.iter_mut().filter(|work| !work.is_expanded()).map(Job::Expand);
            self.pool.each(is_much, keeps.chain(expands), |job| match job {
                Job::Keep(work) => keep_new(program, source, work, spare),
                Job::Expand(work) => expand_block(program, work, spare),
            });
            let expanding = new.iter_mut().filter_map(|work| work.expanded.as_mut());
            let misses = sifted.iter_mut().map(|work| &mut work.kept.misses);
            let misses = misses.chain(expanding.map(|expanded| &mut expanded.misses));
            let misses: Vec<Miss> = misses.flat_map(std::mem::take).collect();
            if sifted.iter().any(|work| work.kept.is_wrong) {
                let what = "a step leads to something else than it adds up to";
                return Err(EngineError::Defect(what.to_string()));
            }
            if let Some(why) = sifted.iter_mut().find_map(|work| work.kept.unjudged.take()) {
                return Err(why);
            }
            if misses.is_empty() {
                break;
            }
            self.answer(misses)?;
        }
        new.iter_mut().for_each(|work| self.count(work));
        self.state.outside.extend(sifted.iter().flat_map(|work| &work.kept.outside));
        let (width, asked) = (self.program.width(), self.assignment.asked);
        sifted.into_iter().for_each(|work| self.state.take_over(work, width, asked));
        self.sift(&mut new);
        self.sifted = new;
        Ok(())
    }

    /// Leaves those candidates that are new.
    fn sift(&mut self, batch: &mut [Work]) {
        let is_much = batch.len() > 1;
        let mut shares: [Vec<&mut Share>; SHARDS] = Default::default();
        for expanded in batch.iter_mut().filter_map(|work| work.expanded.as_mut()) {
            shares.iter_mut().zip(&mut expanded.shares).for_each(|(all, share)| all.push(share));
        }
        let shards: &mut [Shard] = &mut self.state.shards;
        self.pool.each(is_much, shards.iter_mut().zip(shares), |(shard, shares)| {
            shares.into_iter().for_each(|share| shard.sift(share, |candidate| candidate.sum));
        });
    }

    /// Counts what expanding a block gave.
    fn count(&mut self, work: &mut Work) {
        let Work { expanded: Some(expanded), judged, .. } = work else { return };
        self.state.count(expanded);
        if self.source.judges() {
            judged.extend(expanded.shares.iter().flatten().map(|candidate| candidate.sum));
        }
    }
}
