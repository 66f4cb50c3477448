//! Models whose `Hash` tells less apart than `==`, which is legal Rust: equal values must hash alike, not the reverse. The
//! compiled engine sees the states, and finds the runs, of a plain search by `==`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use oneleader::engine::{self, ModelExploration};
use oneleader::exploration::Limits;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, LossyNetwork, Network, Out, model_timeout};
use stateright::util::HashableHashSet;

#[path = "support/by_equality.rs"]
mod equality;
use equality::{Plain, by_engine, by_equality};

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

    fn on_msg(&self, _: Id, state: &mut Cow<Answers>, _: Id, (voter, is_yes): (u8, bool), _: &mut Out<Self>) {
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
        .property(Expectation::Sometimes, "all yes", |_, state| state.actor_states[0].yes.len() == 2);
    for threads in [1, 2] {
        let limits = Limits { threads, ..Limits::exhaustive() };
        let seen = engine::check_model(&model, &limits, &|_| ()).unwrap();
        seen.assert_properties();
        // Each of two voters has said nothing, yes or no.
        assert_eq!(seen.distinct, 9);
        assert_eq!(seen.discoveries["all yes"].len(), 2);
    }
}

/// Raft as in Martin Kleppmann's lectures, with the hash that stateright's example has: it leaves out what was delivered to
/// the application, and what waits for a leader.
#[derive(Clone)]
struct Raft {
    servers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Follower,
    Candidate,
    Leader,
}

/// Term and payload.
type Entry = (usize, usize);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    term: usize,
    voted_for: Option<usize>,
    log: Vec<Entry>,
    committed: usize,
    role: Role,
    leader: Option<usize>,
    votes: BTreeSet<usize>,
    sent: Vec<usize>,
    acked: Vec<usize>,
    delivered: Vec<usize>,
    waiting: Vec<usize>,
}

