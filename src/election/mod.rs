//! What the harness must see of a protocol: the trait [`Election`] over a `stateright` actor, and
//! the data by which a protocol introduces itself ([`About`]: options, planted bugs, corpus).
//!
//! This is the only folder of `src/` that a protocol may import. It imports `stateright` and
//! nothing of the harness, so an election can be read, and reused, without the checker.

mod about;
mod bugs;
mod catalogue;
mod healing;
mod invariant;
mod nodes;
mod renumbering;
mod step;
mod telling;

use std::fmt::Debug;
use std::hash::Hash;

use stateright::actor::{Actor, Id, Out};

pub use crate::bugs;
pub use crate::support::sorted::{SortedMap, SortedSet};
pub use about::{About, BugSpec, Costs, Healing, OptionSpec, Setup, Value};
pub use catalogue::{Catalogue, Only, Visitor};
pub use healing::{AfterHealing, Healed, Led, NeedOfTime};
pub use invariant::{Check, Goal, Invariant, Reached};
pub use nodes::{MAX_NODES, NodeSet, Reign, Term, node_name};
pub use renumbering::{Counter, Counting, Part, Running, Snapshot};
pub use step::{Age, Event, NodeStep};
pub use telling::{Deed, Found, kind, listed, nodes_listed};

/// The key of a [`choose_random`](Out::choose_random) that stands for client input. Unlike other
/// choices it does not keep time from passing, and each input uses up one of the
/// [`Election::inputs`].
pub const CLIENT: &str = "client";

