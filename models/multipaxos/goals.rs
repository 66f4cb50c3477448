//! Goals of Multi-Paxos: each message has its effect, each role begins and ends in each possible
//! way, and the situations that the papers mention occur.

use std::collections::BTreeMap;

use super::MultiPaxos;
use super::message::{Message, Timer, Value, Vote, Votes};
use super::state::{Ballot, Role, Slot, State};
use super::witness::Witness;
use crate::election::{Event, Goal, NodeStep, Reached, Reign, Term};

/// The step that a goal checks.
type Step<'a> = NodeStep<'a, MultiPaxos>;

/// All goals, by part of the protocol.
pub(super) fn goals() -> Vec<Goal<MultiPaxos>> {
    let parts = [promises(), acceptances(), candidate(), leader(), counting(), learner(), whole()];
    parts.into_iter().flatten().collect()
}

/// What an acceptor promises, and reports with it.
fn promises() -> Vec<Goal<MultiPaxos>> {
    vec![
        step("promises", "an acceptor promises a ballot", |step| promise(step).is_some()),
        step(
            "promises-again-higher",
            "an acceptor that has promised promises a higher ballot",
            |step| {
                promise(step).is_some()
                    && has(step, |state| state.durable.promised > Ballot::default())
            },
        ),
        step("reports-an-acceptance", "a promise reports an acceptance", |step| {
            promise(step).is_some_and(|votes| !votes.is_empty())
        }),
        step("reports-two-acceptances", "a promise reports acceptances in two slots", |step| {
            promise(step).is_some_and(|votes| votes.len() >= 2)
        }),
        step(
            "reports-a-committed-value",
            "a promise reports an acceptance of a value that its acceptor knows to be chosen",
            |step| {
                let lowest = promise(step).and_then(|votes| votes.keys().next());
                lowest.is_some_and(|slot| has(step, |state| *slot <= state.chosen))
            },
        ),
        step(
            "reports-no-committed-value",
            "a promise leaves out what the candidate knows to be chosen",
            |step| {
                promise(step).is_some_and(|votes| {
                    has(step, |state| votes.len() < state.durable.accepted.len())
                })
            },
        ),
        step("reports-after-restart", "a restarted acceptor reports an acceptance", |step| {
            step.incarnation > 0 && promise(step).is_some_and(|votes| !votes.is_empty())
        }),
    ]
}

/// What an acceptor accepts.
fn acceptances() -> Vec<Goal<MultiPaxos>> {
    vec![
        step("accepts", "an acceptor accepts in a slot for the first time", |step| {
            vote(step).is_some_and(|(earlier, _)| earlier.is_none())
        }),
        step(
            "accepts-unpromised",
            "an acceptor accepts under a ballot above its promise",
            |step| {
                vote(step)
                    .is_some_and(|(_, ballot)| has(step, |state| ballot > state.durable.promised))
            },
        ),
        step(
            "replaces-an-acceptance",
            "an acceptor accepts another value in a slot than before",
            |step| {
                let Event::Deliver { msg: Message::Accept { value, .. }, .. } = step.event else {
                    return false;
                };
                vote(step).is_some_and(|(earlier, _)| {
                    earlier.is_some_and(|earlier| earlier.value != *value)
                })
            },
        ),
        step(
            "answers-again",
            "an acceptor answers a proposal that it has accepted already",
            |step| {
                let is_answer =
                    step.sends.iter().any(|(_, msg)| matches!(msg, Message::Accepted { .. }));
                is_answer && step.before.is_some_and(|before| step.after == Some(before))
            },
        ),
        step(
            "restarts-with-an-acceptance",
            "a node restarts that has accepted something",
            |step| {
                let has_voted = step.storage.is_some_and(|disk| !disk.accepted.is_empty());
                matches!(step.event, Event::Start) && has_voted
            },
        ),
    ]
}

