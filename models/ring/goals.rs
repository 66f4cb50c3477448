//! Goals of elections on a ring: events that a scenario can require.

use stateright::actor::Id;

use super::Ring;
use super::message::{Message, Timer};
use super::rules::{Step, came, delivered, expired, passes_nothing, recovers};
use super::state::{Role, State};
use crate::election::{Goal, Reached};

const fn goal(name: &'static str, meaning: &'static str, is: fn(&Step) -> bool) -> Goal<Ring> {
    Goal { name, meaning, reached: Reached::Step(is) }
}

/// The role of a node before a step whose handler ran to its end.
fn was(step: &Step, is: fn(Role) -> bool) -> bool {
    step.after.is_some() && step.before.is_some_and(|state| is(state.role))
}

/// A node that was up takes a role that it did not have.
fn becomes(step: &Step, role: Role) -> bool {
    step.after.is_some_and(|now| now.role == role)
        && step.before.is_some_and(|before| before.role != role)
}

fn is_follower(role: Role) -> bool {
    matches!(role, Role::Following(_))
}

/// A higher node's announcement reaches a node in this role, which then follows it.
fn gives_way(step: &Step, is: fn(Role) -> bool) -> bool {
    matches!(came(step), Some(Message::Coordinator { .. } | Message::Elected { .. }))
        && was(step, is)
        && step.after.is_some_and(|now| is_follower(now.role))
        && !passes_nothing(step)
}

/// A message for which `is` is true reaches a node, and the handler runs to its end. `is` also gets
/// the node's own identifier.
fn comes(step: &Step, is: fn(&Message, Id) -> bool) -> bool {
    step.after.is_some() && came(step).is_some_and(|msg| is(msg, step.id))
}

/// All goals, by section.
pub(super) fn goals() -> Vec<Goal<Ring>> {
    [
        of_beginning(),
        of_numbers(),
        of_following(),
        of_acknowledgements(),
        of_elections(),
        of_announcements(),
    ]
    .concat()
}

/// How elections begin (T1, C1).
fn of_beginning() -> Vec<Goal<Ring>> {
    vec![
        goal("first-wait-ends", "A node that has heard of no leader begins.", |s| {
            expired(s) == Some(&Timer::Monitor) && was(s, |r| r == Role::Searching)
        }),
        goal("leader-missed", "A follower misses its leader.", |s| {
            expired(s) == Some(&Timer::Monitor) && was(s, is_follower)
        }),
        goal(
            "attempt-given-up",
            "A node that stands waits for its announcement in vain, and calls an election again.",
            |s| expired(s) == Some(&Timer::Monitor) && was(s, |r| r == Role::Elect),
        ),
        goal("recovered", "A node recovers, and begins.", |s| recovers(s) && !s.sends.is_empty()),
    ]
}

/// Chang and Roberts' numbers (C2 to C4).
fn of_numbers() -> Vec<Goal<Ring>> {
    vec![
        goal("number-passed", "A higher number passes.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number > id))
        }),
        goal("number-replaced", "A smaller number is replaced by the node's own.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number < id))
                && !s.sends.is_empty()
        }),
        goal("number-swallowed", "A smaller number is swallowed.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number < id))
                && was(s, |r| r == Role::Participating)
        }),
        goal("number-came-round", "A node's own number comes round.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number == id))
        }),
        goal("leader-competes-again", "A leader takes part in an election again.", |s| {
            was(s, |r| r == Role::Leading) && becomes(s, Role::Participating)
        }),
    ]
}

/// Who follows whom (C5, T6).
fn of_following() -> Vec<Goal<Ring>> {
    vec![
        goal(
            "followed",
            "A node follows a node that announced itself, and passes the announcement \
                          on.",
            |s| gives_way(s, |_| true),
        ),
        goal("searcher-follows", "A node that knew of no leader follows one.", |s| {
            gives_way(s, |r| r == Role::Searching)
        }),
        goal("participant-follows", "A participant follows the winner.", |s| {
            gives_way(s, |r| r == Role::Participating)
        }),
        goal("heard-again", "A follower hears its leader again.", |s| {
            gives_way(s, is_follower) && s.before == s.after
        }),
        goal("leader-replaced", "A follower follows another leader than before.", |s| {
            gives_way(s, is_follower) && s.before != s.after
        }),
        goal("leader-stops", "A leader stops for a higher one.", |s| {
            gives_way(s, |r| r == Role::Leading)
        }),
        goal("winner-stops", "A node that stands follows a higher one.", |s| {
            gives_way(s, |r| r == Role::Elect)
        }),
    ]
}

