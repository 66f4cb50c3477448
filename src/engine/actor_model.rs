//! The front end for any stateright [`ActorModel`], as it stands.
//!
//! All three network kinds, lossy networks, `max_crashes`, storage, random choices, history, boundary, `always` and
//! `sometimes` properties. Properties, boundary and history are opaque functions; the first two speak of whole states,
//! so that each distinct state is put together for them, which costs most of the time. Not supported, and refused:
//! `eventually` (stateright's own meaning of it misses cycles), more than 16 actors or properties.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use stateright::actor::{
    Actor, ActorModel, ActorModelAction, ActorModelState, Envelope, Id, LossyNetwork, Network, RandomChoices,
    Timers,
};
use stateright::{Expectation, Model};

use super::digest::{Digest, Interner};
use super::flows::{Range, StepId};
use super::search::{Goal, search};
use super::tables::*;
use super::wire::{Wire, panic_text};
use crate::check::{Ended, Limits, Progress};
use crate::election::{Event, node_name};
use crate::local::{self, Clock, Disk, Effect, Node, Older, Reaction};
use crate::network::NetworkKind;
use crate::system::{Bounds, PropertyId};

const WORLD: u64 = 3 << 32;

/// The most actors, and the most properties, of a model.
const MOST: usize = 16;

/// What was seen of an actor model.
pub struct ModelExploration<A: Actor> {
    pub ended: Ended,
    /// Distinct states within the boundary: stateright's `unique_state_count`.
    pub distinct: u64,
    /// Generated states within the boundary: stateright's `state_count`.
    pub generated: u64,
    /// Steps to the farthest state; stateright's `max_depth` is one more.
    pub depth: usize,
    /// By property, a shortest run to an example of a `sometimes` or a counterexample of an `always`.
    #[allow(clippy::type_complexity)]
    pub discoveries: BTreeMap<&'static str, Vec<ActorModelAction<A::Msg, A::Timer, A::Random>>>,
    pub seconds: f64,
    pub peak_bytes: u64,
}

/// Explores an actor model exhaustively, within limits. A discovery of any property counts as a violation for
/// [`Limits::until`]; properties are numbered in the model's order.
///
/// ```
/// use oneleader::check::Limits;
/// use oneleader::engine;
/// # use stateright::actor::{Actor, ActorModel, Id, Network, Out};
/// # #[derive(Clone)] struct Quiet;
/// # impl Actor for Quiet {
/// #     type Msg = (); type Timer = (); type State = u8; type Storage = (); type Random = ();
/// #     fn on_start(&self, _: Id, _: &Option<()>, _: &mut Out<Self>) -> u8 { 0 }
/// # }
/// # let model = ActorModel::<_, (), ()>::new((), ()).actor(Quiet).init_network(Network::new_ordered([]));
/// let seen = engine::check_model(&model, &Limits::exhaustive(), &|_| ()).expect("a model that it can take");
/// assert_eq!(seen.distinct, 1);
/// assert!(seen.discoveries.is_empty());
/// ```
///
/// # Errors
/// What the model has that is not supported.
pub fn check_model<A, C, H>(
    model: &ActorModel<A, C, H>,
    limits: &Limits,
    progress: &dyn Fn(&Progress),
) -> Result<ModelExploration<A>, String>
where
    A: Actor + Sync,
    A::Msg: Ord + Send + Sync,
    A::Timer: Ord + Send + Sync,
    A::State: Send + Sync,
    A::Storage: Send + Sync,
    A::Random: Send + Sync,
    C: Sync,
    H: Clone + Debug + Hash + Send + Sync,
{
    let n = model.actors.len();
    if n > MOST || model.properties.len() > MOST {
        return Err(format!("expected at most {MOST} actors and as many properties"));
    }
    if let Some(p) = model.properties.iter().find(|p| p.expectation == Expectation::Eventually) {
        return Err(format!("property `{}` is an `eventually`, which this engine does not check", p.name));
    }
    let (mut front, mut tables) = ModelFront::new(model);
    let Some(start) = model.init_states().pop().filter(|start| model.within_boundary(start)) else {
        return Err("the initial state is outside the boundary".to_string());
    };
    let initial = front.row(&start, &mut tables)?;
    let asked = ((1u32 << model.properties.len()) - 1) as u16;
    let mut report = search(&mut tables, &mut front, &initial, &Goal { asked, limits, progress });
    let mut discoveries = BTreeMap::new();
    for (PropertyId(p), path) in &report.broken {
        let property = &model.properties[usize::from(*p)];
        match front.retell(&mut tables, &initial, path) {
            Ok((actions, last)) => {
                let holds = (property.condition)(model, &last);
                if holds != (property.expectation == Expectation::Sometimes) {
                    let why = "engine and stateright disagree about a discovery (a defect of oneleader)";
                    report.ended = Ended::Failed(why.to_string());
                }
                discoveries.insert(property.name, actions);
            }
            Err(why) => report.ended = Ended::Failed(why),
        }
    }
    Ok(ModelExploration {
        ended: report.ended,
        distinct: report.distinct,
        generated: report.generated,
        depth: report.depth,
        discoveries,
        seconds: report.seconds,
        peak_bytes: report.peak_bytes,
    })
}

