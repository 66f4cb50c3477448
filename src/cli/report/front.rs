//! The first page: what this is, the verdicts and the answers at a glance.

use maud::{Markup, html};

use super::gather::{Book, Chapter, Known, Live, plural};
use super::matrix::{self, CLOCKS, FAILURES};
use super::parts::{Sign, answer, of_verdict, page as framed, scrolled, sign};
use super::plots;
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
        (liveness(book))
        (lengths(book))
        (waits(book))
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

/// A protocol with some of its options set: systems whose names begin alike.
struct Variant<'a> {
    chapter: &'a Chapter,
    name: String,
    /// By the name without the variant's.
    systems: Vec<(&'a str, &'a Live)>,
}

fn variants(book: &Book) -> Vec<Variant<'_>> {
    let mut all: Vec<Variant<'_>> = Vec::new();
    for chapter in &book.chapters {
        let names: Vec<&str> =
            chapter.systems.iter().map(|live| live.scenario.name.as_str()).collect();
        for live in &chapter.systems {
            let name = live.scenario.name.as_str();
            let base = names.iter().filter_map(|base| {
                let variant = name.strip_suffix(base)?.strip_suffix('-')?;
                Some((variant, *base))
            });
            // The longest name that it ends with.
            let (variant, base) = base.max_by_key(|(_, base)| base.len()).unwrap_or(("", name));
            let is_it = |known: &Variant<'_>| {
                known.chapter.about.name == chapter.about.name && known.name == variant
            };
            match all.iter_mut().find(|known| is_it(known)) {
                Some(known) => known.systems.push((base, live)),
                None => {
                    let systems = vec![(base, live)];
                    all.push(Variant { chapter, name: variant.to_string(), systems });
                }
            }
        }
    }
    all
}

fn liveness(book: &Book) -> Markup {
    let all = variants(book);
    let mut columns: Vec<&str> = Vec::new();
    for (base, _) in all.iter().flat_map(|variant| &variant.systems) {
        let in_chapters = |chapter: &&Chapter| {
            all.iter().any(|variant| {
                variant.chapter.about.name == chapter.about.name
                    && variant.systems.iter().any(|(other, _)| other == base)
            })
        };
        let is_shared = book.chapters.iter().filter(in_chapters).count() > 1;
        if !columns.contains(base) && (is_shared || book.chapters.len() == 1) {
            columns.push(base);
        }
    }
    if columns.is_empty() {
        return html! {};
    }
    let table = html! {
        table.matrix.answers {
            thead {
                tr {
                    th scope="col" { "Protocol" }
                    @for column in &columns { th scope="col" { (column.replace('-', " ")) } }
                }
            }
            tbody {
                @for variant in &all {
                    tr {
                        th scope="row" {
                            a href={ (variant.chapter.path) "#liveness" } { (variant.chapter.about.name) }
                            @if !variant.name.is_empty() { br; small { (variant.name.replace('-', " ")) } }
                        }
                        @for column in &columns { td { (first_answer(variant, column)) } }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="liveness" {
            h2 id="liveness" { "Liveness: a leader comes, and stays" }
            p.small {
                "Does a stable leader come? (Where nodes agree on one value: does everybody learn "
                "it?) By what the links do, and what fails. A link leads to a run that shows it."
            }
            (scrolled("Answers about liveness by protocol and system", &table))
            p.small {
                "Guaranteed: on every run. Almost sure: with probability one. Can be lost: some runs "
                "lose it. Never: no run has it. Unknown: a bound cut off too much to tell. Further systems "
                "and questions stand on the pages of the protocols."
            }
        }
    }
}

fn first_answer(variant: &Variant<'_>, column: &str) -> Markup {
    let system = variant.systems.iter().find(|(base, _)| *base == column);
    let Some(first) = system.and_then(|(_, live)| live.answers.first()) else {
        return html! {
            span.none { span aria-hidden="true" { "·" } span.unseen { "not asked" } }
        };
    };
    let word = first.answer.split(' ').next().unwrap_or_default();
    answer(word, first.run.map(|run| variant.chapter.runs[run].path.as_str()))
}

fn lengths(book: &Book) -> Markup {
    html! {
        section aria-labelledby="lengths" {
            h2 id="lengths" { "How soon a mistake shows" }
            p {
                "Each dot is a counterexample to a protocol with a planted bug; larger dots are "
                "several of the same length. Most mistakes need no long stories."
            }
            (scrolled("Lengths of counterexamples", &plots::lengths(&book.chapters)))
        }
    }
}

fn waits(book: &Book) -> Markup {
    html! {
        section aria-labelledby="waits" {
            h2 id="waits" { "How long until a leader stays" }
            p {
                "All nodes start together and nothing fails. A bar reaches from the time that half "
                "of the runs need to that which 99 of a hundred need, a dot is the average. Computed "
                "from the graph, where timeouts and the order of delivery are random."
            }
            (scrolled("Times until a leader stays", &plots::waits(&book.chapters)))
        }
    }
}

fn sources(book: &Book) -> Markup {
    let count = |known| {
        let cases = book.chapters.iter().flat_map(|chapter| &chapter.cases);
        cases.filter(|case| case.known == known).count()
    };
    html! {
        section aria-labelledby="sources" {
            h2 id="sources" { "Where these verdicts come from" }
            ul {
                li {
                    (plural(count(Known::Now), "scenario")) " checked for this report on " (book.day)
                    ", and every answer about liveness."
                }
                @if let Some(stored) = &book.ways.stored {
                    li {
                        (plural(count(Known::Stored), "scenario")) " read from " code { (stored.file) }
                        ", written on " (stored.day) "."
                    }
                }
                @if count(Known::Expected) > 0 {
                    li {
                        (plural(count(Known::Expected), "scenario"))
                        " not checked for this report: their verdicts are those that the corpus "
                        "expects, and are dashed. "
                        code { "oneleader report --fresh" } " checks them, too, except for the largest."
                    }
                }
                @for what in &book.unexpected {
                    li { strong { "Not as expected: " } (what) }
                }
            }
        }
    }
}
