//! Goals of Paxos: each message has its effect, each role begins and ends in each possible way, and
//! the situations that the paper mentions occur.

use super::Paxos;
use super::message::{Message, Proposal};
use super::state::{Ballot, Disk, Phase, State};
use super::witness::Witness;
use crate::election::{Event, Goal, NodeStep, Reached};

/// The step that a goal checks.
type Step<'a> = NodeStep<'a, Paxos>;

/// All goals, by role.
pub(super) fn goals() -> Vec<Goal<Paxos>> {
    let sections = [acceptor(), phases(), ballots(), learner(), whole()];
    sections.into_iter().flatten().collect()
}

/// A goal that a step reaches.
fn step(name: &'static str, meaning: &'static str, reached: fn(&Step<'_>) -> bool) -> Goal<Paxos> {
    Goal { name, meaning, reached: Reached::Step(reached) }
}

/// What acceptors do.
fn acceptor() -> Vec<Goal<Paxos>> {
    vec![
        step("promises", "an acceptor promises a ballot", |step| promise(step).is_some()),
        step(
            "promises-again-higher",
            "an acceptor that has promised promises a higher ballot",
            |step| {
                promise(step).is_some() && has(step, |state| state.durable.promised > Ballot::NONE)
            },
        ),
        step("reports-an-acceptance", "a promise reports a proposal", |step| {
            promise(step).is_some_and(|accepted| accepted != Proposal::NONE)
        }),
        step("accepts", "an acceptor accepts another's proposal", |step| accepts(step).is_some()),
        step("accepts-unpromised", "an acceptor accepts in a ballot above its promise", |step| {
            accepts(step)
                .is_some_and(|proposal| has(step, |state| proposal.ballot > state.durable.promised))
        }),
        step(
            "replaces-an-acceptance",
            "an acceptor accepts a proposal in place of a lower one",
            |step| {
                accepts(step).is_some()
                    && has(step, |state| state.durable.accepted != Proposal::NONE)
            },
        ),
        step(
            "answers-though-it-knows",
            "a node that has learned the value promises or accepts",
            |step| {
                let answers = promise(step).is_some() || accepts(step).is_some();
                answers && has(step, |state| state.durable.learned.is_some())
            },
        ),
        step("refuses-to-promise", "a request to prepare is refused", |step| {
            refuses(step)
                && matches!(step.event, Event::Deliver { msg: Message::Prepare { .. }, .. })
        }),
        step("refuses-to-accept", "a proposal is refused", |step| {
            refuses(step)
                && matches!(step.event, Event::Deliver { msg: Message::Accept { .. }, .. })
        }),
        step(
            "reports-after-restart",
            "a restarted acceptor reports what it had accepted",
            |step| {
                step.incarnation > 0
                    && promise(step).is_some_and(|accepted| accepted != Proposal::NONE)
            },
        ),
        step(
            "restarts-with-an-acceptance",
            "a node restarts that has accepted something",
            |step| {
                matches!(step.event, Event::Start)
                    && step.storage.is_some_and(|d| d.accepted != Proposal::NONE)
            },
        ),
    ]
}

/// How the two phases of a ballot go.
fn phases() -> Vec<Goal<Paxos>> {
    vec![
        step(
            "leads-free",
            "a leader to whom nothing was reported proposes its own value",
            |step| proposes(step).is_some() && bound(step) == Some(Proposal::NONE),
        ),
        step("leads-bound", "a leader proposes what was reported", |step| {
            proposes(step).is_some() && bound(step).is_some_and(|bound| bound != Proposal::NONE)
        }),
        step(
            "a-higher-report-wins",
            "a promise reports a higher proposal than those known, of another value",
            |s| {
                report(s).is_some_and(|(known, reported)| {
                    known != Proposal::NONE
                        && reported.ballot > known.ballot
                        && reported.value != known.value
                })
            },
        ),
        step(
            "a-lower-report-loses",
            "a promise reports a lower proposal than is known, of another value",
            |s| {
                report(s).is_some_and(|(known, reported)| {
                    reported != Proposal::NONE
                        && reported.ballot < known.ballot
                        && reported.value != known.value
                })
            },
        ),
        step(
            "needs-another-promise",
            "a promise comes that does not complete the quorum",
            |step| report(step).is_some() && becomes(step, |state| state.phase != Phase::Leading),
        ),
    ]
}

/// How ballots are given up, and others started.
fn ballots() -> Vec<Goal<Paxos>> {
    vec![
        step("gives-way-preparing", "a proposer in phase 1 promises a higher ballot", |step| {
            promise(step).is_some()
                && has(step, |state| matches!(state.phase, Phase::Preparing { .. }))
        }),
        step("gives-way-leading", "a leader promises a higher ballot", |step| {
            promise(step).is_some() && has(step, |state| state.phase == Phase::Leading)
        }),
        step("gives-way-to-a-proposal", "a proposer accepts in a higher ballot", |step| {
            accepts(step).is_some() && has(step, |state| state.phase != Phase::Idle)
        }),
        step("gives-up-preparing", "a refusal ends a phase 1", |step| {
            is_refused(step) && has(step, |state| matches!(state.phase, Phase::Preparing { .. }))
        }),
        step("gives-up-leading", "a refusal ends a phase 2", |step| {
            is_refused(step) && has(step, |state| state.phase == Phase::Leading)
        }),
        step(
            "tries-anew-preparing",
            "a proposer without enough promises starts a higher ballot",
            |step| {
                times_out(step) && has(step, |state| matches!(state.phase, Phase::Preparing { .. }))
            },
        ),
        step(
            "tries-anew-leading",
            "a leader without enough acceptances starts a higher ballot",
            |step| times_out(step) && has(step, |state| state.phase == Phase::Leading),
        ),
        step(
            "tries-anew-after-giving-way",
            "a proposer that gave way starts a higher ballot",
            |step| {
                let gave_way = |state: &State| {
                    state.phase == Phase::Idle && state.durable.tried > Ballot::NONE
                };
                times_out(step) && has(step, gave_way)
            },
        ),
        step(
            "tries-above-a-promise",
            "an acceptor that has promised starts its first ballot",
            |step| {
                let is_first =
                    |disk: Disk| disk.tried == Ballot::NONE && disk.promised > Ballot::NONE;
                times_out(step) && has(step, |state| is_first(state.durable))
            },
        ),
        step(
            "tries-anew-after-restart",
            "a restarted proposer starts a ballot above those of its first life",
            |step| {
                times_out(step)
                    && step.incarnation > 0
                    && has(step, |state| state.durable.tried > Ballot::NONE)
            },
        ),
    ]
}

/// What learners do.
fn learner() -> Vec<Goal<Paxos>> {
    vec![
        step("counts-a-quorum", "a learner counts a quorum of acceptances", |step| {
            learns(step)
                && !matches!(step.event, Event::Deliver { msg: Message::Chosen { .. }, .. })
        }),
        step("is-told", "a node is told which value is chosen", |step| {
            learns(step) && matches!(step.event, Event::Deliver { msg: Message::Chosen { .. }, .. })
        }),
        step("stops-preparing", "a proposer in phase 1 learns the value", |step| {
            learns(step) && has(step, |state| matches!(state.phase, Phase::Preparing { .. }))
        }),
        step(
            "counts-anew",
            "a learner drops the acceptances of a lower ballot and counts those for a higher one",
            |step| {
                let ballot = |state: &State| state.tally.proposal.ballot;
                let is_later = |old: &State, new: &State| {
                    ballot(old) > Ballot::NONE && ballot(new) > ballot(old)
                };
                step.before.zip(step.after).is_some_and(|(old, new)| is_later(old, new))
            },
        ),
    ]
}

/// What the whole system comes to.
fn whole() -> Vec<Goal<Paxos>> {
    vec![
        Goal {
            name: "two-ballots-led",
            meaning: "two ballots have leaders",
            reached: Reached::Past(|led, _| led.len() >= 2),
        },
        Goal {
            name: "three-ballots-led",
            meaning: "three ballots have leaders",
            reached: Reached::Past(|led, _| led.len() >= 3),
        },
        Goal {
            name: "rival-values",
            meaning: "two ballots propose different values",
            reached: Reached::Past(|_, past: &Witness| past.has_rivals()),
        },
        Goal {
            name: "a-value-is-chosen",
            meaning: "a quorum accepts a value in one ballot",
            reached: Reached::Past(|_, past: &Witness| past.has_choice()),
        },
        Goal {
            name: "proposes-above-a-choice",
            meaning: "a ballot proposes a value when one is chosen in a lower ballot",
            reached: Reached::Past(|_, past: &Witness| past.proposes_above_a_choice()),
        },
    ]
}

/// Whether `is` was true of the node before the step.
fn has(step: &Step<'_>, is: impl Fn(&State) -> bool) -> bool {
    step.before.is_some_and(is)
}

/// Whether `is` is true of the node after the step.
fn becomes(step: &Step<'_>, is: impl Fn(&State) -> bool) -> bool {
    step.after.is_some_and(is)
}

/// The report of a promise that is given in this step.
fn promise(step: &Step<'_>) -> Option<Proposal> {
    step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Promise { accepted, .. } => Some(*accepted),
        _ => None,
    })
}

