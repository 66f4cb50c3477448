//! A text of a drawing in its place, and the space that it takes.

use super::Diagram;
use super::measure::width;

/// The size of what follows a label.
pub(super) const SMALL: f64 = 11.0;
/// How much wider bold letters are.
pub(super) const BOLD: f64 = 1.09;

/// A text in its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    pub x: f64,
    /// The line on which it stands.
    pub y: f64,
    pub size: f64,
    pub anchor: Anchor,
    pub content: String,
    /// What follows in a fainter ink.
    pub aside: String,
    pub class: &'static str,
    /// The colour of the plate behind it, if it has one.
    pub plate: Option<Option<usize>>,
    /// The colour of the dot before it, if it has one.
    pub chip: Option<Option<usize>>,
    /// Whether lines may pass behind it, and it needs room around its letters.
    pub halo: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Left, top, right, bottom.
pub type Bounds = (f64, f64, f64, f64);

impl Text {
    pub(super) fn new(
        x: f64,
        y: f64,
        size: f64,
        anchor: Anchor,
        content: impl Into<String>,
    ) -> Self {
        Text {
            x,
            y,
            size,
            anchor,
            content: content.into(),
            aside: String::new(),
            class: "ink",
            plate: None,
            chip: None,
            halo: None,
        }
    }

    pub(super) fn of(self, class: &'static str) -> Self {
        Text { class, ..self }
    }

    /// The same text among lines, in this row.
    pub(super) fn among_lines(self, diagram: &Diagram, row: usize) -> Self {
        let is_bad = diagram.caption.is_violation && row == diagram.last();
        Text { halo: Some(if is_bad { "halo-bad" } else { "halo" }), ..self }
    }

    /// How wide it is, with all that belongs to it.
    pub(super) fn width(&self) -> f64 {
        let aside = if self.aside.is_empty() { 0.0 } else { width(&self.aside, SMALL) + 6.0 };
        let plate = if self.plate.is_some() { 14.0 } else { 0.0 };
        let chip = if self.chip.is_some() { 14.0 } else { 0.0 };
        let bold = if self.class.contains("bold") || self.class == "fault" { BOLD } else { 1.0 };
        width(&self.content, self.size) * bold + aside + plate + chip
    }

    /// Where it begins.
    pub(super) fn left(&self) -> f64 {
        match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - self.width() / 2.0,
            Anchor::End => self.x - self.width(),
        }
    }

    /// The space that it takes.
    pub(super) fn bounds(&self) -> Bounds {
        let left = self.left();
        (left, self.y - self.size * 0.86, left + self.width(), self.y + self.size * 0.26)
    }
}
