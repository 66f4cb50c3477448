//! What must hold of the Bully election, rule by rule, and what its scenarios mean to reach.
//!
//! The rules are said here of a step as others see it (what a node was, what happened, what it became, what it sent), from
//! the papers and not from the handlers. The numbers are those of this folder's README.

use stateright::actor::Id;

use super::{Bully, Message, Role, Timer};
use crate::election::{Age, Check, Event, Goal, Invariant, NodeSet, NodeStep, Reached, node_name};

type Step<'a> = NodeStep<'a, Bully>;
type Verdict = Result<(), String>;

pub(super) fn invariants() -> Vec<Invariant<Bully>> {
    vec![
        Invariant::new(
            "highest-leads",
            "Whenever time passes, whoever leads is higher than every live node, those apart that are holding an election \
             themselves or have won and lack a majority (Garcia-Molina 1982; Coulouris et al., section 15.3). Under the assumptions about time only.",
            Check::Pair(highest_leads),
        )
        .when_time_passes(),
        Invariant::new(
            "follows-higher",
            "A node follows only nodes with a higher identifier than its own (Coulouris et al., section 15.3: the \
             elected process is the non-crashed one with the largest identifier).",
            Check::Node(|_, id, role| match role {
                Role::Following(leader) if *leader < id => {
                    Err(format!("{} follows {}, which is lower", node_name(id), node_name(*leader)))
                }
                _ => Ok(()),
            }),
        ),
        Invariant::new(
            "asks-the-higher",
            "Whoever begins an election asks each higher node, once, and nobody else asks; the highest node of all asks \
             nobody (rule 1).",
            Check::Rule(asks_the_higher),
        ),
        Invariant::new(
            "elections-are-answered",
            "Whoever is asked answers, once, and then holds an election itself or is holding one; nobody else answers \
             (rule 2).",
            Check::Rule(elections_are_answered),
        )
        .needing(&["asked"]),
        Invariant::new(
            "answers-end-the-asking",
            "An answer makes a node that asked wait for a coordinator, and says nothing to any other; only those wait \
             whom somebody answered (rule 3).",
            Check::Rule(answers_end_the_asking),
        )
        .needing(&["answered"]),
        Invariant::new(
            "only-the-unanswered-win",
            "A node wins when nobody answered it in time, or when an election begins at the highest node of all (rules 1 \
             and 4).",
            Check::Rule(only_the_unanswered_win),
        ),
        Invariant::new(
            "winners-announce",
            "Whoever wins announces itself to all whom it has to tell, once each, and again whenever its heartbeat is \
             due; nobody else announces anything (rule 4).",
            Check::Rule(winners_announce),
        ),
        Invariant::new(
            "the-higher-is-followed",
            "A higher node's announcement is followed, whatever the node was doing, and accepted where quorums count; \
             nobody follows without one (rule 5).",
            Check::Rule(the_higher_is_followed),
        )
        .needing(&["followed"]),
        Invariant::new(
            "the-lower-is-contradicted",
            "A lower node's announcement makes a node hold an election, unless it is holding one (rule 6).",
            Check::Rule(the_lower_is_contradicted),
        )
        .with_setting("announce_to = all", |nodes| nodes[0].tells_all),
        Invariant::new(
            "silence-ends-in-an-election",
            "Whoever waits in vain for a coordinator, or hears its leader no more, holds an election (rule 7).",
            Check::Rule(silence_ends_in_an_election),
        ),
        Invariant::new(
            "recovery-begins-with-an-election",
            "A node that recovers holds an election; at its first start it is silent (rule 8).",
            Check::Rule(recovery_begins_with_an_election),
        ),
        Invariant::new(
            "timers-of-the-role",
            "The timer of its role, and no other, runs at each node, as long as the options say: it is set when the role \
             is taken, when an election is held anew, and when the leader is heard again, and runs on otherwise (rules 3 \
             to 8).",
            Check::Rule(timers_of_the_role),
        ),
        Invariant::new(
            "majorities-accept",
            "A winner leads once a majority of all nodes, itself included, has accepted it since it won, and not before \
             (the second half of rule 4).",
            Check::Rule(majorities_accept),
        )
        .with_setting("quorum = majority", |nodes| nodes[0].needs_majority)
        .needing(&["accepted"]),
    ]
}

