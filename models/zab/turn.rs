//! One call of a handler. The handlers are methods of [`Turn`] and stand in the files of their
//! phases; here is what they all use.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Id, Out};

use super::Zab;
use super::bugs::Bug;
use super::message::{Message, Packet, Report};
use super::state::{Following, Leading, Learner, Looking, Role, State};

/// How long an answer to a vote, or to an attempt to connect, is waited for.
pub(super) const RETRY: Range<Duration> = ticks(1, 2);
/// How long a better vote is waited for.
pub(super) const FINALIZE: Range<Duration> = ticks(1, 2);
/// The time between two pings.
pub(super) const PING: Range<Duration> = ticks(1, 2);

const fn ticks(lo: u64, hi: u64) -> Range<Duration> {
    Duration::from_millis(10 * lo)..Duration::from_millis(10 * hi)
}

/// One server in the middle of one step.
pub(super) struct Turn<'a, 's> {
    /// The server's configuration.
    pub(super) node: &'a Zab,
    /// The server.
    pub(super) id: Id,
    /// The server's state, copied when it is first changed.
    pub(super) state: &'a mut Cow<'s, State>,
    /// The commands of this step: sends, saves, timers, choices.
    pub(super) out: &'a mut Out<Zab>,
}

impl Zab {
    /// Begins a call of a handler.
    pub(super) fn turn<'a, 's>(
        &'a self,
        id: Id,
        state: &'a mut Cow<'s, State>,
        out: &'a mut Out<Self>,
    ) -> Turn<'a, 's> {
        Turn { node: self, id, state, out }
    }

    /// How long a word of the leader, or of a quorum of followers, is waited for: several pings, so
    /// that a living leader's reach a follower in time, and the answers their leader.
    pub(super) fn contact(&self) -> Range<Duration> {
        ticks(self.contact, self.contact + 2)
    }
}

impl Turn<'_, '_> {
    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.node.bug == Some(bug)
    }

    /// Writes to disk what the server relies on.
    pub(super) fn save(&mut self) {
        self.out.save(self.state.disk.clone());
    }

    pub(super) fn looking_mut(&mut self) -> &mut Looking {
        match &mut self.state.to_mut().role {
            Role::Looking(looking) => looking,
            _ => unreachable!("asked only of who looks for a leader"),
        }
    }

    pub(super) fn following_mut(&mut self) -> &mut Following {
        match &mut self.state.to_mut().role {
            Role::Following(following) => following,
            _ => unreachable!("asked only of followers"),
        }
    }

    pub(super) fn leading(&self) -> &Leading {
        match &self.state.role {
            Role::Leading(leading) => leading,
            _ => unreachable!("asked only of leaders"),
        }
    }

    pub(super) fn leading_mut(&mut self) -> &mut Leading {
        match &mut self.state.to_mut().role {
            Role::Leading(leading) => leading,
            _ => unreachable!("asked only of leaders"),
        }
    }

    /// The leader's followers of which this is true, in the order of the servers.
    pub(super) fn learners(&self, is: impl Fn(&Learner) -> bool) -> Vec<Id> {
        let learners = self.leading().learners.iter();
        learners.filter(|(_, learner)| is(learner)).map(|(&node, _)| node).collect()
    }

    /// One of the leader's followers.
    pub(super) fn learner_mut(&mut self, node: Id) -> &mut Learner {
        self.leading_mut().learners.get_mut(&node).expect("it is a follower")
    }

    /// A leader writes to a follower.
    pub(super) fn write(&mut self, node: Id, packet: Packet) {
        let channel = &mut self.learner_mut(node).channel;
        channel.written += 1;
        let (link, place) = (channel.link, channel.written);
        self.out.send(node, Message::Packet { link, place, packet });
    }

    /// A follower writes to its leader.
    pub(super) fn report(&mut self, report: Report) {
        let following = self.following_mut();
        following.channel.written += 1;
        let leader = following.leader;
        let (link, place) = (following.channel.link, following.channel.written);
        self.out.send(leader, Message::Report { link, place, report });
    }
}
