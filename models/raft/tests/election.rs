//! Terms, votes and candidates (5.1, 5.2, 5.4.1).

use super::*;

/// 5.1: if one server's current term is smaller than the other's, it updates its own to the larger
/// value.
#[test]
fn any_higher_term_is_adopted_and_makes_a_follower() {
    for msg in [
        request_vote(7, at(0, 0)),
        vote(7),
        heartbeat(7),
        appended(7, 1),
        mismatch(7, 1),
        refused(7),
    ] {
        let mut node = Node::new(three()).elected();
        node.hear(N3, msg.clone());
        assert_eq!(node.server.persistent.term, Term(7), "{msg:?}");
        assert!(matches!(node.server.role, Role::Follower { .. }), "{msg:?}");
        assert!(
            node.timers.contains(&Timer::Election),
            "a leader that steps down waits again: {msg:?}"
        );
    }
}

/// 5.1: a request with a stale term number is rejected; the answer tells the term.
#[test]
fn stale_requests_are_refused() {
    for msg in [request_vote(2, at(9, 9)), append(2, at(0, 0), Some(2), 0)] {
        let mut node = Node::with_log(three(), 3, &[]);
        assert_eq!(node.hear(N2, msg.clone()), [(N2, refused(3))], "{msg:?}");
        assert_eq!((node.log(), node.timers), (vec![], vec![]), "{msg:?}");
    }
}

/// 5.2: to begin an election, a follower increments its term, votes for itself and asks all others.
#[test]
fn an_election_timeout_starts_an_election() {
    let mut node = Node::with_log(three(), 3, &[1, 3]);
    let sent = node.time_out(Timer::Election);
    assert_eq!(sent, [(N2, request_vote(4, at(2, 3))), (N3, request_vote(4, at(2, 3)))]);
    assert_eq!(node.server.persistent.voted_for, Some(N1.into()));
    assert_eq!(
        node.effects,
        ["save", "send", "send"],
        "the own vote is on disk before anybody is asked"
    );
}

/// 5.2: a candidate that receives votes from a majority of the servers becomes leader, and says so.
#[test]
fn a_majority_of_voters_makes_a_leader() {
    let mut node = Node::new(Setup::new(Raft::about(), 5));
    node.time_out(Timer::Election);
    assert_eq!(node.hear(N2, vote(1)), []);
    assert_eq!(node.hear(N2, vote(1)), [], "a voter counts once");
    let heartbeats: Vec<_> = (1..5).map(|peer| (peer, heartbeat(1))).collect();
    assert_eq!(node.hear(N3, vote(1)), heartbeats);
    assert_eq!(node.raft.leads(N1.into(), &node.server), Some(Term(1)));
}

/// 5.2: votes of an earlier term do not count.
#[test]
fn votes_of_an_earlier_term_do_not_count() {
    let mut node = Node::new(three());
    node.time_out(Timer::Election);
    node.time_out(Timer::Election);
    node.hear(N2, vote(1));
    assert!(matches!(node.server.role, Role::Candidate { .. }));
}

/// 5.2: each server votes for at most one candidate in a given term, first come first served.
#[test]
fn a_server_votes_once_in_a_term() {
    let mut node = Node::new(three());
    assert_eq!(node.hear(N2, request_vote(1, at(0, 0))), [(N2, vote(1))]);
    assert_eq!(node.effects, ["save", "send"]);
    assert_eq!(node.hear(N3, request_vote(1, at(0, 0))), []);
    assert_eq!(
        node.hear(N2, request_vote(1, at(0, 0))),
        [(N2, vote(1))],
        "the same candidate may ask again"
    );
    assert_eq!(node.hear(N3, request_vote(2, at(0, 0))), [(N3, vote(2))], "a new term, a new vote");
    node.restart();
    assert_eq!(node.hear(N2, request_vote(2, at(0, 0))), [], "a restart does not free the vote");
}

/// 5.2: a candidate that hears from the leader of its term returns to follower state.
#[test]
fn a_candidate_follows_the_leader_of_its_term() {
    let mut node = Node::new(three());
    node.time_out(Timer::Election);
    node.hear(N3, heartbeat(1));
    assert_eq!(node.raft.follows(N1.into(), &node.server), Some((Term(1), N3.into())));
    assert_eq!(
        node.server.persistent.voted_for,
        Some(N1.into()),
        "and keeps the vote that it gave itself"
    );
    assert_eq!(node.timers, [Timer::Election]);
}

/// Figure 2, Followers: the timer restarts for the current leader and for a granted vote, and for
/// nothing else.
#[test]
fn only_the_leader_and_a_granted_vote_restart_the_election_timer() {
    let mut node = Node::with_log(three(), 3, &[3]);
    node.hear(N2, request_vote(4, at(1, 3)));
    assert_eq!(node.timers, [Timer::Election]);
    for msg in [request_vote(4, at(9, 3)), heartbeat(3), request_vote(5, at(0, 0)), refused(6)] {
        node.hear(N3, msg.clone());
        assert_eq!(node.timers, [], "{msg:?}");
    }
}

/// 5.4.1: the voter denies its vote if its own log is more up-to-date: later last term, then
/// longer.
#[test]
fn a_vote_needs_a_log_that_is_up_to_date() {
    let granted =
        |last| !Node::with_log(three(), 3, &[1, 2]).hear(N2, request_vote(4, last)).is_empty();
    assert_eq!([at(2, 2), at(1, 3), at(3, 2)].map(granted), [true; 3]);
    assert_eq!([at(1, 2), at(9, 1), at(0, 0)].map(granted), [false; 3]);
}
