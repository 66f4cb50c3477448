//! `oneleader liveness`, and what `check` says of it.

use crate::{file, oneleader, scratch, text};

#[test]
fn an_answer_is_shown_by_a_run_that_repeats_and_replays() {
    let trace = scratch("liveness").join("chained.json");
    let ended = oneleader(&["liveness", "raft", "--scenario", "chained", "--trace", text(&trace)]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("a run that repeats for ever"), "{}", ended.out);
    assert!(ended.out.contains("and so on from"), "{}", ended.out);
    let replayed = oneleader(&["replay", text(&trace)]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    assert!(replayed.out.contains("stable-leader: never"), "{}", replayed.out);
}

/// The run that Fischer, Lynch and Paterson speak of, and that it is fair.
#[test]
fn without_time_a_fair_run_without_a_leader_is_shown_and_replays() {
    let trace = scratch("liveness").join("asynchronous.json");
    let ended =
        oneleader(&["liveness", "raft", "--scenario", "asynchronous", "--trace", text(&trace)]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("1 round a lap"), "{}", ended.out);
    assert!(ended.out.contains("n3's timer Election fires in step 12"), "{}", ended.out);
    assert!(ended.out.contains("shown by the same run"), "{}", ended.out);
    let replayed = oneleader(&["replay", text(&trace)]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
}

/// On the run n2 and n3 lead at the same time, which is another matter.
#[test]
fn a_run_about_liveness_is_taken_to_its_end() {
    let trace = scratch("liveness").join("bully.json");
    oneleader(&["liveness", "bully", "--scenario", "asynchronous", "--trace", text(&trace)]);
    let replayed = oneleader(&["replay", text(&trace)]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    assert!(replayed.out.contains("steps were taken; stable-leader"), "{}", replayed.out);
}

#[test]
fn json_says_what_must_be_random() {
    let json = oneleader(&["liveness", "raft", "--scenario", "mesh", "--json", "-"]).json();
    let rows = json["liveness"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["question"] == "stable-leader").expect("it is asked");
    assert_eq!(
        (&row["answer"], &row["random"]),
        (&"almost-sure (timeouts)".into(), &"timeouts".into())
    );
}

/// stateright's `eventually` is satisfied by any leader, and a path that comes back to a state that
/// it has seen counts for nothing. Here leaders come again and again, and none stays.
#[test]
fn leaders_that_follow_each_other_for_ever_are_told_from_one_that_stays() {
    let ended = oneleader(&["liveness", "raft", "--scenario", "chained", "--json", "-"]);
    let json = ended.json();
    let rows = json["liveness"].as_array().expect("rows");
    let answer = |question: &str| {
        let row = rows.iter().find(|row| row["question"] == question).expect("it is asked");
        row["answer"].as_str().expect("a word").to_string()
    };
    assert_eq!(answer("stable-leader"), "never");
    assert_eq!(answer("leader-again-and-again"), "guaranteed");
    assert!(rows.iter().all(|row| row["cut"].is_null() && row["states"].as_u64() > Some(1)));
}

#[test]
fn an_answer_that_is_not_as_expected_is_marked_and_exits_with_1() {
    let wrong = "[[liveness]]\nname = \"mine\"\nnodes = 3\n\
                 [liveness.expect]\nstable-leader = \"guaranteed\"\n";
    let path = file("liveness-wrong", "mine.toml", wrong);
    let ended = oneleader(&["liveness", "raft", "--scenario", text(&path)]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("<- expected: guaranteed"), "{}", ended.out);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let cases = [
        ("bug = \"no-such-bug\"", "has no bug `no-such-bug`"),
        ("faults = { duplications = 1 }", "with crashes, restarts and losses, and no other faults"),
        ("options = { values = 33 }", "with at most 32 client inputs"),
        ("start_when = \"n1 has no entry\"", "`n1 has 2 entries`, `n1 lacks entry 2` or"),
        ("start_when = \"n1 lacks entry 0\"", "`n1 has 2 entries`, `n1 lacks entry 2` or"),
        ("start_when = \"n1 has 1 entry\"", "no state is reached in which it may begin"),
        (
            "start_when = \"n1 leads\"\ncut = { to = \"star(n1)\", when = \"n1 leads\" }",
            "expected `start_when` or `cut`, which has a `when` itself, found both",
        ),
        ("topology = \"messh\"", "did you mean `mesh`?"),
        ("cut = { to = \"star(n1)\", when = \"n1 rules\" }", "expected `n1 leads`"),
        ("cut = { to = \"star(n1)\", when = \"n1 in term 2\" }", "terms are numbered anew"),
        (
            "topology = \"cut(n1-n2)\"\ncut = { to = \"mesh\", when = \"n3 leads\" }",
            "the cut must not mend links: n1 -> n2 is down before it",
        ),
        ("bug = \"votes-twice\"", "with bugs that cost no safety: `votes-twice` does"),
        (
            "timing = \"asynchronous\"\nnetwork = \"duplicating\"",
            "on a network that does not duplicate",
        ),
        ("timing = \"stabilising\"", "messages pile up for ever: expected `bounds`"),
        (
            "timing = \"stabilising\"\nmax_states = 100\nbounds = { max_term = 2 }",
            "without time there are more than 100 states",
        ),
        (
            "timing = \"asynchronous\"\ncut = { to = \"star(n1)\", when = \"n1 leads\" }",
            "where time is kept, and only there",
        ),
        (
            "timing = \"stabilising\"\nbounds = { max_term = 1 }\nstart_when = \"n1 leads\"",
            "where time is kept, and only there",
        ),
        (
            "timing = \"stabilising\"\nbounds = { max_term = 1 }\nfaults = { disk_losses = 1, \
             crashes = 1, restarts = 1 }",
            "where no disk loses what was saved",
        ),
        (
            "timing = \"asynchronous\"\nfaults = { crashes = 1 }",
            "only where nothing fails and all links are up",
        ),
        (
            "timing = \"asynchronous\"\ntopology = \"isolate(n1)\"",
            "only where nothing fails and all links are up",
        ),
        (
            "topology = \"cut(n1-n3)\"\noptions = { values = 1 }\n\
             start_when = \"n1 lacks what n3 has\"",
            "there is none between n1 and n3",
        ),
        ("expect = { stable = \"never\" }", "there is no question `stable`"),
        ("colour = 1", "unknown key `colour`"),
        ("bounds = { max_term = 3 }", "without a bound on terms: it says how they grow"),
        ("bounds = { max_in_flight = 3 }", "without a bound on messages"),
        ("[[livenes]]", "unknown key `livenes`"),
    ];
    for (i, (line, why)) in cases.into_iter().enumerate() {
        let toml = format!("[[liveness]]\nname = \"mine\"\nnodes = 3\n{line}\n");
        let path = file("liveness-refused", &format!("{i}.toml"), &toml);
        oneleader(&["liveness", "raft", "--scenario", text(&path)]).refuses(&[why]);
    }
}

#[test]
fn names_and_logs_that_are_not_there_are_refused() {
    let logs = "[[liveness]]\nname = \"logs\"\nnodes = 3\nstart_when = \"n1 lacks what n2 has\"";
    let path = file("liveness-refused", "logs.toml", logs);
    oneleader(&["liveness", "bully", "--scenario", text(&path)])
        .refuses(&["bully says of no log what is in it"]);
    oneleader(&["liveness", "raft", "--scenario", "chaned"]).refuses(&["did you mean `chained`?"]);
    oneleader(&["liveness", "rift"]).refuses(&["did you mean `raft`?"]);
}

#[test]
fn times_are_told_and_checked_by_walks() {
    let asked = ["liveness", "raft", "--scenario", "mesh", "--time", "--walks", "2000"];
    let ended = oneleader(&asked);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("until a leader stays, 8.565 ticks of 10 ms"), "{}", ended.out);
    assert!(ended.out.contains("it agrees"), "{}", ended.out);
    let ended = oneleader(&[&asked[..], &["--json", "-"]].concat());
    let json: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let time = &json["liveness"][0]["time"];
    assert_eq!((&time["median"], &time["walks"]), (&7.into(), &2000.into()), "{time}");
    assert!(json["liveness"][1]["time"].is_null(), "it is that of the first question");
    let ended = oneleader(&["liveness", "raft", "--scenario", "chained", "--time"]);
    assert!(ended.out.contains("it never happens that a leader stays"), "{}", ended.out);
    let ended = oneleader(&["liveness", "raft", "--scenario", "one-crash", "--time"]);
    assert!(
        ended.out.contains("nobody knows how likely a crash, a loss or a client's input is"),
        "{}",
        ended.out
    );
    let ended = oneleader(&[&asked[..6], &["1"]].concat());
    assert!(ended.out.contains("1 random walks: too few to say anything"), "{}", ended.out);
    oneleader(&["liveness", "raft", "--walks", "5"]).refuses(&["--time"]);
    oneleader(&["liveness", "raft", "--deep", "--scenario", "mesh"]).refuses(&["--scenario"]);
}

#[test]
fn check_answers_what_a_file_asks_about_liveness_too() {
    let both = "[[scenario]]\nname = \"safe\"\nnodes = 2\nbounds = { max_term = 1, max_copies = 1 }\n\
                [[liveness]]\nname = \"live\"\nnodes = 3\n\
                [liveness.expect]\nstable-leader = \"never\"\n";
    let path = file("liveness-beside", "both.toml", both);
    let ended = oneleader(&["check", "raft", "--scenario", text(&path)]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("1 scenario: 1 as expected"), "{}", ended.out);
    assert!(ended.out.contains("<- expected: never"), "{}", ended.out);
    let quiet = oneleader(&["check", "raft", "--quiet", "--scenario", text(&path)]);
    assert!(!quiet.out.contains("no-needless-change"), "{}", quiet.out);
    assert!(quiet.out.contains("<- expected: never"), "{}", quiet.out);
}

#[test]
fn a_message_may_take_a_tick_where_time_is_kept() {
    let scenario = "[[scenario]]\nname = \"slow\"\nnodes = 2\ntiming = \"timed\"\nlatency = 1\n\
                    bounds = { max_term = 2 }\n";
    let path = file("latency", "slow.toml", scenario);
    let args = ["check", "raft", "--scenario", text(&path)];
    for engine in ["compiled", "stateright-bfs"] {
        let ended = oneleader(&[&args[..], &["--engine", engine]].concat());
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    }
    let timeless = file("latency", "timeless.toml", &scenario.replace("timing = \"timed\"\n", ""));
    oneleader(&["check", "raft", "--scenario", text(&timeless)])
        .refuses(&["a latency is counted in ticks"]);
}
