//! The rules of "Paxos Made Simple", each as a property of single steps: what a node may do, given what it was before, and
//! what happened. They are written from the paper and not from the handlers. Section numbers are the paper's.
//!
//! A step that a crash cuts short is held to what others could notice of it: what it sent, and what is on disk.

use stateright::actor::Id;

use super::history::{History, PROPOSES, proposes};
use super::{Ballot, Disk, Learners, Msg, Paxos, Phase, Proposal, State, Tally, Timer, Value};
use crate::election::{Check, Event, Invariant, NodeSet, NodeStep, node_name};

type Step<'a> = NodeStep<'a, Paxos>;
type Verdict = Result<(), String>;

pub fn invariants() -> Vec<Invariant<Paxos>> {
    vec![
        Invariant::new(
            "validity",
            "A ballot proposes what its leader wants, or what was proposed before, and only what was proposed is accepted \
             (section 2.1: only a value that has been proposed may be chosen).",
            Check::Step(validity),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["accepts"]),
        Invariant::new(
            "learned-is-final",
            "What a node has learned it never replaces by another value (section 2.1: there is one value to learn).",
            Check::Rule(learned_is_final),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["counts-a-quorum"]),
        Invariant::new(
            "numbers-are-new",
            "A proposer that runs out of patience asks everybody to prepare for the least number that is its own and above \
             all that it has tried or its acceptor has promised to others; one that knows the value asks nobody. Until it knows \
             the value it has patience for 30 to 60 ms, anew when it starts and at each new ballot, its own or another's \
             (sections 2.2, phase 1 (a), 2.4 and 2.5).",
            Check::Rule(numbers_are_new),
        ),
        Invariant::new(
            "promises-only-upwards",
            "An acceptor answers a request to prepare if and only if its number is above all that it has promised, and \
             reports the proposal that it has accepted; with refusals, it refuses what is below (section 2.2, phase 1 (b)).",
            Check::Rule(promises_only_upwards),
        )
        .with_setting("phase1_quorum >= 2", |nodes| nodes.iter().all(|node| node.phase1 >= 2))
        .needing(&["promises"]),
        Invariant::new(
            "keeps-its-promise",
            "An acceptor accepts a proposal that it is asked to accept if and only if it has promised no higher number, and \
             tells every learner; what it has promised, accepted and tried only rises (section 2.2, P1a, phase 2 (b)).",
            Check::Rule(keeps_its_promise),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["accepts"]),
        Invariant::new(
            "leads-by-a-quorum",
            "Who completes phase 1 for a ballot has promises for this ballot of a quorum, one that meets every quorum of \
             phase 2, given since it began to prepare (section 2.2, phase 2 (a); \"The Part-Time Parliament\", B2).",
            Check::Step(leads_by_a_quorum),
        ),
        Invariant::new(
            "bound-by-the-highest",
            "A ballot's value is that of the highest-numbered proposal that some quorum of promises reports, or the \
             leader's own if they report none (section 2.2, P2c; \"The Part-Time Parliament\", B3).",
            Check::Step(bound_by_the_highest),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["leads-bound", "leads-free"]),
        Invariant::new(
            "counts-votes",
            "A learner counts who accepted one proposal, each acceptor once, and learns its value, and tells it where it is \
             to, as soon as they are a quorum (section 2.3).",
            Check::Rule(counts_votes),
        )
        .with_setting(PROPOSES, proposes)
        .needing(&["counts-a-quorum"]),
        Invariant::new(
            "stable-storage",
            "What a node says of itself is on its disk, and so is all that it must know when it starts again (section 2.5).",
            Check::Rule(stable_storage),
        ),
        Invariant::new(
            "roles-fit",
            "A node that prepares or leads does so in the ballot that it promised last, which is its own, with all that this \
             needs and nothing of an earlier one; acceptors follow the owner of the ballot that they promised last (2.2).",
            Check::Node(roles_fit),
        ),
        Invariant::new(
            "each-message-its-part",
            "Requests move the acceptor, responses the proposer that waits for them, votes the learner, and each no other; a \
             message of a ballot that is over moves nothing (sections 2.2, 2.3).",
            Check::Rule(each_message_its_part),
        ),
    ]
}

