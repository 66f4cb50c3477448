//! State transfer (§5.2).

use super::super::message::{Message, Suffix};
use super::super::state::{State, View};
use super::{Did, Step, Verdict};

pub(crate) fn fetches_what_it_lacks(step: &Step<'_>) -> Verdict {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let heard = did.heard().filter(|_| !did.before.is_recovering());
    let asks = heard.and_then(|(src, msg)| Some((src, asks_for(&did, msg)?)));
    let tells = heard.and_then(|(src, msg)| Some((src, tells(&did, msg)?)));
    let is_moved = did.before != did.after;
    if let Some((_, msg)) = heard {
        let waits = asks.is_some() || is_ahead(&did, msg);
        did.must(!(is_moved && waits), "Until the missing state is there, nothing changes")?;
        let answers = matches!(msg, Message::GetState { .. });
        did.must(!(is_moved && answers), "Who sends its state does not change it")?;
        if let Message::NewState { view, suffix } = msg {
            continues_the_log(&did, *view, suffix)?;
        }
    }
    let asked = did.sent_of(|msg| matches!(msg, Message::GetState { .. }));
    let told = did.sent_of(|msg| matches!(msg, Message::NewState { .. }));
    did.must(
        asked == Vec::from_iter(asks),
        "State is asked for by who is shown to lack it, from whoever showed it",
    )?;
    did.must(
        told == Vec::from_iter(tells),
        "A normal replica sends the state of its view to whoever asks, as it is",
    )
}

fn is_behind(did: &Did<'_>, view: View) -> bool {
    view > did.before.view || view == did.before.view && !did.before.is_normal()
}

/// Whether this is a normal message of a view that the replica has not joined.
fn is_ahead(did: &Did<'_>, msg: &Message) -> bool {
    match msg {
        Message::Prepare { view, .. }
        | Message::PrepareOk { view, .. }
        | Message::Commit { view, .. } => is_behind(did, *view),
        _ => false,
    }
}

/// What the replica must ask the sender of this message for.
fn asks_for(did: &Did<'_>, msg: &Message) -> Option<Message> {
    let before = did.before;
    let (view, has, shown) = match *msg {
        Message::Prepare { view, op_number, .. } => (view, before.log.len() + 1, op_number),
        Message::PrepareOk { view, .. } => (view, 0, 0),
        Message::Commit { view, commit } => (view, before.log.len(), commit),
        _ => return None,
    };
    if is_behind(did, view) {
        // Beyond the commit-number a later view may have other operations. A primary is not its own
        // backup.
        let ask = Message::GetState { view, op_number: before.commit };
        return (did.primary(view) != did.id).then_some(ask);
    }
    let lacks = view == before.view && shown > has;
    lacks.then_some(Message::GetState { view, op_number: before.log.len() })
}

/// What the replica must answer to the sender of this message.
fn tells(did: &Did<'_>, msg: &Message) -> Option<Message> {
    let (before, Message::GetState { view, op_number }) = (did.before, msg) else { return None };
    if !before.is_normal() || *view != before.view {
        return None;
    }
    let ops = before.log.get(*op_number..).unwrap_or_default().to_vec();
    let suffix = Suffix { after: *op_number, ops, commit: before.commit };
    Some(Message::NewState { view: *view, suffix })
}

fn continues_the_log(did: &Did<'_>, view: View, suffix: &Suffix) -> Verdict {
    let before = did.before;
    if view < before.view {
        return Ok(());
    }
    let whole = before.log.get(..suffix.after).map(|own| [own, &suffix.ops].concat());
    let commit = before.commit.max(suffix.commit);
    let does = match whole {
        None => did.did_nothing(),
        Some(log) if is_behind(did, view) || log.len() > before.log.len() => {
            did.follows(view, &log, commit)
        }
        Some(_) => *did.after == State { commit, ..before.clone() } && did.sends.is_empty(),
    };
    did.must(does, "New state continues the log from where it was asked for")
}
