//! The paper's rules, each as a property of single steps: a replica that was so, and met this, has done that.
//!
//! They say again, in the words of the sections, what the handlers do, and use nothing of theirs but the plain data: two
//! tellings that differ show a mistake in one of them. A property over states sees a broken rule only where it does
//! harm within the bounds; these see it at once.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::{
    Answer, Disk, Log, Message, Offer, Op, Request, State, Status, Suffix, Timer, View,
    Viewstamped, Witness,
};
use crate::election::{Age, CLIENT, Check, Event, Invariant, NodeSet, NodeStep, node_name};

pub fn all() -> Vec<Invariant<Viewstamped>> {
    let has_values = |replicas: &[Viewstamped]| replicas[0].values > 0;
    vec![
        Invariant::new(
            "earlier-views-are-over",
            "a replica's view number only grows, is on disk (if there is one) before a message names it, and nothing \
             is done for a message of an earlier view (§4.1, §8.1)",
            Check::Rule(earlier_views_are_over),
        )
        .needing(&["view-started"]),
        Invariant::new(
            "prepares-in-order",
            "the primary gives a request the next op-number and tells all; a backup prepares the next operation of \
             its view and no other; PrepareOk says what the log holds (§4.1, steps 2 to 4)",
            Check::Rule(prepares_in_order),
        )
        .with_setting("values >= 1", has_values)
        .needing(&["operation-prepared"]),
        Invariant::new(
            "commits-with-a-quorum",
            "the primary commits what f backups have prepared, as soon as they have, and nothing else; a backup what \
             the primary says is committed (§4.1, steps 5 to 7)",
            Check::Rule(commits_with_a_quorum),
        )
        .with_setting("values >= 1", has_values)
        .needing(&["operation-acknowledged"]),
        Invariant::new(
            "offers-with-f-others",
            "a view change starts for one of three reasons and is told to all; a log is offered, once, when f others \
             have started it, as it is and with the last view of status normal (§4.2, steps 1 and 2)",
            Check::Step(offers_with_f_others),
        )
        .needing(&["log-offered"]),
        Invariant::new(
            "starts-with-the-best-log",
            "the new primary starts its view when it has f+1 offers, its own among them, with the best log and the \
             largest commit-number; the others take these over, once (§4.2, steps 3 to 5)",
            Check::Rule(starts_with_the_best_log),
        )
        .needing(&["view-started"]),
        Invariant::new(
            "fetches-what-it-lacks",
            "a replica that is shown to be behind asks for what it lacks, and changes nothing before it has it; only a \
             normal replica in that view answers (§4.1, §5.2)",
            Check::Rule(fetches_what_it_lacks),
        ),
        Invariant::new(
            "recovers-from-a-quorum",
            "a replica that comes back is normal again when f+1 normal replicas have answered its nonce, with the log \
             of the primary of the latest of their views, and does nothing else until then; what it finds on its disk is \
             what it has kept there (§4.3, §5.1)",
            Check::Rule(recovers_from_a_quorum),
        ),
        Invariant::new(
            "timers-of-the-role",
            "a primary waits to be heard again, a backup and whoever changes its view for the primary of the view, a \
             recovering replica for answers, and nobody for anything else: anew with each step towards that (§4.1 to §4.3)",
            Check::Rule(timers_of_the_role),
        ),
    ]
}

/// A step of a live replica whose handler ran to its end.
struct Did<'a> {
    id: Id,
    replicas: usize,
    before: &'a State,
    event: &'a Event<'a, Viewstamped>,
    after: &'a State,
    sends: &'a [(Id, Message)],
}

impl<'a> Did<'a> {
    fn of(step: &'a NodeStep<'a, Viewstamped>) -> Option<Self> {
        Some(Did {
            id: step.id,
            replicas: step.actor.replicas,
            before: step.before?,
            event: &step.event,
            after: step.after?,
            sends: step.sends,
        })
    }

