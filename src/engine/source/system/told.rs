//! Turns numbered steps into the steps of the reference semantics.

use stateright::actor::Envelope;

use super::SystemSource;
use super::handlers::{Cause, Origin};
use crate::election::Election;
use crate::engine::ids::{OutcomeId, StepId, Whole, WorldEvent, widen};
use crate::engine::program::Program;
use crate::semantics::node::NodeOf;
use crate::semantics::{Step, StepOf};

/// The open choices of a node, each value once, in the order that positions refer to.
pub(super) fn choices<E: Election>(node: &NodeOf<E>) -> Vec<(&str, &E::Random)> {
    let mut all = Vec::new();
    for (key, values) in &node.choices {
        for (k, value) in values.iter().enumerate() {
            if !values[..k].contains(value) {
                all.push((key.as_str(), value));
            }
        }
    }
    all
}

impl<E: Election> SystemSource<'_, E> {
    /// A step that can be taken in the state of a row.
    pub(super) fn step_of(&self, row: &[u32], step: StepId, program: &Program) -> StepOf<E> {
        if let Some(whole) = step.whole() {
            return self.step_of_whole(row, whole, program);
        }
        let detail = program.detail(step);
        if detail.outcome == OutcomeId::NONE {
            let Envelope { src, dst, msg } = self.messages.envelope(detail.message).clone();
            return match detail.pays {
                Some(WorldEvent::Lose) => Step::Lose { src, dst, msg },
                _ => Step::Duplicate { src, dst, msg },
            };
        }
        let step = self.told(self.origins[detail.outcome]);
        match usize::from(detail.torn).checked_sub(1) {
            Some(effects) => Step::Torn { step: Box::new(step), effects },
            None => step,
        }
    }

    fn step_of_whole(&self, row: &[u32], whole: Whole, program: &Program) -> StepOf<E> {
        match whole {
            Whole::Tick => Step::Tick,
            Whole::Switch(topology) => Step::Switch { topology },
            Whole::Stabilise(combination) => {
                let mut ages = Vec::new();
                for after in program.stabilised(program.locals_of(row), combination) {
                    ages.extend(self.nodes[after].1.timers.values().map(|age| age.now));
                }
                Step::Stabilise { ages }
            }
        }
    }

    /// The step whose outcomes have this origin, as if it had not been torn.
    pub(super) fn told(&self, origin: Origin) -> StepOf<E> {
        let (i, node) = &self.nodes[origin.before];
        let id = i.id();
        match origin.cause {
            Cause::Timeout(k) => {
                let timer = node.timers.keys().nth(widen(k)).expect("counted before");
                Step::Timeout { node: id, timer: timer.clone() }
            }
            Cause::Choose(k) => {
                let (key, value) = choices::<E>(node)[widen(k)];
                Step::Choose { node: id, key: key.to_string(), value: value.clone() }
            }
            Cause::Restart(disk) => Step::Restart { node: id, disk },
            Cause::Crash => Step::Crash { node: id },
            Cause::Deliver(message) => {
                let Envelope { src, dst, msg } = self.messages.envelope(message).clone();
                Step::Deliver { src, dst, msg }
            }
        }
    }
}
