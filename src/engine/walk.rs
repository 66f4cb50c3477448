//! Random walks on the compiled steps. They reach states at depths that exhaustive search cannot
//! reach.
//!
//! Every walk starts at the initial state and takes one of the enabled steps at random, each with
//! the same probability, until no step is enabled or the walk is as long as it may be. This is a
//! sample: it can refute a property, but never prove one.
//!
//! Limits count steps; a walk that cannot take its first step counts as one.

use std::collections::BTreeMap;
use std::time::Instant;

use super::error::EngineError;
use super::ids::{CounterId, Number, StepId};
use super::program::Source;
use super::program::{Miss, ProgramBuilder, Taken};
use super::row::Cell;
use super::search::{Assignment, Cuts, Findings};
use super::visited::{SHARDS, Shard, shard_of};
use crate::exploration::{Ended, Progress, Sample};
use crate::semantics::PropertyId;

/// How many steps there are between two checks of the limits.
const INTERVAL: u64 = 1 << 14;

/// A generator of random numbers: SplitMix64 (Steele, Lea and Flood 2014). It must never change, so
/// that a seed always gives the same walks.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((u128::from(z) * sides as u128) >> 64) as usize
    }
}

/// Walks at random until a limit is reached, or what is looked for is found.
pub(crate) fn walk(
    program: &mut ProgramBuilder,
    source: &mut dyn Source,
    initial: &[u32],
    assignment: &Assignment<'_>,
    seed: u64,
    longest: usize,
) -> (Findings, Sample) {
    let mut walks = Walks {
        program,
        source,
        assignment,
        dice: Dice(seed),
        shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        counts: Vec::new(),
        goals: 0,
        cut: Cuts::default(),
        broken: BTreeMap::new(),
        sample: Sample { seed, walks: 0, lengths: vec![0; longest + 1] },
        started: Instant::now(),
        steps: 0,
        stuck: 0,
        depth: 0,
    };
    let ended = walks.run(initial, longest);
    let findings = Findings {
        ended,
        distinct: walks.distinct(),
        generated: walks.steps,
        depth: walks.depth,
        levels: Vec::new(),
        cut: walks.cut.by_bound(),
        peak_bytes: walks.bytes(),
        counts: walks.counts,
        goals: walks.goals,
        broken: walks.broken,
        seconds: walks.started.elapsed().as_secs_f64(),
    };
    (findings, walks.sample)
}

struct Walks<'a> {
    program: &'a mut ProgramBuilder,
    source: &'a mut dyn Source,
    assignment: &'a Assignment<'a>,
    dice: Dice,
    shards: Vec<Shard>,
    /// What each counter of the tally has counted.
    counts: Vec<u64>,
    /// The goals of the past that are reached, as bits.
    goals: u64,
    cut: Cuts,
    /// For each property that is broken, the shortest walk to a state that breaks it.
    broken: BTreeMap<PropertyId, Vec<StepId>>,
    sample: Sample,
    started: Instant,
    /// Steps taken, over all walks.
    steps: u64,
    /// Walks that ended where they began.
    stuck: u64,
    depth: usize,
}

impl Walks<'_> {
    fn bytes(&self) -> u64 {
        self.shards.iter().map(Shard::bytes).sum::<u64>() + self.program.bytes()
    }

    fn distinct(&self) -> u64 {
        self.shards.iter().map(|s| s.len() as u64).sum()
    }

    fn run(&mut self, initial: &[u32], longest: usize) -> Result<Ended, EngineError> {
        let start = self.program.sum(initial);
        let mut next_look = INTERVAL;
        loop {
            let (mut row, mut sum) = (initial.to_vec(), start);
            let mut path = Vec::new();
            self.visit(&row, sum, &path, true)?;
            while path.len() < longest {
                let Some((step, counter)) = self.choose(&row, sum)? else { break };
                self.counts.resize(self.program.counters(), 0);
                self.counts[counter.position()] += 1;
                path.push(step);
                let world = row[0];
                row = self.program.take(&row, step, self.source)?;
                sum = self.program.sum(&row);
                self.steps += 1;
                self.visit(&row, sum, &path, row[0] != world)?;
            }
            self.sample.walks += 1;
            self.sample.lengths[path.len()] += 1;
            self.depth = self.depth.max(path.len());
            let (until, broken) = (&self.assignment.limits.until, &self.broken);
            if until.is_satisfied_by(|p| broken.contains_key(&p), !broken.is_empty()) {
                return Ok(Ended::Violated);
            }
            self.stuck += u64::from(path.is_empty());
            if self.work() >= next_look || path.is_empty() {
                next_look = self.work() + INTERVAL;
                if let Some(ended) = self.is_over() {
                    return Ok(ended);
                }
            }
        }
    }

    /// What `max_states` bounds: steps, and walks without steps.
    fn work(&self) -> u64 {
        self.steps + self.stuck
    }

    /// Reports the progress. Returns whether a limit ends the exploration here.
    fn is_over(&self) -> Option<Ended> {
        let bytes = self.bytes();
        let (distinct, seconds) = (self.distinct(), self.started.elapsed());
        (self.assignment.progress)(&Progress {
            distinct,
            generated: self.steps,
            depth: self.depth,
            frontier: 0,
            bytes: Some(bytes),
            seconds: seconds.as_secs_f64(),
        });
        let limits = self.assignment.limits;
        if limits.is_interrupted() {
            Some(Ended::Interrupted)
        } else if limits.max_states.is_some_and(|max| self.work() >= max)
            || limits.time.is_some_and(|time| seconds >= time)
        {
            Some(Ended::Sampled)
        } else if limits.memory.is_some_and(|max| bytes >= max) {
            Some(Ended::MaxMemory)
        } else {
            None
        }
    }

    /// One of the steps that can be taken, and the counter that counts it. `None` where a walk
    /// ends.
    fn choose(
        &mut self,
        row: &[u32],
        sum: u64,
    ) -> Result<Option<(StepId, CounterId)>, EngineError> {
        let mut misses = Vec::new();
        loop {
            let mut steps = Vec::new();
            let mut cut = Cuts::default();
            let take = |step, _, taken| match taken {
                Taken::Step(counter) => steps.push((step, counter)),
                Taken::Beyond(bound) => cut.count(bound),
            };
            if self.program.try_steps(row, sum, &mut misses, take) {
                self.cut.add(cut);
                return Ok(match steps.len() {
                    0 => None,
                    n => Some(steps[self.dice.roll(n)]),
                });
            }
            self.answer(&mut misses)?;
        }
    }

    fn answer(&mut self, misses: &mut Vec<Miss>) -> Result<(), EngineError> {
        misses.drain(..).try_for_each(|miss| self.program.answer(miss, self.source))
    }

    /// Notes a state, which a path leads to, and what it breaks.
    fn visit(
        &mut self,
        row: &[u32],
        sum: u64,
        path: &[StepId],
        new_world: bool,
    ) -> Result<(), EngineError> {
        let step = path.last().copied();
        self.shards[shard_of(sum)].insert(sum);
        self.goals |= self.program.world(row[0].world()).goals;
        let mut misses = Vec::new();
        let mut broken = self.program.broken(row, step, new_world, &mut misses);
        if !misses.is_empty() {
            self.answer(&mut misses)?;
            broken = self.program.broken(row, step, new_world, &mut misses);
        }
        for property in broken.and(self.assignment.asked).iter() {
            let shorter = self.broken.get(&property).is_none_or(|old| path.len() < old.len());
            if shorter {
                self.broken.insert(property, path.to_vec());
            }
        }
        Ok(())
    }
}
