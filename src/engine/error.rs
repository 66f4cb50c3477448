//! Errors that make a whole exploration invalid: mistakes of the user, and of this crate.

use std::fmt;

/// Why an exploration is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EngineError {
    /// A function of the user's panicked.
    Panicked {
        /// Whose function it is, and in some cases its arguments.
        who: String,
        /// The arguments, if `who` does not give them.
        at: Option<String>,
        /// The message of the panic.
        why: String,
    },
    /// A function of the user's gave two results for the same arguments.
    Impure(String),
    /// `is_dead` is wrong about a message: it is called dead, and has an effect.
    IsAlive {
        /// The message.
        message: String,
        /// The name of its sender.
        src: String,
        /// The name of its receiver.
        dst: String,
    },
    /// The user's model has something that cannot be explored.
    Unsupported(String),
    /// There are too many things of this kind to number them.
    TooMany(String),
    /// Two flows have the same digest. With another seed they would not.
    Collision,
    /// Stateright's result of this step is another one: a mistake of the user or of this crate.
    Disagreement(String),
    /// A mistake of this crate.
    Defect(String),
}

impl EngineError {
    /// Too many different local steps to number them.
    pub(crate) fn too_many_outcomes() -> EngineError {
        EngineError::TooMany("more than four billion different local steps".to_string())
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Panicked { who, at: None, why } => write!(f, "{who} panicked: {why}"),
            EngineError::Panicked { who, at: Some(at), why } => {
                write!(f, "{who} panicked at {at}: {why}")
            }
            EngineError::IsAlive { message, src, dst } => write!(
                f,
                "{message} from {src} is called dead to {dst}, and has an effect on it: its \
                 `is_dead` is wrong"
            ),
            EngineError::Impure(what)
            | EngineError::Unsupported(what)
            | EngineError::TooMany(what) => f.write_str(what),
            EngineError::Collision => {
                f.write_str("two different contents of the network have the same 64-bit digest")
            }
            EngineError::Disagreement(step) => write!(
                f,
                "engine and stateright disagree about {step}: something of the model is not a \
                 pure function, or this is a defect of oneleader"
            ),
            EngineError::Defect(what) => write!(f, "{what} (a defect of oneleader)"),
        }
    }
}
