//! What helps people to find their way: the list, the help, the shell, a workflow.

use std::fs;

use crate::{oneleader, scratch, text};

/// The commands.
const VERBS: [&str; 10] = [
    "list",
    "check",
    "liveness",
    "fuzz",
    "replay",
    "explore",
    "report",
    "ci",
    "completions",
    "man",
];

#[test]
fn a_protocol_is_listed_in_brief_and_each_name_in_full() {
    let brief = oneleader(&["list", "raft"]);
    assert_eq!(brief.code, 0);
    assert!(brief.out.lines().count() < 150, "{}", brief.out);
    assert!(brief.out.lines().all(|line| line.chars().count() <= 100), "{}", brief.out);
    let bug = oneleader(&["list", "raft", "forgets-vote"]);
    for told in ["rule: ", "published: ", "oneleader check raft --bug forgets-vote", "8 steps"] {
        assert!(bug.out.contains(told), "expected `{told}` in: {}", bug.out);
    }
    assert!(!bug.out.contains("forgets-term"), "{}", bug.out);
    let two = oneleader(&["list", "raft", "votes", "mesh"]);
    assert!(two.out.contains("Property\n  votes\n"), "{}", two.out);
    assert!(two.out.contains("Liveness\n  mesh (3 nodes"), "{}", two.out);
}

#[test]
fn all_of_a_kind_is_listed() {
    let bugs = oneleader(&["list", "bully", "--bugs"]);
    assert!(bugs.out.contains("recovers-as-leader") && bugs.out.contains("published: "));
    assert!(!bugs.out.contains("Scenarios"), "{}", bugs.out);
    let both = oneleader(&["list", "bully", "--goals", "--liveness"]);
    assert!(both.out.contains("Goals: ") && both.out.contains("Liveness: "), "{}", both.out);
}

#[test]
fn a_name_that_is_not_there_is_refused() {
    let told = ["nothing called `forget-vote`", "did you mean `forgets-vote`?"];
    oneleader(&["list", "raft", "forget-vote"]).refuses(&told);
    oneleader(&["list", "--bugs"]).refuses(&["<PROTOCOL>"]);
    oneleader(&["list", "raft", "votes", "--bugs"]).refuses(&["cannot be used with"]);
    oneleader(&["list", "raft", "--bugs", "--json", "-"]).refuses(&["cannot be used with"]);
}

/// The words of a command, as a shell splits them.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    let words = parts.map(|(i, part)| match i % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    words.collect::<Vec<_>>().concat()
}

/// The flags and values of an example are looked at before its `--help` is.
#[test]
fn the_examples_of_the_help_can_be_typed() {
    let mut examples = 0;
    for verb in VERBS.map(Some).into_iter().chain([None]) {
        let args: Vec<&str> = verb.into_iter().chain(["--help"]).collect();
        let help = oneleader(&args);
        assert_eq!(help.code, 0, "{}", help.err);
        for line in help.out.lines().filter_map(|line| line.strip_prefix("  oneleader ")) {
            let line = line.split("  ").next().expect("a command");
            let line = line.split([';', '>', '&']).next().expect("a command");
            let ended = oneleader(&[words(line), vec!["--help"]].concat());
            assert_eq!(ended.code, 0, "oneleader {line}: {}", ended.err);
            examples += 1;
        }
    }
    assert!(examples >= 20, "{examples}");
}

#[test]
fn shells_complete_and_there_are_manual_pages() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = oneleader(&["completions", shell]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.out.contains("liveness"), "{shell}: {}", ended.out);
    }
    let folder = scratch("man").join("man1");
    assert_eq!(oneleader(&["man", text(&folder)]).code, 0);
    for verb in VERBS {
        let page = fs::read_to_string(folder.join(format!("oneleader-{verb}.1"))).expect("a page");
        assert!(page.contains(".TH"), "{page}");
    }
}

#[test]
fn a_workflow_runs_the_command_that_it_is_told() {
    let workflow = oneleader(&["ci", "--run", "cargo run --example own_actor --"]);
    // A folded text of YAML: its lines are one. What is checked there can be typed here.
    let (_, command) = workflow.out.split_once("run: >-\n").expect("the command");
    let (command, _) = command.split_once("- name").expect("the next step");
    let args = command.trim().strip_prefix("cargo run --example own_actor -- ").expect("as told");
    assert_eq!(oneleader(&[words(args), vec!["--help"]].concat()).code, 0, "{args}");
    oneleader(&["ci", "--run", "a\nb"])
        .refuses(&["--run: expected a command in one line", "a\\nb"]);
    oneleader(&["ci", "--minutes", "0"]).refuses(&["expected at least 1"]);
}
