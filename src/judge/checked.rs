//! The result of checking a scenario, and whether it was expected.

use std::collections::BTreeMap;

use crate::exploration::verdict::Verdict;
use crate::exploration::{Conclusion, Ended, Tally};
use crate::run::trace::Trace;
use crate::scenario::Expected;
use crate::semantics::Bound;
use crate::tell::narrative;
use crate::tell::scene::Scene;

/// The result of checking a scenario, as plain data without the protocol's types.
#[derive(Debug)]
pub struct Checked {
    /// The protocol's name.
    pub protocol: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// The word for the engine, as on the command line.
    pub engine: &'static str,
    /// Why the run ended.
    pub ended: Ended,
    /// Distinct states within the bounds.
    pub distinct: u64,
    /// Generated states within the bounds, the initial one included.
    pub generated: u64,
    /// Steps from the initial state to the farthest one seen.
    pub depth: usize,
    /// How many of the distinct states are at each depth, if the compiled engine saw them.
    pub levels: Vec<u64>,
    /// How long it took.
    pub seconds: f64,
    /// On how many threads.
    pub threads: usize,
    /// How many generated states lay beyond each bound.
    pub cut: BTreeMap<Bound, u64>,
    /// Counts of what happened.
    pub tally: Tally,
    /// The probability that two states were taken for one.
    pub collision_probability: f64,
    /// One answer for each property that was asked.
    pub answers: Vec<Answer>,
    /// Properties that say nothing about nodes with these options, each with the setting that it
    /// needs.
    pub not_asked: Vec<(&'static str, &'static str)>,
    /// How the numbers of states differ from those that the scenario expects. `None` if they agree,
    /// or if not all states were seen.
    pub miscounted: Option<String>,
    /// Whether the scenario expects numbers of states, but the run ended before it could tell.
    pub is_uncounted: bool,
}

/// The answer about one property.
#[derive(Debug)]
pub struct Answer {
    /// By name.
    pub property: &'static str,
    /// `safety` or `invariant`.
    pub kind: &'static str,
    /// What the property says.
    pub meaning: &'static str,
    /// The verdict, and why.
    pub conclusion: Conclusion,
    /// What the scenario expects, if it is unchanged.
    pub expected: Option<Expected>,
    /// How the verdict compares with what was expected.
    pub agreement: Agreement,
    /// The counterexample, if the property is violated.
    pub counterexample: Option<Counterexample>,
}

impl Answer {
    fn is_told_like(&self, other: &Answer) -> bool {
        self.counterexample.is_none()
            && other.counterexample.is_none()
            && self.conclusion == other.conclusion
            && self.expected == other.expected
    }
}

/// How an answer compares with the expected one. Without an expectation a property is expected to
/// hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// It is what was expected.
    AsExpected,
    /// The run could not tell (`not-refuted` or `unknown`), and something else was expected.
    Inconclusive,
    /// Something else was expected.
    NotAsExpected,
    /// Nothing was concluded, for a reason that lies in the scenario or the protocol.
    Error,
}

/// A run that violates a property.
#[derive(Debug)]
pub struct Counterexample {
    /// Its length in steps, the prefix not counted.
    pub steps: usize,
    /// Whether no shorter run violates the property.
    pub is_shortest: bool,
    /// What happened, as data.
    pub scene: Scene,
    /// The run as a trace, to be saved and replayed.
    pub trace: Trace,
    /// The name of the protocol's Rust type, without its path.
    pub rust_type: &'static str,
}

/// Answers that are shown as one.
#[derive(Debug)]
pub struct Group<'a> {
    /// The property's name, or how many properties there are.
    pub label: String,
    /// The first of them.
    pub answer: &'a Answer,
}

impl Checked {
    /// The answers in groups: an answer with a counterexample is alone, the others are grouped by
    /// conclusion and expectation.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Vec<&Answer>> = Vec::new();
        for answer in &self.answers {
            match groups.iter_mut().find(|group| answer.is_told_like(group[0])) {
                Some(group) => group.push(answer),
                None => groups.push(vec![answer]),
            }
        }
        let label = |group: &[&Answer]| match group.len() {
            1 => group[0].property.to_string(),
            n if n == self.answers.len() => format!("all {n}"),
            n => format!("{n} others"),
        };
        groups.iter().map(|group| Group { label: label(group), answer: group[0] }).collect()
    }

    /// The verdict on a property, if that was asked.
    pub fn verdict(&self, property: &str) -> Option<Verdict> {
        let answer = self.answers.iter().find(|answer| answer.property == property)?;
        Some(answer.conclusion.verdict)
    }

    /// Protocol and scenario by name.
    pub fn title(&self) -> String {
        format!("{} {}", self.protocol, self.scenario)
    }

    /// An answer in words: the counterexample, or the reason for the verdict. The label is that of
    /// its [group](Group), or the property's name.
    pub fn explain(&self, label: &str, answer: &Answer) -> String {
        let Answer { meaning, conclusion, .. } = answer;
        let mut text = format!("\n{}: {label} {}", self.title(), conclusion.verdict);
        let why = conclusion.why.as_deref().unwrap_or("every reachable state was seen");
        match &answer.counterexample {
            None => text += &format!(" ({why})\n"),
            Some(counterexample) => {
                let shortest = if counterexample.is_shortest {
                    "a shortest run"
                } else {
                    "not a shortest run"
                };
                text += &format!(" in {} steps, {shortest}\n", counterexample.steps);
                text += &narrative::tell(&counterexample.scene);
                text += &format!("  {label} is violated: {why}\n  ({meaning})\n");
            }
        }
        text
    }

    /// # Panics
    /// If something is not as expected. The message is [`unexpected`](Checked::unexpected).
    #[track_caller]
    pub fn assert_as_expected(&self) {
        if let Some(text) = self.unexpected() {
            panic!("{text}");
        }
    }

    /// The worst agreement among its answers and its counts.
    pub fn agreement(&self) -> Agreement {
        let worst = self.answers.iter().map(|a| a.agreement).max().unwrap_or(Agreement::AsExpected);
        worst.max(self.counts())
    }

    /// How the numbers of states compare with those that the scenario expects.
    pub fn counts(&self) -> Agreement {
        match self.miscounted {
            Some(_) => Agreement::NotAsExpected,
            None if self.is_uncounted => Agreement::Inconclusive,
            None => Agreement::AsExpected,
        }
    }
}
