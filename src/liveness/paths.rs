//! Runs that show something: shortest ways, and cycles that are bad.

use super::answer::{Lasso, Path};
use super::components::Blocks;
use super::graph::{Edge, Graph};

/// Which infinite runs are bad, in one form for both questions: those whose edges, from some moment
/// on, carry none of the forbidden marks, and among which for each of the masks one that does not
/// carry it is taken again and again.
pub(super) struct Bad {
    /// An edge with one of these marks is not taken for ever.
    pub(super) forbidden: u32,
    /// Of each of these masks something is lacking again and again.
    pub(super) masks: Vec<u32>,
}

impl Bad {
    /// Whether a bad run may take the edge for ever: the adversary's are taken finitely often.
    pub(super) fn allows(&self, edge: &Edge) -> bool {
        !edge.adversary && edge.marks & self.forbidden == 0
    }

    /// Whether edges are bad that are taken for ever, if `all` is what their marks have in common.
    pub(super) fn is_met_by(&self, all: u32) -> bool {
        self.masks.iter().all(|mask| all & mask != *mask)
    }
}

const UNSEEN: u32 = u32::MAX;
const ROOT: u32 = u32::MAX - 1;

/// Breadth-first search that remembers the edge by which each state was met.
struct Breadth<'a> {
    graph: &'a Graph,
    via: Vec<u32>,
    met: Vec<u32>,
}

impl<'a> Breadth<'a> {
    fn new(graph: &'a Graph) -> Self {
        Breadth { graph, via: vec![UNSEEN; graph.states() as usize], met: Vec::new() }
    }

    /// A shortest way from one of the states, by edges that are kept, whose last edge `ends` it.
    fn way(
        &mut self,
        from: &[u32],
        keeps: impl Fn(u32, &Edge) -> bool,
        ends: impl Fn(&Edge) -> bool,
    ) -> Option<Vec<u32>> {
        for state in self.met.drain(..) {
            self.via[state as usize] = UNSEEN;
        }
        for state in from {
            self.via[*state as usize] = ROOT;
            self.met.push(*state);
        }
        let mut next = 0;
        while let Some(&state) = self.met.get(next) {
            next += 1;
            for (number, edge) in self.graph.edges_of(state).zip(self.graph.out(state)) {
                if !keeps(state, edge) {
                    continue;
                }
                if ends(edge) {
                    return Some(self.back(number));
                }
                if self.via[edge.to as usize] == UNSEEN {
                    self.via[edge.to as usize] = number;
                    self.met.push(edge.to);
                }
            }
        }
        None
    }

    /// The way whose last edge this is.
    fn back(&self, last: u32) -> Vec<u32> {
        let mut way = vec![last];
        let mut state = self.graph.source(last);
        while self.via[state as usize] != ROOT {
            way.push(self.via[state as usize]);
            state = self.graph.source(self.via[state as usize]);
        }
        way.reverse();
        way
    }
}

/// Where a path ends.
pub(super) fn end(graph: &Graph, path: &Path) -> u32 {
    path.edges.last().map_or(path.start, |last| graph.edge(*last).to)
}

/// A shortest run from a start to a state that is a target, if one can be reached.
pub(super) fn shortest(graph: &Graph, is_target: impl Fn(u32) -> bool) -> Option<Path> {
    if let Some(start) = graph.starts().iter().find(|start| is_target(**start)) {
        return Some(Path { start: *start, edges: Vec::new() });
    }
    let way = Breadth::new(graph).way(graph.starts(), |_, _| true, |edge| is_target(edge.to))?;
    Some(Path { start: graph.source(way[0]), edges: way })
}

/// A bad run: to the nearest state of the blocks that are wanted, and then around in its block.
///
/// A wanted block is strongly connected by edges that the bad runs allow, and has at least one of
/// them, and among them for each mask one that lacks it. So each leg of the lap below exists.
pub(super) fn lasso(
    graph: &Graph,
    blocks: &Blocks,
    is_wanted: impl Fn(usize) -> bool,
    bad: &Bad,
) -> Option<Lasso> {
    let prefix = shortest(graph, |state| blocks.block(state).is_some_and(&is_wanted))?;
    let keeps = |from: u32, edge: &Edge| bad.allows(edge) && blocks.holds(from, edge);
    let cycle = lap(graph, end(graph, &prefix), keeps, &bad.masks)?;
    Some(Lasso { prefix, cycle })
}

/// A closed walk from a state, by edges that are kept, on which for each mask an edge lacks it: by
/// the nearest edge that lacks all masks at once, or leg by leg, whichever is shorter.
fn lap(
    graph: &Graph,
    home: u32,
    keeps: impl Fn(u32, &Edge) -> bool,
    masks: &[u32],
) -> Option<Vec<u32>> {
    let at_once =
        legs(graph, home, &keeps, masks, |edge, left| left.iter().all(|mask| !edge.carries(*mask)));
    let one_by_one =
        legs(graph, home, &keeps, masks, |edge, left| left.iter().any(|mask| !edge.carries(*mask)));
    [at_once, one_by_one].into_iter().flatten().min_by_key(Vec::len)
}

/// A closed walk from a state. Each leg goes to the nearest edge that lacks enough of the masks
/// that no edge has lacked yet, and the last leg goes home.
fn legs(
    graph: &Graph,
    home: u32,
    keeps: &impl Fn(u32, &Edge) -> bool,
    masks: &[u32],
    is_enough: impl Fn(&Edge, &[u32]) -> bool,
) -> Option<Vec<u32>> {
    let mut search = Breadth::new(graph);
    let mut lap: Vec<u32> = Vec::new();
    let mut at = home;
    let mut left = masks.to_vec();
    while !left.is_empty() {
        let leg = search.way(&[at], keeps, |edge| is_enough(edge, &left))?;
        for number in leg {
            left.retain(|mask| graph.edge(number).carries(*mask));
            at = graph.edge(number).to;
            lap.push(number);
        }
    }
    if at != home || lap.is_empty() {
        lap.extend(search.way(&[at], keeps, |edge| edge.to == home)?);
    }
    Some(lap)
}
