//! The command line: one file a verb. It asks the engines and says what they answered; it knows no protocol but through
//! the catalogue that it is given.
//!
//! Exit codes: 2 bad input, else 1 violated or not as expected, else 3 inconclusive, else 0.

mod check;
pub mod choice;
mod explore;
mod fuzz;
mod json;
mod junit;
mod list;
mod output;
mod progress;
mod replay;
pub mod run;
pub mod story;
mod table;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};
use signal_hook::consts::SIGINT;

use crate::election::Catalogue;
use crate::scenario::Problem;

/// Model checking and property testing of leader election.
///
/// Is there ever more than one leader in a term? Does a leader eventually emerge, and stay?
///
/// Exit codes: 0 as expected, 1 violated or not as expected, 2 bad input, 3 inconclusive.
#[derive(Parser)]
#[command(name = "oneleader", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Check(check::Check),
    Fuzz(fuzz::Fuzz),
    Replay(replay::Replay),
    Explore(explore::Explore),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Good,
    /// Violated, or not as expected.
    Bad,
    BadInput,
    /// Nothing was refuted, but not everything was seen.
    Inconclusive,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::BadInput => 2,
            Exit::Inconclusive => 3,
        })
    }
}

type Ending = Result<Exit, Problem>;

/// The whole program, for the protocols of this catalogue.
pub fn main(catalogue: &impl Catalogue) -> ExitCode {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        panic::set_hook(Box::new(|info| output::note(&info.to_string())));
    }
    let args: Vec<OsString> = std::env::args_os().collect();
    let json = json_path(&args);
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // Help and version are no errors, and otherwise a person reads what is wrong with the arguments.
        Err(e) if !e.use_stderr() || json.is_none() => {
            let _ = e.print();
            return if e.use_stderr() { Exit::BadInput.into() } else { Exit::Good.into() };
        }
        Err(e) => {
            let message = e.render().to_string();
            return refuse(&Problem::new(message.trim_end().trim_start_matches("error: ")), json).into();
        }
    };
    // Engines catch what a handler does wrong; what is left is told like bad input, so that reports are closed.
    let ended = panic::catch_unwind(AssertUnwindSafe(|| run(catalogue, cli.command)));
    let defect = || Problem::new("a defect of the protocol or of this program, see above");
    ended.unwrap_or_else(|_| Err(defect())).unwrap_or_else(|problem| refuse(&problem, json)).into()
}

fn run(catalogue: &impl Catalogue, command: Command) -> Ending {
    match command {
        Command::List(list) => list.run(catalogue),
        Command::Check(check) => check.run(catalogue),
        Command::Fuzz(fuzz) => fuzz.run(catalogue),
        Command::Replay(replay) => replay.run(catalogue),
        Command::Explore(explore) => explore.run(catalogue),
    }
}

/// Says what is wrong with the input, where it is looked for.
fn refuse(problem: &Problem, json: Option<String>) -> Exit {
    output::note(&format!("error: {problem}"));
    if let Some(path) = json {
        // What cannot be written has been said above.
        let _ = output::write(&path, &json::failure(problem));
    }
    Exit::BadInput
}

/// Where JSON is wanted, even if the arguments are otherwise wrong.
fn json_path(args: &[OsString]) -> Option<String> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.to_str()?.strip_prefix("--json") {
            Some("") => return args.next()?.to_str().map(String::from),
            Some(path) => return path.strip_prefix('=').map(String::from),
            None => {}
        }
    }
    None
}

/// Set by Ctrl-C; a second one ends the program at once.
fn interrupted() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    // Without a handler, Ctrl-C ends the program at once, which is still an answer.
    let _ = signal_hook::flag::register_conditional_shutdown(SIGINT, 130, flag.clone());
    let _ = signal_hook::flag::register(SIGINT, flag.clone());
    flag
}
