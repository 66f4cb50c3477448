//! The Bully election (Garcia-Molina, 1982), in the form in which it is taught today.
//!
//! Every node knows all others. The highest live identifier is to lead, and takes the lead from whoever has it. Three
//! messages: ELECTION asks the higher nodes whether one of them is alive, ANSWER says so, COORDINATOR announces the
//! winner, and is repeated by it as its heartbeat. The rules below are numbered as in this folder's README.
//!
//! There are no terms: at most one live node may lead whenever time passes (in every state where time is not modelled).
//! That holds as long as time can be trusted (a message arrives before the shortest timeout ends, a silent node is dead)
//! and nothing is lost or cut; the corpus drops each of these assumptions in turn. Left out on purpose: Garcia-Molina's
//! reorganisation of the work to be done, and hence his READY. Of his HALT only this is left: a leader that reads
//! COORDINATOR stops. The new one leads already, so two may lead within a tick.

mod properties;

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

use crate::election::{
    About, AfterHealing, BugSpec, Costs, Election, Goal, Healing, Invariant, NeedOfTime, NodeSet, OptionSpec,
    Setup, Term, Value,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Is anybody higher alive?
    Election,
    /// Yes: leave it to me.
    Answer,
    /// I lead; with quorums: I would.
    Coordinator,
    /// With quorums: you may, as far as I am concerned.
    Accept,
}

/// What a node is doing. It is all that a node knows, and nothing of it survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Was started for the first time and has called no election: gives the others time to be heard.
    Idle,
    /// Has asked the higher nodes, and waits for an answer.
    Electing,
    /// Was answered by a higher node, and waits for a coordinator to be announced.
    Waiting,
    Following(Id),
    /// With quorums: has won, and has been accepted by these, itself included, which are no majority.
    Claiming(NodeSet),
    Leading,
}

/// Each role has one timer, and a node only ever has the timer of its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Electing: no higher node has answered.
    Answer,
    /// Waiting (then it is the second wait) or idle: no coordinator was announced.
    Coordinator,
    /// Following: the leader is silent.
    Monitor,
    /// Leading or claiming: it is time to be heard again.
    Heartbeat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    LastCoordinatorWins,
    LeaderNotHalted,
    ElectionGoesOn,
    BusyNodesAreSilent,
    RecoversAsLeader,
    NoSecondWait,
    RecoveryWaits,
    IgnoresLowerClaims,
    AsksTheNextOnly,
    LateAnswersCount,
    HalfIsEnough,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Bully {
    nodes: usize,
    /// COORDINATOR goes to all others, not only to the lower ones.
    tells_all: bool,
    /// A winner leads once a majority accepts it, not at once.
    needs_majority: bool,
    /// In ticks; 0 if nobody watches the leader.
    heartbeat: u64,
    answer: u64,
    coordinator: u64,
    monitor: u64,
    /// By how many ticks a timeout may be late.
    slack: u64,
    bug: Option<Bug>,
}

/// The milliseconds of a tick.
const TICK: u32 = 10;

impl Bully {
    fn duration(&self, timer: Timer) -> Range<Duration> {
        let (first, slack) = match timer {
            Timer::Answer => (self.answer, self.slack),
            Timer::Coordinator => (self.coordinator, self.slack),
            Timer::Monitor => (self.monitor, self.slack),
            Timer::Heartbeat => (self.heartbeat, 0),
        };
        Duration::from_millis(first) * TICK..Duration::from_millis(first + slack + 1) * TICK
    }

    fn timer_of(&self, role: Role) -> Option<Timer> {
        match role {
            Role::Electing => Some(Timer::Answer),
            Role::Idle | Role::Waiting => Some(Timer::Coordinator),
            Role::Following(_) => (self.heartbeat > 0).then_some(Timer::Monitor),
            Role::Claiming(_) | Role::Leading => (self.heartbeat > 0).then_some(Timer::Heartbeat),
        }
    }

    /// Takes a role: its timer starts, the timer of the role before it stops.
    fn take(&self, role: &mut Cow<'_, Role>, next: Role, o: &mut Out<Self>) {
        let (old, new) = (self.timer_of(**role), self.timer_of(next));
        if let Some(old) = old.filter(|_| old != new) {
            o.cancel_timer(old);
        }
        self.begin(next, o);
        if **role != next {
            *role.to_mut() = next;
        }
    }

    /// Starts the timer of a role.
    fn begin(&self, role: Role, o: &mut Out<Self>) {
        if let Some(timer) = self.timer_of(role) {
            o.set_timer(timer, self.duration(timer));
        }
    }

    fn higher(&self, id: Id) -> impl Iterator<Item = Id> {
        (usize::from(id) + 1..self.nodes).map(Id::from)
    }

