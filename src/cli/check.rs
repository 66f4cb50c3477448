//! `oneleader check`: runs scenarios with an engine, prints a table of verdicts, and explains below
//! it what was not expected.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::choice::{self, Choice};
use crate::cli::json::{self, Report};
use crate::cli::pictures::{self, Pictures};
use crate::cli::provenance::Provenance;
use crate::cli::table::Table;
use crate::cli::{Ending, Exit, junit, liveness, output, positive, progress, whole};
use crate::election::{About, Catalogue};
use crate::exploration::{Ended, Limits};
use crate::judge::{
    self, Agreement, Answer, Checked, Chosen, Counterexample, Engine, Group, Prepared, Request,
};
use crate::scenario::{Problem, Size, among};
use crate::support::memory;

/// Check scenarios exhaustively; without one, the whole corpus
///
/// A scenario without expectations (made up, changed by flags, with a planted --bug, or of a file
/// without `expect`) is as expected if the verdict is `holds` or `holds-within-bounds`. Ctrl-C and
/// SIGTERM end a run, and it reports what it has seen; a second one ends it at once.
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 as expected, 1 violated or not as expected, 2 bad input, 3 stopped early.

Examples:
  oneleader check                                         every protocol's corpus
  oneleader check raft --scenario election                one scenario
  oneleader check raft --bug forgets-vote --trace t.json  a counterexample, saved
  oneleader check bully --nodes 4 --faults crashes=1      a scenario of your own
  oneleader check raft --scenario my-scenarios.toml       scenarios of a file")]
pub(super) struct Check {
    /// The protocols; all of them if none is named
    #[arg(value_name = "PROTOCOL")]
    protocols: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    /// Ask only this property
    #[arg(long, value_name = "NAME")]
    property: Option<String>,
    /// The engine that explores the states
    #[arg(long, value_enum, default_value_t = Engine::Compiled)]
    engine: Engine,
    /// The seed of random walks
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    seed: Option<u64>,
    /// How many threads. The default is all cores for the compiled engine, and 1 for stateright's
    /// searches, so that counterexamples are shortest
    #[arg(long, value_name = "N", value_parser = positive::<u16>)]
    threads: Option<u16>,
    /// Do not stop at violations; see every state
    #[arg(long)]
    no_stop: bool,
    /// Check the corpus's largest scenarios, too
    #[arg(long)]
    deep: bool,
    /// Stop after this many distinct states (random walks: steps). The search for the start of a
    /// scenario has the same limit
    #[arg(long, value_name = "N", value_parser = positive::<u64>)]
    max_states: Option<u64>,
    /// Stop a scenario after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    time_limit: Option<Duration>,
    /// Stop a scenario that takes more memory than this, such as 500M or 2G. The default is three
    /// quarters of what is free when the program begins
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    max_memory: Option<u64>,
    /// Write the results as JSON; `-` is standard output, and then nothing else is written there
    #[arg(long, value_name = "FILE|-")]
    json: Option<String>,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<String>,
    /// Write the first counterexample as a trace, for replay and explore
    #[arg(long, value_name = "FILE")]
    trace: Option<String>,
    #[command(flatten)]
    pictures: Pictures,
    /// Say only what is not as expected, and the summary
    #[arg(long)]
    quiet: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number of seconds from 0 on".to_string();
    Duration::try_from_secs_f64(text.parse().map_err(|_| wrong())?).map_err(|_| wrong())
}

fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift =
        match text[digits.len()..].to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i')
        {
            "" => 0,
            "k" => 10,
            "m" => 20,
            "g" => 30,
            _ => return Err("expected bytes, such as 500M or 2G".to_string()),
        };
    let number: u64 =
        digits.parse().map_err(|_| "expected bytes, such as 500M or 2G".to_string())?;
    number
        .checked_shl(shift)
        .filter(|n| n >> shift == number && *n > 0)
        .ok_or("out of range".to_string())
}

