//! One test for each sentence of the paper that a handler carries out, driven by hand; and tests of what the harness
//! is told.

use std::borrow::Cow;

use stateright::actor::{Actor, Command, Id, Out};

use super::bugs::ABOUT;
use super::*;
use crate::election::{Costs, Value};
use crate::exploration::verdict::Verdict;
use crate::scenario::{self, Scenario};
use crate::semantics::{Step, StepOf, System, SystemState};

/// One replica of three, driven by hand.
struct Replica {
    actor: Viewstamped,
    id: Id,
    state: State,
    disk: Option<OnDisk>,
    timers: Vec<Timer>,
}

/// What a replica was seen to do: `Err` is what it saved, `Ok` what it sent and to whom.
type Done = Vec<Result<(usize, Message), OnDisk>>;

fn id(number: usize) -> Id {
    Id::from(number - 1)
}

fn actor(disk: &'static str) -> Viewstamped {
    let setup =
        Setup::new(&ABOUT, 3).with("disk", Value::Text(disk)).with("values", Value::Number(9));
    Viewstamped::build(&setup).expect("three replicas").remove(0)
}

impl Replica {
    /// The replica `n<number>` at its first start, with the view number on disk.
    fn new(number: usize) -> Self {
        Replica::started(actor("view"), number, 0, None).0
    }

    fn started(
        actor: Viewstamped,
        number: usize,
        incarnation: u32,
        disk: Option<OnDisk>,
    ) -> (Self, Done) {
        let mut out = Out::new();
        let state = actor.start(id(number), incarnation, &disk, &mut out);
        let mut replica = Replica { actor, id: id(number), state, disk, timers: Vec::new() };
        let done = replica.carry_out(out);
        (replica, done)
    }

    fn carry_out(&mut self, out: Out<Viewstamped>) -> Done {
        let mut done = Vec::new();
        for command in out {
            match command {
                Command::Send(dst, msg) => done.push(Ok((usize::from(dst) + 1, msg))),
                Command::Save(disk) => {
                    self.disk = Some(disk.clone());
                    done.push(Err(disk));
                }
                Command::SetTimer(timer, _) if !self.timers.contains(&timer) => {
                    self.timers.push(timer)
                }
                Command::CancelTimer(timer) => self.timers.retain(|t| *t != timer),
                Command::SetTimer(..) | Command::ChooseRandom(..) => {}
            }
        }
        done
    }

    fn hears(&mut self, from: usize, msg: Message) -> Done {
        let mut out = Out::new();
        let mut state = Cow::Owned(self.state.clone());
        self.actor.on_msg(self.id, &mut state, id(from), msg, &mut out);
        self.state = state.into_owned();
        self.carry_out(out)
    }

    fn times_out(&mut self, timer: Timer) -> Done {
        let mut out = Out::new();
        let mut state = Cow::Owned(self.state.clone());
        self.timers.retain(|t| *t != timer);
        self.actor.on_timeout(self.id, &mut state, &timer, &mut out);
        self.state = state.into_owned();
        self.carry_out(out)
    }

    fn is_asked(&mut self) -> Done {
        let mut out = Out::new();
        let mut state = Cow::Owned(self.state.clone());
        let next = Request(self.state.log.len() as u32 + 1);
        self.actor.on_random(self.id, &mut state, &next, &mut out);
        self.state = state.into_owned();
        self.carry_out(out)
    }

    /// The same replica after a crash.
    fn restarts(&self) -> (Self, Done) {
        Replica::started(self.actor.clone(), usize::from(self.id) + 1, 1, self.disk.clone())
    }

    fn is_normal_in(&self, view: View) -> bool {
        self.state.is_normal() && self.state.view == view
    }
}

fn ops(numbers: &[u32]) -> Log {
    numbers.iter().copied().map(Op).collect()
}

fn prepare(view: View, op_number: usize, commit: usize) -> Message {
    Message::Prepare { view, op: Op(op_number as u32), op_number, commit }
}

fn prepare_ok(view: View, op_number: usize) -> Message {
    Message::PrepareOk { view, op_number }
}

fn start_view_change(view: View) -> Message {
    Message::StartViewChange { view }
}

