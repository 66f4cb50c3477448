//! The rules of "Paxos Made Simple" (PMS) and "Paxos Made Moderately Complex" (PMMC), each as a property of single steps:
//! what a node may do, given what it was before, and what happened. They are written from the papers and not from the
//! handlers.
//!
//! A step that a crash cuts short is held to what others could notice of it: what it sent, and what is on disk.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::history::{History, VALUES, has_values};
use super::{Ballot, Msg, MultiPaxos, Role, Slot, State, Timer, Value, Vote, Votes};
use crate::election::{Check, Election, Event, Invariant, NodeSet, NodeStep, node_name};

type Step<'a> = NodeStep<'a, MultiPaxos>;
type Verdict = Result<(), String>;

pub fn invariants() -> Vec<Invariant<MultiPaxos>> {
    vec![
        Invariant::new(
            "committed-prefix-stable",
            "as long as a node runs, what it has committed stays and keeps its value (PMMC invariants R1, R4)",
            Check::Rule(committed_prefix_stable),
        )
        .with_setting(VALUES, has_values)
        .needing(&["leader-commits"]),
        Invariant::new(
            "numbers-are-new",
            "a node that hears of no leader asks all others to promise the least ballot that is its own, above its promise and \
             not used before, for every slot from the first that it does not know chosen (PMS 2.2, 2.5, 3)",
            Check::Step(numbers_are_new),
        )
        .needing(&["promises"]),
        Invariant::new(
            "promises-only-upwards",
            "an acceptor answers a request to prepare if and only if its ballot is above all that it has promised, and reports \
             every vote in the slots asked for (PMS 2.2, phase 1 (b), 3; PMMC invariant A1)",
            Check::Rule(promises_only_upwards),
        )
        .needing(&["promises"]),
        Invariant::new(
            "keeps-its-promise",
            "an acceptor votes for what it is asked to if and only if it has promised no higher ballot, and says so; promises \
             and votes only rise, and no vote is removed (PMS 2.2, P1a; PMMC invariants A2, A3)",
            Check::Rule(keeps_its_promise),
        ),
        Invariant::new(
            "leads-by-a-majority",
            "who leads a ballot, its owner, has promises for it of a majority, given since it began to run for it (PMS 2.2; \
             \"The Part-Time Parliament\", B2)",
            Check::Step(leads_by_a_majority),
        ),
        Invariant::new(
            "bound-by-the-highest",
            "a new leader proposes in each slot the value of the highest vote that a majority reports, a no-op in each gap \
             below, and nothing else (PMS 2.2, P2c, 3; \"The Part-Time Parliament\", B3; PMMC, pmax)",
            Check::Step(bound_by_the_highest),
        )
        .with_setting(VALUES, has_values)
        .needing(&["proposes-what-was-reported"]),
        Invariant::new(
            "followed-has-led",
            "only who leads a ballot proposes, and says what is chosen, under it; whoever votes or commits under it follows a \
             node that has led it (PMS 3; PMMC invariant C1)",
            Check::Step(followed_has_led),
        ),
        Invariant::new(
            "counts-votes",
            "a leader counts who voted under its ballot, each acceptor once, commits in the order of the slots as soon as a \
             majority has voted, says so to all, and repeats what is not answered; a follower commits, as far as its leader \
             says, votes under that leader's ballot (PMS 2.2, 2.3, 2.4)",
            Check::Rule(counts_votes),
        ),
        Invariant::new(
            "stable-storage",
            "what a node says of itself is on its disk, and so is all that it must know when it starts again (PMS 2.5)",
            Check::Rule(stable_storage),
        ),
        Invariant::new(
            "roles-fit",
            "who runs for a ballot or leads it has promised it last, and has what this needs and nothing of an earlier one; \
             each message moves the role that it is for, and one of a ballot that is over moves nothing (PMS 2.2, 2.3); who \
             does not lead waits 30 to 60 ms for its leader since it started, last tried, or last heard of the ballot that it \
             follows, and a leader with heartbeats beats every 10 to 20 ms, and waits for nobody (PMS 2.4)",
            Check::Rule(roles_fit),
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

fn is_majority(step: &Step<'_>, nodes: NodeSet) -> bool {
    nodes.len() * 2 > step.actor.nodes
}

fn others(step: &Step<'_>) -> NodeSet {
    NodeSet::first(step.actor.nodes).iter().filter(|id| *id != step.id).collect()
}

/// Whom a node sent what this picks out.
fn sent_to<T>(step: &Step<'_>, pick: impl Fn(&Msg) -> Option<T>) -> Vec<(Id, T)> {
    step.sends.iter().filter_map(|(dst, msg)| Some((*dst, pick(msg)?))).collect()
}

/// Whether a whole handler sent exactly this, or one that was cut short a part of it.
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
        Msg::Accept { ballot, slot, value } => Some((*ballot, *slot, *value)),
        _ => None,
    })
}

