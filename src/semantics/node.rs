//! What one step does to one node: the actor's own handler is run, its commands are applied to the
//! node's timers, choices and disk, and its sends and saves are listed in order.
//!
//! The reference semantics ([`crate::semantics`]) and the compiled engine both use this module.
//! They differ in how they store nodes, not in what a step does to a node. Networks, budgets and
//! terms play no part here.

use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use stateright::actor::{Actor, Command, Id, Out, is_no_op, is_no_op_with_timer};

use crate::election::{Age, Event};
use crate::support::sorted::SortedMap;

/// How durations of timers become ages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Any timer may fire at any time.
    Absent,
    /// Discrete time with ticks of this length.
    Ticks(Duration),
}

impl Clock {
    /// The limits of a timer just set; or what is wrong with its duration.
    fn age(self, range: &Range<Duration>) -> Result<Age, String> {
        let Clock::Ticks(tick) = self else { return Ok(Age::default()) };
        let ticks = |d: Duration| {
            if !d.as_nanos().is_multiple_of(tick.as_nanos()) {
                return Err(format!("{d:?} is not a whole multiple of the tick of {tick:?}"));
            }
            u16::try_from(d.as_nanos() / tick.as_nanos())
                .map_err(|_| format!("{d:?} is too many ticks"))
        };
        let (lo, hi) = (ticks(range.start)?, ticks(range.end)?);
        if lo == 0 {
            return Err("a duration that starts at 0 would let time stop".to_string());
        }
        Ok(Age { now: 0, first: lo, last: if hi > lo { hi - 1 } else { lo } })
    }
}

/// Everything that belongs to one node.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Node<S, T, D, R> {
    /// `None` while the node is down.
    pub state: Option<Arc<S>>,
    /// The timers that run.
    pub timers: SortedMap<T, Age>,
    /// What was saved last.
    pub storage: Option<Arc<D>>,
    /// What was saved before that.
    pub older: Older<D>,
    /// How often the node has been started, its first start not counted.
    pub incarnation: u32,
    /// Open choices by key.
    pub choices: SortedMap<String, Vec<R>>,
}

/// What a disk held before the last save since the node started.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Older<D> {
    /// It is not kept, because no restart of this system may find an older disk.
    NotKept,
    /// What [`Node::storage`] was before the last save; equal to [`Node::storage`] if nothing has
    /// been saved since the last start.
    Kept(Option<Arc<D>>),
}

/// What a restart finds on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disk {
    /// What was saved last.
    Intact,
    /// Nothing.
    Empty,
    /// What was saved before the last save. The last save was acknowledged, but had not reached the
    /// disk.
    Older,
}

/// A node of the actor `A`.
pub type NodeOf<A> =
    Node<<A as Actor>::State, <A as Actor>::Timer, <A as Actor>::Storage, <A as Actor>::Random>;

impl<S: Clone, T: Ord + Clone, D: Clone + PartialEq, R: Clone> Node<S, T, D, R> {
    /// A node that has never run.
    pub fn new() -> Self {
        Node {
            state: None,
            timers: SortedMap::new(),
            storage: None,
            older: Older::NotKept,
            incarnation: 0,
            choices: SortedMap::new(),
        }
    }

    /// A node that has never run, and that keeps what was on its disk before the last save.
    pub fn with_older_disk() -> Self {
        Node { older: Older::Kept(None), ..Node::new() }
    }

    /// Writes to the disk.
    fn save(&mut self, storage: D) {
        let older = self.storage.replace(Arc::new(storage));
        if self.older != Older::NotKept {
            self.older = Older::Kept(older);
        }
    }

    /// The node, which is down, with its disk as the next start finds it. `None` if the disk cannot
    /// be in that condition, or if it would then be the same as an intact one.
    pub fn found(&self, disk: Disk) -> Option<Self> {
        let mut node = self.crashed();
        node.storage = match (disk, &self.older) {
            (Disk::Intact, _) => self.storage.clone(),
            (Disk::Empty, _) => self.storage.as_ref().and(None),
            (Disk::Older, Older::Kept(older)) => older.clone(),
            (Disk::Older, Older::NotKept) => return None,
        };
        if disk != Disk::Intact && node.storage == self.storage {
            return None;
        }
        // What a start finds on the disk counts as having reached it.
        if self.older != Older::NotKept {
            node.older = Older::Kept(node.storage.clone());
        }
        node.incarnation += 1;
        Some(node)
    }

    /// Whether the node is up.
    pub fn is_up(&self) -> bool {
        self.state.is_some()
    }

    /// The node once it has crashed: only its disk and the count of its starts are left.
    pub fn crashed(&self) -> Self {
        Node {
            state: None,
            timers: SortedMap::new(),
            storage: self.storage.clone(),
            older: self.older.clone(),
            incarnation: self.incarnation,
            choices: SortedMap::new(),
        }
    }

    /// Whether a choice is open that is not client input. No time passes while one is.
    pub fn must_choose(&self) -> bool {
        self.choices.keys().any(|key| key != crate::election::CLIENT)
    }

    /// The node one tick later.
    pub fn aged(&self) -> Self {
        let mut node = self.clone();
        node.timers.values_mut().for_each(|age| age.now += 1);
        node
    }
}

impl<S: Clone, T: Ord + Clone, D: Clone + PartialEq, R: Clone> Default for Node<S, T, D, R> {
    fn default() -> Self {
        Node::new()
    }
}

