//! Phase 1, discovery: whoever is to lead learns from a quorum which epochs were promised, chooses
//! a later one, and has it promised. Steps are numbered as in the paper: `l.1.1` is the leader's
//! first in phase 1, `f.1.1` the follower's.

use stateright::actor::Id;

use super::Zab;
use super::bugs::Bug;
use super::message::{Message, Packet, Report, Timer};
use super::state::{
    Channel, Epoch, Following, Leading, Learner, Link, Phase, Role, Stage, Stand, Zxid,
};
use super::turn::{PING, RETRY, Turn};
use crate::election::{NodeSet, SortedMap};

impl Zab {
    /// l.1.1: the new epoch is later than any that a quorum has accepted.
    pub(super) fn choose_epoch(&self, own: Epoch, others: impl Iterator<Item = Epoch>) -> Epoch {
        let lax = matches!(self.bug, Some(Bug::EpochNotAbove | Bug::EpochNotAboveButGuarded));
        others.fold(own.next(), |epoch, accepted| {
            let taken = if lax { accepted > epoch } else { accepted >= epoch };
            if taken { accepted.next() } else { epoch }
        })
    }
}

impl Turn<'_, '_> {
    /// The election is over, and this server is to lead: it waits for followers.
    pub(super) fn lead(&mut self) {
        self.state.to_mut().role = Role::Leading(Leading {
            stand: Stand::Discovery,
            learners: SortedMap::new(),
            broken: SortedMap::new(),
            heard: NodeSet::default(),
        });
        self.out.set_timer(Timer::Contact, self.node.contact());
        if self.node.pings {
            self.out.set_timer(Timer::Ping, PING);
        }
        self.advance();
    }

    /// f.1.1: connects to the leader that the election named, and tells it the last epoch promised.
    pub(super) fn follow(&mut self, leader: Id) {
        let accepted = self.state.disk.accepted;
        let channel = Channel { link: self.state.link, read: 0, written: 0 };
        let following = Following { leader, phase: Phase::Discovery, channel };
        self.state.to_mut().role = Role::Following(following);
        self.report(Report::FollowerInfo { accepted });
        self.out.set_timer(Timer::Contact, self.node.contact());
        if self.node.pings {
            self.out.set_timer(Timer::Retry, RETRY);
        }
    }

    /// The leader may not have been listening yet. Once it has answered, `Retry` runs no more.
    pub(super) fn reconnect(&mut self, leader: Id, link: Link) {
        let report = Report::FollowerInfo { accepted: self.state.disk.accepted };
        self.out.send(leader, Message::Report { link, place: 1, report });
        self.out.set_timer(Timer::Retry, RETRY);
    }

    /// A new connection, which ends any earlier one. Once an epoch is chosen, it is offered at once
    /// (l.3.3).
    pub(super) fn on_follower_info(&mut self, src: Id, link: Link, accepted: Epoch) {
        let channel = Channel { link, read: 1, written: 0 };
        let leading = self.leading_mut();
        leading.broken.remove(&src);
        leading.learners.insert(src, Learner { channel, stage: Stage::Connected { accepted } });
        if leading.stand != Stand::Discovery {
            self.invite(src);
        }
        self.advance();
    }

    /// Goes on to the next phase as soon as a quorum, this server included, allows it.
    pub(super) fn advance(&mut self) {
        let connected = self.leading().learners.len();
        if self.leading().stand == Stand::Discovery && self.node.is_majority(connected + 1) {
            self.offer_epoch();
        }
        if let Stand::Negotiation { promised } = self.leading().stand
            && self.node.is_majority(promised.len())
        {
            self.begin_synchronisation();
        }
        let synced = self.learners(|learner| learner.has(Zxid::default()));
        let is_waiting = self.leading().stand == Stand::Synchronisation;
        if is_waiting && self.node.is_majority(synced.len() + 1) {
            self.begin_broadcast();
        }
    }

    /// l.1.1: the leader is the first to accept the epoch that it chooses.
    fn offer_epoch(&mut self) {
        let learners = self.leading().learners.values();
        let accepted = learners.filter_map(|learner| match learner.stage {
            Stage::Connected { accepted } => Some(accepted),
            _ => None,
        });
        let epoch = self.node.choose_epoch(self.state.disk.accepted, accepted);
        self.state.to_mut().disk.accepted = epoch;
        self.save();
        let promised = NodeSet::from_iter([self.id]);
        self.leading_mut().stand = Stand::Negotiation { promised };
        for node in self.learners(|_| true) {
            self.invite(node);
        }
    }

    fn invite(&mut self, node: Id) {
        let epoch = self.state.disk.accepted;
        self.learner_mut(node).stage = Stage::Invited;
        self.write(node, Packet::NewEpoch { epoch });
    }

    /// f.1.2: promises never to acknowledge an earlier epoch. An epoch is promised once only; a
    /// follower that is asked again may follow, but is not counted.
    pub(super) fn on_new_epoch(&mut self, epoch: Epoch) {
        let accepted = self.state.disk.accepted;
        if epoch < accepted {
            return self.look_later();
        }
        let counts = epoch > accepted || self.has(Bug::EpochNotAbove);
        self.state.to_mut().disk.accepted = epoch;
        let initialised = self.state.initialised;
        if epoch > accepted && initialised && !self.has(Bug::PromiseNotOnDisk) {
            self.save();
        }
        let last = match self.node.bug {
            Some(Bug::ReportsLastDelivered) => {
                self.state.delivered().last().map_or(Zxid::default(), |txn| txn.zxid)
            }
            _ => self.state.disk.last(),
        };
        let current = (counts && initialised).then_some(self.state.disk.current);
        self.following_mut().phase = Phase::Synchronisation;
        self.report(Report::AckEpoch { epoch, current, last });
        self.out.cancel_timer(Timer::Retry);
    }

    /// A promise (l.1.2). The leader's own history is the initial one; so, as in ZooKeeper, it
    /// leaves the office to a follower that turns out to have a more recent one, where the paper
    /// would fetch it.
    pub(super) fn on_ack_epoch(&mut self, src: Id, current: Option<Epoch>, last: Zxid) {
        self.learner_mut(src).stage = Stage::Promised { last };
        let Stand::Negotiation { mut promised } = self.leading().stand else {
            return self.synchronise(src);
        };
        if let Some(current) = current {
            let disk = &self.state.disk;
            let own = self.node.recency(disk.current, disk.last());
            if self.node.recency(current, last) > own {
                return self.look();
            }
            promised.insert(src);
            self.leading_mut().stand = Stand::Negotiation { promised };
        }
        self.advance();
    }
}
