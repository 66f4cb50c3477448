//! `oneleader explore`: the Stateright Explorer, opened on a counterexample if there is one.

mod guided;
mod page;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use stateright::Model;

use crate::cli::choice::{self, Choice};
use crate::cli::{Ending, Exit, output, progress, replay, whole};
use crate::election::{About, Catalogue, Election, Visitor};
use crate::exploration::Ended;
use crate::exploration::verdict::Verdict;
use crate::judge::{self, Answer, Chosen, Request};
use crate::reference::erased::Erased;
use crate::run::trace::{self, Outcome, Trace};
use crate::scenario::{Problem, Scenario, Size};
use crate::semantics::{PropertyId, System};
use crate::tell::narrative;
use crate::tell::scene::Scene;
use guided::Guided;
use page::{Found, Page};

/// After the first violation, other properties are asked for this long.
const TIME_FOR_OTHERS: Duration = Duration::from_secs(5);

/// Open the Stateright Explorer, on a counterexample if there is one
///
/// The page shows the run so far as a space-time diagram, what the last step did and changed, and
/// why a property is violated. A star marks the action that leads on along a counterexample.
#[derive(Args)]
#[command(after_help = "\
Examples:
  oneleader explore raft --open                       from the first state on
  oneleader explore raft --bug forgets-vote --open    on a run that elects two leaders
  oneleader explore raft --trace t.json --open        on a saved run")]
pub(super) struct Explore {
    #[arg(value_name = "PROTOCOL")]
    protocol: String,
    #[command(flatten)]
    choice: Choice,
    /// Open this trace, as written by `check --trace`
    #[arg(long, value_name = "FILE")]
    trace: Option<String>,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "P", default_value_t = 3000, value_parser = whole::<u16>)]
    port: u16,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
}

impl Explore {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let about = choice::protocol(catalogue, &self.protocol)?;
        let port = free_port(self.port)?;
        let source = match &self.trace {
            Some(path) => Source::Trace(path, self.read(path)?),
            None => {
                let chosen = self.chosen(about)?;
                let scenario = chosen.scenario.clone();
                Source::Scenario(scenario, search(catalogue, chosen)?)
            }
        };
        let opening = Opening { source, port, in_browser: self.open };
        catalogue.visit(&self.protocol, opening).expect("found just now")
    }

    fn read(&self, path: &str) -> Result<Trace, Problem> {
        if self.choice.is_given() {
            return Err(Problem::new("--trace carries its own scenario: give no other"));
        }
        let trace = replay::read(path)?;
        if trace.protocol != self.protocol {
            let message =
                format!("expected a trace of {}, found one of {}", self.protocol, trace.protocol);
            return Err(Problem::new(message).in_file(path));
        }
        Ok(trace)
    }

    fn chosen(&self, about: &'static About) -> Result<Chosen, Problem> {
        let chosen = self.choice.scenarios(about, Size::Deep)?.into_iter().next();
        let chosen =
            chosen.ok_or_else(|| Problem::new("there is no scenario to explore: make one up"))?;
        let assumptions = choice::assumptions(&chosen.scenario);
        output::say(&format!("{}: {assumptions}\n", chosen.title()));
        if let Some(remark) = &chosen.remark {
            output::say(&format!("{remark}\n"));
        }
        Ok(chosen)
    }
}

