//! The first page: what this is, the verdicts and the answers at a glance.

use maud::{Markup, html};

use super::gather::{Book, Chapter, Known, plural};
use super::matrix::{self, CLOCKS, FAILURES};
use super::parts::{Sign, of_source, of_verdict, page as framed, scrolled, sign};
use super::{figures, overview};
use crate::exploration::verdict::Verdict;

/// The page.
pub(super) fn page(book: &Book) -> String {
    let body = html! {
        h1 { "One leader?" }
        p.lead {
            "Published protocols of leader election, checked: is there ever more than one leader in "
            "a term, and does a leader come and stay? Every verdict against a protocol, and every "
            "planted mistake, is shown by a run that you can walk through step by step."
        }
        (contents(book))
        (safety(book))
        (overview::section(book))
        (figures::lengths(book))
        (figures::levels(book))
        (figures::waits(book))
        (figures::by_option(book))
        (sources(book))
    };
    framed("One leader? – oneleader", "", &[], &body)
}

fn contents(book: &Book) -> Markup {
    html! {
        section aria-labelledby="protocols" {
            h2 id="protocols" { "Protocols" }
            ul.cards {
                @for chapter in &book.chapters {
                    @let bugs = chapter.about.bugs.len();
                    li {
                        a href=(chapter.path) { (chapter.about.title) }
                        p { (chapter.about.source) }
                        p.small {
                            (chapter.questions.properties.len()) " properties of safety"
                            ", " (plural(chapter.cases.len(), "scenario"))
                            ", " (plural(bugs, "planted bug"))
                        }
                    }
                }
            }
        }
    }
}

fn safety(book: &Book) -> Markup {
    let table = html! {
        table.matrix {
            thead {
                tr {
                    th scope="col" { "Protocol" }
                    th scope="col" { "Time" }
                    @for (_, name) in FAILURES { th scope="col" { (name) } }
                    th scope="col" { "Planted bugs found" }
                }
            }
            @for chapter in &book.chapters { tbody { (rows(chapter)) } }
        }
    };
    html! {
        section aria-labelledby="safety" {
            h2 id="safety" { "Safety: never two leaders in a term" }
            p.small {
                "Scenarios without a planted bug, by what may fail in them. A number counts "
                "scenarios, and leads to them."
            }
            (scrolled("Verdicts by protocol and by what may fail", &table))
            (legend())
        }
    }
}

fn rows(chapter: &Chapter) -> Markup {
    let used: Vec<usize> = (0..CLOCKS.len())
        .filter(|&clock| {
            (0..FAILURES.len()).any(|f| !matrix::cell(chapter, clock, f).cases.is_empty())
        })
        .collect();
    let is_found = |bug: &&crate::election::BugSpec| {
        chapter.runs.iter().any(|run| run.bug.is_some_and(|other| other.name == bug.name))
    };
    let (found, all) =
        (chapter.about.bugs.iter().filter(is_found).count(), chapter.about.bugs.len());
    html! {
        @for (i, &clock) in used.iter().enumerate() {
            tr {
                @if i == 0 {
                    th scope="rowgroup" rowspan=(used.len()) {
                        a href=(chapter.path) { (chapter.about.name) }
                    }
                }
                th.sub scope="row" { (CLOCKS[clock].1) }
                @for failure in 0..FAILURES.len() { (cell(chapter, clock, failure)) }
                @if i == 0 {
                    td.bugs rowspan=(used.len()) {
                        a href={ (chapter.path) "#bugs" } { strong { (found) } " of " (all) }
                    }
                }
            }
        }
    }
}

fn cell(chapter: &Chapter, clock: usize, failure: usize) -> Markup {
    let cell = matrix::cell(chapter, clock, failure);
    let violated = cell.violated();
    let others = cell.cases.len() - violated;
    let href = format!("{}#{}-{}", chapter.path, CLOCKS[clock].0, FAILURES[failure].0);
    let is_guess = |is_violated: bool| {
        let mut others = cell.cases.iter().filter(|case| case.known == Known::Expected);
        others.any(|case| (case.verdict == Verdict::Violated) == is_violated)
    };
    let guess = |is_violated| if is_guess(is_violated) { " guess" } else { "" };
    let said = |is_violated| if is_guess(is_violated) { ", as expected by the corpus" } else { "" };
    html! {
        td {
            @if cell.cases.is_empty() {
                span.none { span aria-hidden="true" { "·" } span.unseen { "no scenario" } }
            } @else {
                a.counts href=(href) {
                    @if let Some(worst) = cell.worst_of_others() {
                        @let (class, mark, words) = of_verdict(worst);
                        span class={ "label " (class) (guess(false)) } {
                            (sign(mark)) (others)
                            span.unseen { " " (words) " at worst" (said(false)) }
                        }
                    }
                    @if violated > 0 {
                        span class={ "label bad" (guess(true)) } {
                            (sign(Sign::Cross)) (violated)
                            span.unseen { " violated" (said(true)) }
                        }
                    }
                }
            }
        }
    }
}

fn legend() -> Markup {
    let entry = |verdict: Verdict, meaning: &str| {
        let (class, mark, words) = of_verdict(verdict);
        html! { li { span class={ "label " (class) } { (sign(mark)) (words) } " " (meaning) } }
    };
    html! {
        ul.legend aria-label="What the labels mean" {
            (entry(Verdict::Holds, "every reachable state was seen"))
            (entry(Verdict::HoldsWithinBounds,
                "every state within the scenario’s bounds was seen; the worst of a cell is shown"))
            (entry(Verdict::Violated, "a run breaks a property: what the protocol does not withstand"))
            li { span.label.fair.guess { "dashed" } " expected by the corpus, not checked for this report" }
        }
    }
}

fn sources(book: &Book) -> Markup {
    let cases = |known| {
        let cases = book.chapters.iter().flat_map(|chapter| &chapter.cases);
        cases.filter(|case| case.known == known).count()
    };
    let systems = |known| {
        let systems = book.chapters.iter().flat_map(|chapter| &chapter.systems);
        systems.filter(|live| live.known == known).count()
    };
    let both = |known| match (cases(known), systems(known)) {
        (cases, 0) => plural(cases, "scenario"),
        (0, systems) => format!("liveness of {}", plural(systems, "system")),
        (cases, systems) => {
            format!("{}, liveness of {}", plural(cases, "scenario"), plural(systems, "system"))
        }
    };
    let is_any = |known| cases(known) + systems(known) > 0;
    html! {
        section aria-labelledby="sources" {
            h2 id="sources" { "Where these verdicts come from" }
            ul {
                li { "Checked for this report, on " (book.day) ": " (both(Known::Now)) "." }
                @for (at, source) in book.ways.stored.sources.iter().enumerate() {
                    @if is_any(Known::Stored(at)) {
                        li { "Read from " (of_source(source)) ": " (both(Known::Stored(at))) "." }
                    }
                }
                @if is_any(Known::Expected) {
                    li {
                        "Not checked for this report: " (both(Known::Expected)) ". Shown is what the "
                        "corpus expects, and it is dashed. "
                        @if !book.ways.is_fresh {
                            code { "oneleader report --fresh" } " checks all but the largest; "
                        }
                        "for those, "
                        code { "check --deep --json" } " and " code { "liveness --deep --json" }
                        " write files that " code { "report --results" } " reads."
                    }
                }
                @for what in &book.unexpected {
                    li { strong { "Not as expected: " } (what) }
                }
                @for what in &book.stale {
                    li { "Stored, but no longer asked by the corpus, and not shown: " (what) }
                }
            }
        }
    }
}
