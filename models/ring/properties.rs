//! What must hold of elections on a ring, rule by rule, and what its scenarios mean to reach.
//!
//! The rules are said here of a step as others see it (what a node was, what happened, what it became, what it sent), from
//! the papers and not from the handlers. The numbers are those of this folder's README.

use stateright::actor::Id;

use super::{Attempt, Message, Ring, Role, State, Timer, Variant};
use crate::election::{Age, Check, Event, Goal, Invariant, NodeSet, NodeStep, Reached, node_name};

type Step<'a> = NodeStep<'a, Ring>;
type Verdict = Result<(), String>;

const CHANG_ROBERTS: &str = "variant = chang-roberts";
const TEXTBOOK: &str = "variant = textbook";

fn are_chang_roberts(nodes: &[Ring]) -> bool {
    nodes[0].variant == Variant::ChangRoberts
}

fn are_textbook(nodes: &[Ring]) -> bool {
    nodes[0].variant == Variant::Textbook
}

pub(super) fn invariants() -> Vec<Invariant<Ring>> {
    let chang_roberts = |name, meaning, check| {
        Invariant::new(name, meaning, check).with_setting(CHANG_ROBERTS, are_chang_roberts)
    };
    let textbook =
        |name, meaning, check| Invariant::new(name, meaning, check).with_setting(TEXTBOOK, are_textbook);
    vec![
        Invariant::new(
            "follows-higher",
            "A node follows only nodes with a higher identifier than its own: the highest wins (Chang and Roberts \
             1979).",
            Check::Node(|_, id, state: &State| match state.role {
                Role::Following(leader) if leader < id => {
                    Err(format!("{} follows {}, which is lower", node_name(id), node_name(leader)))
                }
                _ => Ok(()),
            }),
        ),
        chang_roberts(
            "only-the-highest-leads",
            "The node with the highest number of all, up or down, leads, and nobody else (Chang and Roberts 1979, the \
             theorem). Under any timing and any faults.",
            Check::Node(|ring, id, state: &State| {
                let is_wrong = state.role == Role::Leading && usize::from(id) + 1 < ring.nodes;
                if is_wrong { Err(format!("{} leads and is not the highest", node_name(id))) } else { Ok(()) }
            }),
        ),
        chang_roberts(
            "begins-with-its-number",
            "A node that knows of no leader when its first wait ends, or that recovers, puts its own number on the ring \
             and takes part (C1).",
            Check::Rule(begins_with_its_number),
        ),
        chang_roberts(
            "numbers-are-compared",
            "A higher number passes, a smaller one is replaced or swallowed, and a node's own, come round, makes it lead \
             (C2, C3, C4).",
            Check::Rule(numbers_are_compared),
        )
        .needing(&["number-came-round"]),
        chang_roberts(
            "the-elected-is-followed",
            "The winner's number goes round once: everybody else follows it and passes it on (C5).",
            Check::Rule(the_elected_is_followed),
        )
        .needing(&["followed"]),
        textbook(
            "highest-leads",
            "Whenever time passes, whoever leads is higher than every live node that it can have met: a higher one has \
             recovered, and is about to be elected, or still follows a node that has died (Tanenbaum, van Steen). Under \
             the assumptions about time only.",
            Check::Pair(highest_leads),
        )
        .when_time_passes(),
        textbook(
            "silence-calls-an-election",
            "Whoever misses a leader, or recovers, sends an ELECTION round that has only itself in it; nobody else begins \
             one (T1).",
            Check::Rule(silence_calls_an_election),
        ),
        textbook(
            "acknowledged-last",
            "Whatever goes round is acknowledged to its sender, once, after everything else; nothing else is \
             acknowledged, and an acknowledgement changes no role (T2).",
            Check::Rule(acknowledged_last),
        ),
        textbook(
            "skips-only-the-dead",
            "A message goes to the successor; when nobody there acknowledges it, the same message goes to the node after \
             (T2).",
            Check::Rule(skips_only_the_dead),
        ),
        textbook(
            "elections-collect",
            "A node adds itself to an ELECTION and stays what it is; one that has been round names the highest collected, \
             who is told by whoever is not it (T3).",
            Check::Rule(elections_collect),
        )
        .needing(&["election-came-round"]),
        textbook(
            "the-winner-stands",
            "Whoever is told that it has won begins a new attempt and announces it, unless it is standing or leading \
             already; nobody else begins one (T4).",
            Check::Rule(the_winner_stands),
        ),
        textbook(
            "leads-when-announced",
            "A node that stands leads exactly when the announcement of its latest attempt has come round; a leader \
             repeats that announcement (T5).",
            Check::Rule(leads_when_announced),
        ),
        textbook(
            "the-higher-is-followed",
            "A higher node's announcement is followed, whatever the node was doing, and passed on as it is, with this \
             node added; nobody follows without one (T6).",
            Check::Rule(the_higher_is_followed),
        )
        .needing(&["followed"]),
        textbook(
            "taken-off-the-ring",
            "What names a lower node, and what the node has seen before, is not passed on and changes nothing (T7, T8).",
            Check::Rule(taken_off_the_ring),
        ),
        Invariant::new(
            "timers-of-the-role",
            "Whoever is watched over waits to hear of a leader, as long as the options say and anew with all that it hears; \
             a leader only waits to repeat itself; whatever is sent waits a tick to be acknowledged; Chang and Roberts \
             wait only before they begin (T1, T2, T3, T6, C1).",
            Check::Rule(timers_of_the_role),
        ),
    ]
}

