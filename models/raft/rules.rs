//! The rules of figure 2, and of the thesis for what is optional, each asked of every step of every server: what a server
//! may and must do, given what it was and what it has heard. They restate the paper and not the handlers, so that a handler
//! that departs from its rule is noticed at the step, whether or not any run within the bounds pays for it; and so is one
//! that costs only availability. Roles and timers stand in [`super::roles`].
//!
//! A handler that is torn by a crash has sent only some of its messages, so what must be sent is asked only of whole ones.
//! And a step without any effect is no step where time does not pass: that something must happen is seen in timed scenarios.

use stateright::actor::Id;

use super::history::has_values;
use super::log::{Command, Entry, Position};
use super::roles;
use super::{Leadership, Log, Members, Membership, Message, Persistent, Raft, Role, Server, Timer};
use crate::election::{Check, Event, Invariant, NodeSet, NodeStep, Term, node_name};

pub type Step<'a> = NodeStep<'a, Raft>;
pub type Verdict = Result<(), String>;

pub fn invariants() -> Vec<Invariant<Raft>> {
    let rule = |name, meaning, check| Invariant::new(name, meaning, Check::Rule(check));
    vec![
        rule(
            "persistent-state",
            "term, vote and log are on disk when a handler ends; terms never fall, and a vote lasts as long as its term \
             (figure 2, State)",
            persistent_state,
        ),
        rule(
            "roles-and-terms",
            "a term is that of a message or, for an own election with an own vote, the next; a higher one is adopted, and a \
             message of a lower one changes nothing; only leaders take requests and send heartbeats, and only the others \
             have election timeouts (5.1, 5.2; figure 2, All Servers)",
            roles_and_terms,
        ),
        rule(
            "timers-of-the-role",
            "a leader's timers are heartbeats and, with CheckQuorum, its quorum; all others have an election timeout and \
             followers perhaps a lease; only a start, a timer's end, a new role, a leader's message and a granted vote set \
             one anew (figure 2, Followers, Candidates, Leaders; thesis 6.2, 9.6)",
            roles::timers,
        ),
        rule(
            "votes",
            "a vote is on disk when it is sent, in answer to a request of its term, and goes to one candidate in a term, to the \
             first with a log at least as up-to-date (figure 2, RequestVote RPC; 5.4.1)",
            one_vote,
        ),
        rule(
            "elected-by-quorum",
            "who comes to lead was sent votes of its term by a majority of its configuration, and of both while it is \
             joint; with CheckQuorum it leads on only if as many answer (5.2, 6; thesis 6.2)",
            elected_by_quorum,
        ),
        rule(
            "says-what-is-so",
            "requests are a candidate's or a leader's, of its own term and from its own log, and on disk, and go to all other \
             members, those to append from nextIndex on, which is what followers have answered, as is matchIndex; a refusal carries \
             a term that the refused has not reached (figure 2; 5.3)",
            says_what_is_so,
        ),
        rule(
            "append-entries",
            "a follower's log changes only as the consistency check and a conflict demand, and it acknowledges what was \
             verified and is on disk (figure 2, AppendEntries RPC, 1 to 4)",
            append_entries,
        )
        .with_setting("values >= 1", has_values)
        .needing(&["follower-appends"]),
        rule(
            "commit-index",
            "a leader commits all that a majority has of its own term, a follower what its leader has committed; within the \
             log, and never less (figure 2, Leaders; AppendEntries RPC, 5; 5.4.2)",
            commit_index,
        )
        .with_setting("values >= 1", has_values)
        .needing(&["leader-commits"]),
        rule(
            "member-changes",
            "members change when the change before is committed: by one server and after an own entry, or through a joint \
             configuration; a leader that has committed its removal leads no more (6; thesis 4.1)",
            member_changes,
        )
        .with_setting("membership other than fixed", |servers| servers.iter().any(changes_members))
        .needing(&["members-change"]),
        rule(
            "pre-votes",
            "to ask for a pre-vote or to grant it changes no persistent state, and an election follows a quorum of grants for \
             its term (thesis 9.6)",
            pre_votes,
        )
        .with_setting("pre_vote", |servers| servers.iter().any(|server| server.pre_vote))
        .needing(&["pre-vote-wins"]),
    ]
}