/// One protocol as the harness sees it: an [`Actor`] plus what its state means for an election.
///
/// The smallest useful implementation gives [`about`](Election::about), [`build`](Election::build),
/// [`term`](Election::term) and [`leads`](Election::leads); everything else has a default.
///
/// Handlers must be deterministic functions of their arguments: their results are stored and used
/// again.
pub trait Election:
    Actor<
        Msg: Ord + Send + Sync + 'static,
        Timer: Ord + Send + Sync + 'static,
        State: Send + Sync + 'static,
        Storage: Send + Sync + 'static,
        Random: Send + Sync + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// What an invariant needs to remember of the past (values chosen, operations acknowledged,
    /// logs at election); `()` when nothing. Starts at `Default`.
    type Witness: Clone + Debug + Default + PartialEq + Hash + Send + Sync + 'static;

    /// Name, sources, options, planted bugs and corpus.
    fn about() -> &'static About;

    /// The nodes of one system; node `i` has the identifier `Id::from(i)`. The error is one
    /// sentence that says what is wrong with the settings.
    fn build(setup: &Setup) -> Result<Vec<Self>, String>;

    /// Starts a node for the `incarnation`-th time (0 is its first start) from what it saved last.
    ///
    /// The incarnation stands for something that a process knows without a disk: that it has been
    /// started before.
    fn start(
        &self,
        id: Id,
        incarnation: u32,
        storage: &Option<Self::Storage>,
        o: &mut Out<Self>,
    ) -> Self::State {
        let _ = incarnation;
        self.on_start(id, storage, o)
    }

    /// The term that the node has reached, whether it leads, follows or neither. Bounded by
    /// `bounds.max_term`.
    fn term(&self, state: &Self::State) -> Term;

    /// How many election rounds the node has begun since its last start, if rounds are counted
    /// apart from terms (a round may end without a new term). Bounded by `bounds.max_round`.
    fn round(&self, state: &Self::State) -> u32 {
        let _ = state;
        0
    }

    /// The term that the node believes that it leads.
    fn leads(&self, id: Id, state: &Self::State) -> Option<Term>;

    /// The term and the leader that the node believes that it follows.
    fn follows(&self, id: Id, state: &Self::State) -> Option<(Term, Id)> {
        let _ = (id, state);
        None
    }

    /// The entries of the node's log, the first one first, each as a number that tells it apart
    /// from all others that may stand in its place. `None`: the protocol keeps no log.
    fn log(&self, state: &Self::State) -> Option<Vec<u64>> {
        let _ = state;
        None
    }

    /// Whether `members` (a leader and its followers) are enough for this node to lead. `live` are
    /// the nodes that are up and connected. The default is a majority of all nodes, up or down.
    fn is_quorum(
        &self,
        state: &Self::State,
        nodes: usize,
        live: NodeSet,
        members: NodeSet,
    ) -> bool {
        let _ = (state, live);
        members.len() * 2 > nodes
    }

    /// How many client inputs (choices under the key [`CLIENT`]) a whole run may contain.
    fn inputs(nodes: &[Self]) -> u32 {
        let _ = nodes;
        0
    }

    /// The witness after a step, or `None` if the step does not change it. Must be a pure function.
    fn observe(witness: &Self::Witness, step: &NodeStep<'_, Self>) -> Option<Self::Witness> {
        let _ = (witness, step);
        None
    }

    /// The number that a client input carries, from 1 on. Numbered inputs come in the order of
    /// their numbers, each once in a run. `None` if this input has no number.
    fn input_number(input: &Self::Random) -> Option<u32> {
        let _ = input;
        None
    }

    /// The properties besides election safety, most important first.
    fn invariants() -> Vec<Invariant<Self>> {
        Vec::new()
    }

    /// The events that a scenario can require a run to reach: see [`Goal`].
    fn goals() -> Vec<Goal<Self>> {
        Vec::new()
    }

    /// Whether `msg` from `src` can never again have an effect on this live receiver, whatever
    /// happens (crashes and restarts with an intact disk included). Must return `false` when in
    /// doubt, and where a planted bug breaks the argument.
    fn is_dead(&self, id: Id, state: &Self::State, src: Id, msg: &Self::Msg) -> bool {
        let _ = (id, state, src, msg);
        false
    }

    // ---- What people are told

    /// What a node did, in the protocol's own words: clauses whose subject is the node, such as
    /// `grants its vote in term 1 to n3`. Without any, the step is told in general words.
    fn tell(deed: &Deed<'_, Self>) -> Vec<String> {
        let _ = deed;
        Vec::new()
    }

    /// A term under the name that the protocol has for it, in a system of so many nodes: `term 2`,
    /// `epoch 2`.
    fn term_name(term: Term, nodes: usize) -> String {
        let _ = nodes;
        format!("term {term}")
    }

    // ---- What is promised once the network has healed

    /// What these nodes promise once the network has healed; the error says why they promise
    /// nothing. The default promises only that one node comes to lead. A protocol that says who
    /// [`follows`](Election::follows) whom can promise more
    /// ([`AfterHealing::all_follow_a_leader`]).
    fn after_healing(nodes: &[Self]) -> Result<AfterHealing<Self>, String> {
        let _ = nodes;
        Ok(AfterHealing::one_leads())
    }

    // ---- What decides liveness

    /// The kinds of numbers that grow for ever; empty if the protocol does not say, and then
    /// liveness is decided within bounded terms only.
    fn countings(nodes: &[Self]) -> Vec<Counting> {
        let _ = nodes;
        Vec::new()
    }

    /// Replaces each number of the kinds [`countings`](Election::countings) in a part of the system
    /// by what `new` makes of it. Systems that differ by nothing but such a replacement, in which
    /// growing numbers are shifted and others keep their order, must go on in the same way. Of
    /// numbers that are far apart it is forgotten how far; so in a tick a gap between two of them
    /// must not narrow by more than two steps, unless it is closed.
    fn renumber(part: Part<'_, Self>, new: &mut dyn FnMut(Counter, u64) -> u64) {
        let _ = (part, new);
    }

    /// Takes out what cannot matter any more: a system must go on with what is left as it would
    /// have gone on with the whole. Nothing by default.
    fn simplify(snapshot: &mut Snapshot<'_, Self>) {
        let _ = snapshot;
    }

    /// Whether a node has learned what was to be agreed on, where that is what the protocol is for,
    /// and a leader is only a means. `None`: what it is for is a leader.
    fn has_learned(&self, state: &Self::State) -> Option<bool> {
        let _ = state;
        None
    }

    /// The options that a protocol needs in order to recover as time passes.
    fn needs_of_time() -> &'static [NeedOfTime] {
        &[]
    }
}
