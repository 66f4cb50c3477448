//! Which messages are dead, which means that they can never again have an effect. The argument is
//! ours, not the papers'.
//!
//! It rests on two facts about a node. Its promise only rises, across restarts too. And it
//! campaigns under a ballot only once, so an answer that does not count now never will, and none
//! counts twice. With a planted bug that breaks one of these facts, the part of the argument that
//! needs it is switched off.

use stateright::actor::Id;

use super::MultiPaxos;
use super::bugs::Bug;
use super::message::Message;
use super::state::{Role, State};

/// Whether a message from `src` can never again have an effect on this node.
pub(super) fn is_dead(node: &MultiPaxos, id: Id, state: &State, src: Id, msg: &Message) -> bool {
    let promised = state.durable.promised;
    match (msg, node.bug) {
        // A promise only ever rises, across restarts too.
        (_, Some(Bug::ForgetsPromise)) => false,
        (Message::Prepare { ballot, .. }, Some(Bug::PromisesTwice)) => *ballot < promised,
        (Message::Prepare { ballot, .. }, _) => *ballot <= promised,
        (Message::Accept { .. }, Some(Bug::AcceptsBelowPromise)) => false,
        (Message::Accept { ballot, .. } | Message::Heartbeat { ballot, .. }, _) => {
            *ballot < promised
        }
        // A node campaigns under a ballot once, so an answer counts now or never, and once.
        (Message::Promise { .. } | Message::Accepted { .. }, Some(Bug::ReusesBallot)) => false,
        (Message::Promise { .. }, Some(Bug::PromiseNamesNoBallot)) => false,
        (Message::Promise { ballot, .. }, _) => match &state.role {
            Role::Candidate { promises, .. } if *ballot == promised => promises.contains(src),
            _ => ballot.owner() == id && ballot.round <= state.durable.round,
        },
        (Message::Accepted { ballot, slot }, _) => match &state.role {
            Role::Leader { acks } if *ballot == promised => {
                acks.get(slot).map_or(*slot <= state.chosen, |who| who.contains(src))
            }
            Role::Candidate { .. } if *ballot == promised => false,
            _ => ballot.owner() == id && ballot.round <= state.durable.round,
        },
    }
}
