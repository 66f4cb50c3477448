//! Viewstamped Replication Revisited (Liskov and Cowling, MIT-CSAIL-TR-2012-021), rule by rule. Sections in comments
//! are those of that paper.
//!
//! A group of 2f+1 replicas moves through numbered views. The primary of a view is fixed by arithmetic (§4: the
//! replicas take turns), so an election elects a *log*: the view change collects f+1 logs and installs one of them. (A
//! group of 2f+2 works too, with quorums of f+2.) A
//! replica that crashes forgets everything and gets its state back from the others (§4.3); what, if anything, is on
//! disk is the option `disk`.
//!
//! Left out on purpose: clients and their table (a client input is a request that has just reached the primary),
//! application state and checkpoints (§5.1), reconfiguration (§7).

mod bugs;
mod goals;
mod invariants;
mod messages;
mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use stateright::actor::{Actor, Id, Out};

pub use self::bugs::Bug;
pub use self::invariants::Witness;
pub use self::messages::{Answer, Log, Message, Offer, Op, Request, Suffix, Timer};
use crate::election::{
    About, AfterHealing, CLIENT, Election, Goal, Invariant, NeedOfTime, NodeSet, NodeStep, Setup,
    Term, Value,
};

/// The number of a view: the term that its primary leads.
pub type View = u64;

/// What a replica knows (figure 2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub view: View,
    pub log: Log,
    /// The commit-number.
    pub commit: usize,
    pub status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Normal {
        /// At the primary: the op-number up to which each backup is known to have prepared, where beyond the commit-number.
        prepared: BTreeMap<Id, usize>,
    },
    ViewChange {
        last_normal: View,
        /// Who else has been heard to start this view change. No longer counted once there are enough.
        started: NodeSet,
        /// At the primary of the new view: the DoViewChange messages, its own included.
        offers: BTreeMap<Id, Offer>,
    },
    Recovering {
        nonce: u32,
        answers: BTreeMap<Id, Answer>,
    },
}

impl State {
    fn is_normal(&self) -> bool {
        matches!(self.status, Status::Normal { .. })
    }

    fn is_recovering(&self) -> bool {
        matches!(self.status, Status::Recovering { .. })
    }

    /// Whether a replica that is normal in `view` is ahead of this one.
    fn is_behind(&self, view: View) -> bool {
        view > self.view || view == self.view && !self.is_normal()
    }
}

/// What a replica keeps on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    /// Nothing, as the paper has it.
    None,
    /// The view number, as the original protocol of 1988 has it.
    View,
    /// The view number, and the log in the background (§5.1).
    Log,
}

/// What is found there after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OnDisk {
    pub view: View,
    pub log: Log,
    pub commit: usize,
}

/// A replica's configuration.
#[derive(Clone, Debug)]
pub struct Viewstamped {
    replicas: usize,
    values: u32,
    disk: Disk,
    heartbeats: bool,
    /// Nothing but a property asks this.
    trusts_time: bool,
    bug: Option<Bug>,
}

/// How long the timers take, in milliseconds.
const HEARTBEAT: Range<u64> = 10..20;
const VIEW_CHANGE: Range<u64> = 30..60;
const RECOVERY: Range<u64> = 20..40;
const _: () = assert!(HEARTBEAT.end < VIEW_CHANGE.start, "a live primary must be heard in time");

impl Timer {
    fn set(self, o: &mut Out<Viewstamped>) {
        let Range { start, end } = match self {
            Timer::Heartbeat => HEARTBEAT,
            Timer::ViewChange => VIEW_CHANGE,
            Timer::Recovery => RECOVERY,
        };
        o.set_timer(self, Duration::from_millis(start)..Duration::from_millis(end));
    }
}

impl Viewstamped {
    /// How many others make a quorum with a replica. Of 2f+1 replicas that is f, and f may fail; of 2f+2 it is f+1, for
    /// two quorums must meet.
    fn f(&self) -> usize {
        if self.bug == Some(Bug::HalfIsAQuorum) {
            (self.replicas - 1) / 2
        } else {
            self.replicas / 2
        }
    }

    /// §4: the replicas take turns as primary, in the order of their numbers.
    fn primary(&self, view: View) -> Id {
        Id::from(view as usize % self.replicas)
    }

    fn broadcast(&self, id: Id, msg: &Message, o: &mut Out<Self>) {
        for peer in (0..self.replicas).map(Id::from).filter(|peer| *peer != id) {
            o.send(peer, msg.clone());
        }
    }

