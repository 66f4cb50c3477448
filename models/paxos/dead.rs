//! Which messages are dead, which means that they can never again have an effect. The argument is
//! ours, not the paper's.
//!
//! Used ballots, promises and accepted ballots only grow, and a learned value is kept, across
//! crashes, too: a message that is too old now stays too old. With refusals, however, an old
//! request still has an effect: it is refused.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::Message;
use super::state::{Disk, Phase, State};
use super::{Learners, Paxos};

/// Whether a message from `src` can never again have an effect on this node.
pub(super) fn is_dead(node: &Paxos, state: &State, src: Id, msg: &Message) -> bool {
    if node.bug.is_some_and(|bug| revives(bug, msg)) {
        return false;
    }
    let disk = &state.durable;
    match msg {
        Message::Prepare { .. } | Message::Accept { .. } => {
            asks_in_vain(disk, msg) && !node.refusals
        }
        Message::Promise { ballot, .. } => match state.phase {
            Phase::Preparing { promises, .. } => disk.tried != *ballot || promises.contains(src),
            Phase::Idle | Phase::Leading => true,
        },
        // Any other learner than the leader loses its tally in a crash, and may then count an old
        // vote again.
        Message::Accepted { proposal } => match node.learners {
            Learners::Leader => !node.counts(state, src, *proposal),
            Learners::First | Learners::All => disk.learned.is_some(),
        },
        Message::Refuse { ballot, .. } => {
            state.phase == Phase::Idle || disk.tried != *ballot || disk.learned.is_some()
        }
        Message::Chosen { .. } => disk.learned.is_some(),
    }
}

/// Whether a request is not granted, and never will be.
pub(super) fn asks_in_vain(disk: &Disk, request: &Message) -> bool {
    match request {
        Message::Prepare { ballot } => *ballot <= disk.promised,
        Message::Accept { proposal } => {
            proposal.ballot < disk.promised || *proposal == disk.accepted
        }
        _ => false,
    }
}

/// Whether the bug breaks the argument by which such a message would be dead.
fn revives(bug: Bug, msg: &Message) -> bool {
    match bug {
        Bug::ForgetsPromise
        | Bug::ForgetsAccepted
        | Bug::ForgetsEverything
        | Bug::ReusesBallot
        | Bug::SendsBeforeSaving
        | Bug::SharesBallots => true,
        Bug::AcceptsBelowPromise | Bug::ComparesWithAccepted | Bug::AcceptKeepsPromise => {
            matches!(msg, Message::Accept { .. })
        }
        Bug::PromisesAgain => matches!(msg, Message::Prepare { .. }),
        Bug::PromiseNamesNoBallot => matches!(msg, Message::Promise { .. }),
        Bug::OverwritesLearned => matches!(msg, Message::Accepted { .. }),
        Bug::IgnoresReports
        | Bug::TakesLowestBallot
        | Bug::TakesLastReport
        | Bug::TakesEmptyReport
        | Bug::OneBallotVariable
        | Bug::DisjointQuorums
        | Bug::CountsAcrossBallots
        | Bug::NeverRetries => false,
    }
}
