//! What a leader does with what its followers write, in Zab's own words, for people who read a run.

use stateright::actor::Id;

use super::Zab;
use super::message::{Message, Report};
use super::sending::{described, ends};
use super::state::{Arrival, Epoch, Link, Role, Stage, State, Zxid};
use crate::election::{Deed, Event, node_name};

/// A leader reads what a follower writes.
pub(super) fn counts(
    deed: &Deed<'_, Zab>,
    src: Id,
    (link, place): (Link, u32),
    report: &Report,
    after: &State,
) -> String {
    let from = node_name(src);
    let Some(before) = deed.step.before else { return String::new() };
    let name = match report {
        Report::FollowerInfo { .. } => format!("{from}'s request to follow it"),
        Report::AckEpoch { epoch, .. } => format!("{from}'s answer on epoch {epoch}"),
        Report::AckNewLeader { epoch } => {
            format!("{from}'s acknowledgement of the history for epoch {epoch}")
        }
        Report::Ack { zxid } => format!("{from}'s acknowledgement of {zxid}"),
    };
    let useless = format!("gets {name}, and has no use for it");
    let Role::Leading(leading) = &before.role else { return useless };
    if let Report::FollowerInfo { accepted } = report {
        let already = if before.attempt() == Some(*accepted) { "its " } else { "" };
        let promised = match accepted {
            Epoch(0) => "which says that it has promised nothing so far".to_string(),
            _ if already.is_empty() => format!("which says that it has promised epoch {accepted}"),
            _ => format!("which says that it has promised this leader's epoch {accepted} already"),
        };
        return match leading.is_new(src, link) {
            true => format!("gets {from} as a follower, {promised}"),
            false => useless,
        };
    }
    let learner = leading.learners.get(&src).filter(|_| report.epoch() == before.attempt());
    let arrival = learner.map(|learner| (learner.channel.arrival(link, place), learner.stage));
    let Some((arrival @ (Arrival::Next | Arrival::Gap), stage)) = arrival else { return useless };
    match (report, stage) {
        _ if arrival == Arrival::Gap => {
            format!("gets {name} without what came before it and breaks the connection")
        }
        (Report::AckEpoch { epoch, current: Some(current), last }, Stage::Invited) => {
            let newer = match after.role {
                Role::Leading(_) => "",
                _ => ", which is more recent than its own",
            };
            format!(
                "gets the promise of epoch {epoch} from {from}, whose history {}{newer}",
                described(*current, *last)
            )
        }
        (Report::AckEpoch { epoch, current: None, last }, Stage::Invited) => format!(
            "hears from {from} that it follows in epoch {epoch}, that this is no new promise, and that its history {}",
            ends(*last)
        ),
        (Report::AckNewLeader { .. }, Stage::Syncing { upto }) => match upto == Zxid::default() {
            true => format!("hears that {from} acknowledges the empty history"),
            false => format!("hears that {from} acknowledges the history up to {upto}"),
        },
        (Report::Ack { zxid }, Stage::Synced { .. }) => {
            format!("hears that {from} has {zxid} on disk")
        }
        _ => format!("gets {name} out of turn and breaks the connection"),
    }
}

/// The epoch that a leader chooses, how it stands to those that were promised, and its own promise.
pub(super) fn chooses(deed: &Deed<'_, Zab>, before: &State, after: &State) -> Vec<String> {
    let epoch = after.disk.accepted;
    let mut promised = Vec::new();
    if let Role::Leading(leading) = &before.role {
        promised.extend(leading.learners.iter().filter_map(|(&id, learner)| match learner.stage {
            Stage::Connected { accepted } => Some((id, accepted)),
            _ => None,
        }));
    }
    if let Event::Deliver { src, msg: Message::Report { report, .. } } = &deed.step.event
        && let Report::FollowerInfo { accepted } = report
    {
        promised.push((*src, *accepted));
    }
    let how = match promised.iter().find(|(_, accepted)| *accepted >= epoch) {
        Some((id, _)) => format!("which {} says that it has promised already", node_name(*id)),
        None => match before.disk.accepted {
            Epoch(0) => "which is later than all promises that it is told of".to_string(),
            own => {
                format!("which is later than its own promise of {own} and all that it is told of")
            }
        },
    };
    vec![
        format!("chooses epoch {epoch}, {how}"),
        format!("promises epoch {epoch} itself, which is then on its disk"),
    ]
}
