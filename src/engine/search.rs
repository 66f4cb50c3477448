//! Breadth-first search over rows, level by level, with any number of threads and always the same outcome.
//!
//! The frontier is worked off in batches. A batch goes through three phases, between which all threads meet:
//! 1. *expand*: every step of every row is tried, read-only on the tables; each state found becomes a candidate, its
//!    fingerprint with where it came from. What the tables did not know is then resolved by one thread, and the rows
//!    concerned are expanded again.
//! 2. *sift*: candidates are offered to the visited set, each thread looking only at the shards that it owns.
//! 3. *keep*: candidates that are new become rows of the next frontier, are checked, and are noted in the log.
//!
//! Neither the order of rows nor the content of any table depends on how many threads there are.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::crew::Crew;
use super::digest::fingerprint;
use super::expand::{Code, Taken};
use super::log::{Log, Page};
use super::row::Row;
use super::tables::{Miss, Resolver, Tables};
use super::visited::{self, SHARDS, Shard};
use crate::check::{Ended, Limits, Progress, Until};
use crate::system::{Bound, PropertyId};

/// How many rows make a batch, about.
const BATCH: u32 = 1 << 15;

/// How many rows make a block, about: the work that one thread claims at a time.
const BLOCK: u32 = 1 << 10;

/// How many buffers are kept for later use.
const SPARE: usize = 256;

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Packed rows of the frontier.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    rows: u32,
    /// The number of the first row's state; the others follow.
    first: u64,
}

impl Block {
    fn held(&self) -> u64 {
        self.bytes.capacity() as u64 + size_of::<Block>() as u64
    }
}

/// A state found: its fingerprint, the row it comes from, the step.
struct Candidate {
    fingerprint: u64,
    row: u32,
    code: Code,
}

/// What expanding a block gave.
#[derive(Default)]
struct Expanded {
    /// Where each row starts.
    offsets: Vec<u32>,
    candidates: Vec<Candidate>,
    /// Rows whose steps are not all known, and what must be.
    again: Vec<u32>,
    misses: Vec<Miss>,
    /// Generated steps by kind, those beyond a bound too.
    kinds: Vec<u64>,
    cut: [u64; Bound::ALL.len()],
}

/// Which candidates are new: for each owner of shards, a flag a candidate, so that no two threads write to one place.
struct Sifted {
    is_new: Vec<Vec<bool>>,
}

impl Sifted {
    #[inline]
    fn is_new(&self, position: usize, fingerprint: u64) -> bool {
        self.is_new[visited::shard_of(fingerprint) % self.is_new.len()][position]
    }
}

/// What keeping the new states of a block gave.
struct Kept {
    blocks: Vec<Block>,
    page: Page,
    /// The new states, by their order here, that break properties.
    broken: Vec<(u32, u16)>,
    /// Those that the tables could not tell about: where the row is packed, and what to ask.
    doubtful: Vec<Doubt>,
    misses: Vec<Miss>,
    /// The fingerprints of states that are not to be looked at.
    outside: Vec<u64>,
}

struct Doubt {
    order: u32,
    block: usize,
    at: usize,
    changed: Option<usize>,
    new_world: bool,
}

/// What a search saw.
pub struct Report {
    pub ended: Ended,
    pub distinct: u64,
    pub generated: u64,
    pub depth: usize,
    pub cut: BTreeMap<Bound, u64>,
    /// Generated steps by [`Tables::kinds`].
    pub kinds: Vec<u64>,
    /// For each property that is broken somewhere, the steps to the first state that breaks it.
    pub broken: BTreeMap<PropertyId, Vec<Code>>,
    pub peak_bytes: u64,
    pub seconds: f64,
}

/// What a search is for, besides the tables.
pub struct Goal<'a> {
    /// The properties asked, as bits.
    pub asked: u16,
    pub limits: &'a Limits,
    pub progress: &'a dyn Fn(&Progress),
}

