//! A state on one page: a block for each node, then the messages in flight and the links that are
//! cut. Fields that hold nothing are left out.

use std::collections::BTreeMap;

use stateright::actor::Id;

use crate::election::{Election, Term, node_name, nodes_listed};
use crate::semantics::node::NodeOf;
use crate::semantics::{System, SystemState, names};
use crate::tell::debug::fields;
use crate::tell::flight::{Flight, copies, difference, together};
use crate::tell::links;

/// What stands before a line that changed, and before one that did not.
const CHANGED: &str = "  * ";
const SAME: &str = "    ";
/// The age of a timer where time is not modelled.
const UNTIMED: &str = ": Age { now: 0, first: 0, last: 0 }";

/// The state after a step. A star stands before what the step changed.
pub fn changed<E: Election>(
    system: &System<E>,
    before: &SystemState<E>,
    after: &SystemState<E>,
) -> String {
    sheet(system, Some(before), after)
}

/// The whole state, with what only the harness knows: different states have different pages.
pub fn whole<E: Election>(system: &System<E>, state: &SystemState<E>) -> String {
    let mut text = sheet(system, None, state);
    text += "\nkept by the harness\n";
    for (i, node) in state.nodes.iter().enumerate() {
        let mut parts = Vec::new();
        if node.incarnation > 0 {
            parts.push(format!("restarted {} times", node.incarnation));
        }
        let kept = [
            ("timers", names::value(&node.timers).replace(UNTIMED, "")),
            ("choices", names::value(&node.choices)),
            ("older disk", names::value(&node.older)),
        ];
        let is_said = |value: &str| !is_nothing(value) && value != "NotKept";
        let kept = kept.into_iter().filter(|(_, value)| is_said(value));
        parts.extend(kept.map(|(what, value)| format!("{what} {value}")));
        if !parts.is_empty() {
            text += &format!("{SAME}{}: {}\n", node_name(i.into()), parts.join("; "));
        }
    }
    let world = names::value(&state.world);
    for (name, value) in fields(&world).map(|(_, fields)| fields).unwrap_or_default() {
        let value = if name == "left" { budgets(&brief(value)) } else { brief(value) };
        if !is_nothing(&value) && value != "0" {
            text += &format!("{SAME}{name}: {value}\n");
        }
    }
    text
}

/// The budgets of faults that are not used up.
fn budgets(faults: &str) -> String {
    let all = fields(faults).map(|(_, fields)| fields).unwrap_or_default();
    let left = all.into_iter().filter(|(_, left)| *left != "0");
    let left: Vec<String> = left.map(|(name, left)| format!("{name}={left}")).collect();
    if left.is_empty() { "no faults".to_string() } else { left.join(", ") }
}

fn sheet<E: Election>(
    system: &System<E>,
    before: Option<&SystemState<E>>,
    after: &SystemState<E>,
) -> String {
    let mut text = String::new();
    for (i, node) in after.nodes.iter().enumerate() {
        let old = before.map(|before| &*before.nodes[i]);
        let count = after.nodes.len();
        let now = headline(system, i, node, count);
        let is_new = old.is_some_and(|old| headline(system, i, old, count) != now);
        text += &format!("{}{now}\n", if is_new { "* " } else { "" });
        for line in of_node::<E>(old, node) {
            text += &format!("{line}\n");
        }
        text += "\n";
    }
    text += &messages(before, after);
    let topology = &system.rules.topologies[usize::from(after.world.topology)];
    let cut = links::cut(topology, after.nodes.len());
    if !cut.is_empty() {
        text += &format!("\nlinks cut: {}\n", links::short(&cut));
    }
    text
}

/// What matters most about a node.
fn headline<E: Election>(system: &System<E>, i: usize, node: &NodeOf<E>, nodes: usize) -> String {
    let (name, id, actor) = (node_name(i.into()), Id::from(i), &system.actors[i]);
    let Some(state) = node.state.as_deref() else { return format!("{name}  is down") };
    let term = |term: Term| match E::about().has_terms {
        true => format!(" {}", E::term_name(term, nodes)),
        false => String::new(),
    };
    if let Some(led) = actor.leads(id, state) {
        return format!("{name}  LEADS{}", term(led));
    }
    let reached = match term(actor.term(state)) {
        reached if reached.is_empty() => reached,
        reached => format!(", in{reached}"),
    };
    match actor.follows(id, state) {
        Some((_, leader)) => format!("{name}  follows {}{reached}", node_name(leader)),
        None => format!("{name}  is up{reached}"),
    }
}

fn of_node<E: Election>(old: Option<&NodeOf<E>>, new: &NodeOf<E>) -> Vec<String> {
    let state = |node: &NodeOf<E>| node.state.as_deref().map(names::value);
    let disk = |node: &NodeOf<E>| node.storage.as_ref().map(names::value);
    let mut out = Vec::new();
    let (now, saved) = (state(new), disk(new));
    let was = old.and_then(state);
    if let Some(now) = &now {
        lines("", was.as_deref(), now, &mut out);
        if old.is_some() && was.is_none() {
            // All of it is new.
            out.iter_mut().for_each(|line| line.replace_range(..SAME.len(), CHANGED));
        }
    }
    // What is in memory, too, is not shown twice.
    let in_memory = now.as_deref().and_then(fields).map(|(_, fields)| fields).unwrap_or_default();
    if let Some(saved) = &saved
        && now.as_ref() != Some(saved)
        && !in_memory.iter().any(|(_, value)| value == saved)
    {
        lines("disk", old.and_then(disk).as_deref(), saved, &mut out);
    }
    out
}

