//! Sets that stand side by side: their hash does not say where one ends.

use oneleader::engine;
use oneleader::exploration::Limits;
use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, Network, Out};
use stateright::util::HashableHashSet;
use std::borrow::Cow;
use std::hash::Hash;

/// Two of stateright's sets side by side: their hash says nothing of where the first ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Answers {
    yes: HashableHashSet<u8>,
    no: HashableHashSet<u8>,
}

/// Actor 0 collects the first answer of each of the others, who send both.
#[derive(Clone)]
struct Voter;

impl Actor for Voter {
    type Msg = (u8, bool);
    type Timer = ();
    type State = Answers;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, o: &mut Out<Self>) -> Answers {
        if id != Id::from(0) {
            o.send(Id::from(0), (usize::from(id) as u8, true));
            o.send(Id::from(0), (usize::from(id) as u8, false));
        }
        Answers::default()
    }

    fn on_msg(
        &self,
        _: Id,
        state: &mut Cow<Answers>,
        _: Id,
        (voter, is_yes): (u8, bool),
        _: &mut Out<Self>,
    ) {
        if !state.yes.contains(&voter) && !state.no.contains(&voter) {
            let state = state.to_mut();
            if is_yes {
                state.yes.insert(voter)
            } else {
                state.no.insert(voter)
            };
        }
    }
}

#[test]
fn sets_side_by_side_do_not_run_together() {
    let model = ActorModel::<_, (), ()>::new((), ())
        .actors([Voter, Voter, Voter])
        .init_network(Network::new_unordered_nonduplicating([]))
        .property(Expectation::Sometimes, "all yes", |_, state| {
            state.actor_states[0].yes.len() == 2
        });
    for threads in [1, 2] {
        let limits = Limits { threads, ..Limits::exhaustive() };
        let seen = engine::check_model(&model, &limits, &|_| ()).unwrap();
        seen.assert_properties();
        // Each of two voters has said nothing, yes or no.
        assert_eq!(seen.distinct, 9);
        assert_eq!(seen.discoveries["all yes"].len(), 2);
    }
}
