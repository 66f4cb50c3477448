//! What the engine knows about a program: components by number, and what steps do to them, once each.
//!
//! Everything here is numbers; values live in the front ends ([`super::system`], [`super::actor_model`]), which fill a
//! table when the search meets something new ([`Miss`]). While states are expanded the tables are only read, so any
//! number of threads may share them.

use std::collections::HashMap;

use super::flows::{Column, EMPTY, FlowId, Flows, Range, Steps};
use super::memo::{Memo, Mostly};
use crate::semantics::Bounds;
use crate::semantics::facts::Facts;
use crate::semantics::network::NetworkKind;
use crate::semantics::node::Disk;

/// A node's local state.
pub type Local = u32;
/// A message with its sender and receiver.
pub type Message = u32;
/// Everything besides nodes and messages.
pub type WorldId = u32;
/// An entry of [`Tables::outcomes`].
pub type OutcomeId = u32;
/// An entry of [`Tables::bundles`].
pub type Bundle = u32;

/// What a table answers when it does not know yet.
pub const UNKNOWN: u32 = u32::MAX;
/// No outcome: the receiver is down.
pub const NOTHING: u32 = u32::MAX - 1;
/// The largest number that stands for itself.
pub const MAX_ID: u32 = u32::MAX - 2;

/// Something that a table does not know yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Miss {
    /// What a message does to a receiver.
    React(Local, Message),
    /// Whether a message can never again have an effect on a receiver: 1 or 0.
    Dead(Local, Message),
    /// Whether these nodes (as bits) are enough to elect, as this node sees it: 1 or 0.
    Quorum(Local, u32),
    /// What a node can do by itself, and what it becomes at a tick or when the system stabilises.
    Own(Local),
    /// A world after something happened.
    World(WorldId, u32),
    /// Which properties a pair of nodes breaks, the lower node first.
    Pair(Local, Local),
    /// Which properties a node breaks, given the world.
    NodeWorld(Local, WorldId),
    /// The steps of this node by itself.
    OwnSteps(u8, Local),
    /// The steps of a node with a flow to it, in this column.
    Deliveries(u16, Local, FlowId),
    /// The losses and duplications that a flow in this column may suffer.
    Strikes(u16, FlowId),
    /// A flow to this node, or to nobody, that a bundle of messages has been added to.
    Put(u8, FlowId, Bundle),
    /// A flow to this node without the messages that are dead to it in this local state.
    Bury(u8, Local, FlowId),
}

/// Of [`LocalInfo::flags`] and [`Outcome::flags`].
pub mod flag {
    /// The node is up.
    pub const UP: u8 = 1;
    /// The node leads.
    pub const LEADS: u8 = 2;
    /// The node is beyond the bound of terms.
    pub const BEYOND: u8 = 4;
    /// No tick now: a choice is open or a timer is at its last age.
    pub const BLOCKS_TICK: u8 = 8;
    /// Of outcomes: the handler changed nothing.
    pub const IDLE: u8 = 16;
    /// Of outcomes: the world may take note of this step.
    pub const OBSERVED: u8 = 32;
    /// The node is beyond the bound of rounds.
    pub const BEYOND_ROUND: u8 = 64;
}

#[derive(Clone, Debug)]
pub struct LocalInfo {
    /// What the component adds to the sum of a fingerprint.
    pub share: u64,
    /// See [`flag`].
    pub flags: u8,
    /// The properties that this node breaks by itself, as bits.
    pub broken: u16,
    /// Its own steps, once they are listed.
    pub steps: Range,
}

/// What a node can do by itself.
#[derive(Clone, Debug, Default)]
pub struct Own {
    pub steps: Box<[OwnStep]>,
    /// The node one tick later.
    pub aged: Local,
    /// The node with every combination of ages that its timers may take when the system stabilises.
    pub stabilised: Box<[Local]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnKind {
    /// A timer: `due` where time is kept; `idle` if its handler changes nothing.
    Timeout {
        due: bool,
        idle: bool,
    },
    Choose,
    /// A choice paid for from the budget of client inputs; with the number that it carries.
    Input(Option<u32>),
    Restart(Disk),
    Crash,
}

impl OwnKind {
    /// What the world pays for such a step: see [`event`].
    pub fn cost(self) -> Option<u32> {
        match self {
            OwnKind::Timeout { .. } | OwnKind::Choose => None,
            OwnKind::Input(_) => Some(event::INPUT),
            OwnKind::Restart(Disk::Intact) => Some(event::RESTART),
            OwnKind::Restart(Disk::Empty) => Some(event::RESTART_EMPTY),
            OwnKind::Restart(Disk::Older) => Some(event::RESTART_OLDER),
            OwnKind::Crash => Some(event::CRASH),
        }
    }

