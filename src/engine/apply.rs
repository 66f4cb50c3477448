//! A step of a row taken whole: the state after it, in full. Slower than a glance, and it knows every network and every
//! kind of step; the search needs it for what a glance cannot tell, and whoever tells a run.

use super::expand::{Code, LocalStep, Move, Taken};
use super::row::{Cell, Look, Row};
use super::tables::*;
use crate::network::NetworkKind;
use crate::system::Bound;

/// Notes misses, and yields `None` for them.
macro_rules! known {
    ($memo:expr, $a:expr, $b:expr, $misses:expr, $miss:ident) => {
        match $memo.get($a, $b) {
            UNKNOWN => {
                $misses.push(Miss::$miss($a, $b));
                return Taken::Unknown;
            }
            id => id,
        }
    };
}

impl Tables {
    /// The state after a step, in `out`.
    pub fn apply(&self, row: &impl Look, code: Code, out: &mut Row, misses: &mut Vec<Miss>) -> Taken {
        let world = &self.worlds[row.world() as usize];
        out.copy_from(row);
        match code.unpack() {
            Move::Deliver { .. } | Move::Own { .. } => match self.local_step(row, code, misses) {
                Some(step) => self.local(step, out, misses),
                None => Taken::Unknown,
            },
            Move::Lose { at, within } => {
                if self.shape.network == NetworkKind::Ordered {
                    if self.take_from_flow(out, at, within as u32, misses) == Taken::Unknown {
                        return Taken::Unknown;
                    }
                } else {
                    self.take_out(out, at);
                }
                self.global(row, event::LOSE, kind::LOSE, out, misses)
            }
            Move::Duplicate { at } => {
                let message = row.at(at);
                out.net.push(message);
                out.sum = out.sum.wrapping_add(self.messages[message as usize].share);
                self.global(row, event::DUPLICATE, kind::DUPLICATE, out, misses)
            }
            Move::Switch { topology } => {
                self.global(row, event::SWITCH - u32::from(topology), kind::SWITCH, out, misses)
            }
            Move::Stabilise { mut combination } => {
                match self.is_quorum_left(row, world, misses) {
                    Some(true) => {}
                    Some(false) => return Taken::No,
                    None => return Taken::Unknown,
                }
                for node in 0..row.nodes() {
                    let own =
                        self.locals[row.local(node) as usize].own.as_ref().expect("own steps are known");
                    let ages = &own.stabilised;
                    self.replace(out, node, ages[combination % ages.len()]);
                    combination /= ages.len();
                }
                self.global(row, event::STABILISE, kind::STABILISE, out, misses)
            }
            Move::Tick => {
                if !self.can_tick(row) {
                    return Taken::No;
                }
                for node in 0..row.nodes() {
                    let own =
                        self.locals[row.local(node) as usize].own.as_ref().expect("own steps are known");
                    self.replace(out, node, own.aged);
                }
                // Nothing was deliverable, so everything in flight is lost.
                for id in row.net() {
                    let share = match self.shape.network {
                        NetworkKind::Ordered => self.flows[id.id() as usize].share,
                        _ => self.messages[id.id() as usize].share,
                    };
                    out.sum = out.sum.wrapping_sub(share);
                }
                out.net.clear();
                self.judge(out, kind::TICK)
            }
        }
    }

