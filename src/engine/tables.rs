//! What the engine knows about a program: components by number, and what steps do to them, once each.
//!
//! Everything here is numbers; values live in the front ends ([`super::system`], [`super::actor_model`]), which fill a
//! table when the search meets something new ([`Miss`]). While states are expanded the tables are only read, so any
//! number of threads may share them.

use super::row::Row;
use crate::network::NetworkKind;
use crate::system::Bounds;

/// A node's local state.
pub type Local = u32;
/// A message with its sender and receiver.
pub type Message = u32;
/// Everything besides nodes and messages.
pub type WorldId = u32;
/// The messages from one node to another, in order. Only on ordered networks.
pub type Flow = u32;
/// An entry of [`Tables::outcomes`].
pub type OutcomeId = u32;

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
    /// A flow with one more message; [`NOTHING`] is the empty flow.
    Push(Flow, Message),
    /// A flow without the message at this position.
    Remove(Flow, u32),
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
}

#[derive(Clone, Debug)]
pub struct LocalInfo {
    /// What the component adds to the sum of a fingerprint.
    pub share: u64,
    /// See [`flag`].
    pub flags: u8,
    /// The properties that this node breaks by itself, as bits.
    pub broken: u16,
    pub own: Option<Own>,
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
    /// A choice paid for from the budget of client inputs.
    Input,
    Restart,
    RestartEmpty,
    Crash,
}

