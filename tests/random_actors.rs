//! Random small actors: transition tables drawn by proptest, on every network, timing and fault.
//! The compiled engine must see exactly the states and transitions of the reference semantics, and
//! find violations as early.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oneleader::election::{
    About, CLIENT, Check, Election, Event, Goal, Invariant, NodeStep, Reached, Setup, Term,
};
use oneleader::engine;
use oneleader::exploration::{Ended, Limits, Tally};
use oneleader::semantics::network::NetworkKind;
use oneleader::semantics::node::Clock;
use oneleader::semantics::topology::Topology;
use oneleader::semantics::world::Faults;
use oneleader::semantics::{Bound, Bounds, Latency, PropertyId, Rules, System, Timing};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stateright::actor::{Actor, ActorModel, ActorModelState, Id, LossyNetwork, Network, Out};
use stateright::{Checker, Expectation, Model};

#[path = "support/by_equality.rs"]
mod equality;
use equality::by_equality;

const NODES: usize = 3;
const STATES: u8 = 4;
const MESSAGES: u8 = 3;

/// As many states a case may have; larger ones are not compared.
const MOST_STATES: usize = 1500;

/// What one entry of the table does: nothing, or a new state and some commands.
type Entry = Option<(u8, Vec<Act>)>;

#[derive(Clone, Debug)]
enum Act {
    /// To the node so many further on.
    Send(u8, u8),
    Save,
    SetTimer(u8),
    CancelTimer(u8),
    Choose(bool),
}

#[derive(Clone, Debug)]
struct Table {
    start: Vec<Act>,
    on_msg: Vec<Entry>,
    on_timeout: Vec<Entry>,
    on_random: Vec<Entry>,
    /// What another table does when it starts: as if a bug had been planted here.
    unplanted: Option<Vec<Act>>,
}

impl Table {
    fn run(&self, id: Id, entry: &Entry, state: &mut Cow<u8>, o: &mut Out<Self>) {
        if let Some((next, acts)) = entry {
            *state.to_mut() = *next;
            self.act(id, *next, acts, o);
        }
    }

    fn act(&self, id: Id, state: u8, acts: &[Act], o: &mut Out<Self>) {
        for act in acts {
            match *act {
                Act::Send(further, msg) => {
                    o.send(Id::from((usize::from(id) + usize::from(further)) % NODES), msg);
                }
                Act::Save => o.save(state),
                Act::SetTimer(timer) => {
                    let lo = 10 * (1 + u64::from(timer));
                    o.set_timer(timer, Duration::from_millis(lo)..Duration::from_millis(lo + 20));
                }
                Act::CancelTimer(timer) => o.cancel_timer(timer),
                Act::Choose(true) => o.choose_random(CLIENT, vec![0, 1, 2]),
                Act::Choose(false) => o.choose_random("coin", vec![0, 1]),
            }
        }
    }
}

impl Actor for Table {
    type Msg = u8;
    type Timer = u8;
    type State = u8;
    type Storage = u8;
    type Random = u8;

    fn on_start(&self, id: Id, storage: &Option<u8>, o: &mut Out<Self>) -> u8 {
        let state = storage.unwrap_or(0);
        self.act(id, state, &self.start, o);
        state
    }
    fn on_msg(&self, id: Id, state: &mut Cow<u8>, _: Id, msg: u8, o: &mut Out<Self>) {
        let entry = &self.on_msg[usize::from(**state * MESSAGES + msg)];
        self.run(id, entry, state, o);
    }
    fn on_timeout(&self, id: Id, state: &mut Cow<u8>, timer: &u8, o: &mut Out<Self>) {
        let entry = &self.on_timeout[usize::from(**state * 2 + timer)];
        self.run(id, entry, state, o);
    }
    fn on_random(&self, id: Id, state: &mut Cow<u8>, random: &u8, o: &mut Out<Self>) {
        let entry = &self.on_random[usize::from(**state * 3 + random)];
        self.run(id, entry, state, o);
    }
}

impl Election for Table {
    /// How many messages of kind 0 were delivered, up to two.
    type Witness = u8;

