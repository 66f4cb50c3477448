//! One test a rule: a handler is driven by hand and what it saves and sends is read, in its order.

use stateright::actor::{Actor, Command};

use super::*;
use crate::election::{Age, Check, Event, SortedMap, Value as Opt, node_name};

const N1: usize = 0;
const N2: usize = 1;
const N3: usize = 2;

/// A node driven by hand.
struct Driven {
    actor: MultiPaxos,
    id: Id,
    state: State,
    /// What the last handler asked for, as text, in order.
    out: Vec<String>,
    disk: Option<Disk>,
    /// How many inputs clients have given to it.
    inputs: u8,
}

fn system(nodes: usize, bug: Option<Bug>) -> MultiPaxos {
    MultiPaxos { nodes, values: 2, heartbeats: true, bug }
}

impl Driven {
    fn new(node: usize, actor: MultiPaxos) -> Self {
        let id = Id::from(node);
        let state = actor.start(id, 0, &None, &mut Out::new());
        Driven { actor, id, state, out: Vec::new(), disk: None, inputs: 0 }
    }

    fn with(node: usize, bug: Bug) -> Self {
        Driven::new(node, system(3, Some(bug)))
    }

    fn react(
        &mut self,
        handler: impl FnOnce(&MultiPaxos, Id, &mut Cow<State>, &mut Out<MultiPaxos>),
    ) -> &mut Self {
        let mut out = Out::new();
        let mut state = Cow::Borrowed(&self.state);
        handler(&self.actor, self.id, &mut state, &mut out);
        self.state = state.into_owned();
        self.out.clear();
        for command in out {
            let text = match command {
                Command::Send(to, msg) => format!("{} <- {msg:?}", node_name(to)),
                Command::Save(disk) => {
                    let text =
                        format!("save promised {:?} accepted {:?}", disk.promised, disk.accepted);
                    self.disk = Some(disk);
                    text
                }
                Command::SetTimer(timer, _) => format!("set {timer:?}"),
                Command::CancelTimer(timer) => format!("cancel {timer:?}"),
                Command::ChooseRandom(_, values) if values.is_empty() => "withdraw".to_string(),
                Command::ChooseRandom(_, values) => format!("offer {values:?}"),
            };
            self.out.push(text);
        }
        self
    }

    fn hear(&mut self, src: usize, msg: Message) -> &mut Self {
        self.react(|actor, id, state, out| actor.on_msg(id, state, Id::from(src), msg, out))
    }

    fn fire(&mut self, timer: Timer) -> &mut Self {
        self.react(|actor, id, state, out| actor.on_timeout(id, state, &timer, out))
    }

    fn input(&mut self) -> &mut Self {
        self.inputs += 1;
        let value = Value::Input(self.inputs);
        self.react(|actor, id, state, out| actor.on_random(id, state, &value, out))
    }

    fn restart(&mut self) -> &mut Self {
        self.state = self.actor.start(self.id, 1, &self.disk, &mut Out::new());
        self
    }

    /// `n1` leads its first ballot with the promise of `n2`, of three nodes.
    fn leading() -> Self {
        let mut node = Driven::new(N1, system(3, None));
        node.fire(Timer::Election).hear(N2, promise(ballot(1, N1), []));
        node
    }

    fn leads(&self) -> Option<Term> {
        self.actor.leads(self.id, &self.state)
    }
}

fn ballot(round: u32, node: usize) -> Ballot {
    Ballot { round, node: node as u8 }
}

fn value(node: usize) -> Value {
    Value::Input(node as u8 + 1)
}

fn vote(round: u32, node: usize) -> Vote {
    Vote { ballot: ballot(round, node), value: value(node) }
}

fn prepare(ballot: Ballot, from: u8) -> Message {
    Message::Prepare { ballot, from: Slot(from) }
}

fn promise<const N: usize>(ballot: Ballot, votes: [(u8, Vote); N]) -> Message {
    Message::Promise {
        ballot,
        accepted: votes.into_iter().map(|(slot, vote)| (Slot(slot), vote)).collect(),
    }
}

