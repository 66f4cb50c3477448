//! A verdict that speaks of what never happened is no verdict: such runs are `vacuous`.

use std::sync::Arc;

use oneleader::check::{Conclusion, Limits, conclude};
use oneleader::engine;
use oneleader::reference::{self, Search};
use oneleader::scenario::Scenario;
use oneleader::system::System;
use oneleader::verdict::Word;

#[path = "../examples/own_actor.rs"]
#[allow(dead_code)]
mod own_actor;
use own_actor::Poll;

/// What both engines conclude about the protocol of the example in this scenario.
fn concluded(scenario: &str) -> Conclusion {
    let scenario: Scenario = toml::from_str(scenario).unwrap();
    let system = Arc::new(scenario.system::<Poll>().unwrap());
    let (safety, _) = System::<Poll>::properties()[0];
    let limits = Limits::exhaustive();
    let compiled = engine::explore(&system, &[safety], &limits, &|_| ());
    let reference = reference::explore(Search::BreadthFirst, &system, &[safety], &limits, &|_| ());
    let compiled = conclude(&system, &compiled, safety);
    assert_eq!(compiled, conclude(&system, &reference, safety));
    compiled
}

fn vacuous(why: &str) -> Conclusion {
    Conclusion { word: Word::Vacuous, why: Some(why.to_string()) }
}

#[test]
fn a_poll_with_leaders_holds() {
    let found = concluded("name = 'led'\nnodes = 2\nbounds = { max_term = 1 }");
    assert_eq!(found.word, Word::HoldsWithinBounds);
}

#[test]
fn a_poll_in_which_nobody_ever_leads_is_vacuous() {
    let split = "topologies = { start = 'split(n1|n2)' }";
    let found = concluded(&format!("name = 'unled'\nnodes = 2\nbounds = {{ max_term = 1 }}\n{split}"));
    assert_eq!(found, vacuous("nobody ever led"));
}

#[test]
fn a_budget_of_faults_that_never_fires_is_vacuous() {
    // These nodes have no disk to lose.
    let faults = "faults = { crashes = 1, restarts = 1, disk_losses = 1 }";
    let found = concluded(&format!("name = 'diskless'\nnodes = 2\nbounds = {{ max_term = 1 }}\n{faults}"));
    assert_eq!(found, vacuous("the budget for `disk_losses` never fired"));
}
