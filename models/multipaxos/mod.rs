//! Multi-Paxos: one leader runs phase 1 of Paxos once for all slots of a log, and phase 2 for each slot.
//!
//! After Lamport, "Paxos Made Simple" (2001), section 3 (cited as PMS): a leader that finds a gap fills it with a no-op.
//! The vocabulary is that of van Renesse and Altinbuken, "Paxos Made Moderately Complex" (2015; PMMC): ballots are owned by
//! one node, slots are numbered from 1. Heartbeats, and the commit index that they carry, are what practice adds.
//!
//! Every node is proposer, acceptor and learner. A node leads ballot b from the moment when phase 1 for b is complete. It
//! has then promised b itself, and it stops when it promises a higher ballot: so a node never campaigns or leads under
//! another ballot than the one it promised last, and [`Role`] needs no ballot of its own.
//!
//! What the checker remembers is in [`history`], the papers' rules as properties of single steps are in [`properties`],
//! goals in [`goals`], planted bugs in [`bugs`]. Left out: refusals (a node that has promised more is silent, as if the
//! message were lost), reads and leases, snapshots and a log that is ever cut, reconfiguration. The README says why
//! that is sound.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

use crate::election::{
    About, AfterHealing, CLIENT, Election, Goal, Healed, Invariant, Led, NeedOfTime, NodeSet, NodeStep,
    OptionSpec, Setup, Term, node_name,
};

mod bugs;
mod goals;
mod history;
mod properties;
#[cfg(test)]
mod tests;

use bugs::{BUGS, Bug};
use history::History;

static ABOUT: About = About {
    name: "multipaxos",
    title: "Multi-Paxos",
    source: "Lamport, Paxos Made Simple, 2001, section 3; van Renesse and Altinbuken, Paxos Made Moderately Complex, 2015",
    has_terms: true,
    starts_led: false,
    options: &[
        OptionSpec {
            name: "values",
            default: crate::election::Value::Number(0),
            allowed: &[],
            help: "how many inputs clients give in a whole run, at most 9; 0 is the pure election",
        },
        OptionSpec {
            name: "heartbeats",
            default: crate::election::Value::Flag(true),
            allowed: &[],
            help: "leaders send heartbeats, which also repeat what may be lost; without them a leader sends each \
                   proposal and each commit notice once, which is enough where timing is asynchronous and safety is asked",
        },
    ],
    bugs: BUGS,
    corpus: include_str!("scenarios.toml"),
};

/// How long a follower waits for its leader, and a candidate for its promises.
const ELECTION: Range<Duration> = Duration::from_millis(30)..Duration::from_millis(60);
/// How often a leader is heard of.
const HEARTBEAT: Range<Duration> = Duration::from_millis(10)..Duration::from_millis(20);
const _: () =
    assert!(HEARTBEAT.end.as_millis() < ELECTION.start.as_millis(), "a live leader must be heard in time");

/// One node: what it knows of the system before it starts.
#[derive(Clone, Debug)]
pub struct MultiPaxos {
    nodes: usize,
    /// How many inputs the clients of the whole system have.
    values: u64,
    /// Whether leaders send heartbeats.
    heartbeats: bool,
    bug: Option<Bug>,
}

/// A ballot belongs to one node, and ballots are totally ordered: rounds first (PMMC).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ballot {
    /// From 1; 0 is below every ballot.
    round: u32,
    node: u8,
}

impl Debug for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.round {
            0 => f.write_str("none"),
            round => write!(f, "{round}.{}", node_name(self.owner())),
        }
    }
}

impl Ballot {
    fn owner(self) -> Id {
        Id::from(usize::from(self.node))
    }
}

/// A place in the log, from 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

impl Slot {
    fn next(self) -> Slot {
        Slot(self.0 + 1)
    }
    fn up_to(self, last: Slot) -> impl Iterator<Item = Slot> {
        (self.0..=last.0).map(Slot)
    }
}

impl Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a slot can hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Fills a gap in the log.
    Noop,
    /// What a client asks for, by its number in the run: no two inputs are alike.
    Input(u8),
}

