//! What must hold of Raft whatever happens: figure 3 of the paper, apart from election safety, which is asked of every
//! protocol. And what of the past must be remembered to ask it.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::log::{Entry, Log};
use super::{Membership, Raft, Role, Server};
use crate::election::{Check, Election, Invariant, NodeSet, NodeStep, Term, node_name};

/// The past of a cluster as far as figure 3 speaks of it. Without client inputs, only who led.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// The logs with which leaders began. What they appended later is of their own term.
    elected: BTreeMap<(Term, Id), Log>,
    /// By index: the first entry committed there, and the earliest term in which it was.
    committed: BTreeMap<usize, (Entry, Term)>,
    /// By term and index, which servers have had the leader's entry on disk in its own term. Of a fixed configuration,
    /// and until they are a majority: then the entry is committed, whether or not anybody knows yet.
    stored: BTreeMap<(Term, usize), NodeSet>,
}

impl Past {
    pub fn has_led(&self, term: Term, server: Id) -> bool {
        self.elected.contains_key(&(term, server))
    }

    /// How many entries were committed.
    pub fn committed(&self) -> usize {
        self.committed.len()
    }

    /// Whether somebody led a later term than one in which an entry had been committed.
    pub fn has_leader_after_a_commit(&self) -> bool {
        let last = self.elected.keys().map(|(term, _)| *term).max();
        self.committed.values().any(|(_, since)| last.is_some_and(|last| last > *since))
    }

    fn commit(&mut self, index: usize, entry: Entry, term: Term) {
        let (first, since) = self.committed.entry(index).or_insert((entry, term));
        if *first == entry {
            *since = term.min(*since);
        }
    }

    /// A leader's entry that a majority has on disk in the leader's term is committed, and so is all before it (5.3,
    /// 5.4.2).
    fn store(&mut self, server: Id, log: &Log, term: Term, nodes: usize) {
        let of_term = (1..=log.last_index()).filter(|&index| log.term_at(index) == Some(term));
        for index in of_term {
            if self.committed.get(&index).is_some_and(|(first, _)| log.get(index) == Some(*first)) {
                continue;
            }
            let holders = self.stored.entry((term, index)).or_default();
            holders.insert(server);
            if holders.len() * 2 > nodes {
                for (i, entry) in log.prefix(index).iter().enumerate() {
                    self.commit(i + 1, *entry, term);
                }
                self.stored.retain(|&(of, i), _| of != term || i > index);
            }
        }
    }
}

pub fn observe(past: &Past, step: &NodeStep<'_, Raft>) -> Option<Past> {
    let end = step.after.or(step.cut_short)?;
    let mut now = past.clone();
    if let Some(term) = step.actor.leads(step.id, end)
        && !leads_on(step)
    {
        let log = step.before.map_or(&end.persistent.log, |server| &server.persistent.log);
        now.elected.entry((term, step.id)).or_insert_with(|| log.clone());
    }
    if step.actor.values > 0 {
        if let (Some(disk), Membership::Fixed) = (step.storage, step.actor.membership) {
            now.store(step.id, &disk.log, disk.term, step.actor.nodes);
        }
        for (index, entry) in applied(step) {
            now.commit(index, entry, end.persistent.term);
        }
    }
    (now != *past).then_some(now)
}

/// Whether the node led this term before the step already.
fn leads_on(step: &NodeStep<'_, Raft>) -> bool {
    let term = |server: Option<&Server>| server.and_then(|server| step.actor.leads(step.id, server));
    let end = step.after.or(step.cut_short);
    term(end).is_some() && term(step.before) == term(end)
}

/// The entries that the step applies, each with its index.
fn applied<'a>(step: &'a NodeStep<'_, Raft>) -> impl Iterator<Item = (usize, Entry)> + 'a {
    let before = step.before.map_or(0, |server| server.commit);
    let log = step.after.map_or(&[][..], |server| server.persistent.log.prefix(server.commit));
    log.iter().enumerate().map(|(i, entry)| (i + 1, *entry)).filter(move |(index, _)| *index > before)
}

/// Whether there are logs at all.
pub fn has_values(servers: &[Raft]) -> bool {
    servers.iter().any(|server| server.values > 0)
}

pub fn invariants() -> Vec<Invariant<Raft>> {
    let of_logs =
        |name, meaning, check| Invariant::new(name, meaning, check).with_setting("values >= 1", has_values);
    vec![
        of_logs(
            "state-machine-safety",
            "no server ever applies another entry at an index than the one committed there (figure 3, 5.4.3)",
            Check::Step(state_machine_safety),
        )
        .needing(&["follower-commits"]),
        of_logs(
            "leader-completeness",
            "an entry committed in a term is in the logs of the leaders of all higher terms, past ones included \
             (figure 3, 5.4)",
            Check::Witness(leader_completeness),
        )
        .needing(&["leader-after-a-commit"]),
        of_logs(
            "log-matching",
            "logs with an entry of equal index and term are equal up to that index (figure 3, 5.3)",
            Check::Pair(log_matching),
        )
        .needing(&["follower-appends"]),
        of_logs(
            "leader-append-only",
            "a leader never overwrites or deletes entries of its log (figure 3, 5.3)",
            Check::Rule(leader_append_only),
        )
        .needing(&["leader-commits"]),
        Invariant::new(
            "followed-has-led",
            "whom a server follows has become the leader of that term (5.2)",
            Check::Step(followed_has_led),
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
                "{node} applied {entry:?} at index {index}, where {first:?} was committed before"
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
        Some(index) if x.prefix(index) != y.prefix(index) => Err(format!(
            "{} has {:?} and {} has {:?}, both with an entry of term {} at index {index}",
            node_name(a),
            x.prefix(index),
            node_name(b),
            y.prefix(index),
            x.term_at(index).unwrap_or_default(),
        )),
        _ => Ok(()),
    }
}

fn leader_append_only(step: &NodeStep<'_, Raft>) -> Result<(), String> {
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

fn followed_has_led(past: &Past, step: &NodeStep<'_, Raft>) -> Result<(), String> {
    let followed = |server: &Server| step.actor.follows(step.id, server);
    let Some((term, leader)) = step.after.or(step.cut_short).and_then(followed) else { return Ok(()) };
    if step.before.and_then(followed) == Some((term, leader)) || past.has_led(term, leader) {
        return Ok(());
    }
    let (id, leader) = (node_name(step.id), node_name(leader));
    Err(format!("{id} follows {leader} in term {term}, which {leader} has never led"))
}
