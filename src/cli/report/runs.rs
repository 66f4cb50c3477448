//! The page of a run: what it shows, the diagram, and every step of it.

use maud::{Markup, PreEscaped, html};

use super::gather::{Chapter, Run, plural};
use super::parts::{Sign, page as framed, sign};
use super::protocol::costs;
use crate::cli::choice::assumptions;
use crate::tell::diagram::svg::{draw_lanes, keys};
use crate::tell::diagram::{Diagram, Row};
use crate::tell::moments::{Field, Moment, NodeNow, moments};

/// The page.
pub(super) fn page(chapter: &Chapter, run: &Run) -> String {
    let diagram = Diagram::new(&run.scene, run.caption.clone());
    let moments = moments(&run.scene, &diagram);
    let body = html! {
        h1 { (heading(run)) }
        @if let Some(bug) = run.bug { p.lead { (bug.summary) } }
        (shows(run))
        (facts(run, chapter.about.notation))
        section.run aria-labelledby="run" {
            h2 id="run" { "The run" }
            p.small.keys {
                "Walk through it with the buttons or with " kbd { "←" } " and " kbd { "→" }
                "; each step has a link of its own."
            }
            div.stage {
                figure.diagram {
                    div.pane role="region" aria-label="Diagram of the run" tabindex="0" {
                        (PreEscaped(draw_lanes(&diagram)))
                    }
                    figcaption {
                        "Time goes down."
                        ul.legend {
                            @for (symbol, words) in keys(&diagram) {
                                li { (PreEscaped(symbol)) (words) }
                            }
                        }
                    }
                }
                (panel(run, &diagram, &moments))
            }
        }
        section.words aria-labelledby="words" {
            h2 id="words" { "In words" }
            ol {
                @for (i, moment) in moments.iter().enumerate() {
                    (word(&diagram, moment, &id(run, &diagram, moment), i))
                }
            }
            @if run.caption.is_violation {
                p { "So " strong { (run.caption.shows) } ": " (run.caption.why) "." }
            }
            @if run.scene.cycle.is_some() {
                p.small { "The steps with a bar repeat for ever, with later terms where they grow." }
            }
        }
    };
    let title = format!("{} – {}", heading(run), chapter.about.title);
    let way = [("One leader?", "index.html"), (chapter.about.title, chapter.path.as_str())];
    framed(&title, "../", &way, &body)
}

fn heading(run: &Run) -> String {
    match run.bug {
        Some(bug) if bug.name != run.name => format!("{}: {}", bug.name, run.name),
        _ if !run.caption.is_violation => format!("Liveness: {}", run.name),
        _ => run.name.clone(),
    }
}

fn shows(run: &Run) -> Markup {
    let caption = &run.caption;
    let class = if caption.is_violation { "shows bad" } else { "shows" };
    html! {
        div class=(class) {
            p.what {
                @if caption.is_violation { (sign(Sign::Cross)) }
                (caption.shows)
                @if caption.is_violation {
                    " in " (plural(run.steps, "step"))
                    @if run.is_shortest { span.small { ", as few as can be" } }
                    @if run.scene.prefix > 0 {
                        span.small {
                            ", not counting the " (plural(run.scene.prefix, "step"))
                            " before checking starts"
                        }
                    }
                }
            }
            @if !caption.why.is_empty() { p { (caption.why) } }
            @if !caption.meaning.is_empty() { p.small { "Asked: " (caption.meaning) } }
        }
    }
}

fn facts(run: &Run, notation: &[(&str, &str)]) -> Markup {
    html! {
        dl.facts {
            @if let Some(bug) = run.bug {
                dt { "The rule it breaks" } dd { (bug.rule) }
                dt { "Published" } dd { (bug.published) }
                dt { "Costs" } dd { (costs(bug)) }
            }
            @if !run.scenario.note.is_empty() { dt { "Why it is so" } dd { (run.scenario.note) } }
            dt { "Assumed" } dd { (assumptions(&run.scenario)) }
            @if !notation.is_empty() {
                dt { "How to read it" }
                dd {
                    ul {
                        @for (sample, meaning) in notation {
                            li { code { (sample) } ": " (meaning) }
                        }
                    }
                }
            }
            @if !run.also.is_empty() {
                dt { "Also" } dd { ul { @for also in &run.also { li { (also) } } } }
            }
            dt { "See it again" } dd { code.command { (run.command) } }
        }
    }
}

