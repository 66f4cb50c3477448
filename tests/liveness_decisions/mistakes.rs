//! Mistakes that other tools have made with liveness, and that are not made here: as far as a graph
//! can show them. Each test names where the mistake was found.

use super::{
    A, ALMOST, AND_ORDER, Answer, B, Decision, Edge, FOR_GOOD, NO, Question, Sketch, TIMEOUTS,
    again_and_again, confirm, decide, stable_leader,
};

/// tlaplus #839: a bound on the states cuts every infinite run, and whatever is asked of infinite
/// runs holds. Here a chain is cut at its end, and so has no infinite run at all. (That bounds are
/// marked as cuts is the affair of whoever builds the graph.)
#[test]
fn bounds_that_cut_every_run_do_not_make_it_guaranteed() {
    let chain = Sketch::new(3).ticks(&[(0, 1, A), (1, 2, A)]).cut(2);
    assert_eq!(chain.stable_leader(), Answer::Unknown { refuted: false });
    let good = Sketch::new(2).ticks(&[(0, 0, A), (0, 1, A)]).cut(1);
    assert_eq!(good.stable_leader(), Answer::Unknown { refuted: false });
}

/// tlaplus #59, #644: states are taken for one that are the same up to the names of nodes, and what
/// is said of one name is then lost. That is a mistake in building the graph. What a graph can
/// show: 0 -a-> 1 -b-> 0 becomes a loop if 0 and 1 are taken for one, and the loop must keep both
/// edges, which no mask covers. A builder that kept one of them would make it good.
#[test]
fn states_that_are_the_same_up_to_names_keep_their_edges_apart() {
    let apart = Sketch::new(2).ticks(&[(0, 1, A), (1, 0, B)]);
    assert_eq!(apart.stable_leader(), Answer::Never);
    let merged = Sketch::new(1).ticks(&[(0, 0, A), (0, 0, B)]);
    assert_eq!(merged.graph().unwrap().edges(), 2);
    assert_eq!(merged.stable_leader(), ALMOST);
}

/// tlaplus #971: with several workers a violation is missed. Deciding is done by one; but many
/// workers give states other numbers, so the answer must not depend on them. All 24 ways to number
/// four states.
#[test]
fn the_answer_does_not_depend_on_how_states_are_numbered() {
    let ticks = [(0, 1, NO), (1, 0, A), (1, 2, NO), (2, 2, A), (0, 3, B), (3, 3, B), (3, 2, A)];
    let orders: Vec<Vec<u32>> = (0..256_u32)
        .map(|code| (0..4).map(|place| code >> (2 * place) & 3).collect::<Vec<u32>>())
        .filter(|order| (0..4).all(|state| order.contains(&state)))
        .collect();
    assert_eq!(orders.len(), 24);
    for order in orders {
        let number = |state: u32| order[state as usize];
        let ticks = ticks.map(|(from, to, marks)| (number(from), number(to), marks));
        let mut sketch = Sketch::new(4).ticks(&ticks);
        sketch.starts = vec![number(0)];
        assert_eq!(sketch.stable_leader(), AND_ORDER);
    }
}

/// tlaplus #201, tla-rs #59, #64, #66: the component as a whole is bad, and then some cycle of it
/// is shown, which is not. Here a shortest cycle through the nearest state is good. What is shown
/// lacks each mask on its own edges.
#[test]
fn the_cycle_that_is_shown_is_bad_itself() {
    let sketch = Sketch::new(3).ticks(&[(0, 0, A), (0, 1, A), (1, 2, B), (2, 1, B), (2, 0, B)]);
    let graph = sketch.graph().unwrap();
    let cycle = sketch.decide(&stable_leader()).evidence.lasso.unwrap().cycle;
    for mask in [A, B] {
        assert!(cycle.iter().any(|number| !graph.edge(*number).carries(mask)));
    }
}

/// tla-rs #62, #63, #65, Apalache #2985: a run that stutters for ever is forgotten, or counted as
/// progress. Here a tick in which nothing changes is an edge like any other: it can be repeated,
/// and carries marks only if the caller says so.
#[test]
fn a_tick_in_which_nothing_changes_is_neither_forgotten_nor_progress() {
    let sketch = Sketch::new(2).ticks(&[(0, 0, NO), (0, 1, NO), (1, 1, A)]);
    assert_eq!(sketch.stable_leader(), AND_ORDER);
    assert_eq!(sketch.answer(&again_and_again(A)), AND_ORDER);
}

/// tlaplus/Examples #39: fairness makes the environment help. Here neither a crash nor the order of
/// delivery owes anything to anybody: the first never has to happen, and the second may be chosen
/// with malice, which is said.
#[test]
fn nothing_is_owed_by_the_adversary() {
    let crash = Sketch::new(2).ticks(&[(0, 0, NO), (1, 1, A)]).crash(0, 1);
    assert_eq!(crash.stable_leader(), FOR_GOOD);
    let order = Sketch::new(2).ticks(&[(0, 0, NO), (0, 1, NO), (1, 1, A)]);
    assert_eq!(order.stable_leader(), AND_ORDER);
}

/// Examples #101: "whenever a, then eventually b", and a never happens. Questions here have no
/// antecedent; whether what they speak of ever happens is asked by whoever makes the marks. A mark
/// that no edge carries makes a question fail, not hold.
#[test]
fn a_mark_that_never_occurs_does_not_make_it_hold() {
    let sketch = Sketch::new(1).ticks(&[(0, 0, A)]);
    assert_eq!(sketch.answer(&Question::Persists { one_of: vec![B] }), Answer::Never);
    assert_eq!(sketch.answer(&again_and_again(B)), Answer::Never);
}

