//! The steps of a row: what can happen in a system state, and the state after it, by look-ups alone.
//!
//! The meaning is that of [`crate::system`]; here it is told a second time, over numbers, and the two are held against
//! each other on every scenario.

use super::row::Row;
use super::tables::*;
use crate::network::NetworkKind;
use crate::system::Bound;

/// A step of a row, by positions in it: small where steps are common, so that a log of them is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

/// The kinds of codes.
mod code {
    pub const DELIVER: u32 = 0;
    pub const OWN: u32 = 1;
    pub const LOSE: u32 = 2;
    pub const DUPLICATE: u32 = 3;
    pub const SWITCH: u32 = 4;
    pub const STABILISE: u32 = 5;
    pub const TICK: u32 = 6;
}

/// A code taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// The message (or the head of the flow) at this position; torn after so many effects.
    Deliver {
        at: usize,
        torn: Option<usize>,
    },
    /// A node's own step by its position; torn after so many effects.
    Own {
        node: usize,
        at: usize,
        torn: Option<usize>,
    },
    /// The message at this position of the network; in a flow, at this position of the flow.
    Lose {
        at: usize,
        within: usize,
    },
    Duplicate {
        at: usize,
    },
    Switch {
        topology: u8,
    },
    /// The combination of ages with this number.
    Stabilise {
        combination: usize,
    },
    Tick,
}

impl Code {
    fn pack(kind: u32, a: usize, b: usize) -> Code {
        debug_assert!(a < 1 << 12 && b < 1 << 17);
        Code(kind | (a as u32) << 3 | (b as u32) << 15)
    }

    pub fn unpack(self) -> Move {
        let (a, b) = ((self.0 >> 3 & 0xfff) as usize, (self.0 >> 15) as usize);
        match self.0 & 7 {
            code::DELIVER => Move::Deliver { at: a, torn: b.checked_sub(1) },
            code::OWN => Move::Own { node: a & 15, at: a >> 4, torn: b.checked_sub(1) },
            code::LOSE => Move::Lose { at: a, within: b },
            code::DUPLICATE => Move::Duplicate { at: a },
            code::SWITCH => Move::Switch { topology: a as u8 },
            code::STABILISE => Move::Stabilise { combination: (self.0 >> 3) as usize },
            _ => Move::Tick,
        }
    }
}

/// What became of a step that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The next state stands in the row that was lent; the tally counts the step under this kind.
    Step(u16),
    /// The same, but the state is beyond a bound.
    Beyond(Bound, u16),
    /// It is no step here.
    No,
    /// The tables do not know yet; the misses say what.
    Unknown,
}

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

/// What a local step is made of.
struct LocalStep<'a> {
    node: usize,
    outcome: OutcomeId,
    /// The position of the delivered message or flow.
    delivers: Option<usize>,
    /// What the step costs.
    costs: &'a [u32],
}

