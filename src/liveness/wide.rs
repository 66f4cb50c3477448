//! A graph of all that a system can do, and maybe of more: where numbers have come apart, it is
//! forgotten how far. What is true of all runs in it is true of all runs of the system.
//!
//! Each tick between states with wide gaps says whether their excess fell or rose. The excess of a
//! real run is a number: it cannot fall again and again and rise only finitely often. A run in the
//! graph that keeps to this is called *possible* here.

use super::answer::{Answer, Decision, Question, Random};
use super::components::Blocks;
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
/// takes edges with [`FALLS`] infinitely often, and those with [`RISES`] only finitely often.
///
/// The evidence stays: it is of the first graph, and real.
///
/// # Errors
/// What components of `wide` say is not confirmed by fixpoints: a defect.
pub fn decide_wide(
    wide: &Graph,
    question: &Question,
    narrow: Decision,
) -> Result<Decision, String> {
    let wide = Wide::new(wide, question);
    if !wide.is_whole() {
        return Ok(narrow);
    }
    let is_refuted = match narrow.answer {
        Answer::Unknown { refuted } => refuted,
        Answer::CanBeLost { .. } => true,
        _ => return Ok(narrow),
    };
    let answer = match narrow.answer {
        _ if is_refuted && !wide.is_possible(&Runs::good)? => Answer::Never,
        Answer::Unknown { refuted: false } if !wide.is_possible(&Runs::bad)? => Answer::Guaranteed,
        Answer::Unknown { refuted: true } if !wide.can_be_held(&Runs::bad)? => {
            Answer::AlmostSure { random: Random::Timeouts }
        }
        Answer::Unknown { refuted: true } if !wide.can_be_held(&Runs::good)? => {
            Answer::CanBeLost { for_good: false }
        }
        known => known,
    };
    Ok(Decision { answer, ..narrow })
}

/// Runs that repeat edges of some kind only, among which for each of some masks is one that lacks
/// it, and one that has one of the marks.
struct Runs {
    without: u32,
    carrying: u32,
    lacking: Vec<u32>,
    /// `None`: no mark is needed.
    having: Option<u32>,
}

impl Runs {
    /// The good runs, as several families.
    fn good(question: &Question) -> Vec<Runs> {
        let none = || Runs { without: 0, carrying: 0, lacking: Vec::new(), having: None };
        match question {
            Question::Persists { one_of } => {
                one_of.iter().map(|mask| Runs { carrying: *mask, ..none() }).collect()
            }
            Question::Recurs { any } => vec![Runs { having: Some(*any), ..none() }],
        }
    }

    /// The bad runs.
    fn bad(question: &Question) -> Vec<Runs> {
        let none = || Runs { without: 0, carrying: 0, lacking: Vec::new(), having: None };
        match question {
            Question::Persists { one_of } => vec![Runs { lacking: one_of.clone(), ..none() }],
            Question::Recurs { any } => vec![Runs { without: *any, ..none() }],
        }
    }

    fn allows(&self, edge: &Edge) -> bool {
        !edge.adversary && edge.marks & self.without == 0 && edge.carries(self.carrying)
    }
}

struct Wide<'a> {
    graph: &'a Graph,
    question: &'a Question,
    reached: Vec<bool>,
}

impl<'a> Wide<'a> {
    fn new(graph: &'a Graph, question: &'a Question) -> Self {
        let reached = distances(graph).into_iter().map(|distance| distance != FAR).collect();
        Wide { graph, question, reached }
    }

    fn states(&self) -> impl Iterator<Item = u32> {
        (0..self.graph.states()).filter(|state| self.reached[*state as usize])
    }

    /// Whether time goes on from every state, and all ticks are there.
    fn is_whole(&self) -> bool {
        !self.states().any(|state| self.graph.is_stop(state) || self.graph.is_cut(state))
    }

    /// Whether some run is one of these and possible. Either it falls only finitely often, or it
    /// rises again and again.
    fn is_possible(&self, runs: &dyn Fn(&Question) -> Vec<Runs>) -> Result<bool, String> {
        self.both(runs, |keeps| self.components(keeps), |part, kinds| part.has_walk(kinds))
    }

    /// Whether an order of delivery can keep a possible run to these, with some probability.
    fn can_be_held(&self, runs: &dyn Fn(&Question) -> Vec<Runs>) -> Result<bool, String> {
        let ends = |keeps: &Kind| {
            let Blocks { of, .. } = self.components(keeps);
            let (of, blocks) = end_components(self.graph, of, keeps);
            Blocks::summed(self.graph, of, blocks, keeps)
        };
        let before = Before::new(self.graph);
        self.both(runs, ends, |part, kinds| part.can_be_held(&before, kinds))
    }

    /// By components, and, to confirm it, by fixpoints.
    fn both(
        &self,
        runs: &dyn Fn(&Question) -> Vec<Runs>,
        blocks: impl Fn(&Kind) -> Blocks,
        confirm: impl Fn(Part, &[&Kind]) -> bool,
    ) -> Result<bool, String> {
        let mut is_any = false;
        for runs in runs(self.question) {
            for (falls, rises) in [(0, Some(RISES)), (FALLS, None)] {
                let keeps = |edge: &Edge| runs.allows(edge) && edge.marks & falls == 0;
                let found = blocks(&keeps).sums.iter().any(|sum| {
                    let lacks = |mask: &u32| sum.all & mask != *mask;
                    let has = |any: Option<u32>| any.is_none_or(|any| sum.some & any != 0);
                    sum.has_edge && runs.lacking.iter().all(lacks) && has(runs.having) && has(rises)
                });
                let lacking: Vec<_> =
                    runs.lacking.iter().map(|mask| |edge: &Edge| !edge.carries(*mask)).collect();
                let has = |any: Option<u32>| {
                    move |edge: &Edge| any.is_none_or(|any| edge.marks & any != 0)
                };
                let (having, rising) = (has(runs.having), has(rises));
                let mut kinds: Vec<&Kind> = lacking.iter().map(|kind| kind as &Kind).collect();
                kinds.extend([&having as &Kind, &rising as &Kind]);
                if confirm(Part::new(self.graph, self.reached.clone(), &keeps), &kinds) != found {
                    return Err("components and fixpoints do not agree".to_string());
                }
                is_any |= found;
            }
        }
        Ok(is_any)
    }

    fn components(&self, keeps: &Kind) -> Blocks {
        Blocks::search(self.graph, self.states(), |_, edge| keeps(edge), keeps)
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
