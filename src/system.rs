//! The reference semantics of any [`Election`], calling the actor's own handlers.
//!
//! Written to be read and to be right, not to be fast: the compiled engine is held against it, state for state.
//! Everything that can happen in a run is a [`Step`]; [`System::successors`] lists those that can happen next, in an
//! order that depends on nothing but the state.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use stateright::actor::{Actor, Envelope, Id};

use crate::election::{Age, CLIENT, Check, Election, Event, Goal, Invariant, NodeSet, node_name};
use crate::local::{self, Clock, Disk, Effect, Node, NodeOf, Reaction};
use crate::network::{Network, NetworkKind};
use crate::topology::Topology;
use crate::watch;
use crate::world::{ELECTION_SAFETY, Faults, World};

/// What is assumed of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Any message may take any time, any timer may fire at any time.
    #[default]
    Asynchronous,
    /// Discrete time: a message arrives within its tick or never, a timer fires within its limits.
    Timed,
    /// Partial synchrony: asynchronous with faults until one `stabilise` step, timed and without faults after it.
    Stabilising,
}

/// How far a run is followed. A state beyond a bound is neither checked nor expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// The highest term that a live node may reach.
    pub max_term: Option<u64>,
    /// The highest round that a live node may reach, where a protocol counts rounds apart from terms.
    pub max_round: Option<u32>,
    /// How many messages may be in flight, copies counted.
    pub max_in_flight: Option<usize>,
    /// How many copies of one message may be in flight.
    pub max_copies: Option<usize>,
}

/// A bound that a state is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    MaxTerm,
    MaxRound,
    MaxInFlight,
    MaxCopies,
}

impl Bound {
    pub const ALL: [Bound; 4] = [Bound::MaxTerm, Bound::MaxRound, Bound::MaxInFlight, Bound::MaxCopies];

    pub fn name(self) -> &'static str {
        match self {
            Bound::MaxTerm => "max_term",
            Bound::MaxRound => "max_round",
            Bound::MaxInFlight => "max_in_flight",
            Bound::MaxCopies => "max_copies",
        }
    }
}

/// Everything that a system assumes besides its actors.
#[derive(Clone, Debug)]
pub struct Rules {
    pub network: NetworkKind,
    pub timing: Timing,
    /// [`Clock::Absent`] exactly under [`Timing::Asynchronous`].
    pub clock: Clock,
    pub bounds: Bounds,
    pub faults: Faults,
    /// The first is in force at the start; a switch goes to one of the others.
    pub topologies: Vec<Topology>,
    /// Messages that can never again have an effect stay in flight.
    pub keep_dead: bool,
    /// Who led and what the witness saw is part of the state. Off only to compare with plain actor models.
    pub remember: bool,
}

/// One atomic event of a run, over an actor's messages `M`, timers `T` and choices `R`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step<M, T, R> {
    Deliver {
        src: Id,
        dst: Id,
        msg: M,
    },
    Timeout {
        node: Id,
        timer: T,
    },
    Choose {
        node: Id,
        key: String,
        value: R,
    },
    Restart {
        node: Id,
        disk: Disk,
    },
    /// The step is taken, but its node crashes after the first `effects` sends and saves of its handler.
    Torn {
        step: Box<Step<M, T, R>>,
        effects: usize,
    },
    Crash {
        node: Id,
    },
    Lose {
        src: Id,
        dst: Id,
        msg: M,
    },
    Duplicate {
        src: Id,
        dst: Id,
        msg: M,
    },
    Switch {
        topology: u8,
    },
    /// From now on time is kept and nothing fails. Each set timer, in the order of nodes and timers, takes an age.
    Stabilise {
        ages: Vec<u16>,
    },
    Tick,
}

/// A step of the protocol `E`.
pub type StepOf<E> = Step<<E as Actor>::Msg, <E as Actor>::Timer, <E as Actor>::Random>;

