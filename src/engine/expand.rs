//! The steps of a row: what can happen in a system state, and the state after it, by look-ups alone.
//!
//! The meaning is that of [`crate::system`]; here it is told a second time, over numbers, and the two are held against
//! each other on every scenario.

use super::row::{Cell, Change, Look, Packed, Row, Rows};
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

/// What a local step is made of.
#[derive(Clone, Copy)]
pub struct LocalStep {
    pub node: usize,
    pub outcome: OutcomeId,
    /// The position of the delivered message or flow.
    pub delivers: Option<usize>,
    /// What the world pays for it: see [`event`].
    pub pays: Option<u32>,
    /// The node crashes within the step, which the world pays for too.
    pub is_torn: bool,
}

impl LocalStep {
    /// The same step, torn after so many effects.
    #[inline]
    pub fn torn(self, after: Option<usize>) -> Self {
        match after {
            None => self,
            Some(k) => LocalStep { outcome: self.outcome + k as u32 + 1, is_torn: true, ..self },
        }
    }
}

impl Tables {
    /// Tries every step of `row`; `out` is lent for the states after them. `take` is told each step with the sum of the
    /// state after it. Returns whether everything was known.
    #[inline]
    pub fn expand(
        &self,
        row: &impl Look,
        out: &mut Row,
        misses: &mut Vec<Miss>,
        mut take: impl FnMut(Code, u64, Taken),
    ) -> bool {
        let before = misses.len();
        let world = &self.worlds[row.world() as usize];
        let network = self.shape.network;
        let is_plain = self.can_glance() && !world.can_tear;
        // Most messages in flight do nothing where they would arrive; they are passed over first of all, without a branch
        // for each.
        let passes_over = world.timeless && network != NetworkKind::Ordered;
        let mut rows = [0u32; 32];
        rows.iter_mut().zip(row.locals()).for_each(|(row, local)| *row = self.idle.row(local.id()) as u32);
        let mut seen = 0u64;
        let mut rest = row.net();
        let mut start = 0;
        while !rest.is_empty() {
            let (chunk, others) = rest.split_at(rest.len().min(64));
            let all = u64::MAX >> (64 - chunk.len());
            let mut live = if passes_over { all & !self.idle(chunk, &rows) } else { all };
            while live != 0 {
                let at = start + live.trailing_zeros() as usize;
                live &= live - 1;
                let id = row.at(at);
                let bit = 1 << (id & 63);
                if network == NetworkKind::Unordered && seen & bit != 0 && !row.is_first(at) {
                    continue;
                }
                seen |= bit;
                let Some((node, outcome)) = self.delivery(row, world, at, misses) else { continue };
                let step = LocalStep { node, outcome, delivers: Some(at), pays: None, is_torn: false };
                if is_plain {
                    let (sum, taken) = self.glance(row, step, misses);
                    take(Code::pack(code::DELIVER, at, 0), sum, taken);
                } else {
                    self.try_carefully(row, world, step, out, misses, &mut |torn, sum, taken| {
                        take(Code::pack(code::DELIVER, at, torn), sum, taken);
                    });
                }
            }
            (rest, start) = (others, start + 64);
        }
        let open = world.gates();
        for (node, local) in row.locals().iter().enumerate() {
            let local = local.id();
            let Some(own) = &self.locals[local as usize].own else {
                misses.push(Miss::Own(local));
                continue;
            };
            for (at, own) in own.steps.iter().enumerate() {
                if own.gates & open != 0 {
                    let (outcome, pays) = (own.outcome, own.kind.cost());
                    let step = LocalStep { node, outcome, delivers: None, pays, is_torn: false };
                    let at = node | at << 4;
                    if is_plain {
                        let (sum, taken) = self.glance(row, step, misses);
                        take(Code::pack(code::OWN, at, 0), sum, taken);
                    } else {
                        self.try_carefully(row, world, step, out, misses, &mut |torn, sum, taken| {
                            take(Code::pack(code::OWN, at, torn), sum, taken);
                        });
                    }
                }
            }
        }
        if !world.is_local_only() {
            self.expand_globally(row, out, misses, before, take);
        }
        misses.len() == before
    }

