//! The paper, sentence by sentence, on servers driven by hand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use stateright::actor::{ActorModel, Command, Network};
use stateright::{Checker, Expectation, Model};

use super::*;
use crate::election::{Check, Event, NodeSet};
use crate::exploration::Limits;
use crate::exploration::verdict::Verdict;
use crate::scenario::{self, Scenario};
use crate::semantics::System;
use crate::{engine, reference};

/// What left a handler, in order.
#[derive(Clone, Debug, PartialEq)]
enum Effect {
    Send(Id, Msg),
    Save(Disk),
}

/// Servers, what was saved last, and ordered channels.
struct Cluster {
    zab: Zab,
    servers: Vec<Server>,
    disks: Vec<Option<Disk>>,
    lives: Vec<u32>,
    flows: BTreeMap<(Id, Id), VecDeque<Msg>>,
    timers: Vec<BTreeSet<Timer>>,
    choices: Vec<BTreeMap<String, Vec<Choice>>>,
}

fn zab(count: usize, election: &'static str, bug: Option<&'static str>) -> Zab {
    let mut setup = Setup::new(Zab::about(), count)
        .with("election", Value::Text(election))
        .with("values", Value::Number(9))
        .with("pings", Value::Flag(false));
    if let Some(bug) = bug {
        setup = setup.with_bug(bug);
    }
    Zab::build(&setup).expect("a valid setup").remove(0)
}

fn n(number: usize) -> Id {
    Id::from(number - 1)
}

fn txn(epoch: u32, counter: u32) -> Txn {
    Txn { zxid: Zxid { epoch: Epoch(epoch), counter }, value: counter }
}

fn disk(accepted: u32, current: u32, history: &[Txn]) -> Disk {
    Disk { accepted: Epoch(accepted), current: Epoch(current), history: history.to_vec() }
}

impl Cluster {
    fn new(zab: Zab) -> Self {
        let count = zab.count;
        Self::with_disks(zab, vec![Disk::default(); count])
    }

    fn with_disks(zab: Zab, disks: Vec<Disk>) -> Self {
        let count = zab.count;
        let mut cluster = Cluster {
            zab,
            servers: Vec::new(),
            disks: disks.into_iter().map(Some).collect(),
            lives: vec![0; count],
            flows: BTreeMap::new(),
            timers: vec![BTreeSet::new(); count],
            choices: vec![BTreeMap::new(); count],
        };
        for id in cluster.zab.nodes() {
            let mut o = Out::new();
            let storage = cluster.disks[usize::from(id)].clone();
            let server = cluster.zab.start(id, 0, &storage, &mut o);
            cluster.servers.push(server);
            cluster.take(id, o);
        }
        cluster
    }

    fn take(&mut self, id: Id, o: Out<Zab>) -> Vec<Effect> {
        let (timers, choices) = (&mut self.timers[usize::from(id)], &mut self.choices[usize::from(id)]);
        let mut effects = Vec::new();
        for command in o {
            match command {
                Command::Send(dst, msg) => {
                    self.flows.entry((id, dst)).or_default().push_back(msg.clone());
                    effects.push(Effect::Send(dst, msg));
                }
                Command::Save(disk) => {
                    self.disks[usize::from(id)] = Some(disk.clone());
                    effects.push(Effect::Save(disk));
                }
                Command::SetTimer(timer, _) => {
                    timers.insert(timer);
                }
                Command::CancelTimer(timer) => {
                    timers.remove(&timer);
                }
                Command::ChooseRandom(key, values) if values.is_empty() => {
                    choices.remove(&key);
                }
                Command::ChooseRandom(key, values) => {
                    choices.insert(key, values);
                }
            }
        }
        effects
    }

    fn run(&mut self, id: Id, handler: impl FnOnce(&Zab, &mut Cow<Server>, &mut Out<Zab>)) -> Vec<Effect> {
        let before = self.servers[usize::from(id)].clone();
        let mut state = Cow::Borrowed(&before);
        let mut o = Out::new();
        handler(&self.zab, &mut state, &mut o);
        self.servers[usize::from(id)] = state.into_owned();
        self.take(id, o)
    }

    fn receive(&mut self, src: Id, dst: Id, msg: Msg) -> Vec<Effect> {
        self.run(dst, |zab, state, o| zab.on_msg(dst, state, src, msg, o))
    }

    /// Delivers the next message of a channel.
    fn deliver(&mut self, src: usize, dst: usize) -> Vec<Effect> {
        let flow = self.flows.get_mut(&(n(src), n(dst))).expect("a channel");
        let msg = flow.pop_front().expect("something in flight");
        self.receive(n(src), n(dst), msg)
    }

