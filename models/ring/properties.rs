//! The properties of elections on a ring by name, with their meanings. The functions of those about
//! single steps are in [`rules`](super::rules).

use stateright::actor::Id;

use super::Ring;
use super::about::Variant;
use super::rules::timers::timers_of_the_role;
use super::rules::{Verdict, chang_roberts as c, textbook as t};
use super::state::{Role, State};
use crate::election::{Check, Invariant, node_name};

/// All properties, most important first.
pub(super) fn invariants() -> Vec<Invariant<Ring>> {
    [of_states(), of_chang_roberts(), of_textbook_elections(), of_textbook_leaders(), of_timers()]
        .concat()
}

/// A property of Chang and Roberts' election.
fn chang_roberts(name: &'static str, meaning: &'static str, check: Check<Ring>) -> Invariant<Ring> {
    Invariant::new(name, meaning, check)
        .with_setting("variant = chang-roberts", |nodes| nodes[0].variant == Variant::ChangRoberts)
}

/// A property of the textbooks' election.
fn textbook(name: &'static str, meaning: &'static str, check: Check<Ring>) -> Invariant<Ring> {
    Invariant::new(name, meaning, check)
        .with_setting("variant = textbook", |nodes| nodes[0].variant == Variant::Textbook)
}

/// A property of both elections.
fn of_states() -> Vec<Invariant<Ring>> {
    vec![Invariant::new(
        "follows-higher",
        "A node follows only nodes with a higher identifier than its own: the highest wins (Chang \
         and Roberts 1979).",
        Check::Node(follows_higher),
    )]
}

/// The theorem, and rules C1 to C5.
fn of_chang_roberts() -> Vec<Invariant<Ring>> {
    vec![
        chang_roberts(
            "only-the-highest-leads",
            "The node with the highest number of all, up or down, leads, and nobody else (Chang \
             and Roberts 1979, the theorem). Under any timing and any faults.",
            Check::Node(only_the_highest_leads),
        ),
        chang_roberts(
            "begins-with-its-number",
            "A node that knows of no leader when its first wait ends, or that recovers, puts its \
             own number on the ring and takes part (C1).",
            Check::Rule(c::begins_with_its_number),
        ),
        chang_roberts(
            "numbers-are-compared",
            "A node passes a higher number on, replaces or swallows a smaller one, and leads when \
             its own comes round (C2, C3, C4).",
            Check::Rule(c::numbers_are_compared),
        )
        .needing(&["number-came-round"]),
        chang_roberts(
            "the-elected-is-followed",
            "The winner's number goes round once: everybody else follows it and passes it on (C5).",
            Check::Rule(c::the_elected_is_followed),
        )
        .needing(&["followed"]),
    ]
}

/// The textbooks' theorem, and the rules until there is a winner (T1 to T3).
fn of_textbook_elections() -> Vec<Invariant<Ring>> {
    vec![
        textbook(
            "highest-leads",
            "Whenever time passes, a leader is higher than every other live node, except nodes that \
             have recovered and are about to be elected, or that still follow a node that has \
             died (Tanenbaum, van Steen). Holds only if time can be trusted.",
            Check::Pair(highest_leads),
        )
        .when_time_passes(),
        textbook(
            "silence-calls-an-election",
            "A node that misses a leader, or recovers, sends an ELECTION round that has only \
             itself in it; nobody else begins one (T1).",
            Check::Rule(t::silence_calls_an_election),
        ),
        textbook(
            "acknowledged-last",
            "A node acknowledges each message that goes round to its sender, once, after all else \
             that it does; nothing else is acknowledged, and an acknowledgement changes no role \
             (T2).",
            Check::Rule(t::acknowledged_last),
        ),
        textbook(
            "skips-only-the-dead",
            "A message goes to the successor; when nobody there acknowledges it, the same message \
             goes to the node after (T2).",
            Check::Rule(t::skips_only_the_dead),
        ),
        textbook(
            "elections-collect",
            "A node adds itself to an ELECTION and keeps its role; the winner of an ELECTION that \
             has been round is the highest node collected, and is told so if it is another than \
             the node where the round ends (T3).",
            Check::Rule(t::elections_collect),
        )
        .needing(&["election-came-round"]),
    ]
}

/// The textbooks' rules from the winner on (T4 to T8).
fn of_textbook_leaders() -> Vec<Invariant<Ring>> {
    vec![
        textbook(
            "the-winner-stands",
            "A node that is told that it has won begins a new attempt to lead and announces \
             itself, unless it stands or leads already; nobody else begins one (T4).",
            Check::Rule(t::the_winner_stands),
        ),
        textbook(
            "leads-when-announced",
            "A node that stands leads exactly when the announcement of its latest attempt has come \
             round; a leader repeats that announcement (T5).",
            Check::Rule(t::leads_when_announced),
        ),
        textbook(
            "the-higher-is-followed",
            "A node follows a higher node that announces itself, whatever it was doing, and passes \
             the announcement on, with itself added; nobody follows without an announcement (T6).",
            Check::Rule(t::the_higher_is_followed),
        )
        .needing(&["followed"]),
        textbook(
            "taken-off-the-ring",
            "A node takes an announcement, or the news for a winner, off the ring if the winner is \
             lower or the message has been at this node before; it changes nothing (T7, T8).",
            Check::Rule(t::taken_off_the_ring),
        ),
    ]
}

/// A property of both elections: which node waits, for what, and how long.
fn of_timers() -> Vec<Invariant<Ring>> {
    vec![Invariant::new(
        "timers-of-the-role",
        "A node waits for as long as the options say. In the textbook ring a node that does not \
         lead waits to hear of a leader, a leader waits to repeat its announcement, and each \
         message sent waits to be acknowledged (T1, T2, T3, T6). With Chang and Roberts a node \
         waits only before it begins (C1).",
        Check::Rule(timers_of_the_role),
    )]
}

fn follows_higher(_: &Ring, id: Id, state: &State) -> Verdict {
    match state.role {
        Role::Following(leader) if leader < id => {
            Err(format!("{} follows {}, which is lower", node_name(id), node_name(leader)))
        }
        _ => Ok(()),
    }
}

fn only_the_highest_leads(ring: &Ring, id: Id, state: &State) -> Verdict {
    if state.role == Role::Leading && usize::from(id) + 1 < ring.nodes {
        return Err(format!("{} leads and is not the highest", node_name(id)));
    }
    Ok(())
}

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
