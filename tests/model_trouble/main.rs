//! What the engine says of an actor model that goes wrong: every failure is an `Err` of one line,
//! and nothing that was not settled can be asserted.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use oneleader::engine::{self, ModelExploration};
use oneleader::exploration::{Ended, Limits};
use stateright::Expectation;
use stateright::actor::{
    Actor, ActorModel, Envelope, Id, LossyNetwork, Network, Out, model_timeout,
};

#[path = "../support/by_equality.rs"]
mod equality;
mod limits;
use equality::{by_engine, by_equality};

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    FirstStart,
    Message,
    Timer,
    Choice,
    Restart,
    /// Counts the calls of its handler.
    Whims,
    /// Its first starts differ.
    StartsAtWill,
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Counts to four by messages to itself, throws a coin when its timer fires.
#[derive(Clone)]
struct Counter(Fault);

impl Counter {
    fn fail_if(&self, fault: Fault) {
        assert!(self.0 != fault, "a\n  bad day");
    }
}

impl Actor for Counter {
    type Msg = u8;
    type Timer = ();
    type State = u64;
    type Storage = u8;
    type Random = u8;

    fn on_start(&self, id: Id, storage: &Option<u8>, o: &mut Out<Self>) -> u64 {
        self.fail_if(Fault::FirstStart);
        if storage.is_some() {
            self.fail_if(Fault::Restart);
        }
        o.save(1);
        o.send(id, 1);
        o.set_timer((), model_timeout());
        if self.0 == Fault::StartsAtWill { 100 + CALLS.fetch_add(1, Ordering::Relaxed) } else { 0 }
    }
    fn on_msg(&self, id: Id, state: &mut Cow<u64>, _: Id, msg: u8, o: &mut Out<Self>) {
        if msg == 3 {
            self.fail_if(Fault::Message);
        }
        if msg < 4 {
            let step =
                if self.0 == Fault::Whims { CALLS.fetch_add(1, Ordering::Relaxed) % 7 } else { 1 };
            *state.to_mut() += step;
            o.send(id, msg + 1);
        }
    }
    fn on_timeout(&self, _: Id, _: &mut Cow<u64>, (): &(), o: &mut Out<Self>) {
        self.fail_if(Fault::Timer);
        o.choose_random("coin", vec![0, 1]);
    }
    fn on_random(&self, _: Id, state: &mut Cow<u64>, random: &u8, _: &mut Out<Self>) {
        self.fail_if(Fault::Choice);
        *state.to_mut() += 10 * u64::from(*random);
    }
}

fn model(fault: Fault) -> ActorModel<Counter, (), u8> {
    ActorModel::new((), 0)
        .actors([Counter(fault), Counter(fault)])
        .max_crashes(1)
        .init_network(Network::new_unordered_nonduplicating([]))
        .within_boundary(|(), state| state.network.len() < 4)
}

fn check<A, H>(model: &ActorModel<A, (), H>, threads: usize) -> Result<ModelExploration<A>, String>
where
    A: Actor<State: Send + Sync, Storage: Send + Sync, Random: Send + Sync> + Sync,
    A::Msg: Ord + Send + Sync,
    A::Timer: Ord + Send + Sync,
    H: Clone + std::fmt::Debug + Hash + PartialEq + Send + Sync,
{
    engine::check_model(model, &Limits { threads, ..Limits::exhaustive() }, &|_| ())
}

/// Why the model fails, which is the same for any number of threads.
fn failure(model: &ActorModel<Counter, (), u8>) -> String {
    let [one, two] = [1, 2].map(|threads| check(model, threads).err().expect("it fails"));
    assert_eq!(one, two);
    assert_eq!(one.lines().count(), 1, "{one}");
    one
}

#[test]
fn the_model_without_a_fault_is_seen_as_by_equality() {
    let model = model(Fault::None);
    let (plain, _) = by_equality(&model, 50_000).unwrap();
    assert_eq!(by_engine(&check(&model, 1).unwrap()), plain);
}

#[test]
fn a_panic_of_any_handler_is_an_error_that_names_it() {
    for (fault, what) in [
        (Fault::FirstStart, "the actor of n1 at its first start panicked: a; bad day"),
        (Fault::Message, "at 3 from n"),
        (Fault::Timer, "at timeout () panicked"),
        (Fault::Choice, "at choice coin = 0 panicked"),
        (Fault::Restart, "at its restart panicked"),
    ] {
        let why = failure(&model(fault));
        assert!(why.contains(what) && why.contains("panicked: a; bad day"), "{why}");
    }
}

