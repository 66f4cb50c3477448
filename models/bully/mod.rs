//! The Bully election (Garcia-Molina, 1982), in the form in which it is taught today.
//!
//! Every node knows all others. The live node with the highest identifier should lead; it takes the
//! lead from any other node. There are three messages: ELECTION asks the higher nodes whether one
//! of them is alive, ANSWER says so, COORDINATOR announces the winner, and is repeated by it as its
//! heartbeat. The rules are numbered as in this folder's README, and carried out in `election`.
//!
//! There are no terms: at most one live node may lead whenever time passes (in every state where
//! time is not modelled). That holds as long as time can be trusted (a message arrives before the
//! shortest timeout ends, a silent node is dead) and nothing is lost or cut. The corpus drops each
//! of these assumptions in turn.
//!
//! Garcia-Molina's reorganisation of the work to be done is left out on purpose, and hence his
//! READY. His HALT is replaced: a leader that reads COORDINATOR of a higher node stops. The new one
//! leads already, so two may lead within a tick.

mod about;
mod bugs;
mod election;
mod goals;
mod message;
mod properties;
mod rules;
mod state;
mod telling;
#[cfg(test)]
mod tests;
mod turn;

use std::borrow::Cow;

use stateright::actor::{Actor, Id, Out};

use bugs::Bug;
pub use message::{Message, Timer};
pub use state::State;

use crate::election::{
    About, AfterHealing, Counting, Deed, Election, Goal, Invariant, NeedOfTime, NodeSet, Setup,
    Term, Value,
};

/// One node.
#[derive(Clone, Debug)]
pub struct Bully {
    nodes: usize,
    /// Whether COORDINATOR goes to all other nodes, not only to the lower ones.
    tells_all: bool,
    /// Whether a winner leads only once a majority accepts it, and not at once.
    needs_majority: bool,
    /// The time between two announcements of a leader, in ticks; 0 if nobody watches the leader.
    heartbeat: u64,
    /// In ticks: how long a node that asked waits for an answer.
    answer: u64,
    /// In ticks: how long a node waits for a coordinator.
    coordinator: u64,
    /// In ticks: how long a follower waits to hear its leader again.
    monitor: u64,
    /// By how many ticks a timeout may be late.
    slack: u64,
    bug: Option<Bug>,
}

impl Actor for Bully {
    type Msg = Message;
    type State = State;
    type Timer = Timer;
    type Random = ();
    type Storage = ();

    /// The role at the first start: nobody has called an election, and each node first waits to
    /// hear from the others.
    fn on_start(&self, id: Id, _storage: &Option<()>, out: &mut Out<Self>) -> State {
        self.turn(id, &mut Cow::Owned(State::Idle), out).begin(State::Idle);
        State::Idle
    }

    fn on_msg(
        &self,
        id: Id,
        state: &mut Cow<'_, State>,
        src: Id,
        msg: Message,
        out: &mut Out<Self>,
    ) {
        let mut turn = self.turn(id, state, out);
        match msg {
            Message::Election => turn.on_election(src),
            Message::Answer => turn.on_answer(),
            Message::Coordinator => turn.on_coordinator(src),
            Message::Accept => turn.on_accept(src),
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<'_, State>, timer: &Timer, out: &mut Out<Self>) {
        let mut turn = self.turn(id, state, out);
        match timer {
            Timer::Answer => turn.on_no_answer(),
            Timer::Coordinator | Timer::Monitor => turn.on_silence(),
            Timer::Heartbeat => turn.on_heartbeat(),
        }
    }
}

impl Election for Bully {
    type Witness = ();

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    /// At its first start a node only waits; whenever it recovers it calls an election.
    fn start(&self, id: Id, incarnation: u32, storage: &Option<()>, out: &mut Out<Self>) -> State {
        if incarnation == 0 {
            return self.on_start(id, storage, out);
        }
        let mut state = Cow::Owned(State::Idle);
        self.turn(id, &mut state, out).recover();
        state.into_owned()
    }

    fn term(&self, _: &State) -> Term {
        Term(0)
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        (*state == State::Leading).then_some(Term(0))
    }

    fn follows(&self, _: Id, state: &State) -> Option<(Term, Id)> {
        match state {
            State::Following(leader) => Some((Term(0), *leader)),
            _ => None,
        }
    }

    /// A quorum is everybody: all nodes that are alive and connected to the leader must follow it.
    fn is_quorum(&self, _: &State, nodes: usize, live: NodeSet, members: NodeSet) -> bool {
        if self.needs_majority {
            return members.len() * 2 > nodes;
        }
        live.iter().all(|id| members.contains(id))
    }

    /// Nothing is counted: a role is all that a node knows, and messages carry nothing. So there
    /// are finitely many states, and each is its own form.
    fn countings(_: &[Self]) -> Vec<Counting> {
        Vec::new()
    }

    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        telling::tell(deed)
    }

    /// The textbooks' theorem: the highest live node leads, and all other live nodes follow it. It
    /// needs heartbeats, since without them nobody watches the leader.
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
        goals::goals()
    }
}
