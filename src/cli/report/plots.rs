//! Small plots, as SVG.

use maud::{Markup, html};

use super::families::Family;
use super::gather::{Case, Chapter, Run, Wait, plural};
use super::parts::thousands;

/// How long the counterexamples of planted bugs are: a dot for each run, a line for each protocol.
pub(super) fn lengths(chapters: &[Chapter]) -> Markup {
    let all: Vec<(&str, Vec<usize>)> =
        chapters.iter().map(|chapter| (chapter.about.title, planted(chapter))).collect();
    let longest = all.iter().flat_map(|(_, steps)| steps).copied().max().unwrap_or(1).max(1);
    let (left, width, line) = (180, 680, 34);
    let scale = (width - left - 24) as f64 / longest as f64;
    let x = |steps: usize| left as f64 + steps as f64 * scale;
    let height = line * all.len() + 44;
    let stride = if longest > 40 { 10 } else { 5 };
    html! {
        svg.plot viewBox={ "0 0 " (width) " " (height) } role="img"
            aria-label="How many steps the counterexamples of planted bugs have" {
            @for steps in (0..=longest).step_by(stride) {
                line.grid x1=(x(steps)) x2=(x(steps)) y1="6" y2=(height - 36) {}
                text.axis x=(x(steps)) y=(height - 18) text-anchor="middle" { (steps) }
            }
            text.axis x=(width - 24) y=(height - 2) text-anchor="end" { "steps to the violation" }
            @for (i, (title, steps)) in all.iter().enumerate() {
                @let y = i * line + line / 2 + 6;
                text.name x="0" y=(y + 4) { (shortened(title)) }
                line.rule x1=(left) x2=(width - 24) y1=(y) y2=(y) {}
                @for (n, count) in counted(steps) {
                    circle.dot cx=(x(n)) cy=(y) r=(radius(count)) {
                        title { (plural(count, "run")) " of " (plural(n, "step")) }
                    }
                }
            }
        }
    }
}

/// How long it takes until a leader stays: a bar and a dot for each system.
pub(super) fn waits(all: &[(String, Wait)]) -> Markup {
    let longest = all.iter().map(|(_, wait)| wait.p99).max().unwrap_or(1).max(1);
    let (left, width, line) = (250, 680, 26);
    let scale = f64::from(width - left - 24) / longest as f64;
    let x = |ticks: f64| f64::from(left) + ticks * scale;
    let height = line * all.len() + 44;
    let stride = (longest / 60 + 1) * 10;
    html! {
        svg.plot viewBox={ "0 0 " (width) " " (height) } role="img"
            aria-label="How many ticks pass until a leader stays" {
            @for ticks in (0..=longest).step_by(stride) {
                line.grid x1=(x(ticks as f64)) x2=(x(ticks as f64)) y1="6" y2=(height - 36) {}
                text.axis x=(x(ticks as f64)) y=(height - 18) text-anchor="middle" { (ticks) }
            }
            text.axis x=(width - 24) y=(height - 2) text-anchor="end" { "ticks" }
            @for (i, (name, wait)) in all.iter().enumerate() {
                @let y = i * line + line / 2 + 6;
                text.name x="0" y=(y + 4) { (name) }
                line.span x1=(x(wait.median as f64)) x2=(x(wait.p99 as f64)) y1=(y) y2=(y) {}
                circle.dot cx=(x(wait.mean)) cy=(y) r="5" {
                    title {
                        (format!("{:.1}", wait.mean)) " ticks on average, half of the runs within "
                        (wait.median) ", 99 % within " (wait.p99)
                    }
                }
            }
        }
    }
}

