//! Phase 2: how histories become one, and a leader leads.

use super::super::Zab;
use super::super::message::{Message, Packet, Report, Sync};
use super::super::state::Stand;
use super::super::witness::{deliveries, established};
use super::{Step, leading, packet, report, says, step};
use crate::election::Goal;

/// All of this phase.
pub(super) fn goals() -> Vec<Goal<Zab>> {
    vec![
        step("synced-by-diff", "A follower is sent transactions that it lacks.", |s| {
            writes(s, |sync| matches!(sync, Sync::Diff(rest) if !rest.is_empty()))
        }),
        step(
            "synced-by-trunc",
            "A follower is sent the place from which on its history is to go.",
            |s| writes(s, |sync| matches!(sync, Sync::Trunc(..))),
        ),
        step(
            "synced-by-trunc-and-diff",
            "A follower is sent what is to go and what comes in its place.",
            |s| writes(s, |sync| matches!(sync, Sync::Trunc(_, rest) if !rest.is_empty())),
        ),
        step("synced-by-snap", "A follower is sent a whole history in place of its own.", |s| {
            writes(s, |sync| matches!(sync, Sync::Snap(_)))
        }),
        step("forgets", "A follower forgets a transaction that its leader does not have.", |s| {
            matches!(packet(s), Some(Packet::NewLeader { .. })) && forgets(s)
        }),
        step("established", "A quorum has acknowledged NEWLEADER, and a leader leads.", |s| {
            established(s).is_some()
        }),
        step(
            "taken-over",
            "A leader delivers a transaction of an earlier epoch because it leads.",
            |s| {
                established(s)
                    .is_some_and(|(epoch, _)| deliveries(s).any(|(txn, _)| txn.zxid.epoch < epoch))
            },
        ),
        step(
            "joins-late",
            "A follower acknowledges NEWLEADER when the leader leads already.",
            |s| {
                let leads = leading(s.before).is_some_and(|l| l.stand == Stand::Broadcast);
                leads
                    && matches!(report(s), Some(Report::AckNewLeader { .. }))
                    && !s.sends.is_empty()
            },
        ),
        step("history-regained", "A server that has lost its disk is given a history.", |s| {
            s.before.is_some_and(|before| !before.initialised)
                && s.after.is_some_and(|after| after.initialised)
        }),
    ]
}

/// A leader writes NEWLEADER, with what the follower needs.
fn writes(step: &Step<'_>, what: impl Fn(&Sync) -> bool) -> bool {
    says(step, |msg| match msg {
        Message::Packet { packet: Packet::NewLeader { sync, .. }, .. } => what(sync),
        _ => false,
    })
}

/// A transaction that the server had before is gone.
fn forgets(step: &Step<'_>) -> bool {
    let (Some(before), Some(after)) = (step.before, step.after) else { return false };
    before.disk.history.iter().any(|txn| !after.disk.history.contains(txn))
}
