//! What must hold on the ring: properties of who leads, and the rules of the README, each told again over single steps.

use std::collections::BTreeMap;

use stateright::actor::Id;

use super::{Attempt, Message, Ring, Role, State, Timer, Variant};
use crate::election::{Check, Event, Invariant, NodeSet, NodeStep, node_name};

/// What is remembered of a run of the textbook ring. Chang and Roberts' needs no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    up: NodeSet,
    /// For each node that leads, or has announced itself: the higher nodes that have been up ever since it did.
    above: BTreeMap<Id, NodeSet>,
    /// Who leads now.
    leading: NodeSet,
    /// Whether some node has ever crashed.
    crashed: bool,
}

impl Witness {
    pub fn after(&self, step: &NodeStep<'_, Ring>) -> Option<Self> {
        if step.actor.variant == Variant::ChangRoberts {
            return None;
        }
        let mut now = self.clone();
        let id = step.id;
        let Some(after) = step.after else {
            now.crashed = true;
            now.up = without(self.up, id);
            now.leading = without(self.leading, id);
            now.above.remove(&id);
            now.above.values_mut().for_each(|higher| *higher = without(*higher, id));
            return Some(now);
        };
        now.up.insert(id);
        now.leading = match after.role {
            Role::Leading => with(self.leading, id),
            _ => without(self.leading, id),
        };
        let attempts = step.before.map_or(0, |before| before.attempt.count);
        if !matches!(after.role, Role::Elect | Role::Leading) {
            now.above.remove(&id);
        } else if after.attempt.count > attempts {
            now.above.insert(id, self.up.iter().filter(|other| *other > id).collect());
        }
        (now != *self).then_some(now)
    }
}

fn without(set: NodeSet, id: Id) -> NodeSet {
    set.iter().filter(|other| *other != id).collect()
}

fn with(mut set: NodeSet, id: Id) -> NodeSet {
    set.insert(id);
    set
}

pub fn all() -> Vec<Invariant<Ring>> {
    vec![
        Invariant::new(
            "highest-leads",
            "Whoever leads is the highest: of all nodes (Chang and Roberts 1979), or (textbook) of those that have been up \
             since it announced itself. The textbooks say `of the living`, and mean that nobody dies or returns meanwhile.",
            Check::NodeWitness(highest_leads),
        )
        .needing(&["elected"]),
        Invariant::new(
            "follows-higher",
            "A node follows only nodes with a higher identifier than its own: the highest wins (Chang and Roberts \
             1979).",
            Check::Node(follows_higher),
        )
        .needing(&["followed"]),
        Invariant::new(
            "only-claimants-announce",
            "An announcement comes from who leads, or has won and is about to; everybody else only passes it on \
             (T4, C4).",
            Check::Step(only_claimants_announce),
        )
        .needing(&["elected"]),
        Invariant::new(
            "goes-round-by-the-rules",
            "What a node becomes and sends is what the rules T1 to T8, or C1 to C5, say; and while nobody has died, nobody \
             misses a leader that leads (T1).",
            Check::Step(goes_round_by_the_rules),
        ),
    ]
}

fn highest_leads(node: &Ring, id: Id, state: &State, witness: &Witness) -> Result<(), String> {
    if state.role != Role::Leading {
        return Ok(());
    }
    let higher: Option<Id> = match node.variant {
        Variant::ChangRoberts => (usize::from(id) + 1..node.nodes).map(Id::from).last(),
        Variant::Textbook => witness.above.get(&id).and_then(|higher| higher.iter().last()),
    };
    match higher {
        None => Ok(()),
        Some(higher) => {
            Err(format!("{} leads, {} is higher and was there", node_name(id), node_name(higher)))
        }
    }
}

fn follows_higher(_: &Ring, id: Id, state: &State) -> Result<(), String> {
    match state.role {
        Role::Following(leader) if leader < id => {
            Err(format!("{} follows {}, which is lower", node_name(id), node_name(leader)))
        }
        _ => Ok(()),
    }
}