    fn must(&self, holds: bool, rule: &str) -> Result<(), String> {
        if holds {
            return Ok(());
        }
        let event = match self.event {
            Event::Start => "a start".to_string(),
            Event::Deliver { src, msg } => format!("{msg:?} from {}", node_name(*src)),
            Event::Timeout { timer } => format!("the timeout {timer:?}"),
            Event::Choose { value, .. } => format!("{value:?}"),
            Event::Crash => "a crash".to_string(),
        };
        let sends: Vec<String> =
            self.sends.iter().map(|(dst, msg)| format!("{msg:?} to {}", node_name(*dst))).collect();
        Err(format!(
            "{rule}. {} was {:?}; on {event} it became {:?} and sent [{}]",
            node_name(self.id),
            self.before,
            self.after,
            sends.join(", ")
        ))
    }

    fn heard(&self) -> Option<(Id, &'a Message)> {
        match self.event {
            Event::Deliver { src, msg } => Some((*src, msg)),
            _ => None,
        }
    }

    /// §4: the replicas take turns.
    fn primary(&self, view: View) -> Id {
        Id::from((view % self.replicas as u64) as usize)
    }

    fn led(&self) -> bool {
        self.before.is_normal() && self.primary(self.before.view) == self.id
    }

    fn leads(&self) -> bool {
        self.after.is_normal() && self.primary(self.after.view) == self.id
    }

    /// Any two quorums meet.
    fn is_quorum(&self, members: usize) -> bool {
        2 * members > self.replicas
    }

    /// Whether exactly these messages were sent, in whatever order.
    fn sent(&self, messages: &[(Id, Message)]) -> bool {
        self.sends.len() == messages.len() && messages.iter().all(|m| self.sends.contains(m))
    }

    /// A message for each of the others.
    fn to_others(&self, msg: Message) -> Vec<(Id, Message)> {
        let others = (0..self.replicas).map(Id::from).filter(|other| *other != self.id);
        others.map(|other| (other, msg.clone())).collect()
    }

    /// The messages sent of some kind.
    fn sent_of(&self, is_such: impl Fn(&Message) -> bool) -> Vec<(Id, Message)> {
        self.sends.iter().filter(|(_, msg)| is_such(msg)).cloned().collect()
    }

    fn did_nothing(&self) -> bool {
        self.before == self.after && self.sends.is_empty()
    }

    /// Whether the replica is now a replica with status normal in `view`, with that log and commit-number, and, as a
    /// backup, has acknowledged to the primary what it does not know to be committed.
    fn follows(&self, view: View, log: &Log, commit: usize) -> bool {
        let acknowledged = match log.len() > commit {
            true => vec![(self.primary(view), Message::PrepareOk { view, op_number: log.len() })],
            false => Vec::new(),
        };
        let fresh = Status::Normal { prepared: BTreeMap::new() };
        let a = self.after;
        (a.view, &a.log, a.commit, &a.status) == (view, log, commit, &fresh)
            && self.sent(&acknowledged)
    }

    /// The change to a view in which the step found the replica or put it.
    fn view_change(&self) -> Option<ViewChange> {
        let view = self.after.view;
        let (last_normal, started, offers) = match &self.before.status {
            Status::Recovering { .. } => return None,
            Status::ViewChange { last_normal, started, offers } if self.before.view == view => {
                (*last_normal, *started, offers.clone())
            }
            Status::ViewChange { last_normal, .. } => {
                (*last_normal, NodeSet::default(), BTreeMap::new())
            }
            Status::Normal { .. } if self.before.view == view => return None,
            Status::Normal { .. } => (self.before.view, NodeSet::default(), BTreeMap::new()),
        };
        let own = Offer { last_normal, log: self.before.log.clone(), commit: self.before.commit };
        let mut change = ViewChange { started, offers, own, is_due: false };
        match self.heard() {
            Some((src, Message::StartViewChange { view: v })) if *v == view => {
                // Enough are enough.
                if !self.is_quorum(1 + started.len()) {
                    change.started.insert(src);
                    change.is_due = self.is_quorum(1 + change.started.len());
                }
                if change.is_due && self.primary(view) == self.id {
                    change.offers.insert(self.id, change.own.clone());
                }
            }
            Some((src, Message::DoViewChange { view: v, offer })) if *v == view => {
                change.offers.entry(src).or_insert_with(|| offer.clone());
            }
            _ => {}
        }
        Some(change)
    }
}

/// What a replica in a view change must know after a step.
struct ViewChange {
    started: NodeSet,
    offers: BTreeMap<Id, Offer>,
    /// What the replica itself has to offer.
    own: Offer,
    /// Whether the step is the one in which it offers that.
    is_due: bool,
}

