//! Single-decree Paxos (Lamport, "Paxos Made Simple", 2001): agents propose values and one value is chosen.
//!
//! Every node plays the paper's three roles at once: proposer, acceptor, learner. The handlers below are its rules:
//! phase 1 (a) and (b), phase 2 (a) and (b), and learning. What a node must remember through a crash is its [`Disk`];
//! [`Paxos::conclude`] is the one place where the disk is written, always before anything that depends on it is sent.
//!
//! A node leads ballot b once its phase 1 for b is complete: nobody else can complete phase 1 for b, and from then on
//! it alone says which value b proposes. What the checker remembers is in [`history`], the paper's rules as properties of
//! single steps are in [`properties`], goals in [`goals`], options and planted bugs in [`catalogue`]. Left out on
//! purpose: retransmission (a proposer that waits too long starts a higher ballot instead) and the choice of a
//! distinguished proposer (timeouts do it).

mod catalogue;
mod goals;
mod history;
mod properties;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Debug, Display};
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

use crate::election::{
    About, AfterHealing, Election, Goal, Healed, Invariant, Led, NodeSet, NodeStep, Setup, Term, node_name,
};
use catalogue::Bug;
use history::History;

/// How long a proposer waits, since the last ballot that it heard of, for a value to be chosen.
const RETRY: Range<Duration> = Duration::from_millis(30)..Duration::from_millis(60);

/// The number of a proposal: a pair (round, node) with rounds from 1, encoded as `round * nodes + node`, so that
/// different nodes use different numbers.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ballot(u64);

impl Ballot {
    /// Below every ballot.
    pub const NONE: Ballot = Ballot(0);
}

impl Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Debug for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A value, named after who wants it, and when: `v1` is what `n1` proposes in its first round when it is free to, `v1.2`
/// in its second, and `v1'` in its first round again after a restart. So no two free proposals are alike, and a proposer
/// that uses one ballot twice is seen.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// From 1.
    node: u8,
    round: u8,
    /// How often the node had been started before.
    life: u8,
}

impl Value {
    /// No value; nobody wants it.
    pub const EMPTY: Value = Value { node: 0, round: 0, life: 0 };
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Value { node, round, life } = *self;
        match (node, round) {
            (0, _) => f.write_str("empty")?,
            (_, 1) => write!(f, "v{node}")?,
            _ => write!(f, "v{node}.{round}")?,
        }
        (0..life).try_for_each(|_| f.write_str("'"))
    }
}

impl Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A numbered proposal, ordered by its number.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proposal {
    pub ballot: Ballot,
    pub value: Value,
}

impl Proposal {
    /// What an acceptor has accepted that has accepted nothing.
    pub const NONE: Proposal = Proposal { ballot: Ballot::NONE, value: Value::EMPTY };
}

impl Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Proposal::NONE {
            f.write_str("none")
        } else {
            write!(f, "{}@{}", self.value, self.ballot)
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Msg {
    /// Phase 1 (a).
    Prepare { ballot: Ballot },
    /// Phase 1 (b): with the highest-numbered proposal that the acceptor has accepted.
    Promise { ballot: Ballot, accepted: Proposal },
    /// Phase 2 (a).
    Accept { proposal: Proposal },
    /// Phase 2 (b), to learners.
    Accepted { proposal: Proposal },
    /// The request of this ballot was ignored because of a promise to a higher one.
    Refuse { ballot: Ballot, promised: Ballot },
    /// From a distinguished learner to the others.
    Chosen { value: Value },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// Time to start a ballot, or a higher one.
    Retry,
}

/// What a node keeps in stable storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// Proposer: its next ballot will be above this. The highest ballot that it has used, or was refused in favour of.
    pub tried: Ballot,
    /// Acceptor: the highest ballot that it has promised to take part in.
    pub promised: Ballot,
    /// Acceptor: the highest-numbered proposal that it has accepted.
    pub accepted: Proposal,
    /// Learner: the value that it knows to be chosen.
    pub learned: Option<Value>,
}

/// Where a proposer stands with the ballot that it tried last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It has no ballot under way.
    #[default]
    Idle,
    /// Phase 1: who has promised, and the proposal that its own will be bound by.
    Preparing { promises: NodeSet, bound: Proposal },
    /// Phase 2.
    Leading,
}

/// The votes that a learner has heard, for the highest-numbered proposal only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    pub proposal: Proposal,
    pub voters: NodeSet,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub durable: Disk,
    pub phase: Phase,
    /// Empty once a value is learned.
    pub tally: Tally,
    /// How often the node had been started before.
    pub incarnation: u32,
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

