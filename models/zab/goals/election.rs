//! Phase 0: how servers agree on a leader, and leave the election.

use super::super::Zab;
use super::super::message::{Message, Settled, Timer, Vote};
use super::super::state::{Link, State};
use super::{Step, following, goes_back, leading, looking, step, times_out};
use crate::election::{Event, Goal};

/// All of this phase.
pub(super) fn goals() -> Vec<Goal<Zab>> {
    vec![
        step(
            "better-vote-adopted",
            "A server exchanges its vote for a better one of its round.",
            |s| {
                let (before, after) = (looking(s.before), looking(s.after));
                let is_of_round = vote(s)
                    .is_some_and(|(link, _)| s.before.is_some_and(|b| b.link.round == link.round));
                is_of_round
                    && before.zip(after).is_some_and(|(before, after)| before.vote != after.vote)
            },
        ),
        step(
            "recency-decides",
            "A server votes for a lesser server whose history is more recent.",
            |s| {
                let mine = looking(s.before).and_then(|looking| looking.vote);
                let now = looking(s.after).and_then(|looking| looking.vote);
                mine.zip(now)
                    .is_some_and(|(mine, now)| now.leader < mine.leader && mine.epoch <= now.epoch)
            },
        ),
        step("later-round-joined", "A server hears of a later round and votes anew in it.", |s| {
            let (before, after) = (s.before, s.after);
            vote(s).is_some()
                && before
                    .zip(after)
                    .is_some_and(|(before, after)| before.link.round < after.link.round)
        }),
        step("old-vote-ignored", "A vote of an earlier round arrives, and changes nothing.", |s| {
            let is_old =
                |before: &State| vote(s).is_some_and(|(link, _)| link.round < before.link.round);
            looking(s.before).is_some() && s.before.is_some_and(is_old) && s.before == s.after
        }),
        step(
            "leads-by-votes",
            "The election ends, and the server that a quorum voted for is to lead.",
            |s| times_out(s, Timer::Finalize) && leading(s.after).is_some(),
        ),
        step("follows-by-votes", "The election ends for a server that voted for another.", |s| {
            times_out(s, Timer::Finalize) && following(s.after).is_some()
        }),
        step(
            "joins-settled",
            "A server joins the leader that is named by those that have left the election.",
            |s| word(s).is_some() && following(s.after).is_some(),
        ),
        step(
            "joins-other-round",
            "A server joins a leader that was elected in another round than its own.",
            |s| {
                let round = s.before.map(|before| before.link.round);
                word(s).is_some_and(|settled| Some(settled.round) != round)
                    && following(s.after).is_some()
            },
        ),
        step(
            "named-leader",
            "A server is to lead because those that have left the election name it.",
            |s| word(s).is_some() && leading(s.after).is_some(),
        ),
        step("votes-again", "A server goes back to the election within a life.", goes_back),
    ]
}

fn word<'a>(step: &'a Step<'_>) -> Option<&'a Settled> {
    match &step.event {
        Event::Deliver { msg: Message::Settled { settled, .. }, .. } => Some(settled),
        _ => None,
    }
}

fn vote<'a>(step: &'a Step<'_>) -> Option<(&'a Link, &'a Vote)> {
    match &step.event {
        Event::Deliver { msg: Message::Notification { link, vote: Some(vote) }, .. } => {
            Some((link, vote))
        }
        _ => None,
    }
}
