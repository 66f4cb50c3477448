//! State transfer (§5.2), one test for each sentence.

use super::super::*;
use super::replica::*;

/// Of a later view it is asked what follows the commit-number; and nothing changes before the
/// answer is there.
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

/// A primary that has forgotten its view, as it may without a disk, does not become a backup of
/// itself.
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