/// A node's configuration, the same for all.
#[derive(Clone, Debug)]
pub struct Paxos {
    nodes: usize,
    /// Nodes from this one on never propose.
    proposers: usize,
    /// How many promises complete phase 1, and how many acceptances make a value chosen.
    phase1: usize,
    phase2: usize,
    learners: Learners,
    refusals: bool,
    /// Stop at phase 1: leaders propose nothing.
    election_only: bool,
    bug: Option<Bug>,
}

type Sends = Vec<(Id, Msg)>;

/// The proposer.
impl Paxos {
    /// Section 2.5: a number of its own, above all that it has tried. The least of these that its own acceptor would not
    /// refuse; a promise of one of its own numbers it made to itself.
    fn next_ballot(&self, id: Id, disk: &Disk) -> Ballot {
        let own = if self.bug == Some(Bug::SharesBallots) { 0 } else { usize::from(id) };
        let ballots = (1..).map(|round: usize| Ballot((round * self.nodes + own) as u64));
        let next = ballots.into_iter().find(|&b| b > disk.tried && b >= disk.promised);
        next.expect("rounds do not end")
    }

    /// Phase 1 (a): ask the acceptors to prepare for a new number; its own promises at once.
    fn prepare(&self, id: Id, state: &mut State) -> Sends {
        let ballot = self.next_ballot(id, &state.durable);
        let bound = self.reported(&state.durable);
        state.durable.tried = ballot;
        state.durable.promised = ballot;
        self.abandon(state);
        let promises = NodeSet::from_iter([id]);
        state.phase = Phase::Preparing { promises, bound };
        if promises.len() >= self.phase1 {
            return self.lead(id, state);
        }
        self.to_others(id, Msg::Prepare { ballot })
    }

    /// The end of phase 1: with the promise that completes a quorum.
    fn on_promise(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        ballot: Ballot,
        accepted: Proposal,
    ) -> Sends {
        // A promise is for the ballot that it names (phase 1 (b): a response to the request with number n).
        let is_for_this = ballot == state.durable.tried || self.bug == Some(Bug::PromiseNamesNoBallot);
        match state.phase {
            Phase::Preparing { promises, .. } if is_for_this && !promises.contains(src) => {}
            _ => return Vec::new(),
        }
        let state = state.to_mut();
        let Phase::Preparing { promises, bound } = &mut state.phase else { unreachable!("just matched") };
        promises.insert(src);
        *bound = self.binding(*bound, accepted);
        if promises.len() >= self.phase1 { self.lead(id, state) } else { Vec::new() }
    }

    /// P2c: of what acceptors report, the proposal with the highest number binds the proposer.
    fn binding(&self, known: Proposal, reported: Proposal) -> Proposal {
        let binds = match self.bug {
            Some(Bug::TakesLowestBallot) => known == Proposal::NONE || reported.ballot < known.ballot,
            Some(Bug::TakesLastReport) => true,
            _ => reported.ballot > known.ballot,
        };
        if binds && reported != Proposal::NONE { reported } else { known }
    }

    /// Phase 2 (a): propose the value that the reports bind it to, or what it wants itself if nothing was reported; its
    /// own acceptor accepts at once.
    fn lead(&self, id: Id, state: &mut State) -> Sends {
        let Phase::Preparing { bound, .. } = state.phase else { unreachable!("only phase 1 leads here") };
        state.phase = Phase::Leading;
        if self.election_only {
            return Vec::new();
        }
        let is_free = match self.bug {
            Some(Bug::IgnoresReports) => true,
            Some(Bug::TakesEmptyReport) => false,
            _ => bound == Proposal::NONE,
        };
        let ballot = state.durable.tried;
        let value = if is_free { self.wanted(id, ballot, state.incarnation) } else { bound.value };
        let proposal = Proposal { ballot, value };
        let mut sends = self.to_others(id, Msg::Accept { proposal });
        sends.extend(self.accept(id, state, id, proposal));
        sends
    }

    /// What a proposer asks for in this ballot, in this life.
    fn wanted(&self, id: Id, ballot: Ballot, incarnation: u32) -> Value {
        let round = ballot.0 / self.nodes as u64;
        Value { node: usize::from(id) as u8 + 1, round: round as u8, life: incarnation as u8 }
    }

    /// Section 2.2's optimisation, a proposer informed of a higher number: it gives up this ballot, and the next will be
    /// above the one that was in its way.
    fn on_refuse(&self, state: &mut Cow<State>, ballot: Ballot, promised: Ballot) -> Sends {
        let is_under_way = state.phase != Phase::Idle && state.durable.tried == ballot;
        if is_under_way && state.durable.learned.is_none() {
            let state = state.to_mut();
            self.abandon(state);
            state.durable.tried = promised;
        }
        Vec::new()
    }

