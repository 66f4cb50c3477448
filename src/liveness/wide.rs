//! A graph of all that a system can do, and maybe of more: where numbers have come apart, it is
//! forgotten how far. What is true of all runs in it is true of all runs of the system.
//!
//! Each tick between states with wide gaps says whether their excess fell or rose. The excess of a
//! real run is a number: it cannot fall again and again and rise only finitely often. A run in the
//! graph that keeps to this is called *possible* here.

use super::answer::{Answer, Decision, Question, Random};
use super::components::{Blocks, Sum};
use super::end_components::end_components;
use super::fixpoints::{Before, FAR, Kind, Part, distances};
use super::graph::{Edge, Graph};

/// A mark: the excess of wide gaps has fallen in the tick.
pub const FALLS: u32 = 1 << 30;
/// A mark: the excess of wide gaps has risen in the tick.
pub const RISES: u32 = 1 << 31;

/// Whether the excess of wide gaps has fallen or risen, as a mark.
pub(super) fn change(before: u64, after: u64) -> u32 {
    match after.cmp(&before) {
        std::cmp::Ordering::Less => FALLS,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => RISES,
    }
}

/// What is certain of a system, given what is decided of a graph in which some of its runs are left
/// out, and a graph, `wide`, that has all of its runs and maybe others. No run in it counts that
/// takes edges with [`FALLS`] infinitely often, and those with [`RISES`] only finitely often. The
/// states that are `real` stand for some that the system can reach.
///
/// The evidence stays: it is of the first graph, and real.
///
/// # Errors
/// What components of `wide` say is not confirmed by fixpoints: a defect.
pub fn decide_wide(
    wide: &Graph,
    real: &[u32],
    question: &Question,
    narrow: Decision,
) -> Result<Decision, String> {
    let wide = Wide::new(wide);
    if !wide.is_whole() {
        return Ok(narrow);
    }
    let is_refuted = match narrow.answer {
        Answer::Unknown { refuted } => refuted,
        Answer::CanBeLost { .. } => true,
        _ => return Ok(narrow),
    };
    let (good, bad) = (Runs::good(question), Runs::bad(question));
    let answer = match narrow.answer {
        _ if is_refuted && !wide.has(&good)? => Answer::Never,
        Answer::Unknown { refuted: false } if !wide.has(&bad)? => Answer::Guaranteed,
        Answer::Unknown { refuted: true } if !wide.can_be_held(&bad)? => {
            Answer::AlmostSure { random: Random::Timeouts }
        }
        Answer::Unknown { refuted: true } => match wide.loses(real, &good)? {
            Some(for_good) => Answer::CanBeLost { for_good },
            None => narrow.answer,
        },
        known => known,
    };
    Ok(Decision { answer, ..narrow })
}

/// Runs that repeat edges of some kind only, among which for each of some masks is one that lacks
/// it, and for each of others one that has one of its marks.
struct Runs {
    without: u32,
    carrying: u32,
    lacking: Vec<u32>,
    having: Vec<u32>,
}

impl Runs {
    fn all() -> Self {
        Runs { without: 0, carrying: 0, lacking: Vec::new(), having: Vec::new() }
    }

    /// The good runs that are possible, as several families.
    fn good(question: &Question) -> Vec<Runs> {
        let good = match question {
            Question::Persists { one_of } => {
                one_of.iter().map(|mask| Runs { carrying: *mask, ..Runs::all() }).collect()
            }
            Question::Recurs { any } => vec![Runs { having: vec![*any], ..Runs::all() }],
        };
        good.into_iter().flat_map(Runs::possible).collect()
    }

    /// The bad runs that are possible, as several families.
    fn bad(question: &Question) -> Vec<Runs> {
        let bad = match question {
            Question::Persists { one_of } => Runs { lacking: one_of.clone(), ..Runs::all() },
            Question::Recurs { any } => Runs { without: *any, ..Runs::all() },
        };
        bad.possible().into()
    }

    /// Those that rise again and again, and those that fall only finitely often.
    fn possible(mut self) -> [Runs; 2] {
        let Runs { without, carrying, lacking, having } = &self;
        let (lacking, having) = (lacking.clone(), having.clone());
        let level = Runs { without: without | FALLS, carrying: *carrying, lacking, having };
        self.having.push(RISES);
        [self, level]
    }

    fn allows(&self, edge: &Edge) -> bool {
        !edge.adversary && edge.marks & self.without == 0 && edge.carries(self.carrying)
    }

    /// Whether a run is one of these that repeats all edges of a block, given that it may repeat
    /// them.
    fn has(&self, sum: &Sum) -> bool {
        sum.has_edge
            && self.lacking.iter().all(|mask| sum.all & mask != *mask)
            && self.having.iter().all(|any| sum.some & any != 0)
    }

