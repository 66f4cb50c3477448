//! Ballots that grow for ever: which states of a system go on alike. Our own argument, not the
//! papers'.
//!
//! A node compares ballots, takes over a higher one, and runs for the least of its own that is new.
//! Ballots are ordered by round first, so a shift of all rounds changes nothing. The ballots of
//! votes are only compared, with each other (pmax) and with the ballot of the leader who says what
//! is chosen. In a message, too, a ballot is taken over only where it is higher than the receiver's
//! own. Of what is lower than all ballots from which nodes count on, only the order matters.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Votes};
use super::state::{Ballot, Disk, Role};
use super::{MultiPaxos, State};
use crate::election::{Counter, Counting, Part, Snapshot};

/// Rounds of ballots.
const ROUND: usize = 0;

/// How a number is replaced.
type New<'a> = &'a mut dyn FnMut(Counter, u64) -> u64;

/// Rounds are counted up by one.
pub(super) fn countings() -> Vec<Counting> {
    vec![Counting { name: "rounds", step: 1 }]
}

/// Renumbers the rounds in a part of the system.
pub(super) fn renumber(part: Part<'_, MultiPaxos>, new: New<'_>) {
    match part {
        Part::State(State { durable, role, .. }) => match role {
            Role::Follower => disk(durable, Counter::growing(ROUND), new),
            Role::Candidate { adopted, .. } => {
                disk(durable, Counter::growing(ROUND), new);
                votes(adopted, new);
            }
            Role::Leader { .. } => disk(durable, Counter::growing(ROUND), new),
        },
        Part::Disk(saved) => disk(saved, Counter::growing(ROUND), new),
        Part::NoDisk => {
            new(Counter::growing(ROUND), 0);
        }
        Part::Timer(_) => {}
        Part::Message(message) => match message {
            Message::Promise { ballot, accepted } => {
                compared(ballot, new);
                votes(accepted, new);
            }
            Message::Prepare { ballot, .. }
            | Message::Accept { ballot, .. }
            | Message::Accepted { ballot, .. }
            | Message::Heartbeat { ballot, .. } => compared(ballot, new),
        },
    }
}

fn disk(disk: &mut Disk, counter: Counter, new: New<'_>) {
    round(&mut disk.promised.round, counter, new);
    round(&mut disk.round, counter, new);
    votes(&mut disk.accepted, new);
}

fn votes(votes: &mut Votes, new: New<'_>) {
    votes.values_mut().for_each(|vote| compared(&mut vote.ballot, new));
}

fn compared(ballot: &mut Ballot, new: New<'_>) {
    round(&mut ballot.round, Counter::compared(ROUND), new);
}

fn round(round: &mut u32, counter: Counter, new: New<'_>) {
    *round = new(counter, u64::from(*round)) as u32;
}

/// The rounds that a node has used say no more than its promise does: it has promised each of its
/// ballots, so the least of its own above the promise is new, and is the next. The highest below
/// might as well be the last. A planted bug by which a node forgets one of the two keeps the other.
pub(super) fn simplify(snapshot: &mut Snapshot<'_, MultiPaxos>) {
    let forgets =
        |node: &MultiPaxos| matches!(node.bug, Some(Bug::ForgetsPromise | Bug::ReusesBallot));
    if snapshot.nodes.iter().any(forgets) {
        return;
    }
    unify_deaf_leaders_far_behind(snapshot);
    let Snapshot { states, disks, .. } = snapshot;
    for (i, (state, disk)) in states.iter_mut().zip(disks).enumerate() {
        let memory = state.as_mut().map(|state| &mut state.durable);
        for disk in memory.into_iter().chain(disk.as_mut()) {
            let Ballot { round, node } = disk.promised;
            disk.round = if usize::from(node) >= i { round } else { round.saturating_sub(1) };
        }
    }
}

/// A leader that hears from nobody leads on for ever, in the round that it has. Once that is below
/// what all others have promised, they pass over whatever it says, and it does not matter how far
/// it is behind. That is said only where it votes for nothing: its votes are in that round, too.
fn unify_deaf_leaders_far_behind(snapshot: &mut Snapshot<'_, MultiPaxos>) {
    if snapshot.nodes.iter().any(|node| node.values > 0) {
        return;
    }
    for i in 0..snapshot.states.len() {
        let id = Id::from(i);
        let promised = |other: usize| {
            let disk = || snapshot.disks[other].as_ref().map_or(0, |disk| disk.promised.round);
            let state = snapshot.states[other].as_ref();
            let may_start = snapshot.may_start.contains(Id::from(other));
            state.map(|state| state.durable.promised.round).or_else(|| may_start.then(disk))
        };
        let others = (0..snapshot.states.len()).filter(|other| *other != i).filter_map(promised);
        let Some(lowest) = others.min() else { continue };
        let is_deaf = snapshot.is_deaf(id);
        if let Some(State { durable, role: Role::Leader { .. }, .. }) = &mut snapshot.states[i]
            && is_deaf
            && durable.promised.round + 1 < lowest
        {
            durable.promised.round = lowest - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::election::NodeSet;

    /// n1 leads in round 1, the others have promised round 9: n1's round in the form.
    fn round_of_leader(heard: &[usize]) -> u32 {
        let node = MultiPaxos { nodes: 3, values: 0, heartbeats: true, bug: None };
        let nodes = vec![node; 3];
        let state = |node: u8, round, role| {
            let durable = Disk { promised: Ballot { round, node }, round, ..Disk::default() };
            Some(State { durable, chosen: Default::default(), role })
        };
        let leader = Role::Leader { acks: Default::default() };
        let states =
            vec![state(0, 1, leader), state(1, 9, Role::Follower), state(1, 9, Role::Follower)];
        let heard = heard.iter().map(|i| Id::from(*i)).collect();
        let mut snapshot = Snapshot {
            nodes: &nodes,
            states,
            may_start: NodeSet::default(),
            hears: vec![heard, NodeSet::first(3), NodeSet::first(3)],
            disks: vec![None, None, None],
            timers: Default::default(),
            messages: Vec::new(),
        };
        simplify(&mut snapshot);
        let [Some(leader), ..] = &snapshot.states[..] else { panic!("n1 is up") };
        leader.durable.promised.round
    }

    /// One that hears may yet hear a round in between, and join it.
    #[test]
    fn only_of_a_deaf_leader_it_is_forgotten_how_far_it_is_behind() {
        assert_eq!(round_of_leader(&[0]), 8);
        assert_eq!(round_of_leader(&[0, 2]), 1);
    }
}