/// The state that a handler reached, even if the node crashed in it.
fn reached<'a>(step: &Step<'a>) -> Option<&'a State> {
    step.after.or(step.cut_short)
}

fn fail(step: &Step<'_>, what: impl std::fmt::Display) -> Verdict {
    Err(format!("{} {what}", node_name(step.id)))
}

/// The owner of a ballot (section 2.5: different proposers choose their numbers from disjoint sets).
fn owner(nodes: usize, ballot: Ballot) -> Id {
    Id::from((ballot.0 % nodes as u64) as usize)
}

/// Whom a node sent what this picks out, in the order of the nodes; or that it sent it to one of them twice.
fn sent_to<T: PartialEq + Copy>(step: &Step<'_>, pick: impl Fn(&Msg) -> Option<T>) -> Vec<(Id, T)> {
    step.sends.iter().filter_map(|(dst, msg)| Some((*dst, pick(msg)?))).collect()
}

/// Whether a whole handler sent one and the same to exactly these nodes, or one that was cut short to some of them.
fn is_sent_to<T: PartialEq>(step: &Step<'_>, sent: &[(Id, T)], receivers: NodeSet) -> bool {
    let met: NodeSet = sent.iter().map(|(dst, _)| *dst).collect();
    let is_one = sent.iter().all(|(_, what)| *what == sent[0].1) && met.len() == sent.len();
    let is_some = met.iter().all(|dst| receivers.contains(dst));
    is_one && is_some && (step.after.is_none() || met == receivers)
}

fn others(step: &Step<'_>) -> NodeSet {
    NodeSet::first(step.actor.nodes).iter().filter(|id| *id != step.id).collect()
}

/// The ballot that a node begins to lead.
fn begins_to_lead(step: &Step<'_>) -> Option<Ballot> {
    let leads = |state: &State| (state.phase == Phase::Leading).then_some(state.durable.tried);
    let ballot = leads(reached(step)?)?;
    (step.before.and_then(leads) != Some(ballot)).then_some(ballot)
}

fn is_wanted(step: &Step<'_>, Proposal { ballot, value }: Proposal) -> bool {
    let Value { node, round, life } = value;
    let is_own = usize::from(node) == usize::from(step.id) + 1 && u32::from(life) == step.incarnation;
    is_own && u64::from(round) == ballot.0 / step.actor.nodes as u64
}

fn validity(history: &History, step: &Step<'_>) -> Verdict {
    for (_, msg) in step.sends {
        if let Msg::Accept { proposal } = msg
            && !is_wanted(step, *proposal)
            && !history.has_value(proposal.value)
        {
            let Proposal { ballot, value } = proposal;
            return Err(format!("ballot {ballot} proposed {value}, which nobody had proposed"));
        }
    }
    let accepted = reached(step).map(|state| state.durable.accepted);
    match (step.before, accepted) {
        (Some(before), Some(accepted)) if accepted != before.durable.accepted => {
            let is_own = begins_to_lead(step) == Some(accepted.ballot);
            if is_own || history.was_proposed(&accepted) {
                Ok(())
            } else {
                fail(step, format_args!("accepted {accepted:?}, which was not proposed"))
            }
        }
        _ => Ok(()),
    }
}

fn learned_is_final(step: &Step<'_>) -> Verdict {
    let before = step.before.and_then(|state| state.durable.learned);
    let after = reached(step).and_then(|state| state.durable.learned);
    match (before, after, reached(step)) {
        (Some(old), Some(new), _) if new != old => fail(step, format_args!("learned {old} and then {new}")),
        (Some(old), None, Some(_)) => fail(step, format_args!("learned {old} and then nothing")),
        _ => Ok(()),
    }
}

