//! `docs/scenarios.md` has every key that the files have, and no other, and the defaults are those
//! of the code.

use std::collections::BTreeMap;

use oneleader::models::raft::Raft;
use oneleader::scenario::liveness::{self, MAX_STATES};
use oneleader::scenario::{self, FuzzHints, Scenario};
use oneleader::{About, Election, Problem};
use toml::{Table, Value};

const PAGE: &str = include_str!("../docs/scenarios.md");

const ABOUT: About = About {
    name: "any",
    title: "Any protocol",
    source: "this test",
    has_terms: true,
    starts_led: false,
    notation: &[],
    options: &[],
    bugs: &[],
    corpus: "",
};

/// The keys under a heading of the page, each with its default as it stands there.
fn told(heading: &str) -> BTreeMap<&'static str, &'static str> {
    let (_, section) = PAGE.split_once(&format!("# {heading}\n")).expect("the heading");
    let rows = section.lines().skip_while(|line| !line.starts_with("| key"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`'), cells[2])
    };
    rows.map(row).collect()
}

/// The keys that the parser knows: it lists them where it refuses one.
fn known(text: &str) -> Vec<String> {
    let refused = match text.starts_with("[[liveness]]") {
        true => liveness::parse(text, &ABOUT).map(drop),
        false => scenario::parse(text, &ABOUT).map(drop),
    };
    let Problem { message, .. } = refused.expect_err("an unknown key");
    let (_, keys) = message.split_once("(there are: ").unwrap_or_else(|| panic!("{message}"));
    let (keys, _) = keys.split_once(')').expect("the end of the list");
    keys.split(", ").map(str::to_string).collect()
}

#[test]
fn the_page_has_the_keys_that_the_files_have() {
    const SCENARIO: &str = "[[scenario]]\nname = \"a\"\nnodes = 1\n";
    const LIVENESS: &str = "[[liveness]]\nname = \"a\"\nnodes = 1\n";
    for (heading, table, key) in [
        ("`[[scenario]]`", SCENARIO, "other = 1"),
        ("`bounds`", SCENARIO, "bounds = { other = 1 }"),
        ("`faults`", SCENARIO, "faults = { other = 1 }"),
        ("`topologies`", SCENARIO, "topologies = { other = 1 }"),
        ("`fuzz`", SCENARIO, "fuzz = { other = 1 }"),
        ("`twin`", SCENARIO, "twin = { other = 1 }"),
        ("`expect`", SCENARIO, "expect = { all = { other = 1 } }"),
        ("`[[liveness]]`", LIVENESS, "other = 1"),
    ] {
        let mut known = known(&format!("{table}{key}\n"));
        known.sort();
        let told: Vec<&str> = told(heading).into_keys().collect();
        assert_eq!(told, known, "{heading}");
    }
    assert_eq!(known(&format!("{LIVENESS}cut = {{ other = 1 }}\n")), ["to", "when"]);
}

/// Each default that is a value.
fn defaults(heading: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let value = |default: &'static str| default.strip_prefix('`')?.strip_suffix('`');
    told(heading).into_iter().filter_map(move |(key, default)| Some((key, value(default)?)))
}

#[test]
fn the_defaults_are_those_of_the_code() {
    let scenario = Table::try_from(Scenario::new("a", 1)).expect("plain data");
    let liveness = "[[liveness]]\nname = \"a\"\nnodes = 1\n";
    let liveness = liveness::parse(liveness, &ABOUT).expect("a table").remove(0);
    let liveness = Table::try_from(liveness).expect("plain data");
    let fuzz = Table::try_from(FuzzHints::default()).expect("plain data");
    let inner = |key: &str| scenario[key].as_table().expect("a table").clone();
    let mut compared = 0;
    for (heading, table) in [
        ("`[[scenario]]`", scenario.clone()),
        ("`faults`", inner("faults")),
        ("`topologies`", inner("topologies")),
        ("`fuzz`", fuzz),
        ("`[[liveness]]`", liveness),
    ] {
        for (key, default) in defaults(heading) {
            // Two defaults are not written.
            let unwritten = match key {
                "latency" => Value::Integer(0),
                "max_states" => Value::Integer(MAX_STATES as i64),
                _ => Value::Boolean(false),
            };
            let is = table.get(key).unwrap_or(&unwritten).to_string();
            assert_eq!(is, default, "{heading} {key}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn the_example_is_read() {
    let (_, example) = PAGE.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    #[cfg(feature = "raft")]
    let about = <Raft as Election>::about();
    assert_eq!(scenario::parse(example, about).map(|all| all.len()), Ok(1));
    assert_eq!(liveness::parse(example, about).map(|all| all.len()), Ok(1));
}
