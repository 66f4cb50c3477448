//! The table of verdicts. Each row is printed as soon as it is known. A row that is not as expected
//! says so at its end.

use crate::exploration::verdict::Verdict;
use crate::judge::{Agreement, Answer, Checked, Group, Prepared};

/// The widths of the columns that depend on what is run.
pub(super) struct Table {
    protocol: usize,
    scenario: usize,
    property: usize,
}

const VERDICT: usize = "holds-within-bounds".len();

impl Table {
    pub(super) fn new(runs: &[Box<dyn Prepared>]) -> Self {
        let widest = |head: &str, lengths: &mut dyn Iterator<Item = usize>| {
            lengths.fold(head.len(), usize::max)
        };
        Table {
            protocol: widest("protocol", &mut runs.iter().map(|r| r.chosen().about.name.len())),
            scenario: widest("scenario", &mut runs.iter().map(|r| r.chosen().scenario.name.len())),
            property: widest(
                "property",
                &mut runs.iter().flat_map(|r| r.properties()).map(str::len),
            ),
        }
    }

    pub(super) fn header(&self) -> String {
        let columns = [
            "protocol", "scenario", "property", "verdict", "expected", "distinct", "steps",
            "seconds",
        ];
        let header = self.row(columns.map(String::from), "");
        format!("{header}{}\n", "-".repeat(header.trim_end().len()))
    }

    /// The rows of a run: one for each property with a counterexample, and one for each group of
    /// other properties with the same result.
    pub(super) fn rows(&self, run: &dyn Prepared, ran: &Checked) -> String {
        let row = |(i, group): (usize, Group<'_>)| {
            let answer = group.answer;
            let once = |text: String| if i == 0 { text } else { String::new() };
            let expected = match &answer.expected {
                Some(expected) => match expected.steps {
                    Some(steps) => format!("{} in {steps}", expected.verdict),
                    None => expected.verdict.to_string(),
                },
                None => "-".to_string(),
            };
            let cells = [
                run.chosen().about.name.to_string(),
                run.chosen().scenario.name.clone(),
                group.label,
                answer.conclusion.verdict.to_string(),
                expected,
                once(ran.distinct.to_string()),
                answer.counterexample.as_ref().map_or("-".to_string(), |c| c.steps.to_string()),
                once(format!("{:.2}", ran.seconds)),
            ];
            let counts = if i == 0 { ran.counts() } else { Agreement::AsExpected };
            self.row(cells, &mark(answer, counts))
        };
        ran.groups().into_iter().enumerate().map(row).collect()
    }

    fn row(
        &self,
        [protocol, scenario, property, verdict, expected, distinct, steps, seconds]: [String; 8],
        mark: &str,
    ) -> String {
        let (a, b, c) = (self.protocol, self.scenario, self.property);
        let line = format!(
            "{protocol:a$}  {scenario:b$}  {property:c$}  {verdict:VERDICT$}  {expected:VERDICT$}  {distinct:>11}  {steps:>5}  {seconds:>8}  {mark}"
        );
        line.trim_end().to_string() + "\n"
    }
}

/// What is wrong with a row, if anything.
fn mark(answer: &Answer, counts: Agreement) -> String {
    let verdict = answer.conclusion.verdict;
    let of_answer = match (answer.agreement, &answer.expected) {
        (Agreement::AsExpected, _) => None,
        (Agreement::Inconclusive, _) => Some("inconclusive"),
        (Agreement::NotAsExpected, Some(_)) => Some("not as expected"),
        (Agreement::NotAsExpected, None) if verdict == Verdict::Violated => Some("does not hold"),
        (Agreement::NotAsExpected, None) => Some("says nothing"),
        (Agreement::Error, _) => Some("error"),
    };
    let of_counts = match counts {
        Agreement::AsExpected => None,
        Agreement::Inconclusive => Some("counts not seen"),
        _ => Some("counts not as expected"),
    };
    let all: Vec<&str> = of_answer.into_iter().chain(of_counts).collect();
    if all.is_empty() { String::new() } else { format!("<- {}", all.join(", ")) }
}
