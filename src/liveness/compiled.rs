//! Ticks of the whole system in numbers.
//!
//! What a node can do in a tick depends on its own state and on what is due to it. There are few of
//! these, although there are many states of the whole system. So nodes and what is due to them get
//! numbers; what each node can do in a tick is found once, by [`endings`], and from then on a tick
//! of the whole system is some look-ups of numbers. `shapes.rs` finds the forms of states, in
//! numbers as well.

use std::sync::Arc;

use stateright::actor::Id;

use super::between::Between;
use super::few::Few;
use super::marks::idle;
use super::numbers::{Known, Rows, Table};
use super::ticks::{Bag, Ending, Endings, Orders, TimeStops, bury, endings};
use crate::election::Election;
use crate::semantics::System;
use crate::semantics::node::NodeOf;
use crate::semantics::topology::Topology;
use crate::support::parallel;

/// A way in which a tick can end at one node.
struct End {
    node: u32,
    /// What it sent to each node.
    flows: Box<[u32]>,
    used: Few,
    chance: f64,
    is_fair: bool,
}

/// The ways in which a tick can end at one node, for each draw of its timers.
type Ends = Vec<Vec<End>>;

/// Nothing sent.
const NOTHING: u32 = 0;

/// Nothing due.
const SILENCE: u32 = 0;

/// A timed system on fixed links, in numbers. A state is a row: a number for each node, then one
/// for what is due to each, then one for what may still fail.
///
/// Many threads take ticks while none adds anything. What a tick needs and is not known yet is
/// [`Missing`]; one thread has it learned before the tick is taken again.
pub(super) struct Compiled<'a, E: Election> {
    system: &'a System<E>,
    links: &'a Topology,
    orders: Orders,
    pub(super) nodes: Table<NodeOf<E>>,
    due: Table<Bag<E>>,
    flows: Table<Vec<E::Msg>>,
    /// There are few of these.
    left: Vec<Few>,
    /// Node, what is due to it, and what may still fail; with which node of the system it is.
    alone: Rows,
    ends: Vec<Result<Ends, TimeStops>>,
    /// A node at the end of a tick, and what each has sent to it; with which node it is.
    arrivals: Rows,
    /// What is due to the node then, without dead messages.
    arrived: Vec<u32>,
}

/// What has not been looked at yet.
pub(super) enum Missing {
    /// What a node can do alone, as a row of [`Compiled::alone`].
    Alone([u32; 4]),
    /// What is due to a node, as a row of [`Compiled::arrivals`].
    Arrival(Box<[u32]>),
    /// What may still fail.
    Left(Few),
}

/// A tick of the whole system, but for its end.
#[derive(Clone, Copy)]
pub(super) struct Passed {
    /// Which timers fired, as a number.
    pub(super) draw: usize,
    /// Whether a fault struck.
    pub(super) has_fault: bool,
    /// As of [`idle`].
    pub(super) idle: u32,
    /// How likely it is: see [`Ending`].
    pub(super) chance: f64,
}

/// A state whose parts have been looked up.
pub(super) struct Parts<E: Election> {
    pub(super) nodes: Vec<Known<NodeOf<E>>>,
    pub(super) due: Vec<Known<Bag<E>>>,
    pub(super) left: Few,
}

impl<'a, E: Election> Compiled<'a, E> {
    pub(super) fn new(system: &'a System<E>, links: &'a Topology, orders: Orders) -> Self {
        let (mut flows, mut due) = (Table::new(), Table::new());
        flows.put(Arc::new(Vec::new()));
        due.put(Arc::new(Bag::<E>::new(system.rules.network)));
        Compiled {
            system,
            links,
            orders,
            nodes: Table::new(),
            due,
            flows,
            left: Vec::new(),
            alone: Rows::new(4),
            ends: Vec::new(),
            arrivals: Rows::new(2 + system.actors.len()),
            arrived: Vec::new(),
        }
    }

    pub(super) fn orders(&self) -> Orders {
        self.orders
    }

    /// How long rows are.
    pub(super) fn width(&self) -> usize {
        2 * self.system.actors.len() + 1
    }

    /// The state with this row.
    pub(super) fn state(&self, row: &[u32]) -> Between<E> {
        self.state_of(row, &self.nodes)
    }

    /// The state with this row, whose nodes have numbers in a table of their own.
    pub(super) fn state_of(&self, row: &[u32], nodes: &Table<NodeOf<E>>) -> Between<E> {
        let n = self.system.actors.len();
        Between {
            nodes: row[..n].iter().map(|number| nodes.get(*number).clone()).collect(),
            due: row[n..2 * n].iter().map(|number| (**self.due.get(*number)).clone()).collect(),
            left: self.left[row[2 * n] as usize],
        }
    }

