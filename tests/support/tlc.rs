//! Graphs of ticks as TLA+ modules, and TLC's answers about them.
//!
//! A bit flips at every tick, so that a tick that changes nothing is not stuttering, and only runs
//! with infinitely many ticks count. TLC says whether all of them are good, and whether none is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use oneleader::liveness::{Graph, Question};

/// The masks of a question, each of which an edge carries or does not. For Recurs: the edge has one
/// of the marks.
fn kinds(question: &Question, marks: u32) -> Vec<bool> {
    match question {
        Question::Persists { one_of } => one_of.iter().map(|mask| marks & mask == *mask).collect(),
        Question::Recurs { any } => vec![marks & any != 0],
    }
}

/// The graph as a TLA+ module with the properties `Guaranteed` and `Never`.
pub fn module(graph: &Graph, question: &Question) -> String {
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

/// A module in a folder of its own, and TLC.
pub struct Tlc<'a> {
    pub jar: &'a Path,
    pub dir: PathBuf,
}

impl<'a> Tlc<'a> {
    /// Writes a module.
    pub fn new(jar: &'a Path, dir: PathBuf, module: &str) -> Self {
        std::fs::create_dir_all(&dir).expect("a folder of ours");
        std::fs::write(dir.join("Ticks.tla"), module).expect("a folder of ours");
        Tlc { jar, dir }
    }

    /// Whether TLC finds that the property holds.
    pub fn holds(&self, property: &str) -> bool {
        let config = format!("SPECIFICATION Spec\nPROPERTY {property}\n");
        std::fs::write(self.dir.join("Ticks.cfg"), config).expect("a folder of ours");
        // By default TLC names this folder after the second in which it begins, and two runs
        // collide.
        let own = self.dir.join("states");
        let _ = std::fs::remove_dir_all(&own);
        let out = Command::new("java")
            .args(["-XX:+UseParallelGC", "-Xss64m", "-cp"])
            .arg(self.jar)
            .args(["tlc2.TLC", "-deadlock", "-workers", "1", "-config", "Ticks.cfg"])
            .arg("-metadir")
            .arg(own)
            .arg("Ticks.tla")
            .current_dir(&self.dir)
            .output()
            .expect("java can be run");
        let said = String::from_utf8_lossy(&out.stdout);
        let holds = said.contains("No error has been found");
        let complaint = String::from_utf8_lossy(&out.stderr);
        assert!(holds || said.contains("Temporal properties were violated"), "{said}{complaint}");
        holds
    }
}
