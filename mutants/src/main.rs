//! How many mistakes in the protocols does the corpus catch? See the README beside this crate.

mod arguments;
mod judge;
#[cfg(test)]
#[path = "../mutate/mod.rs"]
mod mutate;
mod record;
mod report;
mod switch;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use clap::Parser;
// The copies of the protocols import it from here.
pub use oneleader::election;
use oneleader::election::{About, Catalogue};
use oneleader::scenario::Size;

use judge::Outcome;
use report::{Row, Score};
use table::Mutant;

include!(concat!(env!("OUT_DIR"), "/protocols.rs"));

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many mutants there must be when all protocols are tried.
const LEAST_IN_ALL: usize = 200;

/// How many mistakes, made by machine in the protocols' handlers, does the corpus catch by its
/// verdicts?
///
/// Exit codes: 0 enough are caught, 1 too few of a protocol or too many argued away, 2 bad input.
#[derive(Parser)]
#[command(name = "oneleader-mutants", max_term_width = 100)]
struct Cli {
    /// All, if none is named
    protocols: Vec<String>,
    /// Draws the sample
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many mutants of each protocol, at least one a function
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(20..))]
    each: u64,
    /// How many mutants are tried at a time
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// Only this mutant, whether or not the sample has it
    #[arg(long, value_name = "ID")]
    only: Option<String>,
    /// Shows the sample (of `--each 1000000`: all mutants) and tries none
    #[arg(long)]
    list: bool,
    /// Lets the deep corpus judge, too; for the score, the default one does
    #[arg(long)]
    deep: bool,
    /// Leaves out the comparison with the deep corpus, which may take minutes: what differs in none
    /// of the default one's states then counts as missed
    #[arg(long, conflicts_with = "deep")]
    quick: bool,
    /// Arguments for mutants that need not be caught
    #[arg(long, value_name = "FILE")]
    arguments: Option<PathBuf>,
    /// Writes the report
    #[arg(long, value_name = "FILE.md")]
    out: Option<PathBuf>,
    /// Writes a line of JSON a mutant
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
}

fn main() -> ExitCode {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !judge::is_quiet() {
            usual(info);
        }
    }));
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            note(&format!("error: {problem}"));
            ExitCode::from(2)
        }
    }
}

