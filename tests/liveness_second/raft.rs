//! A Raft server, written from the paper once more: Ongaro and Ousterhout, *In Search of an
//! Understandable Consensus Algorithm* (extended version, 2014), figure 2 and section 5; PreVote,
//! CheckQuorum and disregarding candidates from Ongaro's thesis (2014), 9.6, 6.2 and 4.2.3.
//!
//! Where these leave something open, it is done as the README of `models/raft` says, so that the
//! same systems are asked about:
//! - a timer that is set has age 0; an election timeout is drawn from a range of ages, the others
//!   have one age; the first election timer is set at the start;
//! - to adopt a higher term does not set the election timer anew, but a leader that steps down
//!   starts one, as it had none;
//! - a lease lasts the minimum election timeout from the last AppendEntries of the own term, and
//!   CheckQuorum looks every minimum election timeout, counted from the election, at who has
//!   answered since it last looked;
//! - the only refusal that is sent is one that tells a higher term; an AppendEntries that matches
//!   nothing (with an empty log) is acknowledged only with CheckQuorum;
//! - at most one entry a message; a leader that is told of a mismatch goes back by one at once.
//!
//! Commitment and values are left out, as elections do not look at them: a log is a list of terms.

/// A term. The program that numbers them anew keeps them small.
pub type Term = u8;

/// Servers as bits.
pub type Set = u8;

/// What is the same for all servers and in all states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub servers: u8,
    pub pre_vote: bool,
    pub check_quorum: bool,
    pub sticky: bool,
    /// In ticks.
    pub heartbeat: u8,
    /// The first and the last age of an election timeout, in ticks.
    pub election: (u8, u8),
}

impl Options {
    pub fn is_majority(&self, set: Set) -> bool {
        set.count_ones() * 2 > u32::from(self.servers)
    }

    /// The first and the last age at which a timer fires.
    pub fn ages(&self, timer: Timer) -> (u8, u8) {
        match timer {
            Timer::Election => self.election,
            Timer::Heartbeat => (self.heartbeat, self.heartbeat),
            Timer::Lease | Timer::Quorum => (self.election.0, self.election.0),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    Election,
    Heartbeat,
    Lease,
    Quorum,
}

pub const TIMERS: [Timer; 4] = [Timer::Election, Timer::Heartbeat, Timer::Lease, Timer::Quorum];

/// Where a log ends, ordered as in 5.4.1: the term of the last entry, then the length.
pub type End = (Term, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    RequestVote { term: Term, end: End },
    Vote { term: Term },
    PreVote { term: Term, end: End },
    PreVoteGranted { term: Term },
    AppendEntries { term: Term, prev: End, entry: Option<Term> },
    Appended { term: Term, matched: u8 },
    Mismatch { term: Term, prev: u8 },
    Refused { term: Term },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Follower { leader: Option<u8> },
    PreCandidate { yes: Set },
    Candidate { yes: Set },
    Leader { next: Vec<u8>, matched: Vec<u8>, heard: Set },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    pub term: Term,
    pub voted_for: Option<u8>,
    /// The term of each entry.
    pub log: Vec<Term>,
    pub role: Role,
    /// How long each timer has been running, by [`TIMERS`]. A server holds a lease as long as that
    /// timer runs.
    pub timers: [Option<u8>; 4],
}

impl Server {
    /// Servers start as followers (5.2).
    pub fn new() -> Server {
        let role = Role::Follower { leader: None };
        let timers = [Some(0), None, None, None];
        Server { term: 0, voted_for: None, log: Vec::new(), role, timers }
    }

    pub fn runs(&self, timer: Timer) -> bool {
        self.timers[timer as usize].is_some()
    }

    fn set(&mut self, timer: Timer) {
        self.timers[timer as usize] = Some(0);
    }

    fn stop(&mut self, timer: Timer) {
        self.timers[timer as usize] = None;
    }

    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// The term of the entry at an index, which counts from 1; 0 before the first.
    fn term_at(&self, index: u8) -> Option<Term> {
        match index {
            0 => Some(0),
            _ => self.log.get(usize::from(index) - 1).copied(),
        }
    }

    fn last(&self) -> u8 {
        self.log.len() as u8
    }

    fn end(&self) -> End {
        (self.term_at(self.last()).unwrap_or(0), self.last())
    }
}

/// A server that handles one event.
pub struct Call<'a> {
    pub options: &'a Options,
    pub me: u8,
    pub server: &'a mut Server,
    /// What it sends, and to whom.
    pub sent: Vec<(u8, Message)>,
}

impl Call<'_> {
    fn send(&mut self, to: u8, message: Message) {
        self.sent.push((to, message));
    }

