//! `oneleader explore`: the Stateright Explorer, opened on a counterexample.
//!
//! The Explorer lists properties only after its checker has run to completion, which in version
//! 0.31 means over the whole space. So the checker gets a space that it completes at once: the
//! boundary admits only the states on the counterexample's path, and the list names only what is
//! violated there. Browsing ignores the boundary, so every step off the path can be followed, too.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use stateright::{Model, Property};

use crate::cli::choice::{self, Choice};
use crate::cli::{Ending, Exit, output, progress, replay, whole};
use crate::election::{About, Catalogue, Election, Visitor};
use crate::exploration::verdict::Verdict;
use crate::exploration::{Limits, Until};
use crate::judge::{self, Engine};
use crate::reference::erased::{AnySystem, Erased};
use crate::reference::questions::{Questioned, always};
use crate::run::trace::{self, Outcome, Trace};
use crate::scenario::{Problem, Scenario, Size};
use crate::semantics::{PropertyId, StepOf, System};
use crate::support::memory;
use crate::tell::scene::{Frame, Scene};
use crate::tell::story;

/// Open the Stateright Explorer, on a counterexample if there is one
#[derive(Args)]
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
}

impl Explore {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let about = choice::protocol(catalogue, &self.protocol)?;
        let port = free_port(self.port)?;
        let source = match &self.trace {
            Some(path) => Source::Trace(path, self.read(path)?),
            None => Source::Scenario(self.scenario(about)?),
        };
        catalogue.visit(&self.protocol, Exploring { source, port }).expect("found just now")
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

    fn scenario(&self, about: &'static About) -> Result<Scenario, Problem> {
        let chosen = self.choice.scenarios(about, Size::Deep)?.into_iter().next();
        let chosen =
            chosen.ok_or_else(|| Problem::new("there is no scenario to explore: make one up"))?;
        let assumptions = choice::assumptions(&chosen.scenario);
        output::say(&format!("{} {}: {assumptions}\n", about.name, chosen.scenario.name));
        if let Some(remark) = &chosen.remark {
            output::say(&format!("{remark}\n"));
        }
        Ok(chosen.scenario)
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

/// What is to be opened.
enum Source<'a> {
    Scenario(Scenario),
    Trace(&'a str, Trace),
}

struct Exploring<'a> {
    source: Source<'a>,
    port: u16,
}

impl Visitor for Exploring<'_> {
    type Output = Ending;

    fn visit<E: Election>(self) -> Ending {
        let guided = match self.source {
            Source::Scenario(scenario) => {
                let system = Arc::new(scenario.system::<E>()?);
                let found = search(&scenario, &system);
                Guided::new(system, found)
            }
            Source::Trace(path, trace) => {
                follow::<E>(&trace).map_err(|problem| problem.in_file(path))?
            }
        };
        output::say(&guided.introduction());
        serve(guided, self.port)
    }
}

/// A run that violates a property.
struct Found {
    property: PropertyId,
    steps: Vec<Erased>,
    why: String,
    story: String,
}

impl Found {
    fn new<E: Election>(
        system: &System<E>,
        property: PropertyId,
        steps: &[StepOf<E>],
        why: String,
    ) -> Self {
        let story = story::tell(&Scene::new(system, steps));
        Found {
            property,
            steps: steps.iter().map(|step| Erased::new(step.clone())).collect(),
            why,
            story,
        }
    }
}

/// Searches for a shortest counterexample if one is likely: the scenario plants a bug, or expects a
/// violation.
fn search<E: Election>(scenario: &Scenario, system: &Arc<System<E>>) -> Option<Found> {
    let all = System::<E>::properties();
    let is_expected =
        |name: &str| scenario.expected(name).is_some_and(|e| e.verdict == Verdict::Violated);
    let expected: Vec<PropertyId> =
        all.iter().filter(|(_, n)| is_expected(n)).map(|(p, _)| *p).collect();
    if expected.is_empty() && scenario.bug.is_none() {
        return None;
    }
    let asked =
        if expected.is_empty() { all.into_iter().map(|(p, _)| p).collect() } else { expected };
    let line = progress::Line::new(false, None);
    let memory = memory::usual_limit();
    let limits = Limits { until: Until::FirstViolation, memory, ..Limits::default() };
    let seen = judge::explore(Engine::Compiled, 0, system, &asked, &limits, &|p| {
        line.show("searching", p)
    });
    line.clear();
    let (property, violation) = seen.violations.into_iter().min_by_key(|(_, v)| v.steps.len())?;
    Some(Found::new(system, property, &violation.steps, violation.why))
}

