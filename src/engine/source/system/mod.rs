//! The source for a [`System`]: the nodes and worlds behind the ids, and the actors' handlers
//! behind the outcomes.

mod audit;
mod handlers;
mod resolve;
mod told;
mod worlds;

use std::collections::HashMap;
use std::sync::Arc;

use stateright::actor::Envelope;

use super::Sample;
use super::messages::{InFlight, Messages};
use crate::election::{Check, Election, Invariant};
use crate::engine::digest::{Digest, Interned, Interner};
use crate::engine::error::EngineError;
use crate::engine::ids::{CounterId, IdVec, LocalId, MessageId, NodeIndex, OutcomeId, WorldId};
use crate::engine::program::{
    Arrival, Counted, LocalInfo, Program, ProgramBuilder, Shape, StepRange, flag,
};
use crate::engine::row::Cell;
use crate::semantics::network::Network;
use crate::semantics::node::NodeOf;
use crate::semantics::world::World;
use crate::semantics::{PropertyId, PropertySet, System, SystemState};
use audit::Buried;
use handlers::Origin;

/// How many reactions, spread over a run, are computed once more at its end. They tell whether
/// handlers are functions of their arguments.
const SAMPLE: usize = 4096;

/// A reaction that is computed once more: of this node to this message, with this digest.
struct Sampled {
    local: LocalId,
    message: MessageId,
    digest: Digest,
}

/// The source for one system.
pub(crate) struct SystemSource<'a, E: Election> {
    system: &'a System<E>,
    seed: u64,
    nodes: Interner<LocalId, (NodeIndex, Arc<NodeOf<E>>)>,
    worlds: Interner<WorldId, Arc<World<E::Witness>>>,
    messages: Messages<E::Msg>,
    /// For each outcome where it comes from.
    origins: IdVec<OutcomeId, Origin>,
    /// For the few outcomes that break rules of single steps, which, and the conflicting facts.
    broken_rules: HashMap<OutcomeId, Vec<(u8, String)>>,
    counters: HashMap<Counted, CounterId>,
    has_step_invariants: bool,
    sample: Sample<Sampled>,
    /// For each local state which messages are dead to it.
    buried: IdVec<LocalId, Buried>,
}

/// The position of a protocol's invariant among the properties: election safety comes first.
fn property(invariant: usize) -> PropertyId {
    PropertyId(u8::try_from(invariant + 1).expect("there are few properties"))
}

impl<'a, E: Election> SystemSource<'a, E> {
    /// The source for a system, and a program of which nothing is known yet.
    pub(crate) fn new(system: &'a System<E>, seed: u64) -> (Self, ProgramBuilder) {
        let has = |is: fn(&Check<E>) -> bool| system.invariants.iter().any(|i| is(&i.check));
        let rules = &system.rules;
        let program = ProgramBuilder::new(Shape {
            nodes: system.actors.len(),
            network: rules.network,
            bounds: rules.bounds,
            timing: rules.timing,
            latency: rules.latency,
            loses: rules.faults.losses > 0,
            duplicates: rules.faults.duplications > 0,
            removes_dead: system.removes_dead(),
            loses_heads_only: false,
            asks_pairs: has(|c| matches!(c, Check::Pair(_))),
            asks_node_worlds: has(|c| matches!(c, Check::NodeWitness(_))),
            one_leader_at_a_time: !E::about().has_terms,
            when_time_passes: when_time_passes(&system.invariants),
            any_topology_stabilises: system.any_topology_stabilises(),
        });
        let source = SystemSource {
            system,
            seed,
            nodes: Interner::default(),
            worlds: Interner::default(),
            messages: Messages::new(seed, system.actors.len()),
            origins: IdVec::default(),
            broken_rules: HashMap::new(),
            counters: HashMap::new(),
            has_step_invariants: has(|c| matches!(c, Check::Step(_))),
            sample: Sample::new(SAMPLE),
            buried: IdVec::default(),
        };
        (source, program)
    }