    fn about() -> &'static About {
        static ABOUT: About = About {
            name: "table",
            title: "A random table",
            source: "chance",
            has_terms: true,
            starts_led: false,
            notation: &[],
            options: &[],
            bugs: &[],
            corpus: "",
        };
        &ABOUT
    }
    fn build(_: &Setup) -> Result<Vec<Self>, String> {
        Err("built by hand".to_string())
    }
    fn term(&self, state: &u8) -> Term {
        Term(u64::from(*state))
    }
    fn leads(&self, _: Id, state: &u8) -> Option<Term> {
        (*state == 3).then_some(Term(3))
    }
    fn inputs(_: &[Self]) -> u32 {
        2
    }
    /// 0 carries no number; 1 is the first input, 2 the second.
    fn input_number(input: &u8) -> Option<u32> {
        (*input > 0).then_some(u32::from(*input))
    }
    fn goals() -> Vec<Goal<Self>> {
        let step = |name, is| Goal { name, meaning: "", reached: Reached::Step(is) };
        vec![
            step("sends-twice", |step| step.sends.len() > 1),
            step("cut-short-in-3", |step| step.cut_short == Some(&3)),
            step("starts-in-1", |step| {
                matches!(step.event, Event::Start) && step.after == Some(&1)
            }),
            Goal {
                name: "led-and-seen",
                meaning: "",
                reached: Reached::Past(|led, seen| !led.is_empty() && *seen > 0),
            },
        ]
    }
    fn observe(witness: &u8, step: &NodeStep<'_, Self>) -> Option<u8> {
        let is_seen = matches!(step.event, Event::Deliver { msg: 0, .. });
        (is_seen && *witness < 2).then_some(witness + 1)
    }
    fn invariants() -> Vec<Invariant<Self>> {
        fn unless(is: bool) -> Result<(), String> {
            if is { Err("broken".to_string()) } else { Ok(()) }
        }
        let invariant = |name, check| Invariant::new(name, "", check);
        vec![
            invariant(
                "node",
                Check::Node(|_, id, state| unless(usize::from(id) == 1 && *state == 2)),
            ),
            invariant("pair", Check::Pair(|_, (_, a), (_, b)| unless(*a == 1 && *b == 3))),
            invariant(
                "rule",
                Check::Rule(|step| unless(step.before == Some(&1) && step.timers.len() > 1)),
            ),
            invariant(
                "step",
                Check::Step(|_, step| unless(step.sends.len() > 1 && step.after == Some(&2))),
            ),
            invariant("witness", Check::Witness(|w| unless(*w == 2))),
            invariant(
                "node-witness",
                Check::NodeWitness(|_, _, state, w| unless(*w == 1 && *state == 2)),
            ),
        ]
    }
    fn is_dead(&self, _: Id, _: &u8, _: Id, msg: &u8) -> bool {
        (0..STATES).all(|state| self.on_msg[usize::from(state * MESSAGES + msg)].is_none())
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..NODES as u8, 0..MESSAGES).prop_map(|(to, msg)| Act::Send(to, msg)),
        1 => Just(Act::Save),
        2 => (0..2u8).prop_map(Act::SetTimer),
        1 => (0..2u8).prop_map(Act::CancelTimer),
        1 => any::<bool>().prop_map(Act::Choose),
    ];
    proptest::collection::vec(act, 0..3)
}

fn entries(n: usize) -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec(proptest::option::weighted(0.6, (0..STATES, acts())), n)
}

fn table() -> impl Strategy<Value = Table> {
    let (states, messages) = (usize::from(STATES), usize::from(MESSAGES));
    let unplanted = proptest::option::of(acts());
    (acts(), entries(states * messages), entries(states * 2), entries(states * 3), unplanted)
        .prop_map(|(start, on_msg, on_timeout, on_random, unplanted)| Table {
            start,
            on_msg,
            on_timeout,
            on_random,
            unplanted,
        })
}

