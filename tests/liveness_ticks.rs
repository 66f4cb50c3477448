//! Ticks of the whole system, in which nodes take their turns one after the other, lead where the
//! reference semantics leads, in which their steps come in any order. That rests on a message's
//! taking a tick. The graph that is found in numbers has the edges that are found on values, and is
//! the same for any number of threads. And where time is kept only from some moment on, it may
//! begin in the states of the reference.

#[path = "support/patient.rs"]
mod patient;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::election::{About, Election, Visitor};
use oneleader::liveness::{self, Edge, Extent};
use oneleader::models;
use oneleader::scenario::Scenario;
use oneleader::semantics::network::NetworkKind;
use oneleader::semantics::world::Faults;
use oneleader::semantics::{Bounds, Latency, Timing};

fn timed(network: NetworkKind, links: &str, crashes: u32) -> Scenario {
    let mut scenario = Scenario::new("ticks", 3);
    scenario.network = network;
    scenario.timing = Timing::Timed;
    scenario.latency = Latency::OneTick;
    scenario.topologies.start = links.to_string();
    scenario.faults = Faults { crashes, restarts: crashes, ..Faults::none() };
    scenario
}

struct Audit {
    scenario: Scenario,
    states: usize,
    /// Whether dead messages stay in flight. If not, it is seen that it makes no difference when
    /// they are taken out: in the middle of a tick or at its end.
    keeps_dead: bool,
}

impl Visitor for Audit {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let mut system = self.scenario.system::<E>().unwrap();
        system.rules.keep_dead = self.keeps_dead;
        let links = &system.rules.topologies[0];
        let seen = liveness::audit_ticks(&system, links, self.states)?;
        if seen <= 10 {
            return Err(format!("{seen} states are too few to say anything").into());
        }
        Ok(())
    }
}

/// Holds graphs against ticks on values.
struct Compare {
    scenario: Scenario,
    states: usize,
}

impl Visitor for Compare {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let system = self.scenario.system::<E>().unwrap();
        let extent = Extent { states: self.states, ..Extent::default() };
        // A group that starts with a leader may do nothing but follow it.
        let few = if E::about().starts_led { 3 } else { 10 };
        for edges in liveness::audit_graph(&system, &system.rules.topologies[0], extent)? {
            if edges <= few {
                return Err(format!("{edges} edges are too few to say anything").into());
            }
        }
        Ok(())
    }
}

/// Holds the states in which time may begin against the reference semantics.
struct Begin(Scenario);

impl Visitor for Begin {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let mut system = self.0.system::<E>().unwrap();
        system.rules.remember = false;
        let starts = liveness::audit_starts(&system, 50_000)?;
        if starts <= 10 {
            return Err(format!("{starts} starts are too few to say anything").into());
        }
        Ok(())
    }
}

/// Messages may be lost and, where clients hand something in, it comes in any tick.
fn handed_in(about: &About, network: NetworkKind) -> Scenario {
    let mut scenario = timed(network, "mesh", 0);
    scenario.options = patient::waits(about.name);
    // Two nodes are soon led.
    scenario.nodes = if about.name == "viewstamped" { 3 } else { 2 };
    scenario.faults.losses = 1;
    if about.options.iter().any(|option| option.name == "values") {
        scenario.options.insert("values".to_string(), 2.into());
    }
    scenario
}

/// Little can happen before time begins, but each kind of thing.
fn stabilising(protocol: &str) -> Scenario {
    let mut scenario = timed(NetworkKind::Unordered, "mesh", 1);
    scenario.options = patient::waits(protocol);
    // A group of Viewstamped Replication has three replicas at least.
    scenario.nodes = if protocol == "viewstamped" { 3 } else { 2 };
    scenario.timing = Timing::Stabilising;
    scenario.faults.losses = 1;
    scenario.bounds = Bounds {
        max_term: Some(2),
        max_in_flight: Some(2),
        max_copies: Some(1),
        ..Bounds::default()
    };
    scenario
}

/// The edges of each state, found by so many threads.
struct OnThreads {
    scenario: Scenario,
    states: usize,
    threads: usize,
}

impl Visitor for OnThreads {
    type Output = Vec<Vec<Edge>>;