fn changes_members(server: &Raft) -> bool {
    server.membership != Membership::Fixed
}

/// The server as the handler left it, or would have if it had not crashed.
pub fn end<'a>(step: &Step<'a>) -> Option<&'a Server> {
    step.after.or(step.cut_short)
}

pub fn heard<'a>(step: &Step<'a>) -> Option<(Id, &'a Message)> {
    match step.event {
        Event::Deliver { src, msg } => Some((src, msg)),
        _ => None,
    }
}

pub fn leading(server: &Server) -> Option<&Leadership> {
    match &server.role {
        Role::Leader(leading) => Some(leading),
        _ => None,
    }
}

/// A majority of the configuration, and of both while it is joint.
pub fn are_quorum(members: Members, servers: NodeSet) -> bool {
    members.groups().all(|group| group.iter().filter(|&id| servers.contains(id)).count() * 2 > group.len())
}

/// The server's configuration after so many entries of its log.
fn configuration(raft: &Raft, log: &Log, entries: usize) -> Members {
    let known: Log = log.prefix(entries).iter().copied().collect();
    known.members().map_or(raft.initial, |(_, last)| last)
}

/// The server's configuration with all of this log.
pub fn own_configuration(raft: &Raft, log: &Log) -> Members {
    configuration(raft, log, log.last_index())
}

pub fn wrong(step: &Step<'_>, what: &str) -> Verdict {
    Err(format!("{} {what}", node_name(step.id)))
}

fn persistent_state(step: &Step<'_>) -> Verdict {
    if let Some(after) = step.after {
        let saved = step.storage.cloned().unwrap_or_default();
        if after.persistent != saved {
            return wrong(step, &format!("goes on with {:?}, and has {saved:?} on disk", after.persistent));
        }
    }
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let (old, new) = (&before.persistent, &end.persistent);
    if new.term < old.term {
        return wrong(step, &format!("goes back from term {} to term {}", old.term, new.term));
    }
    if new.term == old.term && old.voted_for.is_some() && new.voted_for != old.voted_for {
        let vote = old.voted_for.map(node_name).unwrap_or_default();
        return wrong(step, &format!("changes its vote of term {}, which went to {vote}", old.term));
    }
    Ok(())
}

fn roles_and_terms(step: &Step<'_>) -> Verdict {
    roles::transition(step)?;
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let (own, now) = (before.persistent.term, end.persistent.term);
    let is_for_leaders = match &step.event {
        Event::Timeout { timer: Timer::Election | Timer::Lease } => Some(false),
        Event::Timeout { timer: Timer::Heartbeat | Timer::Quorum } | Event::Choose { .. } => Some(true),
        _ => None,
    };
    if is_for_leaders.is_some_and(|leaders| leaders != leading(before).is_some()) {
        return wrong(step, &format!("as {:?} has a timer or takes a request of another role", before.role));
    }
    let told = heard(step).and_then(|(src, msg)| Some((src, msg, msg.term()?)));
    if let Some((src, msg, term)) = told {
        let is_refusal = |(dst, sent): &(Id, Message)| *dst == src && matches!(sent, Message::Refused { .. });
        if term < own && (end != before || !step.sends.iter().all(is_refusal)) {
            return wrong(step, &format!("of term {own} acts on {msg:?}, which is of an earlier term"));
        }
        let is_request = matches!(msg, Message::RequestVote { .. } | Message::AppendEntries { .. });
        if is_request && term > own && (now != term || !matches!(end.role, Role::Follower { .. })) {
            return wrong(step, &format!("does not adopt the term of {msg:?} as a follower"));
        }
        if term == now && now > own && end.persistent.voted_for.is_some_and(|candidate| candidate != src) {
            return wrong(step, &format!("has voted in term {now} when it hears of that term by {msg:?}"));
        }
    }
    if leading(before).or(leading(end)).is_some() && !told.is_some_and(|(_, msg, _)| is_append(msg)) {
        let new = before.persistent.log.last_index() + 1..=end.persistent.log.last_index();
        if let Some(other) =
            new.filter_map(|index| end.persistent.log.get(index)).find(|entry| entry.term != now)
        {
            return wrong(step, &format!("appends {other:?} as leader of term {now}"));
        }
    }
    if now <= own || told.is_some_and(|(_, _, term)| term == now) {
        return Ok(());
    }
    let is_own = matches!(end.role, Role::Candidate { .. } | Role::Leader(_))
        && end.persistent.voted_for == Some(step.id);
    if now != Term(own.0 + 1) || !is_own {
        return wrong(
            step,
            &format!("goes from term {own} to term {now}, and not for an election of its own"),
        );
    }
    Ok(())
}

