//! The corpus against every engine: one test for each small scenario and engine, named
//! `protocol::scenario::engine`, and one for each small question about liveness, named
//! `protocol::scenario::liveness`.
//!
//! Every property gets the verdict that the scenario expects; a shortest counterexample has the
//! length that it expects, every counterexample replays to its violation; the counts of a run to
//! exhaustion are those that it pins. The reference semantics takes every step of the runs that
//! show answers about liveness. A protocol that joins the catalogue is tested here without a
//! line being added.

use std::process::ExitCode;

use oneleader::judge::Engine;
use oneleader::models::Shipped;
use oneleader::testing;

fn main() -> ExitCode {
    testing::main(Shipped, &[Engine::Compiled, Engine::StaterightBfs, Engine::StaterightDfs])
}