// ---- What a step was ----

fn delivered<'a>(step: &'a Step) -> Option<(Id, &'a Message)> {
    match step.event {
        Event::Deliver { src, msg } => Some((src, msg)),
        _ => None,
    }
}

fn expired<'a>(step: &'a Step) -> Option<&'a Timer> {
    match step.event {
        Event::Timeout { timer } => Some(timer),
        _ => None,
    }
}

/// The node after another.
fn after(step: &Step, id: Id) -> Id {
    if usize::from(id) + 1 == step.actor.nodes { Id::from(0) } else { Id::from(usize::from(id) + 1) }
}

/// What goes round and has come to this node: from its sender, or, when all others are dead, from itself.
fn came<'a>(step: &'a Step) -> Option<&'a Message> {
    match step.event {
        Event::Deliver { msg: Message::Ack { .. }, .. } => None,
        Event::Deliver { msg, .. } => Some(msg),
        Event::Timeout { timer: Timer::Skip { to, message } } if after(step, *to) == step.id => Some(message),
        _ => None,
    }
}

/// What the node sent besides acknowledgements.
fn passed<'a>(step: &'a Step) -> impl Iterator<Item = (Id, &'a Message)> {
    let is_ack = |msg: &Message| matches!(msg, Message::Ack { .. });
    step.sends.iter().filter(move |(_, msg)| !is_ack(msg)).map(|(dst, msg)| (*dst, msg))
}

/// The node passed this on to its successor, and nothing else.
fn passes(step: &Step, message: &Message) -> bool {
    passed(step).eq([(after(step, step.id), message)])
}

fn passes_nothing(step: &Step) -> bool {
    passed(step).next().is_none()
}

fn one(id: Id) -> NodeSet {
    [id].into_iter().collect()
}

fn plus(seen: NodeSet, id: Id) -> NodeSet {
    seen.iter().chain([id]).collect()
}

fn unless(holds: bool, step: &Step, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(format!("{} {what}", node_name(step.id))) }
}

/// The states before and after a step that the node took to its end while it was up.
fn states<'a>(step: &Step<'a>) -> Option<(&'a State, &'a State)> {
    Some((step.before?, step.after?))
}

fn recovers(step: &Step) -> bool {
    matches!(step.event, Event::Start) && step.incarnation > 0
}

// ---- Chang and Roberts ----

fn begins_with_its_number(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    if matches!(step.event, Event::Start) && step.incarnation == 0 {
        return unless(step.sends.is_empty(), step, "speaks at its first start");
    }
    if !(recovers(step) || expired(step).is_some()) {
        return Ok(());
    }
    let takes_part = after.role == Role::Participating;
    let own = passes(step, &Message::Candidate { number: step.id });
    unless(takes_part && own, step, "does not begin with its number")
}

