//! A step in plain sentences: the protocol's own words where it has any, general ones elsewhere.

use std::sync::Arc;

use stateright::actor::Id;

use crate::election::{Deed, Election, Found, listed, node_name, nodes_listed};
use crate::semantics::node::{self, Disk, NodeOf};
use crate::semantics::{Step, StepOf, System, SystemState, event, names};
use crate::tell::flight::Flight;
use crate::tell::links;

/// A step, with what its handler did.
pub(super) struct Happened<'a, E: Election> {
    system: &'a System<E>,
    step: &'a StepOf<E>,
    before: &'a SystemState<E>,
    after: &'a SystemState<E>,
    /// The node at which it happened, as the handler left it or would have left it.
    done: Option<NodeOf<E>>,
    sends: Vec<(Id, E::Msg)>,
    /// How many sends and saves the whole handler makes.
    effects: usize,
    /// The last state in which the node was up.
    lost: Option<Arc<E::State>>,
}

impl<'a, E: Election> Happened<'a, E> {
    /// A step between two states, given the last state of each node in which it was up.
    pub(super) fn new(
        system: &'a System<E>,
        before: &'a SystemState<E>,
        step: &'a StepOf<E>,
        after: &'a SystemState<E>,
        lost: &[Option<Arc<E::State>>],
    ) -> Self {
        let whole = system.reaction_if_any(before, step.cause());
        let effects = whole.as_ref().map_or(0, |whole| whole.effects.len());
        let happened = match step {
            Step::Torn { effects, .. } => *effects,
            _ => effects,
        };
        let sends = whole.as_ref().map(|whole| node::sends(&whole.effects[..happened]));
        let lost = step.node().and_then(|id| lost.get(usize::from(id)).cloned().flatten());
        let (done, sends) = (whole.map(|whole| whole.node), sends.unwrap_or_default());
        Happened { system, step, before, after, done, sends, effects, lost }
    }

    /// The term of the node when its handler ended, even if it crashed before that.
    pub(super) fn term(&self) -> Option<u64> {
        let id = usize::from(self.step.node()?);
        let node = self.done.as_ref().unwrap_or(&self.after.nodes[id]);
        node.state.as_deref().map(|state| self.system.actors[id].term(state).0)
    }

    /// Whether the node has anything on a disk.
    fn has_disk(&self) -> bool {
        let node = self.step.node().map(|id| &self.before.nodes[usize::from(id)]);
        node.is_some_and(|node| node.storage.is_some())
    }

    /// What the node did, as clauses whose subject is the node.
    fn clauses(&self) -> Vec<String> {
        let (Some(id), Some(done)) = (self.step.node(), &self.done) else { return Vec::new() };
        let before = &self.before.nodes[usize::from(id)];
        let cause = self.step.cause();
        let found = match cause {
            Step::Restart { disk: Disk::Empty, .. } => Found::Nothing,
            Step::Restart { disk: Disk::Older, .. } => Found::Older,
            _ => Found::Everything,
        };
        let step = self.system.node_step(id, (before, event(cause), done), &self.sends, None);
        let lost = self.lost.as_deref().filter(|_| matches!(cause, Step::Restart { .. }));
        let told = E::tell(&Deed { step, lost, found, nodes: self.after.nodes.len() });
        if told.is_empty() { self.in_general(before, done) } else { told }
    }

    /// The same in words that fit any protocol.
    fn in_general(&self, before: &NodeOf<E>, done: &NodeOf<E>) -> Vec<String> {
        let id = self.step.node().expect("a step of one node");
        let mut clauses = match self.step.cause() {
            Step::Deliver { src, msg, .. } => {
                vec![format!("receives {} from {}", names::kind(msg), node_name(*src))]
            }
            Step::Timeout { timer, .. } => {
                vec![format!("waits no longer for its timer {}", names::kind(timer))]
            }
            Step::Choose { key, value, .. } => {
                vec![format!("is given {key}: {}", names::value(value))]
            }
            _ => Vec::new(),
        };
        let leads = |node: &NodeOf<E>| {
            let state = node.state.as_deref()?;
            self.system.actors[usize::from(id)].leads(id, state)
        };
        match (leads(before), leads(done)) {
            (old, Some(term)) if old != Some(term) && E::about().has_terms => {
                clauses.push(format!("leads {}", E::term_name(term, self.after.nodes.len())));
            }
            (None, Some(_)) => clauses.push("leads".to_string()),
            (Some(_), None) if done.is_up() => clauses.push("leads no more".to_string()),
            _ => {}
        }
        let mut kinds: Vec<(String, Vec<Id>)> = Vec::new();
        for (dst, msg) in &self.sends {
            let kind = names::kind(msg);
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, to)) => to.push(*dst),
                None => kinds.push((kind, vec![*dst])),
            }
        }
        let sent = |(kind, to): (String, Vec<Id>)| format!("sends {kind} to {}", nodes_listed(to));
        clauses.extend(kinds.into_iter().map(sent));
        if clauses.len() == 1 && before.state == done.state && before.storage == done.storage {
            clauses.push("does nothing about it".to_string());
        }
        clauses
    }
}

