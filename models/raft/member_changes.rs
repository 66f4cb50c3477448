//! Changes of the configuration (paper section 6, thesis chapter 4): what clients may ask for, and
//! what follows once a configuration is committed.

use super::bugs::Bug;
use super::members::{Members, Membership};
use super::message::Command;
use super::state::Role;
use super::turn::Turn;
use crate::election::CLIENT;

impl Turn<'_, '_> {
    /// What clients may ask of this leader: a value, or another configuration if the last one is
    /// committed and so is an entry of the leader's own term.
    pub(super) fn offer_input(&mut self) {
        if self.node.values == 0 || !self.is_leader() {
            return;
        }
        let (log, commit) = (self.log(), self.state.commit);
        let mut offers: Vec<Command> = (1..=self.node.values).map(Command::Value).collect();
        let is_last_committed = log.members().is_none_or(|(index, _)| index <= commit);
        // The rule of 2015. Without it, two leaders that do not know of each other's change could
        // change one configuration in two ways, to majorities that share no server. With joint
        // configurations that cannot happen.
        let is_settled =
            log.term_at(commit) == Some(self.term()) || self.has(Bug::ChangesMembersEarly);
        if is_last_committed && (is_settled || self.node.membership != Membership::Single) {
            let next = self.node.members(log).successors(self.node.membership, self.node.nodes);
            offers.extend(next.into_iter().map(Command::Members));
        }
        self.out.choose_random(CLIENT, offers);
    }

    /// Once C(old,new) is committed the leader appends C(new), whether it has begun the change or
    /// inherited it (6, thesis 4.3). Tells whether it has done so.
    pub(super) fn leave_joint_members(&mut self) -> bool {
        let committed = self.log().members().filter(|(index, _)| *index <= self.state.commit);
        let Some(new) = committed.and_then(|(_, last)| last.then()) else { return false };
        self.append(Command::Members(new));
        self.replicate();
        self.advance_commit();
        true
    }

    /// What is committed may be a configuration: C(new) follows C(old,new), and a leader that does
    /// not belong to C(new) steps down (6).
    pub(super) fn on_commit(&mut self) {
        if self.node.membership == Membership::Fixed {
            return;
        }
        self.leave_joint_members();
        let is_out =
            |(index, last): (usize, Members)| index <= self.state.commit && !last.contains(self.id);
        if self.log().members().is_some_and(is_out) {
            self.enter(Role::Follower { leader: None, lease: false });
        }
        self.offer_input();
    }
}
