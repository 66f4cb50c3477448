//! The learner's rules (sections 2.1 and 2.3).

use stateright::actor::Id;

use super::super::Learners;
use super::super::message::{Message, Proposal, Value};
use super::super::state::{Phase, State, Tally};
use super::super::words::counted;
use super::{Step, Verdict, begins_to_lead, fail, is_sent_to, others, reached, sent_to};
use crate::election::{Event, NodeSet};

pub(super) fn learned_is_final(step: &Step<'_>) -> Verdict {
    let before = step.before.and_then(|state| state.durable.learned);
    let after = reached(step).and_then(|state| state.durable.learned);
    match (before, after, reached(step)) {
        (Some(old), Some(new), _) if new != old => {
            fail(step, format_args!("learned {old} and then {new}"))
        }
        (Some(old), None, Some(_)) => fail(step, format_args!("learned {old} and then nothing")),
        _ => Ok(()),
    }
}

/// The tally after one more acceptance.
fn with_vote(tally: &Tally, voter: Id, proposal: Proposal) -> Tally {
    let earlier = if tally.proposal == proposal { tally.voters } else { NodeSet::default() };
    Tally { proposal, voters: earlier.iter().chain([voter]).collect() }
}

pub(super) fn counts_acceptances(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let has_learned = before.durable.learned.is_none() && after.durable.learned.is_some();
    let own = Some(after.durable.accepted).filter(|proposal| *proposal != before.durable.accepted);
    let vote = match (&step.event, own) {
        (Event::Deliver { src, msg: Message::Accepted { proposal } }, None) => {
            Some((*src, *proposal))
        }
        (_, own) => own.map(|proposal| (step.id, proposal)),
    };
    // A new ballot of one's own starts with no acceptances.
    let earlier = if begins_to_lead(step).is_some() && step.actor.learners == Learners::Leader {
        Tally::default()
    } else {
        before.tally.clone()
    };
    let expected = vote.map(|(voter, proposal)| with_vote(&earlier, voter, proposal));
    let is_quorum = |tally: &Tally| tally.voters.len() >= step.actor.phase2;
    let told = sent_to(step, |msg| match msg {
        Message::Chosen { value } => Some(*value),
        _ => None,
    });
    if has_learned {
        return learns_what_is_chosen(step, after, expected, &told);
    }
    if !told.is_empty() {
        return fail(step, "told of a choice that it did not just learn of");
    }
    let is_learner = before.durable.learned.is_none()
        && match step.actor.learners {
            Learners::Leader => after.phase == Phase::Leading,
            Learners::First => step.id == Id::from(0),
            Learners::All => true,
        };
    // A leader that gives up its ballot stops counting; other learners keep what they have counted.
    let is_kept = after.tally == before.tally
        || after.tally == Tally::default()
            && step.actor.learners == Learners::Leader
            && !is_learner;
    match expected.filter(|tally| is_learner && tally.proposal.ballot >= earlier.proposal.ballot) {
        Some(tally) if is_quorum(&tally) => {
            fail(step, format_args!("counts {} and learns nothing", counted(&tally)))
        }
        Some(tally) if tally != after.tally => fail(
            step,
            format_args!("counts {}, and should count {}", counted(&after.tally), counted(&tally)),
        ),
        None if !is_kept => fail(
            step,
            format_args!(
                "counts {}, and had counted {}, though nobody has accepted anything",
                counted(&after.tally),
                counted(&before.tally)
            ),
        ),
        _ => Ok(()),
    }
}

/// A value is learned with a quorum of acceptances or from a distinguished learner. The learner
/// that has counted them tells the others, if the option says so.
fn learns_what_is_chosen(
    step: &Step<'_>,
    after: &State,
    expected: Option<Tally>,
    told: &[(Id, Value)],
) -> Verdict {
    let is_quorum = |tally: &Tally| tally.voters.len() >= step.actor.phase2;
    let value = after.durable.learned.unwrap_or_default();
    if let Event::Deliver { msg: Message::Chosen { value: heard }, .. } = step.event {
        let is_heard = *heard == value && told.is_empty();
        return if is_heard {
            Ok(())
        } else {
            fail(step, format_args!("heard that {heard} is chosen, and learned {value}"))
        };
    }
    let is_counted = expected.is_some_and(|tally| {
        let is_enough =
            is_quorum(&tally) && tally.voters.len() + step.actor.phase1 > step.actor.nodes;
        is_enough && tally.proposal.value == value
    });
    let receivers = match step.actor.learners {
        Learners::All => NodeSet::default(),
        Learners::Leader | Learners::First => others(step),
    };
    let is_told = told.iter().all(|(_, told)| *told == value) && is_sent_to(step, told, receivers);
    match (is_counted, is_told) {
        (true, true) => Ok(()),
        (false, _) => fail(
            step,
            format_args!("learned {value} without a quorum of acceptances of it in one ballot"),
        ),
        (_, false) => fail(step, format_args!("learned {value} and did not tell the others")),
    }
}
