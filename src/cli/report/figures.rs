//! The plots of the first page, each with what it shows and its numbers as a table.

use maud::{Markup, html};

use super::families::{self, Family};
use super::gather::{Book, Case, Chapter, plural};
use super::parts::{of_source, scrolled, thousands};
use super::plots;
use super::wait::Wait;

/// A plot, and below it the same as a table, which is closed at first.
fn plotted(name: &str, plot: &Markup, table: &Markup) -> Markup {
    html! {
        (plot)
        details.numbers {
            summary { "The numbers" }
            (scrolled(&format!("{name}, as a table"), table))
        }
    }
}

/// Numbers in a row.
fn listed<N: Copy + TryInto<u64>>(all: &[N], between: &str) -> String {
    let all = all.iter().filter_map(|n| (*n).try_into().ok());
    all.map(thousands).collect::<Vec<String>>().join(between)
}

/// How long the counterexamples are.
pub(super) fn lengths(book: &Book) -> Markup {
    let table = html! {
        table.list {
            thead {
                tr {
                    th scope="col" { "Protocol" }
                    th scope="col" { "Steps to the violation, by planted bug" }
                }
            }
            tbody {
                @for chapter in &book.chapters {
                    tr {
                        th scope="row" { (chapter.about.name) }
                        td { (listed(&plots::planted(chapter), ", ")) }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="lengths" {
            h2 id="lengths" { "How soon a mistake shows" }
            p {
                "Each dot is a counterexample to a protocol with a planted bug; larger dots are "
                "several of the same length. Most mistakes need no long stories."
            }
            (plotted("Lengths of counterexamples", &plots::lengths(&book.chapters), &table))
        }
    }
}

/// How many states there are at each depth.
pub(super) fn levels(book: &Book) -> Markup {
    let of = |chapter| drawn(chapter).map(|case| (chapter, case));
    let all: Vec<(&Chapter, &Case)> = book.chapters.iter().filter_map(of).collect();
    if all.is_empty() {
        return html! {};
    }
    let table = html! {
        table.list {
            thead {
                tr {
                    th scope="col" { "Protocol" }
                    th scope="col" { "Scenario" }
                    th scope="col" { "States, from the start to the greatest depth" }
                }
            }
            tbody {
                @for (chapter, case) in &all {
                    tr {
                        th scope="row" { (chapter.about.name) }
                        td { (case.scenario.name) }
                        td { (listed(&case.levels, " · ")) }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="levels" {
            h2 id="levels" { "How the states spread" }
            p {
                "Of each protocol one scenario, the largest that is quick: how many of its states "
                "are so many steps from the start, on a shortest way. Each hill is as high as its "
                "line, whatever its number of states. Where a hill ends, everything has been seen."
            }
            (plotted("States by depth", &plots::levels(&all), &table))
        }
    }
}

/// The scenario of a protocol that is drawn.
fn drawn(chapter: &Chapter) -> Option<&Case> {
    chapter.cases.iter().find(|case| !case.levels.is_empty())
}

/// How long it takes until a leader stays.
pub(super) fn waits(book: &Book) -> Markup {
    let systems = book.chapters.iter().flat_map(|chapter| {
        let cold = chapter.systems.iter().filter(|live| live.is_cold_start());
        let waits = cold.filter_map(|live| Some((live, live.wait?)));
        waits.map(|(live, wait)| (format!("{}: {}", chapter.about.name, live.scenario.name), wait))
    });
    let all: Vec<(String, Wait)> = systems.collect();
    if all.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="waits" {
            h2 id="waits" { "How long until a leader stays" }
            p {
                "All nodes start together and nothing fails. A bar reaches from the time that half "
                "of the runs need to that which 99 of a hundred need, a dot is the average. Computed "
                "from the graph, where timeouts and the order of delivery are random."
            }
            (plotted("Times until a leader stays", &plots::waits(&all), &times("System", &all)))
        }
    }
}

/// How long it takes, where systems differ in one option only.
pub(super) fn by_option(book: &Book) -> Markup {
    let all = families::of(&book.chapters);
    if all.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="by-option" {
            h2 id="by-option" { "How long, by how timeouts are set" }
            @for family in &all { (of_family(book, family)) }
        }
    }
}

fn of_family(book: &Book, family: &Family<'_>) -> Markup {
    let Family { chapter, option, live, members } = family;
    let help = chapter.about.options.iter().find(|known| known.name == *option);
    let rows: Vec<(String, Wait)> =
        members.iter().map(|(value, wait)| (value.to_string(), *wait)).collect();
    let name = format!("Times until a leader stays, {} by {option}", chapter.about.name);
    html! {
        h3 { (chapter.about.title) ": " code { (option) } }
        p {
            (live.scenario.note)
            " Bars and dots as above; a tick is " (members[0].1.tick_ms) " ms."
        }
        @if let Some(help) = help { p.small { code { (option) } ": " (help.help) } }
        @if let Some(at) = live.known.file() {
            p.small { "From " (of_source(&book.ways.stored.sources[at])) "." }
        }
        (plotted(&name, &plots::family(family), &times(option, &rows)))
    }
}

/// Times as a table; `of` is what the rows are.
fn times(of: &str, rows: &[(String, Wait)]) -> Markup {
    html! {
        table.list {
            thead {
                tr {
                    th scope="col" { (of) }
                    th scope="col" { "Ticks on average" }
                    th scope="col" { "Half of the runs" }
                    th scope="col" { "99 of a hundred" }
                }
            }
            tbody {
                @for (name, wait) in rows {
                    tr {
                        th scope="row" { (name) }
                        td { (format!("{:.1}", wait.mean)) }
                        td { (plural(wait.median, "tick")) }
                        td { (plural(wait.p99, "tick")) }
                    }
                }
            }
        }
    }
}
