//! The rules of figure 2, and of the thesis for options. Each is checked at every step of every
//! server: it says what a server may and must do, given its state and what it has received. The
//! rules restate the paper, not the handlers. So they show a handler that breaks its rule in the
//! step that breaks it, even if no run within the bounds suffers from it, or if it costs only
//! availability.
//!
//! A handler that a crash cuts short has sent only some of its messages. So the rules demand
//! messages only of handlers that ran to their end. In asynchronous scenarios the harness takes no
//! steps without effect; so only timed scenarios show that a handler does nothing although it
//! should.

mod commitment;
mod election;
mod member_changes;
mod pre_vote;
mod replication;
mod requests;
mod roles;
mod terms;
mod timers;

use stateright::actor::Id;

use super::Raft;
use super::log::Log;
use super::members::{Members, Membership};
use super::message::Message;
use super::properties::has_values;
use super::state::{Leadership, Role, State};
use crate::election::{Check, Event, Invariant, NodeSet, NodeStep, node_name};

/// The step that a rule checks.
type Step<'a> = NodeStep<'a, Raft>;
/// The answer of a rule. The error says in a sentence what is wrong.
type Verdict = Result<(), String>;

/// The rules as properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<Raft>> {
    of_elections().into_iter().chain(of_logs()).chain(of_options()).collect()
}

/// A rule as a property.
fn rule(
    name: &'static str,
    meaning: &'static str,
    check: fn(&Step<'_>) -> Verdict,
) -> Invariant<Raft> {
    Invariant::new(name, meaning, Check::Rule(check))
}

/// The rules of terms, roles, timers and votes, and of what messages say.
fn of_elections() -> Vec<Invariant<Raft>> {
    vec![
        rule(
            "persistent-state",
            "term, vote and log are on disk when a handler ends; terms never fall, and a vote \
             lasts as long as its term (figure 2, State)",
            terms::persistent_state,
        ),
        rule(
            "roles-and-terms",
            "a term is that of a message or, for an own election with an own vote, the next; a \
             higher one is adopted, and a message of a lower one changes nothing; only leaders \
             take requests and send heartbeats, and only the others have election timeouts (5.1, \
             5.2; figure 2, All Servers)",
            terms::roles_and_terms,
        ),
        rule(
            "timers-of-the-role",
            "a leader's timers are heartbeats and, with CheckQuorum, its quorum; all others have \
             an election timeout and followers perhaps a lease; only a start, a timer's end, a new \
             role, a leader's message and a granted vote set one anew (figure 2, Followers, \
             Candidates, Leaders; thesis 6.2, 9.6)",
            timers::timers,
        ),
        rule(
            "votes",
            "a vote is on disk when it is sent, in answer to a request of its term, and goes to \
             one candidate in a term, to the first with a log at least as up-to-date (figure 2, \
             RequestVote RPC; 5.4.1)",
            election::one_vote,
        ),
        rule(
            "elected-by-quorum",
            "who comes to lead was sent votes of its term by a majority of its configuration, and \
             of both while it is joint; with CheckQuorum it leads on only if as many answer (5.2, \
             6; thesis 6.2)",
            election::elected_by_quorum,
        ),
        rule(
            "says-what-is-so",
            "requests are a candidate's or a leader's, of its own term and from its own log, and \
             on disk, and go to all other members, those to append from nextIndex on, which is \
             what followers have answered, as is matchIndex; a refusal carries a term that the \
             refused has not reached (figure 2; 5.3)",
            requests::says_what_is_so,
        ),
    ]
}

/// The rules of logs.
fn of_logs() -> Vec<Invariant<Raft>> {
    vec![
        rule(
            "append-entries",
            "a follower's log changes only as the consistency check and a conflict demand, and it \
             acknowledges what was verified and is on disk (figure 2, AppendEntries RPC, 1 to 4)",
            replication::append_entries,
        )
        .with_setting("values >= 1", has_values)
        .needing(&["follower-appends"]),
        rule(
            "commit-index",
            "a leader commits all that a majority has of its own term, a follower what its leader \
             has committed; within the log, and never less (figure 2, Leaders; AppendEntries RPC, \
             5; 5.4.2)",
            commitment::commit_index,
        )
        .with_setting("values >= 1", has_values)
        .needing(&["leader-commits"]),
    ]
}

/// The rules of what is optional.
fn of_options() -> Vec<Invariant<Raft>> {
    vec![
        rule(
            "member-changes",
            "members change when the change before is committed: by one server and after an own \
             entry, or through a joint configuration; a leader that has committed its removal \
             leads no more (6; thesis 4.1)",
            member_changes::member_changes,
        )
        .with_setting("membership other than fixed", |servers| servers.iter().any(changes_members))
        .needing(&["members-change"]),
        rule(
            "pre-votes",
            "to ask for a pre-vote or to grant it changes no persistent state, and an election \
             follows a quorum of grants for its term (thesis 9.6)",
            pre_vote::pre_votes,
        )
        .with_setting("pre_vote", |servers| servers.iter().any(|server| server.pre_vote))
        .needing(&["pre-vote-wins"]),
    ]
}

fn changes_members(server: &Raft) -> bool {
    server.membership != Membership::Fixed
}

/// The server as the handler left it, or would have if it had not crashed.
fn end<'a>(step: &Step<'a>) -> Option<&'a State> {
    step.after.or(step.cut_short)
}

