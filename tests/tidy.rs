//! The house rules that a machine can see to.

use std::fs;
use std::path::{Path, PathBuf};

use oneleader::models;

/// A file of more lines says more than one thing.
const MOST_LINES: usize = 900;
/// Of code and comments; a text in quotes may be longer.
const WIDEST_LINE: usize = 130;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under a directory, with their texts.
fn sources(directory: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(next) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_path_buf(), text));
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let directories = ["models", "src", "tests", "benches", "examples", "mutants"];
    directories.into_iter().flat_map(sources).collect()
}

/// Fails with every line that `is_wrong`.
fn expect_none(sources: &[(PathBuf, String)], rule: &str, is_wrong: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for (path, text) in sources {
        let lines = text.lines().enumerate().filter(|(_, line)| is_wrong(line));
        wrong.extend(lines.map(|(i, line)| format!("{}:{}: {}", path.display(), i + 1, line.trim())));
    }
    assert!(!sources.is_empty() && wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn a_protocol_imports_nothing_of_the_crate_but_its_election() {
    let is_protocol = |path: &Path| path != Path::new("models/mod.rs") && !path.ends_with("tests.rs");
    let sources: Vec<_> = sources("models").into_iter().filter(|(path, _)| is_protocol(path)).collect();
    // Unit tests at the end of a file may use what they like.
    let code = |text: &String| text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_string();
    let sources: Vec<_> = sources.iter().map(|(path, text)| (path.clone(), code(text))).collect();
    expect_none(&sources, "a protocol may import `crate::election` only", |line| {
        let code = line.split("//").next().unwrap_or_default();
        let mut paths = code.match_indices("crate::");
        paths.any(|(i, _)| {
            !code[i..].starts_with("crate::election") && !code[i..].starts_with("crate::models")
        })
    });
}

#[test]
fn the_harness_names_no_protocol() {
    let harness: Vec<_> = sources("src").into_iter().filter(|(path, _)| !path.ends_with("main.rs")).collect();
    let modules: Vec<String> = models::all().iter().map(|about| format!("models::{}", about.name)).collect();
    expect_none(&harness, "the catalogue hands protocols over", |line| {
        let code = line.split("//").next().unwrap_or_default();
        modules.iter().any(|module| code.contains(module.as_str()))
    });
}

#[test]
fn every_file_is_about_one_thing() {
    for (path, text) in all_sources() {
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{}: {lines} lines, at most {MOST_LINES}", path.display());
        assert!(text.starts_with("//!"), "{}: does not begin by saying what it is for", path.display());
    }
}

#[test]
fn no_line_is_too_long() {
    expect_none(&all_sources(), "lines are as wide as a page", |line| {
        line.chars().count() > WIDEST_LINE && !line.contains('"')
    });
}

#[test]
fn nothing_is_left_for_later() {
    let words = ["to".to_string() + "do!(", "un".to_string() + "implemented!(", "TO".to_string() + "DO"];
    expect_none(&all_sources(), "finish it or leave it out", |line| {
        words.iter().any(|word| line.contains(word))
    });
}
