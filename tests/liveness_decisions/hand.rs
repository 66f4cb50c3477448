//! Small graphs, each with the argument for its verdict. In pictures, `a` is a tick in which node a
//! is the stable leader, `b` the same of node b, `-` a tick without either.

use super::{
    A, ALMOST, AND_ORDER, Answer, B, Defect, FOR_GOOD, Graph, GraphBuilder, NO, Question, Sketch,
    TIMEOUTS, again_and_again, confirm, decide, stable_leader,
};

fn marks_of(graph: &Graph, edges: &[u32]) -> Vec<u32> {
    edges.iter().map(|number| graph.edge(*number).marks).collect()
}

/// 0 -> 1, and a crash leads back. Budgets only fall, so no graph made of a system has this: taken
/// as it stands, a run would crash for ever.
#[test]
fn a_cycle_by_adversary_edges_is_refused() {
    let sketch = Sketch::new(2).ticks(&[(0, 1, NO), (1, 1, A)]).crash(1, 0);
    let refused = decide(&sketch.graph().unwrap(), &stable_leader());
    assert_eq!(refused, Err(Defect::AdversaryOnCycle { from: 1, to: 0 }));
    // Where it cannot be reached it does no harm.
    let mut sketch = Sketch::new(3).ticks(&[(0, 1, NO), (1, 1, A), (2, 2, A)]).crash(1, 0);
    sketch.starts = vec![2];
    assert_eq!(sketch.stable_leader(), Answer::Guaranteed);
}

/// 0 stays without a leader while nature draws one thing, and gets leader a if it draws another.
/// Each tick lets time pass, so the run that stays for ever counts: not guaranteed. Nature draws
/// the other thing at some time with probability one, whatever the order.
#[test]
fn a_bad_cycle_of_ticks_is_a_run_like_any_other() {
    let sketch = Sketch::new(2).drawn(0, 0, 0, NO).drawn(1, 0, 1, NO).ticks(&[(1, 1, A)]);
    let decision = sketch.decide(&stable_leader());
    assert_eq!(decision.answer, TIMEOUTS);
    let lasso = decision.evidence.lasso.unwrap();
    assert!(lasso.prefix.edges.is_empty());
    assert_eq!(lasso.cycle, [0]);
}

/// A tick that changes nothing is a tick. Without a leader it refutes, with one it is what is
/// wanted.
#[test]
fn a_state_that_stutters_is_a_cycle() {
    assert_eq!(Sketch::new(1).ticks(&[(0, 0, NO)]).stable_leader(), Answer::Never);
    assert_eq!(Sketch::new(1).ticks(&[(0, 0, A)]).stable_leader(), Answer::Guaranteed);
}

/// The only infinite runs are good, but in state 2 time may stop within the tick, as the caller
/// says. That comes before all else, even where something was cut. The nearer of two such states is
/// shown.
#[test]
fn where_time_stops_nothing_else_is_said() {
    let sketch = Sketch::new(4).ticks(&[(0, 1, A), (1, 1, A), (1, 2, A), (2, 3, A), (3, 3, A)]);
    assert_eq!(sketch.stable_leader(), Answer::Guaranteed);
    let decision = sketch.stop(3).stop(2).cut(1).decide(&stable_leader());
    assert_eq!(decision.answer, Answer::TimeStops);
    assert_eq!(decision.evidence.stop.unwrap().edges.len(), 2);
}

/// In state 1 nothing can happen, and no bound is to blame.
#[test]
fn a_deadlock_stops_time() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, A), (0, 1, A)]);
    assert_eq!(sketch.stable_leader(), Answer::TimeStops);
    // If a bound is to blame, nothing is known of what follows.
    assert_eq!(sketch.cut(1).stable_leader(), Answer::Unknown { refuted: false });
    // A deadlock that cannot be reached does no harm.
    assert_eq!(Sketch::new(2).ticks(&[(0, 0, A)]).stable_leader(), Answer::Guaranteed);
}

/// A crash need never happen, so where nothing else can, time stops.
#[test]
fn a_state_that_only_a_crash_leaves_stops_time() {
    let sketch = Sketch::new(2).ticks(&[(1, 1, A)]).crash(0, 1);
    assert_eq!(sketch.stable_leader(), Answer::TimeStops);
}

