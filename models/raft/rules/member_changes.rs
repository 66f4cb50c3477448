//! One change of members at a time, and only as the option allows (6; thesis 4.1, and its
//! correction).

use super::super::members::{Members, Membership};
use super::super::message::Command;
use super::{Step, Verdict, end, heard, is_append, leading, wrong};
use crate::election::{Event, NodeSet};

/// A configuration follows another only as the option allows.
pub(super) fn member_changes(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let (old, log) = (&before.persistent.log, &end.persistent.log);
    if leading(before).is_some() && leading(end).is_some() && end.commit > before.commit {
        let is_out =
            |(index, config): (usize, Members)| index <= end.commit && !config.contains(step.id);
        if log.members().is_some_and(is_out) {
            return wrong(step, "leads on, and has committed that it is no member");
        }
    }
    if heard(step).is_some_and(|(_, msg)| is_append(msg)) || log.last_index() <= old.last_index() {
        return Ok(());
    }
    let (mut index, mut config) = old.members().unwrap_or((0, step.actor.initial));
    for place in old.last_index() + 1..=log.last_index() {
        let Some(Command::Members(next)) = log.get(place).map(|entry| entry.command) else {
            continue;
        };
        let is_client = match step.event {
            Event::Choose { value: Command::Members(asked), .. } => *asked == next,
            _ => false,
        };
        let committed = if is_client { before.commit } else { end.commit };
        let differ = config.all().iter().chain(next.all().iter());
        let differ = differ.filter(|&id| config.contains(id) != next.contains(id)).count();
        let has_own = old.term_at(before.commit) == Some(before.persistent.term);
        let joins = |new: Members| next.groups().eq(new.groups().chain(config.groups()));
        let is_right = match step.actor.membership {
            Membership::Fixed => false,
            Membership::Single => is_client && differ == 1 && has_own,
            Membership::Joint if is_client => {
                config.then().is_none()
                    && next.then().is_some_and(|new| new != config && joins(new))
            }
            Membership::Joint => config.then() == Some(next),
        };
        let is_empty = next.groups().any(NodeSet::is_empty);
        if index > committed || !is_right || is_empty {
            return wrong(
                step,
                &format!(
                    "changes {config:?} of index {index} to {next:?}, with {committed} committed"
                ),
            );
        }
        (index, config) = (place, next);
    }
    Ok(())
}
