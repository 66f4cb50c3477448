//! Zab, the atomic broadcast of ZooKeeper.
//!
//! Junqueira, Reed, Serafini: "Zab: High-performance broadcast for primary-backup systems", DSN 2011, with Fast Leader
//! Election, which ZooKeeper puts before it as phase 0.
//!
//! A server is looking for a leader ([`fle`]), following one ([`follower`]) or trying to lead ([`leader`]). Whoever is
//! to lead learns from a quorum which epochs were promised, chooses a later one and has it promised (phase 1,
//! discovery), brings the followers' histories to its own (phase 2, synchronisation), and leads that epoch once a
//! quorum has acknowledged that (phase 3, broadcast).
//!
//! The README beside this file says what is simplified and why that is sound.

mod bugs;
mod fle;
mod follower;
mod leader;
mod properties;
mod state;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

use crate::election::{
    About, AfterHealing, Election, Healed, Invariant, Led, NeedOfTime, NodeStep, OptionSpec, Setup, Term,
    Value, node_name,
};
use bugs::Bug;
use state::*;

static ABOUT: About = About {
    name: "zab",
    title: "Zab",
    source: "Junqueira, Reed, Serafini: Zab: High-performance broadcast for primary-backup systems, DSN 2011; phase 0 \
             is Fast Leader Election of ZooKeeper 3.4 and later",
    has_terms: true,
    starts_led: false,
    options: &[
        OptionSpec {
            name: "election",
            default: Value::Text("fle"),
            allowed: &["fle", "oracle"],
            help: "fle: Fast Leader Election; oracle: whoever is looking for a leader is told to follow, or to be, any \
                   server whatsoever, which includes all that an election can do and leaves out its messages",
        },
        OptionSpec {
            name: "candidates",
            default: Value::Number(0),
            allowed: &[],
            help: "the oracle names only the first so many servers as leaders; 0: any",
        },
        OptionSpec {
            name: "values",
            default: Value::Number(0),
            allowed: &[],
            help: "how many transactions clients ask for in a whole run; 0 is the election and synchronisation alone",
        },
        OptionSpec {
            name: "pings",
            default: Value::Flag(true),
            allowed: &[],
            help: "send what only the passing of time needs: a leader's pings and their answers, repeated votes, repeated \
                   attempts to connect; without, an asynchronous run can do all the rest in fewer states",
        },
    ],
    bugs: &bugs::BUGS,
    corpus: include_str!("scenarios.toml"),
};

/// The key of the oracle's choice.
const ORACLE: &str = "oracle";

const RETRY: Range<Duration> = ticks(1, 2);
const FINALIZE: Range<Duration> = ticks(1, 2);
const PING: Range<Duration> = ticks(1, 2);
/// Several pings long, so that a living leader's reach a follower in time, and the answers its leader.
const CONTACT: Range<Duration> = ticks(4, 6);

const fn ticks(lo: u64, hi: u64) -> Range<Duration> {
    Duration::from_millis(10 * lo)..Duration::from_millis(10 * hi)
}

/// One server's configuration.
#[derive(Clone, Debug)]
pub struct Zab {
    count: usize,
    values: u32,
    /// An oracle stands in for the election, and names one of the first so many servers.
    oracle: Option<usize>,
    /// What only the passing of time needs is sent: pings, and repetitions.
    pings: bool,
    bug: Option<Bug>,
}

impl Zab {
    fn nodes(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.count).map(Id::from)
    }

    fn others(&self, id: Id) -> impl Iterator<Item = Id> + use<> {
        self.nodes().filter(move |&node| node != id)
    }

    fn is_majority(&self, members: usize) -> bool {
        members * 2 > self.count
    }
}

impl Actor for Zab {
    type Msg = Msg;
    type Timer = Timer;
    type State = Server;
    type Storage = Disk;
    type Random = Choice;

    fn name(&self) -> String {
        "Server".to_string()
    }

    fn on_start(&self, id: Id, storage: &Option<Disk>, o: &mut Out<Self>) -> Server {
        self.start(id, 0, storage, o)
    }

