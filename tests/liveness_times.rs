//! How long it takes until a leader stays: what is computed from the graph, and what random walks
//! over the reference semantics take, agree; of each protocol, from the start and after a cut.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::judge::{self, TimeAsked};
use oneleader::models::{self, Shipped};
use oneleader::scenario::liveness;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        let all =
            liveness::parse(about.corpus, about).unwrap_or_else(|problem| panic!("{problem}"));
        let is_asked = |name: &str| ["mesh", "chained", "isolated-leader"].contains(&name);
        for scenario in all.into_iter().filter(|scenario| is_asked(&scenario.name)) {
            let name = format!("{}::{}", about.name, scenario.name);
            let run = move || {
                let asked = TimeAsked { walks: 3_000, seed: 1 };
                let checked = judge::liveness_of(&Shipped, about, &scenario, Some(asked))
                    .map_err(|problem| problem.to_string())?;
                let time = match checked.time.ok_or("no time was measured")? {
                    Ok(time) => time,
                    Err(why) if checked.cut.is_some() => {
                        assert!(why.contains("not all that can happen was followed"), "{why}");
                        return Ok(());
                    }
                    Err(why) => return Err(why.into()),
                };
                let (exact, sampled) = (time.exact, time.sampled.ok_or("no walk was taken")?);
                let found = f64::from(sampled.settled) / f64::from(sampled.walks);
                // Five standard deviations of a coin that is thrown as often.
                if (found - exact.probability).abs() > 2.5 / f64::from(sampled.walks).sqrt() {
                    return Err(Failed::from(format!("{} but {found}", exact.probability)));
                }
                let Some(expected) = exact.mean else { return Ok(()) };
                let average = sampled.average.ok_or("no walk came to an end")?;
                let all: f64 = exact.distribution.iter().sum();
                let ticks = exact.distribution.iter().enumerate();
                let mean = ticks.map(|(ticks, chance)| ticks as f64 * chance).sum::<f64>() / all;
                let agree = (all - exact.probability).abs() < 1e-6
                    && (mean - expected).abs() < 1e-3
                    && average.may_be(expected);
                if agree { Ok(()) } else { Err(format!("{exact:?}, {sampled:?}").into()) }
            };
            trials.push(Trial::test(name, run));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
