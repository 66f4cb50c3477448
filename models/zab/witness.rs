//! What properties remember of the past, and the facts about a step that they use.
//!
//! A server delivers the first `delivered` transactions of its history, in that order; a restart
//! begins again. While nothing is broken, any two sequences ever delivered are prefixes one of the
//! other, so that the longest stands for all of them.

use stateright::actor::Id;

use super::Zab;
use super::message::Choice;
use super::state::{Epoch, Looking, Role, Stand, State, Txn, Zxid};
use crate::election::{Event, NodeSet, NodeStep, SortedMap};

/// What properties remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// The longest sequence that any server has delivered.
    pub longest: Vec<Txn>,
    /// Who broadcast as the primary of which epoch.
    pub primaries: SortedMap<(Epoch, Id), Primary>,
    /// Who first led each epoch.
    pub led: SortedMap<Epoch, Id>,
    /// The supporters of each server in each round of Fast Leader Election.
    pub support: SortedMap<(u32, Id), Support>,
}

/// The supporters of a server in a round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Support {
    /// Those who have voted for it, or have joined it.
    pub by: NodeSet,
    /// The most recent history among those who have voted for it: its epoch and its last
    /// transaction.
    pub most_recent: (Epoch, Zxid),
}

/// A server that broadcasts as the primary of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Primary {
    /// How much of the longest sequence it had delivered when it broadcast first.
    pub had: usize,
    /// What it broadcast, in order.
    pub broadcast: Vec<Txn>,
}

impl Witness {
    /// Whether some primary has broadcast this transaction.
    pub(super) fn has_been_broadcast(&self, txn: Txn) -> bool {
        self.primaries.values().any(|primary| primary.broadcast.contains(&txn))
    }
}

/// The witness after a step, if the step changes it.
pub(super) fn observe(witness: &Witness, step: &NodeStep<'_, Zab>) -> Option<Witness> {
    let longer = grown(step).filter(|(_, after)| after.len() > witness.longest.len());
    let new = broadcast(step);
    let leads = established(step).map(|(epoch, _)| epoch);
    let leads = leads.filter(|epoch| !witness.led.contains_key(epoch));
    let supports = stands_behind(step).filter(|(round, leader, history)| {
        let support = witness.support.get(&(*round, *leader)).cloned().unwrap_or_default();
        !support.by.contains(step.id)
            || history.is_some_and(|history| history > support.most_recent)
    });
    if longer.is_none() && new.is_none() && leads.is_none() && supports.is_none() {
        return None;
    }
    let mut witness = witness.clone();
    witness.led.extend(leads.map(|epoch| (epoch, step.id)));
    if let Some((round, leader, history)) = supports {
        let support = witness.support.get_or_insert((round, leader), Default::default());
        support.by.insert(step.id);
        support.most_recent = support.most_recent.max(history.unwrap_or_default());
    }
    if let (Some(txn), Some(before)) = (new, step.before) {
        let had = shared(before.delivered(), &witness.longest);
        let begins = Primary { had, broadcast: Vec::new() };
        let primary = witness.primaries.get_or_insert((txn.zxid.epoch, step.id), begins);
        primary.broadcast.push(txn);
    }
    if let Some((_, after)) = longer {
        witness.longest = after.to_vec();
    }
    Some(witness)
}

/// The transaction that a primary broadcast in this step. It counts once it is on disk: from there
/// it can spread, even if the primary crashes before it proposes it.
pub(super) fn broadcast(step: &NodeStep<'_, Zab>) -> Option<Txn> {
    let Event::Choose { value: Choice::Broadcast(_), .. } = step.event else { return None };
    let before = step.before?.disk.history.len();
    step.storage?.history.get(before).copied()
}

/// What was delivered before the step, and what is afterwards, if that is more or something else.
pub(super) fn grown<'a>(step: &'a NodeStep<'_, Zab>) -> Option<(&'a [Txn], &'a [Txn])> {
    let before = step.before.map_or(&[][..], State::delivered);
    let after = step.after?.delivered();
    let grew = after.len() > before.len() || before[..after.len()] != *after;
    grew.then_some((before, after))
}

/// The transactions delivered in this step, each with what its server had delivered before it.
pub(super) fn deliveries<'a>(
    step: &'a NodeStep<'_, Zab>,
) -> impl Iterator<Item = (Txn, &'a [Txn])> {
    let (before, after) = grown(step).unwrap_or_default();
    let same = shared(before, after);
    (same..after.len()).map(move |i| (after[i], &after[..i]))
}

/// How many transactions two sequences have in common before they part.
fn shared(a: &[Txn], b: &[Txn]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The state in which the handler ends, though the server may crash on the way after others have
/// heard of it.
pub(super) fn end<'a>(step: &'a NodeStep<'_, Zab>) -> Option<&'a State> {
    step.after.or(step.cut_short)
}

/// The epoch that a server comes to lead in this step, and the server.
pub(super) fn established<'a>(step: &'a NodeStep<'_, Zab>) -> Option<(Epoch, &'a State)> {
    let leads = |server: &&State| match &server.role {
        Role::Leading(leading) => leading.stand == Stand::Broadcast,
        _ => false,
    };
    let server = end(step).filter(leads)?;
    step.before.filter(leads).is_none().then_some((server.disk.current, server))
}

/// The server that this server supports from this step on, in which round, and with what history if
/// it has voted.
fn stands_behind(step: &NodeStep<'_, Zab>) -> Option<(u32, Id, Option<(Epoch, Zxid)>)> {
    if step.actor.oracle.is_some() {
        return None;
    }
    let server = end(step)?;
    let was_looking = matches!(step.before, Some(State { role: Role::Looking(_), .. }));
    match &server.role {
        Role::Following(following) if was_looking => {
            Some((server.link.round, following.leader, None))
        }
        Role::Looking(Looking { vote: Some(vote), .. }) if !step.sends.is_empty() => {
            Some((server.link.round, vote.leader, Some((server.disk.current, server.disk.last()))))
        }
        _ => None,
    }
}
