//! PreVote (thesis 9.6), where the option asks for it: before a server stands, it asks whether it
//! would win. A server that has heard from a leader within the minimum election timeout (its
//! *lease*) says no.

use stateright::actor::Id;

use super::bugs::Bug;
use super::election::with_vote;
use super::message::{Message, Position};
use super::state::Role;
use super::turn::Turn;
use crate::election::Term;

impl Turn<'_, '_> {
    /// The receiver says yes if it would grant a vote in that term, and has not heard from a leader
    /// within the minimum election timeout. It promises nothing, so its state does not change.
    pub(super) fn on_pre_vote(&mut self, src: Id, term: Term, last: Position) {
        let has_leader = match self.state.role {
            Role::Follower { lease, .. } => lease && !self.has(Bug::PreVoteWithoutLease),
            Role::PreCandidate { .. } | Role::Candidate { .. } => false,
            Role::Leader(_) => {
                !self.has(Bug::PreVoteWithoutLease) && !self.has(Bug::LeaderGrantsPreVote)
            }
        };
        let voted_for = self.state.persistent.voted_for;
        let is_free =
            term > self.term() || term == self.term() && voted_for.is_none_or(|c| c == src);
        let would_vote = self.is_up_to_date(last) || self.has(Bug::PreVoteForAnyLog);
        if is_free && !has_leader && would_vote {
            if self.has(Bug::PreVoteRestartsTimer) && !self.is_leader() {
                self.restart_election_timer();
            }
            self.out.send(src, Message::PreVoteGranted { term });
        } else if term <= self.term() && !self.has(Bug::PreVoteHidesTerm) {
            self.refuse(src);
        }
    }

    /// Pre-candidates: a pre-vote for the next term counts, once for each voter.
    pub(super) fn on_pre_vote_granted(&mut self, src: Id, term: Term) {
        if self.has(Bug::PreVoteCountsAsVote) && term == self.term() {
            return self.on_vote(src, term);
        }
        if term != self.next_term() {
            return;
        }
        if let Role::PreCandidate { votes } = &self.state.role
            && let Some(votes) = with_vote(votes, src, false)
        {
            self.enter(Role::PreCandidate { votes });
            self.count_votes();
        }
    }

    /// The server has not heard from a leader for the minimum election timeout.
    pub(super) fn on_lease_timeout(&mut self) {
        if let Role::Follower { lease, .. } = &mut self.state.to_mut().role {
            *lease = false;
        }
    }
}
