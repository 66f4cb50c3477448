//! The reference semantics of any [`Election`], calling the actor's own handlers.
//!
//! It is written to be read and to be right, not to be fast. Tests compare the compiled engine with
//! it. Everything that can happen in a run is a [`Step`]. [`System::successors`] lists the steps
//! that can happen next, in an order that depends on nothing but the state.

use std::mem;
use std::sync::{Arc, OnceLock};

use stateright::actor::{Envelope, Id};

use crate::election::{BugSpec, Check, Election, Event, Goal, Invariant};
use crate::semantics::names;
use crate::semantics::network::Network;
use crate::semantics::node::{Node, NodeOf};
use crate::semantics::property::MAX_PROPERTIES;
use crate::semantics::rules::{Bound, Bounds, Latency, Rules, Timing};
use crate::semantics::state::SystemState;
use crate::semantics::step::StepOf;
use crate::semantics::world::{Faults, World};

/// A system: actors, rules, and what is asked.
pub struct System<E: Election> {
    /// The nodes' configurations.
    pub actors: Vec<E>,
    /// What the system assumes besides its actors.
    pub rules: Rules,
    /// The properties that are checked besides election safety.
    pub invariants: Vec<Invariant<E>>,
    /// At most 64.
    pub goals: Vec<Goal<E>>,
    /// The names of the goals that a run must reach for its verdict to count.
    pub covers: Vec<&'static str>,
    /// If a bug is planted: the same actors without it, to tell which steps the bug changes.
    pub unplanted: Option<Vec<E>>,
    /// That bug, for those who read a run.
    pub planted: Option<&'static BugSpec>,
    /// The steps, from the very first state, after which checking starts.
    pub prefix: Vec<StepOf<E>>,
    start: OnceLock<SystemState<E>>,
    /// Set when a handler sets a timer whose duration the clock cannot express. No conclusion
    /// counts then.
    pub(super) problem: OnceLock<String>,
}

impl<E: Election> System<E> {
    /// A system that is checked from its very first state.
    ///
    /// # Panics
    /// The protocol has more than [`MAX_PROPERTIES`] properties.
    pub fn new(actors: Vec<E>, rules: Rules) -> Self {
        let mut invariants = E::invariants();
        let (name, most) = (E::about().name, MAX_PROPERTIES);
        assert!(
            invariants.len() < most,
            "{name}: at most {most} properties, election safety included"
        );
        // A property that speaks of another setting is left out: recording that a step broke it
        // would only make equal worlds different.
        for invariant in &mut invariants {
            if invariant.setting.is_some_and(|(_, has)| !has(&actors)) {
                invariant.check = Check::Node(|_, _, _| Ok(()));
            }
        }
        System {
            actors,
            rules,
            invariants,
            goals: E::goals(),
            covers: Vec::new(),
            unplanted: None,
            planted: None,
            prefix: Vec::new(),
            start: OnceLock::new(),
            problem: OnceLock::new(),
        }
    }

    /// The same system, checked from the state after `prefix`.
    ///
    /// # Errors
    /// The position of the first step that cannot be taken.
    pub fn starting_after(mut self, prefix: Vec<StepOf<E>>) -> Result<Self, usize> {
        let mut state = self.origin();
        for (i, step) in prefix.iter().enumerate() {
            state = self.apply(&state, step).ok_or(i)?;
        }
        self.prefix = prefix;
        self.start = OnceLock::from(state);
        Ok(self)
    }

