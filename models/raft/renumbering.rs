//! Terms that grow for ever: which states of a cluster go on alike. Our own argument, not the
//! paper's.
//!
//! A server compares its current term with those of messages, takes over a higher one, and counts
//! its own up by one. So a shift of all current terms, and of the terms in messages, changes
//! nothing. The terms of log entries are compared with each other and with those in requests for
//! votes (5.4.1) and in the check of the previous entry (5.3), never counted up. An entry's term
//! may be a current one, and then is shifted with it; of those below all current terms only the
//! order counts.

use stateright::actor::Id;

use super::Raft;
use super::log::Log;
use super::members::Membership;
use super::message::{Entry, Message, Position};
use super::state::{Disk, Role, State};
use crate::election::{Counter, Counting, Part, Snapshot, Term};

/// Terms.
const TERM: usize = 0;

/// Terms are counted up by one.
pub(super) fn countings() -> Vec<Counting> {
    vec![Counting { name: "terms", step: 1 }]
}

/// Renumbers the terms in a part of the cluster.
pub(super) fn renumber(part: Part<'_, Raft>, new: &mut dyn FnMut(Counter, u64) -> u64) {
    match part {
        Part::State(state) => disk(&mut state.persistent, new),
        Part::Disk(saved) => disk(saved, new),
        Part::NoDisk => {
            new(Counter::growing(TERM), 0);
        }
        Part::Timer(_) => {}
        Part::Message(message) => {
            let mut compared = |term: &mut Term| term.0 = new(Counter::compared(TERM), term.0);
            match message {
                Message::RequestVote { term, last } | Message::PreVote { term, last } => {
                    compared(term);
                    compared(&mut last.term);
                }
                Message::AppendEntries { term, prev, entry, .. } => {
                    compared(term);
                    compared(&mut prev.term);
                    if let Some(entry) = entry {
                        compared(&mut entry.term);
                    }
                }
                Message::Vote { term }
                | Message::PreVoteGranted { term }
                | Message::Appended { term, .. }
                | Message::Mismatch { term, .. }
                | Message::Refused { term } => compared(term),
            }
        }
    }
}

fn disk(disk: &mut Disk, new: &mut dyn FnMut(Counter, u64) -> u64) {
    disk.term.0 = new(Counter::growing(TERM), disk.term.0);
    disk.log.renumber(&mut |term| Term(new(Counter::compared(TERM), term.0)));
}

/// How far a server may be behind all others: with one term less than this, its request for
/// pre-votes is of a term that is over.
const FAR_BEHIND: u64 = 2;

/// What cannot matter any more.
pub(super) fn simplify(snapshot: &mut Snapshot<'_, Raft>) {
    forget_values(snapshot);
    unify_stale_requests(snapshot);
    unify_deaf_servers_far_behind(snapshot);
}

/// Which value a client has handed in matters to nobody: servers compare terms of entries, and of
/// one index and term there is but one. What is committed matters only to who may change the
/// configuration.
fn forget_values(snapshot: &mut Snapshot<'_, Raft>) {
    let Snapshot { nodes, states, disks, messages, .. } = snapshot;
    let is_fixed = nodes.iter().all(|raft| raft.membership == Membership::Fixed);
    for state in states.iter_mut().flatten() {
        state.persistent.log.forget_values();
        if is_fixed {
            state.commit = 0;
        }
    }
    disks.iter_mut().flatten().for_each(|disk| disk.log.forget_values());
    for envelope in messages {
        if let Message::AppendEntries { entry, commit, .. } = &mut envelope.msg {
            entry.iter_mut().for_each(Entry::forget_value);
            if is_fixed {
                *commit = 0;
            }
        }
    }
}

