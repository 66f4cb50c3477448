//! Where things stand in a picture, for those who want to know whether it can be read.

use super::Diagram;
use super::plan::Plan;
pub use super::text::Bounds;

/// Places in a picture, in its own units; `y` grows downwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The width and the height of the picture.
    pub size: (f64, f64),
    /// Each text with the space that it takes.
    pub texts: Vec<(String, Bounds)>,
    /// The line of each row.
    pub rows: Vec<f64>,
    /// Top and bottom of each stretch of a lane, in the order of [`Diagram::stretches`].
    pub bars: Vec<(f64, f64)>,
}

impl Layout {
    /// How this diagram is laid out as SVG.
    pub fn new(diagram: &Diagram) -> Self {
        let plan = Plan::new(diagram);
        Layout {
            size: (plan.width, plan.height),
            texts: plan.texts.iter().map(|text| (text.content.clone(), text.bounds())).collect(),
            rows: plan.bands.iter().map(|band| band.y).collect(),
            bars: diagram.stretches.iter().map(|bar| plan.span(diagram, bar)).collect(),
        }
    }
}
