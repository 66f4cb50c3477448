//! What `check` says and how it exits.

use std::path::PathBuf;

use crate::{Ended, file, oneleader, scratch, text};

#[test]
fn what_is_as_a_scenario_expects_exits_0() {
    let ended = oneleader(&["check", "bully", "--scenario", "partition"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("1 scenario: 1 as expected"), "{}", ended.out);
}

#[test]
fn the_same_violation_by_a_bug_flag_exits_1_and_is_told_step_by_step() {
    let ended = oneleader(&["check", "bully", "--bug", "recovers-as-leader"]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    for told in [
        "bug `recovers-as-leader` in its own scenario of the corpus",
        "election-safety violated in 6 steps, a shortest run",
        "both lead",
        "announces itself to n1 and leads.",
        "drawn: --svg FILE.svg",
    ] {
        assert!(ended.out.contains(told), "expected `{told}` in: {}", ended.out);
    }
}

#[test]
fn every_engine_finds_a_counterexample_that_replays_and_only_breadth_first_calls_it_shortest() {
    let trace = scratch("engines").join("trace.json");
    for (engine, is_shortest) in
        [("compiled", true), ("stateright-bfs", true), ("stateright-dfs", false)]
    {
        let ended = oneleader(&[
            "check",
            "bully",
            "--scenario",
            "partition",
            "--property",
            "election-safety",
            "--engine",
            engine,
            "--trace",
            text(&trace),
        ]);
        assert_eq!(
            ended.out.contains("not a shortest run"),
            !is_shortest,
            "{engine}: {}",
            ended.out
        );
        let replayed = oneleader(&["replay", text(&trace)]);
        assert_eq!(replayed.code, 0, "{engine}: {}{}", replayed.out, replayed.err);
        assert!(
            replayed.out.contains("election-safety is violated after"),
            "{engine}: {}",
            replayed.out
        );
    }
}

#[test]
fn a_run_that_stops_early_refutes_nothing_and_exits_3() {
    let ended =
        oneleader(&["check", "bully", "--scenario", "crash-and-restart", "--max-states", "100"]);
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("not-refuted"), "{}", ended.out);
}

#[test]
fn a_simulation_is_a_sample_and_needs_an_end() {
    let simulate =
        ["check", "bully", "--scenario", "crash-and-restart", "--engine", "stateright-simulation"];
    oneleader(&simulate).refuses(&["--max-states or --time-limit"]);
    let ended = oneleader(&[&simulate[..], &["--max-states", "500", "--seed", "7"]].concat());
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("not-refuted (sampled"), "{}", ended.out);
    let with_seed = ["check", "bully", "--scenario", "partition", "--seed", "7"];
    oneleader(&with_seed).refuses(&["--seed is for --engine walk or stateright-simulation"]);
}

#[test]
fn a_budget_that_never_fires_is_vacuous() {
    let alone =
        "[[scenario]]\nname = \"alone\"\nnodes = 1\ntiming = \"timed\"\nfaults = { losses = 1 }\n";
    let path = file("vacuous", "alone.toml", alone);
    let ended = oneleader(&["check", "bully", "--scenario", text(&path)]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(
        ended.out.contains("vacuous (the budget for `losses` never fired within the bounds)"),
        "{}",
        ended.out
    );
}

#[test]
fn pinned_counts_are_looked_at_whether_or_not_anything_is_expected() {
    let small = "nodes = 2\nbounds = { max_term = 1, max_copies = 1 }";
    let counted = |lines: &str| {
        let path = scenario("pinned", &format!("{small}\n{lines}"));
        oneleader(&["check", "raft", "--scenario", text(&path)])
    };
    for expected in ["", "[scenario.expect]\nall = { verdict = \"holds-within-bounds\" }"] {
        let wrong = counted(&format!("distinct = 1\n{expected}"));
        assert_eq!(wrong.code, 1, "{}", wrong.out);
        for told in [
            "<- counts not as expected",
            "expected 1 distinct states, found 12",
            "0 as expected, 1 not",
        ] {
            assert!(wrong.out.contains(told), "expected `{told}` in: {}", wrong.out);
        }
        assert_eq!(counted(&format!("distinct = 12\n{expected}")).code, 0);
    }
    // Where nothing is expected, nothing is made up; and what deviates is marked.
    let row = |ended: &Ended| {
        ended.out.lines().find(|line| line.starts_with("raft  ")).expect("a row").to_string()
    };
    let open = row(&counted("distinct = 12"));
    assert!(open.contains("  holds-within-bounds  -  ") && !open.contains("<-"), "{open}");
    let wrong = row(&counted("[scenario.expect]\nall = { verdict = \"holds\" }"));
    assert!(wrong.ends_with("<- not as expected"), "{wrong}");
}

#[test]
fn pinned_counts_are_looked_at_past_a_violation_that_is_expected() {
    let lines = "nodes = 3\nbounds = { max_term = 1, max_copies = 1 }\nfaults = { crashes = 1, restarts = 1 }\n\
                 bug = \"forgets-vote\"\ndistinct = 1\n[scenario.expect]\n\
                 election-safety = { verdict = \"violated\", steps = 8 }";
    let path = scenario("pinned-violation", lines);
    let ended = oneleader(&["check", "raft", "--scenario", text(&path)]);
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.out.contains("<- counts not as expected"), "{}", ended.out);
    let early = oneleader(&["check", "raft", "--scenario", text(&path), "--max-states", "1"]);
    assert_eq!(early.code, 3, "{}", early.out);
}

