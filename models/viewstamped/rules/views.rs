//! Views only grow (§4.1, §8.1).

use super::super::about::Durable;
use super::super::message::{Answer, Message};
use super::super::state::View;
use super::{Did, Step, Verdict};
use crate::election::node_name;

/// The view in which a message says its sender to be; that of GetState is the receiver's.
fn spoken_of(msg: &Message) -> View {
    match msg {
        Message::Prepare { view, .. }
        | Message::PrepareOk { view, .. }
        | Message::Commit { view, .. }
        | Message::StartViewChange { view }
        | Message::DoViewChange { view, .. }
        | Message::StartView { view, .. }
        | Message::Recovery { view, .. }
        | Message::NewState { view, .. }
        | Message::RecoveryResponse { answer: Answer { view, .. }, .. } => *view,
        Message::GetState { .. } => 0,
    }
}

pub(crate) fn earlier_views_are_over(step: &Step<'_>) -> Verdict {
    if step.actor.durable != Durable::Nothing {
        // This holds for a handler that was cut short, too: the disk is written first.
        let on_disk = step.storage.map_or(0, |disk| disk.view);
        let reached = step.after.map_or(0, |after| after.view);
        let named = step.sends.iter().map(|(_, msg)| spoken_of(msg)).max().unwrap_or(0);
        if reached.max(named) > on_disk {
            let name = node_name(step.id);
            return Err(format!(
                "{name} is in view {reached} and has told others of view {named}, but the view on \
                 its disk is {on_disk}"
            ));
        }
    }
    let Some(did) = Did::of(step) else { return Ok(()) };
    did.must(did.after.view >= did.before.view, "A view number never goes back")?;
    match did.heard() {
        Some((_, Message::Recovery { .. } | Message::RecoveryResponse { .. })) | None => Ok(()),
        Some((_, Message::GetState { view, .. })) if *view < did.before.view => {
            did.must(did.did_nothing(), "Nobody sends the state of an earlier view")
        }
        Some((_, Message::GetState { .. })) => Ok(()),
        Some((_, msg)) => did.must(
            spoken_of(msg) >= did.before.view || did.did_nothing(),
            "A message of an earlier view is dropped",
        ),
    }
}
