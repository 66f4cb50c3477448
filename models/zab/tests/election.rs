//! Phase 0, and servers that lost their disks.

use stateright::actor::Id;

use super::super::{Disk, Epoch, Link, Message, Role, Timer, Vote, Zab, Zxid};
use super::cluster::{Cluster, Effect, disk, n, oracle, txn, zab};
use crate::election::{Election, Term};

// Phase 0

fn vote_of(c: &Cluster, id: usize) -> Option<Id> {
    match &c.server(id).role {
        Role::Looking(looking) => looking.vote.map(|vote| vote.leader),
        _ => None,
    }
}

#[test]
fn the_most_recent_history_wins_and_the_greater_server_only_breaks_the_tie() {
    let disks = vec![disk(2, 2, &[]), disk(1, 1, &[txn(1, 1)]), disk(1, 1, &[])];
    let mut c = Cluster::with_disks(zab(3, "fle", None), disks);
    c.settle(&[2, 3]);
    assert_eq!((vote_of(&c, 2), vote_of(&c, 3)), (Some(n(2)), Some(n(2))));
    c.settle(&[1, 2, 3]);
    assert_eq!(
        (vote_of(&c, 1), vote_of(&c, 2), vote_of(&c, 3)),
        (Some(n(1)), Some(n(1)), Some(n(1)))
    );
    [3, 2, 1].into_iter().for_each(|node| drop(c.timeout(node, Timer::Finalize)));
    c.settle(&[1, 2, 3]);
    assert_eq!(c.leads(1), Some(3));
}

#[test]
fn an_election_ends_with_a_leader_and_late_servers_join_it() {
    let mut c = Cluster::new(zab(3, "fle", None));
    c.settle(&[1, 2]);
    c.timeout(2, Timer::Finalize);
    c.timeout(1, Timer::Finalize);
    c.settle(&[1, 2]);
    assert_eq!(c.leads(2), Some(1));
    c.settle(&[1, 2, 3]);
    assert_eq!(c.zab.follows(n(3), c.server(3)), Some((Term(1), n(2))));
}

#[test]
fn a_later_round_forgets_the_votes_of_an_earlier_one() {
    let mut c = Cluster::new(zab(5, "fle", None));
    let vote = |leader| Some(Vote { epoch: Epoch(0), zxid: Zxid::default(), leader: n(leader) });
    let says = |round, leader| Message::Notification {
        link: Link { incarnation: 0, round },
        vote: vote(leader),
    };
    c.receive(n(5), n(1), says(1, 5));
    assert_eq!(vote_of(&c, 1), Some(n(5)));
    c.receive(n(2), n(1), says(2, 2));
    let Role::Looking(looking) = &c.server(1).role else { panic!("still looking") };
    assert_eq!((c.server(1).link.round, looking.vote), (2, vote(2)));
    assert_eq!(looking.votes.keys().collect::<Vec<_>>(), [&n(2)]);
    let before = c.server(1).clone();
    assert_eq!(c.receive(n(5), n(1), says(1, 5)), [], "a vote of an earlier round");
    assert_eq!(c.server(1), &before);
}

#[test]
fn votes_form_an_order_unless_the_last_comparison_forgets_the_epoch() {
    let votes: Vec<Vote> = (0..2)
        .flat_map(|epoch| (0..2).map(move |counter| (epoch, counter)))
        .flat_map(|(epoch, counter)| (1..3).map(move |leader| (epoch, counter, leader)))
        .map(|(epoch, counter, leader)| Vote {
            epoch: Epoch(epoch),
            zxid: Zxid { epoch: Epoch(0), counter },
            leader: n(leader),
        })
        .collect();
    let is_order = |zab: &Zab| {
        votes.iter().all(|&a| votes.iter().all(|&b| a == b || zab.beats(a, b) != zab.beats(b, a)))
    };
    assert!(is_order(&zab(3, "fle", None)));
    assert!(!is_order(&zab(3, "fle", Some("vote-order-no-order"))));
}

#[test]
fn a_server_that_lost_its_disk_neither_votes_nor_promises_until_it_has_a_history() {
    let mut c = Cluster::new(zab(3, "fle", None));
    c.restart(1, false);
    assert_eq!(vote_of(&c, 1), None);
    let mut c = oracle(3);
    c.restart(2, false);
    c.elect(1, 1);
    c.elect(2, 1);
    c.settle(&[1, 2]);
    assert_eq!(c.leads(1), None);
    c.elect(3, 1);
    c.settle(&[1, 2, 3]);
    assert_eq!(c.leads(1), Some(1));
    assert!(c.server(2).initialised);
    c.restart(2, true);
    assert!(c.server(2).initialised);
}

#[test]
fn a_server_that_lost_its_disk_has_a_history_on_it_whole_or_not_at_all() {
    let mut c = Cluster::with_disks(
        zab(3, "oracle", None),
        vec![disk(1, 1, &[txn(1, 1)]), Disk::default(), Disk::default()],
    );
    c.restart(2, false);
    c.elect(1, 1);
    c.elect(3, 1);
    c.settle(&[1, 3]);
    c.elect(2, 1);
    c.deliver(2, 1);
    assert!(matches!(c.deliver(1, 2)[..], [Effect::Send(..)]), "a promise that is not counted");
    c.deliver(2, 1);
    let [Effect::Save(saved), Effect::Send(..)] = &c.deliver(1, 2)[..] else {
        panic!("one write, then NEWLEADER's ack")
    };
    assert_eq!(saved, &disk(2, 2, &[txn(1, 1)]));
}
