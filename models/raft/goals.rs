//! What a run of Raft can reach: the transitions of figure 4, the cases of figure 2's rules, and what the paper's
//! arguments speak of. A scenario lists those that its note is about.
//!
//! A step without any effect is no step where time does not pass, so that what is only denied or ignored can be a goal of
//! timed scenarios alone.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::history::Past;
use super::log::{Command, Entry};
use super::{Leadership, Message, Raft, Role, Server, Timer};
use crate::election::{Event, Goal, NodeSet, NodeStep, Reached, Reign, Term};

type Step<'a> = NodeStep<'a, Raft>;

pub fn goals() -> Vec<Goal<Raft>> {
    let step = |name, meaning, reached| Goal { name, meaning, reached: Reached::Step(reached) };
    let past = |name, meaning, reached| Goal { name, meaning, reached: Reached::Past(reached) };
    vec![
        step("bare-majority", "with its own vote, a candidate has just enough (5.2)", bare_majority),
        step("leader-announces", "a new leader sends heartbeats at once (5.2)", announces),
        step(
            "stood-before",
            "a server that has stood in its term, and leads no more, times out (5.2)",
            stood_before,
        ),
        step(
            "votes-again",
            "a server is asked twice by the candidate of its vote, and votes twice for it",
            votes_again,
        ),
        step("asks-again", "a pre-candidate times out and asks again (thesis 9.6)", asks_again),
        past("second-leader", "a second term is led (5.2)", |led, _| led.len() > 1),
        past("leads-again", "who has led a term leads another one (5.2)", leads_again),
        step("stands-again", "a candidate times out and stands in the next term (5.2)", stands_again),
        step(
            "candidate-follows",
            "a candidate hears from the leader of its term and follows (5.2)",
            candidate_follows,
        ),
        step("leader-deposed", "a leader meets a request of a later term and follows (5.1)", leader_deposed),
        step(
            "refusal-deposes",
            "a leader is told of a later term by a refusal, and follows (5.1)",
            refusal_deposes,
        ),
        step(
            "refusal-ends-candidacy",
            "a candidate is told of a later term by a refusal (5.1)",
            refusal_ends_candidacy,
        ),
        step(
            "old-candidate-refused",
            "a request for a vote in an earlier term is refused (5.1)",
            old_candidate_refused,
        ),
        step(
            "old-leader-refused",
            "entries or a heartbeat of an earlier term are refused (5.1)",
            old_leader_refused,
        ),
        step(
            "vote-denied",
            "a server has voted for another in the term, and votes no more (5.2)",
            vote_denied,
        ),
        step(
            "vote-denied-to-old-log",
            "a candidate's log is behind the server's (5.4.1)",
            vote_denied_to_old_log,
        ),
        step("later-term-wins", "a later last term wins against a longer log (5.4.1)", shorter_log_wins),
        step(
            "restart-with-vote",
            "a server restarts in a term in which it has voted (figure 2, State)",
            restart_with_vote,
        ),
        step(
            "restart-with-entries",
            "a server restarts with entries in its log (figure 2, State)",
            restart_with_entries,
        ),
        step(
            "torn-after-saving",
            "a server crashes when it has saved and not yet answered",
            torn_after_saving,
        ),
        step("pre-vote-wins", "a quorum of pre-votes lets a server stand (thesis 9.6)", pre_vote_wins),
        step(
            "pre-vote-of-voter",
            "a server that has voted in its term grants a pre-vote for the next",
            pre_vote_of_voter,
        ),
        step(
            "pre-vote-denied-by-lease",
            "a pre-vote is denied since there is a leader (thesis 9.6)",
            denied_by_lease,
        ),
        step(
            "pre-vote-denied-to-old-log",
            "a pre-vote is denied to a log that is behind (thesis 9.6)",
            denied_to_old_log,
        ),
        step("pre-vote-denied-by-leader", "a leader denies a pre-vote (thesis 9.6)", denied_by_leader),
        step(
            "pre-vote-refused",
            "a pre-vote for a term that was reached is refused with that term",
            pre_vote_refused,
        ),
        step(
            "pre-candidate-follows",
            "a pre-candidate hears from the leader of its term",
            pre_candidate_follows,
        ),
        step(
            "lease-ends",
            "no leader was heard of for the minimum election timeout (thesis 9.6)",
            lease_ends,
        ),
        step(
            "leader-without-quorum",
            "a leader steps down since no quorum answers (thesis 6.2)",
            without_quorum,
        ),
        step(
            "leader-with-quorum",
            "a leader and those who answer are just a quorum, and it leads on (thesis 6.2)",
            with_quorum,
        ),
        step("request-is-sent", "a leader sends at once what a client asks (5.3)", request_is_sent),
        step("second-request", "a leader takes a request when it has taken one before (5.3)", second_request),
        step("follower-appends", "a follower appends an entry (5.3)", follower_appends),
        step("leader-commits", "a leader commits an entry that a majority has (5.3)", leader_commits),
        step("follower-commits", "a follower learns that an entry is committed (5.3)", follower_commits),
        past("second-commit", "two entries are committed", |_, past| past.committed() > 1),
        past("leader-after-a-commit", "a later term than that of a commitment is led (5.4)", |_, past| {
            past.has_leader_after_a_commit()
        }),
        step(
            "next-entry-follows",
            "an acknowledgement is answered with the next entry (5.3)",
            next_entry_follows,
        ),
        step("heartbeat-brings-entry", "a heartbeat brings an entry again (5.3)", heartbeat_brings_entry),
        step(
            "entry-is-there",
            "an entry comes again, or late, and changes nothing (figure 2)",
            entry_is_there,
        ),
        step("check-fails", "a follower does not have the previous entry (5.3)", check_fails),
        step("next-index-falls", "a failed check moves nextIndex back (5.3)", next_index_falls),
        step("conflict-replaced", "a conflicting entry is replaced (5.3)", |step| conflict(step) > 0),
        step("conflict-removes-two", "a conflicting entry goes, with one that follows it (5.3)", |step| {
            conflict(step) > 1
        }),
        step(
            "commit-up-to-verified",
            "a follower commits less than its leader has, for it has less",
            up_to_verified,
        ),
        step(
            "old-entry-waits",
            "a majority has an entry of an earlier term, which does not commit it (5.4.2)",
            old_entry_waits,
        ),
        step(
            "old-entry-committed",
            "an entry of an earlier term is committed with a later one (5.4.2)",
            old_entry_committed,
        ),
        step("members-change", "a leader appends another configuration (6; thesis 4.1)", |step| {
            !new_members(step).is_empty()
        }),
        step("second-change", "a client changes the members when they were changed before", second_change),
        step("first-server-leaves", "n1, the leader, is asked to leave, and all others stay (6)", |step| {
            asked_of_first(step)
                .is_some_and(|new| !new.contains(step.id) && new.len() + 1 == step.actor.nodes)
        }),
        step("first-server-stays-alone", "n1, the leader, is asked to go on alone (6)", |step| {
            asked_of_first(step).is_some_and(|new| new.contains(step.id) && new.len() == 1)
        }),
        step("change-committed", "a change of members is committed (6; thesis 4.1)", change_committed),
        step("joint-left", "C(new) follows the committed C(old,new) (6)", joint_left),
        step("joint-inherited", "a new leader ends the change that another began (6)", joint_inherited),
        step(
            "removed-leader-steps-down",
            "a leader commits its own removal and steps down (6)",
            removed_leader,
        ),
        step(
            "newcomer-appends",
            "a server that was no member at first appends an entry (6)",
            newcomer_appends,
        ),
        step("newcomer-votes", "a server that was no member at first votes (6)", newcomer_votes),
    ]
}

