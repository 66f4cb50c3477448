//! Random runs of systems far beyond exhaustive reach: a proptest strategy over schedules.
//!
//! A [`Run`] is a scenario and a schedule of named steps that has been carried out and judged: either every property
//! after every step, or whether a leader comes back after the network has healed ([`Recovery`]). [`Runs`] generates
//! them, and shrinks a failing one by leaving steps out, so that it works in any `proptest!` test. [`Campaign`] is
//! what the command line runs.
//!
//! A schedule is kept as steps and not as the random numbers that chose them: numbers mean something else as soon as
//! one of them is dropped, steps mean the same. It leaves out on purpose any memory of states seen: that is what the
//! exhaustive engines are for.

mod campaign;
pub mod recovery;
mod scenarios;
mod shrink;
mod walk;

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::sync::Arc;

use proptest::prelude::RngExt;
use proptest::strategy::{BoxedStrategy, NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::check::{self, Tally};
use crate::election::Election;
use crate::scenario::{Problem, Scenario};
use crate::system::{PropertyId, StepOf, System};

pub use campaign::{Campaign, Found, Outcome};
pub use recovery::Recovery;
pub use scenarios::{enlarged, promised};
pub use shrink::RunTree;

/// What is asked of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The scenario's properties, after every step.
    Safety,
    /// A leader that stays, once the network has healed.
    Recovery(Recovery),
}

impl Asked {
    /// The scenario with the rules that the question needs.
    pub fn prepared(self, scenario: Scenario) -> Scenario {
        match self {
            Asked::Safety => scenario,
            Asked::Recovery(_) => recovery::healing(scenario),
        }
    }
}

/// A system, and what is asked of its runs.
pub struct Trial<E: Election> {
    pub scenario: Scenario,
    pub system: System<E>,
    pub asked: Asked,
    properties: Vec<(PropertyId, &'static str)>,
}

impl<E: Election> Trial<E> {
    /// The scenario must have been [prepared](Asked::prepared).
    ///
    /// # Errors
    /// What [`Scenario::system`] says.
    pub fn new(scenario: Scenario, asked: Asked) -> Result<Self, Problem> {
        let system = scenario.system()?;
        let properties = check::asked(&scenario, &system).properties;
        Ok(Trial { system, scenario, asked, properties })
    }
}

/// Why a run is a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub property: &'static str,
    /// The conflicting facts.
    pub why: String,
}

/// A run that has been carried out and judged. It ends with its first failure.
pub struct Run<E: Election> {
    pub trial: Arc<Trial<E>>,
    /// From [`System::initial`] on.
    pub steps: Vec<StepOf<E>>,
    pub failure: Option<Failure>,
    pub tally: Tally,
    /// How many of the steps were chosen one by one; those after them heal the network, see [`recovery`].
    chosen: usize,
    /// What the steps that heal the network follow from.
    healing: u64,
}

impl<E: Election> Run<E> {
    fn chosen_steps(&self) -> impl Iterator<Item = &StepOf<E>> {
        self.steps[..self.chosen].iter()
    }

    /// The steps by name.
    pub fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| self.trial.system.name(step)).collect()
    }
}

impl<E: Election> Clone for Run<E> {
    fn clone(&self) -> Self {
        Run {
            trial: self.trial.clone(),
            steps: self.steps.clone(),
            failure: self.failure.clone(),
            tally: self.tally.clone(),
            chosen: self.chosen,
            healing: self.healing,
        }
    }
}

/// As a failing test shows it: the scenario, the steps by name, the failure.
impl<E: Election> Debug for Run<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trial { scenario, .. } = &*self.trial;
        write!(f, "{} `{}`, {} nodes", E::about().name, scenario.name, scenario.nodes)?;
        if let Some(bug) = &scenario.bug {
            write!(f, ", bug {bug}")?;
        }
        for (i, name) in self.names().iter().enumerate() {
            write!(f, "\n  {:3} {name}", i + 1)?;
        }
        match &self.failure {
            Some(Failure { property, why }) => write!(f, "\n  {property}: {why}"),
            None => Ok(()),
        }
    }
}

/// The strategy: random runs of random scenarios.
pub struct Runs<E: Election> {
    scenarios: BoxedStrategy<Scenario>,
    asked: Asked,
    /// The trial that was built last: most campaigns have one scenario, and finding its start may be a search.
    last: RefCell<Option<Arc<Trial<E>>>>,
}

impl<E: Election> Runs<E> {
    pub fn new(scenarios: impl Strategy<Value = Scenario> + 'static, asked: Asked) -> Self {
        let scenarios = scenarios.prop_map(move |scenario| asked.prepared(scenario)).boxed();
        Runs { scenarios, asked, last: RefCell::new(None) }
    }

    fn trial(&self, scenario: Scenario) -> Result<Arc<Trial<E>>, Problem> {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some(trial) if trial.scenario == scenario => Ok(trial.clone()),
            _ => {
                let trial = Arc::new(Trial::new(scenario, self.asked)?);
                Ok(last.insert(trial).clone())
            }
        }
    }
}

impl<E: Election> Debug for Runs<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runs of {} ({:?})", E::about().name, self.asked)
    }
}

impl<E: Election> Strategy for Runs<E> {
    type Tree = RunTree<E>;
    type Value = Run<E>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let scenario = self.scenarios.new_tree(runner)?.current();
        let trial = self.trial(scenario).map_err(|problem| problem.to_string())?;
        let healing = runner.rng().random();
        Ok(RunTree::new(walk::random(&trial, healing, runner.rng())))
    }
}
