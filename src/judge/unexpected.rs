//! What a test says that fails: the run drawn and told, how to take its steps again, and a test
//! that keeps the mistake from coming back.

use std::path::PathBuf;
use std::{env, fs};

use crate::exploration::verdict::Verdict;
use crate::judge::checked::{Agreement, Answer, Checked, Counterexample, Group};
use crate::judge::liveness::{LivenessAnswer, LivenessChecked, Shown};
use crate::run::trace::Trace;
use crate::scenario::Expected;
use crate::tell::diagram::{Caption, Diagram, terminal};
use crate::tell::narrative;
use crate::tell::scene::Scene;

/// How wide a diagram is.
const WIDTH: usize = 100;
/// A run of more steps is told and not drawn.
const MOST_DRAWN: usize = 60;

impl Checked {
    /// Everything that is not as expected; `None` if everything is. Of a run it has a diagram, the
    /// steps in sentences, the command that takes them again, and a regression test.
    pub fn unexpected(&self) -> Option<String> {
        if self.agreement() == Agreement::AsExpected {
            return None;
        }
        let mut text = String::new();
        for Group { label, answer } in self.groups() {
            if answer.agreement == Agreement::AsExpected {
                continue;
            }
            text += &self.explain(&label, answer);
            match &answer.expected {
                Some(Expected { verdict, steps: Some(n), .. }) => {
                    text += &format!("  expected: {verdict} in {n} steps\n");
                }
                Some(Expected { verdict, .. }) => text += &format!("  expected: {verdict}\n"),
                None => text += "  expected: that it holds\n",
            }
            if let Some(counterexample) = &answer.counterexample {
                text += &drawn(&counterexample.scene);
                text += &kept(&counterexample.trace);
                text += &self.regression_test(answer, counterexample);
            }
        }
        if let Some(why) = &self.miscounted {
            text += &format!("\n{}: {why}\n", self.title());
        }
        Some(text)
    }

    /// A test to paste, for a run that should not be there.
    fn regression_test(&self, answer: &Answer, counterexample: &Counterexample) -> String {
        let is_expected = |expected: &Expected| expected.verdict == Verdict::Violated;
        if answer.expected.as_ref().is_some_and(is_expected) {
            return String::new();
        }
        let Counterexample { trace, rust_type, .. } = counterexample;
        let why = trace.why.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = identifier(&format!("{}_{}", self.scenario, answer.property));
        let trace = literal(&trace.to_json_in_brief());
        format!(
            "\n  when the mistake is mended, this test keeps it from coming back:\n\n\
             /// {why}.\n#[test]\nfn {name}() {{\n    \
             oneleader::testing::assert_gone::<{rust_type}>({trace});\n}}\n"
        )
    }
}

impl LivenessChecked {
    /// Every answer that is not as expected; `None` if all are. Of a run that shows an answer it
    /// has a diagram, the steps in sentences, and the command that takes them again.
    pub fn unexpected(&self) -> Option<String> {
        let (mut text, mut told): (String, Vec<&Shown>) = (String::new(), Vec::new());
        for answer in self.answers.iter().filter(|a| a.agreement != Agreement::AsExpected) {
            let LivenessAnswer { question, answer, expected, shown, .. } = answer;
            let expected = expected.as_deref().unwrap_or("guaranteed or almost-sure");
            let title = format!("{} {}", self.protocol, self.scenario.name);
            text += &format!("\n{title}: {question}: expected {expected}, found {answer}\n");
            if let Some(cut) = self.cut {
                text += &format!("  not everything was followed: {cut}\n");
            }
            let Some(shown) = shown else { continue };
            if told.iter().any(|other| other.is_like(shown)) {
                text += "  shown by the same run\n";
            } else {
                told.push(shown);
                text += &format!("  {}\n", shown.what);
                text += &narrative::tell(&shown.scene);
                if !shown.cycle.is_empty() {
                    let from = shown.prefix.len() + 1;
                    text +=
                        &format!("  and so on from {from}, with later terms where these grow\n");
                }
                text += &drawn(&shown.scene);
                text += &kept(&shown.trace);
            }
        }
        (!text.is_empty()).then_some(text)
    }

    /// # Panics
    /// If an answer is not as expected. The message is [`unexpected`](LivenessChecked::unexpected).
    #[track_caller]
    pub fn assert_as_expected(&self) {
        if let Some(text) = self.unexpected() {
            panic!("{text}");
        }
    }
}

/// A run as a diagram, without colours; nothing if it is long.
fn drawn(scene: &Scene) -> String {
    let diagram = Diagram::new(scene, Caption::default());
    if diagram.rows.len() > MOST_DRAWN {
        return String::new();
    }
    format!("\n{}", terminal::draw(&diagram, WIDTH, &|text, _| text.to_string()))
}

/// Saves a trace in cargo's target folder, and says how to replay it.
fn kept(trace: &Trace) -> String {
    let name = format!("{}-{}-{}.json", trace.protocol, trace.scenario.name, trace.property);
    let name: String = name.chars().map(|c| if c == '/' || c == '\\' { '_' } else { c }).collect();
    let path = kept_at().join(name);
    let is_kept = path.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok())
        && fs::write(&path, trace.to_json()).is_ok();
    match is_kept {
        true => format!(
            "\n  to take these steps again: cargo run --release -- replay {}\n  \
             (where your `main` calls `oneleader::cli::main`)\n",
            path.display()
        ),
        false => String::new(),
    }
}

/// A name for a function of Rust.
fn identifier(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("gone_{}", name.to_ascii_lowercase())
}

/// A text as a literal of Rust.
fn literal(text: &str) -> String {
    let ends = |hashes: &String| text.contains(&format!("\"{hashes}"));
    let hashes = (1..).map(|n| "#".repeat(n)).find(|hashes| !ends(hashes));
    let hashes = hashes.expect("a text has an end");
    format!("r{hashes}\"{text}\"{hashes}")
}

/// The folder for traces of failed tests: cargo's target folder, or else the folder for temporary
/// files.
fn kept_at() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let built = here.ancestors().map(|folder| folder.join("target")).find(|target| target.is_dir());
    let built = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).or(built);
    built.unwrap_or_else(env::temp_dir).join("oneleader")
}
