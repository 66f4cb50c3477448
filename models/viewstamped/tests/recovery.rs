//! Recovery (§4.3, §5.1), one test for each sentence.

use super::super::*;
use super::replica::*;

/// Step 1: Recovery with a nonce goes to all others; until it has recovered, the replica takes part
/// in nothing.
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

/// Step 2: a replica answers only when its status is normal, and with its log only if it is the
/// primary.
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

/// Step 3: at least f+1 answers with this nonce, and the log from the primary of the latest view
/// among them.
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

/// The end of §4.3: a recovering replica that is the primary of the latest view waits for a further
/// view change.
#[test]
fn a_primary_does_not_recover_into_its_own_view() {
    let (mut n2, _) = Replica::started(actor("none"), 2, 1, None);
    n2.hears(1, response(1, 1, None));
    n2.hears(3, response(1, 1, None));
    assert!(n2.state.is_recovering());
    n2.hears(3, response(1, 2, Some(suffix(0, &[1], 1))));
    assert!(n2.is_normal_in(2));
}

/// With the view number on disk, a replica does not come back into an earlier view; and the others
/// are told of it.
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

/// §5.1: the log goes to disk behind the messages; only what is known to be committed is built
/// upon.
#[test]
fn a_log_on_disk_saves_fetching_its_committed_prefix() {
    let (mut n3, _) = Replica::started(actor("log"), 3, 0, None);
    let done = n3.hears(1, prepare(0, 1, 0));
    assert_eq!(done, [Ok((1, prepare_ok(0, 1))), Err(Disk { view: 0, log: ops(&[1]), commit: 0 })]);
    n3.hears(1, prepare(0, 2, 1));
    let (mut n3, done) = n3.restarts();
    assert_eq!(done, to_others(3, Message::Recovery { nonce: 1, view: 0, op_number: 1 }));
    n3.hears(1, response(1, 1, None));
    n3.hears(2, response(1, 1, Some(suffix(1, &[3, 4], 2))));
    assert_eq!((n3.state.log, n3.state.commit), (ops(&[1, 3, 4]), 2));
}
