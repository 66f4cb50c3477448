//! `oneleader replay`: shows a saved trace step by step, with what each step changed.

use std::io::{self, BufRead};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::json::{self, Versioned};
use crate::cli::pictures::{self, Pictures, caption};
use crate::cli::shown::Shown;
use crate::cli::{Ending, Exit, choice, output, stepper};
use crate::election::{Catalogue, Election, Visitor};
use crate::fuzz::recovery;
use crate::liveness::Asked;
use crate::reference::erased::Erased;
use crate::run::trace::{Cycle, Outcome, Replay as Run, Trace, diverged, replay, retake};
use crate::scenario::Problem;
use crate::semantics::{StepOf, System};
use crate::tell::itf;
use crate::tell::narrative;
use crate::tell::scene::Scene;
use crate::tell::story;

/// Replay a saved trace
///
/// The exit code is 0 if the trace reaches the recorded violation, 1 if it ends without a
/// violation, 2 if some step cannot be taken.
#[derive(Args)]
#[command(after_help = "\
Examples:
  oneleader replay t.json                 the run in sentences
  oneleader replay t.json --diagram       the run drawn in the terminal
  oneleader replay t.json --svg t.svg     the run as a picture")]
pub(super) struct Replay {
    /// A trace, as written by `check --trace`
    #[arg(value_name = "TRACE")]
    trace: String,
    /// Walk through the run by keys: next, back, go to, and other steps than those of the trace; if
    /// nobody sits at a terminal, wait for Enter after each step
    #[arg(long)]
    step: bool,
    /// Show each step by name, with the fields that it changed and the messages that it sent
    #[arg(long)]
    details: bool,
    /// Show the run as a space-time diagram
    #[arg(long, conflicts_with_all = ["details", "step"])]
    diagram: bool,
    /// Write the states in the Informal Trace Format, which Apalache and Quint tools read
    #[arg(long, value_name = "FILE.itf.json")]
    itf: Option<String>,
    #[command(flatten)]
    pictures: Pictures,
    /// Write the outcome as JSON; `-` is standard output, and then nothing else is written there
    #[arg(long, value_name = "FILE|-")]
    json: Option<String>,
    /// Print only how the replay ended
    #[arg(long)]
    quiet: bool,
}

impl Replay {
    pub(super) fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let outputs: Vec<_> = self.outputs().collect();
        output::plan(&[("the trace", &self.trace)], &outputs)?;
        let trace = read(&self.trace)?;
        choice::protocol(catalogue, &trace.protocol)
            .map_err(|problem| problem.in_file(&self.trace))?;
        let protocol = trace.protocol.clone();
        catalogue.visit(&protocol, Replaying { options: self, trace }).expect("found just now")
    }
}

/// Reads a trace.
///
/// # Errors
/// The file cannot be read, or is no trace that this program understands.
pub(super) fn read(path: &str) -> Result<Trace, Problem> {
    Trace::from_json(&output::read(path)?).map_err(|problem| problem.in_file(path))
}

/// How a replay ended, for machines.
#[derive(Serialize)]
struct Report<'a> {
    protocol: &'a str,
    property: &'a str,
    /// violated, holds, diverged; or taken, where a run shows an answer about liveness
    outcome: &'a str,
    /// The steps taken.
    steps: usize,
    why: Option<&'a str>,
    /// The step that could not be taken, and those that could.
    diverged: Option<&'a str>,
    enabled: Option<&'a [String]>,
}

struct Replaying<'a> {
    options: &'a Replay,
    trace: Trace,
}

