//! Raft, after the extended version of "In Search of an Understandable Consensus Algorithm" (Ongaro and Ousterhout,
//! 2014); "figure 2" below is that paper's. PreVote, CheckQuorum and changes by one server are those of Ongaro's thesis
//! (2014), "thesis" below.
//!
//! This file is the server, rule by rule: each handler names the rule that it carries out, and each planted bug is one
//! `if` at the rule that it breaks. What it relies on: [`log`] (entries), [`members`] (quorums), [`message`]. What must
//! hold of it stands in [`history`] (figure 3), [`rules`] and [`roles`] (figures 2 and 4, step by step), what a run can
//! reach in [`goals`]; options and bugs, as data, in [`about`]. What is left out on purpose: see the README beside this
//! file.

mod about;
mod goals;
mod history;
mod log;
mod members;
mod message;
mod roles;
mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

pub use about::Bug;
pub use history::Past;
pub use log::{Command, Entry, Log, Position};
pub use members::{Members, Membership};
pub use message::Message;

use crate::election::{
    About, AfterHealing, CLIENT, Election, Goal, Healed, Invariant, Led, NodeSet, NodeStep, Setup, Term,
    node_name,
};

/// A server's configuration: what does not change while it runs.
#[derive(Clone, Debug)]
pub struct Raft {
    nodes: usize,
    /// How many client inputs a run may contain; without any, logs stay empty and only elections are left.
    values: u32,
    pre_vote: bool,
    check_quorum: bool,
    membership: Membership,
    /// The configuration before any that a log contains.
    initial: Members,
    heartbeat: Range<Duration>,
    election: Range<Duration>,
    bug: Option<Bug>,
}

/// Persistent state on all servers: saved before anything that depends on it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Persistent {
    pub term: Term,
    pub voted_for: Option<Id>,
    pub log: Log,
}

/// A server's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// The copy in memory. It is on disk, too, whenever a handler has ended; not so in the middle of one, nor where a
    /// planted bug forgets.
    pub persistent: Persistent,
    /// commitIndex. Committed entries count as applied at once.
    pub commit: usize,
    pub role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// `lease`: heard from that leader within the minimum election timeout (kept only with PreVote).
    Follower {
        leader: Option<Id>,
        lease: bool,
    },
    /// Asks whether it would win the next term. In the order of servers, those that have said yes.
    PreCandidate {
        votes: Vec<Id>,
    },
    /// In the order of servers, those that have voted for it.
    Candidate {
        votes: Vec<Id>,
    },
    Leader(Leadership),
}

/// Volatile state on leaders, reinitialised after election.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leadership {
    /// By server; the leader's own is not used.
    pub progress: Vec<Progress>,
    /// Who has answered since the quorum was last checked (kept only with CheckQuorum).
    pub heard: NodeSet,
}

/// What a leader knows of one server's log: nextIndex and matchIndex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Progress {
    pub next: usize,
    pub matched: usize,
}

/// A server's timers. The names are those of what passes when they fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The election timeout of a server that does not lead.
    Election,
    /// The interval between a leader's heartbeats.
    Heartbeat,
    /// With PreVote: the minimum election timeout since a leader was heard.
    Lease,
    /// With CheckQuorum: the time within which a leader must hear from a quorum.
    Quorum,
}

impl Actor for Raft {
    type Msg = Message;
    type Timer = Timer;
    type State = Server;
    type Storage = Persistent;
    type Random = Command;

    /// Servers start up as followers (5.2), with what they had on disk.
    fn on_start(&self, _id: Id, storage: &Option<Persistent>, o: &mut Out<Self>) -> Server {
        let mut persistent = storage.clone().unwrap_or_default();
        if self.bug == Some(Bug::ForgetsVote) {
            persistent.voted_for = None;
        }
        if self.bug == Some(Bug::ForgetsTerm) {
            persistent.term = Term(0);
        }
        o.set_timer(Timer::Election, self.election.clone());
        Server { persistent, commit: 0, role: Role::Follower { leader: None, lease: false } }
    }

