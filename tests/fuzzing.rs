//! What fuzzing must find, and what it must not: one test for each planted bug that violates
//! something, for each protocol as it stands, for each protocol's recovery, for each bug that costs
//! only the leader, and for each failure that is kept in `proptest-regressions/`.

use std::fs;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::election::{About, BugSpec, Costs, Election, Healing, Value, Visitor};
use oneleader::exploration::verdict::Verdict;
use oneleader::fuzz::{Asked, Campaign, Found, Recovery, all_faults, enlarged, promised, recovery};
use oneleader::models;
use oneleader::run::trace::{Outcome, Trace, replay};
use oneleader::scenario::{self, Scenario, Size};
use proptest::sample::select;
use proptest::strategy::Just;
use proptest::test_runner::FileFailurePersistence;

const KEPT: &str = "proptest-regressions";

type Ended = Result<(), Failed>;

fn is_shown(scenario: &Scenario, bug: &str) -> bool {
    let shows = scenario.expect.values().any(|expected| expected.verdict == Verdict::Violated);
    scenario.bug.as_deref() == Some(bug) && shows && scenario.size != Size::Deep
}

/// A bug's own scenario is violated in as many random runs as it says, and where the length of a
/// shortest counterexample is known, the run found shrinks to about that.
struct PlantedBug(Scenario);

impl Visitor for PlantedBug {
    type Output = Ended;

    fn visit<E: Election>(self) -> Ended {
        let PlantedBug(scenario) = self;
        let hints = scenario.fuzz.clone().unwrap_or_default();
        let campaign = Campaign { cases: hints.cases, seed: 1, ..Campaign::default() };
        let outcome =
            campaign.run::<E>(Just(scenario.clone()), |_| ()).map_err(|e| e.to_string())?;
        let Some(Found { run, found_steps }) = outcome.found else {
            return Err(format!("not found in {} runs of `{}`", hints.cases, scenario.name).into());
        };
        let property = run.failure.as_ref().expect("a run that was found fails").property;
        let expected = scenario.expected(property);
        if expected.is_some_and(|e| e.verdict != Verdict::Violated) {
            return Err(format!("{property} is violated, which is not expected:\n{run:?}").into());
        }
        let shrunk = run.steps.len();
        match expected.and_then(|e| e.steps) {
            Some(shortest) if shrunk > shortest + shortest / 2 => Err(format!(
                "found with {found_steps} steps and shrunk to {shrunk}; a shortest counterexample has {shortest}:\n{run:?}"
            )
            .into()),
            _ => Ok(()),
        }
    }
}

/// What the corpus promises at small sizes is not violated at larger ones.
struct Promises;

impl Visitor for Promises {
    type Output = Ended;

    fn visit<E: Election>(self) -> Ended {
        let promises = promised(E::about()).map_err(|e| e.to_string())?;
        // proptest keeps the file's name for ever; there is one for each protocol.
        let seeds: &'static str = format!("{KEPT}/{}.txt", E::about().name).leak();
        let campaign = Campaign {
            cases: 60,
            seeds: Some(Box::new(FileFailurePersistence::Direct(seeds))),
            ..Campaign::default()
        };
        let outcome =
            campaign.run::<E>(enlarged::<E>(promises, None), |_| ()).map_err(|e| e.to_string())?;
        match outcome.found {
            Some(found) => Err(format!("{:?}", found.run).into()),
            None if outcome.tally.elections == 0 => Err("nobody was ever elected".into()),
            None => Ok(()),
        }
    }
}

/// After all kinds of faults the network heals, and what the protocol promises comes about: the
/// same runs with three nodes and with five.
struct Recovers;

impl Visitor for Recovers {
    type Output = Ended;

    fn visit<E: Election>(self) -> Ended {
        for nodes in [3, 5] {
            let mut scenario = Scenario::new("all-faults", nodes);
            scenario.faults = all_faults(scenario.network);
            let asked = Asked::Recovery(Recovery::default());
            let campaign = Campaign { cases: 30, asked, ..Campaign::default() };
            let outcome = campaign.run::<E>(Just(scenario), |_| ()).map_err(|e| e.to_string())?;
            if let Some(found) = outcome.found {
                return Err(format!("{:?}", found.run).into());
            }
        }
        Ok(())
    }
}

