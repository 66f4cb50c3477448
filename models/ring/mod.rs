//! Elections on a ring, where a node speaks to its successor: after n1 comes n2, and after the last node n1 again.
//!
//! Two of them. [`textbook`], the default, sends a message round that collects the identifiers of the living, skips dead
//! neighbours, and repairs what crashes destroy. [`chang_roberts`] (1979) is the older and cheaper: one number survives
//! the round, and nothing is repaired.
//!
//! There are no terms: at most one live node may lead whenever time passes (in every state where time is not modelled).
//! The rules are numbered as in this folder's README.

mod chang_roberts;
mod properties;
mod textbook;

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

use crate::election::{
    About, AfterHealing, BugSpec, Costs, Election, Goal, Healing, Invariant, NeedOfTime, NodeSet, OptionSpec,
    Setup, Term, Value,
};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Chang and Roberts: the highest number met so far.
    Candidate { number: Id },
    /// Chang and Roberts: the number that came round.
    Elected { number: Id },
    /// Textbook: who is alive?
    Election { seen: NodeSet },
    /// Textbook: on its way to tell `leader` that it was the highest to be seen.
    Winner { leader: Id, seen: NodeSet },
    /// Textbook: `leader` announces itself; when this has been seen by all, it leads. Repeated as its heartbeat.
    Coordinator { leader: Id, attempt: Attempt, seen: NodeSet },
    /// Textbook: that one has arrived.
    Ack { of: Box<Message> },
}

/// Tells the announcements of a node apart: those of an earlier start, or of an earlier attempt to lead, are stale.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// The node's incarnation.
    start: u32,
    count: u32,
}

impl Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.start, self.count)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Knows of no leader.
    Searching,
    /// Chang and Roberts: has put a number on the ring, its own or a higher one.
    Participating,
    Following(Id),
    /// Textbook: has won, and waits for its announcement to come round.
    Elect,
    Leading,
}

/// What a node knows. Nothing of it survives a crash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    role: Role,
    /// The node's latest attempt to lead (textbook; not counted under Chang and Roberts).
    attempt: Attempt,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Nothing is heard of a leader: call an election.
    Monitor,
    /// Textbook: it is time for the leader to be heard again.
    Heartbeat,
    /// Textbook: `to` has not acknowledged this message, so it is dead.
    Skip { to: Id, message: Message },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    ChangRoberts,
    Textbook,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    DuplicateNumbers,
    SmallerNumbersPass,
    LeadsTooSoon,
    LeaderNotHalted,
    CoordinatorNotCompared,
    StaleAnnouncementCounts,
    OrphanAnnouncement,
    NoSkip,
    AcknowledgesFirst,
    InitiatorWins,
    RecoveryWaits,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Ring {
    nodes: usize,
    variant: Variant,
    /// In ticks; 0 if nobody watches the leader.
    heartbeat: u64,
    monitor: u64,
    /// A node is the more patient the lower it is.
    staggered: bool,
    bug: Option<Bug>,
}

/// The milliseconds of a tick.
const TICK: u32 = 10;

impl Ring {
    /// The node that comes after another.
    fn next(&self, id: Id) -> Id {
        Id::from((usize::from(id) + 1) % self.nodes)
    }

    fn duration(&self, id: Id, timer: &Timer) -> Range<Duration> {
        let higher = (self.nodes - 1 - usize::from(id)) as u64;
        let ticks = match timer {
            Timer::Monitor => self.monitor + if self.staggered { higher } else { 0 },
            Timer::Heartbeat => self.heartbeat,
            // An acknowledgement arrives within its tick.
            Timer::Skip { .. } => 1,
        };
        Duration::from_millis(ticks) * TICK..Duration::from_millis(ticks + 1) * TICK
    }

    fn set(&self, id: Id, timer: Timer, o: &mut Out<Self>) {
        let duration = self.duration(id, &timer);
        o.set_timer(timer, duration);
    }
}

impl Actor for Ring {
    type Msg = Message;
    type State = State;
    type Timer = Timer;
    type Random = ();
    type Storage = ();

    /// The first start of all: each node waits a little for somebody else to begin.
    fn on_start(&self, id: Id, _storage: &Option<()>, o: &mut Out<Self>) -> State {
        self.set(id, Timer::Monitor, o);
        State { role: Role::Searching, attempt: Attempt::default() }
    }

    fn on_msg(&self, id: Id, state: &mut Cow<'_, State>, src: Id, msg: Message, o: &mut Out<Self>) {
        match self.variant {
            Variant::ChangRoberts => self.on_number(id, state, msg, o),
            Variant::Textbook => self.on_token(id, state, src, msg, o),
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<'_, State>, timer: &Timer, o: &mut Out<Self>) {
        match (self.variant, timer) {
            (Variant::ChangRoberts, _) => self.participate(id, state, o),
            (Variant::Textbook, Timer::Monitor) => self.on_silence(id, state, o),
            (Variant::Textbook, Timer::Heartbeat) => self.on_heartbeat(id, state, o),
            (Variant::Textbook, Timer::Skip { to, message }) => self.on_skip(id, state, *to, message, o),
        }
    }
}

impl Election for Ring {
    type Witness = ();