fn rules() -> impl Strategy<Value = Rules> {
    let network = prop_oneof![
        Just(NetworkKind::Unordered),
        Just(NetworkKind::Duplicating),
        Just(NetworkKind::Ordered)
    ];
    let timing = prop_oneof![
        2 => Just(Timing::Asynchronous),
        1 => Just(Timing::Timed),
        1 => Just(Timing::Stabilising),
    ];
    let latency = prop_oneof![Just(Latency::None), Just(Latency::OneTick)];
    let budgets = (0..2u32, 0..2u32, 0..2u32, 0..2u32, (0..2u32, 0..2u32), 0..2u32);
    let start = prop_oneof![3 => Just("mesh"), 1 => Just("star(n1)"), 1 => Just("cut(n1>n2)")];
    let time = (timing, latency);
    (network, time, budgets, any::<bool>(), any::<bool>(), start, 2..5usize).prop_map(
        |(
            network,
            (timing, latency),
            (crashes, restarts, losses, duplications, (disk_losses, disk_rollbacks), switches),
            torn,
            keep_dead,
            start,
            most,
        )| {
            // Combinations that a scenario would refuse are mended.
            let unordered = u32::from(network == NetworkKind::Unordered);
            let topologies =
                [start, "isolate(n2)"].map(|name| Topology::parse(name, NODES).unwrap());
            Rules {
                latency,
                network,
                timing,
                clock: match timing {
                    Timing::Asynchronous => Clock::Absent,
                    _ => Clock::Ticks(Duration::from_millis(10)),
                },
                bounds: Bounds {
                    max_term: Some(3),
                    max_in_flight: Some(most),
                    max_copies: Some(2),
                    ..Bounds::default()
                },
                faults: Faults {
                    crashes,
                    restarts: restarts.min(crashes),
                    losses,
                    duplications: duplications * unordered,
                    torn: torn && crashes > 0,
                    disk_losses: disk_losses.min(restarts).min(crashes),
                    disk_rollbacks: disk_rollbacks.min(restarts).min(crashes),
                    switches,
                },
                topologies: topologies.to_vec(),
                keep_dead,
                remember: true,
            }
        },
    )
}

/// Everything there is to compare.
#[derive(Debug, PartialEq)]
struct Seen {
    distinct: u64,
    generated: u64,
    depth: usize,
    cut: BTreeMap<Bound, u64>,
    violated: BTreeMap<PropertyId, usize>,
    tally: Tally,
}

/// The plainest search there is over the reference semantics; `None` if there are too many states.
fn by_reference(system: &System<Table>) -> Option<Seen> {
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    let mut waiting = VecDeque::from([(system.initial(), 0)]);
    let mut result = Seen {
        distinct: 0,
        generated: 1,
        depth: 0,
        cut: BTreeMap::new(),
        violated: BTreeMap::new(),
        tally: Tally::default(),
    };
    result.tally.note_past(system, system.goals_of_past(&system.initial().world));
    seen.insert(hasher.hash_one(system.initial()));
    while let Some((state, depth)) = waiting.pop_front() {
        result.distinct += 1;
        result.depth = depth;
        for (property, _) in System::<Table>::properties() {
            if system.holds(property, &state).is_err() {
                result.violated.entry(property).or_insert(depth);
            }
        }
        for (step, next) in system.successors(&state) {
            if let Some(bound) = system.beyond(&next) {
                *result.cut.entry(bound).or_default() += 1;
                continue;
            }
            result.generated += 1;
            result.tally.count(system, &state, &step, &next);
            if seen.insert(hasher.hash_one(&next)) {
                waiting.push_back((next, depth + 1));
            }
        }
        if seen.len() > MOST_STATES {
            return None;
        }
    }
    Some(result)
}

