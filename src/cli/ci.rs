//! `oneleader ci`: a workflow of GitHub Actions for somebody's repository.

use clap::Args;

use crate::cli::{Ending, Exit, output};
use crate::scenario::Problem;

/// Print a workflow of GitHub Actions that tests and checks your elections
///
/// On every push the tests run, then every scenario is checked. If something is not as expected,
/// the job fails and keeps the counterexample: a trace for `replay`, and a picture.
#[derive(Args)]
#[command(after_help = "\
Examples:
  oneleader ci > .github/workflows/election.yml
  oneleader ci --run 'cargo run --example own_actor --' > .github/workflows/election.yml")]
pub(super) struct Ci {
    /// How your repository runs this command line
    #[arg(long, value_name = "COMMAND", default_value = "cargo run --release --locked --")]
    run: String,
    /// The job is stopped after so many minutes
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = crate::cli::positive::<u32>)]
    minutes: u32,
}

impl Ci {
    pub(super) fn run(&self) -> Ending {
        // The command stands in a line as it is, so a second line would be another command.
        if self.run.trim().is_empty() || self.run.contains(char::is_control) {
            let found = self.run.escape_debug();
            return Err(Problem::new(format!(
                "--run: expected a command in one line, not `{found}`"
            )));
        }
        output::say(&self.workflow());
        Ok(Exit::Good)
    }

    fn workflow(&self) -> String {
        let Ci { run, minutes } = self;
        format!(
            "\
name: election
on: [push, pull_request]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    timeout-minutes: {minutes}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/cache@v4
        with:
          path: |
            ~/.cargo/registry
            target
          key: cargo-${{{{ runner.os }}}}-${{{{ hashFiles('**/Cargo.lock') }}}}
      - name: Tests
        run: |
          cargo test --locked
      - name: Every scenario has the verdict that it expects
        run: >-
          {run} check --junit check.xml --json check.json
          --trace counterexample.json --svg counterexample.svg
      - name: Keep what was found
        if: ${{{{ !cancelled() }}}}
        uses: actions/upload-artifact@v4
        with:
          name: election
          if-no-files-found: ignore
          path: |
            check.xml
            check.json
            counterexample.json
            counterexample.svg
            proptest-regressions
"
        )
    }
}
