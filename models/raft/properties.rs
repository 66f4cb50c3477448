//! The properties of Raft: figure 3 of the paper, without election safety, which every protocol
//! has; and the rules of single steps, from [`rules`].

use stateright::actor::Id;

use super::state::{Role, State};
use super::witness::{Witness, applied, leads_on};
use super::{Raft, rules};
use crate::election::{Check, Election, Invariant, NodeStep, node_name};

/// All properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<Raft>> {
    figure_3().into_iter().chain(rules::invariants()).collect()
}

/// Whether there are logs at all.
pub(super) fn has_values(servers: &[Raft]) -> bool {
    servers.iter().any(|server| server.values > 0)
}

/// Figure 3, without election safety; and that followers follow a leader (5.2).
fn figure_3() -> Vec<Invariant<Raft>> {
    let of_logs = |name, meaning, check| {
        Invariant::new(name, meaning, check).with_setting("values >= 1", has_values)
    };
    vec![
        of_logs(
            "state-machine-safety",
            "once an entry is committed at an index, no server applies a different one there \
             (figure 3, 5.4.3)",
            Check::Step(state_machine_safety),
        )
        .needing(&["follower-commits"]),
        of_logs(
            "leader-completeness",
            "an entry committed in a term is in the log of every leader of a higher term, even of \
             one elected before the entry was committed (figure 3, 5.4)",
            Check::Witness(leader_completeness),
        )
        .needing(&["leader-after-a-commit"]),
        of_logs(
            "log-matching",
            "if two logs have an entry of the same term at the same index, they are equal up to \
             that index (figure 3, 5.3)",
            Check::Pair(log_matching),
        )
        .needing(&["follower-appends"]),
        of_logs(
            "leader-append-only",
            "a leader never overwrites or deletes entries of its log (figure 3, 5.3)",
            Check::Rule(leader_append_only),
        )
        .needing(&["leader-commits"]),
        Invariant::new(
            "followed-has-led",
            "a server follows only a server that has become the leader of that term (5.2)",
            Check::Step(followed_has_led),
        ),
    ]
}

fn state_machine_safety(past: &Witness, step: &NodeStep<'_, Raft>) -> Result<(), String> {
    for (index, entry) in applied(step) {
        if let Some((first, _)) = past.committed.get(&index)
            && *first != entry
        {
            let node = node_name(step.id);
            return Err(format!(
                "{node} applied {entry:?} at index {index}, where {first:?} was committed before"
            ));
        }
    }
    Ok(())
}

fn leader_completeness(past: &Witness) -> Result<(), String> {
    for (&(term, leader), log) in &past.elected {
        for (&index, &(entry, committed_in)) in &past.committed {
            if committed_in < term && log.get(index) != Some(entry) {
                return Err(format!(
                    "{} was elected in term {term} without {entry:?} at index {index}, committed \
                     in term {committed_in}",
                    node_name(leader),
                ));
            }
        }
    }
    Ok(())
}

fn log_matching(_: &Raft, (a, x): (Id, &State), (b, y): (Id, &State)) -> Result<(), String> {
    let (x, y) = (&x.persistent.log, &y.persistent.log);
    let agreed = (1..=x.last_index().min(y.last_index()))
        .rev()
        .find(|&index| x.term_at(index) == y.term_at(index));
    match agreed {
        Some(index) if x.prefix(index) != y.prefix(index) => Err(format!(
            "{} has {:?} and {} has {:?}, both with an entry of term {} at index {index}",
            node_name(a),
            x.prefix(index),
            node_name(b),
            y.prefix(index),
            x.term_at(index).unwrap_or_default(),
        )),
        _ => Ok(()),
    }
}

fn leader_append_only(step: &NodeStep<'_, Raft>) -> Result<(), String> {
    if let (Some(before), Some(after)) = (step.before, step.after)
        && matches!(before.role, Role::Leader(_))
        && leads_on(step)
        && !after.persistent.log.starts_with(&before.persistent.log)
    {
        let (id, term) = (node_name(step.id), after.persistent.term);
        let (old, new) = (&before.persistent.log, &after.persistent.log);
        return Err(format!("{id}, leader of term {term}, replaced its log {old:?} by {new:?}"));
    }
    Ok(())
}

fn followed_has_led(past: &Witness, step: &NodeStep<'_, Raft>) -> Result<(), String> {
    let followed = |server: &State| step.actor.follows(step.id, server);
    let Some((term, leader)) = step.after.or(step.cut_short).and_then(followed) else {
        return Ok(());
    };
    if step.before.and_then(followed) == Some((term, leader)) || past.has_led(term, leader) {
        return Ok(());
    }
    let (id, leader) = (node_name(step.id), node_name(leader));
    Err(format!("{id} follows {leader} in term {term}, which {leader} has never led"))
}
