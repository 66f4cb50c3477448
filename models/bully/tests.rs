//! One test for each rule of the README, which calls the handlers directly.

use stateright::actor::{Command, is_no_op};

use super::*;

const N1: usize = 0;
const N2: usize = 1;
const N3: usize = 2;

/// Three nodes with default options.
fn setup() -> Setup {
    Setup::new(Bully::about(), 3)
}

fn node(setup: &Setup) -> Bully {
    Bully::build(setup).expect("a valid setup")[0].clone()
}

/// What a handler did: the role it left the node in, whom it sent what, which timers it set and
/// cancelled.
#[derive(Debug, PartialEq)]
struct Done {
    role: State,
    sent: Vec<(usize, Message)>,
    set: Vec<Timer>,
    cancelled: Vec<Timer>,
}

fn done(role: State, out: Out<Bully>) -> Done {
    let mut done = Done { role, sent: vec![], set: vec![], cancelled: vec![] };
    for command in out {
        match command {
            Command::Send(dst, msg) => done.sent.push((dst.into(), msg)),
            Command::SetTimer(timer, _) => done.set.push(timer),
            Command::CancelTimer(timer) => done.cancelled.push(timer),
            other => panic!("a node neither saves nor chooses: {other:?}"),
        }
    }
    done
}

fn deliver(node: &Bully, id: usize, role: State, src: usize, msg: Message) -> Done {
    let (mut state, mut out) = (Cow::Owned(role), Out::new());
    node.on_msg(id.into(), &mut state, src.into(), msg, &mut out);
    done(*state, out)
}

fn timeout(node: &Bully, id: usize, role: State, timer: Timer) -> Done {
    let (mut state, mut out) = (Cow::Owned(role), Out::new());
    node.on_timeout(id.into(), &mut state, &timer, &mut out);
    done(*state, out)
}

fn recover(node: &Bully, id: usize) -> Done {
    let mut out = Out::new();
    let role = node.start(id.into(), 1, &None, &mut out);
    done(role, out)
}

fn following(leader: usize) -> State {
    State::Following(leader.into())
}

#[test]
fn at_its_first_start_a_node_only_waits() {
    let mut out = Out::new();
    let role = node(&setup()).start(N3.into(), 0, &None, &mut out);
    let expected =
        Done { role: State::Idle, sent: vec![], set: vec![Timer::Coordinator], cancelled: vec![] };
    assert_eq!(done(role, out), expected);
}

#[test]
fn rule_1_an_election_asks_every_higher_node() {
    let done = timeout(&node(&setup()), N1, State::Idle, Timer::Coordinator);
    assert_eq!(done.sent, [(N2, Message::Election), (N3, Message::Election)]);
    assert_eq!((done.role, done.set), (State::Electing, vec![Timer::Answer]));
}

#[test]
fn rule_1_the_highest_node_wins_without_asking() {
    let done = timeout(&node(&setup()), N3, State::Idle, Timer::Coordinator);
    assert_eq!(done.sent, [(N1, Message::Coordinator), (N2, Message::Coordinator)]);
    assert_eq!((done.role, done.set), (State::Leading, vec![Timer::Heartbeat]));
}

#[test]
fn rule_2_a_higher_node_answers_and_holds_its_own_election() {
    for (role, timer) in [(State::Idle, Timer::Coordinator), (following(N3), Timer::Monitor)] {
        let done = deliver(&node(&setup()), N2, role, N1, Message::Election);
        assert_eq!(done.sent, [(N1, Message::Answer), (N3, Message::Election)]);
        assert_eq!((done.role, done.cancelled), (State::Electing, vec![timer]));
    }
}

#[test]
fn rule_2_a_node_that_holds_an_election_answers_and_holds_no_second_one() {
    for role in [State::Electing, State::Waiting] {
        let done = deliver(&node(&setup()), N2, role, N1, Message::Election);
        assert_eq!(
            done,
            Done { role, sent: vec![(N1, Message::Answer)], set: vec![], cancelled: vec![] }
        );
    }
}

#[test]
fn rule_3_an_answer_makes_a_node_wait_for_a_coordinator() {
    let done = deliver(&node(&setup()), N1, State::Electing, N2, Message::Answer);
    assert_eq!((done.role, done.set), (State::Waiting, vec![Timer::Coordinator]));
    assert_eq!(done.cancelled, [Timer::Answer]);
}

