//! State transfer (§5.2).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Suffix};
use super::state::View;
use super::turn::Turn;

impl Turn<'_, '_> {
    /// A normal message shows that its sender is ahead: state is fetched before anything else
    /// changes.
    pub(super) fn catch_up(&mut self, src: Id, view: View) {
        // Without a disk, the primary of a view may have forgotten that it was. As at the end of
        // §4.3, it does not come back into it; as a backup of itself, it would also count its own
        // PrepareOk.
        if self.node.primary(view) == self.id {
            return;
        }
        // Beyond the commit-number, operations may have been reordered in a later view: they are
        // fetched again. But they are kept until NewState is here, for until then they may be the
        // copy on which a commit rests.
        if self.has(Bug::TruncatesBeforeTransfer) && self.state.is_behind(view) {
            let kept = self.state.log.iter().copied().take(self.state.commit).collect();
            self.follow(view, kept, 0);
        }
        let op_number =
            if self.state.is_behind(view) { self.state.commit } else { self.state.log.len() };
        self.out.send(src, Message::GetState { view, op_number });
    }

    /// Only a replica that is normal in that view sends its state.
    pub(super) fn on_get_state(&mut self, src: Id, view: View, op_number: usize) {
        if self.state.is_normal() && view == self.state.view {
            let suffix = Suffix::of(self.state, op_number);
            self.out.send(src, Message::NewState { view, suffix });
        }
    }

    /// The missing state has arrived.
    pub(super) fn on_new_state(&mut self, view: View, suffix: &Suffix) {
        if view < self.state.view {
            return;
        }
        // What has been prepared since the state was asked for is part of it.
        let log = if self.has(Bug::AppendsState) {
            Some([self.state.log.as_slice(), &suffix.ops].concat())
        } else {
            suffix.complete(&self.state.log)
        };
        let Some(log) = log else { return };
        if self.state.is_behind(view) || log.len() > self.state.log.len() {
            self.follow(view, log, suffix.commit);
        } else if suffix.commit > self.state.commit {
            self.state.to_mut().commit = suffix.commit;
        }
    }
}
