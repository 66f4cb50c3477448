//! The mistakes that can be planted.

use crate::election::{Costs, Healing, bugs};

bugs! {
    /// A published mistake; each is one `if` at the rule that it breaks.
    pub(super) enum Bug {
        ForgetsPromise {
            name: "forgets-promise",
            summary: "A restarted acceptor remembers what it accepted, but not what it promised.",
            rule: "Section 2.5: what an acceptor has answered is in stable storage",
            instead: "reads its promise back from its disk when it restarts",
            published: "Lamport 2001, section 2.2: an acceptor must remember its promise through a \
                        restart",
            costs: Costs::Safety,
        },
        ForgetsAccepted {
            name: "forgets-accepted",
            summary: "A restarted acceptor remembers what it promised, but not what it accepted.",
            rule: "Section 2.5: what an acceptor has answered is in stable storage",
            instead: "reads back from its disk what it has accepted when it restarts",
            published: "Lamport 2001, section 2.2: an acceptor must remember what it accepted \
                        through a restart",
            costs: Costs::Safety,
        },
        ForgetsEverything {
            name: "forgets-everything",
            summary: "A restarted node finds its disk empty and takes part as if new.",
            rule: "Section 2.5: what must survive a failure is in stable storage",
            instead: "reads back from its disk what it has promised, accepted and tried when it \
                      restarts",
            published: "Chandra, Griesemer, Redstone, \"Paxos Made Live\", 2007, section 5.1 (disk \
                        corruption)",
            costs: Costs::Safety,
        },
        ReusesBallot {
            name: "reuses-ballot",
            summary: "A restarted proposer does not remember which ballots it has used, and uses \
                      one again.",
            rule: "Section 2.5: a proposer keeps the highest number that it has tried in stable \
                   storage, and starts above it",
            instead: "reads back from its disk which ballots it has tried, so that its next one is \
                      above them",
            published: "phxpaxos issue 145 (raised there, and found not to be so)",
            costs: Costs::Safety,
        },
        SendsBeforeSaving {
            name: "sends-before-saving",
            summary: "A node sends its messages first and writes its disk afterwards.",
            rule: "Section 2.5: stable storage comes before sending",
            instead: "saves its state on its disk before it sends anything, so that no crash makes \
                      it forget what it has said",
            published: "our own analysis of the rule in section 2.5",
            costs: Costs::Safety,
        },
        AcceptsBelowPromise {
            name: "accepts-below-promise",
            summary: "An acceptor accepts proposals below its promise.",
            rule: "Section 2.2, phase 2 (b): nothing below the promise is accepted",
            instead: "does not accept this proposal, because it has promised a higher ballot",
            published: "our own analysis; the guard is marked in the pseudo-code of MIT's course \
                        6.824",
            costs: Costs::Safety,
        },
        ComparesWithAccepted {
            name: "compares-with-accepted",
            summary: "An acceptor compares a proposal with what it last accepted instead of what \
                      it promised.",
            rule: "Section 2.2, phase 2 (b): nothing below the promise is accepted",
            instead: "does not accept this proposal, because it has promised a higher ballot, \
                      whether it has accepted anything in it or not",
            published: "our own analysis; the guard of MIT 6.824's pseudo-code, with the wrong \
                        variable",
            costs: Costs::Safety,
        },
        AcceptKeepsPromise {
            name: "accept-keeps-promise",
            summary: "An acceptor that accepts a proposal that it had not promised goes on \
                      accepting lower ones, which replace it.",
            rule: "Section 2.2: an acceptor remembers the highest-numbered proposal that it has \
                   accepted (here: accepting n raises the promise to n)",
            instead: "raises its promise to the ballot of what it accepts, and accepts nothing \
                      lower from then on",
            published: "Stack Overflow question 29880949; Brooker, blog of 16 November 2021; \
                        raised for Cassandra in its pull request 1327, and found not to be so",
            costs: Costs::Safety,
        },
        IgnoresReports {
            name: "ignores-reports",
            summary: "A leader proposes its own value whatever the promises report.",
            rule: "Section 2.2, phase 2 (a), P2c: the highest-numbered proposal reported decides \
                   the value",
            instead: "proposes the value of the highest-numbered proposal that the promises \
                      report, because that value may be chosen",
            published: "our own analysis of the rule in section 2.2",
            costs: Costs::Safety,
        },
        PromiseNamesNoBallot {
            name: "promise-names-no-ballot",
            summary: "A promise does not say which ballot it is for, and counts towards whichever \
                      its proposer prepares by then.",
            rule: "Section 2.2, phase 1 (b) and 2 (a): a quorum has answered the prepare request \
                   with this number",
            instead: "does not count this promise, because it is for another ballot",
            published: "luohaha/MyPaxos issue 18, 2026 (a late response to an earlier prepare \
                        request is counted)",
            costs: Costs::Safety,
        },
        TakesLowestBallot {
            name: "takes-lowest-ballot",
            summary: "A leader proposes the value of the lowest-numbered proposal reported.",
            rule: "Section 2.2, phase 2 (a), P2c: the highest-numbered proposal reported decides \
                   the value",
            instead: "is bound by the highest-numbered proposal among those reported: if a value \
                      is chosen already, it is the value of that one",
            published: "our own analysis of the rule in section 2.2",
            costs: Costs::Safety,
        },
        TakesLastReport {
            name: "takes-last-report",
            summary: "A leader proposes the value of whichever report came in last.",
            rule: "Section 2.2, phase 2 (a), P2c: the highest-numbered proposal reported decides \
                   the value",
            instead: "is bound by the highest-numbered proposal among those reported: if a value \
                      is chosen already, it is the value of that one",
            published: "our own analysis of the rule in section 2.2",
            costs: Costs::Safety,
        },
        TakesEmptyReport {
            name: "takes-empty-report",
            summary: "A leader to whom no proposal was reported takes the empty report for a \
                      value, and proposes it.",
            rule: "Section 2.2, phase 2 (a): a leader to whom nothing was reported proposes a \
                   value of its own",
            instead: "proposes a value of its own, because no promise reports a proposal",
            published: "our own analysis of the rule in section 2.2",
            costs: Costs::Safety,
        },
        OneBallotVariable {
            name: "one-ballot-variable",
            summary: "An acceptor keeps one ballot for promises and acceptances, and so reports an \
                      old value under a ballot in which it accepted nothing.",
            rule: "Section 2.2, phase 1 (b): an accepted proposal is reported under its own number",
            instead: "reports what it has accepted under the ballot in which it accepted it, not \
                      under the one that it promised last",
            published: "Sutra, \"On the correctness of Egalitarian Paxos\", 2019 (arXiv \
                        1906.10917)",
            costs: Costs::Safety,
        },
        SharesBallots {
            name: "shares-ballots",
            summary: "Proposers draw their ballots from one set of numbers.",
            rule: "Section 2.5: proposers have disjoint sets of numbers",
            instead: "takes a ballot from its own set of numbers, which no other proposer uses",
            published: "our own analysis of the rule in section 2.5",
            costs: Costs::Safety,
        },
        DisjointQuorums {
            name: "disjoint-quorums",
            summary: "A quorum of phase 1 need not meet a quorum of phase 2.",
            rule: "Flexible Paxos: every phase-1 quorum meets every phase-2 quorum",
            instead: "needs a quorum that shares an acceptor with every quorum of the other phase",
            published: "Howard, Malkhi, Spiegelman, \"Flexible Paxos: Quorum intersection \
                        revisited\", 2016",
            costs: Costs::Safety,
        },
        CountsAcrossBallots {
            name: "counts-across-ballots",
            summary: "A learner counts acceptances of one value in different ballots together.",
            rule: "Section 2.3: a quorum must have accepted one and the same proposal",
            instead: "counts acceptances of one and the same ballot only, and learns nothing \
                      unless a quorum has accepted it in one ballot",
            published: "Ongaro and Ousterhout 2014, figure 8, is the like mistake in Raft",
            costs: Costs::Safety,
        },
        OverwritesLearned {
            name: "overwrites-learned",
            summary: "A learner that knows the chosen value overwrites it with the value of one \
                      single acceptance that comes late.",
            rule: "Section 2.1: nothing is learned but the chosen value",
            instead: "keeps the value that it has learned, because one acceptance chooses nothing",
            published: "our own analysis of the rule in section 2.1",
            costs: Costs::Safety,
        },
        PromisesAgain {
            name: "promises-again",
            summary: "An acceptor answers a second time a prepare request that it has answered \
                      already.",
            rule: "Section 2.2, phase 1 (b): only a number above all that were answered is \
                   answered",
            instead: "does not answer this request again, because it has promised this ballot \
                      already",
            published: "Usual in practice, where requests are sent again; Lamport 2001 ignores the \
                        repetition",
            costs: Costs::Nothing,
        },
        NeverRetries {
            name: "never-retries",
            summary: "A proposer whose ballot does not succeed waits for ever.",
            rule: "Section 2.4: a proposer tries higher numbers until one succeeds",
            instead: "sets its timer, and tries a higher ballot if it does not know the chosen \
                      value when that ends",
            published: "Liu, Chand, Stoller, \"Moderately Complex Paxos Made Simple\", 2017 (arXiv \
                        1704.00082)",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
    }
}