fn only_claimants_announce(_: &Witness, step: &NodeStep<'_, Ring>) -> Result<(), String> {
    let is_claimant = |state: &State| match step.actor.variant {
        Variant::ChangRoberts => state.role == Role::Leading,
        Variant::Textbook => matches!(state.role, Role::Elect | Role::Leading),
    };
    let claims = step.after.or(step.cut_short).is_some_and(is_claimant);
    // Whose announcement the node was handed, or held because it was not acknowledged.
    let held = match &step.event {
        Event::Deliver { msg, .. } => announced(msg),
        Event::Timeout { timer: Timer::Skip { message, .. } } => announced(message),
        _ => None,
    };
    for (_, msg) in step.sends {
        if let Some(leader) = announced(msg)
            && held != Some(leader)
            && !(leader == step.id && claims)
        {
            return Err(format!("{} announces that {} leads", node_name(step.id), node_name(leader)));
        }
    }
    Ok(())
}

fn announced(msg: &Message) -> Option<Id> {
    match msg {
        Message::Elected { number } => Some(*number),
        Message::Coordinator { leader, .. } => Some(*leader),
        _ => None,
    }
}

/// A node's state after a step, and what it sends, in order.
type Outcome = (State, Vec<(Id, Message)>);

fn goes_round_by_the_rules(witness: &Witness, step: &NodeStep<'_, Ring>) -> Result<(), String> {
    let Some(after) = step.after else { return Ok(()) };
    if let (Event::Timeout { timer: Timer::Monitor }, Some(Role::Following(leader))) =
        (&step.event, step.before.map(|before| before.role))
        && !witness.crashed
        && witness.leading.contains(leader)
    {
        // What a dying node holds is lost, and a live leader may go unheard; but only then.
        return Err(format!(
            "{} misses {}, which leads, though nobody has died",
            node_name(step.id),
            node_name(leader)
        ));
    }
    let (rule, outcome) = match (step.actor.variant, step.before, &step.event) {
        (Variant::ChangRoberts, before, event) => chang_roberts(step, before, event),
        (Variant::Textbook, before, event) => textbook(step, before, event),
    };
    match outcome {
        Some((state, sends)) if state == *after && sends == step.sends => Ok(()),
        Some((state, sends)) => Err(format!(
            "by {rule}, {} becomes {state:?} and sends {sends:?}; it became {after:?} and sent {:?}",
            node_name(step.id),
            step.sends
        )),
        None => {
            Err(format!("by {rule}, nothing happens at {} that is {:?}", node_name(step.id), step.before))
        }
    }
}

fn successor(step: &NodeStep<'_, Ring>, id: Id) -> Id {
    let next = usize::from(id) + 1;
    Id::from(if next == step.actor.nodes { 0 } else { next })
}

/// C1 to C5. A node's number is its identifier.
fn chang_roberts(
    step: &NodeStep<'_, Ring>,
    before: Option<&State>,
    event: &Event<'_, Ring>,
) -> (&'static str, Option<Outcome>) {
    let own = step.id;
    let attempt = Attempt { start: step.incarnation, count: 0 };
    let becomes = |role| State { role, attempt: before.map_or(attempt, |before| before.attempt) };
    let says = |msg| vec![(successor(step, own), msg)];
    let competes = Some((becomes(Role::Participating), says(Message::Candidate { number: own })));
    match (event, before) {
        (Event::Start, _) if step.incarnation == 0 => ("C1", Some((becomes(Role::Searching), Vec::new()))),
        (Event::Start, _) => ("C1", competes),
        (Event::Timeout { timer: Timer::Monitor }, Some(State { role: Role::Searching, .. })) => {
            ("C1", competes)
        }
        (Event::Deliver { msg: Message::Candidate { number }, .. }, Some(_)) if *number > own => {
            ("C2", Some((becomes(Role::Participating), says(Message::Candidate { number: *number }))))
        }
        (Event::Deliver { msg: Message::Candidate { number }, .. }, Some(before)) if *number < own => {
            let takes_part = before.role == Role::Participating;
            ("C3", if takes_part { Some((before.clone(), Vec::new())) } else { competes })
        }
        (Event::Deliver { msg: Message::Candidate { number }, .. }, Some(_)) => {
            ("C4", Some((becomes(Role::Leading), says(Message::Elected { number: *number }))))
        }
        (Event::Deliver { msg: Message::Elected { number }, .. }, Some(before)) => match *number == own {
            true => ("C5", Some((before.clone(), Vec::new()))),
            false => {
                let tells = says(Message::Elected { number: *number });
                ("C5", Some((becomes(Role::Following(*number)), tells)))
            }
        },
        _ => ("C1", None),
    }
}

