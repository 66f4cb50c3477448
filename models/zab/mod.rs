//! Zab, the atomic broadcast of ZooKeeper.
//!
//! Junqueira, Reed, Serafini: "Zab: High-performance broadcast for primary-backup systems", DSN
//! 2011, with Fast Leader Election, which ZooKeeper puts before it as phase 0.
//!
//! The protocol stands in the files of its phases, step by step. A server is looking for a leader
//! (phase 0, `election`), following one, or trying to lead. Whoever is to lead learns from a
//! quorum which epochs were promised, chooses a later one and has it promised (phase 1,
//! `discovery`). It brings the followers' histories to its own (phase 2, `synchronisation`),
//! and leads that epoch once a quorum has acknowledged that (phase 3, `broadcast`). Leader and
//! follower speak over numbered connections (`connection`).
//!
//! What must hold stands in `properties` (the paper's) and `rules` (step by step), with what
//! they remember in `witness`; what a run can reach in `goals`; options in `about`, mistakes
//! to plant in `bugs`. The README beside this file says what is simplified and why that is sound.

mod about;
mod broadcast;
mod bugs;
mod connection;
mod counting;
mod dead;
mod discovery;
mod election;
mod goals;
mod healing;
mod message;
mod properties;
mod reading;
mod renumbering;
mod rules;
mod sending;
mod state;
mod synchronisation;
mod telling;
#[cfg(test)]
mod tests;
mod turn;
mod witness;

use std::borrow::Cow;

use stateright::actor::{Actor, Id, Out};

use crate::election::{
    About, AfterHealing, Counter, Counting, Deed, Election, Goal, Invariant, NeedOfTime, NodeStep,
    Part, Setup, Snapshot, SortedMap, Term, Value,
};
use bugs::Bug;
pub use message::{Choice, Message, Packet, Report, Settled, Sync, Timer, Vote};
pub use state::{
    Channel, Disk, Epoch, Following, Leading, Learner, Link, Looking, Phase, Role, Stage, Stand,
    State, Txn, Zxid,
};
pub use witness::{Primary, Support, Witness};

/// A server's configuration: what does not change while it runs.
#[derive(Clone, Debug)]
pub struct Zab {
    count: usize,
    values: u32,
    /// If given, an oracle replaces the election, and names one of the first so many servers.
    oracle: Option<usize>,
    /// Whether to send messages that only the passing of time needs: pings, and repetitions.
    pings: bool,
    /// In ticks: how long a word of the leader, or of a quorum of followers, is waited for at
    /// least.
    contact: u64,
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
    type Msg = Message;
    type Timer = Timer;
    type State = State;
    type Storage = Disk;
    type Random = Choice;

    fn name(&self) -> String {
        "Server".to_string()
    }

    fn on_start(&self, id: Id, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        self.start(id, 0, storage, o)
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, o: &mut Out<Self>) {
        let mut turn = self.turn(id, state, o);
        match msg {
            Message::Notification { link, vote } => turn.on_notification(src, link, vote),
            Message::Settled { link, settled } => turn.on_settled(src, link, settled),
            Message::Report { link, place, report } => turn.on_report(src, link, place, report),
            Message::Packet { link, place, packet } => turn.on_packet(src, link, place, packet),
            Message::Ping { link, written } => turn.on_ping(src, link, written),
            Message::Pong { link, written } => turn.on_pong(src, link, written),
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, o: &mut Out<Self>) {
        let mut turn = self.turn(id, state, o);
        match timer {
            Timer::Finalize => turn.on_finalize(),
            Timer::Retry => turn.on_retry(),
            Timer::Ping => turn.on_ping_due(),
            Timer::Contact => turn.on_no_contact(),
        }
    }

    fn on_random(&self, id: Id, state: &mut Cow<State>, choice: &Choice, o: &mut Out<Self>) {
        let mut turn = self.turn(id, state, o);
        match *choice {
            Choice::Elect(leader) => turn.settle(leader),
            Choice::Broadcast(value) => turn.on_broadcast(value),
        }
    }
}

impl Election for Zab {
    type Witness = Witness;

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    /// A server finds what is on its disk and goes to the election.
    fn start(&self, id: Id, incarnation: u32, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        let disk = storage.clone().unwrap_or_default();
        if storage.is_none() && incarnation == 0 {
            // Written at the first start, so that an empty disk is known to have been lost.
            o.save(disk.clone());
        }
        let is_set_up = storage.is_some() || incarnation == 0;
        let (votes, settled) = (SortedMap::new(), SortedMap::new());
        let mut state = Cow::Owned(State {
            link: Link { incarnation, round: 0 },
            disk,
            delivered: 0,
            initialised: is_set_up || self.bug == Some(Bug::EmptyDiskVotes),
            role: Role::Looking(Looking { vote: None, votes, settled }),
        });
        self.turn(id, &mut state, o).look();
        state.into_owned()
    }

    /// The epoch promised.
    fn term(&self, state: &State) -> Term {
        Term(state.disk.accepted.0.into())
    }

    /// The round of the election: it grows with each return to phase 0, whether that leads to an
    /// epoch or not.
    fn round(&self, state: &State) -> u32 {
        state.link.round
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        match &state.role {
            Role::Leading(leading) if leading.stand == Stand::Broadcast => {
                Some(Term(state.disk.current.0.into()))
            }
            _ => None,
        }
    }

    fn follows(&self, _: Id, state: &State) -> Option<(Term, Id)> {
        match &state.role {
            Role::Following(Following {
                leader,
                phase: Phase::Synchronised | Phase::Broadcast,
                ..
            }) => Some((Term(state.disk.accepted.0.into()), *leader)),
            _ => None,
        }
    }

    /// What the paper calls the history.
    fn log(&self, state: &State) -> Option<Vec<u64>> {
        Some(state.disk.history.iter().map(|txn| txn.value.into()).collect())
    }

    fn inputs(nodes: &[Self]) -> u32 {
        nodes.first().map_or(0, |server| server.values)
    }

    fn input_number(input: &Choice) -> Option<u32> {
        match input {
            Choice::Broadcast(value) => Some(*value),
            Choice::Elect(_) => None,
        }
    }

    fn observe(witness: &Witness, step: &NodeStep<'_, Self>) -> Option<Witness> {
        witness::observe(witness, step)
    }

    fn invariants() -> Vec<Invariant<Self>> {
        properties::invariants()
    }

    fn goals() -> Vec<Goal<Self>> {
        goals::goals()
    }

    fn is_dead(&self, _: Id, state: &State, src: Id, msg: &Message) -> bool {
        dead::is_dead(self, state, src, msg)
    }

    fn countings(_: &[Self]) -> Vec<Counting> {
        renumbering::countings()
    }

    fn renumber(part: Part<'_, Self>, new: &mut dyn FnMut(Counter, u64) -> u64) {
        renumbering::renumber(part, new);
    }

    fn simplify(snapshot: &mut Snapshot<'_, Self>) {
        renumbering::simplify(snapshot);
    }

    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        telling::tell(deed)
    }

    fn term_name(term: Term, _: usize) -> String {
        format!("epoch {term}")
    }

    fn after_healing(nodes: &[Self]) -> Result<AfterHealing<Self>, String> {
        healing::after_healing(nodes)
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        &[NeedOfTime { option: "pings", not: Value::Flag(false), but: Value::Flag(true) }]
    }
}
