//! Which answer is right for a graph, and what shows it.
//!
//! One search for components of all that can be reached, and after it a few passes over the states.
//! `docs/liveness.md` argues for each of them.

use super::answer::{Answer, Bottom, Decision, EndComponent, Evidence, Question, Random};
use super::components::{Blocks, NOWHERE, Sum, Tarjan};
use super::end_components::end_components;
use super::graph::{Defect, Edge, Graph};
use super::paths::{Bad, lasso, shortest};

/// Answers the question for all infinite runs from the starts of the graph.
///
/// If several answers apply, it is the first of `TimeStops`, `Never`, `CanBeLost`, `AlmostSure`,
/// `Guaranteed`. If a state that can be reached is cut, it is `TimeStops`, `CanBeLost` or
/// `Unknown`: the others speak of all runs.
pub fn decide(graph: &Graph, question: &Question) -> Result<Decision, Defect> {
    let survey = Survey::new(graph, question)?;
    let (answer, evidence) = survey.answer();
    Ok(Decision {
        answer,
        evidence,
        states: survey.blocks.of.iter().filter(|block| **block != NOWHERE).count() as u32,
        components: survey.blocks.sums.len() as u32,
        bottoms: survey.blocks.sums.iter().filter(|sum| sum.is_closed).count() as u32,
    })
}

/// All that can be reached, in components.
struct Survey<'a> {
    graph: &'a Graph,
    question: &'a Question,
    bad: Bad,
    /// The components, with sums over all edges but the adversary's.
    blocks: Blocks,
}

impl<'a> Survey<'a> {
    /// If no edge of the adversary lies within a component of the whole graph, none lies on a
    /// cycle, and so the components are those of the graph without these edges: one search is
    /// enough.
    fn new(graph: &'a Graph, question: &'a Question) -> Result<Self, Defect> {
        let is_own = |edge: &Edge| !edge.adversary;
        let starts = graph.starts().iter().copied();
        let blocks = Blocks::search(graph, starts, |_, _| true, is_own);
        for from in 0..graph.states() {
            let mut edges = graph.out(from).iter();
            if let Some(edge) = edges.find(|edge| edge.adversary && blocks.holds(from, edge)) {
                return Err(Defect::AdversaryOnCycle { from, to: edge.to });
            }
        }
        let bad = match question {
            Question::Persists { one_of } => Bad { forbidden: 0, masks: one_of.clone() },
            Question::Recurs { any } => Bad { forbidden: *any, masks: Vec::new() },
        };
        Ok(Survey { graph, question, bad, blocks })
    }

    fn answer(&self) -> (Answer, Evidence) {
        if let Some(stop) = shortest(self.graph, |state| self.graph.is_stop(state)) {
            return (Answer::TimeStops, Evidence { stop: Some(stop), ..Evidence::default() });
        }
        let lost = self.lost();
        let good = self.good(&lost);
        let is_whole = !self.blocks.sums.iter().any(|sum| sum.is_cut);
        if is_whole && !good.contains(&true) {
            return (Answer::Never, self.refuted(&self.bad_blocks()));
        }
        if lost.contains(&true) {
            return self.can_be_lost(&lost, &good);
        }
        let bad = self.bad_blocks();
        let is_refuted = self.is_bad_somewhere(&bad);
        match (is_whole, is_refuted) {
            (true, false) => (Answer::Guaranteed, Evidence::default()),
            (false, false) => (Answer::Unknown { refuted: false }, Evidence::default()),
            (false, true) => (Answer::Unknown { refuted: true }, self.refuted(&bad)),
            (true, true) => self.almost_sure(bad),
        }
    }

    /// Whether a run that takes all edges of a component again and again is bad.
    fn is_lost(&self, sum: &Sum) -> bool {
        sum.has_edge && sum.some & self.bad.forbidden == 0 && self.bad.is_met_by(sum.all)
    }

    /// Of each component: whether a run that has come there is bad with probability one.
    fn lost(&self) -> Vec<bool> {
        let is_lost = |sum: &Sum| sum.is_closed && !sum.is_cut && self.is_lost(sum);
        self.blocks.sums.iter().map(is_lost).collect()
    }

    /// Of each component: whether there is a good cycle inside, as far as that matters. It does in
    /// those that are lost; and in all of them as long as none is known to be good as a whole.
    fn good(&self, lost: &[bool]) -> Vec<bool> {
        let is_good = |sum: &Sum| sum.has_edge && !self.is_lost(sum);
        let mut good: Vec<bool> = self.blocks.sums.iter().map(is_good).collect();
        let Question::Persists { one_of } = self.question else { return good };
        let is_settled = good.contains(&true);
        for mask in one_of {
            let is_asked: Vec<bool> = (0..good.len())
                .map(|i| {
                    let matters = lost[i] || !is_settled;
                    matters && !good[i] && self.blocks.sums[i].some & mask == *mask
                })
                .collect();
            if is_asked.contains(&true) {
                self.find_cycles(*mask, &is_asked, &mut good);
            }
        }
        good
    }

