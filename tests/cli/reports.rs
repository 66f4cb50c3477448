//! Reports and lists: JSON, JUnit, `list`.

use serde_json::Value;

use crate::{oneleader, scratch, text};

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
        "levels",
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
    assert!(
        error["message"].as_str().is_some_and(|m| m.contains("did you mean `bully`?")),
        "{error}"
    );
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
fn a_protocol_is_listed_with_its_bugs_and_where_they_were_published() {
    let ended = oneleader(&["list", "bully"]);
    assert_eq!(ended.code, 0);
    for told in [
        "Options",
        "Properties",
        "election-safety",
        "Bugs",
        "recovers-as-leader",
        "Scenarios",
        "Liveness",
    ] {
        assert!(ended.out.contains(told), "expected `{told}` in: {}", ended.out);
    }
    let all = oneleader(&["list", "--json", "-"]).json();
    let protocols = all["protocols"].as_array().expect("protocols");
    assert!(
        protocols.iter().any(|p| p["name"] == "bully" && p["bugs"][0]["published"].is_string())
    );
}
