//! Breadth-first search over rows, level by level, with any number of threads and always the same outcome.
//!
//! The frontier is worked off in batches. A batch goes through three phases, between which all threads meet:
//! 1. *expand*: every step of every row is tried, read-only on the tables; each state found becomes a candidate, its
//!    fingerprint with where it came from. What the tables did not know is then answered by one thread, and the rows
//!    concerned are expanded again.
//! 2. *sift*: candidates are offered to the visited set, shard by shard.
//! 3. *keep*: candidates that are new become rows of the next frontier, are checked, and are noted in the log; what the
//!    tables did not know is answered as before.
//!
//! Neither the order of rows nor the content of any table depends on how many threads there are.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::crew::Crew;
use super::expand::{Taken, Total};
use super::flows::StepId;
use super::log::{Log, Page};
use super::row::{Cell, Holds, Packed, Rows};
use super::tables::{Miss, Resolver, Tables};
use super::visited::{self, SHARDS, Shard};
use crate::check::{Ended, Limits, Progress, Until};
use crate::system::{Bound, PropertyId};

/// How many rows make a batch, about.
const BATCH: usize = 1 << 15;

/// How many rows make a block, at most: the work that one thread claims at a time.
const BLOCK: usize = 1 << 11;

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

/// What expanding a block gave.
#[derive(Default)]
struct Expanded {
    shares: [Share; SHARDS],
    /// How many candidates there were, new or not.
    generated: usize,
    /// The fingerprints of the candidates, if states are judged.
    judged: Vec<u64>,
    /// Rows whose steps are not all known, and what must be.
    again: Vec<u32>,
    misses: Vec<Miss>,
    /// Generated steps by kind, those beyond a bound too.
    kinds: Vec<u64>,
    cut: [u64; Bound::ALL.len()],
    /// The steps of the row that is expanded, and a row that follows it.
    found: Vec<StepId>,
    after: Vec<u32>,
}

impl Expanded {
    fn clear(&mut self, kinds: usize) {
        self.shares.iter_mut().for_each(Vec::clear);
        self.judged.clear();
        self.kinds.clear();
        self.kinds.resize(kinds, 0);
        self.cut = Default::default();
    }
}

/// What keeping the new states of a block gave.
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
        next: Vec::new(),
        waiting: 0,
        waiting_bytes: 0,
        depth: 0,
        distinct: 0,
        generated: 0,
        cut: [0; Bound::ALL.len()],
        kinds: Vec::new(),
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