    // ---- Normal operation (§4.1)

    /// Steps 2 and 3: the primary gives the request the next op-number and asks the others to prepare it.
    fn on_request(&self, id: Id, state: &mut Cow<State>, op: Op, o: &mut Out<Self>) {
        let s = state.to_mut();
        s.log.push(op);
        let (view, op_number, commit) = (s.view, s.log.len(), s.commit);
        self.broadcast(id, &Message::Prepare { view, op, op_number, commit }, o);
        self.listen_to_clients(o);
    }

    /// Takes the next request, whichever it is; each reaches a primary once.
    fn listen_to_clients(&self, o: &mut Out<Self>) {
        o.choose_random(CLIENT, (1..=self.values).map(Request).collect());
    }

    /// Step 4: a backup prepares operations in their order, each only after all earlier ones.
    fn on_prepare(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        (view, op, op_number, commit): (View, Op, usize, usize),
        o: &mut Out<Self>,
    ) {
        let accepts = match state.status {
            Status::Normal { .. } => view == state.view,
            // §4.2, §8.1: a replica in a view change stops accepting Prepare messages from the earlier view.
            Status::ViewChange { last_normal, .. } => {
                self.bug == Some(Bug::PreparesInOldView) && view == last_normal
            }
            Status::Recovering { .. } => false,
        };
        if !accepts || op_number <= state.log.len() {
            return;
        }
        if op_number > state.log.len() + 1 {
            return self.catch_up(id, state, src, view, o);
        }
        let s = state.to_mut();
        s.log.push(op);
        s.commit = s.commit.max(commit);
        o.send(src, Message::PrepareOk { view, op_number });
        Timer::ViewChange.set(o);
    }

    /// Step 5: with f backups prepared, the operation and all earlier ones are committed; the client is told.
    fn on_prepare_ok(&self, id: Id, state: &mut Cow<State>, src: Id, view: View, op_number: usize) {
        let Status::Normal { prepared } = &state.status else { return };
        let known = prepared.get(&src).copied().unwrap_or(state.commit);
        if view != state.view || self.primary(view) != id || op_number <= known {
            return;
        }
        let f = self.f();
        let s = state.to_mut();
        let Status::Normal { prepared } = &mut s.status else { unreachable!("checked above") };
        prepared.insert(src, op_number.min(s.log.len()));
        let mut numbers: Vec<usize> = prepared.values().copied().collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        s.commit = numbers.get(f - 1).copied().unwrap_or(s.commit);
        prepared.retain(|_, number| *number > s.commit);
    }

    /// Step 7: a backup learns of a commit; step 6 is the heartbeat that tells it.
    fn on_commit(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        view: View,
        commit: usize,
        o: &mut Out<Self>,
    ) {
        if !state.is_normal() || view != state.view {
            return;
        }
        // It waits until the operations are in its log.
        if commit > state.log.len() && self.bug != Some(Bug::CommitsWhatItLacks) {
            self.catch_up(id, state, src, view, o);
        } else if commit > state.commit {
            state.to_mut().commit = commit;
        }
        Timer::ViewChange.set(o);
    }

    // ---- View change (§4.2)

    /// Step 1: the replica advances its view, stops normal operation, and tells the others.
    fn start_view_change(&self, id: Id, state: &mut Cow<State>, view: View, o: &mut Out<Self>) {
        let last_normal = match state.status {
            _ if self.bug == Some(Bug::OffersViewNumber) => state.view,
            Status::Normal { .. } => state.view,
            Status::ViewChange { last_normal, .. } => last_normal,
            Status::Recovering { .. } => 0,
        };
        self.leave_normal(id, state, o);
        let s = state.to_mut();
        s.status = Status::ViewChange {
            last_normal,
            started: NodeSet::default(),
            offers: BTreeMap::new(),
        };
        self.enter(s, view, o);
        // If the view change takes too long, the next one is started.
        match self.bug {
            Some(Bug::WaitsForNewView) => o.cancel_timer(Timer::ViewChange),
            _ => Timer::ViewChange.set(o),
        }
        self.broadcast(id, &Message::StartViewChange { view }, o);
        if self.start_view_changes_needed() == 0 {
            self.do_view_change(id, s, o);
        }
    }

