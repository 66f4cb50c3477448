//! What the harness must see of a protocol: the trait [`Election`] over a `stateright` actor, and the data by which a
//! protocol introduces itself ([`About`]: options, planted bugs, corpus).
//!
//! This is the only file of `src/` that a protocol may import. It knows `stateright` and nothing of the harness, so that
//! an election can be read, and reused, without the checker that questions it.

mod healing;

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};
use std::hash::Hash;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize, Serializer};
use stateright::actor::{Actor, Id, Out};

pub use healing::{AfterHealing, Healed, Led, NeedOfTime};

/// The number under which a leader leads: a Raft term, a Paxos ballot, a Zab epoch, a view.
///
/// A protocol whose ballots are pairs (round, node) encodes them order-preservingly: `round * nodes + node`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term(pub u64);

impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The name under which people meet a node: `n1` is the node with `Id` 0.
pub fn node_name(id: Id) -> String {
    format!("n{}", usize::from(id) + 1)
}

/// A set of nodes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeSet(u32);

impl NodeSet {
    /// The nodes `0..n`.
    pub fn first(n: usize) -> Self {
        NodeSet(((1u64 << n) - 1) as u32)
    }
    pub fn insert(&mut self, id: Id) {
        self.0 |= 1 << usize::from(id);
    }
    pub fn contains(self, id: Id) -> bool {
        self.0 >> usize::from(id) & 1 == 1
    }
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    pub fn iter(self) -> impl Iterator<Item = Id> {
        (0..32).filter(move |i| self.0 >> i & 1 == 1).map(|i: usize| Id::from(i))
    }
}

impl FromIterator<Id> for NodeSet {
    fn from_iter<I: IntoIterator<Item = Id>>(ids: I) -> Self {
        let mut set = NodeSet::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

impl Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(node_name).collect();
        write!(f, "{{{}}}", names.join(", "))
    }
}

/// The key of a [`choose_random`](Out::choose_random) that stands for client input: not urgent, and paid for from the
/// budget that [`Election::inputs`] names.
pub const CLIENT: &str = "client";

/// One protocol as the harness sees it: an [`Actor`] plus what its state means for an election.
///
/// The smallest useful implementation gives [`about`](Election::about), [`build`](Election::build),
/// [`term`](Election::term) and [`leads`](Election::leads); everything else has a default.
///
/// Handlers must be deterministic functions of their arguments: they are remembered, not called again.
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
    /// What an invariant needs to remember of the past (values chosen, operations acknowledged, logs at election);
    /// `()` when nothing. Starts at `Default`.
    type Witness: Clone + Debug + Default + PartialEq + Hash + Send + Sync + 'static;

    /// Name, sources, options, planted bugs and corpus.
    fn about() -> &'static About;

    /// The nodes of one system, node `i` being the one with `Id::from(i)`; or one sentence saying what is wrong.
    fn build(setup: &Setup) -> Result<Vec<Self>, String>;

    /// Starts a node for the `incarnation`-th time (0 is its first start) from what it saved last.
    ///
    /// The incarnation is not a disk: a process merely knows that it is not its first start.
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

    /// The term that the node has reached, whether it leads, follows or neither. Bounded by `bounds.max_term`.
    fn term(&self, state: &Self::State) -> Term;

    /// How often the node has tried since it started last, where that grows apart from its term: the round of an
    /// election that ends without a term. Bounded by `bounds.max_round`.
    fn round(&self, state: &Self::State) -> u32 {
        let _ = state;
        0
    }

    /// The term that the node believes to lead.
    fn leads(&self, id: Id, state: &Self::State) -> Option<Term>;

    /// Whom the node believes to follow, and in which term.
    fn follows(&self, id: Id, state: &Self::State) -> Option<(Term, Id)> {
        let _ = (id, state);
        None
    }

    /// Whether `members` (a leader and its followers) are enough for this node to lead. `live` are the nodes that are
    /// up and connected. The default is a majority of all nodes, up or down.
    fn is_quorum(&self, state: &Self::State, nodes: usize, live: NodeSet, members: NodeSet) -> bool {
        let _ = (state, live);
        members.len() * 2 > nodes
    }

    /// How many client inputs (choices under the key [`CLIENT`]) a whole run may contain.
    fn inputs(nodes: &[Self]) -> u32 {
        let _ = nodes;
        0
    }

    /// The witness after a step, or `None` if the step leaves it alone. Must be pure.
    fn observe(witness: &Self::Witness, step: &NodeStep<'_, Self>) -> Option<Self::Witness> {
        let _ = (witness, step);
        None
    }

    /// The number that a client input carries, from 1 on. Numbered inputs come in their order, each once in a run, so
    /// that no two of them are alike. `None`: this input is not told apart from others.
    fn input_number(input: &Self::Random) -> Option<u32> {
        let _ = input;
        None
    }

    /// What must always hold besides election safety, most important first.
    fn invariants() -> Vec<Invariant<Self>> {
        Vec::new()
    }

    /// What a scenario may mean to reach: see [`Goal`].
    fn goals() -> Vec<Goal<Self>> {
        Vec::new()
    }

    /// Whether `msg` from `src` can never again have an effect on this live receiver, whatever happens (crashes and
    /// restarts with an intact disk included). Must return `false` when in doubt, and where a planted bug breaks the
    /// argument.
    fn is_dead(&self, id: Id, state: &Self::State, src: Id, msg: &Self::Msg) -> bool {
        let _ = (id, state, src, msg);
        false
    }

    // ---- What is promised once the network has healed

    /// What these nodes promise once the network has healed; or why they promise nothing. The default asks no more than
    /// that one node comes to lead; a protocol that says who [`follows`](Election::follows) whom promises more
    /// ([`AfterHealing::all_follow_a_leader`]).
    fn after_healing(nodes: &[Self]) -> Result<AfterHealing<Self>, String> {
        let _ = nodes;
        Ok(AfterHealing::one_leads())
    }

    /// The options without which nothing can come about as time passes.
    fn needs_of_time() -> &'static [NeedOfTime] {
        &[]
    }
}

