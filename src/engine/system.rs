//! The front end for [`System`]: values behind the numbers of the tables, and the actors' handlers behind the steps.

use std::sync::Arc;

use stateright::actor::{Actor, Envelope, Id};

use super::change::Whole;
use super::digest::{Digest, Interned, Interner};
use super::flows::{Range, StepId};
use super::tables::*;
use super::wire::Wire;
use crate::election::{CLIENT, Check, Election, Event, Invariant, node_name};
use crate::semantics::names;
use crate::semantics::network::Network;
use crate::semantics::node::{self, Disk, Effect, NodeOf, Reaction};
use crate::semantics::world::{ELECTION_SAFETY, Faults, World};
use crate::semantics::{Step, StepOf, System, SystemState, Timing, event};
use crate::support::panics;

/// Where components stand, for their digests.
mod place {
    pub const WORLD: u64 = 3 << 32;
    pub const OUTCOME: u64 = 4 << 32;
}

/// As many recomputations, spread over a run, tell whether handlers are functions of their arguments.
const SAMPLE: usize = 4096;

/// So many dead messages are followed through the later local states of their receiver.
const BURIED: usize = 2;

/// Which step of a node an outcome belongs to: enough to tell it again.
#[derive(Clone, Copy)]
enum Cause {
    Deliver(Message),
    /// The timer at this position of the node's timers.
    Timeout(u32),
    /// The value at this position of all the node's open choices.
    Choose(u32),
    Restart(Disk),
    Crash,
}

/// Where an outcome comes from.
#[derive(Clone, Copy)]
struct Origin {
    before: Local,
    cause: Cause,
    /// Where the handler was torn after at least one effect: the node as the whole handler would have left it.
    cut_short: Option<Local>,
}

/// What is kept of a local state to see that what is dead to a node stays dead.
#[derive(Clone, Debug, Default)]
struct Buried {
    /// Some of the messages that are dead.
    messages: Vec<Message>,
    /// The local states that were met for the first time after this one.
    followed_by: Vec<Local>,
}

/// The front end for one system.
pub struct SystemFront<'a, E: Election> {
    system: &'a System<E>,
    seed: u64,
    nodes: Interner<(u8, Arc<NodeOf<E>>)>,
    worlds: Interner<Arc<World<E::Witness>>>,
    wire: Wire<E::Msg>,
    origins: Vec<Origin>,
    kinds: std::collections::HashMap<Kind, u16>,
    has_step_invariants: bool,
    /// Reactions that are computed once more at the end.
    sample: Vec<(Local, Message, Digest)>,
    seen: usize,
    /// By local state.
    buried: Vec<Buried>,
    /// A mistake found where none can be returned.
    problem: Option<String>,
}

/// The kind of a choice's step, in the order in which a node's choices are listed.
fn choices<E: Election>(node: &NodeOf<E>) -> Vec<(&str, &E::Random)> {
    let mut all = Vec::new();
    for (key, values) in &node.choices {
        for (k, value) in values.iter().enumerate() {
            if !values[..k].contains(value) {
                all.push((key.as_str(), value));
            }
        }
    }
    all
}