// ---- What a step was ----

/// What was delivered, and from whom.
fn delivered(step: &Step) -> Option<(Id, Message)> {
    match step.event {
        Event::Deliver { src, msg } => Some((src, *msg)),
        _ => None,
    }
}

fn expired(step: &Step) -> Option<Timer> {
    match step.event {
        Event::Timeout { timer } => Some(*timer),
        _ => None,
    }
}

/// In which role the handler ended, or would have.
fn end<'a>(step: &Step<'a>) -> Option<&'a Role> {
    step.after.or(step.cut_short)
}

fn has_won(role: &Role) -> bool {
    matches!(role, Role::Leading | Role::Claiming(_))
}

fn is_holding_one(role: &Role) -> bool {
    matches!(role, Role::Electing | Role::Waiting)
}

fn is_highest(step: &Step) -> bool {
    usize::from(step.id) + 1 == step.actor.nodes
}

/// Whom a node sent a message, in order.
fn receivers(step: &Step, message: Message) -> Vec<Id> {
    step.sends.iter().filter(|(_, sent)| *sent == message).map(|(dst, _)| *dst).collect()
}

fn is_sent_to(step: &Step, message: Message, expected: impl Fn(Id) -> bool) -> bool {
    let all: NodeSet = (0..step.actor.nodes).map(Id::from).filter(|id| expected(*id)).collect();
    let sent = receivers(step, message);
    sent.len() == all.len() && sent.into_iter().collect::<NodeSet>() == all
}

fn says_nothing(step: &Step, message: Message) -> bool {
    is_sent_to(step, message, |_| false)
}

fn is_unmoved(step: &Step) -> bool {
    step.sends.is_empty() && step.after == step.before
}

/// Rules 1 and 4: all higher nodes are asked; if there are none, the node has won, and announces itself.
fn holds_an_election(step: &Step) -> bool {
    let Some(after) = step.after else { return true };
    if is_highest(step) {
        return has_won(after) && is_announced(step);
    }
    *after == Role::Electing && is_sent_to(step, Message::Election, |id| id > step.id)
}

fn is_announced(step: &Step) -> bool {
    is_sent_to(step, Message::Coordinator, |id| id < step.id || id > step.id && step.actor.tells_all)
}

fn unless(holds: bool, step: &Step, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(format!("{} {what}", node_name(step.id))) }
}

// ---- The rules ----

fn highest_leads(_: &Bully, (a, lower): (Id, &Role), (b, higher): (Id, &Role)) -> Verdict {
    // A claimant that is cut off from a majority has won as well as it can.
    let claims = matches!(higher, Role::Claiming(_));
    if *lower == Role::Leading && !is_holding_one(higher) && !claims {
        return Err(format!("{} leads, {} is alive and holds no election", node_name(a), node_name(b)));
    }
    Ok(())
}

fn asks_the_higher(step: &Step) -> Verdict {
    let asked = receivers(step, Message::Election);
    if asked.iter().any(|id| *id <= step.id) {
        return unless(false, step, "asks a node that is not higher");
    }
    let Some(after) = step.after else { return Ok(()) };
    let begins = *after == Role::Electing && step.before != Some(&Role::Electing);
    unless(!(begins && is_highest(step)), step, "asks although it is the highest")?;
    let holds =
        if begins { is_sent_to(step, Message::Election, |id| id > step.id) } else { asked.is_empty() };
    unless(holds, step, "asks others than all higher nodes once")
}

fn elections_are_answered(step: &Step) -> Verdict {
    let Some((src, Message::Election)) = delivered(step) else {
        return unless(says_nothing(step, Message::Answer), step, "answers what nobody asked");
    };
    let (Some(before), Some(after)) = (step.before, step.after) else { return Ok(()) };
    unless(is_sent_to(step, Message::Answer, |id| id == src), step, "does not answer, once, who asked")?;
    if is_holding_one(before) {
        let stays = after == before && step.sends.len() == 1;
        return unless(stays, step, "was holding an election and does more than answer");
    }
    unless(holds_an_election(step), step, "was asked and holds no election")
}

