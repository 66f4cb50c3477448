//! The commands on the pages can be run, and what is said below them agrees with the corpus. Those
//! that would take long are run as far as names and options go.

use std::path::Path;

use oneleader::election::About;
use oneleader::models;
use oneleader::scenario::{corpus, liveness};
use rayon::prelude::*;

use crate::pages::{Page, pages};
use crate::{oneleader, scratch, top};

/// A line that runs the program: its arguments.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let line = line.split(" #").next()?.split(" >").next()?;
    let args =
        ["cargo run --release -- ", "oneleader "].iter().find_map(|it| line.strip_prefix(it));
    // The protocol that the guide writes is the reader's own. Another stands for it.
    let known = |arg| if arg == "poll" { "raft" } else { arg };
    Some(args?.split_whitespace().map(known).collect())
}

/// The value of a flag.
fn value<'a>(args: &[&'a str], flag: &str) -> Option<&'a str> {
    let at = args.iter().position(|arg| *arg == flag)?;
    args.get(at + 1).copied()
}

/// The same command, limited so that it soon ends. It still refuses what the whole one refuses.
/// `None` if it cannot be limited.
fn limited<'a>(args: &[&'a str]) -> Option<Vec<&'a str>> {
    let is_chosen = ["--scenario", "--bug"].iter().any(|flag| args.contains(flag));
    let more: &[&str] = match args[0] {
        "check" if is_chosen => &["--time-limit", "5"],
        // All of a corpus. To ask for one property leaves liveness out.
        "check" => &["--time-limit", "0", "--property", "election-safety"],
        // The Explorer runs until it is stopped. It takes a scenario as `check` does.
        "explore" => {
            let args = args.iter().copied().skip(1).filter(|arg| *arg != "--open");
            return limited(&["check"].into_iter().chain(args).collect::<Vec<_>>());
        }
        "fuzz" => &["--cases", "20"],
        "report" => return None,
        _ => &[],
    };
    Some(args.iter().chain(more).copied().collect())
}

/// Runs the commands of a page, one after the other: a later one may read what an earlier one
/// has written. Says what was refused.
fn refused(page: &Page) -> Vec<String> {
    let name = page.path.display().to_string();
    let folder = scratch(&name.replace('/', "-"));
    // What a page speaks of as the reader's own.
    let own = "[[scenario]]\nname = \"mine\"\nnodes = 3\n";
    std::fs::write(folder.join("my-scenarios.toml"), own).expect("a file");
    let mut refused = Vec::new();
    for (number, line) in page.shell().into_iter().flatten() {
        let Some(args) = arguments(line).and_then(|args| limited(&args)) else { continue };
        let args: Vec<String> = args.into_iter().map(in_top).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = oneleader(&folder, &args);
        if ![0, 1, 3].contains(&ended.code) {
            refused.push(format!("{name}:{number}: `{line}`: {}{}", ended.out, ended.err));
        }
    }
    refused
}

/// An argument that names a file of the project names it in whichever folder the command runs.
fn in_top(arg: &str) -> String {
    match arg.starts_with("docs/") {
        true => top().join(Path::new(arg)).display().to_string(),
        false => arg.to_string(),
    }
}

#[test]
fn the_commands_on_the_pages_can_be_run() {
    let refused: Vec<String> = pages().par_iter().flat_map(refused).collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn commands_are_found() {
    let of = |name: &str| {
        let pages = pages();
        let page = pages.iter().find(|page| page.path == Path::new(name)).expect("the page");
        page.shell().iter().flatten().filter(|(_, line)| arguments(line).is_some()).count()
    };
    assert!(
        of("README.md") >= 10 && of("docs/course.md") >= 20 && of("models/raft/README.md") >= 4
    );
}

/// The protocol of a command, and the scenario or bug that it names. `NAME` names none.
fn named<'a>(args: &[&'a str]) -> Option<(&'static About, &'a str)> {
    let about = models::all().into_iter().find(|about| args.get(1) == Some(&about.name))?;
    let name = value(args, "--scenario").or(value(args, "--bug"))?;
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with(".toml");
    is_name.then_some((about, name))
}

