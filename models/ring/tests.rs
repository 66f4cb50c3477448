//! One test for each rule of the README, which calls the handlers directly.

use stateright::actor::{Command, is_no_op};

use super::*;

const N1: usize = 0;
const N2: usize = 1;
const N3: usize = 2;

/// Three nodes of the textbook ring.
fn textbook() -> Setup {
    Setup::new(Ring::about(), 3)
}

fn chang_roberts() -> Setup {
    textbook().with("variant", Value::Text("chang-roberts"))
}

fn node(setup: &Setup) -> Ring {
    Ring::build(setup).expect("a valid setup")[0].clone()
}

fn id(i: usize) -> Id {
    i.into()
}

fn set(nodes: &[usize]) -> NodeSet {
    nodes.iter().map(|&i| id(i)).collect()
}

fn election(seen: &[usize]) -> Message {
    Message::Election { seen: set(seen) }
}

fn winner(leader: usize, seen: &[usize]) -> Message {
    Message::Winner { leader: id(leader), seen: set(seen) }
}

fn coordinator(leader: usize, count: u32, seen: &[usize]) -> Message {
    Message::Coordinator {
        leader: id(leader),
        attempt: Attempt { start: 0, count },
        seen: set(seen),
    }
}

fn candidate(number: usize) -> Message {
    Message::Candidate { number: id(number) }
}

fn elected(number: usize) -> Message {
    Message::Elected { number: id(number) }
}

fn state(role: Role) -> State {
    State { role, attempt: Attempt { start: 0, count: 1 } }
}

fn following(leader: usize) -> Role {
    Role::Following(id(leader))
}

/// What a handler did: the role it left the node in, whom it sent what besides acknowledgements,
/// what it set and cancelled.
#[derive(Debug)]
struct Done {
    state: State,
    sent: Vec<(usize, Message)>,
    acks: Vec<(usize, Message)>,
    set: Vec<Timer>,
    cancelled: Vec<Timer>,
}

fn done(state: State, out: Out<Ring>) -> Done {
    let mut done = Done { state, sent: vec![], acks: vec![], set: vec![], cancelled: vec![] };
    for command in out {
        match command {
            Command::Send(dst, Message::Ack { of }) => done.acks.push((dst.into(), *of)),
            Command::Send(dst, msg) => done.sent.push((dst.into(), msg)),
            Command::SetTimer(timer, _) => done.set.push(timer),
            Command::CancelTimer(timer) => done.cancelled.push(timer),
            other => panic!("a node neither saves nor chooses: {other:?}"),
        }
    }
    done
}

fn deliver(setup: &Setup, to: usize, role: Role, src: usize, msg: Message) -> Done {
    let (mut state, mut out) = (Cow::Owned(state(role)), Out::new());
    node(setup).on_msg(id(to), &mut state, id(src), msg, &mut out);
    done(state.into_owned(), out)
}

fn timeout(setup: &Setup, at: usize, role: Role, timer: Timer) -> Done {
    let (mut state, mut out) = (Cow::Owned(state(role)), Out::new());
    node(setup).on_timeout(id(at), &mut state, &timer, &mut out);
    done(state.into_owned(), out)
}

fn changes_nothing(setup: &Setup, to: usize, role: Role, src: usize, msg: Message) -> bool {
    let (before, mut out) = (state(role), Out::new());
    let mut after = Cow::Borrowed(&before);
    node(setup).on_msg(id(to), &mut after, id(src), msg, &mut out);
    is_no_op(&after, &out)
}

// ---- Textbook ----

#[test]
fn t1_whoever_misses_a_leader_sends_an_election_round() {
    let done = timeout(&textbook(), N1, following(N3), Timer::Monitor);
    assert_eq!(done.sent, [(N2, election(&[N1]))]);
    assert_eq!(done.state.role, Role::Searching);
    assert!(done.set.contains(&Timer::Monitor), "it asks again if that leads to nothing");
}