/// A queue's messages.
fn queue_of<'a, M: Clone + 'a>(
    src: Id,
    dst: Id,
    queue: impl IntoIterator<Item = &'a M>,
) -> impl Iterator<Item = Envelope<M>> {
    queue.into_iter().map(move |msg| Envelope { src, dst, msg: msg.clone() })
}

/// One actor's part of a state.
struct Part<A: Actor> {
    state: Arc<A::State>,
    timers: Timers<A::Timer>,
    choices: RandomChoices<A::Random>,
    crashed: bool,
    storage: Option<A::Storage>,
}

impl<A: Actor> Hash for Part<A> {
    fn hash<S: std::hash::Hasher>(&self, hasher: &mut S) {
        (&self.state, &self.timers, &self.choices, self.crashed, &self.storage).hash(hasher);
    }
}

/// Everything that is no actor's and not in flight.
#[derive(Clone, Hash)]
struct Rest<M, H> {
    history: H,
    /// Stateright keeps the last message delivered by a duplicating network in its state.
    last: Option<Envelope<M>>,
    crashed: usize,
}

#[derive(Clone, Copy)]
enum Cause {
    Deliver(Message),
    Timeout(u32),
    Choose(u32),
    Restart,
    Crash,
}

struct ModelFront<'a, A: Actor, C, H>
where
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash,
{
    model: &'a ActorModel<A, C, H>,
    kind: NetworkKind,
    parts: Interner<(u8, Arc<Part<A>>)>,
    rests: Interner<Rest<A::Msg, H>>,
    wire: Wire<A::Msg>,
    /// Where each outcome comes from.
    origins: Vec<(Local, Cause)>,
}

type ActionOf<A> = ActorModelAction<<A as Actor>::Msg, <A as Actor>::Timer, <A as Actor>::Random>;

impl<'a, A, C, H> ModelFront<'a, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash,
{
    fn new(model: &'a ActorModel<A, C, H>) -> (Self, Tables) {
        let kind = match model.init_network {
            Network::UnorderedDuplicating(..) => NetworkKind::Duplicating,
            Network::UnorderedNonDuplicating(_) => NetworkKind::Unordered,
            Network::Ordered(_) => NetworkKind::Ordered,
        };
        let tables = Tables::new(Shape {
            nodes: model.actors.len(),
            network: kind,
            bounds: Bounds::default(),
            keeps_time: false,
            loses: model.lossy_network == LossyNetwork::Yes,
            duplicates: false,
            removes_dead: false,
            loses_heads_only: true,
            asks_pairs: false,
            asks_node_worlds: false,
            one_leader_at_a_time: false,
            any_topology_stabilises: false,
        });
        let front = ModelFront {
            model,
            kind,
            parts: Interner::default(),
            rests: Interner::default(),
            wire: Wire::new(super::DEFAULT_SEED, model.actors.len()),
            origins: Vec::new(),
        };
        (front, tables)
    }

