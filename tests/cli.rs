//! The command as its users meet it: exit codes, reports, and what is said about bad input.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// How a run of the command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// The exit code, and that every one of these texts is said on standard error, without a panic.
    #[track_caller]
    fn refuses(&self, texts: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        texts.iter().for_each(|text| assert!(self.err.contains(text), "expected `{text}` in: {}", self.err));
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneleader"));
    command.args(args);
    command
}

fn oneleader(args: &[&str]) -> Ended {
    let output = command(args).output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("an exit code");
    Ended { code, out: text(output.stdout), err: text(output.stderr) }
}

/// A file of this test, in a directory of its own.
fn file(test: &str, name: &str, text: &str) -> PathBuf {
    let path = scratch(test).join(name);
    std::fs::write(&path, text).expect("a temporary file");
    path
}

fn scratch(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

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
        "=> n",
    ] {
        assert!(ended.out.contains(told), "expected `{told}` in: {}", ended.out);
    }
}

#[test]
fn every_engine_finds_a_counterexample_that_replays_and_only_breadth_first_calls_it_shortest() {
    let trace = scratch("engines").join("trace.json");
    for (engine, is_shortest) in [("compiled", true), ("stateright-bfs", true), ("stateright-dfs", false)] {
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
        assert_eq!(ended.out.contains("not a shortest run"), !is_shortest, "{engine}: {}", ended.out);
        let replayed = oneleader(&["replay", text(&trace)]);
        assert_eq!(replayed.code, 0, "{engine}: {}{}", replayed.out, replayed.err);
        assert!(replayed.out.contains("election-safety is violated after"), "{engine}: {}", replayed.out);
    }
}

#[test]
fn a_run_that_stops_early_refutes_nothing_and_exits_3() {
    let ended = oneleader(&["check", "bully", "--scenario", "crash-and-restart", "--max-states", "100"]);
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("not-refuted"), "{}", ended.out);
}

#[test]
fn a_simulation_is_a_sample_and_needs_an_end() {
    let simulate = ["check", "bully", "--scenario", "crash-and-restart", "--engine", "stateright-simulation"];
    oneleader(&simulate).refuses(&["--max-states or --time-limit"]);
    let ended = oneleader(&[&simulate[..], &["--max-states", "500", "--seed", "7"]].concat());
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("not-refuted (sampled"), "{}", ended.out);
    let with_seed = ["check", "bully", "--scenario", "partition", "--seed", "7"];
    oneleader(&with_seed).refuses(&["--seed is for --engine walk or stateright-simulation"]);
}

#[test]
fn a_budget_that_never_fires_is_vacuous() {
    let alone = "[[scenario]]\nname = \"alone\"\nnodes = 1\ntiming = \"timed\"\nfaults = { losses = 1 }\n";
    let path = file("vacuous", "alone.toml", alone);
    let ended = oneleader(&["check", "bully", "--scenario", text(&path)]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("vacuous (the budget for `losses` never fired)"), "{}", ended.out);
}

