//! One call of a handler, with what all handlers use.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Id, Out};

use super::Viewstamped;
use super::about::Durable;
use super::bugs::Bug;
use super::message::{Log, Message, Op, Request, Timer};
use super::state::{Disk, State, View};
use crate::election::{CLIENT, Election};

/// How long the timers take, in milliseconds.
const HEARTBEAT: Range<u64> = 10..20;
const VIEW_CHANGE: Range<u64> = 30..60;
const RECOVERY: Range<u64> = 20..40;
const _: () = assert!(HEARTBEAT.end < VIEW_CHANGE.start, "a live primary must be heard in time");

/// One replica in the middle of one step.
pub(super) struct Turn<'a, 's> {
    pub(super) node: &'a Viewstamped,
    pub(super) id: Id,
    pub(super) state: &'a mut Cow<'s, State>,
    pub(super) out: &'a mut Out<Viewstamped>,
}

impl Viewstamped {
    pub(super) fn turn<'a, 's>(
        &'a self,
        id: Id,
        state: &'a mut Cow<'s, State>,
        out: &'a mut Out<Self>,
    ) -> Turn<'a, 's> {
        Turn { node: self, id, state, out }
    }

    /// How many others make a quorum with a replica. Of 2f+1 replicas that is f, and f may fail; of
    /// 2f+2 it is f+1, for two quorums must meet.
    pub(super) fn f(&self) -> usize {
        if self.bug == Some(Bug::HalfIsAQuorum) {
            (self.replicas - 1) / 2
        } else {
            self.replicas / 2
        }
    }

    /// §4: the replicas take turns as primary, in the order of their numbers.
    pub(super) fn primary(&self, view: View) -> Id {
        Id::from(view as usize % self.replicas)
    }

    /// How many others must have started a view change before a replica offers its log.
    pub(super) fn start_view_changes_needed(&self) -> usize {
        // §4.2, step 2: f others. Without a disk, this makes sure that a view change in progress is
        // known to f+1 (§8.2).
        if self.bug == Some(Bug::SkipsStartViewChange) { 0 } else { self.f() }
    }

    /// What a replica in this state keeps on disk.
    fn on_disk(&self, state: &State) -> Disk {
        match self.durable {
            Durable::Log => Disk { view: state.view, log: state.log.clone(), commit: state.commit },
            _ => Disk { view: state.view, log: Log::new(), commit: 0 },
        }
    }
}

impl Turn<'_, '_> {
    /// A client's request.
    pub(super) fn take_in(&mut self, op: Op) {
        let before = (*self.state).clone();
        self.on_request(op);
        self.write_behind(&before);
    }

    /// Hands a message to the rule that it is for.
    pub(super) fn receive(&mut self, src: Id, msg: Message) {
        match msg {
            Message::RecoveryResponse { nonce, answer } => {
                self.on_recovery_response(src, nonce, answer)
            }
            Message::StartViewChange { view } if self.votes() => {
                self.on_start_view_change(src, view)
            }
            Message::DoViewChange { view, offer } if self.votes() => {
                self.on_do_view_change(src, view, offer)
            }
            // §4.3: while recovering, a replica takes part in nothing else.
            _ if self.state.is_recovering() => {}
            // §4.1: if the sender of a normal message is ahead, the replica first brings itself up
            // to date.
            Message::Prepare { view, .. }
            | Message::PrepareOk { view, .. }
            | Message::Commit { view, .. }
                if self.state.is_behind(view) =>
            {
                self.catch_up(src, view)
            }
            Message::Prepare { view, op, op_number, commit } => {
                self.on_prepare(src, view, op, op_number, commit)
            }
            Message::PrepareOk { view, op_number } => self.on_prepare_ok(src, view, op_number),
            Message::Commit { view, commit } => self.on_commit(src, view, commit),
            Message::StartView { view, log, commit } => self.on_start_view(view, log, commit),
            Message::Recovery { nonce, view, op_number } => {
                self.on_recovery(src, nonce, view, op_number)
            }
            Message::GetState { view, op_number } => self.on_get_state(src, view, op_number),
            Message::NewState { view, suffix } => self.on_new_state(view, &suffix),
            Message::StartViewChange { .. } | Message::DoViewChange { .. } => {}
        }
    }

    /// Whether this bug is planted.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.node.bug == Some(bug)
    }

    /// Sends a message to all other replicas.
    pub(super) fn broadcast(&mut self, msg: &Message) {
        for peer in (0..self.node.replicas).map(Id::from).filter(|peer| *peer != self.id) {
            self.out.send(peer, msg.clone());
        }
    }

    /// Starts a timer, or starts it anew.
    pub(super) fn set(&mut self, timer: Timer) {
        let Range { start, end } = match timer {
            Timer::Heartbeat => HEARTBEAT,
            Timer::ViewChange => VIEW_CHANGE,
            Timer::Recovery => RECOVERY,
        };
        self.out.set_timer(timer, Duration::from_millis(start)..Duration::from_millis(end));
    }

    /// Takes the next request of a client. Each request reaches a primary once.
    pub(super) fn listen_to_clients(&mut self) {
        self.out.choose_random(CLIENT, (1..=self.node.values).map(Request).collect());
    }

    /// Becomes the primary: takes requests, and sends heartbeats.
    pub(super) fn lead(&mut self) {
        if self.node.heartbeats {
            self.set(Timer::Heartbeat);
        }
        self.listen_to_clients();
    }

    /// Begins to work in a view, as its primary or as a backup.
    pub(super) fn begin(&mut self, view: View) {
        match self.node.primary(view) == self.id {
            true => self.lead(),
            false => self.set(Timer::ViewChange),
        }
    }

    /// Stops being a primary, if it was one.
    pub(super) fn leave_normal(&mut self) {
        if self.node.leads(self.id, self.state).is_some() {
            self.out.cancel_timer(Timer::Heartbeat);
            self.out.remove_random(CLIENT);
        }
    }

    /// Advances the view-number, which is on disk before anything is sent in the new view.
    pub(super) fn enter(&mut self, view: View) {
        let advances = view > self.state.view;
        self.state.to_mut().view = view;
        if advances && self.node.durable != Durable::Nothing && !self.has(Bug::ForgetsView) {
            self.out.save(self.node.on_disk(self.state));
        }
    }

    /// §5.1: the log reaches the disk in the background, after what the handler had to say.
    pub(super) fn write_behind(&mut self, before: &State) {
        let has_changed = (&before.log, before.commit) != (&self.state.log, self.state.commit);
        if self.node.durable == Durable::Log && has_changed {
            self.out.save(self.node.on_disk(self.state));
        }
    }
}
