//! The rules of "Paxos Made Simple" (PMS) and "Paxos Made Moderately Complex" (PMMC), each as a
//! property of single steps: what a node may do, given what it was before, and what happened. They
//! are written from the papers and not from the handlers.
//!
//! If a crash cuts a step short, only what others could notice is checked: what was sent, and what
//! is on disk.

mod learning;
mod phase1;
mod phase2;
mod roles;
mod storage;
mod timers;

use stateright::actor::Id;

use super::MultiPaxos;
use super::message::{Message, Value, Votes};
use super::properties::{VALUES, has_values};
use super::state::{Ballot, Role, Slot, State};
use crate::election::{Check, Invariant, NodeSet, NodeStep, node_name};

/// The step that a rule checks.
type Step<'a> = NodeStep<'a, MultiPaxos>;
/// The answer of a rule. The error says in a sentence what is wrong.
type Verdict = Result<(), String>;

/// The rules as properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<MultiPaxos>> {
    of_ballots().into_iter().chain(of_leaders()).collect()
}

/// What is committed stays; and the rules of ballots, promises and votes.
fn of_ballots() -> Vec<Invariant<MultiPaxos>> {
    vec![
        Invariant::new(
            "committed-prefix-stable",
            "as long as a node runs, what it has committed stays and keeps its value (Paxos Made \
             Moderately Complex, invariants R1, R4)",
            Check::Rule(learning::committed_prefix_stable),
        )
        .with_setting(VALUES, has_values)
        .needing(&["leader-commits"]),
        Invariant::new(
            "numbers-are-new",
            "a node that hears of no leader asks all others to promise the least ballot that is \
             its own (the round counts first: 1.n1 < 1.n2 < 1.n3 < 2.n1), above its promise and \
             not used before, for every slot from the first that it does not know to be chosen \
             (Paxos Made Simple, 2.2, 2.5, 3)",
            Check::Step(phase1::numbers_are_new),
        )
        .needing(&["promises"]),
        Invariant::new(
            "promises-only-upwards",
            "an acceptor answers a request to prepare if and only if its ballot is above all that \
             it has promised, and reports all that it has accepted in the slots asked for (Paxos \
             Made Simple, 2.2, phase 1 (b), 3; Paxos Made Moderately Complex, invariant A1)",
            Check::Rule(phase1::promises_only_upwards),
        )
        .needing(&["promises"]),
        Invariant::new(
            "keeps-its-promise",
            "an acceptor accepts what it is asked to if and only if it has promised no higher \
             ballot, and says so; what it has promised and accepted only rises, and no acceptance \
             is removed (Paxos Made Simple, 2.2, P1a; Paxos Made Moderately Complex, invariants \
             A2, A3)",
            Check::Rule(phase2::keeps_its_promise),
        ),
    ]
}