/// The proposal of another node that an acceptor accepts in this step.
fn accepts(step: &Step<'_>) -> Option<Proposal> {
    let Event::Deliver { msg: Message::Accept { proposal }, .. } = step.event else { return None };
    let is_new = has(step, |state| state.durable.accepted != *proposal)
        && becomes(step, |state| state.durable.accepted == *proposal);
    is_new.then_some(*proposal)
}

/// What a new leader proposes.
fn proposes(step: &Step<'_>) -> Option<Proposal> {
    step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Accept { proposal } => Some(*proposal),
        _ => None,
    })
}

/// The proposal that binds a node that begins to lead, and all reports that it got.
fn bound(step: &Step<'_>) -> Option<Proposal> {
    let own = step.before?.durable.accepted;
    Some(report(step).map_or(own, |(known, reported)| known.max(reported)))
}

/// The proposal that bound a proposer before a promise that counts, and the report of this promise.
fn report(step: &Step<'_>) -> Option<(Proposal, Proposal)> {
    let Event::Deliver { src, msg: Message::Promise { ballot, accepted } } = step.event else {
        return None;
    };
    let before = step.before?;
    match before.phase {
        Phase::Preparing { promises, bound } if !promises.contains(src) => {
            (before.durable.tried == *ballot).then_some((bound, *accepted))
        }
        _ => None,
    }
}

/// Whether a request is refused.
fn refuses(step: &Step<'_>) -> bool {
    step.sends.iter().any(|(_, msg)| matches!(msg, Message::Refuse { .. }))
}

/// Whether a refusal ends a ballot.
fn is_refused(step: &Step<'_>) -> bool {
    let hears = matches!(step.event, Event::Deliver { msg: Message::Refuse { .. }, .. });
    hears && becomes(step, |state| state.phase == Phase::Idle)
}

/// Whether a proposer's timer ends.
fn times_out(step: &Step<'_>) -> bool {
    matches!(step.event, Event::Timeout { .. }) && step.after.is_some()
}

/// Whether the node learns the value.
fn learns(step: &Step<'_>) -> bool {
    has(step, |state| state.durable.learned.is_none())
        && becomes(step, |state| state.durable.learned.is_some())
}
