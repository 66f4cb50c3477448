//! Leader election (section 5.2): candidates, voters, and the restriction on the log of who may be
//! elected (5.4.1).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Position};
use super::state::{Leadership, Progress, Role};
use super::turn::Turn;
use crate::election::{NodeSet, Term};

impl Turn<'_, '_> {
    /// Followers and candidates: if the election timeout passes without AppendEntries of the
    /// current leader and without a vote granted, an election starts (5.2). With PreVote, the
    /// server first asks whether it would win (thesis 9.6).
    pub(super) fn on_election_timeout(&mut self) {
        if !self.node.pre_vote {
            return self.campaign();
        }
        self.restart_election_timer();
        if self.has(Bug::PreVoteClearsVote) {
            self.persistent().voted_for = None;
        }
        self.enter(Role::PreCandidate { votes: vec![self.id] });
        let (term, last) = (self.next_term(), self.log().last());
        self.broadcast(&Message::PreVote { term, last });
        self.count_votes();
    }

    /// Candidates: increment the term, vote for self, reset the election timer, ask all others
    /// (5.2).
    fn campaign(&mut self) {
        let mut own_vote = Some(self.id);
        if self.has(Bug::NoSelfVote) {
            own_vote = None;
        }
        let term = self.next_term();
        self.persistent().term = term;
        self.persistent().voted_for = own_vote;
        self.restart_election_timer();
        self.enter(Role::Candidate { votes: vec![self.id] });
        let (term, last) = (self.term(), self.log().last());
        self.broadcast(&Message::RequestVote { term, last });
        self.count_votes();
    }

    /// RequestVote RPC, receiver.
    pub(super) fn on_request_vote(&mut self, src: Id, term: Term, last: Position) {
        // 1. No vote in a term that is over.
        if term < self.term() {
            return self.refuse(src);
        }
        // 2. A vote if none was given to another in this term, and the candidate's log is at least
        //    as up-to-date.
        let is_free = self.state.persistent.voted_for.is_none_or(|candidate| candidate == src);
        if (is_free || self.has(Bug::VotesTwice)) && self.is_up_to_date(last) {
            if self.state.persistent.voted_for != Some(src) {
                self.persistent().voted_for = Some(src);
            }
            self.restart_election_timer();
            if self.has(Bug::AnswersBeforeSaving) {
                return self.out.send(src, Message::Vote { term });
            }
            self.send(src, Message::Vote { term });
        } else if self.has(Bug::RefusalRestartsTimer) && !self.is_leader() {
            self.restart_election_timer();
        }
    }

    /// With stickiness: a server that has heard from a leader within the minimum election timeout
    /// neither grants a vote nor takes over the candidate's term; nor does a leader (thesis 4.2.3).
    /// The thesis leaves open whether the request is answered. Here it is dropped, but one of a
    /// term that is over is refused as always.
    pub(super) fn disregards(&self, msg: &Message) -> bool {
        let Message::RequestVote { term, .. } = msg else { return false };
        let has_leader = match self.state.role {
            Role::Follower { lease, .. } => lease,
            Role::PreCandidate { .. } | Role::Candidate { .. } => false,
            Role::Leader(_) => true,
        };
        self.node.sticky && has_leader && *term >= self.term()
    }

    /// Whether a log that ends there is at least as up-to-date as this one: the later last term
    /// wins, then the longer log (5.4.1).
    pub(super) fn is_up_to_date(&self, last: Position) -> bool {
        let own = self.log().last();
        if self.has(Bug::VotesForAnyLog) {
            return true;
        }
        if self.has(Bug::ComparesLengthOnly) {
            return last.index >= own.index;
        }
        (last.term, last.index) >= (own.term, own.index)
    }

    /// Candidates: a vote of the own term counts, once for each voter (5.2).
    pub(super) fn on_vote(&mut self, src: Id, term: Term) {
        let again = self.has(Bug::CountsVotesTwice);
        if term != self.term() {
            return;
        }
        if let Role::Candidate { votes } = &self.state.role
            && let Some(votes) = with_vote(votes, src, again)
        {
            self.enter(Role::Candidate { votes });
            self.count_votes();
        }
    }

    /// Candidates: votes from a majority of the servers make a leader (5.2); pre-votes make a
    /// candidate (thesis 9.6).
    pub(super) fn count_votes(&mut self) {
        match &self.state.role {
            Role::PreCandidate { votes } if self.is_quorum(votes) => self.campaign(),
            Role::Candidate { votes } if self.is_quorum(votes) => self.lead(),
            _ => {}
        }
    }

    /// Leaders: upon election, a leader sends heartbeats to everybody (5.2), and knows nothing of
    /// the other logs yet (5.3).
    fn lead(&mut self) {
        let unknown = Progress { next: self.log().last_index() + 1, matched: 0 };
        let progress = vec![unknown; self.node.nodes];
        self.enter(Role::Leader(Leadership { progress, heard: NodeSet::default() }));
        if !self.leave_joint_members() {
            self.replicate();
        }
        self.offer_input();
    }
}

/// The votes with one more. `None` if the voter was counted before, and may not be counted `again`.
pub(super) fn with_vote(votes: &[Id], voter: Id, again: bool) -> Option<Vec<Id>> {
    if votes.contains(&voter) && !again {
        return None;
    }
    let mut votes = votes.to_vec();
    votes.push(voter);
    votes.sort_unstable();
    Some(votes)
}