/// A server that hears from nobody, and with PreVote does not count up its term before somebody has
/// answered: its term stays. So does that of a leader that hears from nobody, and need not: it
/// leads on for ever. Once it is below all others, none of its messages is more than a stale
/// request to others, and it does not matter how far it is behind.
fn unify_deaf_servers_far_behind(snapshot: &mut Snapshot<'_, Raft>) {
    for i in 0..snapshot.states.len() {
        let id = Id::from(i);
        let others = snapshot.states.iter().enumerate().filter(|(other, _)| *other != i);
        let terms = others.map(|(other, server)| match server {
            Some(server) => Some(server.persistent.term.0),
            // It may come back with the term on its disk.
            None => {
                let disk = || snapshot.disks[other].as_ref().map_or(0, |disk| disk.term.0);
                snapshot.may_start.contains(Id::from(other)).then(disk)
            }
        });
        let Some(lowest) = terms.flatten().min() else { continue };
        let raft = &snapshot.nodes[i];
        let needs_nobody = raft.initial.are_carried_by(&[id], raft.bug);
        let is_fixed = raft.membership == Membership::Fixed;
        let is_heard = snapshot.hears.iter().filter(|heard| heard.contains(id)).count() > 1;
        if !snapshot.is_deaf(id) || !is_heard || needs_nobody || !is_fixed {
            continue;
        }
        let is_replaced = raft.check_quorum || snapshot.may_start.contains(id);
        let keeps_term = |server: &State| {
            raft.pre_vote || matches!(server.role, Role::Leader(_)) && !is_replaced
        };
        if let Some(server) = &mut snapshot.states[i]
            && keeps_term(server)
            && server.persistent.term.0 + FAR_BEHIND < lowest
        {
            server.persistent.term = Term(lowest - FAR_BEHIND);
            // Nobody hears of its entries, and they carry terms that others have left.
            server.persistent.log = Log::default();
        }
    }
}

/// A request of an earlier term than the receiver's elicits nothing but a refusal, whatever it
/// says, and the receiver's term does not fall: all such requests of one sender are one.
fn unify_stale_requests(snapshot: &mut Snapshot<'_, Raft>) {
    let Snapshot { states, messages, .. } = snapshot;
    for envelope in messages {
        let Some(Some(receiver)) = states.get(usize::from(envelope.dst)) else { continue };
        let none = Position::default();
        match &mut envelope.msg {
            Message::RequestVote { term, last } | Message::PreVote { term, last }
                if *term < receiver.persistent.term =>
            {
                (*term, *last) = (Term(0), none);
            }
            Message::AppendEntries { term, prev, entry, commit }
                if *term < receiver.persistent.term =>
            {
                (*term, *prev, *entry, *commit) = (Term(0), none, None, 0);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Command;
    use super::super::state::Leadership;
    use super::*;
    use crate::election::{Election, NodeSet, Setup, Value};

    /// n1 leads term 1 with an entry, the others are in term 9. They hear it; it hears these.
    /// Where in the form n1's log ends, and its term.
    fn leader(heard: &[usize], check_quorum: bool, may_start: &[usize]) -> (usize, Term) {
        let setup = Setup::new(Raft::about(), 3).with("values", Value::Number(1));
        let nodes = Raft::build(&setup.with("check_quorum", Value::Flag(check_quorum))).unwrap();
        let of = |ids: &[usize]| ids.iter().map(|i| Id::from(*i)).collect::<NodeSet>();
        let state = |term, log: Log, role| {
            let persistent = Disk { term: Term(term), voted_for: None, log };
            Some(State { persistent, commit: 0, role })
        };
        let follower = || state(9, Log::default(), Role::Follower { leader: None, lease: false });
        let progress = Vec::new();
        let leads = Role::Leader(Leadership { progress, heard: NodeSet::default() });
        let log = [Entry { term: Term(1), command: Command::Value(1) }].into_iter().collect();
        let mut snapshot = Snapshot {
            nodes: &nodes,
            states: vec![state(1, log, leads), follower(), follower()],
            may_start: of(may_start),
            hears: vec![of(heard), NodeSet::first(3), NodeSet::first(3)],
            disks: vec![None, None, None],
            timers: Vec::new(),
            messages: Vec::new(),
        };
        simplify(&mut snapshot);
        let leader = snapshot.states[0].as_ref().unwrap();
        (leader.persistent.log.last_index(), leader.persistent.term)
    }

    #[test]
    fn only_of_a_deaf_leader_for_ever_it_is_forgotten_how_far_it_is_behind() {
        assert_eq!(leader(&[0], false, &[]), (0, Term(7)));
        assert_eq!(leader(&[0, 2], false, &[]), (1, Term(1)), "it may hear of a later term");
        assert_eq!(leader(&[0], true, &[]), (1, Term(1)), "it steps down, and counts on");
        assert_eq!(leader(&[0], false, &[0]), (1, Term(1)), "it may come back as a follower");
    }
}
