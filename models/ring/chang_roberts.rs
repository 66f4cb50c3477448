//! Chang and Roberts, 1979, in the form of Coulouris et al.: with participants, so that an election
//! may begin at any time and anywhere.
//!
//! Only the highest of all numbers can come round, since its owner swallows every other. So at most
//! one node leads under any timing, loss and crash. The price is that after a crash or a loss there
//! may never be a leader again.

use stateright::actor::Id;

use super::Ring;
use super::bugs::Bug;
use super::message::{Message, Timer};
use super::state::Role;
use super::turn::Turn;

impl Ring {
    /// The number by which a node competes.
    pub(super) fn number(&self, id: Id) -> Id {
        let highest = self.nodes - 1;
        if self.bug == Some(Bug::DuplicateNumbers) && usize::from(id) == highest {
            return Id::from(highest - 1);
        }
        id
    }
}

impl Turn<'_, '_> {
    /// Rule C1: a node that knows of no leader puts its number on the ring.
    pub(super) fn participate(&mut self) {
        let number = self.node.number(self.id);
        self.put_on(Message::Candidate { number });
        self.take(Role::Participating);
    }

    /// A message comes from the predecessor.
    pub(super) fn on_number(&mut self, msg: Message) {
        match msg {
            Message::Candidate { number } => self.on_candidate(number),
            Message::Elected { number } => self.on_elected(number),
            other => unreachable!("{other:?} is none of Chang and Roberts' messages"),
        }
    }

    fn on_candidate(&mut self, number: Id) {
        let own = self.node.number(self.id);
        if number == own {
            // Rule C4: a number that comes round is the highest.
            self.put_on(Message::Elected { number });
            self.take(Role::Leading);
        } else if number > own {
            // Rule C2: a higher number passes.
            self.put_on(Message::Candidate { number });
            self.take(Role::Participating);
        } else if self.state.role != Role::Participating {
            // Rule C3: a smaller number is replaced by this node's own, or swallowed if that is on
            // its way already.
            self.participate();
        } else if self.has(Bug::SmallerNumbersPass) {
            self.put_on(Message::Candidate { number });
        }
    }

    /// Rule C5: the winner's number goes round once more, and everybody follows it.
    fn on_elected(&mut self, number: Id) {
        if number != self.node.number(self.id) {
            self.put_on(Message::Elected { number });
            self.take(Role::Following(number));
        }
    }

    /// Sends a message to the successor.
    fn put_on(&mut self, message: Message) {
        self.out.send(self.node.next(self.id), message);
    }

    /// Takes a role, and stops the timer that waits for the election to begin.
    fn take(&mut self, role: Role) {
        if self.state.role == Role::Searching {
            self.out.cancel_timer(Timer::Monitor);
        }
        if self.state.role != role {
            self.state.to_mut().role = role;
        }
    }
}
