//! Phase 3: how transactions are logged and delivered.

use super::super::Zab;
use super::super::message::{Choice, Message, Packet, Report};
use super::super::state::{Phase, State};
use super::super::witness::{deliveries, established};
use super::{Step, following, leading, packet, says, step};
use crate::election::{Event, Goal};

/// All of this phase.
pub(super) fn goals() -> Vec<Goal<Zab>> {
    vec![
        step("broadcast", "A primary broadcasts a transaction.", |s| {
            matches!(s.event, Event::Choose { value: Choice::Broadcast(_), .. })
                && s.after.is_some()
        }),
        step(
            "broadcasts-ahead",
            "A primary broadcasts while an earlier transaction is not committed.",
            |s| {
                let waits = |before: &State| before.delivered < before.disk.history.len();
                matches!(s.event, Event::Choose { value: Choice::Broadcast(_), .. })
                    && s.before.is_some_and(waits)
            },
        ),
        step(
            "proposed-while-syncing",
            "A follower is proposed a transaction before UPTODATE.",
            |s| {
                matches!(packet(s), Some(Packet::Propose { .. }))
                    && taken(s) == Some(Phase::Synchronised)
            },
        ),
        step("acknowledged", "A follower logs a transaction and acknowledges it.", |s| {
            says(s, |msg| matches!(msg, Message::Report { report: Report::Ack { .. }, .. }))
        }),
        step("committed", "A primary delivers what a quorum has acknowledged.", |s| {
            leading(s.before).is_some()
                && established(s).is_none()
                && deliveries(s).next().is_some()
        }),
        step("commits-two", "A primary delivers two transactions in one step.", |s| {
            leading(s.before).is_some() && established(s).is_none() && deliveries(s).count() > 1
        }),
        step(
            "uptodate-delivers",
            "A follower delivers at UPTODATE what was committed before.",
            |s| {
                matches!(packet(s), Some(Packet::UpToDate { .. })) && deliveries(s).next().is_some()
            },
        ),
        step("commit-delivers", "A follower delivers at COMMIT.", |s| {
            matches!(packet(s), Some(Packet::Commit { .. })) && deliveries(s).next().is_some()
        }),
    ]
}

/// The phase in which a follower is that takes in the next packet.
fn taken(step: &Step<'_>) -> Option<Phase> {
    let (before, after) = (following(step.before)?, following(step.after)?);
    (before.channel.read < after.channel.read).then_some(before.phase)
}
