//! Many runs from one seed, until one fails.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::strategy::Strategy;
use proptest::test_runner::{
    Config, FailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};

use super::{Asked, Run, Runs};
use crate::election::Election;
use crate::exploration::Tally;
use crate::scenario::{Problem, Scenario};

/// The settings of a campaign.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// How many runs there are at most.
    pub cases: u32,
    /// The same seed gives the same runs, on every machine.
    pub seed: u64,
    /// What is asked of each run.
    pub asked: Asked,
    /// Whether a failing run is made shorter.
    pub shrinks: bool,
    /// Where proptest keeps the seeds of failing runs. Seeds that stand there already are tried
    /// first.
    pub seeds: Option<Box<dyn FailurePersistence>>,
    /// Set from outside (Ctrl-C) to end with what was seen so far.
    pub interrupted: Arc<AtomicBool>,
}

impl Default for Campaign {
    fn default() -> Self {
        Campaign {
            cases: 1_000,
            seed: 0,
            asked: Asked::Safety,
            shrinks: true,
            seeds: None,
            interrupted: Arc::default(),
        }
    }
}

/// The result of a campaign.
pub struct Outcome<E: Election> {
    /// The number of runs, the failing one included, those made by shrinking not.
    pub cases: u32,
    /// Counts of what happened in these runs.
    pub tally: Tally,
    /// The first run that failed.
    pub found: Option<Found<E>>,
}

/// A failing run.
pub struct Found<E: Election> {
    /// The run after shrinking.
    pub run: Run<E>,
    /// Its length in steps before shrinking.
    pub found_steps: usize,
}

impl Campaign {
    /// Runs random schedules of the scenarios. `progress` gets the number of runs that have passed.
    ///
    /// # Errors
    /// A scenario from which no system can be built.
    pub fn run<E: Election>(
        &self,
        scenarios: impl Strategy<Value = Scenario> + 'static,
        progress: impl Fn(u32),
    ) -> Result<Outcome<E>, Problem> {
        let config = Config {
            cases: self.cases,
            failure_persistence: self.seeds.clone(),
            max_shrink_iters: if self.shrinks { u32::MAX } else { 0 },
            rng_algorithm: RngAlgorithm::ChaCha,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(self.seed));
        let mut runner = TestRunner::new_with_rng(config, rng);
        let (cases, found_steps) = (Cell::new(0), Cell::new(None));
        let tally = RefCell::new(Tally::default());
        let result = runner.run(&Runs::<E>::new(scenarios, self.asked), |run| {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(TestCaseError::reject("interrupted"));
            }
            if found_steps.get().is_none() {
                cases.set(cases.get() + 1);
                tally.borrow_mut().add(&run.tally);
                progress(cases.get());
            }
            match run.failure {
                None => Ok(()),
                Some(failure) => {
                    found_steps.set(found_steps.get().or(Some(run.steps.len())));
                    Err(TestCaseError::fail(failure.why))
                }
            }
        });
        let found = match result {
            Ok(()) => None,
            Err(TestError::Fail(_, run)) => {
                let found_steps = found_steps.get().unwrap_or(run.steps.len());
                Some(Found { run, found_steps })
            }
            Err(TestError::Abort(_)) if self.interrupted.load(Ordering::Relaxed) => None,
            Err(TestError::Abort(why)) => return Err(Problem::new(why.message())),
        };
        Ok(Outcome { cases: cases.get(), tally: tally.into_inner(), found })
    }
}

/// The seed in the form that ChaCha takes.
pub(super) fn seed_bytes(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes
}
