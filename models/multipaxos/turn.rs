//! One call of a handler. The handlers are methods of [`Turn`] and stand in the files of their
//! phases; here is what they all use: looking things up, taking part in a ballot, and the order of
//! disk and network.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Id, Out};

use super::MultiPaxos;
use super::bugs::Bug;
use super::message::{Message, Timer};
use super::state::{Ballot, Role, State};
use crate::election::{CLIENT, NodeSet};

/// How long a follower waits for its leader, and a candidate for its promises.
pub(super) const ELECTION: Range<Duration> = Duration::from_millis(30)..Duration::from_millis(60);
/// The time between two heartbeats.
pub(super) const HEARTBEAT: Range<Duration> = Duration::from_millis(10)..Duration::from_millis(20);
const _: () = assert!(
    HEARTBEAT.end.as_millis() < ELECTION.start.as_millis(),
    "a live leader must be heard in time"
);

/// One node in the middle of one step.
pub(super) struct Turn<'a, 's> {
    /// What the node knows of the system.
    pub(super) node: &'a MultiPaxos,
    /// The node.
    pub(super) id: Id,
    /// The node's state, copied when it is first changed.
    pub(super) state: &'a mut Cow<'s, State>,
    /// The commands of this step: sends, saves, timers, choices.
    pub(super) out: &'a mut Out<MultiPaxos>,
}

impl Turn<'_, '_> {
    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.node.bug == Some(bug)
    }

    /// The ballot that the node has promised last.
    pub(super) fn promised(&self) -> Ballot {
        self.state.durable.promised
    }

    /// The least number of nodes that is a majority.
    pub(super) fn majority(&self) -> usize {
        self.node.nodes / 2 + 1
    }

    /// The other nodes.
    pub(super) fn peers(&self) -> impl Iterator<Item = Id> + use<> {
        let id = self.id;
        NodeSet::first(self.node.nodes).iter().filter(move |peer| *peer != id)
    }

    /// The node alone.
    pub(super) fn itself(&self) -> NodeSet {
        [self.id].into_iter().collect()
    }

    /// Writes to disk what must survive a crash.
    pub(super) fn save(&mut self) {
        self.out.save(self.state.durable.clone());
    }

    /// Sends a message to one node.
    pub(super) fn send(&mut self, dst: Id, msg: Message) {
        self.out.send(dst, msg);
    }

    /// Sends a message to every other node.
    pub(super) fn broadcast(&mut self, msg: &Message) {
        for peer in self.peers() {
            self.send(peer, msg.clone());
        }
    }

    /// Takes part in `ballot`: a higher one than promised is promised, and ends what the node did
    /// under a lower one. Its owner gets time before this node campaigns.
    pub(super) fn join(&mut self, ballot: Ballot) {
        if ballot < self.promised() {
            return;
        }
        if ballot > self.promised() {
            let state = self.state.to_mut();
            state.durable.promised = ballot;
            if let Role::Leader { .. } = state.role {
                self.out.cancel_timer(Timer::Heartbeat);
                self.out.remove_random(CLIENT);
            }
            state.role = Role::Follower;
        }
        self.out.set_timer(Timer::Election, ELECTION);
    }

    /// An acceptor speaks only of what is on its disk (PMS 2.5: recorded in stable storage before
    /// the response is sent).
    pub(super) fn answer(&mut self, news: bool, dst: Id, msg: Message) {
        if self.has(Bug::AnswersBeforeDisk) {
            self.send(dst, msg);
            self.save();
            return;
        }
        if news {
            self.save();
        }
        self.send(dst, msg);
    }
}
