//! Phase 2 (PMS 2.2, 3): a leader proposes a value in each slot, acceptors vote, and what a
//! majority has accepted is chosen.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Value, Vote};
use super::state::{Ballot, Role, Slot};
use super::turn::Turn;
use crate::election::CLIENT;

impl Turn<'_, '_> {
    /// A leader takes inputs, any number at a time: it does not wait for one slot before it uses
    /// the next (PMS 3).
    pub(super) fn offer_input(&mut self) {
        let values = self.node.values;
        if values > 0 {
            self.out.choose_random(CLIENT, (1..=values as u8).map(Value::Input).collect());
        }
    }

    /// A client's input goes into the first slot that the leader has not used (PMS 3).
    pub(super) fn on_input(&mut self, input: Value) {
        let last = match self.node.bug {
            Some(Bug::UsesASlotTwice) => self.state.chosen,
            _ => self.state.durable.last(),
        };
        self.propose(&[(last.next(), input)]);
        self.offer_input();
    }

    /// Phase 2a (PMS 2.2): the leader proposes, and is the first to accept.
    pub(super) fn propose(&mut self, proposals: &[(Slot, Value)]) {
        let own = self.itself();
        let state = self.state.to_mut();
        let Role::Leader { acks } = &mut state.role else { return };
        let ballot = state.durable.promised;
        for &(slot, value) in proposals {
            state.durable.accepted.insert(slot, Vote { ballot, value });
            acks.insert(slot, own);
        }
        if !proposals.is_empty() {
            self.save();
        }
        for &(slot, value) in proposals {
            self.broadcast(&Message::Accept { ballot, slot, value });
        }
        self.count_acks();
    }

    /// Phase 2b (PMS 2.2): accept unless a higher ballot is promised. Accepting under a ballot is
    /// taking part in it. What was accepted before is answered again, for the answer may be lost.
    pub(super) fn on_accept(&mut self, src: Id, slot: Slot, vote: Vote) {
        let ballot = vote.ballot;
        if ballot < self.promised() && !self.has(Bug::AcceptsBelowPromise) {
            return;
        }
        let earlier = self.state.durable.accepted.get(&slot);
        let news = ballot > self.promised() || earlier != Some(&vote);
        self.join(ballot);
        self.state.to_mut().durable.accepted.insert(slot, vote);
        self.answer(news, src, Message::Accepted { ballot, slot });
    }

    /// A leader counts who has accepted its proposal, each node once.
    pub(super) fn on_accepted(&mut self, src: Id, ballot: Ballot, slot: Slot) {
        match &self.state.role {
            Role::Leader { acks }
                if ballot == self.promised()
                    && acks.get(&slot).is_some_and(|who| !who.contains(src)) => {}
            _ => return,
        }
        if let Role::Leader { acks } = &mut self.state.to_mut().role {
            acks.get_or_insert(slot, Default::default()).insert(src);
        }
        self.count_acks();
    }

    /// PMS 2.2: what a majority has accepted under one ballot is chosen. Slots are committed in
    /// order, and the followers are told at once.
    fn count_acks(&mut self) {
        let quorum = match self.node.bug {
            Some(Bug::AcceptQuorumOffByOne) => self.majority() - 1,
            _ => self.majority(),
        };
        let state = self.state.to_mut();
        let Role::Leader { acks } = &mut state.role else { return };
        let before = state.chosen;
        while acks.get(&state.chosen.next()).is_some_and(|who| who.len() >= quorum) {
            state.chosen = state.chosen.next();
            if !self.node.heartbeats {
                acks.remove(&state.chosen);
            }
        }
        let (ballot, chosen) = (state.durable.promised, state.chosen);
        if chosen > before {
            self.broadcast(&Message::Heartbeat { ballot, chosen });
        }
    }
}
