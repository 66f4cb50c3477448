//! Goals of the Bully election: events that a scenario can require.

use super::Bully;
use super::message::{Message, Timer};
use super::rules::{
    Step, delivered, expired, has_won, is_announced, is_highest, is_holding_one, receivers,
};
use super::state::State;
use crate::election::{Event, Goal, Reached};

const fn goal(name: &'static str, meaning: &'static str, is: fn(&Step) -> bool) -> Goal<Bully> {
    Goal { name, meaning, reached: Reached::Step(is) }
}

/// A message of this kind reaches a node in this role, and the handler runs to its end.
fn meets(step: &Step, message: Message, role: fn(&State) -> bool) -> bool {
    delivered(step).is_some_and(|(_, msg)| msg == message)
        && step.before.is_some_and(role)
        && step.after.is_some()
}

/// A timer ends in this role.
fn ends(step: &Step, timer: Timer, role: fn(&State) -> bool) -> bool {
    expired(step) == Some(timer) && step.before.is_some_and(role) && step.after.is_some()
}

/// A higher node announces itself to a node in this role, which then follows it.
fn gives_way(step: &Step, role: fn(&State) -> bool) -> bool {
    let follows = |src| step.after == Some(&State::Following(src));
    meets(step, Message::Coordinator, role) && delivered(step).is_some_and(|(src, _)| follows(src))
}

fn is_following(role: &State) -> bool {
    matches!(role, State::Following(_))
}

/// All goals, by section.
pub(super) fn goals() -> Vec<Goal<Bully>> {
    [of_elections(), of_winners(), of_following(), of_recovery_and_quorums()].concat()
}

/// How elections are held (rules 1 to 3).
fn of_elections() -> Vec<Goal<Bully>> {
    vec![
        goal("idle-node-elects", "A node that was only started calls an election.", |s| {
            ends(s, Timer::Coordinator, |r| *r == State::Idle)
        }),
        goal("asked", "A node is asked, and answers.", |s| {
            meets(s, Message::Election, |_| true) && !s.sends.is_empty()
        }),
        goal("follower-asked", "A node that follows another is asked.", |s| {
            meets(s, Message::Election, is_following)
        }),
        goal("leader-asked", "A leader is asked, and stops leading to ask others.", |s| {
            meets(s, Message::Election, |r| *r == State::Leading)
                && s.after == Some(&State::Electing)
        }),
        goal("highest-asked-again", "The highest node is asked while it leads.", |s| {
            meets(s, Message::Election, |r| *r == State::Leading) && is_highest(s)
        }),
        goal("busy-node-asked", "A node that is holding an election is asked.", |s| {
            meets(s, Message::Election, is_holding_one)
        }),
        goal("answered", "A node that asked is answered, and waits.", |s| {
            meets(s, Message::Answer, |r| *r == State::Electing) && s.after == Some(&State::Waiting)
        }),
        goal("late-answer", "An answer reaches a node that waits for none.", |s| {
            meets(s, Message::Answer, |r| *r != State::Electing)
        }),
    ]
}

/// How they are won, and what becomes of a leader (rules 4 and 7).
fn of_winners() -> Vec<Goal<Bully>> {
    vec![
        goal("unanswered", "Nobody answers a node in time, and it wins.", |s| {
            ends(s, Timer::Answer, |r| *r == State::Electing)
        }),
        goal(
            "second-wait-ends",
            "A node that was answered hears of no coordinator, and asks again.",
            |s| ends(s, Timer::Coordinator, |r| *r == State::Waiting),
        ),
        goal("leader-suspected", "A follower hears its leader no more.", |s| {
            ends(s, Timer::Monitor, is_following)
        }),
        goal("leader-heard-again", "A leader announces itself again.", |s| {
            ends(s, Timer::Heartbeat, |r| *r == State::Leading) && !s.sends.is_empty()
        }),
        goal(
            "claimed-again",
            "A winner that no majority has accepted claims the lead again.",
            |s| {
                ends(s, Timer::Heartbeat, |r| matches!(r, State::Claiming(_)))
                    && !s.sends.is_empty()
            },
        ),
    ]
}

/// Who follows whom (rules 5 and 6).
fn of_following() -> Vec<Goal<Bully>> {
    vec![
        goal("followed", "A node follows a node that announced itself.", |s| {
            gives_way(s, |_| true)
        }),
        goal("heard-again", "A follower hears its leader again.", |s| {
            gives_way(s, is_following) && s.before == s.after
        }),
        goal("leader-replaced", "A follower follows another leader than before.", |s| {
            gives_way(s, is_following) && s.before != s.after
        }),
        goal("leader-bullied", "A leader stops for a higher one.", |s| {
            gives_way(s, |r| *r == State::Leading)
        }),
        goal("election-ended", "An announcement ends the election of a node that asked.", |s| {
            gives_way(s, |r| *r == State::Electing)
        }),
        goal("wait-ended", "An announcement ends a node's wait.", |s| {
            gives_way(s, |r| *r == State::Waiting)
        }),
        goal("claim-given-up", "A winner that nobody accepts follows a higher one.", |s| {
            gives_way(s, |r| matches!(r, State::Claiming(_)))
        }),
        goal(
            "lower-contradicted",
            "A lower node's announcement makes a node hold an election.",
            |s| {
                let is_lower = delivered(s).is_some_and(|(src, _)| src < s.id);
                is_lower
                    && meets(s, Message::Coordinator, |r| !is_holding_one(r))
                    && !s.sends.is_empty()
            },
        ),
    ]
}

/// Who recovers (rule 8), and what quorums do (the second half of rule 4).
fn of_recovery_and_quorums() -> Vec<Goal<Bully>> {
    vec![
        goal("recovered-below", "A node that is not the highest recovers, and asks.", |s| {
            matches!(s.event, Event::Start)
                && s.incarnation > 0
                && s.after == Some(&State::Electing)
        }),
        goal("recovered-highest", "The highest node recovers, and wins.", |s| {
            matches!(s.event, Event::Start) && s.incarnation > 0 && s.after.is_some_and(has_won)
        }),
        goal(
            "torn-announcement",
            "A node crashes when it has announced itself to some nodes, and \
                                   not to all.",
            |s| {
                s.after.is_none()
                    && !receivers(s, Message::Coordinator).is_empty()
                    && !is_announced(s)
            },
        ),
        goal("accepted", "A claim is accepted, and the node leads.", |s| {
            meets(s, Message::Accept, |r| matches!(r, State::Claiming(_)))
                && s.after == Some(&State::Leading)
        }),
        goal("accepted-by-too-few", "A claim is accepted, and by no majority yet.", |s| {
            meets(s, Message::Accept, |r| matches!(r, State::Claiming(_)))
                && s.after != Some(&State::Leading)
        }),
        goal("late-acceptance", "An acceptance reaches a node that claims nothing.", |s| {
            meets(s, Message::Accept, |r| !has_won(r))
        }),
    ]
}