impl Check {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let request = self.request()?;
        let inputs: Vec<_> =
            self.choice.file().map(|file| ("--scenario", file)).into_iter().collect();
        output::plan(&inputs, &self.outputs().collect::<Vec<_>>())?;
        let chosen = self.chosen(catalogue)?;
        let prepared = chosen.into_iter().map(|chosen| judge::prepare(catalogue, chosen, &request));
        let runs = prepared.collect::<Result<Vec<_>, _>>()?;
        let asked = self.liveness_asked(catalogue)?;
        let json = self.json.as_ref().map(|path| (path, Provenance::now()));
        let all = self.run_all(&runs, &request);
        if let Some((path, provenance)) = json {
            output::write(path, &json::text(&Report::new(provenance, &runs, &all)));
        }
        if let Some(path) = &self.junit {
            output::write(path, &junit::report(&runs, &all));
        }
        if let Some(path) = &self.trace {
            save_trace(path, &all);
        }
        self.draw(&all);
        let safety = ending(&runs, &all)?;
        if asked.is_empty() || request.limits.is_interrupted() {
            return Ok(safety);
        }
        let is_silent = self.outputs().any(|(_, path)| path == "-");
        let say = |text: &str| {
            if !is_silent {
                output::say(text)
            }
        };
        say("\n");
        let is_stopped = || request.limits.is_interrupted();
        let asking = liveness::Asking { quiet: self.quiet, time: None };
        let answers = liveness::answers(catalogue, &asked, asking, is_stopped, say)?;
        Ok(safety.worse(liveness::exit(&asked, &answers)))
    }

    /// What is asked about liveness beside the scenarios: all that the corpora or the file ask,
    /// where nothing narrows that down.
    fn liveness_asked(&self, catalogue: &impl Catalogue) -> Result<liveness::AllAsked, Problem> {
        if self.property.is_some() || self.engine != Engine::Compiled {
            return Ok(Vec::new());
        }
        let abouts = choice::protocols(catalogue, &self.protocols)?;
        match self.choice.file_alone() {
            Some(file) => liveness::of_file(file, &abouts),
            None if self.choice.is_given() => Ok(Vec::new()),
            None => liveness::corpus(&abouts, self.size()),
        }
    }

    /// The files to which reports are written, each with its flag.
    fn outputs(&self) -> impl Iterator<Item = output::Named<'_>> {
        let all = [("--json", &self.json), ("--junit", &self.junit), ("--trace", &self.trace)];
        let all = all.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?)));
        all.chain(self.pictures.outputs())
    }

    /// Draws the first counterexample.
    fn draw(&self, all: &[Checked]) {
        let found = |answer: &'_ Answer| answer.counterexample.is_some();
        let Some(answer) = all.iter().flat_map(|ran| &ran.answers).find(|a| found(a)) else {
            return self.pictures.remove("nothing was violated");
        };
        if let Some(Counterexample { scene, trace, .. }) = &answer.counterexample {
            let caption = pictures::caption(scene.protocol, trace, answer.meaning, true);
            self.pictures.write(scene, &caption);
        }
    }

    /// Runs one scenario after the other, and prints the results of each, until interrupted.
    fn run_all(&self, runs: &[Box<dyn Prepared>], request: &Request) -> Vec<Checked> {
        let begin = Instant::now();
        let is_silent = self.outputs().any(|(_, path)| path == "-");
        let say = |text: &str| {
            if !is_silent {
                output::say(text)
            }
        };
        for remark in runs.iter().filter_map(|run| run.chosen().remark.as_ref()) {
            say(&format!("{remark}\n"));
        }
        if let ([run], false) = (runs, self.quiet) {
            say(&format!(
                "{}: {}\n",
                run.chosen().title(),
                choice::assumptions(&run.chosen().scenario)
            ));
        }
        if !self.quiet {
            say(&format!("{}\n\n", self.limits_in_force(&request.limits)));
        }
        let table = Table::new(runs);
        let mut is_begun = !self.quiet;
        if is_begun {
            say(&table.header());
        }
        let line = progress::Line::new(self.quiet, request.limits.memory);
        let mut all = Vec::new();
        for (i, run) in runs.iter().enumerate() {
            let title = format!("[{}/{}] {}", i + 1, runs.len(), run.chosen().title());
            let ran = run.run(&|progress| line.show(&title, progress));
            line.clear();
            if !self.quiet || ran.agreement() != Agreement::AsExpected {
                if !std::mem::replace(&mut is_begun, true) {
                    say(&table.header());
                }
                say(&table.rows(&**run, &ran));
            }
            all.push(ran);
            if request.limits.is_interrupted() {
                break;
            }
        }
        self.explain_all(runs, &all, say);
        if self.max_memory.is_none() && all.iter().any(|ran| ran.ended == Ended::MaxMemory) {
            let most = request.limits.memory.map(memory_size).unwrap_or_default();
            say(&format!(
                "\nthe limit of memory that ended a run, {most}, is three quarters of what was free when the program \
                 began: --max-memory sets another, bounds make the space smaller\n"
            ));
        }
        let is_deviating = all.iter().any(|ran| ran.agreement() != Agreement::AsExpected);
        if let (Some(yardstick), true) = (self.yardstick(runs), is_deviating || !self.quiet) {
            say(&format!("\n{yardstick}\n"));
        }
        say(&summary(runs, &all, begin.elapsed()));
        all
    }

    /// Explains what is not as expected; for a single run, everything.
    fn explain_all(&self, runs: &[Box<dyn Prepared>], all: &[Checked], say: impl Fn(&str)) {
        for (run, ran) in runs.iter().zip(all) {
            for Group { label, answer } in ran.groups() {
                let is_told =
                    answer.agreement != Agreement::AsExpected || (runs.len() == 1 && !self.quiet);
                if is_told {
                    say(&ran.explain(&label, answer));
                }
            }
            if ran.answers.iter().any(|answer| answer.counterexample.is_some())
                && runs.len() == 1
                && !self.quiet
            {
                say(&self.more_to_see());
            }
            if let Some(why) = &ran.miscounted {
                say(&format!("\n{}: {why}\n", run.chosen().title()));
            }
            if runs.len() == 1 && !self.quiet {
                say(&coverage(ran));
            }
        }
    }

    /// How to see more of a counterexample than what happened in words.
    fn more_to_see(&self) -> String {
        let file = self.trace.as_deref().filter(|path| *path != "-").unwrap_or("FILE");
        let first = if file == "FILE" { "--trace FILE, then " } else { "" };
        format!(
            "  drawn: --svg FILE.svg, or in the terminal: {first}oneleader replay {file} --diagram; every field \
             that a step changes: --details in place of --diagram\n"
        )
    }

    /// The limits that may end a run before it has seen every state, in words.
    fn limits_in_force(&self, limits: &Limits) -> String {
        let mut parts = Vec::new();
        parts.extend(limits.max_states.map(|n| format!("{n} states")));
        parts.extend(limits.time.map(|time| format!("{} s", time.as_secs_f64())));
        parts.extend(limits.memory.map(|bytes| {
            let usual =
                if self.max_memory.is_none() { " (three quarters of what is free)" } else { "" };
            format!("{} of memory{usual}", memory_size(bytes))
        }));
        if parts.is_empty() {
            "no limits".to_string()
        } else {
            format!("limits: {}", parts.join(", "))
        }
    }

    /// Says what counts as expected for runs without expectations, if there are any.
    fn yardstick(&self, runs: &[Box<dyn Prepared>]) -> Option<String> {
        let is_open = |chosen: &&Chosen| !chosen.is_as_written || chosen.scenario.expect.is_empty();
        let open = runs.iter().map(|run| run.chosen()).find(is_open)?;
        let name = &open.scenario.name;
        if self.choice.is_bug_alone() {
            return Some(format!(
                "--bug asks what a bug does: nothing is expected, and a violation exits with 1; \
                 --scenario {name} compares the same run with what the corpus expects"
            ));
        }
        let why = match open.is_as_written || open.scenario.expect.is_empty() {
            true => format!("nothing is expected of `{name}`"),
            false => format!("what `{name}` expects does not count, since flags change it"),
        };
        Some(format!("{why}: `holds` and `holds-within-bounds` count as expected"))
    }

    fn request(&self) -> Result<Request, Problem> {
        let is_simulation = matches!(self.engine, Engine::StaterightSimulation | Engine::Walk);
        if self.seed.is_some() && !is_simulation {
            return Err(Problem::new(
                "--seed is for --engine walk or stateright-simulation: nothing else is random",
            ));
        }
        if is_simulation && self.max_states.is_none() && self.time_limit.is_none() {
            return Err(Problem::new(
                "a simulation never ends by itself: give --max-states or --time-limit",
            ));
        }
        if self.engine == Engine::Walk && self.threads.is_some_and(|n| n > 1) {
            return Err(Problem::new(
                "--engine walk takes one thread: its walks follow one another from one seed",
            ));
        }
        let all = || match self.engine {
            Engine::Compiled => thread::available_parallelism().map_or(1, NonZero::get),
            _ => 1,
        };
        let limits = Limits {
            threads: self.threads.map_or_else(all, usize::from),
            max_states: self.max_states,
            time: self.time_limit,
            memory: self.max_memory.or_else(memory::usual_limit),
            interrupted: super::interrupted(),
            ..Limits::default()
        };
        Ok(Request {
            engine: self.engine,
            seed: self.seed.unwrap_or(0),
            property: self.property.clone(),
            no_stop: self.no_stop,
            limits,
        })
    }

    /// Up to which size corpora are asked.
    fn size(&self) -> Size {
        if self.deep { Size::Deep } else { Size::Full }
    }

    fn chosen(&self, catalogue: &impl Catalogue) -> Result<Vec<Chosen>, Problem> {
        if self.deep && self.choice.is_given() {
            return Err(Problem::new(
                "--deep adds to the corpus; it says nothing about a chosen scenario",
            ));
        }
        let abouts = choice::protocols(catalogue, &self.protocols)?;
        if abouts.len() > 1 && self.choice.is_given() {
            let names: Vec<&str> = abouts.iter().map(|about| about.name).collect();
            let which = format!("which protocol? {} are there: name one", names.join(", "));
            return Err(Problem::new(which));
        }
        let abouts = self.with_property(catalogue, abouts)?;
        let mut all = Vec::new();
        for about in abouts {
            all.extend(self.choice.scenarios(about, self.size())?);
        }
        if let (Some(property), false) = (&self.property, self.choice.is_given()) {
            all.retain(|chosen| chosen.scenario.expected(property).is_some());
        }
        Ok(all)
    }

    /// The protocols that have the property that is asked.
    fn with_property(
        &self,
        catalogue: &impl Catalogue,
        mut abouts: Vec<&'static About>,
    ) -> Result<Vec<&'static About>, Problem> {
        let Some(only) = &self.property else { return Ok(abouts) };
        let names = |about: &&'static About| {
            choice::questions(catalogue, about).properties.into_iter().map(|question| question.name)
        };
        let known: BTreeSet<&str> = abouts.iter().flat_map(names).collect();
        if !known.contains(only.as_str()) {
            let hint = among(only, known.into_iter());
            return Err(Problem::new(format!("no property `{only}`{hint}")));
        }
        abouts.retain(|about| names(about).any(|name| name == only));
        Ok(abouts)
    }
}

