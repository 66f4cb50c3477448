//! Where checking starts, if not at the very first state: after steps given by name, or in the first state, along a
//! shortest run, in which a predicate holds.
//!
//! Predicates: `n2 leads`, `n2 leads term 1`, `n3 follows n2`, `n1 is down`, `n1 in term 2`, joined by ` and `.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use stateright::actor::Id;

use crate::election::{Election, Term};
use crate::names;
use crate::system::{Step, StepOf, System, SystemState};

/// How many states a predicate is looked for in.
const MAX_STATES: usize = 2_000_000;

/// The steps from the very first state to the one where checking starts; or what is wrong.
pub fn prefix<E: Election>(
    system: &System<E>,
    when: Option<&str>,
    steps: &[String],
) -> Result<Vec<StepOf<E>>, String> {
    match when {
        Some(predicate) => reach(system, predicate),
        None => follow(system, steps),
    }
}

/// Finds the steps with these names, one after the other.
pub fn follow<E: Election>(system: &System<E>, steps: &[String]) -> Result<Vec<StepOf<E>>, String> {
    let mut state = system.origin();
    let mut prefix = Vec::new();
    for (i, name) in steps.iter().enumerate() {
        let (step, next) = take(system, &state, name).map_err(|enabled| {
            format!("start step {} is not enabled: `{name}`; enabled were: {}", i + 1, enabled.join("; "))
        })?;
        prefix.push(step);
        state = next;
    }
    Ok(prefix)
}

/// The enabled step of that name and the state after it; or the names of the steps that are enabled.
pub fn take<E: Election>(
    system: &System<E>,
    state: &SystemState<E>,
    name: &str,
) -> Result<(StepOf<E>, SystemState<E>), Vec<String>> {
    // There are too many ways to stabilise to go through them.
    if let Some(ages) = names::ages(name) {
        let step = Step::Stabilise { ages };
        if let Some(next) = system.apply(state, &step) {
            return Ok((step, next));
        }
    }
    let mut enabled = Vec::new();
    for step in system.candidates(state) {
        let Some(next) = system.apply(state, &step) else { continue };
        let known = system.name(&step);
        if names::same(&known, name) {
            return Ok((step, next));
        }
        enabled.push(known);
    }
    if system.can_stabilise(state) {
        enabled.push(system.name(&system.stabilisation(state, |_| 0)));
    }
    Err(enabled)
}

enum Fact {
    Leads(Id, Option<Term>),
    Follows(Id, Id),
    Down(Id),
    In(Id, Term),
}

fn facts(text: &str, n: usize) -> Result<Vec<Fact>, String> {
    text.split(" and ").map(|fact| parse_fact(fact, n)).collect()
}

fn parse_fact(text: &str, n: usize) -> Result<Fact, String> {
    let wrong = || {
        format!(
            "start_when `{text}`: expected `n1 leads`, `n1 leads term 1`, `n1 follows n2`, `n1 is down` or `n1 in term 2`, \
             with nodes n1..n{n}"
        )
    };
    let node = |word: &str| match word.strip_prefix('n').and_then(|d| d.parse::<usize>().ok()) {
        Some(i) if (1..=n).contains(&i) => Ok(Id::from(i - 1)),
        _ => Err(wrong()),
    };
    let term = |word: &str| word.parse().map(Term).map_err(|_| wrong());
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [a, "leads"] => Ok(Fact::Leads(node(a)?, None)),
        [a, "leads", "term", t] => Ok(Fact::Leads(node(a)?, Some(term(t)?))),
        [a, "follows", b] => Ok(Fact::Follows(node(a)?, node(b)?)),
        [a, "is", "down"] => Ok(Fact::Down(node(a)?)),
        [a, "in", "term", t] => Ok(Fact::In(node(a)?, term(t)?)),
        _ => Err(wrong()),
    }
}

fn is_true<E: Election>(fact: &Fact, system: &System<E>, state: &SystemState<E>) -> bool {
    let of = |id: Id| (&system.actors[usize::from(id)], state.nodes[usize::from(id)].state.as_deref());
    match fact {
        Fact::Down(a) => of(*a).1.is_none(),
        Fact::Leads(a, term) => match of(*a) {
            (actor, Some(node)) => {
                actor.leads(*a, node).is_some_and(|led| term.is_none_or(|term| led == term))
            }
            _ => false,
        },
        Fact::Follows(a, b) => match of(*a) {
            (actor, Some(node)) => actor.follows(*a, node).is_some_and(|(_, leader)| leader == *b),
            _ => false,
        },
        Fact::In(a, term) => match of(*a) {
            (actor, Some(node)) => actor.term(node) == *term,
            _ => false,
        },
    }
}

/// A shortest run to a state in which the predicate holds.
fn reach<E: Election>(system: &System<E>, predicate: &str) -> Result<Vec<StepOf<E>>, String> {
    let facts = facts(predicate, system.actors.len())?;
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    // Each state with the position of its predecessor and the step between.
    let mut found: Vec<(SystemState<E>, usize, Option<StepOf<E>>)> = vec![(system.origin(), 0, None)];
    let mut at = 0;
    while at < found.len() {
        if facts.iter().all(|fact| is_true(fact, system, &found[at].0)) {
            let mut steps = Vec::new();
            while let (_, before, Some(step)) = &found[at] {
                steps.push(step.clone());
                at = *before;
            }
            steps.reverse();
            return Ok(steps);
        }
        if found.len() > MAX_STATES {
            return Err(format!("start_when `{predicate}` was not reached in {MAX_STATES} states"));
        }
        for (step, next) in system.successors(&found[at].0) {
            if system.beyond(&next).is_none() && seen.insert(hasher.hash_one(&next)) {
                found.push((next, at, Some(step)));
            }
        }
        at += 1;
    }
    Err(format!("start_when `{predicate}` is never reached"))
}
