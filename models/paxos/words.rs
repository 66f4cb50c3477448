//! What belongs to Paxos in plain words: proposals, messages and parts of a state. Narrations and
//! verdicts use them.

use super::message::{Message, Proposal, Value};
use super::state::{Ballot, Disk, Phase, Tally};
use crate::election::nodes_listed;

/// A proposal that is accepted, or to be accepted.
pub(super) fn proposed(Proposal { ballot, value }: Proposal) -> String {
    format!("{} of ballot {ballot}", named(value))
}

/// What a promise reports.
pub(super) fn reported(accepted: Proposal) -> String {
    match accepted {
        Proposal::NONE => "nothing accepted".to_string(),
        accepted => proposed(accepted),
    }
}

/// A value.
pub(super) fn named(value: Value) -> String {
    match value {
        Value::EMPTY => "“empty”".to_string(),
        value => value.to_string(),
    }
}

/// What an acceptor has accepted.
pub(super) fn accepted(accepted: Proposal) -> String {
    match accepted {
        Proposal::NONE => "nothing".to_string(),
        accepted => proposed(accepted),
    }
}

/// A ballot, or none.
pub(super) fn numbered(ballot: Ballot) -> String {
    match ballot {
        Ballot::NONE => "no ballot".to_string(),
        ballot => format!("ballot {ballot}"),
    }
}

/// A message, as something that a node gets.
pub(super) fn message(msg: &Message) -> String {
    match msg {
        Message::Prepare { ballot } => format!("a request to promise ballot {ballot}"),
        Message::Promise { ballot, .. } => format!("a promise of ballot {ballot}"),
        Message::Accept { proposal } => format!("a request to accept {}", proposed(*proposal)),
        Message::Accepted { proposal } => format!("word that {} is accepted", proposed(*proposal)),
        Message::Refuse { ballot, .. } => format!("a refusal of ballot {ballot}"),
        Message::Chosen { value } => format!("word that {} is chosen", named(*value)),
    }
}

/// What follows `it has` for what a node keeps on its disk.
pub(super) fn kept(disk: &Disk) -> String {
    let learned = disk.learned.map_or("nothing".to_string(), named);
    format!(
        "tried {}, promised {}, accepted {} and learned {learned}",
        numbered(disk.tried),
        numbered(disk.promised),
        accepted(disk.accepted)
    )
}

/// What a proposer does, as what follows its name.
pub(super) fn does(phase: &Phase) -> String {
    match phase {
        Phase::Idle => "has no ballot under way".to_string(),
        Phase::Preparing { promises, bound } => format!(
            "is in phase 1 with the promises of {}, which report {}",
            nodes_listed(promises.iter()),
            reported(*bound)
        ),
        Phase::Leading => "leads".to_string(),
    }
}

/// What a learner has counted.
pub(super) fn counted(tally: &Tally) -> String {
    match tally.proposal {
        Proposal::NONE => "no acceptance".to_string(),
        proposal => {
            let who = nodes_listed(tally.voters.iter());
            format!("the acceptances of {} by {who}", proposed(proposal))
        }
    }
}