/// Whom a message reaches, and how its sender learns that (T2).
fn of_acknowledgements() -> Vec<Goal<Ring>> {
    vec![
        goal("skipped", "A message is handed on past a dead node.", |s| {
            matches!(expired(s), Some(Timer::Skip { .. }))
                && !s.sends.is_empty()
                && came(s).is_none()
        }),
        goal("alone", "A message comes round to a node that has skipped all others.", |s| {
            matches!(expired(s), Some(Timer::Skip { .. })) && came(s).is_some()
        }),
        goal(
            "died-in-between",
            "A node crashes when it has passed a message on and not yet acknowledged it.",
            |s| {
                let has_acknowledged =
                    s.sends.iter().any(|(_, msg)| matches!(msg, Message::Ack { .. }));
                s.after.is_none() && came(s).is_some() && !passes_nothing(s) && !has_acknowledged
            },
        ),
        goal("acknowledged", "An acknowledgement arrives.", |s| {
            matches!(delivered(s), Some((_, Message::Ack { .. })))
        }),
    ]
}

/// What elections collect, and who is told (T3, T4).
fn of_elections() -> Vec<Goal<Ring>> {
    vec![
        goal("leader-collected", "An election passes a leader, which leads on.", |s| {
            comes(s, |m, id| matches!(m, Message::Election { seen } if !seen.contains(id)))
                && was(s, |r| r == Role::Leading)
        }),
        goal(
            "election-came-round",
            "An election has been round and is back at a node that it has \
                                     collected.",
            |s| comes(s, |m, id| matches!(m, Message::Election { seen } if seen.contains(id))),
        ),
        goal("winner-told", "The winner is told by another node.", |s| {
            comes(s, |m, id| matches!(m, Message::Winner { leader, .. } if *leader == id))
                && becomes(s, Role::Elect)
        }),
        goal("winner-told-again", "A node that stands or leads is told that it has won.", |s| {
            comes(s, |m, id| matches!(m, Message::Winner { leader, .. } if *leader == id))
                && was(s, |r| matches!(r, Role::Elect | Role::Leading))
        }),
        goal(
            "winner-passed-on",
            "A node that has not won passes on the news for the winner.",
            |s| {
                comes(s, |m, id| matches!(m, Message::Winner { leader, .. } if *leader > id))
                    && !passes_nothing(s)
            },
        ),
        goal("stands-after-a-failure", "A node stands for a second time since it started.", |s| {
            becomes(s, Role::Elect) && s.after.is_some_and(|now| now.attempt.count > 1)
        }),
    ]
}

/// How announcements end (T5, T7, T8).
fn of_announcements() -> Vec<Goal<Ring>> {
    vec![
        goal("announced", "A node's announcement has come round, and it leads.", |s| {
            becomes(s, Role::Leading)
        }),
        goal("stale-announcement", "An announcement of an earlier attempt comes round.", |s| {
            let own = |m: &Message, now: &State| match m {
                Message::Coordinator { leader, attempt, .. } => {
                    *leader == s.id && *attempt != now.attempt
                }
                _ => false,
            };
            came(s).is_some_and(|msg| s.after.is_some_and(|now| own(msg, now)))
        }),
        goal("repeated", "A leader repeats its announcement.", |s| {
            expired(s) == Some(&Timer::Heartbeat) && !s.sends.is_empty()
        }),
        goal("lower-swallowed", "A lower node's announcement is swallowed.", |s| {
            comes(s, |m, id| matches!(m, Message::Coordinator { leader, .. } if *leader < id))
        }),
        goal(
            "orphan-taken-off",
            "A node takes a higher node's announcement off the ring, for it has seen it before.",
            |s| {
                comes(s, |m, id| match m {
                    Message::Coordinator { leader, seen, .. } => *leader > id && seen.contains(id),
                    _ => false,
                })
            },
        ),
        goal(
            "orphaned-news",
            "A node takes the news for a winner off the ring, for it has been round and nobody \
             took it.",
            |s| {
                comes(s, |m, id| match m {
                    Message::Winner { leader, seen } => *leader > id && seen.contains(id),
                    _ => false,
                })
            },
        ),
    ]
}