pub fn is_append(msg: &Message) -> bool {
    matches!(msg, Message::AppendEntries { .. })
}

/// Whether a candidate's log is at least as up-to-date as a server's: the later last term wins, then the longer log.
fn is_up_to_date(last: Position, server: &Server) -> bool {
    let own = server.persistent.log.last();
    last.term > own.term || last.term == own.term && last.index >= own.index
}

/// The vote of the term in which the server was, if that is still the term.
fn vote_left(before: &Server, term: Term) -> Option<Id> {
    before.persistent.voted_for.filter(|_| before.persistent.term == term)
}

/// The answer to a request for a vote, and the vote on disk.
fn answer_to_candidate(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    let (own, term) = (before.persistent.term, after.persistent.term);
    let asked = match heard(step) {
        Some((src, &Message::RequestVote { term, last })) => Some((src, term, last)),
        _ => None,
    };
    let free = |src| vote_left(before, term).is_none_or(|candidate| candidate == src);
    let (vote, answer) = match asked {
        Some((src, of, _)) if of < own => {
            (before.persistent.voted_for, Some((src, Message::Refused { term: own })))
        }
        Some((src, of, last)) if free(src) && is_up_to_date(last, before) => {
            (Some(src), Some((src, Message::Vote { term: of })))
        }
        _ if matches!(after.role, Role::Candidate { .. } | Role::Leader(_)) && term > own => {
            (Some(step.id), None)
        }
        _ => (vote_left(before, term), None),
    };
    if after.persistent.voted_for != vote {
        let found = after.persistent.voted_for;
        return wrong(step, &format!("has voted for {found:?} in term {term}, where {vote:?} has its vote"));
    }
    if asked.is_some() && !step.sends.iter().eq(&answer) {
        return wrong(step, &format!("answers a candidate {:?}, and should {answer:?}", step.sends));
    }
    Ok(())
}

fn one_vote(step: &Step<'_>) -> Verdict {
    answer_to_candidate(step)?;
    for (dst, msg) in step.sends {
        let Message::Vote { term } = *msg else { continue };
        let to = node_name(*dst);
        let (Some((src, Message::RequestVote { term: asked, last })), Some(before)) =
            (heard(step), step.before)
        else {
            return wrong(step, &format!("votes for {to} unasked"));
        };
        if src != *dst || *asked != term {
            return wrong(step, &format!("votes for {to} in term {term}, and was not asked for that"));
        }
        if !step.storage.is_some_and(|disk| disk.term == term && disk.voted_for == Some(*dst)) {
            return wrong(step, &format!("votes for {to} in term {term}, and has not saved that"));
        }
        let disk = &before.persistent;
        if disk.term > term || disk.term == term && disk.voted_for.is_some_and(|candidate| candidate != *dst)
        {
            return wrong(step, &format!("votes for {to} in term {term}, in which it has no vote to give"));
        }
        let own = disk.log.last();
        if (last.term, last.index) < (own.term, own.index) {
            return wrong(
                step,
                &format!("votes for {to}, whose log ends at {last:?}, and its own at {own:?}"),
            );
        }
    }
    Ok(())
}

