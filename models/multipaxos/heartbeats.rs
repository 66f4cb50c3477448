//! Heartbeats (PMS 2.3, 2.4): a leader is heard of regularly, repeats what may have been lost, and
//! tells its followers what is chosen.

use super::bugs::Bug;
use super::message::{Message, Timer};
use super::state::{Ballot, Role, Slot};
use super::turn::{HEARTBEAT, Turn};

impl Turn<'_, '_> {
    /// A follower's vote under the leader's own ballot is the leader's proposal (there is but one a
    /// slot), so it is chosen where the leader says that the slot is; a vote under a lower ballot
    /// need not be.
    pub(super) fn on_heartbeat(&mut self, ballot: Ballot, chosen: Slot) {
        if ballot < self.promised() {
            return;
        }
        let news = ballot > self.promised();
        self.join(ballot);
        if news {
            self.save();
        }
        for slot in self.state.first_unchosen().up_to(chosen) {
            match self.state.durable.accepted.get(&slot) {
                Some(vote) if vote.ballot == ballot || self.has(Bug::CommitsAnyBallot) => {
                    self.state.to_mut().chosen = slot;
                }
                _ => break,
            }
        }
    }

    /// Heartbeats keep followers from campaigning, and repeat what may have been lost: the commit
    /// index to all, a proposal to those that have not answered it.
    pub(super) fn beat(&mut self) {
        let Role::Leader { acks } = &self.state.role else { return };
        let ballot = self.promised();
        self.out.set_timer(Timer::Heartbeat, HEARTBEAT);
        for peer in self.peers() {
            self.out.send(peer, Message::Heartbeat { ballot, chosen: self.state.chosen });
            for (&slot, who) in acks {
                if !who.contains(peer) && self.node.bug != Some(Bug::NeverRetransmits) {
                    let value = self.state.durable.accepted[&slot].value;
                    self.out.send(peer, Message::Accept { ballot, slot, value });
                }
            }
        }
    }
}
