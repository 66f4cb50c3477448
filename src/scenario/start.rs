//! Finds the state from which checking starts, if it is not the very first state: the state after
//! steps given by name, or the nearest state in which a predicate holds.
//!
//! Predicates: `n2 leads`, `n2 leads term 1`, `n3 follows n2`, `n1 is down`, `n1 in term 2`; of
//! logs `n1 has 2 entries`, `n1 lacks entry 2`, `n1 lacks what n2 has`; joined by ` and `.
//!
//! The search for a predicate obeys [`Limits`]. For each state it keeps only a fingerprint, the
//! predecessor and the step between the two. States are computed again from these when needed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use stateright::actor::Id;

use crate::election::{Election, Term, node_name};
use crate::exploration::{Ended, Limits};
use crate::semantics::names;
use crate::semantics::{Bound, Step, StepOf, System, SystemState};

/// Why there is no state to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoStart {
    /// The steps or the predicate are wrong.
    Wrong(String),
    /// A limit ended the search.
    Ended {
        /// Which limit.
        ended: Ended,
        /// How many states had been seen.
        states: u64,
    },
}

/// The steps from the very first state to the one where checking starts.
///
/// # Errors
/// A step that is not enabled, a predicate that is not reached, or a limit.
pub fn prefix<E: Election>(
    system: &System<E>,
    when: Option<&str>,
    steps: &[String],
    limits: &Limits,
) -> Result<Vec<StepOf<E>>, NoStart> {
    match when {
        Some(predicate) => reach(system, predicate, limits),
        None => follow(system, steps).map_err(NoStart::Wrong),
    }
}

/// Finds the steps with these names, one after the other.
pub fn follow<E: Election>(system: &System<E>, steps: &[String]) -> Result<Vec<StepOf<E>>, String> {
    let mut state = system.origin();
    let mut prefix = Vec::new();
    for (i, name) in steps.iter().enumerate() {
        let (step, next) = take(system, &state, name).map_err(|enabled| {
            format!(
                "start step {} is not enabled: `{name}`; enabled were: {}",
                i + 1,
                enabled.join("; ")
            )
        })?;
        prefix.push(step);
        state = next;
    }
    Ok(prefix)
}

/// A step and the state after it; or the names of the steps that are enabled.
pub type Taken<E> = Result<(StepOf<E>, SystemState<E>), Vec<String>>;

/// The enabled step of that name.
pub fn take<E: Election>(system: &System<E>, state: &SystemState<E>, name: &str) -> Taken<E> {
    take_if(system, state, name, |step| system.apply(state, step))
}

/// The same for a step of a run about liveness, which may change nothing: see [`System::take`].
pub fn take_even_idle<E: Election>(
    system: &System<E>,
    state: &SystemState<E>,
    name: &str,
) -> Taken<E> {
    take_if(system, state, name, |step| system.take(state, step))
}