    /// Notes each component that is asked for and has a cycle of edges that all carry the mask.
    fn find_cycles(&self, mask: u32, is_asked: &[bool], good: &mut [bool]) {
        let (graph, blocks) = (self.graph, &self.blocks);
        let is_root = |state: &u32| blocks.block(*state).is_some_and(|block| is_asked[block]);
        let keeps = |from: u32, edge: &Edge| {
            !edge.adversary && edge.carries(mask) && blocks.holds(from, edge)
        };
        let roots = (0..graph.states()).filter(is_root);
        Tarjan::new(graph).search(graph, roots, keeps, |states| {
            let first = states[0];
            let mut edges = graph.out(first).iter();
            let has_cycle =
                states.len() > 1 || edges.any(|edge| edge.to == first && keeps(first, edge));
            if let (true, Some(block)) = (has_cycle, blocks.block(first)) {
                good[block] = true;
            }
        });
    }

    /// The components of the edges that a bad run may take for ever.
    fn bad_blocks(&self) -> Blocks {
        let of = &self.blocks.of;
        let reached = (0..self.graph.states()).filter(|state| of[*state as usize] != NOWHERE);
        let allows = |edge: &Edge| self.bad.allows(edge);
        Blocks::search(self.graph, reached, |_, edge| allows(edge), allows)
    }

    fn is_bad_somewhere(&self, blocks: &Blocks) -> bool {
        blocks.sums.iter().any(|sum| self.is_lost(sum))
    }

    /// A bad run in components of the edges that it may take for ever.
    fn refuted(&self, bad: &Blocks) -> Evidence {
        let lasso = lasso(self.graph, bad, |block| self.is_lost(&bad.sums[block]), &self.bad);
        Evidence { lasso, ..Evidence::default() }
    }

    fn can_be_lost(&self, lost: &[bool], good: &[bool]) -> (Answer, Evidence) {
        let is_hopeless = |block: usize| lost[block] && !good[block];
        let for_good = (0..lost.len()).any(is_hopeless);
        let is_shown = |block: usize| lost[block] && (!for_good || !good[block]);
        let lasso = lasso(self.graph, &self.blocks, is_shown, &self.bad);
        let bottom = lasso.as_ref().and_then(|lasso| {
            let home = self.graph.source(*lasso.cycle.first()?);
            let states = self.blocks.states(self.blocks.block(home)?);
            Some(Bottom { prefix: lasso.prefix.clone(), states })
        });
        (Answer::CanBeLost { for_good }, Evidence { lasso, bottom, ..Evidence::default() })
    }

    fn almost_sure(&self, bad: Blocks) -> (Answer, Evidence) {
        let allows = |edge: &Edge| self.bad.allows(edge);
        // An end component lies in a component, and one in a good component is good.
        let mut of = bad.of.clone();
        for block in &mut of {
            if *block != NOWHERE && !self.is_lost(&bad.sums[*block as usize]) {
                *block = NOWHERE;
            }
        }
        let (of, blocks) = end_components(self.graph, of, allows);
        let ends = Blocks::summed(self.graph, of, blocks, allows);
        if !self.is_bad_somewhere(&ends) {
            return (Answer::AlmostSure { random: Random::Timeouts }, self.refuted(&bad));
        }
        let evidence = self.refuted(&ends);
        let end_component = evidence.lasso.as_ref().and_then(|lasso| {
            let home = self.graph.source(*lasso.cycle.first()?);
            let states = ends.states(ends.block(home)?);
            let prefix = lasso.prefix.clone();
            Some(EndComponent { prefix, choices: self.choices(&ends, &states), states })
        });
        let answer = Answer::AlmostSure { random: Random::TimeoutsAndOrder };
        (answer, Evidence { end_component, ..evidence })
    }

    /// The edges that a bad run may take for ever, from these states into their block.
    fn choices(&self, blocks: &Blocks, states: &[u32]) -> Vec<u32> {
        let stays = |number: &u32, from: u32| {
            let edge = self.graph.edge(*number);
            self.bad.allows(edge) && blocks.holds(from, edge)
        };
        let of = |from: u32| self.graph.edges_of(from).filter(move |number| stays(number, from));
        states.iter().flat_map(|state| of(*state)).collect()
    }
}