    /// Loses the next message of a channel.
    fn lose(&mut self, src: usize, dst: usize) {
        self.flows.get_mut(&(n(src), n(dst))).and_then(VecDeque::pop_front).expect("something in flight");
    }

    fn elect(&mut self, id: usize, leader: usize) -> Vec<Effect> {
        self.run(n(id), |zab, state, o| zab.on_random(n(id), state, &Choice::Elect(n(leader)), o))
    }

    fn broadcast(&mut self, id: usize) -> Vec<Effect> {
        let value = self.history(id).len() as u32 + 1;
        self.run(n(id), |zab, state, o| zab.on_random(n(id), state, &Choice::Broadcast(value), o))
    }

    fn timeout(&mut self, id: usize, timer: Timer) -> Vec<Effect> {
        self.run(n(id), |zab, state, o| zab.on_timeout(n(id), state, &timer, o))
    }

    /// Crashes a server and starts it again, with its disk or without.
    fn restart(&mut self, id: usize, keeps_disk: bool) {
        let i = id - 1;
        self.lives[i] += 1;
        self.timers[i].clear();
        self.choices[i].clear();
        if !keeps_disk {
            self.disks[i] = None;
        }
        let mut o = Out::new();
        self.servers[i] = self.zab.start(n(id), self.lives[i], &self.disks[i].clone(), &mut o);
        self.take(n(id), o);
    }

    /// Delivers everything between these servers until nothing is in flight between them.
    fn settle(&mut self, among: &[usize]) {
        let pairs: Vec<(usize, usize)> =
            among.iter().flat_map(|&a| among.iter().map(move |&b| (a, b))).filter(|(a, b)| a != b).collect();
        while let Some(&(src, dst)) =
            pairs.iter().find(|(a, b)| self.flows.get(&(n(*a), n(*b))).is_some_and(|flow| !flow.is_empty()))
        {
            self.deliver(src, dst);
        }
    }

    /// The first leads the others.
    fn establish(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|&node| {
            self.elect(node, nodes[0]);
        });
        self.settle(nodes);
        assert!(self.zab.leads(n(nodes[0]), self.server(nodes[0])).is_some());
    }

    fn server(&self, id: usize) -> &Server {
        &self.servers[id - 1]
    }

    fn history(&self, id: usize) -> &[Txn] {
        &self.server(id).disk.history
    }

    fn leads(&self, id: usize) -> Option<u64> {
        self.zab.leads(n(id), self.server(id)).map(|term| term.0)
    }

    fn is_looking(&self, id: usize) -> bool {
        matches!(self.server(id).role, Role::Looking(_))
    }
}

fn oracle(count: usize) -> Cluster {
    Cluster::new(zab(count, "oracle", None))
}

// Phase 1

