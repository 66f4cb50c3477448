//! Phase 0: Fast Leader Election, or an oracle in its place.
//!
//! Servers exchange votes in numbered rounds; each adopts the best vote that it hears of, and whoever sees a quorum
//! agree with its own vote waits a moment for a better one, then leaves the election to lead or to follow. Nothing that
//! Zab guarantees rests on this: phase 1 is what keeps two leaders apart. What rests on it is that the server elected
//! has the most recent history, so that phase 1 succeeds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stateright::actor::{Id, Out};

use super::state::*;
use super::{Bug, FINALIZE, ORACLE, RETRY, Zab};
use crate::election::{CLIENT, NodeSet};

impl Zab {
    /// Goes (back) to the election, in a round of its own.
    pub(super) fn look(&self, id: Id, server: &mut Server, o: &mut Out<Self>) {
        server.link.round += 1;
        if matches!(&server.role, Role::Leading(leading) if leading.stand == Stand::Broadcast) {
            o.remove_random(CLIENT);
        }
        o.cancel_timer(Timer::Contact);
        o.cancel_timer(Timer::Ping);
        o.cancel_timer(Timer::Retry);
        self.cast(id, server, self.own_vote(id, server), BTreeMap::new(), o);
    }

    /// Back to the election from a leader that cannot be followed, and that will be named again at once: the server waits
    /// until it would have asked again (`Retry` runs on), for where messages take no time it would otherwise ask for ever,
    /// and no time would pass.
    pub(super) fn look_later(&self, id: Id, server: &mut Server, o: &mut Out<Self>) {
        if !self.pings || self.oracle.is_some() {
            return self.look(id, server, o);
        }
        server.link.round += 1;
        o.cancel_timer(Timer::Contact);
        let vote = self.own_vote(id, server);
        server.role = Role::Looking(Looking { vote, votes: BTreeMap::new(), settled: BTreeMap::new() });
    }

    /// Starts a round with this vote.
    fn cast(
        &self,
        id: Id,
        server: &mut Server,
        vote: Option<Vote>,
        settled: BTreeMap<Id, Settled>,
        o: &mut Out<Self>,
    ) {
        server.role = Role::Looking(Looking { vote, votes: BTreeMap::new(), settled });
        if let Some(candidates) = self.oracle {
            let may_lead = |&node: &Id| node != id || server.initialised;
            o.choose_random(
                ORACLE,
                self.nodes().take(candidates).filter(may_lead).map(Choice::Elect).collect(),
            );
            return;
        }
        self.notify(id, server.link, vote, o);
        if self.pings {
            o.set_timer(Timer::Retry, RETRY);
        }
    }

    fn notify(&self, id: Id, link: Link, vote: Option<Vote>, o: &mut Out<Self>) {
        self.others(id).for_each(|other| o.send(other, Msg::Notification { link, vote }));
    }

    /// A server votes for itself first. One that has lost its disk has no history to offer and no say in which of the
    /// others' is the most recent: it waits for those who have (ZOOKEEPER-261).
    fn own_vote(&self, id: Id, server: &Server) -> Option<Vote> {
        let vote = Vote { epoch: server.disk.current, zxid: server.disk.last(), leader: id };
        server.initialised.then_some(vote)
    }

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

    /// By what one history is more recent than another: first by the last epoch that took it over, then by its last
    /// transaction.
    pub(super) fn recency(&self, current: Epoch, last: Zxid) -> (Epoch, Zxid) {
        if self.bug == Some(Bug::ElectsByZxidOnly) { (Epoch(0), last) } else { (current, last) }
    }

    /// The vote of a server that is looking.
    pub(super) fn on_notification(
        &self,
        id: Id,
        state: &mut Cow<Server>,
        src: Id,
        (link, vote): (Link, Option<Vote>),
        o: &mut Out<Self>,
    ) {
        let settled = |leader| Settled { round: state.link.round, leader, epoch: state.disk.accepted };
        let looking = match &state.role {
            // Who has left the election says where it went.
            Role::Following(f) => return o.send(src, Msg::Settled { link, settled: settled(f.leader) }),
            Role::Leading(_) => return o.send(src, Msg::Settled { link, settled: settled(id) }),
            Role::Looking(looking) => looking,
        };
        let round = link.round;
        let Some(vote) = vote else { return };
        if round < state.link.round || (round == state.link.round && looking.votes.get(&src) == Some(&vote)) {
            return;
        }
        let server = state.to_mut();
        let own = self.own_vote(id, server);
        let Role::Looking(looking) = &mut server.role else { unreachable!("seen above") };
        if round > server.link.round {
            // A later round: votes of the earlier one no longer count, and it begins with the better of the two.
            let better = own.map(|own| if self.beats(vote, own) { vote } else { own });
            let settled = std::mem::take(&mut looking.settled);
            server.link.round = round;
            self.cast(id, server, better, settled, o);
        } else if looking.vote.is_some_and(|mine| self.beats(vote, mine)) {
            looking.vote = Some(vote);
            self.notify(id, server.link, Some(vote), o);
        }
        let Role::Looking(looking) = &mut server.role else { unreachable!("still looking") };
        looking.votes.insert(src, vote);
        if self.agreed(looking) {
            o.set_timer(Timer::Finalize, FINALIZE);
        } else {
            o.cancel_timer(Timer::Finalize);
        }
    }