fn do_view_change(view: View, last_normal: View, log: &[u32], commit: usize) -> Message {
    Message::DoViewChange { view, offer: Offer { last_normal, log: ops(log), commit } }
}

fn start_view(view: View, log: &[u32], commit: usize) -> Message {
    Message::StartView { view, log: ops(log), commit }
}

fn suffix(after: usize, log: &[u32], commit: usize) -> Suffix {
    Suffix { after, ops: ops(log), commit }
}

fn response(nonce: u32, view: View, suffix: Option<Suffix>) -> Message {
    Message::RecoveryResponse { nonce, answer: Answer { view, suffix } }
}

fn saved_view(view: View) -> Result<(usize, Message), OnDisk> {
    Err(OnDisk { view, log: Log::new(), commit: 0 })
}

fn to_others(me: usize, msg: Message) -> Vec<Result<(usize, Message), OnDisk>> {
    (1..=3).filter(|n| *n != me).map(|n| Ok((n, msg.clone()))).collect()
}

// ---- Normal operation (§4.1)

/// Step 3: "advances op-number, adds the request to the end of the log", and sends Prepare with the commit-number.
#[test]
fn the_primary_numbers_a_request_and_asks_the_others_to_prepare_it() {
    let mut n1 = Replica::new(1);
    assert_eq!(n1.is_asked(), to_others(1, prepare(0, 1, 0)));
    assert_eq!(n1.state.log, ops(&[1]));
}

/// Step 4: a backup adds the request to its log and answers PrepareOk.
#[test]
fn a_backup_prepares_the_next_operation() {
    let mut n2 = Replica::new(2);
    assert_eq!(n2.hears(1, prepare(0, 1, 0)), [Ok((1, prepare_ok(0, 1)))]);
    assert_eq!(n2.hears(1, prepare(0, 2, 1)), [Ok((1, prepare_ok(0, 2)))]);
    assert_eq!((n2.state.log, n2.state.commit), (ops(&[1, 2]), 1));
}

/// Step 4: "it waits until it has entries for all earlier requests (doing state transfer if necessary)".
#[test]
fn a_backup_with_a_gap_fetches_the_earlier_operations_first() {
    let mut n2 = Replica::new(2);
    assert_eq!(
        n2.hears(1, prepare(0, 2, 0)),
        [Ok((1, Message::GetState { view: 0, op_number: 0 }))]
    );
    assert_eq!(n2.state.log, ops(&[]));
    let state = Message::NewState { view: 0, suffix: suffix(0, &[1, 2], 0) };
    assert_eq!(n2.hears(1, state), [Ok((1, prepare_ok(0, 2)))]);
    assert_eq!(n2.state.log, ops(&[1, 2]));
}

/// Step 5: f PrepareOk from different backups commit the operation and all earlier ones.
#[test]
fn the_primary_commits_with_f_backups() {
    let mut n1 = Replica::new(1);
    n1.is_asked();
    n1.is_asked();
    assert_eq!(n1.hears(2, prepare_ok(0, 2)), []);
    assert_eq!(n1.state.commit, 2);
}

/// Step 5, with f = 2: the same backup twice does not count twice.
#[test]
fn a_backup_counts_once() {
    let setup = Setup::new(&ABOUT, 5).with("values", Value::Number(1));
    let five = Viewstamped::build(&setup).unwrap().remove(0);
    let (mut n1, _) = Replica::started(five, 1, 0, None);
    n1.is_asked();
    n1.hears(2, prepare_ok(0, 1));
    n1.hears(2, prepare_ok(0, 1));
    assert_eq!(n1.state.commit, 0);
    n1.hears(5, prepare_ok(0, 1));
    assert_eq!(n1.state.commit, 1);
}

/// Step 6: an idle primary sends Commit with its commit-number.
#[test]
fn an_idle_primary_tells_what_is_committed() {
    let mut n1 = Replica::new(1);
    n1.is_asked();
    n1.hears(3, prepare_ok(0, 1));
    assert_eq!(
        n1.times_out(Timer::Heartbeat),
        to_others(1, Message::Commit { view: 0, commit: 1 })
    );
    assert_eq!(n1.timers, [Timer::Heartbeat]);
}