/// Explores everything that can be reached from `initial`, within the limits.
pub fn search(tables: &mut Tables, resolver: &mut dyn Resolver, initial: &Row, goal: &Goal<'_>) -> Report {
    let mut search = Search {
        crew: Crew::new(goal.limits.threads),
        spare: Mutex::default(),
        spare_bytes: Mutex::default(),
        tables,
        resolver,
        goal,
        shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        log: Log::default(),
        frontier: VecDeque::new(),
        next: Vec::new(),
        waiting: 0,
        waiting_bytes: 0,
        distinct: 0,
        generated: 0,
        cut: [0; Bound::ALL.len()],
        kinds: Vec::new(),
        first_broken: BTreeMap::new(),
        outside: HashSet::new(),
        peak_bytes: 0,
        started: Instant::now(),
    };
    let mut depth = 0;
    let ended = search.run(initial, &mut depth).unwrap_or_else(Ended::Failed);
    let broken = search.first_broken.iter().map(|(&p, &state)| (p, search.log.path_to(state))).collect();
    Report {
        ended,
        distinct: search.distinct,
        generated: search.generated,
        depth,
        cut: Bound::ALL.into_iter().zip(search.cut).filter(|(_, n)| *n > 0).collect(),
        broken,
        peak_bytes: search.peak_bytes,
        seconds: search.started.elapsed().as_secs_f64(),
        kinds: search.kinds,
    }
}

/// Whether what was found is what was looked for.
pub fn is_reached<T>(until: &Until, found: &BTreeMap<PropertyId, T>) -> bool {
    match until {
        Until::FirstViolation => !found.is_empty(),
        Until::Violated(all) => !all.is_empty() && all.iter().all(|p| found.contains_key(p)),
        Until::Exhausted => false,
    }
}

struct Search<'a> {
    crew: Crew,
    /// Buffers to be used again.
    spare: Mutex<Vec<Expanded>>,
    spare_bytes: Mutex<Vec<Vec<u8>>>,
    tables: &'a mut Tables,
    resolver: &'a mut dyn Resolver,
    goal: &'a Goal<'a>,
    shards: Vec<Shard>,
    log: Log,
    frontier: VecDeque<Block>,
    next: Vec<Block>,
    /// The rows in both, and the bytes they hold.
    waiting: u64,
    waiting_bytes: u64,
    distinct: u64,
    generated: u64,
    cut: [u64; Bound::ALL.len()],
    kinds: Vec<u64>,
    /// The first state, by number, that breaks each property.
    first_broken: BTreeMap<PropertyId, u64>,
    /// The fingerprints of states that the front end's judgement excludes.
    outside: HashSet<u64>,
    peak_bytes: u64,
    started: Instant,
}

