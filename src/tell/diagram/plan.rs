//! Where everything in a drawn diagram stands.
//!
//! Each step has a row to itself, and whatever is written about a step stands within its row. So
//! texts of different steps cannot overlap. Within a row the label stands above the middle on the
//! side that no message comes from, and what is said about messages that never arrive below it.

use std::collections::{BTreeMap, BTreeSet};

use super::Diagram;
use super::courses::{Arrow, End};
use super::labels::{LABEL, Label, STORY, STORY_WIDTH, Side};
use super::lanes::{Condition, Stretch};
use super::legend::{self, Symbol};
use super::measure::{fit, wrap};
use super::text::{Anchor, BOLD, Bounds, SMALL, Text};
use crate::semantics::StepKind;

/// The size of the title.
pub(super) const TITLE: f64 = 18.0;

const MARGIN: f64 = 24.0;
const LINE: f64 = 17.0;
/// How far from its lane a label stands.
const ASIDE: f64 = 14.0;
/// How far along its way a message gets that is lost.
const LOST_AT: f64 = 0.6;

/// A row in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    pub top: f64,
    /// Where the step stands.
    pub y: f64,
    pub bottom: f64,
}

/// A message that never arrives, or several to the same side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stub {
    pub from: (f64, f64),
    pub to: (f64, f64),
    pub colour: Option<usize>,
    pub title: String,
}

/// A message that arrives or is lost.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub from: (f64, f64),
    pub to: (f64, f64),
    /// How far it is bent aside, so as not to pass through a step on another lane.
    pub bend: f64,
    pub is_lost: bool,
    pub colour: Option<usize>,
    pub title: String,
    pub sent: usize,
}

/// A whole drawing.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub width: f64,
    pub height: f64,
    /// Where the lanes are.
    pub lanes: Vec<f64>,
    pub spacing: f64,
    /// The left and right edge of the lanes with their labels.
    pub field: (f64, f64),
    pub bands: Vec<Band>,
    pub texts: Vec<Text>,
    pub lines: Vec<Line>,
    pub stubs: Vec<Stub>,
    /// The symbols of the legend, each with the left end of its middle line.
    pub symbols: Vec<(Symbol, (f64, f64))>,
    /// The lines of the end, with their box.
    pub end: Option<Bounds>,
    /// Whether it has only the lanes: what is told stands elsewhere.
    is_bare: bool,
}

impl Plan {
    pub(super) fn new(diagram: &Diagram) -> Self {
        let labels: Vec<Label> = (0..diagram.rows.len()).map(|i| Label::new(diagram, i)).collect();
        let mut plan = Plan::with_lanes(diagram, &labels);
        plan.write_head(diagram);
        plan.place_rows(diagram, &labels);
        plan.write_rows(diagram, &labels);
        plan.draw_messages(diagram);
        plan.write_end(diagram);
        plan.write_legend(diagram);
        plan
    }

    /// The lanes alone, for a page that tells the rest.
    pub(super) fn bare(diagram: &Diagram) -> Self {
        let label = |i| Label { told: Vec::new(), ..Label::new(diagram, i) };
        let labels: Vec<Label> = (0..diagram.rows.len()).map(label).collect();
        let mut plan = Plan { is_bare: true, ..Plan::with_lanes(diagram, &labels) };
        plan.width = plan.field.1 + MARGIN + 10.0;
        plan.height = 12.0;
        plan.place_rows(diagram, &labels);
        plan.write_rows(diagram, &labels);
        plan.draw_messages(diagram);
        plan.height += 8.0;
        plan
    }

    /// Lanes are as far from each other as the widest label needs.
    fn with_lanes(diagram: &Diagram, labels: &[Label]) -> Self {
        let widest = |is_it: &dyn Fn(&Label) -> bool| {
            let widths = labels.iter().filter(|label| is_it(label)).map(Label::width);
            widths.fold(0.0, f64::max)
        };
        let all = widest(&|_| true);
        let spacing = (all + ASIDE + 26.0).clamp(120.0, 270.0);
        let last = diagram.lanes.len() - 1;
        let before = widest(&|label| label.at == Some((0, Side::Left))) + ASIDE;
        let after = widest(&|label| label.at == Some((last, Side::Right))) + ASIDE;
        let left = MARGIN + if diagram.cycle.is_some() { 34.0 } else { 0.0 } + 34.0;
        let first = left + before.max(46.0);
        let lanes: Vec<f64> = (0..=last).map(|i| first + i as f64 * spacing).collect();
        let right = lanes[last] + after.max(46.0);
        Plan {
            width: right + 34.0 + STORY_WIDTH + MARGIN,
            height: 0.0,
            lanes,
            spacing,
            field: (left, right),
            bands: Vec::new(),
            texts: Vec::new(),
            lines: Vec::new(),
            stubs: Vec::new(),
            symbols: Vec::new(),
            end: None,
            is_bare: false,
        }
    }