    /// How many messages are in flight in the state with this row.
    pub(super) fn in_flight(&self, row: &[u32]) -> usize {
        let n = self.system.actors.len();
        row[n..2 * n].iter().map(|number| self.due.get(*number).len()).sum()
    }

    /// Looks up the parts of a state, of which nodes have numbers in this table.
    pub(super) fn find(&self, state: Between<E>, nodes: &Table<NodeOf<E>>) -> Parts<E> {
        let Between { nodes: all, due, left } = state;
        Parts {
            nodes: all.into_iter().map(|node| nodes.find(node)).collect(),
            due: due.into_iter().map(|due| self.due.find(Arc::new(due))).collect(),
            left,
        }
    }

    /// The row of a state all of whose parts are known.
    pub(super) fn row(&self, state: Between<E>) -> Option<Vec<u32>> {
        let Parts { nodes, due, left } = self.find(state, &self.nodes);
        let left = self.left.iter().position(|known| *known == left);
        let parts = nodes.iter().map(Known::number).chain(due.iter().map(Known::number));
        parts.chain([left.map(|number| number as u32)]).collect()
    }

    /// The row of a state, whose parts are added.
    pub(super) fn put(&mut self, state: Between<E>) -> Vec<u32> {
        let Parts { nodes, due, left } = self.find(state, &self.nodes);
        let nodes = nodes.into_iter().map(|known| self.nodes.add(known)).collect();
        self.add(nodes, due, left)
    }

    /// The row of a state with these nodes. Its other parts are added.
    pub(super) fn add(&mut self, nodes: Vec<u32>, due: Vec<Known<Bag<E>>>, left: Few) -> Vec<u32> {
        let mut row = nodes;
        row.extend(due.into_iter().map(|known| self.due.add(known)));
        row.push(number_of(&mut self.left, left));
        row
    }

    /// Every tick from a state, with the row of the state after it, as far as it is known.
    pub(super) fn ticks(
        &self,
        row: &[u32],
        missing: &mut Vec<Missing>,
        mut tick: impl FnMut(Passed, &[u32]),
    ) -> Result<(), TimeStops> {
        let n = self.system.actors.len();
        let mut ends: Vec<&Ends> = Vec::with_capacity(n);
        let mut stops = Ok(());
        for i in 0..n {
            let alone = [i as u32, row[i], row[n + i], row[2 * n]];
            match self.alone.find(&alone).map(|number| &self.ends[number as usize]) {
                Ok(Ok(alone)) => ends.push(alone),
                Ok(Err(stop)) => stops = Err(stop.clone()),
                Err(_) => missing.push(Missing::Alone(alone)),
            }
        }
        if ends.len() == n {
            self.product(row, &ends, missing, &mut tick);
        }
        stops
    }

    fn product(
        &self,
        row: &[u32],
        ends: &[&Ends],
        missing: &mut Vec<Missing>,
        tick: &mut impl FnMut(Passed, &[u32]),
    ) {
        let n = ends.len();
        let left = self.left[row[2 * n] as usize];
        let draws: Vec<usize> = ends.iter().map(|ends| ends.len()).collect();
        let (mut draw, mut after, mut arrival) = (0, vec![0; self.width()], vec![NOTHING; 2 + n]);
        let mut picked: Vec<&End> = Vec::with_capacity(n);
        let mut ways: Vec<&[End]> = Vec::with_capacity(n);
        each_choice(&draws, |drawn| {
            ways.clear();
            ways.extend(ends.iter().zip(drawn).map(|(ends, &d)| &ends[d][..]));
            each_pick(&ways, left, &mut picked, &mut |picked, now| {
                if !now.is_in_order_after(left) {
                    return;
                }
                let is_known = self.end(picked, &mut after, &mut arrival, missing);
                match self.left.iter().position(|known| *known == now) {
                    Some(number) => after[2 * n] = number as u32,
                    None => return missing.push(Missing::Left(now)),
                }
                if !is_known {
                    return;
                }
                let lazy = picked.iter().enumerate().filter(|(_, end)| !end.is_fair);
                let idle = lazy.fold(0, |marks, (i, _)| marks | idle(Id::from(i)));
                let chance = picked.iter().map(|end| end.chance).product();
                tick(Passed { draw, has_fault: now != left, idle, chance }, &after);
            });
            draw += 1;
        });
    }

