//! The tables of liveness in the protocols' pages say what the corpora expect, and why.

use oneleader::election::About;
use oneleader::models;
use oneleader::scenario::liveness::{LivenessScenario, parse};
use oneleader::semantics::Timing;

const HEADER: &str = "| system | answer | why |\n|---|---|---|\n";

/// The row of a system: the answer on a stable leader, or on whether everybody learns.
fn row(scenario: &LivenessScenario) -> String {
    let expected = |question: &str| scenario.expect.get(question);
    let answer = expected("stable-leader").or_else(|| expected("everybody-learns"));
    let answer = answer.unwrap_or_else(|| panic!("`{}` expects no answer", scenario.name));
    format!("| `{}` | {answer} | {} |", scenario.name, scenario.note)
}

fn expect_table(about: &'static About) {
    let page = format!("{}/models/{}/README.md", env!("CARGO_MANIFEST_DIR"), about.name);
    let page = std::fs::read_to_string(&page).unwrap_or_else(|why| panic!("{page}: {why}"));
    let (_, table) = page.split_once(HEADER).unwrap_or_else(|| panic!("{}: no table", about.name));
    let told: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let scenarios = parse(about.corpus, about).unwrap_or_else(|problem| panic!("{problem}"));
    let asked = scenarios.iter().filter(|scenario| scenario.timing != Timing::Asynchronous);
    let rows: Vec<String> = asked.map(row).collect();
    for (told, row) in told.iter().zip(&rows) {
        assert_eq!(told, row, "models/{}/README.md", about.name);
    }
    assert_eq!(told.len(), rows.len(), "rows in models/{}/README.md", about.name);
}

#[test]
fn the_pages_say_what_the_corpora_expect() {
    let all = models::all();
    assert!(!all.is_empty());
    all.into_iter().for_each(expect_table);
}
