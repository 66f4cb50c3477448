//! Phase 1: how a leader comes by an epoch.

use super::super::Zab;
use super::super::message::{Message, Packet, Report};
use super::super::state::Stand;
use super::{goes_back, leading, packet, report, says, step};
use crate::election::Goal;

/// All of this phase.
pub(super) fn goals() -> Vec<Goal<Zab>> {
    vec![
        step("epoch-chosen", "A quorum is connected, and a leader chooses an epoch.", |s| {
            let stand = |server| leading(server).map(|l| l.stand);
            stand(s.before) == Some(Stand::Discovery)
                && stand(s.after).is_some_and(|now| now != Stand::Discovery)
        }),
        step("epoch-raised", "A leader chooses an epoch that a follower's promise raises.", |s| {
            let own = s.before.map(|before| before.disk.accepted.next());
            let now = s.after.map(|after| after.disk.accepted);
            leading(s.after).is_some() && now > own
        }),
        step("promised", "A follower promises an epoch, and it counts.", |s| {
            says(s, |msg| {
                matches!(
                    msg,
                    Message::Report { report: Report::AckEpoch { current: Some(_), .. }, .. }
                )
            })
        }),
        step(
            "promised-without-count",
            "A follower answers an epoch that it had promised before, and its promise does not \
             count.",
            |s| {
                says(s, |msg| {
                    matches!(
                        msg,
                        Message::Report { report: Report::AckEpoch { current: None, .. }, .. }
                    )
                })
            },
        ),
        step(
            "epoch-refused",
            "A follower has promised a later epoch than it is offered, and leaves.",
            |s| matches!(packet(s), Some(Packet::NewEpoch { .. })) && goes_back(s),
        ),
        step(
            "looks-later",
            "A server that cannot follow its leader waits before it votes again.",
            |s| {
                let refuses = matches!(packet(s), Some(Packet::NewEpoch { .. })) && goes_back(s);
                refuses && s.actor.oracle.is_none() && s.sends.is_empty()
            },
        ),
        step(
            "office-left",
            "A leader leaves the office to a follower with a more recent history.",
            |s| matches!(report(s), Some(Report::AckEpoch { .. })) && goes_back(s),
        ),
    ]
}