/// What happened at a node in one step.
pub enum Event<'a, E: Actor> {
    Start,
    Deliver { src: Id, msg: &'a E::Msg },
    Timeout { timer: &'a E::Timer },
    Choose { key: &'a str, value: &'a E::Random },
    Crash,
}

/// A timer's age and limits, in ticks. All zero where time is not modelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age {
    pub now: u16,
    /// The first age at which the timer may fire.
    pub first: u16,
    /// The last age at which the timer may fire: time cannot pass it.
    pub last: u16,
}

impl Age {
    /// A timer that was set in this tick, to fire `first` to `last` ticks later. Where time is not modelled, any timer is.
    pub fn is_new(self, first: u64, last: u64) -> bool {
        let limits = (u64::from(self.first), u64::from(self.last));
        self == Age::default() || self.now == 0 && limits == (first, last)
    }
}

/// One step of one node, as invariants and witnesses see it.
pub struct NodeStep<'a, E: Election> {
    /// The node's configuration.
    pub actor: &'a E,
    pub id: Id,
    /// How often the node had been started before, this start not counted.
    pub incarnation: u32,
    /// `None` when the node was down.
    pub before: Option<&'a E::State>,
    pub event: Event<'a, E>,
    /// `None` when the node is down afterwards: it crashed, perhaps in the middle of the handler.
    pub after: Option<&'a E::State>,
    /// Where the node crashed in the middle of the handler and others may have noticed, that is, after at least one
    /// message or save: the state in which the handler would have ended.
    pub cut_short: Option<&'a E::State>,
    /// Messages that went out, in order.
    pub sends: &'a [(Id, E::Msg)],
    /// What is on disk afterwards.
    pub storage: Option<&'a E::Storage>,
    /// The timers that ran before the step. Where it is a timer's end, that timer included.
    pub timers_before: &'a BTreeMap<E::Timer, Age>,
    /// The timers that run afterwards; none at a node that is down.
    pub timers: &'a BTreeMap<E::Timer, Age>,
}

/// A named safety property of one protocol, beyond election safety.
pub struct Invariant<E: Election> {
    /// kebab-case, unique within the protocol.
    pub name: &'static str,
    /// One sentence, with the place in the paper.
    pub meaning: &'static str,
    pub check: Check<E>,
    /// Which setting it speaks of, in words (`values >= 1`), and whether nodes have that setting.
    pub setting: Option<(&'static str, fn(&[E]) -> bool)>,
    /// The names of the [goals](Goal) that a run must reach, or else it says nothing about this property.
    pub needs: &'static [&'static str],
    /// Asked only in states in which time may pass, and in all where time is not modelled.
    pub when_time_passes: bool,
}

