//! The connections between a leader and its followers: what is read from them in order, who
//! notices that one is broken, and how long either end waits.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Packet, Report, Timer};
use super::state::{Arrival, Link, Phase, Role, Stage, Stand};
use super::turn::{PING, Turn};
use crate::election::NodeSet;

impl Turn<'_, '_> {
    /// A follower reads what is next from its leader.
    pub(super) fn on_packet(&mut self, src: Id, link: Link, place: u32, packet: Packet) {
        if self.has(Bug::LogsAfterLeaving)
            && let Packet::Propose { txn } = packet
            && !self.is_connected(src, link)
            && !self.state.disk.history.contains(&txn)
        {
            self.state.to_mut().disk.history.push(txn);
            return self.save();
        }
        let Role::Following(following) = &self.state.role else { return };
        if following.leader != src {
            return;
        }
        match following.channel.arrival(link, place) {
            Arrival::Void => {}
            Arrival::Gap => self.look(),
            Arrival::Next => {
                self.following_mut().channel.read = place;
                self.out.set_timer(Timer::Contact, self.node.contact());
                self.take_packet(packet);
            }
        }
    }

    fn take_packet(&mut self, packet: Packet) {
        match (self.following_mut().phase, packet) {
            (Phase::Discovery, Packet::NewEpoch { epoch }) => self.on_new_epoch(epoch),
            (Phase::Synchronisation, Packet::NewLeader { epoch, sync }) => {
                self.on_new_leader(epoch, sync)
            }
            (Phase::Synchronised, Packet::UpToDate { zxid }) => self.on_up_to_date(zxid),
            (Phase::Synchronised | Phase::Broadcast, Packet::Propose { txn }) => {
                self.on_propose(txn)
            }
            (Phase::Broadcast, Packet::Commit { zxid }) => self.on_commit(zxid),
            _ => self.look(),
        }
    }

    /// A leader reads what is next from a follower, or is asked for a connection.
    pub(super) fn on_report(&mut self, src: Id, link: Link, place: u32, report: Report) {
        let Role::Leading(leading) = &self.state.role else { return };
        if let Report::FollowerInfo { accepted } = report {
            if leading.is_new(src, link) {
                self.on_follower_info(src, link, accepted);
            }
            return;
        }
        let Some(learner) = leading.learners.get(&src) else { return };
        if report.epoch() != self.state.attempt() {
            return; // in answer to an earlier attempt of this server
        }
        match learner.channel.arrival(link, place) {
            Arrival::Void => {}
            Arrival::Gap => self.disconnect(src),
            Arrival::Next => {
                self.learner_mut(src).channel.read = place;
                self.take_report(src, report);
            }
        }
    }

    fn take_report(&mut self, src: Id, report: Report) {
        match (report, self.learner_mut(src).stage) {
            (Report::AckEpoch { current, last, .. }, Stage::Invited) => {
                self.on_ack_epoch(src, current, last)
            }
            (Report::AckNewLeader { .. }, Stage::Syncing { upto }) => {
                self.on_ack_new_leader(src, upto)
            }
            (Report::Ack { zxid }, Stage::Synced { .. }) => self.on_ack(src, zxid),
            _ => self.disconnect(src),
        }
    }

    fn is_connected(&self, leader: Id, link: Link) -> bool {
        match &self.state.role {
            Role::Following(f) => f.leader == leader && f.channel.link == link,
            _ => false,
        }
    }

    /// The connection is broken: the follower will hear nothing more over it, and give up.
    fn disconnect(&mut self, src: Id) {
        let leading = self.leading_mut();
        if let Some(learner) = leading.learners.remove(&src) {
            leading.broken.insert(src, learner.channel.link);
        }
    }

    /// There is no answer yet: a server that is looking repeats its vote, a follower its request to
    /// connect.
    pub(super) fn on_retry(&mut self) {
        match &self.state.role {
            Role::Looking(looking) => self.repeat_vote(looking.vote),
            Role::Following(following) => self.reconnect(following.leader, following.channel.link),
            Role::Leading(_) => {}
        }
    }

    /// Tells the followers that their leader lives.
    pub(super) fn on_ping_due(&mut self) {
        let Role::Leading(leading) = &self.state.role else { return };
        for (&node, learner) in &leading.learners {
            let (link, written) = (learner.channel.link, learner.channel.written);
            self.out.send(node, Message::Ping { link, written });
        }
        self.out.set_timer(Timer::Ping, PING);
    }

    /// The leader lives. A follower that has missed a packet cannot go on.
    pub(super) fn on_ping(&mut self, src: Id, link: Link, written: u32) {
        let Role::Following(following) = &self.state.role else { return };
        let channel = following.channel;
        if following.leader != src || channel.link != link {
            return;
        }
        if !channel.is_whole(written) {
            return self.look();
        }
        self.out.set_timer(Timer::Contact, self.node.contact());
        self.out.send(src, Message::Pong { link, written: channel.written });
    }

    /// A follower lives. If something of what it wrote was missed, the connection is broken.
    pub(super) fn on_pong(&mut self, src: Id, link: Link, written: u32) {
        let Role::Leading(leading) = &self.state.role else { return };
        let Some(learner) = leading.learners.get(&src) else { return };
        if learner.channel.link != link {
            return;
        }
        if !learner.channel.is_whole(written) {
            return self.disconnect(src);
        }
        if !leading.heard.contains(src) {
            self.leading_mut().heard.insert(src);
        }
    }

    /// A follower that no longer hears its leader goes back to the election. So does a leader that
    /// a quorum no longer answers: others may have elected a new one. So does one that is not
    /// established in time (ZooKeeper's initLimit), even if a quorum answers: no epoch is promised
    /// twice, so an epoch whose promises were lost can never get those of a quorum.
    pub(super) fn on_no_contact(&mut self) {
        match &self.state.role {
            Role::Looking(_) => {}
            Role::Following(_) => self.look(),
            Role::Leading(leading) => {
                let is_established = leading.stand == Stand::Broadcast;
                if is_established && self.node.is_majority(leading.heard.len() + 1) {
                    self.leading_mut().heard = NodeSet::default();
                    return self.out.set_timer(Timer::Contact, self.node.contact());
                }
                self.look();
            }
        }
    }
}
