//! View changes (§4.2), one test for each sentence.

use super::super::*;
use super::replica::*;

/// Step 1: "advances its view-number, sets its status to view-change, and sends a StartViewChange
/// message"; with a disk, the view number is there first.
#[test]
fn a_backup_that_hears_nothing_starts_a_view_change() {
    let mut n2 = Replica::new(2);
    let expected = [vec![saved_view(1)], to_others(2, start_view_change(1))].concat();
    assert_eq!(n2.times_out(Timer::ViewChange), expected);
    assert!(!n2.state.is_normal());
    assert_eq!(n2.timers, [Timer::ViewChange]);
}

/// Step 1: or it notices the need from a StartViewChange, or from a DoViewChange, with a larger
/// view-number.
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

/// Step 2: StartViewChange from f others, and not earlier, makes a replica send DoViewChange to the
/// new primary.
#[test]
fn a_log_is_offered_once_f_others_have_started_the_view_change() {
    let mut n3 = Replica::new(3);
    n3.hears(1, prepare(0, 1, 0));
    n3.times_out(Timer::ViewChange);
    assert_eq!(n3.hears(1, start_view_change(1)), [Ok((2, do_view_change(1, 0, &[1], 0)))]);
    assert_eq!(n3.hears(2, start_view_change(1)), [], "once");
}

/// Step 2: v' is the latest view in which the status was normal, however many view changes have
/// failed since.
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

/// Not in the paper, but needed: neither a StartView nor a StartViewChange for the own view moves a
/// normal replica.
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
