//! What must hold of Zab, with the quantifiers of the paper's section on primary order atomic broadcast, and what must
//! be remembered of the past to ask it.
//!
//! A server delivers the first `delivered` transactions of its history, in that order; a restart begins again. While
//! nothing is broken, any two sequences ever delivered are prefixes one of the other, so that the longest stands for all
//! of them. Each property is asked of every step, and what is broken stays broken.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::state::*;
use super::{Zab, rules};
use crate::election::{Check, Event, Invariant, NodeSet, NodeStep, node_name};

/// What properties remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The longest sequence that any server has delivered.
    pub longest: Vec<Txn>,
    /// Who broadcast as the primary of which epoch.
    pub primaries: BTreeMap<(Epoch, Id), Primary>,
    /// Who first led each epoch.
    pub led: BTreeMap<Epoch, Id>,
    /// Who stands behind whom in which round of Fast Leader Election: by server named.
    pub support: BTreeMap<(u32, Id), Support>,
}

/// Who stands behind a server in a round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Support {
    /// Those who have voted for it, or have joined it.
    pub by: NodeSet,
    /// The most recent history among those who have voted for it: its epoch and its last transaction.
    pub most_recent: (Epoch, Zxid),
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
    let Event::Choose { value: Choice::Broadcast(_), .. } = step.event else { return None };
    let before = step.before?.disk.history.len();
    step.storage?.history.get(before).copied()
}

/// What was delivered before the step, and what is afterwards, if that is more or something else.
fn grown<'a>(step: &'a NodeStep<'_, Zab>) -> Option<(&'a [Txn], &'a [Txn])> {
    let before = step.before.map_or(&[][..], Server::delivered);
    let after = step.after?.delivered();
    let grew = after.len() > before.len() || before[..after.len()] != *after;
    grew.then_some((before, after))
}

/// The transactions delivered in this step, each with what its server had delivered before it.
pub(super) fn deliveries<'a>(step: &'a NodeStep<'_, Zab>) -> impl Iterator<Item = (Txn, &'a [Txn])> {
    let (before, after) = grown(step).unwrap_or_default();
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    (same..after.len()).map(move |i| (after[i], &after[..i]))
}

fn shared(a: &[Txn], b: &[Txn]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The state in which the handler ends, though the server may crash on the way after others have heard of it.
pub(super) fn end<'a>(step: &'a NodeStep<'_, Zab>) -> Option<&'a Server> {
    step.after.or(step.cut_short)
}

/// The epoch that a server comes to lead in this step, and the server.
pub(super) fn established<'a>(step: &'a NodeStep<'_, Zab>) -> Option<(Epoch, &'a Server)> {
    let leads = |server: &&Server| matches!(&server.role, Role::Leading(l) if l.stand == Stand::Broadcast);
    let server = end(step).filter(leads)?;
    step.before.filter(leads).is_none().then_some((server.disk.current, server))
}

/// Behind whom the server stands from this step on, in which round, and with what history if it has voted.
fn stands_behind(step: &NodeStep<'_, Zab>) -> Option<(u32, Id, Option<(Epoch, Zxid)>)> {
    if step.actor.oracle.is_some() {
        return None;
    }
    let server = end(step)?;
    let was_looking = matches!(step.before, Some(Server { role: Role::Looking(_), .. }));
    match &server.role {
        Role::Following(following) if was_looking => Some((server.link.round, following.leader, None)),
        Role::Looking(Looking { vote: Some(vote), .. }) if !step.sends.is_empty() => {
            Some((server.link.round, vote.leader, Some((server.disk.current, server.disk.last()))))
        }
        _ => None,
    }
}

