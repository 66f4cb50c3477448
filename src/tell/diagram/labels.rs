//! What is written about each step, and on which side of its lane.

use super::courses::{Arrow, End};
use super::measure::{fit, wrap};
use super::text::{Anchor, SMALL, Text};
use super::{Diagram, Row};
use crate::semantics::StepKind;

/// Sizes of texts.
pub(super) const LABEL: f64 = 12.5;
pub(super) const STORY: f64 = 13.0;
/// How wide the column is in which the run is told.
pub(super) const STORY_WIDTH: f64 = 400.0;

/// On which side of a lane a label stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// What is written about a step.
pub(super) struct Label {
    pub at: Option<(usize, Side)>,
    /// From top to bottom, without their places.
    pub lines: Vec<Text>,
    pub told: Vec<String>,
}

impl Label {
    pub(super) fn new(diagram: &Diagram, i: usize) -> Self {
        let row = &diagram.rows[i];
        let arrived = diagram.arrows.iter().find(|arrow| arrow.end == End::Delivered(i));
        let most = if row.lane.is_some() { 230.0 } else { 420.0 };
        let text = Text::new(0.0, 0.0, LABEL, Anchor::Start, fit(&row.label, LABEL, most));
        let class = match row.kind {
            Some(kind) if is_fault(kind) => "fault",
            _ => "ink",
        };
        let aside = arrived.and_then(|arrow| diagram.term_name(arrow.term)).unwrap_or_default();
        let aside = if diagram.colour(arrived.and_then(|a| a.term)).is_some() { aside } else { "" };
        let mut lines = vec![Text { aside: aside.to_string(), ..text.of(class) }];
        if row.label.is_empty() {
            lines.clear();
        }
        for note in &row.notes {
            let colour = note.term.map(|term| diagram.colour(Some(term)));
            let text = Text::new(0.0, 0.0, SMALL, Anchor::Start, &note.text);
            lines.push(match note.leads {
                true => Text { plate: colour, ..text.of("bold") },
                false => Text { chip: colour, ..text },
            });
        }
        let told = wrap(&told(row), STORY, STORY_WIDTH);
        let at = row.lane.map(|lane| (lane, side(diagram, lane, arrived)));
        Label { at, lines, told }
    }

    pub(super) fn width(&self) -> f64 {
        let lines = if self.at.is_some() { &self.lines[..] } else { &[] };
        lines.iter().map(Text::width).fold(0.0, f64::max)
    }
}

/// What stands beside a row.
fn told(row: &Row) -> String {
    let is_silent = row.kind == Some(StepKind::Tick) && row.told.starts_with("Time passes");
    let is_silent = is_silent && !row.told.contains("lost");
    if is_silent { row.label.clone() } else { row.told.clone() }
}

/// The side of a lane from which no message comes; otherwise the outer one.
fn side(diagram: &Diagram, lane: usize, arrived: Option<&Arrow>) -> Side {
    match arrived.map(|arrow| arrow.src.cmp(&lane)) {
        Some(std::cmp::Ordering::Less) => Side::Right,
        Some(std::cmp::Ordering::Greater) => Side::Left,
        _ if lane == 0 && diagram.lanes.len() > 1 => Side::Left,
        _ => Side::Right,
    }
}

/// Whether a step of this kind comes from the world around the nodes, and not from a handler.
pub(super) fn is_fault(kind: StepKind) -> bool {
    matches!(
        kind,
        StepKind::Crash
            | StepKind::Torn
            | StepKind::Lose
            | StepKind::Duplicate
            | StepKind::Switch
            | StepKind::Restart
            | StepKind::RestartWithOlderDisk
            | StepKind::RestartWithoutDisk
    )
}