/// Something that a handler did and that others can see or that survives a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect<M, D> {
    /// A message to a node.
    Send(Id, M),
    /// Something written to the disk.
    Save(D),
}

/// The outcome of one handler.
pub struct Reaction<A: Actor> {
    /// The node afterwards.
    pub node: NodeOf<A>,
    /// The node if it crashes before the first effect.
    pub down: NodeOf<A>,
    /// What it sent and saved, in order.
    pub effects: Vec<Effect<A::Msg, A::Storage>>,
    /// The handler changed nothing and gave no commands; after a timeout it may set the same timer
    /// again. As in stateright, a handler has changed its state if the `Cow` is `Cow::Owned`
    /// afterwards, even if the value is equal.
    pub idle: bool,
    /// A timer with a duration that the clock cannot express, and why.
    pub problem: Option<String>,
}

impl<A: Actor> Reaction<A>
where
    A::Timer: Ord,
{
    /// A crash, which no handler answers.
    pub fn crash(node: &NodeOf<A>) -> Self {
        let down = node.crashed();
        Reaction { node: down.clone(), down, effects: Vec::new(), idle: false, problem: None }
    }

    /// The messages sent, in order.
    pub fn sends(&self) -> Vec<(Id, A::Msg)> {
        sends(&self.effects)
    }

    /// Whether another reaction is the same.
    pub fn is_like(&self, other: &Self) -> bool
    where
        NodeOf<A>: PartialEq,
        Effect<A::Msg, A::Storage>: PartialEq,
    {
        self.node == other.node && self.effects == other.effects && self.idle == other.idle
    }

    /// The node, and the effects that happened, if it crashes after the first `k` of them.
    pub fn torn(&self, k: usize) -> (NodeOf<A>, &[Effect<A::Msg, A::Storage>]) {
        let done = &self.effects[..k];
        let mut node = self.down.clone();
        for effect in done {
            if let Effect::Save(storage) = effect {
                node.save(storage.clone());
            }
        }
        (node, done)
    }
}

/// The messages among `effects`, in order.
pub fn sends<M: Clone, D>(effects: &[Effect<M, D>]) -> Vec<(Id, M)> {
    effects
        .iter()
        .filter_map(|e| match e {
            Effect::Send(dst, msg) => Some((*dst, msg.clone())),
            Effect::Save(_) => None,
        })
        .collect()
}

/// Starts a node that is down, or was never up; `run` is the actor's starting handler.
pub fn start<A: Actor>(
    down: &NodeOf<A>,
    clock: Clock,
    run: impl FnOnce(&Option<A::Storage>, &mut Out<A>) -> A::State,
) -> Reaction<A>
where
    A::Timer: Ord,
{
    let mut out = Out::new();
    let state = run(&down.storage.as_deref().cloned(), &mut out);
    let mut node = down.crashed();
    node.state = Some(Arc::new(state));
    finish(down.crashed(), node, out, clock, false)
}

/// Runs the handler for an event of a node that is up.
///
/// # Panics
/// If the node is down, or the event is not one that a handler answers.
pub fn react<A: Actor>(
    actor: &A,
    id: Id,
    node: &NodeOf<A>,
    event: &Event<'_, A>,
    clock: Clock,
) -> Reaction<A>
where
    A::Timer: Ord,
{
    let before = node.state.as_deref().expect("only a live node reacts");
    let mut state = Cow::Borrowed(before);
    let mut out = Out::new();
    let mut next = node.clone();
    let idle = match event {
        Event::Deliver { src, msg } => {
            actor.on_msg(id, &mut state, *src, (*msg).clone(), &mut out);
            is_no_op(&state, &out)
        }
        Event::Timeout { timer } => {
            actor.on_timeout(id, &mut state, timer, &mut out);
            next.timers.remove(*timer);
            is_no_op_with_timer(&state, &out, timer)
        }
        Event::Choose { key, value } => {
            actor.on_random(id, &mut state, value, &mut out);
            next.choices.remove(*key);
            false
        }
        Event::Start | Event::Crash => panic!("not an event for a handler"),
    };
    if let Cow::Owned(state) = state {
        next.state = Some(Arc::new(state));
    }
    finish(node.crashed(), next, out, clock, idle)
}

fn finish<A: Actor>(
    down: NodeOf<A>,
    mut node: NodeOf<A>,
    out: Out<A>,
    clock: Clock,
    idle: bool,
) -> Reaction<A>
where
    A::Timer: Ord,
{
    let mut effects = Vec::new();
    let mut problem = None;
    for command in out {
        match command {
            Command::Send(dst, msg) => effects.push(Effect::Send(dst, msg)),
            Command::Save(storage) => {
                node.save(storage.clone());
                effects.push(Effect::Save(storage));
            }
            Command::SetTimer(timer, range) => {
                let age = clock.age(&range).unwrap_or_else(|why| {
                    problem.get_or_insert(format!("timer {timer:?} set to {range:?}: {why}"));
                    Age { now: 0, first: 1, last: 1 }
                });
                node.timers.insert(timer, age);
            }
            Command::CancelTimer(timer) => {
                node.timers.remove(&timer);
            }
            Command::ChooseRandom(key, values) if values.is_empty() => {
                node.choices.remove(&key);
            }
            Command::ChooseRandom(key, values) => {
                node.choices.insert(key, values);
            }
        }
    }
    Reaction { node, down, effects, idle, problem }
}