/// Who has granted a candidate, or a pre-candidate, what it needs for this term: itself, those that it had counted, and
/// who grants it now.
fn granted(step: &Step<'_>, counted: Option<&Vec<Id>>, grant: &Message) -> NodeSet {
    let now = heard(step).filter(|(_, msg)| *msg == grant).map(|(src, _)| src);
    counted.into_iter().flatten().copied().chain(now).chain([step.id]).collect()
}

fn elected_by_quorum(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let term = end.persistent.term;
    let config = own_configuration(step.actor, &before.persistent.log);
    let counted = match &before.role {
        Role::Candidate { votes } if before.persistent.term == term => Some(votes),
        _ => None,
    };
    let voters = granted(step, counted, &Message::Vote { term });
    if let Role::Candidate { votes } = &end.role
        && let Some(stranger) = votes.iter().find(|&&voter| !voters.contains(voter))
    {
        return wrong(
            step,
            &format!("counts a vote of {} in term {term}, and got none", node_name(*stranger)),
        );
    }
    let Role::Leader(now) = &end.role else {
        return Ok(());
    };
    let Some(then) = leading(before).filter(|_| before.persistent.term == term) else {
        if !are_quorum(config, voters) {
            return wrong(step, &format!("leads term {term} with the votes of {voters:?}"));
        }
        if !now.heard.is_empty() {
            return wrong(step, &format!("begins to lead with answers of {:?}", now.heard));
        }
        return Ok(());
    };
    let answers = answered(step, then, term);
    let is_checked = matches!(step.event, Event::Timeout { timer: Timer::Quorum });
    let present = answers.iter().chain([step.id]).collect();
    if is_checked && !are_quorum(config, present) {
        return wrong(step, &format!("leads on in term {term} with answers of {answers:?} only"));
    }
    let is_kept = step.actor.check_quorum && !is_checked;
    let expected = if is_kept { answers } else { NodeSet::default() };
    if now.heard != expected {
        return wrong(step, &format!("counts answers of {:?}, and got those of {expected:?}", now.heard));
    }
    Ok(())
}

/// The servers that have answered a leader since the quorum was last checked, with the one that answers now.
fn answered(step: &Step<'_>, then: &Leadership, term: Term) -> NodeSet {
    let is_answer = |msg: &Message| match *msg {
        Message::Appended { term: of, .. } | Message::Mismatch { term: of, .. } => of == term,
        _ => false,
    };
    let now = heard(step).filter(|(_, msg)| is_answer(msg)).map(|(src, _)| src);
    then.heard.iter().chain(now).collect()
}

/// To whom requests of each kind go out: for votes, for pre-votes, to append.
fn requests(step: &Step<'_>, before: &Server, after: &Server) -> [NodeSet; 3] {
    let (own, term) = (before.persistent.term, after.persistent.term);
    let others = |server: &Server| -> NodeSet {
        let all = own_configuration(step.actor, &server.persistent.log).all();
        all.iter().filter(|&id| id != step.id).collect()
    };
    let when = |is_due, to| if is_due { to } else { NodeSet::default() };
    let stands = term > own && matches!(after.role, Role::Candidate { .. } | Role::Leader(_));
    let asks = matches!(after.role, Role::PreCandidate { .. })
        && matches!(step.event, Event::Timeout { timer: Timer::Election });
    let then = leading(before).filter(|_| own == term);
    // Upon election, as heartbeats repeat, and when there is a new entry.
    let to_all = match then {
        None => leading(after).is_some(),
        Some(_) => {
            matches!(step.event, Event::Timeout { timer: Timer::Heartbeat })
                || after.persistent.log.last_index() > before.persistent.log.last_index()
        }
    };
    let appends = match (then, leading(after), heard(step)) {
        _ if to_all => others(after),
        // Upon news of a follower's log, if it lacks anything.
        (Some(then), Some(now), Some((src, _))) => {
            let (then, now) = (then.progress[usize::from(src)], now.progress[usize::from(src)]);
            let is_behind = now.matched > then.matched && now.next <= after.persistent.log.last_index();
            when(is_behind || now.next < then.next, [src].into_iter().collect())
        }
        _ => NodeSet::default(),
    };
    [when(stands, others(before)), when(asks, others(before)), appends]
}

