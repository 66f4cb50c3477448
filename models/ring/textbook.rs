//! The ring election of the textbooks: a message goes round, collects the identifiers of the living and skips the dead;
//! the highest collected leads.
//!
//! The textbooks end when the initiator sends the winner's name round. That is not enough if nodes crash and restart
//! meanwhile: the message may stand at a dead node while an old leader, farther on, still leads. So here the winner
//! announces itself, and leads when its announcement has come round: by then everybody alive has stopped leading. The
//! README has the argument.

use std::borrow::Cow;

use stateright::actor::{Id, Out};

use super::{Attempt, Bug, Message, Ring, Role, State, Timer};
use crate::election::NodeSet;

impl Ring {
    /// Rule T1: whoever misses a leader asks who is alive, and asks again if that leads to nothing.
    pub(super) fn call_election(&self, id: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        self.watch(id, o);
        self.pass(id, state, id, Message::Election { seen: only(id) }, o);
    }

    pub(super) fn on_silence(&self, id: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        if state.role != Role::Searching {
            state.to_mut().role = Role::Searching;
        }
        self.call_election(id, state, o);
    }

    /// Waits for a leader to be heard of, in the form of the protocol that does.
    fn watch(&self, id: Id, o: &mut Out<Self>) {
        if self.heartbeat > 0 {
            self.set(id, Timer::Monitor, o);
        } else {
            o.cancel_timer(Timer::Monitor);
        }
    }

    /// Hands a message to the node that comes after `last`. If that is this node, all others are dead.
    fn pass(&self, id: Id, state: &mut Cow<'_, State>, last: Id, message: Message, o: &mut Out<Self>) {
        let to = self.next(last);
        if to == id {
            return self.receive(id, state, message, o);
        }
        o.send(to, message.clone());
        if self.bug != Some(Bug::NoSkip) {
            self.set(id, Timer::Skip { to, message }, o);
        }
    }

    /// Rule T2: whoever does not acknowledge in time is dead; the message goes to the node after it.
    pub(super) fn on_skip(
        &self,
        id: Id,
        state: &mut Cow<'_, State>,
        dead: Id,
        message: &Message,
        o: &mut Out<Self>,
    ) {
        self.pass(id, state, dead, message.clone(), o);
    }

    pub(super) fn on_token(
        &self,
        id: Id,
        state: &mut Cow<'_, State>,
        src: Id,
        msg: Message,
        o: &mut Out<Self>,
    ) {
        if let Message::Ack { of } = msg {
            o.cancel_timer(Timer::Skip { to: src, message: *of });
            return;
        }
        if self.bug == Some(Bug::AcknowledgesFirst) {
            o.send(src, Message::Ack { of: Box::new(msg.clone()) });
            return self.receive(id, state, msg, o);
        }
        self.receive(id, state, msg.clone(), o);
        // Acknowledged last: a node that crashes before it has passed a message on leaves it with the sender.
        if self.bug != Some(Bug::NoSkip) {
            o.send(src, Message::Ack { of: Box::new(msg) });
        }
    }

    fn receive(&self, id: Id, state: &mut Cow<'_, State>, msg: Message, o: &mut Out<Self>) {
        match msg {
            Message::Election { seen } => self.on_election(id, state, seen, o),
            Message::Winner { leader, seen } => self.on_winner(id, state, leader, seen, o),
            Message::Coordinator { leader, attempt, seen } => {
                self.on_coordinator(id, state, leader, attempt, seen, o)
            }
            other => unreachable!("{other:?} does not go round"),
        }
    }

    /// Rule T3: a node adds itself, and calls no election of its own for a while. When it finds itself in the message
    /// already, that has been round: the highest collected wins, and is told.
    fn on_election(&self, id: Id, state: &mut Cow<'_, State>, seen: NodeSet, o: &mut Out<Self>) {
        if !seen.contains(id) {
            if matches!(state.role, Role::Searching | Role::Following(_)) {
                self.watch(id, o);
            }
            return self.pass(id, state, id, Message::Election { seen: with(seen, id) }, o);
        }
        let highest = seen.iter().max().expect("it contains this node");
        let leader = if self.bug == Some(Bug::InitiatorWins) { id } else { highest };
        self.on_winner(id, state, leader, NodeSet::default(), o);
    }

    /// Rule T4: the winner, once told, announces itself, unless it is doing so already.
    fn on_winner(&self, id: Id, state: &mut Cow<'_, State>, leader: Id, seen: NodeSet, o: &mut Out<Self>) {
        if leader == id {
            if !matches!(state.role, Role::Elect | Role::Leading) {
                self.stand(id, state, o);
            }
        } else if leader > id && !seen.contains(id) {
            self.pass(id, state, id, Message::Winner { leader, seen: with(seen, id) }, o);
        }
    }

    fn stand(&self, id: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        let now = state.to_mut();
        now.role = Role::Elect;
        now.attempt.count += 1;
        self.watch(id, o);
        if self.bug == Some(Bug::LeadsTooSoon) {
            self.lead(id, state, o);
        }
        self.announce(id, state, o);
    }

    fn announce(&self, id: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        let announcement = Message::Coordinator { leader: id, attempt: state.attempt, seen: only(id) };
        self.pass(id, state, id, announcement, o);
    }

    fn on_coordinator(
        &self,
        id: Id,
        state: &mut Cow<'_, State>,
        leader: Id,
        attempt: Attempt,
        seen: NodeSet,
        o: &mut Out<Self>,
    ) {
        if leader == id {
            // Rule T5: the winner leads when the announcement of this very attempt has come round.
            let is_latest = attempt == state.attempt || self.bug == Some(Bug::StaleAnnouncementCounts);
            if state.role == Role::Elect && is_latest {
                self.lead(id, state, o);
            }
            return;
        }
        // Rule T7: a lower node's announcement is swallowed: this node was overlooked.
        let is_overlooked = leader < id && self.bug != Some(Bug::CoordinatorNotCompared);
        // Rule T8: whoever sees a message again takes it off the ring: its sender must have died.
        let is_orphan = seen.contains(id) && self.bug != Some(Bug::OrphanAnnouncement);
        if is_overlooked || is_orphan {
            return;
        }
        // Rule T6: a higher node's announcement is followed, whatever this node was doing, and passed on.
        if !(state.role == Role::Leading && self.bug == Some(Bug::LeaderNotHalted)) {
            self.follow(id, leader, state, o);
        }
        self.pass(id, state, id, Message::Coordinator { leader, attempt, seen: with(seen, id) }, o);
    }

    fn follow(&self, id: Id, leader: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        if state.role == Role::Leading {
            o.cancel_timer(Timer::Heartbeat);
        }
        self.watch(id, o);
        if state.role != Role::Following(leader) {
            state.to_mut().role = Role::Following(leader);
        }
    }

    fn lead(&self, id: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        state.to_mut().role = Role::Leading;
        o.cancel_timer(Timer::Monitor);
        if self.heartbeat > 0 {
            self.set(id, Timer::Heartbeat, o);
        }
    }

    /// A leader's announcement, repeated, shows that it is alive.
    pub(super) fn on_heartbeat(&self, id: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        self.set(id, Timer::Heartbeat, o);
        self.announce(id, state, o);
    }
}

fn only(id: Id) -> NodeSet {
    with(NodeSet::default(), id)
}

fn with(mut set: NodeSet, id: Id) -> NodeSet {
    set.insert(id);
    set
}