    fn announce(&self, id: Id, o: &mut Out<Self>) {
        let lower = (0..usize::from(id)).map(Id::from);
        let also_higher = self.higher(id).filter(|_| self.tells_all);
        lower.chain(also_higher).for_each(|other| o.send(other, Message::Coordinator));
    }

    /// Rule 1: an election asks every higher node. A node that has none above it has won already.
    /// Returns the role in which this leaves the node.
    fn call_election(&self, id: Id, o: &mut Out<Self>) -> Role {
        let asked = if self.bug == Some(Bug::AsksTheNextOnly) { 1 } else { self.nodes };
        self.higher(id).take(asked).for_each(|other| o.send(other, Message::Election));
        if self.higher(id).next().is_some() { Role::Electing } else { self.win(id, o) }
    }

    /// Rule 4: the winner announces itself.
    fn win(&self, id: Id, o: &mut Out<Self>) -> Role {
        self.announce(id, o);
        self.accepted_by([id].into_iter().collect())
    }

    /// What a winner is: without quorums, a leader; with them, only once a majority of all nodes accepts it.
    fn accepted_by(&self, nodes: NodeSet) -> Role {
        let is_half = self.bug == Some(Bug::HalfIsEnough) && nodes.len() * 2 == self.nodes;
        if !self.needs_majority || nodes.len() * 2 > self.nodes || is_half {
            Role::Leading
        } else {
            Role::Claiming(nodes)
        }
    }

    fn on_accept(&self, role: &mut Cow<'_, Role>, src: Id, o: &mut Out<Self>) {
        if let Role::Claiming(mut nodes) = **role
            && !nodes.contains(src)
        {
            nodes.insert(src);
            self.take(role, self.accepted_by(nodes), o);
        }
    }

    /// Rule 2: a higher node answers, and sees to the rest itself: it holds an election, unless it is holding one.
    fn on_election(&self, id: Id, role: &mut Cow<'_, Role>, src: Id, o: &mut Out<Self>) {
        let busy = matches!(**role, Role::Electing | Role::Leading);
        if busy && self.bug == Some(Bug::BusyNodesAreSilent) {
            return;
        }
        o.send(src, Message::Answer);
        self.hold_election(id, role, o);
    }

    fn hold_election(&self, id: Id, role: &mut Cow<'_, Role>, o: &mut Out<Self>) {
        if !matches!(**role, Role::Electing | Role::Waiting) {
            let next = self.call_election(id, o);
            self.take(role, next, o);
        }
    }

    /// Rule 3: one answer is enough to give up, and to wait for a coordinator instead. A late answer says nothing.
    fn on_answer(&self, role: &mut Cow<'_, Role>, o: &mut Out<Self>) {
        if **role != Role::Electing && self.bug != Some(Bug::LateAnswersCount) {
            return;
        }
        self.take(role, Role::Waiting, o);
        if self.bug == Some(Bug::NoSecondWait) {
            o.cancel_timer(Timer::Coordinator);
        }
    }

    fn on_coordinator(&self, id: Id, role: &mut Cow<'_, Role>, src: Id, o: &mut Out<Self>) {
        if src > id || self.bug == Some(Bug::LastCoordinatorWins) {
            self.follow(role, src, o);
            if self.needs_majority {
                o.send(src, Message::Accept);
            }
        } else if self.bug != Some(Bug::IgnoresLowerClaims) {
            // Rule 6: a lower node cannot lead while this one is alive, so it is bullied out of the lead.
            self.hold_election(id, role, o);
        }
    }

    /// Rule 5: a higher node that announces itself is followed, whatever this node was doing: an election ends, a
    /// leader stops. The same announcement, repeated, shows that the leader is alive.
    fn follow(&self, role: &mut Cow<'_, Role>, leader: Id, o: &mut Out<Self>) {
        match **role {
            Role::Leading if self.bug == Some(Bug::LeaderNotHalted) => {}
            Role::Following(known) if known == leader => self.begin(**role, o),
            Role::Electing if self.bug == Some(Bug::ElectionGoesOn) => {
                self.begin(Role::Following(leader), o);
                *role.to_mut() = Role::Following(leader);
            }
            _ => self.take(role, Role::Following(leader), o),
        }
    }
}

impl Actor for Bully {
    type Msg = Message;
    type State = Role;
    type Timer = Timer;
    type Random = ();
    type Storage = ();

    /// The first start of all: nobody has called an election, and each node gives the others time to be heard.
    fn on_start(&self, _id: Id, _storage: &Option<()>, o: &mut Out<Self>) -> Role {
        self.begin(Role::Idle, o);
        Role::Idle
    }

    fn on_msg(&self, id: Id, role: &mut Cow<'_, Role>, src: Id, msg: Message, o: &mut Out<Self>) {
        match msg {
            Message::Election => self.on_election(id, role, src, o),
            Message::Answer => self.on_answer(role, o),
            Message::Coordinator => self.on_coordinator(id, role, src, o),
            Message::Accept => self.on_accept(role, src, o),
        }
    }