/// The words for the kinds of steps, see [`Step::kind`].
pub const STEP_KINDS: [&str; 13] = [
    "deliver",
    "timeout",
    "choose",
    "restart",
    "restart-without-disk",
    "restart-with-older-disk",
    "torn",
    "crash",
    "lose",
    "duplicate",
    "switch",
    "stabilise",
    "tick",
];

impl<M, T, R> Step<M, T, R> {
    /// The word for this kind of step: one of [`STEP_KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Step::Deliver { .. } => "deliver",
            Step::Timeout { .. } => "timeout",
            Step::Choose { .. } => "choose",
            Step::Restart { disk: Disk::Intact, .. } => "restart",
            Step::Restart { disk: Disk::Empty, .. } => "restart-without-disk",
            Step::Restart { disk: Disk::Older, .. } => "restart-with-older-disk",
            Step::Torn { .. } => "torn",
            Step::Crash { .. } => "crash",
            Step::Lose { .. } => "lose",
            Step::Duplicate { .. } => "duplicate",
            Step::Switch { .. } => "switch",
            Step::Stabilise { .. } => "stabilise",
            Step::Tick => "tick",
        }
    }

    /// The step that a node was taking when it crashed; otherwise the step itself.
    pub fn cause(&self) -> &Self {
        match self {
            Step::Torn { step, .. } => step,
            whole => whole,
        }
    }

    /// The node at which the step happens, if it happens at one.
    pub fn node(&self) -> Option<Id> {
        match self {
            Step::Deliver { dst, .. } => Some(*dst),
            Step::Timeout { node, .. }
            | Step::Choose { node, .. }
            | Step::Restart { node, .. }
            | Step::Crash { node } => Some(*node),
            Step::Torn { step, .. } => step.node(),
            _ => None,
        }
    }
}

/// The state of a whole system. Cloning shares nodes and world.
pub struct SystemState<E: Election> {
    pub nodes: Vec<Arc<NodeOf<E>>>,
    pub network: Network<E::Msg>,
    pub world: Arc<World<E::Witness>>,
}

impl<E: Election> SystemState<E> {
    /// The nodes that are up.
    pub fn live(&self) -> NodeSet {
        (0..self.nodes.len()).filter(|&i| self.nodes[i].is_up()).map(Id::from).collect()
    }

    fn node_states(&self) -> impl Iterator<Item = (Id, &E::State)> {
        self.nodes.iter().enumerate().filter_map(|(i, n)| Some((Id::from(i), n.state.as_deref()?)))
    }
}

impl<E: Election> Clone for SystemState<E> {
    fn clone(&self) -> Self {
        SystemState { nodes: self.nodes.clone(), network: self.network.clone(), world: self.world.clone() }
    }
}

impl<E: Election> PartialEq for SystemState<E> {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.network == other.network && self.world == other.world
    }
}

impl<E: Election> Hash for SystemState<E> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.nodes.hash(hasher);
        self.network.hash(hasher);
        self.world.hash(hasher);
    }
}

impl<E: Election> Debug for SystemState<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.nodes.iter().enumerate().map(|(i, node)| (Named(Id::from(i)), node));
        f.debug_struct("SystemState")
            .field("nodes", &named.collect::<BTreeMap<_, _>>())
            .field("network", &self.network)
            .field("world", &self.world)
            .finish()
    }
}

/// A node that shows itself under its name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named(Id);

impl Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&node_name(self.0))
    }
}

/// A property by its position: election safety, then the protocol's invariants in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyId(pub u8);

/// A system: actors, rules, and what is asked.
pub struct System<E: Election> {
    pub actors: Vec<E>,
    pub rules: Rules,
    pub invariants: Vec<Invariant<E>>,
    /// At most 64.
    pub goals: Vec<Goal<E>>,
    /// The names of the goals that a run must reach for its verdict to count.
    pub covers: Vec<&'static str>,
    /// Where a bug is planted: the actors without it, to tell which steps it changes.
    pub unplanted: Option<Vec<E>>,
    /// The steps, from the very first state, after which checking starts.
    pub prefix: Vec<StepOf<E>>,
    start: OnceLock<SystemState<E>>,
    /// A timer whose duration the clock cannot express: nothing that was concluded then counts.
    problem: OnceLock<String>,
}

