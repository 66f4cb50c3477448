//! View changes (§4.2).

use stateright::actor::Id;

use super::super::message::{Log, Message, Offer, Timer};
use super::super::state::{Status, View};
use super::super::witness::Witness;
use super::{Did, Step, Verdict};
use crate::election::{Event, NodeSet, SortedMap};

/// What a replica in a view change must know after a step.
struct ViewChange {
    started: NodeSet,
    offers: SortedMap<Id, Offer>,
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

impl Did<'_> {
    /// The change to a view in which the step found the replica or put it.
    fn view_change(&self) -> Option<ViewChange> {
        let view = self.after.view;
        let (last_normal, started, offers) = match &self.before.status {
            Status::Recovering { .. } => return None,
            Status::ViewChange { last_normal, started, offers } if self.before.view == view => {
                (*last_normal, *started, offers.clone())
            }
            Status::ViewChange { last_normal, .. } => {
                (*last_normal, NodeSet::default(), SortedMap::new())
            }
            Status::Normal { .. } if self.before.view == view => return None,
            Status::Normal { .. } => (self.before.view, NodeSet::default(), SortedMap::new()),
        };
        let own = Offer { last_normal, log: self.before.log.clone(), commit: self.before.commit };
        let mut change = ViewChange { started, offers, own, is_due: false };
        match self.heard() {
            Some((src, Message::StartViewChange { view: v })) if *v == view => {
                // Once there are enough, further ones are not counted.
                if !self.is_quorum(1 + started.len()) {
                    change.started.insert(src);
                    change.is_due = self.is_quorum(1 + change.started.len());
                }
                if change.is_due && self.primary(view) == self.id {
                    change.offers.insert(self.id, change.own.clone());
                }
            }
            Some((src, Message::DoViewChange { view: v, offer })) if *v == view => {
                change.offers.get_or_insert(src, offer.clone());
            }
            _ => {}
        }
        Some(change)
    }
}

pub(crate) fn offers_with_f_others(witness: &Witness, step: &Step<'_>) -> Verdict {
    let Some(did) = Did::of(step) else { return Ok(()) };
    let (before, after) = (did.before, did.after);
    let reason = reason(witness, &did)?;
    let told = did.sent_of(|msg| matches!(msg, Message::StartViewChange { .. }));
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
    offers_once(&did)
}

/// The view to which the step must start a change, if it must.
fn reason(witness: &Witness, did: &Did<'_>) -> Result<Option<View>, String> {
    let before = did.before;
    match (did.event, did.heard()) {
        (Event::Timeout { timer: Timer::ViewChange }, _) => {
            let waits = !did.led() && !before.is_recovering();
            did.must(
                waits,
                "A primary waits for nobody, nor does a replica before it has recovered",
            )?;
            // Remembered only where time can be trusted.
            let heard = witness.leading.get(&did.primary(before.view)) == Some(&before.view);
            did.must(!(before.is_normal() && heard), "A live primary is heard in time")?;
            Ok(Some(before.view + 1))
        }
        (_, Some((_, Message::StartViewChange { view } | Message::DoViewChange { view, .. })))
        | (_, Some((_, Message::Recovery { view, .. })))
            if *view > before.view && !before.is_recovering() =>
        {
            Ok(Some(*view))
        }
        _ => Ok(None),
    }
}

/// Step 2: a log is offered when f others have started the view change.
fn offers_once(did: &Did<'_>) -> Verdict {
    let after = did.after;
    let offered = did.sent_of(|msg| matches!(msg, Message::DoViewChange { .. }));
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

pub(crate) fn starts_with_the_best_log(step: &Step<'_>) -> Verdict {
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
            after.status == Status::Normal { prepared: SortedMap::new() },
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
