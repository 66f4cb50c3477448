//! What Multi-Paxos claims to be dead is held against its handlers.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use oneleader::election::{Election, Event};
use oneleader::models::multipaxos::{Message, MultiPaxos};
use oneleader::scenario::Scenario;
use oneleader::semantics::System;
use oneleader::semantics::node::{self, Clock, NodeOf};
use stateright::actor::{Actor, Id, Out};

/// Local states, and messages with receiver and sender.
type Met = (Vec<(Id, Arc<NodeOf<MultiPaxos>>)>, BTreeSet<(Id, Id, Message)>);

/// What some random runs meet.
fn meet(system: &System<MultiPaxos>, runs: usize, steps: usize) -> Met {
    let hasher = RandomState::new();
    let mut random = 88172645463325252_u64;
    let (mut seen, mut nodes, mut messages) = (HashSet::new(), Vec::new(), BTreeSet::new());
    for _ in 0..runs {
        let mut state = system.initial();
        for _ in 0..steps {
            for (i, node) in state.nodes.iter().enumerate().filter(|(_, node)| node.is_up()) {
                if seen.insert(hasher.hash_one((i, node))) {
                    nodes.push((Id::from(i), node.clone()));
                }
            }
            messages.extend(state.network.heads().into_iter().map(|e| (e.dst, e.src, e.msg)));
            let mut next: Vec<_> =
                system.successors(&state).into_iter().map(|(_, next)| next).collect();
            next.retain(|next| system.beyond(next).is_none());
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            match next.len() {
                0 => break,
                n => state = next.swap_remove((random % n as u64) as usize),
            }
        }
    }
    (nodes, messages)
}

/// A dead message does nothing, and stays dead whatever its receiver does next: hears, times out,
/// takes an input, restarts. Held against every meeting of a local state and a message, also of
/// those that never meet.
fn dead_messages_stay_dead(options: &str, bug: Option<&str>) -> usize {
    let mut scenario = Scenario::new("dead", 3);
    scenario.options = options.parse().unwrap();
    scenario.bug = bug.map(str::to_string);
    scenario.bounds.max_term = Some(6);
    scenario.bounds.max_copies = Some(1);
    scenario.faults.crashes = 1;
    scenario.faults.restarts = 1;
    scenario.keep_dead_messages = true;
    let system = scenario.system::<MultiPaxos>().unwrap();
    let (nodes, messages) = meet(&system, 200, 60);
    let mut dead = 0;
    for (id, node) in nodes {
        let actor = &system.actors[usize::from(id)];
        let state = node.state.as_deref().unwrap();
        let heard: Vec<_> = messages.iter().filter(|(dst, ..)| *dst == id).collect();
        let mut next: Vec<_> = heard
            .iter()
            .map(|(_, src, msg)| Event::Deliver { src: *src, msg })
            .chain(node.timers.keys().map(|timer| Event::Timeout { timer }))
            .chain(node.choices.iter().flat_map(|(key, values)| {
                values.iter().map(move |value| Event::Choose { key, value })
            }))
            .map(|event| node::react(actor, id, &node, &event, Clock::Absent).node)
            .collect();
        next.push(
            node::start(&node.crashed(), Clock::Absent, |disk, out| {
                actor.start(id, node.incarnation + 1, disk, out)
            })
            .node,
        );
        for (_, src, msg) in
            heard.iter().filter(|(_, src, msg)| actor.is_dead(id, state, *src, msg))
        {
            let (mut after, mut out) = (Cow::Borrowed(state), Out::new());
            actor.on_msg(id, &mut after, *src, msg.clone(), &mut out);
            assert!(
                matches!(after, Cow::Borrowed(_)) && out.is_empty(),
                "{msg:?} is not dead to {state:?}"
            );
            for next in next.iter().filter_map(|next| next.state.as_deref()) {
                assert!(
                    actor.is_dead(id, next, *src, msg),
                    "{msg:?} is dead to {state:?} and not to {next:?}"
                );
            }
            dead += 1;
        }
    }
    dead
}

#[test]
fn dead_messages_stay_dead_with_heartbeats() {
    assert!(dead_messages_stay_dead("values = 2", None) > 1_000);
}

#[test]
fn dead_messages_stay_dead_without_heartbeats() {
    assert!(dead_messages_stay_dead("values = 2\nheartbeats = false", None) > 1_000);
}

#[test]
fn dead_messages_stay_dead_under_every_planted_bug() {
    for bug in MultiPaxos::about().bugs {
        dead_messages_stay_dead("values = 1\nheartbeats = false", Some(bug.name));
    }
}