/// The same, to all others.
fn to_others<T: Clone>(step: &Step<'_>, what: &[T]) -> Vec<(Id, T)> {
    others(step).iter().flat_map(|dst| what.iter().map(move |one| (dst, one.clone()))).collect()
}

fn leads(state: &State) -> Option<Ballot> {
    matches!(state.role, Role::Leader { .. }).then_some(state.durable.promised)
}

/// The ballot that a node begins to lead.
fn begins_to_lead(step: &Step<'_>) -> Option<Ballot> {
    let ballot = leads(reached(step)?)?;
    (step.before.and_then(leads) != Some(ballot)).then_some(ballot)
}

fn last(votes: &Votes) -> Slot {
    votes.last_key_value().map_or(Slot(0), |(slot, _)| *slot)
}

fn committed_prefix_stable(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    if after.chosen < before.chosen {
        let (was, is) = (before.chosen, after.chosen);
        return fail(step, format_args!("had committed up to slot {was:?}, now up to {is:?}"));
    }
    for ((slot, was), (_, is)) in before.committed().zip(after.committed()) {
        if was != is {
            return fail(step, format_args!("had committed {was:?} in slot {slot:?}, now {is:?}"));
        }
    }
    Ok(())
}

fn numbers_are_new(history: &History, step: &Step<'_>) -> Verdict {
    let asked = sent_to(step, |msg| match msg {
        Msg::Prepare { ballot, from } => Some((*ballot, *from)),
        _ => None,
    });
    let Event::Timeout { timer: Timer::Election } = step.event else {
        return if asked.is_empty() { Ok(()) } else { fail(step, "asked for promises without a timeout") };
    };
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let promised = before.durable.promised;
    let round = before.durable.round.max(history.round(step.id));
    let ballot = after.durable.promised;
    if let Some(led) = leads(before) {
        return fail(step, format_args!("leads {led:?}, and ran for {ballot:?}"));
    }
    let is_new = |ballot: Ballot| ballot.round > round && ballot > promised;
    if ballot.owner() != step.id || !is_new(ballot) || after.durable.round != ballot.round {
        return fail(
            step,
            format_args!("ran for {ballot:?}, having promised {promised:?}, used {round} rounds"),
        );
    }
    let lower = Ballot { round: ballot.round - 1, ..ballot };
    if is_new(lower) {
        return fail(step, format_args!("skipped {lower:?} for {ballot:?}"));
    }
    let due = to_others(step, &[(ballot, before.chosen.next())]);
    if !is_sent(step, asked.clone(), due) {
        return fail(step, format_args!("ran for {ballot:?}, and asked for {asked:?}"));
    }
    Ok(())
}

fn promises_only_upwards(step: &Step<'_>) -> Verdict {
    let promises = sent_to(step, |msg| match msg {
        Msg::Promise { ballot, accepted } => Some((*ballot, accepted.clone())),
        _ => None,
    });
    let due = match (&step.event, step.before) {
        (Event::Deliver { src, msg: Msg::Prepare { ballot, from } }, Some(before))
            if *ballot > before.durable.promised =>
        {
            let votes = before.durable.accepted.iter().filter(|(slot, _)| *slot >= from);
            vec![(*src, (*ballot, votes.map(|(slot, vote)| (*slot, *vote)).collect::<Votes>()))]
        }
        _ => Vec::new(),
    };
    if !is_sent(step, promises.clone(), due.clone()) {
        return fail(step, format_args!("promised {promises:?}, where {due:?} is right"));
    }
    match (due.first(), step.after) {
        (Some((_, (ballot, _))), Some(after)) if after.durable.promised != *ballot => {
            fail(step, format_args!("does not remember its promise to {ballot:?}"))
        }
        _ => Ok(()),
    }
}

