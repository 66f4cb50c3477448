//! Whether a leader stays, decided on a graph of ticks by sets of states alone: each is the largest
//! or the smallest with some property, found by leaving out, or adding, until nothing changes. No
//! components are searched for.
//!
//! A run is good if from some moment on one server leads, in one term, with a quorum: if there is a
//! server that is in `stays` of all its edges from some moment on. What the environment does is
//! paid from a budget, so it is done with at some time; from then on a run has edges of draws only.

use crate::graph::{FAULT, Graph};

/// A graph that can be gone through backwards, and the states and edges that are left of it.
struct Part<'a> {
    graph: &'a Graph,
    servers: usize,
    /// By edge, the state that it leaves.
    from: Vec<u32>,
    /// The edges that lead to a state, as `first` and `edges` of the graph.
    first_to: Vec<usize>,
    edges_to: Vec<u32>,
}

impl<'a> Part<'a> {
    fn new(graph: &'a Graph, servers: usize) -> Self {
        let mut from = vec![0; graph.edges.len()];
        let mut first_to = vec![0; graph.states() + 1];
        for state in 0..graph.states() {
            for edge in graph.edges_of(state) {
                from[edge] = state as u32;
                first_to[graph.edges[edge].to as usize + 1] += 1;
            }
        }
        for state in 0..graph.states() {
            first_to[state + 1] += first_to[state];
        }
        let (mut at, mut edges_to) = (first_to.clone(), vec![0; graph.edges.len()]);
        for (number, edge) in graph.edges.iter().enumerate() {
            edges_to[at[edge.to as usize]] = number as u32;
            at[edge.to as usize] += 1;
        }
        Part { graph, servers, from, first_to, edges_to }
    }

    fn edges_to(&self, state: usize) -> impl Iterator<Item = usize> {
        self.edges_to[self.first_to[state]..self.first_to[state + 1]].iter().map(|e| *e as usize)
    }

    fn is_drawn(&self, edge: usize) -> bool {
        self.graph.edges[edge].draw != FAULT
    }

    fn stays(&self, edge: usize, server: usize) -> bool {
        self.graph.edges[edge].stays >> server & 1 == 1
    }

    fn ends(&self, edge: usize) -> (usize, usize) {
        (self.from[edge] as usize, self.graph.edges[edge].to as usize)
    }

    /// The states from which one of `goals` can be reached along these edges; goals included.
    fn reaching(&self, mut goals: Vec<bool>, may_go: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut open: Vec<usize> = (0..goals.len()).filter(|state| goals[*state]).collect();
        while let Some(state) = open.pop() {
            for edge in self.edges_to(state).filter(|edge| may_go(*edge)) {
                let from = self.from[edge] as usize;
                if !goals[from] {
                    goals[from] = true;
                    open.push(from);
                }
            }
        }
        goals
    }

    /// The largest part of `states` in which each state has, of each draw, or of any, an edge that
    /// stays within. `may_go` says which edges may be taken.
    fn closed(&self, states: &mut [bool], each_draw: bool, may_go: impl Fn(usize) -> bool) {
        // Of each state, how many of its edges stay within, draw by draw.
        let is_within = |states: &[bool], edge: usize| {
            self.is_drawn(edge) && may_go(edge) && states[self.graph.edges[edge].to as usize]
        };
        let has_to_go = |states: &[bool], state: usize| {
            let edges = self.graph.edges_of(state);
            if !each_draw {
                return !edges.into_iter().any(|edge| is_within(states, edge));
            }
            // Edges are in the order of their draws, and those of faults come last.
            let all = &self.graph.edges[edges.clone()];
            let mut at = edges.start;
            all.chunk_by(|a, b| a.draw == b.draw).any(|draw| {
                let mine = at..at + draw.len();
                at = mine.end;
                draw[0].draw != FAULT && !mine.into_iter().any(|edge| is_within(states, edge))
            })
        };
        let mut open: Vec<usize> = (0..states.len()).filter(|state| states[*state]).collect();
        while let Some(state) = open.pop() {
            if states[state] && has_to_go(states, state) {
                states[state] = false;
                open.extend(self.edges_to(state).map(|edge| self.from[edge] as usize));
            }
        }
    }

