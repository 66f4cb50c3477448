//! Liveness in random runs: after faults the network heals, and then the protocol must keep its
//! promise ([`AfterHealing`]) within a number of ticks, and keep it for a number of ticks.
//!
//! A run has two phases. First everything is asynchronous and may fail as the budgets allow, but
//! never so much that the group could not recover. Then the network heals: all links come up, nodes
//! that are down are restarted (all that the budget allows in half of the runs, else as few as the
//! protocol needs, in a random order; the others stay down), and the system stabilises: nothing
//! fails any more, messages arrive within their tick, timers fire within their limits, each at a
//! random age and in a random order. From then on ticks are counted.
//!
//! This is a test and no proof: a promise that is kept for the time watched may be broken later,
//! and chance decides which timers fire first.

use std::sync::Arc;

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use stateright::actor::Id;

use super::campaign::seed_bytes;
use super::walk::{Pace, Walk};
use crate::election::{AfterHealing, Election, Healed, Led, node_name};
use crate::run::trace::{Replay, replay_until};
use crate::scenario::Problem;
use crate::semantics::node::{Disk, NodeOf};
use crate::semantics::{Step, StepOf, System, SystemState};

/// The name that stands in traces in place of a property.
pub const PROPERTY: &str = "recovery";

/// After so many steps without a tick time counts as stopped.
const STEPS_WITHIN_TICK: u32 = 5_000;

/// The promise must be kept `within` ticks after healing, and then for `stays` ticks more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// How many ticks after healing the promise must be kept at the latest.
    pub within: u32,
    /// For how many ticks it must then be kept.
    pub stays: u32,
}

impl Recovery {
    /// The question in one sentence.
    pub fn meaning<E: Election>(self, promise: &AfterHealing<E>) -> String {
        let Recovery { within, stays } = self;
        format!(
            "once the network has healed, {}: within {within} ticks, and for {stays} ticks more",
            promise.meaning
        )
    }
}

impl Default for Recovery {
    /// Long enough for dozens of election timeouts to find a leader, and for several to see that it
    /// stays.
    fn default() -> Self {
        Recovery { within: 300, stays: 60 }
    }
}

/// What the nodes of this system promise.
///
/// # Errors
/// Why they promise nothing.
pub fn promise<E: Election>(system: &System<E>) -> Result<AfterHealing<E>, Problem> {
    E::after_healing(&system.actors).map_err(|why| {
        Problem::new(format!(
            "{} promises nothing once the network has healed: {why}",
            E::about().name
        ))
    })
}

/// The nodes as a protocol sees them once the network has healed.
fn healed<'a, E: Election>(system: &'a System<E>, nodes: &'a [Arc<NodeOf<E>>]) -> Healed<'a, E> {
    Healed {
        nodes: &system.actors,
        states: nodes.iter().map(|node| node.state.as_deref()).collect(),
        disks: nodes.iter().map(|node| node.storage.as_deref()).collect(),
    }
}

/// The topology in which all links are up.
fn mesh<E: Election>(system: &System<E>) -> Option<u8> {
    system.rules.topologies.iter().position(|topology| topology.is_mesh()).map(|i| i as u8)
}

/// Whether all links can still be brought up, and enough nodes for the group to recover.
pub(super) fn can_heal<E: Election>(
    system: &System<E>,
    promise: &AfterHealing<E>,
    state: &SystemState<E>,
) -> bool {
    let left = &state.world.left;
    if state.world.stabilised {
        return true;
    }
    if Some(state.world.topology) != mesh(system) && left.switches == 0 {
        return false;
    }
    let down =
        (0..state.nodes.len()).filter(|&i| !state.nodes[i].is_up()).take(left.restarts as usize);
    let mut nodes = state.nodes.clone();
    for i in down {
        let down = state.nodes[i].found(Disk::Intact).expect("a disk may always be found intact");
        nodes[i] = Arc::new(system.start_node(Id::from(i), &down).node);
    }
    (promise.can_recover)(&healed(system, &nodes))
}

impl Recovery {
    /// Heals the network, then checks whether the promise is kept.
    pub(super) fn watch<E: Election>(self, walk: &mut Walk<E>, healing: u64) {
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(healing));
        let promise = walk.trial.promise.expect("only a promise is watched");
        heal(walk, &promise, &mut rng);
        let pace = Pace::even(walk.state.nodes.len());
        let mut watch = Watch::new(self, promise);
        while !walk.has_failed() {
            match watch.see(&walk.trial.system, &walk.state, walk.last()) {
                Seen::Stays => return,
                Seen::Failed(why) => walk.fail(PROPERTY, why),
                Seen::Waiting if walk.step(&pace, &mut rng) => {}
                Seen::Waiting => {
                    walk.fail(PROPERTY, "nothing can happen any more, not even a tick".to_string())
                }
            }
        }
    }
}