impl ViewChange {
    fn has_quorum(&self, did: &Did<'_>) -> bool {
        did.is_quorum(self.offers.len()) && self.offers.contains_key(&did.id)
    }
}

/// The view in which a message says its sender to be; that of GetState is the receiver's.
fn spoken_of(msg: &Message) -> View {
    match msg {
        Message::Prepare { view, .. }
        | Message::PrepareOk { view, .. }
        | Message::Commit { view, .. }
        | Message::StartViewChange { view }
        | Message::DoViewChange { view, .. }
        | Message::StartView { view, .. }
        | Message::Recovery { view, .. }
        | Message::NewState { view, .. }
        | Message::RecoveryResponse { answer: Answer { view, .. }, .. } => *view,
        Message::GetState { .. } => 0,
    }
}

fn earlier_views_are_over(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    if step.actor.disk != Disk::None {
        // Of a handler that was cut short, too: the disk comes first.
        let on_disk = step.storage.map_or(0, |disk| disk.view);
        let reached = step.after.map_or(0, |after| after.view);
        let named = step.sends.iter().map(|(_, msg)| spoken_of(msg)).max().unwrap_or(0);
        if reached.max(named) > on_disk {
            let name = node_name(step.id);
            return Err(format!(
                "{name} is in view {reached} and speaks of view {named}, on its disk is {on_disk}"
            ));
        }
    }
    let Some(did) = Did::of(step) else { return Ok(()) };
    did.must(did.after.view >= did.before.view, "A view number never goes back")?;
    match did.heard() {
        Some((_, Message::Recovery { .. } | Message::RecoveryResponse { .. })) | None => Ok(()),
        Some((_, Message::GetState { view, .. })) if *view < did.before.view => {
            did.must(did.did_nothing(), "Nobody sends the state of an earlier view")
        }
        Some((_, Message::GetState { .. })) => Ok(()),
        Some((_, msg)) => did.must(
            spoken_of(msg) >= did.before.view || did.did_nothing(),
            "A message of an earlier view is dropped",
        ),
    }
}

