//! What Raft promises once the network has healed.

use stateright::actor::Id;

use super::Raft;
use super::log::Log;
use super::message::{Command, Position};
use crate::election::{AfterHealing, Healed, Led, node_name};

/// A leader comes about that the members of its configuration follow, and whose log they have.
///
/// Their logs may be longer than the leader's: an entry is deleted only when it conflicts with a
/// new one (5.3). Not all entries need be committed: those of earlier terms wait for one of the
/// leader's own term (5.4.2), which only a client can bring. Servers that were removed do not
/// count.
pub(super) fn after_healing() -> AfterHealing<Raft> {
    AfterHealing {
        meaning: "a leader comes about that every member of its configuration that is up follows, \
                  with the leader's log",
        recovered: members_follow,
        can_recover: most_recent_has_quorum,
        takes: |command| !matches!(command, Command::Members(_)),
    }
}

/// Who leads. The error says what is missing.
fn members_follow(healed: &Healed<'_, Raft>) -> Result<Option<Led>, String> {
    let led = healed.followed_leader()?;
    let (raft, leader) = healed.get(led.0).expect("a leader is up");
    let log = &leader.persistent.log;
    let members = raft.members(log).all();
    healed.all_follow(led, members)?;
    let mut up = healed.live().filter(|(id, ..)| members.contains(*id));
    match up.find(|(_, _, server)| !server.persistent.log.starts_with(log)) {
        Some((id, ..)) => {
            Err(format!("{} has not the log of its leader {}", node_name(id), node_name(led.0)))
        }
        None => Ok(Some(led)),
    }
}

/// A server can win if no log is more up-to-date than its own, and its own configuration has a
/// quorum that is up. The configurations of other servers may be outdated. Entries of a server that
/// is down count, too, since they may still be in flight to others.
fn most_recent_has_quorum(healed: &Healed<'_, Raft>) -> bool {
    let recency = |log: &Log| {
        let Position { index, term } = log.last();
        (term, index)
    };
    let up: Vec<Id> = healed.up().iter().collect();
    let Some(most_recent) =
        healed.live().map(|(_, _, server)| recency(&server.persistent.log)).max()
    else {
        return false;
    };
    let logs = healed.states.iter().zip(&healed.disks).filter_map(|(server, disk)| match server {
        Some(server) => Some(&server.persistent.log),
        None => disk.map(|disk| &disk.log),
    });
    let mut counted = logs.filter(|log| recency(log) >= most_recent);
    let raft = &healed.nodes[0];
    counted.all(|log| raft.members(log).are_carried_by(&up, raft.bug))
}
