//! How long it takes until a leader stays: what is computed from the graph, and what random walks
//! over the reference semantics take, agree; of each protocol, from the start and after a cut. And
//! systems so small that one can tell by hand how long it takes.

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
    trials.extend(laws());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A node alone waits 3, 4 or 5 ticks, each as likely. A timer of age a fires in the tick that
/// begins when a ticks have passed. In that tick the node elects itself, or has its value chosen by
/// itself and learns it; for what it sends to itself is no message. So it is so when that tick is
/// over: after 4, 5 or 6 ticks.
const ALONE: &str = "[[liveness]]\nname = \"alone\"\nnodes = 1\n";

/// n1 alone proposes, and nobody gets in its way. As above, it asks for promises in the fourth to
/// the sixth tick. They ask for a promise, promise, propose, accept, and tell all: each in the tick
/// after. The four messages on the way take four ticks more than a node alone takes: 8, 9 or 10.
const ONE_PROPOSER: &str = "[[liveness]]\nname = \"one-proposer\"\nnodes = 3\n\
                            options = { proposers = 1, learners = \"all\" }\n";

/// What can be told by hand: by which scenario of which protocol the first of three numbers of
/// ticks that are equally likely, and follow each other, is what.
const LAWS: [(&str, &str, &str, usize); 3] = [
    ("raft", "alone", ALONE, 4),
    ("paxos", "alone", ALONE, 4),
    ("paxos", "one-proposer", ONE_PROPOSER, 8),
];

fn laws() -> impl Iterator<Item = Trial> {
    let chosen = |name: &str| models::all().into_iter().find(|about| about.name == name);
    let all = LAWS.into_iter().filter_map(move |(name, what, toml, first)| {
        chosen(name).map(|about| (about, what, toml, first))
    });
    all.map(|(about, what, toml, first)| {
        Trial::test(format!("{}::{what}", about.name), move || {
            let scenario = liveness::parse(toml, about).map_err(|why| why.to_string())?.remove(0);
            let asked = TimeAsked { walks: 3_000, seed: 1 };
            let checked = judge::liveness_of(&Shipped, about, &scenario, Some(asked))
                .map_err(|problem| problem.to_string())?;
            let time = checked.time.ok_or("no time was measured")??;
            let mut law = vec![0.0; first];
            law.extend([1.0 / 3.0; 3]);
            let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
            let mean = time.exact.mean.ok_or("it never comes about")?;
            let walked = time.sampled.and_then(|sampled| sampled.average).ok_or("no walk")?;
            let found = &time.exact.distribution;
            let is_right = time.exact.probability == 1.0
                && found.len() == law.len()
                && found.iter().zip(&law).all(is_near)
                && (mean - (first + 1) as f64).abs() < 1e-8
                && walked.may_be((first + 1) as f64);
            if is_right { Ok(()) } else { Err(format!("{:?}, {walked:?}", time.exact).into()) }
        })
    })
}
