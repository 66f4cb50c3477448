//! Families of systems that differ in one number only: how long a leader takes, by that option.

use super::gather::{Chapter, Live};
use super::wait::Wait;
use crate::scenario::liveness::LivenessScenario;

/// Fewer values of an option show nothing.
const FEWEST: usize = 3;

/// Systems of a protocol that are alike, but for the value of an option.
pub(super) struct Family<'a> {
    pub(super) chapter: &'a Chapter,
    /// The option's name.
    pub(super) option: String,
    /// One of them.
    pub(super) live: &'a Live,
    /// By value.
    pub(super) members: Vec<(i64, Wait)>,
}

/// All families of which it is known how long a leader takes.
pub(super) fn of(chapters: &[Chapter]) -> Vec<Family<'_>> {
    let mut all: Vec<Family<'_>> = Vec::new();
    for chapter in chapters {
        let begin = all.len();
        for live in &chapter.systems {
            let Some(wait) = live.wait else { continue };
            for (option, value) in &live.scenario.options {
                let Some(value) = value.as_integer() else { continue };
                let is_it = |family: &&mut Family<'_>| {
                    family.option == *option
                        && without(&family.live.scenario, option) == without(&live.scenario, option)
                };
                match all[begin..].iter_mut().find(is_it) {
                    Some(family) => family.members.push((value, wait)),
                    None => {
                        let (option, members) = (option.clone(), vec![(value, wait)]);
                        all.push(Family { chapter, option, live, members });
                    }
                }
            }
        }
    }
    all.retain(|family| family.members.len() >= FEWEST);
    all.iter_mut().for_each(|family| family.members.sort_by_key(|(value, _)| *value));
    all
}

/// The system without an option, and without what makes no difference to it.
fn without(scenario: &LivenessScenario, option: &str) -> LivenessScenario {
    let mut scenario = scenario.clone();
    scenario.options.remove(option);
    LivenessScenario {
        name: String::new(),
        note: String::new(),
        expect: Default::default(),
        size: Default::default(),
        max_states: 0,
        ..scenario
    }
}