impl Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Noop => f.write_str("noop"),
            Value::Input(number) => write!(f, "v{number}"),
        }
    }
}

/// What an acceptor accepted in a slot, and under which ballot: a PMMC pvalue without its slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    ballot: Ballot,
    value: Value,
}

impl Debug for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.value, self.ballot)
    }
}

type Votes = BTreeMap<Slot, Vote>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Msg {
    /// Phase 1a, for every slot at or above `from`.
    Prepare { ballot: Ballot, from: Slot },
    /// Phase 1b: all that the sender has accepted in those slots.
    Promise { ballot: Ballot, accepted: Votes },
    /// Phase 2a.
    Accept { ballot: Ballot, slot: Slot, value: Value },
    /// Phase 2b.
    Accepted { ballot: Ballot, slot: Slot },
    /// The leader is alive, and every slot up to `chosen` is chosen. Sent at once when more is chosen (a commit notice).
    Heartbeat { ballot: Ballot, chosen: Slot },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    Election,
    Heartbeat,
}

/// What survives a crash: saved before anything is sent that depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// No ballot below this one is taken part in.
    promised: Ballot,
    /// The highest round under which this node has campaigned.
    round: u32,
    /// The last vote in each slot.
    accepted: Votes,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// A copy of what is on disk once the handler has ended.
    durable: Disk,
    /// Every slot up to this one is chosen, and its value is that of the node's own vote. Learned anew after a crash.
    chosen: Slot,
    role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    Follower,
    /// In phase 1 of the ballot that it promised last.
    Candidate {
        /// Whose promises it has, its own included.
        promises: NodeSet,
        /// Of each slot, the vote under the highest ballot among those promises.
        adopted: Votes,
    },
    /// In phase 2 of the ballot that it promised last.
    Leader {
        /// Who is known to have accepted its proposal in each slot, itself included. A slot that is chosen stays only
        /// as long as a heartbeat may have to repeat its proposal. In a slot that was chosen before it led, its own vote
        /// stays as it was, under an earlier ballot: no majority is counted there any more.
        acks: BTreeMap<Slot, NodeSet>,
    },
}

impl State {
    fn first_unchosen(&self) -> Slot {
        self.chosen.next()
    }

    /// What the node believes chosen, in the order of the slots.
    fn committed(&self) -> impl Iterator<Item = (Slot, Value)> {
        Slot(1).up_to(self.chosen).map(|slot| (slot, self.durable.accepted[&slot].value))
    }
}

impl MultiPaxos {
    fn majority(&self) -> usize {
        self.nodes / 2 + 1
    }

    fn peers(&self, id: Id) -> impl Iterator<Item = Id> + use<> {
        NodeSet::first(self.nodes).iter().filter(move |peer| *peer != id)
    }

    fn term_of(&self, ballot: Ballot) -> Term {
        Term(u64::from(ballot.round) * self.nodes as u64 + u64::from(ballot.node))
    }

    /// Phase 1a (PMS 2.2, 3): a ballot that this node has never used and may promise, for all slots from the first that
    /// it does not know chosen. It is the first to promise it.
    fn campaign(&self, id: Id, state: &mut State, o: &mut Out<Self>) {
        let from = state.first_unchosen();
        let adopted = self.report(state, from);
        let mut ballot = Ballot { round: state.durable.round + 1, node: usize::from(id) as u8 };
        while ballot < state.durable.promised {
            ballot.round += 1;
        }
        state.durable.round = ballot.round;
        state.durable.promised = ballot;
        state.role = Role::Candidate { promises: [id].into_iter().collect(), adopted };
        o.save(state.durable.clone());
        o.set_timer(Timer::Election, ELECTION);
        self.peers(id).for_each(|peer| o.send(peer, Msg::Prepare { ballot, from }));
        self.lead_if_promised(id, state, o);
    }

