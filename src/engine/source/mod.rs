//! Sources of a program: they hold the values behind its numbers, call the user's functions, and
//! answer what the program does not know.

mod actor_model;
mod messages;
mod system;

use super::error::EngineError;
use super::ids::{NodeIndex, StepId};
use super::program::{Program, ProgramBuilder, Source};
use crate::election::node_name;

pub(crate) use actor_model::{ActionOf, ModelSource, guarded};
pub(crate) use system::SystemSource;

/// The places of components, which are part of their digests. The place of a node's local state is
/// the node's position.
mod place {
    /// Messages.
    pub(super) const MESSAGE: u64 = 1 << 32;
    /// Worlds.
    pub(super) const WORLD: u64 = 3 << 32;
    /// Reactions of handlers.
    pub(super) const REACTION: u64 = 4 << 32;
}

/// A source that can build whole states, and has a second definition of its steps.
pub(crate) trait Retell: Source + Sized {
    /// A whole state.
    type State;
    /// A step of it.
    type Step;

    /// The state that a row stands for.
    fn state(&self, row: &[u32], program: &Program) -> Self::State;

    /// A step that can be taken in the state of a row.
    fn step(&self, row: &[u32], step: StepId, program: &Program) -> Self::Step;

    /// Takes a step by the second definition; the state after it.
    ///
    /// # Errors
    /// It does not lead to the expected state.
    fn take_again(
        &self,
        state: &Self::State,
        step: &Self::Step,
        expected: Self::State,
    ) -> Result<Self::State, EngineError>;
}

/// Turns a path of step numbers into steps. It begins with the initial row and the state that it
/// stands for, and takes each step by both definitions. Returns the steps and the last state.
///
/// # Errors
/// The definitions disagree, or a step cannot be taken.
pub(crate) fn retell<S: Retell>(
    source: &mut S,
    program: &mut ProgramBuilder,
    (initial, start): (&[u32], S::State),
    path: &[StepId],
) -> Result<(Vec<S::Step>, S::State), EngineError> {
    let mut row = initial.to_vec();
    let mut state = start;
    let mut steps = Vec::new();
    for &id in path {
        let step = source.step(&row, id, program);
        row = program.take(&row, id, source)?;
        state = source.take_again(&state, &step, source.state(&row, program))?;
        steps.push(step);
    }
    Ok((steps, state))
}

/// A sample of a sequence of things: the first 255, then each 61st.
struct Sample<T> {
    kept: Vec<T>,
    most: usize,
    seen: usize,
}

impl<T> Sample<T> {
    /// An empty sample, to which at most so many things are added.
    fn new(most: usize) -> Self {
        Sample { kept: Vec::new(), most, seen: 0 }
    }

    /// Adds the next thing of the sequence, or skips it.
    fn offer(&mut self, thing: impl FnOnce() -> T) {
        self.seen += 1;
        let is_chosen = self.seen < 256 || self.seen.is_multiple_of(61);
        if self.kept.len() < self.most && is_chosen {
            self.kept.push(thing());
        }
    }
}

/// Refuses an outcome that sends more messages than can be counted.
fn expect_few_sends(node: NodeIndex, sends: usize) -> Result<(), EngineError> {
    let (node, most) = (node_name(node.id()), u16::MAX);
    match sends <= usize::from(most) {
        true => Ok(()),
        false => Err(EngineError::TooMany(format!(
            "the actor of {node} sends more than {most} messages at once"
        ))),
    }
}