fn numbers_are_compared(step: &Step) -> Verdict {
    let (Some((before, after)), Some(Message::Candidate { number })) = (states(step), came(step)) else {
        let leads = |state: Option<&State>| state.is_some_and(|state| state.role == Role::Leading);
        return unless(!leads(step.after) || leads(step.before), step, "leads though no number came round");
    };
    let candidate = |number| passes(step, &Message::Candidate { number });
    let holds = if *number > step.id {
        after.role == Role::Participating && candidate(*number)
    } else if *number == step.id {
        after.role == Role::Leading && passes(step, &Message::Elected { number: step.id })
    } else if before.role == Role::Participating {
        after == before && step.sends.is_empty()
    } else {
        after.role == Role::Participating && candidate(step.id)
    };
    unless(
        holds,
        step,
        &format!("({:?}) does not treat the number of {} so", before.role, node_name(*number)),
    )
}

fn the_elected_is_followed(step: &Step) -> Verdict {
    let (Some((before, after)), Some(Message::Elected { number })) = (states(step), came(step)) else {
        let follows = |s: Option<&State>| s.is_some_and(|s| matches!(s.role, Role::Following(_)));
        return unless(!follows(step.after) || follows(step.before), step, "follows who was not elected");
    };
    if *number == step.id {
        return unless(after == before && step.sends.is_empty(), step, "is moved by its own election");
    }
    let holds = after.role == Role::Following(*number) && passes(step, &Message::Elected { number: *number });
    unless(holds, step, "does not follow the elected, and pass it on")
}

// ---- Textbook ----

fn highest_leads(_: &Ring, (a, lower): (Id, &State), (b, higher): (Id, &State)) -> Verdict {
    let is_on_its_way = match higher.role {
        Role::Searching | Role::Elect => true,
        Role::Following(leader) => leader > b,
        Role::Leading | Role::Participating => false,
    };
    if lower.role == Role::Leading && !is_on_its_way {
        return Err(format!(
            "{} leads, and {} is alive and not about to be elected",
            node_name(a),
            node_name(b)
        ));
    }
    Ok(())
}

fn silence_calls_an_election(step: &Step) -> Verdict {
    let Some(after) = step.after else { return Ok(()) };
    let begun = Message::Election { seen: one(step.id) };
    let begins = recovers(step) || expired(step) == Some(&Timer::Monitor);
    if begins {
        let searches = after.role == Role::Searching;
        return unless(searches && passes(step, &begun), step, "misses a leader and calls no election");
    }
    if matches!(step.event, Event::Start) {
        return unless(step.sends.is_empty(), step, "speaks at its first start");
    }
    // An election that nobody is in yet does not come round.
    let hands_on = matches!(expired(step), Some(Timer::Skip { message, .. }) if *message == begun);
    let calls = passed(step).any(|(_, msg)| *msg == begun);
    unless(!calls || hands_on, step, "calls an election without a reason")
}

fn acknowledged_last(step: &Step) -> Verdict {
    let acks = step.sends.iter().filter(|(_, msg)| matches!(msg, Message::Ack { .. })).count();
    match delivered(step) {
        Some((_, Message::Ack { .. })) => {
            let is_unmoved = step.after.is_none() || step.after == step.before && step.sends.is_empty();
            unless(is_unmoved, step, "does more than take note of an acknowledgement")
        }
        Some(_) if step.after.is_none() => Ok(()),
        Some((src, msg)) => {
            let ack = Message::Ack { of: Box::new(msg.clone()) };
            let is_last = step.sends.last() == Some(&(src, ack));
            unless(acks == 1 && is_last, step, "does not acknowledge last, once")
        }
        None => unless(acks == 0, step, "acknowledges what did not come"),
    }
}

fn skips_only_the_dead(step: &Step) -> Verdict {
    let Some(Timer::Skip { to, message }) = expired(step) else {
        let strays = passed(step).any(|(dst, _)| dst != after(step, step.id));
        return unless(!strays, step, "passes over its successor, which may be alive");
    };
    if after(step, *to) == step.id || step.after.is_none() {
        return Ok(());
    }
    let same = passed(step).eq([(after(step, *to), message)]) && step.after == step.before;
    unless(same, step, "does not hand the message on, past the dead node")
}