impl Visitor for Replaying<'_> {
    type Output = Ending;

    fn visit<E: Election>(self) -> Ending {
        let Replaying { options, trace } = self;
        let in_file = |problem: Problem| problem.in_file(&options.trace);
        let system = trace.system::<E>().map_err(in_file)?;
        let (run, meaning) = if trace.property == recovery::PROPERTY {
            let promise = recovery::promise(&system).map_err(in_file)?;
            let meaning = recovery::Recovery::default().meaning(&promise);
            (recovery::replay(&system, &trace.steps).map_err(in_file)?, meaning)
        } else if let Some(asked) = Asked::named(&trace.property) {
            (retake(&system, &trace.steps), asked.meaning().into())
        } else {
            let property = trace.property::<E>().map_err(in_file)?;
            (replay(&system, property, &trace.steps), System::<E>::meaning(property).to_string())
        };
        let scene = scene(&system, &trace, &run.steps);
        let is_silent = options.outputs().any(|(_, path)| path == "-");
        let is_walk = options.step && !options.details && stepper::is_possible();
        if !options.quiet && !is_silent && is_walk {
            walk::<E>(&trace, &run.steps).map_err(in_file)?;
        } else if !options.quiet && !is_silent {
            options.tell(&scene);
        }
        if let Some(path) = &options.itf {
            output::write(path, &itf::export(&scene));
        }
        let is_violation = matches!(run.outcome, Outcome::Violated { .. });
        options.pictures.write(&scene, &caption(scene.protocol, &trace, &meaning, is_violation));
        if let Some(path) = &options.json {
            output::write(path, &json::text(&Versioned::new(report(&trace, &run))));
        }
        match run.outcome {
            Outcome::Violated { after, why } => {
                if !is_silent {
                    output::say(&format!(
                        "{} is violated after {after} steps: {why}\n({meaning})\n",
                        trace.property
                    ));
                    if why != trace.why {
                        output::say(&format!("(recorded was: {})\n", trace.why));
                    }
                }
                Ok(Exit::Good)
            }
            Outcome::Holds if Asked::named(&trace.property).is_some() => {
                if !is_silent {
                    let (n, answer) = (run.steps.len(), &trace.why);
                    output::say(&format!(
                        "all {n} steps were taken; {}: {answer}\n({meaning})\n",
                        trace.property
                    ));
                }
                Ok(Exit::Good)
            }
            Outcome::Holds => {
                if !is_silent {
                    let n = run.steps.len();
                    output::say(&format!("{} holds after all {n} steps\n", trace.property));
                }
                Ok(Exit::Bad)
            }
            Outcome::Diverged { at, name, enabled } => Err(in_file(diverged(at, &name, &enabled))),
        }
    }
}

/// Lets the reader walk through the run.
///
/// # Errors
/// The terminal, or a scenario that is no longer accepted.
fn walk<E: Election>(trace: &Trace, steps: &[StepOf<E>]) -> Result<(), Problem> {
    let title = format!("{} {}", trace.protocol, trace.scenario.name);
    let property = trace.property::<E>().ok().map(|id| (id, trace.property.clone()));
    let steps = steps.iter().cloned().map(Erased::new).collect();
    let system: Arc<dyn Shown> = Arc::new(trace.system::<E>()?);
    stepper::walk(system, title, property, steps)
        .map_err(|e| Problem::new(format!("the terminal cannot be used: {e}")))
}

/// What happened. Of a run that goes on for ever one lap is shown.
fn scene<E: Election>(system: &System<E>, trace: &Trace, steps: &[StepOf<E>]) -> Scene {
    match trace.cycle {
        Some(Cycle { after, steps: lap }) if after + lap <= steps.len() => {
            Scene::repeating(system, &steps[..after + lap], lap)
        }
        _ => Scene::new(system, steps),
    }
}

impl Replay {
    /// The files that are written, each with its flag.
    fn outputs(&self) -> impl Iterator<Item = output::Named<'_>> {
        let own = [("--itf", &self.itf), ("--json", &self.json)];
        let own = own.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?)));
        own.chain(self.pictures.outputs())
    }

    fn tell(&self, scene: &Scene) {
        if self.diagram {
            return pictures::show(scene);
        }
        if !self.step {
            let whole = if self.details { story::tell(scene) } else { narrative::tell(scene) };
            return output::say(&whole);
        }
        let steps = if self.details { story::by_step(scene) } else { narrative::by_step(scene) };
        for step in steps {
            output::say(&step);
            let _ = io::stdin().lock().read_line(&mut String::new());
        }
    }
}

fn report<'a, E: Election>(trace: &'a Trace, run: &'a Run<E>) -> Report<'a> {
    let (outcome, why, diverged, enabled) = match &run.outcome {
        Outcome::Violated { why, .. } => ("violated", Some(why.as_str()), None, None),
        Outcome::Holds if Asked::named(&trace.property).is_some() => {
            ("taken", Some(trace.why.as_str()), None, None)
        }
        Outcome::Holds => ("holds", None, None, None),
        Outcome::Diverged { name, enabled, .. } => {
            ("diverged", None, Some(name.as_str()), Some(enabled.as_slice()))
        }
    };
    let Trace { protocol, property, .. } = trace;
    Report { protocol, property, outcome, steps: run.steps.len(), why, diverged, enabled }
}
