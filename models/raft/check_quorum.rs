//! CheckQuorum (thesis 6.2), where the option asks for it: a leader leads on only while a quorum
//! answers.

use stateright::actor::Id;

use super::message::Timer;
use super::state::Role;
use super::turn::Turn;
use crate::election::NodeSet;

impl Turn<'_, '_> {
    /// A follower has answered in the leader's term: it is there.
    pub(super) fn hear_from_follower(&mut self, src: Id) {
        if self.node.check_quorum && !self.leading().heard.contains(src) {
            self.leading_mut().heard.insert(src);
        }
    }

    /// A leader that has not heard from a quorum for an election timeout steps down.
    pub(super) fn on_quorum_timeout(&mut self) {
        let mut heard = self.leading().heard;
        heard.insert(self.id);
        if self.is_quorum(&heard.iter().collect::<Vec<_>>()) {
            self.out.set_timer(Timer::Quorum, self.node.minimum_election_timeout());
            if !self.leading().heard.is_empty() {
                self.leading_mut().heard = NodeSet::default();
            }
        } else {
            self.enter(Role::Follower { leader: None, lease: false });
        }
    }
}
