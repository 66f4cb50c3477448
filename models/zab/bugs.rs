//! The published mistakes that can be planted. Each is one `if` at the rule that it breaks.

use crate::election::{Costs, Healing, bugs};

bugs! {
    /// A rule left out, or broken.
    pub(super) enum Bug {
        EpochNotAbove {
            name: "epoch-not-above",
            summary: "A leader takes an epoch that a follower has promised already, and the follower promises it again.",
            rule: "Steps l.1.1 and f.1.2: the new epoch is later than every epoch that a quorum has promised, and none is \
                   promised twice.",
            instead: "neither takes nor promises an epoch that has been promised already, so that \
                      no two leaders have it promised",
            published: "ZOOKEEPER-1343 (`>` where `>=` belongs), with the follower's own guard removed as well",
            costs: Costs::Safety,
        },
        EpochNotAboveButGuarded {
            name: "epoch-not-above-but-guarded",
            summary: "A leader takes an epoch that a follower has promised already; the follower does not promise it again.",
            rule: "Step l.1.1: the new epoch is later than every epoch that a quorum has promised.",
            instead: "takes an epoch later than every promise that it is told of",
            published: "ZOOKEEPER-1343 as it was: a second guard, the follower's (f.1.2), keeps it harmless",
            costs: Costs::Nothing,
        },
        PromiseNotOnDisk {
            name: "promise-not-on-disk",
            summary: "A follower promises an epoch, crashes, and has forgotten it.",
            rule: "Step f.1.2: the promised epoch (f.p in the paper) is on disk before the promise \
                   is sent.",
            instead: "saves the epoch on its disk before it promises it, so that no crash makes it \
                      forget the promise",
            published: "Junqueira, Reed, Serafini 2011 (the promised epoch is durable); Zab before \
                        1.0 had no acceptedEpoch",
            costs: Costs::Safety,
        },
        EpochBeforeHistory {
            name: "epoch-before-history",
            summary: "A follower writes the leader's epoch to disk before the leader's history, and may crash in between.",
            rule: "Step f.2.1: epoch and history are taken over as one; on a disk, history first.",
            instead: "saves the leader's history no later than the leader's epoch, because the \
                      epoch says that it has this history",
            published: "ZOOKEEPER-4643",
            costs: Costs::Safety,
        },
        AcksBeforeHistoryOnDisk {
            name: "acks-before-history-on-disk",
            summary: "A follower acknowledges NEWLEADER before what it acknowledges is on disk, and may crash in between.",
            rule: "Step f.2.1: the acknowledgement comes after history and epoch.",
            instead: "has the leader's history and epoch on its disk before it acknowledges them",
            published: "ZOOKEEPER-4646",
            costs: Costs::Safety,
        },
        HistoryOnDiskAtUpToDate {
            name: "history-on-disk-at-uptodate",
            summary: "A follower keeps the leader's history in memory until UPTODATE, having acknowledged it.",
            rule: "Step f.2.1: the acknowledgement comes after the history.",
            instead: "has the leader's history on its disk before it acknowledges that history",
            published: "ZOOKEEPER-3911",
            costs: Costs::Safety,
        },
        EpochOnDiskAtUpToDate {
            name: "epoch-on-disk-at-uptodate",
            summary: "A follower takes over the leader's epoch at UPTODATE, having acknowledged NEWLEADER before.",
            rule: "Step f.2.1: the epoch of the history (f.a in the paper) becomes the new one \
                   before NEWLEADER is acknowledged.",
            instead: "has the leader's epoch on its disk before it acknowledges the leader's \
                      history",
            published: "ZOOKEEPER-1282",
            costs: Costs::Safety,
        },
        DiffInsteadOfTrunc {
            name: "diff-instead-of-trunc",
            summary: "A leader sends what is missing to a follower that has one transaction too \
                      many, and does not have it drop that one.",
            rule: "Step l.2.1: the follower's history becomes the leader's, so what is not part of it goes.",
            instead: "first orders the follower to drop the transactions that are not in its own \
                      history",
            published: "ZOOKEEPER-1154",
            costs: Costs::Safety,
        },
        TruncFailsSilently {
            name: "trunc-fails-silently",
            summary: "A follower fails to truncate its log and goes on.",
            rule: "Step f.2.1: the follower's history becomes the leader's.",
            instead: "drops from its log what is not in the leader's history before it adds \
                      anything",
            published: "ZOOKEEPER-3701",
            costs: Costs::Safety,
        },
        ReportsLastDelivered {
            name: "reports-last-delivered",
            summary: "A follower tells its leader the last transaction that it has delivered, where it has logged more.",
            rule: "Steps f.1.2 and l.2.1: what a follower is sent is judged by its whole history \
                   (h_f in the paper).",
            instead: "tells its leader the last transaction that it has logged, delivered or not, \
                      because by that the leader finds what it is to drop",
            published: "ZOOKEEPER-2832, ZOOKEEPER-2845 (a database kept from one leader to the next)",
            costs: Costs::Safety,
        },
        ProposesToSyncedOnly {
            name: "proposes-to-synced-only",
            summary: "A leader does not propose to a follower between NEWLEADER and its acknowledgement.",
            rule: "Steps l.3.1, l.3.3: whatever is not part of the follower's NEWLEADER is proposed to it.",
            instead: "proposes this transaction also to a follower that has not acknowledged its \
                      history yet, because the history that it sent does not contain it",
            published: "Zab.tla of Apache ZooKeeper, issues.md: which set Q is meant where",
            costs: Costs::Safety,
        },
        UpToDateNamesSyncPoint {
            name: "uptodate-names-sync-point",
            summary: "UPTODATE commits what NEWLEADER brought, though more has been committed since.",
            rule: "Step l.3.4: COMMIT-LD stands for every COMMIT that did not go to this follower.",
            instead: "names the last transaction that is committed by now, because this follower \
                      was not told of the latest commits",
            published: "Zab.tla of Apache ZooKeeper, issues.md: the zxid that the paper leaves out",
            costs: Costs::Safety,
        },
        LogsAfterLeaving {
            name: "logs-after-leaving",
            summary: "A follower that has left its leader still logs what that leader proposes, on top of what the next one sent.",
            rule: "Step f.3.1: a follower accepts the proposals of the leader that it follows, and of no other.",
            instead: "does not log this transaction, because it no longer follows the server that \
                      proposes it",
            published: "ZOOKEEPER-4712, where it is the queue of the log that outlives its follower",
            costs: Costs::Safety,
        },
        ReadsHalfARecord {
            name: "reads-half-a-record",
            summary: "A server that crashed while it logged a transaction takes the record for whole: zxid right, value wrong.",
            rule: "Step f.3.1: a transaction is logged or it is not; ZooKeeper gives each record of the log a checksum.",
            instead: "logs the whole transaction or nothing of it",
            published: "Ganesan, Alagappan, Arpaci-Dusseau, Arpaci-Dusseau, FAST 2017: other systems have no checksums, ZooKeeper has",
            costs: Costs::Safety,
        },
        ElectsByZxidOnly {
            name: "elects-by-zxid-only",
            summary: "A history counts as more recent by its last transaction, whatever its epoch.",
            rule: "Step l.1.2: histories are compared by their epochs (f.a in the paper) first.",
            instead: "compares the epochs of two histories first, and their last transactions only \
                      if the epochs are equal",
            published: "Zab before 1.0, which had no currentEpoch (ZOOKEEPER-335)",
            costs: Costs::Safety,
        },
        EmptyDiskVotes {
            name: "empty-disk-votes",
            summary: "A server that has lost its disk still votes and promises, as if it had never \
                      promised anything.",
            rule: "The promised epoch (f.p in the paper), the epoch of the history (f.a) and the \
                   history (h_f) survive a crash; a server that has lost them must be given a \
                   history first.",
            instead: "neither votes nor promises anything until a leader has given it a history, \
                      because it does not know what it had promised",
            published: "ZOOKEEPER-261",
            costs: Costs::Safety,
        },
        IgnoresRound {
            name: "ignores-round",
            summary: "A server that hears a quorum name it as leader takes the office, though in an earlier round.",
            rule: "FastLeaderElection, checkLeader: the round must be the server's own.",
            instead: "does not take office on what others say of an earlier round",
            published: "ZOOKEEPER-1514",
            costs: Costs::Safety,
        },
        AllVotesShortcut {
            name: "all-votes-shortcut",
            summary: "A server that has heard every vote leaves the election, though they differ.",
            rule: "FastLeaderElection: a quorum casts the same vote.",
            instead: "stays in the election until a quorum casts the same vote",
            published: "ZOOKEEPER-975",
            costs: Costs::Safety,
        },
        VoteOrderNoOrder {
            name: "vote-order-no-order",
            summary: "Of two votes with the same zxid and different epochs, each may beat the other, so the election may go on and on.",
            rule: "FastLeaderElection, totalOrderPredicate: the greater server wins only if the epochs are equal, too.",
            instead: "compares epochs first, zxids only if the epochs are equal, and servers only \
                      if both are equal",
            published: "ZOOKEEPER-1419",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        JoinsByRound {
            name: "joins-by-round",
            summary: "A server joins those who have left the election only if they left it in the same round.",
            rule: "FastLeaderElection: out of the election, leader and epoch are compared and nothing else.",
            instead: "compares leader and epoch with those who have left the election, and not the \
                      round",
            published: "ZOOKEEPER-1732, ZOOKEEPER-1805",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
    }
}
