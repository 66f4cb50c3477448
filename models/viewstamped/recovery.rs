//! Recovery (§4.3).

use crate::election::SortedMap;

use stateright::actor::Id;

use super::Viewstamped;
use super::bugs::Bug;
use super::message::{Answer, Log, Message, Suffix, Timer};
use super::state::{Disk, State, Status, View};
use super::turn::Turn;

impl Viewstamped {
    /// The state in which a replica comes back. The incarnation is the nonce: it is fresh without
    /// being on disk (the paper proposes the clock).
    pub(super) fn lost(&self, incarnation: u32, storage: &Option<Disk>) -> State {
        let Disk { view, mut log, commit } =
            storage.clone().unwrap_or(Disk { view: 0, log: Log::new(), commit: 0 });
        // §5.1: the suffix is fetched. What was not known to be committed may have been replaced
        // since.
        if self.bug != Some(Bug::TrustsLogOnDisk) {
            log.truncate(commit);
        }
        // §4.3: the view-number alone does not make a replica normal, on disk or not.
        if self.bug == Some(Bug::ResumesView) {
            let status = Status::Normal { prepared: SortedMap::new() };
            return State { view, log, commit, status };
        }
        let status = Status::Recovering { nonce: incarnation, answers: SortedMap::new() };
        State { view, log, commit, status }
    }
}

impl Turn<'_, '_> {
    /// Any start but the first is a recovery.
    pub(super) fn come_back(&mut self) {
        if self.has(Bug::ResumesView) {
            return self.begin(self.state.view);
        }
        self.ask_for_recovery();
    }

    /// Step 1: a replica that comes back asks everybody for the state that it has lost.
    pub(super) fn ask_for_recovery(&mut self) {
        let Status::Recovering { nonce, .. } = self.state.status else { return };
        let (view, op_number) = (self.state.view, self.state.log.len());
        self.broadcast(&Message::Recovery { nonce, view, op_number });
        // Answers from both sides of a view change may hold no log of the latest view: the replica
        // asks again.
        if !self.has(Bug::AsksOnce) {
            self.set(Timer::Recovery);
        }
    }

    /// Step 2: only a replica with status normal answers, and only the primary sends its log.
    pub(super) fn on_recovery(&mut self, src: Id, nonce: u32, view: View, op_number: usize) {
        // Not in the paper, which has no disk: the sender's disk names a view that it has helped to
        // start. It cannot come back into an earlier one, so this replica moves to that view, too.
        if view > self.state.view {
            return self.start_view_change(view);
        }
        if self.state.is_normal() {
            let view = self.state.view;
            let is_primary = self.node.primary(view) == self.id;
            let suffix = is_primary.then(|| Suffix::of(self.state, op_number));
            let answer = Answer { view, suffix };
            self.out.send(src, Message::RecoveryResponse { nonce, answer });
        }
    }

    /// Step 3: f+1 answers to this very recovery, with the log from the primary of the latest view
    /// among them.
    pub(super) fn on_recovery_response(&mut self, src: Id, number: u32, answer: Answer) {
        let Status::Recovering { nonce, answers } = &self.state.status else { return };
        if number != *nonce && !self.has(Bug::CountsOldAnswers) {
            return;
        }
        if answers.get(&src).is_some_and(|known| *known >= answer) {
            return;
        }
        let s = self.state.to_mut();
        let Status::Recovering { answers, .. } = &mut s.status else {
            unreachable!("checked above")
        };
        answers.insert(src, answer);
        let latest = answers.values().map(|answer| answer.view).max().expect("just inserted");
        let chosen = if self.node.bug == Some(Bug::RecoversFromAnyPrimary) {
            answers.values().find(|answer| answer.suffix.is_some())
        } else {
            answers.get(&self.node.primary(latest)).filter(|answer| answer.view == latest)
        };
        // With a disk: never into a view before the one that it has helped to start.
        if answers.len() > self.node.f()
            && let Some(Answer { view, suffix: Some(suffix) }) = chosen
            && *view >= s.view
            && let Some(log) = suffix.complete(&s.log)
        {
            let (view, commit) = (*view, suffix.commit);
            self.follow(view, log, commit);
        }
    }
}
