//! Figure 4, asked of every step: which role a server has after it, and which timers run in that role. With the
//! pre-candidate and the lease of the thesis (9.6) and its CheckQuorum (6.2).
//!
//! A timer is set anew by certain events only (figure 2, Followers and Candidates), and otherwise runs on. Where time is
//! not modelled, only which timers run is told.

use std::time::Duration;

use stateright::actor::Id;

use super::rules::{Step, Verdict, are_quorum, end, heard, is_append, leading, own_configuration, wrong};
use super::{Members, Message, Role, Server, Timer};
use crate::election::{Age, Event, NodeSet, Term};

/// A role without what a leader knows of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Follower { leader: Option<Id>, lease: bool },
    PreCandidate { votes: NodeSet },
    Candidate { votes: NodeSet },
    Leader,
}

impl Kind {
    fn in_role(role: &Role) -> Self {
        match role {
            Role::Follower { leader, lease } => Kind::Follower { leader: *leader, lease: *lease },
            Role::PreCandidate { votes } => Kind::PreCandidate { votes: votes.iter().copied().collect() },
            Role::Candidate { votes } => Kind::Candidate { votes: votes.iter().copied().collect() },
            Role::Leader(_) => Kind::Leader,
        }
    }

    /// A follower that knows of no leader.
    fn alone() -> Self {
        Kind::Follower { leader: None, lease: false }
    }
}

/// Of each kind of event, what it makes of a server, in the order of figure 4.
fn expected(step: &Step<'_>, before: &Server, end: &Server) -> (Term, Kind) {
    let config = own_configuration(step.actor, &before.persistent.log);
    let own = before.persistent.term;
    let alone = || [step.id].into_iter().collect();
    let (mut term, mut kind) = (own, Kind::in_role(&before.role));
    // Discovers a server with a higher term.
    if let Some(told) = heard(step).and_then(|(_, msg)| msg.term()).filter(|told| *told > own) {
        (term, kind) = (told, Kind::alone());
    }
    match (&step.event, &mut kind) {
        (Event::Deliver { msg: Message::AppendEntries { .. }, .. }, Kind::Leader) => {}
        // Discovers the current leader.
        (Event::Deliver { src, msg: Message::AppendEntries { term: of, .. } }, _) if *of == term => {
            kind = Kind::Follower { leader: Some(*src), lease: step.actor.pre_vote };
        }
        (Event::Deliver { src, msg: Message::Vote { term: of } }, Kind::Candidate { votes })
            if *of == term =>
        {
            votes.insert(*src);
        }
        (Event::Deliver { src, msg: Message::PreVoteGranted { term: of } }, Kind::PreCandidate { votes })
            if of.0 == term.0 + 1 =>
        {
            votes.insert(*src);
        }
        (Event::Timeout { timer: Timer::Election }, _) if step.actor.pre_vote => {
            kind = Kind::PreCandidate { votes: alone() };
        }
        // Times out, starts an election.
        (Event::Timeout { timer: Timer::Election }, _) => {
            (term, kind) = (Term(own.0 + 1), Kind::Candidate { votes: alone() });
        }
        (Event::Timeout { timer: Timer::Lease }, Kind::Follower { lease, .. }) => *lease = false,
        (Event::Timeout { timer: Timer::Quorum }, Kind::Leader) => {
            let mut present = leading(before).map(|led| led.heard).unwrap_or_default();
            present.insert(step.id);
            if !are_quorum(config, present) {
                kind = Kind::alone();
            }
        }
        _ => {}
    }
    if matches!(kind, Kind::PreCandidate { votes } if are_quorum(config, votes)) {
        (term, kind) = (Term(own.0 + 1), Kind::Candidate { votes: alone() });
    }
    // Receives votes from a majority of the servers.
    if matches!(kind, Kind::Candidate { votes } if are_quorum(config, votes)) {
        kind = Kind::Leader;
    }
    // A leader that is no member of the committed configuration steps down (6).
    let is_out = |(index, config): (usize, Members)| index <= end.commit && !config.contains(step.id);
    if kind == Kind::Leader && end.commit > before.commit && end.persistent.log.members().is_some_and(is_out)
    {
        kind = Kind::alone();
    }
    (term, kind)
}

/// A server is what figure 4 makes of it.
pub fn transition(step: &Step<'_>) -> Verdict {
    let Some(end) = end(step) else { return Ok(()) };
    let found = (end.persistent.term, Kind::in_role(&end.role));
    // Equal sets of votes make equal servers.
    if let Role::PreCandidate { votes } | Role::Candidate { votes } = &end.role
        && !votes.is_sorted_by(|a, b| a < b)
    {
        return wrong(step, &format!("keeps votes out of order, or twice: {votes:?}"));
    }
    let Some(before) = step.before else {
        let disk = step.storage.map_or(Term(0), |disk| disk.term);
        if found != (disk, Kind::alone()) || end.commit > 0 {
            return wrong(step, &format!("starts up as {:?} of term {}", end.role, end.persistent.term));
        }
        return Ok(());
    };
    let expected = expected(step, before, end);
    if found != expected {
        let (term, kind) = expected;
        return wrong(
            step,
            &format!("is {:?} of term {}, and should be {kind:?} of term {term}", end.role, found.0),
        );
    }
    Ok(())
}

/// Whether a timer runs in this state, and whether the step sets it anew.
fn runs(step: &Step<'_>, timer: Timer, after: &Server) -> (bool, bool) {
    let leads = leading(after).is_some();
    let was = |leader: bool| step.before.is_some_and(|before| leading(before).is_some() == leader);
    let fires = matches!(step.event, Event::Timeout { timer: fired } if *fired == timer);
    let stands = step.before.is_some_and(|before| after.persistent.term > before.persistent.term)
        && matches!(after.role, Role::Candidate { .. });
    // From the leader of the term that is the server's now.
    let hears_leader =
        matches!(heard(step), Some((_, msg)) if is_append(msg) && msg.term() == Some(after.persistent.term));
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

/// How long a tick is, if the timer was set for the time that the options give it; `None` if no tick makes it so.
fn tick(step: &Step<'_>, timer: Timer, age: Age) -> Option<Duration> {
    let (least, most) = times(step, timer);
    let tick = least.checked_div(u32::from(age.first))?;
    let ticks = most.as_nanos().checked_div(tick.as_nanos())?;
    let last = (ticks - u128::from(most > least)).max(u128::from(age.first));
    (u128::from(age.last) == last).then_some(tick)
}

/// The timers are those of the role; an event of figure 2 sets one anew, for the time that the options say.
pub fn timers(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    for timer in [Timer::Election, Timer::Heartbeat, Timer::Lease, Timer::Quorum] {
        let (is_due, is_new) = runs(step, timer, after);
        match (step.timers.get(&timer), step.timers_before.get(&timer)) {
            (None, _) if !is_due => {}
            (None, _) => return wrong(step, &format!("as {:?} has no timer {timer:?}", after.role)),
            (Some(_), _) if !is_due => {
                return wrong(step, &format!("as {:?} has a timer {timer:?}", after.role));
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
            (Some(_), _) => return wrong(step, &format!("sets {timer:?} anew, and was given no reason")),
        }
    }
    let all = step.timers.iter().chain(step.timers_before).filter(|(_, age)| age.last > 0);
    let mut ticks = all.map(|(timer, age)| tick(step, *timer, *age));
    let first = ticks.next();
    if first == Some(None) || ticks.any(|tick| Some(tick) != first) {
        return wrong(
            step,
            &format!("has set timers for other times than its options say: {:?}", step.timers),
        );
    }
    Ok(())
}