    /// What is wrong with a timer that some handler has set, if anything.
    pub fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }

    /// The very first state: every node has been started.
    pub fn origin(&self) -> SystemState<E> {
        let nodes = self.actors.iter().map(|_| Arc::new(self.blank())).collect();
        let world = World::new(self.rules.faults, E::inputs(&self.actors));
        let mut state = SystemState {
            nodes,
            network: Network::new(self.rules.network),
            later: Network::new(self.rules.network),
            world: Arc::new(world),
        };
        for i in 0..self.actors.len() {
            let reaction = self.start_node(Id::from(i), &self.blank());
            self.commit(&mut state, Id::from(i), Event::Start, &reaction);
        }
        // What is sent at the start is due in the first tick.
        let sent = mem::replace(&mut state.later, Network::new(self.rules.network));
        state.network.join(&sent);
        self.bury(&mut state);
        state
    }

    /// A node that has never run.
    fn blank(&self) -> NodeOf<E> {
        match self.rules.faults.disk_rollbacks {
            0 => Node::new(),
            _ => Node::with_older_disk(),
        }
    }

    /// The state from which checking starts.
    pub fn initial(&self) -> SystemState<E> {
        self.start.get_or_init(|| self.origin()).clone()
    }

    /// Whether timers may fire and messages may arrive at any time.
    pub fn is_timeless(&self, world: &World<E::Witness>) -> bool {
        match self.rules.timing {
            Timing::Asynchronous => true,
            Timing::Timed => false,
            Timing::Stabilising => !world.stabilised,
        }
    }

    /// Whether what is sent now arrives in the next tick.
    fn is_delayed(&self, world: &World<E::Witness>) -> bool {
        self.rules.latency == Latency::OneTick && !self.is_timeless(world)
    }

    /// Puts a message in flight.
    pub(super) fn send(&self, state: &mut SystemState<E>, envelope: Envelope<E::Msg>) {
        let is_delayed = self.is_delayed(&state.world);
        let network = if is_delayed { &mut state.later } else { &mut state.network };
        network.send(envelope);
    }

    /// Whether a message between these nodes would arrive now.
    pub(super) fn is_deliverable(&self, state: &SystemState<E>, src: Id, dst: Id) -> bool {
        let i = usize::from(dst);
        i < self.actors.len()
            && state.nodes[i].is_up()
            && self.rules.topologies[usize::from(state.world.topology)].is_up(src, dst)
    }

    /// Removes the messages that can never again have an effect.
    pub(super) fn bury(&self, state: &mut SystemState<E>) {
        if !self.removes_dead() {
            return;
        }
        let nodes = &state.nodes;
        let is_alive = |src: Id, dst: Id, msg: &E::Msg| {
            let i = usize::from(dst);
            let receiver = nodes.get(i).and_then(|node| node.state.as_deref());
            !receiver.is_some_and(|receiver| self.actors[i].is_dead(dst, receiver, src, msg))
        };
        state.network.retain(is_alive);
        state.later.retain(is_alive);
    }

    /// Whether dead messages are removed. They are not if a node may lose its disk: a message may
    /// be dead only because of what the disk remembers.
    pub fn removes_dead(&self) -> bool {
        let Faults { disk_losses, disk_rollbacks, .. } = self.rules.faults;
        !self.rules.keep_dead && disk_losses == 0 && disk_rollbacks == 0
    }

    /// The first bound, in the order of [`Bound::ALL`], that a state is beyond.
    pub fn beyond(&self, state: &SystemState<E>) -> Option<Bound> {
        let Bounds { max_term, max_round, max_in_flight, max_copies } = self.rules.bounds;
        let term = |(id, node)| self.actors[usize::from(id)].term(node).0;
        if max_term.is_some_and(|max| state.node_states().map(term).any(|t| t > max)) {
            return Some(Bound::MaxTerm);
        }
        let round = |(id, node)| self.actors[usize::from(id)].round(node);
        if max_round.is_some_and(|max| state.node_states().map(round).any(|r| r > max)) {
            return Some(Bound::MaxRound);
        }
        if max_in_flight.is_some_and(|max| state.network.len() + state.later.len() > max) {
            return Some(Bound::MaxInFlight);
        }
        let most_copies = || state.network.most_copies().max(state.later.most_copies());
        if max_copies.is_some_and(|max| most_copies() > max) {
            return Some(Bound::MaxCopies);
        }
        None
    }

    /// A step by name: `deliver n1 -> n2 RequestVote { term: 1 }`. See [`crate::semantics::names`].
    pub fn name(&self, step: &StepOf<E>) -> String {
        names::step(step, &self.rules.topologies)
    }
}