fn take_if<E: Election>(
    system: &System<E>,
    state: &SystemState<E>,
    name: &str,
    apply: impl Fn(&StepOf<E>) -> Option<SystemState<E>>,
) -> Taken<E> {
    // There may be too many steps that stabilise to list them all.
    if let Some(ages) = names::ages(name) {
        let step = Step::Stabilise { ages };
        if let Some(next) = apply(&step) {
            return Ok((step, next));
        }
    }
    let mut enabled = Vec::new();
    for step in system.candidates(state) {
        let Some(next) = apply(&step) else { continue };
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

/// Whether a predicate is true of a state.
pub fn is_so<E: Election>(system: &System<E>, state: &SystemState<E>, predicate: &str) -> bool {
    facts(predicate, system.actors.len())
        .is_ok_and(|facts| facts.iter().all(|fact| is_true(fact, system, state)))
}

/// # Errors
/// It is no predicate of a system with so many nodes, and what was expected.
pub fn expect_predicate(predicate: &str, nodes: usize) -> Result<(), String> {
    facts(predicate, nodes).map(|_| ())
}

/// # Errors
/// It is no predicate of this system, and why. Or it cannot be asked of canonical forms: in these,
/// logs are numbered alike only where nodes can reach each other.
pub fn expect_predicate_of<E: Election>(system: &System<E>, predicate: &str) -> Result<(), String> {
    let links = &system.rules.topologies[0];
    for fact in facts_of(system, predicate)? {
        if let Fact::LacksWhat(one, other) = fact
            && !links.is_up(one, other)
            && !links.is_up(other, one)
        {
            let (one, other) = (node_name(one), node_name(other));
            return Err(format!(
                "`{predicate}`: logs are compared of nodes with a link between them, and there is \
                 none between {one} and {other}"
            ));
        }
    }
    Ok(())
}

enum Fact {
    Leads(Id, Option<Term>),
    Follows(Id, Id),
    Down(Id),
    In(Id, Term),
    /// It is up, and there are just so many entries in its log.
    Entries(Id, usize),
    /// It is up, and its log does not reach as far as this entry.
    LacksEntry(Id, usize),
    /// Both are up, and the first one's log does not begin with the other's.
    LacksWhat(Id, Id),
}

impl Fact {
    fn is_of_logs(&self) -> bool {
        matches!(self, Fact::Entries(..) | Fact::LacksEntry(..) | Fact::LacksWhat(..))
    }
}

/// The facts that a predicate states of this system.
fn facts_of<E: Election>(system: &System<E>, predicate: &str) -> Result<Vec<Fact>, String> {
    let facts = facts(predicate, system.actors.len())?;
    let state = system.origin();
    let mut nodes = state.nodes.iter().zip(&system.actors);
    let has_log = nodes
        .any(|(node, actor)| node.state.as_deref().is_some_and(|state| actor.log(state).is_some()));
    if !has_log && facts.iter().any(Fact::is_of_logs) {
        let name = E::about().name;
        return Err(format!("start_when `{predicate}`: {name} says of no log what is in it"));
    }
    Ok(facts)
}

fn facts(text: &str, n: usize) -> Result<Vec<Fact>, String> {
    text.split(" and ").map(|fact| parse_fact(fact, n)).collect()
}

fn parse_fact(text: &str, n: usize) -> Result<Fact, String> {
    let wrong = || {
        format!(
            "start_when `{text}`: expected `n1 leads`, `n1 leads term 1`, `n1 follows n2`, `n1 is down`, `n1 in term 2`, \
             `n1 has 2 entries`, `n1 lacks entry 2` or `n1 lacks what n2 has`, with nodes n1..n{n}"
        )
    };
    let node = |word: &str| match word.strip_prefix('n').and_then(|d| d.parse::<usize>().ok()) {
        Some(i) if (1..=n).contains(&i) => Ok(Id::from(i - 1)),
        _ => Err(wrong()),
    };
    let term = |word: &str| word.parse().map(Term).map_err(|_| wrong());
    let place = |word: &str| word.parse().ok().filter(|place| *place > 0).ok_or_else(wrong);
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [a, "leads"] => Ok(Fact::Leads(node(a)?, None)),
        [a, "leads", "term", t] => Ok(Fact::Leads(node(a)?, Some(term(t)?))),
        [a, "follows", b] => Ok(Fact::Follows(node(a)?, node(b)?)),
        [a, "is", "down"] => Ok(Fact::Down(node(a)?)),
        [a, "in", "term", t] => Ok(Fact::In(node(a)?, term(t)?)),
        [a, "has", "1", "entry"] => Ok(Fact::Entries(node(a)?, 1)),
        [a, "has", count, "entries"] => {
            Ok(Fact::Entries(node(a)?, count.parse().map_err(|_| wrong())?))
        }
        [a, "lacks", "entry", index] => Ok(Fact::LacksEntry(node(a)?, place(index)?)),
        [a, "lacks", "what", b, "has"] => Ok(Fact::LacksWhat(node(a)?, node(b)?)),
        _ => Err(wrong()),
    }
}

fn is_true<E: Election>(fact: &Fact, system: &System<E>, state: &SystemState<E>) -> bool {
    let of =
        |id: Id| (&system.actors[usize::from(id)], state.nodes[usize::from(id)].state.as_deref());
    let log = |id: Id| of(id).1.and_then(|node| of(id).0.log(node));
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
        Fact::Entries(..) | Fact::LacksEntry(..) | Fact::LacksWhat(..) => is_in_logs(fact, log),
    }
}

