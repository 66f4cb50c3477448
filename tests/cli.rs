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
    assert!(
        ended.out.contains("vacuous (the budget for `losses` never fired within the bounds)"),
        "{}",
        ended.out
    );
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
    fault.refuses(&["unknown key `crashs`", "did you mean `crashes`?", "in `faults`"]);
    oneleader(&["check", "bully", "--faults", "crashes"]).refuses(&["expected key=value"]);
    oneleader(&["check", "bully", "--engine", "compild"]).refuses(&["a similar value exists: 'compiled'"]);
    for (change, hint) in [
        (["--timing", "timd"], "did you mean `timed`?"),
        (["--network", "orderd"], "did you mean `ordered`?"),
        (["--bounds", "max_trem=2"], "did you mean `max_term`?"),
        (["--bounds", "max_trem=none"], "did you mean `max_term`?"),
        (["--topology", "islate(n1)"], "did you mean `isolate`?"),
    ] {
        oneleader(&["check", "bully", change[0], change[1]]).refuses(&[hint]);
    }
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
    assert!(output.status.code() == Some(0) && err.is_empty(), "{:?} {err}", output.status);
}

/// As `| head -1` and a full disk do it.
#[cfg(target_os = "linux")]
#[test]
fn the_exit_code_is_that_of_the_verdict_whoever_reads_it() {
    let violated = ["check", "bully", "--bug", "recovers-as-leader"];
    let mut child =
        command(&violated).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.code() == Some(1) && output.stderr.is_empty(), "{output:?}");

    let full = || std::fs::File::create("/dev/full").expect("a full disk");
    for (args, code) in [(&violated[..], 1), (&["check", "bully", "--scenario", "pure-election"], 3)] {
        let output = command(args).stdout(full()).output().expect("the command runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(err.contains("standard output: cannot be written: No space left"), "{err}");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    for flag in ["--json", "--junit", "--trace"] {
        let ended = oneleader(&[&violated[..], &[flag, "/dev/full"]].concat());
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert!(ended.err.contains("/dev/full: cannot be written: No space left"), "{flag}: {}", ended.err);
    }
    let good = oneleader(&["check", "bully", "--scenario", "pure-election", "--json", "/dev/full"]);
    assert_eq!(good.code, 3, "a report that is lost is not good: {}", good.err);
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
fn ctrl_c_and_sigterm_tell_what_was_seen_so_far_and_exit_3() {
    for (engine, signal) in [("compiled", "-INT"), ("stateright-bfs", "-INT"), ("compiled", "-TERM")] {
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
        let kill = Command::new("kill").args([signal, &id]).status().expect("kill runs");
        assert!(kill.success());
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(3), "{engine}");
        let report: Value = serde_json::from_reader(child.stdout.take().expect("piped")).expect("JSON");
        let results = report["results"].as_array().expect("results");
        assert!(!results.is_empty() && results.iter().all(|r| r["verdict"] == "not-refuted"), "{report}");
        assert!(results[0]["distinct"].as_u64() > Some(0), "{report}");
    }
}

/// A scenario file of this test, with the lines after its name.
fn scenario(test: &str, lines: &str) -> PathBuf {
    file(test, "scenario.toml", &format!("[[scenario]]\nname = \"a\"\n{lines}\n"))
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
        for told in
            ["<- counts not as expected", "expected 1 distinct states, found 12", "0 as expected, 1 not"]
        {
            assert!(wrong.out.contains(told), "expected `{told}` in: {}", wrong.out);
        }
        assert_eq!(counted(&format!("distinct = 12\n{expected}")).code, 0);
    }
    // Where nothing is expected, nothing is made up; and what deviates is marked.
    let row =
        |ended: &Ended| ended.out.lines().find(|line| line.starts_with("raft  ")).expect("a row").to_string();
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
    for told in
        ["<- does not hold", "--bug asks what a bug does: nothing is expected", "--scenario forgets-vote"]
    {
        assert!(planted.out.contains(told), "expected `{told}` in: {}", planted.out);
    }
    let named = oneleader(&["check", "raft", "--scenario", "forgets-vote"]);
    assert_eq!(named.code, 0, "{}", named.out);
    assert!(named.out.contains("violated in 8") && !named.out.contains("<-"), "{}", named.out);
}