    fn send_to_all(&mut self, message: Message) {
        let me = self.me;
        let others = (0..self.options.servers).filter(|to| *to != me);
        self.sent.extend(others.map(|to| (to, message)));
    }

    /// Ends whatever a leader or a follower with a lease has running for it.
    fn become_follower(&mut self, leader: Option<u8>) {
        if self.server.leads() {
            self.server.stop(Timer::Heartbeat);
            self.server.stop(Timer::Quorum);
            self.server.set(Timer::Election);
        }
        self.server.stop(Timer::Lease);
        self.server.role = Role::Follower { leader };
    }

    pub fn fire(&mut self, timer: Timer) {
        self.server.stop(timer);
        match timer {
            Timer::Election if self.options.pre_vote => self.ask_for_pre_votes(),
            Timer::Election => self.stand(),
            Timer::Heartbeat => {
                self.server.set(Timer::Heartbeat);
                self.replicate();
            }
            // That it no longer runs is all there is to it.
            Timer::Lease => {}
            Timer::Quorum => self.check_quorum(),
        }
    }

    /// Thesis 9.6: a server becomes a candidate only after a majority has said that it would vote
    /// for it.
    fn ask_for_pre_votes(&mut self) {
        self.server.set(Timer::Election);
        self.server.stop(Timer::Lease);
        self.server.role = Role::PreCandidate { yes: 1 << self.me };
        let (term, end) = (self.server.term + 1, self.server.end());
        self.send_to_all(Message::PreVote { term, end });
        self.count();
    }

    /// Figure 2, Candidates: on conversion to candidate, start election.
    fn stand(&mut self) {
        self.server.term += 1;
        self.server.voted_for = Some(self.me);
        self.server.set(Timer::Election);
        self.server.stop(Timer::Lease);
        self.server.role = Role::Candidate { yes: 1 << self.me };
        let (term, end) = (self.server.term, self.server.end());
        self.send_to_all(Message::RequestVote { term, end });
        self.count();
    }

    /// Figure 2, Candidates: if votes are received from a majority of servers, become leader.
    fn count(&mut self) {
        match self.server.role {
            Role::PreCandidate { yes } if self.options.is_majority(yes) => self.stand(),
            Role::Candidate { yes } if self.options.is_majority(yes) => self.lead(),
            _ => {}
        }
    }

    /// Figure 2, Leaders: upon election send AppendEntries to each server; nextIndex is the index
    /// after the last entry of the log, matchIndex is 0.
    fn lead(&mut self) {
        let servers = usize::from(self.options.servers);
        let (next, matched) = (vec![self.server.last() + 1; servers], vec![0; servers]);
        self.server.role = Role::Leader { next, matched, heard: 0 };
        self.server.stop(Timer::Election);
        self.server.set(Timer::Heartbeat);
        if self.options.check_quorum {
            self.server.set(Timer::Quorum);
        }
        self.replicate();
    }

    /// Thesis 6.2: a leader steps down if an election timeout elapses without a successful round of
    /// heartbeats to a majority of its cluster.
    fn check_quorum(&mut self) {
        let Role::Leader { heard, .. } = &mut self.server.role else { return };
        if self.options.is_majority(*heard | 1 << self.me) {
            *heard = 0;
            self.server.set(Timer::Quorum);
        } else {
            self.become_follower(None);
        }
    }

    fn replicate(&mut self) {
        let me = self.me;
        (0..self.options.servers).filter(|to| *to != me).for_each(|to| self.send_entries(to));
    }

    /// AppendEntries with the entry at nextIndex, if there is one.
    fn send_entries(&mut self, to: u8) {
        let Role::Leader { next, .. } = &self.server.role else { return };
        let before = next[usize::from(to)] - 1;
        let prev = (self.server.term_at(before).unwrap_or(0), before);
        let (term, entry) = (self.server.term, self.server.term_at(before + 1));
        self.send(to, Message::AppendEntries { term, prev, entry });
    }

    /// Figure 2, Leaders: a command received from a client is appended to the log, and sent.
    pub fn take_input(&mut self) {
        self.server.log.push(self.server.term);
        self.replicate();
    }

