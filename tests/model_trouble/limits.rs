//! Runs that end early, and properties that are not settled.

use std::borrow::Cow;
use std::panic::catch_unwind;

use oneleader::engine::{self, ModelExploration};
use oneleader::exploration::{Ended, Limits};
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use stateright::{Checker, Expectation, Model};

use crate::equality::by_equality;
use crate::{Counter, Fault, check, model};

/// Passes on what it hears to the other one, up to five.
#[derive(Clone)]
struct Talker;

impl Actor for Talker {
    type Msg = u8;
    type Timer = ();
    type State = u32;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, o: &mut Out<Self>) -> u32 {
        o.send(id, 1);
        0
    }
    fn on_msg(&self, id: Id, state: &mut Cow<u32>, _: Id, msg: u8, o: &mut Out<Self>) {
        *state.to_mut() = 3 * **state + u32::from(msg);
        if msg < 5 {
            o.send(Id::from(1 - usize::from(id)), msg + 1);
        }
    }
}

#[test]
fn a_bound_on_depth_is_that_of_stateright_s_breadth_first_search() {
    let model = || {
        ActorModel::<_, (), ()>::new((), ())
            .actors([Talker, Talker])
            .init_network(Network::new_unordered_nonduplicating([]))
            .property(Expectation::Sometimes, "heard one and two", |_, state| {
                *state.actor_states[0] == 5
            })
            .property(Expectation::Sometimes, "never", |_, _| false)
    };
    let (whole, by_hash) = by_equality(&model(), 50_000).unwrap();
    assert_eq!((whole.distinct, whole.depth), (by_hash as u64, 10));
    for depth in 1..=whole.depth + 3 {
        let limits = Limits { max_depth: Some(depth), ..Limits::exhaustive() };
        let seen = engine::check_model(&model(), &limits, &|_| ()).unwrap();
        let checker = model().checker().target_max_depth(depth).spawn_bfs().join();
        let theirs = (
            checker.unique_state_count() as u64,
            checker.state_count() as u64,
            checker.max_depth(),
        );
        assert_eq!((seen.distinct, seen.generated, seen.depth + 1), theirs, "of depth {depth}");
        // The farthest states were not asked what follows them, not even where that is nothing.
        let is_cut = depth <= whole.depth + 1;
        assert_eq!(seen.ended, if is_cut { Ended::MaxDepth } else { Ended::Exhausted });
        // The second message needs one of the other actor before it, so three steps lead there.
        // Stateright asks nothing of the farthest states, and finds it when it may go one step
        // further.
        let found = seen.discoveries.get("heard one and two").map(Vec::len);
        assert_eq!(found, (depth >= 4).then_some(3));
        assert_eq!(checker.discoveries().contains_key("heard one and two"), depth >= 5);
    }
}

#[test]
fn an_eventually_is_not_checked_and_the_rest_is() {
    let model = model(Fault::None)
        .property(Expectation::Eventually, "all ends well", |_, _| panic!("not asked"))
        .property(Expectation::Sometimes, "counts", |_, state| *state.actor_states[0] == 3)
        .property(Expectation::Always, "is nought", |_, state| *state.actor_states[1] == 0);
    let seen = check(&model, 1).unwrap();
    assert_eq!(
        (seen.ended.clone(), seen.not_checked.clone()),
        (Ended::Exhausted, vec!["all ends well"])
    );
    assert_eq!(seen.discoveries.keys().copied().collect::<Vec<_>>(), ["counts", "is nought"]);
    seen.assert_property("counts");
    let not_checked = "`all ends well` is an `eventually`, which is not checked";
    assert_eq!(seen.holds("all ends well"), Err(not_checked.to_string()));
    let why = panic_of(&seen, |seen| seen.assert_properties());
    assert!(
        why.contains(not_checked) && why.contains("`is nought` has a counterexample after 1 step:"),
        "{why}"
    );
    assert!(why.contains("\n  Deliver { src: n2, dst: n2, msg: 1 }"), "with its actions: {why}");
}

fn panic_of(seen: &ModelExploration<Counter>, assert: fn(&ModelExploration<Counter>)) -> String {
    let panic =
        catch_unwind(std::panic::AssertUnwindSafe(|| assert(seen))).expect_err("it does not hold");
    panic.downcast_ref::<String>().expect("a text").clone()
}

#[test]
fn a_run_that_ended_early_settles_only_what_it_found() {
    let model = model(Fault::None)
        .property(Expectation::Sometimes, "starts", |_, state| *state.actor_states[0] == 0)
        .property(Expectation::Sometimes, "never", |_, state| *state.actor_states[0] == 99)
        .property(Expectation::Always, "is small", |_, state| *state.actor_states[0] < 99);
    let all = Limits::exhaustive();
    let early = [
        (Limits { max_states: Some(2), ..all.clone() }, Ended::MaxStates),
        (Limits { max_depth: Some(3), ..all.clone() }, Ended::MaxDepth),
        (Limits { time: Some(std::time::Duration::ZERO), ..all.clone() }, Ended::TimeLimit),
        (Limits { memory: Some(1), ..all.clone() }, Ended::MaxMemory),
        (Limits::default(), Ended::Violated),
    ];
    for (limits, ended) in early {
        let seen = engine::check_model(&model, &limits, &|_| ()).unwrap();
        assert_eq!(seen.ended, ended);
        seen.assert_property("starts");
        for open in ["never", "is small"] {
            let why = seen.holds(open).unwrap_err();
            assert!(why.contains("is not settled") && why.contains(&format!("{ended:?}")), "{why}");
        }
        panic_of(&seen, |seen| seen.assert_properties());
    }
    let seen = engine::check_model(&model, &all, &|_| ()).unwrap();
    assert_eq!(seen.holds("is small"), Ok(()));
    let why = seen.holds("never").unwrap_err();
    assert!(why.starts_with("`never` has no example among all"), "{why}");
    let why = seen.holds("nevr").unwrap_err();
    assert_eq!(why, "expected a property of the model (starts, never, is small), found `nevr`");
}
