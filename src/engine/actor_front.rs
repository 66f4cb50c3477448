//! The front end for any stateright [`ActorModel`]: values behind the numbers of the tables, and whatever the model says
//! in functions: handlers, history, boundary, properties.
//!
//! Nothing of a model is trusted: each call of one of its functions is guarded, so that a panic becomes a message.

mod audit;

use std::cell::Cell;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use stateright::actor::{
    Actor, ActorModel, ActorModelAction, ActorModelState, Envelope, Id, LossyNetwork, Network, RandomChoices,
    Timers,
};
use stateright::{Expectation, Model};

use super::digest::{Digest, Field, Interned, Interner};
use super::flows::{Range, StepId};
use super::tables::*;
use super::wire::Wire;
use crate::election::{Event, node_name};
use crate::semantics::Bounds;
use crate::semantics::names;
use crate::semantics::network::NetworkKind;
use crate::semantics::node::{self, Clock, Disk, Node, Older, Reaction};
use crate::support::panics;

const WORLD: u64 = 3 << 32;

/// As many parts are kept that are equal to others, but were put together separately.
const TWINS: usize = 4096;

/// Runs a function of the model's, or says who panicked.
pub fn guarded<T>(who: impl FnOnce() -> String, run: impl FnOnce() -> T) -> Result<T, String> {
    panics::caught(run).map_err(|why| format!("{} panicked: {why}", who()))
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
        // The hash of stateright's sets says nothing of where they end.
        (Field(&self.state), Field(&self.timers), Field(&self.choices)).hash(hasher);
        (self.crashed, &self.storage).hash(hasher);
    }
}

/// As stateright compares states.
impl<A: Actor> PartialEq for Part<A> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
            && self.timers == other.timers
            && self.choices == other.choices
            && self.crashed == other.crashed
            && self.storage == other.storage
    }
}

/// Everything that is no actor's and not in flight.
#[derive(Clone, PartialEq)]
struct Rest<M, H> {
    history: H,
    /// Stateright keeps the last message delivered by a duplicating network in its state.
    last: Option<Envelope<M>>,
    crashed: usize,
}

impl<M: Hash, H: Hash> Hash for Rest<M, H> {
    fn hash<S: std::hash::Hasher>(&self, hasher: &mut S) {
        (Field(&self.history), &self.last, self.crashed).hash(hasher);
    }
}

#[derive(Clone, Copy)]
enum Cause {
    Deliver(Message),
    Timeout(u32),
    Choose(u32),
    Restart,
    Crash,
}

pub struct ModelFront<'a, A: Actor, C, H>
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
    /// A sample of parts that are equal to those with their numbers.
    twins: Vec<(Local, Arc<Part<A>>)>,
    met_again: usize,
}

pub type ActionOf<A> = ActorModelAction<<A as Actor>::Msg, <A as Actor>::Timer, <A as Actor>::Random>;

