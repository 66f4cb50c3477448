//! Verdicts as JUnit XML, which build servers read. Each protocol is a suite, each property of a
//! scenario a test case.

use std::fmt::Write;

use crate::judge::{Agreement, Answer, Checked, Prepared};

/// The whole report.
pub(super) fn report(runs: &[Box<dyn Prepared>], all: &[Checked]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let pairs: Vec<(&dyn Prepared, &Checked)> = runs.iter().map(|run| &**run).zip(all).collect();
    for suite in pairs.chunk_by(|(a, _), (b, _)| a.chosen().about.name == b.chosen().about.name) {
        let count = |agreements: &[Agreement]| {
            let answers =
                suite.iter().flat_map(|(_, ran)| ran.answers.iter().map(|a| agreement(ran, a)));
            answers.filter(|agreement| agreements.contains(agreement)).count()
        };
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
            escaped(suite[0].0.chosen().about.name),
            suite.iter().map(|(_, ran)| ran.answers.len()).sum::<usize>(),
            count(&[Agreement::NotAsExpected]),
            count(&[Agreement::Error]),
            count(&[Agreement::Inconclusive]),
            suite.iter().map(|(_, ran)| ran.seconds).sum::<f64>(),
        );
        for (run, ran) in suite {
            ran.answers.iter().for_each(|answer| case(&mut text, *run, ran, answer));
        }
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

/// If the number of states is wrong, no answer of the run is as expected.
fn agreement(ran: &Checked, answer: &Answer) -> Agreement {
    answer.agreement.max(ran.counts())
}

fn case(text: &mut String, run: &dyn Prepared, ran: &Checked, answer: &Answer) {
    let element = match agreement(ran, answer) {
        Agreement::AsExpected => None,
        Agreement::Inconclusive => Some("skipped"),
        Agreement::NotAsExpected => Some("failure"),
        Agreement::Error => Some("error"),
    };
    // The time of a run is written once. Otherwise the suite would seem to take longer than it did.
    let is_first = std::ptr::eq(answer, &ran.answers[0]);
    let _ = write!(
        text,
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
        escaped(run.chosen().about.name),
        escaped(&run.chosen().scenario.name),
        escaped(answer.property),
        if is_first { ran.seconds } else { 0.0 },
    );
    let Some(element) = element else {
        *text += "/>\n";
        return;
    };
    let message = match (&ran.miscounted, &answer.conclusion.why) {
        (Some(why), _) => why.clone(),
        (None, Some(why)) => format!("{}: {why}", answer.conclusion.verdict),
        (None, None) => answer.conclusion.verdict.to_string(),
    };
    let _ = writeln!(
        text,
        ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>",
        escaped(&message),
        escaped(&ran.explain(answer.property, answer)),
    );
}

/// For attributes and text alike; what XML cannot hold at all becomes a question mark.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\n' | '\t' => safe.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('?'),
            c => safe.push(c),
        }
    }
    safe
}
