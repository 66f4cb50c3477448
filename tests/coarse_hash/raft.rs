//! A Raft whose hash leaves things out, as that of stateright's example does.

use oneleader::engine;
use oneleader::exploration::Limits;
use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, Network, Out, model_timeout};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use crate::equality::{by_engine, by_equality};

/// Raft as in Martin Kleppmann's lectures, with the hash that stateright's example has: it leaves
/// out what was delivered to the application, and what waits for a leader.
#[derive(Clone)]
struct Raft {
    servers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Follower,
    Candidate,
    Leader,
}

/// Term and payload.
type Entry = (usize, usize);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    term: usize,
    voted_for: Option<usize>,
    log: Vec<Entry>,
    committed: usize,
    role: Role,
    leader: Option<usize>,
    votes: BTreeSet<usize>,
    sent: Vec<usize>,
    acked: Vec<usize>,
    delivered: Vec<usize>,
    waiting: Vec<usize>,
}

impl Hash for Server {
    fn hash<S: Hasher>(&self, hasher: &mut S) {
        (self.term, self.voted_for, &self.log, self.committed, self.role, self.leader).hash(hasher);
        (&self.votes, &self.sent, &self.acked).hash(hasher);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum RaftMsg {
    AskVote { term: usize, log: usize, last_term: usize },
    Vote { term: usize, granted: bool },
    Append { term: usize, prefix: usize, prefix_term: usize, committed: usize, suffix: Vec<Entry> },
    Appended { term: usize, ack: usize, success: bool },
    Propose(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum RaftTimer {
    Election,
    Replication,
}

impl Server {
    /// A leader hears how far a follower agrees with it, or that it does not.
    fn take_note(&mut self, from: usize, ack: Option<usize>, quorum: usize, o: &mut Out<Raft>) {
        if let Some(ack) = ack.filter(|ack| *ack >= self.acked[from]) {
            (self.sent[from], self.acked[from]) = (ack, ack);
            let has_quorum = |length: &usize| {
                self.acked.iter().filter(|acked| *acked >= length).count() >= quorum
            };
            let ready = (self.committed + 1..=self.log.len()).rev().find(has_quorum);
            if let Some(ready) = ready.filter(|ready| self.log[ready - 1].0 == self.term) {
                self.deliver_up_to(ready);
            }
        } else if self.sent[from] > 0 {
            self.sent[from] -= 1;
            self.append_to(from, o);
        }
    }

    /// Appends entries behind a prefix, if the log has that: how many entries it then agrees on.
    fn append(
        &mut self,
        prefix: usize,
        prefix_term: usize,
        committed: usize,
        suffix: Vec<Entry>,
    ) -> Option<usize> {
        let fits =
            self.log.len() >= prefix && (prefix == 0 || self.log[prefix - 1].0 == prefix_term);
        if !fits {
            return None;
        }
        let ack = prefix + suffix.len();
        let last = self.log.len().min(ack);
        if last > prefix && self.log[last - 1].0 != suffix[last - 1 - prefix].0 {
            self.log.truncate(prefix);
        }
        let known = self.log.len() - prefix;
        self.log.extend(suffix.into_iter().skip(known));
        if committed > self.committed {
            self.deliver_up_to(committed);
        }
        Some(ack)
    }

    fn follow(&mut self, term: usize, o: &mut Out<Raft>) {
        (self.term, self.role, self.voted_for) = (term, Role::Follower, None);
        o.set_timer(RaftTimer::Election, model_timeout());
    }

    fn last_term(&self) -> usize {
        self.log.last().map_or(0, |entry| entry.0)
    }

    fn deliver_up_to(&mut self, committed: usize) {
        self.delivered.extend(self.log[self.committed..committed].iter().map(|entry| entry.1));
        self.committed = committed;
    }

    fn append_to(&self, follower: usize, o: &mut Out<Raft>) {
        let prefix = self.sent[follower];
        let append = RaftMsg::Append {
            term: self.term,
            prefix,
            prefix_term: if prefix > 0 { self.log[prefix - 1].0 } else { 0 },
            committed: self.committed,
            suffix: self.log[prefix..].to_vec(),
        };
        o.send(Id::from(follower), append);
    }

    fn replicate(&self, me: usize, o: &mut Out<Raft>) {
        if self.role == Role::Leader {
            (0..self.sent.len())
                .filter(|other| *other != me)
                .for_each(|other| self.append_to(other, o));
        }
    }
}

impl Actor for Raft {
    type Msg = RaftMsg;
    type Timer = RaftTimer;
    type State = Server;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, o: &mut Out<Self>) -> Server {
        o.set_timer(RaftTimer::Election, model_timeout());
        o.set_timer(RaftTimer::Replication, model_timeout());
        o.send(id, RaftMsg::Propose(usize::from(id)));
        Server {
            term: 0,
            voted_for: None,
            log: Vec::new(),
            committed: 0,
            role: Role::Follower,
            leader: None,
            votes: BTreeSet::new(),
            sent: vec![0; self.servers],
            acked: vec![0; self.servers],
            delivered: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn on_msg(&self, id: Id, state: &mut Cow<Server>, src: Id, msg: RaftMsg, o: &mut Out<Self>) {
        let (me, from, state) = (usize::from(id), usize::from(src), state.to_mut());
        let quorum = (self.servers + 1).div_ceil(2);
        match msg {
            RaftMsg::AskVote { term, log, last_term } => {
                if term > state.term {
                    (state.term, state.role, state.voted_for) = (term, Role::Follower, None);
                }
                let is_recent = (last_term, log) >= (state.last_term(), state.log.len());
                let is_free = state.voted_for.is_none_or(|candidate| candidate == from);
                let granted = term == state.term && is_recent && is_free;
                if granted {
                    state.voted_for = Some(from);
                }
                o.send(src, RaftMsg::Vote { term: state.term, granted });
            }
            RaftMsg::Vote { term, granted: true }
                if state.role == Role::Candidate && term == state.term =>
            {
                state.votes.insert(from);
                if state.votes.len() >= quorum {
                    (state.role, state.leader) = (Role::Leader, Some(me));
                    state
                        .waiting
                        .drain(..)
                        .for_each(|payload| o.send(id, RaftMsg::Propose(payload)));
                    for other in (0..self.servers).filter(|other| *other != me) {
                        (state.sent[other], state.acked[other]) = (state.log.len(), 0);
                    }
                    state.replicate(me, o);
                }
            }
            RaftMsg::Append { term, prefix, prefix_term, committed, suffix } => {
                if term > state.term {
                    (state.term, state.voted_for) = (term, None);
                    o.set_timer(RaftTimer::Election, model_timeout());
                }
                if term == state.term {
                    (state.role, state.leader) = (Role::Follower, Some(from));
                    o.set_timer(RaftTimer::Election, model_timeout());
                }
                let ack = (term == state.term)
                    .then(|| state.append(prefix, prefix_term, committed, suffix))
                    .flatten();
                let (success, ack) = (ack.is_some(), ack.unwrap_or(0));
                o.send(src, RaftMsg::Appended { term: state.term, ack, success });
            }
            RaftMsg::Appended { term, ack, success }
                if term == state.term && state.role == Role::Leader =>
            {
                state.take_note(from, success.then_some(ack), quorum, o);
            }
            RaftMsg::Vote { term, .. } | RaftMsg::Appended { term, .. } if term > state.term => {
                state.follow(term, o);
            }
            RaftMsg::Vote { .. } | RaftMsg::Appended { .. } => {}
            RaftMsg::Propose(payload) if state.role == Role::Leader => {
                state.log.push((state.term, payload));
                state.acked[me] = state.log.len();
                state.replicate(me, o);
            }
            RaftMsg::Propose(payload) => match state.leader {
                Some(leader) => o.send(Id::from(leader), RaftMsg::Propose(payload)),
                None => state.waiting.push(payload),
            },
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<Server>, timer: &RaftTimer, o: &mut Out<Self>) {
        let (me, state) = (usize::from(id), state.to_mut());
        match timer {
            RaftTimer::Election if state.role != Role::Leader => {
                state.term += 1;
                (state.voted_for, state.role) = (Some(me), Role::Candidate);
                state.votes = BTreeSet::from([me]);
                let ask = RaftMsg::AskVote {
                    term: state.term,
                    log: state.log.len(),
                    last_term: state.last_term(),
                };
                let others = (0..self.servers).filter(|other| *other != me);
                others.for_each(|other| o.send(Id::from(other), ask.clone()));
            }
            RaftTimer::Election => {}
            RaftTimer::Replication => state.replicate(me, o),
        }
    }
}

fn raft(servers: usize, most_in_flight: usize) -> ActorModel<Raft, usize, ()> {
    ActorModel::new(most_in_flight, ())
        .actors((0..servers).map(|_| Raft { servers }))
        .init_network(Network::new_unordered_nonduplicating([]))
        .within_boundary(|most, state| {
            state.network.len() <= *most && state.actor_states.iter().all(|server| server.term <= 1)
        })
        .property(Expectation::Sometimes, "a leader", |_, state| {
            state.actor_states.iter().any(|server| server.role == Role::Leader)
        })
        .property(Expectation::Sometimes, "a commit", |_, state| {
            state.actor_states.iter().any(|server| server.committed > 0)
        })
        .property(Expectation::Always, "one leader a term", |_, state| {
            let mut terms = BTreeSet::new();
            let leaders = state.actor_states.iter().filter(|server| server.role == Role::Leader);
            leaders.map(|server| server.term).all(|term| terms.insert(term))
        })
        .property(Expectation::Always, "one log is delivered", |_, state| {
            let longest =
                state.actor_states.iter().max_by_key(|server| server.delivered.len()).unwrap();
            state.actor_states.iter().all(|server| longest.delivered.starts_with(&server.delivered))
        })
}

#[test]
fn a_raft_whose_hash_leaves_out_two_buffers() {
    // Three messages in flight are too few for a leader among three, and enough to tell two ways of
    // counting apart.
    let (plain, by_hash) = by_equality(&raft(3, 3), 1000).unwrap();
    assert_eq!((plain.distinct, by_hash), (448, 384), "the latter is what stateright counts");
    for (servers, most) in [(3, 3), (2, 3), (2, 4)] {
        let model = raft(servers, most);
        let (plain, by_hash) = by_equality(&model, 10_000).unwrap();
        assert!((by_hash as u64) < plain.distinct);
        assert_eq!(
            plain.found.len(),
            if servers == 2 { 2 } else { 0 },
            "a leader and a commit, or neither"
        );
        let seen = engine::check_model(&model, &Limits::exhaustive(), &|_| ()).unwrap();
        assert_eq!(by_engine(&seen), plain);
    }
}

// Random models.
