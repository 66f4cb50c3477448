//! Ticks of the whole system, in which nodes take their turns one after the other, lead where the
//! reference semantics leads, in which their steps come in any order. That rests on a message's
//! taking a tick.

#[path = "support/patient.rs"]
mod patient;

use oneleader::election::{Election, Visitor};
use oneleader::liveness::{self, Extent};
use oneleader::models;
use oneleader::scenario::Scenario;
use oneleader::semantics::world::Faults;
use oneleader::semantics::{Latency, Timing};

fn timed(links: &str, crashes: u32) -> Scenario {
    let mut scenario = Scenario::new("ticks", 3);
    scenario.timing = Timing::Timed;
    scenario.latency = Latency::OneTick;
    scenario.topologies.start = links.to_string();
    scenario.faults = Faults { crashes, restarts: crashes, ..Faults::none() };
    scenario
}

struct Audit {
    scenario: Scenario,
    states: usize,
}

impl Visitor for Audit {
    type Output = ();

    fn visit<E: Election>(self) {
        let mut system = self.scenario.system::<E>().unwrap();
        // When dead messages are taken out, in the middle of a tick or at its end, is another
        // matter: they have no effect.
        system.rules.keep_dead = true;
        let links = &system.rules.topologies[0];
        let seen = liveness::audit_ticks(&system, links, self.states);
        let name = E::about().name;
        let seen = seen.unwrap_or_else(|why| panic!("{name}, {}: {why}", links.name));
        assert!(seen > 10, "{name}: {seen} states are too few to say anything");
    }
}

#[test]
fn nodes_may_take_their_turns_one_after_the_other() {
    for about in models::all() {
        for links in ["mesh", "cut(n1-n2)", "cut(n2>n1)"] {
            for (crashes, states) in [(0, 30), (1, 4)] {
                let mut scenario = timed(links, crashes);
                scenario.options = patient::waits(about.name);
                let audit = Audit { scenario, states };
                models::visit(about.name, audit).unwrap();
            }
        }
    }
}

struct Ask(Scenario);

impl Visitor for Ask {
    type Output = Result<u32, String>;

    fn visit<E: Election>(self) -> Self::Output {
        let system = self.0.system::<E>().unwrap();
        liveness::ask(&system, None, Extent::default()).map(|report| report.states())
    }
}

#[test]
fn where_an_answer_may_overtake_within_the_tick_nothing_is_decided() {
    let mut scenario = timed("mesh", 0);
    scenario.latency = Latency::None;
    for about in models::all() {
        let refused = models::visit(about.name, Ask(scenario.clone())).unwrap();
        assert!(refused.unwrap_err().contains("expected timing = \"timed\" and latency = 1"));
    }
}
