//! `oneleader fuzz` as its users meet it: what is found, shrunk, kept, replayed and repeated, and
//! what is refused.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Exit code, standard output, standard error.
fn oneleader(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_oneleader"))
        .args(args)
        .output()
        .expect("the command runs");
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
    let args = [
        "fuzz",
        "raft",
        "--bug",
        "forgets-vote",
        "--seed",
        "1",
        "--keep",
        directory,
        "--json",
        "-",
    ];
    let (code, out, err) = oneleader(&args);
    assert_eq!(code, 1, "{out}{err}");
    let result =
        serde_json::from_str::<Value>(&out).expect("one JSON object")["results"][0].clone();
    assert_eq!(
        (result["verdict"].as_str(), result["property"].as_str()),
        (Some("violated"), Some("election-safety"))
    );
    // Two timeouts, a vote, a crash, a restart, a second vote: eight steps are the fewest.
    assert_eq!(result["trace_steps"], 8, "{result}");

    let seeds =
        std::fs::read_to_string(kept.join("raft-forgets-vote.txt")).expect("proptest's seeds");
    assert!(seeds.contains("cc "), "{seeds}");
    let trace = kept.join("raft-forgets-vote.json");
    let (code, out, err) = oneleader(&["replay", trace.to_str().unwrap()]);
    assert!(
        code == 0 && out.contains("election-safety is violated after 8 steps"),
        "{code}: {out}{err}"
    );
}