    /// Phase 1b (PMS 2.2, 3): a ballot above all that were promised is promised, and answered with a report.
    fn on_prepare(&self, state: &mut Cow<State>, src: Id, ballot: Ballot, from: Slot, o: &mut Out<Self>) {
        let promised = state.durable.promised;
        if ballot < promised || ballot == promised && self.bug != Some(Bug::PromisesTwice) {
            return;
        }
        let state = state.to_mut();
        let accepted = self.report(state, from);
        self.join(state, ballot, o);
        self.answer(state, ballot > promised, src, Msg::Promise { ballot, accepted }, o);
    }

    /// What an acceptor tells with its promise: every vote in the slots asked for, with its ballot (PMS 2.2, 3).
    fn report(&self, state: &State, from: Slot) -> Votes {
        let mut votes: Votes =
            state.durable.accepted.range(from..).map(|(slot, vote)| (*slot, *vote)).collect();
        if self.bug == Some(Bug::DropsHighestSlot) {
            votes.pop_last();
        }
        if self.bug == Some(Bug::ReportsFirstSlotOnly) {
            votes.retain(|slot, _| *slot == from);
        }
        if self.bug == Some(Bug::ReportsAboveOwnCommit) {
            votes.retain(|slot, _| *slot > state.chosen);
        }
        if self.bug == Some(Bug::OneBallotVariable) {
            votes.values_mut().for_each(|vote| vote.ballot = state.durable.promised);
        }
        votes
    }

    /// PMS 2.2: in each slot the leader is bound by the vote under the highest ballot that a majority reports.
    fn on_promise(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        ballot: Ballot,
        accepted: Votes,
        o: &mut Out<Self>,
    ) {
        // A promise is for the ballot that it names.
        let is_for_this = ballot == state.durable.promised || self.bug == Some(Bug::PromiseNamesNoBallot);
        match &state.role {
            Role::Candidate { promises, .. } if is_for_this && !promises.contains(src) => {}
            _ => return,
        }
        let state = state.to_mut();
        if let Role::Candidate { promises, adopted } = &mut state.role {
            promises.insert(src);
            for (slot, vote) in accepted {
                let gap = adopted.last_key_value().is_some_and(|(last, _)| slot < *last)
                    && !adopted.contains_key(&slot);
                if gap && self.bug == Some(Bug::FillsGapsEarly) {
                    continue;
                }
                let bound = adopted.entry(slot).or_insert(vote);
                if vote.ballot > bound.ballot || self.bug == Some(Bug::AdoptsLastReceived) {
                    *bound = vote;
                }
            }
        }
        self.lead_if_promised(id, state, o);
    }

    /// PMS 3: once a majority has promised, the node leads: it proposes again what it is bound to, and a no-op in each
    /// gap below, so that nothing above waits for ever.
    fn lead_if_promised(&self, id: Id, state: &mut State, o: &mut Out<Self>) {
        let Role::Candidate { promises, adopted } = &state.role else { return };
        if promises.len() < self.majority() {
            return;
        }
        let last = adopted.last_key_value().map_or(state.chosen, |(slot, _)| *slot);
        let mut proposals = Vec::new();
        for slot in state.first_unchosen().up_to(last) {
            match adopted.get(&slot) {
                Some(vote) => proposals.push((slot, vote.value)),
                None if self.bug == Some(Bug::LeavesGaps) => {}
                None => proposals.push((slot, Value::Noop)),
            }
        }
        if self.bug == Some(Bug::ClosesGaps) {
            let inputs = proposals.into_iter().map(|(_, value)| value).filter(|value| *value != Value::Noop);
            proposals = state.first_unchosen().up_to(last).zip(inputs).collect();
        }
        let mut acks = BTreeMap::new();
        o.cancel_timer(Timer::Election);
        if self.heartbeats {
            o.set_timer(Timer::Heartbeat, HEARTBEAT);
            // What is chosen already is repeated by heartbeats only, for followers that have not heard of it.
            acks.extend(Slot(1).up_to(state.chosen).map(|slot| (slot, [id].into_iter().collect())));
        }
        state.role = Role::Leader { acks };
        self.propose(id, state, &proposals, o);
        self.offer_input(o);
    }

