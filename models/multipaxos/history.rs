//! What the checker remembers of a run of Multi-Paxos, and what must always hold of that: the theorems. The rules that
//! single steps keep are in [`super::properties`].

use std::collections::{BTreeMap, BTreeSet};

use stateright::actor::Id;

use super::{Ballot, Disk, Msg, MultiPaxos, Role, Slot, State, Value, Votes};
use crate::election::{Check, Invariant, NodeSet, NodeStep, node_name};

/// In a slot, under a ballot, this value.
type Proposal = (Slot, Ballot, Value);

/// What happened in a run. Votes are counted when they are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    /// Who has ever accepted each proposal. Once its value is chosen in its slot, under this ballot or a lower one, who
    /// accepts it changes nothing, and is no longer kept.
    proposals: BTreeMap<Proposal, NodeSet>,
    /// The proposals that a majority has accepted, as far as their votes are kept.
    chosen: BTreeSet<Proposal>,
    /// The ballots that have been led.
    led: BTreeSet<Ballot>,
    /// The highest round that each node has run for, whether or not it remembers.
    rounds: BTreeMap<Id, u32>,
    /// Of each candidate: its ballot, the first slot that it asks for, and who has really promised it, with what each
    /// reported. Kept as long as it runs for this ballot.
    campaigns: BTreeMap<Id, (Ballot, Slot, Reports)>,
}

/// Promises for one ballot, with the votes that each reports.
pub type Reports = BTreeMap<Id, Votes>;

impl History {
    /// The history after a step, if that adds to it.
    pub fn after(&self, step: &NodeStep<'_, MultiPaxos>) -> Option<History> {
        let mut next = self.clone();
        let majority = step.actor.nodes / 2 + 1;
        next.campaign(step);
        if let Some(State { durable: disk, role: Role::Leader { .. }, .. }) = step.after.or(step.cut_short) {
            next.led.insert(disk.promised);
        }
        if let Some(State { durable: Disk { round: round @ 1.., .. }, .. }) = step.after.or(step.cut_short) {
            let known = next.rounds.entry(step.id).or_default();
            *known = (*known).max(*round);
        }
        for (dst, msg) in step.sends {
            if let Msg::Promise { ballot, accepted } = msg
                && let Some((current, _, reports)) = next.campaigns.get_mut(dst)
                && current == ballot
            {
                reports.entry(step.id).or_insert(accepted.clone());
            }
        }
        for (slot, vote) in step.storage.into_iter().flat_map(|disk| &disk.accepted) {
            next.count((*slot, vote.ballot, vote.value), step.id, majority);
        }
        (next != *self).then_some(next)
    }

    /// Opens and closes the campaign of the node that takes a step. It has promised its own ballot.
    fn campaign(&mut self, step: &NodeStep<'_, MultiPaxos>) {
        let Some(State { durable: disk, chosen, role: Role::Candidate { .. } }) = step.after else {
            self.campaigns.remove(&step.id);
            return;
        };
        if self.campaigns.get(&step.id).is_none_or(|(known, ..)| *known != disk.promised) {
            let from = chosen.next();
            let own = disk.accepted.range(from..).map(|(slot, vote)| (*slot, *vote)).collect();
            self.campaigns.insert(step.id, (disk.promised, from, [(step.id, own)].into()));
        }
    }

    fn count(&mut self, proposal: Proposal, id: Id, majority: usize) {
        let (slot, ballot, value) = proposal;
        let who = self.proposals.entry(proposal).or_default();
        if self.chosen.iter().any(|(s, lowest, v)| (*s, *v) == (slot, value) && *lowest <= ballot) {
            return;
        }
        who.insert(id);
        if who.len() >= majority {
            self.chosen.insert(proposal);
            let is_settled = |(s, b, v): &Proposal| (*s, *v) == (slot, value) && *b >= ballot;
            let settled = self.proposals.iter_mut().filter(|(proposal, _)| is_settled(proposal));
            settled.for_each(|(_, who)| *who = NodeSet::default());
        }
    }

    /// Who has promised this ballot since its owner runs for it, and from which slot on they report.
    pub fn promises(&self, candidate: Id, ballot: Ballot) -> Option<(Slot, &Reports)> {
        let (current, from, reports) = self.campaigns.get(&candidate)?;
        (*current == ballot).then_some((*from, reports))
    }

    /// The highest round that a node has run for.
    pub fn round(&self, id: Id) -> u32 {
        self.rounds.get(&id).copied().unwrap_or_default()
    }

    pub fn has_led(&self, ballot: Ballot) -> bool {
        self.led.contains(&ballot)
    }

    /// How many slots have a chosen value.
    pub fn slots_chosen(&self) -> usize {
        self.chosen.iter().map(|(slot, ..)| slot).collect::<BTreeSet<_>>().len()
    }

    /// Whether a no-op is chosen somewhere.
    pub fn has_chosen_noop(&self) -> bool {
        self.chosen.iter().any(|(_, _, value)| *value == Value::Noop)
    }

