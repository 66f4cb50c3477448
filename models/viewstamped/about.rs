//! Describes Viewstamped Replication (source, options, corpus), and builds replicas from options.

use super::Viewstamped;
use super::bugs::Bug;
use crate::election::{About, OptionSpec, Setup, Value};

/// What a replica keeps on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durable {
    /// Nothing, as the paper has it.
    Nothing,
    /// The view-number, as the original protocol of 1988 has it.
    View,
    /// The view-number, and the log in the background (§5.1).
    Log,
}

impl Durable {
    fn named(name: &str) -> Self {
        match name {
            "none" => Durable::Nothing,
            "log" => Durable::Log,
            _ => Durable::View,
        }
    }
}

/// Options, planted bugs and corpus.
pub(super) static ABOUT: About = About {
    name: "viewstamped",
    title: "Viewstamped Replication",
    source: "Liskov, Cowling: Viewstamped Replication Revisited, MIT-CSAIL-TR-2012-021, 2012",
    has_terms: true,
    starts_led: true,
    notation: &[
        ("op1", "the operation that a client's first request asks for"),
        ("[op1, op2]", "a log: op1 is number 1, op2 is number 2"),
        (
            "last normal in view 1",
            "view 1 is the latest in which the replica took part with status normal; v' in the \
             paper",
        ),
        ("an offer", "DoViewChange: the log that a replica offers to the primary of a new view"),
        ("a quorum", "f+1 of 2f+1 replicas, f of which may fail"),
    ],
    options: &[
        OptionSpec {
            name: "values",
            default: Value::Number(0),
            allowed: &[],
            help: "client requests in a run; 0 leaves the view changes alone",
        },
        OptionSpec {
            name: "disk",
            default: Value::Text("view"),
            allowed: &["none", "view", "log"],
            help: "what survives a crash: nothing, as the paper has it; the view number, as the \
                   original protocol of 1988 has it; or the view number and, written in the \
                   background, the log (section 5.1)",
        },
        OptionSpec {
            name: "heartbeats",
            default: Value::Flag(true),
            allowed: &[],
            help: "an idle primary sends Commit messages; without them backups time out under \
                   timed, and the asynchronous state space is smaller",
        },
        OptionSpec {
            name: "trusts_time",
            default: Value::Flag(false),
            allowed: &[],
            help: "offers-with-f-others also asks that no live primary is suspected; right where \
                   time and links can be trusted, and heartbeats are sent",
        },
    ],
    bugs: Bug::SPECS,
    corpus: include_str!("scenarios.toml"),
};

/// The replicas of a group with these options. The error says why there is no such group.
pub(super) fn build(setup: &Setup) -> Result<Vec<Viewstamped>, String> {
    let replicas = setup.nodes;
    if replicas < 3 {
        return Err(format!(
            "a group that survives a failure has 3 or more replicas, not {replicas}"
        ));
    }
    let replica = Viewstamped {
        replicas,
        values: setup.number("values") as u32,
        durable: Durable::named(setup.text("disk")),
        heartbeats: setup.flag("heartbeats"),
        trusts_time: setup.flag("trusts_time"),
        bug: setup.bug.and_then(Bug::named),
    };
    if replica.bug == Some(Bug::TrustsLogOnDisk) && replica.durable != Durable::Log {
        return Err("bug `trusts-log-on-disk` needs the option disk = \"log\"".to_string());
    }
    if replica.bug == Some(Bug::HalfIsAQuorum) && !replicas.is_multiple_of(2) {
        return Err(format!(
            "bug `half-is-a-quorum` needs an even number of nodes, not {replicas}"
        ));
    }
    Ok(vec![replica; replicas])
}
