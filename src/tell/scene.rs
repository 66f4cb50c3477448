//! What happened in a run, as data. Everything that shows a run is made from a [`Scene`]: the plain
//! text, files for other tools, the Explorer's description of a step.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use stateright::actor::Id;

use crate::election::Election;
use crate::semantics::names;
use crate::semantics::network::Network;
use crate::semantics::node::NodeOf;
use crate::semantics::{Step, StepKind, StepOf, System, SystemState};
use crate::tell::debug::compare;

/// A run from the system's very first state on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scene {
    /// The title of the protocol.
    pub protocol: &'static str,
    /// Whether leaders lead numbered terms.
    pub has_terms: bool,
    /// The very first state.
    pub origin: View,
    /// One frame for each step.
    pub frames: Vec<Frame>,
    /// How many of the frames come before the state in which checking starts.
    pub prefix: usize,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// The step by name: see [`crate::semantics::names`].
    pub name: String,
    /// Its kind.
    pub kind: StepKind,
    /// The node at which it happened, if it happened at one.
    pub node: Option<usize>,
    /// The message that was delivered, lost or duplicated.
    pub message: Option<Flight>,
    /// The changes at nodes, ordered by node. Nodes without changes are left out.
    pub changes: Vec<Change>,
    /// The messages that are in flight after the step and were not before.
    pub sent: Vec<Sent>,
    /// The state afterwards.
    pub after: View,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Flight {
    /// Who sent it.
    pub src: usize,
    /// The receiver.
    pub dst: usize,
    /// The message as text.
    pub text: String,
}

/// One message to several nodes. A node is listed once for each copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Who sent it.
    pub src: usize,
    /// The message as text.
    pub text: String,
    /// The receivers.
    pub to: Vec<usize>,
}

/// What a step changed at one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which node.
    pub node: usize,
    /// The changed fields, such as `term: 1 -> 2`.
    pub parts: Vec<String>,
    /// What the node leads now, if that changed.
    pub reign: Option<Reign>,
}

/// How it changed what a node leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Reign {
    /// It leads this term from now on (always the same number where terms have none).
    Begins(u64),
    /// It leads no more.
    Ends,
}

/// A state of the system as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// The nodes, by identifier.
    pub nodes: Vec<NodeView>,
    /// What is in flight, as text.
    pub network: String,
}

/// A node as it is shown. A node that is down has only a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeView {
    /// Whether it is up.
    pub is_up: bool,
    /// The term that it has reached.
    pub term: Option<u64>,
    /// The term that it leads.
    pub leads: Option<u64>,
    /// Whom it follows.
    pub follows: Option<usize>,
    /// Its whole state as text.
    pub state: Option<String>,
    /// What it saved last, as text.
    pub disk: Option<String>,
}

impl Scene {
    /// The scene of a system's prefix, followed by these steps.
    ///
    /// # Panics
    /// One of the steps cannot be taken.
    pub fn new<E: Election>(system: &System<E>, steps: &[StepOf<E>]) -> Self {
        let mut state = system.origin();
        let origin = View::new(system, &state);
        let mut frames = Vec::new();
        for step in system.prefix.iter().chain(steps) {
            let next = system.take(&state, step).expect("a run that was found can be taken");
            frames.push(Frame::new(system, &state, step, &next));
            state = next;
        }
        let about = E::about();
        let (protocol, has_terms) = (about.title, about.has_terms);
        Scene { protocol, has_terms, origin, frames, prefix: system.prefix.len() }
    }
}

