//! Liveness of a system, with or without time.

use super::asynchronous::find_fair;
use super::explore::Extent;
use super::report::{Cut, Report, decide_timed, expect_decidable};
use crate::election::Election;
use crate::semantics::{System, Timing};

/// Decides liveness of a timed system from its start on, or from where a `cut` says. Of an
/// asynchronous system it only looks for a fair run that is bad.
///
/// # Errors
/// The system is not one that can be decided, or there is no state in which what counts may begin.
pub fn ask<'a, E: Election>(
    system: &'a System<E>,
    cut: Option<Cut<'a, E>>,
    extent: Extent,
) -> Result<Report<'a, E>, String> {
    expect_decidable(system)?;
    match (system.rules.timing, cut) {
        (Timing::Asynchronous, None) => find_fair(system, extent),
        (Timing::Asynchronous | Timing::Stabilising, Some(_)) => {
            Err("links may change, or a start be chosen, where time is kept, and only there"
                .to_string())
        }
        (Timing::Timed | Timing::Stabilising, cut) => decide_timed(system, cut, extent),
    }
}
