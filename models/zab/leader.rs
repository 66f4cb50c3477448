//! Phases 1 to 3 as the leader sees them. Steps are numbered as in the paper: `l.1.1` is the leader's first in phase 1.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stateright::actor::{Id, Out};

use super::state::*;
use super::{Bug, CONTACT, PING, Zab};
use crate::election::{CLIENT, NodeSet};

impl Learner {
    fn write(&mut self, to: Id, packet: Packet, o: &mut Out<Zab>) {
        self.channel.written += 1;
        o.send(to, Msg::Packet { link: self.channel.link, place: self.channel.written, packet });
    }

    /// Whether everything up to `zxid` is on its disk, in this epoch.
    fn has(&self, zxid: Zxid) -> bool {
        matches!(self.stage, Stage::Synced { acked } if acked >= zxid)
    }
}

impl Zab {
    /// The election is over, and this server is to lead: it waits for followers.
    pub(super) fn lead(&self, id: Id, server: &mut Server, o: &mut Out<Self>) {
        server.role = Role::Leading(Leading {
            stand: Stand::Discovery,
            learners: BTreeMap::new(),
            broken: BTreeMap::new(),
            heard: NodeSet::default(),
        });
        o.set_timer(Timer::Contact, CONTACT);
        if self.pings {
            o.set_timer(Timer::Ping, PING);
        }
        self.advance(id, server, o);
    }

    pub(super) fn on_report(
        &self,
        id: Id,
        state: &mut Cow<Server>,
        src: Id,
        (link, place, report): (Link, u32, Report),
        o: &mut Out<Self>,
    ) {
        let Role::Leading(leading) = &state.role else { return };
        if let Report::FollowerInfo { accepted } = report {
            if leading.is_new(src, link) {
                self.on_follower_info(id, state.to_mut(), src, (link, accepted), o);
            }
            return;
        }
        let Some(learner) = leading.learners.get(&src) else { return };
        if report.epoch() != state.attempt() {
            return; // in answer to an earlier attempt of this server
        }
        match learner.channel.arrival(link, place) {
            Arrival::Void => return,
            Arrival::Gap => return self.disconnect(state.to_mut(), src),
            Arrival::Next => {}
        }
        let server = state.to_mut();
        let Role::Leading(leading) = &mut server.role else { unreachable!("seen above") };
        let learner = leading.learners.get_mut(&src).expect("known");
        learner.channel.read = place;
        match (report, learner.stage) {
            (Report::AckEpoch { current, last, .. }, Stage::Invited) => {
                self.on_ack_epoch(id, server, src, (current, last), o)
            }
            (Report::AckNewLeader { .. }, Stage::Syncing { upto }) => {
                self.on_ack_new_leader(id, server, src, upto, o)
            }
            (Report::Ack { zxid }, Stage::Synced { .. }) => {
                learner.stage = Stage::Synced { acked: zxid };
                self.commit(server, o);
            }
            _ => self.disconnect(server, src),
        }
    }

    /// The connection is broken: the follower will hear nothing more over it, and give up.
    fn disconnect(&self, server: &mut Server, src: Id) {
        if let Role::Leading(leading) = &mut server.role
            && let Some(learner) = leading.learners.remove(&src)
        {
            leading.broken.insert(src, learner.channel.link);
        }
    }

    /// A new connection, which ends any earlier one. Once an epoch is chosen, it is offered at once (l.3.3).
    fn on_follower_info(
        &self,
        id: Id,
        server: &mut Server,
        src: Id,
        (link, accepted): (Link, Epoch),
        o: &mut Out<Self>,
    ) {
        let epoch = server.disk.accepted;
        let Role::Leading(leading) = &mut server.role else { unreachable!("only a leader is asked") };
        let channel = Channel { link, read: 1, written: 0 };
        let mut learner = Learner { channel, stage: Stage::Connected { accepted } };
        if leading.stand != Stand::Discovery {
            learner.stage = Stage::Invited;
            learner.write(src, Packet::NewEpoch { epoch }, o);
        }
        leading.broken.remove(&src);
        leading.learners.insert(src, learner);
        self.advance(id, server, o);
    }

    /// l.1.1: the new epoch is later than any that a quorum has accepted.
    pub(super) fn choose_epoch(&self, own: Epoch, others: impl Iterator<Item = Epoch>) -> Epoch {
        let lax = matches!(self.bug, Some(Bug::EpochNotAbove | Bug::EpochNotAboveButGuarded));
        others.fold(own.next(), |epoch, accepted| {
            let taken = if lax { accepted > epoch } else { accepted >= epoch };
            if taken { accepted.next() } else { epoch }
        })
    }