impl Hash for Server {
    fn hash<S: Hasher>(&self, hasher: &mut S) {
        (self.term, self.voted_for, &self.log, self.committed, self.role, self.leader).hash(hasher);
        (&self.votes, &self.sent, &self.acked).hash(hasher);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum RaftMsg {
    AskVote { term: usize, log: usize, last_term: usize },
    Vote { term: usize, granted: bool },
    Append { term: usize, prefix: usize, prefix_term: usize, committed: usize, suffix: Vec<Entry> },
    Appended { term: usize, ack: usize, success: bool },
    Propose(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum RaftTimer {
    Election,
    Replication,
}

impl Server {
    fn follow(&mut self, term: usize, o: &mut Out<Raft>) {
        (self.term, self.role, self.voted_for) = (term, Role::Follower, None);
        o.set_timer(RaftTimer::Election, model_timeout());
    }

    fn last_term(&self) -> usize {
        self.log.last().map_or(0, |entry| entry.0)
    }

    fn deliver_up_to(&mut self, committed: usize) {
        self.delivered.extend(self.log[self.committed..committed].iter().map(|entry| entry.1));
        self.committed = committed;
    }

    fn append_to(&self, follower: usize, o: &mut Out<Raft>) {
        let prefix = self.sent[follower];
        let append = RaftMsg::Append {
            term: self.term,
            prefix,
            prefix_term: if prefix > 0 { self.log[prefix - 1].0 } else { 0 },
            committed: self.committed,
            suffix: self.log[prefix..].to_vec(),
        };
        o.send(Id::from(follower), append);
    }

    fn replicate(&self, me: usize, o: &mut Out<Raft>) {
        if self.role == Role::Leader {
            (0..self.sent.len()).filter(|other| *other != me).for_each(|other| self.append_to(other, o));
        }
    }
}

impl Actor for Raft {
    type Msg = RaftMsg;
    type Timer = RaftTimer;
    type State = Server;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, o: &mut Out<Self>) -> Server {
        o.set_timer(RaftTimer::Election, model_timeout());
        o.set_timer(RaftTimer::Replication, model_timeout());
        o.send(id, RaftMsg::Propose(usize::from(id)));
        Server {
            term: 0,
            voted_for: None,
            log: Vec::new(),
            committed: 0,
            role: Role::Follower,
            leader: None,
            votes: BTreeSet::new(),
            sent: vec![0; self.servers],
            acked: vec![0; self.servers],
            delivered: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn on_msg(&self, id: Id, state: &mut Cow<Server>, src: Id, msg: RaftMsg, o: &mut Out<Self>) {
        let (me, from, state) = (usize::from(id), usize::from(src), state.to_mut());
        let quorum = (self.servers + 1).div_ceil(2);
        match msg {
            RaftMsg::AskVote { term, log, last_term } => {
                if term > state.term {
                    (state.term, state.role, state.voted_for) = (term, Role::Follower, None);
                }
                let is_recent = (last_term, log) >= (state.last_term(), state.log.len());
                let is_free = state.voted_for.is_none_or(|candidate| candidate == from);
                let granted = term == state.term && is_recent && is_free;
                if granted {
                    state.voted_for = Some(from);
                }
                o.send(src, RaftMsg::Vote { term: state.term, granted });
            }
            RaftMsg::Vote { term, granted: true } if state.role == Role::Candidate && term == state.term => {
                state.votes.insert(from);
                if state.votes.len() >= quorum {
                    (state.role, state.leader) = (Role::Leader, Some(me));
                    state.waiting.drain(..).for_each(|payload| o.send(id, RaftMsg::Propose(payload)));
                    for other in (0..self.servers).filter(|other| *other != me) {
                        (state.sent[other], state.acked[other]) = (state.log.len(), 0);
                    }
                    state.replicate(me, o);
                }
            }
            RaftMsg::Append { term, prefix, prefix_term, committed, suffix } => {
                if term > state.term {
                    (state.term, state.voted_for) = (term, None);
                    o.set_timer(RaftTimer::Election, model_timeout());
                }
                if term == state.term {
                    (state.role, state.leader) = (Role::Follower, Some(from));
                    o.set_timer(RaftTimer::Election, model_timeout());
                }
                let fits =
                    state.log.len() >= prefix && (prefix == 0 || state.log[prefix - 1].0 == prefix_term);
                let success = term == state.term && fits;
                let mut ack = 0;
                if success {
                    ack = prefix + suffix.len();
                    let last = state.log.len().min(ack);
                    if last > prefix && state.log[last - 1].0 != suffix[last - 1 - prefix].0 {
                        state.log.truncate(prefix);
                    }
                    let known = state.log.len() - prefix;
                    state.log.extend(suffix.into_iter().skip(known));
                    if committed > state.committed {
                        state.deliver_up_to(committed);
                    }
                }
                o.send(src, RaftMsg::Appended { term: state.term, ack, success });
            }
            RaftMsg::Appended { term, ack, success } if term == state.term && state.role == Role::Leader => {
                if success && ack >= state.acked[from] {
                    (state.sent[from], state.acked[from]) = (ack, ack);
                    let has_quorum = |length: &usize| {
                        state.acked.iter().filter(|acked| *acked >= length).count() >= quorum
                    };
                    let ready = (state.committed + 1..=state.log.len()).rev().find(has_quorum);
                    if let Some(ready) = ready.filter(|ready| state.log[ready - 1].0 == state.term) {
                        state.deliver_up_to(ready);
                    }
                } else if state.sent[from] > 0 {
                    state.sent[from] -= 1;
                    state.append_to(from, o);
                }
            }
            RaftMsg::Vote { term, .. } | RaftMsg::Appended { term, .. } if term > state.term => {
                state.follow(term, o);
            }
            RaftMsg::Vote { .. } | RaftMsg::Appended { .. } => {}
            RaftMsg::Propose(payload) if state.role == Role::Leader => {
                state.log.push((state.term, payload));
                state.acked[me] = state.log.len();
                state.replicate(me, o);
            }
            RaftMsg::Propose(payload) => match state.leader {
                Some(leader) => o.send(Id::from(leader), RaftMsg::Propose(payload)),
                None => state.waiting.push(payload),
            },
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<Server>, timer: &RaftTimer, o: &mut Out<Self>) {
        let (me, state) = (usize::from(id), state.to_mut());
        match timer {
            RaftTimer::Election if state.role != Role::Leader => {
                state.term += 1;
                (state.voted_for, state.role) = (Some(me), Role::Candidate);
                state.votes = BTreeSet::from([me]);
                let ask =
                    RaftMsg::AskVote { term: state.term, log: state.log.len(), last_term: state.last_term() };
                let others = (0..self.servers).filter(|other| *other != me);
                others.for_each(|other| o.send(Id::from(other), ask.clone()));
            }
            RaftTimer::Election => {}
            RaftTimer::Replication => state.replicate(me, o),
        }
    }
}

fn raft(servers: usize, most_in_flight: usize) -> ActorModel<Raft, usize, ()> {
    ActorModel::new(most_in_flight, ())
        .actors((0..servers).map(|_| Raft { servers }))
        .init_network(Network::new_unordered_nonduplicating([]))
        .within_boundary(|most, state| {
            state.network.len() <= *most && state.actor_states.iter().all(|server| server.term <= 1)
        })
        .property(Expectation::Sometimes, "a leader", |_, state| {
            state.actor_states.iter().any(|server| server.role == Role::Leader)
        })
        .property(Expectation::Sometimes, "a commit", |_, state| {
            state.actor_states.iter().any(|server| server.committed > 0)
        })
        .property(Expectation::Always, "one leader a term", |_, state| {
            let mut terms = BTreeSet::new();
            let leaders = state.actor_states.iter().filter(|server| server.role == Role::Leader);
            leaders.map(|server| server.term).all(|term| terms.insert(term))
        })
        .property(Expectation::Always, "one log is delivered", |_, state| {
            let longest = state.actor_states.iter().max_by_key(|server| server.delivered.len()).unwrap();
            state.actor_states.iter().all(|server| longest.delivered.starts_with(&server.delivered))
        })
}

#[test]
fn a_raft_whose_hash_leaves_out_two_buffers() {
    // Three messages in flight are too few for a leader among three, and enough to tell two ways of counting apart.
    let (plain, by_hash) = by_equality(&raft(3, 3), 1000).unwrap();
    assert_eq!((plain.distinct, by_hash), (448, 384), "the latter is what stateright counts");
    for (servers, most) in [(3, 3), (2, 3), (2, 4)] {
        let model = raft(servers, most);
        let (plain, by_hash) = by_equality(&model, 10_000).unwrap();
        assert!((by_hash as u64) < plain.distinct);
        assert_eq!(plain.found.len(), if servers == 2 { 2 } else { 0 }, "a leader and a commit, or neither");
        let seen = engine::check_model(&model, &Limits::exhaustive(), &|_| ()).unwrap();
        assert_eq!(by_engine(&seen), plain);
    }
}

// Random models.

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
        let which = usize::from(state.yes.len() > state.no.len()) * 2 + usize::from(state.half.hidden);
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
                    o.choose_random("coin", vec![Half { hashed: 0, hidden }, Half { hashed: 1, hidden }]);
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
            (envelope.msg.hidden > seen.hidden).then_some(Half { hidden: envelope.msg.hidden, ..*seen })
        })
        .record_msg_out(|_, seen, envelope| {
            (envelope.msg.hashed > seen.hashed).then_some(Half { hashed: envelope.msg.hashed, ..*seen })
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
    let strategy =
        (proptest::collection::vec(random(), ACTORS), network, (any::<bool>(), 0..2usize, 3..5usize));
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
    println!("{compared} compared, {coarse} of them with fewer states by hash, {found} discoveries");
    assert!(compared > 2000 && coarse > 500 && found > 1000, "{compared} {coarse} {found}");
}
