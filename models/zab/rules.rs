//! What each single step must do: the steps of the paper's phases and ZooKeeper's rules of the election, said again.
//!
//! The handlers say how a server goes about it. Here stands, for a state and an event, which state is due and what is to
//! be said. It is written from the paper and shares no function with the handlers: quorums are counted, connections and
//! votes compared anew. The rules need no memory, so that a mistake shows in the step that makes it, long before it costs
//! a transaction. A handler that is torn is held to the state in which it would have ended.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::Zab;
use super::properties::end;
use super::state::*;
use crate::election::{Age, Event, NodeSet, NodeStep, node_name};

/// What is due: the state, and what is said, in any order.
type Due = (Server, Vec<(Id, Msg)>);

fn is_quorum(zab: &Zab, servers: usize) -> bool {
    servers > zab.count / 2
}

fn all_but(zab: &Zab, id: Id) -> impl Iterator<Item = Id> {
    (0..zab.count).map(Id::from).filter(move |&node| node != id)
}

/// Nothing happens.
fn same(before: &Server) -> Due {
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

fn vote_for_itself(id: Id, server: &Server) -> Option<Vote> {
    let vote = Vote { epoch: server.disk.current, zxid: ending(&server.disk.history), leader: id };
    server.initialised.then_some(vote)
}

/// Of two votes the one with the later epoch, then with the later transaction, then for the greater server.
fn better(a: Vote, b: Vote) -> Vote {
    let order = |vote: Vote| (vote.epoch, vote.zxid.epoch, vote.zxid.counter, vote.leader);
    if order(a) > order(b) { a } else { b }
}

/// Everybody hears of a vote. The oracle does without.
fn tell_all(zab: &Zab, id: Id, link: Link, vote: Option<Vote>) -> Vec<(Id, Msg)> {
    match zab.oracle {
        Some(_) => Vec::new(),
        None => all_but(zab, id).map(|node| (node, Msg::Notification { link, vote })).collect(),
    }
}

/// Back to phase 0, in a round of its own, with a vote for itself. What it has and has delivered stays.
fn goes_back(zab: &Zab, id: Id, before: &Server) -> Due {
    let mut due = before.clone();
    due.link.round += 1;
    let vote = vote_for_itself(id, &due);
    due.role = Role::Looking(Looking { vote, votes: BTreeMap::new(), settled: BTreeMap::new() });
    let says = tell_all(zab, id, due.link, vote);
    (due, says)
}

/// Leaves phase 0. f.1.1: who follows tells its leader the last epoch promised.
fn leaves_election(id: Id, mut due: Server, leader: Id) -> Due {
    let mut says = Vec::new();
    due.role = if leader == id {
        Role::Leading(Leading {
            stand: Stand::Discovery,
            learners: BTreeMap::new(),
            broken: BTreeMap::new(),
            heard: NodeSet::default(),
        })
    } else {
        let report = Report::FollowerInfo { accepted: due.disk.accepted };
        says.push((leader, Msg::Report { link: due.link, place: 1, report }));
        let channel = Channel { link: due.link, read: 0, written: 1 };
        Role::Following(Following { leader, phase: Phase::Discovery, channel })
    };
    (due, says)
}

/// Who has left the election says to one who looks where it went.
fn answers(before: &Server, src: Id, link: Link, leader: Id) -> Due {
    let settled = Settled { round: before.link.round, leader, epoch: before.disk.accepted };
    (before.clone(), vec![(src, Msg::Settled { link, settled })])
}

/// Compares a step with what is due: the state, what is said, and what is waited for.
fn compare(step: &NodeStep<'_, Zab>, (due, mut says): Due) -> Result<(), String> {
    let Some(end) = end(step) else { return Ok(()) };
    let me = node_name(step.id);
    if *end != due {
        return Err(format!("{me} is {end:?}, where {due:?} is due"));
    }
    let mut said = step.sends.to_vec();
    said.sort();
    says.sort();
    if step.after.is_some() && said != says {
        return Err(format!("{me} says {said:?}, where {says:?} is due"));
    }
    waits_as_due(step)
}

// Phase 0

pub(super) fn election_steps(step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let (zab, id) = (step.actor, step.id);
    if end(step).is_none() {
        return Ok(());
    }
    let Some(before) = step.before else { return starts(step) };
    let Role::Looking(looking) = &before.role else { return Ok(()) };
    let mut due = before.clone();
    let mut now = looking.clone();
    let due = match step.event {
        Event::Choose { value: Choice::Elect(leader), .. } => leaves_election(id, due, *leader),
        Event::Timeout { timer: Timer::Retry } => (due, tell_all(zab, id, before.link, looking.vote)),
        // The wait for a better vote is over.
        Event::Timeout { timer: Timer::Finalize } => {
            let Some(vote) = looking.vote else { return compare(step, same(before)) };
            let agree = looking.votes.values().filter(|&&other| other == vote).count() + 1;
            if !is_quorum(zab, agree) {
                let me = node_name(id);
                return Err(format!("{me} ends the election by {vote:?}, for which {agree} have voted"));
            }
            leaves_election(id, due, vote.leader)
        }
        Event::Deliver { src, msg: Msg::Notification { link, vote: Some(vote) } }
            if link.round > before.link.round =>
        {
            // A later round: the votes of the earlier one no longer count.
            due.link.round = link.round;
            now.vote = vote_for_itself(id, before).map(|own| better(*vote, own));
            now.votes = BTreeMap::from([(src, *vote)]);
            let says = tell_all(zab, id, due.link, now.vote);
            due.role = Role::Looking(now);
            (due, says)
        }
        Event::Deliver { src, msg: Msg::Notification { link, vote: Some(vote) } }
            if link.round == before.link.round =>
        {
            now.votes.insert(src, *vote);
            now.vote = looking.vote.map(|mine| better(*vote, mine));
            let changes = now.vote != looking.vote;
            let says = if changes { tell_all(zab, id, due.link, now.vote) } else { Vec::new() };
            due.role = Role::Looking(now);
            (due, says)
        }
        Event::Deliver { src, msg: Msg::Settled { link, settled } } if *link == before.link => {
            now.settled.insert(src, *settled);
            let joins =
                looking.settled.get(&src) != Some(settled) && can_join(zab, id, before, &now, settled);
            due.role = Role::Looking(now);
            if joins {
                due.link.round = due.link.round.max(settled.round);
                leaves_election(id, due, settled.leader)
            } else {
                (due, Vec::new())
            }
        }
        _ => same(before),
    };
    compare(step, due)
}

/// A quorum stands behind the leader that somebody names who has left the election, and that leader says that it leads.
/// Leader and epoch must be equal. Who is named itself goes by its own round.
fn can_join(zab: &Zab, id: Id, before: &Server, now: &Looking, said: &Settled) -> bool {
    let of_my_round = said.round == before.link.round;
    let is_me = said.leader == id;
    let says_so = |other: &Settled| {
        other.leader == said.leader && other.epoch == said.epoch && (!is_me || other.round == said.round)
    };
    let mut behind = NodeSet::default();
    now.settled.iter().filter(|(_, other)| says_so(other)).for_each(|(&node, _)| behind.insert(node));
    if of_my_round {
        let votes = now.votes.iter().filter(|(_, vote)| vote.leader == said.leader);
        votes.for_each(|(&node, _)| behind.insert(node));
        if now.vote.is_some_and(|vote| vote.leader == said.leader) {
            behind.insert(id);
        }
    }
    let leader_says_so = match now.settled.get(&said.leader) {
        _ if is_me => of_my_round && now.vote.is_some(),
        Some(of_leader) => of_leader.leader == said.leader,
        None => false,
    };
    is_quorum(zab, behind.len()) && leader_says_so
}

/// A start finds what is on disk, has delivered nothing, and goes to the election; without a disk, with no vote.
fn starts(step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let server = Server {
        link: Link { incarnation: step.incarnation, round: 0 },
        disk: step.storage.cloned().unwrap_or_default(),
        delivered: 0,
        initialised: step.storage.is_some(),
        role: Role::Looking(Looking { vote: None, votes: BTreeMap::new(), settled: BTreeMap::new() }),
    };
    compare(step, goes_back(step.actor, step.id, &server))
}

// Phases 1 to 3, a follower

pub(super) fn follower_steps(step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let (zab, id) = (step.actor, step.id);
    let (Some(before), Some(_)) = (step.before, end(step)) else { return Ok(()) };
    let Role::Following(following) = &before.role else { return Ok(()) };
    let Following { leader, phase, channel } = *following;
    let reports = |place, report| vec![(leader, Msg::Report { link: channel.link, place, report })];
    let due = match &step.event {
        Event::Deliver { src, msg: Msg::Notification { link, .. } } => answers(before, *src, *link, leader),
        Event::Timeout { timer: Timer::Contact } => goes_back(zab, id, before),
        Event::Timeout { timer: Timer::Retry } if phase == Phase::Discovery => {
            (before.clone(), reports(1, Report::FollowerInfo { accepted: before.disk.accepted }))
        }
        Event::Deliver { src, msg: Msg::Ping { link, written } }
            if *src == leader && *link == channel.link =>
        {
            let pong = Msg::Pong { link: *link, written: channel.written };
            match *written > channel.read {
                true => goes_back(zab, id, before),
                false => (before.clone(), vec![(leader, pong)]),
            }
        }
        Event::Deliver { src, msg: Msg::Packet { link, place, packet } }
            if *src == leader && *link == channel.link && *place > channel.read =>
        {
            let is_next = *place == channel.read + 1;
            let taken = if is_next { takes(step, before, following, packet)? } else { None };
            let Some((mut due, report)) = taken else {
                let (due, mut says) = goes_back(zab, id, before);
                // That leader would be named again at once, so the vote is cast when it would be repeated.
                if zab.pings && is_next && refuses(before, packet) {
                    says.clear();
                }
                return compare(step, (due, says));
            };
            let says = report.map(|report| reports(channel.written + 1, report)).unwrap_or_default();
            if let Role::Following(f) = &mut due.role {
                f.channel.read = *place;
                f.channel.written += says.len() as u32;
            }
            (due, says)
        }
        _ => same(before),
    };
    compare(step, due)
}

/// Whether a server is offered an earlier epoch than it has promised.
fn refuses(before: &Server, packet: &Packet) -> bool {
    let waits = matches!(&before.role, Role::Following(following) if following.phase == Phase::Discovery);
    waits && matches!(packet, Packet::NewEpoch { epoch } if *epoch < before.disk.accepted)
}

/// What a follower makes of the next packet of its leader: what it is then, and what it answers. `None`: it cannot go on.
fn takes(
    step: &NodeStep<'_, Zab>,
    before: &Server,
    following: &Following,
    packet: &Packet,
) -> Result<Option<(Server, Option<Report>)>, String> {
    let mut due = before.clone();
    let mut phase = following.phase;
    let (disk, history) = (&before.disk, &before.disk.history);
    let mut report = None;
    match (following.phase, packet) {
        // f.1.2: promises an epoch that is later than all that it has promised. The one promised last does not count twice.
        (Phase::Discovery, Packet::NewEpoch { epoch }) if *epoch >= disk.accepted => {
            due.disk.accepted = *epoch;
            phase = Phase::Synchronisation;
            let counts = *epoch > disk.accepted && before.initialised;
            let current = counts.then_some(disk.current);
            report = Some(Report::AckEpoch { epoch: *epoch, current, last: ending(history) });
        }
        // f.2.1: takes over the leader's history and epoch.
        (Phase::Synchronisation, Packet::NewLeader { epoch, sync }) => {
            due.disk.current = *epoch;
            due.disk.history = match sync {
                Sync::Diff(rest) => [&history[..], rest].concat(),
                Sync::Trunc(after, rest) => {
                    let Some(kept) = upto(history, *after) else {
                        return Err(format!("{} is to forget all after {after}", node_name(step.id)));
                    };
                    [&history[..kept], rest].concat()
                }
                Sync::Snap(all) => all.clone(),
            };
            due.delivered = due.delivered.min(due.disk.history.len());
            due.initialised = true;
            phase = Phase::Synchronised;
            report = Some(Report::AckNewLeader { epoch: *epoch });
        }
        // f.2.2: delivers what is committed.
        (Phase::Synchronised, Packet::UpToDate { zxid }) => {
            let Some(committed) = upto(history, *zxid) else { return Ok(None) };
            due.delivered = due.delivered.max(committed);
            phase = Phase::Broadcast;
        }
        // f.3.1: logs the next transaction.
        (Phase::Synchronised | Phase::Broadcast, Packet::Propose { txn }) => {
            let before_it = ending(history);
            let counter = if before_it.epoch == disk.current { before_it.counter + 1 } else { 1 };
            if txn.zxid != (Zxid { epoch: disk.current, counter }) {
                return Err(format!("{} is proposed {txn} after {before_it}", node_name(step.id)));
            }
            due.disk.history.push(*txn);
            report = Some(Report::Ack { zxid: txn.zxid });
        }
        // f.3.2: delivers the next transaction.
        (Phase::Broadcast, Packet::Commit { zxid }) if upto(history, *zxid) == Some(before.delivered + 1) => {
            due.delivered += 1;
        }
        _ => return Ok(None),
    }
    if let Role::Following(f) = &mut due.role {
        f.phase = phase;
    }
    Ok(Some((due, report)))
}

// Phases 1 to 3, a leader

pub(super) fn leader_steps(step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let (zab, id) = (step.actor, step.id);
    let (Some(before), Some(_)) = (step.before, end(step)) else { return Ok(()) };
    let Role::Leading(leading) = &before.role else { return Ok(()) };
    let mut office = Office { step, now: leading.clone(), disk: before.disk.clone(), says: Vec::new() };
    match &step.event {
        Event::Deliver { src, msg: Msg::Notification { link, .. } } => {
            return compare(step, answers(before, *src, *link, id));
        }
        Event::Timeout { timer: Timer::Ping } => {
            let ping = |(&node, learner): (&Id, &Learner)| {
                let Channel { link, written, .. } = learner.channel;
                (node, Msg::Ping { link, written })
            };
            office.says = leading.learners.iter().map(ping).collect();
        }
        Event::Timeout { timer: Timer::Contact } => {
            // ZooKeeper's syncLimit, and its initLimit for who is not established yet.
            if leading.stand != Stand::Broadcast || !is_quorum(zab, leading.heard.len() + 1) {
                return compare(step, goes_back(zab, id, before));
            }
            office.now.heard = NodeSet::default();
        }
        Event::Deliver { src, msg: Msg::Pong { link, written } } => match leading.learners.get(src) {
            Some(learner) if learner.channel.link == *link => match *written > learner.channel.read {
                true => office.breaks(*src),
                false => office.now.heard.insert(*src),
            },
            _ => {}
        },
        Event::Choose { value: Choice::Broadcast(value), .. } => office.broadcasts(*value),
        Event::Deliver { src, msg: Msg::Report { link, place, report } }
            if !office.hears(before, *src, (*link, *place), report)? =>
        {
            return compare(step, goes_back(zab, id, before));
        }
        _ => {}
    }
    let delivered = office.goes_on(before)?;
    let Office { now, disk, says, .. } = office;
    compare(step, (Server { role: Role::Leading(now), disk, delivered, ..before.clone() }, says))
}

/// A leader in the middle of a step.
struct Office<'a, 'b> {
    step: &'a NodeStep<'b, Zab>,
    now: Leading,
    disk: Disk,
    says: Vec<(Id, Msg)>,
}

impl Office<'_, '_> {
    fn tells(&mut self, node: Id, packet: Packet) {
        let channel = &mut self.now.learners.get_mut(&node).expect("a learner").channel;
        channel.written += 1;
        self.says.push((node, Msg::Packet { link: channel.link, place: channel.written, packet }));
    }

    fn breaks(&mut self, node: Id) {
        let learner = self.now.learners.remove(&node).expect("a learner");
        self.now.broken.insert(node, learner.channel.link);
    }

    fn those(&self, is: impl Fn(Stage) -> bool) -> Vec<Id> {
        let learners = self.now.learners.iter();
        learners.filter(|(_, learner)| is(learner.stage)).map(|(&node, _)| node).collect()
    }

    /// l.3.1: the next transaction of this epoch, logged, and proposed to all who have been sent the history before it.
    fn broadcasts(&mut self, value: u32) {
        let (epoch, before_it) = (self.disk.current, ending(&self.disk.history));
        let counter = if before_it.epoch == epoch { before_it.counter + 1 } else { 1 };
        let txn = Txn { zxid: Zxid { epoch, counter }, value };
        self.disk.history.push(txn);
        for node in self.those(|stage| matches!(stage, Stage::Syncing { .. } | Stage::Synced { .. })) {
            self.tells(node, Packet::Propose { txn });
        }
    }

    /// Takes note of what a follower says. False: the leader leaves the office.
    fn hears(&mut self, before: &Server, src: Id, at: (Link, u32), report: &Report) -> Result<bool, String> {
        let (link, place) = at;
        let latest = self.now.learners.get(&src).map(|learner| learner.channel.link);
        let latest = latest.max(self.now.broken.get(&src).copied());
        if let Report::FollowerInfo { accepted } = report {
            if latest < Some(link) {
                // A later connection ends an earlier one.
                let channel = Channel { link, read: 1, written: 0 };
                let chosen = self.now.stand != Stand::Discovery;
                let stage = if chosen { Stage::Invited } else { Stage::Connected { accepted: *accepted } };
                self.now.broken.remove(&src);
                self.now.learners.insert(src, Learner { channel, stage });
                if chosen {
                    self.tells(src, Packet::NewEpoch { epoch: self.disk.accepted });
                }
            }
            return Ok(true);
        }
        let of = match report {
            Report::AckEpoch { epoch, .. } | Report::AckNewLeader { epoch } => *epoch,
            Report::Ack { zxid } => zxid.epoch,
            Report::FollowerInfo { .. } => unreachable!("seen above"),
        };
        let Some(learner) = self.now.learners.get_mut(&src) else { return Ok(true) };
        let is_of_now = self.now.stand != Stand::Discovery && of == before.disk.accepted;
        if !is_of_now || learner.channel.link != link || place <= learner.channel.read {
            return Ok(true);
        }
        let is_next = place == learner.channel.read + 1;
        learner.channel.read = place;
        match (report, learner.stage) {
            _ if !is_next => self.breaks(src),
            // l.1.2: a promise. The initial history is that of the server with the most recent.
            (Report::AckEpoch { current, last: theirs, .. }, Stage::Invited) => {
                learner.stage = Stage::Promised { last: *theirs };
                if let (Stand::Negotiation { promised }, Some(current)) = (&mut self.now.stand, current) {
                    if (*current, *theirs) > (before.disk.current, ending(&before.disk.history)) {
                        return Ok(false);
                    }
                    promised.insert(src);
                }
            }
            (Report::AckNewLeader { .. }, Stage::Syncing { upto }) => {
                learner.stage = Stage::Synced { acked: upto };
                if self.now.stand == Stand::Broadcast {
                    // l.3.4: stands for every COMMIT so far.
                    let zxid = ending(&before.disk.history[..before.delivered]);
                    self.tells(src, Packet::UpToDate { zxid });
                }
            }
            (Report::Ack { zxid }, Stage::Synced { .. }) => learner.stage = Stage::Synced { acked: *zxid },
            _ => self.breaks(src),
        }
        Ok(true)
    }

    /// Goes on as far as quorums allow, itself included. How much is delivered then.
    fn goes_on(&mut self, before: &Server) -> Result<usize, String> {
        let (zab, me) = (self.step.actor, self.step.id);
        // l.1.1: an epoch later than every one that a quorum has promised.
        if self.now.stand == Stand::Discovery && is_quorum(zab, self.now.learners.len() + 1) {
            let promised = self.now.learners.values().filter_map(|learner| match learner.stage {
                Stage::Connected { accepted } => Some(accepted),
                _ => None,
            });
            let latest = promised.fold(before.disk.accepted, Epoch::max);
            let chosen = end(self.step).map(|server| server.disk.accepted).unwrap_or_default();
            if chosen <= latest {
                return Err(format!("{} chooses epoch {chosen}, promised was {latest}", node_name(me)));
            }
            self.disk.accepted = chosen;
            self.now.stand = Stand::Negotiation { promised: NodeSet::from_iter([me]) };
            for node in self.those(|_| true) {
                self.now.learners.get_mut(&node).expect("a learner").stage = Stage::Invited;
                self.tells(node, Packet::NewEpoch { epoch: chosen });
            }
        }
        if matches!(self.now.stand, Stand::Negotiation { promised } if is_quorum(zab, promised.len())) {
            self.now.stand = Stand::Synchronisation;
            self.disk.current = self.disk.accepted;
        }
        // l.2.1, l.3.3: whoever has promised is brought to the leader's history.
        if matches!(self.now.stand, Stand::Synchronisation | Stand::Broadcast) {
            for node in self.those(|stage| matches!(stage, Stage::Promised { .. })) {
                self.synchronises(node)?;
            }
        }
        let synced = self.those(|stage| matches!(stage, Stage::Synced { .. }));
        // l.2.2: leads, and delivers its history.
        if self.now.stand == Stand::Synchronisation && is_quorum(zab, synced.len() + 1) {
            self.now.stand = Stand::Broadcast;
            let zxid = ending(&self.disk.history);
            synced.iter().for_each(|&node| self.tells(node, Packet::UpToDate { zxid }));
            return Ok(self.disk.history.len());
        }
        // l.3.2: delivers, in order, what a quorum has acknowledged.
        let mut delivered = before.delivered;
        while let Some(txn) = self.disk.history.get(delivered).copied() {
            let have = self.those(|stage| matches!(stage, Stage::Synced { acked } if acked >= txn.zxid));
            if self.now.stand != Stand::Broadcast || !is_quorum(zab, have.len() + 1) {
                break;
            }
            delivered += 1;
            synced.iter().for_each(|&node| self.tells(node, Packet::Commit { zxid: txn.zxid }));
        }
        Ok(delivered)
    }

    /// NEWLEADER with what makes of a history that ends as the follower's does the leader's.
    fn synchronises(&mut self, node: Id) -> Result<(), String> {
        let (history, epoch) = (self.disk.history.clone(), self.disk.accepted);
        let learner = self.now.learners.get_mut(&node).expect("a learner");
        let Stage::Promised { last: theirs } = learner.stage else { unreachable!("has promised") };
        learner.stage = Stage::Syncing { upto: ending(&history) };
        let sent = self.step.sends.iter().find_map(|(dst, msg)| match msg {
            Msg::Packet { packet: Packet::NewLeader { sync, .. }, .. } if *dst == node => Some(sync.clone()),
            _ => None,
        });
        let sync = sent.unwrap_or(Sync::Snap(history.clone()));
        let is_right = match &sync {
            Sync::Diff(rest) => upto(&history, theirs).is_some_and(|shared| history[shared..] == *rest),
            // Within an epoch, histories part where one of them ends.
            Sync::Trunc(after, rest) => {
                after.epoch == theirs.epoch
                    && *after < theirs
                    && upto(&history, *after).is_some_and(|shared| history[shared..] == *rest)
                    && rest.first().is_none_or(|txn| txn.zxid.epoch > theirs.epoch)
            }
            Sync::Snap(all) => *all == history,
        };
        if !is_right {
            let me = node_name(self.step.id);
            return Err(format!(
                "{me} has {history:?} and sends {sync:?} to one whose history ends with {theirs}"
            ));
        }
        self.tells(node, Packet::NewLeader { epoch, sync });
        Ok(())
    }
}

// What a server waits for

/// What is due of a timer.
enum Wait {
    /// It does not run.
    Off,
    /// It is set in this step.
    Anew,
    /// It runs as before.
    On,
}

/// The first and the last tick in which a timer may end.
fn limits(timer: Timer) -> (u64, u64) {
    match timer {
        Timer::Retry | Timer::Finalize | Timer::Ping => (1, 1),
        Timer::Contact => (4, 5),
    }
}

/// For what a server waits in its role.
fn has_to_wait(zab: &Zab, server: &Server, timer: Timer) -> bool {
    match (timer, &server.role) {
        (Timer::Retry, Role::Looking(_)) => zab.pings && zab.oracle.is_none(),
        (Timer::Retry, Role::Following(following)) => zab.pings && following.phase == Phase::Discovery,
        // A quorum casts its vote.
        (Timer::Finalize, Role::Looking(Looking { vote: Some(vote), votes, .. })) => {
            let agree = votes.values().filter(|&other| other == vote).count() + 1;
            is_quorum(zab, agree)
        }
        (Timer::Ping, Role::Leading(_)) => zab.pings,
        (Timer::Contact, Role::Following(_) | Role::Leading(_)) => true,
        _ => false,
    }
}

/// Whether what a server waits for begins anew in this step, though it waited for the same before.
fn begins_anew(step: &NodeStep<'_, Zab>, before: &Server, after: &Server, timer: Timer) -> bool {
    if matches!(step.event, Event::Timeout { timer: ended } if *ended == timer) {
        return true;
    }
    match (&before.role, &after.role) {
        // Each round is an election of its own. Another vote may be followed by a better one.
        (Role::Looking(before_it), Role::Looking(now)) => {
            before.link != after.link || timer == Timer::Finalize && before_it.votes != now.votes
        }
        // A follower has heard of its leader.
        (Role::Following(before_it), Role::Following(now)) => {
            let pinged = match &step.event {
                Event::Deliver { src, msg: Msg::Ping { link, .. } } => {
                    now.leader == *src && now.channel.link == *link
                }
                _ => false,
            };
            timer == Timer::Contact && (pinged || before_it.channel.read < now.channel.read)
        }
        (Role::Leading(_), Role::Leading(_)) => false,
        // A leader that cannot be followed is not asked again before it would have been.
        (Role::Following(_), Role::Looking(_)) => match &step.event {
            Event::Deliver { msg: Msg::Packet { packet, .. }, .. } => !refuses(before, packet),
            _ => true,
        },
        _ => true,
    }
}

/// Which timers run after a step, which of them are set anew in it, and which run on. Retry, Finalize, Ping and Contact stand
/// for ZooKeeper's waits: for the answer to a vote or to an attempt to connect, for a better vote (finalizeWait), between two
/// pings (half a tickTime), and for any word of the leader, or of a quorum (syncLimit, initLimit). How long a wait has lasted
/// is known where time is modelled; elsewhere only that it lasts.
fn waits_as_due(step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let Some(after) = step.after else { return Ok(()) };
    for timer in [Timer::Retry, Timer::Finalize, Timer::Ping, Timer::Contact] {
        let due = match step.before {
            _ if !has_to_wait(step.actor, after, timer) => Wait::Off,
            Some(before)
                if !begins_anew(step, before, after, timer) && has_to_wait(step.actor, before, timer) =>
            {
                Wait::On
            }
            _ => Wait::Anew,
        };
        let runs = step.timers.get(&timer);
        let (first, last) = limits(timer);
        let wrong = match due {
            Wait::Off if runs.is_some() => "runs, for which there is nothing to wait",
            Wait::Anew if !runs.is_some_and(|age| age.is_new(first, last)) => "is not set anew",
            Wait::On if runs.is_none() || runs != step.timers_before.get(&timer) => "does not run on",
            _ => continue,
        };
        let age = |age: Option<&Age>| match age {
            None => "off".to_string(),
            Some(Age { now, first, last }) => format!("{now} of {first} to {last}"),
        };
        let (me, was) = (node_name(step.id), age(step.timers_before.get(&timer)));
        return Err(format!("{timer:?} of {me} {wrong}: it is {}, and was {was}", age(runs)));
    }
    Ok(())
}

// What must be on disk

/// What a server goes by is on its disk, and what it says to others was there before.
pub(super) fn said_is_on_disk(step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let me = node_name(step.id);
    let Some(end) = end(step) else { return Ok(()) };
    let saved = step.storage;
    // f.p, f.a and h_f are durable. What has no disk has nothing to go by before a leader gave it a history.
    if step.after.is_some() && end.initialised && saved != Some(&end.disk) {
        return Err(format!("{me} goes by {:?}, and has {saved:?} on disk", end.disk));
    }
    // A write is there whole or not at all. Where there was no disk there is none before all is there.
    let is_whole = match (step.before.filter(|before| before.initialised), saved) {
        (Some(Server { disk: was, .. }), Some(saved)) => {
            [was.accepted, end.disk.accepted].contains(&saved.accepted)
                && [was.current, end.disk.current].contains(&saved.current)
                && [&was.history, &end.disk.history].contains(&&saved.history)
        }
        (Some(_), None) => false,
        (None, saved) => saved.is_none_or(|saved| end.initialised && *saved == end.disk),
    };
    if !is_whole {
        return Err(format!("{me} is to have {:?} on disk, and has {saved:?}", end.disk));
    }
    // f.2.1: the epoch on disk vouches for the history.
    let took_over = step.before.is_some_and(|before| before.disk.current < end.disk.current);
    if let Some(saved) = saved.filter(|saved| took_over && saved.current == end.disk.current)
        && saved.history != end.disk.history
    {
        return Err(format!("{me} has epoch {} and the history {:?} on disk", saved.current, saved.history));
    }
    let (accepted, current) = (saved.map(|disk| disk.accepted), saved.map(|disk| disk.current));
    let history = saved.map(|disk| &disk.history[..]).unwrap_or_default();
    for (_, msg) in step.sends {
        let is_there = match msg {
            Msg::Report { report: Report::AckEpoch { epoch, current: Some(_), .. }, .. }
            | Msg::Packet { packet: Packet::NewEpoch { epoch }, .. } => accepted == Some(*epoch),
            Msg::Report { report: Report::AckNewLeader { epoch }, .. } => {
                current == Some(*epoch) && history == end.disk.history
            }
            Msg::Packet { packet: Packet::NewLeader { epoch, .. }, .. } => current == Some(*epoch),
            Msg::Report { report: Report::Ack { zxid }, .. } => ending(history) == *zxid,
            Msg::Packet { packet: Packet::Propose { txn }, .. } => history.contains(txn),
            _ => true,
        };
        if !is_there {
            return Err(format!("{me} says {msg:?}, and has {saved:?} on disk"));
        }
    }
    Ok(())
}