/// The lengths of runs that the corpus expects of a command that checks a scenario.
fn expected_lengths(args: &[&str]) -> Vec<usize> {
    let Some((about, name)) = named(args).filter(|_| args[0] == "check") else { return Vec::new() };
    let corpus = corpus::of(about).unwrap_or_else(|problem| panic!("{problem}"));
    let checked = corpus.into_iter().filter(|scenario| scenario.name == name);
    checked.flat_map(|it| it.expect.into_values()).filter_map(|it| it.steps).collect()
}

/// The answers that the corpus expects of a command that asks about liveness.
fn expected_answers(args: &[&str]) -> Vec<String> {
    let Some((about, name)) = named(args).filter(|_| args[0] == "liveness") else {
        return Vec::new();
    };
    let corpus = liveness::parse(about.corpus, about).unwrap_or_else(|problem| panic!("{problem}"));
    let asked = corpus.into_iter().filter(|scenario| scenario.name == name);
    asked.flat_map(|it| it.expect.into_values()).map(|answer| answer.to_string()).collect()
}

/// A command within a sentence names a scenario or a bug that exists.
#[test]
fn the_commands_within_sentences_name_what_exists() {
    let mut seen = 0;
    for page in pages() {
        let quoted = page.text.split('`').skip(1).step_by(2).filter_map(arguments);
        for (about, name) in quoted.filter_map(|args| named(&args)) {
            let scenarios = corpus::of(about).unwrap_or_else(|problem| panic!("{problem}"));
            let asked = liveness::parse(about.corpus, about);
            let asked = asked.unwrap_or_else(|problem| panic!("{problem}"));
            let names = scenarios.iter().map(|scenario| scenario.name.as_str());
            let mut names = names.chain(asked.iter().map(|scenario| scenario.name.as_str()));
            let is_bug = about.bugs.iter().any(|bug| bug.name == name);
            let is_known = is_bug || names.any(|known| known == name);
            assert!(is_known, "{}: {} has no `{name}`", page.path.display(), about.name);
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen} were found");
}

/// The numbers in `in 8 steps` and `after 8 steps`.
fn lengths(line: &str) -> impl Iterator<Item = usize> {
    line.match_indices(" steps").filter_map(|(at, _)| {
        let mut before = line[..at].split_whitespace().rev();
        let number = before.next()?.parse().ok()?;
        ["in", "after"].contains(&before.next()?).then_some(number)
    })
}

/// The answers in a text, as in `never` and `almost-sure (timeouts)`.
fn answers(text: &str) -> impl Iterator<Item = &str> {
    let kinds = ["never", "guaranteed", "almost-sure", "can-be-lost"];
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(move |quoted| kinds.iter().any(|kind| quoted.split(' ').next() == Some(kind)))
}

/// What is said below commands, or in the answer that has them, is what the corpus expects of
/// them.
#[test]
fn the_lengths_and_answers_on_the_pages_are_those_that_the_corpus_expects() {
    let (mut all_lengths, mut all_answers) = (0, 0);
    for page in pages() {
        let shell = page.shell();
        for (number, text) in page.paragraphs() {
            let Some(above) = shell.iter().rfind(|block| block[0].0 < number) else { continue };
            let commands: Vec<_> = above.iter().filter_map(|(_, line)| arguments(line)).collect();
            let at = format!("{}:{number}", page.path.display());
            let expected: Vec<usize> =
                commands.iter().flat_map(|args| expected_lengths(args)).collect();
            for length in lengths(&text) {
                assert!(expected.contains(&length), "{at}: {length} steps, expected: {expected:?}");
                all_lengths += 1;
            }
            let expected: Vec<String> =
                commands.iter().flat_map(|args| expected_answers(args)).collect();
            for answer in answers(&text).filter(|_| !expected.is_empty()) {
                let is_expected = expected.iter().any(|expected| expected == answer);
                assert!(is_expected, "{at}: `{answer}`, expected: {expected:?}");
                all_answers += 1;
            }
        }
    }
    assert!(all_lengths >= 15 && all_answers >= 7, "{all_lengths} lengths, {all_answers} answers");
}
