//! Views that grow for ever: which states of a group go on alike. Our own argument, not the
//! paper's.
//!
//! A replica compares view-numbers, takes over a higher one, and counts its own up by one. The
//! primary of a view is its number modulo the number of replicas (section 4), so a shift of all
//! views by a multiple of that changes nothing. The view in which a replica was normal last is
//! only compared, and so is the view that a recovering replica has found on its disk: it comes
//! back into a view that others answer with, and counts on from there.

use super::Viewstamped;
use super::about::Durable;
use super::bugs::Bug;
use super::dead;
use super::message::{Message, Offer};
use super::state::{State, Status, View};
use crate::election::{Counter, Counting, Part, Snapshot};

/// Views.
const VIEW: usize = 0;

/// How a number is replaced.
type New<'a> = &'a mut dyn FnMut(Counter, u64) -> u64;

/// The replicas take turns as primary.
pub(super) fn countings(replicas: &[Viewstamped]) -> Vec<Counting> {
    vec![Counting { name: "views", step: replicas.len() as u64 }]
}

/// Renumbers the views in a part of the group.
pub(super) fn renumber(part: Part<'_, Viewstamped>, new: New<'_>) {
    match part {
        Part::State(State { view, status, .. }) => match status {
            Status::Normal { .. } => growing(view, new),
            Status::ViewChange { last_normal, offers, .. } => {
                growing(view, new);
                compared(last_normal, new);
                offers.values_mut().for_each(|offer| compared(&mut offer.last_normal, new));
            }
            Status::Recovering { answers, .. } => {
                compared(view, new);
                answers.values_mut().for_each(|answer| growing(&mut answer.view, new));
            }
        },
        Part::Disk(disk) => compared(&mut disk.view, new),
        Part::NoDisk | Part::Timer(_) => {}
        Part::Message(message) => match message {
            Message::RecoveryResponse { answer, .. } => growing(&mut answer.view, new),
            Message::DoViewChange { view, offer } => {
                compared(view, new);
                compared(&mut offer.last_normal, new);
            }
            Message::Prepare { view, .. }
            | Message::PrepareOk { view, .. }
            | Message::Commit { view, .. }
            | Message::StartViewChange { view }
            | Message::StartView { view, .. }
            | Message::Recovery { view, .. }
            | Message::GetState { view, .. }
            | Message::NewState { view, .. } => compared(view, new),
        },
    }
}

fn growing(view: &mut View, new: New<'_>) {
    *view = new(Counter::growing(VIEW), *view);
}

fn compared(view: &mut View, new: New<'_>) {
    *view = new(Counter::compared(VIEW), *view);
}

/// Takes out what can have no effect. A planted bug may break what is argued with, but for those
/// that only lose time.
pub(super) fn simplify(snapshot: &mut Snapshot<'_, Viewstamped>) {
    let loses_time = |replica: &Viewstamped| {
        matches!(replica.bug, None | Some(Bug::AsksOnce | Bug::WaitsForNewView))
    };
    if !snapshot.nodes.iter().all(loses_time) {
        return;
    }
    forget_last_normal(snapshot);
    let Snapshot { nodes, states, messages, .. } = snapshot;
    messages.retain_mut(|envelope| {
        // A replica that is down recovers when it starts, and takes part in nothing but answers to
        // a question that it has not asked yet.
        let Some(Some(receiver)) = states.get(usize::from(envelope.dst)) else { return false };
        // The same is true of a replica that crashes and starts in the tick in which a message
        // arrives. In one that does not crash views grow, whether or not they are on disk.
        let kept = Viewstamped { durable: Durable::View, ..nodes[0].clone() };
        if dead::is_dead(&kept, envelope.dst, receiver, envelope.src, &envelope.msg) {
            return false;
        }
        let Message::Recovery { nonce, view, .. } = &mut envelope.msg else { return true };
        if *view > receiver.view {
            return true;
        }
        // It asks for an answer and tells nothing. A nonce that is over is never used again.
        *view = 0;
        let sender = states.get(usize::from(envelope.src)).and_then(Option::as_ref);
        sender.is_some_and(|sender| match &sender.status {
            Status::Recovering { nonce: current, .. } => nonce == current,
            _ => false,
        })
    });
}

/// Without requests all logs are empty, and it does not matter which is the best.
fn forget_last_normal(snapshot: &mut Snapshot<'_, Viewstamped>) {
    if snapshot.nodes.iter().any(|replica| replica.values > 0) {
        return;
    }
    let forget = |offer: &mut Offer| offer.last_normal = 0;
    for state in snapshot.states.iter_mut().flatten() {
        if let Status::ViewChange { last_normal, offers, .. } = &mut state.status {
            *last_normal = 0;
            offers.values_mut().for_each(forget);
        }
    }
    for envelope in &mut snapshot.messages {
        if let Message::DoViewChange { offer, .. } = &mut envelope.msg {
            forget(offer);
        }
    }
}
