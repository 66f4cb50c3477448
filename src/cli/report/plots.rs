//! Small plots, as SVG.

use maud::{Markup, html};

use super::gather::{Chapter, Run, Wait, plural};

/// How long the counterexamples of planted bugs are: a dot for each run, a line for each protocol.
pub(super) fn lengths(chapters: &[Chapter]) -> Markup {
    let planted = |chapter: &Chapter| -> Vec<usize> {
        let runs = chapter.runs.iter().filter(|run| is_planted(run));
        runs.map(|run| run.steps).collect()
    };
    let all: Vec<(&str, Vec<usize>)> =
        chapters.iter().map(|chapter| (chapter.about.title, planted(chapter))).collect();
    let longest = all.iter().flat_map(|(_, steps)| steps).copied().max().unwrap_or(1).max(1);
    let (left, width, line) = (190, 680, 38);
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
                text.name x=(left - 18) y=(y + 4) text-anchor="end" { (shortened(title)) }
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

/// How long it takes until a leader stays: a bar and a dot for each system that starts cold.
pub(super) fn waits(chapters: &[Chapter]) -> Markup {
    let systems = chapters.iter().flat_map(|chapter| {
        let waits = chapter.systems.iter().filter_map(|live| Some((live, live.wait?)));
        waits.map(|(live, wait)| (format!("{}: {}", chapter.about.name, live.scenario.name), wait))
    });
    let all: Vec<(String, Wait)> = systems.collect();
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
                text.name x=(left - 18) y=(y + 4) text-anchor="end" { (name) }
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

fn is_planted(run: &Run) -> bool {
    run.bug.is_some() && run.caption.is_violation
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
