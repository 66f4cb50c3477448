//! What the properties of figure 3 must remember of the past.

use stateright::actor::Id;

use super::Raft;
use super::log::Log;
use super::members::Membership;
use super::message::Entry;
use super::state::State;
use crate::election::{Election, NodeSet, NodeStep, SortedMap, Term};

/// The past of a cluster, as far as figure 3 needs it. Without client inputs, only who led.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// The logs with which leaders began. What they appended later is of their own term.
    pub(super) elected: SortedMap<(Term, Id), Log>,
    /// By index: the first entry committed there, and the earliest term in which it was.
    pub(super) committed: SortedMap<usize, (Entry, Term)>,
    /// By term and index: which servers have had the leader's entry on disk in its own term. Once
    /// they are a majority the entry is committed, even if no server knows it yet, and is removed
    /// here. Kept only where the configuration is fixed.
    stored: SortedMap<(Term, usize), NodeSet>,
}

impl Witness {
    /// Whether a server has led a term.
    pub(super) fn has_led(&self, term: Term, server: Id) -> bool {
        self.elected.contains_key(&(term, server))
    }

    /// Which servers have had the leader's entry at an index on disk in its own term.
    pub(super) fn holders(&self, term: Term, index: usize) -> NodeSet {
        self.stored.get(&(term, index)).copied().unwrap_or_default()
    }

    /// How many entries were committed.
    pub(super) fn committed(&self) -> usize {
        self.committed.len()
    }

    /// Whether somebody led a later term than one in which an entry had been committed.
    pub(super) fn has_leader_after_a_commit(&self) -> bool {
        let last = self.elected.keys().map(|(term, _)| *term).max();
        self.committed.values().any(|(_, since)| last.is_some_and(|last| last > *since))
    }

    /// An entry is committed in a term, perhaps not for the first time.
    fn commit(&mut self, index: usize, entry: Entry, term: Term) {
        let (first, since) = self.committed.get_or_insert(index, (entry, term));
        if *first == entry {
            *since = term.min(*since);
        }
    }

    /// A server has this log on disk, and this term. A leader's entry that a majority has on disk
    /// in the leader's term is committed, and so is all before it (5.3, 5.4.2).
    fn store(&mut self, server: Id, log: &Log, term: Term, nodes: usize) {
        let of_term = (1..=log.last_index()).filter(|&index| log.term_at(index) == Some(term));
        for index in of_term {
            if self.committed.get(&index).is_some_and(|(first, _)| log.get(index) == Some(*first)) {
                continue;
            }
            let holders = self.stored.get_or_insert((term, index), Default::default());
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

/// The witness after a step, or `None` if that is the same.
pub(super) fn observe(past: &Witness, step: &NodeStep<'_, Raft>) -> Option<Witness> {
    let end = step.after.or(step.cut_short)?;
    let mut now = past.clone();
    if let Some(term) = step.actor.leads(step.id, end)
        && !leads_on(step)
    {
        let log = step.before.map_or(&end.persistent.log, |server| &server.persistent.log);
        now.elected.get_or_insert((term, step.id), log.clone());
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

/// Whether the step finds the server as the leader of a term and leaves it so.
pub(super) fn leads_on(step: &NodeStep<'_, Raft>) -> bool {
    let term = |server: Option<&State>| server.and_then(|server| step.actor.leads(step.id, server));
    let end = step.after.or(step.cut_short);
    term(end).is_some() && term(step.before) == term(end)
}

/// The entries that the step applies, each with its index.
pub(super) fn applied<'a>(
    step: &'a NodeStep<'_, Raft>,
) -> impl Iterator<Item = (usize, Entry)> + 'a {
    let before = step.before.map_or(0, |server| server.commit);
    let log = step.after.map_or(&[][..], |server| server.persistent.log.prefix(server.commit));
    log.iter()
        .enumerate()
        .map(|(i, entry)| (i + 1, *entry))
        .filter(move |(index, _)| *index > before)
}
