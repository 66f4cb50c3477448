//! Raft, after the extended version of "In Search of an Understandable Consensus Algorithm" (Ongaro
//! and Ousterhout, 2014); "figure 2" in this folder is that paper's. PreVote, CheckQuorum and
//! changes by one server are those of Ongaro's thesis (2014), "thesis" in this folder.
//!
//! The protocol stands in the files of its sections, rule by rule: `terms` (5.1), `election`
//! (5.2), `replication` (5.3, 5.4), `member_changes` (6), `pre_vote` and `check_quorum`
//! (thesis). Each handler names the rule that it carries out, and each planted bug is one `if` at
//! the rule that it breaks. They rely on `turn` (one call of a handler), `state`, `message`,
//! `log` and `members` (configurations and their quorums).
//!
//! What must hold stands in `properties` (figure 3) and `rules` (figures 2 and 4, step by
//! step), with what they remember in `witness`; what a run can reach in `goals`; options in
//! `about`, mistakes to plant in `bugs`. What is left out on purpose: see the README beside
//! this file.

mod about;
mod bugs;
mod check_quorum;
mod dead;
mod election;
mod goals;
mod healing;
mod log;
mod member_changes;
mod members;
mod message;
mod pre_vote;
mod properties;
mod renumbering;
mod replication;
mod rules;
mod state;
mod telling;
mod terms;
#[cfg(test)]
mod tests;
mod turn;
mod witness;

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

pub use log::Log;
pub use members::Members;
pub use message::{Command, Entry, Message, Position, Timer};
pub use state::{Disk, Leadership, Progress, Role, State};
pub use witness::Witness;

use bugs::Bug;
use members::Membership;
use turn::Turn;

use crate::election::{
    About, AfterHealing, Counter, Counting, Deed, Election, Goal, Invariant, NodeSet, NodeStep,
    Part, Setup, Snapshot, Term,
};

/// A server's configuration: what does not change while it runs.
#[derive(Clone, Debug)]
pub struct Raft {
    /// How many servers there are, members or not.
    nodes: usize,
    /// How many client inputs a run may contain. With 0 logs stay empty and there are only
    /// elections.
    values: u32,
    /// Whether servers ask for pre-votes before they stand (thesis 9.6).
    pre_vote: bool,
    /// Whether a server that has a leader disregards candidates (thesis 4.2.3).
    sticky: bool,
    /// Whether a leader without a quorum's answers steps down (thesis 6.2).
    check_quorum: bool,
    /// How the configuration may change.
    membership: Membership,
    /// The configuration before any that a log contains.
    initial: Members,
    /// The time between a leader's heartbeats.
    heartbeat: Range<Duration>,
    /// The range of the election timeout.
    election: Range<Duration>,
    /// What is planted.
    bug: Option<Bug>,
}

impl Actor for Raft {
    type Msg = Message;
    type Timer = Timer;
    type State = State;
    type Storage = Disk;
    type Random = Command;

    /// Servers start up as followers (5.2), with what they had on disk.
    fn on_start(&self, _id: Id, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        let mut persistent = storage.clone().unwrap_or_default();
        if self.bug == Some(Bug::ForgetsVote) {
            persistent.voted_for = None;
        }
        if self.bug == Some(Bug::ForgetsTerm) {
            persistent.term = Term(0);
        }
        o.set_timer(Timer::Election, self.election.clone());
        State { persistent, commit: 0, role: Role::Follower { leader: None, lease: false } }
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, o: &mut Out<Self>) {
        Turn::run(self, id, state, o, |turn| turn.receive(src, msg));
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, o: &mut Out<Self>) {
        Turn::run(self, id, state, o, |turn| match timer {
            Timer::Election => turn.on_election_timeout(),
            Timer::Heartbeat => turn.on_heartbeat_timeout(),
            Timer::Lease => turn.on_lease_timeout(),
            Timer::Quorum => turn.on_quorum_timeout(),
        });
    }

    fn on_random(&self, id: Id, state: &mut Cow<State>, command: &Command, o: &mut Out<Self>) {
        Turn::run(self, id, state, o, |turn| turn.on_client_request(*command));
    }
}

impl Election for Raft {
    type Witness = Witness;

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    fn term(&self, state: &State) -> Term {
        state.persistent.term
    }

    fn leads(&self, _id: Id, state: &State) -> Option<Term> {
        matches!(state.role, Role::Leader(_)).then_some(state.persistent.term)
    }

    fn follows(&self, _id: Id, state: &State) -> Option<(Term, Id)> {
        match state.role {
            Role::Follower { leader: Some(leader), .. } => Some((state.persistent.term, leader)),
            _ => None,
        }
    }

    /// An index and a term name one entry (5.3).
    fn log(&self, state: &State) -> Option<Vec<u64>> {
        Some(state.persistent.log.terms().map(|term| term.0).collect())
    }

    fn is_quorum(&self, state: &State, _nodes: usize, _live: NodeSet, members: NodeSet) -> bool {
        let members: Vec<Id> = members.iter().collect();
        self.members(&state.persistent.log).are_carried_by(&members, self.bug)
    }

    fn countings(_nodes: &[Self]) -> Vec<Counting> {
        renumbering::countings()
    }

    fn renumber(part: Part<'_, Self>, new: &mut dyn FnMut(Counter, u64) -> u64) {
        renumbering::renumber(part, new);
    }

    fn simplify(snapshot: &mut Snapshot<'_, Self>) {
        renumbering::simplify(snapshot);
    }

    fn inputs(nodes: &[Self]) -> u32 {
        nodes.first().map_or(0, |node| node.values)
    }

    fn input_number(input: &Command) -> Option<u32> {
        match *input {
            Command::Value(number) => Some(number),
            Command::Members(_) => None,
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

    fn is_dead(&self, _id: Id, state: &State, src: Id, msg: &Message) -> bool {
        dead::is_dead(self, state, src, msg)
    }

    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        telling::tell(deed)
    }

    fn after_healing(_: &[Self]) -> Result<AfterHealing<Self>, String> {
        Ok(healing::after_healing())
    }
}

impl Raft {
    /// A server uses the last configuration in its log, whether or not it is committed (thesis
    /// 4.1).
    fn members(&self, log: &Log) -> Members {
        match self.membership {
            Membership::Fixed => self.initial,
            Membership::Single | Membership::Joint => {
                log.members().map_or(self.initial, |(_, last)| last)
            }
        }
    }

    /// Whether followers keep a lease: the time since they have heard from their leader.
    fn keeps_leases(&self) -> bool {
        self.pre_vote || self.sticky
    }

    /// The shortest time after which a server may start an election.
    fn minimum_election_timeout(&self) -> Range<Duration> {
        self.election.start..self.election.start
    }
}
