//! What one node can do within one tick.
//!
//! Where a message takes a tick, all that can reach a node in this tick is on its way when the tick
//! begins: nodes cannot influence each other within it. So each node is looked at alone, with its
//! timers and with the messages that are due, in every order, or, on an ordered network, in every
//! one that keeps the order of each sender; what the whole system can do in a
//! tick is then the product of what its nodes can do. The states between the ticks are exactly
//! those of all interleavings.
//!
//! Where no time is kept, the same is done round by round: in a round each message is delivered
//! that was in flight when the round began, and at each node either all timers fire that ran then,
//! or none. Every such run is a run of the asynchronous system; but not every run is such a one.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use stateright::actor::Id;

use super::bag::Messages;
use super::few::Few;
use crate::election::{Age, CLIENT, Election, Event};
use crate::semantics::node::{Clock, Disk, Effect, NodeOf, Reaction};
use crate::semantics::{Step, StepOf, System};
use crate::support::sorted::SortedSet;

/// Messages of a protocol between one node and others.
pub(super) type Bag<E> = Messages<<E as stateright::actor::Actor>::Msg>;

/// A way in which a tick can end at one node.
pub(super) struct Ending<E: Election> {
    /// The node when the next tick begins.
    pub(super) node: Arc<NodeOf<E>>,
    /// What it has sent, by receiver.
    pub(super) sent: Bag<E>,
    /// What the environment did to it.
    pub(super) used: Few,
    /// How likely it is, if timers and the order of delivery are random, and nothing fails: each
    /// timer fires at one of the ages that its limits allow, all equally likely, and all that is
    /// due in a tick comes in an order of which all are equally likely, each copy counted.
    pub(super) chance: f64,
    /// The steps that it took.
    pub(super) steps: Vec<StepOf<E>>,
    /// Whether each timer that ran when the tick began has fired, or runs no longer.
    pub(super) is_fair: bool,
}

/// The endings of a tick at one node, for each draw of the timers that fire.
pub(super) type Endings<E> = Vec<Vec<Ending<E>>>;

/// In which orders things happen at a node within a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orders {
    /// In every order that is possible.
    All,
    /// In one: first the messages, sender by sender, then the timers that fire. These are fewer
    /// runs, so longer ones can be followed.
    One,
}

/// The node takes steps for ever, and no time passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TimeStops;

/// Everything that can happen at a node within a tick.
pub(super) fn endings<E: Election>(
    system: &System<E>,
    id: Id,
    node: &Arc<NodeOf<E>>,
    due: &Bag<E>,
    left: Few,
    orders: Orders,
) -> Result<Endings<E>, TimeStops> {
    let is_timed = system.rules.clock != Clock::Absent;
    let draws = if is_timed { draws_by_age::<E>(node) } else { none_or_all::<E>(node) };
    let begun = if is_timed { node.clone() } else { with_old_timers::<E>(node) };
    let all = draws.into_iter().map(|draw| {
        let chance = if is_timed { chance::<E>(node, &draw) } else { 0.0 };
        let sent = Bag::<E>::new(system.rules.network);
        let start = Within { node: begun.clone(), due: due.clone(), sent, left };
        let mut endings = Search { system, id, draw, left, orders }.from(start)?;
        endings.iter_mut().for_each(|ending| ending.chance *= chance);
        if !is_timed {
            endings.iter_mut().for_each(|ending| end_round(ending, id, node));
        }
        Ok(endings)
    });
    all.collect()
}

/// Each set of timers that may fire together: those at their last age must.
fn draws_by_age<E: Election>(node: &NodeOf<E>) -> Vec<SortedSet<E::Timer>> {
    let may_fire = |last: bool| {
        let timers = node.timers.iter();
        timers.filter(move |(_, age)| age.now >= age.first && (age.now >= age.last) == last)
    };
    let must: SortedSet<E::Timer> = may_fire(true).map(|(timer, _)| timer.clone()).collect();
    let mut draws = vec![must];
    for (timer, _) in may_fire(false) {
        let fires = |draw: &SortedSet<E::Timer>| {
            let mut draw = draw.clone();
            draw.insert(timer.clone());
            draw
        };
        let with: Vec<_> = draws.iter().map(fires).collect();
        draws.extend(with);
    }
    draws
}

