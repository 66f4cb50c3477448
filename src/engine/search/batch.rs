//! The first stage of a batch: to expand rows into candidates.

use std::sync::Mutex;

use super::keep::Kept;
use super::{Cuts, lock};
use crate::engine::ids::{Number, StepId, narrow, widen};
use crate::engine::program::{Miss, Program, Taken};
use crate::engine::row::{Cell, Packed, Rows};
use crate::engine::visited::{self, SHARDS};

/// The most rows of a block. A block is the work that one thread claims at a time.
pub(super) const BLOCK: usize = 1 << 11;

/// Consecutive rows of a frontier.
pub(super) struct Block {
    pub(super) rows: Packed,
    /// The number of the first row's state; the others follow.
    pub(super) first: u64,
}

impl Block {
    /// The bytes held.
    pub(super) fn bytes(&self) -> u64 {
        self.rows.bytes() + size_of::<Self>() as u64
    }
}

/// A state that was found.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    /// Its fingerprint.
    pub(super) sum: u64,
    /// The step that leads to it.
    pub(super) step: StepId,
    /// The row, by its position in the block, in which that step is taken.
    pub(super) row: u32,
}

/// The candidates of a block that one shard sifts: first all of them, then those that are new.
pub(super) type Share = Vec<Candidate>;

/// A block that is being worked on, and the results of its stages so far.
pub(super) struct Work {
    pub(super) block: Block,
    /// `None` before the block is expanded, and again when all that is new is kept.
    pub(super) expanded: Option<Expanded>,
    /// The fingerprints of all candidates, if states are judged.
    pub(super) judged: Vec<u64>,
    pub(super) kept: Kept,
}

impl Work {
    pub(super) fn new(block: Block) -> Self {
        let kept = Kept::new(block.first);
        Work { block, expanded: None, judged: Vec::new(), kept }
    }

    /// Whether every row has been expanded.
    pub(super) fn is_expanded(&self) -> bool {
        self.expanded.as_ref().is_some_and(|expanded| expanded.again.is_empty())
    }
}

/// The result of expanding a block. It takes much memory, so the memory is used again.
#[derive(Default)]
pub(super) struct Expanded {
    pub(super) shares: [Share; SHARDS],
    /// The rows that must be tried again once the misses are answered.
    again: Vec<u32>,
    pub(super) misses: Vec<Miss>,
    /// What each counter of the tally has counted: generated steps within the bounds.
    pub(super) counts: Vec<u64>,
    pub(super) cut: Cuts,
}

impl Expanded {
    fn clear(&mut self, counters: usize) {
        self.shares.iter_mut().for_each(Vec::clear);
        self.counts.clear();
        self.counts.resize(counters, 0);
        self.cut = Cuts::default();
    }

    /// The candidates that are left, in the order of the rows that they come from; `rows` is the
    /// number of those rows. States that differ little then stand together, and so do the table
    /// entries that are looked up for them.
    pub(super) fn by_row(&self, rows: usize) -> Vec<Candidate> {
        let mut places = vec![0; rows + 1];
        for candidate in self.shares.iter().flatten() {
            places[widen(candidate.row) + 1] += 1;
        }
        let mut sum = 0;
        for place in &mut places {
            sum += *place;
            *place = sum;
        }
        let mut sorted = vec![Candidate { sum: 0, step: StepId::FIRST, row: 0 }; sum];
        for candidate in self.shares.iter().flatten() {
            let place = &mut places[widen(candidate.row)];
            sorted[*place] = *candidate;
            *place += 1;
        }
        sorted
    }

    /// How many candidates there are.
    pub(super) fn candidates(&self) -> usize {
        self.shares.iter().map(Vec::len).sum()
    }
}

/// Expands the rows of a block; or, if that was done before, those rows for which the program did
/// not know everything.
pub(super) fn expand_block(program: &Program, work: &mut Work, spare: &Mutex<Vec<Expanded>>) {
    let Work { block, expanded, .. } = work;
    if let Some(expanded) = expanded {
        let again = std::mem::take(&mut expanded.again);
        expanded.counts.resize(program.counters(), 0);
        expand_rows(program, &block.rows, again.into_iter(), expanded);
    } else {
        let expanded = expanded.insert(lock(spare).pop().unwrap_or_default());
        expanded.clear(program.counters());
        expand_rows(program, &block.rows, 0..narrow(block.rows.len()), expanded);
    }
}

fn expand_rows(
    program: &Program,
    rows: &Packed,
    which: impl Iterator<Item = u32>,
    expanded: &mut Expanded,
) {
    match rows {
        Packed::Short(rows) => which.for_each(|i| expand_row(program, rows, i, expanded)),
        Packed::Long(rows) => which.for_each(|i| expand_row(program, rows, i, expanded)),
    }
}

#[inline]
fn expand_row<C: Cell>(program: &Program, rows: &Rows<C>, i: u32, expanded: &mut Expanded) {
    let (row, sum) = (rows.get(widen(i)), rows.sum(widen(i)));
    let Expanded { shares, misses, again, counts, cut } = expanded;
    let is_known = program.try_steps(row, sum, misses, |step, sum, taken| match taken {
        Taken::Step(counter) => {
            counts[counter.position()] += 1;
            shares[visited::shard_of(sum)].push(Candidate { sum, step, row: i });
        }
        Taken::Beyond(bound) => cut.count(bound),
    });
    if !is_known {
        again.push(i);
        take_back(program, row, sum, expanded);
    }
}

/// Takes back what was found from a row, by trying its steps once more.
#[cold]
fn take_back<C: Cell>(program: &Program, row: &[C], sum: u64, expanded: &mut Expanded) {
    let Expanded { shares, counts, cut, .. } = expanded;
    program.try_steps(row, sum, &mut Vec::new(), |_, sum, taken| match taken {
        Taken::Step(counter) => {
            counts[counter.position()] -= 1;
            shares[visited::shard_of(sum)].pop();
        }
        Taken::Beyond(bound) => cut.take_back(bound),
    });
}