/// The step in a sentence or two. `gone` are messages that nobody will receive any more.
pub(super) fn narrate<E: Election>(happened: &Happened<'_, E>, gone: &[Flight]) -> String {
    let step = happened.step;
    let node = step.node().map(node_name).unwrap_or_default();
    let sentence = |clauses: &[String]| sentences(&node, clauses);
    match step {
        Step::Deliver { .. } | Step::Timeout { .. } | Step::Choose { .. } => {
            sentence(&happened.clauses())
        }
        Step::Restart { disk, .. } => {
            let how = match disk {
                Disk::Intact if happened.has_disk() => "restarts with what is on its disk",
                Disk::Intact => "restarts",
                Disk::Empty => "restarts; its disk is empty",
                Disk::Older => "restarts; the last save had not reached its disk",
            };
            let clauses = happened.clauses();
            let more = if clauses.is_empty() { String::new() } else { sentences("It", &clauses) };
            format!("{node} {how}. {more}").trim_end().to_string()
        }
        Step::Torn { effects: 0, .. } => {
            let what = names::step(step.cause(), &happened.system.rules.topologies);
            format!("{node} crashes before it has saved or sent anything ({what}).")
        }
        Step::Torn { effects, .. } => format!(
            "{} In the middle of it, after {effects} of {} saves and messages, it crashes.",
            sentence(&happened.clauses()),
            happened.effects
        ),
        Step::Crash { .. } => format!("{node} crashes and forgets all that is not on a disk."),
        Step::Lose { src, dst, msg } => format!(
            "The network loses {} from {} to {}.",
            names::kind(msg),
            node_name(*src),
            node_name(*dst)
        ),
        Step::Duplicate { src, dst, msg } => format!(
            "The network makes a second copy of {} from {} to {}.",
            names::kind(msg),
            node_name(*src),
            node_name(*dst)
        ),
        Step::Switch { topology } => {
            let links = &happened.system.rules.topologies[usize::from(*topology)];
            links::sentence(&links::cut(links, happened.after.nodes.len()))
        }
        Step::Stabilise { .. } => {
            "From now on nothing fails, messages arrive in time and timers keep time.".to_string()
        }
        Step::Tick if gone.is_empty() => "Time passes.".to_string(),
        Step::Tick => format!("Time passes. {}", could_not_arrive(gone)),
    }
}

/// Clauses as sentences. Short ones share a sentence; one that has parts of its own stands alone.
fn sentences(node: &str, clauses: &[String]) -> String {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    let mut is_open = false;
    for clause in clauses {
        let is_long = clause.contains([',', ':']);
        match groups.last_mut() {
            Some(group) if is_open && !is_long => group.push(clause),
            _ => groups.push(vec![clause]),
        }
        is_open = !is_long && !clause.contains(" and ");
    }
    let sentence = |(i, group): (usize, &Vec<&str>)| {
        let subject = if i == 0 { node } else { "It" };
        format!("{subject} {}.", listed(group))
    };
    groups.iter().enumerate().map(sentence).collect::<Vec<_>>().join(" ")
}

/// Which messages a tick has lost.
fn could_not_arrive(gone: &[Flight]) -> String {
    let mut pairs: Vec<String> = gone.iter().map(between).collect();
    pairs.dedup();
    let (what, is) = if gone.len() == 1 { ("A message", "is") } else { ("Messages", "are") };
    format!("{what} {} that could not arrive {is} lost.", listed(&pairs))
}

fn between(flight: &Flight) -> String {
    format!("from {} to {}", node_name(flight.src.into()), node_name(flight.dst.into()))
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[test]
    fn short_clauses_share_a_sentence_and_long_ones_do_not() {
        let told = |clauses: &[&str]| {
            sentences("n1", &clauses.iter().map(|clause| clause.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(
            told(&["stands", "votes", "asks n2 and n3"]),
            "n1 stands, votes and asks n2 and n3."
        );
        assert_eq!(
            told(&["hears of term 2 and steps down", "votes"]),
            "n1 hears of term 2 and steps down. It votes."
        );
        assert_eq!(
            told(&["hears n2", "follows n2, the leader", "answers"]),
            "n1 hears n2. It follows n2, the leader. It answers."
        );
    }
}
