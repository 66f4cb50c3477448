//! One scenario, checked: which properties are asked, when to stop, what was concluded and whether
//! that was expected.
//!
//! Here the protocol's type is erased: [`prepare`] goes in with a name and comes out with a
//! [`Prepared`] run, whose [`Checked`] is plain data.

mod checked;
mod liveness;
mod prepared;

use std::num::NonZero;
use std::sync::Arc;

use crate::election::{About, Catalogue, Election, Only};
use crate::engine;
use crate::exploration::{Exploration, Limits, Progress};
use crate::reference::{self, Search};
use crate::scenario::{Expected, Problem, Scenario};
use crate::semantics::{PropertyId, System};
use crate::support::memory;

pub use checked::{Agreement, Answer, Checked, Counterexample, Group};
pub use liveness::{LivenessAnswer, LivenessChecked, Shown, check_liveness, in_words, liveness_of};

/// A random walk that is not over after so many steps is begun anew.
const LONGEST_WALK: usize = 1000;

/// The engines by their words on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Engine {
    /// Exhaustive, over numbers instead of values
    Compiled,
    /// Random walks on the compiled engine's steps
    Walk,
    /// stateright's breadth-first search; with one thread its counterexamples are shortest ones
    StaterightBfs,
    /// stateright's depth-first search
    StaterightDfs,
    /// stateright's random runs, for ever
    StaterightSimulation,
}

impl Engine {
    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self.search(0) {
            Some(search) => search.engine(),
            None if self == Engine::Walk => engine::WALK,
            None => engine::COMPILED,
        }
    }

    /// Which of stateright's searches it is, if it is one; the seed is that of random runs.
    fn search(self, seed: u64) -> Option<Search> {
        match self {
            Engine::Compiled | Engine::Walk => None,
            Engine::StaterightBfs => Some(Search::BreadthFirst),
            Engine::StaterightDfs => Some(Search::DepthFirst),
            Engine::StaterightSimulation => Some(Search::Simulation { seed }),
        }
    }
}

/// A scenario to run.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Its protocol.
    pub about: &'static About,
    /// With all changes made.
    pub scenario: Scenario,
    /// Whether what the scenario expects and pins counts: it is as written, with nothing planted or
    /// changed by flags.
    pub is_as_written: bool,
    /// How it came to be chosen or what was changed, where that is not plain from the command line.
    pub remark: Option<String>,
}

impl Chosen {
    /// What is expected of a property, as far as that counts.
    pub fn expected(&self, property: &str) -> Option<Expected> {
        self.is_as_written.then(|| self.scenario.expected(property).cloned()).flatten()
    }

    /// Protocol and scenario by name.
    pub fn title(&self) -> String {
        format!("{} {}", self.about.name, self.scenario.name)
    }

    /// Whether the scenario says how many states there are.
    pub fn pins_counts(&self) -> bool {
        self.scenario.distinct.or(self.scenario.generated).is_some()
    }
}

/// What the command line asks of every run.
#[derive(Clone, Debug)]
pub struct Request {
    /// What explores the states.
    pub engine: Engine,
    /// Of simulations.
    pub seed: u64,
    /// Only this property.
    pub property: Option<String>,
    /// See every state, past violations.
    pub no_stop: bool,
    /// [`Limits::until`] is chosen for each run.
    pub limits: Limits,
}

/// A scenario that has been found good and can be run.
pub trait Prepared {
    /// What was chosen.
    fn chosen(&self) -> &Chosen;
    /// The names of the properties that are asked.
    fn properties(&self) -> Vec<&'static str>;
    /// Checks it, telling now and then how that is getting on.
    fn run(&self, progress: &dyn Fn(&Progress)) -> Checked;
}

/// Builds the system of a chosen scenario and works out what is asked of it.
///
/// # Errors
/// What [`crate::scenario::Scenario::system`] refuses.
pub fn prepare(
    catalogue: &impl Catalogue,
    chosen: Chosen,
    request: &Request,
) -> Result<Box<dyn Prepared>, Problem> {
    let name = chosen.about.name;
    let prepare = prepared::Prepare { chosen, request: request.clone() };
    catalogue.visit(name, prepare).expect("a chosen protocol is in the catalogue")
}

impl Default for Request {
    /// The compiled engine on all cores, with the [usual](memory::usual_limit) limit of memory.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let limits = Limits { threads, memory: memory::usual_limit(), ..Limits::default() };
        Request { engine: Engine::Compiled, seed: 0, property: None, no_stop: false, limits }
    }
}

/// Checks a scenario of a protocol with the compiled engine, on all cores.
///
/// What is asked, and when the run has answered everything, follows from what the scenario expects.
/// Without expectations every property is asked, and expected to hold.
///
/// # Errors
/// A scenario that the protocol does not accept.
pub fn check<E: Election>(scenario: &Scenario) -> Result<Checked, Problem> {
    let chosen =
        Chosen { about: E::about(), scenario: scenario.clone(), is_as_written: true, remark: None };
    let prepared = prepare(&Only::<E>::new(), chosen, &Request::default())?;
    Ok(prepared.run(&|_| ()))
}

/// Explores a system with an engine. The seed is for what is random, which are the simulation and
/// the walks.
pub fn explore<E: Election>(
    engine: Engine,
    seed: u64,
    system: &Arc<System<E>>,
    properties: &[PropertyId],
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Exploration<E> {
    match engine.search(seed) {
        Some(search) => reference::explore(search, system, properties, limits, progress),
        None if engine == Engine::Walk => {
            engine::walk(system, properties, limits, progress, seed, LONGEST_WALK)
        }
        None => engine::explore(system, properties, limits, progress),
    }
}