    fn on_timeout(&self, id: Id, role: &mut Cow<'_, Role>, timer: &Timer, o: &mut Out<Self>) {
        match timer {
            // Rule 4: no higher node has answered, so none is alive.
            Timer::Answer => {
                let next = self.win(id, o);
                self.take(role, next, o);
            }
            // Rule 7: who answered has died, or the leader has, or there never was one: back to rule 1.
            Timer::Coordinator | Timer::Monitor => {
                let next = self.call_election(id, o);
                self.take(role, next, o);
            }
            Timer::Heartbeat => {
                self.announce(id, o);
                self.begin(**role, o);
            }
        }
    }
}

impl Election for Bully {
    type Witness = ();

    fn about() -> &'static About {
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let node = Bully {
            nodes: setup.nodes,
            tells_all: setup.text("announce_to") == "all",
            needs_majority: setup.text("quorum") == "majority",
            heartbeat: setup.number("heartbeat"),
            answer: setup.number("answer"),
            coordinator: setup.number("coordinator"),
            monitor: setup.number("monitor"),
            slack: setup.number("slack"),
            bug: setup.bug.map(bug_named),
        };
        let Bully { heartbeat, answer, coordinator, monitor, slack, .. } = node;
        if answer == 0 {
            return Err("answer = 0: an answer needs at least one tick to arrive".to_string());
        }
        if coordinator <= answer + slack {
            return Err(format!(
                "coordinator = {coordinator}: a node that was answered must wait longer than the answering node's own \
                 election takes, which is answer + slack = {}",
                answer + slack
            ));
        }
        if heartbeat > 0 && monitor <= heartbeat.max(answer + slack) {
            return Err(format!(
                "monitor = {monitor}: expected more than heartbeat = {heartbeat} and answer + slack = {}, or a live \
                 leader may be suspected for ever, although nothing fails",
                answer + slack
            ));
        }
        Ok(vec![node; setup.nodes])
    }

    /// Rule 8: a node that recovers calls an election, so that the highest one alive leads. At its first start it only waits.
    fn start(&self, id: Id, incarnation: u32, storage: &Option<()>, o: &mut Out<Self>) -> Role {
        let role = match self.bug {
            _ if incarnation == 0 => return self.on_start(id, storage, o),
            Some(Bug::RecoveryWaits) => return Role::Idle,
            Some(Bug::RecoversAsLeader) => self.win(id, o),
            _ => self.call_election(id, o),
        };
        self.begin(role, o);
        role
    }

    fn term(&self, _: &Role) -> Term {
        Term(0)
    }

    fn leads(&self, _: Id, role: &Role) -> Option<Term> {
        (*role == Role::Leading).then_some(Term(0))
    }

    fn follows(&self, _: Id, role: &Role) -> Option<(Term, Id)> {
        match role {
            Role::Following(leader) => Some((Term(0), *leader)),
            _ => None,
        }
    }

    /// The coordinator coordinates everybody: whoever is alive and connected to it must follow it.
    fn is_quorum(&self, _: &Role, nodes: usize, live: NodeSet, members: NodeSet) -> bool {
        if self.needs_majority {
            return members.len() * 2 > nodes;
        }
        live.iter().all(|id| members.contains(id))
    }

    /// The textbooks' theorem: the highest node alive leads, and everybody else alive follows it. It needs a leader that is
    /// watched.
    fn after_healing(_: &[Self]) -> Result<AfterHealing<Self>, String> {
        Ok(AfterHealing::highest_leads())
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        &[NeedOfTime { option: "heartbeat", not: Value::Number(0), but: Value::Number(1) }]
    }

    fn invariants() -> Vec<Invariant<Self>> {
        properties::invariants()
    }

    fn goals() -> Vec<Goal<Self>> {
        properties::goals()
    }
}

fn bug_named(name: &'static str) -> Bug {
    match name {
        "last-coordinator-wins" => Bug::LastCoordinatorWins,
        "leader-not-halted" => Bug::LeaderNotHalted,
        "election-goes-on" => Bug::ElectionGoesOn,
        "busy-nodes-are-silent" => Bug::BusyNodesAreSilent,
        "recovers-as-leader" => Bug::RecoversAsLeader,
        "no-second-wait" => Bug::NoSecondWait,
        "recovery-waits" => Bug::RecoveryWaits,
        "ignores-lower-claims" => Bug::IgnoresLowerClaims,
        "asks-the-next-only" => Bug::AsksTheNextOnly,
        "late-answers-count" => Bug::LateAnswersCount,
        "half-is-enough" => Bug::HalfIsEnough,
        other => panic!("bully has no bug {other}"),
    }
}

