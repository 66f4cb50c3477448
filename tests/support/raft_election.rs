//! The bare election of Raft that four other checkers have counted: a benchmark and an oracle, not
//! a protocol.
//!
//! `n` servers, terms `0..=max_term`, an unordered network that neither loses nor duplicates. It
//! leaves out so much of Raft (logs, heartbeats, refusals) that it does not belong into the
//! catalogue; shared by tests and benchmarks.

use std::borrow::Cow;
use std::time::Duration;

use oneleader::election::{About, Election, NodeSet, OptionSpec, Setup, Term, Value};
use stateright::actor::{Actor, Id, Out, model_peers};

#[derive(Clone)]
pub struct RaftElection {
    peers: Vec<Id>,
    max_term: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Follower,
    Candidate,
    Leader,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    pub term: u64,
    pub role: Role,
    voted_for: Option<Id>,
    /// From whom a candidate has votes.
    votes: NodeSet,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Msg {
    RequestVote(u64),
    Vote(u64),
    Append(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElectionTimeout;

const ANY_TIME: std::ops::Range<Duration> = Duration::from_millis(10)..Duration::from_millis(20);

impl Server {
    fn adopt(&mut self, term: u64) {
        *self = Server { term, role: Role::Follower, voted_for: None, votes: NodeSet::default() };
    }
}

impl Actor for RaftElection {
    type Msg = Msg;
    type Timer = ElectionTimeout;
    type State = Server;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, o: &mut Out<Self>) -> Server {
        o.set_timer(ElectionTimeout, ANY_TIME);
        Server { term: 0, role: Role::Follower, voted_for: None, votes: NodeSet::default() }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<Server>, _: &ElectionTimeout, o: &mut Out<Self>) {
        o.set_timer(ElectionTimeout, ANY_TIME);
        if state.role == Role::Leader || state.term >= self.max_term {
            return;
        }
        let term = state.term + 1;
        let votes = NodeSet::from_iter([id]);
        *state.to_mut() = Server { term, role: Role::Candidate, voted_for: Some(id), votes };
        o.broadcast(&self.peers, &Msg::RequestVote(term));
    }

    fn on_msg(&self, _: Id, state: &mut Cow<Server>, src: Id, msg: Msg, o: &mut Out<Self>) {
        match msg {
            Msg::RequestVote(term) => {
                if term > state.term {
                    state.to_mut().adopt(term);
                }
                if term == state.term && state.voted_for.is_none() {
                    state.to_mut().voted_for = Some(src);
                    o.send(src, Msg::Vote(term));
                }
            }
            Msg::Vote(term) => {
                if term == state.term && state.role == Role::Candidate {
                    let state = state.to_mut();
                    state.votes.insert(src);
                    if state.votes.len() * 2 > self.peers.len() + 1 {
                        state.role = Role::Leader;
                        o.broadcast(&self.peers, &Msg::Append(term));
                    }
                }
            }
            Msg::Append(term) => {
                if term > state.term {
                    state.to_mut().adopt(term);
                }
                if term == state.term && state.role == Role::Candidate {
                    let state = state.to_mut();
                    state.role = Role::Follower;
                    state.votes = NodeSet::default();
                }
            }
        }
    }
}

impl Election for RaftElection {
    type Witness = ();

    fn about() -> &'static About {
        static ABOUT: About = About {
            name: "raft-election",
            title: "The bare election of Raft",
            source: "the election that stateright, TLC and SPIN agree on",
            has_terms: true,
            starts_led: false,
            notation: &[],
            options: &[OptionSpec {
                name: "max_term",
                default: Value::Number(2),
                allowed: &[],
                help: "the last term for which anybody stands",
            }],
            bugs: &[],
            corpus: "",
        };
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let max_term = setup.number("max_term");
        let server = |i| RaftElection { peers: model_peers(i, setup.nodes), max_term };
        Ok((0..setup.nodes).map(server).collect())
    }

    fn term(&self, state: &Server) -> Term {
        Term(state.term)
    }

    fn leads(&self, _: Id, state: &Server) -> Option<Term> {
        (state.role == Role::Leader).then_some(Term(state.term))
    }
}