    fn write_head(&mut self, diagram: &Diagram) {
        let caption = &diagram.caption;
        let most = self.width - 2.0 * MARGIN;
        let title = fit(&caption.title, TITLE * BOLD, most);
        self.texts.push(Text::new(MARGIN, 38.0, TITLE, Anchor::Start, title).of("ink bold"));
        self.height = 48.0;
        let shows = if caption.is_violation { "fault" } else { "ink bold" };
        for (text, class) in [(&caption.shows, shows), (&caption.meaning, "muted")] {
            for line in wrap(text, STORY * BOLD, most) {
                self.height += 18.0;
                let text = Text::new(MARGIN, self.height, STORY, Anchor::Start, line);
                self.texts.push(text.of(class));
            }
        }
        self.height += 22.0;
    }

    fn name_lanes(&mut self, diagram: &Diagram) {
        for (name, x) in diagram.lanes.iter().zip(self.lanes.clone()) {
            let text = Text::new(x, self.height + 17.0, LABEL, Anchor::Middle, name);
            self.texts.push(text.of("ink bold lane-name"));
        }
        self.height += 26.0;
    }

    fn place_rows(&mut self, diagram: &Diagram, labels: &[Label]) {
        self.name_lanes(diagram);
        for (i, label) in labels.iter().enumerate() {
            if Some(i) == diagram.checked_from {
                self.height += 24.0;
            }
            let told = label.told.len() as f64 * LINE;
            let mut above = (label.lines.len() as f64 * LINE + 10.0).max(told / 2.0 + 7.0);
            let mut below = f64::max(14.0, told / 2.0 + 7.0);
            match diagram.rows[i].kind {
                Some(StepKind::Tick) => {
                    above = f64::max(14.0, told / 2.0 + 5.0)
                        + lost_in(diagram, i).count() as f64 * LINE;
                    below = f64::max(10.0, told / 2.0 + 5.0);
                }
                Some(StepKind::Switch | StepKind::Stabilise) => (above, below) = (20.0, 20.0),
                Some(StepKind::Lose | StepKind::Duplicate) => {
                    above = f64::max(16.0, told / 2.0 + 7.0);
                    below = f64::max(30.0, told / 2.0 + 7.0);
                }
                _ => {}
            }
            if unheard(diagram, i).next().is_some() {
                below = below.max(28.0);
            }
            if diagram.rows[i].is_hidden {
                (above, below) = (0.0, 0.0);
            }
            let top = self.height;
            self.bands.push(Band { top, y: top + above, bottom: top + above + below });
            self.height = top + above + below;
        }
        self.height += 10.0;
        if diagram.rows.len() > 16 {
            self.name_lanes(diagram);
        }
    }

    fn write_rows(&mut self, diagram: &Diagram, labels: &[Label]) {
        let told_at = self.field.1 + 34.0;
        for (i, label) in labels.iter().enumerate() {
            let (band, row) = (self.bands[i], &diagram.rows[i]);
            if row.is_hidden {
                continue;
            }
            let number = Text::new(self.field.0 - 12.0, band.y + 4.0, SMALL, Anchor::End, "");
            let number = Text { content: row.number.clone(), ..number };
            if !number.content.is_empty() {
                self.texts.push(number.of("muted"));
            }
            let first = band.y + 4.5 - (label.told.len() as f64 - 1.0) * LINE / 2.0;
            for (line, text) in label.told.iter().enumerate() {
                let y = first + line as f64 * LINE;
                let class = if row.kind == Some(StepKind::Tick) { "muted" } else { "ink" };
                self.texts.push(Text::new(told_at, y, STORY, Anchor::Start, text).of(class));
            }
            if Some(i) == diagram.checked_from && !self.is_bare {
                let text = "checked from here: all above only leads to the start";
                let text = Text::new(told_at, band.top - 8.0, SMALL, Anchor::Start, text);
                self.texts.push(text.of("muted bold"));
            }
            if i == 0 {
                self.write_first_leaders(diagram);
            }
            self.write_label(diagram, i, label);
            self.write_unheard(diagram, i);
        }
    }

