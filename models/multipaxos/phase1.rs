//! Phase 1 (PMS 2.2, 3): a candidate asks for promises for all slots at once, acceptors promise and
//! report their votes, and a candidate with a majority's promises leads, bound by their reports.

use crate::election::SortedMap;

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Timer, Value, Votes};
use super::state::{Ballot, Role, Slot};
use super::turn::{ELECTION, HEARTBEAT, Turn};

impl Turn<'_, '_> {
    /// Phase 1a (PMS 2.2, 3): a ballot that this node has never used and may promise, for all slots
    /// from the first that it does not know chosen. It is the first to promise it.
    pub(super) fn campaign(&mut self) {
        let from = self.state.first_unchosen();
        let adopted = self.report(from);
        let promises = self.itself();
        let state = self.state.to_mut();
        let mut ballot =
            Ballot { round: state.durable.round + 1, node: usize::from(self.id) as u8 };
        while ballot < state.durable.promised {
            ballot.round += 1;
        }
        state.durable.round = ballot.round;
        state.durable.promised = ballot;
        state.role = Role::Candidate { promises, adopted };
        self.save();
        self.out.set_timer(Timer::Election, ELECTION);
        self.broadcast(&Message::Prepare { ballot, from });
        self.lead_if_promised();
    }

    /// Phase 1b (PMS 2.2, 3): a ballot above all that were promised is promised, and answered with
    /// a report.
    pub(super) fn on_prepare(&mut self, src: Id, ballot: Ballot, from: Slot) {
        let promised = self.promised();
        if ballot < promised || ballot == promised && !self.has(Bug::PromisesTwice) {
            return;
        }
        let accepted = self.report(from);
        self.join(ballot);
        self.answer(ballot > promised, src, Message::Promise { ballot, accepted });
    }

    /// The report of an acceptor with its promise: every vote in the slots asked for, with its
    /// ballot (PMS 2.2, 3).
    fn report(&self, from: Slot) -> Votes {
        let state = &self.state;
        let mut votes: Votes =
            state.durable.accepted.range(from..).map(|(slot, vote)| (*slot, *vote)).collect();
        if self.has(Bug::DropsHighestSlot) {
            votes.pop_last();
        }
        if self.has(Bug::ReportsFirstSlotOnly) {
            votes.retain(|slot, _| *slot == from);
        }
        if self.has(Bug::ReportsAboveOwnCommit) {
            votes.retain(|slot, _| *slot > state.chosen);
        }
        if self.has(Bug::OneBallotVariable) {
            votes.values_mut().for_each(|vote| vote.ballot = state.durable.promised);
        }
        votes
    }

    /// PMS 2.2: in each slot the leader is bound by the vote under the highest ballot that a
    /// majority reports.
    pub(super) fn on_promise(&mut self, src: Id, ballot: Ballot, accepted: Votes) {
        // A promise is for the ballot that it names.
        let is_for_this = ballot == self.promised() || self.has(Bug::PromiseNamesNoBallot);
        match &self.state.role {
            Role::Candidate { promises, .. } if is_for_this && !promises.contains(src) => {}
            _ => return,
        }
        if let Role::Candidate { promises, adopted } = &mut self.state.to_mut().role {
            promises.insert(src);
            for (slot, vote) in accepted {
                let gap = adopted.last_key_value().is_some_and(|(last, _)| slot < *last)
                    && !adopted.contains_key(&slot);
                if gap && self.node.bug == Some(Bug::FillsGapsEarly) {
                    continue;
                }
                let bound = adopted.get_or_insert(slot, vote);
                if vote.ballot > bound.ballot || self.node.bug == Some(Bug::AdoptsLastReceived) {
                    *bound = vote;
                }
            }
        }
        self.lead_if_promised();
    }

    /// PMS 3: once a majority has promised, the node leads: it proposes again what it is bound to,
    /// and a no-op in each gap below, so that nothing above waits for ever.
    fn lead_if_promised(&mut self) {
        let Role::Candidate { promises, adopted } = &self.state.role else { return };
        if promises.len() < self.majority() {
            return;
        }
        let proposals = self.bound_by(adopted);
        let mut acks = SortedMap::new();
        self.out.cancel_timer(Timer::Election);
        if self.node.heartbeats {
            self.out.set_timer(Timer::Heartbeat, HEARTBEAT);
            // What is chosen already is repeated by heartbeats only, for followers that have not
            // heard of it.
            let chosen = Slot(1).up_to(self.state.chosen);
            acks.extend(chosen.map(|slot| (slot, self.itself())));
        }
        self.state.to_mut().role = Role::Leader { acks };
        self.propose(&proposals);
        self.offer_input();
    }

    /// What a new leader has to propose, in the order of the slots.
    fn bound_by(&self, adopted: &Votes) -> Vec<(Slot, Value)> {
        let last = adopted.last_key_value().map_or(self.state.chosen, |(slot, _)| *slot);
        let open = || self.state.first_unchosen().up_to(last);
        let mut proposals = Vec::new();
        for slot in open() {
            match adopted.get(&slot) {
                Some(vote) => proposals.push((slot, vote.value)),
                None if self.has(Bug::LeavesGaps) => {}
                None => proposals.push((slot, Value::Noop)),
            }
        }
        if self.has(Bug::ClosesGaps) {
            let values = proposals.into_iter().map(|(_, value)| value);
            proposals = open().zip(values.filter(|value| *value != Value::Noop)).collect();
        }
        proposals
    }
}
