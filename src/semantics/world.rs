//! What a system remembers besides its nodes and messages: who has led which term, the protocol's
//! witness, the fault budgets that are left, which links are up, and whether the system has
//! stabilised.
//!
//! Shared by the reference semantics and the compiled engine.

use std::collections::BTreeMap;

use crate::election::{Check, Election, Invariant, NodeStep, Reign, Term};
use crate::semantics::StepKind;
use crate::semantics::node::Disk;
use serde::{Deserialize, Serialize};

/// How many faults a run may contain. Budgets are for the whole run.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// How many nodes may crash.
    pub crashes: u32,
    /// How many may restart.
    pub restarts: u32,
    /// How many messages may be lost.
    pub losses: u32,
    /// How many may be duplicated.
    pub duplications: u32,
    /// A crash may strike in the middle of a handler; it costs one of `crashes`.
    pub torn: bool,
    /// How many of the restarts may find an empty disk.
    pub disk_losses: u32,
    /// How many of the restarts may find the disk as it was before the last save, which was
    /// acknowledged but had not reached the disk.
    pub disk_rollbacks: u32,
    /// How often the topology may change.
    pub switches: u32,
}

/// A kind of fault that has a budget.
pub struct Budget {
    /// The key of the budget in [`Faults`].
    pub name: &'static str,
    /// Whether a run may contain such faults.
    pub is_given: fn(&Faults) -> bool,
    /// The kinds of steps that are such faults.
    pub steps: &'static [StepKind],
}

/// A budget for each kind of fault.
pub const BUDGETS: [Budget; 8] = {
    use StepKind::*;
    const fn budget(
        name: &'static str,
        is_given: fn(&Faults) -> bool,
        steps: &'static [StepKind],
    ) -> Budget {
        Budget { name, is_given, steps }
    }
    [
        budget("crashes", |faults| faults.crashes > 0, &[Crash, Torn]),
        budget(
            "restarts",
            |faults| faults.restarts > 0,
            &[Restart, RestartWithoutDisk, RestartWithOlderDisk],
        ),
        budget("losses", |faults| faults.losses > 0, &[Lose]),
        budget("duplications", |faults| faults.duplications > 0, &[Duplicate]),
        budget("torn", |faults| faults.torn, &[Torn]),
        budget("disk_losses", |faults| faults.disk_losses > 0, &[RestartWithoutDisk]),
        budget("disk_rollbacks", |faults| faults.disk_rollbacks > 0, &[RestartWithOlderDisk]),
        budget("switches", |faults| faults.switches > 0, &[Switch]),
    ]
};

impl Faults {
    /// No faults left.
    pub fn none() -> Self {
        Faults::default()
    }

    /// Whether the budgets left allow a restart that finds the disk in this condition.
    pub fn allows(&self, disk: Disk) -> bool {
        self.restarts > 0
            && match disk {
                Disk::Intact => true,
                Disk::Empty => self.disk_losses > 0,
                Disk::Older => self.disk_rollbacks > 0,
            }
    }

    /// Pays for a restart that finds the disk in this condition.
    pub fn pay_for(&mut self, disk: Disk) {
        self.restarts -= 1;
        match disk {
            Disk::Intact => {}
            Disk::Empty => self.disk_losses -= 1,
            Disk::Older => self.disk_rollbacks -= 1,
        }
    }
}

/// The position of election safety among the properties; invariant `i` of the protocol is at `i +
/// 1`.
pub const ELECTION_SAFETY: u8 = 0;

/// The memory of a system. See the module's description.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct World<W> {
    /// Who led each term first.
    pub led: BTreeMap<Term, Reign>,
    /// Properties of steps and of history that some step has broken, each with the conflicting
    /// facts.
    pub broken: BTreeMap<u8, String>,
    /// What the protocol's properties remember of the past.
    pub witness: W,
    /// The budgets of faults that are left.
    pub left: Faults,
    /// How many client inputs are still to come.
    pub inputs_left: u32,
    /// Which of the scenario's topologies is in force.
    pub topology: u8,
    /// Whether time is kept from now on: see [`Timing::Stabilising`](crate::semantics::Timing).
    pub stabilised: bool,
}

impl<W: Clone + Default> World<W> {
    /// Nothing has happened yet.
    pub fn new(faults: Faults, inputs: u32) -> Self {
        World {
            led: BTreeMap::new(),
            broken: BTreeMap::new(),
            witness: W::default(),
            left: faults,
            inputs_left: inputs,
            topology: 0,
            stabilised: false,
        }
    }
}

impl<W> World<W> {
    /// The world after a step of a node: who has led, what the witness remembers, and which
    /// properties of steps the step broke. `broken_rules` are the broken properties that need no
    /// past; the caller has found them already. `None` if the world does not change.
    pub fn observe<E: Election<Witness = W>>(
        &self,
        invariants: &[Invariant<E>],
        step: &NodeStep<'_, E>,
        broken_rules: &[(u8, String)],
    ) -> Option<Self>
    where
        W: Clone,
    {
        let mut broken = broken_rules.to_vec();
        for (invariant, i) in invariants.iter().zip(1..) {
            if let Check::Step(holds) = invariant.check
                && let Err(why) = holds(&self.witness, step)
            {
                broken.push((i, why));
            }
        }
        let mut new_term = None;
        // A node that crashes while it becomes leader may have told others already.
        let end = step.after.or(step.cut_short);
        let leads = end.and_then(|state| step.actor.leads(step.id, state));
        if let (true, Some(term)) = (E::about().has_terms, leads) {
            let reign = Reign { node: step.id, incarnation: step.incarnation };
            match self.led.get(&term) {
                None => new_term = Some((term, reign)),
                Some(first) if *first == reign => {}
                Some(first) => {
                    let term = E::term_name(term, step.nodes);
                    broken.push((ELECTION_SAFETY, format!("{first} and {reign} both led {term}")));
                }
            }
        }
        broken.retain(|(property, _)| !self.broken.contains_key(property));
        let witness = E::observe(&self.witness, step);
        if broken.is_empty() && new_term.is_none() && witness.is_none() {
            return None;
        }
        let mut world = self.clone();
        world.led.extend(new_term);
        world.broken.extend(broken);
        if let Some(witness) = witness {
            world.witness = witness;
        }
        Some(world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_faults_is_a_budget() {
        let faults = serde_json::to_value(Faults::none()).unwrap();
        let mut keys: Vec<String> = faults.as_object().unwrap().keys().cloned().collect();
        let mut names = BUDGETS.map(|budget| budget.name.to_string());
        keys.sort_unstable();
        names.sort_unstable();
        assert_eq!(keys, names);
        assert!(BUDGETS.iter().all(|budget| !(budget.is_given)(&Faults::none())));
    }
}
