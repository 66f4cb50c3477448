//! A step in plain sentences: the protocol's own words where it has any, general ones elsewhere.

use std::sync::Arc;

use stateright::actor::Id;

use crate::election::{Deed, Election, Found, kind, listed, node_name, nodes_listed};
use crate::semantics::node::{self, Disk, Effect, NodeOf, Reaction};
use crate::semantics::{Step, StepOf, System, SystemState, event, names};
use crate::tell::by_the_rule;
use crate::tell::flight::Flight;
use crate::tell::links;
use crate::tell::prose::sentences;

/// A step, with what its handler did.
pub(super) struct Happened<'a, E: Election> {
    system: &'a System<E>,
    step: &'a StepOf<E>,
    before: &'a SystemState<E>,
    after: &'a SystemState<E>,
    /// What the whole handler does, or would have done.
    whole: Option<Reaction<E>>,
    /// The same by the rule, if a planted bug made a difference.
    rightly: Option<Reaction<E>>,
    sends: Vec<(Id, E::Msg)>,
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
        let happened = |whole: &Reaction<E>| match step {
            Step::Torn { effects, .. } => *effects,
            _ => whole.effects.len(),
        };
        let sends = whole.as_ref().map(|whole| node::sends(&whole.effects[..happened(whole)]));
        let lost = step.node().and_then(|id| lost.get(usize::from(id)).cloned().flatten());
        let rightly = step.node().zip(whole.as_ref()).and_then(|(id, whole)| {
            system.without_bug(id, &before.nodes[usize::from(id)], step.cause(), whole)
        });
        let sends = sends.unwrap_or_default();
        Happened { system, step, before, after, whole, rightly, sends, lost }
    }

    /// The term of the node when its handler ended, even if it crashed before that.
    pub(super) fn term(&self) -> Option<u64> {
        let id = usize::from(self.step.node()?);
        let node = self.whole.as_ref().map_or(&*self.after.nodes[id], |whole| &whole.node);
        node.state.as_deref().map(|state| self.system.actors[id].term(state).0)
    }

    /// The messages that the handler sent, even those that were never in flight.
    pub(super) fn flights(&self) -> Vec<Flight> {
        let Some(src) = self.step.node().map(usize::from) else { return Vec::new() };
        let flight =
            |(dst, msg): &(Id, E::Msg)| Flight { src, dst: (*dst).into(), text: names::value(msg) };
        self.sends.iter().map(flight).collect()
    }

    /// Whether the node has anything on a disk.
    fn has_disk(&self) -> bool {
        let node = self.step.node().map(|id| &self.before.nodes[usize::from(id)]);
        node.is_some_and(|node| node.storage.is_some())
    }

    /// What the node did, as clauses whose subject is the node.
    fn clauses(&self) -> Vec<String> {
        let whole = self.whole.as_ref();
        whole.map_or(Vec::new(), |whole| self.clauses_of(&whole.node, &self.sends))
    }

    /// What the node would have done by the rule, if a planted bug made a difference.
    fn by_the_rule(&self) -> Option<String> {
        let (done, clean) = (self.whole.as_ref()?, self.rightly.as_ref()?);
        let of = |whole: &Reaction<E>| self.clauses_of(&whole.node, &node::sends(&whole.effects));
        let instead = self.system.planted.map(|bug| bug.instead);
        Some(by_the_rule::tell(&node_name(self.step.node()?), instead, &of(done), &of(clean)))
    }

    /// What the node did, if its handler left it like this.
    fn clauses_of(&self, done: &NodeOf<E>, sends: &[(Id, E::Msg)]) -> Vec<String> {
        let Some(id) = self.step.node() else { return Vec::new() };
        let before = &self.before.nodes[usize::from(id)];
        let cause = self.step.cause();
        let found = match cause {
            Step::Restart { disk: Disk::Empty, .. } => Found::Nothing,
            Step::Restart { disk: Disk::Older, .. } => Found::Older,
            _ => Found::Everything,
        };
        let cut_short = done.state.as_deref().filter(|_| matches!(self.step, Step::Torn { .. }));
        let step = self.system.node_step(id, (before, event(cause), done), sends, cut_short);
        let lost = self.lost.as_deref().filter(|_| matches!(cause, Step::Restart { .. }));
        let states = self.before.nodes.iter().map(|node| node.state.as_deref()).collect();
        let (nodes, past) = (self.after.nodes.len(), &self.before.world.witness);
        let told = E::tell(&Deed { step, lost, found, nodes, past, states });
        if told.is_empty() { self.in_general(before, done, sends) } else { told }
    }

    /// The same in words that fit any protocol.
    fn in_general(
        &self,
        before: &NodeOf<E>,
        done: &NodeOf<E>,
        sends: &[(Id, E::Msg)],
    ) -> Vec<String> {
        let id = self.step.node().expect("a step of one node");
        let mut clauses = match self.step.cause() {
            Step::Deliver { src, msg, .. } => {
                vec![format!("receives {} from {}", kind(msg), node_name(*src))]
            }
            Step::Timeout { timer, .. } => {
                vec![format!("waits no longer for its timer {}", kind(timer))]
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
        let kinds = by_kind::<E>(sends.iter().map(|(dst, msg)| (*dst, msg)));
        let sent = |(kind, to): (String, Vec<Id>)| format!("sends {kind} to {}", nodes_listed(to));
        clauses.extend(kinds.into_iter().map(sent));
        if clauses.len() == 1 && before.state == done.state && before.storage == done.storage {
            clauses.push("does nothing about it".to_string());
        }
        clauses
    }
}

/// Messages to nodes, by what kind of message they are.
fn by_kind<'m, E: Election>(sends: impl Iterator<Item = (Id, &'m E::Msg)>) -> Vec<(String, Vec<Id>)>
where
    E::Msg: 'm,
{
    let mut kinds: Vec<(String, Vec<Id>)> = Vec::new();
    for (dst, msg) in sends {
        let kind = kind(msg);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, to)) => to.push(dst),
            None => kinds.push((kind, vec![dst])),
        }
    }
    kinds
}