    /// Who leads from the start.
    fn write_first_leaders(&mut self, diagram: &Diagram) {
        for stretch in diagram.stretches.iter().filter(|stretch| stretch.from == 0) {
            let Condition::Leads(term) = stretch.condition else { continue };
            let name = diagram.term_name(Some(term)).map(|name| format!(" {name}"));
            let text = format!("leads{}", name.unwrap_or_default());
            let (x, y) = (self.lanes[stretch.lane] + ASIDE, self.bands[0].y + 4.5);
            let text = Text::new(x, y, SMALL, Anchor::Start, text).of("bold");
            self.texts.push(Text { plate: Some(diagram.colour(Some(term))), ..text });
        }
    }

    fn write_label(&mut self, diagram: &Diagram, i: usize, label: &Label) {
        let band = self.bands[i];
        match (label.at, diagram.rows[i].kind) {
            (Some((lane, side)), _) => {
                let lines = label.lines.len() as f64;
                for (line, text) in label.lines.iter().enumerate() {
                    let y = band.y - 7.0 - (lines - 1.0 - line as f64) * LINE;
                    let (x, anchor) = match side {
                        Side::Left => (self.lanes[lane] - ASIDE, Anchor::End),
                        Side::Right => (self.lanes[lane] + ASIDE, Anchor::Start),
                    };
                    let text = Text { x, y, anchor, ..text.clone() };
                    self.texts.push(text.among_lines(diagram, i));
                }
            }
            (None, Some(StepKind::Lose | StepKind::Duplicate)) => {
                let (src, dst) = diagram.rows[i].between.unwrap_or_default();
                let x = self.lost_at(src, dst);
                let text = label.lines[0].clone();
                let text = Text { x, y: band.y + 20.0, anchor: Anchor::Middle, ..text };
                self.texts.push(text.among_lines(diagram, i));
            }
            (None, Some(StepKind::Switch | StepKind::Stabilise)) => {
                let x = (self.field.0 + self.field.1) / 2.0;
                let text = label.lines[0].clone();
                let text = Text { x, y: band.y + 4.5, anchor: Anchor::Middle, ..text };
                self.texts.push(text.of("fault lane-name"));
            }
            _ => {}
        }
    }

    /// Where a message is lost.
    fn lost_at(&self, src: usize, dst: usize) -> f64 {
        let (src, dst) = (self.lanes[src], self.lanes[dst]);
        src + (dst - src) * LOST_AT.min(1.0 - 0.4 * self.spacing / (dst - src).abs().max(1.0))
    }

    /// The messages of a step that nobody receives: one stub to each side.
    fn write_unheard(&mut self, diagram: &Diagram, i: usize) {
        for is_right in [false, true] {
            let here = |arrow: &&Arrow| (arrow.dst > arrow.src) == is_right;
            let arrows: Vec<&Arrow> = unheard(diagram, i).filter(here).collect();
            let Some(first) = arrows.first() else { continue };
            let mut to: BTreeMap<usize, usize> = BTreeMap::new();
            arrows.iter().for_each(|arrow| *to.entry(arrow.dst).or_default() += 1);
            let name = |(&dst, &copies): (&usize, &usize)| match copies {
                1 => diagram.lanes[dst].clone(),
                _ => format!("{} ×{copies}", diagram.lanes[dst]),
            };
            let names: Vec<String> = to.iter().map(name).collect();
            let (x, y) = (self.lanes[first.src], self.bands[i].y);
            let (side, anchor) = if is_right { (1.0, Anchor::Start) } else { (-1.0, Anchor::End) };
            let end = (x + side * 30.0, y + 17.0);
            let text = Text::new(end.0 + side * 8.0, end.1 + 4.0, SMALL, anchor, names.join(" "));
            self.texts.push(text.of("muted").among_lines(diagram, i));
            let texts: BTreeSet<&str> = arrows.iter().map(|arrow| arrow.text.as_str()).collect();
            let texts: Vec<&str> = texts.into_iter().collect();
            let (from, colour) = ((x, y), diagram.colour(first.term));
            let title = format!("{}: not received in this run", texts.join("; "));
            self.stubs.push(Stub { from, to: end, colour, title });
        }
    }

