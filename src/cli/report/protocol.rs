//! The page of a protocol.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::gather::{Book, Case, Chapter, Run, plural};
use super::matrix::{self, CLOCKS, FAILURES};
use super::parts::{Sign, answer, of_source, page as framed, scrolled, sign, thousands, verdict};
use super::plots;
use crate::cli::choice::assumptions;
use crate::election::{BugSpec, Costs};

/// The page.
pub(super) fn page(book: &Book, chapter: &Chapter) -> String {
    let about = chapter.about;
    let body = html! {
        h1 { (about.title) }
        p.lead { (about.source) }
        nav.contents aria-label="On this page" {
            a href="#properties" { "Properties" }
            @if !about.options.is_empty() { a href="#options" { "Options" } }
            @if !about.bugs.is_empty() { a href="#bugs" { "Planted bugs" } }
            @if !chapter.systems.is_empty() { a href="#liveness" { "Liveness" } }
            a href="#scenarios" { "Scenarios" }
        }
        (properties(chapter))
        (options(chapter))
        (bugs(chapter))
        (liveness(book, chapter))
        (scenarios(book, chapter))
    };
    let title = format!("{} – oneleader", about.title);
    framed(&title, "", &[("One leader?", "index.html")], &body)
}

fn properties(chapter: &Chapter) -> Markup {
    html! {
        section aria-labelledby="properties" {
            h2 id="properties" { "Properties" }
            p.small { "Asked of every state, or of every step, that can be reached." }
            dl.terms {
                @for question in &chapter.questions.properties {
                    dt { code { (question.name) } }
                    dd {
                        (question.meaning)
                        @if let Some(setting) = question.setting {
                            " " span.small { "Asked only with " code { (setting) } "." }
                        }
                    }
                }
            }
        }
    }
}