    /// How many others must have started the view change before this replica offers its log.
    fn start_view_changes_needed(&self) -> usize {
        // Step 2: f others. Without a disk, this makes sure that a view change in progress is known to f+1 (§8.2).
        if self.bug == Some(Bug::SkipsStartViewChange) { 0 } else { self.f() }
    }

    /// Steps 1 and 2: the need for a view change is noticed from others; with f others, the log is offered.
    fn on_start_view_change(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        view: View,
        o: &mut Out<Self>,
    ) {
        // A replica that has completed the change to its view does not fall back into it (the paper does not say so).
        let falls_back = self.bug == Some(Bug::FallsBackIntoViewChange)
            && view == state.view
            && state.is_normal();
        if view > state.view || falls_back {
            self.start_view_change(id, state, view, o);
        }
        let needed = self.start_view_changes_needed();
        let Status::ViewChange { started, .. } = state.status else { return };
        if view < state.view || started.contains(src) || started.len() >= needed {
            return;
        }
        let s = state.to_mut();
        let Status::ViewChange { started, .. } = &mut s.status else {
            unreachable!("checked above")
        };
        started.insert(src);
        if started.len() == needed {
            self.do_view_change(id, s, o);
        }
    }

    /// Step 2: the replica offers its log to the primary of the new view, which may be itself.
    fn do_view_change(&self, id: Id, s: &mut State, o: &mut Out<Self>) {
        let Status::ViewChange { last_normal, offers, .. } = &mut s.status else { return };
        let offer = Offer { last_normal: *last_normal, log: s.log.clone(), commit: s.commit };
        let primary = self.primary(s.view);
        if primary == id {
            offers.insert(id, offer);
            self.try_start_view(id, s, o);
        } else {
            o.send(primary, Message::DoViewChange { view: s.view, offer });
        }
    }

    /// Steps 1 and 3: a DoViewChange too tells of a view change; the primary of the new view collects them.
    fn on_do_view_change(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        view: View,
        offer: Offer,
        o: &mut Out<Self>,
    ) {
        if view > state.view {
            self.start_view_change(id, state, view, o);
        }
        let Status::ViewChange { offers, .. } = &state.status else { return };
        if view < state.view || offers.contains_key(&src) {
            return;
        }
        let s = state.to_mut();
        let Status::ViewChange { offers, .. } = &mut s.status else {
            unreachable!("checked above")
        };
        offers.insert(src, offer);
        self.try_start_view(id, s, o);
    }

    /// Step 3: with f+1 offers, its own among them, the new primary installs the best log and starts the view.
    fn try_start_view(&self, id: Id, s: &mut State, o: &mut Out<Self>) {
        let Status::ViewChange { offers, .. } = &s.status else { return };
        if offers.len() <= self.f() || !offers.contains_key(&id) {
            return;
        }
        // The log of the latest normal view, and among those the longest.
        let best = offers.values().max_by_key(|offer| {
            let view = if self.bug == Some(Bug::LongestLogWins) { 0 } else { offer.last_normal };
            (view, offer.log.len())
        });
        let log = best.expect("f+1 offers").log.clone();
        let highest = offers.values().map(|offer| offer.commit).max().expect("f+1 offers");
        s.log = log;
        s.commit = if self.bug == Some(Bug::OwnCommitNumber) { s.commit } else { highest };
        s.status = Status::Normal { prepared: BTreeMap::new() };
        self.broadcast(
            id,
            &Message::StartView { view: s.view, log: s.log.clone(), commit: s.commit },
            o,
        );
        o.cancel_timer(Timer::ViewChange);
        self.lead(o);
    }

    /// Step 5: the others install the log of the new view.
    fn on_start_view(
        &self,
        id: Id,
        state: &mut Cow<State>,
        (view, log, commit): (View, Log, usize),
        o: &mut Out<Self>,
    ) {
        // Only once: a second copy may be older than what has been prepared since.
        let again = self.bug == Some(Bug::InstallsViewTwice) && view == state.view;
        if state.is_behind(view) || again {
            self.follow(id, state, view, log, commit, o);
        }
    }

