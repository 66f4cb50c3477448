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
use super::row::{Cell, Look, Packed, Row, Rows};
use super::tables::{Miss, Resolver, Tables};
use super::visited::{self, SHARDS, Shard};
use crate::check::{Ended, Limits, Progress, Until};
use crate::system::{Bound, PropertyId};

/// How many rows make a batch, about.
const BATCH: usize = 1 << 15;

/// How many rows make a block, about: the work that one thread claims at a time.
const BLOCK: usize = 1 << 10;

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stretch of the frontier.
struct Block<C> {
    rows: Rows<C>,
    /// The number of the first row's state; the others follow.
    first: u64,
}

impl<C: Cell> Block<C> {
    fn held(&self) -> u64 {
        self.rows.bytes() + size_of::<Self>() as u64
    }

    fn widen<W: Cell>(&self) -> Block<W> {
        Block { rows: self.rows.widen(), first: self.first }
    }
}

/// A state found: what its components add up to, the row it comes from, the step.
struct Candidate {
    sum: u64,
    row: u32,
    code: Code,
}

/// What expanding a block gave.
#[derive(Default)]
struct Expanded {
    /// Where the cells of each row start.
    starts: Vec<u32>,
    candidates: Vec<Candidate>,
    /// To each owner of shards, those that are its to sift: their fingerprints, and which candidates they are.
    offers: Vec<Vec<(u64, u32)>>,
    /// Rows whose steps are not all known, and what must be.
    again: Vec<u32>,
    misses: Vec<Miss>,
    /// Generated steps by kind, those beyond a bound too.
    kinds: Vec<u64>,
    cut: [u64; Bound::ALL.len()],
}

/// Which candidates of a block are new, a bit a candidate: what one owner of shards found.
type News = Vec<u64>;

/// The positions of the candidates that any owner found to be new, in order.
fn positions<'a>(news: &'a [&News]) -> impl Iterator<Item = usize> + 'a {
    let words = news.first().map_or(0, |first| first.len());
    (0..words).flat_map(|word| {
        let mut bits = news.iter().fold(0, |bits, owner| bits | owner[word]);
        std::iter::from_fn(move || {
            let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
            bits &= bits - 1;
            Some(word * 64 + bit)
        })
    })
}

/// What keeping the new states of a block gave.
struct Kept<C> {
    blocks: Vec<Rows<C>>,
    page: Page,
    /// The new states, by their order here, that break properties.
    broken: Vec<(u32, u16)>,
    /// Those that the tables could not tell about: where the row is, and what to ask.
    doubtful: Vec<Doubt>,
    misses: Vec<Miss>,
    /// The fingerprints of states that are not to be looked at.
    outside: Vec<u64>,
}

struct Doubt {
    order: u32,
    block: usize,
    number: usize,
    start: usize,
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
    let mut search = Search::<u16>::new(tables, resolver, goal);
    let outcome = search.enter(initial).and_then(|()| match search.is_reached() {
        true => Ok(Pause::Over(Ended::Violated)),
        false => search.run(),
    });
    let is_narrow = matches!(outcome, Ok(Pause::Narrow));
    if !is_narrow {
        return search.report(outcome);
    }
    let mut search = search.widen::<u32>();
    let outcome = search.run();
    search.report(outcome)
}

/// Why a search pauses.
enum Pause {
    Over(Ended),
    /// There are more components of a kind than cells can number.
    Narrow,
}

/// Whether what was found is what was looked for.
pub fn is_reached<T>(until: &Until, found: &BTreeMap<PropertyId, T>) -> bool {
    match until {
        Until::FirstViolation => !found.is_empty(),
        Until::Violated(all) => !all.is_empty() && all.iter().all(|p| found.contains_key(p)),
        Until::Exhausted => false,
    }
}

struct Search<'a, C> {
    crew: Crew,
    /// Buffers to be used again.
    spare: Mutex<Vec<Expanded>>,
    spare_rows: Mutex<Vec<Rows<C>>>,
    tables: &'a mut Tables,
    resolver: &'a mut dyn Resolver,
    goal: &'a Goal<'a>,
    shards: Vec<Shard>,
    log: Log,
    frontier: VecDeque<Block<C>>,
    next: Vec<Block<C>>,
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