#[test]
fn t1_recovery_begins_with_an_election() {
    let mut out = Out::new();
    let state = node(&textbook()).start(id(N3), 1, &None, &mut out);
    let done = done(state, out);
    assert_eq!(done.sent, [(N1, election(&[N3]))]);
    assert_eq!(done.state.attempt, Attempt { start: 1, count: 0 });
}

#[test]
fn t2_what_is_not_acknowledged_goes_to_the_node_after() {
    let skip = Timer::Skip { to: id(N2), message: election(&[N1]) };
    let done = timeout(&textbook(), N1, Role::Searching, skip);
    assert_eq!(done.sent, [(N3, election(&[N1]))]);
    assert_eq!(done.set, [Timer::Skip { to: id(N3), message: election(&[N1]) }]);
}

#[test]
fn t2_an_acknowledgement_ends_the_wait() {
    let ack = Message::Ack { of: Box::new(election(&[N1])) };
    let done = deliver(&textbook(), N1, Role::Searching, N2, ack);
    assert_eq!(done.cancelled, [Timer::Skip { to: id(N2), message: election(&[N1]) }]);
}

#[test]
fn t2_when_all_others_are_dead_the_message_has_been_round() {
    let skip = Timer::Skip { to: id(N3), message: election(&[N1]) };
    let done = timeout(&textbook(), N1, Role::Searching, skip);
    assert_eq!(done.state, State { role: Role::Elect, attempt: Attempt { start: 0, count: 2 } });
    assert_eq!(done.sent, [(N2, coordinator(N1, 2, &[N1]))]);
}

#[test]
fn t3_a_node_adds_itself_and_acknowledges() {
    let done = deliver(&textbook(), N2, following(N3), N1, election(&[N1]));
    assert_eq!(done.sent, [(N3, election(&[N1, N2]))]);
    assert_eq!(done.acks, [(N1, election(&[N1]))]);
    assert!(done.set.contains(&Timer::Monitor), "it calls no election of its own for a while");
}

#[test]
fn t3_a_leader_passes_an_election_on_and_leads_on() {
    let done = deliver(&textbook(), N3, Role::Leading, N2, election(&[N1, N2]));
    assert_eq!((done.state.role, done.sent), (Role::Leading, vec![(N1, election(&[N1, N2, N3]))]));
}

#[test]
fn t3_an_election_that_has_been_round_tells_the_highest() {
    let done = deliver(&textbook(), N1, Role::Searching, N3, election(&[N1, N2, N3]));
    assert_eq!(done.sent, [(N2, winner(N3, &[N1]))]);
    let done = deliver(&textbook(), N2, Role::Searching, N3, winner(N3, &[N1]));
    assert_eq!(done.sent, [(N3, winner(N3, &[N1, N2]))]);
}

#[test]
fn t4_the_winner_announces_itself_but_does_not_lead_yet() {
    let done = deliver(&textbook(), N3, following(N3), N2, winner(N3, &[N1, N2]));
    assert_eq!(done.state, State { role: Role::Elect, attempt: Attempt { start: 0, count: 2 } });
    assert_eq!(done.sent, [(N1, coordinator(N3, 2, &[N3]))]);
}

#[test]
fn t4_a_node_that_leads_or_is_about_to_does_not_stand_again() {
    for role in [Role::Elect, Role::Leading] {
        let done = deliver(&textbook(), N3, role, N2, winner(N3, &[N1, N2]));
        assert_eq!((done.state, done.sent), (state(role), vec![]));
    }
}

#[test]
fn t5_the_winner_leads_when_its_announcement_has_come_round() {
    let done = deliver(&textbook(), N3, Role::Elect, N2, coordinator(N3, 1, &[N1, N2, N3]));
    assert_eq!((done.state.role, done.sent), (Role::Leading, vec![]));
    assert_eq!((done.set, done.cancelled), (vec![Timer::Heartbeat], vec![Timer::Monitor]));
}

