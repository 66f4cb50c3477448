//! The guide, `docs/your-own-protocol.md`: its first version fails as the guide tells, its second
//! one passes, and the code that it shows is the code that is tested here.

use std::panic::catch_unwind;

use oneleader::testing::{assert_corpus, assert_gone};

#[allow(unreachable_pub)]
mod first;
#[allow(unreachable_pub)]
mod mended;

const GUIDE: &str = include_str!("../../docs/your-own-protocol.md");
const FIRST: &str = include_str!("first.rs");
const MENDED: &str = include_str!("mended.rs");

/// What a function says that must panic.
fn said(fails: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let said = catch_unwind(fails).expect_err("a panic");
    said.downcast_ref::<String>().expect("a message").clone()
}

fn failure() -> String {
    said(|| assert_corpus::<first::Poll>().expect("a corpus that can be read"))
}

/// The texts of the guide's blocks of this kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let begin = format!("```{kind}\n");
    let all = GUIDE.split(&begin).skip(1);
    all.map(|block| block.split("```").next().expect("an end")).collect()
}

#[test]
fn the_first_version_fails_as_the_guide_tells() {
    let failure = failure();
    let told = blocks("text").concat();
    // The guide leaves out the sentences of the second run, and ends of lines that are empty.
    for line in told.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let is_said = failure.lines().any(|said| said.trim_end() == line);
        assert!(is_said, "`{line}` is not in: {failure}");
    }
    assert!(failure.contains("oneleader::testing::assert_gone::<Poll>(r#\"{"), "{failure}");
    assert!(failure.contains("everybody-follows: expected guaranteed or almost-sure, found never"));
}

#[test]
fn the_test_to_paste_fails_until_the_mistake_is_mended() {
    let failure = failure();
    let (_, trace) = failure.split_once("assert_gone::<Poll>(r#\"").expect("a test to paste");
    let (trace, _) = trace.split_once("\"#);").expect("its end");
    let again = said(|| assert_gone::<first::Poll>(trace));
    assert!(again.contains("after 8 steps election-safety is violated again"), "{again}");
    assert_gone::<mended::Poll>(trace);
    // A trace whose steps are called otherwise says nothing, and is refused.
    let renamed = trace.replace("timeout n2", "timed out n2");
    let refused = said(|| assert_gone::<mended::Poll>(&renamed));
    assert!(refused.contains("step 1 cannot be taken any more"), "{refused}");
    let other = said(|| assert_gone::<mended::Poll>(&trace.replace("\"version\"", "\"edition\"")));
    assert!(other.contains("not a trace: the key `version` is missing"), "{other}");
}

#[test]
fn the_guide_shows_the_code_that_is_tested() {
    let code = blocks("rust,ignore");
    assert_eq!(code[0], FIRST, "the first version");
    let line = code[1].trim();
    assert!(MENDED.trim_end().ends_with(line), "{line}");
    for diff in blocks("diff").concat().lines() {
        let (text, file) = match diff.split_at_checked(1) {
            Some(("-", text)) => (text, FIRST),
            Some(("+", text)) => (text, MENDED),
            _ => continue,
        };
        assert!(file.lines().any(|line| line == text), "`{text}` is not there");
    }
    let corpus = blocks("toml").into_iter().find(|block| block.starts_with("[[scenario]]"));
    for line in corpus.expect("the corpus").lines() {
        assert!(MENDED.lines().any(|known| known.trim() == line), "`{line}`");
    }
}