/// The candidate: it runs, hears promises, and gives way.
fn candidate() -> Vec<Goal<MultiPaxos>> {
    vec![
        step("runs-again", "a candidate without a majority runs for a higher ballot", |step| {
            runs(step) && has(step, |state| matches!(state.role, Role::Candidate { .. }))
        }),
        step(
            "follower-runs",
            "a node that has promised another's ballot runs for one of its own",
            |step| {
                let follows = |state: &State| {
                    state.role == Role::Follower && state.durable.promised > Ballot::default()
                };
                runs(step) && has(step, follows)
            },
        ),
        step("former-leader-runs", "a node that has led and followed runs again", |step| {
            runs(step) && has(step, |state| state.role == Role::Follower && state.durable.round > 0)
        }),
        step(
            "runs-after-restart",
            "a restarted node runs for a ballot above those of its first life",
            |step| runs(step) && step.incarnation > 0 && has(step, |state| state.durable.round > 0),
        ),
        step(
            "runs-from-a-later-slot",
            "a candidate asks only from its first unchosen slot on",
            |step| runs(step) && has(step, |state| state.chosen > Slot(0)),
        ),
        step(
            "a-higher-report-wins",
            "a promise reports another value under a higher ballot than is known",
            |step| {
                reports(step, |known, reported| {
                    reported.ballot > known.ballot && reported.value != known.value
                })
            },
        ),
        step(
            "a-lower-report-loses",
            "a promise reports another value under a lower ballot than is known",
            |step| {
                reports(step, |known, reported| {
                    reported.ballot < known.ballot && reported.value != known.value
                })
            },
        ),
        step(
            "needs-another-promise",
            "a promise comes that does not complete the majority",
            |step| {
                let is_promise =
                    matches!(step.event, Event::Deliver { msg: Message::Promise { .. }, .. });
                is_promise && becomes(step, |state| matches!(state.role, Role::Candidate { .. }))
            },
        ),
        step("candidate-gives-way", "a candidate promises a higher ballot", |step| {
            gives_way(step) && has(step, |state| matches!(state.role, Role::Candidate { .. }))
        }),
    ]
}

/// The leader: it proposes, and gives way.
fn leader() -> Vec<Goal<MultiPaxos>> {
    vec![
        step("leader-gives-way", "a leader promises a higher ballot", |step| {
            gives_way(step) && promise(step).is_some() && has(step, is_leader)
        }),
        step(
            "gives-way-to-a-proposal",
            "a leader or candidate accepts under a higher ballot",
            |step| gives_way(step) && vote(step).is_some(),
        ),
        step(
            "gives-way-to-a-heartbeat",
            "a leader or candidate hears a heartbeat of a higher ballot",
            |step| {
                gives_way(step)
                    && matches!(step.event, Event::Deliver { msg: Message::Heartbeat { .. }, .. })
            },
        ),
        step("joins-by-a-heartbeat", "a node first hears of a ballot by a heartbeat", |step| {
            let hears = matches!(step.event, Event::Deliver { msg: Message::Heartbeat { .. }, .. });
            let promised = |state: &State| state.durable.promised;
            hears && step.before.map(promised) < step.after.map(promised)
        }),
        step("takes-an-input", "a leader proposes an input", |step| {
            matches!(step.event, Event::Choose { .. })
        }),
        step(
            "takes-a-second-input",
            "a leader proposes an input while another is not chosen yet",
            |step| {
                let is_open = |state: &State| last(state) > state.chosen;
                matches!(step.event, Event::Choose { .. }) && has(step, is_open)
            },
        ),
        step(
            "takes-an-input-above-a-choice",
            "a leader takes an input after it committed one",
            |step| {
                matches!(step.event, Event::Choose { .. })
                    && has(step, |state| state.chosen > Slot(0))
            },
        ),
        step(
            "proposes-what-was-reported",
            "a new leader proposes what an earlier one proposed",
            |step| begins(step) && proposed(step).any(|(_, value)| value != Value::Noop),
        ),
        step("fills-a-gap", "a new leader fills a gap with a no-op", |step| {
            begins(step) && proposed(step).any(|(_, value)| value == Value::Noop)
        }),
        step("leads-with-a-prefix", "a new leader knows of a chosen slot", |step| {
            begins(step) && becomes(step, |state| state.chosen > Slot(0))
        }),
    ]
}

