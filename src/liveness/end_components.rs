//! Where an order of delivery can keep a run for ever, whatever nature draws.
//!
//! In each tick nature draws first, and then the order picks one edge of that draw. An *end
//! component* is a set of edges, strongly connected, that has in each of its states at least one
//! edge of *each* draw of that state. Who picks among these edges never leaves it; who picks each
//! of them again and again takes, with probability one, all of them again and again. Conversely,
//! whatever the order does, with probability one the edges that are taken infinitely often form an
//! end component: they are connected as any edges taken infinitely often are, and a draw that is
//! offered infinitely often happens infinitely often. Two end components that share a state are
//! together another one, so each lies in exactly one that is *maximal*.
//!
//! The maximal ones are found by refining blocks: leave out each state that has a draw without an
//! edge inside its block, again and again; then split what is left of the block into components;
//! repeat in each of these until a block is left as it was. What is left out lies in no end
//! component within the block, and an end component is never split, so nothing is lost; and a block
//! that is left as it was is one. In the worst case, in which each round only shaves off a little,
//! this takes quadratic time.

use super::components::{NOWHERE, Tarjan};
use super::graph::{Edge, Graph};

/// The edges that lead to each state, of those that may be taken.
struct Incoming {
    first: Vec<u32>,
    sources: Vec<u32>,
}

impl Incoming {
    fn new(graph: &Graph, keeps: impl Fn(u32, &Edge) -> bool) -> Self {
        let mut first = vec![0; graph.states() as usize + 1];
        for state in 0..graph.states() {
            for edge in graph.out(state).iter().filter(|edge| keeps(state, edge)) {
                first[edge.to as usize] += 1;
            }
        }
        let mut sum = 0;
        for first in &mut first {
            sum += *first;
            *first = sum;
        }
        // Each is filled from its end, so that its end becomes its beginning.
        let mut sources = vec![0; sum as usize];
        for state in 0..graph.states() {
            for edge in graph.out(state).iter().filter(|edge| keeps(state, edge)) {
                first[edge.to as usize] -= 1;
                sources[first[edge.to as usize] as usize] = state;
            }
        }
        Incoming { first, sources }
    }

    fn of(&self, state: u32) -> &[u32] {
        let (begin, end) = (self.first[state as usize], self.first[state as usize + 1]);
        &self.sources[begin as usize..end as usize]
    }
}

struct Refinement<'a, F> {
    graph: &'a Graph,
    allows: F,
    of: Vec<u32>,
    incoming: Incoming,
}

/// The maximal end components within given blocks, by edges that are allowed: a block for each
/// state that is in one, and how many blocks were numbered (some may have become empty). The
/// adversary's edges must not be allowed.
pub(super) fn end_components(
    graph: &Graph,
    of: Vec<u32>,
    allows: impl Fn(&Edge) -> bool,
) -> (Vec<u32>, u32) {
    let mut open = members(&of);
    let mut blocks = open.len() as u32;
    let mut of = of;
    for (block, states) in open.iter().enumerate() {
        states.iter().for_each(|state| of[*state as usize] = block as u32);
    }
    let stays = |from: u32, edge: &Edge| {
        of[from as usize] != NOWHERE && of[from as usize] == of[edge.to as usize] && allows(edge)
    };
    let incoming = Incoming::new(graph, stays);
    let mut refinement = Refinement { graph, allows, of, incoming };
    let mut tarjan = Tarjan::new(graph);
    while let Some(mut states) = open.pop() {
        refinement.shave(&states);
        states.retain(|state| refinement.of[*state as usize] != NOWHERE);
        let mut parts: Vec<Vec<u32>> = Vec::new();
        tarjan.forget(&states);
        tarjan.search(
            graph,
            states.iter().copied(),
            |from, edge| refinement.stays(from, edge),
            |part| parts.push(part.to_vec()),
        );
        // The first part keeps the number of the block.
        for part in parts.iter().skip(1) {
            part.iter().for_each(|state| refinement.of[*state as usize] = blocks);
            blocks += 1;
        }
        if parts.len() > 1 {
            open.append(&mut parts);
        }
    }
    (refinement.of, blocks)
}

/// The states of each block that has any.
fn members(of: &[u32]) -> Vec<Vec<u32>> {
    let in_blocks = || (0..of.len() as u32).filter(|state| of[*state as usize] != NOWHERE);
    let mut states: Vec<u32> = in_blocks().collect();
    states.sort_by_key(|state| of[*state as usize]);
    states.chunk_by(|a, b| of[*a as usize] == of[*b as usize]).map(<[u32]>::to_vec).collect()
}

impl<F: Fn(&Edge) -> bool> Refinement<'_, F> {
    fn stays(&self, from: u32, edge: &Edge) -> bool {
        let block = self.of[from as usize];
        block != NOWHERE && block == self.of[edge.to as usize] && (self.allows)(edge)
    }

    /// Whether an order can keep a run in the state's block for this tick: each draw has an edge
    /// that stays.
    fn is_held(&self, state: u32) -> bool {
        let edges = self.graph.out(state);
        let own = &edges[..edges.partition_point(|edge| !edge.adversary)];
        let mut draws = own.chunk_by(|a, b| a.draw == b.draw);
        !own.is_empty() && draws.all(|draw| draw.iter().any(|edge| self.stays(state, edge)))
    }

    /// Leaves out, of these states, which are a block, those from which an order cannot keep a run
    /// among the states that are left.
    fn shave(&mut self, states: &[u32]) {
        let mut open = states.to_vec();
        while let Some(state) = open.pop() {
            let block = self.of[state as usize];
            if block == NOWHERE || self.is_held(state) {
                continue;
            }
            self.of[state as usize] = NOWHERE;
            let before = self.incoming.of(state).iter().copied();
            open.extend(before.filter(|from| self.of[*from as usize] == block));
        }
    }
}
