//! State transfer (§5.2).

use super::super::message::{Message, Suffix};
use super::super::state::{State, View};
use super::{Did, Step, Verdict};

pub(crate) fn fetches_what_it_lacks(step: &Step<'_>) -> Verdict {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let is_behind = |view: View| view > before.view || view == before.view && !before.is_normal();
    let asked = did.sent_of(|msg| matches!(msg, Message::GetState { .. }));
    let told = did.sent_of(|msg| matches!(msg, Message::NewState { .. }));
    let heard = did.heard().filter(|_| !before.is_recovering());
    let mut asks = Vec::new();
    let mut tells = Vec::new();
    match heard {
        Some((
            src,
            Message::Prepare { view, .. }
            | Message::PrepareOk { view, .. }
            | Message::Commit { view, .. },
        )) if is_behind(*view) => {
            // Beyond the commit-number a later view may have other operations. Nobody is its own
            // backup.
            if did.primary(*view) != did.id {
                asks.push((src, Message::GetState { view: *view, op_number: before.commit }));
            }
            did.must(
                before == after,
                "Until the state of the later view is there, nothing \
                                       changes",
            )?;
        }
        Some((
            src,
            Message::Prepare { view, op_number: number, .. }
            | Message::Commit { view, commit: number },
        )) if *view == before.view => {
            let has = match heard {
                Some((_, Message::Prepare { .. })) => before.log.len() + 1,
                _ => before.log.len(),
            };
            if *number > has {
                asks.push((src, Message::GetState { view: *view, op_number: before.log.len() }));
                did.must(
                    before == after,
                    "Until the missing operations are there, nothing \
                                           changes",
                )?;
            }
        }
        Some((src, Message::GetState { view, op_number })) => {
            if before.is_normal() && *view == before.view {
                let ops = before.log.get(*op_number..).unwrap_or_default().to_vec();
                let suffix = Suffix { after: *op_number, ops, commit: before.commit };
                tells.push((src, Message::NewState { view: *view, suffix }));
            }
            did.must(before == after, "Who sends its state does not change it")?;
        }
        Some((_, Message::NewState { view, suffix })) if *view >= before.view => {
            let whole = before.log.get(..suffix.after).map(|own| [own, &suffix.ops].concat());
            let commit = before.commit.max(suffix.commit);
            let does = match whole {
                None => did.did_nothing(),
                Some(log) if is_behind(*view) || log.len() > before.log.len() => {
                    did.follows(*view, &log, commit)
                }
                Some(_) => *after == State { commit, ..before.clone() } && did.sends.is_empty(),
            };
            did.must(does, "New state continues the log from where it was asked for")?;
        }
        _ => {}
    }
    did.must(
        asked == asks,
        "State is asked for by who is shown to lack it, from whoever showed \
                             it",
    )?;
    did.must(
        told == tells,
        "A normal replica sends the state of its view to whoever asks, as it \
                             is",
    )
}
