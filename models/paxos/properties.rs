//! The properties of Paxos: the theorems of the paper, over what the witness remembers; and the
//! rules of single steps, from [`rules`].

use super::message::{Proposal, Value};
use super::witness::Witness;
use super::{Paxos, rules};
use crate::election::{Check, Invariant, listed, nodes_listed};

/// All properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<Paxos>> {
    theorems().into_iter().chain(rules::invariants()).collect()
}

/// Most properties speak of values.
pub(super) const PROPOSES: &str = "election_only = false";

/// Whether anything is proposed.
pub(super) fn proposes(nodes: &[Paxos]) -> bool {
    nodes.iter().all(|node| !node.election_only)
}

/// The theorems.
fn theorems() -> Vec<Invariant<Paxos>> {
    vec![
        Invariant::new(
            "agreement",
            "No two different values are ever chosen or learned (\"Paxos Made Simple\", section \
             2.1).",
            Check::Witness(agreement),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["a-value-is-chosen"]),
        Invariant::new(
            "chosen-stays-chosen",
            "If a value is ever chosen in a ballot, no higher ballot proposes another one (section \
             2.2, P2b).",
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

fn agreement(past: &Witness) -> Result<(), String> {
    let chosen =
        past.chosen.iter().map(|(value, ballot)| format!("{value} was chosen in ballot {ballot}"));
    let mistaken = past.mistaken.iter().map(|value| mistake(past, value));
    match &chosen.chain(mistaken).collect::<Vec<_>>()[..] {
        [one, other, ..] => Err(format!("{one}, and {other}")),
        _ => Ok(()),
    }
}

fn chosen_stays_chosen(past: &Witness) -> Result<(), String> {
    for (value, ballot) in &past.chosen {
        let other = past.proposals.keys().find(|p| p.ballot > *ballot && p.value != *value);
        if let Some(Proposal { ballot: higher, value: other }) = other {
            return Err(format!(
                "{value} was chosen in ballot {ballot}, and {other} was proposed in ballot {higher}"
            ));
        }
    }
    Ok(())
}

fn one_value_a_ballot(past: &Witness) -> Result<(), String> {
    let proposals: Vec<_> = past.proposals.keys().collect();
    for pair in proposals.windows(2) {
        if let [Proposal { ballot, value: one }, Proposal { ballot: same, value: other }] = pair
            && ballot == same
        {
            return Err(format!("in ballot {ballot} both {one} and {other} were proposed"));
        }
    }
    Ok(())
}

fn learned_was_chosen(past: &Witness) -> Result<(), String> {
    match past.mistaken.first() {
        Some(value) => Err(mistake(past, value)),
        None => Ok(()),
    }
}

/// That a value was learned that was not chosen, and who has accepted it.
fn mistake(past: &Witness, value: &Value) -> String {
    let all = past.proposals.iter().filter(|(p, who)| p.value == *value && !who.is_empty());
    let accepted: Vec<String> = all
        .map(|(p, who)| format!("{} in ballot {}", nodes_listed(who.iter()), p.ballot))
        .collect();
    let who = listed(&accepted);
    format!(
        "{value} was learned, though no quorum accepted it in one ballot (only {who} accepted it)"
    )
}

#[cfg(test)]
mod tests {
    use stateright::actor::Id;

    use super::super::state::Ballot;
    use super::*;

    /// P2b is about every ballot in which a value is chosen, not only the one in which it was
    /// chosen first.
    #[test]
    fn a_choice_in_a_lower_ballot_binds_those_between() {
        let value = |node| Value { node, round: 1, life: 0 };
        let proposal = |ballot, node| Proposal { ballot: Ballot(ballot), value: value(node) };
        let mut past = Witness::default();
        past.accept(Id::from(0), proposal(3, 1), 2);
        past.propose(proposal(4, 2));
        for acceptor in [1, 2] {
            past.accept(Id::from(acceptor), proposal(5, 1), 2);
        }
        assert_eq!(chosen_stays_chosen(&past), Ok(()));
        past.accept(Id::from(2), proposal(3, 1), 2);
        let broken = "v1 was chosen in ballot 3, and v2 was proposed in ballot 4";
        assert_eq!(chosen_stays_chosen(&past), Err(broken.to_string()));
    }
}