    /// Which of up to 64 messages do nothing, given where the rows of their receivers start in [`Tables::idle`].
    #[inline(never)]
    fn idle(&self, messages: &[impl Cell], rows: &[u32; 32]) -> u64 {
        let mut idle = 0;
        for &message in messages.iter().rev() {
            let spot = self.spots[message.id() as usize];
            idle = idle << 1 | self.idle.bit(rows[spot.dst()] as usize, spot.ordinal());
        }
        idle
    }

    /// Which of up to 64 messages are to this node and not known to live, given where its row starts in
    /// [`Tables::alive`].
    #[inline(never)]
    fn dying(&self, messages: &[impl Cell], node: usize, row: usize) -> u64 {
        let mut dying = 0;
        for &message in messages.iter().rev() {
            let spot = self.spots[message.id() as usize];
            dying = dying << 1 | u64::from(spot.dst() == node) & !self.alive.bit(row, spot.ordinal());
        }
        dying
    }

    /// Tries a local step (0), and the same torn after each of its effects (1, 2, ..). Of most states only the fingerprint
    /// is needed, as they are known already: hence the glance.
    #[inline(never)]
    fn try_carefully(
        &self,
        row: &impl Look,
        world: &WorldInfo,
        whole: LocalStep,
        out: &mut Row,
        misses: &mut Vec<Miss>,
        take: &mut dyn FnMut(usize, u64, Taken),
    ) {
        let tears = match world.can_tear && whole.pays != Some(event::CRASH) {
            true => usize::from(self.outcomes[whole.outcome as usize].torn),
            false => 0,
        };
        for torn in 0..=tears {
            let step = whole.torn(torn.checked_sub(1));
            let (sum, taken) = if self.can_glance() {
                self.glance(row, step, misses)
            } else {
                out.copy_from(row);
                let taken = self.local(step, out, misses);
                (out.sum, taken)
            };
            if taken != Taken::Unknown {
                take(torn, sum, taken);
            }
        }
    }

    /// Whether [`Tables::glance`] tells all about a local step.
    fn can_glance(&self) -> bool {
        self.shape.network == NetworkKind::Unordered
    }

    /// Tries the steps that happen at no single node.
    fn expand_globally(
        &self,
        row: &impl Look,
        out: &mut Row,
        misses: &mut Vec<Miss>,
        before: usize,
        mut take: impl FnMut(Code, u64, Taken),
    ) {
        let world = &self.worlds[row.world() as usize];
        let network = self.shape.network;
        let mut try_step = |code: Code, misses: &mut Vec<Miss>| {
            let taken = self.apply(row, code, out, misses);
            if !matches!(taken, Taken::No | Taken::Unknown) {
                take(code, out.sum, taken);
            }
        };
        if world.can_lose {
            for at in 0..row.net().len() {
                if network != NetworkKind::Ordered {
                    if network == NetworkKind::Duplicating || row.is_first(at) {
                        try_step(Code::pack(code::LOSE, at, 0), misses);
                    }
                    continue;
                }
                let flow = &self.flows[row.at(at) as usize].messages;
                for within in 0..flow.len() {
                    let is_first = !flow[..within].contains(&flow[within]);
                    if is_first && (within == 0 || !self.shape.loses_heads_only) {
                        try_step(Code::pack(code::LOSE, at, within), misses);
                    }
                }
            }
        }
        if world.can_duplicate {
            for at in 0..row.net().len() {
                if row.is_first(at) {
                    try_step(Code::pack(code::DUPLICATE, at, 0), misses);
                }
            }
        }
        for &topology in &world.switches {
            try_step(Code::pack(code::SWITCH, usize::from(topology), 0), misses);
        }
        if misses.len() == before && world.may_stabilise {
            let own = |local: Local| self.locals[local as usize].own.as_ref().expect("no miss above");
            let combinations = row.locals().iter().map(|l| own(l.id()).stabilised.len()).product();
            for combination in 0..combinations {
                try_step(Code(code::STABILISE | (combination as u32) << 3), misses);
            }
        }
        if misses.len() == before && !world.timeless {
            try_step(Code::pack(code::TICK, 0, 0), misses);
        }
    }

