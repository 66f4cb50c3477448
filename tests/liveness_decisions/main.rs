//! What is decided of small graphs of ticks: against verdicts argued by hand, against a procedure
//! that tries all sets of edges, and against mistakes that other tools have made.

use oneleader::liveness::{
    Answer, Decision, Defect, Edge, Graph, GraphBuilder, Question, Random, confirm, decide,
};

mod brute;
mod falsified;
mod forged;
mod hand;
mod mistakes;
mod random;
mod wide;

/// A stable leader: node a, or node b.
const A: u32 = 1;
const B: u32 = 2;
/// Neither.
const NO: u32 = 0;

const TIMEOUTS: Answer = Answer::AlmostSure { random: Random::Timeouts };
const AND_ORDER: Answer = Answer::AlmostSure { random: Random::TimeoutsAndOrder };
/// From where it is lost, no run is good.
const FOR_GOOD: Answer = Answer::CanBeLost { for_good: true };
/// From where it is lost, a run can be good, but with probability zero.
const ALMOST: Answer = Answer::CanBeLost { for_good: false };

fn stable_leader() -> Question {
    Question::Persists { one_of: vec![A, B] }
}

fn again_and_again(any: u32) -> Question {
    Question::Recurs { any }
}

/// A graph to be, in which runs start in state 0 unless something else is said.
#[derive(Clone, Debug, Default)]
struct Sketch {
    states: u32,
    starts: Vec<u32>,
    edges: Vec<(u32, Edge)>,
    cut: Vec<u32>,
    stops: Vec<u32>,
}

impl Sketch {
    fn new(states: u32) -> Self {
        Sketch { states, starts: vec![0], ..Sketch::default() }
    }

    /// Ticks, each `(from, to, marks)`, among which the order of delivery picks.
    fn ticks(self, ticks: &[(u32, u32, u32)]) -> Self {
        ticks.iter().fold(self, |sketch, (from, to, marks)| sketch.drawn(0, *from, *to, *marks))
    }

    /// A tick in which nature draws something.
    fn drawn(mut self, draw: u16, from: u32, to: u32, marks: u32) -> Self {
        self.edges.push((from, Edge { to, marks, draw, adversary: false }));
        self
    }

    /// A tick in which a node crashes, or something else of the kind happens.
    fn crash(mut self, from: u32, to: u32) -> Self {
        self.edges.push((from, Edge { to, marks: NO, draw: 0, adversary: true }));
        self
    }

    fn cut(mut self, state: u32) -> Self {
        self.cut.push(state);
        self
    }

    fn stop(mut self, state: u32) -> Self {
        self.stops.push(state);
        self
    }

    fn graph(&self) -> Result<Graph, Defect> {
        let mut builder = GraphBuilder::new();
        for state in 0..self.states {
            let of_state = self.edges.iter().filter(|(from, _)| *from == state);
            builder.state(of_state.map(|(_, edge)| *edge));
        }
        self.starts.iter().for_each(|state| builder.start(*state));
        self.cut.iter().for_each(|state| builder.cut(*state));
        self.stops.iter().for_each(|state| builder.stop(*state));
        builder.build()
    }

    /// What is decided, which is confirmed, and which the procedure that tries everything also
    /// says.
    fn decide(&self, question: &Question) -> Decision {
        let graph = self.graph().unwrap();
        let decision = decide(&graph, question).unwrap();
        assert_eq!(confirm(&graph, question, &decision), Ok(()), "{self:?} {decision:?}");
        if self.edges.len() <= 12 {
            assert_eq!(brute::Tried::new(self).answer(question), decision.answer, "{self:?}");
        }
        decision
    }

    fn answer(&self, question: &Question) -> Answer {
        self.decide(question).answer
    }

    fn stable_leader(&self) -> Answer {
        self.answer(&stable_leader())
    }
}
