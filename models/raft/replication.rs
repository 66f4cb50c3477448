//! Log replication (section 5.3): the leader appends entries and sends them, followers make their
//! logs equal to the leader's, and the leader commits what a majority has (5.4.2).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Command, Entry, Message, Position, Timer};
use super::state::{Progress, Role};
use super::turn::Turn;
use crate::election::{NodeSet, Term};

/// The leader.
impl Turn<'_, '_> {
    /// Leaders: heartbeats repeat, so that no election timeout passes (5.2) and lost entries are
    /// sent again (5.3).
    pub(super) fn on_heartbeat_timeout(&mut self) {
        self.out.set_timer(Timer::Heartbeat, self.node.heartbeat.clone());
        self.replicate();
    }

    /// Leaders: a command from a client is appended to the own log, and sent (5.3).
    pub(super) fn on_client_request(&mut self, command: Command) {
        self.append(command);
        self.replicate();
        self.advance_commit();
        self.offer_input();
    }

    /// Appends a command to the own log, in the own term.
    pub(super) fn append(&mut self, command: Command) {
        let entry = Entry { term: self.term(), command };
        self.persistent().log.push(entry);
    }

    /// AppendEntries RPC to every other member of the configuration.
    pub(super) fn replicate(&mut self) {
        for peer in self.peers() {
            self.send_append_entries(peer);
        }
    }

    /// Leaders: the entry at nextIndex goes out, if the log reaches that far (5.3); otherwise a
    /// heartbeat.
    fn send_append_entries(&mut self, dst: Id) {
        let Role::Leader(leading) = &self.state.role else { return };
        let next = leading.progress[usize::from(dst)].next;
        let before = next - 1;
        let prev = Position { index: before, term: self.log().term_at(before).unwrap_or_default() };
        let (term, entry, commit) = (self.term(), self.log().get(next), self.state.commit);
        self.send(dst, Message::AppendEntries { term, prev, entry, commit });
    }

    /// Leaders: a success updates matchIndex and nextIndex (5.3), and what is still missing is
    /// sent.
    pub(super) fn on_appended(&mut self, src: Id, term: Term, matched: usize) {
        if term != self.term() || !self.is_leader() {
            return;
        }
        self.hear_from_follower(src);
        let known = self.leading().progress[usize::from(src)];
        if matched > known.matched {
            let next = known.next.max(matched + 1);
            self.leading_mut().progress[usize::from(src)] = Progress { next, matched };
            let last = self.log().last_index();
            self.advance_commit();
            // Upon a commitment a configuration may have been appended. Then everybody has been
            // sent what it lacks.
            let is_sent = self.log().last_index() > last;
            if next <= last && !is_sent {
                self.send_append_entries(src);
            }
        }
    }

    /// Leaders: if the check of the previous entry fails, nextIndex moves back by one (5.3). Only
    /// the answer to the latest request counts: earlier ones bring nothing new.
    pub(super) fn on_mismatch(&mut self, src: Id, term: Term, prev: usize) {
        if term != self.term() || !self.is_leader() {
            return;
        }
        self.hear_from_follower(src);
        let known = self.leading().progress[usize::from(src)];
        if known.next == prev + 1 && prev > known.matched {
            self.leading_mut().progress[usize::from(src)].next = prev;
            self.send_append_entries(src);
        }
    }

    /// Leaders: the last entry of the own term that a majority has is committed, and all before it
    /// (5.3, 5.4.2).
    pub(super) fn advance_commit(&mut self) {
        let Role::Leader(leading) = &self.state.role else { return };
        let log = self.log();
        let has = |index: usize, server: Id| {
            server == self.id || leading.progress[usize::from(server)].matched >= index
        };
        let servers = NodeSet::first(self.node.nodes);
        let is_committed = |index: &usize| {
            let is_current =
                log.term_at(*index) == Some(self.term()) || self.has(Bug::CommitsOldTerms);
            let holders: Vec<Id> = servers.iter().filter(|&server| has(*index, server)).collect();
            is_current && self.is_quorum(&holders)
        };
        let newly = (self.state.commit + 1..=log.last_index()).rev().find(is_committed);
        if let Some(index) = newly {
            self.state.to_mut().commit = index;
            self.on_commit();
        }
    }
}

/// The follower.
impl Turn<'_, '_> {
    /// AppendEntries RPC, receiver.
    pub(super) fn on_append_entries(
        &mut self,
        src: Id,
        term: Term,
        prev: Position,
        entry: Option<Entry>,
        commit: usize,
    ) {
        // 1. Nothing from a leader whose term is over.
        if term < self.term() {
            if self.has(Bug::StaleLeaderRestartsTimer) && !self.is_leader() {
                self.restart_election_timer();
            }
            if !self.has(Bug::AcceptsStaleAppends) {
                return self.refuse(src);
            }
        }
        self.hear_from_leader(src);
        let term = self.term();
        // 2. Nothing after an entry that is not in the log.
        if self.log().term_at(prev.index) != Some(prev.term) && !self.has(Bug::NoPreviousCheck) {
            return self.send(src, Message::Mismatch { term, prev: prev.index });
        }
        // 3. An entry that conflicts with a new one goes, and all that follow it.
        // 4. New entries are appended.
        if self.has(Bug::TruncatesAlways) && prev.index < self.log().last_index() {
            self.persistent().log.truncate(prev.index);
        }
        if let Some(entry) = entry {
            let present = self.log().term_at(prev.index + 1);
            if present != Some(entry.term) {
                let log = &mut self.persistent().log;
                log.truncate(prev.index);
                log.push(entry);
            }
        }
        // 5. What the leader has committed is committed here, as far as this log is known to agree
        //    with the leader's.
        let verified = prev.index + usize::from(entry.is_some());
        let mut committed = commit.min(verified);
        if self.has(Bug::CommitsUnverified) {
            committed = commit.min(self.log().last_index());
        }
        if committed > self.state.commit {
            self.state.to_mut().commit = committed;
        }
        let mut matched = verified;
        if self.has(Bug::AcknowledgesWholeLog) {
            matched = self.log().last_index();
        }
        // That nothing agrees is no news. Only CheckQuorum asks for an answer even then.
        if matched == 0 && !self.node.check_quorum {
            return;
        }
        if self.has(Bug::AcknowledgesBeforeSaving) {
            return self.out.send(src, Message::Appended { term, matched });
        }
        self.send(src, Message::Appended { term, matched });
    }

    /// Who receives AppendEntries of its own term follows their sender; a candidate has lost (5.2).
    /// It keeps the vote that it has given in this term, even if that went to itself.
    fn hear_from_leader(&mut self, leader: Id) {
        if self.is_leader() {
            return; // Only with a planted bug: no two servers lead one term.
        }
        let was_candidate =
            matches!(self.state.role, Role::Candidate { .. } | Role::PreCandidate { .. });
        if self.has(Bug::ClearsVoteInTerm) || self.has(Bug::FormerCandidateForgets) && was_candidate
        {
            self.persistent().voted_for = None;
        }
        self.restart_election_timer();
        let lease = self.node.keeps_leases();
        let follower = Role::Follower { leader: Some(leader), lease };
        if self.state.role != follower {
            self.enter(follower);
        }
        if lease {
            self.out.set_timer(Timer::Lease, self.node.minimum_election_timeout());
        }
    }
}