    /// The row of a state.
    ///
    /// # Errors
    /// Two flows have the same digest.
    pub(crate) fn row(
        &mut self,
        state: &SystemState<E>,
        program: &mut ProgramBuilder,
    ) -> Result<Vec<u32>, EngineError> {
        let mut in_flight = InFlight::default();
        for (network, arrival) in
            [(&state.network, Arrival::Now), (&state.later, Arrival::NextTick)]
        {
            for Envelope { src, dst, msg } in network.all() {
                let message = self.messages.id(src, dst, msg, program);
                in_flight.add(message, arrival, program);
            }
        }
        let world = self.world(state.world.clone(), program);
        let nodes = state.nodes.iter().enumerate();
        let locals = nodes.map(|(i, node)| self.local(NodeIndex::at(i), node.clone(), program));
        let locals: Vec<LocalId> = locals.collect();
        in_flight.row(world, locals, program)
    }

    /// The state that a row stands for.
    fn state_of(&self, row: &[u32], program: &Program) -> SystemState<E> {
        let in_flight = |arrival: Arrival| {
            let mut network = Network::new(self.system.rules.network);
            for message in program.messages_of(row, arrival) {
                network.send(self.messages.envelope(message).clone());
            }
            network
        };
        let locals = program.locals_of(row).iter();
        SystemState {
            nodes: locals.map(|local| self.nodes[local.local()].1.clone()).collect(),
            network: in_flight(Arrival::Now),
            later: in_flight(Arrival::NextTick),
            world: self.worlds[row[0].world()].clone(),
        }
    }

    /// The id of a node's local state.
    fn local(
        &mut self,
        i: NodeIndex,
        node: Arc<NodeOf<E>>,
        program: &mut ProgramBuilder,
    ) -> LocalId {
        let digest = Digest::of(self.seed, i.position() as u64, &node);
        let (local, interned) = self.nodes.intern(digest, (i, node));
        if let Interned::New(digest) = interned {
            program.add_local(self.describe(i, &self.nodes[local].1, digest));
            self.buried.push(Buried::default());
        }
        local
    }

    fn describe(&self, i: NodeIndex, node: &NodeOf<E>, digest: Digest) -> LocalInfo {
        let (actor, id) = (&self.system.actors[i.position()], i.id());
        let bounds = &self.system.rules.bounds;
        let mut flags = 0;
        let mut broken = PropertySet::EMPTY;
        if let Some(state) = node.state.as_deref() {
            flags |= flag::UP;
            if actor.leads(id, state).is_some() {
                flags |= flag::LEADS;
            }
            if bounds.max_term.is_some_and(|max| actor.term(state).0 > max) {
                flags |= flag::BEYOND_TERM;
            }
            if bounds.max_round.is_some_and(|max| actor.round(state) > max) {
                flags |= flag::BEYOND_ROUND;
            }
            broken = self.broken(|check| match check {
                Check::Node(holds) => holds(actor, id, state),
                _ => Ok(()),
            });
        }
        if node.must_choose() || node.timers.values().any(|age| age.now >= age.last) {
            flags |= flag::BLOCKS_TICK;
        }
        LocalInfo { share: digest.share(), flags, broken, steps: StepRange::UNKNOWN }
    }

    /// The invariants that do not hold.
    fn broken(&self, holds: impl Fn(Check<E>) -> Result<(), String>) -> PropertySet {
        let invariants = self.system.invariants.iter().enumerate();
        let broken = invariants.filter(|(_, invariant)| holds(invariant.check).is_err());
        broken.map(|(i, _)| property(i)).collect()
    }
}

/// The properties that are asked only in states in which time may pass.
fn when_time_passes<E: Election>(invariants: &[Invariant<E>]) -> PropertySet {
    let waiting = invariants.iter().enumerate().filter(|(_, i)| i.when_time_passes);
    waiting.map(|(i, _)| property(i)).collect()
}
