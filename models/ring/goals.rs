//! What scenarios of the ring may mean to reach.

use super::{Message, Ring, Role, State, Timer};
use crate::election::{Event, Goal, NodeStep, Reached};

type Step<'a> = NodeStep<'a, Ring>;

pub fn all() -> Vec<Goal<Ring>> {
    let goal = |name, meaning, reached| Goal { name, meaning, reached: Reached::Step(reached) };
    vec![
        goal("elected", "a node comes to lead", |s| {
            becomes(s, |b, a| b != Role::Leading && a == Role::Leading)
        }),
        goal("followed", "a node comes to follow another", |s| {
            becomes(s, |b, a| b != a && matches!(a, Role::Following(_)))
        }),
        goal("leader-deposed", "a leader hears of a higher one and follows it", |s| {
            becomes(s, |b, a| b == Role::Leading && matches!(a, Role::Following(_)))
        }),
        goal("called-on-return", "a node that recovers calls an election", |s| {
            matches!(s.event, Event::Start) && s.incarnation > 0 && !s.sends.is_empty()
        }),
        goal("called-for-silence", "a node loses its patience and calls an election", |s| {
            times_out(s, |timer| *timer == Timer::Monitor)
        }),
        // Chang and Roberts.
        goal("number-passed", "a number passes a lower one", |s| {
            hears(s, |m| matches!(m, Message::Candidate { number } if *number > s.id))
        }),
        goal("number-replaced", "a number is replaced by a higher one", |s| {
            hears(s, |m| matches!(m, Message::Candidate { number } if *number < s.id)) && !s.sends.is_empty()
        }),
        goal("leader-competes-again", "a leader that meets a smaller number competes once more", |s| {
            becomes(s, |b, a| b == Role::Leading && a == Role::Participating)
        }),
        goal("told-round", "the winner's number is passed on", |s| {
            hears(s, |m| matches!(m, Message::Elected { .. })) && !s.sends.is_empty()
        }),
        // Textbook.
        goal("dead-node-skipped", "a message goes to the node after the next", |s| {
            times_out(s, |timer| matches!(timer, Timer::Skip { .. }))
                && s.sends.iter().any(|(dst, _)| usize::from(*dst) != (usize::from(s.id) + 1) % s.actor.nodes)
        }),
        goal("alone", "a message comes back past all others, which are dead", |s| {
            times_out(
                s,
                |t| matches!(t, Timer::Skip { to, .. } if (usize::from(*to) + 1) % s.actor.nodes == usize::from(s.id)),
            )
        }),
        goal("winner-told", "who has closed the round tells another that it has won", |s| {
            hears(s, |m| matches!(m, Message::Election { .. }))
                && sends(s, |m| matches!(m, Message::Winner { .. }))
        }),
        goal("winner-told-past-another", "that message passes a node on its way", |s| {
            hears(s, |m| matches!(m, Message::Winner { leader, .. } if *leader != s.id))
                && sends(s, |m| matches!(m, Message::Winner { .. }))
        }),
        goal("told-twice", "a node is told that it has won while it announces itself or leads", |s| {
            hears(s, |m| matches!(m, Message::Winner { leader, .. } if *leader == s.id))
                && becomes(s, |b, _| matches!(b, Role::Elect | Role::Leading))
        }),
        goal("stands-again", "a node announces itself a second time since it started", |s| {
            is_live(s, |b, a| a.attempt.count > 1 && a.attempt.count > b.attempt.count)
        }),
        goal("stale-announcement", "an announcement of an earlier attempt comes round", |s| {
            hears(s, |m| matches!(m, Message::Coordinator { leader, .. } if *leader == s.id))
                && is_live(s, |b, a| b.role == Role::Elect && a.role == Role::Elect)
        }),
        goal(
            "lower-announcement-swallowed",
            "a node is overlooked, and swallows a lower one's announcement",
            |s| hears(s, |m| matches!(m, Message::Coordinator { leader, .. } if *leader < s.id)),
        ),
        goal("orphan-taken-off", "an announcement comes to a node for the second time", |s| {
            hears(
                s,
                |m| matches!(m, Message::Coordinator { leader, seen, .. } if *leader != s.id && seen.contains(s.id)),
            )
        }),
        goal("claimant-overtaken", "a node that has announced itself follows a higher one", |s| {
            becomes(s, |b, a| b == Role::Elect && matches!(a, Role::Following(_)))
        }),
        goal("announced-again", "a leader repeats its announcement", |s| {
            times_out(s, |timer| *timer == Timer::Heartbeat)
        }),
    ]
}

fn hears(step: &Step<'_>, is_such: impl Fn(&Message) -> bool) -> bool {
    matches!(&step.event, Event::Deliver { msg, .. } if is_such(msg))
}

fn times_out(step: &Step<'_>, is_such: impl Fn(&Timer) -> bool) -> bool {
    matches!(&step.event, Event::Timeout { timer } if is_such(timer))
}

fn sends(step: &Step<'_>, is_such: impl Fn(&Message) -> bool) -> bool {
    step.sends.iter().any(|(_, msg)| is_such(msg))
}

fn is_live(step: &Step<'_>, is_so: impl Fn(&State, &State) -> bool) -> bool {
    matches!((step.before, step.after), (Some(before), Some(after)) if is_so(before, after))
}

fn becomes(step: &Step<'_>, is_so: impl Fn(Role, Role) -> bool) -> bool {
    is_live(step, |before, after| is_so(before.role, after.role))
}
