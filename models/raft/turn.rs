//! One call of a handler. The handlers are methods of [`Turn`] and stand in the files of their
//! sections; here is what they all use: looking things up, and the order of disk and network.

use std::borrow::Cow;

use stateright::actor::{Id, Out};

use super::Raft;
use super::bugs::Bug;
use super::log::Log;
use super::message::{Message, Timer};
use super::state::{Disk, Leadership, Role, State};
use crate::election::Term;

/// One server in the middle of one step.
pub(super) struct Turn<'a, 's> {
    /// The server's configuration.
    pub(super) node: &'a Raft,
    /// The server.
    pub(super) id: Id,
    /// The server's state, copied when it is first changed.
    pub(super) state: &'a mut Cow<'s, State>,
    /// The commands of this step: sends, saves, timers, choices.
    pub(super) out: &'a mut Out<Raft>,
    /// Whether the disk lags behind the state.
    unsaved: bool,
}

impl<'a, 's> Turn<'a, 's> {
    /// Runs a handler, and saves what it has left unsaved.
    pub(super) fn run(
        node: &'a Raft,
        id: Id,
        state: &'a mut Cow<'s, State>,
        out: &'a mut Out<Raft>,
        handler: impl FnOnce(&mut Self),
    ) {
        let mut turn = Turn { node, id, state, out, unsaved: false };
        handler(&mut turn);
        turn.save();
    }
}

impl Turn<'_, '_> {
    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.node.bug == Some(bug)
    }

    /// The server's term.
    pub(super) fn term(&self) -> Term {
        self.state.persistent.term
    }

    /// The term after that.
    pub(super) fn next_term(&self) -> Term {
        Term(self.term().0 + 1)
    }

    /// The server's log.
    pub(super) fn log(&self) -> &Log {
        &self.state.persistent.log
    }

    /// The persistent state, to be changed; it will be saved.
    pub(super) fn persistent(&mut self) -> &mut Disk {
        self.unsaved = true;
        &mut self.state.to_mut().persistent
    }

    /// Whether the server leads its term.
    pub(super) fn is_leader(&self) -> bool {
        matches!(self.state.role, Role::Leader(_))
    }

    /// What a leader knows. Asked only of leaders.
    pub(super) fn leading(&self) -> &Leadership {
        let Role::Leader(leading) = &self.state.role else { unreachable!("asked only of leaders") };
        leading
    }

    /// The same, to be changed.
    pub(super) fn leading_mut(&mut self) -> &mut Leadership {
        let Role::Leader(leading) = &mut self.state.to_mut().role else {
            unreachable!("asked only of leaders")
        };
        leading
    }

    /// Whether these servers can decide something in the server's configuration.
    pub(super) fn is_quorum(&self, servers: &[Id]) -> bool {
        self.node.members(self.log()).are_carried_by(servers, self.node.bug)
    }

    /// The other members of the configuration.
    pub(super) fn peers(&self) -> Vec<Id> {
        self.node.members(self.log()).all().iter().filter(|&peer| peer != self.id).collect()
    }

    /// Sets the election timer anew.
    pub(super) fn restart_election_timer(&mut self) {
        self.out.set_timer(Timer::Election, self.node.election.clone());
    }

    /// Answers a request of a lower term with the server's own term.
    pub(super) fn refuse(&mut self, dst: Id) {
        if !self.has(Bug::IgnoresLowerTerms) {
            let term = self.term();
            self.send(dst, Message::Refused { term });
        }
    }

    /// Sends a message to every other member of the configuration.
    pub(super) fn broadcast(&mut self, msg: &Message) {
        for peer in self.peers() {
            self.send(peer, msg.clone());
        }
    }

    /// Saves, then sends: a message may depend on the persistent state, so that is on disk first.
    pub(super) fn send(&mut self, dst: Id, msg: Message) {
        self.save();
        self.out.send(dst, msg);
    }

    /// Saves the persistent state, if it has changed.
    fn save(&mut self) {
        if std::mem::take(&mut self.unsaved) {
            self.out.save(self.state.persistent.clone());
        }
    }
}
