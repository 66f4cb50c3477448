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
use crate::election::{Check, Event, Invariant, NodeSet, NodeStep, listed, node_name};

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
            "a server's term, vote and log are on disk at the end of each of its steps; its term \
             never falls, and its vote does not change within a term (figure 2, State)",
            terms::persistent_state,
        ),
        rule(
            "roles-and-terms",
            "a server's term rises in two ways: it adopts the higher term of a message, or it \
             stands for election in the next term and votes for itself; a message of a lower term \
             changes nothing; only leaders take requests and send heartbeats, and only the others \
             have election timeouts (5.1, 5.2; figure 2, All Servers)",
            terms::roles_and_terms,
        ),
        rule(
            "timers-of-the-role",
            "a leader has a heartbeat timer and, with CheckQuorum, a quorum timer; all others have \
             an election timer, and a follower may have a lease timer; only five things set a \
             timer anew: a start, the timer's end, a new role, a message of the term's leader, and \
             a granted vote (figure 2, Followers, Candidates, Leaders; thesis 6.2, 9.6)",
            timers::timers,
        ),
        rule(
            "votes",
            "a server votes for one candidate in a term: the first that asks it and has a log at \
             least as up-to-date as its own; the vote is on disk before it is sent (figure 2, \
             RequestVote RPC; 5.4.1)",
            election::one_vote,
        ),
        rule(
            "elected-by-quorum",
            "a new leader has votes of its term from a majority of its configuration, and from a \
             majority of both while it is joint; with CheckQuorum it leads on only if as many \
             servers answer (5.2, 6; thesis 6.2)",
            election::elected_by_quorum,
        ),
        rule(
            "says-what-is-so",
            "a message says what is so: candidates and leaders send requests to all other members, \
             with their own term and what their own log on disk holds; a leader sends entries from \
             nextIndex on, and keeps nextIndex and matchIndex as the followers' answers say; a \
             refusal tells a term that the refused server had not reached (figure 2; 5.3)",
            requests::says_what_is_so,
        ),
    ]
}

/// The rules of logs.
fn of_logs() -> Vec<Invariant<Raft>> {
    vec![
        rule(
            "append-entries",
            "a follower changes its log only as the consistency check and a conflict demand, and \
             acknowledges only what the leader's message has verified and what is on disk (figure \
             2, AppendEntries RPC, 1 to 4)",
            replication::append_entries,
        )
        .with_setting("values >= 1", has_values)
        .needing(&["follower-appends"]),
        rule(
            "commit-index",
            "a leader commits an entry of its own term, with all before it, as soon as it knows \
             that a majority has it; a follower commits what its leader has committed; a commit \
             index never falls, nor passes the end of the log (figure 2, Leaders; AppendEntries \
             RPC, 5; 5.4.2)",
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
            "a leader changes the members only once the change before is committed: by one server, \
             after an entry of its own term is committed, or through a joint configuration; a \
             leader that has committed its own removal steps down (6; thesis 4.1)",
            member_changes::member_changes,
        )
        .with_setting("membership other than fixed", |servers| servers.iter().any(changes_members))
        .needing(&["members-change"]),
        rule(
            "pre-votes",
            "asking for a pre-vote changes no persistent state, nor does granting one; a server \
             grants one only if it would grant the vote and hears from no leader; only a quorum of \
             pre-votes for a term lets a server stand in it (thesis 9.6)",
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

/// That a server answers something in another way than it should.
fn answers(what: &str, step: &Step<'_>, right: Option<&(Id, Message)>) -> String {
    let one = |(dst, msg): &(Id, Message)| format!("{msg:?} to {}", node_name(*dst));
    let sent: Vec<String> = step.sends.iter().map(one).collect();
    let sent = if sent.is_empty() { "nothing".to_string() } else { listed(&sent) };
    let right = right.map_or("nothing".to_string(), one);
    format!("answers {what} with {sent}, where the rule asks for {right}")
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