fn by_engine(system: &System<Table>, threads: usize) -> Result<Seen, String> {
    let asked: Vec<PropertyId> =
        System::<Table>::properties().into_iter().map(|(p, _)| p).collect();
    let limits = Limits { threads, ..Limits::exhaustive() };
    let seen = engine::explore(system, &asked, &limits, &|_| ());
    match seen.ended {
        Ended::Exhausted => Ok(Seen {
            distinct: seen.distinct,
            generated: seen.generated,
            depth: seen.depth,
            cut: seen.cut,
            violated: seen.violations.iter().map(|(p, v)| (*p, v.steps.len())).collect(),
            tally: seen.tally,
        }),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn the_engine_sees_what_the_reference_sees() {
    let config =
        ProptestConfig { cases: 5000, max_shrink_iters: 2000, ..ProptestConfig::default() };
    let (compared, states) = (AtomicU64::new(0), AtomicU64::new(0));
    let strategy = (proptest::collection::vec(table(), NODES), rules());
    let outcome = TestRunner::new(config).run(&strategy, |(tables, rules)| {
        let start = |table: &Table| table.unplanted.clone().unwrap_or(table.start.clone());
        let clean = |table: &Table| Table { start: start(table), ..table.clone() };
        let unplanted = tables.iter().map(clean).collect();
        let mut system = System::new(tables, rules);
        system.unplanted = Some(unplanted);
        let within = system.beyond(&system.initial()).is_none();
        if let (true, Some(reference)) = (within, by_reference(&system)) {
            compared.fetch_add(1, Ordering::Relaxed);
            states.fetch_add(reference.distinct, Ordering::Relaxed);
            prop_assert_eq!(by_engine(&system, 1), Ok(reference));
        }
        Ok(())
    });
    outcome.unwrap_or_else(|why| panic!("{why}"));
    let (compared, states) = (compared.into_inner(), states.into_inner());
    assert!(
        compared > 2000 && states > 100 * compared / 4,
        "only {compared} cases, {states} states"
    );
}

/// The same tables as a plain actor model with history, boundary, crashes and losses, for
/// stateright's own checker.
fn actor_model(
    tables: Vec<Table>,
    network: Network<u8>,
    (lossy, crashes, most): (bool, usize, usize),
) -> ActorModel<Table, usize, u8> {
    let never = |_: &ActorModel<Table, usize, u8>, _: &ActorModelState<Table, u8>| false;
    ActorModel::new(most, 0u8)
        .actors(tables)
        .init_network(network)
        .lossy_network(if lossy { LossyNetwork::Yes } else { LossyNetwork::No })
        .max_crashes(crashes)
        .record_msg_in(|_, seen, envelope| (*envelope.msg == 0 && *seen < 2).then_some(seen + 1))
        .record_msg_out(|_, seen, envelope| (*envelope.msg == 1 && *seen < 3).then_some(seen + 1))
        .within_boundary(|most, state| state.network.len() <= *most)
        .property(Expectation::Sometimes, "never", never)
        .property(Expectation::Always, "few states", |_, state| {
            state.actor_states.iter().filter(|s| ***s == 2).count() < 2
        })
}

#[test]
fn the_engine_sees_what_stateright_s_own_steps_reach() {
    let config = ProptestConfig { cases: 1500, max_shrink_iters: 500, ..ProptestConfig::default() };
    let (compared, states) = (AtomicU64::new(0), AtomicU64::new(0));
    let network = prop_oneof![
        Just(Network::new_unordered_nonduplicating([])),
        Just(Network::new_unordered_duplicating([])),
        Just(Network::new_ordered([])),
    ];
    let strategy =
        (proptest::collection::vec(table(), NODES), network, (any::<bool>(), 0..3usize, 2..4usize));
    let outcome = TestRunner::new(config).run(&strategy, |(tables, network, rest)| {
        let model = actor_model(tables, network, rest);
        let within = model.init_states().iter().all(|state| Model::within_boundary(&model, state));
        let Some((plain, _)) = by_equality(&model, MOST_STATES).filter(|_| within) else {
            return Ok(());
        };
        compared.fetch_add(1, Ordering::Relaxed);
        states.fetch_add(plain.distinct, Ordering::Relaxed);
        let ours = engine::check_model(&model, &Limits::exhaustive(), &|_| ())
            .map_err(TestCaseError::fail)?;
        prop_assert_eq!(equality::by_engine(&ours), plain);
        // Stateright's checkers take states for one that differ only in which node a timer is set
        // at, or a choice open.
        let checker = model.checker().spawn_bfs().join();
        prop_assert!(checker.unique_state_count() as u64 <= ours.distinct);
        Ok(())
    });
    outcome.unwrap_or_else(|why| panic!("{why}"));
    let (compared, states) = (compared.into_inner(), states.into_inner());
    assert!(compared > 500 && states > 50 * compared, "only {compared} cases, {states} states");
}
