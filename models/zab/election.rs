//! Phase 0: Fast Leader Election, or an oracle in its place.
//!
//! Servers exchange votes in numbered rounds. Each adopts the best vote that it hears of. Whoever
//! sees a quorum agree with its own vote waits a moment for a better one, then leaves the election
//! to lead or to follow. No guarantee of Zab depends on this phase, as phase 1 prevents two leaders
//! of one epoch. This phase only has to elect a server with the most recent history, so that phase
//! 1 succeeds.

use stateright::actor::Id;

use super::Zab;
use super::bugs::Bug;
use super::message::{Choice, Message, Settled, Timer, Vote};
use super::state::{Epoch, Link, Looking, Role, Stand, Zxid};
use super::turn::{FINALIZE, RETRY, Turn};
use crate::election::{CLIENT, NodeSet, SortedMap};

/// The key of the oracle's choice.
const ORACLE: &str = "oracle";

impl Zab {
    /// Whether a server exchanges the vote `old` for `new`.
    pub(super) fn beats(&self, new: Vote, old: Vote) -> bool {
        let recent = |vote: Vote| (self.recency(vote.epoch, vote.zxid), vote.leader);
        if self.bug == Some(Bug::VoteOrderNoOrder) {
            return new.epoch > old.epoch
                || (new.epoch == old.epoch && new.zxid > old.zxid)
                || (new.zxid == old.zxid && new.leader > old.leader);
        }
        recent(new) > recent(old)
    }

    /// The key by which histories are compared: the later last epoch is more recent, then the later
    /// last transaction.
    pub(super) fn recency(&self, current: Epoch, last: Zxid) -> (Epoch, Zxid) {
        if self.bug == Some(Bug::ElectsByZxidOnly) { (Epoch(0), last) } else { (current, last) }
    }
}

impl Turn<'_, '_> {
    /// Goes (back) to the election, in a round of its own.
    pub(super) fn look(&mut self) {
        let state = self.state.to_mut();
        state.link.round += 1;
        if matches!(&state.role, Role::Leading(leading) if leading.stand == Stand::Broadcast) {
            self.out.remove_random(CLIENT);
        }
        self.out.cancel_timer(Timer::Contact);
        self.out.cancel_timer(Timer::Ping);
        self.out.cancel_timer(Timer::Retry);
        self.cast(self.own_vote(), SortedMap::new());
    }

    /// Back to the election, because this leader cannot be followed. The election would name it
    /// again at once, so the server waits until it would have asked again (`Retry` runs on).
    /// Messages take no time, so without the wait it would ask for ever and no time would pass.
    pub(super) fn look_later(&mut self) {
        if !self.node.pings || self.node.oracle.is_some() {
            return self.look();
        }
        self.out.cancel_timer(Timer::Contact);
        let vote = self.own_vote();
        let state = self.state.to_mut();
        state.link.round += 1;
        let (votes, settled) = (SortedMap::new(), SortedMap::new());
        state.role = Role::Looking(Looking { vote, votes, settled });
    }

    /// Starts a round with this vote.
    fn cast(&mut self, vote: Option<Vote>, settled: SortedMap<Id, Settled>) {
        let state = self.state.to_mut();
        state.role = Role::Looking(Looking { vote, votes: SortedMap::new(), settled });
        if let Some(candidates) = self.node.oracle {
            let (id, initialised) = (self.id, state.initialised);
            let may_lead = |&node: &Id| node != id || initialised;
            let named = self.node.nodes().take(candidates).filter(may_lead);
            return self.out.choose_random(ORACLE, named.map(Choice::Elect).collect());
        }
        self.notify(vote);
        if self.node.pings {
            self.out.set_timer(Timer::Retry, RETRY);
        }
    }

    /// Everybody hears of a vote.
    fn notify(&mut self, vote: Option<Vote>) {
        let link = self.state.link;
        for other in self.node.others(self.id) {
            self.out.send(other, Message::Notification { link, vote });
        }
    }

    /// A server votes for itself first. One that has lost its disk has no history to offer and no
    /// say in which of the others' is the most recent: it waits for those who have (ZOOKEEPER-261).
    fn own_vote(&self) -> Option<Vote> {
        let disk = &self.state.disk;
        let vote = Vote { epoch: disk.current, zxid: disk.last(), leader: self.id };
        self.state.initialised.then_some(vote)
    }