impl<E: Election> Invariant<E> {
    /// A property of every run.
    pub fn new(name: &'static str, meaning: &'static str, check: Check<E>) -> Self {
        Invariant { name, meaning, check, setting: None, needs: &[], when_time_passes: false }
    }

    /// The property speaks only of nodes with a certain setting. Where they have another it is not asked.
    pub fn with_setting(mut self, words: &'static str, has: fn(&[E]) -> bool) -> Self {
        self.setting = Some((words, has));
        self
    }

    /// A run that reaches not all of these goals says nothing about the property: its verdict is `vacuous`.
    pub fn needing(mut self, goals: &'static [&'static str]) -> Self {
        self.needs = goals;
        self
    }

    /// The property is judged as election safety without terms is: only when nothing is left to do before time passes. For
    /// properties of states; a step or a past that breaks a rule has broken it.
    pub fn when_time_passes(mut self) -> Self {
        self.when_time_passes = true;
        self
    }
}

/// A named event that a scenario may mean to reach: "an entry is committed", "the same primary leads again".
///
/// A scenario lists in `covers` the goals that its note speaks of. A run that holds and did not reach them has not looked
/// at what it was written for: its verdict is `vacuous`.
pub struct Goal<E: Election> {
    /// kebab-case, unique within the protocol.
    pub name: &'static str,
    /// One sentence: what happens.
    pub meaning: &'static str,
    pub reached: Reached<E>,
}

/// Over what a goal speaks.
pub enum Reached<E: Election> {
    /// Of a step of one node.
    Step(fn(&NodeStep<'_, E>) -> bool),
    /// Of who has led each term first, and of the witness.
    Past(fn(&BTreeMap<Term, Reign>, &E::Witness) -> bool),
}

impl<E: Election> Clone for Reached<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Reached<E> {}
impl<E: Election> Clone for Goal<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Goal<E> {}

/// A node and its incarnation: who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reign {
    pub node: Id,
    pub incarnation: u32,
}

impl Display for Reign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&node_name(self.node))?;
        if self.incarnation > 0 {
            write!(f, " (start {})", self.incarnation + 1)?;
        }
        Ok(())
    }
}

/// Over what an invariant speaks. `Err` carries the conflicting facts in a sentence.
///
/// Narrow forms are cheap: they are evaluated once for each combination of local states that occurs, not once a state
/// of the system. Nodes that are down are not asked.
pub enum Check<E: Election> {
    /// Of every live node.
    Node(fn(&E, Id, &E::State) -> Result<(), String>),
    /// Of every pair of live nodes, the lower identifier first.
    Pair(fn(&E, (Id, &E::State), (Id, &E::State)) -> Result<(), String>),
    /// Of every step by itself: a rule that handlers follow. Costs nothing, as handlers are called once for each of their
    /// arguments.
    Rule(fn(&NodeStep<'_, E>) -> Result<(), String>),
    /// Of every step, with the witness before it.
    Step(fn(&E::Witness, &NodeStep<'_, E>) -> Result<(), String>),
    /// Of what is remembered.
    Witness(fn(&E::Witness) -> Result<(), String>),
    /// Of every live node against what is remembered.
    NodeWitness(fn(&E, Id, &E::State, &E::Witness) -> Result<(), String>),
}

impl<E: Election> Clone for Check<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Check<E> {}
impl<E: Election> Clone for Invariant<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Election> Copy for Invariant<E> {}

/// What a protocol says of itself.
#[derive(Debug)]
pub struct About {
    /// As typed on the command line.
    pub name: &'static str,
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// Whether leaders lead numbered terms. Without terms, at most one live node may lead whenever time passes
    /// (in every state where time is not modelled).
    pub has_terms: bool,
    /// Whether some node leads from the start, so that only a *change* of leader shows that anything happened.
    pub starts_led: bool,
    pub options: &'static [OptionSpec],
    pub bugs: &'static [BugSpec],
    /// The protocol's scenarios, TOML.
    pub corpus: &'static str,
}

/// An option that a scenario may set for its protocol.
#[derive(Debug)]
pub struct OptionSpec {
    pub name: &'static str,
    pub default: Value,
    /// For texts: the words allowed. For numbers: empty.
    pub allowed: &'static [&'static str],
    pub help: &'static str,
}

/// A published mistake that can be planted: one rule left out.
#[derive(Debug)]
pub struct BugSpec {
    pub name: &'static str,
    /// One sentence: what the mistaken node does.
    pub summary: &'static str,
    /// The rule that it breaks, with its place in the paper.
    pub rule: &'static str,
    /// Where the mistake was published.
    pub published: &'static str,
    pub costs: Costs,
}

/// What a planted bug takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Costs {
    Safety,
    /// Only the leader: a liveness check is needed to see it.
    Liveness(Healing),
    /// Nothing, provably: a control.
    Nothing,
}

/// In one word.
impl Serialize for Costs {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(match self {
            Costs::Safety => "safety",
            Costs::Liveness(_) => "liveness",
            Costs::Nothing => "nothing",
        })
    }
}

/// Whether random runs whose network heals show what a planted bug costs. A test holds every protocol to its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Healing {
    /// Within so many runs of seed 1 of the bug's own scenario, with these options.
    Shows { cases: u32, options: &'static [(&'static str, Value)] },
    /// Not in so many as [`Healing::CASES`]; why not, in one sentence.
    Hides(&'static str),
}

