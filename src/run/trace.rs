//! A trace: a run with named steps, in the form in which a counterexample is saved and replayed.
//!
//! A trace contains its whole scenario, so it can be replayed without the file that the scenario
//! came from. Steps are stored by name (see [`crate::semantics::names`]), so a trace survives most
//! changes of the model. If a step cannot be taken any more, [`replay`] says which one, and which
//! steps could be taken instead.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::election::Election;
use crate::scenario::start;
use crate::scenario::{Problem, Scenario};
use crate::semantics::{PropertyId, StepOf, System, SystemState};
use crate::support::plain::plain;

/// The version of the format that this crate writes and reads.
const VERSION: u64 = 1;

/// A saved run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The version of the format.
    pub version: u64,
    /// By name.
    pub protocol: String,
    /// The scenario.
    pub scenario: Scenario,
    /// The property that is asked of the run; a counterexample violates it.
    pub property: String,
    /// The conflicting facts; empty if the run violates nothing.
    pub why: String,
    /// The steps before the state from which checking started.
    pub prefix: Vec<String>,
    /// The steps from there to the violation.
    pub steps: Vec<String>,
    /// The part of the steps that goes on for ever, if the run shows an answer about liveness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<Cycle>,
}

/// The part of a run that goes on for ever: a lap, again and again, with later terms where these
/// grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// How many steps come before it.
    pub after: usize,
    /// How many steps a lap has.
    pub steps: usize,
}

impl Trace {
    /// The trace of a run that violates a property.
    pub fn new<E: Election>(
        system: &System<E>,
        scenario: &Scenario,
        property: &str,
        why: &str,
        steps: &[StepOf<E>],
    ) -> Self {
        let names = |steps: &[StepOf<E>]| steps.iter().map(|step| system.name(step)).collect();
        Trace {
            version: VERSION,
            protocol: E::about().name.to_string(),
            scenario: scenario.clone(),
            property: property.to_string(),
            why: why.to_string(),
            prefix: names(&system.prefix),
            steps: names(steps),
            cycle: None,
        }
    }

    /// The trace of a run from the very first state, by the names of its steps.
    pub fn of_names(
        protocol: &str,
        scenario: &Scenario,
        property: &str,
        why: &str,
        steps: Vec<String>,
    ) -> Self {
        Trace {
            version: VERSION,
            protocol: protocol.to_string(),
            scenario: scenario.clone(),
            property: property.to_string(),
            why: why.to_string(),
            prefix: Vec::new(),
            steps,
            cycle: None,
        }
    }

    /// The same trace, whose steps go on for ever with this cycle.
    pub fn repeating(self, cycle: Option<Cycle>) -> Self {
        Trace { cycle, ..self }
    }

    /// As text, to be saved.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a trace is plain data") + "\n"
    }

    /// As text of a line for the scenario, without its note and what it expects, and a line for
    /// each step.
    pub fn to_json_in_brief(&self) -> String {
        let Trace { version, protocol, scenario, property, why, prefix, steps, cycle } = self;
        let scenario =
            Scenario { note: String::new(), expect: BTreeMap::new(), ..scenario.clone() };
        let json = |text: &str| serde_json::to_string(text).expect("a text");
        let lines = |steps: &[String]| match steps {
            [] => "[]".to_string(),
            _ => {
                let steps: Vec<String> = steps.iter().map(|step| json(step)).collect();
                format!("[\n  {}\n]", steps.join(",\n  "))
            }
        };
        let cycle = cycle.map(|cycle| {
            format!(",\n\"cycle\": {}", serde_json::to_string(&cycle).expect("plain data"))
        });
        format!(
            "{{\"version\": {version}, \"protocol\": {}, \"property\": {},\n\"why\": {},\n\
             \"scenario\": {},\n\"prefix\": {},\n\"steps\": {}{}}}",
            json(protocol),
            json(property),
            json(why),
            serde_json::to_string(&scenario).expect("a scenario is plain data"),
            lines(prefix),
            lines(steps),
            cycle.unwrap_or_default()
        )
    }

    /// Reads a trace from text.
    ///
    /// # Errors
    /// The text is not JSON, its version is another one, or a key is unknown or missing; with the
    /// line.
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let wrong = |e: serde_json::Error| {
            let message = e.to_string();
            let what = message.split(" at line ").next().unwrap_or_default();
            Problem {
                line: Some(e.line()),
                ..Problem::new(format!("not a trace: {}", plain(what)))
            }
        };
        let Versioned { version } = serde_json::from_str(text).map_err(wrong)?;
        if version != VERSION {
            return Err(Problem::new(format!(
                "expected a trace of version {VERSION}, found version {version}"
            )));
        }
        serde_json::from_str(text).map_err(wrong)
    }

    /// The system in which the trace was recorded, starting where it starts.
    ///
    /// # Errors
    /// The trace is of another protocol, its scenario is not accepted any more, or its prefix does
    /// not replay.
    pub fn system<E: Election>(&self) -> Result<System<E>, Problem> {
        let scenario = Scenario {
            start_when: None,
            start_steps: self.prefix.clone(),
            ..self.scenario.clone()
        };
        scenario.system()
    }

    /// The property that the trace violates.
    ///
    /// # Errors
    /// The protocol has no property of that name.
    pub fn property<E: Election>(&self) -> Result<PropertyId, Problem> {
        let known = System::<E>::properties();
        let found = known.iter().find(|(_, name)| *name == self.property);
        found.map(|(property, _)| *property).ok_or_else(|| {
            let names = known.iter().map(|(_, name)| *name);
            let hint = crate::scenario::among(&self.property, names);
            Problem::new(format!("{} has no property `{}`{hint}", self.protocol, self.property))
        })
    }
}

