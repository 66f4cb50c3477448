//! `oneleader fuzz` as its users meet it: what is found, shrunk, kept, replayed and repeated, and what is refused.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Exit code, standard output, standard error.
fn oneleader(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_oneleader")).args(args).output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

/// An empty directory of this test's own.
fn scratch(test: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(test);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    directory
}

#[test]
fn a_volatile_vote_is_found_shrunk_to_a_shortest_run_kept_and_replayed() {
    let kept = scratch("forgets-vote");
    let directory = kept.to_str().unwrap();
    let args = ["fuzz", "raft", "--bug", "forgets-vote", "--seed", "1", "--keep", directory, "--json", "-"];
    let (code, out, err) = oneleader(&args);
    assert_eq!(code, 1, "{out}{err}");
    let result = serde_json::from_str::<Value>(&out).expect("one JSON object")["results"][0].clone();
    assert_eq!(
        (result["verdict"].as_str(), result["property"].as_str()),
        (Some("violated"), Some("election-safety"))
    );
    // Two timeouts, a vote, a crash, a restart, a second vote: eight steps are the fewest.
    assert_eq!(result["trace_steps"], 8, "{result}");

    let seeds = std::fs::read_to_string(kept.join("raft-forgets-vote.txt")).expect("proptest's seeds");
    assert!(seeds.contains("cc "), "{seeds}");
    let trace = kept.join("raft-forgets-vote.json");
    let (code, out, err) = oneleader(&["replay", trace.to_str().unwrap()]);
    assert!(code == 0 && out.contains("election-safety is violated after 8 steps"), "{code}: {out}{err}");
}

#[test]
fn the_same_seed_gives_the_same_runs() {
    let report = |seed: &str| oneleader(&["fuzz", "raft", "--cases", "20", "--seed", seed, "--json", "-"]).1;
    assert_eq!(report("7"), report("7"));
    assert_ne!(report("7"), report("8"));
}

#[test]
fn what_heals_recovers_and_what_cannot_is_shrunk_and_replays() {
    let kept = scratch("recovery");
    let directory = kept.to_str().unwrap();
    let (code, out, err) = oneleader(&["fuzz", "bully", "--heal", "--cases", "30", "--seed", "1"]);
    assert!(code == 0 && out.contains("nothing found in 30 runs"), "{code}: {out}{err}");

    let (code, out, err) = oneleader(&[
        "fuzz",
        "bully",
        "--heal",
        "--bug",
        "no-second-wait",
        "--seed",
        "1",
        "--keep",
        directory,
    ]);
    assert!(code == 1 && out.contains("recovery is violated"), "{code}: {out}{err}");
    let trace = kept.join("bully-no-second-wait-recovery.json");
    let (code, out, err) = oneleader(&["replay", trace.to_str().unwrap(), "--quiet"]);
    assert!(code == 0 && out.contains("recovery is violated"), "{code}: {out}{err}");
}

#[test]
fn bad_input_is_refused_in_one_sentence() {
    for (args, expected) in [
        (&["fuzz", "rafft"][..], "did you mean `raft`"),
        (&["fuzz", "raft", "--bug", "forgets-votes"], "did you mean `forgets-vote`"),
        (&["fuzz", "raft", "--nodes", "200"], "expected 1 to 16 nodes, found 200"),
        (&["fuzz", "raft", "--cases", "0"], "expected at least 1"),
        (&["fuzz", "raft", "--steps", "0"], "expected at least 1"),
        (&["fuzz", "raft", "--bug", "forgets-vote", "--keep", "/no/such/directory"], "/no/such/directory"),
    ] {
        let (code, out, err) = oneleader(args);
        assert!(
            code == 2 && err.contains(expected) && !err.contains("panicked"),
            "{args:?}: {code}\n{out}{err}"
        );
    }
}