fn leads_again(led: &BTreeMap<Term, Reign>, _: &Past) -> bool {
    let terms_of = |reign: &Reign| led.values().filter(|other| other.node == reign.node).count();
    led.values().any(|reign| terms_of(reign) > 1)
}

/// The server before and after a step that did not crash it.
fn both<'a>(step: &Step<'a>) -> Option<(&'a Server, &'a Server)> {
    Some((step.before?, step.after?))
}

fn heard<'a>(step: &Step<'a>) -> Option<(Id, &'a Message)> {
    match step.event {
        Event::Deliver { src, msg } => Some((src, msg)),
        _ => None,
    }
}

/// What was heard, and the server before and after.
fn heard_by<'a>(step: &Step<'a>) -> Option<(&'a Message, &'a Server, &'a Server)> {
    let (before, after) = both(step)?;
    Some((heard(step)?.1, before, after))
}

fn fires(step: &Step<'_>, timer: Timer) -> bool {
    matches!(step.event, Event::Timeout { timer: fired } if *fired == timer)
}

fn sends(step: &Step<'_>, is_it: impl Fn(&Message) -> bool) -> bool {
    step.sends.iter().any(|(_, msg)| is_it(msg))
}

fn leads(server: &Server) -> bool {
    matches!(server.role, Role::Leader(_))
}

