//! How a node comes to lead, what binds it, and what becomes chosen: in plain words, for people who
//! read a run.

use super::message::{Message, Value, Vote, Votes};
use super::state::{Ballot, Role, Slot, State};
use super::telling::majority;
use super::words::{all_placed, named, placed};
use super::{MultiPaxos, witness};
use crate::election::{Deed, Event, NodeSet, listed, nodes_listed};

/// That a node begins to lead, and what its promises bind it to.
pub(super) fn leads(deed: &Deed<'_, MultiPaxos>, before: &State, after: &State) -> Vec<String> {
    let led =
        |state: &State| matches!(state.role, Role::Leader { .. }).then_some(state.durable.promised);
    let Some(ballot) = led(after).filter(|ballot| led(before) != Some(*ballot)) else {
        return Vec::new();
    };
    let voters = voters(deed, before);
    let all = nodes_listed(voters.iter());
    let has = match &deed.step.event {
        Event::Deliver { msg: Message::Promise { ballot: of, .. }, .. } if *of != ballot => {
            format!("so counts the promises of {all}")
        }
        _ => format!("has the promises of {all}{}", majority(voters, deed.nodes)),
    };
    let mut said = vec![format!("{has}: it leads ballot {ballot:?}")];
    if deed.step.actor.values > 0 {
        said.extend(bound(deed, before, after, voters));
    }
    said
}

/// Whose promises a new leader counts.
fn voters(deed: &Deed<'_, MultiPaxos>, before: &State) -> NodeSet {
    match (&before.role, &deed.step.event) {
        (Role::Candidate { promises, .. }, Event::Deliver { src, .. }) => {
            promises.iter().chain([*src]).collect()
        }
        _ => NodeSet::from_iter([deed.step.id]),
    }
}

/// What the promises report in each slot, one vote for each that was reported there.
fn reports(deed: &Deed<'_, MultiPaxos>, before: &State, voters: NodeSet) -> Vec<(Slot, Vote)> {
    let Role::Candidate { adopted, .. } = &before.role else {
        let own = before.durable.accepted.range(before.chosen.next()..);
        return own.map(|(slot, vote)| (*slot, *vote)).collect();
    };
    let given = deed.past.promises(deed.step.id, before.durable.promised);
    let given = given.into_iter().flat_map(|(_, given)| given);
    let known = given.filter(|(id, _)| voters.contains(**id)).flat_map(|(_, votes)| votes);
    let heard = match &deed.step.event {
        Event::Deliver { msg: Message::Promise { accepted, .. }, .. } => Some(accepted),
        _ => None,
    };
    let mut all: Vec<(Slot, Vote)> = known
        .chain(adopted)
        .chain(heard.into_iter().flatten())
        .map(|(slot, vote)| (*slot, *vote))
        .collect();
    all.sort_unstable_by_key(|(slot, vote)| (*slot, std::cmp::Reverse(*vote)));
    all.dedup();
    all
}

/// What a new leader must propose, and why.
fn bound(
    deed: &Deed<'_, MultiPaxos>,
    before: &State,
    after: &State,
    voters: NodeSet,
) -> Vec<String> {
    let reports = reports(deed, before, voters);
    let mut said: Vec<String> = outdated(deed, before).into_iter().collect();
    if reports.is_empty() {
        let from = before.chosen.next();
        said.push(format!(
            "is told of nothing that was accepted: it may propose what it likes from slot {from:?} \
             on"
        ));
        return said;
    }
    let ballot = after.durable.promised;
    let last = reports.iter().map(|(slot, _)| *slot).max().unwrap_or_default();
    let proposed = after.durable.accepted.iter().filter(|(_, vote)| vote.ballot == ballot);
    let last = proposed.map(|(slot, _)| *slot).max().unwrap_or_default().max(last);
    for slot in before.chosen.next().up_to(last) {
        let here: Vec<Vote> =
            reports.iter().filter(|(at, _)| *at == slot).map(|(_, vote)| *vote).collect();
        let own = after.durable.accepted.get(&slot).filter(|vote| vote.ballot == ballot);
        said.push(why(slot, own, &here));
    }
    said
}

/// Why this is proposed in a slot, given what is reported there, the highest ballot first.
fn why(slot: Slot, own: Option<&Vote>, here: &[Vote]) -> String {
    let all = || listed(&here.iter().map(|vote| placed(slot, vote)).collect::<Vec<_>>());
    let highest = here.first().map(|vote| vote.ballot).unwrap_or_default();
    let is_highest =
        |value: &Value| here.iter().any(|vote| vote.value == *value && vote.ballot == highest);
    match (own.map(|vote| vote.value), here) {
        (None, []) => format!("puts nothing into slot {slot:?}, though a later slot is in use"),
        (None, _) => format!("proposes nothing in slot {slot:?}, although {} is reported", all()),
        (Some(Value::Noop), []) => {
            format!("fills slot {slot:?} with a no-op, as no promise tells of anything there")
        }
        (Some(value), []) => format!(
            "moves {} down into slot {slot:?}, of which no promise tells anything",
            named(&value)
        ),
        (Some(value), [_]) if is_highest(&value) => {
            format!("must propose {} in slot {slot:?}, as {} is reported", named(&value), all())
        }
        (Some(value), _) if is_highest(&value) => format!(
            "must propose {} in slot {slot:?}: of {}, that under the highest ballot counts",
            named(&value),
            all()
        ),
        (Some(value), [_]) => {
            format!("proposes {} in slot {slot:?}, although {} is reported", named(&value), all())
        }
        (Some(value), [first, ..]) => format!(
            "proposes {} in slot {slot:?}, although of {}, that of {} is under the highest ballot",
            named(&value),
            all(),
            named(&first.value)
        ),
    }
}

/// What the node has accepted itself after it gave its own promise.
fn outdated(deed: &Deed<'_, MultiPaxos>, before: &State) -> Option<String> {
    let (from, given) = deed.past.promises(deed.step.id, before.durable.promised)?;
    let own = given.get(&deed.step.id)?;
    let is_later = |slot: &Slot, vote: &Vote| own.get(slot) != Some(vote);
    let votes = before.durable.accepted.range(from..);
    let later: Votes = votes
        .filter(|(slot, vote)| is_later(slot, vote))
        .map(|(slot, vote)| (*slot, *vote))
        .collect();
    let is_any = !later.is_empty();
    is_any.then(|| format!("gave its own promise before it accepted {}", all_placed(&later)))
}

/// The values that this step makes chosen.
pub(super) fn chooses(deed: &Deed<'_, MultiPaxos>) -> Vec<String> {
    let Some(next) = witness::observe(deed.past, &deed.step) else { return Vec::new() };
    let new = next.chosen.iter().filter(|proposal| !deed.past.chosen.contains(proposal));
    let clause = |(slot, ballot, value): &(Slot, Ballot, Value)| {
        let earlier = deed.past.proposals.get(&(*slot, *ballot, *value));
        let all: NodeSet =
            earlier.into_iter().flat_map(|who| who.iter()).chain([deed.step.id]).collect();
        let rival = |(at, _, of): &&(Slot, Ballot, Value)| at == slot && of != value;
        let too = match deed.past.chosen.iter().find(rival) {
            Some((_, _, other)) => format!(", besides {}", named(other)),
            None => String::new(),
        };
        let (who, what) = (nodes_listed(all.iter()), named(value));
        format!(
            "completes the majority of {who} that has accepted {what} in slot {slot:?} under \
             ballot {ballot:?}: {what} is now chosen there{too}"
        )
    };
    new.map(clause).collect()
}