impl<'a, A, C, H> ModelFront<'a, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    pub fn new(model: &'a ActorModel<A, C, H>) -> (Self, Tables) {
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
            when_time_passes: 0,
            any_topology_stabilises: false,
        });
        let front = ModelFront {
            model,
            kind,
            parts: Interner::default(),
            rests: Interner::default(),
            wire: Wire::new(super::DEFAULT_SEED, model.actors.len()),
            origins: Vec::new(),
            twins: Vec::new(),
            met_again: 0,
        };
        (front, tables)
    }

    pub fn row(&mut self, state: &ActorModelState<A, H>, tables: &mut Tables) -> Result<Vec<u32>, String> {
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

    pub fn state(&self, row: &[u32], tables: &Tables) -> ActorModelState<A, H> {
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
        let (local, interned) = self.parts.intern(digest, (i as u8, Arc::new(part)));
        match interned {
            Interned::New(digest) => {
                tables.add_local(LocalInfo {
                    share: digest.share(),
                    flags,
                    broken: 0,
                    steps: Range::UNKNOWN,
                });
            }
            Interned::Known((_, twin)) if !Arc::ptr_eq(&twin.state, &self.parts[local].1.state) => {
                self.met_again += 1;
                if self.twins.len() < TWINS && (self.met_again < 256 || self.met_again.is_multiple_of(61)) {
                    self.twins.push((local, twin));
                }
            }
            Interned::Known(_) => {}
        }
        local
    }

    fn rest(&mut self, rest: Rest<A::Msg, H>, tables: &mut Tables) -> WorldId {
        let digest = Digest::of(super::DEFAULT_SEED, WORLD, &rest);
        let can_crash = rest.crashed < self.model.max_crashes;
        let (world, interned) = self.rests.intern(digest, rest);
        if let Interned::New(digest) = interned {
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

    fn envelope(&self, message: Message) -> Envelope<&A::Msg> {
        let Envelope { src, dst, msg } = self.wire.envelope(message);
        Envelope { src: *src, dst: *dst, msg }
    }

    /// What a handler is asked, for messages about it.
    fn told(&self, local: Local, cause: Cause) -> String {
        let part = &self.parts[local].1;
        match cause {
            Cause::Deliver(message) => {
                let Envelope { src, msg, .. } = self.envelope(message);
                format!("{} from {}", names::value(msg), node_name(src))
            }
            Cause::Timeout(k) => {
                let timer = Self::node(part).timers.into_keys().nth(k as usize);
                format!("timeout {}", names::value(&timer.expect("counted before")))
            }
            Cause::Choose(k) => {
                let (key, value) = Self::choice(part, k);
                format!("choice {key} = {}", names::value(&value))
            }
            Cause::Restart => "its restart".to_string(),
            Cause::Crash => "its crash".to_string(),
        }
    }

    fn name(&self, local: Local) -> String {
        node_name(Id::from(usize::from(self.parts[local].0)))
    }

    /// What a step makes of a part with this number, or of one that is equal to it; likewise with the message of a delivery.
    fn react(
        &self,
        local: Local,
        part: &Part<A>,
        cause: Cause,
        msg: Option<&A::Msg>,
    ) -> Result<Reaction<A>, String> {
        let i = usize::from(self.parts[local].0);
        let (id, actor, node) = (Id::from(i), &self.model.actors[i], Self::node(part));
        let react = |event: &Event<'_, A>| node::react(actor, id, &node, event, Clock::Absent);
        let run = || match cause {
            Cause::Deliver(message) => {
                let Envelope { src, msg: known, .. } = self.envelope(message);
                react(&Event::Deliver { src, msg: msg.unwrap_or(known) })
            }
            Cause::Timeout(k) => {
                let timer = node.timers.keys().nth(k as usize).expect("counted before");
                react(&Event::Timeout { timer })
            }
            Cause::Choose(k) => {
                let (key, value) = Self::choice(part, k);
                react(&Event::Choose { key: &key, value: &value })
            }
            Cause::Restart => node::start(&node, Clock::Absent, |disk, out| actor.on_start(id, disk, out)),
            Cause::Crash => Reaction::crash(&node),
        };
        guarded(|| format!("the actor of {} at {}", self.name(local), self.told(local, cause)), run)
    }

    fn outcome(&mut self, local: Local, cause: Cause, tables: &mut Tables) -> Result<OutcomeId, String> {
        let (i, before) = self.parts[local].clone();
        let i = usize::from(i);
        let reaction = self.react(local, &before, cause, None)?;
        let sends_at = tables.sends.len();
        for (dst, msg) in reaction.sends() {
            let message = self.wire.message(Id::from(i), dst, msg, tables);
            tables.sends.push(message);
        }
        let sends = u16::try_from(tables.sends.len() - sends_at).map_err(|_| {
            format!("the actor of {} sends more than {} messages at once", self.name(local), u16::MAX)
        })?;
        let after = self.part(i, Self::part_of(reaction.node, &before), tables);
        let is_delivery = matches!(cause, Cause::Deliver(_));
        let records = size_of::<H>() > 0 && (is_delivery || sends > 0);
        let remembers = is_delivery && self.kind == NetworkKind::Duplicating;
        let observed = if records || remembers { flag::OBSERVED } else { 0 };
        self.origins.push((local, cause));
        let outcome = tables.add_outcome(Outcome {
            after,
            sends_at: sends_at as u32,
            sends,
            flags: observed | if reaction.idle { flag::IDLE } else { 0 },
            torn: 0,
            kind: kind::LOSE,
            ..Outcome::default()
        });
        if size_of::<H>() == 0 && !(reaction.idle && self.kind != NetworkKind::Ordered) {
            // There is one history only, and nothing to remember. What records it may panic nevertheless.
            self.record(&self.model.init_history, outcome, tables)?;
        }
        if u64::from(outcome) + 1 >= u64::from(event::OUTCOMES) {
            return Err("more than four billion different local steps".to_string());
        }
        Ok(outcome)
    }

    fn resolve_own(&mut self, local: Local, tables: &mut Tables) -> Result<(), String> {
        let part = self.parts[local].1.clone();
        let mut found = Vec::new();
        for k in 0..part.timers.iter().count() as u32 {
            let outcome = self.outcome(local, Cause::Timeout(k), tables)?;
            let idle = tables.outcomes[outcome as usize].flags & flag::IDLE != 0;
            found.push(OwnStep { kind: OwnKind::Timeout { due: true, idle }, outcome });
        }
        let mut add = |front: &mut Self, kind, cause| -> Result<(), String> {
            found.push(OwnStep { kind, outcome: front.outcome(local, cause, tables)? });
            Ok(())
        };
        for k in 0..part.choices.map.values().map(Vec::len).sum::<usize>() as u32 {
            add(self, OwnKind::Choose, Cause::Choose(k))?;
        }
        if part.crashed {
            add(self, OwnKind::Restart(Disk::Intact), Cause::Restart)?;
        } else if self.model.max_crashes > 0 {
            add(self, OwnKind::Crash, Cause::Crash)?;
        }
        tables.owns[local as usize] =
            Some(Own { steps: found.into(), aged: local, stabilised: Box::default() });
        Ok(())
    }

    /// The history after an outcome.
    fn record(&self, history: &H, outcome: OutcomeId, tables: &Tables) -> Result<H, String> {
        let (model, cfg) = (self.model, &self.model.cfg);
        let mut history = history.clone();
        if let (_, Cause::Deliver(message)) = self.origins[outcome as usize] {
            let envelope = self.envelope(message);
            let told = || format!("`record_msg_in` at {}", names::value(&envelope));
            let recorded = guarded(told, || (model.record_msg_in)(cfg, &history, envelope))?;
            history = recorded.unwrap_or(history);
        }
        let sends = tables.sends_of(&tables.outcomes[outcome as usize]);
        self.record_sends(history, sends.iter().map(|&message| self.envelope(message)))
    }

    fn record_sends<'m>(
        &self,
        mut history: H,
        sends: impl Iterator<Item = Envelope<&'m A::Msg>>,
    ) -> Result<H, String>
    where
        A::Msg: 'm,
    {
        let (model, cfg) = (self.model, &self.model.cfg);
        for envelope in sends {
            let told = || format!("`record_msg_out` at {}", names::value(&envelope));
            let recorded = guarded(told, || (model.record_msg_out)(cfg, &history, envelope))?;
            history = recorded.unwrap_or(history);
        }
        Ok(history)
    }

    fn resolve_world(&mut self, world: WorldId, what: u32, tables: &mut Tables) -> Result<(), String> {
        let mut rest = self.rests[world].clone();
        match what {
            event::CRASH => rest.crashed += 1,
            event::RESTART => rest.crashed -= 1,
            event::LOSE => {}
            outcome => {
                rest.history = self.record(&rest.history, outcome, tables)?;
                if let (_, Cause::Deliver(message)) = self.origins[outcome as usize]
                    && self.kind == NetworkKind::Duplicating
                {
                    rest.last = Some(self.wire.envelope(message).clone());
                }
            }
        }
        let after = self.rest(rest, tables);
        tables.set_world_after(world, what, after);
        Ok(())
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
    ///
    /// # Errors
    /// Engine and stateright disagree: about a state, about what can be done in it, or about whether it is within the
    /// boundary. Or something panicked.
    pub fn retell(
        &mut self,
        tables: &mut Tables,
        initial: &[u32],
        path: &[StepId],
    ) -> Result<(Vec<ActionOf<A>>, ActorModelState<A, H>), String>
    where
        Self: Resolver,
    {
        let model = self.model;
        let mut row = initial.to_vec();
        let mut state = self.state(initial, tables);
        let mut actions = Vec::new();
        for &step in path {
            let action = self.action(step, tables);
            row = tables.take(&row, step, self)?;
            let told = || format!("stateright's own step {}", names::value(&action));
            let ours = self.state(&row, tables);
            let agree = guarded(told, || {
                let mut possible = Vec::new();
                model.actions(&state, &mut possible);
                let next = possible.contains(&action).then(|| model.next_state(&state, action.clone()));
                let next = next.flatten().filter(|next| *next == ours && model.within_boundary(next));
                next.map(|next| state = next).is_some()
            })?;
            if !agree {
                return Err(format!(
                    "engine and stateright disagree about {}: something of the model is not a pure function, \
                     or this is a defect of oneleader",
                    names::value(&action)
                ));
            }
            actions.push(action);
        }
        Ok((actions, state))
    }

    fn answer(&mut self, miss: Miss, tables: &mut Tables) -> Result<(), String> {
        match miss {
            Miss::React(local, message) => {
                let outcome = match self.parts[local].1.crashed {
                    true => NOTHING,
                    false => self.outcome(local, Cause::Deliver(message), tables)?,
                };
                tables.react.insert(local, message, outcome);
            }
            Miss::Own(local) => self.resolve_own(local, tables)?,
            Miss::World(world, what) => self.resolve_world(world, what, tables)?,
            other => unreachable!("actor models know no {other:?}"),
        }
        Ok(())
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
    H: Clone + Debug + Hash + PartialEq + Send + Sync,
{
    fn resolve(&mut self, miss: Miss, tables: &mut Tables) -> Result<(), String> {
        let who = || "what clones, compares or hashes a state, a message or a history".to_string();
        guarded(who, || self.answer(miss, tables))?
    }

    fn judges(&self) -> bool {
        true
    }

    fn judge(&self, row: &[u32], tables: &Tables) -> Result<Judgement, String> {
        let now = Cell::new(("what puts a state together", ""));
        let who = || format!("{}{}", now.get().0, now.get().1);
        guarded(who, || {
            let state = self.state(row, tables);
            now.set(("the boundary", ""));
            if !self.model.within_boundary(&state) {
                // Stateright asks nothing of such a state, and neither may we: a property may rely on the boundary.
                return Judgement { broken: 0, is_within: false };
            }
            let mut broken = 0;
            for (p, property) in self.model.properties.iter().enumerate() {
                now.set(("property ", property.name));
                let is_found = match property.expectation {
                    Expectation::Always => !(property.condition)(self.model, &state),
                    Expectation::Sometimes => (property.condition)(self.model, &state),
                    Expectation::Eventually => false,
                };
                broken |= u16::from(is_found) << p;
            }
            Judgement { broken, is_within: true }
        })
    }
}
