//! What a system assumes besides its actors: network, time, faults, topologies, and the bounds
//! beyond which it is not explored.

use serde::{Deserialize, Serialize};

use crate::semantics::network::NetworkKind;
use crate::semantics::node::Clock;
use crate::semantics::topology::Topology;
use crate::semantics::world::Faults;

/// What is assumed of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Any message may take any time, any timer may fire at any time.
    #[default]
    Asynchronous,
    /// Discrete time: a message arrives within its tick or never, a timer fires within its limits.
    Timed,
    /// Partial synchrony: asynchronous with faults until one `stabilise` step, timed and without
    /// faults after it.
    Stabilising,
}

/// How many ticks a message takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Latency {
    /// It arrives within the tick in which it is sent.
    #[default]
    None,
    /// It arrives in the next tick.
    OneTick,
}

impl TryFrom<u8> for Latency {
    type Error = String;

    fn try_from(ticks: u8) -> Result<Self, String> {
        match ticks {
            0 => Ok(Latency::None),
            1 => Ok(Latency::OneTick),
            more => Err(format!("a latency is 0 or 1 ticks, not {more}")),
        }
    }
}

impl From<Latency> for u8 {
    fn from(latency: Latency) -> u8 {
        latency as u8
    }
}

/// The bounds of a search. A state beyond a bound is neither checked nor expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// The highest term that a live node may reach.
    pub max_term: Option<u64>,
    /// The highest round that a live node may reach, where a protocol counts rounds apart from
    /// terms.
    pub max_round: Option<u32>,
    /// How many messages may be in flight, copies counted.
    pub max_in_flight: Option<usize>,
    /// How many copies of one message may be in flight.
    pub max_copies: Option<usize>,
}

/// A bound that a state is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// [`Bounds::max_term`]
    MaxTerm,
    /// [`Bounds::max_round`]
    MaxRound,
    /// [`Bounds::max_in_flight`]
    MaxInFlight,
    /// [`Bounds::max_copies`]
    MaxCopies,
}

impl Bound {
    /// All bounds, in the order in which a state is compared with them.
    pub const ALL: [Bound; 4] =
        [Bound::MaxTerm, Bound::MaxRound, Bound::MaxInFlight, Bound::MaxCopies];

    /// Its position in [`Bound::ALL`].
    pub fn position(self) -> usize {
        self as usize
    }

    /// As a key of the scenario's `bounds`.
    pub fn name(self) -> &'static str {
        match self {
            Bound::MaxTerm => "max_term",
            Bound::MaxRound => "max_round",
            Bound::MaxInFlight => "max_in_flight",
            Bound::MaxCopies => "max_copies",
        }
    }
}

/// Everything that a system assumes besides its actors.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How messages travel.
    pub network: NetworkKind,
    /// What is assumed of time.
    pub timing: Timing,
    /// [`Clock::Absent`] exactly under [`Timing::Asynchronous`].
    pub clock: Clock,
    /// How many ticks a message takes where time is kept. With 0 it arrives within the tick in
    /// which it is sent, and so may its answer. With 1 it arrives in the next tick, and only then:
    /// at the end of that tick it is lost.
    pub latency: Latency,
    /// The bounds of a search.
    pub bounds: Bounds,
    /// What may fail, and how often.
    pub faults: Faults,
    /// The first is in force at the start; a switch goes to one of the others.
    pub topologies: Vec<Topology>,
    /// Whether dead messages, which can never again have an effect, stay in flight.
    pub keep_dead: bool,
    /// Whether it is part of the state who led and what the witness remembers. Off only for
    /// comparisons with plain actor models.
    pub remember: bool,
}
