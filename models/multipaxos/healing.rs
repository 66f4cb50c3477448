//! What must come about after the last fault, when messages arrive in time (PMS 2.4).

use super::MultiPaxos;
use crate::election::{AfterHealing, Healed, Led, node_name};

/// All nodes have promised the leader's ballot; everything proposed is chosen, and all know it.
pub(super) fn after_healing() -> AfterHealing<MultiPaxos> {
    AfterHealing {
        meaning: "a leader comes about that every node that is up follows, and every slot in use \
                  is chosen and known to be so by all of them",
        recovered: all_know_the_log,
        ..AfterHealing::all_follow_a_leader()
    }
}

/// PMS 3: what is proposed is chosen, without gaps, and PMS 2.1: what may have been lost is sent
/// again.
fn all_know_the_log(healed: &Healed<'_, MultiPaxos>) -> Result<Option<Led>, String> {
    let led = healed.followed_leader()?;
    healed.all_follow(led, healed.up())?;
    let (_, leader) = healed.get(led.0).expect("a leader is up");
    let last = leader.durable.last();
    match healed.live().find(|(_, _, state)| state.chosen < last) {
        Some((id, _, state)) => Err(format!(
            "{} knows of nothing chosen beyond slot {:?}, and slot {last:?} is in use",
            node_name(id),
            state.chosen
        )),
        None => Ok(Some(led)),
    }
}
