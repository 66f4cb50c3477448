//! Which timers run in which role, and which events set one anew (figure 2, Followers and
//! Candidates); otherwise it runs on. Where time is not modelled, the rule only checks which timers
//! run.

use std::time::Duration;

use super::super::message::{Message, Timer};
use super::super::state::{Role, State};
use super::roles::role;
use super::{Step, Verdict, heard, is_append, leading, wrong};
use crate::election::{Age, Event};

/// Whether a timer runs in this state, and whether the step sets it anew.
fn runs(step: &Step<'_>, timer: Timer, after: &State) -> (bool, bool) {
    let leads = leading(after).is_some();
    let was = |leader: bool| step.before.is_some_and(|before| leading(before).is_some() == leader);
    let fires = matches!(step.event, Event::Timeout { timer: fired } if *fired == timer);
    let stands = step.before.is_some_and(|before| after.persistent.term > before.persistent.term)
        && matches!(after.role, Role::Candidate { .. });
    // From the leader of the term that is the server's now.
    let is_leaders = |msg: &Message| is_append(msg) && msg.term() == Some(after.persistent.term);
    let hears_leader = heard(step).is_some_and(|(_, msg)| is_leaders(msg));
    let votes = step.sends.iter().any(|(_, msg)| matches!(msg, Message::Vote { .. }));
    match timer {
        Timer::Election => {
            let starts = matches!(step.event, Event::Start);
            (!leads, starts || fires || stands || hears_leader || votes || was(true))
        }
        Timer::Heartbeat => (leads, fires || was(false)),
        Timer::Quorum => (leads && step.actor.check_quorum, fires || was(false)),
        Timer::Lease => (matches!(after.role, Role::Follower { lease: true, .. }), hears_leader),
    }
}

/// The times between which a timer fires, by the options.
fn times(step: &Step<'_>, timer: Timer) -> (Duration, Duration) {
    let (heartbeat, election) = (&step.actor.heartbeat, &step.actor.election);
    match timer {
        Timer::Election => (election.start, election.end),
        Timer::Heartbeat => (heartbeat.start, heartbeat.end),
        Timer::Lease | Timer::Quorum => (election.start, election.start),
    }
}

/// The length of a tick with which the timer was set for the time that the options say; `None` if
/// there is no such length.
fn tick(step: &Step<'_>, timer: Timer, age: Age) -> Option<Duration> {
    let (least, most) = times(step, timer);
    let tick = least.checked_div(u32::from(age.first))?;
    let ticks = most.as_nanos().checked_div(tick.as_nanos())?;
    let last = (ticks - u128::from(most > least)).max(u128::from(age.first));
    (u128::from(age.last) == last).then_some(tick)
}

/// The timers are those of the role; an event of figure 2 sets one anew, for the time that the
/// options say.
pub(super) fn timers(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    for timer in [Timer::Election, Timer::Heartbeat, Timer::Lease, Timer::Quorum] {
        let (is_due, is_new) = runs(step, timer, after);
        match (step.timers.get(&timer), step.timers_before.get(&timer)) {
            (None, _) if !is_due => {}
            (None, _) => {
                return wrong(step, &format!("as {} has no timer {timer:?}", role(&after.role)));
            }
            (Some(_), _) if !is_due => {
                return wrong(step, &format!("as {} has a timer {timer:?}", role(&after.role)));
            }
            (Some(age), _) if is_new => {
                if age.now > 0 {
                    return wrong(
                        step,
                        &format!("does not set {timer:?} anew, which runs since {} ticks", age.now),
                    );
                }
            }
            (age, old) if age == old => {}
            (Some(_), _) => {
                return wrong(
                    step,
                    &format!("sets its timer {timer:?} anew, for no reason that the rules name"),
                );
            }
        }
    }
    let all = step.timers.iter().chain(step.timers_before).filter(|(_, age)| age.last > 0);
    let mut ticks = all.map(|(timer, age)| tick(step, *timer, *age));
    let first = ticks.next();
    if first == Some(None) || ticks.any(|tick| Some(tick) != first) {
        return wrong(step, "has set a timer for another time than its options say");
    }
    Ok(())
}
