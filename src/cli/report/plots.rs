//! Small plots, as SVG. Where something stands from left to right is said in percent, and names
//! stand above their lines. So a plot is as wide as the page allows, and its letters stay as large
//! as they are.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::families::Family;
use super::gather::{Case, Chapter, Run, plural};
use super::parts::thousands;
use super::wait::Wait;

/// The space below the lines, for the axis.
const AXIS: usize = 44;

/// A place from left to right, between 0 and 1.
fn place(share: f64) -> String {
    format!("{:.2}%", 1.5 + share * 96.5)
}

/// The numbers of an axis up to the largest: at most ten of them.
fn numbers(largest: usize) -> impl Iterator<Item = usize> {
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    let step = steps.into_iter().find(|step| largest / step < 10).unwrap_or(1000);
    (0..=largest).step_by(step)
}

/// The numbers from left to right, and what they count.
fn axis(largest: usize, height: usize, unit: &str) -> Markup {
    let x = |n: usize| place(n as f64 / largest as f64);
    html! {
        @for n in numbers(largest) {
            line.grid x1=(x(n)) x2=(x(n)) y1="0" y2=(height - AXIS + 6) {}
            text.axis x=(x(n)) y=(height - 22) text-anchor="middle" { (n) }
        }
        text.axis x="100%" y=(height - 4) text-anchor="end" { (unit) }
    }
}

/// How long the counterexamples of planted bugs are: a dot for each run, a line for each protocol.
pub(super) fn lengths(chapters: &[Chapter]) -> Markup {
    let all: Vec<(&str, Vec<usize>)> =
        chapters.iter().map(|chapter| (chapter.about.title, planted(chapter))).collect();
    let longest = all.iter().flat_map(|(_, steps)| steps).copied().max().unwrap_or(1).max(1);
    let line = 58;
    let height = line * all.len() + AXIS;
    html! {
        svg.plot width="100%" height=(height) role="img"
            aria-label="How many steps the counterexamples of planted bugs have" {
            (axis(longest, height, "steps to the violation"))
            @for (i, (title, steps)) in all.iter().enumerate() {
                @let y = i * line + 38;
                text.name x="0" y=(y - 22) { (shortened(title)) }
                line.rule x1=(place(0.0)) x2=(place(1.0)) y1=(y) y2=(y) {}
                @for (n, count) in counted(steps) {
                    circle.dot cx=(place(n as f64 / longest as f64)) cy=(y) r=(radius(count)) {
                        title { (plural(count, "run")) " of " (plural(n, "step")) }
                    }
                }
            }
        }
    }
}

/// How many states there are at each depth, as hills: a line for each protocol, each hill as high
/// as the line allows.
pub(super) fn levels(all: &[(&Chapter, &Case)]) -> Markup {
    let deepest = all.iter().map(|(_, case)| case.levels.len() - 1).max().unwrap_or(1).max(1);
    let (line, hill) = (76, 46);
    let height = line * all.len() + AXIS;
    let slope = |levels: &[u64]| {
        let most = levels.iter().copied().max().unwrap_or(1).max(1);
        let y = |states: u64| 100.0 * (1.0 - states as f64 / most as f64);
        let tops = levels.iter().enumerate();
        let tops = tops.map(|(depth, states)| format!("L{depth} {:.1}", y(*states)));
        format!("M0 100{}L{} 100Z", tops.collect::<String>(), levels.len() - 1)
    };
    html! {
        svg.plot width="100%" height=(height) role="img"
            aria-label="How many states there are at each depth" {
            (axis(deepest, height, "steps from the start"))
            @for (i, (chapter, case)) in all.iter().enumerate() {
                @let foot = (i + 1) * line;
                text.name x="0" y=(foot - hill - 10) {
                    (shortened(chapter.about.title))
                    tspan.axis dx="8" { (thousands(case.levels.iter().sum())) " states" }
                }
                line.rule x1=(place(0.0)) x2=(place(1.0)) y1=(foot) y2=(foot) {}
                svg x=(place(0.0)) y=(foot - hill) width="96.5%" height=(hill)
                    viewBox={ "0 0 " (deepest) " 100" } preserveAspectRatio="none" {
                    path.hill d=(slope(&case.levels)) vector-effect="non-scaling-stroke" {}
                }
            }
        }
    }
}

