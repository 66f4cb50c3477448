//! What Paxos says of itself: options, and the published mistakes that can be planted.

use super::Msg;
use crate::election::{About, BugSpec, Costs, Healing, OptionSpec, Value};

pub const ABOUT: About = About {
    name: "paxos",
    title: "Paxos (single decree)",
    source: "Lamport, \"Paxos Made Simple\", 2001; quorums: Howard, Malkhi, Spiegelman, \"Flexible Paxos\", 2016",
    has_terms: true,
    starts_led: false,
    options: &[
        OptionSpec {
            name: "proposers",
            default: Value::Number(0),
            allowed: &[],
            help: "how many nodes propose, from n1 on; 0: all",
        },
        OptionSpec {
            name: "phase1_quorum",
            default: Value::Number(0),
            allowed: &[],
            help: "how many promises complete phase 1; 0: a majority",
        },
        OptionSpec {
            name: "phase2_quorum",
            default: Value::Number(0),
            allowed: &[],
            help: "how many acceptances make a value chosen; 0: a majority. Together with phase1_quorum more than all nodes",
        },
        OptionSpec {
            name: "learners",
            default: Value::Text("leader"),
            allowed: &["leader", "first", "all"],
            help: "whom acceptors tell: the ballot's leader or the first node, which tell the others; or all nodes",
        },
        OptionSpec {
            name: "refusals",
            default: Value::Flag(false),
            allowed: &[],
            help: "an acceptor answers a request below its promise, so that the proposer gives up at once",
        },
        OptionSpec {
            name: "election_only",
            default: Value::Flag(false),
            allowed: &[],
            help: "phase 1 alone: leaders propose nothing",
        },
    ],
    bugs: &[
        BugSpec {
            name: "forgets-promise",
            summary: "A restarted acceptor remembers what it accepted, but not what it promised.",
            rule: "Section 2.5: what an acceptor has answered is in stable storage",
            published: "Lamport 2001, section 2.2: an acceptor must remember its promise through a restart",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "forgets-accepted",
            summary: "A restarted acceptor remembers what it promised, but not what it accepted.",
            rule: "Section 2.5: what an acceptor has answered is in stable storage",
            published: "Lamport 2001, section 2.2: an acceptor must remember what it accepted through a restart",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "forgets-everything",
            summary: "A restarted node finds its disk empty and takes part as if new.",
            rule: "Section 2.5: what must survive a failure is in stable storage",
            published: "Chandra, Griesemer, Redstone, \"Paxos Made Live\", 2007, section 5.1 (disk corruption)",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "reuses-ballot",
            summary: "A restarted proposer does not remember which ballots it has used, and uses one again.",
            rule: "Section 2.5: a proposer keeps the highest number that it has tried in stable storage, and starts above it",
            published: "phxpaxos issue 145 (raised there, and found not to be so)",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "sends-before-saving",
            summary: "A node sends its messages first and writes its disk afterwards.",
            rule: "Section 2.5: stable storage comes before sending",
            published: "rule of the paper, section 2.5",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "accepts-below-promise",
            summary: "An acceptor accepts proposals below its promise.",
            rule: "Section 2.2, phase 2 (b): nothing below the promise is accepted",
            published: "rule of the paper; the guard is marked in the pseudo-code of MIT's course 6.824",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "compares-with-accepted",
            summary: "An acceptor compares a proposal with what it last accepted instead of what it promised.",
            rule: "Section 2.2, phase 2 (b): nothing below the promise is accepted",
            published: "rule of the paper; the guard of MIT 6.824's pseudo-code, with the wrong variable",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "accept-keeps-promise",
            summary: "An acceptor that accepts a proposal that it had not promised goes on accepting lower ones, which replace it.",
            rule: "Section 2.2: an acceptor remembers the highest-numbered proposal that it has accepted (here: accepting n raises the promise to n)",
            published: "Stack Overflow question 29880949; Brooker, blog of 16 November 2021; raised for Cassandra in its pull request 1327, and found not to be so",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "ignores-reports",
            summary: "A leader proposes its own value whatever the promises report.",
            rule: "Section 2.2, phase 2 (a), P2c: the highest-numbered proposal reported decides the value",
            published: "rule of the paper, section 2.2",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "takes-lowest-ballot",
            summary: "A leader proposes the value of the lowest-numbered proposal reported.",
            rule: "Section 2.2, phase 2 (a), P2c: the highest-numbered proposal reported decides the value",
            published: "rule of the paper, section 2.2",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "takes-last-report",
            summary: "A leader proposes the value of whichever report came in last.",
            rule: "Section 2.2, phase 2 (a), P2c: the highest-numbered proposal reported decides the value",
            published: "rule of the paper, section 2.2",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "takes-empty-report",
            summary: "A leader to whom no proposal was reported takes the empty report for a value.",
            rule: "Section 2.2, phase 2 (a): a leader to whom nothing was reported is free",
            published: "rule of the paper, section 2.2",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "one-ballot-variable",
            summary: "An acceptor keeps one ballot for promises and acceptances, and so reports an old value under a ballot in which it accepted nothing.",
            rule: "Section 2.2, phase 1 (b): an accepted proposal is reported under its own number",
            published: "Sutra, \"On the correctness of Egalitarian Paxos\", 2019 (arXiv 1906.10917)",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "shares-ballots",
            summary: "Proposers draw their ballots from one set of numbers.",
            rule: "Section 2.5: proposers have disjoint sets of numbers",
            published: "rule of the paper, section 2.5",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "disjoint-quorums",
            summary: "A quorum of phase 1 need not meet a quorum of phase 2.",
            rule: "Flexible Paxos: every phase-1 quorum meets every phase-2 quorum",
            published: "Howard, Malkhi, Spiegelman, \"Flexible Paxos: Quorum intersection revisited\", 2016",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "counts-across-ballots",
            summary: "A learner counts acceptances of one value in different ballots together.",
            rule: "Section 2.3: a quorum must have accepted one and the same proposal",
            published: "Ongaro and Ousterhout 2014, figure 8, is the same mistake in Raft",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "overwrites-learned",
            summary: "A learner that knows the value overwrites it with that of an acceptance that comes late.",
            rule: "Section 2.1: nothing is learned but the chosen value",
            published: "rule of the paper, section 2.1",
            costs: Costs::Safety,
        },
        BugSpec {
            name: "promises-again",
            summary: "An acceptor answers a prepare request again that it has answered already.",
            rule: "Section 2.2, phase 1 (b): only a number above all that were answered is answered",
            published: "Usual in practice, where requests are sent again; Lamport 2001 ignores the repetition",
            costs: Costs::Nothing,
        },
        BugSpec {
            name: "never-retries",
            summary: "A proposer whose ballot does not succeed waits for ever.",
            rule: "Section 2.4: a proposer tries higher numbers until one succeeds",
            published: "Liu, Chand, Stoller, \"Moderately Complex Paxos Made Simple\", 2017 (arXiv 1704.00082)",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
    ],
    corpus: include_str!("scenarios.toml"),
};

/// A planted bug; each is one `if` at the rule that it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    ForgetsPromise,
    ForgetsAccepted,
    ForgetsEverything,
    ReusesBallot,
    SendsBeforeSaving,
    AcceptsBelowPromise,
    ComparesWithAccepted,
    AcceptKeepsPromise,
    IgnoresReports,
    TakesLowestBallot,
    TakesLastReport,
    TakesEmptyReport,
    OneBallotVariable,
    SharesBallots,
    DisjointQuorums,
    CountsAcrossBallots,
    OverwritesLearned,
    PromisesAgain,
    NeverRetries,
}