/// How likely it is that just these timers fire.
fn chance<E: Election>(node: &NodeOf<E>, draw: &SortedSet<E::Timer>) -> f64 {
    let may_fire = node.timers.iter().filter(|(_, age)| age.now >= age.first);
    let chance = |(timer, age): (&E::Timer, &Age)| {
        let fires = 1.0 / f64::from(age.last.saturating_sub(age.now) + 1);
        if draw.contains(timer) { fires } else { 1.0 - fires }
    };
    may_fire.map(chance).product()
}

/// Without time: no timer, or, if there are any, all.
fn none_or_all<E: Election>(node: &NodeOf<E>) -> Vec<SortedSet<E::Timer>> {
    let all: SortedSet<E::Timer> = node.timers.keys().cloned().collect();
    let none = SortedSet::new();
    if all.is_empty() { vec![none] } else { vec![none, all] }
}

/// A timer that ran when the round began. One that is set within it has the default age.
const OLD: Age = Age { now: 1, first: 1, last: 1 };

/// The node when a round begins.
fn with_old_timers<E: Election>(node: &NodeOf<E>) -> Arc<NodeOf<E>> {
    let mut old = node.clone();
    old.timers.values_mut().for_each(|age| *age = OLD);
    Arc::new(old)
}

/// Sees whether a round that began with this node is fair to its timers, and forgets which of them
/// are new.
fn end_round<E: Election>(ending: &mut Ending<E>, id: Id, begun: &NodeOf<E>) {
    let may_go_on = |timer: &E::Timer| {
        let fires = Step::Timeout { node: id, timer: timer.clone() };
        ending.steps.contains(&fires) || !ending.node.timers.contains_key(timer)
    };
    ending.is_fair = begun.timers.keys().all(may_go_on);
    let node = Arc::make_mut(&mut ending.node);
    node.timers.values_mut().for_each(|age| *age = Age::default());
}

/// A node within a tick.
struct Within<E: Election> {
    node: Arc<NodeOf<E>>,
    due: Bag<E>,
    sent: Bag<E>,
    left: Few,
}

impl<E: Election> Clone for Within<E> {
    fn clone(&self) -> Self {
        Within {
            node: self.node.clone(),
            due: self.due.clone(),
            sent: self.sent.clone(),
            left: self.left,
        }
    }
}

impl<E: Election> PartialEq for Within<E> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
            && self.due == other.due
            && self.sent == other.sent
            && self.left == other.left
    }
}

impl<E: Election> Eq for Within<E> {}

impl<E: Election> Hash for Within<E> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.node.hash(hasher);
        self.due.hash(hasher);
        self.sent.hash(hasher);
        self.left.hash(hasher);
    }
}

/// All orders of what happens at a node, given which of its timers fire.
struct Search<'a, E: Election> {
    system: &'a System<E>,
    id: Id,
    /// The timers that fire unless they are set anew before.
    draw: SortedSet<E::Timer>,
    /// What the environment may do in this tick.
    left: Few,
    orders: Orders,
}

