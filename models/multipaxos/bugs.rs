//! The mistakes that can be planted.

use crate::election::{Costs, Healing, bugs};

/// The rule that three bugs break, each in a different way.
const PHASE_1: &str = "a promise tells every vote in the slots asked for, and phase 1 asks for \
                       every slot from the first that is not known chosen (PMS 2.2, 3)";

bugs! {
    /// A mistake; each is one `if` at the rule that it breaks.
    pub(super) enum Bug {
        DropsHighestSlot {
            name: "drops-highest-slot",
            summary: "An acceptor's promise leaves out the vote in its highest slot, like a range \
                      that ends one slot too early.",
            rule: PHASE_1,
            instead: "reports its votes in all slots asked for, the highest one included",
            published: "a range error of the kind that phase 1 invites; our own analysis",
            costs: Costs::Safety,
        },
        ReportsFirstSlotOnly {
            name: "reports-first-slot-only",
            summary: "An acceptor answers a candidate about the first slot asked for, as in Paxos \
                      for a single decree.",
            rule: PHASE_1,
            instead: "reports its votes in all slots asked for, and not only in the first",
            published: "our own analysis: single-decree Paxos carried over without the change of \
                        section 3",
            costs: Costs::Safety,
        },
        ReportsAboveOwnCommit {
            name: "reports-above-own-commit",
            summary: "An acceptor tells only of slots above its own commit index, not above the \
                      candidate's.",
            rule: PHASE_1,
            instead: "reports its votes in all slots asked for, also in those that it knows to be \
                      chosen",
            published: "our own analysis of the range of phase 1",
            costs: Costs::Safety,
        },
        AdoptsLastReceived {
            name: "adopts-last-received",
            summary: "A candidate is bound in each slot by the promise that came last, not by the \
                      highest ballot.",
            rule: "the value proposed is that of the highest-numbered vote among the promises (PMS \
                   2.2; PMMC, pmax)",
            instead: "is bound in each slot by the vote under the highest ballot among those \
                      reported",
            published: "our own analysis: the sibling of \"any reported value\" in Paxos; hidden \
                        below 3 ballots",
            costs: Costs::Safety,
        },
        FillsGapsEarly {
            name: "fills-gaps-early",
            summary: "A candidate takes a slot for a gap, and its no-op for settled, before a \
                      majority has been heard.",
            rule: "only a slot of which no promise of a majority reports a vote may get a no-op \
                   (PMS 3)",
            instead: "takes no slot for a gap before it has the promises of a majority",
            published: "our own analysis of the rule in PMS 3",
            costs: Costs::Safety,
        },
        CommitsAnyBallot {
            name: "commits-any-ballot",
            summary: "A follower commits whatever it has accepted up to the leader's commit index, \
                      under any ballot.",
            rule: "a vote is known to be for the chosen value only under the ballot of the leader \
                   that says so (PMS 2.3)",
            instead: "commits only what it has accepted under the ballot of the leader that says \
                      what is chosen",
            published: "our own analysis: in MultiPaxos-SMR of the TLA+ examples a commit notice \
                        names a slot and no ballot; the like in Raft: a follower that leaves out \
                        the minimum of leaderCommit and the index of the last new entry",
            costs: Costs::Safety,
        },
        AcceptQuorumOffByOne {
            name: "accept-quorum-off-by-one",
            summary: "A leader commits a value as soon as a majority less one has accepted it.",
            rule: "a value is chosen once a majority has accepted it (PMS 2.2)",
            instead: "commits only what a majority has accepted",
            published: "suggested as an exercise by the README of MultiPaxos-SMR in the TLA+ \
                        examples",
            costs: Costs::Safety,
        },
        AcceptsBelowPromise {
            name: "accepts-below-promise",
            summary: "An acceptor accepts under a ballot below its promise.",
            rule: "an acceptor accepts unless it has promised a higher ballot (PMS 2.2, P1a)",
            instead: "does not accept this value, because it has promised a higher ballot",
            published: "the guard is marked in the Paxos pseudo-code of MIT's course 6.824",
            costs: Costs::Safety,
        },
        PromiseNamesNoBallot {
            name: "promise-names-no-ballot",
            summary: "A promise does not say which ballot it is for, and counts towards whichever \
                      its candidate runs for by then.",
            rule: "a majority has promised the ballot of the leader (PMS 2.2)",
            instead: "does not count this promise, which is for another ballot",
            published: "luohaha/MyPaxos issue 18, 2026 (a late response to an earlier prepare \
                        request is counted)",
            costs: Costs::Safety,
        },
        UsesASlotTwice {
            name: "uses-a-slot-twice",
            summary: "A leader puts an input in the first slot that it does not know chosen, \
                      whatever it has proposed there.",
            rule: "an input goes into a slot that the leader has not used (PMS 3; PMMC invariants \
                   A4 and C1)",
            instead: "puts this input in a slot in which it has proposed nothing yet",
            published: "our own analysis: slot_out in place of slot_in, in the words of PMMC",
            costs: Costs::Safety,
        },
        ClosesGaps {
            name: "closes-gaps",
            summary: "A new leader fills no gap with a no-op, but moves what was reported above it \
                      down into it.",
            rule: "a value reported in a slot is proposed in that slot, and gaps get no-ops (PMS \
                   3)",
            instead: "proposes every reported value in its own slot, and fills the gaps with \
                      no-ops",
            published: "our own analysis: the shorter log looks like the same log",
            costs: Costs::Safety,
        },
        OneBallotVariable {
            name: "one-ballot-variable",
            summary: "An acceptor keeps one ballot for promise and votes, so it reports votes \
                      under a ballot it only promised.",
            rule: "a promise tells under which ballot each vote was cast (PMS 2.2)",
            instead: "reports each vote under the ballot under which it was cast",
            published: "Sutra, \"On the correctness of Egalitarian Paxos\", arXiv 1906.10917; \
                        hidden below 3 ballots",
            costs: Costs::Safety,
        },
        ForgetsPromise {
            name: "forgets-promise",
            summary: "An acceptor's promise is lost when it restarts; its votes are not.",
            rule: "an acceptor remembers its promise across failures (PMS 2.2, 2.5)",
            instead: "reads its promise back from its disk when it restarts",
            published: "acceptor amnesia, the classic; Chandra et al. 2007, section 5.1, tells of \
                        its cousin, the corrupted disk",
            costs: Costs::Safety,
        },
        ReusesBallot {
            name: "reuses-ballot",
            summary: "A node that restarts counts its rounds from 1 again, and leads a ballot that \
                      it has led before.",
            rule: "a proposer remembers the highest ballot it used, and never issues the same one \
                   again (PMS 2.5)",
            instead: "reads back from its disk which rounds it has used, so that its next ballot \
                      is a new one",
            published: "our own analysis; where leaders do not vote for their own proposals, two \
                        values in one ballot follow",
            costs: Costs::Safety,
        },
        AnswersBeforeDisk {
            name: "answers-before-disk",
            summary: "An acceptor answers first and writes to its disk afterwards; a crash can \
                      strike between.",
            rule: "the response is recorded in stable storage before it is sent (PMS 2.5)",
            instead: "saves on its disk what it has promised or accepted before it answers",
            published: "our own analysis: the order that PMS 2.5 asks for, turned round",
            costs: Costs::Safety,
        },
        LeavesGaps {
            name: "leaves-gaps",
            summary: "A new leader puts nothing into a slot of which no promise tells, though \
                      higher slots are in use.",
            rule: "gaps are filled with no-ops at once, else nothing above them is ever executed \
                   (PMS 3)",
            instead: "fills each gap below the highest slot in use with a no-op",
            published: "our own analysis of the rule in PMS 3",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        NeverRetransmits {
            name: "never-retransmits",
            summary: "A leader sends each proposal once: a lost message blocks its slot for ever.",
            rule: "messages can be lost (PMS 2.1), so the leader sends again what is not answered",
            instead: "sends again what a follower has not answered",
            published: "Liu, Chand and Stoller, \"Moderately Complex Paxos Made Simple\", arXiv \
                        1704.00082",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        PromisesTwice {
            name: "promises-twice",
            summary: "An acceptor promises a ballot again when asked again, though phase 1b asks \
                      for a number greater than any.",
            rule: "only a ballot above all promised ones is promised (PMS 2.2)",
            instead: "does not answer this request, because it has promised this ballot already",
            published: "a control: a ballot has one owner, which campaigns under it once and \
                        counts nodes, not answers",
            costs: Costs::Nothing,
        },
    }
}
