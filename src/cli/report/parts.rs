//! What all pages have in common: the frame around a page, verdicts and answers as labels.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::gather::{Case, Known};
use super::results::Source;
use crate::exploration::verdict::Verdict;
use crate::support::plain::printable;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Where a page is, from the first page to the one above it: names with their paths.
pub(super) type Way<'a> = &'a [(&'a str, &'a str)];

/// A whole page. `root` leads from its folder to that of the first page.
pub(super) fn page(title: &str, root: &str, way: Way<'_>, body: &Markup) -> String {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="oneleader report";
                title { (title) }
                style { (PreEscaped(STYLE)) }
                script { "document.documentElement.className = 'js'" }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                @if !way.is_empty() { header.top {
                    nav aria-label="Where this page is" {
                        ol {
                            @for (name, path) in way {
                                li { a href={ (root) (path) } { (name) } }
                            }
                            li aria-current="page" { (title.split(" – ").next().unwrap_or(title)) }
                        }
                    }
                } }
                main id="main" { (body) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    // What could change the direction of writing, or cannot be seen, is shown by its number.
    printable(&whole.into_string())
}

/// The signs that stand beside words, so that nothing is told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Full,
    Half,
    Cross,
    Open,
}

/// A sign, drawn in the colour of the text.
pub(super) fn sign(sign: Sign) -> Markup {
    html! {
        svg.sign viewBox="0 0 12 12" aria-hidden="true" {
            @match sign {
                Sign::Full => { circle cx="6" cy="6" r="5" fill="currentColor" {} },
                Sign::Half => {
                    circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor"
                        stroke-width="1.6" {}
                    path d="M6 1.8a4.2 4.2 0 0 0 0 8.4Z" fill="currentColor" {}
                },
                Sign::Cross => {
                    path d="M2 2 10 10M10 2 2 10" stroke="currentColor" stroke-width="2.6"
                        stroke-linecap="round" {}
                },
                Sign::Open => {
                    circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor"
                        stroke-width="1.6" {}
                },
            }
        }
    }
}

/// The class of the colours of a verdict, its sign, and the verdict in plain words.
pub(super) fn of_verdict(verdict: Verdict) -> (&'static str, Sign, String) {
    let (class, mark) = match verdict {
        Verdict::Holds => ("good", Sign::Full),
        Verdict::HoldsWithinBounds => ("fair", Sign::Half),
        Verdict::Violated | Verdict::Error => ("bad", Sign::Cross),
        _ => ("open", Sign::Open),
    };
    (class, mark, verdict.to_string().replace('-', " "))
}

/// The verdict on a scenario.
pub(super) fn verdict(case: &Case) -> Markup {
    let (class, mark, words) = of_verdict(case.verdict);
    let is_expected = case.known == Known::Expected;
    html! {
        span class={ "label " (class) @if is_expected { " guess" } } {
            (sign(mark)) (words) @if is_expected { " (expected)" }
        }
    }
}

/// A file of results, with what is known of its age.
pub(super) fn of_source(source: &Source) -> Markup {
    html! {
        code { (source.file) } " of " (source.day)
        @if let Some(commit) = &source.commit { ", commit " code { (commit) } }
    }
}

/// The class of the colours of an answer about liveness, and its sign.
pub(super) fn of_answer(answer: &str) -> (&'static str, Sign) {
    match answer.split(' ').next().unwrap_or_default() {
        "guaranteed" => ("good", Sign::Full),
        "almost-sure" => ("fair", Sign::Half),
        "can-be-lost" | "never" | "time-stops" => ("bad", Sign::Cross),
        _ => ("open", Sign::Open),
    }
}

/// An answer, with a link to the run that shows it; marked, if it is only what is expected.
pub(super) fn answer(answer: &str, href: Option<&str>, known: Known) -> Markup {
    let (class, mark) = of_answer(answer);
    let is_guess = known == Known::Expected;
    let class = if is_guess { format!("{class} guess") } else { class.to_string() };
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let inner = html! {
        (sign(mark)) (word.replace('-', " "))
        @if !rest.is_empty() { " " small { (rest.replace('-', " ")) } }
        @if is_guess { span.unseen { ", as expected by the corpus" } }
    };
    html! {
        @match href {
            Some(href) => a class={ "label " (class) } href=(href) { (inner) },
            None => span class={ "label " (class) } { (inner) },
        }
    }
}

/// A number with its thousands apart.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A wide thing that is scrolled on its own on a narrow screen.
pub(super) fn scrolled(name: &str, inner: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(name) tabindex="0" { (inner) } }
}
