//! The election, rule by rule. The numbers are those of this folder's README.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Timer};
use super::state::State;
use super::turn::Turn;
use crate::election::NodeSet;

/// How an election is held and won.
impl Turn<'_, '_> {
    /// Rule 8: a node that recovers calls an election, so that the highest one alive leads.
    pub(super) fn recover(&mut self) {
        if self.has(Bug::RecoveryWaits) {
            return;
        }
        let role = if self.has(Bug::RecoversAsLeader) { self.win() } else { self.call_election() };
        self.begin(role);
        *self.state.to_mut() = role;
    }

    /// Rule 1: an election asks every higher node. A node that has none above it has won already.
    /// Returns the role in which this leaves the node.
    fn call_election(&mut self) -> State {
        let asked = if self.has(Bug::AsksTheNextOnly) { 1 } else { self.node.nodes };
        self.higher().take(asked).for_each(|other| self.out.send(other, Message::Election));
        if self.higher().next().is_some() { State::Electing } else { self.win() }
    }

    /// Rule 2: a higher node answers, and sees to the rest itself: it holds an election, unless it
    /// is holding one.
    pub(super) fn on_election(&mut self, src: Id) {
        let busy = matches!(**self.state, State::Electing | State::Leading);
        if busy && self.has(Bug::BusyNodesAreSilent) {
            return;
        }
        self.out.send(src, Message::Answer);
        self.hold_election();
    }

    fn hold_election(&mut self) {
        if !matches!(**self.state, State::Electing | State::Waiting) {
            let next = self.call_election();
            self.take(next);
        }
    }

    /// Rule 3: one answer is enough to give up, and to wait for a coordinator instead. A late
    /// answer is ignored.
    pub(super) fn on_answer(&mut self) {
        if **self.state != State::Electing && !self.has(Bug::LateAnswersCount) {
            return;
        }
        self.take(State::Waiting);
        if self.has(Bug::NoSecondWait) {
            self.out.cancel_timer(Timer::Coordinator);
        }
    }

    /// Rule 4: no higher node has answered, so none is alive.
    pub(super) fn on_no_answer(&mut self) {
        let next = self.win();
        self.take(next);
    }

    /// Rule 4: the winner announces itself. Returns the role in which this leaves the node.
    fn win(&mut self) -> State {
        self.announce();
        self.accepted_by([self.id].into_iter().collect())
    }

    /// Rule 4: the role of a winner. Without quorums it leads at once; with quorums, only when a
    /// majority of all nodes has accepted it.
    fn accepted_by(&self, nodes: NodeSet) -> State {
        let is_half = self.has(Bug::HalfIsEnough) && nodes.len() * 2 == self.node.nodes;
        if !self.node.needs_majority || nodes.len() * 2 > self.node.nodes || is_half {
            State::Leading
        } else {
            State::Claiming(nodes)
        }
    }

    /// Rule 4, with quorums: one more node accepts the winner.
    pub(super) fn on_accept(&mut self, src: Id) {
        if let State::Claiming(mut nodes) = **self.state
            && !nodes.contains(src)
        {
            nodes.insert(src);
            self.take(self.accepted_by(nodes));
        }
    }
}

/// What becomes of a coordinator.
impl Turn<'_, '_> {
    /// Rules 5 and 6: somebody announces itself.
    pub(super) fn on_coordinator(&mut self, src: Id) {
        if src > self.id || self.has(Bug::LastCoordinatorWins) {
            self.follow(src);
            if self.node.needs_majority {
                self.out.send(src, Message::Accept);
            }
        } else if !self.has(Bug::IgnoresLowerClaims) {
            // Rule 6: a lower node cannot lead while this one is alive, so it is bullied out of the
            // lead.
            self.hold_election();
        }
    }

    /// Rule 5: a higher node that announces itself is followed, whatever this node was doing: an
    /// election ends, a leader stops. The same announcement, repeated, shows that the leader is
    /// alive.
    fn follow(&mut self, leader: Id) {
        match **self.state {
            State::Leading if self.has(Bug::LeaderNotHalted) => {}
            State::Following(known) if known == leader => self.begin(**self.state),
            State::Electing if self.has(Bug::ElectionGoesOn) => {
                self.begin(State::Following(leader));
                *self.state.to_mut() = State::Following(leader);
            }
            _ => self.take(State::Following(leader)),
        }
    }

    /// Rule 7: the node that answered has died, or the leader has, or there never was one: rule 1.
    pub(super) fn on_silence(&mut self) {
        let next = self.call_election();
        self.take(next);
    }

    /// Rule 4: the announcement, repeated, is the leader's heartbeat.
    pub(super) fn on_heartbeat(&mut self) {
        self.announce();
        self.begin(**self.state);
    }
}
