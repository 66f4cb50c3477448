//! The liveness of every corpus is as expected: a test for each system that it asks about. The runs
//! that show the answers are taken by the reference semantics on the way. Where a bug is planted,
//! some answer is stronger without it, and none is weaker.

use std::collections::BTreeMap;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::judge::{self, LivenessAnswer, LivenessChecked};
use oneleader::models::{self, Shipped};
use oneleader::scenario::Size;
use oneleader::scenario::liveness::{self, LivenessScenario};

/// Where an answer stands among all, from the strongest down.
fn strength(answer: &str) -> usize {
    const ALL: [&str; 6] = [
        "guaranteed",
        "almost-sure (timeouts)",
        "almost-sure (timeouts-and-order)",
        "can-be-lost",
        "can-be-lost (for good)",
        "never",
    ];
    let within = answer.strip_suffix(" within bounds").unwrap_or(answer);
    let known = ALL.iter().position(|known| *known == within);
    known.unwrap_or_else(|| panic!("an answer that decides nothing: {answer}"))
}

/// No answer is weaker without the bug, and some is stronger.
fn expect_stronger_without(
    with: &LivenessChecked,
    without: &LivenessChecked,
) -> Result<(), Failed> {
    let mut is_any = false;
    for (with, without) in with.answers.iter().zip(&without.answers) {
        let (bad, good) = (strength(&with.answer), strength(&without.answer));
        if good > bad {
            let LivenessAnswer { question, answer, .. } = with;
            let clean = &without.answer;
            return Err(format!("{question}: {answer}, and without the bug {clean}").into());
        }
        is_any |= good < bad;
    }
    if is_any { Ok(()) } else { Err("the same answers as without the bug".into()) }
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        let all =
            liveness::parse(about.corpus, about).unwrap_or_else(|problem| panic!("{problem}"));
        // The others are asked by `oneleader liveness`.
        for scenario in all.into_iter().filter(|scenario| scenario.size == Size::Small) {
            let name = format!("{}::{}", about.name, scenario.name);
            trials.push(Trial::test(name, move || {
                let checked = judge::liveness_of(&Shipped, about, &scenario, None)
                    .map_err(|problem| problem.to_string())?;
                checked.assert_as_expected();
                if scenario.bug.is_some() {
                    let clean =
                        LivenessScenario { bug: None, expect: BTreeMap::new(), ..scenario.clone() };
                    let clean = judge::liveness_of(&Shipped, about, &clean, None)
                        .map_err(|problem| problem.to_string())?;
                    expect_stronger_without(&checked, &clean)?;
                }
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
