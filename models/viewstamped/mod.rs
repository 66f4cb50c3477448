//! Viewstamped Replication Revisited (Liskov and Cowling, MIT-CSAIL-TR-2012-021), rule by rule.
//! Sections in comments are those of that paper.
//!
//! A group of 2f+1 replicas moves through numbered views. The primary of a view is fixed by
//! arithmetic (§4: the replicas take turns), so a view change elects a *log*, not a leader: it
//! collects f+1 logs and installs one of them. (A group of 2f+2 works too, with quorums of f+2.) A
//! replica that crashes forgets everything and gets its state back from the others (§4.3); what, if
//! anything, is on disk is the option `disk`.
//!
//! The handlers stand in `normal` (§4.1), `view_change` (§4.2), `recovery` (§4.3) and
//! `state_transfer` (§5.2).
//!
//! Left out on purpose: clients and their table (a client input is a request that has just reached
//! the primary), application state and checkpoints (§5.1), reconfiguration (§7).

mod about;
mod bugs;
mod dead;
mod goals;
mod message;
mod normal;
mod properties;
mod recovery;
mod renumbering;
mod rules;
mod state;
mod state_transfer;
mod telling;
#[cfg(test)]
mod tests;
mod turn;
mod view_change;
mod witness;

use std::borrow::Cow;

use stateright::actor::{Actor, Id, Out};

use about::Durable;
use bugs::Bug;
pub use message::{Answer, Log, Message, Offer, Op, Request, Suffix, Timer};
pub use state::{Disk, State, Status, View};
pub use witness::Witness;

use crate::election::{
    About, AfterHealing, Counter, Counting, Deed, Election, Goal, Invariant, NeedOfTime, NodeStep,
    Part, Setup, Snapshot, SortedMap, Term, Value,
};

/// A replica's configuration.
#[derive(Clone, Debug)]
pub struct Viewstamped {
    replicas: usize,
    /// How many client inputs a run may contain.
    values: u32,
    durable: Durable,
    /// An idle primary sends Commit.
    heartbeats: bool,
    /// Only a property depends on this.
    trusts_time: bool,
    bug: Option<Bug>,
}

impl Actor for Viewstamped {
    type Msg = Message;
    type Timer = Timer;
    type State = State;
    type Storage = Disk;
    type Random = Request;

    /// A replica's first start makes it a normal replica in view 0.
    fn on_start(&self, id: Id, _storage: &Option<Disk>, out: &mut Out<Self>) -> State {
        let status = Status::Normal { prepared: SortedMap::new() };
        let state = State { view: 0, log: Log::new(), commit: 0, status };
        self.turn(id, &mut Cow::Borrowed(&state), out).begin(0);
        state
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, out: &mut Out<Self>) {
        let before = state.clone();
        let mut turn = self.turn(id, state, out);
        turn.receive(src, msg);
        turn.write_behind(&before);
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, out: &mut Out<Self>) {
        let mut turn = self.turn(id, state, out);
        match timer {
            Timer::Heartbeat => turn.on_heartbeat(),
            Timer::ViewChange => turn.on_silence(),
            Timer::Recovery => turn.ask_for_recovery(),
        }
    }

    fn on_random(&self, id: Id, state: &mut Cow<State>, request: &Request, out: &mut Out<Self>) {
        self.turn(id, state, out).take_in(Op(request.0));
    }
}

impl Election for Viewstamped {
    type Witness = Witness;

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    /// Any start but the first is a recovery.
    fn start(
        &self,
        id: Id,
        incarnation: u32,
        storage: &Option<Disk>,
        out: &mut Out<Self>,
    ) -> State {
        if incarnation == 0 {
            return self.on_start(id, storage, out);
        }
        let state = self.lost(incarnation, storage);
        self.turn(id, &mut Cow::Borrowed(&state), out).come_back();
        state
    }

    fn term(&self, state: &State) -> Term {
        Term(state.view)
    }

    fn leads(&self, id: Id, state: &State) -> Option<Term> {
        (state.is_normal() && self.primary(state.view) == id).then_some(Term(state.view))
    }

    fn follows(&self, id: Id, state: &State) -> Option<(Term, Id)> {
        let primary = self.primary(state.view);
        (state.is_normal() && primary != id).then_some((Term(state.view), primary))
    }

    fn log(&self, state: &State) -> Option<Vec<u64>> {
        Some(state.log.iter().map(|op| op.0.into()).collect())
    }

    fn inputs(replicas: &[Self]) -> u32 {
        replicas[0].values
    }

    fn input_number(Request(number): &Request) -> Option<u32> {
        Some(*number)
    }

    fn observe(witness: &Witness, step: &NodeStep<'_, Self>) -> Option<Witness> {
        witness::observe(witness, step)
    }

    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        telling::tell(deed)
    }

    fn term_name(term: Term, _: usize) -> String {
        format!("view {term}")
    }

    /// A replica counts as failed until it has recovered (§8.2), and with more than f failed nobody
    /// can ever recover. Logs need not be equal: a lost Prepare or PrepareOk is not sent again in
    /// the same view.
    fn after_healing(_: &[Self]) -> Result<AfterHealing<Self>, String> {
        Ok(AfterHealing {
            meaning: "a view comes about in which every replica that is up is normal",
            can_recover: |healed| {
                let counted = healed.live().filter(|(_, _, state)| !state.is_recovering());
                healed.has_quorum_of(counted.map(|(id, ..)| id).collect())
            },
            ..AfterHealing::all_follow_a_leader()
        })
    }

    fn countings(replicas: &[Self]) -> Vec<Counting> {
        renumbering::countings(replicas)
    }

    fn renumber(part: Part<'_, Self>, new: &mut dyn FnMut(Counter, u64) -> u64) {
        renumbering::renumber(part, new);
    }

    fn simplify(snapshot: &mut Snapshot<'_, Self>) {
        renumbering::simplify(snapshot);
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        &[NeedOfTime { option: "heartbeats", not: Value::Flag(false), but: Value::Flag(true) }]
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
}
