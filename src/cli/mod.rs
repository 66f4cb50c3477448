//! The command line: one file a verb. It asks the engines and says what they answered; it knows no protocol but through
//! the catalogue that it is given.
//!
//! Exit codes: 2 bad input, else 1 violated or not as expected, else 3 inconclusive, else 0.

mod check;
pub mod choice;
pub mod run;
pub mod story;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::election::Catalogue;
use crate::scenario::Problem;

/// Model checking and property testing of leader election.
///
/// Is there ever more than one leader in a term? Does a leader eventually emerge, and stay?
#[derive(Parser)]
#[command(name = "oneleader", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
}

/// How a command ended, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Good,
    /// Nothing was refuted, but not everything was seen.
    Inconclusive,
    /// Violated, or not as expected.
    Bad,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::Inconclusive => 3,
        })
    }
}

/// The exit code for bad input.
const BAD_INPUT: u8 = 2;

/// The whole program, for the protocols of this catalogue.
pub fn main(catalogue: &impl Catalogue) -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Check(check) => check.run(catalogue),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(problem) => {
            let _ = writeln!(io::stderr(), "error: {problem}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

type Ending = Result<Exit, Problem>;

/// Writes to standard output. When nobody reads it any more, there is nothing left to do.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(3);
    }
}
