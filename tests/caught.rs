//! Each planted bug that costs safety is caught by a scenario that was not written for it. A corpus
//! that finds only the mistakes that it knows would have overlooked them.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::election::{About, Costs, Election, Visitor};
use oneleader::exploration::{Ended, Limits};
use oneleader::scenario::corpus::{self, CaughtBy};
use oneleader::scenario::{self, Scenario};
use oneleader::semantics::PropertyId;
use oneleader::{engine, models};

/// So many states a scenario may see before it finds a bug that is not its own.
const MOST_STATES: u64 = 2_000_000;

/// A scenario with a bug planted in it that it was not written for.
struct Planted(Scenario);

impl Visitor for Planted {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let system = self.0.system::<E>().map_err(|problem| problem.to_string())?;
        let asked = scenario::asked(&self.0, &system).properties;
        let properties: Vec<PropertyId> = asked.iter().map(|(property, _)| *property).collect();
        let limits = Limits { max_states: Some(MOST_STATES), ..Limits::default() };
        let seen = engine::explore(&system, &properties, &limits, &|_| ());
        match seen.ended {
            Ended::Violated => Ok(()),
            other => Err(format!("not violated after {} states: {other:?}", seen.distinct).into()),
        }
    }
}

/// The scenario in which a bug is caught, with the bug planted.
fn planted(about: &'static About, bug: &str, place: &str) -> Result<Scenario, Failed> {
    let corpus = corpus::of(about).map_err(|problem| problem.to_string())?;
    let found = corpus.iter().position(|scenario| scenario.name == place);
    let scenario = found.map(|i| &corpus[i]).ok_or(format!("there is no scenario `{place}`"))?;
    if scenario.bug.is_some() {
        return Err(format!("`{place}` plants a bug itself").into());
    }
    let has_prefix = !scenario.start_steps.is_empty() || scenario.start_when.is_some();
    // A twin stands behind the scenario that it belongs to.
    let of = found.and_then(|i| i.checked_sub(1)).and_then(|i| corpus[i].bug.as_deref());
    let is_twin = place.ends_with("-clean");
    if is_twin && of == Some(bug) {
        return Err(format!("`{place}` was made for this very bug").into());
    }
    if has_prefix && !is_twin {
        return Err(format!("`{place}` has a prefix").into());
    }
    Ok(Scenario { bug: Some(bug.to_string()), covers: Vec::new(), ..scenario.clone() })
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        let caught = corpus::caught_by(about).unwrap_or_else(|problem| panic!("{problem}"));
        let unknown = caught.keys().find(|name| !about.bugs.iter().any(|bug| bug.name == *name));
        assert_eq!(unknown, None, "{}: caught_by names what is no bug", about.name);
        for bug in about.bugs.iter().filter(|bug| bug.costs == Costs::Safety) {
            let place = caught.get(bug.name).cloned();
            trials.push(Trial::test(
                format!("{}::{}", about.name, bug.name),
                move || match place {
                    Some(CaughtBy::Scenario(place)) => {
                        let scenario = planted(about, bug.name, &place)?;
                        models::visit(about.name, Planted(scenario))
                            .expect("a protocol of the catalogue")
                    }
                    Some(CaughtBy::None { none }) if !none.is_empty() => Ok(()),
                    _ => {
                        Err("caught_by neither names a scenario nor says why none finds it".into())
                    }
                },
            ));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
