//! The kinds of models that stateright publishes as its examples, written anew from their
//! descriptions: the compiled engine gives stateright's own counts and discoveries on each, as it
//! stands.

mod abd;

use abd::Abd;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use oneleader::engine;
use oneleader::exploration::{Ended, Limits};
use stateright::actor::register::{RegisterActor, RegisterMsg};
use stateright::actor::{Actor, ActorModel, Id, LossyNetwork, Network, Out, majority, model_peers};
use stateright::semantics::LinearizabilityTester;
use stateright::semantics::register::Register;
use stateright::{Checker, Expectation, Model};

type History = LinearizabilityTester<Id, Register<char>>;

/// Counts by both checkers, which must agree, and the names of what was discovered, likewise.
fn seen_by_both<A, C, H>(model: ActorModel<A, C, H>) -> (u64, u64, BTreeSet<&'static str>)
where
    A: Actor<State: Send + Sync, Storage: Send + Sync, Random: Send + Sync>
        + Clone
        + Send
        + Sync
        + 'static,
    A::Msg: Ord + Send + Sync,
    A::Timer: Ord + Send + Sync,
    C: Clone + Send + Sync + 'static,
    H: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
{
    // A property that never fires, so that stateright sees every state.
    let model = model.property(Expectation::Sometimes, "never", |_, _| false);
    let mut of_threads = Vec::new();
    for threads in [1, 2] {
        let limits = Limits { threads, ..Limits::exhaustive() };
        let ours = engine::check_model(&model, &limits, &|_| ()).expect("a model that it can take");
        assert_eq!(ours.ended, Ended::Exhausted);
        of_threads.push(ours);
    }
    let [ours, others] = [&of_threads[0], &of_threads[1]];
    assert_eq!((ours.distinct, ours.generated), (others.distinct, others.generated));
    assert_eq!(
        ours.discoveries, others.discoveries,
        "the same shortest runs, whatever the number of threads"
    );
    let checker = model.checker().spawn_bfs().join();
    let theirs: BTreeSet<&'static str> = checker.discoveries().into_keys().collect();
    assert_eq!(ours.discoveries.keys().copied().collect::<BTreeSet<_>>(), theirs);
    assert_eq!(ours.distinct as usize, checker.unique_state_count());
    assert_eq!(ours.generated as usize, checker.state_count());
    (ours.distinct, ours.generated, theirs)
}

/// Servers and clients of a register, with a history that tells whether it is linearizable.
fn register<S, M>(
    servers: impl Iterator<Item = S>,
    clients: usize,
    network: Network<RegisterMsg<u64, char, M>>,
) -> ActorModel<RegisterActor<S>, (), History>
where
    S: Actor<Msg = RegisterMsg<u64, char, M>>,
    S::Timer: Ord,
    M: Clone + Debug + Eq + Hash + Ord,
{
    let servers: Vec<_> = servers.map(RegisterActor::Server).collect();
    let server_count = servers.len();
    ActorModel::new((), LinearizabilityTester::new(Register(char::default())))
        .actors(servers)
        .actors((0..clients).map(|_| RegisterActor::Client { put_count: 1, server_count }))
        .init_network(network)
        .record_msg_in(RegisterMsg::record_returns)
        .record_msg_out(RegisterMsg::record_invocations)
        .property(Expectation::Always, "linearizable", |_, state| state.history.serialized_history().is_some())
        .property(Expectation::Sometimes, "value chosen", |_, state| {
            let is_read = |msg: &RegisterMsg<u64, char, M>| {
                matches!(msg, RegisterMsg::GetOk(_, value) if *value != char::default())
            };
            state.network.iter_deliverable().any(|envelope| is_read(envelope.msg))
        })
}

/// Single-decree Paxos that answers clients: a server that takes a put leads a ballot for it.
#[derive(Clone)]
struct PaxosServer {
    peers: Vec<Id>,
}

type Ballot = (u32, Id);
type Proposal = (u64, Id, char);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum PaxosMsg {
    Prepare(Ballot),
    Prepared(Ballot, Option<(Ballot, Proposal)>),
    Accept(Ballot, Proposal),
    Accepted(Ballot),
    Decided(Ballot, Proposal),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PaxosState {
    ballot: Ballot,
    proposal: Option<Proposal>,
    prepares: BTreeMap<Id, Option<(Ballot, Proposal)>>,
    accepts: BTreeSet<Id>,
    accepted: Option<(Ballot, Proposal)>,
    is_decided: bool,
}

impl Actor for PaxosServer {
    type Msg = RegisterMsg<u64, char, PaxosMsg>;
    type Timer = ();
    type State = PaxosState;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, _: &mut Out<Self>) -> PaxosState {
        PaxosState {
            ballot: (0, Id::from(0)),
            proposal: None,
            prepares: BTreeMap::new(),
            accepts: BTreeSet::new(),
            accepted: None,
            is_decided: false,
        }
    }

    fn on_msg(
        &self,
        id: Id,
        state: &mut Cow<PaxosState>,
        src: Id,
        msg: Self::Msg,
        o: &mut Out<Self>,
    ) {
        use PaxosMsg::*;
        use RegisterMsg::*;
        let quorum = majority(self.peers.len() + 1);
        if state.is_decided {
            if let Get(request) = msg {
                let (_, (_, _, value)) = state.accepted.expect("decided");
                o.send(src, GetOk(request, value));
            }
            return;
        }
        match msg {
            Put(request, value) if state.proposal.is_none() => {
                let state = state.to_mut();
                state.proposal = Some((request, src, value));
                state.ballot = (state.ballot.0 + 1, id);
                state.prepares = BTreeMap::from([(id, state.accepted)]);
                state.accepts = BTreeSet::new();
                o.broadcast(&self.peers, &Internal(Prepare(state.ballot)));
            }
            Internal(Prepare(ballot)) if state.ballot < ballot => {
                state.to_mut().ballot = ballot;
                o.send(src, Internal(Prepared(ballot, state.accepted)));
            }
            Internal(Prepared(ballot, last)) if ballot == state.ballot => {
                let state = state.to_mut();
                state.prepares.insert(src, last);
                if state.prepares.len() == quorum {
                    let highest = state.prepares.values().max().copied().flatten();
                    let proposal = highest.map(|(_, proposal)| proposal).or(state.proposal);
                    let proposal = proposal.expect("a proposer has a proposal");
                    state.proposal = Some(proposal);
                    state.accepted = Some((ballot, proposal));
                    state.accepts.insert(id);
                    o.broadcast(&self.peers, &Internal(Accept(ballot, proposal)));
                }
            }
            Internal(Accept(ballot, proposal)) if state.ballot <= ballot => {
                let state = state.to_mut();
                state.ballot = ballot;
                state.accepted = Some((ballot, proposal));
                o.send(src, Internal(Accepted(ballot)));
            }
            Internal(Accepted(ballot)) if ballot == state.ballot => {
                let state = state.to_mut();
                state.accepts.insert(src);
                if state.accepts.len() == quorum {
                    state.is_decided = true;
                    let proposal = state.proposal.expect("a proposer has a proposal");
                    o.broadcast(&self.peers, &Internal(Decided(ballot, proposal)));
                    o.send(proposal.1, PutOk(proposal.0));
                }
            }
            Internal(Decided(ballot, proposal)) => {
                let state = state.to_mut();
                state.ballot = ballot;
                state.accepted = Some((ballot, proposal));
                state.is_decided = true;
            }
            _ => {}
        }
    }
}

fn paxos(clients: usize) -> ActorModel<RegisterActor<PaxosServer>, (), History> {
    let servers = (0..3).map(|i| PaxosServer { peers: model_peers(i, 3) });
    register(servers, clients, Network::new_unordered_nonduplicating([]))
}

#[test]
fn paxos_with_two_clients_has_the_published_16_668_states() {
    let (distinct, _, found) = seen_by_both(paxos(2));
    assert_eq!(distinct, 16_668);
    assert_eq!(found, BTreeSet::from(["value chosen"]));
}

/// A register on one server, which nobody coordinates with.
#[derive(Clone)]
struct SingleCopy;

impl Actor for SingleCopy {
    type Msg = RegisterMsg<u64, char, ()>;
    type Timer = ();
    type State = char;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, _: &mut Out<Self>) -> char {
        char::default()
    }
    fn on_msg(&self, _: Id, state: &mut Cow<char>, src: Id, msg: Self::Msg, o: &mut Out<Self>) {
        match msg {
            RegisterMsg::Put(request, value) => {
                *state.to_mut() = value;
                o.send(src, RegisterMsg::PutOk(request));
            }
            RegisterMsg::Get(request) => o.send(src, RegisterMsg::GetOk(request, **state)),
            _ => {}
        }
    }
}