/// Step 7: a backup that learns of a commit needs the operation in its log first.
#[test]
fn a_backup_learns_of_a_commit() {
    let mut n2 = Replica::new(2);
    let commit = Message::Commit { view: 0, commit: 1 };
    assert_eq!(n2.hears(1, commit.clone()), [Ok((1, Message::GetState { view: 0, op_number: 0 }))]);
    assert_eq!(n2.state.commit, 0);
    n2.hears(1, prepare(0, 1, 0));
    assert_eq!(n2.hears(1, commit), []);
    assert_eq!(n2.state.commit, 1);
}

/// "If the sender is behind, the receiver drops the message."
#[test]
fn normal_messages_of_an_earlier_view_are_dropped() {
    let mut n2 = Replica::new(2);
    n2.hears(3, start_view(5, &[], 0));
    let before = n2.state.clone();
    for msg in [prepare(0, 1, 0), prepare_ok(0, 1), Message::Commit { view: 0, commit: 1 }] {
        assert_eq!(n2.hears(1, msg), []);
    }
    assert_eq!(n2.state, before);
}

// ---- View change (§4.2)

/// Step 1: "advances its view-number, sets its status to view-change, and sends a StartViewChange message"; with a
/// disk, the view number is there first.
#[test]
fn a_backup_that_hears_nothing_starts_a_view_change() {
    let mut n2 = Replica::new(2);
    let expected = [vec![saved_view(1)], to_others(2, start_view_change(1))].concat();
    assert_eq!(n2.times_out(Timer::ViewChange), expected);
    assert!(!n2.state.is_normal());
    assert_eq!(n2.timers, [Timer::ViewChange]);
}

/// Step 1: or it notices the need from a StartViewChange, or from a DoViewChange, with a larger view-number.
#[test]
fn a_replica_joins_a_later_view_change() {
    let expected = |me| [vec![saved_view(4)], to_others(me, start_view_change(4))].concat();
    let mut n1 = Replica::new(1);
    let mut done = expected(1);
    done.push(Ok((2, do_view_change(4, 0, &[], 0))));
    assert_eq!(
        n1.hears(2, start_view_change(4)),
        done,
        "with f = 1, the one heard suffices for step 2"
    );
    assert_eq!(n1.timers, [Timer::ViewChange], "no longer the primary's");
    let mut n2 = Replica::new(2);
    assert_eq!(n2.hears(3, do_view_change(4, 0, &[], 0)), expected(2));
}

/// Step 2: StartViewChange from f others, and not earlier, makes a replica send DoViewChange to the new primary.
#[test]
fn a_log_is_offered_once_f_others_have_started_the_view_change() {
    let mut n3 = Replica::new(3);
    n3.hears(1, prepare(0, 1, 0));
    n3.times_out(Timer::ViewChange);
    assert_eq!(n3.hears(1, start_view_change(1)), [Ok((2, do_view_change(1, 0, &[1], 0)))]);
    assert_eq!(n3.hears(2, start_view_change(1)), [], "once");
}

/// Step 2: v' is the latest view in which the status was normal, however many view changes have failed since.
#[test]
fn the_offer_names_the_last_normal_view() {
    let mut n3 = Replica::new(3);
    n3.hears(2, start_view(1, &[0], 0));
    n3.times_out(Timer::ViewChange);
    n3.times_out(Timer::ViewChange);
    assert_eq!(
        n3.hears(1, start_view_change(3)).last(),
        Some(&Ok((1, do_view_change(3, 1, &[0], 0))))
    );
}

/// Step 3: f+1 DoViewChange messages, the primary's own among them, start the view.
#[test]
fn the_new_primary_needs_f_plus_1_offers() {
    let mut n2 = Replica::new(2);
    n2.hears(3, do_view_change(1, 0, &[], 0));
    assert!(!n2.is_normal_in(1));
    n2.hears(3, do_view_change(1, 0, &[], 0));
    assert!(!n2.is_normal_in(1), "the same twice");
    assert_eq!(n2.hears(3, start_view_change(1)), to_others(2, start_view(1, &[], 0)));
    assert!(n2.is_normal_in(1));
    assert_eq!(n2.timers, [Timer::Heartbeat]);
}

