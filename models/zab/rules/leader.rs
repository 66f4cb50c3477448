//! Phases 1 to 3, a leader.

use stateright::actor::Id;

use super::super::message::{Choice, Message, Packet, Report, Sync, Timer};
use super::super::state::{
    Channel, Disk, Epoch, Leading, Learner, Link, Role, Stage, Stand, State, Txn, Zxid,
};
use super::super::witness::end;
use super::{Step, Verdict, answers, compare, ending, goes_back, is_quorum, upto};
use crate::election::{Event, NodeSet, node_name};

/// What a leader does when something arrives, and when its timers end.
pub(super) fn leader_steps(step: &Step<'_>) -> Verdict {
    let (zab, id) = (step.actor, step.id);
    let (Some(before), Some(_)) = (step.before, end(step)) else { return Ok(()) };
    let Role::Leading(leading) = &before.role else { return Ok(()) };
    let mut office =
        Office { step, now: leading.clone(), disk: before.disk.clone(), says: Vec::new() };
    match &step.event {
        Event::Deliver { src, msg: Message::Notification { link, .. } } => {
            return compare(step, answers(before, *src, *link, id));
        }
        Event::Timeout { timer: Timer::Ping } => {
            let ping = |(&node, learner): (&Id, &Learner)| {
                let Channel { link, written, .. } = learner.channel;
                (node, Message::Ping { link, written })
            };
            office.says = leading.learners.iter().map(ping).collect();
        }
        Event::Timeout { timer: Timer::Contact } => {
            // ZooKeeper's syncLimit, or its initLimit for a leader that is not established yet.
            if leading.stand != Stand::Broadcast || !is_quorum(zab, leading.heard.len() + 1) {
                return compare(step, goes_back(zab, id, before));
            }
            office.now.heard = NodeSet::default();
        }
        Event::Deliver { src, msg: Message::Pong { link, written } } => {
            match leading.learners.get(src) {
                Some(learner) if learner.channel.link == *link => {
                    match *written > learner.channel.read {
                        true => office.breaks(*src),
                        false => office.now.heard.insert(*src),
                    }
                }
                _ => {}
            }
        }
        Event::Choose { value: Choice::Broadcast(value), .. } => office.broadcasts(*value),
        Event::Deliver { src, msg: Message::Report { link, place, report } }
            if !office.hears(before, *src, (*link, *place), report)? =>
        {
            return compare(step, goes_back(zab, id, before));
        }
        _ => {}
    }
    let delivered = office.goes_on(before)?;
    let Office { now, disk, says, .. } = office;
    compare(step, (State { role: Role::Leading(now), disk, delivered, ..before.clone() }, says))
}

/// A leader in the middle of a step.
struct Office<'a, 'b> {
    step: &'a Step<'b>,
    now: Leading,
    disk: Disk,
    says: Vec<(Id, Message)>,
}

impl Office<'_, '_> {
    fn tells(&mut self, node: Id, packet: Packet) {
        let channel = &mut self.now.learners.get_mut(&node).expect("a learner").channel;
        channel.written += 1;
        let (link, place) = (channel.link, channel.written);
        self.says.push((node, Message::Packet { link, place, packet }));
    }

    fn breaks(&mut self, node: Id) {
        let learner = self.now.learners.remove(&node).expect("a learner");
        self.now.broken.insert(node, learner.channel.link);
    }

    fn those(&self, is: impl Fn(Stage) -> bool) -> Vec<Id> {
        let learners = self.now.learners.iter();
        learners.filter(|(_, learner)| is(learner.stage)).map(|(&node, _)| node).collect()
    }

    /// l.3.1: the next transaction of this epoch, logged, and proposed to all who have been sent
    /// the history before it.
    fn broadcasts(&mut self, value: u32) {
        let (epoch, before_it) = (self.disk.current, ending(&self.disk.history));
        let counter = if before_it.epoch == epoch { before_it.counter + 1 } else { 1 };
        let txn = Txn { zxid: Zxid { epoch, counter }, value };
        self.disk.history.push(txn);
        for node in
            self.those(|stage| matches!(stage, Stage::Syncing { .. } | Stage::Synced { .. }))
        {
            self.tells(node, Packet::Propose { txn });
        }
    }

    /// Handles a report of a follower. `false` if the leader gives up.
    fn hears(
        &mut self,
        before: &State,
        src: Id,
        at: (Link, u32),
        report: &Report,
    ) -> Result<bool, String> {
        let (link, place) = at;
        let latest = self.now.learners.get(&src).map(|learner| learner.channel.link);
        let latest = latest.max(self.now.broken.get(&src).copied());
        if let Report::FollowerInfo { accepted } = report {
            if latest < Some(link) {
                // A later connection ends an earlier one.
                let channel = Channel { link, read: 1, written: 0 };
                let chosen = self.now.stand != Stand::Discovery;
                let stage =
                    if chosen { Stage::Invited } else { Stage::Connected { accepted: *accepted } };
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
                if let (Stand::Negotiation { promised }, Some(current)) =
                    (&mut self.now.stand, current)
                {
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
            (Report::Ack { zxid }, Stage::Synced { .. }) => {
                learner.stage = Stage::Synced { acked: *zxid }
            }
            _ => self.breaks(src),
        }
        Ok(true)
    }

    /// Goes on as far as quorums allow, the leader itself included. Returns how much is delivered
    /// then.
    fn goes_on(&mut self, before: &State) -> Result<usize, String> {
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
                return Err(format!(
                    "{} chooses epoch {chosen}, promised was {latest}",
                    node_name(me)
                ));
            }
            self.disk.accepted = chosen;
            self.now.stand = Stand::Negotiation { promised: NodeSet::from_iter([me]) };
            for node in self.those(|_| true) {
                self.now.learners.get_mut(&node).expect("a learner").stage = Stage::Invited;
                self.tells(node, Packet::NewEpoch { epoch: chosen });
            }
        }
        if let Stand::Negotiation { promised } = self.now.stand
            && is_quorum(zab, promised.len())
        {
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
            let have =
                self.those(|stage| matches!(stage, Stage::Synced { acked } if acked >= txn.zxid));
            if self.now.stand != Stand::Broadcast || !is_quorum(zab, have.len() + 1) {
                break;
            }
            delivered += 1;
            synced.iter().for_each(|&node| self.tells(node, Packet::Commit { zxid: txn.zxid }));
        }
        Ok(delivered)
    }

    /// NEWLEADER, with the change that turns the follower's history into the leader's.
    fn synchronises(&mut self, node: Id) -> Verdict {
        let (history, epoch) = (self.disk.history.clone(), self.disk.accepted);
        let learner = self.now.learners.get_mut(&node).expect("a learner");
        let Stage::Promised { last: theirs } = learner.stage else { unreachable!("has promised") };
        learner.stage = Stage::Syncing { upto: ending(&history) };
        let sent = self.step.sends.iter().find_map(|(dst, msg)| match msg {
            Message::Packet { packet: Packet::NewLeader { sync, .. }, .. } if *dst == node => {
                Some(sync.clone())
            }
            _ => None,
        });
        let sync = sent.unwrap_or(Sync::Snap(history.clone()));
        let is_right = match &sync {
            Sync::Diff(rest) => {
                upto(&history, theirs).is_some_and(|shared| history[shared..] == *rest)
            }
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