/// Requests go out to whom they should, once to each, and those to append begin at nextIndex.
fn requests_go_out(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    let is_request: [fn(&Message) -> bool; 3] = [
        |msg| matches!(msg, Message::RequestVote { .. }),
        |msg| matches!(msg, Message::PreVote { .. }),
        is_append,
    ];
    for (is_it, expected) in is_request.into_iter().zip(requests(step, before, after)) {
        let mut to: Vec<Id> = step.sends.iter().filter(|(_, msg)| is_it(msg)).map(|(dst, _)| *dst).collect();
        to.sort_unstable();
        if !expected.iter().eq(to.iter().copied()) {
            return wrong(step, &format!("sends {:?}, and should send requests to {expected:?}", step.sends));
        }
    }
    let commit = if matches!(step.event, Event::Choose { .. }) { before.commit } else { after.commit };
    let log = &after.persistent.log;
    let Some(now) = leading(after) else { return Ok(()) };
    for (dst, msg) in step.sends {
        let Message::AppendEntries { prev, entry, commit: told, .. } = msg else { continue };
        let next = now.progress[usize::from(*dst)].next;
        if prev.index + 1 != next || *entry != log.get(next) || *told != commit {
            return wrong(step, &format!("sends {} {msg:?}, where {next} is next", node_name(*dst)));
        }
    }
    Ok(())
}

fn says_what_is_so(step: &Step<'_>) -> Verdict {
    match_index(step)?;
    requests_go_out(step)?;
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let nothing = Persistent::default();
    let (own, log, saved) = (end.persistent.term, &end.persistent.log, step.storage.unwrap_or(&nothing));
    let leads = |server: &Server, of: Term| leading(server).is_some() && server.persistent.term == of;
    for (_, msg) in step.sends {
        let is_so = match msg {
            Message::RequestVote { term, last } => {
                let stands = matches!(end.role, Role::Candidate { .. } | Role::Leader(_));
                let has_voted = saved.term == own && saved.voted_for == Some(step.id);
                stands && *term == own && has_voted && *last == before.persistent.log.last()
            }
            Message::PreVote { term, last } => {
                *term == Term(before.persistent.term.0 + 1) && *last == before.persistent.log.last()
            }
            Message::AppendEntries { term, prev, entry, commit } => {
                let place = prev.index + 1;
                let is_there = match entry {
                    Some(entry) => log.get(place) == Some(*entry) && saved.log.get(place) == Some(*entry),
                    None => place > before.persistent.log.last_index(),
                };
                (leads(end, *term) || leads(before, *term))
                    && *term == own
                    && log.term_at(prev.index) == Some(prev.term)
                    && is_there
                    && *commit <= end.commit
            }
            Message::Refused { term } => {
                *term == own && heard(step).is_some_and(|(_, msg)| is_below(msg, own))
            }
            Message::Vote { term } | Message::Appended { term, .. } | Message::Mismatch { term, .. } => {
                *term == own
            }
            Message::PreVoteGranted { .. } => true,
        };
        if !is_so {
            return wrong(step, &format!("sends {msg:?}, which is not so"));
        }
    }
    Ok(())
}

/// Whether a request is of a term that is over or, if it asks for a pre-vote, that was reached.
fn is_below(msg: &Message, own: Term) -> bool {
    match *msg {
        Message::PreVote { term, .. } => term <= own,
        _ => msg.term().is_some_and(|term| term < own),
    }
}