#[test]
fn a_panic_of_a_function_of_the_model_is_an_error_that_names_it() {
    let sound = || model(Fault::None);
    let models = [
        (
            sound().record_msg_in(|(), _, envelope| panic!("in {}", envelope.msg)),
            "`record_msg_in` at",
        ),
        (
            sound().record_msg_out(|(), _, envelope| panic!("out {}", envelope.msg)),
            "`record_msg_out`",
        ),
        (
            sound().record_msg_out(|(), _, envelope| {
                assert!(*envelope.msg < 3, "far out");
                None
            }),
            "`record_msg_out` at",
        ),
        (sound().within_boundary(|(), _| panic!("no limits")), "the boundary panicked: no limits"),
        (
            sound().within_boundary(|(), state| {
                assert!(*state.actor_states[0] < 3, "too far");
                true
            }),
            "the boundary panicked: too far",
        ),
        (
            sound().property(Expectation::Always, "p", |_, _| panic!("at once")),
            "property p panicked: at once",
        ),
        (
            sound().property(Expectation::Sometimes, "q", |_, state| {
                assert!(*state.actor_states[0] < 3, "later");
                false
            }),
            "property q panicked: later",
        ),
    ];
    for (model, what) in models {
        let why = failure(&model);
        assert!(why.contains(what), "{why}");
    }
}

#[test]
fn a_history_that_cannot_be_told_apart_may_panic_as_well() {
    let model = ActorModel::<_, (), ()>::new((), ())
        .actor(Counter(Fault::None))
        .init_network(Network::new_ordered([]))
        .record_msg_in(|(), (), envelope| {
            assert!(*envelope.msg < 3, "forbidden");
            None
        });
    let why = check(&model, 1).err().expect("it fails");
    let what = "`record_msg_in` at Envelope { src: n1, dst: n1, msg: 3 } panicked: forbidden (";
    assert!(why.starts_with(what), "{why}");
}

#[test]
fn a_property_may_rely_on_the_boundary() {
    let model = model(Fault::None)
        .within_boundary(|(), state| state.network.len() < 4 && *state.actor_states[0] < 3)
        .property(Expectation::Always, "within", |_, state| {
            assert!(*state.actor_states[0] < 3);
            true
        });
    check(&model, 1).unwrap().assert_properties();
}

#[test]
fn a_panic_of_a_hash_or_a_comparison_is_an_error() {
    #[derive(Clone, Debug)]
    struct Touchy(u8);
    impl Hash for Touchy {
        fn hash<S: Hasher>(&self, hasher: &mut S) {
            assert!(self.0 < 3, "no hash of {}", self.0);
            0.hash(hasher);
        }
    }
    impl PartialEq for Touchy {
        fn eq(&self, other: &Self) -> bool {
            assert!(self.0 < 2, "no comparison of {}", self.0);
            self.0 == other.0
        }
    }
    #[derive(Clone)]
    struct Ticker(u8);
    impl Actor for Ticker {
        type Msg = ();
        type Timer = ();
        type State = Touchy;
        type Storage = ();
        type Random = ();
        fn on_start(&self, _: Id, _: &Option<()>, o: &mut Out<Self>) -> Touchy {
            o.set_timer((), model_timeout());
            Touchy(self.0)
        }
        fn on_timeout(&self, _: Id, state: &mut Cow<Touchy>, (): &(), o: &mut Out<Self>) {
            state.to_mut().0 += 1;
            o.set_timer((), model_timeout());
        }
    }
    let of = |start| {
        let model = ActorModel::<_, (), ()>::new((), ()).actor(Ticker(start));
        check(&model.init_network(Network::new_ordered([])), 2).err().expect("it fails")
    };
    assert!(of(0).contains("panicked: no "), "{}", of(0));
    assert!(of(2).contains("panicked: no comparison of 2"), "{}", of(2));
    assert!(of(3).contains("panicked: no "), "{}", of(3));
}

#[test]
fn handlers_that_are_no_functions_of_their_arguments_are_found_out() {
    let why = check(&model(Fault::Whims), 1).err().expect("it fails");
    assert!(why.contains("is not a pure function") || why.contains("disagree"), "{why}");
    let why = check(&model(Fault::StartsAtWill), 1).err().expect("it fails");
    assert_eq!(why, "the first start of some actor is not a pure function: it had two outcomes");
}

/// What was heard, compared as a set; the order in which it was heard is not compared, and stands
/// for that of a hash map.
#[derive(Clone, Debug, Default)]
struct Heard(Vec<u8>);

impl Heard {
    fn set(&self) -> BTreeSet<u8> {
        self.0.iter().copied().collect()
    }
}

impl PartialEq for Heard {
    fn eq(&self, other: &Self) -> bool {
        self.set() == other.set()
    }
}

impl Hash for Heard {
    fn hash<S: Hasher>(&self, hasher: &mut S) {
        self.set().hash(hasher);
    }
}

/// Actors 1 and 2 tell actor 0 who they are; when it has heard both, it tells actor 1, in the order
/// of its memory.
#[derive(Clone)]
struct Gossip;

impl Actor for Gossip {
    type Msg = u8;
    type Timer = ();
    type State = Heard;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, o: &mut Out<Self>) -> Heard {
        if id == Id::from(0) {
            o.set_timer((), model_timeout());
        } else {
            o.send(Id::from(0), usize::from(id) as u8);
        }
        Heard::default()
    }
    fn on_msg(&self, id: Id, state: &mut Cow<Heard>, _: Id, msg: u8, _: &mut Out<Self>) {
        if id == Id::from(0) {
            state.to_mut().0.push(msg);
        }
    }
    fn on_timeout(&self, _: Id, state: &mut Cow<Heard>, (): &(), o: &mut Out<Self>) {
        if state.0.len() == 2 {
            state.0.iter().for_each(|msg| o.send(Id::from(1), *msg));
        }
    }
}