    /// A leader takes inputs, any number at a time: it does not wait for one slot before it uses the next (PMS 3).
    fn offer_input(&self, o: &mut Out<Self>) {
        if self.values > 0 {
            o.choose_random(CLIENT, (1..=self.values as u8).map(Value::Input).collect());
        }
    }

    /// Phase 2a (PMS 2.2): the leader proposes, and is the first to accept.
    fn propose(&self, id: Id, state: &mut State, proposals: &[(Slot, Value)], o: &mut Out<Self>) {
        let Role::Leader { acks } = &mut state.role else { return };
        let ballot = state.durable.promised;
        for &(slot, value) in proposals {
            state.durable.accepted.insert(slot, Vote { ballot, value });
            acks.insert(slot, [id].into_iter().collect());
        }
        if !proposals.is_empty() {
            o.save(state.durable.clone());
        }
        for &(slot, value) in proposals {
            self.peers(id).for_each(|peer| o.send(peer, Msg::Accept { ballot, slot, value }));
        }
        self.count_acks(id, state, o);
    }

    /// Phase 2b (PMS 2.2): accept unless a higher ballot is promised. Accepting under a ballot is taking part in it. What
    /// was accepted before is answered again, for the answer may be lost.
    fn on_accept(&self, state: &mut Cow<State>, src: Id, slot: Slot, vote: Vote, o: &mut Out<Self>) {
        let ballot = vote.ballot;
        if ballot < state.durable.promised && self.bug != Some(Bug::AcceptsBelowPromise) {
            return;
        }
        let state = state.to_mut();
        let news = ballot > state.durable.promised || state.durable.accepted.get(&slot) != Some(&vote);
        self.join(state, ballot, o);
        state.durable.accepted.insert(slot, vote);
        self.answer(state, news, src, Msg::Accepted { ballot, slot }, o);
    }

    fn on_accepted(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        ballot: Ballot,
        slot: Slot,
        o: &mut Out<Self>,
    ) {
        match &state.role {
            Role::Leader { acks }
                if ballot == state.durable.promised
                    && acks.get(&slot).is_some_and(|who| !who.contains(src)) => {}
            _ => return,
        }
        let state = state.to_mut();
        if let Role::Leader { acks } = &mut state.role {
            acks.entry(slot).or_default().insert(src);
        }
        self.count_acks(id, state, o);
    }

    /// PMS 2.2: what a majority has accepted under one ballot is chosen. Slots are committed in order, and the followers
    /// are told at once.
    fn count_acks(&self, id: Id, state: &mut State, o: &mut Out<Self>) {
        let Role::Leader { acks } = &mut state.role else { return };
        let quorum = match self.bug {
            Some(Bug::AcceptQuorumOffByOne) => self.majority() - 1,
            _ => self.majority(),
        };
        let before = state.chosen;
        while acks.get(&state.chosen.next()).is_some_and(|who| who.len() >= quorum) {
            state.chosen = state.chosen.next();
            if !self.heartbeats {
                acks.remove(&state.chosen);
            }
        }
        if state.chosen > before {
            let notice = Msg::Heartbeat { ballot: state.durable.promised, chosen: state.chosen };
            self.peers(id).for_each(|peer| o.send(peer, notice.clone()));
        }
    }

    /// A follower's vote under the leader's own ballot is the leader's proposal (there is but one a slot), so it is
    /// chosen where the leader says that the slot is; a vote under a lower ballot need not be.
    fn on_heartbeat(&self, state: &mut Cow<State>, ballot: Ballot, chosen: Slot, o: &mut Out<Self>) {
        if ballot < state.durable.promised {
            return;
        }
        let state = state.to_mut();
        let news = ballot > state.durable.promised;
        self.join(state, ballot, o);
        if news {
            o.save(state.durable.clone());
        }
        for slot in state.first_unchosen().up_to(chosen) {
            match state.durable.accepted.get(&slot) {
                Some(vote) if vote.ballot == ballot || self.bug == Some(Bug::CommitsAnyBallot) => {
                    state.chosen = slot;
                }
                _ => break,
            }
        }
    }