#[test]
fn what_is_told_of_a_disk_is_what_is_on_it() {
    let told = oneleader(&["check", "raft", "--scenario", "forgets-vote"]).out;
    let restart =
        told.lines().skip_while(|line| !line.ends_with("  restart n3")).nth(1).expect("n3 restarts");
    assert!(
        restart.contains("up as Server { persistent: Persistent { term: Term(1), voted_for: None"),
        "{told}"
    );
    assert!(
        restart.ends_with("with Persistent { term: Term(1), voted_for: Some(n3), log: [] } on disk"),
        "{told}"
    );
    let vote = told
        .lines()
        .find(|line| line.contains("disk: empty -> Persistent { term: Term(1), voted_for: Some(n3)"));
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
    let told =
        oneleader(&["check", "bully", "--scenario", text(&path), "--max-memory", "2G", "--time-limit", "9"]);
    assert!(told.out.contains("limits: 9 s, 2.1 GB of memory\n"), "{}", told.out);
}

#[test]
fn no_file_is_written_over_another() {
    let (trace, saved) = saved_trace("overwriting");
    let folder = trace.parent().expect("a directory");
    let before = std::fs::read_to_string(&trace).expect("the trace");
    let again = folder.join("..").join("overwriting").join("trace.json");
    for args in [
        &["replay", text(&trace), "--itf", text(&trace)][..],
        &["replay", text(&trace), "--itf", text(&again)],
        &["replay", text(&trace), "--json", text(&trace)],
        &["replay", text(&trace), "--json", text(&trace), "--nonsense"],
    ] {
        let ended = oneleader(args);
        assert_eq!(ended.code, 2, "{args:?}: {}", ended.err);
        assert_eq!(std::fs::read_to_string(&trace).expect("still there"), before, "{args:?}");
    }
    oneleader(&["replay", text(&trace), "--itf", text(&again)])
        .refuses(&["--itf would overwrite what is read as the trace"]);
    let (new, newer) = (folder.join("new"), folder.join(".").join("new"));
    let _ = std::fs::remove_file(&new);
    let check = ["check", "bully", "--bug", "recovers-as-leader"];
    let both = oneleader(&[&check[..], &["--json", text(&new), "--trace", text(&newer)]].concat());
    both.refuses(&["--json and --trace name the same file"]);
    assert!(both.out.is_empty() && !new.exists());
    oneleader(&[&check[..], &["--json", "-", "--trace", "-"]].concat())
        .refuses(&["only one of --json and --trace"]);
    #[cfg(unix)]
    {
        let link = folder.join("link");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink("new", &link).expect("a link");
        oneleader(&[&check[..], &["--json", text(&new), "--junit", text(&link)]].concat())
            .refuses(&["--json and --junit name the same file"]);
        assert!(link.is_symlink(), "the link stays");
    }
    let path = scenario("overwriting", "nodes = 2");
    oneleader(&["check", "bully", "--scenario", text(&path), "--json", text(&path)])
        .refuses(&["--json would overwrite what is read as --scenario"]);
    assert_eq!(saved["protocol"], "bully");
}

#[test]
fn a_trace_of_an_earlier_run_does_not_stay_where_nothing_is_violated() {
    let (trace, _) = saved_trace("older");
    let ended = oneleader(&["check", "bully", "--scenario", "pure-election", "--trace", text(&trace)]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("nothing was violated: no trace was written"), "{}", ended.err);
    assert!(ended.err.contains("the older file there was removed") && !trace.exists(), "{}", ended.err);
}