    fn row(&mut self, state: &ActorModelState<A, H>, tables: &mut Tables) -> Result<Vec<u32>, String> {
        let mut last = None;
        // Not by stateright's `iter_all`, which does not end on ordered networks.
        let mut envelopes: Vec<Envelope<A::Msg>> = match &state.network {
            Network::UnorderedDuplicating(set, delivered) => {
                last = delivered.clone();
                set.iter().cloned().collect()
            }
            Network::UnorderedNonDuplicating(bag) => {
                bag.iter().flat_map(|(e, &copies)| (0..copies).map(|_| e.clone())).collect()
            }
            Network::Ordered(flows) => {
                flows.iter().flat_map(|(&(src, dst), queue)| queue_of(src, dst, queue)).collect()
            }
        };
        if self.kind != NetworkKind::Ordered {
            // The order of stateright's sets is chance, that of numbers must not be.
            envelopes.sort_unstable();
        }
        let mut columns: Vec<Vec<Message>> = Vec::new();
        for Envelope { src, dst, msg } in envelopes {
            let message = self.wire.message(src, dst, msg, tables);
            let column = usize::from(tables.messages[message as usize].column);
            columns.resize(columns.len().max(column + 1), Vec::new());
            columns[column].push(message);
        }
        let rest = Rest { history: state.history.clone(), last, crashed: 0 };
        let mut row = vec![self.rest(rest, tables)];
        for i in 0..state.actor_states.len() {
            let part = Part {
                state: state.actor_states[i].clone(),
                timers: state.timers_set[i].clone(),
                choices: state.random_choices[i].clone(),
                crashed: state.crashed[i],
                storage: state.actor_storages[i].clone(),
            };
            row.push(self.part(i, part, tables));
        }
        for messages in columns {
            row.push(tables.flow(messages)?);
        }
        Ok(row)
    }

    fn state(&self, row: &[u32], tables: &Tables) -> ActorModelState<A, H> {
        let part = |local: &Local| &*self.parts[*local].1;
        let parts: Vec<&Part<A>> = tables.locals(row).iter().map(part).collect();
        let rest = &self.rests[row[0]];
        let messages = tables.flows.all(tables.flows(row)).flat_map(|flow| tables.flows.messages(flow));
        let envelopes = messages.map(|&m| self.wire.envelope(m).clone());
        let network = match self.kind {
            NetworkKind::Unordered => Network::new_unordered_nonduplicating(envelopes),
            NetworkKind::Duplicating => {
                Network::new_unordered_duplicating_with_last_msg(envelopes, rest.last.clone())
            }
            NetworkKind::Ordered => Network::new_ordered(envelopes),
        };
        ActorModelState {
            actor_states: parts.iter().map(|p| p.state.clone()).collect(),
            network,
            timers_set: parts.iter().map(|p| p.timers.clone()).collect(),
            random_choices: parts.iter().map(|p| p.choices.clone()).collect(),
            crashed: parts.iter().map(|p| p.crashed).collect(),
            history: rest.history.clone(),
            actor_storages: parts.iter().map(|p| p.storage.clone()).collect(),
        }
    }

    fn part(&mut self, i: usize, part: Part<A>, tables: &mut Tables) -> Local {
        let digest = Digest::of(super::DEFAULT_SEED, i as u64, &part);
        let flags = if part.crashed { 0 } else { flag::UP };
        let (local, is_new) = self.parts.intern(digest, (i as u8, Arc::new(part)));
        if is_new {
            tables.add_local(LocalInfo { share: digest.share(), flags, broken: 0, steps: Range::UNKNOWN });
        }
        local
    }

    fn rest(&mut self, rest: Rest<A::Msg, H>, tables: &mut Tables) -> WorldId {
        let digest = Digest::of(super::DEFAULT_SEED, WORLD, &rest);
        let can_crash = rest.crashed < self.model.max_crashes;
        let (world, is_new) = self.rests.intern(digest, rest);
        if is_new {
            tables.add_world(WorldInfo {
                share: digest.share(),
                timeless: true,
                can_crash,
                can_restart: true,
                can_input: true,
                can_lose: self.model.lossy_network == LossyNetwork::Yes,
                links: [u16::MAX; 16],
                ..WorldInfo::default()
            });
        }
        world
    }

    /// The part as the shared definition of local steps sees it. Its timers are sorted, its choices too, so that
    /// positions in them mean the same each time.
    #[allow(clippy::type_complexity)]
    fn node(part: &Part<A>) -> Node<A::State, A::Timer, A::Storage, A::Random> {
        Node {
            state: (!part.crashed).then(|| part.state.clone()),
            timers: part.timers.iter().map(|t| (t.clone(), Default::default())).collect(),
            storage: part.storage.clone().map(Arc::new),
            older: Older::NotKept,
            incarnation: 0,
            choices: part.choices.map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        }
    }

    fn part_of(node: Node<A::State, A::Timer, A::Storage, A::Random>, before: &Part<A>) -> Part<A> {
        let mut timers = Timers::new();
        node.timers.into_keys().for_each(|timer| {
            timers.set(timer);
        });
        let mut choices = RandomChoices::default();
        node.choices.into_iter().for_each(|(key, values)| choices.insert(key, values));
        Part {
            crashed: node.state.is_none(),
            // Stateright keeps the state of a crashed actor until it recovers.
            state: node.state.unwrap_or_else(|| before.state.clone()),
            timers,
            choices,
            storage: node.storage.map(|s| (*s).clone()),
        }
    }

