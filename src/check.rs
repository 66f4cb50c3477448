//! What every engine is asked and answers, and what is concluded from an answer.
//!
//! An engine explores a [`System`] within [`Limits`] and returns an [`Exploration`]: what it saw, what it cut, how often
//! each kind of step happened, and a trace to each violation. [`conclude`] turns that into verdicts that cannot mislead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::election::Election;
use crate::facts::Facts;
use crate::names;
use crate::scenario::Scenario;
use crate::system::{Bound, PropertyId, Step, StepOf, System, SystemState};
use crate::verdict::Word;

/// When to stop looking although there is more to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// Some property is violated.
    FirstViolation,
    /// All of these are violated.
    Violated(Vec<PropertyId>),
    /// Never: see every state.
    Exhausted,
}

/// How far an exploration may go, and with what.
#[derive(Clone, Debug)]
pub struct Limits {
    pub threads: usize,
    pub until: Until,
    /// Distinct states.
    pub max_states: Option<u64>,
    /// How many states a run may have, the initial one counted: states that are so far away are seen, but not what follows
    /// them. Honoured by the engine's breadth-first search, whose counts are then those of stateright's `target_max_depth`.
    pub max_depth: Option<usize>,
    pub time: Option<Duration>,
    /// Bytes held by the exploration.
    pub memory: Option<u64>,
    /// Set from outside (Ctrl-C) to end the exploration with what was seen so far.
    pub interrupted: Arc<AtomicBool>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            threads: 1,
            until: Until::FirstViolation,
            max_states: None,
            max_depth: None,
            time: None,
            memory: None,
            interrupted: Arc::default(),
        }
    }
}

impl Limits {
    /// Sees every state, past violations.
    pub fn exhaustive() -> Self {
        Limits { until: Until::Exhausted, ..Limits::default() }
    }

    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// Why an exploration ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every state within the bounds was seen.
    Exhausted,
    /// [`Limits::until`] came true.
    Violated,
    MaxStates,
    /// States as far away as [`Limits::max_depth`] allows were left as they are.
    MaxDepth,
    TimeLimit,
    MaxMemory,
    Interrupted,
    /// A sample was asked for, and taken.
    Sampled,
    /// An actor's handler panicked or is not a function of its arguments; what was seen does not count.
    Failed(String),
}

/// How often what happened, over all generated steps that lead to a state within the bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By [`Step::kind`].
    pub steps: BTreeMap<&'static str, u64>,
    /// Deliveries by kind of message.
    pub messages: BTreeMap<String, u64>,
    /// Steps after which a node leads that did not lead that term before.
    pub elections: u64,
    /// Steps that reach each goal that speaks of steps.
    pub goals: BTreeMap<&'static str, u64>,
    /// The goals reached that speak of the past.
    pub past: BTreeSet<&'static str>,
    /// Steps in which the planted bug made a difference.
    pub changed_by_bug: u64,
}

impl Tally {
    /// Counts a step between two states.
    pub fn count<E: Election>(
        &mut self,
        system: &System<E>,
        before: &SystemState<E>,
        step: &StepOf<E>,
        after: &SystemState<E>,
    ) {
        let message = match step {
            Step::Deliver { msg, .. } => Some(names::kind(msg)),
            _ => None,
        };
        self.add_steps(system, step.kind(), message.as_ref(), system.facts(before, step, after), 1);
        if before.world != after.world {
            self.note_past(system, system.goals_of_past(&after.world));
        }
    }

    /// Counts so many steps of a kind, which deliver a kind of message and have these facts in common.
    pub fn add_steps<E: Election>(
        &mut self,
        system: &System<E>,
        kind: &'static str,
        message: Option<&String>,
        facts: Facts,
        times: u64,
    ) {
        *self.steps.entry(kind).or_default() += times;
        if let Some(message) = message {
            *self.messages.entry(message.clone()).or_default() += times;
        }
        self.elections += times * u64::from(facts.elects);
        self.changed_by_bug += times * u64::from(facts.is_changed_by_bug);
        for goal in named(system, facts.goals) {
            *self.goals.entry(goal).or_default() += times;
        }
    }

    /// Takes note of the goals, as bits, that some state's past has reached.
    pub fn note_past<E: Election>(&mut self, system: &System<E>, goals: u64) {
        self.past.extend(named(system, goals));
    }

    /// Whether a goal was reached.
    pub fn has_reached(&self, goal: &str) -> bool {
        self.goals.contains_key(goal) || self.past.contains(goal)
    }

