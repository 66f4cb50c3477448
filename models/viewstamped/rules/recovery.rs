//! Recovery (§4.3, §5.1).

use stateright::actor::Id;

use super::super::about::Durable;
use super::super::message::{Answer, Log, Message, Suffix, Timer};
use super::super::state::{State, Status};
use super::{Did, Step, Verdict};
use crate::election::{Event, SortedMap, node_name};

pub(crate) fn recovers_from_a_quorum(step: &Step<'_>) -> Verdict {
    if let (Event::Start, Some(after)) = (&step.event, step.after) {
        return starts_by_the_rules(step, after);
    }
    let Some(did) = Did::of(step) else { return Ok(()) };
    disk_holds(step, &did)?;
    if let Event::Timeout { timer: Timer::Recovery } = did.event {
        return asks_again(&did);
    }
    let asked = did.sent_of(|msg| matches!(msg, Message::Recovery { .. }));
    did.must(
        asked.is_empty(),
        "Recovery is what a recovering replica sends when it starts and when it has waited",
    )?;
    match &did.before.status {
        Status::Recovering { nonce, answers } => waits_for_answers(&did, *nonce, answers),
        _ => answers_others(&did),
    }
}

fn disk_holds(step: &Step<'_>, did: &Did<'_>) -> Verdict {
    let (before, after) = (did.before, did.after);
    let has_changed = (&before.log, before.commit) != (&after.log, after.commit);
    let holds = match (step.actor.durable, step.storage) {
        (Durable::Nothing, disk) => disk.is_none(),
        (Durable::View, disk) => disk.is_none_or(|disk| disk.log.is_empty() && disk.commit == 0),
        // §5.1: changes are written to disk, after the messages.
        (Durable::Log, disk) => {
            let kept = disk.map(|disk| (disk.view, &disk.log, disk.commit));
            !has_changed || kept == Some((after.view, &after.log, after.commit))
        }
    };
    did.must(holds, "The disk holds the view number, or that and the log")
}

/// Step 1, when the answers did not suffice.
fn asks_again(did: &Did<'_>) -> Verdict {
    let before = did.before;
    let Status::Recovering { nonce, .. } = before.status else {
        return did.must(false, "Who has recovered no longer waits for answers");
    };
    let ask = Message::Recovery { nonce, view: before.view, op_number: before.log.len() };
    let asks = before == did.after && did.sent(&did.to_others(ask));
    did.must(asks, "Who does not hear enough asks all again")
}

/// Step 2.
fn answers_others(did: &Did<'_>) -> Verdict {
    let (before, after) = (did.before, did.after);
    did.must(!after.is_recovering(), "Only a crash makes a replica recover")?;
    let answered = did.sent_of(|msg| matches!(msg, Message::RecoveryResponse { .. }));
    let mut answers = Vec::new();
    if let Some((src, Message::Recovery { nonce, view, op_number })) = did.heard()
        && *view <= before.view
    {
        did.must(before == after, "An answer to a recovery changes nothing")?;
        if before.is_normal() {
            let ops = before.log.get(*op_number..).unwrap_or_default().to_vec();
            let suffix = Suffix { after: *op_number, ops, commit: before.commit };
            let answer = Answer { view: before.view, suffix: did.led().then_some(suffix) };
            answers.push((src, Message::RecoveryResponse { nonce: *nonce, answer }));
        }
    }
    did.must(answered == answers, "A normal replica answers a recovery, the primary with its log")
}

/// Step 3.
fn waits_for_answers(did: &Did<'_>, nonce: u32, known: &SortedMap<Id, Answer>) -> Verdict {
    let before = did.before;
    let Some((src, Message::RecoveryResponse { nonce: theirs, answer })) = did.heard() else {
        return did.must(did.did_nothing(), "A recovering replica takes part in nothing else");
    };
    if *theirs != nonce {
        return did.must(did.did_nothing(), "Answers to an earlier recovery do not count");
    }
    let mut answers = known.clone();
    let latest = answers.get(&src).max(Some(answer)).expect("there is one").clone();
    answers.insert(src, latest);
    let view = answers.values().map(|answer| answer.view).max().unwrap_or(0);
    let is_latest = |answer: &&Answer| answer.view == view && view >= before.view;
    let of_primary = answers.get(&did.primary(view)).filter(is_latest);
    let suffix = of_primary.and_then(|answer| answer.suffix.as_ref());
    let log = suffix.and_then(|s| Some([before.log.get(..s.after)?, s.ops.as_slice()].concat()));
    match (log, suffix) {
        // f+1 others have answered; this replica does not count.
        (Some(log), Some(suffix)) if did.is_quorum(answers.len()) => {
            let follows = did.follows(view, &log, before.commit.max(suffix.commit));
            did.must(
                follows,
                "With f+1 answers, the log is that of the primary of the latest view among them",
            )
        }
        _ => {
            let status = Status::Recovering { nonce, answers };
            let does = *did.after == State { status, ..before.clone() } && did.sends.is_empty();
            did.must(
                does,
                "Without f+1 answers, the latest view's primary among them, a replica waits",
            )
        }
    }
}

/// After its first start a replica is normal in view 0. After any other it keeps from its disk at
/// most what was known to be committed, and asks for its state.
fn starts_by_the_rules(step: &Step<'_>, after: &State) -> Verdict {
    let name = node_name(step.id);
    if step.incarnation == 0 {
        let status = Status::Normal { prepared: SortedMap::new() };
        let is_so = *after == State { view: 0, log: Log::new(), commit: 0, status }
            && step.sends.is_empty();
        return is_so.then_some(()).ok_or_else(|| {
            format!("{name} does not start as a normal replica of view 0 with an empty log")
        });
    }
    let (view, log, commit) = step.storage.map_or((0, Log::new(), 0), |disk| {
        let committed = disk.log[..disk.commit.min(disk.log.len())].to_vec();
        (disk.view, committed, disk.commit)
    });
    let (nonce, op_number) = (step.incarnation, log.len());
    let status = Status::Recovering { nonce, answers: SortedMap::new() };
    let ask = Message::Recovery { nonce, view, op_number };
    let others = (0..step.actor.replicas).map(Id::from).filter(|other| *other != step.id);
    let asks: Vec<_> = others.map(|other| (other, ask.clone())).collect();
    let is_so = *after == State { view, log, commit, status } && step.sends == asks;
    is_so.then_some(()).ok_or_else(|| {
        format!(
            "{name} comes back, and does not do by the rule: to be recovering with what its disk \
             knows to be committed, and to ask all others for the rest"
        )
    })
}
