//! Phases 1 to 3.

use super::super::{Disk, Epoch, Link, Message, Packet, Report, Role, Sync, Timer, Zxid};
use super::cluster::{Cluster, Effect, disk, n, oracle, txn, zab};
use crate::election::{Election, Term};

// Phase 1

#[test]
fn the_new_epoch_is_later_than_every_epoch_that_a_quorum_has_accepted() {
    for (own, others, chosen) in
        [(0, vec![0], 1), (0, vec![1], 2), (3, vec![1], 4), (1, vec![5, 2], 6)]
    {
        let zab = zab(3, "oracle", None);
        let others = others.into_iter().map(Epoch);
        assert_eq!(zab.choose_epoch(Epoch(own), others), Epoch(chosen));
    }
    let lax = zab(3, "oracle", Some("epoch-not-above"));
    assert_eq!(lax.choose_epoch(Epoch(0), [Epoch(1)].into_iter()), Epoch(1));
}

#[test]
fn a_promise_is_on_disk_before_it_is_sent() {
    let mut c = oracle(3);
    c.elect(1, 1);
    c.elect(2, 1);
    let chosen = c.deliver(2, 1);
    assert!(matches!(chosen[..], [Effect::Save(_), Effect::Send(..)]), "{chosen:?}");
    let promised = c.deliver(1, 2);
    assert!(matches!(&promised[..], [Effect::Save(d), Effect::Send(..)] if d.accepted == Epoch(1)));
}

#[test]
fn an_epoch_is_promised_once_and_an_earlier_one_never() {
    let mut c = Cluster::with_disks(
        zab(3, "oracle", None),
        vec![disk(0, 0, &[]), disk(1, 0, &[]), disk(0, 0, &[])],
    );
    let link = Link { incarnation: 0, round: 1 };
    let offer = |epoch| Message::Packet {
        link,
        place: 1,
        packet: Packet::NewEpoch { epoch: Epoch(epoch) },
    };
    c.elect(2, 1);
    let again = c.receive(n(1), n(2), offer(1));
    let ack = Report::AckEpoch { epoch: Epoch(1), current: None, last: Zxid::default() };
    assert_eq!(again, [Effect::Send(n(1), Message::Report { link, place: 2, report: ack })]);
    let mut c = Cluster::with_disks(
        zab(3, "oracle", None),
        vec![Disk::default(), disk(2, 0, &[]), Disk::default()],
    );
    c.elect(2, 1);
    c.receive(n(1), n(2), offer(1));
    assert!(c.is_looking(2));
}

#[test]
fn a_leader_leaves_the_office_to_a_follower_with_a_more_recent_history() {
    let behind = disk(1, 0, &[txn(1, 1)]);
    let ahead = disk(1, 1, &[]);
    let mut c = Cluster::with_disks(
        zab(3, "oracle", None),
        vec![behind.clone(), ahead.clone(), Disk::default()],
    );
    c.elect(1, 1);
    c.elect(2, 1);
    c.settle(&[1, 2]);
    assert!(c.is_looking(1), "the epoch comes before the zxid");
    let mut c = Cluster::with_disks(
        zab(3, "oracle", Some("elects-by-zxid-only")),
        vec![behind, ahead, Disk::default()],
    );
    c.establish(&[1, 2]);
}

// Phase 2

#[test]
fn a_history_is_brought_to_the_leaders_by_what_it_lacks_or_has_too_much() {
    let zab = zab(3, "oracle", None);
    let leader = disk(3, 3, &[txn(1, 1), txn(1, 2), txn(3, 1)]);
    let zxid = |epoch, counter| txn(epoch, counter).zxid;
    let cases = [
        (Zxid::default(), Sync::Diff(leader.history.clone())),
        (zxid(1, 2), Sync::Diff(vec![txn(3, 1)])),
        (zxid(3, 1), Sync::Diff(vec![])),
        (zxid(1, 4), Sync::Trunc(zxid(1, 2), vec![txn(3, 1)])),
        (zxid(2, 1), Sync::Snap(leader.history.clone())),
    ];
    for (last, sync) in cases {
        assert_eq!(zab.sync(&leader, last), sync, "{last}");
    }
}

