//! Which messages are dead: whatever happens, they can have no effect any more. This is not the
//! paper's, but our own argument about it.
//!
//! It rests on two facts about a server. Its term never falls; and once it has stopped being the
//! candidate or the leader of a term, it is not that again. A candidate may yet come to lead its
//! term, and with a planted bug answers to that leader may be there already.

use stateright::actor::Id;

use super::Raft;
use super::bugs::Bug;
use super::message::Message;
use super::state::{Role, State};

/// Whether a message from `src` can never again have an effect on this server.
pub(super) fn is_dead(node: &Raft, state: &State, src: Id, msg: &Message) -> bool {
    if node.bug.is_some_and(revives_messages) {
        return false;
    }
    let own = state.persistent.term;
    match *msg {
        // The server is not a candidate in that term any more, or has counted the vote.
        Message::Vote { term } => {
            let counts = match &state.role {
                Role::Candidate { votes } => !votes.contains(&src),
                _ => false,
            };
            term < own || term == own && !counts
        }
        // The server has reached that term. Before that, another round of pre-votes could count the
        // answer.
        Message::PreVoteGranted { term } => term <= own,
        Message::Refused { term } => term <= own,
        // The server is not the leader of that term any more, or the leader knows as much. With
        // CheckQuorum the answer counts all the same: its sender is there.
        Message::Appended { term, matched } => match &state.role {
            Role::Leader(leading) if term == own => {
                !node.check_quorum && leading.progress[usize::from(src)].matched >= matched
            }
            Role::Candidate { .. } => term < own,
            _ => term <= own,
        },
        Message::Mismatch { term, prev } => match &state.role {
            Role::Leader(leading) if term == own => {
                let known = leading.progress[usize::from(src)];
                !node.check_quorum && (prev <= known.matched || prev >= known.next)
            }
            Role::Candidate { .. } => term < own,
            _ => term <= own,
        },
        // Requests are never dead: once the receiver's term is a higher one, its answer says so.
        Message::RequestVote { .. } | Message::PreVote { .. } | Message::AppendEntries { .. } => {
            false
        }
    }
}

/// Whether the argument fails with this bug: a server's term falls, or it counts what it has
/// counted, or what is not to be counted any more.
fn revives_messages(bug: Bug) -> bool {
    matches!(
        bug,
        Bug::ForgetsTerm | Bug::LowersTerm | Bug::CountsVotesTwice | Bug::PreVoteCountsAsVote
    )
}
