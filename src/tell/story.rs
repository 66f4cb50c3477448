//! A run told step by step: what each step changed, and only that.
//!
//! States are compared by their `Debug` forms, field by field, so that a protocol need not know that it is being told.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::election::{Election, node_name};
use crate::semantics::names;
use crate::semantics::network::Network;
use crate::semantics::node::NodeOf;
use crate::semantics::{StepOf, System, SystemState};

/// The steps from the system's very first state, numbered from where checking starts.
pub fn tell<E: Election>(system: &System<E>, steps: &[StepOf<E>]) -> String {
    by_step(system, steps).concat()
}

/// The same, a text a step.
pub fn by_step<E: Election>(system: &System<E>, steps: &[StepOf<E>]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut state = system.origin();
    let before = system.prefix.len();
    for (i, step) in system.prefix.iter().chain(steps).enumerate() {
        let mut text = String::new();
        if i == 0 && before > 0 {
            text += "    start:\n";
        }
        if i == before && before > 0 {
            text += "    checked from here:\n";
        }
        let number = if i < before { "-".to_string() } else { (i - before + 1).to_string() };
        let next = system.apply(&state, step).expect("a run that was found can be taken");
        let _ = writeln!(text, "{number:>5}  {}", system.name(step));
        for change in changes(system, &state, &next) {
            let _ = writeln!(text, "         {change}");
        }
        state = next;
        texts.push(text);
    }
    texts
}

/// What a step changed, a line a node and a line for the messages sent.
pub fn changes<E: Election>(
    system: &System<E>,
    before: &SystemState<E>,
    after: &SystemState<E>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (i, (old, new)) in before.nodes.iter().zip(&after.nodes).enumerate() {
        let name = node_name(i.into());
        let parts = node_changes::<E>(old, new);
        if !parts.is_empty() {
            lines.push(format!("{name}: {}", parts.join(", ")));
        }
        let leads = |node: &NodeOf<E>| system.actors[i].leads(i.into(), node.state.as_deref()?);
        match (leads(old), leads(new)) {
            (old, Some(term)) if old != Some(term) => match E::about().has_terms {
                true => lines.push(format!("=> {name} leads term {term}")),
                false => lines.push(format!("=> {name} leads")),
            },
            (Some(_), None) => lines.push(format!("=> {name} leads no more")),
            _ => {}
        }
    }
    let (old, new) = (copies(&before.network), copies(&after.network));
    let mut sent: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
    for (message, n) in &new {
        for _ in *old.get(message).unwrap_or(&0)..*n {
            let (src, dst, msg) = message;
            sent.entry((src.clone(), msg)).or_default().push(dst);
        }
    }
    lines.extend(sent.into_iter().map(|((src, msg), to)| format!("{src} -> {}: {msg}", to.join(", "))));
    lines
}

fn node_changes<E: Election>(old: &NodeOf<E>, new: &NodeOf<E>) -> Vec<String> {
    let mut parts = Vec::new();
    match (&old.state, &new.state) {
        (Some(old), Some(new)) if old != new => {
            compare("", &names::value(old), &names::value(new), &mut parts)
        }
        (Some(_), None) => parts.push("down".to_string()),
        (None, Some(state)) => {
            parts.push(format!("up as {}", names::value(state)));
            // What it remembers may not be what it had saved.
            if let (Some(disk), true) = (&new.storage, old.storage == new.storage) {
                parts.push(format!("with {} on disk", names::value(disk)));
            }
        }
        _ => {}
    }
    if old.storage != new.storage {
        let text = |node: &NodeOf<E>| node.storage.as_ref().map_or("empty".to_string(), names::value);
        compare("disk", &text(old), &text(new), &mut parts);
    }
    parts
}

/// The messages in flight by name, with how often each is there.
fn copies<M: Ord + Clone + std::fmt::Debug>(network: &Network<M>) -> BTreeMap<(String, String, String), u32> {
    let mut copies = BTreeMap::new();
    let mut count = |src, dst, msg: &M, n| {
        *copies.entry((node_name(src), node_name(dst), names::value(msg))).or_insert(0) += n
    };
    match network {
        Network::Unordered(bag) => bag.iter().for_each(|(e, n)| count(e.src, e.dst, &e.msg, *n)),
        Network::Duplicating(set) => set.iter().for_each(|e| count(e.src, e.dst, &e.msg, 1)),
        Network::Ordered(flows) => {
            for ((src, dst), queue) in flows {
                queue.iter().for_each(|msg| count(*src, *dst, msg, 1));
            }
        }
    }
    copies
}

/// Compares two `Debug` forms: structures of the same name field by field, everything else whole.
fn compare(path: &str, old: &str, new: &str, out: &mut Vec<String>) {
    if let (Some((a, old_fields)), Some((b, new_fields))) = (fields(old), fields(new))
        && a == b
        && old_fields.len() == new_fields.len()
        && old_fields.iter().zip(&new_fields).all(|(x, y)| x.0 == y.0)
    {
        for ((key, x), (_, y)) in old_fields.into_iter().zip(new_fields) {
            if x != y {
                let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                compare(&path, x, y, out);
            }
        }
    } else if path.is_empty() {
        out.push(format!("{old} -> {new}"));
    } else {
        out.push(format!("{path}: {old} -> {new}"));
    }
}

/// The name and fields of a structure's `Debug` form, `Name { a: 1, b: [2, 3] }`.
fn fields(text: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let (name, rest) = text.split_once(" { ")?;
    let inner = rest.strip_suffix(" }")?;
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let mut fields = Vec::new();
    for part in split_at_commas(inner) {
        fields.push(part.split_once(": ")?);
    }
    Some((name, fields))
}

/// Splits at the commas that stand in no bracket and in no string.
fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut in_string, mut escaped) = (Vec::new(), 0, 0usize, false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[begin..i].trim());
                begin = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let mut out = Vec::new();
        compare("", old, new, &mut out);
        out
    }

    #[test]
    fn only_fields_that_changed_are_told() {
        let old = "Node { role: Follower, term: 1, log: [E { t: 1 }, E { t: 2 }], vote: None }";
        let new = "Node { role: Leader { acks: {n1, n2} }, term: 1, log: [E { t: 1 }], vote: None }";
        let expected =
            ["role: Follower -> Leader { acks: {n1, n2} }", "log: [E { t: 1 }, E { t: 2 }] -> [E { t: 1 }]"];
        assert_eq!(told(old, new), expected);
    }

    #[test]
    fn a_structure_inside_a_structure_is_told_by_its_fields() {
        let (old, new) = ("A { b: B { c: 1, d: 2 }, e: \"x, y\" }", "A { b: B { c: 1, d: 3 }, e: \"x, z\" }");
        assert_eq!(told(old, new), ["b.d: 2 -> 3", "e: \"x, y\" -> \"x, z\""]);
    }

    #[test]
    fn what_is_no_structure_is_told_whole() {
        assert_eq!(told("Waiting", "Busy { n: 1 }"), ["Waiting -> Busy { n: 1 }"]);
        assert_eq!(told("(1, 2)", "(1, 3)"), ["(1, 2) -> (1, 3)"]);
    }
}