fn keeps_its_promise(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let (old, new) = (&before.durable, &after.durable);
    if new.promised < old.promised || new.round < old.round {
        return fail(step, format_args!("went back from {old:?} to {new:?}"));
    }
    if let Some(slot) = old.accepted.keys().find(|slot| !new.accepted.contains_key(slot)) {
        return fail(step, format_args!("removed its vote in slot {slot:?}"));
    }
    let asked = match step.event {
        Event::Deliver { src, msg: Msg::Accept { ballot, slot, value } } if *ballot >= old.promised => {
            Some((src, *slot, Vote { ballot: *ballot, value: *value }))
        }
        _ => None,
    };
    for (slot, vote) in new.accepted.iter().filter(|(slot, vote)| old.accepted.get(slot) != Some(vote)) {
        let is_higher = vote.ballot >= old.promised
            && vote.ballot == new.promised
            && old.accepted.get(slot).is_none_or(|earlier| earlier.ballot <= vote.ballot);
        if !is_higher {
            return fail(
                step,
                format_args!("promised {:?} and voted {vote:?} in slot {slot:?}", old.promised),
            );
        }
        let is_asked = asked.is_some_and(|(_, at, due)| (at, due) == (*slot, *vote));
        let is_own = leads(after) == Some(vote.ballot);
        if !is_asked && !is_own {
            return fail(step, format_args!("voted {vote:?} in slot {slot:?}, and was not asked to"));
        }
    }
    let said = sent_to(step, |msg| match msg {
        Msg::Accepted { ballot, slot } => Some((*ballot, *slot)),
        _ => None,
    });
    let due = asked.map(|(src, slot, vote)| (src, (vote.ballot, slot)));
    if !is_sent(step, said.clone(), due.into_iter().collect()) {
        return fail(step, format_args!("said to have voted {said:?}, where {due:?} is right"));
    }
    match asked {
        Some((_, slot, vote)) if new.accepted.get(&slot) != Some(&vote) || new.promised != vote.ballot => {
            fail(step, format_args!("was asked to vote {vote:?} in slot {slot:?}, and did not"))
        }
        _ => Ok(()),
    }
}

/// Whose promises a node that begins to lead relies on.
fn supporters(step: &Step<'_>) -> NodeSet {
    let counted = match step.before.map(|state| &state.role) {
        Some(Role::Candidate { promises, .. }) => *promises,
        _ => NodeSet::default(),
    };
    let answer = match step.event {
        Event::Deliver { src, msg: Msg::Promise { .. } } => Some(src),
        _ => None,
    };
    counted.iter().chain(answer).chain([step.id]).collect()
}

fn leads_by_a_majority(history: &History, step: &Step<'_>) -> Verdict {
    let Some(ballot) = begins_to_lead(step) else { return Ok(()) };
    let given: NodeSet = match history.promises(step.id, ballot) {
        Some((_, reports)) => reports.keys().copied().collect(),
        None => [step.id].into_iter().collect(),
    };
    let supporters = supporters(step);
    let is_given = supporters.iter().all(|id| given.contains(id));
    if !is_given || !is_majority(step, supporters) || ballot.owner() != step.id {
        return fail(step, format_args!("leads {ballot:?} by {supporters:?}, promised by {given:?}"));
    }
    Ok(())
}

