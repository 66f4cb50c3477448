//! Which messages are dead: our own argument, not the paper's.
//!
//! Within an incarnation views only grow, and in a view logs and commit-numbers do. With the view
//! on disk, that holds across crashes too, because a replica recovers into a view and with a log no
//! older than it had. Without a disk a replica may come back into an earlier view, so nothing is
//! dead then but answers to an earlier recovery: a nonce is never used again in any case.

use stateright::actor::Id;

use super::Viewstamped;
use super::about::Durable;
use super::bugs::Bug;
use super::message::{Answer, Message, Suffix};
use super::state::{State, Status, View};

/// Whether a message from `src` can have no effect on this replica any more.
pub(super) fn is_dead(node: &Viewstamped, id: Id, state: &State, src: Id, msg: &Message) -> bool {
    let to = Receiver { node, state };
    match msg {
        Message::RecoveryResponse { nonce, answer } => to.awaits_no(*nonce, src, answer),
        // A replica with status normal answers every Recovery, even if nobody waits for the answer.
        Message::Recovery { .. } => false,
        Message::StartViewChange { view } => {
            let is_counted = match state.status {
                Status::ViewChange { started, .. } => {
                    started.contains(src) || started.len() >= node.start_view_changes_needed()
                }
                _ => false,
            };
            to.is_past(*view) || to.has_joined_or_forgotten(*view) || to.is_in(*view) && is_counted
        }
        Message::DoViewChange { view, .. } => {
            let is_counted = match &state.status {
                Status::ViewChange { offers, .. } => offers.contains_key(&src),
                _ => false,
            };
            to.is_past(*view) || to.has_joined_or_forgotten(*view) || to.is_in(*view) && is_counted
        }
        Message::StartView { view, .. } => to.is_past(*view) || to.has_joined_or_forgotten(*view),
        Message::Prepare { view, op_number, .. } => {
            let is_over = to.is_past(*view) && node.bug != Some(Bug::PreparesInOldView);
            is_over || to.has_joined(*view) && *op_number <= state.log.len()
        }
        Message::PrepareOk { view, op_number } => {
            let known = match &state.status {
                Status::Normal { prepared } => prepared.get(&src).copied(),
                _ => None,
            };
            let is_counted = *op_number <= known.unwrap_or(state.commit);
            // A primary that has crashed leads its view no more: it recovers into a later one.
            let leads = node.primary(*view) == id && state.is_normal();
            to.is_past(*view) || to.has_joined_or_forgotten(*view) && (!leads || is_counted)
        }
        // In the replica's own view a Commit says at least that the primary is there.
        Message::Commit { view, .. } | Message::GetState { view, .. } => to.is_past(*view),
        Message::NewState { view, suffix } => {
            to.is_past(*view) || to.has_joined(*view) && to.knows(suffix)
        }
    }
}

/// Whether a replica may take part again in a view that it has joined already, or with a shorter
/// log. Then a message of that view is not dead even if the replica has handled it. A backup may
/// have a longer log than its primary if an acknowledged operation was lost; it then recovers with
/// a shorter one.
fn revives(bug: Bug) -> bool {
    matches!(
        bug,
        Bug::TruncatesBeforeTransfer
            | Bug::LongestLogWins
            | Bug::InstallsViewTwice
            | Bug::FallsBackIntoViewChange
            | Bug::RecoversFromAnyPrimary
            | Bug::CountsOldAnswers
            | Bug::VotesWhileRecovering
            | Bug::TrustsLogOnDisk
            | Bug::OffersViewNumber
            | Bug::AppendsState
            | Bug::ResumesView
            | Bug::HalfIsAQuorum
    )
}

/// The replica to which a message goes.
struct Receiver<'a> {
    node: &'a Viewstamped,
    state: &'a State,
}

impl Receiver<'_> {
    /// Whether a replica never comes back into an earlier view.
    fn views_grow(&self) -> bool {
        self.node.durable != Durable::Nothing && self.node.bug != Some(Bug::ForgetsView)
    }

    /// The view is over for good.
    fn is_past(&self, view: View) -> bool {
        self.views_grow() && view < self.state.view
    }

    /// The view is the replica's own, and whatever the replica does in it, it does once.
    fn is_in(&self, view: View) -> bool {
        self.views_grow() && !self.node.bug.is_some_and(revives) && view == self.state.view
    }

    /// The change to the view is over for this replica.
    fn has_joined(&self, view: View) -> bool {
        self.is_in(view) && self.state.is_normal()
    }

    /// The same, or the replica recovers, and takes no part in the change to the view before it has
    /// recovered into that or a later one.
    fn has_joined_or_forgotten(&self, view: View) -> bool {
        self.is_in(view) && (self.state.is_normal() || self.state.is_recovering())
    }

    /// Whether a state that is sent holds nothing new.
    fn knows(&self, suffix: &Suffix) -> bool {
        let end = suffix.after + suffix.ops.len();
        end <= self.state.log.len() && suffix.commit <= self.state.commit
    }

    /// Whether an answer to a recovery does not count, or is known.
    fn awaits_no(&self, number: u32, src: Id, answer: &Answer) -> bool {
        let is_awaited = match &self.state.status {
            Status::Recovering { nonce, answers } => {
                *nonce == number && answers.get(&src).is_none_or(|known| known < answer)
            }
            _ => false,
        };
        !is_awaited && self.node.bug != Some(Bug::CountsOldAnswers)
    }
}