    fn on_msg(&self, id: Id, server: &mut Cow<Server>, src: Id, msg: Message, o: &mut Out<Self>) {
        self.turn(id, server, o, |turn| turn.receive(src, msg));
    }

    fn on_timeout(&self, id: Id, server: &mut Cow<Server>, timer: &Timer, o: &mut Out<Self>) {
        self.turn(id, server, o, |turn| match timer {
            Timer::Election => turn.on_election_timeout(),
            Timer::Heartbeat => turn.on_heartbeat_timeout(),
            Timer::Lease => turn.on_lease_timeout(),
            Timer::Quorum => turn.on_quorum_timeout(),
        });
    }

    fn on_random(&self, id: Id, server: &mut Cow<Server>, command: &Command, o: &mut Out<Self>) {
        self.turn(id, server, o, |turn| turn.on_client_request(*command));
    }
}

fn members_follow(healed: &Healed<'_, Raft>) -> Result<Option<Led>, String> {
    let led = healed.followed_leader()?;
    let (raft, leader) = healed.get(led.0).expect("a leader is up");
    let log = &leader.persistent.log;
    let members = raft.members(log).all();
    healed.all_follow(led, members)?;
    let mut up = healed.live().filter(|(id, ..)| members.contains(*id));
    match up.find(|(_, _, server)| !server.persistent.log.starts_with(log)) {
        Some((id, ..)) => {
            Err(format!("{} has not the log of its leader {}", node_name(id), node_name(led.0)))
        }
        None => Ok(Some(led)),
    }
}

/// A server can win if no log is more up-to-date than its own, and its own configuration has a quorum that is up. What
/// others take for the configuration may be outdated; and what a server that is down has in a more recent log may be on its
/// way to others.
fn most_recent_has_quorum(healed: &Healed<'_, Raft>) -> bool {
    let recency = |log: &Log| {
        let Position { index, term } = log.last();
        (term, index)
    };
    let up: Vec<Id> = healed.up().iter().collect();
    let Some(most_recent) = healed.live().map(|(_, _, server)| recency(&server.persistent.log)).max() else {
        return false;
    };
    let logs = healed.states.iter().zip(&healed.disks).filter_map(|(server, disk)| match server {
        Some(server) => Some(&server.persistent.log),
        None => disk.map(|disk| &disk.log),
    });
    let mut counted = logs.filter(|log| recency(log) >= most_recent);
    let raft = &healed.nodes[0];
    counted.all(|log| raft.members(log).are_carried_by(&up, raft.bug))
}

impl Election for Raft {
    type Witness = Past;

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    fn term(&self, server: &Server) -> Term {
        server.persistent.term
    }

    fn leads(&self, _id: Id, server: &Server) -> Option<Term> {
        matches!(server.role, Role::Leader(_)).then_some(server.persistent.term)
    }

    fn follows(&self, _id: Id, server: &Server) -> Option<(Term, Id)> {
        match server.role {
            Role::Follower { leader: Some(leader), .. } => Some((server.persistent.term, leader)),
            _ => None,
        }
    }

    fn is_quorum(&self, server: &Server, _nodes: usize, _live: NodeSet, members: NodeSet) -> bool {
        self.members(&server.persistent.log).are_carried_by(&members.iter().collect::<Vec<_>>(), self.bug)
    }

    fn inputs(servers: &[Self]) -> u32 {
        servers.first().map_or(0, |server| server.values)
    }

    fn observe(past: &Past, step: &NodeStep<'_, Self>) -> Option<Past> {
        history::observe(past, step)
    }

    /// A leader that the members of its configuration follow, and whose log they have, perhaps with more entries after it:
    /// those go when they conflict with a new one, and not before (5.3). Nor may entries of earlier terms ever be
    /// committed: without a client there is no entry of the leader's own (5.4.2). Servers that were removed are not asked.
    fn after_healing(_: &[Self]) -> Result<AfterHealing<Self>, String> {
        Ok(AfterHealing {
            meaning: "a leader comes about that every member of its configuration that is up follows, with the leader's log",
            recovered: members_follow,
            can_recover: most_recent_has_quorum,
            takes: |command| !matches!(command, Command::Members(_)),
        })
    }

