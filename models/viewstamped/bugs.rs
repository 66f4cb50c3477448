//! The published mistakes that can be planted: each leaves out one rule.

use crate::election::{Costs, Healing, bugs};

bugs! {
    /// A rule left out.
    pub(super) enum Bug {
        ForgetsView {
            name: "forgets-view",
            summary: "A replica keeps its view number in memory only, so that a recovering one can \
                      come back into a view before a view change that it has helped to start.",
            rule: "Paper 4.3 and 8.2 do without any disk write; the original protocol (Oki, Liskov \
                   1988) wrote the view number during a view change",
            instead: "saves the number of the view on its disk before it sends anything in that \
                      view",
            published: "Michael, Ports, Sharma, Szekeres: Recovering Shared Objects Without Stable \
                        Storage, DISC 2017",
            costs: Costs::Safety,
        },
        TruncatesBeforeTransfer {
            name: "truncates-before-transfer",
            summary: "A replica that hears of a later view drops what it does not know to be \
                      committed and enters that view before the missing state has arrived.",
            rule: "Paper 5.2 read to the letter; state must be replaced when NewState arrives, not \
                   before",
            instead: "keeps its log and its view until the state that it asks for has arrived",
            published: "J. Vanlightly, vsr-tlaplus (2022), VSR.tla, defect 1",
            costs: Costs::Safety,
        },
        LongestLogWins {
            name: "longest-log-wins",
            summary: "The new primary takes the longest log offered, whatever the view in which it \
                      was last normal.",
            rule: "Paper 4.2, step 3: the log with the largest v' (the latest view in which its \
                   sender was normal), and only among those the longest",
            instead: "takes a log that was last normal in the latest view, and the longest only \
                      among such logs",
            published: "Kimberlite, TLC finds a wrong log after DoViewChange; the same slip as \
                        comparing logs by length in Raft",
            costs: Costs::Safety,
        },
        PreparesInOldView {
            name: "prepares-in-old-view",
            summary: "A replica that has joined a view change still prepares operations of the \
                      view that it was last normal in.",
            rule: "Paper 8.1: replicas stop accepting Prepare messages from earlier views once \
                   they start the view change",
            instead: "takes nothing from this message: it has started a view change, and prepares \
                      nothing more of an earlier view",
            published: "Liskov and Cowling 2012, section 8.1, which says why it is crucial",
            costs: Costs::Safety,
        },
        InstallsViewTwice {
            name: "installs-view-twice",
            summary: "A replica that is normal in a view accepts another StartView for it, though \
                      the log in it is older than its own.",
            rule: "Paper 4.2, step 5, which is silent; only a replica that has not joined the view \
                   may replace its log",
            instead: "keeps its log, because it is normal in this view already",
            published: "J. Vanlightly, vsr-tlaplus (2022), VSR.tla, note at ReceiveSV: the paper \
                        sets no restriction on the view",
            costs: Costs::Safety,
        },
        FallsBackIntoViewChange {
            name: "falls-back-into-view-change",
            summary: "A replica that is normal in a view returns to the view change when a late \
                      StartViewChange for that view arrives.",
            rule: "Paper 4.2, steps 1 and 2, which are silent; a replica with status normal \
                   ignores StartViewChange for its own view",
            instead: "stays normal, because it has completed the change to this view",
            published: "J. Vanlightly, vsr-tlaplus (2022), VSR.tla, note at ReceiveMatchingSVC",
            costs: Costs::Safety,
        },
        SkipsStartViewChange {
            name: "skips-start-view-change",
            summary: "A replica offers its log at once, without having heard that f others have \
                      started the view change.",
            rule: "Paper 4.2, step 2, and 8.2: without a disk, two message exchanges are necessary",
            instead: "offers its log only after it has heard that enough others, a quorum with \
                      itself, have started this view change",
            published: "Liskov and Cowling 2012, section 8.2, which gives the run",
            costs: Costs::Safety,
        },
        RecoversFromAnyPrimary {
            name: "recovers-from-any-primary",
            summary: "A recovering replica takes the log from whichever primary has answered, \
                      though it has heard of a later view.",
            rule: "Paper 4.3, step 3: the log comes from the primary of the latest view among the \
                   answers",
            instead: "takes a log only from the primary of the latest view that the answers name",
            published: "J. Vanlightly, vsr-tlaplus (2022), VSR.tla, first draft of \
                        CompleteRecovery",
            costs: Costs::Safety,
        },
        CountsOldAnswers {
            name: "counts-old-answers",
            summary: "A recovering replica also counts answers to an earlier recovery of its own.",
            rule: "Paper 4.3, step 3, and 8.2: all answers contain the nonce of this recovery",
            instead: "does not count this answer, which was given to an earlier recovery",
            published: "Liskov and Cowling 2012, section 8.2, which says why the nonce is needed",
            costs: Costs::Safety,
        },
        VotesWhileRecovering {
            name: "votes-while-recovering",
            summary: "A recovering replica takes part in view changes, with the empty log that it \
                      has.",
            rule: "Paper 4.3: while its status is recovering, a replica does not participate in \
                   the view change protocol",
            instead: "takes no part in view changes while it is recovering",
            published: "Liskov and Cowling 2012, section 4.3, which says how the system can fail",
            costs: Costs::Safety,
        },
        TrustsLogOnDisk {
            name: "trusts-log-on-disk",
            summary: "A recovering replica keeps all of the log on its disk and fetches only what \
                      follows, though operations beyond its commit-number may have been replaced.",
            rule: "Paper 5.1: only a prefix that is known to be committed can be completed by a \
                   suffix",
            instead: "keeps of the log on its disk only what it knows to be committed, and asks \
                      for the rest",
            published: "J. Vanlightly, vsr-tlaplus (2022), VR_REPLICA_RECOVERY_ASYNC_LOG.tla",
            costs: Costs::Safety,
        },
        OffersViewNumber {
            name: "offers-view-number",
            summary: "A replica offers its log as if it were of the view that it leaves, although \
                      it was never normal in that view.",
            rule: "Paper 4.2, step 2: v' is the view number of the latest view in which its status \
                   was normal",
            instead: "goes on naming the view in which it was last normal, and not the view that \
                      it leaves",
            published: "J. Vanlightly, vsr-tlaplus (2022): one half of defect 1, where \
                        last_normal_view runs ahead of the log",
            costs: Costs::Safety,
        },
        HalfIsAQuorum {
            name: "half-is-a-quorum",
            summary: "In a group of an even size, half of the replicas are taken for a quorum.",
            rule: "Paper 2.2 and 8.1: the quorums of two views must intersect",
            instead: "needs more than half of the replicas for a quorum, itself included",
            published: "our own; the slip of a majority rounded down",
            costs: Costs::Safety,
        },
        CommitsWhatItLacks {
            name: "commits-what-it-lacks",
            summary: "A backup takes the commit-number of a Commit message although its log is \
                      shorter.",
            rule: "Paper 4.1, step 7: it waits until it has the request in its log, which may \
                   require state transfer",
            instead: "fetches the operations that its log lacks, and counts nothing as committed \
                      that its log does not have",
            published: "our own; known from Raft as a commit index that is not the minimum of \
                        leaderCommit and the last entry",
            costs: Costs::Safety,
        },
        AppendsState {
            name: "appends-state",
            summary: "A replica appends the operations of a NewState to whatever its log has \
                      become since it asked for them.",
            rule: "Paper 5.2: NewState continues the log from the op-number that GetState named",
            instead: "puts these operations at the places that they have in the sender's log, and \
                      none of them a second time",
            published: "our own; the place is one where specifications differ",
            costs: Costs::Safety,
        },
        ResumesView {
            name: "resumes-view",
            summary: "A replica that comes back is normal at once in the view on its disk, \
                      although its log is lost, and although that may be a view that it had only \
                      begun to change to.",
            rule: "Paper 4.3: a replica that comes back recovers first; a view number on disk says \
                   which views are over, not in which it was normal",
            instead: "recovers first: it asks the others for its state, and takes part in nothing \
                      until it has it",
            published: "our own; original VR (Oki, Liskov 1988) writes the number during the view \
                        change, so the number on disk cannot tell in which view the \
                        replica was normal",
            costs: Costs::Safety,
        },
        OwnCommitNumber {
            name: "own-commit-number",
            summary: "The new primary keeps its own commit-number instead of the largest one \
                      offered. It costs nothing but the rule itself: what the new primary does not \
                      know to be committed stays in its log, and is committed again, with the next \
                      operation at the latest.",
            rule: "Paper 4.2, step 3: the largest commit-number received",
            instead: "takes over the largest commit-number among the offers",
            published: "our own control; the place is one that specifications of the protocol \
                        check",
            costs: Costs::Nothing,
        },
        AsksOnce {
            name: "asks-once",
            summary: "A recovering replica asks only once, whatever is answered, or if nothing is.",
            rule: "Paper 4.1 leaves re-sending out as a detail; answers from both sides of a view \
                   change may not suffice",
            instead: "sets a timer, and asks again when that ends without enough answers",
            published: "J. Vanlightly, vsr-tlaplus (2022), VR_REPLICA_RECOVERY.tla, RetryRecovery",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        WaitsForNewView {
            name: "waits-for-new-view",
            summary: "A replica that has begun a view change waits for its end, however long that \
                      takes.",
            rule: "Paper 4.2: a view change that does not complete in time is followed by one to \
                   the next view",
            instead: "sets a timer for this view change, and starts the next one if the timer \
                      ends first",
            published: "TigerBeetle pull request 494 (2023): a backup that misses the StartView \
                        waits for ever",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
    }
}