    pub fn add(&mut self, other: &Tally) {
        for (kind, n) in &other.steps {
            *self.steps.entry(kind).or_default() += n;
        }
        for (kind, n) in &other.messages {
            *self.messages.entry(kind.clone()).or_default() += n;
        }
        for (goal, n) in &other.goals {
            *self.goals.entry(goal).or_default() += n;
        }
        self.past.extend(&other.past);
        self.elections += other.elections;
        self.changed_by_bug += other.changed_by_bug;
    }

    fn of(&self, kinds: &[&str]) -> u64 {
        kinds.iter().filter_map(|kind| self.steps.get(kind)).sum()
    }
}

/// The names of goals given as bits.
fn named<E: Election>(system: &System<E>, bits: u64) -> impl Iterator<Item = &'static str> {
    let goals = system.goals.iter().enumerate().filter(move |(i, _)| bits >> i & 1 == 1);
    goals.map(|(_, goal)| goal.name)
}

/// A violation: the steps that lead to it from [`System::initial`], and the conflicting facts.
pub struct Violation<E: Election> {
    pub steps: Vec<StepOf<E>>,
    pub why: String,
    /// Whether no shorter run violates the property.
    pub is_shortest: bool,
}

/// What an engine saw.
pub struct Exploration<E: Election> {
    /// The word for the engine, as on the command line.
    pub engine: &'static str,
    pub ended: Ended,
    /// Distinct states within the bounds.
    pub distinct: u64,
    /// Generated states within the bounds, the initial one included.
    pub generated: u64,
    /// Steps from the initial state (depth 0) to the farthest state seen.
    pub depth: usize,
    /// Generated states beyond each bound.
    pub cut: BTreeMap<Bound, u64>,
    pub tally: Tally,
    pub violations: BTreeMap<PropertyId, Violation<E>>,
    pub seconds: f64,
    pub threads: usize,
    /// The most bytes that the exploration held, where it is known.
    pub peak_bytes: Option<u64>,
    /// The probability that two states were taken for one, where states are known by their fingerprints.
    pub collision_probability: f64,
    /// Of random walks.
    pub sample: Option<Sample>,
}

/// What a sample of random walks consisted of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The same seed gives the same walks.
    pub seed: u64,
    pub walks: u64,
    /// How many walks had each length, in steps.
    pub lengths: Vec<u64>,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut walks = 0;
        let median = self.lengths.iter().position(|n| {
            walks += n;
            walks * 2 >= self.walks
        });
        let longest = self.lengths.iter().rposition(|n| *n > 0).unwrap_or(0);
        let median = median.unwrap_or(0);
        write!(
            f,
            "{} walks (seed {}), half of {median} steps or fewer, the longest {longest}",
            self.walks, self.seed
        )
    }
}

/// How an exploration is getting on.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub distinct: u64,
    pub generated: u64,
    pub depth: usize,
    /// States found and not yet expanded.
    pub frontier: u64,
    pub bytes: Option<u64>,
    pub seconds: f64,
}

/// What is concluded about one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    pub word: Word,
    /// The conflicting facts, what never happened, or why nothing more can be said.
    pub why: Option<String>,
}

/// What an exploration says about a property that was asked.
pub fn conclude<E: Election>(
    system: &System<E>,
    exploration: &Exploration<E>,
    property: PropertyId,
) -> Conclusion {
    let say = |word, why: Option<String>| Conclusion { word, why };
    if let Some(problem) = system.problem() {
        return say(Word::Error, Some(problem.to_string()));
    }
    if let Ended::Failed(why) = &exploration.ended {
        return say(Word::Error, Some(why.clone()));
    }
    if let Some(violation) = exploration.violations.get(&property) {
        return say(Word::Violated, Some(violation.why.clone()));
    }
    let early =
        |what: &str| say(Word::NotRefuted, Some(format!("{what} after {} states", exploration.distinct)));
    match exploration.ended {
        Ended::Exhausted => {}
        Ended::Violated => return early("another property was violated"),
        Ended::MaxStates => return early("the limit of states was reached"),
        Ended::MaxDepth => return early("the limit of depth was reached"),
        Ended::TimeLimit => return early("the time limit was reached"),
        Ended::MaxMemory => return early("the memory limit was reached"),
        Ended::Interrupted => return early("interrupted"),
        Ended::Sampled => {
            let walks = exploration.sample.as_ref().map(|sample| format!("; {sample}")).unwrap_or_default();
            return early(&format!("sampled {} steps{walks};", exploration.generated));
        }
        Ended::Failed(_) => unreachable!("handled above"),
    }
    if let Some(why) = vacuous(system, &exploration.tally, property) {
        return say(Word::Vacuous, Some(why));
    }
    if exploration.cut.values().any(|&n| n > 0) {
        let cut = |(bound, n): (&Bound, &u64)| format!("{} cut {n}", bound.name());
        let cuts: Vec<String> = exploration.cut.iter().filter(|(_, n)| **n > 0).map(cut).collect();
        return say(Word::HoldsWithinBounds, Some(cuts.join(", ")));
    }
    say(Word::Holds, None)
}