/// One run ends with leader a, another with leader b, and neither can change any more: each is good
/// by a mask of its own.
#[test]
fn different_runs_may_have_different_leaders() {
    let sketch = Sketch::new(3).ticks(&[(0, 1, A), (0, 2, B), (1, 1, A), (2, 2, B)]);
    assert_eq!(sketch.stable_leader(), Answer::Guaranteed);
}

/// 0 -a-> 1 -b-> 0. There is a leader in each tick, but no cycle on which it is one and the same.
#[test]
fn two_masks_that_cannot_meet_on_one_cycle_are_never_good() {
    let sketch = Sketch::new(2).ticks(&[(0, 1, A), (1, 0, B)]);
    let graph = sketch.graph().unwrap();
    let decision = sketch.decide(&stable_leader());
    assert_eq!(decision.answer, Answer::Never);
    assert_eq!(marks_of(&graph, &decision.evidence.lasso.unwrap().cycle), [A, B]);
    // Asked for some leader again and again, or for a by itself, the same graph is fine.
    assert_eq!(sketch.answer(&again_and_again(A | B)), Answer::Guaranteed);
    assert_eq!(sketch.answer(&again_and_again(A)), Answer::Guaranteed);
}

/// 0 with a loop for each leader, and nature draws which. Each loop by itself is good. A run that
/// takes both for ever is bad, and with probability one a run does.
#[test]
fn two_good_cycles_make_a_bad_run() {
    let sketch = Sketch::new(1).drawn(0, 0, 0, A).drawn(1, 0, 0, B);
    let graph = sketch.graph().unwrap();
    let decision = sketch.decide(&stable_leader());
    assert_eq!(decision.answer, ALMOST);
    assert_eq!(marks_of(&graph, &decision.evidence.lasso.unwrap().cycle), [A, B]);
}

/// Two ways lead to state 3, which was met before when the second way is looked at. What holds
/// behind it holds for both.
#[test]
fn a_diamond_that_rejoins_is_looked_at_from_both_sides() {
    let diamond = [(0, 1, NO), (0, 2, A), (1, 3, NO), (2, 3, A)];
    let sketch = Sketch::new(4).ticks(&diamond);
    assert_eq!(sketch.clone().ticks(&[(3, 3, A)]).stable_leader(), Answer::Guaranteed);
    assert_eq!(sketch.ticks(&[(3, 3, NO)]).stable_leader(), Answer::Never);
}

/// 0 -a-> 1 - -> 0: the same node leads all the time, but in each lap it has a later term, and that
/// tick carries no mark. It is replaced by itself, for ever.
#[test]
fn a_leader_that_reelects_itself_for_ever_is_not_stable() {
    assert_eq!(Sketch::new(2).ticks(&[(0, 1, A), (1, 0, NO)]).stable_leader(), Answer::Never);
}

/// State 1 looks as if it was never left. But a bound left out something that follows, which may
/// lead out of it. That it can be stayed in for ever is certain.
#[test]
fn a_cut_that_looks_like_a_bottom_is_none() {
    let sketch = Sketch::new(2).ticks(&[(0, 1, NO), (1, 1, NO)]);
    assert_eq!(sketch.clone().cut(1).stable_leader(), Answer::Unknown { refuted: true });
    let sketch = Sketch::new(2).ticks(&[(0, 1, NO), (1, 1, A)]).cut(1);
    assert_eq!(sketch.stable_leader(), Answer::Unknown { refuted: false });
}

/// A cut elsewhere takes nothing from a component that is closed and whole. It is lost there, but
/// whether no run is good is not known.
#[test]
fn a_whole_bottom_is_certain_in_spite_of_a_cut_elsewhere() {
    let sketch = Sketch::new(3).ticks(&[(0, 1, NO), (0, 2, NO), (1, 1, NO), (2, 2, NO)]).cut(1);
    let decision = sketch.decide(&stable_leader());
    assert_eq!(decision.answer, FOR_GOOD);
    assert_eq!(decision.evidence.bottom.unwrap().states, [2]);
}

/// A cut that cannot be reached does no harm.
#[test]
fn a_cut_that_cannot_be_reached_is_none() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, A), (1, 0, NO)]).cut(1);
    assert_eq!(sketch.stable_leader(), Answer::Guaranteed);
}