#[test]
fn the_new_epoch_is_later_than_every_epoch_that_a_quorum_has_accepted() {
    for (own, others, chosen) in [(0, vec![0], 1), (0, vec![1], 2), (3, vec![1], 4), (1, vec![5, 2], 6)] {
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
    let mut c =
        Cluster::with_disks(zab(3, "oracle", None), vec![disk(0, 0, &[]), disk(1, 0, &[]), disk(0, 0, &[])]);
    let link = Link { incarnation: 0, round: 1 };
    let offer = |epoch| Msg::Packet { link, place: 1, packet: Packet::NewEpoch { epoch: Epoch(epoch) } };
    c.elect(2, 1);
    let again = c.receive(n(1), n(2), offer(1));
    let ack = Report::AckEpoch { epoch: Epoch(1), current: None, last: Zxid::default() };
    assert_eq!(again, [Effect::Send(n(1), Msg::Report { link, place: 2, report: ack })]);
    let mut c =
        Cluster::with_disks(zab(3, "oracle", None), vec![Disk::default(), disk(2, 0, &[]), Disk::default()]);
    c.elect(2, 1);
    c.receive(n(1), n(2), offer(1));
    assert!(c.is_looking(2));
}

#[test]
fn a_leader_leaves_the_office_to_a_follower_with_a_more_recent_history() {
    let behind = disk(1, 0, &[txn(1, 1)]);
    let ahead = disk(1, 1, &[]);
    let mut c =
        Cluster::with_disks(zab(3, "oracle", None), vec![behind.clone(), ahead.clone(), Disk::default()]);
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
    let disks = vec![disk(2, 2, &[txn(1, 1)]), disk(2, 2, &[txn(1, 1)]), disk(1, 1, &[txn(1, 1), txn(1, 2)])];
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
    assert!(matches!(proposed[..], [Effect::Save(_), Effect::Send(..), Effect::Send(..)]), "{proposed:?}");
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
    assert_eq!((vote_of(&c, 1), vote_of(&c, 2), vote_of(&c, 3)), (Some(n(1)), Some(n(1)), Some(n(1))));
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
    let says = |round, leader| Msg::Notification { link: Link { incarnation: 0, round }, vote: vote(leader) };
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

// The harness's view

/// Anything may happen: any message in any order, lost or repeated, any timer, any choice, crashes.
fn wander(c: &mut Cluster, random: &mut impl FnMut(usize) -> usize) {
    let flying: Vec<(Id, Id)> =
        c.flows.iter().filter(|(_, flow)| !flow.is_empty()).map(|(&k, _)| k).collect();
    let i = random(c.servers.len());
    match random(16) {
        0 => c.restart(i + 1, true),
        1 | 2 if !c.timers[i].is_empty() => {
            let timer = *c.timers[i].iter().nth(random(c.timers[i].len())).expect("one of them");
            c.timers[i].remove(&timer);
            c.timeout(i + 1, timer);
        }
        3..=5 if !c.choices[i].is_empty() => {
            let key = c.choices[i].keys().next().expect("one of them").clone();
            let values = c.choices[i].remove(&key).expect("open");
            let choice = values[random(values.len())];
            c.run(Id::from(i), |zab, state, o| zab.on_random(Id::from(i), state, &choice, o));
        }
        kind if !flying.is_empty() => {
            let (src, dst) = flying[random(flying.len())];
            let flow = c.flows.get_mut(&(src, dst)).expect("in flight");
            let place = if kind < 8 { random(flow.len()) } else { 0 };
            let msg = flow.remove(place).expect("in flight");
            if kind == 6 {
                flow.push_back(msg.clone());
            }
            if kind != 7 {
                c.receive(src, dst, msg);
            }
        }
        _ => {}
    }
}

#[test]
fn a_message_once_dead_never_has_an_effect_again() {
    let mut met = BTreeSet::new();
    for seed in 0..600_u64 {
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = |below: usize| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 33) as usize % below
        };
        let server = Zab { pings: seed % 3 == 0, ..zab(3, ["oracle", "fle"][seed as usize % 2], None) };
        let mut c = Cluster::new(server);
        let mut dead: BTreeSet<(Id, Id, Msg)> = BTreeSet::new();
        for _ in 0..150 {
            wander(&mut c, &mut random);
            for (&(src, dst), flow) in &c.flows {
                let state = &c.servers[usize::from(dst)];
                let died = flow.iter().filter(|msg| c.zab.is_dead(dst, state, src, msg));
                dead.extend(died.map(|msg| (src, dst, msg.clone())));
            }
            for (src, dst, msg) in &dead {
                let mut state = Cow::Borrowed(&c.servers[usize::from(*dst)]);
                let mut o = Out::new();
                c.zab.on_msg(*dst, &mut state, *src, msg.clone(), &mut o);
                let moved = matches!(state, Cow::Owned(_)) || o.into_iter().next().is_some();
                assert!(!moved, "seed {seed}: {msg:?} from {src:?} was dead, and moved {state:?}");
            }
        }
        met.extend(
            dead.into_iter().map(|(_, _, msg)| std::mem::discriminant(&msg)).map(|d| format!("{d:?}")),
        );
    }
    assert!(met.len() >= 4, "settled, packets, reports and pings die: {met:?}");
}

#[test]
fn every_planted_bug_is_known_by_its_name() {
    for spec in &bugs::BUGS {
        assert!(Bug::named(spec.name).is_some(), "{}", spec.name);
    }
    assert_eq!(Bug::named("no such bug"), None);
    let none = Setup::new(Zab::about(), 3).with("candidates", Value::Number(4));
    assert!(Zab::build(&none).is_err());
}

/// It hears of no vote, never looks at its own, and nobody ever leads: whatever is asked would be vacuous.
#[test]
fn an_ensemble_of_one_is_refused() {
    let why = Zab::build(&Setup::new(Zab::about(), 1)).expect_err("a reason");
    assert!(why.contains("at least 2 servers"), "{why}");
}

#[test]
fn each_property_is_violated_in_the_corpus() {
    let corpus = scenario::parse(Zab::about().corpus, Zab::about()).expect("a valid corpus");
    for (_, name) in System::<Zab>::properties() {
        let breaks = |s: &Scenario| s.expect.get(name).is_some_and(|e| e.verdict == Verdict::Violated);
        assert!(corpus.iter().any(breaks), "no scenario of the corpus violates {name}");
    }
}