fn elections_collect(step: &Step) -> Verdict {
    let (Some((before, now)), Some(Message::Election { seen })) = (states(step), came(step)) else {
        return Ok(());
    };
    if !seen.contains(step.id) {
        let added = Message::Election { seen: plus(*seen, step.id) };
        return unless(
            passes(step, &added) && now == before,
            step,
            "does not add itself, and pass the election on",
        );
    }
    let highest = seen.iter().last().unwrap_or(step.id);
    if highest == step.id {
        return unless(is_told(step, before, now), step, "has won and does not stand");
    }
    let winner = Message::Winner { leader: highest, seen: one(step.id) };
    unless(passes(step, &winner) && now == before, step, "does not name the highest collected")
}

/// What a node does that is told that it has won.
fn is_told(step: &Step, before: &State, now: &State) -> bool {
    if matches!(before.role, Role::Elect | Role::Leading) {
        return now == before && passes_nothing(step);
    }
    let attempt = Attempt { count: before.attempt.count + 1, ..before.attempt };
    let announcement = Message::Coordinator { leader: step.id, attempt, seen: one(step.id) };
    now.role == Role::Elect && now.attempt == attempt && passes(step, &announcement)
}

fn the_winner_stands(step: &Step) -> Verdict {
    let Some(now) = step.after else { return Ok(()) };
    let Some(before) = step.before else {
        let fresh = Attempt { start: step.incarnation, count: 0 };
        return unless(now.attempt == fresh, step, "starts with attempts of before");
    };
    match came(step) {
        Some(Message::Winner { leader, .. }) if *leader == step.id => {
            unless(is_told(step, before, now), step, "is told that it has won and does not stand")
        }
        Some(Message::Winner { leader, seen }) if *leader > step.id && !seen.contains(step.id) => {
            let told = Message::Winner { leader: *leader, seen: plus(*seen, step.id) };
            unless(passes(step, &told) && now == before, step, "does not pass on who has won")
        }
        Some(Message::Election { seen }) if seen.contains(step.id) => Ok(()),
        _ => {
            let stands = now.role == Role::Elect && before.role != Role::Elect;
            unless(!stands && now.attempt == before.attempt, step, "stands, and nobody told it to")
        }
    }
}

fn leads_when_announced(step: &Step) -> Verdict {
    let leads = |state: Option<&State>| state.is_some_and(|state| state.role == Role::Leading);
    let Some(now) = step.after else { return Ok(()) };
    let own = |msg: &Message, now: Attempt| match msg {
        Message::Coordinator { leader, attempt, .. } => *leader == step.id && *attempt == now,
        _ => false,
    };
    let is_round = step.before.is_some_and(|before| {
        before.role == Role::Elect && came(step).is_some_and(|msg| own(msg, before.attempt))
    });
    unless(!is_round || leads(step.after), step, "has been announced to all and does not lead")?;
    let begins = leads(step.after) && !leads(step.before);
    unless(!begins || is_round, step, "leads before its announcement has come round")?;
    if let Some(Message::Coordinator { leader, .. }) = came(step)
        && *leader == step.id
    {
        let rest = is_round || step.before == step.after;
        return unless(
            rest && passes_nothing(step),
            step,
            "does more than take its announcement off the ring",
        );
    }
    if expired(step) == Some(&Timer::Heartbeat) {
        let again = Message::Coordinator { leader: step.id, attempt: now.attempt, seen: one(step.id) };
        let repeats = passes(step, &again) && step.before == step.after;
        return unless(repeats, step, "does not repeat its announcement");
    }
    Ok(())
}

fn the_higher_is_followed(step: &Step) -> Verdict {
    let (Some(before), Some(now)) = (step.before, step.after) else { return Ok(()) };
    match came(step) {
        Some(Message::Coordinator { leader, attempt, seen })
            if *leader > step.id && !seen.contains(step.id) =>
        {
            let seen = plus(*seen, step.id);
            let on = passes(step, &Message::Coordinator { leader: *leader, attempt: *attempt, seen });
            let follows = now.role == Role::Following(*leader) && now.attempt == before.attempt;
            unless(on && follows, step, "does not follow a higher node, and pass its announcement on")
        }
        _ => {
            let follows = matches!(now.role, Role::Following(_)) && now.role != before.role;
            unless(!follows, step, "follows who did not announce itself")
        }
    }
}