/// Without a counterexample, removes the trace of an earlier run: it could be taken for this run's.
fn save_trace(path: &str, all: &[Checked]) {
    let mut found =
        all.iter().flat_map(|ran| &ran.answers).filter_map(|a| a.counterexample.as_ref());
    if let Some(counterexample) = found.next() {
        return output::write(path, &counterexample.trace.to_json());
    }
    let older = if output::remove(path) { "; the older file there was removed" } else { "" };
    output::note(&format!("nothing was violated: no trace was written to {path}{older}"));
}

fn memory_size(bytes: u64) -> String {
    format!("{}B", memory::short(bytes as f64))
}

/// Counts of what happened and of what was cut off, in words.
fn coverage(ran: &Checked) -> String {
    let list = |items: &mut dyn Iterator<Item = (&str, u64)>| {
        items.map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
    };
    let steps = list(&mut ran.tally.steps.iter().map(|(kind, n)| (kind.name(), *n)));
    let messages = list(&mut ran.tally.messages.iter().map(|(kind, n)| (kind.as_str(), *n)));
    let cut = list(&mut ran.cut.iter().map(|(bound, n)| (bound.name(), *n)));
    let mut text = format!(
        "\n{} distinct states of {} generated, {} steps deep; {} elections\n",
        ran.distinct, ran.generated, ran.depth, ran.tally.elections
    );
    for (title, items) in
        [("steps", steps), ("messages delivered", messages), ("cut by bounds", cut)]
    {
        if !items.is_empty() {
            text += &format!("  {title}: {items}\n");
        }
    }
    for (goal, n) in &ran.tally.goals {
        text += &format!("  goal {goal}: {n} steps\n");
    }
    for goal in &ran.tally.past {
        text += &format!("  goal {goal}: reached\n");
    }
    for (property, setting) in &ran.not_asked {
        text += &format!("  not asked: {property} (it speaks of nothing unless {setting})\n");
    }
    text
}