fn bound_by_the_highest(history: &History, step: &Step<'_>) -> Verdict {
    let (Some(ballot), Some(before)) = (begins_to_lead(step), step.before) else { return Ok(()) };
    let Some((from, reports)) = history.promises(step.id, ballot) else { return Ok(()) };
    let supporters = supporters(step);
    let votes = reports.iter().filter(|(id, _)| supporters.contains(**id)).flat_map(|(_, votes)| votes);
    let mut highest: BTreeMap<Slot, Vote> = BTreeMap::new();
    for (slot, vote) in votes {
        let known = highest.entry(*slot).or_insert(*vote);
        if vote.ballot > known.ballot {
            *known = *vote;
        }
    }
    let value = |slot| highest.get(&slot).map_or(Value::Noop, |vote| vote.value);
    let slots = from.up_to(last(&highest));
    let due: Vec<_> = slots.map(|slot| (ballot, slot, value(slot))).collect();
    if !is_sent(step, proposals(step), to_others(step, &due)) || from != before.chosen.next() {
        return fail(step, format_args!("leads {ballot:?}, and does not propose {due:?}"));
    }
    let Some(after) = reached(step) else { return Ok(()) };
    for (ballot, slot, value) in due {
        if after.durable.accepted.get(&slot) != Some(&Vote { ballot, value }) {
            return fail(step, format_args!("proposes {value:?} in slot {slot:?} and does not vote for it"));
        }
    }
    Ok(())
}

fn followed_has_led(history: &History, step: &Step<'_>) -> Verdict {
    let leads = reached(step).and_then(leads);
    for (_, msg) in step.sends {
        if let Msg::Accept { ballot, .. } | Msg::Heartbeat { ballot, .. } = msg
            && leads != Some(*ballot)
        {
            return fail(step, format_args!("sent {msg:?}, and does not lead {ballot:?}"));
        }
    }
    match step.event {
        Event::Deliver { src, msg: Msg::Accept { ballot, .. } | Msg::Heartbeat { ballot, .. } } => {
            if history.has_led(*ballot) && ballot.owner() == src {
                return Ok(());
            }
            fail(step, format_args!("listens to {} in {ballot:?}, which it has not led", node_name(src)))
        }
        Event::Choose { value, .. } => take_input(step, *value),
        _ => Ok(()),
    }
}

/// PMS 3: a leader puts an input in the first slot that it has not used, and proposes it to all.
fn take_input(step: &Step<'_>, value: Value) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    let Some(ballot) = leads(before) else { return fail(step, "took an input, and does not lead") };
    let slot = last(&before.durable.accepted).next();
    let is_proposed = is_sent(step, proposals(step), to_others(step, &[(ballot, slot, value)]));
    if !is_proposed || after.durable.accepted.get(&slot) != Some(&Vote { ballot, value }) {
        return fail(step, format_args!("took {value:?}, and did not propose it in slot {slot:?}"));
    }
    Ok(())
}

/// Who has voted under a leader's ballot in each slot in which it needs to know, as it should be; and up to which slot this
/// makes everything chosen. Of what is chosen already it need not know, unless heartbeats have to repeat it.
fn votes_due(step: &Step<'_>, before: &State, after: &State) -> (BTreeMap<Slot, NodeSet>, Slot) {
    let own: NodeSet = [step.id].into_iter().collect();
    let mut votes = match &before.role {
        Role::Leader { acks } => acks.clone(),
        _ => Slot(1).up_to(before.chosen).map(|slot| (slot, own)).collect(),
    };
    let is_proposed = |slot: &Slot, vote: &Vote| before.durable.accepted.get(slot) != Some(vote);
    for (slot, _) in after.durable.accepted.iter().filter(|(slot, vote)| is_proposed(slot, vote)) {
        votes.insert(*slot, own);
    }
    if let Event::Deliver { src, msg: Msg::Accepted { ballot, slot } } = step.event
        && *ballot == before.durable.promised
        && let Some(voters) = votes.get_mut(slot)
    {
        voters.insert(src);
    }
    let mut chosen = before.chosen;
    while votes.get(&chosen.next()).is_some_and(|voters| is_majority(step, *voters)) {
        chosen = chosen.next();
    }
    votes.retain(|slot, _| step.actor.heartbeats || *slot > chosen);
    (votes, chosen)
}

/// Up to which slot a follower knows everything chosen once its leader says so: as far as it voted under that ballot.
fn told_chosen(step: &Step<'_>, before: &State) -> Slot {
    let mut due = before.chosen;
    if let Event::Deliver { msg: Msg::Heartbeat { ballot, chosen }, .. } = step.event
        && *ballot >= before.durable.promised
    {
        let vote = |slot: Slot| before.durable.accepted.get(&slot);
        while due < *chosen && vote(due.next()).is_some_and(|vote| vote.ballot == *ballot) {
            due = due.next();
        }
    }
    due
}