    /// Whether a quorum casts the same vote as this server.
    fn agreed(&self, looking: &Looking) -> bool {
        if self.bug == Some(Bug::AllVotesShortcut) && looking.votes.len() + 1 == self.count {
            return true; // "all have voted, so the election is over", whatever they voted for
        }
        let with_me = looking.votes.values().filter(|&&vote| Some(vote) == looking.vote).count();
        looking.vote.is_some() && self.is_majority(with_me + 1)
    }

    /// No better vote came: the election is over for this server.
    pub(super) fn on_finalize(&self, id: Id, state: &mut Cow<Server>, o: &mut Out<Self>) {
        let Role::Looking(looking) = &state.role else { return };
        if let Some(vote) = looking.vote {
            self.settle(id, state.to_mut(), vote.leader, o);
        }
    }

    /// The word of a server that has left the election: enough of them, and there is nothing left to elect.
    pub(super) fn on_settled(
        &self,
        id: Id,
        state: &mut Cow<Server>,
        src: Id,
        (link, settled): (Link, Settled),
        o: &mut Out<Self>,
    ) {
        let Role::Looking(looking) = &state.role else { return };
        if link != state.link || looking.settled.get(&src) == Some(&settled) {
            return;
        }
        let server = state.to_mut();
        let Role::Looking(looking) = &mut server.role else { unreachable!("seen above") };
        looking.settled.insert(src, settled);
        if self.may_join(id, server.link.round, looking, settled) {
            server.link.round = server.link.round.max(settled.round);
            self.settle(id, server, settled.leader, o);
        }
    }

    /// Whether a quorum stands behind what one settled server said, its leader among them.
    fn may_join(&self, id: Id, round: u32, looking: &Looking, said: Settled) -> bool {
        // Out of the election leader and epoch are compared, not rounds (ZOOKEEPER-1805). But who is named itself can
        // only go by its own round: others may still follow an earlier life of it, or an earlier round.
        let rounds_count = match said.leader == id {
            true => self.bug != Some(Bug::IgnoresRound),
            false => self.bug == Some(Bug::JoinsByRound),
        };
        let agrees = |other: &Settled| {
            other.leader == said.leader
                && other.epoch == said.epoch
                && (other.round == said.round || !rounds_count)
        };
        let mut behind: NodeSet =
            looking.settled.iter().filter(|(_, other)| agrees(other)).map(|(&node, _)| node).collect();
        if said.round == round {
            // Votes of the same round count beside the word of those who have left it.
            let votes = looking.votes.iter().map(|(&node, &vote)| (node, vote));
            let votes = votes.chain(looking.vote.map(|vote| (id, vote)));
            votes.filter(|(_, vote)| vote.leader == said.leader).for_each(|(node, _)| behind.insert(node));
        }
        let leader_vouches = if said.leader == id {
            looking.vote.is_some() && (said.round == round || !rounds_count)
        } else {
            looking.settled.get(&said.leader).is_some_and(|leader| leader.leader == said.leader)
        };
        self.is_majority(behind.len()) && leader_vouches
    }

    /// Leaves the election.
    pub(super) fn settle(&self, id: Id, server: &mut Server, leader: Id, o: &mut Out<Self>) {
        o.cancel_timer(Timer::Retry);
        o.cancel_timer(Timer::Finalize);
        if leader == id {
            self.lead(id, server, o);
        } else {
            self.follow(server, leader, o);
        }
    }

    /// Repeats the vote: others may have been down, or cut off.
    pub(super) fn repeat_vote(&self, id: Id, server: &Server, looking: &Looking, o: &mut Out<Self>) {
        self.notify(id, server.link, looking.vote, o);
        o.set_timer(Timer::Retry, RETRY);
    }
}