    /// Becomes, or stays, a backup of `view` with this log; acknowledges what is not known to be committed.
    fn follow(
        &self,
        id: Id,
        state: &mut Cow<State>,
        view: View,
        log: Log,
        commit: usize,
        o: &mut Out<Self>,
    ) {
        self.leave_normal(id, state, o);
        o.cancel_timer(Timer::Recovery);
        let s = state.to_mut();
        s.log = log;
        s.commit = s.commit.max(commit);
        s.status = Status::Normal { prepared: BTreeMap::new() };
        self.enter(s, view, o);
        if s.log.len() > s.commit {
            o.send(self.primary(view), Message::PrepareOk { view, op_number: s.log.len() });
        }
        Timer::ViewChange.set(o);
    }

    // ---- State transfer (§5.2)

    /// A normal message shows that its sender is ahead: state is fetched before anything else changes.
    fn catch_up(&self, id: Id, state: &mut Cow<State>, src: Id, view: View, o: &mut Out<Self>) {
        // Without a disk, the primary of a view may have forgotten that it was. As at the end of §4.3, it does not come
        // back into it; as a backup of itself, it would also count its own PrepareOk.
        if self.primary(view) == id {
            return;
        }
        // Beyond the commit-number, operations may have been reordered in a later view: they are fetched again. But they
        // are kept until NewState is here, for until then they may be the copy on which a commit rests.
        if self.bug == Some(Bug::TruncatesBeforeTransfer) && state.is_behind(view) {
            let kept = state.log.iter().copied().take(state.commit).collect();
            self.follow(id, state, view, kept, 0, o);
        }
        let op_number = if state.is_behind(view) { state.commit } else { state.log.len() };
        o.send(src, Message::GetState { view, op_number });
    }

    fn on_get_state(
        &self,
        state: &mut Cow<State>,
        src: Id,
        view: View,
        op_number: usize,
        o: &mut Out<Self>,
    ) {
        if state.is_normal() && view == state.view {
            o.send(src, Message::NewState { view, suffix: Suffix::of(state, op_number) });
        }
    }

    fn on_new_state(
        &self,
        id: Id,
        state: &mut Cow<State>,
        view: View,
        suffix: &Suffix,
        o: &mut Out<Self>,
    ) {
        if view < state.view {
            return;
        }
        // What has been prepared since the state was asked for is part of it.
        let log = match self.bug {
            Some(Bug::AppendsState) => Some([state.log.as_slice(), &suffix.ops].concat()),
            _ => suffix.complete(&state.log),
        };
        let Some(log) = log else { return };
        if state.is_behind(view) || log.len() > state.log.len() {
            self.follow(id, state, view, log, suffix.commit, o);
        } else if suffix.commit > state.commit {
            state.to_mut().commit = suffix.commit;
        }
    }

    // ---- Recovery (§4.3)

    /// Step 1: a replica that comes back asks everybody for the state that it has lost.
    fn ask_for_recovery(&self, id: Id, state: &State, o: &mut Out<Self>) {
        let Status::Recovering { nonce, .. } = state.status else { return };
        self.broadcast(
            id,
            &Message::Recovery { nonce, view: state.view, op_number: state.log.len() },
            o,
        );
        // Answers from both sides of a view change may hold no log of the latest view: the replica asks again.
        if self.bug != Some(Bug::AsksOnce) {
            Timer::Recovery.set(o);
        }
    }

    /// Step 2: only a replica with status normal answers, and only the primary sends its log.
    fn on_recovery(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        (nonce, view, op_number): (u32, View, usize),
        o: &mut Out<Self>,
    ) {
        // Not in the paper, which has no disk: the other's disk tells of a view that it has helped to start. It cannot
        // come back into an earlier one, so this replica goes there too.
        if view > state.view {
            return self.start_view_change(id, state, view, o);
        }
        if state.is_normal() {
            let is_primary = self.primary(state.view) == id;
            let suffix = is_primary.then(|| Suffix::of(state, op_number));
            o.send(
                src,
                Message::RecoveryResponse { nonce, answer: Answer { view: state.view, suffix } },
            );
        }
    }