/// Step 3: the log with the largest v', and among those the longest; the largest commit-number.
#[test]
fn the_best_log_is_installed() {
    for (offer, installed) in [
        (do_view_change(4, 2, &[0], 1), (ops(&[0]), 1)),
        (do_view_change(4, 1, &[0, 1, 1], 1), (ops(&[0, 1, 1]), 1)),
        (do_view_change(4, 1, &[0], 1), (ops(&[0, 1]), 1)),
        (do_view_change(4, 0, &[0, 0, 0], 1), (ops(&[0, 1]), 1)),
    ] {
        let mut n2 = Replica::new(2);
        n2.hears(3, start_view(1, &[0, 1], 0));
        n2.hears(3, start_view_change(4));
        n2.hears(3, offer);
        assert!(n2.is_normal_in(4));
        assert_eq!((n2.state.log, n2.state.commit), installed);
    }
}

/// Step 5: the others replace their log, become normal, and acknowledge what is not committed.
#[test]
fn backups_install_the_log_of_the_new_view() {
    let mut n1 = Replica::new(1);
    n1.is_asked();
    n1.is_asked();
    let done = n1.hears(2, start_view(1, &[0, 1], 1));
    assert_eq!(done, [saved_view(1), Ok((2, prepare_ok(1, 2)))]);
    assert!(n1.is_normal_in(1));
    assert_eq!((n1.state.log, n1.state.commit), (ops(&[0, 1]), 1));
    assert_eq!(n1.timers, [Timer::ViewChange]);
    let mut n3 = Replica::new(3);
    assert_eq!(n3.hears(2, start_view(1, &[0], 1)), [saved_view(1)], "all of it is committed");
}

/// Not in the paper, but needed: neither a StartView nor a StartViewChange for the own view moves a normal replica.
#[test]
fn a_replica_joins_a_view_once() {
    let mut n3 = Replica::new(3);
    n3.hears(2, start_view(1, &[], 0));
    n3.hears(2, prepare(1, 1, 0));
    let before = n3.state.clone();
    assert_eq!(n3.hears(2, start_view(1, &[], 0)), []);
    assert_eq!(n3.hears(1, start_view_change(1)), []);
    assert_eq!(n3.state, before);
}

/// §8.1: a replica in a view change accepts no Prepare from the earlier view.
#[test]
fn nothing_is_prepared_in_the_old_view() {
    let mut n3 = Replica::new(3);
    n3.times_out(Timer::ViewChange);
    assert_eq!(n3.hears(1, prepare(0, 1, 0)), []);
    assert_eq!(n3.state.log, ops(&[]));
}

// ---- State transfer (§5.2)

/// Of a later view it is asked what follows the commit-number; and nothing changes before the answer is there.
#[test]
fn a_replica_left_behind_fetches_the_later_view() {
    let mut n1 = Replica::new(1);
    n1.is_asked();
    n1.hears(2, prepare_ok(0, 1));
    n1.is_asked();
    let before = n1.state.clone();
    let get = Message::GetState { view: 1, op_number: 1 };
    assert_eq!(n1.hears(2, prepare(1, 3, 0)), [Ok((2, get))]);
    assert_eq!(n1.state, before);
    let done = n1.hears(2, Message::NewState { view: 1, suffix: suffix(1, &[3, 4], 1) });
    assert_eq!(done, [saved_view(1), Ok((2, prepare_ok(1, 3)))]);
    assert_eq!(n1.state.log, ops(&[1, 3, 4]));
}

/// A primary that has forgotten its view, as it may without a disk, does not become a backup of itself.
#[test]
fn a_primary_does_not_fetch_its_own_view() {
    let mut n2 = Replica::started(actor("none"), 2, 0, None).0;
    assert_eq!(n2.hears(3, prepare_ok(1, 1)), []);
    assert!(n2.is_normal_in(0));
}

/// "A replica responds only if its status is normal and it is currently in view v."
#[test]
fn state_is_sent_in_the_own_view_only() {
    let mut n1 = Replica::new(1);
    n1.is_asked();
    let get = |view| Message::GetState { view, op_number: 0 };
    let state = Message::NewState { view: 0, suffix: suffix(0, &[1], 0) };
    assert_eq!(n1.hears(2, get(0)), [Ok((2, state))]);
    assert_eq!(n1.hears(2, get(1)), []);
    n1.hears(2, start_view_change(1));
    assert_eq!(n1.hears(2, get(0)), []);
    assert_eq!(n1.hears(2, get(1)), []);
}