fn accept(slot: u8, vote: Vote) -> Message {
    Message::Accept { ballot: vote.ballot, slot: Slot(slot), value: vote.value }
}

fn accepted(ballot: Ballot, slot: u8) -> Message {
    Message::Accepted { ballot, slot: Slot(slot) }
}

fn heartbeat(ballot: Ballot, chosen: u8) -> Message {
    Message::Heartbeat { ballot, chosen: Slot(chosen) }
}

// Phase 1

#[test]
fn a_candidate_promises_its_own_ballot_on_disk_before_it_asks_others() {
    let mut node = Driven::new(N2, system(3, None));
    assert_eq!(
        node.fire(Timer::Election).out,
        [
            "save promised 1.n2 accepted {}",
            "set Election",
            "n1 <- Prepare { ballot: 1.n2, from: 1 }",
            "n3 <- Prepare { ballot: 1.n2, from: 1 }",
        ]
    );
    assert_eq!(node.leads(), None);
}

#[test]
fn a_candidate_takes_the_least_of_its_ballots_above_its_promise_and_those_it_has_used() {
    let mut node = Driven::new(N2, system(3, None));
    node.hear(N1, prepare(ballot(1, N1), 1)).fire(Timer::Election);
    assert_eq!(node.state.durable.promised, ballot(1, N2), "above 1.n1");
    node.fire(Timer::Election);
    assert_eq!(node.state.durable.promised, ballot(2, N2), "never twice");
    node.hear(N3, prepare(ballot(4, N3), 1)).fire(Timer::Election);
    assert_eq!(node.state.durable.promised, ballot(5, N2), "above 4.n3");
}

#[test]
fn an_acceptor_promises_a_higher_ballot_on_disk_and_tells_every_vote_in_the_slots_asked_for() {
    let mut node = Driven::new(N2, system(3, None));
    for slot in 1..=3 {
        node.hear(N1, accept(slot, vote(1, N1)));
    }
    assert_eq!(
        node.hear(N3, prepare(ballot(1, N3), 2)).out,
        [
            "set Election",
            "save promised 1.n3 accepted {1: v1@1.n1, 2: v1@1.n1, 3: v1@1.n1}",
            "n3 <- Promise { ballot: 1.n3, accepted: {2: v1@1.n1, 3: v1@1.n1} }",
        ]
    );
}

#[test]
fn an_acceptor_is_silent_to_a_ballot_that_is_not_above_its_promise() {
    let mut node = Driven::new(N2, system(3, None));
    node.hear(N3, prepare(ballot(1, N3), 1));
    assert!(node.hear(N3, prepare(ballot(1, N3), 1)).out.is_empty(), "the same again");
    assert!(node.hear(N1, prepare(ballot(1, N1), 1)).out.is_empty(), "a lower one");
}

#[test]
fn a_candidate_leads_once_a_majority_has_promised_counting_each_node_once() {
    let mut node = Driven::new(N1, system(5, None));
    node.fire(Timer::Election);
    node.hear(N2, promise(ballot(1, N1), [])).hear(N2, promise(ballot(1, N1), []));
    assert_eq!(node.leads(), None);
    node.hear(N3, promise(ballot(1, N1), []));
    assert_eq!(node.leads(), Some(Term(5)));
    assert_eq!(node.out, ["cancel Election", "set Heartbeat", "offer [v1, v2]"]);
}

#[test]
fn a_promise_for_an_earlier_ballot_counts_for_nothing() {
    let mut node = Driven::new(N1, system(3, None));
    node.fire(Timer::Election).fire(Timer::Election);
    assert!(node.hear(N2, promise(ballot(1, N1), [])).out.is_empty());
    assert_eq!(node.leads(), None);
}

#[test]
fn the_only_node_of_a_system_leads_and_commits_alone() {
    let mut node = Driven::new(N1, system(1, None));
    node.fire(Timer::Election);
    assert_eq!(node.leads(), Some(Term(1)));
    node.input();
    assert_eq!(node.state.chosen, Slot(1));
}