impl OwnKind {
    /// What the world pays for such a step: see [`event`].
    #[inline]
    pub fn cost(self) -> Option<u32> {
        match self {
            OwnKind::Timeout { .. } | OwnKind::Choose => None,
            OwnKind::Input => Some(event::INPUT),
            OwnKind::Restart => Some(event::RESTART),
            OwnKind::RestartEmpty => Some(event::RESTART_EMPTY),
            OwnKind::Crash => Some(event::CRASH),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct OwnStep {
    pub kind: OwnKind,
    pub outcome: OutcomeId,
    /// The gates that lead to this step: it may be taken in a world in which one of them is open.
    pub gates: u8,
}

impl OwnStep {
    pub fn new(kind: OwnKind, outcome: OutcomeId) -> Self {
        let gates = match kind {
            OwnKind::Timeout { due, idle } => {
                (u8::from(!idle) * gate::TIMELESS) | (u8::from(due) * gate::TIMED)
            }
            OwnKind::Choose => gate::TIMELESS | gate::TIMED,
            OwnKind::Input => gate::INPUT,
            OwnKind::Restart => gate::RESTART,
            OwnKind::RestartEmpty => gate::RESTART_EMPTY,
            OwnKind::Crash => gate::CRASH,
        };
        OwnStep { kind, outcome, gates }
    }
}

/// What a world lets nodes do by themselves, as bits.
mod gate {
    pub const TIMELESS: u8 = 1;
    pub const TIMED: u8 = 2;
    pub const INPUT: u8 = 4;
    pub const RESTART: u8 = 8;
    pub const RESTART_EMPTY: u8 = 16;
    pub const CRASH: u8 = 32;
}

/// What one step of one node does.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// What the step adds to the sum of a fingerprint, but for the message delivered and the world: the node's new
    /// share less its old one, and those of the messages sent on an unordered network.
    pub delta: u64,
    pub after: Local,
    /// The messages sent stand in [`Tables::sends`] from here on.
    pub sends_at: u32,
    pub sends: u16,
    pub flags: u8,
    /// As many outcomes that follow this one are the same step torn after 0, 1, .. effects.
    pub torn: u8,
    /// Which counter of the tally counts it.
    pub kind: u16,
}

#[derive(Clone, Copy, Debug)]
pub struct MessageInfo {
    pub share: u64,
    pub src: u8,
    /// [`NO_NODE`] if there is no such node.
    pub dst: u8,
    /// Sender and receiver in one number.
    pub link: u32,
    /// Which of the messages to its receiver it is.
    pub ordinal: u32,
}

pub const NO_NODE: u8 = u8::MAX;

#[derive(Clone, Debug)]
pub struct FlowInfo {
    pub share: u64,
    pub link: u32,
    /// Never empty.
    pub messages: Box<[Message]>,
}

/// What may happen to a world: the second half of the key of [`Tables::world_after`]. Numbers below are outcomes.
pub mod event {
    pub const CRASH: u32 = super::MAX_ID;
    pub const RESTART: u32 = super::MAX_ID - 1;
    pub const RESTART_EMPTY: u32 = super::MAX_ID - 2;
    pub const LOSE: u32 = super::MAX_ID - 3;
    pub const DUPLICATE: u32 = super::MAX_ID - 4;
    pub const INPUT: u32 = super::MAX_ID - 5;
    pub const STABILISE: u32 = super::MAX_ID - 6;
    /// A switch to topology `i` is `SWITCH - i`.
    pub const SWITCH: u32 = super::MAX_ID - 7;
    /// Outcomes are below.
    pub const OUTCOMES: u32 = super::MAX_ID - 7 - 256;
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
    pub can_lose: bool,
    pub can_duplicate: bool,
    pub can_input: bool,
    pub may_stabilise: bool,
    /// The topologies that a switch may go to.
    pub switches: Box<[u8]>,
    /// The directed links that are up, a row a sender.
    pub links: [u16; 16],
}

impl WorldInfo {
    /// Whether every step is one node's own.
    #[inline]
    pub fn is_local_only(&self) -> bool {
        self.timeless
            && !self.can_lose
            && !self.can_duplicate
            && !self.may_stabilise
            && self.switches.is_empty()
    }

    /// The gates that are open: see [`OwnStep::gates`].
    #[inline]
    pub fn gates(&self) -> u8 {
        let of = |may: bool, gate: u8| u8::from(may) * gate;
        of(self.timeless, gate::TIMELESS)
            | of(!self.timeless, gate::TIMED)
            | of(self.can_input, gate::INPUT)
            | of(self.can_restart, gate::RESTART)
            | of(self.can_restart_empty, gate::RESTART_EMPTY)
            | of(self.can_crash, gate::CRASH)
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
    /// Dead messages are removed.
    pub removes_dead: bool,
    /// Losses and duplications strike only heads of flows (stateright's way).
    pub loses_heads_only: bool,
    pub asks_pairs: bool,
    pub asks_node_worlds: bool,
    /// Election safety without terms: at most one node leads, judged when time may pass.
    pub one_leader_at_a_time: bool,
    /// The system may stabilise while nodes that are not connected make up a quorum.
    pub any_topology_stabilises: bool,
}

/// Numbers by pairs of numbers: open addressing, a cache line a look-up.
pub struct Memo {
    slots: Vec<(u64, u32)>,
    used: usize,
}

impl Default for Memo {
    fn default() -> Self {
        Memo { slots: vec![(u64::MAX, UNKNOWN); 1 << 10], used: 0 }
    }
}

impl Memo {
    #[inline]
    fn home(key: u64, mask: usize) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 29) as usize & mask
    }

    /// The number for a pair, or [`UNKNOWN`].
    #[inline]
    pub fn get(&self, a: u32, b: u32) -> u32 {
        let key = u64::from(a) << 32 | u64::from(b);
        let mask = self.slots.len() - 1;
        let mut i = Self::home(key, mask);
        loop {
            let (k, value) = self.slots[i];
            if k == key || k == u64::MAX {
                return value;
            }
            i = (i + 1) & mask;
        }
    }

    pub fn insert(&mut self, a: u32, b: u32, value: u32) {
        if self.used * 2 >= self.slots.len() {
            let grown = vec![(u64::MAX, UNKNOWN); self.slots.len() * 2];
            for (key, value) in std::mem::replace(&mut self.slots, grown) {
                if key != u64::MAX {
                    self.place(key, value);
                }
            }
        }
        self.used += usize::from(self.place(u64::from(a) << 32 | u64::from(b), value));
    }

    fn place(&mut self, key: u64, value: u32) -> bool {
        let mask = self.slots.len() - 1;
        let mut i = Self::home(key, mask);
        while self.slots[i].0 != u64::MAX && self.slots[i].0 != key {
            i = (i + 1) & mask;
        }
        let is_new = self.slots[i].0 == u64::MAX;
        self.slots[i] = (key, value);
        is_new
    }

    pub fn bytes(&self) -> u64 {
        self.slots.len() as u64 * 16
    }
}

/// Where a message stands in [`BitRows`]: its receiver, and which of the messages to it it is.
#[derive(Clone, Copy)]
pub struct Spot(u32);

impl Spot {
    const ORDINALS: u32 = 27;
    const NOBODY: u32 = 16;