/// A NewState that comes late does not shorten the log.
#[test]
fn old_state_is_ignored() {
    let mut n2 = Replica::new(2);
    n2.hears(1, prepare(0, 1, 0));
    n2.hears(1, prepare(0, 2, 1));
    let before = n2.state.clone();
    assert_eq!(n2.hears(1, Message::NewState { view: 0, suffix: suffix(0, &[0], 0) }), []);
    assert_eq!(n2.state, before);
}

// ---- Recovery (§4.3)

/// Step 1: Recovery with a nonce goes to all others; until it has recovered, the replica takes part in nothing.
#[test]
fn a_replica_that_comes_back_asks_everybody_and_takes_part_in_nothing() {
    let mut n2 = Replica::new(2);
    n2.hears(1, prepare(0, 1, 0));
    let (mut n2, done) = n2.restarts();
    assert_eq!(done, to_others(2, Message::Recovery { nonce: 1, view: 0, op_number: 0 }));
    assert_eq!(n2.state.log, ops(&[]), "it has forgotten what it prepared");
    let before = n2.state.clone();
    for msg in [
        prepare(0, 1, 0),
        prepare(3, 1, 0),
        start_view_change(1),
        do_view_change(1, 0, &[], 0),
        start_view(1, &[], 0),
        Message::Recovery { nonce: 1, view: 5, op_number: 0 },
        Message::GetState { view: 0, op_number: 0 },
        Message::NewState { view: 0, suffix: suffix(0, &[], 0) },
    ] {
        assert_eq!(n2.hears(3, msg), []);
    }
    assert_eq!(n2.state, before);
}

/// Step 2: a replica answers only when its status is normal, and with its log only if it is the primary.
#[test]
fn normal_replicas_answer_and_the_primary_sends_its_log() {
    let ask = Message::Recovery { nonce: 7, view: 0, op_number: 0 };
    let mut n1 = Replica::new(1);
    n1.is_asked();
    assert_eq!(n1.hears(3, ask.clone()), [Ok((3, response(7, 0, Some(suffix(0, &[1], 0)))))]);
    let mut n2 = Replica::new(2);
    assert_eq!(n2.hears(3, ask.clone()), [Ok((3, response(7, 0, None)))]);
    n2.times_out(Timer::ViewChange);
    assert_eq!(n2.hears(3, ask), []);
}

/// Step 3: at least f+1 answers with this nonce, and the log from the primary of the latest view among them.
#[test]
fn recovery_needs_f_plus_1_answers_and_the_latest_primary() {
    let (mut n3, _) = Replica::started(actor("none"), 3, 2, None);
    n3.hears(1, response(2, 0, Some(suffix(0, &[], 0))));
    assert!(n3.state.is_recovering(), "one answer");
    n3.hears(2, response(1, 0, None));
    assert!(n3.state.is_recovering(), "an answer to an earlier recovery");
    n3.hears(2, response(2, 4, None));
    assert!(n3.state.is_recovering(), "the primary of view 4 has not sent its log");
    assert_eq!(
        n3.times_out(Timer::Recovery),
        to_others(3, Message::Recovery { nonce: 2, view: 0, op_number: 0 })
    );
    let done = n3.hears(2, response(2, 4, Some(suffix(0, &[0, 4], 1))));
    assert_eq!(done, [Ok((2, prepare_ok(4, 2)))]);
    assert!(n3.is_normal_in(4));
    assert_eq!((n3.state.log, n3.state.commit), (ops(&[0, 4]), 1));
    assert_eq!(n3.timers, [Timer::ViewChange]);
}

/// The end of §4.3: a recovering replica that is the primary of the latest view waits for a further view change.
#[test]
fn a_primary_does_not_recover_into_its_own_view() {
    let (mut n2, _) = Replica::started(actor("none"), 2, 1, None);
    n2.hears(1, response(1, 1, None));
    n2.hears(3, response(1, 1, None));
    assert!(n2.state.is_recovering());
    n2.hears(3, response(1, 2, Some(suffix(0, &[1], 1))));
    assert!(n2.is_normal_in(2));
}

