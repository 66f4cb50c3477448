//! Multi-Paxos: one leader runs phase 1 of Paxos once for all slots of a log, and phase 2 for each
//! slot.
//!
//! After Lamport, "Paxos Made Simple" (2001), section 3 (cited as PMS): a leader that finds a gap
//! fills it with a no-op. The vocabulary is that of van Renesse and Altinbuken, "Paxos Made
//! Moderately Complex" (2015; PMMC): ballots are owned by one node, slots are numbered from 1.
//! Heartbeats, and the commit index that they carry, come from practice and not from these papers.
//!
//! Every node is proposer, acceptor and learner. A node leads ballot b from the moment when phase 1
//! for b is complete. It has then promised b itself, and it stops when it promises a higher ballot:
//! so a node never campaigns or leads under another ballot than the one it promised last, and
//! [`Role`] needs no ballot of its own.
//!
//! The protocol stands in `phase1`, `phase2` and `heartbeats`. Each handler names the rule
//! that it carries out, and each planted bug is one `if` at the rule that it breaks. They rely on
//! `turn` (one call of a handler), `state` and `message`.
//!
//! What must hold stands in `properties` (the papers' theorems) and `rules` (step by step),
//! with what they remember in `witness`; what a run can reach in `goals`; options in `about`,
//! mistakes to plant in `bugs`. Left out: refusals (a node that has promised more is silent, as
//! if the message were lost), reads and leases, snapshots and a log that is ever cut,
//! reconfiguration. The README says why that is sound.

mod about;
mod bugs;
mod dead;
mod goals;
mod healing;
mod heartbeats;
mod leading;
mod message;
mod phase1;
mod phase2;
mod properties;
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

pub use message::{Message, Timer, Value, Vote, Votes};
pub use state::{Ballot, Disk, Role, Slot, State};
pub use witness::Witness;

use bugs::Bug;
use turn::{ELECTION, Turn};

use crate::election::{
    About, AfterHealing, Counter, Counting, Deed, Election, Goal, Invariant, NeedOfTime, NodeStep,
    Part, Setup, Snapshot, Term, Value as Setting,
};

/// One node: what it knows of the system before it starts.
#[derive(Clone, Debug)]
pub struct MultiPaxos {
    /// How many nodes there are.
    nodes: usize,
    /// How many inputs the clients of the whole system have.
    values: u64,
    /// Whether leaders send heartbeats.
    heartbeats: bool,
    /// What is planted.
    bug: Option<Bug>,
}

impl Actor for MultiPaxos {
    type Msg = Message;
    type Timer = Timer;
    type State = State;
    type Storage = Disk;
    type Random = Value;

    fn on_start(&self, id: Id, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        self.start(id, 0, storage, o)
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, o: &mut Out<Self>) {
        let mut turn = Turn { node: self, id, state, out: o };
        match msg {
            Message::Prepare { ballot, from } => turn.on_prepare(src, ballot, from),
            Message::Promise { ballot, accepted } => turn.on_promise(src, ballot, accepted),
            Message::Accept { ballot, slot, value } => {
                turn.on_accept(src, slot, Vote { ballot, value });
            }
            Message::Accepted { ballot, slot } => turn.on_accepted(src, ballot, slot),
            Message::Heartbeat { ballot, chosen } => turn.on_heartbeat(ballot, chosen),
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, o: &mut Out<Self>) {
        let mut turn = Turn { node: self, id, state, out: o };
        match timer {
            Timer::Election => turn.campaign(),
            Timer::Heartbeat => turn.beat(),
        }
    }

    fn on_random(&self, id: Id, state: &mut Cow<State>, input: &Value, o: &mut Out<Self>) {
        Turn { node: self, id, state, out: o }.on_input(*input);
    }
}

impl Election for MultiPaxos {
    type Witness = Witness;

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    /// A node that comes back is a follower with the promise, the rounds used and the votes that
    /// are on its disk.
    fn start(&self, _: Id, _: u32, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        let mut disk = storage.clone().unwrap_or_default();
        if self.bug == Some(Bug::ForgetsPromise) {
            disk.promised = Ballot::default();
        }
        if self.bug == Some(Bug::ReusesBallot) {
            disk.round = 0;
        }
        o.set_timer(Timer::Election, ELECTION);
        State { durable: disk, chosen: Slot(0), role: Role::Follower }
    }

    fn term(&self, state: &State) -> Term {
        let Ballot { round, node } = state.durable.promised;
        Term(u64::from(round) * self.nodes as u64 + u64::from(node))
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        matches!(state.role, Role::Leader { .. }).then(|| self.term(state))
    }

    /// A node that has promised a ballot of another node follows that node.
    fn follows(&self, id: Id, state: &State) -> Option<(Term, Id)> {
        let Ballot { round, .. } = state.durable.promised;
        let owner = state.durable.promised.owner();
        (round > 0 && owner != id).then(|| (self.term(state), owner))
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

    /// Where clients hand something in, a leader is a means to have it chosen, with all below it.
    fn has_learned(&self, state: &State) -> Option<bool> {
        let leads = matches!(state.role, Role::Leader { .. });
        let is_known = |slot: &Slot| *slot <= state.chosen;
        (self.values > 0).then(|| !leads || state.durable.accepted.keys().all(is_known))
    }

    /// What is accepted in the slots up to the first that is empty.
    fn log(&self, state: &State) -> Option<Vec<u64>> {
        let accepted = &state.durable.accepted;
        let votes = accepted.iter().zip(1..).take_while(|((slot, _), place)| slot.0 == *place);
        let value = |vote: &Vote| match vote.value {
            Value::Noop => 0,
            Value::Input(number) => number.into(),
        };
        Some(votes.map(|((_, vote), _)| value(vote)).collect())
    }

    fn inputs(nodes: &[Self]) -> u32 {
        nodes.first().map_or(0, |node| node.values as u32)
    }

    fn input_number(input: &Value) -> Option<u32> {
        match input {
            Value::Input(number) => Some(u32::from(*number)),
            Value::Noop => None,
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

    fn is_dead(&self, id: Id, state: &State, src: Id, msg: &Message) -> bool {
        dead::is_dead(self, id, state, src, msg)
    }

    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        telling::tell(deed)
    }

    fn term_name(term: Term, nodes: usize) -> String {
        let nodes = nodes as u64;
        let (round, node) = ((term.0 / nodes) as u32, (term.0 % nodes) as u8);
        format!("ballot {:?}", Ballot { round, node })
    }

    fn after_healing(_: &[Self]) -> Result<AfterHealing<Self>, String> {
        Ok(healing::after_healing())
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        &[NeedOfTime { option: "heartbeats", not: Setting::Flag(false), but: Setting::Flag(true) }]
    }
}