/// A request to append that the server's term allows, and what the server was.
fn request<'a>(step: &Step<'a>) -> Option<(Id, Append, &'a Server)> {
    let (Some((src, msg)), Some(before)) = (heard(step), step.before) else { return None };
    match *msg {
        Message::AppendEntries { term, prev, entry, commit } if term >= before.persistent.term => {
            Some((src, Append { prev, entry, commit }, before))
        }
        _ => None,
    }
}

struct Append {
    prev: Position,
    entry: Option<Entry>,
    commit: usize,
}

impl Append {
    /// The consistency check: whether the log has the previous entry.
    fn fits(&self, log: &Log) -> bool {
        log.term_at(self.prev.index) == Some(self.prev.term)
    }

    /// The index up to which the request tells what is in the leader's log.
    fn told(&self) -> usize {
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
        self.fits(log) && self.entry.is_none_or(|entry| log.term_at(self.told()) == Some(entry.term))
    }
}

/// The answer to a request to append. That nothing agrees is no news, and then only CheckQuorum asks for an answer.
fn answer_to_leader(step: &Step<'_>) -> Verdict {
    let (Some((src, msg)), Some(before), Some(after)) = (heard(step), step.before, step.after) else {
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
        return wrong(step, &format!("answers its leader {:?}, and should {answer:?}", step.sends));
    }
    Ok(())
}

fn append_entries(step: &Step<'_>) -> Verdict {
    answer_to_leader(step)?;
    let request = request(step);
    if let (Some((_, append, before)), Some(end)) = (&request, end(step)) {
        let expected = append.expected(&before.persistent.log);
        if end.persistent.log != expected {
            let found = &end.persistent.log;
            return wrong(step, &format!("has {found:?} after a request that makes {expected:?} of its log"));
        }
    }
    for (dst, msg) in step.sends {
        let asked = request.as_ref().filter(|(src, ..)| src == dst);
        let is_right = match (msg, asked) {
            (Message::Appended { matched, .. }, Some((_, append, before))) => {
                let is_saved = step.storage.is_some_and(|disk| append.is_in(&disk.log)) || append.told() == 0;
                append.fits(&before.persistent.log) && *matched == append.told() && is_saved
            }
            (Message::Mismatch { prev, .. }, Some((_, append, before))) => {
                !append.fits(&before.persistent.log) && *prev == append.prev.index
            }
            (Message::Appended { .. } | Message::Mismatch { .. }, None) => false,
            _ => true,
        };
        if !is_right {
            return wrong(step, &format!("answers {msg:?}, which is not what was asked, or not on disk"));
        }
    }
    Ok(())
}

