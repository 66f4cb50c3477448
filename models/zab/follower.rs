//! Phases 1 to 3 as a follower sees them. Steps are numbered as in the paper: `f.1.1` is the follower's first in phase 1.

use std::borrow::Cow;

use stateright::actor::{Id, Out};

use super::state::*;
use super::{Bug, CONTACT, RETRY, Zab};

impl Following {
    fn write(&mut self, report: Report, o: &mut Out<Zab>) {
        self.channel.written += 1;
        let (link, place) = (self.channel.link, self.channel.written);
        o.send(self.leader, Msg::Report { link, place, report });
    }
}

impl Zab {
    /// f.1.1: connects to the leader that the election named, and tells it the last epoch promised.
    pub(super) fn follow(&self, server: &mut Server, leader: Id, o: &mut Out<Self>) {
        let channel = Channel { link: server.link, read: 0, written: 0 };
        let mut following = Following { leader, phase: Phase::Discovery, channel };
        following.write(Report::FollowerInfo { accepted: server.disk.accepted }, o);
        server.role = Role::Following(following);
        o.set_timer(Timer::Contact, CONTACT);
        if self.pings {
            o.set_timer(Timer::Retry, RETRY);
        }
    }

    /// The leader may not have been listening yet. Once it has answered, `Retry` runs no more.
    pub(super) fn reconnect(&self, server: &Server, following: &Following, o: &mut Out<Self>) {
        let report = Report::FollowerInfo { accepted: server.disk.accepted };
        o.send(following.leader, Msg::Report { link: following.channel.link, place: 1, report });
        o.set_timer(Timer::Retry, RETRY);
    }

    pub(super) fn on_packet(
        &self,
        id: Id,
        state: &mut Cow<Server>,
        src: Id,
        (link, place, packet): (Link, u32, Packet),
        o: &mut Out<Self>,
    ) {
        if self.bug == Some(Bug::LogsAfterLeaving)
            && let Packet::Propose { txn } = packet
            && !matches!(&state.role, Role::Following(f) if f.leader == src && f.channel.link == link)
            && !state.disk.history.contains(&txn)
        {
            let server = state.to_mut();
            server.disk.history.push(txn);
            return o.save(server.disk.clone());
        }
        let Role::Following(following) = &state.role else { return };
        if following.leader != src {
            return;
        }
        match following.channel.arrival(link, place) {
            Arrival::Void => return,
            Arrival::Gap => return self.look(id, state.to_mut(), o),
            Arrival::Next => {}
        }
        let server = state.to_mut();
        let Role::Following(following) = &mut server.role else { unreachable!("seen above") };
        following.channel.read = place;
        o.set_timer(Timer::Contact, CONTACT);
        match (following.phase, packet) {
            (Phase::Discovery, Packet::NewEpoch { epoch }) => self.on_new_epoch(id, server, epoch, o),
            (Phase::Synchronisation, Packet::NewLeader { epoch, sync }) => {
                self.on_new_leader(server, epoch, sync, o)
            }
            (Phase::Synchronised, Packet::UpToDate { zxid }) => self.on_up_to_date(id, server, zxid, o),
            (Phase::Synchronised | Phase::Broadcast, Packet::Propose { txn }) => {
                self.on_propose(server, txn, o)
            }
            (Phase::Broadcast, Packet::Commit { zxid }) => self.on_commit(id, server, zxid, o),
            _ => self.look(id, server, o),
        }
    }

    /// f.1.2: promises never to acknowledge an earlier epoch. An epoch is promised to one leader only; who asks again
    /// may follow all the same, but is not counted.
    fn on_new_epoch(&self, id: Id, server: &mut Server, epoch: Epoch, o: &mut Out<Self>) {
        let accepted = server.disk.accepted;
        if epoch < accepted {
            return self.look_later(id, server, o);
        }
        let counts = epoch > accepted || self.bug == Some(Bug::EpochNotAbove);
        server.disk.accepted = epoch;
        if epoch > accepted && server.initialised && self.bug != Some(Bug::PromiseNotOnDisk) {
            o.save(server.disk.clone());
        }
        let last = match self.bug {
            Some(Bug::ReportsLastDelivered) => {
                server.delivered().last().map_or(Zxid::default(), |txn| txn.zxid)
            }
            _ => server.disk.last(),
        };
        let current = server.disk.current;
        let current = (counts && server.initialised).then_some(current);
        let Role::Following(following) = &mut server.role else { unreachable!("only a follower is asked") };
        following.phase = Phase::Synchronisation;
        following.write(Report::AckEpoch { epoch, current, last }, o);
        o.cancel_timer(Timer::Retry);
    }

