//! A register that is read and written by majorities.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use stateright::actor::register::RegisterMsg;
use stateright::actor::{Actor, Id, Network, Out, majority, model_peers};

use crate::{register, seen_by_both};

/// The register of Attiya, Bar-Noy and Dolev: a phase of asking, a phase of telling, each with a
/// majority.
#[derive(Clone)]
pub struct Abd {
    pub peers: Vec<Id>,
}

pub type Seq = (u64, Id);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AbdMsg {
    Query(u64),
    AckQuery(u64, Seq, char),
    Record(u64, Seq, char),
    AckRecord(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Asking { request: u64, client: Id, write: Option<char>, answers: BTreeMap<Id, (Seq, char)> },
    Telling { request: u64, client: Id, read: Option<char>, acks: BTreeSet<Id> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AbdState {
    seq: Seq,
    value: char,
    phase: Option<Phase>,
}

impl Abd {
    /// With a majority of answers, the phase of telling begins.
    fn on_answer(
        &self,
        id: Id,
        state: &mut AbdState,
        (src, seq, value): (Id, (u64, Id), char),
        o: &mut Out<Self>,
    ) {
        let Some(Phase::Asking { request, client, write, answers }) = &mut state.phase else {
            return;
        };
        answers.insert(src, (seq, value));
        if answers.len() < majority(self.peers.len() + 1) {
            return;
        }
        let (last, held) = *answers.values().max().expect("a majority answered");
        let (seq, value) = match *write {
            Some(value) => ((last.0 + 1, id), value),
            None => (last, held),
        };
        let read = write.is_none().then_some(held);
        let (request, client) = (*request, *client);
        o.broadcast(&self.peers, &RegisterMsg::Internal(AbdMsg::Record(request, seq, value)));
        if seq > state.seq {
            (state.seq, state.value) = (seq, value);
        }
        state.phase = Some(Phase::Telling { request, client, read, acks: BTreeSet::from([id]) });
    }
}

impl Actor for Abd {
    type Msg = RegisterMsg<u64, char, AbdMsg>;
    type Timer = ();
    type State = AbdState;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, _: &mut Out<Self>) -> AbdState {
        AbdState { seq: (0, id), value: char::default(), phase: None }
    }

    fn on_msg(
        &self,
        id: Id,
        state: &mut Cow<AbdState>,
        src: Id,
        msg: Self::Msg,
        o: &mut Out<Self>,
    ) {
        use AbdMsg::*;
        use RegisterMsg::*;
        let quorum = majority(self.peers.len() + 1);
        match msg {
            Put(request, _) | Get(request) if state.phase.is_none() => {
                let write = if let Put(_, value) = msg { Some(value) } else { None };
                let state = state.to_mut();
                let answers = BTreeMap::from([(id, (state.seq, state.value))]);
                state.phase = Some(Phase::Asking { request, client: src, write, answers });
                o.broadcast(&self.peers, &Internal(Query(request)));
            }
            Internal(Query(request)) => {
                o.send(src, Internal(AckQuery(request, state.seq, state.value)));
            }
            Internal(AckQuery(of, seq, value)) => {
                let is_awaited =
                    |p: &Phase| matches!(p, Phase::Asking { request, .. } if *request == of);
                if state.phase.as_ref().is_some_and(is_awaited) {
                    self.on_answer(id, state.to_mut(), (src, seq, value), o);
                }
            }
            Internal(Record(request, seq, value)) => {
                o.send(src, Internal(AckRecord(request)));
                if seq > state.seq {
                    let state = state.to_mut();
                    (state.seq, state.value) = (seq, value);
                }
            }
            Internal(AckRecord(of)) => {
                let is_awaited = |p: &Phase| match p {
                    Phase::Telling { request, acks, .. } => *request == of && !acks.contains(&src),
                    _ => false,
                };
                if !state.phase.as_ref().is_some_and(is_awaited) {
                    return;
                }
                let state = state.to_mut();
                let Some(Phase::Telling { request, client, read, acks }) = &mut state.phase else {
                    return;
                };
                acks.insert(src);
                if acks.len() == quorum {
                    o.send(*client, read.map_or(PutOk(*request), |value| GetOk(*request, value)));
                    state.phase = None;
                }
            }
            _ => {}
        }
    }
}

#[test]
fn the_abd_register_with_two_clients_has_the_published_544_states() {
    let servers = (0..2).map(|i| Abd { peers: model_peers(i, 2) });
    let (distinct, _, found) =
        seen_by_both(register(servers, 2, Network::new_unordered_nonduplicating([])));
    assert_eq!(distinct, 544);
    assert_eq!(found, BTreeSet::from(["value chosen"]));
}
