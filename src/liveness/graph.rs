//! The graph that liveness is decided on: states, and what one tick can make of each.
//!
//! It knows nothing of protocols. Whoever makes it says which states are starts, where a bound left
//! successors out, where time can stop, and what the marks on edges mean. It is laid out for tens
//! of millions of states: twelve bytes an edge, four bytes and two bits a state.

use std::fmt;
use std::ops::Range;

/// More states or edges than this have no number. The numbers above it have other meanings.
const MOST: usize = (u32::MAX - 2) as usize;

/// One tick: the system goes from one state to the next, and time with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The state after the tick.
    pub to: u32,
    /// What is true of this tick, a bit each. What the bits mean is the caller's affair.
    pub marks: u32,
    /// What nature drew in this tick, as a number within the state: which timers fire. Each draw
    /// of a state has a positive probability. Of the edges of one draw the order of delivery picks
    /// one.
    pub draw: u16,
    /// Whether the environment does something in this tick that it pays for from a budget: a crash,
    /// a restart, a loss, a cut, client input. It need never do so, and can do so only finitely
    /// often. Such an edge belongs to no draw.
    pub adversary: bool,
}

const _: () = assert!(size_of::<Edge>() <= 12);

impl Edge {
    /// The order in which the edges of a state are kept: draw by draw, those of the adversary last.
    pub(super) fn key(&self) -> (bool, u16, u32, u32) {
        (self.adversary, self.draw, self.to, self.marks)
    }

    /// Whether the tick carries all of these marks.
    pub fn carries(&self, mask: u32) -> bool {
        self.marks & mask == mask
    }
}

/// A set of states, a bit each.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, state: u32) {
        let word = state as usize / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (state % 64);
    }

    fn contains(&self, state: u32) -> bool {
        self.0.get(state as usize / 64).is_some_and(|word| word >> (state % 64) & 1 == 1)
    }
}

/// What is wrong with a graph. Nothing is decided of such a graph: it was made by mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// No run starts anywhere.
    NoStart,
    /// A start or the end of an edge that was never added.
    NoSuchState(u32),
    /// More states or edges than there are numbers for.
    TooLarge,
    /// What the environment can do only finitely often lies on a cycle, and so could be done for
    /// ever.
    AdversaryOnCycle {
        /// The state before the edge.
        from: u32,
        /// The state after it, from which the one before it can be reached again.
        to: u32,
    },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Defect::NoStart => write!(f, "the graph has no state in which a run starts"),
            Defect::NoSuchState(state) => {
                write!(f, "the graph speaks of state {state}, which was never added to it")
            }
            Defect::TooLarge => write!(f, "the graph has more than {MOST} states or edges"),
            Defect::AdversaryOnCycle { from, to } => write!(
                f,
                "the environment's step from state {from} to state {to} lies on a cycle, \
                 although its budget can only fall"
            ),
        }
    }
}

impl std::error::Error for Defect {}

/// A graph under construction. States are added in the order of their numbers, each with its edges.
/// An edge may lead to a state that is added later.
#[derive(Clone, Debug)]
pub struct GraphBuilder {
    starts: Vec<u32>,
    first: Vec<u32>,
    edges: Vec<Edge>,
    cut: Bits,
    stops: Bits,
    is_too_large: bool,
}

impl Default for GraphBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl GraphBuilder {
    /// A graph without states.
    pub fn new() -> Self {
        GraphBuilder {
            starts: Vec::new(),
            first: vec![0],
            edges: Vec::new(),
            cut: Bits::default(),
            stops: Bits::default(),
            is_too_large: false,
        }
    }

    /// Adds the next state with its edges, in any order, and returns its number. Of equal edges one
    /// is kept.
    pub fn state(&mut self, edges: impl IntoIterator<Item = Edge>) -> u32 {
        let number = self.first.len() - 1;
        let begin = self.edges.len();
        self.edges.extend(edges);
        self.edges[begin..].sort_unstable_by_key(Edge::key);
        let mut kept = begin;
        for i in begin..self.edges.len() {
            if kept == begin || self.edges[kept - 1] != self.edges[i] {
                self.edges[kept] = self.edges[i];
                kept += 1;
            }
        }
        self.edges.truncate(kept);
        if number >= MOST || kept > MOST {
            self.is_too_large = true;
            self.edges.truncate(begin);
            return 0;
        }
        self.first.push(kept as u32);
        number as u32
    }

    /// Runs start in this state.
    pub fn start(&mut self, state: u32) {
        self.starts.push(state);
    }

    /// A bound left out some of this state's successors.
    pub fn cut(&mut self, state: u32) {
        self.cut.insert(state);
    }

    /// From this state time can stop within the tick: by a deadlock, or by steps without end.
    pub fn stop(&mut self, state: u32) {
        self.stops.insert(state);
    }

    /// The graph, if it makes sense. A state that has no edge of its own (only those of the
    /// adversary, which need never be taken) and is not cut counts as one in which time stops.
    pub fn build(mut self) -> Result<Graph, Defect> {
        let states = (self.first.len() - 1) as u32;
        if self.is_too_large {
            return Err(Defect::TooLarge);
        }
        if self.starts.is_empty() {
            return Err(Defect::NoStart);
        }
        let mut named = self.starts.iter().copied().chain(self.edges.iter().map(|edge| edge.to));
        if let Some(state) = named.find(|state| *state >= states) {
            return Err(Defect::NoSuchState(state));
        }
        self.starts.sort_unstable();
        self.starts.dedup();
        for state in 0..states {
            let first = self.first[state as usize];
            let has_own =
                first < self.first[state as usize + 1] && !self.edges[first as usize].adversary;
            if !has_own && !self.cut.contains(state) {
                self.stops.insert(state);
            }
        }
        let GraphBuilder { starts, first, edges, cut, stops, .. } = self;
        Ok(Graph { starts, first, edges, cut, stops })
    }
}

/// A finite graph of ticks. Edges have numbers, too, state by state.
#[derive(Clone, Debug)]
pub struct Graph {
    starts: Vec<u32>,
    /// The number of each state's first edge, and at the end how many edges there are.
    first: Vec<u32>,
    edges: Vec<Edge>,
    cut: Bits,
    stops: Bits,
}

impl Graph {
    /// How many states there are: their numbers are those below.
    pub fn states(&self) -> u32 {
        (self.first.len() - 1) as u32
    }

    /// How many edges there are: their numbers are those below.
    pub fn edges(&self) -> u32 {
        self.edges.len() as u32
    }

    /// Where runs start, each once, in order.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The numbers of the edges of a state: draw by draw, then those of the adversary.
    pub fn edges_of(&self, state: u32) -> Range<u32> {
        self.first[state as usize]..self.first[state as usize + 1]
    }

    /// The edges of a state, in the order of their numbers.
    pub fn out(&self, state: u32) -> &[Edge] {
        let range = self.edges_of(state);
        &self.edges[range.start as usize..range.end as usize]
    }

    /// The edge with a number.
    pub fn edge(&self, number: u32) -> &Edge {
        &self.edges[number as usize]
    }

    /// The state that an edge leads away from.
    pub fn source(&self, number: u32) -> u32 {
        (self.first.partition_point(|first| *first <= number) - 1) as u32
    }

    /// Whether a bound left out some of the state's successors.
    pub fn is_cut(&self, state: u32) -> bool {
        self.cut.contains(state)
    }

    /// Whether time can stop in the state.
    pub fn is_stop(&self, state: u32) -> bool {
        self.stops.contains(state)
    }
}
