//! The commands on the pages. Those that take long are run as far as names and options go.

use std::path::Path;

use rayon::prelude::*;

use crate::pages::{Page, pages};
use crate::{oneleader, scratch, top};

/// A line of a page that runs the program: what comes after its name.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let line = line.split(" #").next().unwrap_or_default();
    let program =
        ["cargo run --release --example own_actor -- ", "cargo run --release -- ", "oneleader "];
    let args = program[1..].iter().find_map(|program| line.strip_prefix(program))?;
    Some(args.split_whitespace().collect())
}

/// The same command, limited so that it soon ends: it still refuses what the whole one refuses.
/// `None` if it cannot be limited.
fn limited<'a>(args: &[&'a str]) -> Option<Vec<&'a str>> {
    let is_given = |flag: &str| args.contains(&flag);
    let more: &[&str] = match args[0] {
        "check" if is_given("--scenario") || is_given("--bug") => &["--time-limit", "5"],
        // All of a corpus. A single property leaves liveness out.
        "check" => &["--time-limit", "0", "--property", "election-safety"],
        // The Explorer runs until it is stopped. It takes a scenario as `check` does.
        "explore" => {
            let args = args.iter().copied().filter(|arg| *arg != "--open").skip(1);
            return limited(&["check"].into_iter().chain(args).collect::<Vec<_>>());
        }
        "fuzz" if !is_given("--cases") => &["--cases", "20"],
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
    // A file of scenarios that a page speaks of as the reader's own.
    let own = "[[scenario]]\nname = \"mine\"\nnodes = 3\n";
    std::fs::write(folder.join("my-scenarios.toml"), own).expect("a file");
    let mut refused = Vec::new();
    for (number, line) in page.shell() {
        let Some(args) = arguments(line) else { continue };
        let Some(args) = limited(&args) else { continue };
        let args: Vec<String> = args.into_iter().map(in_top).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = oneleader(&folder, &args);
        if ![0, 1, 3].contains(&ended.code) {
            refused.push(format!("{name}:{number}: `{line}`: {}{}", ended.out, ended.err));
        }
    }
    refused
}

/// An argument that names a file of the project, wherever the command runs.
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
        page.shell().iter().filter(|(_, line)| arguments(line).is_some()).count()
    };
    assert!(of("README.md") >= 10);
}