fn leading(server: &Server) -> Option<&Leadership> {
    match &server.role {
        Role::Leader(leading) => Some(leading),
        _ => None,
    }
}

fn stands(server: &Server) -> bool {
    matches!(server.role, Role::Candidate { .. })
}

fn asks(server: &Server) -> bool {
    matches!(server.role, Role::PreCandidate { .. })
}

fn follows(server: &Server) -> bool {
    matches!(server.role, Role::Follower { leader: Some(_), .. })
}

fn stands_again(step: &Step<'_>) -> bool {
    let again = |(before, after): (&Server, &Server)| {
        stands(before) && after.persistent.term > before.persistent.term
    };
    both(step).is_some_and(again) && fires(step, Timer::Election)
}

fn asks_again(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(before, after)| asks(before) && asks(after)) && fires(step, Timer::Election)
}

fn bare_majority(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let Role::Candidate { votes } = &before.role else { return false };
    leads(after) && votes.contains(&step.id) && votes.len() == step.actor.nodes / 2
}

fn announces(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(before, after)| !leads(before) && leads(after))
        && sends(step, |msg| matches!(msg, Message::AppendEntries { .. }))
}

fn stood_before(step: &Step<'_>) -> bool {
    let stood = |server: &Server| {
        matches!(server.role, Role::Follower { leader: None, .. })
            && server.persistent.voted_for == Some(step.id)
    };
    step.before.is_some_and(stood) && fires(step, Timer::Election)
}

fn votes_again(step: &Step<'_>) -> bool {
    let Some((src, &Message::RequestVote { term, .. })) = heard(step) else { return false };
    let voted = |server: &Server| server.persistent.term == term && server.persistent.voted_for == Some(src);
    grants_vote(step) && step.before.is_some_and(voted)
}

fn request_is_sent(step: &Step<'_>) -> bool {
    matches!(step.event, Event::Choose { .. }) && brings_entry(step)
}

fn second_request(step: &Step<'_>) -> bool {
    let is_second = |server: &Server| server.persistent.log.last().term == server.persistent.term;
    matches!(step.event, Event::Choose { .. }) && step.before.is_some_and(is_second)
}

fn candidate_follows(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, a)| stands(b) && follows(a) && a.persistent.term == b.persistent.term)
}

fn pre_candidate_follows(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, a)| asks(b) && follows(a) && a.persistent.term == b.persistent.term)
}

fn leader_deposed(step: &Step<'_>) -> bool {
    let is_request =
        |msg: &Message| matches!(msg, Message::RequestVote { .. } | Message::AppendEntries { .. });
    heard_by(step).is_some_and(|(msg, b, a)| is_request(msg) && leads(b) && !leads(a))
}

fn refusal_deposes(step: &Step<'_>) -> bool {
    heard_by(step).is_some_and(|(msg, b, a)| matches!(msg, Message::Refused { .. }) && leads(b) && !leads(a))
}

fn refusal_ends_candidacy(step: &Step<'_>) -> bool {
    heard_by(step)
        .is_some_and(|(msg, b, a)| matches!(msg, Message::Refused { .. }) && stands(b) && !stands(a))
}

fn refuses(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::Refused { .. }))
}

fn old_candidate_refused(step: &Step<'_>) -> bool {
    refuses(step) && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::RequestVote { .. }))
}

fn old_leader_refused(step: &Step<'_>) -> bool {
    refuses(step) && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::AppendEntries { .. }))
}

fn pre_vote_refused(step: &Step<'_>) -> bool {
    refuses(step) && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::PreVote { .. }))
}

fn grants_vote(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::Vote { .. }))
}

fn vote_denied(step: &Step<'_>) -> bool {
    let Some((src, &Message::RequestVote { term, .. })) = heard(step) else { return false };
    let gone = |server: &Server| {
        server.persistent.term == term && server.persistent.voted_for.is_some_and(|to| to != src)
    };
    !grants_vote(step) && step.before.is_some_and(gone)
}

fn vote_denied_to_old_log(step: &Step<'_>) -> bool {
    let Some((Message::RequestVote { term, last }, before, _)) = heard_by(step) else { return false };
    let own = before.persistent.log.last();
    !grants_vote(step) && *term >= before.persistent.term && (last.term, last.index) < (own.term, own.index)
}

fn shorter_log_wins(step: &Step<'_>) -> bool {
    let Some((Message::RequestVote { last, .. }, before, _)) = heard_by(step) else { return false };
    grants_vote(step)
        && last.term > before.persistent.log.last().term
        && last.index <= before.persistent.log.last_index()
        && before.persistent.log.last_index() > 0
}

