//! Saved runs and what becomes of them.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::{command, oneleader, scratch, text};

/// The trace of a shortest run to a violation.
pub fn saved_trace(test: &str) -> (PathBuf, Value) {
    let path = scratch(test).join("trace.json");
    oneleader(&[
        "check",
        "bully",
        "--bug",
        "recovers-as-leader",
        "--quiet",
        "--trace",
        text(&path),
    ]);
    let trace = std::fs::read_to_string(&path).expect("a trace");
    (path, serde_json::from_str(&trace).expect("JSON"))
}

#[test]
fn a_trace_that_ends_without_its_violation_exits_1() {
    let (path, mut trace) = saved_trace("unfinished");
    trace["steps"].as_array_mut().expect("steps").pop();
    std::fs::write(&path, trace.to_string()).expect("a file");
    let ended = oneleader(&["replay", text(&path)]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("election-safety holds after all 5 steps"), "{}", ended.out);
}

#[test]
fn a_trace_that_diverges_says_where_and_what_was_enabled_instead() {
    let (path, mut trace) = saved_trace("diverging");
    trace["steps"][2] = "deliver n1 -> n2 Nonsense".into();
    std::fs::write(&path, trace.to_string()).expect("a file");
    let ended = oneleader(&["replay", text(&path)]);
    ended.refuses(&[
        text(&path),
        "step 3 cannot be taken any more: `deliver n1 -> n2 Nonsense`",
        "enabled instead",
    ]);
    let report = oneleader(&["replay", text(&path), "--json", "-"]);
    assert_eq!(report.code, 2);
}

#[test]
fn traces_that_are_not_understood_are_refused() {
    let (path, trace) = saved_trace("strange");
    let path = text(&path);
    let replayed = |change: &dyn Fn(&mut Value)| {
        let mut changed = trace.clone();
        change(&mut changed);
        std::fs::write(path, changed.to_string()).expect("a file");
        oneleader(&["replay", path])
    };
    assert_eq!(replayed(&|_| ()).code, 0);
    replayed(&|trace| trace["version"] = 2.into())
        .refuses(&[path, "expected a trace of version 1, found version 2"]);
    replayed(&|trace| trace["protocol"] = "buly".into()).refuses(&[path, "did you mean `bully`?"]);
    replayed(&|trace| trace["property"] = "election-safty".into())
        .refuses(&["did you mean `election-safety`?"]);
    replayed(&|trace| trace["color"] = "red".into()).refuses(&[path, "unknown key `color`"]);
    std::fs::write(path, "{\n oops }").expect("a file");
    oneleader(&["replay", path]).refuses(&[&format!("{path}:2: not a trace")]);
    oneleader(&["replay", "/no/such/trace.json"]).refuses(&["/no/such/trace.json: cannot be read"]);
    std::fs::write(path, trace.to_string()).expect("a file");
    oneleader(&["explore", "raft", "--trace", path])
        .refuses(&["expected a trace of raft, found one of bully"]);
}

#[test]
fn a_replay_is_exported_state_by_state() {
    let (path, trace) = saved_trace("itf");
    let itf = scratch("itf").join("trace.itf.json");
    assert_eq!(oneleader(&["replay", text(&path), "--itf", text(&itf)]).code, 0);
    let exported: Value =
        serde_json::from_str(&std::fs::read_to_string(itf).expect("a file")).expect("JSON");
    assert_eq!(exported["#meta"]["format"], "ITF");
    let states = exported["states"].as_array().expect("states");
    assert_eq!(states.len(), 1 + trace["steps"].as_array().expect("steps").len());
    assert_eq!(states[0]["#meta"]["index"], 0);
    assert_eq!(states[1]["step"], trace["steps"][0]);
    let variables: Vec<&str> =
        exported["vars"].as_array().expect("vars").iter().flat_map(Value::as_str).collect();
    assert!(
        states.iter().all(|state| variables.iter().all(|variable| state.get(variable).is_some()))
    );
}

#[test]
fn enter_goes_on_to_the_next_step() {
    let (path, _) = saved_trace("stepping");
    let mut child = command(&["replay", text(&path), "--step"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut input = child.stdin.take().expect("piped");
    let mut lines =
        BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("    1  ")));
    input.write_all(b"\n").expect("it listens");
    assert!(lines.any(|line| line.starts_with("    2  ")));
    drop(input);
    assert!(lines.any(|line| line.contains("election-safety is violated after 6 steps")));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_trace_of_an_earlier_run_does_not_stay_where_nothing_is_violated() {
    let (trace, _) = saved_trace("older");
    let ended =
        oneleader(&["check", "bully", "--scenario", "pure-election", "--trace", text(&trace)]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("nothing was violated: no trace was written"), "{}", ended.err);
    assert!(
        ended.err.contains("the older file there was removed") && !trace.exists(),
        "{}",
        ended.err
    );
}
