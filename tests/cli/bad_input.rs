//! What is refused, and in which words.

use crate::{file, oneleader, text};

#[test]
fn misspelt_names_are_answered_with_those_that_exist_and_the_nearest() {
    oneleader(&["check", "bully", "two-crashes"])
        .refuses(&["no protocol `two-crashes`", "--scenario two-crashes"]);
    oneleader(&["check", "raft", "forgets-vote"]).refuses(&["of raft", "--bug forgets-vote"]);
    oneleader(&["check", "buly"]).refuses(&[
        "no protocol `buly`",
        "did you mean `bully`?",
        "there are:",
    ]);
    oneleader(&["list", "buly"]).refuses(&["did you mean `bully`?"]);
    oneleader(&["explore", "buly"]).refuses(&["did you mean `bully`?"]);
    let scenario = oneleader(&["check", "bully", "--scenario", "partitoin"]);
    scenario.refuses(&["bully has no scenario `partitoin`", "did you mean `partition`?"]);
    let bug = oneleader(&["check", "bully", "--bug", "recovers-as-leadr"]);
    bug.refuses(&["bully has no bug `recovers-as-leadr`", "did you mean `recovers-as-leader`?"]);
    let property =
        oneleader(&["check", "bully", "--scenario", "partition", "--property", "election-safty"]);
    property.refuses(&["no property `election-safty`", "did you mean `election-safety`?"]);
    let option = oneleader(&["check", "bully", "--options", "no_such=1"]);
    option.refuses(&["bully has no option `no_such`", "there are:"]);
    let fault = oneleader(&["check", "bully", "--faults", "crashs=1"]);
    fault.refuses(&["unknown key `crashs`", "did you mean `crashes`?", "in `faults`"]);
    oneleader(&["check", "bully", "--faults", "crashes"]).refuses(&["expected key=value"]);
    oneleader(&["check", "bully", "--engine", "compild"])
        .refuses(&["a similar value exists: 'compiled'"]);
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
    oneleader(&["check", "bully", "--faults", "restarts=1"])
        .refuses(&["as many restarts as crashes"]);
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
        oneleader(&["check", "bully", "--scenario", path])
            .refuses(&[&format!("{path}{line}"), what]);
    }
    oneleader(&["check", "bully", "--scenario", "no/such.toml"])
        .refuses(&["no/such.toml: cannot be read"]);
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
        (
            "[scenario.expect]\nall = { verdict = \"never\" }",
            4,
            "no engine gives the verdict `never`",
        ),
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
        let path =
            file("names", "name.toml", &format!("[[scenario]]\nname = \"{name}\"\nnodes = 2\n"));
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
    oneleader(&["check", "bully", "--bounds", "max_term=x"])
        .refuses(&["expected a whole number from 0 on"]);
    oneleader(&["check", "bully", "--nodes", "many"])
        .refuses(&["expected a whole number from 0 on"]);
    oneleader(&["check", "bully", "--threads", "0"]).refuses(&["expected at least 1"]);
    let shapes =
        [("[]", "expected keys with values, found a list"), ("3", "expected keys with values")];
    for (content, why) in shapes {
        let path = file("shapes", "trace.json", content);
        let ended = oneleader(&["replay", text(&path)]);
        ended.refuses(&[why]);
        assert!(!ended.err.contains("struct"), "{}", ended.err);
    }
}