    fn draw_messages(&mut self, diagram: &Diagram) {
        for arrow in &diagram.arrows {
            let from = (self.lanes[arrow.src], self.bands[arrow.sent].y);
            let (to, is_lost) = match arrow.end {
                End::Delivered(row) => ((self.lanes[arrow.dst], self.bands[row].y), false),
                End::Lost(row) => {
                    let band = self.bands[row];
                    let is_tick = diagram.rows[row].kind == Some(StepKind::Tick);
                    let at = lost_in(diagram, row).position(|other| std::ptr::eq(other, arrow));
                    let below = at.unwrap_or(0) as f64 * LINE;
                    let y = if is_tick { band.top + 10.0 + below } else { band.y };
                    if is_tick {
                        let x = self.lost_at(arrow.src, arrow.dst) + 10.0;
                        let text = Text::new(x, y + 4.0, SMALL, Anchor::Start, &arrow.label);
                        self.texts.push(text.of("muted").among_lines(diagram, row));
                    }
                    ((self.lost_at(arrow.src, arrow.dst), y), true)
                }
                End::Open => continue,
            };
            let colour = diagram.colour(arrow.term);
            let title = arrow.text.clone();
            let bend = self.bend(diagram, arrow, from, to);
            self.lines.push(Line { from, to, bend, is_lost, colour, title, sent: arrow.sent });
        }
    }

    /// A message that would pass through a step on another lane goes around it.
    fn bend(&self, diagram: &Diagram, arrow: &Arrow, from: (f64, f64), to: (f64, f64)) -> f64 {
        let (low, high) = (arrow.src.min(arrow.dst), arrow.src.max(arrow.dst));
        let is_near = |row: &usize| {
            let Some(lane) = diagram.rows[*row].lane else { return false };
            let part = (self.lanes[lane] - from.0) / (to.0 - from.0);
            let y = from.1 + part * (to.1 - from.1);
            low < lane && lane < high && (y - self.bands[*row].y).abs() < 11.0
        };
        let near = (0..diagram.rows.len()).find(is_near);
        near.map_or(0.0, |_| 30.0)
    }

    fn write_end(&mut self, diagram: &Diagram) {
        let caption = &diagram.caption;
        if caption.why.is_empty() {
            return;
        }
        let top = self.height + 14.0;
        let most = self.width - 2.0 * MARGIN - 40.0;
        self.height = top + 8.0;
        for line in wrap(&caption.why, (STORY + 1.0) * BOLD, most) {
            self.height += 20.0;
            let x = MARGIN + 20.0;
            let text = Text::new(x, self.height, STORY + 1.0, Anchor::Start, line);
            self.texts.push(text.of("ink bold"));
        }
        self.height += 16.0;
        self.end = Some((MARGIN, top, self.width - MARGIN, self.height));
    }

    fn write_legend(&mut self, diagram: &Diagram) {
        let mut x = MARGIN;
        self.height += 26.0;
        let mut was_term = true;
        for (symbol, words) in legend::items(diagram) {
            let text = Text::new(0.0, 0.0, SMALL, Anchor::Start, words).of("muted");
            let width = symbol.width() + text.width();
            let is_term = matches!(symbol, Symbol::Term(_));
            let is_full = x + width > self.width - MARGIN || is_term != was_term;
            if is_full && x > MARGIN {
                (x, self.height) = (MARGIN, self.height + LINE + 4.0);
            }
            self.texts.push(Text { x: x + symbol.width(), y: self.height, ..text });
            self.symbols.push((symbol, (x, self.height - 4.0)));
            x += width + 20.0;
            was_term = is_term;
        }
        self.height += 26.0;
    }

    /// From where to where the line of a stretch goes. The last one goes on to the end.
    pub(super) fn span(&self, diagram: &Diagram, stretch: &Stretch) -> (f64, f64) {
        let y = |row: usize| self.bands[row].y;
        let top = if stretch.from == 0 { self.bands[0].top } else { y(stretch.from) };
        let is_next = |next: &Stretch| next.lane == stretch.lane && next.from > stretch.from;
        match diagram.stretches.iter().any(is_next) {
            true => (top, y(stretch.to)),
            false => (top, self.end_of_lanes()),
        }
    }

    /// Where the lanes end.
    pub(super) fn end_of_lanes(&self) -> f64 {
        self.bands.last().map_or(0.0, |band| band.bottom + 6.0)
    }
}

/// The messages that are lost in a row.
fn lost_in(diagram: &Diagram, row: usize) -> impl Iterator<Item = &Arrow> {
    diagram.arrows.iter().filter(move |arrow| arrow.end == End::Lost(row))
}

/// The messages that a row sends and nobody receives.
fn unheard(diagram: &Diagram, row: usize) -> impl Iterator<Item = &Arrow> {
    diagram.arrows.iter().filter(move |arrow| arrow.sent == row && arrow.end == End::Open)
}
