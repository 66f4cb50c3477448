//! A protocol's corpus as tests.
//!
//! The macro [`test_corpus!`](crate::test_corpus) makes one test of all scenarios, and needs no
//! more than its line. With the feature `harness` and `harness = false` in `Cargo.toml`, [`main`]
//! makes a test of each.

use crate::election::Election;
use crate::judge;
use crate::run::trace::{Outcome, Trace, diverged, replay};
use crate::scenario::{Problem, Size, corpus, liveness};
use crate::tell::narrative;
use crate::tell::scene::Scene;

/// Checks every scenario of a protocol's corpus, and decides every question about liveness, except
/// those of the size `deep`.
///
/// # Errors
/// A corpus that cannot be read, or a scenario that the protocol does not accept.
///
/// # Panics
/// If something is not as expected. The message lists everything that is not, with the run and how
/// to replay it.
#[track_caller]
pub fn assert_corpus<E: Election>() -> Result<(), Problem> {
    let mut wrong = String::new();
    for scenario in corpus::of(E::about())?.iter().filter(|scenario| scenario.size < Size::Deep) {
        wrong += &judge::check::<E>(scenario)?.unexpected().unwrap_or_default();
    }
    let asked = liveness::parse(E::about().corpus, E::about())?;
    for scenario in asked.iter().filter(|scenario| scenario.size < Size::Deep) {
        wrong += &judge::check_liveness::<E>(scenario)?.unexpected().unwrap_or_default();
    }
    assert!(wrong.is_empty(), "{wrong}");
    Ok(())
}

/// Takes the steps of a saved run, and expects that they break its property no more: either some
/// step cannot be taken, or the property holds at the end. A test that fails over a scenario prints
/// such a test, to be pasted.
///
/// # Panics
/// The steps still break the property; the message tells the run. Also if the text is no trace of
/// this protocol, or not even the first step can be taken: such a test would say nothing.
#[track_caller]
pub fn assert_gone<E: Election>(trace: &str) {
    if let Err(why) = gone::<E>(trace) {
        panic!("{why}");
    }
}

fn gone<E: Election>(trace: &str) -> Result<(), String> {
    let refused = |e: Problem| format!("the trace of this test: {e}");
    let trace = Trace::from_json(trace).map_err(refused)?;
    let system = trace.system::<E>().map_err(refused)?;
    let property = trace.property::<E>().map_err(refused)?;
    let run = replay(&system, property, &trace.steps);
    match run.outcome {
        Outcome::Violated { after, why } => {
            let told = narrative::tell(&Scene::new(&system, &run.steps));
            let property = trace.property;
            Err(format!("after {after} steps {property} is violated again: {why}\n{told}"))
        }
        Outcome::Diverged { at: 1, name, enabled } => Err(refused(diverged(1, &name, &enabled))),
        Outcome::Diverged { .. } | Outcome::Holds => Ok(()),
    }
}

/// A test that checks the corpus of a protocol: see [`assert_corpus`].
///
/// ```
/// # use oneleader::models::ring::Ring;
/// oneleader::test_corpus!(Ring);
/// ```
#[macro_export]
macro_rules! test_corpus {
    ($protocol:ty) => {
        #[test]
        fn corpus() -> Result<(), $crate::Problem> {
            $crate::testing::assert_corpus::<$protocol>()
        }
    };
}

#[cfg(feature = "harness")]
pub use harness::{main, trials};

#[cfg(feature = "harness")]
mod harness {
    use std::process::ExitCode;

    use libtest_mimic::{Arguments, Failed, Trial};

    use crate::election::Catalogue;
    use crate::judge::{self, Agreement, Chosen, Engine, Request};
    use crate::scenario::{Size, corpus, liveness};

    /// Stateright's searches stop after so many states; the compiled engine sees all. A search that
    /// was stopped must at least find nothing that contradicts the expectations.
    const REACH: u64 = 20_000;

    /// A test for each small scenario of the catalogue and each engine, by the name
    /// `protocol::scenario::engine`, and one for each small question about liveness, by the name
    /// `protocol::scenario::liveness`.
    ///
    /// # Panics
    /// A corpus that cannot be read.
    pub fn trials<C>(catalogue: C, engines: &[Engine]) -> Vec<Trial>
    where
        C: Catalogue + Copy + Send + 'static,
    {
        let mut trials = Vec::new();
        for about in catalogue.all() {
            let corpus = corpus::of(about).unwrap_or_else(|e| panic!("{e}"));
            for scenario in corpus.into_iter().filter(|scenario| scenario.size == Size::Small) {
                for &engine in engines {
                    let name = format!("{}::{}::{}", about.name, scenario.name, engine.name());
                    let scenario = scenario.clone();
                    let chosen = Chosen { about, scenario, is_as_written: true, remark: None };
                    trials.push(Trial::test(name, move || run(&catalogue, chosen, engine)));
                }
            }
            let asked = liveness::parse(about.corpus, about).unwrap_or_else(|e| panic!("{e}"));
            for scenario in asked.into_iter().filter(|scenario| scenario.size == Size::Small) {
                let name = format!("{}::{}::liveness", about.name, scenario.name);
                trials.push(Trial::test(name, move || {
                    let checked = judge::liveness_of(&catalogue, about, &scenario, None);
                    let checked = checked.map_err(|e| e.to_string())?;
                    checked.unexpected().map_or(Ok(()), |why| Err(why.into()))
                }));
            }
        }
        trials
    }

    fn run(catalogue: &impl Catalogue, chosen: Chosen, engine: Engine) -> Result<(), Failed> {
        let mut request = Request { engine, ..Request::default() };
        request.limits.threads = 1;
        if engine != Engine::Compiled {
            request.limits.max_states = Some(REACH);
        }
        let prepared = judge::prepare(catalogue, chosen, &request).map_err(|e| e.to_string())?;
        let checked = prepared.run(&|_| ());
        let is_out_of_reach =
            engine != Engine::Compiled && checked.agreement() == Agreement::Inconclusive;
        match checked.unexpected() {
            Some(why) if !is_out_of_reach => Err(why.into()),
            _ => Ok(()),
        }
    }

    /// The `main` of a test target without cargo's own harness: see [`trials`]. It takes the
    /// arguments of `cargo test`.
    pub fn main<C>(catalogue: C, engines: &[Engine]) -> ExitCode
    where
        C: Catalogue + Copy + Send + 'static,
    {
        libtest_mimic::run(&Arguments::from_args(), trials(catalogue, engines)).exit_code()
    }
}
