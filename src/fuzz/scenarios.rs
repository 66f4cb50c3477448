//! Scenarios to fuzz: scenarios of a protocol's corpus, enlarged.
//!
//! If a scenario of the corpus plants no bug and expects every property to hold, then the
//! properties should also hold with more nodes, more faults of the same kinds, and higher terms. So
//! these numbers are drawn at random. Options, network, timing and kinds of fault stay as in the
//! scenario.

use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::Strategy;

use crate::election::{About, Election};
use crate::exploration::verdict::Verdict;
use crate::scenario::{self, Problem, Scenario};
use crate::semantics::Bounds;
use crate::semantics::world::Faults;

/// The longest run of a scenario that was enlarged.
const STEPS: usize = 300;

/// The scenarios of a protocol's corpus that can be enlarged. If there are none: a scenario without
/// faults.
///
/// # Errors
/// A corpus that cannot be read.
pub fn promised(about: &'static About) -> Result<Vec<Scenario>, Problem> {
    let corpus = match about.corpus.trim() {
        "" => Vec::new(),
        text => scenario::parse(text, about)?,
    };
    let is_promise = |s: &Scenario| {
        let holds = |word| matches!(word, Verdict::Holds | Verdict::HoldsWithinBounds);
        let has_start = s.start_when.is_some() || !s.start_steps.is_empty();
        s.bug.is_none()
            && !s.expect.is_empty()
            && s.expect.values().all(|e| holds(e.verdict))
            && !has_start
    };
    let mut promises: Vec<Scenario> = corpus.into_iter().filter(is_promise).collect();
    if promises.is_empty() {
        promises.push(Scenario::new("nothing-fails", 3));
    }
    Ok(promises)
}

/// One of the scenarios, enlarged: up to 7 nodes (or just `nodes`), budgets of faults up to
/// sixfold, no bound on terms. If the protocol's options do not allow the size, the scenario keeps
/// its own.
pub fn enlarged<E: Election>(
    promises: Vec<Scenario>,
    nodes: Option<usize>,
) -> impl Strategy<Value = Scenario> {
    let sizes = nodes.map_or(vec![3, 4, 5, 5, 7], |n| vec![n]);
    (select(promises), select(sizes), 1..=6u32, any::<bool>()).prop_map(
        move |(base, n, times, is_torn)| {
            let mut larger = Scenario { nodes: nodes.unwrap_or(n.max(base.nodes)), ..base.clone() };
            if nodes.is_none() && larger.system::<E>().is_err() {
                larger.nodes = base.nodes;
            }
            larger.bounds = Bounds { max_in_flight: Some(20 * larger.nodes), ..Bounds::default() };
            let faults = &mut larger.faults;
            let Faults {
                crashes,
                restarts,
                losses,
                duplications,
                switches,
                torn,
                disk_losses: _,
                disk_rollbacks: _,
            } = faults;
            for budget in [crashes, restarts, losses, duplications, switches] {
                *budget *= times;
            }
            *torn &= is_torn;
            larger.fuzz.get_or_insert_default().steps = STEPS;
            larger
        },
    )
}
