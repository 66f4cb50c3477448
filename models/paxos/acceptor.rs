//! The acceptor (section 2.2, phases 1 (b) and 2 (b)).

use stateright::actor::Id;

use super::Learners;
use super::bugs::Bug;
use super::message::{Message, Proposal};
use super::state::{Ballot, Disk};
use super::turn::Turn;
use crate::election::NodeSet;

impl Turn<'_, '_> {
    /// Phase 1 (b): asked to prepare for a number above all that it has answered, it promises to
    /// accept nothing below it any more, and reports the highest-numbered proposal that it has
    /// accepted.
    pub(super) fn on_prepare(&mut self, src: Id, ballot: Ballot) {
        let promised = self.state.durable.promised;
        let again = self.has(Bug::PromisesAgain) && ballot == promised;
        if ballot > promised || again {
            let accepted = self.reported();
            self.state.to_mut().durable.promised = ballot;
            self.abandon();
            return self.send(src, Message::Promise { ballot, accepted });
        }
        self.refuse(src, ballot, promised);
    }

    /// What it says to have accepted.
    pub(super) fn reported(&self) -> Proposal {
        let disk = &self.state.durable;
        match self.node.bug {
            Some(Bug::OneBallotVariable) if disk.accepted != Proposal::NONE => {
                Proposal { ballot: disk.promised, ..disk.accepted }
            }
            _ => disk.accepted,
        }
    }

    /// Phase 2 (b): it accepts a proposal that is not below its promise. The paper lets it accept a
    /// lower one even then, if it has promised nothing above, but must remember the highest. Here
    /// accepting raises the promise, so that the last is the highest: what is below is ignored, as
    /// any request may be.
    pub(super) fn on_accept(&mut self, src: Id, proposal: Proposal) {
        let Disk { promised, accepted, .. } = self.state.durable;
        let floor = match self.node.bug {
            Some(Bug::AcceptsBelowPromise) => Ballot::NONE,
            Some(Bug::ComparesWithAccepted) => accepted.ballot,
            _ => promised,
        };
        if proposal.ballot < floor {
            return self.refuse(src, proposal.ballot, promised);
        }
        if proposal == accepted {
            return;
        }
        if !self.has(Bug::AcceptKeepsPromise) {
            self.state.to_mut().durable.promised = promised.max(proposal.ballot);
        }
        if proposal.ballot > self.state.durable.tried {
            self.abandon();
        }
        self.accept(src, proposal);
    }

    /// Accepts, and tells the learners.
    pub(super) fn accept(&mut self, leader: Id, proposal: Proposal) {
        self.state.to_mut().durable.accepted = proposal;
        let learners = match self.node.learners {
            Learners::Leader => NodeSet::from_iter([leader]),
            Learners::First => NodeSet::first(1),
            Learners::All => NodeSet::first(self.node.nodes),
        };
        let id = self.id;
        for learner in learners.iter().filter(|&learner| learner != id) {
            self.send(learner, Message::Accepted { proposal });
        }
        if learners.contains(id) {
            self.count(id, proposal);
        }
    }

    /// Section 2.2, at its end: with refusals, it tells the sender of a request that it ignores.
    fn refuse(&mut self, src: Id, ballot: Ballot, promised: Ballot) {
        if self.node.refusals && ballot < promised {
            self.send(src, Message::Refuse { ballot, promised });
        }
    }
}
