//! Writes `benches/RESULTS.md`: every measured number that README and ARCHITECTURE speak of.
//!
//! `cargo bench --bench results -- SECTION..` measures these sections anew and leaves the others as
//! they are: `corpus` (two minutes), `deep` (seven), `memory` (one; alone, as it asks the kernel
//! for the most that the process held), `contests` (three), `contests-full` (fifteen), `liveness`
//! (beside TLC as well, with Java and the path of `tla2tools.jar` in `ONELEADER_TLC`).

#[path = "support/contests.rs"]
mod contests;
#[path = "support/liveness.rs"]
mod liveness;
#[path = "../tests/support/plain.rs"]
mod plain;
#[path = "../tests/support/raft_election.rs"]
mod raft_election;
#[path = "../tests/support/tlc.rs"]
mod tlc;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use oneleader::election::About;
use oneleader::exploration::verdict::Verdict;
use oneleader::judge::{self, Agreement, Checked, Chosen, Request};
use oneleader::models::{self, Shipped};
use oneleader::scenario::{Scenario, Size, corpus};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A scenario that is so large stands in the table of the deep corpus.
const LARGE: u64 = 5_000_000;
/// The largest scenario, of which memory is measured.
const LARGEST: (&str, &str) = ("ring", "chang-roberts-of-five-two-losses");
const ROUNDS: usize = 5;

/// Systems whose liveness is decided, from small to large; how often, if not as often as others.
const DECIDED: [(&str, &str, Option<usize>); 5] = [
    ("raft", "mesh", None),
    ("raft", "one-crash", None),
    ("raft", "five-mesh", None),
    ("raft", "five-pre-vote-one-crash", None),
    ("raft", "wide-timeouts", Some(1)),
];
/// Systems whose graphs TLC can read, from small to large.
const READ_BY_TLC: [(&str, &str); 3] =
    [("raft", "mesh"), ("raft", "pre-vote-mesh"), ("raft", "one-crash")];
/// How often liveness is decided.
const LIVENESS_ROUNDS: usize = 3;

const HEADING: &str = "# Results\n\nMeasured by `cargo bench --bench results`, section by section. Only ratios mean \
                       anything on another machine.\n";

