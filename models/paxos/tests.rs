//! The rules of "Paxos Made Simple", one by one, put to a single node by hand.

use super::*;
use crate::election::{Age, Check, Event, SortedMap, Value as Setting};
use stateright::actor::Command;

const N1: usize = 0;
const N2: usize = 1;
const N3: usize = 2;

/// One node of three, its disk, and what it did last.
struct Bench {
    paxos: Paxos,
    id: Id,
    state: State,
    disk: Option<Disk>,
    commands: Vec<Command<Message, Timer, (), Disk>>,
}

fn setup() -> Setup {
    Setup::new(Paxos::about(), 3)
}

impl Bench {
    fn new(node: usize, setup: Setup) -> Bench {
        let paxos = Paxos::build(&setup).expect("a valid setup").swap_remove(node);
        let state = State::default();
        let mut bench =
            Bench { paxos, id: Id::from(node), state, disk: None, commands: Vec::new() };
        bench.restart();
        bench
    }

    fn restart(&mut self) {
        let mut o = Out::new();
        self.state = self.paxos.on_start(self.id, &self.disk, &mut o);
        self.take(o);
    }

    fn deliver(&mut self, src: usize, msg: Message) -> Vec<(usize, Message)> {
        let mut o = Out::new();
        let mut state = Cow::Borrowed(&self.state);
        self.paxos.on_msg(self.id, &mut state, Id::from(src), msg, &mut o);
        self.state = state.into_owned();
        self.take(o)
    }

    fn time_out(&mut self) -> Vec<(usize, Message)> {
        let mut o = Out::new();
        let mut state = Cow::Borrowed(&self.state);
        self.paxos.on_timeout(self.id, &mut state, &Timer::Retry, &mut o);
        self.state = state.into_owned();
        self.take(o)
    }

    fn take(&mut self, o: Out<Paxos>) -> Vec<(usize, Message)> {
        self.commands = o.into_iter().collect();
        let mut sent = Vec::new();
        for command in &self.commands {
            match command {
                Command::Save(disk) => self.disk = Some(*disk),
                Command::Send(dst, msg) => sent.push((usize::from(*dst), msg.clone())),
                _ => {}
            }
        }
        sent
    }

    fn leads(&self) -> Option<u64> {
        self.paxos.leads(self.id, &self.state).map(|term| term.0)
    }
}

fn prepare(ballot: u64) -> Message {
    Message::Prepare { ballot: Ballot(ballot) }
}
/// What that node, from 1, wants in its first round.
fn value(node: u8) -> Value {
    Value { node, round: 1, life: 0 }
}
fn proposal(node: u8, ballot: u64) -> Proposal {
    Proposal { ballot: Ballot(ballot), value: value(node) }
}
fn promise(ballot: u64, accepted: Proposal) -> Message {
    Message::Promise { ballot: Ballot(ballot), accepted }
}
fn accept(node: u8, ballot: u64) -> Message {
    Message::Accept { proposal: proposal(node, ballot) }
}
fn accepted(node: u8, ballot: u64) -> Message {
    Message::Accepted { proposal: proposal(node, ballot) }
}

#[test]
fn a_proposer_asks_everybody_to_prepare_and_promises_to_itself() {
    let mut n2 = Bench::new(N2, setup());
    assert_eq!(n2.time_out(), [(N1, prepare(4)), (N3, prepare(4))]);
    assert_eq!(n2.state.durable.promised, Ballot(4));
    assert_eq!(n2.leads(), None);
}

#[test]
fn numbers_are_a_proposers_own_and_rise() {
    let mut n2 = Bench::new(N2, setup());
    let numbers: Vec<_> = (0..3).map(|_| n2.time_out()[0].1.clone()).collect();
    assert_eq!(numbers, [prepare(4), prepare(7), prepare(10)]);
}

#[test]
fn a_number_is_above_the_promise_of_its_own_acceptor() {
    let mut n1 = Bench::new(N1, setup());
    n1.deliver(N3, prepare(8));
    assert_eq!(n1.time_out()[0].1, prepare(9));
}

#[test]
fn an_acceptor_promises_a_higher_number_and_reports_what_it_accepted() {
    let mut n3 = Bench::new(N3, setup());
    assert_eq!(n3.deliver(N1, prepare(3)), [(N1, promise(3, Proposal::NONE))]);
    n3.deliver(N1, accept(1, 3));
    assert_eq!(n3.deliver(N2, prepare(4)), [(N2, promise(4, proposal(1, 3)))]);
}

#[test]
fn an_acceptor_ignores_a_number_that_is_not_higher() {
    let mut n3 = Bench::new(N3, setup());
    n3.deliver(N2, prepare(4));
    for old in [3, 4] {
        assert_eq!(n3.deliver(N1, prepare(old)), []);
        assert!(n3.commands.is_empty());
    }
}

