//! The learner (section 2.3).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Proposal, Value};
use super::state::{Phase, State, Tally};
use super::turn::Turn;
use super::{Learners, Paxos};
use crate::election::NodeSet;

impl Turn<'_, '_> {
    /// Section 2.3: a value is known to be chosen when a quorum is known to have accepted one and
    /// the same proposal; the same value is not enough.
    pub(super) fn on_accepted(&mut self, src: Id, proposal: Proposal) {
        if self.has(Bug::OverwritesLearned)
            && self.state.durable.learned.is_some_and(|learned| learned != proposal.value)
        {
            self.state.to_mut().durable.learned = Some(proposal.value);
        }
        self.count(src, proposal);
    }

    /// Counts a vote, if it is news; learns the value with the vote that completes a quorum.
    pub(super) fn count(&mut self, src: Id, proposal: Proposal) {
        if !self.node.counts(self.state, src, proposal) {
            return;
        }
        let Tally { proposal: current, voters } = &mut self.state.to_mut().tally;
        let same = match self.node.bug {
            Some(Bug::CountsAcrossBallots) => proposal.value == current.value,
            _ => proposal == *current,
        };
        if !same {
            *voters = NodeSet::default();
        }
        *current = proposal;
        voters.insert(src);
        if voters.len() < self.node.phase2 {
            return;
        }
        self.learn(proposal.value);
        match self.node.learners {
            Learners::Leader | Learners::First => {
                self.broadcast(&Message::Chosen { value: proposal.value });
            }
            Learners::All => {}
        }
    }

    /// Section 2.3: a distinguished learner has found out, and tells the others.
    pub(super) fn on_chosen(&mut self, value: Value) {
        if self.state.durable.learned.is_none() {
            self.learn(value);
        }
    }

    /// A node that knows the value has nothing left to prepare, and nothing to count.
    fn learn(&mut self, value: Value) {
        let state = self.state.to_mut();
        state.durable.learned = Some(value);
        state.tally = Tally::default();
        if state.phase != Phase::Leading {
            state.phase = Phase::Idle;
        }
    }
}

impl Paxos {
    /// Whether this vote is news to the learner.
    pub(super) fn counts(&self, state: &State, src: Id, proposal: Proposal) -> bool {
        let Tally { proposal: current, voters } = &state.tally;
        let is_learner = match self.learners {
            Learners::Leader => {
                state.phase == Phase::Leading && state.durable.tried == proposal.ballot
            }
            Learners::First | Learners::All => true,
        };
        let is_news =
            proposal.ballot >= current.ballot && !(proposal == *current && voters.contains(src));
        state.durable.learned.is_none() && is_learner && is_news
    }
}