#[test]
fn one_copy_is_linearizable_and_two_are_not() {
    let model = |servers: usize| {
        let servers = (0..servers).map(|_| SingleCopy);
        register(servers, 2, Network::new_unordered_nonduplicating([]))
    };
    let (distinct, _, found) = seen_by_both(model(1));
    assert_eq!(distinct, 93, "the published count");
    assert_eq!(found, BTreeSet::from(["value chosen"]));
    let (_, _, found) = seen_by_both(model(2));
    assert_eq!(found, BTreeSet::from(["linearizable", "value chosen"]));
}

#[test]
fn an_ordered_network() {
    let servers = (0..2).map(|i| Abd { peers: model_peers(i, 2) });
    let (distinct, ..) = seen_by_both(register(servers, 2, Network::new_ordered([])));
    assert!(distinct > 100);
}

/// The first throws a coin until it has shown heads twice, keeps score on disk, and tells the other
/// about it.
#[derive(Clone)]
struct Gambler {
    next: Id,
}

impl Actor for Gambler {
    type Msg = u8;
    type Timer = ();
    type State = u8;
    type Storage = u8;
    type Random = bool;

    fn on_start(&self, _: Id, storage: &Option<u8>, o: &mut Out<Self>) -> u8 {
        o.set_timer((), Duration::from_millis(1)..Duration::from_millis(2));
        storage.unwrap_or(0)
    }
    fn on_timeout(&self, id: Id, state: &mut Cow<u8>, _: &(), o: &mut Out<Self>) {
        if id == Id::from(0) && **state < 2 {
            o.choose_random("coin", vec![true, false]);
        }
        o.set_timer((), Duration::from_millis(1)..Duration::from_millis(2));
    }
    fn on_random(&self, _: Id, state: &mut Cow<u8>, heads: &bool, o: &mut Out<Self>) {
        if *heads {
            *state.to_mut() += 1;
            o.save(**state);
            o.send(self.next, **state);
        }
    }
    fn on_msg(&self, _: Id, state: &mut Cow<u8>, _: Id, msg: u8, o: &mut Out<Self>) {
        if msg > **state {
            *state.to_mut() = msg;
            o.save(msg);
        }
    }
}