fn answers_end_the_asking(step: &Step) -> Verdict {
    let Some((_, Message::Answer)) = delivered(step) else {
        let waits = |role: Option<&Role>| role == Some(&Role::Waiting);
        return unless(!waits(step.after) || waits(step.before), step, "waits though nobody answered");
    };
    if step.before == Some(&Role::Electing) {
        let waits = step.after.is_none_or(|after| *after == Role::Waiting) && step.sends.is_empty();
        return unless(waits, step, "was answered and does not wait");
    }
    unless(step.after.is_none() || is_unmoved(step), step, "is moved by an answer to no question of its")
}

fn only_the_unanswered_win(step: &Step) -> Verdict {
    let (before, Some(after)) = (step.before, end(step)) else { return Ok(()) };
    let is_unanswered = before == Some(&Role::Electing) && expired(step) == Some(Timer::Answer);
    unless(!is_unanswered || has_won(after), step, "was not answered and does not win")?;
    let wins = has_won(after) && !before.is_some_and(has_won);
    unless(!wins || is_unanswered || is_highest(step), step, "wins without having waited for an answer")
}

fn winners_announce(step: &Step) -> Verdict {
    let speaks = !says_nothing(step, Message::Coordinator);
    if speaks && !end(step).is_some_and(has_won) {
        return unless(false, step, "announces itself and has not won");
    }
    let Some(after) = step.after else { return Ok(()) };
    let wins = has_won(after) && !step.before.is_some_and(has_won);
    let repeats = expired(step) == Some(Timer::Heartbeat);
    unless(!(wins || repeats || speaks) || is_announced(step), step, "does not tell all of its lead, once")?;
    unless(!repeats || Some(after) == step.before, step, "changes its role while it repeats itself")
}

fn the_higher_is_followed(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let accepted = receivers(step, Message::Accept);
    match delivered(step) {
        Some((src, Message::Coordinator)) if src > step.id => {
            let accepts = if step.actor.needs_majority { vec![src] } else { vec![] };
            let says_so = accepted == accepts && step.sends.len() == accepted.len();
            unless(*after == Role::Following(src) && says_so, step, "does not follow who announced itself")
        }
        _ => {
            let keeps = !matches!(after, Role::Following(_)) || Some(after) == step.before;
            unless(keeps && accepted.is_empty(), step, "follows who did not announce itself")
        }
    }
}

fn the_lower_is_contradicted(step: &Step) -> Verdict {
    match delivered(step) {
        Some((src, Message::Coordinator)) if src < step.id && step.after.is_some() => {
            let holds_one = step.before.is_some_and(is_holding_one);
            let holds = if holds_one { is_unmoved(step) } else { holds_an_election(step) };
            unless(holds, step, "lets a lower node's announcement pass")
        }
        _ => Ok(()),
    }
}

fn silence_ends_in_an_election(step: &Step) -> Verdict {
    let is_silence = matches!(expired(step), Some(Timer::Coordinator | Timer::Monitor));
    unless(!is_silence || holds_an_election(step), step, "hears nothing and holds no election")
}

fn recovery_begins_with_an_election(step: &Step) -> Verdict {
    match (&step.event, step.after) {
        (Event::Start, Some(after)) if step.incarnation == 0 => unless(
            *after == Role::Idle && step.sends.is_empty(),
            step,
            "does more than wait at its first start",
        ),
        (Event::Start, Some(_)) => unless(holds_an_election(step), step, "recovers and holds no election"),
        _ => Ok(()),
    }
}

fn timers_of_the_role(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let options = step.actor;
    // Who waits for somebody may wait a little longer; who is to be heard is punctual.
    let late = options.slack;
    let due = match after {
        Role::Electing => Some((Timer::Answer, options.answer, late)),
        Role::Idle | Role::Waiting => Some((Timer::Coordinator, options.coordinator, late)),
        Role::Following(_) => Some((Timer::Monitor, options.monitor, late)),
        Role::Claiming(_) | Role::Leading => Some((Timer::Heartbeat, options.heartbeat, 0)),
    };
    let is_watched = options.heartbeat > 0;
    let due = due.filter(|(timer, ..)| is_watched || matches!(timer, Timer::Answer | Timer::Coordinator));
    let is_right = match due {
        None => step.timers.is_empty(),
        Some((timer, ticks, late)) if is_set_anew(step) => {
            step.timers.len() == 1 && step.timers.get(&timer).is_some_and(|age| is_set(*age, ticks, late))
        }
        Some(_) => step.timers == step.timers_before,
    };
    unless(is_right, step, &format!("is {after:?}, and its timers are {:?}", step.timers))
}

