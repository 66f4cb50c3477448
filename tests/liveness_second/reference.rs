//! The reference semantics, step by step, without the reduction of ticks: how many states there are
//! between two ticks after each number of ticks.

use std::collections::HashSet;

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
    let mut layer = HashSet::from([system.initial()]);
    let mut sizes = vec![1];
    for _ in 0..ticks {
        let mut seen = layer.clone();
        let mut open: Vec<_> = layer.drain().collect();
        while let Some(state) = open.pop() {
            for (step, next) in system.successors(&state) {
                if matches!(step, Step::Tick) {
                    layer.insert(next);
                } else if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        sizes.push(layer.len());
    }
    sizes
}