    fn of(message: &MessageInfo) -> Self {
        let dst = if message.dst == NO_NODE { Self::NOBODY } else { u32::from(message.dst) };
        debug_assert!(message.ordinal < 1 << Self::ORDINALS);
        Spot(dst << Self::ORDINALS | message.ordinal)
    }

    /// At most 31.
    #[inline]
    pub fn dst(self) -> usize {
        (self.0 >> Self::ORDINALS) as usize
    }

    #[inline]
    pub fn ordinal(self) -> u32 {
        self.0 & ((1 << Self::ORDINALS) - 1)
    }
}

/// For each local state, the messages to it of which something is known to be so: a bit a message, which a processor's
/// nearest cache holds where a [`Memo`] would not fit. There is a bit for every message to every local state.
#[derive(Default)]
pub struct BitRows {
    bits: Vec<u64>,
    /// Words a row.
    width: usize,
    rows: usize,
}

impl BitRows {
    /// Where the row of a local state starts.
    #[inline]
    pub fn row(&self, local: Local) -> usize {
        local as usize * self.width
    }

    #[inline]
    pub fn bit(&self, row: usize, ordinal: u32) -> u64 {
        self.bits[row + (ordinal >> 6) as usize] >> (ordinal & 63) & 1
    }

    #[inline]
    pub fn get(&self, local: Local, ordinal: u32) -> bool {
        self.bit(self.row(local), ordinal) == 1
    }

    fn set(&mut self, local: Local, ordinal: u32) {
        let at = self.row(local) + (ordinal >> 6) as usize;
        self.bits[at] |= 1 << (ordinal & 63);
    }

    fn add_row(&mut self) {
        self.rows += 1;
        self.bits.resize(self.rows * self.width, 0);
    }

    fn make_room_for(&mut self, ordinal: u32) {
        let words = (ordinal >> 6) as usize + 1;
        if words > self.width {
            let width = words.next_power_of_two();
            let mut wider = vec![0; self.rows * width];
            for (wider, row) in wider.chunks_mut(width).zip(self.bits.chunks(self.width.max(1))) {
                wider[..row.len()].copy_from_slice(row);
            }
            (self.bits, self.width) = (wider, width);
        }
    }

