//! Stable storage (section 2.5).

use super::super::message::Message;
use super::super::state::{Phase, Tally};
use super::super::words::{kept, message};
use super::{Step, Verdict, fail};
use crate::election::Event;

pub(super) fn stable_storage(step: &Step<'_>) -> Verdict {
    let disk = step.storage.copied().unwrap_or_default();
    if let Some(after) = step.after
        && after.durable != disk
    {
        return fail(
            step,
            format_args!(
                "has on its disk that it {}, and goes on as if it had {}",
                kept(&disk),
                kept(&after.durable)
            ),
        );
    }
    for (_, msg) in step.sends {
        let is_saved = match msg {
            Message::Prepare { ballot } => disk.tried >= *ballot && disk.promised >= *ballot,
            Message::Promise { ballot, accepted } => {
                disk.promised >= *ballot && disk.accepted == *accepted
            }
            Message::Accept { proposal } | Message::Accepted { proposal } => {
                disk.accepted == *proposal
            }
            Message::Refuse { promised, .. } => disk.promised >= *promised,
            Message::Chosen { value } => disk.learned == Some(*value),
        };
        if !is_saved {
            return fail(
                step,
                format_args!(
                    "sent {}, and has on its disk only that it {}",
                    message(msg),
                    kept(&disk)
                ),
            );
        }
    }
    match (&step.event, step.after) {
        (Event::Start, Some(after))
            if after.phase != Phase::Idle || after.tally != Tally::default() =>
        {
            fail(step, "remembers what is on no disk")
        }
        _ => Ok(()),
    }
}
