//! A run in the Informal Trace Format of Apalache (its ADR 015), which the tools of Apalache and
//! Quint read.
//!
//! Each state of the file is the state after one step. It has an entry for each node, by name:
//! whether the node is up, its term, the term that it leads, whom it follows, and its whole state
//! as text.

use serde_json::{Value, json};

use crate::election::node_name;
use crate::tell::scene::{NodeView, Scene, View};

/// The whole file, from the state in which checking starts.
pub fn export(scene: &Scene) -> String {
    let start = scene.prefix.checked_sub(1).map_or(&scene.origin, |last| &scene.frames[last].after);
    let mut states = vec![one(0, "", start)];
    for (i, frame) in scene.frames[scene.prefix..].iter().enumerate() {
        states.push(one(i + 1, &frame.name, &frame.after));
    }
    let mut trace = json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "description": format!("a run of {}", scene.protocol),
        },
        "vars": ["step", "nodes", "network"],
        "states": states,
    });
    // The states from there on are those of the lap; after the last the run goes on with the first
    // of them.
    if let Some(cycle) = scene.cycle {
        trace["loop"] = json!(cycle + 1 - scene.prefix);
    }
    serde_json::to_string_pretty(&trace).expect("a trace is plain data") + "\n"
}

fn one(index: usize, step: &str, view: &View) -> Value {
    let node = |(i, node): (usize, &NodeView)| {
        json!([node_name(i.into()), {
            "up": node.is_up,
            "term": optional(node.term.map(number)),
            "leads": optional(node.leads.map(number)),
            "follows": optional(node.follows.map(|leader| json!(node_name(leader.into())))),
            "state": node.state.as_deref().unwrap_or_default(),
            "disk": node.disk.as_deref().unwrap_or_default(),
        }])
    };
    let nodes: Vec<Value> = view.nodes.iter().enumerate().map(node).collect();
    json!({
        "#meta": { "index": index },
        "step": step,
        "nodes": { "#map": nodes },
        "network": view.network,
    })
}

fn number(n: u64) -> Value {
    json!({ "#bigint": n.to_string() })
}

/// An optional value in the form that Quint uses.
fn optional(value: Option<Value>) -> Value {
    match value {
        Some(value) => json!({ "tag": "Some", "value": value }),
        None => json!({ "tag": "None", "value": { "#tup": [] } }),
    }
}