    fn about() -> &'static About {
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let variant = match setup.text("variant") {
            "chang-roberts" => Variant::ChangRoberts,
            _ => Variant::Textbook,
        };
        let bug = setup.bug.map(bug_named);
        let (heartbeat, monitor) = (setup.number("heartbeat"), setup.number("monitor"));
        if setup.nodes < 2 {
            return Err("a ring needs at least 2 nodes".to_string());
        }
        if heartbeat == 1 {
            let why = "at a dead node each announcement would catch up with the one before, and start its wait anew";
            return Err(format!("heartbeat = 1: expected at least 2 (or 0, for none): {why}"));
        }
        if let Some(bug) = bug
            && bug.variant() != variant
        {
            let [here, there] = [variant, bug.variant()].map(Variant::name);
            return Err(format!(
                "bug `{}` is one of variant {there}, not of {here}",
                setup.bug.unwrap_or("")
            ));
        }
        // How long a follower may hear nothing from a live leader: an announcement waits a tick at each dead node.
        let silence = heartbeat + setup.nodes as u64 - 2;
        if monitor != 0 && monitor <= silence {
            return Err(format!(
                "monitor = {monitor}: expected more than heartbeat + nodes - 2 = {silence}, or a live leader may be \
                 suspected for ever, although nothing fails any more"
            ));
        }
        let monitor = if monitor == 0 { silence + 1 } else { monitor };
        let staggered = setup.flag("staggered");
        Ok(vec![Ring { nodes: setup.nodes, variant, heartbeat, monitor, staggered, bug }; setup.nodes])
    }

    /// A node that recovers calls an election, so that the highest one alive leads.
    fn start(&self, id: Id, incarnation: u32, storage: &Option<()>, o: &mut Out<Self>) -> State {
        if incarnation == 0 {
            return self.on_start(id, storage, o);
        }
        let attempt = Attempt { start: incarnation, count: 0 };
        let mut state = Cow::Owned(State { role: Role::Searching, attempt });
        match self.variant {
            Variant::ChangRoberts => self.participate(id, &mut state, o),
            Variant::Textbook if self.bug == Some(Bug::RecoveryWaits) => {}
            Variant::Textbook => self.call_election(id, &mut state, o),
        }
        state.into_owned()
    }

    /// No term in the sense of an election: the count of a node's attempts to lead, so that it can be bounded.
    fn term(&self, state: &State) -> Term {
        Term(state.attempt.count.into())
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        (state.role == Role::Leading).then_some(Term(0))
    }

    fn follows(&self, _: Id, state: &State) -> Option<(Term, Id)> {
        match state.role {
            Role::Following(leader) => Some((Term(0), leader)),
            _ => None,
        }
    }

    /// The coordinator coordinates everybody: whoever is alive and connected to it must follow it.
    fn is_quorum(&self, _: &State, _: usize, live: NodeSet, members: NodeSet) -> bool {
        live.iter().all(|id| members.contains(id))
    }

    /// Chang and Roberts' winner has nothing to learn from its own number, wherever it stands and whatever was planted. In
    /// the textbook ring nothing is dead: without terms, nothing says that a message cannot still have an effect.
    fn is_dead(&self, id: Id, _: &State, _: Id, msg: &Message) -> bool {
        matches!(msg, Message::Elected { number } if *number == self.number(id))
    }

    /// Of the textbook ring, which repairs itself as long as the leader is watched: the highest node alive leads, and
    /// everybody else alive knows.
    fn after_healing(nodes: &[Self]) -> Result<AfterHealing<Self>, String> {
        if nodes.iter().any(|node| node.variant == Variant::ChangRoberts) {
            return Err("Chang and Roberts' election is held once, and repairs nothing".to_string());
        }
        Ok(AfterHealing::highest_leads())
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        &[NeedOfTime { option: "heartbeat", not: Value::Number(0), but: Value::Number(2) }]
    }

    fn invariants() -> Vec<Invariant<Self>> {
        properties::invariants()
    }

    fn goals() -> Vec<Goal<Self>> {
        properties::goals()
    }
}

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Variant::ChangRoberts => "chang-roberts",
            Variant::Textbook => "textbook",
        }
    }
}

impl Bug {
    fn variant(self) -> Variant {
        match self {
            Bug::DuplicateNumbers | Bug::SmallerNumbersPass => Variant::ChangRoberts,
            _ => Variant::Textbook,
        }
    }
}

