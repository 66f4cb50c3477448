//! Pictures and texts of a run, as they are asked for on the command line.

use crate::{command, oneleader, scratch, text};

fn read(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}

/// A counterexample of Bully's, drawn, and its trace.
fn drawn(test: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let (svg, trace) = (scratch(test).join("run.svg"), scratch(test).join("run.json"));
    let files = ["--svg", text(&svg), "--trace", text(&trace)];
    let checked = oneleader(&[&["check", "bully", "--bug", "half-is-enough"], &files[..]].concat());
    assert_eq!(checked.code, 1, "{}{}", checked.out, checked.err);
    (svg, trace)
}

#[test]
fn check_and_replay_draw_the_same_counterexample() {
    let (svg, trace) = drawn("drawn");
    let drawn = read(&svg);
    assert!(drawn.starts_with("<svg") && drawn.contains("n1 and n2 both lead"), "{drawn}");
    let again = oneleader(&["replay", text(&trace), "--svg", "-"]);
    assert_eq!((again.code, again.out.as_str()), (0, drawn.as_str()), "{}", again.err);
    let light = oneleader(&["replay", text(&trace), "--svg", "-", "--theme", "light"]).out;
    assert!(!light.contains("prefers-color-scheme") && drawn.contains("prefers-color-scheme"));
    oneleader(&["replay", text(&trace), "--theme", "dark"]).refuses(&["--svg"]);
    oneleader(&["replay", text(&trace), "--svg", text(&trace)]).refuses(&["would overwrite"]);
}

#[test]
fn a_picture_of_an_earlier_run_does_not_stay_where_nothing_is_violated() {
    let (svg, _) = drawn("older-picture");
    let args = ["check", "bully", "--scenario", "pure-election", "--svg", text(&svg)];
    let ended = oneleader(&args);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("nothing was drawn") && !svg.exists(), "{}", ended.err);
}

#[test]
fn a_run_is_told_in_sentences_by_default_and_by_field_on_demand() {
    let (_, trace) = drawn("told");
    let told = oneleader(&["replay", text(&trace)]).out;
    assert!(told.contains("n1 hears of no leader. It calls an election: it asks n2."), "{told}");
    assert!(told.contains("  1–2  Time passes: 2 ticks."), "{told}");
    let details = oneleader(&["replay", text(&trace), "--details"]).out;
    assert!(details.contains("timeout n1 Coordinator"), "{details}");
    assert!(details.contains("n1: Idle -> Electing"), "{details}");
}

/// Colours go to terminals only, unless somebody insists; and NO_COLOR is stronger than that.
#[test]
fn a_diagram_has_colours_on_a_terminal_only() {
    let trace = scratch("colours").join("run.json");
    let args = ["check", "raft", "--bug", "forgets-vote", "--trace", text(&trace)];
    assert_eq!(oneleader(&args).code, 1);
    let shown = |variables: &[(&str, &str)]| {
        let mut command = command(&["replay", text(&trace), "--diagram"]);
        ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].iter().for_each(|name| {
            command.env_remove(name);
        });
        let output = command.envs(variables.iter().copied()).output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let plain = shown(&[]);
    assert!(plain.contains("    4   │") && plain.contains("Vote ───────▶●"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.lines().take(10).all(|line| line.chars().count() <= 100), "{plain}");
    assert!(shown(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}[38;5;32m"));
    assert_eq!(shown(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), plain);
}

#[test]
fn a_run_that_goes_round_is_drawn_with_its_cycle() {
    let (svg, trace) = (scratch("round").join("run.svg"), scratch("round").join("run.json"));
    let files = ["--svg", text(&svg), "--trace", text(&trace)];
    let asked = ["liveness", "raft", "--scenario", "one-way"];
    assert_eq!(oneleader(&[&asked, &files[..]].concat()).code, 0);
    assert!(read(&svg).contains("goes on for ever"));
    let again = oneleader(&["replay", text(&trace), "--svg", "-"]);
    assert_eq!(again.out, read(&svg), "{}", again.err);
    let mermaid = oneleader(&["replay", text(&trace), "--mermaid", "-"]).out;
    assert!(mermaid.contains("sequenceDiagram\n") && mermaid.contains("loop for ever\n"));
    let told = oneleader(&["replay", text(&trace)]).out;
    assert!(told.contains("from here on it goes round for ever:"), "{told}");
    let diagram = oneleader(&["replay", text(&trace), "--diagram"]).out;
    assert!(diagram.contains("from here on it goes round for ever:"), "{diagram}");
}
