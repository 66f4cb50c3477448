//! What must hold of Raft: figure 3 of the paper, apart from election safety, which is asked of every protocol. And what
//! of the past must be remembered to ask it.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::log::{Entry, Log};
use super::{Raft, Role, Server};
use crate::election::{Check, Election, Invariant, NodeStep, Term, node_name};

/// The past of a cluster as far as figure 3 speaks of it. It stays empty where there are no client inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// The logs with which leaders began. What they appended later is of their own term.
    elected: BTreeMap<(Term, Id), Log>,
    /// By index: the first entry applied there, and the earliest term in which it is known to have been committed.
    committed: BTreeMap<usize, (Entry, Term)>,
}

pub fn observe(past: &Past, step: &NodeStep<'_, Raft>) -> Option<Past> {
    if step.actor.values == 0 {
        return None;
    }
    let after = step.after?;
    let mut now = past.clone();
    if let Some(term) = step.actor.leads(step.id, after)
        && !leads_on(step)
    {
        now.elected.entry((term, step.id)).or_insert_with(|| after.persistent.log.clone());
    }
    let term = after.persistent.term;
    for (index, entry) in applied(step) {
        let (first, since) = now.committed.entry(index).or_insert((entry, term));
        if *first == entry {
            *since = term.min(*since);
        }
    }
    (now != *past).then_some(now)
}

/// Whether the node led this term before the step already.
fn leads_on(step: &NodeStep<'_, Raft>) -> bool {
    let term = |server: Option<&Server>| server.and_then(|server| step.actor.leads(step.id, server));
    term(step.after).is_some() && term(step.before) == term(step.after)
}

/// The entries that the step applies, each with its index.
fn applied<'a>(step: &'a NodeStep<'_, Raft>) -> impl Iterator<Item = (usize, Entry)> + 'a {
    let before = step.before.map_or(0, |server| server.commit);
    let log = step.after.map_or(&[][..], |server| server.persistent.log.first(server.commit));
    log.iter().enumerate().map(|(i, entry)| (i + 1, *entry)).filter(move |(index, _)| *index > before)
}

pub fn invariants() -> Vec<Invariant<Raft>> {
    vec![
        Invariant::new(
            "state-machine-safety",
            "no two servers ever apply different entries at one index (figure 3, 5.4.3)",
            Check::Step(state_machine_safety),
        ),
        Invariant::new(
            "leader-completeness",
            "an entry committed in a term is in the logs of the leaders of all higher terms, past ones included \
                      (figure 3, 5.4)",
            Check::Witness(leader_completeness),
        ),
        Invariant::new(
            "log-matching",
            "logs with an entry of equal index and term are equal up to that index (figure 3, 5.3)",
            Check::Pair(log_matching),
        ),
        Invariant::new(
            "leader-append-only",
            "a leader never overwrites or deletes entries of its log (figure 3, 5.3)",
            Check::Step(leader_append_only),
        ),
    ]
}

fn state_machine_safety(past: &Past, step: &NodeStep<'_, Raft>) -> Result<(), String> {
    for (index, entry) in applied(step) {
        if let Some((first, _)) = past.committed.get(&index)
            && *first != entry
        {
            let node = node_name(step.id);
            return Err(format!(
                "{node} applied {entry:?} at index {index}, where {first:?} was applied before"
            ));
        }
    }
    Ok(())
}

fn leader_completeness(past: &Past) -> Result<(), String> {
    for (&(term, leader), log) in &past.elected {
        for (&index, &(entry, committed_in)) in &past.committed {
            if committed_in < term && log.get(index) != Some(entry) {
                return Err(format!(
                    "{} was elected in term {term} without {entry:?} at index {index}, committed in term {committed_in}",
                    node_name(leader),
                ));
            }
        }
    }
    Ok(())
}

fn log_matching(_: &Raft, (a, x): (Id, &Server), (b, y): (Id, &Server)) -> Result<(), String> {
    let (x, y) = (&x.persistent.log, &y.persistent.log);
    let agreed =
        (1..=x.last_index().min(y.last_index())).rev().find(|&index| x.term_at(index) == y.term_at(index));
    match agreed {
        Some(index) if x.first(index) != y.first(index) => Err(format!(
            "{} has {:?} and {} has {:?}, both with an entry of term {} at index {index}",
            node_name(a),
            x.first(index),
            node_name(b),
            y.first(index),
            x.term_at(index).unwrap_or_default(),
        )),
        _ => Ok(()),
    }
}

fn leader_append_only(_: &Past, step: &NodeStep<'_, Raft>) -> Result<(), String> {
    if let (Some(before), Some(after)) = (step.before, step.after)
        && matches!(before.role, Role::Leader(_))
        && leads_on(step)
        && !after.persistent.log.starts_with(&before.persistent.log)
    {
        let (id, term) = (node_name(step.id), after.persistent.term);
        let (old, new) = (&before.persistent.log, &after.persistent.log);
        return Err(format!("{id}, leader of term {term}, replaced its log {old:?} by {new:?}"));
    }
    Ok(())
}
