//! Describes Multi-Paxos (sources, options, corpus), and builds a system from options.

use super::MultiPaxos;
use super::bugs::Bug;
use crate::election::{About, OptionSpec, Setup, Value};

/// The description of Multi-Paxos.
pub(super) static ABOUT: About = About {
    name: "multipaxos",
    title: "Multi-Paxos",
    source: "Lamport, Paxos Made Simple, 2001, section 3; van Renesse and Altinbuken, Paxos Made \
             Moderately Complex, 2015",
    has_terms: true,
    starts_led: false,
    notation: &[
        ("1.n2", "a ballot: round 1 of node n2; of one round, the higher node's ballot is higher"),
        ("v1@1.n2", "value v1, accepted under ballot 1.n2"),
    ],
    options: &OPTIONS,
    bugs: Bug::SPECS,
    corpus: include_str!("scenarios.toml"),
};

static OPTIONS: [OptionSpec; 2] = [
    OptionSpec {
        name: "values",
        default: Value::Number(0),
        allowed: &[],
        help: "how many inputs clients give in a whole run, at most 9; 0 is the pure election",
    },
    OptionSpec {
        name: "heartbeats",
        default: Value::Flag(true),
        allowed: &[],
        help: "leaders send heartbeats, which also repeat what may be lost; without them a leader \
               sends each proposal and each commit notice once, which is enough to check safety \
               without time",
    },
];

/// The nodes of one system. The error says what is wrong with the options.
pub(super) fn build(setup: &Setup) -> Result<Vec<MultiPaxos>, String> {
    let values = setup.number("values");
    if values > 9 {
        return Err(format!(
            "values = {values}: at most 9 slots can be told apart in reasonable time"
        ));
    }
    let known = "scenarios are checked against `ABOUT`";
    let bug = setup.bug.map(|name| Bug::named(name).expect(known));
    let node = MultiPaxos { nodes: setup.nodes, values, heartbeats: setup.flag("heartbeats"), bug };
    Ok(vec![node; setup.nodes])
}
