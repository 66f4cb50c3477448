//! The command `oneleader`. See [`oneleader::cli`].

use std::process::ExitCode;

/// stateright's checkers are faster by a third with an allocator that is good at small, short-lived
/// pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    oneleader::models::main()
}