    /// Step 3: f+1 answers to this very recovery, with the log from the primary of the latest view among them.
    fn on_recovery_response(
        &self,
        id: Id,
        state: &mut Cow<State>,
        src: Id,
        (number, answer): (u32, Answer),
        o: &mut Out<Self>,
    ) {
        let Status::Recovering { nonce, answers } = &state.status else { return };
        if number != *nonce && self.bug != Some(Bug::CountsOldAnswers) {
            return;
        }
        if answers.get(&src).is_some_and(|known| *known >= answer) {
            return;
        }
        let s = state.to_mut();
        let Status::Recovering { answers, .. } = &mut s.status else {
            unreachable!("checked above")
        };
        answers.insert(src, answer);
        let latest = answers.values().map(|answer| answer.view).max().expect("just inserted");
        let chosen = if self.bug == Some(Bug::RecoversFromAnyPrimary) {
            answers.values().find(|answer| answer.suffix.is_some())
        } else {
            answers.get(&self.primary(latest)).filter(|answer| answer.view == latest)
        };
        // With a disk: never into a view before the one that it has helped to start.
        if answers.len() > self.f()
            && let Some(Answer { view, suffix: Some(suffix) }) = chosen
            && *view >= s.view
            && let Some(log) = suffix.complete(&s.log)
        {
            let (view, commit) = (*view, suffix.commit);
            self.follow(id, state, view, log, commit, o);
        }
    }

    // ---- What the rules share

    /// Advances the view number, which is on disk before anything is sent in the new view.
    fn enter(&self, s: &mut State, view: View, o: &mut Out<Self>) {
        let advances = view > s.view;
        s.view = view;
        if advances && self.disk != Disk::None && self.bug != Some(Bug::ForgetsView) {
            o.save(self.on_disk(s));
        }
    }

    fn on_disk(&self, s: &State) -> OnDisk {
        match self.disk {
            Disk::Log => OnDisk { view: s.view, log: s.log.clone(), commit: s.commit },
            _ => OnDisk { view: s.view, log: Log::new(), commit: 0 },
        }
    }

    /// §5.1: the log reaches the disk in the background, after what the handler had to say.
    fn write_behind(&self, before: &State, state: &State, o: &mut Out<Self>) {
        if self.disk == Disk::Log && (&before.log, before.commit) != (&state.log, state.commit) {
            o.save(self.on_disk(state));
        }
    }

    /// §4.3: a replica that has not recovered yet takes no part in view changes.
    fn votes(&self, state: &State) -> bool {
        !state.is_recovering() || self.bug == Some(Bug::VotesWhileRecovering)
    }

    /// Becomes the primary that clients and backups hear from.
    fn lead(&self, o: &mut Out<Self>) {
        if self.heartbeats {
            Timer::Heartbeat.set(o);
        }
        self.listen_to_clients(o);
    }

    /// Stops being a primary, if it was one.
    fn leave_normal(&self, id: Id, state: &State, o: &mut Out<Self>) {
        if self.leads(id, state).is_some() {
            o.cancel_timer(Timer::Heartbeat);
            o.remove_random(CLIENT);
        }
    }
}

impl Actor for Viewstamped {
    type Msg = Message;
    type Timer = Timer;
    type State = State;
    type Storage = OnDisk;
    type Random = Request;

    /// The first start of all is a normal one in view 0.
    fn on_start(&self, id: Id, _storage: &Option<OnDisk>, o: &mut Out<Self>) -> State {
        match self.primary(0) == id {
            true => self.lead(o),
            false => Timer::ViewChange.set(o),
        }
        State {
            view: 0,
            log: Log::new(),
            commit: 0,
            status: Status::Normal { prepared: BTreeMap::new() },
        }
    }

    fn on_msg(&self, id: Id, state: &mut Cow<State>, src: Id, msg: Message, o: &mut Out<Self>) {
        let before = state.clone();
        match msg {
            Message::RecoveryResponse { nonce, answer } => {
                self.on_recovery_response(id, state, src, (nonce, answer), o)
            }
            Message::StartViewChange { view } if self.votes(state) => {
                self.on_start_view_change(id, state, src, view, o)
            }
            Message::DoViewChange { view, offer } if self.votes(state) => {
                self.on_do_view_change(id, state, src, view, offer, o)
            }
            // §4.3: while recovering, a replica takes part in nothing else.
            _ if state.is_recovering() => {}
            // §4.1: if the sender of a normal message is ahead, the replica first brings itself up to date.
            Message::Prepare { view, .. }
            | Message::PrepareOk { view, .. }
            | Message::Commit { view, .. }
                if state.is_behind(view) =>
            {
                self.catch_up(id, state, src, view, o)
            }
            Message::Prepare { view, op, op_number, commit } => {
                self.on_prepare(id, state, src, (view, op, op_number, commit), o)
            }
            Message::PrepareOk { view, op_number } => {
                self.on_prepare_ok(id, state, src, view, op_number)
            }
            Message::Commit { view, commit } => self.on_commit(id, state, src, view, commit, o),
            Message::StartView { view, log, commit } => {
                self.on_start_view(id, state, (view, log, commit), o)
            }
            Message::Recovery { nonce, view, op_number } => {
                self.on_recovery(id, state, src, (nonce, view, op_number), o)
            }
            Message::GetState { view, op_number } => {
                self.on_get_state(state, src, view, op_number, o)
            }
            Message::NewState { view, suffix } => self.on_new_state(id, state, view, &suffix, o),
            Message::StartViewChange { .. } | Message::DoViewChange { .. } => {}
        }
        self.write_behind(&before, state, o);
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<State>, timer: &Timer, o: &mut Out<Self>) {
        match timer {
            // §4.1, step 6: an idle primary tells the backups that it is there, and what is committed.
            Timer::Heartbeat => {
                self.broadcast(id, &Message::Commit { view: state.view, commit: state.commit }, o);
                Timer::Heartbeat.set(o);
            }
            // §4.2: nothing was heard of the primary, or the view change did not come to its end.
            Timer::ViewChange => self.start_view_change(id, state, state.view + 1, o),
            Timer::Recovery => self.ask_for_recovery(id, state, o),
        }
    }