    fn input_number(input: &Command) -> Option<u32> {
        match *input {
            Command::Value(number) => Some(number),
            Command::Members(_) => None,
        }
    }

    fn invariants() -> Vec<Invariant<Self>> {
        history::invariants().into_iter().chain(rules::invariants()).collect()
    }

    fn goals() -> Vec<Goal<Self>> {
        goals::goals()
    }

    /// Rests on two facts about a server: its term never falls, and once it has stopped being the candidate or leader
    /// of a term it is not that again. A candidate may yet come to lead its term, and with a planted bug answers to
    /// that leader may be there already.
    fn is_dead(&self, _id: Id, server: &Server, src: Id, msg: &Message) -> bool {
        if self.bug.is_some_and(Bug::revives_messages) {
            return false;
        }
        let own = server.persistent.term;
        match *msg {
            // Not a candidate in that term any more, or counted.
            Message::Vote { term } => {
                let counts = match &server.role {
                    Role::Candidate { votes } => !votes.contains(&src),
                    _ => false,
                };
                term < own || term == own && !counts
            }
            // A term that was reached. Short of that, another round of pre-votes could count the answer.
            Message::PreVoteGranted { term } => term <= own,
            Message::Refused { term } => term <= own,
            // Not the leader of that term any more, or the leader knows. Under CheckQuorum it is a sign of life.
            Message::Appended { term, matched } => match &server.role {
                Role::Leader(leading) if term == own => {
                    !self.check_quorum && leading.progress[usize::from(src)].matched >= matched
                }
                Role::Candidate { .. } => term < own,
                _ => term <= own,
            },
            Message::Mismatch { term, prev } => match &server.role {
                Role::Leader(leading) if term == own => {
                    let known = leading.progress[usize::from(src)];
                    !self.check_quorum && (prev <= known.matched || prev >= known.next)
                }
                Role::Candidate { .. } => term < own,
                _ => term <= own,
            },
            // Requests are never dead: once the receiver's term is a higher one, the answer says so.
            Message::RequestVote { .. } | Message::PreVote { .. } | Message::AppendEntries { .. } => false,
        }
    }
}

impl Raft {
    fn turn<'s>(
        &self,
        id: Id,
        server: &mut Cow<'s, Server>,
        o: &mut Out<Self>,
        handler: impl FnOnce(&mut Turn<'_, 's>),
    ) {
        let mut turn = Turn { raft: self, id, server, unsaved: false, o };
        handler(&mut turn);
        turn.save();
    }

    /// A server uses the last configuration in its log, whether or not it is committed (thesis 4.1).
    fn members(&self, log: &Log) -> Members {
        match self.membership {
            Membership::Fixed => self.initial,
            Membership::Single | Membership::Joint => log.members().map_or(self.initial, |(_, last)| last),
        }
    }

    /// The shortest time after which a server may start an election.
    fn minimum_election_timeout(&self) -> Range<Duration> {
        self.election.start..self.election.start
    }
}

/// One server in the middle of one step.
struct Turn<'a, 's> {
    raft: &'a Raft,
    id: Id,
    server: &'a mut Cow<'s, Server>,
    /// Whether the disk lags behind the state.
    unsaved: bool,
    o: &'a mut Out<Raft>,
}