fn taken_off_the_ring(step: &Step) -> Verdict {
    let Some((before, now)) = states(step) else { return Ok(()) };
    let (leader, seen) = match came(step) {
        Some(Message::Coordinator { leader, seen, .. } | Message::Winner { leader, seen }) => {
            (*leader, *seen)
        }
        _ => return Ok(()),
    };
    let is_due = leader < step.id || leader > step.id && seen.contains(step.id);
    let taken_off = now == before && passes_nothing(step);
    unless(!is_due || taken_off, step, "does not take off the ring what should go no further")
}

/// What becomes of a timer in a step.
enum Wait {
    /// It is set for that many ticks.
    Anew(u64),
    /// It runs on if it ran, and does not begin.
    Kept,
    Over,
}

fn timers_of_the_role(step: &Step) -> Verdict {
    let Some(now) = step.after else { return Ok(()) };
    let textbook = step.actor.variant == Variant::Textbook;
    let handed_on = passed(step).filter(|_| textbook);
    let skips = handed_on.map(|(to, message)| Timer::Skip { to, message: message.clone() });
    let known = step.timers_before.keys().chain(step.timers.keys()).cloned();
    for timer in skips.chain(known).chain([Timer::Monitor, Timer::Heartbeat]) {
        let wait = match &timer {
            Timer::Monitor if textbook => wait_for_a_leader(step, now),
            Timer::Monitor => wait_to_begin(step, now),
            Timer::Heartbeat => wait_to_repeat(step, now),
            Timer::Skip { to, message } => wait_for_an_acknowledgement(step, *to, message),
        };
        let before = step.timers_before.get(&timer).filter(|_| expired(step) != Some(&timer));
        let is_right = match (wait, step.timers.get(&timer)) {
            (Wait::Anew(ticks), Some(age)) => is_set(*age, ticks),
            (Wait::Anew(_), None) => false,
            (Wait::Kept, age) => age == before,
            (Wait::Over, age) => age.is_none(),
        };
        let runs = step.timers.get(&timer);
        unless(is_right, step, &format!("is {:?}, and its {timer:?} is {runs:?}", now.role))?;
    }
    Ok(())
}

/// Whether a timer has just been set for so many ticks, which are of 10 ms here; those of a scenario may be shorter.
fn is_set(age: Age, ticks: u64) -> bool {
    let shorter = u64::from(age.last) + 1 - u64::from(age.first);
    age.is_new(shorter * ticks, shorter * (ticks + 1) - 1)
}

/// The patience of a node: the lower it is, the more.
fn patience(step: &Step) -> u64 {
    let above = step.actor.nodes - (usize::from(step.id) + 1);
    step.actor.monitor + if step.actor.staggered { above as u64 } else { 0 }
}

fn is_first_start(step: &Step) -> bool {
    matches!(step.event, Event::Start) && step.incarnation == 0
}

/// Chang and Roberts: once it has begun, a node waits for nothing (C1).
fn wait_to_begin(step: &Step, now: &State) -> Wait {
    match now.role {
        Role::Searching if is_first_start(step) => Wait::Anew(patience(step)),
        Role::Searching => Wait::Kept,
        _ => Wait::Over,
    }
}

/// Textbook: whoever does not lead waits to hear of a leader, anew whenever it asks (T1), is asked while it does not stand
/// (T3), stands itself (T4), or hears of one (T6). If leaders are not watched, the first of these ends the wait for good.
fn wait_for_a_leader(step: &Step, now: &State) -> Wait {
    if is_first_start(step) {
        return Wait::Anew(patience(step));
    }
    let was = |is: fn(&Role) -> bool| step.before.is_some_and(|before| is(&before.role));
    let asks = recovers(step) || expired(step) == Some(&Timer::Monitor);
    let is_due = match came(step) {
        Some(Message::Election { seen }) if !seen.contains(step.id) => {
            was(|role| matches!(role, Role::Searching | Role::Following(_)))
        }
        Some(Message::Coordinator { leader, seen, .. }) => *leader > step.id && !seen.contains(step.id),
        _ => false,
    };
    let stands = now.role == Role::Elect && !was(|role| *role == Role::Elect);
    match asks || is_due || stands {
        true if step.actor.heartbeat > 0 => Wait::Anew(patience(step)),
        true => Wait::Over,
        false if now.role == Role::Leading => Wait::Over,
        false => Wait::Kept,
    }
}