    /// The gates that lead to such a step.
    pub fn gates(self) -> u32 {
        match self {
            OwnKind::Timeout { due, idle } => {
                (u32::from(!idle) * gate::TIMELESS) | (u32::from(due) * gate::TIMED)
            }
            OwnKind::Choose => gate::TIMELESS | gate::TIMED,
            OwnKind::Input(_) => gate::INPUT,
            OwnKind::Restart(Disk::Intact) => gate::RESTART,
            OwnKind::Restart(Disk::Empty) => gate::RESTART_EMPTY,
            OwnKind::Restart(Disk::Older) => gate::RESTART_OLDER,
            OwnKind::Crash => gate::CRASH,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnStep {
    pub kind: OwnKind,
    pub outcome: OutcomeId,
}

/// What a world lets happen at a node, as bits: a step may be taken where one of its gates is open, and none of its bars is
/// down.
pub mod gate {
    pub const TIMELESS: u32 = 1;
    pub const TIMED: u32 = 1 << 1;
    pub const INPUT: u32 = 1 << 2;
    pub const RESTART: u32 = 1 << 3;
    pub const RESTART_EMPTY: u32 = 1 << 4;
    pub const CRASH: u32 = 1 << 5;
    pub const LOSE: u32 = 1 << 6;
    pub const DUPLICATE: u32 = 1 << 7;
    /// The link from node 0 is up; those from the other nodes follow.
    pub const LINK: u32 = 1 << 8;
    /// Down while time is not kept: a message that changes nothing stays in flight.
    pub const BAR_IDLE: u32 = 1 << 24;
    /// Down while no step may be torn.
    pub const BAR_TORN: u32 = 1 << 25;
    pub const RESTART_OLDER: u32 = 1 << 26;
}

/// What one step of one node does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub after: Local,
    /// The messages sent stand in [`Tables::sends`] from here on.
    pub sends_at: u32,
    pub sends: u16,
    pub flags: u8,
    /// As many outcomes that follow this one are the same step torn after 0, 1, .. effects.
    pub torn: u8,
    /// Which counter of the tally counts it.
    pub kind: u16,
    /// How many columns messages are sent in; which, stands in [`Tables::parcels`].
    pub parcels: u8,
    pub parcels_at: u32,
    /// What is sent adds this to the sum of a fingerprint on unordered networks.
    pub sent: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct MessageInfo {
    pub share: u64,
    pub src: u8,
    /// Sender and receiver in one number.
    pub link: u32,
    /// The column of rows in which it is in flight.
    pub column: u16,
}

/// What an outcome sends in one column.
#[derive(Clone, Copy, Debug)]
pub struct Parcel {
    pub column: u16,
    pub bundle: Bundle,
    /// The same as a flow, if a step sends it that [adds up](super::flows::step_flag::ADDS_UP).
    pub flow: FlowId,
}

/// Stands for no node: one more than the last there may be.
pub const NO_NODE: u8 = 16;

/// What may happen to a world: what [`Tables::world_after`] is asked about. Numbers below are outcomes.
pub mod event {
    pub const CRASH: u32 = super::MAX_ID;
    pub const RESTART: u32 = super::MAX_ID - 1;
    pub const RESTART_EMPTY: u32 = super::MAX_ID - 2;
    pub const LOSE: u32 = super::MAX_ID - 3;
    pub const DUPLICATE: u32 = super::MAX_ID - 4;
    pub const INPUT: u32 = super::MAX_ID - 5;
    pub const STABILISE: u32 = super::MAX_ID - 6;
    pub const RESTART_OLDER: u32 = super::MAX_ID - 7;
    /// A switch to topology `i` is `SWITCH - i`.
    pub const SWITCH: u32 = super::MAX_ID - 8;
    /// Outcomes are below.
    pub const OUTCOMES: u32 = super::MAX_ID - 8 - 256;
}

/// What a world allows.
#[derive(Clone, Debug, Default)]
pub struct WorldInfo {
    pub share: u64,
    /// The properties broken, as bits.
    pub broken: u16,
    /// Timers may fire and messages arrive at any time.
    pub timeless: bool,
    pub can_crash: bool,
    pub can_tear: bool,
    pub can_restart: bool,
    pub can_restart_empty: bool,
    pub can_restart_older: bool,
    pub can_lose: bool,
    pub can_duplicate: bool,
    pub can_input: bool,
    /// The number of the next client input.
    pub next_input: u32,
    /// The goals of the past that are reached, as bits.
    pub goals: u64,
    pub may_stabilise: bool,
    /// The topologies that a switch may go to.
    pub switches: Box<[u8]>,
    /// The directed links that are up, a row a sender.
    pub links: [u16; 16],
    /// The gates open at each node, and the bars that are down: see [`gate`]. [`Tables::add_world`] fills them in.
    pub open: [u32; 16],
    pub bars: u32,
    /// Whether there are steps of the whole system. Filled in likewise.
    pub moves_as_whole: bool,
}

impl WorldInfo {
    fn gates(&self, node: usize) -> u32 {
        let of = |may: bool, gate: u32| u32::from(may) * gate;
        let links = (0..16).filter(|src| self.links[*src] >> node & 1 == 1);
        links.map(|src| gate::LINK << src).fold(0, |all, link| all | link)
            | of(self.timeless, gate::TIMELESS)
            | of(!self.timeless, gate::TIMED)
            | of(self.can_input, gate::INPUT)
            | of(self.can_restart, gate::RESTART)
            | of(self.can_restart_empty, gate::RESTART_EMPTY)
            | of(self.can_restart_older, gate::RESTART_OLDER)
            | of(self.can_crash, gate::CRASH)
            | of(self.can_lose, gate::LOSE)
            | of(self.can_duplicate, gate::DUPLICATE)
    }

    #[inline]
    pub fn is_up(&self, src: u8, dst: u8) -> bool {
        self.links[src as usize & 15] >> (dst & 15) & 1 == 1
    }
}

/// What holds for the whole run.
#[derive(Clone, Debug)]
pub struct Shape {
    pub nodes: usize,
    pub network: NetworkKind,
    pub bounds: Bounds,
    /// Time is kept in some world.
    pub keeps_time: bool,
    /// Messages are lost, or duplicated, in some world.
    pub loses: bool,
    pub duplicates: bool,
    /// Dead messages are removed.
    pub removes_dead: bool,
    /// Losses and duplications strike only heads of flows (stateright's way).
    pub loses_heads_only: bool,
    pub asks_pairs: bool,
    pub asks_node_worlds: bool,
    /// Election safety without terms: at most one node leads, judged when time may pass.
    pub one_leader_at_a_time: bool,
    /// The properties, as bits, that are asked only in states in which time may pass.
    pub when_time_passes: u16,
    /// The system may stabilise while nodes that are not connected make up a quorum.
    pub any_topology_stabilises: bool,
}

/// Everything known about a program.
pub struct Tables {
    pub shape: Shape,
    pub locals: Vec<LocalInfo>,
    /// As many as [`Tables::locals`].
    pub owns: Vec<Option<Own>>,
    pub messages: Vec<MessageInfo>,
    pub flows: Flows,
    pub worlds: Vec<WorldInfo>,
    pub outcomes: Vec<Outcome>,
    pub sends: Vec<Message>,
    pub parcels: Vec<Parcel>,
    /// What is sent together in one column.
    pub bundles: Vec<Box<[Message]>>,
    bundle_ids: HashMap<Box<[Message]>, Bundle>,
    pub steps: Steps,
    /// What a message does to a receiver: an outcome, or [`NOTHING`].
    pub react: Memo,
    pub dead: Memo,
    pub quorums: Memo,
    /// A world after an [`event`], and after an outcome that it takes note of: mostly the same.
    after_event: Memo,
    after_outcome: Mostly,
    /// The properties broken by a pair of nodes, the lower node first, and by a node in a world: mostly none.
    pub pairs: Mostly,
    pub node_worlds: Mostly,
    /// Of the tally: what [`Outcome::kind`] counts. The first stand for the steps of no single node.
    pub kinds: Vec<Kind>,
}

/// What is counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kind {
    pub step: &'static str,
    pub message: Option<String>,
    pub facts: Facts,
}

/// Positions in [`Tables::kinds`] of the steps of no single node.
pub mod kind {
    pub const LOSE: u16 = 0;
    pub const DUPLICATE: u16 = 1;
    pub const SWITCH: u16 = 2;
    pub const STABILISE: u16 = 3;
    pub const TICK: u16 = 4;
}

impl Tables {
    pub fn new(shape: Shape) -> Self {
        Tables {
            shape,
            locals: Vec::new(),
            owns: Vec::new(),
            messages: Vec::new(),
            flows: Flows::default(),
            worlds: Vec::new(),
            outcomes: Vec::new(),
            sends: Vec::new(),
            parcels: Vec::new(),
            bundles: Vec::new(),
            bundle_ids: HashMap::new(),
            steps: Steps::default(),
            react: Memo::default(),
            dead: Memo::default(),
            quorums: Memo::default(),
            after_event: Memo::default(),
            after_outcome: Mostly::default(),
            pairs: Mostly::default(),
            node_worlds: Mostly::default(),
            kinds: ["lose", "duplicate", "switch", "stabilise", "tick"]
                .map(|step| Kind { step, ..Kind::default() })
                .to_vec(),
        }
    }

    pub fn add_world(&mut self, mut info: WorldInfo) {
        info.open = std::array::from_fn(|node| info.gates(node));
        let bar = |is_down: bool, bar: u32| u32::from(is_down) * bar;
        info.bars = bar(info.timeless, gate::BAR_IDLE) | bar(!info.can_tear, gate::BAR_TORN);
        info.moves_as_whole = !info.timeless || info.may_stabilise || !info.switches.is_empty();
        self.worlds.push(info);
        self.make_room();
    }

    pub fn add_local(&mut self, info: LocalInfo) {
        self.locals.push(info);
        self.owns.push(None);
        self.make_room();
        let local = self.locals.len() as Local - 1;
        self.steps.deliveries.insert(local, EMPTY, Range { first: 0, len: 0 }, true);
        if self.shape.removes_dead {
            self.steps.living.insert(local, EMPTY, EMPTY, true);
        }
    }

    /// Keeps a bit for every pair that may be asked for.
    pub fn make_room(&mut self) {
        let (locals, flows, worlds) = (self.locals.len(), self.flows.most(), self.worlds.len());
        self.steps.deliveries.extend(locals, flows);
        self.after_outcome.extend(worlds, self.outcomes.len());
        self.steps.puts.extend(flows, self.bundles.len());
        if self.shape.removes_dead {
            self.steps.living.extend(locals, flows);
        }
        if self.shape.asks_pairs {
            self.pairs.extend(locals, locals);
        }
        if self.shape.asks_node_worlds {
            self.node_worlds.extend(locals, worlds);
        }
    }

    /// The column of what is sent from one node to another, or to nobody.
    pub fn column(&mut self, src: u8, dst: u8) -> u16 {
        let Flows { columns, columns_to, .. } = &mut self.flows;
        let is_this = |c: &Column| c.dst == dst && (c.src == src || dst == NO_NODE);
        let known = columns.iter().position(is_this);
        known.unwrap_or_else(|| {
            columns_to[usize::from(dst)].push(columns.len() as u16);
            columns.push(Column { src, dst });
            columns.len() - 1
        }) as u16
    }

    /// Adds an outcome of which all is known but where its messages go.
    pub fn add_outcome(&mut self, mut outcome: Outcome) -> OutcomeId {
        let mut sends = self.sends_of(&outcome).to_vec();
        outcome.parcels_at = self.parcels.len() as u32;
        let share = |m: &Message| self.messages[*m as usize].share;
        outcome.sent = sends.iter().map(share).fold(0, u64::wrapping_add);
        let column = |m: &Message| self.messages[*m as usize].column;
        // What goes the same way stays in order.
        sends.sort_by_key(column);
        let bundles: Vec<(u16, Box<[Message]>)> = sends
            .chunk_by(|a, b| column(a) == column(b))
            .map(|sent| (column(&sent[0]), sent.into()))
            .collect();
        outcome.parcels = bundles.len() as u8;
        for (column, messages) in bundles {
            let bundle = self.bundle(messages);
            self.parcels.push(Parcel { column, bundle, flow: UNKNOWN });
        }
        self.outcomes.push(outcome);
        self.make_room();
        self.outcomes.len() as OutcomeId - 1
    }

    fn bundle(&mut self, messages: Box<[Message]>) -> Bundle {
        *self.bundle_ids.entry(messages).or_insert_with_key(|messages| {
            self.bundles.push(messages.clone());
            self.bundles.len() as Bundle - 1
        })
    }

    /// Answers a question, unless it has been answered.
    ///
    /// # Errors
    /// Why nothing that follows would count.
    pub fn answer(&mut self, miss: Miss, resolver: &mut dyn Resolver) -> Result<(), String> {
        if self.knows(miss) {
            return Ok(());
        }
        match miss {
            Miss::OwnSteps(node, local) => self.list_own(node, local, resolver),
            Miss::Deliveries(column, local, flow) => self.list_deliveries(column, local, flow, resolver),
            Miss::Strikes(column, flow) => self.list_strikes(column, flow, resolver),
            Miss::Put(end, flow, bundle) => self.find_put(end, flow, bundle),
            Miss::Bury(end, local, flow) => self.find_buried(end, local, flow, resolver),
            other => resolver.resolve(other, self),
        }
    }

    /// The world after an event or an outcome, or [`UNKNOWN`].
    #[inline]
    pub fn world_after(&self, world: WorldId, what: u32) -> WorldId {
        if what < event::OUTCOMES {
            self.after_outcome.get(world, what, world)
        } else {
            self.after_event.get(world, what)
        }
    }

    /// Keeps what a front end says of [`Tables::world_after`].
    pub fn set_world_after(&mut self, world: WorldId, what: u32, after: WorldId) {
        if what < event::OUTCOMES {
            self.after_outcome.insert(world, what, after, after == world);
        } else {
            self.after_event.insert(world, what, after);
        }
    }

    /// The largest number that stands in rows.
    pub fn most(&self) -> usize {
        self.locals.len().max(self.worlds.len()).max(self.flows.most())
    }

    /// Whether a question has been answered.
    fn knows(&self, miss: Miss) -> bool {
        let (memo, a, b) = match miss {
            Miss::Own(local) => return self.owns[local as usize].is_some(),
            Miss::OwnSteps(_, local) => return self.locals[local as usize].steps.is_known(),
            Miss::Deliveries(_, a, b) => return self.steps.deliveries.is_known(a, b),
            Miss::Put(_, a, b) => return self.steps.puts.other(a, b) != UNKNOWN,
            Miss::Bury(_, a, b) => return self.steps.living.is_known(a, b),
            Miss::World(a, b) => return self.world_after(a, b) != UNKNOWN,
            Miss::Pair(a, b) => return self.pairs.is_known(a, b),
            Miss::NodeWorld(a, b) => return self.node_worlds.is_known(a, b),
            Miss::Strikes(column, flow) => {
                let Column { dst, .. } = self.flows.columns[usize::from(column)];
                return self.flows.get(dst, flow).strikes.is_known();
            }
            Miss::React(a, b) => (&self.react, a, b),
            Miss::Dead(a, b) => (&self.dead, a, b),
            Miss::Quorum(a, b) => (&self.quorums, a, b),
        };
        memo.get(a, b) != UNKNOWN
    }

    #[inline]
    pub fn sends_of(&self, outcome: &Outcome) -> &[Message] {
        &self.sends[outcome.sends_at as usize..][..outcome.sends as usize]
    }

    /// An estimate of the bytes held, values in the front end not counted.
    pub fn bytes(&self) -> u64 {
        let memos = [&self.react, &self.dead, &self.quorums, &self.after_event].map(Memo::bytes);
        let mostly = [&self.after_outcome, &self.pairs, &self.node_worlds].map(Mostly::bytes);
        memos.iter().chain(&mostly).sum::<u64>()
            + self.flows.bytes()
            + self.steps.bytes()
            + (self.locals.len() * (size_of::<LocalInfo>() + size_of::<Option<Own>>() + 64)
                + self.outcomes.len() * size_of::<Outcome>()
                + self.sends.len() * 4
                + self.parcels.len() * size_of::<Parcel>()
                + self.bundles.len() * 64
                + self.messages.len() * size_of::<MessageInfo>()
                + self.worlds.len() * size_of::<WorldInfo>()) as u64
    }
}

/// What can only be told of a whole state.
pub struct Judgement {
    /// The properties broken (or found), as bits.
    pub broken: u16,
    /// Whether the state is to be looked at at all.
    pub is_within: bool,
}

/// Fills the tables; how a front end serves the search.
pub trait Resolver: Send + Sync {
    /// Answers a question that was not answered before.
    ///
    /// # Errors
    /// Why nothing that follows would count: a handler panicked, or there are too many of something.
    fn resolve(&mut self, miss: Miss, tables: &mut Tables) -> Result<(), String>;

    /// Whether something can only be told of a whole state.
    fn judges(&self) -> bool {
        false
    }

    /// Judges a whole state, where the tables do not tell all.
    ///
    /// # Errors
    /// What is asked of the state panicked.
    fn judge(&self, row: &[u32], tables: &Tables) -> Result<Judgement, String> {
        let _ = (row, tables);
        Ok(Judgement { broken: 0, is_within: true })
    }
}