/// The judgement of a healed network so far.
enum Seen {
    Waiting,
    /// The promise was kept for long enough.
    Stays,
    Failed(String),
}

/// Judges a run state by state, from the step that stabilises it on.
struct Watch<E: Election> {
    asked: Recovery,
    promise: AfterHealing<E>,
    ticks: u32,
    steps_within_tick: u32,
    /// If the promise is kept now: who leads, and since which tick.
    reign: Option<(Option<Led>, u32)>,
}

impl<E: Election> Watch<E> {
    fn new(asked: Recovery, promise: AfterHealing<E>) -> Self {
        Watch { asked, promise, ticks: 0, steps_within_tick: 0, reign: None }
    }

    /// The next state, and the step that led to it.
    fn see(
        &mut self,
        system: &System<E>,
        state: &SystemState<E>,
        step: Option<&StepOf<E>>,
    ) -> Seen {
        if !state.world.stabilised {
            return Seen::Waiting;
        }
        if step == Some(&Step::Tick) {
            self.ticks += 1;
            self.steps_within_tick = 0;
        }
        self.steps_within_tick += 1;
        let (ticks, Recovery { within, stays }) = (self.ticks, self.asked);
        if self.steps_within_tick > STEPS_WITHIN_TICK {
            let why = format!(
                "time stops {ticks} ticks after healing: {STEPS_WITHIN_TICK} steps without a tick"
            );
            return Seen::Failed(why);
        }
        if !system.can_tick(state) {
            return Seen::Waiting;
        }
        let found = (self.promise.recovered)(&healed(system, &state.nodes));
        let missing = match found {
            Err(why) => {
                self.reign = None;
                why
            }
            Ok(led) => {
                let since = self
                    .reign
                    .filter(|(before, _)| *before == led)
                    .map_or(ticks, |(_, since)| since);
                self.reign = Some((led, since));
                if ticks - since >= stays || is_frozen(state) {
                    return Seen::Stays;
                }
                match led {
                    Some((leader, term)) if E::about().has_terms => {
                        format!("{} leads term {term} only since tick {since}", node_name(leader))
                    }
                    Some((leader, _)) => {
                        format!("{} leads only since tick {since}", node_name(leader))
                    }
                    None => format!("the promise is kept only since tick {since}"),
                }
            }
        };
        if self.reign.is_none() && is_frozen(state) {
            let why =
                format!("{ticks} ticks after healing nothing can happen any more, and {missing}");
            return Seen::Failed(why);
        }
        if ticks < within + stays {
            return Seen::Waiting;
        }
        Seen::Failed(format!(
            "the promise was not kept within {within} ticks after healing and for {stays} ticks more: in the end {missing}"
        ))
    }
}

/// Replays a trace of a network that does not recover.
///
/// # Errors
/// The protocol promises nothing for such a system.
pub fn replay<E: Election>(system: &System<E>, names: &[String]) -> Result<Replay<E>, Problem> {
    let mut watch = Watch::new(Recovery::default(), promise(system)?);
    Ok(replay_until(system, names, |state, step| match watch.see(system, state, step) {
        Seen::Failed(why) => Err(why),
        Seen::Waiting | Seen::Stays => Ok(()),
    }))
}

/// Brings all links and enough nodes up, and stabilises the system: from now on nothing fails.
fn heal<E: Election>(walk: &mut Walk<E>, promise: &AfterHealing<E>, rng: &mut TestRng) {
    let restarts_all = rng.random_bool(0.5);
    if let Some(topology) =
        mesh(&walk.trial.system).filter(|mesh| *mesh != walk.state.world.topology)
    {
        walk.take(Step::Switch { topology });
    }
    let mut order: Vec<usize> = (0..walk.state.nodes.len()).collect();
    if !restarts_all {
        (1..order.len()).rev().for_each(|i| order.swap(i, rng.random_range(0..=i)));
    }
    for node in order.into_iter().map(Id::from) {
        if restarts_all || !(promise.can_recover)(&healed(&walk.trial.system, &walk.state.nodes)) {
            walk.take(Step::Restart { node, disk: Disk::Intact });
        }
    }
    let stabilise =
        walk.trial.system.stabilisation(&walk.state, |age| rng.random_range(0..age.last));
    if !walk.take(stabilise) {
        walk.fail(
            PROPERTY,
            "enough nodes are up and connected, yet there is no quorum".to_string(),
        );
    }
}

/// Whether nothing can ever happen but ticks: no timer runs, no message is in flight, no choice is
/// open.
fn is_frozen<E: Election>(state: &SystemState<E>) -> bool {
    state.network.is_empty()
        && state.later.is_empty()
        && state.nodes.iter().all(|node| node.timers.is_empty() && node.choices.is_empty())
}