/// A bug that costs only the leader is shown by healing, or stays hidden, as its protocol says.
/// Where it is shown, runs without it recover, and the run as shrunk is not longer than the run
/// that was found.
struct LivenessBug(Scenario, &'static BugSpec);

impl LivenessBug {
    /// The bug's own scenario, with more faults if it has none, and with these options.
    fn scenario(&self, options: &[(&'static str, Value)]) -> Scenario {
        let mut scenario = self.0.clone();
        if scenario.faults == Default::default() {
            scenario.faults = all_faults(scenario.network);
        }
        for (option, value) in options {
            let value = match *value {
                Value::Flag(flag) => flag.into(),
                Value::Number(n) => (n as i64).into(),
                Value::Text(text) => text.into(),
            };
            scenario.options.insert(option.to_string(), value);
        }
        scenario
    }
}

impl Visitor for LivenessBug {
    type Output = Ended;

    fn visit<E: Election>(self) -> Ended {
        let Costs::Liveness(healing) = self.1.costs else {
            return Err("costs more than the leader".into());
        };
        let (cases, options) = match healing {
            Healing::Shows { cases, options } => (cases, options),
            Healing::Hides(_) => (Healing::CASES, &[][..]),
        };
        let asked = Asked::Recovery(Recovery::default());
        let campaign = Campaign { cases, seed: 1, asked, ..Campaign::default() };
        let planted = self.scenario(options);
        // Drawn as the command draws it, so that these are the runs of `--seed 1`.
        let only = select(vec![planted.clone()]);
        let outcome = campaign.run::<E>(only, |_| ()).map_err(|e| e.to_string())?;
        match (healing, outcome.found) {
            (Healing::Hides(_), None) => Ok(()),
            (Healing::Hides(_), Some(found)) => {
                Err(format!("healing shows it: {:?}", found.run).into())
            }
            (Healing::Shows { .. }, None) => {
                Err(format!("healing does not show it in {cases} runs").into())
            }
            (Healing::Shows { .. }, Some(found)) => {
                let (found_steps, shrunk) = (found.found_steps, found.run.steps.len());
                if shrunk > found_steps {
                    return Err(
                        format!("found with {found_steps} steps, shrunk to {shrunk}").into()
                    );
                }
                let healthy = Scenario { bug: None, ..planted };
                let campaign = Campaign { cases: cases.min(200), ..campaign };
                let outcome =
                    campaign.run::<E>(Just(healthy), |_| ()).map_err(|e| e.to_string())?;
                match outcome.found {
                    Some(found) => Err(format!("without the bug: {:?}", found.run).into()),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A failure that was once found is still one.
struct Kept(Trace);

impl Visitor for Kept {
    type Output = Ended;

    fn visit<E: Election>(self) -> Ended {
        let Kept(trace) = self;
        let system = trace.system::<E>().map_err(|e| e.to_string())?;
        let outcome = match trace.property.as_str() {
            recovery::PROPERTY => {
                recovery::replay(&system, &trace.steps).map_err(|e| e.to_string())?.outcome
            }
            _ => {
                replay::<E>(
                    &system,
                    trace.property::<E>().map_err(|e| e.to_string())?,
                    &trace.steps,
                )
                .outcome
            }
        };
        match outcome {
            Outcome::Violated { after, .. } if after == trace.steps.len() => Ok(()),
            other => {
                Err(format!("{} is not violated as recorded: {other:?}", trace.property).into())
            }
        }
    }
}

fn trial<V>(name: String, about: &'static About, visitor: V) -> Trial
where
    V: Visitor<Output = Ended> + Send + 'static,
{
    Trial::test(name, move || {
        models::visit(about.name, visitor).expect("a protocol of the catalogue")
    })
}

fn kept_traces() -> Vec<Trial> {
    let mut trials = Vec::new();
    let files = fs::read_dir(KEPT)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable directory").path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        let text = fs::read_to_string(&path).expect("a readable file");
        let trace = Trace::from_json(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let about = models::all().into_iter().find(|about| about.name == trace.protocol);
        let about =
            about.unwrap_or_else(|| panic!("{}: no protocol {}", path.display(), trace.protocol));
        let name = format!(
            "{}::{}::replays",
            about.name,
            path.file_stem().unwrap_or_default().to_string_lossy()
        );
        trials.push(trial(name, about, Kept(trace)));
    }
    trials
}

fn main() -> ExitCode {
    let mut trials = kept_traces();
    for about in models::all() {
        let name = about.name;
        let corpus = scenario::parse(about.corpus, about)
            .unwrap_or_else(|e| panic!("corpus of {name}: {e}"));
        for bug in about.bugs {
            if let Some(scenario) = corpus.iter().find(|scenario| is_shown(scenario, bug.name)) {
                trials.push(trial(
                    format!("{name}::{}::is-found", bug.name),
                    about,
                    PlantedBug(scenario.clone()),
                ));
            }
        }
        for bug in about.bugs.iter().filter(|bug| matches!(bug.costs, Costs::Liveness(_))) {
            let own = corpus.iter().find(|scenario| scenario.bug.as_deref() == Some(bug.name));
            let own =
                own.unwrap_or_else(|| panic!("no scenario of {name} plants {}", bug.name)).clone();
            trials.push(trial(
                format!("{name}::{}::heals-as-told", bug.name),
                about,
                LivenessBug(own, bug),
            ));
        }
        trials.push(trial(format!("{name}::promises"), about, Promises));
        trials.push(trial(format!("{name}::recovers"), about, Recovers));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