/// The port, if it can be listened on: stateright would panic.
fn free_port(port: u16) -> Result<u16, Problem> {
    let busy = |e: std::io::Error| {
        Problem::new(format!("cannot listen on 127.0.0.1:{port}: {e}; choose another with --port"))
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(busy)?;
    Ok(listener.local_addr().map_err(busy)?.port())
}

/// Asks the compiled engine. What the scenario expects to be violated comes first; then every
/// property is asked, for a while if something is known to open with.
fn search(catalogue: &impl Catalogue, chosen: Chosen) -> Result<Vec<Answer>, Problem> {
    let run = |chosen: &Chosen, request: &Request| {
        let prepared = judge::prepare(catalogue, chosen.clone(), request)?;
        let line = progress::Line::new(false, request.limits.memory);
        let checked = prepared.run(&|progress| line.show("searching", progress));
        line.clear();
        Ok::<_, Problem>(checked)
    };
    let mut request = Request::default();
    let mut expected = chosen.scenario.expect.values();
    let mut all = match expected.any(|expected| expected.verdict == Verdict::Violated) {
        true => violations(run(&chosen, &request)?.answers),
        false => Vec::new(),
    };
    // Without expectations all is asked that says something.
    let scenario = Scenario { expect: Default::default(), ..chosen.scenario.clone() };
    let open = Chosen { scenario, ..chosen };
    if all.is_empty() {
        let ran = run(&open, &request)?;
        if ran.ended == Ended::Exhausted || !ran.answers.iter().any(is_violation) {
            return Ok(ran.answers);
        }
        all = violations(ran.answers);
    }
    request.no_stop = true;
    request.limits.time = Some(TIME_FOR_OTHERS);
    let known: Vec<&str> = all.iter().map(|answer| answer.property).collect();
    let mut others = run(&open, &request)?.answers;
    others.retain(|answer| !known.contains(&answer.property));
    others.sort_by_key(|answer| answer.counterexample.as_ref().map_or(usize::MAX, |c| c.steps));
    all.extend(others);
    Ok(all)
}

fn is_violation(answer: &Answer) -> bool {
    answer.counterexample.is_some()
}

/// The answers with a counterexample, the shortest first.
fn violations(mut answers: Vec<Answer>) -> Vec<Answer> {
    answers.retain(is_violation);
    answers.sort_by_key(|answer| answer.counterexample.as_ref().map(|c| c.steps));
    answers
}

/// What is to be opened.
enum Source<'a> {
    Scenario(Scenario, Vec<Answer>),
    Trace(&'a str, Trace),
}

struct Opening<'a> {
    source: Source<'a>,
    port: u16,
    in_browser: bool,
}

impl Visitor for Opening<'_> {
    type Output = Ending;

    fn visit<E: Election>(self) -> Ending {
        let guided = match &self.source {
            Source::Scenario(scenario, answers) => of_answers::<E>(scenario, answers)?,
            Source::Trace(path, trace) => {
                of_trace::<E>(trace).map_err(|problem| problem.in_file(path))?
            }
        };
        serve(guided, self.port, self.in_browser)
    }
}

/// What the compiled engine has answered about a scenario.
fn of_answers<E: Election>(scenario: &Scenario, answers: &[Answer]) -> Result<Guided, Problem> {
    let counterexamples: Vec<_> =
        answers.iter().filter_map(|answer| answer.counterexample.as_ref()).collect();
    let system = match counterexamples.first() {
        Some(first) => first.trace.system::<E>()?,
        None => scenario.system::<E>()?,
    };
    let system = Arc::new(system);
    let mut found = Vec::new();
    for (i, counterexample) in counterexamples.iter().enumerate() {
        let trace = &counterexample.trace;
        let is_told = counterexamples[..i].iter().any(|c| c.trace.steps == trace.steps);
        found.push(follow(&system, trace, is_told)?);
    }
    let verdicts: Vec<String> = answers.iter().map(in_words).collect();
    if found.is_empty() {
        output::say(&(verdicts.join("\n") + "\nno counterexample: it opens at the start\n"));
    }
    let verdict = |name: &str| {
        let answer = answers.iter().find(|answer| answer.property == name)?;
        Some(answer.conclusion.verdict)
    };
    // The Explorer says of what is listed and not violated that it holds.
    let listed = System::<E>::properties().into_iter().filter_map(|(property, name)| {
        let verdict = verdict(name)?;
        match verdict {
            Verdict::Violated | Verdict::Holds => Some((property, name)),
            Verdict::HoldsWithinBounds => {
                Some((property, &*format!("{name} (within the bounds)").leak()))
            }
            _ => None,
        }
    });
    let listed = listed.collect();
    let page = Page { found, verdicts, ..page(system, scenario) };
    Ok(Guided { page: Arc::new(page), listed })
}