impl Search<'_> {
    fn run(&mut self, initial: &Row, depth: &mut usize) -> Result<Ended, String> {
        self.enter(initial)?;
        loop {
            if is_reached(&self.goal.limits.until, &self.first_broken) {
                return Ok(Ended::Violated);
            }
            self.log.open_level(self.distinct);
            while !self.frontier.is_empty() {
                self.batch()?;
                self.report_progress(*depth);
                if let Some(ended) = self.is_over() {
                    return Ok(ended);
                }
            }
            if self.next.is_empty() {
                return Ok(Ended::Exhausted);
            }
            *depth += 1;
            self.frontier = std::mem::take(&mut self.next).into();
        }
    }

    /// The initial state, if it is within the bounds, is the first level.
    fn enter(&mut self, initial: &Row) -> Result<(), String> {
        self.shards[visited::shard_of(fingerprint(initial.sum))].insert(fingerprint(initial.sum));
        let mut misses = Vec::new();
        let mut broken = self.tables.broken(initial, None, true, &mut misses);
        if !misses.is_empty() {
            self.resolve(std::mem::take(&mut misses))?;
            broken = self.tables.broken(initial, None, true, &mut misses);
        }
        broken |= self.resolver.judge(initial).map_or(0, |judgement| judgement.broken);
        self.note_broken(0, broken);
        let mut block = Block { rows: 1, ..Block::default() };
        initial.pack(&mut block.bytes);
        (self.waiting, self.waiting_bytes) = (1, block.held());
        self.frontier.push_back(block);
        (self.distinct, self.generated) = (1, 1);
        Ok(())
    }

    /// Whether a limit ends the search here.
    fn is_over(&self) -> Option<Ended> {
        let limits = self.goal.limits;
        if limits.is_interrupted() {
            return Some(Ended::Interrupted);
        }
        if limits.max_states.is_some_and(|max| self.distinct >= max) {
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
        let visited: u64 = self.shards.iter().map(Shard::bytes).sum();
        visited + self.waiting_bytes + self.log.bytes() + self.tables.bytes()
    }

    fn report_progress(&mut self, depth: usize) {
        let bytes = self.bytes();
        self.peak_bytes = self.peak_bytes.max(bytes);
        (self.goal.progress)(&Progress {
            distinct: self.distinct,
            generated: self.generated,
            depth,
            frontier: self.waiting,
            bytes: Some(bytes),
            seconds: self.started.elapsed().as_secs_f64(),
        });
    }

    fn resolve(&mut self, misses: Vec<Miss>) -> Result<(), String> {
        for miss in misses {
            if !self.tables.knows(miss) {
                self.resolver.resolve(miss, self.tables)?;
            }
        }
        Ok(())
    }

    fn note_broken(&mut self, state: u64, broken: u16) {
        let broken = broken & self.goal.asked;
        for property in (0..16).filter(|p| broken >> p & 1 == 1) {
            self.first_broken.entry(PropertyId(property)).or_insert(state);
        }
    }

    /// Works off about [`BATCH`] rows of the frontier.
    fn batch(&mut self) -> Result<(), String> {
        let mut blocks = Vec::new();
        let mut rows = 0;
        while rows < BATCH
            && let Some(block) = self.frontier.pop_front()
        {
            rows += block.rows;
            blocks.push(block);
        }
        self.waiting -= u64::from(rows);
        let expanded = self.expand(&blocks)?;
        for e in &expanded {
            self.kinds.resize(self.kinds.len().max(e.kinds.len()), 0);
            self.kinds.iter_mut().zip(&e.kinds).for_each(|(sum, n)| *sum += n);
            self.cut.iter_mut().zip(e.cut).for_each(|(sum, n)| *sum += n);
            self.generated += e.candidates.len() as u64;
        }
        let sifted = self.sift(&expanded);
        self.keep(&blocks, &expanded, &sifted)?;
        self.waiting_bytes -= blocks.iter().map(Block::held).sum::<u64>();
        lock(&self.spare).extend(expanded);
        let mut spare = lock(&self.spare_bytes);
        let room = SPARE.saturating_sub(spare.len());
        spare.extend(blocks.into_iter().map(|block| block.bytes).take(room));
        Ok(())
    }

    fn expand(&mut self, blocks: &[Block]) -> Result<Vec<Expanded>, String> {
        let (tables, spare) = (&*self.tables, &self.spare);
        let mut expanded = self.crew.map(blocks.iter(), |_, block| {
            let used = lock(spare).pop();
            expand_block(tables, block, used.unwrap_or_default())
        });
        while expanded.iter().any(|e| !e.again.is_empty()) {
            let misses = expanded.iter_mut().flat_map(|e| std::mem::take(&mut e.misses)).collect();
            self.resolve(misses)?;
            for (block, e) in blocks.iter().zip(&mut expanded) {
                let again = std::mem::take(&mut e.again);
                expand_rows(self.tables, block, again.into_iter(), e);
            }
        }
        Ok(expanded)
    }

    /// Which candidates are new, by their position over all blocks, as each owner of shards found.
    fn sift(&mut self, expanded: &[Expanded]) -> Sifted {
        let total = expanded.iter().map(|e| e.candidates.len()).sum();
        let owners = if total < BLOCK as usize { 1 } else { self.crew.threads.clamp(1, SHARDS) };
        let mut parts: Vec<Vec<(usize, &mut Shard)>> = (0..owners).map(|_| Vec::new()).collect();
        for (i, shard) in self.shards.iter_mut().enumerate() {
            parts[i % owners].push((i, shard));
        }
        let is_new = self.crew.map(parts.into_iter(), |owner, mut shards| {
            let mut is_new = vec![false; total];
            let all = expanded.iter().flat_map(|e| &e.candidates).map(|c| c.fingerprint).enumerate();
            visited::offer(&mut shards, owner, owners, all, |i| is_new[i] = true);
            is_new
        });
        Sifted { is_new }
    }

    fn keep(&mut self, blocks: &[Block], expanded: &[Expanded], sifted: &Sifted) -> Result<(), String> {
        let mut from = 0;
        let mut work = Vec::new();
        for (block, e) in blocks.iter().zip(expanded) {
            work.push((block, e, from));
            from += e.candidates.len();
        }
        let (tables, resolver, spare) = (&*self.tables, &*self.resolver, &self.spare_bytes);
        let kept = self.crew.map(work.into_iter(), |_, (block, e, from)| {
            keep_new(tables, resolver, spare, block, e, |i| {
                sifted.is_new(from + i, e.candidates[i].fingerprint)
            })
        });
        self.outside.extend(kept.iter().flat_map(|k| &k.outside));
        if !self.outside.is_empty() {
            let generated = expanded.iter().flat_map(|e| &e.candidates);
            let outside = generated.filter(|c| self.outside.contains(&c.fingerprint)).count();
            self.generated -= outside as u64;
        }
        for mut k in kept {
            let first = self.distinct;
            self.settle(&mut k)?;
            for &(order, broken) in &k.broken {
                self.note_broken(first + u64::from(order), broken);
            }
            for mut block in k.blocks {
                block.first = self.distinct;
                self.distinct += u64::from(block.rows);
                self.put(block);
            }
            if !k.page.is_empty() {
                self.log.append(k.page);
            }
        }
        Ok(())
    }

    /// Asks again about states that the tables could not tell about.
    fn settle(&mut self, kept: &mut Kept) -> Result<(), String> {
        if kept.doubtful.is_empty() {
            return Ok(());
        }
        self.resolve(std::mem::take(&mut kept.misses))?;
        let (mut row, mut misses) = (Row::default(), Vec::new());
        for doubt in &kept.doubtful {
            let mut at = doubt.at;
            row.unpack(self.tables.shape.nodes, &kept.blocks[doubt.block].bytes, &mut at);
            let broken = self.tables.broken(&row, doubt.changed, doubt.new_world, &mut misses);
            kept.broken.push((doubt.order, broken));
        }
        kept.broken.sort_unstable();
        Ok(())
    }

    /// Adds a block to the next frontier, joining small ones.
    fn put(&mut self, block: Block) {
        self.waiting += u64::from(block.rows);
        if let Some(last) = self.next.last_mut()
            && last.rows + block.rows <= BLOCK
        {
            self.waiting_bytes -= last.held();
            last.bytes.extend_from_slice(&block.bytes);
            last.rows += block.rows;
            self.waiting_bytes += last.held();
        } else {
            self.waiting_bytes += block.held();
            self.next.push(block);
        }
    }
}

