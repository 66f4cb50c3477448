//! One test a sentence of the paper, driven by hand: one server, its messages in, its messages out.

use std::borrow::Cow;

use stateright::actor::{Actor, Command as Output, Id, Out};

use super::*;
use crate::election::{Setup, Value};

/// A server under test, always n1.
struct Node {
    raft: Raft,
    server: Server,
    disk: Option<Persistent>,
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
        Node { raft, server, disk: None, timers: Vec::new(), effects: Vec::new(), offers: Vec::new() }
    }

    /// A server of that term with entries of these terms, all proposed by n9.
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
        handler: impl FnOnce(&Raft, &mut Cow<'_, Server>, &mut Out<Raft>),
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
        (1..).map_while(|index| self.server.persistent.log.term_at(index)).map(|term| term.0).collect()
    }

    fn progress(&self, peer: usize) -> (usize, usize) {
        let Role::Leader(leading) = &self.server.role else { panic!("not a leader") };
        (leading.progress[peer].next, leading.progress[peer].matched)
    }
}

fn entry(term: u64) -> Entry {
    Entry { term: Term(term), command: Command::Value(Id::from(8)) }
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

/// 5.1: if one server's current term is smaller than the other's, it updates its own to the larger value.
#[test]
fn any_higher_term_is_adopted_and_makes_a_follower() {
    for msg in [request_vote(7, at(0, 0)), vote(7), heartbeat(7), appended(7, 1), mismatch(7, 1), refused(7)]
    {
        let mut node = Node::new(three()).elected();
        node.hear(N3, msg.clone());
        assert_eq!(node.server.persistent.term, Term(7), "{msg:?}");
        assert!(matches!(node.server.role, Role::Follower { .. }), "{msg:?}");
        assert!(node.timers.contains(&Timer::Election), "a leader that steps down waits again: {msg:?}");
    }
}

/// 5.1: a request with a stale term number is rejected; the answer tells the term.
#[test]
fn stale_requests_are_refused() {
    for msg in [request_vote(2, at(9, 9)), append(2, at(0, 0), Some(2), 0)] {
        let mut node = Node::with_log(three(), 3, &[]);
        assert_eq!(node.hear(N2, msg.clone()), [(N2, refused(3))], "{msg:?}");
        assert_eq!((node.log(), node.timers), (vec![], vec![]), "{msg:?}");
    }
}

/// 5.2: to begin an election, a follower increments its term, votes for itself and asks all others.
#[test]
fn an_election_timeout_starts_an_election() {
    let mut node = Node::with_log(three(), 3, &[1, 3]);
    let sent = node.time_out(Timer::Election);
    assert_eq!(sent, [(N2, request_vote(4, at(2, 3))), (N3, request_vote(4, at(2, 3)))]);
    assert_eq!(node.server.persistent.voted_for, Some(N1.into()));
    assert_eq!(node.effects, ["save", "send", "send"], "the own vote is on disk before anybody is asked");
}

/// 5.2: a candidate that receives votes from a majority of the servers becomes leader, and says so.
#[test]
fn a_majority_of_voters_makes_a_leader() {
    let mut node = Node::new(Setup::new(Raft::about(), 5));
    node.time_out(Timer::Election);
    assert_eq!(node.hear(N2, vote(1)), []);
    assert_eq!(node.hear(N2, vote(1)), [], "a voter counts once");
    let heartbeats: Vec<_> = (1..5).map(|peer| (peer, heartbeat(1))).collect();
    assert_eq!(node.hear(N3, vote(1)), heartbeats);
    assert_eq!(node.raft.leads(N1.into(), &node.server), Some(Term(1)));
}

/// 5.2: votes of an earlier term do not count.
#[test]
fn votes_of_an_earlier_term_do_not_count() {
    let mut node = Node::new(three());
    node.time_out(Timer::Election);
    node.time_out(Timer::Election);
    node.hear(N2, vote(1));
    assert!(matches!(node.server.role, Role::Candidate { .. }));
}

/// 5.2: each server votes for at most one candidate in a given term, first come first served.
#[test]
fn a_server_votes_once_in_a_term() {
    let mut node = Node::new(three());
    assert_eq!(node.hear(N2, request_vote(1, at(0, 0))), [(N2, vote(1))]);
    assert_eq!(node.effects, ["save", "send"]);
    assert_eq!(node.hear(N3, request_vote(1, at(0, 0))), []);
    assert_eq!(node.hear(N2, request_vote(1, at(0, 0))), [(N2, vote(1))], "the same candidate may ask again");
    assert_eq!(node.hear(N3, request_vote(2, at(0, 0))), [(N3, vote(2))], "a new term, a new vote");
    node.restart();
    assert_eq!(node.hear(N2, request_vote(2, at(0, 0))), [], "a restart does not free the vote");
}

/// 5.2: a candidate that hears from the leader of its term returns to follower state.
#[test]
fn a_candidate_follows_the_leader_of_its_term() {
    let mut node = Node::new(three());
    node.time_out(Timer::Election);
    node.hear(N3, heartbeat(1));
    assert_eq!(node.raft.follows(N1.into(), &node.server), Some((Term(1), N3.into())));
    assert_eq!(node.server.persistent.voted_for, Some(N1.into()), "and keeps the vote that it gave itself");
    assert_eq!(node.timers, [Timer::Election]);
}

/// Figure 2, Followers: the timer restarts for the current leader and for a granted vote, and for nothing else.
#[test]
fn only_the_leader_and_a_granted_vote_restart_the_election_timer() {
    let mut node = Node::with_log(three(), 3, &[3]);
    node.hear(N2, request_vote(4, at(1, 3)));
    assert_eq!(node.timers, [Timer::Election]);
    for msg in [request_vote(4, at(9, 3)), heartbeat(3), request_vote(5, at(0, 0)), refused(6)] {
        node.hear(N3, msg.clone());
        assert_eq!(node.timers, [], "{msg:?}");
    }
}

/// 5.4.1: the voter denies its vote if its own log is more up-to-date: later last term, then longer.
#[test]
fn a_vote_needs_a_log_that_is_up_to_date() {
    let granted = |last| !Node::with_log(three(), 3, &[1, 2]).hear(N2, request_vote(4, last)).is_empty();
    assert_eq!([at(2, 2), at(1, 3), at(3, 2)].map(granted), [true; 3]);
    assert_eq!([at(1, 2), at(9, 1), at(0, 0)].map(granted), [false; 3]);
}

/// 5.3: the leader appends the command to its log, then sends it to each of the other servers.
#[test]
fn a_leader_appends_and_sends_what_a_client_asks() {
    let mut node = Node::with_log(with_values(), 1, &[1]).elected();
    let entry = Entry { term: Term(2), command: Command::Value(N1.into()) };
    let sent = Message::AppendEntries { term: Term(2), prev: at(1, 1), entry: Some(entry), commit: 0 };
    assert_eq!(node.request(entry.command), [(N2, sent.clone()), (N3, sent)]);
    assert_eq!(node.effects, ["save", "send", "send"]);
    assert_eq!(node.log(), [1, 2]);
}

/// 5.3: a follower that does not find the previous entry in its log refuses the new one.
#[test]
fn entries_need_the_previous_entry() {
    let mut node = Node::with_log(with_values(), 3, &[1, 2]);
    assert_eq!(node.hear(N2, append(3, at(3, 2), Some(3), 0)), [(N2, mismatch(3, 3))]);
    assert_eq!(node.hear(N2, append(3, at(2, 1), Some(3), 0)), [(N2, mismatch(3, 2))]);
    assert_eq!(node.log(), [1, 2]);
    assert_eq!(node.hear(N2, append(3, at(2, 2), Some(3), 0)), [(N2, appended(3, 3))]);
    assert_eq!((node.log(), node.effects), (vec![1, 2, 3], vec!["save", "send"]));
}

/// Figure 2, AppendEntries 3: an entry in conflict with a new one goes with all that follow it; nothing else goes.
#[test]
fn only_conflicting_entries_are_deleted() {
    let mut node = Node::with_log(with_values(), 3, &[1, 1, 2]);
    assert_eq!(node.hear(N2, append(3, at(0, 0), Some(1), 0)), [(N2, appended(3, 1))]);
    assert_eq!(node.hear(N2, append(3, at(1, 1), None, 0)), [(N2, appended(3, 1))]);
    assert_eq!(node.log(), [1, 1, 2]);
    assert_eq!(node.hear(N2, append(3, at(1, 1), Some(3), 0)), [(N2, appended(3, 2))]);
    assert_eq!(node.log(), [1, 3]);
}

/// Figure 2, AppendEntries 5: commitIndex = min(leaderCommit, index of last new entry), and it does not fall.
#[test]
fn a_follower_commits_what_it_has_in_common_with_the_leader() {
    let mut node = Node::with_log(with_values(), 2, &[1, 1, 1]);
    node.hear(N2, append(2, at(1, 1), Some(1), 3));
    assert_eq!(node.server.commit, 2);
    node.hear(N2, append(2, at(0, 0), Some(1), 1));
    assert_eq!(node.server.commit, 2);
}

/// 5.3: after a rejection the leader decrements nextIndex and retries; eventually the logs match.
#[test]
fn a_mismatch_moves_next_index_back() {
    let mut node = Node::with_log(with_values(), 2, &[1, 2]).elected();
    assert_eq!(node.progress(N3), (3, 0));
    assert_eq!(node.hear(N3, mismatch(3, 2)), [(N3, append(3, at(1, 1), Some(2), 0))]);
    assert_eq!(node.hear(N3, mismatch(3, 2)), [], "an answer counts once");
    assert_eq!(node.hear(N3, mismatch(3, 1)), [(N3, append(3, at(0, 0), Some(1), 0))]);
    assert_eq!(node.hear(N3, appended(3, 1)), [(N3, append(3, at(1, 1), Some(2), 0))]);
    assert_eq!(node.progress(N3), (2, 1));
    assert_eq!(node.hear(N3, appended(3, 2)), []);
    assert_eq!(node.progress(N3), (3, 2));
}

/// 5.3: once the leader has replicated an entry on a majority of the servers it is committed, and all before it.
/// 5.4.2: only entries of the leader's own term are committed by counting.
#[test]
fn a_majority_commits_entries_of_the_own_term() {
    let mut node = Node::with_log(with_values(), 2, &[1, 2]).elected();
    node.hear(N2, appended(3, 2));
    assert_eq!(node.server.commit, 0, "a majority has entry 2, which is of an earlier term");
    node.request(Command::Value(N1.into()));
    node.hear(N2, appended(3, 3));
    assert_eq!(node.server.commit, 3);
}

/// Figure 2, State: term, vote and log survive a restart; the rest does not.
#[test]
fn a_restart_keeps_what_is_persistent() {
    let mut node = Node::new(with_values()).elected();
    node.request(Command::Value(N1.into()));
    node.hear(N2, appended(1, 1));
    let before = node.server.clone();
    assert_eq!(before.commit, 1);
    node.restart();
    assert_eq!(node.server.persistent, before.persistent);
    assert_eq!((node.server.commit, node.server.role), (0, Role::Follower { leader: None, lease: false }));
}

fn pre_vote(term: u64, last: Position) -> Message {
    Message::PreVote { term: Term(term), last }
}

/// Thesis 9.6: a candidate increments its term only after a majority would vote for it.
#[test]
fn a_pre_vote_comes_before_a_term() {
    let mut node = Node::new(three().with("pre_vote", Value::Flag(true)));
    assert_eq!(node.time_out(Timer::Election), [(N2, pre_vote(1, at(0, 0))), (N3, pre_vote(1, at(0, 0)))]);
    assert_eq!(node.server.persistent, Persistent::default());
    let sent = node.hear(N3, Message::PreVoteGranted { term: Term(1) });
    assert_eq!(sent, [(N2, request_vote(1, at(0, 0))), (N3, request_vote(1, at(0, 0)))]);
}

/// Thesis 9.6: a voter that has heard from a leader within the minimum election timeout denies its pre-vote.
#[test]
fn a_pre_vote_is_denied_while_there_is_a_leader() {
    let mut node = Node::new(three().with("pre_vote", Value::Flag(true)));
    let granted = |term| (N3, Message::PreVoteGranted { term: Term(term) });
    node.hear(N2, heartbeat(1));
    assert_eq!(node.timers, [Timer::Election, Timer::Lease]);
    assert_eq!(node.hear(N3, pre_vote(2, at(0, 0))), []);
    node.time_out(Timer::Lease);
    assert_eq!(node.hear(N3, pre_vote(2, at(0, 0))), [granted(2)]);
    assert_eq!(node.hear(N3, pre_vote(1, at(0, 0))), [granted(1)], "no vote was given in term 1");
    assert_eq!(node.hear(N3, pre_vote(0, at(0, 0))), [(N3, refused(1))]);
    assert_eq!(node.server.persistent.term, Term(1));
}

/// Thesis 6.2: a leader steps down if an election timeout passes without answers from a majority.
#[test]
fn a_leader_without_a_quorum_steps_down() {
    let mut node = Node::new(three().with("check_quorum", Value::Flag(true))).elected();
    node.hear(N2, appended(1, 0));
    node.time_out(Timer::Quorum);
    assert_eq!(node.timers, [Timer::Quorum]);
    node.time_out(Timer::Quorum);
    assert!(matches!(node.server.role, Role::Follower { .. }));
    assert_eq!(node.server.persistent.term, Term(1));
}

fn members(ids: &[usize]) -> Members {
    Members::of(ids.iter().map(|&i| Id::from(i)).collect())
}

/// Thesis 4.1 as corrected in 2015: a leader first commits an entry of its own term, then changes the members, one by
/// one, each only when the one before it is committed.
#[test]
fn members_change_one_by_one_after_an_own_entry() {
    let setup = with_values().with("membership", Value::Text("single"));
    let mut node = Node::new(setup).elected();
    node.request(Command::Value(N1.into()));
    assert_eq!(node.offers, [Command::Value(N1.into())], "nothing of the own term is committed yet");
    node.hear(N2, appended(1, 1));
    let change = Command::Members(members(&[0, 1]));
    assert_eq!(node.offers.len(), 4);
    assert!(node.offers.contains(&change));
    assert_eq!(
        node.request(change).len(),
        1,
        "n3 is not sent its own removal: it left when that was appended"
    );
    assert_eq!(node.offers, [Command::Value(N1.into())], "the change is not committed yet");
    node.hear(N2, appended(1, 2));
    assert_eq!(node.offers.len(), 4);
}

/// Section 6: while the configuration is joint, agreement needs majorities of the old and of the new one.
#[test]
fn a_joint_configuration_needs_both_majorities() {
    let joint = members(&[0, 1, 2]).successors(Membership::Joint, 5);
    let joint =
        joint.into_iter().find(|m| m.then() == Some(members(&[2, 3, 4]))).expect("any set may be next");
    let carries =
        |ids: &[usize]| joint.are_carried_by(&ids.iter().map(|&i| i.into()).collect::<Vec<_>>(), None);
    assert!(!carries(&[0, 1]));
    assert!(!carries(&[2, 3, 4]));
    assert!(carries(&[0, 2, 3]));
}

/// Section 6: no more than one change at a time, and only C(new) follows C(old,new).
#[test]
fn a_joint_configuration_is_not_changed_again() {
    let joint = members(&[0, 1]).successors(Membership::Joint, 3)[0];
    assert_eq!(joint.successors(Membership::Joint, 3), []);
}

/// Section 6: once C(old,new) is committed the leader appends C(new), and sends it once to everybody.
#[test]
fn the_acknowledgement_that_commits_a_joint_configuration_is_answered_once() {
    let joint = members(&[0, 1]).successors(Membership::Joint, 3).pop().expect("to all three");
    let setup = with_values().with("membership", Value::Text("joint")).with("members", Value::Number(2));
    let mut node = Node::new(setup).elected();
    node.request(Command::Members(joint));
    let sent = node.hear(N2, appended(1, 1));
    assert_eq!(sent.iter().map(|(dst, _)| *dst).collect::<Vec<_>>(), [N2, N3]);
    assert_eq!((node.server.commit, node.log()), (1, vec![1, 1]));
}

/// Section 6, thesis 4.3: a leader that knows of a committed C(old,new) appends C(new), even if another began the change.
#[test]
fn a_leader_ends_the_change_that_it_inherits() {
    let joint = members(&[0, 1]).successors(Membership::Joint, 3).pop().expect("to all three");
    for (commit, expected) in [(1, [1, 2].as_slice()), (0, &[1])] {
        let mut node = Node::new(with_values().with("membership", Value::Text("joint")));
        node.server.persistent.term = Term(1);
        node.server.persistent.log =
            Log::from_iter([Entry { term: Term(1), command: Command::Members(joint) }]);
        node.server.commit = commit;
        let node = node.elected();
        assert_eq!(node.log(), expected);
        assert_eq!(node.offers, [Command::Value(N1.into())], "the change is still under way");
    }
}

#[test]
fn single_changes_add_or_remove_one_server() {
    let next = members(&[0, 1]).successors(Membership::Single, 3);
    assert_eq!(next, [members(&[1]), members(&[0]), members(&[0, 1, 2])]);
    assert_eq!(members(&[0]).successors(Membership::Single, 1), [], "somebody must be left");
}

#[test]
fn every_bug_that_is_listed_can_be_planted() {
    for bug in Raft::about().bugs {
        let build = |membership| {
            let setup =
                three().with("pre_vote", Value::Flag(true)).with("membership", Value::Text(membership));
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
