//! The first form of liveness: after faults the network heals, and then a leader must come about, and stay.
//!
//! A run has two phases. First everything is asynchronous and fails as its budgets allow, only that a majority of the
//! nodes can always be brought back. Then the network heals: all links come up, nodes that are down are restarted (all
//! that the budget allows in half of the runs, else as few as a quorum needs; the others stay down), and the system
//! stabilises: nothing fails any more, messages arrive within their tick, timers fire within their limits, each at a
//! random age and in a random order. From then on ticks are counted.
//!
//! It is a test and no proof: a leader that stays for the time watched may be lost later, and chance decides which
//! timers fire first.

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use stateright::actor::Id;

use super::campaign::seed_bytes;
use super::walk::{Pace, Walk};
use crate::election::{Election, NodeSet, Term};
use crate::network::NetworkKind;
use crate::scenario::{Scenario, Topologies};
use crate::system::{Bounds, Step, System, SystemState, Timing};
use crate::world::{Faults, Reign};

/// The name of what is asked.
pub const PROPERTY: &str = "recovery";

/// So many steps without a tick mean that time has stopped.
const STEPS_WITHIN_TICK: u32 = 5_000;

/// Within `within` ticks of healing there is a leader that a quorum follows, and it is there for `stays` ticks more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    pub within: u32,
    pub stays: u32,
}

impl Default for Recovery {
    /// Dozens of election timeouts to find a leader, several to see that it stays.
    fn default() -> Self {
        Recovery { within: 300, stays: 60 }
    }
}

/// Every fault that a disk survives, several times.
pub fn all_faults(network: NetworkKind) -> Faults {
    Faults {
        crashes: 3,
        restarts: 3,
        losses: 8,
        duplications: if network == NetworkKind::Unordered { 4 } else { 0 },
        torn: true,
        disk_losses: 0,
        switches: 3,
    }
}

/// The scenario with the rules under which a network can heal: stabilising, without bounds, starting with all links
/// up, and with one switch of the topology more than its budget, to heal with.
pub fn healing(mut scenario: Scenario) -> Scenario {
    scenario.timing = Timing::Stabilising;
    scenario.bounds = Bounds::default();
    scenario.expect.clear();
    scenario.start_when = None;
    scenario.start_steps.clear();
    if scenario.network == NetworkKind::Duplicating {
        scenario.network = NetworkKind::Unordered;
    }
    let mesh = Topologies::default().start;
    if scenario.topologies.start != mesh {
        scenario.topologies.may.push(std::mem::replace(&mut scenario.topologies.start, mesh));
    }
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
    scenario.faults.switches = match scenario.topologies.may.is_empty() {
        true => 0,
        false => scenario.faults.switches + 1,
    };
    scenario
}

/// Whether all links and a majority of the nodes can still be brought back.
pub(super) fn can_heal<E: Election>(system: &System<E>, state: &SystemState<E>) -> bool {
    let left = &state.world.left;
    let up = state.live().len() + left.restarts as usize;
    state.world.stabilised || (state.world.topology == 0 || left.switches > 0) && up * 2 > system.actors.len()
}

/// Who leads, since which start of it, in which term.
type Leader = (Reign, Term);

impl Recovery {
    /// Heals the network, then watches for the leader.
    pub(super) fn watch<E: Election>(self, walk: &mut Walk<E>, healing: u64) {
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(healing));
        heal(walk, &mut rng);
        let pace = Pace::even(walk.state.nodes.len());
        let mut reign: Option<(Leader, u32)> = None;
        let (mut ticks, mut within_tick) = (0, 0);
        while !walk.has_failed() {
            let system = &walk.trial.system;
            if system.can_tick(&walk.state) {
                let leader = followed_leader(system, &walk.state);
                reign = match (leader, reign) {
                    (Some(leader), Some((before, since))) if leader == before => Some((leader, since)),
                    (Some(leader), _) => Some((leader, ticks)),
                    (None, _) => None,
                };
                if reign.is_some_and(|(_, since)| ticks - since >= self.stays) {
                    return;
                }
                if reign.is_none() && is_frozen(&walk.state) {
                    let why =
                        format!("{ticks} ticks after healing, nobody leads and nothing can happen any more");
                    return walk.fail(PROPERTY, why);
                }
                if ticks >= self.within + self.stays {
                    return walk.fail(PROPERTY, self.missed(reign));
                }
            }
            within_tick += 1;
            if within_tick > STEPS_WITHIN_TICK || !walk.step(&pace, &mut rng) {
                let why = format!("time stops {ticks} ticks after healing: no tick in {within_tick} steps");
                return walk.fail(PROPERTY, why);
            }
            if walk.last() == Some(&Step::Tick) {
                ticks += 1;
                within_tick = 0;
            }
        }
    }

    fn missed(self, reign: Option<(Leader, u32)>) -> String {
        let Recovery { within, stays } = self;
        let at_last = match reign {
            Some(((leader, term), since)) => format!("{leader} leads term {term} since tick {since} only"),
            None => "there is none at the end".to_string(),
        };
        format!(
            "after healing, no leader that a quorum follows came about within {within} ticks and stayed for {stays}: \
             {at_last}"
        )
    }
}

/// All links up, enough nodes up, and from now on nothing fails.
fn heal<E: Election>(walk: &mut Walk<E>, rng: &mut TestRng) {
    let restarts_all = rng.random_bool(0.5);
    if walk.state.world.topology != 0 {
        walk.take(Step::Switch { topology: 0 });
    }
    for node in (0..walk.state.nodes.len()).map(Id::from) {
        if restarts_all || !walk.trial.system.can_stabilise(&walk.state) {
            walk.take(Step::Restart { node, empty: false });
        }
    }
    let stabilise = walk.trial.system.stabilisation(&walk.state, |age| rng.random_range(0..age.last));
    if !walk.take(stabilise) {
        walk.fail(PROPERTY, "a majority of the nodes is up and connected, yet is no quorum".to_string());
    }
}

/// The live leader whom a quorum follows.
fn followed_leader<E: Election>(system: &System<E>, state: &SystemState<E>) -> Option<Leader> {
    let live = state.live();
    let node = |id: Id| (&system.actors[usize::from(id)], state.nodes[usize::from(id)].state.as_deref());
    live.iter().find_map(|id| {
        let (actor, Some(leader)) = node(id) else { return None };
        let term = actor.leads(id, leader)?;
        let follows = |other: Id| match node(other) {
            (actor, Some(state)) => other == id || actor.follows(other, state) == Some((term, id)),
            _ => false,
        };
        let members: NodeSet = live.iter().filter(|&other| follows(other)).collect();
        let incarnation = state.nodes[usize::from(id)].incarnation;
        let is_quorum = actor.is_quorum(leader, system.actors.len(), live, members);
        is_quorum.then_some((Reign { node: id, incarnation }, term))
    })
}

/// Whether nothing but time can ever pass: no timer runs, no message is in flight, nothing is to be chosen.
fn is_frozen<E: Election>(state: &SystemState<E>) -> bool {
    state.network.is_empty()
        && state.nodes.iter().all(|node| node.timers.is_empty() && node.choices.is_empty())
}