/// Expands all rows of a block, into what another block's expansion has left behind.
fn expand_block(tables: &Tables, block: &Block, mut expanded: Expanded) -> Expanded {
    expanded.offsets.clear();
    expanded.candidates.clear();
    expanded.kinds.clear();
    expanded.kinds.resize(tables.kinds.len(), 0);
    expanded.cut = Default::default();
    let mut steps = Steps::default();
    let mut at = 0;
    for i in 0..block.rows {
        expanded.offsets.push(at as u32);
        steps.row.unpack(tables.shape.nodes, &block.bytes, &mut at);
        steps.expand(tables, i, &mut expanded);
    }
    expanded
}

fn expand_rows(tables: &Tables, block: &Block, rows: impl Iterator<Item = u32>, expanded: &mut Expanded) {
    let mut steps = Steps::default();
    expanded.kinds.resize(tables.kinds.len(), 0);
    for i in rows {
        let mut at = expanded.offsets[i as usize] as usize;
        steps.row.unpack(tables.shape.nodes, &block.bytes, &mut at);
        steps.expand(tables, i, expanded);
    }
}

/// What expanding one row after the other needs.
#[derive(Default)]
struct Steps {
    row: Row,
    out: Row,
    taken: Vec<Taken>,
}

impl Steps {
    #[inline]
    fn expand(&mut self, tables: &Tables, i: u32, expanded: &mut Expanded) {
        let before = expanded.candidates.len();
        self.taken.clear();
        let Expanded { candidates, misses, again, kinds, cut, .. } = expanded;
        let known = tables.expand(&self.row, &mut self.out, misses, |code, sum, taken| {
            if let Taken::Step(_) = taken {
                candidates.push(Candidate { fingerprint: fingerprint(sum), row: i, code });
            }
            self.taken.push(taken);
        });
        if !known {
            candidates.truncate(before);
            again.push(i);
            return;
        }
        for taken in &self.taken {
            match *taken {
                Taken::Step(kind) => kinds[usize::from(kind)] += 1,
                Taken::Beyond(bound, kind) => {
                    kinds[usize::from(kind)] += 1;
                    cut[bound as usize] += 1;
                }
                Taken::No | Taken::Unknown => {}
            }
        }
    }
}

