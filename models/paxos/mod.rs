//! Single-decree Paxos (Lamport, "Paxos Made Simple", 2001): agents propose values and one value is
//! chosen. Section numbers in this folder are that paper's.
//!
//! Every node plays the paper's three roles at once, and each role's rules stand in a file of their
//! own: `proposer`, `acceptor`, `learner`. Each handler names the rule that it carries out,
//! and each planted bug is one `if` at the rule that it breaks. They rely on `turn` (one call of
//! a handler, and the one place where the disk is written, always before anything that depends on
//! it is sent), `state` and `message`.
//!
//! A node leads ballot b once its phase 1 for b is complete: nobody else can complete phase 1 for
//! b, and from then on it alone says which value b proposes.
//!
//! What must hold stands in `properties` (the theorems) and `rules` (the paper's rules, step by
//! step), with what they remember in `witness`; what a run can reach in `goals`; options in
//! `about`, mistakes to plant in `bugs`. Left out on purpose: retransmission (a proposer that
//! waits too long starts a higher ballot instead) and the choice of a distinguished proposer
//! (timeouts do it).

mod about;
mod acceptor;
mod bugs;
mod dead;
mod goals;
mod healing;
mod learner;
mod message;
mod properties;
mod proposer;
mod renumbering;
mod rules;
mod state;
mod telling;
#[cfg(test)]
mod tests;
mod turn;
mod witness;
mod words;

use std::borrow::Cow;

use stateright::actor::{Actor, Id, Out};

pub use message::{Message, Proposal, Timer, Value};
pub use state::{Ballot, Disk, Phase, State, Tally};
pub use witness::Witness;

use bugs::Bug;
use turn::{RETRY, Turn};

use crate::election::{
    About, AfterHealing, Counter, Counting, Deed, Election, Goal, Invariant, NodeSet, NodeStep,
    Part, Setup, Snapshot, Term,
};

/// A node's configuration, the same for all.
#[derive(Clone, Debug)]
pub struct Paxos {
    /// How many nodes there are. All are acceptors and learners.
    nodes: usize,
    /// How many of them propose: those before this one.
    proposers: usize,
    /// How many promises complete phase 1.
    phase1: usize,
    /// How many acceptances make a value chosen.
    phase2: usize,
    /// Whom acceptors tell what they have accepted.
    learners: Learners,
    /// Whether an acceptor answers a request that it ignores for a promise.
    refusals: bool,
    /// Stop at phase 1: leaders propose nothing.
    election_only: bool,
    /// What is planted.
    bug: Option<Bug>,
}

/// Whom acceptors tell what they have accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Learners {
    /// The proposer, which counts while it leads and tells the others when a value is chosen.
    Leader,
    /// `n1`, which does the same for every ballot.
    First,
    /// Everybody, so that nobody need be told.
    All,
}

impl Actor for Paxos {
    type Msg = Message;
    type Timer = Timer;
    type State = State;
    type Storage = Disk;
    type Random = ();

    fn on_start(&self, id: Id, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        self.start(id, 0, storage, o)
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, o: &mut Out<Self>) {
        Turn::run(self, id, state, o, |turn| match msg {
            Message::Prepare { ballot } => turn.on_prepare(src, ballot),
            Message::Promise { ballot, accepted } => turn.on_promise(src, ballot, accepted),
            Message::Accept { proposal } => turn.on_accept(src, proposal),
            Message::Accepted { proposal } => turn.on_accepted(src, proposal),
            Message::Refuse { ballot, promised } => turn.on_refuse(ballot, promised),
            Message::Chosen { value } => turn.on_chosen(value),
        });
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, o: &mut Out<Self>) {
        Turn::run(self, id, state, o, |turn| match timer {
            Timer::Retry => turn.prepare(),
        });
    }
}

impl Election for Paxos {
    type Witness = Witness;

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    fn start(&self, id: Id, incarnation: u32, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        let disk = self.recall(storage.unwrap_or_default());
        if disk.learned.is_none() && self.proposes(id) {
            o.set_timer(Timer::Retry, RETRY);
        }
        State { durable: disk, incarnation, ..State::default() }
    }

    fn term(&self, state: &State) -> Term {
        Term(state.durable.promised.0)
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        (state.phase == Phase::Leading).then_some(Term(state.durable.tried.0))
    }

    /// An acceptor whose promise is for b follows b's proposer.
    fn follows(&self, id: Id, state: &State) -> Option<(Term, Id)> {
        let Ballot(promised) = state.durable.promised;
        let proposer = Id::from(promised as usize % self.nodes);
        (promised > 0 && proposer != id).then_some((Term(promised), proposer))
    }

    /// With these, a proposer gets through both phases: its ballot is promised, and its value
    /// chosen.
    fn is_quorum(&self, _: &State, _: usize, _: NodeSet, members: NodeSet) -> bool {
        members.len() >= self.phase1.max(self.phase2)
    }

    /// What Paxos is for is the value; without phase 2 there is none.
    fn has_learned(&self, state: &State) -> Option<bool> {
        (!self.election_only).then_some(state.durable.learned.is_some())
    }

    fn countings(nodes: &[Self]) -> Vec<Counting> {
        renumbering::countings(nodes)
    }

    fn renumber(part: Part<'_, Self>, new: &mut dyn FnMut(Counter, u64) -> u64) {
        renumbering::renumber(part, new);
    }

    fn simplify(snapshot: &mut Snapshot<'_, Self>) {
        renumbering::simplify(snapshot);
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

    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        telling::tell(deed)
    }

    fn term_name(term: Term, _: usize) -> String {
        format!("ballot {term}")
    }

    fn after_healing(nodes: &[Self]) -> Result<AfterHealing<Self>, String> {
        healing::after_healing(nodes)
    }
}

impl Paxos {
    /// What a restarted node finds on its disk.
    fn recall(&self, mut disk: Disk) -> Disk {
        match self.bug {
            Some(Bug::ForgetsPromise) => disk.promised = disk.accepted.ballot,
            Some(Bug::ForgetsAccepted) => disk.accepted = Proposal::NONE,
            Some(Bug::ForgetsEverything) => disk = Disk::default(),
            Some(Bug::ReusesBallot) => disk.tried = Ballot::NONE,
            _ => {}
        }
        disk
    }
}
