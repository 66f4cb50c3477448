//! The ring election of the textbooks: a message goes round, collects the identifiers of the living
//! and skips the dead; the highest collected leads.
//!
//! The textbooks end when the initiator sends the winner's name round. That is not enough if nodes
//! crash and restart meanwhile: the message may stand at a dead node while an old leader, farther
//! on, still leads. So here the winner announces itself, and leads when its announcement has come
//! round: by then everybody alive has stopped leading. The README has the argument.

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Attempt, Message, Timer};
use super::state::Role;
use super::turn::Turn;
use crate::election::NodeSet;

impl Turn<'_, '_> {
    /// Rule T1: whoever misses a leader asks who is alive, and asks again if that leads to nothing.
    pub(super) fn call_election(&mut self) {
        self.watch();
        self.pass(self.id, Message::Election { seen: only(self.id) });
    }

    /// Rule T1: no leader was heard of in time.
    pub(super) fn on_silence(&mut self) {
        if self.state.role != Role::Searching {
            self.state.to_mut().role = Role::Searching;
        }
        self.call_election();
    }

    /// Waits for a leader to be heard of, if leaders are watched; else stops waiting.
    fn watch(&mut self) {
        if self.node.heartbeat > 0 {
            self.set(Timer::Monitor);
        } else {
            self.out.cancel_timer(Timer::Monitor);
        }
    }

    /// Hands a message to the node that comes after `last`. If that is this node, all others are
    /// dead.
    fn pass(&mut self, last: Id, message: Message) {
        let to = self.node.next(last);
        if to == self.id {
            return self.receive(message);
        }
        self.out.send(to, message.clone());
        if !self.has(Bug::NoSkip) {
            self.set(Timer::Skip { to, message });
        }
    }

    /// Rule T2: whoever does not acknowledge in time is dead; the message goes to the node after
    /// it.
    pub(super) fn on_skip(&mut self, dead: Id, message: &Message) {
        self.pass(dead, message.clone());
    }

    /// A message from another node.
    pub(super) fn on_token(&mut self, src: Id, msg: Message) {
        if let Message::Ack { of } = msg {
            self.out.cancel_timer(Timer::Skip { to: src, message: *of });
            return;
        }
        if self.has(Bug::AcknowledgesFirst) {
            self.out.send(src, Message::Ack { of: Box::new(msg.clone()) });
            return self.receive(msg);
        }
        self.receive(msg.clone());
        // Acknowledged last: a node that crashes before it has passed a message on leaves it with
        // the sender.
        if !self.has(Bug::NoSkip) {
            self.out.send(src, Message::Ack { of: Box::new(msg) });
        }
    }

    fn receive(&mut self, msg: Message) {
        match msg {
            Message::Election { seen } => self.on_election(seen),
            Message::Winner { leader, seen } => self.on_winner(leader, seen),
            Message::Coordinator { leader, attempt, seen } => {
                self.on_coordinator(leader, attempt, seen)
            }
            other => unreachable!("{other:?} does not go round"),
        }
    }

    /// Rule T3: a node adds itself, and calls no election of its own for a while. When it finds
    /// itself in the message already, that has been round: the highest collected wins, and is told.
    fn on_election(&mut self, seen: NodeSet) {
        if !seen.contains(self.id) {
            if matches!(self.state.role, Role::Searching | Role::Following(_)) {
                self.watch();
            }
            return self.pass(self.id, Message::Election { seen: with(seen, self.id) });
        }
        let highest = seen.iter().max().expect("it contains this node");
        let leader = if self.has(Bug::InitiatorWins) { self.id } else { highest };
        self.on_winner(leader, NodeSet::default());
    }

    /// Rule T4: the winner, once told, announces itself, unless it is doing so already. Others pass
    /// the news on, unless they are higher (rule T7) or have seen it before (rule T8).
    fn on_winner(&mut self, leader: Id, seen: NodeSet) {
        if leader == self.id {
            if !matches!(self.state.role, Role::Elect | Role::Leading) {
                self.stand();
            }
        } else if leader > self.id && !seen.contains(self.id) {
            self.pass(self.id, Message::Winner { leader, seen: with(seen, self.id) });
        }
    }

    /// Rule T4: begins a new attempt to lead.
    fn stand(&mut self) {
        let now = self.state.to_mut();
        now.role = Role::Elect;
        now.attempt.count += 1;
        self.watch();
        if self.has(Bug::LeadsTooSoon) {
            self.lead();
        }
        self.announce();
    }

    fn announce(&mut self) {
        let (leader, attempt) = (self.id, self.state.attempt);
        self.pass(self.id, Message::Coordinator { leader, attempt, seen: only(self.id) });
    }

    fn on_coordinator(&mut self, leader: Id, attempt: Attempt, seen: NodeSet) {
        if leader == self.id {
            // Rule T5: the winner leads when the announcement of this very attempt has come round.
            let is_latest = attempt == self.state.attempt || self.has(Bug::StaleAnnouncementCounts);
            if self.state.role == Role::Elect && is_latest {
                self.lead();
            }
            return;
        }
        // Rule T7: a lower node's announcement is swallowed: this node was overlooked.
        let is_overlooked = leader < self.id && !self.has(Bug::CoordinatorNotCompared);
        // Rule T8: whoever sees a message again takes it off the ring: its sender must have died.
        let is_orphan = seen.contains(self.id) && !self.has(Bug::OrphanAnnouncement);
        if is_overlooked || is_orphan {
            return;
        }
        // Rule T6: a higher node's announcement is followed, whatever this node was doing, and
        // passed on.
        if !(self.state.role == Role::Leading && self.has(Bug::LeaderNotHalted)) {
            self.follow(leader);
        }
        self.pass(self.id, Message::Coordinator { leader, attempt, seen: with(seen, self.id) });
    }

    /// Rule T6: waits to hear of that leader again.
    fn follow(&mut self, leader: Id) {
        if self.state.role == Role::Leading {
            self.out.cancel_timer(Timer::Heartbeat);
        }
        self.watch();
        if self.state.role != Role::Following(leader) {
            self.state.to_mut().role = Role::Following(leader);
        }
    }

    /// Rule T5: the announcement has been seen by all.
    fn lead(&mut self) {
        self.state.to_mut().role = Role::Leading;
        self.out.cancel_timer(Timer::Monitor);
        if self.node.heartbeat > 0 {
            self.set(Timer::Heartbeat);
        }
    }

    /// Rule T5: a leader's announcement, repeated, shows that it is alive.
    pub(super) fn on_heartbeat(&mut self) {
        self.set(Timer::Heartbeat);
        self.announce();
    }
}

fn only(id: Id) -> NodeSet {
    with(NodeSet::default(), id)
}

fn with(mut set: NodeSet, id: Id) -> NodeSet {
    set.insert(id);
    set
}
