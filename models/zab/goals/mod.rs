//! Goals of Zab: named transitions of the paper and of the election that a scenario can require.

mod broadcast;
mod connection;
mod discovery;
mod election;
mod runs;
mod synchronisation;

use std::collections::BTreeMap;

use super::Zab;
use super::message::{Message, Packet, Report, Timer};
use super::state::{Following, Leading, Looking, Role, State};
use super::witness::Witness;
use crate::election::{Event, Goal, NodeStep, Reached, Reign, Term};

/// The step that a goal checks.
type Step<'a> = NodeStep<'a, Zab>;

/// All goals, by phase.
pub(super) fn goals() -> Vec<Goal<Zab>> {
    [
        election::goals(),
        discovery::goals(),
        synchronisation::goals(),
        broadcast::goals(),
        connection::goals(),
        runs::goals(),
    ]
    .concat()
}

fn looking(server: Option<&State>) -> Option<&Looking> {
    match server.map(|server| &server.role) {
        Some(Role::Looking(looking)) => Some(looking),
        _ => None,
    }
}

fn following(server: Option<&State>) -> Option<&Following> {
    match server.map(|server| &server.role) {
        Some(Role::Following(following)) => Some(following),
        _ => None,
    }
}

fn leading(server: Option<&State>) -> Option<&Leading> {
    match server.map(|server| &server.role) {
        Some(Role::Leading(leading)) => Some(leading),
        _ => None,
    }
}

fn packet<'a>(step: &'a Step<'_>) -> Option<&'a Packet> {
    match &step.event {
        Event::Deliver { msg: Message::Packet { packet, .. }, .. } => Some(packet),
        _ => None,
    }
}

fn report<'a>(step: &'a Step<'_>) -> Option<&'a Report> {
    match &step.event {
        Event::Deliver { msg: Message::Report { report, .. }, .. } => Some(report),
        _ => None,
    }
}

fn says(step: &Step<'_>, what: impl Fn(&Message) -> bool) -> bool {
    step.sends.iter().any(|(_, msg)| what(msg))
}

fn times_out(step: &Step<'_>, timer: Timer) -> bool {
    matches!(step.event, Event::Timeout { timer: due } if *due == timer)
}

fn goes_back(step: &Step<'_>) -> bool {
    looking(step.before).is_none() && step.before.is_some() && looking(step.after).is_some()
}

/// A goal that a step reaches.
fn step(name: &'static str, meaning: &'static str, reached: fn(&Step<'_>) -> bool) -> Goal<Zab> {
    Goal { name, meaning, reached: Reached::Step(reached) }
}

/// A goal that a run reaches.
fn past(
    name: &'static str,
    meaning: &'static str,
    reached: fn(&BTreeMap<Term, Reign>, &Witness) -> bool,
) -> Goal<Zab> {
    Goal { name, meaning, reached: Reached::Past(reached) }
}