    /// Heartbeats keep followers from campaigning, and repeat what may have been lost: the commit index to all, a
    /// proposal to those that have not answered it.
    fn beat(&self, id: Id, state: &State, o: &mut Out<Self>) {
        let Role::Leader { acks } = &state.role else { return };
        let ballot = state.durable.promised;
        o.set_timer(Timer::Heartbeat, HEARTBEAT);
        for peer in self.peers(id) {
            o.send(peer, Msg::Heartbeat { ballot, chosen: state.chosen });
            for (&slot, who) in acks {
                if !who.contains(peer) && self.bug != Some(Bug::NeverRetransmits) {
                    let value = state.durable.accepted[&slot].value;
                    o.send(peer, Msg::Accept { ballot, slot, value });
                }
            }
        }
    }

    /// Takes part in `ballot`: a higher one than promised is promised, and ends what the node did under a lower one. Its
    /// owner gets time before this node campaigns.
    fn join(&self, state: &mut State, ballot: Ballot, o: &mut Out<Self>) {
        if ballot < state.durable.promised {
            return;
        }
        if ballot > state.durable.promised {
            state.durable.promised = ballot;
            if let Role::Leader { .. } = state.role {
                o.cancel_timer(Timer::Heartbeat);
                o.remove_random(CLIENT);
            }
            state.role = Role::Follower;
        }
        o.set_timer(Timer::Election, ELECTION);
    }

    /// An acceptor speaks only of what is on its disk (PMS 2.5: recorded in stable storage before the response is sent).
    fn answer(&self, state: &State, news: bool, dst: Id, msg: Msg, o: &mut Out<Self>) {
        if self.bug == Some(Bug::AnswersBeforeDisk) {
            o.send(dst, msg);
            o.save(state.durable.clone());
            return;
        }
        if news {
            o.save(state.durable.clone());
        }
        o.send(dst, msg);
    }
}

impl Actor for MultiPaxos {
    type Msg = Msg;
    type Timer = Timer;
    type State = State;
    type Storage = Disk;
    type Random = Value;

    fn on_start(&self, id: Id, storage: &Option<Disk>, o: &mut Out<Self>) -> State {
        self.start(id, 0, storage, o)
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Msg, o: &mut Out<Self>) {
        match msg {
            Msg::Prepare { ballot, from } => self.on_prepare(state, src, ballot, from, o),
            Msg::Promise { ballot, accepted } => self.on_promise(id, state, src, ballot, accepted, o),
            Msg::Accept { ballot, slot, value } => {
                self.on_accept(state, src, slot, Vote { ballot, value }, o)
            }
            Msg::Accepted { ballot, slot } => self.on_accepted(id, state, src, ballot, slot, o),
            Msg::Heartbeat { ballot, chosen } => self.on_heartbeat(state, ballot, chosen, o),
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, o: &mut Out<Self>) {
        match timer {
            Timer::Election => self.campaign(id, state.to_mut(), o),
            Timer::Heartbeat => self.beat(id, state, o),
        }
    }

    /// A client's input goes into the first slot that the leader has not used (PMS 3).
    fn on_random(&self, id: Id, state: &mut Cow<State>, input: &Value, o: &mut Out<Self>) {
        let state = state.to_mut();
        let last = match self.bug {
            Some(Bug::UsesASlotTwice) => state.chosen,
            _ => state.durable.accepted.last_key_value().map_or(Slot(0), |(slot, _)| *slot),
        };
        self.propose(id, state, &[(last.next(), *input)], o);
        self.offer_input(o);
    }
}

/// PMS 3: what is proposed is chosen, without gaps, and PMS 2.1: what may have been lost is sent again.
fn all_know_the_log(healed: &Healed<'_, MultiPaxos>) -> Result<Option<Led>, String> {
    let led = healed.followed_leader()?;
    healed.all_follow(led, healed.up())?;
    let (_, leader) = healed.get(led.0).expect("a leader is up");
    let last = leader.durable.accepted.last_key_value().map_or(Slot(0), |(slot, _)| *slot);
    match healed.live().find(|(_, _, state)| state.chosen < last) {
        Some((id, _, state)) => Err(format!(
            "{} knows of nothing chosen beyond slot {:?}, and slot {last:?} is in use",
            node_name(id),
            state.chosen
        )),
        None => Ok(Some(led)),
    }
}

impl Election for MultiPaxos {
    type Witness = History;

