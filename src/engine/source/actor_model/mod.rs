//! The source for any stateright [`ActorModel`]. It holds the values behind the ids and calls the
//! model's functions: handlers, history, boundary, properties.
//!
//! The model is not trusted: panics of its functions are caught and reported.

mod audit;
mod handlers;
mod part;
mod resolve;

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use stateright::actor::{
    Actor, ActorModel, ActorModelAction, ActorModelState, Envelope, Id, LossyNetwork, Network,
};

use super::messages::{InFlight, Messages};
use super::{Sample, place};
use crate::election::{MAX_NODES, node_name};
use crate::engine::DEFAULT_SEED;
use crate::engine::digest::{Digest, Field, Interned, Interner};
use crate::engine::error::EngineError;
use crate::engine::ids::{IdVec, LocalId, MessageId, NodeIndex, OutcomeId, WorldEvent, WorldId};
use crate::engine::program::{
    Arrival, LocalInfo, NewWorld, Program, ProgramBuilder, Shape, StepRange, flag,
};
use crate::engine::row::Cell;
use crate::semantics::network::NetworkKind;
use crate::semantics::node::Disk;
use crate::semantics::{Bounds, Latency, PropertySet, Timing};
use crate::support::panics;
use part::Part;

/// The most parts that are kept although they are equal to a part with an id. They were built
/// separately, and serve the audit.
const TWINS: usize = 4096;

/// Runs a function of the model. If it panics, the error says whose function it is.
pub(crate) fn guarded<T>(
    who: impl FnOnce() -> String,
    run: impl FnOnce() -> T,
) -> Result<T, EngineError> {
    panics::caught(run).map_err(|why| EngineError::Panicked { who: who(), at: None, why })
}

/// The part of a state that belongs to no actor and is not in flight.
#[derive(Clone, PartialEq)]
struct Rest<M, H> {
    history: H,
    /// The message that a duplicating network delivered last, which stateright keeps in its states.
    last: Option<Envelope<M>>,
    crashed: usize,
}

impl<M: Hash, H: Hash> Hash for Rest<M, H> {
    fn hash<S: std::hash::Hasher>(&self, hasher: &mut S) {
        (Field(&self.history), &self.last, self.crashed).hash(hasher);
    }
}

/// Which step of an actor an outcome belongs to.
#[derive(Clone, Copy)]
enum Cause {
    /// The delivery of a message.
    Deliver(MessageId),
    /// The timer at this position of the actor's timers.
    Timeout(u32),
    /// The value at this position of all the actor's open choices.
    Choose(u32),
    /// A recovery.
    Restart,
    /// A crash.
    Crash,
}

/// The source for one actor model.
pub(crate) struct ModelSource<'a, A: Actor, C, H>
where
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash,
{
    model: &'a ActorModel<A, C, H>,
    kind: NetworkKind,
    parts: Interner<LocalId, (NodeIndex, Arc<Part<A>>)>,
    rests: Interner<WorldId, Rest<A::Msg, H>>,
    messages: Messages<A::Msg>,
    /// For each outcome the part before it, and what happened.
    origins: IdVec<OutcomeId, (LocalId, Cause)>,
    /// A sample of parts that are equal to those with their ids.
    twins: Sample<(LocalId, Arc<Part<A>>)>,
}

/// An action of an actor model with these actors.
pub(crate) type ActionOf<A> =
    ActorModelAction<<A as Actor>::Msg, <A as Actor>::Timer, <A as Actor>::Random>;

/// The messages in flight at the start, in a fixed order, and the message that was delivered last.
fn in_flight<M: Clone + Eq + Hash + Ord>(
    network: &Network<M>,
) -> (Vec<Envelope<M>>, Option<Envelope<M>>) {
    let mut last = None;
    // Stateright's `iter_all` would not end on ordered networks.
    let mut envelopes: Vec<Envelope<M>> = match network {
        Network::UnorderedDuplicating(set, delivered) => {
            last = delivered.clone();
            set.iter().cloned().collect()
        }
        Network::UnorderedNonDuplicating(bag) => {
            bag.iter().flat_map(|(e, &copies)| (0..copies).map(|_| e.clone())).collect()
        }
        Network::Ordered(flows) => {
            let queues = flows.iter();
            return (
                queues.flat_map(|(&(src, dst), queue)| queue_of(src, dst, queue)).collect(),
                None,
            );
        }
    };
    // The order of stateright's sets is random, but ids must be the same in each run.
    envelopes.sort_unstable();
    (envelopes, last)
}

/// The messages of a queue, in order.
fn queue_of<'a, M: Clone + 'a>(
    src: Id,
    dst: Id,
    queue: impl IntoIterator<Item = &'a M>,
) -> impl Iterator<Item = Envelope<M>> {
    queue.into_iter().map(move |msg| Envelope { src, dst, msg: msg.clone() })
}