    fn on_random(&self, id: Id, state: &mut Cow<State>, request: &Request, o: &mut Out<Self>) {
        let before = state.clone();
        self.on_request(id, state, Op(request.0), o);
        self.write_behind(&before, state, o);
    }
}

impl Election for Viewstamped {
    type Witness = Witness;

    fn about() -> &'static About {
        &bugs::ABOUT
    }

    fn build(setup: &Setup) -> Result<Vec<Self>, String> {
        let replicas = setup.nodes;
        if replicas < 3 {
            return Err(format!(
                "a group that survives a failure has 3 or more replicas, not {replicas}"
            ));
        }
        let replica = Viewstamped {
            replicas,
            values: setup.number("values") as u32,
            disk: match setup.text("disk") {
                "none" => Disk::None,
                "log" => Disk::Log,
                _ => Disk::View,
            },
            heartbeats: setup.flag("heartbeats"),
            trusts_time: setup.flag("trusts_time"),
            bug: setup.bug.map(Bug::named),
        };
        if replica.bug == Some(Bug::TrustsLogOnDisk) && replica.disk != Disk::Log {
            return Err("bug `trusts-log-on-disk` needs the option disk = \"log\"".to_string());
        }
        if replica.bug == Some(Bug::HalfIsAQuorum) && !replicas.is_multiple_of(2) {
            return Err(format!(
                "bug `half-is-a-quorum` needs an even number of nodes, not {replicas}"
            ));
        }
        Ok(vec![replica; replicas])
    }

    /// Any start but the first is a recovery, with the incarnation as its nonce: it is fresh without being on disk (the
    /// paper proposes the clock).
    fn start(
        &self,
        id: Id,
        incarnation: u32,
        storage: &Option<OnDisk>,
        o: &mut Out<Self>,
    ) -> State {
        if incarnation == 0 {
            return self.on_start(id, storage, o);
        }
        let OnDisk { view, mut log, commit } =
            storage.clone().unwrap_or(OnDisk { view: 0, log: Log::new(), commit: 0 });
        // §5.1: the suffix is fetched. What was not known to be committed may have been replaced since.
        if self.bug != Some(Bug::TrustsLogOnDisk) {
            log.truncate(commit);
        }
        // §4.3: the view number alone does not make a replica normal, on disk or not.
        if self.bug == Some(Bug::ResumesView) {
            match self.primary(view) == id {
                true => self.lead(o),
                false => Timer::ViewChange.set(o),
            }
            return State {
                view,
                log,
                commit,
                status: Status::Normal { prepared: BTreeMap::new() },
            };
        }
        let status = Status::Recovering { nonce: incarnation, answers: BTreeMap::new() };
        let state = State { view, log, commit, status };
        self.ask_for_recovery(id, &state, o);
        state
    }

    fn term(&self, state: &State) -> Term {
        Term(state.view)
    }

    fn leads(&self, id: Id, state: &State) -> Option<Term> {
        (state.is_normal() && self.primary(state.view) == id).then_some(Term(state.view))
    }

    fn follows(&self, id: Id, state: &State) -> Option<(Term, Id)> {
        let primary = self.primary(state.view);
        (state.is_normal() && primary != id).then_some((Term(state.view), primary))
    }

    fn inputs(replicas: &[Self]) -> u32 {
        replicas[0].values
    }

    fn input_number(Request(number): &Request) -> Option<u32> {
        Some(*number)
    }

    fn observe(witness: &Witness, step: &NodeStep<'_, Self>) -> Option<Witness> {
        witness.after(step)
    }

    /// A replica counts as failed until it has recovered (§8.2), and with more than f failed nobody can ever recover. What
    /// the log says is not asked: a lost Prepare or PrepareOk is not sent again in one view.
    fn after_healing(_: &[Self]) -> Result<AfterHealing<Self>, String> {
        Ok(AfterHealing {
            meaning: "a view comes about in which every replica that is up is normal",
            can_recover: |healed| {
                let counted = healed.live().filter(|(_, _, state)| !state.is_recovering());
                healed.has_quorum_of(counted.map(|(id, ..)| id).collect())
            },
            ..AfterHealing::all_follow_a_leader()
        })
    }

    fn needs_of_time() -> &'static [NeedOfTime] {
        &[NeedOfTime { option: "heartbeats", not: Value::Flag(false), but: Value::Flag(true) }]
    }

    fn invariants() -> Vec<Invariant<Self>> {
        [invariants::all(), rules::all()].concat()
    }

    fn goals() -> Vec<Goal<Self>> {
        goals::all()
    }

    /// Within an incarnation views only grow, and in a view logs and commit-numbers do; with the view on disk, that
    /// holds across crashes too, because a replica recovers into a view and with a log no older than it had.
    fn is_dead(&self, id: Id, s: &State, src: Id, msg: &Message) -> bool {
        // Without the disk a replica may come back into an earlier view; a nonce is never used again in any case.
        let views_grow = self.disk != Disk::None && self.bug != Some(Bug::ForgetsView);
        let is_past =
            |view: View| views_grow && view < s.view && self.bug != Some(Bug::PreparesInOldView);
        let views_are_joined_once = views_grow && !self.bug.is_some_and(Bug::revives);
        let is_joined = |view: View| views_are_joined_once && view == s.view && s.is_normal();
        let is_joined_or_forgotten = |view: View| {
            views_are_joined_once && view == s.view && (s.is_normal() || s.is_recovering())
        };
        match msg {
            Message::RecoveryResponse { nonce: number, answer } => {
                let is_awaited = match &s.status {
                    Status::Recovering { nonce, answers } => {
                        nonce == number && answers.get(&src).is_none_or(|known| known < answer)
                    }
                    _ => false,
                };
                !is_awaited && self.bug != Some(Bug::CountsOldAnswers)
            }
            // Every Recovery is answered, by a replica with status normal, whether or not the answer is awaited.
            Message::Recovery { .. } => false,
            Message::StartViewChange { view } => {
                let is_counted = match s.status {
                    Status::ViewChange { started, .. } => {
                        started.contains(src) || started.len() >= self.start_view_changes_needed()
                    }
                    _ => false,
                };
                is_past(*view)
                    || is_joined_or_forgotten(*view)
                    || views_are_joined_once && *view == s.view && is_counted
            }
            Message::DoViewChange { view, .. } => {
                let is_counted = match &s.status {
                    Status::ViewChange { offers, .. } => offers.contains_key(&src),
                    _ => false,
                };
                is_past(*view)
                    || is_joined_or_forgotten(*view)
                    || views_are_joined_once && *view == s.view && is_counted
            }
            Message::StartView { view, .. } => is_past(*view) || is_joined_or_forgotten(*view),
            Message::Prepare { view, op_number, .. } => {
                is_past(*view) || is_joined(*view) && *op_number <= s.log.len()
            }
            Message::PrepareOk { view, op_number } => {
                let known = match &s.status {
                    Status::Normal { prepared } => prepared.get(&src).copied().unwrap_or(s.commit),
                    _ => s.commit,
                };
                is_past(*view)
                    || is_joined(*view) && (self.primary(*view) != id || *op_number <= known)
            }
            // In the replica's own view a Commit says at least that the primary is there.
            Message::Commit { view, .. } | Message::GetState { view, .. } => is_past(*view),
            Message::NewState { view, suffix } => {
                let is_known =
                    suffix.after + suffix.ops.len() <= s.log.len() && suffix.commit <= s.commit;
                is_past(*view) || is_joined(*view) && is_known
            }
        }
    }
}
