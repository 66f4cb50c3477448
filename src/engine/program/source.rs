//! What a program asks of whoever holds the values behind its numbers.

use super::{Miss, Program, ProgramBuilder};
use crate::engine::error::EngineError;
use crate::semantics::PropertySet;

/// What can only be told of a whole state.
pub(crate) struct Judgement {
    /// The properties broken (or, if an example is asked for, found).
    pub(crate) broken: PropertySet,
    /// Whether the state is to be looked at at all.
    pub(crate) is_within: bool,
}

/// How the values behind a program serve the search.
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

    /// Judges a whole state, where its components do not tell everything.
    ///
    /// # Errors
    /// What is asked of the state panicked.
    fn judge(&self, row: &[u32], program: &Program) -> Result<Judgement, EngineError> {
        let _ = (row, program);
        Ok(Judgement { broken: PropertySet::EMPTY, is_within: true })
    }
}
