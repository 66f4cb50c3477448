//! The proposer's rules (sections 2.2, phases 1 (a) and 2 (a), 2.4 and 2.5).

use super::super::message::{Message, Proposal, Timer, Value};
use super::super::state::{Ballot, Disk, Phase};
use super::super::witness::Witness;
use super::super::words::{does, named, numbered, proposed, reported};
use super::{Step, Verdict, begins_to_lead, fail, is_sent_to, others, owner, reached, sent_to};
use crate::election::{Event, NodeSet, listed};

/// Whether a proposal is of what its leader wants itself.
fn is_wanted(step: &Step<'_>, Proposal { ballot, value }: Proposal) -> bool {
    let Value { node, round, life } = value;
    let is_own =
        usize::from(node) == usize::from(step.id) + 1 && u32::from(life) == step.incarnation;
    is_own && u64::from(round) == ballot.0 / step.actor.nodes as u64
}

pub(super) fn validity(past: &Witness, step: &Step<'_>) -> Verdict {
    for (_, msg) in step.sends {
        if let Message::Accept { proposal } = msg
            && !is_wanted(step, *proposal)
            && !past.has_value(proposal.value)
        {
            let Proposal { ballot, value } = proposal;
            return fail(
                step,
                format_args!(
                    "proposed {} in ballot {ballot}, which is not its own value and which nobody \
                     had proposed before",
                    named(*value)
                ),
            );
        }
    }
    let accepted = reached(step).map(|state| state.durable.accepted);
    match (step.before, accepted) {
        (Some(before), Some(accepted)) if accepted != before.durable.accepted => {
            let is_own = begins_to_lead(step) == Some(accepted.ballot);
            if is_own || past.was_proposed(&accepted) {
                Ok(())
            } else {
                fail(step, format_args!("accepted {}, which was not proposed", proposed(accepted)))
            }
        }
        _ => Ok(()),
    }
}

pub(super) fn numbers_are_new(step: &Step<'_>) -> Verdict {
    has_patience(step)?;
    let asked = sent_to(step, |msg| match msg {
        Message::Prepare { ballot } => Some(*ballot),
        _ => None,
    });
    let Event::Timeout { .. } = step.event else {
        return if asked.is_empty() {
            Ok(())
        } else {
            fail(step, "asked to prepare without a timeout")
        };
    };
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let Disk { tried, promised, learned, .. } = before.durable;
    let (ballot, nodes) = (after.durable.tried, step.actor.nodes);
    if let Some(value) = learned {
        return fail(step, format_args!("started ballot {ballot} though it has learned {value}"));
    }
    if usize::from(step.id) >= step.actor.proposers {
        return fail(step, "proposes, and is an acceptor only");
    }
    if owner(nodes, ballot) != step.id || ballot <= tried || ballot < promised {
        return fail(
            step,
            format_args!(
                "started ballot {ballot}, having tried {} and promised {}",
                numbered(tried),
                numbered(promised)
            ),
        );
    }
    let lower = Ballot(ballot.0 - nodes as u64);
    let is_lowest = lower <= tried || lower < promised || lower.0 < nodes as u64;
    if !is_lowest {
        return fail(step, format_args!("started ballot {ballot}, though ballot {lower} would do"));
    }
    let is_alone = after.phase == Phase::Leading;
    // Its report to itself is checked by the rule for promises.
    let begins = |phase: &Phase| {
        let own = before.durable.accepted.value;
        matches!(phase, Phase::Preparing { promises, bound }
            if *promises == NodeSet::from_iter([step.id]) && bound.value == own)
    };
    if !is_alone && !begins(&after.phase) {
        return fail(step, format_args!("started ballot {ballot}, and now {}", does(&after.phase)));
    }
    let is_right = asked.iter().all(|(_, asked)| *asked == ballot);
    if !is_right || !is_alone && !is_sent_to(step, &asked, others(step)) {
        return fail(step, format_args!("did not ask everybody to prepare for {ballot}"));
    }
    Ok(())
}

