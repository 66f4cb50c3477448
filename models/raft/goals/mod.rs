//! What a run of Raft can reach: the transitions of figure 4, the cases of figure 2's rules, and
//! what the paper's arguments speak of. A scenario lists those that its note is about.
//!
//! Where time does not pass, the harness does not show steps without any effect. So what is only
//! denied or ignored can be a goal of timed scenarios alone.

mod commitment;
mod election;
mod member_changes;
mod pre_vote;
mod replication;
mod terms;

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::Raft;
use super::message::{Entry, Message, Timer};
use super::state::{Leadership, Role, State};
use super::witness::Witness;
use crate::election::{Event, Goal, NodeStep, Reached, Reign, Term};

/// What a goal is asked of.
type Step<'a> = NodeStep<'a, Raft>;

/// All goals, by section of the paper.
pub(super) fn goals() -> Vec<Goal<Raft>> {
    let sections = [
        election::goals(),
        terms::goals(),
        pre_vote::goals(),
        replication::goals(),
        commitment::goals(),
        member_changes::goals(),
    ];
    sections.into_iter().flatten().collect()
}

/// A goal that a step reaches.
fn step(name: &'static str, meaning: &'static str, reached: fn(&Step<'_>) -> bool) -> Goal<Raft> {
    Goal { name, meaning, reached: Reached::Step(reached) }
}

/// A goal that is reached by all that has happened: who has led, and the witness.
fn past(
    name: &'static str,
    meaning: &'static str,
    reached: fn(&BTreeMap<Term, Reign>, &Witness) -> bool,
) -> Goal<Raft> {
    Goal { name, meaning, reached: Reached::Past(reached) }
}

/// The server before and after a step that did not crash it.
fn both<'a>(step: &Step<'a>) -> Option<(&'a State, &'a State)> {
    Some((step.before?, step.after?))
}

/// The message that the server receives in this step, and its sender.
fn heard<'a>(step: &Step<'a>) -> Option<(Id, &'a Message)> {
    match step.event {
        Event::Deliver { src, msg } => Some((src, msg)),
        _ => None,
    }
}

/// What was heard, and the server before and after.
fn heard_by<'a>(step: &Step<'a>) -> Option<(&'a Message, &'a State, &'a State)> {
    let (before, after) = both(step)?;
    Some((heard(step)?.1, before, after))
}

/// A request to append whose term is not over, and the server before and after.
struct Taken<'a> {
    /// The index of the previous entry.
    prev: usize,
    entry: Option<Entry>,
    /// What the leader has committed.
    commit: usize,
    before: &'a State,
    after: &'a State,
}

fn taken<'a>(step: &Step<'a>) -> Option<Taken<'a>> {
    match heard_by(step)? {
        (&Message::AppendEntries { term, prev, entry, commit }, before, after)
            if term >= before.persistent.term =>
        {
            Some(Taken { prev: prev.index, entry, commit, before, after })
        }
        _ => None,
    }
}

/// Whether the step is the end of this timer.
fn fires(step: &Step<'_>, timer: Timer) -> bool {
    matches!(step.event, Event::Timeout { timer: fired } if *fired == timer)
}

/// Whether such a message goes out.
fn sends(step: &Step<'_>, is_it: impl Fn(&Message) -> bool) -> bool {
    step.sends.iter().any(|(_, msg)| is_it(msg))
}

/// A leader.
fn leads(server: &State) -> bool {
    matches!(server.role, Role::Leader(_))
}

/// What a leader knows; nothing of another server.
fn leading(server: &State) -> Option<&Leadership> {
    match &server.role {
        Role::Leader(leading) => Some(leading),
        _ => None,
    }
}

/// A candidate.
fn stands(server: &State) -> bool {
    matches!(server.role, Role::Candidate { .. })
}

/// A follower that knows its leader.
fn follows(server: &State) -> bool {
    matches!(server.role, Role::Follower { leader: Some(_), .. })
}

/// Whether the server tells somebody that its term is higher.
fn refuses(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::Refused { .. }))
}

/// Whether the server votes for another.
fn grants_vote(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::Vote { .. }))
}

/// Whether a follower has more entries afterwards.
fn follower_appends(step: &Step<'_>) -> bool {
    taken(step).is_some_and(|Taken { before, after, .. }| {
        after.persistent.log.last_index() > before.persistent.log.last_index()
    })
}
