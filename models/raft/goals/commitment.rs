//! Goals about commitment (5.3, 5.4.2).

use super::super::Raft;
use super::super::message::Message;
use super::{Step, Taken, both, heard_by, leads, past, step, taken};
use crate::election::Goal;

/// The goals, in the order in which they are listed.
pub(super) fn goals() -> Vec<Goal<Raft>> {
    vec![
        step(
            "leader-commits",
            "a leader commits an entry that a majority has (5.3)",
            leader_commits,
        ),
        step(
            "follower-commits",
            "a follower learns that an entry is committed (5.3)",
            follower_commits,
        ),
        past("second-commit", "two entries are committed", |_, past| past.committed() > 1),
        past(
            "leader-after-a-commit",
            "a leader is elected in a later term than one in which an entry was committed (5.4)",
            |_, past| past.has_leader_after_a_commit(),
        ),
        step(
            "commit-up-to-verified",
            "a follower commits less than its leader has committed, for less of its log is \
             verified",
            up_to_verified,
        ),
        step(
            "old-entry-waits",
            "a majority has an entry of an earlier term, which does not commit it (5.4.2)",
            old_entry_waits,
        ),
        step(
            "old-entry-committed",
            "an entry of an earlier term is committed with a later one (5.4.2)",
            old_entry_committed,
        ),
    ]
}

fn leader_commits(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, a)| leads(b) && a.commit > b.commit)
}

fn follower_commits(step: &Step<'_>) -> bool {
    taken(step).is_some_and(|Taken { before, after, .. }| after.commit > before.commit)
}

fn up_to_verified(step: &Step<'_>) -> bool {
    taken(step).is_some_and(|Taken { commit, before, after, .. }| {
        after.commit > before.commit && after.commit < commit
    })
}

fn old_entry_waits(step: &Step<'_>) -> bool {
    let Some((&Message::Appended { term, matched }, before, after)) = heard_by(step) else {
        return false;
    };
    let is_old = before.persistent.log.term_at(matched).is_some_and(|of| of < term);
    is_old
        && term == before.persistent.term
        && leads(after)
        && matched > after.commit
        && after != before
}

fn old_entry_committed(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let is_old = |index: usize| {
        after.persistent.log.term_at(index).is_some_and(|of| of < after.persistent.term)
    };
    leads(before) && (before.commit + 1..=after.commit).any(is_old)
}
