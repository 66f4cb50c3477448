//! How the command ends when something outside goes wrong: signals, closed pipes, files, ports.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::check::scenario;
use crate::traces::saved_trace;
use crate::{command, oneleader, text};

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_runs() {
    for flag in ["--json", "--junit", "--trace"] {
        let ended = oneleader(&["check", "bully", flag, "/no/such/directory/file"]);
        ended.refuses(&["/no/such/directory/file: cannot be written"]);
        assert_eq!(ended.out, "");
    }
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
    let mut child = command(&violated)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.code() == Some(1) && output.stderr.is_empty(), "{output:?}");

    let full = || std::fs::File::create("/dev/full").expect("a full disk");
    for (args, code) in
        [(&violated[..], 1), (&["check", "bully", "--scenario", "pure-election"], 3)]
    {
        let output = command(args).stdout(full()).output().expect("the command runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(err.contains("standard output: cannot be written: No space left"), "{err}");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    for flag in ["--json", "--junit", "--trace"] {
        let ended = oneleader(&[&violated[..], &[flag, "/dev/full"]].concat());
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert!(
            ended.err.contains("/dev/full: cannot be written: No space left"),
            "{flag}: {}",
            ended.err
        );
    }
    let good = oneleader(&["check", "bully", "--scenario", "pure-election", "--json", "/dev/full"]);
    assert_eq!(good.code, 3, "a report that is lost is not good: {}", good.err);
}

/// Interrupts a run that would take hours.
#[cfg(unix)]
#[test]
fn ctrl_c_and_sigterm_tell_what_was_seen_so_far_and_exit_3() {
    for (engine, signal) in
        [("compiled", "-INT"), ("stateright-bfs", "-INT"), ("compiled", "-TERM")]
    {
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
        let report: Value =
            serde_json::from_reader(child.stdout.take().expect("piped")).expect("JSON");
        let results = report["results"].as_array().expect("results");
        assert!(
            !results.is_empty() && results.iter().all(|r| r["verdict"] == "not-refuted"),
            "{report}"
        );
        assert!(results[0]["distinct"].as_u64() > Some(0), "{report}");
    }
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
