//! Random models with a coarse hash.

use oneleader::engine::{self, ModelExploration};
use oneleader::exploration::Limits;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, LossyNetwork, Network, Out, model_timeout};
use stateright::util::HashableHashSet;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::equality::{Plain, by_engine, by_equality};

const ACTORS: usize = 3;
const MOST_STATES: usize = 700;

/// A value of which the hash tells one half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Half {
    hashed: u8,
    hidden: u8,
}

impl Hash for Half {
    fn hash<S: Hasher>(&self, hasher: &mut S) {
        self.hashed.hash(hasher);
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Coarse {
    yes: HashableHashSet<u8>,
    no: HashableHashSet<u8>,
    half: Half,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Yes(u8),
    No(u8),
    Set(Half),
    /// To the actor so many further on; 3 is nobody.
    Send(u8, Half),
    Save,
    SetTimer(Half),
    Choose(u8),
}

/// What happens in each situation: nothing, or some acts.
#[derive(Clone, Debug)]
struct Random {
    start: Vec<Act>,
    rules: Vec<Option<Vec<Act>>>,
}

impl Random {
    fn situation(state: &Coarse, event: Half) -> usize {
        let which =
            usize::from(state.yes.len() > state.no.len()) * 2 + usize::from(state.half.hidden);
        which * 4 + usize::from(event.hashed) * 2 + usize::from(event.hidden)
    }

    fn run(&self, id: Id, state: &mut Cow<Coarse>, event: Half, o: &mut Out<Self>) {
        if let Some(acts) = &self.rules[Self::situation(state, event)] {
            Self::act(acts, id, state.to_mut(), o);
        }
    }

    fn act(acts: &[Act], id: Id, state: &mut Coarse, o: &mut Out<Self>) {
        for act in acts {
            match *act {
                Act::Yes(who) => drop(state.yes.insert(who)),
                Act::No(who) => drop(state.no.insert(who)),
                Act::Set(half) => state.half = half,
                Act::Send(3, half) => o.send(Id::from(70), half),
                Act::Send(further, half) => {
                    o.send(Id::from((usize::from(id) + usize::from(further)) % ACTORS), half);
                }
                Act::Save => o.save(state.half),
                Act::SetTimer(timer) => o.set_timer(timer, model_timeout()),
                Act::Choose(hidden) => {
                    o.choose_random(
                        "coin",
                        vec![Half { hashed: 0, hidden }, Half { hashed: 1, hidden }],
                    );
                }
            }
        }
    }
}

impl Actor for Random {
    type Msg = Half;
    type Timer = Half;
    type State = Coarse;
    type Storage = Half;
    type Random = Half;

    fn on_start(&self, id: Id, storage: &Option<Half>, o: &mut Out<Self>) -> Coarse {
        let mut state = Coarse { half: storage.unwrap_or_default(), ..Coarse::default() };
        Self::act(&self.start, id, &mut state, o);
        state
    }
    fn on_msg(&self, id: Id, state: &mut Cow<Coarse>, _: Id, msg: Half, o: &mut Out<Self>) {
        self.run(id, state, msg, o);
    }
    fn on_timeout(&self, id: Id, state: &mut Cow<Coarse>, timer: &Half, o: &mut Out<Self>) {
        self.run(id, state, *timer, o);
    }
    fn on_random(&self, id: Id, state: &mut Cow<Coarse>, random: &Half, o: &mut Out<Self>) {
        self.run(id, state, *random, o);
    }
}

fn half() -> impl Strategy<Value = Half> {
    (0..2u8, 0..2u8).prop_map(|(hashed, hidden)| Half { hashed, hidden })
}

fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0..3u8).prop_map(Act::Yes),
        3 => (0..3u8).prop_map(Act::No),
        3 => half().prop_map(Act::Set),
        5 => (0..4u8, half()).prop_map(|(to, half)| Act::Send(to, half)),
        1 => Just(Act::Save),
        1 => half().prop_map(Act::SetTimer),
        1 => (0..2u8).prop_map(Act::Choose),
    ];
    proptest::collection::vec(act, 0..=most)
}

