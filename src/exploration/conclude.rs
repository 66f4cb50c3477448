//! Turns an exploration into a verdict for each property. The order of the checks matters:
//! `vacuous` must not hide a violation or an unfinished run.

use crate::election::Election;
use crate::exploration::verdict::Verdict;
use crate::exploration::{Ended, Exploration, Tally};
use crate::semantics::world::{BUDGETS, Budget};
use crate::semantics::{Bound, PropertyId, System};

/// What is concluded about one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason: the conflicting facts of a violation, what never happened, or why the run was
    /// not complete.
    pub why: Option<String>,
}

/// The conclusion about a property that was asked.
pub fn conclude<E: Election>(
    system: &System<E>,
    exploration: &Exploration<E>,
    property: PropertyId,
) -> Conclusion {
    let say = |verdict, why: Option<String>| Conclusion { verdict, why };
    if let Some(problem) = system.problem() {
        return say(Verdict::Error, Some(problem.to_string()));
    }
    if let Ended::Failed(why) = &exploration.ended {
        return say(Verdict::Error, Some(why.clone()));
    }
    if let Some(violation) = exploration.violations.get(&property) {
        return say(Verdict::Violated, Some(violation.why.clone()));
    }
    let early = |what: &str| {
        say(Verdict::NotRefuted, Some(format!("{what} after {} states", exploration.distinct)))
    };
    match exploration.ended {
        Ended::Exhausted => {}
        Ended::Violated => return early("another property was violated"),
        Ended::MaxStates => return early("the limit of states was reached"),
        Ended::MaxDepth => return early("the limit of depth was reached"),
        Ended::TimeLimit => return early("the time limit was reached"),
        Ended::MaxMemory => return early("the memory limit was reached"),
        Ended::Interrupted => return early("interrupted"),
        Ended::Sampled => {
            let walks =
                exploration.sample.as_ref().map(|sample| format!("; {sample}")).unwrap_or_default();
            return early(&format!("sampled {} steps{walks};", exploration.generated));
        }
        Ended::Failed(_) => unreachable!("handled above"),
    }
    if let Some(why) = vacuous(system, &exploration.tally, property) {
        return say(Verdict::Vacuous, Some(why));
    }
    if exploration.cut.values().any(|&n| n > 0) {
        let cut = |(bound, n): (&Bound, &u64)| format!("{} cut {n}", bound.name());
        let cuts: Vec<String> = exploration.cut.iter().filter(|(_, n)| **n > 0).map(cut).collect();
        return say(Verdict::HoldsWithinBounds, Some(cuts.join(", ")));
    }
    say(Verdict::Holds, None)
}

/// Why the verdict is vacuous: something that the run or the property speaks of and that never
/// happened. Steps of the prefix count as having happened.
fn vacuous<E: Election>(system: &System<E>, tally: &Tally, property: PropertyId) -> Option<String> {
    let mut tally = tally.clone();
    let mut state = system.origin();
    let mut led = !state.world.led.is_empty();
    for (id, node) in state.nodes.iter().enumerate() {
        led |=
            node.state.as_deref().is_some_and(|s| system.actors[id].leads(id.into(), s).is_some());
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
    let faults = &system.rules.faults;
    let is_unused = |budget: &&Budget| (budget.is_given)(faults) && tally.of(budget.steps) == 0;
    if let Some(Budget { name, .. }) = BUDGETS.iter().find(is_unused) {
        return Some(format!("the budget for `{name}` never fired within the bounds"));
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
