//! What a confirmation knows of a graph: by breadth-first search, and by leaving states out until
//! nothing changes. No components are looked for.

use super::graph::{Edge, Graph};

/// A property of an edge.
pub(super) type Kind<'a> = dyn Fn(&Edge) -> bool + 'a;

/// The distance of a state that cannot be reached.
pub(super) const FAR: u32 = u32::MAX;

/// How many edges each state is away from the nearest start.
pub(super) fn distances(graph: &Graph) -> Vec<u32> {
    let mut distance = vec![FAR; graph.states() as usize];
    let mut level = graph.starts().to_vec();
    let mut away = 0;
    while !level.is_empty() {
        level.retain(|state| {
            let is_new = distance[*state as usize] == FAR;
            if is_new {
                distance[*state as usize] = away;
            }
            is_new
        });
        let next = level.iter().flat_map(|state| graph.out(*state)).map(|edge| edge.to);
        level = next.filter(|to| distance[*to as usize] == FAR).collect();
        away += 1;
    }
    distance
}

/// A set of states, with the edges by which one goes on within it.
pub(super) struct Part<'a> {
    graph: &'a Graph,
    inside: Vec<bool>,
    keeps: &'a Kind<'a>,
}

impl<'a> Part<'a> {
    pub(super) fn new(graph: &'a Graph, inside: Vec<bool>, keeps: &'a Kind<'a>) -> Self {
        Part { graph, inside, keeps }
    }

    fn size(&self) -> usize {
        self.inside.iter().filter(|is_in| **is_in).count()
    }

    fn states(&self) -> Vec<u32> {
        (0..self.graph.states()).filter(|state| self.inside[*state as usize]).collect()
    }

    fn out(&self, state: u32) -> impl Iterator<Item = &'a Edge> {
        let edges = self.graph.out(state).iter();
        edges.filter(|edge| self.inside[edge.to as usize] && (self.keeps)(edge))
    }

    /// Whether a closed walk in the part takes an edge of each of these kinds.
    ///
    /// Two things are done until nothing changes: leave out what has no predecessor; and for each
    /// kind, what cannot be reached from an edge of that kind. No such walk is ever left out. If
    /// states are left, each can be reached from an edge of the first kind, that one from an edge
    /// of the second, and so on, round and round; as there are finitely many edges, some round
    /// comes back to where an earlier one was, and what lies between is such a walk.
    pub(super) fn has_walk(mut self, through: &[&Kind]) -> bool {
        loop {
            let before = self.size();
            self.drop_without_predecessor();
            for kind in through {
                self.keep_behind(kind);
            }
            if self.size() == before {
                return before > 0;
            }
        }
    }

    fn drop_without_predecessor(&mut self) {
        let mut before = vec![0_u32; self.inside.len()];
        for state in self.states() {
            self.out(state).for_each(|edge| before[edge.to as usize] += 1);
        }
        let mut open = self.states();
        open.retain(|state| before[*state as usize] == 0);
        while let Some(state) = open.pop() {
            for edge in self.out(state) {
                before[edge.to as usize] -= 1;
                if before[edge.to as usize] == 0 {
                    open.push(edge.to);
                }
            }
            self.inside[state as usize] = false;
        }
    }

    fn keep_behind(&mut self, kind: &Kind) {
        let mut open: Vec<u32> = Vec::new();
        for state in self.states() {
            open.extend(self.out(state).filter(|edge| kind(edge)).map(|edge| edge.to));
        }
        let mut behind = vec![false; self.inside.len()];
        while let Some(state) = open.pop() {
            if !behind[state as usize] {
                behind[state as usize] = true;
                open.extend(self.out(state).map(|edge| edge.to));
            }
        }
        self.inside = behind;
    }

    /// The states from which one can go on for ever.
    pub(super) fn endless(mut self, before: &Before) -> Vec<bool> {
        self.drop_unless(before, |part, state| part.out(state).next().is_some());
        self.inside
    }

    /// Leaves out what does not pass, again and again, as it may depend on what is left.
    fn drop_unless(&mut self, before: &Before, passes: impl Fn(&Self, u32) -> bool) {
        let mut open = self.states();
        while let Some(state) = open.pop() {
            if self.inside[state as usize] && !passes(self, state) {
                self.inside[state as usize] = false;
                open.extend(before.of(state));
            }
        }
    }

    /// The states from which a target can be reached.
    pub(super) fn reaching(&self, before: &Before, is_target: impl Fn(u32) -> bool) -> Vec<bool> {
        let mut open = self.states();
        open.retain(|state| is_target(*state));
        let mut reaching = vec![false; self.inside.len()];
        open.iter().for_each(|state| reaching[*state as usize] = true);
        while let Some(state) = open.pop() {
            for from in before.of(state) {
                let is_new = self.inside[*from as usize] && !reaching[*from as usize];
                if is_new && self.out(*from).any(|edge| edge.to == state) {
                    reaching[*from as usize] = true;
                    open.push(*from);
                }
            }
        }
        reaching
    }

    /// Whether an order of delivery can keep a run in the part for ever, whatever nature draws, and
    /// take, with probability one, edges of each of these kinds again and again.
    ///
    /// Two things are done until nothing changes: leave out what has a draw whose every edge leads
    /// out; and for each kind, what cannot reach an edge of that kind. An order that can do it
    /// somewhere can still do it there in what is left. Conversely, if states are left, let the
    /// order pick at random among the edges that stay. The run stays; from wherever it is, an edge
    /// of each kind is met within so many ticks with at least some probability, and so, with
    /// probability one, again and again.
    pub(super) fn can_be_held(mut self, before: &Before, through: &[&Kind]) -> bool {
        loop {
            let size = self.size();
            self.drop_unless(before, Self::is_held);
            for kind in through {
                let reaching = self.reaching(before, |state| self.out(state).any(kind));
                self.inside = reaching;
            }
            if self.size() == size {
                return size > 0;
            }
        }
    }

    /// Each draw has an edge that stays, and there is a draw.
    fn is_held(&self, state: u32) -> bool {
        let all = self.graph.out(state).iter().filter(|edge| !edge.adversary);
        let mut draws: Vec<u16> = all.map(|edge| edge.draw).collect();
        draws.dedup();
        let stays = |draw: &u16| self.out(state).any(|edge| edge.draw == *draw);
        !draws.is_empty() && draws.iter().all(stays)
    }
}

/// For each state those before it: from which an edge that is not the adversary's leads to it.
pub(super) struct Before {
    first: Vec<u32>,
    states: Vec<u32>,
}

impl Before {
    pub(super) fn new(graph: &Graph) -> Self {
        let own = |state: u32| graph.out(state).iter().filter(|edge| !edge.adversary);
        let mut next = vec![0_u32; graph.states() as usize + 1];
        for edge in (0..graph.states()).flat_map(own) {
            next[edge.to as usize + 1] += 1;
        }
        for i in 1..next.len() {
            next[i] += next[i - 1];
        }
        let first = next.clone();
        let mut states = vec![0; first[first.len() - 1] as usize];
        for state in 0..graph.states() {
            for edge in own(state) {
                states[next[edge.to as usize] as usize] = state;
                next[edge.to as usize] += 1;
            }
        }
        Before { first, states }
    }

    pub(super) fn of(&self, state: u32) -> &[u32] {
        let (begin, end) = (self.first[state as usize], self.first[state as usize + 1]);
        &self.states[begin as usize..end as usize]
    }
}
