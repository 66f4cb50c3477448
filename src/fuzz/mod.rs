//! Random runs, for systems that are too large to explore exhaustively: a proptest strategy over
//! schedules.
//!
//! A [`Run`] is a scenario and a schedule of named steps that has been carried out and judged.
//! Either every property is checked after every step; or the network heals, and the run is judged
//! by whether the protocol keeps its promise then ([`Recovery`]). [`Runs`] generates runs and
//! shrinks a failing one by leaving steps out. It is a strategy for any `proptest!` test.
//! [`Campaign`] is what the command line runs.
//!
//! A schedule is stored as steps, not as the random numbers that chose them: if one random number
//! is dropped, the others choose different steps, while steps stay what they are. Runs do not
//! remember which states they have seen; that is what the exhaustive engines are for.

mod campaign;
mod healing;
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

use crate::election::{AfterHealing, Election};
use crate::exploration::Tally;
use crate::scenario::{Problem, Scenario};
use crate::semantics::{PropertyId, StepOf, System};

pub use campaign::{Campaign, Found, Outcome};
pub use healing::{Healing, all_faults};
pub use recovery::Recovery;
pub use scenarios::{enlarged, promised};
pub use shrink::RunTree;

/// What is asked of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The scenario's properties, after every step.
    Safety,
    /// Whether the protocol keeps its promise once the network has healed.
    Recovery(Recovery),
}

/// A system, and what is asked of its runs.
pub struct Trial<E: Election> {
    /// The scenario as given.
    given: Scenario,
    /// The scenario with the rules that the question needs.
    pub scenario: Scenario,
    /// How it differs from the given one.
    pub changes: Vec<String>,
    /// The system that the scenario describes.
    pub system: System<E>,
    /// What is asked of each run.
    pub asked: Asked,
    /// The protocol's promise, if recovery is asked for.
    pub promise: Option<AfterHealing<E>>,
    properties: Vec<(PropertyId, &'static str)>,
}

impl<E: Election> Trial<E> {
    /// # Errors
    /// Those of [`Scenario::system`]. If recovery is asked for: the protocol promises nothing, or
    /// nothing from the scenario's start on.
    pub fn new(given: Scenario, asked: Asked) -> Result<Self, Problem> {
        let Healing { scenario, changes } = match asked {
            Asked::Safety => Healing { scenario: given.clone(), changes: Vec::new() },
            Asked::Recovery(_) => Healing::of::<E>(&given)?,
        };
        let system = scenario.system()?;
        let promise = match asked {
            Asked::Safety => None,
            Asked::Recovery(_) => Some(recovery::promise(&system)?),
        };
        if promise.is_some_and(|promise| !recovery::can_heal(&system, &promise, &system.initial()))
        {
            let why = "more has failed where it starts than the group could recover from";
            return Err(Problem::new(format!("scenario `{}`: {why}", scenario.name)));
        }
        let properties = crate::scenario::asked(&scenario, &system).properties;
        Ok(Trial { given, scenario, changes, system, asked, promise, properties })
    }
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// By name.
    pub property: &'static str,
    /// The conflicting facts.
    pub why: String,
}

/// A run that has been carried out and judged. It ends with its first failure.
pub struct Run<E: Election> {
    /// The system, and what was asked.
    pub trial: Arc<Trial<E>>,
    /// The steps, from [`System::initial`] on.
    pub steps: Vec<StepOf<E>>,
    /// The failure, caused by the last step, if there is one.
    pub failure: Option<Failure>,
    /// Counts of what happened in it.
    pub tally: Tally,
    /// How many of the steps were chosen one by one. The steps after them belong to the healing,
    /// see [`recovery`].
    chosen: usize,
    /// The seed of the steps from the healing on.
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
    /// The trial that was built last. It is kept, since most campaigns have one scenario, and
    /// finding its start may take a search.
    last: RefCell<Option<Arc<Trial<E>>>>,
}

impl<E: Election> Runs<E> {
    /// Runs of these scenarios, with the question that is asked of each run.
    pub fn new(scenarios: impl Strategy<Value = Scenario> + 'static, asked: Asked) -> Self {
        Runs { scenarios: scenarios.boxed(), asked, last: RefCell::new(None) }
    }

    fn trial(&self, scenario: Scenario) -> Result<Arc<Trial<E>>, Problem> {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some(trial) if trial.given == scenario => Ok(trial.clone()),
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
