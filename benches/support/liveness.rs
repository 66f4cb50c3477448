//! How fast liveness is decided, of systems of the corpora; and how fast TLC decides it on the same
//! graphs.

use std::path::Path;
use std::time::Instant;

use oneleader::election::{Election, Visitor};
use oneleader::liveness::{
    Answer, Asked, Cut, Edge, Extent, Graph, GraphBuilder, Question, Reply, ask, confirm, decide,
};
use oneleader::models;
use oneleader::scenario::liveness::{LivenessScenario, parse};
use oneleader::scenario::start;
use oneleader::semantics::SystemState;

use crate::contests::median;
use crate::tlc::{Tlc, module};

/// What is measured of a system.
pub struct Measured {
    pub states: u32,
    pub ticks: u32,
    /// Seconds until the graphs were there, that of what comes before a cut included.
    pub building: f64,
    /// Seconds from then on, for the answers to all questions, confirmed.
    pub deciding: f64,
}

/// Answers all questions about a system so many times, and takes the medians.
pub fn measured(protocol: &str, name: &str, rounds: usize) -> Measured {
    let all: Vec<Measured> =
        (0..rounds).map(|_| asked(protocol, name, |measured, _, _| measured)).collect();
    Measured {
        building: median(all.iter().map(|one| one.building).collect()),
        deciding: median(all.iter().map(|one| one.deciding).collect()),
        ..all[0]
    }
}

/// A question about a system, decided by both. All runs are good, so TLC has to look at all of the
/// graph: otherwise it ends with the first bad run that it finds.
pub struct Duel {
    pub graph: Graph,
    pub question: &'static str,
    /// Seconds of ours, until the answer is found and confirmed.
    pub ours: f64,
    /// Seconds of TLC, until it knows whether all runs are good.
    pub tlc: f64,
}

/// A question about a system, decided and confirmed here, and decided by TLC.
pub fn duel(protocol: &str, name: &str, jar: &Path, rounds: usize) -> Duel {
    let (graph, asked, question) =
        asked(protocol, name, |_, graph, (asked, question)| (graph.clone(), asked, question));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{protocol}-{name}"));
    let tlc = Tlc::new(jar, dir, &module(&graph, &question));
    let ours =
        seconds(rounds, || assert_eq!(decided(&graph, &question), Answer::Guaranteed, "{name}"));
    let tlc = seconds(rounds, || assert!(tlc.holds("Guaranteed"), "{name}"));
    Duel { question: asked.name(), graph, ours, tlc }
}

/// Seconds that TLC takes for a graph of one state: until Java has started.
pub fn start_of_tlc(jar: &Path, rounds: usize) -> f64 {
    let mut graph = GraphBuilder::new();
    let state = graph.state([Edge { to: 0, marks: 1, draw: 0, adversary: false }]);
    graph.start(state);
    let graph = graph.build().expect("it has one state, which is its start");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-one-state");
    let tlc = Tlc::new(jar, dir, &module(&graph, &Question::Recurs { any: 1 }));
    seconds(rounds, || assert!(tlc.holds("Guaranteed")))
}

fn decided(graph: &Graph, question: &Question) -> Answer {
    let decision = decide(graph, question).expect("a graph of a system");
    confirm(graph, question, &decision).expect("a right decision");
    decision.answer
}

fn seconds(rounds: usize, mut run: impl FnMut()) -> f64 {
    let mut once = || {
        let begin = Instant::now();
        run();
        begin.elapsed().as_secs_f64()
    };
    median((0..rounds).map(|_| once()).collect())
}

/// What is said of a system that has been asked: what was measured, the graph after any cut, and a
/// question of which all runs are good, if there is one.
fn asked<T>(
    protocol: &str,
    name: &str,
    say: impl FnOnce(Measured, &Graph, (Asked, Question)) -> T,
) -> T {
    let about = models::all().into_iter().find(|about| about.name == protocol).expect("it exists");
    let corpus = parse(about.corpus, about).expect("the corpus is good");
    let scenario = corpus.into_iter().find(|scenario| scenario.name == name).expect("it is there");
    models::visit(protocol, Ask { scenario, say }).expect("it is in the catalogue")
}

struct Ask<F> {
    scenario: LivenessScenario,
    say: F,
}

impl<T, F: FnOnce(Measured, &Graph, (Asked, Question)) -> T> Visitor for Ask<F> {
    type Output = T;

    fn visit<E: Election>(self) -> T {
        let system = self.scenario.scenario().system::<E>().expect("a good scenario");
        let predicate = self.scenario.when();
        let when = |state: &SystemState<E>| {
            predicate.is_some_and(|predicate| start::is_so(&system, state, predicate))
        };
        let to = self.scenario.cut.as_ref().map(|_| 1);
        let cut = predicate.map(|_| Cut { to, when: &when });
        let extent = Extent { states: self.scenario.max_states, ..Extent::default() };
        let report = ask(&system, cut, extent).expect("it can be decided");
        assert_eq!(report.cut(), None, "the graph is whole");
        let measured = Measured {
            states: report.states(),
            ticks: report.ticks(),
            building: report.spent.building.as_secs_f64(),
            deciding: report.spent.deciding.as_secs_f64(),
        };
        let is_good = |reply: &&Reply| reply.decision.answer == Answer::Guaranteed;
        let reply = report.replies.iter().find(is_good).unwrap_or(&report.replies[0]);
        let question = reply.asked.question(system.actors.len());
        (self.say)(measured, report.graph(), (reply.asked, question))
    }
}
