//! Elections on a ring, where a node speaks to its successor: after n1 comes n2, and after the last
//! node n1 again.
//!
//! There are two of them. `textbook`, the default, sends a message round that collects the
//! identifiers of the living, skips dead neighbours, and repairs what crashes destroy.
//! `chang_roberts` (1979) is older and cheaper: one number survives the round, and nothing is
//! repaired.
//!
//! There are no terms: at most one live node may lead whenever time passes (in every state where
//! time is not modelled). The rules are numbered as in this folder's README.

mod about;
mod bugs;
mod chang_roberts;
mod dead;
mod goals;
mod message;
mod properties;
mod renumbering;
mod rules;
mod state;
mod telling;
#[cfg(test)]
mod tests;
mod textbook;
mod turn;

use std::borrow::Cow;

use stateright::actor::{Actor, Id, Out};

use about::Variant;
use bugs::Bug;
pub use message::{Attempt, Message, Timer};
use state::Role;
pub use state::State;

use crate::election::{
    About, AfterHealing, Counting, Deed, Election, Goal, Invariant, NeedOfTime, NodeSet, Setup,
    Snapshot, Term, Value,
};

/// One node.
#[derive(Clone, Debug)]
pub struct Ring {
    nodes: usize,
    variant: Variant,
    /// The time between two announcements of a leader, in ticks; 0 if nobody watches the leader.
    heartbeat: u64,
    /// In ticks: how long a node waits for an acknowledgement.
    acknowledgement: u64,
    /// In ticks: how long the highest node waits to hear of a leader.
    monitor: u64,
    /// Whether a lower node waits longer than a higher one.
    staggered: bool,
    bug: Option<Bug>,
}

impl Actor for Ring {
    type Msg = Message;
    type State = State;
    type Timer = Timer;
    type Random = ();
    type Storage = ();

    /// The role at the first start: each node waits a little for another one to begin.
    fn on_start(&self, id: Id, _storage: &Option<()>, out: &mut Out<Self>) -> State {
        let state = State { role: Role::Searching, attempt: Attempt::default() };
        self.turn(id, &mut Cow::Borrowed(&state), out).set(Timer::Monitor);
        state
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
        match self.variant {
            Variant::ChangRoberts => turn.on_number(msg),
            Variant::Textbook => turn.on_token(src, msg),
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<'_, State>, timer: &Timer, out: &mut Out<Self>) {
        let mut turn = self.turn(id, state, out);
        match (self.variant, timer) {
            (Variant::ChangRoberts, _) => turn.participate(),
            (Variant::Textbook, Timer::Monitor) => turn.on_silence(),
            (Variant::Textbook, Timer::Heartbeat) => turn.on_heartbeat(),
            (Variant::Textbook, Timer::Skip { to, message }) => turn.on_skip(*to, message),
        }
    }
}

impl Election for Ring {
    type Witness = ();

    fn about() -> &'static About {
        &about::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        about::build(setup)
    }

    /// A node that recovers calls an election, so that the highest one alive leads.
    fn start(&self, id: Id, incarnation: u32, storage: &Option<()>, out: &mut Out<Self>) -> State {
        if incarnation == 0 {
            return self.on_start(id, storage, out);
        }
        let attempt = Attempt { start: incarnation, count: 0 };
        let mut state = Cow::Owned(State { role: Role::Searching, attempt });
        let mut turn = self.turn(id, &mut state, out);
        match self.variant {
            Variant::ChangRoberts => turn.participate(),
            Variant::Textbook if self.bug == Some(Bug::RecoveryWaits) => {}
            Variant::Textbook => turn.call_election(),
        }
        state.into_owned()
    }

    /// This is no term of an election. It is the number of a node's attempts to lead, so that
    /// `max_term` can bound it.
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

    /// A quorum is everybody: all nodes that are alive and connected to the leader must follow it.
    fn is_quorum(&self, _: &State, _: usize, live: NodeSet, members: NodeSet) -> bool {
        live.iter().all(|id| members.contains(id))
    }

    fn is_dead(&self, id: Id, _: &State, _: Id, msg: &Message) -> bool {
        dead::is_dead(self, id, msg)
    }

    fn countings(_: &[Self]) -> Vec<Counting> {
        renumbering::countings()
    }

    fn simplify(snapshot: &mut Snapshot<'_, Self>) {
        renumbering::simplify(snapshot);
    }

    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        telling::tell(deed)
    }

    /// The textbook ring repairs itself if the leader is watched: the highest live node leads, and
    /// all other live nodes follow it.
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
        goals::goals()
    }
}
