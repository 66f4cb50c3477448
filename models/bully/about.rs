//! Describes the Bully election (sources, options, corpus), and builds nodes from options.

use super::Bully;
use super::bugs::Bug;
use crate::election::{About, OptionSpec, Setup, Value};

/// An option that is a number of ticks.
const fn ticks(name: &'static str, default: u64, help: &'static str) -> OptionSpec {
    OptionSpec { name, default: Value::Number(default), allowed: &[], help }
}

/// Options, planted bugs and corpus.
pub(super) static ABOUT: About = About {
    name: "bully",
    title: "Bully election",
    source: "H. Garcia-Molina, Elections in a Distributed Computing System, IEEE Transactions on \
             Computers C-31(1), 1982; as taught by Coulouris, Dollimore, Kindberg, Blair \
             (Distributed Systems, 15.3) and Tanenbaum, van Steen",
    has_terms: false,
    starts_led: false,
    notation: &[("n1, n2, n3", "nodes, from the lowest to the highest")],
    options: &[
        OptionSpec {
            name: "announce_to",
            default: Value::Text("all"),
            allowed: &["all", "lower"],
            help: "who is told of a winner: all others (Tanenbaum) or only the lower ones \
                   (Coulouris)",
        },
        OptionSpec {
            name: "quorum",
            default: Value::Text("none"),
            allowed: &["none", "majority"],
            help: "who must accept a winner before it leads: nobody, or a majority of all nodes, \
                   up or down",
        },
        ticks(
            "heartbeat",
            1,
            "ticks between a leader's announcements; 0: it speaks once, and nobody watches it",
        ),
        ticks("answer", 1, "ticks that a node waits for an answer before it leads"),
        ticks("coordinator", 2, "ticks that a node waits for a coordinator once it was answered"),
        ticks("monitor", 2, "ticks of silence after which a leader is taken for dead"),
        ticks("slack", 0, "by how many ticks each of the three waits may be late"),
    ],
    bugs: Bug::SPECS,
    corpus: include_str!("scenarios.toml"),
};

/// The nodes of a system with these options. The error says why there is no such system.
pub(super) fn build(setup: &Setup) -> Result<Vec<Bully>, String> {
    let node = Bully {
        nodes: setup.nodes,
        tells_all: setup.text("announce_to") == "all",
        needs_majority: setup.text("quorum") == "majority",
        heartbeat: setup.number("heartbeat"),
        answer: setup.number("answer"),
        coordinator: setup.number("coordinator"),
        monitor: setup.number("monitor"),
        slack: setup.number("slack"),
        bug: setup.bug.and_then(Bug::named),
    };
    let Bully { heartbeat, answer, coordinator, monitor, slack, .. } = node;
    if answer == 0 {
        return Err("answer = 0: an answer needs at least one tick to arrive".to_string());
    }
    if coordinator <= answer + slack {
        return Err(format!(
            "coordinator = {coordinator}: a node that was answered must wait longer than the \
             answering node's own election takes, which is answer + slack = {}",
            answer + slack
        ));
    }
    if heartbeat > 0 && monitor <= heartbeat.max(answer + slack) {
        return Err(format!(
            "monitor = {monitor}: expected more than heartbeat = {heartbeat} and answer + slack = \
             {}, or a live leader may be suspected for ever, although nothing fails",
            answer + slack
        ));
    }
    Ok(vec![node; setup.nodes])
}
