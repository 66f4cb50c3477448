//! The interface between a program and the source that holds the values behind its numbers.

use super::{Miss, Program, ProgramBuilder};
use crate::engine::error::EngineError;
use crate::semantics::PropertySet;

/// The answers to questions that need a whole state.
pub(crate) struct Judgement {
    /// The properties broken (or, if an example is asked for, found).
    pub(crate) broken: PropertySet,
    /// Whether the state lies within the model's boundary; otherwise it is ignored.
    pub(crate) is_within: bool,
}

/// The holder of the values behind a program's numbers.
pub(crate) trait Source: Send + Sync {
    /// Answers a question that was not answered before.
    ///
    /// # Errors
    /// Why nothing that follows would count.
    fn resolve(&mut self, miss: Miss, program: &mut ProgramBuilder) -> Result<(), EngineError>;

    /// Whether [`judge`](Source::judge) must be asked about every state.
    fn judges(&self) -> bool {
        false
    }

    /// Answers the questions that need a whole state.
    ///
    /// # Errors
    /// A property or the boundary panicked.
    fn judge(&self, row: &[u32], program: &Program) -> Result<Judgement, EngineError> {
        let _ = (row, program);
        Ok(Judgement { broken: PropertySet::EMPTY, is_within: true })
    }
}