/// With the view number on disk, a replica does not come back into an earlier view; and the others are told of it.
#[test]
fn the_disk_keeps_a_replica_out_of_earlier_views() {
    let mut n3 = Replica::new(3);
    n3.times_out(Timer::ViewChange);
    let (mut n3, done) = n3.restarts();
    let ask = Message::Recovery { nonce: 1, view: 1, op_number: 0 };
    assert_eq!(done, to_others(3, ask.clone()));
    n3.hears(1, response(1, 0, Some(suffix(0, &[], 0))));
    n3.hears(2, response(1, 0, None));
    assert!(n3.state.is_recovering());
    let mut n1 = Replica::new(1);
    assert_eq!(
        n1.hears(3, ask),
        [vec![saved_view(1)], to_others(1, start_view_change(1))].concat()
    );
}

/// §5.1: the log goes to disk behind the messages; only what is known to be committed is built upon.
#[test]
fn a_log_on_disk_saves_fetching_its_committed_prefix() {
    let (mut n3, _) = Replica::started(actor("log"), 3, 0, None);
    let done = n3.hears(1, prepare(0, 1, 0));
    assert_eq!(
        done,
        [Ok((1, prepare_ok(0, 1))), Err(OnDisk { view: 0, log: ops(&[1]), commit: 0 })]
    );
    n3.hears(1, prepare(0, 2, 1));
    let (mut n3, done) = n3.restarts();
    assert_eq!(done, to_others(3, Message::Recovery { nonce: 1, view: 0, op_number: 1 }));
    n3.hears(1, response(1, 1, None));
    n3.hears(2, response(1, 1, Some(suffix(1, &[3, 4], 2))));
    assert_eq!((n3.state.log, n3.state.commit), (ops(&[1, 3, 4]), 2));
}

// ---- What the harness is told

#[test]
fn every_bug_has_its_switch() {
    for spec in ABOUT.bugs {
        Bug::named(spec.name);
    }
}

#[test]
fn a_group_that_survives_a_failure_has_three_replicas() {
    for nodes in [1, 2] {
        assert!(Viewstamped::build(&Setup::new(&ABOUT, nodes)).is_err());
    }
}

/// Quorums meet: of four replicas, two are none, and three are one.
#[test]
fn half_of_an_even_group_is_no_quorum() {
    let setup = Setup::new(&ABOUT, 4).with("values", Value::Number(1));
    let four = Viewstamped::build(&setup).unwrap().remove(0);
    let (mut n1, _) = Replica::started(four, 1, 0, None);
    n1.is_asked();
    n1.hears(2, prepare_ok(0, 1));
    assert_eq!(n1.state.commit, 0);
    n1.hears(3, prepare_ok(0, 1));
    assert_eq!(n1.state.commit, 1);
}

/// The scenarios of the corpus, twins included.
fn corpus() -> Vec<Scenario> {
    crate::scenario::corpus::of(&ABOUT).unwrap()
}

/// Where a bug that costs safety is caught besides in its own scenario is written down, and is what it should be.
#[test]
fn every_safety_bug_is_caught_elsewhere_too() {
    let caught = crate::scenario::corpus::caught_by(&ABOUT).unwrap();
    for spec in ABOUT.bugs.iter().filter(|spec| spec.costs == Costs::Safety) {
        match caught.get(spec.name).unwrap_or_else(|| panic!("{} is not in [caught_by]", spec.name))
        {
            crate::scenario::corpus::CaughtBy::None { none } => assert!(!none.is_empty()),
            crate::scenario::corpus::CaughtBy::Scenario(name) => {
                let scenario = corpus().into_iter().find(|s| s.name == *name).expect(name);
                assert_eq!(scenario.bug, None, "{name}");
                assert!(!name.starts_with(spec.name), "{name} was written for {}", spec.name);
            }
        }
    }
}

/// A goal that no scenario lists in `covers` would be one that nobody misses.
#[test]
fn every_goal_is_covered_by_a_healthy_scenario() {
    for goal in Viewstamped::goals() {
        let covers =
            |s: &Scenario| s.bug.is_none() && s.covers.iter().any(|name| name == goal.name);
        assert!(corpus().iter().any(covers), "no healthy scenario covers {}", goal.name);
    }
}

