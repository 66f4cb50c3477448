//! Turns a scenario into one whose network heals.
//!
//! The scenario's start, faults, bounds and topologies apply until the network heals. Two things
//! are changed, and each change is reported ([`Healing::changes`]): time is kept after healing and
//! not before, and options that the passing of time needs are switched on. A scenario is refused if
//! these changes would alter what it asks.

use crate::election::{Election, NeedOfTime, OptionSpec, Value};
use crate::scenario::{Problem, Scenario, Topologies};
use crate::semantics::Timing;
use crate::semantics::network::NetworkKind;
use crate::semantics::world::Faults;

/// A scenario whose network heals.
#[derive(Clone, Debug)]
pub struct Healing {
    /// The scenario with the rules that healing needs.
    pub scenario: Scenario,
    /// How it differs from the given scenario.
    pub changes: Vec<String>,
}

/// Several of each kind of fault that leaves disks intact.
pub fn all_faults(network: NetworkKind) -> Faults {
    Faults {
        crashes: 3,
        restarts: 3,
        losses: 8,
        duplications: if network == NetworkKind::Unordered { 4 } else { 0 },
        torn: true,
        disk_losses: 0,
        disk_rollbacks: 0,
        switches: 3,
    }
}

impl Healing {
    /// The scenario with the rules under which a network can heal: the timing is stabilising, and
    /// there is one more switch of the topology, which the healing takes.
    ///
    /// # Errors
    /// A scenario from which no system can be built, or whose start is a state from which no
    /// network could heal.
    pub fn of<E: Election>(given: &Scenario) -> Result<Self, Problem> {
        let mut scenario = given.clone();
        let mut changes = Vec::new();
        scenario.expect.clear();
        scenario.covers.clear();
        for need in E::needs_of_time() {
            if is_wanting(&scenario, E::about().options, need) {
                scenario.options.insert(need.option.to_string(), toml_value(need.but));
                changes.push(format!("{} = {}, not {}", need.option, need.but, need.not));
            }
        }
        if scenario.network == NetworkKind::Duplicating {
            scenario.network = NetworkKind::Unordered;
            changes.push(
                "the network is unordered: on a duplicating one no time could pass".to_string(),
            );
        }
        topologies(&mut scenario);
        start::<E>(&mut scenario)?;
        if scenario.timing == Timing::Timed {
            changes.push("time is kept only after healing".to_string());
        }
        scenario.timing = Timing::Stabilising;
        Ok(Healing { scenario, changes })
    }
}

/// Whether the scenario sets the option to the value with which the protocol does not recover.
fn is_wanting(scenario: &Scenario, specs: &[OptionSpec], need: &NeedOfTime) -> bool {
    match scenario.options.get(need.option) {
        Some(given) => *given == toml_value(need.not),
        None => specs.iter().any(|spec| spec.name == need.option && spec.default == need.not),
    }
}

fn toml_value(value: Value) -> toml::Value {
    match value {
        Value::Flag(b) => toml::Value::Boolean(b),
        Value::Number(n) => toml::Value::Integer(n as i64),
        Value::Text(t) => toml::Value::String(t.to_string()),
    }
}

/// Finds the start under the scenario's own bounds and faults, without time, and writes its steps
/// into the scenario by name.
fn start<E: Election>(scenario: &mut Scenario) -> Result<(), Problem> {
    if scenario.start_when.is_none() && scenario.start_steps.is_empty() {
        return Ok(());
    }
    if scenario.timing == Timing::Timed {
        return Err(Problem::new(format!(
            "scenario `{}`: a network that heals keeps no time before it does, so it cannot start where a timed one does \
             (`start_when`, `start_steps`)",
            scenario.name
        )));
    }
    let before = Scenario { timing: Timing::Asynchronous, ..scenario.clone() };
    let system = before.system::<E>()?;
    scenario.start_steps = system.prefix.iter().map(|step| system.name(step)).collect();
    scenario.start_when = None;
    Ok(())
}

/// Adds topologies in which links are cut, unless the scenario has its own, and the one in which
/// all links are up.
fn topologies(scenario: &mut Scenario) {
    let n = scenario.nodes;
    if scenario.faults.switches > 0 && scenario.topologies.may.is_empty() && n > 1 {
        let group = |range: std::ops::RangeInclusive<usize>| {
            range.map(|i| format!("n{i}")).collect::<Vec<_>>().join(",")
        };
        let halves = format!("split({}|{})", group(1..=n / 2), group(n / 2 + 1..=n));
        scenario.topologies.may = vec![
            halves,
            "isolate(n1)".into(),
            format!("isolate(n{n})"),
            "star(n1)".into(),
            "cut(n1>n2)".into(),
        ];
    }
    let mesh = Topologies::default().start;
    let Topologies { start, may } = &mut scenario.topologies;
    if *start != mesh && !may.contains(&mesh) {
        may.push(mesh);
    }
    scenario.faults.switches = if may.is_empty() { 0 } else { scenario.faults.switches + 1 };
}