    /// The world after a local step, if it is known.
    #[inline(always)]
    pub fn world_after(&self, world: WorldId, step: LocalStep, misses: &mut Vec<Miss>) -> Option<WorldId> {
        let is_observed = self.outcomes[step.outcome as usize].flags & flag::OBSERVED != 0;
        if !is_observed & !step.is_torn & step.pays.is_none() {
            return Some(world);
        }
        let crashes = step.is_torn.then_some(event::CRASH);
        let observes = is_observed.then_some(step.outcome);
        let mut world = world;
        for what in [step.pays, crashes, observes].into_iter().flatten() {
            match self.world_after.get(world, what) {
                UNKNOWN => {
                    misses.push(Miss::World(world, what));
                    return None;
                }
                after => world = after,
            }
        }
        Some(world)
    }

    /// What a local step adds up to, without the state itself. Only on unordered networks.
    #[inline(always)]
    fn glance(&self, row: &impl Look, step: LocalStep, misses: &mut Vec<Miss>) -> (u64, Taken) {
        let outcome = &self.outcomes[step.outcome as usize];
        let mut sum = row.sum().wrapping_add(outcome.delta);
        let Some(world) = self.world_after(row.world(), step, misses) else { return (0, Taken::Unknown) };
        if world != row.world() {
            let shares = (self.worlds[world as usize].share, self.worlds[row.world() as usize].share);
            sum = sum.wrapping_add(shares.0).wrapping_sub(shares.1);
        }
        let mut in_flight = row.net().len() + usize::from(outcome.sends);
        if let Some(at) = step.delivers {
            sum = sum.wrapping_sub(self.messages[row.at(at) as usize].share);
            in_flight -= 1;
        }
        if outcome.flags & flag::BEYOND != 0 {
            return (0, Taken::Beyond(Bound::MaxTerm, outcome.kind));
        }
        if self.shape.removes_dead {
            let Some((share, dead)) = self.dead_after(row, step, misses) else { return (0, Taken::Unknown) };
            sum = sum.wrapping_sub(share);
            in_flight -= dead;
        }
        if self.shape.bounds.max_in_flight.is_some_and(|max| in_flight > max) {
            return (0, Taken::Beyond(Bound::MaxInFlight, outcome.kind));
        }
        if outcome.sends > 0
            && self.shape.bounds.max_copies.is_some_and(|max| self.copies_after(row, step) > max)
        {
            return (0, Taken::Beyond(Bound::MaxCopies, outcome.kind));
        }
        (sum, Taken::Step(outcome.kind))
    }

    /// How many copies there are of what a local step sends, at most, without what has died. The copies of a message live
    /// or die together.
    #[inline(never)]
    fn copies_after(&self, row: &impl Look, step: LocalStep) -> usize {
        let outcome = &self.outcomes[step.outcome as usize];
        let delivered = step.delivers.map(|at| row.at(at));
        let sends = self.sends_of(outcome);
        let is_alive =
            |message: &&Message| !self.shape.removes_dead || self.lives_after(row, step, **message);
        let copies = |message: &Message| {
            let in_flight = row.net().iter().filter(|id| id.id() == *message).count();
            let sent = sends.iter().filter(|sent| *sent == message).count();
            in_flight + sent - usize::from(delivered == Some(*message))
        };
        sends.iter().filter(is_alive).map(copies).max().unwrap_or(0)
    }

    /// Whether a message that a local step sends is known to live after it.
    #[inline]
    fn lives_after(&self, row: &impl Look, step: LocalStep, message: Message) -> bool {
        let spot = self.spots[message as usize];
        if spot.dst() >= row.nodes() {
            return true;
        }
        let is_here = spot.dst() == step.node;
        let local = if is_here { self.outcomes[step.outcome as usize].after } else { row.local(spot.dst()) };
        self.alive.get(local, spot.ordinal())
    }

