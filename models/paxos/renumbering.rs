//! Ballots that grow for ever: which states of a system go on alike. Our own argument, not the
//! paper's.
//!
//! A node compares ballots, takes over a higher one, and counts on from the higher of what it has
//! tried and what it has promised, to the next ballot of its own (2.5). Whose a ballot is, its
//! number says modulo the number of nodes. So a shift of all ballots by a multiple of that changes
//! nothing. The numbers of accepted proposals, of a learner's tally and of messages are only
//! compared: a ballot is taken over from a message only where it is higher than the receiver's
//! own. Who knows the value starts no ballot any more, so its numbers are only compared, too.
//!
//! What values there are matters to nobody but a client: rules compare proposals, and of one
//! number there is but one.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Proposal, Value};
use super::state::{Ballot, Disk, Phase, State, Tally};
use super::{Paxos, dead};
use crate::election::{Counter, Counting, Part, Snapshot};

/// Ballots.
const BALLOT: usize = 0;

/// How a number is replaced.
type New<'a> = &'a mut dyn FnMut(Counter, u64) -> u64;

/// A node's next ballot is computed from the number of nodes.
pub(super) fn countings(nodes: &[Paxos]) -> Vec<Counting> {
    vec![Counting { name: "ballots", step: nodes.len() as u64 }]
}

/// Renumbers the ballots in a part of the system.
pub(super) fn renumber(part: Part<'_, Paxos>, new: New<'_>) {
    match part {
        Part::State(State { durable, phase, tally, .. }) => {
            disk(durable, new);
            if let Phase::Preparing { bound, .. } = phase {
                compared(&mut bound.ballot, new);
            }
            compared(&mut tally.proposal.ballot, new);
        }
        Part::Disk(saved) => disk(saved, new),
        Part::NoDisk => {
            new(Counter::growing(BALLOT), 0);
        }
        Part::Timer(_) => {}
        Part::Message(message) => match message {
            Message::Prepare { ballot } => compared(ballot, new),
            Message::Promise { ballot, accepted } => {
                compared(ballot, new);
                compared(&mut accepted.ballot, new);
            }
            Message::Accept { proposal } | Message::Accepted { proposal } => {
                compared(&mut proposal.ballot, new);
            }
            Message::Refuse { ballot, promised } => {
                compared(ballot, new);
                compared(promised, new);
            }
            Message::Chosen { .. } => {}
        },
    }
}

/// The next ballot is the least of the node's own that is above the one number and not below the
/// other (2.5), so the lower of the two is only compared.
fn disk(disk: &mut Disk, new: New<'_>) {
    let next_is_above = match disk.learned {
        Some(_) => None,
        None => Some(disk.tried.max(disk.promised)),
    };
    for ballot in [&mut disk.tried, &mut disk.promised] {
        let grows = next_is_above == Some(*ballot);
        ballot.0 = new(Counter { kind: BALLOT, grows }, ballot.0);
    }
    compared(&mut disk.accepted.ballot, new);
}

fn compared(ballot: &mut Ballot, new: New<'_>) {
    ballot.0 = new(Counter::compared(BALLOT), ballot.0);
}

/// Takes out what nobody looks at any more. A planted bug may break what is argued with, but for
/// one that only loses time.
pub(super) fn simplify(snapshot: &mut Snapshot<'_, Paxos>) {
    if snapshot.nodes.iter().any(|node| !matches!(node.bug, None | Some(Bug::NeverRetries))) {
        return;
    }
    drop_messages(snapshot);
    let Snapshot { states, disks, messages, .. } = snapshot;
    messages.iter_mut().for_each(|envelope| forget_value(&mut envelope.msg));
    disks.iter_mut().flatten().for_each(simplify_disk);
    for state in states.iter_mut().flatten() {
        simplify_disk(&mut state.durable);
        // Its only use is to tell values apart.
        state.incarnation = 0;
        if state.durable.learned.is_some() {
            // It counts no promise and no vote any more, and starts no ballot: it has no use for
            // one that is under way.
            state.phase = Phase::Idle;
        }
        if let Phase::Preparing { bound, .. } = &mut state.phase {
            forget(bound);
        }
        let Tally { proposal, .. } = &mut state.tally;
        forget(proposal);
    }
    let knows = |disk: &Disk| disk.learned.is_some();
    let may_start = snapshot.may_start;
    let mut nodes = states.iter().zip(disks).enumerate();
    if nodes.all(|(i, (state, disk))| match state {
        Some(state) => knows(&state.durable),
        None => !may_start.contains(Id::from(i)) || disk.as_ref().is_some_and(knows),
    }) {
        end(snapshot);
    }
}

/// Where all know the value, on disk, too, nobody starts a ballot any more, and no answer counts.
fn end(snapshot: &mut Snapshot<'_, Paxos>) {
    snapshot.messages.clear();
    let memories = snapshot.states.iter_mut().flatten().map(|state| &mut state.durable);
    for disk in memories.chain(snapshot.disks.iter_mut().flatten()) {
        (disk.promised, disk.accepted) = (Ballot::NONE, Proposal::NONE);
    }
}

/// Takes out messages that have no effect on their receiver, nor, if it is down, on what it will be
/// when it starts.
fn drop_messages(snapshot: &mut Snapshot<'_, Paxos>) {
    let Snapshot { nodes, states, disks, messages, .. } = snapshot;
    messages.retain(|envelope| {
        let (src, dst) = (usize::from(envelope.src), usize::from(envelope.dst));
        let started;
        let receiver = match &states[dst] {
            Some(state) => state,
            None => {
                started = State { durable: disks[dst].unwrap_or_default(), ..State::default() };
                &started
            }
        };
        !dead::is_dead(&nodes[dst], receiver, envelope.src, &envelope.msg)
            && matters(&nodes[dst], receiver, states[src].as_ref(), &envelope.msg)
    });
}

/// With refusals, a request that comes too late is answered. Whether the answer counts is known
/// already: a proposer that has left a ballot does not come back to it.
fn matters(node: &Paxos, receiver: &State, sender: Option<&State>, msg: &Message) -> bool {
    let ballot = match msg {
        Message::Prepare { ballot } => *ballot,
        Message::Accept { proposal } => proposal.ballot,
        _ => return true,
    };
    let is_waiting = sender.is_some_and(|sender| {
        sender.phase != Phase::Idle
            && sender.durable.tried == ballot
            && sender.durable.learned.is_none()
    });
    is_waiting || !dead::asks_in_vain(&receiver.durable, msg) || !node.refusals
}

/// A ballot tried that is lower than the promise says nothing of the next one. Who knows the value
/// starts none.
fn simplify_disk(disk: &mut Disk) {
    if disk.tried < disk.promised || disk.learned.is_some() {
        disk.tried = Ballot::NONE;
    }
    forget(&mut disk.accepted);
    disk.learned = disk.learned.map(|_| ANY);
}

/// Stands for any value.
const ANY: Value = Value { node: 1, round: 1, life: 0 };

fn forget_value(msg: &mut Message) {
    match msg {
        Message::Promise { accepted: proposal, .. }
        | Message::Accept { proposal }
        | Message::Accepted { proposal } => forget(proposal),
        Message::Chosen { value } => *value = ANY,
        Message::Prepare { .. } | Message::Refuse { .. } => {}
    }
}

fn forget(proposal: &mut Proposal) {
    if *proposal != Proposal::NONE {
        proposal.value = ANY;
    }
}
