//! The contents of messages, their receivers and their time (figure 2, arguments and results); and
//! the leader's knowledge of the other logs, on which they depend: nextIndex and matchIndex (5.3).

use stateright::actor::Id;

use super::super::message::{Message, Timer};
use super::super::state::{Disk, Role, State};
use super::{Step, Verdict, end, heard, is_append, leading, own_configuration, wrong};
use crate::election::{Event, NodeSet, Term, node_name};

/// What a server says of itself is true, and requests go to the right servers.
pub(super) fn says_what_is_so(step: &Step<'_>) -> Verdict {
    match_index(step)?;
    requests_go_out(step)?;
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let nothing = Disk::default();
    let (own, log, saved) =
        (end.persistent.term, &end.persistent.log, step.storage.unwrap_or(&nothing));
    let leads =
        |server: &State, of: Term| leading(server).is_some() && server.persistent.term == of;
    for (_, msg) in step.sends {
        let is_so = match msg {
            Message::RequestVote { term, last } => {
                let stands = matches!(end.role, Role::Candidate { .. } | Role::Leader(_));
                let has_voted = saved.term == own && saved.voted_for == Some(step.id);
                stands && *term == own && has_voted && *last == before.persistent.log.last()
            }
            Message::PreVote { term, last } => {
                *term == Term(before.persistent.term.0 + 1) && *last == before.persistent.log.last()
            }
            Message::AppendEntries { term, prev, entry, commit } => {
                let place = prev.index + 1;
                let is_there = match entry {
                    Some(entry) => {
                        log.get(place) == Some(*entry) && saved.log.get(place) == Some(*entry)
                    }
                    None => place > before.persistent.log.last_index(),
                };
                (leads(end, *term) || leads(before, *term))
                    && *term == own
                    && log.term_at(prev.index) == Some(prev.term)
                    && is_there
                    && *commit <= end.commit
            }
            Message::Refused { term } => {
                *term == own && heard(step).is_some_and(|(_, msg)| is_below(msg, own))
            }
            Message::Vote { term }
            | Message::Appended { term, .. }
            | Message::Mismatch { term, .. } => *term == own,
            Message::PreVoteGranted { .. } => true,
        };
        if !is_so {
            return wrong(step, &format!("sends {msg:?}, which is not so"));
        }
    }
    Ok(())
}

/// Whether the term of a request is over; for a pre-vote, whether it has been reached.
fn is_below(msg: &Message, own: Term) -> bool {
    match *msg {
        Message::PreVote { term, .. } => term <= own,
        _ => msg.term().is_some_and(|term| term < own),
    }
}

/// To whom requests of each kind go out: for votes, for pre-votes, to append.
fn requests(step: &Step<'_>, before: &State, after: &State) -> [NodeSet; 3] {
    let (own, term) = (before.persistent.term, after.persistent.term);
    let others = |server: &State| -> NodeSet {
        let all = own_configuration(step.actor, &server.persistent.log).all();
        all.iter().filter(|&id| id != step.id).collect()
    };
    let when = |is_due, to| if is_due { to } else { NodeSet::default() };
    let stands = term > own && matches!(after.role, Role::Candidate { .. } | Role::Leader(_));
    let asks = matches!(after.role, Role::PreCandidate { .. })
        && matches!(step.event, Event::Timeout { timer: Timer::Election });
    let then = leading(before).filter(|_| own == term);
    // Upon election, as heartbeats repeat, and when there is a new entry.
    let to_all = match then {
        None => leading(after).is_some(),
        Some(_) => {
            matches!(step.event, Event::Timeout { timer: Timer::Heartbeat })
                || after.persistent.log.last_index() > before.persistent.log.last_index()
        }
    };
    let appends = match (then, leading(after), heard(step)) {
        _ if to_all => others(after),
        // Upon news of a follower's log, if it lacks anything.
        (Some(then), Some(now), Some((src, _))) => {
            let (then, now) = (then.progress[usize::from(src)], now.progress[usize::from(src)]);
            let is_behind =
                now.matched > then.matched && now.next <= after.persistent.log.last_index();
            when(is_behind || now.next < then.next, [src].into_iter().collect())
        }
        _ => NodeSet::default(),
    };
    [when(stands, others(before)), when(asks, others(before)), appends]
}

/// Requests go to the right servers, once to each, and those to append begin at nextIndex.
fn requests_go_out(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    let is_request: [fn(&Message) -> bool; 3] = [
        |msg| matches!(msg, Message::RequestVote { .. }),
        |msg| matches!(msg, Message::PreVote { .. }),
        is_append,
    ];
    for (is_it, expected) in is_request.into_iter().zip(requests(step, before, after)) {
        let mut to: Vec<Id> =
            step.sends.iter().filter(|(_, msg)| is_it(msg)).map(|(dst, _)| *dst).collect();
        to.sort_unstable();
        if !expected.iter().eq(to.iter().copied()) {
            return wrong(
                step,
                &format!("sends {:?}, and should send requests to {expected:?}", step.sends),
            );
        }
    }
    let commit =
        if matches!(step.event, Event::Choose { .. }) { before.commit } else { after.commit };
    let log = &after.persistent.log;
    let Some(now) = leading(after) else { return Ok(()) };
    for (dst, msg) in step.sends {
        let Message::AppendEntries { prev, entry, commit: told, .. } = msg else { continue };
        let next = now.progress[usize::from(*dst)].next;
        if prev.index + 1 != next || *entry != log.get(next) || *told != commit {
            return wrong(
                step,
                &format!("sends {} {msg:?}, where {next} is next", node_name(*dst)),
            );
        }
    }
    Ok(())
}

/// A leader's nextIndex and matchIndex of each other server are what the answers have said.
fn match_index(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let Some(now) = leading(end) else { return Ok(()) };
    let (term, last) = (end.persistent.term, end.persistent.log.last_index());
    let then = leading(before).filter(|_| before.persistent.term == term);
    for (i, progress) in now.progress.iter().enumerate().filter(|(i, _)| *i != usize::from(step.id))
    {
        let peer = node_name(Id::from(i));
        if progress.matched >= progress.next || progress.next > last + 1 {
            return wrong(
                step,
                &format!("knows {progress:?} of {peer}, and its own log ends at {last}"),
            );
        }
        let Some(old) = then.map(|then| then.progress[i]) else {
            if progress.matched > 0 || progress.next != before.persistent.log.last_index() + 1 {
                return wrong(step, &format!("begins to lead with {progress:?} of {peer}"));
            }
            continue;
        };
        let answer = heard(step).filter(|(src, _)| usize::from(*src) == i).map(|(_, msg)| msg);
        let (matched, next) = match answer {
            Some(&Message::Appended { term: of, matched }) if of == term => {
                (old.matched.max(matched), old.next.max(matched + 1))
            }
            Some(&Message::Mismatch { term: of, prev })
                if of == term && old.next == prev + 1 && prev > old.matched =>
            {
                (old.matched, prev)
            }
            _ => (old.matched, old.next),
        };
        if (progress.matched, progress.next) != (matched, next) {
            return wrong(
                step,
                &format!(
                    "has {progress:?} of {peer}, where {matched} is known to match and {next} is next"
                ),
            );
        }
    }
    Ok(())
}