impl Tables {
    /// Tries every step of `row`; `out` is lent for the states after them. `take` is told each step with the sum of the
    /// state after it. Returns whether everything was known.
    pub fn expand(
        &self,
        row: &Row,
        out: &mut Row,
        misses: &mut Vec<Miss>,
        mut take: impl FnMut(Code, u64, Taken),
    ) -> bool {
        let before = misses.len();
        let world = &self.worlds[row.world as usize];
        let network = self.shape.network;
        let glances = network == NetworkKind::Unordered && self.shape.bounds.max_copies.is_none();
        // The first look at a local step: of most states only the fingerprint is needed, as they are known already.
        let mut try_local = |code: Code, step: LocalStep<'_>, out: &mut Row, misses: &mut Vec<Miss>| {
            let (sum, taken) = if glances {
                self.glance(row, step, misses)
            } else {
                out.copy_from(row);
                let taken = self.local(step, out, misses);
                (out.sum, taken)
            };
            if taken != Taken::Unknown {
                take(code, sum, taken);
            }
        };
        // Most messages in flight do nothing where they would arrive; they are passed over first of all.
        let mut idle = [0u64; 16];
        if world.timeless && network != NetworkKind::Ordered {
            for (idle, &local) in idle.iter_mut().zip(row.locals()) {
                *idle = self.idle.word(local).unwrap_or(0);
            }
        }
        let mut seen = 0u64;
        for (at, &id) in row.net.iter().enumerate() {
            if network == NetworkKind::Unordered {
                let MessageInfo { dst, ordinal, .. } = self.messages[id as usize];
                if idle[usize::from(dst) & 15] >> (ordinal & 63) & 1 == 1 && dst != NO_NODE {
                    continue;
                }
            }
            let bit = 1 << (id & 63);
            if network == NetworkKind::Unordered && seen & bit != 0 && row.net[..at].contains(&id) {
                continue;
            }
            seen |= bit;
            let Some((node, outcome)) = self.delivery(row, world, at, misses) else { continue };
            let step = LocalStep { node, outcome, delivers: Some(at), costs: &[] };
            try_local(Code::pack(code::DELIVER, at, 0), step, out, misses);
            if world.can_tear {
                for k in 0..usize::from(self.outcomes[outcome as usize].torn) {
                    let (outcome, costs) = tear(outcome, Some(k));
                    let step = LocalStep { node, outcome, delivers: Some(at), costs: &costs };
                    try_local(Code::pack(code::DELIVER, at, k + 1), step, out, misses);
                }
            }
        }
        for (node, &local) in row.locals().iter().enumerate() {
            let Some(own) = &self.locals[local as usize].own else {
                misses.push(Miss::Own(local));
                continue;
            };
            for (at, own) in own.steps.iter().enumerate() {
                if !may(world, own.kind) {
                    continue;
                }
                let cost = own.kind.cost();
                let step = LocalStep { node, outcome: own.outcome, delivers: None, costs: cost.as_slice() };
                try_local(Code::pack(code::OWN, node | at << 4, 0), step, out, misses);
                if world.can_tear && own.kind != OwnKind::Crash {
                    for k in 0..usize::from(self.outcomes[own.outcome as usize].torn) {
                        let (outcome, [crash]) = tear(own.outcome, Some(k));
                        let both = [cost.unwrap_or(crash), crash];
                        let costs = &both[usize::from(cost.is_none())..];
                        let step = LocalStep { node, outcome, delivers: None, costs };
                        try_local(Code::pack(code::OWN, node | at << 4, k + 1), step, out, misses);
                    }
                }
            }
        }
        if !world.is_local_only() {
            self.expand_globally(row, out, misses, before, take);
        }
        misses.len() == before
    }

    /// Tries the steps that happen at no single node.
    fn expand_globally(
        &self,
        row: &Row,
        out: &mut Row,
        misses: &mut Vec<Miss>,
        before: usize,
        mut take: impl FnMut(Code, u64, Taken),
    ) {
        let world = &self.worlds[row.world as usize];
        let network = self.shape.network;
        let mut try_step = |code: Code, misses: &mut Vec<Miss>| {
            let taken = self.apply(row, code, out, misses);
            if !matches!(taken, Taken::No | Taken::Unknown) {
                take(code, out.sum, taken);
            }
        };
        if world.can_lose {
            for at in 0..row.net.len() {
                if network != NetworkKind::Ordered {
                    if network == NetworkKind::Duplicating || !row.net[..at].contains(&row.net[at]) {
                        try_step(Code::pack(code::LOSE, at, 0), misses);
                    }
                    continue;
                }
                let flow = &self.flows[row.net[at] as usize].messages;
                for within in 0..flow.len() {
                    let is_first = !flow[..within].contains(&flow[within]);
                    if is_first && (within == 0 || !self.shape.loses_heads_only) {
                        try_step(Code::pack(code::LOSE, at, within), misses);
                    }
                }
            }
        }
        if world.can_duplicate {
            for at in 0..row.net.len() {
                if !row.net[..at].contains(&row.net[at]) {
                    try_step(Code::pack(code::DUPLICATE, at, 0), misses);
                }
            }
        }
        for &topology in &world.switches {
            try_step(Code::pack(code::SWITCH, usize::from(topology), 0), misses);
        }
        if misses.len() == before && world.may_stabilise {
            let own = |&local: &Local| self.locals[local as usize].own.as_ref().expect("no miss above");
            let combinations: usize = row.locals().iter().map(|l| own(l).stabilised.len()).product();
            for combination in 0..combinations {
                try_step(Code(code::STABILISE | (combination as u32) << 3), misses);
            }
        }
        if misses.len() == before && !world.timeless {
            try_step(Code::pack(code::TICK, 0, 0), misses);
        }
    }

    /// What a local step adds up to, without the state itself. Only on unordered networks.
    #[inline]
    fn glance(&self, row: &Row, step: LocalStep<'_>, misses: &mut Vec<Miss>) -> (u64, Taken) {
        let outcome = &self.outcomes[step.outcome as usize];
        let mut sum = row.sum.wrapping_add(outcome.delta);
        let mut world = row.world;
        let observed = (outcome.flags & flag::OBSERVED != 0).then_some(step.outcome);
        for &what in step.costs.iter().chain(&observed) {
            match self.world_after.get(world, what) {
                UNKNOWN => {
                    misses.push(Miss::World(world, what));
                    return (0, Taken::Unknown);
                }
                after => world = after,
            }
        }
        if world != row.world {
            let shares = (self.worlds[world as usize].share, self.worlds[row.world as usize].share);
            sum = sum.wrapping_add(shares.0).wrapping_sub(shares.1);
        }
        let mut in_flight = row.net.len() + usize::from(outcome.sends);
        if let Some(at) = step.delivers {
            sum = sum.wrapping_sub(self.messages[row.net[at] as usize].share);
            in_flight -= 1;
        }
        if outcome.flags & flag::BEYOND != 0 {
            return (0, Taken::Beyond(Bound::MaxTerm, outcome.kind));
        }
        if self.shape.removes_dead {
            let mut is_known = true;
            let mut bury = |local: Local, message: Message| {
                let info = &self.messages[message as usize];
                if self.alive.get(local, info.ordinal) {
                    return;
                }
                if self.dead.get(local, message) == UNKNOWN {
                    misses.push(Miss::Dead(local, message));
                    is_known = false;
                }
                sum = sum.wrapping_sub(info.share);
                in_flight = in_flight.wrapping_sub(1);
            };
            for (at, &message) in row.net.iter().enumerate() {
                let dst = self.messages[message as usize].dst;
                if usize::from(dst) == step.node && step.delivers != Some(at) {
                    bury(outcome.after, message);
                }
            }
            for &message in self.sends_of(outcome) {
                let dst = self.messages[message as usize].dst;
                if usize::from(dst) == step.node {
                    bury(outcome.after, message);
                } else if dst != NO_NODE {
                    bury(row.locals[usize::from(dst) & 15], message);
                }
            }
            if !is_known {
                return (0, Taken::Unknown);
            }
        }
        if self.shape.bounds.max_in_flight.is_some_and(|max| in_flight > max) {
            return (0, Taken::Beyond(Bound::MaxInFlight, outcome.kind));
        }
        (sum, Taken::Step(outcome.kind))
    }

    /// The receiver, and the outcome, of delivering what stands at this position, if that would be a step.
    #[inline]
    fn delivery(
        &self,
        row: &Row,
        world: &WorldInfo,
        at: usize,
        misses: &mut Vec<Miss>,
    ) -> Option<(usize, OutcomeId)> {
        let message = self.arriving(row, at);
        let MessageInfo { src, dst, ordinal, .. } = self.messages[message as usize];
        if dst == NO_NODE || !world.is_up(src, dst) {
            return None;
        }
        let node = usize::from(dst);
        let local = row.locals[node & 15];
        let stays = world.timeless && self.shape.network != NetworkKind::Ordered;
        if stays && self.idle.get(local, ordinal) {
            return None;
        }
        match self.react.get(local, message) {
            UNKNOWN => {
                misses.push(Miss::React(local, message));
                None
            }
            NOTHING => None,
            outcome => {
                debug_assert!(!stays || self.outcomes[outcome as usize].flags & flag::IDLE == 0);
                Some((node, outcome))
            }
        }
    }

    /// The message at this position, or the head of the flow there.
    #[inline]
    fn arriving(&self, row: &Row, at: usize) -> Message {
        match self.shape.network {
            NetworkKind::Ordered => self.flows[row.net[at] as usize].messages[0],
            _ => row.net[at],
        }
    }

    #[inline]
    fn arrives(&self, row: &Row, world: &WorldInfo, src: u8, dst: u8) -> bool {
        dst != NO_NODE
            && self.locals[row.locals[usize::from(dst) & 15] as usize].flags & flag::UP != 0
            && world.is_up(src, dst)
    }

    /// The state after a step, in `out`.
    pub fn apply(&self, row: &Row, code: Code, out: &mut Row, misses: &mut Vec<Miss>) -> Taken {
        let world = &self.worlds[row.world as usize];
        out.copy_from(row);
        match code.unpack() {
            Move::Deliver { at, torn } => {
                let message = self.arriving(row, at);
                let node = usize::from(self.messages[message as usize].dst);
                let whole = known!(self.react, row.locals[node & 15], message, misses, React);
                let (outcome, costs) = tear(whole, torn);
                let step =
                    LocalStep { node, outcome, delivers: Some(at), costs: &costs[..torn.iter().count()] };
                self.local(step, out, misses)
            }
            Move::Own { node, at, torn } => {
                let local = row.locals[node];
                let own = self.locals[local as usize].own.as_ref().expect("own steps are known");
                let OwnStep { kind, outcome } = own.steps[at];
                let (outcome, crash) = tear(outcome, torn);
                let cost = kind.cost();
                let mut costs = [0; 2];
                let paid = cost.into_iter().chain(torn.map(|_| crash[0]));
                let n = paid.zip(&mut costs).map(|(cost, slot)| *slot = cost).count();
                let step = LocalStep { node, outcome, delivers: None, costs: &costs[..n] };
                self.local(step, out, misses)
            }
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
                let message = row.net[at];
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
                for node in 0..row.nodes {
                    let own =
                        self.locals[row.locals[node] as usize].own.as_ref().expect("own steps are known");
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
                for node in 0..row.nodes {
                    let own =
                        self.locals[row.locals[node] as usize].own.as_ref().expect("own steps are known");
                    self.replace(out, node, own.aged);
                }
                // Nothing was deliverable, so everything in flight is lost.
                for &id in &row.net {
                    let share = match self.shape.network {
                        NetworkKind::Ordered => self.flows[id as usize].share,
                        _ => self.messages[id as usize].share,
                    };
                    out.sum = out.sum.wrapping_sub(share);
                }
                out.net.clear();
                self.judge(out, kind::TICK)
            }
        }
    }

    /// The node at which a step happens, if it happens at one.
    pub fn node_of(&self, row: &Row, code: Code) -> Option<usize> {
        match code.unpack() {
            Move::Deliver { at, .. } => Some(usize::from(self.messages[self.arriving(row, at) as usize].dst)),
            Move::Own { node, .. } => Some(node),
            _ => None,
        }
    }

    #[inline]
    fn local(&self, step: LocalStep<'_>, out: &mut Row, misses: &mut Vec<Miss>) -> Taken {
        let outcome = &self.outcomes[step.outcome as usize];
        let mut world = out.world;
        for &cost in step.costs {
            world = known!(self.world_after, world, cost, misses, World);
        }
        if outcome.flags & flag::OBSERVED != 0 {
            world = known!(self.world_after, world, step.outcome, misses, World);
        }
        self.enter(out, world);
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
    fn global(&self, row: &Row, event: u32, kind: u16, out: &mut Row, misses: &mut Vec<Miss>) -> Taken {
        let world = known!(self.world_after, row.world, event, misses, World);
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
        let mut at = 0;
        let mut fresh = old;
        while at < out.net.len() {
            let message = out.net[at];
            let dst = self.messages[message as usize].dst;
            if (usize::from(dst) == node || at >= fresh) && dst != NO_NODE {
                let local = out.locals[usize::from(dst) & 15];
                if self.locals[local as usize].flags & flag::UP != 0
                    && known!(self.dead, local, message, misses, Dead) == 1
                {
                    // What comes from the end is fresh, or was not looked at yet.
                    out.net.swap_remove(at);
                    out.sum = out.sum.wrapping_sub(self.messages[message as usize].share);
                    if at < fresh && out.net.len() >= fresh {
                        // A fresh message moved to this place: it and all behind count as fresh from here on.
                        fresh = at;
                    }
                    continue;
                }
            }
            at += 1;
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

    /// Time may pass when nothing is due.
    pub fn can_tick(&self, row: &Row) -> bool {
        let world = &self.worlds[row.world as usize];
        let blocks = |&local: &Local| self.locals[local as usize].flags & flag::BLOCKS_TICK != 0;
        let is_due = |at: usize| {
            let MessageInfo { src, dst, .. } = self.messages[self.arriving(row, at) as usize];
            self.arrives(row, world, src, dst)
        };
        !world.timeless && !row.locals().iter().any(blocks) && !(0..row.net.len()).any(is_due)
    }

    /// Whether a quorum is up and, unless the topology is the question, connected.
    fn is_quorum_left(&self, row: &Row, world: &WorldInfo, misses: &mut Vec<Miss>) -> Option<bool> {
        let is_up = |node: usize| self.locals[row.locals[node] as usize].flags & flag::UP != 0;
        let live = (0..row.nodes).filter(|&i| is_up(i)).fold(0u32, |set, i| set | 1 << i);
        for node in (0..row.nodes).filter(|&i| is_up(i)) {
            let linked = |o: &usize| world.is_up(node as u8, *o as u8) && world.is_up(*o as u8, node as u8);
            let reached = match self.shape.any_topology_stabilises {
                true => live,
                false => {
                    let near = (0..row.nodes).filter(|&o| live >> o & 1 == 1).filter(linked);
                    near.fold(0, |set, o| set | 1 << o)
                }
            };
            match self.quorums.get(row.locals[node], reached) {
                UNKNOWN => {
                    misses.push(Miss::Quorum(row.locals[node], reached));
                    return None;
                }
                1 => return Some(true),
                _ => {}
            }
        }
        Some(false)
    }

    /// The properties that a state breaks, as bits. Of pairs of nodes, and of nodes in the world, only those are asked
    /// that a step of `changed` (or into a new world) can have made; all, if `changed` is `None`.
    pub fn broken(&self, row: &Row, changed: Option<usize>, new_world: bool, misses: &mut Vec<Miss>) -> u16 {
        let mut broken = self.worlds[row.world as usize].broken;
        let mut leaders = 0;
        for &local in row.locals() {
            let info = &self.locals[local as usize];
            broken |= info.broken;
            leaders += usize::from(info.flags & flag::LEADS != 0);
        }
        if self.shape.asks_pairs {
            for a in 0..row.nodes {
                for b in a + 1..row.nodes {
                    if changed.is_none_or(|c| c == a || c == b) {
                        broken |= ask(&self.pairs, row.locals[a], row.locals[b], misses, Miss::Pair);
                    }
                }
            }
        }
        if self.shape.asks_node_worlds {
            for node in 0..row.nodes {
                if new_world || changed.is_none_or(|c| c == node) {
                    broken |= ask(&self.node_worlds, row.locals[node], row.world, misses, Miss::NodeWorld);
                }
            }
        }
        if self.shape.one_leader_at_a_time && leaders > 1 {
            let timeless = self.worlds[row.world as usize].timeless;
            broken |= u16::from(timeless || self.can_tick(row));
        }
        broken
    }
}

/// Whether a node's own step may be taken in a world.
#[inline]
fn may(world: &WorldInfo, kind: OwnKind) -> bool {
    match kind {
        OwnKind::Timeout { due, idle } => {
            if world.timeless {
                !idle
            } else {
                due
            }
        }
        OwnKind::Choose => true,
        OwnKind::Input => world.can_input,
        OwnKind::Restart => world.can_restart,
        OwnKind::RestartEmpty => world.can_restart_empty,
        OwnKind::Crash => world.can_crash,
    }
}

fn ask(memo: &Memo, a: u32, b: u32, misses: &mut Vec<Miss>, miss: fn(u32, u32) -> Miss) -> u16 {
    match memo.get(a, b) {
        UNKNOWN => {
            misses.push(miss(a, b));
            0
        }
        bits => bits as u16,
    }
}

/// The outcome of a step that is torn, or not, and what tearing costs.
#[inline]
fn tear(whole: OutcomeId, torn: Option<usize>) -> (OutcomeId, [u32; 1]) {
    (whole + torn.map_or(0, |k| k as u32 + 1), [event::CRASH])
}