#[test]
fn the_json_report_is_one_object_with_the_keys_of_the_contract() {
    let ended = oneleader(&["check", "bully", "--bug", "recovers-as-leader", "--json", "-"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    let report = ended.json();
    assert_eq!(report["version"], 1);
    let results = report["results"].as_array().expect("an array");
    let safety = results.iter().find(|r| r["property"] == "election-safety").expect("it is asked");
    let keys = [
        "run",
        "protocol",
        "scenario",
        "bug",
        "property",
        "kind",
        "verdict",
        "expected",
        "as_expected",
        "distinct",
        "generated",
        "depth",
        "seconds",
        "threads",
        "engine",
        "trace_steps",
        "cut",
        "coverage",
    ];
    for key in keys {
        assert!(safety.get(key).is_some(), "no key {key} in {safety}");
    }
    assert_eq!(safety["protocol"], "bully");
    assert_eq!(safety["bug"], "recovers-as-leader");
    assert_eq!(safety["kind"], "safety");
    assert_eq!(safety["verdict"], "violated");
    // With a bug flag, nothing that is written counts.
    assert_eq!(safety["expected"], Value::Null);
    assert_eq!(safety["as_expected"], false);
    assert_eq!(safety["trace_steps"], 6);
    assert_eq!(safety["engine"], "compiled");
}

#[test]
fn bad_input_is_json_where_json_is_wanted() {
    let unknown = oneleader(&["check", "buly", "--json", "-"]);
    assert_eq!(unknown.code, 2);
    let error = &unknown.json()["error"];
    assert!(error["message"].as_str().is_some_and(|m| m.contains("did you mean `bully`?")), "{error}");
    assert_eq!((&error["file"], &error["line"]), (&Value::Null, &Value::Null));

    let usage = oneleader(&["check", "--nonsense", "--json=-"]);
    assert_eq!(usage.code, 2);
    assert!(usage.json()["error"]["message"].as_str().is_some_and(|m| m.contains("--nonsense")));
}

#[test]
fn the_junit_report_has_a_case_for_each_property() {
    let path = scratch("junit").join("report.xml");
    let args = ["check", "bully", "--bug", "recovers-as-leader", "--quiet", "--junit", text(&path)];
    assert_eq!(oneleader(&args).code, 1);
    let report = std::fs::read_to_string(&path).expect("the report");
    assert!(report.contains("<testsuite name=\"bully\" tests=\"2\" failures=\"1\""), "{report}");
    let case = "<testcase classname=\"bully.recovers-as-leader\" name=\"election-safety\"";
    assert!(report.contains(case), "{report}");
    assert!(report.contains("<failure message=\"violated: "), "{report}");
}

#[test]
fn misspelt_names_are_answered_with_those_that_exist_and_the_nearest() {
    oneleader(&["check", "bully", "two-crashes"])
        .refuses(&["no protocol `two-crashes`", "--scenario two-crashes"]);
    oneleader(&["check", "raft", "forgets-vote"]).refuses(&["of raft", "--bug forgets-vote"]);
    oneleader(&["check", "buly"]).refuses(&["no protocol `buly`", "did you mean `bully`?", "there are:"]);
    oneleader(&["list", "buly"]).refuses(&["did you mean `bully`?"]);
    oneleader(&["explore", "buly"]).refuses(&["did you mean `bully`?"]);
    let scenario = oneleader(&["check", "bully", "--scenario", "partitoin"]);
    scenario.refuses(&["bully has no scenario `partitoin`", "did you mean `partition`?"]);
    let bug = oneleader(&["check", "bully", "--bug", "recovers-as-leadr"]);
    bug.refuses(&["bully has no bug `recovers-as-leadr`", "did you mean `recovers-as-leader`?"]);
    let property = oneleader(&["check", "bully", "--scenario", "partition", "--property", "election-safty"]);
    property.refuses(&["no property `election-safty`", "did you mean `election-safety`?"]);
    let option = oneleader(&["check", "bully", "--options", "no_such=1"]);
    option.refuses(&["bully has no option `no_such`", "there are:"]);
    let fault = oneleader(&["check", "bully", "--faults", "crashs=1"]);
    fault.refuses(&["unknown field `crashs`", "`crashes`"]);
    oneleader(&["check", "bully", "--faults", "crashes"]).refuses(&["expected key=value"]);
    oneleader(&["check", "bully", "--engine", "compild"]).refuses(&["compiled"]);
}

#[test]
fn impossible_values_are_refused_with_what_was_expected() {
    for nodes in ["0", "200", "-3"] {
        let ended = oneleader(&["check", "bully", &format!("--nodes={nodes}")]);
        ended.refuses(&["nodes"]);
    }
    oneleader(&["check", "bully", "--faults", "restarts=1"]).refuses(&["as many restarts as crashes"]);
    let timed = oneleader(&["check", "bully", "--timing", "timed", "--network", "duplicating"]);
    timed.refuses(&["duplicating network", "no time could pass"]);
    oneleader(&["check", "bully", "--threads", "0"]).refuses(&["--threads"]);
    oneleader(&["check", "bully", "--time-limit=-1"]).refuses(&["--time-limit"]);
    oneleader(&["check", "bully", "--max-memory", "lots"]).refuses(&["expected bytes"]);
    oneleader(&["check", "--nodes", "3"]).refuses(&["which protocol?"]);
}

#[test]
fn a_broken_scenario_file_is_refused_with_file_and_line() {
    let cases = [
        ("[[scenario]]\nname = \"x\"\nnodes = \n", ":3:", ""),
        ("[[scenario]]\nname = \"x\"\nnodes = 3\nnods = 4\n", ":4:", "nods"),
        ("[[scenario]]\nname = \"x\"\nnodes = 0\n", ":3:", "1 to 16 nodes"),
        ("[[scenario]]\nname = \"x\"\nnodes = 3\nbug = \"y\"\n", ":4:", "no bug `y`"),
        ("", ": ", "at least one [[scenario]]"),
    ];
    for (i, (text, line, what)) in cases.into_iter().enumerate() {
        let path = file("broken", &format!("{i}.toml"), text);
        let path = path.to_str().expect("UTF-8");
        oneleader(&["check", "bully", "--scenario", path]).refuses(&[&format!("{path}{line}"), what]);
    }
    oneleader(&["check", "bully", "--scenario", "no/such.toml"]).refuses(&["no/such.toml: cannot be read"]);
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_runs() {
    for flag in ["--json", "--junit", "--trace"] {
        let ended = oneleader(&["check", "bully", flag, "/no/such/directory/file"]);
        ended.refuses(&["/no/such/directory/file: cannot be written"]);
        assert_eq!(ended.out, "");
    }
}

/// The trace of a shortest run to a violation.
fn saved_trace(test: &str) -> (PathBuf, Value) {
    let path = scratch(test).join("trace.json");
    oneleader(&["check", "bully", "--bug", "recovers-as-leader", "--quiet", "--trace", text(&path)]);
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
    replayed(&|trace| trace["color"] = "red".into()).refuses(&[path, "unknown field `color`"]);
    std::fs::write(path, "{\n oops }").expect("a file");
    oneleader(&["replay", path]).refuses(&[&format!("{path}:2: not a trace")]);
    oneleader(&["replay", "/no/such/trace.json"]).refuses(&["/no/such/trace.json: cannot be read"]);
    std::fs::write(path, trace.to_string()).expect("a file");
    oneleader(&["explore", "multipaxos", "--trace", path])
        .refuses(&["expected a trace of multipaxos, found one of bully"]);
}

#[test]
fn a_replay_is_exported_state_by_state() {
    let (path, trace) = saved_trace("itf");
    let itf = scratch("itf").join("trace.itf.json");
    assert_eq!(oneleader(&["replay", text(&path), "--itf", text(&itf)]).code, 0);
    let exported: Value = serde_json::from_str(&std::fs::read_to_string(itf).expect("a file")).expect("JSON");
    assert_eq!(exported["#meta"]["format"], "ITF");
    let states = exported["states"].as_array().expect("states");
    assert_eq!(states.len(), 1 + trace["steps"].as_array().expect("steps").len());
    assert_eq!(states[0]["#meta"]["index"], 0);
    assert_eq!(states[1]["step"], trace["steps"][0]);
    let variables: Vec<&str> =
        exported["vars"].as_array().expect("vars").iter().flat_map(Value::as_str).collect();
    assert!(states.iter().all(|state| variables.iter().all(|variable| state.get(variable).is_some())));
}

#[test]
fn a_protocol_is_listed_with_its_bugs_and_where_they_were_published() {
    let ended = oneleader(&["list", "bully"]);
    assert_eq!(ended.code, 0);
    for told in
        ["Options", "Properties", "election-safety", "Bugs", "recovers-as-leader", "published: ", "Scenarios"]
    {
        assert!(ended.out.contains(told), "expected `{told}` in: {}", ended.out);
    }
    let all = oneleader(&["list", "--json", "-"]).json();
    let protocols = all["protocols"].as_array().expect("protocols");
    assert!(protocols.iter().any(|p| p["name"] == "bully" && p["bugs"][0]["published"].is_string()));
}

#[test]
fn a_busy_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let ended = oneleader(&["explore", "bully", "--port", &port]);
    ended.refuses(&[&format!("127.0.0.1:{port}"), "--port"]);
}

#[test]
fn a_reader_that_goes_away_causes_no_panic() {
    let mut child = command(&["check", "bully", "--scenario", "partition"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.code().is_some() && err.is_empty(), "{:?} {err}", output.status);
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
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("    1  ")));
    input.write_all(b"\n").expect("it listens");
    assert!(lines.any(|line| line.starts_with("    2  ")));
    drop(input);
    assert!(lines.any(|line| line.contains("election-safety is violated after 6 steps")));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// Interrupts a run that would take hours.
#[cfg(unix)]
#[test]
fn ctrl_c_tells_what_was_seen_so_far_and_exits_3() {
    for engine in ["compiled", "stateright-bfs"] {
        let mut child = command(&["check", "bully", "--nodes", "7", "--timing", "timed"])
            .args([
                "--bounds",
                "max_term=none",
                "--bounds",
                "max_in_flight=none",
                "--bounds",
                "max_copies=none",
            ])
            .args(["--faults", "crashes=6,restarts=6", "--engine", engine, "--json", "-"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command runs");
        std::thread::sleep(std::time::Duration::from_secs(2));
        let id = child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status().expect("kill runs");
        assert!(kill.success());
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(3), "{engine}");
        let report: Value = serde_json::from_reader(child.stdout.take().expect("piped")).expect("JSON");
        let results = report["results"].as_array().expect("results");
        assert!(!results.is_empty() && results.iter().all(|r| r["verdict"] == "not-refuted"), "{report}");
        assert!(results[0]["distinct"].as_u64() > Some(0), "{report}");
    }
}