/// The rules of leaders and their followers, of the disk, and of roles.
fn of_leaders() -> Vec<Invariant<MultiPaxos>> {
    vec![
        Invariant::new(
            "leads-by-a-majority",
            "only the owner of a ballot leads it, with promises for it from a majority, all given \
             since it began to run for it (Paxos Made Simple, 2.2; \"The Part-Time Parliament\", \
             B2)",
            Check::Step(phase1::leads_by_a_majority),
        ),
        Invariant::new(
            "bound-by-the-highest",
            "a new leader proposes in each slot the value that a majority reports under the \
             highest ballot, a no-op in each gap below, and nothing else (Paxos Made Simple, 2.2, \
             P2c, 3; \"The Part-Time Parliament\", B3; Paxos Made Moderately Complex, pmax)",
            Check::Step(phase1::bound_by_the_highest),
        )
        .with_setting(VALUES, has_values)
        .needing(&["proposes-what-was-reported"]),
        Invariant::new(
            "followed-has-led",
            "only the leader of a ballot proposes under it and says what is chosen; a node that \
             accepts or commits under a ballot follows a node that has led it (Paxos Made Simple, \
             3; Paxos Made Moderately Complex, invariant C1)",
            Check::Step(phase2::followed_has_led),
        ),
        Invariant::new(
            "counts-acceptances",
            "a leader counts the acceptances under its ballot, one of each acceptor; it commits in \
             the order of the slots as soon as a majority has accepted, says so to all, and \
             repeats what is not answered; a follower commits what it accepted under its leader's \
             ballot, as far as the leader says (Paxos Made Simple, 2.2, 2.3, 2.4)",
            Check::Rule(learning::counts_acceptances),
        ),
        Invariant::new(
            "stable-storage",
            "what a node says of itself is on its disk, and so is all that it must know when it \
             starts again (Paxos Made Simple, 2.5)",
            Check::Rule(storage::stable_storage),
        ),
        Invariant::new(
            "roles-fit",
            "a node that runs for a ballot or leads it has promised it last, and has what this \
             needs and nothing of an earlier ballot; each message changes the role that it is for, \
             and one of a ballot that is over changes nothing (Paxos Made Simple, 2.2, 2.3); a \
             node that does not lead waits 30 to 60 ms for its leader since it started, last \
             tried, or last heard of the ballot that it follows; a leader with heartbeats sends \
             them every 10 to 20 ms, and waits for nobody (Paxos Made Simple, 2.4)",
            Check::Rule(roles::roles_fit),
        ),
    ]
}

/// The state that a handler reached, even if the node crashed in it.
fn reached<'a>(step: &Step<'a>) -> Option<&'a State> {
    step.after.or(step.cut_short)
}

/// The node breaks a rule.
fn fail(step: &Step<'_>, what: impl std::fmt::Display) -> Verdict {
    Err(format!("{} {what}", node_name(step.id)))
}

fn is_majority(step: &Step<'_>, nodes: NodeSet) -> bool {
    nodes.len() * 2 > step.actor.nodes
}

/// All nodes but the one that takes the step.
fn others(step: &Step<'_>) -> NodeSet {
    NodeSet::first(step.actor.nodes).iter().filter(|id| *id != step.id).collect()
}

/// What `pick` selects of the messages that a node sent, each with its receiver.
fn sent_to<T>(step: &Step<'_>, pick: impl Fn(&Message) -> Option<T>) -> Vec<(Id, T)> {
    step.sends.iter().filter_map(|(dst, msg)| Some((*dst, pick(msg)?))).collect()
}

/// Whether the node sent exactly this; if its handler was cut short, a part of it.
fn is_sent<T: Ord>(step: &Step<'_>, mut sent: Vec<(Id, T)>, mut due: Vec<(Id, T)>) -> bool {
    sent.sort();
    due.sort();
    match step.after {
        Some(_) => sent == due,
        None => sent.iter().all(|one| due.contains(one)),
    }
}

/// The proposals that a node sent.
fn proposals(step: &Step<'_>) -> Vec<(Id, (Ballot, Slot, Value))> {
    sent_to(step, |msg| match msg {
        Message::Accept { ballot, slot, value } => Some((*ballot, *slot, *value)),
        _ => None,
    })
}

/// This, to all others.
fn to_others<T: Clone>(step: &Step<'_>, what: &[T]) -> Vec<(Id, T)> {
    others(step).iter().flat_map(|dst| what.iter().map(move |one| (dst, one.clone()))).collect()
}

/// The ballot that a node leads.
fn leads(state: &State) -> Option<Ballot> {
    matches!(state.role, Role::Leader { .. }).then_some(state.durable.promised)
}

/// The ballot that a node begins to lead.
fn begins_to_lead(step: &Step<'_>) -> Option<Ballot> {
    let ballot = leads(reached(step)?)?;
    (step.before.and_then(leads) != Some(ballot)).then_some(ballot)
}

/// The highest slot with a vote.
fn last(votes: &Votes) -> Slot {
    votes.last_key_value().map_or(Slot(0), |(slot, _)| *slot)
}