    /// Whether somebody votes in a slot under a ballot above one in which a value is chosen there.
    pub fn votes_above_a_choice(&self) -> bool {
        let is_above =
            |s: &Slot, b: &Ballot| self.proposals.keys().any(|(slot, above, _)| slot == s && above > b);
        self.chosen.iter().any(|(slot, ballot, _)| is_above(slot, ballot))
    }

    /// Whether two values contend for one slot.
    pub fn has_rivals(&self) -> bool {
        conflict(self.proposals.keys(), |a, b| a.0 == b.0 && a.2 != b.2).is_some()
    }
}

/// Most properties speak of what is in the log.
pub const VALUES: &str = "values >= 1";

pub fn has_values(nodes: &[MultiPaxos]) -> bool {
    nodes.iter().all(|node| node.values > 0)
}

pub fn invariants() -> Vec<Invariant<MultiPaxos>> {
    vec![
        Invariant::new(
            "agreement",
            "at most one value is ever chosen in a slot (PMS 2.1; PMMC invariant R1)",
            Check::Witness(agreement),
        )
        .with_setting(VALUES, has_values)
        .needing(&["a-value-is-chosen"]),
        Invariant::new(
            "chosen-stays-chosen",
            "under no ballot above one in which a value is chosen in a slot is another accepted there (PMS 2.2, P2b; PMMC \
             invariants A5 and C2)",
            Check::Witness(chosen_stays_chosen),
        )
        .with_setting(VALUES, has_values)
        .needing(&["a-value-is-chosen"]),
        Invariant::new(
            "one-value-a-ballot",
            "under one ballot at most one value is ever accepted in a slot (PMS 2.2; PMMC invariants A4 and C1)",
            Check::Witness(one_value_a_ballot),
        )
        .with_setting(VALUES, has_values)
        .needing(&["takes-an-input"]),
        Invariant::new(
            "input-in-one-slot",
            "what a client asks for once is proposed in one slot only (PMS 3: a command is put in a slot once, and keeps it)",
            Check::Witness(input_in_one_slot),
        )
        .with_setting(VALUES, has_values)
        .needing(&["takes-an-input"]),
        Invariant::new(
            "learned-is-chosen",
            "a node commits only what is chosen: accepted by a majority under one ballot (PMS 2.1)",
            Check::NodeWitness(learned_is_chosen),
        )
        .with_setting(VALUES, has_values)
        .needing(&["leader-commits"]),
    ]
}

fn agreement(history: &History) -> Result<(), String> {
    match conflict(history.chosen.iter(), |a, b| a.0 == b.0 && a.2 != b.2) {
        Some(((slot, a, v), (_, b, w))) => {
            Err(format!("slot {slot:?}: {v:?} is chosen under {a:?}, {w:?} under {b:?}"))
        }
        None => Ok(()),
    }
}

fn chosen_stays_chosen(history: &History) -> Result<(), String> {
    for (slot, ballot, value) in &history.chosen {
        let differs = |(s, b, v): &&Proposal| s == slot && b > ballot && v != value;
        if let Some((_, above, other)) = history.proposals.keys().find(differs) {
            return Err(format!(
                "slot {slot:?}: {value:?} is chosen under {ballot:?}, and {other:?} is accepted under {above:?}"
            ));
        }
    }
    Ok(())
}

fn one_value_a_ballot(history: &History) -> Result<(), String> {
    match conflict(history.proposals.keys(), |a, b| (a.0, a.1) == (b.0, b.1) && a.2 != b.2) {
        Some(((slot, ballot, v), (_, _, w))) => {
            Err(format!("slot {slot:?}, ballot {ballot:?}: both {v:?} and {w:?} are accepted"))
        }
        None => Ok(()),
    }
}

fn input_in_one_slot(history: &History) -> Result<(), String> {
    let is_twice = |a: &Proposal, b: &Proposal| a.2 == b.2 && a.0 != b.0 && a.2 != Value::Noop;
    match conflict(history.proposals.keys(), is_twice) {
        Some(((slot, _, value), (other, ..))) => {
            Err(format!("{value:?} is accepted in slot {slot:?} and in slot {other:?}"))
        }
        None => Ok(()),
    }
}

/// The first two of `items` that conflict.
fn conflict<'a, T>(
    items: impl Iterator<Item = &'a T> + Clone,
    conflict: impl Fn(&T, &T) -> bool,
) -> Option<(&'a T, &'a T)> {
    let mut rest = items;
    while let Some(a) = rest.next() {
        if let Some(b) = rest.clone().find(|b| conflict(a, b)) {
            return Some((a, b));
        }
    }
    None
}

fn learned_is_chosen(_: &MultiPaxos, id: Id, state: &State, history: &History) -> Result<(), String> {
    for (slot, value) in state.committed() {
        if !history.chosen.iter().any(|(s, _, v)| (*s, *v) == (slot, value)) {
            let node = node_name(id);
            return Err(format!("{node} committed {value:?} in slot {slot:?}, which is not chosen"));
        }
    }
    Ok(())
}
