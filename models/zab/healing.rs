//! What is promised once the network has healed.

use super::Zab;
use super::state::State;
use crate::election::{AfterHealing, Healed, Led, node_name};

/// All servers that may follow the leader do, and have delivered its whole history. A server that
/// has promised a later epoch may not follow (f.1.2) until there is another leader. A server that
/// has lost its disk does not vote, so it does not count as up.
pub(super) fn after_healing(nodes: &[Zab]) -> Result<AfterHealing<Zab>, String> {
    if nodes.iter().any(|server| server.oracle.is_some()) {
        let why = "the oracle may name another leader to each server, again and again";
        return Err(why.to_string());
    }
    Ok(AfterHealing {
        meaning: "a leader comes about that every server that is up and has promised no later epoch follows, and all of \
                  them have delivered its history",
        recovered: all_have_delivered,
        can_recover: |healed| {
            let voters = healed.live().filter(|(_, _, state)| state.initialised);
            healed.has_quorum_of(voters.map(|(id, ..)| id).collect())
        },
        ..AfterHealing::all_follow_a_leader()
    })
}

fn all_have_delivered(healed: &Healed<'_, Zab>) -> Result<Option<Led>, String> {
    let led = healed.followed_leader()?;
    let (_, leader) = healed.get(led.0).expect("a leader is up");
    let may_follow = |state: &State| state.disk.accepted <= leader.disk.accepted;
    let followers = || healed.live().filter(|(_, _, state)| may_follow(state));
    healed.all_follow(led, followers().map(|(id, ..)| id).collect())?;
    match followers().find(|(_, _, state)| state.delivered() != leader.disk.history) {
        Some((id, ..)) => {
            let (me, leader) = (node_name(id), node_name(led.0));
            Err(format!("{me} has not delivered the history of {leader}"))
        }
        None => Ok(Some(led)),
    }
}