/// T1 to T8.
fn textbook(
    step: &NodeStep<'_, Ring>,
    before: Option<&State>,
    event: &Event<'_, Ring>,
) -> (&'static str, Option<Outcome>) {
    let id = step.id;
    let next = successor(step, id);
    let asks = vec![(next, Message::Election { seen: with(NodeSet::default(), id) })];
    let fresh = State { role: Role::Searching, attempt: Attempt { start: step.incarnation, count: 0 } };
    let Some(before) = before else {
        return ("T1", Some((fresh, if step.incarnation == 0 { Vec::new() } else { asks })));
    };
    match event {
        // A leader waits for nobody.
        Event::Timeout { timer: Timer::Monitor } if before.role != Role::Leading => {
            ("T1", Some((State { role: Role::Searching, ..before.clone() }, asks)))
        }
        Event::Timeout { timer: Timer::Heartbeat } if before.role == Role::Leading => {
            ("T5", Some((before.clone(), vec![(next, announcement(id, before.attempt))])))
        }
        Event::Timeout { timer: Timer::Skip { to, message } } => match successor(step, *to) {
            // All others are dead: the message has been round.
            to if to == id => {
                let (rule, state, says) = meets(id, before, message);
                (rule, Some((state, says.map(|msg| (next, msg)).into_iter().collect())))
            }
            to => ("T2", Some((before.clone(), vec![(to, message.clone())]))),
        },
        Event::Deliver { msg: Message::Ack { .. }, .. } => ("T2", Some((before.clone(), Vec::new()))),
        Event::Deliver { src, msg } => {
            let (rule, state, says) = meets(id, before, msg);
            let mut sends: Vec<_> = says.map(|msg| (next, msg)).into_iter().collect();
            sends.push((*src, Message::Ack { of: Box::new((*msg).clone()) }));
            (rule, Some((state, sends)))
        }
        _ => ("T1", None),
    }
}

fn announcement(id: Id, attempt: Attempt) -> Message {
    Message::Coordinator { leader: id, attempt, seen: with(NodeSet::default(), id) }
}

/// T3 to T8: what a node becomes that meets a message, and what it says to the next.
fn meets(id: Id, before: &State, msg: &Message) -> (&'static str, State, Option<Message>) {
    let same = before.clone();
    let wins = |rule| match before.role {
        Role::Elect | Role::Leading => (rule, before.clone(), None),
        _ => {
            let Attempt { start, count } = before.attempt;
            let attempt = Attempt { start, count: count + 1 };
            (rule, State { role: Role::Elect, attempt }, Some(announcement(id, attempt)))
        }
    };
    match msg {
        Message::Election { seen } if !seen.contains(id) => {
            ("T3", same, Some(Message::Election { seen: with(*seen, id) }))
        }
        Message::Election { seen } => match seen.iter().last() {
            Some(highest) if highest != id => {
                let told = Message::Winner { leader: highest, seen: with(NodeSet::default(), id) };
                ("T3", same, Some(told))
            }
            _ => wins("T4"),
        },
        Message::Winner { leader, .. } if *leader == id => wins("T4"),
        Message::Winner { leader, seen } if *leader > id && !seen.contains(id) => {
            ("T3", same, Some(Message::Winner { leader: *leader, seen: with(*seen, id) }))
        }
        Message::Coordinator { leader, attempt, .. } if *leader == id => {
            let has_come_round = before.role == Role::Elect && *attempt == before.attempt;
            ("T5", if has_come_round { State { role: Role::Leading, ..same } } else { same }, None)
        }
        Message::Coordinator { leader, attempt, seen } if *leader > id && !seen.contains(id) => {
            let passes = Message::Coordinator { leader: *leader, attempt: *attempt, seen: with(*seen, id) };
            ("T6", State { role: Role::Following(*leader), ..same }, Some(passes))
        }
        _ => ("T7 and T8", same, None),
    }
}