/// 0 has a loop with leader a, and a way round by 1 without. The component is never left. A run
/// takes the way round again and again with probability one, but need not.
#[test]
fn a_bottom_with_a_good_and_a_bad_cycle_is_not_lost_for_good() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, A), (0, 1, NO), (1, 0, NO)]);
    assert_eq!(sketch.stable_leader(), ALMOST);
    // Again and again a leader: with probability one, but an order that avoids it is free to.
    assert_eq!(sketch.answer(&again_and_again(A)), AND_ORDER);
    // Without the good loop nothing is left.
    let sketch = Sketch::new(2).ticks(&[(0, 1, NO), (1, 0, A)]);
    assert_eq!(sketch.stable_leader(), Answer::Never);
}

/// State 0 is left with a leader by draw 1. Under draw 0 the order of delivery chooses to stay. It
/// holds out as long as nature draws 0, that is not for ever.
#[test]
fn an_order_cannot_escape_what_nature_draws() {
    let sketch = Sketch::new(2).drawn(0, 0, 0, NO).drawn(0, 0, 1, NO).drawn(1, 0, 1, NO);
    assert_eq!(sketch.ticks(&[(1, 1, A)]).stable_leader(), TIMEOUTS);
}

/// As before, but under draw 1, too, some order stays. That order can hold out for ever; a random
/// one does not.
#[test]
fn an_order_that_escapes_under_every_draw_holds_out() {
    let sketch = Sketch::new(2).drawn(0, 0, 0, NO).drawn(1, 0, 1, NO).drawn(1, 0, 0, NO);
    let decision = sketch.ticks(&[(1, 1, A)]).decide(&stable_leader());
    assert_eq!(decision.answer, AND_ORDER);
    let shown = decision.evidence.end_component.unwrap();
    assert_eq!((shown.states, shown.choices), (vec![0], vec![0, 1]));
}

/// 0 and 1 can be gone round for ever by an order, but from 1 nature may also draw what leads to 2:
/// first 1 is left out, and then 0, from which nothing stays. One round of leaving out is not
/// enough.
#[test]
fn an_escape_that_only_postpones_is_none() {
    let sketch = Sketch::new(3).ticks(&[(0, 1, NO), (0, 2, NO), (2, 2, A)]);
    let sketch = sketch.drawn(0, 1, 0, NO).drawn(1, 1, 2, NO);
    assert_eq!(sketch.stable_leader(), TIMEOUTS);
}

/// From 4 nature may draw the way out, to 5. Without 4 no way leads from 3 back to the others. Then
/// 2 cannot be held, as nature may draw the way to 3. Without 2 no way leads from 0 to 1. What is
/// left are three loops, each good by itself: no order holds out. Whoever splits only once takes 0
/// and 1 for one, and as they have no mask in common, for bad.
#[test]
fn what_falls_apart_is_split_again() {
    let sketch = Sketch::new(6).ticks(&[(0, 0, A), (0, 2, NO), (1, 1, B), (1, 2, NO)]);
    let sketch = sketch.drawn(0, 2, 0, NO).drawn(0, 2, 1, NO).drawn(1, 2, 3, NO);
    let sketch = sketch.ticks(&[(3, 3, A), (3, 4, NO), (5, 5, A)]);
    let sketch = sketch.drawn(0, 4, 0, NO).drawn(1, 4, 5, NO);
    assert_eq!(sketch.stable_leader(), TIMEOUTS);
}

/// State 0 has leader a under draw 0 and, if the order likes, under draw 1; else the tick to 1 and
/// back lacks it. All that is good while it lasts is bad as a whole: the order can go round for
/// ever. As 0 is left for a good state 2 by some order, it is almost sure.
#[test]
fn an_end_component_of_good_parts_may_be_bad_as_a_whole() {
    let sketch = Sketch::new(3).drawn(0, 0, 0, A).drawn(1, 0, 0, A).drawn(1, 0, 1, NO);
    let sketch = sketch.drawn(1, 0, 2, NO).ticks(&[(1, 0, NO), (2, 2, B)]);
    let decision = sketch.decide(&stable_leader());
    assert_eq!(decision.answer, AND_ORDER);
    assert_eq!(decision.evidence.end_component.unwrap().choices.len(), 4);
}

/// Under draw 1 only a tick with a leader is there to pick, so no order avoids it. With a second
/// tick to pick, without a leader, one does.
#[test]
fn an_order_avoids_a_recurring_mark_only_if_each_draw_lets_it() {
    let sketch = Sketch::new(1).drawn(0, 0, 0, NO).drawn(1, 0, 0, A);
    assert_eq!(sketch.answer(&again_and_again(A)), TIMEOUTS);
    let sketch = sketch.drawn(1, 0, 0, NO);
    assert_eq!(sketch.answer(&again_and_again(A)), AND_ORDER);
}