#[test]
fn history_then_epoch_then_acknowledgement() {
    let leader = disk(1, 1, &[txn(1, 1)]);
    let order = |bug: Option<&'static str>| {
        let disks = vec![leader.clone(), Disk::default(), Disk::default()];
        let mut c = Cluster::with_disks(zab(3, "oracle", bug), disks);
        c.elect(1, 1);
        c.elect(2, 1);
        c.deliver(2, 1);
        c.deliver(1, 2);
        c.deliver(2, 1);
        let effects = c.deliver(1, 2);
        effects
            .iter()
            .map(|effect| match effect {
                Effect::Save(d) => format!("{} of {}", d.history.len(), d.current),
                Effect::Send(..) => "ack".to_string(),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(order(None), ["1 of 0", "1 of 2", "ack"]);
    assert_eq!(order(Some("epoch-before-history")), ["0 of 2", "1 of 2", "ack"]);
    assert_eq!(order(Some("acks-before-history-on-disk")), ["ack", "1 of 0", "1 of 2"]);
    assert_eq!(order(Some("history-on-disk-at-uptodate")), ["0 of 2", "ack"]);
    assert_eq!(order(Some("epoch-on-disk-at-uptodate")), ["1 of 0", "ack"]);
}

#[test]
fn a_server_leads_once_a_quorum_has_acknowledged_newleader_and_then_delivers_its_history() {
    let history = [txn(1, 1), txn(1, 2)];
    let mut c = Cluster::with_disks(
        zab(3, "oracle", None),
        vec![disk(1, 1, &history), disk(1, 1, &history[..1]), Disk::default()],
    );
    c.elect(1, 1);
    c.elect(2, 1);
    c.deliver(2, 1);
    c.deliver(1, 2);
    c.deliver(2, 1);
    c.deliver(1, 2);
    assert_eq!((c.leads(1), c.server(1).delivered), (None, 0));
    c.deliver(2, 1);
    assert_eq!((c.leads(1), c.server(1).delivered), (Some(2), 2));
    assert_eq!(c.server(2).delivered, 0);
    c.deliver(1, 2);
    assert_eq!(c.server(2).delivered(), history);
    assert_eq!(c.zab.follows(n(2), c.server(2)), Some((Term(2), n(1))));
}

#[test]
fn what_the_leader_does_not_have_is_forgotten() {
    let disks = vec![
        disk(2, 2, &[txn(1, 1)]),
        disk(2, 2, &[txn(1, 1)]),
        disk(1, 1, &[txn(1, 1), txn(1, 2)]),
    ];
    let mut c = Cluster::with_disks(zab(3, "oracle", None), disks.clone());
    c.establish(&[1, 2, 3]);
    assert_eq!(c.history(3), [txn(1, 1)]);
    let mut c = Cluster::with_disks(zab(3, "oracle", Some("trunc-fails-silently")), disks);
    c.establish(&[1, 2, 3]);
    assert_eq!(c.history(3), [txn(1, 1), txn(1, 2)]);
}

// Phase 3

#[test]
fn a_transaction_is_logged_proposed_acknowledged_committed_and_delivered() {
    let mut c = oracle(3);
    c.establish(&[1, 2, 3]);
    let proposed = c.broadcast(1);
    assert!(
        matches!(proposed[..], [Effect::Save(_), Effect::Send(..), Effect::Send(..)]),
        "{proposed:?}"
    );
    assert_eq!(c.server(1).delivered, 0);
    let acknowledged = c.deliver(1, 2);
    assert!(matches!(acknowledged[..], [Effect::Save(_), Effect::Send(..)]), "{acknowledged:?}");
    c.deliver(2, 1);
    assert_eq!(c.server(1).delivered, 1, "two of three have it");
    c.settle(&[1, 2, 3]);
    assert_eq!(c.server(2).delivered(), c.server(1).delivered());
    assert_eq!(c.server(3).delivered(), c.server(1).delivered());
}

#[test]
fn who_joins_late_hears_of_every_transaction_and_of_every_commit() {
    let clean = |bug| {
        let mut c = Cluster::new(zab(3, "oracle", bug));
        c.establish(&[1, 2]);
        c.elect(3, 1);
        c.deliver(3, 1);
        c.deliver(1, 3);
        c.deliver(3, 1); // NEWLEADER is on its way
        c.broadcast(1);
        c.settle(&[1, 2]);
        c.settle(&[1, 2, 3]);
        c.broadcast(1);
        c.settle(&[1, 2, 3]);
        c
    };
    let c = clean(None);
    assert_eq!((c.server(3).delivered, c.history(3).len()), (2, 2));
    assert!(clean(Some("proposes-to-synced-only")).is_looking(3));
    assert!(clean(Some("uptodate-names-sync-point")).is_looking(3));
}

#[test]
fn a_gap_breaks_the_connection_at_either_end() {
    let mut c = oracle(3);
    c.establish(&[1, 2, 3]);
    c.broadcast(1);
    c.broadcast(1);
    c.lose(1, 2);
    c.deliver(1, 2);
    assert!(c.is_looking(2));
    c.deliver(1, 3);
    c.deliver(1, 3);
    c.lose(3, 1);
    c.deliver(3, 1);
    let Role::Leading(leading) = &c.server(1).role else { panic!("still leads") };
    assert_eq!(leading.learners.keys().collect::<Vec<_>>(), [&n(2)]);
}

#[test]
fn a_broken_connection_is_not_opened_again() {
    let mut c = oracle(3);
    c.elect(1, 1);
    c.elect(3, 1);
    c.elect(2, 1);
    let again = c.flows[&(n(2), n(1))][0].clone();
    c.settle(&[1, 2, 3]);
    c.broadcast(1);
    c.broadcast(1);
    c.deliver(1, 2);
    c.deliver(1, 2);
    c.lose(2, 1);
    c.deliver(2, 1);
    let before = c.server(1).clone();
    assert!(matches!(&before.role, Role::Leading(leading) if leading.broken.contains_key(&n(2))));
    assert_eq!(c.receive(n(2), n(1), again), [], "a late copy of FOLLOWERINFO");
    assert_eq!(c.server(1), &before);
    c.timeout(2, Timer::Contact);
    c.elect(2, 1);
    c.settle(&[1, 2, 3]);
    assert_eq!(c.server(2).delivered, 2);
}

#[test]
fn nobody_reads_from_a_connection_that_was_closed() {
    let mut c = oracle(3);
    c.establish(&[1, 2, 3]);
    c.broadcast(1);
    c.timeout(2, Timer::Contact);
    c.elect(2, 1);
    let before = c.server(2).clone();
    assert_eq!(c.deliver(1, 2), [], "the proposal went over the old connection");
    assert_eq!(c.server(2), &before);
    c.settle(&[1, 2, 3]);
    assert_eq!(c.server(2).delivered, 1);
}
