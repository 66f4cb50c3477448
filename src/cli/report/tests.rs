//! Whatever a protocol or a run says, it is text on the pages.

use super::gather::{Book, Ways, free, gather, slug};
use super::{front, protocol, runs};
use crate::election::{About, BugSpec, OptionSpec};
use crate::models::{self, Shipped};

const HOSTILE: &str = "<script>alert(\"x\")</script>\" onload='&lt;]]>\u{202e}\u{1b}[31m";

fn scripts(page: &str) -> usize {
    page.matches("<script").count()
}

fn pages(book: &Book) -> Vec<String> {
    let chapter = &book.chapters[0];
    let mut pages = vec![front::page(book), protocol::page(book, chapter)];
    pages.extend(chapter.runs.iter().map(|run| runs::page(chapter, run)));
    pages
}

/// What a protocol says of itself, with every text replaced.
fn hostile(about: &'static About) -> &'static About {
    let bug = |bug: &BugSpec| BugSpec {
        name: HOSTILE,
        summary: HOSTILE,
        rule: HOSTILE,
        published: HOSTILE,
        costs: bug.costs,
    };
    let option = |option: &OptionSpec| OptionSpec { name: HOSTILE, help: HOSTILE, ..*option };
    let options: Box<[OptionSpec]> = about.options.iter().map(option).collect();
    let bugs: Box<[BugSpec]> = about.bugs.iter().map(bug).collect();
    Box::leak(Box::new(About {
        name: HOSTILE,
        title: HOSTILE,
        source: HOSTILE,
        options: Box::leak(options),
        bugs: Box::leak(bugs),
        ..*about
    }))
}

#[test]
fn what_stands_in_a_run_or_a_corpus_is_text_on_its_page_whatever_it_says() {
    let Some(about) = models::all().into_iter().next() else { return };
    let ways = Ways { stored: None, is_fresh: false };
    let mut book = gather(&Shipped, &[about], ways).expect("it is gathered");
    let before: Vec<_> = pages(&book).iter().map(|page| scripts(page)).collect();
    let text = || HOSTILE.to_string();
    let chapter = &mut book.chapters[0];
    chapter.about = hostile(about);
    for run in &mut chapter.runs {
        run.bug = run.bug.and(chapter.about.bugs.first());
        (run.name, run.command) = (text(), text());
        (run.scenario.name, run.scenario.note) = (text(), text());
        (run.caption.shows, run.caption.why, run.caption.meaning) = (text(), text(), text());
        run.also.iter_mut().for_each(|also| *also = text());
        for frame in &mut run.scene.frames {
            (frame.name, frame.told) = (text(), text());
            for node in &mut frame.after.nodes {
                node.state = node.state.as_ref().map(|_| text());
            }
        }
    }
    for case in &mut chapter.cases {
        (case.scenario.name, case.scenario.note) = (text(), text());
    }
    for live in &mut chapter.systems {
        (live.scenario.name, live.scenario.note) = (text(), text());
        live.answers.iter_mut().for_each(|told| told.answer = text());
    }
    for (i, page) in pages(&book).iter().enumerate() {
        assert!(page.contains("&lt;script&gt;alert(&quot;x&quot;)"), "{page}");
        assert!(!page.contains("<script>alert") && !page.contains(['\u{202e}', '\u{1b}']));
        assert_eq!(scripts(page), before[i]);
    }
}

#[test]
fn a_page_has_a_path_of_its_own_whatever_it_is_called() {
    assert_eq!(slug("../A b<c>"), "---a-b-c-");
    let mut taken = Default::default();
    assert_eq!(free(&mut taken, "index"), "index-2.html");
    assert_eq!(free(&mut taken, "a"), "a.html");
    assert_eq!(free(&mut taken, "a"), "a-2.html");
}
