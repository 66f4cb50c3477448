//! What the three roles of a node are to each other, in each of its states (section 2.2).

use stateright::actor::Id;

use super::super::message::Proposal;
use super::super::state::{Ballot, Phase, State, Tally};
use super::super::{Learners, Paxos};
use super::{Verdict, owner};
use crate::election::{Election, node_name};

pub(super) fn roles_fit(paxos: &Paxos, id: Id, state: &State) -> Verdict {
    let State { durable: disk, phase, tally, .. } = state;
    let name = node_name(id);
    let is_own = owner(paxos.nodes, disk.tried) == id;
    let expected = owner(paxos.nodes, disk.promised);
    let follows = (disk.promised > Ballot::NONE && expected != id).then_some(expected);
    if paxos.follows(id, state).map(|(_, leader)| leader) != follows {
        return Err(format!("{name} has promised {} and does not follow its owner", disk.promised));
    }
    if *phase != Phase::Idle && (disk.tried != disk.promised || !is_own) {
        return Err(format!(
            "{name} has promised {} and goes on with {}",
            disk.promised, disk.tried
        ));
    }
    if let Phase::Preparing { promises, bound } = phase {
        let is_under_way =
            promises.contains(id) && promises.len() < paxos.phase1 && disk.learned.is_none();
        if !is_under_way || bound.ballot >= disk.tried || bound.ballot < disk.accepted.ballot {
            return Err(format!(
                "{name} prepares {} with {promises:?}, bound by {bound:?}",
                disk.tried
            ));
        }
    }
    if paxos.election_only && disk.accepted != Proposal::NONE {
        return Err(format!("{name} accepted {:?} where there is phase 1 alone", disk.accepted));
    }
    let has_voted = paxos.election_only || disk.accepted.ballot == disk.tried;
    if *phase == Phase::Leading && !has_voted {
        return Err(format!("{name} leads {} and has not accepted its own proposal", disk.tried));
    }
    let counts = disk.learned.is_none()
        && match paxos.learners {
            Learners::Leader => *phase == Phase::Leading,
            Learners::First => id == Id::from(0),
            Learners::All => true,
        };
    if *tally != Tally::default() && !counts || tally.voters.len() >= paxos.phase2 {
        return Err(format!("{name} is no learner, or has no need to count, and counts {tally:?}"));
    }
    let must_count = counts && paxos.learners == Learners::Leader && !paxos.election_only;
    if must_count && (tally.proposal != disk.accepted || !tally.voters.contains(id)) {
        return Err(format!("{name} leads {} and counts {tally:?}", disk.tried));
    }
    Ok(())
}