    /// A promise (l.1.2). The leader's own history is the initial one; so, as in ZooKeeper, it leaves the office to a
    /// follower that turns out to have a more recent one, where the paper would fetch it.
    fn on_ack_epoch(
        &self,
        id: Id,
        server: &mut Server,
        src: Id,
        (current, last): (Option<Epoch>, Zxid),
        o: &mut Out<Self>,
    ) {
        let own = self.recency(server.disk.current, server.disk.last());
        let Role::Leading(leading) = &mut server.role else { unreachable!("only a leader is answered") };
        leading.learners.get_mut(&src).expect("known").stage = Stage::Promised { last };
        match &mut leading.stand {
            Stand::Negotiation { promised } => {
                if let Some(current) = current {
                    if self.recency(current, last) > own {
                        return self.look(id, server, o);
                    }
                    promised.insert(src);
                }
                self.advance(id, server, o);
            }
            _ => self.synchronise(server, src, o),
        }
    }

    /// Goes on to the next phase as soon as a quorum, this server included, allows it.
    fn advance(&self, id: Id, server: &mut Server, o: &mut Out<Self>) {
        let Role::Leading(leading) = &mut server.role else { unreachable!("only a leader advances") };
        if leading.stand == Stand::Discovery && self.is_majority(leading.learners.len() + 1) {
            // l.1.1: the leader is the first to accept the epoch that it chooses.
            let accepted = leading.learners.values().filter_map(|learner| match learner.stage {
                Stage::Connected { accepted } => Some(accepted),
                _ => None,
            });
            let epoch = self.choose_epoch(server.disk.accepted, accepted);
            server.disk.accepted = epoch;
            o.save(server.disk.clone());
            leading.stand = Stand::Negotiation { promised: NodeSet::from_iter([id]) };
            for (&node, learner) in &mut leading.learners {
                learner.stage = Stage::Invited;
                learner.write(node, Packet::NewEpoch { epoch }, o);
            }
        }
        if matches!(leading.stand, Stand::Negotiation { promised } if self.is_majority(promised.len())) {
            // l.2.1: the leader is the first to take over its history under the new epoch.
            server.disk.current = server.disk.accepted;
            o.save(server.disk.clone());
            leading.stand = Stand::Synchronisation;
            let waits = |learner: &Learner| matches!(learner.stage, Stage::Promised { .. });
            let waiting: Vec<Id> = leading
                .learners
                .iter()
                .filter(|(_, learner)| waits(learner))
                .map(|(&node, _)| node)
                .collect();
            waiting.into_iter().for_each(|node| self.synchronise(server, node, o));
        }
        let Role::Leading(leading) = &mut server.role else { unreachable!("still a leader") };
        let upto = server.disk.last();
        let synced = leading.learners.values().filter(|learner| learner.has(Zxid::default())).count();
        if leading.stand == Stand::Synchronisation && self.is_majority(synced + 1) {
            // l.2.2: from here on it leads. Its initial history is delivered before it broadcasts anything.
            leading.stand = Stand::Broadcast;
            server.delivered = server.disk.history.len();
            for (&node, learner) in &mut leading.learners {
                if learner.has(Zxid::default()) {
                    learner.write(node, Packet::UpToDate { zxid: upto }, o);
                }
            }
            self.offer_broadcast(o);
        }
    }

    /// l.2.1, l.3.3: brings a follower's history to the leader's, proposals not yet committed included.
    fn synchronise(&self, server: &mut Server, node: Id, o: &mut Out<Self>) {
        let Role::Leading(leading) = &mut server.role else { unreachable!("only a leader synchronises") };
        let learner = leading.learners.get_mut(&node).expect("known");
        let Stage::Promised { last } = learner.stage else { return };
        let sync = self.sync(&server.disk, last);
        learner.stage = Stage::Syncing { upto: server.disk.last() };
        learner.write(node, Packet::NewLeader { epoch: server.disk.accepted, sync }, o);
    }

    /// What turns a history that ends with `last` into this one.
    pub(super) fn sync(&self, disk: &Disk, last: Zxid) -> Sync {
        let history = &disk.history;
        if let Some(shared) = disk.position(last) {
            // Histories that share a transaction share everything before it.
            return Sync::Diff(history[shared..].to_vec());
        }
        // The follower has something that is not part of the history. Only within one epoch is it known where it
        // parted: both have a prefix of what that epoch's primary broadcast.
        let shared = history.iter().filter(|txn| txn.zxid < last).count();
        match history[..shared].last() {
            Some(common) if common.zxid.epoch == last.epoch => {
                let rest = history[shared..].to_vec();
                if self.bug == Some(Bug::DiffInsteadOfTrunc) && !rest.is_empty() {
                    return Sync::Diff(rest);
                }
                Sync::Trunc(common.zxid, rest)
            }
            _ => Sync::Snap(history.clone()),
        }
    }

