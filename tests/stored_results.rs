//! The results that come with the protocols, `docs/results/`, are about what the corpora ask today.

use oneleader::election::{About, Catalogue};
use oneleader::models::Shipped;
use oneleader::scenario::Size;
use oneleader::scenario::liveness::{LivenessScenario, parse};
use serde_json::Value;

/// Why a row is no answer to a corpus.
fn wrong(row: &Value, about: &About, systems: &[LivenessScenario]) -> Option<String> {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    let (name, question) = (text("scenario"), text("question"));
    let Some(system) = systems.iter().find(|system| system.name == name) else {
        return Some(format!("the corpus of {} has no system `{name}`", about.name));
    };
    let expected = system.expect.get(question).map(String::as_str);
    if row["expected"].as_str() != expected || expected != Some(text("answer")) {
        return Some(format!(
            "{} {name}: to `{question}` the corpus expects {expected:?}, stored is {row}",
            about.name
        ));
    }
    (row["bug"].as_str() != system.bug.as_deref()).then(|| format!("{name}: another bug"))
}

/// What is wrong with a text of stored results.
fn stale(text: &str) -> Vec<String> {
    let stored: Value = serde_json::from_str(text).expect("JSON");
    let mut found = Vec::new();
    let commit = stored["commit"].as_str().unwrap_or("-dirty");
    if stored["date"].as_str().is_none() || commit.ends_with("-dirty") {
        found.push(format!("no day, or no commit: {commit}"));
    }
    for row in stored["liveness"].as_array().expect("answers") {
        // With few features some protocols are missing.
        let protocol = row["protocol"].as_str().expect("a protocol");
        let all = Shipped.all();
        let Some(about) = all.iter().find(|about| about.name == protocol) else { continue };
        let systems = parse(about.corpus, about).expect("the corpus is good");
        found.extend(wrong(row, about, &systems));
    }
    found
}

#[test]
fn stored_answers_are_those_that_the_corpora_expect() {
    let all = Shipped.results();
    assert!(!all.is_empty());
    for (file, text) in all {
        assert_eq!(stale(text), Vec::<String>::new(), "{file}");
        let path = format!("{}/docs/results/{file}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(std::fs::read_to_string(path).expect("the file"), text);
    }
}

#[test]
fn another_answer_and_an_unknown_system_are_noticed() {
    for (_, text) in Shipped.results() {
        let about = Shipped
            .all()
            .into_iter()
            .find(|about| text.contains(&format!("\"protocol\":\"{}\"", about.name)));
        let Some(about) = about else { continue };
        let systems = parse(about.corpus, about).expect("the corpus is good");
        let large = systems.iter().find(|system| {
            system.size == Size::Deep && text.contains(&format!("\"{}\"", system.name))
        });
        let name = &large.expect("a large system").name;
        assert!(!stale(&text.replace(&format!("\"{name}\""), "\"five-gone\"")).is_empty());
        let begin = "\"answer\":\"";
        assert!(!stale(&text.replacen(begin, "\"answer\":\"not ", 1)).is_empty());
        assert!(
            !stale(&text.replacen("\"commit\":\"", "\"commit\":\"x-dirty\",\"\":\"", 1)).is_empty()
        );
        assert!(!stale(&text.replacen("\"date\"", "\"day\"", 1)).is_empty());
    }
}