    /// Section 2.2: a proposer may abandon a proposal at any time; it does when it hears of a higher number.
    fn abandon(&self, state: &mut State) {
        state.phase = Phase::Idle;
        if self.learners == Learners::Leader {
            state.tally = Tally::default();
        }
    }
}

/// The acceptor.
impl Paxos {
    /// Phase 1 (b): asked to prepare for a number above all that it has answered, it promises to accept nothing below
    /// it any more, and reports the highest-numbered proposal that it has accepted.
    fn on_prepare(&self, state: &mut Cow<State>, src: Id, ballot: Ballot) -> Sends {
        let promised = state.durable.promised;
        let again = self.bug == Some(Bug::PromisesAgain) && ballot == promised;
        if ballot > promised || again {
            let accepted = self.reported(&state.durable);
            let state = state.to_mut();
            state.durable.promised = ballot;
            self.abandon(state);
            return vec![(src, Msg::Promise { ballot, accepted })];
        }
        self.refuse(src, ballot, promised)
    }

    /// What it says to have accepted.
    fn reported(&self, disk: &Disk) -> Proposal {
        match self.bug {
            Some(Bug::OneBallotVariable) if disk.accepted != Proposal::NONE => {
                Proposal { ballot: disk.promised, ..disk.accepted }
            }
            _ => disk.accepted,
        }
    }

    /// Phase 2 (b): it accepts a proposal that is not below its promise. The paper lets it accept a lower one even then,
    /// if it has promised nothing above, but must remember the highest. Here accepting raises the promise, so that the
    /// last is the highest: what is below is ignored, as any request may be.
    fn on_accept(&self, id: Id, state: &mut Cow<State>, src: Id, proposal: Proposal) -> Sends {
        let Disk { promised, accepted, .. } = state.durable;
        let floor = match self.bug {
            Some(Bug::AcceptsBelowPromise) => Ballot::NONE,
            Some(Bug::ComparesWithAccepted) => accepted.ballot,
            _ => promised,
        };
        if proposal.ballot < floor {
            return self.refuse(src, proposal.ballot, promised);
        }
        if proposal == accepted {
            return Vec::new();
        }
        let state = state.to_mut();
        if self.bug != Some(Bug::AcceptKeepsPromise) {
            state.durable.promised = promised.max(proposal.ballot);
        }
        if proposal.ballot > state.durable.tried {
            self.abandon(state);
        }
        self.accept(id, state, src, proposal)
    }

    /// Accepts, and tells the learners.
    fn accept(&self, id: Id, state: &mut State, leader: Id, proposal: Proposal) -> Sends {
        state.durable.accepted = proposal;
        let learners = match self.learners {
            Learners::Leader => NodeSet::from_iter([leader]),
            Learners::First => NodeSet::first(1),
            Learners::All => NodeSet::first(self.nodes),
        };
        let told = learners.iter().filter(|&l| l != id).map(|l| (l, Msg::Accepted { proposal }));
        let mut sends: Sends = told.collect();
        if learners.contains(id) {
            sends.extend(self.count(id, state, id, proposal));
        }
        sends
    }

    fn refuse(&self, src: Id, ballot: Ballot, promised: Ballot) -> Sends {
        let refuses = self.refusals && ballot < promised;
        refuses.then_some((src, Msg::Refuse { ballot, promised })).into_iter().collect()
    }
}

/// The learner.
impl Paxos {
    /// Section 2.3: a value is known to be chosen when a quorum is known to have accepted one and the same proposal;
    /// the same value is not enough.
    fn on_accepted(&self, id: Id, state: &mut Cow<State>, src: Id, proposal: Proposal) -> Sends {
        if self.bug == Some(Bug::OverwritesLearned)
            && state.durable.learned.is_some_and(|learned| learned != proposal.value)
        {
            state.to_mut().durable.learned = Some(proposal.value);
        }
        if self.counts(state, src, proposal) {
            self.count(id, state.to_mut(), src, proposal)
        } else {
            Vec::new()
        }
    }

    /// Whether this vote is news to it.
    fn counts(&self, state: &State, src: Id, proposal: Proposal) -> bool {
        let Tally { proposal: current, voters } = &state.tally;
        let is_learner = match self.learners {
            Learners::Leader => state.phase == Phase::Leading && state.durable.tried == proposal.ballot,
            Learners::First | Learners::All => true,
        };
        let is_news = proposal.ballot >= current.ballot && !(proposal == *current && voters.contains(src));
        state.durable.learned.is_none() && is_learner && is_news
    }