const fn ticks(name: &'static str, default: u64, help: &'static str) -> OptionSpec {
    OptionSpec { name, default: Value::Number(default), allowed: &[], help }
}

static ABOUT: About = About {
    name: "bully",
    title: "Bully election",
    source: "H. Garcia-Molina, Elections in a Distributed Computing System, IEEE Transactions on Computers C-31(1), 1982; \
             as taught by Coulouris, Dollimore, Kindberg, Blair (Distributed Systems, 15.3) and Tanenbaum, van Steen",
    has_terms: false,
    starts_led: false,
    options: &[
        OptionSpec {
            name: "announce_to",
            default: Value::Text("all"),
            allowed: &["all", "lower"],
            help: "who is told of a winner: all others (Tanenbaum) or only the lower ones (Coulouris)",
        },
        OptionSpec {
            name: "quorum",
            default: Value::Text("none"),
            allowed: &["none", "majority"],
            help: "who must accept a winner before it leads: nobody, or a majority of all nodes, up or down",
        },
        ticks(
            "heartbeat",
            1,
            "ticks between a leader's announcements; 0: it speaks once, and nobody watches it",
        ),
        ticks("answer", 1, "ticks that a node waits for an answer before it leads"),
        ticks("coordinator", 2, "ticks that a node waits for a coordinator once it was answered"),
        ticks("monitor", 2, "ticks of silence after which a leader is taken for dead"),
        ticks("slack", 0, "by how many ticks each of the three waits may be late"),
    ],
    bugs: &[
        BugSpec {
            name: "last-coordinator-wins",
            summary: "A node follows whoever announced itself last, lower nodes included, and does not object.",
            rule: "Rule 6: on COORDINATOR from a lower node, hold an election.",
            published: "The textbooks state no comparison; Wikipedia, Bully algorithm, adds it.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "leader-not-halted",
            summary: "A leader does not stop leading when a higher node announces itself.",
            rule: "Rule 5: a leader that hears a higher node's announcement stops.",
            published: "Garcia-Molina 1982: the new coordinator sends HALT before anything else.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "election-goes-on",
            summary: "A node that waits for answers follows the coordinator announced meanwhile, but lets its answer \
                      timeout run on.",
            rule: "Rule 5: an announcement ends the election of whoever hears it.",
            published: "Our own analysis.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "busy-nodes-are-silent",
            summary: "A node that is electing or leading already takes no notice of ELECTION.",
            rule: "Rule 2: answer in any case; only a second election is left out.",
            published: "A misreading of `unless it has begun one already` (Coulouris et al., 15.3); our own analysis.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "recovers-as-leader",
            summary: "A node that recovers announces itself without an election, whether or not it is the highest.",
            rule: "Rule 8: a recovering node calls an election.",
            published: "Coulouris et al., 15.3, let only the highest process do this.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "no-second-wait",
            summary: "A node that was answered waits for a coordinator for ever, even if the answering node has died.",
            rule: "Rule 7: if no coordinator is announced in time, call another election.",
            published: "The rule: Wikipedia, Bully algorithm; Coulouris et al., 15.3.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        BugSpec {
            name: "recovery-waits",
            summary: "A node that recovers does nothing until somebody speaks to it.",
            rule: "Rule 8: a recovering node calls an election.",
            published: "The rule: Garcia-Molina 1982; Coulouris et al., 15.3.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        BugSpec {
            name: "ignores-lower-claims",
            summary: "A node takes no notice of a lower node's announcement.",
            rule: "Rule 6: on COORDINATOR from a lower node, hold an election.",
            published: "A control as long as no message is lost: then this rule only saves time. A lost announcement is \
                        mended by it. Our own analysis.",
            costs: Costs::Nothing,
        },
        BugSpec {
            name: "asks-the-next-only",
            summary: "A node asks only the next higher node, and takes that one's silence for everybody's.",
            rule: "Rule 1: an election asks all higher nodes.",
            published: "The rule: Garcia-Molina 1982; Coulouris et al., 15.3. The mistake: our own analysis.",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "late-answers-count",
            summary: "An answer makes a node wait whatever it is doing, so that a late one stops a leader.",
            rule: "Rule 3: an answer ends only the asking.",
            published: "Our own analysis.",
            costs: Costs::Liveness(Healing::Hides(
                "who has given up waits for a coordinator, and then calls an election again",
            )),
        },
        BugSpec {
            name: "half-is-enough",
            summary: "With quorums, a winner leads once half of all nodes accept it.",
            rule: "Rule 4: a majority, which no two halves are.",
            published: "Elasticsearch's discovery.zen.minimum_master_nodes set to half of the nodes, as its manual warns.",
            costs: Costs::Safety,
        },
    ],
    corpus: include_str!("scenarios.toml"),
};

#[cfg(test)]
mod tests;