/// A proposer waits as long as it does not know the value; no other node waits.
fn has_patience(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let waits = usize::from(step.id) < step.actor.proposers && after.durable.learned.is_none();
    let Some(age) = step.timers.get(&Timer::Retry) else {
        return if waits {
            fail(
                step,
                "does not know the chosen value, and no timer is set that would make it try again",
            )
        } else {
            Ok(())
        };
    };
    if !waits {
        return fail(step, "waits to propose, and is not to");
    }
    let earlier = step.timers_before.get(&Timer::Retry);
    let is_right = match (step.before, earlier) {
        // From 30 to below 60 ms. Nodes do not know how long a tick is.
        (None, _) => age.is_new(age.first.into(), (2 * u64::from(age.first)).saturating_sub(1)),
        (Some(before), Some(earlier)) => {
            let is_heard = after.durable.promised > before.durable.promised;
            if is_heard || matches!(step.event, Event::Timeout { .. }) {
                age.is_new(earlier.first.into(), earlier.last.into())
            } else {
                age == earlier
            }
        }
        (Some(_), None) => false,
    };
    if is_right {
        Ok(())
    } else {
        fail(
            step,
            format_args!(
                "has its timer set to {} to {} ticks, {} ticks ago, and should wait anew at each \
                 new ballot and at no other time",
                age.first, age.last, age.now
            ),
        )
    }
}

/// The reports of those who have promised this ballot, its leader's own included.
fn reports(past: &Witness, step: &Step<'_>, ballot: Ballot) -> Vec<Proposal> {
    let known = past.promises(step.id, ballot);
    let own = step.before.map(|before| before.durable.accepted).unwrap_or_default();
    let others =
        known.into_iter().flatten().filter(|(id, _)| **id != step.id).map(|(_, report)| *report);
    std::iter::once(own).chain(others).collect()
}

pub(super) fn leads_by_a_quorum(past: &Witness, step: &Step<'_>) -> Verdict {
    let Some(ballot) = begins_to_lead(step) else { return Ok(()) };
    let promises = reports(past, step, ballot).len();
    if promises < step.actor.phase1 {
        return fail(
            step,
            format_args!(
                "leads ballot {ballot}, and only {promises} of the promises that it counts, its \
                 own among them, were given for it since it started it"
            ),
        );
    }
    if promises + step.actor.phase2 <= step.actor.nodes {
        return fail(
            step,
            format_args!(
                "leads ballot {ballot} with a quorum of {promises}, which need not meet a quorum \
                 that accepts"
            ),
        );
    }
    if owner(step.actor.nodes, ballot) != step.id {
        return fail(step, format_args!("leads ballot {ballot}, which is not its own"));
    }
    Ok(())
}

pub(super) fn bound_by_the_highest(past: &Witness, step: &Step<'_>) -> Verdict {
    let Some(ballot) = begins_to_lead(step) else { return Ok(()) };
    let Some(proposal) = reached(step).map(|after| after.durable.accepted) else { return Ok(()) };
    let asked = sent_to(step, |msg| match msg {
        Message::Accept { proposal } => Some(*proposal),
        _ => None,
    });
    let is_asked =
        asked.iter().all(|(_, asked)| *asked == proposal) && is_sent_to(step, &asked, others(step));
    if proposal.ballot != ballot || !is_asked {
        return fail(
            step,
            format_args!("leads ballot {ballot} and does not propose one value to all"),
        );
    }
    let reports = reports(past, step, ballot);
    // A quorum whose highest report is this one consists of nodes that report nothing higher.
    let is_quorum = |highest: Ballot| {
        reports.iter().filter(|report| report.ballot <= highest).count() >= step.actor.phase1
    };
    let is_free = is_quorum(Ballot::NONE) && is_wanted(step, proposal);
    let binds = |report: &Proposal| report.value == proposal.value && is_quorum(report.ballot);
    if is_free || reports.iter().any(|report| *report != Proposal::NONE && binds(report)) {
        return Ok(());
    }
    let known: Vec<String> = reports.iter().map(|report| reported(*report)).collect();
    fail(
        step,
        format_args!(
            "proposes {} in ballot {ballot}, and the promises, its own first, report {}",
            named(proposal.value),
            listed(&known)
        ),
    )
}