/// Whether the wait that belongs to the role begins, or begins again, with this step.
fn is_set_anew(step: &Step) -> bool {
    let holds_none = !step.before.is_some_and(is_holding_one);
    let is_due = match (&step.event, delivered(step)) {
        (Event::Timeout { .. }, _) => true,
        (_, Some((_, Message::Election))) => holds_none,
        (_, Some((src, Message::Coordinator))) => src > step.id || holds_none,
        _ => false,
    };
    is_due || step.before != step.after
}

/// Whether a timer has just been set for so many ticks, and may be so late. They are of 10 ms here; those of a scenario may
/// be shorter.
fn is_set(age: Age, ticks: u64, late: u64) -> bool {
    let shorter = (u64::from(age.last) + 1 - u64::from(age.first)) / (late + 1);
    age.is_new(shorter * ticks, (shorter * (ticks + late + 1)).saturating_sub(1))
}

fn majorities_accept(step: &Step) -> Verdict {
    let (before, Some(after)) = (step.before, step.after) else { return Ok(()) };
    if let (Some((_, Message::Accept)), false) = (delivered(step), matches!(before, Some(Role::Claiming(_))))
    {
        return unless(
            is_unmoved(step),
            step,
            "is moved by the acceptance of a claim that it no longer makes",
        );
    }
    // Whoever holds another election while it claims or leads has to be accepted anew.
    let is_anew = !says_nothing(step, Message::Coordinator) && expired(step) != Some(Timer::Heartbeat);
    let wins = has_won(after) && (is_anew || !before.is_some_and(has_won));
    let is_majority = |nodes: NodeSet| nodes.len() > step.actor.nodes / 2;
    let accepted = match (before, delivered(step)) {
        _ if wins => Some([step.id].into_iter().collect::<NodeSet>()),
        (Some(Role::Claiming(nodes)), Some((src, Message::Accept))) => {
            Some(nodes.iter().chain([src]).collect())
        }
        (Some(Role::Claiming(nodes)), _) if has_won(after) => Some(*nodes),
        _ => None,
    };
    let Some(accepted) = accepted else { return Ok(()) };
    let right = if is_majority(accepted) { Role::Leading } else { Role::Claiming(accepted) };
    unless(*after == right, step, &format!("is accepted by {accepted:?} and is {after:?}"))
}

// ---- What scenarios mean to reach ----

const fn goal(name: &'static str, meaning: &'static str, is: fn(&Step) -> bool) -> Goal<Bully> {
    Goal { name, meaning, reached: Reached::Step(is) }
}

/// A message of this kind reaches a node in such a role, whose handler runs to its end.
fn meets(step: &Step, message: Message, role: fn(&Role) -> bool) -> bool {
    delivered(step).is_some_and(|(_, msg)| msg == message)
        && step.before.is_some_and(role)
        && step.after.is_some()
}

/// A timer ends in such a role.
fn ends(step: &Step, timer: Timer, role: fn(&Role) -> bool) -> bool {
    expired(step) == Some(timer) && step.before.is_some_and(role) && step.after.is_some()
}

/// A higher node announces itself to one in such a role, which then follows it.
fn gives_way(step: &Step, role: fn(&Role) -> bool) -> bool {
    meets(step, Message::Coordinator, role)
        && matches!((step.after, delivered(step)), (Some(Role::Following(l)), Some((src, _))) if *l == src)
}

fn is_following(role: &Role) -> bool {
    matches!(role, Role::Following(_))
}

