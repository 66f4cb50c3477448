//! What a program stores about each local state, message, world and outcome.

use super::flows::Arrival;
use super::steps::StepRange;
use crate::election::MAX_NODES;
use crate::engine::ids::{
    BundleId, ColumnId, CounterId, FlowId, LocalId, MessageId, NodeIndex, OutcomeId, WorldEvent,
    narrow,
};
use crate::semantics::facts::Facts;
use crate::semantics::network::NetworkKind;
use crate::semantics::node::Disk;
use crate::semantics::{Bounds, Latency, PropertySet, StepKind, Timing};

/// The bits of [`LocalInfo::flags`] and [`Outcome::flags`].
pub(crate) mod flag {
    /// Of local states: the node is up.
    pub(crate) const UP: u8 = 1;
    /// Of local states: the node leads.
    pub(crate) const LEADS: u8 = 2;
    /// Of both: the node (for an outcome, after the step) is beyond the bound of terms.
    pub(crate) const BEYOND_TERM: u8 = 4;
    /// Of local states: time cannot pass, as a choice is open or a timer is at its last age.
    pub(crate) const BLOCKS_TICK: u8 = 8;
    /// Of outcomes: the handler changed nothing.
    pub(crate) const IDLE: u8 = 16;
    /// Of outcomes: the world may take note of it.
    pub(crate) const OBSERVED: u8 = 32;
    /// Of both: the node (for an outcome, after the step) is beyond the bound of rounds.
    pub(crate) const BEYOND_ROUND: u8 = 64;
}

/// What is known of a local state.
#[derive(Clone, Debug)]
pub(crate) struct LocalInfo {
    /// What it adds to a fingerprint.
    pub(crate) share: u64,
    /// See [`flag`].
    pub(crate) flags: u8,
    /// The properties that a node in this state breaks by itself.
    pub(crate) broken: PropertySet,
    /// The steps that the node can take by itself, once they are listed.
    pub(crate) steps: StepRange,
}

impl LocalInfo {
    /// Whether one of these [`flag`]s is set.
    #[inline]
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }
}

/// What a node in some local state can do without receiving a message.
#[derive(Clone, Debug)]
pub(crate) struct OwnBehaviour {
    /// Its timeouts, its choices, its crash or its restarts.
    pub(crate) steps: Box<[OwnStep]>,
    /// The node one tick later.
    pub(crate) aged: LocalId,
    /// The node with each combination of ages that its timers may take when the system stabilises.
    pub(crate) stabilised: Box<[LocalId]>,
}

/// One thing that a node can do without receiving a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnStep {
    /// What the node does.
    pub(crate) outcome: OutcomeId,
    /// The gates that allow it.
    pub(crate) gates: u32,
    /// What happens to the world besides: budgets pay for it.
    pub(crate) pays: Option<WorldEvent>,
    /// The number of the client input, where it carries one.
    pub(crate) input: Option<u32>,
}

impl OwnStep {
    /// A timer fires. `due`: it may fire now if time is kept. `idle`: its handler changes nothing.
    pub(crate) fn timeout(outcome: OutcomeId, due: bool, idle: bool) -> OwnStep {
        let gates = (u32::from(!idle) * gate::TIMELESS) | (u32::from(due) * gate::TIMED);
        OwnStep { outcome, gates, pays: None, input: None }
    }

    /// A choice is made.
    pub(crate) fn choice(outcome: OutcomeId) -> OwnStep {
        OwnStep { outcome, gates: gate::TIMELESS | gate::TIMED, pays: None, input: None }
    }

    /// A client's input arrives, perhaps with a number.
    pub(crate) fn input(outcome: OutcomeId, number: Option<u32>) -> OwnStep {
        OwnStep { input: number, ..OwnStep::paid(outcome, WorldEvent::Input) }
    }

    /// Something happens that a budget pays for.
    pub(crate) fn paid(outcome: OutcomeId, event: WorldEvent) -> OwnStep {
        OwnStep { outcome, gates: gate::of(event), pays: Some(event), input: None }
    }
}

/// Conditions that a world sets for steps, as bits. A step may be taken if one of its gates is open
/// and none of its bars is down.
pub(crate) mod gate {
    use super::{Disk, NodeIndex, WorldEvent};

    /// Open while time is not kept.
    pub(crate) const TIMELESS: u32 = 1;
    /// Open while time is kept.
    pub(crate) const TIMED: u32 = 1 << 1;
    /// Open while there are messages that may be lost.
    pub(crate) const LOSE: u32 = 1 << 6;
    /// Open while there are messages that may be duplicated.
    pub(crate) const DUPLICATE: u32 = 1 << 7;
    /// The first of the gates for deliveries: one for each sender, open while the link is up.
    const LINK: u32 = 1 << 8;
    /// Down while time is not kept.
    pub(crate) const BAR_TIMELESS: u32 = 1 << 24;
    /// Down while no step may be torn.
    pub(crate) const BAR_TORN: u32 = 1 << 25;
    /// Down while time is kept.
    pub(crate) const BAR_TIMED: u32 = 1 << 27;

