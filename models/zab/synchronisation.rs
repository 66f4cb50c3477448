//! Phase 2, synchronisation: the followers' histories are brought to the leader's, and the leader
//! leads once a quorum has it on disk.

use stateright::actor::Id;

use super::Zab;
use super::bugs::Bug;
use super::message::{Packet, Report, Sync};
use super::state::{Disk, Epoch, Phase, Stage, Stand, Zxid};
use super::turn::Turn;

impl Zab {
    /// What turns a history that ends with `last` into this one.
    pub(super) fn sync(&self, disk: &Disk, last: Zxid) -> Sync {
        let history = &disk.history;
        if let Some(shared) = disk.position(last) {
            // Histories that share a transaction share everything before it.
            return Sync::Diff(history[shared..].to_vec());
        }
        // The follower has something that is not part of the history. Only within one epoch is it
        // known where it parted: both have a prefix of what that epoch's primary broadcast.
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
}

impl Turn<'_, '_> {
    /// l.2.1: the leader is the first to take over its history under the new epoch.
    pub(super) fn begin_synchronisation(&mut self) {
        let disk = &mut self.state.to_mut().disk;
        disk.current = disk.accepted;
        self.save();
        self.leading_mut().stand = Stand::Synchronisation;
        for node in self.learners(|learner| matches!(learner.stage, Stage::Promised { .. })) {
            self.synchronise(node);
        }
    }

    /// l.2.1, l.3.3: brings a follower's history to the leader's, proposals not yet committed
    /// included.
    pub(super) fn synchronise(&mut self, node: Id) {
        let Stage::Promised { last } = self.learner_mut(node).stage else { return };
        let sync = self.node.sync(&self.state.disk, last);
        let (epoch, upto) = (self.state.disk.accepted, self.state.disk.last());
        self.learner_mut(node).stage = Stage::Syncing { upto };
        self.write(node, Packet::NewLeader { epoch, sync });
    }

    /// f.2.1: takes over the leader's history, then its epoch, then says so. Each must be on disk
    /// before the next: the epoch vouches for the history, and the acknowledgement for both.
    pub(super) fn on_new_leader(&mut self, epoch: Epoch, sync: Sync) {
        let before = self.state.disk.clone();
        let was_initialised = self.state.initialised;
        self.take_over(sync);
        let state = self.state.to_mut();
        state.initialised = true;
        let with_history = Disk { current: before.current, ..state.disk.clone() };
        state.disk.current = epoch;
        let whole = state.disk.clone();
        let with_epoch = Disk { history: before.history, ..whole.clone() };
        self.following_mut().phase = Phase::Synchronised;
        let ack = Report::AckNewLeader { epoch };
        match self.node.bug {
            Some(Bug::EpochBeforeHistory) => {
                self.out.save(with_epoch);
                self.out.save(whole);
                self.report(ack);
            }
            Some(Bug::AcksBeforeHistoryOnDisk) => {
                self.report(ack);
                self.out.save(with_history);
                self.out.save(whole);
            }
            Some(Bug::HistoryOnDiskAtUpToDate) => {
                self.out.save(with_epoch);
                self.report(ack);
            }
            Some(Bug::EpochOnDiskAtUpToDate) => {
                self.state.to_mut().disk = with_history;
                self.save();
                self.report(ack);
            }
            _ => {
                // What is on disk vouches for a history: a server without any writes nothing before
                // it is whole.
                if was_initialised && with_history.history != with_epoch.history {
                    self.out.save(with_history);
                }
                self.out.save(whole);
                self.report(ack);
            }
        }
    }

    /// Makes the leader's history of the server's own.
    fn take_over(&mut self, sync: Sync) {
        let state = self.state.to_mut();
        let history = &mut state.disk.history;
        match sync {
            Sync::Diff(rest) => history.extend(rest),
            Sync::Trunc(after, rest) => {
                if self.node.bug != Some(Bug::TruncFailsSilently) {
                    history.retain(|txn| txn.zxid <= after);
                }
                history.extend(rest);
            }
            Sync::Snap(all) => *history = all,
        }
        state.delivered = state.delivered.min(history.len());
    }

    /// The follower has the leader's history up to `upto` on disk, under this epoch (l.2.2, l.3.4).
    pub(super) fn on_ack_new_leader(&mut self, src: Id, upto: Zxid) {
        let committed = self.state.delivered().last().map_or(Zxid::default(), |txn| txn.zxid);
        self.learner_mut(src).stage = Stage::Synced { acked: upto };
        if self.leading().stand == Stand::Broadcast {
            // What was committed after NEWLEADER was written, its COMMIT did not go to this
            // follower.
            let names_sync_point = self.has(Bug::UpToDateNamesSyncPoint);
            let zxid = if names_sync_point { committed.min(upto) } else { committed };
            self.write(src, Packet::UpToDate { zxid });
            self.commit();
        } else {
            self.advance();
        }
    }

    /// l.2.2: from here on it leads. Its initial history is delivered before it broadcasts
    /// anything.
    pub(super) fn begin_broadcast(&mut self) {
        self.leading_mut().stand = Stand::Broadcast;
        let state = self.state.to_mut();
        state.delivered = state.disk.history.len();
        let zxid = state.disk.last();
        for node in self.learners(|learner| learner.has(Zxid::default())) {
            self.write(node, Packet::UpToDate { zxid });
        }
        self.offer_broadcast();
    }

    /// f.2.2: the leader is established; everything up to `zxid` is delivered.
    pub(super) fn on_up_to_date(&mut self, zxid: Zxid) {
        if self.has(Bug::EpochOnDiskAtUpToDate) {
            let disk = &mut self.state.to_mut().disk;
            disk.current = disk.accepted;
        }
        if self.has(Bug::EpochOnDiskAtUpToDate) || self.has(Bug::HistoryOnDiskAtUpToDate) {
            self.save();
        }
        let Some(upto) = self.state.disk.position(zxid) else { return self.look() };
        let state = self.state.to_mut();
        state.delivered = state.delivered.max(upto);
        self.following_mut().phase = Phase::Broadcast;
    }
}
