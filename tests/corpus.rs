//! The corpus against every engine: one test for each small scenario and engine, named
//! `protocol::scenario::engine`.
//!
//! Every property gets the verdict that the scenario expects; a shortest counterexample has the
//! length that it expects, every counterexample replays to its violation; the counts of a run to
//! exhaustion are those that it pins. A protocol that joins the catalogue is tested here without a
//! line being added.

use std::process::ExitCode;

use oneleader::judge::Engine;
use oneleader::models::Shipped;
use oneleader::testing;

fn main() -> ExitCode {
    testing::main(Shipped, &[Engine::Compiled, Engine::StaterightBfs, Engine::StaterightDfs])
}
