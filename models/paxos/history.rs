//! What the checker remembers of a run of Paxos, and what must always hold of that: the theorems. The rules that single
//! steps keep are in [`super::properties`].

use std::collections::{BTreeMap, BTreeSet};

use stateright::actor::Id;

use super::{Ballot, Msg, Paxos, Phase, Proposal, Value};
use crate::election::{Check, Invariant, NodeSet, NodeStep};

/// Who proposed, accepted and learned what, over the whole run, whatever has been overwritten since.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct History {
    /// Every proposal ever made, with the acceptors that have accepted it: on disk, or as they told a learner. Once a
    /// value is chosen, who else accepts it in that ballot or above changes nothing, and is no longer kept.
    proposals: BTreeMap<Proposal, NodeSet>,
    /// Each value that a quorum has accepted in one ballot, with the lowest such ballot.
    chosen: BTreeMap<Value, Ballot>,
    /// Values learned without having been chosen: one is too many.
    mistaken: BTreeSet<Value>,
    /// Of each node in phase 1: its ballot, and who has really promised it, with what each reported. Kept as long as that
    /// node prepares this ballot.
    preparing: BTreeMap<Id, (Ballot, Reports)>,
}

/// Promises for one ballot, with the proposal that each reports.
pub type Reports = BTreeMap<Id, Proposal>;

impl History {
    /// The history after a step, if that adds to it.
    pub fn after(&self, step: &NodeStep<'_, Paxos>) -> Option<History> {
        let mut next = self.clone();
        let disk = step.storage.copied().unwrap_or_default();
        next.prepare(step);
        for (dst, msg) in step.sends {
            match msg {
                Msg::Promise { ballot, accepted } => next.promise(step.id, *dst, *ballot, *accepted),
                Msg::Accept { proposal } => next.propose(*proposal),
                Msg::Accepted { proposal } => next.accept(step.id, *proposal, step.actor.phase2),
                _ => {}
            }
        }
        if disk.accepted != Proposal::NONE {
            next.accept(step.id, disk.accepted, step.actor.phase2);
        }
        next.mistaken.extend(disk.learned);
        next.mistaken.retain(|value| !next.chosen.contains_key(value));
        (next != *self).then_some(next)
    }

    /// Opens and closes the phase 1 of the node that takes a step. Its own acceptor has promised.
    fn prepare(&mut self, step: &NodeStep<'_, Paxos>) {
        match step.after {
            Some(state) if matches!(state.phase, Phase::Preparing { .. }) => {
                let ballot = state.durable.tried;
                let is_new = self.preparing.get(&step.id).is_none_or(|(known, _)| *known != ballot);
                if is_new {
                    self.preparing.insert(step.id, (ballot, [(step.id, state.durable.accepted)].into()));
                }
            }
            _ => {
                self.preparing.remove(&step.id);
            }
        }
    }

    fn promise(&mut self, acceptor: Id, proposer: Id, ballot: Ballot, accepted: Proposal) {
        if let Some((current, reports)) = self.preparing.get_mut(&proposer)
            && *current == ballot
        {
            reports.entry(acceptor).or_insert(accepted);
        }
    }

    /// Who has promised this ballot while the node has been preparing it.
    pub fn promises(&self, proposer: Id, ballot: Ballot) -> Option<&Reports> {
        self.preparing.get(&proposer).filter(|(current, _)| *current == ballot).map(|(_, reports)| reports)
    }

    /// Whether some ballot proposed this value.
    pub fn has_value(&self, value: Value) -> bool {
        self.proposals.keys().any(|p| p.value == value)
    }

    pub fn was_proposed(&self, proposal: &Proposal) -> bool {
        self.proposals.contains_key(proposal)
    }

    /// Whether a quorum has accepted some value in one ballot.
    pub fn has_choice(&self) -> bool {
        !self.chosen.is_empty()
    }

    /// Whether some ballot above one in which a value is chosen proposes something.
    pub fn proposes_above_a_choice(&self) -> bool {
        let lowest = self.chosen.values().min();
        lowest.is_some_and(|lowest| self.proposals.keys().any(|p| p.ballot > *lowest))
    }

    /// Whether two ballots propose different values.
    pub fn has_rivals(&self) -> bool {
        let first = self.proposals.keys().next().map(|p| p.value);
        self.proposals.keys().any(|p| Some(p.value) != first)
    }

