//! Goals about changes of the configuration (6; thesis chapter 4).

use super::super::Raft;
use super::super::members::Members;
use super::super::message::Command;
use super::super::state::State;
use super::{Step, both, follower_appends, grants_vote, leads, stands, step};
use crate::election::{Event, Goal, NodeSet};

/// The goals, in the order in which they are listed.
pub(super) fn goals() -> Vec<Goal<Raft>> {
    vec![
        step("members-change", "a leader appends another configuration (6; thesis 4.1)", |step| {
            !new_members(step).is_empty()
        }),
        step(
            "second-change",
            "a client changes the members when they were changed before",
            second_change,
        ),
        step(
            "first-server-leaves",
            "n1, the leader, is asked to leave, and all others stay (6)",
            |step| {
                asked_of_first(step)
                    .is_some_and(|new| !new.contains(step.id) && new.len() + 1 == step.actor.nodes)
            },
        ),
        step("first-server-stays-alone", "n1, the leader, is asked to go on alone (6)", |step| {
            asked_of_first(step).is_some_and(|new| new.contains(step.id) && new.len() == 1)
        }),
        step(
            "change-committed",
            "a change of members is committed (6; thesis 4.1)",
            change_committed,
        ),
        step("joint-left", "C(new) follows the committed C(old,new) (6)", joint_left),
        step(
            "joint-inherited",
            "a new leader ends the change that another began (6)",
            joint_inherited,
        ),
        step(
            "removed-leader-steps-down",
            "a leader commits its own removal and steps down (6)",
            removed_leader,
        ),
        step(
            "newcomer-appends",
            "a server that was no member at first appends an entry (6)",
            newcomer_appends,
        ),
        step("newcomer-votes", "a server that was no member at first votes (6)", newcomer_votes),
    ]
}

/// The configurations that a leader appends in this step, with their indices.
fn new_members(step: &Step<'_>) -> Vec<(usize, Members)> {
    let Some((before, after)) = both(step) else { return Vec::new() };
    if !leads(before) && !leads(after) {
        return Vec::new();
    }
    let new = before.persistent.log.last_index() + 1..=after.persistent.log.last_index();
    let change = |index| match after.persistent.log.get(index)?.command {
        Command::Members(members) => Some((index, members)),
        Command::Value(_) => None,
    };
    new.filter_map(change).collect()
}

fn second_change(step: &Step<'_>) -> bool {
    let is_client = matches!(step.event, Event::Choose { value: Command::Members(_), .. });
    is_client && step.before.is_some_and(|server| server.persistent.log.members().is_some())
}

/// The new members that a client asks n1 for. Of all possible requests the first and the last are
/// goals.
fn asked_of_first(step: &Step<'_>) -> Option<NodeSet> {
    match step.event {
        Event::Choose { value: Command::Members(next), .. } if usize::from(step.id) == 0 => {
            next.groups().next()
        }
        _ => None,
    }
}

fn change_committed(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let is_change = |index: usize| {
        after
            .persistent
            .log
            .get(index)
            .is_some_and(|entry| matches!(entry.command, Command::Members(_)))
    };
    leads(before) && (before.commit + 1..=after.commit).any(is_change)
}

fn joint_left(step: &Step<'_>) -> bool {
    let is_joint = |server: &State| {
        server.persistent.log.members().is_some_and(|(_, last)| last.then().is_some())
    };
    let is_left = |server: &State| {
        server.persistent.log.members().is_some_and(|(_, last)| last.then().is_none())
    };
    both(step).is_some_and(|(b, a)| leads(b) && is_joint(b) && is_left(a))
}

fn joint_inherited(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, _)| stands(b)) && !new_members(step).is_empty()
}

fn removed_leader(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, a)| {
        leads(b) && !leads(a) && a.persistent.term == b.persistent.term && a.commit > b.commit
    })
}

fn is_newcomer(step: &Step<'_>) -> bool {
    !step.actor.initial.contains(step.id)
}

fn newcomer_appends(step: &Step<'_>) -> bool {
    is_newcomer(step) && follower_appends(step)
}

fn newcomer_votes(step: &Step<'_>) -> bool {
    is_newcomer(step) && grants_vote(step)
}