    fn choice(part: &Part<A>, k: u32) -> (String, A::Random) {
        let node = Self::node(part);
        let all = node.choices.iter().flat_map(|(key, values)| values.iter().map(move |v| (key, v)));
        let (key, value) = all.into_iter().nth(k as usize).expect("counted before");
        (key.clone(), value.clone())
    }

    fn outcome(
        &mut self,
        local: Local,
        cause: Cause,
        reaction: Reaction<A>,
        tables: &mut Tables,
    ) -> OutcomeId {
        let (i, before) = self.parts[local].clone();
        let i = usize::from(i);
        let sends_at = tables.sends.len() as u32;
        for effect in &reaction.effects {
            if let Effect::Send(dst, msg) = effect {
                let message = self.wire.message(Id::from(i), *dst, msg.clone(), tables);
                tables.sends.push(message);
            }
        }
        let after = self.part(i, Self::part_of(reaction.node, &before), tables);
        let is_delivery = matches!(cause, Cause::Deliver(_));
        let records = size_of::<H>() > 0 && (is_delivery || tables.sends.len() as u32 > sends_at);
        let remembers = is_delivery && self.kind == NetworkKind::Duplicating;
        let observed = if records || remembers { flag::OBSERVED } else { 0 };
        self.origins.push((local, cause));
        tables.add_outcome(Outcome {
            after,
            sends_at,
            sends: (tables.sends.len() as u32 - sends_at) as u16,
            flags: observed | if reaction.idle { flag::IDLE } else { 0 },
            torn: 0,
            kind: kind::LOSE,
            ..Outcome::default()
        })
    }

    fn resolve_own(&mut self, local: Local, tables: &mut Tables) {
        let (i, part) = self.parts[local].clone();
        let (id, actor) = (Id::from(usize::from(i)), &self.model.actors[usize::from(i)]);
        let node = Self::node(&part);
        let mut found = Vec::new();
        for (k, timer) in node.timers.keys().enumerate() {
            let reaction = local::react(actor, id, &node, &Event::Timeout { timer }, Clock::Absent);
            let kind = OwnKind::Timeout { due: true, idle: reaction.idle };
            found.push((kind, Cause::Timeout(k as u32), reaction));
        }
        let values = node.choices.iter().flat_map(|(key, values)| values.iter().map(move |v| (key, v)));
        for (k, (key, value)) in values.enumerate() {
            let reaction = local::react(actor, id, &node, &Event::Choose { key, value }, Clock::Absent);
            found.push((OwnKind::Choose, Cause::Choose(k as u32), reaction));
        }
        if part.crashed {
            let run = |storage: &Option<A::Storage>, out: &mut _| actor.on_start(id, storage, out);
            found.push((
                OwnKind::Restart(Disk::Intact),
                Cause::Restart,
                local::start(&node, Clock::Absent, run),
            ));
        } else if self.model.max_crashes > 0 {
            let reaction = Reaction::crash(&node);
            found.push((OwnKind::Crash, Cause::Crash, reaction));
        }
        let step =
            |(kind, cause, reaction)| OwnStep { kind, outcome: self.outcome(local, cause, reaction, tables) };
        let steps = found.into_iter().map(step).collect();
        tables.owns[local as usize] = Some(Own { steps, aged: local, stabilised: Box::default() });
    }

    fn resolve_world(&mut self, world: WorldId, what: u32, tables: &mut Tables) {
        let mut rest = self.rests[world].clone();
        match what {
            event::CRASH => rest.crashed += 1,
            event::RESTART => rest.crashed -= 1,
            event::LOSE => {}
            outcome => {
                let (model, cfg) = (self.model, &self.model.cfg);
                if let (_, Cause::Deliver(message)) = self.origins[outcome as usize] {
                    let Envelope { src, dst, msg } = self.wire.envelope(message);
                    let envelope = Envelope { src: *src, dst: *dst, msg };
                    if let Some(history) = (model.record_msg_in)(cfg, &rest.history, envelope) {
                        rest.history = history;
                    }
                    if self.kind == NetworkKind::Duplicating {
                        rest.last = Some(self.wire.envelope(message).clone());
                    }
                }
                for &message in tables.sends_of(&tables.outcomes[outcome as usize]) {
                    let Envelope { src, dst, msg } = self.wire.envelope(message);
                    let envelope = Envelope { src: *src, dst: *dst, msg };
                    if let Some(history) = (model.record_msg_out)(cfg, &rest.history, envelope) {
                        rest.history = history;
                    }
                }
            }
        }
        let after = self.rest(rest, tables);
        tables.set_world_after(world, what, after);
    }

