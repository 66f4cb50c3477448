//! How long until something is so for good, by random walks over the reference semantics: what is
//! computed from the graph, once more in another way.

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use stateright::actor::{Envelope, Id};

use crate::election::{CLIENT, Election};
use crate::semantics::network::NetworkKind;
use crate::semantics::{Step, StepOf, System, SystemState};
use crate::support::parallel;

/// What walks have found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// How many walks there were.
    pub walks: u32,
    /// How many of them ended because it was so for good.
    pub settled: u32,
    /// The ticks that passed on average, on those; `None` if there are fewer than two, from which
    /// nothing can be said.
    pub average: Option<Average>,
}

/// An average of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// The average.
    pub mean: f64,
    /// Where the true average lies, unless something happened that does in one of a thousand
    /// samples: so far from it at most.
    pub error: f64,
}

impl Average {
    /// Whether the true average may be this. What was computed is right to some parts in 10^9.
    pub fn may_be(&self, mean: f64) -> bool {
        (self.mean - mean).abs() <= self.error + EXACT * mean
    }

    fn of(lengths: &[f64]) -> Option<Average> {
        if lengths.len() < 2 {
            return None;
        }
        let n = lengths.len() as f64;
        let mean = lengths.iter().sum::<f64>() / n;
        let squares = lengths.iter().map(|length| (length - mean).powi(2));
        let variance = squares.sum::<f64>() / (n - 1.0);
        Some(Average { mean, error: DEVIATIONS * (variance / n).sqrt() })
    }
}

/// What a walk has come to between two ticks.
pub(super) enum Now {
    /// It goes on.
    Open,
    /// It is settled.
    Settled,
    /// It cannot settle any more.
    Hopeless,
}

/// More than what is computed can be wrong by, as a part of it.
const EXACT: f64 = 1e-8;

/// The normal distribution has 99.9 % of its weight within so many standard deviations.
const DEVIATIONS: f64 = 3.290_526_731_491_894;

/// A walk that is still open after so many ticks counts as one that does not settle.
const MOST_TICKS: u32 = 1_000_000;

/// So many walks, each from `start` until `look` has seen enough. What they draw depends on the
/// seed, and on nothing else.
pub(super) fn sample<E: Election>(
    system: &System<E>,
    walks: u32,
    seed: u64,
    start: impl Fn(&mut Walk<'_, E>) + Sync,
    look: impl Fn(&SystemState<E>) -> Now + Sync,
) -> Sampled {
    let lengths = parallel::map(walks as usize, |number| {
        let mut walk = Walk::new(system, seed, number as u32);
        start(&mut walk);
        for ticks in 0..MOST_TICKS {
            match look(&walk.state) {
                Now::Open => walk.tick(),
                Now::Settled => return Some(ticks),
                Now::Hopeless => return None,
            }
        }
        None
    });
    let lengths: Vec<f64> = lengths.into_iter().flatten().map(f64::from).collect();
    Sampled { walks, settled: lengths.len() as u32, average: Average::of(&lengths) }
}

/// A run of a timed system, of which chance draws every tick.
pub(super) struct Walk<'a, E: Election> {
    system: &'a System<E>,
    pub(super) state: SystemState<E>,
    random: TestRng,
}

impl<'a, E: Election> Walk<'a, E> {
    fn new(system: &'a System<E>, seed: u64, number: u32) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&number.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Walk { system, state: system.initial(), random }
    }

    /// Goes back to where the system starts, and will draw other things.
    pub(super) fn begin_again(&mut self) {
        self.state = self.system.initial();
    }

    pub(super) fn take(&mut self, step: &StepOf<E>) {
        self.state = self.system.take(&self.state, step).expect("a step that can be taken");
    }

    /// A tick: each node takes what is due to it in a random order.
    pub(super) fn tick(&mut self) {
        for id in (0..self.state.nodes.len()).map(Id::from) {
            let fires = self.draw_timers(id);
            while let Some(step) = self.draw_step(id, &fires) {
                self.take(&step);
            }
        }
        self.take(&Step::Tick);
    }

    /// Which timers of a node fire in the tick that begins, unless they are set anew before.
    fn draw_timers(&mut self, id: Id) -> Vec<E::Timer> {
        let mut fires = Vec::new();
        for (timer, age) in &self.state.nodes[usize::from(id)].timers {
            let left = u32::from(age.last.saturating_sub(age.now)) + 1;
            if age.now >= age.first && self.random.random_ratio(1, left) {
                fires.push(timer.clone());
            }
        }
        fires
    }

    /// What a node does next, of all that is due: each message, each copy of it, each timer, and
    /// each open choice are equally likely.
    fn draw_step(&mut self, id: Id, fires: &[E::Timer]) -> Option<StepOf<E>> {
        let node = &self.state.nodes[usize::from(id)];
        if !node.is_up() {
            return None;
        }
        let topology = &self.system.rules.topologies[usize::from(self.state.world.topology)];
        let all = self.state.network.all().into_iter();
        let arrives = |e: &Envelope<E::Msg>| e.dst == id && topology.is_up(e.src, e.dst);
        let messages: Vec<Envelope<E::Msg>> = all.filter(arrives).collect();
        let is_due =
            |timer: &&E::Timer| node.timers.get(timer).is_some_and(|age| age.now >= age.first);
        let timers: Vec<&E::Timer> = fires.iter().filter(is_due).collect();
        let choices: Vec<_> = node.choices.iter().filter(|(key, _)| *key != CLIENT).collect();
        let (m, t) = (messages.len(), timers.len());
        if m + t + choices.len() == 0 {
            return None;
        }
        let drawn = self.random.random_range(0..m + t + choices.len());
        if drawn < m {
            // Where order is kept, it is the turn of the first one on the link.
            let is_ordered = self.system.rules.network == NetworkKind::Ordered;
            let first = messages.iter().find(|e| is_ordered && e.src == messages[drawn].src);
            let Envelope { src, dst, msg } = first.unwrap_or(&messages[drawn]).clone();
            return Some(Step::Deliver { src, dst, msg });
        }
        if drawn < m + t {
            return Some(Step::Timeout { node: id, timer: timers[drawn - m].clone() });
        }
        let (key, values) = choices[drawn - m - t];
        let value = values[self.random.random_range(0..values.len())].clone();
        Some(Step::Choose { node: id, key: key.clone(), value })
    }
}