    /// The follower has the leader's history up to `upto` on disk, under this epoch (l.2.2, l.3.4).
    fn on_ack_new_leader(&self, id: Id, server: &mut Server, src: Id, upto: Zxid, o: &mut Out<Self>) {
        let committed = server.delivered().last().map_or(Zxid::default(), |txn| txn.zxid);
        let Role::Leading(leading) = &mut server.role else { unreachable!("only a leader is answered") };
        let learner = leading.learners.get_mut(&src).expect("known");
        learner.stage = Stage::Synced { acked: upto };
        if leading.stand == Stand::Broadcast {
            // What was committed after NEWLEADER was written, its COMMIT did not go to this follower.
            let names_sync_point = self.bug == Some(Bug::UpToDateNamesSyncPoint);
            let zxid = if names_sync_point { committed.min(upto) } else { committed };
            learner.write(src, Packet::UpToDate { zxid }, o);
            self.commit(server, o);
        } else {
            self.advance(id, server, o);
        }
    }

    fn offer_broadcast(&self, o: &mut Out<Self>) {
        if self.values > 0 {
            o.choose_random(CLIENT, vec![Choice::Broadcast]);
        }
    }

    /// l.3.1: a client's transaction, logged before it is proposed.
    pub(super) fn on_broadcast(&self, id: Id, server: &mut Server, o: &mut Out<Self>) {
        let epoch = server.disk.current;
        let last = server.disk.last();
        let counter = if last.epoch == epoch { last.counter + 1 } else { 1 };
        let txn = Txn { zxid: Zxid { epoch, counter }, from: id };
        server.disk.history.push(txn);
        o.save(server.disk.clone());
        let Role::Leading(leading) = &mut server.role else { unreachable!("only a leader is asked") };
        for (&node, learner) in &mut leading.learners {
            let told = match learner.stage {
                // It will have everything before, by NEWLEADER: if it is not told now, it never learns of this one.
                Stage::Syncing { .. } => self.bug != Some(Bug::ProposesToSyncedOnly),
                Stage::Synced { .. } => true,
                _ => false,
            };
            if told {
                learner.write(node, Packet::Propose { txn }, o);
            }
        }
        self.offer_broadcast(o);
        self.commit(server, o);
    }

    /// l.3.2: what a quorum has on disk is committed, in order.
    fn commit(&self, server: &mut Server, o: &mut Out<Self>) {
        let Role::Leading(leading) = &mut server.role else { unreachable!("only a leader commits") };
        while let Some(txn) = server.disk.history.get(server.delivered) {
            let have = leading.learners.values().filter(|learner| learner.has(txn.zxid)).count();
            if !self.is_majority(have + 1) {
                break;
            }
            server.delivered += 1;
            for (&node, learner) in &mut leading.learners {
                if learner.has(Zxid::default()) {
                    learner.write(node, Packet::Commit { zxid: txn.zxid }, o);
                }
            }
        }
    }

    /// Tells the followers that it lives.
    pub(super) fn on_ping_due(&self, leading: &Leading, o: &mut Out<Self>) {
        for (&node, learner) in &leading.learners {
            o.send(node, Msg::Ping { link: learner.channel.link, written: learner.channel.written });
        }
        o.set_timer(Timer::Ping, PING);
    }

    pub(super) fn on_pong(&self, state: &mut Cow<Server>, src: Id, (link, written): (Link, u32)) {
        let Role::Leading(leading) = &state.role else { return };
        let Some(learner) = leading.learners.get(&src) else { return };
        if learner.channel.link != link {
            return;
        }
        if !learner.channel.is_whole(written) {
            return self.disconnect(state.to_mut(), src);
        }
        if !leading.heard.contains(src)
            && let Role::Leading(leading) = &mut state.to_mut().role
        {
            leading.heard.insert(src);
        }
    }

    /// A leader that a quorum no longer answers goes back to the election: others may have elected a new one. So does
    /// one that is not established in time (ZooKeeper's initLimit), whoever answers: no epoch is promised twice, so one
    /// whose promises were lost will never be promised by a quorum.
    pub(super) fn on_no_contact(&self, id: Id, state: &mut Cow<Server>, o: &mut Out<Self>) {
        let server = state.to_mut();
        if let Role::Leading(leading) = &mut server.role {
            let heard = std::mem::take(&mut leading.heard);
            if leading.stand == Stand::Broadcast && self.is_majority(heard.len() + 1) {
                return o.set_timer(Timer::Contact, CONTACT);
            }
        }
        self.look(id, server, o);
    }
}
