//! The rule of the disk (PMS 2.5).

use super::super::message::{Message, Vote};
use super::super::state::{Role, Slot};
use super::super::words::{kept, message};
use super::{Step, Verdict, fail};
use crate::election::Event;

pub(super) fn stable_storage(step: &Step<'_>) -> Verdict {
    let disk = step.storage.cloned().unwrap_or_default();
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
    let is_on_disk =
        |slot: &Slot, is: &dyn Fn(&Vote) -> bool| disk.accepted.get(slot).is_some_and(is);
    for (_, msg) in step.sends {
        let is_saved = match msg {
            Message::Prepare { ballot, .. } => {
                disk.promised >= *ballot && disk.round >= ballot.round
            }
            Message::Promise { ballot, accepted } => {
                let mut votes = accepted.iter();
                disk.promised >= *ballot
                    && votes.all(|(slot, vote)| is_on_disk(slot, &|saved| saved == vote))
            }
            Message::Accept { ballot, slot, value } => {
                disk.promised >= *ballot && is_on_disk(slot, &|vote| vote.value == *value)
            }
            Message::Accepted { ballot, slot } => is_on_disk(slot, &|vote| vote.ballot == *ballot),
            Message::Heartbeat { ballot, .. } => disk.promised >= *ballot,
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
        (Event::Start, Some(after)) if after.role != Role::Follower || after.chosen != Slot(0) => {
            fail(step, "remembers what is on no disk")
        }
        _ => Ok(()),
    }
}
