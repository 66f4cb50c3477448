//! Phase 3, broadcast: the leader has clients' transactions logged by a quorum, and everybody
//! delivers them in its order.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Choice, Packet, Report};
use super::state::{Learner, Stage, Txn, Zxid};
use super::turn::Turn;
use crate::election::CLIENT;

impl Turn<'_, '_> {
    /// Clients may ask for a transaction.
    pub(super) fn offer_broadcast(&mut self) {
        let values = self.node.values;
        if values > 0 {
            self.out.choose_random(CLIENT, (1..=values).map(Choice::Broadcast).collect());
        }
    }

    /// l.3.1: a client's transaction, logged before it is proposed.
    pub(super) fn on_broadcast(&mut self, value: u32) {
        let epoch = self.state.disk.current;
        let last = self.state.disk.last();
        let counter = if last.epoch == epoch { last.counter + 1 } else { 1 };
        let txn = Txn { zxid: Zxid { epoch, counter }, value };
        self.state.to_mut().disk.history.push(txn);
        self.save();
        let is_told = |learner: &Learner| match learner.stage {
            // NEWLEADER brings it everything before this transaction; if it is not told now, it
            // never learns of it.
            Stage::Syncing { .. } => !self.has(Bug::ProposesToSyncedOnly),
            Stage::Synced { .. } => true,
            _ => false,
        };
        for node in self.learners(is_told) {
            self.write(node, Packet::Propose { txn });
        }
        self.offer_broadcast();
        self.commit();
    }

    /// f.3.1: logs the transaction, then acknowledges it.
    pub(super) fn on_propose(&mut self, txn: Txn) {
        if self.has(Bug::ReadsHalfARecord) {
            // Its zxid is on disk, but in place of its value whatever was there before.
            let mut half = self.state.disk.clone();
            half.history.push(Txn { value: 0, ..txn });
            self.out.save(half);
        }
        self.state.to_mut().disk.history.push(txn);
        self.save();
        self.report(Report::Ack { zxid: txn.zxid });
    }

    /// A follower has everything up to `zxid` on disk.
    pub(super) fn on_ack(&mut self, src: Id, zxid: Zxid) {
        self.learner_mut(src).stage = Stage::Synced { acked: zxid };
        self.commit();
    }

    /// l.3.2: what a quorum has on disk is committed, in order.
    pub(super) fn commit(&mut self) {
        while let Some(&Txn { zxid, .. }) = self.state.disk.history.get(self.state.delivered) {
            let have = self.learners(|learner| learner.has(zxid));
            if !self.node.is_majority(have.len() + 1) {
                break;
            }
            self.state.to_mut().delivered += 1;
            for node in self.learners(|learner| learner.has(Zxid::default())) {
                self.write(node, Packet::Commit { zxid });
            }
        }
    }

    /// f.3.2: delivers the next transaction. That it is the next is not the follower's choice: a
    /// leader that names another cannot be followed.
    pub(super) fn on_commit(&mut self, zxid: Zxid) {
        match self.state.disk.history.get(self.state.delivered) {
            Some(next) if next.zxid == zxid => self.state.to_mut().delivered += 1,
            _ => self.look(),
        }
    }
}