/// A leader repeats itself, each time as long after the last.
fn wait_to_repeat(step: &Step, now: &State) -> Wait {
    if now.role != Role::Leading || step.actor.heartbeat == 0 || step.actor.variant != Variant::Textbook {
        return Wait::Over;
    }
    let led = step.before.is_some_and(|before| before.role == Role::Leading);
    if led && expired(step) != Some(&Timer::Heartbeat) {
        return Wait::Kept;
    }
    Wait::Anew(step.actor.heartbeat)
}

/// An acknowledgement comes within its tick, or never; it ends the wait for itself alone (T2).
fn wait_for_an_acknowledgement(step: &Step, to: Id, message: &Message) -> Wait {
    if passed(step).any(|sent| sent == (to, message)) {
        return Wait::Anew(1);
    }
    match delivered(step) {
        Some((src, Message::Ack { of })) if src == to && **of == *message => Wait::Over,
        _ => Wait::Kept,
    }
}

// ---- What scenarios mean to reach ----

const fn goal(name: &'static str, meaning: &'static str, is: fn(&Step) -> bool) -> Goal<Ring> {
    Goal { name, meaning, reached: Reached::Step(is) }
}

/// The role of a node before a step that it took to its end.
fn was(step: &Step, is: fn(Role) -> bool) -> bool {
    step.after.is_some() && step.before.is_some_and(|state| is(state.role))
}

fn becomes(step: &Step, role: Role) -> bool {
    step.after.is_some_and(|now| now.role == role) && step.before.is_some_and(|before| before.role != role)
}

fn is_follower(role: Role) -> bool {
    matches!(role, Role::Following(_))
}

/// A higher node's announcement comes to a node in such a role, which then follows it.
fn gives_way(step: &Step, is: fn(Role) -> bool) -> bool {
    matches!(came(step), Some(Message::Coordinator { .. } | Message::Elected { .. }))
        && was(step, is)
        && step.after.is_some_and(|now| is_follower(now.role))
        && !passes_nothing(step)
}

fn comes(step: &Step, is: fn(&Message, Id) -> bool) -> bool {
    step.after.is_some() && came(step).is_some_and(|msg| is(msg, step.id))
}