    /// The vote of a server that is looking.
    pub(super) fn on_notification(&mut self, src: Id, link: Link, vote: Option<Vote>) {
        let looking = match &self.state.role {
            // Who has left the election says where it went.
            Role::Following(following) => return self.answer(src, link, following.leader),
            Role::Leading(_) => return self.answer(src, link, self.id),
            Role::Looking(looking) => looking,
        };
        let (round, own) = (link.round, self.state.link.round);
        let Some(vote) = vote else { return };
        if round < own || (round == own && looking.votes.get(&src) == Some(&vote)) {
            return;
        }
        let mine = looking.vote;
        if round > own {
            self.join_round(round, vote);
        } else if mine.is_some_and(|mine| self.node.beats(vote, mine)) {
            self.looking_mut().vote = Some(vote);
            self.notify(Some(vote));
        }
        self.looking_mut().votes.insert(src, vote);
        if self.is_agreed() {
            self.out.set_timer(Timer::Finalize, FINALIZE);
        } else {
            self.out.cancel_timer(Timer::Finalize);
        }
    }

    fn answer(&mut self, src: Id, link: Link, leader: Id) {
        let (round, epoch) = (self.state.link.round, self.state.disk.accepted);
        let settled = Settled { round, leader, epoch };
        self.out.send(src, Message::Settled { link, settled });
    }

    /// A later round: votes of the earlier one no longer count, and it begins with the better of
    /// the own vote and the one heard.
    fn join_round(&mut self, round: u32, vote: Vote) {
        let own = self.own_vote();
        let better = own.map(|own| if self.node.beats(vote, own) { vote } else { own });
        let settled = std::mem::take(&mut self.looking_mut().settled);
        self.state.to_mut().link.round = round;
        self.cast(better, settled);
    }

    /// Whether a quorum casts the same vote as this server.
    fn is_agreed(&self) -> bool {
        let Role::Looking(looking) = &self.state.role else { return false };
        if self.has(Bug::AllVotesShortcut) && looking.votes.len() + 1 == self.node.count {
            return true; // "all have voted, so the election is over", whatever they voted for
        }
        let with_me = looking.votes.values().filter(|&&vote| Some(vote) == looking.vote).count();
        looking.vote.is_some() && self.node.is_majority(with_me + 1)
    }

    /// No better vote came: the election is over for this server.
    pub(super) fn on_finalize(&mut self) {
        let Role::Looking(looking) = &self.state.role else { return };
        if let Some(vote) = looking.vote {
            self.settle(vote.leader);
        }
    }

    /// A server that has left the election says where it went. If enough say the same, the election
    /// is over.
    pub(super) fn on_settled(&mut self, src: Id, link: Link, settled: Settled) {
        let Role::Looking(looking) = &self.state.role else { return };
        if link != self.state.link || looking.settled.get(&src) == Some(&settled) {
            return;
        }
        self.looking_mut().settled.insert(src, settled);
        if self.may_join(settled) {
            let link = &mut self.state.to_mut().link;
            link.round = link.round.max(settled.round);
            self.settle(settled.leader);
        }
    }

    /// Whether a quorum stands behind what one settled server said, its leader among them.
    fn may_join(&self, said: Settled) -> bool {
        let Role::Looking(looking) = &self.state.role else { return false };
        let (id, round) = (self.id, self.state.link.round);
        // Outside the election leader and epoch are compared, not rounds (ZOOKEEPER-1805). But a
        // server that is named itself compares rounds: others may still follow it in an earlier
        // life or round.
        let rounds_count = match said.leader == id {
            true => !self.has(Bug::IgnoresRound),
            false => self.has(Bug::JoinsByRound),
        };
        let agrees = |other: &Settled| {
            other.leader == said.leader
                && other.epoch == said.epoch
                && (other.round == said.round || !rounds_count)
        };
        let agreeing = looking.settled.iter().filter(|(_, other)| agrees(other));
        let mut behind: NodeSet = agreeing.map(|(&node, _)| node).collect();
        if said.round == round {
            // Votes of the same round count beside the word of those who have left it.
            let votes = looking.votes.iter().map(|(&node, &vote)| (node, vote));
            let votes = votes.chain(looking.vote.map(|vote| (id, vote)));
            let votes = votes.filter(|(_, vote)| vote.leader == said.leader);
            votes.for_each(|(node, _)| behind.insert(node));
        }
        let leader_vouches = if said.leader == id {
            looking.vote.is_some() && (said.round == round || !rounds_count)
        } else {
            looking.settled.get(&said.leader).is_some_and(|leader| leader.leader == said.leader)
        };
        self.node.is_majority(behind.len()) && leader_vouches
    }

    /// Leaves the election.
    pub(super) fn settle(&mut self, leader: Id) {
        self.out.cancel_timer(Timer::Retry);
        self.out.cancel_timer(Timer::Finalize);
        if leader == self.id {
            self.lead();
        } else {
            self.follow(leader);
        }
    }

    /// Repeats the vote: others may have been down, or cut off.
    pub(super) fn repeat_vote(&mut self, vote: Option<Vote>) {
        self.notify(vote);
        self.out.set_timer(Timer::Retry, RETRY);
    }
}
