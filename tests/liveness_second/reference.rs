//! The reference semantics, step by step, without the reduction of ticks: how many states there are
//! between two ticks after each number of ticks.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use oneleader::models::raft::Raft;
use oneleader::scenario::Scenario;
use oneleader::semantics::{Latency, Step, System, Timing};

/// Of the reference semantics, with terms as they are and nothing left out.
pub fn layers(options: &[(&str, i64)], flags: &[&str], latency: bool, ticks: usize) -> Vec<usize> {
    let mut scenario = Scenario::new("layers", 3);
    scenario.timing = Timing::Timed;
    scenario.latency = if latency { Latency::OneTick } else { Latency::None };
    let numbers = options.iter().map(|(name, value)| (name.to_string(), (*value).into()));
    let flags = flags.iter().map(|name| (name.to_string(), true.into()));
    scenario.options = numbers.chain(flags).collect();
    let mut system: System<Raft> = scenario.system().expect("a good scenario");
    system.rules.keep_dead = true;
    system.rules.remember = false;
    // A state is known by its hash, as stateright knows it.
    let hasher = RandomState::new();
    let (mut layer, mut sizes) = (vec![system.initial()], vec![1]);
    for _ in 0..ticks {
        let (mut seen, mut reached) = (HashSet::new(), HashSet::new());
        let mut open = std::mem::take(&mut layer);
        while let Some(state) = open.pop() {
            for (step, next) in system.successors(&state) {
                let is_over = matches!(step, Step::Tick);
                let known = if is_over { &mut reached } else { &mut seen };
                if known.insert(hasher.hash_one(&next)) {
                    if is_over { &mut layer } else { &mut open }.push(next);
                }
            }
        }
        sizes.push(layer.len());
    }
    sizes
}