#[test]
fn an_acceptor_accepts_unless_it_has_promised_a_higher_number() {
    let mut n3 = Bench::new(N3, setup());
    n3.deliver(N2, prepare(4));
    assert_eq!(n3.deliver(N1, accept(1, 3)), []);
    assert_eq!(n3.deliver(N2, accept(2, 4)), [(N2, accepted(2, 4))]);
    assert_eq!(n3.state.durable.accepted, proposal(2, 4));
}

#[test]
fn accepting_raises_the_promise() {
    let mut n3 = Bench::new(N3, setup());
    n3.deliver(N2, accept(2, 4));
    assert_eq!(n3.deliver(N1, prepare(3)), []);
    assert_eq!(n3.deliver(N1, accept(1, 3)), []);
}

#[test]
fn a_quorum_of_promises_makes_a_leader_that_is_free_to_propose_its_value() {
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    let sent = n1.deliver(N3, promise(3, Proposal::NONE));
    assert_eq!(sent, [(N2, accept(1, 3)), (N3, accept(1, 3))]);
    assert_eq!(n1.leads(), Some(3));
    assert_eq!(n1.state.durable.accepted, proposal(1, 3), "its own acceptor accepts at once");
}

#[test]
fn a_promise_is_counted_once() {
    let mut n1 = Bench::new(N1, Setup::new(Paxos::about(), 5));
    n1.time_out();
    n1.deliver(N3, promise(5, Proposal::NONE));
    n1.deliver(N3, promise(5, Proposal::NONE));
    assert_eq!(n1.leads(), None);
    n1.deliver(N2, promise(5, Proposal::NONE));
    assert_eq!(n1.leads(), Some(5));
}

#[test]
fn a_promise_for_another_ballot_is_not_counted() {
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    n1.time_out();
    assert_eq!(n1.deliver(N3, promise(3, Proposal::NONE)), []);
    assert_eq!(n1.leads(), None);
}

#[test]
fn a_promise_that_names_no_ballot_counts_towards_a_later_one() {
    let mut n1 = Bench::new(N1, setup().with_bug("promise-names-no-ballot"));
    n1.time_out();
    n1.time_out();
    n1.deliver(N3, promise(3, Proposal::NONE));
    assert_eq!(n1.leads(), Some(6));
}

#[test]
fn what_a_proposer_asks_for_is_new_in_each_round_and_life() {
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    n1.time_out();
    assert_eq!(
        n1.deliver(N3, promise(6, Proposal::NONE))[0].1.clone(),
        Message::Accept {
            proposal: Proposal { ballot: Ballot(6), value: Value { node: 1, round: 2, life: 0 } }
        }
    );
    assert_eq!(format!("{} {}", value(1), Value { node: 1, round: 2, life: 1 }), "v1 v1.2'");
}

#[test]
fn the_highest_numbered_report_binds_the_leader() {
    for order in [[N2, N3], [N3, N2]] {
        let mut n1 = Bench::new(N1, Setup::new(Paxos::about(), 5));
        n1.deliver(N3, prepare(6));
        n1.time_out();
        let report = |node| if node == N2 { proposal(4, 8) } else { proposal(5, 9) };
        n1.deliver(order[0], promise(10, report(order[0])));
        let sent = n1.deliver(order[1], promise(10, report(order[1])));
        assert_eq!(sent[0].1, accept(5, 10));
    }
}

#[test]
fn its_own_acceptor_binds_the_leader_too() {
    let mut n1 = Bench::new(N1, setup());
    n1.deliver(N2, accept(2, 4));
    n1.time_out();
    assert_eq!(n1.deliver(N3, promise(6, Proposal::NONE))[0].1, accept(2, 6));
}

#[test]
fn a_value_is_chosen_when_a_quorum_has_accepted_it_in_one_ballot() {
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    n1.deliver(N3, promise(3, Proposal::NONE));
    let sent = n1.deliver(N2, accepted(1, 3));
    assert_eq!(
        sent,
        [(N2, Message::Chosen { value: value(1) }), (N3, Message::Chosen { value: value(1) })]
    );
    assert_eq!(n1.state.durable.learned, Some(value(1)));
}

#[test]
fn a_learner_does_not_add_up_ballots() {
    let mut n3 = Bench::new(N3, setup().with("learners", Setting::Text("all")));
    n3.deliver(N1, accepted(1, 3));
    n3.deliver(N2, accepted(1, 4));
    assert_eq!(n3.state.durable.learned, None);
    n3.deliver(N1, accepted(1, 4));
    assert_eq!(n3.state.durable.learned, Some(value(1)));
}

#[test]
fn a_learner_keeps_the_value_that_it_has_learned() {
    let mut n3 = Bench::new(N3, setup());
    n3.deliver(N1, Message::Chosen { value: value(1) });
    n3.restart();
    n3.deliver(N1, Message::Chosen { value: value(2) });
    assert_eq!(n3.state.durable.learned, Some(value(1)));
}

