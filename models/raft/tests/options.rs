//! What is optional: PreVote, CheckQuorum and changes of the members (6; thesis).

use super::*;

fn pre_vote(term: u64, last: Position) -> Message {
    Message::PreVote { term: Term(term), last }
}

/// Thesis 9.6: a candidate increments its term only after a majority would vote for it.
#[test]
fn a_pre_vote_comes_before_a_term() {
    let mut node = Node::new(three().with("pre_vote", Value::Flag(true)));
    assert_eq!(
        node.time_out(Timer::Election),
        [(N2, pre_vote(1, at(0, 0))), (N3, pre_vote(1, at(0, 0)))]
    );
    assert_eq!(node.server.persistent, Disk::default());
    let sent = node.hear(N3, Message::PreVoteGranted { term: Term(1) });
    assert_eq!(sent, [(N2, request_vote(1, at(0, 0))), (N3, request_vote(1, at(0, 0)))]);
}

/// Thesis 9.6: to ask whether an election could be won changes nothing, the vote of the current
/// term included; and what was granted before the election is no vote in it.
#[test]
fn a_pre_vote_neither_takes_nor_gives_a_vote() {
    let mut node = Node::new(Setup::new(Raft::about(), 5).with("pre_vote", Value::Flag(true)));
    let granted = |term| Message::PreVoteGranted { term: Term(term) };
    node.hear(N2, request_vote(1, at(0, 0)));
    node.time_out(Timer::Election);
    assert_eq!(node.server.persistent.voted_for, Some(N2.into()));
    assert_eq!(node.hear(N3, heartbeat(1)), [], "and meets the leader of its term");
    assert_eq!(node.server.persistent.voted_for, Some(N2.into()));
    node.time_out(Timer::Election);
    node.hear(N2, granted(2));
    node.hear(N3, granted(2));
    assert!(matches!(node.server.role, Role::Candidate { .. }));
    for voter in [N2, N3, 3, 4] {
        assert_eq!(node.hear(voter, granted(2)), []);
    }
    assert!(matches!(node.server.role, Role::Candidate { .. }));
}

/// Thesis 9.6: a voter that has heard from a leader within the minimum election timeout denies its
/// pre-vote.
#[test]
fn a_pre_vote_is_denied_while_there_is_a_leader() {
    let mut node = Node::new(three().with("pre_vote", Value::Flag(true)));
    let granted = |term| (N3, Message::PreVoteGranted { term: Term(term) });
    node.hear(N2, heartbeat(1));
    assert_eq!(node.timers, [Timer::Election, Timer::Lease]);
    assert_eq!(node.hear(N3, pre_vote(2, at(0, 0))), []);
    node.time_out(Timer::Lease);
    assert_eq!(node.hear(N3, pre_vote(2, at(0, 0))), [granted(2)]);
    assert_eq!(node.hear(N3, pre_vote(1, at(0, 0))), [granted(1)], "no vote was given in term 1");
    assert_eq!(node.hear(N3, pre_vote(0, at(0, 0))), [(N3, refused(1))]);
    assert_eq!(node.server.persistent.term, Term(1));
}

/// Thesis 6.2: a leader steps down if an election timeout passes without answers from a majority.
#[test]
fn a_leader_without_a_quorum_steps_down() {
    let mut node = Node::new(three().with("check_quorum", Value::Flag(true))).elected();
    node.hear(N2, appended(1, 0));
    node.time_out(Timer::Quorum);
    assert_eq!(node.timers, [Timer::Quorum]);
    node.time_out(Timer::Quorum);
    assert!(matches!(node.server.role, Role::Follower { .. }));
    assert_eq!(node.server.persistent.term, Term(1));
}

fn members(ids: &[usize]) -> Members {
    Members::of(ids.iter().map(|&i| Id::from(i)).collect())
}

/// Thesis 4.1 as corrected in 2015: a leader first commits an entry of its own term, then changes
/// the members, one by one, each only when the one before it is committed.
#[test]
fn members_change_one_by_one_after_an_own_entry() {
    let setup = with_values().with("membership", Value::Text("single"));
    let mut node = Node::new(setup).elected();
    node.request(Command::Value(1));
    assert_eq!(node.offers, values(), "nothing of the own term is committed yet");
    node.hear(N2, appended(1, 1));
    let change = Command::Members(members(&[0, 1]));
    assert_eq!(node.offers.len(), values().len() + 3);
    assert!(node.offers.contains(&change));
    assert_eq!(
        node.request(change).len(),
        1,
        "n3 is not sent its own removal: it left when that was appended"
    );
    assert_eq!(node.offers, values(), "the change is not committed yet");
    node.hear(N2, appended(1, 2));
    assert_eq!(node.offers.len(), values().len() + 3);
}

/// Section 6: while the configuration is joint, agreement needs majorities of the old and of the
/// new one.
#[test]
fn a_joint_configuration_needs_both_majorities() {
    let joint = members(&[0, 1, 2]).successors(Membership::Joint, 5);
    let joint = joint
        .into_iter()
        .find(|m| m.then() == Some(members(&[2, 3, 4])))
        .expect("any set may be next");
    let carries = |ids: &[usize]| {
        joint.are_carried_by(&ids.iter().map(|&i| i.into()).collect::<Vec<_>>(), None)
    };
    assert!(!carries(&[0, 1]));
    assert!(!carries(&[2, 3, 4]));
    assert!(carries(&[0, 2, 3]));
}

/// Section 6: no more than one change at a time, and only C(new) follows C(old,new).
#[test]
fn a_joint_configuration_is_not_changed_again() {
    let joint = members(&[0, 1]).successors(Membership::Joint, 3)[0];
    assert_eq!(joint.successors(Membership::Joint, 3), []);
}

/// Section 6: once C(old,new) is committed the leader appends C(new), and sends it once to
/// everybody.
#[test]
fn the_acknowledgement_that_commits_a_joint_configuration_is_answered_once() {
    let joint = members(&[0, 1]).successors(Membership::Joint, 3).pop().expect("to all three");
    let setup =
        with_values().with("membership", Value::Text("joint")).with("members", Value::Number(2));
    let mut node = Node::new(setup).elected();
    node.request(Command::Members(joint));
    let sent = node.hear(N2, appended(1, 1));
    assert_eq!(sent.iter().map(|(dst, _)| *dst).collect::<Vec<_>>(), [N2, N3]);
    assert_eq!((node.server.commit, node.log()), (1, vec![1, 1]));
}

/// Section 6, thesis 4.3: a leader that knows of a committed C(old,new) appends C(new), even if
/// another began the change.
#[test]
fn a_leader_ends_the_change_that_it_inherits() {
    let joint = members(&[0, 1]).successors(Membership::Joint, 3).pop().expect("to all three");
    for (commit, expected) in [(1, [1, 2].as_slice()), (0, &[1])] {
        let mut node = Node::new(with_values().with("membership", Value::Text("joint")));
        node.server.persistent.term = Term(1);
        node.server.persistent.log =
            Log::from_iter([Entry { term: Term(1), command: Command::Members(joint) }]);
        node.server.commit = commit;
        let node = node.elected();
        assert_eq!(node.log(), expected);
        assert_eq!(node.offers, values(), "the change is still under way");
    }
}

#[test]
fn single_changes_add_or_remove_one_server() {
    let next = members(&[0, 1]).successors(Membership::Single, 3);
    assert_eq!(next, [members(&[1]), members(&[0]), members(&[0, 1, 2])]);
    assert_eq!(members(&[0]).successors(Membership::Single, 1), [], "somebody must be left");
}
