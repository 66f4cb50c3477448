//! How long it takes until a leader stays, as text and as JSON.

use serde::Serialize;

use crate::judge::{LivenessChecked, TimeToLeader};

/// For machines.
#[derive(Serialize)]
pub(super) struct Time {
    /// The length of a tick in milliseconds.
    tick_ms: f64,
    /// How likely it is that it ever comes about.
    probability: f64,
    /// Where it does, so many ticks on average, and within so many in half of the runs, in nine of
    /// ten, and in 99 of a hundred; nothing if it never does.
    mean: Option<f64>,
    median: Option<usize>,
    p90: Option<usize>,
    p99: Option<usize>,
    /// By number of ticks, how likely it is that just so many pass.
    distribution: Vec<f64>,
    /// The same average by random walks: the true one is as near as `sampled_error` in 99.9 % of
    /// all samples.
    walks: Option<u32>,
    sampled_mean: Option<f64>,
    sampled_error: Option<f64>,
}

impl Time {
    /// What was measured for a question.
    pub(super) fn of(one: &LivenessChecked, question: &str) -> Option<Time> {
        let time = one.time.as_ref()?.as_ref().ok()?;
        let TimeToLeader { exact, sampled, tick, .. } = time;
        let average = sampled.and_then(|sampled| sampled.average);
        (time.question == question).then(|| Time {
            tick_ms: tick.as_secs_f64() * 1e3,
            probability: exact.probability,
            mean: exact.mean,
            median: exact.within(0.5),
            p90: exact.within(0.9),
            p99: exact.within(0.99),
            distribution: exact.distribution.clone(),
            walks: sampled.map(|sampled| sampled.walks),
            sampled_mean: average.map(|average| average.mean),
            sampled_error: average.map(|average| average.error),
        })
    }
}

/// The times of all systems, a line each; of a single one also a histogram.
pub(super) fn told(all: &[LivenessChecked]) -> String {
    let mut text = String::new();
    for one in all {
        let Some(time) = &one.time else { continue };
        text += &format!("\n{} {}: ", one.protocol, one.scenario.name);
        match time {
            Ok(time) => text += &sentence(time),
            Err(why) => text += &format!("no time to be told: {why}\n"),
        }
        if let ([_], Ok(time)) = (all, time)
            && !time.exact.distribution.is_empty()
        {
            text += &histogram(&time.exact.distribution);
        }
    }
    text
}

fn sentence(time: &TimeToLeader) -> String {
    let TimeToLeader { question, exact, sampled, tick } = time;
    let what = match *question {
        "everybody-learns" => "all have learned the value",
        _ => "a leader stays",
    };
    let Some(mean) = exact.mean else { return format!("it never happens that {what}\n") };
    let mut text =
        format!("until {what}, {mean:.3} ticks of {} ms pass on average", tick.as_secs_f64() * 1e3);
    for (share, probability) in [("half", 0.5), ("90 %", 0.9), ("99 %", 0.99)] {
        if let Some(ticks) = exact.within(probability) {
            text += &format!("; in {share} of the runs at most {ticks}");
        }
    }
    if exact.probability < 1.0 {
        let percent = 100.0 * (1.0 - exact.probability);
        let share =
            if percent < 0.005 { "less than 0.01 %".into() } else { format!("{percent:.2} %") };
        text += &format!("; but in {share} of all runs it never happens");
    }
    text += "\n";
    if let Some(sampled) = sampled {
        text += &format!("  {} random walks: ", sampled.walks);
        text += &match sampled.average {
            None => "too few to say anything\n".to_string(),
            Some(average) => format!(
                "{:.3} ticks on average, give or take {:.3} (99.9 %): {}\n",
                average.mean,
                average.error,
                if average.may_be(mean) { "it agrees" } else { "it does NOT agree" }
            ),
        };
    }
    text
}

/// So wide is the longest bar.
const WIDEST: f64 = 50.0;
/// So many rows at most.
const MOST_ROWS: usize = 40;

fn histogram(distribution: &[f64]) -> String {
    let shown = distribution.iter().take(MOST_ROWS);
    let most = shown.clone().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut text = "  ticks\n".to_string();
    let rows: Vec<(usize, f64)> = shown.copied().enumerate().collect();
    let first = rows.iter().position(|(_, chance)| *chance > 0.0).unwrap_or(0);
    let last = rows.iter().rposition(|(_, chance)| *chance >= 5e-4).unwrap_or(first);
    for (ticks, chance) in &rows[first..=last.max(first)] {
        let bar = "\u{2588}".repeat((chance / most * WIDEST).round() as usize);
        text += format!("  {ticks:>5} {:>6.2} % {bar}", 100.0 * chance).trim_end();
        text += "\n";
    }
    let told: f64 =
        rows[..=last.max(first).min(rows.len() - 1)].iter().map(|(_, chance)| chance).sum();
    let rest = distribution.iter().sum::<f64>() - told;
    if rest >= 5e-5 {
        text += &format!("  later {:>6.2} %\n", 100.0 * rest);
    }
    text
}
