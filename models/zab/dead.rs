//! Which messages are dead, which means that they can never again have an effect. The argument is
//! ours, not the paper's.
//!
//! It rests on three facts about a server. Its links only grow, and under each it leaves the
//! election once and opens one connection. It reads each packet of a connection once. The epoch
//! that it has promised never falls, and it tries to lead an epoch once.

use stateright::actor::Id;

use super::Zab;
use super::bugs::Bug;
use super::message::{Message, Packet};
use super::state::{Role, State};

/// Whether a message from `src` can never again have an effect on this server.
pub(super) fn is_dead(node: &Zab, state: &State, src: Id, msg: &Message) -> bool {
    match msg {
        // A receiver answers it or learns from it, after a restart at the latest.
        Message::Notification { .. } => false,
        // The server has left the election under that link, or looks under a later one.
        Message::Settled { link, .. } => {
            let is_looking = matches!(state.role, Role::Looking(_));
            *link < state.link || (*link == state.link && !is_looking)
        }
        Message::Packet { packet: Packet::Propose { .. }, .. }
            if node.bug == Some(Bug::LogsAfterLeaving) =>
        {
            false
        }
        // The connection is closed, or is one to another leader; or the packet was read.
        Message::Packet { link, place, .. } => match &state.role {
            Role::Following(f) if f.channel.link == *link => {
                f.leader != src || *place <= f.channel.read
            }
            Role::Leading(_) => *link <= state.link,
            _ => *link < state.link,
        },
        Message::Ping { link, .. } => match &state.role {
            Role::Following(f) if f.channel.link == *link => f.leader != src,
            Role::Leading(_) => *link <= state.link,
            _ => *link < state.link,
        },
        Message::Report { link, place, report } => {
            // A later attempt to lead would welcome FOLLOWERINFO.
            let Some(epoch) = report.epoch() else { return false };
            // All else answers this server as the leader of an epoch, which it tries to lead once.
            let open = match &state.role {
                Role::Leading(leading) => match leading.learners.get(&src) {
                    Some(learner) if learner.channel.link == *link => *place > learner.channel.read,
                    _ => leading.is_new(src, *link),
                },
                _ => false,
            };
            let accepted = state.disk.accepted;
            epoch < accepted || (epoch == accepted && !(open && state.attempt() == Some(epoch)))
        }
        // A leader counts it anew each time that it has heard of a quorum.
        Message::Pong { .. } => false,
    }
}