    fn on_msg(&self, id: Id, state: &mut Cow<Server>, src: Id, msg: Msg, o: &mut Out<Self>) {
        match msg {
            Msg::Notification { link, vote } => self.on_notification(id, state, src, (link, vote), o),
            Msg::Settled { link, settled } => self.on_settled(id, state, src, (link, settled), o),
            Msg::Report { link, place, report } => self.on_report(id, state, src, (link, place, report), o),
            Msg::Packet { link, place, packet } => self.on_packet(id, state, src, (link, place, packet), o),
            Msg::Ping { link, written } => self.on_ping(id, state, src, (link, written), o),
            Msg::Pong { link, written } => self.on_pong(state, src, (link, written)),
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<Server>, timer: &Timer, o: &mut Out<Self>) {
        match (timer, &state.role) {
            (Timer::Finalize, _) => self.on_finalize(id, state, o),
            (Timer::Retry, Role::Looking(looking)) => self.repeat_vote(id, state, looking, o),
            (Timer::Retry, Role::Following(following)) => self.reconnect(state, following, o),
            (Timer::Ping, Role::Leading(leading)) => self.on_ping_due(leading, o),
            (Timer::Contact, Role::Following(_)) => self.look(id, state.to_mut(), o),
            (Timer::Contact, Role::Leading(_)) => self.on_no_contact(id, state, o),
            _ => {}
        }
    }

    fn on_random(&self, id: Id, state: &mut Cow<Server>, choice: &Choice, o: &mut Out<Self>) {
        match *choice {
            Choice::Elect(leader) => self.settle(id, state.to_mut(), leader, o),
            Choice::Broadcast => self.on_broadcast(id, state.to_mut(), o),
        }
    }
}

fn all_have_delivered(healed: &Healed<'_, Zab>) -> Result<Option<Led>, String> {
    let led = healed.followed_leader()?;
    let (_, leader) = healed.get(led.0).expect("a leader is up");
    let may_follow = |server: &Server| server.disk.accepted <= leader.disk.accepted;
    let followers = || healed.live().filter(|(_, _, server)| may_follow(server));
    healed.all_follow(led, followers().map(|(id, ..)| id).collect())?;
    match followers().find(|(_, _, server)| server.delivered() != leader.disk.history) {
        Some((id, ..)) => {
            Err(format!("{} has not delivered the history of {}", node_name(id), node_name(led.0)))
        }
        None => Ok(Some(led)),
    }
}

impl Election for Zab {
    type Witness = properties::Memory;

    fn about() -> &'static About {
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let bug = match setup.bug {
            None => None,
            Some(name) => Some(Bug::named(name).ok_or_else(|| format!("Zab has no bug `{name}`"))?),
        };
        if setup.nodes < 2 {
            let why = "alone, it hears of no vote, never looks at its own, and nobody ever leads";
            return Err(format!("an ensemble needs at least 2 servers: {why}"));
        }
        let candidates = match setup.number("candidates") {
            0 => setup.nodes,
            some if some <= setup.nodes as u64 => some as usize,
            many => return Err(format!("{many} candidates of {} servers", setup.nodes)),
        };
        let server = Zab {
            count: setup.nodes,
            values: u32::try_from(setup.number("values")).map_err(|_| "too many values".to_string())?,
            oracle: (setup.text("election") == "oracle").then_some(candidates),
            pings: setup.flag("pings"),
            bug,
        };
        Ok(vec![server; setup.nodes])
    }

    fn start(&self, id: Id, incarnation: u32, storage: &Option<Disk>, o: &mut Out<Self>) -> Server {
        let disk = storage.clone().unwrap_or_default();
        if storage.is_none() && incarnation == 0 {
            // Set up once, so that a disk found empty later is known to have been lost.
            o.save(disk.clone());
        }
        let mut server = Server {
            link: Link { incarnation, round: 0 },
            disk,
            delivered: 0,
            initialised: storage.is_some() || incarnation == 0 || self.bug == Some(Bug::EmptyDiskVotes),
            role: Role::Looking(Looking { vote: None, votes: BTreeMap::new(), settled: BTreeMap::new() }),
        };
        self.look(id, &mut server, o);
        server
    }