/// The part of a page's address that leads to a step.
fn id(run: &Run, diagram: &Diagram, moment: &Moment) -> String {
    named(run.scene.prefix, diagram, moment.row)
}

fn named(prefix: usize, diagram: &Diagram, row: usize) -> String {
    match (row, diagram.rows[row].kind) {
        (_, None) => "step-0".to_string(),
        (row, _) if row <= prefix => format!("before-{row}"),
        (row, _) => format!("step-{}", row - prefix),
    }
}

/// What a step is called.
fn call(run: &Run, row: &Row, moment: &Moment) -> String {
    match row.kind {
        None => "Start".to_string(),
        Some(_) if moment.row <= run.scene.prefix => "Before checking starts".to_string(),
        Some(_) if row.number.contains('–') => format!("Steps {}", row.number),
        Some(_) => format!("Step {}", row.number),
    }
}

fn panel(run: &Run, diagram: &Diagram, moments: &[Moment]) -> Markup {
    html! {
        div.panel {
            div.controls role="group" aria-label="Walk through the run" hidden {
                button type="button" data-go="back" { "← Back" }
                input type="range" min="0" max=(moments.len() - 1) value="0" aria-label="Step";
                button type="button" data-go="next" { "Next →" }
            }
            div.steps aria-live="polite" {
                @for moment in moments { (step(run, diagram, moment)) }
            }
        }
    }
}

fn step(run: &Run, diagram: &Diagram, moment: &Moment) -> Markup {
    let row = &diagram.rows[moment.row];
    let id = id(run, diagram, moment);
    let is_in_cycle = diagram.cycle.is_some_and(|from| moment.row >= from);
    html! {
        article.step id=(id) data-row=(moment.row) aria-labelledby={ (id) "-name" } {
            // Ticks that are shown as one have their addresses here, too.
            @for hidden in moment.first..moment.row {
                span id=(named(run.scene.prefix, diagram, hidden)) {}
            }
            h3 id={ (id) "-name" } {
                a href={ "#" (id) } { (call(run, row, moment)) }
                @if is_in_cycle { " " span.small { "repeats for ever" } }
            }
            p.told { (row.told) }
            @if row.kind.is_some() { p.small { code { (row.name) } } }
            div.nodes { @for node in &moment.nodes { (state(diagram, node)) } }
        }
    }
}

fn state(diagram: &Diagram, node: &NodeNow) -> Markup {
    // Where terms have no numbers, whoever leads has the first colour, as in the diagram.
    let colour = node.leads.map(|term| diagram.colour(Some(term)).unwrap_or(0));
    let class = colour.map_or("mark".to_string(), |colour| format!("mark t{}", colour % 6));
    html! {
        section class={ "node" @if node.is_changed { " changed" } } {
            h4 {
                span class=(class) aria-hidden="true" {}
                (node.name) " " span.condition { (node.condition) }
                @if node.is_changed { " " span.tag { "changed" } }
            }
            dl {
                @for field in &node.fields { (part(field)) }
            }
        }
    }
}

fn part(field: &Field) -> Markup {
    html! {
        div class={ @if field.was.is_some() { "new" } } {
            dt { (field.key) }
            dd {
                @if let Some(was) = &field.was {
                    del { span.unseen { "was " } (was) } " → " ins { (field.value) }
                } @else { (field.value) }
            }
        }
    }
}

fn word(diagram: &Diagram, moment: &Moment, id: &str, i: usize) -> Markup {
    let row = &diagram.rows[moment.row];
    let class = match diagram.cycle {
        Some(from) if moment.row >= from => "lap",
        _ => "",
    };
    let number = if i == 0 { "start" } else { row.number.as_str() };
    html! {
        li class=(class) data-row=(moment.row) {
            a href={ "#" (id) } { (number) span.unseen { ": show this step" } }
            " " span { (row.told) }
        }
    }
}
