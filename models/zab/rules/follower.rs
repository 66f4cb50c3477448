//! Phases 1 to 3, a follower.

use super::super::message::{Message, Packet, Report, Sync, Timer};
use super::super::state::{Following, Phase, Role, State, Zxid};
use super::super::witness::end;
use super::{Step, Verdict, answers, compare, ending, goes_back, same, upto};
use crate::election::{Event, node_name};

/// What a follower does when something arrives, and when its timers end.
pub(super) fn follower_steps(step: &Step<'_>) -> Verdict {
    let (zab, id) = (step.actor, step.id);
    let (Some(before), Some(_)) = (step.before, end(step)) else { return Ok(()) };
    let Role::Following(following) = &before.role else { return Ok(()) };
    let Following { leader, phase, channel } = *following;
    let reports =
        |place, report| vec![(leader, Message::Report { link: channel.link, place, report })];
    let due = match &step.event {
        Event::Deliver { src, msg: Message::Notification { link, .. } } => {
            answers(before, *src, *link, leader)
        }
        Event::Timeout { timer: Timer::Contact } => goes_back(zab, id, before),
        Event::Timeout { timer: Timer::Retry } if phase == Phase::Discovery => {
            (before.clone(), reports(1, Report::FollowerInfo { accepted: before.disk.accepted }))
        }
        Event::Deliver { src, msg: Message::Ping { link, written } }
            if *src == leader && *link == channel.link =>
        {
            let pong = Message::Pong { link: *link, written: channel.written };
            match *written > channel.read {
                true => goes_back(zab, id, before),
                false => (before.clone(), vec![(leader, pong)]),
            }
        }
        Event::Deliver { src, msg: Message::Packet { link, place, packet } }
            if *src == leader && *link == channel.link && *place > channel.read =>
        {
            let is_next = *place == channel.read + 1;
            let taken = if is_next { takes(step, before, following, packet)? } else { None };
            let Some((mut due, report)) = taken else {
                let (due, mut says) = goes_back(zab, id, before);
                // That leader would be named again at once, so the vote is cast when it would be
                // repeated.
                if zab.pings && is_next && refuses(before, packet) {
                    says.clear();
                }
                return compare(step, (due, says));
            };
            let says =
                report.map(|report| reports(channel.written + 1, report)).unwrap_or_default();
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
pub(super) fn refuses(before: &State, packet: &Packet) -> bool {
    let waits =
        matches!(&before.role, Role::Following(following) if following.phase == Phase::Discovery);
    waits && matches!(packet, Packet::NewEpoch { epoch } if *epoch < before.disk.accepted)
}

/// The follower's state after the next packet of its leader, and its answer. `None` if it cannot go
/// on.
fn takes(
    step: &Step<'_>,
    before: &State,
    following: &Following,
    packet: &Packet,
) -> Result<Option<(State, Option<Report>)>, String> {
    let mut due = before.clone();
    let mut phase = following.phase;
    let (disk, history) = (&before.disk, &before.disk.history);
    let mut report = None;
    match (following.phase, packet) {
        // f.1.2: promises an epoch that is later than all that it has promised. The one promised
        // last does not count twice.
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
                        return Err(format!(
                            "{} is to forget all after {after}",
                            node_name(step.id)
                        ));
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
        (Phase::Broadcast, Packet::Commit { zxid })
            if upto(history, *zxid) == Some(before.delivered + 1) =>
        {
            due.delivered += 1;
        }
        _ => return Ok(None),
    }
    if let Role::Following(f) = &mut due.role {
        f.phase = phase;
    }
    Ok(Some((due, report)))
}
