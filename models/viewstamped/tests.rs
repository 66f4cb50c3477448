//! What the harness is told; and, in folders of this one, one test for each sentence of the paper
//! that a handler carries out.

mod normal;
mod recovery;
mod replica;
mod state_transfer;
mod view_change;

use super::about::ABOUT;
use super::*;
use crate::election::Costs;
use crate::exploration::verdict::Verdict;
use crate::scenario::{self, Scenario};
use crate::semantics::System;

#[test]
fn every_bug_has_its_switch() {
    for spec in ABOUT.bugs {
        assert!(Bug::named(spec.name).is_some(), "{}", spec.name);
    }
}

#[test]
fn a_group_that_survives_a_failure_has_three_replicas() {
    for nodes in [1, 2] {
        assert!(Viewstamped::build(&Setup::new(&ABOUT, nodes)).is_err());
    }
}

/// The scenarios of the corpus, twins included.
fn corpus() -> Vec<Scenario> {
    crate::scenario::corpus::of(&ABOUT).unwrap()
}

/// Where a bug that costs safety is caught besides in its own scenario is written down, and is what
/// it should be.
#[test]
fn every_safety_bug_is_caught_elsewhere_too() {
    let caught = crate::scenario::corpus::caught_by(&ABOUT).unwrap();
    for spec in ABOUT.bugs.iter().filter(|spec| spec.costs == Costs::Safety) {
        match caught.get(spec.name).unwrap_or_else(|| panic!("{} is not in [caught_by]", spec.name))
        {
            crate::scenario::corpus::CaughtBy::None { none } => assert!(!none.is_empty()),
            crate::scenario::corpus::CaughtBy::Scenario(name) => {
                let scenario = corpus().into_iter().find(|s| s.name == *name).expect(name);
                assert_eq!(scenario.bug, None, "{name}");
                assert!(!name.starts_with(spec.name), "{name} was written for {}", spec.name);
            }
        }
    }
}

/// A goal that no scenario lists in `covers` would be one that nobody misses.
#[test]
fn every_goal_is_covered_by_a_healthy_scenario() {
    for goal in Viewstamped::goals() {
        let covers =
            |s: &Scenario| s.bug.is_none() && s.covers.iter().any(|name| name == goal.name);
        assert!(corpus().iter().any(covers), "no healthy scenario covers {}", goal.name);
    }
}

#[test]
fn every_property_can_be_broken() {
    let corpus = scenario::parse(ABOUT.corpus, &ABOUT).unwrap();
    for (_, name) in System::<Viewstamped>::properties() {
        let breaks =
            |s: &Scenario| s.expect.get(name).is_some_and(|e| e.verdict == Verdict::Violated);
        assert!(corpus.iter().any(breaks), "no scenario of the corpus violates {name}");
    }
}

/// Each planted bug has a scenario of its own, in which it costs what it says it costs.
#[test]
fn every_bug_is_in_the_corpus() {
    let corpus = scenario::parse(ABOUT.corpus, &ABOUT).unwrap();
    for spec in ABOUT.bugs {
        let own = corpus.iter().find(|s| s.name == spec.name).expect(spec.name);
        assert_eq!(own.bug.as_deref(), Some(spec.name));
        // A control breaks the letter of its rule, and nothing that the rule is for; a bug that
        // costs only the leader may break the rule of timers.
        let letters = ["starts-with-the-best-log", "timers-of-the-role"];
        let is_broken = |(name, e): (&String, &crate::scenario::Expected)| {
            e.verdict == Verdict::Violated
                && (spec.costs == Costs::Safety || !letters.contains(&name.as_str()))
        };
        assert_eq!(own.expect.iter().any(is_broken), spec.costs == Costs::Safety, "{}", spec.name);
    }
}
