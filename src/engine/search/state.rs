//! What a search has seen so far. Together with the program this is all that is needed to continue
//! the search.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::Cuts;
use super::batch::{BLOCK, Block, Expanded, Work};
use crate::engine::ids::StepId;
use crate::engine::log::Log;
use crate::engine::program::Program;
use crate::engine::row::{Cell, Packed};
use crate::engine::visited::{SHARDS, Shard, shard_of};
use crate::semantics::{PropertyId, PropertySet};

/// What a search has seen so far.
pub(super) struct State {
    /// The visited set.
    pub(super) shards: Vec<Shard>,
    log: Log,
    /// What is left to be expanded of this level.
    pub(super) frontier: VecDeque<Block>,
    /// What is known of the next level.
    next: Vec<Block>,
    /// The rows that are not yet expanded and kept, of this level and the next.
    pub(super) waiting: u64,
    /// The bytes that these rows hold.
    waiting_bytes: u64,
    pub(super) depth: usize,
    pub(super) distinct: u64,
    pub(super) generated: u64,
    pub(super) cut: Cuts,
    /// What each counter of the tally has counted.
    pub(super) counts: Vec<u64>,
    /// The goals of the past that are reached, as bits.
    pub(super) goals: u64,
    /// For each property that is broken, the number of the first state that breaks it.
    pub(super) first_broken: BTreeMap<PropertyId, u64>,
    /// The fingerprints of the states that the source's judgement excludes.
    pub(super) outside: HashSet<u64>,
    pub(super) peak_bytes: u64,
}

impl State {
    /// Nothing seen yet.
    pub(super) fn new() -> State {
        State {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            log: Log::default(),
            frontier: VecDeque::new(),
            next: Vec::new(),
            waiting: 0,
            waiting_bytes: 0,
            depth: 0,
            distinct: 0,
            generated: 0,
            cut: Cuts::default(),
            counts: Vec::new(),
            goals: 0,
            first_broken: BTreeMap::new(),
            outside: HashSet::new(),
            peak_bytes: 0,
        }
    }

    /// The initial state, which breaks these properties, becomes the first level.
    pub(super) fn enter(&mut self, initial: &[u32], program: &Program, broken: PropertySet) {
        let sum = program.sum(initial);
        self.shards[shard_of(sum)].insert(sum);
        self.note_broken(0, broken);
        (self.distinct, self.generated) = (1, 1);
        self.goals = program.world(initial[0].world()).goals;
        let block = Block { rows: Packed::new(initial, sum), first: 0 };
        (self.waiting, self.waiting_bytes) = (1, block.bytes());
        self.frontier.push_back(block);
    }

    /// The states found from now on belong to the next level.
    pub(super) fn open_level(&mut self) {
        self.log.open_level(self.distinct);
    }

    /// Goes on to the next level, if there is one.
    pub(super) fn go_deeper(&mut self) -> bool {
        let is_any = !self.next.is_empty();
        self.depth += usize::from(is_any);
        self.frontier = std::mem::take(&mut self.next).into();
        is_any
    }

    /// Counts what expanding a block gave.
    pub(super) fn count(&mut self, expanded: &Expanded) {
        self.counts.resize(self.counts.len().max(expanded.counts.len()), 0);
        self.counts.iter_mut().zip(&expanded.counts).for_each(|(sum, n)| *sum += n);
        self.cut.add(expanded.cut);
        self.generated += expanded.candidates() as u64;
    }

    /// Makes the states that were kept of a block part of the next level. `width` is the present
    /// width of rows, `asked` the properties that are asked.
    pub(super) fn take_over(&mut self, work: Work, width: usize, asked: PropertySet) {
        let Work { block, judged, kept, .. } = work;
        let outside = judged.iter().filter(|sum| self.outside.contains(sum)).count();
        self.generated -= outside as u64;
        self.goals |= kept.goals;
        for &(order, broken) in &kept.broken {
            self.note_broken(self.distinct + u64::from(order), broken.and(asked));
        }
        for rows in kept.blocks {
            let block = Block { rows, first: self.distinct };
            self.distinct += block.rows.len() as u64;
            self.put(block, width);
        }
        if !kept.page.is_empty() {
            self.log.append(kept.page);
        }
        self.waiting -= block.rows.len() as u64;
        self.waiting_bytes -= block.bytes();
    }

    /// Adds a block to the next level, as part of the last block there if that is small.
    fn put(&mut self, block: Block, width: usize) {
        self.waiting += block.rows.len() as u64;
        if let Some(last) = self.next.last_mut()
            && last.rows.len() < BLOCK / 2
            && last.rows.len() + block.rows.len() <= BLOCK
        {
            self.waiting_bytes -= last.bytes();
            last.rows = last.rows.join(&block.rows, width);
            self.waiting_bytes += last.bytes();
        } else {
            self.waiting_bytes += block.bytes();
            self.next.push(block);
        }
    }

    fn note_broken(&mut self, state: u64, broken: PropertySet) {
        for property in broken.iter() {
            self.first_broken.entry(property).or_insert(state);
        }
    }

    /// For each property that is broken, the steps to the first state that breaks it.
    pub(super) fn paths_to_broken(&self) -> BTreeMap<PropertyId, Vec<StepId>> {
        let broken = self.first_broken.iter();
        broken.map(|(&property, &state)| (property, self.log.path_to(state))).collect()
    }

    /// How many states there are at each depth.
    pub(super) fn levels(&self) -> Vec<u64> {
        self.log.levels(self.distinct)
    }

    /// The bytes held.
    pub(super) fn bytes(&self) -> u64 {
        let visited: u64 = self.shards.iter().map(Shard::bytes).sum();
        visited + self.waiting_bytes + self.log.bytes()
    }
}
