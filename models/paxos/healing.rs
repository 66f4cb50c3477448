//! What Paxos promises once the network has healed: a value is chosen and learned. After that no
//! leader is needed.

use stateright::actor::Id;

use super::{Learners, Paxos};
use crate::election::{AfterHealing, Healed, Led, node_name};

/// Every learner that can find out by itself learns the value. The error says why nothing is
/// promised.
pub(super) fn after_healing(nodes: &[Paxos]) -> Result<AfterHealing<Paxos>, String> {
    if nodes.iter().any(|node| node.election_only) {
        return Err("with election_only nothing is ever proposed, so that leaders replace each \
                    other for ever"
            .to_string());
    }
    Ok(AfterHealing {
        meaning: "every learner that is up, and can find out by itself, learns the value",
        recovered: all_have_learned,
        can_recover: has_proposer_with_quorum,
        ..AfterHealing::all_follow_a_leader()
    })
}

/// Section 2.3: a learner that was not told finds out by having a proposal issued, so proposers
/// can. Other learners can only be told: a distinguished learner tells them once what it has
/// learned.
fn all_have_learned(healed: &Healed<'_, Paxos>) -> Result<Option<Led>, String> {
    let finds_out = |id: Id, node: &Paxos| match node.learners {
        Learners::First => id == Id::from(0),
        Learners::Leader | Learners::All => node.proposes(id),
    };
    let mut learners = healed.live().filter(|(id, node, _)| finds_out(*id, node));
    match learners.find(|(_, _, state)| state.durable.learned.is_none()) {
        Some((id, ..)) => Err(format!("{} has not learned the value", node_name(id))),
        None => Ok(None),
    }
}

/// Whether a proposer is up, with enough acceptors for both phases, and with a learner to tell.
fn has_proposer_with_quorum(healed: &Healed<'_, Paxos>) -> bool {
    let up = healed.up();
    let is_enough = |id: Id, node: &Paxos| {
        up.len() >= node.phase1.max(node.phase2)
            && node.proposes(id)
            && (node.learners != Learners::First || up.contains(Id::from(0)))
    };
    healed.live().any(|(id, node, _)| is_enough(id, node))
}