#[test]
fn a_new_leader_proposes_in_each_slot_the_vote_under_the_highest_ballot_and_noops_in_gaps() {
    let mut node = Driven::new(N3, system(5, None));
    node.hear(N1, accept(1, vote(1, N1))).fire(Timer::Election);
    node.hear(N2, promise(ballot(1, N3), [(1, vote(1, N2)), (3, vote(1, N2))]));
    node.hear(N1, promise(ballot(1, N3), [(1, vote(1, N1))]));
    assert_eq!(node.leads(), Some(Term(7)));
    assert_eq!(node.out[2], "save promised 1.n3 accepted {1: v2@1.n3, 2: noop@1.n3, 3: v2@1.n3}");
    assert_eq!(node.out.iter().filter(|line| line.contains("Accept {")).count(), 3 * 4);
}

// Phase 2

#[test]
fn a_leader_accepts_its_own_proposal_on_disk_before_it_asks_others() {
    let mut node = Driven::leading();
    assert_eq!(
        node.input().out,
        [
            "save promised 1.n1 accepted {1: v1@1.n1}",
            "n2 <- Accept { ballot: 1.n1, slot: 1, value: v1 }",
            "n3 <- Accept { ballot: 1.n1, slot: 1, value: v1 }",
            "offer [v1, v2]",
        ]
    );
    node.input();
    assert_eq!(
        node.out[1], "n2 <- Accept { ballot: 1.n1, slot: 2, value: v2 }",
        "without waiting for slot 1"
    );
}

#[test]
fn an_acceptor_accepts_under_its_promise_or_a_higher_ballot_which_it_then_promises() {
    let mut node = Driven::new(N2, system(3, None));
    assert_eq!(
        node.hear(N1, accept(1, vote(1, N1))).out,
        [
            "set Election",
            "save promised 1.n1 accepted {1: v1@1.n1}",
            "n1 <- Accepted { ballot: 1.n1, slot: 1 }",
        ]
    );
    assert_eq!(
        node.hear(N1, accept(1, vote(1, N1))).out,
        ["set Election", "n1 <- Accepted { ballot: 1.n1, slot: 1 }"],
        "asked again it answers again, and has nothing to write"
    );
}

#[test]
fn an_acceptor_does_not_accept_below_its_promise() {
    let mut node = Driven::new(N2, system(3, None));
    node.hear(N3, prepare(ballot(1, N3), 1));
    assert!(node.hear(N1, accept(1, vote(1, N1))).out.is_empty());
    assert!(node.state.durable.accepted.is_empty());
}

#[test]
fn a_value_is_chosen_by_a_majority_and_followers_are_told_at_once() {
    let mut node = Driven::new(N1, system(5, None));
    node.fire(Timer::Election)
        .hear(N2, promise(ballot(1, N1), []))
        .hear(N3, promise(ballot(1, N1), []));
    node.input().hear(N2, accepted(ballot(1, N1), 1)).hear(N2, accepted(ballot(1, N1), 1));
    assert_eq!(node.state.chosen, Slot(0), "n2 counts once");
    node.hear(N3, accepted(ballot(1, N1), 1));
    assert_eq!(node.state.chosen, Slot(1));
    assert_eq!(node.out.len(), 4);
    assert_eq!(node.out[0], "n2 <- Heartbeat { ballot: 1.n1, chosen: 1 }");
}

#[test]
fn slots_are_committed_in_order() {
    let mut node = Driven::leading();
    node.input().input().hear(N2, accepted(ballot(1, N1), 2));
    assert_eq!(node.state.chosen, Slot(0));
    node.hear(N3, accepted(ballot(1, N1), 1));
    assert_eq!(node.state.chosen, Slot(2));
}