fn counts_votes(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, reached(step)) else { return Ok(()) };
    if let Event::Timeout { timer: Timer::Heartbeat } = step.event {
        return repeats(step, before, after);
    }
    let due = match &after.role {
        Role::Leader { acks } => {
            let (votes, chosen) = votes_due(step, before, after);
            if *acks != votes {
                return fail(step, format_args!("counts {acks:?} where {votes:?} is right"));
            }
            chosen
        }
        _ => told_chosen(step, before),
    };
    if after.chosen != due {
        return fail(step, format_args!("committed up to {:?}, where {due:?} is right", after.chosen));
    }
    let said = said_chosen(step);
    let is_notice = leads(after).is_some() && due > before.chosen;
    let notice = if is_notice { vec![(after.durable.promised, due)] } else { Vec::new() };
    if !is_sent(step, said.clone(), to_others(step, &notice)) {
        return fail(step, format_args!("committed up to {due:?} and said {said:?}"));
    }
    Ok(())
}

fn said_chosen(step: &Step<'_>) -> Vec<(Id, (Ballot, Slot))> {
    sent_to(step, |msg| match msg {
        Msg::Heartbeat { ballot, chosen } => Some((*ballot, *chosen)),
        _ => None,
    })
}

/// A leader that beats tells all what is chosen, and those that have not answered a proposal of the proposal.
fn repeats(step: &Step<'_>, before: &State, after: &State) -> Verdict {
    let Role::Leader { acks } = &before.role else { return fail(step, "beats, and does not lead") };
    let is_open = |peer: Id, slot: Slot| acks.get(&slot).is_some_and(|who| !who.contains(peer));
    let again = before.durable.accepted.iter().flat_map(|(slot, vote)| {
        let peers = others(step).iter().filter(|peer| is_open(*peer, *slot)).collect::<Vec<_>>();
        peers.into_iter().map(|peer| (peer, (before.durable.promised, *slot, vote.value)))
    });
    let beat = to_others(step, &[(before.durable.promised, before.chosen)]);
    let is_repeated = is_sent(step, proposals(step), again.collect());
    if is_repeated && is_sent(step, said_chosen(step), beat) && after == before {
        Ok(())
    } else {
        fail(step, "does not repeat what it has said")
    }
}

fn stable_storage(step: &Step<'_>) -> Verdict {
    let disk = step.storage.cloned().unwrap_or_default();
    if let Some(after) = step.after
        && after.durable != disk
    {
        return fail(step, format_args!("has {disk:?} on disk, and goes on with {:?}", after.durable));
    }
    let is_on_disk = |slot: &Slot, is: &dyn Fn(&Vote) -> bool| disk.accepted.get(slot).is_some_and(is);
    for (_, msg) in step.sends {
        let is_saved = match msg {
            Msg::Prepare { ballot, .. } => disk.promised >= *ballot && disk.round >= ballot.round,
            Msg::Promise { ballot, accepted } => {
                let mut votes = accepted.iter();
                disk.promised >= *ballot && votes.all(|(slot, vote)| is_on_disk(slot, &|saved| saved == vote))
            }
            Msg::Accept { ballot, slot, value } => {
                disk.promised >= *ballot && is_on_disk(slot, &|vote| vote.value == *value)
            }
            Msg::Accepted { ballot, slot } => is_on_disk(slot, &|vote| vote.ballot == *ballot),
            Msg::Heartbeat { ballot, .. } => disk.promised >= *ballot,
        };
        if !is_saved {
            return fail(step, format_args!("sent {msg:?} with {disk:?} on disk"));
        }
    }
    match (&step.event, step.after) {
        (Event::Start, Some(after)) if after.role != Role::Follower || after.chosen != Slot(0) => {
            fail(step, "remembers what is on no disk")
        }
        _ => Ok(()),
    }
}