/// The system of a trace, and its run.
fn follow<E: Election>(trace: &Trace) -> Result<Guided, Problem> {
    let property = trace.property::<E>()?;
    let system = trace.system::<E>()?;
    let run = trace::replay(&system, property, &trace.steps);
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
    let found = Found::new(&system, property, &run.steps, why);
    Ok(Guided::new(Arc::new(system), Some(found)))
}

/// The system as the Explorer sees it.
struct Guided {
    system: Arc<dyn AnySystem>,
    found: Option<Found>,
    /// The states of the run that was found.
    path: Vec<Erased>,
    /// What a step changed between two states, in words.
    changes: Box<dyn Fn(&Erased, &Erased, &Erased) -> String + Send + Sync>,
}

impl Guided {
    fn new<E: Election>(typed: Arc<System<E>>, found: Option<Found>) -> Self {
        let system: Arc<dyn AnySystem> = typed.clone();
        let changes = Box::new(move |before: &Erased, step: &Erased, after: &Erased| {
            let frame = Frame::new(&typed, before.get(), step.get(), after.get());
            story::changes(&frame, E::about().has_terms).join("\n")
        });
        let mut path = vec![system.initial()];
        for step in found.iter().flat_map(|found| &found.steps) {
            let last = path.last().expect("not empty");
            path.push(system.apply(last, step).expect("a run that was found can be taken"));
        }
        Guided { system, found, path, changes }
    }

    /// The position of the initial state, then the position of each step of the run among the steps
    /// that were enabled.
    fn indices(&self) -> Vec<usize> {
        let mut indices = vec![0];
        for (state, step) in self.path.iter().zip(self.found.iter().flat_map(|found| &found.steps))
        {
            let enabled = self.system.successors(state);
            let index = enabled.iter().position(|(other, _)| other == step);
            indices.push(index.expect("a run that was found can be taken"));
        }
        indices
    }

    /// The path to the counterexample in the form of the Explorer's addresses: `/0/3/1`.
    fn link(&self) -> String {
        let indices = if self.found.is_some() { self.indices() } else { Vec::new() };
        indices.iter().map(|i| format!("/{i}")).collect()
    }

    fn introduction(&self) -> String {
        let Some(found) = &self.found else {
            return "no counterexample is known: the Explorer opens at the start\n".to_string();
        };
        let (_, name) = self.system.properties()[usize::from(found.property.0)];
        format!("{name} is violated in {} steps: {}\n{}", found.steps.len(), found.why, found.story)
    }
}

impl Questioned for Guided {
    fn holds_here(&self, property: PropertyId, state: &Erased) -> bool {
        self.system.holds(property, state).is_ok()
    }
}

impl Model for Guided {
    type State = Erased;
    type Action = Erased;

    fn init_states(&self) -> Vec<Self::State> {
        vec![self.system.initial()]
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        actions.extend(self.system.successors(state).into_iter().map(|(step, _)| step));
    }

    fn next_state(&self, state: &Self::State, step: Self::Action) -> Option<Self::State> {
        self.system.apply(state, &step)
    }

    fn within_boundary(&self, state: &Self::State) -> bool {
        match self.found {
            Some(_) => self.path.contains(state),
            None => self.system.beyond(state).is_none(),
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let names = self.system.properties();
        let all: Vec<PropertyId> = names.iter().map(|(property, _)| *property).collect();
        match &self.found {
            // The path says nothing about other properties, and the Explorer would say that they
            // hold.
            Some(found) => always(names, &[found.property]),
            None => always(names, &all),
        }
    }

    fn format_action(&self, step: &Self::Action) -> String {
        self.system.name(step)
    }

    fn format_step(&self, before: &Self::State, step: Self::Action) -> Option<String> {
        let after = self.system.apply(before, &step)?;
        Some((self.changes)(before, &step, &after))
    }
}

/// Serves until the program is ended. Prints the address once the server answers.
fn serve(guided: Guided, port: u16) -> Ending {
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let (link, is_found) = (guided.link(), guided.found.is_some());
    thread::spawn(move || {
        let connect = || TcpStream::connect(address).ok();
        let mut stream = loop {
            match connect() {
                Some(stream) => break stream,
                None => thread::sleep(Duration::from_millis(10)),
            }
        };
        if is_found {
            let post = "POST /.runtocompletion HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\
                        Connection: close\r\n\r\n";
            // If this fails, the list of properties stays unanswered, but the link still leads to
            // the state.
            let _ = stream
                .write_all(post.as_bytes())
                .and_then(|()| stream.read_to_end(&mut Vec::new()));
        }
        output::say(&format!(
            "Stateright Explorer: http://{address}/#/steps{link}\nCtrl-C ends it.\n"
        ));
    });
    // In a directory with a folder `ui`, stateright would serve that instead of its own pages.
    let _ = std::env::set_current_dir("/");
    guided.checker().serve(address);
    Ok(Exit::Good)
}