    /// The later of the epoch promised and the round of the election: both grow without end.
    fn term(&self, server: &Server) -> Term {
        Term(server.disk.accepted.0.max(server.link.round).into())
    }

    fn leads(&self, _: Id, server: &Server) -> Option<Term> {
        match &server.role {
            Role::Leading(leading) if leading.stand == Stand::Broadcast => {
                Some(Term(server.disk.current.0.into()))
            }
            _ => None,
        }
    }

    fn follows(&self, _: Id, server: &Server) -> Option<(Term, Id)> {
        match &server.role {
            Role::Following(Following { leader, phase: Phase::Synchronised | Phase::Broadcast, .. }) => {
                Some((Term(server.disk.accepted.0.into()), *leader))
            }
            _ => None,
        }
    }

    fn inputs(nodes: &[Self]) -> u32 {
        nodes.first().map_or(0, |server| server.values)
    }

    fn observe(memory: &properties::Memory, step: &NodeStep<'_, Self>) -> Option<properties::Memory> {
        properties::observe(memory, step)
    }

    /// Everybody who may follow the leader does, and has delivered its whole history. Who has promised a later epoch may not
    /// (f.1.2), until there is another leader. A server that has lost its disk has no say in who leads, so it does not count
    /// as up.
    fn after_healing(nodes: &[Self]) -> Result<AfterHealing<Self>, String> {
        if nodes.iter().any(|server| server.oracle.is_some()) {
            return Err("the oracle may name another leader to each server, again and again".to_string());
        }
        Ok(AfterHealing {
            meaning: "a leader comes about that every server that is up and has promised no later epoch follows, and all of \
                      them have delivered its history",
            recovered: all_have_delivered,
            can_recover: |healed| {
                let voters = healed.live().filter(|(_, _, server)| server.initialised);
                healed.has_quorum_of(voters.map(|(id, ..)| id).collect())
            },
            ..AfterHealing::all_follow_a_leader()
        })
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        &[NeedOfTime { option: "pings", not: Value::Flag(false), but: Value::Flag(true) }]
    }

    fn invariants() -> Vec<Invariant<Self>> {
        properties::all()
    }

    fn is_dead(&self, _: Id, server: &Server, src: Id, msg: &Msg) -> bool {
        match msg {
            // Whoever meets it answers it or learns from it, after a restart at the latest.
            Msg::Notification { .. } => false,
            // A server's links only grow, and it leaves the election once under each.
            Msg::Settled { link, .. } => {
                *link < server.link || (*link == server.link && !matches!(server.role, Role::Looking(_)))
            }
            Msg::Packet { packet: Packet::Propose { .. }, .. } if self.bug == Some(Bug::LogsAfterLeaving) => {
                false
            }
            // A connection is opened when the election is left, once under each link.
            Msg::Packet { link, place, .. } => match &server.role {
                Role::Following(f) if f.channel.link == *link => f.leader != src || *place <= f.channel.read,
                Role::Leading(_) => *link <= server.link,
                _ => *link < server.link,
            },
            Msg::Ping { link, .. } => match &server.role {
                Role::Following(f) if f.channel.link == *link => f.leader != src,
                Role::Leading(_) => *link <= server.link,
                _ => *link < server.link,
            },
            Msg::Report { link, place, report } => {
                // A later attempt to lead would welcome FOLLOWERINFO.
                let Some(epoch) = report.epoch() else { return false };
                // All else answers this server as the leader of an epoch, which it tries to lead once.
                let open = match &server.role {
                    Role::Leading(leading) => match leading.learners.get(&src) {
                        Some(learner) if learner.channel.link == *link => *place > learner.channel.read,
                        _ => leading.is_new(src, *link),
                    },
                    _ => false,
                };
                epoch < server.disk.accepted
                    || (epoch == server.disk.accepted && !(open && server.attempt() == Some(epoch)))
            }
            Msg::Pong { .. } => false,
        }
    }
}
