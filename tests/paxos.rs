//! Paxos in the whole harness: that the messages it calls dead are dead.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use oneleader::election::Election;
use oneleader::models::paxos::{Message, Paxos, State};
use oneleader::scenario::{self, Scenario};
use oneleader::semantics::{System, SystemState};
use stateright::actor::{Actor, Id, Out, is_no_op};

/// Three nodes, two ballots, a crash and a restart, dead messages kept.
fn scenario(options: &str, faults: &str, bug: &str) -> Scenario {
    let bug = if bug.is_empty() { String::new() } else { format!("bug = \"{bug}\"") };
    let text = format!(
        "[[scenario]]\nname = \"dead\"\nnodes = 3\noptions = {{ proposers = 2, {options} }}\n\
         bounds = {{ max_term = 4 }}\nfaults = {{ {faults} }}\nkeep_dead_messages = true\n{bug}"
    );
    scenario::parse(&text, Paxos::about()).expect("a scenario").swap_remove(0)
}

/// The state in which a node would be right after a crash and a restart, perhaps with an empty
/// disk.
fn restarted(
    system: &System<Paxos>,
    state: &SystemState<Paxos>,
    node: usize,
    is_empty: bool,
) -> State {
    let disk = state.nodes[node].storage.as_deref().copied().filter(|_| !is_empty);
    system.actors[node].start(Id::from(node), 1, &disk, &mut Out::new())
}

fn has_effect(system: &System<Paxos>, dst: Id, at: &State, src: Id, msg: &Message) -> bool {
    let mut out = Out::new();
    let mut cow = Cow::Borrowed(at);
    system.actors[usize::from(dst)].on_msg(dst, &mut cow, src, msg.clone(), &mut out);
    !is_no_op(&cow, &out)
}

/// Dead is: without effect now, and dead after every step, crash and restart. Returns how many
/// messages were dead.
fn check(scenario: &Scenario, loses_disks: bool) -> Result<usize, String> {
    let system: Arc<System<Paxos>> = Arc::new(scenario.system().expect("a system"));
    let hash = RandomState::new();
    let mut seen = HashSet::from([hash.hash_one(system.initial())]);
    let mut queue = VecDeque::from([system.initial()]);
    let mut dead_messages = 0;
    while let Some(state) = queue.pop_front() {
        let mut dead = Vec::new();
        for envelope in state.network.distinct() {
            let (src, dst, msg) = (envelope.src, envelope.dst, &envelope.msg);
            let actor = &system.actors[usize::from(dst)];
            let Some(at) = state.nodes[usize::from(dst)].state.as_deref() else { continue };
            if actor.is_dead(dst, at, src, msg) {
                let after = restarted(&system, &state, usize::from(dst), loses_disks);
                if has_effect(&system, dst, at, src, msg) || !actor.is_dead(dst, &after, src, msg) {
                    return Err(format!("{src:?} -> {dst:?} {msg:?} at {at:?}"));
                }
                dead.push(envelope);
            }
        }
        dead_messages += dead.len();
        for (step, next) in system.successors(&state) {
            for envelope in &dead {
                let (src, dst, msg) = (envelope.src, envelope.dst, &envelope.msg);
                if let Some(at) = next.nodes[usize::from(dst)].state.as_deref()
                    && !system.actors[usize::from(dst)].is_dead(dst, at, src, msg)
                {
                    return Err(format!("{} revives {msg:?} at {at:?}", system.name(&step)));
                }
            }
            if system.beyond(&next).is_none() && seen.insert(hash.hash_one(&next)) {
                queue.push_back(next);
            }
        }
    }
    Ok(dead_messages)
}

const CRASH: &str = "crashes = 1, restarts = 1";

#[test]
fn dead_messages_stay_dead() {
    for (options, faults) in [
        ("learners = \"leader\"", CRASH),
        ("learners = \"first\"", CRASH),
        ("learners = \"all\"", ""),
        ("refusals = true", ""),
    ] {
        assert!(check(&scenario(options, faults, ""), false).expect(options) > 1000, "{options}");
    }
}

#[test]
fn dead_messages_stay_dead_with_every_bug() {
    for bug in Paxos::about().bugs {
        let learners = if bug.name == "overwrites-learned" { "all" } else { "leader" };
        let faults =
            if bug.name.starts_with("forgets") || bug.name == "reuses-ballot" { CRASH } else { "" };
        let scenario = scenario(&format!("learners = \"{learners}\""), faults, bug.name);
        if let Err(revived) = check(&scenario, false) {
            panic!("{}: {revived}", bug.name);
        }
    }
}

/// The test would notice: an acceptor whose disk is lost promises anew what it had promised.
#[test]
fn a_lost_disk_revives_the_dead() {
    assert!(check(&scenario("learners = \"leader\"", "", ""), true).is_err());
}
