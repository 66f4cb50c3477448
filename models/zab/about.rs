//! Describes Zab (sources, options, corpus), and builds an ensemble from options.

use super::Zab;
use super::bugs::Bug;
use crate::election::{About, OptionSpec, Setup, Value};

/// The description of Zab.
pub(super) static ABOUT: About = About {
    name: "zab",
    title: "Zab",
    source: "Junqueira, Reed, Serafini: Zab: High-performance broadcast for primary-backup systems, DSN 2011; phase 0 \
             is Fast Leader Election of ZooKeeper 3.4 and later",
    has_terms: true,
    starts_led: false,
    notation: &[
        ("2.1", "a zxid: the first transaction of epoch 2"),
        ("2.1:3", "the transaction 2.1, with the value 3"),
        ("[1.1:1, 2.1:3]", "a history: these transactions, in this order"),
        (
            "oracle",
            "what stands for the election, if that is not modelled: it may name any candidate, \
             and several at once, as no rule after the election relies on there being one",
        ),
    ],
    options: &OPTIONS,
    bugs: Bug::SPECS,
    corpus: include_str!("scenarios.toml"),
};

static OPTIONS: [OptionSpec; 5] = [
    OptionSpec {
        name: "election",
        default: Value::Text("fle"),
        allowed: &["fle", "oracle"],
        help: "fle: Fast Leader Election; oracle: it stands for the election, and tells a \
               server that looks for a leader to lead, or to follow any server: that allows all \
               that an election can end with, and leaves out its messages",
    },
    OptionSpec {
        name: "candidates",
        default: Value::Number(0),
        allowed: &[],
        help: "the oracle names only the first so many servers as leaders; 0: any",
    },
    OptionSpec {
        name: "values",
        default: Value::Number(0),
        allowed: &[],
        help: "how many transactions clients ask for in a whole run; 0 is the election and synchronisation alone",
    },
    OptionSpec {
        name: "pings",
        default: Value::Flag(true),
        allowed: &[],
        help: "send what only the passing of time needs: a leader's pings and their answers, repeated votes, repeated \
               attempts to connect; without, an asynchronous run can do all the rest in fewer states",
    },
    OptionSpec {
        name: "contact",
        default: Value::Number(4),
        allowed: &[],
        help: "ticks, or one more, after which a server goes back to the election if it has heard \
               nothing from its leader, or from no quorum of followers; also the time that a \
               leader has to be established",
    },
];

/// The servers of an ensemble with these options. The error says why there is no such ensemble.
pub(super) fn build(setup: &Setup) -> Result<Vec<Zab>, String> {
    if setup.nodes < 2 {
        let why = "alone, it hears of no vote, never looks at its own, and nobody ever leads";
        return Err(format!("an ensemble needs at least 2 servers: {why}"));
    }
    let candidates = match setup.number("candidates") {
        0 => setup.nodes,
        some if some <= setup.nodes as u64 => some as usize,
        many => return Err(format!("{many} candidates of {} servers", setup.nodes)),
    };
    let values = setup.number("values");
    let contact = setup.number("contact");
    if contact == 0 {
        return Err("contact = 0: a ping needs at least one tick to arrive".to_string());
    }
    let server = Zab {
        count: setup.nodes,
        values: u32::try_from(values).map_err(|_| "too many values".to_string())?,
        oracle: (setup.text("election") == "oracle").then_some(candidates),
        pings: setup.flag("pings"),
        contact,
        bug: setup.bug.and_then(Bug::named),
    };
    Ok(vec![server; setup.nodes])
}