impl Frame {
    /// A step between two states.
    pub fn new<E: Election>(
        system: &System<E>,
        before: &SystemState<E>,
        step: &StepOf<E>,
        after: &SystemState<E>,
    ) -> Self {
        let message = match step.cause() {
            Step::Deliver { src, dst, msg }
            | Step::Lose { src, dst, msg }
            | Step::Duplicate { src, dst, msg } => {
                Some(Flight { src: (*src).into(), dst: (*dst).into(), text: names::value(msg) })
            }
            _ => None,
        };
        let leads = |state: &SystemState<E>, node: usize| {
            let up = state.nodes[node].state.as_deref()?;
            system.actors[node].leads(Id::from(node), up).map(|term| term.0)
        };
        let change = |node: usize| {
            let parts = node_changes::<E>(&before.nodes[node], &after.nodes[node]);
            let reign = match (leads(before, node), leads(after, node)) {
                (old, Some(term)) if old != Some(term) => Some(Reign::Begins(term)),
                (Some(_), None) => Some(Reign::Ends),
                _ => None,
            };
            (!parts.is_empty() || reign.is_some()).then_some(Change { node, parts, reign })
        };
        Frame {
            name: system.name(step),
            kind: step.kind(),
            node: step.node().map(usize::from),
            message,
            changes: (0..after.nodes.len()).filter_map(change).collect(),
            sent: sent(&before.in_flight(), &after.in_flight()),
            after: View::new(system, after),
        }
    }
}

impl View {
    fn new<E: Election>(system: &System<E>, state: &SystemState<E>) -> Self {
        let node = |(i, node): (usize, &std::sync::Arc<NodeOf<E>>)| {
            let (actor, id, up) = (&system.actors[i], Id::from(i), node.state.as_deref());
            NodeView {
                is_up: node.is_up(),
                term: up.map(|state| actor.term(state).0),
                leads: up.and_then(|state| actor.leads(id, state)).map(|term| term.0),
                follows: up
                    .and_then(|state| actor.follows(id, state))
                    .map(|(_, leader)| leader.into()),
                state: up.map(names::value),
                disk: node.storage.as_ref().map(names::value),
            }
        };
        View {
            nodes: state.nodes.iter().enumerate().map(node).collect(),
            network: names::value(&state.in_flight()),
        }
    }
}

fn node_changes<E: Election>(old: &NodeOf<E>, new: &NodeOf<E>) -> Vec<String> {
    let mut parts = Vec::new();
    match (&old.state, &new.state) {
        (Some(old), Some(new)) if old != new => {
            compare("", &names::value(old), &names::value(new), &mut parts)
        }
        (Some(_), None) => parts.push("down".to_string()),
        (None, Some(state)) => {
            parts.push(format!("up as {}", names::value(state)));
            // The state in which it starts may differ from what is on its disk, so the disk is
            // shown, too.
            if let (Some(disk), true) = (&new.storage, old.storage == new.storage) {
                parts.push(format!("with {} on disk", names::value(disk)));
            }
        }
        _ => {}
    }
    if old.storage != new.storage {
        let text =
            |node: &NodeOf<E>| node.storage.as_ref().map_or("empty".to_string(), names::value);
        compare("disk", &text(old), &text(new), &mut parts);
    }
    parts
}

/// The messages that are in flight after a step and were not before, ordered by sender, then text.
fn sent<M: Ord + Clone + Debug>(before: &Network<M>, after: &Network<M>) -> Vec<Sent> {
    let (before, after) = (copies(before), copies(after));
    let mut sent: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (Flight { src, dst, text }, n) in &after {
        let flight = Flight { src: *src, dst: *dst, text: text.clone() };
        for _ in *before.get(&flight).unwrap_or(&0)..*n {
            sent.entry((*src, text)).or_default().push(*dst);
        }
    }
    sent.into_iter().map(|((src, text), to)| Sent { src, text: text.to_string(), to }).collect()
}

/// The messages in flight by name, with how often each is there.
fn copies<M: Ord + Clone + Debug>(network: &Network<M>) -> BTreeMap<Flight, u32> {
    let mut copies = BTreeMap::new();
    let mut count = |src: Id, dst: Id, msg: &M, n| {
        let flight = Flight { src: src.into(), dst: dst.into(), text: names::value(msg) };
        *copies.entry(flight).or_insert(0) += n
    };
    match network {
        Network::Unordered(bag) => bag.iter().for_each(|(e, n)| count(e.src, e.dst, &e.msg, *n)),
        Network::Duplicating(set) => set.iter().for_each(|e| count(e.src, e.dst, &e.msg, 1)),
        Network::Ordered(flows) => {
            for ((src, dst), queue) in flows {
                queue.iter().for_each(|msg| count(*src, *dst, msg, 1));
            }
        }
    }
    copies
}