#[test]
fn rule_3_a_late_answer_changes_nothing() {
    for role in [State::Idle, State::Waiting, following(N3), State::Leading] {
        let (mut state, mut out) = (Cow::Borrowed(&role), Out::new());
        node(&setup()).on_msg(N1.into(), &mut state, N2.into(), Message::Answer, &mut out);
        assert!(is_no_op(&state, &out), "{role:?}");
    }
}

#[test]
fn rule_4_a_node_that_nobody_answered_announces_itself() {
    let done = timeout(&node(&setup()), N2, State::Electing, Timer::Answer);
    assert_eq!(done.sent, [(N1, Message::Coordinator), (N3, Message::Coordinator)]);
    assert_eq!((done.role, done.set), (State::Leading, vec![Timer::Heartbeat]));
}

#[test]
fn rule_4_as_coulouris_has_it_only_lower_nodes_are_told() {
    let setup = setup().with("announce_to", Value::Text("lower"));
    let done = timeout(&node(&setup), N2, State::Electing, Timer::Answer);
    assert_eq!(done.sent, [(N1, Message::Coordinator)]);
}

#[test]
fn rule_5_a_higher_coordinator_is_followed_whatever_the_node_was_doing() {
    for (role, timer) in [
        (State::Idle, Timer::Coordinator),
        (State::Electing, Timer::Answer),
        (State::Waiting, Timer::Coordinator),
        (State::Leading, Timer::Heartbeat),
    ] {
        let done = deliver(&node(&setup()), N2, role, N3, Message::Coordinator);
        assert_eq!(
            done,
            Done {
                role: following(N3),
                sent: vec![],
                set: vec![Timer::Monitor],
                cancelled: vec![timer]
            }
        );
    }
}

#[test]
fn rule_5_a_repeated_announcement_restarts_the_monitor() {
    let done = deliver(&node(&setup()), N1, following(N3), N3, Message::Coordinator);
    assert_eq!(
        done,
        Done { role: following(N3), sent: vec![], set: vec![Timer::Monitor], cancelled: vec![] }
    );
}

#[test]
fn rule_6_a_lower_coordinator_is_answered_by_an_election() {
    let done = deliver(&node(&setup()), N2, following(N3), N1, Message::Coordinator);
    assert_eq!((done.role, done.sent), (State::Electing, vec![(N3, Message::Election)]));
    let done = deliver(&node(&setup()), N3, State::Leading, N1, Message::Coordinator);
    assert_eq!((done.role, done.sent.len()), (State::Leading, 2));
}

#[test]
fn rule_7_every_wait_for_a_coordinator_ends_in_an_election() {
    for (role, timer) in [
        (State::Idle, Timer::Coordinator),
        (State::Waiting, Timer::Coordinator),
        (following(N3), Timer::Monitor),
    ] {
        let done = timeout(&node(&setup()), N2, role, timer);
        assert_eq!((done.role, done.sent), (State::Electing, vec![(N3, Message::Election)]));
    }
}

#[test]
fn rule_8_recovery_begins_with_an_election() {
    assert_eq!(recover(&node(&setup()), N2).role, State::Electing);
    assert_eq!(recover(&node(&setup()), N3).role, State::Leading);
}

#[test]
fn with_quorums_a_winner_leads_once_a_majority_accepts_it() {
    let setup = setup().with("quorum", Value::Text("majority"));
    let node = node(&setup);
    let claiming = |ids: &[usize]| State::Claiming(ids.iter().map(|&i| Id::from(i)).collect());
    let done = timeout(&node, N2, State::Electing, Timer::Answer);
    assert_eq!(done.sent, [(N1, Message::Coordinator), (N3, Message::Coordinator)]);
    assert_eq!((done.role, done.set), (claiming(&[N2]), vec![Timer::Heartbeat]));
    assert_eq!(deliver(&node, N2, claiming(&[N2]), N1, Message::Accept).role, State::Leading);

    let five = Bully { nodes: 5, ..node.clone() };
    assert_eq!(deliver(&five, N2, claiming(&[N2]), N1, Message::Accept).role, claiming(&[N1, N2]));
    assert_eq!(
        deliver(&five, N2, claiming(&[N1, N2]), N1, Message::Accept).role,
        claiming(&[N1, N2])
    );
    assert_eq!(
        timeout(&node, N2, claiming(&[N2]), Timer::Heartbeat).sent.len(),
        2,
        "it claims again"
    );
    for role in [State::Electing, following(N3), State::Leading] {
        let done = deliver(&node, N2, role, N1, Message::Accept);
        assert_eq!(done, Done { role, sent: vec![], set: vec![], cancelled: vec![] });
    }
}