pub(super) fn goals() -> Vec<Goal<Ring>> {
    vec![
        goal("first-wait-ends", "A node that has heard of no leader begins.", |s| {
            expired(s) == Some(&Timer::Monitor) && was(s, |r| r == Role::Searching)
        }),
        goal("leader-missed", "A follower misses its leader.", |s| {
            expired(s) == Some(&Timer::Monitor) && was(s, is_follower)
        }),
        goal(
            "attempt-given-up",
            "A node that stands hears no more of its announcement, and asks again.",
            |s| expired(s) == Some(&Timer::Monitor) && was(s, |r| r == Role::Elect),
        ),
        goal("recovered", "A node recovers, and begins.", |s| recovers(s) && !s.sends.is_empty()),
        goal("number-passed", "A higher number passes.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number > id))
        }),
        goal("number-replaced", "A smaller number is replaced by the node's own.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number < id))
                && !s.sends.is_empty()
        }),
        goal("number-swallowed", "A smaller number is swallowed.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number < id))
                && was(s, |r| r == Role::Participating)
        }),
        goal("number-came-round", "A node's own number comes round.", |s| {
            comes(s, |m, id| matches!(m, Message::Candidate { number } if *number == id))
        }),
        goal("leader-competes-again", "A leader takes part in an election again.", |s| {
            was(s, |r| r == Role::Leading) && becomes(s, Role::Participating)
        }),
        goal("followed", "A node follows who announced itself, and passes that on.", |s| {
            gives_way(s, |_| true)
        }),
        goal("searcher-follows", "A node that knew of no leader follows one.", |s| {
            gives_way(s, |r| r == Role::Searching)
        }),
        goal("participant-follows", "A participant follows the winner.", |s| {
            gives_way(s, |r| r == Role::Participating)
        }),
        goal("heard-again", "A follower hears its leader again.", |s| {
            gives_way(s, is_follower) && s.before == s.after
        }),
        goal("leader-replaced", "A follower follows another leader than before.", |s| {
            gives_way(s, is_follower) && s.before != s.after
        }),
        goal("leader-stops", "A leader stops for a higher one.", |s| gives_way(s, |r| r == Role::Leading)),
        goal("winner-stops", "A node that stands follows a higher one.", |s| {
            gives_way(s, |r| r == Role::Elect)
        }),
        goal("skipped", "A message is handed on past a dead node.", |s| {
            matches!(expired(s), Some(Timer::Skip { .. })) && !s.sends.is_empty() && came(s).is_none()
        }),
        goal("alone", "A message comes round to a node that has skipped all others.", |s| {
            matches!(expired(s), Some(Timer::Skip { .. })) && came(s).is_some()
        }),
        goal(
            "died-in-between",
            "A node dies having passed a message on, and before it has acknowledged it.",
            |s| {
                let has_acknowledged = s.sends.iter().any(|(_, msg)| matches!(msg, Message::Ack { .. }));
                s.after.is_none() && came(s).is_some() && !passes_nothing(s) && !has_acknowledged
            },
        ),
        goal("acknowledged", "An acknowledgement arrives.", |s| {
            matches!(delivered(s), Some((_, Message::Ack { .. })))
        }),
        goal("leader-collected", "An election passes a leader, which leads on.", |s| {
            comes(s, |m, id| matches!(m, Message::Election { seen } if !seen.contains(id)))
                && was(s, |r| r == Role::Leading)
        }),
        goal("election-came-round", "An election has been round.", |s| {
            comes(s, |m, id| matches!(m, Message::Election { seen } if seen.contains(id)))
        }),
        goal("winner-told", "The winner is told by another node.", |s| {
            comes(s, |m, id| matches!(m, Message::Winner { leader, .. } if *leader == id))
                && becomes(s, Role::Elect)
        }),
        goal("winner-told-again", "A node that stands or leads is told that it has won.", |s| {
            comes(s, |m, id| matches!(m, Message::Winner { leader, .. } if *leader == id))
                && was(s, |r| matches!(r, Role::Elect | Role::Leading))
        }),
        goal("winner-passed-on", "A node that is neither passes on who has won.", |s| {
            comes(s, |m, id| matches!(m, Message::Winner { leader, .. } if *leader > id))
                && !passes_nothing(s)
        }),
        goal("stands-after-a-failure", "A node stands for a second time since it started.", |s| {
            becomes(s, Role::Elect) && s.after.is_some_and(|now| now.attempt.count > 1)
        }),
        goal("announced", "A node's announcement has come round, and it leads.", |s| {
            becomes(s, Role::Leading)
        }),
        goal("stale-announcement", "An announcement of an earlier attempt comes round.", |s| {
            let own = |m: &Message, now: &State| match m {
                Message::Coordinator { leader, attempt, .. } => *leader == s.id && *attempt != now.attempt,
                _ => false,
            };
            came(s).is_some_and(|msg| s.after.is_some_and(|now| own(msg, now)))
        }),
        goal("repeated", "A leader repeats its announcement.", |s| {
            expired(s) == Some(&Timer::Heartbeat) && !s.sends.is_empty()
        }),
        goal("lower-swallowed", "A lower node's announcement is swallowed.", |s| {
            comes(s, |m, id| matches!(m, Message::Coordinator { leader, .. } if *leader < id))
        }),
        goal("orphan-taken-off", "A node takes off the ring what it has seen, of a higher node.", |s| {
            comes(
                s,
                |m, id| matches!(m, Message::Coordinator { leader, seen, .. } if *leader > id && seen.contains(id)),
            )
        }),
        goal("orphaned-news", "A node takes off the ring news of a winner that cannot be told.", |s| {
            comes(
                s,
                |m, id| matches!(m, Message::Winner { leader, seen } if *leader > id && seen.contains(id)),
            )
        }),
    ]
}
