//! Thousands of random graphs, small enough that everything can be tried, and some larger ones.

use std::collections::BTreeMap;

use super::brute::Tried;
use super::falsified;
use super::forged::forgeries_are_noticed;
use super::{Decision, Edge, GraphBuilder, Sketch};
use oneleader::liveness::{Answer, Defect, Question, confirm, decide};

/// Numbers that look random and are the same everywhere (xorshift64*).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % u64::from(sides)) as u32
    }

    fn is_one_in(&mut self, sides: u32) -> bool {
        self.roll(sides) == 0
    }

    fn marks(&mut self) -> u32 {
        [0, 1, 1, 1, 2, 3, 3, 3][self.roll(8) as usize]
    }

    pub(super) fn question(&mut self) -> Question {
        if self.is_one_in(3) {
            return Question::Recurs { any: [1, 2, 3, 1, 2, 0][self.roll(6) as usize] };
        }
        let masks = [vec![1], vec![1, 2], vec![2, 1], vec![3], vec![0], vec![]];
        let often = [0, 0, 1, 1, 1, 1, 2, 3, 4, 5];
        Question::Persists { one_of: masks[often[self.roll(10) as usize]].clone() }
    }

    /// A graph in which a budget is spent by the adversary's edges and never grows. Most states
    /// have an edge, few are cut or stop.
    pub(super) fn sketch(&mut self, most: u32, many_edges: u32) -> Sketch {
        let mut sketch = Sketch::new(1 + self.roll(most));
        let budgets: Vec<u32> = (0..sketch.states).map(|_| self.roll(4) / 2).collect();
        let edges = sketch.states + self.roll(many_edges - most + 1);
        for i in 0..edges {
            let from = if i < sketch.states { i } else { self.roll(sketch.states) };
            let to = self.roll(sketch.states);
            let (left, before) = (budgets[to as usize], budgets[from as usize]);
            let adversary = left < before && self.is_one_in(2);
            // What would raise the budget stays where it is instead.
            let to = if left > before { from } else { to };
            if i >= sketch.states || !self.is_one_in(40) {
                let draw = self.roll(3) as u16 / 2;
                sketch.edges.push((from, Edge { to, marks: self.marks(), draw, adversary }));
            }
        }
        if self.is_one_in(6) {
            sketch.cut.push(self.roll(sketch.states));
        }
        if self.is_one_in(30) {
            sketch.stops.push(self.roll(sketch.states));
        }
        if self.is_one_in(4) {
            sketch.starts = vec![self.roll(sketch.states), self.roll(sketch.states)];
        }
        sketch
    }
}

#[test]
fn ten_thousand_small_graphs_are_decided_as_if_everything_was_tried() {
    let mut dice = Dice(0xddba11);
    let mut met: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..10_000 {
        let (sketch, question) = (dice.sketch(5, 9), dice.question());
        let tried = Tried::new(&sketch);
        let graph = sketch.graph().unwrap();
        let decision = decide(&graph, &question).unwrap();
        assert_eq!(decision.answer, tried.answer(&question), "{sketch:?} {question:?}");
        let counts = (decision.states, decision.components, decision.bottoms);
        assert_eq!(counts, tried.counts(), "{sketch:?}");
        let said = confirm(&graph, &question, &decision);
        assert_eq!(said, Ok(()), "{sketch:?} {question:?} {decision:?}");
        *met.entry(format!("{:?}", decision.answer)).or_default() += 1;
    }
    // Nothing is agreed upon only because it never comes up.
    assert!(met.len() == 9 && met.values().all(|count| *count >= 50), "{met:?}");
}

#[test]
fn what_is_falsified_is_not_confirmed() {
    let mut dice = Dice(0xfa15e);
    let mut falsified = 0;
    for _ in 0..2_000 {
        let (sketch, question) = (dice.sketch(5, 9), dice.question());
        let graph = sketch.graph().unwrap();
        let decision = decide(&graph, &question).unwrap();
        falsified += falsified::changes_are_noticed(&graph, &question, &decision);
    }
    assert!(falsified > 40_000, "{falsified}");
}

#[test]
fn what_is_forged_is_confirmed_only_if_it_is_right() {
    let mut dice = Dice(0xf049e);
    for _ in 0..1_500 {
        let (sketch, question) = (dice.sketch(4, 8), dice.question());
        let tried = Tried::new(&sketch);
        let graph = sketch.graph().unwrap();
        let right = decide(&graph, &question).unwrap();
        forgeries_are_noticed(&graph, &question, &tried, &right);
    }
}

#[test]
fn an_edge_of_the_adversary_is_refused_exactly_if_it_lies_on_a_cycle() {
    let mut dice = Dice(0xc1c1e);
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut sketch = dice.sketch(5, 9);
        sketch.edges.iter_mut().for_each(|(_, edge)| edge.adversary = dice.is_one_in(4));
        let tried = Tried::new(&sketch);
        let decided = decide(&sketch.graph().unwrap(), &dice.question());
        let is_refused = matches!(decided, Err(Defect::AdversaryOnCycle { .. }));
        assert_eq!(is_refused, tried.has_adversary_on_cycle(), "{sketch:?}");
        refused += is_refused as u32;
    }
    assert!((500..2_500).contains(&refused), "{refused}");
}

#[test]
fn what_is_decided_of_larger_graphs_is_confirmed_and_does_not_depend_on_numbers() {
    let mut dice = Dice(0x1a46e);
    let mut met: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..600 {
        let mut sketch = dice.sketch(60, 130);
        sketch.stops.clear();
        let question = dice.question();
        let decision = sketch.decide(&question);
        let last = sketch.states - 1;
        let mut turned = sketch.clone();
        for (from, edge) in &mut turned.edges {
            (*from, edge.to) = (last - *from, last - edge.to);
        }
        for state in turned.starts.iter_mut().chain(&mut turned.cut) {
            *state = last - *state;
        }
        let other = turned.decide(&question);
        let known = |of: &Decision| (of.answer, of.states, of.components, of.bottoms);
        assert_eq!(known(&decision), known(&other), "{sketch:?} {question:?}");
        *met.entry(decision.answer.word().to_string()).or_default() += 1;
    }
    assert!(met.len() == 6, "{met:?}");
}

/// Half a million states one behind the other, and back from the last to the first: whoever
/// recurses runs out of stack. The only bad edge is the last one but one.
#[test]
fn a_very_long_cycle_is_decided() {
    let states = 500_000;
    let mut builder = GraphBuilder::new();
    for state in 0..states {
        let marks = if state == states - 2 { 0 } else { 1 };
        let edge = Edge { to: (state + 1) % states, marks, draw: 0, adversary: false };
        builder.state([edge]);
    }
    builder.start(0);
    let graph = builder.build().unwrap();
    let question = Question::Persists { one_of: vec![1] };
    let decision = decide(&graph, &question).unwrap();
    assert_eq!(confirm(&graph, &question, &decision), Ok(()));
    assert_eq!((decision.answer, decision.components), (Answer::Never, 1));
    assert_eq!(decision.evidence.lasso.unwrap().cycle.len(), states as usize);
}
