//! The last stage of a batch: to keep the states that are new.

use std::sync::Mutex;

use super::batch::{BLOCK, Block, Candidate, Expanded, Work};
use super::lock;
use crate::engine::error::EngineError;
use crate::engine::ids::widen;
use crate::engine::log::Page;
use crate::engine::program::Source;
use crate::engine::program::{Miss, Program};
use crate::engine::row::{Cell, CopyFrom, Packed, Rows};
use crate::semantics::PropertySet;

/// For one new state in so many the fingerprint is computed anew from the components, and compared
/// with the one by which the state was found.
const PROBES: u32 = 64;

/// The result of keeping the new states of a block.
pub(super) struct Kept {
    /// How many candidates have been looked at.
    done: usize,
    pub(super) blocks: Vec<Packed>,
    pub(super) page: Page,
    /// The new states that break properties, by their order among those kept here.
    pub(super) broken: Vec<(u32, PropertySet)>,
    /// How many states have been kept.
    order: u32,
    /// What the program must learn before this can go on.
    pub(super) misses: Vec<Miss>,
    /// The fingerprints of states that the source's judgement excludes.
    pub(super) outside: Vec<u64>,
    /// The goals of the past that the states kept have reached, as bits.
    pub(super) goals: u64,
    /// Whether a fingerprint that was computed anew was another one: a mistake of this crate.
    pub(super) is_wrong: bool,
    /// Why a state could not be judged.
    pub(super) unjudged: Option<EngineError>,
}

impl Kept {
    /// Nothing is kept yet. The number is that of the state in the block's first row.
    pub(super) fn new(first: u64) -> Kept {
        Kept {
            done: 0,
            blocks: Vec::new(),
            page: Page::new(first),
            broken: Vec::new(),
            order: 0,
            misses: Vec::new(),
            outside: Vec::new(),
            goals: 0,
            is_wrong: false,
            unjudged: None,
        }
    }
}

/// Keeps the new states of a block. It starts where it stopped before, and stops at the first state
/// for which the program does not know everything.
pub(super) fn keep_new(
    program: &Program,
    source: &dyn Source,
    work: &mut Work,
    spare: &Mutex<Vec<Expanded>>,
) {
    let Work { block: Block { rows, first }, expanded, kept, .. } = work;
    let Some(candidates) = expanded.as_ref().map(|e| e.by_row(rows.len())) else { return };
    let candidates = &candidates[kept.done..];
    let is_short = program.most() <= usize::from(u16::MAX);
    let mut keeper = Keeper { program, source, first: *first, kept };
    match rows {
        Packed::Short(rows) if is_short => keeper.keep(rows, candidates, Packed::Short),
        Packed::Short(rows) => keeper.keep(rows, candidates, Packed::Long),
        Packed::Long(rows) => keeper.keep(rows, candidates, Packed::Long),
    }
    if kept.misses.is_empty() {
        kept.page.close();
        lock(spare).extend(expanded.take());
    }
}

/// What keeping needs.
struct Keeper<'a> {
    program: &'a Program,
    source: &'a dyn Source,
    /// The number of the state of the block's first row.
    first: u64,
    kept: &'a mut Kept,
}

impl Keeper<'_> {
    fn keep<F: Cell, C: CopyFrom<F>>(
        &mut self,
        from: &Rows<F>,
        candidates: &[Candidate],
        pack: impl Fn(Rows<C>) -> Packed,
    ) {
        let judges = self.source.judges();
        let width = self.program.width();
        let mut left = candidates.len();
        let mut rows = Rows::new(width, left.min(BLOCK));
        for candidate in candidates {
            if rows.len() == BLOCK {
                self.kept.blocks.push(pack(rows));
                rows = Rows::new(width, left.min(BLOCK));
            }
            left -= 1;
            let row = rows.push_from(from, widen(candidate.row), candidate.sum);
            let world = row[0].world();
            let mut broken = self.change(from.get(widen(candidate.row)), row, candidate);
            let kept = &mut *self.kept;
            if !kept.misses.is_empty() {
                // This state and all behind it must wait. The misses of all of them are collected
                // now.
                rows.pop();
                continue;
            }
            kept.done += 1;
            if judges {
                let row: Vec<u32> = row.iter().map(|cell| cell.bits()).collect();
                let judgement = match self.source.judge(&row, self.program) {
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
            if row[0].world() != world {
                kept.goals |= self.program.world(row[0].world()).goals;
            }
            kept.page.push(self.first + u64::from(candidate.row), candidate.step);
            if !broken.is_empty() {
                kept.broken.push((kept.order, broken));
            }
            kept.order += 1;
        }
        if !rows.is_empty() {
            rows.close();
            self.kept.blocks.push(pack(rows));
        }
    }

    /// Changes a copy of the row `before` into the state that was found, as far as everything is
    /// known. Returns the properties that this state breaks.
    #[inline]
    fn change<F: Cell, C: Cell>(
        &mut self,
        before: &[F],
        row: &mut [C],
        candidate: &Candidate,
    ) -> PropertySet {
        let Keeper { program, kept, .. } = self;
        let world = row[0].world();
        if !program.change(before, row, candidate.step, &mut kept.misses) {
            // The change failed, and nothing was missing: so the step cannot be taken.
            kept.is_wrong |= kept.misses.is_empty();
            return PropertySet::EMPTY;
        }
        if cfg!(debug_assertions) || kept.order.is_multiple_of(PROBES) {
            kept.is_wrong |= !program.adds_up(row, candidate.sum);
        }
        let is_new_world = row[0].world() != world;
        program.broken(row, Some(candidate.step), is_new_world, &mut kept.misses)
    }
}