impl<E: Election> Search<'_, E> {
    fn from(&self, start: Within<E>) -> Result<Vec<Ending<E>>, TimeStops> {
        let mut numbers = HashMap::from([(start.clone(), 0)]);
        let mut all: Vec<(Within<E>, Option<(usize, StepOf<E>)>)> = vec![(start, None)];
        let (mut edges, mut at) = (Vec::new(), 0);
        while at < all.len() {
            let here = all[at].0.clone();
            for (step, next, weight) in self.steps(&here) {
                let number = *numbers.entry(next.clone()).or_insert(all.len());
                if number == all.len() {
                    all.push((next, Some((at, step))));
                }
                edges.push((at, number, weight));
            }
            at += 1;
        }
        let chances = chances(all.len(), &edges).ok_or(TimeStops)?;
        let mut endings: Vec<Ending<E>> = Vec::new();
        for at in 0..all.len() {
            if self.may_end(&all[at].0) {
                let Within { node, sent, left, .. } = &all[at].0;
                let used = self.left.without(*left).unwrap_or_default();
                let (node, sent) = (Arc::new(node.aged()), sent.clone());
                let is_like = |e: &Ending<E>| e.node == node && e.sent == sent && e.used == used;
                match endings.iter_mut().find(|ending| is_like(ending)) {
                    Some(known) => known.chance += chances[at],
                    None => {
                        let (steps, chance) = (path(&all, at), chances[at]);
                        endings.push(Ending { node, sent, used, chance, steps, is_fair: true });
                    }
                }
            }
        }
        Ok(endings)
    }

    /// Whether a timer fires that has not been set anew.
    fn fires(&self, node: &NodeOf<E>, timer: &E::Timer) -> bool {
        let is_due = |age: &Age| match self.system.rules.clock {
            Clock::Absent => age.now >= OLD.now,
            Clock::Ticks(_) => age.now >= age.first,
        };
        self.draw.contains(timer) && node.timers.get(timer).is_some_and(is_due)
    }

    /// Time may pass when nothing is due. What is due to a node that is down is lost.
    fn may_end(&self, Within { node, due, .. }: &Within<E>) -> bool {
        !node.is_up()
            || due.is_empty()
                && !node.must_choose()
                && !node.timers.keys().any(|timer| self.fires(node, timer))
    }

    /// The steps that can be taken, each with what comes after it, and with its weight: how likely
    /// it is, compared with the others. Messages that have died are taken out, as in every state.
    fn steps(&self, here: &Within<E>) -> Vec<(StepOf<E>, Within<E>, f64)> {
        let mut all = self.possible(here);
        if self.orders == Orders::One {
            keep_first(&mut all);
        }
        for (_, next, _) in &mut all {
            bury(self.system, self.id, &next.node, &mut next.due);
        }
        all
    }

    fn possible(&self, here: &Within<E>) -> Vec<(StepOf<E>, Within<E>, f64)> {
        let (id, node) = (self.id, &here.node);
        let mut all = Vec::new();
        if !node.is_up() {
            let found = (here.left.restarts > 0).then(|| node.found(Disk::Intact)).flatten();
            if let Some(found) = found {
                let step = Step::Restart { node: id, disk: Disk::Intact };
                let mut next = here.after(self.system.start_node(id, &found));
                next.left.restarts -= 1;
                all.push((step, next, 0.0));
            }
            return all;
        }
        for (at, src, msg) in here.due.heads() {
            let event = Event::Deliver { src, msg };
            let mut next = here.after(self.system.react(id, node, &event));
            next.due.remove(at);
            let weight = here.due.waiting(at) as f64;
            all.push((Step::Deliver { src, dst: id, msg: msg.clone() }, next, weight));
        }
        for timer in node.timers.keys().filter(|timer| self.fires(node, timer)) {
            let next = here.after(self.system.react(id, node, &Event::Timeout { timer }));
            all.push((Step::Timeout { node: id, timer: timer.clone() }, next, 1.0));
        }
        for (key, values) in &node.choices {
            if key == CLIENT {
                self.client_input(here, values, &mut all);
                continue;
            }
            for value in values {
                let next = here.after(self.system.react(id, node, &Event::Choose { key, value }));
                let step = Step::Choose { node: id, key: key.clone(), value: value.clone() };
                all.push((step, next, 1.0 / values.len() as f64));
            }
        }
        if here.left.crashes > 0 {
            let mut next = Within { node: Arc::new(node.crashed()), ..here.clone() };
            next.left.crashes -= 1;
            all.push((Step::Crash { node: id }, next, 0.0));
        }
        if here.left.losses > 0 {
            for (at, src, msg) in here.due.distinct() {
                let mut next = here.clone();
                next.due.remove(at);
                next.left.losses -= 1;
                all.push((Step::Lose { src, dst: id, msg: msg.clone() }, next, 0.0));
            }
        }
        all
    }

    /// The inputs that a client may hand in. Others of a lower number may go to other nodes in the
    /// same tick, so it need not be the next one.
    fn client_input(
        &self,
        here: &Within<E>,
        values: &[E::Random],
        all: &mut Vec<(StepOf<E>, Within<E>, f64)>,
    ) {
        let id = self.id;
        let taken = self.left.inputs.without(here.left.inputs).unwrap_or_default();
        for number in here.left.inputs.above(taken) {
            let is_it = |value: &&E::Random| E::input_number(value).is_none_or(|n| n == number);
            for value in values.iter().filter(is_it) {
                let event = Event::Choose { key: CLIENT, value };
                let mut next = here.after(self.system.react(id, &here.node, &event));
                next.left.inputs = here.left.inputs.but(number);
                let step = Step::Choose { node: id, key: CLIENT.to_string(), value: value.clone() };
                all.push((step, next, 0.0));
            }
        }
    }
}