impl<E: Election> System<E> {
    pub fn new(actors: Vec<E>, rules: Rules) -> Self {
        let mut invariants = E::invariants();
        // A property that speaks of another setting is not looked at: a step that breaks it would only tell worlds apart.
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

    /// The names of all properties, election safety first.
    pub fn properties() -> Vec<(PropertyId, &'static str)> {
        let names = std::iter::once("election-safety").chain(E::invariants().into_iter().map(|i| i.name));
        names.enumerate().map(|(i, name)| (PropertyId(i as u8), name)).collect()
    }

    /// What a property says, in one sentence.
    pub fn meaning(property: PropertyId) -> &'static str {
        match (usize::from(property.0).checked_sub(1), E::about().has_terms) {
            (None, true) => {
                "no term is ever led by two different nodes, nor by a node and what it restarts as"
            }
            (None, false) => {
                "at most one live node leads whenever time passes (in every state where time is not modelled)"
            }
            (Some(i), _) => E::invariants()[i].meaning,
        }
    }

    /// The very first state: every node has been started.
    pub fn origin(&self) -> SystemState<E> {
        let nodes = self.actors.iter().map(|_| Arc::new(self.blank())).collect();
        let world = World::new(self.rules.faults, E::inputs(&self.actors));
        let mut state =
            SystemState { nodes, network: Network::new(self.rules.network), world: Arc::new(world) };
        for i in 0..self.actors.len() {
            let reaction = self.start_node(Id::from(i), &self.blank());
            self.commit(&mut state, Id::from(i), Event::Start, &reaction);
        }
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

    /// Whether a message between these nodes would arrive now.
    fn is_deliverable(&self, state: &SystemState<E>, src: Id, dst: Id) -> bool {
        let i = usize::from(dst);
        i < self.actors.len()
            && state.nodes[i].is_up()
            && self.rules.topologies[usize::from(state.world.topology)].is_up(src, dst)
    }

    /// All steps that can be taken, each with the state it leads to.
    pub fn successors(&self, state: &SystemState<E>) -> Vec<(StepOf<E>, SystemState<E>)> {
        let candidates = self.candidates(state).into_iter().chain(self.stabilisations(state));
        candidates.filter_map(|step| Some((step.clone(), self.apply(state, &step)?))).collect()
    }

    /// The steps that may be taken, some of which may turn out to have no effect. Ways to stabilise are not among
    /// them: there are as many as combinations of ages, see [`System::stabilisation`].
    pub fn candidates(&self, state: &SystemState<E>) -> Vec<StepOf<E>> {
        let mut steps = Vec::new();
        let (world, left) = (&*state.world, &state.world.left);
        for Envelope { src, dst, msg } in state.network.heads() {
            if self.is_deliverable(state, src, dst) {
                steps.push(Step::Deliver { src, dst, msg });
            }
        }
        for (i, node) in state.nodes.iter().enumerate() {
            let id = Id::from(i);
            for (timer, age) in &node.timers {
                if self.is_timeless(world) || age.now >= age.first {
                    steps.push(Step::Timeout { node: id, timer: timer.clone() });
                }
            }
            for (key, values) in &node.choices {
                for (k, value) in values.iter().enumerate() {
                    if !values[..k].contains(value) && self.may_choose(world, key, value) {
                        steps.push(Step::Choose { node: id, key: key.clone(), value: value.clone() });
                    }
                }
            }
            if !node.is_up() && left.restarts > 0 {
                let disks = [Disk::Intact, Disk::Empty, Disk::Older].into_iter();
                let can_be = |disk: &Disk| left.allows(*disk) && node.found(*disk).is_some();
                steps.extend(disks.filter(can_be).map(|disk| Step::Restart { node: id, disk }));
            }
        }
        if left.torn && left.crashes > 0 {
            let whole = steps.clone();
            for step in whole {
                // A step without effect cannot be taken, let alone be interrupted.
                let Some(reaction) = self.reaction(state, &step) else { continue };
                for effects in 0..reaction.effects.len() {
                    steps.push(Step::Torn { step: Box::new(step.clone()), effects });
                }
            }
        }
        if left.crashes > 0 {
            steps.extend(state.live().iter().map(|node| Step::Crash { node }));
        }
        if left.losses > 0 {
            for Envelope { src, dst, msg } in state.network.distinct() {
                steps.push(Step::Lose { src, dst, msg });
            }
        }
        if left.duplications > 0 {
            for Envelope { src, dst, msg } in state.network.distinct() {
                steps.push(Step::Duplicate { src, dst, msg });
            }
        }
        if left.switches > 0 {
            for topology in 1..self.rules.topologies.len() as u8 {
                if topology != world.topology {
                    steps.push(Step::Switch { topology });
                }
            }
        }
        if self.can_tick(state) {
            steps.push(Step::Tick);
        }
        steps
    }

    /// The state after a step, or `None` if it cannot be taken (or, where time is not modelled, would change nothing).
    pub fn apply(&self, state: &SystemState<E>, step: &StepOf<E>) -> Option<SystemState<E>> {
        let mut next = state.clone();
        match step {
            Step::Deliver { .. } | Step::Timeout { .. } | Step::Choose { .. } | Step::Restart { .. } => {
                let reaction = self.reaction(state, step)?;
                self.consume(&mut next, step);
                let id = step.node().expect("a local step has a node");
                self.commit(&mut next, id, event(step), &reaction);
            }
            Step::Torn { step, effects } => {
                if !state.world.left.torn || state.world.left.crashes == 0 {
                    return None;
                }
                let reaction = self.reaction(state, step)?;
                if *effects >= reaction.effects.len() {
                    return None;
                }
                self.consume(&mut next, step);
                Arc::make_mut(&mut next.world).left.crashes -= 1;
                let id = step.node().expect("a local step has a node");
                let (node, done) = reaction.torn(*effects);
                let cut_short = reaction.node.state.as_deref().filter(|_| *effects > 0);
                self.put(&mut next, id, event(step), node, (done, cut_short));
            }
            Step::Crash { node: id } => {
                let node = state.nodes.get(usize::from(*id))?;
                if !node.is_up() || state.world.left.crashes == 0 {
                    return None;
                }
                Arc::make_mut(&mut next.world).left.crashes -= 1;
                self.put(&mut next, *id, Event::Crash, node.crashed(), (&[], None));
            }
            Step::Lose { src, dst, msg } => {
                let envelope = Envelope { src: *src, dst: *dst, msg: msg.clone() };
                if state.world.left.losses == 0 || !next.network.remove(&envelope) {
                    return None;
                }
                Arc::make_mut(&mut next.world).left.losses -= 1;
            }
            Step::Duplicate { src, dst, msg } => {
                let envelope = Envelope { src: *src, dst: *dst, msg: msg.clone() };
                let in_flight =
                    matches!(&state.network, Network::Unordered(bag) if bag.contains_key(&envelope));
                if state.world.left.duplications == 0 || !in_flight {
                    return None;
                }
                Arc::make_mut(&mut next.world).left.duplications -= 1;
                next.network.send(envelope);
            }
            Step::Switch { topology } => {
                let known = usize::from(*topology) < self.rules.topologies.len();
                if state.world.left.switches == 0 || !known || *topology == state.world.topology {
                    return None;
                }
                let world = Arc::make_mut(&mut next.world);
                world.left.switches -= 1;
                world.topology = *topology;
            }
            Step::Stabilise { ages } => {
                if !self.can_stabilise(state) {
                    return None;
                }
                let world = Arc::make_mut(&mut next.world);
                world.left = Faults::none();
                world.stabilised = true;
                let mut ages = ages.iter();
                for node in &mut next.nodes {
                    for age in Arc::make_mut(node).timers.values_mut() {
                        age.now = *ages.next().filter(|&&now| now < age.last)?;
                    }
                }
                if ages.next().is_some() {
                    return None;
                }
            }
            Step::Tick => {
                if !self.can_tick(state) {
                    return None;
                }
                next.nodes.iter_mut().for_each(|node| *node = Arc::new(node.aged()));
                next.network.retain(|src, dst, _| self.is_deliverable(state, src, dst));
            }
        }
        self.bury(&mut next);
        Some(next)
    }

    /// What the handler of a local step does; `None` if the step cannot be taken.
    pub fn reaction(&self, state: &SystemState<E>, step: &StepOf<E>) -> Option<Reaction<E>> {
        let id = step.node()?;
        let node = state.nodes.get(usize::from(id))?;
        let timeless = self.is_timeless(&state.world);
        let reaction = match step {
            Step::Deliver { src, dst, msg } => {
                let is_head = match &state.network {
                    Network::Ordered(flows) => flows.get(&(*src, *dst)).is_some_and(|q| q[0] == *msg),
                    other => other.heads().contains(&Envelope { src: *src, dst: *dst, msg: msg.clone() }),
                };
                if !is_head || !self.is_deliverable(state, *src, *dst) {
                    return None;
                }
                let reaction = self.react(id, node, &event(step));
                let stays = self.rules.network != NetworkKind::Ordered && timeless;
                if reaction.idle && stays {
                    return None;
                }
                reaction
            }
            Step::Timeout { timer, .. } => {
                let age = node.timers.get(timer)?;
                if !timeless && age.now < age.first {
                    return None;
                }
                let reaction = self.react(id, node, &event(step));
                if reaction.idle && timeless {
                    return None;
                }
                reaction
            }
            Step::Choose { key, value, .. } => {
                if !node.choices.get(key)?.contains(value) {
                    return None;
                }
                if !self.may_choose(&state.world, key, value) {
                    return None;
                }
                self.react(id, node, &event(step))
            }
            Step::Restart { disk, .. } => {
                if node.is_up() || !state.world.left.allows(*disk) {
                    return None;
                }
                self.start_node(id, &node.found(*disk)?)
            }
            _ => return None,
        };
        Some(reaction)
    }

    /// Runs the handler for an event of a live node.
    pub fn react(&self, id: Id, node: &NodeOf<E>, event: &Event<'_, E>) -> Reaction<E> {
        watch::show::<E>(node, self.rules.clock);
        let reaction = local::react(&self.actors[usize::from(id)], id, node, event, self.rules.clock);
        self.note_problem(id, &reaction);
        reaction
    }

    /// Whether a value of an open choice may be taken: client input only from its budget, numbered input in its order.
    pub fn may_choose(&self, world: &World<E::Witness>, key: &str, value: &E::Random) -> bool {
        key != CLIENT
            || world.inputs_left > 0
                && E::input_number(value).is_none_or(|number| number == self.next_input(world))
    }

    /// The number of the next client input.
    pub fn next_input(&self, world: &World<E::Witness>) -> u32 {
        1 + E::inputs(&self.actors) - world.inputs_left
    }

    fn note_problem(&self, id: Id, reaction: &Reaction<E>) {
        if let Some(why) = &reaction.problem {
            let _ = self.problem.set(format!("{} of {}: {why}", node_name(id), E::about().name));
        }
    }

    /// Starts a node that is down.
    pub fn start_node(&self, id: Id, down: &NodeOf<E>) -> Reaction<E> {
        watch::show::<E>(down, self.rules.clock);
        let reaction = self.start_as(&self.actors[usize::from(id)], id, down);
        self.note_problem(id, &reaction);
        reaction
    }

    /// Starts a node that is down as if it were this actor.
    pub fn start_as(&self, actor: &E, id: Id, down: &NodeOf<E>) -> Reaction<E> {
        local::start(down, self.rules.clock, |storage, out| actor.start(id, down.incarnation, storage, out))
    }

    /// What a local step uses up: the message, the budget.
    fn consume(&self, next: &mut SystemState<E>, step: &StepOf<E>) {
        match step {
            Step::Deliver { src, dst, msg } if self.rules.network != NetworkKind::Duplicating => {
                next.network.remove(&Envelope { src: *src, dst: *dst, msg: msg.clone() });
            }
            Step::Choose { key, .. } if key == CLIENT => {
                Arc::make_mut(&mut next.world).inputs_left -= 1;
            }
            Step::Restart { disk, .. } => Arc::make_mut(&mut next.world).left.pay_for(*disk),
            _ => {}
        }
    }

    /// Puts the outcome of a whole handler into the system.
    fn commit(&self, next: &mut SystemState<E>, id: Id, event: Event<'_, E>, reaction: &Reaction<E>) {
        self.put(next, id, event, reaction.node.clone(), (&reaction.effects, None));
    }

    /// Replaces a node, sends what it sent, and takes note of the step.
    fn put(
        &self,
        next: &mut SystemState<E>,
        id: Id,
        event: Event<'_, E>,
        node: NodeOf<E>,
        (effects, cut_short): (&[Effect<E::Msg, E::Storage>], Option<&E::State>),
    ) {
        let i = usize::from(id);
        let sends = local::sends(effects);
        if self.rules.remember {
            let step = self.node_step(id, (&next.nodes[i], event, &node), &sends, cut_short);
            if let Some(world) = next.world.observe(&self.invariants, &step) {
                next.world = Arc::new(world);
            }
        }
        for (dst, msg) in sends {
            next.network.send(Envelope { src: id, dst, msg });
        }
        next.nodes[i] = Arc::new(node);
    }

    /// Removes the messages that can never again have an effect.
    fn bury(&self, state: &mut SystemState<E>) {
        if !self.removes_dead() {
            return;
        }
        let nodes = &state.nodes;
        state.network.retain(|src, dst, msg| {
            let i = usize::from(dst);
            let receiver = nodes.get(i).and_then(|node| node.state.as_deref());
            !receiver.is_some_and(|receiver| self.actors[i].is_dead(dst, receiver, src, msg))
        });
    }

    /// Whether dead messages are removed: not where a node may lose what is on the disk, which keeps them dead.
    pub fn removes_dead(&self) -> bool {
        let Faults { disk_losses, disk_rollbacks, .. } = self.rules.faults;
        !self.rules.keep_dead && disk_losses == 0 && disk_rollbacks == 0
    }

    /// Time may pass when nothing is due: no message, no urgent choice, no timer at its last age.
    pub fn can_tick(&self, state: &SystemState<E>) -> bool {
        !self.is_timeless(&state.world)
            && state
                .nodes
                .iter()
                .all(|node| !node.must_choose() && node.timers.values().all(|age| age.now < age.last))
            && !state.network.heads().iter().any(|e| self.is_deliverable(state, e.src, e.dst))
    }

    /// A system may stabilise while a quorum is up and, unless the topology is the question, connected.
    pub fn can_stabilise(&self, state: &SystemState<E>) -> bool {
        if self.rules.timing != Timing::Stabilising || state.world.stabilised {
            return false;
        }
        let live = state.live();
        let topology = &self.rules.topologies[usize::from(state.world.topology)];
        state.node_states().any(|(id, node)| {
            let reached = if self.any_topology_stabilises() { live } else { topology.neighbours(id, live) };
            self.actors[usize::from(id)].is_quorum(node, self.actors.len(), reached, reached)
        })
    }

    /// Whether the topology is the question, so that a system may stabilise although no quorum is connected.
    pub fn any_topology_stabilises(&self) -> bool {
        self.rules.topologies.len() > 1 || !self.rules.topologies[0].is_mesh()
    }

    fn stabilisations(&self, state: &SystemState<E>) -> Vec<StepOf<E>> {
        if !self.can_stabilise(state) {
            return Vec::new();
        }
        let mut all = vec![Vec::new()];
        for age in state.nodes.iter().flat_map(|node| node.timers.values()) {
            let longer = |ages: &Vec<u16>| {
                let ages = ages.clone();
                (0..age.last).map(move |now| ages.iter().copied().chain([now]).collect())
            };
            all = all.iter().flat_map(longer).collect();
        }
        all.into_iter().map(|ages| Step::Stabilise { ages }).collect()
    }

    /// The way to stabilise in which every timer that is set takes the age that `choose` gives it: one below its last.
    pub fn stabilisation(&self, state: &SystemState<E>, choose: impl FnMut(&Age) -> u16) -> StepOf<E> {
        let ages = state.nodes.iter().flat_map(|node| node.timers.values());
        Step::Stabilise { ages: ages.map(choose).collect() }
    }

    /// The first bound that a state is beyond.
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
        if max_in_flight.is_some_and(|max| state.network.len() > max) {
            return Some(Bound::MaxInFlight);
        }
        if max_copies.is_some_and(|max| state.network.most_copies() > max) {
            return Some(Bound::MaxCopies);
        }
        None
    }

