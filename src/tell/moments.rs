//! A run as a row of moments: after each step the state of every node, field by field, and what
//! the step changed. For those who show one step at a time.

use std::collections::BTreeSet;

use crate::election::node_name;
use crate::tell::debug::fields;
use crate::tell::diagram::Diagram;
use crate::tell::scene::{NodeView, Scene, View};

/// The state after a step, or after several ticks that are shown as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The row of the diagram that shows the step.
    pub row: usize,
    /// The rows that it stands for, the first of them: the same, unless several ticks are one.
    pub first: usize,
    /// The nodes, by identifier.
    pub nodes: Vec<NodeNow>,
}

/// A node at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeNow {
    /// Its name.
    pub name: String,
    /// What it is to the others, in a word or two: that it leads, whom it follows, that it is down.
    pub condition: String,
    /// The term that it leads, if it leads one.
    pub leads: Option<u64>,
    /// Whether anything is different from before.
    pub is_changed: bool,
    /// Its state, and what is on its disk.
    pub fields: Vec<Field>,
}

/// A part of a node's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub key: String,
    /// Its value as text.
    pub value: String,
    /// What it was before, if that was something else.
    pub was: Option<String>,
}

/// The moments of a run, one for each row of its diagram that is shown.
pub fn moments(scene: &Scene, diagram: &Diagram) -> Vec<Moment> {
    let view = |row: usize| row.checked_sub(1).map_or(&scene.origin, |i| &scene.frames[i].after);
    let views = (0..diagram.rows.len()).map(view);
    let heads: BTreeSet<&str> = views
        .flat_map(|view| &view.nodes)
        .filter_map(|node| node.state.as_deref())
        .map(head)
        .collect();
    // Where all states have the same name, it says nothing.
    let has_heads = heads.len() > 1;
    let mut all = Vec::new();
    let mut first: usize = 0;
    for (row, drawn) in diagram.rows.iter().enumerate() {
        if drawn.is_hidden {
            continue;
        }
        let before = first.checked_sub(1).map(view);
        all.push(Moment { row, first, nodes: nodes(scene, before, view(row), has_heads) });
        first = row + 1;
    }
    all
}

/// The name with which a state begins that has parts.
fn head(state: &str) -> &str {
    fields(state).map_or(state, |(head, _)| head)
}

fn nodes(scene: &Scene, before: Option<&View>, after: &View, has_heads: bool) -> Vec<NodeNow> {
    let node = |(i, now): (usize, &NodeView)| {
        let old = before.map(|view| &view.nodes[i]);
        NodeNow {
            name: node_name(i.into()),
            condition: condition(scene, now),
            leads: now.leads,
            is_changed: old.is_some_and(|old| old != now),
            fields: compared(old, now, has_heads),
        }
    };
    after.nodes.iter().enumerate().map(node).collect()
}

fn condition(scene: &Scene, node: &NodeView) -> String {
    let term = |term: Option<u64>| {
        let name = term.and_then(|term| scene.terms.get(&term));
        name.map(|name| format!(" {name}")).unwrap_or_default()
    };
    match (node.is_up, node.leads, node.follows) {
        (false, ..) => "down".to_string(),
        (true, Some(led), _) => format!("leads{}", term(Some(led))),
        (true, None, Some(leader)) => {
            let term = term(node.term);
            let comma = if term.is_empty() { "" } else { "," };
            format!("follows {}{comma}{term}", node_name(leader.into()))
        }
        (true, None, None) => format!("up{}", term(node.term).replacen(' ', ", ", 1)),
    }
}

/// The parts of a state, and of a disk.
fn parts(node: &NodeView, has_heads: bool) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    if let Some(state) = &node.state {
        let found = fields(state);
        if has_heads || found.is_none() {
            let name = found.as_ref().map_or(state.as_str(), |(head, _)| head);
            parts.push(("state".to_string(), name.to_string()));
        }
        let inner = found.into_iter().flat_map(|(_, inner)| inner);
        parts.extend(inner.map(|(key, value)| (key.to_string(), value.to_string())));
    }
    parts.extend(node.disk.iter().map(|disk| ("on disk".to_string(), disk.clone())));
    parts
}

fn compared(old: Option<&NodeView>, now: &NodeView, has_heads: bool) -> Vec<Field> {
    // What a node that was down had forgotten is no change of a field.
    let old = old.filter(|old| old.is_up == now.is_up).map(|old| parts(old, has_heads));
    let all = parts(now, has_heads);
    let field = |(key, value): &(String, String)| {
        let before = old.iter().flatten().find(|(known, _)| known == key);
        let was = before.filter(|(_, before)| before != value).map(|(_, before)| before.clone());
        let is_new = old.is_some() && before.is_none();
        let was = was.or_else(|| is_new.then(|| "–".to_string()));
        // What is saved is often a part of the state, which need not be read twice.
        let is_saved = |(other, held): &&(String, String)| other != key && held == value;
        let like = all.iter().find(is_saved).filter(|_| key == "on disk");
        let value = like.map_or(value.clone(), |(other, _)| format!("the same as {other}"));
        Field { key: key.clone(), value, was }
    };
    all.iter().map(field).collect()
}