    #[inline]
    pub fn local(&self, step: LocalStep, out: &mut Row, misses: &mut Vec<Miss>) -> Taken {
        let outcome = &self.outcomes[step.outcome as usize];
        match self.world_after(out.world, step, misses) {
            None => return Taken::Unknown,
            Some(world) => self.enter(out, world),
        }
        if let Some(at) = step.delivers {
            match self.shape.network {
                NetworkKind::Unordered => self.take_out(out, at),
                NetworkKind::Duplicating => {}
                NetworkKind::Ordered => {
                    if self.take_from_flow(out, at, 0, misses) == Taken::Unknown {
                        return Taken::Unknown;
                    }
                }
            }
        }
        self.replace(out, step.node, outcome.after);
        let old = out.net.len();
        for &message in self.sends_of(outcome) {
            if self.send(out, message, misses) == Taken::Unknown {
                return Taken::Unknown;
            }
        }
        if outcome.flags & flag::BEYOND != 0 {
            return Taken::Beyond(Bound::MaxTerm, outcome.kind);
        }
        if self.shape.removes_dead && self.bury(out, step.node, old, misses) == Taken::Unknown {
            return Taken::Unknown;
        }
        self.judge(out, outcome.kind)
    }

    /// A step that happens at no node.
    fn global(&self, row: &impl Look, event: u32, kind: u16, out: &mut Row, misses: &mut Vec<Miss>) -> Taken {
        let world = known!(self.world_after, row.world(), event, misses, World);
        self.enter(out, world);
        self.judge(out, kind)
    }

    /// Whether the state in `out` is within the bounds on the network.
    #[inline]
    fn judge(&self, out: &Row, kind: u16) -> Taken {
        let bounds = &self.shape.bounds;
        if let Some(max) = bounds.max_in_flight
            && self.in_flight(out) > max
        {
            return Taken::Beyond(Bound::MaxInFlight, kind);
        }
        if let Some(max) = bounds.max_copies
            && self.most_copies(out) > max
        {
            return Taken::Beyond(Bound::MaxCopies, kind);
        }
        Taken::Step(kind)
    }

    pub fn in_flight(&self, row: &Row) -> usize {
        match self.shape.network {
            NetworkKind::Ordered => row.net.iter().map(|&f| self.flows[f as usize].messages.len()).sum(),
            _ => row.net.len(),
        }
    }

    fn most_copies(&self, row: &Row) -> usize {
        let most =
            |ids: &[u32]| ids.iter().map(|id| ids.iter().filter(|o| *o == id).count()).max().unwrap_or(0);
        match self.shape.network {
            NetworkKind::Ordered => {
                row.net.iter().map(|&f| most(&self.flows[f as usize].messages)).max().unwrap_or(0)
            }
            _ => most(&row.net),
        }
    }

    #[inline]
    fn enter(&self, out: &mut Row, world: WorldId) {
        if world != out.world {
            let shares = (self.worlds[world as usize].share, self.worlds[out.world as usize].share);
            out.sum = out.sum.wrapping_add(shares.0).wrapping_sub(shares.1);
            out.world = world;
        }
    }

    #[inline]
    fn replace(&self, out: &mut Row, node: usize, local: Local) {
        let before = &mut out.locals[node & 15];
        let shares = (self.locals[local as usize].share, self.locals[*before as usize].share);
        out.sum = out.sum.wrapping_add(shares.0).wrapping_sub(shares.1);
        *before = local;
    }

    #[inline]
    fn take_out(&self, out: &mut Row, at: usize) {
        let message = out.net.swap_remove(at);
        out.sum = out.sum.wrapping_sub(self.messages[message as usize].share);
    }

    /// Takes the message at position `within` out of the flow at position `at`.
    fn take_from_flow(&self, out: &mut Row, at: usize, within: u32, misses: &mut Vec<Miss>) -> Taken {
        let flow = out.net[at];
        let rest = known!(self.removed, flow, within, misses, Remove);
        out.sum = out.sum.wrapping_sub(self.flows[flow as usize].share);
        if rest == NOTHING {
            out.net.swap_remove(at);
        } else {
            out.net[at] = rest;
            out.sum = out.sum.wrapping_add(self.flows[rest as usize].share);
        }
        Taken::No
    }

