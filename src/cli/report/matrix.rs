//! What the scenarios assume, in a few groups: whether time is kept, and what may fail.

use super::gather::{Case, Chapter};
use super::results::worse;
use crate::exploration::verdict::Verdict;
use crate::scenario::{Scenario, Topologies};
use crate::semantics::Timing;
use crate::semantics::network::NetworkKind;

/// What may fail, from nothing to everything; each scenario belongs to the last that fits.
pub(super) const FAILURES: [(&str, &str); 7] = [
    ("nothing", "Nothing fails"),
    ("links", "Links are cut"),
    ("messages", "Messages lost or doubled"),
    ("crashes", "Nodes crash"),
    ("crashes-and-messages", "Crashes, and bad links"),
    ("torn", "Crashes midway"),
    ("disks", "Disks fail"),
];

/// Whether time is kept.
pub(super) const CLOCKS: [(&str, &str); 2] = [("no-clock", "no clock"), ("clock", "clock")];

/// The scenarios of a group that plant no bug.
pub(super) struct Cell<'a> {
    pub(super) cases: Vec<&'a Case>,
}

impl Cell<'_> {
    /// How many are violated.
    pub(super) fn violated(&self) -> usize {
        self.cases.iter().filter(|case| case.verdict == Verdict::Violated).count()
    }

    /// The worst verdict of the others.
    pub(super) fn worst_of_others(&self) -> Option<Verdict> {
        let others = self.cases.iter().map(|case| case.verdict);
        others.filter(|verdict| *verdict != Verdict::Violated).reduce(worse)
    }
}

/// The group of failures of a scenario, by its place in [`FAILURES`].
pub(super) fn failure(scenario: &Scenario) -> usize {
    let faults = &scenario.faults;
    let is_cut = faults.switches > 0 || scenario.topologies.start != Topologies::default().start;
    let is_lossy = faults.losses > 0
        || faults.duplications > 0
        || scenario.network == NetworkKind::Duplicating;
    let crashes = faults.crashes > 0 || faults.restarts > 0;
    match () {
        () if faults.disk_losses > 0 || faults.disk_rollbacks > 0 => 6,
        () if faults.torn => 5,
        () if crashes && (is_lossy || is_cut) => 4,
        () if crashes => 3,
        () if is_lossy => 2,
        () if is_cut => 1,
        () => 0,
    }
}

/// The group of clocks of a scenario, by its place in [`CLOCKS`].
pub(super) fn clock(scenario: &Scenario) -> usize {
    usize::from(scenario.timing != Timing::Asynchronous)
}

/// The scenarios of a protocol that plant no bug, of one clock and one kind of failure.
pub(super) fn cell(chapter: &Chapter, clock_at: usize, failure_at: usize) -> Cell<'_> {
    let is_in = |case: &&Case| {
        let scenario = &case.scenario;
        scenario.bug.is_none() && clock(scenario) == clock_at && failure(scenario) == failure_at
    };
    Cell { cases: chapter.cases.iter().filter(is_in).collect() }
}
