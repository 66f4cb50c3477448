//! TLC, the model checker of TLA+, gives the same answers on the same graphs.
//!
//! Of each small system the graph of ticks is written as a TLA+ module. A bit flips at every tick,
//! so that a tick that changes nothing is not stuttering, and only runs with infinitely many ticks
//! count. TLC says whether all of them are good, and whether none is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use oneleader::election::{About, Election, Visitor};
use oneleader::liveness::{Answer, Cut, Extent, Graph, Question, ask};
use oneleader::models;
use oneleader::scenario::liveness::{LivenessScenario, parse};
use oneleader::scenario::{Size, start};
use oneleader::semantics::{SystemState, Timing};

/// So many states TLC may have to look at.
const MOST_STATES: u32 = 400;

/// The masks of a question, each of which an edge carries or does not. For Recurs: the edge has one
/// of the marks.
fn kinds(question: &Question, marks: u32) -> Vec<bool> {
    match question {
        Question::Persists { one_of } => one_of.iter().map(|mask| marks & mask == *mask).collect(),
        Question::Recurs { any } => vec![marks & any != 0],
    }
}

/// The graph as a TLA+ module with the properties `Guaranteed` and `Never`.
fn module(graph: &Graph, question: &Question) -> String {
    let mut edges = String::new();
    for state in 0..graph.states() {
        let all: Vec<String> = graph
            .out(state)
            .iter()
            .map(|edge| {
                let kinds = kinds(question, edge.marks);
                let carried: Vec<String> =
                    (1..).zip(kinds).filter(|(_, is)| *is).map(|(k, _)| format!("{k}")).collect();
                format!("<<{}, {{{}}}>>", edge.to + 1, carried.join(", "))
            })
            .collect();
        let comma = if state == 0 { "" } else { ",\n  " };
        write!(edges, "{comma}{{{}}}", all.join(", ")).expect("a string");
    }
    let starts: Vec<String> = graph.starts().iter().map(|s| format!("{}", s + 1)).collect();
    let good: Vec<String> = match question {
        Question::Persists { one_of } => {
            (1..=one_of.len()).map(|k| format!("<>[]({k} \\in m)")).collect()
        }
        Question::Recurs { .. } => vec!["[]<>(1 \\in m)".to_string()],
    };
    format!(
        "---- MODULE Ticks ----\nEXTENDS Naturals, Sequences\nVARIABLES s, m, b\n\
         vars == <<s, m, b>>\nEdges == <<\n  {edges}\n>>\n\
         Init == s \\in {{{}}} /\\ m = {{}} /\\ b = FALSE\n\
         Tick == \\E e \\in Edges[s] : s' = e[1] /\\ m' = e[2] /\\ b' = ~b\n\
         Spec == Init /\\ [][Tick]_vars\nTimed == []<><<Tick>>_vars\nGood == {}\n\
         Guaranteed == Timed => Good\nNever == Timed => ~Good\n====\n",
        starts.join(", "),
        good.join(" \\/ ")
    )
}

/// Whether TLC finds that the property holds.
fn tlc_holds(jar: &Path, dir: &Path, property: &str) -> bool {
    let config = format!("SPECIFICATION Spec\nPROPERTY {property}\n");
    std::fs::write(dir.join("Ticks.cfg"), config).expect("a folder of ours");
    // By default TLC names this folder after the second in which it begins, and two runs collide.
    let own = dir.join("states");
    let _ = std::fs::remove_dir_all(&own);
    let out = Command::new("java")
        .args(["-XX:+UseParallelGC", "-cp"])
        .arg(jar)
        .args(["tlc2.TLC", "-deadlock", "-workers", "1", "-config", "Ticks.cfg"])
        .arg("-metadir")
        .arg(own)
        .arg("Ticks.tla")
        .current_dir(dir)
        .output()
        .expect("java can be run");
    let said = String::from_utf8_lossy(&out.stdout);
    let holds = said.contains("No error has been found");
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(holds || said.contains("Temporal properties were violated"), "{said}{complaint}");
    holds
}

struct Compare<'a> {
    scenario: &'a LivenessScenario,
    jar: &'a Path,
}

impl Visitor for Compare<'_> {
    /// How many questions were compared.
    type Output = usize;

    fn visit<E: Election>(self) -> usize {
        let system = self.scenario.scenario().system::<E>().expect("a good scenario");
        let predicate = self.scenario.when();
        let when = |state: &SystemState<E>| {
            predicate.is_some_and(|predicate| start::is_so(&system, state, predicate))
        };
        let to = self.scenario.cut.as_ref().map(|_| 1);
        let cut = predicate.map(|_| Cut { to, when: &when });
        let report = ask(&system, cut, Extent::default()).expect("it can be decided");
        if report.cut().is_some() || report.states() > MOST_STATES {
            return 0;
        }
        let name = format!("tlc-{}-{}", E::about().name, self.scenario.name);
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&dir).expect("a folder of ours");
        for reply in &report.replies {
            let question = reply.asked.question(system.actors.len());
            std::fs::write(dir.join("Ticks.tla"), module(report.graph(), &question)).unwrap();
            let answer = reply.decision.answer;
            let what = format!("{} {}", E::about().name, self.scenario.name);
            let guaranteed = tlc_holds(self.jar, &dir, "Guaranteed");
            assert_eq!(guaranteed, answer == Answer::Guaranteed, "{what}: {answer:?}");
            let never = tlc_holds(self.jar, &dir, "Never");
            assert_eq!(never, answer == Answer::Never, "{what}: {answer:?}");
        }
        println!("{} {}: {} states", E::about().name, self.scenario.name, report.states());
        report.replies.len()
    }
}

/// Needs Java, and the path of `tla2tools.jar` in `ONELEADER_TLC`.
#[test]
#[ignore = "needs Java and TLC; .ci/deep runs it"]
fn tlc_gives_the_same_answers() {
    let jar = std::env::var_os("ONELEADER_TLC").expect("the path of tla2tools.jar");
    let jar = std::path::absolute(jar).expect("a path");
    let (mut systems, mut questions) = (0, 0);
    let all: Vec<(&'static About, LivenessScenario)> = models::all()
        .into_iter()
        .flat_map(|about| parse(about.corpus, about).unwrap().into_iter().map(move |s| (about, s)))
        .filter(|(_, scenario)| scenario.timing == Timing::Timed && scenario.size < Size::Deep)
        .collect();
    for (about, scenario) in &all {
        let compare = Compare { scenario, jar: &jar };
        let compared = models::visit(about.name, compare).expect("it is in the catalogue");
        systems += usize::from(compared > 0);
        questions += compared;
    }
    println!("{questions} questions about {systems} systems");
    assert!(systems >= 5, "only {systems} systems are small enough");
}