#[test]
fn a_follower_commits_only_votes_under_the_ballot_of_the_leader_that_tells_it() {
    let mut node = Driven::new(N3, system(3, None));
    node.hear(N1, accept(1, vote(1, N1)));
    node.hear(N2, heartbeat(ballot(1, N2), 1));
    assert_eq!(node.state.chosen, Slot(0), "its vote is under 1.n1");
    node.hear(N2, accept(1, vote(1, N2))).hear(N2, heartbeat(ballot(1, N2), 1));
    assert_eq!(node.state.chosen, Slot(1));
}

// Heartbeats, and what a higher ballot ends

#[test]
fn a_heartbeat_repeats_each_proposal_to_those_that_have_not_answered_it() {
    let mut node = Driven::leading();
    node.input().hear(N2, accepted(ballot(1, N1), 1));
    assert_eq!(
        node.fire(Timer::Heartbeat).out,
        [
            "set Heartbeat",
            "n2 <- Heartbeat { ballot: 1.n1, chosen: 1 }",
            "n3 <- Heartbeat { ballot: 1.n1, chosen: 1 }",
            "n3 <- Accept { ballot: 1.n1, slot: 1, value: v1 }",
        ]
    );
}

#[test]
fn a_new_leader_asks_from_its_first_unchosen_slot_and_repeats_what_is_below_only_with_heartbeats() {
    let mut node = Driven::new(N2, system(3, None));
    node.hear(N1, accept(1, vote(1, N1)))
        .hear(N1, heartbeat(ballot(1, N1), 1))
        .fire(Timer::Election);
    assert_eq!(node.out[2], "n1 <- Prepare { ballot: 1.n2, from: 2 }");
    node.hear(N3, promise(ballot(1, N2), []));
    assert_eq!(node.out, ["cancel Election", "set Heartbeat", "offer [v1, v2]"]);
    node.fire(Timer::Heartbeat);
    assert_eq!(node.out[4], "n3 <- Accept { ballot: 1.n2, slot: 1, value: v1 }");
}

#[test]
fn a_heartbeat_of_a_higher_ballot_is_followed_and_promised() {
    let mut node = Driven::new(N2, system(3, None));
    assert_eq!(
        node.hear(N3, heartbeat(ballot(1, N3), 0)).out,
        ["set Election", "save promised 1.n3 accepted {}"]
    );
    assert_eq!(node.actor.follows(node.id, &node.state), Some((Term(5), Id::from(N3))));
    assert_eq!(node.hear(N3, heartbeat(ballot(1, N3), 0)).out, ["set Election"]);
}

#[test]
fn a_leader_stops_when_it_promises_a_higher_ballot() {
    let mut node = Driven::leading();
    node.hear(N3, prepare(ballot(1, N3), 1));
    assert_eq!(node.leads(), None);
    assert_eq!(node.out[..3], ["cancel Heartbeat", "withdraw", "set Election"]);
}

#[test]
fn a_node_that_restarts_keeps_promise_rounds_and_votes_and_nothing_else() {
    let mut node = Driven::leading();
    node.input().hear(N2, accepted(ballot(1, N1), 1)).restart();
    assert_eq!(node.leads(), None);
    assert_eq!(node.state.chosen, Slot(0));
    assert_eq!(node.state.durable, node.disk.clone().unwrap());
    node.fire(Timer::Election);
    assert_eq!(node.state.durable.promised, ballot(2, N1));
}

// Planted mistakes that no scenario isolates as sharply

#[test]
fn a_node_that_counts_its_rounds_from_1_again_asks_for_promises_under_its_old_ballot() {
    let mut node = Driven::with(N1, Bug::ReusesBallot);
    node.fire(Timer::Election).restart().fire(Timer::Election);
    assert_eq!(node.state.durable.promised, ballot(1, N1));
}

#[test]
fn a_leader_that_leaves_gaps_cannot_commit_above_them() {
    let mut node = Driven::with(N2, Bug::LeavesGaps);
    node.fire(Timer::Election).hear(N3, promise(ballot(1, N2), [(2, vote(1, N1))]));
    node.hear(N3, accepted(ballot(1, N2), 2));
    assert_eq!(node.leads(), Some(Term(4)));
    assert_eq!(node.state.chosen, Slot(0));
}