#[test]
fn the_same_seed_gives_the_same_runs() {
    let report =
        |seed: &str| oneleader(&["fuzz", "raft", "--cases", "20", "--seed", seed, "--json", "-"]).1;
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
fn shrinking_never_makes_a_run_longer() {
    for seed in ["1", "2", "3"] {
        let args = [
            "fuzz",
            "bully",
            "--heal",
            "--bug",
            "no-second-wait",
            "--cases",
            "500",
            "--seed",
            seed,
        ];
        let (code, out, err) = oneleader(
            &[&args[..], &["--keep", scratch("shorter").to_str().unwrap(), "--json", "-"]].concat(),
        );
        assert_eq!(code, 1, "{out}{err}");
        let result =
            serde_json::from_str::<Value>(&out).expect("one JSON object")["results"][0].clone();
        let (found, shrunk) = (result["found_steps"].as_u64(), result["trace_steps"].as_u64());
        assert!(shrunk <= found, "seed {seed}: {found:?} steps, shrunk to {shrunk:?}");
    }
}

#[test]
fn recovery_is_what_each_protocol_promises() {
    // Single-decree Paxos is done when all have learned; of a group of Viewstamped Replication at
    // most f may fail.
    for protocol in ["paxos", "viewstamped"] {
        let args = ["fuzz", protocol, "--heal", "--nodes", "3", "--cases", "50", "--seed", "1"];
        let (code, out, err) = oneleader(&args);
        assert!(
            code == 0 && out.contains("nothing found in 50 runs"),
            "{protocol}: {code}: {out}{err}"
        );
    }
}

#[test]
fn after_healing_nobody_takes_the_membership_apart() {
    let options = ["--options", "membership=joint,values=4,pre_vote=true"];
    let args = ["fuzz", "raft", "--heal", "--nodes", "4", "--cases", "100", "--seed", "5"];
    let (code, out, err) = oneleader(&[&args[..], &options].concat());
    assert!(code == 0 && out.contains("nothing found in 100 runs"), "{code}: {out}{err}");
}

/// With PreVote, all links up and n3 down for good: n1 has the longer log, n2 the higher term
/// (openraft issue 1796).
const LONGER_LOG_OF_A_LOWER_TERM: &str = r#"
[[scenario]]
name = "longer-log-of-a-lower-term"
nodes = 3
options = { pre_vote = true, values = 1 }
faults = { crashes = 1, losses = 1 }
start_steps = [
    "timeout n1 Election",
    "deliver n1 -> n2 PreVote { term: 1 }",
    "deliver n2 -> n1 PreVoteGranted { term: 1 }",
    "deliver n1 -> n2 RequestVote { term: 1 }",
    "deliver n2 -> n1 Vote { term: 1 }",
    "choose n1 client = v1",
    "timeout n2 Election",
    "deliver n2 -> n3 PreVote { term: 2 }",
    "deliver n3 -> n2 PreVoteGranted { term: 2 }",
    "lose n2 -> n1 RequestVote { term: 2 }",
    "crash n3",
]
"#;

#[test]
fn a_start_is_where_the_random_faults_begin() {
    let directory = scratch("start");
    let file = directory.join("start.toml");
    std::fs::write(&file, LONGER_LOG_OF_A_LOWER_TERM).expect("a file");
    let (scenario, keep) = (file.to_str().unwrap(), directory.to_str().unwrap());
    let args = [
        "fuzz",
        "raft",
        "--heal",
        "--scenario",
        scenario,
        "--cases",
        "20",
        "--seed",
        "1",
        "--keep",
        keep,
    ];
    // A refusal hands on the higher term, so that n1 stands in a later one and wins.
    let (code, out, err) = oneleader(&args);
    assert!(code == 0 && out.contains("nothing found in 20 runs"), "{code}: {out}{err}");
    // Without, each refuses the other for ever: there is no run that recovers, so that the first
    // one shows it.
    let (code, out, err) = oneleader(&[&args[..], &["--bug", "ignores-lower-terms"]].concat());
    assert!(code == 1 && out.contains("found in run 1 of"), "{code}: {out}{err}");
    assert!(out.contains("n1 leads term 1, and {n1} are no quorum"), "{out}");
}

#[test]
fn what_healing_cannot_honour_is_refused_with_the_reason() {
    let directory = scratch("refused");
    let file = |name: &str, body: &str| {
        let path = directory.join(name);
        std::fs::write(&path, format!("[[scenario]]\nname = \"own\"\nnodes = 3\n{body}\n"))
            .expect("a file");
        path.to_str().unwrap().to_string()
    };
    let timed = file("timed.toml", "timing = \"timed\"\nstart_when = \"n3 leads\"");
    let crash = "faults = { crashes = 2 }\nstart_steps = [\"crash n1\", \"crash n2\"]";
    let too_few = file("too-few.toml", crash);
    for (args, expected) in [
        (&["bully", "--scenario", &timed][..], "keeps no time before it does"),
        (
            &["raft", "--scenario", &too_few],
            "more has failed where it starts than the group could recover from",
        ),
        (&["raft", "--timing", "timed"], "asynchronous until it does"),
        (&["raft", "--network", "duplicating"], "no time could pass"),
        (&["zab", "--options", "pings=false"], "without pings = true"),
        (&["zab", "--options", "election=oracle"], "the oracle may name another leader"),
        (&["ring", "--options", "variant=chang-roberts"], "repairs nothing"),
        (&["paxos", "--options", "election_only=true"], "nothing is ever proposed"),
    ] {
        let (code, out, err) = oneleader(&[&["fuzz"], args, &["--heal", "--cases", "5"]].concat());
        assert!(code == 2 && err.contains(expected), "{args:?}: {code}\n{out}{err}");
    }
}

#[test]
fn what_healing_changes_is_told() {
    let keep = scratch("told");
    let args = [
        "fuzz",
        "zab",
        "--heal",
        "--scenario",
        "joins-by-round",
        "--cases",
        "3",
        "--seed",
        "1",
        "--keep",
    ];
    let (_, out, err) = oneleader(&[&args[..], &[keep.to_str().unwrap()]].concat());
    assert!(out.contains("in `joins-by-round`: pings = true, not false"), "{out}{err}");
}

#[test]
fn bad_input_is_refused_in_one_sentence() {
    for (args, expected) in [
        (&["fuzz", "rafft"][..], "did you mean `raft`"),
        (&["fuzz", "raft", "--bug", "forgets-votes"], "did you mean `forgets-vote`"),
        (&["fuzz", "raft", "--nodes", "200"], "expected 1 to 16 nodes, found 200"),
        (&["fuzz", "raft", "--cases", "0"], "expected at least 1"),
        (&["fuzz", "raft", "--steps", "0"], "expected at least 1"),
        (
            &["fuzz", "raft", "--bug", "forgets-vote", "--keep", "/no/such/directory"],
            "/no/such/directory",
        ),
    ] {
        let (code, out, err) = oneleader(args);
        assert!(
            code == 2 && err.contains(expected) && !err.contains("panicked"),
            "{args:?}: {code}\n{out}{err}"
        );
    }
}
