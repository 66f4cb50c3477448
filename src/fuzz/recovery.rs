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
use crate::election::Reign;
use crate::election::{Election, NodeSet, Term};
use crate::local::Disk;
use crate::network::NetworkKind;
use crate::scenario::{Scenario, Topologies};
use crate::system::{Bounds, Step, StepOf, System, SystemState, Timing};
use crate::trace::{Replay, replay_until};
use crate::world::Faults;

/// What traces call it, in the place of a property.
pub const PROPERTY: &str = "recovery";

/// So many steps without a tick mean that time has stopped.
const STEPS_WITHIN_TICK: u32 = 5_000;

/// Within `within` ticks of healing there is a leader that a quorum follows, and it is there for `stays` ticks more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    pub within: u32,
    pub stays: u32,
}

impl Recovery {
    /// In one sentence.
    pub fn meaning(self) -> String {
        let Recovery { within, stays } = self;
        format!(
            "once the network has healed, a leader that a quorum follows comes about within {within} ticks and stays for \
             {stays}"
        )
    }
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
        disk_rollbacks: 0,
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
        let mut watch = Watch::new(self);
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

/// What can be said of a healed network so far.
enum Seen {
    Waiting,
    /// The leader that was asked for.
    Stays,
    Failed(String),
}

/// Looks at a run state by state, from the step that stabilises it on.
struct Watch {
    asked: Recovery,
    ticks: u32,
    steps_within_tick: u32,
    /// The leader that a quorum follows, and since when.
    reign: Option<(Leader, u32)>,
}

impl Watch {
    fn new(asked: Recovery) -> Self {
        Watch { asked, ticks: 0, steps_within_tick: 0, reign: None }
    }

    /// The next state, and the step that led to it.
    fn see<E: Election>(
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
            let why =
                format!("time stops {ticks} ticks after healing: {STEPS_WITHIN_TICK} steps without a tick");
            return Seen::Failed(why);
        }
        if !system.can_tick(state) {
            return Seen::Waiting;
        }
        let since = |leader: Leader| match self.reign {
            Some((before, since)) if before == leader => (leader, since),
            _ => (leader, ticks),
        };
        self.reign = followed_leader(system, state).map(since);
        match self.reign {
            Some((_, since)) if ticks - since >= stays => Seen::Stays,
            None if is_frozen(state) => Seen::Failed(format!(
                "{ticks} ticks after healing, nobody leads and nothing can happen any more"
            )),
            _ if ticks < within + stays => Seen::Waiting,
            reign => {
                let at_last = match reign {
                    Some(((leader, term), since)) => {
                        format!("{leader} leads term {term} only since tick {since}")
                    }
                    None => "there is none at the end".to_string(),
                };
                Seen::Failed(format!(
                    "after healing, no leader that a quorum follows came about within {within} ticks and stayed for \
                     {stays}: {at_last}"
                ))
            }
        }
    }
}

/// Replays a trace of a network that does not recover.
pub fn replay<E: Election>(system: &System<E>, names: &[String]) -> Replay<E> {
    let mut watch = Watch::new(Recovery::default());
    replay_until(system, names, |state, step| match watch.see(system, state, step) {
        Seen::Failed(why) => Err(why),
        Seen::Waiting | Seen::Stays => Ok(()),
    })
}

/// All links up, enough nodes up, and from now on nothing fails.
fn heal<E: Election>(walk: &mut Walk<E>, rng: &mut TestRng) {
    let restarts_all = rng.random_bool(0.5);
    if walk.state.world.topology != 0 {
        walk.take(Step::Switch { topology: 0 });
    }
    for node in (0..walk.state.nodes.len()).map(Id::from) {
        if restarts_all || !walk.trial.system.can_stabilise(&walk.state) {
            walk.take(Step::Restart { node, disk: Disk::Intact });
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
