//! What a follower does with what it reads from its leader, in Zab's own words, for people who read
//! a run.

use stateright::actor::Id;

use super::message::{Message, Packet, Report, Sync};
use super::sending::{committed, described, ends};
use super::state::{Epoch, Phase, State};
use super::{Txn, Zab};
use crate::election::{Deed, listed, node_name};

/// What a leader writes, by name.
pub(super) fn packet_name(from: &str, packet: &Packet) -> String {
    match packet {
        Packet::NewEpoch { epoch } => format!("{from}'s request to promise epoch {epoch}"),
        Packet::NewLeader { epoch, .. } => format!("{from}'s history for epoch {epoch}"),
        Packet::UpToDate { zxid } => {
            format!("{from}'s word that {from} leads and {}", committed(*zxid))
        }
        Packet::Propose { txn } => format!("{from}'s proposal of {txn}"),
        Packet::Commit { zxid } => format!("{from}'s word that {zxid} is committed"),
    }
}

/// A follower reads what is next from its leader.
pub(super) fn reads(
    deed: &Deed<'_, Zab>,
    src: Id,
    packet: &Packet,
    phase: Phase,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    match (phase, packet) {
        (Phase::Discovery, Packet::NewEpoch { epoch }) => {
            vec![promises(deed, src, *epoch, before, after)]
        }
        (Phase::Synchronisation, Packet::NewLeader { sync, .. }) => {
            takes_over(deed, src, sync, before, after)
        }
        (Phase::Synchronised, Packet::UpToDate { zxid }) => {
            let lacks = match before.disk.position(*zxid) {
                Some(_) => "",
                None => ", which it does not have",
            };
            let epoch = before.disk.accepted;
            vec![format!(
                "hears from {from} that {from} leads epoch {epoch} and that {}{lacks}",
                committed(*zxid)
            )]
        }
        (Phase::Synchronised | Phase::Broadcast, Packet::Propose { txn }) => {
            vec![format!("logs the transaction {txn} of {from}")]
        }
        (Phase::Broadcast, Packet::Commit { zxid }) => {
            let next = before.disk.history.get(before.delivered);
            let isnt = match next.is_some_and(|txn| txn.zxid == *zxid) {
                true => "",
                false => ", which is not its next transaction",
            };
            vec![format!("hears from {from} that {zxid} is committed{isnt}")]
        }
        _ => vec![format!("gets {} out of turn", packet_name(&from, packet))],
    }
}

fn promises(deed: &Deed<'_, Zab>, src: Id, epoch: Epoch, before: &State, after: &State) -> String {
    let (from, accepted) = (node_name(src), before.disk.accepted);
    if epoch < accepted {
        return format!("is asked by {from} to promise epoch {epoch}, but has promised {accepted}");
    }
    let answer = deed.step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Report { report: Report::AckEpoch { current, last, .. }, .. } => {
            Some((*current, *last))
        }
        _ => None,
    });
    match answer {
        None => format!("is to promise epoch {epoch} to {from}"),
        Some((Some(current), last)) => {
            let again = match epoch == accepted {
                true => ", although it has promised this epoch before",
                false => "",
            };
            format!(
                "promises epoch {epoch} to {from}{again}: it will promise no epoch up to {epoch} to \
                 anybody else, and acknowledge nothing of an earlier one; its history, it says, {}",
                described(current, last)
            )
        }
        Some((None, last)) if after.initialised => format!(
            "says to {from} that it has promised epoch {epoch} already, and that its history {}",
            ends(last)
        ),
        Some((None, last)) => format!(
            "says to {from} that it follows in epoch {epoch} without a promise, and that its history {}",
            ends(last)
        ),
    }
}

/// A follower makes the leader's history its own (f.2.1).
fn takes_over(
    deed: &Deed<'_, Zab>,
    src: Id,
    sync: &Sync,
    before: &State,
    after: &State,
) -> Vec<String> {
    let from = node_name(src);
    let (old, new) = (&before.disk.history, &after.disk.history);
    let leaders = deed.state_of(src);
    let other = leaders.map(|leader| &leader.disk.history);
    let though = match other.filter(|other| !other.starts_with(new)) {
        Some(other) => format!(", though that of {from} is {other:?}"),
        None => String::new(),
    };
    let adds = |rest: &[Txn]| match rest {
        [] => String::new(),
        rest => format!(" and adds {}", listed(rest)),
    };
    let does = match sync {
        Sync::Diff(rest) if rest.is_empty() => {
            return vec![match old.is_empty() {
                true => {
                    format!("hears from {from} that there is nothing to add to its empty history")
                }
                false => format!(
                    "hears from {from} that there is nothing to add to its history, which stays \
                     {old:?}"
                ),
            }];
        }
        Sync::Diff(rest) => format!("gets {0} from {from} and adds {0}", listed(rest)),
        Sync::Trunc(at, rest) if new.starts_with(old) => {
            format!("is told by {from} to drop all after {at}, drops nothing{}", adds(rest))
        }
        Sync::Trunc(at, rest) => {
            let gone: Vec<Txn> = old.iter().filter(|txn| txn.zxid > *at).copied().collect();
            let gone = if gone.is_empty() { "nothing".to_string() } else { listed(&gone) };
            format!("is told by {from} to drop all after {at}, drops {gone}{}", adds(rest))
        }
        Sync::Snap(all) => {
            return vec![format!(
                "takes over {from}'s whole history, {all:?}, in place of its own, {old:?}"
            )];
        }
    };
    vec![does, format!("has the history {new:?}{though}")]
}