fn numbers_are_new(step: &Step<'_>) -> Verdict {
    has_patience(step)?;
    let asked = sent_to(step, |msg| match msg {
        Msg::Prepare { ballot } => Some(*ballot),
        _ => None,
    });
    let Event::Timeout { .. } = step.event else {
        return if asked.is_empty() { Ok(()) } else { fail(step, "asked to prepare without a timeout") };
    };
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let Disk { tried, promised, learned, .. } = before.durable;
    let (ballot, nodes) = (after.durable.tried, step.actor.nodes);
    if let Some(value) = learned {
        return fail(step, format_args!("started ballot {ballot} though it has learned {value}"));
    }
    if usize::from(step.id) >= step.actor.proposers {
        return fail(step, "proposes, and is an acceptor only");
    }
    if owner(nodes, ballot) != step.id || ballot <= tried || ballot < promised {
        return fail(step, format_args!("started ballot {ballot} after {tried}, having promised {promised}"));
    }
    let lower = Ballot(ballot.0 - nodes as u64);
    let is_lowest = lower <= tried || lower < promised || lower.0 < nodes as u64;
    if !is_lowest {
        return fail(step, format_args!("skipped ballot {lower} for {ballot}"));
    }
    let is_alone = after.phase == Phase::Leading;
    // What it reports to itself under which number, the rule for promises says.
    let begins = |phase: &Phase| {
        let own = before.durable.accepted.value;
        matches!(phase, Phase::Preparing { promises, bound }
            if *promises == NodeSet::from_iter([step.id]) && bound.value == own)
    };
    if !is_alone && !begins(&after.phase) {
        return fail(step, format_args!("started ballot {ballot} as {:?}", after.phase));
    }
    let is_right = asked.iter().all(|(_, asked)| *asked == ballot);
    if !is_right || !is_alone && !is_sent_to(step, &asked, others(step)) {
        return fail(step, format_args!("did not ask everybody to prepare for {ballot}"));
    }
    Ok(())
}

/// Whoever proposes waits, and nobody else, and not for a value that it knows.
fn has_patience(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let waits = usize::from(step.id) < step.actor.proposers && after.durable.learned.is_none();
    let Some(age) = step.timers.get(&Timer::Retry) else {
        return if waits { fail(step, "does not know the value, and will not try again") } else { Ok(()) };
    };
    if !waits {
        return fail(step, "waits to propose, and is not to");
    }
    let earlier = step.timers_before.get(&Timer::Retry);
    let is_right = match (step.before, earlier) {
        // From 30 to below 60 ms; how long a tick is, no node knows.
        (None, _) => age.is_new(age.first.into(), (2 * u64::from(age.first)).saturating_sub(1)),
        (Some(before), Some(earlier)) => {
            let is_heard = after.durable.promised > before.durable.promised;
            if is_heard || matches!(step.event, Event::Timeout { .. }) {
                age.is_new(earlier.first.into(), earlier.last.into())
            } else {
                age == earlier
            }
        }
        (Some(_), None) => false,
    };
    if is_right { Ok(()) } else { fail(step, format_args!("waits {age:?}, and had waited {earlier:?}")) }
}