fn commit_index(step: &Step<'_>) -> Verdict {
    let Some(end) = end(step) else { return Ok(()) };
    let (log, term) = (&end.persistent.log, end.persistent.term);
    if end.commit > log.last_index() {
        return wrong(step, &format!("has committed up to {}, beyond its log {log:?}", end.commit));
    }
    let Some(before) = step.before else { return Ok(()) };
    let commit = before.commit;
    if end.commit < commit {
        return wrong(step, &format!("takes its commit index back from {commit} to {}", end.commit));
    }
    if let Some((_, append, _)) =
        request(step).filter(|_| leading(before).is_none() || before.persistent.term < term)
    {
        let (least, most) = match append.fits(&before.persistent.log) {
            true => (append.commit.min(append.told()).max(commit), append.commit.max(commit)),
            false => (commit, commit),
        };
        if !(least..=most).contains(&end.commit) {
            return wrong(
                step,
                &format!("commits up to {}, where its leader has told it {least} to {most}", end.commit),
            );
        }
        return Ok(());
    }
    // Who is known to have an entry: the leader itself, and those whose acknowledgements it has.
    let acknowledged = match heard(step) {
        Some((src, &Message::Appended { term: of, matched })) if of == term => Some((src, matched)),
        _ => None,
    };
    let led = leading(before).filter(|_| before.persistent.term == term);
    let has = |index: usize| -> NodeSet {
        let known = led.into_iter().flat_map(|led| led.progress.iter().enumerate());
        let known = known.filter(|(_, progress)| progress.matched >= index).map(|(i, _)| Id::from(i));
        let now = acknowledged.filter(|(_, matched)| *matched >= index && led.is_some()).map(|(src, _)| src);
        known.chain(now).chain([step.id]).collect()
    };
    let own = |index: usize| log.term_at(index) == Some(term);
    if end.commit > commit {
        let lengths = before.persistent.log.last_index().max(end.commit)..=log.last_index();
        let leads = led.is_some() || leading(end).is_some();
        let mut configurations = lengths.map(|entries| configuration(step.actor, log, entries));
        if !leads || !own(end.commit) || !configurations.any(|config| are_quorum(config, has(end.commit))) {
            let holders = has(end.commit);
            return wrong(
                step,
                &format!(
                    "commits {log:?} up to {} in term {term}; {holders:?} are known to have it",
                    end.commit
                ),
            );
        }
    }
    let Some(now) = leading(end) else { return Ok(()) };
    let holds =
        |index: usize, server: Id| server == step.id || now.progress[usize::from(server)].matched >= index;
    let holders =
        |index: usize| NodeSet::first(step.actor.nodes).iter().filter(|id| holds(index, *id)).collect();
    let config = own_configuration(step.actor, log);
    let missed =
        (end.commit + 1..=log.last_index()).find(|&index| own(index) && are_quorum(config, holders(index)));
    if let Some(index) = missed {
        return wrong(step, &format!("does not commit {log:?} up to {index}, which a majority has"));
    }
    Ok(())
}

fn match_index(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let Some(now) = leading(end) else { return Ok(()) };
    let (term, last) = (end.persistent.term, end.persistent.log.last_index());
    let then = leading(before).filter(|_| before.persistent.term == term);
    for (i, progress) in now.progress.iter().enumerate().filter(|(i, _)| *i != usize::from(step.id)) {
        let peer = node_name(Id::from(i));
        if progress.matched >= progress.next || progress.next > last + 1 {
            return wrong(step, &format!("knows {progress:?} of {peer}, and its own log ends at {last}"));
        }
        let Some(old) = then.map(|then| then.progress[i]) else {
            if progress.matched > 0 || progress.next != before.persistent.log.last_index() + 1 {
                return wrong(step, &format!("begins to lead with {progress:?} of {peer}"));
            }
            continue;
        };
        let answer = heard(step).filter(|(src, _)| usize::from(*src) == i).map(|(_, msg)| msg);
        let (matched, next) = match answer {
            Some(&Message::Appended { term: of, matched }) if of == term => {
                (old.matched.max(matched), old.next.max(matched + 1))
            }
            Some(&Message::Mismatch { term: of, prev })
                if of == term && old.next == prev + 1 && prev > old.matched =>
            {
                (old.matched, prev)
            }
            _ => (old.matched, old.next),
        };
        if (progress.matched, progress.next) != (matched, next) {
            return wrong(
                step,
                &format!("has {progress:?} of {peer}, where {matched} is known to match and {next} is next"),
            );
        }
    }
    Ok(())
}