/// Whether enough is caught.
fn run(cli: &Cli) -> Result<bool, String> {
    let abouts = oneleader::cli::choice::protocols(&models::Shipped, &cli.protocols)
        .map_err(|e| e.to_string())?;
    let chosen = chosen(cli, &abouts)?;
    if cli.list {
        for mutant in chosen.values().flatten() {
            say(&format!(
                "{} {}, {}: {}",
                mutant.id(),
                report::place(mutant),
                mutant.operator,
                mutant.change()
            ));
        }
        return Ok(true);
    }
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("arguments.toml");
    let path = cli.arguments.as_deref().unwrap_or(&default);
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let arguments = arguments::parse(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    for stray in arguments.iter().filter(|argument| !table::ALL.iter().any(|m| argument.is_of(m))) {
        let is_built = |m: &Mutant| stray.title().starts_with(&format!("models/{}/", m.protocol));
        if table::ALL.iter().any(is_built) {
            note(&format!("warning: an argument for no mutant: {}", stray.title()));
        }
    }
    let threads = cli.threads.or(thread::available_parallelism().ok()).map_or(1, usize::from);
    let mut rows: Vec<Row> = Vec::new();
    for about in &abouts {
        let mutants = chosen.get(about.name).cloned().unwrap_or_default();
        rows.extend(try_all(about, &mutants, &arguments, cli, threads)?);
    }
    conclude(cli, &rows, abouts.len() == models::Shipped.all().len() && abouts.len() > 1)
}

/// The mutants to be tried, by protocol.
fn chosen(
    cli: &Cli,
    abouts: &[&'static About],
) -> Result<BTreeMap<&'static str, Vec<&'static Mutant>>, String> {
    if let Some(id) = &cli.only {
        let only = table::ALL.iter().find(|mutant| mutant.id() == *id);
        let only = only.ok_or_else(|| format!("no mutant `{id}`: see --list --each 1000000"))?;
        return Ok(BTreeMap::from([(only.protocol, vec![only])]));
    }
    let sample = |about: &&'static About| {
        let pool = table::ALL.iter().filter(|mutant| mutant.protocol == about.name).collect();
        (about.name, table::sample(pool, cli.each as usize, cli.seed))
    };
    Ok(abouts.iter().map(sample).collect())
}

/// Tries the mutants of one protocol.
fn try_all(
    about: &'static About,
    mutants: &[&'static Mutant],
    arguments: &[arguments::Argument],
    cli: &Cli,
    threads: usize,
) -> Result<Vec<Row>, String> {
    if mutants.is_empty() {
        return Ok(Vec::new());
    }
    let begin = Instant::now();
    let size = if cli.deep { Size::Deep } else { Size::Full };
    let scenarios = judge::scenarios(about, size).map_err(|e| e.to_string())?;
    let numbers: Vec<u32> = mutants.iter().map(|mutant| mutant.number).collect();
    let (corpus, problems) = judge::clean(scenarios, &numbers, threads);
    for problem in problems {
        note(&format!("warning: {} judges without {problem}", about.name));
    }
    let (count, many) = (corpus.len(), mutants.len());
    let seconds = || begin.elapsed().as_secs_f64();
    note(&format!(
        "{}: {count} healthy scenarios in {:.0} s; {many} mutants",
        about.name,
        seconds()
    ));
    let outcomes = judge::share_out(mutants, threads, |mutant| {
        let started = Instant::now();
        let outcome = judge::judge(mutant, &corpus);
        let told = match &outcome {
            Outcome::Caught(c) => format!("{} {} in {}", c.property, c.verdict, c.scenario),
            Outcome::Survived { .. } => "NOT CAUGHT".to_string(),
        };
        let seconds = started.elapsed().as_secs_f64();
        note(&format!(
            "  {} {} {}: {told} ({seconds:.1} s)",
            mutant.id(),
            mutant.function,
            mutant.operator
        ));
        outcome
    });
    let survived = |(mutant, outcome): (&&'static Mutant, &Outcome)| match outcome {
        Outcome::Survived { .. } => Some(mutant.number),
        Outcome::Caught(_) => None,
    };
    let survivors: Vec<u32> = mutants.iter().zip(&outcomes).filter_map(survived).collect();
    let mut deeper = judge::scenarios(about, Size::Deep).map_err(|e| e.to_string())?;
    deeper.retain(|chosen| chosen.scenario.size > size && !cli.quick);
    let compared = judge::compare(&corpus, &deeper, &survivors, threads, |left| {
        note(&format!(
            "  {:.0} s; comparing {left} that do not differ, in the deep corpus",
            seconds()
        ));
    });
    note(&format!("  done in {:.0} s", seconds()));
    let rows = mutants.iter().zip(outcomes).map(|(mutant, outcome)| {
        let suspect = compared.iter().find(|suspect| suspect.number == mutant.number);
        Row::new(mutant, outcome, suspect.cloned(), arguments)
    });
    Ok(rows.collect())
}

/// Tells and writes what came of it.
fn conclude(cli: &Cli, rows: &[Row], is_all: bool) -> Result<bool, String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let command = format!("cargo run --release -p oneleader-mutants -- {}", words.join(" "));
    let report = report::markdown(rows, command.trim_end_matches([' ', '-']), cli.seed);
    let write = |path: &Path, text: &str| {
        fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
    };
    if let Some(path) = &cli.out {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        write(path, &report)?;
    }
    if let Some(path) = &cli.jsonl {
        let line = |row: &Row| serde_json::to_string(row).expect("plain data") + "\n";
        write(path, &rows.iter().map(line).collect::<String>())?;
    }
    say(&format!("seed {}\n\n{}", cli.seed, report::scores(rows)));
    let mut is_good = true;
    if cli.only.is_none() {
        for protocol in report::protocols(rows) {
            let score = Score::of(report::of(rows, protocol));
            if !score.is_enough() {
                say(&format!(
                    "{protocol}: {} caught, expected {} %",
                    score.percent(),
                    report::LEAST_SCORE
                ));
                is_good = false;
            }
        }
        if Score::of(rows.iter()).argues_too_much() {
            say("more than one mutant in ten is argued away");
            is_good = false;
        }
        if is_all && rows.len() < LEAST_IN_ALL {
            say(&format!("{} mutants in all, expected {LEAST_IN_ALL}", rows.len()));
            is_good = false;
        }
    }
    Ok(is_good)
}

/// Prints a line. Nobody may be listening any more.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Tells how it is getting on.
fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