/// An answer in a line.
fn in_words(answer: &Answer) -> String {
    let Answer { property, conclusion, counterexample, .. } = answer;
    let why = match (counterexample, &conclusion.why) {
        (Some(counterexample), _) => format!(" in {} steps", counterexample.steps),
        (None, Some(why)) => format!(" ({why})"),
        (None, None) => String::new(),
    };
    format!("{property}: {}{why}", conclusion.verdict)
}

/// The run of a trace.
fn of_trace<E: Election>(trace: &Trace) -> Result<Guided, Problem> {
    let system = Arc::new(trace.system::<E>()?);
    let found = follow(&system, trace, false)?;
    // The path says nothing about other properties, and the Explorer would say that they hold.
    let listed = vec![(found.property, found.name)];
    let verdicts = vec![format!("not asked: this is a trace that violates {}", found.name)];
    let page = Page { found: vec![found], verdicts, ..page(system, &trace.scenario) };
    Ok(Guided { page: Arc::new(page), listed })
}

/// A page on which nothing was found yet.
fn page<E: Election>(system: Arc<System<E>>, scenario: &Scenario) -> Page {
    Page {
        title: format!("{}: {}", E::about().title, scenario.name),
        assumptions: choice::assumptions(scenario),
        verdicts: Vec::new(),
        found: Vec::new(),
        system,
    }
}

/// Takes the steps of a trace, and tells of them unless they are told already.
///
/// # Errors
/// They do not lead to the violation any more.
fn follow<E: Election>(
    system: &Arc<System<E>>,
    trace: &Trace,
    is_told: bool,
) -> Result<Found, Problem> {
    let property: PropertyId = trace.property::<E>()?;
    let run = trace::replay(system, property, &trace.steps);
    let why = match run.outcome {
        Outcome::Violated { why, .. } => why,
        Outcome::Holds => {
            return Err(Problem::new(format!(
                "the trace does not violate {} any more",
                trace.property
            )));
        }
        Outcome::Diverged { at, name, enabled } => {
            return Err(trace::diverged(at, &name, &enabled));
        }
    };
    let (n, name) = (run.steps.len(), &trace.property);
    let same = if is_told { ", the same" } else { "" };
    output::say(&format!("\n{name} is violated in {n} steps{same}: {why}\n"));
    if !is_told {
        output::say(&narrative::tell(&Scene::new(system, &run.steps)));
    }
    let mut all = System::<E>::properties().into_iter();
    let named = all.find(|(known, _)| *known == property).expect("a property of the protocol");
    let steps = run.steps.into_iter().map(Erased::new).collect();
    Ok(Found::new(&**system, named, steps))
}

/// Serves until the program is ended. Prints the address once the server answers.
fn serve(guided: Guided, port: u16, in_browser: bool) -> Ending {
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let url = |found: Option<&Found>| format!("http://{address}/#/steps{}", guided.link(found));
    let (first, others) = match guided.page.found.split_first() {
        Some((first, others)) => (url(Some(first)), others),
        None => (url(None), &[][..]),
    };
    let others: String =
        others.iter().map(|found| format!("{}: {}\n", found.name, url(Some(found)))).collect();
    thread::spawn(move || {
        let mut stream = loop {
            match TcpStream::connect(address) {
                Ok(stream) => break stream,
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        };
        let post = "POST /.runtocompletion HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\
                    Connection: close\r\n\r\n";
        // If this fails, the list of properties stays unanswered, but the link still leads to the
        // state.
        let _ =
            stream.write_all(post.as_bytes()).and_then(|()| stream.read_to_end(&mut Vec::new()));
        output::say(&format!("\nStateright Explorer: {first}\n{others}Ctrl-C ends it.\n"));
        if in_browser && let Err(e) = open::that_detached(&first) {
            output::note(&format!("no browser could be opened: {e}; open the link above yourself"));
        }
    });
    // In a directory with a folder `ui`, stateright would serve that instead of its own pages.
    let _ = std::env::set_current_dir("/");
    guided.checker().serve(address);
    Ok(Exit::Good)
}
