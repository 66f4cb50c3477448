//! What a node would have done by the rule, at a step at which a planted bug made a difference.

use crate::election::{Election, listed, node_name};
use crate::semantics::node::{Effect, NodeOf, Reaction};
use crate::semantics::{Step, StepOf, names};
use crate::tell::debug::node_changes;
use crate::tell::prose::sentences;

/// A sentence about that, or more; `did` and `rule` are what the node did, and would have done, as
/// clauses whose subject is the node. What both have in common is not told again.
pub(super) fn tell<E: Election>(
    step: &StepOf<E>,
    before: &NodeOf<E>,
    (done, did): (&Reaction<E>, &[String]),
    (clean, rule): (&Reaction<E>, &[String]),
) -> String {
    let node = step.node().map(node_name).unwrap_or_default();
    let own: Vec<String> = rule.iter().filter(|clause| !did.contains(clause)).cloned().collect();
    if !own.is_empty() {
        return sentences(&format!("By the rule, {node}"), &own);
    }
    if rule.len() < did.len() {
        return match (rule, step.cause()) {
            ([], Step::Restart { .. }) => format!("By the rule, {node} only restarts."),
            ([], _) => format!("By the rule, {node} does nothing here."),
            _ => sentences(&format!("By the rule, {node} only"), rule),
        };
    }
    let clauses = untold::<E>(before, done, clean);
    match &clauses[..] {
        [] => String::new(),
        _ => format!("By the rule, {node} {}.", listed(&clauses)),
    }
}

/// Differences of which the protocol's own words say nothing.
fn untold<E: Election>(before: &NodeOf<E>, done: &Reaction<E>, clean: &Reaction<E>) -> Vec<String> {
    let mut clauses = Vec::new();
    let (now, then) = (&done.node.timers, &clean.node.timers);
    for (timer, age) in then {
        let kind = names::kind(timer);
        match now.get(timer) {
            None => clauses.push(format!("has its timer {kind} running")),
            Some(other) if other == age => {}
            Some(_) if age.now == 0 => clauses.push(format!("sets its timer {kind} anew")),
            Some(_) => clauses.push(format!("lets its timer {kind} go on")),
        }
    }
    for timer in now.keys().filter(|timer| !then.contains_key(*timer)) {
        clauses.push(format!("has no timer {} running", names::kind(timer)));
    }
    if done.effects != clean.effects {
        let is_save = |effect: &Effect<E::Msg, E::Storage>| matches!(effect, Effect::Save(_));
        let saves = |reaction: &Reaction<E>| reaction.effects.iter().position(is_save);
        let count = |reaction: &Reaction<E>| reaction.effects.iter().filter(|e| is_save(e)).count();
        match (saves(done), saves(clean)) {
            (None, Some(_)) => clauses.push("saves this on its disk".to_string()),
            (Some(_), Some(_)) if count(clean) < count(done) => {
                clauses.push("saves all of this at once".to_string());
            }
            (Some(late), Some(early)) if early < late => {
                clauses.push("saves before it sends".to_string());
            }
            _ => {}
        }
    }
    if clauses.is_empty() {
        let known = node_changes::<E>(before, &done.node);
        let mut parts = node_changes::<E>(before, &clean.node);
        parts.retain(|part| !known.contains(part));
        if !parts.is_empty() {
            clauses.push(format!("is left with {}", parts.join("; ")));
        }
    }
    clauses
}
