//! The mistakes that can be planted: each leaves out one rule.

use super::about::Variant;
use crate::election::{Costs, Healing, bugs};

bugs! {
    /// A rule left out.
    pub(super) enum Bug {
        DuplicateNumbers {
            name: "duplicate-numbers",
            summary: "The two highest nodes have the same number, and each takes the other's for \
                      its own.",
            rule: "The numbers are distinct (Chang and Roberts 1979, an assumption).",
            instead: "competes with its own number, which no other node has",
            published: "An assumption stated in ChangRoberts.tla of the TLA+ examples.",
            costs: Costs::Safety,
        },
        SmallerNumbersPass {
            name: "smaller-numbers-pass",
            summary: "A participant passes on numbers smaller than its own.",
            rule: "Rule C3: a participant swallows smaller numbers.",
            instead: "does not pass this number on, because its own is higher and is on its way \
                      already",
            published: "The rule: Chang and Roberts 1979; Coulouris et al., section 15.3.",
            costs: Costs::Safety,
        },
        LeadsTooSoon {
            name: "leads-too-soon",
            summary: "The winner leads before its announcement has been round.",
            rule: "Rule T5: lead when the announcement comes back.",
            instead: "leads only when its announcement has come round",
            published: "The textbooks do not say when the coordinator starts to lead; our own \
                        analysis.",
            costs: Costs::Safety,
        },
        LeaderNotHalted {
            name: "leader-not-halted",
            summary: "A leader passes on a higher node's announcement and leads on.",
            rule: "Rule T6: whoever hears a higher node's announcement follows it.",
            instead: "leads no more, and follows the higher node that announces itself",
            published: "The same omission as in Bully: Garcia-Molina 1982 halts the old leader \
                        first.",
            costs: Costs::Safety,
        },
        CoordinatorNotCompared {
            name: "coordinator-not-compared",
            summary: "A node follows whoever announces itself, lower nodes included.",
            rule: "Rule T7: an announcement of a lower node is swallowed.",
            instead: "does not follow this node, which is lower, and takes its announcement off \
                      the ring",
            published: "The textbooks leave the comparison out, as they let the initiator alone \
                        decide; our own analysis.",
            costs: Costs::Safety,
        },
        StaleAnnouncementCounts {
            name: "stale-announcement-counts",
            summary: "A winner takes any announcement of its own that comes round for the latest.",
            rule: "Rule T5: only the announcement of the present attempt counts.",
            instead: "does not count this announcement, which is that of an earlier attempt",
            published: "A token from before a restart, as in the Le Lann and Chang-Roberts \
                        folklore; our own analysis.",
            costs: Costs::Safety,
        },
        OrphanAnnouncement {
            name: "orphan-announcement",
            summary: "Only the leader takes its announcement off the ring; if it has died, nobody \
                      does.",
            rule: "Rule T8: whoever sees a message for the second time takes it off the ring.",
            instead: "takes this announcement off the ring, because it sees it for the second time",
            published: "The orphan of token rings (Le Lann 1977).",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        NoSkip {
            name: "no-skip",
            summary: "A message for a dead node is lost.",
            rule: "Rule T2: without an acknowledgement, try the node after.",
            instead: "acknowledges what it gets; what it sends and nobody acknowledges it sends \
                      to the node after",
            published: "Chang and Roberts 1979 have no repair; the rule is Tanenbaum's.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        AcknowledgesFirst {
            name: "acknowledges-first",
            summary: "A node acknowledges a message before it has passed it on.",
            rule: "Rule T2: the acknowledgement comes last, so that a message is never with \
                   nobody.",
            instead: "acknowledges a message last, after it has passed it on",
            published: "Acknowledging before the work is done: the end-to-end argument (Saltzer, \
                        Reed, Clark 1984); our own analysis.",
            costs: Costs::Liveness(Healing::Hides("some monitor ends at last, and begins another \
                                                   election")),
        },
        InitiatorWins {
            name: "initiator-wins",
            summary: "A node where an election ends takes itself for the winner, and not the \
                      highest that was collected.",
            rule: "Rule T3: the highest identifier collected wins.",
            instead: "takes the highest node that was collected for the winner, and not itself",
            published: "A misreading of `the initiator sends the result round` (Tanenbaum, van \
                        Steen); our own analysis.",
            costs: Costs::Liveness(Healing::Hides(
                "in its turn the highest node asks, too, and nobody swallows its announcement",
            )),
        },
        RecoveryWaits {
            name: "recovery-waits",
            summary: "A node that recovers does nothing until somebody speaks to it.",
            rule: "Rule T1: whoever recovers calls an election.",
            instead: "calls an election when it recovers",
            published: "The same omission as in Bully.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
    }
}

impl Bug {
    /// The election in which the bug can be planted.
    pub(super) fn variant(self) -> Variant {
        match self {
            Bug::DuplicateNumbers | Bug::SmallerNumbersPass => Variant::ChangRoberts,
            _ => Variant::Textbook,
        }
    }
}