fn options(chapter: &Chapter) -> Markup {
    let options = chapter.about.options;
    html! {
        @if !options.is_empty() {
            section aria-labelledby="options" {
                h2 id="options" { "Options" }
                dl.terms {
                    @for option in options {
                        dt { code { (option.name) " = " (option.default) } }
                        dd {
                            (option.help)
                            @if !option.allowed.is_empty() {
                                " " span.small { "One of " (option.allowed.join(", ")) "." }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn bugs(chapter: &Chapter) -> Markup {
    let bugs = chapter.about.bugs;
    let run = |bug: &BugSpec| {
        let is_it = |run: &&Run| run.bug.is_some_and(|other| other.name == bug.name);
        chapter.runs.iter().find(is_it)
    };
    let longest = bugs.iter().filter_map(run).map(|run| run.steps).max().unwrap_or(1);
    let table = html! {
        table.list {
            thead {
                tr {
                    th scope="col" { "Bug" }
                    th scope="col" { "The rule that it breaks" }
                    th scope="col" { "Costs" }
                    th scope="col" { "Steps to show it" }
                }
            }
            tbody {
                @for bug in bugs {
                    tr id={ "bug-" (super::gather::slug(bug.name)) } {
                        th scope="row" {
                            @match run(bug) {
                                Some(run) => a href=(run.path) { (bug.name) },
                                None => (bug.name),
                            }
                            p { (bug.summary) }
                        }
                        td { (bug.rule) p.small { "Published: " (bug.published) } }
                        td { (costs(bug)) }
                        td.steps {
                            @match run(bug) {
                                Some(run) => { (run.steps) (plots::bar(run.steps, longest)) },
                                None => { span.small { "no run of the corpus shows it" } },
                            }
                        }
                    }
                }
            }
        }
    };
    html! {
        @if !bugs.is_empty() {
            section aria-labelledby="bugs" {
                h2 id="bugs" { "Planted bugs" }
                p.small {
                    "Each leaves out one rule of the paper. The link leads to a run that shows "
                    "what the rule is for."
                }
                (scrolled("Table of planted bugs", &table))
            }
        }
    }
}

/// What a bug costs, in a few words.
pub(super) fn costs(bug: &BugSpec) -> &'static str {
    match bug.costs {
        Costs::Safety => "safety: a property is violated",
        Costs::Liveness(_) => "no safety, only progress: nobody may lead, or some may never follow",
        Costs::Nothing => "nothing: the bug is a control, and breaks no property",
    }
}

fn liveness(book: &Book, chapter: &Chapter) -> Markup {
    if chapter.systems.is_empty() {
        return html! {};
    }
    let mut questions: Vec<&str> = Vec::new();
    for told in chapter.systems.iter().flat_map(|live| &live.answers) {
        if !questions.contains(&told.question) {
            questions.push(told.question);
        }
    }
    let table = html! {
        table.matrix.answers {
            thead {
                tr {
                    th scope="col" { "System" }
                    @for question in &questions { th scope="col" { (question.replace('-', " ")) } }
                }
            }
            tbody {
                @for live in &chapter.systems {
                    tr {
                        th scope="row" {
                            details {
                                summary { (live.scenario.name) }
                                p { (live.scenario.note) }
                                p.small {
                                    (assumptions(&live.scenario.scenario()))
                                    @if let Some(states) = live.states {
                                        "; " (thousands(states.into())) " states"
                                    }
                                    @if let Some(at) = live.known.file() {
                                        ". From " (of_source(&book.ways.stored.sources[at]))
                                    }
                                }
                            }
                        }
                        @for question in &questions {
                            td {
                                @match live.answers.iter().find(|told| told.question == *question) {
                                    Some(told) => (answer(
                                        &told.answer,
                                        told.run.map(|run| chapter.runs[run].path.as_str()),
                                        live.known,
                                    )),
                                    None => span.none { span.unseen { "not asked" } },
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="liveness" {
            h2 id="liveness" { "Liveness" }
            p.small { "Decided for this report on " (book.day) ", but for large systems, whose \
                       answers were stored, or are only those expected (dashed). A link leads to \
                       a run that shows the answer; the name of a system opens what it assumes, \
                       and why the answer is right." }
            (scrolled("Answers about liveness", &table))
        }
    }
}

fn scenarios(book: &Book, chapter: &Chapter) -> Markup {
    let groups = (0..CLOCKS.len()).flat_map(|c| (0..FAILURES.len()).map(move |f| (c, f)));
    let groups = groups.map(|(c, f)| (c, f, matrix::cell(chapter, c, f)));
    let planted: Vec<&Case> =
        chapter.cases.iter().filter(|case| case.scenario.bug.is_some()).collect();
    let files: BTreeSet<usize> =
        chapter.cases.iter().filter_map(|case| case.known.file()).collect();
    html! {
        section aria-labelledby="scenarios" {
            h2 id="scenarios" { "Scenarios" }
            p.small {
                "Checked for this report on " (book.day)
                @for at in files { ", or read from " (of_source(&book.ways.stored.sources[at])) }
                "; what says “expected” was not checked."
            }
            @for (c, f, cell) in groups.filter(|(_, _, cell)| !cell.cases.is_empty()) {
                @let id = format!("{}-{}", CLOCKS[c].0, FAILURES[f].0);
                h3 id=(id) { (FAILURES[f].1) " – " (CLOCKS[c].1) }
                ul.cases { @for case in &cell.cases { (one(chapter, case)) } }
            }
            @if !planted.is_empty() {
                h3 id="with-bugs" { "With a planted bug" }
                details {
                    summary { (plural(planted.len(), "scenario")) }
                    ul.cases { @for case in planted { (one(chapter, case)) } }
                }
            }
        }
    }
}

fn one(chapter: &Chapter, case: &Case) -> Markup {
    let scenario = &case.scenario;
    let run = case.run.map(|run| &chapter.runs[run]);
    html! {
        li {
            div.head {
                strong { (scenario.name) } " " (verdict(case))
                @if let Some(run) = run {
                    " " a href=(run.path) { "the run, " (plural(run.steps, "step")) }
                } @else if case.scenario.bug.is_some() && case.run.is_none() {
                    " " span.small { (sign(Sign::Open)) " no run" }
                }
            }
            @if !scenario.note.is_empty() { p { (scenario.note) } }
            p.small {
                (assumptions(scenario))
                @if let Some(states) = case.states { "; " (thousands(states)) " states" }
            }
        }
    }
}
