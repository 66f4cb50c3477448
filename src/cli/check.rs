//! `oneleader check`: scenarios through an engine, a table of verdicts, what was unexpected explained below it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;

use crate::check::Limits;
use crate::cli::choice::{self, Choice, Chosen};
use crate::cli::run::{self, Agreement, Answer, Engine, Prepared, Ran, Request};
use crate::cli::table::Table;
use crate::cli::{Ending, Exit, say};
use crate::election::Catalogue;
use crate::scenario::{Problem, Size};

/// Check scenarios exhaustively; without one, the whole corpus
#[derive(Args)]
pub struct Check {
    /// The protocols; without any, all
    #[arg(value_name = "PROTOCOL")]
    protocols: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    /// Ask only this property
    #[arg(long, value_name = "NAME")]
    property: Option<String>,
    /// What explores the states
    #[arg(long, value_enum, default_value_t = Engine::Compiled)]
    engine: Engine,
    /// The seed of a simulation
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// See every state, past violations
    #[arg(long)]
    no_stop: bool,
    /// The corpus's largest scenarios as well
    #[arg(long)]
    deep: bool,
    /// Stop after this many distinct states
    #[arg(long, value_name = "N")]
    max_states: Option<u64>,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS")]
    time_limit: Option<f64>,
}

impl Check {
    pub fn run(&self, catalogue: &impl Catalogue) -> Ending {
        let request = self.request()?;
        let chosen = self.chosen(catalogue)?;
        let prepared = chosen.into_iter().map(|chosen| run::prepare(catalogue, chosen, &request));
        let runs = prepared.collect::<Result<Vec<_>, _>>()?;
        for run in runs.iter().filter_map(|run| run.chosen().remark.as_ref()) {
            say(&format!("{run}\n"));
        }
        let table = Table::new(&runs);
        say(&table.header());
        let mut all = Vec::new();
        for run in &runs {
            let ran = run.run(&|_| ());
            say(&table.rows(&**run, &ran));
            all.push(ran);
        }
        for (run, ran) in runs.iter().zip(&all) {
            for answer in &ran.answers {
                if answer.agreement != Agreement::AsExpected || runs.len() == 1 {
                    say(&explain(&**run, answer));
                }
            }
            if let Some(why) = &ran.miscounted {
                say(&format!("\n{}\n  {why}\n", title(&**run)));
            }
        }
        ending(&all)
    }

    fn request(&self) -> Result<Request, Problem> {
        if self.seed.is_some() && self.engine != Engine::StaterightSimulation {
            return Err(Problem::new("--seed is for --engine stateright-simulation: nothing else is random"));
        }
        if self.engine == Engine::StaterightSimulation
            && self.max_states.is_none()
            && self.time_limit.is_none()
        {
            return Err(Problem::new("a simulation never ends by itself: give --max-states or --time-limit"));
        }
        let limits = Limits {
            threads: self.threads,
            max_states: self.max_states,
            time: self.time_limit.map(Duration::from_secs_f64),
            interrupted: Arc::new(AtomicBool::new(false)),
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

    fn chosen(&self, catalogue: &impl Catalogue) -> Result<Vec<Chosen>, Problem> {
        let size = if self.deep { Size::Deep } else { Size::Full };
        let mut all = Vec::new();
        for about in choice::protocols(catalogue, &self.protocols)? {
            all.extend(self.choice.scenarios(about, size)?);
        }
        Ok(all)
    }
}

fn title(run: &dyn Prepared) -> String {
    format!("{} {}", run.chosen().about.name, run.chosen().scenario.name)
}

/// What there is to say about one answer: the counterexample, or why nothing better was concluded.
fn explain(run: &dyn Prepared, answer: &Answer) -> String {
    let Answer { property, meaning, conclusion, .. } = answer;
    let mut text = format!("\n{}: {property} {}", title(run), conclusion.word);
    let why = conclusion.why.as_deref().unwrap_or("every reachable state was seen");
    match &answer.counterexample {
        None => text += &format!(" ({why})\n"),
        Some(counterexample) => {
            let shortest = if counterexample.is_shortest { "a shortest run" } else { "not a shortest run" };
            text += &format!(" in {} steps, {shortest}\n", counterexample.steps);
            text += &counterexample.story;
            text += &format!("  {property} is violated: {why}\n  ({meaning})\n");
        }
    }
    text
}

fn ending(all: &[Ran]) -> Ending {
    match all.iter().map(Ran::agreement).max().unwrap_or(Agreement::AsExpected) {
        Agreement::AsExpected => Ok(Exit::Good),
        Agreement::Inconclusive => Ok(Exit::Inconclusive),
        Agreement::NotAsExpected => Ok(Exit::Bad),
        Agreement::Error => {
            let answers = || all.iter().flat_map(|ran| &ran.answers);
            let error = answers().find(|a| a.agreement == Agreement::Error).expect("the worst is among them");
            Err(Problem::new(error.conclusion.why.clone().unwrap_or_default()))
        }
    }
}
