//! Connections that break, servers that wait or give up, and servers that crash.

use super::super::Zab;
use super::super::message::{Message, Report, Timer};
use super::super::state::{Leading, Phase, Role, Stand, State};
use super::super::witness::{end, established};
use super::{Step, following, goes_back, leading, says, step, times_out};
use crate::election::{Event, Goal};

/// All goals of this file.
pub(super) fn goals() -> Vec<Goal<Zab>> {
    [broken(), waits(), crashes()].concat()
}

fn broken() -> Vec<Goal<Zab>> {
    vec![
        step("leader-gives-up", "A leader that has led goes back to the election.", |s| {
            leading(s.before).is_some_and(|l| l.stand == Stand::Broadcast) && goes_back(s)
        }),
        step(
            "follower-gives-up",
            "A follower in the phase of broadcast goes back to the election.",
            |s| following(s.before).is_some_and(|f| f.phase == Phase::Broadcast) && goes_back(s),
        ),
        step(
            "waits-in-vain",
            "A follower has no answer from its leader in time, and goes back to the election.",
            |s| {
                let waits = following(s.before).is_some_and(|f| f.phase == Phase::Discovery);
                waits && times_out(s, Timer::Contact) && goes_back(s)
            },
        ),
        step(
            "attempt-given-up",
            "A leader that does not lead yet goes back to the election.",
            |s| {
                let tries = leading(s.before).is_some_and(|l| l.stand != Stand::Broadcast);
                tries && times_out(s, Timer::Contact) && goes_back(s)
            },
        ),
        step(
            "connects-again",
            "A follower connects to a leader that knows an earlier connection of it.",
            |s| {
                let Event::Deliver {
                    src,
                    msg: Message::Report { report: Report::FollowerInfo { .. }, .. },
                } = &s.event
                else {
                    return false;
                };
                let known =
                    |l: &Leading| l.learners.contains_key(src) || l.broken.contains_key(src);
                leading(s.before).is_some_and(known) && s.after.is_some() && s.before != s.after
            },
        ),
        step("follower-sees-gap", "A follower misses a packet, and leaves.", |s| gap(s, false)),
        step("leader-sees-gap", "A leader misses a report, and forgets the follower.", |s| {
            gap(s, true)
        }),
        step("void", "A packet or report of another connection, or read before, arrives.", void),
    ]
}

fn waits() -> Vec<Goal<Zab>> {
    vec![
        step("asks-again", "A vote, or an attempt to connect, is repeated.", |s| {
            times_out(s, Timer::Retry) && !s.sends.is_empty()
        }),
        step("pings", "A leader says that it lives.", |s| {
            times_out(s, Timer::Ping) && !s.sends.is_empty()
        }),
        step(
            "ping-sees-gap",
            "A follower learns from a ping that it has missed a packet, and leaves.",
            |s| matches!(s.event, Event::Deliver { msg: Message::Ping { .. }, .. }) && goes_back(s),
        ),
        step("pong-sees-gap", "A leader learns from an answer that it has missed a report.", |s| {
            let learners = |server| leading(server).map(|l| l.learners.len());
            let is_pong = matches!(s.event, Event::Deliver { msg: Message::Pong { .. }, .. });
            is_pong && learners(s.before) > learners(s.after)
        }),
        step("ping-answered", "A follower answers a ping.", |s| {
            says(s, |msg| matches!(msg, Message::Pong { .. }))
        }),
        step("stays", "A leader has heard from a quorum, and goes on.", |s| {
            times_out(s, Timer::Contact) && leading(s.after).is_some()
        }),
    ]
}

fn crashes() -> Vec<Goal<Zab>> {
    vec![
        step(
            "torn-before-the-end",
            "A server crashes in the middle of a step, after others may have noticed it.",
            |s| s.cut_short.is_some(),
        ),
        step(
            "crash-before-epoch",
            "A server crashes between a longer history and its epoch.",
            |s| without_epoch(s).is_some_and(|(before, now)| before < now),
        ),
        step(
            "crash-after-forgetting",
            "A server crashes between a shorter history and its epoch.",
            |s| without_epoch(s).is_some_and(|(before, now)| before > now),
        ),
        step(
            "starts-with-history",
            "A server starts again and finds transactions on its disk.",
            |s| {
                let has = |after: &State| !after.disk.history.is_empty();
                matches!(s.event, Event::Start) && s.incarnation > 0 && s.after.is_some_and(has)
            },
        ),
        step("leads-after-restart", "A server that has crashed comes to lead.", |s| {
            s.incarnation > 0 && established(s).is_some() && end(s).is_some()
        }),
    ]
}

/// A server crashes when the history of its leader is on its disk, but not yet the epoch. Returns
/// the length of the history before, and now.
fn without_epoch(step: &Step<'_>) -> Option<(usize, usize)> {
    let (before, end, saved) = (step.before?, step.cut_short?, step.storage?);
    let is_between = saved.current < end.disk.current && saved.history == end.disk.history;
    is_between.then_some((before.disk.history.len(), saved.history.len()))
}

/// Something arrives over a connection with a gap before it, which the receiver sees.
fn gap(step: &Step<'_>, of_leader: bool) -> bool {
    let (Some(before), Event::Deliver { src, msg }) = (step.before, &step.event) else {
        return false;
    };
    let (link, place, channel) = match (msg, &before.role) {
        (Message::Packet { link, place, .. }, Role::Following(f))
            if f.leader == *src && !of_leader =>
        {
            (link, place, f.channel)
        }
        (Message::Report { link, place, .. }, Role::Leading(l)) if of_leader => {
            match l.learners.get(src) {
                Some(learner) => (link, place, learner.channel),
                None => return false,
            }
        }
        _ => return false,
    };
    *link == channel.link
        && *place > channel.read + 1
        && step.after.is_some_and(|after| after != before)
}

/// Something arrives that belongs to another connection or was read before, and nothing happens.
fn void(step: &Step<'_>) -> bool {
    let is_numbered = matches!(
        step.event,
        Event::Deliver { msg: Message::Packet { .. } | Message::Report { place: 2.., .. }, .. }
    );
    is_numbered && step.before == step.after && step.sends.is_empty()
}