fn roles_fit(step: &Step<'_>) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    fits(step, after)?;
    waits_as_its_role_does(step, after)?;
    match (step.before, &step.event) {
        (Some(before), Event::Deliver { src, msg }) => does_its_part(step, before, after, *src, msg),
        (Some(before), Event::Timeout { timer: Timer::Election }) => begins_to_run(step, before, after),
        (Some(before), Event::Choose { .. }) if leads(before) != leads(after) => {
            fail(step, "took an input, and leads no more")
        }
        _ => Ok(()),
    }
}

/// A candidate starts with its own promise, and is bound by its own votes; which is enough for the only node of a system.
fn begins_to_run(step: &Step<'_>, before: &State, after: &State) -> Verdict {
    let (old, new) = (&before.durable, &after.durable);
    let promises: NodeSet = [step.id].into_iter().collect();
    let votes = old.accepted.iter().filter(|(slot, _)| **slot > before.chosen);
    let adopted: Votes = votes.map(|(slot, vote)| (*slot, *vote)).collect();
    let is_right = match is_majority(step, promises) {
        true => leads(after).is_some(),
        false => {
            let is_same = new.accepted == old.accepted && after.chosen == before.chosen;
            is_same && after.role == Role::Candidate { promises, adopted }
        }
    };
    if is_right {
        Ok(())
    } else {
        fail(step, format_args!("runs for {:?} as {:?}", new.promised, after.role))
    }
}

fn fits(step: &Step<'_>, state: &State) -> Verdict {
    let State { durable: disk, chosen, role } = state;
    let owner = disk.promised.owner();
    let follows = (disk.promised.round > 0 && owner != step.id).then_some(owner);
    if step.actor.follows(step.id, state).map(|(_, leader)| leader) != follows {
        return fail(step, format_args!("has promised {:?} and does not follow its owner", disk.promised));
    }
    if let Some(slot) = Slot(1).up_to(*chosen).find(|slot| !disk.accepted.contains_key(slot)) {
        return fail(step, format_args!("has committed slot {slot:?} and not voted there"));
    }
    let is_own = owner == step.id && disk.round == disk.promised.round;
    let open = || chosen.next().up_to(last(&disk.accepted));
    let is_right = match role {
        Role::Follower => true,
        Role::Candidate { promises, adopted } => {
            let is_bound = |slot: Slot| {
                let own = disk.accepted.get(&slot).map(|vote| vote.ballot);
                adopted.get(&slot).map(|vote| vote.ballot) >= own
            };
            let is_earlier = adopted.values().all(|vote| vote.ballot < disk.promised);
            let is_open = promises.contains(step.id) && !is_majority(step, *promises);
            is_own && is_open && is_earlier && open().all(is_bound)
        }
        Role::Leader { acks } => {
            let is_counted = |slot: Slot| {
                let voted = disk.accepted.get(&slot).is_none_or(|vote| vote.ballot == disk.promised);
                let is_gap = !disk.accepted.contains_key(&slot);
                !is_gap && voted && acks.get(&slot).is_some_and(|who| who.contains(step.id))
            };
            // With heartbeats what is chosen is repeated to those that have not answered.
            let repeats =
                Slot(1).up_to(*chosen).all(|slot| acks.contains_key(&slot) == step.actor.heartbeats);
            is_own
                && open().all(is_counted)
                && acks.keys().all(|slot| *slot <= last(&disk.accepted))
                && repeats
        }
    };
    if is_right {
        Ok(())
    } else {
        fail(step, format_args!("is {role:?} with {disk:?}, committed {chosen:?}"))
    }
}

