//! Strongly connected components, and what the edges inside each have in common.
//!
//! The search is Tarjan's in the form of Pearce (*A space-efficient algorithm for finding strongly
//! connected components*, 2016), with a stack of its own instead of recursion: one number a state,
//! and twelve bytes for each state on the way that is being explored.

use super::graph::{Edge, Graph};

/// Not in any block.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The number of a state whose component is complete. Greater than that of any other.
const DONE: u32 = u32::MAX;
/// The number of a state that was not met yet.
const UNSEEN: u32 = 0;

struct Frame {
    state: u32,
    /// How many of the state's edges have been followed.
    followed: u32,
    /// Whether no state met earlier, and still on the stack, can be reached from it so far.
    is_root: bool,
}

/// A search for components, which can be repeated in parts of a graph.
///
/// Each state on the way gets the number of its turn. When an edge leads to a state of a smaller
/// number, that one can be reached, and reaches where the search stands, so the number sinks. A
/// state whose number never sank is the first that was met of its component: all that was found
/// behind it and is not complete belongs to it.
pub(super) struct Tarjan {
    number: Vec<u32>,
    frames: Vec<Frame>,
    stack: Vec<u32>,
}

impl Tarjan {
    pub(super) fn new(graph: &Graph) -> Self {
        let number = vec![UNSEEN; graph.states() as usize];
        Tarjan { number, frames: Vec::new(), stack: Vec::new() }
    }

    /// Lets these states be searched again.
    pub(super) fn forget(&mut self, states: &[u32]) {
        states.iter().for_each(|state| self.number[*state as usize] = UNSEEN);
    }

    /// Hands over the components of what can be reached from the roots by edges that are kept, and
    /// was not searched before. A component comes after those that it leads to.
    pub(super) fn search(
        &mut self,
        graph: &Graph,
        roots: impl IntoIterator<Item = u32>,
        keeps: impl Fn(u32, &Edge) -> bool,
        mut found: impl FnMut(&[u32]),
    ) {
        let mut turn = UNSEEN + 1;
        for root in roots {
            if self.number[root as usize] == UNSEEN {
                self.enter(root, &mut turn);
            }
            while let Some(frame) = self.frames.last_mut() {
                let state = frame.state;
                match graph.out(state).get(frame.followed as usize) {
                    Some(edge) => {
                        // An edge to a new state is looked at again when that has been explored.
                        let to = self.number[edge.to as usize];
                        if !keeps(state, edge) {
                            frame.followed += 1;
                        } else if to == UNSEEN {
                            self.enter(edge.to, &mut turn);
                        } else {
                            frame.followed += 1;
                            if to < self.number[state as usize] {
                                self.number[state as usize] = to;
                                frame.is_root = false;
                            }
                        }
                    }
                    None => {
                        let is_root = frame.is_root;
                        self.frames.pop();
                        self.leave(state, is_root, &mut found);
                    }
                }
            }
        }
    }

    fn enter(&mut self, state: u32, turn: &mut u32) {
        self.number[state as usize] = *turn;
        *turn += 1;
        self.frames.push(Frame { state, followed: 0, is_root: true });
    }

    fn leave(&mut self, state: u32, is_root: bool, found: &mut impl FnMut(&[u32])) {
        self.stack.push(state);
        if !is_root {
            return;
        }
        let own = self.number[state as usize];
        let before = self.stack[..self.stack.len() - 1].iter().rev();
        let others = before.take_while(|other| self.number[**other as usize] >= own).count();
        let begin = self.stack.len() - 1 - others;
        for member in &self.stack[begin..] {
            self.number[*member as usize] = DONE;
        }
        found(&self.stack[begin..]);
        self.stack.truncate(begin);
    }
}

/// What the edges inside a block have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    /// The marks that all of them carry.
    pub(super) all: u32,
    /// The marks that some of them carry.
    pub(super) some: u32,
    /// Whether there are any. All states of a component without edges inside are on no cycle.
    pub(super) has_edge: bool,
    /// Whether no edge leads out of the block.
    pub(super) is_closed: bool,
    /// Whether a bound left out successors of one of its states.
    pub(super) is_cut: bool,
}

/// States in disjoint blocks. Not every state need be in one.
pub(super) struct Blocks {
    /// The block of each state, or [`NOWHERE`].
    pub(super) of: Vec<u32>,
    /// Of each block, its sum over the edges that count.
    pub(super) sums: Vec<Sum>,
}

impl Blocks {
    /// The components of what can be reached from the roots by edges that are kept. The sums are
    /// over edges that count.
    pub(super) fn search(
        graph: &Graph,
        roots: impl IntoIterator<Item = u32>,
        keeps: impl Fn(u32, &Edge) -> bool,
        counts: impl Fn(&Edge) -> bool,
    ) -> Self {
        let mut of = vec![NOWHERE; graph.states() as usize];
        let mut blocks = 0;
        Tarjan::new(graph).search(graph, roots, keeps, |states| {
            states.iter().for_each(|state| of[*state as usize] = blocks);
            blocks += 1;
        });
        Blocks::summed(graph, of, blocks, counts)
    }

    /// Blocks that are known, with their sums over edges that count.
    pub(super) fn summed(
        graph: &Graph,
        of: Vec<u32>,
        blocks: u32,
        counts: impl Fn(&Edge) -> bool,
    ) -> Self {
        let nothing =
            Sum { all: u32::MAX, some: 0, has_edge: false, is_closed: true, is_cut: false };
        let mut sums = vec![nothing; blocks as usize];
        for state in 0..graph.states() {
            let block = of[state as usize];
            if block == NOWHERE {
                continue;
            }
            let sum = &mut sums[block as usize];
            sum.is_cut |= graph.is_cut(state);
            for edge in graph.out(state).iter().filter(|edge| counts(edge)) {
                if of[edge.to as usize] == block {
                    sum.all &= edge.marks;
                    sum.some |= edge.marks;
                    sum.has_edge = true;
                } else {
                    sum.is_closed = false;
                }
            }
        }
        Blocks { of, sums }
    }

    /// Whether an edge stays within a block.
    pub(super) fn holds(&self, from: u32, edge: &Edge) -> bool {
        let block = self.of[from as usize];
        block != NOWHERE && block == self.of[edge.to as usize]
    }

    /// The block of a state, if it is in one.
    pub(super) fn block(&self, state: u32) -> Option<usize> {
        let block = self.of[state as usize];
        (block != NOWHERE).then_some(block as usize)
    }

    /// The states of a block, in order.
    pub(super) fn states(&self, block: usize) -> Vec<u32> {
        let states = 0..self.of.len() as u32;
        states.filter(|state| self.of[*state as usize] == block as u32).collect()
    }
}
