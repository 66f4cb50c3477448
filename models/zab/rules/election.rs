//! Phase 0: votes, and how servers leave the election.

use stateright::actor::Id;

use super::super::Zab;
use super::super::message::{Choice, Message, Report, Settled, Timer};
use super::super::state::{Channel, Following, Leading, Link, Looking, Phase, Role, Stand, State};
use super::super::witness::end;
use super::{
    Due, Step, Verdict, better, compare, goes_back, is_quorum, same, tell_all, vote_for_itself,
};
use crate::election::{Event, NodeSet, SortedMap, node_name};

/// A server that starts, or looks for a leader.
pub(super) fn election_steps(step: &Step<'_>) -> Verdict {
    let (zab, id) = (step.actor, step.id);
    if end(step).is_none() {
        return Ok(());
    }
    let Some(before) = step.before else { return starts(step) };
    let Role::Looking(looking) = &before.role else { return Ok(()) };
    let mut due = before.clone();
    let mut now = looking.clone();
    let due = match step.event {
        Event::Choose { value: Choice::Elect(leader), .. } => leaves_election(id, due, *leader),
        Event::Timeout { timer: Timer::Retry } => {
            (due, tell_all(zab, id, before.link, looking.vote))
        }
        // The wait for a better vote is over.
        Event::Timeout { timer: Timer::Finalize } => {
            let Some(vote) = looking.vote else { return compare(step, same(before)) };
            let agree = looking.votes.values().filter(|&&other| other == vote).count() + 1;
            if !is_quorum(zab, agree) {
                let me = node_name(id);
                return Err(format!(
                    "{me} ends the election by {vote:?}, for which {agree} have voted"
                ));
            }
            leaves_election(id, due, vote.leader)
        }
        Event::Deliver { src, msg: Message::Notification { link, vote: Some(vote) } }
            if link.round > before.link.round =>
        {
            // A later round: the votes of the earlier one no longer count.
            due.link.round = link.round;
            now.vote = vote_for_itself(id, before).map(|own| better(*vote, own));
            now.votes = SortedMap::from([(src, *vote)]);
            let says = tell_all(zab, id, due.link, now.vote);
            due.role = Role::Looking(now);
            (due, says)
        }
        Event::Deliver { src, msg: Message::Notification { link, vote: Some(vote) } }
            if link.round == before.link.round =>
        {
            now.votes.insert(src, *vote);
            now.vote = looking.vote.map(|mine| better(*vote, mine));
            let changes = now.vote != looking.vote;
            let says = if changes { tell_all(zab, id, due.link, now.vote) } else { Vec::new() };
            due.role = Role::Looking(now);
            (due, says)
        }
        Event::Deliver { src, msg: Message::Settled { link, settled } } if *link == before.link => {
            now.settled.insert(src, *settled);
            let joins = looking.settled.get(&src) != Some(settled)
                && can_join(zab, id, before, &now, settled);
            due.role = Role::Looking(now);
            if joins {
                due.link.round = due.link.round.max(settled.round);
                leaves_election(id, due, settled.leader)
            } else {
                (due, Vec::new())
            }
        }
        _ => same(before),
    };
    compare(step, due)
}

/// Whether a quorum supports the leader that a server outside the election names, and that leader
/// says that it leads. Leader and epoch must be equal. A server that is named itself compares
/// rounds.
fn can_join(zab: &Zab, id: Id, before: &State, now: &Looking, said: &Settled) -> bool {
    let of_my_round = said.round == before.link.round;
    let is_me = said.leader == id;
    let says_so = |other: &Settled| {
        other.leader == said.leader
            && other.epoch == said.epoch
            && (!is_me || other.round == said.round)
    };
    let mut behind = NodeSet::default();
    now.settled
        .iter()
        .filter(|(_, other)| says_so(other))
        .for_each(|(&node, _)| behind.insert(node));
    if of_my_round {
        let votes = now.votes.iter().filter(|(_, vote)| vote.leader == said.leader);
        votes.for_each(|(&node, _)| behind.insert(node));
        if now.vote.is_some_and(|vote| vote.leader == said.leader) {
            behind.insert(id);
        }
    }
    let leader_says_so = match now.settled.get(&said.leader) {
        _ if is_me => of_my_round && now.vote.is_some(),
        Some(of_leader) => of_leader.leader == said.leader,
        None => false,
    };
    is_quorum(zab, behind.len()) && leader_says_so
}

/// A start finds what is on disk, has delivered nothing, and goes to the election; without a disk,
/// with no vote.
fn starts(step: &Step<'_>) -> Verdict {
    let server = State {
        link: Link { incarnation: step.incarnation, round: 0 },
        disk: step.storage.cloned().unwrap_or_default(),
        delivered: 0,
        initialised: step.storage.is_some(),
        role: Role::Looking(Looking {
            vote: None,
            votes: SortedMap::new(),
            settled: SortedMap::new(),
        }),
    };
    compare(step, goes_back(step.actor, step.id, &server))
}

/// Leaves phase 0. f.1.1: a follower tells its leader the last epoch promised.
fn leaves_election(id: Id, mut due: State, leader: Id) -> Due {
    let mut says = Vec::new();
    due.role = if leader == id {
        Role::Leading(Leading {
            stand: Stand::Discovery,
            learners: SortedMap::new(),
            broken: SortedMap::new(),
            heard: NodeSet::default(),
        })
    } else {
        let report = Report::FollowerInfo { accepted: due.disk.accepted };
        says.push((leader, Message::Report { link: due.link, place: 1, report }));
        let channel = Channel { link: due.link, read: 0, written: 1 };
        Role::Following(Following { leader, phase: Phase::Discovery, channel })
    };
    (due, says)
}