fn keep_new(
    tables: &Tables,
    resolver: &dyn Resolver,
    spare: &Mutex<Vec<Vec<u8>>>,
    block: &Block,
    expanded: &Expanded,
    is_new: impl Fn(usize) -> bool,
) -> Kept {
    let mut kept = Kept {
        blocks: Vec::new(),
        page: Page::new(block.first),
        broken: Vec::new(),
        doubtful: Vec::new(),
        misses: Vec::new(),
        outside: Vec::new(),
    };
    let (mut row, mut out) = (Row::default(), Row::default());
    let mut unpacked = u32::MAX;
    let mut order = 0;
    for (i, candidate) in expanded.candidates.iter().enumerate() {
        if !is_new(i) {
            continue;
        }
        if unpacked != candidate.row {
            let mut at = expanded.offsets[candidate.row as usize] as usize;
            row.unpack(tables.shape.nodes, &block.bytes, &mut at);
            unpacked = candidate.row;
        }
        let taken = tables.apply(&row, candidate.code, &mut out, &mut kept.misses);
        debug_assert!(matches!(taken, Taken::Step(_)));
        debug_assert_eq!(fingerprint(out.sum), candidate.fingerprint);
        let judged = resolver.judge(&out).map_or(0, |judgement| {
            if !judgement.is_within {
                kept.outside.push(candidate.fingerprint);
            }
            judgement.broken
        });
        if kept.outside.last() == Some(&candidate.fingerprint) {
            continue;
        }
        if kept.blocks.last().is_none_or(|b| b.rows >= BLOCK) {
            let mut bytes = lock(spare).pop().unwrap_or_default();
            bytes.clear();
            kept.blocks.push(Block { bytes, ..Block::default() });
        }
        let here = kept.blocks.len() - 1;
        let target = &mut kept.blocks[here];
        let at = target.bytes.len();
        out.pack(&mut target.bytes);
        target.rows += 1;
        kept.page.push(block.first + u64::from(candidate.row), candidate.code);

        let (changed, new_world) = (tables.node_of(&row, candidate.code), row.world != out.world);
        let known = kept.misses.len();
        let broken = match changed {
            Some(_) => tables.broken(&out, changed, new_world, &mut kept.misses),
            // No node's own state changed: only the world, or what time allows.
            None => tables.broken(&out, Some(usize::MAX), new_world, &mut kept.misses),
        };
        if kept.misses.len() > known {
            let changed = changed.or(Some(usize::MAX));
            kept.doubtful.push(Doubt { order, block: here, at, changed, new_world });
        } else if broken | judged != 0 {
            kept.broken.push((order, broken | judged));
        }
        order += 1;
    }
    for block in &mut kept.blocks {
        // Small ones will be joined to others; of the rest, half as much again is the most that may lie idle.
        if block.bytes.capacity() > block.bytes.len() * 3 / 2 {
            block.bytes.shrink_to_fit();
        }
    }
    kept
}
