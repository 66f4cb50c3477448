//! A run in the Informal Trace Format of Apalache (its ADR 015), which the tools of Apalache and Quint read.
//!
//! One state of the file is the state after one step. Nodes are given by name: whether each is up, its term, what it
//! leads, whom it follows, and its whole state as text.

use serde_json::{Value, json};

use crate::election::{Election, node_name};
use crate::semantics::names;
use crate::semantics::{StepOf, System, SystemState};

/// The whole file, from the state in which checking starts.
pub fn export<E: Election>(system: &System<E>, steps: &[StepOf<E>]) -> String {
    let mut state = system.initial();
    let mut states = vec![one(system, 0, "", &state)];
    for (i, step) in steps.iter().enumerate() {
        state = system.apply(&state, step).expect("a run that was found can be taken");
        states.push(one(system, i + 1, &system.name(step), &state));
    }
    let trace = json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "description": format!("a run of {}", E::about().title),
        },
        "vars": ["step", "nodes", "network"],
        "states": states,
    });
    serde_json::to_string_pretty(&trace).expect("a trace is plain data") + "\n"
}

fn one<E: Election>(system: &System<E>, index: usize, step: &str, state: &SystemState<E>) -> Value {
    let node = |i: usize| {
        let (node, id) = (&state.nodes[i], i.into());
        let of = |f: &dyn Fn(&E, &E::State) -> Value| {
            node.state.as_deref().map_or(absent(), |state| f(&system.actors[i], state))
        };
        json!([node_name(id), {
            "up": node.is_up(),
            "term": of(&|actor, state| some(number(actor.term(state).0))),
            "leads": of(&|actor, state| actor.leads(id, state).map_or(absent(), |term| some(number(term.0)))),
            "follows": of(&|actor, state| {
                actor.follows(id, state).map_or(absent(), |(_, leader)| some(json!(node_name(leader))))
            }),
            "state": node.state.as_ref().map_or(String::new(), names::value),
            "disk": node.storage.as_ref().map_or(String::new(), names::value),
        }])
    };
    let nodes: Vec<Value> = (0..state.nodes.len()).map(node).collect();
    json!({
        "#meta": { "index": index },
        "step": step,
        "nodes": { "#map": nodes },
        "network": names::value(&state.network),
    })
}

fn number(n: u64) -> Value {
    json!({ "#bigint": n.to_string() })
}

/// Optional values as Quint has them.
fn some(value: Value) -> Value {
    json!({ "tag": "Some", "value": value })
}

fn absent() -> Value {
    json!({ "tag": "None", "value": { "#tup": [] } })
}