    fn count(&self, id: Id, state: &mut State, src: Id, proposal: Proposal) -> Sends {
        if !self.counts(state, src, proposal) {
            return Vec::new();
        }
        let Tally { proposal: current, voters } = &mut state.tally;
        let same = match self.bug {
            Some(Bug::CountsAcrossBallots) => proposal.value == current.value,
            _ => proposal == *current,
        };
        if !same {
            *voters = NodeSet::default();
        }
        *current = proposal;
        voters.insert(src);
        if voters.len() < self.phase2 {
            return Vec::new();
        }
        self.learn(state, proposal.value);
        match self.learners {
            Learners::Leader | Learners::First => self.to_others(id, Msg::Chosen { value: proposal.value }),
            Learners::All => Vec::new(),
        }
    }

    /// Section 2.3: a distinguished learner has found out, and tells the others.
    fn on_chosen(&self, state: &mut Cow<State>, value: Value) -> Sends {
        if state.durable.learned.is_none() {
            self.learn(state.to_mut(), value);
        }
        Vec::new()
    }

    /// A node that knows the value has nothing left to prepare, and nothing to count.
    fn learn(&self, state: &mut State, value: Value) {
        state.durable.learned = Some(value);
        state.tally = Tally::default();
        if state.phase != Phase::Leading {
            state.phase = Phase::Idle;
        }
    }
}

/// Storage, timer, network.
impl Paxos {
    /// Section 2.5: what an acceptor answers, and the number that a proposer is about to use, is in stable storage before
    /// it is sent. The timer starts anew whenever a ballot of its own is started or a higher one is heard of, and stops
    /// when the value is known.
    fn conclude(&self, id: Id, before: Disk, after: &State, sends: Sends, o: &mut Out<Self>) {
        let save = |o: &mut Out<Self>| {
            if after.durable != before {
                o.save(after.durable);
            }
        };
        let late = self.bug == Some(Bug::SendsBeforeSaving);
        if !late {
            save(o);
        }
        sends.into_iter().for_each(|(dst, msg)| o.send(dst, msg));
        if late {
            save(o);
        }
        if after.durable.learned.is_some() {
            if before.learned.is_none() {
                o.cancel_timer(Timer::Retry);
            }
            return;
        }
        // Its own ballot is above its promise, unless a planted bug has it use one that it has promised already.
        let is_started = after.phase != Phase::Idle && after.durable.tried > before.tried;
        let is_waiting = is_started || after.durable.promised > before.promised;
        if is_waiting && self.proposes(id) && self.bug != Some(Bug::NeverRetries) {
            o.set_timer(Timer::Retry, RETRY);
        }
    }

    fn proposes(&self, id: Id) -> bool {
        usize::from(id) < self.proposers
    }

    fn to_others(&self, id: Id, msg: Msg) -> Sends {
        (0..self.nodes).map(Id::from).filter(|&dst| dst != id).map(|dst| (dst, msg.clone())).collect()
    }

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

impl Actor for Paxos {
    type Msg = Msg;
    type Timer = Timer;
    type State = State;
    type Storage = Disk;
    type Random = ();

    fn on_start(&self, id: Id, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        self.start(id, 0, storage, o)
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Msg, o: &mut Out<Self>) {
        let before = state.durable;
        let sends = match msg {
            Msg::Prepare { ballot } => self.on_prepare(state, src, ballot),
            Msg::Promise { ballot, accepted } => self.on_promise(id, state, src, ballot, accepted),
            Msg::Accept { proposal } => self.on_accept(id, state, src, proposal),
            Msg::Accepted { proposal } => self.on_accepted(id, state, src, proposal),
            Msg::Refuse { ballot, promised } => self.on_refuse(state, ballot, promised),
            Msg::Chosen { value } => self.on_chosen(state, value),
        };
        self.conclude(id, before, state, sends, o);
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, o: &mut Out<Self>) {
        let Timer::Retry = timer;
        let before = state.durable;
        let sends = self.prepare(id, state.to_mut());
        self.conclude(id, before, state, sends, o);
    }
}

/// Section 2.3: a learner whom the news has not reached finds out by having a proposal issued, so whoever proposes does.
/// Others can only be told, and are told once; a distinguished learner tells what it learns, once, and nothing again.
fn all_have_learned(healed: &Healed<'_, Paxos>) -> Result<Option<Led>, String> {
    let finds_out = |id: Id, node: &Paxos| match node.learners {
        Learners::First => id == Id::from(0),
        Learners::Leader | Learners::All => node.proposes(id),
    };
    let mut learners = healed.live().filter(|(id, node, _)| finds_out(*id, node));
    match learners.find(|(_, _, state)| state.durable.learned.is_none()) {
        Some((id, ..)) => Err(format!("{} has not learned the value", node_name(id))),
        None => Ok(None),
    }
}

impl Election for Paxos {
    type Witness = History;

