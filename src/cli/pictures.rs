//! Pictures of a run: which files are asked for, and what is written beside a picture.

use clap::Args;

use crate::cli::output::{self, Named};
use crate::run::trace::{Cycle, Trace};
use crate::tell::diagram::svg::{self, Theme};
use crate::tell::diagram::{Caption, Diagram};
use crate::tell::scene::Scene;

/// The pictures that are asked for.
#[derive(Args)]
pub(super) struct Pictures {
    /// Draw the run as a space-time diagram, SVG
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<String>,
    /// The colours of the SVG; `auto`: as the reader's system is set
    #[arg(long, value_enum, default_value_t = Theme::Auto, requires = "svg")]
    theme: Theme,
}

impl Pictures {
    /// The files that are written, each with its flag.
    pub(super) fn outputs(&self) -> impl Iterator<Item = Named<'_>> {
        [("--svg", &self.svg)].into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?)))
    }

    /// Writes them.
    pub(super) fn write(&self, scene: &Scene, caption: &Caption) {
        if let Some(path) = &self.svg {
            let diagram = Diagram::new(scene, caption.clone());
            output::write(path, &svg::draw(&diagram, self.theme));
        }
    }
}

/// What is written beside a picture of a saved run.
pub(super) fn caption(
    protocol: &str,
    trace: &Trace,
    meaning: &str,
    is_violation: bool,
) -> Caption {
    let Trace { scenario, property, why, .. } = trace;
    let goes_on = trace.cycle.map(|Cycle { after, steps }| {
        let (first, last) = (after + 1, after + steps);
        format!("Steps {first} to {last} are taken again and again, with later terms where they grow")
    });
    let shows = match is_violation {
        true => format!("{property} is violated"),
        false => format!("{property}: {why}"),
    };
    Caption {
        title: format!("{protocol}: {}", scenario.name),
        shows,
        why: if is_violation { why.clone() } else { goes_on.unwrap_or_default() },
        meaning: meaning.to_string(),
        is_violation,
    }
}
