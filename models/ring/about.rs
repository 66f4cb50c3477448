//! Describes the elections on a ring (sources, options, corpus), and builds nodes from options.

use super::Ring;
use super::bugs::Bug;
use crate::election::{About, OptionSpec, Setup, Value};

/// Which of the two elections is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// One number survives the round.
    ChangRoberts,
    /// A message collects the identifiers of the living.
    Textbook,
}

impl Variant {
    fn named(name: &str) -> Self {
        match name {
            "chang-roberts" => Variant::ChangRoberts,
            _ => Variant::Textbook,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Variant::ChangRoberts => "chang-roberts",
            Variant::Textbook => "textbook",
        }
    }
}

/// Options, planted bugs and corpus.
pub(super) static ABOUT: About = About {
    name: "ring",
    title: "Ring election",
    source: "E. Chang, R. Roberts, An Improved Algorithm for Decentralized Extrema-Finding in \
             Circular Configurations of Processes, Communications of the ACM 22(5), 1979; the \
             textbook version after Tanenbaum, van Steen (Distributed Systems, ring algorithm)",
    has_terms: false,
    starts_led: false,
    notation: &[(
        "n1, n2, n3",
        "nodes, from the lowest to the highest, in the order in which they follow each other on \
         the ring",
    )],
    options: &[
        OptionSpec {
            name: "variant",
            default: Value::Text("textbook"),
            allowed: &["textbook", "chang-roberts"],
            help: "textbook: an election collects the nodes and skips dead ones; chang-roberts: \
                   numbers go round, and nothing is repaired",
        },
        OptionSpec {
            name: "heartbeat",
            default: Value::Number(2),
            allowed: &[],
            help: "textbook: ticks between a leader's announcements, at least 2; 0: it speaks \
                   once, and nobody watches it",
        },
        OptionSpec {
            name: "acknowledgement",
            default: Value::Number(1),
            allowed: &[],
            help: "textbook: ticks after which a node that has not acknowledged a message is dead; \
                   3 where a message takes a tick",
        },
        OptionSpec {
            name: "monitor",
            default: Value::Number(0),
            allowed: &[],
            help: "ticks of silence after which an election is called; 0: the fewest with which no \
                   live leader is suspected while nothing fails",
        },
        OptionSpec {
            name: "staggered",
            default: Value::Flag(true),
            allowed: &[],
            help: "at first each node waits a tick longer than the next higher one, so that only \
                   one of them calls an election",
        },
    ],
    bugs: Bug::SPECS,
    corpus: include_str!("scenarios.toml"),
};

/// The nodes of a ring with these options. The error says why there is no such ring.
pub(super) fn build(setup: &Setup) -> Result<Vec<Ring>, String> {
    let variant = Variant::named(setup.text("variant"));
    let bug = setup.bug.and_then(Bug::named);
    let (heartbeat, monitor) = (setup.number("heartbeat"), setup.number("monitor"));
    if setup.nodes < 2 {
        return Err("a ring needs at least 2 nodes".to_string());
    }
    let acknowledgement = setup.number("acknowledgement");
    if acknowledgement == 0 {
        return Err("acknowledgement = 0: it needs at least one tick to arrive".to_string());
    }
    if heartbeat > 0 && heartbeat <= acknowledgement {
        let why = "at a dead node each announcement would catch up with the one before, and start \
                   its wait anew";
        let least = acknowledgement + 1;
        return Err(format!(
            "heartbeat = {heartbeat}: expected at least {least} (or 0, for none): {why}"
        ));
    }
    if let Some(bug) = bug
        && bug.variant() != variant
    {
        let [here, there] = [variant, bug.variant()].map(Variant::name);
        return Err(format!(
            "bug `{}` is one of variant {there}, not of {here}",
            setup.bug.unwrap_or("")
        ));
    }
    // How long a follower may hear nothing from a live leader: an announcement waits at each
    // dead node.
    let silence = heartbeat + (setup.nodes as u64 - 2) * acknowledgement;
    if monitor != 0 && monitor <= silence {
        return Err(format!(
            "monitor = {monitor}: expected more than heartbeat + (nodes - 2) * acknowledgement \
             = {silence}, or a live leader may be suspected for ever, although nothing fails any \
             more"
        ));
    }
    let monitor = if monitor == 0 { silence + 1 } else { monitor };
    let staggered = setup.flag("staggered");
    let nodes = setup.nodes;
    Ok(vec![Ring { nodes, variant, heartbeat, acknowledgement, monitor, staggered, bug }; nodes])
}
