//! Raft in the harness: nothing outside the actor matters to the pure election, and dead messages
//! are dead.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use oneleader::election::{Election, Setup};
use oneleader::liveness::obligations;
use oneleader::models::raft::{Message, Raft};
use oneleader::scenario::{Scenario, parse, start};
use oneleader::semantics::{Step, StepOf, System};
use stateright::actor::{ActorModel, ActorModelState, Envelope, Network};
use stateright::{Checker, Expectation, Model};

const MAX_TERM: u64 = 2;

fn within(_: &(), state: &ActorModelState<Raft>) -> bool {
    let terms = state.actor_states.iter().all(|server| server.persistent.term.0 <= MAX_TERM);
    let copies = match &state.network {
        Network::UnorderedNonDuplicating(bag) => bag.values().all(|&copies| copies <= 1),
        _ => true,
    };
    terms && copies
}

/// Without values, faults, memory and burial, the system is stateright's own actor model of the
/// same actors.
#[test]
fn the_pure_election_equals_the_actor_model() {
    let own = ActorModel::new((), ())
        .actors(
            Raft::build(&Setup::new(Raft::about(), 3)).expect("nothing is wrong with the defaults"),
        )
        .init_network(Network::<Message>::new_unordered_nonduplicating([]))
        .within_boundary(within)
        .property(Expectation::Always, "runs to its end", |_, _| true)
        .checker()
        .spawn_bfs()
        .join();
    let scenario = "[[scenario]]\nname = 'election'\nnodes = 3\nkeep_dead_messages = true\n\
                    bounds = { max_term = 2, max_copies = 1 }";
    let scenario = parse(scenario, Raft::about()).expect("a good scenario").swap_remove(0);
    let mut system: System<Raft> = scenario.system().expect("a good scenario");
    system.rules.remember = false;
    let ours = system.checker().spawn_bfs().join();
    assert_eq!(ours.unique_state_count(), own.unique_state_count());
    assert_eq!(ours.state_count(), own.state_count());
    assert_eq!((ours.unique_state_count(), ours.state_count()), (136_233, 468_886));
}

/// A message that `is_dead` gives up does nothing when it is delivered, and is given up for good:
/// checked in every state of a system that keeps its dead. Returns how many were met.
fn dead_messages_do_nothing_and_stay_dead(scenario: &str) -> usize {
    let text =
        format!("[[scenario]]\nname = 'dead'\nnodes = 3\nkeep_dead_messages = true\n{scenario}");
    let scenario = parse(&text, Raft::about()).expect("a good scenario").swap_remove(0);
    let system: System<Raft> = scenario.system().expect("a good scenario");
    let dead = |state: &<System<Raft> as Model>::State| -> BTreeSet<_> {
        let is_dead = |e: &Envelope<Message>| {
            let receiver = usize::from(e.dst);
            let server = state.nodes[receiver].state.as_deref();
            server
                .is_some_and(|server| system.actors[receiver].is_dead(e.dst, server, e.src, &e.msg))
        };
        state.network.distinct().into_iter().filter(is_dead).collect()
    };
    let hasher = RandomState::new();
    let (mut seen, mut ahead, mut met) = (BTreeSet::new(), vec![system.initial()], 0);
    while let Some(state) = ahead.pop() {
        if system.beyond(&state).is_some() || !seen.insert(hasher.hash_one(&state)) {
            continue;
        }
        let given_up = dead(&state);
        met += given_up.len();
        for envelope in given_up.iter().cloned() {
            let step = Step::Deliver { src: envelope.src, dst: envelope.dst, msg: envelope.msg };
            assert!(
                system.apply(&state, &step).is_none(),
                "{} has an effect\n{text}",
                system.name(&step)
            );
        }
        for (step, next) in system.successors(&state) {
            let still = dead(&next);
            let in_flight = next.network.distinct();
            for envelope in given_up.iter().filter(|e| in_flight.contains(e)) {
                let is_down = !next.nodes[usize::from(envelope.dst)].is_up();
                let step = system.name(&step);
                assert!(is_down || still.contains(envelope), "{step} revives {envelope:?}\n{text}");
            }
            ahead.push(next);
        }
    }
    met
}

const ELECTION: &str = "bounds = { max_term = 2, max_copies = 1, max_in_flight = 4 }\nfaults = { crashes = 1, restarts = 1 }";

