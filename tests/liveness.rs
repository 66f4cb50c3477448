//! Where a corpus plants a bug and asks about liveness, some answer is stronger without the bug,
//! and none is weaker. That the answers are as expected is tested with the rest of the corpus
//! (`tests/corpus.rs`).

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
        let is_planted =
            |scenario: &LivenessScenario| scenario.size == Size::Small && scenario.bug.is_some();
        for scenario in all.into_iter().filter(is_planted) {
            let name = format!("{}::{}", about.name, scenario.name);
            trials.push(Trial::test(name, move || {
                let clean =
                    LivenessScenario { bug: None, expect: BTreeMap::new(), ..scenario.clone() };
                let [with, without] = [&scenario, &clean].map(|asked| {
                    judge::liveness_of(&Shipped, about, asked, None).map_err(|e| e.to_string())
                });
                expect_stronger_without(&with?, &without?)
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
