//! The properties of Multi-Paxos: the papers' theorems, over the past of a run, without election
//! safety, which every protocol has; and the rules of single steps, from [`rules`].

use stateright::actor::Id;

use super::message::Value;
use super::state::{Ballot, Slot, State};
use super::witness::{Proposal, Witness, conflict};
use super::{MultiPaxos, rules};
use crate::election::{Check, Invariant, NodeSet, listed, node_name, nodes_listed};

/// All properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<MultiPaxos>> {
    theorems().into_iter().chain(rules::invariants()).collect()
}

/// The setting of most properties, which are about the contents of the log.
pub(super) const VALUES: &str = "values >= 1";

/// Whether anything is in the log.
pub(super) fn has_values(nodes: &[MultiPaxos]) -> bool {
    nodes.iter().all(|node| node.values > 0)
}

/// The theorems, over all votes that were ever on a disk.
fn theorems() -> Vec<Invariant<MultiPaxos>> {
    vec![
        Invariant::new(
            "agreement",
            "at most one value is ever chosen in a slot (Paxos Made Simple, 2.1; Paxos Made \
             Moderately Complex, invariant R1)",
            Check::Witness(agreement),
        )
        .with_setting(VALUES, has_values)
        .needing(&["a-value-is-chosen"]),
        Invariant::new(
            "chosen-stays-chosen",
            "if a value is chosen in a slot, no other value is accepted there under a higher \
             ballot (Paxos Made Simple, 2.2, P2b; Paxos Made Moderately Complex, invariants A5 and \
             C2)",
            Check::Witness(chosen_stays_chosen),
        )
        .with_setting(VALUES, has_values)
        .needing(&["a-value-is-chosen"]),
        Invariant::new(
            "one-value-a-ballot",
            "under one ballot at most one value is ever accepted in a slot (Paxos Made Simple, \
             2.2; Paxos Made Moderately Complex, invariants A4 and C1)",
            Check::Witness(one_value_a_ballot),
        )
        .with_setting(VALUES, has_values)
        .needing(&["takes-an-input"]),
        Invariant::new(
            "input-in-one-slot",
            "what a client asks for once is proposed in one slot only (Paxos Made Simple, 3: a \
             command is put in a slot once, and keeps it)",
            Check::Witness(input_in_one_slot),
        )
        .with_setting(VALUES, has_values)
        .needing(&["takes-an-input"]),
        Invariant::new(
            "learned-is-chosen",
            "a node commits only what is chosen: accepted by a majority under one ballot (Paxos \
             Made Simple, 2.1)",
            Check::NodeWitness(learned_is_chosen),
        )
        .with_setting(VALUES, has_values)
        .needing(&["leader-commits"]),
    ]
}

fn agreement(witness: &Witness) -> Result<(), String> {
    match conflict(witness.chosen.iter(), |a, b| a.0 == b.0 && a.2 != b.2) {
        Some(((slot, a, v), (_, b, w))) => Err(format!(
            "in slot {slot:?}, {v:?} was chosen under ballot {a:?} and {w:?} under \
                         ballot {b:?}"
        )),
        None => Ok(()),
    }
}

fn chosen_stays_chosen(witness: &Witness) -> Result<(), String> {
    for (slot, ballot, value) in &witness.chosen {
        let differs = |(s, b, v): &&Proposal| s == slot && b > ballot && v != value;
        if let Some((_, above, other)) = witness.proposals.keys().find(differs) {
            return Err(format!(
                "in slot {slot:?}, {value:?} was chosen under ballot {ballot:?}, and {other:?} was \
                 accepted under ballot {above:?}, which is above"
            ));
        }
    }
    Ok(())
}

fn one_value_a_ballot(witness: &Witness) -> Result<(), String> {
    match conflict(witness.proposals.keys(), |a, b| (a.0, a.1) == (b.0, b.1) && a.2 != b.2) {
        Some(((slot, ballot, v), (_, _, w))) => Err(format!(
            "in slot {slot:?}, both {v:?} and {w:?} were accepted under ballot \
                         {ballot:?}"
        )),
        None => Ok(()),
    }
}

fn input_in_one_slot(witness: &Witness) -> Result<(), String> {
    let is_twice = |a: &Proposal, b: &Proposal| a.2 == b.2 && a.0 != b.0 && a.2 != Value::Noop;
    match conflict(witness.proposals.keys(), is_twice) {
        Some(((slot, _, value), (other, ..))) => {
            Err(format!("{value:?} was accepted in slot {slot:?} and in slot {other:?}"))
        }
        None => Ok(()),
    }
}

/// Who has accepted a value that is not chosen.
fn accepted_by(witness: &Witness, slot: Slot, value: Value) -> String {
    let of = |(ballot, who): (&Ballot, &NodeSet)| {
        format!(
            "under ballot {ballot:?} only {} saved that it accepted it",
            nodes_listed(who.iter())
        )
    };
    let mut votes: Vec<String> = witness
        .proposals
        .iter()
        .filter(|((s, _, v), who)| (*s, *v) == (slot, value) && !who.is_empty())
        .map(|((_, ballot, _), who)| of((ballot, who)))
        .collect();
    if votes.is_empty() {
        votes.push("nobody saved that it accepted it".to_string());
    }
    listed(&votes)
}

fn learned_is_chosen(
    _: &MultiPaxos,
    id: Id,
    state: &State,
    witness: &Witness,
) -> Result<(), String> {
    for (slot, value) in state.committed() {
        if !witness.chosen.iter().any(|(s, _, v)| (*s, *v) == (slot, value)) {
            let node = node_name(id);
            return Err(format!(
                "{node} committed {value:?} in slot {slot:?}, though it is not chosen there ({})",
                accepted_by(witness, slot, value)
            ));
        }
    }
    Ok(())
}
