//! The rules of "Paxos Made Simple", each as a property of single steps: what a node may do, given
//! what it was before, and what happened. They are written from the paper and not from the
//! handlers. Section numbers are the paper's.
//!
//! If a crash cuts a step short, only what others could notice is checked: what was sent, and what
//! is on disk.

mod acceptor;
mod learner;
mod parts;
mod proposer;
mod roles;
mod storage;

use std::fmt::Display;

use stateright::actor::Id;

use super::Paxos;
use super::message::Message;
use super::properties::{PROPOSES, proposes};
use super::state::{Ballot, Phase, State};
use crate::election::{Check, Invariant, NodeSet, NodeStep, node_name};

/// The step that a rule checks.
type Step<'a> = NodeStep<'a, Paxos>;
/// The answer of a rule. The error says in a sentence what is wrong.
type Verdict = Result<(), String>;

/// The rules as properties.
pub(super) fn invariants() -> Vec<Invariant<Paxos>> {
    of_requests().into_iter().chain(of_quorums()).collect()
}

/// Which values and numbers are used, and how acceptors answer.
fn of_requests() -> Vec<Invariant<Paxos>> {
    vec![
        Invariant::new(
            "validity",
            "A ballot proposes what its leader wants, or what was proposed before, and only what \
             was proposed is accepted (section 2.1: only a value that has been proposed may be \
             chosen).",
            Check::Step(proposer::validity),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["accepts"]),
        Invariant::new(
            "learned-is-final",
            "What a node has learned it never replaces by another value (section 2.1: there is one \
             value to learn).",
            Check::Rule(learner::learned_is_final),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["counts-a-quorum"]),
        Invariant::new(
            "numbers-are-new",
            "A proposer that runs out of patience asks everybody to prepare for the least number \
             that is its own (with three nodes 3, 6 and so on are n1's, 4, 7 and so on n2's, 5, 8 \
             and so on n3's) and above all that it has tried or its acceptor has promised to \
             others; one that knows the chosen value asks nobody. Until then its patience lasts 30 \
             to 60 ms, and begins anew when it starts and at each new ballot, its own or another's \
             (sections 2.2, phase 1 (a), 2.4 and 2.5).",
            Check::Rule(proposer::numbers_are_new),
        ),
        Invariant::new(
            "promises-only-upwards",
            "An acceptor answers a request to prepare if and only if its number is above all that \
             it has promised, and reports the proposal that it has accepted; with refusals, it \
             refuses what is below (section 2.2, phase 1 (b)).",
            Check::Rule(acceptor::promises_only_upwards),
        )
        .with_setting("phase1_quorum >= 2", |nodes| nodes.iter().all(|node| node.phase1 >= 2))
        .needing(&["promises"]),
        Invariant::new(
            "keeps-its-promise",
            "An acceptor accepts a proposal that it is asked to accept if and only if it has \
             promised no higher number, and tells every learner; what it has promised, accepted \
             and tried only rises (section 2.2, P1a, phase 2 (b)).",
            Check::Rule(acceptor::keeps_its_promise),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["accepts"]),
    ]
}

/// The rules of quorums, of the disk, and of roles.
fn of_quorums() -> Vec<Invariant<Paxos>> {
    vec![
        Invariant::new(
            "leads-by-a-quorum",
            "A proposer that completes phase 1 has promises for its ballot from a quorum, all \
             given since it began to prepare; this quorum meets every quorum of phase 2 (section \
             2.2, phase 2 (a); \"The Part-Time Parliament\", B2).",
            Check::Step(proposer::leads_by_a_quorum),
        ),
        Invariant::new(
            "bound-by-the-highest",
            "A ballot's value is that of the highest-numbered proposal that some quorum of \
             promises reports, or the leader's own if they report none (section 2.2, P2c; \"The \
             Part-Time Parliament\", B3).",
            Check::Step(proposer::bound_by_the_highest),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["leads-bound", "leads-free"]),
        Invariant::new(
            "counts-acceptances",
            "A learner counts the acceptors that accepted one proposal, each once; as soon as they \
             are a quorum, it learns the value and tells those whom it is to tell (section 2.3).",
            Check::Rule(learner::counts_acceptances),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["counts-a-quorum"]),
        Invariant::new(
            "stable-storage",
            "What a node says of itself is on its disk, and so is all that it must know when it \
             starts again (section 2.5).",
            Check::Rule(storage::stable_storage),
        ),
        Invariant::new(
            "roles-fit",
            "A node that prepares or leads does so in its own ballot, which is the one that it \
             promised last, and has all that this needs and nothing of an earlier ballot; an \
             acceptor follows the owner of the ballot that it promised last (2.2).",
            Check::Node(roles::roles_fit),
        ),
        Invariant::new(
            "each-message-its-part",
            "A request changes the acceptor, a response the proposer that waits for it, an acceptance the \
             learner, and none of them anything else; a message of a ballot that is over changes \
             nothing (sections 2.2, 2.3).",
            Check::Rule(parts::each_message_its_part),
        ),
    ]
}

/// The state that a handler reached, even if the node crashed in it.
fn reached<'a>(step: &Step<'a>) -> Option<&'a State> {
    step.after.or(step.cut_short)
}

/// The answer that this node did something wrong.
fn fail(step: &Step<'_>, what: impl Display) -> Verdict {
    Err(format!("{} {what}", node_name(step.id)))
}

/// The owner of a ballot (section 2.5: different proposers choose their numbers from disjoint
/// sets).
fn owner(nodes: usize, ballot: Ballot) -> Id {
    Id::from((ballot.0 % nodes as u64) as usize)
}

/// The messages that `pick` selects of those that a node sent, each with its receiver, in the order
/// of sending.
fn sent_to<T: PartialEq + Copy>(
    step: &Step<'_>,
    pick: impl Fn(&Message) -> Option<T>,
) -> Vec<(Id, T)> {
    step.sends.iter().filter_map(|(dst, msg)| Some((*dst, pick(msg)?))).collect()
}

/// Whether the node sent the same message to exactly these nodes; if its handler was cut short, to
/// some of them.
fn is_sent_to<T: PartialEq>(step: &Step<'_>, sent: &[(Id, T)], receivers: NodeSet) -> bool {
    let met: NodeSet = sent.iter().map(|(dst, _)| *dst).collect();
    let is_one = sent.iter().all(|(_, what)| *what == sent[0].1) && met.len() == sent.len();
    let is_some = met.iter().all(|dst| receivers.contains(dst));
    is_one && is_some && (step.after.is_none() || met == receivers)
}

/// All nodes but the one that takes the step.
fn others(step: &Step<'_>) -> NodeSet {
    NodeSet::first(step.actor.nodes).iter().filter(|id| *id != step.id).collect()
}

/// The ballot that a node begins to lead.
fn begins_to_lead(step: &Step<'_>) -> Option<Ballot> {
    let leads = |state: &State| (state.phase == Phase::Leading).then_some(state.durable.tried);
    let ballot = leads(reached(step)?)?;
    (step.before.and_then(leads) != Some(ballot)).then_some(ballot)
}
