//! What is asked of a graph, what can be answered, and what is shown for it.

/// What is asked of every infinite run from a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A run is good if for one of the masks, from some moment on, every edge carries all of its
    /// bits: "eventually a stable leader", with a mask for each node.
    Persists {
        /// The masks. A mask without bits is carried by every edge; without masks no run is good.
        one_of: Vec<u32>,
    },
    /// A run is good if it takes an edge with at least one of these bits infinitely often.
    Recurs {
        /// The bits.
        any: u32,
    },
}

/// What must be random for an answer that holds with probability one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Random {
    /// What nature draws. It holds for every order of delivery, even one chosen by an adversary who
    /// has seen all draws so far.
    Timeouts,
    /// What nature draws, and the order of delivery as well: some order, well chosen, can hold out
    /// for ever.
    TimeoutsAndOrder,
}

/// What is known of all runs from a start. `docs/liveness.md` defines each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Every run is good.
    Guaranteed,
    /// Some run is bad, but with probability one a run is good.
    AlmostSure {
        /// What must be random for it.
        random: Random,
    },
    /// States can be reached from which a run is bad with probability one, unless the environment
    /// does something else that it has a budget for.
    CanBeLost {
        /// Whether among them there are some from which no run at all is good.
        for_good: bool,
    },
    /// No run is good.
    Never,
    /// A state can be reached in which time can stop.
    TimeStops,
    /// A bound left out states that can be reached, and what is certain in spite of that is none of
    /// the above.
    Unknown {
        /// Whether at least there is a bad run, so that the answer is not `Guaranteed`.
        refuted: bool,
    },
}

impl Answer {
    /// The answer in a word, for people and for files.
    pub fn word(&self) -> &'static str {
        match self {
            Answer::Guaranteed => "guaranteed",
            Answer::AlmostSure { .. } => "almost-sure",
            Answer::CanBeLost { .. } => "can-be-lost",
            Answer::Never => "never",
            Answer::TimeStops => "time-stops",
            Answer::Unknown { .. } => "unknown",
        }
    }
}

/// A run from a start, by the numbers of its edges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// The state in which it starts.
    pub start: u32,
    /// Its edges, each from where the one before it ends.
    pub edges: Vec<u32>,
}

/// A run that goes to a cycle and stays on it for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasso {
    /// The way to the cycle.
    pub prefix: Path,
    /// The edges of one lap, from where the prefix ends back to there.
    pub cycle: Vec<u32>,
}

/// States that are never left again, unless by an edge of the adversary, and that are all reached
/// from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bottom {
    /// A shortest way to one of them.
    pub prefix: Path,
    /// The states, in order.
    pub states: Vec<u32>,
}

/// States in which an order of delivery can keep a run, whatever nature draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndComponent {
    /// A shortest way to one of them.
    pub prefix: Path,
    /// The states, in order.
    pub states: Vec<u32>,
    /// The edges among which that order picks, in order: in each of the states at least one for
    /// each draw. All of them are taken again and again.
    pub choices: Vec<u32>,
}

/// What shows that an answer is right, as far as a few runs can show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// A bad run: with every answer but `Guaranteed`, `TimeStops`, and `Unknown` that is not
    /// refuted. It shows that the answer is not `Guaranteed`.
    pub lasso: Option<Lasso>,
    /// With `CanBeLost`: where.
    pub bottom: Option<Bottom>,
    /// With `AlmostSure` if the order of delivery must be random, too: where it can hold out.
    pub end_component: Option<EndComponent>,
    /// With `TimeStops`: a shortest run to a state in which it can.
    pub stop: Option<Path>,
}

/// An answer, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// What shows it.
    pub evidence: Evidence,
    /// How many states can be reached.
    pub states: u32,
    /// How many components they form. A state on no cycle is one by itself.
    pub components: u32,
    /// How many of these are left by edges of the adversary only. Those with a cut state may be
    /// left in truth.
    pub bottoms: u32,
}