    fn visit<E: Election>(self) -> Self::Output {
        let system = self.scenario.system::<E>().unwrap();
        let extent = Extent { states: self.states, ..Extent::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build().unwrap();
        pool.install(|| {
            let report = liveness::ask(&system, None, extent).unwrap();
            let graph = report.graph();
            (0..graph.states()).map(|state| graph.out(state).to_vec()).collect()
        })
    }
}

/// Neither numbers nor edges depend on how many threads there are.
fn one_graph_on_all_threads(about: &About, states: usize) {
    let mut scenario = timed(NetworkKind::Unordered, "mesh", 1);
    scenario.options = patient::waits(about.name);
    let [one, three] = [1, 3].map(|threads| {
        let scenario = scenario.clone();
        models::visit(about.name, OnThreads { scenario, states, threads }).unwrap()
    });
    assert!(one.len() > 10, "{} states are too few to say anything", one.len());
    assert_eq!(one, three);
}

struct Ask(Scenario);

impl Visitor for Ask {
    type Output = Result<u32, String>;

    fn visit<E: Election>(self) -> Self::Output {
        let system = self.0.system::<E>().unwrap();
        liveness::ask(&system, None, Extent::default()).map(|report| report.states())
    }
}

fn where_an_answer_may_overtake_within_the_tick_nothing_is_decided() {
    let mut scenario = timed(NetworkKind::Unordered, "mesh", 0);
    scenario.latency = Latency::None;
    for about in models::all() {
        let refused = models::visit(about.name, Ask(scenario.clone())).unwrap();
        assert!(refused.unwrap_err().contains("with latency = 1, or timing"));
    }
}

const LINKS: [&str; 3] = ["mesh", "cut(n1-n2)", "cut(n2>n1)"];

fn main() -> ExitCode {
    let name = "where_an_answer_may_overtake_within_the_tick_nothing_is_decided";
    let mut trials = vec![Trial::test(name, || {
        where_an_answer_may_overtake_within_the_tick_nothing_is_decided();
        Ok(())
    })];
    for about in models::all() {
        // Of Ring and Zab the ages of timers, several at a node, have too many combinations.
        if !["ring", "zab"].contains(&about.name) {
            let begin = Begin(stabilising(about.name));
            let run = move || models::visit(about.name, begin).expect("it is in the catalogue");
            trials.push(Trial::test(format!("{}::starts", about.name), run));
        }
        // Of Zab few: its servers say so much to each other that a tick has many orders.
        let states = if about.name == "zab" { (12, 4) } else { (200, 40) };
        trials.push(Trial::test(format!("{}::threads", about.name), move || {
            one_graph_on_all_threads(about, 5 * states.0);
            Ok(())
        }));
        let networks = [NetworkKind::Unordered, NetworkKind::Ordered];
        for (network, links) in networks.into_iter().flat_map(|n| LINKS.map(|links| (n, links))) {
            for (crashes, keeps_dead) in [(0, false), (0, true), (1, true)] {
                // A node that is down has no memory by which a message to it could be called dead,
                // so with crashes it does make a difference.
                let mut scenario = timed(network, links, crashes);
                scenario.options = patient::waits(about.name);
                let states = if crashes == 0 { states.0 } else { states.1 };
                let audit = Audit { scenario, states, keeps_dead };
                let dead = if keeps_dead { "with-dead" } else { "without-dead" };
                let name =
                    format!("{}::{network:?}::{links}::{crashes}-crashes::{dead}", about.name);
                let name = name.to_lowercase();
                let run = move || models::visit(about.name, audit).expect("it is in the catalogue");
                trials.push(Trial::test(name, run));
            }
            if links == "mesh" {
                let scenario = handed_in(about, network);
                let name = format!("{}::{network:?}::losses-and-inputs", about.name);
                let audit =
                    Audit { scenario: scenario.clone(), states: states.0, keeps_dead: true };
                let compare = Compare { scenario, states: 5 * states.0 };
                let run = move || {
                    models::visit(about.name, audit).expect("it is in the catalogue")?;
                    models::visit(about.name, compare).expect("it is in the catalogue")
                };
                trials.push(Trial::test(name.to_lowercase(), run));
            }
            for crashes in [0, 1] {
                let mut scenario = timed(network, links, crashes);
                scenario.options = patient::waits(about.name);
                let compare = Compare { scenario, states: 5 * states.0 };
                let name =
                    format!("{}::{network:?}::{links}::{crashes}-crashes::graph", about.name);
                let run =
                    move || models::visit(about.name, compare).expect("it is in the catalogue");
                trials.push(Trial::test(name.to_lowercase(), run));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