fn restart_with_vote(step: &Step<'_>) -> bool {
    step.incarnation > 0
        && matches!(step.event, Event::Start)
        && step.storage.is_some_and(|disk| disk.voted_for.is_some())
}

fn restart_with_entries(step: &Step<'_>) -> bool {
    step.incarnation > 0
        && matches!(step.event, Event::Start)
        && step.storage.is_some_and(|disk| disk.log.last_index() > 0)
}

fn torn_after_saving(step: &Step<'_>) -> bool {
    let saved = |server: &Server| step.storage.is_some_and(|disk| *disk == server.persistent);
    step.sends.is_empty()
        && step.cut_short.is_some_and(saved)
        && step.before.is_some_and(|server| !saved(server))
}

fn pre_vote_wins(step: &Step<'_>) -> bool {
    heard_by(step).is_some_and(|(msg, b, a)| {
        let Role::PreCandidate { votes } = &b.role else { return false };
        let is_grant = matches!(msg, Message::PreVoteGranted { .. });
        is_grant && votes.contains(&step.id) && a.persistent.term > b.persistent.term
    })
}

fn grants(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::PreVoteGranted { .. }))
}

fn pre_vote_of_voter(step: &Step<'_>) -> bool {
    let Some((Message::PreVote { term, .. }, before, _)) = heard_by(step) else { return false };
    grants(step) && *term > before.persistent.term && before.persistent.voted_for.is_some()
}

/// Whether a pre-vote for a later term, of a log as long, is denied.
fn denies(step: &Step<'_>) -> bool {
    let Some((Message::PreVote { term, last }, before, _)) = heard_by(step) else { return false };
    !grants(step) && *term > before.persistent.term && *last == before.persistent.log.last()
}

fn denied_to_old_log(step: &Step<'_>) -> bool {
    let Some((Message::PreVote { term, last }, before, _)) = heard_by(step) else { return false };
    let own = before.persistent.log.last();
    let is_free = matches!(before.role, Role::Follower { lease: false, .. });
    !grants(step)
        && *term > before.persistent.term
        && is_free
        && (last.term, last.index) < (own.term, own.index)
}

fn denied_by_lease(step: &Step<'_>) -> bool {
    let has_lease = |server: &Server| matches!(server.role, Role::Follower { lease: true, .. });
    denies(step) && step.before.is_some_and(has_lease)
}

fn denied_by_leader(step: &Step<'_>) -> bool {
    denies(step) && step.before.is_some_and(leads)
}

fn lease_ends(step: &Step<'_>) -> bool {
    let ended = |server: &Server| matches!(server.role, Role::Follower { lease: false, .. });
    fires(step, Timer::Lease) && step.after.is_some_and(ended)
}

fn without_quorum(step: &Step<'_>) -> bool {
    fires(step, Timer::Quorum) && step.after.is_some_and(|server| !leads(server))
}

fn with_quorum(step: &Step<'_>) -> bool {
    let few = |server: &Server| leading(server).is_some_and(|led| led.heard.len() * 2 < step.actor.nodes);
    fires(step, Timer::Quorum) && step.before.is_some_and(few) && step.after.is_some_and(leads)
}

/// The request to append that a server takes, without its term.
fn taken<'a>(step: &Step<'a>) -> Option<(usize, &'a Option<Entry>, usize, &'a Server, &'a Server)> {
    match heard_by(step)? {
        (Message::AppendEntries { term, prev, entry, commit }, before, after)
            if *term >= before.persistent.term =>
        {
            Some((prev.index, entry, *commit, before, after))
        }
        _ => None,
    }
}

fn follower_appends(step: &Step<'_>) -> bool {
    taken(step).is_some_and(|(.., before, after)| {
        after.persistent.log.last_index() > before.persistent.log.last_index()
    })
}

fn leader_commits(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, a)| leads(b) && a.commit > b.commit)
}

fn follower_commits(step: &Step<'_>) -> bool {
    taken(step).is_some_and(|(.., before, after)| after.commit > before.commit)
}

fn brings_entry(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::AppendEntries { entry: Some(_), .. }))
}

fn next_entry_follows(step: &Step<'_>) -> bool {
    brings_entry(step) && heard(step).is_some_and(|(_, msg)| matches!(msg, Message::Appended { .. }))
}

fn heartbeat_brings_entry(step: &Step<'_>) -> bool {
    fires(step, Timer::Heartbeat) && brings_entry(step)
}

