//! One test for each sentence of the paper. Each calls the handlers of one server directly, and
//! checks its messages.

mod election;
mod options;
mod replication;

use std::borrow::Cow;

use stateright::actor::{Actor, Command as Output, Id, Out};

use super::*;
use crate::election::{Setup, Value};

/// A server under test, always n1.
struct Node {
    raft: Raft,
    server: State,
    disk: Option<Disk>,
    /// The timers set by the last handler.
    timers: Vec<Timer>,
    /// Saves and sends of the last handler, in order.
    effects: Vec<&'static str>,
    /// What the last handler offered to clients.
    offers: Vec<Command>,
}

const N1: usize = 0;
const N2: usize = 1;
const N3: usize = 2;

fn three() -> Setup {
    Setup::new(Raft::about(), 3)
}

fn with_values() -> Setup {
    three().with("values", Value::Number(9))
}

impl Node {
    fn new(setup: Setup) -> Self {
        let raft = Raft::build(&setup).expect("a good setup").swap_remove(N1);
        let mut o = Out::new();
        let server = raft.on_start(N1.into(), &None, &mut o);
        Node {
            raft,
            server,
            disk: None,
            timers: Vec::new(),
            effects: Vec::new(),
            offers: Vec::new(),
        }
    }

    /// A server of that term with entries of these terms, all of the value v9.
    fn with_log(setup: Setup, term: u64, entries: &[u64]) -> Self {
        let mut node = Node::new(setup);
        node.server.persistent.term = Term(term);
        node.server.persistent.log = entries.iter().map(|&term| entry(term)).collect();
        node
    }

    /// The same server, elected leader of the next term by n2.
    fn elected(mut self) -> Self {
        self.time_out(Timer::Election);
        let term = self.server.persistent.term;
        self.hear(N2, Message::Vote { term });
        assert_eq!(self.raft.leads(N1.into(), &self.server), Some(term));
        self
    }

    fn run(
        &mut self,
        handler: impl FnOnce(&Raft, &mut Cow<'_, State>, &mut Out<Raft>),
    ) -> Vec<(usize, Message)> {
        let mut out = Out::new();
        let mut state = Cow::Borrowed(&self.server);
        handler(&self.raft, &mut state, &mut out);
        if let Cow::Owned(server) = state {
            self.server = server;
        }
        (self.timers, self.effects, self.offers) = (Vec::new(), Vec::new(), Vec::new());
        let mut sent = Vec::new();
        for command in out {
            match command {
                Output::Send(dst, msg) => {
                    self.effects.push("send");
                    sent.push((dst.into(), msg));
                }
                Output::Save(disk) => {
                    self.effects.push("save");
                    self.disk = Some(disk);
                }
                Output::SetTimer(timer, _) => self.timers.push(timer),
                Output::ChooseRandom(_, offers) => self.offers = offers,
                Output::CancelTimer(_) => {}
            }
        }
        sent
    }

    fn hear(&mut self, src: usize, msg: Message) -> Vec<(usize, Message)> {
        self.run(|raft, state, o| raft.on_msg(N1.into(), state, src.into(), msg, o))
    }

    fn time_out(&mut self, timer: Timer) -> Vec<(usize, Message)> {
        self.run(|raft, state, o| raft.on_timeout(N1.into(), state, &timer, o))
    }

    fn request(&mut self, command: Command) -> Vec<(usize, Message)> {
        self.run(|raft, state, o| raft.on_random(N1.into(), state, &command, o))
    }

    fn restart(&mut self) {
        self.server = self.raft.on_start(N1.into(), &self.disk, &mut Out::new());
    }

    fn log(&self) -> Vec<u64> {
        (1..)
            .map_while(|index| self.server.persistent.log.term_at(index))
            .map(|term| term.0)
            .collect()
    }

    fn progress(&self, peer: usize) -> (usize, usize) {
        let Role::Leader(leading) = &self.server.role else { panic!("not a leader") };
        (leading.progress[peer].next, leading.progress[peer].matched)
    }
}

fn entry(term: u64) -> Entry {
    Entry { term: Term(term), command: Command::Value(9) }
}

/// What a client may ask for with [`with_values`]; the harness lets the next number through.
fn values() -> Vec<Command> {
    (1..=9).map(Command::Value).collect()
}

fn at(index: usize, term: u64) -> Position {
    Position { index, term: Term(term) }
}

fn request_vote(term: u64, last: Position) -> Message {
    Message::RequestVote { term: Term(term), last }
}

fn vote(term: u64) -> Message {
    Message::Vote { term: Term(term) }
}

fn heartbeat(term: u64) -> Message {
    append(term, at(0, 0), None, 0)
}

fn append(term: u64, prev: Position, new: Option<u64>, commit: usize) -> Message {
    Message::AppendEntries { term: Term(term), prev, entry: new.map(entry), commit }
}

fn appended(term: u64, matched: usize) -> Message {
    Message::Appended { term: Term(term), matched }
}

fn mismatch(term: u64, prev: usize) -> Message {
    Message::Mismatch { term: Term(term), prev }
}

fn refused(term: u64) -> Message {
    Message::Refused { term: Term(term) }
}

#[test]
fn every_bug_that_is_listed_can_be_planted() {
    for bug in Raft::about().bugs {
        let build = |membership| {
            let setup = three()
                .with("pre_vote", Value::Flag(true))
                .with("membership", Value::Text(membership));
            Raft::build(&setup.with_bug(bug.name))
        };
        let servers = build("single").or_else(|_| build("joint"));
        assert!(servers.is_ok_and(|servers| servers[0].bug.is_some()), "{}", bug.name);
    }
}

#[test]
fn what_cannot_work_is_rejected() {
    let wrong = |setup: Setup| Raft::build(&setup).unwrap_err();
    assert!(wrong(three().with("heartbeat_ms", Value::Number(30))).contains("heartbeat_ms = 30"));
    assert!(wrong(three().with("members", Value::Number(4))).contains("members = 4"));
    assert!(wrong(three().with_bug("union-quorum")).contains("membership = \"joint\""));
}