fn promises_only_upwards(step: &Step<'_>) -> Verdict {
    for (dst, msg) in step.sends {
        let Some(Disk { promised, accepted: vote, .. }) = step.before.map(|state| state.durable) else {
            return fail(step, "spoke when it started");
        };
        let is_asked = |number: Ballot| match step.event {
            Event::Deliver { src, msg: Msg::Prepare { ballot } } => src == *dst && *ballot == number,
            _ => false,
        };
        match *msg {
            Msg::Promise { ballot, .. } if !is_asked(ballot) => {
                return fail(step, format_args!("promised {ballot} without being asked"));
            }
            Msg::Promise { ballot, .. } if ballot <= promised => {
                return fail(step, format_args!("had promised {promised}, and promised {ballot}"));
            }
            Msg::Promise { ballot, accepted } if accepted != vote => {
                return fail(
                    step,
                    format_args!("reported {accepted:?} to {ballot}, and had accepted {vote:?}"),
                );
            }
            _ => {}
        }
    }
    refuses_what_is_below(step)?;
    match (&step.event, step.before, step.after) {
        (Event::Deliver { src, msg: Msg::Prepare { ballot } }, Some(before), Some(_)) => {
            let promises = sent_to(step, |msg| matches!(msg, Msg::Promise { .. }).then_some(()));
            let is_due = *ballot > before.durable.promised;
            if is_due && !is_sent_to(step, &promises, NodeSet::from_iter([*src])) {
                return fail(step, format_args!("did not answer the request to prepare for {ballot}"));
            }
            if is_due && step.after.is_some_and(|after| after.durable.promised != *ballot) {
                return fail(step, format_args!("does not remember its promise to {ballot}"));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// With refusals, a request below the promise is refused, and nothing else is (section 2.2, at its end).
fn refuses_what_is_below(step: &Step<'_>) -> Verdict {
    let refused = sent_to(step, |msg| match msg {
        Msg::Refuse { ballot, promised } => Some((*ballot, *promised)),
        _ => None,
    });
    let promised = step.before.map(|before| before.durable.promised).unwrap_or_default();
    let due = match step.event {
        Event::Deliver { src, msg: Msg::Prepare { ballot } } => Some((src, *ballot)),
        Event::Deliver { src, msg: Msg::Accept { proposal } } => Some((src, proposal.ballot)),
        _ => None,
    }
    .filter(|(_, ballot)| step.actor.refusals && *ballot < promised);
    let receivers: NodeSet = due.into_iter().map(|(src, _)| src).collect();
    let is_right = refused.iter().all(|(_, what)| Some(*what) == due.map(|(_, ballot)| (ballot, promised)));
    if is_right && is_sent_to(step, &refused, receivers) {
        Ok(())
    } else {
        fail(step, format_args!("refused {refused:?}, having promised {promised}"))
    }
}

fn keeps_its_promise(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    if new.promised < old.promised || new.accepted.ballot < old.accepted.ballot || new.tried < old.tried {
        return fail(step, format_args!("went back from {old:?} to {new:?}"));
    }
    if new.accepted.ballot > new.promised {
        return fail(step, format_args!("accepted {:?}, and goes on below it", new.accepted));
    }
    let told = sent_to(step, |msg| match msg {
        Msg::Accepted { proposal } => Some(*proposal),
        _ => None,
    });
    if new.accepted == old.accepted {
        let Event::Deliver { msg: Msg::Accept { proposal }, .. } = step.event else {
            return if told.is_empty() { Ok(()) } else { fail(step, "told what it did not accept") };
        };
        // What was accepted before need not be told again.
        let is_ignored = proposal.ballot < old.promised || *proposal == old.accepted;
        return if is_ignored && told.is_empty() {
            Ok(())
        } else {
            fail(step, format_args!("did not accept {proposal:?} after promising {}", old.promised))
        };
    }
    if new.accepted.ballot < old.promised {
        return fail(step, format_args!("promised {} and accepted {:?}", old.promised, new.accepted));
    }
    let leader = match step.event {
        Event::Deliver { src, msg: Msg::Accept { proposal } } if *proposal == new.accepted => src,
        _ if begins_to_lead(step) == Some(new.accepted.ballot) => step.id,
        _ => return fail(step, format_args!("accepted {:?} without being asked", new.accepted)),
    };
    let learners = match step.actor.learners {
        Learners::Leader => NodeSet::from_iter([leader]),
        Learners::First => NodeSet::first(1),
        Learners::All => NodeSet::first(step.actor.nodes),
    };
    let learners: NodeSet = learners.iter().filter(|id| *id != step.id).collect();
    if told.iter().any(|(_, told)| *told != new.accepted) || !is_sent_to(step, &told, learners) {
        return fail(step, format_args!("accepted {:?} and did not tell {learners:?}", new.accepted));
    }
    Ok(())
}

/// With the reports of those who have promised this ballot, its leader's own included.
fn reports(history: &History, step: &Step<'_>, ballot: Ballot) -> Vec<Proposal> {
    let known = history.promises(step.id, ballot);
    let own = step.before.map(|before| before.durable.accepted).unwrap_or_default();
    let others = known.into_iter().flatten().filter(|(id, _)| **id != step.id).map(|(_, report)| *report);
    std::iter::once(own).chain(others).collect()
}

fn leads_by_a_quorum(history: &History, step: &Step<'_>) -> Verdict {
    let Some(ballot) = begins_to_lead(step) else { return Ok(()) };
    let promises = reports(history, step, ballot).len();
    if promises < step.actor.phase1 || promises + step.actor.phase2 <= step.actor.nodes {
        return fail(step, format_args!("leads ballot {ballot} with {promises} promises"));
    }
    if owner(step.actor.nodes, ballot) != step.id {
        return fail(step, format_args!("leads ballot {ballot}, which is not its own"));
    }
    Ok(())
}

fn bound_by_the_highest(history: &History, step: &Step<'_>) -> Verdict {
    let Some(ballot) = begins_to_lead(step) else { return Ok(()) };
    let Some(proposal) = reached(step).map(|after| after.durable.accepted) else { return Ok(()) };
    let asked = sent_to(step, |msg| match msg {
        Msg::Accept { proposal } => Some(*proposal),
        _ => None,
    });
    let is_asked =
        asked.iter().all(|(_, asked)| *asked == proposal) && is_sent_to(step, &asked, others(step));
    if proposal.ballot != ballot || !is_asked {
        return fail(step, format_args!("leads ballot {ballot} and does not propose one value to all"));
    }
    let reports = reports(history, step, ballot);
    // A quorum whose highest report is this one consists of nodes that report nothing higher.
    let is_quorum = |highest: Ballot| {
        reports.iter().filter(|report| report.ballot <= highest).count() >= step.actor.phase1
    };
    let is_free = is_quorum(Ballot::NONE) && is_wanted(step, proposal);
    let binds = |report: &Proposal| report.value == proposal.value && is_quorum(report.ballot);
    if is_free || reports.iter().any(|report| *report != Proposal::NONE && binds(report)) {
        return Ok(());
    }
    fail(step, format_args!("proposes {proposal:?}, and was told of {reports:?}"))
}

/// The tally after one more vote.
fn with_vote(tally: &Tally, voter: Id, proposal: Proposal) -> Tally {
    let earlier = if tally.proposal == proposal { tally.voters } else { NodeSet::default() };
    Tally { proposal, voters: earlier.iter().chain([voter]).collect() }
}

fn counts_votes(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let has_learned = before.durable.learned.is_none() && after.durable.learned.is_some();
    let own = Some(after.durable.accepted).filter(|proposal| *proposal != before.durable.accepted);
    let vote = match (&step.event, own) {
        (Event::Deliver { src, msg: Msg::Accepted { proposal } }, None) => Some((*src, *proposal)),
        (_, own) => own.map(|proposal| (step.id, proposal)),
    };
    // A new ballot of one's own starts with no votes.
    let earlier = if begins_to_lead(step).is_some() && step.actor.learners == Learners::Leader {
        Tally::default()
    } else {
        before.tally.clone()
    };
    let expected = vote.map(|(voter, proposal)| with_vote(&earlier, voter, proposal));
    let is_quorum = |tally: &Tally| tally.voters.len() >= step.actor.phase2;
    let told = sent_to(step, |msg| match msg {
        Msg::Chosen { value } => Some(*value),
        _ => None,
    });
    if has_learned {
        let value = after.durable.learned.unwrap_or_default();
        if let Event::Deliver { msg: Msg::Chosen { value: heard }, .. } = step.event {
            let is_heard = *heard == value && told.is_empty();
            return if is_heard {
                Ok(())
            } else {
                fail(step, format_args!("heard {heard}, learned {value}"))
            };
        }
        let is_counted = expected.is_some_and(|tally| {
            let is_enough = is_quorum(&tally) && tally.voters.len() + step.actor.phase1 > step.actor.nodes;
            is_enough && tally.proposal.value == value
        });
        let receivers = match step.actor.learners {
            Learners::All => NodeSet::default(),
            Learners::Leader | Learners::First => others(step),
        };
        let is_told = told.iter().all(|(_, told)| *told == value) && is_sent_to(step, &told, receivers);
        return match (is_counted, is_told) {
            (true, true) => Ok(()),
            (false, _) => fail(step, format_args!("learned {value} without a quorum of votes for it")),
            (_, false) => fail(step, format_args!("learned {value} and did not tell the others")),
        };
    }
    if !told.is_empty() {
        return fail(step, "told of a choice that it did not just learn of");
    }
    let is_learner = before.durable.learned.is_none()
        && match step.actor.learners {
            Learners::Leader => after.phase == Phase::Leading,
            Learners::First => step.id == Id::from(0),
            Learners::All => true,
        };
    // A leader that gives way counts no more; other learners keep what they have counted.
    let is_kept = after.tally == before.tally
        || after.tally == Tally::default() && step.actor.learners == Learners::Leader && !is_learner;
    match expected.filter(|tally| is_learner && tally.proposal.ballot >= earlier.proposal.ballot) {
        Some(tally) if is_quorum(&tally) => fail(step, format_args!("counts {tally:?} and learns nothing")),
        Some(tally) if tally != after.tally => {
            fail(step, format_args!("counts {:?} where {tally:?} is right", after.tally))
        }
        None if !is_kept => fail(step, format_args!("counts {:?} without a vote", after.tally)),
        _ => Ok(()),
    }
}

fn stable_storage(step: &Step<'_>) -> Verdict {
    let disk = step.storage.copied().unwrap_or_default();
    if let Some(after) = step.after
        && after.durable != disk
    {
        return fail(step, format_args!("has {disk:?} on disk, and goes on with {:?}", after.durable));
    }
    for (_, msg) in step.sends {
        let is_saved = match msg {
            Msg::Prepare { ballot } => disk.tried >= *ballot && disk.promised >= *ballot,
            Msg::Promise { ballot, accepted } => disk.promised >= *ballot && disk.accepted == *accepted,
            Msg::Accept { proposal } | Msg::Accepted { proposal } => disk.accepted == *proposal,
            Msg::Refuse { promised, .. } => disk.promised >= *promised,
            Msg::Chosen { value } => disk.learned == Some(*value),
        };
        if !is_saved {
            return fail(step, format_args!("sent {msg:?} with {disk:?} on disk"));
        }
    }
    match (&step.event, step.after) {
        (Event::Start, Some(after)) if after.phase != Phase::Idle || after.tally != Tally::default() => {
            fail(step, "remembers what is on no disk")
        }
        _ => Ok(()),
    }
}

fn roles_fit(paxos: &Paxos, id: Id, state: &State) -> Verdict {
    let State { durable: disk, phase, tally, .. } = state;
    let name = node_name(id);
    let is_own = owner(paxos.nodes, disk.tried) == id;
    let expected = owner(paxos.nodes, disk.promised);
    let follows = (disk.promised > Ballot::NONE && expected != id).then_some(expected);
    if crate::election::Election::follows(paxos, id, state).map(|(_, leader)| leader) != follows {
        return Err(format!("{name} has promised {} and does not follow its owner", disk.promised));
    }
    if *phase != Phase::Idle && (disk.tried != disk.promised || !is_own) {
        return Err(format!("{name} has promised {} and goes on with {}", disk.promised, disk.tried));
    }
    if let Phase::Preparing { promises, bound } = phase {
        let is_under_way = promises.contains(id) && promises.len() < paxos.phase1 && disk.learned.is_none();
        if !is_under_way || bound.ballot >= disk.tried || bound.ballot < disk.accepted.ballot {
            return Err(format!("{name} prepares {} with {promises:?}, bound by {bound:?}", disk.tried));
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

fn each_message_its_part(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    let Event::Deliver { src, msg } = step.event else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    // Which parts of the disk may change: tried, promised, accepted, learned.
    let has_leadership = begins_to_lead(step).is_some();
    let [tries, promises, accepts, learns] = match msg {
        Msg::Prepare { .. } => [false, true, false, false],
        Msg::Promise { .. } => [false, false, has_leadership, has_leadership],
        Msg::Accept { .. } => [false, true, true, true],
        Msg::Accepted { .. } | Msg::Chosen { .. } => [false, false, false, true],
        Msg::Refuse { .. } => [true, false, false, false],
    };
    let may = |allowed: bool, is_same: bool| allowed || is_same;
    let is_kept = may(tries, new.tried == old.tried)
        && may(promises, new.promised == old.promised)
        && may(accepts, new.accepted == old.accepted)
        && may(learns, new.learned == old.learned);
    if !is_kept || has_leadership && !matches!(msg, Msg::Promise { .. }) {
        return fail(step, format_args!("took {msg:?} and went from {old:?} to {new:?}"));
    }
    let is_over = match msg {
        Msg::Prepare { ballot } => *ballot <= old.promised,
        Msg::Accept { proposal } => proposal.ballot < old.promised,
        Msg::Promise { ballot, .. } => match before.phase {
            Phase::Preparing { promises, .. } => *ballot != old.tried || promises.contains(src),
            _ => true,
        },
        Msg::Refuse { ballot, .. } => {
            *ballot != old.tried || before.phase == Phase::Idle || old.learned.is_some()
        }
        Msg::Accepted { proposal } => {
            let is_counted = *proposal == before.tally.proposal && before.tally.voters.contains(src);
            proposal.ballot < before.tally.proposal.ballot || is_counted || old.learned.is_some()
        }
        Msg::Chosen { .. } => old.learned.is_some(),
    };
    if is_over && after != before {
        return fail(step, format_args!("is moved by {msg:?}, which is over"));
    }
    match (msg, &before.phase, &after.phase) {
        // A promise more, and no more than that; with the last one it leads.
        (Msg::Promise { accepted, .. }, Phase::Preparing { promises, bound }, phase) if !is_over => {
            let all: NodeSet = promises.iter().chain([src]).collect();
            let binding = if accepted.ballot > bound.ballot { accepted } else { bound };
            let next = Phase::Preparing { promises: all, bound: *binding };
            let is_right = if all.len() >= step.actor.phase1 { has_leadership } else { *phase == next };
            if is_right {
                Ok(())
            } else {
                fail(step, format_args!("has promises of {all:?} and is {phase:?}"))
            }
        }
        (Msg::Refuse { promised, .. }, _, phase) if !is_over => {
            let is_right = *phase == Phase::Idle && new.tried == *promised;
            if is_right { Ok(()) } else { fail(step, format_args!("was refused in favour of {promised}")) }
        }
        // A higher ballot ends one's own; the value, once known, ends phase 1; and nothing else ends anything.
        (
            Msg::Prepare { .. } | Msg::Accept { .. } | Msg::Accepted { .. } | Msg::Chosen { .. },
            old_phase,
            new_phase,
        ) => {
            let has_learned = old.learned.is_none() && new.learned.is_some();
            let is_higher = new.promised.max(new.accepted.ballot) > old.promised;
            let is_ended = is_higher || has_learned && *old_phase != Phase::Leading;
            let expected = if is_ended { &Phase::Idle } else { old_phase };
            if new_phase == expected {
                Ok(())
            } else {
                fail(step, format_args!("took {msg:?} and is {new_phase:?}"))
            }
        }
        _ => Ok(()),
    }
}