fn main() {
    let asked: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let known = ["corpus", "deep", "memory", "contests", "contests-full", "liveness"];
    if let Some(stray) = asked.iter().find(|section| !known.contains(&section.as_str())) {
        eprintln!("no section `{stray}`: expected some of {}", known.join(", "));
        std::process::exit(2);
    }
    if asked.is_empty() {
        eprintln!("nothing to measure: name some of {}", known.join(", "));
        std::process::exit(2);
    }
    for section in &asked {
        let text = match section.as_str() {
            "corpus" => of_corpus(),
            "deep" => of_deep(),
            "memory" => of_memory(),
            "contests" => of_contests(false),
            "liveness" => of_liveness(),
            _ => of_contests(true),
        };
        replace(section, &text);
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md")
}

/// Puts a section in the place of the one of its name.
fn replace(section: &str, text: &str) {
    let old = fs::read_to_string(file()).unwrap_or_else(|_| HEADING.to_string());
    let heading = format!("\n## {section}\n");
    let new = format!("{heading}\n{}\n\n{text}", provenance(section));
    let all = match old.find(&heading) {
        Some(at) => {
            let rest = &old[at + heading.len()..];
            let end = rest.find("\n## ").map_or(old.len(), |n| at + heading.len() + n);
            format!("{}{new}{}", &old[..at], &old[end..])
        }
        None => format!("{old}{new}"),
    };
    fs::write(file(), all).expect("benches/RESULTS.md can be written");
}

/// When, where and by which command.
fn provenance(section: &str) -> String {
    let output = |program: &str, arguments: &[&str]| {
        let output =
            Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        output.map_or(String::new(), |o| String::from_utf8_lossy(&o.stdout).trim().to_string())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "`cargo bench --bench results -- {section}`, {}, commit {}, a virtual machine with {cores} cores.",
        output("date", &["+%-d %B %Y"]),
        output("git", &["rev-parse", "--short", "HEAD"]),
    )
}

fn scenarios(about: &'static About, is_wanted: impl Fn(&Scenario) -> bool) -> Vec<Checked> {
    let corpus = corpus::of(about).expect("the corpus is good").into_iter().filter(is_wanted);
    let check = |scenario: Scenario| {
        let chosen = Chosen { about, scenario, is_as_written: true, remark: None };
        let prepared =
            judge::prepare(&Shipped, chosen, &Request::default()).expect("the corpus is good");
        eprintln!("{}", prepared.chosen().title());
        prepared.run(&|_| ())
    };
    corpus.map(check).collect()
}

/// A row a protocol: the table of README.
fn of_corpus() -> String {
    let begin = (Instant::now(), cpu_seconds());
    let mut text =
        "| protocol | scenarios in `check` | bugs found | properties | distinct states | the largest |\n\
                    |---|---|---|---|---|---|\n"
            .to_string();
    let (mut count, mut as_expected) = (0, 0);
    for about in models::all() {
        let all = scenarios(about, |scenario| scenario.size < Size::Deep);
        count += all.len();
        as_expected +=
            all.iter().filter(|checked| checked.agreement() == Agreement::AsExpected).count();
        let with = |verdict: Verdict| {
            let has = |checked: &&Checked| {
                checked.answers.iter().any(|answer| answer.conclusion.verdict == verdict)
            };
            all.iter().filter(has).count()
        };
        let (violated, vacuous) = (with(Verdict::Violated), with(Verdict::Vacuous));
        let others = if vacuous > 0 { format!(", {vacuous} vacuous") } else { String::new() };
        let properties = all.iter().map(|c| c.answers.len() + c.not_asked.len()).max().unwrap_or(0);
        let largest =
            all.iter().max_by_key(|checked| checked.distinct).expect("a corpus is not empty");
        let found = bugs_found(about, &all);
        let _ = writeln!(
            text,
            "| [{}](models/{}) | {} hold, {violated} violated{others} | {found} | {properties} | {} | {} (`{}`) |",
            about.title,
            about.name,
            all.len() - violated - vacuous,
            grouped(all.iter().map(|checked| checked.distinct).sum()),
            grouped(largest.distinct),
            largest.scenario,
        );
    }
    let (wall, cpu) = (begin.0.elapsed().as_secs_f64(), cpu_seconds() - begin.1);
    text + &format!(
        "\n{count} scenarios, {as_expected} as expected; {wall:.0} s, {cpu:.0} s of processor time.\n"
    )
}

/// How many of the planted bugs violate something in a scenario of their own.
fn bugs_found(about: &'static About, all: &[Checked]) -> usize {
    let corpus = corpus::of(about).expect("the corpus is good");
    let is_found = |bug: &str| {
        let own = corpus.iter().filter(|scenario| scenario.bug.as_deref() == Some(bug));
        let names: Vec<&str> = own.map(|scenario| scenario.name.as_str()).collect();
        all.iter().filter(|checked| names.contains(&checked.scenario.as_str())).any(|checked| {
            checked.answers.iter().any(|answer| answer.conclusion.verdict == Verdict::Violated)
        })
    };
    about.bugs.iter().filter(|bug| is_found(bug.name)).count()
}

fn of_deep() -> String {
    let begin = Instant::now();
    let mut text = "| protocol | scenario | verdict | distinct | generated | depth | seconds |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_string();
    let (mut count, mut as_expected) = (0, 0);
    for about in models::all() {
        let all = scenarios(about, |scenario| scenario.size == Size::Deep);
        count += all.len();
        as_expected +=
            all.iter().filter(|checked| checked.agreement() == Agreement::AsExpected).count();
        for checked in all.iter().filter(|checked| checked.distinct >= LARGE) {
            let worst = checked.answers.iter().map(|answer| answer.conclusion.verdict).max();
            let _ = writeln!(
                text,
                "| {} | `{}` | {} | {} | {} | {} | {:.0} |",
                checked.protocol,
                checked.scenario,
                worst.map_or(String::new(), |verdict| verdict.to_string()),
                grouped(checked.distinct),
                grouped(checked.generated),
                checked.depth,
                checked.seconds,
            );
        }
    }
    text + &format!(
        "\nThe scenarios of the size `deep` with at least {} states, two threads. {count} scenarios in all, \
         {as_expected} as expected; {:.0} s.\n",
        grouped(LARGE),
        begin.elapsed().as_secs_f64()
    )
}

fn of_memory() -> String {
    let about =
        models::all().into_iter().find(|about| about.name == LARGEST.0).expect("it is there");
    let all = scenarios(about, |scenario| scenario.name == LARGEST.1);
    let held = kernel_kilobytes("VmHWM:");
    format!(
        "`{} {}`: {} distinct states, the trace of each included, {} KiB at most by the kernel's count: {:.1} bytes a state.\n",
        LARGEST.0,
        LARGEST.1,
        grouped(all[0].distinct),
        grouped(held),
        held as f64 * 1024.0 / all[0].distinct as f64,
    )
}

fn of_contests(full: bool) -> String {
    let mut text = format!(
        "The same allocator for all, every contender in every round, medians of {ROUNDS} rounds; how many times as long \
         as the first contender each is as fast.\n\n| contest | contender | distinct | seconds | times as fast |\n\
         |---|---|---|---|---|\n"
    );
    for contest in contests::all(full) {
        eprintln!("{}", contest.name);
        let held = contest.hold(ROUNDS);
        for ((name, _), median) in contest.contenders.iter().zip(&held.medians) {
            let (distinct, ratio) = (grouped(held.distinct), held.medians[0] / median);
            let _ = writeln!(
                text,
                "| {} | {name} | {distinct} | {median:.3} | {ratio:.1} |",
                contest.name
            );
        }
    }
    for mebibytes in [64, 1024] {
        let rate = contests::memory_limit(mebibytes << 20) / 1e6;
        let _ = writeln!(
            text,
            "\nRandom look-ups of 8 bytes in {mebibytes} MiB, one thread: {rate:.0} million a second."
        );
    }
    text
}

fn of_liveness() -> String {
    let mut text = format!(
        "All questions about a system, each answer confirmed; all threads; medians of {LIVENESS_ROUNDS} rounds, \
         `wide-timeouts` once.\n\n\
         | protocol | system | states | ticks | seconds to build | states a second | seconds to decide and confirm | states a second |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    for (protocol, name, rounds) in DECIDED {
        eprintln!("{protocol} {name}");
        let one = liveness::measured(protocol, name, rounds.unwrap_or(LIVENESS_ROUNDS));
        let rate = |seconds: f64| grouped((f64::from(one.states) / seconds) as u64);
        let _ = writeln!(
            text,
            "| {protocol} | `{name}` | {} | {} | {:.3} | {} | {:.3} | {} |",
            grouped(one.states.into()),
            grouped(one.ticks.into()),
            one.building,
            rate(one.building),
            one.deciding,
            rate(one.deciding),
        );
    }
    let _ = writeln!(
        text,
        "\nThe most that the process held, by the kernel's count: {} KiB.",
        grouped(kernel_kilobytes("VmHWM:"))
    );
    match std::env::var_os("ONELEADER_TLC") {
        Some(jar) => text + &beside_tlc(&std::path::absolute(jar).expect("a path")),
        None => text + "\nTLC was not asked: `ONELEADER_TLC` does not say where it is.\n",
    }
}

/// TLC does not build these graphs: it reads them from a table, and decides one property.
fn beside_tlc(jar: &Path) -> String {
    let start = liveness::start_of_tlc(jar, LIVENESS_ROUNDS);
    let mut text = format!(
        "\nTLC, one worker, beside `decide` and `confirm`, one thread, on the same graphs. TLC reads a graph from a table that \
         was made from ours, so this compares deciding, not building. It says whether all runs are good; ours gives the whole \
         answer. TLC's seconds are without the {start:.2} that a graph of one state takes it, which is mostly Java's start.\n\n\
         | system | question | states | ticks | seconds | TLC | TLC takes |\n|---|---|---|---|---|---|---|\n"
    );
    for (protocol, name) in READ_BY_TLC {
        eprintln!("TLC: {protocol} {name}");
        let duel = liveness::duel(protocol, name, jar, LIVENESS_ROUNDS);
        let tlc = duel.tlc - start;
        let _ = writeln!(
            text,
            "| {protocol} `{name}` | {} | {} | {} | {:.6} | {tlc:.2} | {:.0} times as long |",
            duel.question,
            grouped(duel.graph.states().into()),
            grouped(duel.graph.edges().into()),
            duel.ours,
            tlc / duel.ours,
        );
    }
    text
}

/// `1234567` as `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What the kernel says of this process.
fn kernel_kilobytes(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The processor time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |i: usize| fields.get(i).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // Of user and of system, in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}