#[test]
fn with_quorums_whoever_follows_says_so() {
    let node = node(&setup().with("quorum", Value::Text("majority")));
    for role in [State::Electing, following(N3), State::Leading] {
        let done = deliver(&node, N2, role, N3, Message::Coordinator);
        assert_eq!((done.role, done.sent), (following(N3), vec![(N3, Message::Accept)]));
    }
}

#[test]
fn a_leader_repeats_its_announcement() {
    let done = timeout(&node(&setup()), N3, State::Leading, Timer::Heartbeat);
    assert_eq!(done.sent, [(N1, Message::Coordinator), (N2, Message::Coordinator)]);
    assert_eq!(done.set, [Timer::Heartbeat]);
}

#[test]
fn without_heartbeats_a_leader_speaks_once_and_nobody_watches_it() {
    let node = node(&setup().with("heartbeat", Value::Number(0)));
    assert_eq!(timeout(&node, N3, State::Idle, Timer::Coordinator).set, []);
    assert_eq!(deliver(&node, N1, State::Idle, N3, Message::Coordinator).set, []);
}

#[test]
fn the_leader_needs_every_live_node_it_can_reach_or_a_majority() {
    let ids = |ids: &[usize]| ids.iter().map(|&i| Id::from(i)).collect::<NodeSet>();
    let without = node(&setup());
    assert!(without.is_quorum(&State::Leading, 3, ids(&[N1, N3]), ids(&[N1, N3])));
    assert!(!without.is_quorum(&State::Leading, 3, ids(&[N1, N2, N3]), ids(&[N1, N3])));
    let with = node(&setup().with("quorum", Value::Text("majority")));
    assert!(with.is_quorum(&State::Leading, 3, ids(&[N1, N2, N3]), ids(&[N1, N3])));
    assert!(!with.is_quorum(&State::Leading, 3, ids(&[N3]), ids(&[N3])));
}

// ---- Bugs that cost only the leader, so that no scenario sees them ----

#[test]
fn no_second_wait_leaves_an_answered_node_without_a_timer() {
    let node = node(&setup().with_bug("no-second-wait"));
    let done = deliver(&node, N1, State::Electing, N2, Message::Answer);
    assert_eq!(done.role, State::Waiting);
    assert!(done.cancelled.contains(&Timer::Coordinator), "its timer is set, and then cancelled");
}

#[test]
fn recovery_waits_until_somebody_speaks() {
    let node = node(&setup().with_bug("recovery-waits"));
    let silent = Done { role: State::Idle, sent: vec![], set: vec![], cancelled: vec![] };
    assert_eq!(recover(&node, N3), silent);
    let done = deliver(&node, N2, State::Idle, N1, Message::Election);
    assert_eq!(
        (done.role, done.sent),
        (State::Electing, vec![(N1, Message::Answer), (N3, Message::Election)])
    );
}

#[test]
fn late_answers_count_makes_a_leader_wait() {
    let done = deliver(
        &node(&setup().with_bug("late-answers-count")),
        N2,
        State::Leading,
        N3,
        Message::Answer,
    );
    assert_eq!((done.role, done.cancelled), (State::Waiting, vec![Timer::Heartbeat]));
}

#[test]
fn timeouts_that_would_take_the_living_for_dead_are_rejected() {
    let reason = |name, value| Bully::build(&setup().with(name, Value::Number(value))).unwrap_err();
    assert!(reason("answer", 0).starts_with("answer = 0"));
    assert!(reason("coordinator", 1).starts_with("coordinator = 1"));
    assert!(reason("heartbeat", 2).starts_with("monitor = 2"));
    assert!(reason("slack", 1).starts_with("coordinator = 2"));
}