    pub fn receive(&mut self, from: u8, message: Message) {
        let own = self.server.term;
        // Thesis 4.2.3. A request of a term that is over is refused all the same.
        if let Message::RequestVote { term, .. } = message
            && self.options.sticky
            && (self.server.leads() || self.server.runs(Timer::Lease))
            && term >= own
        {
            return;
        }
        // Figure 2, All Servers: a higher term is adopted. In a pre-vote there is none.
        let term = match message {
            Message::PreVote { .. } | Message::PreVoteGranted { .. } => own,
            Message::RequestVote { term, .. }
            | Message::Vote { term }
            | Message::AppendEntries { term, .. }
            | Message::Appended { term, .. }
            | Message::Mismatch { term, .. }
            | Message::Refused { term } => term,
        };
        if term > own {
            self.server.term = term;
            self.server.voted_for = None;
            self.become_follower(None);
        }
        match message {
            Message::RequestVote { term, end } => self.on_request_vote(from, term, end),
            Message::PreVote { term, end } => self.on_pre_vote(from, term, end),
            Message::Vote { term } => self.on_yes(from, term),
            Message::PreVoteGranted { term } => self.on_pre_yes(from, term),
            Message::AppendEntries { term, prev, entry } => {
                self.on_append_entries(from, term, prev, entry);
            }
            Message::Appended { term, matched } => self.on_appended(from, term, matched),
            Message::Mismatch { term, prev } => self.on_mismatch(from, term, prev),
            Message::Refused { .. } => {}
        }
    }

    /// Figure 2, RequestVote, receiver.
    fn on_request_vote(&mut self, from: u8, term: Term, end: End) {
        if term < self.server.term {
            return self.send(from, Message::Refused { term: self.server.term });
        }
        let is_free = self.server.voted_for.is_none() || self.server.voted_for == Some(from);
        if is_free && end >= self.server.end() {
            self.server.voted_for = Some(from);
            self.server.set(Timer::Election);
            self.send(from, Message::Vote { term });
        }
    }

    /// Thesis 9.6: yes, if the vote would be granted in that term, and no leader was heard within
    /// the minimum election timeout.
    fn on_pre_vote(&mut self, from: u8, term: Term, end: End) {
        let own = self.server.term;
        let is_free = self.server.voted_for.is_none() || self.server.voted_for == Some(from);
        let would_vote = (term > own || term == own && is_free) && end >= self.server.end();
        let has_leader = self.server.leads() || self.server.runs(Timer::Lease);
        if would_vote && !has_leader {
            self.send(from, Message::PreVoteGranted { term });
        } else if term <= own {
            self.send(from, Message::Refused { term: own });
        }
    }

    fn on_yes(&mut self, from: u8, term: Term) {
        if let Role::Candidate { yes } = &mut self.server.role
            && term == self.server.term
        {
            *yes |= 1 << from;
            self.count();
        }
    }

    fn on_pre_yes(&mut self, from: u8, term: Term) {
        if let Role::PreCandidate { yes } = &mut self.server.role
            && term == self.server.term + 1
        {
            *yes |= 1 << from;
            self.count();
        }
    }

    /// Figure 2, AppendEntries, receiver.
    fn on_append_entries(&mut self, from: u8, term: Term, prev: End, entry: Option<Term>) {
        if term < self.server.term {
            return self.send(from, Message::Refused { term: self.server.term });
        }
        self.become_follower(Some(from));
        self.server.set(Timer::Election);
        if self.options.pre_vote || self.options.sticky {
            self.server.set(Timer::Lease);
        }
        let (prev_term, prev) = prev;
        if self.server.term_at(prev) != Some(prev_term) {
            return self.send(from, Message::Mismatch { term, prev });
        }
        if let Some(entry) = entry
            && self.server.term_at(prev + 1) != Some(entry)
        {
            self.server.log.truncate(usize::from(prev));
            self.server.log.push(entry);
        }
        let matched = prev + u8::from(entry.is_some());
        if matched > 0 || self.options.check_quorum {
            self.send(from, Message::Appended { term, matched });
        }
    }

    /// What a leader knows of the sender of an answer in its term: nextIndex and matchIndex.
    fn heard_from(&mut self, from: u8, in_term: Term) -> Option<(&mut u8, &mut u8)> {
        let is_current = in_term == self.server.term;
        let Role::Leader { next, matched, heard } = &mut self.server.role else { return None };
        if !is_current {
            return None;
        }
        if self.options.check_quorum {
            *heard |= 1 << from;
        }
        Some((&mut next[usize::from(from)], &mut matched[usize::from(from)]))
    }

    /// Figure 2, Leaders: if successful, update nextIndex and matchIndex; if the log goes on, send
    /// what follows.
    fn on_appended(&mut self, from: u8, term: Term, until: u8) {
        let last = self.server.last();
        let Some((next, matched)) = self.heard_from(from, term) else { return };
        if until > *matched {
            *matched = until;
            *next = (*next).max(until + 1);
            if *next <= last {
                self.send_entries(from);
            }
        }
    }

    /// Figure 2, Leaders: if AppendEntries fails because of log inconsistency, decrement nextIndex
    /// and retry. Of several answers only that to the latest request counts.
    fn on_mismatch(&mut self, from: u8, term: Term, prev: u8) {
        let Some((next, matched)) = self.heard_from(from, term) else { return };
        if *next == prev + 1 && prev > *matched {
            *next = prev;
            self.send_entries(from);
        }
    }
}