/// State 0 never has a leader unless a crash happens, which need not. A bottom must not be missed
/// because an edge of the adversary leads out of it.
#[test]
fn a_crash_that_would_help_need_never_happen() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, NO), (1, 1, A)]).crash(0, 1);
    let decision = sketch.decide(&stable_leader());
    assert_eq!(decision.answer, FOR_GOOD);
    assert_eq!(decision.evidence.bottom.unwrap().states, [0]);
    assert_eq!((decision.states, decision.components, decision.bottoms), (2, 2, 2));
}

/// State 0 has a leader until a crash, which may happen.
#[test]
fn a_crash_that_would_harm_can_happen() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, A), (1, 1, NO)]).crash(0, 1);
    assert_eq!(sketch.stable_leader(), FOR_GOOD);
    // Elections after a crash, until nature draws a leader.
    let sketch = Sketch::new(3).ticks(&[(0, 0, A), (2, 2, B)]).crash(0, 1);
    let sketch = sketch.drawn(0, 1, 1, NO).drawn(1, 1, 2, NO);
    assert_eq!(sketch.stable_leader(), TIMEOUTS);
}

/// The tick of the crash carries no mark, but happens at most once.
#[test]
fn a_tick_of_the_adversary_disturbs_once() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, A), (1, 1, A)]).crash(0, 1);
    assert_eq!(sketch.stable_leader(), Answer::Guaranteed);
    assert_eq!(sketch.answer(&again_and_again(A)), Answer::Guaranteed);
}

/// In 1 a good loop is left, in 3, further away, none. What is worse is said and shown.
#[test]
fn of_two_places_where_it_is_lost_the_one_without_hope_is_shown() {
    let sketch = Sketch::new(4).ticks(&[(0, 1, NO), (1, 1, A), (1, 1, B), (0, 2, NO), (2, 3, NO)]);
    let hopeful = sketch.clone().ticks(&[(3, 3, A)]).decide(&stable_leader());
    assert_eq!(hopeful.answer, ALMOST);
    let sketch = sketch.ticks(&[(3, 3, NO)]);
    let decision = sketch.decide(&stable_leader());
    assert_eq!(decision.answer, FOR_GOOD);
    let bottom = decision.evidence.bottom.unwrap();
    assert_eq!((bottom.states, bottom.prefix.edges.len()), (vec![3], 2));
    // What is shown for the other is there as well; but that there is hope everywhere is not so.
    assert!(confirm(&sketch.graph().unwrap(), &stable_leader(), &hopeful).is_err());
}

/// The nearest start is where the shortest run begins.
#[test]
fn runs_begin_at_any_start() {
    let mut sketch = Sketch::new(3).ticks(&[(0, 1, A), (1, 2, A), (2, 2, NO)]);
    assert_eq!(sketch.decide(&stable_leader()).evidence.lasso.unwrap().prefix.edges.len(), 2);
    sketch.starts = vec![0, 1];
    let lasso = sketch.decide(&stable_leader()).evidence.lasso.unwrap();
    assert_eq!((lasso.prefix.start, lasso.prefix.edges.len()), (1, 1));
}

/// A mask that asks for nothing is carried by every tick; without any mask no run is good.
#[test]
fn a_question_that_asks_for_nothing_is_taken_at_its_word() {
    let sketch = Sketch::new(1).ticks(&[(0, 0, NO)]);
    assert_eq!(sketch.answer(&Question::Persists { one_of: vec![0] }), Answer::Guaranteed);
    assert_eq!(sketch.answer(&Question::Persists { one_of: vec![] }), Answer::Never);
    assert_eq!(sketch.answer(&again_and_again(0)), Answer::Never);
}

#[test]
fn a_graph_that_makes_no_sense_is_refused() {
    assert_eq!(GraphBuilder::new().build().err(), Some(Defect::NoStart));
    let elsewhere = Sketch::new(1).ticks(&[(0, 7, A)]);
    assert_eq!(elsewhere.graph().err(), Some(Defect::NoSuchState(7)));
    let mut nowhere = Sketch::new(1).ticks(&[(0, 0, A)]);
    nowhere.starts = vec![1];
    assert_eq!(nowhere.graph().err(), Some(Defect::NoSuchState(1)));
}
