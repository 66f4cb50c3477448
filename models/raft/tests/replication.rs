//! Logs, and what is committed (5.3, 5.4.2).

use super::*;

/// 5.3: the leader appends the command to its log, then sends it to each of the other servers.
#[test]
fn a_leader_appends_and_sends_what_a_client_asks() {
    let mut node = Node::with_log(with_values(), 1, &[1]).elected();
    let entry = Entry { term: Term(2), command: Command::Value(1) };
    let sent =
        Message::AppendEntries { term: Term(2), prev: at(1, 1), entry: Some(entry), commit: 0 };
    assert_eq!(node.request(entry.command), [(N2, sent.clone()), (N3, sent)]);
    assert_eq!(node.effects, ["save", "send", "send"]);
    assert_eq!(node.log(), [1, 2]);
}

/// 5.3: a follower that does not find the previous entry in its log refuses the new one.
#[test]
fn entries_need_the_previous_entry() {
    let mut node = Node::with_log(with_values(), 3, &[1, 2]);
    assert_eq!(node.hear(N2, append(3, at(3, 2), Some(3), 0)), [(N2, mismatch(3, 3))]);
    assert_eq!(node.hear(N2, append(3, at(2, 1), Some(3), 0)), [(N2, mismatch(3, 2))]);
    assert_eq!(node.log(), [1, 2]);
    assert_eq!(node.hear(N2, append(3, at(2, 2), Some(3), 0)), [(N2, appended(3, 3))]);
    assert_eq!((node.log(), node.effects), (vec![1, 2, 3], vec!["save", "send"]));
}

/// Figure 2, AppendEntries 3: an entry in conflict with a new one goes with all that follow it;
/// nothing else goes.
#[test]
fn only_conflicting_entries_are_deleted() {
    let mut node = Node::with_log(with_values(), 3, &[1, 1, 2]);
    assert_eq!(node.hear(N2, append(3, at(0, 0), Some(1), 0)), [(N2, appended(3, 1))]);
    assert_eq!(node.hear(N2, append(3, at(1, 1), None, 0)), [(N2, appended(3, 1))]);
    assert_eq!(node.log(), [1, 1, 2]);
    assert_eq!(node.hear(N2, append(3, at(1, 1), Some(3), 0)), [(N2, appended(3, 2))]);
    assert_eq!(node.log(), [1, 3]);
}

/// Figure 2, AppendEntries 5: commitIndex = min(leaderCommit, index of last new entry), and it does
/// not fall.
#[test]
fn a_follower_commits_what_it_has_in_common_with_the_leader() {
    let mut node = Node::with_log(with_values(), 2, &[1, 1, 1]);
    node.hear(N2, append(2, at(1, 1), Some(1), 3));
    assert_eq!(node.server.commit, 2);
    node.hear(N2, append(2, at(0, 0), Some(1), 1));
    assert_eq!(node.server.commit, 2);
}

/// 5.3: after a rejection the leader decrements nextIndex and retries; eventually the logs match.
#[test]
fn a_mismatch_moves_next_index_back() {
    let mut node = Node::with_log(with_values(), 2, &[1, 2]).elected();
    assert_eq!(node.progress(N3), (3, 0));
    assert_eq!(node.hear(N3, mismatch(3, 2)), [(N3, append(3, at(1, 1), Some(2), 0))]);
    assert_eq!(node.hear(N3, mismatch(3, 2)), [], "an answer counts once");
    assert_eq!(node.hear(N3, mismatch(3, 1)), [(N3, append(3, at(0, 0), Some(1), 0))]);
    assert_eq!(node.hear(N3, appended(3, 1)), [(N3, append(3, at(1, 1), Some(2), 0))]);
    assert_eq!(node.progress(N3), (2, 1));
    assert_eq!(node.hear(N3, appended(3, 2)), []);
    assert_eq!(node.progress(N3), (3, 2));
}

/// 5.3: once the leader has replicated an entry on a majority of the servers it is committed, and
/// all before it. 5.4.2: only entries of the leader's own term are committed by counting.
#[test]
fn a_majority_commits_entries_of_the_own_term() {
    let mut node = Node::with_log(with_values(), 2, &[1, 2]).elected();
    node.hear(N2, appended(3, 2));
    assert_eq!(node.server.commit, 0, "a majority has entry 2, which is of an earlier term");
    node.request(Command::Value(1));
    node.hear(N2, appended(3, 3));
    assert_eq!(node.server.commit, 3);
}

/// Figure 2, State: term, vote and log survive a restart; the rest does not.
#[test]
fn a_restart_keeps_what_is_persistent() {
    let mut node = Node::new(with_values()).elected();
    node.request(Command::Value(1));
    node.hear(N2, appended(1, 1));
    let before = node.server.clone();
    assert_eq!(before.commit, 1);
    node.restart();
    assert_eq!(node.server.persistent, before.persistent);
    assert_eq!(
        (node.server.commit, node.server.role),
        (0, Role::Follower { leader: None, lease: false })
    );
}