fn does_its_part(step: &Step<'_>, before: &State, after: &State, src: Id, msg: &Msg) -> Verdict {
    let (old, new) = (&before.durable, &after.durable);
    let promised = old.promised;
    // Requests move the acceptor, promises the candidate, votes the leader, commit indices the learner.
    let leads_now = begins_to_lead(step).is_some();
    let (is_kept, is_over) = match msg {
        Msg::Prepare { ballot, .. } => {
            (new.accepted == old.accepted && after.chosen == before.chosen, *ballot <= promised)
        }
        Msg::Promise { ballot, .. } => {
            let is_awaited = match &before.role {
                Role::Candidate { promises, .. } => *ballot == promised && !promises.contains(src),
                _ => false,
            };
            (new.promised == promised && (leads_now || new == old), !is_awaited)
        }
        Msg::Accept { ballot, .. } => (after.chosen == before.chosen, *ballot < promised),
        Msg::Accepted { ballot, slot } => {
            let is_awaited = match &before.role {
                Role::Leader { acks } => acks.get(slot).is_some_and(|who| !who.contains(src)),
                _ => false,
            };
            (new == old, !is_awaited || *ballot != promised)
        }
        Msg::Heartbeat { ballot, .. } => (new.accepted == old.accepted, *ballot < promised),
    };
    if !is_kept || new.round != old.round || leads_now && !matches!(msg, Msg::Promise { .. }) {
        return fail(step, format_args!("took {msg:?} and went from {before:?} to {after:?}"));
    }
    if is_over {
        let is_still = after == before && step.sends.is_empty();
        return if is_still {
            Ok(())
        } else {
            fail(step, format_args!("is moved by {msg:?}, which is over"))
        };
    }
    match (msg, &before.role) {
        (Msg::Promise { accepted, .. }, Role::Candidate { promises, adopted }) => {
            let all: NodeSet = promises.iter().chain([src]).collect();
            let mut bound = adopted.clone();
            for (slot, vote) in accepted {
                let known = bound.entry(*slot).or_insert(*vote);
                *known = if vote.ballot > known.ballot { *vote } else { *known };
            }
            let is_right = match is_majority(step, all) {
                true => leads_now,
                false => after.role == Role::Candidate { promises: all, adopted: bound },
            };
            if is_right { Ok(()) } else { fail(step, format_args!("has {all:?} and is {:?}", after.role)) }
        }
        // A higher ballot ends what a node does under a lower one; the same ballot ends nothing.
        (Msg::Prepare { ballot, .. } | Msg::Accept { ballot, .. } | Msg::Heartbeat { ballot, .. }, role) => {
            let expected = if *ballot > promised { &Role::Follower } else { role };
            let is_right = after.role == *expected && new.promised == *ballot;
            if is_right { Ok(()) } else { fail(step, format_args!("took {msg:?} and is {:?}", after.role)) }
        }
        _ => Ok(()),
    }
}

fn waits_as_its_role_does(step: &Step<'_>, after: &State) -> Verdict {
    let role = match &after.role {
        Role::Leader { .. } if step.actor.heartbeats => Some(Timer::Heartbeat),
        Role::Leader { .. } => None,
        Role::Follower | Role::Candidate { .. } => Some(Timer::Election),
    };
    let due: Vec<_> = role.into_iter().collect();
    if !step.timers.keys().eq(&due) {
        return fail(step, format_args!("is {:?} and waits for {:?}", after.role, step.timers));
    }
    let Some((timer, age)) = step.timers.first_key_value() else { return Ok(()) };
    // From 30 to below 60 ms, and from 10 to below 20; how long a tick is, no node knows.
    let unit = |timer: &Timer, first: u16| match timer {
        Timer::Election => u64::from(first) / 3,
        Timer::Heartbeat => u64::from(first),
    };
    let tick = step
        .timers_before
        .first_key_value()
        .map_or_else(|| unit(timer, age.first), |(timer, earlier)| unit(timer, earlier.first));
    let first = match timer {
        Timer::Election => 3 * tick,
        Timer::Heartbeat => tick,
    };
    let hears = |before: &State| match step.event {
        Event::Deliver { msg: Msg::Prepare { ballot, .. }, .. } => *ballot > before.durable.promised,
        Event::Deliver { msg: Msg::Accept { ballot, .. } | Msg::Heartbeat { ballot, .. }, .. } => {
            *ballot >= before.durable.promised
        }
        _ => false,
    };
    let is_anew = match step.timers_before.get(timer) {
        None => true,
        Some(_) => matches!(step.event, Event::Timeout { .. }) || step.before.is_some_and(hears),
    };
    let is_right = match step.timers_before.get(timer) {
        Some(earlier) if !is_anew => age == earlier,
        _ => age.is_new(first, (2 * first).saturating_sub(1)),
    };
    let waits = &step.timers_before;
    if is_right {
        Ok(())
    } else {
        fail(step, format_args!("waits {:?}, and had waited {waits:?}", step.timers))
    }
}