    /// Whether a property holds in a state; if not, the conflicting facts.
    pub fn holds(&self, property: PropertyId, state: &SystemState<E>) -> Result<(), String> {
        if let Some(why) = state.world.broken.get(&property.0) {
            return Err(why.clone());
        }
        if property.0 == ELECTION_SAFETY {
            return if E::about().has_terms { Ok(()) } else { self.at_most_one_leads(state) };
        }
        let invariant = &self.invariants[usize::from(property.0) - 1];
        if invariant.when_time_passes && !self.is_timeless(&state.world) && !self.can_tick(state) {
            return Ok(());
        }
        let actor = |id: Id| &self.actors[usize::from(id)];
        match invariant.check {
            Check::Rule(_) | Check::Step(_) => Ok(()),
            Check::Witness(holds) => holds(&state.world.witness),
            Check::Node(holds) => state.node_states().try_for_each(|(id, node)| holds(actor(id), id, node)),
            Check::NodeWitness(holds) => state
                .node_states()
                .try_for_each(|(id, node)| holds(actor(id), id, node, &state.world.witness)),
            Check::Pair(holds) => state.node_states().try_for_each(|(a, x)| {
                let mut later = state.node_states().filter(|(b, _)| *b > a);
                later.try_for_each(|(b, y)| holds(actor(a), (a, x), (b, y)))
            }),
        }
    }