    /// f.2.1: takes over the leader's history, then its epoch, then says so. Each must be on disk before the next:
    /// the epoch vouches for the history, and the acknowledgement for both.
    fn on_new_leader(&self, server: &mut Server, epoch: Epoch, sync: Sync, o: &mut Out<Self>) {
        let before = server.disk.clone();
        let history = &mut server.disk.history;
        match sync {
            Sync::Diff(rest) => history.extend(rest),
            Sync::Trunc(after, rest) => {
                if self.bug != Some(Bug::TruncFailsSilently) {
                    history.retain(|txn| txn.zxid <= after);
                }
                history.extend(rest);
            }
            Sync::Snap(all) => *history = all,
        }
        server.delivered = server.delivered.min(history.len());
        let was_initialised = server.initialised;
        server.initialised = true;
        let with_history = Disk { current: before.current, ..server.disk.clone() };
        let with_epoch = Disk { history: before.history, current: epoch, ..server.disk.clone() };
        let whole = Disk { current: epoch, ..server.disk.clone() };
        server.disk = whole.clone();
        let Role::Following(following) = &mut server.role else {
            unreachable!("only a follower is synchronised")
        };
        following.phase = Phase::Synchronised;
        let ack = Report::AckNewLeader { epoch };
        match self.bug {
            Some(Bug::EpochBeforeHistory) => {
                o.save(with_epoch);
                o.save(whole);
                following.write(ack, o);
            }
            Some(Bug::AcksBeforeHistoryOnDisk) => {
                following.write(ack, o);
                o.save(with_history);
                o.save(whole);
            }
            Some(Bug::HistoryOnDiskAtUpToDate) => {
                o.save(with_epoch);
                following.write(ack, o);
            }
            Some(Bug::EpochOnDiskAtUpToDate) => {
                server.disk = with_history.clone();
                o.save(with_history);
                following.write(ack, o);
            }
            _ => {
                // What is on disk vouches for a history: a server without any writes nothing before it is whole.
                if was_initialised && with_history.history != with_epoch.history {
                    o.save(with_history);
                }
                o.save(whole);
                following.write(ack, o);
            }
        }
    }

    /// f.2.2: the leader is established; everything up to `zxid` is delivered.
    fn on_up_to_date(&self, id: Id, server: &mut Server, zxid: Zxid, o: &mut Out<Self>) {
        if self.bug == Some(Bug::EpochOnDiskAtUpToDate) {
            server.disk.current = server.disk.accepted;
        }
        if matches!(self.bug, Some(Bug::EpochOnDiskAtUpToDate | Bug::HistoryOnDiskAtUpToDate)) {
            o.save(server.disk.clone());
        }
        let Some(upto) = server.disk.position(zxid) else { return self.look(id, server, o) };
        server.delivered = server.delivered.max(upto);
        let Role::Following(following) = &mut server.role else { unreachable!("only a follower is told") };
        following.phase = Phase::Broadcast;
    }

    /// f.3.1: logs the transaction, then acknowledges it.
    fn on_propose(&self, server: &mut Server, txn: Txn, o: &mut Out<Self>) {
        if self.bug == Some(Bug::ReadsHalfARecord) {
            // Its zxid is on disk, and in place of its value whatever was there before.
            let mut half = server.disk.clone();
            half.history.push(Txn { value: 0, ..txn });
            o.save(half);
        }
        server.disk.history.push(txn);
        o.save(server.disk.clone());
        let Role::Following(following) = &mut server.role else { unreachable!("only a follower is told") };
        following.write(Report::Ack { zxid: txn.zxid }, o);
    }

    /// f.3.2: delivers the next transaction. That it is the next is not the follower's choice: a leader that names another
    /// cannot be followed.
    fn on_commit(&self, id: Id, server: &mut Server, zxid: Zxid, o: &mut Out<Self>) {
        match server.disk.history.get(server.delivered) {
            Some(next) if next.zxid == zxid => server.delivered += 1,
            _ => self.look(id, server, o),
        }
    }

    pub(super) fn on_ping(
        &self,
        id: Id,
        state: &mut Cow<Server>,
        src: Id,
        (link, written): (Link, u32),
        o: &mut Out<Self>,
    ) {
        let Role::Following(following) = &state.role else { return };
        let channel = following.channel;
        if following.leader != src || channel.link != link {
            return;
        }
        if !channel.is_whole(written) {
            return self.look(id, state.to_mut(), o);
        }
        o.set_timer(Timer::Contact, CONTACT);
        o.send(src, Msg::Pong { link, written: channel.written });
    }
}
