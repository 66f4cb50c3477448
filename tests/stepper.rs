//! `replay --step`: what is on the screen while somebody walks through a run by keys.

use std::sync::Arc;

use oneleader::check;
use oneleader::cli::stepper::{View, Walk};
use oneleader::models::raft::Raft;
use oneleader::reference::erased::Erased;
use oneleader::run::trace::replay;
use oneleader::scenario::corpus;
use oneleader::{Election, Scenario};

/// The steps of the mistake that everybody sees first: two leaders in term 1 after eight steps.
fn walk() -> Walk {
    let corpus = corpus::of(Raft::about()).expect("a corpus");
    let scenario: &Scenario =
        corpus.iter().find(|s| s.name == "forgets-vote").expect("it is there");
    let checked = check::<Raft>(scenario).expect("a scenario");
    let trace = &checked.answers[0].counterexample.as_ref().expect("a run").trace;
    let system = trace.system::<Raft>().expect("a system");
    let property = trace.property::<Raft>().expect("a property");
    let run = replay(&system, property, &trace.steps);
    let steps = run.steps.into_iter().map(Erased::new).collect();
    let property = Some((property, trace.property.clone()));
    Walk::new(Arc::new(system), "raft forgets-vote".to_string(), property, steps)
}

fn screen(walk: &Walk, (width, height): (usize, usize), shows_state: bool) -> Vec<String> {
    let paint = |text: &str, _| text.to_string();
    let strong = |text: &str| text.to_string();
    let view = View { walk, shows_state, typed: "", paint: &paint, strong: &strong };
    view.lines(width, height)
}

/// The line with this text.
#[track_caller]
fn line<'a>(lines: &'a [String], text: &str) -> &'a str {
    lines.iter().find(|line| line.contains(text)).unwrap_or_else(|| {
        panic!("no `{text}` in:\n{}", lines.join("\n"));
    })
}

#[test]
fn the_run_grows_with_each_step_and_ends_in_the_violation() {
    let mut walk = walk();
    assert_eq!((walk.at(), walk.length()), (0, 8));
    let first = screen(&walk, (100, 30), false);
    line(&first, "step 0 of 8");
    line(&first, "▸ ★ timeout n1 Election");
    assert!(!first.iter().any(|line| line.contains("violated")));
    walk.go(4);
    line(&screen(&walk, (100, 30), false), "n3 leads term 1");
    walk.go(100);
    let last = screen(&walk, (100, 30), false);
    line(&last, "step 8 of 8");
    line(&last, "election-safety is violated: n3 and n1 both led term 1");
    // There is no next step of the run, and others can be taken.
    assert!(!last.iter().any(|line| line.contains('★')), "{}", last.join("\n"));
    line(&last, "6 steps can be taken");
}

#[test]
fn another_step_leads_astray_and_back() {
    let mut walk = walk();
    walk.go(6);
    let other = walk.offered().iter().position(|(name, _)| name.contains("AppendEntries"));
    walk.choose(other.expect("a heartbeat") as isize - walk.chosen() as isize);
    walk.take();
    assert!(walk.is_astray() && walk.broken().is_none());
    let astray = screen(&walk, (100, 30), false);
    line(&astray, "step 7 of 7, on steps of your own");
    line(&astray, "It follows n3.");
    walk.follow_recorded();
    assert!(!walk.is_astray());
    assert_eq!((walk.at(), walk.length()), (6, 8));
    walk.take();
    assert_eq!((walk.at(), walk.length(), walk.is_astray()), (7, 8, false));
}

#[test]
fn the_state_is_shown_in_place_of_the_diagram() {
    let mut walk = walk();
    walk.go(3);
    let state = screen(&walk, (100, 40), true);
    line(&state, "persistent.voted_for: None → n3");
    assert!(!state.iter().any(|line| line.contains('│')), "{}", state.join("\n"));
}

#[test]
fn it_fits_any_terminal() {
    let mut walk = walk();
    for at in [0, 4, 8] {
        walk.go(at);
        for size in [(200, 50), (130, 24), (100, 30), (80, 24), (40, 12), (20, 3), (1, 1)] {
            for shows_state in [false, true] {
                let lines = screen(&walk, size, shows_state);
                assert_eq!(lines.len(), size.1, "{size:?}");
                let widest = lines.iter().map(|line| line.chars().count()).max();
                // The diagram and sentences have a least width, and a terminal cuts them off.
                assert!(widest.expect("lines") <= size.0.max(60), "{size:?}: {}", lines.join("\n"));
            }
        }
    }
    let wide = screen(&walk, (160, 40), false);
    let beside = line(&wide, "6 steps can be taken");
    assert!(beside.contains("n1"), "{beside}");
}
