//! `oneleader liveness`: does a leader come, and does it stay? A table of answers, and of a single
//! system the runs that show them.

use std::time::Instant;

use clap::Args;
use serde::Serialize;

use crate::cli::json::{self, Versioned};
use crate::cli::pictures::{self, Pictures};
use crate::cli::provenance::Provenance;
use crate::cli::times::{self, Time};
use crate::cli::{Ending, Exit, choice, output, positive};
use crate::election::{About, Catalogue};
use crate::judge::{self, Agreement, LivenessChecked, Shown, TimeAsked};
use crate::liveness::Asked;
use crate::scenario::liveness::{LivenessScenario, parse};
use crate::scenario::{Problem, Size, among};

/// Decide liveness: does a leader come, and does it stay?
///
/// Time is kept, a message takes a tick, and terms may grow for ever. Answers, strongest first:
/// `guaranteed`; `almost-sure` (if timeouts, or timeouts and the order of delivery, are random);
/// `can-be-lost`; `never`; `time-stops`; `unknown`. What they mean: docs/liveness.md.
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 as expected, 1 not as expected, 2 bad input, 3 something is unknown.

Examples:
  oneleader liveness                                each protocol's questions
  oneleader liveness raft --scenario chained        one of them, with the run that shows it
  oneleader liveness raft --scenario mesh --time    how long it takes until a leader stays")]
pub(super) struct Liveness {
    /// The protocols; without any, all
    #[arg(value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Only this one of the corpus, or all of a file ending in .toml
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Option<String>,
    /// The whole corpus, five nodes included: minutes and gigabytes
    #[arg(long, conflicts_with = "scenario")]
    deep: bool,
    /// End a search after so many states, whatever the scenario says
    #[arg(long, value_name = "N", value_parser = positive::<u64>)]
    max_states: Option<u64>,
    /// How many ticks pass until a leader stays, where timeouts and the order of delivery are
    /// random: on average, and as a histogram
    #[arg(long)]
    time: bool,
    /// Check these times by so many random walks over the reference semantics
    #[arg(long, value_name = "N", value_parser = positive::<u32>, requires = "time")]
    walks: Option<u32>,
    /// What the walks draw
    #[arg(long, value_name = "N", requires = "walks", default_value_t = 0)]
    seed: u64,
    /// Write the answers as JSON; `-` is standard output, and then nothing else is written there
    #[arg(long, value_name = "FILE|-")]
    json: Option<String>,
    /// Write the run that shows the first answer that has one as a trace, for replay
    #[arg(long, value_name = "FILE")]
    trace: Option<String>,
    #[command(flatten)]
    pictures: Pictures,
}

/// What is asked about a protocol.
pub(super) type AllAsked = Vec<(&'static About, LivenessScenario)>;

impl Liveness {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let file = self.scenario.as_ref().filter(|name| choice::is_file(name));
        let inputs: Vec<_> = file.map(|file| ("--scenario", file.as_str())).into_iter().collect();
        let outputs = [("--json", &self.json), ("--trace", &self.trace)];
        let outputs = outputs.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?)));
        let outputs: Vec<_> = outputs.chain(self.pictures.outputs()).collect();
        output::plan(&inputs, &outputs)?;
        let asked = self.asked(catalogue)?;
        if asked.is_empty() {
            return Err(Problem::new("nothing is asked: no [[liveness]] table is there"));
        }
        let is_silent = outputs.iter().any(|(_, path)| *path == "-");
        let say = |text: &str| {
            if !is_silent {
                output::say(text);
            }
        };
        let time = TimeAsked { walks: self.walks.unwrap_or(0), seed: self.seed };
        let asking = Asking { time: self.time.then_some(time), ..Asking::default() };
        let json = self.json.as_ref().map(|path| (path, Provenance::now()));
        let all = answers(catalogue, &asked, asking, || false, say)?;
        if self.time {
            say(&times::told(&all));
        }
        if let [one] = &all[..] {
            say(&runs(one));
        }
        if let Some((path, provenance)) = json {
            output::write(path, &as_json(&all, provenance));
        }
        let mut shown = all.iter().flat_map(|one| &one.answers).filter_map(|a| a.shown.as_ref());
        let first = shown.next();
        match (&self.trace, first) {
            (Some(path), Some(shown)) => output::write(path, &shown.trace.to_json()),
            (Some(path), None) => {
                output::note(&format!("no answer is shown by a run: {path} is not written"))
            }
            (None, _) => {}
        }
        match first {
            Some(Shown { scene, trace, .. }) => {
                let meaning = Asked::named(&trace.property).map_or("", Asked::meaning);
                let caption = pictures::caption(scene.protocol, trace, meaning, false);
                self.pictures.write(scene, &caption);
            }
            None => self.pictures.remove("no answer is shown by a run"),
        }
        Ok(exit(&asked, &all))
    }

    fn asked(&self, catalogue: &impl Catalogue) -> Result<AllAsked, Problem> {
        let abouts = choice::protocols(catalogue, &self.protocols)?;
        let size = if self.deep { Size::Deep } else { Size::Full };
        let mut all = match &self.scenario {
            None => corpus(&abouts, size)?,
            Some(file) if choice::is_file(file) => of_file(file, &abouts)?,
            Some(name) => named(name, &abouts)?,
        };
        if let Some(most) = self.max_states {
            all.iter_mut().for_each(|(_, scenario)| scenario.max_states = most as usize);
        }
        Ok(all)
    }
}

