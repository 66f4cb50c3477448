//! What must be on disk.

use super::super::message::{Message, Packet, Report};
use super::super::state::{Disk, State};
use super::super::witness::end;
use super::{Step, Verdict, ending};
use crate::election::node_name;

/// What a server relies on is on its disk, and what it says to others was on disk before.
pub(super) fn said_is_on_disk(step: &Step<'_>) -> Verdict {
    let me = node_name(step.id);
    let Some(end) = end(step) else { return Ok(()) };
    let saved = step.storage;
    // f.p, f.a and h_f are durable. A server without a disk has nothing to rely on before a leader
    // gives it a history.
    if step.after.is_some() && end.initialised && saved != Some(&end.disk) {
        return Err(format!(
            "{me} goes by {}, and has {} on its disk",
            kept(&end.disk),
            saved_as(saved)
        ));
    }
    // A write is on disk completely or not at all. If there was no disk before, all parts appear at
    // once.
    let is_whole = match (step.before.filter(|before| before.initialised), saved) {
        (Some(State { disk: was, .. }), Some(saved)) => {
            [was.accepted, end.disk.accepted].contains(&saved.accepted)
                && [was.current, end.disk.current].contains(&saved.current)
                && [&was.history, &end.disk.history].contains(&&saved.history)
        }
        (Some(_), None) => false,
        (None, saved) => saved.is_none_or(|saved| end.initialised && *saved == end.disk),
    };
    if !is_whole {
        return Err(format!(
            "{me} should have {} on its disk, and has {}",
            kept(&end.disk),
            saved_as(saved)
        ));
    }
    // f.2.1: the epoch on disk vouches for the history.
    let took_over = step.before.is_some_and(|before| before.disk.current < end.disk.current);
    if let Some(saved) = saved.filter(|saved| took_over && saved.current == end.disk.current)
        && saved.history != end.disk.history
    {
        return Err(format!(
            "{me} has epoch {} on its disk with the history {:?}, which is not that epoch's",
            saved.current, saved.history
        ));
    }
    let (accepted, current) = (saved.map(|disk| disk.accepted), saved.map(|disk| disk.current));
    let history = saved.map(|disk| &disk.history[..]).unwrap_or_default();
    for (_, msg) in step.sends {
        let is_there = match msg {
            Message::Report {
                report: Report::AckEpoch { epoch, current: Some(_), .. }, ..
            }
            | Message::Packet { packet: Packet::NewEpoch { epoch }, .. } => {
                accepted == Some(*epoch)
            }
            Message::Report { report: Report::AckNewLeader { epoch }, .. } => {
                current == Some(*epoch) && history == end.disk.history
            }
            Message::Packet { packet: Packet::NewLeader { epoch, .. }, .. } => {
                current == Some(*epoch)
            }
            Message::Report { report: Report::Ack { zxid }, .. } => ending(history) == *zxid,
            Message::Packet { packet: Packet::Propose { txn }, .. } => history.contains(txn),
            _ => true,
        };
        if !is_there {
            return Err(format!("{me} says {msg:?}, and has {} on its disk", saved_as(saved)));
        }
    }
    Ok(())
}

/// What a disk says.
pub(super) fn kept(disk: &Disk) -> String {
    format!(
        "the promise of epoch {} and the history {:?} of epoch {}",
        disk.accepted, disk.history, disk.current
    )
}

/// The same of a disk that may be empty.
fn saved_as(saved: Option<&Disk>) -> String {
    saved.map_or("nothing".to_string(), kept)
}
