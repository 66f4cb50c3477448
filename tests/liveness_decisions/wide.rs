//! Graphs that have more runs than the system has: numbers have come apart, and it is forgotten how
//! far.

use std::collections::BTreeMap;

use super::brute::Tried;
use super::random::Dice;
use super::{A, ALMOST, Answer, B, Decision, NO, Question, Sketch, TIMEOUTS, again_and_again};
use oneleader::liveness::{Evidence, FALLS, RISES, decide_wide};

/// What was decided of a graph with less.
fn unknown(refuted: bool) -> Decision {
    let answer = Answer::Unknown { refuted };
    Decision { answer, evidence: Evidence::default(), states: 1, components: 1, bottoms: 1 }
}

fn wide(sketch: &Sketch, question: &Question, refuted: bool) -> Answer {
    wide_from(sketch, &sketch.starts, question, refuted)
}

/// As the system can reach these states.
fn wide_from(sketch: &Sketch, real: &[u32], question: &Question, refuted: bool) -> Answer {
    decide_wide(&sketch.graph().unwrap(), real, question, unknown(refuted)).unwrap().answer
}

fn leader() -> Question {
    Question::Persists { one_of: vec![A] }
}

/// A leads as long as one who is behind has not caught up. That cannot last for ever.
#[test]
fn nobody_catches_up_for_ever() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, A | FALLS), (0, 1, NO), (1, 0, NO)]);
    assert_eq!(wide(&sketch, &leader(), true), Answer::Never);
    // If the others may run ahead again meanwhile, it can.
    let sketch = sketch.ticks(&[(0, 0, A | RISES)]);
    assert_eq!(wide(&sketch, &leader(), true), Answer::Unknown { refuted: true });
}

/// Nobody leads until one who is behind has caught up; then A leads for good.
#[test]
fn to_catch_up_takes_its_time_and_no_more() {
    let catches_up = Sketch::new(2).ticks(&[(0, 0, FALLS), (0, 1, NO), (1, 1, A)]);
    assert_eq!(wide(&catches_up, &leader(), false), Answer::Guaranteed);
    let may_wait = catches_up.clone().drawn(1, 0, 0, NO);
    assert_eq!(wide(&may_wait, &leader(), true), TIMEOUTS);
    assert_eq!(wide(&may_wait, &again_and_again(A), true), TIMEOUTS);
    assert_eq!(wide(&may_wait, &leader(), false), Answer::Unknown { refuted: false });
    // An order that may do nothing, whatever is drawn, can hold out; and it need not be real.
    let can_wait = catches_up.ticks(&[(0, 0, NO)]);
    assert_eq!(wide(&can_wait, &leader(), true), Answer::Unknown { refuted: true });
}

/// With probability one A is followed by B; only a draw that never changes lets A stay.
#[test]
fn what_is_lost_with_probability_one_can_be_lost() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, A)]).drawn(1, 0, 1, A);
    let sketch = sketch.ticks(&[(1, 0, B)]);
    assert_eq!(wide(&sketch, &leader(), true), ALMOST);
    assert_eq!(wide(&sketch, &leader(), false), Answer::Unknown { refuted: false });
}

/// Whoever stands first may leave all others behind, and leads for ever; or be left behind, and
/// then it never leads. That is certain if the system can really come there.
#[test]
fn what_can_be_lost_must_be_real() {
    let sketch = Sketch::new(3).ticks(&[(0, 1, NO), (0, 2, NO), (1, 1, A), (2, 2, NO)]);
    assert_eq!(wide(&sketch, &leader(), true), Answer::Unknown { refuted: true });
    assert_eq!(wide_from(&sketch, &[0, 1], &leader(), true), Answer::Unknown { refuted: true });
    let lost = Answer::CanBeLost { for_good: true };
    assert_eq!(wide_from(&sketch, &[0, 2], &leader(), true), lost);
    // A draw that never changes would let A stay after all.
    let sketch = sketch.drawn(0, 2, 2, A).drawn(1, 2, 2, NO);
    assert_eq!(wide_from(&sketch, &[0, 2], &leader(), true), ALMOST);
}

/// Where time may stop, or ticks are missing, nothing is said.
#[test]
fn of_a_graph_that_is_not_whole_nothing_is_said() {
    let sketch = Sketch::new(1).ticks(&[(0, 0, NO)]);
    assert_eq!(wide(&sketch, &leader(), true), Answer::Never);
    for sketch in [sketch.clone().cut(0), sketch.stop(0)] {
        assert_eq!(wide(&sketch, &leader(), true), Answer::Unknown { refuted: true });
    }
}

/// What was certain stays so, but that no run at all is good says more.
#[test]
fn what_is_known_already_stays() {
    let sketch = Sketch::new(1).ticks(&[(0, 0, NO)]);
    let graph = sketch.graph().unwrap();
    for (known, now) in [(ALMOST, Answer::Never), (Answer::TimeStops, Answer::TimeStops)] {
        let narrow = Decision { answer: known, ..unknown(true) };
        assert_eq!(decide_wide(&graph, &[0], &leader(), narrow).unwrap().answer, now);
    }
}

#[test]
fn ten_thousand_small_graphs_are_decided_as_if_everything_was_tried() {
    let mut dice = Dice(0x71de);
    let mut met: BTreeMap<String, u32> = BTreeMap::new();
    for i in 0..10_000 {
        let (mut sketch, question) = (dice.sketch(5, 9), dice.question());
        sketch.cut.retain(|_| i % 10 == 0);
        for (_, edge) in &mut sketch.edges {
            edge.marks |= [0, 0, FALLS, RISES][dice.roll(4) as usize];
        }
        let tried = Tried::new(&sketch);
        let refuted = dice.roll(3) > 0;
        let is_real =
            |state: &u32| tried.is_reached(*state) && (sketch.starts.contains(state) || i % 2 == 0);
        let real: Vec<u32> = (0..sketch.states).filter(is_real).collect();
        let answer = wide_from(&sketch, &real, &question, refuted);
        let expected = tried.wide_answer(&real, &question, refuted);
        assert_eq!(answer, expected, "{sketch:?} {question:?}");
        *met.entry(format!("{answer:?}")).or_default() += 1;
    }
    assert!(met.len() == 7 && met.values().all(|count| *count >= 50), "{met:?}");
}
