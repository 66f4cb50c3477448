//! The liveness of every corpus is as expected: a test for each system that it asks about. The runs
//! that show the answers are taken by the reference semantics on the way.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use oneleader::judge;
use oneleader::models::{self, Shipped};
use oneleader::scenario::liveness;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        let all =
            liveness::parse(about.corpus, about).unwrap_or_else(|problem| panic!("{problem}"));
        for scenario in all {
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