impl<'a, C: Cell> Search<'a, C> {
    fn new(tables: &'a mut Tables, resolver: &'a mut dyn Resolver, goal: &'a Goal<'a>) -> Self {
        Search {
            crew: Crew::new(goal.limits.threads),
            spare: Mutex::default(),
            spare_rows: Mutex::default(),
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
        }
    }

    /// The same search, with cells for larger numbers.
    fn widen<W: Cell>(self) -> Search<'a, W> {
        let frontier: VecDeque<Block<W>> = self.frontier.iter().map(Block::widen).collect();
        let next: Vec<Block<W>> = self.next.iter().map(Block::widen).collect();
        let waiting_bytes = frontier.iter().chain(&next).map(Block::held).sum();
        Search {
            crew: self.crew,
            spare: self.spare,
            spare_rows: Mutex::default(),
            tables: self.tables,
            resolver: self.resolver,
            goal: self.goal,
            shards: self.shards,
            log: self.log,
            frontier,
            next,
            waiting: self.waiting,
            waiting_bytes,
            depth: self.depth,
            distinct: self.distinct,
            generated: self.generated,
            cut: self.cut,
            kinds: self.kinds,
            first_broken: self.first_broken,
            outside: self.outside,
            peak_bytes: self.peak_bytes,
            started: self.started,
        }
    }

    fn report(self, outcome: Result<Pause, String>) -> Report {
        let ended = match outcome {
            Ok(Pause::Over(ended)) => ended,
            Ok(Pause::Narrow) => {
                Ended::Failed("there are too many different components to number".to_string())
            }
            Err(why) => Ended::Failed(why),
        };
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

    fn run(&mut self) -> Result<Pause, String> {
        loop {
            while !self.frontier.is_empty() {
                if !self.batch()? {
                    return Ok(Pause::Narrow);
                }
                self.report_progress();
                if let Some(ended) = self.is_over() {
                    return Ok(Pause::Over(ended));
                }
            }
            if self.next.is_empty() {
                return Ok(Pause::Over(Ended::Exhausted));
            }
            self.depth += 1;
            self.frontier = std::mem::take(&mut self.next).into();
            if self.is_reached() {
                return Ok(Pause::Over(Ended::Violated));
            }
            self.log.open_level(self.distinct);
        }
    }

    /// The initial state is the first level.
    fn enter(&mut self, initial: &Row) -> Result<(), String> {
        self.shards[visited::shard_of(fingerprint(initial.sum))].insert(fingerprint(initial.sum));
        let mut misses = Vec::new();
        let mut broken = self.tables.broken(initial, None, true, &mut misses);
        if !misses.is_empty() {
            self.resolve(std::mem::take(&mut misses))?;
            broken = self.tables.broken(initial, None, true, &mut misses);
        }
        broken |= self.resolver.judge(initial).broken;
        self.note_broken(0, broken);
        (self.distinct, self.generated) = (1, 1);
        if self.is_narrow() {
            return Err("the initial state has more than 65,535 components".to_string());
        }
        let mut block = Block { rows: Rows::default(), first: 0 };
        block.rows.push(initial);
        (self.waiting, self.waiting_bytes) = (1, block.held());
        self.frontier.push_back(block);
        self.log.open_level(self.distinct);
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

    fn is_narrow(&self) -> bool {
        self.tables.most() > C::MOST
    }

    /// Works off about [`BATCH`] rows of the frontier, or finds that the cells are too narrow for that.
    fn batch(&mut self) -> Result<bool, String> {
        let mut blocks = Vec::new();
        let mut rows = 0;
        while rows < BATCH
            && let Some(block) = self.frontier.pop_front()
        {
            rows += block.rows.len();
            blocks.push(block);
        }
        let expanded = self.expand(&blocks)?;
        if self.is_narrow() {
            blocks.into_iter().rev().for_each(|block| self.frontier.push_front(block));
            return Ok(false);
        }
        self.waiting -= rows as u64;
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
        Ok(true)
    }

    fn expand(&mut self, blocks: &[Block<C>]) -> Result<Vec<Expanded>, String> {
        let (tables, spare, owners) = (&*self.tables, &self.spare, self.crew.threads);
        let mut expanded = self.crew.map(blocks.len() > 1, blocks.iter(), |_, block| {
            let used = lock(spare).pop();
            expand_block(tables, block, owners, used.unwrap_or_default())
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

    /// Which candidates are new: for each owner of shards, and each block.
    fn sift(&mut self, expanded: &[Expanded]) -> Vec<Vec<News>> {
        let holdings = visited::hand_out(&mut self.shards, self.crew.threads);
        let much = expanded.len() > 1;
        self.crew.map(much, holdings.into_iter(), |owner, mut holding| {
            let news = |e: &Expanded| {
                let mut news = vec![0; e.candidates.len().div_ceil(64)];
                holding.offer(&e.offers[owner], |i| news[i as usize / 64] |= 1 << (i % 64));
                news
            };
            expanded.iter().map(news).collect()
        })
    }

    fn keep(
        &mut self,
        blocks: &[Block<C>],
        expanded: &[Expanded],
        sifted: &[Vec<News>],
    ) -> Result<(), String> {
        let news = |block: usize| sifted.iter().map(|owner| &owner[block]).collect::<Vec<_>>();
        let work = blocks.iter().zip(expanded).enumerate().map(|(i, (block, e))| (block, e, news(i)));
        let (tables, resolver, spare) = (&*self.tables, &*self.resolver, &self.spare_rows);
        let kept = self.crew.map(blocks.len() > 1, work, |_, (block, e, news)| {
            keep_new(tables, resolver, spare, block, e, positions(&news))
        });
        self.outside.extend(kept.iter().flat_map(|k: &Kept<C>| &k.outside));
        if !self.outside.is_empty() {
            let generated = expanded.iter().flat_map(|e| &e.offers).flatten();
            let outside = generated.filter(|(f, _)| self.outside.contains(f)).count();
            self.generated -= outside as u64;
        }
        for mut k in kept {
            let first = self.distinct;
            self.settle(&mut k)?;
            for &(order, broken) in &k.broken {
                self.note_broken(first + u64::from(order), broken);
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

    /// Asks again about states that the tables could not tell about.
    fn settle(&mut self, kept: &mut Kept<C>) -> Result<(), String> {
        if kept.doubtful.is_empty() {
            return Ok(());
        }
        self.resolve(std::mem::take(&mut kept.misses))?;
        for doubt in &kept.doubtful {
            let row = kept.blocks[doubt.block].get(doubt.number, doubt.start, self.tables.shape.nodes);
            let broken = self.tables.broken(&row, doubt.changed, doubt.new_world, &mut Vec::new());
            kept.broken.push((doubt.order, broken));
        }
        kept.broken.sort_unstable();
        Ok(())
    }

    /// Adds a block to the next frontier, joining small ones.
    fn put(&mut self, block: Block<C>) {
        self.waiting += block.rows.len() as u64;
        if let Some(last) = self.next.last_mut()
            && last.rows.len() + block.rows.len() <= BLOCK
        {
            self.waiting_bytes -= last.held();
            last.rows.append(block.rows);
            self.waiting_bytes += last.held();
        } else {
            self.waiting_bytes += block.held();
            self.next.push(block);
        }
    }
}

/// Expands all rows of a block, into what another block's expansion has left behind.
fn expand_block<C: Cell>(
    tables: &Tables,
    block: &Block<C>,
    owners: usize,
    mut expanded: Expanded,
) -> Expanded {
    expanded.starts.clear();
    expanded.candidates.clear();
    expanded.offers.resize_with(owners, Vec::new);
    expanded.offers.iter_mut().for_each(Vec::clear);
    expanded.kinds.clear();
    expanded.kinds.resize(tables.kinds.len(), 0);
    expanded.cut = Default::default();
    let mut out = Row::default();
    for (i, (start, row)) in block.rows.iter(tables.shape.nodes).enumerate() {
        expanded.starts.push(start as u32);
        expand_row(tables, &row, i as u32, &mut out, &mut expanded);
    }
    expanded
}

fn expand_rows<C: Cell>(
    tables: &Tables,
    block: &Block<C>,
    rows: impl Iterator<Item = u32>,
    expanded: &mut Expanded,
) {
    let mut out = Row::default();
    expanded.kinds.resize(tables.kinds.len(), 0);
    for i in rows {
        let row = block.rows.get(i as usize, expanded.starts[i as usize] as usize, tables.shape.nodes);
        expand_row(tables, &row, i, &mut out, expanded);
    }
}

/// Expands one row; `out` is lent.
#[inline]
fn expand_row<C: Cell>(tables: &Tables, row: &Packed<'_, C>, i: u32, out: &mut Row, expanded: &mut Expanded) {
    let owners = expanded.offers.len();
    let Expanded { candidates, offers, misses, again, kinds, cut, .. } = expanded;
    let known = tables.expand(row, out, misses, |code, sum, taken| match taken {
        Taken::Step(kind) => {
            kinds[usize::from(kind)] += 1;
            let fingerprint = fingerprint(sum);
            offers[visited::owner_of(fingerprint, owners)].push((fingerprint, candidates.len() as u32));
            candidates.push(Candidate { sum, row: i, code });
        }
        Taken::Beyond(bound, kind) => {
            kinds[usize::from(kind)] += 1;
            cut[bound as usize] += 1;
        }
        Taken::No | Taken::Unknown => {}
    });
    if !known {
        again.push(i);
        // What was taken is taken back, by asking once more.
        tables.expand(row, out, &mut Vec::new(), |_, sum, taken| match taken {
            Taken::Step(kind) => {
                kinds[usize::from(kind)] -= 1;
                offers[visited::owner_of(fingerprint(sum), owners)].pop();
                candidates.pop();
            }
            Taken::Beyond(bound, kind) => {
                kinds[usize::from(kind)] -= 1;
                cut[bound as usize] -= 1;
            }
            Taken::No | Taken::Unknown => {}
        });
    }
}

fn keep_new<C: Cell>(
    tables: &Tables,
    resolver: &dyn Resolver,
    spare: &Mutex<Vec<Rows<C>>>,
    block: &Block<C>,
    expanded: &Expanded,
    news: impl Iterator<Item = usize>,
) -> Kept<C> {
    let mut kept = Kept {
        blocks: Vec::new(),
        page: Page::new(block.first),
        broken: Vec::new(),
        doubtful: Vec::new(),
        misses: Vec::new(),
        outside: Vec::new(),
    };
    let nodes = tables.shape.nodes;
    let judges = resolver.judges();
    let mut rows = lock(spare).pop().unwrap_or_default();
    let mut out = Row::default();
    let mut order = 0;
    for &Candidate { sum, row: number, code } in news.map(|i| &expanded.candidates[i]) {
        let row = block.rows.get(number as usize, expanded.starts[number as usize] as usize, nodes);
        let mut judged = 0;
        if judges {
            tables.apply(&row, code, &mut out, &mut kept.misses);
            let judgement = resolver.judge(&out);
            if !judgement.is_within {
                kept.outside.push(fingerprint(sum));
                continue;
            }
            judged = judgement.broken;
        }
        if rows.len() == BLOCK {
            kept.blocks.push(rows.take());
        }
        let here = kept.blocks.len();
        let (world, changed) = if judges {
            rows.push(&out);
            (out.world, tables.node_of(&row, code))
        } else {
            tables.append(&row, code, sum, &mut out, &mut rows)
        };
        kept.page.push(block.first + u64::from(number), code);

        // Where no node's own state changed, only the world did, or what time allows.
        let (changed, new_world) = (Some(changed.unwrap_or(usize::MAX)), row.world() != world);
        let known = kept.misses.len();
        let (number, start) = (rows.len() - 1, rows.last_start());
        let broken = tables.broken(&rows.get(number, start, nodes), changed, new_world, &mut kept.misses);
        if kept.misses.len() > known {
            kept.doubtful.push(Doubt { order, block: here, number, start, changed, new_world });
        } else if broken | judged != 0 {
            kept.broken.push((order, broken | judged));
        }
        order += 1;
    }
    if !rows.is_empty() {
        kept.blocks.push(rows.take());
    }
    lock(spare).push(rows);
    kept
}