/// Rules for servers.
impl Turn<'_, '_> {
    fn receive(&mut self, src: Id, msg: Message) {
        // All servers: if a request or response contains a term above the own one, adopt it and follow (5.1).
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

    /// Followers and candidates: an election timeout without a leader's or a granted candidate's message starts an
    /// election (5.2); with PreVote, the question whether it could be won (thesis 9.6).
    fn on_election_timeout(&mut self) {
        if !self.raft.pre_vote {
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

    /// Candidates: increment the term, vote for self, reset the election timer, ask all others (5.2).
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
    fn on_request_vote(&mut self, src: Id, term: Term, last: Position) {
        // 1. No vote in a term that is over.
        if term < self.term() {
            return self.refuse(src);
        }
        // 2. A vote if none was given to another in this term, and the candidate's log is at least as up-to-date.
        let is_free = self.server.persistent.voted_for.is_none_or(|candidate| candidate == src);
        if (is_free || self.has(Bug::VotesTwice)) && self.is_up_to_date(last) {
            if self.server.persistent.voted_for != Some(src) {
                self.persistent().voted_for = Some(src);
            }
            self.restart_election_timer();
            if self.has(Bug::AnswersBeforeSaving) {
                return self.o.send(src, Message::Vote { term });
            }
            self.send(src, Message::Vote { term });
        } else if self.has(Bug::RefusalRestartsTimer) && !self.is_leader() {
            self.restart_election_timer();
        }
    }

    /// Whether a log that ends there is at least as up-to-date as this one: the later last term wins, then the longer
    /// log (5.4.1).
    fn is_up_to_date(&self, last: Position) -> bool {
        let own = self.log().last();
        if self.has(Bug::VotesForAnyLog) {
            return true;
        }
        if self.has(Bug::ComparesLengthOnly) {
            return last.index >= own.index;
        }
        (last.term, last.index) >= (own.term, own.index)
    }

    fn on_vote(&mut self, src: Id, term: Term) {
        let again = self.has(Bug::CountsVotesTwice);
        if term != self.term() {
            return;
        }
        if let Role::Candidate { votes } = &self.server.role
            && let Some(votes) = with_vote(votes, src, again)
        {
            self.enter(Role::Candidate { votes });
            self.count_votes();
        }
    }

    /// Candidates: votes from a majority of the servers make a leader (5.2); pre-votes make a candidate (thesis 9.6).
    fn count_votes(&mut self) {
        match &self.server.role {
            Role::PreCandidate { votes } if self.is_quorum(votes) => self.campaign(),
            Role::Candidate { votes } if self.is_quorum(votes) => self.lead(),
            _ => {}
        }
    }

    /// PreVote (thesis 9.6): yes if a vote in that term would be granted, and no leader was heard of within the minimum
    /// election timeout. Nothing is promised, so nothing changes.
    fn on_pre_vote(&mut self, src: Id, term: Term, last: Position) {
        let has_leader = match self.server.role {
            Role::Follower { lease, .. } => lease && !self.has(Bug::PreVoteWithoutLease),
            Role::PreCandidate { .. } | Role::Candidate { .. } => false,
            Role::Leader(_) => !self.has(Bug::PreVoteWithoutLease) && !self.has(Bug::LeaderGrantsPreVote),
        };
        let voted_for = self.server.persistent.voted_for;
        let is_free = term > self.term() || term == self.term() && voted_for.is_none_or(|c| c == src);
        let would_vote = self.is_up_to_date(last) || self.has(Bug::PreVoteForAnyLog);
        if is_free && !has_leader && would_vote {
            if self.has(Bug::PreVoteRestartsTimer) && !self.is_leader() {
                self.restart_election_timer();
            }
            self.o.send(src, Message::PreVoteGranted { term });
        } else if term <= self.term() && !self.has(Bug::PreVoteHidesTerm) {
            self.refuse(src);
        }
    }

    fn on_pre_vote_granted(&mut self, src: Id, term: Term) {
        if self.has(Bug::PreVoteCountsAsVote) && term == self.term() {
            return self.on_vote(src, term);
        }
        if term != self.next_term() {
            return;
        }
        if let Role::PreCandidate { votes } = &self.server.role
            && let Some(votes) = with_vote(votes, src, false)
        {
            self.enter(Role::PreCandidate { votes });
            self.count_votes();
        }
    }

    /// Leaders: upon election, heartbeats to everybody (5.2) and nothing known of any log (5.3).
    fn lead(&mut self) {
        let unknown = Progress { next: self.log().last_index() + 1, matched: 0 };
        let progress = vec![unknown; self.raft.nodes];
        self.enter(Role::Leader(Leadership { progress, heard: NodeSet::default() }));
        if !self.leave_joint_members() {
            self.replicate();
        }
        self.offer_input();
    }

    /// Leaders: heartbeats repeat, so that no election timeout passes (5.2) and lost entries are sent again (5.3).
    fn on_heartbeat_timeout(&mut self) {
        self.o.set_timer(Timer::Heartbeat, self.raft.heartbeat.clone());
        self.replicate();
    }

    /// Leaders: a command from a client is appended to the own log, and sent (5.3).
    fn on_client_request(&mut self, command: Command) {
        self.append(command);
        self.replicate();
        self.advance_commit();
        self.offer_input();
    }

    fn append(&mut self, command: Command) {
        let entry = Entry { term: self.term(), command };
        self.persistent().log.push(entry);
    }

    /// AppendEntries RPC to every other member of the configuration.
    fn replicate(&mut self) {
        for peer in self.peers() {
            self.send_append_entries(peer);
        }
    }

    /// Leaders: with the entry at nextIndex, if the log reaches that far (5.3); otherwise a heartbeat.
    fn send_append_entries(&mut self, dst: Id) {
        let Role::Leader(leading) = &self.server.role else { return };
        let next = leading.progress[usize::from(dst)].next;
        let before = next - 1;
        let prev = Position { index: before, term: self.log().term_at(before).unwrap_or_default() };
        let (term, entry, commit) = (self.term(), self.log().get(next), self.server.commit);
        self.send(dst, Message::AppendEntries { term, prev, entry, commit });
    }

    /// AppendEntries RPC, receiver.
    fn on_append_entries(
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
        // 3. An entry that conflicts with a new one goes, and all that follow it. 4. New entries are appended.
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
        // 5. What the leader knows to be committed is, as far as the log is known to be the leader's.
        let verified = prev.index + usize::from(entry.is_some());
        let mut committed = commit.min(verified);
        if self.has(Bug::CommitsUnverified) {
            committed = commit.min(self.log().last_index());
        }
        if committed > self.server.commit {
            self.server.to_mut().commit = committed;
        }
        let mut matched = verified;
        if self.has(Bug::AcknowledgesWholeLog) {
            matched = self.log().last_index();
        }
        // That nothing agrees is no news, and no sign of life is asked for without CheckQuorum.
        if matched == 0 && !self.raft.check_quorum {
            return;
        }
        if self.has(Bug::AcknowledgesBeforeSaving) {
            return self.o.send(src, Message::Appended { term, matched });
        }
        self.send(src, Message::Appended { term, matched });
    }

    /// Whoever receives AppendEntries of its own term follows their sender: a candidate has lost (5.2). It keeps the vote
    /// that it has given in this term, be it to itself.
    fn hear_from_leader(&mut self, leader: Id) {
        if self.is_leader() {
            return; // Only with a planted bug: no two servers lead one term.
        }
        let was_candidate = matches!(self.server.role, Role::Candidate { .. } | Role::PreCandidate { .. });
        if self.has(Bug::ClearsVoteInTerm) || self.has(Bug::FormerCandidateForgets) && was_candidate {
            self.persistent().voted_for = None;
        }
        self.restart_election_timer();
        let lease = self.raft.pre_vote;
        let follower = Role::Follower { leader: Some(leader), lease };
        if self.server.role != follower {
            self.enter(follower);
        }
        if lease {
            self.o.set_timer(Timer::Lease, self.raft.minimum_election_timeout());
        }
    }

    /// With PreVote: no leader was heard of for the minimum election timeout.
    fn on_lease_timeout(&mut self) {
        if let Role::Follower { lease, .. } = &mut self.server.to_mut().role {
            *lease = false;
        }
    }

    /// Leaders: a success updates matchIndex and nextIndex (5.3), and what is still missing is sent.
    fn on_appended(&mut self, src: Id, term: Term, matched: usize) {
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
            // A configuration that is appended upon a commitment has been sent to everybody, with what was missing.
            let is_sent = self.log().last_index() > last;
            if next <= last && !is_sent {
                self.send_append_entries(src);
            }
        }
    }

    /// Leaders: a failed check of the previous entry moves nextIndex back by one (5.3). Only the answer to the last
    /// question counts: an old one says nothing new.
    fn on_mismatch(&mut self, src: Id, term: Term, prev: usize) {
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

    /// With CheckQuorum: an answer of the own term is a sign of life.
    fn hear_from_follower(&mut self, src: Id) {
        if self.raft.check_quorum && !self.leading().heard.contains(src) {
            self.leading_mut().heard.insert(src);
        }
    }

    /// CheckQuorum (thesis 6.2): a leader that has not heard from a quorum for an election timeout steps down.
    fn on_quorum_timeout(&mut self) {
        let mut heard = self.leading().heard;
        heard.insert(self.id);
        if self.is_quorum(&heard.iter().collect::<Vec<_>>()) {
            self.o.set_timer(Timer::Quorum, self.raft.minimum_election_timeout());
            if !self.leading().heard.is_empty() {
                self.leading_mut().heard = NodeSet::default();
            }
        } else {
            self.enter(Role::Follower { leader: None, lease: false });
        }
    }

    /// Leaders: the last entry of the own term that a majority has is committed, and all before it (5.3, 5.4.2).
    fn advance_commit(&mut self) {
        let Role::Leader(leading) = &self.server.role else { return };
        let log = self.log();
        let has = |index: usize, server: Id| {
            server == self.id || leading.progress[usize::from(server)].matched >= index
        };
        let servers = NodeSet::first(self.raft.nodes);
        let is_committed = |index: &usize| {
            let is_current = log.term_at(*index) == Some(self.term()) || self.has(Bug::CommitsOldTerms);
            let holders: Vec<Id> = servers.iter().filter(|&server| has(*index, server)).collect();
            is_current && self.is_quorum(&holders)
        };
        let newly = (self.server.commit + 1..=log.last_index()).rev().find(is_committed);
        if let Some(index) = newly {
            self.server.to_mut().commit = index;
            self.on_commit();
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
    fn enter(&mut self, role: Role) {
        let lease = |role: &Role| matches!(role, Role::Follower { lease: true, .. });
        if lease(&self.server.role) && !lease(&role) {
            self.o.cancel_timer(Timer::Lease);
        }
        match (self.is_leader(), matches!(role, Role::Leader(_))) {
            (false, true) => {
                self.o.cancel_timer(Timer::Election);
                self.o.set_timer(Timer::Heartbeat, self.raft.heartbeat.clone());
                if self.raft.check_quorum {
                    self.o.set_timer(Timer::Quorum, self.raft.minimum_election_timeout());
                }
            }
            (true, false) => {
                self.o.cancel_timer(Timer::Heartbeat);
                if self.raft.check_quorum {
                    self.o.cancel_timer(Timer::Quorum);
                }
                self.restart_election_timer();
                self.o.remove_random(CLIENT);
            }
            _ => {}
        }
        self.server.to_mut().role = role;
    }
}

/// Changes of the configuration (paper section 6, thesis chapter 4).
impl Turn<'_, '_> {
    /// What clients may ask of this leader: a value, or another configuration if the last one is committed and so is
    /// an entry of the leader's own term.
    fn offer_input(&mut self) {
        if self.raft.values == 0 || !self.is_leader() {
            return;
        }
        let (log, commit) = (self.log(), self.server.commit);
        let mut offers: Vec<Command> = (1..=self.raft.values).map(Command::Value).collect();
        let is_last_committed = log.members().is_none_or(|(index, _)| index <= commit);
        // The rule of 2015: otherwise leaders that do not know of each other's could change one configuration in two
        // ways, with majorities that share no server. A joint configuration excludes that by itself.
        let is_settled = log.term_at(commit) == Some(self.term()) || self.has(Bug::ChangesMembersEarly);
        if is_last_committed && (is_settled || self.raft.membership != Membership::Single) {
            let next = self.raft.members(log).successors(self.raft.membership, self.raft.nodes);
            offers.extend(next.into_iter().map(Command::Members));
        }
        self.o.choose_random(CLIENT, offers);
    }

    /// Once C(old,new) is committed the leader appends C(new), be it that it began the change or that it has inherited it
    /// (6, thesis 4.3). Tells whether that was so.
    fn leave_joint_members(&mut self) -> bool {
        let committed = self.log().members().filter(|(index, _)| *index <= self.server.commit);
        let Some(new) = committed.and_then(|(_, last)| last.then()) else { return false };
        self.append(Command::Members(new));
        self.replicate();
        self.advance_commit();
        true
    }

    /// What is committed may be a configuration: C(new) follows C(old,new), and a leader that does not belong to C(new)
    /// steps down (6).
    fn on_commit(&mut self) {
        if self.raft.membership == Membership::Fixed {
            return;
        }
        self.leave_joint_members();
        let is_out = |(index, last): (usize, Members)| index <= self.server.commit && !last.contains(self.id);
        if self.log().members().is_some_and(is_out) {
            self.enter(Role::Follower { leader: None, lease: false });
        }
        self.offer_input();
    }
}

/// Looking things up, and the order of disk and network.
impl Turn<'_, '_> {
    fn has(&self, bug: Bug) -> bool {
        self.raft.bug == Some(bug)
    }

    fn term(&self) -> Term {
        self.server.persistent.term
    }

    fn next_term(&self) -> Term {
        Term(self.term().0 + 1)
    }

    fn log(&self) -> &Log {
        &self.server.persistent.log
    }

    /// The persistent state, about to change.
    fn persistent(&mut self) -> &mut Persistent {
        self.unsaved = true;
        &mut self.server.to_mut().persistent
    }

    fn is_leader(&self) -> bool {
        matches!(self.server.role, Role::Leader(_))
    }

    fn leading(&self) -> &Leadership {
        let Role::Leader(leading) = &self.server.role else { unreachable!("asked only of leaders") };
        leading
    }

    fn leading_mut(&mut self) -> &mut Leadership {
        let Role::Leader(leading) = &mut self.server.to_mut().role else {
            unreachable!("asked only of leaders")
        };
        leading
    }

    fn is_quorum(&self, servers: &[Id]) -> bool {
        self.raft.members(self.log()).are_carried_by(servers, self.raft.bug)
    }

    /// The other members of the configuration.
    fn peers(&self) -> Vec<Id> {
        self.raft.members(self.log()).all().iter().filter(|&peer| peer != self.id).collect()
    }

    fn restart_election_timer(&mut self) {
        self.o.set_timer(Timer::Election, self.raft.election.clone());
    }

    /// Answers that the own term is the higher one.
    fn refuse(&mut self, dst: Id) {
        if !self.has(Bug::IgnoresLowerTerms) {
            let term = self.term();
            self.send(dst, Message::Refused { term });
        }
    }

    fn broadcast(&mut self, msg: &Message) {
        for peer in self.peers() {
            self.send(peer, msg.clone());
        }
    }

    /// Whatever is sent may depend on the persistent state, so that is saved first.
    fn send(&mut self, dst: Id, msg: Message) {
        self.save();
        self.o.send(dst, msg);
    }

    fn save(&mut self) {
        if std::mem::take(&mut self.unsaved) {
            self.o.save(self.server.persistent.clone());
        }
    }
}

/// The votes with one more, or `None` if it was there already and may not be counted `again`.
fn with_vote(votes: &[Id], voter: Id, again: bool) -> Option<Vec<Id>> {
    if votes.contains(&voter) && !again {
        return None;
    }
    let mut votes = votes.to_vec();
    votes.push(voter);
    votes.sort_unstable();
    Some(votes)
}