impl<'a, E: Election> SystemFront<'a, E> {
    /// Empty tables for a system, and the front end that fills them.
    pub fn new(system: &'a System<E>, seed: u64) -> (Self, Tables) {
        let has = |is: fn(&Check<E>) -> bool| system.invariants.iter().any(|i| is(&i.check));
        let rules = &system.rules;
        let tables = Tables::new(Shape {
            nodes: system.actors.len(),
            network: rules.network,
            bounds: rules.bounds,
            keeps_time: rules.timing != Timing::Asynchronous,
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
        let front = SystemFront {
            system,
            seed,
            nodes: Interner::default(),
            worlds: Interner::default(),
            wire: Wire::new(seed, system.actors.len()),
            origins: Vec::new(),
            kinds: Default::default(),
            has_step_invariants: has(|c| matches!(c, Check::Step(_))),
            sample: Vec::new(),
            seen: 0,
            buried: Vec::new(),
            problem: None,
        };
        (front, tables)
    }

    /// A state as a row.
    pub fn row(&mut self, state: &SystemState<E>, tables: &mut Tables) -> Result<Vec<u32>, String> {
        let mut columns: Vec<Vec<Message>> = Vec::new();
        let mut enter = |front: &mut Self, src, dst, msg: &E::Msg, copies: u32, tables: &mut Tables| {
            let message = front.wire.message(src, dst, msg.clone(), tables);
            let column = usize::from(tables.messages[message as usize].column);
            columns.resize(columns.len().max(column + 1), Vec::new());
            columns[column].extend((0..copies).map(|_| message));
        };
        match &state.network {
            Network::Unordered(bag) => {
                bag.iter().for_each(|(e, n)| enter(self, e.src, e.dst, &e.msg, *n, tables));
            }
            Network::Duplicating(set) => {
                set.iter().for_each(|e| enter(self, e.src, e.dst, &e.msg, 1, tables));
            }
            Network::Ordered(flows) => {
                for (&(src, dst), queue) in flows {
                    queue.iter().for_each(|msg| enter(self, src, dst, msg, 1, tables));
                }
            }
        }
        let mut row = vec![self.world(state.world.clone(), tables)];
        for (i, node) in state.nodes.iter().enumerate() {
            row.push(self.local(i, node.clone(), tables));
        }
        for messages in columns {
            row.push(tables.flow(messages)?);
        }
        Ok(row)
    }

    /// The state that a row stands for.
    pub fn state(&self, row: &[u32], tables: &Tables) -> SystemState<E> {
        let mut network = Network::new(self.system.rules.network);
        for &message in tables.flows.all(tables.flows(row)).flat_map(|flow| tables.flows.messages(flow)) {
            network.send(self.wire.envelope(message).clone());
        }
        SystemState {
            nodes: tables.locals(row).iter().map(|&local| self.nodes[local].1.clone()).collect(),
            network,
            world: self.worlds[row[0]].clone(),
        }
    }

    /// A step of a row, told.
    pub fn step(&self, row: &[u32], step: StepId, tables: &Tables) -> StepOf<E> {
        if let Some(whole) = Whole::of(step) {
            return self.step_of_whole(row, whole, tables);
        }
        let sequel = tables.steps.sequels[step as usize];
        if sequel.outcome == NOTHING {
            let Envelope { src, dst, msg } = self.wire.envelope(sequel.message).clone();
            return match sequel.pays {
                event::LOSE => Step::Lose { src, dst, msg },
                _ => Step::Duplicate { src, dst, msg },
            };
        }
        let origin = self.origins[sequel.outcome as usize];
        let step = self.told(origin);
        match usize::from(sequel.torn).checked_sub(1) {
            Some(effects) => Step::Torn { step: Box::new(step), effects },
            None => step,
        }
    }

    fn step_of_whole(&self, row: &[u32], whole: Whole, tables: &Tables) -> StepOf<E> {
        match whole {
            Whole::Tick => Step::Tick,
            Whole::Switch(topology) => Step::Switch { topology },
            Whole::Stabilise(mut combination) => {
                let mut ages = Vec::new();
                for &local in tables.locals(row) {
                    let own = tables.own(local);
                    let after = own.stabilised[combination as usize % own.stabilised.len()];
                    combination /= own.stabilised.len() as u32;
                    ages.extend(self.nodes[after].1.timers.values().map(|age| age.now));
                }
                Step::Stabilise { ages }
            }
        }
    }

    /// The step that had this outcome, told as if it had not been torn.
    fn told(&self, origin: Origin) -> StepOf<E> {
        let (i, node) = &self.nodes[origin.before];
        let id = Id::from(usize::from(*i));
        match origin.cause {
            Cause::Timeout(k) => {
                let timer = node.timers.keys().nth(k as usize).expect("counted before");
                Step::Timeout { node: id, timer: timer.clone() }
            }
            Cause::Choose(k) => {
                let (key, value) = choices::<E>(node)[k as usize];
                Step::Choose { node: id, key: key.to_string(), value: value.clone() }
            }
            Cause::Restart(disk) => Step::Restart { node: id, disk },
            Cause::Crash => Step::Crash { node: id },
            Cause::Deliver(message) => {
                let Envelope { src, dst, msg } = self.wire.envelope(message).clone();
                Step::Deliver { src, dst, msg }
            }
        }
    }

    fn local(&mut self, i: usize, node: Arc<NodeOf<E>>, tables: &mut Tables) -> Local {
        let digest = Digest::of(self.seed, i as u64, &node);
        let (local, interned) = self.nodes.intern(digest, (i as u8, node));
        if let Interned::New(digest) = interned {
            let info = self.describe(i, &self.nodes[local].1, digest);
            tables.add_local(info);
            self.buried.push(Buried::default());
        }
        local
    }

    fn describe(&self, i: usize, node: &NodeOf<E>, digest: Digest) -> LocalInfo {
        let (actor, id) = (&self.system.actors[i], Id::from(i));
        let mut flags = 0;
        let mut broken = 0;
        if let Some(state) = node.state.as_deref() {
            flags |= flag::UP;
            if actor.leads(id, state).is_some() {
                flags |= flag::LEADS;
            }
            if self.system.rules.bounds.max_term.is_some_and(|max| actor.term(state).0 > max) {
                flags |= flag::BEYOND;
            }
            if self.system.rules.bounds.max_round.is_some_and(|max| actor.round(state) > max) {
                flags |= flag::BEYOND_ROUND;
            }
            for (p, invariant) in self.system.invariants.iter().enumerate() {
                if let Check::Node(holds) = invariant.check {
                    broken |= u16::from(holds(actor, id, state).is_err()) << (p + 1);
                }
            }
        }
        if node.must_choose() || node.timers.values().any(|age| age.now >= age.last) {
            flags |= flag::BLOCKS_TICK;
        }
        LocalInfo { share: digest.share(), flags, broken, steps: Range::UNKNOWN }
    }

    fn world(&mut self, world: Arc<World<E::Witness>>, tables: &mut Tables) -> WorldId {
        let digest = Digest::of(self.seed, place::WORLD, &world);
        let (id, interned) = self.worlds.intern(digest, world);
        if let Interned::New(digest) = interned {
            let info = self.describe_world(&self.worlds[id], digest);
            tables.add_world(info);
        }
        id
    }

    fn describe_world(&self, world: &World<E::Witness>, digest: Digest) -> WorldInfo {
        let (rules, left) = (&self.system.rules, &world.left);
        let n = self.system.actors.len();
        let mut broken = world.broken.keys().fold(0, |bits, p| bits | 1 << p);
        for (p, invariant) in self.system.invariants.iter().enumerate() {
            if let Check::Witness(holds) = invariant.check {
                broken |= u16::from(holds(&world.witness).is_err()) << (p + 1);
            }
        }
        let topology = &rules.topologies[usize::from(world.topology)];
        let mut links = [0; 16];
        for (src, row) in links.iter_mut().enumerate().take(n) {
            let up = (0..n).filter(|&dst| topology.is_up(Id::from(src), Id::from(dst)));
            *row = up.fold(0, |bits, dst| bits | 1 << dst);
        }
        let others = (1..rules.topologies.len() as u8).filter(|&t| left.switches > 0 && t != world.topology);
        WorldInfo {
            share: digest.share(),
            broken,
            timeless: self.system.is_timeless(world),
            can_crash: left.crashes > 0,
            can_tear: left.torn && left.crashes > 0,
            can_restart: left.restarts > 0,
            can_restart_empty: left.allows(Disk::Empty),
            can_restart_older: left.allows(Disk::Older),
            can_lose: left.losses > 0,
            can_duplicate: left.duplications > 0,
            can_input: world.inputs_left > 0,
            next_input: self.system.next_input(world),
            goals: self.system.goals_of_past(world),
            may_stabilise: rules.timing == Timing::Stabilising && !world.stabilised,
            switches: others.collect(),
            links,
            ..WorldInfo::default()
        }
    }

    fn kind(&mut self, kind: Kind, tables: &mut Tables) -> u16 {
        *self.kinds.entry(kind).or_insert_with_key(|kind| {
            tables.kinds.push(kind.clone());
            tables.kinds.len() as u16 - 1
        })
    }

    /// Notes what a handler did, whole and torn at every place.
    fn outcomes(
        &mut self,
        before: Local,
        cause: Cause,
        reaction: Reaction<E>,
        tables: &mut Tables,
    ) -> OutcomeId {
        let (i, node) = (usize::from(self.nodes[before].0), self.nodes[before].1.clone());
        let torn = match self.system.rules.faults.torn {
            true => reaction.effects.len(),
            false => 0,
        };
        let idle = if reaction.idle { flag::IDLE } else { 0 };
        let whole = tables.outcomes.len() as OutcomeId;
        let origin = Origin { before, cause, cut_short: None };
        let step = self.told(origin);
        let is_changed =
            panics::caught(|| self.system.is_changed_by_bug(Id::from(i), &node, &step, &reaction));
        let is_changed = is_changed.unwrap_or(true);
        self.outcome(
            origin,
            (i, &node, &step),
            (&reaction.node, &reaction.effects),
            (false, is_changed),
            tables,
        );
        tables.outcomes[whole as usize].flags |= idle;
        tables.outcomes[whole as usize].torn = torn as u8;
        for effects in 0..torn {
            let cut_short = (effects > 0).then(|| self.local(i, Arc::new(reaction.node.clone()), tables));
            let origin = Origin { cut_short, ..origin };
            let (node_after, done) = reaction.torn(effects);
            self.outcome(origin, (i, &node, &step), (&node_after, done), (true, is_changed), tables);
        }
        whole
    }

    fn outcome(
        &mut self,
        origin: Origin,
        (i, before, step): (usize, &NodeOf<E>, &StepOf<E>),
        (after, effects): (&NodeOf<E>, &[Effect<E::Msg, E::Storage>]),
        (is_torn, is_changed): (bool, bool),
        tables: &mut Tables,
    ) {
        let id = Id::from(i);
        let sends = node::sends(effects);
        let cut_short = origin.cut_short.and_then(|local| self.nodes[local].1.state.clone());
        let did = self.system.node_step(id, (before, event(step), after), &sends, cut_short.as_deref());
        let facts = self.system.facts_of(&did, is_changed);
        let ends_leading = facts.elects || did.cut_short.is_some_and(|s| did.actor.leads(id, s).is_some());
        // Without a witness and step invariants, the world takes note of nothing but new leaders.
        let observed = self.system.rules.remember
            && (size_of::<E::Witness>() > 0
                || self.has_step_invariants
                || self.system.breaks_a_rule(&did)
                || (ends_leading && E::about().has_terms));
        let message = match step {
            Step::Deliver { msg, .. } if !is_torn => Some(names::kind(msg)),
            _ => None,
        };
        let kind =
            self.kind(Kind { step: if is_torn { "torn" } else { step.kind() }, message, facts }, tables);
        let sends_at = tables.sends.len() as u32;
        for (dst, msg) in sends {
            let message = self.wire.message(id, dst, msg, tables);
            tables.sends.push(message);
        }
        let known = tables.locals.len();
        let after = self.local(i, Arc::new(after.clone()), tables);
        if self.problem.is_none() && after as usize >= known {
            self.problem = self.follow(origin.before, after).err();
        }
        let beyond = tables.locals[after as usize].flags & (flag::BEYOND | flag::BEYOND_ROUND);
        self.origins.push(origin);
        tables.add_outcome(Outcome {
            after,
            sends_at,
            sends: (tables.sends.len() as u32 - sends_at) as u16,
            flags: beyond | if observed { flag::OBSERVED } else { 0 },
            kind,
            ..Outcome::default()
        });
    }

    /// Runs a handler, or says that it panicked.
    fn guarded<T>(&self, i: usize, what: &str, run: impl FnOnce() -> T) -> Result<T, String> {
        let node = || node_name(Id::from(i));
        panics::caught(run).map_err(|why| format!("the actor of {} panicked at {what}: {why}", node()))
    }

    fn reaction(&self, local: Local, message: Message) -> Result<Reaction<E>, String> {
        let (i, node) = &self.nodes[local];
        let Envelope { src, msg, .. } = self.wire.envelope(message);
        self.react(usize::from(*i), node, &Event::Deliver { src: *src, msg })
    }

    fn react(&self, i: usize, node: &NodeOf<E>, event: &Event<'_, E>) -> Result<Reaction<E>, String> {
        let what = match event {
            Event::Deliver { src, msg } => format!("{} from {}", names::value(msg), node_name(*src)),
            Event::Timeout { timer } => format!("timeout {}", names::value(timer)),
            Event::Choose { key, value } => format!("choice {key} = {}", names::value(value)),
            Event::Start | Event::Crash => String::new(),
        };
        let reaction = self.guarded(i, &what, || self.system.react(Id::from(i), node, event))?;
        Ok(reaction)
    }

    fn resolve_react(&mut self, local: Local, message: Message, tables: &mut Tables) -> Result<(), String> {
        if !self.nodes[local].1.is_up() {
            tables.react.insert(local, message, NOTHING);
            return Ok(());
        }
        let reaction = self.reaction(local, message)?;
        self.seen += 1;
        if self.sample.len() < SAMPLE && (self.seen < 256 || self.seen.is_multiple_of(61)) {
            self.sample.push((local, message, self.digest(&reaction)));
        }
        let outcome = self.outcomes(local, Cause::Deliver(message), reaction, tables);
        tables.react.insert(local, message, outcome);
        Ok(())
    }

    fn resolve_own(&mut self, local: Local, tables: &mut Tables) -> Result<(), String> {
        let (i, node) = (usize::from(self.nodes[local].0), self.nodes[local].1.clone());
        let mut steps = Vec::new();
        let mut add = |front: &mut Self, kind, cause, reaction, tables: &mut Tables| {
            let outcome = front.outcomes(local, cause, reaction, tables);
            steps.push(OwnStep { kind, outcome });
        };
        for (k, (timer, age)) in node.timers.iter().enumerate() {
            let reaction = self.react(i, &node, &Event::Timeout { timer })?;
            let kind = OwnKind::Timeout { due: age.now >= age.first, idle: reaction.idle };
            add(self, kind, Cause::Timeout(k as u32), reaction, tables);
        }
        for (k, (key, value)) in choices::<E>(&node).into_iter().enumerate() {
            let reaction = self.react(i, &node, &Event::Choose { key, value })?;
            let kind = if key == CLIENT { OwnKind::Input(E::input_number(value)) } else { OwnKind::Choose };
            add(self, kind, Cause::Choose(k as u32), reaction, tables);
        }
        let faults = self.system.rules.faults;
        if !node.is_up() && faults.restarts > 0 {
            for disk in [Disk::Intact, Disk::Empty, Disk::Older] {
                let Some(down) = node.found(disk).filter(|_| faults.allows(disk)) else { continue };
                let reaction =
                    self.guarded(i, "its restart", || self.system.start_node(Id::from(i), &down))?;
                add(self, OwnKind::Restart(disk), Cause::Restart(disk), reaction, tables);
            }
        }
        if node.is_up() && faults.crashes > 0 {
            add(self, OwnKind::Crash, Cause::Crash, Reaction::crash(&node), tables);
        }
        let timing = self.system.rules.timing;
        let aged = match timing {
            Timing::Asynchronous => local,
            // A node that holds time up has no next tick.
            _ if tables.locals[local as usize].flags & flag::BLOCKS_TICK != 0 => local,
            _ => self.local(i, Arc::new(node.aged()), tables),
        };
        let mut stabilised = Vec::new();
        if timing == Timing::Stabilising {
            let mut all = vec![(*node).clone()];
            for (timer, age) in &node.timers {
                let with = |node: &NodeOf<E>, now| {
                    let mut node = node.clone();
                    node.timers.get_mut(timer).expect("it is set").now = now;
                    node
                };
                all = all.iter().flat_map(|n| (0..age.last).map(move |now| with(n, now))).collect();
            }
            stabilised.extend(all.into_iter().map(|node| self.local(i, Arc::new(node), tables)));
        }
        let own = Own { steps: steps.into(), aged, stabilised: stabilised.into() };
        tables.owns[local as usize] = Some(own);
        Ok(())
    }

    fn resolve_world(&mut self, id: WorldId, what: u32, tables: &mut Tables) {
        let mut world = self.worlds[id].clone();
        if what < event::OUTCOMES {
            if let Some(after) = self.observe(&world, what, tables) {
                world = Arc::new(after);
            }
        } else {
            let world = Arc::make_mut(&mut world);
            let left = &mut world.left;
            match what {
                event::CRASH => left.crashes -= 1,
                event::RESTART => left.pay_for(Disk::Intact),
                event::RESTART_EMPTY => left.pay_for(Disk::Empty),
                event::RESTART_OLDER => left.pay_for(Disk::Older),
                event::LOSE => left.losses -= 1,
                event::DUPLICATE => left.duplications -= 1,
                event::INPUT => world.inputs_left -= 1,
                event::STABILISE => {
                    world.left = Faults::none();
                    world.stabilised = true;
                }
                switch => {
                    left.switches -= 1;
                    world.topology = (event::SWITCH - switch) as u8;
                }
            }
        }
        let after = self.world(world, tables);
        tables.set_world_after(id, what, after);
    }

    /// The world after it has taken note of an outcome.
    fn observe(
        &self,
        world: &World<E::Witness>,
        id: OutcomeId,
        tables: &Tables,
    ) -> Option<World<E::Witness>> {
        let Origin { before, cut_short, .. } = self.origins[id as usize];
        let outcome = &tables.outcomes[id as usize];
        let (i, before) = &self.nodes[before];
        let after = &self.nodes[outcome.after].1;
        let envelope = |m: &Message| {
            let e = self.wire.envelope(*m);
            (e.dst, e.msg.clone())
        };
        let sends: Vec<(Id, E::Msg)> = tables.sends_of(outcome).iter().map(envelope).collect();
        let told = self.told(self.origins[id as usize]);
        let cut_short = cut_short.and_then(|local| self.nodes[local].1.state.as_deref());
        let id = Id::from(usize::from(*i));
        let step = self.system.node_step(id, (before, event(&told), after), &sends, cut_short);
        world.observe(&self.system.invariants, &step)
    }

    fn broken_pair(&self, a: Local, b: Local) -> u32 {
        let ((i, x), (j, y)) = (&self.nodes[a], &self.nodes[b]);
        let (Some(x), Some(y)) = (x.state.as_deref(), y.state.as_deref()) else { return 0 };
        let (i, j) = (Id::from(usize::from(*i)), Id::from(usize::from(*j)));
        self.bits(|check| match check {
            Check::Pair(holds) => holds(&self.system.actors[usize::from(i)], (i, x), (j, y)),
            _ => Ok(()),
        })
    }

    fn broken_in_world(&self, local: Local, world: WorldId) -> u32 {
        let (i, node) = &self.nodes[local];
        let Some(state) = node.state.as_deref() else { return 0 };
        let id = Id::from(usize::from(*i));
        let witness = &self.worlds[world].witness;
        self.bits(|check| match check {
            Check::NodeWitness(holds) => holds(&self.system.actors[usize::from(*i)], id, state, witness),
            _ => Ok(()),
        })
    }

    fn bits(&self, holds: impl Fn(Check<E>) -> Result<(), String>) -> u32 {
        let broken = self.system.invariants.iter().map(|i| holds(i.check).is_err());
        broken.enumerate().fold(0, |bits, (p, broken)| bits | u32::from(broken) << (p + 1))
    }

    fn is_dead(&self, local: Local, message: Message) -> bool {
        let (i, node) = &self.nodes[local];
        let Envelope { src, dst, msg } = self.wire.envelope(message);
        let actor = &self.system.actors[usize::from(*i)];
        node.state.as_deref().is_some_and(|state| actor.is_dead(*dst, state, *src, msg))
    }

    /// Delivers a message that is called dead.
    ///
    /// # Errors
    /// It has an effect.
    fn expect_no_effect(&self, local: Local, message: Message) -> Result<(), String> {
        let reaction = self.reaction(local, message)?;
        let (i, node) = &self.nodes[local];
        if reaction.effects.is_empty() && reaction.node == **node {
            return Ok(());
        }
        let Envelope { src, msg, .. } = self.wire.envelope(message);
        Err(format!(
            "{} from {} is called dead to {}, and has an effect on it: its `is_dead` is wrong",
            names::value(msg),
            node_name(*src),
            node_name(Id::from(usize::from(*i))),
        ))
    }

    /// Takes note that a message is dead to a node from this local state on, and delivers it in those that have followed.
    /// Of each local state only a few such messages are kept.
    ///
    /// # Errors
    /// The message is alive again.
    fn bury(&mut self, from: Local, message: Message) -> Result<(), String> {
        let mut open = vec![from];
        while let Some(local) = open.pop() {
            if local != from && self.nodes[local].1.is_up() {
                self.expect_no_effect(local, message)?;
            }
            let Buried { messages, followed_by } = &mut self.buried[local as usize];
            if messages.len() < BURIED && !messages.contains(&message) {
                messages.push(message);
                open.extend(followed_by.iter());
            }
        }
        Ok(())
    }

    /// Takes note that a local state is met for the first time, after another: what was dead to that is delivered to it.
    ///
    /// # Errors
    /// One of these messages is alive again.
    fn follow(&mut self, before: Local, after: Local) -> Result<(), String> {
        self.buried[before as usize].followed_by.push(after);
        for message in self.buried[before as usize].messages.clone() {
            if self.nodes[after].1.is_up() {
                self.expect_no_effect(after, message)?;
            }
            self.bury(after, message)?;
        }
        Ok(())
    }

    fn digest(&self, reaction: &Reaction<E>) -> Digest {
        Digest::of(self.seed, place::OUTCOME, &(&reaction.node, &reaction.effects, reaction.idle))
    }

    /// Recomputes a sample of the reactions that the tables remember.
    ///
    /// # Errors
    /// One that came out differently: the handler is not a function of its arguments.
    pub fn audit(&self) -> Result<(), String> {
        for &(local, message, digest) in &self.sample {
            if self.digest(&self.reaction(local, message)?) != digest {
                let (i, _) = &self.nodes[local];
                return Err(format!(
                    "the handler of {} is not a pure function: delivering {} in the same state twice had two outcomes",
                    node_name(Id::from(usize::from(*i))),
                    names::value(&self.wire.envelope(message).msg),
                ));
            }
        }
        Ok(())
    }
}

impl<E: Election> Resolver for SystemFront<'_, E>
where
    <E as Actor>::State: Send,
{
    fn resolve(&mut self, miss: Miss, tables: &mut Tables) -> Result<(), String> {
        match miss {
            Miss::React(local, message) => self.resolve_react(local, message, tables)?,
            Miss::Dead(local, message) => {
                let is_dead = self.is_dead(local, message);
                if is_dead {
                    self.expect_no_effect(local, message)?;
                    self.bury(local, message)?;
                }
                tables.dead.insert(local, message, u32::from(is_dead));
            }
            Miss::Quorum(local, reached) => {
                let (i, node) = &self.nodes[local];
                let nodes = self.system.actors.len();
                let set = (0..nodes).filter(|i| reached >> i & 1 == 1).map(Id::from).collect();
                let actor = &self.system.actors[usize::from(*i)];
                let enough = node.state.as_deref().is_some_and(|s| actor.is_quorum(s, nodes, set, set));
                tables.quorums.insert(local, reached, u32::from(enough));
            }
            Miss::Own(local) => self.resolve_own(local, tables)?,
            Miss::World(world, what) => self.resolve_world(world, what, tables),
            Miss::Pair(a, b) => {
                let broken = self.broken_pair(a, b);
                tables.pairs.insert(a, b, broken, broken == 0);
            }
            Miss::NodeWorld(local, world) => {
                let broken = self.broken_in_world(local, world);
                tables.node_worlds.insert(local, world, broken, broken == 0);
            }
            of_the_engine => unreachable!("{of_the_engine:?} is not for a front end"),
        }
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        if tables.outcomes.len() as u64 >= u64::from(event::OUTCOMES) {
            return Err("more than four billion different local steps".to_string());
        }
        Ok(())
    }
}

/// The properties, as bits, that are asked only in states in which time may pass.
fn when_time_passes<E: Election>(invariants: &[Invariant<E>]) -> u16 {
    let waits = |(i, invariant): (usize, &Invariant<E>)| u16::from(invariant.when_time_passes) << (i + 1);
    invariants.iter().enumerate().map(waits).fold(0, |bits, bit| bits | bit)
}

/// Election safety is asked by bit 0.
const _: () = assert!(ELECTION_SAFETY == 0);