fn random() -> impl Strategy<Value = Random> {
    let rules = proptest::collection::vec(proptest::option::weighted(0.7, acts(3)), 16);
    (acts(3), rules).prop_map(|(start, rules)| Random { start, rules })
}

fn model(
    actors: Vec<Random>,
    network: Network<Half>,
    (lossy, crashes, most): (bool, usize, usize),
) -> ActorModel<Random, usize, Half> {
    ActorModel::new(most, Half::default())
        .actors(actors)
        .init_network(network)
        .lossy_network(if lossy { LossyNetwork::Yes } else { LossyNetwork::No })
        .max_crashes(crashes)
        .record_msg_in(|_, seen, envelope| {
            (envelope.msg.hidden > seen.hidden)
                .then_some(Half { hidden: envelope.msg.hidden, ..*seen })
        })
        .record_msg_out(|_, seen, envelope| {
            (envelope.msg.hashed > seen.hashed)
                .then_some(Half { hashed: envelope.msg.hashed, ..*seen })
        })
        .within_boundary(|most, state| state.network.len() <= *most)
        .property(Expectation::Sometimes, "two say yes", |_, state| {
            state.actor_states.iter().filter(|s| !s.yes.is_empty()).count() >= 2
        })
        .property(Expectation::Always, "nobody is of two minds", |_, state| {
            state.actor_states.iter().all(|s| s.yes.is_disjoint(&s.no))
        })
        .property(Expectation::Sometimes, "what is hidden was delivered", |_, state| {
            state.history.hidden == 1 && state.actor_states.iter().any(|s| s.half.hidden == 1)
        })
}

/// What the engine sees, which must not depend on the number of threads.
fn explored(
    model: &ActorModel<Random, usize, Half>,
    threads: usize,
) -> Result<ModelExploration<Random>, String> {
    engine::check_model(model, &Limits { threads, ..Limits::exhaustive() }, &|_| ())
}

#[test]
fn random_models_with_a_coarse_hash_have_the_states_of_a_plain_search() {
    let config = ProptestConfig { cases: 4000, max_shrink_iters: 500, ..ProptestConfig::default() };
    let [compared, coarse, found] = [(); 3].map(|()| AtomicU64::new(0));
    let network = prop_oneof![
        Just(Network::new_unordered_nonduplicating([])),
        Just(Network::new_unordered_duplicating([])),
        Just(Network::new_ordered([])),
    ];
    let strategy = (
        proptest::collection::vec(random(), ACTORS),
        network,
        (any::<bool>(), 0..2usize, 3..5usize),
    );
    let outcome = TestRunner::new(config).run(&strategy, |(actors, network, rest)| {
        let model = model(actors, network, rest);
        let start = stateright::Model::init_states(&model).pop().unwrap();
        if !stateright::Model::within_boundary(&model, &start) {
            return Ok(());
        }
        let Some((plain, by_hash)) = by_equality(&model, MOST_STATES) else { return Ok(()) };
        compared.fetch_add(1, Ordering::Relaxed);
        coarse.fetch_add(u64::from((by_hash as u64) < plain.distinct), Ordering::Relaxed);
        found.fetch_add(plain.found.len() as u64, Ordering::Relaxed);
        let seen = explored(&model, 1).map_err(TestCaseError::fail)?;
        let ours: Plain = by_engine(&seen);
        prop_assert_eq!(ours, plain);
        let again = explored(&model, 2).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&seen.discoveries, &again.discoveries);
        Ok(())
    });
    outcome.unwrap_or_else(|why| panic!("{why}"));
    let [compared, coarse, found] = [compared, coarse, found].map(AtomicU64::into_inner);
    println!(
        "{compared} compared, {coarse} of them with fewer states by hash, {found} discoveries"
    );
    assert!(compared > 2000 && coarse > 500 && found > 1000, "{compared} {coarse} {found}");
}