fn gamblers(network: Network<u8>) -> ActorModel<Gambler, (), u8> {
    ActorModel::new((), 0)
        .actors((0..2).map(|i| Gambler { next: Id::from(1 - i) }))
        .init_network(network)
        .record_msg_in(|_, most, envelope| (envelope.msg > most).then_some(*envelope.msg))
        .property(Expectation::Always, "nobody has two", |_, state| {
            state.actor_states.iter().all(|s| **s < 2)
        })
        .property(Expectation::Sometimes, "both have one", |_, state| {
            state.actor_states.iter().all(|s| **s == 1)
        })
}

#[test]
fn random_choices_crashes_with_storage_duplication_and_loss() {
    let found = BTreeSet::from(["nobody has two", "both have one"]);
    let networks = [
        Network::new_unordered_nonduplicating([]),
        Network::new_unordered_duplicating([]),
        Network::new_ordered([]),
    ];
    for network in networks {
        for lossy in [LossyNetwork::No, LossyNetwork::Yes] {
            for crashes in 0..2 {
                let model = gamblers(network.clone()).lossy_network(lossy).max_crashes(crashes);
                // Stateright's hash takes states for one that differ only in which actor a choice
                // is open at, so only the first actor throws coins.
                assert_eq!(seen_by_both(model).2, found);
            }
        }
    }
}

/// Counts to seventy thousand, one delivery at a time.
#[derive(Clone)]
struct Counter;

impl Actor for Counter {
    type Msg = ();
    type Timer = ();
    type State = u32;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, o: &mut Out<Self>) -> u32 {
        o.send(id, ());
        0
    }

    fn on_msg(&self, id: Id, state: &mut Cow<u32>, _: Id, (): (), o: &mut Out<Self>) {
        if **state < 70_000 {
            *state.to_mut() += 1;
            o.send(id, ());
        }
    }
}

#[test]
fn more_local_states_than_two_bytes_can_number() {
    let network = Network::new_unordered_nonduplicating([]);
    let model = ActorModel::new((), ()).actor(Counter).init_network(network);
    let model = model.property(Expectation::Sometimes, "counted far", |_, state| {
        *state.actor_states[0] == 69_999
    });
    let (distinct, _, found) = seen_by_both(model);
    // From nought to seventy thousand; the last message changes nothing.
    assert_eq!(distinct, 70_001);
    assert!(found.contains("counted far"));
}
