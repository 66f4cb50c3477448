//! The liveness of every corpus is as expected: a test for each system that it asks about. The runs
//! that show the answers are taken by the reference semantics on the way.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use oneleader::judge;
use oneleader::models::{self, Shipped};
use oneleader::scenario::{Size, liveness};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        let all =
            liveness::parse(about.corpus, about).unwrap_or_else(|problem| panic!("{problem}"));
        // The others are asked by `oneleader liveness`.
        for scenario in all.into_iter().filter(|scenario| scenario.size == Size::Small) {
            let name = format!("{}::{}", about.name, scenario.name);
            trials.push(Trial::test(name, move || {
                let checked = judge::liveness_of(&Shipped, about, &scenario)
                    .map_err(|problem| problem.to_string())?;
                checked.assert_as_expected();
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
