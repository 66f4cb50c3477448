//! The command line, with one file or folder for each verb. It runs the engines and prints what
//! they found.
//! It reaches protocols only through the catalogue that it is given.
//!
//! Exit codes: 2 bad input, else 1 violated or not as expected, else 3 inconclusive, else 0.

mod check;
pub mod choice;
mod ci;
mod explore;
mod fuzz;
mod json;
mod junit;
mod list;
mod liveness;
mod output;
mod pictures;
mod progress;
mod provenance;
mod replay;
pub mod report;
mod shell;
pub mod shown;
pub mod stepper;
mod table;
mod times;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::election::Catalogue;
use crate::scenario::Problem;

/// Model checking and property testing of leader election.
///
/// Is there ever more than one leader in a term? Does a leader eventually emerge, and stay?
///
/// Exit codes: 0 as expected, 1 violated or not as expected, 2 bad input, 3 inconclusive (or a
/// report could not be written).
#[derive(Parser)]
#[command(
    name = "oneleader",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  oneleader check                                   every protocol, a table of verdicts
  oneleader check raft --bug forgets-vote           a famous mistake: two leaders in one term
  oneleader explore raft --bug forgets-vote --open  the same, step by step in the browser
  oneleader liveness raft --scenario chained        one cut link, and no leader stays
  oneleader list raft                               what there is to ask about a protocol"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Check(check::Check),
    Liveness(liveness::Liveness),
    Fuzz(fuzz::Fuzz),
    Replay(replay::Replay),
    Explore(explore::Explore),
    Report(report::WriteReport),
    Ci(ci::Ci),
    Completions(shell::Completions),
    Man(shell::Man),
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

impl Exit {
    /// The one of two that says more: bad input, else what is not as expected, else what is
    /// inconclusive.
    fn worse(self, other: Exit) -> Exit {
        let order = [Exit::BadInput, Exit::Bad, Exit::Inconclusive];
        order.into_iter().find(|exit| [self, other].contains(exit)).unwrap_or(Exit::Good)
    }
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
    // The message of a panic is enough for most users. A backtrace is printed only with
    // `RUST_BACKTRACE=full`.
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|what| what != "full") {
        panic::set_hook(Box::new(|info| output::note(&info.to_string())));
    }
    let args: Vec<OsString> = std::env::args_os().collect();
    let json = json_path(&args);
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // Help and version are no errors. Otherwise, without `--json`, a person reads what is wrong
        // with the arguments.
        Err(e) if !e.use_stderr() || json.is_none() => {
            let _ = e.print();
            return if e.use_stderr() { Exit::BadInput.into() } else { Exit::Good.into() };
        }
        Err(e) => {
            let message = e.render().to_string();
            return refuse(&Problem::new(message.trim_end().trim_start_matches("error: ")), json)
                .into();
        }
    };
    // Engines catch panics of handlers. Any other panic is reported like bad input, so that reports
    // are complete.
    let ended = panic::catch_unwind(AssertUnwindSafe(|| run(catalogue, cli.command)));
    let defect = || Problem::new("a defect of the protocol or of this program, see above");
    let exit =
        ended.unwrap_or_else(|_| Err(defect())).unwrap_or_else(|problem| refuse(&problem, json));
    output::settle(exit).into()
}

fn run(catalogue: &impl Catalogue, command: Command) -> Ending {
    match command {
        Command::List(list) => list.run(catalogue),
        Command::Check(check) => check.run(catalogue),
        Command::Liveness(liveness) => liveness.run(catalogue),
        Command::Fuzz(fuzz) => fuzz.run(catalogue),
        Command::Replay(replay) => replay.run(catalogue),
        Command::Explore(explore) => explore.run(catalogue),
        Command::Report(report) => report.run(catalogue),
        Command::Ci(ci) => ci.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    }
}

/// Reports what is wrong with the input: to standard error, and to the JSON report if there is one.
fn refuse(problem: &Problem, json: Option<String>) -> Exit {
    output::note(&format!("error: {problem}"));
    if let Some(path) = json {
        output::write(&path, &json::failure(problem));
    }
    Exit::BadInput
}

/// The path of the JSON report, even if other arguments are wrong. `None` if another argument names
/// the same file, which must not be overwritten.
fn json_path(args: &[OsString]) -> Option<String> {
    let args: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
    let at = args.iter().position(|arg| *arg == "--json" || arg.starts_with("--json="))?;
    let (path, used) = match args[at].strip_prefix("--json=") {
        Some(path) => (path, 1),
        None => (*args.get(at + 1)?, 2),
    };
    let mut others = args[..at].iter().chain(&args[at + used..]);
    let is_named =
        |arg: &&str| arg.split_once('=').into_iter().any(|(_, value)| output::are_one(path, value));
    let is_taken = path != "-" && others.any(|arg| output::are_one(path, arg) || is_named(arg));
    (!is_taken).then(|| path.to_string())
}

/// A flag that is set by Ctrl-C or SIGTERM. A second signal ends the program at once.
fn interrupted() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // If no handler can be installed, the signal ends the program at once, which is acceptable.
        let _ =
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, flag.clone());
        let _ = signal_hook::flag::register(signal, flag.clone());
    }
    flag
}

/// A whole number, for clap.
fn whole<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let number: u64 = text.parse().map_err(|_| "expected a whole number from 0 on".to_string())?;
    T::try_from(number).map_err(|_| "the number is too large".to_string())
}

/// A whole number above 0, for clap.
fn positive<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    match whole(text)? {
        0u64 => Err("expected at least 1".to_string()),
        _ => whole(text),
    }
}
