//! TLC, the model checker of TLA+, gives the same answers on the same graphs.
//!
//! Of each small system the graph of ticks is written as a TLA+ module.

#[path = "support/tlc.rs"]
mod tlc;

use std::path::{Path, PathBuf};

use oneleader::election::{About, Election, Visitor};
use oneleader::liveness::{Answer, Cut, Extent, ask};
use oneleader::models;
use oneleader::scenario::liveness::{LivenessScenario, parse};
use oneleader::scenario::{Size, start};
use oneleader::semantics::{SystemState, Timing};
use tlc::{Tlc, module};

/// So many states TLC may have to look at.
const MOST_STATES: u32 = 400;

struct Compare<'a> {
    scenario: &'a LivenessScenario,
    jar: &'a Path,
}

impl Visitor for Compare<'_> {
    /// How many questions were compared.
    type Output = usize;

    fn visit<E: Election>(self) -> usize {
        let system = self.scenario.scenario().system::<E>().expect("a good scenario");
        let predicate = self.scenario.when();
        let when = |state: &SystemState<E>| {
            predicate.is_some_and(|predicate| start::is_so(&system, state, predicate))
        };
        let to = self.scenario.cut.as_ref().map(|_| 1);
        let cut = predicate.map(|_| Cut { to, when: &when });
        let report = ask(&system, cut, Extent::default()).expect("it can be decided");
        if report.cut().is_some() || report.states() > MOST_STATES {
            return 0;
        }
        let name = format!("tlc-{}-{}", E::about().name, self.scenario.name);
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        for reply in &report.replies {
            let question = reply.asked.question(system.actors.len());
            let tlc = Tlc::new(self.jar, dir.clone(), &module(report.graph(), &question));
            let answer = reply.decision.answer;
            let what = format!("{} {}", E::about().name, self.scenario.name);
            let guaranteed = tlc.holds("Guaranteed");
            assert_eq!(guaranteed, answer == Answer::Guaranteed, "{what}: {answer:?}");
            let never = tlc.holds("Never");
            assert_eq!(never, answer == Answer::Never, "{what}: {answer:?}");
        }
        println!("{} {}: {} states", E::about().name, self.scenario.name, report.states());
        report.replies.len()
    }
}

/// Needs Java, and the path of `tla2tools.jar` in `ONELEADER_TLC`.
#[test]
#[ignore = "needs Java and TLC; .ci/deep runs it"]
fn tlc_gives_the_same_answers() {
    let jar = std::env::var_os("ONELEADER_TLC").expect("the path of tla2tools.jar");
    let jar = std::path::absolute(jar).expect("a path");
    let (mut systems, mut questions) = (0, 0);
    let all: Vec<(&'static About, LivenessScenario)> = models::all()
        .into_iter()
        .flat_map(|about| parse(about.corpus, about).unwrap().into_iter().map(move |s| (about, s)))
        .filter(|(_, scenario)| scenario.timing == Timing::Timed && scenario.size < Size::Deep)
        .collect();
    for (about, scenario) in &all {
        let compare = Compare { scenario, jar: &jar };
        let compared = models::visit(about.name, compare).expect("it is in the catalogue");
        systems += usize::from(compared > 0);
        questions += compared;
    }
    println!("{questions} questions about {systems} systems");
    assert!(systems >= 5, "only {systems} systems are small enough");
}
