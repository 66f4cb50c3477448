//! The paper, sentence by sentence, on servers driven by hand; and what the harness makes of them.

mod cluster;
mod election;
mod phases;

use super::{Epoch, Primary, Timer, Txn, Witness, Zab};
use crate::election::{Check, Election, Event, NodeStep, Setup, SortedMap, Value};
use crate::exploration::verdict::Verdict;
use crate::scenario::{self, Scenario};
use crate::semantics::System;
use cluster::{n, oracle, txn, zab};

#[test]
fn more_candidates_than_servers_are_refused() {
    let setup = Setup::new(Zab::about(), 3).with("candidates", Value::Number(4));
    assert_eq!(Zab::build(&setup).expect_err("a reason"), "4 candidates of 3 servers");
}

/// It hears of no vote, never looks at its own, and nobody ever leads: whatever is asked would be
/// vacuous.
#[test]
fn an_ensemble_of_one_is_refused() {
    let why = Zab::build(&Setup::new(Zab::about(), 1)).expect_err("a reason");
    assert!(why.contains("at least 2 servers"), "{why}");
}

#[test]
fn each_property_is_violated_in_the_corpus() {
    let corpus = scenario::parse(Zab::about().corpus, Zab::about()).expect("a valid corpus");
    for (_, name) in System::<Zab>::properties() {
        let breaks =
            |s: &Scenario| s.expect.get(name).is_some_and(|e| e.verdict == Verdict::Violated);
        assert!(corpus.iter().any(breaks), "no scenario of the corpus violates {name}");
    }
}

/// Asks all properties of a delivery that nothing led to.
#[test]
fn each_property_of_a_delivery_can_fail() {
    let before = oracle(3).server(1).clone();
    let mut after = before.clone();
    after.disk.history = vec![txn(2, 1), txn(1, 2)];
    after.delivered = 2;
    let primary = |had, broadcast: &[Txn]| Primary { had, broadcast: broadcast.to_vec() };
    let witness = Witness {
        longest: vec![txn(1, 1), txn(1, 2)],
        primaries: SortedMap::from([
            ((Epoch(1), n(1)), primary(0, &[txn(1, 1), txn(1, 2)])),
            ((Epoch(3), n(3)), primary(1, &[txn(3, 1)])),
        ]),
        led: SortedMap::from([(Epoch(1), n(1)), (Epoch(3), n(3))]),
        ..Witness::default()
    };
    let step = NodeStep {
        actor: &zab(3, "oracle", None),
        id: n(1),
        nodes: 3,
        incarnation: 0,
        before: Some(&before),
        event: Event::Timeout { timer: &Timer::Contact },
        after: Some(&after),
        cut_short: None,
        sends: &[],
        storage: None,
        timers_before: &SortedMap::new(),
        timers: &SortedMap::new(),
    };
    let failing: Vec<&str> = Zab::invariants()
        .into_iter()
        .filter(|invariant| match invariant.check {
            Check::Step(check) => check(&witness, &step).is_err(),
            Check::Rule(check) => check(&step).is_err(),
            _ => false,
        })
        .map(|invariant| invariant.name)
        .filter(|name| !name.ends_with("-steps") && *name != "said-is-on-disk")
        .collect();
    let of_deliveries = [
        "agreement",
        "total-order",
        "integrity",
        "local-primary-order",
        "global-primary-order",
        "primary-integrity",
        "leader-completeness",
    ];
    assert_eq!(failing, of_deliveries);
}
