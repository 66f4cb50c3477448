//! The properties of Zab, as in the paper's section on primary order atomic broadcast, and of Fast
//! Leader Election; and the [`rules`] of single steps.
//!
//! Each property is checked at every step. Once a step breaks it, it stays violated.

use stateright::actor::Id;

use super::message::{Message, Packet};
use super::state::{Arrival, Epoch, Phase, Role, State, Txn};
use super::witness::{Primary, Witness, broadcast, deliveries, end, established, grown, observe};
use super::{Zab, rules};
use crate::election::{Check, Event, Invariant, NodeStep, listed, node_name};

/// All properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<Zab>> {
    [of_atomic_broadcast(), of_primary_order(), of_phases(), of_elections(), rules::invariants()]
        .concat()
}

/// Three of the paper: atomic broadcast.
fn of_atomic_broadcast() -> Vec<Invariant<Zab>> {
    let step = |name, meaning, check| Invariant::new(name, meaning, Check::Step(check));
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
    ]
}

/// Three of the paper: primary order.
fn of_primary_order() -> Vec<Invariant<Zab>> {
    let step = |name, meaning, check| Invariant::new(name, meaning, Check::Step(check));
    vec![
        step(
            "local-primary-order",
            "If a primary broadcasts a before b, then a server that delivers b delivers a before it (Zab, primary \
             order).",
            local_primary_order,
        )
        .with_setting("values >= 2", asks_for_two)
        .needing(&["two-of-one-primary"]),
        Invariant::new(
            "global-primary-order",
            "If one primary broadcasts a, a later primary broadcasts b, and a server delivers both, then it delivers \
             a before b (Zab, primary order).",
            Check::Rule(global_primary_order),
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
    ]
}

/// What the three phases do for those.
fn of_phases() -> Vec<Invariant<Zab>> {
    let step = |name, meaning, check| Invariant::new(name, meaning, Check::Step(check));
    vec![
        step(
            "leader-completeness",
            "Whatever is ever delivered of an epoch is in the history with which each later epoch \
             is established (Zab, lemma of phase 2: the initial history of an epoch).",
            leader_completeness,
        )
        .with_setting("values >= 1", asks_for_values)
        .needing(&["delivered"]),
        step(
            "legal-commits",
            "On an unbroken connection only an established leader tells a follower of commits: \
             UPTODATE names a transaction that the follower has, and each COMMIT the next one \
             (Zab, steps f.2.2 and f.3.2).",
            legal_commits,
        )
        .needing(&["established"]),
    ]
}

/// Properties of Fast Leader Election.
fn of_elections() -> Vec<Invariant<Zab>> {
    let step = |name, meaning, check| Invariant::new(name, meaning, Check::Step(check));
    vec![
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
            "A server that Fast Leader Election elects has a history at least as recent as that of \
             each server that voted for it (Zab, phase 0; FastLeaderElection, \
             totalOrderPredicate).",
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
    ]
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

/// Checks `holds` for every delivery of the step: the transaction, and what its server had
/// delivered before it.
fn each_delivery(
    step: &NodeStep<'_, Zab>,
    holds: impl Fn(Txn, &[Txn]) -> Result<(), String>,
) -> Result<(), String> {
    deliveries(step).try_for_each(|(txn, earlier)| holds(txn, earlier))
}

/// What is remembered once the broadcast of this step is.
fn with_broadcast(witness: &Witness, step: &NodeStep<'_, Zab>) -> Witness {
    let mut now = observe(witness, step).unwrap_or_else(|| witness.clone());
    now.longest.clone_from(&witness.longest);
    now
}

/// Transactions in their order, or the word for none.
fn sequence(txns: &[Txn]) -> String {
    if txns.is_empty() { "nothing".to_string() } else { listed(txns) }
}

fn integrity(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let now = with_broadcast(witness, step);
    each_delivery(step, |txn, _| match now.has_been_broadcast(txn) {
        true => Ok(()),
        false => Err(format!("{} delivered {txn}, which nobody broadcast", node_name(step.id))),
    })
}

fn total_order(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let other = &witness.longest;
    each_delivery(step, |txn, earlier| {
        let Some(place) = other.iter().position(|&o| o == txn) else { return Ok(()) };
        if other[..place] == *earlier {
            return Ok(());
        }
        Err(format!(
            "{} delivered {txn} right after {}, but another server had delivered it right after {}",
            node_name(step.id),
            sequence(earlier),
            sequence(&other[..place])
        ))
    })
}

fn agreement(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let Some((_, mine)) = grown(step) else { return Ok(()) };
    let theirs = &witness.longest;
    let only_mine = mine.iter().find(|txn| !theirs.contains(txn));
    let only_theirs = theirs.iter().find(|txn| !mine.contains(txn));
    match (only_mine, only_theirs) {
        (Some(a), Some(b)) => Err(format!(
            "{} delivered {a} and not {b}, but another server had delivered {b} and not {a}",
            node_name(step.id)
        )),
        _ => Ok(()),
    }
}

fn local_primary_order(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let now = with_broadcast(witness, step);
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
            Some(before) => Err(format!(
                "{} delivered {before} before {txn}, of an earlier primary",
                node_name(step.id)
            )),
            None => Ok(()),
        }
    })
}

