//! What each single step must do, by the paper's phases and ZooKeeper's rules of the election.
//!
//! For a state and an event, these rules say which state must follow and which messages must be
//! sent. They are written from the paper and share no function with the handlers: they count
//! quorums and compare connections and votes themselves. They need no memory of the past, so they
//! show a mistake in the step that makes it, long before it costs a transaction. If a crash cuts a
//! handler short, the state in which it would have ended is checked.

mod disk;
mod election;
mod follower;
mod leader;
mod timers;

use stateright::actor::Id;

use super::Zab;
use super::message::{Message, Settled, Vote};
use super::state::{Link, Looking, Role, State, Txn, Zxid};
use super::witness::end;
use crate::election::{Check, Invariant, NodeStep, SortedMap, listed, node_name};
use disk::kept;

/// The step that a rule checks.
type Step<'a> = NodeStep<'a, Zab>;
/// The answer of a rule. The error says in a sentence what is wrong.
type Verdict = Result<(), String>;
/// What must follow: the state, and the messages, in any order.
type Due = (State, Vec<(Id, Message)>);

/// The rules as properties.
pub(super) fn invariants() -> Vec<Invariant<Zab>> {
    let rule = |name, meaning, check| Invariant::new(name, meaning, Check::Rule(check));
    vec![
        rule(
            "election-steps",
            "A server that starts or looks for a leader votes, adopts votes, waits and leaves as FastLeaderElection says.",
            election::election_steps,
        ),
        rule(
            "follower-steps",
            "A follower does in each step what f.1.1 to f.3.2 say, and waits for its leader (Zab, phases 1 to 3; \
             ZooKeeper, syncLimit).",
            follower::follower_steps,
        ),
        rule(
            "leader-steps",
            "A leader does in each step what l.1.1 to l.3.4 say, nothing before a quorum allows it, and waits for one \
             (Zab, phases 1 to 3; ZooKeeper, initLimit and syncLimit).",
            leader::leader_steps,
        ),
        rule(
            "said-is-on-disk",
            "A server acts by the epochs and the history on its disk, and what it promises, \
             acknowledges or proposes was on its disk before (Zab, steps f.1.2, f.2.1, f.3.1, \
             l.1.1, l.2.1, l.3.1).",
            disk::said_is_on_disk,
        ),
    ]
}

fn is_quorum(zab: &Zab, servers: usize) -> bool {
    servers > zab.count / 2
}

fn all_but(zab: &Zab, id: Id) -> impl Iterator<Item = Id> {
    (0..zab.count).map(Id::from).filter(move |&node| node != id)
}

/// Nothing happens.
fn same(before: &State) -> Due {
    (before.clone(), Vec::new())
}

/// A history's last transaction.
fn ending(history: &[Txn]) -> Zxid {
    history.last().map(|txn| txn.zxid).unwrap_or_default()
}

/// How many transactions there are up to this one.
fn upto(history: &[Txn], zxid: Zxid) -> Option<usize> {
    let found = history.iter().position(|txn| txn.zxid == zxid).map(|i| i + 1);
    if zxid == Zxid::default() { Some(0) } else { found }
}

fn vote_for_itself(id: Id, server: &State) -> Option<Vote> {
    let vote = Vote { epoch: server.disk.current, zxid: ending(&server.disk.history), leader: id };
    server.initialised.then_some(vote)
}

/// The better of two votes: the one with the later epoch, then with the later transaction, then for
/// the server with the higher number.
fn better(a: Vote, b: Vote) -> Vote {
    let order = |vote: Vote| (vote.epoch, vote.zxid.epoch, vote.zxid.counter, vote.leader);
    if order(a) > order(b) { a } else { b }
}

/// A vote is sent to all others. The oracle needs no votes.
fn tell_all(zab: &Zab, id: Id, link: Link, vote: Option<Vote>) -> Vec<(Id, Message)> {
    match zab.oracle {
        Some(_) => Vec::new(),
        None => all_but(zab, id).map(|node| (node, Message::Notification { link, vote })).collect(),
    }
}

/// Back to phase 0, in a new round, with a vote for itself. Its history and what it has delivered
/// stay.
fn goes_back(zab: &Zab, id: Id, before: &State) -> Due {
    let mut due = before.clone();
    due.link.round += 1;
    let vote = vote_for_itself(id, &due);
    due.role = Role::Looking(Looking { vote, votes: SortedMap::new(), settled: SortedMap::new() });
    let says = tell_all(zab, id, due.link, vote);
    (due, says)
}

/// A server that has left the election tells one that is looking where it went.
fn answers(before: &State, src: Id, link: Link, leader: Id) -> Due {
    let settled = Settled { round: before.link.round, leader, epoch: before.disk.accepted };
    (before.clone(), vec![(src, Message::Settled { link, settled })])
}

/// How a server differs from what it should be.
fn differs(me: &str, end: &State, due: &State) -> String {
    if end.disk != due.disk {
        return format!("{me} has {}, and should have {}", kept(&end.disk), kept(&due.disk));
    }
    if end.delivered != due.delivered {
        return format!(
            "{me} has delivered {} transactions, and should have delivered {}",
            end.delivered, due.delivered
        );
    }
    format!("{me} is {:?}, and should be {:?}", end.role, due.role)
}

/// Messages with their receivers.
fn sent(all: &[(Id, Message)]) -> String {
    let one = |(dst, msg): &(Id, Message)| format!("{msg:?} to {}", node_name(*dst));
    match all {
        [] => "nothing".to_string(),
        _ => listed(&all.iter().map(one).collect::<Vec<_>>()),
    }
}

/// Compares a step with what must follow: the state, the messages, and the timers.
fn compare(step: &Step<'_>, (due, mut says): Due) -> Verdict {
    let Some(end) = end(step) else { return Ok(()) };
    let me = node_name(step.id);
    if *end != due {
        return Err(differs(&me, end, &due));
    }
    let mut said = step.sends.to_vec();
    said.sort();
    says.sort();
    if step.after.is_some() && said != says {
        return Err(format!("{me} sends {}, and should send {}", sent(&said), sent(&says)));
    }
    timers::waits_as_due(step)
}