impl<'a, A, C, H> ModelSource<'a, A, C, H>
where
    A: Actor,
    A::Msg: Ord,
    A::Timer: Ord,
    H: Clone + Debug + Hash + PartialEq,
{
    /// The source for a model, and a program that knows nothing yet.
    pub(crate) fn new(model: &'a ActorModel<A, C, H>) -> (Self, ProgramBuilder) {
        let kind = match model.init_network {
            Network::UnorderedDuplicating(..) => NetworkKind::Duplicating,
            Network::UnorderedNonDuplicating(_) => NetworkKind::Unordered,
            Network::Ordered(_) => NetworkKind::Ordered,
        };
        let program = ProgramBuilder::new(Shape {
            nodes: model.actors.len(),
            network: kind,
            bounds: Bounds::default(),
            timing: Timing::Asynchronous,
            latency: Latency::None,
            loses: model.lossy_network == LossyNetwork::Yes,
            duplicates: false,
            removes_dead: false,
            loses_heads_only: true,
            asks_pairs: false,
            asks_node_worlds: false,
            one_leader_at_a_time: false,
            when_time_passes: PropertySet::EMPTY,
            any_topology_stabilises: false,
        });
        let source = ModelSource {
            model,
            kind,
            parts: Interner::default(),
            rests: Interner::default(),
            messages: Messages::new(DEFAULT_SEED, model.actors.len()),
            origins: IdVec::default(),
            twins: Sample::new(TWINS),
        };
        (source, program)
    }

    /// The model.
    pub(crate) fn model(&self) -> &'a ActorModel<A, C, H> {
        self.model
    }

    /// The row of a state.
    ///
    /// # Errors
    /// Two flows have the same digest.
    pub(crate) fn row(
        &mut self,
        state: &ActorModelState<A, H>,
        program: &mut ProgramBuilder,
    ) -> Result<Vec<u32>, EngineError> {
        let (envelopes, last) = in_flight(&state.network);
        let mut in_flight = InFlight::default();
        for Envelope { src, dst, msg } in envelopes {
            let message = self.messages.id(src, dst, msg, program);
            in_flight.add(message, Arrival::Now, program);
        }
        let rest = Rest { history: state.history.clone(), last, crashed: 0 };
        let world = self.rest(rest, program);
        let parts = (0..state.actor_states.len()).map(|i| {
            let part = Part {
                state: state.actor_states[i].clone(),
                timers: state.timers_set[i].clone(),
                choices: state.random_choices[i].clone(),
                crashed: state.crashed[i],
                storage: state.actor_storages[i].clone(),
            };
            self.part(NodeIndex::at(i), part, program)
        });
        let parts: Vec<LocalId> = parts.collect();
        in_flight.row(world, parts, program)
    }

    /// The state that a row stands for.
    pub(crate) fn state_of(&self, row: &[u32], program: &Program) -> ActorModelState<A, H> {
        let locals = program.locals_of(row).iter();
        let parts: Vec<&Part<A>> = locals.map(|cell| &*self.parts[cell.local()].1).collect();
        let rest = &self.rests[row[0].world()];
        let messages = program.messages_of(row, Arrival::Now);
        let envelopes = messages.map(|message| self.messages.envelope(message).clone());
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

    /// The id of an actor's part.
    fn part(&mut self, i: NodeIndex, part: Part<A>, program: &mut ProgramBuilder) -> LocalId {
        let digest = Digest::of(DEFAULT_SEED, i.position() as u64, &part);
        let flags = if part.crashed { 0 } else { flag::UP };
        let (local, interned) = self.parts.intern(digest, (i, Arc::new(part)));
        match interned {
            Interned::New(digest) => {
                program.add_local(LocalInfo {
                    share: digest.share(),
                    flags,
                    broken: PropertySet::EMPTY,
                    steps: StepRange::UNKNOWN,
                });
            }
            Interned::Known((_, twin)) => {
                if !Arc::ptr_eq(&twin.state, &self.parts[local].1.state) {
                    self.twins.offer(|| (local, twin));
                }
            }
        }
        local
    }

    /// The id of what is no actor's and not in flight.
    fn rest(&mut self, rest: Rest<A::Msg, H>, program: &mut ProgramBuilder) -> WorldId {
        let digest = Digest::of(DEFAULT_SEED, place::WORLD, &rest);
        let can_crash = rest.crashed < self.model.max_crashes;
        let can_lose = self.model.lossy_network == LossyNetwork::Yes;
        let (world, interned) = self.rests.intern(digest, rest);
        if let Interned::New(digest) = interned {
            let mut affordable = vec![WorldEvent::Restart(Disk::Intact)];
            affordable.extend(can_crash.then_some(WorldEvent::Crash));
            affordable.extend(can_lose.then_some(WorldEvent::Lose));
            program.add_world(NewWorld {
                share: digest.share(),
                timeless: true,
                affordable,
                links: [u16::MAX; MAX_NODES],
                ..NewWorld::default()
            });
        }
        world
    }

    /// A message, without a copy.
    fn envelope(&self, message: MessageId) -> Envelope<&A::Msg> {
        let Envelope { src, dst, msg } = self.messages.envelope(message);
        Envelope { src: *src, dst: *dst, msg }
    }

    /// The name of the actor with a part.
    fn name(&self, local: LocalId) -> String {
        node_name(self.parts[local].0.id())
    }
}
