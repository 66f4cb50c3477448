//! What must hold of Zab, with the quantifiers of the paper's section on primary order atomic broadcast, and what must
//! be remembered of the past to ask it.
//!
//! A server delivers the first `delivered` transactions of its history, in that order; a restart begins again. While
//! nothing is broken, any two sequences ever delivered are prefixes one of the other, so that the longest stands for all
//! of them. Each property is asked of every step, and what is broken stays broken.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::Zab;
use super::state::*;
use crate::election::{Check, Event, Invariant, NodeStep, node_name};

/// What properties remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The longest sequence that any server has delivered.
    pub longest: Vec<Txn>,
    /// Who broadcast as the primary of which epoch.
    pub primaries: BTreeMap<(Epoch, Id), Primary>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Primary {
    /// How much of the longest sequence it had delivered when it broadcast first.
    pub had: usize,
    /// What it broadcast, in order.
    pub broadcast: Vec<Txn>,
}

impl Memory {
    fn has_been_broadcast(&self, txn: Txn) -> bool {
        self.primaries.values().any(|primary| primary.broadcast.contains(&txn))
    }
}

/// The transaction that a primary broadcast in this step. It counts once it is on disk: from there it can spread, even
/// if the primary crashes before it proposes it.
fn broadcast(step: &NodeStep<'_, Zab>) -> Option<Txn> {
    let Event::Choose { value: Choice::Broadcast, .. } = step.event else { return None };
    let before = step.before?.disk.history.len();
    step.storage?.history.get(before).copied()
}

/// What was delivered before the step, and what is afterwards, if that is more or something else.
fn delivered<'a>(step: &'a NodeStep<'_, Zab>) -> Option<(&'a [Txn], &'a [Txn])> {
    let before = step.before.map_or(&[][..], Server::delivered);
    let after = step.after?.delivered();
    let grew = after.len() > before.len() || before[..after.len()] != *after;
    grew.then_some((before, after))
}

/// The transactions delivered in this step, each with what its server had delivered before it.
fn deliveries<'a>(step: &'a NodeStep<'_, Zab>) -> impl Iterator<Item = (Txn, &'a [Txn])> {
    let (before, after) = delivered(step).unwrap_or_default();
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    (same..after.len()).map(move |i| (after[i], &after[..i]))
}