impl Kept {
    fn new(block: &Block) -> Self {
        Kept {
            done: 0,
            blocks: Vec::new(),
            page: Page::new(block.first),
            broken: Vec::new(),
            order: 0,
            misses: Vec::new(),
            outside: Vec::new(),
        }
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
    next: Vec<Block>,
    /// The rows in both, and the bytes they hold.
    waiting: u64,
    waiting_bytes: u64,
    depth: usize,
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
        }
    }

    fn run(&mut self) -> Result<Ended, String> {
        loop {
            if self.is_reached() {
                return Ok(Ended::Violated);
            }
            self.log.open_level(self.distinct);
            while !self.frontier.is_empty() {
                self.batch()?;
                self.report_progress();
                if let Some(ended) = self.is_over() {
                    return Ok(ended);
                }
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
        broken |= self.resolver.judge(initial, self.tables).broken;
        self.note_broken(0, broken);
        (self.distinct, self.generated) = (1, 1);
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

    /// Works off about [`BATCH`] rows of the frontier.
    fn batch(&mut self) -> Result<(), String> {
        let mut blocks = Vec::new();
        let mut rows = 0;
        while rows < BATCH
            && let Some(block) = self.frontier.pop_front()
        {
            rows += block.rows.len();
            blocks.push(block);
        }
        let mut expanded = self.expand(&blocks)?;
        self.waiting -= rows as u64;
        for e in &expanded {
            self.kinds.resize(self.kinds.len().max(e.kinds.len()), 0);
            self.kinds.iter_mut().zip(&e.kinds).for_each(|(sum, n)| *sum += n);
            self.cut.iter_mut().zip(e.cut).for_each(|(sum, n)| *sum += n);
            self.generated += e.generated as u64;
        }
        self.sift(&mut expanded);
        self.keep(&blocks, &expanded)?;
        self.waiting_bytes -= blocks.iter().map(Block::held).sum::<u64>();
        lock(&self.spare).extend(expanded);
        Ok(())
    }

    fn expand(&mut self, blocks: &[Block]) -> Result<Vec<Expanded>, String> {
        let (tables, spare) = (&*self.tables, &self.spare);
        let mut expanded = self.crew.map(blocks.len() > 1, blocks.iter(), |_, block| {
            let mut expanded = lock(spare).pop().unwrap_or_default();
            expanded.clear(tables.kinds.len());
            expand_rows(tables, &block.rows, 0..block.rows.len() as u32, &mut expanded);
            expanded
        });
        while expanded.iter().any(|e| !e.again.is_empty()) {
            self.answer(expanded.iter_mut().flat_map(|e| std::mem::take(&mut e.misses)).collect())?;
            for (block, e) in blocks.iter().zip(&mut expanded) {
                e.kinds.resize(self.tables.kinds.len(), 0);
                let again = std::mem::take(&mut e.again);
                expand_rows(self.tables, &block.rows, again.into_iter(), e);
            }
        }
        let judges = self.resolver.judges();
        for e in &mut expanded {
            e.generated = e.shares.iter().map(Vec::len).sum();
            if judges {
                e.judged.extend(e.shares.iter().flatten().map(|candidate| candidate.sum));
            }
        }
        Ok(expanded)
    }

    /// Leaves those candidates that are new.
    fn sift(&mut self, expanded: &mut [Expanded]) {
        let much = expanded.len() > 1;
        let mut shares: [Vec<&mut Share>; SHARDS] = Default::default();
        for e in expanded {
            shares.iter_mut().zip(&mut e.shares).for_each(|(all, share)| all.push(share));
        }
        self.crew.map(much, self.shards.iter_mut().zip(shares), |_, (shard, shares)| {
            shares.into_iter().for_each(|share| shard.sift(share, |candidate| candidate.sum));
        });
    }

    fn keep(&mut self, blocks: &[Block], expanded: &[Expanded]) -> Result<(), String> {
        let mut kept: Vec<Kept> = blocks.iter().map(Kept::new).collect();
        let mut is_first = true;
        loop {
            let (tables, resolver) = (&*self.tables, &*self.resolver);
            let work = kept.iter_mut().zip(blocks).zip(expanded);
            let work = work.filter(|((kept, _), _)| is_first || !kept.misses.is_empty());
            self.crew.map(blocks.len() > 1, work, |_, ((kept, block), e)| {
                keep_new(tables, resolver, block, e, kept);
            });
            is_first = false;
            let misses: Vec<Miss> = kept.iter().flat_map(|k| k.misses.iter().copied()).collect();
            if misses.is_empty() {
                break;
            }
            self.answer(misses)?;
        }
        self.outside.extend(kept.iter().flat_map(|k| &k.outside));
        if !self.outside.is_empty() {
            let generated = expanded.iter().flat_map(|e| &e.judged);
            let outside = generated.filter(|fingerprint| self.outside.contains(fingerprint)).count();
            self.generated -= outside as u64;
        }
        for k in kept {
            for &(order, broken) in &k.broken {
                self.note_broken(self.distinct + u64::from(order), broken);
            }
            for rows in k.blocks {
                let block = Block { rows, first: self.distinct };
                self.distinct += block.rows.len() as u64;
                self.put(block);
            }
            if !k.page.is_empty() {
                self.log.append(k.page);
            }
        }
        Ok(())
    }

    /// Adds a block to the next frontier, joining small ones.
    fn put(&mut self, block: Block) {
        self.waiting += block.rows.len() as u64;
        if let Some(last) = self.next.last_mut()
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

fn expand_rows(tables: &Tables, rows: &Packed, which: impl Iterator<Item = u32>, expanded: &mut Expanded) {
    match rows {
        Packed::Short(rows) => which.for_each(|i| expand_row(tables, rows, i, expanded)),
        Packed::Long(rows) => which.for_each(|i| expand_row(tables, rows, i, expanded)),
    }
}

#[inline]
fn expand_row<C: Cell>(tables: &Tables, rows: &Rows<C>, i: u32, expanded: &mut Expanded) {
    let (row, sum) = (rows.get(i as usize), rows.sum(i as usize));
    let Expanded { shares, misses, again, kinds, cut, found, after, .. } = expanded;
    found.clear();
    if !tables.find(row, found, misses) {
        again.push(i);
        return;
    }
    let total = tables.total(row, sum);
    let mut take = |step: StepId, sum: u64, taken: Taken| match taken {
        Taken::Step(kind) => {
            kinds[usize::from(kind)] += 1;
            let share = &mut shares[visited::shard_of(sum)];
            share.push(Candidate { sum, step, row: i });
        }
        Taken::Beyond(bound, kind) => {
            kinds[usize::from(kind)] += 1;
            cut[bound as usize] += 1;
        }
    };
    let mut is_known = true;
    for &step in found.iter() {
        match tables.look(row, total, step, after, misses) {
            Some((sum, taken)) => take(step, sum, taken),
            None => is_known = false,
        }
    }
    is_known &= tables.look_at_whole(row, total, after, misses, &mut take);
    if !is_known {
        again.push(i);
        take_back(tables, row, total, expanded);
    }
}

/// Takes back what was taken of a row, by looking once more.
#[cold]
fn take_back<C: Cell>(tables: &Tables, row: &[C], total: Total, expanded: &mut Expanded) {
    let Expanded { shares, kinds, cut, found, after, .. } = expanded;
    let mut untake = |sum: u64, taken: Taken| match taken {
        Taken::Step(kind) => {
            kinds[usize::from(kind)] -= 1;
            shares[visited::shard_of(sum)].pop();
        }
        Taken::Beyond(bound, kind) => {
            kinds[usize::from(kind)] -= 1;
            cut[bound as usize] -= 1;
        }
    };
    let misses = &mut Vec::new();
    for &step in found.iter() {
        if let Some((sum, taken)) = tables.look(row, total, step, after, misses) {
            untake(sum, taken);
        }
    }
    tables.look_at_whole(row, total, after, misses, &mut |_, sum, taken| untake(sum, taken));
}

/// Keeps the new states of a block, or goes on where something had to be asked.
fn keep_new(tables: &Tables, resolver: &dyn Resolver, block: &Block, expanded: &Expanded, kept: &mut Kept) {
    let is_short = tables.most() <= usize::from(u16::MAX);
    match &block.rows {
        Packed::Short(rows) if is_short => keep(tables, resolver, block, rows, expanded, kept, Packed::Short),
        Packed::Short(rows) => keep(tables, resolver, block, rows, expanded, kept, Packed::Long),
        Packed::Long(rows) => keep(tables, resolver, block, rows, expanded, kept, Packed::Long),
    }
}

fn keep<F: Cell, C: Holds<F>>(
    tables: &Tables,
    resolver: &dyn Resolver,
    block: &Block,
    from: &Rows<F>,
    expanded: &Expanded,
    kept: &mut Kept,
    pack: impl Fn(Rows<C>) -> Packed,
) {
    kept.misses.clear();
    let judges = resolver.judges();
    let width = tables.width();
    let mut left = expanded.shares.iter().map(Vec::len).sum::<usize>() - kept.done;
    let mut rows = Rows::new(width, left.min(BLOCK));
    for candidate in expanded.shares.iter().flatten().skip(kept.done) {
        if rows.len() == BLOCK {
            kept.blocks.push(pack(rows));
            rows = Rows::new(width, left.min(BLOCK));
        }
        left -= 1;
        let row = rows.push_from(from, candidate.row as usize, candidate.sum);
        let world = row[0].id();
        let mut broken = 0;
        if tables.change::<false, _>(row, Total::default(), candidate.step, &mut kept.misses).is_some() {
            debug_assert_eq!(tables.sum(row), candidate.sum, "it adds up to something else");
            broken = tables.broken(row, Some(candidate.step), row[0].id() != world, &mut kept.misses);
        }
        if !kept.misses.is_empty() {
            // The rest must wait, but what else must be known for it is asked at once.
            rows.pop();
            continue;
        }
        kept.done += 1;
        if judges {
            let row: Vec<u32> = row.iter().map(|cell| cell.id()).collect();
            let judgement = resolver.judge(&row, tables);
            if !judgement.is_within {
                kept.outside.push(candidate.sum);
                rows.pop();
                continue;
            }
            broken |= judgement.broken;
        }
        kept.page.push(block.first + u64::from(candidate.row), candidate.step);
        if broken != 0 {
            kept.broken.push((kept.order, broken));
        }
        kept.order += 1;
    }
    if !rows.is_empty() {
        kept.blocks.push(pack(rows));
    }
}