    fn action(&self, step: StepId, tables: &Tables) -> ActionOf<A> {
        let sequel = tables.steps.sequels[step as usize];
        if sequel.outcome == NOTHING {
            return ActorModelAction::Drop(self.wire.envelope(sequel.message).clone());
        }
        let (local, cause) = self.origins[sequel.outcome as usize];
        let (i, part) = &self.parts[local];
        let id = Id::from(usize::from(*i));
        match cause {
            Cause::Deliver(message) => {
                let Envelope { src, dst, msg } = self.wire.envelope(message).clone();
                ActorModelAction::Deliver { src, dst, msg }
            }
            Cause::Timeout(k) => {
                let timer = Self::node(part).timers.into_keys().nth(k as usize);
                ActorModelAction::Timeout(id, timer.expect("counted before"))
            }
            Cause::Choose(k) => {
                let (key, random) = Self::choice(part, k);
                ActorModelAction::SelectRandom { actor: id, key, random }
            }
            Cause::Restart => ActorModelAction::Recover(id),
            Cause::Crash => ActorModelAction::Crash(id),
        }
    }

    /// A path in actions, taken again by stateright's own semantics, and the state that it ends in.
    #[allow(clippy::type_complexity)]
    fn retell(
        &mut self,
        tables: &mut Tables,
        initial: &[u32],
        path: &[StepId],
    ) -> Result<(Vec<ActionOf<A>>, ActorModelState<A, H>), String>
    where
        Self: Resolver,
    {
        let mut row = initial.to_vec();
        let mut state = self.state(initial, tables);
        let mut actions = Vec::new();
        for &step in path {
            let action = self.action(step, tables);
            row = tables.take(&row, step, self)?;
            state = self.model.next_state(&state, action.clone()).ok_or_else(|| {
                format!("engine and stateright disagree about {action:?} (a defect of oneleader)")
            })?;
            actions.push(action);
        }
        Ok((actions, state))
    }

    fn answer(&mut self, miss: Miss, tables: &mut Tables) {
        match miss {
            Miss::React(local, message) => {
                let (i, part) = &self.parts[local];
                let outcome = if part.crashed {
                    NOTHING
                } else {
                    let Envelope { src, msg, .. } = self.wire.envelope(message);
                    let (id, actor) = (Id::from(usize::from(*i)), &self.model.actors[usize::from(*i)]);
                    let event = Event::Deliver { src: *src, msg };
                    let reaction = local::react(actor, id, &Self::node(part), &event, Clock::Absent);
                    self.outcome(local, Cause::Deliver(message), reaction, tables)
                };
                tables.react.insert(local, message, outcome);
            }
            Miss::Own(local) => self.resolve_own(local, tables),
            Miss::World(world, what) => self.resolve_world(world, what, tables),
            other => unreachable!("actor models know no {other:?}"),
        }
    }
}

impl<A, C, H> Resolver for ModelFront<'_, A, C, H>
where
    A: Actor + Sync,
    A::Msg: Ord + Send + Sync,
    A::Timer: Ord + Send + Sync,
    A::State: Send + Sync,
    A::Storage: Send + Sync,
    A::Random: Send + Sync,
    C: Sync,
    H: Clone + Debug + Hash + Send + Sync,
{
    fn resolve(&mut self, miss: Miss, tables: &mut Tables) -> Result<(), String> {
        let local = match miss {
            Miss::React(local, _) | Miss::Own(local) => Some(local),
            _ => None,
        };
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(miss, tables)));
        answered.map_err(|panic| {
            let node = local.map(|local| node_name(Id::from(usize::from(self.parts[local].0))));
            let what = node.map_or("a history function".to_string(), |node| format!("the actor of {node}"));
            format!("{what} panicked: {}", panic_text(panic))
        })
    }

    fn judges(&self) -> bool {
        true
    }

    fn judge(&self, row: &[u32], tables: &Tables) -> Judgement {
        let state = self.state(row, tables);
        let is_within = self.model.within_boundary(&state);
        let is_found = |p: &stateright::Property<_>| {
            (p.condition)(self.model, &state) == (p.expectation == Expectation::Sometimes)
        };
        let found = self.model.properties.iter().map(is_found).enumerate();
        let broken = found.fold(0, |bits, (p, is_found)| bits | u16::from(is_found) << p);
        Judgement { broken: if is_within { broken } else { 0 }, is_within }
    }
}
