//! How long it takes until a leader stays, as the plots show it.

use serde::Deserialize;

use crate::judge::TimeToLeader;

/// Times in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wait {
    pub(super) mean: f64,
    /// Half of the runs take no longer.
    pub(super) median: usize,
    /// Nor do 99 of a hundred.
    pub(super) p99: usize,
    /// The length of a tick in milliseconds.
    pub(super) tick_ms: f64,
}

/// The same as `liveness --time --json` writes it.
#[derive(Deserialize)]
pub(super) struct Time {
    tick_ms: f64,
    probability: f64,
    mean: Option<f64>,
    median: Option<usize>,
    p99: Option<usize>,
}

impl Time {
    /// Nothing where some runs never have a leader: there an average says little.
    pub(super) fn wait(self) -> Option<Wait> {
        let Time { tick_ms, probability, mean, median, p99 } = self;
        let (mean, median, p99) = (mean?, median?, p99?);
        (probability > 0.999).then_some(Wait { mean, median, p99, tick_ms })
    }
}

impl From<&TimeToLeader> for Time {
    fn from(time: &TimeToLeader) -> Self {
        let exact = &time.exact;
        Time {
            tick_ms: time.tick.as_secs_f64() * 1e3,
            probability: exact.probability,
            mean: exact.mean,
            median: exact.within(0.5),
            p99: exact.within(0.99),
        }
    }
}