/// How a replay went.
pub struct Replay<E: Election> {
    /// The steps that could be taken.
    pub steps: Vec<StepOf<E>>,
    /// The last state reached.
    pub end: SystemState<E>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a replay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The recorded property is violated, after this many steps.
    Violated {
        /// How many steps were taken.
        after: usize,
        /// The conflicting facts.
        why: String,
    },
    /// All steps were taken and the property holds.
    Holds,
    /// A step could not be taken.
    Diverged {
        /// Counted from 1.
        at: usize,
        /// The step that could not be taken.
        name: String,
        /// The steps that could have been taken instead.
        enabled: Vec<String>,
    },
}

/// The error for a trace whose step `at` cannot be taken.
pub fn diverged(at: usize, name: &str, enabled: &[String]) -> Problem {
    let enabled = if enabled.is_empty() { "nothing".to_string() } else { enabled.join("\n  ") };
    Problem::new(format!(
        "step {at} cannot be taken any more: `{name}`; enabled instead:\n  {enabled}"
    ))
}

/// Takes the steps of a trace one after the other, until the property is violated.
pub fn replay<E: Election>(
    system: &System<E>,
    property: PropertyId,
    names: &[String],
) -> Replay<E> {
    replay_until(system, names, |state, _| system.holds(property, state))
}

/// Takes the steps of a run that shows an answer about liveness, those that change nothing, too.
/// What is asked of runs without end is not asked of their beginnings.
pub fn retake<E: Election>(system: &System<E>, names: &[String]) -> Replay<E> {
    replay_by(start::take_even_idle, system, names, |_, _| Ok(()))
}

/// Takes the steps of a trace one after the other, until `judge` returns an error for a state and
/// the step before it.
pub fn replay_until<E: Election>(
    system: &System<E>,
    names: &[String],
    judge: impl FnMut(&SystemState<E>, Option<&StepOf<E>>) -> Result<(), String>,
) -> Replay<E> {
    replay_by(start::take, system, names, judge)
}

fn replay_by<E: Election>(
    take: impl Fn(&System<E>, &SystemState<E>, &str) -> start::Taken<E>,
    system: &System<E>,
    names: &[String],
    mut judge: impl FnMut(&SystemState<E>, Option<&StepOf<E>>) -> Result<(), String>,
) -> Replay<E> {
    let mut end = system.initial();
    let mut steps: Vec<StepOf<E>> = Vec::new();
    let mut outcome = Outcome::Holds;
    for i in 0..=names.len() {
        if let Err(why) = judge(&end, steps.last()) {
            outcome = Outcome::Violated { after: i, why };
            break;
        }
        let Some(name) = names.get(i) else { break };
        match take(system, &end, name) {
            Ok((step, next)) => {
                steps.push(step);
                end = next;
            }
            Err(enabled) => {
                outcome = Outcome::Diverged { at: i + 1, name: name.clone(), enabled };
                break;
            }
        }
    }
    Replay { steps, end, outcome }
}