#[test]
fn a_planted_bug_says_what_it_is_held_against() {
    let planted = oneleader(&["check", "raft", "--bug", "forgets-vote"]);
    assert_eq!(planted.code, 1);
    for told in [
        "<- does not hold",
        "--bug asks what a bug does: nothing is expected",
        "--scenario forgets-vote",
    ] {
        assert!(planted.out.contains(told), "expected `{told}` in: {}", planted.out);
    }
    let named = oneleader(&["check", "raft", "--scenario", "forgets-vote"]);
    assert_eq!(named.code, 0, "{}", named.out);
    assert!(named.out.contains("violated in 8") && !named.out.contains("<-"), "{}", named.out);
}

#[test]
fn what_is_told_of_a_disk_is_what_is_on_it() {
    let trace = scratch("disk").join("trace.json");
    oneleader(&["check", "raft", "--scenario", "forgets-vote", "--trace", text(&trace)]);
    let told = oneleader(&["replay", text(&trace), "--details"]).out;
    let restart = told
        .lines()
        .skip_while(|line| !line.ends_with("  restart n3"))
        .nth(1)
        .expect("n3 restarts");
    assert!(
        restart.contains("up as State { persistent: Disk { term: Term(1), voted_for: None"),
        "{told}"
    );
    assert!(
        restart.ends_with("with Disk { term: Term(1), voted_for: Some(n3), log: [] } on disk"),
        "{told}"
    );
    let vote = told
        .lines()
        .find(|line| line.contains("disk: empty -> Disk { term: Term(1), voted_for: Some(n3)"));
    assert!(vote.is_some(), "the vote is on disk before the crash: {told}");
}

#[test]
fn walks_that_cannot_take_a_step_come_to_an_end() {
    let cut = ["check", "raft", "--bounds", "max_in_flight=0", "--max-states", "300", "--engine"];
    for engine in ["walk", "stateright-simulation"] {
        let ended = oneleader(&[&cut[..], &[engine]].concat());
        assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    }
}

#[test]
fn a_start_is_never_reached_or_not_within_the_bounds() {
    let never = scenario("never", "nodes = 1\ntiming = \"timed\"\nstart_when = \"n1 is down\"");
    oneleader(&["check", "bully", "--scenario", text(&never)])
        .refuses(&["`n1 is down` is never reached: every reachable state was looked at"]);
    let small = "nodes = 2\nbounds = { max_term = 1, max_copies = 1 }";
    let beyond = scenario("beyond", &format!("{small}\nstart_when = \"n1 leads term 2\""));
    oneleader(&["check", "raft", "--scenario", text(&beyond)])
        .refuses(&["`n1 leads term 2` is not reached within the bounds (max_term cut "]);
}

#[test]
fn limits_hold_while_a_start_is_looked_for() {
    let far = "nodes = 5\nbounds = { max_term = 3 }\nstart_when = \"n1 leads term 3 and n2 leads term 3\"";
    let path = scenario("far", far);
    for (flag, most, why) in [
        ("--time-limit", "0.3", "the time limit was reached"),
        ("--max-states", "1000", "the limit of states was reached"),
        ("--max-memory", "100K", "the memory limit was reached"),
    ] {
        let ended = oneleader(&["check", "raft", "--scenario", text(&path), flag, most]);
        assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
        for told in ["not-refuted", why, "while looking for the start, `n1 leads term 3 and"] {
            assert!(ended.out.contains(told), "expected `{told}` in: {}", ended.out);
        }
    }
}

#[test]
fn the_limits_in_force_are_said() {
    let path = scenario("limits", "nodes = 2\ntiming = \"timed\"");
    let usual = oneleader(&["check", "bully", "--scenario", text(&path)]);
    assert!(usual.out.contains("timed, unordered network, no bounds"), "{}", usual.out);
    assert!(usual.out.contains("B of memory (three quarters of what is free)"), "{}", usual.out);
    let told = oneleader(&[
        "check",
        "bully",
        "--scenario",
        text(&path),
        "--max-memory",
        "2G",
        "--time-limit",
        "9",
    ]);
    assert!(told.out.contains("limits: 9 s, 2.1 GB of memory\n"), "{}", told.out);
}

/// A scenario file of this test, with the lines after its name.
pub fn scenario(test: &str, lines: &str) -> PathBuf {
    file(test, "scenario.toml", &format!("[[scenario]]\nname = \"a\"\n{lines}\n"))
}
