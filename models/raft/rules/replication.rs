//! What a follower does with a request to append, and what it answers (figure 2, AppendEntries RPC,
//! 1 to 4).

use stateright::actor::Id;

use super::super::log::Log;
use super::super::message::{Entry, Message, Position};
use super::super::state::State;
use super::{Step, Verdict, answers, end, heard, is_append, wrong};

/// A request to append whose term is not over, with the server's state before the step.
pub(super) fn request<'a>(step: &Step<'a>) -> Option<(Id, Append, &'a State)> {
    let (Some((src, msg)), Some(before)) = (heard(step), step.before) else { return None };
    match *msg {
        Message::AppendEntries { term, prev, entry, commit } if term >= before.persistent.term => {
            Some((src, Append { prev, entry, commit }, before))
        }
        _ => None,
    }
}

/// What a request to append carries.
pub(super) struct Append {
    prev: Position,
    entry: Option<Entry>,
    pub(super) commit: usize,
}

impl Append {
    /// The consistency check: whether the log has the previous entry.
    pub(super) fn fits(&self, log: &Log) -> bool {
        log.term_at(self.prev.index) == Some(self.prev.term)
    }

    /// The index up to which the request tells what is in the leader's log.
    pub(super) fn told(&self) -> usize {
        self.prev.index + usize::from(self.entry.is_some())
    }

    /// The log that the request leaves behind.
    fn expected(&self, log: &Log) -> Log {
        let Some(entry) = self.entry.filter(|_| self.fits(log)) else { return log.clone() };
        if log.term_at(self.told()) == Some(entry.term) {
            return log.clone();
        }
        log.prefix(self.prev.index).iter().copied().chain([entry]).collect()
    }

    /// Whether what was verified is in this log.
    fn is_in(&self, log: &Log) -> bool {
        self.fits(log)
            && self.entry.is_none_or(|entry| log.term_at(self.told()) == Some(entry.term))
    }
}

/// The answer to a request to append. If nothing agrees, an answer is due only with CheckQuorum.
fn answer_to_leader(step: &Step<'_>) -> Verdict {
    let (Some((src, msg)), Some(before), Some(after)) = (heard(step), step.before, step.after)
    else {
        return Ok(());
    };
    if !is_append(msg) {
        return Ok(());
    }
    let term = after.persistent.term;
    let answer = match request(step) {
        None => Some(Message::Refused { term }),
        Some((_, append, _)) if !append.fits(&before.persistent.log) => {
            Some(Message::Mismatch { term, prev: append.prev.index })
        }
        Some((_, append, _)) => Some(Message::Appended { term, matched: append.told() })
            .filter(|_| append.told() > 0 || step.actor.check_quorum),
    };
    let answer = answer.map(|answer| (src, answer));
    if !step.sends.iter().eq(&answer) {
        return wrong(step, &answers("a leader's message", step, answer.as_ref()));
    }
    Ok(())
}

/// The log changes as the request demands, and the answer says what was verified.
pub(super) fn append_entries(step: &Step<'_>) -> Verdict {
    answer_to_leader(step)?;
    let request = request(step);
    if let (Some((_, append, before)), Some(end)) = (&request, end(step)) {
        let expected = append.expected(&before.persistent.log);
        if end.persistent.log != expected {
            let found = &end.persistent.log;
            return wrong(
                step,
                &format!("has {found:?} after a request that makes {expected:?} of its log"),
            );
        }
    }
    for (dst, msg) in step.sends {
        let asked = request.as_ref().filter(|(src, ..)| src == dst);
        let is_right = match (msg, asked) {
            (Message::Appended { matched, .. }, Some((_, append, before))) => {
                let is_saved =
                    step.storage.is_some_and(|disk| append.is_in(&disk.log)) || append.told() == 0;
                append.fits(&before.persistent.log) && *matched == append.told() && is_saved
            }
            (Message::Mismatch { prev, .. }, Some((_, append, before))) => {
                !append.fits(&before.persistent.log) && *prev == append.prev.index
            }
            (Message::Appended { .. } | Message::Mismatch { .. }, None) => false,
            _ => true,
        };
        if !is_right {
            return wrong(
                step,
                &format!("answers {msg:?}, which is not what was asked, or not on disk"),
            );
        }
    }
    Ok(())
}
