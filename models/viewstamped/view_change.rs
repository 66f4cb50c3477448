//! View changes (§4.2).

use stateright::actor::Id;

use super::bugs::Bug;
use super::message::{Log, Message, Offer, Timer};
use super::state::{Status, View};
use super::turn::Turn;
use crate::election::{NodeSet, SortedMap};

impl Turn<'_, '_> {
    /// §4.3: a replica that has not recovered yet takes no part in view changes.
    pub(super) fn votes(&self) -> bool {
        !self.state.is_recovering() || self.has(Bug::VotesWhileRecovering)
    }

    /// Step 1: nothing was heard of the primary, or the view change did not come to its end.
    pub(super) fn on_silence(&mut self) {
        self.start_view_change(self.state.view + 1);
    }

    /// Step 1: the replica advances its view, stops normal operation, and tells the others.
    pub(super) fn start_view_change(&mut self, view: View) {
        let last_normal = match self.state.status {
            _ if self.has(Bug::OffersViewNumber) => self.state.view,
            Status::Normal { .. } => self.state.view,
            Status::ViewChange { last_normal, .. } => last_normal,
            Status::Recovering { .. } => 0,
        };
        self.leave_normal();
        let (started, offers) = (NodeSet::default(), SortedMap::new());
        self.state.to_mut().status = Status::ViewChange { last_normal, started, offers };
        self.enter(view);
        // If the view change takes too long, the next one is started.
        if self.has(Bug::WaitsForNewView) {
            self.out.cancel_timer(Timer::ViewChange);
        } else {
            self.set(Timer::ViewChange);
        }
        self.broadcast(&Message::StartViewChange { view });
        if self.node.start_view_changes_needed() == 0 {
            self.do_view_change();
        }
    }

    /// Steps 1 and 2: the need for a view change is noticed from others; with f others, the log is
    /// offered.
    pub(super) fn on_start_view_change(&mut self, src: Id, view: View) {
        // A replica that has completed the change to its view does not fall back into it (the paper
        // does not say so).
        let falls_back = self.has(Bug::FallsBackIntoViewChange)
            && view == self.state.view
            && self.state.is_normal();
        if view > self.state.view || falls_back {
            self.start_view_change(view);
        }
        let needed = self.node.start_view_changes_needed();
        let Status::ViewChange { started, .. } = self.state.status else { return };
        if view < self.state.view || started.contains(src) || started.len() >= needed {
            return;
        }
        let s = self.state.to_mut();
        let Status::ViewChange { started, .. } = &mut s.status else {
            unreachable!("checked above")
        };
        started.insert(src);
        if started.len() == needed {
            self.do_view_change();
        }
    }

    /// Step 2: the replica offers its log to the primary of the new view, which may be itself.
    fn do_view_change(&mut self) {
        let s = self.state.to_mut();
        let Status::ViewChange { last_normal, offers, .. } = &mut s.status else { return };
        let offer = Offer { last_normal: *last_normal, log: s.log.clone(), commit: s.commit };
        let primary = self.node.primary(s.view);
        if primary == self.id {
            offers.insert(self.id, offer);
            self.try_start_view();
        } else {
            self.out.send(primary, Message::DoViewChange { view: s.view, offer });
        }
    }

    /// Steps 1 and 3: a DoViewChange too tells of a view change; the primary of the new view
    /// collects them.
    pub(super) fn on_do_view_change(&mut self, src: Id, view: View, offer: Offer) {
        if view > self.state.view {
            self.start_view_change(view);
        }
        let Status::ViewChange { offers, .. } = &self.state.status else { return };
        if view < self.state.view || offers.contains_key(&src) {
            return;
        }
        let s = self.state.to_mut();
        let Status::ViewChange { offers, .. } = &mut s.status else {
            unreachable!("checked above")
        };
        offers.insert(src, offer);
        self.try_start_view();
    }

    /// Step 3: with f+1 offers, its own among them, the new primary installs the best log and
    /// starts the view.
    fn try_start_view(&mut self) {
        let Status::ViewChange { offers, .. } = &self.state.status else { return };
        if offers.len() <= self.node.f() || !offers.contains_key(&self.id) {
            return;
        }
        // The log of the latest normal view, and among those the longest.
        let best = offers.values().max_by_key(|offer| {
            let view = if self.has(Bug::LongestLogWins) { 0 } else { offer.last_normal };
            (view, offer.log.len())
        });
        let log = best.expect("f+1 offers").log.clone();
        let highest = offers.values().map(|offer| offer.commit).max().expect("f+1 offers");
        let keeps_own = self.has(Bug::OwnCommitNumber);
        let s = self.state.to_mut();
        s.log = log;
        s.commit = if keeps_own { s.commit } else { highest };
        s.status = Status::Normal { prepared: SortedMap::new() };
        let (view, log, commit) = (s.view, s.log.clone(), s.commit);
        self.broadcast(&Message::StartView { view, log, commit });
        self.out.cancel_timer(Timer::ViewChange);
        self.lead();
    }

    /// Step 5: the others install the log of the new view.
    pub(super) fn on_start_view(&mut self, view: View, log: Log, commit: usize) {
        // Only once: a second copy may be older than what has been prepared since.
        let again = self.has(Bug::InstallsViewTwice) && view == self.state.view;
        if self.state.is_behind(view) || again {
            self.follow(view, log, commit);
        }
    }

    /// Becomes, or stays, a backup of `view` with this log; acknowledges what is not known to be
    /// committed.
    pub(super) fn follow(&mut self, view: View, log: Log, commit: usize) {
        self.leave_normal();
        self.out.cancel_timer(Timer::Recovery);
        let s = self.state.to_mut();
        s.log = log;
        s.commit = s.commit.max(commit);
        s.status = Status::Normal { prepared: SortedMap::new() };
        self.enter(view);
        let op_number = self.state.log.len();
        if op_number > self.state.commit {
            self.out.send(self.node.primary(view), Message::PrepareOk { view, op_number });
        }
        self.set(Timer::ViewChange);
    }
}