/// The leader: it counts votes, and beats.
fn counting() -> Vec<Goal<MultiPaxos>> {
    vec![
        step("leader-commits", "a leader commits a slot", |step| {
            commits(step) > 0 && becomes(step, is_leader)
        }),
        step(
            "commits-two-at-once",
            "an acceptance in an open slot lets the leader commit it and the one above",
            |step| commits(step) >= 2 && becomes(step, is_leader),
        ),
        step("counts-out-of-order", "a later slot has a majority before an earlier one", |step| {
            let counted = |state: &State| match &state.role {
                Role::Leader { acks } => acks.values().filter(|who| who.len() >= 2).count(),
                _ => 0,
            };
            let is_open =
                |old: &State, new: &State| counted(new) > counted(old) && new.chosen == old.chosen;
            let is_vote = match step.event {
                Event::Deliver { msg: Message::Accepted { slot, .. }, .. } => slot.0 > 1,
                _ => false,
            };
            is_vote && step.before.zip(step.after).is_some_and(|(old, new)| is_open(old, new))
        }),
        step("repeats-a-proposal", "a heartbeat repeats a proposal that is not answered", |step| {
            matches!(step.event, Event::Timeout { timer: Timer::Heartbeat })
                && proposed(step).next().is_some()
        }),
        step("passes-on-a-choice", "a heartbeat repeats a proposal that is chosen", |step| {
            let beats = matches!(step.event, Event::Timeout { timer: Timer::Heartbeat });
            beats && proposed(step).any(|(slot, _)| has(step, |state| slot <= state.chosen))
        }),
        step("beats-twice", "a node hears a heartbeat that tells it nothing new", |step| {
            let hears = matches!(step.event, Event::Deliver { msg: Message::Heartbeat { .. }, .. });
            hears && step.before.is_some_and(|before| step.after == Some(before))
        }),
    ]
}

/// The learner: it commits what its leader says.
fn learner() -> Vec<Goal<MultiPaxos>> {
    vec![
        step("follower-commits", "a follower commits a slot", |step| {
            commits(step) > 0 && becomes(step, |state| state.role == Role::Follower)
        }),
        step(
            "follower-commits-less",
            "a follower commits less than its leader, for it has not accepted all",
            |step| {
                let Event::Deliver { msg: Message::Heartbeat { chosen, .. }, .. } = step.event
                else {
                    return false;
                };
                becomes(step, |state| state.chosen < *chosen)
            },
        ),
        step(
            "mistrusts-its-acceptance",
            "a follower does not commit what it accepted under an earlier ballot",
            |step| {
                let Event::Deliver { msg: Message::Heartbeat { ballot, chosen }, .. } = step.event
                else {
                    return false;
                };
                let is_earlier = |state: &State| {
                    let vote = state.durable.accepted.get(&state.chosen.next());
                    state.chosen < *chosen && vote.is_some_and(|vote| vote.ballot < *ballot)
                };
                has(step, is_earlier) && becomes(step, is_earlier)
            },
        ),
    ]
}

/// The system as a whole.
fn whole() -> Vec<Goal<MultiPaxos>> {
    vec![
        past("two-ballots-led", "two ballots have leaders", |led, _| led.len() >= 2),
        past("three-ballots-led", "three ballots have leaders", |led, _| led.len() >= 3),
        past("rival-values", "two values contend for one slot", |_, witness| witness.has_rivals()),
        past("a-value-is-chosen", "a value is chosen in a slot", |_, witness| {
            witness.slots_chosen() > 0
        }),
        past("two-slots-are-chosen", "values are chosen in two slots", |_, witness| {
            witness.slots_chosen() > 1
        }),
        past("a-noop-is-chosen", "a no-op is chosen", |_, witness| witness.has_chosen_noop()),
        past(
            "accepts-above-a-choice",
            "a node accepts in a slot under a higher ballot than one that chose a value there",
            |_, witness| witness.votes_above_a_choice(),
        ),
    ]
}

