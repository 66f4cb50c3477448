//! Random exploration on the same compiled steps: deep walks, where exhaustive search would not get far.
//!
//! Every walk starts at the initial state and takes one of the enabled steps at random, each with the same
//! probability, until none is enabled or the walk is as long as it may be. A sample: it can refute, never prove.
//!
//! Limits count work: a walk that cannot take its first step counts as one.

use std::collections::BTreeMap;
use std::time::Instant;

use super::expand::Taken;
use super::flows::StepId;
use super::search::{Goal, Report, is_reached};
use super::tables::{Miss, Resolver, Tables};
use super::visited::{SHARDS, Shard, shard_of};
use crate::exploration::{Ended, Progress, Sample};
use crate::semantics::{Bound, PropertyId};

/// How often, in steps, limits are looked at.
const BREATH: u64 = 1 << 14;

/// A generator of random numbers whose stream is part of the contract: a seed means the same walks for ever. It is
/// SplitMix64 (Steele, Lea and Flood 2014).
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

/// Walks at random until a limit is reached or the goal is.
pub fn walk(
    tables: &mut Tables,
    resolver: &mut dyn Resolver,
    initial: &[u32],
    goal: &Goal<'_>,
    seed: u64,
    longest: usize,
) -> (Report, Sample) {
    let mut walks = Walks {
        tables,
        resolver,
        dice: Dice(seed),
        shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        kinds: Vec::new(),
        goals: 0,
        cut: [0; Bound::ALL.len()],
        broken: BTreeMap::new(),
        sample: Sample { seed, walks: 0, lengths: vec![0; longest + 1] },
        started: Instant::now(),
        steps: 0,
        stuck: 0,
        depth: 0,
    };
    let ended = walks.run(initial, goal, longest).unwrap_or_else(Ended::Failed);
    let report = Report {
        ended,
        distinct: walks.distinct(),
        generated: walks.steps,
        depth: walks.depth,
        cut: Bound::ALL.into_iter().zip(walks.cut).filter(|(_, n)| *n > 0).collect(),
        kinds: walks.kinds,
        goals: walks.goals,
        broken: walks.broken,
        peak_bytes: walks.shards.iter().map(Shard::bytes).sum::<u64>() + walks.tables.bytes(),
        seconds: walks.started.elapsed().as_secs_f64(),
    };
    (report, walks.sample)
}

struct Walks<'a> {
    tables: &'a mut Tables,
    resolver: &'a mut dyn Resolver,
    dice: Dice,
    shards: Vec<Shard>,
    kinds: Vec<u64>,
    goals: u64,
    cut: [u64; Bound::ALL.len()],
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
    fn distinct(&self) -> u64 {
        self.shards.iter().map(|s| s.len() as u64).sum()
    }

    fn run(&mut self, initial: &[u32], goal: &Goal<'_>, longest: usize) -> Result<Ended, String> {
        let start = self.tables.sum(initial);
        let mut next_breath = BREATH;
        loop {
            let (mut row, mut sum) = (initial.to_vec(), start);
            let mut path = Vec::new();
            self.visit(&row, sum, &path, goal, None, true)?;
            while path.len() < longest {
                let Some((step, kind)) = self.choose(&row, sum)? else { break };
                self.kinds.resize(self.tables.kinds.len(), 0);
                self.kinds[usize::from(kind)] += 1;
                path.push(step);
                let world = row[0];
                row = self.tables.take(&row, step, self.resolver)?;
                sum = self.tables.sum(&row);
                self.steps += 1;
                self.visit(&row, sum, &path, goal, Some(step), row[0] != world)?;
            }
            self.sample.walks += 1;
            self.sample.lengths[path.len()] += 1;
            self.depth = self.depth.max(path.len());
            if is_reached(&goal.limits.until, &self.broken) {
                return Ok(Ended::Violated);
            }
            self.stuck += u64::from(path.is_empty());
            if self.work() >= next_breath || path.is_empty() {
                next_breath = self.work() + BREATH;
                if let Some(ended) = self.is_over(goal) {
                    return Ok(ended);
                }
            }
        }
    }

    /// What `max_states` bounds.
    fn work(&self) -> u64 {
        self.steps + self.stuck
    }

    fn is_over(&self, goal: &Goal<'_>) -> Option<Ended> {
        let bytes = self.shards.iter().map(Shard::bytes).sum::<u64>() + self.tables.bytes();
        let (distinct, seconds) = (self.distinct(), self.started.elapsed());
        (goal.progress)(&Progress {
            distinct,
            generated: self.steps,
            depth: self.depth,
            frontier: 0,
            bytes: Some(bytes),
            seconds: seconds.as_secs_f64(),
        });
        let limits = goal.limits;
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

    /// One of the steps that can be taken, and its kind; `None` where a walk ends.
    fn choose(&mut self, row: &[u32], sum: u64) -> Result<Option<(StepId, u16)>, String> {
        let mut misses = Vec::new();
        loop {
            let mut steps = Vec::new();
            let mut cut = [0; Bound::ALL.len()];
            let is_known = self.tables.try_steps(row, sum, &mut misses, |step, _, taken| match taken {
                Taken::Step(kind) => steps.push((step, kind)),
                Taken::Beyond(bound) => cut[bound as usize] += 1,
            });
            if is_known {
                self.cut.iter_mut().zip(cut).for_each(|(sum, n)| *sum += n);
                return Ok(match steps.len() {
                    0 => None,
                    n => Some(steps[self.dice.roll(n)]),
                });
            }
            self.answer(&mut misses)?;
        }
    }

    fn answer(&mut self, misses: &mut Vec<Miss>) -> Result<(), String> {
        misses.drain(..).try_for_each(|miss| self.tables.answer(miss, self.resolver))
    }

    /// Takes note of a state, and of what it breaks.
    fn visit(
        &mut self,
        row: &[u32],
        sum: u64,
        path: &[StepId],
        goal: &Goal<'_>,
        changed: Option<StepId>,
        new_world: bool,
    ) -> Result<(), String> {
        self.shards[shard_of(sum)].insert(sum);
        self.goals |= self.tables.worlds[row[0] as usize].goals;
        let mut misses = Vec::new();
        let mut broken = self.tables.broken(row, changed, new_world, &mut misses);
        if !misses.is_empty() {
            self.answer(&mut misses)?;
            broken = self.tables.broken(row, changed, new_world, &mut misses);
        }
        let broken = broken & goal.asked;
        for property in (0..16).filter(|p| broken >> p & 1 == 1).map(PropertyId) {
            let shorter = self.broken.get(&property).is_none_or(|old| path.len() < old.len());
            if shorter {
                self.broken.insert(property, path.to_vec());
            }
        }
        Ok(())
    }
}