    fn propose(&mut self, proposal: Proposal) {
        self.proposals.entry(proposal).or_default();
    }

    fn accept(&mut self, acceptor: Id, proposal: Proposal, quorum: usize) {
        self.propose(proposal);
        let Proposal { ballot, value } = proposal;
        if self.chosen.get(&value).is_some_and(|lowest| *lowest <= ballot) {
            return;
        }
        let acceptors = self.proposals.get_mut(&proposal).expect("just proposed");
        acceptors.insert(acceptor);
        if acceptors.len() >= quorum {
            self.chosen.insert(value, ballot);
            let settled = self.proposals.iter_mut().filter(|(p, _)| p.value == value && p.ballot >= ballot);
            settled.for_each(|(_, acceptors)| *acceptors = NodeSet::default());
        }
    }

    /// Values chosen, and values that some learner believes to be chosen.
    fn settled(&self) -> Vec<Value> {
        self.chosen.keys().chain(&self.mistaken).copied().collect()
    }
}

/// Most properties speak of values.
pub const PROPOSES: &str = "election_only = false";

pub fn proposes(nodes: &[Paxos]) -> bool {
    nodes.iter().all(|node| !node.election_only)
}

pub fn invariants() -> Vec<Invariant<Paxos>> {
    vec![
        Invariant::new(
            "agreement",
            "No two different values are ever chosen or learned (\"Paxos Made Simple\", section 2.1).",
            Check::Witness(agreement),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["a-value-is-chosen"]),
        Invariant::new(
            "chosen-stays-chosen",
            "No ballot above one in which a value is ever chosen proposes another (section 2.2, P2b).",
            Check::Witness(chosen_stays_chosen),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["proposes-above-a-choice"]),
        Invariant::new(
            "one-value-a-ballot",
            "A ballot proposes at most one value (section 2.2: no two proposals have one number).",
            Check::Witness(one_value_a_ballot),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["a-value-is-chosen"]),
        Invariant::new(
            "learned-was-chosen",
            "A node learns that a value has been chosen only if it has been (section 2.1).",
            Check::Witness(learned_was_chosen),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["counts-a-quorum"]),
    ]
}

fn agreement(history: &History) -> Result<(), String> {
    match history.settled()[..] {
        [one, other, ..] => Err(format!("both {one} and {other} were chosen or learned")),
        _ => Ok(()),
    }
}

fn chosen_stays_chosen(history: &History) -> Result<(), String> {
    for (value, ballot) in &history.chosen {
        let other = history.proposals.keys().find(|p| p.ballot > *ballot && p.value != *value);
        if let Some(Proposal { ballot: higher, value: other }) = other {
            return Err(format!("{value} was chosen in ballot {ballot}, ballot {higher} proposed {other}"));
        }
    }
    Ok(())
}

fn one_value_a_ballot(history: &History) -> Result<(), String> {
    let proposals: Vec<_> = history.proposals.keys().collect();
    for pair in proposals.windows(2) {
        if let [Proposal { ballot, value: one }, Proposal { ballot: same, value: other }] = pair
            && ballot == same
        {
            return Err(format!("ballot {ballot} proposed both {one} and {other}"));
        }
    }
    Ok(())
}

fn learned_was_chosen(history: &History) -> Result<(), String> {
    match history.mistaken.first() {
        Some(value) => Err(format!("{value} was learned, but no quorum accepted it in one ballot")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P2b speaks of every ballot in which a value is chosen, not of the one in which that came about first.
    #[test]
    fn a_choice_in_a_lower_ballot_binds_those_between() {
        let value = |node| Value { node, round: 1, life: 0 };
        let proposal = |ballot, node| Proposal { ballot: Ballot(ballot), value: value(node) };
        let mut history = History::default();
        history.accept(Id::from(0), proposal(3, 1), 2);
        history.propose(proposal(4, 2));
        for acceptor in [1, 2] {
            history.accept(Id::from(acceptor), proposal(5, 1), 2);
        }
        assert_eq!(chosen_stays_chosen(&history), Ok(()));
        history.accept(Id::from(2), proposal(3, 1), 2);
        let broken = "v1 was chosen in ballot 3, ballot 4 proposed v2";
        assert_eq!(chosen_stays_chosen(&history), Err(broken.to_string()));
    }
}
