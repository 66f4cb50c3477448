//! Compares two `Debug` forms field by field. So changes of a state can be shown without help from
//! the protocol.

use crate::election::Election;
use crate::semantics::names;
use crate::semantics::node::NodeOf;

/// Compares two `Debug` forms: structures of the same name field by field, everything else whole.
pub(super) fn compare(path: &str, old: &str, new: &str, out: &mut Vec<String>) {
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
pub(super) fn fields(text: &str) -> Option<(&str, Vec<(&str, &str)>)> {
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
    let (mut parts, mut begin, mut depth, mut in_string, mut escaped) =
        (Vec::new(), 0, 0usize, false, false);
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

pub(super) fn node_changes<E: Election>(old: &NodeOf<E>, new: &NodeOf<E>) -> Vec<String> {
    let mut parts = Vec::new();
    match (&old.state, &new.state) {
        (Some(old), Some(new)) if old != new => {
            compare("", &names::value(old), &names::value(new), &mut parts)
        }
        (Some(_), None) => parts.push("down".to_string()),
        (None, Some(state)) => {
            parts.push(format!("up as {}", names::value(state)));
            // The state in which it starts may differ from what is on its disk, so the disk is
            // shown, too.
            if let (Some(disk), true) = (&new.storage, old.storage == new.storage) {
                parts.push(format!("with {} on disk", names::value(disk)));
            }
        }
        _ => {}
    }
    if old.storage != new.storage {
        let text =
            |node: &NodeOf<E>| node.storage.as_ref().map_or("empty".to_string(), names::value);
        compare("disk", &text(old), &text(new), &mut parts);
    }
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
        let new =
            "Node { role: Leader { acks: {n1, n2} }, term: 1, log: [E { t: 1 }], vote: None }";
        let expected = [
            "role: Follower -> Leader { acks: {n1, n2} }",
            "log: [E { t: 1 }, E { t: 2 }] -> [E { t: 1 }]",
        ];
        assert_eq!(told(old, new), expected);
    }

    #[test]
    fn a_structure_inside_a_structure_is_told_by_its_fields() {
        let (old, new) =
            ("A { b: B { c: 1, d: 2 }, e: \"x, y\" }", "A { b: B { c: 1, d: 3 }, e: \"x, z\" }");
        assert_eq!(told(old, new), ["b.d: 2 -> 3", "e: \"x, y\" -> \"x, z\""]);
    }

    #[test]
    fn what_is_no_structure_is_told_whole() {
        assert_eq!(told("Waiting", "Busy { n: 1 }"), ["Waiting -> Busy { n: 1 }"]);
        assert_eq!(told("(1, 2)", "(1, 3)"), ["(1, 2) -> (1, 3)"]);
    }
}