#[test]
fn what_makes_no_sense_in_a_scenario_is_refused_with_its_line() {
    for (i, (lines, line, why)) in [
        ("tick = \"18446744073710s\"", 4, "expected at most a day"),
        ("tick = \"0s\"", 4, "expected a duration above 0"),
        ("topologies = { start = \"split(n1|n1)\" }", 4, "n1 stands twice"),
        ("topologies = { start = \"line(n1,n1)\" }", 4, "n1 stands twice"),
        ("topologies = { start = \"cut(n1-n1)\" }", 4, "cuts a node from itself"),
        ("faults = { switches = 1 }\ntopologies = { may = [\"mesh\"] }", 5, "there at the start"),
        ("fuzz = { cases = 0 }", 4, "fuzz.cases: expected at least 1"),
        ("fuzz = { steps = 0 }", 4, "fuzz.steps: expected at least 1"),
        ("fuzz = { weights = { delivr = 3 } }", 4, "did you mean `deliver`?"),
        ("fuzz = { weights = { deliver = 4000000000 } }", 4, "expected at most 1000"),
        (
            "\n[scenario.expect]\nall = { verdict = \"holds\", steps = 3 }",
            5,
            "which the verdict `holds` does not have",
        ),
        (
            "[scenario.expect]\nall = { verdict = \"guaranteed\" }",
            4,
            "no engine gives the verdict `guaranteed`",
        ),
        ("[scenario.expect]\nall = { verdict = \"never\" }", 4, "no engine gives the verdict `never`"),
        ("[scenario.expect]\nall = { verdict = \"hold\" }", 5, "did you mean `holds`?"),
        ("timing = \"timd\"", 4, "did you mean `timed`?"),
        ("network = \"orderd\"", 4, "did you mean `ordered`?"),
        ("bounds = { max_trem = 1 }", 4, "did you mean `max_term`?"),
        ("faults = { crashs = 1 }", 4, "did you mean `crashes`?"),
        ("optoins = { a = 1 }", 4, "did you mean `options`?"),
        ("bounds = { max_term = \"x\" }", 4, "expected a whole number from 0 on, found the text"),
        ("note = \"a\\u001b[31m\"", 4, "control characters"),
        ("start_steps = [\"a\\nb\"]", 4, "control characters"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = file(
            "senseless",
            &format!("{i}.toml"),
            &format!("[[scenario]]\nname = \"a\"\nnodes = 2\n{lines}\n"),
        );
        let ended = oneleader(&["check", "raft", "--scenario", text(&path)]);
        ended.refuses(&[&format!("{}:{line}: ", text(&path)), why]);
        assert!(!ended.err.contains("usize") && !ended.err.contains('\u{1b}'), "{}", ended.err);
    }
    for name in ["a\\nb", "a\\u001b[2J", " a", "", "../a", "a\\u202eb"] {
        let path = file("names", "name.toml", &format!("[[scenario]]\nname = \"{name}\"\nnodes = 2\n"));
        let ended = oneleader(&["check", "raft", "--scenario", text(&path)]);
        ended.refuses(&[&format!("{}:2: ", text(&path)), "expected a "]);
        assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);
    }
}

#[test]
fn what_makes_no_sense_on_the_command_line_is_refused() {
    oneleader(&["check", "bully", "bully"]).refuses(&["protocol `bully` is named twice"]);
    oneleader(&["check", "bully", "--faults", "crashes=1", "--faults", "crashes=2"])
        .refuses(&["--faults crashes: given twice, as 1 and as 2"]);
    oneleader(&["check", "raft", "--options", "values=1,values=2"])
        .refuses(&["--options values: given twice"]);
    oneleader(&["check", "bully", "--bounds", "max_term=x"]).refuses(&["expected a whole number from 0 on"]);
    oneleader(&["check", "bully", "--nodes", "many"]).refuses(&["expected a whole number from 0 on"]);
    oneleader(&["check", "bully", "--threads", "0"]).refuses(&["expected at least 1"]);
    let shapes = [("[]", "expected keys with values, found a list"), ("3", "expected keys with values")];
    for (content, why) in shapes {
        let path = file("shapes", "trace.json", content);
        let ended = oneleader(&["replay", text(&path)]);
        ended.refuses(&[why]);
        assert!(!ended.err.contains("struct"), "{}", ended.err);
    }
}