    /// What the messages that die with a local step share in the sum, and how many they are, if that is known.
    #[inline(never)]
    fn dead_after(&self, row: &impl Look, step: LocalStep, misses: &mut Vec<Miss>) -> Option<(u64, usize)> {
        let outcome = &self.outcomes[step.outcome as usize];
        let (mut share, mut dead) = (0u64, 0);
        let mut is_known = true;
        let mut bury = |local: Local, message: Message| {
            if self.dead.get(local, message) == UNKNOWN {
                misses.push(Miss::Dead(local, message));
                is_known = false;
            }
            share = share.wrapping_add(self.messages[message as usize].share);
            dead += 1;
        };
        let after = self.alive.row(outcome.after);
        let (mut rest, mut start) = (row.net(), 0);
        while !rest.is_empty() {
            let (chunk, others) = rest.split_at(rest.len().min(64));
            let mut dying = self.dying(chunk, step.node, after);
            while dying != 0 {
                let at = start + dying.trailing_zeros() as usize;
                dying &= dying - 1;
                if step.delivers != Some(at) {
                    bury(outcome.after, row.at(at));
                }
            }
            (rest, start) = (others, start + 64);
        }
        for &message in self.sends_of(outcome) {
            if !self.lives_after(row, step, message) {
                let dst = self.spots[message as usize].dst();
                bury(if dst == step.node { outcome.after } else { row.local(dst) }, message);
            }
        }
        is_known.then_some((share, dead))
    }

    /// The receiver, and the outcome, of delivering what stands at this position, if that would be a step.
    #[inline]
    fn delivery(
        &self,
        row: &impl Look,
        world: &WorldInfo,
        at: usize,
        misses: &mut Vec<Miss>,
    ) -> Option<(usize, OutcomeId)> {
        let message = self.arriving(row, at);
        let MessageInfo { src, dst, .. } = self.messages[message as usize];
        if dst == NO_NODE || !world.is_up(src, dst) {
            return None;
        }
        let node = usize::from(dst);
        let local = row.local(node);
        match self.react.get(local, message) {
            UNKNOWN => {
                misses.push(Miss::React(local, message));
                None
            }
            NOTHING => None,
            outcome => Some((node, outcome)),
        }
    }

    /// The message at this position, or the head of the flow there.
    #[inline]
    pub fn arriving(&self, row: &impl Look, at: usize) -> Message {
        match self.shape.network {
            NetworkKind::Ordered => self.flows[row.at(at) as usize].messages[0],
            _ => row.at(at),
        }
    }

    #[inline]
    pub fn arrives(&self, row: &impl Look, world: &WorldInfo, src: u8, dst: u8) -> bool {
        dst != NO_NODE
            && self.locals[row.local(usize::from(dst)) as usize].flags & flag::UP != 0
            && world.is_up(src, dst)
    }

    /// Appends the state after a step that is known to be one, with its sum; `out` is lent. Returns the state's world, and
    /// the node at which the step happens, if it happens at one.
    pub fn append<C: Cell>(
        &self,
        row: &Packed<'_, C>,
        code: Code,
        sum: u64,
        out: &mut Row,
        rows: &mut Rows<C>,
    ) -> (WorldId, Option<usize>) {
        let misses = &mut Vec::new();
        if let Some(step) = self.plain(row, code, misses)
            && let Some(world) = self.world_after(row.world(), step, misses)
        {
            let outcome = &self.outcomes[step.outcome as usize];
            let (after, sends) = (outcome.after, self.sends_of(outcome));
            rows.push_changed(
                row,
                sum,
                &Change { world, node: step.node, after, takes: step.delivers, sends },
            );
            return (world, Some(step.node));
        }
        let taken = self.apply(row, code, out, misses);
        // A glance and the whole step must add up to the same, or nothing that follows would count.
        assert!(
            matches!(taken, Taken::Step(_)) && out.sum == sum,
            "a defect of oneleader: {code:?} is {taken:?}"
        );
        rows.push(out);
        (out.world, self.node_of(row, code))
    }