/// The last line.
fn summary(runs: &[Box<dyn Prepared>], all: &[Checked], time: Duration) -> String {
    let count = |agreement| all.iter().filter(|ran| ran.agreement() == agreement).count();
    let mut parts = vec![format!("{} as expected", count(Agreement::AsExpected))];
    let others = [
        (count(Agreement::NotAsExpected), "not as expected"),
        (count(Agreement::Inconclusive), "inconclusive"),
        (count(Agreement::Error), "in error"),
        (runs.len() - all.len(), "not begun"),
    ];
    parts.extend(others.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    let scenarios =
        if runs.len() == 1 { "1 scenario" } else { &format!("{} scenarios", runs.len()) };
    format!("\n{scenarios}: {}; {:.1} s\n", parts.join(", "), time.as_secs_f64())
}

fn ending(runs: &[Box<dyn Prepared>], all: &[Checked]) -> Ending {
    match all.iter().map(Checked::agreement).max().unwrap_or(Agreement::AsExpected) {
        Agreement::AsExpected if all.len() < runs.len() => Ok(Exit::Inconclusive),
        Agreement::AsExpected => Ok(Exit::Good),
        Agreement::Inconclusive => Ok(Exit::Inconclusive),
        Agreement::NotAsExpected => Ok(Exit::Bad),
        Agreement::Error => Ok(Exit::BadInput),
    }
}
