//! Describes Raft (sources, options, corpus), and builds a cluster from options.

use std::time::Duration;

use super::Raft;
use super::bugs::Bug;
use super::members::{Members, Membership};
use crate::election::{About, NodeSet, OptionSpec, Setup, Value};

/// The description of Raft.
pub(super) static ABOUT: About = About {
    name: "raft",
    title: "Raft",
    source: "D. Ongaro, J. Ousterhout: In Search of an Understandable Consensus Algorithm \
             (extended version), 2014; D. Ongaro: Consensus: Bridging Theory and Practice \
             (thesis), 2014",
    has_terms: true,
    starts_led: false,
    notation: &[
        ("1:v2", "the entry with the value v2 that a leader of term 1 received from a client"),
        ("[1:v1, 2:v2]", "a log: 1:v1 at index 1, 2:v2 at index 2"),
        ("2@1", "index 2, where the entry is of term 1"),
        (
            "committed",
            "a leader's entry of its own term is committed once a quorum has it on disk in that \
             term, the leader included, whether or not a server knows that yet; so are all \
             entries before it",
        ),
        (
            "heartbeat",
            "AppendEntries without an entry. In this model a follower answers it only if it shows \
             that a part of the two logs agrees",
        ),
    ],
    options: &OPTIONS,
    bugs: Bug::SPECS,
    corpus: include_str!("scenarios.toml"),
};

static OPTIONS: [OptionSpec; 9] = [
    OptionSpec {
        name: "values",
        default: Value::Number(0),
        allowed: &[],
        help: "client inputs in a run: values, or changes of membership; 0 leaves nothing but \
               elections",
    },
    OptionSpec {
        name: "pre_vote",
        default: Value::Flag(false),
        allowed: &[],
        help: "before a server stands, it asks the others whether they would vote for it; those \
               that hear from a leader deny it (thesis 9.6)",
    },
    OptionSpec {
        name: "check_quorum",
        default: Value::Flag(false),
        allowed: &[],
        help: "a leader steps down if no quorum answers it for the minimum election timeout \
               (thesis 6.2)",
    },
    OptionSpec {
        name: "sticky",
        default: Value::Flag(false),
        allowed: &[],
        help: "a leader, and whoever has heard from one within the minimum election timeout, \
               disregards requests for votes and their terms (thesis 4.2.3)",
    },
    OptionSpec {
        name: "membership",
        default: Value::Text("fixed"),
        allowed: &["fixed", "single", "joint"],
        help: "how the members may change: not at all, by one server at a time (thesis 4.1), or \
               through joint consensus (6)",
    },
    OptionSpec {
        name: "members",
        default: Value::Number(0),
        allowed: &[],
        help: "how many of the nodes are members at first; 0 is all",
    },
    OptionSpec {
        name: "heartbeat_ms",
        default: Value::Number(10),
        allowed: &[],
        help: "the time between heartbeats, in milliseconds",
    },
    OptionSpec {
        name: "election_ms",
        default: Value::Number(30),
        allowed: &[],
        help: "the minimum election timeout, in milliseconds",
    },
    OptionSpec {
        name: "election_spread_ms",
        default: Value::Number(30),
        allowed: &[],
        help: "how much longer than the minimum an election timeout may be, in milliseconds",
    },
];

/// The servers of one system. The error says what is wrong with the options.
pub(super) fn build(setup: &Setup) -> Result<Vec<Raft>, String> {
    let millis = |name| Duration::from_millis(setup.number(name));
    let (heartbeat, election) = (millis("heartbeat_ms"), millis("election_ms"));
    if heartbeat >= election {
        return Err(format!(
            "expected heartbeats more often than elections, found heartbeat_ms = {} and \
             election_ms = {}",
            heartbeat.as_millis(),
            election.as_millis()
        ));
    }
    let members = match setup.number("members") as usize {
        0 => setup.nodes,
        n if n <= setup.nodes => n,
        n => {
            return Err(format!(
                "expected at most {} initial members, found members = {n}",
                setup.nodes
            ));
        }
    };
    let values = u32::try_from(setup.number("values"))
        .map_err(|_| "values: that is too many".to_string())?;
    let known = "scenarios are checked against `ABOUT`";
    let raft = Raft {
        nodes: setup.nodes,
        values,
        pre_vote: setup.flag("pre_vote"),
        check_quorum: setup.flag("check_quorum"),
        sticky: setup.flag("sticky"),
        membership: match setup.text("membership") {
            "single" => Membership::Single,
            "joint" => Membership::Joint,
            _ => Membership::Fixed,
        },
        initial: Members::of(NodeSet::first(members)),
        heartbeat: heartbeat..heartbeat,
        election: election..election + millis("election_spread_ms"),
        bug: setup.bug.map(|name| Bug::named(name).expect(known)),
    };
    if let Some(option) = raft.bug.and_then(|bug| bug.lacks(&raft)) {
        return Err(format!("bug {} needs the option {option}", setup.bug.unwrap_or_default()));
    }
    Ok(vec![raft; setup.nodes])
}