#[test]
fn a_leader_that_promises_a_higher_number_leads_no_more() {
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    n1.deliver(N3, promise(3, Proposal::NONE));
    n1.deliver(N2, prepare(4));
    assert_eq!(n1.leads(), None);
    assert_eq!(n1.paxos.follows(n1.id, &n1.state), Some((Term(4), Id::from(N2))));
}

#[test]
fn a_refused_proposer_gives_up_and_starts_above_what_refused_it() {
    let mut n3 = Bench::new(N3, setup().with("refusals", Setting::Flag(true)));
    n3.deliver(N2, prepare(7));
    let refuse = Message::Refuse { ballot: Ballot(3), promised: Ballot(7) };
    assert_eq!(n3.deliver(N1, prepare(3)), [(N1, refuse.clone())]);
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    n1.deliver(N3, refuse);
    assert_eq!(n1.deliver(N2, promise(3, Proposal::NONE)), []);
    assert_eq!(n1.time_out()[0].1, prepare(9));
}

#[test]
fn everything_is_on_disk_before_it_is_sent() {
    let is_saved_first = |bench: &Bench| {
        let save = bench.commands.iter().position(|c| matches!(c, Command::Save(_)));
        let send = bench.commands.iter().position(|c| matches!(c, Command::Send(..)));
        save.expect("saved") < send.expect("sent")
    };
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    assert!(is_saved_first(&n1), "the number that it uses");
    n1.deliver(N2, prepare(4));
    assert!(is_saved_first(&n1), "its promise");
    n1.deliver(N2, accept(2, 4));
    assert!(is_saved_first(&n1), "what it accepts");
}

#[test]
fn a_restarted_node_keeps_its_promise_and_its_vote_and_uses_a_new_number() {
    let mut n1 = Bench::new(N1, setup());
    n1.time_out();
    n1.deliver(N2, accept(2, 4));
    n1.deliver(N3, prepare(5));
    n1.restart();
    assert_eq!(n1.deliver(N2, prepare(4)), []);
    assert_eq!(n1.deliver(N3, prepare(8)), [(N3, promise(8, proposal(2, 4)))]);
    assert_eq!(n1.time_out()[0].1, prepare(9));
}

/// A planted bug must cost what it costs, and not the retry besides.
#[test]
fn a_proposer_waits_for_every_ballot_that_it_starts() {
    for bug in ["shares-ballots", "reuses-ballot"] {
        let mut n2 = Bench::new(N2, setup().with_bug(bug));
        n2.deliver(N1, prepare(3));
        n2.time_out();
        n2.restart();
        for _ in 0..2 {
            n2.time_out();
            assert!(n2.commands.iter().any(|c| matches!(c, Command::SetTimer(..))), "{bug}");
        }
    }
}

/// Whether the rule of patience allows that `n1`, from its first state to this one, takes its timer
/// from one age to another.
fn may_wait(after: &State, ages: [u16; 2]) -> bool {
    let invariants = Paxos::invariants();
    let rule = invariants.iter().find(|rule| rule.name == "numbers-are-new").expect("the rule");
    let Check::Rule(holds) = rule.check else { panic!("a rule of single steps") };
    let [timers_before, timers] =
        ages.map(|now| SortedMap::from([(Timer::Retry, Age { now, first: 3, last: 5 })]));
    let before = State::default();
    let step = NodeStep {
        actor: &Paxos::build(&setup()).expect("a valid setup")[N1],
        id: Id::from(N1),
        nodes: 3,
        incarnation: 0,
        before: Some(&before),
        event: Event::Deliver { src: Id::from(N2), msg: &prepare(4) },
        after: Some(after),
        cut_short: None,
        sends: &[],
        storage: None,
        timers_before: &timers_before,
        timers: &timers,
    };
    holds(&step).is_ok()
}

#[test]
fn a_proposer_that_promises_a_higher_number_waits_anew_and_one_that_does_not_goes_on_waiting() {
    let promised = Disk { promised: Ballot(4), ..Disk::default() };
    let promised = State { durable: promised, ..State::default() };
    assert!(may_wait(&promised, [2, 0]));
    assert!(!may_wait(&promised, [2, 2]));
    assert!(may_wait(&State::default(), [2, 2]));
    assert!(!may_wait(&State::default(), [2, 0]));
}

#[test]
fn quorums_of_the_two_phases_must_meet() {
    let with = |q1, q2| {
        let setup = setup()
            .with("phase1_quorum", Setting::Number(q1))
            .with("phase2_quorum", Setting::Number(q2));
        Paxos::build(&setup)
    };
    assert!(with(3, 1).is_ok());
    assert!(with(1, 3).is_ok());
    assert!(with(1, 2).is_err());
    assert!(with(4, 2).is_err());
}
