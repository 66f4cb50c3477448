//! Rounds and epochs that grow for ever: which states of an ensemble go on alike. Our own argument,
//! not the paper's.
//!
//! Rounds: a server that goes back to the election counts its own round up by one; a later round
//! of another server it takes over. All other rounds are only compared: those of messages with the
//! receiver's, those in names of connections with each other, those of servers that have left the
//! election with each other. A server that starts again begins with round 0.
//!
//! Epochs: a leader chooses the epoch after the highest that it and a quorum have accepted. An
//! accepted epoch that it is told of and that is below its own changes nothing, so only what
//! servers have accepted themselves is counted up. Epochs of histories and of transactions are only
//! compared. A round and an epoch are never compared with each other.

use super::Zab;
use super::message::{Message, Packet, Report, Settled, Sync, Vote};
use super::state::{Disk, Epoch, Role, Stage, State, Txn, Zxid};
use crate::election::{Counter, Counting, Part, Snapshot};

/// Rounds of the election.
const ROUND: usize = 0;
/// Epochs.
const EPOCH: usize = 1;

/// What replaces a number.
type New<'a> = dyn FnMut(Counter, u64) -> u64 + 'a;

/// Rounds and epochs are both counted up by one.
pub(super) fn countings() -> Vec<Counting> {
    vec![Counting { name: "rounds", step: 1 }, Counting { name: "epochs", step: 1 }]
}

/// Renumbers rounds and epochs in a part of the ensemble.
pub(super) fn renumber(part: Part<'_, Zab>, new: &mut New<'_>) {
    match part {
        Part::State(state) => in_state(state, new),
        Part::Disk(saved) => {
            new(Counter::growing(ROUND), 0);
            in_disk(saved, new);
        }
        Part::NoDisk => {
            new(Counter::growing(ROUND), 0);
            new(Counter::growing(EPOCH), 0);
        }
        Part::Timer(_) => {}
        Part::Message(message) => in_message(message, new),
    }
}

fn replace(number: &mut u32, counter: Counter, new: &mut New<'_>) {
    *number = new(counter, (*number).into()) as u32;
}

fn round(number: &mut u32, new: &mut New<'_>) {
    replace(number, Counter::compared(ROUND), new);
}

fn epoch(number: &mut Epoch, new: &mut New<'_>) {
    replace(&mut number.0, Counter::compared(EPOCH), new);
}

fn zxid(zxid: &mut Zxid, new: &mut New<'_>) {
    epoch(&mut zxid.epoch, new);
}

fn history(history: &mut [Txn], new: &mut New<'_>) {
    history.iter_mut().for_each(|txn| zxid(&mut txn.zxid, new));
}

fn vote(vote: &mut Vote, new: &mut New<'_>) {
    epoch(&mut vote.epoch, new);
    zxid(&mut vote.zxid, new);
}

fn settled(settled: &mut Settled, new: &mut New<'_>) {
    round(&mut settled.round, new);
    epoch(&mut settled.epoch, new);
}

fn in_disk(disk: &mut Disk, new: &mut New<'_>) {
    replace(&mut disk.accepted.0, Counter::growing(EPOCH), new);
    epoch(&mut disk.current, new);
    history(&mut disk.history, new);
}

fn in_state(state: &mut State, new: &mut New<'_>) {
    replace(&mut state.link.round, Counter::growing(ROUND), new);
    in_disk(&mut state.disk, new);
    match &mut state.role {
        Role::Looking(looking) => {
            looking.vote.iter_mut().chain(looking.votes.values_mut()).for_each(|v| vote(v, new));
            looking.settled.values_mut().for_each(|s| settled(s, new));
        }
        Role::Following(following) => round(&mut following.channel.link.round, new),
        Role::Leading(leading) => {
            for learner in leading.learners.values_mut() {
                round(&mut learner.channel.link.round, new);
                in_stage(&mut learner.stage, new);
            }
            leading.broken.values_mut().for_each(|link| round(&mut link.round, new));
        }
    }
}

fn in_stage(stage: &mut Stage, new: &mut New<'_>) {
    match stage {
        Stage::Connected { accepted } => epoch(accepted, new),
        Stage::Invited => {}
        Stage::Promised { last: named }
        | Stage::Syncing { upto: named }
        | Stage::Synced { acked: named } => zxid(named, new),
    }
}

fn in_message(message: &mut Message, new: &mut New<'_>) {
    let (Message::Notification { link, .. }
    | Message::Settled { link, .. }
    | Message::Packet { link, .. }
    | Message::Report { link, .. }
    | Message::Ping { link, .. }
    | Message::Pong { link, .. }) = message;
    round(&mut link.round, new);
    match message {
        Message::Notification { vote: cast, .. } => cast.iter_mut().for_each(|v| vote(v, new)),
        Message::Settled { settled: said, .. } => settled(said, new),
        Message::Packet { packet, .. } => in_packet(packet, new),
        Message::Report { report, .. } => in_report(report, new),
        Message::Ping { .. } | Message::Pong { .. } => {}
    }
}

fn in_packet(packet: &mut Packet, new: &mut New<'_>) {
    match packet {
        Packet::NewEpoch { epoch: named } => epoch(named, new),
        Packet::NewLeader { epoch: named, sync } => {
            epoch(named, new);
            match sync {
                Sync::Diff(rest) | Sync::Snap(rest) => history(rest, new),
                Sync::Trunc(after, rest) => {
                    zxid(after, new);
                    history(rest, new);
                }
            }
        }
        Packet::UpToDate { zxid: named } | Packet::Commit { zxid: named } => zxid(named, new),
        Packet::Propose { txn } => zxid(&mut txn.zxid, new),
    }
}

fn in_report(report: &mut Report, new: &mut New<'_>) {
    match report {
        Report::FollowerInfo { accepted } => epoch(accepted, new),
        Report::AckEpoch { epoch: named, current, last } => {
            epoch(named, new);
            current.iter_mut().for_each(|current| epoch(current, new));
            zxid(last, new);
        }
        Report::AckNewLeader { epoch: named } => epoch(named, new),
        Report::Ack { zxid: named } => zxid(named, new),
    }
}

/// A vote of an earlier round than the receiver's elicits at most the word of a receiver that has
/// left the election. Only a sender that still looks for a leader, and under the link of that vote,
/// listens to it. So the vote is nothing to any other sender, and else it is the same whatever it
/// says. That needs a receiver whose round does not fall: one that cannot start again.
pub(super) fn simplify(snapshot: &mut Snapshot<'_, Zab>) {
    let Snapshot { states, may_start, messages, .. } = snapshot;
    messages.retain_mut(|envelope| {
        let (src, dst) = (usize::from(envelope.src), usize::from(envelope.dst));
        let Message::Notification { link, vote } = &mut envelope.msg else { return true };
        let Some(Some(receiver)) = states.get(dst) else { return true };
        if link.round >= receiver.link.round || may_start.contains(envelope.dst) {
            return true;
        }
        *vote = None;
        let is_looking = |sender: &State| matches!(sender.role, Role::Looking(_));
        states[src].as_ref().is_some_and(|sender| sender.link == *link && is_looking(sender))
    });
}