    #[inline]
    fn send(&self, out: &mut Row, message: Message, misses: &mut Vec<Miss>) -> Taken {
        let info = &self.messages[message as usize];
        match self.shape.network {
            NetworkKind::Unordered => {
                out.net.push(message);
                out.sum = out.sum.wrapping_add(info.share);
            }
            NetworkKind::Duplicating => {
                if !out.net.contains(&message) {
                    out.net.push(message);
                    out.sum = out.sum.wrapping_add(info.share);
                }
            }
            NetworkKind::Ordered => {
                let is_flow = |&f: &u32| self.flows[f as usize].link == info.link;
                let at = out.net.iter().position(is_flow);
                let flow = at.map_or(NOTHING, |at| out.net[at]);
                let longer = known!(self.pushed, flow, message, misses, Push);
                out.sum = out.sum.wrapping_add(self.flows[longer as usize].share);
                match at {
                    Some(at) => {
                        out.sum = out.sum.wrapping_sub(self.flows[flow as usize].share);
                        out.net[at] = longer;
                    }
                    None => out.net.push(longer),
                }
            }
        }
        Taken::No
    }

    /// Removes the messages that died with this step: those to the node that changed, and those just sent.
    fn bury(&self, out: &mut Row, node: usize, old: usize, misses: &mut Vec<Miss>) -> Taken {
        if self.shape.network == NetworkKind::Ordered {
            return self.bury_in_flows(out, misses);
        }
        // Backwards, so that what takes the place of a dead message has been looked at already.
        for at in (0..out.net.len()).rev() {
            let message = out.net[at];
            let dst = self.messages[message as usize].dst;
            if (usize::from(dst) == node || at >= old) && dst != NO_NODE {
                let local = out.locals[usize::from(dst) & 15];
                if !self.alive.get(local, self.spots[message as usize].ordinal())
                    && self.locals[local as usize].flags & flag::UP != 0
                    && known!(self.dead, local, message, misses, Dead) == 1
                {
                    self.take_out(out, at);
                }
            }
        }
        Taken::No
    }

    fn bury_in_flows(&self, out: &mut Row, misses: &mut Vec<Miss>) -> Taken {
        let mut at = 0;
        'flows: while at < out.net.len() {
            let mut within = 0;
            while let Some(&message) = self.flows[out.net[at] as usize].messages.get(within) {
                let dst = self.messages[message as usize].dst;
                let local = out.locals[usize::from(dst) & 15];
                let is_live = dst != NO_NODE && self.locals[local as usize].flags & flag::UP != 0;
                if is_live && known!(self.dead, local, message, misses, Dead) == 1 {
                    let flows = out.net.len();
                    if self.take_from_flow(out, at, within as u32, misses) == Taken::Unknown {
                        return Taken::Unknown;
                    }
                    if out.net.len() < flows {
                        continue 'flows;
                    }
                } else {
                    within += 1;
                }
            }
            at += 1;
        }
        Taken::No
    }

    /// Whether a quorum is up and, unless the topology is the question, connected.
    fn is_quorum_left(&self, row: &impl Look, world: &WorldInfo, misses: &mut Vec<Miss>) -> Option<bool> {
        let is_up = |node: usize| self.locals[row.local(node) as usize].flags & flag::UP != 0;
        let live = (0..row.nodes()).filter(|&i| is_up(i)).fold(0u32, |set, i| set | 1 << i);
        for node in (0..row.nodes()).filter(|&i| is_up(i)) {
            let linked = |o: &usize| world.is_up(node as u8, *o as u8) && world.is_up(*o as u8, node as u8);
            let reached = match self.shape.any_topology_stabilises {
                true => live,
                false => {
                    let near = (0..row.nodes()).filter(|&o| live >> o & 1 == 1).filter(linked);
                    near.fold(0, |set, o| set | 1 << o)
                }
            };
            match self.quorums.get(row.local(node), reached) {
                UNKNOWN => {
                    misses.push(Miss::Quorum(row.local(node), reached));
                    return None;
                }
                1 => return Some(true),
                _ => {}
            }
        }
        Some(false)
    }
}