/// What was written and sent, in the words that follow `it has`.
fn effects_in_words<E: Election>(effects: &[Effect<E::Msg, E::Storage>]) -> String {
    let is_send = |effect: &&Effect<E::Msg, E::Storage>| matches!(effect, Effect::Send(..));
    let saves = effects.iter().filter(|effect| !is_send(effect)).count();
    let sends = effects.iter().filter_map(|effect| match effect {
        Effect::Send(dst, msg) => Some((*dst, msg)),
        Effect::Save(_) => None,
    });
    let sent = |(kind, to): (String, Vec<Id>)| format!("sent {kind} to {}", nodes_listed(to));
    let saved = match saves {
        0 => None,
        1 => Some("made one save".to_string()),
        _ => Some(format!("made {saves} saves")),
    };
    listed(&saved.into_iter().chain(by_kind::<E>(sends).into_iter().map(sent)).collect::<Vec<_>>())
}

/// The step in a sentence or two; if a planted bug made a difference, also what would have been
/// right. `gone` are messages that nobody will receive any more.
pub(super) fn narrate<E: Election>(happened: &Happened<'_, E>, gone: &[Flight]) -> String {
    let told = what_happened(happened, gone);
    match happened.by_the_rule() {
        Some(rule) => format!("{told} {rule}").trim_end().to_string(),
        None => told,
    }
}

fn what_happened<E: Election>(happened: &Happened<'_, E>, gone: &[Flight]) -> String {
    let step = happened.step;
    let node = step.node().map(node_name).unwrap_or_default();
    let sentence = |clauses: &[String]| sentences(&node, clauses);
    match step {
        Step::Deliver { .. } | Step::Timeout { .. } | Step::Choose { .. } => {
            sentence(&happened.clauses())
        }
        Step::Restart { disk, .. } => {
            let how = match disk {
                Disk::Intact if happened.has_disk() => "restarts; its disk is intact",
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
        Step::Torn { effects, .. } => {
            let whole = happened.whole.as_ref().map_or(&[][..], |whole| &whole.effects);
            let (done, open) = whole.split_at(*effects);
            format!(
                "{node} crashes in the middle of a step. The whole step: {} When it crashes, it \
                 has {}; it has not yet {}.",
                sentences("it", &happened.clauses()),
                effects_in_words::<E>(done),
                effects_in_words::<E>(open)
            )
        }
        Step::Crash { .. } => format!("{node} crashes and forgets all that is not on a disk."),
        Step::Lose { src, dst, msg } => format!(
            "The network loses {} from {} to {}.",
            kind(msg),
            node_name(*src),
            node_name(*dst)
        ),
        Step::Duplicate { src, dst, msg } => format!(
            "The network makes a second copy of {} from {} to {}.",
            kind(msg),
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