/// How many states there are at each depth, as hills: a line for each protocol, each hill as high as
/// the line allows.
pub(super) fn levels(all: &[(&Chapter, &Case)]) -> Markup {
    let deepest = all.iter().map(|(_, case)| case.levels.len() - 1).max().unwrap_or(1).max(1);
    let (left, width, line) = (180, 680, 60);
    let scale = (width - left - 24) as f64 / deepest as f64;
    let x = |depth: usize| left as f64 + depth as f64 * scale;
    let height = line * all.len() + 52;
    let hill = |levels: &[u64], foot: f64| {
        let most = levels.iter().copied().max().unwrap_or(1).max(1);
        let y = |states: u64| foot - states as f64 / most as f64 * (line as f64 - 14.0);
        let tops = levels.iter().enumerate();
        let tops = tops.map(|(depth, states)| format!("L{:.1} {:.1}", x(depth), y(*states)));
        let (last, tops) = (x(levels.len() - 1), tops.collect::<String>());
        format!("M{:.1} {foot:.1}{tops}L{last:.1} {foot:.1}Z", x(0))
    };
    html! {
        svg.plot viewBox={ "0 0 " (width) " " (height) } role="img"
            aria-label="How many states there are at each depth" {
            @for steps in (0..=deepest).step_by(if deepest > 40 { 10 } else { 5 }) {
                line.grid x1=(x(steps)) x2=(x(steps)) y1="6" y2=(height - 40) {}
                text.axis x=(x(steps)) y=(height - 22) text-anchor="middle" { (steps) }
            }
            text.axis x=(width - 24) y=(height - 4) text-anchor="end" { "steps from the start" }
            @for (i, (chapter, case)) in all.iter().enumerate() {
                @let foot = ((i + 1) * line) as f64;
                text.name x="0" y=(foot - 22.0) {
                    (shortened(chapter.about.title))
                }
                text.axis x="0" y=(foot - 5.0) {
                    (thousands(case.levels.iter().sum())) " states"
                }
                line.rule x1=(left) x2=(width - 24) y1=(foot) y2=(foot) {}
                path.hill d=(hill(&case.levels, foot)) {}
            }
        }
    }
}

/// How long it takes until a leader stays, by an option: a bar and a dot for each of its values.
pub(super) fn family(family: &Family<'_>) -> Markup {
    let all = &family.members;
    let longest = all.iter().map(|(_, wait)| wait.p99).max().unwrap_or(1).max(1);
    let largest = all.iter().map(|(value, _)| *value).max().unwrap_or(1).max(1);
    let (left, width, top, bottom) = (56.0, 680.0, 20.0, 300.0);
    let x = |value: i64| left + 24.0 + value as f64 / largest as f64 * (width - left - 48.0);
    let y = |ticks: f64| bottom - ticks / longest as f64 * (bottom - top);
    let stride = [5, 10, 20, 50, 100, 200, 500].into_iter().find(|n| longest / n <= 6);
    let line = all.iter().map(|(value, wait)| format!("{:.1},{:.1} ", x(*value), y(wait.mean)));
    let line = line.collect::<String>();
    html! {
        svg.plot viewBox={ "0 0 " (width) " " (bottom + 52.0) } role="img"
            aria-label={ "How many ticks pass until a leader stays, by " (family.option) } {
            @for ticks in (0..=longest).step_by(stride.unwrap_or(1000)) {
                line.grid x1=(left) x2=(width) y1=(y(ticks as f64)) y2=(y(ticks as f64)) {}
                text.axis x=(left - 10.0) y=(y(ticks as f64) + 4.0) text-anchor="end" { (ticks) }
            }
            text.axis x=(left - 10.0) y="10" text-anchor="end" { "ticks" }
            text.axis x=(width) y=(bottom + 46.0) text-anchor="end" { (family.option) }
            polyline.means points=(line.trim_end()) {}
            @for (value, wait) in all {
                @let (x, mean) = (x(*value), y(wait.mean));
                line.span x1=(x) x2=(x) y1=(y(wait.median as f64)) y2=(y(wait.p99 as f64)) {}
                circle.dot cx=(x) cy=(mean) r="5" {}
                text.axis x=(x) y=(bottom + 20.0) text-anchor="middle" { (value) }
            }
        }
    }
}

/// The lengths of the counterexamples of planted bugs, in order.
pub(super) fn planted(chapter: &Chapter) -> Vec<usize> {
    let is_planted = |run: &&Run| run.bug.is_some() && run.caption.is_violation;
    let mut all: Vec<usize> = chapter.runs.iter().filter(is_planted).map(|run| run.steps).collect();
    all.sort_unstable();
    all
}

/// Each number with how often it occurs.
fn counted(all: &[usize]) -> Vec<(usize, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    all.iter().for_each(|n| *counts.entry(*n).or_insert(0) += 1);
    counts.into_iter().collect()
}

/// The area of a dot is that of its runs.
fn radius(count: usize) -> f64 {
    ((count as f64).sqrt() * 45.0).round() / 10.0
}

/// The start of a title, as far as there is room.
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
