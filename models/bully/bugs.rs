//! The mistakes that can be planted: each leaves out one rule.

use crate::election::{Costs, Healing, bugs};

bugs! {
    /// A rule left out.
    pub(super) enum Bug {
        LastCoordinatorWins {
            name: "last-coordinator-wins",
            summary: "A node follows whoever announced itself last, lower nodes included, and does \
                      not object.",
            rule: "Rule 6: on COORDINATOR from a lower node, hold an election.",
            instead: "does not follow a lower node, but holds an election, unless it is in one \
                      already",
            published: "The textbooks state no comparison; Wikipedia, Bully algorithm, adds it.",
            costs: Costs::Safety,
        },
        LeaderNotHalted {
            name: "leader-not-halted",
            summary: "A leader does not stop leading when a higher node announces itself.",
            rule: "Rule 5: a leader that hears a higher node's announcement stops.",
            instead: "leads no more, and follows the higher node that announces itself",
            published: "Garcia-Molina 1982: the new coordinator sends HALT before anything else.",
            costs: Costs::Safety,
        },
        ElectionGoesOn {
            name: "election-goes-on",
            summary: "A node that waits for answers follows the coordinator announced meanwhile, \
                      but lets its answer timeout run on.",
            rule: "Rule 5: an announcement ends the election of whoever hears it.",
            instead: "ends its election, and waits for no more answers",
            published: "Our own analysis.",
            costs: Costs::Safety,
        },
        BusyNodesAreSilent {
            name: "busy-nodes-are-silent",
            summary: "A node that holds an election or leads takes no notice of ELECTION.",
            rule: "Rule 2: answer in any case; only a second election is left out.",
            instead: "answers that it is alive, although it is holding an election or leads",
            published: "A misreading of `unless it has begun one already` (Coulouris et al., \
                        15.3); our own analysis.",
            costs: Costs::Safety,
        },
        RecoversAsLeader {
            name: "recovers-as-leader",
            summary: "A node that recovers announces itself without an election, whether or not it \
                      is the highest.",
            rule: "Rule 8: a recovering node calls an election.",
            instead: "calls an election first, because there are higher nodes",
            published: "Coulouris et al., 15.3, let only the highest process do this.",
            costs: Costs::Safety,
        },
        NoSecondWait {
            name: "no-second-wait",
            summary: "A node that was answered waits for a coordinator for ever, even if the \
                      answering node has died.",
            rule: "Rule 7: if no coordinator is announced in time, call another election.",
            instead: "sets a timer, and calls another election if no leader is announced before \
                      it ends",
            published: "The rule: Wikipedia, Bully algorithm; Coulouris et al., 15.3.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        RecoveryWaits {
            name: "recovery-waits",
            summary: "A node that recovers does nothing until somebody speaks to it.",
            rule: "Rule 8: a recovering node calls an election.",
            instead: "calls an election when it recovers",
            published: "The rule: Garcia-Molina 1982; Coulouris et al., 15.3.",
            costs: Costs::Liveness(Healing::Shows { cases: 300, options: &[] }),
        },
        IgnoresLowerClaims {
            name: "ignores-lower-claims",
            summary: "A node takes no notice of a lower node's announcement.",
            rule: "Rule 6: on COORDINATOR from a lower node, hold an election.",
            instead: "holds an election, because a lower node has announced itself",
            published: "A control as long as no message is lost: then this rule only saves time. A \
                        lost announcement is mended by it. Our own analysis.",
            costs: Costs::Nothing,
        },
        AsksTheNextOnly {
            name: "asks-the-next-only",
            summary: "A node asks only the next higher node, and takes that one's silence for \
                      everybody's.",
            rule: "Rule 1: an election asks all higher nodes.",
            instead: "asks all nodes that are higher",
            published: "The rule: Garcia-Molina 1982; Coulouris et al., 15.3. The mistake: our own \
                        analysis.",
            costs: Costs::Safety,
        },
        LateAnswersCount {
            name: "late-answers-count",
            summary: "An answer makes a node wait whatever it is doing, so that a late one stops a \
                      leader.",
            rule: "Rule 3: an answer ends only the asking.",
            instead: "ignores this answer, because it no longer waits for one",
            published: "Our own analysis.",
            costs: Costs::Liveness(Healing::Hides(
                "who has given up waits for a coordinator, and then calls an election again",
            )),
        },
        HalfIsEnough {
            name: "half-is-enough",
            summary: "With quorums, a winner leads once half of all nodes accept it.",
            rule: "Rule 4: a majority accepts the winner; half of the nodes is no majority.",
            instead: "does not lead yet, because half of all nodes are no majority",
            published: "Elasticsearch's discovery.zen.minimum_master_nodes set to half of the \
                        nodes, as its manual warns.",
            costs: Costs::Safety,
        },
    }
}