    fn about() -> &'static About {
        &catalogue::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let nodes = setup.nodes;
        let sized = |name: &str, default: usize| match setup.number(name) as usize {
            0 => Ok(default),
            n if n <= nodes => Ok(n),
            n => Err(format!("option `{name}`: expected at most the {nodes} nodes, found {n}")),
        };
        let majority = nodes / 2 + 1;
        let paxos = Paxos {
            nodes,
            proposers: sized("proposers", nodes)?,
            phase1: sized("phase1_quorum", majority)?,
            phase2: sized("phase2_quorum", majority)?,
            learners: match setup.text("learners") {
                "leader" => Learners::Leader,
                "first" => Learners::First,
                _ => Learners::All,
            },
            refusals: setup.flag("refusals"),
            election_only: setup.flag("election_only"),
            bug: setup.bug.map(Bug::named),
        };
        let (q1, q2) = (paxos.phase1, paxos.phase2);
        if q1 + q2 <= nodes && paxos.bug != Some(Bug::DisjointQuorums) {
            return Err(format!(
                "expected quorums that meet, phase1_quorum + phase2_quorum > {nodes} nodes, found {q1} + {q2}"
            ));
        }
        Ok(vec![paxos; nodes])
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

    /// With these, a leader has its value chosen.
    fn is_quorum(&self, _: &State, _: usize, _: NodeSet, members: NodeSet) -> bool {
        members.len() >= self.phase2
    }

    fn observe(history: &History, step: &NodeStep<'_, Self>) -> Option<History> {
        history.after(step)
    }

    /// A value is chosen, and that is the end of it: no leader is needed any more.
    fn after_healing(nodes: &[Self]) -> Result<AfterHealing<Self>, String> {
        if nodes.iter().any(|node| node.election_only) {
            return Err(
                "with election_only nothing is ever proposed, so that leaders replace each other for ever"
                    .to_string(),
            );
        }
        Ok(AfterHealing {
            meaning: "every learner that is up, and can find out by itself, learns the value",
            recovered: all_have_learned,
            can_recover: |healed| {
                let up = healed.up();
                let is_enough = |id: Id, node: &Paxos| {
                    up.len() >= node.phase1.max(node.phase2)
                        && node.proposes(id)
                        && (node.learners != Learners::First || up.contains(Id::from(0)))
                };
                healed.live().any(|(id, node, _)| is_enough(id, node))
            },
            ..AfterHealing::all_follow_a_leader()
        })
    }

    fn invariants() -> Vec<Invariant<Self>> {
        history::invariants().into_iter().chain(properties::invariants()).collect()
    }

    fn goals() -> Vec<Goal<Self>> {
        goals::all()
    }

    /// Used ballots, promises and accepted ballots only grow, and a learned value is kept, crashes included: what is too
    /// old now stays too old. With refusals, though, an old request still has the effect of being refused.
    fn is_dead(&self, _: Id, state: &State, src: Id, msg: &Msg) -> bool {
        if self.bug.is_some_and(|bug| bug.revives(msg)) {
            return false;
        }
        let disk = &state.durable;
        match msg {
            Msg::Prepare { ballot } => *ballot <= disk.promised && !self.refusals,
            Msg::Accept { proposal } => {
                (proposal.ballot < disk.promised || *proposal == disk.accepted) && !self.refusals
            }
            Msg::Promise { ballot, .. } => match state.phase {
                Phase::Preparing { promises, .. } => disk.tried != *ballot || promises.contains(src),
                Phase::Idle | Phase::Leading => true,
            },
            // Any other learner than the leader loses its tally in a crash, and may then count an old vote again.
            Msg::Accepted { proposal } => match self.learners {
                Learners::Leader => !self.counts(state, src, *proposal),
                Learners::First | Learners::All => disk.learned.is_some(),
            },
            Msg::Refuse { ballot, .. } => {
                state.phase == Phase::Idle || disk.tried != *ballot || disk.learned.is_some()
            }
            Msg::Chosen { .. } => disk.learned.is_some(),
        }
    }
}
