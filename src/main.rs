//! The command `oneleader`. See [`oneleader::cli`].

use std::process::ExitCode;

/// stateright's checkers gain a third from an allocator that is good at small, short-lived pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    oneleader::models::main()
}
