//! How each node is from row to row, and which links are down.

use super::Wall;
use crate::tell::scene::{NodeView, Scene, View};

/// A node that is in one condition from one row to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The node.
    pub lane: usize,
    /// The row with which it begins.
    pub from: usize,
    /// The row in which it ends, or the last one.
    pub to: usize,
    /// How the node is.
    pub condition: Condition,
}

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It does not run.
    Down,
    /// It runs, in this term.
    Up(Option<u64>),
    /// It leads this term.
    Leads(u64),
}

fn condition(node: &NodeView) -> Condition {
    match (node.is_up, node.leads) {
        (false, _) => Condition::Down,
        (true, Some(term)) => Condition::Leads(term),
        (true, None) => Condition::Up(node.term),
    }
}

/// The stretches of all nodes, lane by lane.
pub(super) fn stretches(scene: &Scene) -> Vec<Stretch> {
    let last = scene.frames.len();
    let mut all = Vec::new();
    for lane in 0..scene.origin.nodes.len() {
        let at = |row: usize| condition(&scene.before(row).nodes[lane]);
        let mut from = 0;
        for row in 1..=last {
            if at(row) != at(from) {
                all.push(Stretch { lane, from, to: row, condition: at(from) });
                from = row;
            }
        }
        all.push(Stretch { lane, from, to: last, condition: at(from) });
    }
    all
}

/// The walls between lanes, from left to right.
pub(super) fn walls(scene: &Scene) -> Vec<Wall> {
    let (nodes, last) = (scene.origin.nodes.len(), scene.frames.len());
    let is_wall = |view: &View, lane: usize| {
        let pairs = (0..=lane).flat_map(|a| (lane + 1..nodes).map(move |b| (a, b)));
        pairs.into_iter().all(|(a, b)| view.cut.contains(&(a, b)) && view.cut.contains(&(b, a)))
    };
    let mut walls = Vec::new();
    for lane in 0..nodes.saturating_sub(1) {
        let mut since = None;
        for row in 0..=last {
            match (is_wall(scene.before(row), lane), since) {
                (true, None) => since = Some(row),
                (false, Some(from)) => {
                    walls.push(Wall { lane, from, to: row });
                    since = None;
                }
                _ => {}
            }
        }
        walls.extend(since.map(|from| Wall { lane, from, to: last }));
    }
    walls
}