impl<E: Election> Within<E> {
    /// The node after one of its handlers has run.
    fn after(&self, reaction: Reaction<E>) -> Self {
        let mut next = Within { node: Arc::new(reaction.node), ..self.clone() };
        for effect in reaction.effects {
            if let Effect::Send(dst, msg) = effect {
                next.sent.put(dst, msg);
            }
        }
        next
    }
}

/// Of the messages and timers only the first comes next; what chance and the environment may do
/// stays open.
fn keep_first<E: Election>(steps: &mut Vec<(StepOf<E>, Within<E>, f64)>) {
    let mut is_first = true;
    steps.retain(|(step, ..)| match step {
        Step::Deliver { .. } | Step::Timeout { .. } => std::mem::take(&mut is_first),
        _ => true,
    });
}

/// Takes out what can never again have an effect on its receiver.
pub(super) fn bury<E: Election>(system: &System<E>, dst: Id, node: &NodeOf<E>, due: &mut Bag<E>) {
    if let (true, Some(state)) = (system.removes_dead(), node.state.as_deref()) {
        let actor = &system.actors[usize::from(dst)];
        due.retain(|src, msg| !actor.is_dead(dst, state, src, msg));
    }
}

/// The steps to one of these states.
fn path<E: Election>(
    all: &[(Within<E>, Option<(usize, StepOf<E>)>)],
    mut at: usize,
) -> Vec<StepOf<E>> {
    let mut steps = Vec::new();
    while let Some((before, step)) = &all[at].1 {
        steps.push(step.clone());
        at = *before;
    }
    steps.reverse();
    steps
}

/// How likely it is to come through each of so many states, from the first one, by these edges with
/// their weights; `None` if they form a cycle.
fn chances(states: usize, edges: &[(usize, usize, f64)]) -> Option<Vec<f64>> {
    let (mut open, mut total) = (vec![0; states], vec![0.0; states]);
    let mut after = vec![Vec::new(); states];
    for &(from, to, weight) in edges {
        open[to] += 1;
        total[from] += weight;
        after[from].push((to, weight));
    }
    let mut chances = vec![0.0; states];
    chances[0] = 1.0;
    let mut free: Vec<usize> = (0..states).filter(|&state| open[state] == 0).collect();
    let mut done = 0;
    while let Some(state) = free.pop() {
        done += 1;
        for &(to, weight) in &after[state] {
            if weight > 0.0 {
                chances[to] += chances[state] * weight / total[state];
            }
            open[to] -= 1;
            if open[to] == 0 {
                free.push(to);
            }
        }
    }
    (done == states).then_some(chances)
}