impl Bug {
    pub fn named(name: &str) -> Bug {
        match name {
            "forgets-promise" => Bug::ForgetsPromise,
            "forgets-accepted" => Bug::ForgetsAccepted,
            "forgets-everything" => Bug::ForgetsEverything,
            "reuses-ballot" => Bug::ReusesBallot,
            "sends-before-saving" => Bug::SendsBeforeSaving,
            "accepts-below-promise" => Bug::AcceptsBelowPromise,
            "compares-with-accepted" => Bug::ComparesWithAccepted,
            "accept-keeps-promise" => Bug::AcceptKeepsPromise,
            "ignores-reports" => Bug::IgnoresReports,
            "takes-lowest-ballot" => Bug::TakesLowestBallot,
            "takes-last-report" => Bug::TakesLastReport,
            "takes-empty-report" => Bug::TakesEmptyReport,
            "one-ballot-variable" => Bug::OneBallotVariable,
            "shares-ballots" => Bug::SharesBallots,
            "disjoint-quorums" => Bug::DisjointQuorums,
            "counts-across-ballots" => Bug::CountsAcrossBallots,
            "overwrites-learned" => Bug::OverwritesLearned,
            "promises-again" => Bug::PromisesAgain,
            "never-retries" => Bug::NeverRetries,
            _ => panic!("paxos has no bug {name}"),
        }
    }

    /// Whether the bug breaks the argument by which such a message would be dead.
    pub fn revives(self, msg: &Msg) -> bool {
        match self {
            Bug::ForgetsPromise
            | Bug::ForgetsAccepted
            | Bug::ForgetsEverything
            | Bug::ReusesBallot
            | Bug::SendsBeforeSaving
            | Bug::SharesBallots => true,
            Bug::AcceptsBelowPromise | Bug::ComparesWithAccepted | Bug::AcceptKeepsPromise => {
                matches!(msg, Msg::Accept { .. })
            }
            Bug::PromisesAgain => matches!(msg, Msg::Prepare { .. }),
            Bug::OverwritesLearned => matches!(msg, Msg::Accepted { .. }),
            Bug::IgnoresReports
            | Bug::TakesLowestBallot
            | Bug::TakesLastReport
            | Bug::TakesEmptyReport
            | Bug::OneBallotVariable
            | Bug::DisjointQuorums
            | Bug::CountsAcrossBallots
            | Bug::NeverRetries => false,
        }
    }
}