/// A line for each field: structures of the same name field by field, everything else whole.
fn lines(path: &str, old: Option<&str>, new: &str, out: &mut Vec<String>) {
    let label = if path.is_empty() { String::new() } else { format!("{path}: ") };
    let Some((name, new_fields)) = fields(new) else {
        return match old {
            Some(old) if old != new => out.push(change(path, old, new)),
            _ if is_nothing(new) => {}
            _ => out.push(format!("{SAME}{label}{}", inner(path, new))),
        };
    };
    let old_fields = match old.map(fields) {
        None => None,
        Some(Some((old_name, old_fields)))
            if old_name == name
                && old_fields
                    .iter()
                    .map(|(key, _)| key)
                    .eq(new_fields.iter().map(|(key, _)| key)) =>
        {
            Some(old_fields)
        }
        Some(_) => return out.push(change(path, old.unwrap_or_default(), new)),
    };
    if old.is_none_or(|old| old == new) && !path.is_empty() {
        return out.push(format!("{SAME}{label}{}", brief(new)));
    }
    for (i, (key, new)) in new_fields.iter().enumerate() {
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        lines(&path, old_fields.as_ref().map(|fields| fields[i].1), new, out);
    }
}

fn change(path: &str, old: &str, new: &str) -> String {
    let label = if path.is_empty() { String::new() } else { format!("{path}: ") };
    format!("{CHANGED}{label}{} → {}", inner(path, old), inner(path, new))
}

/// A value in short: `n1` of `Some(n1)`, and of a field `term` the number of `Term(1)`.
fn inner(path: &str, value: &str) -> String {
    let field = path.rsplit('.').next().unwrap_or_default();
    let unwrapped = |(name, rest): (&str, &'_ str)| {
        let is_plain = name == "Some" || name.eq_ignore_ascii_case(field);
        rest.strip_suffix(')').filter(|_| is_plain).map(str::to_string)
    };
    match value.split_once('(').and_then(unwrapped) {
        Some(inside) => brief(&inside),
        None => brief(value),
    }
}

/// A value without those of its fields that hold nothing.
fn brief(value: &str) -> String {
    let Some((name, all)) = fields(value) else { return value.to_string() };
    let parts: Vec<String> = all
        .into_iter()
        .filter(|(_, value)| !is_nothing(value))
        .map(|(key, value)| format!("{key}: {}", inner(key, value)))
        .collect();
    if parts.is_empty() { name.to_string() } else { format!("{name} {{ {} }}", parts.join(", ")) }
}

fn is_nothing(value: &str) -> bool {
    ["None", "[]", "{}", "()", "\"\"", "false"].contains(&value)
}

/// What is in flight, new messages with a star; and what is in flight no more.
fn messages<E: Election>(before: Option<&SystemState<E>>, after: &SystemState<E>) -> String {
    let now = copies(&after.in_flight());
    let old = before.map_or_else(|| now.clone(), |before| copies(&before.in_flight()));
    let new = difference(&old, &now);
    let mut kept = now.clone();
    for flight in &new {
        kept.entry(flight.clone()).and_modify(|copies| *copies -= 1);
    }
    let kept = difference(&BTreeMap::new(), &kept);
    if now.is_empty() {
        return "no message is in flight\n".to_string();
    }
    let list = |mark: &'static str, flights: Vec<Flight>| {
        together(flights).into_iter().map(move |sent| {
            let to = nodes_listed(sent.to.iter().map(|&to| Id::from(to)));
            format!("{mark}{} to {to}: {}\n", node_name(sent.src.into()), brief(&sent.text))
        })
    };
    let lines = list(CHANGED, new).chain(list(SAME, kept));
    format!("in flight\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: Option<&str>, new: &str) -> Vec<String> {
        let mut out = Vec::new();
        lines("", old, new, &mut out);
        out
    }

    #[test]
    fn changes_are_marked_and_empty_fields_left_out() {
        let old =
            "S { disk: D { term: Term(1), vote: None, log: [] }, role: Follower { lease: false } }";
        let new =
            "S { disk: D { term: Term(2), vote: Some(n1), log: [] }, role: Leader { acks: {n1} } }";
        let expected = [
            "  * disk.term: 1 → 2",
            "  * disk.vote: None → n1",
            "  * role: Follower → Leader { acks: {n1} }",
        ];
        assert_eq!(told(Some(old), new), expected);
        assert_eq!(told(None, old), ["    disk: D { term: 1 }", "    role: Follower"]);
        assert_eq!(told(Some(old), old), told(None, old));
    }

    #[test]
    fn what_has_no_fields_is_told_whole() {
        assert_eq!(told(Some("Waiting"), "Busy"), ["  * Waiting → Busy"]);
        assert_eq!(told(None, "Waiting"), ["    Waiting"]);
    }
}
