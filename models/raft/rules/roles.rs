//! Figure 4: which role a server has after each step. The pre-candidate and the lease (thesis 9.6)
//! and CheckQuorum (thesis 6.2) are included.

use stateright::actor::Id;

use super::super::members::Members;
use super::super::message::{Message, Timer};
use super::super::state::{Role, State};
use super::{Step, Verdict, are_quorum, end, heard, leading, own_configuration, wrong};
use crate::election::{Event, NodeSet, Term, node_name, nodes_listed};

/// A role without what a leader knows of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Follower { leader: Option<Id>, lease: bool },
    PreCandidate { votes: NodeSet },
    Candidate { votes: NodeSet },
    Leader,
}

impl Kind {
    fn in_role(role: &Role) -> Self {
        match role {
            Role::Follower { leader, lease } => Kind::Follower { leader: *leader, lease: *lease },
            Role::PreCandidate { votes } => {
                Kind::PreCandidate { votes: votes.iter().copied().collect() }
            }
            Role::Candidate { votes } => Kind::Candidate { votes: votes.iter().copied().collect() },
            Role::Leader(_) => Kind::Leader,
        }
    }

    /// In words.
    fn told(self) -> String {
        match self {
            Kind::Follower { leader: Some(leader), .. } => {
                format!("a follower of {}", node_name(leader))
            }
            Kind::Follower { leader: None, .. } => "a follower without a leader".to_string(),
            Kind::PreCandidate { votes } => {
                format!("a pre-candidate with the pre-votes of {}", nodes_listed(votes.iter()))
            }
            Kind::Candidate { votes } => {
                format!("a candidate with the votes of {}", nodes_listed(votes.iter()))
            }
            Kind::Leader => "a leader".to_string(),
        }
    }

    /// A follower that knows of no leader.
    fn alone() -> Self {
        Kind::Follower { leader: None, lease: false }
    }
}

/// A role in words.
pub(super) fn role(role: &Role) -> String {
    Kind::in_role(role).told()
}

/// The role of a server after each kind of event, in the order of figure 4.
fn expected(step: &Step<'_>, before: &State, end: &State) -> (Term, Kind) {
    let config = own_configuration(step.actor, &before.persistent.log);
    let own = before.persistent.term;
    let alone = || [step.id].into_iter().collect();
    let (mut term, mut kind) = (own, Kind::in_role(&before.role));
    // Discovers a server with a higher term.
    if let Some(told) = heard(step).and_then(|(_, msg)| msg.term()).filter(|told| *told > own) {
        (term, kind) = (told, Kind::alone());
    }
    match (&step.event, &mut kind) {
        (Event::Deliver { msg: Message::AppendEntries { .. }, .. }, Kind::Leader) => {}
        // Discovers the current leader.
        (Event::Deliver { src, msg: Message::AppendEntries { term: of, .. } }, _)
            if *of == term =>
        {
            kind = Kind::Follower { leader: Some(*src), lease: step.actor.keeps_leases() };
        }
        (Event::Deliver { src, msg: Message::Vote { term: of } }, Kind::Candidate { votes })
            if *of == term =>
        {
            votes.insert(*src);
        }
        (
            Event::Deliver { src, msg: Message::PreVoteGranted { term: of } },
            Kind::PreCandidate { votes },
        ) if of.0 == term.0 + 1 => {
            votes.insert(*src);
        }
        (Event::Timeout { timer: Timer::Election }, _) if step.actor.pre_vote => {
            kind = Kind::PreCandidate { votes: alone() };
        }
        // Times out, starts an election.
        (Event::Timeout { timer: Timer::Election }, _) => {
            (term, kind) = (Term(own.0 + 1), Kind::Candidate { votes: alone() });
        }
        (Event::Timeout { timer: Timer::Lease }, Kind::Follower { lease, .. }) => *lease = false,
        (Event::Timeout { timer: Timer::Quorum }, Kind::Leader) => {
            let mut present = leading(before).map(|led| led.heard).unwrap_or_default();
            present.insert(step.id);
            if !are_quorum(config, present) {
                kind = Kind::alone();
            }
        }
        _ => {}
    }
    if matches!(kind, Kind::PreCandidate { votes } if are_quorum(config, votes)) {
        (term, kind) = (Term(own.0 + 1), Kind::Candidate { votes: alone() });
    }
    // Receives votes from a majority of the servers.
    if matches!(kind, Kind::Candidate { votes } if are_quorum(config, votes)) {
        kind = Kind::Leader;
    }
    // A leader that is no member of the committed configuration steps down (6).
    let is_out =
        |(index, config): (usize, Members)| index <= end.commit && !config.contains(step.id);
    if kind == Kind::Leader
        && end.commit > before.commit
        && end.persistent.log.members().is_some_and(is_out)
    {
        kind = Kind::alone();
    }
    (term, kind)
}

/// A server has the role that figure 4 says.
pub(super) fn transition(step: &Step<'_>) -> Verdict {
    let Some(end) = end(step) else { return Ok(()) };
    let found = (end.persistent.term, Kind::in_role(&end.role));
    // The order in which votes came does not matter.
    if let Role::PreCandidate { votes } | Role::Candidate { votes } = &end.role
        && !votes.is_sorted_by(|a, b| a < b)
    {
        return wrong(step, &format!("keeps votes out of order, or twice: {votes:?}"));
    }
    let Some(before) = step.before else {
        let disk = step.storage.map_or(Term(0), |disk| disk.term);
        if found != (disk, Kind::alone()) || end.commit > 0 {
            return wrong(
                step,
                &format!("starts up as {} of term {}", role(&end.role), end.persistent.term),
            );
        }
        return Ok(());
    };
    let expected = expected(step, before, end);
    if found != expected {
        let (term, kind) = (expected.0, expected.1.told());
        return wrong(
            step,
            &format!(
                "is {} of term {}, and should be {kind} of term {term}",
                role(&end.role),
                found.0
            ),
        );
    }
    Ok(())
}