/// A goal that a step reaches.
fn step(
    name: &'static str,
    meaning: &'static str,
    reached: fn(&Step<'_>) -> bool,
) -> Goal<MultiPaxos> {
    Goal { name, meaning, reached: Reached::Step(reached) }
}

/// A goal that is reached by all that has happened: who has led, and the witness.
fn past(
    name: &'static str,
    meaning: &'static str,
    reached: fn(&BTreeMap<Term, Reign>, &Witness) -> bool,
) -> Goal<MultiPaxos> {
    Goal { name, meaning, reached: Reached::Past(reached) }
}

fn has(step: &Step<'_>, is: impl Fn(&State) -> bool) -> bool {
    step.before.is_some_and(is)
}

fn becomes(step: &Step<'_>, is: impl Fn(&State) -> bool) -> bool {
    step.after.is_some_and(is)
}

fn is_leader(state: &State) -> bool {
    matches!(state.role, Role::Leader { .. })
}

fn last(state: &State) -> Slot {
    state.durable.accepted.last_key_value().map_or(Slot(0), |(slot, _)| *slot)
}

/// The report of a promise that is given in this step.
fn promise<'a>(step: &Step<'a>) -> Option<&'a Votes> {
    step.sends.iter().find_map(|(_, msg)| match msg {
        Message::Promise { accepted, .. } => Some(accepted),
        _ => None,
    })
}

/// The earlier vote in a slot where an acceptor votes, and the ballot under which it votes now.
fn vote(step: &Step<'_>) -> Option<(Option<Vote>, Ballot)> {
    let Event::Deliver { msg: Message::Accept { ballot, slot, .. }, .. } = step.event else {
        return None;
    };
    let vote = |state: &State| state.durable.accepted.get(slot).copied();
    let (earlier, now) = (vote(step.before?), vote(step.after?));
    (earlier != now).then_some((earlier, *ballot))
}

fn runs(step: &Step<'_>) -> bool {
    matches!(step.event, Event::Timeout { timer: Timer::Election }) && step.after.is_some()
}

/// Whether a promise that counts reports a vote in a slot in which one is known already, and `is`
/// is true of the two votes.
fn reports(step: &Step<'_>, is: impl Fn(&Vote, &Vote) -> bool) -> bool {
    let Event::Deliver { src, msg: Message::Promise { ballot, accepted } } = step.event else {
        return false;
    };
    has(step, |state| match &state.role {
        Role::Candidate { promises, adopted }
            if state.durable.promised == *ballot && !promises.contains(src) =>
        {
            accepted
                .iter()
                .any(|(slot, reported)| adopted.get(slot).is_some_and(|known| is(known, reported)))
        }
        _ => false,
    })
}

fn gives_way(step: &Step<'_>) -> bool {
    has(step, |state| state.role != Role::Follower)
        && becomes(step, |state| state.role == Role::Follower)
}

/// Whether a node becomes leader.
fn begins(step: &Step<'_>) -> bool {
    !has(step, is_leader) && becomes(step, is_leader)
}

fn proposed<'a>(step: &Step<'a>) -> impl Iterator<Item = (Slot, Value)> + use<'a> {
    step.sends.iter().filter_map(|(_, msg)| match msg {
        Message::Accept { slot, value, .. } => Some((*slot, *value)),
        _ => None,
    })
}

/// How many slots a node commits.
fn commits(step: &Step<'_>) -> u8 {
    let committed = |state: &State| state.chosen.0;
    step.before
        .zip(step.after)
        .map_or(0, |(old, new)| committed(new).saturating_sub(committed(old)))
}