    /// The nodes at the end of a tick, and what is due to them then; whether all of that is known.
    fn end(
        &self,
        ends: &[&End],
        after: &mut [u32],
        arrival: &mut [u32],
        missing: &mut Vec<Missing>,
    ) -> bool {
        let (n, mut is_known) = (ends.len(), true);
        for (dst, end) in ends.iter().enumerate() {
            after[dst] = end.node;
            (arrival[0], arrival[1]) = (dst as u32, end.node);
            for (src, end) in ends.iter().enumerate() {
                let flow = end.flows[dst];
                let arrives = flow != NOTHING && self.links.is_up(Id::from(src), Id::from(dst));
                arrival[2 + src] = if arrives { flow } else { NOTHING };
            }
            if arrival[2..].iter().all(|flow| *flow == NOTHING) {
                after[n + dst] = SILENCE;
                continue;
            }
            match self.arrivals.find(arrival) {
                Ok(number) => after[n + dst] = self.arrived[number as usize],
                Err(_) => {
                    missing.push(Missing::Arrival(Box::from(&*arrival)));
                    is_known = false;
                }
            }
        }
        is_known
    }

    /// Looks at what is missing. All threads find out what it is; numbers are given in the order in
    /// which it is listed, so they do not depend on the threads.
    pub(super) fn learn(&mut self, missing: impl IntoIterator<Item = Missing>) {
        for missing in missing {
            match missing {
                Missing::Alone(row) => self.alone.put(&row),
                Missing::Arrival(row) => self.arrivals.put(&row),
                Missing::Left(left) => number_of(&mut self.left, left),
            };
        }
        let known = self.ends.len();
        let found = parallel::map(self.alone.len() - known, |new| self.endings(known + new));
        for endings in found {
            let ends =
                endings.map(|draws| draws.into_iter().map(|ends| self.numbered(ends)).collect());
            self.ends.push(ends);
        }
        let known = self.arrived.len();
        let found = parallel::map(self.arrivals.len() - known, |new| self.arrive(known + new));
        for due in found {
            let due = self.due.add(due);
            self.arrived.push(due);
        }
    }

    /// What a node can do alone in the tick that begins.
    fn endings(&self, number: usize) -> Result<Endings<E>, TimeStops> {
        let &[i, node, due, left] = self.alone.get(number as u32) else { return Err(TimeStops) };
        let left = self.left[left as usize];
        let id = Id::from(i as usize);
        endings(self.system, id, self.nodes.get(node), self.due.get(due), left, self.orders)
    }

    fn numbered(&mut self, endings: Vec<Ending<E>>) -> Vec<End> {
        let numbered = |Ending { node, sent, used, chance, is_fair, .. }: Ending<E>| {
            let mut flows = vec![Vec::new(); self.system.actors.len()];
            for (dst, msg) in sent.iter() {
                if let Some(flow) = flows.get_mut(usize::from(dst)) {
                    flow.push(msg.clone());
                }
            }
            let flows = flows.into_iter().map(|flow| self.flows.put(Arc::new(flow))).collect();
            End { node: self.nodes.put(node), flows, used, chance, is_fair }
        };
        endings.into_iter().map(numbered).collect()
    }

    fn arrive(&self, number: usize) -> Known<Bag<E>> {
        let arrival = self.arrivals.get(number as u32);
        let mut due = Bag::<E>::new(self.system.rules.network);
        for (src, flow) in arrival[2..].iter().enumerate() {
            self.flows.get(*flow).iter().for_each(|msg| due.put(Id::from(src), msg.clone()));
        }
        bury(self.system, Id::from(arrival[0] as usize), self.nodes.get(arrival[1]), &mut due);
        self.due.find(Arc::new(due))
    }
}

/// The position of a value among others, to which it is added if it is not there.
fn number_of(all: &mut Vec<Few>, value: Few) -> u32 {
    let known = all.iter().position(|known| *known == value);
    let number = known.unwrap_or_else(|| {
        all.push(value);
        all.len() - 1
    });
    number as u32
}

/// All ways for the whole system, one for each node, as far as what may fail is enough for them
/// together; with what may fail after that.
fn each_pick<'e>(
    ways: &[&'e [End]],
    left: Few,
    picked: &mut Vec<&'e End>,
    pick: &mut impl FnMut(&[&'e End], Few),
) {
    let Some(mine) = ways.get(picked.len()) else { return pick(picked, left) };
    for end in *mine {
        if let Some(left) = left.without(end.used) {
            picked.push(end);
            each_pick(ways, left, picked, pick);
            picked.pop();
        }
    }
}

/// All choices of one number below each of these, the first number changing fastest.
fn each_choice(sizes: &[usize], mut choose: impl FnMut(&[usize])) {
    let mut choice = vec![0; sizes.len()];
    if sizes.contains(&0) {
        return;
    }
    loop {
        choose(&choice);
        let next = (0..sizes.len()).find(|&at| choice[at] + 1 < sizes[at]);
        let Some(next) = next else { return };
        choice[..next].fill(0);
        choice[next] += 1;
    }
}
