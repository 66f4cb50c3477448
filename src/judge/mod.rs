//! Checks one scenario: decides which properties are asked and when to stop, and compares the
//! conclusions with what is expected.
//!
//! The protocol's type is erased here: [`prepare`] takes the protocol's name and returns a
//! [`Prepared`] run, and the run returns [`Checked`], which is plain data.

mod checked;
mod liveness;
mod prepared;
mod unexpected;

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
pub use liveness::{
    LivenessAnswer, LivenessChecked, Shown, TimeAsked, TimeToLeader, check_liveness, in_words,
    liveness_of,
};

/// A random walk is ended after so many steps, and a new one is begun.
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

    /// The search of stateright's, if it is one. The seed is for random runs.
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
    /// The scenario, with all changes made.
    pub scenario: Scenario,
    /// Whether the scenario is unchanged: flags have changed nothing and planted no bug. Only then
    /// do its expectations count.
    pub is_as_written: bool,
    /// How it was chosen, or what was changed, if this does not show in the command line.
    pub remark: Option<String>,
}

impl Chosen {
    /// What is expected of a property, if expectations count.
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

/// Settings of the command line for every run.
#[derive(Clone, Debug)]
pub struct Request {
    /// What explores the states.
    pub engine: Engine,
    /// The seed of random walks and simulations.
    pub seed: u64,
    /// Only this property.
    pub property: Option<String>,
    /// Do not stop at violations; see every state.
    pub no_stop: bool,
    /// The limits. [`Limits::until`] is replaced for each run.
    pub limits: Limits,
}

/// A scenario whose system has been built, ready to run.
pub trait Prepared {
    /// What was chosen.
    fn chosen(&self) -> &Chosen;
    /// The names of the properties that are asked.
    fn properties(&self) -> Vec<&'static str>;
    /// Checks it, and reports the progress now and then.
    fn run(&self, progress: &dyn Fn(&Progress)) -> Checked;
}

/// Builds the system of a chosen scenario and decides which properties are asked.
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
/// The scenario's expectations decide which properties are asked and when the run may stop. Without
/// expectations every property is asked, and expected to hold.
///
/// # Errors
/// A scenario that the protocol does not accept.
pub fn check<E: Election>(scenario: &Scenario) -> Result<Checked, Problem> {
    let chosen =
        Chosen { about: E::about(), scenario: scenario.clone(), is_as_written: true, remark: None };
    let prepared = prepare(&Only::<E>::new(), chosen, &Request::default())?;
    Ok(prepared.run(&|_| ()))
}

/// Explores a system with an engine. The seed is for random walks and the simulation.
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