    /// The gate to steps that this event pays for; none for events of the whole system.
    pub(crate) fn of(event: WorldEvent) -> u32 {
        match event {
            WorldEvent::Input => 1 << 2,
            WorldEvent::Restart(Disk::Intact) => 1 << 3,
            WorldEvent::Restart(Disk::Empty) => 1 << 4,
            WorldEvent::Crash => 1 << 5,
            WorldEvent::Lose => LOSE,
            WorldEvent::Duplicate => DUPLICATE,
            WorldEvent::Restart(Disk::Older) => 1 << 26,
            WorldEvent::Stabilise | WorldEvent::Switch(_) | WorldEvent::Outcome(_) => 0,
        }
    }

    /// The gate to deliveries of messages from this node. Senders that are no nodes share the gate
    /// of the first node.
    pub(crate) fn link_from(src: NodeIndex) -> u32 {
        LINK << src.slot()
    }
}

/// What one step of one node does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// The node after it.
    pub(crate) after: LocalId,
    /// The messages sent stand in `Program::sends` from here on.
    pub(super) sends_at: u32,
    /// How many messages are sent.
    pub(super) sends: u16,
    /// See [`flag`].
    pub(crate) flags: u8,
    /// How many of the outcomes behind it are the same step torn: before any effect, after one
    /// effect, and so on.
    pub(super) torn: u8,
    /// The counter of the tally that counts it.
    pub(super) counter: CounterId,
    /// How many columns messages are sent in.
    pub(super) parcels: u8,
    /// What is sent in each column stands in `Program::parcels` from here on: first as if it
    /// arrived at once, then, where a message takes a tick, as if it arrived in the next one.
    pub(super) parcels_at: u32,
    /// What the messages sent add to a fingerprint on unordered networks if they arrive at once.
    pub(super) sent: u64,
}

impl Outcome {
    /// Where the list of what is sent in each column begins, if the messages arrive then.
    pub(super) fn parcels_for(&self, arrival: Arrival) -> u32 {
        self.parcels_at + u32::from(self.parcels) * narrow(arrival.position())
    }

    /// An outcome that sends nothing, of what happens at no node.
    pub(super) fn of_no_node(counter: CounterId) -> Outcome {
        Outcome {
            after: LocalId::NONE,
            sends_at: 0,
            sends: 0,
            flags: 0,
            torn: 0,
            counter,
            parcels: 0,
            parcels_at: 0,
            sent: 0,
        }
    }

    /// Whether one of these [`flag`]s is set.
    #[inline]
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }
}

/// An outcome as a source describes it.
pub(crate) struct NewOutcome {
    /// The node after it.
    pub(crate) after: LocalId,
    /// The messages sent, in order.
    pub(crate) sends: Vec<MessageId>,
    /// The handler changed nothing.
    pub(crate) idle: bool,
    /// The world may take note of it.
    pub(crate) observed: bool,
    /// How many outcomes will follow that are the same step torn: before any effect, after one
    /// effect, and so on.
    pub(crate) torn: u8,
    /// The counter of the tally that counts it.
    pub(crate) counter: CounterId,
}

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageInfo {
    /// What it adds to a fingerprint.
    pub(crate) share: u64,
    /// Its sender.
    pub(crate) src: NodeIndex,
    /// Its sender and its receiver, as one number.
    pub(crate) link: u32,
    /// The column of rows in which it is in flight while it may arrive.
    pub(crate) column: ColumnId,
}

/// What an outcome sends in one column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    /// The column.
    pub(super) column: ColumnId,
    /// The messages.
    pub(super) bundle: BundleId,
    /// The same messages as a flow; known only if a step sends them that
    /// [adds up](super::steps::step_flag::ADDS_UP).
    pub(super) flow: FlowId,
}

/// What a world allows, as a source describes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewWorld {
    /// What it adds to a fingerprint.
    pub(crate) share: u64,
    /// The properties that are broken.
    pub(crate) broken: PropertySet,
    /// Timers may fire and messages may arrive at any time.
    pub(crate) timeless: bool,
    /// The events that the budgets left can pay for.
    pub(crate) affordable: Vec<WorldEvent>,
    /// A crash may strike in the middle of a handler.
    pub(crate) can_tear: bool,
    /// The number of the next client input.
    pub(crate) next_input: u32,
    /// The goals of the past that are reached, as bits.
    pub(crate) goals: u64,
    /// The system may stabilise.
    pub(crate) may_stabilise: bool,
    /// The topologies that a switch may go to.
    pub(crate) switches: Box<[u8]>,
    /// The directed links that are up: for each sender the receivers, as bits.
    pub(crate) links: [u16; MAX_NODES],
}