/// The systems of this name in the corpora of these protocols.
fn named(name: &str, abouts: &[&'static About]) -> Result<AllAsked, Problem> {
    let mut all = corpus(abouts, Size::Deep)?;
    let known: Vec<String> = all.iter().map(|(_, scenario)| scenario.name.clone()).collect();
    all.retain(|(_, scenario)| scenario.name == *name);
    if all.is_empty() {
        let hint = among(name, known.iter().map(String::as_str));
        return Err(Problem::new(format!("nothing is asked under the name `{name}`{hint}")));
    }
    Ok(all)
}

/// What the corpora of these protocols ask about liveness, up to a size.
pub(super) fn corpus(abouts: &[&'static About], size: Size) -> Result<AllAsked, Problem> {
    let mut all = AllAsked::new();
    for about in abouts {
        let scenarios = parse(about.corpus, about)
            .map_err(|problem| problem.in_file(&format!("corpus of {}", about.name)))?;
        let scenarios = scenarios.into_iter().filter(|scenario| scenario.size <= size);
        all.extend(scenarios.map(|scenario| (*about, scenario)));
    }
    Ok(all)
}

/// What a file asks about the liveness of a protocol.
pub(super) fn of_file(path: &str, abouts: &[&'static About]) -> Result<AllAsked, Problem> {
    let [about] = *abouts else {
        return Err(Problem::new("which protocol is the file about? name one"));
    };
    let all = parse(&output::read(path)?, about).map_err(|problem| problem.in_file(path))?;
    Ok(all.into_iter().map(|scenario| (about, scenario)).collect())
}

/// How it is asked.
#[derive(Clone, Copy, Default)]
pub(super) struct Asking {
    /// Only answers that are not as expected are said.
    pub(super) quiet: bool,
    /// Whether times are measured.
    pub(super) time: Option<TimeAsked>,
}

/// Asks one after the other, until stopped, and says the answers.
pub(super) fn answers(
    catalogue: &impl Catalogue,
    asked: &AllAsked,
    asking: Asking,
    is_stopped: impl Fn() -> bool,
    say: impl Fn(&str),
) -> Result<Vec<LivenessChecked>, Problem> {
    let begin = Instant::now();
    let widest = asked.iter().map(|(_, scenario)| scenario.name.len()).max().unwrap_or(0).max(8);
    let row = |cells: [&str; 6], mark: &str| {
        let [protocol, name, question, answer, states, seconds] = cells;
        let line = format!(
            "{protocol:11}  {name:widest$}  {question:22}  {answer:32}  {states:>9}  {seconds:>7}  {mark}"
        );
        line.trim_end().to_string() + "\n"
    };
    let header = row(["protocol", "liveness", "question", "answer", "states", "seconds"], "");
    if !asking.quiet {
        say(&format!("{header}{}\n", "-".repeat(header.trim_end().len())));
    }
    let mut all = Vec::new();
    for (about, scenario) in asked {
        if is_stopped() {
            break;
        }
        let one = judge::liveness_of(catalogue, about, scenario, asking.time)?;
        for (i, answer) in one.answers.iter().enumerate() {
            let once = |text: String| if i == 0 { text } else { String::new() };
            let mark = match (&answer.agreement, &answer.expected) {
                (Agreement::AsExpected, _) => String::new(),
                (_, Some(expected)) => format!("<- expected: {expected}"),
                (_, None) => "<- not expected".to_string(),
            };
            let (states, seconds) = (one.states.to_string(), format!("{:.2}", one.seconds));
            let cells = [once(states), once(seconds)];
            let names = [about.name, &scenario.name, answer.question, &answer.answer];
            let [a, b, c, d] = names;
            if !asking.quiet || !mark.is_empty() {
                say(&row([a, b, c, d, &cells[0], &cells[1]], &mark));
            }
        }
        all.push(one);
    }
    let count = |agreement| all.iter().filter(|one| one.agreement() == agreement).count();
    let mut others = String::new();
    for (n, what) in
        [(all.len() - count(Agreement::AsExpected), "not"), (asked.len() - all.len(), "not begun")]
    {
        if n > 0 {
            others += &format!(", {n} {what}");
        }
    }
    say(&format!(
        "\nliveness of {} systems: {} as expected{others}; {:.1} s\n",
        asked.len(),
        count(Agreement::AsExpected),
        begin.elapsed().as_secs_f64()
    ));
    Ok(all)
}

/// How a command ends that has these answers.
pub(super) fn exit(asked: &AllAsked, all: &[LivenessChecked]) -> Exit {
    match all.iter().map(LivenessChecked::agreement).max() {
        None | Some(Agreement::AsExpected) if all.len() < asked.len() => Exit::Inconclusive,
        None | Some(Agreement::AsExpected) => Exit::Good,
        Some(Agreement::Inconclusive) => Exit::Inconclusive,
        Some(Agreement::NotAsExpected) => Exit::Bad,
        Some(Agreement::Error) => Exit::BadInput,
    }
}

/// The runs that show the answers.
fn runs(one: &LivenessChecked) -> String {
    let (mut text, mut told): (String, Vec<&Shown>) = (String::new(), Vec::new());
    for answer in &one.answers {
        let Some(shown) = &answer.shown else { continue };
        if told.iter().any(|other| other.is_like(shown)) {
            text += &format!("\n{}: {}: shown by the same run\n", answer.question, answer.answer);
            continue;
        }
        told.push(shown);
        text += &format!("\n{}: {}: {}\n", answer.question, answer.answer, shown.what);
        let width = (shown.prefix.len() + shown.cycle.len()).to_string().len();
        let steps = shown.prefix.iter().map(|step| (' ', step));
        let steps = steps.chain(shown.cycle.iter().map(|step| ('|', step)));
        for (i, (bar, step)) in steps.enumerate() {
            text += &format!("  {:>width$} {bar} {step}\n", i + 1);
        }
        if !shown.cycle.is_empty() {
            text += &format!(
                "  and so on from {}, with later terms where these grow\n",
                shown.prefix.len() + 1
            );
        }
        if !shown.fairness.is_empty() {
            text += "  It is fair. What waits when a lap begins:\n";
            shown.fairness.iter().for_each(|met| text += &format!("    {met}\n"));
        }
    }
    if !told.is_empty() {
        text += "\ndrawn: --svg FILE.svg; in sentences: --trace FILE, then oneleader replay FILE\n";
    }
    text
}

/// One answer to one question.
#[derive(Serialize)]
struct Row<'a> {
    protocol: &'a str,
    scenario: &'a str,
    bug: Option<&'a str>,
    question: &'a str,
    answer: &'a str,
    /// With `almost-sure`: what must be random for it.
    random: Option<&'a str>,
    expected: Option<&'a str>,
    as_expected: bool,
    states: u32,
    ticks: u32,
    cut: Option<&'a str>,
    seconds: f64,
    /// Steps of the run that shows the answer, before its cycle and in it.
    prefix_steps: Option<usize>,
    cycle_steps: Option<usize>,
    /// How long it takes until it is so, if that was asked, of the first question.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Time>,
}

/// As JSON, with an answer on each line.
fn as_json(all: &[LivenessChecked], provenance: Provenance) -> String {
    let rows = all.iter().flat_map(|one| {
        one.answers.iter().map(move |answer| Row {
            protocol: one.protocol,
            scenario: &one.scenario.name,
            bug: one.scenario.bug.as_deref(),
            question: answer.question,
            answer: &answer.answer,
            random: answer.random,
            expected: answer.expected.as_deref(),
            as_expected: answer.agreement == Agreement::AsExpected,
            states: one.states,
            ticks: one.ticks,
            cut: one.cut,
            seconds: one.seconds,
            prefix_steps: answer.shown.as_ref().map(|shown| shown.prefix.len()),
            cycle_steps: answer.shown.as_ref().map(|shown| shown.cycle.len()),
            time: Time::of(one, answer.question),
        })
    });
    let plain = |row: &Row<'_>| serde_json::to_string(row).expect("a row is plain data");
    let rows: Vec<String> = rows.map(|row| plain(&row)).collect();
    let head = json::text(&Versioned::new(provenance));
    let head = head.trim_end().trim_end_matches('}');
    format!("{head},\"liveness\":[\n{}\n]}}\n", rows.join(",\n"))
}