impl Healing {
    /// How many runs are tried where a bug stays hidden.
    pub const CASES: u32 = 300;
}

/// The value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Flag(bool),
    Number(u64),
    Text(&'static str),
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(b) => write!(f, "{b}"),
            Value::Number(n) => write!(f, "{n}"),
            Value::Text(t) => write!(f, "{t}"),
        }
    }
}

/// From what a system is built: already checked against [`About`], so that reading an option cannot fail.
#[derive(Clone, Debug)]
pub struct Setup {
    pub nodes: usize,
    options: BTreeMap<&'static str, Value>,
    /// The name of a planted bug of this protocol.
    pub bug: Option<&'static str>,
}

impl Setup {
    /// All options at their defaults, nothing planted.
    pub fn new(about: &'static About, nodes: usize) -> Self {
        let options = about.options.iter().map(|o| (o.name, o.default)).collect();
        Setup { nodes, options, bug: None }
    }

    /// Sets one option. Panics on a name or type that `about` does not have: scenarios are checked before.
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        let slot = self.options.get_mut(name).unwrap_or_else(|| panic!("no option {name}"));
        assert_eq!(std::mem::discriminant(slot), std::mem::discriminant(&value), "type of option {name}");
        *slot = value;
        self
    }

    /// Plants a bug.
    pub fn with_bug(mut self, bug: &'static str) -> Self {
        self.bug = Some(bug);
        self
    }

    /// Plants nothing.
    pub fn without_bug(mut self) -> Self {
        self.bug = None;
        self
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.options[name] {
            Value::Flag(b) => b,
            other => panic!("option {name} is {other}, not a flag"),
        }
    }

    pub fn number(&self, name: &str) -> u64 {
        match self.options[name] {
            Value::Number(n) => n,
            other => panic!("option {name} is {other}, not a number"),
        }
    }

    pub fn text(&self, name: &str) -> &'static str {
        match self.options[name] {
            Value::Text(t) => t,
            other => panic!("option {name} is {other}, not a text"),
        }
    }
}

/// Something to be done with whichever protocol a name stands for; how the catalogue erases types.
pub trait Visitor {
    type Output;
    fn visit<E: Election>(self) -> Self::Output;
}

/// Protocols by name: this crate's own, or a user's.
pub trait Catalogue {
    /// What each says of itself, in the order in which they are presented.
    fn all(&self) -> Vec<&'static About>;

    /// Hands the protocol of that name to the visitor; `None` if there is no such protocol.
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output>;
}

/// The catalogue of a single protocol.
pub struct Only<E>(PhantomData<E>);

impl<E: Election> Only<E> {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Only(PhantomData)
    }
}

impl<E: Election> Catalogue for Only<E> {
    fn all(&self) -> Vec<&'static About> {
        vec![E::about()]
    }
    fn visit<V: Visitor>(&self, name: &str, visitor: V) -> Option<V::Output> {
        (name == E::about().name).then(|| visitor.visit::<E>())
    }
}