/// What the run or the property speaks of and never happened, the steps of the prefix counted.
fn vacuous<E: Election>(system: &System<E>, tally: &Tally, property: PropertyId) -> Option<String> {
    let mut tally = tally.clone();
    let mut state = system.origin();
    let mut led = !state.world.led.is_empty();
    for (id, node) in state.nodes.iter().enumerate() {
        led |= node.state.as_deref().is_some_and(|s| system.actors[id].leads(id.into(), s).is_some());
    }
    tally.note_past(system, system.goals_of_past(&state.world));
    for step in &system.prefix {
        let next = system.apply(&state, step).expect("a prefix can be taken");
        tally.count(system, &state, step, &next);
        state = next;
    }
    if tally.elections == 0 && E::about().starts_led {
        return Some("the leader never changed".to_string());
    }
    if tally.elections == 0 && !led {
        return Some("nobody ever led".to_string());
    }
    let faults = system.rules.faults;
    let restarts = ["restart", "restart-without-disk", "restart-with-older-disk"];
    let budgets = [
        (faults.crashes > 0, "crashes", tally.of(&["crash", "torn"])),
        (faults.restarts > 0, "restarts", tally.of(&restarts)),
        (faults.losses > 0, "losses", tally.of(&["lose"])),
        (faults.duplications > 0, "duplications", tally.of(&["duplicate"])),
        (faults.torn, "torn", tally.of(&["torn"])),
        (faults.disk_losses > 0, "disk_losses", tally.of(&["restart-without-disk"])),
        (faults.disk_rollbacks > 0, "disk_rollbacks", tally.of(&["restart-with-older-disk"])),
        (faults.switches > 0, "switches", tally.of(&["switch"])),
    ];
    if let Some((_, budget, _)) = budgets.iter().find(|(allowed, _, fired)| *allowed && *fired == 0) {
        return Some(format!("the budget for `{budget}` never fired within the bounds"));
    }
    if system.unplanted.is_some() && tally.changed_by_bug == 0 {
        return Some("the planted bug never made a difference".to_string());
    }
    if let Some(goal) = system.covers.iter().find(|goal| !tally.has_reached(goal)) {
        return Some(format!("the goal `{goal}` was never reached"));
    }
    let invariant = system.invariants.get(usize::from(property.0).checked_sub(1)?)?;
    if let Some((setting, _)) = invariant.setting.filter(|(_, has)| !has(&system.actors)) {
        return Some(format!("it speaks of nothing unless {setting}"));
    }
    let unmet = invariant.needs.iter().find(|goal| !tally.has_reached(goal))?;
    Some(format!("it needs the goal `{unmet}`, which was never reached"))
}

/// Which properties a scenario asks of its system, and which it leaves out.
pub struct Asked {
    pub properties: Vec<(PropertyId, &'static str)>,
    /// Those that the nodes' options leave nothing to speak of, each with the setting that it needs.
    pub not_asked: Vec<(&'static str, &'static str)>,
}

/// What a scenario asks: the properties that it names, and those that it does not name as far as it expects something of
/// `all` or expects nothing, and the nodes' options leave them something to speak of.
pub fn asked<E: Election>(scenario: &Scenario, system: &System<E>) -> Asked {
    let mut asked = Asked { properties: Vec::new(), not_asked: Vec::new() };
    for (property, name) in System::<E>::properties() {
        let setting = usize::from(property.0).checked_sub(1).and_then(|i| system.invariants[i].setting);
        let lacks = setting.filter(|(_, has)| !has(&system.actors));
        match lacks {
            _ if scenario.expect.contains_key(name) => asked.properties.push((property, name)),
            _ if !scenario.expect.is_empty() && !scenario.expect.contains_key("all") => {}
            Some((setting, _)) => asked.not_asked.push((name, setting)),
            None => asked.properties.push((property, name)),
        }
    }
    asked
}
