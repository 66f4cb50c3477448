//! Chang and Roberts, 1979, in the form of Coulouris et al., with participants, so that an election may begin at any time
//! and anywhere.
//!
//! Only the highest of all numbers can come round, since its owner swallows every other. So at most one node leads under
//! any timing, loss and crash: the price is that a crash or loss may leave nobody to lead, for ever.

use std::borrow::Cow;

use stateright::actor::{Id, Out};

use super::{Bug, Message, Ring, Role, State, Timer};

impl Ring {
    /// The number by which a node competes.
    pub(super) fn number(&self, id: Id) -> Id {
        let highest = self.nodes - 1;
        if self.bug == Some(Bug::DuplicateNumbers) && usize::from(id) == highest {
            return Id::from(highest - 1);
        }
        id
    }

    /// Rule C1: a node that knows of no leader puts its number on the ring.
    pub(super) fn participate(&self, id: Id, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        o.send(self.next(id), Message::Candidate { number: self.number(id) });
        self.become_(Role::Participating, state, o);
    }

    pub(super) fn on_number(&self, id: Id, state: &mut Cow<'_, State>, msg: Message, o: &mut Out<Self>) {
        match msg {
            Message::Candidate { number } => self.on_candidate(id, state, number, o),
            Message::Elected { number } => self.on_elected(id, state, number, o),
            other => unreachable!("{other:?} is none of Chang and Roberts' messages"),
        }
    }

    fn on_candidate(&self, id: Id, state: &mut Cow<'_, State>, number: Id, o: &mut Out<Self>) {
        let own = self.number(id);
        if number == own {
            // Rule C4: a number that comes round is the highest.
            o.send(self.next(id), Message::Elected { number });
            self.become_(Role::Leading, state, o);
        } else if number > own {
            // Rule C2: a higher number passes.
            o.send(self.next(id), Message::Candidate { number });
            self.become_(Role::Participating, state, o);
        } else if state.role != Role::Participating {
            // Rule C3: a smaller number is replaced; if this node's own is on its way already, it is swallowed.
            self.participate(id, state, o);
        } else if self.bug == Some(Bug::SmallerNumbersPass) {
            o.send(self.next(id), Message::Candidate { number });
        }
    }

    /// Rule C5: the winner's number goes round once more, and everybody follows it.
    fn on_elected(&self, id: Id, state: &mut Cow<'_, State>, number: Id, o: &mut Out<Self>) {
        if number != self.number(id) {
            o.send(self.next(id), Message::Elected { number });
            self.become_(Role::Following(number), state, o);
        }
    }

    fn become_(&self, role: Role, state: &mut Cow<'_, State>, o: &mut Out<Self>) {
        if state.role == Role::Searching {
            o.cancel_timer(Timer::Monitor);
        }
        if state.role != role {
            state.to_mut().role = role;
        }
    }
}
