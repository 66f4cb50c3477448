//! What the checker remembers of a run of Paxos, and what must always hold of it.

use std::collections::{BTreeMap, BTreeSet};

use stateright::actor::Id;

use super::{Ballot, Msg, Paxos, Proposal, Value};
use crate::election::{Check, Invariant, NodeSet, NodeStep, node_name};

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
}

impl History {
    /// The history after a step, if that adds to it.
    pub fn after(&self, step: &NodeStep<'_, Paxos>) -> Option<History> {
        let mut next = self.clone();
        let disk = step.storage.copied().unwrap_or_default();
        for (_, msg) in step.sends {
            match msg {
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

pub fn invariants() -> Vec<Invariant<Paxos>> {
    vec![
        Invariant::new(
            "agreement",
            "No two different values are ever chosen or learned (\"Paxos Made Simple\", section 2.1).",
            Check::Witness(agreement),
        ),
        Invariant::new(
            "chosen-stays-chosen",
            "No ballot above one in which a value is ever chosen proposes another (section 2.2, P2b).",
            Check::Witness(chosen_stays_chosen),
        ),
        Invariant::new(
            "one-value-a-ballot",
            "A ballot proposes at most one value (section 2.2: no two proposals have one number).",
            Check::Witness(one_value_a_ballot),
        ),
        Invariant::new(
            "validity",
            "A leader proposes what it wants itself or what was proposed before (section 2.1: what is chosen was \
                      proposed).",
            Check::Step(validity),
        ),
        Invariant::new(
            "learned-was-chosen",
            "A node learns that a value has been chosen only if it has been (section 2.1).",
            Check::Witness(learned_was_chosen),
        ),
        Invariant::new(
            "learned-is-final",
            "What a node has learned it never replaces by another value (section 2.1: there is one value to learn).",
            Check::Step(learned_is_final),
        ),
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

fn validity(history: &History, step: &NodeStep<'_, Paxos>) -> Result<(), String> {
    for (_, msg) in step.sends {
        if let Msg::Accept { proposal: Proposal { ballot, value } } = msg
            && *value != Value::wanted_by(step.id)
            && !history.proposals.keys().any(|p| p.value == *value)
        {
            return Err(format!("ballot {ballot} proposed {value}, which nobody had proposed"));
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

fn learned_is_final(_: &History, step: &NodeStep<'_, Paxos>) -> Result<(), String> {
    let before = step.before.and_then(|state| state.durable.learned);
    let after = step.storage.and_then(|disk| disk.learned);
    match (before, after) {
        (Some(old), Some(new)) if new != old => {
            Err(format!("{} learned {old} and then {new}", node_name(step.id)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P2b speaks of every ballot in which a value is chosen, not of the one in which that came about first.
    #[test]
    fn a_choice_in_a_lower_ballot_binds_those_between() {
        let proposal = |ballot, value| Proposal { ballot: Ballot(ballot), value: Value(value) };
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