#[test]
fn sending_in_the_order_of_a_hash_map_is_found_out_where_the_order_matters() {
    let model = |network, record: fn(&(), &u8, Envelope<&u8>) -> Option<u8>| {
        ActorModel::<_, (), u8>::new((), 0)
            .actors([Gossip, Gossip, Gossip])
            .init_network(network)
            .record_msg_out(record)
    };
    let (ordered, unordered) =
        (Network::new_ordered([]), Network::new_unordered_nonduplicating([]));
    let nothing: fn(&(), &u8, Envelope<&u8>) -> Option<u8> = |(), _, _| None;
    let why = check(&model(ordered, nothing), 1).err().expect("the order of a queue matters");
    assert!(
        why.contains("timeout () had two outcomes for arguments that are equal by `==`"),
        "{why}"
    );
    let seen = check(&model(unordered.clone(), nothing), 1).expect("the order in a bag does not");
    assert_eq!(seen.ended, Ended::Exhausted);
    let last: fn(&(), &u8, Envelope<&u8>) -> Option<u8> = |(), _, envelope| Some(*envelope.msg);
    let why = check(&model(unordered.clone(), last), 1)
        .err()
        .expect("the last message sent is remembered");
    assert!(why.contains("had two outcomes"), "{why}");
    let sum: fn(&(), &u8, Envelope<&u8>) -> Option<u8> =
        |(), sum, envelope| Some(sum + envelope.msg);
    assert!(check(&model(unordered, sum), 1).is_ok(), "a sum does not depend on the order");
}

/// Sends to actors that do not exist, whose numbers agree in their low bits.
#[derive(Clone)]
struct Shouter;

impl Actor for Shouter {
    type Msg = u8;
    type Timer = ();
    type State = u8;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, o: &mut Out<Self>) -> u8 {
        for (far, msg) in [(5, 0), (5 + (1 << 16), 1), (5 + (1 << 32), 2), (5 + (1 << 48), 3)] {
            o.send(Id::from(far), msg);
            o.send(Id::from(far), msg + 10);
        }
        0
    }
    fn on_msg(&self, _: Id, state: &mut Cow<u8>, src: Id, msg: u8, _: &mut Out<Self>) {
        *state.to_mut() = (3 * **state + msg + (usize::from(src) % 7) as u8) % 8;
    }
}

#[test]
fn actors_whose_numbers_agree_in_their_low_bits_have_queues_of_their_own() {
    let networks: [fn(_) -> _; 3] = [
        Network::new_ordered,
        Network::new_unordered_nonduplicating,
        Network::new_unordered_duplicating,
    ];
    for network in networks {
        // From strangers as well: 0 is an actor, the others are none.
        let strangers = [0, 1 << 8, 1 << 16, 1 << 32].map(Id::from);
        let envelopes: Vec<_> =
            strangers.iter().map(|&src| Envelope { src, dst: Id::from(0), msg: 1 }).collect();
        let model = ActorModel::<_, (), ()>::new((), ())
            .actor(Shouter)
            .init_network(network(envelopes))
            .lossy_network(LossyNetwork::Yes)
            .within_boundary(|(), state| state.network.len() > 8);
        let (plain, _) = by_equality(&model, 100_000).unwrap();
        assert!(plain.distinct > 100, "{plain:?}");
        assert_eq!(by_engine(&check(&model, 1).unwrap()), plain);
    }
    // Four queues of two, of each of which nothing, the head or all is lost.
    let model =
        ActorModel::<_, (), ()>::new((), ()).actor(Shouter).init_network(Network::new_ordered([]));
    let model = model.lossy_network(LossyNetwork::Yes);
    assert_eq!(check(&model, 1).unwrap().distinct, 3u64.pow(4));
}

#[test]
fn what_is_too_much_is_refused_with_the_number() {
    let actors = model(Fault::None).actors((0..15).map(|_| Counter(Fault::None)));
    assert_eq!(failure(&actors), "expected a model with at most 16 actors, found 17");
    let names: [&'static str; 17] =
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
    let always =
        |model: ActorModel<_, _, _>, name| model.property(Expectation::Always, name, |_, _| true);
    let properties = names.into_iter().fold(model(Fault::None), always);
    assert_eq!(failure(&properties), "expected a model with at most 16 properties, found 17");
    let outside = model(Fault::None).within_boundary(|(), _| false);
    assert_eq!(failure(&outside), "the initial state is outside the boundary");
}

#[test]
fn a_model_without_actors_has_one_state() {
    let model = ActorModel::<Counter, (), u8>::new((), 0).init_network(Network::new_ordered([]));
    let seen = check(&model, 1).unwrap();
    seen.assert_properties();
    assert_eq!((seen.distinct, seen.generated, seen.depth), (1, 1, 0));
}