/// hw-cbmc #2007: of two fairness assumptions one is dropped. Here the likes are two masks, and the
/// draws of two states. A cycle that lacks a, and another that lacks b, are both needed to be bad;
/// and an order must find an answer to the draws of both states at once.
#[test]
fn of_two_conditions_both_count() {
    let both = Sketch::new(2).ticks(&[(0, 0, A), (0, 1, A | B), (1, 1, A | B)]);
    assert_eq!(both.stable_leader(), Answer::Guaranteed);
    assert_eq!(both.answer(&Question::Persists { one_of: vec![B] }), AND_ORDER);
    // 0 and 1 can be gone round, 0 can be stayed in under draw 0 and 1 under draw 1; but what is
    // not drawn where it suits leads to 2.
    let draws = Sketch::new(3).drawn(0, 0, 0, NO).drawn(1, 0, 1, NO).ticks(&[(2, 2, A)]);
    assert_eq!(draws.clone().drawn(0, 1, 0, NO).drawn(1, 1, 2, NO).stable_leader(), TIMEOUTS);
    let draws = draws.drawn(0, 1, 0, NO).drawn(1, 1, 2, NO).drawn(1, 1, 1, NO);
    assert_eq!(draws.stable_leader(), AND_ORDER);
}

/// Siegel, CAV 2019: partial-order reduction on the fly postpones what it leaves out round a cycle
/// for ever. Leaving out steps is the affair of whoever builds the graph, and a proof obligation
/// there. Here nothing is left out: edges that differ in anything are all kept, of equal ones one.
#[test]
fn no_edge_is_left_out_that_differs_in_anything() {
    let edge = Edge { to: 0, marks: A, draw: 0, adversary: false };
    let differ = [edge, Edge { marks: B, ..edge }, Edge { draw: 1, ..edge }, edge];
    let mut sketch = Sketch::new(2);
    sketch.edges = differ.map(|edge| (0, edge)).to_vec();
    sketch.edges.push((0, Edge { to: 1, adversary: true, ..edge }));
    sketch.edges.push((1, Edge { to: 1, ..edge }));
    assert_eq!(sketch.graph().unwrap().edges(), 5);
}

/// stateright #3: "eventually" is forgotten where a way comes back to a state met before, by a
/// cycle or by another branch that had already seen the good thing.
#[test]
fn cycles_and_ways_that_rejoin_are_not_forgotten() {
    let cycle = Sketch::new(2).ticks(&[(0, 1, NO), (1, 0, NO)]);
    assert_eq!(cycle.answer(&again_and_again(A)), Answer::Never);
    // Behind 2 the way over 1 has seen a, the way over 3 never does.
    let rejoins = [(0, 1, A), (1, 2, A), (0, 3, NO), (3, 2, NO), (2, 2, NO)];
    assert_eq!(Sketch::new(4).ticks(&rejoins).answer(&again_and_again(A)), Answer::Never);
}

/// tlaplus #544, #1385, #1440, FizzBee #169, #212: a mode that checks nothing, or an error that
/// ends in success. (Of the commands, that is tested with the commands.) Here what cannot be
/// decided is an error, and a decision that shows nothing, or says nothing was reached, is not
/// confirmed.
#[test]
fn a_decision_that_looked_at_nothing_is_not_confirmed() {
    let sketch = Sketch::new(1).ticks(&[(0, 0, NO)]);
    let graph = sketch.graph().unwrap();
    let right = decide(&graph, &stable_leader()).unwrap();
    let blind = Decision { evidence: Default::default(), ..right.clone() };
    assert!(confirm(&graph, &stable_leader(), &blind).is_err());
    let empty = Decision { states: 0, ..right.clone() };
    assert!(confirm(&graph, &stable_leader(), &empty).is_err());
    let success = Decision { answer: Answer::Guaranteed, ..blind };
    assert!(confirm(&graph, &stable_leader(), &success).is_err());
    assert!(Sketch { starts: vec![], ..sketch }.graph().is_err());
}

/// tlaplus #1348: a place that fairness forbids to stay in is reported as a violation. Here nature
/// draws the way out of 0 with probability one: it is not lost there, however long it may take.
#[test]
fn a_place_that_chance_leaves_is_not_where_it_is_lost() {
    let sketch = Sketch::new(2).drawn(0, 0, 0, NO).drawn(1, 0, 1, NO).ticks(&[(1, 1, A)]);
    assert_eq!(sketch.stable_leader(), TIMEOUTS);
    assert_eq!(sketch.answer(&again_and_again(A)), TIMEOUTS);
}

/// Hot states: so many steps without a leader are taken for "never". A thousand are not.
#[test]
fn a_long_wait_is_not_never() {
    let chain = (0..1_000).map(|state| (state, state + 1, NO));
    let ticks: Vec<(u32, u32, u32)> = chain.chain([(1_000, 1_000, A)]).collect();
    assert_eq!(Sketch::new(1_001).ticks(&ticks).stable_leader(), Answer::Guaranteed);
    // And a bad cycle as long is found.
    let chain = (0..1_000).map(|state| (state, state + 1, A));
    let ticks: Vec<(u32, u32, u32)> = chain.chain([(1_000, 0, NO)]).collect();
    assert_eq!(Sketch::new(1_001).ticks(&ticks).stable_leader(), Answer::Never);
}