/// Asks all properties of a delivery that nothing led to.
#[test]
fn each_property_of_a_delivery_can_fail() {
    let before = oracle(3).server(1).clone();
    let mut after = before.clone();
    after.disk.history = vec![txn(2, 1), txn(1, 2)];
    after.delivered = 2;
    let primary = |had, broadcast: &[Txn]| properties::Primary { had, broadcast: broadcast.to_vec() };
    let memory = properties::Memory {
        longest: vec![txn(1, 1), txn(1, 2)],
        primaries: BTreeMap::from([
            ((Epoch(1), n(1)), primary(0, &[txn(1, 1), txn(1, 2)])),
            ((Epoch(3), n(3)), primary(1, &[txn(3, 1)])),
        ]),
        led: BTreeMap::from([(Epoch(1), n(1)), (Epoch(3), n(3))]),
        ..properties::Memory::default()
    };
    let step = NodeStep {
        actor: &zab(3, "oracle", None),
        id: n(1),
        incarnation: 0,
        before: Some(&before),
        event: Event::Timeout { timer: &Timer::Contact },
        after: Some(&after),
        cut_short: None,
        sends: &[],
        storage: None,
        timers_before: &BTreeMap::new(),
        timers: &BTreeMap::new(),
    };
    let failing: Vec<&str> = Zab::invariants()
        .into_iter()
        .filter(|invariant| match invariant.check {
            Check::Step(check) => check(&memory, &step).is_err(),
            Check::Rule(check) => check(&step).is_err(),
            _ => false,
        })
        .map(|invariant| invariant.name)
        .filter(|name| !name.ends_with("-steps") && *name != "said-is-on-disk")
        .collect();
    let of_deliveries = [
        "agreement",
        "total-order",
        "integrity",
        "local-primary-order",
        "global-primary-order",
        "primary-integrity",
        "leader-completeness",
    ];
    assert_eq!(failing, of_deliveries);
}

/// Epochs and rounds have bounds of their own, and both engines cut at them alike.
#[test]
fn rounds_are_bounded_apart_from_epochs() {
    let cuts = |bounds: &str| {
        let text = format!(
            "name = 'x'\nnodes = 3\noptions = {{ election = 'oracle', candidates = 1, pings = false }}\n\
             network = 'ordered'\nbounds = {{ {bounds} }}"
        );
        let scenario: Scenario = toml::from_str(&text).unwrap();
        let system = Arc::new(scenario.system::<Zab>().unwrap());
        let (safety, _) = System::<Zab>::properties()[0];
        let compiled = engine::explore(&system, &[safety], &Limits::exhaustive(), &|_| ());
        let search = reference::Search::BreadthFirst;
        let reference = reference::explore(search, &system, &[safety], &Limits::exhaustive(), &|_| ());
        assert_eq!((compiled.distinct, &compiled.cut), (reference.distinct, &reference.cut));
        let names: Vec<&str> = compiled.cut.keys().map(|bound| bound.name()).collect();
        (names, compiled.distinct)
    };
    let (once, fewer) = cuts("max_term = 1, max_round = 1");
    let (twice, more) = cuts("max_term = 1, max_round = 2");
    assert_eq!((once, twice), (vec!["max_round"], vec!["max_term", "max_round"]));
    assert!(fewer < more, "{fewer} {more}");
}

#[test]
fn stateright_finds_a_leader_and_no_second_one() {
    let zab = Zab { values: 0, ..zab(3, "oracle", None) };
    let model = ActorModel::<Zab, Zab>::new(zab.clone(), ())
        .actors(vec![zab; 3])
        .init_network(Network::new_ordered([]))
        .within_boundary(|zab, state| {
            state.actor_states.iter().all(|s| zab.term(s) <= Term(1) && zab.round(s) <= 1)
        })
        .property(Expectation::Sometimes, "a leader", |model, state| {
            leaders(&model.cfg, &state.actor_states) > 0
        })
        .property(Expectation::Always, "one leader", |model, state| {
            leaders(&model.cfg, &state.actor_states) < 2
        });
    model.checker().spawn_bfs().join().assert_properties();
}

fn leaders(zab: &Zab, servers: &[std::sync::Arc<Server>]) -> usize {
    let leads =
        |(i, server): (usize, &std::sync::Arc<Server>)| zab.leads(Id::from(i), server).map(|_| Id::from(i));
    servers.iter().enumerate().filter_map(leads).collect::<NodeSet>().len()
}