/// How long it takes until a leader stays: a bar and a dot for each system.
pub(super) fn waits(all: &[(String, Wait)]) -> Markup {
    let longest = all.iter().map(|(_, wait)| wait.p99).max().unwrap_or(1).max(1);
    let x = |ticks: f64| place(ticks / longest as f64);
    let line = 42;
    let height = line * all.len() + AXIS;
    html! {
        svg.plot width="100%" height=(height) role="img"
            aria-label="How many ticks pass until a leader stays" {
            (axis(longest, height, "ticks"))
            @for (i, (name, wait)) in all.iter().enumerate() {
                @let y = i * line + 30;
                text.name x="0" y=(y - 12) { (name) }
                line.span x1=(x(wait.median as f64)) x2=(x(wait.p99 as f64)) y1=(y) y2=(y) {}
                circle.dot cx=(x(wait.mean)) cy=(y) r="5" { title { (said(wait)) } }
            }
        }
    }
}

/// How long it takes until a leader stays, by an option: a bar and a dot for each of its values.
pub(super) fn family(family: &Family<'_>) -> Markup {
    let all = &family.members;
    let longest = all.iter().map(|(_, wait)| wait.p99).max().unwrap_or(1).max(1);
    let largest = all.iter().map(|(value, _)| *value).max().unwrap_or(1).max(1) as f64;
    let (top, tall) = (30.0, 260.0);
    let y = |ticks: f64| top + tall * (1.0 - ticks / longest as f64);
    let x = |value: i64| format!("{:.2}%", 12.0 + 84.0 * value as f64 / largest);
    let means = all.iter().map(|(value, wait)| {
        format!("{:.2},{:.2} ", *value as f64 / largest * 100.0, y(wait.mean) - top)
    });
    let (means, foot) = (means.collect::<String>(), top + tall);
    html! {
        svg.plot width="100%" height=(foot + 46.0) role="img"
            aria-label={ "How many ticks pass until a leader stays, by " (family.option) } {
            @for ticks in numbers(longest) {
                line.grid x1="8%" x2="100%" y1=(y(ticks as f64)) y2=(y(ticks as f64)) {}
                text.axis x="0" y=(y(ticks as f64) + 4.0) { (ticks) }
            }
            text.axis x="0" y="12" { "ticks" }
            text.axis x="100%" y=(foot + 42.0) text-anchor="end" { (family.option) }
            svg x="12%" y=(top) width="84%" height=(tall) viewBox={ "0 0 100 " (tall) }
                preserveAspectRatio="none" {
                polyline.means points=(means.trim_end()) vector-effect="non-scaling-stroke" {}
            }
            @for (value, wait) in all {
                @let x = x(*value);
                line.span x1=(x) x2=(x) y1=(y(wait.median as f64)) y2=(y(wait.p99 as f64)) {}
                circle.dot cx=(x) cy=(y(wait.mean)) r="5" { title { (said(wait)) } }
                text.axis x=(x) y=(foot + 20.0) text-anchor="middle" { (value) }
            }
        }
    }
}

fn said(wait: &Wait) -> String {
    let Wait { mean, median, p99, .. } = wait;
    format!("{mean:.1} ticks on average, half of the runs within {median}, 99 % within {p99}")
}

/// The lengths of the counterexamples of planted bugs, in order.
pub(super) fn planted(chapter: &Chapter) -> Vec<usize> {
    let is_planted = |run: &&Run| run.bug.is_some() && run.caption.is_violation;
    let mut all: Vec<usize> = chapter.runs.iter().filter(is_planted).map(|run| run.steps).collect();
    all.sort_unstable();
    all
}

/// Each number with how often it occurs.
fn counted(all: &[usize]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    all.iter().for_each(|n| *counts.entry(*n).or_insert(0) += 1);
    counts
}

/// The area of a dot is that of its runs.
fn radius(count: usize) -> f64 {
    ((count as f64).sqrt() * 45.0).round() / 10.0
}

/// The start of a title, as far as there is room on a phone.
fn shortened(title: &str) -> String {
    let words = title.split([',', '(', ':']).next().unwrap_or(title).trim();
    match words.char_indices().nth(26) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words.to_string(),
    }
}

/// A bar as long as a run, beside the others of a table.
pub(super) fn bar(steps: usize, longest: usize) -> Markup {
    let width = (steps as f64 / longest.max(1) as f64 * 1000.0).round() / 10.0;
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect x="0" y="0" width=(width) height="8" rx="1" {}
        }
    }
}