    fn bytes(&self) -> u64 {
        self.bits.capacity() as u64 * 8
    }
}

/// Everything known about a program.
pub struct Tables {
    pub shape: Shape,
    pub locals: Vec<LocalInfo>,
    pub messages: Vec<MessageInfo>,
    /// What is asked most often of [`Tables::messages`].
    pub spots: Vec<Spot>,
    pub worlds: Vec<WorldInfo>,
    pub flows: Vec<FlowInfo>,
    pub outcomes: Vec<Outcome>,
    pub sends: Vec<Message>,
    /// What a message does to a receiver: an outcome, or [`NOTHING`].
    pub react: Memo,
    /// Whether delivering does nothing while time is not kept: a first look that spares most looks at `react`.
    pub idle: BitRows,
    pub dead: Memo,
    /// Whether the message is known to live: a first look that spares most looks at `dead`.
    pub alive: BitRows,
    pub quorums: Memo,
    pub world_after: Memo,
    pub pairs: Memo,
    pub node_worlds: Memo,
    pub pushed: Memo,
    pub removed: Memo,
    /// Of the tally: what [`Outcome::kind`] counts. The first stand for the steps of no single node.
    pub kinds: Vec<Kind>,
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    pub step: &'static str,
    pub message: Option<String>,
    pub elects: bool,
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
            messages: Vec::new(),
            spots: Vec::new(),
            worlds: Vec::new(),
            flows: Vec::new(),
            outcomes: Vec::new(),
            sends: Vec::new(),
            react: Memo::default(),
            idle: BitRows::default(),
            dead: Memo::default(),
            alive: BitRows::default(),
            quorums: Memo::default(),
            world_after: Memo::default(),
            pairs: Memo::default(),
            node_worlds: Memo::default(),
            pushed: Memo::default(),
            removed: Memo::default(),
            kinds: ["lose", "duplicate", "switch", "stabilise", "tick"]
                .map(|step| Kind { step, message: None, elects: false })
                .to_vec(),
        }
    }

    pub fn add_local(&mut self, info: LocalInfo) {
        self.locals.push(info);
        self.idle.add_row();
        self.alive.add_row();
    }

    pub fn add_message(&mut self, info: MessageInfo) {
        self.idle.make_room_for(info.ordinal);
        self.alive.make_room_for(info.ordinal);
        self.spots.push(Spot::of(&info));
        self.messages.push(info);
    }

    /// Notes what a message does to a receiver.
    pub fn reacts(&mut self, local: Local, message: Message, outcome: u32) {
        self.react.insert(local, message, outcome);
        let is_idle = |o: &Outcome| o.flags & flag::IDLE != 0;
        if outcome == NOTHING || is_idle(&self.outcomes[outcome as usize]) {
            self.idle.set(local, self.messages[message as usize].ordinal);
        }
    }

    /// Notes whether a message can never again have an effect on a receiver.
    pub fn dies(&mut self, local: Local, message: Message, is_dead: bool) {
        self.dead.insert(local, message, u32::from(is_dead));
        if !is_dead {
            self.alive.set(local, self.messages[message as usize].ordinal);
        }
    }

    /// The largest number that stands for a component.
    pub fn most(&self) -> u32 {
        let components = [self.locals.len(), self.messages.len(), self.worlds.len(), self.flows.len()];
        components.into_iter().max().unwrap_or(0) as u32
    }

    /// Whether a question has been answered.
    pub fn knows(&self, miss: Miss) -> bool {
        let (memo, a, b) = match miss {
            Miss::Own(local) => return self.locals[local as usize].own.is_some(),
            Miss::React(a, b) => (&self.react, a, b),
            Miss::Dead(a, b) => (&self.dead, a, b),
            Miss::Quorum(a, b) => (&self.quorums, a, b),
            Miss::World(a, b) => (&self.world_after, a, b),
            Miss::Pair(a, b) => (&self.pairs, a, b),
            Miss::NodeWorld(a, b) => (&self.node_worlds, a, b),
            Miss::Push(a, b) => (&self.pushed, a, b),
            Miss::Remove(a, b) => (&self.removed, a, b),
        };
        memo.get(a, b) != UNKNOWN
    }

    #[inline]
    pub fn sends_of(&self, outcome: &Outcome) -> &[Message] {
        &self.sends[outcome.sends_at as usize..][..outcome.sends as usize]
    }

    /// An estimate of the bytes held, values in the front end not counted.
    pub fn bytes(&self) -> u64 {
        let memos = [
            &self.react,
            &self.dead,
            &self.quorums,
            &self.world_after,
            &self.pairs,
            &self.node_worlds,
            &self.pushed,
            &self.removed,
        ];
        memos.iter().map(|m| m.bytes()).sum::<u64>()
            + self.idle.bytes()
            + self.alive.bytes()
            + self.locals.len() as u64 * 64
            + self.outcomes.len() as u64 * 20
            + self.sends.len() as u64 * 4
            + self.messages.len() as u64 * 28
            + self.worlds.len() as u64 * 96
            + self.flows.len() as u64 * 64
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
    fn judge(&self, row: &Row) -> Judgement {
        let _ = row;
        Judgement { broken: 0, is_within: true }
    }
}