    /// Election safety without terms: judged whenever time passes, or in every state where time is not modelled.
    fn at_most_one_leads(&self, state: &SystemState<E>) -> Result<(), String> {
        let leads = |(id, node): &(Id, &E::State)| self.actors[usize::from(*id)].leads(*id, node).is_some();
        let mut leaders = state.node_states().filter(leads).map(|(id, _)| node_name(id));
        match (leaders.next(), leaders.next()) {
            (Some(a), Some(b)) if self.is_timeless(&state.world) || self.can_tick(state) => {
                Err(format!("{a} and {b} both lead"))
            }
            _ => Ok(()),
        }
    }

    /// A step by name: `deliver n1 -> n2 RequestVote { term: 1 }`. See [`crate::names`].
    pub fn name(&self, step: &StepOf<E>) -> String {
        crate::names::step(step, &self.rules.topologies)
    }
}

/// The event that a local step, which is not torn, is to its node.
pub fn event<E: Election>(step: &StepOf<E>) -> Event<'_, E> {
    match step {
        Step::Deliver { src, msg, .. } => Event::Deliver { src: *src, msg },
        Step::Timeout { timer, .. } => Event::Timeout { timer },
        Step::Choose { key, value, .. } => Event::Choose { key, value },
        Step::Restart { .. } => Event::Start,
        Step::Crash { .. } => Event::Crash,
        _ => unreachable!("not the step of one node"),
    }
}
