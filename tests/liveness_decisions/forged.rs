//! Decisions made up from nothing: for a graph every answer, and for those that must show states,
//! every set of states, with the nearest way to each of them. Exactly those that are right by
//! definition are confirmed.

use oneleader::liveness::{
    Answer, Bottom, Decision, Edge, EndComponent, Evidence, Graph, Path, Question, confirm,
};

use super::AND_ORDER;
use super::brute::Tried;
use super::falsified::ANSWERS;

struct Forger<'a> {
    graph: &'a Graph,
    question: &'a Question,
    tried: &'a Tried<'a>,
    /// The decision that is right.
    right: &'a Decision,
    /// A shortest way to each state, if there is one.
    ways: Vec<Option<Path>>,
}

fn ways(graph: &Graph) -> Vec<Option<Path>> {
    let mut ways = vec![None; graph.states() as usize];
    let mut open: Vec<(u32, Path)> = Vec::new();
    open.extend(graph.starts().iter().map(|start| (*start, Path { start: *start, edges: vec![] })));
    while !open.is_empty() {
        for (state, path) in std::mem::take(&mut open) {
            if ways[state as usize].is_some() {
                continue;
            }
            for number in graph.edges_of(state) {
                let edges = path.edges.iter().copied().chain([number]).collect();
                open.push((graph.edge(number).to, Path { start: path.start, edges }));
            }
            ways[state as usize] = Some(path);
        }
    }
    ways
}

fn have_ticks(states: &[u32], ticks: &[(u32, Edge)]) -> bool {
    states.iter().all(|state| ticks.iter().any(|(from, _)| from == state))
}

impl Forger<'_> {
    /// The numbers of the ticks of some states, all or only those that stay among them.
    fn ticks_of(&self, states: &[u32], all: bool) -> Vec<u32> {
        let numbers = states.iter().flat_map(|state| self.graph.edges_of(*state));
        let is_one = |edge: &Edge| !edge.adversary && (all || states.contains(&edge.to));
        numbers.filter(|number| is_one(self.graph.edge(*number))).collect()
    }

    fn ticks(&self, numbers: &[u32]) -> Vec<(u32, Edge)> {
        let tick = |number: &u32| (self.graph.source(*number), *self.graph.edge(*number));
        numbers.iter().map(tick).collect()
    }

    /// Expects a decision to be confirmed exactly if it is right.
    fn expect(&self, answer: Answer, evidence: Evidence, is_right: bool) {
        let forged = Decision { answer, evidence, ..self.right.clone() };
        let said = confirm(self.graph, self.question, &forged);
        let is_right = is_right && answer == self.right.answer;
        let (graph, question) = (self.graph, self.question);
        assert_eq!(said.is_ok(), is_right, "{said:?} {graph:?} {question:?} {forged:?}");
    }

    fn bottoms(&self, states: &[u32], prefix: &Path, is_nearest: bool) {
        let ticks = self.ticks(&self.ticks_of(states, true));
        let is_bad = self.tried.is_bad_bottom(&ticks, self.question);
        let is_right = is_nearest && is_bad && have_ticks(states, &ticks);
        let is_hopeless = !self.tried.has_good(&ticks, self.question);
        for for_good in [false, true] {
            let bottom = Bottom { prefix: prefix.clone(), states: states.to_vec() };
            let lasso = self.right.evidence.lasso.clone();
            let evidence = Evidence { lasso, bottom: Some(bottom), ..Evidence::default() };
            let is_right = is_right && is_hopeless == for_good;
            self.expect(Answer::CanBeLost { for_good }, evidence, is_right);
        }
    }

    fn ends(&self, states: &[u32], prefix: &Path, is_nearest: bool) {
        let every = self.ticks_of(states, true);
        let inside = self.ticks_of(states, false);
        let one_less = (0..inside.len()).map(|i| [&inside[..i], &inside[i + 1..]].concat());
        // With a tick of a state that is not shown.
        let others = (0..self.graph.states()).filter(|state| !states.contains(state));
        let elsewhere = self.ticks_of(&others.collect::<Vec<u32>>(), true);
        let one_more = elsewhere.first().map(|number| [&inside[..], &[*number]].concat());
        for choices in one_less.chain(one_more).chain([every, inside.clone()]) {
            let ticks = self.ticks(&choices);
            let is_bad = self.tried.is_bad_end(&ticks, self.question);
            let is_right = is_nearest && is_bad && have_ticks(states, &ticks);
            let states = states.to_vec();
            let shown = EndComponent { prefix: prefix.clone(), states, choices };
            let lasso = self.right.evidence.lasso.clone();
            let evidence = Evidence { lasso, end_component: Some(shown), ..Evidence::default() };
            self.expect(AND_ORDER, evidence, is_right);
        }
    }
}

/// Fails unless `confirm` tells what is right from what is forged.
pub(crate) fn forgeries_are_noticed(
    graph: &Graph,
    question: &Question,
    tried: &Tried<'_>,
    right: &Decision,
) {
    let forger = Forger { graph, question, tried, right, ways: ways(graph) };
    // Answers that show a bad run only, or nothing.
    for answer in ANSWERS {
        let lasso = right.evidence.lasso.clone();
        let is_full = Evidence { lasso, ..Evidence::default() } == right.evidence;
        let evidence = Evidence { lasso: right.evidence.lasso.clone(), ..Evidence::default() };
        forger.expect(answer, evidence, is_full);
    }
    for set in 1..1_u32 << graph.states() {
        let states: Vec<u32> = (0..graph.states()).filter(|state| set >> state & 1 == 1).collect();
        let ways = || states.iter().filter_map(|state| forger.ways[*state as usize].as_ref());
        let nearest = ways().map(|way| way.edges.len()).min();
        for way in ways() {
            let is_nearest = nearest == Some(way.edges.len());
            forger.bottoms(&states, way, is_nearest);
            forger.ends(&states, way, is_nearest);
        }
    }
}
