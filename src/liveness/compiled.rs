//! Ticks of the whole system in numbers.
//!
//! What a node can do in a tick depends on its own state and on what is due to it. There are few of
//! these, although there are many states of the whole system. So nodes and what is due to them get
//! numbers; what each node can do in a tick is found once, by [`endings`], and from then on a tick
//! of the whole system is some look-ups of numbers. Values are looked at again only where a new
//! state of the whole system gets its form.

use std::sync::Arc;

use stateright::actor::Id;

use super::between::Between;
use super::few::Few;
use super::marks::idle;
use super::numbers::{Known, Rows, Table};
use super::ticks::{Bag, Ending, Orders, TimeStops, bury, endings};
use crate::election::Election;
use crate::semantics::System;
use crate::semantics::node::NodeOf;
use crate::semantics::topology::Topology;

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

/// A timed system on fixed links, in numbers. A state is a row: a number for each node, then one
/// for what is due to each, then one for what may still fail.
pub(super) struct Compiled<'a, E: Election> {
    system: &'a System<E>,
    links: &'a Topology,
    orders: Orders,
    nodes: Table<NodeOf<E>>,
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
    /// The row of an arrival that is looked up.
    arrival: Vec<u32>,
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
    nodes: Vec<Known<NodeOf<E>>>,
    due: Vec<Known<Bag<E>>>,
    left: Few,
}

