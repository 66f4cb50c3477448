//! Terms and roles: what every server does with the term of a message (section 5.1; figure 2, All
//! Servers), and which timers run in which role (figure 4).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Timer};
use super::state::Role;
use super::turn::Turn;
use crate::election::{CLIENT, Term};

impl Turn<'_, '_> {
    /// All servers: if a request or response contains a term above the own one, the server adopts
    /// it and follows (5.1). Then the message's own rule applies.
    pub(super) fn receive(&mut self, src: Id, msg: Message) {
        if self.disregards(&msg) {
            return;
        }
        if let Some(term) = msg.term() {
            let mut is_newer = term > self.term();
            if self.has(Bug::LowersTerm) && matches!(msg, Message::AppendEntries { .. }) {
                is_newer = term != self.term();
            }
            if self.has(Bug::LeadsOnWhenRefused) && matches!(msg, Message::Refused { .. }) {
                is_newer = false;
            }
            if is_newer {
                self.adopt(term);
            }
        }
        match msg {
            Message::RequestVote { term, last } => self.on_request_vote(src, term, last),
            Message::Vote { term } => self.on_vote(src, term),
            Message::PreVote { term, last } => self.on_pre_vote(src, term, last),
            Message::PreVoteGranted { term } => self.on_pre_vote_granted(src, term),
            Message::AppendEntries { term, prev, entry, commit } => {
                self.on_append_entries(src, term, prev, entry, commit)
            }
            Message::Appended { term, matched } => self.on_appended(src, term, matched),
            Message::Mismatch { term, prev } => self.on_mismatch(src, term, prev),
            Message::Refused { .. } => {}
        }
    }

    /// A server's term never decreases, and in a new one it has not voted (5.1, 5.2).
    fn adopt(&mut self, term: Term) {
        let persistent = self.persistent();
        persistent.term = term;
        persistent.voted_for = None;
        self.enter(Role::Follower { leader: None, lease: false });
    }

    /// Changes the role, and with it the timers that run and whether client input is taken.
    pub(super) fn enter(&mut self, role: Role) {
        let lease = |role: &Role| matches!(role, Role::Follower { lease: true, .. });
        if lease(&self.state.role) && !lease(&role) {
            self.out.cancel_timer(Timer::Lease);
        }
        match (self.is_leader(), matches!(role, Role::Leader(_))) {
            (false, true) => {
                self.out.cancel_timer(Timer::Election);
                self.out.set_timer(Timer::Heartbeat, self.node.heartbeat.clone());
                if self.node.check_quorum {
                    self.out.set_timer(Timer::Quorum, self.node.minimum_election_timeout());
                }
            }
            (true, false) => {
                self.out.cancel_timer(Timer::Heartbeat);
                if self.node.check_quorum {
                    self.out.cancel_timer(Timer::Quorum);
                }
                self.restart_election_timer();
                self.out.remove_random(CLIENT);
            }
            _ => {}
        }
        self.state.to_mut().role = role;
    }
}
