//! Which messages are dead, which means that they can never again have an effect. The argument is
//! ours, not the paper's.
//!
//! It rests on two facts about a server. Its term never falls; and once it has stopped being the
//! candidate or the leader of a term, it never is so again. A candidate may still come to lead its
//! term, and with a planted bug answers to that leader may be in flight already.

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
        // CheckQuorum the answer still counts: it shows that its sender is alive.
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
        // Requests are never dead: if the receiver's term is higher, it answers with that term.
        Message::RequestVote { .. } | Message::PreVote { .. } | Message::AppendEntries { .. } => {
            false
        }
    }
}

/// Whether the argument fails with this bug: a server's term falls, or a server counts an answer
/// twice, or counts one that should not count any more.
fn revives_messages(bug: Bug) -> bool {
    matches!(
        bug,
        Bug::ForgetsTerm | Bug::LowersTerm | Bug::CountsVotesTwice | Bug::PreVoteCountsAsVote
    )
}
