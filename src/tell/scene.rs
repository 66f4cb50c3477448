//! What happened in a run, as data. Everything that shows a run is made from a [`Scene`]: the plain
//! text, files for other tools, the Explorer's description of a step.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use stateright::actor::Id;

use crate::election::{Election, Term};
use crate::semantics::names;
use crate::semantics::network::{Network, NetworkKind};
use crate::semantics::node::NodeOf;
use crate::semantics::{Step, StepKind, StepOf, System, SystemState};
use crate::tell::debug::node_changes;
use crate::tell::flight::{Flight, Sent, copies, counted, difference, sent, together};
use crate::tell::links;
use crate::tell::narration::{Happened, narrate};

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
    /// The frame with which a cycle begins that goes on for ever with the first frame after the
    /// last; `None` if the run just ends.
    pub cycle: Option<usize>,
    /// The messages in flight in the very first state.
    pub sent_at_start: Vec<Sent>,
    /// Whether a message that was delivered may be delivered again.
    pub redelivers: bool,
    /// The terms that occur, each under the name that the protocol has for it; none where terms
    /// have no numbers.
    pub terms: BTreeMap<u64, String>,
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
    /// The messages that were sent and added nothing to those in flight: they could have no effect
    /// any more, or an equal one was in flight where equal ones are one.
    pub sent_in_vain: Vec<Sent>,
    /// The messages that were in flight before the step and, though they were neither delivered nor
    /// lost by a fault, are not after it: they could not arrive, or can have no effect any more.
    pub gone: Vec<Flight>,
    /// The term of the node when its handler ended, even if it crashed before that.
    pub term: Option<u64>,
    /// What happened, in the protocol's own words.
    pub told: String,
    /// The state afterwards.
    pub after: View,
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
    /// The name of the topology in force.
    pub topology: String,
    /// The directed links that are down, as sender and receiver.
    pub cut: Vec<(usize, usize)>,
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
        let sent_at_start = sent(&Network::new(system.rules.network), &state.in_flight());
        let mut lost: Vec<_> = state.nodes.iter().map(|node| node.state.clone()).collect();
        let mut frames = Vec::new();
        for step in system.prefix.iter().chain(steps) {
            let next = system.take(&state, step).expect("a run that was found can be taken");
            frames.push(Frame::remembering(system, &state, step, &next, &lost));
            for (lost, node) in lost.iter_mut().zip(&next.nodes) {
                if node.is_up() {
                    *lost = node.state.clone();
                }
            }
            state = next;
        }
        let about = E::about();
        let (protocol, has_terms) = (about.title, about.has_terms);
        let mut scene = Scene {
            protocol,
            has_terms,
            origin,
            frames,
            prefix: system.prefix.len(),
            cycle: None,
            sent_at_start,
            redelivers: system.rules.network == NetworkKind::Duplicating,
            terms: BTreeMap::new(),
        };
        scene.name_terms::<E>();
        scene
    }

    /// The scene of a run whose last `lap` steps are taken again and again.
    ///
    /// # Panics
    /// One of the steps cannot be taken.
    pub fn repeating<E: Election>(system: &System<E>, steps: &[StepOf<E>], lap: usize) -> Self {
        let scene = Scene::new(system, steps);
        let cycle = scene.frames.len().checked_sub(lap).filter(|_| lap > 0);
        Scene { cycle, ..scene }
    }

    fn name_terms<E: Election>(&mut self) {
        if !self.has_terms {
            return;
        }
        let nodes = self.origin.nodes.len();
        let views = [&self.origin].into_iter().chain(self.frames.iter().map(|frame| &frame.after));
        let of_nodes =
            views.flat_map(|view| &view.nodes).flat_map(|node| [node.term, node.leads]).flatten();
        let terms = of_nodes.chain(self.frames.iter().filter_map(|frame| frame.term));
        self.terms = terms.map(|term| (term, E::term_name(Term(term), nodes))).collect();
    }

    /// The state before a frame.
    pub fn before(&self, frame: usize) -> &View {
        frame.checked_sub(1).map_or(&self.origin, |last| &self.frames[last].after)
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
        Frame::remembering(system, before, step, after, &[])
    }

    /// The same, given the last state of each node in which it was up.
    fn remembering<E: Election>(
        system: &System<E>,
        before: &SystemState<E>,
        step: &StepOf<E>,
        after: &SystemState<E>,
        lost: &[Option<Arc<E::State>>],
    ) -> Self {
        let message = message::<E>(step);
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
        let happened = Happened::new(system, before, step, after, lost);
        let mut left = copies(&before.in_flight());
        let is_used_up = match step.cause() {
            Step::Deliver { .. } => system.rules.network != NetworkKind::Duplicating,
            Step::Lose { .. } => true,
            _ => false,
        };
        if let (Some(copies), true) = (message.as_ref().and_then(|m| left.get_mut(m)), is_used_up) {
            *copies -= 1;
        }
        let now = copies(&after.in_flight());
        let gone = difference(&now, &left);
        let told = narrate(&happened, &gone);
        let sent = difference(&left, &now);
        let in_vain = difference(&counted(sent.clone()), &counted(happened.flights()));
        Frame {
            name: system.name(step),
            kind: step.kind(),
            node: step.node().map(usize::from),
            message,
            changes: (0..after.nodes.len()).filter_map(change).collect(),
            sent: together(sent),
            sent_in_vain: together(in_vain),
            gone,
            term: happened.term(),
            told,
            after: View::new(system, after),
        }
    }
}

impl View {
    fn new<E: Election>(system: &System<E>, state: &SystemState<E>) -> Self {
        let node = |(i, node): (usize, &Arc<NodeOf<E>>)| {
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
        let topology = &system.rules.topologies[usize::from(state.world.topology)];
        View {
            nodes: state.nodes.iter().enumerate().map(node).collect(),
            network: names::value(&state.in_flight()),
            topology: topology.name.clone(),
            cut: links::cut(topology, state.nodes.len()),
        }
    }
}

/// The message that a step delivers, loses or duplicates.
fn message<E: Election>(step: &StepOf<E>) -> Option<Flight> {
    match step.cause() {
        Step::Deliver { src, dst, msg }
        | Step::Lose { src, dst, msg }
        | Step::Duplicate { src, dst, msg } => {
            Some(Flight { src: (*src).into(), dst: (*dst).into(), text: names::value(msg) })
        }
        _ => None,
    }
}