pub(super) fn goals() -> Vec<Goal<Bully>> {
    vec![
        goal("idle-node-elects", "A node that was only started calls an election.", |s| {
            ends(s, Timer::Coordinator, |r| *r == Role::Idle)
        }),
        goal("asked", "A node is asked, and does something about it.", |s| {
            meets(s, Message::Election, |_| true) && !s.sends.is_empty()
        }),
        goal("follower-asked", "A node that follows another is asked.", |s| {
            meets(s, Message::Election, is_following)
        }),
        goal("leader-asked", "A leader is asked, and stops leading to ask others.", |s| {
            meets(s, Message::Election, |r| *r == Role::Leading) && s.after == Some(&Role::Electing)
        }),
        goal("highest-asked-again", "The highest node is asked while it leads.", |s| {
            meets(s, Message::Election, |r| *r == Role::Leading) && is_highest(s)
        }),
        goal("busy-node-asked", "A node that is holding an election is asked.", |s| {
            meets(s, Message::Election, is_holding_one)
        }),
        goal("answered", "A node that asked is answered, and waits.", |s| {
            meets(s, Message::Answer, |r| *r == Role::Electing) && s.after == Some(&Role::Waiting)
        }),
        goal("late-answer", "An answer reaches a node that waits for none.", |s| {
            meets(s, Message::Answer, |r| *r != Role::Electing)
        }),
        goal("unanswered", "Nobody answers in time, and the node wins.", |s| {
            ends(s, Timer::Answer, |r| *r == Role::Electing)
        }),
        goal("second-wait-ends", "Who was answered hears of no coordinator, and asks again.", |s| {
            ends(s, Timer::Coordinator, |r| *r == Role::Waiting)
        }),
        goal("leader-suspected", "A follower hears its leader no more.", |s| {
            ends(s, Timer::Monitor, is_following)
        }),
        goal("leader-heard-again", "A leader announces itself again.", |s| {
            ends(s, Timer::Heartbeat, |r| *r == Role::Leading) && !s.sends.is_empty()
        }),
        goal("claimed-again", "A winner that no majority has accepted claims the lead again.", |s| {
            ends(s, Timer::Heartbeat, |r| matches!(r, Role::Claiming(_))) && !s.sends.is_empty()
        }),
        goal("followed", "A node follows who announced itself.", |s| gives_way(s, |_| true)),
        goal("heard-again", "A follower hears its leader again.", |s| {
            gives_way(s, is_following) && s.before == s.after
        }),
        goal("leader-replaced", "A follower follows another leader than before.", |s| {
            gives_way(s, is_following) && s.before != s.after
        }),
        goal("leader-bullied", "A leader stops for a higher one.", |s| gives_way(s, |r| *r == Role::Leading)),
        goal("election-ended", "An announcement ends the election of a node that asked.", |s| {
            gives_way(s, |r| *r == Role::Electing)
        }),
        goal("wait-ended", "An announcement ends a node's wait.", |s| gives_way(s, |r| *r == Role::Waiting)),
        goal("claim-given-up", "A winner that nobody accepts follows a higher one.", |s| {
            gives_way(s, |r| matches!(r, Role::Claiming(_)))
        }),
        goal("lower-contradicted", "A lower node's announcement makes a node hold an election.", |s| {
            let is_lower = delivered(s).is_some_and(|(src, _)| src < s.id);
            is_lower && meets(s, Message::Coordinator, |r| !is_holding_one(r)) && !s.sends.is_empty()
        }),
        goal("recovered-below", "A node that is not the highest recovers, and asks.", |s| {
            matches!(s.event, Event::Start) && s.incarnation > 0 && s.after == Some(&Role::Electing)
        }),
        goal("recovered-highest", "The highest node recovers, and wins.", |s| {
            matches!(s.event, Event::Start) && s.incarnation > 0 && s.after.is_some_and(has_won)
        }),
        goal("torn-announcement", "A node dies having told some of its lead, and not all.", |s| {
            s.after.is_none() && !receivers(s, Message::Coordinator).is_empty() && !is_announced(s)
        }),
        goal("accepted", "A claim is accepted, and the node leads.", |s| {
            meets(s, Message::Accept, |r| matches!(r, Role::Claiming(_))) && s.after == Some(&Role::Leading)
        }),
        goal("accepted-by-too-few", "A claim is accepted, and by no majority yet.", |s| {
            meets(s, Message::Accept, |r| matches!(r, Role::Claiming(_))) && s.after != Some(&Role::Leading)
        }),
        goal("late-acceptance", "An acceptance reaches a node that claims nothing.", |s| {
            meets(s, Message::Accept, |r| !has_won(r))
        }),
    ]
}
