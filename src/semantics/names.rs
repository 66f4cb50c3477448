//! Steps by name: the form in which traces are shown, saved and replayed.
//!
//! A name survives edits of the model that an index would not. It is the `Debug` form of messages,
//! timers and choices with nodes as `n1`, `n2`, ..; names are compared without regard to white
//! space.

use std::fmt::Debug;

use crate::election::node_name;
use crate::semantics::Step;
use crate::semantics::node::Disk;
use crate::semantics::topology::Topology;

/// The name of a step; `topologies` as in the scenario, the starting one first.
pub fn step<M: Debug, T: Debug, R: Debug>(step: &Step<M, T, R>, topologies: &[Topology]) -> String {
    match step {
        Step::Deliver { src, dst, msg } => {
            format!("deliver {} -> {} {}", node_name(*src), node_name(*dst), value(msg))
        }
        Step::Timeout { node, timer } => format!("timeout {} {}", node_name(*node), value(timer)),
        Step::Choose { node, key, value: v } => {
            format!("choose {} {key} = {}", node_name(*node), value(v))
        }
        Step::Restart { node, disk } => {
            let found = match disk {
                Disk::Intact => "",
                Disk::Empty => " without disk",
                Disk::Older => " with an older disk",
            };
            format!("restart {}{found}", node_name(*node))
        }
        Step::Torn { step: inner, effects } => {
            format!("torn after {effects}: {}", self::step(inner, topologies))
        }
        Step::Crash { node } => format!("crash {}", node_name(*node)),
        Step::Lose { src, dst, msg } => {
            format!("lose {} -> {} {}", node_name(*src), node_name(*dst), value(msg))
        }
        Step::Duplicate { src, dst, msg } => {
            format!("duplicate {} -> {} {}", node_name(*src), node_name(*dst), value(msg))
        }
        Step::Switch { topology } => format!("switch {}", topologies[usize::from(*topology)]),
        Step::Stabilise { ages } => {
            let ages: Vec<String> = ages.iter().map(u16::to_string).collect();
            format!("stabilise {}", ages.join(" "))
        }
        Step::Tick => "tick".to_string(),
    }
}

/// The ages in the name of a `stabilise` step.
pub fn ages(name: &str) -> Option<Vec<u16>> {
    let mut words = name.split_whitespace();
    (words.next() == Some("stabilise")).then(|| words.map(|word| word.parse().ok()).collect())?
}

/// The `Debug` form of a value on one line, with `Id(0)` as `n1`.
pub fn value(value: &impl Debug) -> String {
    named(&format!("{value:?}"))
}

/// A text in which nodes may stand in their `Debug` form, with `Id(0)` as `n1`.
pub fn named(text: &str) -> String {
    let mut parts = text.split("Id(");
    let mut named = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let number = part
            .split_once(')')
            .and_then(|(digits, rest)| Some((digits.parse::<usize>().ok()?, rest)));
        match number {
            // `Id(` may be the end of a longer name.
            Some((i, rest)) if !named.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                named += &format!("n{}{rest}", i + 1);
            }
            _ => named += &format!("Id({part}"),
        }
    }
    named
}

/// Whether two names are the same but for white space.
pub fn same(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace()) || squeeze(a) == squeeze(b)
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect()
}