impl<'a, E: Election> Compiled<'a, E> {
    pub(super) fn new(system: &'a System<E>, links: &'a Topology, orders: Orders) -> Self {
        let mut flows = Table::new();
        flows.put(Arc::new(Vec::new()));
        Compiled {
            system,
            links,
            orders,
            nodes: Table::new(),
            due: Table::new(),
            flows,
            left: Vec::new(),
            alone: Rows::new(4),
            ends: Vec::new(),
            arrivals: Rows::new(2 + system.actors.len()),
            arrived: Vec::new(),
            arrival: Vec::new(),
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
        let n = self.system.actors.len();
        Between {
            nodes: row[..n].iter().map(|number| self.nodes.get(*number).clone()).collect(),
            due: row[n..2 * n].iter().map(|number| (**self.due.get(*number)).clone()).collect(),
            left: self.left[row[2 * n] as usize],
        }
    }

    /// How many messages are in flight in the state with this row.
    pub(super) fn in_flight(&self, row: &[u32]) -> usize {
        let n = self.system.actors.len();
        row[n..2 * n].iter().map(|number| self.due.get(*number).len()).sum()
    }

    /// Looks up the parts of a state.
    pub(super) fn find(&self, state: Between<E>) -> Parts<E> {
        let Between { nodes, due, left } = state;
        Parts {
            nodes: nodes.into_iter().map(|node| self.nodes.find(node)).collect(),
            due: due.into_iter().map(|due| self.due.find(Arc::new(due))).collect(),
            left,
        }
    }

    /// The row of a state all of whose parts are known.
    pub(super) fn row(&self, state: &Parts<E>) -> Option<Vec<u32>> {
        let nodes = state.nodes.iter().map(Known::number);
        let due = state.due.iter().map(Known::number);
        let left = self.left.iter().position(|known| *known == state.left);
        nodes.chain(due).chain([left.map(|number| number as u32)]).collect()
    }

    /// The row of a state, whose parts are added.
    pub(super) fn add(&mut self, state: Parts<E>) -> Vec<u32> {
        let nodes = state.nodes.into_iter().map(|known| self.nodes.add(known));
        let due = state.due.into_iter().map(|known| self.due.add(known));
        let mut row: Vec<u32> = nodes.chain(due).collect();
        row.push(number_of(&mut self.left, state.left));
        row
    }

    /// Every tick from a state, with the row of the state after it.
    pub(super) fn ticks(
        &mut self,
        row: &[u32],
        mut tick: impl FnMut(Passed, &[u32]),
    ) -> Result<(), TimeStops> {
        let n = self.system.actors.len();
        let alone: Vec<u32> = (0..n).map(|i| self.alone(row, i)).collect();
        // Taken out, as a tick adds to other tables.
        let known = std::mem::take(&mut self.ends);
        let ends: Result<Vec<&Ends>, &TimeStops> =
            alone.iter().map(|number| known[*number as usize].as_ref()).collect();
        let stops = match ends {
            Ok(ends) => {
                self.product(row, &ends, &mut tick);
                Ok(())
            }
            Err(stops) => Err(stops.clone()),
        };
        self.ends = known;
        stops
    }

    fn product(&mut self, row: &[u32], ends: &[&Ends], tick: &mut impl FnMut(Passed, &[u32])) {
        let n = ends.len();
        let left = self.left[row[2 * n] as usize];
        let draws: Vec<usize> = ends.iter().map(|ends| ends.len()).collect();
        let (mut draw, mut after) = (0, vec![0; self.width()]);
        let mut picked: Vec<&End> = Vec::with_capacity(n);
        each_choice(&draws, |drawn| {
            let ways = ends.iter().zip(drawn).map(|(ends, &d)| &ends[d][..]);
            let ways: Vec<&[End]> = ways.collect();
            each_pick(&ways, left, &mut picked, &mut |picked, now| {
                if !now.is_in_order_after(left) {
                    return;
                }
                self.end(picked, &mut after);
                after[2 * n] = number_of(&mut self.left, now);
                let lazy = picked.iter().enumerate().filter(|(_, end)| !end.is_fair);
                let idle = lazy.fold(0, |marks, (i, _)| marks | idle(Id::from(i)));
                let chance = picked.iter().map(|end| end.chance).product();
                tick(Passed { draw, has_fault: now != left, idle, chance }, &after);
            });
            draw += 1;
        });
    }

    /// The number of what a node can do alone in the tick that begins.
    fn alone(&mut self, row: &[u32], i: usize) -> u32 {
        let n = self.system.actors.len();
        let number = self.alone.put(&[i as u32, row[i], row[n + i], row[2 * n]]);
        if number as usize == self.ends.len() {
            let (node, due) = (self.nodes.get(row[i]).clone(), self.due.get(row[n + i]).clone());
            let left = self.left[row[2 * n] as usize];
            let ends = endings(self.system, Id::from(i), &node, &due, left, self.orders);
            let ends =
                ends.map(|draws| draws.into_iter().map(|ends| self.numbered(ends)).collect());
            self.ends.push(ends);
        }
        number
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

    /// The nodes at the end of a tick, and what is due to them then.
    fn end(&mut self, ends: &[&End], after: &mut [u32]) {
        let n = ends.len();
        let mut arrival = std::mem::take(&mut self.arrival);
        arrival.resize(2 + n, NOTHING);
        for (dst, end) in ends.iter().enumerate() {
            after[dst] = end.node;
            (arrival[0], arrival[1]) = (dst as u32, end.node);
            for (src, end) in ends.iter().enumerate() {
                let is_up = self.links.is_up(Id::from(src), Id::from(dst));
                arrival[2 + src] = if is_up { end.flows[dst] } else { NOTHING };
            }
            let number = self.arrivals.put(&arrival) as usize;
            if number == self.arrived.len() {
                let due = self.arrive(Id::from(dst), end.node, &arrival[2..]);
                self.arrived.push(due);
            }
            after[n + dst] = self.arrived[number];
        }
        self.arrival = arrival;
    }

    fn arrive(&mut self, dst: Id, node: u32, flows: &[u32]) -> u32 {
        let mut due = Bag::<E>::new(self.system.rules.network);
        for (src, flow) in flows.iter().enumerate() {
            self.flows.get(*flow).iter().for_each(|msg| due.put(Id::from(src), msg.clone()));
        }
        bury(self.system, dst, self.nodes.get(node), &mut due);
        self.due.put(Arc::new(due))
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
