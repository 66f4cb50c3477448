//! What the three roles of a node are to each other, in each of its states (section 2.2).

use stateright::actor::Id;

use super::super::message::Proposal;
use super::super::state::{Ballot, Phase, State, Tally};
use super::super::words::{accepted, counted, numbered, proposed, reported};
use super::super::{Learners, Paxos};
use super::{Verdict, owner};
use crate::election::{Election, node_name, nodes_listed};

pub(super) fn roles_fit(paxos: &Paxos, id: Id, state: &State) -> Verdict {
    let State { durable: disk, phase, tally, .. } = state;
    let name = node_name(id);
    let is_own = owner(paxos.nodes, disk.tried) == id;
    let expected = owner(paxos.nodes, disk.promised);
    let follows = (disk.promised > Ballot::NONE && expected != id).then_some(expected);
    if paxos.follows(id, state).map(|(_, leader)| leader) != follows {
        return Err(format!(
            "{name} has promised {} and does not follow its owner",
            numbered(disk.promised)
        ));
    }
    if *phase != Phase::Idle && (disk.tried != disk.promised || !is_own) {
        return Err(format!(
            "{name} has promised {} and goes on with its own {}",
            numbered(disk.promised),
            numbered(disk.tried)
        ));
    }
    if let Phase::Preparing { promises, bound } = phase {
        let is_under_way =
            promises.contains(id) && promises.len() < paxos.phase1 && disk.learned.is_none();
        if !is_under_way || bound.ballot >= disk.tried || bound.ballot < disk.accepted.ballot {
            return Err(format!(
                "{name} is in phase 1 of ballot {} with the promises of {}, which report {}, and \
                 has itself accepted {}",
                disk.tried,
                nodes_listed(promises.iter()),
                reported(*bound),
                accepted(disk.accepted)
            ));
        }
    }
    if paxos.election_only && disk.accepted != Proposal::NONE {
        return Err(format!(
            "{name} accepted {}, where there is phase 1 alone",
            proposed(disk.accepted)
        ));
    }
    let has_accepted = paxos.election_only || disk.accepted.ballot == disk.tried;
    if *phase == Phase::Leading && !has_accepted {
        return Err(format!(
            "{name} leads ballot {} and has not accepted its own proposal",
            disk.tried
        ));
    }
    let counts = disk.learned.is_none()
        && match paxos.learners {
            Learners::Leader => *phase == Phase::Leading,
            Learners::First => id == Id::from(0),
            Learners::All => true,
        };
    if *tally != Tally::default() && !counts || tally.voters.len() >= paxos.phase2 {
        return Err(format!(
            "{name} is no learner, or has no need to count, and counts {}",
            counted(tally)
        ));
    }
    let must_count = counts && paxos.learners == Learners::Leader && !paxos.election_only;
    if must_count && (tally.proposal != disk.accepted || !tally.voters.contains(id)) {
        return Err(format!("{name} leads ballot {} and counts {}", disk.tried, counted(tally)));
    }
    Ok(())
}