/// What is known of a world.
#[derive(Clone, Debug)]
pub(crate) struct WorldInfo {
    /// What it adds to a fingerprint.
    pub(super) share: u64,
    /// The properties that are broken.
    pub(super) broken: PropertySet,
    /// Timers may fire and messages may arrive at any time.
    pub(super) timeless: bool,
    /// The number of the next client input.
    pub(super) next_input: u32,
    /// The goals of the past that are reached, as bits.
    pub(crate) goals: u64,
    /// The system may stabilise.
    pub(super) may_stabilise: bool,
    /// The topologies that a switch may go to.
    pub(super) switches: Box<[u8]>,
    links: [u16; MAX_NODES],
    /// The gates that are open at each node: see [`gate`].
    pub(super) open: [u32; MAX_NODES],
    /// The bars that are down.
    pub(super) bars: u32,
    /// Whether there are steps of the whole system.
    pub(super) moves_as_whole: bool,
}

impl WorldInfo {
    pub(super) fn new(new: NewWorld) -> WorldInfo {
        let NewWorld { share, broken, timeless, affordable, next_input, goals, .. } = new;
        let paid = affordable.into_iter().map(gate::of).fold(0, |all, gate| all | gate);
        let of_time = if timeless { gate::TIMELESS } else { gate::TIMED };
        let links_to = |node: usize| {
            let up = (0..MAX_NODES).filter(|src| new.links[*src] >> node & 1 == 1);
            up.map(|src| gate::link_from(NodeIndex::at(src))).fold(0, |all, gate| all | gate)
        };
        let bar = |is_down: bool, bar: u32| u32::from(is_down) * bar;
        WorldInfo {
            share,
            broken,
            timeless,
            next_input,
            goals,
            may_stabilise: new.may_stabilise,
            moves_as_whole: !timeless || new.may_stabilise || !new.switches.is_empty(),
            switches: new.switches,
            links: new.links,
            open: std::array::from_fn(|node| paid | of_time | links_to(node)),
            bars: bar(timeless, gate::BAR_TIMELESS)
                | bar(!timeless, gate::BAR_TIMED)
                | bar(!new.can_tear, gate::BAR_TORN),
        }
    }

    /// Whether a directed link is up.
    #[inline]
    pub(super) fn is_up(&self, src: NodeIndex, dst: NodeIndex) -> bool {
        self.links[src.slot()] >> dst.slot() & 1 == 1
    }
}

/// What one counter of the tally counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Counted {
    /// Steps of this kind,
    pub(crate) step: StepKind,
    /// which deliver a message of this kind, if they deliver one,
    pub(crate) message: Option<String>,
    /// and have these facts.
    pub(crate) facts: Facts,
}

impl Counted {
    /// Steps that happen at no single node.
    pub(super) fn of_no_node(step: StepKind) -> Counted {
        Counted { step, message: None, facts: Facts::default() }
    }
}

/// What holds for the whole run.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// How many nodes there are.
    pub(crate) nodes: usize,
    /// What the network does to the order and the number of messages.
    pub(crate) network: NetworkKind,
    /// The bounds of the search.
    pub(crate) bounds: Bounds,
    /// What is assumed of time.
    pub(crate) timing: Timing,
    /// How many ticks a message takes where time is kept.
    pub(crate) latency: Latency,
    /// Messages are lost in some world.
    pub(crate) loses: bool,
    /// Messages are duplicated in some world.
    pub(crate) duplicates: bool,
    /// Dead messages are removed.
    pub(crate) removes_dead: bool,
    /// Only the first message of a queue is lost, as stateright has it.
    pub(crate) loses_heads_only: bool,
    /// Some property speaks of pairs of nodes.
    pub(crate) asks_pairs: bool,
    /// Some property speaks of a node and the witness.
    pub(crate) asks_node_worlds: bool,
    /// Election safety without terms: at most one node leads whenever time may pass.
    pub(crate) one_leader_at_a_time: bool,
    /// The properties that are asked only in states in which time may pass.
    pub(crate) when_time_passes: PropertySet,
    /// The system may stabilise even if no quorum is connected.
    pub(crate) any_topology_stabilises: bool,
}

impl Shape {
    /// Time is kept in some world.
    pub(super) fn keeps_time(&self) -> bool {
        self.timing != Timing::Asynchronous
    }

    /// When what is in flight may arrive. A link has a column for each.
    pub(super) fn arrivals(&self) -> &'static [Arrival] {
        match self.latency {
            Latency::None => &[Arrival::Now],
            Latency::OneTick => &[Arrival::Now, Arrival::NextTick],
        }
    }

    /// When what a step sends may arrive, each time with the bar that forbids the step in the
    /// worlds where it arrives at another time.
    pub(super) fn arrivals_of_sent(&self) -> &'static [(Arrival, u32)] {
        match (self.latency, self.timing) {
            (Latency::None, _) | (_, Timing::Asynchronous) => &[(Arrival::Now, 0)],
            (Latency::OneTick, Timing::Timed) => &[(Arrival::NextTick, 0)],
            (Latency::OneTick, Timing::Stabilising) => {
                &[(Arrival::Now, gate::BAR_TIMED), (Arrival::NextTick, gate::BAR_TIMELESS)]
            }
        }
    }
}