/// The message that the server receives in this step, and its sender; unless it disregards it.
fn heard<'a>(step: &Step<'a>) -> Option<(Id, &'a Message)> {
    match step.event {
        Event::Deliver { src, msg } if !disregards(step, msg) => Some((src, msg)),
        _ => None,
    }
}

/// With stickiness: a request for a vote that reaches a server that has a leader, or leads (thesis
/// 4.2.3).
fn disregards(step: &Step<'_>, msg: &Message) -> bool {
    let Some(before) = step.before else { return false };
    let is_led = matches!(before.role, Role::Leader(_) | Role::Follower { lease: true, .. });
    let own = before.persistent.term;
    let is_request = matches!(msg, Message::RequestVote { term, .. } if *term >= own);
    step.actor.sticky && is_led && is_request
}

/// What a leader knows; nothing of another server.
fn leading(server: &State) -> Option<&Leadership> {
    match &server.role {
        Role::Leader(leading) => Some(leading),
        _ => None,
    }
}

/// A majority of the configuration, and of both while it is joint.
fn are_quorum(members: Members, servers: NodeSet) -> bool {
    members
        .groups()
        .all(|group| group.iter().filter(|&id| servers.contains(id)).count() * 2 > group.len())
}

/// The server's configuration after so many entries of its log.
fn configuration(raft: &Raft, log: &Log, entries: usize) -> Members {
    let known: Log = log.prefix(entries).iter().copied().collect();
    known.members().map_or(raft.initial, |(_, last)| last)
}

/// The server's configuration with all of this log.
fn own_configuration(raft: &Raft, log: &Log) -> Members {
    configuration(raft, log, log.last_index())
}

/// The server breaks a rule.
fn wrong(step: &Step<'_>, what: &str) -> Verdict {
    Err(format!("{} {what}", node_name(step.id)))
}

/// Whether a message asks to append entries, or is a heartbeat.
fn is_append(msg: &Message) -> bool {
    matches!(msg, Message::AppendEntries { .. })
}

/// The servers that have granted a candidate its vote, or a pre-candidate its pre-vote, for this
/// term: itself, those that it had counted, and the one that grants it now.
fn granted(step: &Step<'_>, counted: Option<&Vec<Id>>, grant: &Message) -> NodeSet {
    let now = heard(step).filter(|(_, msg)| *msg == grant).map(|(src, _)| src);
    counted.into_iter().flatten().copied().chain(now).chain([step.id]).collect()
}