fn entry_is_there(step: &Step<'_>) -> bool {
    taken(step).is_some_and(|(prev, entry, _, before, after)| {
        let is_old = entry.map_or(prev, |_| prev + 1) < before.persistent.log.last_index();
        is_old
            && before.persistent.log == after.persistent.log
            && sends(step, |msg| matches!(msg, Message::Appended { .. }))
    })
}

fn check_fails(step: &Step<'_>) -> bool {
    sends(step, |msg| matches!(msg, Message::Mismatch { .. }))
}

fn next_index_falls(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let (Some(then), Some(now)) = (leading(before), leading(after)) else { return false };
    then.progress.iter().zip(&now.progress).any(|(then, now)| now.next < then.next)
}

/// How many entries of the server's own gave way to one of its leader's.
fn conflict(step: &Step<'_>) -> usize {
    taken(step).map_or(0, |(prev, entry, _, before, after)| {
        let own = before.persistent.log.get(prev + 1).filter(|own| entry.is_some_and(|entry| entry != *own));
        let is_gone = own.is_some() && after.persistent.log.get(prev + 1) == *entry;
        if is_gone { before.persistent.log.last_index() - prev } else { 0 }
    })
}

fn up_to_verified(step: &Step<'_>) -> bool {
    taken(step)
        .is_some_and(|(.., commit, before, after)| after.commit > before.commit && after.commit < commit)
}

fn old_entry_waits(step: &Step<'_>) -> bool {
    let Some((&Message::Appended { term, matched }, before, after)) = heard_by(step) else { return false };
    let is_old = before.persistent.log.term_at(matched).is_some_and(|of| of < term);
    is_old && term == before.persistent.term && leads(after) && matched > after.commit && after != before
}

fn old_entry_committed(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let is_old =
        |index: usize| after.persistent.log.term_at(index).is_some_and(|of| of < after.persistent.term);
    leads(before) && (before.commit + 1..=after.commit).any(is_old)
}

/// The configurations that a leader appends in this step, with their indices.
fn new_members(step: &Step<'_>) -> Vec<(usize, super::Members)> {
    let Some((before, after)) = both(step) else { return Vec::new() };
    if !leads(before) && !leads(after) {
        return Vec::new();
    }
    let new = before.persistent.log.last_index() + 1..=after.persistent.log.last_index();
    let change = |index| match after.persistent.log.get(index)?.command {
        Command::Members(members) => Some((index, members)),
        Command::Value(_) => None,
    };
    new.filter_map(change).collect()
}

fn second_change(step: &Step<'_>) -> bool {
    let is_client = matches!(step.event, Event::Choose { value: Command::Members(_), .. });
    is_client && step.before.is_some_and(|server| server.persistent.log.members().is_some())
}

/// The members that a client asks n1 to have from now on. The first and the last of all possible ones are goals.
fn asked_of_first(step: &Step<'_>) -> Option<NodeSet> {
    match step.event {
        Event::Choose { value: Command::Members(next), .. } if usize::from(step.id) == 0 => {
            next.groups().next()
        }
        _ => None,
    }
}

fn change_committed(step: &Step<'_>) -> bool {
    let Some((before, after)) = both(step) else { return false };
    let is_change = |index: usize| {
        after.persistent.log.get(index).is_some_and(|entry| matches!(entry.command, Command::Members(_)))
    };
    leads(before) && (before.commit + 1..=after.commit).any(is_change)
}

fn joint_left(step: &Step<'_>) -> bool {
    let is_joint =
        |server: &Server| server.persistent.log.members().is_some_and(|(_, last)| last.then().is_some());
    let is_left =
        |server: &Server| server.persistent.log.members().is_some_and(|(_, last)| last.then().is_none());
    both(step).is_some_and(|(b, a)| leads(b) && is_joint(b) && is_left(a))
}

fn joint_inherited(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, _)| stands(b)) && !new_members(step).is_empty()
}

fn removed_leader(step: &Step<'_>) -> bool {
    both(step).is_some_and(|(b, a)| {
        leads(b) && !leads(a) && a.persistent.term == b.persistent.term && a.commit > b.commit
    })
}

fn is_newcomer(step: &Step<'_>) -> bool {
    !step.actor.initial.contains(step.id)
}

fn newcomer_appends(step: &Step<'_>) -> bool {
    is_newcomer(step) && follower_appends(step)
}

fn newcomer_votes(step: &Step<'_>) -> bool {
    is_newcomer(step) && grants_vote(step)
}
