//! Pictures of a run: which files are asked for, what is written beside a picture, and the picture
//! that a terminal shows.

use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{Ansi256Color, Style};
use clap::Args;

use crate::cli::output::{self, Named};
use crate::liveness::Asked;
use crate::run::trace::{Cycle, Trace};
use crate::tell::diagram::svg::{self, Theme};
use crate::tell::diagram::{Caption, Diagram, terminal};
use crate::tell::mermaid;
use crate::tell::scene::Scene;

/// How wide a picture is that goes to no terminal.
const WIDTH: usize = 100;
/// The colours of terms on a terminal: the nearest to those of Okabe and Ito that it has.
const COLOURS: [u8; 6] = [32, 214, 36, 175, 74, 227];

/// The pictures that are asked for.
#[derive(Args)]
pub(super) struct Pictures {
    /// Draw the run as a space-time diagram, SVG; of several runs, the first that shows a violation
    /// or an answer; `-` is standard output
    #[arg(long, value_name = "FILE.svg|-")]
    svg: Option<String>,
    /// The colours of the SVG; `auto`: as the reader's system is set
    #[arg(long, value_enum, default_value_t = Theme::Auto, requires = "svg")]
    theme: Theme,
    /// Draw the same run as a sequence diagram of Mermaid, for Markdown; `-` is standard output
    #[arg(long, value_name = "FILE.mmd|-")]
    mermaid: Option<String>,
}

impl Pictures {
    /// The files that are written, each with its flag.
    pub(super) fn outputs(&self) -> impl Iterator<Item = Named<'_>> {
        let all = [("--svg", &self.svg), ("--mermaid", &self.mermaid)];
        all.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?)))
    }

    /// Writes them.
    pub(super) fn write(&self, scene: &Scene, caption: &Caption) {
        if let Some(path) = &self.svg {
            let diagram = Diagram::new(scene, caption.clone());
            output::write(path, &svg::draw(&diagram, self.theme));
        }
        if let Some(path) = &self.mermaid {
            output::write(path, &mermaid::export(scene, caption));
        }
    }

    /// Without a run to show, removes the pictures of an earlier one: they could be taken for this
    /// run's.
    pub(super) fn remove(&self, why: &str) {
        for (_, path) in self.outputs() {
            let older =
                if output::remove(path) { "; the older file there was removed" } else { "" };
            output::note(&format!("{why}: nothing was drawn to {path}{older}"));
        }
    }
}

/// Shows the run as a diagram, as wide as the terminal, in colours if it has any and NO_COLOR does
/// not forbid them.
pub(super) fn show(scene: &Scene) {
    let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
    let diagram = Diagram::new(scene, Caption::default());
    output::show(&terminal::draw(&diagram, width, &paint));
}

/// A text in the colour of a term, if standard output has colours.
pub(super) fn paint(text: &str, colour: Option<usize>) -> String {
    match colour {
        Some(colour) if has_colours() => {
            let code = COLOURS[colour % COLOURS.len()];
            let style = Style::new().fg_color(Some(Ansi256Color(code).into()));
            format!("{style}{text}{style:#}")
        }
        _ => text.to_string(),
    }
}

/// Whether standard output is a terminal with colours, and NO_COLOR does not forbid them.
pub(super) fn has_colours() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// What is written beside a picture of a run.
pub(super) fn caption(protocol: &str, trace: &Trace, meaning: &str, is_violation: bool) -> Caption {
    let Trace { scenario, property, why, .. } = trace;
    let goes_on = trace.cycle.map(|Cycle { after, steps }| {
        let (first, last) = (after + 1, after + steps);
        format!(
            "Steps {first} to {last} are taken again and again, with later terms where they grow"
        )
    });
    let shows = match (is_violation, Asked::named(property)) {
        (true, _) => format!("{property} is violated"),
        (false, Some(_)) => format!("{property}: {why}"),
        (false, None) => format!("{property} holds"),
    };
    Caption {
        title: format!("{protocol}: {}", scenario.name),
        shows,
        why: if is_violation { why.clone() } else { goes_on.unwrap_or_default() },
        meaning: meaning.to_string(),
        is_violation,
    }
}