#[test]
fn t5_a_stale_announcement_does_not_count() {
    for (start, count) in [(0, 0), (1, 1)] {
        let attempt = Attempt { start, count };
        let stale = Message::Coordinator { leader: id(N3), attempt, seen: set(&[N1, N2, N3]) };
        assert_eq!(deliver(&textbook(), N3, Role::Elect, N2, stale).state.role, Role::Elect);
    }
    let done = deliver(&textbook(), N3, Role::Searching, N2, coordinator(N3, 1, &[N1, N2, N3]));
    assert_eq!(done.state.role, Role::Searching);
}

#[test]
fn t6_a_higher_announcement_is_followed_and_passed_on() {
    for role in [Role::Searching, Role::Elect, Role::Leading, following(N3)] {
        let done = deliver(&textbook(), N2, role, N1, coordinator(N3, 1, &[N1, N3]));
        assert_eq!(
            (done.state.role, done.sent),
            (following(N3), vec![(N3, coordinator(N3, 1, &[N1, N2, N3]))])
        );
        assert!(done.set.contains(&Timer::Monitor));
        assert_eq!(done.cancelled.contains(&Timer::Heartbeat), role == Role::Leading);
    }
}

#[test]
fn t7_a_lower_announcement_is_swallowed() {
    for msg in [coordinator(N1, 1, &[N1]), winner(N1, &[N2])] {
        let done = deliver(&textbook(), N3, Role::Leading, N2, msg);
        assert_eq!((done.state.role, done.sent, done.acks.len()), (Role::Leading, vec![], 1));
    }
}

#[test]
fn t8_what_is_seen_again_is_taken_off_the_ring() {
    for msg in [coordinator(N3, 1, &[N1, N2, N3]), winner(N3, &[N1, N2])] {
        let done = deliver(&textbook(), N1, following(N3), N2, msg);
        assert_eq!((done.state.role, done.sent), (following(N3), vec![]));
    }
}

#[test]
fn a_leader_repeats_its_announcement() {
    let done = timeout(&textbook(), N3, Role::Leading, Timer::Heartbeat);
    assert_eq!(done.sent, [(N1, coordinator(N3, 1, &[N3]))]);
    assert!(done.set.contains(&Timer::Heartbeat));
}

#[test]
fn a_monitor_that_would_suspect_a_live_leader_is_rejected() {
    let reason = Ring::build(&textbook().with("monitor", Value::Number(3))).unwrap_err();
    assert!(
        reason.starts_with(
            "monitor = 3: expected more than heartbeat + (nodes - 2) * acknowledgement = 3"
        ),
        "{reason}"
    );
}

#[test]
fn heartbeats_that_catch_up_with_each_other_are_rejected() {
    let reason = Ring::build(&textbook().with("heartbeat", Value::Number(1))).unwrap_err();
    assert!(reason.starts_with("heartbeat = 1: expected at least 2"), "{reason}");
}

#[test]
fn a_bug_of_the_other_variant_is_rejected() {
    let reason = Ring::build(&textbook().with_bug("duplicate-numbers")).unwrap_err();
    assert_eq!(reason, "bug `duplicate-numbers` is one of variant chang-roberts, not of textbook");
}

// ---- Bugs that cost only the leader, so that no scenario sees them ----

#[test]
fn orphan_announcement_is_passed_on_by_whoever_has_seen_it() {
    let buggy = textbook().with_bug("orphan-announcement");
    let done = deliver(&buggy, N1, following(N3), N2, coordinator(N3, 1, &[N1, N2, N3]));
    assert_eq!(
        (done.state.role, done.sent),
        (following(N3), vec![(N2, coordinator(N3, 1, &[N1, N2, N3]))])
    );
    assert!(done.set.contains(&Timer::Monitor), "and its wait for a leader starts anew");
}