fn bug_named(name: &'static str) -> Bug {
    match name {
        "duplicate-numbers" => Bug::DuplicateNumbers,
        "smaller-numbers-pass" => Bug::SmallerNumbersPass,
        "leads-too-soon" => Bug::LeadsTooSoon,
        "leader-not-halted" => Bug::LeaderNotHalted,
        "coordinator-not-compared" => Bug::CoordinatorNotCompared,
        "stale-announcement-counts" => Bug::StaleAnnouncementCounts,
        "orphan-announcement" => Bug::OrphanAnnouncement,
        "no-skip" => Bug::NoSkip,
        "acknowledges-first" => Bug::AcknowledgesFirst,
        "initiator-wins" => Bug::InitiatorWins,
        "recovery-waits" => Bug::RecoveryWaits,
        other => panic!("ring has no bug {other}"),
    }
}

static ABOUT: About = About {
    name: "ring",
    title: "Ring election",
    source: "E. Chang, R. Roberts, An Improved Algorithm for Decentralized Extrema-Finding in Circular Configurations of \
             Processes, Communications of the ACM 22(5), 1979; the textbook version after Tanenbaum, van Steen \
             (Distributed Systems, ring algorithm)",
    has_terms: false,
    starts_led: false,
    options: &[
        OptionSpec {
            name: "variant",
            default: Value::Text("textbook"),
            allowed: &["textbook", "chang-roberts"],
            help: "textbook: collects identifiers and skips dead nodes; chang-roberts: one number goes round, no repair",
        },
        OptionSpec {
            name: "heartbeat",
            default: Value::Number(2),
            allowed: &[],
            help: "textbook: ticks between a leader's announcements, at least 2; 0: it speaks once, and nobody watches it",
        },
        OptionSpec {
            name: "monitor",
            default: Value::Number(0),
            allowed: &[],
            help: "ticks of silence after which an election is called; 0: the fewest that suspect no live leader while \
                   nothing fails",
        },
        OptionSpec {
            name: "staggered",
            default: Value::Flag(true),
            allowed: &[],
            help: "each node waits a tick longer than the next higher one, so that one of them calls the election",
        },
    ],
    bugs: &[
        BugSpec {
            name: "duplicate-numbers",
            summary: "The two highest nodes have the same number, and each takes the other's for its own.",
            rule: "The numbers are distinct (Chang and Roberts 1979, an assumption).",
            published: "An assumption stated in ChangRoberts.tla of the TLA+ examples.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "smaller-numbers-pass",
            summary: "A participant passes on numbers smaller than its own.",
            rule: "Rule C3: a participant swallows smaller numbers.",
            published: "The rule: Chang and Roberts 1979; Coulouris et al., section 15.3.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "leads-too-soon",
            summary: "The winner leads before its announcement has been round.",
            rule: "Rule T5: lead when the announcement comes back.",
            published: "The textbooks do not say when the coordinator starts to lead; our own analysis.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "leader-not-halted",
            summary: "A leader passes on a higher node's announcement and leads on.",
            rule: "Rule T6: whoever hears a higher node's announcement follows it.",
            published: "The same omission as in Bully: Garcia-Molina 1982 halts the old leader first.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "coordinator-not-compared",
            summary: "A node follows whoever announces itself, lower nodes included.",
            rule: "Rule T7: an announcement of a lower node is swallowed.",
            published: "The textbooks leave the comparison out, as they let the initiator alone decide; our own analysis.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "stale-announcement-counts",
            summary: "A winner takes any announcement of its own that comes round for the latest.",
            rule: "Rule T5: only the announcement of the present attempt counts.",
            published: "A token from before a restart, as in the Le Lann and Chang-Roberts folklore; our own analysis.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "orphan-announcement",
            summary: "Only the leader takes its announcement off the ring; if it has died, nobody does.",
            rule: "Rule T8: whoever sees a message for the second time takes it off the ring.",
            published: "The orphan of token rings (Le Lann 1977).",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        BugSpec {
            name: "no-skip",
            summary: "A message for a dead node is lost.",
            rule: "Rule T2: without an acknowledgement, try the node after.",
            published: "Chang and Roberts 1979 have no repair; the rule is Tanenbaum's.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        BugSpec {
            name: "acknowledges-first",
            summary: "A node acknowledges a message before it has passed it on.",
            rule: "Rule T2: the acknowledgement comes last, so that a message is never with nobody.",
            published: "Acknowledging before the work is done: the end-to-end argument (Saltzer, Reed, Clark 1984); our own \
                        analysis.",
            costs: Costs::Liveness(Healing::Hides("some monitor ends at last, and begins another election")),
        },
        BugSpec {
            name: "initiator-wins",
            summary: "Whoever closes the round takes itself for the winner, not the highest that was collected.",
            rule: "Rule T3: the highest identifier collected wins.",
            published: "A misreading of `the initiator sends the result round` (Tanenbaum, van Steen); our own analysis.",
            costs: Costs::Liveness(Healing::Hides(
                "in its turn the highest node asks, too, and nobody swallows its announcement",
            )),
        },
        BugSpec {
            name: "recovery-waits",
            summary: "A node that recovers does nothing until somebody speaks to it.",
            rule: "Rule T1: whoever recovers calls an election.",
            published: "The same omission as in Bully.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
    ],
    corpus: include_str!("scenarios.toml"),
};

#[cfg(test)]
mod tests;