    /// The states from which a run can go on for ever with this server as leader.
    fn led_for_ever(&self, server: usize) -> Vec<bool> {
        let mut states = vec![true; self.graph.states()];
        self.closed(&mut states, false, |edge| self.stays(edge, server));
        states
    }

    /// The largest set of states in which a run can be kept, and in which it can always go on to an
    /// edge on which the first server does not lead on, then to one for the second, and so on: so
    /// that no leader stays. With `each_draw` whatever nature draws, and by picking at random among
    /// the edges that stay within with probability one.
    fn unled(&self, each_draw: bool) -> Vec<bool> {
        let mut states = vec![true; self.graph.states()];
        loop {
            let before = states.clone();
            self.closed(&mut states, each_draw, |_| true);
            for server in 0..self.servers {
                let within = states.clone();
                let stays_within = |edge: usize| {
                    let (from, to) = self.ends(edge);
                    self.is_drawn(edge) && within[from] && within[to]
                };
                let mut goals = vec![false; states.len()];
                for edge in 0..self.from.len() {
                    if stays_within(edge) && !self.stays(edge, server) {
                        goals[self.from[edge] as usize] = true;
                    }
                }
                let reaching = self.reaching(goals, stays_within);
                states.iter_mut().zip(reaching).for_each(|(state, reaches)| *state &= reaches);
            }
            if states == before {
                return states;
            }
        }
    }

    /// The states from which, unless the environment does something, one and the same server leads
    /// on whatever happens.
    fn settled(&self) -> Vec<bool> {
        let mut settled = vec![false; self.graph.states()];
        for server in 0..self.servers {
            let mut goals = vec![false; self.graph.states()];
            for edge in (0..self.from.len()).filter(|edge| self.is_drawn(*edge)) {
                if !self.stays(edge, server) {
                    goals[self.from[edge] as usize] = true;
                }
            }
            let may_lose = self.reaching(goals, |edge| self.is_drawn(edge));
            let never_loses: Vec<bool> = may_lose.iter().map(|loses| !loses).collect();
            settled = either(settled, &never_loses);
        }
        settled
    }
}

/// The answer on `stable-leader`, in the words of the corpus. If not all is followed, then nothing
/// is said of all runs; but what happens where all is followed is known.
pub fn stable_leader(graph: &Graph, servers: usize) -> &'static str {
    let part = Part::new(graph, servers);
    let is_any = |states: &[bool]| states.iter().any(|state| *state);
    let is_all = |states: &[bool]| states.iter().all(|state| *state);
    let is_cut = is_any(&graph.cut);
    let mut good = vec![false; graph.states()];
    for server in 0..servers {
        good = either(good, &part.led_for_ever(server));
    }
    if !is_any(&good) {
        return if is_cut { "unknown" } else { "never" };
    }
    // With probability one a run that can always reach a state does so, as there are finitely many.
    let hope = |goals| part.reaching(either(goals, &graph.cut), |edge| part.is_drawn(edge));
    if !is_all(&hope(part.settled())) {
        return if is_all(&hope(good)) { "can-be-lost" } else { "can-be-lost (for good)" };
    }
    if is_cut {
        return "unknown";
    }
    if !is_any(&part.unled(false)) {
        return "guaranteed";
    }
    let is_lost_by_order = is_any(&part.unled(true));
    if is_lost_by_order { "almost-sure (timeouts-and-order)" } else { "almost-sure (timeouts)" }
}

fn either(mut states: Vec<bool>, others: &[bool]) -> Vec<bool> {
    states.iter_mut().zip(others).for_each(|(state, other)| *state |= other);
    states
}