#[test]
fn a_leader_that_never_retransmits_beats_without_proposals() {
    let mut node = Driven::with(N1, Bug::NeverRetransmits);
    node.fire(Timer::Election).hear(N2, promise(ballot(1, N1), [])).input();
    assert!(!node.fire(Timer::Heartbeat).out.iter().any(|line| line.contains("Accept")));
}

#[test]
fn a_leader_that_closes_gaps_moves_what_was_reported_to_another_slot() {
    let led = |bug| {
        let mut node = Driven::new(N2, system(3, bug));
        node.fire(Timer::Election).hear(N3, promise(ballot(1, N2), [(2, vote(1, N1))]));
        node.out[2].clone()
    };
    assert_eq!(led(None), "save promised 1.n2 accepted {1: noop@1.n2, 2: v1@1.n2}");
    assert_eq!(led(Some(Bug::ClosesGaps)), "save promised 1.n2 accepted {1: v1@1.n2}");
}

#[test]
fn a_leader_puts_no_two_inputs_in_one_slot_unless_it_looks_at_what_is_chosen_only() {
    let used = |bug| {
        let mut node = Driven::new(N1, system(3, bug));
        node.fire(Timer::Election).hear(N2, promise(ballot(1, N1), [])).input().input();
        node.out[0].clone()
    };
    assert_eq!(used(None), "save promised 1.n1 accepted {1: v1@1.n1, 2: v2@1.n1}");
    assert_eq!(used(Some(Bug::UsesASlotTwice)), "save promised 1.n1 accepted {1: v2@1.n1}");
}

#[test]
fn a_promise_that_names_no_ballot_counts_towards_a_later_one() {
    let mut node = Driven::with(N1, Bug::PromiseNamesNoBallot);
    node.fire(Timer::Election).fire(Timer::Election).hear(N2, promise(ballot(1, N1), []));
    assert_eq!(node.leads(), Some(Term(6)));
}

/// Whether the rule of roles allows that a follower of `1.n2`, which such a message leaves as it
/// is, takes its timer from one age to another.
fn may_wait(msg: Message, ages: [u16; 2]) -> bool {
    let invariants = MultiPaxos::invariants();
    let rule = invariants.iter().find(|rule| rule.name == "roles-fit").expect("the rule");
    let Check::Rule(holds) = rule.check else { panic!("a rule of single steps") };
    let [timers_before, timers] =
        ages.map(|now| SortedMap::from([(Timer::Election, Age { now, first: 3, last: 5 })]));
    let durable = Disk { promised: ballot(1, N2), ..Disk::default() };
    let follower = State { durable, chosen: Slot(0), role: Role::Follower };
    let step = NodeStep {
        actor: &system(3, None),
        id: Id::from(N3),
        nodes: 3,
        incarnation: 0,
        before: Some(&follower),
        event: Event::Deliver { src: Id::from(N2), msg: &msg },
        after: Some(&follower),
        cut_short: None,
        sends: &[],
        storage: None,
        timers_before: &timers_before,
        timers: &timers,
    };
    holds(&step).is_ok()
}

#[test]
fn a_follower_waits_anew_when_its_leader_beats_and_at_no_word_of_an_earlier_one() {
    let leader = || heartbeat(ballot(1, N2), 0);
    assert!(may_wait(leader(), [2, 0]));
    assert!(!may_wait(leader(), [2, 2]));
    let earlier = || heartbeat(ballot(1, N1), 0);
    assert!(may_wait(earlier(), [2, 2]));
    assert!(!may_wait(earlier(), [2, 0]));
}

#[test]
fn more_than_nine_values_are_refused() {
    let setup = Setup::new(MultiPaxos::about(), 3).with("values", Opt::Number(10));
    assert!(MultiPaxos::build(&setup).unwrap_err().contains("at most 9"));
}
