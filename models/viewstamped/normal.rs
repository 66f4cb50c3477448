//! Normal operation (§4.1).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Message, Op, Timer};
use super::state::{Status, View};
use super::turn::Turn;

impl Turn<'_, '_> {
    /// Steps 2 and 3: the primary gives the request the next op-number and asks the others to
    /// prepare it.
    pub(super) fn on_request(&mut self, op: Op) {
        let s = self.state.to_mut();
        s.log.push(op);
        let (view, op_number, commit) = (s.view, s.log.len(), s.commit);
        self.broadcast(&Message::Prepare { view, op, op_number, commit });
        self.listen_to_clients();
    }

    /// Step 4: a backup prepares operations in their order, each only after all earlier ones.
    pub(super) fn on_prepare(
        &mut self,
        src: Id,
        view: View,
        op: Op,
        op_number: usize,
        commit: usize,
    ) {
        let accepts = match self.state.status {
            Status::Normal { .. } => view == self.state.view,
            // §4.2, §8.1: a replica in a view change stops accepting Prepare messages from the
            // earlier view.
            Status::ViewChange { last_normal, .. } => {
                self.has(Bug::PreparesInOldView) && view == last_normal
            }
            Status::Recovering { .. } => false,
        };
        if !accepts || op_number <= self.state.log.len() {
            return;
        }
        if op_number > self.state.log.len() + 1 {
            return self.catch_up(src, view);
        }
        let s = self.state.to_mut();
        s.log.push(op);
        s.commit = s.commit.max(commit);
        self.out.send(src, Message::PrepareOk { view, op_number });
        self.set(Timer::ViewChange);
    }

    /// Step 5: with f backups prepared, the operation and all earlier ones are committed; the
    /// client is told.
    pub(super) fn on_prepare_ok(&mut self, src: Id, view: View, op_number: usize) {
        let Status::Normal { prepared } = &self.state.status else { return };
        let known = prepared.get(&src).copied().unwrap_or(self.state.commit);
        let is_primary = self.node.primary(view) == self.id;
        if view != self.state.view || !is_primary || op_number <= known {
            return;
        }
        let f = self.node.f();
        let s = self.state.to_mut();
        let Status::Normal { prepared } = &mut s.status else { unreachable!("checked above") };
        prepared.insert(src, op_number.min(s.log.len()));
        let mut numbers: Vec<usize> = prepared.values().copied().collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        s.commit = numbers.get(f - 1).copied().unwrap_or(s.commit);
        prepared.retain(|_, number| *number > s.commit);
    }

    /// Step 6: an idle primary tells the backups that it is there, and what is committed.
    pub(super) fn on_heartbeat(&mut self) {
        let (view, commit) = (self.state.view, self.state.commit);
        self.broadcast(&Message::Commit { view, commit });
        self.set(Timer::Heartbeat);
    }

    /// Step 7: a backup learns of a commit.
    pub(super) fn on_commit(&mut self, src: Id, view: View, commit: usize) {
        if !self.state.is_normal() || view != self.state.view {
            return;
        }
        // It waits until the operations are in its log.
        if commit > self.state.log.len() && !self.has(Bug::CommitsWhatItLacks) {
            self.catch_up(src, view);
        } else if commit > self.state.commit {
            self.state.to_mut().commit = commit;
        }
        self.set(Timer::ViewChange);
    }
}