#[test]
fn no_skip_neither_waits_for_an_acknowledgement_nor_gives_one() {
    let done = deliver(&textbook().with_bug("no-skip"), N1, Role::Searching, N3, election(&[N3]));
    assert_eq!((done.sent, done.acks), (vec![(N2, election(&[N1, N3]))], vec![]));
    assert_eq!(done.set, [Timer::Monitor]);
}

#[test]
fn acknowledges_first_and_passes_on_after_that() {
    let mut state = Cow::Owned(state(Role::Searching));
    let (node, mut out) = (node(&textbook().with_bug("acknowledges-first")), Out::new());
    node.on_msg(id(N2), &mut state, id(N1), election(&[N1]), &mut out);
    let sent: Vec<usize> = out
        .into_iter()
        .filter_map(|command| match command {
            Command::Send(dst, _) => Some(dst.into()),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [N1, N3], "the sender, then the successor");
}

#[test]
fn initiator_wins_although_it_has_collected_somebody_higher() {
    let buggy = textbook().with_bug("initiator-wins");
    let done = deliver(&buggy, N1, Role::Searching, N3, election(&[N1, N2, N3]));
    assert_eq!((done.state.role, done.sent), (Role::Elect, vec![(N2, coordinator(N1, 2, &[N1]))]));
}

#[test]
fn recovery_waits_until_somebody_speaks() {
    let mut out = Out::new();
    let state = node(&textbook().with_bug("recovery-waits")).start(id(N3), 1, &None, &mut out);
    let done = done(state, out);
    assert_eq!((done.state.role, done.sent, done.set), (Role::Searching, vec![], vec![]));
}

// ---- Chang and Roberts ----

#[test]
fn c1_a_node_that_knows_of_no_leader_puts_its_number_on_the_ring() {
    let done = timeout(&chang_roberts(), N1, Role::Searching, Timer::Monitor);
    assert_eq!((done.state.role, done.sent), (Role::Participating, vec![(N2, candidate(N1))]));
}

#[test]
fn c2_a_higher_number_passes() {
    for role in [Role::Searching, Role::Participating, following(N3)] {
        let done = deliver(&chang_roberts(), N2, role, N1, candidate(N3));
        assert_eq!((done.state.role, done.sent), (Role::Participating, vec![(N3, candidate(N3))]));
    }
}

#[test]
fn c3_a_smaller_number_is_replaced_by_whoever_does_not_take_part_yet() {
    let done = deliver(&chang_roberts(), N2, Role::Searching, N1, candidate(N1));
    assert_eq!((done.state.role, done.sent), (Role::Participating, vec![(N3, candidate(N2))]));
}

#[test]
fn c3_a_participant_swallows_smaller_numbers() {
    assert!(changes_nothing(&chang_roberts(), N2, Role::Participating, N1, candidate(N1)));
}

#[test]
fn c4_a_number_that_comes_round_has_won() {
    let done = deliver(&chang_roberts(), N3, Role::Participating, N2, candidate(N3));
    assert_eq!((done.state.role, done.sent), (Role::Leading, vec![(N1, elected(N3))]));
}

#[test]
fn c5_the_winner_is_followed_by_all_and_its_number_ends_with_it() {
    let done = deliver(&chang_roberts(), N1, Role::Participating, N3, elected(N3));
    assert_eq!((done.state.role, done.sent), (following(N3), vec![(N2, elected(N3))]));
    assert!(changes_nothing(&chang_roberts(), N3, Role::Leading, N2, elected(N3)));
}

/// The engine recomputes some of its steps. One that leads to something else than it adds up to is
/// a defect of the engine.
#[test]
fn a_false_step_of_the_compiled_engine_is_found_out() {
    let system = crate::Scenario::new("falsified", 3).system::<Ring>().unwrap();
    let [first, second] = crate::engine::explore_falsified(&system);
    assert_eq!(first, Ok(crate::exploration::Ended::MaxStates));
    let second = second.expect_err("a defect").to_string();
    assert!(second.contains("adds up to"), "{second}");
}