/// Whether a fact is true of these logs. There is none of a node that is down.
fn is_in_logs(fact: &Fact, log: impl Fn(Id) -> Option<Vec<u64>>) -> bool {
    match fact {
        Fact::Entries(a, count) => log(*a).is_some_and(|log| log.len() == *count),
        Fact::LacksEntry(a, index) => log(*a).is_some_and(|log| log.len() < *index),
        Fact::LacksWhat(a, b) => match (log(*a), log(*b)) {
            (Some(own), Some(other)) => !own.starts_with(&other),
            _ => false,
        },
        _ => false,
    }
}

/// How many states are expanded between two checks of the time limit.
const BREATH: usize = 256;

/// A shortest run to a state in which the predicate holds.
fn reach<E: Election>(
    system: &System<E>,
    predicate: &str,
    limits: &Limits,
) -> Result<Vec<StepOf<E>>, NoStart> {
    let facts = facts_of(system, predicate).map_err(NoStart::Wrong)?;
    let holds = |state: &SystemState<E>| facts.iter().all(|fact| is_true(fact, system, state));
    let started = Instant::now();
    let mut tree = Tree::new(system);
    if holds(&system.origin()) {
        return Ok(Vec::new());
    }
    let mut cut: BTreeMap<Bound, u64> = BTreeMap::new();
    let mut at = 0;
    while at < tree.len() {
        if at % BREATH == 0
            && let Some(ended) = is_over(limits, started, &tree)
        {
            return Err(NoStart::Ended { ended, states: tree.len() as u64 });
        }
        let state = tree.state(at);
        for (step, next) in system.successors(&state) {
            if let Some(bound) = system.beyond(&next) {
                *cut.entry(bound).or_default() += 1;
            } else if tree.add(at, step, &next) && holds(&next) {
                return Ok(tree.path(tree.len() - 1));
            }
        }
        at += 1;
    }
    if cut.is_empty() {
        return Err(NoStart::Wrong(format!(
            "start_when `{predicate}` is never reached: every reachable state was looked at, {} of them",
            tree.len()
        )));
    }
    let cut: Vec<String> =
        cut.iter().map(|(bound, n)| format!("{} cut {n}", bound.name())).collect();
    Err(NoStart::Wrong(format!(
        "start_when `{predicate}` is not reached within the bounds ({}); it may be beyond them",
        cut.join(", ")
    )))
}

fn is_over<E: Election>(limits: &Limits, started: Instant, tree: &Tree<'_, E>) -> Option<Ended> {
    if limits.is_interrupted() {
        Some(Ended::Interrupted)
    } else if limits.max_states.is_some_and(|max| tree.len() as u64 >= max) {
        Some(Ended::MaxStates)
    } else if limits.time.is_some_and(|time| started.elapsed() >= time) {
        Some(Ended::TimeLimit)
    } else if limits.memory.is_some_and(|max| tree.bytes() >= max) {
        Some(Ended::MaxMemory)
    } else {
        None
    }
}

/// The states found breadth-first, each stored as its predecessor and the step between the two.
/// States are asked for in the order in which they were found. The paths to two neighbours in this
/// order are mostly the same, so the states along the path to the last one are kept.
struct Tree<'a, E: Election> {
    system: &'a System<E>,
    hasher: RandomState,
    seen: HashSet<u64>,
    /// The position of the predecessor, and the number of the step. The first is its own
    /// predecessor.
    found: Vec<(u32, u32)>,
    steps: Vec<StepOf<E>>,
    numbers: HashMap<StepOf<E>, u32>,
    /// The path from the first state to the last one that was asked for: positions, with their
    /// states.
    way: Vec<(u32, SystemState<E>)>,
}

