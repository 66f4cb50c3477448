//! Describes Paxos (sources, options, corpus), and builds a system from options.

use super::bugs::Bug;
use super::{Learners, Paxos};
use crate::election::{About, OptionSpec, Setup, Value};

/// The description of Paxos.
pub(super) static ABOUT: About = About {
    name: "paxos",
    title: "Paxos (single decree)",
    source: "Lamport, \"Paxos Made Simple\", 2001; quorums: Howard, Malkhi, Spiegelman, \"Flexible \
             Paxos\", 2016",
    has_terms: true,
    starts_led: false,
    notation: &[
        ("v1@3", "a proposal: value v1 in ballot 3"),
        ("v1'", "the value that n1 proposes after it has restarted once"),
    ],
    options: &OPTIONS,
    bugs: Bug::SPECS,
    corpus: include_str!("scenarios.toml"),
};

static OPTIONS: [OptionSpec; 6] = [
    OptionSpec {
        name: "proposers",
        default: Value::Number(0),
        allowed: &[],
        help: "how many nodes propose, from n1 on; 0: all",
    },
    OptionSpec {
        name: "phase1_quorum",
        default: Value::Number(0),
        allowed: &[],
        help: "how many promises complete phase 1; 0: a majority",
    },
    OptionSpec {
        name: "phase2_quorum",
        default: Value::Number(0),
        allowed: &[],
        help: "how many acceptances make a value chosen; 0: a majority. Together with \
               phase1_quorum more than all nodes",
    },
    OptionSpec {
        name: "learners",
        default: Value::Text("leader"),
        allowed: &["leader", "first", "all"],
        help: "whom acceptors tell: the ballot's leader or the first node, which tell the others; \
               or all nodes",
    },
    OptionSpec {
        name: "refusals",
        default: Value::Flag(false),
        allowed: &[],
        help: "an acceptor answers a request below its promise, so that the proposer gives up at \
               once",
    },
    OptionSpec {
        name: "election_only",
        default: Value::Flag(false),
        allowed: &[],
        help: "phase 1 alone: leaders propose nothing",
    },
];

/// The nodes of one system. The error says what is wrong with the options.
pub(super) fn build(setup: &Setup) -> Result<Vec<Paxos>, String> {
    let nodes = setup.nodes;
    let sized = |name: &str, default: usize| match setup.number(name) as usize {
        0 => Ok(default),
        n if n <= nodes => Ok(n),
        n => Err(format!("option `{name}`: expected at most the {nodes} nodes, found {n}")),
    };
    let majority = nodes / 2 + 1;
    let known = "scenarios are checked against `ABOUT`";
    let paxos = Paxos {
        nodes,
        proposers: sized("proposers", nodes)?,
        phase1: sized("phase1_quorum", majority)?,
        phase2: sized("phase2_quorum", majority)?,
        learners: match setup.text("learners") {
            "leader" => Learners::Leader,
            "first" => Learners::First,
            _ => Learners::All,
        },
        refusals: setup.flag("refusals"),
        election_only: setup.flag("election_only"),
        bug: setup.bug.map(|name| Bug::named(name).expect(known)),
    };
    let (q1, q2) = (paxos.phase1, paxos.phase2);
    if q1 + q2 <= nodes && paxos.bug != Some(Bug::DisjointQuorums) {
        return Err(format!(
            "expected quorums that meet, phase1_quorum + phase2_quorum > {nodes} nodes, found \
             {q1} + {q2}"
        ));
    }
    Ok(vec![paxos; nodes])
}