pub(super) fn observe(memory: &Memory, step: &NodeStep<'_, Zab>) -> Option<Memory> {
    let longer = grown(step).filter(|(_, after)| after.len() > memory.longest.len());
    let new = broadcast(step);
    let leads = established(step).map(|(epoch, _)| epoch).filter(|epoch| !memory.led.contains_key(epoch));
    let supports = stands_behind(step).filter(|(round, leader, history)| {
        let support = memory.support.get(&(*round, *leader)).cloned().unwrap_or_default();
        !support.by.contains(step.id) || history.is_some_and(|history| history > support.most_recent)
    });
    if longer.is_none() && new.is_none() && leads.is_none() && supports.is_none() {
        return None;
    }
    let mut memory = memory.clone();
    memory.led.extend(leads.map(|epoch| (epoch, step.id)));
    if let Some((round, leader, history)) = supports {
        let support = memory.support.entry((round, leader)).or_default();
        support.by.insert(step.id);
        support.most_recent = support.most_recent.max(history.unwrap_or_default());
    }
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
    let Some((_, mine)) = grown(step) else { return Ok(()) };
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

fn global_primary_order(step: &NodeStep<'_, Zab>) -> Result<(), String> {
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

fn legal_commits(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let (Some(before), Event::Deliver { src, msg: Msg::Packet { link, place, packet } }) =
        (step.before, &step.event)
    else {
        return Ok(());
    };
    let Role::Following(following) = &before.role else { return Ok(()) };
    if following.leader != *src || following.channel.arrival(*link, *place) != Arrival::Next {
        return Ok(());
    }
    let epoch = before.disk.current;
    let (named, legal) = match (following.phase, packet) {
        (Phase::Synchronised, Packet::UpToDate { .. }) if memory.led.get(&epoch) != Some(src) => {
            let (me, leader) = (node_name(step.id), node_name(*src));
            return Err(format!("{me} is up to date with {leader}, which never led epoch {epoch}"));
        }
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

/// What anybody ever delivered of an earlier epoch is in the history with which a later one is established; asked when
/// it is established, and whenever something is delivered later.
fn leader_completeness(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    if let Some((epoch, leader)) = established(step) {
        let earlier = memory.longest.iter().filter(|txn| txn.zxid.epoch < epoch);
        if let Some(txn) = earlier.clone().find(|txn| !leader.disk.history.contains(txn)) {
            let me = node_name(step.id);
            return Err(format!("{me} leads epoch {epoch} without {txn}, which was delivered"));
        }
    }
    // Whoever came to lead has delivered its history, so that what is new now was in none of theirs.
    each_delivery(step, |txn, _| {
        let later = memory.led.iter().next_back().filter(|(epoch, _)| **epoch > txn.zxid.epoch);
        match later {
            Some((epoch, leader)) if !memory.longest.contains(&txn) => {
                let (me, leader) = (node_name(step.id), node_name(*leader));
                Err(format!("{me} delivered {txn}, without which {leader} came to lead epoch {epoch}"))
            }
            _ => Ok(()),
        }
    })
}

/// The server and its round, if it leaves Fast Leader Election in this step as a leader.
fn elected<'a>(step: &'a NodeStep<'_, Zab>) -> Option<(u32, &'a Server)> {
    let was_looking = matches!(step.before, Some(Server { role: Role::Looking(_), .. }));
    let server = end(step).filter(|server| matches!(server.role, Role::Leading(_)))?;
    (was_looking && step.actor.oracle.is_none()).then_some((server.link.round, server))
}

fn elected_by_quorum(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let Some((round, _)) = elected(step) else { return Ok(()) };
    let by = memory.support.get(&(round, step.id)).map(|support| support.by).unwrap_or_default();
    if by.len() > step.actor.count / 2 {
        return Ok(());
    }
    let me = node_name(step.id);
    Err(format!("{me} holds the office of leader in round {round}, for which only {by:?} voted"))
}

fn most_recent_wins(memory: &Memory, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let Some((round, leader)) = elected(step) else { return Ok(()) };
    let Some(support) = memory.support.get(&(round, step.id)) else { return Ok(()) };
    let (current, last) = (leader.disk.current, leader.disk.last());
    if support.most_recent <= (current, last) {
        return Ok(());
    }
    let (epoch, zxid) = support.most_recent;
    Err(format!(
        "{} is elected in round {round} with {last} of epoch {current}, by one who has {zxid} of epoch {epoch}",
        node_name(step.id)
    ))
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

fn asks_for_values(servers: &[Zab]) -> bool {
    servers.iter().any(|server| server.values > 0)
}

fn asks_for_two(servers: &[Zab]) -> bool {
    servers.iter().any(|server| server.values > 1)
}

fn by_votes(servers: &[Zab]) -> bool {
    servers.iter().any(|server| server.oracle.is_none())
}

pub(super) fn all() -> Vec<Invariant<Zab>> {
    let step = |name, meaning, check| Invariant::new(name, meaning, Check::Step(check));
    let rule = |name, meaning, check| Invariant::new(name, meaning, Check::Rule(check));
    vec![
        step(
            "agreement",
            "If one server delivers a and another delivers b, then the first delivers b or the second delivers a \
             (Zab, properties of atomic broadcast).",
            agreement,
        )
        .with_setting("values >= 1", asks_for_values)
        .needing(&["delivered"]),
        step(
            "total-order",
            "If some server delivers a before b, then any server that delivers b delivers a before it (Zab, \
             properties of atomic broadcast).",
            total_order,
        )
        .with_setting("values >= 2", asks_for_two)
        .needing(&["two-delivered"]),
        step(
            "integrity",
            "If some server delivers a transaction, then some server has broadcast it (Zab, properties of atomic \
             broadcast).",
            integrity,
        )
        .with_setting("values >= 1", asks_for_values)
        .needing(&["delivered"]),
        step(
            "local-primary-order",
            "If a primary broadcasts a before b, then a server that delivers b delivers a before it (Zab, primary \
             order).",
            local_primary_order,
        )
        .with_setting("values >= 2", asks_for_two)
        .needing(&["two-of-one-primary"]),
        rule(
            "global-primary-order",
            "If one primary broadcasts a, a later primary broadcasts b, and a server delivers both, then it delivers \
             a before b (Zab, primary order).",
            global_primary_order,
        )
        .with_setting("values >= 2", asks_for_two)
        .needing(&["two-delivered"]),
        step(
            "primary-integrity",
            "If a primary broadcasts b, and any server ever delivers a, broadcast by an earlier primary, then that \
             primary has delivered a before it broadcasts b (Zab, primary order).",
            primary_integrity,
        )
        .with_setting("values >= 2", asks_for_two)
        .needing(&["delivered"]),
        step(
            "leader-completeness",
            "What anybody ever delivers of an earlier epoch is in the history with which a later one is established \
             (Zab, lemma of phase 2: the initial history of an epoch).",
            leader_completeness,
        )
        .with_setting("values >= 1", asks_for_values)
        .needing(&["delivered"]),
        step(
            "legal-commits",
            "On an unbroken connection a leader names as committed only what its follower has, and next, and only once \
             it leads (Zab, steps f.2.2 and f.3.2).",
            legal_commits,
        )
        .needing(&["established"]),
        step(
            "elected-by-quorum",
            "A server leaves Fast Leader Election as leader only if a quorum has voted for it, or joined it, in the \
             round that it is in (FastLeaderElection, checkLeader).",
            elected_by_quorum,
        )
        .with_setting("election = fle", by_votes)
        .needing(&["leads-by-votes"]),
        step(
            "most-recent-wins",
            "Whoever Fast Leader Election elects has a history at least as recent as that of each who voted for it \
             (Zab, phase 0; FastLeaderElection, totalOrderPredicate).",
            most_recent_wins,
        )
        .with_setting("election = fle", by_votes)
        .needing(&["leads-by-votes"]),
        Invariant::new(
            "vote-order",
            "Of any two different votes exactly one beats the other (FastLeaderElection, \
                      totalOrderPredicate).",
            Check::Pair(vote_order),
        )
        .with_setting("election = fle", by_votes),
        rule(
            "election-steps",
            "A server that starts or looks for a leader votes, adopts votes, waits and leaves as FastLeaderElection says.",
            rules::election_steps,
        ),
        rule(
            "follower-steps",
            "A follower does in each step what f.1.1 to f.3.2 say, and waits for its leader (Zab, phases 1 to 3; \
             ZooKeeper, syncLimit).",
            rules::follower_steps,
        ),
        rule(
            "leader-steps",
            "A leader does in each step what l.1.1 to l.3.4 say, nothing before a quorum allows it, and waits for one \
             (Zab, phases 1 to 3; ZooKeeper, initLimit and syncLimit).",
            rules::leader_steps,
        ),
        rule(
            "said-is-on-disk",
            "What a server goes by is on its disk, and what it promises, acknowledges or proposes was there before \
             (Zab, steps f.1.2, f.2.1, f.3.1, l.1.1, l.2.1, l.3.1).",
            rules::said_is_on_disk,
        ),
    ]
}
