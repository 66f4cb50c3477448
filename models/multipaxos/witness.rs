//! What the properties must remember of a run to check the papers' theorems.

use stateright::actor::Id;

use super::MultiPaxos;
use super::message::{Message, Value, Votes};
use super::state::{Ballot, Disk, Role, Slot, State};
use crate::election::{NodeSet, NodeStep, SortedMap, SortedSet};

/// A proposal: this value, in a slot, under a ballot.
pub(super) type Proposal = (Slot, Ballot, Value);

/// What happened in a run. Votes are counted when they are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// Who has ever accepted each proposal. Once its value is chosen in its slot, under this ballot
    /// or a lower one, further votes change nothing and are not kept.
    pub(super) proposals: SortedMap<Proposal, NodeSet>,
    /// The proposals that a majority has accepted, as far as their votes are kept.
    pub(super) chosen: SortedSet<Proposal>,
    /// The ballots that have been led.
    led: SortedSet<Ballot>,
    /// The highest round that each node has run for, even if the node has forgotten it.
    rounds: SortedMap<Id, u32>,
    /// Of each candidate: its ballot, the first slot that it asks for, and who has really promised
    /// it, with what each reported. Kept as long as it runs for this ballot.
    campaigns: SortedMap<Id, (Ballot, Slot, Reports)>,
}

/// Promises for one ballot, with the votes that each reports.
pub(super) type Reports = SortedMap<Id, Votes>;

impl Witness {
    /// Updates the campaign of the node that takes a step: it begins with the node's own promise,
    /// or ends.
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

    /// A node has this vote on disk.
    fn count(&mut self, proposal: Proposal, id: Id, majority: usize) {
        let (slot, ballot, value) = proposal;
        let who = self.proposals.get_or_insert(proposal, Default::default());
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

    /// Who has promised this ballot since its owner runs for it, and from which slot on they
    /// report.
    pub(super) fn promises(&self, candidate: Id, ballot: Ballot) -> Option<(Slot, &Reports)> {
        let (current, from, reports) = self.campaigns.get(&candidate)?;
        (*current == ballot).then_some((*from, reports))
    }

    /// The highest round that a node has run for.
    pub(super) fn round(&self, id: Id) -> u32 {
        self.rounds.get(&id).copied().unwrap_or_default()
    }

    /// Whether this ballot has been led.
    pub(super) fn has_led(&self, ballot: Ballot) -> bool {
        self.led.contains(&ballot)
    }

    /// How many slots have a chosen value.
    pub(super) fn slots_chosen(&self) -> usize {
        self.chosen.iter().map(|(slot, ..)| slot).collect::<SortedSet<_>>().len()
    }

    /// Whether a no-op is chosen somewhere.
    pub(super) fn has_chosen_noop(&self) -> bool {
        self.chosen.iter().any(|(_, _, value)| *value == Value::Noop)
    }

    /// Whether somebody votes in a slot under a ballot above one in which a value is chosen there.
    pub(super) fn votes_above_a_choice(&self) -> bool {
        let is_above = |s: &Slot, b: &Ballot| {
            self.proposals.keys().any(|(slot, above, _)| slot == s && above > b)
        };
        self.chosen.iter().any(|(slot, ballot, _)| is_above(slot, ballot))
    }

    /// Whether two different values were proposed in one slot.
    pub(super) fn has_rivals(&self) -> bool {
        conflict(self.proposals.keys(), |a, b| a.0 == b.0 && a.2 != b.2).is_some()
    }
}

/// The witness after a step, or `None` if that is the same.
pub(super) fn observe(past: &Witness, step: &NodeStep<'_, MultiPaxos>) -> Option<Witness> {
    let mut next = past.clone();
    let majority = step.actor.nodes / 2 + 1;
    next.campaign(step);
    if let Some(State { durable: disk, role: Role::Leader { .. }, .. }) =
        step.after.or(step.cut_short)
    {
        next.led.insert(disk.promised);
    }
    if let Some(State { durable: Disk { round: round @ 1.., .. }, .. }) =
        step.after.or(step.cut_short)
    {
        let known = next.rounds.get_or_insert(step.id, Default::default());
        *known = (*known).max(*round);
    }
    for (dst, msg) in step.sends {
        if let Message::Promise { ballot, accepted } = msg
            && let Some((current, _, reports)) = next.campaigns.get_mut(dst)
            && current == ballot
        {
            reports.get_or_insert(step.id, accepted.clone());
        }
    }
    for (slot, vote) in step.storage.into_iter().flat_map(|disk| &disk.accepted) {
        next.count((*slot, vote.ballot, vote.value), step.id, majority);
    }
    (next != *past).then_some(next)
}

/// The first two of `items` that conflict.
pub(super) fn conflict<'a, T>(
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
