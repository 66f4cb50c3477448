//! The proposer (section 2.2, phases 1 (a) and 2 (a); 2.5 for its numbers).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Proposal, Value};
use super::state::{Ballot, Phase, State, Tally};
use super::turn::Turn;
use super::{Learners, Paxos};
use crate::election::NodeSet;

impl Turn<'_, '_> {
    /// Section 2.5: a number of its own, above all that it has tried. The least of these that its
    /// own acceptor would not refuse; a promise of one of its own numbers it made to itself.
    fn next_ballot(&self) -> Ballot {
        let disk = &self.state.durable;
        let own = if self.has(Bug::SharesBallots) { 0 } else { usize::from(self.id) };
        let ballots = (1..).map(|round: usize| Ballot((round * self.node.nodes + own) as u64));
        let next = ballots.into_iter().find(|&b| b > disk.tried && b >= disk.promised);
        next.expect("rounds do not end")
    }

    /// Phase 1 (a): ask the acceptors to prepare for a new number; its own promises at once.
    pub(super) fn prepare(&mut self) {
        let ballot = self.next_ballot();
        let bound = self.reported();
        let state = self.state.to_mut();
        state.durable.tried = ballot;
        state.durable.promised = ballot;
        self.abandon();
        let promises = NodeSet::from_iter([self.id]);
        self.state.to_mut().phase = Phase::Preparing { promises, bound };
        if promises.len() >= self.node.phase1 {
            return self.lead();
        }
        self.broadcast(&Message::Prepare { ballot });
    }

    /// The end of phase 1: with the promise that completes a quorum.
    pub(super) fn on_promise(&mut self, src: Id, ballot: Ballot, accepted: Proposal) {
        // A promise is for the ballot that it names (phase 1 (b): a response to the request with
        // number n).
        let is_for_this = ballot == self.state.durable.tried || self.has(Bug::PromiseNamesNoBallot);
        let Phase::Preparing { mut promises, bound } = self.state.phase else { return };
        if !is_for_this || promises.contains(src) {
            return;
        }
        promises.insert(src);
        let bound = self.binding(bound, accepted);
        self.state.to_mut().phase = Phase::Preparing { promises, bound };
        if promises.len() >= self.node.phase1 {
            self.lead();
        }
    }

    /// P2c: of what acceptors report, the proposal with the highest number binds the proposer.
    fn binding(&self, known: Proposal, reported: Proposal) -> Proposal {
        let binds = match self.node.bug {
            Some(Bug::TakesLowestBallot) => {
                known == Proposal::NONE || reported.ballot < known.ballot
            }
            Some(Bug::TakesLastReport) => true,
            _ => reported.ballot > known.ballot,
        };
        if binds && reported != Proposal::NONE { reported } else { known }
    }

    /// Phase 2 (a): propose the value that the reports bind it to, or what it wants itself if
    /// nothing was reported; its own acceptor accepts at once.
    fn lead(&mut self) {
        let Phase::Preparing { bound, .. } = self.state.phase else {
            unreachable!("only phase 1 leads here")
        };
        self.state.to_mut().phase = Phase::Leading;
        if self.node.election_only {
            return;
        }
        let is_free = match self.node.bug {
            Some(Bug::IgnoresReports) => true,
            Some(Bug::TakesEmptyReport) => false,
            _ => bound == Proposal::NONE,
        };
        let ballot = self.state.durable.tried;
        let value = if is_free { self.wanted(ballot) } else { bound.value };
        let proposal = Proposal { ballot, value };
        self.broadcast(&Message::Accept { proposal });
        self.accept(self.id, proposal);
    }

    /// What a proposer asks for in this ballot, in this life.
    fn wanted(&self, ballot: Ballot) -> Value {
        let round = ballot.0 / self.node.nodes as u64;
        let life = self.state.incarnation as u8;
        Value { node: usize::from(self.id) as u8 + 1, round: round as u8, life }
    }

    /// Section 2.2's optimisation, a proposer informed of a higher number: it gives up this ballot,
    /// and the next will be above the one that was in its way.
    pub(super) fn on_refuse(&mut self, ballot: Ballot, promised: Ballot) {
        let State { durable, phase, .. } = &**self.state;
        let is_under_way = *phase != Phase::Idle && durable.tried == ballot;
        if is_under_way && durable.learned.is_none() {
            self.abandon();
            self.state.to_mut().durable.tried = promised;
        }
    }

    /// Section 2.2: a proposer may abandon a proposal at any time; it does when it hears of a
    /// higher number.
    pub(super) fn abandon(&mut self) {
        let state = self.state.to_mut();
        state.phase = Phase::Idle;
        if self.node.learners == Learners::Leader {
            state.tally = Tally::default();
        }
    }
}

impl Paxos {
    /// Whether this node proposes at all.
    pub(super) fn proposes(&self, id: Id) -> bool {
        usize::from(id) < self.proposers
    }
}