fn shared(a: &[Txn], b: &[Txn]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

pub(super) fn observe(memory: &Memory, step: &NodeStep<'_, Zab>) -> Option<Memory> {
    let longer = delivered(step).filter(|(_, after)| after.len() > memory.longest.len());
    let new = broadcast(step);
    if longer.is_none() && new.is_none() {
        return None;
    }
    let mut memory = memory.clone();
    if let (Some(txn), Some(before)) = (new, step.before) {
        let had = shared(before.delivered(), &memory.longest);
        let primary = memory
            .primaries
            .entry((txn.zxid.epoch, step.id))
            .or_insert(Primary { had, broadcast: Vec::new() });
        primary.broadcast.push(txn);
    }
    if let Some((_, after)) = longer {
        memory.longest = after.to_vec();
    }
    Some(memory)
}

/// Asks `holds` of every delivery of the step: the transaction, and what its server had delivered before it.
fn each_delivery(
    step: &NodeStep<'_, Zab>,
    holds: impl Fn(Txn, &[Txn]) -> Result<(), String>,
) -> Result<(), String> {
    deliveries(step).try_for_each(|(txn, earlier)| holds(txn, earlier))
}

/// What is remembered once the broadcast of this step is.
fn with_broadcast(memory: &Memory, step: &NodeStep<'_, Zab>) -> Memory {
    let mut now = observe(memory, step).unwrap_or_else(|| memory.clone());
    now.longest.clone_from(&memory.longest);
    now
}

fn integrity(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let now = with_broadcast(memory, step);
    each_delivery(step, |txn, _| match now.has_been_broadcast(txn) {
        true => Ok(()),
        false => Err(format!("{} delivered {txn}, which nobody broadcast", node_name(step.id))),
    })
}

fn total_order(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let other = &memory.longest;
    each_delivery(step, |txn, earlier| {
        let Some(place) = other.iter().position(|&o| o == txn) else { return Ok(()) };
        if other[..place] == *earlier {
            return Ok(());
        }
        Err(format!(
            "{} delivered {txn} after {earlier:?}, another server delivered it after {:?}",
            node_name(step.id),
            &other[..place]
        ))
    })
}

fn agreement(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let Some((_, mine)) = delivered(step) else { return Ok(()) };
    let theirs = &memory.longest;
    let only_mine = mine.iter().find(|txn| !theirs.contains(txn));
    let only_theirs = theirs.iter().find(|txn| !mine.contains(txn));
    match (only_mine, only_theirs) {
        (Some(a), Some(b)) => Err(format!(
            "{} delivered {a} and not {b}, another server delivered {b} and not {a}",
            node_name(step.id)
        )),
        _ => Ok(()),
    }
}

fn local_primary_order(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let now = with_broadcast(memory, step);
    each_delivery(step, |txn, earlier| {
        for (&(epoch, primary), Primary { broadcast, .. }) in &now.primaries {
            let Some(place) = broadcast.iter().position(|&b| b == txn) else { continue };
            if let Some(missing) = broadcast[..place].iter().find(|b| !earlier.contains(b)) {
                return Err(format!(
                    "{} delivered {txn} without {missing}, which {} broadcast before it in epoch {epoch}",
                    node_name(step.id),
                    node_name(primary)
                ));
            }
        }
        Ok(())
    })
}

fn global_primary_order(_: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    each_delivery(step, |txn, earlier| {
        match earlier.iter().find(|before| before.zxid.epoch > txn.zxid.epoch) {
            Some(before) => {
                Err(format!("{} delivered {before} before {txn}, of an earlier primary", node_name(step.id)))
            }
            None => Ok(()),
        }
    })
}

fn primary_integrity(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let missed = |epoch: Epoch, primary: Id, txn: Txn| {
        let primary = node_name(primary);
        Err(format!(
            "{primary} broadcast in epoch {epoch} without having delivered {txn}, which was delivered"
        ))
    };
    // A delivery, however late, of what a later primary that has broadcast already did not know.
    each_delivery(step, |txn, _| {
        for (&(epoch, primary), Primary { had, .. }) in &memory.primaries {
            let known = memory.longest[..(*had).min(memory.longest.len())].contains(&txn);
            if epoch > txn.zxid.epoch && !known {
                return missed(epoch, primary, txn);
            }
        }
        Ok(())
    })?;
    // A first broadcast by a primary that does not know what was delivered.
    let (Some(new), Some(before)) = (broadcast(step), step.before) else { return Ok(()) };
    let mut earlier = memory.longest.iter().filter(|txn| txn.zxid.epoch < new.zxid.epoch);
    match earlier.find(|txn| !before.delivered().contains(txn)) {
        Some(&txn) => missed(new.zxid.epoch, step.id, txn),
        None => Ok(()),
    }
}

fn legal_commits(_: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let (Some(before), Event::Deliver { src, msg: Msg::Packet { link, place, packet } }) =
        (step.before, &step.event)
    else {
        return Ok(());
    };
    let Role::Following(following) = &before.role else { return Ok(()) };
    if following.leader != *src || following.channel.arrival(*link, *place) != Arrival::Next {
        return Ok(());
    }
    let (named, legal) = match (following.phase, packet) {
        (Phase::Synchronised, Packet::UpToDate { zxid }) => (zxid, before.disk.position(*zxid).is_some()),
        (Phase::Broadcast, Packet::Commit { zxid }) => {
            let next = before.disk.history.get(before.delivered);
            (zxid, next.is_some_and(|txn| txn.zxid == *zxid))
        }
        _ => return Ok(()),
    };
    if legal {
        return Ok(());
    }
    Err(format!(
        "{} was told that {named} is committed, having delivered {:?} of {:?}",
        node_name(step.id),
        before.delivered(),
        before.disk.history
    ))
}

fn elected_by_quorum(_: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let zab = step.actor;
    let (Some(Server { role: Role::Looking(looking), link, .. }), Some(after)) = (step.before, step.after)
    else {
        return Ok(());
    };
    if zab.oracle.is_some() || !matches!(after.role, Role::Leading(_)) {
        return Ok(());
    }
    let mut said = looking.settled.clone();
    if let Event::Deliver { src, msg: Msg::Settled { settled, .. } } = step.event {
        said.insert(src, *settled);
    }
    let settled = said.iter().filter(|(_, s)| s.leader == step.id && s.round == link.round).map(|(&n, _)| n);
    let votes = looking.votes.iter().filter(|(_, vote)| vote.leader == step.id).map(|(&n, _)| n);
    let own = looking.vote.filter(|vote| vote.leader == step.id).map(|_| step.id);
    let mut voters: Vec<Id> = settled.chain(votes).chain(own).collect();
    voters.sort();
    voters.dedup();
    if zab.is_majority(voters.len()) {
        return Ok(());
    }
    let names: Vec<String> = voters.into_iter().map(node_name).collect();
    let me = node_name(step.id);
    Err(format!("{me} holds the office of leader in round {}, for which only {names:?} voted", link.round))
}

fn vote_order(zab: &Zab, (a, left): (Id, &Server), (b, right): (Id, &Server)) -> Result<(), String> {
    let (Role::Looking(left), Role::Looking(right)) = (&left.role, &right.role) else { return Ok(()) };
    let (Some(left), Some(right)) = (left.vote, right.vote) else { return Ok(()) };
    let names = format!("the vote of {} ({left:?}) and that of {} ({right:?})", node_name(a), node_name(b));
    match (zab.beats(left, right), zab.beats(right, left)) {
        (true, true) => Err(format!("{names} each beat the other")),
        (false, false) if left != right => Err(format!("neither of {names} beats the other")),
        _ => Ok(()),
    }
}

pub(super) fn all() -> Vec<Invariant<Zab>> {
    let step = |name, meaning, check| Invariant::new(name, meaning, Check::Step(check));
    vec![
        step(
            "agreement",
            "If one server delivers a and another delivers b, then the first delivers b or the second delivers a \
             (Zab, properties of atomic broadcast).",
            agreement,
        ),
        step(
            "total-order",
            "If some server delivers a before b, then any server that delivers b delivers a before it (Zab, \
             properties of atomic broadcast).",
            total_order,
        ),
        step(
            "integrity",
            "If some server delivers a transaction, then some server has broadcast it (Zab, properties of atomic \
             broadcast).",
            integrity,
        ),
        step(
            "local-primary-order",
            "If a primary broadcasts a before b, then a server that delivers b delivers a before it (Zab, primary \
             order).",
            local_primary_order,
        ),
        step(
            "global-primary-order",
            "If one primary broadcasts a, a later primary broadcasts b, and a server delivers both, then it delivers \
             a before b (Zab, primary order).",
            global_primary_order,
        ),
        step(
            "primary-integrity",
            "If a primary broadcasts b, and any server ever delivers a, broadcast by an earlier primary, then that \
             primary has delivered a before it broadcasts b (Zab, primary order).",
            primary_integrity,
        ),
        step(
            "legal-commits",
            "On an unbroken connection a leader names as committed only what its follower has, and next (Zab, steps \
             f.2.2 and f.3.2).",
            legal_commits,
        ),
        step(
            "elected-by-quorum",
            "A server leaves Fast Leader Election as leader only if a quorum has voted for it in the round that it is \
             in (FastLeaderElection, checkLeader).",
            elected_by_quorum,
        ),
        Invariant::new(
            "vote-order",
            "Of any two different votes exactly one beats the other (FastLeaderElection, \
                      totalOrderPredicate).",
            Check::Pair(vote_order),
        ),
    ]
}
