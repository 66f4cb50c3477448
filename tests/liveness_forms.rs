//! Canonical forms, held against the handlers: of each protocol, with its options, on different
//! links, with and without faults.

#[path = "support/patient.rs"]
mod patient;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use oneleader::election::{About, Election, Value, Visitor};
use oneleader::liveness::{self, Sample};
use oneleader::models;
use oneleader::scenario::Scenario;
use oneleader::semantics::network::NetworkKind;
use oneleader::semantics::world::Faults;
use oneleader::semantics::{Bounds, Latency, Timing};

/// The states of each system that are looked at: near the start, and on walks, where numbers come
/// apart. Of Zab fewer near the start, since many more ticks lead on from each. The deep suite
/// asks for all of them.
fn sample(about: &About) -> Sample {
    let is_whole = std::env::var_os("ONELEADER_SAMPLE").is_some_and(|sample| sample == "all");
    match (about.name, is_whole) {
        ("zab", true) => Sample { nearest: 250, walks: 12, ticks: 60 },
        ("zab", false) => Sample { nearest: 150, walks: 8, ticks: 50 },
        (_, true) => Sample { nearest: 1_000, walks: 6, ticks: 100 },
        (_, false) => Sample { nearest: 500, walks: 4, ticks: 80 },
    }
}

/// All; one link less; a link in one direction less; a node that hears from nobody; a node alone.
const LINKS: [&str; 5] = ["mesh", "cut(n1-n2)", "cut(n2>n1)", "cut(n2>n1,n3>n1)", "isolate(n3)"];

struct Audit(Scenario);

impl Visitor for Audit {
    type Output = Result<(), Failed>;

    fn visit<E: Election>(self) -> Result<(), Failed> {
        let system = self.0.system::<E>().map_err(|problem| problem.to_string())?;
        let links = system.rules.topologies.last().expect("there are links").clone();
        let compared = liveness::audit_form(&system, &links, sample(E::about()))?;
        // A group that starts with a leader may do nothing but follow it.
        if compared < 20 && !E::about().starts_led {
            return Err(format!("only {compared} ticks were compared").into());
        }
        Ok(())
    }
}

/// Every option of a protocol with every value that it may have, one option at a time, besides
/// the defaults; with longer waits where it needs them.
fn settings(about: &About) -> Vec<(String, toml::Table)> {
    let mut all = vec![("defaults".to_string(), toml::Table::new())];
    for option in about.options {
        let values: Vec<toml::Value> = match option.default {
            Value::Flag(default) => vec![(!default).into()],
            Value::Text(default) => {
                let others = option.allowed.iter().filter(|value| **value != default);
                others.map(|value| (*value).into()).collect()
            }
            Value::Number(_) => Vec::new(),
        };
        for value in values {
            let name = format!("{}={value}", option.name);
            all.push((name, toml::Table::from_iter([(option.name.to_string(), value)])));
        }
    }
    all.extend(further(about.name).iter().map(|options| {
        let table = options.parse().expect("options of this protocol");
        (options.replace('\n', ","), table)
    }));
    all.iter_mut().for_each(|(_, options)| options.extend(patient::waits(about.name)));
    all
}

/// Options with numbers, and options that matter together.
fn further(protocol: &str) -> &'static [&'static str] {
    match protocol {
        "raft" => &[
            "values=1",
            "values=2",
            "values=1\npre_vote=true",
            "values=2\npre_vote=true\ncheck_quorum=true",
            "values=1\nsticky=true",
        ],
        "multipaxos" | "viewstamped" | "zab" => &["values=1"],
        "paxos" => &[
            "proposers=1",
            "proposers=2\nlearners=\"first\"",
            "phase1_quorum=3\nphase2_quorum=1",
            "phase2_quorum=3\nlearners=\"all\"",
            "refusals=true\nlearners=\"first\"",
            "refusals=true\nelection_only=true",
        ],
        _ => &[],
    }
}

/// Where clients hand something in, and nobody is down, messages may be lost, too. Where a node is
/// down, a form leaves out what the node will not react to, and so what might be lost for nothing.
fn timed(options: &toml::Table, network: NetworkKind, crashes: u32) -> Scenario {
    let mut scenario = Scenario::new("form", 3);
    scenario.network = network;
    scenario.options = options.clone();
    scenario.timing = Timing::Timed;
    scenario.latency = Latency::OneTick;
    let losses = u32::from(options.contains_key("values") && crashes == 0);
    scenario.faults = Faults { crashes, restarts: crashes, losses, ..Faults::none() };
    scenario
}

/// Any fault may strike before time is kept. So states are seen that no run with time reaches.
fn stabilising(options: &toml::Table) -> Scenario {
    let mut scenario = Scenario::new("form", 3);
    scenario.options = options.clone();
    scenario.timing = Timing::Stabilising;
    scenario.latency = Latency::OneTick;
    scenario.bounds = Bounds { max_in_flight: Some(6), ..Bounds::default() };
    scenario.faults = Faults {
        crashes: 2,
        restarts: 2,
        losses: 9,
        duplications: 2,
        torn: true,
        ..Faults::none()
    };
    scenario
}

/// On which networks a protocol is looked at, and with how many crashes. An option may make a
/// protocol say something else, but not rely on the order in which it arrives, so options other
/// than the defaults are looked at where every order can come.
fn networks(setting: &str) -> Vec<(NetworkKind, u32)> {
    let mut all = vec![(NetworkKind::Unordered, 0), (NetworkKind::Unordered, 1)];
    if setting == "defaults" {
        all.extend([(NetworkKind::Ordered, 0), (NetworkKind::Ordered, 1)]);
        all.push((NetworkKind::Unordered, 2));
    }
    all
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for about in models::all() {
        for (setting, options) in settings(about) {
            let audit = Audit(stabilising(&options));
            let run = move || models::visit(about.name, audit).expect("it is in the catalogue");
            trials.push(Trial::test(format!("{}::{setting}::stabilising", about.name), run));
            for links in LINKS.into_iter().filter(|links| *links != "mesh") {
                let mut scenario = timed(&options, NetworkKind::Unordered, 0);
                scenario.faults.switches = 1;
                scenario.topologies.may = vec![links.to_string()];
                let audit = Audit(scenario);
                let run = move || models::visit(about.name, audit).expect("it is in the catalogue");
                let name = format!("{}::{setting}::{links}::once-led", about.name);
                trials.push(Trial::test(name.to_lowercase(), run));
            }
            for links in LINKS {
                for (network, crashes) in networks(&setting) {
                    let name = format!(
                        "{}::{setting}::{network:?}::{links}::{crashes}-crashes",
                        about.name
                    );
                    let name = name.to_lowercase();
                    let mut scenario = timed(&options, network, crashes);
                    scenario.topologies.start = links.to_string();
                    let audit = Audit(scenario);
                    let run =
                        move || models::visit(about.name, audit).expect("it is in the catalogue");
                    trials.push(Trial::test(name, run));
                }
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
