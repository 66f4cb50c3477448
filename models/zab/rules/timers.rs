//! What a server waits for.

use super::super::Zab;
use super::super::message::{Message, Timer};
use super::super::state::{Looking, Phase, Role, State};
use super::follower::refuses;
use super::{Step, Verdict, is_quorum};
use crate::election::{Age, Event, node_name};

/// What must happen to a timer in a step.
enum Wait {
    /// It does not run.
    Off,
    /// It is set in this step.
    Anew,
    /// It runs as before.
    On,
}

/// The first and the last tick in which a timer may end.
fn limits(zab: &Zab, timer: Timer) -> (u64, u64) {
    match timer {
        Timer::Retry | Timer::Finalize | Timer::Ping => (1, 1),
        Timer::Contact => (zab.contact, zab.contact + 1),
    }
}

/// The timers that run in a role.
fn has_to_wait(zab: &Zab, server: &State, timer: Timer) -> bool {
    match (timer, &server.role) {
        (Timer::Retry, Role::Looking(_)) => zab.pings && zab.oracle.is_none(),
        (Timer::Retry, Role::Following(following)) => {
            zab.pings && following.phase == Phase::Discovery
        }
        // A quorum casts its vote.
        (Timer::Finalize, Role::Looking(Looking { vote: Some(vote), votes, .. })) => {
            let agree = votes.values().filter(|&other| other == vote).count() + 1;
            is_quorum(zab, agree)
        }
        (Timer::Ping, Role::Leading(_)) => zab.pings,
        (Timer::Contact, Role::Following(_) | Role::Leading(_)) => true,
        _ => false,
    }
}

/// Whether a timer that ran before the step is set anew in it.
fn begins_anew(step: &Step<'_>, before: &State, after: &State, timer: Timer) -> bool {
    if matches!(step.event, Event::Timeout { timer: ended } if *ended == timer) {
        return true;
    }
    match (&before.role, &after.role) {
        // Each round is an election of its own. Another vote may be followed by a better one.
        (Role::Looking(before_it), Role::Looking(now)) => {
            before.link != after.link || timer == Timer::Finalize && before_it.votes != now.votes
        }
        // A follower has heard of its leader.
        (Role::Following(before_it), Role::Following(now)) => {
            let pinged = match &step.event {
                Event::Deliver { src, msg: Message::Ping { link, .. } } => {
                    now.leader == *src && now.channel.link == *link
                }
                _ => false,
            };
            timer == Timer::Contact && (pinged || before_it.channel.read < now.channel.read)
        }
        (Role::Leading(_), Role::Leading(_)) => false,
        // A leader that cannot be followed is not asked again before it would have been.
        (Role::Following(_), Role::Looking(_)) => match &step.event {
            Event::Deliver { msg: Message::Packet { packet, .. }, .. } => !refuses(before, packet),
            _ => true,
        },
        _ => true,
    }
}

/// Which timers run after a step, which of them are set anew in it, and which run on. Retry,
/// Finalize, Ping and Contact stand for ZooKeeper's waits: for the answer to a vote or to an
/// attempt to connect, for a better vote (finalizeWait), between two pings (half a tickTime), and
/// for any message of the leader, or of a quorum (syncLimit, initLimit). How long a timer has run
/// is known only where time is modelled.
pub(super) fn waits_as_due(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    for timer in [Timer::Retry, Timer::Finalize, Timer::Ping, Timer::Contact] {
        let due = match step.before {
            _ if !has_to_wait(step.actor, after, timer) => Wait::Off,
            Some(before)
                if !begins_anew(step, before, after, timer)
                    && has_to_wait(step.actor, before, timer) =>
            {
                Wait::On
            }
            _ => Wait::Anew,
        };
        let runs = step.timers.get(&timer);
        let (first, last) = limits(step.actor, timer);
        let wrong = match due {
            Wait::Off if runs.is_some() => "runs, for which there is nothing to wait",
            Wait::Anew if !runs.is_some_and(|age| age.is_new(first, last)) => "is not set anew",
            Wait::On if runs.is_none() || runs != step.timers_before.get(&timer) => {
                "does not run on"
            }
            _ => continue,
        };
        let age = |age: Option<&Age>| match age {
            None => "off".to_string(),
            Some(Age { now, first, last }) => format!("{now} of {first} to {last}"),
        };
        let (me, was) = (node_name(step.id), age(step.timers_before.get(&timer)));
        return Err(format!("{timer:?} of {me} {wrong}: it is {}, and was {was}", age(runs)));
    }
    Ok(())
}