fn member_changes(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    let (old, log) = (&before.persistent.log, &end.persistent.log);
    if leading(before).is_some() && leading(end).is_some() && end.commit > before.commit {
        let is_out = |(index, config): (usize, Members)| index <= end.commit && !config.contains(step.id);
        if log.members().is_some_and(is_out) {
            return wrong(step, "leads on, and has committed that it is no member");
        }
    }
    if heard(step).is_some_and(|(_, msg)| is_append(msg)) || log.last_index() <= old.last_index() {
        return Ok(());
    }
    let (mut index, mut config) = old.members().unwrap_or((0, step.actor.initial));
    for place in old.last_index() + 1..=log.last_index() {
        let Some(Command::Members(next)) = log.get(place).map(|entry| entry.command) else { continue };
        let is_client =
            matches!(step.event, Event::Choose { value: Command::Members(asked), .. } if *asked == next);
        let committed = if is_client { before.commit } else { end.commit };
        let differ = config.all().iter().chain(next.all().iter());
        let differ = differ.filter(|&id| config.contains(id) != next.contains(id)).count();
        let has_own = old.term_at(before.commit) == Some(before.persistent.term);
        let joins = |new: Members| next.groups().eq(new.groups().chain(config.groups()));
        let is_right = match step.actor.membership {
            Membership::Fixed => false,
            Membership::Single => is_client && differ == 1 && has_own,
            Membership::Joint if is_client => {
                config.then().is_none() && next.then().is_some_and(|new| new != config && joins(new))
            }
            Membership::Joint => config.then() == Some(next),
        };
        let is_empty = next.groups().any(NodeSet::is_empty);
        if index > committed || !is_right || is_empty {
            return wrong(
                step,
                &format!("changes {config:?} of index {index} to {next:?}, with {committed} committed"),
            );
        }
        (index, config) = (place, next);
    }
    Ok(())
}

/// Yes if a vote in that term would be granted and there is no leader; otherwise no more than that the term was reached.
fn answer_to_pre_candidate(server: &Server, src: Id, term: Term, last: Position) -> Option<Message> {
    let own = server.persistent.term;
    let has_leader = matches!(server.role, Role::Leader(_) | Role::Follower { lease: true, .. });
    let is_free = term > own || term == own && server.persistent.voted_for.is_none_or(|to| to == src);
    if is_free && !has_leader && is_up_to_date(last, server) {
        return Some(Message::PreVoteGranted { term });
    }
    (term <= own).then_some(Message::Refused { term: own })
}

fn pre_votes(step: &Step<'_>) -> Verdict {
    let (Some(before), Some(end)) = (step.before, end(step)) else { return Ok(()) };
    if !step.actor.pre_vote {
        return Ok(());
    }
    let term = Term(before.persistent.term.0 + 1);
    let asks = step.sends.iter().any(|(_, msg)| matches!(msg, Message::PreVote { .. }));
    let counted = match &before.role {
        Role::PreCandidate { votes } => Some(votes),
        _ => None,
    };
    let grants = granted(step, counted, &Message::PreVoteGranted { term });
    let stands = matches!(end.role, Role::Candidate { .. } | Role::Leader(_)) && end.persistent.term == term;
    if stands {
        let config = own_configuration(step.actor, &before.persistent.log);
        if !are_quorum(config, grants) {
            return wrong(step, &format!("stands in term {term} with pre-votes of {grants:?}"));
        }
    } else if (asks || matches!(heard(step), Some((_, Message::PreVote { .. }))))
        && end.persistent != before.persistent
    {
        return wrong(
            step,
            &format!("changes {:?} to {:?} for a pre-vote", before.persistent, end.persistent),
        );
    }
    if let Role::PreCandidate { votes } = &end.role
        && let Some(stranger) = votes.iter().find(|&&voter| !grants.contains(voter))
    {
        return wrong(step, &format!("counts a pre-vote of {}, and got none", node_name(*stranger)));
    }
    if let (Some((src, &Message::PreVote { term: asked, last })), Some(_)) = (heard(step), step.after) {
        let answer = answer_to_pre_candidate(before, src, asked, last).map(|answer| (src, answer));
        if !step.sends.iter().eq(&answer) {
            return wrong(step, &format!("answers a pre-candidate {:?}, and should {answer:?}", step.sends));
        }
    }
    for (dst, msg) in step.sends {
        let Message::PreVoteGranted { term: granted } = *msg else { continue };
        let asked = matches!(heard(step), Some((src, Message::PreVote { term, .. })) if src == *dst && *term == granted);
        let free = before.persistent.voted_for.is_none_or(|candidate| candidate == *dst);
        if !asked || granted < before.persistent.term || granted == before.persistent.term && !free {
            return wrong(step, &format!("grants {} a pre-vote for term {granted}", node_name(*dst)));
        }
    }
    Ok(())
}
