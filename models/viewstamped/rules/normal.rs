//! Normal operation (§4.1).

use super::super::message::{Message, Op, Request, Timer};
use super::super::state::{State, Status};
use super::{Did, Step, Verdict};
use crate::election::{CLIENT, Event};

pub(crate) fn prepares_in_order(step: &Step<'_>) -> Verdict {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let with = |op: Op| [before.log.as_slice(), &[op]].concat();
    let (view, next) = (before.view, before.log.len() + 1);
    match (did.event, did.heard()) {
        (Event::Choose { key, value: Request(number) }, _) => {
            let op = Op(*number);
            let expected = State { log: with(op), ..before.clone() };
            let tells = did.to_others(Message::Prepare {
                view,
                op,
                op_number: next,
                commit: before.commit,
            });
            let is_request = *key == CLIENT && did.led();
            did.must(is_request, "Clients are heard by the primary")?;
            did.must(
                *after == expected && did.sent(&tells),
                "A request gets the next op-number, and all hear of it",
            )?;
        }
        (_, Some((_, Message::Prepare { view: v, op, op_number, commit }))) => {
            let is_next = before.is_normal() && *v == view && *op_number == next;
            if is_next {
                let expected =
                    State { log: with(*op), commit: before.commit.max(*commit), ..before.clone() };
                let ok = Message::PrepareOk { view, op_number: next };
                let does = *after == expected && did.sent(&[(did.primary(view), ok)]);
                did.must(does, "A backup adds the next operation to its log and acknowledges it")?;
            } else {
                did.must(
                    after.log == before.log,
                    "A backup prepares no operation but the next of its view",
                )?;
            }
        }
        (
            _,
            Some((
                _,
                Message::PrepareOk { .. } | Message::Commit { .. } | Message::GetState { .. },
            )),
        )
        | (Event::Timeout { .. }, _) => {
            did.must(after.log == before.log, "The log stays as it is")?;
        }
        _ => {}
    }
    prepares_nothing_else(&did)
}

/// Prepare and PrepareOk are sent for a reason only.
fn prepares_nothing_else(did: &Did<'_>) -> Verdict {
    let after = did.after;
    let may_prepare = matches!(did.event, Event::Choose { .. });
    for (dst, msg) in did.sends {
        match msg {
            Message::Prepare { .. } => {
                did.must(may_prepare, "Only a request is a reason for a Prepare")?
            }
            Message::PrepareOk { view, op_number } => {
                let holds = after.is_normal()
                    && after.view == *view
                    && after.log.len() == *op_number
                    && did.primary(*view) == *dst
                    && *dst != did.id;
                did.must(
                    holds,
                    "PrepareOk tells the primary of the own view what the own log holds",
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn commits_with_a_quorum(step: &Step<'_>) -> Verdict {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    if let Event::Timeout { timer: Timer::Heartbeat } = did.event {
        let commit = Message::Commit { view: before.view, commit: before.commit };
        let tells = did.led() && before == after && did.sent(&did.to_others(commit));
        return did.must(tells, "An idle primary tells all others its commit-number");
    }
    let tells = did.sends.iter().any(|(_, msg)| matches!(msg, Message::Commit { .. }));
    did.must(!tells, "Commit is what an idle primary sends")?;
    let (Status::Normal { prepared }, Status::Normal { prepared: now }) =
        (&before.status, &after.status)
    else {
        return Ok(());
    };
    if before.view != after.view {
        return Ok(());
    }
    if did.led() {
        let mut known = prepared.clone();
        if let Some((src, Message::PrepareOk { view, op_number })) = did.heard()
            && *view == before.view
        {
            let number = known.get_or_insert(src, 0);
            *number = (*number).max(*op_number);
        }
        let is_prepared =
            |n: &usize| did.is_quorum(1 + known.values().filter(|number| **number >= *n).count());
        let commit =
            (before.commit + 1..=before.log.len()).rfind(is_prepared).unwrap_or(before.commit);
        did.must(
            after.commit == commit,
            "The primary commits what it and f backups have prepared",
        )?;
        known.retain(|_, number| *number > commit);
        return did.must(*now == known, "The primary knows what each backup has acknowledged");
    }
    let told = match did.heard() {
        Some((_, Message::Commit { view, commit })) if *view == before.view => *commit,
        // What comes with operations is another rule's.
        Some((_, Message::Prepare { .. } | Message::NewState { .. })) => return Ok(()),
        _ => 0,
    };
    let commit = if told <= before.log.len() { before.commit.max(told) } else { before.commit };
    did.must(after.commit == commit, "A backup commits what it has and is told to be committed")
}
