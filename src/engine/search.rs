//! Breadth-first search over rows, level by level, with any number of threads and always the same outcome.
//!
//! The frontier is worked off in batches, each of which goes through three stages:
//! 1. *expand*: every step of every row is tried, read-only on the tables; each state found becomes a candidate, its
//!    fingerprint with where it came from.
//! 2. *sift*: candidates are offered to the visited set, shard by shard.
//! 3. *keep*: candidates that are new become rows of the next frontier, are checked, and are noted in the log.
//!
//! Between stages all threads meet; but a batch is kept while the next is expanded, as neither touches what the other
//! changes. What the tables did not know is answered when they meet, by one thread, and what waited for it goes on.
//!
//! Neither the order of rows nor the content of any table depends on how many threads there are.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::crew::Crew;
use super::expand::Taken;
use super::flows::StepId;
use super::log::{Log, Page};
use super::row::{Cell, Holds, Packed, Rows};
use super::tables::{Miss, Resolver, Tables};
use super::visited::{self, SHARDS, Shard};
use crate::exploration::{Ended, Limits, Progress, Until};
use crate::semantics::{Bound, PropertyId};

/// How many rows make a batch, about: as many as a processor's second cache holds together with their candidates.
const BATCH: usize = 1 << 14;

/// How many rows make a block, at most: the work that one thread claims at a time.
const BLOCK: usize = 1 << 11;

/// Of so many new states one is held against what its step adds up to.
const PROBES: u32 = 64;

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stretch of the frontier.
struct Block {
    rows: Packed,
    /// The number of the first row's state; the others follow.
    first: u64,
}

impl Block {
    fn held(&self) -> u64 {
        self.rows.bytes() + size_of::<Self>() as u64
    }
}

/// A state found: what it adds up to, and the step of a row of the block that leads to it.
#[derive(Clone, Copy)]
struct Candidate {
    sum: u64,
    step: StepId,
    row: u32,
}

/// The candidates of a block that one shard sifts. First all, then those that are new.
type Share = Vec<Candidate>;

/// A block that is worked off, and what that gives.
struct Work {
    block: Block,
    /// Nothing before it is expanded, and nothing any more when all is kept.
    expanded: Option<Expanded>,
    /// The fingerprints of the candidates, if states are judged.
    judged: Vec<u64>,
    kept: Kept,
}

/// What expanding a block gives. As it takes much room, it is used again.
#[derive(Default)]
struct Expanded {
    shares: [Share; SHARDS],
    /// The rows that must be tried again, and what must be known for it.
    again: Vec<u32>,
    misses: Vec<Miss>,
    /// Generated steps by kind, those beyond a bound not counted.
    kinds: Vec<u64>,
    cut: [u64; Bound::ALL.len()],
}

impl Expanded {
    fn clear(&mut self, kinds: usize) {
        self.shares.iter_mut().for_each(Vec::clear);
        self.kinds.clear();
        self.kinds.resize(kinds, 0);
        self.cut = Default::default();
    }

    /// The candidates that are left, in the order of the rows that they come from: so states that differ little stay
    /// together, and what is looked up for one is near what is looked up for the next.
    fn by_row(&self, rows: usize) -> Vec<Candidate> {
        let mut places = vec![0; rows + 1];
        for candidate in self.shares.iter().flatten() {
            places[candidate.row as usize + 1] += 1;
        }
        let mut sum = 0;
        for place in &mut places {
            sum += *place;
            *place = sum;
        }
        let mut sorted = vec![Candidate { sum: 0, step: 0, row: 0 }; sum];
        for candidate in self.shares.iter().flatten() {
            let place = &mut places[candidate.row as usize];
            sorted[*place] = *candidate;
            *place += 1;
        }
        sorted
    }

    fn candidates(&self) -> usize {
        self.shares.iter().map(Vec::len).sum()
    }
}

/// What keeping the new states of a block gives.
struct Kept {
    /// How many candidates have been looked at.
    done: usize,
    blocks: Vec<Packed>,
    page: Page,
    /// The new states, by their order here, that break properties.
    broken: Vec<(u32, u16)>,
    /// The states kept.
    order: u32,
    /// What must be known to go on.
    misses: Vec<Miss>,
    /// The fingerprints of states that are not to be looked at.
    outside: Vec<u64>,
    /// The goals of the past that the states kept have reached, as bits.
    goals: u64,
    /// A step led to something else than it adds up to.
    is_wrong: bool,
    /// Why a state could not be judged.
    unjudged: Option<String>,
}