fn prepares_in_order(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let with = |op: Op| [before.log.as_slice(), &[op]].concat();
    let (view, next) = (before.view, before.log.len() + 1);
    let mut may_prepare = false;
    match (did.event, did.heard()) {
        (Event::Choose { key, value: Request(number) }, _) => {
            let op = Op(*number);
            let expected = State { log: with(op), ..before.clone() };
            let tells = did.to_others(Message::Prepare {
                view,
                op,
                op_number: next,
                commit: before.commit,
            });
            let is_request = *key == CLIENT && did.led();
            did.must(is_request, "Clients are heard by the primary")?;
            did.must(
                *after == expected && did.sent(&tells),
                "A request gets the next op-number, and all hear of it",
            )?;
            may_prepare = true;
        }
        (_, Some((_, Message::Prepare { view: v, op, op_number, commit }))) => {
            let is_next = before.is_normal() && *v == view && *op_number == next;
            if is_next {
                let expected =
                    State { log: with(*op), commit: before.commit.max(*commit), ..before.clone() };
                let ok = Message::PrepareOk { view, op_number: next };
                let does = *after == expected && did.sent(&[(did.primary(view), ok)]);
                did.must(does, "A backup adds the next operation to its log and acknowledges it")?;
            } else {
                did.must(
                    after.log == before.log,
                    "A backup prepares no operation but the next of its view",
                )?;
            }
        }
        (
            _,
            Some((
                _,
                Message::PrepareOk { .. } | Message::Commit { .. } | Message::GetState { .. },
            )),
        )
        | (Event::Timeout { .. }, _) => {
            did.must(after.log == before.log, "The log stays as it is")?;
        }
        _ => {}
    }
    for (dst, msg) in did.sends {
        match msg {
            Message::Prepare { .. } => {
                did.must(may_prepare, "Only a request is a reason for a Prepare")?
            }
            Message::PrepareOk { view, op_number } => {
                let holds = after.is_normal()
                    && after.view == *view
                    && after.log.len() == *op_number
                    && did.primary(*view) == *dst
                    && *dst != did.id;
                did.must(
                    holds,
                    "PrepareOk tells the primary of the own view what the own log holds",
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn commits_with_a_quorum(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    if let Event::Timeout { timer: Timer::Heartbeat } = did.event {
        let commit = Message::Commit { view: before.view, commit: before.commit };
        let tells = did.led() && before == after && did.sent(&did.to_others(commit));
        return did.must(tells, "An idle primary tells all others its commit-number");
    }
    let tells = did.sends.iter().any(|(_, msg)| matches!(msg, Message::Commit { .. }));
    did.must(!tells, "Commit is what an idle primary sends")?;
    let (Status::Normal { prepared }, Status::Normal { prepared: now }) =
        (&before.status, &after.status)
    else {
        return Ok(());
    };
    if before.view != after.view {
        return Ok(());
    }
    if did.led() {
        let mut known = prepared.clone();
        if let Some((src, Message::PrepareOk { view, op_number })) = did.heard()
            && *view == before.view
        {
            let number = known.entry(src).or_insert(0);
            *number = (*number).max(*op_number);
        }
        let is_prepared =
            |n: &usize| did.is_quorum(1 + known.values().filter(|number| **number >= *n).count());
        let commit =
            (before.commit + 1..=before.log.len()).rfind(is_prepared).unwrap_or(before.commit);
        did.must(
            after.commit == commit,
            "The primary commits what it and f backups have prepared",
        )?;
        known.retain(|_, number| *number > commit);
        return did.must(*now == known, "The primary knows what each backup has acknowledged");
    }
    let told = match did.heard() {
        Some((_, Message::Commit { view, commit })) if *view == before.view => *commit,
        // What comes with operations is another rule's.
        Some((_, Message::Prepare { .. } | Message::NewState { .. })) => return Ok(()),
        _ => 0,
    };
    let commit = if told <= before.log.len() { before.commit.max(told) } else { before.commit };
    did.must(after.commit == commit, "A backup commits what it has and is told to be committed")
}

fn offers_with_f_others(witness: &Witness, step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let reason = match (did.event, did.heard()) {
        (Event::Timeout { timer: Timer::ViewChange }, _) => {
            let waits = !did.led() && !before.is_recovering();
            did.must(
                waits,
                "A primary waits for nobody, nor does a replica before it has recovered",
            )?;
            // Remembered only where time can be trusted.
            let heard = witness.leading.get(&did.primary(before.view)) == Some(&before.view);
            did.must(!(before.is_normal() && heard), "A live primary is heard in time")?;
            Some(before.view + 1)
        }
        (_, Some((_, Message::StartViewChange { view } | Message::DoViewChange { view, .. })))
        | (_, Some((_, Message::Recovery { view, .. })))
            if *view > before.view && !before.is_recovering() =>
        {
            Some(*view)
        }
        _ => None,
    };
    let told = did.sent_of(|msg| matches!(msg, Message::StartViewChange { .. }));
    let offered = did.sent_of(|msg| matches!(msg, Message::DoViewChange { .. }));
    match reason {
        Some(view) => {
            did.must(after.view == view, "A view change goes to the view that is due")?;
            let mut all = did.to_others(Message::StartViewChange { view });
            all.retain(|sent| told.contains(sent));
            let tells = told.len() == did.replicas - 1 && all.len() == told.len();
            did.must(tells, "Who starts a view change tells all others")?;
        }
        None => did.must(told.is_empty(), "Who starts no view change tells of none")?,
    }
    if let Status::ViewChange { last_normal, started, offers } = &after.status {
        let Some(change) = did.view_change() else {
            return did.must(
                false,
                "A replica leaves its own view for a later one, and only when it is normal",
            );
        };
        let may = reason.is_some() || !before.is_normal() && before.view == after.view;
        did.must(may, "A view change has a reason")?;
        did.must(
            (&before.log, before.commit) == (&after.log, after.commit),
            "A view change leaves the log alone",
        )?;
        did.must(
            *last_normal == change.own.last_normal,
            "The last view of status normal is remembered",
        )?;
        did.must(*started == change.started, "It is known who has started the view change")?;
        did.must(*offers == change.offers, "It is known who has offered what")?;
    }
    match did.view_change().filter(|change| change.is_due && did.primary(after.view) != did.id) {
        Some(change) => {
            let offer = Message::DoViewChange { view: after.view, offer: change.own };
            let offers = offered == [(did.primary(after.view), offer)];
            did.must(offers, "With f others, the log is offered to the new primary")
        }
        None => did.must(
            offered.is_empty(),
            "A log is offered once, when f others have started the view change",
        ),
    }
}

fn starts_with_the_best_log(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let announced = did.sent_of(|msg| matches!(msg, Message::StartView { .. }));
    if did.leads() && !(did.led() && before.view == after.view) {
        let Some(change) = did.view_change().filter(|change| change.has_quorum(&did)) else {
            return did
                .must(false, "A primary starts its view with f+1 offers, its own among them");
        };
        let is_best = |log: &Log| {
            let offers = change.offers.values();
            let best = offers.max_by_key(|offer| (offer.last_normal, offer.log.len()));
            best.is_some_and(|best| {
                let ties =
                    |o: &&Offer| (o.last_normal, o.log.len()) == (best.last_normal, best.log.len());
                change.offers.values().filter(ties).any(|offer| offer.log == *log)
            })
        };
        did.must(is_best(&after.log), "The longest log of the latest normal view is installed")?;
        let commit = change.offers.values().map(|offer| offer.commit).max().unwrap_or(0);
        did.must(after.commit == commit, "The largest commit-number offered is taken over")?;
        did.must(
            after.status == Status::Normal { prepared: BTreeMap::new() },
            "Nothing is prepared yet",
        )?;
        let start = Message::StartView { view: after.view, log: after.log.clone(), commit };
        let all = did.to_others(start);
        let tells = announced.len() == all.len() && all.iter().all(|sent| announced.contains(sent));
        return did.must(tells, "The new primary tells all others its log");
    }
    did.must(announced.is_empty(), "StartView is what a new primary sends")?;
    if !after.is_normal()
        && did.primary(after.view) == did.id
        && let Some(change) = did.view_change()
    {
        did.must(
            !change.has_quorum(&did),
            "With f+1 offers, its own among them, the view is started",
        )?;
    }
    if let Some((_, Message::StartView { view, log, commit })) = did.heard()
        && !before.is_recovering()
    {
        let is_new = *view > before.view || *view == before.view && !before.is_normal();
        let does = match is_new {
            true => did.follows(*view, log, before.commit.max(*commit)),
            false => did.did_nothing(),
        };
        return did.must(
            does,
            "A replica that has not joined a view does so with the StartView's log, and once",
        );
    }
    Ok(())
}

fn fetches_what_it_lacks(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let is_behind = |view: View| view > before.view || view == before.view && !before.is_normal();
    let asked = did.sent_of(|msg| matches!(msg, Message::GetState { .. }));
    let told = did.sent_of(|msg| matches!(msg, Message::NewState { .. }));
    let heard = did.heard().filter(|_| !before.is_recovering());
    let mut asks = Vec::new();
    let mut tells = Vec::new();
    match heard {
        Some((
            src,
            Message::Prepare { view, .. }
            | Message::PrepareOk { view, .. }
            | Message::Commit { view, .. },
        )) if is_behind(*view) => {
            // Beyond the commit-number a later view may have other operations. Nobody is its own backup.
            if did.primary(*view) != did.id {
                asks.push((src, Message::GetState { view: *view, op_number: before.commit }));
            }
            did.must(
                before == after,
                "Until the state of the later view is there, nothing changes",
            )?;
        }
        Some((
            src,
            Message::Prepare { view, op_number: number, .. }
            | Message::Commit { view, commit: number },
        )) if *view == before.view => {
            let has = match heard {
                Some((_, Message::Prepare { .. })) => before.log.len() + 1,
                _ => before.log.len(),
            };
            if *number > has {
                asks.push((src, Message::GetState { view: *view, op_number: before.log.len() }));
                did.must(
                    before == after,
                    "Until the missing operations are there, nothing changes",
                )?;
            }
        }
        Some((src, Message::GetState { view, op_number })) => {
            if before.is_normal() && *view == before.view {
                let ops = before.log.get(*op_number..).unwrap_or_default().to_vec();
                let suffix = Suffix { after: *op_number, ops, commit: before.commit };
                tells.push((src, Message::NewState { view: *view, suffix }));
            }
            did.must(before == after, "Who sends its state does not change it")?;
        }
        Some((_, Message::NewState { view, suffix })) if *view >= before.view => {
            let whole = before.log.get(..suffix.after).map(|own| [own, &suffix.ops].concat());
            let commit = before.commit.max(suffix.commit);
            let does = match whole {
                None => did.did_nothing(),
                Some(log) if is_behind(*view) || log.len() > before.log.len() => {
                    did.follows(*view, &log, commit)
                }
                Some(_) => *after == State { commit, ..before.clone() } && did.sends.is_empty(),
            };
            did.must(does, "New state continues the log from where it was asked for")?;
        }
        _ => {}
    }
    did.must(
        asked == asks,
        "State is asked for by who is shown to lack it, from whoever showed it",
    )?;
    did.must(
        told == tells,
        "A normal replica sends the state of its view to whoever asks, as it is",
    )
}

fn recovers_from_a_quorum(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    if let (Event::Start, Some(after)) = (&step.event, step.after) {
        return starts_by_the_rules(step, after);
    }
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let has_changed = (&before.log, before.commit) != (&after.log, after.commit);
    let holds = match (step.actor.disk, step.storage) {
        (Disk::None, disk) => disk.is_none(),
        (Disk::View, disk) => disk.is_none_or(|disk| disk.log.is_empty() && disk.commit == 0),
        // §5.1: what changes is written, if behind the messages.
        (Disk::Log, disk) => {
            let kept = disk.map(|disk| (disk.view, &disk.log, disk.commit));
            !has_changed || kept == Some((after.view, &after.log, after.commit))
        }
    };
    did.must(holds, "The disk holds the view number, or that and the log")?;
    let answered = did.sent_of(|msg| matches!(msg, Message::RecoveryResponse { .. }));
    let asked = did.sent_of(|msg| matches!(msg, Message::Recovery { .. }));
    if let Event::Timeout { timer: Timer::Recovery } = did.event {
        let Status::Recovering { nonce, .. } = before.status else {
            return did.must(false, "Who has recovered no longer waits for answers");
        };
        let ask = Message::Recovery { nonce, view: before.view, op_number: before.log.len() };
        let asks = before == after && did.sent(&did.to_others(ask));
        return did.must(asks, "Who does not hear enough asks all again");
    }
    did.must(
        asked.is_empty(),
        "Recovery is what a recovering replica sends when it starts and when it has waited",
    )?;
    let Status::Recovering { nonce, answers } = &before.status else {
        did.must(!after.is_recovering(), "Only a crash makes a replica recover")?;
        let mut answers = Vec::new();
        if let Some((src, Message::Recovery { nonce, view, op_number })) = did.heard()
            && *view <= before.view
        {
            did.must(before == after, "An answer to a recovery changes nothing")?;
            if before.is_normal() {
                let ops = before.log.get(*op_number..).unwrap_or_default().to_vec();
                let suffix =
                    did.led().then_some(Suffix { after: *op_number, ops, commit: before.commit });
                let answer = Answer { view: before.view, suffix };
                answers.push((src, Message::RecoveryResponse { nonce: *nonce, answer }));
            }
        }
        return did.must(
            answered == answers,
            "A normal replica answers a recovery, the primary with its log",
        );
    };
    let Some((src, Message::RecoveryResponse { nonce: theirs, answer })) = did.heard() else {
        return did.must(did.did_nothing(), "A recovering replica takes part in nothing else");
    };
    if theirs != nonce {
        return did.must(did.did_nothing(), "Answers to an earlier recovery do not count");
    }
    let mut answers = answers.clone();
    let latest = answers.get(&src).max(Some(answer)).expect("there is one").clone();
    answers.insert(src, latest);
    let view = answers.values().map(|answer| answer.view).max().unwrap_or(0);
    let of_primary =
        answers.get(&did.primary(view)).filter(|answer| answer.view == view && view >= before.view);
    let suffix = of_primary.and_then(|answer| answer.suffix.as_ref());
    let log = suffix.and_then(|s| Some([before.log.get(..s.after)?, s.ops.as_slice()].concat()));
    match (log, suffix) {
        // f+1 have answered, which this replica is not one of.
        (Some(log), Some(suffix)) if did.is_quorum(answers.len()) => {
            let follows = did.follows(view, &log, before.commit.max(suffix.commit));
            did.must(
                follows,
                "With f+1 answers, the log is that of the primary of the latest view among them",
            )
        }
        _ => {
            let waits = Status::Recovering { nonce: *nonce, answers };
            let does = *after == State { status: waits, ..before.clone() } && did.sends.is_empty();
            did.must(
                does,
                "Without f+1 answers, the latest view's primary among them, a replica waits",
            )
        }
    }
}

/// Each replica has the one timer of its role. It is set when the role begins, when it ends, and, at a backup, with each
/// message by which the primary of its view brings it on.
fn timers_of_the_role(step: &NodeStep<'_, Viewstamped>) -> Result<(), String> {
    let Some(after) = step.after else { return Ok(()) };
    let is_primary = after.view % step.actor.replicas as u64 == usize::from(step.id) as u64;
    // In units of 10 ms: the shortest wait, and by how much more it is less than that.
    let due = match &after.status {
        Status::Normal { .. } if is_primary => {
            step.actor.heartbeats.then_some((Timer::Heartbeat, 1, 1))
        }
        Status::Normal { .. } | Status::ViewChange { .. } => Some((Timer::ViewChange, 3, 3)),
        Status::Recovering { .. } => Some((Timer::Recovery, 2, 2)),
    };
    let joins =
        |before: &State| after.view > before.view || after.is_normal() && !before.is_normal();
    let is_backup = after.is_normal() && !is_primary;
    let is_brought_on = |before: &State| match &step.event {
        Event::Deliver { msg: Message::Commit { view, .. }, .. } => {
            is_backup && *view == before.view
        }
        _ => is_backup && after.log.len() > before.log.len(),
    };
    let is_anew = matches!(step.event, Event::Start | Event::Timeout { .. })
        || step.before.is_some_and(|before| joins(before) || is_brought_on(before));
    let is_right = match due {
        None => step.timers.is_empty(),
        Some((timer, from, to)) if is_anew => {
            step.timers.len() == 1
                && step.timers.get(&timer).is_some_and(|age| is_set(*age, from, to))
        }
        Some(_) => step.timers == step.timers_before,
    };
    is_right.then_some(()).ok_or_else(|| {
        let (name, timers) = (node_name(step.id), step.timers);
        format!(
            "{name} is {after:?}, and its timers are {timers:?}; before, they were {:?}",
            step.timers_before
        )
    })
}

/// Whether a timer has just been set to end `from` units after now and less than `spread` later. A tick may be shorter than
/// the unit.
fn is_set(age: Age, from: u64, spread: u64) -> bool {
    let per_unit = (u64::from(age.last) + 1 - u64::from(age.first)) / spread;
    age.is_new(per_unit * from, (per_unit * (from + spread)).saturating_sub(1))
}

/// A first start is normal in view 0; any other finds on its disk at most what was known to be committed, and asks.
fn starts_by_the_rules(step: &NodeStep<'_, Viewstamped>, after: &State) -> Result<(), String> {
    let name = node_name(step.id);
    if step.incarnation == 0 {
        let status = Status::Normal { prepared: BTreeMap::new() };
        let is_so = *after == State { view: 0, log: Log::new(), commit: 0, status }
            && step.sends.is_empty();
        return is_so.then_some(()).ok_or_else(|| format!("{name} starts as {after:?}"));
    }
    let (view, log, commit) = step.storage.map_or((0, Log::new(), 0), |disk| {
        let committed = disk.log[..disk.commit.min(disk.log.len())].to_vec();
        (disk.view, committed, disk.commit)
    });
    let (nonce, op_number) = (step.incarnation, log.len());
    let status = Status::Recovering { nonce, answers: BTreeMap::new() };
    let ask = Message::Recovery { nonce, view, op_number };
    let others = (0..step.actor.replicas).map(Id::from).filter(|other| *other != step.id);
    let asks: Vec<_> = others.map(|other| (other, ask.clone())).collect();
    let is_so = *after == State { view, log, commit, status } && step.sends == asks;
    is_so.then_some(()).ok_or_else(|| {
        format!(
            "{name} comes back as {after:?} and sends {:?}, its disk holds {:?}",
            step.sends, step.storage
        )
    })
}