fn primary_integrity(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let missed = |epoch: Epoch, primary: Id, txn: Txn| {
        let primary = node_name(primary);
        Err(format!(
            "{primary} broadcast in epoch {epoch} without having delivered {txn}, which was delivered"
        ))
    };
    // A delivery, however late, of what a later primary that has broadcast already did not know.
    each_delivery(step, |txn, _| {
        for (&(epoch, primary), Primary { had, .. }) in &witness.primaries {
            let known = witness.longest[..(*had).min(witness.longest.len())].contains(&txn);
            if epoch > txn.zxid.epoch && !known {
                return missed(epoch, primary, txn);
            }
        }
        Ok(())
    })?;
    // A first broadcast by a primary that does not know what was delivered.
    let (Some(new), Some(before)) = (broadcast(step), step.before) else { return Ok(()) };
    let mut earlier = witness.longest.iter().filter(|txn| txn.zxid.epoch < new.zxid.epoch);
    match earlier.find(|txn| !before.delivered().contains(txn)) {
        Some(&txn) => missed(new.zxid.epoch, step.id, txn),
        None => Ok(()),
    }
}

fn legal_commits(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let (Some(before), Event::Deliver { src, msg: Message::Packet { link, place, packet } }) =
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
        (Phase::Synchronised, Packet::UpToDate { .. }) if witness.led.get(&epoch) != Some(src) => {
            let (me, leader) = (node_name(step.id), node_name(*src));
            return Err(format!("{me} is up to date with {leader}, which never led epoch {epoch}"));
        }
        (Phase::Synchronised, Packet::UpToDate { zxid }) => {
            (zxid, before.disk.position(*zxid).is_some())
        }
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
        "{} was told that {named} is committed, though it has delivered {} and its history is {}",
        node_name(step.id),
        sequence(before.delivered()),
        sequence(&before.disk.history)
    ))
}

/// Every transaction of an earlier epoch that any server ever delivers is in the history with which
/// a later epoch is established. Checked when an epoch is established, and at every later delivery.
fn leader_completeness(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    if let Some((epoch, leader)) = established(step) {
        let earlier = witness.longest.iter().filter(|txn| txn.zxid.epoch < epoch);
        if let Some(txn) = earlier.clone().find(|txn| !leader.disk.history.contains(txn)) {
            let me = node_name(step.id);
            return Err(format!("{me} leads epoch {epoch} without {txn}, which was delivered"));
        }
    }
    // Every server that came to lead has delivered its history. So a transaction that is first
    // delivered now was in none of those histories.
    each_delivery(step, |txn, _| {
        let later = witness.led.iter().next_back().filter(|(epoch, _)| **epoch > txn.zxid.epoch);
        match later {
            Some((epoch, leader)) if !witness.longest.contains(&txn) => {
                let (me, leader) = (node_name(step.id), node_name(*leader));
                Err(format!(
                    "{me} delivered {txn}, without which {leader} came to lead epoch {epoch}"
                ))
            }
            _ => Ok(()),
        }
    })
}

/// The server and its round, if it leaves Fast Leader Election in this step as a leader.
fn elected<'a>(step: &'a NodeStep<'_, Zab>) -> Option<(u32, &'a State)> {
    let was_looking = matches!(step.before, Some(State { role: Role::Looking(_), .. }));
    let server = end(step).filter(|server| matches!(server.role, Role::Leading(_)))?;
    (was_looking && step.actor.oracle.is_none()).then_some((server.link.round, server))
}

fn elected_by_quorum(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let Some((round, _)) = elected(step) else { return Ok(()) };
    let by = witness.support.get(&(round, step.id)).map(|support| support.by).unwrap_or_default();
    if by.len() > step.actor.count / 2 {
        return Ok(());
    }
    let me = node_name(step.id);
    Err(format!("{me} holds the office of leader in round {round}, for which only {by:?} voted"))
}

fn most_recent_wins(witness: &Witness, step: &NodeStep<'_, Zab>) -> Result<(), String> {
    let Some((round, leader)) = elected(step) else { return Ok(()) };
    let Some(support) = witness.support.get(&(round, step.id)) else { return Ok(()) };
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

fn vote_order(zab: &Zab, (a, left): (Id, &State), (b, right): (Id, &State)) -> Result<(), String> {
    let (Role::Looking(left), Role::Looking(right)) = (&left.role, &right.role) else {
        return Ok(());
    };
    let (Some(left), Some(right)) = (left.vote, right.vote) else { return Ok(()) };
    let names =
        format!("the vote of {} ({left:?}) and that of {} ({right:?})", node_name(a), node_name(b));
    match (zab.beats(left, right), zab.beats(right, left)) {
        (true, true) => Err(format!("{names} each beat the other")),
        (false, false) if left != right => Err(format!("neither of {names} beats the other")),
        _ => Ok(()),
    }
}