    fn about() -> &'static About {
        &ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let values = setup.number("values");
        if values > 9 {
            return Err(format!("values = {values}: at most 9 slots can be told apart in reasonable time"));
        }
        let bug =
            setup.bug.map(|name| Bug::named(name).unwrap_or_else(|| panic!("no bug {name}: checked before")));
        let node = MultiPaxos { nodes: setup.nodes, values, heartbeats: setup.flag("heartbeats"), bug };
        Ok(vec![node; setup.nodes])
    }

    /// A node that comes back is a follower with the promise, the rounds used and the votes that are on its disk.
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
        self.term_of(state.durable.promised)
    }

    fn leads(&self, _: Id, state: &State) -> Option<Term> {
        matches!(state.role, Role::Leader { .. }).then(|| self.term(state))
    }

    /// Whoever has promised a ballot of another node follows it.
    fn follows(&self, id: Id, state: &State) -> Option<(Term, Id)> {
        let Ballot { round, .. } = state.durable.promised;
        let owner = state.durable.promised.owner();
        (round > 0 && owner != id).then(|| (self.term(state), owner))
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

    fn observe(history: &History, step: &NodeStep<'_, Self>) -> Option<History> {
        history.after(step)
    }

    /// Everybody has promised the leader's ballot, and everything proposed is chosen and known to be.
    fn after_healing(_: &[Self]) -> Result<AfterHealing<Self>, String> {
        Ok(AfterHealing {
            meaning: "a leader comes about that every node that is up follows, and every slot in use is chosen and known to \
                      be so by all of them",
            recovered: all_know_the_log,
            ..AfterHealing::all_follow_a_leader()
        })
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        use crate::election::Value::Flag;
        &[NeedOfTime { option: "heartbeats", not: Flag(false), but: Flag(true) }]
    }

    fn invariants() -> Vec<Invariant<Self>> {
        history::invariants().into_iter().chain(properties::invariants()).collect()
    }

    fn goals() -> Vec<Goal<Self>> {
        goals::all()
    }

    fn is_dead(&self, id: Id, state: &State, src: Id, msg: &Msg) -> bool {
        let promised = state.durable.promised;
        match (msg, self.bug) {
            // A promise only ever rises, across restarts too.
            (_, Some(Bug::ForgetsPromise)) => false,
            (Msg::Prepare { ballot, .. }, Some(Bug::PromisesTwice)) => *ballot < promised,
            (Msg::Prepare { ballot, .. }, _) => *ballot <= promised,
            (Msg::Accept { .. }, Some(Bug::AcceptsBelowPromise)) => false,
            (Msg::Accept { ballot, .. } | Msg::Heartbeat { ballot, .. }, _) => *ballot < promised,
            // A node campaigns under a ballot once, so an answer counts now or never, and once.
            (Msg::Promise { .. } | Msg::Accepted { .. }, Some(Bug::ReusesBallot)) => false,
            (Msg::Promise { .. }, Some(Bug::PromiseNamesNoBallot)) => false,
            (Msg::Promise { ballot, .. }, _) => match &state.role {
                Role::Candidate { promises, .. } if *ballot == promised => promises.contains(src),
                _ => ballot.owner() == id && ballot.round <= state.durable.round,
            },
            (Msg::Accepted { ballot, slot }, _) => match &state.role {
                Role::Leader { acks } if *ballot == promised => {
                    acks.get(slot).map_or(*slot <= state.chosen, |who| who.contains(src))
                }
                Role::Candidate { .. } if *ballot == promised => false,
                _ => ballot.owner() == id && ballot.round <= state.durable.round,
            },
        }
    }
}