/// What one thread does at a time.
enum Job<'a> {
    Keep(&'a mut Work),
    Expand(&'a mut Work),
}

/// What a search saw.
pub struct Report {
    pub ended: Ended,
    pub distinct: u64,
    pub generated: u64,
    pub depth: usize,
    pub cut: BTreeMap<Bound, u64>,
    /// Generated steps within the bounds, by [`Tables::kinds`].
    pub kinds: Vec<u64>,
    /// The goals of the past that some state has reached, as bits.
    pub goals: u64,
    /// For each property that is broken somewhere, the steps to the first state that breaks it.
    pub broken: BTreeMap<PropertyId, Vec<StepId>>,
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
pub fn search(tables: &mut Tables, resolver: &mut dyn Resolver, initial: &[u32], goal: &Goal<'_>) -> Report {
    let mut search = Search {
        crew: Crew::new(goal.limits.threads),
        spare: Mutex::default(),
        tables,
        resolver,
        goal,
        shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        log: Log::default(),
        frontier: VecDeque::new(),
        sifted: Vec::new(),
        next: Vec::new(),
        waiting: 0,
        waiting_bytes: 0,
        depth: 0,
        distinct: 0,
        generated: 0,
        cut: [0; Bound::ALL.len()],
        kinds: Vec::new(),
        goals: 0,
        first_broken: BTreeMap::new(),
        outside: HashSet::new(),
        peak_bytes: 0,
        started: Instant::now(),
    };
    let ended = search.enter(initial).and_then(|()| search.run()).unwrap_or_else(Ended::Failed);
    search.report(ended)
}

/// Whether what was found is what was looked for.
pub fn is_reached<T>(until: &Until, found: &BTreeMap<PropertyId, T>) -> bool {
    match until {
        Until::FirstViolation => !found.is_empty(),
        Until::Violated(all) => !all.is_empty() && all.iter().all(|p| found.contains_key(p)),
        Until::Exhausted => false,
    }
}

impl Work {
    fn new(block: Block) -> Self {
        let kept = Kept {
            done: 0,
            blocks: Vec::new(),
            page: Page::new(block.first),
            broken: Vec::new(),
            order: 0,
            misses: Vec::new(),
            outside: Vec::new(),
            goals: 0,
            is_wrong: false,
            unjudged: None,
        };
        Work { block, expanded: None, judged: Vec::new(), kept }
    }

    fn is_expanded(&self) -> bool {
        self.expanded.as_ref().is_some_and(|expanded| expanded.again.is_empty())
    }
}

struct Search<'a> {
    crew: Crew,
    /// Buffers to be used again.
    spare: Mutex<Vec<Expanded>>,
    tables: &'a mut Tables,
    resolver: &'a mut dyn Resolver,
    goal: &'a Goal<'a>,
    shards: Vec<Shard>,
    log: Log,
    frontier: VecDeque<Block>,
    /// The batch that has been expanded and sifted.
    sifted: Vec<Work>,
    next: Vec<Block>,
    /// The rows in all of them, and the bytes they hold.
    waiting: u64,
    waiting_bytes: u64,
    depth: usize,
    distinct: u64,
    generated: u64,
    cut: [u64; Bound::ALL.len()],
    kinds: Vec<u64>,
    goals: u64,
    /// The first state, by number, that breaks each property.
    first_broken: BTreeMap<PropertyId, u64>,
    /// The fingerprints of states that the front end's judgement excludes.
    outside: HashSet<u64>,
    peak_bytes: u64,
    started: Instant,
}

impl Search<'_> {
    fn report(self, ended: Ended) -> Report {
        Report {
            ended,
            distinct: self.distinct,
            generated: self.generated,
            depth: self.depth,
            cut: Bound::ALL.into_iter().zip(self.cut).filter(|(_, n)| *n > 0).collect(),
            broken: self.first_broken.iter().map(|(&p, &state)| (p, self.log.path_to(state))).collect(),
            peak_bytes: self.peak_bytes,
            seconds: self.started.elapsed().as_secs_f64(),
            kinds: self.kinds,
            goals: self.goals,
        }
    }

    fn run(&mut self) -> Result<Ended, String> {
        loop {
            if self.is_reached() {
                return Ok(Ended::Violated);
            }
            if self.goal.limits.max_depth.is_some_and(|most| self.depth + 1 >= most) {
                return Ok(Ended::MaxDepth);
            }
            self.log.open_level(self.distinct);
            let mut over = None;
            while (over.is_none() && !self.frontier.is_empty()) || !self.sifted.is_empty() {
                // What is under way counts, so it is brought to its end.
                let batch = if over.is_none() { self.next_batch() } else { Vec::new() };
                self.turn(batch)?;
                self.report_progress();
                over = over.or_else(|| self.is_over());
            }
            if let Some(ended) = over {
                return Ok(ended);
            }
            if self.next.is_empty() {
                return Ok(Ended::Exhausted);
            }
            self.depth += 1;
            self.frontier = std::mem::take(&mut self.next).into();
        }
    }

    /// The initial state is the first level.
    fn enter(&mut self, initial: &[u32]) -> Result<(), String> {
        let sum = self.tables.sum(initial);
        self.shards[visited::shard_of(sum)].insert(sum);
        let mut misses = Vec::new();
        let mut broken = self.tables.broken(initial, None, true, &mut misses);
        if !misses.is_empty() {
            self.answer(std::mem::take(&mut misses))?;
            broken = self.tables.broken(initial, None, true, &mut misses);
        }
        broken |= self.resolver.judge(initial, self.tables)?.broken;
        self.note_broken(0, broken);
        (self.distinct, self.generated) = (1, 1);
        self.goals = self.tables.worlds[initial[0] as usize].goals;
        let block = Block { rows: Packed::new(initial, sum), first: 0 };
        (self.waiting, self.waiting_bytes) = (1, block.held());
        self.frontier.push_back(block);
        Ok(())
    }

    fn is_reached(&self) -> bool {
        is_reached(&self.goal.limits.until, &self.first_broken)
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

    fn report_progress(&mut self) {
        let bytes = self.bytes();
        self.peak_bytes = self.peak_bytes.max(bytes);
        (self.goal.progress)(&Progress {
            distinct: self.distinct,
            generated: self.generated,
            depth: self.depth,
            frontier: self.waiting,
            bytes: Some(bytes),
            seconds: self.started.elapsed().as_secs_f64(),
        });
    }

    fn answer(&mut self, misses: Vec<Miss>) -> Result<(), String> {
        misses.into_iter().try_for_each(|miss| self.tables.answer(miss, self.resolver))
    }

    fn note_broken(&mut self, state: u64, broken: u16) {
        let broken = broken & self.goal.asked;
        for property in (0..16).filter(|p| broken >> p & 1 == 1) {
            self.first_broken.entry(PropertyId(property)).or_insert(state);
        }
    }

    /// About [`BATCH`] rows of the frontier.
    fn next_batch(&mut self) -> Vec<Work> {
        let mut batch = Vec::new();
        let mut rows = 0;
        while rows < BATCH
            && let Some(block) = self.frontier.pop_front()
        {
            rows += block.rows.len();
            batch.push(Work::new(block));
        }
        batch
    }

    /// Expands and sifts a new batch, and keeps what the one before it left.
    fn turn(&mut self, mut new: Vec<Work>) -> Result<(), String> {
        let mut sifted = std::mem::take(&mut self.sifted);
        let much = new.len().max(sifted.len()) > 1;
        loop {
            let (tables, resolver, spare) = (&*self.tables, &*self.resolver, &self.spare);
            let keeps = sifted.iter_mut().filter(|work| work.expanded.is_some()).map(Job::Keep);
            let expands = new.iter_mut().filter(|work| !work.is_expanded()).map(Job::Expand);
            self.crew.each(much, keeps.chain(expands), |job| match job {
                Job::Keep(work) => keep_new(tables, resolver, work, spare),
                Job::Expand(work) => expand_block(tables, work, spare),
            });
            let expanding = new.iter_mut().filter_map(|work| work.expanded.as_mut()).map(|e| &mut e.misses);
            let misses = sifted.iter_mut().map(|work| &mut work.kept.misses).chain(expanding);
            let misses: Vec<Miss> = misses.flat_map(std::mem::take).collect();
            if sifted.iter().any(|work| work.kept.is_wrong) {
                return Err(
                    "a step leads to something else than it adds up to (a defect of oneleader)".into()
                );
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
        self.outside.extend(sifted.iter().flat_map(|work| &work.kept.outside));
        sifted.into_iter().for_each(|work| self.take_over(work));
        self.sift(&mut new);
        self.sifted = new;
        Ok(())
    }

    /// Leaves those candidates that are new.
    fn sift(&mut self, batch: &mut [Work]) {
        let much = batch.len() > 1;
        let mut shares: [Vec<&mut Share>; SHARDS] = Default::default();
        for expanded in batch.iter_mut().filter_map(|work| work.expanded.as_mut()) {
            shares.iter_mut().zip(&mut expanded.shares).for_each(|(all, share)| all.push(share));
        }
        self.crew.each(much, self.shards.iter_mut().zip(shares), |(shard, shares)| {
            shares.into_iter().for_each(|share| shard.sift(share, |candidate| candidate.sum));
        });
    }

    /// Counts what expanding a block gave.
    fn count(&mut self, work: &mut Work) {
        let Work { expanded: Some(expanded), judged, .. } = work else { return };
        self.kinds.resize(self.kinds.len().max(expanded.kinds.len()), 0);
        self.kinds.iter_mut().zip(&expanded.kinds).for_each(|(sum, n)| *sum += n);
        self.cut.iter_mut().zip(expanded.cut).for_each(|(sum, n)| *sum += n);
        self.generated += expanded.candidates() as u64;
        if self.resolver.judges() {
            judged.extend(expanded.shares.iter().flatten().map(|candidate| candidate.sum));
        }
    }

    /// Makes what was kept of a block part of the next frontier.
    fn take_over(&mut self, work: Work) {
        let Work { block, judged, kept, .. } = work;
        let outside = judged.iter().filter(|fingerprint| self.outside.contains(fingerprint)).count();
        self.generated -= outside as u64;
        self.goals |= kept.goals;
        for &(order, broken) in &kept.broken {
            self.note_broken(self.distinct + u64::from(order), broken);
        }
        for rows in kept.blocks {
            let block = Block { rows, first: self.distinct };
            self.distinct += block.rows.len() as u64;
            self.put(block);
        }
        if !kept.page.is_empty() {
            self.log.append(kept.page);
        }
        self.waiting -= block.rows.len() as u64;
        self.waiting_bytes -= block.held();
    }

    /// Adds a block to the next frontier, behind the last one where that is small.
    fn put(&mut self, block: Block) {
        self.waiting += block.rows.len() as u64;
        if let Some(last) = self.next.last_mut()
            && last.rows.len() < BLOCK / 2
            && last.rows.len() + block.rows.len() <= BLOCK
        {
            self.waiting_bytes -= last.held();
            last.rows = last.rows.join(&block.rows, self.tables.width());
            self.waiting_bytes += last.held();
        } else {
            self.waiting_bytes += block.held();
            self.next.push(block);
        }
    }
}

/// Expands the rows of a block, or those that something had to be asked for.
fn expand_block(tables: &Tables, work: &mut Work, spare: &Mutex<Vec<Expanded>>) {
    let Work { block, expanded, .. } = work;
    if let Some(expanded) = expanded {
        let again = std::mem::take(&mut expanded.again);
        expanded.kinds.resize(tables.kinds.len(), 0);
        expand_rows(tables, &block.rows, again.into_iter(), expanded);
    } else {
        let expanded = expanded.insert(lock(spare).pop().unwrap_or_default());
        expanded.clear(tables.kinds.len());
        expand_rows(tables, &block.rows, 0..block.rows.len() as u32, expanded);
    }
}

fn expand_rows(tables: &Tables, rows: &Packed, which: impl Iterator<Item = u32>, expanded: &mut Expanded) {
    match rows {
        Packed::Short(rows) => which.for_each(|i| expand_row(tables, rows, i, expanded)),
        Packed::Long(rows) => which.for_each(|i| expand_row(tables, rows, i, expanded)),
    }
}

#[inline]
fn expand_row<C: Cell>(tables: &Tables, rows: &Rows<C>, i: u32, expanded: &mut Expanded) {
    let (row, sum) = (rows.get(i as usize), rows.sum(i as usize));
    let Expanded { shares, misses, again, kinds, cut, .. } = expanded;
    let is_known = tables.try_steps(row, sum, misses, |step, sum, taken| match taken {
        Taken::Step(kind) => {
            kinds[usize::from(kind)] += 1;
            shares[visited::shard_of(sum)].push(Candidate { sum, step, row: i });
        }
        Taken::Beyond(bound) => {
            cut[bound as usize] += 1;
        }
    });
    if !is_known {
        again.push(i);
        take_back(tables, row, sum, expanded);
    }
}

/// Takes back what was taken of a row, by trying its steps once more.
#[cold]
fn take_back<C: Cell>(tables: &Tables, row: &[C], sum: u64, expanded: &mut Expanded) {
    let Expanded { shares, kinds, cut, .. } = expanded;
    tables.try_steps(row, sum, &mut Vec::new(), |_, sum, taken| match taken {
        Taken::Step(kind) => {
            kinds[usize::from(kind)] -= 1;
            shares[visited::shard_of(sum)].pop();
        }
        Taken::Beyond(bound) => {
            cut[bound as usize] -= 1;
        }
    });
}

/// Keeps the new states of a block, or those that nothing must be asked for.
fn keep_new(tables: &Tables, resolver: &dyn Resolver, work: &mut Work, spare: &Mutex<Vec<Expanded>>) {
    let Work { block: Block { rows, first }, expanded, kept, .. } = work;
    let Some(candidates) = expanded.as_ref().map(|e| e.by_row(rows.len())) else { return };
    let candidates = &candidates[kept.done..];
    let is_short = tables.most() <= usize::from(u16::MAX);
    match rows {
        Packed::Short(rows) if is_short => {
            keep(tables, resolver, *first, rows, candidates, kept, Packed::Short);
        }
        Packed::Short(rows) => keep(tables, resolver, *first, rows, candidates, kept, Packed::Long),
        Packed::Long(rows) => keep(tables, resolver, *first, rows, candidates, kept, Packed::Long),
    }
    if kept.misses.is_empty() {
        kept.page.close();
        lock(spare).extend(expanded.take());
    }
}

fn keep<F: Cell, C: Holds<F>>(
    tables: &Tables,
    resolver: &dyn Resolver,
    first: u64,
    from: &Rows<F>,
    candidates: &[Candidate],
    kept: &mut Kept,
    pack: impl Fn(Rows<C>) -> Packed,
) {
    let judges = resolver.judges();
    let width = tables.width();
    let mut left = candidates.len();
    let mut rows = Rows::new(width, left.min(BLOCK));
    for candidate in candidates {
        if rows.len() == BLOCK {
            kept.blocks.push(pack(rows));
            rows = Rows::new(width, left.min(BLOCK));
        }
        left -= 1;
        let row = rows.push_from(from, candidate.row as usize, candidate.sum);
        let world = row[0].id();
        let mut broken = 0;
        if tables.change(from.get(candidate.row as usize), row, candidate.step, &mut kept.misses) {
            if cfg!(debug_assertions) || kept.order.is_multiple_of(PROBES) {
                kept.is_wrong |= !tables.adds_up(row, candidate.sum);
            }
            broken = tables.broken(row, Some(candidate.step), row[0].id() != world, &mut kept.misses);
        } else {
            kept.is_wrong |= kept.misses.is_empty();
        }
        if !kept.misses.is_empty() {
            // The rest must wait, but what else must be known for it is asked at once.
            rows.pop();
            continue;
        }
        kept.done += 1;
        if judges {
            let row: Vec<u32> = row.iter().map(|cell| cell.id()).collect();
            let judgement = match resolver.judge(&row, tables) {
                Ok(judgement) => judgement,
                Err(why) => {
                    kept.unjudged = Some(why);
                    return;
                }
            };
            if !judgement.is_within {
                kept.outside.push(candidate.sum);
                rows.pop();
                continue;
            }
            broken |= judgement.broken;
        }
        if row[0].id() != world {
            kept.goals |= tables.worlds[row[0].id() as usize].goals;
        }
        kept.page.push(first + u64::from(candidate.row), candidate.step);
        if broken != 0 {
            kept.broken.push((kept.order, broken));
        }
        kept.order += 1;
    }
    if !rows.is_empty() {
        rows.close();
        kept.blocks.push(pack(rows));
    }
}
