//! The mistakes that can be planted.

use crate::election::{Costs, Healing, bugs};

/// The rule that three bugs break, each in a different way.
const PHASE_1: &str = "a promise tells all that was accepted in the slots asked for, and phase 1 \
                       asks for every slot from the first that is not known chosen (Paxos Made \
                       Simple, 2.2, 3)";

bugs! {
    /// A mistake; each is one `if` at the rule that it breaks.
    pub(super) enum Bug {
        DropsHighestSlot {
            name: "drops-highest-slot",
            summary: "An acceptor's promise leaves out what it has accepted in its highest slot, \
                      like a range that ends one slot too early.",
            rule: PHASE_1,
            instead: "reports what it has accepted in all slots asked for, the highest one \
                      included",
            published: "our own analysis: an error of one in the range of slots",
            costs: Costs::Safety,
        },
        ReportsFirstSlotOnly {
            name: "reports-first-slot-only",
            summary: "An acceptor answers a candidate about only the first of the slots asked \
                      for, as in Paxos for a single decree.",
            rule: PHASE_1,
            instead: "reports what it has accepted in all slots asked for, and not only in the \
                      first",
            published: "our own analysis: single-decree Paxos carried over without the change of \
                        section 3",
            costs: Costs::Safety,
        },
        ReportsAboveOwnCommit {
            name: "reports-above-own-commit",
            summary: "An acceptor tells only of slots above its own commit index (the last slot up \
                      to which it knows all to be chosen), not above the candidate's.",
            rule: PHASE_1,
            instead: "reports what it has accepted in all slots asked for, also in those that it \
                      knows to be chosen, because the candidate may not know them",
            published: "our own analysis of the range of phase 1",
            costs: Costs::Safety,
        },
        AdoptsLastReceived {
            name: "adopts-last-received",
            summary: "A candidate is bound in each slot by the promise that came last, not by the \
                      highest ballot.",
            rule: "of what the promises report in a slot, the value under the highest ballot is \
                   proposed (Paxos Made Simple, 2.2; Paxos Made Moderately Complex, pmax)",
            instead: "is bound in each slot by the value reported under the highest ballot: if a \
                      value is chosen there already, it is that one",
            published: "our own analysis: the sibling of \"any reported value\" in Paxos; hidden \
                        below 3 ballots",
            costs: Costs::Safety,
        },
        FillsGapsEarly {
            name: "fills-gaps-early",
            summary: "A candidate takes a slot for a gap, and its no-op for settled, before a \
                      majority has been heard.",
            rule: "only a slot of which no promise of a majority reports an acceptance may get a \
                   no-op (Paxos Made Simple, 3)",
            instead: "takes no slot for a gap before it has the promises of a majority, because \
                      the next one may report a value there",
            published: "our own analysis of the rule in Paxos Made Simple, section 3",
            costs: Costs::Safety,
        },
        CommitsAnyBallot {
            name: "commits-any-ballot",
            summary: "A follower commits whatever it has accepted up to the leader's commit index, \
                      under any ballot.",
            rule: "what a node has accepted is known to be chosen only if it accepted it under the \
                   ballot of the leader that says so (Paxos Made Simple, 2.3)",
            instead: "commits only what it has accepted under the ballot of the leader that says \
                      what is chosen, because under another ballot it may have accepted something \
                      else",
            published: "our own analysis: in MultiPaxos-SMR of the TLA+ examples a commit notice \
                        names a slot and no ballot; the like in Raft: a follower that leaves out \
                        the minimum of leaderCommit and the index of the last new entry",
            costs: Costs::Safety,
        },
        AcceptQuorumOffByOne {
            name: "accept-quorum-off-by-one",
            summary: "A leader commits a value as soon as a majority less one has accepted it.",
            rule: "a value is chosen once a majority has accepted it (Paxos Made Simple, 2.2)",
            instead: "commits only what a majority has accepted",
            published: "suggested as an exercise by the README of MultiPaxos-SMR in the TLA+ \
                        examples",
            costs: Costs::Safety,
        },
        AcceptsBelowPromise {
            name: "accepts-below-promise",
            summary: "An acceptor accepts under a ballot below its promise.",
            rule: "an acceptor accepts unless it has promised a higher ballot (Paxos Made Simple, \
                   2.2, P1a)",
            instead: "does not accept this value, because it has promised a higher ballot",
            published: "the guard is marked in the Paxos pseudo-code of MIT's course 6.824",
            costs: Costs::Safety,
        },
        PromiseNamesNoBallot {
            name: "promise-names-no-ballot",
            summary: "A promise does not say which ballot it is for, and counts towards whichever \
                      its candidate runs for by then.",
            rule: "a majority has promised the ballot of the leader (Paxos Made Simple, 2.2)",
            instead: "does not count this promise, because it is for another ballot",
            published: "luohaha/MyPaxos issue 18, 2026 (a late response to an earlier prepare \
                        request is counted)",
            costs: Costs::Safety,
        },
        UsesASlotTwice {
            name: "uses-a-slot-twice",
            summary: "A leader puts an input in the first slot that it does not know chosen, \
                      whatever it has proposed there.",
            rule: "an input goes into a slot that the leader has not used (Paxos Made Simple, 3; \
                   Paxos Made Moderately Complex, invariants A4 and C1)",
            instead: "puts this input in a slot in which it has proposed nothing yet",
            published: "our own analysis: slot_out in place of slot_in, in the words of Paxos Made \
                        Moderately Complex",
            costs: Costs::Safety,
        },
        ClosesGaps {
            name: "closes-gaps",
            summary: "A new leader fills no gap with a no-op, but moves what was reported above it \
                      down into it.",
            rule: "a value reported in a slot is proposed in that slot, and gaps get no-ops (Paxos \
                   Made Simple, 3)",
            instead: "proposes every reported value in its own slot, and fills the gaps with \
                      no-ops",
            published: "our own analysis of the rule",
            costs: Costs::Safety,
        },
        OneBallotVariable {
            name: "one-ballot-variable",
            summary: "An acceptor keeps one ballot for what it promised and what it accepted, so \
                      it reports old values under a ballot that it only promised.",
            rule: "a promise tells under which ballot each value was accepted (Paxos Made Simple, \
                   2.2)",
            instead: "reports each value under the ballot under which it accepted it, not under \
                      the one that it promised last",
            published: "Sutra, \"On the correctness of Egalitarian Paxos\", arXiv 1906.10917; \
                        hidden below 3 ballots",
            costs: Costs::Safety,
        },
        ForgetsPromise {
            name: "forgets-promise",
            summary: "An acceptor's promise is lost when it restarts; what it has accepted is not.",
            rule: "an acceptor remembers its promise across failures (Paxos Made Simple, 2.2, 2.5)",
            instead: "reads its promise back from its disk when it restarts",
            published: "acceptor amnesia; Chandra et al. 2007, section 5.1, tells of a like case, \
                        the corrupted disk",
            costs: Costs::Safety,
        },
        ReusesBallot {
            name: "reuses-ballot",
            summary: "A node that restarts counts its rounds from 1 again, and leads a ballot that \
                      it has led before.",
            rule: "a proposer remembers the highest ballot it used, and never issues the same one \
                   again (Paxos Made Simple, 2.5)",
            instead: "reads back from its disk which rounds it has used, so that its next ballot \
                      is a new one",
            published: "our own analysis; where leaders do not accept their own proposals, two \
                        values in one ballot follow",
            costs: Costs::Safety,
        },
        AnswersBeforeDisk {
            name: "answers-before-disk",
            summary: "An acceptor answers first and writes to its disk afterwards; a crash can \
                      strike between.",
            rule: "the response is recorded in stable storage before it is sent (Paxos Made \
                   Simple, 2.5)",
            instead: "saves on its disk what it has promised or accepted before it answers",
            published: "our own analysis: the order that section 2.5 of Paxos Made Simple asks \
                        for, turned round",
            costs: Costs::Safety,
        },
        LeavesGaps {
            name: "leaves-gaps",
            summary: "A new leader puts nothing into a slot of which no promise tells, though \
                      higher slots are in use.",
            rule: "gaps are filled with no-ops at once, else nothing above them is ever executed \
                   (Paxos Made Simple, 3)",
            instead: "fills each gap below the highest slot in use with a no-op, so that what is \
                      above it can be committed",
            published: "our own analysis of the rule in Paxos Made Simple, section 3",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        NeverRetransmits {
            name: "never-retransmits",
            summary: "A leader sends each proposal once: a lost message blocks its slot for ever.",
            rule: "messages can be lost (Paxos Made Simple, 2.1), so the leader sends again what \
                   is not answered",
            instead: "sends again, with its heartbeat, what a follower has not answered",
            published: "Liu, Chand and Stoller, \"Moderately Complex Paxos Made Simple\", arXiv \
                        1704.00082",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        PromisesTwice {
            name: "promises-twice",
            summary: "An acceptor promises a ballot again when asked again, though phase 1b asks \
                      for a number greater than any.",
            rule: "only a ballot above all promised ones is promised (Paxos Made Simple, 2.2)",
            instead: "does not answer this request, because it has promised this ballot already",
            published: "a control: a ballot has one owner, which runs for it once and counts \
                        nodes, not answers",
            costs: Costs::Nothing,
        },
    }
}
