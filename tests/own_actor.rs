//! An actor that is not of the catalogue, `examples/own_actor.rs`, is checked, fuzzed and explored
//! like any protocol.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use oneleader::election::{About, Election, Setup, Term};
use oneleader::engine;
use oneleader::exploration::verdict::Verdict;
use oneleader::exploration::{Limits, conclude};
use oneleader::fuzz::{Asked, Campaign, Recovery, all_faults};
use oneleader::reference::{self, Search};
use oneleader::scenario::Scenario;
use oneleader::semantics::network::NetworkKind;
use oneleader::semantics::world::Faults;
use oneleader::semantics::{Bounds, System};
use proptest::strategy::Just;
use stateright::actor::{Actor, Id, Out, model_peers};
use stateright::{Checker, Model};

#[path = "../examples/own_actor.rs"]
#[allow(dead_code)]
mod own_actor;
use own_actor::Poll;

fn poll(nodes: usize) -> Scenario {
    Scenario {
        bounds: Bounds { max_term: Some(1), ..Bounds::default() },
        ..Scenario::new("poll", nodes)
    }
}

fn with_restarts(nodes: usize) -> Scenario {
    Scenario { faults: Faults { crashes: 1, restarts: 1, ..Faults::none() }, ..poll(nodes) }
}

/// The verdict on election safety, the same from both engines, and the length of a shortest
/// counterexample.
fn checked(scenario: &Scenario) -> (Verdict, Option<usize>) {
    let system = Arc::new(scenario.system::<Poll>().unwrap());
    let (safety, _) = System::<Poll>::properties()[0];
    let explorations = [
        engine::explore(&system, &[safety], &Limits::default(), &|_| ()),
        reference::explore(Search::BreadthFirst, &system, &[safety], &Limits::default(), &|_| ()),
    ];
    let [compiled, reference] = explorations.map(|seen| {
        let steps = seen.violations.get(&safety).map(|violation| violation.steps.len());
        (conclude(&system, &seen, safety).verdict, steps)
    });
    assert_eq!(compiled, reference);
    compiled
}

#[test]
fn is_checked_and_holds_while_nobody_restarts() {
    assert_eq!(checked(&poll(3)), (Verdict::HoldsWithinBounds, None));
}

#[test]
fn is_checked_and_found_to_vote_twice_once_a_voter_restarts() {
    assert_eq!(checked(&with_restarts(3)), (Verdict::Violated, Some(8)));
}

#[test]
fn is_checked_and_a_planted_bug_is_found() {
    let bug = Some("votes-for-everyone".to_string());
    assert_eq!(checked(&Scenario { bug, ..poll(3) }), (Verdict::Violated, Some(6)));
}

#[test]
fn is_fuzzed_and_a_failure_is_shrunk_to_a_shortest_run() {
    let campaign = Campaign::default();
    let outcome = campaign.run::<Poll>(Just(with_restarts(3)), |_| ()).unwrap();
    let found = outcome.found.expect("the same mistake, in a thousand runs");
    assert_eq!(found.run.steps.len(), 8, "{:?}", found.run);
    let outcome = Campaign { cases: 200, ..campaign }.run::<Poll>(Just(poll(7)), |_| ()).unwrap();
    assert!(outcome.found.is_none() && outcome.tally.elections > 0);
}

/// Whoever hears nobody higher for a while leads, and says so all the time. It has what the trait
/// asks for and no more.
#[derive(Clone, Debug)]
struct Loudest {
    peers: Vec<Id>,
}

impl Actor for Loudest {
    type Msg = ();
    type Timer = &'static str;
    type State = bool;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, o: &mut Out<Self>) -> bool {
        o.set_timer("patience", Duration::from_millis(30)..Duration::from_millis(60));
        false
    }

    fn on_timeout(&self, _: Id, leads: &mut Cow<bool>, _: &&'static str, o: &mut Out<Self>) {
        *leads.to_mut() = true;
        o.broadcast(&self.peers, &());
        o.set_timer("patience", Duration::from_millis(10)..Duration::from_millis(20));
    }

    fn on_msg(&self, id: Id, leads: &mut Cow<bool>, src: Id, (): (), o: &mut Out<Self>) {
        if src > id {
            *leads.to_mut() = false;
            o.set_timer("patience", Duration::from_millis(30)..Duration::from_millis(60));
        }
    }
}

impl Election for Loudest {
    type Witness = ();

    fn about() -> &'static About {
        const ABOUT: About = About {
            name: "loudest",
            title: "Whoever is heard",
            source: "this test",
            has_terms: false,
            starts_led: false,
            notation: &[],
            options: &[],
            bugs: &[],
            corpus: "",
        };
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        Ok((0..setup.nodes).map(|i| Loudest { peers: model_peers(i, setup.nodes) }).collect())
    }

    fn term(&self, _: &bool) -> Term {
        Term(0)
    }

    fn leads(&self, _: Id, leads: &bool) -> Option<Term> {
        leads.then_some(Term(0))
    }
}

/// What is missing in the end of a run that does not recover, if one is found.
fn recovery<E: Election>() -> Option<String> {
    let faults = all_faults(NetworkKind::Unordered);
    let scenario = Scenario { faults, ..Scenario::new("all-faults", 3) };
    let campaign =
        Campaign { cases: 50, asked: Asked::Recovery(Recovery::default()), ..Campaign::default() };
    let found = campaign.run::<E>(Just(scenario), |_| ()).unwrap().found?;
    found.run.failure.map(|failure| failure.why)
}

#[test]
fn recovers_though_it_does_not_say_who_follows_whom() {
    assert_eq!(recovery::<Loudest>(), None);
}

#[test]
fn does_not_recover_where_nobody_hears_of_the_leader() {
    // Poll's leader is silent, and everybody, the leader included, runs out of patience again and
    // again.
    let missing = recovery::<Poll>().expect("no leader stays");
    assert!(missing.contains("nobody leads") || missing.contains("only since tick"), "{missing}");
}

#[test]
fn is_explored_over_http() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // The server runs until the test process ends.
    std::thread::spawn(move || {
        poll(3).system::<Poll>().unwrap().checker().serve(address).unique_state_count()
    });
    let mut answer = String::new();
    for _ in 0..200 {
        if let Ok(mut stream) = TcpStream::connect(address) {
            stream.write_all(b"GET /.states/ HTTP/1.0\r\n\r\n").unwrap();
            stream.read_to_string(&mut answer).unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = answer.lines().next().unwrap_or_default();
    assert!(status.ends_with("200 OK") && answer.contains("voted: false"), "{answer}");
}
