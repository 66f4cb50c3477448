//! What the properties must remember of a run to check the paper's theorems.

use stateright::actor::Id;

use super::Paxos;
use super::message::{Message, Proposal, Value};
use super::state::{Ballot, Phase};
use crate::election::{NodeSet, NodeStep, SortedMap, SortedSet};

/// All proposals, votes and learned values of the whole run, including those that nodes have
/// overwritten since.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Witness {
    /// Every proposal ever made, with the acceptors that have accepted it: on disk, or as they told
    /// a learner. Once a value is chosen, further votes for it in that ballot or above change
    /// nothing and are not kept.
    pub(super) proposals: SortedMap<Proposal, NodeSet>,
    /// Each value that a quorum has accepted in one ballot, with the lowest such ballot.
    pub(super) chosen: SortedMap<Value, Ballot>,
    /// Values learned without having been chosen: one is too many.
    pub(super) mistaken: SortedSet<Value>,
    /// Of each node in phase 1: its ballot, and who has really promised it, with what each
    /// reported. Kept as long as that node prepares this ballot.
    preparing: SortedMap<Id, (Ballot, Reports)>,
}

/// Promises for one ballot, with the proposal that each reports.
pub(super) type Reports = SortedMap<Id, Proposal>;

impl Witness {
    /// Updates the phase 1 of the node that takes a step: it begins with the promise of its own
    /// acceptor, or ends.
    fn prepare(&mut self, step: &NodeStep<'_, Paxos>) {
        match step.after {
            Some(state) if matches!(state.phase, Phase::Preparing { .. }) => {
                let ballot = state.durable.tried;
                let is_new = self.preparing.get(&step.id).is_none_or(|(known, _)| *known != ballot);
                if is_new {
                    self.preparing
                        .insert(step.id, (ballot, [(step.id, state.durable.accepted)].into()));
                }
            }
            _ => {
                self.preparing.remove(&step.id);
            }
        }
    }

    /// An acceptor promises a ballot. What it reports first is kept.
    fn promise(&mut self, acceptor: Id, proposer: Id, ballot: Ballot, accepted: Proposal) {
        if let Some((current, reports)) = self.preparing.get_mut(&proposer)
            && *current == ballot
        {
            reports.get_or_insert(acceptor, accepted);
        }
    }

    /// Who has promised this ballot while the node has been preparing it.
    pub(super) fn promises(&self, proposer: Id, ballot: Ballot) -> Option<&Reports> {
        self.preparing
            .get(&proposer)
            .filter(|(current, _)| *current == ballot)
            .map(|(_, reports)| reports)
    }

    /// Whether some ballot proposed this value.
    pub(super) fn has_value(&self, value: Value) -> bool {
        self.proposals.keys().any(|p| p.value == value)
    }

    /// Whether this proposal was made.
    pub(super) fn was_proposed(&self, proposal: &Proposal) -> bool {
        self.proposals.contains_key(proposal)
    }

    /// Whether a quorum has accepted some value in one ballot.
    pub(super) fn has_choice(&self) -> bool {
        !self.chosen.is_empty()
    }

    /// Whether some ballot above one in which a value is chosen proposes something.
    pub(super) fn proposes_above_a_choice(&self) -> bool {
        let lowest = self.chosen.values().min();
        lowest.is_some_and(|lowest| self.proposals.keys().any(|p| p.ballot > *lowest))
    }

    /// Whether two ballots propose different values.
    pub(super) fn has_rivals(&self) -> bool {
        let first = self.proposals.keys().next().map(|p| p.value);
        self.proposals.keys().any(|p| Some(p.value) != first)
    }

    /// A proposal is made, perhaps not for the first time.
    pub(super) fn propose(&mut self, proposal: Proposal) {
        self.proposals.get_or_insert(proposal, Default::default());
    }

    /// An acceptor has accepted a proposal. With a quorum of them its value is chosen.
    pub(super) fn accept(&mut self, acceptor: Id, proposal: Proposal, quorum: usize) {
        self.propose(proposal);
        let Proposal { ballot, value } = proposal;
        if self.chosen.get(&value).is_some_and(|lowest| *lowest <= ballot) {
            return;
        }
        let acceptors = self.proposals.get_mut(&proposal).expect("just proposed");
        acceptors.insert(acceptor);
        if acceptors.len() >= quorum {
            self.chosen.insert(value, ballot);
            let settled =
                self.proposals.iter_mut().filter(|(p, _)| p.value == value && p.ballot >= ballot);
            settled.for_each(|(_, acceptors)| *acceptors = NodeSet::default());
        }
    }
}

/// The witness after a step, or `None` if that is the same.
pub(super) fn observe(past: &Witness, step: &NodeStep<'_, Paxos>) -> Option<Witness> {
    let mut next = past.clone();
    let disk = step.storage.copied().unwrap_or_default();
    next.prepare(step);
    for (dst, msg) in step.sends {
        match msg {
            Message::Promise { ballot, accepted } => {
                next.promise(step.id, *dst, *ballot, *accepted);
            }
            Message::Accept { proposal } => next.propose(*proposal),
            Message::Accepted { proposal } => next.accept(step.id, *proposal, step.actor.phase2),
            _ => {}
        }
    }
    if disk.accepted != Proposal::NONE {
        next.accept(step.id, disk.accepted, step.actor.phase2);
    }
    next.mistaken.extend(disk.learned);
    next.mistaken.retain(|value| !next.chosen.contains_key(value));
    (next != *past).then_some(next)
}
