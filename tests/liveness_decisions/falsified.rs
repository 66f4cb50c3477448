//! Decisions made false in one place, each of which must be noticed.

use oneleader::liveness::{Answer, Decision, Graph, Question, Random, confirm};

/// All answers there are.
pub(crate) const ANSWERS: [Answer; 9] = [
    Answer::Guaranteed,
    Answer::AlmostSure { random: Random::Timeouts },
    Answer::AlmostSure { random: Random::TimeoutsAndOrder },
    Answer::CanBeLost { for_good: false },
    Answer::CanBeLost { for_good: true },
    Answer::Never,
    Answer::TimeStops,
    Answer::Unknown { refuted: false },
    Answer::Unknown { refuted: true },
];

/// Each other answer, with the same evidence, and without any.
fn other_answers(decision: &Decision) -> impl Iterator<Item = Decision> {
    let others = ANSWERS.into_iter().filter(|answer| *answer != decision.answer);
    others.flat_map(|answer| {
        [
            Decision { answer, ..decision.clone() },
            Decision { answer, evidence: Default::default(), ..decision.clone() },
        ]
    })
}

/// The list without one of its members, for each.
fn without_one<T: Clone>(list: &[T]) -> impl Iterator<Item = Vec<T>> {
    (0..list.len()).map(|i| {
        let mut list = list.to_vec();
        list.remove(i);
        list
    })
}

/// Evidence that is wrong whatever the graph is.
fn wrong_evidence(decision: &Decision) -> Vec<Decision> {
    let mut wrong = Vec::new();
    let mut put = |change: &dyn Fn(&mut Decision)| {
        let mut changed = decision.clone();
        change(&mut changed);
        wrong.push(changed);
    };
    put(&|decision| decision.states += 1);
    if let Some(lasso) = &decision.evidence.lasso {
        put(&|decision| decision.evidence.lasso = None);
        put(&|decision| decision.evidence.lasso.as_mut().unwrap().cycle.clear());
        put(&|decision| decision.evidence.lasso.as_mut().unwrap().prefix.start = 77);
        put(&|decision| decision.evidence.lasso.as_mut().unwrap().cycle.push(1_000));
        // One lap before it begins: a run like any other, but not a shortest way.
        put(&|decision| {
            let lasso = decision.evidence.lasso.as_mut().unwrap();
            lasso.prefix.edges.extend(&lasso.cycle);
        });
        for edges in without_one(&lasso.prefix.edges) {
            put(&|decision| {
                decision.evidence.lasso.as_mut().unwrap().prefix.edges = edges.clone();
            });
        }
    }
    if let Some(bottom) = &decision.evidence.bottom {
        put(&|decision| decision.evidence.bottom = None);
        put(&|decision| decision.evidence.bottom.as_mut().unwrap().states.push(77));
        for states in without_one(&bottom.states) {
            put(&|decision| decision.evidence.bottom.as_mut().unwrap().states = states.clone());
        }
    }
    if let Some(shown) = &decision.evidence.end_component {
        put(&|decision| decision.evidence.end_component = None);
        put(&|decision| decision.evidence.end_component.as_mut().unwrap().choices.push(1_000));
        for states in without_one(&shown.states) {
            put(&|decision| {
                decision.evidence.end_component.as_mut().unwrap().states = states.clone();
            });
        }
    }
    if decision.evidence.stop.is_some() {
        put(&|decision| decision.evidence.stop = None);
        put(&|decision| decision.evidence.stop.as_mut().unwrap().start = 77);
        put(&|decision| decision.evidence.stop.as_mut().unwrap().edges.push(1_000));
    }
    wrong
}

/// Whether a cycle is closed, and bad: what `confirm` must find out, said once more.
fn is_bad_cycle(graph: &Graph, question: &Question, home: u32, cycle: &[u32]) -> bool {
    let mut at = home;
    for number in cycle {
        if *number >= graph.edges() || graph.source(*number) != at {
            return false;
        }
        at = graph.edge(*number).to;
    }
    let mut edges = cycle.iter().map(|number| graph.edge(*number));
    let is_bad = match question {
        Question::Recurs { any } => edges.clone().all(|edge| edge.marks & any == 0),
        Question::Persists { one_of } => {
            one_of.iter().all(|mask| !cycle.iter().all(|n| graph.edge(*n).marks & mask == *mask))
        }
    };
    at == home && !cycle.is_empty() && is_bad && edges.all(|edge| !edge.adversary)
}

/// Cycles that were changed in one edge. Some are bad cycles all the same: that is returned with
/// each.
fn changed_cycles(graph: &Graph, question: &Question, of: &Decision) -> Vec<(Decision, bool)> {
    let Some(lasso) = &of.evidence.lasso else { return Vec::new() };
    let home = graph.source(lasso.cycle[0]);
    let exchanged = (0..lasso.cycle.len()).flat_map(|i| {
        (0..graph.edges()).map(move |number| {
            let mut cycle = lasso.cycle.clone();
            cycle[i] = number;
            cycle
        })
    });
    let changed = without_one(&lasso.cycle).chain(exchanged);
    let judged = changed.map(|cycle| {
        let is_bad = is_bad_cycle(graph, question, home, &cycle);
        let mut decision = of.clone();
        decision.evidence.lasso.as_mut().unwrap().cycle = cycle;
        (decision, is_bad)
    });
    judged.collect()
}

/// Fails unless `confirm` notices everything that is wrong. Returns how many falsified decisions
/// there were.
pub(crate) fn changes_are_noticed(
    graph: &Graph,
    question: &Question,
    decision: &Decision,
) -> usize {
    let mut count = 0;
    for wrong in other_answers(decision).chain(wrong_evidence(decision)) {
        let said = confirm(graph, question, &wrong);
        assert!(said.is_err(), "{graph:?} {question:?}\n{decision:?}\n{wrong:?}");
        count += 1;
    }
    for (changed, is_bad) in changed_cycles(graph, question, decision) {
        let said = confirm(graph, question, &changed);
        assert_eq!(said.is_ok(), is_bad, "{graph:?} {question:?}\n{decision:?}\n{changed:?}");
        count += !is_bad as usize;
    }
    count
}
