//! Normal operation (§4.1), one test for each sentence.

use super::super::about::ABOUT;
use super::super::*;
use super::replica::*;

/// Step 3: "advances op-number, adds the request to the end of the log", and sends Prepare with the
/// commit-number.
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

/// Step 4: "it waits until it has entries for all earlier requests (doing state transfer if
/// necessary)".
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