impl<'a, E: Election> Tree<'a, E> {
    fn new(system: &'a System<E>) -> Self {
        let (origin, hasher) = (system.origin(), RandomState::new());
        Tree {
            system,
            seen: HashSet::from([hasher.hash_one(&origin)]),
            hasher,
            found: vec![(0, 0)],
            steps: Vec::new(),
            numbers: HashMap::new(),
            way: vec![(0, origin)],
        }
    }

    fn len(&self) -> usize {
        self.found.len()
    }

    /// Adds a state, unless it is there already.
    fn add(&mut self, before: usize, step: StepOf<E>, state: &SystemState<E>) -> bool {
        let is_new = self.seen.insert(self.hasher.hash_one(state));
        if is_new {
            let next = self.steps.len() as u32;
            let number = *self.numbers.entry(step.clone()).or_insert(next);
            if number == next {
                self.steps.push(step);
            }
            self.found.push((before as u32, number));
        }
        is_new
    }

    /// The state at a position. Goes back along the kept path to where the path to this state
    /// leaves it, and from there on to the state.
    fn state(&mut self, at: usize) -> SystemState<E> {
        let mut missing = Vec::new();
        let mut node = at as u32;
        loop {
            // Predecessors were found earlier, so no state found later is on the path.
            while self.last().0 > node {
                self.way.pop();
            }
            if self.last().0 == node {
                break;
            }
            missing.push(node);
            node = self.found[node as usize].0;
        }
        for node in missing.into_iter().rev() {
            let step = &self.steps[self.found[node as usize].1 as usize];
            let state =
                self.system.apply(&self.last().1, step).expect("a step that was taken before");
            self.way.push((node, state));
        }
        self.last().1.clone()
    }

    fn last(&self) -> &(u32, SystemState<E>) {
        self.way.last().expect("the first state stays")
    }

    fn path(&self, mut at: usize) -> Vec<StepOf<E>> {
        let mut steps = Vec::new();
        while at > 0 {
            let (before, step) = self.found[at];
            steps.push(self.steps[step as usize].clone());
            at = before as usize;
        }
        steps.reverse();
        steps
    }

    /// About how many bytes the tree holds. Each step is stored twice, and may own some more
    /// memory.
    fn bytes(&self) -> u64 {
        let seen = self.seen.capacity() * (size_of::<u64>() + 1) * 8 / 7;
        let steps = self.steps.len() * (2 * size_of::<StepOf<E>>() + 128);
        (seen + self.found.capacity() * size_of::<(u32, u32)>() + steps) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is true of logs: n1's is empty, n2's has entries 7 and 8, n3's has 7 and 9; n4 is down.
    fn is_so(text: &str) -> bool {
        let logs: [Option<Vec<u64>>; 4] = [Some(vec![]), Some(vec![7, 8]), Some(vec![7, 9]), None];
        let log = |id: Id| logs[usize::from(id)].clone();
        facts(text, 4).unwrap().iter().all(|fact| fact.is_of_logs() && is_in_logs(fact, log))
    }

    #[test]
    fn predicates_speak_of_logs() {
        for text in [
            "n1 has 0 entries",
            "n2 has 2 entries and n1 lacks entry 1",
            "n2 lacks entry 3",
            "n1 lacks what n2 has",
            "n3 lacks what n2 has and n2 lacks what n3 has",
        ] {
            assert!(is_so(text), "{text}");
        }
        for text in [
            "n1 has 1 entry",
            "n2 lacks entry 2",
            "n2 lacks what n1 has",
            "n2 lacks what n2 has",
            "n4 has 0 entries",
            "n4 lacks entry 1",
            "n4 lacks what n2 has",
            "n1 lacks what n4 has",
        ] {
            assert!(!is_so(text), "{text}");
        }
    }
}