#[test]
fn the_corpus_can_be_read() {
    for scenario in scenario::parse(ABOUT.corpus, &ABOUT).unwrap() {
        scenario.system::<Viewstamped>().unwrap();
    }
}

fn system(text: &str) -> System<Viewstamped> {
    let scenario: Scenario = scenario::parse(text, &ABOUT).unwrap().remove(0);
    scenario.system().unwrap()
}

/// Calls `visit` for every transition within the bounds.
fn explore(
    system: &System<Viewstamped>,
    mut visit: impl FnMut(&SystemState<Viewstamped>, &StepOf<Viewstamped>, &SystemState<Viewstamped>),
) {
    use std::collections::HashSet;
    use std::hash::BuildHasher;
    let hasher = std::hash::RandomState::new();
    let mut seen = HashSet::from([hasher.hash_one(system.initial())]);
    let mut queue = vec![system.initial()];
    while let Some(state) = queue.pop() {
        for (step, next) in system.successors(&state) {
            visit(&state, &step, &next);
            if system.beyond(&next).is_none() && seen.insert(hasher.hash_one(&next)) {
                queue.push(next);
            }
        }
    }
}

/// A message that is dead changes nothing when it is delivered, and stays dead whatever happens to its receiver.
#[test]
fn dead_messages_do_nothing_and_stay_dead() {
    for options in [
        "options = { values = 1 }",
        "options = { values = 1, disk = \"log\", heartbeats = false }\nfaults = { crashes = 1, restarts = 1, torn = true }",
        "options = { values = 1, disk = \"none\", heartbeats = false }\nfaults = { crashes = 1, restarts = 1 }",
    ] {
        let system = system(&format!(
            "[[scenario]]\nname = \"dead\"\nnodes = 3\nkeep_dead_messages = true\n\
             bounds = {{ max_term = 1, max_in_flight = 6, max_copies = 1 }}\n{options}"
        ));
        let mut dead = 0;
        explore(&system, |state, step, next| {
            for envelope in state.network.distinct() {
                let i = usize::from(envelope.dst);
                let is_dead = |system_state: &SystemState<Viewstamped>| {
                    let receiver = system_state.nodes[i].state.as_deref();
                    receiver.map(|r| {
                        system.actors[i].is_dead(envelope.dst, r, envelope.src, &envelope.msg)
                    })
                };
                if is_dead(state) != Some(true) {
                    continue;
                }
                dead += 1;
                assert_ne!(
                    is_dead(next),
                    Some(false),
                    "{envelope:?} comes to life: {}",
                    system.name(step)
                );
                if let Step::Deliver { src, dst, msg } = step
                    && (*src, *dst, msg) == (envelope.src, envelope.dst, &envelope.msg)
                {
                    // It is answered at most by a message that is dead in turn; only Recovery is, and is never dead.
                    panic!("{envelope:?} is dead but has an effect");
                }
            }
        });
        assert!(dead > 0, "some message dies under {options}");
    }
}

#[test]
fn every_property_can_be_broken() {
    let corpus = scenario::parse(ABOUT.corpus, &ABOUT).unwrap();
    for (_, name) in System::<Viewstamped>::properties() {
        let breaks =
            |s: &Scenario| s.expect.get(name).is_some_and(|e| e.verdict == Verdict::Violated);
        assert!(corpus.iter().any(breaks), "no scenario of the corpus violates {name}");
    }
}

/// Each planted bug has a scenario of its own, in which it costs what it says it costs.
#[test]
fn every_bug_is_in_the_corpus() {
    let corpus = scenario::parse(ABOUT.corpus, &ABOUT).unwrap();
    for spec in ABOUT.bugs {
        let own = corpus.iter().find(|s| s.name == spec.name).expect(spec.name);
        assert_eq!(own.bug.as_deref(), Some(spec.name));
        // A control breaks the letter of its rule, and nothing that the rule is for.
        let is_broken = |(name, e): (&String, &crate::scenario::Expected)| {
            e.verdict == Verdict::Violated
                && (spec.costs == Costs::Safety || name != "starts-with-the-best-log")
        };
        assert_eq!(own.expect.iter().any(is_broken), spec.costs == Costs::Safety, "{}", spec.name);
    }
}
