//! What is remembered of a run, so that properties can speak of the past.

use std::borrow::Cow;

use stateright::actor::Id;

use super::Viewstamped;
use super::message::{Log, Op};
use super::state::View;
use crate::election::{Election, NodeStep, SortedMap, Term};

/// What is remembered of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// The log with which each view was first started.
    pub installed: SortedMap<View, Log>,
    /// The operations whose clients were told that they are done, in the order of their op-numbers,
    /// each with the view in which the primary said so.
    pub acknowledged: Vec<(Op, View)>,
    /// Who leads now, and which view; kept only where time is trusted.
    pub leading: SortedMap<Id, View>,
}

/// The witness after a step, or `None` if the step leaves it alone. A view starts when its primary
/// comes to lead it, even if the primary crashes while it sends StartView. A client is answered
/// when a primary's commit-number advances.
pub(super) fn observe(witness: &Witness, step: &NodeStep<'_, Viewstamped>) -> Option<Witness> {
    let mut now = Cow::Borrowed(witness);
    note_who_leads(&mut now, step);
    note_history(&mut now, step);
    match now {
        Cow::Owned(now) => Some(now),
        Cow::Borrowed(_) => None,
    }
}

/// Who leads now, where time is trusted.
fn note_who_leads(witness: &mut Cow<'_, Witness>, step: &NodeStep<'_, Viewstamped>) {
    let leads = step.after.and_then(|after| step.actor.leads(step.id, after));
    let leads = leads.map(|Term(view)| view);
    if step.actor.trusts_time && leads != witness.leading.get(&step.id).copied() {
        let leading = &mut witness.to_mut().leading;
        leading.remove(&step.id);
        leading.extend(leads.map(|view| (step.id, view)));
    }
}

/// The views started and the clients told.
fn note_history(witness: &mut Cow<'_, Witness>, step: &NodeStep<'_, Viewstamped>) {
    let Some(after) = step.after.or(step.cut_short) else { return };
    if step.actor.leads(step.id, after).is_none() {
        return;
    }
    let is_new = !witness.installed.contains_key(&after.view);
    let newly_told = after.committed().get(witness.acknowledged.len()..).unwrap_or_default();
    if is_new {
        witness.to_mut().installed.insert(after.view, after.log.clone());
    }
    if !newly_told.is_empty() {
        let told = newly_told.iter().map(|op| (*op, after.view));
        witness.to_mut().acknowledged.extend(told);
    }
}
