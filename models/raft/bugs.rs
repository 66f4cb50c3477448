//! The mistakes that can be planted.

use super::Raft;
use super::members::Membership;
use crate::election::{Costs, Healing, Value, bugs};

bugs! {
    /// A published mistake; each is one `if` at the rule that it breaks.
    pub(super) enum Bug {
        ForgetsVote {
            name: "forgets-vote",
            summary: "A server that restarts has forgotten for whom it voted.",
            rule: "votedFor is persistent state, saved before RPCs are answered (figure 2, State)",
            instead: "reads its vote back from its disk when it restarts",
            published: "akka-raft issue 56; cornerstone issue 65 (claimed there, and disputed)",
            costs: Costs::Safety,
        },
        ForgetsTerm {
            name: "forgets-term",
            summary: "A server that restarts has forgotten its term.",
            rule: "currentTerm is persistent state, saved before RPCs are answered (figure 2, \
                   State)",
            instead: "reads its term back from its disk when it restarts",
            published: "ongardie/raft.tla pull request 5",
            costs: Costs::Safety,
        },
        ClearsVoteInTerm {
            name: "clears-vote-in-term",
            summary: "A server that hears from a leader clears its vote although the term is the \
                      same.",
            rule: "a server votes for at most one candidate in a term (5.2)",
            instead: "keeps the vote that it has given in this term: to hear from a leader does \
                      not change it",
            published: "etcd commit 9d2a465, 2015",
            costs: Costs::Safety,
        },
        LowersTerm {
            name: "lowers-term",
            summary: "A server takes over the term of every AppendEntries, a lower one too.",
            rule: "currentTerm increases monotonically (figure 2, State)",
            instead: "keeps its term, which never decreases, and takes nothing from the leader of \
                      a lower one",
            published: "nebula issue 2405",
            costs: Costs::Safety,
        },
        VotesTwice {
            name: "votes-twice",
            summary: "A server grants its vote without looking whether it has already voted in the \
                      term.",
            rule: "grant the vote if votedFor is null or candidateId (figure 2, RequestVote RPC, \
                   2)",
            instead: "does not grant this vote: it has already voted for another server in this \
                      term",
            published: "kerala issue 18",
            costs: Costs::Safety,
        },
        NoSelfVote {
            name: "no-self-vote",
            summary: "A candidate counts a vote of its own but does not record it, so that it can \
                      vote for another.",
            rule: "a candidate votes for itself (5.2; figure 2, Candidates)",
            instead: "records its vote for itself before it asks others for theirs",
            published: "xraft issue 44 (raised there, and found not to be so)",
            costs: Costs::Safety,
        },
        CountsVotesTwice {
            name: "counts-votes-twice",
            summary: "A candidate counts votes and not voters, so that a duplicated message is two \
                      votes.",
            rule: "a candidate needs votes from a majority of the servers (5.2)",
            instead: "counts each voter once, and has counted this one already",
            published: "akka-raft issue 45",
            costs: Costs::Safety,
        },
        HalfQuorum {
            name: "half-quorum",
            summary: "Half of the servers count as a majority.",
            rule: "a candidate needs votes from a majority of the servers (5.2)",
            instead: "needs more than half of the members for a quorum, and half of them are not \
                      enough",
            published: "a classic off-by-one for even clusters",
            costs: Costs::Safety,
        },
        AnswersBeforeSaving {
            name: "answers-before-saving",
            summary: "A server sends its vote before the vote is on disk.",
            rule: "persistent state is updated before responding to RPCs (figure 2, State)",
            instead: "saves its vote on its disk before it sends it",
            published: "we know of no report for votes; for log entries Vanlightly's RaftFsync.tla",
            costs: Costs::Safety,
        },
        VotesForAnyLog {
            name: "votes-for-any-log",
            summary: "A server votes for a candidate whose log is behind its own.",
            rule: "vote only for a log at least as up-to-date as one's own (5.4.1; figure 2, \
                   RequestVote RPC, 2)",
            instead: "grants votes and pre-votes only to a log at least as up-to-date as its own, \
                      which this one is not",
            published: "the paper's own reason for the restriction, 5.4.1",
            costs: Costs::Safety,
        },
        ComparesLengthOnly {
            name: "compares-length-only",
            summary: "A server takes the longer log for the more up-to-date one, and ignores the \
                      last terms.",
            rule: "the log with the later last term is more up-to-date (5.4.1)",
            instead: "compares the terms of the last entries first, and the lengths of the logs \
                      only if those terms are equal",
            published: "the paper's definition of up-to-date, 5.4.1",
            costs: Costs::Safety,
        },
        CommitsOldTerms {
            name: "commits-old-terms",
            summary: "A leader commits entries of earlier terms by counting replicas.",
            rule: "only entries of the leader's term are committed by counting replicas (5.4.2, \
                   figure 8)",
            instead: "does not commit an entry of an earlier term because a quorum has it: a \
                      leader counts copies only of entries of its own term",
            published: "figure 8; CCF issue 5674; PySyncObj issues 110 and 169",
            costs: Costs::Safety,
        },
        TruncatesAlways {
            name: "truncates-always",
            summary: "A follower deletes everything after the previous entry, even if nothing \
                      conflicts.",
            rule: "entries are deleted only if one conflicts with a new one (figure 2, \
                   AppendEntries RPC, 3)",
            instead: "deletes nothing from its log here, because nothing in it conflicts with \
                      this message",
            published: "CCF pull requests 5991 and 6016",
            costs: Costs::Safety,
        },
        NoPreviousCheck {
            name: "no-previous-check",
            summary: "A follower appends without looking whether the previous entry is in its log.",
            rule: "refuse if the log has no entry at prevLogIndex with prevLogTerm (figure 2, \
                   AppendEntries RPC, 2)",
            instead: "takes nothing from this message: its log does not have the entry that comes \
                      before, and it tells the leader so",
            published: "the paper's own reason for the consistency check, 5.3",
            costs: Costs::Safety,
        },
        AcceptsStaleAppends {
            name: "accepts-stale-appends",
            summary: "A server takes entries from a leader whose term is over.",
            rule: "refuse if term < currentTerm (figure 2, AppendEntries RPC, 1)",
            instead: "refuses this message, because the term of its sender is over",
            published: "the paper's own reason for terms, 5.1",
            costs: Costs::Safety,
        },
        AcknowledgesWholeLog {
            name: "acknowledges-whole-log",
            summary: "A follower acknowledges its whole log, not just what the leader's message \
                      has verified.",
            rule: "matchIndex is the highest entry known to be replicated (figure 2, State; 5.3)",
            instead: "acknowledges its log only as far as this message shows that it agrees with \
                      the leader's",
            published: "CCF pull requests 6001 and 6016",
            costs: Costs::Safety,
        },
        AcknowledgesBeforeSaving {
            name: "acknowledges-before-saving",
            summary: "A follower acknowledges an entry before the entry is on disk.",
            rule: "persistent state is updated before responding to RPCs (figure 2, State)",
            instead: "has everything on its disk that it acknowledges before it sends the \
                      acknowledgement",
            published: "Vanlightly's RaftFsync.tla, switch FollowerFsyncBeforeReply",
            costs: Costs::Safety,
        },
        CommitsUnverified {
            name: "commits-unverified",
            summary: "A follower commits up to the leader's commit index, even entries that the \
                      leader has not verified.",
            rule: "commitIndex = min(leaderCommit, index of last new entry) (figure 2, \
                   AppendEntries RPC, 5)",
            instead: "takes over the leader's commit index only as far as this message shows that \
                      the logs agree",
            published: "etcd commit b927fa8, 2014",
            costs: Costs::Nothing,
        },
        ChangesMembersEarly {
            name: "changes-members-early",
            summary: "A leader adds or removes a server before it has committed an entry of its \
                      own term.",
            rule: "a leader first commits an entry of its term (correction of thesis 4.1)",
            instead: "lets nobody change the members yet: it has not committed an entry of its \
                      own term",
            published: "D. Ongaro: bug in single-server membership changes, raft-dev, July 2015",
            costs: Costs::Safety,
        },
        UnionQuorum {
            name: "union-quorum",
            summary: "While the configuration is joint, a majority of all its servers counts as \
                      agreement.",
            rule: "agreement needs separate majorities of the old and the new configuration (6)",
            instead: "needs a majority of the old configuration and a majority of the new one, \
                      each by itself",
            published: "CCF issue 3948; async-raft issue 62",
            costs: Costs::Safety,
        },
        FormerCandidateForgets {
            name: "former-candidate-forgets",
            summary: "A candidate or pre-candidate that steps down for the leader of its own term \
                      forgets its vote.",
            rule: "a server votes for at most one candidate in a term (5.2)",
            instead: "keeps the vote that it has given in this term, although it stands no longer",
            published: "CCF pull request 8094, 2026 (with PreVote); CCF issue 5891 (without, where \
                        it costs nothing)",
            costs: Costs::Safety,
        },
        PreVoteClearsVote {
            name: "pre-vote-clears-vote",
            summary: "A server that asks for pre-votes clears the vote that it has given in its \
                      term.",
            rule: "a pre-vote changes nothing (thesis 9.6); one vote in a term (5.2)",
            instead: "keeps the vote that it has given in its term: to ask for pre-votes changes \
                      nothing",
            published: "canonical/raft issue 196, 2021",
            costs: Costs::Safety,
        },
        PreVoteCountsAsVote {
            name: "pre-vote-counts-as-vote",
            summary: "A candidate counts a pre-vote for its term, granted earlier, as a vote.",
            rule: "a pre-vote promises nothing (thesis 9.6)",
            instead: "does not count this pre-vote as a vote, because a pre-vote promises nothing",
            published: "canonical/raft issue 196, 2021 (raised in its discussion)",
            costs: Costs::Safety,
        },
        PreVoteWithoutLease {
            name: "pre-vote-without-lease",
            summary: "A server grants pre-votes although it hears from a leader.",
            rule: "no pre-vote within the minimum election timeout of a leader's heartbeat (thesis \
                   9.6)",
            instead: "does not grant this pre-vote: it leads, or has heard from a leader within \
                      the minimum election timeout",
            published: "etcd, PreVote without CheckQuorum; CockroachDB pull request 104042",
            costs: Costs::Liveness(Healing::Shows {
                cases: 300,
                options: &[("membership", Value::Text("joint")), ("values", Value::Number(3))],
            }),
        },
        LeaderGrantsPreVote {
            name: "leader-grants-pre-vote",
            summary: "A leader grants pre-votes, as if it knew of no leader.",
            rule: "no pre-vote within the minimum election timeout of a leader's heartbeat (thesis \
                   9.6)",
            instead: "does not grant this pre-vote, because it leads",
            published: "braft issues 365, 2022, and 492, 2025",
            costs: Costs::Liveness(Healing::Hides(
                "with all links up everybody hears the leader, and asks for no pre-vote",
            )),
        },
        PreVoteForAnyLog {
            name: "pre-vote-for-any-log",
            summary: "A server grants a pre-vote to a log that is behind its own, although it \
                      would not grant the vote.",
            rule: "a pre-vote is granted if the vote would be (thesis 9.6)",
            instead: "does not grant this pre-vote: its own log is more up-to-date than that of \
                      the server that asks",
            published: "NuRaft pull request 134, 2026",
            costs: Costs::Liveness(Healing::Hides(
                "another timer soon ends first, of a server that can win",
            )),
        },
        PreVoteHidesTerm {
            name: "pre-vote-hides-term",
            summary: "A server that refuses a pre-vote for a term that it has reached does not \
                      tell its own term.",
            rule: "a refusal tells the requester the current term (figure 2, RequestVote RPC, \
                   results)",
            instead: "answers with its own term, which has reached the term that it is asked about",
            published: "openraft issue 1796, 2026; rabbitmq/ra issue 439, 2024",
            costs: Costs::Liveness(Healing::Hides(
                "random faults seldom leave a quorum in which the longer log has the lower term",
            )),
        },
        PreVoteRestartsTimer {
            name: "pre-vote-restarts-timer",
            summary: "A server restarts its election timer when it grants a pre-vote.",
            rule: "the timer restarts for the current leader and for a granted vote (figure 2, \
                   Followers)",
            instead: "lets its election timer run on, because a pre-vote promises nothing",
            published: "hashicorp/raft pull request 609, 2024",
            costs: Costs::Liveness(Healing::Hides(
                "chance soon lets the server that can win time out before it is asked again",
            )),
        },
        IgnoresLowerTerms {
            name: "ignores-lower-terms",
            summary: "A server does not answer requests of lower terms.",
            rule: "a refusal tells the requester the current term (figure 2, both RPCs, 1)",
            instead: "answers with its own term, so that the sender of the request learns of it",
            published: "etcd commit 3c7359d",
            costs: Costs::Liveness(Healing::Hides(
                "it takes a quorum that needs a server with a longer log and a lower term, once in \
                 some thousand runs",
            )),
        },
        StaleLeaderRestartsTimer {
            name: "stale-leader-restarts-timer",
            summary: "The heartbeat of a leader whose term is over restarts the election timer.",
            rule: "the timer restarts for the current leader and for a granted vote (figure 2, \
                   Followers)",
            instead: "lets its election timer run on, because the term of this leader is over",
            published: "butaneprotocol/oracles issue 32",
            costs: Costs::Liveness(Healing::Hides(
                "with all links up the old leader is refused, and steps down",
            )),
        },
        RefusalRestartsTimer {
            name: "refusal-restarts-timer",
            summary: "A server restarts its election timer when it refuses a vote in its own term.",
            rule: "the timer restarts for the current leader and for a granted vote (figure 2, \
                   Followers)",
            instead: "lets its election timer run on, because it has not granted its vote",
            published: "J. Gjengset: Students' Guide to Raft, 2016",
            costs: Costs::Liveness(Healing::Hides(
                "chance soon lets the server that can win time out before it is asked again",
            )),
        },
        LeadsOnWhenRefused {
            name: "leads-on-when-refused",
            summary: "A server ignores the higher term in a refusal, even if it leads.",
            rule: "a higher term in a response is adopted (figure 2, All Servers)",
            instead: "takes over the higher term that the refusal names, and is a follower in it",
            published: "verdi-raft issue 29",
            costs: Costs::Liveness(Healing::Hides(
                "it takes a leader that a quorum has left and others still follow, once in some \
                 thousand runs",
            )),
        },
    }
}

impl Bug {
    /// The option without which the rule that this bug breaks does not exist.
    pub(super) fn lacks(self, raft: &Raft) -> Option<&'static str> {
        match self {
            Bug::ChangesMembersEarly if raft.membership != Membership::Single => {
                Some("membership = \"single\"")
            }
            Bug::UnionQuorum if raft.membership != Membership::Joint => {
                Some("membership = \"joint\"")
            }
            Bug::PreVoteClearsVote
            | Bug::PreVoteCountsAsVote
            | Bug::PreVoteWithoutLease
            | Bug::LeaderGrantsPreVote
            | Bug::PreVoteForAnyLog
            | Bug::PreVoteHidesTerm
            | Bug::PreVoteRestartsTimer
                if !raft.pre_vote =>
            {
                Some("pre_vote = true")
            }
            _ => None,
        }
    }
}
