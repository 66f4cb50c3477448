//! Persistent state, and terms as a logical clock (5.1; figure 2, State and All Servers).

use super::super::message::{Message, Timer};
use super::super::state::Role;
use super::{Step, Verdict, end, heard, is_append, leading, roles, wrong};
use crate::election::{Event, Term, node_name};
use stateright::actor::Id;

/// What a handler has changed is on disk when it ends; terms never fall, votes stay.
pub(super) fn persistent_state(step: &Step<'_>) -> Verdict {
    if let Some(after) = step.after {
        let saved = step.storage.cloned().unwrap_or_default();
        if after.persistent != saved {
            return wrong(step, "goes on with another term, vote or log than is on its disk");
        }
    }
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let (old, new) = (&before.persistent, &end.persistent);
    if new.term < old.term {
        return wrong(step, &format!("goes back from term {} to term {}", old.term, new.term));
    }
    if new.term == old.term && old.voted_for.is_some() && new.voted_for != old.voted_for {
        let vote = old.voted_for.map(node_name).unwrap_or_default();
        return wrong(
            step,
            &format!("changes its vote of term {}, which went to {vote}", old.term),
        );
    }
    Ok(())
}

/// Figure 4 is obeyed, and a term is adopted only from a message or for an election of the server's
/// own.
pub(super) fn roles_and_terms(step: &Step<'_>) -> Verdict {
    roles::transition(step)?;
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let (own, now) = (before.persistent.term, end.persistent.term);
    let is_for_leaders = match &step.event {
        Event::Timeout { timer: Timer::Election | Timer::Lease } => Some(false),
        Event::Timeout { timer: Timer::Heartbeat | Timer::Quorum } | Event::Choose { .. } => {
            Some(true)
        }
        _ => None,
    };
    if is_for_leaders.is_some_and(|leaders| leaders != leading(before).is_some()) {
        return wrong(
            step,
            &format!(
                "as {} has a timer or takes a request of another role",
                roles::role(&before.role)
            ),
        );
    }
    let told = heard(step).and_then(|(src, msg)| Some((src, msg, msg.term()?)));
    if let Some((src, msg, term)) = told {
        let is_refusal =
            |(dst, sent): &(Id, Message)| *dst == src && matches!(sent, Message::Refused { .. });
        if term < own && (end != before || !step.sends.iter().all(is_refusal)) {
            return wrong(
                step,
                &format!("of term {own} acts on {msg:?}, which is of an earlier term"),
            );
        }
        let is_request = matches!(msg, Message::RequestVote { .. } | Message::AppendEntries { .. });
        if is_request && term > own && (now != term || !matches!(end.role, Role::Follower { .. })) {
            return wrong(step, &format!("does not adopt the term of {msg:?} as a follower"));
        }
        if term == now
            && now > own
            && end.persistent.voted_for.is_some_and(|candidate| candidate != src)
        {
            return wrong(
                step,
                &format!("has voted in term {now} when it hears of that term by {msg:?}"),
            );
        }
    }
    if leading(before).or(leading(end)).is_some() && !told.is_some_and(|(_, msg, _)| is_append(msg))
    {
        let new = before.persistent.log.last_index() + 1..=end.persistent.log.last_index();
        if let Some(other) =
            new.filter_map(|index| end.persistent.log.get(index)).find(|entry| entry.term != now)
        {
            return wrong(step, &format!("appends {other:?} as leader of term {now}"));
        }
    }
    if now <= own || told.is_some_and(|(_, _, term)| term == now) {
        return Ok(());
    }
    let is_own = matches!(end.role, Role::Candidate { .. } | Role::Leader(_))
        && end.persistent.voted_for == Some(step.id);
    if now != Term(own.0 + 1) || !is_own {
        return wrong(
            step,
            &format!("goes from term {own} to term {now}, and not for an election of its own"),
        );
    }
    Ok(())
}