#[test]
fn dead_messages_of_elections() {
    assert!(dead_messages_do_nothing_and_stay_dead(ELECTION) > 1000);
}

#[test]
fn dead_messages_of_logs() {
    let log =
        "options = { values = 1 }\nbounds = { max_term = 2, max_copies = 1, max_in_flight = 4 }";
    assert!(dead_messages_do_nothing_and_stay_dead(log) > 1000);
}

/// The argument need not hold for a server with a planted bug; where it does not, nothing may be
/// given up.
#[test]
fn dead_messages_of_elections_with_every_bug() {
    dead_messages_with_every_bug(0, "crashes = 1, restarts = 1, torn = true");
}

#[test]
fn dead_messages_of_logs_with_every_bug() {
    dead_messages_with_every_bug(2, "");
}

fn dead_messages_with_every_bug(values: u32, faults: &str) {
    for bug in Raft::about().bugs {
        let options = match bug.name {
            "former-candidate-forgets" | "leader-grants-pre-vote" => "pre_vote = true",
            name if name.starts_with("pre-vote") => "pre_vote = true",
            "changes-members-early" => "membership = 'single'",
            "union-quorum" => "membership = 'joint'",
            _ => "check_quorum = false",
        };
        dead_messages_do_nothing_and_stay_dead(&format!(
            "options = {{ values = {values}, {options} }}\nfaults = {{ {faults} }}\n\
             bounds = {{ max_term = 2, max_copies = 1, max_in_flight = 3 }}\nbug = '{}'",
            bug.name
        ));
    }
}

/// A server that takes entries from a leader of an earlier term tells it of a match in its own
/// term, and that leader may stand in this term by now: the answer is there before what it speaks
/// of.
#[test]
fn answers_to_a_candidate_that_may_yet_lead() {
    let start = "options = { values = 1 }\nfaults = { crashes = 1, restarts = 1 }\n\
                 bounds = { max_term = 2, max_copies = 1, max_in_flight = 10 }\nbug = 'accepts-stale-appends'\n\
                 start_steps = ['timeout n1 Election', 'deliver n1 -> n2 RequestVote { term: 1 }',\n\
                 'deliver n1 -> n3 RequestVote { term: 1 }', 'deliver n3 -> n1 Vote { term: 1 }',\n\
                 'choose n1 client = v1', 'timeout n2 Election', 'crash n1', 'restart n1', 'timeout n1 Election']";
    assert!(dead_messages_do_nothing_and_stay_dead(start) > 1000);
}

/// The steps of these names, from the start.
fn steps(system: &System<Raft>, names: &[&str]) -> Vec<StepOf<Raft>> {
    let mut state = system.initial();
    let take = |name: &&str| {
        let (step, next) = start::take_even_idle(system, &state, name).expect("it can be taken");
        state = next;
        step
    };
    names.iter().map(take).collect()
}

#[test]
fn a_lap_in_which_something_waits_is_not_fair() {
    let system: System<Raft> = Scenario::new("asynchronous", 3).system().expect("a good scenario");
    let run = steps(
        &system,
        &[
            "timeout n1 Election",
            "timeout n2 Election",
            "deliver n1 -> n2 RequestVote { term: 1 }",
            "timeout n3 Election",
            "deliver n1 -> n3 RequestVote { term: 1 }",
            "deliver n2 -> n3 RequestVote { term: 1 }",
            "deliver n2 -> n1 RequestVote { term: 1 }",
            "timeout n1 Election",
            "timeout n2 Election",
        ],
    );
    // After two steps four requests are on their way, and three timers run. All vote for
    // themselves, so no request changes anything.
    let (prefix, lap) = run.split_at(2);
    let without = |name: &str| {
        let lap: Vec<_> = lap.iter().filter(|step| system.name(step) != name).cloned().collect();
        obligations(&system, prefix, &lap)
    };
    let met = without("").expect("a fair lap");
    assert_eq!(met.len(), 7, "{met:?}");
    assert!(met.contains(&"n3's timer Election fires in step 4".to_string()), "{met:?}");
    let why = without("timeout n3 Election").expect_err("n3 waits");
    assert_eq!(why, "n3's timer Election never fires");
    let why = without("deliver n2 -> n1 RequestVote { term: 1 }").expect_err("it waits");
    assert_eq!(why, "n2 -> n1: RequestVote { term: 1 } is never delivered");
}