    /// The local step that a code stands for, if nothing but its outcome happens: no message dies with it.
    #[inline]
    fn plain(&self, row: &impl Look, code: Code, misses: &mut Vec<Miss>) -> Option<LocalStep> {
        let is_unordered = self.shape.network == NetworkKind::Unordered;
        let step = is_unordered.then(|| self.local_step(row, code, misses)).flatten()?;
        let nobody_dies =
            !self.shape.removes_dead || matches!(self.dead_after(row, step, misses), Some((_, 0)));
        nobody_dies.then_some(step)
    }

    /// The local step that a code stands for, if it stands for one and what it does is known.
    #[inline]
    pub fn local_step(&self, row: &impl Look, code: Code, misses: &mut Vec<Miss>) -> Option<LocalStep> {
        match code.unpack() {
            Move::Deliver { at, torn } => {
                let message = self.arriving(row, at);
                let node = self.spots[message as usize].dst();
                let outcome = self.react.get(row.local(node), message);
                if outcome == UNKNOWN {
                    misses.push(Miss::React(row.local(node), message));
                    return None;
                }
                let step = LocalStep { node, outcome, delivers: Some(at), pays: None, is_torn: false };
                Some(step.torn(torn))
            }
            Move::Own { node, at, torn } => {
                let own = self.locals[row.local(node) as usize].own.as_ref().expect("own steps are known");
                let OwnStep { kind, outcome, .. } = own.steps[at];
                let step = LocalStep { node, outcome, delivers: None, pays: kind.cost(), is_torn: false };
                Some(step.torn(torn))
            }
            _ => None,
        }
    }

    /// The node at which a step happens, if it happens at one.
    pub fn node_of(&self, row: &impl Look, code: Code) -> Option<usize> {
        match code.unpack() {
            Move::Deliver { at, .. } => Some(usize::from(self.messages[self.arriving(row, at) as usize].dst)),
            Move::Own { node, .. } => Some(node),
            _ => None,
        }
    }

    /// Time may pass when nothing is due.
    pub fn can_tick(&self, row: &impl Look) -> bool {
        let world = &self.worlds[row.world() as usize];
        let blocks = |local: &_| self.locals[Cell::id(*local) as usize].flags & flag::BLOCKS_TICK != 0;
        let is_due = |at: usize| {
            let MessageInfo { src, dst, .. } = self.messages[self.arriving(row, at) as usize];
            self.arrives(row, world, src, dst)
        };
        !world.timeless && !row.locals().iter().any(blocks) && !(0..row.net().len()).any(is_due)
    }

    /// The properties that a state breaks, as bits. Of nodes, pairs of nodes, and nodes in the world, only those are asked
    /// that a step of `changed` (or into a new world) can have made; all, if `changed` is `None`.
    pub fn broken(
        &self,
        row: &impl Look,
        changed: Option<usize>,
        new_world: bool,
        misses: &mut Vec<Miss>,
    ) -> u16 {
        let mut broken = self.worlds[row.world() as usize].broken;
        match changed {
            Some(node) if node < row.nodes() => broken |= self.locals[row.local(node) as usize].broken,
            Some(_) => {}
            None => row.locals().iter().for_each(|l| broken |= self.locals[l.id() as usize].broken),
        }
        if self.shape.asks_pairs {
            for a in 0..row.nodes() {
                for b in a + 1..row.nodes() {
                    if changed.is_none_or(|c| c == a || c == b) {
                        broken |= ask(&self.pairs, row.local(a), row.local(b), misses, Miss::Pair);
                    }
                }
            }
        }
        if self.shape.asks_node_worlds {
            for node in 0..row.nodes() {
                if new_world || changed.is_none_or(|c| c == node) {
                    broken |= ask(&self.node_worlds, row.local(node), row.world(), misses, Miss::NodeWorld);
                }
            }
        }
        if self.shape.one_leader_at_a_time {
            let leads = |local: &&_| self.locals[Cell::id(**local) as usize].flags & flag::LEADS != 0;
            let timeless = self.worlds[row.world() as usize].timeless;
            let are_two = row.locals().iter().filter(leads).count() > 1;
            broken |= u16::from(are_two && (timeless || self.can_tick(row)));
        }
        broken
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
