//! Which entries are committed: a follower commits what its leader has committed (figure 2,
//! AppendEntries RPC, 5), a leader commits entries of its own term that a majority has (figure 2,
//! Leaders; 5.4.2).

use stateright::actor::Id;

use super::super::message::Message;
use super::super::state::State;
use super::replication::{Append, request};
use super::{
    Step, Verdict, are_quorum, configuration, end, heard, leading, own_configuration, wrong,
};
use crate::election::{NodeSet, nodes_listed};

/// The commit index stays within the log, never falls, and rises as the role allows.
pub(super) fn commit_index(step: &Step<'_>) -> Verdict {
    let Some(end) = end(step) else { return Ok(()) };
    let log = &end.persistent.log;
    if end.commit > log.last_index() {
        return wrong(
            step,
            &format!(
                "counts its log as committed up to index {}, but the log is {log:?}",
                end.commit
            ),
        );
    }
    let Some(before) = step.before else { return Ok(()) };
    let commit = before.commit;
    if end.commit < commit {
        return wrong(
            step,
            &format!("takes its commit index back from {commit} to {}", end.commit),
        );
    }
    let is_follower = leading(before).is_none() || before.persistent.term < end.persistent.term;
    match request(step).filter(|_| is_follower) {
        Some((_, append, _)) => commits_what_was_told(step, &append, before, end),
        None => {
            commits_what_a_majority_has(step, before, end)?;
            commits_all_that_a_majority_has(step, end)
        }
    }
}

/// A follower commits up to its leader's commit index, at least as far as the request verifies.
fn commits_what_was_told(step: &Step<'_>, append: &Append, before: &State, end: &State) -> Verdict {
    let commit = before.commit;
    let (least, most) = match append.fits(&before.persistent.log) {
        true => (append.commit.min(append.told()).max(commit), append.commit.max(commit)),
        false => (commit, commit),
    };
    if !(least..=most).contains(&end.commit) {
        return wrong(
            step,
            &format!(
                "commits up to {}, where its leader has told it {least} to {most}",
                end.commit
            ),
        );
    }
    Ok(())
}

/// Only a leader commits more by itself. It knows that a majority has the last entry that it
/// commits, and that entry is of its own term. The leader knows that a server has an entry if it is
/// the leader itself, or if its acknowledgement has arrived.
fn commits_what_a_majority_has(step: &Step<'_>, before: &State, end: &State) -> Verdict {
    let (log, term) = (&end.persistent.log, end.persistent.term);
    if end.commit <= before.commit {
        return Ok(());
    }
    let acknowledged = match heard(step) {
        Some((src, &Message::Appended { term: of, matched })) if of == term => Some((src, matched)),
        _ => None,
    };
    let led = leading(before).filter(|_| before.persistent.term == term);
    let known = led.into_iter().flat_map(|led| led.progress.iter().enumerate());
    let known = known.filter(|(_, progress)| progress.matched >= end.commit);
    let now = acknowledged.filter(|(_, matched)| *matched >= end.commit && led.is_some());
    let holders: NodeSet =
        known.map(|(i, _)| Id::from(i)).chain(now.map(|(src, _)| src)).chain([step.id]).collect();
    let lengths = before.persistent.log.last_index().max(end.commit)..=log.last_index();
    let leads = led.is_some() || leading(end).is_some();
    let mut configurations = lengths.map(|entries| configuration(step.actor, log, entries));
    let is_own = log.term_at(end.commit) == Some(term);
    if !leads || !is_own || !configurations.any(|config| are_quorum(config, holders)) {
        let commit = end.commit;
        return wrong(
            step,
            &format!(
                "counts the log {log:?} as committed up to index {commit} in term {term}; those \
                 known to have it are {}",
                nodes_listed(holders.iter())
            ),
        );
    }
    Ok(())
}

/// A leader leaves no entry of its own term uncommitted that a majority is known to have.
fn commits_all_that_a_majority_has(step: &Step<'_>, end: &State) -> Verdict {
    let (log, term) = (&end.persistent.log, end.persistent.term);
    let Some(now) = leading(end) else { return Ok(()) };
    let holds = |index: usize, server: Id| {
        server == step.id || now.progress[usize::from(server)].matched >= index
    };
    let servers = NodeSet::first(step.actor.nodes);
    let holders = |index: usize| servers.iter().filter(|id| holds(index, *id)).collect();
    let config = own_configuration(step.actor, log);
    let mut indices = end.commit + 1..=log.last_index();
    let missed = indices
        .find(|&index| log.term_at(index) == Some(term) && are_quorum(config, holders(index)));
    match missed {
        Some(index) => {
            wrong(step, &format!("does not commit {log:?} up to {index}, which a majority has"))
        }
        None => Ok(()),
    }
}