    /// What kinds of edges such a run must have.
    fn kinds(&self) -> Vec<Box<Kind<'_>>> {
        let lacking = self.lacking.iter();
        let lacking =
            lacking.map(|mask| Box::new(move |edge: &Edge| !edge.carries(*mask)) as Box<Kind>);
        let having = self.having.iter();
        let having =
            having.map(|any| Box::new(move |edge: &Edge| edge.marks & any != 0) as Box<Kind>);
        lacking.chain(having).collect()
    }
}

struct Wide<'a> {
    graph: &'a Graph,
    /// The states that are looked at. No edges lead out of them but those of the adversary.
    reached: Vec<bool>,
}

impl<'a> Wide<'a> {
    fn new(graph: &'a Graph) -> Self {
        let reached = distances(graph).into_iter().map(|distance| distance != FAR).collect();
        Wide { graph, reached }
    }

    /// Of the same graph, what comes after a state if the environment does nothing.
    fn after(&self, state: u32) -> Self {
        let (mut reached, mut open) = (vec![false; self.reached.len()], vec![state]);
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut reached[state as usize], true) {
                let own = self.graph.out(state).iter().filter(|edge| !edge.adversary);
                open.extend(own.map(|edge| edge.to));
            }
        }
        Wide { graph: self.graph, reached }
    }

    fn states(&self) -> impl Iterator<Item = u32> {
        (0..self.graph.states()).filter(|state| self.reached[*state as usize])
    }

    /// Whether time goes on from every state, and all ticks are there.
    fn is_whole(&self) -> bool {
        !self.states().any(|state| self.graph.is_stop(state) || self.graph.is_cut(state))
    }

    /// Whether there is one of these runs.
    fn has(&self, runs: &[Runs]) -> Result<bool, String> {
        self.any(runs, Wide::components, |part, kinds| part.has_walk(kinds))
    }

    /// Whether an order of delivery can keep a run to these, with some probability.
    fn can_be_held(&self, runs: &[Runs]) -> Result<bool, String> {
        let before = Before::new(self.graph);
        self.any(runs, Wide::end_components, |part, kinds| part.can_be_held(&before, kinds))
    }

    /// Whether from one of these states, if the environment does nothing more, a run is with
    /// probability one none of the good ones, for every order: `Some`. And whether from one of them
    /// no run is a good one.
    fn loses(&self, from: &[u32], good: &[Runs]) -> Result<Option<bool>, String> {
        let unconfirmed = || Err("a part and the whole do not agree".to_string());
        if let Some(state) = self.hopeless(from, good, Wide::components) {
            return if self.after(state).has(good)? { unconfirmed() } else { Ok(Some(true)) };
        }
        if let Some(state) = self.hopeless(from, good, Wide::end_components) {
            return if self.after(state).can_be_held(good)? {
                unconfirmed()
            } else {
                Ok(Some(false))
            };
        }
        Ok(None)
    }

    /// The first of these states from which no block can be reached whose edges are such a run.
    fn hopeless(
        &self,
        from: &[u32],
        runs: &[Runs],
        blocks: impl Fn(&Self, &Kind) -> Blocks,
    ) -> Option<u32> {
        let mut hopeful = vec![false; self.reached.len()];
        for runs in runs {
            let blocks = blocks(self, &|edge| runs.allows(edge));
            for state in self.states() {
                let is_in = blocks.block(state).is_some_and(|block| runs.has(&blocks.sums[block]));
                hopeful[state as usize] |= is_in;
            }
        }
        let own = |edge: &Edge| !edge.adversary;
        let all = Part::new(self.graph, self.reached.clone(), &own);
        let hopeful = all.reaching(&Before::new(self.graph), |state| hopeful[state as usize]);
        from.iter().copied().find(|state| !hopeful[*state as usize])
    }

    /// Whether the edges of some block are one of these runs; by fixpoints as well, to confirm it.
    fn any(
        &self,
        runs: &[Runs],
        blocks: impl Fn(&Self, &Kind) -> Blocks,
        confirm: impl Fn(Part, &[&Kind]) -> bool,
    ) -> Result<bool, String> {
        let mut is_any = false;
        for runs in runs {
            let keeps = |edge: &Edge| runs.allows(edge);
            let found = blocks(self, &keeps).sums.iter().any(|sum| runs.has(sum));
            let kinds = runs.kinds();
            let kinds: Vec<&Kind> = kinds.iter().map(|kind| &**kind).collect();
            if confirm(Part::new(self.graph, self.reached.clone(), &keeps), &kinds) != found {
                return Err("components and fixpoints do not agree".to_string());
            }
            is_any |= found;
        }
        Ok(is_any)
    }

    fn components(&self, keeps: &Kind) -> Blocks {
        Blocks::search(self.graph, self.states(), |_, edge| keeps(edge), keeps)
    }

    fn end_components(&self, keeps: &Kind) -> Blocks {
        let Blocks { of, .. } = self.components(keeps);
        let (of, blocks) = end_components(self.graph, of, keeps);
        Blocks::summed(self.graph, of, blocks, keeps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tick_says_whether_the_excess_fell_or_rose() {
        assert_eq!([change(2, 1), change(2, 2), change(2, 3)], [FALLS, 0, RISES]);
    }
}
